"""The prepared statements of the hot path, one text for both databases, and the session that runs them.

Statements are built from the schema, so a column cannot be forgotten. Three marks are adapted per database: `?` is a
parameter, `IN (?*)` a list of values as one parameter, `{skip_locked}` locks rows that nobody else holds. Never holds
a rule of alertd: who may be claimed, withdrawn or told is decided by those who call.
"""

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, Protocol

from sqlalchemy import Table

from alertd.model.notification import AFTER_CLOSE
from alertd.store import schema

Row = tuple[Any, ...]
Ask = Callable[[str, Sequence[Any]], list[Row]]
"""One statement of this module, read as one snapshot from any thread. Its errors are `StoreError`s."""


class Session(Protocol):
    """One connection of the writer. Its errors are `StoreError`s."""

    def rows(self, sql: str, params: Sequence[Any] = ()) -> list[Row]: ...

    def run(self, sql: str, params: Sequence[Any] = ()) -> int:
        """Number of rows touched."""
        ...

    def run_many(self, sql: str, rows: Sequence[Sequence[Any]]) -> None: ...

    def listed(self, values: Sequence[str]) -> Any:
        """The values as the one parameter of `IN (?*)`."""
        ...

    def begin(self) -> None: ...

    def commit(self) -> None: ...

    def rollback(self) -> None: ...


def columns(table: Table) -> tuple[str, ...]:
    return tuple(column.name for column in table.columns)


INSERT = "INSERT INTO "


NEXT_SEQ = "(SELECT COALESCE(MAX(seq), 0) + 1 FROM incident)"
"""What begins or ends now comes after all that did. Nodes that write at once may say the same number."""


def _insert(table: Table) -> str:
    marks = ", ".join(NEXT_SEQ if column is schema.incident.c.seq else "?" for column in table.columns)
    return f"{INSERT}{table.name} ({', '.join(columns(table))}) VALUES ({marks})"


@cache
def repeat_values(insert: str, times: int) -> str:
    """The same insert for so many rows at once."""
    head, values, tail = insert.partition(" VALUES ")
    group, conflict, rest = tail.partition(" ON CONFLICT")
    return f"{head}{values}{', '.join([group] * times)}{conflict}{rest}"


def _insert_once(table: Table) -> str:
    return _insert(table) + " ON CONFLICT DO NOTHING"


def update_clause(table: Table, *, but: Sequence[str] = ()) -> str:
    """`ON CONFLICT … DO UPDATE` of every column that is not the key, nor one of `but`."""
    key = [column.name for column in table.primary_key]
    sets = ", ".join(f"{name} = excluded.{name}" for name in columns(table) if name not in (*key, *but))
    return f"ON CONFLICT ({', '.join(key)}) DO UPDATE SET {sets}"


def _upsert(table: Table, *, but: Sequence[str] = ()) -> str:
    return f"{_insert(table)} {update_clause(table, but=but)}"


UPSERT_SITE = _upsert(schema.site_row)
UPSERT_INCIDENT = (
    _upsert(schema.incident, but=("seq",))
    + ", seq = CASE WHEN incident.state = 'open' THEN excluded.seq ELSE incident.seq END"
)
"""What is written again after its end ends no later for it: its names were erased, say."""
UPSERT_OPEN_INCIDENT = _upsert(schema.incident, but=("site_id", "state", "opened_us", "seq"))
"""Of one that is open, as it was before: what stands in no index is replaced, and the indexes are left alone."""
UPSERT_CAUSE = _upsert(schema.cause)
"""Written only if it is no copy: a counter that is used again begins another press, of which copies come, too."""
UPSERT_TROUBLE = _upsert(schema.trouble)
UPSERT_GESTURE = _upsert(schema.gesture)
UPSERT_DRILL = _upsert(schema.drill)
UPSERT_TIMER = _upsert(schema.timer)
UPSERT_LAST_SEEN = f"{_upsert(schema.last_seen)} WHERE excluded.seen_us >= last_seen.seen_us"
"""Of several nodes, the one that heard it last is right."""
DOUBT_STAMPS = "UPDATE last_seen SET seen_us = 0 WHERE seen_us > ? AND device_id IN (?*)"
"""They lie ahead of now: written by a clock that was wrong, and whatever is known now is newer."""
INSERT_POLICY = _insert_once(schema.policy)
INSERT_NOTIFICATION = _insert_once(schema.notification)
"""One id, one content, for ever: a row that exists is left as it is."""
INSERT_JOURNAL = _insert(schema.journal)
INSERT_PAYLOAD = _insert(schema.journal_payload)
INSERT_TOLD = _insert_once(schema.told)
INSERT_OPT_OUT = _insert_once(schema.opt_out)
INSERT_BROKEN = _insert_once(schema.broken_channel)
INSERT_QUARANTINE = _insert_once(schema.quarantine)

