"""The demo's loudspeakers: one receiver a zone, on loopback multicast, which says what it hears.

Owns the joining of groups and the telling: begins, says (a recording that it knows), falls silent. Must not know what
was sent: it has the packets, and the recordings as files.
"""

import asyncio
import socket
import struct
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from msgspec import Struct

from alertd_simulator.demo_wiring import PaZone, free_even_port
from alertd_simulator.loopback_server import LOOPBACK
from alertd_simulator.loudspeaker import SAMPLES_PER_S, Loudspeaker, Spoken, joined
from alertd_simulator.recorded_words import Known, RecordingError, find, learnt

LISTENS_EVERY_S = 0.2
"""The kernel keeps what comes meanwhile: seconds of it."""
SO_TIMESTAMPNS = 35
"""socket(7), Linux: each datagram comes with the time of its arrival. Python has no name for it."""
TIMESPEC = struct.Struct("@ll")
DATAGRAM_BYTES = 2_048
AFRESH_S = 0.6
"""So much more must have been heard before it is compared again."""
OVER_S = 1.0
"""Without a packet. Longer than a screen takes to be drawn, during which nobody looks at the sockets."""
PROBE_GROUP = "239.192.255.250"
PROBE_S = 2.0


class Saying(Struct, kw_only=True):
    """One announcement as a listener takes it: a busy machine may send it in pieces, hundredths of a second apart, each
    marked as a beginning."""

    pieces: list[Spoken]

    @property
    def since_s(self) -> float:
        return self.pieces[0].since_s

    @property
    def until_s(self) -> float:
        return self.pieces[-1].until_s

    @property
    def packets(self) -> int:
        return sum(piece.packets for piece in self.pieces)

    @property
    def lost(self) -> int:
        return sum(piece.lost for piece in self.pieces)

    @property
    def seconds(self) -> float:
        return sum(piece.seconds for piece in self.pieces)

    def samples(self) -> list[int]:
        return [sample for piece in self.pieces for sample in piece.samples]

    def goes_on_with(self, piece: Spoken) -> bool:
        last = self.pieces[-1]
        same_voice = (piece.source, piece.emergency) == (last.source, last.emergency)
        return same_voice and piece.since_s - last.until_s < OVER_S


class Heard(Struct, frozen=True, kw_only=True):
    """Something that a loudspeaker told. `words` empty: it began, or (`ended`) fell silent."""

    zone: str
    at_us: int
    number: int
    """Of the announcement in this zone, from 0."""
    words: str = ""
    ended: bool = False
    saying: Saying


