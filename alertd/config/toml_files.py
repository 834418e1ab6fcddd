"""TOML files as tables that know where they stand: every getter checks, and says file, line, key and remedy.

Owns reading, shape and types of single values. What values mean together is not decided here.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path as FilePath
from typing import Any

from alertd.config.problems import Findings, Problem, ProblemSeverity, did_you_mean, quoted
from alertd.config.regular_files import NotAFileError, read_regular
from alertd.config.toml_lines import Path, key_lines

FILE_BYTES_MAX = 4 * 1024 * 1024
"""Largest configuration file, bytes; lists (CSV) may be longer."""

NAME_CHARACTERS_MAX = 64
TEXT_CHARACTERS_MAX = 1_000

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
_AT_LINE = re.compile(r"\s*\(at line (\d+), column \d+\)")


class Source:
    """One file being read: its name, its lines, and where its problems go."""

    def __init__(self, file: str, findings: Findings, lines: Mapping[Path, int] | None = None) -> None:
        self.file = file
        self.findings = findings
        self.asked: set[str] = set()
        """Every key that was looked for, there or not."""
        self._lines = lines or {}

    def line(self, path: Path) -> int:
        """The line of a key; of the table around it, if the key is missing."""
        while path and path not in self._lines:
            path = path[:-1]
        return self._lines.get(path, 0)

    @property
    def all_lines(self) -> Mapping[Path, int]:
        """Path of every key -> its line."""
        return self._lines

    def lines_below(self, path: Path, prefix: str) -> dict[str, int]:
        depth = len(path)
        below = ((each[depth:], line) for each, line in self._lines.items() if each[:depth] == path and each != path)
        return {prefix + ".".join(map(str, keys)): line for keys, line in below}

    def refuse(self, path: Path, message: str, remedy: str, *, line: int | None = None) -> None:
        self.findings.add(self._problem(path, message, remedy, ProblemSeverity.ERROR, line))

    def warn(self, path: Path, message: str, remedy: str, *, line: int | None = None) -> None:
        self.findings.add(self._problem(path, message, remedy, ProblemSeverity.WARNING, line))

    def _problem(self, path: Path, message: str, remedy: str, severity: ProblemSeverity, line: int | None) -> Problem:
        return Problem(
            file=self.file,
            line=self.line(path) if line is None else line,
            key=key_text(path),
            message=message,
            remedy=remedy,
            severity=severity,
        )


def key_text(path: Path) -> str:
    """A path as people write it: steps[0].targets[1].person (elements counted from 1, as people count)."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part + 1}]"
        else:
            shown = part if _NAME.fullmatch(part) and "." not in part else quoted(part)
            text += f".{shown}" if text else shown
    return text


