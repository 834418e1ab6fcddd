"""The pacer's clock and its groups, with a clock of our own: every packet is looked at, none is sent."""

import json
import os
import resource
import struct
import subprocess
from itertools import pairwise
from typing import NamedTuple

import pytest

from alertd_adapters.rtp import pacer
from alertd_adapters.rtp.pacer import PACKET_BYTES, PACKET_NS, Mixer, Orders
from alertd_adapters.rtp.pacer_process import COMMAND

HALL, GYM, EMERGENCY = ("239.192.4.2", 5004), ("239.192.4.3", 5004), ("239.192.4.10", 5010)
START = 5_000_000_062_500
"""Not a whole unit of the RTP clock."""


class Packet(NamedTuple):
    at_ns: int
    group: tuple[str, int]
    version: int
    marker: bool
    payload_type: int
    sequence: int
    timestamp: int
    ssrc: int
    payload: bytes


class Desk:
    """The mixer, a clock, and what left."""

    def __init__(self) -> None:
        self.now = START
        self.turn = 0
        self.packets: list[Packet] = []
        self.reports: list[dict] = []
        self.broken: dict[tuple[str, int], int] = {}
        """Group -> number of packets that cannot be sent."""
        self.mixer = Mixer(self.reports.append, lambda order: self.send)
        for number in range(10):
            self.mixer.load(f"clip{number}", bytes([number]) * PACKET_BYTES * 10)

    def send(self, data: bytes, group) -> None:
        if self.broken.get(group, 0):
            self.broken[group] -= 1
            raise OSError(101, "Network is unreachable")
        first, second, sequence, timestamp, ssrc = struct.unpack_from("!BBHII", data)
        head = (first, bool(second & 0x80), second & 0x7F, sequence, timestamp, ssrc)
        self.packets.append(Packet(self.now, group, *head, data[12:]))

    def say(self, order: str, *groups, clip: str = "clip1", rank: int = 2, cuts: bool = False, payload_type: int = 0):
        self.turn += 1
        self.mixer.obey(
            {"do": "say", "order": order, "clip": clip, "groups": [list(group) for group in groups], "rank": rank,
             "cuts": cuts, "turn": self.turn, "payload_type": payload_type},
            self.now,
        )  # fmt: skip

    def stop(self, *groups, rank: int = 3) -> None:
        order = {"do": "stop", "order": "stop", "groups": [list(group) for group in groups], "rank": rank}
        self.mixer.obey(order, self.now)

    def pass_ms(self, ms: float, *, step_ms: float = 1.0) -> None:
        """The loop looks at its clock every step."""
        until = self.now + round(ms * 1_000_000)
        while self.now < until:
            self.mixer.play(self.now)
            self.now += round(step_ms * 1_000_000)
        self.now = until

    def of(self, group) -> list[Packet]:
        return [packet for packet in self.packets if packet.group == group]

    def states(self) -> list[tuple[str, str]]:
        return [(report["order"], report["is"]) for report in self.reports]


@pytest.fixture
def desk() -> Desk:
    return Desk()


def gaps(packets) -> list[float]:
    return [(after.at_ns - before.at_ns) / 1_000_000 for before, after in pairwise(packets)]


def test_a_packet_leaves_at_once_and_then_every_twenty_milliseconds(desk):
    desk.say("one", HALL)
    desk.pass_ms(300)

    packets = desk.of(HALL)
    assert len(packets) == 10
    assert packets[0].at_ns == START
    assert gaps(packets) == [pytest.approx(20, abs=1)] * 9
    assert desk.states() == [("one", "started"), ("one", "ended")]
    assert desk.mixer.due_ns is None, "a silent pacer sleeps"


def test_packets_are_rtp(desk):
    desk.say("one", HALL, payload_type=9)
    desk.pass_ms(300)

    packets = desk.of(HALL)
    assert {packet.version for packet in packets} == {0x80}, "version 2, no padding, extension or sources"
    assert {packet.payload_type for packet in packets} == {9}
    assert [packet.marker for packet in packets] == [True] + [False] * 9
    assert len({packet.ssrc for packet in packets}) == 1
    assert all((after.sequence - before.sequence) % 65536 == 1 for before, after in pairwise(packets))
    assert all((after.timestamp - before.timestamp) % 2**32 == 160 for before, after in pairwise(packets))
    assert b"".join(packet.payload for packet in packets) == bytes([1]) * 1600


