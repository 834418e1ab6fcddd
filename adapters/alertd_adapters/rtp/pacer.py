"""The child process that keeps time: orders in by stdin, RTP packets out, what became of them to stdout.

Run as a script, with the standard library alone, so that it starts in a few hundredths of a second and shares nothing
with the daemon, least of all its event loop: a loop that stalls 60 ms makes speech stutter (28 ms of jitter were
measured), a process of its own does not (0.3 ms).

Owns the one clock of all groups, and who may speak in a group: it alone knows, to the packet. Must never
- burst after a stall: what is late is sent once and the clock is shifted, timestamps with it;
- outlive its parent: when stdin ends it falls silent at once, in mid-word, for the daemon that starts next speaks in
  the same groups;
- keep a processor to itself: what comes before other programs and never sleeps is ended by the kernel;
- be ended by a signal meant for the daemon (Ctrl-C, `systemctl stop`): the end of stdin is its only end.

Lines of JSON both ways; `load` is followed by as many raw bytes as it says. Times are CLOCK_MONOTONIC, nanoseconds.
"""

import contextlib
import gc
import json
import os
import resource
import select
import signal
import socket
import struct
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

PACKET_NS = 20_000_000
"""20 ms, the ptime that every receiver takes (RFC 3551 §4.2)."""
PACKET_BYTES = 160
"""Of both codecs: G.711 has 8000 bytes a second, and so has G.722."""
LATE_NS = PACKET_NS // 2
"""From here on the clock is shifted: the next packet would follow this one closer than half a packet."""
TICK_NS = 125_000
"""One unit of the RTP clock, 8000 Hz for both codecs. The schedule moves in whole units, so timestamps are exact."""
PRIORITY = 1
"""The lowest of those that come before every ordinary program. What an administrator gives more stays before us."""
NICE = -10
BUSY_US_MAX = 500_000
"""Processor time without a pause after which the kernel ends us, if we come before everybody (RLIMIT_RTTIME): no
defect of ours may take a processor from the daemon."""
READ_BYTES = 65_536
LINE_BYTES_MAX = 1_000_000

Group = tuple[str, int]
SendTo = Callable[[bytes, Group], object]
Report = Callable[[dict[str, Any]], None]


class Stream:
    """One group's RTP stream (RFC 3550 §5.1): one source for as long as we live, however many announcements."""

    def __init__(self, random: bytes) -> None:
        self.ssrc, self.sequence, self._base = struct.unpack("!IHI", random)

    def packet(self, payload: bytes, *, payload_type: int, marker: bool, ticks: int) -> bytes:
        """`marker`: first of an announcement, and of nothing else. That is what RFC 3551 §4.1 means by a talkspurt; a
        receiver may take a marked packet for a new announcement, so our own stall in mid-word is not one. `ticks`: RTP
        clock since the epoch. The timestamp says when it is heard, so it leaps over silence, and over a stall."""
        head = struct.pack(
            "!BBHII",
            0x80,
            payload_type | (0x80 if marker else 0),
            self.sequence,
            (self._base + ticks) & 0xFFFFFFFF,
            self.ssrc,
        )
        self.sequence = (self.sequence + 1) & 0xFFFF
        return head + payload


class Talk:
    """One announcement under way in some groups."""

    def __init__(self, order: dict[str, Any], clip: bytes, send_to: SendTo) -> None:
        self.id: str = order["order"]
        self.rank: int = order["rank"]
        self.turn: int = order["turn"]
        self.payload_type: int = order["payload_type"]
        self.groups: list[Group] = [(host, port) for host, port in order["groups"]]
        self.clip = clip
        self.send_to = send_to
        self.at = 0
        self.packets = 0
        self.lost = 0
        self.late = 0

    @property
    def left_s(self) -> float:
        return (len(self.clip) - self.at) / PACKET_BYTES * PACKET_NS / 1e9

    def report(self, what: str, **more: object) -> dict[str, Any]:
        return {"order": self.id, "is": what, "packets": self.packets, "lost": self.lost, "late": self.late, **more}


