"""The simulated loudspeaker: judged by packets that are made here, byte by byte, not by the sender's code."""

import asyncio
import math
import socket
import struct
from datetime import UTC, datetime
from functools import cache

import pytest

from alertd_simulator.loudspeaker import SAMPLES_PER_S, Loudspeaker, decode, listen

QUIET = 0xFF


def packet(sequence: int, payload: bytes, *, marker: bool = False, source: int = 7, kind: int = 0) -> bytes:
    return (
        struct.pack("!BBHII", 0x80, kind | (0x80 if marker else 0), sequence % 65_536, 160 * sequence, source) + payload
    )


CODE_OF = {value: code for code, value in reversed(list(enumerate(decode(bytes(range(256))))))}
VALUES = sorted(CODE_OF)


def mulaw(samples) -> bytes:
    """By looking for the nearest value that a code stands for."""
    return bytes(nearest(sample) for sample in samples)


@cache
def nearest(sample: int) -> int:
    return CODE_OF[min(VALUES, key=lambda value: abs(value - sample))]


def hum(*notes: float, seconds: float = 0.3) -> list[int]:
    per_note = round(seconds * SAMPLES_PER_S)
    return [round(9_000 * math.sin(2 * math.pi * hz * n / SAMPLES_PER_S)) for hz in notes for n in range(per_note)]


LOCKDOWN, HOLD = hum(1000, 800, 1000, 800), hum(500, 700, 500, 700)


class Room:
    def __init__(self, known=None) -> None:
        self.now_s = 1_792_075_323.0
        self.speaker = Loudspeaker("oak-all", lambda: self.now_s, known)

    def play(self, payload: bytes, *, first: int = 0, without: frozenset[int] = frozenset(), source: int = 7) -> None:
        for number, start in enumerate(range(0, len(payload), 160)):
            if number not in without:
                piece = payload[start : start + 160]
                self.speaker.hear(packet(first + number, piece, marker=number == 0, source=source))
            self.now_s += 0.02

    def line(self) -> str:
        return self.speaker.line(lambda s: datetime.fromtimestamp(s, UTC).strftime("%H:%M:%S"))


@pytest.fixture
def room() -> Room:
    return Room({"lockdown": LOCKDOWN, "hold": HOLD})


def test_it_decodes_what_the_standard_says():
    assert decode(bytes([0xFF, 0x7F, 0x80, 0x00, 0xF0])) == [0, 0, 32124, -32124, 120]


def test_it_says_since_when_and_how_much(room):
    assert room.line() == "oak-all: silent"

    room.play(bytes([QUIET]) * 160 * 412)
    assert room.line() == "oak-all: speaking since 14:42:03, 412 packets, 0 lost"

    room.now_s += 1
    assert room.line() == "oak-all: silent since 14:42:11, spoke for 8.2 s, 412 packets, 0 lost"


def test_it_tells_announcements_by_their_sound(room):
    room.play(mulaw(LOCKDOWN))
    assert room.speaker.recognised() == "lockdown"

    room.now_s += 1
    room.play(bytes([QUIET]) * 1_600 + mulaw(HOLD), first=500)
    assert room.speaker.recognised() == "hold", "however long the silence before it"
    assert [room.speaker.recognised(spoken) for spoken in room.speaker.spoken] == ["lockdown", "hold"]


def test_it_tells_them_before_they_have_ended_but_not_from_a_moment(room):
    room.play(mulaw(LOCKDOWN)[: SAMPLES_PER_S // 10])
    assert room.speaker.recognised() is None

    room = Room({"lockdown": LOCKDOWN, "hold": HOLD})
    room.play(mulaw(LOCKDOWN)[: round(0.7 * SAMPLES_PER_S)])
    assert room.speaker.recognised() == "lockdown"
    assert '"lockdown"' in room.line()


@pytest.mark.parametrize("strange", [hum(300, 1200, 300, 600), hum(1000, 800, 1000, 800, 1000), hum(800, 1000, 800)])
def test_it_knows_no_announcement_that_it_was_not_taught(room, strange):
    room.play(mulaw(strange))

    assert room.speaker.recognised() is None


def test_it_counts_what_is_missing_and_fills_it_with_silence(room):
    room.play(mulaw(LOCKDOWN), first=65_530, without=frozenset({8, 9, 30}))
    heard = room.speaker.spoken[0]

    assert (heard.packets, heard.lost) == (57, 3)
    assert len(heard.samples) == len(LOCKDOWN)
    assert room.speaker.recognised() == "lockdown", "three lost packets do not hide it"


def test_what_comes_twice_or_late_changes_nothing(room):
    for sequence in (1, 2, 2, 4, 3, 5):
        room.speaker.hear(packet(sequence, bytes([QUIET]) * 160))

    heard = room.speaker.spoken[0]
    assert (heard.packets, heard.lost) == (4, 1)
    assert heard.samples == [0] * 800


def test_a_pause_a_marker_and_another_source_begin_a_new_announcement(room):
    room.play(bytes([QUIET]) * 320)
    room.play(bytes([QUIET]) * 320, first=2)
    room.play(bytes([QUIET]) * 320, first=900, source=8)
    room.now_s += 1
    room.speaker.hear(packet(902, bytes([QUIET]) * 160, source=8))

    assert [spoken.packets for spoken in room.speaker.spoken] == [2, 2, 2, 1]


def test_an_emergency_group_drowns_the_ordinary_one(room):
    for sequence in range(50):
        room.speaker.hear(packet(sequence, bytes([QUIET]) * 160, marker=sequence == 0, source=1))
        if sequence >= 10:
            room.speaker.hear(packet(sequence, bytes([QUIET]) * 160, marker=sequence == 10, source=2), emergency=True)
        room.now_s += 0.02
    room.now_s += 1
    room.speaker.hear(packet(900, bytes([QUIET]) * 160, source=1))

    assert [(spoken.source, spoken.packets) for spoken in room.speaker.spoken] == [(1, 11), (2, 40), (1, 1)]


def test_garbage_is_counted_and_never_heard(room):
    good = packet(1, bytes(160))
    for datagram in (b"", b"hello", good[:12], b"\x40" + good[1:], packet(1, bytes(160), kind=9), b"\x90" + good[1:13]):
        room.speaker.hear(datagram)

    assert room.speaker.garbage == 6
    assert room.speaker.spoken == []


def test_extensions_sources_and_padding_are_not_sound(room):
    head = struct.pack("!BBHII", 0xB1, 0, 1, 0, 7) + bytes(4) + struct.pack("!HH", 0xBEDE, 1) + bytes(4)
    room.speaker.hear(head + bytes([QUIET]) * 160 + bytes([0, 0, 0, 4]))

    assert room.speaker.spoken[0].samples == [0] * 160


async def test_it_listens_on_a_real_socket(room):
    transports = await listen(room.speaker, [("239.192.77.2", 5004)], "127.0.0.1")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
        out.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton("127.0.0.1"))
        for sequence in range(3):
            out.sendto(packet(sequence, bytes([QUIET]) * 160), ("239.192.77.2", 5004))
    async with asyncio.timeout(5):
        while not room.speaker.spoken or room.speaker.spoken[0].packets < 3:  # noqa: ASYNC110 - packets have no event
            await asyncio.sleep(0)
    for transport in transports:
        transport.close()

    assert room.speaker.spoken[0].lost == 0
