"""What came out, for a terminal: a line when a mutant is done, then the tables.

Owns the words. `checkers` are read from the source tree, so that a new one is missed here and not forgotten.
"""

from collections.abc import Iterable, Sequence
from textwrap import shorten

from alertd_simulator.checkers.judge import LIVENESS, SAFETY
from mutation.mutant import Mutant, Result, Seeds, Story, Tests

MESSAGE_LETTERS = 110
CHECKERS: tuple[str, ...] = tuple(checker.name for checker in (*SAFETY, *LIVENESS))


def line(result: Result) -> str:
    head = f"{'HOLE  ' if result.wrong else 'caught'}  {result.mutant.name}"
    if result.wrong:
        return f"{head}: {result.wrong}"
    return f"{head}: {caught_by(result)} ({result.where}), {result.seconds:.0f} s"


def caught_by(result: Result) -> str:
    return "quick test" if isinstance(result.mutant.by, Tests) else f'"{result.caught_by}"'


def after(result: Result) -> str:
    match result.mutant.by:
        case Seeds():
            return str(result.days)
        case Story() | Tests():
            return "-"


def of_mutants(results: Sequence[Result]) -> str:
    rows = [("mutant", "caught by", "after seeds", "message")]
    for result in results:
        if result.wrong:
            rows.append((result.mutant.name, "NOBODY", after(result), shorten(result.wrong, MESSAGE_LETTERS)))
        else:
            who = result.where if result.caught_by in {"test", "story"} else f"{result.caught_by} ({result.where})"
            rows.append((result.mutant.name, who, after(result), shorten(result.message, MESSAGE_LETTERS)))
    return _aligned(rows)


def of_checkers(results: Sequence[Result]) -> str:
    rows = [("checker", "tripped by the mutant", "others")]
    for checker in CHECKERS:
        meant, others = tripping(checker, results)
        rows.append((checker, shorten("; ".join(meant) or "NOTHING TRIPS IT", MESSAGE_LETTERS), str(len(others) or "")))
    return _aligned(rows)


def tripping(checker: str, results: Iterable[Result]) -> tuple[list[str], list[str]]:
    """Mutants whose evidence is this checker's complaint, and those on whose day it complained beside another."""
    caught = [result for result in results if not result.wrong and checker in result.tripped]
    meant = [result.mutant.name for result in caught if checker in result.mutant.trips]
    return meant, [result.mutant.name for result in caught if checker not in result.mutant.trips]


def idle_checkers(results: Sequence[Result]) -> list[str]:
    return [checker for checker in CHECKERS if not tripping(checker, results)[0]]


def listed(mutants: Iterable[Mutant]) -> str:
    rows = [("mutant", "must be caught by", "stands for")]
    rows += [(mutant.name, _whom(mutant), mutant.stands_for) for mutant in mutants]
    return _aligned(rows)


def _whom(mutant: Mutant) -> str:
    match mutant.by:
        case Tests(paths=paths):
            return ", ".join(paths)
        case Story(name=name, trips=trips):
            return f"{name}.txt: {', '.join(trips) or 'anything'}"
        case Seeds(trips=trips, limit=limit):
            return f"{limit} seeds: {', '.join(trips) or 'anything'}"


def _aligned(rows: Sequence[tuple[str, ...]]) -> str:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )
