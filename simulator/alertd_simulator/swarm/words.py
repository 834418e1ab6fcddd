"""What `alertd simulate` prints: progress, failures and the commands that replay them, the summary, the coverage table.

Owns words and layout. Progress and words for people go to stderr, so that a trace or JSON on stdout stays clean.
"""

import shlex
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from alertd_simulator.swarm.coverage import Coverage, Expected, Pair
from alertd_simulator.swarm.swarm import Failure, Report, Small
from alertd_simulator.world.edges import tag_of
from alertd_simulator.world.plan import FAULTS, Plan
from alertd_simulator.world.verdict import Verdict

FAILURES_SHOWN = 20
"""Then only their number goes on: the summary has the kinds."""
MISSING_SHOWN = 20
MESSAGE_LINES_MAX = 12
FILE_WIDTH = 200
"""Columns of the table when nobody looks."""
LOG_LINES = 10
"""Progress of a run that nobody watches, in lines."""


def console() -> Console:
    width = None if sys.stderr.isatty() else FILE_WIDTH
    return Console(stderr=True, markup=False, highlight=False, emoji=False, width=width)


def moment(at_us: int) -> str:
    """True time since the world began: 0:12:03.250."""
    minutes, us = divmod(at_us, 60_000_000)
    return f"{minutes // 60}:{minutes % 60:02}:{us / 1e6:06.3f}"


def faults_of(plan: Plan) -> str:
    """Its faults by kind: "crash ×2, disk_full"."""
    kinds = Counter(tag_of(type(deed)) for deed in plan.deeds if isinstance(deed, FAULTS))
    return ", ".join(kind if times == 1 else f"{kind} ×{times}" for kind, times in sorted(kinds.items())) or "none"


def replay_seed(seed: int) -> str:
    return f"alertd simulate --seed {seed} --trace"


def replay_file(path: Path) -> str:
    return f"alertd simulate --plan {shlex.quote(str(path))} --trace"


class Screen:
    """A progress bar with what was found above it. A context; a `swarm.Watcher`."""

    def __init__(self, out: Console, days: int, replay: str | None = None) -> None:
        self._out = out
        self._replay = replay
        self._lines = 0
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]}"),
            TimeRemainingColumn(),
            console=out,
            disable=not out.is_terminal,
        )
        self._bar = self._progress.add_task("days", total=days, rate="")

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def day_over(self, report: Report, failure: Failure | None) -> None:
        failures = len(report.failures)
        found = f", {failures} FAILED" if failures else ""
        pace = f"{_rate(report):.1f} seeds/s{found}"
        self._progress.update(self._bar, completed=report.done, rate=pace)
        if not self._out.is_terminal and report.done * LOG_LINES // report.asked > self._lines:
            self._lines += 1
            self._out.print(f"{report.done} of {_counted(report.asked, 'day')}, {pace}")
        if failure is not None and failures <= FAILURES_SHOWN:
            self._out.print(failure_words(failure, self._replay))

    def shrinking(self, failure: Failure, runs: int, deeds: int) -> None:
        self._progress.update(self._bar, description=f"shrinking seed {failure.day.seed}: {deeds} deeds, run {runs}")


def failure_words(failure: Failure, replay: str | None = None) -> Text:
    lines = failure.message.splitlines() or [""]
    if len(lines) > MESSAGE_LINES_MAX:  # a traceback: its end says most
        lines = ["…", *lines[-MESSAGE_LINES_MAX:]]
    return Text.assemble(
        ("FAILED ", "bold red"),
        (f"seed {failure.day.seed}: {failure.checker} at {moment(failure.at_us)}\n", "bold"),
        *(f"  {line}\n" for line in lines),
        f"  faults: {faults_of(failure.plan)}\n",
        f"  replay: {replay or replay_seed(failure.day.seed)}",
    )


def small_words(small: Small) -> Text:
    """What shrinking left, and where it lies."""
    head = f"seed {small.failure.day.seed}, {small.failure.checker}: "
    if small.shrunk is None:
        return Text(f"{head}not made smaller, each try would hang\n  replay: {replay_file(small.path)}")
    plan, before = small.shrunk.plan, small.failure.plan
    rest = "" if small.shrunk.is_minimal else "; there were no runs left to make it smaller still (--shrink-runs)"
    rest = "; interrupted: it may get smaller still" if small.interrupted else rest
    return Text(
        f"{head}{len(before.deeds)} deeds made {len(plan.deeds)} in {_counted(small.shrunk.runs, 'run')}{rest}\n"
        f"  faults: {faults_of(plan)}\n"
        f"  replay: {replay_file(small.path)}"
    )


