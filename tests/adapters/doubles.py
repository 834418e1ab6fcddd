"""What the tests of the outward adapters share: a clock that stands still, a door that remembers, people's secrets."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from alertd.model.anchor import Now
from alertd.model.check_in import CheckIn
from alertd.model.events import Arrival, Event
from alertd.model.ids import NotificationId
from alertd.model.notification import NotificationRow
from alertd.ports import Clock, Http, NotCommittedError, Surroundings
from alertd.testing.scripted_http import ScriptedHttp

START_US = 1_792_075_320_000_000
"""A school day in October 2026."""


class SteadyClock:
    def __init__(self, wall_us: int = START_US) -> None:
        self.wall_us = wall_us
        self.boot_us = 1_000_000_000
        self.boot_id = "boot-1"

    def now(self) -> Now:
        return Now(wall_us=self.wall_us, boot_us=self.boot_us)

    def pass_s(self, seconds: float) -> None:
        self.wall_us += int(seconds * 1_000_000)
        self.boot_us += int(seconds * 1_000_000)


class OpenDoor:
    """Commits everything, unless its disk is `broken`."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.observed: Counter[str] = Counter()
        self.is_broken = False

    async def receive(self, arrival: Arrival) -> None:
        raise AssertionError("an outward adapter has no arrivals")

    async def submit(self, event: Event) -> None:
        if self.is_broken:
            raise NotCommittedError("disk full")
        self.events.append(event)

    def observe(self, source: str, name: str, *, value: float = 1.0) -> None:
        self.observed[name] += 1

    def check_in(
        self, source: str, check_ins: Sequence[CheckIn], *, retained: bool = False, qos: int | None = None
    ) -> None:
        raise AssertionError("an outward adapter hears no device")

    def of(self, kind: type) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]


class SomeActivity:
    """What the daemon would answer to a poller."""

    def __init__(self) -> None:
        self.is_open = True
        self.rows: list[NotificationRow] = []
        self.refs: dict[str, NotificationId] = {}
        """What the store knows of whose text is whose."""
        self.stored: dict[str, NotificationRow] = {}
        """Rows that are not on their way."""

    def open_incidents(self) -> bool:
        return self.is_open

    def unsettled(self, channel: str) -> Sequence[NotificationRow]:
        return tuple(self.rows)

    def owner_of(self, channel: str, ref: str) -> NotificationId | None:
        return self.refs.get(ref)

    def row(self, notification_id: NotificationId) -> NotificationRow | None:
        mine = [row for row in self.rows if row.notification.id == notification_id]
        return self.stored.get(notification_id) or next(iter(mine), None)


async def resolve_to_public(host: str, port: int) -> Sequence[str]:
    return ("93.184.215.14",)


def surroundings(
    http: Http | ScriptedHttp,
    secrets: Mapping[str, str],
    *,
    clock: Clock | None = None,
    public_base_url: str | None = None,
    extra: Mapping[str, Any] | None = None,
) -> Surroundings:
    def secret(name: str) -> str:
        if name not in secrets:
            raise LookupError(f"secret {name!r} is not set")
        return secrets[name]

    return Surroundings(
        clock=clock or SteadyClock(),
        http=http,
        secret=secret,
        public_base_url=public_base_url,
        extra={"resolve": resolve_to_public} if extra is None else extra,
    )