class Mixer:
    """Who speaks where, and when the next packet is due. Knows no clock: `now_ns` comes in."""

    def __init__(self, report: Report, open_socket: Callable[[dict[str, Any]], SendTo]) -> None:
        self.due_ns: int | None = None
        self.talks: list[Talk] = []
        self._clips: dict[str, bytes] = {}
        self._streams: dict[Group, Stream] = {}
        self._report = report
        self._open_socket = open_socket

    # --- orders

    def load(self, clip: str, data: bytes) -> None:
        self._clips[clip] = data

    def obey(self, order: dict[str, Any], now_ns: int) -> None:
        """One order. What is wrong with it is reported, never raised."""
        match order.get("do"):
            case "say":
                self._say(order, now_ns)
            case "stop":
                groups = [(host, port) for host, port in order["groups"]]
                self._take(groups, by=order["order"], up_to=order["rank"])
                self.due_ns = self.due_ns if self.talks else None
                self._report({"order": order["order"], "is": "stopped", "at_ns": now_ns})
            case "ping":
                self._report({"order": "", "is": "alive"})
            case "drop":
                self._clips.pop(order["clip"], None)
            case strange:
                self._report(
                    {"order": order.get("order", ""), "is": "failed", "code": "bad_order", "why": f"{strange!r}"}
                )

    def _say(self, order: dict[str, Any], now_ns: int) -> None:
        clip = self._clips.get(order["clip"])
        if not clip:
            self._fail(order["order"], "no_clip", "the pacer was not given the sound")
            return
        groups = [(host, port) for host, port in order["groups"]]
        rank, turn = order["rank"], order["turn"] if order["cuts"] else 0  # 0: whoever is equal came before
        busy = [
            t
            for t in self.talks
            if (t.rank > rank or (t.rank == rank and t.turn >= turn)) and set(t.groups) & set(groups)
        ]
        if busy:
            left_s = max(talk.left_s for talk in busy)
            self._report({"order": order["order"], "is": "refused", "by": busy[0].id, "left_s": round(left_s, 2)})
            return
        try:
            send_to = self._open_socket(order)
        except OSError as error:
            self._fail(order["order"], "no_socket", str(error), error.errno)
            return
        self._take(groups, by=order["order"], up_to=rank)
        for group in groups:
            if group not in self._streams:
                self._streams[group] = Stream(os.urandom(10))
        self.talks.append(Talk(order, clip, send_to))
        if self.due_ns is None:
            self.due_ns = now_ns - now_ns % TICK_NS

    def _take(self, groups: list[Group], *, by: str, up_to: int) -> None:
        """Whoever speaks in these groups, and is of no higher rank, stops, between two packets; in other groups it goes
        on. The clock stays: what cuts in takes the very place of the next packet."""
        for talk in list(self.talks):
            kept = [group for group in talk.groups if group not in groups or talk.rank > up_to]
            if len(kept) < len(talk.groups):
                talk.groups = kept
                self._report(talk.report("cut", by=by, whole=not kept))
            if not kept:
                self.talks.remove(talk)

    def _fail(self, order: str, code: str, why: str, errno: int | None = None) -> None:
        self._report({"order": order, "is": "failed", "code": code, "why": why, "errno": errno})

    # --- packets

    def play(self, now_ns: int) -> None:
        """Send what is due: at most one packet a group, however late it is."""
        if self.due_ns is None or now_ns < self.due_ns:
            return
        late_ns = now_ns - self.due_ns
        if late_ns >= LATE_NS:
            self.due_ns += late_ns - late_ns % TICK_NS
            for talk in self.talks:
                talk.late += bool(talk.packets)
        ticks = self.due_ns // TICK_NS
        for talk in list(self.talks):
            self._play(talk, ticks, now_ns)
        self.due_ns = self.due_ns + PACKET_NS if self.talks else None

    def _play(self, talk: Talk, ticks: int, now_ns: int) -> None:
        first = talk.packets == 0
        payload = talk.clip[talk.at : talk.at + PACKET_BYTES]
        refused: list[tuple[Group, OSError]] = []
        for group in talk.groups:
            packet = self._streams[group].packet(payload, payload_type=talk.payload_type, marker=first, ticks=ticks)
            try:
                talk.send_to(packet, group)
            except OSError as error:
                refused.append((group, error))
        talk.packets += 1
        talk.lost += len(refused)
        talk.at += len(payload)
        if first and len(refused) == len(talk.groups):
            self.talks.remove(talk)
            self._fail(talk.id, "not_sent", str(refused[0][1]), refused[0][1].errno)
            return
        if first:
            silent = [f"{host}:{port}" for (host, port), _ in refused]
            self._report(talk.report("started", at_ns=now_ns, silent=silent))
        if talk.at >= len(talk.clip):
            self.talks.remove(talk)
            self._report(talk.report("ended"))


