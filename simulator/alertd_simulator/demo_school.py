"""The demo's school: a copy of the shipped example configuration, pointed at actors on loopback.

Owns what is changed for a demonstration (endpoints, waits, secrets made up at start) and who plays which part. Must
never change the example itself, and never write a secret into a file.
"""

import json
import os
import secrets
import shutil
import sys
import tomllib
from base64 import b64encode
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct

from alertd.config import Loaded, load, render_problems
from alertd.config.credentials import variable_of
from alertd.model.ids import DISTRICT, PolicyId
from alertd.model.people import Person
from alertd.model.policy import Step, TargetKind
from alertd.model.registry import Registry
from alertd.model.site import Device, DeviceKind, Site

WIRING = "channels.toml"
WAIT_S = 6
"""No step of the demo's escalation waits longer."""
TEXTS_PER_S = 20
"""As a short code carries; the example's two long codes carry one a second each."""
ROOMS_MIN = 2
INSTALLED = Path(sys.prefix) / "share/alertd/config"
IN_TREE = Path(__file__).resolve().parents[2] / "config"


class Endpoints(Struct, frozen=True, kw_only=True):
    """Where the actors listen."""

    mqtt_port: int
    carrier_url: str
    dispatch_url: str


class Keys(Struct, frozen=True, kw_only=True):
    """Secrets of one demonstration, made up at its start."""

    account_sid: str
    auth_token: str
    webhook: str
    other: str

    @classmethod
    def made_up(cls) -> "Keys":
        return cls(
            account_sid="AC" + secrets.token_hex(16),
            auth_token=secrets.token_hex(16),
            webhook="whsec_" + b64encode(secrets.token_bytes(32)).decode(),
            other=secrets.token_hex(16),
        )


class Part(Struct, frozen=True, kw_only=True):
    """A device, and what pressing it means."""

    device: Device
    action: str
    count: int
    where: str

    @property
    def label(self) -> str:
        return self.device.label or self.device.id


class School(Struct, frozen=True, kw_only=True):
    directory: Path
    socket: Path
    environment: dict[str, str]
    """Of the daemon: secrets, and where it keeps its state."""
    registry: Registry
    site: Site
    numbers: tuple[str, ...]
    """The carrier's numbers that we text from."""

    def phones(self) -> list[tuple[Person, str]]:
        """People of the site with a phone, and its number."""
        found = []
        for person in self.registry.people.values():
            number = next((e.address for e in person.endpoints if e.address.startswith("+")), None)
            if number and self.site.id in person.sites:
                found.append((person, number))
        return found

    def parts(self, incident_class: str) -> list[Part]:
        """Devices of the site whose gesture means this, a different room each."""
        parts: dict[str, Part] = {}
        for device in self.registry.devices.values():
            zone = self.registry.zones.get(device.zone_id) if device.zone_id else None
            gesture = _gesture(device, incident_class)
            if device.site_id == self.site.id and device.kind is not DeviceKind.SENSOR and zone and gesture:
                part = Part(device=device, action=gesture[0], count=gesture[1], where=zone.short)
                parts.setdefault(zone.short, part)
        return sorted(parts.values(), key=lambda part: "204" not in part.where)

    def told_by_step(self, incident_class: str) -> list[set[str]]:
        """Person ids that each step of the policy asks to go."""
        policy = self.registry.policies[PolicyId(self.site.policies[incident_class])]
        return [set(self._responders(step)) for step in policy.steps]

    def _responders(self, step: Step) -> Iterator[str]:
        for target in step.targets:
            match target.kind:
                case TargetKind.PERSON:
                    yield target.id
                case TargetKind.GROUP:
                    yield from (person.id for person in self.registry.by_group.get(target.id, ()))
                case TargetKind.SCHEDULE:
                    schedule = self.registry.schedules[target.id]
                    yield from (shift.person_id for shift in schedule.shifts)
                case TargetKind.SITE_STAFF | TargetKind.DISTRICT if target.words == "responder":
                    yield from (person.id for person in self.registry.site_staff[self.site.id])
                case _:
                    pass


def _gesture(device: Device, incident_class: str) -> tuple[str, int] | None:
    for count, name in sorted(device.gestures.presses.items()):
        if name == incident_class:
            return "press", count
    for action, name in device.gestures.actions.items():
        if name == incident_class:
            return action, 1
    return None


def find_example(given: Path | None = None) -> Path:
    """The example configuration: given, in the source tree, or as installed."""
    for path in [given] if given else [IN_TREE, INSTALLED]:
        if (path / WIRING).is_file():
            return path
    tried = ", ".join(str(path) for path in ([given] if given else [IN_TREE, INSTALLED]))
    raise RuntimeError(f"there is no example configuration in {tried}; name one with --config")


