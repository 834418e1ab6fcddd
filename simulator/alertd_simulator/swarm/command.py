"""What `alertd simulate` does, once its options are read: one day with its trace, or a swarm and its verdict.

Owns the exit codes: 0 if all passed and the coverage is met, 1 if not, 2 for options that make no sense, 130 after
Ctrl-C. Must not be imported for `--help`.
"""

import json
import os
import sys
from pathlib import Path

from msgspec import Struct

from alertd_simulator.swarm import words
from alertd_simulator.swarm.coverage import SEEDS_MIN, Expected, Pair, read_expected, shipped, write_expected
from alertd_simulator.swarm.plan_file import UnreadablePlanError, read_plan
from alertd_simulator.swarm.shrink import RUNS_MAX
from alertd_simulator.swarm.swarm import Report, Wanted, run_swarm
from alertd_simulator.swarm.workers import Day, Work, Workers, resolve
from alertd_simulator.world.verdict import Verdict

OK, FAILED, USAGE, INTERRUPTED = 0, 1, 2, 130
SEEDS = SEEDS_MIN
"""Days of a run that names no number: the coverage is judged."""
WRITES_FROM = SEEDS_MIN
"""A list written after fewer days would be one of accidents."""


class Options(Struct, frozen=True, kw_only=True):
    """As typed; see `cli` for what they mean."""

    seeds: int = SEEDS
    first_seed: int = 1
    jobs: int | None = None
    seed: int | None = None
    plan: Path | None = None
    trace: bool = False
    out: Path = Path("simulated")
    stop_at_first: bool = False
    shrink_runs: int = RUNS_MAX
    coverage: bool = False
    write_coverage: bool = False
    as_json: bool = False

    @property
    def is_one_day(self) -> bool:
        return self.seed is not None or self.plan is not None


class UsageError(Exception):
    """The options contradict each other, or name a file that is no plan."""


def simulate(options: Options, work: Work | None = None) -> int:
    """The exit code."""
    work = work or Work()
    try:
        days = _days(options, work)
    except (UsageError, UnreadablePlanError) as error:
        words.console().print(str(error))
        return USAGE
    if options.trace:
        return _one_with_trace(days[0], work)
    try:
        return _swarm(options, days, work)
    except KeyboardInterrupt:  # before the first day began, or while the last words were said
        return INTERRUPTED


def _days(options: Options, work: Work) -> tuple[Day, ...]:
    if options.seed is not None and options.plan is not None:
        raise UsageError("--seed and --plan name different days: give one of them")
    if options.trace and not options.is_one_day:
        raise UsageError("--trace shows one day: say which, by --seed or --plan")
    if options.write_coverage and (options.is_one_day or options.seeds < WRITES_FROM):
        raise UsageError(f"--write-coverage needs --seeds {WRITES_FROM} or more: of fewer days it would list accidents")
    if options.plan is not None:
        plan = read_plan(options.plan).plan
        if wrong := resolve(work.misnamed)(plan):
            raise UsageError("\n".join(f"{options.plan}: plan.{problem}" for problem in wrong))
        return (Day(seed=plan.seed, plan=plan),)
    if options.seed is not None:
        return (Day(seed=options.seed),)
    return tuple(Day(seed=options.first_seed + n) for n in range(options.seeds))


def _one_with_trace(day: Day, work: Work) -> int:
    """In this process: a debugger sees it, too."""
    try:
        verdict: Verdict = resolve(work.simulate)(work.plan(day), keep_trace=True)
    except KeyboardInterrupt:
        return INTERRUPTED
    for line in verdict.trace:
        sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
    words.console().print(words.verdict_words(verdict))
    return OK if verdict.passed else FAILED


def _swarm(options: Options, days: tuple[Day, ...], work: Work) -> int:
    out = words.console()
    jobs = min(options.jobs or os.cpu_count() or 1, len(days))
    wanted = Wanted(days=days, out=options.out, stop_at_first=options.stop_at_first, shrink_runs=options.shrink_runs)
    replay = words.replay_file(options.plan) if options.plan is not None else None
    with Workers(work, jobs) as workers, words.Screen(out, len(days), replay) as screen:
        report = run_swarm(wanted, workers, screen)
    for small in report.small:
        out.print(words.small_words(small))
    missing = _coverage(options, report)
    out.print(words.summary_words(report, jobs))
    if options.as_json:
        sys.stdout.write(json.dumps(words.summary_json(report, missing), indent=2) + "\n")
    if report.interrupted:
        return INTERRUPTED
    return FAILED if report.failures or missing else OK


def _coverage(options: Options, report: Report) -> list[Pair]:
    """Show the table of a long run, write the list if that was ordered; the listed pairs that are missing."""
    expected = read_expected(shipped())
    whole = report.done == report.asked and not report.interrupted
    ordered = options.coverage or options.write_coverage
    if not whole or options.is_one_day or not (ordered or report.done >= expected.seeds):
        return []
    if options.write_coverage:
        pairs = report.coverage.dependable()
        write_expected(shipped(), pairs)
        expected = Expected(seeds=expected.seeds, pairs=frozenset(pairs))
    out = words.console()
    for table in words.matrix(report.coverage, expected, out.width):
        out.print(table)
        out.print()
    missing = report.coverage.missing(expected)
    out.print(words.missing_words(missing, expected))
    return missing
