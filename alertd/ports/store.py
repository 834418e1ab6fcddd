"""Durable truth, as the daemon sees it. What each promise means is tested by `alertd.testing.store_contract`."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from msgspec import Struct

from alertd.model.anchor import Now
from alertd.model.check_in import LastSeen
from alertd.model.decision import Decision, Entry, EntryKind, PhoneIncident, SiteState, Turn
from alertd.model.device_memory import GestureCount
from alertd.model.drill import Drill
from alertd.model.events import Event
from alertd.model.ids import CauseId, DeviceId, DrillId, IncidentId, NotificationId, SiteId
from alertd.model.incident import Incident
from alertd.model.notification import Claim, NotificationRow, NotificationState
from alertd.model.policy import Policy
from alertd.model.timer import Timer
from alertd.model.trouble import Trouble
from alertd.ports.world import Clock


class StoreError(Exception):
    """The commit did not happen, or may not have: nothing that depends on it may leave the building."""


class StoreFullError(StoreError):
    """No space on the device."""


class StoreLockedError(StoreError):
    """Another daemon runs on this database."""


class DueTimer(Struct, frozen=True, kw_only=True):
    """A timer row that is due."""

    timer: Timer


class OutboxCount(Struct, frozen=True, kw_only=True):
    """Messages of one channel that are in one state, and none at its end."""

    channel: str
    state: NotificationState
    rows: int
    oldest_us: int
    """When the oldest was written; wall clock."""


class JournalLine(Struct, frozen=True, kw_only=True):
    """One entry as stored. `entry` is `None` where its personal part was erased; the chain still verifies."""

    site_id: SiteId
    sequence: int
    at_us: int
    entry: Entry | None
    hash: str


class Transaction(Protocol):
    """One commit: the rows of some sites, read and written under their locks."""

    def site_state(self, site_id: SiteId) -> SiteState:
        """The site's rows. The same object for the whole transaction; `write` applies decisions to it."""
        ...

    def policies(self, hashes: Sequence[str]) -> dict[str, Policy]: ...

    def seen_us(self, cause: CauseId) -> int | None:
        """When a cause was committed, as the wall clock of now would have shown it; `None`: it is not known."""
        ...

    def notification(self, notification_id: NotificationId) -> NotificationRow | None: ...

    def turn(self, site_id: SiteId, endpoint_key: str) -> Turn | None:
        """Rows of the site that wait to be tried again at this address, after a try that failed; `None`: none does."""
        ...

    def phone_incidents(self, endpoint_key: str, since_us: int) -> tuple[PhoneIncident, ...]:
        """Incidents that the endpoint was told of and that are open, or were opened, closed or told it since then,
        whoever has set a clock; open ones first, and of each the newest. Of very many those that are open, then the
        gravest."""
        ...

    def free_tokens(self, limit: int) -> tuple[str, ...]:
        """Tokens that no incident still open has, nor one opened or closed in the last 24 h; best first."""
        ...

    def opted_out(self) -> frozenset[str]: ...

    def broken_channels(self) -> frozenset[str]: ...

    def write(self, event: Event, decision: Decision, now: Now) -> None:
        """State, journal, outbox and timers of one decision. Raises nothing of its own until `commit`."""
        ...

    def commit(self, *, born_leased: Mapping[str, int]) -> tuple[Claim, ...]:
        """Make it durable. Queued rows that are due are born claimed by this owner, at most `born_leased[channel]`
        a channel and the most urgent first; the rest stay queued. Raises `StoreError`."""
        ...

    def rollback(self) -> None: ...


