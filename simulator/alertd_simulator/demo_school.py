"""The demo's district: a copy of the shipped example configuration, pointed at actors on loopback.

Owns what is changed for a demonstration (endpoints, waits, secrets made up at start) and who plays which part. Must
never change the example itself, and never write a secret into a file.
"""

import os
import shutil
import sys
import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct

from alertd.config import Loaded, load, render_problems
from alertd.config.credentials import variable_of
from alertd.model.ids import DISTRICT, PolicyId
from alertd.model.people import Person
from alertd.model.policy import Policy, Step, TargetKind
from alertd.model.registry import Registry
from alertd.model.site import Device, DeviceKind, Site
from alertd_simulator import demo_wiring
from alertd_simulator.demo_wiring import Endpoints, Keys, PaZone, dump_toml

__all__ = ["IN_TREE", "SPARE", "STATE", "WIRING", "Endpoints", "Keys", "Part", "School", "dump_toml"]
__all__ += ["find_example", "prepare", "read_wiring"]

WIRING = "channels.toml"
WAIT_S = 6
"""No step of the demo's escalation waits longer."""
ROOMS_MIN = 2
STATE, SPARE, SOCKET = "state", "spare", "s"
"""Beside the configuration. A socket's path has at most 107 characters."""
SECRETS = "secrets"
"""Folder of an installed configuration, by the README: nothing of it is read or copied."""
AWAY = frozenset({"store_url", "heartbeat_url", "listen", "public_base_url", "socket_path", "spare_dir"})
"""Settings of a daemon that would reach out of the rehearsal."""
INSTALLED = Path(sys.prefix) / "share/alertd/config"
IN_TREE = Path(__file__).resolve().parents[2] / "config"


class Part(Struct, frozen=True, kw_only=True):
    """A device, and what pressing it means."""

    device: Device
    action: str
    count: int
    where: str

    @property
    def label(self) -> str:
        return self.device.label or self.device.id

    @property
    def happens(self) -> str:
        """What it does, in words."""
        return f"{self.label} {'reports' if self.device.kind is DeviceKind.SENSOR else 'pressed'}, {self.where}"


class School(Struct, frozen=True, kw_only=True):
    """A district, of which one school is on stage at a time."""

    directory: Path
    socket: Path
    environment: dict[str, str]
    """Of the daemon: secrets, and where it keeps its state."""
    registry: Registry
    site: Site
    """Where the story begins."""
    numbers: tuple[str, ...]
    """The carrier's numbers that we text from."""
    is_example: bool = True
    """False: a district's own people. The phones are simulated all the same, and nobody real is texted."""
    callbacks: bool = False
    """The carrier can call the daemon: keys are heard of."""
    pa_zones: tuple[PaZone, ...] = ()
    recordings: dict[str, str] = {}
    """File -> what it says."""

    def check_stage(self) -> None:
        """Raises `RuntimeError` if no story can be played here."""
        if len(self.parts("lockdown")) < ROOMS_MIN:
            raise RuntimeError(f"{self.site.name} has fewer than {ROOMS_MIN} rooms with a lockdown button")

    @property
    def stages(self) -> tuple[Site, ...]:
        """Schools that can lock down, the one of the story first."""
        able = [s for s in self.registry.sites.values() if s.id != DISTRICT and self.parts("lockdown", s)]
        return tuple(sorted(able, key=lambda site: (site.id != self.site.id, site.id)))

    @property
    def drill_site(self) -> Site:
        """Another school, if there is one with two rooms."""
        return next((s for s in self.stages[1:] if len(self.parts("lockdown", s)) >= ROOMS_MIN), self.site)

    def phones(self) -> list[tuple[Person, str]]:
        """Everyone of the district with a phone, and its number; the story's school first."""
        found = []
        for person in self.registry.people.values():
            number = next((e.address for e in person.endpoints if e.address.startswith("+")), None)
            if number:
                found.append((person, number))
        return sorted(found, key=lambda each: self.site.id not in each[0].sites)

    def parts(self, incident_class: str, site: Site | None = None) -> list[Part]:
        """Devices of a school whose gesture means this, a different room each."""
        parts: dict[str, Part] = {}
        site_id = (site or self.site).id
        for device in self.registry.devices.values():
            zone = self.registry.zones.get(device.zone_id) if device.zone_id else None
            gesture = _gesture(device, incident_class)
            if device.site_id == site_id and zone and gesture:
                part = Part(device=device, action=gesture[0], count=gesture[1], where=zone.short)
                parts.setdefault(zone.short, part)
        return sorted(parts.values(), key=lambda part: "204" not in part.where)

    def policy(self, site: Site | None = None, incident_class: str = "lockdown") -> Policy:
        return self.registry.policies[PolicyId((site or self.site).policies[incident_class])]

    def has_dispatch(self, site: Site) -> bool:
        """Is a dispatch centre told of a lockdown here? Not every district has one that agreed to it."""
        named = {t.id for step in self.policy(site).steps for t in step.targets if t.kind is TargetKind.DESTINATION}
        centers = (self.registry.destinations[id_] for id_ in named)
        return any(center.endpoint.dispatch and site.id in center.site_ids for center in centers)

    def calls(self) -> bool:
        """Do phones ring for a lockdown here?"""
        rules = (self.registry.channels.get(channel) for step in self.policy().steps for channel in step.channels)
        return any(channel is not None and channel.kind == "voice" for channel in rules)

    def speaks(self, site: Site) -> bool:
        """Do loudspeakers speak of a lockdown here?"""
        named = {t.id for step in self.policy(site).steps for t in step.targets if t.kind is TargetKind.LOUDSPEAKERS}
        return site.rules.audible and bool(named & site.loudspeakers.keys())

    def zones_of(self, site: Site) -> set[str]:
        """Names of its loudspeaker zones."""
        return {endpoint.address for endpoint in site.loudspeakers.values()}

    def told_by_step(self, incident_class: str) -> list[set[str]]:
        """Person ids that each step of the policy asks to go."""
        return [set(self._responders(step)) for step in self.policy(incident_class=incident_class).steps]

    def _responders(self, step: Step) -> Iterator[str]:
        for target in step.targets:
            match target.kind:
                case TargetKind.PERSON:
                    yield target.id
                case TargetKind.GROUP:
                    group = self.registry.by_group.get(target.id, ())
                    yield from (person.id for person in group if self.site.id in person.sites)
                case TargetKind.SCHEDULE:
                    schedule = self.registry.schedules[target.id]
                    yield from (shift.person_id for shift in schedule.shifts)
                case TargetKind.SITE_STAFF | TargetKind.DISTRICT if target.words == "responder":
                    yield from (person.id for person in self.registry.site_staff[self.site.id])
                case _:
                    pass