def test_each_group_has_a_source_and_a_beginning_of_its_own(desk):
    desk.say("one", HALL, GYM)
    desk.pass_ms(300)

    hall, gym = desk.of(HALL), desk.of(GYM)
    assert len(hall) == len(gym) == 10
    assert hall[0].ssrc != gym[0].ssrc
    assert (hall[0].sequence, hall[0].timestamp) != (gym[0].sequence, gym[0].timestamp)
    assert [packet.at_ns for packet in hall] == [packet.at_ns for packet in gym], "one clock"


def test_a_groups_stream_goes_on_over_silence_with_true_timestamps_and_a_new_marker(desk):
    desk.say("one", HALL)
    desk.pass_ms(1_000)
    desk.say("two", HALL)
    desk.pass_ms(300)

    packets = desk.of(HALL)
    assert [n for n, packet in enumerate(packets) if packet.marker] == [0, 10]
    assert len({packet.ssrc for packet in packets}) == 1
    assert (packets[10].sequence - packets[9].sequence) % 65536 == 1
    assert (packets[10].timestamp - packets[0].timestamp) % 2**32 == 8 * 1_000


def test_sequence_numbers_wrap(desk):
    desk.say("one", HALL)
    desk.mixer._streams[HALL].sequence = 65_533
    desk.pass_ms(300)

    assert [packet.sequence for packet in desk.of(HALL)] == [*range(65_533, 65_536), *range(7)]


@pytest.mark.parametrize("stall_ms", [31, 61.3, 200, 5_000])
def test_after_a_stall_the_clock_is_shifted_and_nothing_bursts(desk, stall_ms):
    desk.say("one", HALL)
    desk.pass_ms(70)
    desk.now += round(stall_ms * 1_000_000)
    desk.pass_ms(300)

    packets = desk.of(HALL)
    assert len(packets) == 10, "nothing is left out"
    assert min(gaps(packets)) > 18.9, "nothing bursts"
    stalled = max(range(9), key=lambda n: gaps(packets)[n]) + 1
    assert gaps(packets)[stalled - 1] >= stall_ms - 20
    assert [n for n, packet in enumerate(packets) if packet.marker] == [0], "heard as a second announcement"
    for before, after in pairwise(packets):
        lapse = (after.timestamp - before.timestamp) % 2**32 / 8
        assert lapse == pytest.approx((after.at_ns - before.at_ns) / 1_000_000, abs=1.2), "timestamps tell the time"
    assert desk.reports[-1]["late"] == 1


def test_a_little_lateness_moves_nothing(desk):
    """Deadlines are absolute: what is 7 ms late once is on time again with the next packet."""
    desk.say("one", HALL)
    desk.pass_ms(61)
    desk.now += 26_000_000
    desk.pass_ms(300)

    packets = desk.of(HALL)
    assert all((after.timestamp - before.timestamp) % 2**32 == 160 for before, after in pairwise(packets))
    assert packets[-1].at_ns - packets[0].at_ns == pytest.approx(9 * PACKET_NS, abs=1_000_000)


def test_an_emergency_cuts_in_mid_word_within_one_packet(desk):
    desk.say("routine", HALL, clip="clip1", rank=2)
    desk.pass_ms(70)
    ordered = desk.now
    desk.say("emergency", HALL, EMERGENCY, clip="clip2", rank=3, cuts=True)
    desk.pass_ms(300)

    after = [packet for packet in desk.of(HALL) if packet.at_ns >= ordered]
    assert {packet.payload[0] for packet in after} == {2}, "not one more packet of the old"
    assert after[0].at_ns - ordered <= PACKET_NS
    assert after[0].marker
    assert min(gaps(desk.of(HALL))) > 18.9
    assert (after[0].timestamp - desk.of(HALL)[3].timestamp) % 2**32 == 160
    assert len(desk.of(EMERGENCY)) == len(after) == 10
    assert desk.states() == [
        ("routine", "started"), ("routine", "cut"), ("emergency", "started"), ("emergency", "ended")
    ]  # fmt: skip


def test_a_routine_page_never_cuts_an_emergency_and_hears_when_the_groups_are_free(desk):
    desk.say("emergency", HALL, clip="clip2", rank=3, cuts=True)
    desk.pass_ms(61)
    desk.say("routine", HALL, GYM, clip="clip1", rank=2)
    desk.pass_ms(300)

    assert {packet.payload[0] for packet in desk.packets} == {2}
    refused = next(report for report in desk.reports if report["is"] == "refused")
    assert (refused["order"], refused["by"], refused["left_s"]) == ("routine", "emergency", pytest.approx(0.12))
    assert desk.of(GYM) == [], "all of its groups, or none"


