"""What an earlier boot has left waiting, and stamps of this one, put on the clocks as they show when a life begins.

Owns the statements of both databases. Never begins or ends a transaction: the store that opens does.
"""

import sqlite3

from alertd.store import rows
from alertd.store.rows import Moment
from alertd.store.sql import Session

# What waited in an earlier boot waits no longer than it still had to, and never longer than from its beginning. Time
# does not go back: a clock that shows less than when a press was known was set back by as much at least, or starts slow
# and is set right later.
REANCHOR_SQLITE = (
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
# Never later than its whole delay from now: a no-op unless the clock was set back meanwhile.
REANCHOR_POSTGRES = (
    "UPDATE timer SET due_wall_us = ? + delay_us WHERE due_wall_us > ? + delay_us",
    """
    UPDATE notification SET not_before_wall_us = ? + delay_us
    WHERE state = 'queued' AND not_before_wall_us > ? + delay_us""",
)


def reanchor_sqlite(connection: sqlite3.Connection, moment: Moment) -> None:
    """Deadlines of an earlier boot become deadlines of this one. Raises `sqlite3.Error`."""
    clocks = {"boot_id": moment.boot_id, "boot_us": moment.boot_us, "wall_us": moment.wall_us}
    for statement in REANCHOR_SQLITE:
        connection.execute(statement, clocks)


def reanchor_postgres(session: Session, moment: Moment) -> None:
    """Deadlines of an earlier boot run on the database's clock already: they only must not stand too far ahead."""
    for statement in REANCHOR_POSTGRES:
        session.run(statement, (moment.wall_us, moment.wall_us))


def restamp(session: Session, moment: Moment) -> None:
    """Stamps of this boot show what clocks show now: they may have been set while nobody was there to see it."""
    for statement, (shown,) in rows.restamps(moment):
        session.run(statement, shown)
