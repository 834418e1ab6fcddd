"""Reads a configuration directory into one `Loaded`: everything, or everything that is wrong with it.

Never raises for what a person wrote. What a configuration means for people's safety is `alertd.lint`'s to judge.
"""

import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from hashlib import blake2b
from pathlib import Path as FilePath
from typing import Any

import msgspec
from msgspec import Struct

from alertd.config import devices, people, policies, sections, sites
from alertd.config.csv_files import Row, read_csv
from alertd.config.problems import Findings, Problem, ProblemSeverity, did_you_mean
from alertd.config.profiles import FOLDER as PROFILES
from alertd.config.profiles import ProfileFile, read_profiles
from alertd.config.reading import Place, Reading, Thing
from alertd.config.regular_files import is_there
from alertd.config.settings import Settings, read_settings
from alertd.config.toml_files import Source, Table, read_toml
from alertd.model.ids import DISTRICT, DeviceId, PersonId, PolicyId, SiteId, ZoneId
from alertd.model.people import Destination, Person, Schedule
from alertd.model.policy import Policy
from alertd.model.registry import ChannelRules, Registry
from alertd.model.site import Device, Gestures, Site, Zone

MAIN = "alertd.toml"
TOML = ".toml"
_FILES = (MAIN, "channels.toml", "gestures.toml", "schedules.toml", people.FILE, devices.FILE)
_FOLDERS = ("sites", "policies", PROFILES)
_STEM = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")

FILES_MAX = 2_000
"""Files in one folder."""

FIXED_WHILE_RUNNING = ("state_dir", "store_url", "spare_dir", "socket_path", "listen")
"""Settings that only a restart can change."""


class Loaded(Struct, frozen=True, kw_only=True):
    """One reading of a directory. Usable only if `is_usable`."""

    directory: FilePath
    registry: Registry
    settings: Settings
    sections: tuple[sections.Section, ...]
    problems: tuple[Problem, ...]
    places: Mapping[tuple[Thing, str], Place]
    """Where each thing is written, for those who judge it later."""
    unread: frozenset[Thing] = frozenset()
    """Kinds of things of which some could not be read: nothing that depends on them can be judged."""
    profiles: tuple[ProfileFile, ...] = ()
    """The district's own profiles of sources and devices, as they are written."""
    demo: bool = False
    overrides: Mapping[str, Any] = {}
    """Keys that the caller of `load` replaced; a reload replaces them again."""

    @property
    def is_usable(self) -> bool:
        return not any(problem.is_error for problem in self.problems)

    @property
    def profile_tables(self) -> dict[str, Mapping[str, Any]]:
        """File -> its TOML, as `ports.Profiles` takes them."""
        return {each.file: each.table for each in self.profiles}

    def place(self, thing: Thing, name: str) -> Place:
        """Where a thing is written; the main file if nobody knows."""
        return self.places.get((thing, name)) or Place(file=MAIN, line=0)


class Refused(Struct, frozen=True, kw_only=True):
    """A reload that did not happen: what is wrong with the new configuration. The old one stays."""

    problems: tuple[Problem, ...]


def load(directory: FilePath | str, overrides: Mapping[str, Any] | None = None) -> Loaded:
    """Read the directory. `overrides` replaces single keys by their dotted names ("daemon.state_dir",
    "sources.broker.port", "channels.sms.api_url"), as a demonstration or a command-line option does."""
    return msgspec.structs.replace(read(FilePath(directory), overrides or {})[0], overrides=overrides or {})


def reload(
    directory: FilePath | str, current: Loaded, check: Callable[[Loaded], Iterable[Problem]]
) -> Loaded | Refused:
    """The new configuration, or, if anything in it is an error, why not: then `current` stays as a whole.

    `check` is `alertd.lint.check`."""
    loaded = load(directory, current.overrides)
    problems = (*loaded.problems, *check(loaded), *_unsafe_changes(current, loaded))
    if any(problem.is_error for problem in problems):
        return Refused(problems=problems)
    return loaded