def test_equals_wait_unless_they_are_emergencies(desk):
    desk.say("one", HALL, clip="clip1", rank=2)
    desk.say("two", HALL, clip="clip2", rank=2)
    assert desk.states()[-1] == ("two", "refused")

    desk.say("three", HALL, clip="clip3", rank=3, cuts=True)
    desk.say("four", HALL, clip="clip4", rank=3, cuts=True)
    desk.pass_ms(300)

    assert {packet.payload[0] for packet in desk.packets} == {4}


def test_who_is_cut_in_one_group_goes_on_in_the_others(desk):
    desk.say("all", HALL, GYM, clip="clip1", rank=2)
    desk.pass_ms(50)
    desk.say("gym", GYM, clip="clip2", rank=3, cuts=True)
    desk.pass_ms(300)

    assert {packet.payload[0] for packet in desk.of(HALL)} == {1}
    assert len(desk.of(HALL)) == 10
    cut = next(report for report in desk.reports if report["is"] == "cut")
    assert cut["order"] == "all"
    assert not cut["whole"]


def test_stop_silences_its_groups_in_mid_word_and_no_others(desk):
    desk.say("hall", HALL, clip="clip1")
    desk.say("gym", GYM, clip="clip2")
    desk.pass_ms(70)
    stopped = desk.now
    desk.stop(HALL, EMERGENCY)
    desk.pass_ms(300)

    assert max(packet.at_ns for packet in desk.of(HALL)) < stopped
    assert len(desk.of(GYM)) == 10
    assert ("stop", "stopped") in desk.states()


def test_the_end_of_a_drill_cuts_what_drills_say_and_nothing_that_is_real(desk):
    """A zone may be a part of another: the gym speaks of the drill, and the whole school of what has made it real."""
    desk.say("drill", GYM, clip="clip1", rank=1)
    desk.pass_ms(70)
    desk.say("real", HALL, clip="clip2", rank=3, cuts=True)
    desk.say("drill of all", EMERGENCY, clip="clip3", rank=1)
    desk.stop(HALL, GYM, rank=1)
    desk.pass_ms(300)

    assert [packet.payload[0] for packet in desk.of(HALL)] == [2] * 10, "what is real is cut by the end of a drill"
    assert len(desk.of(GYM)) == 4
    assert len(desk.of(EMERGENCY)) == 10


def test_after_silence_the_first_packet_waits_for_nothing(desk):
    desk.say("one", HALL)
    desk.pass_ms(65)
    desk.stop(HALL)
    assert desk.mixer.due_ns is None, "a silent pacer sleeps"
    asked = desk.now
    desk.say("two", HALL, clip="clip2")
    desk.pass_ms(10)

    assert [packet.at_ns for packet in desk.of(HALL) if packet.payload[0] == 2] == [asked]


def test_who_is_refused_waits_for_the_last_of_those_who_speak(desk):
    """Two of its groups are taken; one is free sooner."""
    desk.say("hall", HALL, rank=3)
    desk.pass_ms(100)
    desk.say("gym", GYM, rank=3)
    desk.say("both", HALL, GYM)

    assert desk.reports[-1]["is"] == "refused"
    assert desk.reports[-1]["left_s"] == pytest.approx(0.2)


def test_what_cannot_be_said_cuts_nobody(desk):
    desk.say("one", HALL)
    desk.pass_ms(30)

    def refuse(order):
        raise OSError(99, "Cannot assign requested address")

    desk.mixer._open_socket = refuse
    desk.say("two", HALL, rank=3, cuts=True)
    desk.pass_ms(300)

    assert desk.states() == [("one", "started"), ("two", "failed"), ("one", "ended")]


def test_a_network_that_is_away_fails_the_order_with_its_reason(desk):
    desk.broken = {HALL: 99}
    desk.say("one", HALL)
    desk.pass_ms(100)

    assert desk.states() == [("one", "failed")]
    assert (desk.reports[0]["errno"], desk.reports[0]["why"]) == (101, "[Errno 101] Network is unreachable")
    assert desk.mixer.due_ns is None


def test_one_group_that_cannot_be_reached_does_not_silence_the_others_and_is_named(desk):
    desk.broken = {HALL: 1}
    desk.say("one", HALL, GYM)
    desk.pass_ms(300)

    assert desk.reports[0]["is"] == "started"
    assert desk.reports[0]["silent"] == ["239.192.4.2:5004"]
    assert len(desk.of(GYM)) == 10
    assert len(desk.of(HALL)) == 9, "it is tried again with the next packet"
    assert desk.reports[-1]["lost"] == 1


