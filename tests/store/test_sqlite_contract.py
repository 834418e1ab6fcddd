"""The contract on SQLite, and on SQLite while its disk is full and memory stands in for it."""

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from alertd.ports import Store
from alertd.store import open_store
from alertd.store.fallback import FallbackStore
from alertd.store.sqlite import SqliteStore
from alertd.testing.store_contract import LEASE_S, StoreContract


class TestSqlite(StoreContract):
    @pytest.fixture
    def make_store(self, quick_path: Path) -> Callable[[], Store]:
        url = f"sqlite:///{quick_path}/alertd.db"
        return lambda: open_store(url, lease_s=LEASE_S, ballast_bytes=4096, spare_parent=quick_path / "shm")


class FullDisk(sqlite3.Connection):
    """No commit that wrote rows finds room."""

    wrote = False

    def executemany(self, sql, rows, /):
        self.wrote = True
        return super().executemany(sql, rows)

    def execute(self, sql, *arguments):
        if sql == "COMMIT" and self.wrote:
            raise sqlite3.OperationalError("database or disk is full")
        return super().execute(sql, *arguments)


class TestOnAFullDisk(StoreContract):
    """Nothing that a user would notice is different, except that no source is acknowledged."""

    @pytest.fixture
    def make_store(self, quick_path: Path) -> Callable[[], Store]:
        def connect(path: Path) -> sqlite3.Connection:
            return sqlite3.connect(path, isolation_level=None, check_same_thread=False, factory=FullDisk)

        def make() -> Store:
            disk = SqliteStore(quick_path / "disk" / "alertd.db", lease_s=LEASE_S, ballast_bytes=4096, connect=connect)
            shm = quick_path / "shm" / "alertd.db"
            return FallbackStore(disk, SqliteStore(shm, lease_s=LEASE_S, ballast_bytes=0))

        return make
