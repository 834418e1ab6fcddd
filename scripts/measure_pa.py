"""Measures how evenly the loudspeakers' packets leave, on this machine: `.venv/bin/python scripts/measure_pa.py`.

Packets travel over the loopback interface; the kernel stamps each as it arrives. Printed for a daemon whose event loop
is idle, for one that is stalled 60 ms at a time, and for eight groups at once: interarrival jitter as RFC 3550 §6.4.1
estimates it (its largest value), the least and the largest gap, packets lost, and the pacer's share of one processor.
For comparison the same with a pacer in the event loop itself, which is why there is a process for it.
"""

import argparse
import asyncio
import contextlib
import os
import socket
import struct
import time
from collections.abc import Awaitable, Callable, Iterator
from itertools import pairwise
from pathlib import Path

from alertd_adapters.rtp.clips import Clip
from alertd_adapters.rtp.pacer import Group, Stream
from alertd_adapters.rtp.pacer_process import Order, PacerProcess, Way

INTERFACE = "127.0.0.1"
SO_TIMESTAMPNS = 35
STALL_S = 0.06
PACKET_S = 0.02


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
    packets = []
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
            await pacer.say(Order(id=f"o{number}", clip=clip, groups=(group,), rank=1, cuts=False, since=0, way=way))
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
    asyncio.run(main(parser.parse_args().seconds))
