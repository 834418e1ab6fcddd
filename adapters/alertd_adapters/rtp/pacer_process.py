"""The daemon's side of the pacer: starts it, feeds it, hears what became of each order, starts it again.

Owns the child's life, and the memory of what was said. One pacer for each event loop, whatever number of channels: two
of them would talk into each other in the same groups, a reload included. Must never: wait for a pacer that hangs (it is
killed and replaced, within `NOTICED_S` of its last sign of life), nor leave one behind (it ends with its stdin), nor
begin after an order for quiet what was asked for before it.
"""

import asyncio
import contextlib
import os
import sys
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol
from weakref import WeakKeyDictionary

import msgspec
import structlog
from msgspec import Struct
from msgspec.structs import replace

from alertd_adapters.rtp import pacer
from alertd_adapters.rtp.clips import Clip
from alertd_adapters.rtp.pacer import Group

COMMAND = (sys.executable, "-I", "-S", str(Path(pacer.__file__).resolve()))
CLIPS_LOADED_MAX = 200
"""Sounds that the child holds; the least recently said is dropped. 100 kB each."""
MEMORY_MAX = 2_000
"""Orders whose fate is remembered."""
SAID_AGAIN_MAX = 1
"""An announcement that was cut by the pacer's death is begun again so often: the sound itself may be what kills it."""
REPORT_BYTES_MAX = 65_536
ENVIRONMENT = ("PATH", "LD_LIBRARY_PATH")
"""All that the child gets to see: secrets stand in the environment."""
ANSWERS = frozenset({"started", "refused", "failed", "stopped"})
OF_NO_ORDER = frozenset({"alive", "placed"})
ENDS = frozenset({"ended", "refused", "failed", "stopped"})
PING_S = 0.5
"""So often the pacer is asked whether it is there: one that was stopped (SIGSTOP, a debugger, a frozen cgroup) lives,
and says nothing."""
PINGS_UNANSWERED_MAX = 4
"""In a row. They are counted, not timed: when our own loop stalls, the answer is there and only not read yet."""
REAL_TIME = "real time"
NOTICED_S = PING_S * (PINGS_UNANSWERED_MAX + 1)
"""A pacer that does nothing any more is killed within this. A new one begins anew what was being said."""

log = structlog.get_logger(__name__)


class Way(Struct, frozen=True, kw_only=True):
    """How packets leave."""

    interface: str
    ttl: int
    dscp: int
    loopback: bool


class Order(Struct, frozen=True, kw_only=True):
    """One announcement for some groups. `rank`: who cuts whom; `cuts`: also its equals, if they were asked for before
    it; `turn`: `Air.turn` when it was asked for."""

    id: str
    clip: Clip
    groups: tuple[Group, ...]
    rank: int
    cuts: bool
    turn: int
    way: Way


class Report(Struct, frozen=True, kw_only=True):
    """What the pacer says of an order. `state`: started, refused, failed, ended, cut, stopped; `silenced`: quiet was
    ordered before the first packet, and none leaves; of no order: `alive`; `placed`: how it is scheduled."""

    order: str
    state: str = msgspec.field(name="is")
    code: str = ""
    why: str = ""
    errno: int | None = None
    by: str = ""
    place: str = ""
    """Placed: `pacer.come_first`."""
    left_s: float = 0.0
    """Refused: seconds until the groups are free."""
    whole: bool = True
    """Cut: in all its groups."""
    silent: tuple[str, ...] = ()
    """Started: groups to which the first packet could not be sent."""
    at_ns: int = 0
    packets: int = 0
    lost: int = 0
    late: int = 0


class PacerGoneError(Exception):
    """The pacer ended, or could not be started, before the first packet left."""


class Air(Protocol):
    """What carries announcements to loudspeakers: the pacer, or what a simulated world has instead."""

    def turn(self) -> int:
        """One more than the last. Words take seconds to speak and a pacer a moment to start: what was asked for before
        an order for quiet is not begun after it, and cuts nothing that was asked for later."""
        ...

    async def say(self, order: Order) -> Report:
        """Returns when the first packet has left, or when it is certain that none will. Raises `PacerGoneError`."""
        ...

    async def stop(self, order_id: str, groups: Sequence[Group], up_to: int) -> Report:
        """Returns when nothing of that rank, or of a lower one, is said in the groups. A pacer that is gone is silent,
        too: asked a second time, it would cut what was announced since."""
        ...

    def remembers(self, order_id: str) -> Report | None:
        """The last that is known of an order."""
        ...

    def give_up(self, order_id: str) -> None:
        """Nothing was heard of this order in time. It must not be said later: a pacer that hangs is killed."""
        ...