STANDING = "schema, blob, expires_us, state, reason, attempt, epoch, not_before_us, ref, detail"
"""What a `NotificationRow` is made of."""

# --- one transaction ------------------------------------------------------------------------------------------------

READ_SITE = "SELECT version, head_seq, head_hash FROM site_row WHERE site_id = ?"
READ_OPEN_INCIDENTS = "SELECT schema, blob FROM incident WHERE site_id = ? AND state = 'open' ORDER BY opened_us, id"
READ_STANDING_TROUBLES = "SELECT schema, blob FROM trouble WHERE site_id = ? AND cleared_us IS NULL ORDER BY key"
READ_GESTURES = "SELECT schema, blob FROM gesture WHERE site_id = ? ORDER BY device_id"
READ_LAST_DRILL = (
    "SELECT schema, blob FROM drill WHERE site_id = ? "
    "ORDER BY CASE state WHEN 'running' THEN 0 ELSE 1 END, started_us DESC, id LIMIT 1"
)
READ_DRILLING_SITES = "SELECT site_id FROM drill WHERE state = 'running'"
READ_POLICIES = "SELECT hash, schema, blob FROM policy WHERE hash IN (?*)"
READ_CAUSE = "SELECT at_us, boot_us, boot_id FROM cause WHERE id = ?"
READ_OPT_OUTS = "SELECT endpoint_key FROM opt_out"
READ_BROKEN = "SELECT channel FROM broken_channel"
READ_INCIDENT_LIVES = "SELECT schema, blob FROM incident WHERE id IN (?*)"
READ_EXISTING = "SELECT id FROM notification WHERE id IN (?*)"
READ_PAGES_BETWEEN = " UNION ALL ".join(
    f"SELECT {STANDING} FROM notification"  # noqa: S608 - constants
    f" WHERE {where} AND channel = ? AND created_us > ? AND created_us <= ? AND site_id = ? AND kind = 'page'"
    for where in ("state = 'queued'", "state IN ('claimed', 'unknown')", "state IN ('accepted', 'sent')")
)
"""Those that wait, are under way, or were said: each part has an index of its own."""
_USES = "SELECT id, token, state, opened_us, closed_us, seq FROM incident"
READ_TOKENS = f"""
    SELECT * FROM (
        {_USES} WHERE state = 'open'
        UNION {_USES} WHERE opened_us BETWEEN ? AND ?
        UNION SELECT * FROM ({_USES} ORDER BY seq DESC LIMIT ?) newest) used
    ORDER BY +seq, opened_us"""  # noqa: S608 - constants
"""Of those that are closed also the newest, whatever clocks show: they were wrong when these were opened, or are now.
Each part has an index of its own, and `+` keeps the order from reading years of rows by another."""
READ_PHONE = """
    SELECT i.id, i.site_id, i.mode, i.token, i.headline, i.state, i.opened_us, i.closed_us, i.closed_by, i.seq,
        i.schema, i.blob
    FROM told t JOIN incident i ON i.id = t.incident_id
    WHERE t.endpoint_key = ? AND (i.state = 'open' OR i.opened_us >= ? OR i.closed_us >= ?
        OR i.seq > (SELECT COALESCE(MAX(seq), 0) FROM incident) - ?)
    ORDER BY CASE WHEN i.state = 'open' THEN 0 ELSE 1 END, i.seq DESC, i.opened_us DESC, i.id LIMIT ?"""
