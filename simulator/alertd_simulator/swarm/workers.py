"""Processes that simulate one day after the other, and are not trusted to come back.

Owns their lives: a day that hangs or kills its process becomes a failed verdict with the day's name, and a new process
takes over. Must not judge verdicts. A day's result never depends on the process that ran it, or on its neighbours.
"""

import contextlib
import faulthandler
import gc
import multiprocessing
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterable, Iterator
from importlib import import_module
from multiprocessing import connection, resource_tracker
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from types import FrameType, TracebackType
from typing import Any, Self

from msgspec import Struct

from alertd_simulator.world.plan import Plan
from alertd_simulator.world.verdict import Verdict

VIOLATIONS_KEPT = 50
"""Of one day: a checker that is wrong itself finds thousands."""
GRACE_S = 2.0
HUNG = "Hung"
DIED = "Died"


class Day(Struct, frozen=True, kw_only=True):
    """What a worker shall run: a seed's plan, or this one."""

    seed: int
    plan: Plan | None = None


class Work(Struct, frozen=True, kw_only=True):
    """What the processes run, as "module:function", and how long a day may take."""

    simulate: str = "alertd_simulator.world.run:simulate"
    plan_of: str = "alertd_simulator.world.school_day:plan_of"
    misnamed: str = "alertd_simulator.swarm.plan_check:misnamed"
    """Says which names of a plan its world does not have."""
    cpu_limit_s: float = 60.0
    """A day takes less than a second; on the slowest machine not a minute."""
    wall_limit_s: float = 600.0
    """For what hangs without using the processor, or outside of Python."""

    def plan(self, day: Day) -> Plan:
        if day.plan is not None:
            return day.plan
        plan: Plan = resolve(self.plan_of)(day.seed)
        return plan


def resolve(target: str) -> Callable[..., Any]:
    """The function behind "module:function"."""
    module, _, name = target.partition(":")
    found: Callable[..., Any] = getattr(import_module(module), name)
    return found


def failed(plan: Plan, crash: str) -> Verdict:
    """The verdict on a day that the simulation did not survive."""
    return Verdict(
        plan=plan, violations=(), edges={}, counts={}, virtual_s=0.0, trace_sha256="", crash=crash.rstrip("\n")
    )


class Workers:
    """`jobs` processes. A context: they end with it."""

    def __init__(self, work: Work, jobs: int) -> None:
        for target in (work.simulate, work.plan_of):  # what cannot be imported is said here, once
            resolve(target)
        self.work = work
        self._crew = [_Worker(work) for _ in range(jobs)]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for worker in self._crew:
            worker.stop()

    def run(self, days: Iterable[Day]) -> Iterator[tuple[Day, Verdict]]:
        """Each day's verdict, as they come. A day is taken from `days` when a process is free for it."""
        waiting = iter(days)
        for worker in self._crew:
            _give(worker, waiting)
        while busy := [worker for worker in self._crew if worker.day is not None]:
            patience = max(0.0, min(worker.deadline for worker in busy) - time.monotonic())
            ready = connection.wait([worker.line for worker in busy], patience)
            for worker in busy:
                if worker.line in ready or worker.deadline <= time.monotonic():
                    day, verdict = worker.collect()
                    yield day, verdict
                    _give(worker, waiting)

    def one(self, day: Day) -> Verdict:
        """The verdict on one day."""
        ((_, verdict),) = self.run([day])
        return verdict


def _give(worker: "_Worker", waiting: Iterator[Day]) -> None:
    if (day := next(waiting, None)) is not None:
        worker.take(day)


class _Answer(Struct, frozen=True):
    verdict: Verdict
    leaves: bool = False
    """The process ends itself: its day was not over."""


class _Worker:
    """One process after another, and the line to it."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self.day: Day | None = None
        self.deadline = 0.0
        self._start()

    def take(self, day: Day) -> None:
        self.day = day
        self.deadline = time.monotonic() + self._work.wall_limit_s
        with contextlib.suppress(BrokenPipeError):  # it is dead: `collect` will find out
            self.line.send(day)

    def collect(self) -> tuple[Day, Verdict]:
        """The answer that has come, or what became of the process instead."""
        assert self.day is not None
        day, self.day = self.day, None
        try:
            answer: _Answer | None = self.line.recv() if self.line.poll() else None
        except (EOFError, ConnectionResetError):
            self._process.join()
            verdict = failed(self._work.plan(day), f"{DIED}: its process {_end_of(self._process.exitcode)}")
            self._restart()
            return day, verdict
        if answer is None:
            self._restart()
            verdict = failed(self._work.plan(day), f"{HUNG}: no end after {self._work.wall_limit_s:g} s")
            return day, verdict
        if answer.leaves:
            self._restart()
        return day, answer.verdict

    def stop(self) -> None:
        self._process.terminate()  # it puts away the files of its day
        self._process.join(GRACE_S)
        self._process.kill()
        self._process.join()
        self.line.close()

    def _restart(self) -> None:
        self.stop()
        self._start()

    def _start(self) -> None:
        # Ctrl-C goes to every process of a terminal, and is ours alone to answer: the child inherits the mask.
        resource_tracker.ensure_running()  # which would undo the mask, if it had to start first
        masked = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            self.line, theirs = multiprocessing.Pipe()
            self._process: SpawnProcess = multiprocessing.get_context("spawn").Process(
                target=_serve, args=(theirs, self._work), daemon=True
            )
            self._process.start()
            theirs.close()  # or its death would not be seen
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, masked)


def _end_of(code: int | None) -> str:
    if code is not None and code < 0:
        return f"was killed by {signal.Signals(-code).name}"
    return f"ended with code {code}"


# ------------------------------------------------------------------------------------------ in the process


def _serve(line: Connection, work: Work) -> None:
    os.dup2(2, 1)  # the standard output belongs to the one who asked: a trace, or JSON
    faulthandler.enable()
    gc.disable()  # cycles are collected between days: faster, and no finalizer runs at another moment of the day
    while True:
        try:
            day: Day = line.recv()
        except EOFError:  # the parent is gone
            return
        line.send(_Answer(_run(line, work, day)))
        gc.collect()
        gc.freeze()  # modules and districts stay: the next collection need not walk them


def _run(line: Connection, work: Work, day: Day) -> Verdict:
    plan = work.plan(day)

    def hung(_signal: int, frame: FrameType | None) -> None:
        stack = "".join(traceback.format_stack(frame))
        line.send(_Answer(failed(plan, f"{stack}{HUNG}: {work.cpu_limit_s:g} s of processor time"), leaves=True))
        os._exit(1)  # an exception could be caught by whatever hangs

    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # so that the day puts its files away
    signal.signal(signal.SIGPROF, hung)
    signal.setitimer(signal.ITIMER_PROF, work.cpu_limit_s)
    try:
        verdict: Verdict = resolve(work.simulate)(plan)
    except Exception:  # noqa: BLE001 - whatever it is, it is this day's failure
        verdict = failed(plan, traceback.format_exc())
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
    return _trimmed(verdict)


def _trimmed(verdict: Verdict) -> Verdict:
    return Verdict(
        plan=verdict.plan,
        violations=verdict.violations[:VIOLATIONS_KEPT],
        edges=verdict.edges,
        counts=verdict.counts,
        virtual_s=verdict.virtual_s,
        trace_sha256=verdict.trace_sha256,
        crash=verdict.crash,
    )
