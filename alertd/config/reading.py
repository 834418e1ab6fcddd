"""`Reading`: what is known while one configuration directory is read: problems, declared names, places of things.

Also the two checks of values that many files need: references to other things, and phone numbers.
"""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from functools import lru_cache
from pathlib import Path as FilePath
from typing import Protocol

import phonenumbers
from msgspec import Struct

from alertd.config.problems import Findings, did_you_mean, quoted
from alertd.config.toml_files import Source
from alertd.model.blocked_numbers import blocked


class Thing(StrEnum):
    """Kinds of configured things; with an id they name one."""

    DISTRICT = "district"
    SITE = "site"
    ZONE = "zone"
    PERSON = "person"
    GROUP = "group"
    DEVICE = "device"
    GESTURES = "gestures"
    SCHEDULE = "schedule"
    POLICY = "policy"
    STEP = "step"
    TEMPLATE = "template"
    CHANNEL = "channel"
    SOURCE = "source"
    DESTINATION = "destination"
    LOUDSPEAKERS = "loudspeakers"


class Place(Struct, frozen=True, kw_only=True):
    """Where something is written."""

    file: str
    line: int
    lines: Mapping[str, int] = {}
    """Line of each of its keys, where they are known: "policies.lockdown"."""

    def line_of(self, key: str) -> int:
        """The line of a key; of what is around it, if the key is missing."""
        while key and key not in self.lines:
            key = key.rpartition(".")[0]
        return self.lines.get(key, self.line)


class Refuses(Protocol):
    """A table or a row: says what is wrong with one of its keys or columns."""

    def refuse(self, key: str, message: str, remedy: str) -> None: ...


class Reading:
    """State of one reading. `names` also holds what was declared wrongly, so that one mistake is one problem."""

    def __init__(self, directory: FilePath) -> None:
        self.directory = directory
        self.findings = Findings()
        self.names: dict[Thing, set[str]] = {thing: set() for thing in Thing}
        self.places: dict[tuple[Thing, str], Place] = {}
        self.unknowable: set[Thing] = set()
        """Kinds of things whose file could not be read: nothing that names one can be judged."""
        self.unread: set[str] = set()
        """Files that could not be read."""
        self.sources: list[Source] = []
        self.region = "US"
        """Country whose phone numbers may be written without their country code."""

    def declare(self, thing: Thing, name: str, file: str, line: int, lines: Mapping[str, int] | None = None) -> None:
        """There is such a thing. Its place is the first that was told, until one with the `lines` of its keys is."""
        self.names[thing].add(name)
        if lines:
            self.places[thing, name] = Place(file=file, line=line, lines=lines)
        else:
            self.places.setdefault((thing, name), Place(file=file, line=line))

    def known(self, thing: Thing, name: str, place: Refuses, key: str) -> bool:
        """Is there such a thing? If not, says so at the place that names it."""
        if name in self.names[thing]:
            return True
        if thing in self.unknowable:
            return False
        place.refuse(key, f"no {thing} {quoted(name)}", did_you_mean(name, self.names[thing]))
        return False

    def all_known(self, thing: Thing, names: Iterable[str], place: Refuses, key: str) -> tuple[str, ...]:
        """The names that exist."""
        return tuple(name for name in names if self.known(thing, name, place, key))

    def may_dial(self, written: str, place: Refuses, key: str) -> bool:
        """Nothing that reaches an emergency service ever passes, in whatever form (req 62)."""
        why = blocked(written)
        if why is not None:
            remedy = "write their own number: the person's, or the ten-digit one that a dispatch center agreed to"
            place.refuse(key, f"{quoted(written)} must never be dialled: {why}", remedy)
        return why is None

    def phone(self, written: str, place: Refuses, key: str) -> str | None:
        """A number as E.164, or `None` and a problem."""
        if not self.may_dial(written, place, key):
            return None
        e164 = as_e164(written, self.region)
        if e164 is None:
            message = f"{quoted(written)} is not a phone number{why_no_number(written, self.region)}"
            place.refuse(key, message, 'write it like "+12025550142"')
            return None
        return e164 if self.may_dial(e164, place, key) else None


@lru_cache(maxsize=16_384)  # a reload reads all numbers of a district again
def as_e164(written: str, region: str) -> str | None:
    """`None`: it is none that a text reaches."""
    try:
        number = phonenumbers.parse(written, region)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(number) or number.extension is not None:
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def why_no_number(written: str, region: str) -> str:
    """What is wrong with it, without a digit of it: what is said may land in a ticket."""
    digits = sum(character.isdigit() for character in written)
    try:
        number = phonenumbers.parse(written, region)
    except phonenumbers.NumberParseException:
        return f" ({digits} digits)"
    if number.extension is not None:
        return ": it has an extension, and no text reaches one"
    if phonenumbers.is_possible_number_with_reason(number) == phonenumbers.ValidationResult.IS_POSSIBLE:
        return ": its length is right, but no number of its country begins like that, look at the area code"
    return f" ({digits} digits)"
