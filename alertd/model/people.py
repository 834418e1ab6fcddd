"""Who can be told: people, their endpoints, groups, duty schedules, dispatch centres."""

from enum import StrEnum

from msgspec import Struct

from alertd.model.ids import PersonId, SiteId


class PersonKind(StrEnum):
    """Decides which words a person reads and whose answer counts."""

    STAFF = "staff"
    RESPONDER = "responder"
    PARENT = "parent"
    STUDENT = "student"


class Endpoint(Struct, frozen=True, kw_only=True):
    """One address on one channel. `address` is E.164 for a phone, the endpoint's configured name for a webhook.

    `channel` is the name of a configured channel ("sms", "dispatch-webhook").
    `dispatch`: this is a dispatch centre; promise 3 guards it.
    """

    channel: str
    address: str
    person_id: PersonId | None = None
    dispatch: bool = False
    accepts_exercise: bool = False

    @property
    def key(self) -> str:
        """Identity of the endpoint in ids and logs of sends."""
        return f"{self.channel}:{self.address}"


class Person(Struct, frozen=True, kw_only=True):
    """`name` is what others read ("Ruiz"); the endpoints are in order of preference."""

    id: PersonId
    name: str
    kind: PersonKind
    sites: tuple[SiteId, ...]
    endpoints: tuple[Endpoint, ...] = ()
    groups: tuple[str, ...] = ()
    language: str = "en"
    role: str = ""


class DutyShift(Struct, frozen=True, kw_only=True):
    """Local wall-clock time of a weekly shift. Both ends inclusive of the DST day they fall on: start = first
    occurrence, end = last occurrence, so shifts overlap in the autumn and never leave a gap."""

    person_id: PersonId
    days: tuple[int, ...]
    """ISO weekdays, 1 = Monday."""
    start: str
    """"HH:MM" in the schedule's time zone."""
    end: str


class Schedule(Struct, frozen=True, kw_only=True):
    """An on-call schedule: who is on duty when."""

    id: str
    site_id: SiteId
    time_zone: str
    shifts: tuple[DutyShift, ...]


class Destination(Struct, frozen=True, kw_only=True):
    """A machine that is told: a dispatch centre or any other webhook. Its URL and secret live in the channel."""

    id: str
    site_ids: tuple[SiteId, ...]
    endpoint: Endpoint
    reply_url: str | None = None
    """Where the centre reports what it does; `None` where it cannot reach us (behind NAT)."""
    accept_within_s: int = 60
    """A dispatch that has not *accepted* by then was "not told": the next route is taken (messages.md)."""
