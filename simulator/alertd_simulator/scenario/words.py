"""A line of a scenario and its words, read from left to right.

Owns what a reader is told when a line cannot be understood: file, line, column, what stands there and what may stand
there. Whatever was looked for at the place where reading stopped is what may stand there, so no list of alternatives
has to be kept by hand. Must know nothing of what the words mean.
"""

import re
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import NoReturn, TypeVar

from msgspec import Struct

T = TypeVar("T")

_WORD = re.compile(r'"(?P<quoted>[^"]*)"|(?P<open>"[^"]*$)|(?P<comma>,)|(?P<plain>[^\s",]+)')
_MOMENT = re.compile(r"(?:(\d{1,2}):([0-5]\d)|(\d{1,3})):([0-5]\d(?:\.\d{1,6})?)")
_NUMBER = re.compile(r"[+-]?\d+(?:\.\d+)?")
UNITS = {"ms": 0.001, "s": 1.0, "min": 60.0, "h": 3_600.0, "d": 86_400.0}
NAMES_LISTED = 12
MOMENT = "a moment (0:05, 12:30.5, 1:02:03)"
DURATION = "a duration (30 s, 5 min, 2 h, 3 d)"


class ScenarioError(ValueError):
    """A line that cannot be understood. The message begins with file, line and column; further lines that cannot be
    understood stand below it."""

    def __init__(self, file: str, line: int, column: int, message: str) -> None:
        super().__init__(f"{file}:{line}:{column}: {message}")
        self.line = line
        self.column = column

    def followed_by(self, others: "Sequence[ScenarioError]") -> "ScenarioError":
        self.args = ("\n".join(map(str, (self, *others))),)
        return self


class Word(Struct, frozen=True, kw_only=True):
    """One word, a comma, or a text in quotes."""

    text: str
    column: int
    quoted: bool = False


class Line:
    """One line. `take` and its kin move on if they find what they look for, and remember it if not."""

    def __init__(self, file: str, number: int, source: str) -> None:
        self.file = file
        self.number = number
        self.source = source.strip()
        self._words = list(self._split(source))
        self._end = len(source.rstrip()) + 1
        self._at = 0
        self._looked_for: list[str] = []
        self._begun: list[tuple[int, str]] = []
        """Phrases of which the first words stand here: how many, and the next one."""

    def _split(self, source: str) -> list[Word]:
        found: list[Word] = []
        for match in _WORD.finditer(source):
            column = match.start() + 1
            if match["open"] is not None:
                raise ScenarioError(self.file, self.number, column, 'this text has no closing quote (")')
            if match["plain"] is not None and match["plain"].startswith("#"):
                break
            if match["quoted"] is not None:
                found.append(Word(text=match["quoted"], column=column, quoted=True))
            else:
                found.append(Word(text=match[0], column=column))
        return found

    # --- looking

    @property
    def is_empty(self) -> bool:
        return not self._words

    @property
    def column(self) -> int:
        """Where reading stands."""
        here = self._here()
        return here.column if here else self._end

    def _here(self) -> Word | None:
        return self._words[self._at] if self._at < len(self._words) else None

    def _move(self, words: int) -> None:
        self._at += words
        self._looked_for.clear()
        self._begun.clear()

    def _missed(self, what: str) -> None:
        if what not in self._looked_for:
            self._looked_for.append(what)

    def _missed_phrase(self, phrase: str) -> None:
        """If it begins as the line does, it is the word where they part that is wrong."""
        wanted = phrase.replace(",", " ,").split()
        given = [w.text.lower() for w in self._words[self._at : self._at + len(wanted)] if not w.quoted]
        same = next((n for n, word in enumerate(wanted) if n >= len(given) or given[n] != word), 0)
        if same and (same, wanted[same]) not in self._begun:
            self._begun.append((same, wanted[same]))
        self._missed(phrase)

    # --- taking

    def take(self, *phrases: str) -> str:
        """The phrase that stands here, the longest of those that do; empty if none does."""
        for phrase in sorted(phrases, key=len, reverse=True):
            wanted = phrase.replace(",", " ,").split()
            given = self._words[self._at : self._at + len(wanted)]
            if [w.text.lower() for w in given if not w.quoted] == wanted:
                self._move(len(wanted))
                return phrase
        for phrase in phrases:
            self._missed_phrase(phrase)
        return ""

    def need(self, *phrases: str) -> str:
        return self.take(*phrases) or self.fail()

    def pick(self, table: Mapping[str, T]) -> T | None:
        """What the phrase that stands here means by the table."""
        phrase = self.take(*table)
        return table[phrase] if phrase else None

    def comma(self) -> bool:
        """Commas are for the reader; none is ever needed."""
        here = self._here()
        if here is not None and here.text == "," and not here.quoted:
            self._move(1)
            return True
        return False

    def quoted(self) -> str | None:
        here = self._here()
        if here is None or not here.quoted:
            self._missed('"words in quotes"')
            return None
        self._move(1)
        return here.text

    def moment(self) -> float | None:
        """Seconds since the scenario's beginning."""
        here = self._here()
        match = _MOMENT.fullmatch(here.text) if here and not here.quoted else None
        if match is None:
            self._missed(MOMENT)
            return None
        self._move(1)
        return int(match[1] or 0) * 3_600 + int(match[2] or match[3]) * 60 + float(match[4])

    def amount(self, what: str) -> float | None:
        here = self._here()
        if here is None or here.quoted or _NUMBER.fullmatch(here.text) is None:
            self._missed(what)
            return None
        self._move(1)
        return float(here.text)

    def duration(self) -> float:
        """Seconds; must stand here."""
        amount = self.amount(DURATION)
        if amount is None:
            return self.fail()
        unit = self.need(*UNITS)
        return amount * UNITS[unit]

    def name(self, known: Mapping[str, T], what: str) -> T | None:
        """What a name of the district stands for. Which names there are is said if none of them stands here."""
        here = self._here()
        if here is not None and not here.quoted and here.text in known:
            self._move(1)
            return known[here.text]
        near = get_close_matches(here.text, known, n=3, cutoff=0.5) if here else []
        names = near or sorted(known)[:NAMES_LISTED]
        more = "" if near or len(known) <= NAMES_LISTED else " …"
        self._missed(f"{what} ({', '.join(names)}{more})")
        return None

    def peek(self) -> str:
        """The next word as it stands, without moving on."""
        here = self._here()
        return here.text if here else ""

    def word(self, what: str) -> str:
        """Any word; must stand here."""
        here = self._here()
        if here is None or here.quoted or here.text == ",":
            self._missed(what)
            return self.fail()
        self._move(1)
        return here.text

    # --- ending

    def end(self) -> None:
        """Nothing more may stand here."""
        if self._here() is not None:
            self._missed("the end of the line")
            self.fail()

    def fail(self, instead: str = "") -> NoReturn:
        """This word cannot stand here. `instead` replaces the list of what may."""
        looked_for = self._looked_for
        if self._begun and not instead:
            furthest = max(words for words, _ in self._begun)
            self._at += furthest
            looked_for = [word for words, word in self._begun if words == furthest]
        here = self._here()
        what = f"{here.text!r} cannot stand here" if here else "the line ends too early"
        near = get_close_matches(here.text, [p for p in looked_for if " (" not in p], n=1) if here else []
        meant = f"did you mean {near[0]!r}? " if near and not instead else ""
        may = instead or f"{meant}what may stand here: " + "; ".join(looked_for)
        raise ScenarioError(self.file, self.number, self.column, f"{what}; {may}")
