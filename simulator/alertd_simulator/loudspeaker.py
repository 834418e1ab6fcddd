"""A loudspeaker: joins multicast groups, decodes RTP G.711µ, counts what is missing, tells which announcement it hears.

Written from RFC 3550 and G.711, with not a line of the sender's code: it knows the sender by its packets alone. What it
hears it tells by the sound: a fingerprint of loudness and pitch, compared with announcements that it was taught, as
people know a voice. Must never answer anything: a real one does not either.

    oak-all: speaking since 10:42:03, 412 packets, 0 lost
"""

import asyncio
import itertools
import math
import socket
import struct
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any

from msgspec import Struct

FULL_BYTES = 12
SILENT_AFTER_S = 0.2
"""Ten packets missed in a row: it has stopped speaking."""
PCMU = 0
SAMPLES_PER_S = 8_000
SLICE = 400
"""Samples of one slice of a fingerprint: 50 ms."""
SLICES_MIN = 10
"""Half a second must be heard before anything is recognised."""
ALIKE = 0.9
QUIET = 200.0


class Spoken(Struct, kw_only=True):
    """One announcement, as far as it was heard."""

    since_s: float
    """Wall clock, seconds."""
    until_s: float
    source: int
    """SSRC."""
    packets: int = 0
    lost: int = 0
    samples: list[int] = []
    emergency: bool = False
    """It came by an emergency group."""

    @property
    def seconds(self) -> float:
        return len(self.samples) / SAMPLES_PER_S


class Slice(Struct, frozen=True):
    """50 ms of sound: how loud, and how often it crosses zero."""

    loudness: float
    crossings: int


def decode(payload: bytes) -> list[int]:
    """µ-law to 16 bits."""
    return [_DECODED[code] for code in payload]


def _expanded(code: int) -> int:
    """G.711 table 2: inverted sign, three bits of segment, four of step."""
    bits = code ^ 0xFF
    step, segment = bits & 15, (bits >> 4) & 7
    magnitude = ((2 * step + 33) << segment) - 33
    return -4 * magnitude if bits & 0x80 else 4 * magnitude


_DECODED = [_expanded(code) for code in range(256)]


def fingerprint(samples: Sequence[int]) -> list[Slice]:
    """From the first sound on: how much silence went before says nothing."""
    start = next((n for n, sample in enumerate(samples) if abs(sample) > QUIET), len(samples))
    slices = []
    for at in range(start, len(samples) - SLICE + 1, SLICE):
        part = samples[at : at + SLICE]
        loudness = math.sqrt(sum(sample * sample for sample in part) / SLICE)
        crossings = sum((one < 0) != (other < 0) for one, other in itertools.pairwise(part))
        slices.append(Slice(loudness, crossings if loudness > QUIET else 0))
    return slices


def alike(heard: Sequence[Slice], known: Sequence[Slice]) -> float:
    """Share of slices that agree, of what was heard so far; 0 if that is too little, or longer than what is known."""
    if len(heard) < SLICES_MIN or len(heard) > len(known) + 1:
        return 0.0
    pairs = zip(heard, known, strict=False)
    agreed = sum(
        abs(one.loudness - other.loudness) <= max(QUIET, 0.15 * other.loudness)
        and abs(one.crossings - other.crossings) <= 3
        for one, other in pairs
    )
    return agreed / len(heard)


