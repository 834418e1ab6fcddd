"""A first configuration around a district's own two lists: its schools, rooms, people and buttons, plain policies.

Owns what is made up: which schools and rooms there are, and what they are called here. Who responds, and who is told of
troubles, is never guessed; two names are never taken for one place. Writes a new directory only, and all of it or none.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from shutil import copytree
from tempfile import TemporaryDirectory

import msgspec
from msgspec import Struct

from alertd.config import Problem, load
from alertd.config.problems import Findings, did_you_mean, quoted
from alertd.config.toml_files import Source
from alertd.exports.calling_names import called_apart
from alertd.exports.columns import DEVICES, PEOPLE, TableOfOurs
from alertd.exports.first_files import EXAMPLE_SENDER, District, School, write_files
from alertd.exports.importing import parts_of
from alertd.exports.merging import is_a_comment, read_sheet, rows_read_as_comments
from alertd.exports.naming import short
from alertd.exports.places import Places
from alertd.exports.reading import ExportRow, Manner, phone_number, read_export
from alertd.model.ids import DISTRICT

GESTURES = {"wearable": "badge", "button": "wall-button", "sensor": "vape-sensor"}
"""Kind of a device -> what its presses mean, unless its list says."""
EXAMPLE_NUMBER = re.compile(r"\+1\d{3}55501\d{2}")
OPTIONS = {"district.name": "--name", "district.time_zone": "--time-zone", "time_zone": "--time-zone"}
"""Key of the files -> by which option the user said it."""


class Beginning(Struct, frozen=True, kw_only=True):
    """What the user says. People are named by their ids."""

    people: Path
    devices: Path
    name: str
    time_zone: str
    responders: tuple[str, ...]
    technicians: tuple[str, ...]
    from_numbers: tuple[str, ...] = ()
    people_columns: Mapping[str, str] = {}
    device_columns: Mapping[str, str] = {}
    encoding: str = ""
    country: str = "US"


def start(directory: Path, beginning: Beginning) -> tuple[Problem, ...]:
    """Write it, unless one of the returned problems is an error: then nothing is written. Warnings: what somebody who
    knows the schools should look at."""
    findings = Findings()
    if directory.exists() and (not directory.is_dir() or any(directory.iterdir())):
        Source(str(directory), findings).refuse((), "is there already", "name a new directory")
    people = _read(beginning, PEOPLE, findings)
    devices = _read(beginning, DEVICES, findings) if people is not None else None
    if people is None or devices is None:
        return findings.all()
    places = Places(beginning.people.name, beginning.devices.name, people, devices)
    staff = called_apart((_person(row, beginning, places) for row in people), {})
    _check_named(beginning, staff, findings)
    staff = [_serving_all(row, places.schools) for row in staff]
    if not places.schools:
        source = Source(beginning.people.name, findings)
        source.refuse(("sites",), "names no school", 'name its column: --people-column sites="Building"')
    is_demo = all(EXAMPLE_NUMBER.fullmatch(row.cells.get("phone") or EXAMPLE_SENDER) for row in staff)
    district = District(
        name=beginning.name,
        short=short(beginning.name),
        time_zone=beginning.time_zone,
        country=beginning.country,
        from_numbers=_senders(beginning, findings, demo=is_demo),
        schools=places.schools,
        staff=tuple(staff),
        devices=tuple(_device(row, places) for row in devices),
        demo=is_demo,
    )
    if not any(problem.is_error for problem in findings.all()):
        places.say_what_was_told_apart(findings)
        _write(directory, district, beginning, findings)
    return findings.all()


def _read(beginning: Beginning, table: TableOfOurs, findings: Findings) -> tuple[ExportRow, ...] | None:
    """The rows of one list; `None`, and problems, if they cannot be taken as they are."""
    path, columns, option = (
        (beginning.people, beginning.people_columns, "--people-column")
        if table is PEOPLE
        else (beginning.devices, beginning.device_columns, "--device-column")
    )
    manner = Manner(columns=columns, column_option=option, encoding=beginning.encoding, country=beginning.country)
    found = Findings()
    source = Source(path.name, found)
    export = read_export(path, table, manner, found)
    if export is not None and export.unused:
        message = f"does not use: {', '.join(map(quoted, export.unused))}"
        source.warn((), message, f'if one of them is ours, say so: {option} OURS="…"', line=export.header_line)
    for row, column in rows_read_as_comments(read_sheet("", table.columns), export.rows if export else (), {}):
        source.refuse((column,), *is_a_comment(row.cells[column], table.file), line=row.line)
    findings.extend(found.all())
    return None if export is None or any(problem.is_error for problem in found.all()) else export.rows


def _senders(beginning: Beginning, findings: Findings, *, demo: bool) -> tuple[str, ...]:
    source = Source("--from-number", findings)
    if not beginning.from_numbers and not demo:
        source.refuse(
            (), "is missing: texts come from nowhere", "name the carrier's number that you rent: --from-number +1…"
        )
    return tuple(phone_number(each, beginning.country, source, (), 0) for each in beginning.from_numbers)


# --- people and devices in our words --------------------------------------------------------------------------------


def _person(row: ExportRow, beginning: Beginning, places: Places) -> ExportRow:
    cells = dict(row.cells)
    sites = [places.school(part) for part in parts_of(cells.get("sites", ""))]
    groups = parts_of(cells.get("groups", ""))
    kind = cells.get("kind", "").lower() or "staff"
    if row.cells["id"] in beginning.technicians:
        sites, groups = [DISTRICT, *sites], [*groups, "technicians"]
    if row.cells["id"] in beginning.responders:
        kind = "responder"
    if kind == "responder":
        groups = ["responders", *groups]
    cells |= {"kind": kind, "sites": ";".join(dict.fromkeys(sites)), "groups": ";".join(dict.fromkeys(groups))}
    return ExportRow(line=row.line, cells=cells)


def _serving_all(row: ExportRow, schools: Iterable[School]) -> ExportRow:
    """A technician belongs to the district and serves every school."""
    if DISTRICT not in row.cells["sites"].split(";"):
        return row
    sites = ";".join((DISTRICT, *(school.id for school in schools)))
    return ExportRow(line=row.line, cells=dict(row.cells) | {"sites": sites})


def _check_named(beginning: Beginning, staff: Iterable[ExportRow], findings: Findings) -> None:
    ids = {row.cells["id"] for row in staff}
    source = Source(beginning.people.name, findings)
    for option, named in (("--responder", beginning.responders), ("--technician", beginning.technicians)):
        for person in named:
            if person not in ids:
                source.refuse((), f"{option} {person}: nobody has this id", did_you_mean(person, ids))
    if not beginning.technicians:
        remedy = "name somebody by their id: --technician varga"
        source.refuse((), "nobody would be told that alertd itself is in trouble", remedy)
    for school in sorted(
        {site for row in staff for site in row.cells["sites"].split(";") if site not in ("", DISTRICT)}
    ):
        here = [row for row in staff if school in row.cells["sites"].split(";")]
        if not any(row.cells["kind"] == "responder" for row in here):
            message = f"nobody at {school} is asked to go when somebody presses"
            who = " or ".join(row.cells["id"] for row in here[:2])
            remedy = f"name those who are, by their ids: --responder {who}"
            source.refuse((), message, f'{remedy}; or, if it is no school, write "district" for it in your list')


def _device(row: ExportRow, places: Places) -> ExportRow:
    cells = dict(row.cells)
    site, room = cells.get("site", ""), cells.get("zone", "")
    cells["kind"] = DEVICES.kind(cells.get("kind", "")) or "button"
    cells["site"] = places.school(site) if site else ""
    cells["zone"] = "" if cells["kind"] == "wearable" or not room else places.room(site, room)
    cells["gestures"] = cells.get("gestures") or GESTURES.get(cells["kind"], "")
    return ExportRow(line=row.line, cells=cells)


# --- writing --------------------------------------------------------------------------------------------------------


def _write(directory: Path, district: District, beginning: Beginning, findings: Findings) -> None:
    """Elsewhere first: what the daemon could not read is said of the lists, where it can be mended, and not written."""
    with TemporaryDirectory(prefix="alertd-init-") as folder:  # only its owner can look into it
        draft = Path(folder) / "config"
        origins = write_files(draft, district)
        refused = tuple(_placed(load(draft).problems, origins, beginning))
        findings.extend(refused)
        if refused:
            return
        try:
            directory.mkdir(mode=0o750, parents=True, exist_ok=True)
            copytree(draft, directory, dirs_exist_ok=True)
        except OSError as error:  # of copytree: a list of them in place of a number and its words
            words = error.strerror or "; ".join(str(each[-1]) for each in error.args[0])
            remedy = "name a directory that can be made, where there is room; remove what is there of it"
            Source(str(directory), findings).refuse((), f"cannot be written: {words}", remedy)


def _placed(
    problems: Iterable[Problem], origins: Mapping[tuple[str, int], tuple[str, int]], beginning: Beginning
) -> Iterator[Problem]:
    """Errors at the option, or at the line of the list, where the mistake is. What no list and no option could mend is
    mended in the files."""
    lists = {PEOPLE.file: beginning.people.name, DEVICES.file: beginning.devices.name}
    for problem in filter(lambda problem: problem.is_error, problems):
        origin = origins.get((problem.file, problem.line))
        if problem.key in OPTIONS:
            yield msgspec.structs.replace(problem, file=OPTIONS[problem.key], line=0, key="")
        elif origin is not None:
            file, line = origin
            key = "zone" if problem.key.startswith("zones.") else problem.key
            yield msgspec.structs.replace(problem, file=lists.get(file, file), line=line, key=key)
