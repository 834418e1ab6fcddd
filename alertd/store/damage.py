"""A damaged SQLite database: how it is recognized, and how it is set aside so that presses are taken all the same.

Presses count more than history: a daemon that will not start is a silent school. Must never delete a damaged file, and
never set one aside that merely cannot be opened now (locked, full, forbidden, written by a newer alertd).
"""

import os
import sqlite3
import time
from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from alertd.ports import StoreError
from alertd.store import schema, sql

CHECK_S = 2.0
"""Longest look at a database before presses are taken. What it does not get to is found when it is needed."""
CHECK_STEPS = 50_000
"""Steps of SQLite's machine between two looks at the time."""
MARK = ".damaged-"
BEFORE_RESTORE = ".before-restore-"
RESTORED = ".restoring"
"""Suffix of a proven copy that is to take the database's place. While it is there, a restore is under way."""
_HEADER = b"SQLite format 3\x00"
_BESIDE = ("-wal", "-shm", "")
"""The log first: left beside a new database, SQLite would play it into that one."""
_LIVE = (
    schema.site_row, schema.incident, schema.trouble, schema.gesture, schema.policy, schema.timer, schema.opt_out,
    schema.broken_channel, schema.told, schema.notification, schema.cause,
)  # fmt: skip
"""What every press needs. The journal is only appended to: its old pages are history, which `verify_journal` reads."""


class StoreDamagedError(StoreError):
    """The file is no database, or a malformed one."""


def means_damage(error: sqlite3.Error) -> bool:
    code = (getattr(error, "sqlite_errorcode", None) or 0) & 0xFF
    return code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def look_at_header(path: Path) -> None:
    """Before SQLite opens it: it would overwrite a short file, and drop the log of one that is no database."""
    try:
        with path.open("rb") as file:
            begins = file.read(len(_HEADER))
    except OSError:  # not there yet; or opening it says what is wrong
        return
    if begins and begins != _HEADER:
        raise StoreDamagedError(f"{path} is no database")


def examine(connection: sqlite3.Connection, path: Path) -> None:
    """Raises `StoreDamagedError`, or `sqlite3.Error`, if what a press needs is damaged."""
    deadline_s = time.monotonic() + CHECK_S
    connection.set_progress_handler(lambda: time.monotonic() > deadline_s, CHECK_STEPS)
    try:
        for table in _LIVE:
            for (found,) in connection.execute(f"PRAGMA quick_check('{table.name}')"):
                if found != "ok":
                    raise StoreDamagedError(f"{path} is damaged ({table.name}: {found})")
    except sqlite3.OperationalError as error:
        if getattr(error, "sqlite_errorcode", 0) != sqlite3.SQLITE_INTERRUPT:
            raise
    finally:
        connection.set_progress_handler(None, 0)
    _append(connection)


def _append(connection: sqlite3.Connection) -> None:
    """The journal's end takes an entry: tried for each site, and taken back."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        for site_id, last in connection.execute("SELECT site_id, head_seq FROM site_row").fetchall():
            entry = (site_id, last + 1, 0, "", None, None, None, "", "", "")
            connection.execute(sql.adapter(sql.SQLITE_MARKS)(sql.INSERT_JOURNAL), entry)
            connection.execute(sql.adapter(sql.SQLITE_MARKS)(sql.INSERT_PAYLOAD), (site_id, last + 1, 0, b""))
    finally:
        with suppress(sqlite3.Error):
            connection.execute("ROLLBACK")


def set_aside(path: Path, wall_us: int, mark: str = MARK) -> Path:
    """Rename the database with what belongs to it; the new name of the file."""
    moment = datetime.fromtimestamp(wall_us / 1_000_000, UTC)
    name = f"{path.name}{mark}{moment:%Y%m%dT%H%M%SZ}"
    aside = next(candidate for candidate in _names(path, name) if not candidate.exists())
    try:
        for suffix in _BESIDE:
            with suppress(FileNotFoundError):
                path.with_name(path.name + suffix).rename(aside.with_name(aside.name + suffix))
        sync_directory(path.parent)
    except OSError as error:
        raise StoreError(f"{path} cannot be set aside: {error.strerror}. Move it away.") from error
    return aside


def _names(path: Path, name: str) -> Iterable[Path]:
    yield path.with_name(name)
    for number in range(2, 1_000):
        yield path.with_name(f"{name}-{number}")


def finish_restore(path: Path, wall_us: int) -> Path | None:
    """Put the proven copy in the database's place, if there is one; the new name of what was there.

    Done again from any point at which a power cut ended it: the copy keeps its name until it has its place."""
    copy = path.with_name(path.name + RESTORED)
    if not copy.exists():
        return None
    beside = any(path.with_name(path.name + suffix).exists() for suffix in _BESIDE)
    aside = set_aside(path, wall_us, BEFORE_RESTORE) if beside else None
    copy.rename(path)
    sync_directory(path.parent)
    return aside


def sync_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def newest_aside(path: Path) -> str:
    """Name of the damaged database that was set aside last and is still there; empty if there is none."""
    with suppress(OSError):
        found = [file.name for file in path.parent.iterdir() if file.name.startswith(f"{path.name}{MARK}")]
        return max((name for name in found if not name.endswith(("-wal", "-shm"))), default="")
    return ""
