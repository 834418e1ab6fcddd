"""Between the disk's database and the one in memory: what goes over when the disk fails, and what comes back.

Both have the same schema, so it is SQL over an attached database. On the way back the newer wins: nothing but
memory was written meanwhile. Journal entries are appended to the disk's chain; their salted payload hashes tell which
are there already, so that a merge which was committed but not finished can be repeated.
"""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Table

from alertd.model.ids import DISTRICT
from alertd.store import journal, rows, schema, sql, uniting, without_room
from alertd.store.memory import Memory

RECENT_US = 24 * 3600 * 1_000_000
"""Incidents, and what belongs to them, are taken along for this long: replies may still speak about them."""
CAUSES_MAX = 200_000
"""Newest causes taken along, so that what comes again is known."""
COMPLETE = 1
"""`user_version` of a memory database that holds *all* timers, opt-outs and broken channels: what lacks was dropped."""

_RECENT = "(i.state = 'open' OR i.opened_us >= :since OR i.closed_us >= :since)"
_RECENT_IDS = f"(SELECT i.id FROM disk.incident i WHERE {_RECENT})"  # noqa: S608 - constants
_RECENT_POLICIES = f"""(
    SELECT json_extract(CAST(i.blob AS TEXT), '$.policy_hash') FROM disk.incident i WHERE {_RECENT})"""  # noqa: S608
_TAKEN_ALONG: tuple[tuple[Table, str], ...] = (
    (schema.site_row, ""),
    (schema.incident, f"WHERE id IN {_RECENT_IDS}"),
    (schema.trouble, "WHERE cleared_us IS NULL"),
    (schema.gesture, ""),
    (schema.drill, "WHERE state = 'running' OR started_us >= :since"),
    (
        schema.policy,
        f"WHERE hash IN {_RECENT_POLICIES}",
    ),
    (schema.cause, f"ORDER BY at_us DESC LIMIT {CAUSES_MAX}"),
    (
        schema.notification,
        f"WHERE state IN ('queued', 'claimed', 'unknown', 'accepted', 'sent') OR incident_id IN {_RECENT_IDS}",
    ),
    (schema.timer, ""),
    (schema.opt_out, ""),
    (schema.broken_channel, ""),
    (schema.told, f"WHERE incident_id IN {_RECENT_IDS}"),
)
_REPLACED = (
    schema.incident, schema.trouble, schema.gesture, schema.drill, schema.cause, schema.broken_channel,
)  # fmt: skip
_ADDED = (schema.policy, schema.opt_out, schema.told, schema.quarantine)
_AFTER = "row_number() OVER (ORDER BY seq, opened_us) + (SELECT COALESCE(MAX(seq), 0) FROM main.incident)"
"""Incidents of memory are newer than all of the disk. (Of journals, which have a `seq`, too, none is copied.)"""
_BUT_OF = """
    COALESCE(json_extract(CAST(blob AS TEXT), '$.incident_id'), '') NOT IN (SELECT value FROM json_each(?))"""
_STANDING = (
    "expires_us", "state", "reason", "attempt", "epoch", "not_before_us", "boot_id", "not_before_wall_us", "delay_us",
    "leased_by", "lease_until_us", "ref", "detail",
)  # fmt: skip


@contextmanager
def _attached(connection: sqlite3.Connection, where: str, name: str) -> Iterator[None]:
    connection.execute(f"ATTACH DATABASE ? AS {name}", (where,))
    try:
        yield
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        connection.execute(f"DETACH DATABASE {name}")


def seed_from_disk(memory: sqlite3.Connection, disk: Path, now_wall_us: int, copies: Path) -> None:
    """All that is going on, also of a database that an older alertd wrote. `copies`: see `without_room.attached`.
    Raises `sqlite3.Error` if the disk cannot even be read; then nothing was taken."""
    with without_room.attached(memory, disk, "disk", copies):
        memory.execute("BEGIN IMMEDIATE")
        for table, which in _TAKEN_ALONG:
            there = {row[1] for row in memory.execute(f"PRAGMA disk.table_info({table.name})")}
            if not there:
                continue
            names = ", ".join(name for name in sql.columns(table) if name in there)
            memory.execute(
                f"INSERT INTO main.{table.name} ({names}) SELECT {names} FROM disk.{table.name} {which}",  # noqa: S608
                {"since": now_wall_us - RECENT_US} if ":since" in which else {},
            )
        memory.execute(f"PRAGMA main.user_version = {COMPLETE}")
        memory.execute("COMMIT")


