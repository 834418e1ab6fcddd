"""Reads an export as a spreadsheet or another program saved it: UTF-8, UTF-16, a code page; commas, semicolons, tabs.

Owns encodings, separators and what spreadsheets do to phone numbers. Never guesses an encoding: a wrong guess would
misspell people. Never quotes a phone number: what it says may land in a ticket.
"""

import csv
import io
import re
import unicodedata
from collections.abc import Iterator, Mapping
from pathlib import Path

from msgspec import Struct

from alertd.config.csv_files import CSV_BYTES_MAX, ROWS_MAX, SPREADSHEET_HINT
from alertd.config.problems import Findings, quoted
from alertd.config.reading import as_e164, why_no_number
from alertd.config.regular_files import NotAFileError, read_regular
from alertd.config.toml_files import TEXT_CHARACTERS_MAX, Source
from alertd.exports.columns import TableOfOurs, match
from alertd.model.blocked_numbers import blocked

SEPARATORS = ",;\t"
ENCODINGS = ("utf-8", "cp1252", "cp1250", "mac-roman", "latin-1")
"""What may be asked for; of the last ones each turns any byte into some letter, so they are never tried unasked."""

ROUNDED = re.compile(r"[0-9]+(?:[.,][0-9]+)?[eE]\+?[0-9]+")
"""What a spreadsheet makes of a long number."""
FRACTION = re.compile(r"([0-9]{7,})\.0")


class ExportRow(Struct, frozen=True, kw_only=True):
    line: int
    cells: dict[str, str]
    """By our columns. Only what the export has a column for."""


class Export(Struct, frozen=True, kw_only=True):
    rows: tuple[ExportRow, ...]
    columns: tuple[str, ...]
    """Of ours, those that it has."""
    unused: tuple[str, ...]
    """Its headers that are none of ours."""
    header_line: int


class Manner(Struct, frozen=True, kw_only=True):
    """How to read it, as the user said."""

    columns: Mapping[str, str] = {}
    column_option: str = "--column"
    """By which the user says them."""
    encoding: str = ""
    country: str = "US"
    """Whose phone numbers may stand there without a country code."""


def read_export(path: Path, table: TableOfOurs, manner: Manner, findings: Findings) -> Export | None:
    """Its rows; `None`, and problems, if it cannot be read. Cells are as they were written, but for phone numbers."""
    source = Source(path.name, findings)
    text = _text(path, manner.encoding, source)
    records = _all_records(text, source) if text is not None else []
    if not records or findings.all():
        return None
    (line, headers), *rest = records
    columns = match(headers, table, manner.columns, manner.column_option, source, line)
    if "id" not in columns and not findings.all():
        message = f"no column says which {table.what} a row is, by an id that never changes"
        source.refuse(("id",), message, f'name it: {manner.column_option} id="{table.id_header}"', line=line)
    if findings.all():  # rows under doubtful headers would only repeat it
        return None
    rows = [_row(number, cells, columns, manner, source) for number, cells in rest]
    _refuse_twins(rows, table, source)
    unused = tuple(header for index, header in enumerate(headers) if header and index not in columns.values())
    return Export(rows=tuple(rows), columns=tuple(columns), unused=unused, header_line=line)


def _all_records(text: str, source: Source) -> list[tuple[int, list[str]]]:
    """Header and rows; none, and a problem, if they cannot be told apart."""
    records: list[tuple[int, list[str]]] = []
    try:
        records.extend(_records(text))
    except _BrokenError as broken:
        remedy = "look for a quotation mark that is not closed"
        source.refuse((), f"is not valid CSV: {broken}", remedy, line=broken.line)
        return []
    if not records:
        source.refuse((), "is empty", "export it again, with its header", line=1)
    if len(records) > ROWS_MAX + 1:
        source.refuse((), f"has more than {ROWS_MAX} rows", "split it", line=records[-1][0])
    return records


def _text(path: Path, encoding: str, source: Source) -> str | None:
    try:
        raw = read_regular(path, CSV_BYTES_MAX)
    except NotAFileError as error:
        source.refuse((), str(error.strerror), "name a plain file")
        return None
    except OSError as error:
        source.refuse((), f"cannot be read: {error.strerror}", "check its name and permissions")
        return None
    if len(raw) > CSV_BYTES_MAX:
        source.refuse((), f"is larger than {CSV_BYTES_MAX} bytes", "split it; this cannot be what was meant")
        return None
    if raw[:4] in (b"PK\x03\x04", b"\xd0\xcf\x11\xe0"):
        source.refuse((), "is a workbook, not CSV", 'open it, and "Save as" CSV UTF-8')
        return None
    return _decoded(raw, encoding, source)


