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
    id_header: str
    """What the column of the ids may be called elsewhere, as an example."""
    twins: str
    """What to do about two rows of one id."""
    kinds: Mapping[str, str] = {}
    """What others call a kind -> ours."""
    beside: Mapping[str, tuple[str, ...]] = {}
    """What is read as well, and is no column of our file."""

    @property
    def columns(self) -> tuple[str, ...]:
        return (*self.required, *self.optional)

    def kind(self, written: str) -> str:
        """Ours for what others write: "Panic Button" is a button. What nobody knows stays as it is."""
        return self.kinds.get(plain(written), written.lower())


FIRST_NAME = "first_name"
_BUTTONS = ("panic", "desk", "wall", "duress", "emergency", "alert", "lockdown")
"""Of whom only these: a doorbell's button is none that locks a school down."""

PEOPLE = TableOfOurs(
    file=people.FILE,
    what="person",
    required=people.REQUIRED,
    optional=people.OPTIONAL,
    aliases={
        "id": (
            *("employee id", "employee number", "employee no", "employee", "staff id", "staff number", "staff no"),
            *("personnel number", "personnel no", "person id", "user id", "username"),
        ),
        "name": ("last name", "surname", "family name", "short name"),
        "sites": ("site", "school", "school name", "campus", "building"),
        "role": ("title", "job title", "position"),
        "groups": ("group", "team", "teams"),
        "phone": (
            *("mobile", "mobile phone", "mobile number", "mobile no", "cell", "cell phone", "cell number", "cell no"),
            *("phone number", "phone no", "telephone"),
        ),
        "language": ("preferred language",),
    },
    beside={FIRST_NAME: ("first name", "given name", "forename")},
    id_header="Employee ID",
    twins="remove one of them, or join them (sites: oak;elm)",
)

DEVICES = TableOfOurs(
    file=devices.FILE,
    what="device",
    required=devices.REQUIRED,
    optional=devices.OPTIONAL,
    aliases={
        "id": (
            *("device id", "device", "device number", "device no", "friendly name"),
            *("serial", "serial number", "serial no"),
        ),
        "kind": ("type", "device type"),
        "site": ("school", "school name", "campus", "building"),
        "zone": ("room", "location", "place"),
        "label": ("description", "device label"),
        "assigned_to": ("assigned to", "wearer", "owner", "employee id"),
        "roaming_sites": ("roaming sites", "roams to"),
    },
    kinds={
        **dict.fromkeys((f"{word} button" for word in _BUTTONS), "button"),
        **dict.fromkeys(("badge", "panic badge", "pendant", "panic pendant"), "wearable"),
    },
    id_header="Serial Number",
    twins="remove one of them: a device hangs in one place",
)


def plain(header: str) -> str:
    """One name for all its spellings: Employee_ID, employee id."""
    return " ".join(re.findall(r"[^\W_]+", header.casefold()))


def match(
    headers: Iterable[str], table: TableOfOurs, given: Mapping[str, str], option: str, source: Source, line: int
) -> dict[str, int]:
    """Our column -> which of their columns it is read from. `given`: what the user said ("phone" -> "Mobile"), by
    `option`."""
    names = [plain(header) for header in headers]
    found: dict[str, int] = {}
    read = (*table.columns, *table.beside)
    for ours, theirs in given.items():
        if ours not in read:
            source.refuse((ours,), f"{table.file} has no such column", did_you_mean(ours, table.columns), line=line)
        elif plain(theirs) not in names:
            remedy = did_you_mean(theirs, [header for header in headers if header])
            source.refuse((ours,), f"no column of the export is called {quoted(theirs)}", remedy, line=line)
        else:
            found[ours] = names.index(plain(theirs))
    for ours in read:
        columns = [] if ours in given else _candidates(ours, names, table)
        if len(columns) > 1:
            shown = " and ".join(quoted(names[index]) for index in columns)
            source.refuse((ours,), f"could be {shown}", f'say which: {option} {ours}="…"', line=line)
        if columns:
            found[ours] = columns[0]
    return found


def _candidates(ours: str, names: list[str], table: TableOfOurs) -> list[int]:
    """Their column of our own name; else those that are called something we know."""
    own = [index for index, name in enumerate(names) if name == plain(ours)]
    known = table.aliases.get(ours, ()) + table.beside.get(ours, ())
    return own or [index for index, name in enumerate(names) if name in known]
