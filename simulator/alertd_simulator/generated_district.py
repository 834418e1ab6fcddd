"""A district of any size, generated: schools that are all alike, with people, rooms and buttons of their own.

Owns the files of its configuration directory, made from the example's policies and wiring. Every number it writes is
one that nobody has. What it writes passes `alertd check` without a word.
"""

import shutil
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import phonenumbers
from msgspec import Struct

from alertd_simulator.demo_school import WIRING, dump_toml

SITES_MAX = 500
POLICIES = ("common.toml", "lockdown.toml", "duress.toml", "staff_assist.toml", "trouble.toml")
ROLES = (
    ("head", "responder", "responders;admins"),
    ("nurse", "responder", "responders;nurses"),
    ("clerk", "staff", "backup;technicians"),
    ("teacher", "staff", ""),
)
"""Of every school: id, kind and groups."""


class GeneratedSite(Struct, frozen=True, kw_only=True):
    id: str
    devices: tuple[str, ...]
    phones: tuple[str, ...]
    """Of everyone who is told of a lockdown at once."""
    responder: str
    """The phone of one whose answer stops the escalation."""


class GeneratedDistrict(Struct, frozen=True, kw_only=True):
    directory: Path
    sites: tuple[GeneratedSite, ...]
    technician: str

    @property
    def devices(self) -> list[str]:
        return [device for site in self.sites for device in site.devices]

    @property
    def names(self) -> dict[str, str]:
        """Who has which phone, as alertd names them."""
        return {
            phone: _name(role, site.id)
            for site in self.sites
            for (role, _, _), phone in zip(ROLES, site.phones, strict=True)
        }


def write_district(example: Path, directory: Path, *, sites: int, buttons: int) -> GeneratedDistrict:
    """Write a configuration of `sites` schools with `buttons` buttons each into a new directory."""
    assert 0 < sites <= SITES_MAX, f"between 1 and {SITES_MAX} sites"
    numbers = fictional_numbers()
    technician = next(numbers)
    (directory / "policies").mkdir(parents=True)
    for name in POLICIES:
        policy = _silent(tomllib.loads((example / "policies" / name).read_text()))
        (directory / "policies" / name).write_text(dump_toml(policy))
    shutil.copy(example / "gestures.toml", directory)
    shutil.copytree(example / "recordings", directory / "recordings")
    (directory / "schedules.toml").write_text("")
    made = tuple(_site(directory, number, buttons, numbers) for number in range(1, sites + 1))
    _write_district_file(example, directory, technician)
    _write_wiring(example, directory, [site.id for site in made])
    _write_people(directory, made, technician)
    _write_devices(directory, made)
    return GeneratedDistrict(directory=directory, sites=made, technician=technician)


def fictional_numbers() -> Iterator[str]:
    """555-0103 to 555-0199 of every area code there is; the first few belong to the wiring."""
    for area in range(201, 990):
        if phonenumbers.is_valid_number(phonenumbers.parse(f"+1{area}5550100")):
            yield from (f"+1{area}55501{last:02d}" for last in range(3, 100))


def _site(directory: Path, number: int, buttons: int, numbers: Iterator[str]) -> GeneratedSite:
    site_id = f"s{number:03d}"
    zones = {
        f"rm-{room}": {
            "label": f"Rm {room}, floor {room // 100}",
            "short": f"Rm {room}",
            "spoken": f"Room {room}",
            "building": "Main",
            "floor": str(room // 100),
            "room": str(room),
            "nearest_exterior_door": "Door 1",
        }
        for room in range(101, 101 + buttons)
    }
    document = {
        "name": f"School {number}",
        "short": f"SCH {number}",
        "time_zone": "America/Chicago",
        "address": {
            "street": f"{number} School Street",
            "city": "Mapleton",
            "state": "IL",
            "zip": "60000",
            "county": "Maple",
            "psap_id": "maple-county-911",
            "main_phone": next(numbers),
            "entry_door": "Door 1",
        },
        "policies": {name: name for name in ("lockdown", "duress", "staff_assist", "trouble")},
        "zones": zones,
    }
    (directory / "sites").mkdir(exist_ok=True)
    (directory / "sites" / f"{site_id}.toml").write_text(dump_toml(document))
    phones = tuple(next(numbers) for _ in ROLES)
    devices = tuple(f"{site_id}-b{room}" for room in range(101, 101 + buttons))
    return GeneratedSite(id=site_id, devices=devices, phones=phones, responder=phones[0])


def _write_district_file(example: Path, directory: Path, technician: str) -> None:
    document = tomllib.loads((example / "alertd.toml").read_text())
    document["district"]["technician_phone"] = technician
    (directory / "alertd.toml").write_text(dump_toml(document))


def _silent(policy: dict[str, Any]) -> dict[str, Any]:
    """Generated schools have no loudspeakers: whoever runs them for real need not have a multicast network. Nor do
    their phones ring: they are run in real time, and a call takes half a minute of it."""
    policy.pop("announce_again_s", None)
    for step in policy.get("steps", ()):
        step["targets"] = [target for target in step["targets"] if "loudspeakers" not in target]
        step.pop("channels", None)
    return policy


def _write_wiring(example: Path, directory: Path, site_ids: list[str]) -> None:
    document = tomllib.loads((example / WIRING).read_text())
    document["channels"].pop("pa", None)
    document["channels"].pop("voice", None)
    for destination in document["destinations"].values():
        destination["sites"] = site_ids
    (directory / WIRING).write_text(dump_toml(document))


def _write_people(directory: Path, sites: tuple[GeneratedSite, ...], technician: str) -> None:
    lines = ["id,name,kind,role,sites,groups,phone,language"]
    for site in sites:
        for (role, kind, groups), phone in zip(ROLES, site.phones, strict=True):
            lines.append(f"{site.id}-{role},{_name(role, site.id)},{kind},{role},{site.id},{groups},{phone},en")
    lines.append(f"technician,Technician,staff,technician,district,technicians,{technician},en")
    (directory / "people.csv").write_text("\n".join(lines) + "\n")


def _name(role: str, site_id: str) -> str:
    return f"{role} {site_id}"


def _write_devices(directory: Path, sites: tuple[GeneratedSite, ...]) -> None:
    lines = ["id,kind,site,zone,gestures,label,assigned_to,roaming_sites"]
    for site in sites:
        for device in site.devices:
            zone = f"rm-{device.rpartition('-b')[2]}"
            lines.append(f"{device},button,{site.id},{zone},wall-button,wall button,,")
    (directory / "devices.csv").write_text("\n".join(lines) + "\n")
