"""An import, prepared and then written: what would change, what would be wrong with the whole configuration after it.

    prepared = prepare(directory, PEOPLE, Path("staff.csv"), Order(), lint.check)
    if prepared.is_allowed: write(prepared)

Owns the judgement before anything is written, and the writing: one rename, the file as it was beside it. Must never
write half, or a configuration that the daemon would refuse.
"""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

import msgspec
from msgspec import Struct

from alertd.config import Loaded, Problem, load
from alertd.config.csv_files import CSV_BYTES_MAX
from alertd.config.loading import read
from alertd.config.problems import Findings, did_you_mean, quoted
from alertd.config.profiles import FOLDER as PROFILES
from alertd.config.regular_files import is_there, read_regular
from alertd.config.toml_files import Source
from alertd.exports.calling_names import called_apart
from alertd.exports.columns import PEOPLE, TableOfOurs
from alertd.exports.merging import Merged, is_a_comment, merge, read_sheet, rows_read_as_comments
from alertd.exports.naming import alike
from alertd.exports.reading import Export, ExportRow, Manner, read_export
from alertd.exports.replacing import replace_file
from alertd.model.ids import DISTRICT, DeviceId, PersonId
from alertd.model.registry import Registry

BACKUP_STAMP = "%Y%m%dT%H%M%SZ"
NEW_FILE_MODE = 0o640

LIST_SIGNS = ";|"
"""Between several schools in one cell."""


class Order(Struct, frozen=True, kw_only=True):
    """What the user asked for. An empty `country`: the district's own."""

    columns: Mapping[str, str] = {}
    defaults: Mapping[str, str] = {}
    remove_missing: bool = False
    encoding: str = ""
    country: str = ""


class Prepared(Struct, frozen=True, kw_only=True):
    """An import that was judged and not yet written."""

    directory: Path
    table: TableOfOurs
    export: Export | None
    merged: Merged | None
    before: bytes | None
    """The file as it was read; `None`: there was none."""
    problems: tuple[Problem, ...]

    @property
    def is_allowed(self) -> bool:
        return self.merged is not None and not any(problem.is_error for problem in self.problems)


class NotWrittenError(Exception):
    """Nothing was changed. The message says why and what to do."""


def prepare(
    directory: Path, table: TableOfOurs, path: Path, order: Order, check: Callable[[Loaded], Iterable[Problem]]
) -> Prepared:
    """Read, merge, and judge the whole that would result. `check` is `alertd.lint.check`. Writes nothing."""
    findings = Findings()
    before = _present(directory, table, findings)
    loaded, reading = read(directory, {})
    manner = Manner(columns=order.columns, encoding=order.encoding, country=order.country or reading.region)
    export = read_export(path, table, manner, findings)
    _check_defaults(order, table, findings)
    if export is None or findings.all():
        return Prepared(
            directory=directory, table=table, export=export, merged=None, before=before, problems=findings.all()
        )
    source, said = Source(path.name, findings), Source("--default", findings)
    rows = [_in_our_words(row, table, loaded.registry, source) for row in export.rows]
    rows = called_apart(rows, loaded.registry.people) if table is PEOPLE else rows
    defaults = _in_our_words(ExportRow(line=0, cells=dict(order.defaults)), table, loaded.registry, said).cells
    sheet = read_sheet((before or b"").decode(), table.columns)
    for row, column in rows_read_as_comments(sheet, rows, defaults):
        cell = row.cells.get(column) or defaults[column]
        source.refuse((column,), *is_a_comment(cell, table.file), line=row.line)
    if findings.all():
        return Prepared(
            directory=directory, table=table, export=export, merged=None, before=before, problems=findings.all()
        )
    merged = merge(sheet, rows, defaults, remove_missing=order.remove_missing)
    problems = tuple(_placed(_judged(directory, table, merged.text, check), table, merged, path.name))
    return Prepared(directory=directory, table=table, export=export, merged=merged, before=before, problems=problems)


def write(prepared: Prepared) -> Path | None:
    """Put the new file in the place of the old one. Returns where the old one is kept; `None` if there was none or
    nothing changes. Raises `NotWrittenError`."""
    assert prepared.is_allowed, "who writes has looked at the problems"
    assert prepared.merged is not None
    if not prepared.merged.changes:
        return None
    path = Path(os.path.realpath(prepared.directory / prepared.table.file))  # a link stays a link
    try:
        if _bytes_of(path) != prepared.before:
            raise NotWrittenError(f"{path} was changed meanwhile: run the import again")
        kept = _keep(path) if prepared.before is not None else None
        _replace(path, prepared.merged.text.encode(), like=kept)
    except OSError as error:
        raise NotWrittenError(f"{path} cannot be written: {error.strerror}; run it as the owner of the file") from error
    return kept


# --- reading --------------------------------------------------------------------------------------------------------


def _present(directory: Path, table: TableOfOurs, findings: Findings) -> bytes | None:
    source = Source(table.file, findings)
    if not directory.is_dir():
        Source(str(directory), findings).refuse((), "is not a directory", "make one with: alertd init DIR")
        return None
    try:
        before = _bytes_of(directory / table.file)
        (before or b"").decode()
    except (OSError, UnicodeDecodeError) as error:
        words = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        source.refuse((), f"cannot be read: {words}", "mend it first: alertd check")
        return None
    return before


def _bytes_of(path: Path) -> bytes | None:
    return read_regular(path, CSV_BYTES_MAX) if is_there(path) else None


