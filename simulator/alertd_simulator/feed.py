"""What receivers got, as one numbered list: for a screen, and for a player that asks what is new.

Owns the wording of a line. Keeps the newest `LINES_MAX`; who asks too late is told so by the numbers.
"""

import time
from collections import deque
from collections.abc import Callable, Sequence

from msgspec import Struct

LINES_MAX = 20_000
VERBS = {
    "text": "reads",
    "typed": "types",
    "ring": "has a call:",
    "call": "hears, in a call:",
    "key": "presses",
    "dispatch": "has",
    "accepted": "accepts:",
    "speaks": "begins to speak",
    "speech": "says",
    "silence": "falls silent:",
}

QUOTED = frozenset({"text", "typed", "call", "speech"})
NAMED = 3
"""Of those who read the same."""


class Line(Struct, frozen=True, kw_only=True):
    number: int
    at_s: float
    """Wall clock."""
    kind: str
    who: str
    what: str

    def words(self) -> str:
        what = f"“{self.what}”" if self.kind in QUOTED else self.what
        return f"{self.who} {VERBS[self.kind]} {what}".rstrip()

    def clock(self) -> str:
        return time.strftime("%H:%M:%S", time.localtime(self.at_s))


def grouped(lines: Sequence[Line]) -> list[str]:
    """The same text to many people is one line."""
    found: dict[tuple[str, str], list[Line]] = {}
    for line in lines:
        found.setdefault((line.kind, line.what if line.kind == "text" else f"{line.number}"), []).append(line)
    words = []
    for same in found.values():
        others = len(same) - NAMED
        who = ", ".join(line.who for line in same[:NAMED]) + (f" and {others} more" if others > 0 else "")
        words.append(same[0].words() if len(same) == 1 else f"{who} read “{same[0].what}”")
    return words


class Feed:
    def __init__(self) -> None:
        self.on_line: list[Callable[[Line], None]] = []
        self._lines: deque[Line] = deque(maxlen=LINES_MAX)
        self._next = 1

    def add(self, kind: str, who: str, what: str) -> None:
        line = Line(number=self._next, at_s=time.time(), kind=kind, who=who, what=what)
        self._next += 1
        self._lines.append(line)
        for listener in self.on_line:
            listener(line)

    def after(self, number: int) -> list[Line]:
        return [line for line in self._lines if line.number > number]
