"""The store as a simulated machine gives it to the daemon: the real one, behind a port that counts, refuses and tells.

Owns what is seen of commits. Must change nothing of what the store does.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TypeVar

from alertd.model.anchor import Now
from alertd.model.check_in import LastSeen
from alertd.model.decision import Decision, EntryKind
from alertd.model.device_memory import GestureCount
from alertd.model.drill import Drill
from alertd.model.events import Event
from alertd.model.ids import DeviceId, DrillId, IncidentId, NotificationId, SiteId
from alertd.model.incident import Incident
from alertd.model.notification import Claim, NotificationRow
from alertd.model.trouble import Trouble
from alertd.ports import Clock, DueTimer, JournalLine, OutboxCount, Store, Transaction
from alertd_simulator.world.life import DeadError, Life

T = TypeVar("T")
Seen = Callable[[Sequence[tuple[Event, Decision]], bool], None]
"""Told of each commit: its decisions, and whether it is durable."""


class GuardedTransaction:
    """See `ports.Transaction`: `write` and `commit` are watched, the rest is the transaction's own."""

    def __init__(self, transaction: Transaction, store: "GuardedStore") -> None:
        self._transaction = transaction
        self._store = store
        self._written: list[tuple[Event, Decision]] = []
        self.site_state = transaction.site_state
        self.policies = transaction.policies
        self.seen_us = transaction.seen_us
        self.notification = transaction.notification
        self.turn = transaction.turn
        self.phone_incidents = transaction.phone_incidents
        self.free_tokens = transaction.free_tokens
        self.opted_out = transaction.opted_out
        self.broken_channels = transaction.broken_channels
        self.rollback = transaction.rollback

    def write(self, event: Event, decision: Decision, now: Now) -> None:
        self._transaction.write(event, decision, now)
        self._written.append((event, decision))

    def commit(self, *, born_leased: Mapping[str, int]) -> tuple[Claim, ...]:
        with self._store.life.passing("store.commit"):
            claims = self._transaction.commit(born_leased=born_leased)
            self._store.saw(self._written)
        return claims