def _gesture(device: Device, incident_class: str) -> tuple[str, int] | None:
    for count, name in sorted(device.gestures.presses.items()):
        if name == incident_class and device.kind is not DeviceKind.SENSOR:
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


def read_wiring(config: Path) -> dict[str, Any]:
    """`channels.toml` as it is written there. Raises `RuntimeError` if it cannot be read."""
    file = config / WIRING
    try:
        return tomllib.loads(file.read_text())
    except (OSError, ValueError) as error:
        raise RuntimeError(f"{file} cannot be read: {error}; alertd check {config} says more") from None


def prepare(example: Path, directory: Path, endpoints: Endpoints, keys: Keys) -> School:
    """Copy the example and point it at the actors. Raises `RuntimeError` with all that is wrong with it."""
    config = directory / "config"
    wiring, values = _copied(example, config, endpoints, keys)
    is_example = bool(tomllib.loads((config / "alertd.toml").read_text()).get("demo"))
    environment = {variable_of(name): value for name, value in values.items()} | {
        "ALERTD_STATE_DIR": str(directory / STATE),
        "ALERTD_SPARE_DIR": str(directory / SPARE),
        "ALERTD_SOCKET_PATH": str(directory / SOCKET),
        "ALERTD_BALLAST_MIB": "1",
        "ALERTD_LOG_FORMAT": "console",
    }
    environment |= demo_wiring.settings_of(endpoints)
    if is_example and endpoints.hurries:  # a district's own waits are not ours to shorten
        environment["ALERTD_DEMO_WAIT_S"] = str(WAIT_S)
    (directory / STATE).mkdir(exist_ok=True)
    loaded = load_as_daemon(config, environment)
    return School(
        directory=config,
        socket=directory / SOCKET,
        environment=environment,
        registry=loaded.registry,
        site=_site(loaded.registry),
        numbers=demo_wiring.senders(wiring),
        is_example=is_example,
        callbacks=bool(endpoints.callback_port),
        pa_zones=demo_wiring.pa_zones(wiring),
        recordings=demo_wiring.recordings(wiring),
    )


def _copied(example: Path, config: Path, endpoints: Endpoints, keys: Keys) -> tuple[dict[str, Any], dict[str, str]]:
    """The wiring as it is written there, and the secrets that it names."""
    wiring = read_wiring(example)
    if strangers := demo_wiring.unknown(wiring):
        raise RuntimeError(
            f"{', '.join(strangers)}: nobody here plays the other end, so it would do what it always does; "
            "take it out of a copy of the configuration"
        )
    _copy(example, config)
    values = demo_wiring.point(wiring, endpoints, keys)
    (config / WIRING).write_text(dump_toml(wiring))
    _keep_at_home(config / "alertd.toml")
    return wiring, values


def _copy(source: Path, target: Path) -> None:
    """Who may read it stays as it was. What stays behind: the set-group bit of an installed configuration's folders,
    which a unit with RestrictSUIDSGID= may not give to anything; and the district's secrets."""
    target.mkdir(mode=0o700, parents=True, exist_ok=True)
    for entry in source.iterdir():
        if entry.name == SECRETS:
            continue
        if entry.is_dir():
            _copy(entry, target / entry.name)
        else:
            shutil.copyfile(entry, target / entry.name)
            (target / entry.name).chmod(entry.stat().st_mode & 0o777)
    target.chmod(source.stat().st_mode & 0o777)


def _keep_at_home(file: Path) -> None:
    """No database, no watchdog and no address of the district's own: a rehearsal has a store for itself."""
    document = tomllib.loads(file.read_text())
    daemon = document.get("daemon", {})
    if daemon.keys() & AWAY:
        document["daemon"] = {key: value for key, value in daemon.items() if key not in AWAY}
        file.write_text(dump_toml(document))


def load_as_daemon(config: Path, environment: Mapping[str, str]) -> Loaded:
    """As the daemon will read it: settings come from its environment. Raises `RuntimeError` if it would not run."""
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