class Orders:
    """Bytes of stdin to orders and sounds."""

    def __init__(self) -> None:
        self._bytes = bytearray()
        self._awaited: tuple[str, int] | None = None

    def feed(self, data: bytes) -> Iterator[dict[str, Any] | tuple[str, bytes]]:
        self._bytes += data
        while True:
            if self._awaited is not None:
                clip, size = self._awaited
                if len(self._bytes) < size:
                    return
                yield clip, bytes(self._bytes[:size])
                del self._bytes[:size]
                self._awaited = None
            line, newline, rest = self._bytes.partition(b"\n")
            if not newline:
                if len(line) > LINE_BYTES_MAX:
                    raise ValueError("an order without an end")
                return
            self._bytes = rest
            order = json.loads(line)
            if order["do"] == "load":
                self._awaited = (order["clip"], order["bytes"])
            else:
                yield order


def open_socket(order: dict[str, Any]) -> socket.socket:
    """A socket of its own for each announcement: an interface that went and came back has another index, and an old
    socket would go on sending to the former one. Nothing is left to the routing table."""
    out = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        source = socket.inet_aton(order["interface"])
        os.set_blocking(out.fileno(), False)
        out.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, source)
        out.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, order["ttl"])
        out.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_LOOP, int(order["loopback"]))
        out.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, order["dscp"] << 2)
        out.bind((order["interface"], 0))
    except OSError:
        out.close()
        raise
    return out


def come_first() -> dict[str, Any]:
    """Ask for a place before other programs: a busy machine must not be heard. The report says which was given:
    "real time" (SCHED_FIFO), "nice", or "ordinary", and `why` it was no better one."""
    why = ""
    try:
        _, most = resource.getrlimit(resource.RLIMIT_RTTIME)
        most = BUSY_US_MAX if most == resource.RLIM_INFINITY else min(most, BUSY_US_MAX)
        resource.setrlimit(resource.RLIMIT_RTTIME, (most, most))
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(PRIORITY))
    except (OSError, ValueError) as error:  # ValueError: how Python says that a limit may not be set
        why = f"real time: {error}"
    else:
        return {"order": "", "is": "placed", "why": "", "place": "real time"}
    try:
        os.setpriority(os.PRIO_PROCESS, 0, NICE)
    except OSError as error:
        return {"order": "", "is": "placed", "why": f"{why}; nice: {error}", "place": "ordinary"}
    return {"order": "", "is": "placed", "why": why, "place": "nice"}


def run(stdin: int, stdout: int) -> None:
    """Until stdin ends. Waits in `select`, which the kernel wakes within a tenth of a millisecond, if we come first."""

    def report(what: dict[str, Any]) -> None:
        # A parent that does not read must not hold up the clock: then the report is lost, not the packet.
        with contextlib.suppress(BlockingIOError):
            os.write(stdout, json.dumps(what).encode() + b"\n")

    os.set_blocking(stdin, False)
    os.set_blocking(stdout, False)
    report(come_first())
    mixer, orders = Mixer(report, lambda order: open_socket(order).sendto), Orders()
    while True:
        wait_s = None if mixer.due_ns is None else max(0, mixer.due_ns - time.monotonic_ns()) / 1e9
        readable, _, _ = select.select([stdin], [], [], wait_s)
        if readable:
            data = os.read(stdin, READ_BYTES)
            if not data:
                return
            for order in orders.feed(data):
                if isinstance(order, tuple):
                    mixer.load(*order)
                else:
                    mixer.obey(order, time.monotonic_ns())
        mixer.play(time.monotonic_ns())


def main() -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    gc.disable()  # nothing here makes cycles, and a collection is a stall
    with contextlib.suppress(BrokenPipeError):
        run(sys.stdin.fileno(), sys.stdout.fileno())


if __name__ == "__main__":
    main()
