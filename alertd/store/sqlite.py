"""SQLite: one file, one writer, WAL, every commit synced. The embedded default.

One connection writes; `read_*` have read-only ones of their own. A lock file beside the database is held for life, so
that a second daemon refuses to start. After an error the database is reopened before anything else is tried, because a
failed sync may have been forgotten by the kernel; the same commit is never repeated unless it certainly did not happen.
"""

import errno
import fcntl
import json
import os
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from itertools import chain
from pathlib import Path
from typing import Any, ClassVar

import structlog
from sqlalchemy import create_engine, event
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import DBAPIError

from alertd.model.decision import Now
from alertd.model.ids import SiteId
from alertd.model.notification import NotificationRow
from alertd.ports import Clock, DueTimer, StoreError, StoreFullError, StoreLockedError
from alertd.store import damage, rows, schema, sql
from alertd.store.ballast import BALLAST_BYTES, Ballast, free_bytes
from alertd.store.damage import StoreDamagedError
from alertd.store.memory import Memory
from alertd.store.readers import Readers, open_reading
from alertd.store.reading import Reader
from alertd.store.rows import Moment
from alertd.store.sqlstore import ABANDONED_MAX, LEASE_S, SqlStore, random_salt
from alertd.store.transaction import Script

log = structlog.get_logger(__name__)

Connect = Callable[[Path], sqlite3.Connection]

BUSY_MS = 5_000
CACHE_KIB = 65_536
WAL_KEPT_BYTES = 64 * 1024 * 1024
WAL_PAGES_MAX = WAL_KEPT_BYTES // 4096
"""Pages in the log at which a commit moves them into the database. SQLite's default, 1000, would be reached by one of
twenty presses, and that one would wait for it: `heal` does it before. In a storm, a page that is written again and
again until then moves once."""
STATEMENTS_CACHED = 256
BLOCK_ROWS = 32
"""Rows of one long insert; times its columns it stays far below the 32,766 parameters that SQLite takes."""
FULL_BELOW_BYTES = 64 * 1024
"""An I/O error with less room than this is a full disk: SQLite cannot always tell."""

_NO_ACCESS = (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM, sqlite3.SQLITE_AUTH)
MAY_WRITE = "Let this user write there, or set another daemon.state_dir (or daemon.store_url)."

READ_TIMERS = f"SELECT {', '.join(sql.columns(schema.timer))} FROM timer"  # noqa: S608 - from the schema
NEXT_DUE = f"SELECT ({sql.NEXT_TIMER}), ({sql.NEXT_HELD})"
PRAGMAS = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    f"PRAGMA busy_timeout = {BUSY_MS}",
    f"PRAGMA cache_size = -{CACHE_KIB}",
    f"PRAGMA journal_size_limit = {WAL_KEPT_BYTES}",
    "PRAGMA secure_delete = FAST",
    "PRAGMA temp_store = MEMORY",
    f"PRAGMA wal_autocheckpoint = {WAL_PAGES_MAX}",
)
# What waited in an earlier boot waits no longer than it still had to, and never longer than from its beginning. Time
# does not go back: a clock that shows less than when a press was known was set back by as much at least, or starts slow
# and is set right later.
REANCHOR = (
    """
    UPDATE timer SET boot_id = :boot_id,
        due_boot_us = :boot_us + min(max(due_wall_us - :wall_us, 0), delay_us),
        due_wall_us = :wall_us + min(max(due_wall_us - :wall_us, 0), delay_us)
    WHERE boot_id <> :boot_id""",
    """
    UPDATE notification SET boot_id = :boot_id,
        not_before_us = :boot_us + min(max(not_before_wall_us - :wall_us, 0), delay_us),
        not_before_wall_us = :wall_us + min(max(not_before_wall_us - :wall_us, 0), delay_us)
    WHERE state = 'queued' AND boot_id <> :boot_id""",
    """
    UPDATE cause SET boot_id = :boot_id, boot_us = :boot_us + at_us - newest_us, at_us = :wall_us + at_us - newest_us
    FROM (SELECT max(at_us) AS newest_us FROM cause WHERE boot_id IS NOT :boot_id)
    WHERE boot_id IS NOT :boot_id AND newest_us > :wall_us""",
)


