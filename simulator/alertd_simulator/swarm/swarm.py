"""The swarm: days in, report out. What fails is made small and written down.

Owns which days run, what counts as the same failure, and what is worth shrinking. Must not print: `Watcher` is told.
"""

import re
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Protocol

from msgspec import Struct, field

from alertd_simulator.swarm.coverage import Coverage
from alertd_simulator.swarm.plan_file import PlanFile, write_plan
from alertd_simulator.swarm.shrink import RUNS_MAX, Shrunk, shrink
from alertd_simulator.swarm.workers import HUNG, Day
from alertd_simulator.world.plan import Plan
from alertd_simulator.world.verdict import Verdict

SHRUNK_MAX = 5
"""Different failures that one run makes small; a daemon that is really broken fails everywhere at once."""


class Failure(Struct, frozen=True, kw_only=True):
    """A day that failed, by the first thing that went wrong."""

    day: Day
    checker: str
    message: str
    at_us: int
    plan: Plan


class Small(Struct, frozen=True, kw_only=True):
    """What shrinking made of a failure. `shrunk` is `None` if it was not tried."""

    failure: Failure
    path: Path
    shrunk: Shrunk | None
    interrupted: bool = False
    """Ctrl-C came: it is the smallest so far."""


class Report(Struct, kw_only=True):
    asked: int
    done: int = 0
    seconds: float = 0.0
    failures: list[Failure] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    coverage: Coverage = field(default_factory=Coverage)
    small: list[Small] = field(default_factory=list)
    interrupted: bool = False


class Runner(Protocol):
    """Runs days: `workers.Workers`, or whatever stands in for them."""

    def run(self, days: Iterable[Day]) -> Iterator[tuple[Day, Verdict]]: ...

    def one(self, day: Day) -> Verdict: ...


class Watcher(Protocol):
    """Is told what happens while it happens."""

    def day_over(self, report: Report, failure: Failure | None) -> None: ...

    def shrinking(self, failure: Failure, runs: int, deeds: int) -> None: ...


class Wanted(Struct, frozen=True, kw_only=True):
    """`stop_at_first`: no further day begins after one has failed. `out`: where shrunk plans go."""

    days: tuple[Day, ...]
    out: Path
    stop_at_first: bool = False
    shrink_runs: int = RUNS_MAX


def failure_of(day: Day, verdict: Verdict) -> Failure | None:
    """The first thing that went wrong, if anything did. Everything about it follows from the verdict."""
    if verdict.crash:
        # The kind of error stands for the checker; its message may name what shrinking takes away.
        checker, message, at_us = f"crash: {_kind_of(verdict.crash)}", verdict.crash, round(verdict.virtual_s * 1e6)
    elif verdict.violations:
        first = min(verdict.violations, key=lambda violation: violation.at_us)
        checker, message, at_us = first.checker, first.message, first.at_us
    else:
        return None
    return Failure(day=day, checker=checker, message=message, at_us=at_us, plan=verdict.plan)


def _kind_of(crash: str) -> str:
    """The class of the exception that a traceback ends with; of a group, that of its last member."""
    heads = (re.match(r"(?:[ |]*\| )?([A-Za-z_][\w.]*)(?::|$)", line) for line in reversed(crash.splitlines()))
    return next((head[1] for head in heads if head), "unknown")


def fails_alike(verdict: Verdict, checker: str) -> bool:
    """Does the same checker complain, first or not?"""
    if verdict.crash:
        failure = failure_of(Day(seed=verdict.plan.seed), verdict)
        return failure is not None and failure.checker == checker
    return any(violation.checker == checker for violation in verdict.violations)


def run_swarm(wanted: Wanted, workers: Runner, watcher: Watcher) -> Report:
    """Every day of `wanted`, then a small plan for each kind of failure. Ctrl-C ends it early, with what there is."""
    report = Report(asked=len(wanted.days))
    began = time.perf_counter()
    try:
        for day, verdict in workers.run(_days(wanted, report)):
            report.seconds = time.perf_counter() - began
            watcher.day_over(report, _note(report, day, verdict))
        report.failures.sort(key=lambda failure: failure.day.seed)
        for failure in _worth_shrinking(report.failures):
            report.small.append(small := _make_small(failure, wanted, workers, watcher))
            if small.interrupted:
                report.interrupted = True
                break
    except KeyboardInterrupt:
        report.interrupted = True
        report.failures.sort(key=lambda failure: failure.day.seed)
    return report


def _days(wanted: Wanted, report: Report) -> Iterator[Day]:
    for day in wanted.days:
        if wanted.stop_at_first and report.failures:
            return
        yield day


def _note(report: Report, day: Day, verdict: Verdict) -> Failure | None:
    report.done += 1
    report.counts.update(verdict.counts)
    report.coverage.add(verdict.edges)
    failure = failure_of(day, verdict)
    if failure is not None:
        report.failures.append(failure)
    return failure


def _worth_shrinking(failures: Iterable[Failure]) -> list[Failure]:
    """The first of each kind, a handful of kinds."""
    first: dict[str, Failure] = {}
    for failure in failures:
        first.setdefault(failure.checker, failure)
    return list(first.values())[:SHRUNK_MAX]


def _make_small(failure: Failure, wanted: Wanted, workers: Runner, watcher: Watcher) -> Small:
    """Write the smallest plan that fails alike, or on Ctrl-C the smallest so far. What hangs is written as it is: each
    try would hang as long."""
    tries = _Tries(failure, workers, watcher)
    shrunk, interrupted = None, False
    if failure.checker != f"crash: {HUNG}":
        try:
            shrunk = shrink(failure.plan, tries.fails, failed_at_s=failure.at_us / 1e6, runs_max=wanted.shrink_runs)
            tries.plan = shrunk.plan
        except KeyboardInterrupt:
            shrunk, interrupted = Shrunk(plan=tries.plan, runs=tries.runs, is_minimal=False), True
    seed, checker = failure.day.seed, failure.checker
    path = wanted.out / f"seed-{seed}-{_file_name(checker)}.json"
    file = PlanFile(comment=f"seed {seed}", checker=checker, message=tries.message, plan=tries.plan)
    write_plan(path, file)
    return Small(failure=failure, path=path, shrunk=shrunk, interrupted=interrupted)


class _Tries:
    """Asks whether smaller plans fail alike, and keeps the smallest that did."""

    def __init__(self, failure: Failure, workers: Runner, watcher: Watcher) -> None:
        self.plan, self.message, self.runs = failure.plan, failure.message, 0
        self._failure = failure
        self._workers = workers
        self._watcher = watcher

    def fails(self, candidate: Plan) -> bool:
        failure = self._failure
        verdict = self._workers.one(Day(seed=failure.day.seed, plan=candidate))
        alike = fails_alike(verdict, failure.checker)
        if alike and _size(candidate) <= _size(self.plan):
            self.plan, self.message = candidate, _message(verdict, failure.checker)
        self.runs += 1
        self._watcher.shrinking(failure, self.runs, len(self.plan.deeds))
        return alike


def _size(plan: Plan) -> int:
    return len(plan.deeds) + len(plan.habits)


def _message(verdict: Verdict, checker: str) -> str:
    messages = (violation.message for violation in verdict.violations if violation.checker == checker)
    return verdict.crash or next(messages)


def _file_name(checker: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", checker.lower()).strip("-")
