"""`Reader`: what console, pollers and evidence read, over read-only connections of their own, from any thread.

Queries are SQLAlchemy's; none is on the path of a press. What is asked every few seconds of an incident is a statement
of `sql` instead: building and compiling a query costs ten times what SQLite needs to answer it. Never writes.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager

from sqlalchemy import Connection, Engine, Select, and_, func, not_, or_, select, text
from sqlalchemy.exc import DBAPIError

from alertd.model.anchor import Now
from alertd.model.check_in import LastSeen
from alertd.model.decision import EntryKind
from alertd.model.device_memory import GestureCount
from alertd.model.drill import Drill
from alertd.model.ids import DeviceId, DrillId, IncidentId, NotificationId, SiteId
from alertd.model.incident import Incident
from alertd.model.notification import NotificationRow, NotificationState, age_us, written_us
from alertd.model.trouble import Trouble
from alertd.ports import JournalLine, OutboxCount, StoreError
from alertd.store import journal, rows, schema, sql
from alertd.store.sql import STANDING, Ask

ROWS_MAX = 10_000
"""Rows of one answer."""
IDS_AT_ONCE = 500
"""Ids of one question: databases bound the number of parameters."""
SETTLED_AFTER_US = 24 * 3600 * 1_000_000
"""What a provider took and said no more of for so long is not counted as waiting."""
CHUNK_ROWS = 1_000
"""Rows in memory at once while a journal is verified."""

_standing = [schema.notification.c[name.strip()] for name in STANDING.split(",")]
# In the very words of the partial indexes: with bound values SQLite would walk through the whole table.
_open = text("incident.state = 'open'")
_queued = text("notification.state = 'queued'")
_in_hand = text("notification.state IN ('claimed', 'unknown')")
_unsettled = text("notification.state IN ('accepted', 'sent')")
_taken = text("notification.ref <> '' AND notification.state IN ('accepted', 'sent', 'delivered')")
_tests = text("notification.kind IN ('test', 'dispatch_heartbeat')")
_incident = (schema.incident.c.schema, schema.incident.c.blob)
_lines = schema.journal.join(
    schema.journal_payload,
    and_(
        schema.journal_payload.c.site_id == schema.journal.c.site_id,
        schema.journal_payload.c.seq == schema.journal.c.seq,
    ),
    isouter=True,
)


AHEAD_US = 24 * 3600 * 1_000_000
"""After a power cut a clock may be so far ahead; what seems older than that is."""


def _young(found: Iterable[NotificationRow], now: Now, within_us: int) -> tuple[NotificationRow, ...]:
    """Without those of this boot that are older than that by boot time."""
    return tuple(
        row for row in found if written_us(row.notification, now) is None or age_us(row.notification, now) <= within_us
    )


class Reader:
    """Answers of the `read_*` methods of `ports.Store`."""

    def __init__(self, engine: Engine, ask: Ask | None = None, ahead_us: Callable[[], int] = lambda: 0) -> None:
        """`ask`: a shorter way to the same database than the engine's. `ahead_us`: see `rows.Moment`."""
        self._engine = engine
        self._ahead_us = ahead_us
        self._ask: Ask = ask or self._ask_engine
        self._adapt = sql.adapter(sql.POSTGRES_MARKS if engine.dialect.name == "postgresql" else sql.SQLITE_MARKS)

    def close(self) -> None:
        self._engine.dispose()

    @contextmanager
    def _connection(self) -> Iterator[Connection]:
        try:
            with self._engine.connect() as connection:
                yield connection
        except DBAPIError as error:
            raise StoreError(f"the database cannot be read: {error.orig}") from error

    def _ask_engine(self, statement: str, params: Sequence[object]) -> list[sql.Row]:
        with self._connection() as connection:
            found = connection.exec_driver_sql(self._adapt(statement), tuple(params))
            return [tuple(row) for row in found]

    def closed(self, *, before_us: int, after: IncidentId, limit: int) -> tuple[Incident, ...]:
        table = schema.incident.c
        query = select(*_incident).where(table.id > after, table.closed_us < before_us).order_by(table.id)
        with self._connection() as connection:
            return tuple(rows.incident(*row) for row in connection.execute(query.limit(min(limit, ROWS_MAX))))

    def incidents(self, *, open_only: bool, site_id: SiteId | None, limit: int) -> tuple[Incident, ...]:
        query = select(*_incident).order_by(schema.incident.c.opened_us.desc(), schema.incident.c.id)
        if open_only:
            query = query.where(_open)
        if site_id is not None:
            query = query.where(schema.incident.c.site_id == site_id)
        with self._connection() as connection:
            return tuple(rows.incident(*row) for row in connection.execute(query.limit(min(limit, ROWS_MAX))))

    def incident(self, incident_id: IncidentId) -> Incident | None:
        found = self._ask(sql.READ_INCIDENT, (incident_id,))
        return rows.incident(*found[0]) if found else None

    def notifications(self, incident_id: IncidentId) -> tuple[NotificationRow, ...]:
        return self._rows(self._ask(sql.READ_NOTIFICATIONS_OF, (incident_id, ROWS_MAX)))

    def notification(self, notification_id: NotificationId) -> NotificationRow | None:
        return next(iter(self._rows(self._ask(sql.READ_STANDING, (notification_id,)))), None)

    def by_ref(self, channel: str, ref: str) -> NotificationRow | None:
        return next(iter(self._rows(self._ask(sql.READ_BY_REF, (channel, ref)))), None)

    def _rows(self, found: Iterable[sql.Row]) -> tuple[NotificationRow, ...]:
        ahead_us = self._ahead_us()
        return tuple(rows.notification(row, ahead_us) for row in found)

    def tests(self, since_us: int) -> tuple[NotificationRow, ...]:
        table = schema.notification.c
        query = select(*_standing).where(_tests, table.created_us >= since_us)
        return self._notifications(query.order_by(table.created_us, table.id))

    def outbox(self, now_us: int) -> tuple[OutboxCount, ...]:
        """See `Store.read_outbox`. Each query walks through one partial index."""
        table = schema.notification.c
        count = select(table.channel, table.state, func.count(), func.min(table.created_us))
        count = count.group_by(table.channel, table.state)
        recent = table.created_us >= now_us - SETTLED_AFTER_US
        with self._connection() as connection:
            found = [
                row
                for query in (count.where(_queued), count.where(_in_hand), count.where(_unsettled, recent))
                for row in connection.execute(query)
            ]
        return tuple(
            OutboxCount(channel=channel, state=NotificationState(state), rows=rows, oldest_us=oldest_us)
            for channel, state, rows, oldest_us in found
        )

    def unsettled(self, channel: str, now: Now, within_us: int) -> tuple[NotificationRow, ...]:
        by_wall, by_boot = (channel, now.wall_us - within_us), (channel, now.boot_id, now.boot_us - within_us)
        return _young(self._rows(self._ask(sql.READ_UNSETTLED, (*by_wall, *by_boot, ROWS_MAX))), now, within_us)

    def under_way(self, channel: str, now: Now, within_us: int) -> tuple[NotificationRow, ...]:
        table = schema.notification.c
        of_channel, of_this_boot = table.channel == channel, table.expires_boot_id == now.boot_id
        young = [table.created_us >= now.wall_us - within_us]
        young.append(and_(of_this_boot, table.expires_boot_us >= now.boot_us - within_us))
        if now.boot_us < within_us:
            last = select(func.max(table.created_us)).where(of_channel, not_(of_this_boot)).scalar_subquery()
            not_long_ago = table.created_us >= now.wall_us - AHEAD_US
            young.append(and_(not_(of_this_boot), table.created_us >= last - within_us, not_long_ago))
        query = select(*_standing).where(of_channel, or_(*young), or_(_in_hand, _taken))
        return _young(self._notifications(query.order_by(table.created_us.desc())), now, within_us)

    def _notifications(self, query: Select[*tuple[object, ...]]) -> tuple[NotificationRow, ...]:
        with self._connection() as connection:
            return self._rows(tuple(row) for row in connection.execute(query.limit(ROWS_MAX)))

    def timeline(self, incident_id: IncidentId) -> tuple[JournalLine, ...]:
        query = select(schema.journal, schema.journal_payload.c.blob).select_from(_lines)
        query = query.where(schema.journal.c.incident_id == incident_id).order_by(schema.journal.c.seq)
        with self._connection() as connection:
            found = connection.execute(query.limit(ROWS_MAX))
            return tuple(journal.line(tuple(row[:-1]), row[-1]) for row in found)

    def lines(
        self, site_id: SiteId, *, since_us: int, until_us: int, after: int, kind: EntryKind | None
    ) -> tuple[JournalLine, ...]:
        query = select(schema.journal, schema.journal_payload.c.blob).select_from(_lines)
        query = query.where(schema.journal.c.site_id == site_id, schema.journal.c.seq > after)
        query = query.where(schema.journal.c.at_us.between(since_us, until_us))
        if kind is not None:
            query = query.where(schema.journal.c.kind == kind.value)
        with self._connection() as connection:
            found = connection.execute(query.order_by(schema.journal.c.seq).limit(ROWS_MAX))
            return tuple(journal.line(tuple(row[:-1]), row[-1]) for row in found)

    def troubles(self, *, latched: bool) -> tuple[Trouble, ...]:
        table = schema.trouble.c
        query = select(table.schema, table.blob).where(table.cleared_us.is_(None)).order_by(table.raised_us, table.key)
        with self._connection() as connection:
            found = [rows.trouble(*row) for row in connection.execute(query.limit(ROWS_MAX))]
        return tuple(trouble for trouble in found if latched or trouble.stands)

    def last_seen(self, device_ids: Sequence[DeviceId] | None) -> tuple[LastSeen, ...]:
        table = schema.last_seen.c
        query = select(table.schema, table.blob)
        found: list[LastSeen] = []
        with self._connection() as connection:
            if device_ids is None:
                found += (rows.last_seen(*row) for row in connection.execute(query))
            for start in range(0, len(device_ids or ()), IDS_AT_ONCE):
                wanted = (device_ids or ())[start : start + IDS_AT_ONCE]
                found += (rows.last_seen(*row) for row in connection.execute(query.where(table.device_id.in_(wanted))))
        return tuple(found)

    def drills(self, *, running_only: bool, site_id: SiteId | None, limit: int) -> tuple[Drill, ...]:
        most = min(limit, ROWS_MAX)
        if site_id is None:
            found = self._ask(sql.READ_RUNNING_DRILLS if running_only else sql.READ_DRILLS, (most,))
        else:
            found = self._ask(sql.READ_RUNNING_DRILLS_OF if running_only else sql.READ_DRILLS_OF, (site_id, most))
        return tuple(rows.drill(*row) for row in found)

    def device_tests(self, device_id: DeviceId | None) -> tuple[tuple[SiteId, GestureCount], ...]:
        table = schema.gesture.c
        query = select(table.site_id, table.schema, table.blob).order_by(table.site_id, table.device_id)
        if device_id is not None:
            query = query.where(table.device_id == device_id)
        with self._connection() as connection:
            found = [(row[0], rows.gesture(*row[1:])) for row in connection.execute(query)]
        return tuple((site_id, memory) for site_id, memory in found if memory.test is not None)

    def drill(self, drill_id: DrillId) -> Drill | None:
        with self._connection() as connection:
            query = select(schema.drill.c.schema, schema.drill.c.blob).where(schema.drill.c.id == drill_id)
            row = connection.execute(query).first()
        return None if row is None else rows.drill(*row)

    def head(self, site_id: SiteId) -> journal.Head:
        with self._connection() as connection:
            return self._head(connection, site_id)

    def _head(self, connection: Connection, site_id: SiteId) -> journal.Head:
        site = schema.site_row.c
        query = select(site.version, site.head_seq, site.head_hash).where(site.site_id == site_id)
        head = connection.execute(query).first()
        return journal.Head() if head is None else journal.Head(*head)

    def verify(self, site_id: SiteId, start: journal.Head) -> int:
        """See `Store.verify_journal`. Head and entries are of one snapshot: a press may commit meanwhile."""
        entry = schema.journal.c
        with self._connection() as connection:
            last = self._head(connection, site_id)
            query = select(schema.journal, schema.journal_payload.c.blob).select_from(_lines)
            query = query.where(entry.site_id == site_id).order_by(entry.seq)
            found = connection.execution_options(yield_per=CHUNK_ROWS).execute(query)
            return journal.verify(site_id, start, last, ((tuple(row[:-1]), row[-1]) for row in found))
