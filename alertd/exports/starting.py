"""A first configuration around a district's own two lists: its schools, rooms, people and buttons, plain policies.

Owns what is made up: ids of schools and rooms from their names, the policies of `starter/`. Who responds, and who is
told of troubles, is never guessed. Writes a new directory only.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from importlib.resources import as_file, files
from pathlib import Path
from shutil import copytree

from msgspec import Struct

from alertd.config import Problem
from alertd.config.problems import Findings, did_you_mean
from alertd.config.sites import SHORT_CHARACTERS_MAX
from alertd.config.toml_files import Source
from alertd.exports.columns import DEVICES, PEOPLE
from alertd.exports.importing import parts_of
from alertd.exports.merging import merge, read_sheet
from alertd.exports.reading import ExportRow, Manner, read_export
from alertd.model.ids import DISTRICT

GESTURES = {"wearable": "badge", "button": "wall-button", "sensor": "vape-sensor"}
"""Kind of a device -> what its presses mean, unless its list says."""
ALWAYS = ("lockdown", "staff_assist", "medical", "trouble")
OF_SENSORS = ("vape", "masking", "tamper")
EXAMPLE_NUMBER = re.compile(r"\+1\d{3}55501\d{2}")
EXAMPLE_SENDER = "+12025550101"
SHORTER = {"elementary": "elem", "academy": "acad", "junior": "jr", "school": "", "schools": "", "county": "co"}


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


class School(Struct, frozen=True, kw_only=True):
    id: str
    name: str
    zones: dict[str, str]
    """Zone -> its words."""


def start(directory: Path, beginning: Beginning) -> tuple[Problem, ...]:
    """Write it. Returns what keeps it from being written; then nothing is."""
    findings = Findings()
    if directory.exists() and (not directory.is_dir() or any(directory.iterdir())):
        Source(str(directory), findings).refuse((), "is there already", "name a new directory")
    told = {"encoding": beginning.encoding, "country": beginning.country}
    people = read_export(beginning.people, PEOPLE, Manner(columns=beginning.people_columns, **told), findings)
    devices = None
    if not findings.all():
        devices = read_export(beginning.devices, DEVICES, Manner(columns=beginning.device_columns, **told), findings)
    if people is None or devices is None or findings.all():
        return findings.all()
    staff = [_person(row, beginning) for row in people.rows]
    _check_named(beginning, staff, findings)
    schools = _schools(staff, devices.rows)
    staff = [_serving_all(row, schools) for row in staff]
    if not schools:
        source = Source(beginning.people.name, findings)
        source.refuse(("sites",), "names no school", 'name its column: --people-column sites="Building"')
    is_demo = all(EXAMPLE_NUMBER.fullmatch(row.cells.get("phone") or EXAMPLE_SENDER) for row in staff)
    if not beginning.from_numbers and not is_demo:
        remedy = "name the carrier's number that you rent: --from-number +1…"
        Source("--from-number", findings).refuse((), "is missing: texts come from nowhere", remedy)
    if findings.all():
        return findings.all()
    things = [_device(row) for row in devices.rows]
    _write(directory, beginning, schools, staff, things, demo=is_demo)
    return ()


# --- people and devices in our words --------------------------------------------------------------------------------


def _person(row: ExportRow, beginning: Beginning) -> ExportRow:
    cells = dict(row.cells)
    sites = [slug(part) for part in parts_of(cells.get("sites", ""))]
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


def _serving_all(row: ExportRow, schools: list[School]) -> ExportRow:
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
            source.refuse((), message, "name those who are, by their ids: --responder ruiz --responder shaw")


def _device(row: ExportRow) -> ExportRow:
    cells = dict(row.cells)
    cells["kind"] = cells.get("kind", "").lower() or "button"
    cells["site"] = slug(cells.get("site", ""))
    cells["zone"] = "" if cells["kind"] == "wearable" else zone_of(cells.get("zone", ""))
    cells["gestures"] = cells.get("gestures") or GESTURES.get(cells["kind"], "")
    return ExportRow(line=row.line, cells=cells)


def _schools(staff: Iterable[ExportRow], devices: Iterable[ExportRow]) -> list[School]:
    """Every school that a person or a device names, with the rooms that devices name."""
    found: dict[str, School] = {}
    named = [(row.cells.get("site", ""), row.cells.get("zone", "")) for row in devices]
    named += [(site, "") for row in staff for site in row.cells["sites"].split(";")]
    for name, room in named:
        if not slug(name) or slug(name) == DISTRICT:
            continue
        school = found.setdefault(slug(name), School(id=slug(name), name=name, zones={}))
        if room:
            school.zones.setdefault(zone_of(room), room)
    return [found[id_] for id_ in sorted(found)]


def slug(name: str) -> str:
    """An id out of a name: "Rm 204, East" -> "rm-204-east"."""
    return re.sub(r"[^a-z0-9]+", "-", name.casefold()).strip("-")


def zone_of(room: str) -> str:
    """An id for a room, without the way there: "Rm 204, 2nd fl East" -> "rm-204"."""
    return slug(room.partition(",")[0]) or slug(room)


def short(name: str) -> str:
    """What opens every text: "Oak Elementary School" -> "OAK ELEM"."""
    words = (SHORTER.get(word, word) for word in re.findall(r"[a-z0-9]+", name.casefold()))
    return " ".join(filter(None, words)).upper()[:SHORT_CHARACTERS_MAX].strip() or "SCHOOL"


# --- the files ------------------------------------------------------------------------------------------------------


def _write(
    directory: Path,
    beginning: Beginning,
    schools: list[School],
    staff: list[ExportRow],
    devices: list[ExportRow],
    *,
    demo: bool,
) -> None:
    with as_file(files("alertd.exports") / "starter") as starter:
        copytree(starter, directory, dirs_exist_ok=True)
    directory.chmod(0o750)
    has_sensors = any(row.cells["kind"] == "sensor" for row in devices)
    if not has_sensors:
        for name in OF_SENSORS:
            (directory / "policies" / f"{name}.toml").unlink()
    classes = (*ALWAYS, *OF_SENSORS) if has_sensors else ALWAYS
    (directory / "sites").mkdir()
    for school in schools:
        (directory / "sites" / f"{school.id}.toml").write_text(
            "\n".join(_site_lines(school, beginning, classes)) + "\n"
        )
    (directory / "alertd.toml").write_text("\n".join(_main_lines(beginning, demo=demo)) + "\n")
    (directory / "channels.toml").write_text("\n".join(_wiring_lines(beginning)) + "\n")
    for table, rows in ((PEOPLE, staff), (DEVICES, devices)):
        merged = merge(read_sheet("", table.columns), rows, {}, remove_missing=False)
        (directory / table.file).write_text(merged.text)
        (directory / table.file).chmod(0o640)


def _main_lines(beginning: Beginning, *, demo: bool) -> Iterator[str]:
    yield "# Every key is explained in docs/configuration.md; `alertd check` says what is wrong."
    if demo:
        yield "demo = true                             # all phones are examples; remove it with the first real one"
    yield "\n[district]"
    yield f"name = {json.dumps(beginning.name, ensure_ascii=False)}"
    yield f"short = {json.dumps(short(beginning.name))}"
    yield f"time_zone = {json.dumps(beginning.time_zone)}"
    yield f"country = {json.dumps(beginning.country)}"
    yield 'trouble_policy = "trouble"\n'
    yield "[daemon]"
    yield '# heartbeat_url = "https://…"           # somebody outside must notice when alertd is gone'


def _wiring_lines(beginning: Beginning) -> Iterator[str]:
    numbers = ", ".join(json.dumps(number) for number in beginning.from_numbers or (EXAMPLE_SENDER,))
    yield from (
        "# Secrets are only named here: see docs/configuration.md, Secrets.",
        "",
        "[sources.broker]",
        'plugin = "mqtt"',
        'host = "localhost"',
        f'client_id = "alertd-{slug(beginning.name)[:40]}"',
        'username = "alertd"',
        'password_secret = "broker-password"',
        "triggers = [",
        '  { topic = "alertd/press/+", decoder = "press_json" },',
        '  { topic = "zigbee2mqtt/+", decoder = "zigbee2mqtt" },',
        "]",
        'telemetry = ["alertd/telemetry/+"]',
        "",
        "[channels.sms]",
        'plugin = "sms_twilio"',
        'account_sid_secret = "twilio-account-sid"',
        'auth_token_secret = "twilio-auth-token"',
        f"from_numbers = [{numbers}]",
    )


def _site_lines(school: School, beginning: Beginning, classes: Iterable[str]) -> Iterator[str]:
    yield f"name = {json.dumps(school.name, ensure_ascii=False)}"
    yield f"short = {json.dumps(short(school.name))}      # opens every text"
    yield f"time_zone = {json.dumps(beginning.time_zone)}"
    yield "\n# [address] street, city, state, zip, main_phone …: what a dispatch center needs to know"
    yield "\n[policies]"
    yield from (f'{name} = "{name}"' for name in classes)
    yield '\n# Places that a responder can walk to. Add where it is: label = "Rm 204, 2nd fl East"'
    for zone, label in sorted(school.zones.items()):
        yield f"\n[zones.{zone}]\nlabel = {json.dumps(label, ensure_ascii=False)}"
