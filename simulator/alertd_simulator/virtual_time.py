"""Virtual time: an asyncio event loop on which the whole daemon runs, and where a week passes in a moment.

Owns the order in which things happen: when nothing is ready, time jumps to the next timer. Must never read a real
clock, touch a socket or start a thread: what tries to, fails by name (`RealWorldError`). The same seed gives the same
run, to the callback.

    from alertd_simulator.virtual_time import VirtualClock, in_virtual_time, run_virtual, virtual_loop

    @in_virtual_time                  # or @in_virtual_time(seed=7, executor_delay=COMMIT_DELAY)
    async def test_reminder():        # fixtures work; pytest sees an ordinary function
        clock = VirtualClock()        # ports.Clock; clock.step_wall(-3600), clock.reboot()
        await asyncio.sleep(120)      # instant

    run_virtual(main(), seed=7)       # the same, outside pytest; returns what main returns

What may be awaited: everything of asyncio that needs no operating system (sleep, timeout, wait_for, TaskGroup, Queue,
Event, to_thread, run_in_executor). Work for an executor runs inline on the loop's only thread; with `executor_delay`
it begins and completes later in virtual time, so that crashes and other events fall between submit, commit and
acknowledgement. Jobs given to one executor object keep their order, as in a pool of one thread; the default
executor (`to_thread`) runs its jobs side by side. A job that is cancelled before it began never runs.

How it ends: `DeadlockError` when nothing will ever happen again (it lists who waits where), `EndlessError` when the
limit of virtual time is reached or a million turns pass without time moving. Errors of forgotten tasks are raised at
the end of the run.

The loop leans on private names of `asyncio.BaseEventLoop` (`_ready`, `_run_once`, `_stopping`, `_closed`,
`_write_to_self`) and of its handles (`_callback`, `_args`, `_context`, `_cancelled`), which have stood since 3.7; tests
run it on every supported version. Turns are its own: there is nothing to poll, time jumps to the very moment of the
next timer, and of two timers of one moment the one that was set first goes first.
"""

import asyncio
import functools
import inspect
import itertools
import threading
from asyncio.base_events import BaseEventLoop
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Generator
from contextvars import Context, copy_context
from datetime import UTC, datetime
from heapq import heappop, heappush
from random import Random
from types import CodeType, FrameType
from typing import Any, NoReturn, ParamSpec, TypeVar, TypeVarTuple, overload

from msgspec import Struct

from alertd.model.anchor import Now

T = TypeVar("T")
Ts = TypeVarTuple("Ts")
P = ParamSpec("P")

BOOTED_S = 1_000.0
"""Loop time at the start: the machine has been up for a while, and no timestamp is falsy."""
SCHOOL_DAY_US = int(datetime(2026, 10, 14, 14, 42, tzinfo=UTC).timestamp()) * 1_000_000
"""Wall clock at the start: a Wednesday, 10:42 in New York, daylight saving time."""
LIMIT_S = 30 * 86_400.0
"""Virtual time a run may take."""
CROWD_MIN = 200
TURNS_MAX = 1_000_000
"""Turns of the loop without time moving."""

ExecutorDelay = Callable[[Random], tuple[float, float]]
"""Virtual seconds before a job for an executor begins, and from its end until its result is seen."""


def NO_DELAY(_random: Random) -> tuple[float, float]:  # noqa: N802  # a constant that happens to be a function
    return 0.0, 0.0


def COMMIT_DELAY(random: Random) -> tuple[float, float]:  # noqa: N802  # the same
    """0 to 200 ms in all, anywhere around the commit: what slow disks do."""
    total = random.random() * 0.2
    before = total * random.random()
    return before, total - before


class DeadlockError(RuntimeError):
    """Nothing is ready and no timer is set: what is awaited will never happen."""


class EndlessError(RuntimeError):
    """The run does not end by itself: virtual time ran past its limit, or stands still while the loop spins."""


class RealWorldError(RuntimeError):
    """Something under virtual time reached for a socket, a process, a signal or another thread."""


