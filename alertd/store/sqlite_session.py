"""The one connection that writes to an SQLite file, as a `sql.Session`.

Owns how it is opened, what it is set to, and how a statement goes through it. Never decides what an error means, nor
whether anything is tried again: its store is told, and does.
"""

import json
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import suppress
from itertools import chain
from pathlib import Path
from typing import Any

from alertd.ports import StoreError
from alertd.store import sql

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
