"""Measures how evenly the loudspeakers' packets leave, on this machine: `.venv/bin/python scripts/measure_pa.py`.

Packets travel over the loopback interface; the kernel stamps each as it arrives. Printed for a daemon whose event loop
is idle, for one that is stalled 60 ms at a time, and for eight groups at once: interarrival jitter as RFC 3550 §6.4.1
estimates it (its largest value), the least and the largest gap, packets lost, and the pacer's share of one processor.
For comparison the same with a pacer in the event loop itself, which is why there is a process for it.

`--networks`: the same across two network namespaces with a cable between them, loop stalled, for a pacer that comes
before other programs and for one that waits behind them; `--busy N`: while so many programs keep each processor busy.
Every packet's deviation from the pace that its timestamp promises is counted, and the jitter after it.
"""

import argparse
import asyncio
import contextlib
import json
import os
import socket
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from itertools import pairwise
from pathlib import Path

from msgspec.structs import replace

from alertd_adapters.rtp import pacer as pacer_program
from alertd_adapters.rtp.clips import Clip
from alertd_adapters.rtp.pacer import Group, Stream
from alertd_adapters.rtp.pacer_process import COMMAND, Order, PacerProcess, Way

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.adapters.rtp import wire_tap
from tests.adapters.rtp.two_networks import OURS, THEIRS, cable

INTERFACE = "127.0.0.1"
SO_TIMESTAMPNS = 35
STALL_S = 0.06
PACKET_S = 0.02
NOBODY: tuple[Group, ...] = (("239.192.99.99", 5004),)


@contextlib.contextmanager
def ears(groups: list[Group]) -> Iterator[list[socket.socket]]:
    with contextlib.ExitStack() as stack:
        opened = []
        for host, port in groups:
            ear = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
            ear.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
            ear.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_000_000)
            ear.bind((host, port))
            member = socket.inet_aton(host) + socket.inet_aton(INTERFACE)
            ear.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, member)
            ear.settimeout(0)
            opened.append(ear)
        yield opened


def drain(ear: socket.socket) -> list[tuple[float, int, int]]:
    """Arrival in ms, sequence, timestamp, of all that the kernel has kept for us."""
    packets: list[tuple[float, int, int]] = []
    while True:
        try:
            data, ancillary, _, _ = ear.recvmsg(2_000, 100)
        except BlockingIOError:
            return packets
        seconds, nanoseconds = struct.unpack("qq", ancillary[0][2])
        sequence, timestamp = struct.unpack_from("!HI", data, 2)
        packets.append((seconds % 100_000 * 1e3 + nanoseconds / 1e6, sequence, timestamp))


def figures(packets: list[tuple[float, int, int]], expected: int) -> str:
    jitter = worst = 0.0
    for (at, _, stamp), (later, _, next_stamp) in pairwise(packets):
        jitter += (abs((later - at) - (next_stamp - stamp) % 2**32 / 8) - jitter) / 16
        worst = max(worst, jitter)
    gaps = [later - at for (at, _, _), (later, _, _) in pairwise(packets)]
    return (
        f"jitter {worst:6.2f} ms   gaps {min(gaps):5.1f} to {max(gaps):5.1f} ms   lost {expected - len(packets)}"
        f" of {expected}"
    )


async def idle(seconds: float) -> None:
    await asyncio.sleep(seconds)


async def stalled(seconds: float) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        time.sleep(STALL_S)  # noqa: ASYNC251 - the stall is what is measured
        await asyncio.sleep(0)


def cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def by_process(groups: list[Group], seconds: float, meanwhile: Callable[[float], Awaitable[None]]) -> str:
    """What the pacer sends while the daemon's loop does `meanwhile`."""
    pacer = PacerProcess()
    clip = Clip(key="clip", payload_type=0, payload=bytes(round(8_000 * seconds)))
    way = Way(interface=INTERFACE, ttl=1, dscp=46, loopback=True)
    with ears(groups) as opened:
        for number, group in enumerate(groups):
            await pacer.say(
                Order(id=f"o{number}", clip=clip, groups=(group,), rank=1, cuts=False, turn=number, way=way)
            )
        assert pacer.pid is not None
        before = cpu_s(pacer.pid)
        await meanwhile(seconds)
        used = cpu_s(pacer.pid) - before
        await asyncio.sleep(0.5)
        heard = [drain(ear) for ear in opened]
    await pacer.close()
    expected = round(seconds / PACKET_S)
    worst = max(heard, key=lambda packets: max(b[0] - a[0] for a, b in pairwise(packets)))
    return f"{figures(worst, expected)}   processor {100 * used / seconds:.1f} %"


async def by_event_loop(group: Group, seconds: float, meanwhile: Callable[[float], Awaitable[None]]) -> str:
    """What a pacer inside the daemon's loop would send: absolute deadlines, no process."""
    with ears([group]) as opened, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
        out.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(INTERFACE))
        stream, loop, count = Stream(os.urandom(10)), asyncio.get_running_loop(), round(seconds / PACKET_S)

        async def pace() -> None:
            start = loop.time()
            for number in range(count):
                await asyncio.sleep(max(0, start + number * PACKET_S - loop.time()))
                out.sendto(stream.packet(bytes(160), payload_type=0, marker=number == 0, ticks=160 * number), group)

        pacing = asyncio.create_task(pace())
        await meanwhile(seconds)
        await pacing
        return figures(drain(opened[0]), count)