"""Open ones first, and of each the newest, whatever clocks show. Of those that are closed also the newest of the
district, however long ago they seem. Which of them a reply is matched against, `rows.gravest_of_phone` chooses."""
READ_LEFT = """
    SELECT incident_id, schema, blob FROM notification WHERE incident_id IN (?*) AND endpoint_key = ?
        AND state IN ('claimed', 'unknown', 'accepted', 'sent', 'delivered')"""
"""What has left for a phone."""

READ_NOTIFICATION = f"SELECT {STANDING} FROM notification WHERE id = ?{{lock}}"  # noqa: S608 - constants

CHANGE_NOTIFICATION = """
    UPDATE notification SET state = ?, reason = ?, ref = COALESCE(?, ref), detail = COALESCE(?, detail),
        not_before_us = COALESCE(?, not_before_us), boot_id = COALESCE(?, boot_id),
        not_before_wall_us = COALESCE(?, not_before_wall_us), delay_us = COALESCE(?, delay_us),
        attempt = COALESCE(?, attempt), leased_by = ?, lease_until_us = ?
    WHERE id = ?"""
_OUTLIVE = ", ".join(f"'{kind.value}'" for kind in sorted(AFTER_CLOSE))
WITHDRAW = f"""
    UPDATE notification SET state = 'withdrawn', reason = ?
    WHERE incident_id = ? AND state = 'queued' AND kind NOT IN ({_OUTLIVE})"""  # noqa: S608 - constants
WITHDRAW_KIND = """
    UPDATE notification SET state = 'withdrawn', reason = ?
    WHERE incident_id = ? AND kind = ? AND state = 'queued'"""
WITHDRAW_ENDPOINT = f"""
    UPDATE notification SET state = 'withdrawn', reason = ?
    WHERE incident_id = ? AND endpoint_key = ? AND state = 'queued' AND kind NOT IN ({_OUTLIVE})"""  # noqa: S608 - constants
WITHDRAW_KIND_OF_SITE = """
    UPDATE notification SET state = 'withdrawn', reason = ?
    WHERE site_id = ? AND kind = ? AND state = 'queued'"""
WITHDRAW_MODE_OF_SITE = """
    UPDATE notification SET state = 'withdrawn', reason = ?
    WHERE site_id = ? AND mode = ? AND kind <> ? AND state = 'queued'"""
REFUSE = "UPDATE notification SET state = ?, reason = ? WHERE id = ? AND state = 'queued'"
DROP_TIMER = "DELETE FROM timer WHERE id = ?"
DROP_FIRED_TIMER = """
    DELETE FROM timer WHERE id = ? AND ((boot_id = ? AND due_boot_us <= ?) OR (boot_id <> ? AND due_wall_us <= ?))"""
"""Only if it is due: one that was set anew since it fired stays."""
DROP_OPT_OUT = "DELETE FROM opt_out WHERE endpoint_key = ?"
MEND_CHANNEL = "DELETE FROM broken_channel WHERE channel = ?"
RESTAMP = (
    "UPDATE timer SET due_wall_us = due_boot_us + ? WHERE boot_id = ?",
    """
    UPDATE notification SET not_before_wall_us = not_before_us + ?
    WHERE state = 'queued' AND not_before_us > 0 AND boot_id = ?""",
    *(
        f"UPDATE notification SET expires_us = expires_boot_us + ? WHERE {state} AND expires_boot_id = ?"  # noqa: S608 - constants
        for state in ("state = 'queued'", "state IN ('claimed', 'unknown')", "state IN ('accepted', 'sent')")
    ),
    "UPDATE cause SET at_us = boot_us + ? WHERE boot_id = ?",
)
"""A clock was set: what was written in this boot shows the store's time of now, for whoever reads it in another boot.
Parameters: that time, less boot time, and the boot."""

