"""PostgreSQL: several nodes on one database, all alike.

A transaction locks the rows of its sites; what a node remembers of a site is used if the site's version is still the
one it saw. Outbox and timers are taken with `SKIP LOCKED` under leases on the database's clock. Durability, disk and
backups are the database's own business: `durable` is always true, and while it cannot be reached nothing is committed.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

import psycopg
from sqlalchemy import Connection, create_engine
from sqlalchemy.pool import NullPool

from alertd.model.anchor import Now
from alertd.model.ids import SiteId
from alertd.model.notification import NotificationRow
from alertd.ports import Clock, DueTimer, StoreError, StoreFullError
from alertd.store import earlier_boots, journal, rows, schema, sql
from alertd.store.reading import Reader
from alertd.store.rows import Moment
from alertd.store.sqlstore import ABANDONED_MAX, LEASE_S, SqlStore, random_salt

CONNECT_TIMEOUT_S = 5
STATEMENT_TIMEOUT_MS = 10_000
"""A statement that takes longer, or waits longer for a lock, fails: the caller replays."""
TIMER_LEASE_US = 5_000_000
"""A node that took a due timer and died delays it by this much; the engine ignores one that fires twice."""
MIGRATION_LOCK, TOKEN_LOCK = 7_302_001, 7_302_002
"""Advisory locks: one node migrates at a time; one hands out reply tokens at a time."""

READ_CLOCK = "SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint"
ADD_SITES = "INSERT INTO site_row (site_id, version, head_seq, head_hash) VALUES (?, 0, 0, '') ON CONFLICT DO NOTHING"
LOCK_SITES = (
    "SELECT site_id, version, head_seq, head_hash FROM site_row WHERE site_id IN (?*) ORDER BY site_id FOR UPDATE"
)
AGREE_US = 1_000_000
"""Two looks at our clock and the database's differ by less, if nobody has set either."""


class PostgresSession:
    """See `sql.Session`. A transaction begins with its first statement."""

    def __init__(self, connection: psycopg.Connection[Any], failed: Callable[[psycopg.Error], StoreError]) -> None:
        self.connection = connection
        self._failed = failed
        self._adapt = sql.adapter(sql.POSTGRES_MARKS)

    def rows(self, statement: str, params: Sequence[Any] = ()) -> list[sql.Row]:
        try:
            return self._execute(statement, params).fetchall()
        except psycopg.Error as error:
            raise self._failed(error) from error

    def run(self, statement: str, params: Sequence[Any] = ()) -> int:
        try:
            return self._execute(statement, params).rowcount
        except psycopg.Error as error:
            raise self._failed(error) from error

    def _execute(self, statement: str, params: Sequence[Any]) -> psycopg.Cursor[Any]:
        return self.connection.execute(self._text(statement), params or None)

    def run_many(self, statement: str, params: Sequence[Sequence[Any]]) -> None:
        try:
            with self.connection.cursor() as cursor:
                cursor.executemany(self._text(statement), params)
        except psycopg.Error as error:
            raise self._failed(error) from error

    def _text(self, statement: str) -> str:
        return self._adapt(statement)

    def listed(self, values: Sequence[str]) -> list[str]:
        return list(values)

    def begin(self) -> None:
        """Psycopg begins by itself."""

    def commit(self) -> None:
        try:
            self.connection.commit()
        except psycopg.Error as error:
            raise self._failed(error) from error

    def rollback(self) -> None:
        with suppress(psycopg.Error):  # a broken connection has rolled back
            self.connection.rollback()