# --- across two namespaces


@contextlib.contextmanager
def busy(programs: int) -> Iterator[None]:
    """So many programs for each processor that do nothing else."""
    number = programs * (os.cpu_count() or 1)
    working = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(number)]
    try:
        yield
    finally:
        for each in working:
            each.kill()
            each.wait()


def unevenness(packets: list[tuple[float, int]]) -> str:
    """Of arrivals in ms with their timestamps."""
    gaps = [abs((b - a) - (later - stamp) % 2**32 / 8) for (a, stamp), (b, later) in pairwise(packets)]
    jitter, after = 0.0, []
    for gap in gaps:
        jitter += (gap - jitter) / 16
        after.append(jitter)
    return f"deviation {_spread(gaps)}   jitter {_spread(after)}"


def _spread(values: list[float]) -> str:
    ordered = sorted(values)
    p50, p99 = (ordered[round(share * (len(ordered) - 1))] for share in (0.5, 0.99))
    return f"p50 {p50:5.2f} p99 {p99:5.2f} max {ordered[-1]:5.2f} ms"


async def across(seconds: float, number_of_groups: int, *, first: bool) -> str:
    """What arrives at the other end of the cable. `first`: the pacer comes before other programs, as the
    service lets it (LimitRTPRIO=1)."""
    names = [f"239.192.99.{number}:5004" for number in range(1, number_of_groups + 1)]
    with cable() as wire, tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "wire"
        with wire.theirs.running([sys.executable, wire_tap.__file__, str(path), THEIRS, *names]):
            for name in names:
                wire.theirs.wait_for_listeners(name.partition(":")[0], 1)
            pacer = PacerProcess((*wire.ours.prefix, *COMMAND))
            clip = Clip(key="clip", payload_type=0, payload=bytes(round(8_000 * seconds)))
            way = Way(interface=OURS, ttl=16, dscp=46, loopback=False)
            groups = tuple((name.partition(":")[0], 5004) for name in names)
            order = Order(id="o", clip=clip, groups=groups, rank=1, cuts=False, turn=1, way=way)
            short = replace(order, id="0", clip=Clip(key="short", payload_type=0, payload=bytes(160)), groups=NOBODY)
            await pacer.say(short)  # it is there then
            assert pacer.pid is not None
            policy = os.SCHED_FIFO if first else os.SCHED_OTHER  # from outside: in a namespace of users it is refused
            os.sched_setscheduler(pacer.pid, policy, os.sched_param(pacer_program.PRIORITY * first))
            await pacer.say(order)
            before = cpu_s(pacer.pid)
            await stalled(seconds)
            used = cpu_s(pacer.pid) - before
            while (report := pacer.remembers("o")) is not None and report.state == "started":  # noqa: ASYNC110
                await asyncio.sleep(0.1)
            await asyncio.sleep(0.5)
            await pacer.close()
        heard = [json.loads(line) for line in path.read_text().splitlines() if line.endswith("}")]
    of_last = [(each["at_ns"] / 1e6, int(each["data"][8:16], 16)) for each in heard if each["group"] == names[-1]]
    lost = round(seconds / PACKET_S) - len(of_last)
    place = "real time" if first else "ordinary "
    return f"{place}  {unevenness(of_last)}   lost {lost}   processor {100 * used / seconds:.1f} %"


async def networks(seconds: float, programs: int) -> None:
    with busy(programs):
        await asyncio.sleep(5 if programs else 0)
        print(f"{seconds:g} s each, {os.cpu_count()} processors, {programs} busy programs for each, loop stalled")
        for number_of_groups in (1, 8):
            for first in (False, True):
                print(f"{number_of_groups} groups:", await across(seconds, number_of_groups, first=first))


async def main(seconds: float) -> None:
    groups: list[Group] = [(f"239.192.99.{number}", 5004) for number in range(1, 9)]
    print(f"{seconds:g} s each, {os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}")
    print("pacer process, loop idle:        ", await by_process(groups[:1], seconds, idle))
    print("pacer process, loop stalled:     ", await by_process(groups[:1], seconds, stalled))
    print("pacer process, 8 groups, stalled:", await by_process(groups, seconds, stalled))
    print("in the event loop, idle:         ", await by_event_loop(groups[0], seconds, idle))
    print("in the event loop, stalled:      ", await by_event_loop(groups[0], seconds, stalled))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=10.0, help="length of each run")
    parser.add_argument("--networks", action="store_true", help="across two network namespaces (as root)")
    parser.add_argument("--busy", type=int, default=0, help="with --networks: busy programs for each processor")
    asked = parser.parse_args()
    asyncio.run(networks(asked.seconds, asked.busy) if asked.networks else main(asked.seconds))
