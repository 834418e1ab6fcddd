"""`FallbackStore`: when the disk is full or fails, the same store goes on in memory (tmpfs) until the disk is back.

Whoever presses meanwhile is still told, and whoever answers still stops the escalation; only `durable` is false, so
that no press is acknowledged to its source. The order: the ballast is freed (`SqliteStore`), then memory is seeded with
what is going on and takes over, then `heal` merges it back. A crash in between loses nothing: the tmpfs outlives the
process, and a reboot finds every unacknowledged press at the broker.
"""

import os
import shutil
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, suppress
from hashlib import sha256
from pathlib import Path
from typing import TypeVar

import structlog

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
from alertd.ports import Clock, DueTimer, JournalLine, OutboxCount, StoreError, StoreFullError
from alertd.store import transfer
from alertd.store.ballast import free_bytes
from alertd.store.sqlite import SqliteStore
from alertd.store.transaction import Script, SqlTransaction

FAILURES_MAX = 2
"""Errors in a row after which the disk is given up for now; the first one is answered by reopening."""
MERGE_ROOM_BYTES = 1024 * 1024
"""Room that must be on the disk, beside twice what is to be merged, before that is tried."""
TMPFS = Path("/dev/shm")  # noqa: S108 - a directory of our own in it, checked by `_own_directory`

T = TypeVar("T")

log = structlog.get_logger(__name__)


def spare_directory(database: Path, parent: Path = TMPFS) -> Path:
    """One per database, found again after a crash."""
    return parent / f"alertd-{sha256(str(database.resolve()).encode()).hexdigest()[:16]}"


