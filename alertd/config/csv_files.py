"""CSV files as rows that know their line. Forgiving about what spreadsheets do (BOM, semicolons, blank lines, spaces),
strict about what could lose a person: an unknown column, a missing cell, a second row with the same id.
"""

import csv
import io
import re
import unicodedata
from collections.abc import Generator, Iterator, Mapping
from pathlib import Path as FilePath

from alertd.config.problems import Findings, did_you_mean, quoted
from alertd.config.toml_files import TEXT_CHARACTERS_MAX, Source, read_text

ROWS_MAX = 200_000
"""Rows of one file: the 100,000 devices that the telemetry lane is made for, times two."""
CSV_BYTES_MAX = 32 * 1024 * 1024
"""So many rows of 160 bytes. 100,000 devices with profile and window are about 8 MB."""

_ROUNDED = re.compile(r"[0-9]([.,][0-9]+)?E\+[0-9]{1,3}", re.IGNORECASE)
"""As Excel and LibreOffice show and write what has more than 11 digits, or digits around an E."""
LIST_SEPARATOR = ";"
SPREADSHEET_HINT = "sep="
"""First line of a file that Excel alone understands."""


class Row:
    """One row. `get` never fails; `refuse` says which line and column."""

    def __init__(self, cells: Mapping[str, str], source: Source, line: int) -> None:
        self._cells = cells
        self._source = source
        self.line = line
        self.is_broken = False
        """Its cells stand under wrong columns; only its id can be believed."""
        self.may_lack_cells = False
        """A column of its table is called by an unknown name: what seems empty may stand there."""

    @property
    def file(self) -> str:
        return self._source.file

    def get(self, column: str) -> str:
        return self._cells.get(column, "")

    def required(self, column: str) -> str | None:
        value = self.get(column)
        if not value:
            self.refuse(column, "is empty", f"write the {column}")
            return None
        return value

    def is_rounded(self, column: str, written_on: str) -> bool:
        """Refused, if a spreadsheet took it for a number and wrote what it shows: the other digits are gone.
        `written_on`: where they still stand."""
        value = self.get(column)
        if not _ROUNDED.fullmatch(value):
            return False
        message = f"{quoted(value)} was rounded by a spreadsheet, which took it for a number: its other digits are gone"
        self.refuse(column, message, f"format the column as text, and take the {column} from {written_on} again")
        return True

    def values(self, column: str) -> tuple[str, ...]:
        """A list: "a; b"."""
        parts = (part.strip() for part in self.get(column).split(LIST_SEPARATOR))
        return tuple(dict.fromkeys(part for part in parts if part))

    def choice(self, column: str, choices: tuple[str, ...]) -> str | None:
        value = self.required(column)
        if value is not None and value not in choices:
            self.refuse(column, f"{quoted(value)} is unknown", did_you_mean(value, choices))
            return None
        return value

    def refuse(self, column: str, message: str, remedy: str) -> None:
        self._source.refuse((column,) if column else (), message, remedy, line=self.line)

    def warn(self, column: str, message: str, remedy: str) -> None:
        self._source.warn((column,) if column else (), message, remedy, line=self.line)


def read_csv(
    path: FilePath, file: str, findings: Findings, *, required: tuple[str, ...], optional: tuple[str, ...]
) -> Generator[Row, None, bool]:
    """The rows of a file; problems instead of exceptions. Every row has a non-empty, unique "id".

    Returns whether all of the file was understood: if not, what it does not say, it may say to people."""
    text = read_text(path, file, findings, CSV_BYTES_MAX)
    source = Source(file, findings)
    if text is None or not _is_plain_csv(text, source):
        return False
    try:
        return (yield from _rows(text, source, required, optional))
    except csv.Error:  # refused where its line is known
        return False


