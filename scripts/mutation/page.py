"""Writes what came out into docs/mutants.md, between its marks. Owns nothing else of that page."""

import platform
from collections.abc import Sequence
from datetime import UTC, datetime
from textwrap import shorten

from mutation import table
from mutation.mutant import Result, Seeds, Tests
from mutation.tree import ROOT

PAGE = ROOT / "docs" / "mutants.md"
BEGIN, END = "<!-- written by scripts/mutants.py --write -->\n", "<!-- until here -->\n"
MESSAGE_LETTERS = 160


def write(results: Sequence[Result], *, jobs: int) -> None:
    text = PAGE.read_text(encoding="utf-8")
    head, _, rest = text.partition(BEGIN)
    tail = rest.partition(END)[2]
    PAGE.write_text(f"{head}{BEGIN}\n{_tables(results, jobs)}\n{END}{tail}", encoding="utf-8")


def _tables(results: Sequence[Result], jobs: int) -> str:
    caught = sum(not result.wrong for result in results)
    today = datetime.now(UTC).date().isoformat()
    minutes = sum(result.seconds for result in results) / 60 / jobs
    how = f"Python {platform.python_version()}, {jobs} at once"
    return "\n".join((
        f"{today}, {how}: **{caught} of {len(results)} caught** in {minutes:.0f} minutes.",
        "",
        "### By the simulation",
        "",
        _row("mutant", "caught by the checker", "where", "seeds", "days lived", "what it said"),
        _row(*["---"] * 6),
        *(_simulated(result) for result in results if not isinstance(result.mutant.by, Tests)),
        "",
        "### By quick tests",
        "",
        _row("mutant", "caught by", "what it said"),
        _row(*["---"] * 3),
        *(_tested(result) for result in results if isinstance(result.mutant.by, Tests)),
        "",
        "### Checkers",
        "",
        _row("checker", "tripped by the mutant", "others"),
        _row(*["---"] * 3),
        *(_checker(checker, results) for checker in table.CHECKERS),
        "",
    ))  # fmt: skip


def _row(*cells: str) -> str:
    return f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |"


def _simulated(result: Result) -> str:
    is_swarm = isinstance(result.mutant.by, Seeds)
    days = (str(result.days), str(result.lived)) if is_swarm else ("-", "-")
    name = f"{result.mutant.name} *({result.mutant.stands_for})*" if result.mutant.stands_for else result.mutant.name
    return _row(name, result.caught_by or "NOBODY", result.where, *days, _said(result))


def _tested(result: Result) -> str:
    return _row(result.mutant.name, f"`{result.where}`" if result.where else "NOBODY", _said(result))


def _said(result: Result) -> str:
    return shorten(" ".join((result.message or result.wrong).split()), MESSAGE_LETTERS, placeholder=" …")


def _checker(checker: str, results: Sequence[Result]) -> str:
    meant, others = table.tripping(checker, results)
    return _row(checker, "; ".join(meant) or "NOTHING", str(len(others) or ""))
