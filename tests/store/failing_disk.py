"""A disk under SQLite that can be told to be full or to fail."""

import sqlite3
from pathlib import Path


class Disk:
    """A disk under SQLite that can be told to be full or to fail."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.full = self.failing = self.unreadable = False
        self.hidden = False
        """It can be read, but not beside its writer: there is no room for the files that this needs."""
        self.full_with_ballast_only = False
        self.commits_that_happened_though_they_failed = 0

    def trouble(self) -> None:
        if self.full_with_ballast_only and (self.path.parent / "alertd.db.ballast").exists():
            raise sqlite3.OperationalError("database or disk is full")
        if self.full:
            raise sqlite3.OperationalError("database or disk is full")
        if self.failing:
            raise sqlite3.OperationalError("disk I/O error")

    def connect(self, path: Path) -> sqlite3.Connection:
        disk = self

        class Connection(sqlite3.Connection):
            wrote = False

            def executemany(self, sql, rows, /):
                self.wrote = True
                return super().executemany(sql, rows)

            def execute(self, sql, *arguments):
                if disk.unreadable:
                    raise sqlite3.OperationalError("disk I/O error")
                if "spare." in sql or sql.lstrip().startswith(("INSERT", "UPDATE", "DELETE")):
                    self.wrote = True
                if sql == "COMMIT" and self.wrote:
                    if disk.commits_that_happened_though_they_failed:
                        disk.commits_that_happened_though_they_failed -= 1
                        super().execute("COMMIT")
                        raise sqlite3.OperationalError("disk I/O error")
                    disk.trouble()
                    self.wrote = False
                return super().execute(sql, *arguments)

        return sqlite3.connect(path, isolation_level=None, check_same_thread=False, factory=Connection)

    def connect_memory(self, path: Path) -> sqlite3.Connection:
        """Memory never fails, but from there, too, the disk can only be read while it can be read."""
        disk = self

        class Connection(sqlite3.Connection):
            def execute(self, sql, *arguments):
                if (disk.unreadable or disk.hidden) and sql.startswith("ATTACH"):
                    raise sqlite3.OperationalError("disk I/O error")
                return super().execute(sql, *arguments)

        return sqlite3.connect(path, isolation_level=None, check_same_thread=False, uri=True, factory=Connection)
