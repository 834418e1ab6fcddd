"""`Problem`: what is wrong with a configuration, where, and what to do. And how people read it.

Owns the collecting and the words around it; never raises one at a time: a person fixes all of them in one go.
"""

import difflib
from collections.abc import Iterable
from enum import StrEnum

from msgspec import Struct

PROBLEMS_MAX = 500
"""Errors kept of one configuration, and as many warnings. A wrong export needs no 40,000 lines to be seen."""

QUOTE_CHARACTERS_MAX = 60
"""Longest value that a message quotes."""


class ProblemSeverity(StrEnum):
    ERROR = "error"
    """The configuration is refused as a whole."""
    WARNING = "warning"
    """It works, and somebody should look at it."""


class Problem(Struct, frozen=True, kw_only=True):
    """One finding. `file` is relative to the configuration directory; `line` counts from 1, 0 = the whole file."""

    file: str
    line: int
    key: str
    message: str
    remedy: str
    severity: ProblemSeverity = ProblemSeverity.ERROR

    @property
    def is_error(self) -> bool:
        return self.severity is ProblemSeverity.ERROR


class Findings:
    """Collects problems while a configuration is read. Bounded: the ones over the maximum are counted only. Errors have
    their own room, so that no flood of warnings hides one."""

    def __init__(self) -> None:
        self._kept: dict[ProblemSeverity, dict[Problem, None]] = {severity: {} for severity in ProblemSeverity}
        self._dropped = dict.fromkeys(ProblemSeverity, 0)

    def add(self, problem: Problem) -> None:
        kept = self._kept[problem.severity]
        if problem in kept or len(kept) < PROBLEMS_MAX:
            kept[problem] = None
        else:
            self._dropped[problem.severity] += 1

    def extend(self, problems: Iterable[Problem]) -> None:
        for problem in problems:
            self.add(problem)

    def all(self) -> tuple[Problem, ...]:
        """Everything found, by file and line; then what is not shown."""
        kept = (problem for problems in self._kept.values() for problem in problems)
        found = sorted(kept, key=lambda p: (p.file, p.line, p.key))
        return (*found, *(_more(count, severity) for severity, count in self._dropped.items() if count))


def _more(count: int, severity: ProblemSeverity) -> Problem:
    return Problem(
        file="",
        line=0,
        key="",
        message=f"{count} more {severity}s are not shown",
        remedy="mend the ones above, then check again",
        severity=severity,
    )


def quoted(value: object) -> str:
    """A value as a message shows it: one line, never long."""
    text = value if isinstance(value, str) else repr(value)
    shown = text[: QUOTE_CHARACTERS_MAX + 1]
    if not shown.isprintable():
        shown = "".join(c if c.isprintable() else "?" for c in shown)
    return f'"{shown[:QUOTE_CHARACTERS_MAX]}…"' if len(shown) > QUOTE_CHARACTERS_MAX else f'"{shown}"'


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """A remedy for a name that nobody knows: the nearest one, or all of them if they are few."""
    choices = sorted(set(known))
    near = difflib.get_close_matches(name[:QUOTE_CHARACTERS_MAX], choices, n=1, cutoff=0.6)
    if near:
        return f"did you mean {quoted(near[0])}?"
    if not choices:
        return "none is configured yet"
    shown = ", ".join(choices[:12])
    return f"use one of: {shown}" + (", …" if len(choices) > 12 else "")


def render_problems(problems: Iterable[Problem]) -> str:
    """One problem a line, `file:line: key: what is wrong → what to do`, and a closing count."""
    lines: list[str] = []
    errors = warnings = 0
    for problem in problems:
        if problem.is_error:
            errors += 1
        else:
            warnings += 1
        place = f"{problem.file}:{problem.line}" if problem.line else problem.file
        what = ("" if problem.is_error else "warning: ") + problem.message
        parts = [part for part in (place, problem.key, what) if part]
        lines.append(": ".join(parts) + f" → {problem.remedy}")
    lines.append(_count(errors, warnings))
    return "\n".join(lines) + "\n"


def _count(errors: int, warnings: int) -> str:
    if not errors and not warnings:
        return "No problems."
    return ", ".join(counted(n, word) for n, word in ((errors, "errors"), (warnings, "warnings")) if n) + "."


_SINGULAR = {"people": "person", "policies": "policy"}


def counted(count: int, things: str) -> str:
    """As people count: "1 policy", "2 policies"."""
    word = things if count != 1 else _SINGULAR.get(things) or things.removesuffix("s")
    return f"{count} {word}"