def read(directory: FilePath, overrides: Mapping[str, Any]) -> tuple[Loaded, Reading]:
    """As `load`, with the state of the reading: the test of the documentation asks it for every known key."""
    reading = Reading(directory)
    if not os.path.isdir(directory):  # noqa: PTH112 - Path.is_dir raises where the way to it is barred
        Source(str(directory), reading.findings).refuse(
            (), "is not a directory", "name the configuration directory; the package ships an example"
        )
        return _loaded(reading, _Parts(), Settings.model_construct(), demo=False), reading
    _declare_names(reading)
    main = _read(reading, MAIN, (Thing.DISTRICT,), overrides)
    wiring = _read(reading, sections.FILE, (Thing.SOURCE, Thing.CHANNEL, Thing.DESTINATION), overrides)
    demo = main.boolean("demo", default=False)
    settings = _settings(main, reading, demo=demo)
    parts = _Parts()
    _read_places(parts, main, reading)
    _read_sections(parts, wiring, reading, settings)
    _read_tables(parts, reading)
    names = [name for name in _names_in(reading, PROFILES) or [] if name.endswith(TOML)]
    parts.profiles = tuple(read_profiles(reading, names[:FILES_MAX]))
    _read_policies(parts, reading, settings.demo_wait_s if demo else None)
    _unknown_overrides(reading, overrides)
    main.done()
    wiring.done()
    return _loaded(reading, parts, settings, demo=demo), reading


class _Parts:
    """The registry while it is being read."""

    def __init__(self) -> None:
        self.district = "district"
        self.technician_phone: str | None = None
        self.sites: dict[SiteId, Site] = {}
        self.zones: dict[ZoneId, Zone] = {}
        self.devices: dict[DeviceId, Device] = {}
        self.people: dict[PersonId, Person] = {}
        self.schedules: dict[str, Schedule] = {}
        self.policies: dict[PolicyId, Policy] = {}
        self.destinations: dict[str, Destination] = {}
        self.channels: dict[str, ChannelRules] = {}
        self.sections: tuple[sections.Section, ...] = ()
        self.profiles: tuple[ProfileFile, ...] = ()

    def registry(self, version: str) -> Registry:
        return Registry(
            version=version,
            district=self.district,
            sites=self.sites,
            zones=self.zones,
            devices=self.devices,
            people=self.people,
            schedules=self.schedules,
            policies=self.policies,
            destinations=self.destinations,
            channels=self.channels,
            technician_phone=self.technician_phone,
        )


def _declare_names(reading: Reading) -> None:
    """Sites and policies are named by their files, so that each may refer to the other."""
    reading.declare(Thing.SITE, DISTRICT, MAIN, 0)
    reading.places[Thing.SOURCE, ""] = Place(file=sections.FILE, line=0)  # where one is missed
    reading.places[Thing.DEVICE, ""] = Place(file=devices.FILE, line=0)
    for folder, thing in (("sites", Thing.SITE), ("policies", Thing.POLICY)):
        for file_name in _toml_files(reading, folder, thing):
            name = file_name.removesuffix(TOML)
            file = f"{folder}/{file_name}"
            if not _STEM.fullmatch(name) or name == DISTRICT:
                remedy = "rename it: letters, digits, dash and underscore only, and not district"
                Source(file, reading.findings).refuse((), "is not a usable name", remedy)
            elif name != policies.COMMON or thing is Thing.SITE:
                reading.declare(thing, name, file, 1)
    _strange_files(reading)


def _toml_files(reading: Reading, folder: str, thing: Thing) -> list[str]:
    names = _names_in(reading, folder)
    if names is None:
        reading.unknowable.add(thing)
        return []
    found = [name for name in names if name.endswith(TOML)]
    if not found:
        Source(f"{folder}/", reading.findings).refuse((), "holds no .toml file", "write one; see docs/configuration.md")
    return found[:FILES_MAX]