def prepare(example: Path, directory: Path, endpoints: Endpoints, keys: Keys) -> School:
    """Copy the example and point it at the actors. Raises `RuntimeError` with all that is wrong with it."""
    config = directory / "config"
    shutil.copytree(example, config)
    wiring = tomllib.loads((config / WIRING).read_text())
    secret_values = _point(wiring, endpoints, keys)
    (config / WIRING).write_text(dump_toml(wiring))
    environment = {variable_of(name): value for name, value in secret_values.items()} | {
        "ALERTD_STATE_DIR": str(directory / "state"),
        "ALERTD_SPARE_DIR": str(directory / "spare"),
        "ALERTD_SOCKET_PATH": str(directory / "s"),  # a socket's path has at most 107 characters
        "ALERTD_BALLAST_MIB": "1",
        "ALERTD_DEMO_WAIT_S": str(WAIT_S),
        "ALERTD_LOG_FORMAT": "console",
    }
    (directory / "state").mkdir()
    loaded = _load(config, environment)
    school = School(
        directory=config,
        socket=directory / "s",
        environment=environment,
        registry=loaded.registry,
        site=_site(loaded.registry),
        numbers=tuple(_senders(wiring)),
    )
    if len(school.parts("lockdown")) < ROOMS_MIN:
        raise RuntimeError(f"{school.site.name} has fewer than {ROOMS_MIN} rooms with a lockdown button")
    return school


def _point(wiring: dict[str, Any], endpoints: Endpoints, keys: Keys) -> dict[str, str]:
    """Change the sections in place; answers the secrets that they name."""
    values: dict[str, str] = {}
    for section in _sections(wiring):
        match section.get("plugin"):
            case "mqtt":
                section |= {"host": "127.0.0.1", "port": endpoints.mqtt_port, "protocol": "5"}
                section["dropped_topic"] = ""  # the demo's broker has no $SYS, and hangs up on who asks for it
                section.pop("tls", None)
                if "password_secret" in section:
                    values[section["password_secret"]] = keys.other
            case "sms_twilio":
                section |= {"base_url": endpoints.carrier_url, "callbacks": "poll", "per_s": TEXTS_PER_S}
                values[section["account_sid_secret"]] = keys.account_sid
                values[section["auth_token_secret"]] = keys.auth_token
            case "webhook":
                section["private_addresses"] = "allow"
                for destination in section.get("destinations", {"": section}).values():
                    destination["url"] = endpoints.dispatch_url
                    values[destination["signing_secret"]] = keys.webhook
            case _:
                pass
    return values


def _sections(wiring: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for table in ("sources", "channels"):
        yield from wiring.get(table, {}).values()


def _senders(wiring: Mapping[str, Any]) -> Iterator[str]:
    for section in _sections(wiring):
        yield from section.get("from_numbers", ())


def _load(config: Path, environment: Mapping[str, str]) -> Loaded:
    """As the daemon will: settings come from its environment."""
    before = dict(os.environ)
    os.environ.update(environment)
    try:
        loaded = load(config)
    finally:
        os.environ.clear()
        os.environ.update(before)
    if not loaded.is_usable:
        raise RuntimeError(f"the demo's configuration is not usable:\n{render_problems(loaded.problems)}")
    return loaded


def _site(registry: Registry) -> Site:
    """The school with the most devices: the story needs two rooms."""
    counts = Counter(device.site_id for device in registry.devices.values())
    for site_id, _ in counts.most_common():
        if site_id != DISTRICT and "lockdown" in registry.sites[site_id].policies:
            return registry.sites[site_id]
    raise RuntimeError("no site of the example configuration has devices and a lockdown policy")


def dump_toml(document: Mapping[str, Any]) -> str:
    """Enough of TOML for a configuration that was read from TOML."""
    return "".join(_dumped((), document))


def _dumped(path: tuple[str, ...], table: Mapping[str, Any]) -> Iterator[str]:
    if path:
        yield f"\n[{'.'.join(json.dumps(part) for part in path)}]\n"
    for key, value in table.items():
        if not isinstance(value, dict):
            yield f"{json.dumps(key)} = {_value(value)}\n"
    for key, value in table.items():
        if isinstance(value, dict):
            yield from _dumped((*path, key), value)


def _value(value: object) -> str:
    match value:
        case bool() | int() | float() | str():
            return json.dumps(value, ensure_ascii=False)
        case list():
            return f"[{', '.join(map(_value, value))}]"
        case dict():
            return "{" + ", ".join(f"{json.dumps(key)} = {_value(each)}" for key, each in value.items()) + "}"
        case _:
            raise TypeError(f"{type(value).__name__} cannot be written as TOML here")
