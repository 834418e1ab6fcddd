"""The machine's disk: SQLite files that fill up, fail, and survive a death as a real disk lets them.

Owns faults below SQLite, and what a killed process or a power cut leaves behind. Must never lose what a commit that
returned had synced: that would be a disk that lies, which no program can survive.
"""

import shutil
import sqlite3
import struct
from collections.abc import Callable
from os import SEEK_END
from pathlib import Path
from random import Random
from typing import Any, BinaryIO

from msgspec import Struct

WAL_HEADER = 32
FRAME_HEADER = 24
WRITES = ("INSERT", "UPDATE", "DELETE", "COMMIT", "REPLACE")

Moved = Callable[[str, str], None]
"""Told of a row's id and its new state, once that is committed."""


class Health(Struct, kw_only=True):
    """How the disk is now; every connection of the machine asks it."""

    is_full: bool = False
    fails_one_in: int = 0
    """One write in so many ends in an I/O error; 0 = none."""


class _FaultyConnection(sqlite3.Connection):
    """A connection that asks the disk's health before it writes, and reports each row that moves."""

    health: Health
    random: Random
    on_moved: Moved
    watches = False
    moves: list[tuple[str, str]]
    """Of the transaction that is open; forgotten unless it is committed."""

    def execute(self, statement: str, parameters: Any = (), /) -> sqlite3.Cursor:
        if statement.startswith(("BEGIN", "ROLLBACK")):
            self.moves = []
            if not self.watches and statement.startswith("BEGIN IMMEDIATE"):
                self._watch()
        if self.health.is_full or self.health.fails_one_in:
            self._may_fail(statement)
        cursor = super().execute(statement, parameters)
        if statement == "COMMIT":
            moves, self.moves = self.moves, []
            for name, state in moves:
                self.on_moved(name, state)
        return cursor

    def executemany(self, statement: str, parameters: Any, /) -> sqlite3.Cursor:
        if self.health.is_full or self.health.fails_one_in:
            self._may_fail(statement)
        return super().executemany(statement, parameters)

    def _may_fail(self, statement: str) -> None:
        if not statement.lstrip().startswith(WRITES):
            return
        if self.health.is_full:
            raise _error("database or disk is full", sqlite3.SQLITE_FULL)
        if self.random.randrange(self.health.fails_one_in) == 0:
            raise _error("disk I/O error", sqlite3.SQLITE_IOERR_FSYNC)

    def _watch(self) -> None:
        """Only once the table is there: a migration opens the database before it is."""
        found = super().execute("SELECT 1 FROM sqlite_master WHERE name = 'notification'").fetchone()
        if found is None:
            return
        self.watches = True
        self.create_function("row_moved", 2, self._row_moved)
        for when in ("INSERT", "UPDATE OF state"):
            super().execute(
                f"CREATE TEMP TRIGGER watch_{when.split()[0]} AFTER {when} ON main.notification "
                f"BEGIN SELECT row_moved(NEW.id, NEW.state); END"
            )

    def _row_moved(self, name: str, state: str) -> None:
        self.moves.append((name, state))


def _error(message: str, code: int) -> sqlite3.OperationalError:
    error = sqlite3.OperationalError(message)
    error.sqlite_errorcode = code
    return error


def connecting(health: Health, random: Random, on_moved: Moved) -> Callable[[Path], sqlite3.Connection]:
    """What `SqliteStore` calls to connect."""

    def connect(path: Path) -> sqlite3.Connection:
        connection = sqlite3.connect(
            path, isolation_level=None, check_same_thread=False, cached_statements=512, uri=True,
            factory=_FaultyConnection,
        )  # fmt: skip
        assert isinstance(connection, _FaultyConnection)
        connection.health, connection.random, connection.on_moved = health, random, on_moved
        connection.moves = []
        return connection

    return connect


class Remains:
    """The files of a database as a death leaves them, put back after the dying process's connections are closed: a
    clean close would write more than a killed process ever does."""

    def __init__(self, database: Path) -> None:
        self._database = database
        self._kept = [(file, file.with_name(file.name + ".kept")) for file in _files(database) if file.exists()]
        for file, kept in self._kept:
            shutil.copyfile(file, kept)

    def cut(self, synced: int, share: float) -> int:
        """The power went while what lies behind `synced` bytes of the log was being written: keep a share of it."""
        for file, kept in self._kept:
            if file.name.endswith("-wal"):
                written = wal_end(kept)
                end = synced + int(max(written - synced, 0) * share)
                with kept.open("r+b") as log:
                    log.truncate(min(end, written))
                return max(written - end, 0)
        return 0

    def put_back(self) -> None:
        for file in (*_files(self._database), self._database.with_name(self._database.name + "-shm")):
            file.unlink(missing_ok=True)
        for file, kept in self._kept:
            kept.replace(file)


def _files(database: Path) -> tuple[Path, Path]:
    return database, database.with_name(database.name + "-wal")


def wal_end(log: Path) -> int:
    """Bytes of a write-ahead log that belong to its present generation; what lies behind is left from an older one."""
    return LogEnd().of(log)


class LogEnd:
    """`wal_end` for whoever asks again and again: reads only what has come since the last time."""

    def __init__(self) -> None:
        self._header = b""
        self._end = 0

    def of(self, log: Path) -> int:
        if not log.exists():
            return 0
        with log.open("rb") as file:
            header = file.read(WAL_HEADER)
            if len(header) < WAL_HEADER:
                return len(header)
            if header != self._header or self._end > file.seek(0, SEEK_END):
                self._header, self._end = header, WAL_HEADER
            page_size, _checkpoint, *salts = struct.unpack_from(">IIII", header, 8)
            self._end = _last_frame_end(file, self._end, FRAME_HEADER + int(page_size), tuple(salts))
        return self._end


def _last_frame_end(file: BinaryIO, at: int, size: int, salts: tuple[int, ...]) -> int:
    file.seek(at)
    while len(frame := file.read(size)) == size and struct.unpack_from(">II", frame, 8) == salts:
        at += size
    return at
