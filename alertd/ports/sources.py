"""Where presses come from: a source hands what arrives to the one door. And the way back to the device.

Must never let a source acknowledge what the door has not committed.
"""

from collections.abc import Awaitable, Iterable, Sequence
from typing import Protocol, runtime_checkable

from msgspec import Struct

from alertd.model.check_in import CheckIn
from alertd.model.decision import Confirmation
from alertd.model.events import Arrival, Event


class Door(Protocol):
    """The one door: `daemon.intake`."""

    def receive(self, arrival: Arrival) -> Awaitable[None]:
        """Completes when everything that follows from the arrival is committed; raises `NotCommittedError` if the
        commit failed. Only then may the source acknowledge, and only over the connection that delivered it."""
        ...

    def submit(self, event: Event) -> Awaitable[None]:
        """The same for an event that needs no routing."""
        ...

    def observe(self, source: str, name: str, *, value: float = 1.0) -> None:
        """Telemetry lane: count something; never waits, never fails."""
        ...

    def check_in(
        self, source: str, check_ins: Sequence[CheckIn], *, retained: bool = False, qos: int | None = None
    ) -> None:
        """Telemetry lane: devices were heard; never waits, never fails. `retained`: the broker remembered it. That is
        the state of a link, and no sign of life. `qos`: at which it came, on the way of presses."""
        ...


class NotCommittedError(Exception):
    """The event is not on disk. A source drops its connection, so that the broker delivers again."""


class Source(Protocol):
    """Where presses come from. Runs until cancelled; survives its peer's outages by itself."""

    name: str

    async def run(self, door: Door) -> None: ...

    @property
    def is_connected(self) -> bool:
        """Proof of life: the session with the broker stands."""
        ...


@runtime_checkable
class Listening(Protocol):
    """An optional ability of a source: it hears signs of life over another way than presses."""

    @property
    def is_listening(self) -> bool:
        """What devices say now is heard; while it is not, their silence means nothing."""
        ...


class Sample(Struct, frozen=True, kw_only=True):
    """A message of a device that nobody has registered."""

    topic: str
    payload: bytes | None
    """`None`: not kept. It is long, or may hold a code that somebody typed."""
    at_us: int
    """When it came; wall clock."""
    qos: int
    retained: bool
    said: str
    """What its decoder made of it, in words."""


STRANGERS_MAX = 500
"""Strangers of one source that are remembered: a network server carries a town's water meters, too."""


class Stranger(Struct, frozen=True, kw_only=True):
    """A device that was heard, and that nobody has registered."""

    device_id: str
    """As its messages spell it."""
    messages: int
    """How many of it came since it was first heard."""
    first_us: int
    samples: tuple[Sample, ...]
    """The last few, the newest at the end."""


@runtime_checkable
class Resuming(Protocol):
    """An optional ability of a source: it ends troubles that an earlier process raised, once it sees that they are
    over."""

    def resume(self, troubles: Iterable[str]) -> None:
        """Keys of the district's troubles that stand, its own and others'; known before it runs."""
        ...


@runtime_checkable
class Overhearing(Protocol):
    """An optional ability of a source: it remembers who was heard and is not registered, for whoever registers it."""

    name: str

    def strangers(self) -> Sequence[Stranger]:
        """From memory, which is bounded: of more than `STRANGERS_MAX`, those heard last."""
        ...

    async def overhear(self) -> None:
        """Listen until cancelled, for `strangers`, where no daemon does: over a session of its own, which takes nothing
        from the daemon's and acknowledges nothing. Raises `ConnectionError` if there is nothing to listen to."""
        ...


class Feedback(Protocol):
    """The way back to the presser's device."""

    def confirm(self, confirmation: Confirmation) -> None:
        """Put it in line and return: it is called in the path of a press. Best effort, bounded by the adapter; never
        raises for a device that is away."""
        ...