class Room:
    """One zone."""

    def __init__(self, zone: PaZone, known: Sequence[Known]) -> None:
        self.zone = zone
        self.speaker = Loudspeaker(zone.name, lambda: self._now_s)
        self.sayings: list[Saying] = []
        self.heard: list[Heard] = []
        self.on_heard: list[Callable[[Heard], None]] = []
        self._now_s = 0.0
        """When the packet arrived that is being heard."""
        self._ears: list[tuple[socket.socket, bool]] = []
        self._known = known
        self._longest_s = max((each.seconds for each in known), default=0.0)
        self._pieces = 0
        """Of the loudspeaker's, that were taken into sayings."""
        self._ended = 0
        self._compared_s = 0.0
        """Of the newest announcement: so much of it has been searched."""
        self._found_s = 0.0

    def join(self) -> None:
        """Raises `OSError`."""
        ranked = [(group, False) for group in self.zone.groups]
        ranked += [(group, True) for group in self.zone.emergency_groups]
        for group, emergency in ranked:
            ear = joined(group, LOOPBACK)
            self._ears.append((ear, emergency))
            ear.settimeout(0)
            ear.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)

    def leave(self) -> None:
        for ear, _ in self._ears:
            ear.close()

    async def listen_on(self) -> None:
        while True:
            await asyncio.sleep(LISTENS_EVERY_S)
            self._hear()
            await self.look()

    def _hear(self) -> None:
        """Everything that has come, in the order and at the moments of the kernel: we may have been busy meanwhile."""
        came = [(at_s, emergency, data) for ear, emergency in self._ears for at_s, data in _arrived(ear)]
        for at_s, emergency, data in sorted(came, key=lambda each: (each[0], not each[1])):
            self._now_s = at_s
            self.speaker.hear(data, emergency=emergency)

    @property
    def is_speaking(self) -> bool:
        return bool(self.sayings) and self._ended < len(self.sayings)

    async def look(self) -> None:
        """Tell what is new."""
        for piece in self.speaker.spoken[self._pieces :]:
            self._pieces += 1
            if self.sayings and self.sayings[-1].goes_on_with(piece):
                self.sayings[-1].pieces.append(piece)
                continue
            await self._end()
            self._compared_s = self._found_s = 0.0
            self.sayings.append(Saying(pieces=[piece]))
            self._tell(piece.since_s)
        if not self.is_speaking:
            return
        saying = self.sayings[-1]
        if time.time() - saying.until_s > OVER_S:
            await self._end()
        elif saying.seconds - self._compared_s >= AFRESH_S:
            await self._recognise(saying)

    async def _end(self) -> None:
        """Of what was being said, if anything was."""
        if self.is_speaking:
            saying = self.sayings[-1]
            await self._recognise(saying)
            self._ended = len(self.sayings)
            self._tell(saying.until_s, ended=True)

    async def _recognise(self, saying: Saying) -> None:
        samples = saying.samples()
        from_s = max(self._found_s, self._compared_s - self._longest_s)
        self._compared_s = len(samples) / SAMPLES_PER_S
        for found in await asyncio.to_thread(find, samples, self._known, from_s=from_s):
            self._found_s = max(self._found_s, found.ends_s)
            self._tell(saying.since_s + found.ends_s, words=found.words)

    def said(self, number: int) -> list[str]:
        """What it was heard to say whole, in order."""
        return [each.words for each in self.heard if each.number == number and each.words]

    def _tell(self, at_s: float, *, words: str = "", ended: bool = False) -> None:
        number = len(self.sayings) - 1
        at_us = round(at_s * 1_000_000)
        heard = Heard(
            zone=self.zone.name, at_us=at_us, number=number, words=words, ended=ended, saying=self.sayings[number]
        )
        self.heard.append(heard)
        for listener in self.on_heard:
            listener(heard)


def _arrived(ear: socket.socket) -> Iterator[tuple[float, bytes]]:
    """Datagrams that wait, each with the kernel's time of its arrival."""
    while True:
        try:
            data, ancillary, _, _ = ear.recvmsg(DATAGRAM_BYTES, socket.CMSG_SPACE(TIMESPEC.size))
        except BlockingIOError:
            return
        stamps = [value for level, kind, value in ancillary if (level, kind) == (socket.SOL_SOCKET, SO_TIMESTAMPNS)]
        seconds, nanoseconds = TIMESPEC.unpack(stamps[0]) if stamps else (time.time(), 0)
        yield seconds + nanoseconds / 1e9, data


@asynccontextmanager
async def listening(zones: Sequence[PaZone], known: Sequence[Known]) -> AsyncIterator[tuple[Room, ...]]:
    """A loudspeaker in each zone, until the block ends."""
    rooms = tuple(Room(zone, known) for zone in zones)
    tasks: list[asyncio.Task[None]] = []
    try:
        for room in rooms:
            room.join()
            tasks.append(asyncio.create_task(room.listen_on(), name=f"loudspeaker {room.zone.name}"))
        yield rooms
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for room in rooms:
            room.leave()


def known_recordings(config: Path, recordings: dict[str, str]) -> list[Known]:
    """Those that an ear can know; the others are heard, and not understood."""
    found = []
    for file, words in recordings.items():
        with suppress(RecordingError):
            found.append(learnt(words, config / file))
    return found


async def why_no_multicast() -> str:
    """Why no loudspeaker can be heard on this machine's loopback, in words; empty: it can."""
    group = (PROBE_GROUP, free_even_port())
    try:
        ear = joined(group, LOOPBACK)
    except OSError as error:
        return f"no group can be joined on {LOOPBACK}: {error.strerror or error}"
    with ear, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        ear.settimeout(0)
        try:
            sender.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(LOOPBACK))
            sender.sendto(b"?", group)
            await asyncio.wait_for(asyncio.get_running_loop().sock_recv(ear, DATAGRAM_BYTES), PROBE_S)
        except TimeoutError:
            return f"what is sent to a multicast group on {LOOPBACK} does not come back"
        except OSError as error:
            return f"nothing can be sent to a multicast group on {LOOPBACK}: {error.strerror or error}"
    return ""