def _rows(
    text: str, source: Source, required: tuple[str, ...], optional: tuple[str, ...]
) -> Generator[Row, None, bool]:
    is_whole, count = False, 0
    columns: list[str] = []
    seen: dict[str, tuple[str, int]] = {}
    for line, cells in _records(text, source):
        if not columns:
            columns, is_whole = _header(cells, source, line, required, optional)
            if not columns:
                return False
            continue
        count += 1
        if count > ROWS_MAX:
            source.refuse((), f"has more than {ROWS_MAX} rows", "split the district", line=line)
            return False
        row = _row(cells, columns, source, line)
        row.may_lack_cells = not is_whole
        if _has_its_own_id(row, seen):
            yield row
    if not columns:
        source.refuse((), "has no header", f"begin it with: {','.join((*required, *optional))}", line=1)
    return is_whole


def _has_its_own_id(row: Row, seen: dict[str, tuple[str, int]]) -> bool:
    """Ids that look alike are one id to people, and two to a computer: a press of one, and the other is meant."""
    identity = row.required("id")
    if identity is None:
        return False
    alike = unicodedata.normalize("NFKC", identity).casefold()
    other, line = seen.setdefault(alike, (identity, row.line))
    if line == row.line:
        return True
    if other == identity:
        row.refuse("id", f"{quoted(identity)} was already used in line {line}", "give each its own id")
        return False
    message = f"{quoted(identity)} differs from {quoted(other)} in line {line} only in how its letters are written"
    row.refuse("id", message, "remove one of them, or give it a name of its own")
    return True


def _is_plain_csv(text: str, source: Source) -> bool:
    """What a spreadsheet may have saved in place of it is named for what it is."""
    header = _first_line(text).strip()
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        source.refuse((), "contains NUL bytes", "save it again as CSV, UTF-8", line=line)
    elif header.casefold().startswith(SPREADSHEET_HINT):
        message = f"begins with {quoted(header)}, a hint for one spreadsheet program"
        source.refuse((), message, "remove this line; the header is the first", line=1)
    elif "\t" in header and not any(separator in header for separator in ",;"):
        source.refuse((), "has tabs between its cells", "save it again as CSV, with commas", line=1)
    else:
        return True
    return False


def _first_line(text: str) -> str:
    """The header's, as far as one can tell before it is parsed."""
    return next((line for line in io.StringIO(text) if line.strip() and not line.lstrip().startswith("#")), "")


def _records(text: str, source: Source) -> Iterator[tuple[int, list[str]]]:
    """Non-blank records with the line on which each begins. Raises `csv.Error` after it has refused the file."""
    header = _first_line(text)
    delimiter = ";" if header.count(";") > header.count(",") else ","
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    line = 1
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            source.refuse((), f"is not valid CSV: {error}", "look for a quotation mark that is not closed", line=line)
            raise
        stripped = [cell.strip() for cell in cells]
        if any(stripped) and not stripped[0].startswith("#"):
            yield line, stripped
        line = reader.line_num + 1


def _header(
    cells: list[str], source: Source, line: int, required: tuple[str, ...], optional: tuple[str, ...]
) -> tuple[list[str], bool]:
    """The columns, or nothing if the rows could not be read with them; and whether all of them are known."""
    columns = [cell.lower() for cell in cells]
    while columns and not columns[-1]:
        columns.pop()
    known = (*required, *optional)
    is_usable = is_known = True
    for column in columns:
        if column not in known:
            source.refuse((column,), "unknown column", did_you_mean(column, known), line=line)
            is_known = False
        elif columns.count(column) > 1:
            source.refuse((column,), "appears twice in the header", "remove one of them", line=line)
            is_usable = False
    for column in required:
        if column not in columns:
            source.refuse((column,), "column is missing", f"the header must have: {', '.join(required)}", line=line)
            is_usable = False
    return (columns, is_known) if is_usable else ([], False)


def _row(cells: list[str], columns: list[str], source: Source, line: int) -> Row:
    surplus = [cell for cell in cells[len(columns) :] if cell]
    row = Row(dict(zip(columns, cells, strict=False)), source, line)
    if surplus:
        row.is_broken = True
        message = f"has {len(cells)} cells, the header {len(columns)}"
        row.refuse("", message, 'put a text that contains a comma in quotation marks: "Rm 204, East"')
    for column, cell in zip(columns, cells, strict=False):
        if len(cell) > TEXT_CHARACTERS_MAX or not cell.isprintable():
            row.refuse(column, f"{quoted(cell)} is too long or contains an invisible character", "shorten or retype it")
    return row
