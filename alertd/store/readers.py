"""Read-only connections to an SQLite database, beside its writer.

Owns how the file is opened for reading, and the short way for questions that come all day. Never writes.
"""

import sqlite3
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, event
from sqlalchemy.engine import Connection, Engine

from alertd.ports import StoreError
from alertd.store import sql

IDLE_READERS_MAX = 5


def open_reading(path: Path, more: str = "") -> sqlite3.Connection:
    """A read-only connection. `more`: further parameters of SQLite's URI."""
    uri = f"{path.resolve().as_uri()}?mode=ro{more}"
    return sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False)


def begin_by_hand(engine: Engine) -> Engine:
    """Its transactions begin with a statement of ours: the driver's own would not cover what we mean by one."""

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN")

    return engine


def reading_engine(path: Path, more: str = "") -> Engine:
    """Read-only connections for any thread; each answer is one snapshot. `more`: see `open_reading`."""
    return begin_by_hand(create_engine("sqlite:///reading", creator=lambda: open_reading(path, more)))


class Readers:
    """Read-only connections for one short question each, from any thread: as many as ask at once, of which a few are
    kept."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._idle: deque[sqlite3.Connection] = deque()
        self._adapt = sql.adapter(sql.SQLITE_MARKS)
        self._closed = False

    def ask(self, statement: str, params: Sequence[Any]) -> list[sql.Row]:
        """See `sql.Ask`. One statement is one snapshot."""
        connection: sqlite3.Connection | None = None
        try:
            connection = self._taken() or open_reading(self._path)
            found = connection.execute(self._adapt(statement), params).fetchall()
        except sqlite3.Error as error:
            if connection is not None:
                connection.close()  # the next one opens what is there by then
            raise StoreError(f"the database cannot be read: {error}") from error
        self._idle.append(connection)
        if self._closed or len(self._idle) > IDLE_READERS_MAX:
            self._close_one()
        return found

    def close(self) -> None:
        self._closed = True
        while self._idle:
            self._close_one()

    def _taken(self) -> sqlite3.Connection | None:
        with suppress(IndexError):  # another thread was first
            return self._idle.pop()
        return None

    def _close_one(self) -> None:
        if (connection := self._taken()) is not None:
            connection.close()