class Loudspeaker:
    """One zone's loudspeaker. A socket, or a simulated network, gives it datagrams; `now_s` is wall time."""

    def __init__(self, name: str, now_s: Callable[[], float], known: Mapping[str, Sequence[int]] | None = None) -> None:
        self.name = name
        self.spoken: list[Spoken] = []
        self.garbage = 0
        """Datagrams that were no RTP of ours: too short, another version or payload."""
        self._now_s = now_s
        self._known = {announcement: fingerprint(samples) for announcement, samples in (known or {}).items()}
        self._sequence: int | None = None

    def hear(self, datagram: bytes, *, emergency: bool = False) -> None:
        """One datagram of any of its groups. What arrives twice, or from the past, is ignored; and so is an ordinary
        group while an emergency group speaks, as a receiver with priorities does."""
        packet = _rtp(datagram)
        if packet is None:
            self.garbage += 1
            return
        marker, sequence, source, payload = packet
        now_s = self._now_s()
        last = self.spoken[-1] if self.spoken else None
        if last is not None and last.emergency and not emergency and self.is_speaking:
            return
        if last is None or marker or source != last.source or now_s - last.until_s > SILENT_AFTER_S:
            last = Spoken(since_s=now_s, until_s=now_s, source=source, samples=[], emergency=emergency)
            self.spoken.append(last)
        elif self._sequence is not None:
            step = (sequence - self._sequence) % 65_536
            if step == 0 or step > 32_768:
                return
            last.lost += step - 1
            last.samples.extend([0] * (len(payload) * (step - 1)))
        self._sequence = sequence
        last.until_s = now_s
        last.packets += 1
        last.samples.extend(decode(payload))

    @property
    def is_speaking(self) -> bool:
        return bool(self.spoken) and self._now_s() - self.spoken[-1].until_s <= SILENT_AFTER_S

    def recognised(self, spoken: Spoken | None = None) -> str | None:
        """Name of the announcement that it hears, or heard last; `None` if it knows none that sounds so."""
        spoken = spoken or (self.spoken[-1] if self.spoken else None)
        if spoken is None:
            return None
        heard = fingerprint(spoken.samples)
        scores = {name: alike(heard, known) for name, known in self._known.items()}
        best = max(scores, key=lambda name: scores[name], default=None)
        return best if best is not None and scores[best] >= ALIKE else None

    def line(self, clock: Callable[[float], str]) -> str:
        """One line for people; `clock` shows wall time."""
        if not self.spoken:
            return f"{self.name}: silent"
        last = self.spoken[-1]
        what = f' "{name}"' if (name := self.recognised()) else ""
        count = f"{last.packets} packets, {last.lost} lost"
        if self.is_speaking:
            return f"{self.name}: speaking{what} since {clock(last.since_s)}, {count}"
        return f"{self.name}: silent since {clock(last.until_s)}, spoke{what} for {last.seconds:.1f} s, {count}"


def _rtp(datagram: bytes) -> tuple[bool, int, int, bytes] | None:
    """Marker, sequence, source and payload (RFC 3550 §5.1); `None` if it is no PCMU packet."""
    if len(datagram) < FULL_BYTES or datagram[0] >> 6 != 2 or datagram[1] & 0x7F != PCMU:
        return None
    sequence, _, source = struct.unpack_from("!HII", datagram, 2)
    end = len(datagram) - (datagram[-1] if datagram[0] & 0x20 else 0)
    start = FULL_BYTES + 4 * (datagram[0] & 0x0F)
    if datagram[0] & 0x10:
        if len(datagram) < start + 4:
            return None
        start += 4 + 4 * int.from_bytes(datagram[start + 2 : start + 4], "big")
    payload = datagram[start:end]
    return (bool(datagram[1] & 0x80), sequence, source, payload) if payload else None


class _Ear(asyncio.DatagramProtocol):
    def __init__(self, loudspeaker: Loudspeaker, *, emergency: bool) -> None:
        self._loudspeaker = loudspeaker
        self._emergency = emergency

    def datagram_received(self, data: bytes, addr: tuple[Any, ...]) -> None:  # noqa: ARG002 - the protocol's signature
        self._loudspeaker.hear(data, emergency=self._emergency)


def joined(group: tuple[str, int], interface: str) -> socket.socket:
    """A socket that hears what is sent to this group, and nothing else. Raises `OSError`."""
    ear = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        ear.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        ear.bind(group)  # the group's own address: what is sent to others on this port is not for us
        member = socket.inet_aton(group[0]) + socket.inet_aton(interface)
        ear.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, member)
    except OSError:
        ear.close()
        raise
    return ear


async def listen(
    loudspeaker: Loudspeaker,
    groups: Iterable[tuple[str, int]],
    interface: str,
    emergency_groups: Iterable[tuple[str, int]] = (),
) -> list[asyncio.DatagramTransport]:
    """Join the groups on the network card that has this address. Close the transports to leave them."""
    transports: list[asyncio.DatagramTransport] = []
    loop = asyncio.get_running_loop()
    ranked = [(group, False) for group in groups] + [(group, True) for group in emergency_groups]
    for (host, port), emergency in ranked:
        ear = joined((host, port), interface)
        transport, _ = await loop.create_datagram_endpoint(partial(_Ear, loudspeaker, emergency=emergency), sock=ear)
        transports.append(transport)
    return transports