class _Ordered:
    """Hashes by order of creation, not by address: sets of tasks then iterate alike in every run."""

    __slots__ = ()
    number: int

    def __hash__(self) -> int:
        return self.number

    def __eq__(self, other: object) -> bool:
        return self is other


class _VirtualFuture(_Ordered, asyncio.Future[T]):
    __slots__ = ("number",)


class _VirtualTask(_Ordered, asyncio.Task[T]):
    __slots__ = ("number",)

    def __init__(self, number: int, coro: Any, **options: Any) -> None:
        self.number = number  # before the base class puts the task into a set
        super().__init__(coro, **options)


class _Handle(asyncio.TimerHandle):
    """A callback, ready or at its time. As in asyncio, but without what only its debug mode wants: a day of the
    simulated school makes 45,000."""

    __slots__ = ()

    def __init__(  # the base class's own asks the loop for its debug mode, twice
        self,
        when: float,
        callback: Callable[..., object],
        args: tuple[Any, ...],
        loop: "VirtualLoop",
        context: Context | None,
    ) -> None:
        self._when = when
        self._callback = callback
        self._args = args
        self._loop = loop
        self._context = copy_context() if context is None else context
        self._cancelled = False
        self._scheduled = False
        self._repr = self._source_traceback = None

    def cancel(self) -> None:
        """It is passed over when its time comes."""
        self._cancelled = True
        self._callback = self._args = None  # type: ignore[assignment]  # as asyncio does: it may hold what is large


class _Job(Struct, kw_only=True, eq=False):
    call: Callable[..., Any]
    args: tuple[Any, ...]
    future: asyncio.Future[Any]
    before_s: float
    after_s: float


class _Lane:
    """One executor's queue: a job begins when the one before it has ended."""

    def __init__(self, loop: "VirtualLoop") -> None:
        self._loop = loop
        self._waiting: deque[_Job] = deque()
        self._busy = False

    def add(self, job: _Job) -> None:
        self._waiting.append(job)
        if not self._busy:
            self._next()

    def _next(self) -> None:
        self._busy = bool(self._waiting)
        if self._busy:
            job = self._waiting.popleft()
            if job.before_s > 0:
                self._loop.call_later(job.before_s, self._begin, job)
            else:
                self._begin(job)

    def _begin(self, job: _Job) -> None:
        if job.future.cancelled():
            self._loop.call_soon(self._next)
            return
        try:
            result, error = job.call(*job.args), None
        except (KeyboardInterrupt, SystemExit):
            raise
        except BaseException as raised:  # noqa: BLE001  # as an executor does: the awaiter gets it, whatever it is
            result, error = None, raised
        self._loop.call_later(job.after_s, self._end, job, result, error)

    def _end(self, job: _Job, result: Any, error: BaseException | None) -> None:
        if not job.future.done():
            if error is None:
                job.future.set_result(result)
            else:
                job.future.set_exception(error)
        self._next()


def _real(name: str) -> Callable[..., NoReturn]:
    def refuse(_loop: "VirtualLoop", *_args: object, **_options: object) -> NoReturn:
        raise RealWorldError(
            f"loop.{name}() is the real world, and this runs in virtual time. Give the code an in-memory port "
            "(SimulatedBroker, WorldHttp), or run the test on a real loop and mark it slow."
        )

    return refuse


