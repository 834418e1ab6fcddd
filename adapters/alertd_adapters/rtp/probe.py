"""Is there a way to the loudspeakers? Asked by `alertd doctor`, on the daemon's own machine; sends nothing.

Owns what can be known from this side: that the pinned interface is ours, up and able to multicast, that the kernel has
a way to each group, that words can be spoken. Must never claim that a loudspeaker hears: multicast is blind.
"""

import fcntl
import socket
import struct
from collections.abc import Iterable, Iterator

from alertd.ports import Found
from alertd_adapters.rtp.pacer import Group, open_socket
from alertd_adapters.rtp.pacer_process import Way
from alertd_adapters.rtp.speech import SpeechError, Voice

_SIOCGIFADDR, _SIOCGIFFLAGS = 0x8915, 0x8913
SPEAK_WAIT_S = 10.0
_UP, _LOOPBACK, _RUNNING, _MULTICAST = 0x1, 0x8, 0x40, 0x1000


def probe(way: Way, groups: Iterable[Group], voice: Voice) -> Iterator[Found]:
    """Findings, the interface first; without it the rest cannot be asked."""
    card = card_of(way.interface)
    if card is None:
        ours = ", ".join(address for _, address in _cards()) or "none"
        remedy = f"write one of this machine's addresses as interface: {ours}"
        yield Found(text=f"{way.interface} is no address of this machine", remedy=remedy)
    else:
        yield _card(card, way.interface)
        for group in groups:
            yield _group(way, group)
    yield _voice(voice)


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


def _voice(voice: Voice) -> Found:
    """It says something, for nobody: an installed program may still lack the voice that the settings name."""
    if not voice.is_installed:
        return Found(text="words that nobody knew before cannot be spoken", remedy=voice.remedy)
    try:
        voice.speak("This is a test.", SPEAK_WAIT_S)
    except SpeechError as error:
        remedy = f"are `speech` and `voice` of the channel right? Try by hand: {' '.join(voice.command('/tmp/a.wav'))}"  # noqa: S108 - for a person's own shell
        return Found(text=f"words that nobody knew before cannot be spoken: {error}", remedy=remedy)
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