class PacerProcess:
    """`Air` over a real network."""

    def __init__(self, command: Sequence[str] = COMMAND) -> None:
        self._command = command
        self._process: asyncio.subprocess.Process | None = None
        self._listener: asyncio.Task[None] | None = None
        self._watch: asyncio.Task[None] | None = None
        self._is_heard = False
        """Since the last ping."""
        self.place = ""
        """How the pacer is scheduled; empty: it has not said so yet."""
        self._starting = asyncio.Lock()
        self._again: set[asyncio.Task[None]] = set()
        self._loaded: OrderedDict[str, None] = OrderedDict()
        self._memory: OrderedDict[str, Report] = OrderedDict()
        self._waiting: dict[str, asyncio.Future[Report]] = {}
        self._asked: dict[str, Order] = {}
        """Orders that may speak now or soon."""
        self._begun_again: dict[str, int] = {}
        self._turn = 0
        self._silenced: dict[tuple[Group, int], int] = {}
        """Group and rank -> turn of the last order for quiet that is meant for them."""

    def turn(self) -> int:
        self._turn += 1
        return self._turn

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process is not None else None

    # --- orders

    async def say(self, order: Order) -> Report:
        process = await self._started()
        order = self._still_wanted(order)
        if not order.groups:
            return self._remember(Report(order=order.id, state="silenced"))
        self._asked[order.id] = order
        return await self._answer(process, order.id, (*self._loading(order.clip), _say(order)))

    async def stop(self, order_id: str, groups: Sequence[Group], up_to: int) -> Report:
        turn = self.turn()
        self._silenced |= {(group, rank): turn for group in groups for rank in range(up_to + 1)}
        if self._process is None:  # nobody speaks
            return self._remember(Report(order=order_id, state="stopped"))
        try:
            line = _line(do="stop", order=order_id, groups=groups, rank=up_to)
            return await self._answer(self._process, order_id, (line,))
        except PacerGoneError:  # with it went what it said, and what was asked for before is not begun again
            return self._remember(Report(order=order_id, state="stopped"))

    def remembers(self, order_id: str) -> Report | None:
        return self._memory.get(order_id)

    def give_up(self, order_id: str) -> None:
        self._asked.pop(order_id, None)
        if self._process is None:
            return
        log.error("pacer_hangs", pid=self._process.pid, order=order_id, remedy="it is killed and started again")
        _kill(self._process)

    async def close(self) -> None:
        """The pacer ends, in mid-word if it must."""
        process, tasks = self._process, [task for task in (self._listener, self._watch) if task is not None]
        self._process = self._listener = self._watch = None
        for task in (*self._again, *tasks):
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
        if process is not None and process.stdin is not None:
            process.stdin.close()
            await process.wait()

    async def _answer(self, process: asyncio.subprocess.Process, order_id: str, data: Sequence[bytes]) -> Report:
        assert process.stdin is not None
        answer: asyncio.Future[Report] = asyncio.get_running_loop().create_future()
        self._waiting[order_id] = answer
        self._remember(Report(order=order_id, state="asked"))
        try:
            process.stdin.writelines(data)
            return await answer
        finally:
            self._waiting.pop(order_id, None)

    def _still_wanted(self, order: Order) -> Order:
        """For those of its groups where nobody has ordered quiet since it was asked for."""
        last = {group: self._silenced.get((group, order.rank), 0) for group in order.groups}
        return replace(order, groups=tuple(group for group in order.groups if last[group] < order.turn))

    def _loading(self, clip: Clip) -> list[bytes]:
        """What the pacer must be given before it can say this."""
        if clip.key in self._loaded:
            self._loaded.move_to_end(clip.key)
            return []
        self._loaded[clip.key] = None
        data = [_line(do="load", clip=clip.key, bytes=len(clip.payload)), clip.payload]
        while len(self._loaded) > CLIPS_LOADED_MAX:
            oldest, _ = self._loaded.popitem(last=False)
            data.append(_line(do="drop", clip=oldest))
        return data

    # --- the child

    async def _started(self) -> asyncio.subprocess.Process:
        async with self._starting:
            if self._process is not None:
                return self._process
            try:
                process = await asyncio.create_subprocess_exec(
                    *self._command,
                    stdin=asyncio.subprocess.PIPE,
                    stdout=asyncio.subprocess.PIPE,
                    limit=REPORT_BYTES_MAX,
                    env={name: os.environ[name] for name in ENVIRONMENT if name in os.environ},
                )
            except OSError as error:
                raise PacerGoneError(f"the pacer could not be started: {error}") from error
            self._process = process
            loop = asyncio.get_running_loop()
            self._listener = loop.create_task(self._listen(process), name="pacer")
            self._watch = loop.create_task(self._watch_over(process), name="pacer watch")
            return process

    async def _watch_over(self, process: asyncio.subprocess.Process) -> None:
        """Until it hangs; `_mourn` ends us. It may still be starting: the first pings have longer."""
        assert process.stdin is not None
        unanswered = -2 * PINGS_UNANSWERED_MAX
        while unanswered < PINGS_UNANSWERED_MAX:
            self._is_heard = False
            process.stdin.write(_PING)
            await asyncio.sleep(PING_S)
            unanswered = 0 if self._is_heard else unanswered + 1
        log.error("pacer_hangs", pid=process.pid, unheard_s=NOTICED_S, remedy="it is killed and started again")
        _kill(process)

    async def _listen(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None
        try:
            async for line in process.stdout:
                self._hear(_REPORTS.decode(line))
        except (msgspec.DecodeError, ValueError) as error:  # ValueError: a line without an end
            log.warning("pacer_talks_nonsense", error=str(error), remedy="it is killed and started again")
            _kill(process)
        self._mourn(await process.wait())

    def _hear(self, report: Report) -> None:
        self._is_heard = True
        if report.state == "placed":
            self._note_place(report)
        if report.state in OF_NO_ORDER:
            return
        self._remember(report)
        answer = self._waiting.get(report.order)
        if answer is not None and not answer.done() and report.state in ANSWERS:
            answer.set_result(report)
        if report.state in ENDS or (report.state == "cut" and report.whole):
            self._asked.pop(report.order, None)
            self._begun_again.pop(report.order, None)
        if report.lost or report.late:
            log.warning("pacer_trouble", order=report.order, packets=report.packets, lost=report.lost, late=report.late)

    def _note_place(self, report: Report) -> None:
        """Once, and again when it has changed: each pacer that is started asks anew."""
        if report.place == self.place:
            return
        self.place = report.place
        say = log.info if report.place == REAL_TIME else log.warning
        say("pacer_scheduled", place=report.place, why=report.why or None, remedy=remedy_of(report.place) or None)

    def _mourn(self, code: int) -> None:
        """It ended, and nobody told it to. Who waits is told, and what was being said is begun again."""
        log.error("pacer_died", code=code, remedy="it is started again by itself")
        if self._watch is not None:
            self._watch.cancel()
        self._process = self._listener = self._watch = None
        self._loaded.clear()
        for order_id, answer in self._waiting.items():
            self._asked.pop(order_id, None)
            if not answer.done():
                answer.set_exception(PacerGoneError(f"the pacer died (code {code}) before the first packet left"))
        for order in list(self._asked.values()):
            times = self._begun_again.get(order.id, 0)
            if times >= SAID_AGAIN_MAX or not self._still_wanted(order).groups:
                del self._asked[order.id]
                continue
            self._begun_again[order.id] = times + 1
            task = asyncio.get_running_loop().create_task(self._say_again(order), name=f"again:{order.id}")
            self._again.add(task)
            task.add_done_callback(self._again.discard)

    async def _say_again(self, order: Order) -> None:
        try:
            report = await self.say(order)
        except PacerGoneError as error:
            log.warning("announcement_lost", order=order.id, error=str(error))
        else:
            log.warning("announcement_begun_again", order=order.id, state=report.state)

    def _remember(self, report: Report) -> Report:
        self._memory[report.order] = report
        self._memory.move_to_end(report.order)
        while len(self._memory) > MEMORY_MAX:
            self._memory.popitem(last=False)
        return report


_REPORTS = msgspec.json.Decoder(Report)


def _kill(process: asyncio.subprocess.Process) -> None:
    with contextlib.suppress(ProcessLookupError):
        process.kill()


def _line(**order: object) -> bytes:
    return msgspec.json.encode(order) + b"\n"


_PING = _line(do="ping")


def remedy_of(place: str) -> str:
    """What lets the pacer come before other programs; empty: it does."""
    if place == REAL_TIME:
        return ""
    return "give the service LimitRTPRIO=1, as systemd/alertd.service does; a container: --ulimit rtprio=1"


def _say(order: Order) -> bytes:
    way = order.way
    return _line(
        do="say",
        order=order.id,
        clip=order.clip.key,
        payload_type=order.clip.payload_type,
        groups=order.groups,
        rank=order.rank,
        cuts=order.cuts,
        turn=order.turn,
        interface=way.interface,
        ttl=way.ttl,
        dscp=way.dscp,
        loopback=way.loopback,
    )


_PACERS: WeakKeyDictionary[asyncio.AbstractEventLoop, PacerProcess] = WeakKeyDictionary()


def pacer_of_this_loop() -> PacerProcess:
    """The one pacer. It is started by the first order, and outlives every reload."""
    return _PACERS.setdefault(asyncio.get_running_loop(), PacerProcess())