class VirtualLoop(BaseEventLoop):
    """The loop. `random` is the run's own seeded generator: every actor of the world draws from it."""

    def __init__(self, *, seed: int = 0, limit_s: float = LIMIT_S, executor_delay: ExecutorDelay = NO_DELAY) -> None:
        self._virtual_s = BOOTED_S
        super().__init__()
        self.seed = seed
        self.random = Random(seed)
        self.executor_delay = executor_delay
        self.unhandled: list[BaseException] = []
        self.forgives: Callable[[BaseException], bool] = lambda _: False
        """Which errors that nobody awaited are meant, and do not fail the run."""
        self._end_s = BOOTED_S + limit_s
        self._turns = 0
        self._numbers = itertools.count(1)
        self._timer_numbers = itertools.count(1)
        self._living: dict[int, _VirtualTask[Any]] = {}
        """And some that have ended, until there is a crowd: asyncio itself forgets tasks that nobody holds."""
        self._crowd = CROWD_MIN
        self._lanes: dict[object, _Lane] = {}
        self._timers: list[tuple[float, int, asyncio.TimerHandle]] = []
        self._home = threading.get_ident()
        self.set_exception_handler(_remember)

    def time(self) -> float:
        return self._virtual_s

    @property
    def since_s(self) -> float:
        """True time since the run began."""
        return self._virtual_s - BOOTED_S

    def call_since(self, at_s: float, callback: Callable[[*Ts], object], *args: *Ts) -> asyncio.TimerHandle:
        """At this moment of true time since the run began; at once if it is over."""
        return self.call_at(BOOTED_S + at_s, callback, *args)

    # --- turns

    def call_soon(
        self, callback: Callable[[*Ts], object], *args: *Ts, context: Context | None = None
    ) -> asyncio.Handle:
        if self._closed:  # type: ignore[attr-defined]
            self._check_closed()  # type: ignore[attr-defined]
        handle = _Handle(self._virtual_s, callback, args, self, context)
        self._ready.append(handle)  # type: ignore[attr-defined]
        return handle

    def call_later(
        self, delay: float, callback: Callable[[*Ts], object], *args: *Ts, context: Context | None = None
    ) -> asyncio.TimerHandle:
        return self.call_at(self._virtual_s + delay, callback, *args, context=context)

    def call_at(
        self, when: float, callback: Callable[[*Ts], object], *args: *Ts, context: Context | None = None
    ) -> asyncio.TimerHandle:
        if self._closed:  # type: ignore[attr-defined]
            self._check_closed()  # type: ignore[attr-defined]
        handle = _Handle(when, callback, args, self, context)
        heappush(self._timers, (when, next(self._timer_numbers), handle))
        return handle

    def _run_once(self) -> None:
        """Turns until the loop is stopped; each is everything that was ready when it began."""
        ready, timers = self._ready, self._timers  # type: ignore[attr-defined]
        while True:
            if ready or self._stopping:  # type: ignore[attr-defined]
                self._stay()
            else:
                self._jump()
            while timers and timers[0][0] <= self._virtual_s:
                ready.append(heappop(timers)[2])
            for _ in range(len(ready)):
                handle = ready.popleft()
                if not handle._cancelled:  # noqa: SLF001 - what the loops of asyncio itself do
                    self._run(handle)
            if self._stopping:  # type: ignore[attr-defined]
                return

    def _run(self, handle: asyncio.Handle) -> None:
        try:
            handle._context.run(handle._callback, *handle._args)  # type: ignore[attr-defined]  # noqa: SLF001
        except (SystemExit, KeyboardInterrupt):
            raise
        except BaseException as error:  # noqa: BLE001 - as asyncio does: whoever watches the loop is told
            self.call_exception_handler({"message": f"{handle!r} failed", "exception": error, "handle": handle})
        finally:
            # As asyncio does. From Python 3.12 on the traceback of a task's error holds this frame: an error that
            # nobody awaits would hold its own task, and be told of only when the collector comes by, if at all.
            del handle

    def _stay(self) -> None:
        self._turns += 1
        if self._turns > TURNS_MAX:
            raise EndlessError(f"{TURNS_MAX} turns and time stands still: something spins.\n{self._tasks()}")

    def _jump(self) -> None:
        """To the next timer that somebody still waits for."""
        timers = self._timers
        while timers and timers[0][2]._cancelled:  # noqa: SLF001
            heappop(timers)
        if not timers:
            raise DeadlockError(self._who_waits())
        target = timers[0][0]
        if target <= self._virtual_s:
            self._stay()
            return
        self._turns = 0
        if target > self._end_s:
            raise EndlessError(f"virtual time would pass its limit of {self._end_s - BOOTED_S} s.\n{self._tasks()}")
        self._virtual_s = target

    # --- futures, tasks, executors

    def create_future(self) -> asyncio.Future[Any]:
        future = _VirtualFuture[Any](loop=self)
        future.number = next(self._numbers)
        return future

    def create_task(  # options: the signature grows from version to version
        self,
        coro: Generator[Any, None, T] | Coroutine[Any, Any, T],
        *,
        name: object = None,
        context: Context | None = None,
        **options: Any,
    ) -> asyncio.Task[T]:
        self._check_closed()  # type: ignore[attr-defined]
        number = next(self._numbers)
        title = f"task-{number}" if name is None else str(name)
        task = _VirtualTask[T](number, coro, loop=self, name=title, context=context, **options)
        self._living[number] = task
        if len(self._living) > self._crowd:
            self._living = {number: task for number, task in self._living.items() if not task.done()}
            self._crowd = 2 * len(self._living) + CROWD_MIN
        return task

    def run_in_executor(self, executor: object, func: Callable[[*Ts], T], *args: *Ts) -> asyncio.Future[T]:
        self._check_closed()  # type: ignore[attr-defined]
        before_s, after_s = self.executor_delay(self.random)
        future: asyncio.Future[T] = self.create_future()
        job = _Job(call=func, args=args, future=future, before_s=before_s, after_s=after_s)
        lane = self._lanes.get(executor)
        if lane is None:
            lane = _Lane(self)
            if executor is not None:
                self._lanes[executor] = lane
        lane.add(job)
        return future

    def call_soon_threadsafe(
        self, callback: Callable[[*Ts], object], *args: *Ts, context: Context | None = None
    ) -> asyncio.Handle:
        if threading.get_ident() != self._home:
            raise RealWorldError(
                f"{callback!r} came from another thread ({threading.current_thread().name}): its moment depends on the "
                "machine. Start no thread under virtual time; use loop.run_in_executor, which runs inline here."
            )
        return self.call_soon(callback, *args, context=context)

    # --- what the base class wants of a loop that has an operating system

    def _write_to_self(self) -> None:
        """Nobody sleeps, so nobody needs waking."""

    # --- the end of a run

    def cancel_leftovers(self) -> None:
        """Cancel, in order of birth, what still lives, and let it finish."""
        self._turns, self._end_s = 0, self._virtual_s + LIMIT_S  # a run that went on for too long may still clean up
        leftovers = [task for _number, task in sorted(self._living.items()) if not task.done()]
        self._living.clear()  # what failed and was awaited by nobody is told of now
        for task in leftovers:
            task.cancel()
        if leftovers:
            self.run_until_complete(self._settled(leftovers))
        self.run_until_complete(self.shutdown_asyncgens())

    async def _settled(self, tasks: list[_VirtualTask[Any]]) -> None:
        for result in await asyncio.gather(*tasks, return_exceptions=True):
            if isinstance(result, Exception):
                self.unhandled.append(result)

    def _who_waits(self) -> str:
        return (
            f"nothing will ever happen: at virtual {self._virtual_s - BOOTED_S:.6f} s nothing is ready and no timer is "
            f"set.\n{self._tasks()}"
        )

    def _tasks(self) -> str:
        lines = [
            f"  {task.get_name()} waits in {_where(task.get_coro())}"
            for task in self._living.values()
            if not task.done()
        ]
        return "\n".join(["Tasks, oldest first:", *lines]) if lines else "No task lives."