class GuardedStore:
    """See `ports.Store`. `begun` is called when a transaction is about to begin."""

    def __init__(
        self,
        store: Store,
        life: Life,
        *,
        begun: Callable[[], None],
        seen: Seen,
    ) -> None:
        self.life = life
        self._begun = begun
        self._store = store
        self._seen = seen

    def saw(self, written: Sequence[tuple[Event, Decision]]) -> None:
        self._seen(written, self._store.durable)

    # --- life

    def open(self, owner: str, clock: Clock) -> None:
        with self.life.passing("store.open"):
            self._store.open(owner, clock)

    def close(self) -> None:
        """A dead process closes nothing; the machine buries it."""
        if self.life.alive:
            self._store.close()

    @property
    def durable(self) -> bool:
        return self._store.durable

    def damaged(self) -> str:
        return self._ask(self._store.damaged)

    def unread(self) -> str:
        return self._ask(self._store.unread)

    def heal(self, now: Now) -> bool:
        with self.life.passing("store.heal"):
            self._begun()  # a commit that failed before it moved nothing
            healed = self._store.heal(now)
            self._seen((), healed)
            return healed

    def prune(self, now: Now) -> int:
        return self._ask(lambda: self._store.prune(now))

    def write_last_seen(self, seen: Sequence[LastSeen]) -> None:
        with self.life.passing("store.write_last_seen"):
            self._store.write_last_seen(seen)

    # --- the writer's verbs

    @contextmanager
    def begin(self, site_ids: Sequence[SiteId], now: Now) -> Iterator[Transaction]:
        with self.life.passing("store.begin"):
            self._begun()
            transaction = self._store.begin(site_ids, now)
        with transaction as opened:
            try:
                yield GuardedTransaction(opened, self)
            except DeadError:
                opened.rollback()
                raise

    def claim(self, limits: Mapping[str, int], now: Now, *, panic_only: bool = False) -> tuple[Claim, ...]:
        with self.life.passing("store.claim"):
            self._begun()
            claims = self._store.claim(limits, now, panic_only=panic_only)
            self._seen((), self._store.durable)
        return claims

    def let_go(self, channel: str, endpoint_keys: Sequence[str]) -> None:
        with self.life.passing("store.let_go"):
            self._begun()
            self._store.let_go(channel, endpoint_keys)
            self._seen((), self._store.durable)

    def abandoned(self, now: Now) -> tuple[NotificationRow, ...]:
        with self.life.passing("store.abandoned"):
            self._begun()
            rows = self._store.abandoned(now)
            self._seen((), self._store.durable)
        return rows

    def due_timers(self, now: Now, limit: int) -> tuple[DueTimer, ...]:
        with self.life.passing("store.due_timers"):
            return self._store.due_timers(now, limit)

    def next_due_us(self) -> tuple[int | None, int | None]:
        return self._ask(self._store.next_due_us)

    def save_raw(self, event: Event, error: str, decision: Decision, now: Now) -> tuple[Claim, ...]:
        with self.life.passing("store.save_raw"):
            self._begun()
            claims = self._store.save_raw(event, error, decision, now)
            self.saw([(event, decision)])
        return claims

    # --- reading

    def _ask(self, read: Callable[[], T]) -> T:
        self.life.refuse_if_dead()
        return read()

    def read_closed(self, *, before_us: int, after: IncidentId, limit: int) -> tuple[Incident, ...]:
        return self._ask(lambda: self._store.read_closed(before_us=before_us, after=after, limit=limit))

    def read_incidents(self, *, open_only: bool, site_id: SiteId | None, limit: int) -> tuple[Incident, ...]:
        return self._ask(lambda: self._store.read_incidents(open_only=open_only, site_id=site_id, limit=limit))

    def read_incident(self, incident_id: IncidentId) -> Incident | None:
        return self._ask(lambda: self._store.read_incident(incident_id))

    def read_notifications(self, incident_id: IncidentId) -> tuple[NotificationRow, ...]:
        return self._ask(lambda: self._store.read_notifications(incident_id))

    def read_notification(self, notification_id: NotificationId) -> NotificationRow | None:
        return self._ask(lambda: self._store.read_notification(notification_id))

    def read_by_ref(self, channel: str, ref: str) -> NotificationRow | None:
        return self._ask(lambda: self._store.read_by_ref(channel, ref))

    def read_outbox(self, now_us: int) -> tuple[OutboxCount, ...]:
        return self._ask(lambda: self._store.read_outbox(now_us))

    def read_tests(self, since_us: int) -> tuple[NotificationRow, ...]:
        return self._ask(lambda: self._store.read_tests(since_us))

    def read_under_way(self, channel: str, now: Now, within_us: int) -> tuple[NotificationRow, ...]:
        return self._ask(lambda: self._store.read_under_way(channel, now, within_us))

    def read_unsettled(self, channel: str, now: Now, within_us: int) -> tuple[NotificationRow, ...]:
        return self._ask(lambda: self._store.read_unsettled(channel, now, within_us))

    def read_timeline(self, incident_id: IncidentId) -> tuple[JournalLine, ...]:
        return self._ask(lambda: self._store.read_timeline(incident_id))

    def read_journal(
        self, site_id: SiteId, *, since_us: int, until_us: int, after: int = 0, kind: EntryKind | None = None
    ) -> tuple[JournalLine, ...]:
        return self._ask(
            lambda: self._store.read_journal(site_id, since_us=since_us, until_us=until_us, after=after, kind=kind)
        )

    def read_drills(self, *, running_only: bool, site_id: SiteId | None, limit: int) -> tuple[Drill, ...]:
        return self._ask(lambda: self._store.read_drills(running_only=running_only, site_id=site_id, limit=limit))

    def read_device_tests(self, device_id: DeviceId | None = None) -> tuple[tuple[SiteId, GestureCount], ...]:
        return self._ask(lambda: self._store.read_device_tests(device_id))

    def read_drill(self, drill_id: DrillId) -> Drill | None:
        return self._ask(lambda: self._store.read_drill(drill_id))

    def read_troubles(self, *, latched: bool = False) -> tuple[Trouble, ...]:
        return self._ask(lambda: self._store.read_troubles(latched=latched))

    def read_last_seen(self, device_ids: Sequence[DeviceId] | None = None) -> tuple[LastSeen, ...]:
        return self._ask(lambda: self._store.read_last_seen(device_ids))

    def verify_journal(self, site_id: SiteId) -> int:
        return self._ask(lambda: self._store.verify_journal(site_id))
