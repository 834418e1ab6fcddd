"""`SqlStore`: the verbs of `ports.Store` that are the same on both databases.

Owns the order of things in a claim and in a quarantine. Never opens a connection: its two children do, and say what
time it is for leases and for rows that outlive a boot.
"""

import os
from abc import ABC, abstractmethod
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from alertd.model.anchor import Now
from alertd.model.check_in import LastSeen
from alertd.model.decision import Decision, EntryKind
from alertd.model.device_memory import GestureCount
from alertd.model.drill import Drill
from alertd.model.events import Event
from alertd.model.ids import DeviceId, DrillId, IncidentId, NotificationId, SiteId, derive
from alertd.model.incident import Incident
from alertd.model.notification import Claim, Lane, NotificationRow, left_us
from alertd.model.trouble import Trouble
from alertd.ports import Clock, DueTimer, JournalLine, OutboxCount
from alertd.store import rows, sql
from alertd.store.claim_gate import SET_BACK_US, IncidentLife, Refusal
from alertd.store.journal import Head
from alertd.store.memory import Memory
from alertd.store.reading import Reader
from alertd.store.rows import Moment
from alertd.store.sql import Session
from alertd.store.transaction import Scope, Script, SqlTransaction

LEASE_S = 60.0
"""Longer than any channel's deadline, and than a look-up."""
CLAIM_ROUNDS_MAX = 20
"""Rounds of one claim; each but the last found rows that may not be sent."""
CLAIM_SPARE = 50
"""Rows looked at beyond the limit, in case some are refused."""
ABANDONED_MAX = 500
"""Rows taken over at once."""
URGENT = max(lane for lane in Lane if lane.is_urgent)
FALLBACK_BORN_LEASED = 50
"""Rows of the fixed fallback that are born claimed, a channel."""
UNCLAIMED_US = 3600 * 1_000_000
"""A queued row that is out of date for so long waits for a channel that is gone."""
UNCLAIMED_MAX = 1_000
"""Of them in one tidying: the next finds the others."""
SALT_BYTES = 16
SALTS_DRAWN = 64
CAUSE_KEPT_US = 30 * 24 * 3600 * 1_000_000
"""A broker may keep a press for a holiday; after that it is a new one."""


def random_salts() -> Callable[[], str]:
    """Salts of 16 random bytes. The kernel is asked for many at once: a press needs several."""
    salts: list[str] = []

    def salt() -> str:
        if not salts:
            drawn = os.urandom(SALT_BYTES * SALTS_DRAWN).hex()
            salts.extend(drawn[start : start + 2 * SALT_BYTES] for start in range(0, len(drawn), 2 * SALT_BYTES))
        return salts.pop()

    return salt


random_salt = random_salts()