class FallbackStore:
    """See `ports.Store`. The disk's lock is held whatever happens."""

    def __init__(self, disk: SqliteStore, spare: SqliteStore) -> None:
        """`spare`: a store in a directory of its own on tmpfs, without ballast."""
        self._disk = disk
        self._spare = spare
        self._active = disk
        self._owner = ""
        self._clock: Clock | None = None
        self._unread = ""
        spare.is_spare = True
        disk.rescue_elsewhere = self._rescue

    # --- life ---------------------------------------------------------------------------------------------------------

    def open(self, owner: str, clock: Clock) -> None:
        self._owner, self._clock = owner, clock
        self._disk.hold(owner, clock)
        try:
            self._open_held(clock)
        except BaseException:
            self.close()
            raise

    def _open_held(self, clock: Clock) -> None:
        with suppress(StoreFullError):  # memory goes on, or begins: presses do not wait until somebody makes room
            self._disk.begin_life()
        if self._spare.path.exists():  # an earlier incarnation died before its disk was back
            self._open_spare()
            self._active = self._spare
            if not transfer.is_complete(self._spare.connection):
                self._unread = f"{self._disk.path} could not be read when memory took over"
            self.heal(clock.now())
        elif not self._disk.is_alive:  # the power went while the disk was full
            self._fall_back()
            self._spare.reanchor()

    def close(self) -> None:
        self._spare.close()
        self._disk.close()

    def damaged(self) -> str:
        return self._disk.damaged()

    def unread(self) -> str:
        return "" if self.durable else self._unread

    @property
    def durable(self) -> bool:
        return self._active is self._disk

    # --- over to memory, and back -------------------------------------------------------------------------------------

    def _open_spare(self) -> None:
        assert self._clock is not None, "open() comes first"
        _own_directory(self._spare.path.parent)
        self._spare.open(self._owner, self._clock)

    def _fall_back(self) -> None:
        """Raises `StoreError` if there is no room in memory either."""
        assert self._clock is not None, "open() comes first"
        remembered, self._unread = self._disk.remembered(), ""
        self._spare.close()
        _remove(self._spare.path.parent)
        self._open_spare()
        try:
            seeding = self._clock.now().wall_us, self._spare.path.parent
            transfer.seed_from_disk(self._spare.connection, self._disk.path, *seeding)
        except sqlite3.Error as unread:
            self._unread = f"{self._disk.path} cannot be read: {unread}"
            log.critical(
                "store_not_read",
                error=self._unread,
                open_incidents_known=sum(len(state.incidents) for state in remembered.states.values()),
                effect="what is on the disk, and not remembered, waits until it can be read",
            )
            try:
                transfer.seed_from_memory(self._spare.connection, remembered)
            except sqlite3.Error as error:
                raise StoreError(f"the disk of {self._disk.path} fails, and so does memory: {error}") from error
        self._active = self._spare

    def _rescue(self, script: Script, gives_tokens: bool) -> bool:  # noqa: FBT001 - a callable of the scope
        with suppress(StoreError):
            self._fall_back()
            if gives_tokens and not self._unread:
                return False  # the disk gives them out again: the caller decides anew, in memory
            self._spare.play(script)
            return True
        return False

    def heal(self, now: Now) -> bool:
        if self.durable:
            return self._disk.heal(now)
        size = self._spare.size_bytes
        if free_bytes(self._disk.path.parent) < 2 * size + MERGE_ROOM_BYTES:
            return False
        try:
            if not self._disk.is_alive:
                self._disk.begin_life()
            self._disk.reopen()
            transfer.merge(self._disk.connection, self._spare.path)
            self._disk.reanchor()  # what only the disk knows, too, if the clock was set meanwhile
        except (StoreError, sqlite3.Error) as error:
            log.warning("memory_not_merged", error=str(error), disk=str(self._disk.path))
            return False
        self._disk.forget_errors()
        self._active = self._disk
        self._spare.close()
        _remove(self._spare.path.parent)
        return self._disk.heal(now)

    def _ensure(self) -> SqliteStore:
        """The store that works now."""
        if self.durable:
            try:
                self._disk.ready()
            except StoreError:
                self._fall_back()
            else:
                if self._disk.failures >= FAILURES_MAX:
                    self._fall_back()
        return self._active

    def _attempt(self, verb: Callable[[SqliteStore], T]) -> T:
        """For verbs that change nothing when they fail: again after reopening, then in memory."""
        for _ in range(FAILURES_MAX):
            store = self._ensure()
            try:
                return verb(store)
            except StoreError:
                if store is self._spare:
                    raise
        return verb(self._ensure())

    # --- the writer's verbs -------------------------------------------------------------------------------------------

    def begin(self, site_ids: Sequence[SiteId], now: Now) -> AbstractContextManager[SqlTransaction]:
        return self._ensure().begin(site_ids, now)

    def claim(self, limits: Mapping[str, int], now: Now, *, panic_only: bool = False) -> tuple[Claim, ...]:
        return self._attempt(lambda store: store.claim(limits, now, panic_only=panic_only))

    def let_go(self, channel: str, endpoint_keys: Sequence[str]) -> None:
        self._attempt(lambda store: store.let_go(channel, endpoint_keys))

    def abandoned(self, now: Now) -> tuple[NotificationRow, ...]:
        return self._attempt(lambda store: store.abandoned(now))

    def due_timers(self, now: Now, limit: int) -> tuple[DueTimer, ...]:
        return self._attempt(lambda store: store.due_timers(now, limit))

    def next_due_us(self) -> tuple[int | None, int | None]:
        return self._attempt(lambda store: store.next_due_us())

    def save_raw(self, event: Event, error: str, decision: Decision, now: Now) -> tuple[Claim, ...]:
        return self._ensure().save_raw(event, error, decision, now)

    def prune(self, now: Now) -> int:
        return self._attempt(lambda store: store.prune(now))

    def erase_payloads(self, site_id: SiteId, before_us: int) -> int:
        return self._attempt(lambda store: store.erase_payloads(site_id, before_us))

    def write_last_seen(self, seen: Sequence[LastSeen]) -> None:
        if self.durable:
            self._attempt(lambda store: store.write_last_seen(seen))
        if not self.durable:  # memory has no room to spare for what is no evidence
            raise StoreFullError(f"{self._disk.path} takes nothing now: when devices were heard is written later")

    # --- reading: what is going on is in the active store, what is over may be only on the disk -----------------------

    def read_closed(self, *, before_us: int, after: IncidentId, limit: int) -> tuple[Incident, ...]:
        return self._active.read_closed(before_us=before_us, after=after, limit=limit)

    def read_incidents(self, *, open_only: bool, site_id: SiteId | None, limit: int) -> tuple[Incident, ...]:
        return self._active.read_incidents(open_only=open_only, site_id=site_id, limit=limit)

    def read_incident(self, incident_id: IncidentId) -> Incident | None:
        return self._active.read_incident(incident_id) or self._on_disk(
            lambda disk: disk.read_incident(incident_id), None
        )

    def read_notifications(self, incident_id: IncidentId) -> tuple[NotificationRow, ...]:
        return self._active.read_notifications(incident_id) or self._on_disk(
            lambda disk: disk.read_notifications(incident_id), ()
        )

    def read_notification(self, notification_id: NotificationId) -> NotificationRow | None:
        return self._active.read_notification(notification_id) or self._on_disk(
            lambda disk: disk.read_notification(notification_id), None
        )

    def read_by_ref(self, channel: str, ref: str) -> NotificationRow | None:
        return self._active.read_by_ref(channel, ref) or self._on_disk(
            lambda disk: disk.read_by_ref(channel, ref), None
        )

    def read_outbox(self, now_us: int) -> tuple[OutboxCount, ...]:
        return self._active.read_outbox(now_us)

    def read_tests(self, since_us: int) -> tuple[NotificationRow, ...]:
        return self._active.read_tests(since_us)

    def read_under_way(self, channel: str, now: Now, within_us: int) -> tuple[NotificationRow, ...]:
        return self._active.read_under_way(channel, now, within_us)

    def read_unsettled(self, channel: str, now: Now, within_us: int) -> tuple[NotificationRow, ...]:
        return self._active.read_unsettled(channel, now, within_us)

    def read_timeline(self, incident_id: IncidentId) -> tuple[JournalLine, ...]:
        nothing: tuple[JournalLine, ...] = ()
        return self._on_disk(lambda disk: disk.read_timeline(incident_id), nothing) + self._active.read_timeline(
            incident_id
        )

    def read_journal(
        self, site_id: SiteId, *, since_us: int, until_us: int, after: int = 0, kind: EntryKind | None = None
    ) -> tuple[JournalLine, ...]:
        nothing: tuple[JournalLine, ...] = ()

        def lines(store: SqliteStore) -> tuple[JournalLine, ...]:
            return store.read_journal(site_id, since_us=since_us, until_us=until_us, after=after, kind=kind)

        return self._on_disk(lines, nothing) + lines(self._active)

    def read_troubles(self, *, latched: bool = False) -> tuple[Trouble, ...]:
        return self._active.read_troubles(latched=latched)

    def read_last_seen(self, device_ids: Sequence[DeviceId] | None = None) -> tuple[LastSeen, ...]:
        return self._disk.read_last_seen(device_ids)

    def read_drills(self, *, running_only: bool, site_id: SiteId | None, limit: int) -> tuple[Drill, ...]:
        return self._active.read_drills(running_only=running_only, site_id=site_id, limit=limit)

    def read_device_tests(self, device_id: DeviceId | None = None) -> tuple[tuple[SiteId, GestureCount], ...]:
        return self._active.read_device_tests(device_id)

    def read_drill(self, drill_id: DrillId) -> Drill | None:
        return self._active.read_drill(drill_id) or self._on_disk(lambda disk: disk.read_drill(drill_id), None)

    def verify_journal(self, site_id: SiteId) -> int:
        count = self._disk.verify_journal(site_id)
        if self.durable:
            return count
        return self._spare.verify_after(site_id, self._disk.read_head(site_id))

    def _on_disk(self, read: Callable[[SqliteStore], T], otherwise: T) -> T:
        if not self.durable:
            with suppress(StoreError):
                return read(self._disk)
        return otherwise


def _own_directory(directory: Path) -> None:
    """Tmpfs is everybody's: a directory that another user made first is not ours."""
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        status = directory.lstat()
    except OSError as error:
        raise StoreError(f"no room in memory at {directory}: {error.strerror}") from error
    if directory.is_symlink() or status.st_uid != os.geteuid() or status.st_mode & 0o077:
        raise StoreError(f"{directory} belongs to somebody else: remove it, or set another daemon.spare_dir")


def _remove(directory: Path) -> None:
    shutil.rmtree(directory, ignore_errors=True)
