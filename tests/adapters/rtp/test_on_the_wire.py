"""Real packets over a real (virtual) cable: the channel and its pacer here, a tap on the other side.

Asserts structure, which holds on any machine: order, count, no burst, who cuts whom. How even the pace is on a good
machine is measured by scripts/measure_pa.py.
"""

import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from alertd.model.mode import Mode
from alertd.model.outcome import Failed, Sent
from alertd_adapters.rtp.assembly import Variant
from alertd_adapters.rtp.pacer_process import COMMAND, PacerProcess
from alertd_simulator.loudspeaker import Loudspeaker, decode, listen
from tests.adapters.rtp import wire_tap
from tests.adapters.rtp.two_networks import OURS, THEIRS, Cable, Network, cable, wait_until
from tests.adapters.rtp.world import SECTION, STOP, build, claim, page, say

pytestmark = pytest.mark.slow

HALL, GYM, EMERGENCY = "239.192.4.2:5004", "239.192.4.3:5004", "239.192.4.10:5010"


@pytest.fixture(scope="module")
def wire() -> Iterator[Cable]:
    try:
        with cable() as made:
            yield made
    except OSError as error:
        pytest.skip(f"no private networks: {error}")


def first_of_all() -> tuple[str, ...]:
    """Before a command: it comes before other programs, as the service lets the pacer. In a namespace of users it may
    not ask for that itself. Where we may not either, it waits its turn."""
    command = ("chrt", "--fifo", "1")
    allowed = (
        shutil.which("chrt") and subprocess.run((*command, "true"), check=False, capture_output=True).returncode == 0
    )
    return command if allowed else ()


@pytest.fixture
async def pacer(wire: Cable) -> AsyncIterator[PacerProcess]:
    process = PacerProcess((*first_of_all(), *wire.ours.prefix, *COMMAND))
    yield process
    await process.close()


class Tap:
    """What the other side of the cable got, as it comes."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def packets(self, group: str | None = None) -> list[dict[str, Any]]:
        lines = [line for line in self._path.read_text().splitlines(keepends=True) if line.endswith("\n")]
        packets = [json.loads(line) for line in lines]
        for packet in packets:
            data = bytes.fromhex(packet["data"])
            packet["marker"], packet["type"] = bool(data[1] & 0x80), data[1] & 0x7F
            packet["sequence"] = int.from_bytes(data[2:4])
            packet["timestamp"], packet["ssrc"] = int.from_bytes(data[4:8]), int.from_bytes(data[8:12])
            packet["payload"] = data[12:]
        return [packet for packet in packets if group in {None, packet["group"]}]


@pytest.fixture
def tap(wire: Cable, tmp_path: Path) -> Iterator[Tap]:
    path = tmp_path / "wire"
    command = [sys.executable, wire_tap.__file__, str(path), THEIRS, HALL, GYM, EMERGENCY]
    with wire.theirs.running(command):
        for group in (HALL, GYM, EMERGENCY):
            wire.theirs.wait_for_listeners(group.partition(":")[0], 1)
        wait_until(path.exists, "the tap")
        yield Tap(path)


SHORT = SECTION | {
    "announcements": {
        "lockdown": {"tone": "hi_lo", "words": "Lockdown!", "times": 1},
        "hold": {"tone": "chime", "words": "Hold in your room or area.", "times": 1},
    }
}


async def until(is_so: Callable[[], bool]) -> None:
    """Within a time that only something that hangs needs."""
    async with asyncio.timeout(20):
        while not is_so():  # noqa: ASYNC110 - what we wait for is in another process
            await asyncio.sleep(0.02)


async def ended(pacer: PacerProcess, order: str) -> None:
    def has_ended() -> bool:
        report = pacer.remembers(order)
        return report is not None and report.state not in {"asked", "started"}

    await until(has_ended)


async def heard_all(tap: Tap, group: str, count: int) -> list[dict[str, Any]]:
    await until(lambda: len(tap.packets(group)) >= count)
    return tap.packets(group)


def packets_of(sound: bytes) -> int:
    return -(-len(sound) // 160)


def of_the_second(packets: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What the pacer that took the first one's place has sent. The pacer reports the end when its last packet has left;
    the tap is another program and reads that packet a moment later, so wait for the count before looking."""
    return [packet for packet in packets if packet["ssrc"] != packets[0]["ssrc"]]


