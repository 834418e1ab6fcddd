"""Where each key of a TOML text stands. `tomllib` gives values only; people need the line.

Reads text that `tomllib` has already accepted, so it checks nothing and may assume everything. Owns positions and
never values.
"""

import tomllib
from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType

Path = tuple[str | int, ...]
"""Keys from the top, with a number for each element of an array: ("steps", 0, "wait_s")."""


@lru_cache(maxsize=128)  # a reload reads a district again of which one file has changed
def key_lines(text: str) -> Mapping[Path, int]:
    """Path of every table, key and array element -> its line, counted from 1."""
    scanner = _Scanner(text)
    scanner.document()
    return MappingProxyType(scanner.lines)


class _Scanner:
    def __init__(self, text: str) -> None:
        self._text = text + "\n"
        self._at = 0
        self._line = 1
        self._lengths: dict[Path, int] = {}
        """Elements so far of each array of tables."""
        self.lines: dict[Path, int] = {}

    def document(self) -> None:
        prefix: Path = ()
        while self._skip_blank():
            if self._text.startswith("[[", self._at):
                prefix = self._array_header()
            elif self._peek() == "[":
                self._advance()
                prefix = self._within_arrays(self._key("]"))
                self._advance()
                self._mark(prefix)
            else:
                self._pair(prefix)

    def _array_header(self) -> Path:
        self._advance(2)
        path = self._within_arrays(self._key("]"), last=False)
        self._advance(2)
        index = self._lengths.get(path, 0)
        self._lengths[path] = index + 1
        self._mark(path)
        self._mark((*path, index))
        return (*path, index)

    def _within_arrays(self, keys: list[str], *, last: bool = True) -> Path:
        """A header's path: a key that names an array of tables means its newest element."""
        path: Path = ()
        for number, key in enumerate(keys, 1):
            path = (*path, key)
            if path in self._lengths and (last or number < len(keys)):
                path = (*path, self._lengths[path] - 1)
        return path

    def _pair(self, prefix: Path) -> None:
        line = self._line
        path = prefix
        for key in self._key("="):
            path = (*path, key)
            self.lines.setdefault(path, line)
        self._advance()
        self._skip_blank()
        self._value(path)

    def _value(self, path: Path) -> None:
        match self._peek():
            case "[":
                self._array(path)
            case "{":
                self._inline_table(path)
            case '"' | "'":
                self._string()
            case _:
                while self._peek() not in ",]}#\n":
                    self._advance()

    def _array(self, path: Path) -> None:
        self._advance()
        index = 0
        while self._skip_blank() and self._peek() != "]":
            self._mark((*path, index))
            self._value((*path, index))
            index += 1
            self._skip_blank()
            if self._peek() == ",":
                self._advance()
        self._advance()

    def _inline_table(self, path: Path) -> None:
        self._advance()
        while self._skip_blank() and self._peek() != "}":
            self._pair(path)
            self._skip_blank()
            if self._peek() == ",":
                self._advance()
        self._advance()

    def _key(self, end: str) -> list[str]:
        """A dotted key up to, and without, `end`."""
        keys: list[str] = []
        while self._skip_blank() and self._peek() != end:
            if self._peek() == ".":
                self._advance()
            elif self._peek() in "\"'":
                keys.append(self._string())
            else:
                start = self._at
                while self._peek() not in f" \t.{end}":
                    self._advance()
                keys.append(self._text[start : self._at])
        return keys

    def _string(self) -> str:
        """Skips a string; returns it decoded as far as a key needs (a one-line string)."""
        quote = self._peek()
        start = self._at
        if self._text.startswith(quote * 3, self._at):
            self._advance(3)
            while not self._text.startswith(quote * 3, self._at):
                self._advance(2 if self._peek() == "\\" and quote == '"' else 1)
            self._advance(3)
            while self._peek() == quote:  # up to two quotes may stand before the closing three
                self._advance()
            return ""
        self._advance()
        while self._peek() != quote:
            self._advance(2 if self._peek() == "\\" and quote == '"' else 1)
        self._advance()
        raw = self._text[start : self._at]
        return _decoded(raw) if "\\" in raw and quote == '"' else raw[1:-1]

    def _skip_blank(self) -> bool:
        """Over blanks, line ends and comments. False at the end of the text."""
        while self._at < len(self._text):
            if self._peek() == "#":
                while self._peek() != "\n":
                    self._advance()
            elif self._peek() in " \t\r\n":
                self._advance()
            else:
                return True
        return False

    def _mark(self, path: Path) -> None:
        self.lines.setdefault(path, self._line)

    def _peek(self) -> str:
        return self._text[self._at]

    def _advance(self, count: int = 1) -> None:
        self._line += self._text.count("\n", self._at, self._at + count)
        self._at += count


def _decoded(raw: str) -> str:
    value = tomllib.loads(f"k = {raw}")["k"]
    assert isinstance(value, str)
    return value