def _decoded(raw: bytes, encoding: str, source: Source) -> str | None:
    is_utf16 = raw[:2] in (b"\xff\xfe", b"\xfe\xff")
    try:
        text = raw.decode("utf-16" if is_utf16 else "utf-8-sig" if encoding in ("", "utf-8") else encoding)
    except (UnicodeDecodeError, LookupError) as error:
        at = error.start if isinstance(error, UnicodeDecodeError) else 0
        line = raw.count(b"\n", 0, at) + 1
        remedy = 'save it as "CSV UTF-8"; or say how it is written: --encoding cp1252 is Excel\'s plain CSV on Windows'
        source.refuse((), f"is not {encoding or 'UTF-8'} text", remedy, line=line)
        return None
    if "\0" in text:
        source.refuse(
            (), "contains NUL bytes", 'save it as "CSV UTF-8"', line=text.count("\n", 0, text.index("\0")) + 1
        )
        return None
    return text


class _BrokenError(Exception):
    """What is no CSV, and the line on which that record begins."""

    def __init__(self, error: csv.Error, line: int) -> None:
        super().__init__(str(error))
        self.line = line


def _records(text: str) -> Iterator[tuple[int, list[str]]]:
    """Non-blank records with the line on which each begins. Raises `_BrokenError`."""
    first, _, rest = text.partition("\n")
    hint = first.strip().casefold()
    line = 1
    if hint.startswith(SPREADSHEET_HINT):
        text, line = rest, 2
        separator = hint.removeprefix(SPREADSHEET_HINT)[:1] or ","
    else:
        header = next((each for each in text.splitlines() if each.strip()), "")
        separator = max(SEPARATORS, key=header.count)
    start = line - 1
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    while True:
        try:
            record = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise _BrokenError(error, line) from None
        cells = [" ".join(cell.split()) for cell in record]
        if any(cells):
            yield line, cells
        line = reader.line_num + 1 + start


def _row(line: int, cells: list[str], columns: Mapping[str, int], manner: Manner, source: Source) -> ExportRow:
    found = {ours: cells[index] if index < len(cells) else "" for ours, index in columns.items()}
    for ours, cell in found.items():
        if len(cell) > TEXT_CHARACTERS_MAX or not cell.isprintable():
            message = "is too long or contains an invisible character"
            source.refuse((ours,), message, "shorten or retype it", line=line)
    if not found["id"]:
        source.refuse(("id",), "is empty", "write an id that never changes", line=line)
    if found.get("phone"):
        found["phone"] = phone_number(found["phone"], manner.country, source, ("phone",), line)
    return ExportRow(line=line, cells=found)


def phone_number(written: str, country: str, source: Source, key: tuple[str, ...], line: int) -> str:
    """As E.164; as it is, and a problem, if it is none. The number itself is never shown."""
    if ROUNDED.fullmatch(written):
        message = "was rounded by a spreadsheet (like 1.2E+10), so its digits are lost"
        source.refuse(key, message, "format the column as text, and export again", line=line)
        return written
    written = FRACTION.sub(r"\1", written)
    if (why := blocked(written)) is not None:
        source.refuse(key, f"must never be dialled: {why}", "write their own number", line=line)
        return written
    number = as_e164(written, country)
    if number is None:
        remedy = f'write it like "+12025550142"; without a country code it is taken for one of {country} (--country)'
        source.refuse(key, f"is not a phone number{why_no_number(written, country)}", remedy, line=line)
        return written
    return number


def _refuse_twins(rows: list[ExportRow], table: TableOfOurs, source: Source) -> None:
    seen: dict[str, int] = {}
    for row in rows:
        identity = row.cells["id"]
        other = seen.setdefault(unicodedata.normalize("NFKC", identity).casefold(), row.line)
        if other != row.line and identity:
            message = f"{quoted(identity)} was already used in line {other}"
            source.refuse(("id",), message, table.twins, line=row.line)
