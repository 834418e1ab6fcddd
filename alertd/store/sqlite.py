"""SQLite: one file, one writer, WAL, every commit synced. The embedded default.

One connection writes; `read_*` have read-only ones of their own. A lock file beside the database is held for life, so
that a second daemon refuses to start. After an error the database is reopened before anything else is tried, because a
failed sync may have been forgotten by the kernel; the same commit is never repeated unless it certainly did not happen.
"""

import sqlite3
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

import structlog

from alertd.model.anchor import Now
from alertd.model.ids import SiteId
from alertd.model.notification import NotificationRow
from alertd.ports import Clock, DueTimer, StoreError, StoreFullError
from alertd.store import creating, damage, earlier_boots, rows, schema, sql
from alertd.store.ballast import BALLAST_BYTES, Ballast, free_bytes
from alertd.store.creating import MAY_WRITE, Blank
from alertd.store.damage import StoreDamagedError
from alertd.store.lock_file import LockFile
from alertd.store.memory import Memory
from alertd.store.readers import Readers, reading_engine
from alertd.store.reading import Reader
from alertd.store.rows import Moment
from alertd.store.sqlite_session import PRAGMAS, Connect, SqliteSession, connect
from alertd.store.sqlstore import ABANDONED_MAX, LEASE_S, SqlStore, random_salt
from alertd.store.transaction import Script

log = structlog.get_logger(__name__)

FULL_BELOW_BYTES = 64 * 1024
"""An I/O error with less room than this is a full disk: SQLite cannot always tell."""

_NO_ACCESS = (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM, sqlite3.SQLITE_AUTH)

READ_TIMERS = f"SELECT {', '.join(sql.columns(schema.timer))} FROM timer"  # noqa: S608 - from the schema
NEXT_DUE = f"SELECT ({sql.NEXT_TIMER}), ({sql.NEXT_HELD})"