class SqlStore(ABC):
    """See `ports.Store`."""

    def __init__(self, *, lease_s: float = LEASE_S, salt: Callable[[], str] = random_salt) -> None:
        self._lease_us = int(lease_s * 1_000_000)
        self._salt = salt
        self._memory = Memory()
        self.is_spare = False
        """Stands in for a disk, in memory: what it holds goes with the power."""
        self._owner = ""
        self._clock: Clock | None = None
        self._since_us = 0
        """Boot time at which it was opened."""
        self._reader: Reader | None = None

    # --- what the children know ---------------------------------------------------------------------------------------

    @abstractmethod
    def open(self, owner: str, clock: Clock) -> None: ...

    @abstractmethod
    def _hang_up(self) -> None:
        """Let go of the writer's connection, whatever state it is in."""

    def _close_readers(self) -> None:
        if self._reader is not None:
            self._reader.close()
            self._reader = None

    def close(self) -> None:
        self._close_readers()
        self._hang_up()

    @property
    def durable(self) -> bool:
        """A commit that returned is kept."""
        return True

    def damaged(self) -> str:
        """A server's database is mended by its own people."""
        return ""

    def unread(self) -> str:
        """What cannot be read fails; nothing stands in for it."""
        return ""

    @abstractmethod
    def heal(self, now: Now) -> bool: ...

    @abstractmethod
    def ready(self) -> None:
        """Reconnect after an error. Raises `StoreError` if that is not possible now."""

    @property
    @abstractmethod
    def _session(self) -> Session: ...

    @abstractmethod
    def _moment(self, now: Now) -> Moment: ...

    def _moment_of(self, now: Now, *, wall_us: int, lease_us: int, ahead_us: int = 0) -> Moment:
        """`now` with the clocks of this database: see `Moment`."""
        return Moment(
            owner=self._owner,
            boot_id=self._opened_clock.boot_id,
            boot_us=now.boot_us,
            wall_us=wall_us,
            lease_us=lease_us,
            lease_until_us=lease_us + self._lease_us,
            ahead_us=ahead_us,
        )

    @abstractmethod
    def _lock(self, site_ids: Sequence[SiteId]) -> None:
        """Nobody else writes these sites until the transaction ends; what memory holds of them is current."""

    def _rescue(self, script: Script, gives_tokens: bool) -> bool:  # noqa: FBT001 - a callable of the scope
        """Play a commit that found no room where there is some."""
        del script, gives_tokens
        return False

    def _lock_tokens(self) -> None:  # noqa: B027 - a single writer needs no lock
        """Nobody else hands out reply tokens until the transaction ends."""

    @abstractmethod
    def abandoned(self, now: Now) -> tuple[NotificationRow, ...]: ...

    @abstractmethod
    def due_timers(self, now: Now, limit: int) -> tuple[DueTimer, ...]: ...

    @abstractmethod
    def next_due_us(self) -> tuple[int | None, int | None]: ...

    @property
    def _opened_clock(self) -> Clock:
        assert self._clock is not None, "open() comes first"
        return self._clock

    @property
    def _opened_reader(self) -> Reader:
        assert self._reader is not None, "open() comes first"
        return self._reader

    # --- the writer's verbs -------------------------------------------------------------------------------------------

    @contextmanager
    def begin(self, site_ids: Sequence[SiteId], now: Now) -> Iterator[SqlTransaction]:
        self.ready()
        try:
            self._lock(site_ids)
            moment = self._moment(now)
        except BaseException:
            self._session.rollback()
            raise
        sites = frozenset(site_ids)
        scope = Scope(
            site_ids=sites,
            now=now,
            moment=moment,
            salt=self._salt,
            rescue=self._rescue,
            lock_tokens=self._lock_tokens,
            since_us=self._since_us,
            is_spare=self.is_spare,
        )
        transaction = SqlTransaction(self._session, self._memory, scope)
        try:
            yield transaction
        finally:
            transaction.rollback()

    def claim(self, limits: Mapping[str, int], now: Now, *, panic_only: bool = False) -> tuple[Claim, ...]:
        claims: list[Claim] = []
        room = {channel: limit for channel, limit in sorted(limits.items()) if limit > 0}
        for spare in (0, *[CLAIM_SPARE] * (CLAIM_ROUNDS_MAX - 1)):  # hardly ever is one refused
            taken, refused = self._claim_round(room, now, URGENT if panic_only else max(Lane), spare)
            claims += taken
            for claim in taken:
                room[claim.notification.endpoint.channel] -= 1
            if not refused:
                break
            self._settle_refused(refused, now)
        return tuple(sorted(claims, key=lambda claim: (claim.notification.lane, claim.notification.created_us)))

    def let_go(self, channel: str, endpoint_keys: Sequence[str]) -> None:
        self._housekeep([(sql.LET_GO, (channel, self._session.listed(endpoint_keys)))])

    def _claim_round(
        self, room: Mapping[str, int], now: Now, lane: Lane, spare: int
    ) -> tuple[list[Claim], list[tuple[NotificationRow, Refusal]]]:
        self.ready()
        session, moment = self._session, self._moment(now)
        claims: list[Claim] = []
        refused: list[tuple[NotificationRow, Refusal]] = []
        try:
            due = self._due(session, moment, room, lane, spare)
            life = IncidentLife.of(session, [row.notification for row in due])
            left = dict(room)
            for row in due:
                refusal = life.refuses(row.notification, now, waited=True)
                if refusal is not None:
                    refused.append((row, refusal))
                elif left[row.notification.endpoint.channel] > 0:
                    left[row.notification.endpoint.channel] -= 1
                    claims.append(rows.next_claim(row))
            if claims:
                session.begin()
                lease = (moment.owner, moment.lease_until_us)
                session.run_many(sql.CLAIM, [(*lease, claim.notification.id) for claim in claims])
                session.commit()
        finally:
            session.rollback()
        return claims, refused

    def _due(
        self, session: Session, moment: Moment, room: Mapping[str, int], lane: Lane, spare: int
    ) -> list[NotificationRow]:
        clocks = (moment.boot_id, moment.boot_us, moment.boot_id, moment.wall_us)
        found: list[NotificationRow] = []
        for channel, limit in room.items():
            if limit > 0:
                due = session.rows(sql.READ_DUE, (channel, int(lane), *clocks, limit + spare))
                found += (rows.notification(row, moment.ahead_us) for row in due)
        return found

    def _settle_refused(self, refused: Sequence[tuple[NotificationRow, Refusal]], now: Now) -> None:
        """In a transaction of its own: the journal needs the sites' locks, which come before the rows'."""
        by_site: dict[SiteId, list[tuple[NotificationRow, Refusal]]] = defaultdict(list)
        for row, refusal in refused:
            by_site[row.notification.site_id].append((row, refusal))
        with self.begin(sorted(by_site), now) as transaction:
            for site_id in sorted(by_site):
                for row, refusal in by_site[site_id]:
                    current = transaction.notification(row.notification.id)
                    if current is not None and current.state is row.state:
                        transaction.write_refusal(row, refusal, now)
            transaction.commit(born_leased={})

    def _take_over(self, found: Sequence[sql.Row], moment: Moment) -> tuple[NotificationRow, ...]:
        """The rows are this owner's now, so that they are returned once a lease; their epoch stays."""
        taken = tuple(rows.notification(row, moment.ahead_us) for row in found)
        if taken:
            self._session.begin()
            lease = (moment.owner, moment.lease_until_us)
            self._session.run_many(sql.TAKE_OVER, [(*lease, row.notification.id) for row in taken])
            self._session.commit()
        return taken

    def save_raw(self, event: Event, error: str, decision: Decision, now: Now) -> tuple[Claim, ...]:
        with self.begin([event.site_id], now) as transaction:
            raw_id = derive("raw", repr(event))
            transaction.write_raw(rows.quarantine_row(raw_id, event, error, now))
            transaction.write(event, decision, now)
            channels = {row.notification.endpoint.channel for row in decision.notifications}
            return transaction.commit(born_leased=dict.fromkeys(channels, FALLBACK_BORN_LEASED))

    def prune(self, now: Now) -> int:
        """By the store's clock: one node's may be wrong, and what it throws away all have lost."""
        self.ready()
        moment = self._moment(now)
        before_us = moment.wall_us - CAUSE_KEPT_US
        statements = [(sql.PRUNE_CAUSES, (before_us,)), (sql.PRUNE_TROUBLES, (before_us,))]
        return self._housekeep([*statements, *((sql.EXPIRE, (each,)) for each in self._unclaimed(moment, now))])

    def _unclaimed(self, moment: Moment, now: Now) -> list[NotificationId]:
        found = self._session.rows(sql.READ_UNCLAIMED, (moment.wall_us - UNCLAIMED_US, UNCLAIMED_MAX))
        contents = [rows.notification(row, moment.ahead_us).notification for row in found]
        return [content.id for content in contents if left_us(content, now) < -UNCLAIMED_US]

    def erase_payloads(self, site_id: SiteId, before_us: int) -> int:
        """Erase names, numbers and words of a site's journal older than that; its chain still verifies."""
        return self._housekeep([(sql.ERASE_PAYLOADS, (site_id, site_id, before_us))])

    def _housekeep(self, statements: Sequence[tuple[str, sql.Row]]) -> int:
        self.ready()
        session = self._session
        try:
            session.begin()
            touched = sum(session.run(statement, params) for statement, params in statements)
            session.commit()
        finally:
            session.rollback()
        return touched

    def write_last_seen(self, seen: Sequence[LastSeen]) -> None:
        self.ready()
        session = self._session
        try:
            session.begin()
            ahead_us = self._opened_clock.now().wall_us + SET_BACK_US
            session.run(sql.DOUBT_STAMPS, (ahead_us, session.listed([each.device_id for each in seen])))
            session.run_many(sql.UPSERT_LAST_SEEN, [rows.last_seen_row(each) for each in seen])
            session.commit()
        finally:
            session.rollback()

    # --- reading, from any thread -------------------------------------------------------------------------------------

    def read_closed(self, *, before_us: int, after: IncidentId, limit: int) -> tuple[Incident, ...]:
        return self._opened_reader.closed(before_us=before_us, after=after, limit=limit)

    def read_incidents(self, *, open_only: bool, site_id: SiteId | None, limit: int) -> tuple[Incident, ...]:
        return self._opened_reader.incidents(open_only=open_only, site_id=site_id, limit=limit)

    def read_incident(self, incident_id: IncidentId) -> Incident | None:
        return self._opened_reader.incident(incident_id)

    def read_notifications(self, incident_id: IncidentId) -> tuple[NotificationRow, ...]:
        return self._opened_reader.notifications(incident_id)

    def read_notification(self, notification_id: NotificationId) -> NotificationRow | None:
        return self._opened_reader.notification(notification_id)

    def read_by_ref(self, channel: str, ref: str) -> NotificationRow | None:
        return self._opened_reader.by_ref(channel, ref)

    def read_under_way(self, channel: str, now: Now, within_us: int) -> tuple[NotificationRow, ...]:
        return self._opened_reader.under_way(channel, now, within_us)

    def read_outbox(self, now_us: int) -> tuple[OutboxCount, ...]:
        return self._opened_reader.outbox(now_us)

    def read_tests(self, since_us: int) -> tuple[NotificationRow, ...]:
        return self._opened_reader.tests(since_us)

    def read_unsettled(self, channel: str, now: Now, within_us: int) -> tuple[NotificationRow, ...]:
        return self._opened_reader.unsettled(channel, now, within_us)

    def read_timeline(self, incident_id: IncidentId) -> tuple[JournalLine, ...]:
        return self._opened_reader.timeline(incident_id)

    def read_journal(
        self, site_id: SiteId, *, since_us: int, until_us: int, after: int = 0, kind: EntryKind | None = None
    ) -> tuple[JournalLine, ...]:
        return self._opened_reader.lines(site_id, since_us=since_us, until_us=until_us, after=after, kind=kind)

    def read_troubles(self, *, latched: bool = False) -> tuple[Trouble, ...]:
        return self._opened_reader.troubles(latched=latched)

    def read_last_seen(self, device_ids: Sequence[DeviceId] | None = None) -> tuple[LastSeen, ...]:
        return self._opened_reader.last_seen(device_ids)

    def read_drills(self, *, running_only: bool, site_id: SiteId | None, limit: int) -> tuple[Drill, ...]:
        return self._opened_reader.drills(running_only=running_only, site_id=site_id, limit=limit)

    def read_device_tests(self, device_id: DeviceId | None = None) -> tuple[tuple[SiteId, GestureCount], ...]:
        return self._opened_reader.device_tests(device_id)

    def read_drill(self, drill_id: DrillId) -> Drill | None:
        return self._opened_reader.drill(drill_id)

    def verify_journal(self, site_id: SiteId) -> int:
        return self.verify_after(site_id, Head())

    def verify_after(self, site_id: SiteId, start: Head) -> int:
        """The same for a chain whose first entries are elsewhere; `start` is their last."""
        return self._opened_reader.verify(site_id, start)

    def read_head(self, site_id: SiteId) -> Head:
        return self._opened_reader.head(site_id)