class Table:
    """One TOML table. Every key that is read is remembered, so that `done` can name the unknown ones."""

    def __init__(self, values: dict[str, Any], source: Source, path: Path = ()) -> None:
        self._values = values
        self._asked: set[str] = set()
        self.source = source
        self.path = path

    @property
    def line(self) -> int:
        return self.source.line(self.path)

    def lines(self, prefix: str = "") -> dict[str, int]:
        """Line of each key of this table, and of the tables below it by dotted names; for those who judge it later."""
        return self.source.lines_below(self.path, prefix)

    def refuse(self, key: str | None, message: str, remedy: str) -> None:
        self.source.refuse((*self.path, key) if key is not None else self.path, message, remedy)

    def has(self, key: str) -> bool:
        return key in self._values

    def names(self) -> tuple[str, ...]:
        """The keys that are written."""
        return tuple(self._values)

    def override(self, path: list[str], value: object) -> None:
        """Put a value in place of what the file says, tables on the way included."""
        values = self._values
        for part in path[:-1]:
            below = values.setdefault(part, {})
            if not isinstance(below, dict):
                self.refuse(part, "is not a table, so nothing below it can be overridden", "mend the override")
                return
            values = below
        values[path[-1]] = value

    def raw(self) -> dict[str, Any]:
        """Everything, for a plugin that checks its own keys. Marks all of it as read."""
        self._asked.update(self._values)
        return dict(self._values)

    def value(self, key: str) -> object:
        """The value as TOML has it, or `None`."""
        self._ask(key)
        return self._values.get(key)

    def text(self, key: str, *, maximum: int = TEXT_CHARACTERS_MAX) -> str | None:
        """A non-empty string on one line, or `None` if it is missing or wrong."""
        value = self.value(key)
        if value is None:
            return None
        if not isinstance(value, str):
            self.refuse(key, f"{quoted(value)} is not a text", "put it in quotation marks")
            return None
        return self._clean(key, value, maximum)

    def required_text(self, key: str, example: str, *, maximum: int = TEXT_CHARACTERS_MAX) -> str:
        """As `text`; a missing one is a problem, and `example` stands in so that reading can go on."""
        if key not in self._values:
            self._ask(key)
            self.refuse(key, "is missing", f'add {key} = "{example}"')
            return example
        return self.text(key, maximum=maximum) or example

    def integer(self, key: str, default: int, *, least: int, most: int) -> int:
        value = self.value(key)
        if value is None:
            return default
        if isinstance(value, bool) or not isinstance(value, int):
            self.refuse(key, f"{quoted(value)} is not a whole number", f"write a number from {least} to {most}")
            return default
        if not least <= value <= most:
            self.refuse(key, f"{quoted(value)} is out of range", f"write a number from {least} to {most}")
            return default
        return value

    def number(self, key: str, *, least: float, most: float) -> float | None:
        value = self.value(key)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
            self.refuse(key, f"{quoted(value)} is not a number in range", f"write a number from {least:g} to {most:g}")
            return None
        return float(value)

    def boolean(self, key: str, *, default: bool) -> bool:
        value = self.value(key)
        if value is None:
            return default
        if not isinstance(value, bool):
            self.refuse(key, f"{quoted(value)} is neither true nor false", "write true or false, unquoted")
            return default
        return value

    def choice(self, key: str, choices: tuple[str, ...], default: str) -> str:
        value = self.text(key)
        if value is None:
            return default
        if value not in choices:
            self.refuse(key, f"{quoted(value)} is unknown", did_you_mean(value, choices))
            return default
        return value

    def texts(self, key: str) -> tuple[tuple[Path, str], ...]:
        """A list of texts, each with its path."""
        value = self.value(key)
        if value is None:
            return ()
        if not isinstance(value, list):
            self.refuse(key, f"{quoted(value)} is not a list", f'write {key} = ["…", "…"]')
            return ()
        found: list[tuple[Path, str]] = []
        for index, element in enumerate(value):
            path = (*self.path, key, index)
            if isinstance(element, str) and element.strip():
                found.append((path, element.strip()))
            else:
                self.source.refuse(path, f"{quoted(element)} is not a text", "put it in quotation marks")
        return tuple(found)

    def integers(self, key: str, *, least: int, most: int) -> tuple[int, ...]:
        """A list of whole numbers; those that are none, or out of range, are left out and told."""
        value = self.value(key)
        if value is None:
            return ()
        if not isinstance(value, list):
            self.refuse(key, f"{quoted(value)} is not a list", f"write {key} = [{least}, …]")
            return ()
        found: list[int] = []
        for index, element in enumerate(value):
            is_number = isinstance(element, int) and not isinstance(element, bool)
            if is_number and least <= element <= most:
                found.append(element)
            else:
                remedy = f"write whole numbers from {least} to {most}"
                self.source.refuse((*self.path, key, index), f"{quoted(element)} cannot stand here", remedy)
        return tuple(found)

    def table(self, key: str) -> "Table":
        """A table; an empty one if it is missing or wrong."""
        value = self.value(key)
        if value is not None and not isinstance(value, dict):
            self.refuse(key, "is not a table", f"write [{key}] and its keys below it")
            value = None
        return Table(value or {}, self.source, (*self.path, key))

    def tables(self, key: str) -> tuple["Table", ...]:
        """A list of tables."""
        value = self.value(key)
        if value is None:
            return ()
        if not isinstance(value, list):
            self.refuse(key, "is not a list of tables", f"write [[{key}]] before each of them")
            return ()
        found: list[Table] = []
        for index, element in enumerate(value):
            if isinstance(element, dict):
                found.append(Table(element, self.source, (*self.path, key, index)))
            else:
                path = (*self.path, key, index)
                self.source.refuse(path, f"{quoted(element)} is not a table", 'write { name = "…" }')
        return tuple(found)

    def named_tables(self) -> Iterator[tuple[str, "Table"]]:
        """Every key of this table as a table of its own: [zones.rm-204], [channels.sms]."""
        for key in self._values:
            if _NAME.fullmatch(key) and len(key) <= NAME_CHARACTERS_MAX:
                yield key, self.table(key)
            else:
                self._asked.add(key)
                self.refuse(key, f"{quoted(key)} is not a name", "use letters, digits, dash and underscore only")

    def done(self) -> None:
        """Nothing more will be read: whatever is left is unknown."""
        for key in self._values.keys() - self._asked:
            self.refuse(key, "unknown key", did_you_mean(key, self._asked))

    def _ask(self, key: str) -> None:
        self._asked.add(key)
        self.source.asked.add(key)

    def _clean(self, key: str, value: str, maximum: int) -> str | None:
        text = value.strip()
        if not text:
            self.refuse(key, "is empty", "write something, or remove the line")
            return None
        if len(text) > maximum:
            self.refuse(key, f"is {len(text)} characters long", f"at most {maximum} are allowed")
            return None
        if not text.isprintable():
            self.refuse(key, "contains a line break or an invisible character", "write it on one line, without them")
            return None
        return text


