"""Puts the rows of an export into the CSV file that is there, and says what changes.

Owns what is kept: rows and columns that the export does not have, cells that it leaves empty, comments, the order, and
the very bytes of rows that stay the same. Must never drop a row unless it was asked to.
"""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum

from msgspec import Struct

from alertd.config.problems import quoted
from alertd.exports.reading import ExportRow


class ChangeKind(StrEnum):
    ADDED = "added"
    CHANGED = "changed"
    REMOVED = "removed"


class Change(Struct, frozen=True, kw_only=True):
    """One row. `cells`: column -> before and after; of an added or removed row all that is not empty."""

    kind: ChangeKind
    id: str
    cells: dict[str, tuple[str, str]]


class Merged(Struct, frozen=True, kw_only=True):
    text: str
    changes: tuple[Change, ...]
    same: int
    missing: tuple[str, ...]
    """Ids of rows that the export does not have; still there, unless they were to be removed."""
    lines: dict[int, int]
    """Line of the new text -> line of the export, for those rows that come from it."""


class Record(Struct, frozen=True, kw_only=True):
    """Some lines of the file: a row, or what stands between rows."""

    raw: str
    cells: dict[str, str] | None = None


class Sheet(Struct, frozen=True, kw_only=True):
    """The file as it is. The header is the first of `records` that has cells."""

    records: tuple[Record, ...]
    columns: tuple[str, ...]
    separator: str
    newline: str


def read_sheet(text: str, columns: Iterable[str]) -> Sheet:
    """The file that is there; of an empty one the header that it should have. `text` has been read by alertd before, so
    it is valid CSV."""
    lines = list(io.StringIO(text, newline=""))  # lines as the daemon counts them: at no other sign than a line's end
    header = next((line for line in lines if line.strip() and not line.lstrip().startswith("#")), "")
    separator = ";" if header.count(";") > header.count(",") else ","
    newline = "\r\n" if header.endswith("\r\n") else "\n"
    if not header:
        header = separator.join(columns) + newline
        lines.append(header)
    found: list[Record] = []
    names: tuple[str, ...] = ()
    for raw in _records(lines, separator):
        cells = next(csv.reader(io.StringIO(raw, newline=""), delimiter=separator), [])
        stripped = [cell.strip() for cell in cells]
        if not any(stripped) or stripped[0].startswith("#"):
            found.append(Record(raw=raw))
        elif not names:
            names = tuple(cell.lower().removeprefix("\ufeff") for cell in stripped)
            found.append(Record(raw=raw, cells=dict(zip(names, names, strict=True))))
        else:
            found.append(Record(raw=raw, cells=dict(zip(names, stripped, strict=False))))
    return Sheet(records=tuple(found), columns=names, separator=separator, newline=newline)


def _records(lines: list[str], separator: str) -> Iterator[str]:
    """The lines of each record; a quoted cell may hold a line break."""
    reader = csv.reader(iter(lines), delimiter=separator)
    start = 0
    for _ in reader:
        yield "".join(lines[start : reader.line_num])
        start = reader.line_num


def rows_read_as_comments(
    sheet: Sheet, rows: Iterable[ExportRow], defaults: Mapping[str, str]
) -> Iterator[tuple[ExportRow, str]]:
    """Rows that must not be merged, and the column that is why: the first of the file begins with "#", so the daemon
    would skip the row, and whoever it names would never be told anything."""
    first = sheet.columns[0]
    for row in rows:
        if (row.cells.get(first) or defaults.get(first, "")).startswith("#"):
            yield row, first


def is_a_comment(cell: str, file: str) -> tuple[str, str]:
    """What is wrong with such a row, and what to do."""
    message = f"{quoted(cell)} would make the row a comment in {file}: it would count for nothing"
    return message, "begin it with a letter or a digit"


def merge(sheet: Sheet, rows: Iterable[ExportRow], defaults: Mapping[str, str], *, remove_missing: bool) -> Merged:
    """`defaults`: cells of new rows that the export leaves empty."""
    wanted = {row.cells["id"]: row for row in rows}
    used = {*defaults, *(name for row in wanted.values() for name, cell in row.cells.items() if cell)}
    columns = (*sheet.columns, *sorted(used - {*sheet.columns}))
    header, *others = [record for record in sheet.records if record.cells is not None]
    writer = _Writer(sheet, columns)
    changes: list[Change] = []
    known: set[str] = set()
    for record in sheet.records:
        if record.cells is None:
            writer.keep(record.raw)
        elif record is header:
            writer.keep(record.raw) if columns == sheet.columns else writer.write(
                dict(zip(columns, columns, strict=True))
            )
        else:
            known.add(record.cells.get("id", ""))
            if change := _merge_one(record, record.cells, wanted, writer, remove_missing=remove_missing):
                changes.append(change)
    for identity, row in wanted.items():
        if identity not in known:
            cells = dict(defaults) | {name: cell for name, cell in row.cells.items() if cell}
            writer.write(cells, row.line)
            changes.append(
                Change(kind=ChangeKind.ADDED, id=identity, cells={n: ("", c) for n, c in cells.items() if c})
            )
    return Merged(
        text=writer.text(),
        changes=tuple(changes),
        same=len(known & wanted.keys()) - sum(change.kind is ChangeKind.CHANGED for change in changes),
        missing=tuple(r.cells["id"] for r in others if r.cells and r.cells.get("id") and r.cells["id"] not in wanted),
        lines=writer.lines,
    )


def _merge_one(
    record: Record, cells: dict[str, str], wanted: Mapping[str, ExportRow], writer: "_Writer", *, remove_missing: bool
) -> Change | None:
    identity = cells.get("id", "")
    row = wanted.get(identity)
    if row is None and remove_missing:
        return Change(kind=ChangeKind.REMOVED, id=identity, cells={n: (c, "") for n, c in cells.items() if c})
    new = {name: cell for name, cell in row.cells.items() if cell and cell != cells.get(name, "")} if row else {}
    if row is None or not new:
        writer.keep(record.raw, row.line if row else 0)
        return None
    writer.write(cells | new, row.line)
    return Change(
        kind=ChangeKind.CHANGED, id=identity, cells={name: (cells.get(name, ""), cell) for name, cell in new.items()}
    )


class _Writer:
    """The new text, and which of its lines come from the export."""

    def __init__(self, sheet: Sheet, columns: tuple[str, ...]) -> None:
        self._sheet = sheet
        self._columns = columns
        self._parts: list[str] = []
        self._line = 1
        self.lines: dict[int, int] = {}

    def keep(self, raw: str, export_line: int = 0) -> None:
        self._add(raw if raw.endswith("\n") else raw + self._sheet.newline, export_line)

    def write(self, cells: Mapping[str, str], export_line: int = 0) -> None:
        out = io.StringIO(newline="")
        csv.writer(out, delimiter=self._sheet.separator, lineterminator=self._sheet.newline).writerow(
            cells.get(column, "") for column in self._columns
        )
        self._add(out.getvalue(), export_line)

    def _add(self, raw: str, export_line: int) -> None:
        if export_line:
            self.lines[self._line] = export_line
        self._parts.append(raw)
        self._line += raw.count("\n")

    def text(self) -> str:
        return "".join(self._parts)
