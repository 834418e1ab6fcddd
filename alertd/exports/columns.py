"""What other programs call our columns. Owns the names; where two headers could be one of ours, the user is asked."""

import re
from collections.abc import Iterable, Mapping

from msgspec import Struct

from alertd.config import devices, people
from alertd.config.problems import did_you_mean, quoted
from alertd.config.toml_files import Source


class TableOfOurs(Struct, frozen=True, kw_only=True):
    """One of our CSV files, and how its columns may be called elsewhere."""

    file: str
    what: str
    """What a row is: "person"."""
    required: tuple[str, ...]
    optional: tuple[str, ...]
    aliases: Mapping[str, tuple[str, ...]]

    @property
    def columns(self) -> tuple[str, ...]:
        return (*self.required, *self.optional)


PEOPLE = TableOfOurs(
    file=people.FILE,
    what="person",
    required=people.REQUIRED,
    optional=people.OPTIONAL,
    aliases={
        "id": ("employee id", "employee number", "employee no", "staff id", "person id", "user id", "username"),
        "name": ("last name", "surname", "family name", "short name"),
        "sites": ("site", "school", "school name", "campus", "building"),
        "role": ("title", "job title", "position"),
        "groups": ("group", "team", "teams"),
        "phone": ("mobile", "mobile phone", "mobile number", "cell", "cell phone", "cell number", "phone number"),
        "language": ("preferred language",),
    },
)

DEVICES = TableOfOurs(
    file=devices.FILE,
    what="device",
    required=devices.REQUIRED,
    optional=devices.OPTIONAL,
    aliases={
        "id": ("device id", "device", "friendly name", "serial", "serial number"),
        "kind": ("type", "device type"),
        "site": ("school", "school name", "campus", "building"),
        "zone": ("room", "location", "place"),
        "label": ("description", "device label"),
        "assigned_to": ("assigned to", "wearer", "owner", "employee id"),
        "roaming_sites": ("roaming sites", "roams to"),
    },
)


def plain(header: str) -> str:
    """One name for all its spellings: Employee_ID, employee id."""
    return " ".join(re.findall(r"[^\W_]+", header.casefold()))


def match(
    headers: Iterable[str], table: TableOfOurs, given: Mapping[str, str], source: Source, line: int
) -> dict[str, int]:
    """Our column -> which of their columns it is read from. `given`: what the user said ("phone" -> "Mobile")."""
    names = [plain(header) for header in headers]
    found: dict[str, int] = {}
    for ours, theirs in given.items():
        if ours not in table.columns:
            source.refuse((ours,), f"{table.file} has no such column", did_you_mean(ours, table.columns), line=line)
        elif plain(theirs) not in names:
            remedy = did_you_mean(theirs, [header for header in headers if header])
            source.refuse((ours,), f"no column of the export is called {quoted(theirs)}", remedy, line=line)
        else:
            found[ours] = names.index(plain(theirs))
    for ours in table.columns:
        if ours not in given and (column := _guess(ours, names, table, source, line)) is not None:
            found[ours] = column
    return found


def _guess(ours: str, names: list[str], table: TableOfOurs, source: Source, line: int) -> int | None:
    """Their column of our own name; else the one that is called something we know."""
    own = [index for index, name in enumerate(names) if name == plain(ours)]
    others = [index for index, name in enumerate(names) if name in table.aliases.get(ours, ())]
    candidates = own or others
    if len(candidates) > 1:
        shown = " and ".join(quoted(names[index]) for index in candidates)
        remedy = f'say which: --column {ours}="…"'
        source.refuse((ours,), f"could be {shown}", remedy, line=line)
    return candidates[0] if candidates else None
