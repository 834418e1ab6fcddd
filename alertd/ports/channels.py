"""How somebody is told, and how what they answer and what providers report come back.

A channel tries once and says what became of it; whether, when and to whom is sent is not for it to decide.
"""

from collections.abc import AsyncIterator, Callable, Sequence
from typing import Protocol

from msgspec import Struct

from alertd.model.ids import NotificationId
from alertd.model.notification import Claim, NotificationRow
from alertd.model.outcome import Outcome
from alertd.ports.sources import Door
from alertd.ports.world import HttpRequest, HttpResponse


class ChannelLimits(Struct, frozen=True, kw_only=True):
    """Bounds of one configured channel. `per_s` 0 = unlimited."""

    per_s: float = 0.0
    paced: bool = False
    """The provider starts no more than `per_s` anyway, one after the other. A panic waits for the rate too, here, where
    the most urgent still goes first and what is over is still withdrawn."""
    concurrent: int = 50
    deadline_s: float = 10.0
    """An attempt is cancelled then, and its outcome is unknown."""
    answers: bool = True
    """Whoever is told over it can answer by it. False: a call that takes no keys, a sign on a wall."""


class Channel(Protocol):
    """One configured way to tell somebody."""

    name: str
    kind: str
    limits: ChannelLimits

    async def send(self, claim: Claim) -> Outcome:
        """Try once. Every expected trouble is an outcome, not an exception."""
        ...

    async def look_up(self, row: NotificationRow) -> Outcome | None:
        """What became of an attempt whose answer was lost; `None` if the provider cannot tell.

        `Failed(permanent=False, code="not_found")`: the provider certainly never had it."""
        ...


class Recalling(Protocol):
    """An optional ability of a channel: what its provider has taken, and nobody has got yet, can be taken back."""

    async def withdraw(self, row: NotificationRow) -> Outcome | None:
        """Take it back. `Withdrawn`: the provider says that nobody gets it any more. Any other outcome: it was too
        late, somebody has it or it came to its own end, and its status will tell. `None`: the provider did not say; it
        is asked again. Whoever has it already is left alone, but where a drill would be heard on: it is cut off."""
        ...


class OneAtATime(Protocol):
    """An optional ability of a channel: an address takes one thing at a time, as a telephone does. What is sent while
    another of ours has it is not tried; it goes when the address is free, the most urgent first."""

    def held(self) -> frozenset[str]:
        """Addresses that something of ours has, as far as is known."""
        ...

    def resume(self, rows: Sequence[NotificationRow]) -> None:
        """What an earlier process, or this section before a reload, may have under way still; known before anything
        is sent."""
        ...

    def on_free(self, tell: Callable[[], None]) -> None:
        """Call this whenever an address has become free."""
        ...


class Activity(Protocol):
    """What inbound pollers may ask of the daemon."""

    def open_incidents(self) -> bool:
        """Is any incident open, or did one close within the last ten minutes?"""
        ...

    def unsettled(self, channel: str) -> Sequence[NotificationRow]:
        """Rows of the channel that were accepted but are not yet delivered or failed."""
        ...

    def owner_of(self, channel: str, ref: str) -> NotificationId | None:
        """Whose last attempt the channel's provider has named so, as far as it is stored; however long ago."""
        ...

    def row(self, notification_id: NotificationId) -> NotificationRow | None:
        """A row as it is stored, if it can be read: what a call says, what was answered to a key."""
        ...


class Inbound(Protocol):
    """Brings replies and statuses in: a poller. Runs until cancelled."""

    name: str

    async def run(self, door: Door, activity: Activity) -> None: ...


class Callbacks(Protocol):
    """An optional channel ability: signed provider callbacks, served by the console under `/v1/callbacks/{name}`."""

    name: str

    async def callback(self, request: HttpRequest, door: Door) -> HttpResponse:
        """`request.url` is the public URL; an unsigned or wrongly signed request is answered 403 and counted."""
        ...


PROBE_WAIT_S = 15.0
"""Longest time a probe may take for its next finding."""


class Found(Struct, frozen=True, kw_only=True):
    """One thing that a probe saw, in words for whoever runs alertd."""

    text: str
    remedy: str = ""
    """What to do about it; empty: nothing is wrong."""
    grave: bool = True
    """With a remedy: this stands between a press and people now. False: it may one day, or it is not known."""

    @property
    def is_good(self) -> bool:
        return not self.remedy


class Probe(Protocol):
    """An optional ability: what can be known about the way to people without telling anybody anything.

    Asked by `alertd doctor`, also beside a running daemon and once a night: never page, never open a session of the
    daemon's own, never claim what was not seen. Its `Http` refuses everything but GET. Findings are shown as they come,
    and each has `PROBE_WAIT_S`; a step that blocks belongs into a thread."""

    def __call__(self, addresses: Sequence[str]) -> AsyncIterator[Found]:
        """`addresses`: those that the configuration sends to over this channel; not for showing."""
        ...