def arrived_after(at_ns: int, packets: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """By the kernel's stamp of arrival, not by when the tap came to read it."""
    return [packet for packet in packets if packet["at_ns"] > at_ns]


def since_marked(packets: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """From the start of the announcement that cut in; empty while there is none."""
    starts = [n for n, packet in enumerate(packets) if packet["marker"] and n > 0]
    return packets[starts[0] :] if starts else []


async def test_a_page_arrives_whole_in_order_and_without_a_burst(pacer, tap):
    channel = build(SHORT, air=pacer)
    outcome = await say(channel, page())
    assert isinstance(outcome, Sent)
    await ended(pacer, "n-1/1")

    clip = channel._announcements.get("lockdown", Variant.LIVE, "g711u")
    count = packets_of(clip.payload)
    for group in (HALL, GYM):
        packets = await heard_all(tap, group, count)
        assert len(packets) == count
        assert b"".join(packet["payload"] for packet in packets) == clip.payload
        assert all((b["sequence"] - a["sequence"]) % 65536 == 1 for a, b in pairwise(packets))
        assert min(b["at_ns"] - a["at_ns"] for a, b in pairwise(packets)) > 2_000_000, "no burst"
        assert len({packet["ssrc"] for packet in packets}) == 1
        assert {packet["type"] for packet in packets} == {0}
        assert packets[0]["marker"]
    assert tap.packets(EMERGENCY) == [], "not an emergency"


async def test_packets_leave_by_the_pinned_interface_marked_as_voice(pacer, tap):
    """There is no route to the groups in the sender's namespace: only the pinned interface leads there."""
    await say(build(SHORT | {"ttl": 7}, air=pacer), page())
    packets = await heard_all(tap, HALL, 5)

    assert {packet["from"] for packet in packets} == {OURS}
    assert {packet["tos"] for packet in packets} == {46 << 2}, "expedited forwarding"
    assert {packet["ttl"] for packet in packets} == {7}


async def test_send_returns_with_the_first_packet_not_with_the_last(pacer, tap):
    channel = build(SHORT, air=pacer)
    await say(channel, page())

    assert pacer.remembers("n-1/1").state == "started"
    assert len(await heard_all(tap, HALL, 1)) < 100


async def test_an_emergency_cuts_a_page_in_mid_word_within_one_packet(pacer, tap):
    channel = build(SHORT, air=pacer)
    await say(channel, page("hold"), number=1)
    await heard_all(tap, HALL, 20)
    await say(channel, page("lockdown", emergency=True), number=2)
    await ended(pacer, "n-2/1")

    lockdown = channel._announcements.get("lockdown", Variant.LIVE, "g711u").payload
    hold = channel._announcements.get("hold", Variant.LIVE, "g711u").payload
    await heard_all(tap, EMERGENCY, packets_of(lockdown))
    # One packet leaves for each group in turn, the emergency's among the first: the hall's may be read a moment later.
    await until(lambda: sum(len(p["payload"]) for p in since_marked(tap.packets(HALL))) >= len(lockdown))
    packets = tap.packets(HALL)
    cut = next(n for n, packet in enumerate(packets) if packet["marker"] and n > 0)
    heard = b"".join(packet["payload"] for packet in packets[:cut])
    assert hold.startswith(heard)
    assert len(heard) < len(hold)
    assert b"".join(packet["payload"] for packet in packets[cut:]) == lockdown, "from its very start, and nothing else"
    assert [p["payload"] for p in tap.packets(EMERGENCY)] == [p["payload"] for p in packets[cut:]]
    # On the RTP clock, which no busy machine stretches: the cut takes the very place of the next packet.
    assert (packets[cut]["timestamp"] - packets[cut - 1]["timestamp"]) % 2**32 <= 160 + late_ticks(packets, cut)
    assert all((b["sequence"] - a["sequence"]) % 65536 == 1 for a, b in pairwise(packets))


def late_ticks(packets: list[dict[str, Any]], n: int) -> int:
    """By how much the machine kept us waiting there: arrival beyond 20 ms, in units of the RTP clock."""
    return max(0, (packets[n]["at_ns"] - packets[n - 1]["at_ns"] - 20_000_000) // 125_000 + 8)


async def test_a_routine_page_does_not_touch_an_emergency(pacer, tap):
    channel = build(SHORT, air=pacer)
    await say(channel, page("lockdown", emergency=True), number=1)
    outcome = await say(channel, page("hold"), number=2)
    await ended(pacer, "n-1/1")

    assert isinstance(outcome, Failed)
    assert outcome.code == "zone_busy"
    lockdown = channel._announcements.get("lockdown", Variant.LIVE, "g711u").payload
    packets = await heard_all(tap, HALL, packets_of(lockdown))
    assert b"".join(packet["payload"] for packet in packets) == lockdown


async def test_a_live_page_cuts_a_drill_and_a_drill_never_a_live_one(pacer, tap):
    channel = build(SHORT, air=pacer)
    await say(channel, page("lockdown", mode=Mode.DRILL, emergency=True), number=1)
    await heard_all(tap, HALL, 5)
    await say(channel, page("lockdown", emergency=True, real_after_drill=True), number=2)
    refused = await say(channel, page("lockdown", mode=Mode.DRILL, emergency=True), number=3)

    assert isinstance(refused, Failed)
    assert pacer.remembers("n-1/1").state == "cut"


async def test_stop_is_silence_at_once(pacer, tap):
    channel = build(SHORT, air=pacer)
    await say(channel, page(emergency=True), number=1)
    await heard_all(tap, HALL, 10)
    stopped = await channel.send(claim(STOP, number=2))

    assert isinstance(stopped, Sent)
    stopped_ns = time.time_ns()
    await asyncio.sleep(0.2)
    assert len(arrived_after(stopped_ns, tap.packets())) <= 3, "what was on the cable"
    assert pacer.remembers("n-1/1").state == "cut"


async def test_a_stalled_event_loop_is_not_heard(pacer, tap):
    """The daemon's loop is blocked for 60 ms at a time, over and over, while a page is being said."""
    await say(build(SHORT, air=pacer), page())
    until = time.monotonic() + 1.5
    while time.monotonic() < until:
        time.sleep(0.06)  # noqa: ASYNC251 - the stall
        await asyncio.sleep(0)
    packets = tap.packets(HALL)

    gaps = [b["at_ns"] - a["at_ns"] for a, b in pairwise(packets)]
    assert len(packets) > 50
    assert sorted(gaps)[len(gaps) // 2] == pytest.approx(20_000_000, abs=2_000_000)
    assert sum(gap > 50_000_000 for gap in gaps) < len(gaps) / 10, "a loop that paced by itself would stall each time"


async def test_eight_groups_cost_less_than_a_twentieth_of_a_processor(pacer):
    """By the pacer's own processor time, which no busy machine stretches, over a whole announcement."""
    groups = [f"239.192.4.{number}:5004" for number in range(20, 28)]
    channel = build(SHORT | {"zones": {"oak-all": {"groups": groups}}}, air=pacer)
    await say(channel, page("hold"), number=1)
    await ended(pacer, "n-1/1")
    before_s = processor_s(pacer.pid)
    await say(channel, page("lockdown"), number=2)
    await ended(pacer, "n-2/1")

    seconds = channel._announcements.get("lockdown", Variant.LIVE, "g711u").seconds
    assert processor_s(pacer.pid) - before_s < 0.05 * seconds


def processor_s(pid: int) -> float:
    times = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13]
    return sum(map(int, times)) / os.sysconf("SC_CLK_TCK")


async def test_a_pacer_that_is_stopped_in_mid_word_is_replaced_without_another_order(pacer, tap):
    channel = build(SHORT, air=pacer)
    await say(channel, page(emergency=True), number=1)
    await heard_all(tap, HALL, 10)
    os.kill(pacer.pid, signal.SIGSTOP)
    lockdown = channel._announcements.get("lockdown", Variant.LIVE, "g711u").payload
    await until(lambda: len({packet["ssrc"] for packet in tap.packets(HALL)}) == 2)
    await ended(pacer, "n-1/1")
    await until(lambda: len(of_the_second(tap.packets(HALL))) >= packets_of(lockdown))

    second = of_the_second(tap.packets(HALL))
    assert b"".join(packet["payload"] for packet in second) == lockdown


async def test_a_network_that_is_away_is_a_failure_to_be_tried_again(pacer, wire, tap):
    channel = build(SHORT, air=pacer)
    wire.ours.run("ip", "link", "set", "ours", "down")
    try:
        outcome = await say(channel, page(), number=1)
    finally:
        wire.ours.run("ip", "link", "set", "ours", "up")

    assert isinstance(outcome, Failed)
    assert not outcome.permanent
    assert "card" in outcome.detail or "address" in outcome.detail
    assert isinstance(await say(channel, page(), number=2), Sent), "and it recovers by itself"


async def test_an_interface_that_is_not_ours_is_named(pacer):
    outcome = await say(build(SHORT | {"interface": "192.0.2.99"}, air=pacer), page())

    assert isinstance(outcome, Failed)
    assert "192.0.2.99 is no address of this machine" in outcome.detail


async def test_when_the_pacer_dies_what_was_being_said_is_begun_again(pacer, tap):
    channel = build(SHORT, air=pacer)
    await say(channel, page(emergency=True), number=1)
    await heard_all(tap, HALL, 10)
    first = pacer.pid
    os.kill(first, signal.SIGKILL)
    lockdown = channel._announcements.get("lockdown", Variant.LIVE, "g711u").payload
    await until(lambda: len({packet["ssrc"] for packet in tap.packets(HALL)}) == 2)
    await ended(pacer, "n-1/1")
    await until(lambda: len(of_the_second(tap.packets(HALL))) >= packets_of(lockdown))

    second = of_the_second(tap.packets(HALL))
    assert b"".join(packet["payload"] for packet in second) == lockdown
    assert pacer.pid != first
    assert isinstance(await say(channel, page("hold"), number=2), Sent)


async def test_a_pacer_that_hangs_is_replaced(pacer):
    channel = build(SHORT | {"deadline_s": 0.5}, air=pacer)
    await say(channel, page(emergency=True), number=1)
    os.kill(pacer.pid, signal.SIGSTOP)
    hung = pacer.pid
    await say(channel, page(emergency=True), number=2)

    await until(lambda: pacer.pid != hung)
    assert isinstance(await say(channel, page(emergency=True), number=3), Sent)


def test_when_the_daemon_is_killed_the_loudspeakers_fall_silent(wire: Cable, tap: Tap, tmp_path: Path):
    """`kill -9` in mid-announcement: no endless speaker, and no orphan."""
    script = tmp_path / "daemon.py"
    script.write_text(DAEMON)
    command = [sys.executable, str(script), str(tmp_path / "pid")]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[3])}
    with wire.ours.running(command, env=environment) as daemon:
        wait_until(lambda: len(tap.packets(HALL)) > 10, "the announcement")
        pacer_pid = int((tmp_path / "pid").read_text())
        daemon.kill()
        daemon.wait()
        wait_until(lambda: not Path(f"/proc/{pacer_pid}").exists() or _is_zombie(pacer_pid), "the pacer's end")
        ended_ns = time.time_ns()
        time.sleep(0.2)

    assert arrived_after(ended_ns, tap.packets()) == []
    assert len(tap.packets()) < 60


def _is_zombie(pid: int) -> bool:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"


DAEMON = """
import asyncio, pathlib, sys
from alertd_adapters.rtp.pacer_process import pacer_of_this_loop
from tests.adapters.rtp.world import build, page, say
from tests.adapters.rtp.test_on_the_wire import SHORT

async def main():
    pacer = pacer_of_this_loop()
    await say(build(SHORT, air=pacer), page())
    pathlib.Path(sys.argv[1]).write_text(str(pacer.pid))
    await asyncio.sleep(60)

asyncio.run(main())
"""


def in_network(network: Network, code: str) -> str:
    environment = ("env", f"PYTHONPATH={Path(__file__).resolve().parents[3]}")
    return network.run(*environment, sys.executable, "-c", code)


def test_the_probe_tells_what_doctor_will_say(wire: Cable):
    code = (
        "from alertd_adapters.rtp.probe import probe\n"
        "from alertd_adapters.rtp.pacer_process import Way\n"
        "from alertd_adapters.rtp.speech import Voice\n"
        "way = Way(interface='{}', ttl=16, dscp=46, loopback=False)\n"
        "for found in probe(way, [('239.192.4.2', 5004)], Voice(program='espeak-ng'), 3.0):\n"
        "    print(found.is_good, found.text, found.remedy)\n"
    )
    good = in_network(wire.ours, code.format(OURS)).splitlines()
    assert good[:2] == [
        f"True ours ({OURS}) is up and does multicast ",
        f"True there is a way to 239.192.4.2:5004 by {OURS} ",
    ]

    stranger = in_network(wire.ours, code.format("192.0.2.99")).splitlines()
    assert stranger[0].startswith("False 192.0.2.99 is no address of this machine")
    assert OURS in stranger[0]

    wire.ours.run("ip", "link", "set", "ours", "down")
    try:
        down = in_network(wire.ours, code.format(OURS)).splitlines()
    finally:
        wire.ours.run("ip", "link", "set", "ours", "up")
    assert down[0] == f"False ours ({OURS}) is down ip link set ours up"


async def test_the_simulators_loudspeaker_knows_what_it_hears():
    """Loopback only. It shares no line with the sender: taught by what the voice says, it tells the two apart."""
    taught = build(SHORT)
    known = {
        name: decode(taught._announcements.get(name, Variant.LIVE, "g711u").payload) for name in ("lockdown", "hold")
    }
    speaker = Loudspeaker("oak-all", time.time, known)
    transports = await listen(speaker, [("239.192.4.2", 5004)], "127.0.0.1", [("239.192.4.10", 5010)])
    pacer = PacerProcess()
    channel = build(SHORT | {"interface": "127.0.0.1", "loopback": True}, air=pacer)
    try:
        await say(channel, page("hold"), number=1)
        await ended(pacer, "n-1/1")
        await say(channel, page("lockdown", emergency=True), number=2)
        await ended(pacer, "n-2/1")
        await until(lambda: not speaker.is_speaking)
    finally:
        await pacer.close()
        for transport in transports:
            transport.close()

    heard = [spoken for spoken in speaker.spoken if spoken.packets > 5]  # the ordinary group may be read first, once
    assert [speaker.recognised(spoken) for spoken in heard] == ["hold", "lockdown"]
    assert [spoken.lost for spoken in heard] == [0, 0]
    assert [spoken.emergency for spoken in heard] == [False, True]