def test_a_socket_that_cannot_be_opened_fails_the_order(desk):
    def refuse(order):
        raise OSError(99, "Cannot assign requested address")

    desk.mixer._open_socket = refuse
    desk.say("one", HALL)

    assert (desk.reports[0]["is"], desk.reports[0]["errno"]) == ("failed", 99)


def test_strange_orders_are_answered_not_raised(desk):
    desk.mixer.obey({"do": "dance", "order": "x"}, desk.now)
    desk.say("unknown", HALL, clip="nowhere")
    desk.mixer.obey({"do": "drop", "clip": "clip1"}, desk.now)
    desk.say("dropped", HALL, clip="clip1")

    assert desk.states() == [("x", "failed"), ("unknown", "failed"), ("dropped", "failed")]


def test_orders_and_sounds_are_read_however_they_are_cut_into_pieces():
    sound = bytes(range(256)) * 3
    stream = (
        json.dumps({"do": "load", "clip": "c", "bytes": len(sound)}).encode() + b"\n" + sound
        + json.dumps({"do": "say", "order": "1"}).encode() + b"\n" + json.dumps({"do": "stop"}).encode() + b"\n"
    )  # fmt: skip
    whole = list(Orders().feed(stream))
    orders = Orders()
    pieces = [order for start in range(len(stream)) for order in orders.feed(stream[start : start + 1])]

    assert whole == pieces == [("c", sound), {"do": "say", "order": "1"}, {"do": "stop"}]


# --- a place before other programs


class Kernel:
    """What the pacer asks of it, and what it allows."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *, refuses: set[str]) -> None:
        self.asked: list[tuple[object, ...]] = []
        self._refuses = refuses
        monkeypatch.setattr(resource, "getrlimit", lambda _: (-1, -1))
        monkeypatch.setattr(resource, "setrlimit", lambda *what: self._ask("limit", *what))
        monkeypatch.setattr(os, "sched_setscheduler", lambda *what: self._ask("real time", *what))
        monkeypatch.setattr(os, "sched_param", lambda priority: priority)
        monkeypatch.setattr(os, "setpriority", lambda *what: self._ask("nice", *what))

    def _ask(self, *what: object) -> None:
        self.asked.append(what)
        if what[0] in self._refuses:
            raise PermissionError(1, "Operation not permitted")


def test_it_asks_to_come_before_other_programs_and_to_be_ended_if_it_keeps_a_processor(monkeypatch):
    kernel = Kernel(monkeypatch, refuses=set())
    report = pacer.come_first()

    assert kernel.asked == [
        ("limit", resource.RLIMIT_RTTIME, (500_000, 500_000)),  # first: a defect could take all
        ("real time", 0, os.SCHED_FIFO, 1),  # before ordinary programs, and behind all others of that kind
    ], "a busy machine is heard: real time is not asked for"
    assert report == {"order": "", "is": "placed", "place": "real time", "why": ""}


@pytest.mark.parametrize(
    ("refuses", "place", "says"),
    [
        ({"real time"}, "nice", ["real time: [Errno 1] Operation not permitted"]),
        ({"limit"}, "nice", ["real time: [Errno 1] Operation not permitted"]),
        ({"real time", "nice"}, "ordinary", ["real time: ", "nice: [Errno 1] Operation not permitted"]),
    ],
    ids=["no real time", "no limit, so no real time", "nothing"],
)
def test_who_is_refused_a_place_takes_the_next_best_and_says_why(monkeypatch, refuses, place, says):
    kernel = Kernel(monkeypatch, refuses=refuses)
    report = pacer.come_first()

    assert report["place"] == place
    assert all(words in report["why"] for words in says)
    assert ("real time" in [what for what, *_ in kernel.asked]) is ("limit" not in refuses)


def test_the_pacer_says_first_how_it_is_scheduled_and_speaks_whatever_that_is():
    """As it is started, in a process of its own, by whatever this machine allows."""
    done = subprocess.run(COMMAND, input=b'{"do": "ping"}\n', capture_output=True, timeout=20, check=True)
    first, second = map(json.loads, done.stdout.splitlines())

    assert first["is"] == "placed"
    assert first["place"] in {"real time", "nice", "ordinary"}
    assert bool(first["why"]) is (first["place"] != "real time")
    assert second["is"] == "alive"