class PostgresStore(SqlStore):
    """See `ports.Store`."""

    def __init__(self, url: str, *, lease_s: float = LEASE_S, salt: Callable[[], str] = random_salt) -> None:
        super().__init__(lease_s=lease_s, salt=salt)
        self._url = url
        self._writer: PostgresSession | None = None
        self._ahead_us = 0
        """Of the database's clock before ours. Left alone while both go on, so that a row is always read alike."""

    # --- life ---------------------------------------------------------------------------------------------------------

    def open(self, owner: str, clock: Clock) -> None:
        self._owner, self._clock, self._since_us = owner, clock, clock.now().boot_us
        try:
            self._migrate()
            engine = create_engine(
                "postgresql+psycopg://", creator=self._connect, isolation_level="REPEATABLE READ", pool_pre_ping=True
            )
            self._reader = Reader(engine, ahead_us=lambda: self._ahead_us)
            self.ready()
            moment = self._moment(clock.now())
            earlier_boots.reanchor_postgres(self._session, moment)
            earlier_boots.restamp(self._session, moment)  # the database's may have been set without us
            self._session.commit()
        except BaseException:
            self.close()
            raise

    def _connect(self) -> psycopg.Connection[Any]:
        try:
            return psycopg.connect(
                self._url,
                connect_timeout=CONNECT_TIMEOUT_S,
                application_name="alertd",
                options=f"-c statement_timeout={STATEMENT_TIMEOUT_MS} -c synchronous_commit=on",
            )
        except psycopg.Error as error:
            raise StoreError(f"PostgreSQL cannot be reached: {error}. See daemon.store_url and the server.") from error

    def _migrate(self) -> None:
        engine = create_engine("postgresql+psycopg://", creator=self._connect, poolclass=NullPool)
        try:
            with engine.begin() as connection:
                connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({MIGRATION_LOCK})")
                found = self._revision(connection)
                if found != schema.HEAD:
                    from alertd.store import migrations  # noqa: PLC0415 - needed once a version

                    migrations.upgrade(connection, found)
        finally:
            engine.dispose()

    def _revision(self, connection: Connection) -> str | None:
        if connection.exec_driver_sql("SELECT to_regclass('alembic_version')").scalar() is None:
            return None
        revision: str | None = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
        return revision

    def ready(self) -> None:
        if self._writer is None or self._writer.connection.closed or self._writer.connection.broken:
            self._hang_up()
            self._memory.forget()
            self._writer = PostgresSession(self._connect(), self._failed)

    def _hang_up(self) -> None:
        if self._writer is not None:
            with suppress(psycopg.Error):
                self._writer.connection.close()
            self._writer = None

    def _failed(self, error: psycopg.Error) -> StoreError:
        self._memory.forget()
        if isinstance(error, psycopg.errors.DiskFull):
            return StoreFullError(f"PostgreSQL has no space left: {error}")
        return StoreError(f"PostgreSQL failed: {error}")

    def heal(self, now: Now) -> bool:
        del now
        with suppress(StoreError):
            self.ready()
        return True

    # --- PostgreSQL's way ---------------------------------------------------------------------------------------------

    @property
    def _session(self) -> PostgresSession:
        if self._writer is None:
            raise StoreError("the store is not open, or PostgreSQL cannot be reached")
        return self._writer

    def _moment(self, now: Now) -> Moment:
        clock_us = self._clock_us()
        ahead_us = clock_us - now.wall_us
        if abs(ahead_us - self._ahead_us) >= AGREE_US:
            self._ahead_us = ahead_us
        return self._moment_of(now, wall_us=clock_us, lease_us=clock_us, ahead_us=self._ahead_us)

    def _clock_us(self) -> int:
        """The database's."""
        shown: int = self._session.rows(READ_CLOCK)[0][0]
        return shown

    def _lock(self, site_ids: Sequence[SiteId]) -> None:
        """In one order everywhere, so that no two nodes wait for each other."""
        sites = sorted(set(site_ids))
        session = self._session
        session.run_many(ADD_SITES, [(site_id,) for site_id in sites])
        self._memory.forget_district()
        for site_id, version, sequence, digest in session.rows(LOCK_SITES, (session.listed(sites),)):
            known = self._memory.heads.get(site_id)
            if known is None or known.version != version:
                self._memory.states.pop(site_id, None)
                self._memory.heads[site_id] = journal.Head(version, sequence, digest)

    def _lock_tokens(self) -> None:
        """After the sites' locks, until the commit: two nodes never hand out the same token."""
        self._session.rows(f"SELECT pg_advisory_xact_lock({TOKEN_LOCK})")

    def abandoned(self, now: Now) -> tuple[NotificationRow, ...]:
        self.ready()
        moment = self._moment(now)
        try:
            found = self._session.rows(sql.READ_OVERDUE, (moment.lease_us, ABANDONED_MAX))
            return self._take_over(found, moment)
        finally:
            self._session.rollback()

    def due_timers(self, now: Now, limit: int) -> tuple[DueTimer, ...]:
        self.ready()
        moment, session = self._moment(now), self._session
        try:
            clocks = (moment.boot_id, moment.boot_us, moment.boot_id, moment.wall_us, moment.lease_us)
            found = session.rows(sql.READ_DUE_TIMERS_ANYWHERE, (*clocks, limit))
            if found:
                session.run_many(sql.LEASE_TIMER, [(moment.lease_us + TIMER_LEASE_US, row[0]) for row in found])
                session.commit()
        finally:
            session.rollback()
        return tuple(DueTimer(timer=rows.timer(schema_version, blob)) for _, schema_version, blob in found)

    def next_due_us(self) -> tuple[int | None, int | None]:
        self.ready()
        boot = (self._opened_clock.boot_id,)
        moment = self._moment(self._opened_clock.now())
        try:
            ask = [
                (sql.NEXT_TIMER, sql.NEXT_TIMER_ELSEWHERE),
                (sql.NEXT_HELD, sql.NEXT_HELD_ELSEWHERE),
            ]
            found: list[int | None] = []
            for mine, elsewhere in ask:
                at_boot = self._session.rows(mine, boot)[0][0]
                at_wall = self._session.rows(elsewhere, boot)[0][0]
                there = None if at_wall is None else at_wall - moment.wall_us + moment.boot_us
                found.append(min((due for due in (at_boot, there) if due is not None), default=None))
        finally:
            self._session.rollback()
        return found[0], found[1]