def seed_from_memory(memory: sqlite3.Connection, remembered: Memory) -> None:
    """What the writer still knew: enough to answer, escalate, merge and correct. Unsent rows wait for the disk."""
    memory.execute("BEGIN IMMEDIATE")
    for site_id, head in remembered.heads.items():
        memory.execute(sql.UPSERT_SITE, (site_id, head.version, head.sequence, head.hash))
    for site_id, state in remembered.states.items():
        memory.executemany(sql.UPSERT_INCIDENT, map(rows.incident_row, state.incidents.values()))
        troubles = (*state.troubles.values(), *state.latched.values())
        memory.executemany(sql.UPSERT_TROUBLE, map(rows.trouble_row, troubles))
        memory.executemany(sql.UPSERT_GESTURE, [rows.gesture_row(site_id, count) for count in state.gestures.values()])
        for drill in filter(None, (state.drill, state.drill_over)):
            memory.execute(sql.UPSERT_DRILL, rows.drill_row(drill))
    memory.executemany(sql.UPSERT_TIMER, remembered.timers.values())
    froze = next(iter(remembered.states), DISTRICT)  # which site froze a policy first is no longer known
    for content_hash, policy in remembered.policies.items():
        memory.execute(sql.INSERT_POLICY, rows.policy_row(froze, content_hash, policy))
    memory.execute("COMMIT")


def is_complete(memory: sqlite3.Connection) -> bool:
    """Did it take over all that is going on?"""
    found: int = memory.execute("PRAGMA main.user_version").fetchone()[0]
    return found == COMPLETE


def merge(disk: sqlite3.Connection, memory: Path) -> None:
    """Bring everything back in one transaction. Raises `sqlite3.Error`; then nothing has changed."""
    with _attached(disk, str(memory), "spare"):
        complete = disk.execute("PRAGMA spare.user_version").fetchone()[0] == COMPLETE
        disk.execute("BEGIN IMMEDIATE")
        if complete:
            disk.execute("DELETE FROM main.timer WHERE id NOT IN (SELECT id FROM spare.timer)")
            disk.execute("DELETE FROM main.opt_out WHERE endpoint_key NOT IN (SELECT endpoint_key FROM spare.opt_out)")
            disk.execute(
                "DELETE FROM main.broken_channel WHERE channel NOT IN (SELECT channel FROM spare.broken_channel)"
            )
        union = uniting.Union() if complete else uniting.Union.of(disk)
        union.make_room(disk)
        for table in _REPLACED:
            _copy(disk, table, sql.update_clause(table))
        _copy(disk, schema.timer, sql.update_clause(schema.timer), _BUT_OF, json.dumps(union.overtaken))
        union.write(disk)
        for table in _ADDED:
            _copy(disk, table, "ON CONFLICT DO NOTHING")
        sets = ", ".join(f"{name} = excluded.{name}" for name in _STANDING)
        _copy(disk, schema.notification, f"ON CONFLICT (id) DO UPDATE SET {sets} WHERE excluded.epoch >= epoch")
        _append_journal(disk)
        disk.execute("COMMIT")


def _copy(disk: sqlite3.Connection, table: Table, conflict: str, which: str = "true", *params: str) -> None:
    columns = sql.columns(table)
    names, values = ", ".join(columns), ", ".join(_AFTER if name == "seq" else name for name in columns)
    disk.execute(
        f"INSERT INTO main.{table.name} ({names}) SELECT {values} FROM spare.{table.name} WHERE {which} {conflict}",  # noqa: S608
        params,
    )


def _append_journal(disk: sqlite3.Connection) -> None:
    for (site_id,) in disk.execute("SELECT DISTINCT site_id FROM spare.journal ORDER BY site_id").fetchall():
        found = disk.execute("SELECT version, head_seq, head_hash FROM main.site_row WHERE site_id = ?", (site_id,))
        head = next((journal.Head(*row) for row in found), journal.Head())
        entries = disk.execute(
            """SELECT j.*, p.schema, p.blob FROM spare.journal j
               LEFT JOIN spare.journal_payload p ON p.site_id = j.site_id AND p.seq = j.seq
               WHERE j.site_id = ? AND j.payload_hash NOT IN (
                   SELECT payload_hash FROM main.journal WHERE site_id = j.site_id
                       AND seq >= (SELECT min(seq) FROM spare.journal WHERE site_id = j.site_id))
               ORDER BY j.seq""",
            (site_id,),
        ).fetchall()
        for *entry, payload_schema, blob in entries:
            head, row = journal.relink(head, tuple(entry))
            disk.execute(sql.INSERT_JOURNAL, row)
            if blob is not None:
                disk.execute(sql.INSERT_PAYLOAD, (site_id, head.sequence, payload_schema, blob))
        disk.execute(sql.UPSERT_SITE, (site_id, head.version + 1, head.sequence, head.hash))