# --- outbox and timers ----------------------------------------------------------------------------------------------

CLAIM = """
    UPDATE notification SET state = 'claimed', attempt = attempt + 1, epoch = epoch + 1, leased_by = ?,
        lease_until_us = ? WHERE id = ?"""
LET_GO = """
    UPDATE notification SET not_before_us = 0, not_before_wall_us = 0, delay_us = 0
    WHERE state = 'queued' AND reason = 'not_tried' AND channel = ? AND endpoint_key IN (?*)"""
_WAITS_AGAIN = """
    WHERE state = 'queued' AND reason IN ('retrying', 'resent_unknown') AND channel = ? AND site_id = ?
        AND endpoint_key = ?"""
READ_TURN = f"""
    SELECT max(CASE WHEN boot_id = ? THEN not_before_us ELSE 0 END),
        max(CASE WHEN kind <> 'dispatch_heartbeat' THEN expires_us ELSE 0 END),
        max(CASE WHEN kind = 'dispatch_new' THEN expires_us ELSE 0 END),
        max(CASE WHEN kind <> 'dispatch_heartbeat' AND expires_boot_id = ? THEN expires_boot_us ELSE 0 END),
        max(CASE WHEN kind = 'dispatch_new' AND expires_boot_id = ? THEN expires_boot_us ELSE 0 END)
    FROM notification{_WAITS_AGAIN}"""  # noqa: S608 - constants
TRY_NOW = f"""
    UPDATE notification SET not_before_us = 0, not_before_wall_us = 0, delay_us = 0{_WAITS_AGAIN}"""  # noqa: S608


def at(site_id: str, endpoint_key: str) -> Row:
    """Parameters of the two above."""
    return endpoint_key.partition(":")[0], site_id, endpoint_key


READ_DUE = f"""
    SELECT {STANDING} FROM notification
    WHERE state = 'queued' AND channel = ? AND lane <= ?
        AND ((boot_id = ? AND not_before_us <= ?) OR (boot_id <> ? AND not_before_wall_us <= ?))
    ORDER BY lane, created_us, id LIMIT ?{{skip_locked}}"""  # noqa: S608 - constants
READ_ABANDONED = f"""
    SELECT {STANDING} FROM notification
    WHERE state IN ('claimed', 'unknown') AND reason <> 'unknown_not_resent'
        AND (lease_until_us <= ? OR leased_by <> ?) ORDER BY lane, created_us, id LIMIT ?{{skip_locked}}"""  # noqa: S608 - constants
READ_OVERDUE = f"""
    SELECT {STANDING} FROM notification
    WHERE state IN ('claimed', 'unknown') AND reason <> 'unknown_not_resent' AND lease_until_us <= ?
    ORDER BY lane, created_us, id LIMIT ?{{skip_locked}}"""  # noqa: S608 - constants
TAKE_OVER = "UPDATE notification SET leased_by = ?, lease_until_us = ? WHERE id = ?"
READ_DUE_TIMERS = (
    "SELECT id, schema, blob FROM timer WHERE boot_id = ? AND due_boot_us <= ? ORDER BY due_boot_us, id LIMIT ?"
)
READ_DUE_TIMERS_ANYWHERE = """
    SELECT id, schema, blob FROM timer
    WHERE ((boot_id = ? AND due_boot_us <= ?) OR (boot_id <> ? AND due_wall_us <= ?)) AND lease_until_us <= ?
    ORDER BY due_wall_us, id LIMIT ?{skip_locked}"""
LEASE_TIMER = "UPDATE timer SET lease_until_us = ? WHERE id = ?"
NEXT_TIMER = "SELECT min(due_boot_us) FROM timer WHERE boot_id = ?"
NEXT_TIMER_ELSEWHERE = "SELECT min(due_wall_us) FROM timer WHERE boot_id <> ?"
NEXT_HELD = "SELECT min(not_before_us) FROM notification WHERE state = 'queued' AND boot_id = ?"
NEXT_HELD_ELSEWHERE = "SELECT min(not_before_wall_us) FROM notification WHERE state = 'queued' AND boot_id <> ?"