def connect(path: Path) -> sqlite3.Connection:
    """Transactions are begun by hand: the module's own would not cover what we mean by one. URIs are for attaching."""
    return sqlite3.connect(
        path, isolation_level=None, check_same_thread=False, cached_statements=STATEMENTS_CACHED, uri=True
    )


class SqliteSession:
    """See `sql.Session`. Tells the store of every error, since it then has to reopen, and of every commit."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        failed: Callable[[sqlite3.Error], StoreError],
        committed: Callable[[], None],
    ) -> None:
        self.connection = connection
        self._failed = failed
        self._committed = committed
        self._adapt = sql.adapter(sql.SQLITE_MARKS)

    def rows(self, statement: str, params: Sequence[Any] = ()) -> list[sql.Row]:
        try:
            return self.connection.execute(self._adapt(statement), params).fetchall()
        except sqlite3.Error as error:
            raise self._failed(error) from error

    def run(self, statement: str, params: Sequence[Any] = ()) -> int:
        try:
            return self.connection.execute(self._adapt(statement), params).rowcount
        except sqlite3.Error as error:
            raise self._failed(error) from error

    def run_many(self, statement: str, params: Sequence[Sequence[Any]]) -> None:
        """Long inserts go in blocks: between two steps of SQLite another thread takes the interpreter, and during a
        storm the writer gets it back late."""
        adapted = self._adapt(statement)
        try:
            blocks = len(params) // BLOCK_ROWS if statement.startswith(sql.INSERT) else 0
            for start in range(0, blocks * BLOCK_ROWS, BLOCK_ROWS):
                block = params[start : start + BLOCK_ROWS]
                self.connection.execute(sql.repeat_values(adapted, BLOCK_ROWS), tuple(chain.from_iterable(block)))
            self.connection.executemany(adapted, params[blocks * BLOCK_ROWS :])
        except sqlite3.Error as error:
            raise self._failed(error) from error

    def listed(self, values: Sequence[str]) -> str:
        return json.dumps(list(values))

    def begin(self) -> None:
        if not self.connection.in_transaction:
            self.run("BEGIN IMMEDIATE")

    def commit(self) -> None:
        if self.connection.in_transaction:
            self.run("COMMIT")
            self._committed()

    def rollback(self) -> None:
        with suppress(sqlite3.Error):  # the failed statement has often rolled back by itself
            if self.connection.in_transaction:
                self.connection.execute("ROLLBACK")


class LockFile:
    """Held for life; the kernel lets go of it when the process dies."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor: int | None = None

    def take(self, owner: str) -> None:
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(descriptor, 200).decode(errors="replace").strip()
            os.close(descriptor)
            raise StoreLockedError(
                f"another alertd ({holder or 'unknown process'}) runs on this database ({self._path} is locked)."
                " Stop it first, or give this one a database of its own."
            ) from None
        self._descriptor = descriptor
        with suppress(OSError):  # on a full disk the lock holds without the name of its holder
            os.ftruncate(descriptor, 0)
            os.write(descriptor, f"process {os.getpid()}, {owner}\n".encode())

    def release(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


class SqliteStore(SqlStore):
    """See `ports.Store`."""

    _blank: ClassVar[bytes | None] = None
    """An empty database of our schema, as this process first met it."""

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
        self.rescue_elsewhere: Callable[[Script], bool] = lambda _: False
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
        self._owner, self._clock = owner, clock
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
        self._create()
        self.reopen()
        assert self._writer is not None
        self._migrate(self._writer)
        try:
            damage.examine(self._writer.connection, self.path)
        except sqlite3.Error as error:
            raise self._failed(error) from error
        if SqliteStore._blank is None:
            SqliteStore._blank = _blank_copy(self._writer)
        self._migrated = True
        self.reanchor()

    def reanchor(self) -> None:
        """Deadlines of an earlier boot become deadlines of this one; stamps of this one show what clocks show now: they
        may have been set while nobody was there to see it."""
        session, now = self._session, self._opened_clock.now()
        clocks = {"boot_id": self._opened_clock.boot_id, "boot_us": now.boot_us, "wall_us": now.wall_us}
        session.begin()
        try:
            for statement in REANCHOR:
                session.connection.execute(statement, clocks)
        except sqlite3.Error as error:
            raise self._failed(error) from error
        for statement, (shown,) in rows.restamps(self._moment(now)):
            session.run(statement, shown)
        session.commit()
        self._memory.timers.update({row[0]: row for row in session.rows(READ_TIMERS)})

    def _create(self) -> None:
        """Names and numbers are for this user only. A new database is a copy of a blank one where there is one: what
        stands in for a failing disk must not have to read migrations from it."""
        blank = SqliteStore._blank
        try:
            if blank is None or (self.path.exists() and self.path.stat().st_size > 0):
                os.close(os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600))
                return
            draft = self.path.with_name(self.path.name + ".new")
            descriptor = os.open(draft, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(blank)
                file.flush()
                os.fsync(file.fileno())
            draft.rename(self.path)
        except OSError as error:
            full = error.errno in (errno.ENOSPC, errno.EDQUOT)
            words = f"{self.path} cannot be made: {error.strerror}"
            raise (StoreFullError(words) if full else StoreError(f"{words}. {MAY_WRITE}")) from error

    def _migrate(self, session: SqliteSession) -> None:
        found = None
        if session.rows("SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'"):
            found = next((row[0] for row in session.rows("SELECT version_num FROM alembic_version")), None)
        if found == schema.HEAD:
            return
        from alertd.store import migrations  # noqa: PLC0415 - half of a start's time, needed once a version

        engine = _writing_engine(session.connection)
        try:
            with engine.begin() as connection:
                migrations.upgrade(connection, found)
        except DBAPIError as error:
            original = error.orig
            raise self._failed(
                original if isinstance(original, sqlite3.Error) else sqlite3.Error(str(error))
            ) from error

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

    def close(self) -> None:
        if self._reader is not None:
            self._reader.close()
            self._reader = None
        if self._readers is not None:
            self._readers.close()
            self._readers = None
        self._hang_up()
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

    def _rescue(self, script: Script) -> bool:
        if self.ballast.drop():
            with suppress(StoreError):
                self.reopen()
                self.play(script)
                return True
        return self.rescue_elsewhere(script)

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

    @property
    def durable(self) -> bool:
        return True

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
        return Moment(
            owner=self._owner,
            boot_id=self._opened_clock.boot_id,
            boot_us=now.boot_us,
            wall_us=now.wall_us,
            lease_us=now.boot_us,
            lease_until_us=now.boot_us + self._lease_us,
        )

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


def _blank_copy(session: SqliteSession) -> bytes:
    """The schema of this database with no rows but its version."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as blank:
        for (statement,) in session.rows("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY rowid"):
            blank.execute(statement)
        blank.execute("INSERT INTO alembic_version VALUES (?)", (schema.HEAD,))
        return blank.serialize()


def _begin_by_hand(engine: Engine) -> Engine:
    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN")

    return engine


def _writing_engine(connection: sqlite3.Connection) -> Engine:
    """SQLAlchemy over the writer's own connection, for migrations: one transaction, or nothing."""
    from sqlalchemy.pool import StaticPool  # noqa: PLC0415 - only where a migration runs

    return _begin_by_hand(create_engine("sqlite://", creator=lambda: connection, poolclass=StaticPool))


def reading_engine(path: Path, more: str = "") -> Engine:
    """Read-only connections for any thread; each answer is one snapshot. `more`: see `open_reading`."""
    return _begin_by_hand(create_engine("sqlite:///reading", creator=lambda: open_reading(path, more)))
