"""`people.csv` and `schedules.toml`: who can be told, and who is on duty when."""

import re
from collections.abc import Iterator

from alertd.config.csv_files import Row
from alertd.config.problems import did_you_mean, quoted
from alertd.config.reading import Reading, Thing
from alertd.config.sections import PHONE_KINDS
from alertd.config.sites import read_time_zone
from alertd.config.toml_files import Table
from alertd.model.ids import PersonId, SiteId
from alertd.model.people import DutyShift, Endpoint, Person, PersonKind, Schedule
from alertd.model.registry import ChannelRules
from alertd.model.site import Site

FILE = "people.csv"
REQUIRED = ("id", "name", "kind", "sites")
OPTIONAL = ("role", "groups", "phone", "channels", "language")

NAME_CHARACTERS_MAX = 20
"""A name as texts use it ("Okafor", "J. Ruiz")."""

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_TIME = re.compile(r"([01]\d|2[0-3]):[0-5]\d")
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")
_IDENTITY = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")


def read_person(row: Row, reading: Reading, channels: dict[str, ChannelRules]) -> Person | None:
    """One row as a person; `None` and a problem if it cannot be one."""
    identity = row.get("id")
    reading.declare(Thing.PERSON, identity, row.file, row.line)
    if row.is_broken:
        return None
    reading.names[Thing.GROUP].update(row.values("groups"))
    if not row.is_rounded("id", "the personnel system") and not _IDENTITY.fullmatch(identity):
        row.refuse("id", f"{quoted(identity)} is not an id", "use letters, digits, dash and underscore only")
    name = row.required("name")
    kind = row.choice("kind", tuple(PersonKind))
    if row.required("sites") is None:
        return None
    sites = reading.all_known(Thing.SITE, row.values("sites"), row, "sites")
    language = row.get("language") or "en"
    if not _LANGUAGE.fullmatch(language):
        row.refuse("language", f"{quoted(language)} is not a language code", 'write "en" or "es"')
    if name is not None and len(name) > NAME_CHARACTERS_MAX:
        row.refuse("name", f"is {len(name)} characters long", f"at most {NAME_CHARACTERS_MAX}: texts have no more room")
    endpoints = _endpoints(row, PersonId(identity), reading, channels)
    if name is None or kind is None:
        return None
    return Person(
        id=PersonId(identity),
        name=name,
        kind=PersonKind(kind),
        sites=tuple(SiteId(site) for site in sites),
        endpoints=endpoints,
        groups=row.values("groups"),
        language=language,
        role=row.get("role"),
    )


def _endpoints(
    row: Row, person_id: PersonId, reading: Reading, channels: dict[str, ChannelRules]
) -> tuple[Endpoint, ...]:
    """The phone on each channel that reaches phones, in the order of column `channels`, else of the file. The sender of
    notices is everybody's, and comes last: what follows from a press is not told over it while anything else works."""
    written = row.get("phone")
    if not written:
        return ()
    phone = reading.phone(written, row, "phone")
    wanted = reading.all_known(Thing.CHANNEL, row.values("channels"), row, "channels")
    notices = tuple(name for name, rules in channels.items() if rules.notices)
    names = (*(name for name in wanted or channels if name not in notices), *notices)
    if phone is None:
        return ()
    return tuple(
        Endpoint(channel=name, address=phone, person_id=person_id)
        for name in names
        if name in channels and channels[name].kind in PHONE_KINDS
    )


def read_schedules(root: Table, reading: Reading, sites: dict[SiteId, Site]) -> Iterator[Schedule]:
    """Every `[NAME]` of schedules.toml is one on-call schedule of one site."""
    for name, table in root.named_tables():
        reading.declare(Thing.SCHEDULE, name, table.source.file, table.line)
        site_id = SiteId(table.required_text("site", "oak"))
        if table.has("site"):
            reading.known(Thing.SITE, site_id, table, "site")
        home = sites.get(site_id)
        time_zone = home.time_zone if home is not None else "UTC"  # no home: refused already
        if table.has("time_zone"):
            time_zone = read_time_zone(table)
        table.value("time_zone")
        shifts = tuple(shift for row in table.tables("shifts") if (shift := _shift(row, reading)) is not None)
        table.done()
        yield Schedule(id=name, site_id=site_id, time_zone=time_zone, shifts=shifts)


def _shift(table: Table, reading: Reading) -> DutyShift | None:
    person = table.required_text("person", "chen")
    is_known = table.has("person") and reading.known(Thing.PERSON, person, table, "person")
    days: list[int] = []
    for path, day in table.texts("days"):
        if day.lower() in DAYS:
            days.append(DAYS.index(day.lower()) + 1)
        else:
            table.source.refuse(path, f"{quoted(day)} is not a day", did_you_mean(day.lower(), DAYS))
    if not table.has("days"):
        table.refuse("days", "is missing", 'add days = ["mon", "tue", "wed", "thu", "fri"]')
    start, end = (_time(table, key, example) for key, example in (("start", "07:00"), ("end", "16:00")))
    if start is not None and start == end:
        table.refuse(
            "end", "is the same as start", 'for a whole day write start = "00:00" and end = "23:59", or two shifts'
        )
        return None
    table.done()
    if not is_known or start is None or end is None:
        return None
    return DutyShift(person_id=PersonId(person), days=tuple(dict.fromkeys(days)), start=start, end=end)


def _time(table: Table, key: str, example: str) -> str | None:
    written = table.required_text(key, example)
    if _TIME.fullmatch(written):
        return written
    table.refuse(key, f"{quoted(written)} is not a time", f'write it as "{example}"')
    return None
