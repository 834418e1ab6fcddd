"""The files of a first configuration: `alertd.toml`, `channels.toml`, `sites/`, both lists, the policies of `starter/`.

Owns their words and modes, and which line of them comes from which line of a list. Decides nothing.
"""

import json
from collections.abc import Iterable, Iterator
from importlib.resources import as_file, files
from pathlib import Path
from shutil import copytree

from msgspec import Struct

from alertd.exports.columns import DEVICES, PEOPLE
from alertd.exports.merging import merge, read_sheet
from alertd.exports.naming import room_short, slug
from alertd.exports.reading import ExportRow

ALWAYS = ("lockdown", "duress", "staff_assist", "medical", "trouble")
OF_SENSORS = ("vape", "masking", "tamper", "gunshot_sensor", "keyword_sensor")
WORDY = ("lockdown", "medical")
"""Whose first words leave no room for "MAYBE NEAR Rm 204, 2nd fl East (12 min ago)", which is told of a wearable."""
EXAMPLE_SENDER = "+12025550101"


class Room(Struct, frozen=True, kw_only=True):
    id: str
    label: str
    short: str
    line: int
    """Of the list of devices, where it is first named."""


class School(Struct, frozen=True, kw_only=True):
    id: str
    name: str
    short: str
    rooms: tuple[Room, ...]
    named_in: tuple[str, int]
    """The list, and its line, where it is first named."""


class District(Struct, frozen=True, kw_only=True):
    """All that is written. `demo`: every phone is an example."""

    name: str
    short: str
    time_zone: str
    country: str
    from_numbers: tuple[str, ...]
    schools: tuple[School, ...]
    staff: tuple[ExportRow, ...]
    devices: tuple[ExportRow, ...]
    demo: bool


def write_files(directory: Path, district: District) -> dict[tuple[str, int], tuple[str, int]]:
    """All of them. Returns which (file, line) comes from which line of a list, by that list's file here."""
    with as_file(files("alertd.exports") / "starter") as starter:
        copytree(starter, directory, dirs_exist_ok=True)
    directory.chmod(0o750)
    has_sensors = any(row.cells["kind"] == "sensor" for row in district.devices)
    if not has_sensors:
        for name in OF_SENSORS:
            (directory / "policies" / f"{name}.toml").unlink()
    classes = (*ALWAYS, *OF_SENSORS) if has_sensors else ALWAYS
    if any(row.cells["kind"] == "wearable" for row in district.devices):
        for name in WORDY:
            policy = directory / "policies" / f"{name}.toml"
            policy.write_text(policy.read_text().replace("{site} {where}: {what}", "{site} {short_where}: {what}"))
    places: dict[tuple[str, int], tuple[str, int]] = {}
    (directory / "sites").mkdir()
    for school in district.schools:
        file = f"sites/{school.id}.toml"
        lines = "\n".join(_site_lines(school, district, classes)).split("\n")
        (directory / file).write_text("\n".join(lines) + "\n")
        begins = {f"[zones.{room.id}]": room.line for room in school.rooms}
        line_of_list = 0
        places[file, 1] = school.named_in
        for number, line in enumerate(lines, start=1):
            line_of_list = begins.get(line, line_of_list)
            if line_of_list:
                places[file, number] = (DEVICES.file, line_of_list)
    (directory / "alertd.toml").write_text("\n".join(_main_lines(district)) + "\n")
    (directory / "channels.toml").write_text("\n".join(_wiring_lines(district)) + "\n")
    for table, rows in ((PEOPLE, district.staff), (DEVICES, district.devices)):
        merged = merge(read_sheet("", table.columns), rows, {}, remove_missing=False)
        (directory / table.file).write_text(merged.text)
        (directory / table.file).chmod(0o640)
        places |= {(table.file, line): (table.file, line_of_list) for line, line_of_list in merged.lines.items()}
    return places


def _main_lines(district: District) -> Iterator[str]:
    yield "# Every key is explained in docs/configuration.md; `alertd check` says what is wrong."
    if district.demo:
        yield "demo = true                             # all phones are examples; remove it with the first real one"
    yield "\n[district]"
    yield f"name = {_text(district.name)}"
    yield f"short = {_text(district.short)}"
    yield f"time_zone = {_text(district.time_zone)}"
    yield f"country = {_text(district.country)}"
    yield 'trouble_policy = "trouble"\n'
    yield "[daemon]"
    yield '# heartbeat_url = "https://…"           # somebody outside must notice when alertd is gone'


def _wiring_lines(district: District) -> Iterator[str]:
    numbers = ", ".join(map(_text, district.from_numbers or (EXAMPLE_SENDER,)))
    yield from (
        "# Secrets are only named here: see docs/configuration.md, Secrets.",
        "",
        "[sources.broker]",
        'plugin = "mqtt"',
        'host = "localhost"',
        f'client_id = "alertd-{slug(district.name)[:40]}"',
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


def _site_lines(school: School, district: District, classes: Iterable[str]) -> Iterator[str]:
    yield f"name = {_text(school.name)}"
    yield f"short = {_text(school.short)}      # opens every text"
    yield f"time_zone = {_text(district.time_zone)}"
    yield "\n# [address] street, city, state, zip, main_phone …: what a dispatch center needs to know"
    yield "\n[policies]"
    yield from (f'{name} = "{name}"' for name in classes)
    yield '\n# Places that a responder can walk to. Add where it is: label = "Rm 204, 2nd fl East"'
    for room in sorted(school.rooms, key=lambda room: room.id):
        yield f"\n[zones.{room.id}]\nlabel = {_text(room.label)}"
        if room.short != room_short(room.label):
            yield f"short = {_text(room.short)}"


def _text(words: str) -> str:
    """As TOML writes it, which is what JSON makes of anything that can be printed."""
    return json.dumps(words, ensure_ascii=False)