def _check_defaults(order: Order, table: TableOfOurs, findings: Findings) -> None:
    for name in order.defaults:
        if name not in table.columns or name == "id":
            choices = [column for column in table.columns if column != "id"]
            Source("--default", findings).refuse((name,), "can have no default", did_you_mean(name, choices))


def _in_our_words(row: ExportRow, table: TableOfOurs, registry: Registry, source: Source) -> ExportRow:
    """Schools, rooms and kinds by our ids, where the export calls them by their names. What nobody knows stays as it
    is: the judgement says what is wrong with it. What could be two is refused."""
    cells = dict(row.cells)
    person = registry.people.get(PersonId(row.cells.get("id", "")))
    if "sites" in cells and person is not None and DISTRICT in person.sites:
        del cells["sites"]  # whoever belongs to the district: which schools they serve, no list of personnel knows
    for column in ("sites", "site", "roaming_sites"):
        if cells.get(column):
            asked = [(part, _site(part, registry)) for part in parts_of(cells[column])]
            cells[column] = ";".join(_the_one(part, found, "", column, source, row.line) for part, found in asked)
    if cells.get("kind"):
        cells["kind"] = table.kind(cells["kind"])
    if cells.get("zone"):
        device = registry.devices.get(DeviceId(row.cells.get("id", "")))
        site = cells.get("site") or (device.site_id if device is not None else "")
        found = _zone(cells["zone"], site, registry)
        cells["zone"] = _the_one(cells["zone"], found, f" at {site}", "zone", source, row.line)
    return ExportRow(line=row.line, cells=cells)


def parts_of(cell: str) -> list[str]:
    """Several schools in one cell."""
    for sign in LIST_SIGNS:
        cell = cell.replace(sign, "\n")
    return [part.strip() for part in cell.split("\n") if part.strip()]


def _site(name: str, registry: Registry) -> dict[str, str]:
    """Schools that the name could mean: id and name."""
    sites = {str(site.id): (site.name, site.short) for site in registry.sites.values()}
    return _meant(name, sites)


def _zone(name: str, site: str, registry: Registry) -> dict[str, str]:
    """Rooms of the school that the name could mean: id and label."""
    here = [zone for zone in registry.zones.values() if zone.site_id == site]
    return _meant(name, {zone.id.removeprefix(f"{site}:"): (zone.label, zone.short) for zone in here})


def _meant(name: str, known: Mapping[str, tuple[str, str]]) -> dict[str, str]:
    """Ids that the name could mean, and what they are called. An id, letter by letter, means itself."""
    if name in known:
        return {name: known[name][0]}
    found = (identity for identity, words in known.items() if alike(name) in map(alike, (identity, *words)))
    return {identity: known[identity][0] for identity in sorted(found)}


def _the_one(name: str, found: Mapping[str, str], where: str, column: str, source: Source, line: int) -> str:
    """Its id. Of two, nobody can know which is meant; taking one could send people to a wrong place."""
    if len(found) > 1:
        shown = " or ".join(f"{identity} ({words})" for identity, words in found.items())
        remedy = f"write which: {' or '.join(found)}"
        source.refuse((column,), f"{quoted(name)}{where} could be {shown}", remedy, line=line)
    return next(iter(found), name)


# --- judging --------------------------------------------------------------------------------------------------------


def _judged(
    directory: Path, table: TableOfOurs, text: str, check: Callable[[Loaded], Iterable[Problem]]
) -> tuple[Problem, ...]:
    """All that is wrong with a copy of the directory that has the new file."""
    with tempfile.TemporaryDirectory(prefix="alertd-import-") as folder:  # only its owner can look into it
        copy = Path(folder) / "config"
        copy.mkdir()
        for pattern in ("*.toml", "*.csv", "sites/*.toml", "policies/*.toml", f"{PROFILES}/*.toml"):
            for path in directory.glob(pattern):
                target = copy / path.relative_to(directory)
                target.parent.mkdir(exist_ok=True)
                shutil.copyfile(path, target)
        (copy / table.file).write_text(text, newline="")
        loaded = load(copy)
        return (*loaded.problems, *check(loaded))


def _placed(problems: Iterable[Problem], table: TableOfOurs, merged: Merged, export: str) -> Iterator[Problem]:
    """At the line of the export, where that is where the mistake is."""
    for problem in problems:
        line = merged.lines.get(problem.line) if problem.file == table.file else None
        if line is None:
            yield problem
            continue
        remedy = problem.remedy
        if problem.message == "is empty" and problem.key in table.columns and problem.key != "id":
            remedy = f"{remedy}, or give it to all new ones: --default {problem.key}=…"
        yield msgspec.structs.replace(problem, file=export, line=line, remedy=remedy)


# --- writing --------------------------------------------------------------------------------------------------------


def _keep(path: Path) -> Path:
    """A copy of the file beside it, with its owner and mode."""
    kept = path.with_name(f"{path.name}.before-{datetime.now(UTC).strftime(BACKUP_STAMP)}")
    _replace(kept, path.read_bytes(), like=path)
    return kept


def _replace(path: Path, content: bytes, *, like: Path | None) -> None:
    replace_file(path, content, lambda number: _dress(number, path, like))


def _dress(number: int, path: Path, like: Path | None) -> None:
    """Owner and mode of the file before; of a new one those that the daemon can read: the directory's group."""
    mine = os.fstat(number)
    model = (like or path.parent).stat()
    uid = model.st_uid if like else mine.st_uid
    if (uid, model.st_gid) != (mine.st_uid, mine.st_gid):
        os.fchown(number, uid, model.st_gid)
    os.fchmod(number, model.st_mode & 0o777 if like else NEW_FILE_MODE)