def summary_words(report: Report, jobs: int) -> Text:
    verdict = _verdict(report)
    pace = f"in {report.seconds:.1f} s ({_rate(report):.1f} seeds/s, {jobs} at a time)"
    stopped = f", interrupted: {report.asked} were asked for" if report.interrupted else ""
    kinds = Counter(failure.checker for failure in report.failures)
    counts = ", ".join(f"{number:,} {what}" for what, number in report.counts.items())
    return Text.assemble(
        f"{_counted(report.done, 'day')} {pace}{stopped}: ",
        verdict,
        *(f"\n  {times} × {checker}" for checker, times in kinds.most_common()),
        f"\n  {counts}" if counts else "",
    )


def _verdict(report: Report) -> tuple[str, str]:
    """Words and their style. Days that were not lived have not passed."""
    if failures := len(report.failures):
        return f"{failures} FAILED", "bold red"
    if not report.done:
        return "nothing was lived to its end, so nothing is known", "bold yellow"
    if report.done < report.asked:
        return f"none of {report.done} failed", "bold yellow"
    return "all passed", "bold green"


def _counted(count: int, thing: str) -> str:
    return f"{count} {thing}" if count == 1 else f"{count} {thing}s"


def missing_words(missing: Sequence[Pair], expected: Expected) -> Text:
    """The verdict on coverage."""
    if not missing:
        return Text(f"coverage: all {len(expected.pairs)} listed pairs of fault and edge were taken", style="green")
    shown = "".join(f"\n  {fault}  {edge}" for fault, edge in missing[:MISSING_SHOWN])
    more = f"\n  … and {len(missing) - MISSING_SHOWN} more" if len(missing) > MISSING_SHOWN else ""
    pairs = f"{_counted(len(missing), 'listed pair')} {'was' if len(missing) == 1 else 'were'}"
    return Text.assemble(("coverage FAILED", "bold red"), f": {pairs} never taken:{shown}{more}")


def verdict_words(verdict: Verdict) -> Text:
    """One day."""
    counts = ", ".join(f"{number:,} {what}" for what, number in verdict.counts.items())
    return Text.assemble(
        f"{verdict.virtual_s:.0f} s of seed {verdict.plan.seed}'s day: ",
        ("passed", "bold green") if verdict.passed else ("FAILED", "bold red"),
        *(f"\n  {moment(each.at_us)} {each.checker}: {each.message}" for each in verdict.violations),
        f"\n{verdict.crash.rstrip()}" if verdict.crash else "",
        f"\n  {counts}\n  trace {verdict.trace_sha256}",
    )


def matrix(coverage: Coverage, expected: Expected, width: int) -> Iterable[Table]:
    """Faults down, edges across, in each cell on how many days; as many tables as the width needs.

    "MISS" stands where a listed pair was never taken."""
    pairs = {pair for pair, days in coverage.taken.items() if days} | expected.pairs
    faults = sorted({fault for fault, _ in pairs})
    edges = sorted({edge for _, edge in pairs})
    first = max(map(len, faults), default=0)
    while edges:
        fitting = _fitting(edges, width - first - 2)
        yield _table(coverage, expected, faults, edges[:fitting])
        edges = edges[fitting:]


def _fitting(edges: Sequence[str], width: int) -> int:
    """How many columns fit, at least one; a table holds edges of one kind only."""
    kind = edges[0].split(" ", 1)[0]
    used = count = 0
    for edge in edges:
        used += max(map(len, _head(edge).split("\n"))) + 2
        if not edge.startswith(f"{kind} ") or (count and used > width):
            break
        count += 1
    return count


def _head(edge: str) -> str:
    """The edge's words one below the other."""
    return edge.replace(" ", "\n").replace("->", "\n→ ")


def _table(coverage: Coverage, expected: Expected, faults: Sequence[str], edges: Sequence[str]) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column("days with", no_wrap=True)
    for edge in edges:
        table.add_column(_head(edge), justify="right", no_wrap=True)
    for fault in faults:
        table.add_row(fault, *(_cell(coverage, expected, (fault, edge)) for edge in edges))
    return table


def _cell(coverage: Coverage, expected: Expected, pair: Pair) -> Text:
    if days := coverage.taken[pair]:
        return Text(str(days))
    return Text("MISS", style="bold red") if pair in expected.pairs else Text("·", style="dim")


def summary_json(report: Report, missing: Sequence[Pair]) -> dict[str, Any]:
    """For programs: the mutants' script, a night's run."""
    return {
        "asked": report.asked,
        "done": report.done,
        "seconds": round(report.seconds, 3),
        "interrupted": report.interrupted,
        "failures": [
            {
                "seed": failure.day.seed,
                "checker": failure.checker,
                "message": failure.message,
                "at_us": failure.at_us,
                "faults": faults_of(failure.plan),
            }
            for failure in report.failures
        ],
        "shrunk": [{"seed": small.failure.day.seed, "plan": str(small.path)} for small in report.small],
        "counts": dict(sorted(report.counts.items())),
        "missing": [list(pair) for pair in missing],
    }


def _rate(report: Report) -> float:
    return report.done / report.seconds if report.seconds else 0.0