# fmt: off
REAL = (
    "add_reader", "add_writer", "remove_reader", "remove_writer", "add_signal_handler", "remove_signal_handler",
    "connect_accepted_socket", "connect_read_pipe", "connect_write_pipe", "create_connection",
    "create_datagram_endpoint", "create_server", "create_unix_connection", "create_unix_server", "getaddrinfo",
    "getnameinfo", "sendfile", "sock_accept", "sock_connect", "sock_recv", "sock_recv_into", "sock_recvfrom",
    "sock_recvfrom_into", "sock_sendall", "sock_sendfile", "sock_sendto", "start_tls", "subprocess_exec",
    "subprocess_shell",
)
# fmt: on
for _name in REAL:
    setattr(VirtualLoop, _name, _real(_name))


def _remember(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Errors that nobody awaited: they would only be logged on a real loop; here they fail the run."""
    error = context.get("exception")
    if isinstance(loop, VirtualLoop) and isinstance(error, BaseException) and not loop.forgives(error):
        loop.unhandled.append(error)


def _where(awaitable: object) -> str:
    """Innermost line at which a suspended coroutine stands."""
    frame: FrameType | None = None
    while awaitable is not None:
        frame = _first(awaitable, "cr_frame", "gi_frame", "ag_frame") or frame
        awaitable = _first(awaitable, "cr_await", "gi_yieldfrom", "ag_await")
    if frame is None:
        return "something without a frame"
    code: CodeType = frame.f_code
    return f"{code.co_qualname} ({code.co_filename}:{frame.f_lineno})"


def _first(thing: object, *names: str) -> Any:
    return next((getattr(thing, name) for name in names if hasattr(thing, name)), None)


def true_us() -> int:
    """True microseconds since the run began, on the loop this runs on."""
    return round(virtual_loop().since_s * 1e6)


def virtual_loop() -> VirtualLoop:
    """The loop this runs on. Raises if it is a real one."""
    loop = asyncio.get_running_loop()
    if not isinstance(loop, VirtualLoop):
        raise RealWorldError("this runs on a real event loop; start it with run_virtual or @in_virtual_time")
    return loop


class VirtualClock:
    """`ports.Clock` on the loop's time. The wall clock can be stepped, and the machine can reboot."""

    def __init__(self, *, wall_us: int = SCHOOL_DAY_US, loop: VirtualLoop | None = None) -> None:
        self._loop = loop or virtual_loop()
        self._booted_us = 0
        self._boots = 1
        self._wall_offset_us = wall_us - round(self._loop.time() * 1e6)
        self._read: Now | None = None
        """As it was read last, until it moves: of a simulated day's 50,000 readings most are of one moment."""
        self._read_s = 0.0

    @property
    def boot_id(self) -> str:
        return f"boot-{self._boots}"

    def now(self) -> Now:
        loop_s = self._loop.time()
        if self._read is None or loop_s != self._read_s:
            loop_us = round(loop_s * 1e6)
            self._read_s = loop_s
            self._read = Now(
                wall_us=loop_us + self._wall_offset_us, boot_us=loop_us - self._booted_us, boot_id=self.boot_id
            )
        return self._read

    def step_wall(self, seconds: float) -> None:
        """Somebody, or NTP, sets the clock. Boot time does not notice."""
        self._wall_offset_us += round(seconds * 1e6)
        self._read = None

    def reboot(self) -> None:
        """A new boot id, and boot time from nought. Stop what ran before; stopping it is the caller's part."""
        self._boots += 1
        self._booted_us = round(self._loop.time() * 1e6)
        self._read = None


def run_virtual(
    main: Awaitable[T], *, seed: int = 0, limit_s: float = LIMIT_S, executor_delay: ExecutorDelay = NO_DELAY
) -> T:
    """Run `main` to its end in virtual time, cancel what it left behind, and return its result."""
    loop = VirtualLoop(seed=seed, limit_s=limit_s, executor_delay=executor_delay)
    try:
        try:
            result = loop.run_until_complete(main)
        finally:
            loop.cancel_leftovers()
        if loop.unhandled:
            raise BaseExceptionGroup("errors that nobody awaited", loop.unhandled)
        return result
    finally:
        loop.close()


@overload
def in_virtual_time(test: Callable[P, Coroutine[Any, Any, T]]) -> Callable[P, T]: ...
@overload
def in_virtual_time(
    *, seed: int = ..., limit_s: float = ..., executor_delay: ExecutorDelay = ...
) -> Callable[[Callable[P, Coroutine[Any, Any, T]]], Callable[P, T]]: ...
def in_virtual_time(test: Callable[..., Coroutine[Any, Any, Any]] | None = None, **options: Any) -> Any:
    """Make an `async def` an ordinary function that runs in virtual time. Its arguments stay pytest's fixtures."""
    if test is None:
        return functools.partial(in_virtual_time, **options)
    assert inspect.iscoroutinefunction(test), f"{test!r} is not an async function"

    @functools.wraps(test)
    def run(*args: Any, **keywords: Any) -> Any:
        return run_virtual(test(*args, **keywords), **options)

    return run