def _names_in(reading: Reading, folder: str) -> list[str] | None:
    """What lies in a folder; `None` and a problem if nobody can tell."""
    try:
        return sorted(path.name for path in (reading.directory / folder).iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        source = Source(f"{folder}/" if folder else str(reading.directory), reading.findings)
        source.refuse((), f"cannot be listed: {error.strerror}", "check its owner and permissions")
        return None


def _strange_files(reading: Reading) -> None:
    """A misspelt file would be silently without effect."""
    for name in (_names_in(reading, "") or [])[:FILES_MAX]:
        is_ours = name in _FILES or name in _FOLDERS
        if not is_ours and name.endswith((TOML, ".csv")):
            Source(name, reading.findings).warn((), "is not read", did_you_mean(name, _FILES))


def _read(
    reading: Reading, file: str, holds: tuple[Thing, ...] = (), overrides: Mapping[str, Any] | None = None
) -> Table:
    """A TOML file. One that cannot be read is one problem: an empty table whose own problems go nowhere, and nobody
    is blamed for naming the things it `holds`."""
    table = read_toml(reading.directory / file, file, reading.findings)
    if table is None:
        reading.unknowable.update(holds)
        reading.unread.add(file)
        return Table({}, Source(file, Findings()))
    reading.sources.append(table.source)
    for dotted, value in (overrides or {}).items():
        if _file_of(dotted) == file:
            table.override(dotted.split("."), value)
    return table


def _file_of(dotted: str) -> str:
    return sections.FILE if dotted.partition(".")[0] in ("sources", "channels", "destinations") else MAIN


def _unknown_overrides(reading: Reading, overrides: Mapping[str, Any]) -> None:
    roots = ("daemon", "district", "demo", "sources", "channels", "destinations")
    for dotted in overrides:
        if dotted.partition(".")[0] not in roots:
            Source("command line", reading.findings).refuse(
                (dotted,), "cannot be overridden", did_you_mean(dotted, roots)
            )


def _settings(main: Table, reading: Reading, *, demo: bool) -> Settings:
    daemon = main.table("daemon")
    lines = {key: main.source.line(("daemon", key)) for key in daemon.names()}
    settings, problems = read_settings(daemon.raw(), lines, MAIN, os.environ)
    reading.findings.extend(problems)
    if settings.demo_wait_s is not None and not demo:
        remedy = "remove it; only a configuration with demo = true may shorten its waits"
        daemon.refuse("demo_wait_s", "would shorten the waits of a real school", remedy)
    return settings


def _read_places(parts: _Parts, main: Table, reading: Reading) -> None:
    table = main.table("district")
    reading.region = _region(table)
    district, parts.technician_phone = sites.read_district(table, reading)
    parts.district = district.name
    if MAIN not in reading.unread:
        parts.sites[DISTRICT] = district
    for site_id in sorted(reading.names[Thing.SITE] - {DISTRICT}):
        file = f"sites/{site_id}.toml"
        site_table = _read(reading, file, (Thing.SITE, Thing.ZONE))
        if file in reading.unread:
            continue
        site, zones = sites.read_site(SiteId(site_id), site_table, reading)
        parts.sites[site.id] = site
        parts.zones.update((zone.id, zone) for zone in zones)


def _region(table: Table) -> str:
    """Country of phone numbers that are written without one."""
    region = table.text("country", maximum=2) or "US"
    if region.isascii() and region.isalpha() and region.isupper() and len(region) == 2:
        return region
    table.refuse("country", "is not a country code", 'write two capitals, like "US" or "CA"')
    return "US"


def _read_sections(parts: _Parts, wiring: Table, reading: Reading, settings: Settings) -> None:
    parts.sections = tuple(sections.read_sections(wiring, reading))
    parts.channels = {rules.name: rules for rules in sections.read_channel_rules(wiring)}
    reachable_at = settings.public_base_url if settings.listen else None
    found = sections.read_destinations(wiring, reading, parts.channels, reachable_at)
    parts.destinations = {each.id: each for each in found}


def _read_tables(parts: _Parts, reading: Reading) -> None:
    """People before what names them: devices and schedules."""
    rows = _rows(reading, people.FILE, people.REQUIRED, people.OPTIONAL, (Thing.PERSON, Thing.GROUP))
    found = (people.read_person(row, reading, parts.channels) for row in rows)
    parts.people = {person.id: person for person in found if person is not None}
    if not reading.names[Thing.PERSON] and Thing.PERSON not in reading.unknowable:
        Source(people.FILE, reading.findings).refuse((), "has nobody in it", "write a row for each person")
        reading.unknowable.update((Thing.PERSON, Thing.GROUP))
    root = _read(reading, "gestures.toml", (Thing.GESTURES,))
    gestures: dict[str, Gestures] = {each.id: each for each in devices.read_gestures(root, reading)}
    device_rows = _rows(reading, devices.FILE, devices.REQUIRED, devices.OPTIONAL, (Thing.DEVICE,))
    read_devices = (devices.read_device(row, reading, gestures, parts.people) for row in device_rows)
    parts.devices = {device.id: device for device in read_devices if device is not None}
    if is_there(reading.directory / "schedules.toml"):
        root = _read(reading, "schedules.toml", (Thing.SCHEDULE,))
        parts.schedules = {each.id: each for each in people.read_schedules(root, reading, parts.sites)}


def _rows(
    reading: Reading, file: str, required: tuple[str, ...], optional: tuple[str, ...], holds: tuple[Thing, ...]
) -> Iterator[Row]:
    path = reading.directory / file
    is_whole = yield from read_csv(path, file, reading.findings, required=required, optional=optional)
    if not is_whole:
        reading.unknowable.update(holds)


def _read_policies(parts: _Parts, reading: Reading, demo_wait_s: int | None) -> None:
    common: dict[str, str] = {}
    file = f"policies/{policies.COMMON}.toml"
    if is_there(reading.directory / file):
        table = _read(reading, file, (Thing.TEMPLATE,))
        common = policies.read_templates(policies.COMMON, table, reading)
        table.done()
    for name in sorted(reading.names[Thing.POLICY]):
        file = f"policies/{name}.toml"
        table = _read(reading, file)
        if file in reading.unread:
            continue
        parts.policies[PolicyId(name)] = policies.read_policy(name, table, reading, common, demo_wait_s)


def _loaded(reading: Reading, parts: _Parts, settings: Settings, *, demo: bool) -> Loaded:
    registry = parts.registry("")
    digest = blake2b(digest_size=8)
    digest.update(msgspec.json.encode(registry))
    wired = [(s.table, s.name, s.plugin, repr(sorted(s.settings.items()))) for s in parts.sections]
    digest.update(repr(wired).encode())
    digest.update(repr([(each.file, each.table) for each in parts.profiles]).encode() if parts.profiles else b"")
    return Loaded(
        directory=reading.directory,
        registry=parts.registry(digest.hexdigest()),
        settings=settings,
        sections=parts.sections,
        problems=reading.findings.all(),
        places=reading.places,
        unread=frozenset(reading.unknowable),
        profiles=parts.profiles,
        demo=demo,
    )


def _unsafe_changes(current: Loaded, loaded: Loaded) -> Iterator[Problem]:
    """What a running daemon cannot or should not take over."""
    for name in FIXED_WHILE_RUNNING:
        if getattr(current.settings, name) != getattr(loaded.settings, name):
            yield _refusal(
                MAIN, f"daemon.{name}", "cannot change while the daemon runs", "restart it, or change it back"
            )
    shrunk = (
        (people.FILE, len(current.registry.people), len(loaded.registry.people)),
        (devices.FILE, len(current.registry.devices), len(loaded.registry.devices)),
    )
    for file, before, after in shrunk:
        if before >= 10 and after * 2 < before:
            message = f"has {after} rows where it had {before}: it looks cut off"
            yield _refusal(file, "", message, "export it again; if it is meant, restart the daemon")


def _refusal(file: str, key: str, message: str, remedy: str) -> Problem:
    return Problem(file=file, line=0, key=key, message=message, remedy=remedy, severity=ProblemSeverity.ERROR)