# --- what followers and pollers read all day, beside the writer -----------------------------------------------------

# States in the very words of the partial indexes: with bound values SQLite would walk through the whole table.
READ_INCIDENT = "SELECT schema, blob FROM incident WHERE id = ?"
READ_NOTIFICATIONS_OF = f"""
    SELECT {STANDING} FROM notification WHERE incident_id = ? ORDER BY created_us, id LIMIT ?"""  # noqa: S608 - constants
READ_STANDING = f"SELECT {STANDING} FROM notification WHERE id = ?"  # noqa: S608 - constants
READ_BY_REF = f"""
    SELECT {STANDING} FROM notification WHERE ref <> '' AND channel = ? AND ref = ?
    ORDER BY created_us DESC LIMIT 1"""  # noqa: S608 - constants
READ_UNSETTLED = f"""
    SELECT {STANDING} FROM notification WHERE id IN (
        SELECT id FROM notification WHERE state IN ('accepted', 'sent') AND channel = ? AND created_us >= ?
        UNION
        SELECT id FROM notification WHERE state IN ('accepted', 'sent') AND channel = ?
            AND expires_boot_id = ? AND expires_boot_us >= ?)
    ORDER BY created_us DESC LIMIT ?"""  # noqa: S608 - constants. With OR SQLite walks through all of the channel's.
READ_DRILLS = "SELECT schema, blob FROM drill ORDER BY started_us DESC, id LIMIT ?"
READ_DRILLS_OF = "SELECT schema, blob FROM drill WHERE site_id = ? ORDER BY started_us DESC, id LIMIT ?"
READ_RUNNING_DRILLS = "SELECT schema, blob FROM drill WHERE state = 'running' ORDER BY started_us DESC, id LIMIT ?"
READ_RUNNING_DRILLS_OF = """
    SELECT schema, blob FROM drill WHERE state = 'running' AND site_id = ? ORDER BY started_us DESC, id LIMIT ?"""

# --- housekeeping ---------------------------------------------------------------------------------------------------

PRUNE_CAUSES = "DELETE FROM cause WHERE at_us < ?"
READ_UNCLAIMED = f"SELECT {STANDING} FROM notification WHERE state = 'queued' AND expires_us < ? LIMIT ?"  # noqa: S608 - constants
EXPIRE = "UPDATE notification SET state = 'expired', reason = 'expired' WHERE state = 'queued' AND id = ?"
"""Rows that nobody claimed, even to find that they are too late: their channel is no longer configured."""
PRUNE_TROUBLES = "DELETE FROM trouble WHERE cleared_us < ?"
ERASE_WORDS_OF = """
    DELETE FROM journal_payload WHERE site_id = ?
        AND seq IN (SELECT seq FROM journal WHERE incident_id = ? AND site_id = ?)"""
ERASE_SENT_OF = "DELETE FROM notification WHERE incident_id = ?"
ERASE_TOLD_OF = "DELETE FROM told WHERE incident_id = ?"
ERASE_PAYLOADS = """
    DELETE FROM journal_payload WHERE site_id = ?
        AND seq IN (SELECT seq FROM journal WHERE site_id = ? AND at_us < ?)"""


def adapter(marks: dict[str, str]) -> Callable[[str], str]:
    """Turns the statements of this module into those of one database; each is made once."""
    made: dict[str, str] = {}

    def adapt(sql: str) -> str:
        ready = made.get(sql)
        if ready is None:
            ready = sql
            for mark, text in marks.items():
                ready = ready.replace(mark, text)
            made[sql] = ready
        return ready

    return adapt


SQLITE_MARKS = {"IN (?*)": "IN (SELECT value FROM json_each(?))", "{skip_locked}": "", "{lock}": ""}
POSTGRES_MARKS = {
    "IN (?*)": "= ANY(%s)",
    "?": "%s",
    "{skip_locked}": " FOR UPDATE SKIP LOCKED",
    "{lock}": " FOR UPDATE",
}
