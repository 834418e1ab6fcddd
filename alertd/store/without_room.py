"""How a database is read on a disk that has no room, not even for the files by which SQLite reads beside a writer.

Whoever asks holds the database's lock: nobody writes meanwhile. Never writes to the disk.
"""

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alertd.store.ballast import free_bytes

COPY_SPARES_BYTES = 64 * 1024 * 1024
"""So much of the memory stays free where a database has to be copied there to be read."""


@contextmanager
def attached(connection: sqlite3.Connection, disk: Path, name: str, copies: Path) -> Iterator[None]:
    """Attach the database `disk` to the connection, to be read. `copies`: a directory in memory, for one whose log can
    be read in no other way. Raises `sqlite3.Error`: it cannot be read at all."""
    copy = copies / "disk-copy.db"
    log = _log_of(disk)
    try:
        try:
            _attach(connection, f"{disk.resolve().as_uri()}?mode=ro", name)
        except sqlite3.OperationalError:
            if not _is_written(log):  # stopped cleanly: all of it stands in the database
                _attach(connection, f"{disk.resolve().as_uri()}?mode=ro&immutable=1", name)
            elif _is_copied(disk, copy):
                _attach(connection, f"{copy.resolve().as_uri()}?mode=ro", name)
            else:
                raise
        try:
            yield
        finally:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            connection.execute(f"DETACH DATABASE {name}")
    finally:
        for left in copies.glob(f"{copy.name}*"):
            left.unlink()


def _log_of(database: Path) -> Path:
    return database.with_name(database.name + "-wal")


def _is_written(log: Path) -> bool:
    return log.exists() and log.stat().st_size > 0


def _attach(connection: sqlite3.Connection, uri: str, name: str) -> None:
    connection.execute(f"ATTACH DATABASE ? AS {name}", (uri,))
    try:
        connection.execute(f"SELECT 1 FROM {name}.sqlite_master LIMIT 1").fetchall()  # noqa: S608 - a constant
    except sqlite3.Error:
        connection.execute(f"DETACH DATABASE {name}")
        raise


def _is_copied(disk: Path, copy: Path) -> bool:
    try:
        if free_bytes(copy.parent) < disk.stat().st_size + _log_of(disk).stat().st_size + COPY_SPARES_BYTES:
            return False
        shutil.copyfile(disk, copy)
        shutil.copyfile(_log_of(disk), _log_of(copy))
    except OSError:
        return False
    return True