class SqliteStore(SqlStore):
    """See `ports.Store`."""

    def __init__(
        self,
        path: Path,
        *,
        lease_s: float = LEASE_S,
        salt: Callable[[], str] = random_salt,
        ballast_bytes: int = BALLAST_BYTES,
        connect: Connect = connect,
    ) -> None:
        super().__init__(lease_s=lease_s, salt=salt)
        self.path = path
        self.ballast = Ballast(path.with_name(path.name + ".ballast"), ballast_bytes)
        self.failures = 0
        """Errors since the last commit that worked."""
        self.rescue_elsewhere: Callable[[Script, bool], bool] = lambda *_: False
        self._connect = connect
        self._lock_file = LockFile(path.with_name(path.name + ".lock"))
        self._writer: SqliteSession | None = None
        self._readers: Readers | None = None
        self._full = False
        self._suspect = False
        self._migrated = False
        self._alive = False

    # --- life ---------------------------------------------------------------------------------------------------------

    def open(self, owner: str, clock: Clock) -> None:
        self.hold(owner, clock)
        try:
            self.begin_life()
        except BaseException:
            self.close()
            raise

    def hold(self, owner: str, clock: Clock) -> None:
        """Take the lock: nobody else opens this database from now on, whether or not it can be used."""
        self._owner, self._clock, self._since_us = owner, clock, clock.now().boot_us
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._lock_file.take(owner)
        except OSError as error:
            raise StoreError(f"no database can be made at {self.path}: {error.strerror}. {MAY_WRITE}") from error

    def begin_life(self) -> None:
        """Make the held database fit for use. Raises `StoreFullError` where that finds no room; try again then."""
        if self._reader is None:  # first: what is on a full disk can be read all the same
            self._readers = Readers(self.path)
            self._reader = Reader(reading_engine(self.path), self._readers.ask)
        self._finish_restore()
        self._open_database()
        self.ballast.restore()
        self._alive = True

    @property
    def is_alive(self) -> bool:
        """Has `begin_life` been through?"""
        return self._alive

    def _finish_restore(self) -> None:
        """A power cut may have ended `alertd restore` while neither database was in its place."""
        try:
            aside = damage.finish_restore(self.path, self._opened_clock.now().wall_us)
        except OSError as error:
            raise StoreError(f"a restore of {self.path} cannot be finished: {error.strerror}. {MAY_WRITE}") from error
        if aside is not None:
            log.warning("restore_finished", database=str(self.path), set_aside=str(aside))

    def _open_database(self) -> None:
        try:
            self._begin_with_room()
        except StoreDamagedError as error:
            self._hang_up()
            aside = damage.set_aside(self.path, self._opened_clock.now().wall_us)
            log.critical("store_damaged", error=str(error), set_aside=str(aside), effect="a new database is begun")
            self._begin_with_room()

    def _begin_with_room(self) -> None:
        try:
            self._begin_life()
        except StoreFullError:
            if not self.ballast.drop():
                raise
            self._begin_life()

    def _begin_life(self) -> None:
        damage.look_at_header(self.path)
        creating.create(self.path)
        self.reopen()
        assert self._writer is not None
        try:
            creating.migrate(self._writer)
            damage.examine(self._writer.connection, self.path)
        except sqlite3.Error as error:
            raise self._failed(error) from error
        Blank.keep(self._writer)
        self._migrated = True
        self.reanchor()

    def reanchor(self) -> None:
        """Deadlines of an earlier boot become deadlines of this one; stamps of this one show what clocks show now: they
        may have been set while nobody was there to see it."""
        session, moment = self._session, self._moment(self._opened_clock.now())
        session.begin()
        try:
            earlier_boots.reanchor_sqlite(session.connection, moment)
        except sqlite3.Error as error:
            raise self._failed(error) from error
        earlier_boots.restamp(session, moment)
        session.commit()
        self._memory.timers.update({row[0]: row for row in session.rows(READ_TIMERS)})

    def reopen(self) -> None:
        """A new connection; nothing remembered of the old one."""
        self._hang_up()
        try:
            connection = self._connect(self.path)
            self._writer = SqliteSession(connection, self._failed, self._committed)
            for pragma in PRAGMAS:
                connection.execute(pragma)
            timers = {row[0]: row for row in connection.execute(READ_TIMERS)} if self._migrated else {}
        except sqlite3.Error as error:
            raise self._failed(error) from error
        self._suspect = False
        self._memory.forget()  # only now: while the disk cannot be read, this is all there is
        self._memory.timers.update(timers)

    def _hang_up(self) -> None:
        if self._writer is not None:
            self._writer.rollback()
            with suppress(sqlite3.Error):
                self._writer.connection.close()
            self._writer = None

    def _close_readers(self) -> None:
        super()._close_readers()
        if self._readers is not None:
            self._readers.close()
            self._readers = None

    def close(self) -> None:
        super().close()
        self._lock_file.release()

    # --- errors -------------------------------------------------------------------------------------------------------

    def _failed(self, error: sqlite3.Error) -> StoreError:
        """What the error means for the caller; the database is reopened before it is used again."""
        self.failures += 1
        self._suspect = True
        code = (getattr(error, "sqlite_errorcode", None) or 0) & 0xFF
        no_room = free_bytes(self.path.parent) < FULL_BELOW_BYTES
        if code == sqlite3.SQLITE_FULL or "disk is full" in str(error) or (code == sqlite3.SQLITE_IOERR and no_room):
            self._full = True
            return StoreFullError(f"no space left for {self.path}: free some on its disk")
        if damage.means_damage(error):
            return StoreDamagedError(f"{self.path} is damaged, or no database: {error}")
        remedy = f". {MAY_WRITE}" if code in _NO_ACCESS else ""
        return StoreError(f"the database {self.path} failed: {error}{remedy}")

    def ready(self) -> None:
        """Reopen after an error, with the ballast's room if there was none left. Raises `StoreError`."""
        if self._writer is not None and not self._suspect:
            return
        if self._full:
            self.ballast.drop()
            self._full = False
        self.reopen()

    def _rescue(self, script: Script, gives_tokens: bool) -> bool:  # noqa: FBT001 - a callable of the scope
        if self.ballast.drop():
            with suppress(StoreError):
                self.reopen()
                self.play(script)
                return True
        return self.rescue_elsewhere(script, gives_tokens)

    def play(self, script: Script) -> None:
        """Commit the script of a transaction that happened nowhere yet."""
        session = self._session
        try:
            session.begin()
            for statement, params in script:
                session.run_many(statement, params)
            session.commit()
        finally:
            session.rollback()

    def _committed(self) -> None:
        self.failures = 0

    def forget_errors(self) -> None:
        self.failures = 0
        self._suspect = self._full = False

    def remembered(self) -> Memory:
        """For when the disk can no longer even be read. The memory that follows is a new one."""
        remembered, self._memory = self._memory, Memory()
        return remembered

    @property
    def size_bytes(self) -> int:
        """Of the database and its log."""
        files = (self.path, self.path.with_name(self.path.name + "-wal"))
        return sum(file.stat().st_size for file in files if file.exists())

    def damaged(self) -> str:
        return damage.newest_aside(self.path)

    def heal(self, now: Now) -> bool:
        del now
        with suppress(StoreError):
            self.ready()
            with suppress(sqlite3.Error):  # tried again; what is committed stands in the log
                self.connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
        self.ballast.restore()
        return True

    # --- SQLite's way -------------------------------------------------------------------------------------------------

    @property
    def _session(self) -> SqliteSession:
        if self._writer is None:
            raise StoreError(f"the database {self.path} is not open")
        return self._writer

    @property
    def connection(self) -> sqlite3.Connection:
        """For the fallback, which attaches one database to the other."""
        return self._session.connection

    def _moment(self, now: Now) -> Moment:
        return self._moment_of(now, wall_us=now.wall_us, lease_us=now.boot_us)

    def _lock(self, site_ids: Sequence[SiteId]) -> None:
        """The one writer needs none."""

    def abandoned(self, now: Now) -> tuple[NotificationRow, ...]:
        """An owner that is not this one is dead: the lock file says so."""
        self.ready()
        moment = self._moment(now)
        found = self._session.rows(sql.READ_ABANDONED, (moment.lease_us, moment.owner, ABANDONED_MAX))
        return self._take_over(found, moment)

    def due_timers(self, now: Now, limit: int) -> tuple[DueTimer, ...]:
        self.ready()
        found = self._session.rows(sql.READ_DUE_TIMERS, (self._opened_clock.boot_id, now.boot_us, limit))
        return tuple(DueTimer(timer=rows.timer(schema, blob)) for _, schema, blob in found)

    def next_due_us(self) -> tuple[int | None, int | None]:
        self.ready()
        boot_id = self._opened_clock.boot_id
        timer, held = self._session.rows(NEXT_DUE, (boot_id, boot_id))[0]
        return timer, held
