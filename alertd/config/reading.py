"""`Reading`: what is known while one configuration directory is read: problems, declared names, places of things.

Also the two checks of values that many files need: references to other things, and phone numbers.
"""

from collections.abc import Iterable
from enum import StrEnum
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


class Place(Struct, frozen=True, kw_only=True):
    """Where something is written."""

    file: str
    line: int


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
        self.sources: list[Source] = []
        self.region = "US"
        """Country whose phone numbers may be written without their country code."""

    def declare(self, thing: Thing, name: str, file: str, line: int) -> None:
        self.names[thing].add(name)
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

    def phone(self, written: str, place: Refuses, key: str) -> str | None:
        """A number as E.164, or `None` and a problem. Nothing that reaches an emergency service ever passes."""
        why = blocked(written)
        if why is not None:
            place.refuse(key, f"{quoted(written)} must never be dialled: {why}", "write the person's own number")
            return None
        try:
            number = phonenumbers.parse(written, self.region)
        except phonenumbers.NumberParseException:
            number = None
        if number is None or not phonenumbers.is_valid_number(number) or number.extension is not None:
            place.refuse(key, f"{quoted(written)} is not a phone number", 'write it like "+12025550142"')
            return None
        e164 = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
        why = blocked(e164)
        if why is not None:
            place.refuse(key, f"{quoted(written)} must never be dialled: {why}", "write the person's own number")
            return None
        return e164