def read_text(path: FilePath, file: str, findings: Findings, bytes_max: int = FILE_BYTES_MAX) -> str | None:
    """The text of a file, or `None` and a problem."""
    source = Source(file, findings)
    try:
        raw = read_regular(path, bytes_max)
    except FileNotFoundError:
        source.refuse((), "is missing", "create it; docs/configuration.md shows one")
        return None
    except NotAFileError as error:
        source.refuse((), str(error.strerror), "put a plain file in its place")
        return None
    except OSError as error:
        source.refuse((), f"cannot be read: {error.strerror}", "check its owner and permissions")
        return None
    if len(raw) > bytes_max:
        source.refuse((), f"is larger than {bytes_max} bytes", "split it; this cannot be what was meant")
        return None
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        source.refuse((), "is not UTF-8 text", "save it again with encoding UTF-8", line=line)
        return None


def read_toml(path: FilePath, file: str, findings: Findings) -> Table | None:
    """A file as a table, or `None` and a problem."""
    text = read_text(path, file, findings)
    if text is None:
        return None
    try:
        values = _fresh(_values(text))
        lines = key_lines(text)
    except RecursionError:
        Source(file, findings).refuse((), "is nested too deeply", "flatten it", line=1)
        return None
    except ValueError as error:  # TOMLDecodeError, or a number with thousands of digits
        at = _AT_LINE.search(str(error))
        line = int(at.group(1)) if at else text.count("\n") + 1
        message = _AT_LINE.sub("", str(error)).removesuffix(" (at end of document)")
        Source(file, findings).refuse((), f"is not valid TOML: {message[:120]}", "mend this line", line=line)
        return None
    return Table(values, Source(file, findings, lines))


@lru_cache(maxsize=128)  # as `key_lines`: a reload reads a district again of which one file has changed
def _values(text: str) -> dict[str, Any]:
    """Shared by all who read the same text: only for `_fresh`."""
    return tomllib.loads(text)


def _fresh(value: Any) -> Any:
    """A value of its own for each reading, for an override replaces some of it."""
    if isinstance(value, dict):
        return {key: _fresh(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_fresh(each) for each in value]
    return value