class Store(Protocol):
    """Durable truth. Synchronous: one writer thread calls it in production, the virtual loop inline.

    Only `read_*` and `verify_journal` may be called from other threads."""

    def open(self, owner: str, clock: Clock) -> None:
        """Raises `StoreLockedError` if another daemon holds it, `StoreError` if its schema is newer than ours."""
        ...

    def close(self) -> None: ...

    @property
    def durable(self) -> bool:
        """Does a commit reach the disk? False while the disk is full or failing and commits go to memory: what was
        committed is sent and escalated as ever, but a source must not be acknowledged (promise 1). Any thread."""
        ...

    def damaged(self) -> str:
        """Name of the damaged database that was set aside when the store was opened, now or earlier, and that nobody
        has moved away yet; empty if there is none. From the writer."""
        ...

    def unread(self) -> str:
        """While memory stands in for a disk that could not be read: which, and why. What was going on may not be known
        then. Empty if it was read. From the writer."""
        ...

    def heal(self, now: Now) -> bool:
        """Call every few seconds, from the writer: brings what memory held back to the disk, reconnects, re-creates
        the ballast. Never raises; returns `durable`. On a change to True withheld acknowledgements may be given."""
        ...

    def write_last_seen(self, seen: Sequence[LastSeen]) -> None:
        """Keep when these devices were last heard, in one commit of its own; of two nodes' the later one stays, unless
        it lies ahead of now: then a clock was wrong. From the writer, a few hundred at once. No evidence: while the
        store is not durable nothing is written; that raises `StoreError`, and whoever calls keeps them."""
        ...

    def prune(self, now: Now) -> int:
        """Forget causes and cleared troubles that are too old to come again. Number of rows; call once an hour."""
        ...

    def begin(self, site_ids: Sequence[SiteId], now: Now) -> AbstractContextManager[Transaction]:
        """Locks the sites. Leaving the block without `commit` rolls back."""
        ...

    def claim(self, limits: Mapping[str, int], now: Now, *, panic_only: bool = False) -> tuple[Claim, ...]:
        """Take due queued rows, most urgent first, at most so many a channel. The transaction re-reads what may have
        changed since they were queued: mode, the incident's life, expiry; what fails is withdrawn with its reason.

        `panic_only`: rows of urgent lanes only. A channel whose rate is used up by others still takes these."""
        ...

    def let_go(self, channel: str, endpoint_keys: Sequence[str]) -> None:
        """Queued rows of the channel to these endpoints that were *not tried* are due now."""
        ...

    def abandoned(self, now: Now) -> tuple[NotificationRow, ...]:
        """Rows claimed by an owner that is dead (its lease ended, or it is an earlier incarnation), and unknown ones
        whose look-up died with it. They are leased to this owner, same epoch, so each is returned once a lease."""
        ...

    def due_timers(self, now: Now, limit: int) -> tuple[DueTimer, ...]: ...

    def next_due_us(self) -> tuple[int | None, int | None]:
        """Boot time (µs) of the next timer and of the next queued row's `not_before`; `None` if there is none.
        May lie in the past: what is due but was not taken."""
        ...

    def save_raw(self, event: Event, error: str, decision: Decision, now: Now) -> tuple[Claim, ...]:
        """Quarantine an event that `decide` cannot handle, with the fixed fallback's decision, in one commit."""
        ...

    def read_incidents(self, *, open_only: bool, site_id: SiteId | None, limit: int) -> tuple[Incident, ...]: ...

    def read_incident(self, incident_id: IncidentId) -> Incident | None: ...

    def read_closed(self, *, before_us: int, after: IncidentId, limit: int) -> tuple[Incident, ...]:
        """Incidents that were closed before then (wall clock), by their ids, which begin behind `after`."""
        ...

    def read_notifications(self, incident_id: IncidentId) -> tuple[NotificationRow, ...]: ...

    def read_notification(self, notification_id: NotificationId) -> NotificationRow | None: ...

    def read_by_ref(self, channel: str, ref: str) -> NotificationRow | None:
        """The row whose last attempt the channel's provider has named so."""
        ...

    def read_outbox(self, now_us: int) -> tuple[OutboxCount, ...]:
        """What waits or is under way, counted; of what a provider has taken, the last day's."""
        ...

    def read_tests(self, since_us: int) -> tuple[NotificationRow, ...]:
        """Rows of kind TEST and DISPATCH_HEARTBEAT created since then, oldest first: what became of `alertd test`."""
        ...

    def read_unsettled(self, channel: str, now: Now, within_us: int) -> tuple[NotificationRow, ...]:
        """Rows that the provider has taken and not settled, of which none was written longer ago, whoever set the clock
        since; newest first. In an earlier boot: longer ago by the clock on the wall."""
        ...

    def read_under_way(self, channel: str, now: Now, within_us: int) -> tuple[NotificationRow, ...]:
        """The same of rows that are claimed, of unknown outcome, or taken by the provider, however much more is known
        of those. While this boot is younger than that, the clock on the wall is not believed: of earlier boots also
        those that were written within that time before the last one."""
        ...

    def read_timeline(self, incident_id: IncidentId) -> tuple[JournalLine, ...]: ...

    def read_journal(
        self, site_id: SiteId, *, since_us: int, until_us: int, after: int = 0, kind: EntryKind | None = None
    ) -> tuple[JournalLine, ...]:
        """Lines of one site that were written in that time (wall clock), of one kind or of all, in their order. At
        most some thousands: ask again with the last one's number as `after` until none is left."""
        ...

    def read_troubles(self, *, latched: bool = False) -> tuple[Trouble, ...]:
        """Those that stand; with `latched` also those that are over, and that nobody has acknowledged yet."""
        ...

    def read_last_seen(self, device_ids: Sequence[DeviceId] | None = None) -> tuple[LastSeen, ...]:
        """What was kept of these devices; `None`: of all. Stored for good, so it may be of devices long gone."""
        ...

    def read_drills(self, *, running_only: bool, site_id: SiteId | None, limit: int) -> tuple[Drill, ...]:
        """Drills, the newest first."""
        ...

    def read_drill(self, drill_id: DrillId) -> Drill | None: ...

    def read_device_tests(self, device_id: DeviceId | None = None) -> tuple[tuple[SiteId, GestureCount], ...]:
        """What the core remembers of devices that are being tried out; only of one, if it is named."""
        ...

    def verify_journal(self, site_id: SiteId) -> int:
        """Number of entries of an unbroken chain. Raises `StoreError` naming the first broken entry."""
        ...
