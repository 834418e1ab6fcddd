"""Is there a way to the loudspeakers? Asked by `alertd doctor`, on the daemon's own machine; sends nothing.

Owns what can be known from this side: that the pinned interface is ours, up and able to multicast, that the kernel has
a way to each group, that the pacer comes before other programs, that words can be spoken in time. Must never claim that
a loudspeaker hears: multicast is blind.
"""

import fcntl
import os
import socket
import struct
import subprocess
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

from alertd.ports import Found
from alertd_adapters.rtp.assembly import Variant
from alertd_adapters.rtp.pacer import Group, open_socket
from alertd_adapters.rtp.pacer_process import COMMAND, REAL_TIME, Report, Way, remedy_of
from alertd_adapters.rtp.rendering import Recipe, Renderer, Source
from alertd_adapters.rtp.speech import SpeechError, Voice

_SIOCGIFADDR, _SIOCGIFFLAGS = 0x8915, 0x8913
SPEAK_WAIT_S = 10.0
PLACE_WAIT_S = 5.0
_FIRST = frozenset({os.SCHED_FIFO, os.SCHED_RR})
LONG = "Practice is over, please leave by door five and not by door six. " * 3
"""About as long as words may be (`alertd say`: 200 characters): who speaks these in time speaks shorter ones, too."""
_UP, _LOOPBACK, _RUNNING, _MULTICAST = 0x1, 0x8, 0x40, 0x1000


def probe(way: Way, groups: Iterable[Group], voice: Voice, live_words_s: float) -> Iterator[Found]:
    """Findings, the interface first; without it the rest cannot be asked. `live_words_s`: what the channel gives words
    that nobody knew before."""
    card = card_of(way.interface)
    if card is None:
        ours = ", ".join(address for _, address in _cards()) or "none"
        remedy = f"write one of this machine's addresses as interface: {ours}"
        yield Found(text=f"{way.interface} is no address of this machine", remedy=remedy)
    else:
        yield _card(card, way.interface)
        for group in groups:
            yield _group(way, group)
    yield _place()
    yield _voice(voice, live_words_s)


def _place() -> Found:
    """How the daemon's own pacer is scheduled, if one runs; else what is given to one that is started here and now,
    which says nothing of the daemon's where it may less than the daemon (alertd-doctor.service)."""
    running = list(_pacers())
    if running:
        why, place = "seen of the one that runs", REAL_TIME if all(running) else "ordinary"
    else:
        try:
            asked = subprocess.run(  # noqa: S603 - our own program
                COMMAND, stdin=subprocess.DEVNULL, capture_output=True, timeout=PLACE_WAIT_S, check=True
            )
            report = msgspec.json.decode(asked.stdout.splitlines()[0], type=Report)
        except (OSError, subprocess.SubprocessError, IndexError, msgspec.DecodeError) as error:
            return Found(
                text=f"the pacer cannot be started: {error}", remedy="is alertd installed whole? Install it again"
            )
        why, place = f"tried here, for none runs now; {report.why}".removesuffix("; "), report.place
    if remedy := remedy_of(place):
        text = f"the pacer waits behind other programs, and stutters where they are many ({why})"
        return Found(text=text, remedy=remedy, grave=False)
    return Found(text=f"the pacer comes before other programs ({why})")


def _pacers() -> Iterator[bool]:
    """Of each pacer that runs, as far as we may see them: does it come before other programs?"""
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            command = (folder / "cmdline").read_bytes().split(b"\0")
            if COMMAND[-1].encode() in command:
                yield os.sched_getscheduler(int(folder.name)) in _FIRST
        except OSError:  # it has ended, or is somebody else's
            continue


def card_of(address: str) -> str | None:
    """Name of the network card that has the address."""
    return next((name for name, own in _cards() if own == address), None)


def _cards() -> Iterator[tuple[str, str]]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        for _, name in socket.if_nameindex():
            try:
                answer = fcntl.ioctl(asking, _SIOCGIFADDR, struct.pack("16s24x", name.encode()[:15]))
            except OSError:  # it has no address
                continue
            yield name, socket.inet_ntoa(answer[20:24])


def _voice(voice: Voice, live_words_s: float) -> Found:
    """It says something, for nobody, as the channel would have it said: an installed program may still lack the voice
    that the settings name, or speak so late that every page is given up."""
    if not voice.is_installed:
        return Found(text="words that nobody knew before cannot be spoken", remedy=voice.remedy)
    recipe = Recipe(said=Source(key="", words=LONG), tone="chime", times=1, variant=Variant.LIVE, codec="g711u")
    began_s = time.monotonic()
    try:
        Renderer(speak=voice.speak, speaker="", marks={}).clip(recipe, SPEAK_WAIT_S)
    except SpeechError as error:
        remedy = f"are `speech` and `voice` of the channel right? Try by hand: {' '.join(voice.command('/tmp/a.wav'))}"  # noqa: S108 - for a person's own shell
        return Found(text=f"words that nobody knew before cannot be spoken: {error}", remedy=remedy)
    took_s = time.monotonic() - began_s
    if took_s > live_words_s:
        text = f"{voice.name} takes {took_s:.1f} s to speak, and alertd say gives them up after {live_words_s:.1f} s"
        remedy = "raise live_words_deadline_s of the channel, and deadline_s well above it; or choose another `speech`"
        return Found(text=f"words that nobody knew before come too late: {text}", remedy=remedy)
    return Found(text=f"{voice.program} can speak live words")


def _card(card: str, address: str) -> Found:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        answer = fcntl.ioctl(asking, _SIOCGIFFLAGS, struct.pack("16s24x", card.encode()[:15]))
    (flags,) = struct.unpack_from("H", answer, 16)
    if not flags & _UP:
        return Found(text=f"{card} ({address}) is down", remedy=f"ip link set {card} up")
    if not flags & _RUNNING:
        return Found(text=f"{card} ({address}) has no link", remedy="look at its cable and at the switch")
    if not flags & (_MULTICAST | _LOOPBACK):
        return Found(text=f"{card} ({address}) does no multicast", remedy=f"ip link set {card} multicast on")
    return Found(text=f"{card} ({address}) is up and does multicast")


def _group(way: Way, group: Group) -> Found:
    host, port = group
    order = {"interface": way.interface, "ttl": way.ttl, "dscp": way.dscp, "loopback": way.loopback}
    try:
        with open_socket(order) as out:
            out.connect(group)  # a look at the route, no packet
    except OSError as error:
        return Found(text=f"no way to {host}:{port} by {way.interface}: {error}", remedy="ip route; ip maddr")
    return Found(text=f"there is a way to {host}:{port} by {way.interface}")
