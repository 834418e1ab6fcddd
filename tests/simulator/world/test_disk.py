"""The simulated disk is as bad as a real one, and no worse: what a commit that returned had synced is never lost."""

import sqlite3
from random import Random

import pytest

from alertd_simulator.world.disk import Health, Remains, connecting, wal_end


class Disk:
    """A database of one table, opened as the store opens its own."""

    def __init__(self, folder):
        self.path = folder / "alertd.db"
        self.health = Health()
        self.moves: list[tuple[str, str]] = []
        self.connect = connecting(self.health, Random(1), lambda *move: self.moves.append(move))
        self.open()
        self.connection.execute("CREATE TABLE notification (id TEXT PRIMARY KEY, state TEXT)")

    def open(self):
        self.connection = self.connect(self.path)
        self.connection.execute("PRAGMA journal_mode = WAL")
        self.connection.execute("PRAGMA synchronous = FULL")

    def write(self, name, state="queued"):
        self.connection.execute("BEGIN IMMEDIATE")
        self.connection.execute("INSERT INTO notification VALUES (?, ?)", (name, state))
        self.connection.execute("COMMIT")

    @property
    def log(self):
        return self.path.with_name("alertd.db-wal")

    def die(self, *, synced=None, share=1.0):
        remains = Remains(self.path)
        lost = 0 if synced is None else remains.cut(synced, share)
        self.connection.close()
        remains.put_back()
        self.open()
        return lost

    def names(self):
        return [name for (name,) in self.connection.execute("SELECT id FROM notification ORDER BY id")]


@pytest.fixture
def disk(tmp_path):
    disk = Disk(tmp_path)
    yield disk
    disk.connection.close()


def test_a_killed_process_leaves_every_commit_that_returned(disk):
    disk.write("a")
    disk.write("b")

    disk.die()

    assert disk.names() == ["a", "b"]


def test_a_killed_process_leaves_nothing_of_a_transaction_that_was_open(disk):
    disk.write("a")
    disk.connection.execute("BEGIN IMMEDIATE")
    disk.connection.execute("INSERT INTO notification VALUES ('b', 'queued')")

    disk.die()

    assert disk.names() == ["a"]


@pytest.mark.parametrize("share", [0.0, 0.3, 0.999])
def test_a_power_cut_tears_the_commit_under_way_and_no_other(disk, share):
    disk.write("a")
    synced = wal_end(disk.log)
    disk.write("b")

    lost = disk.die(synced=synced, share=share)

    assert lost > 0
    assert disk.names() == ["a"]


def test_a_commit_that_was_written_whole_survives_the_power_cut(disk):
    disk.write("a")
    synced = wal_end(disk.log)
    disk.write("b")

    assert disk.die(synced=synced, share=1.0) == 0
    assert disk.names() == ["a", "b"]


def test_what_an_older_generation_left_in_the_log_is_not_counted(disk):
    for number in range(40):
        disk.write(f"n{number:02}")
    full = wal_end(disk.log)
    disk.connection.execute("PRAGMA wal_checkpoint(RESTART)").fetchall()
    disk.write("z")

    assert wal_end(disk.log) < full, "the log began anew, though the file is as long as before"
    assert disk.log.stat().st_size >= full


def test_a_full_disk_says_so_and_can_still_be_read(disk):
    disk.write("a")
    disk.health.is_full = True

    with pytest.raises(sqlite3.OperationalError, match="full") as raised:
        disk.write("b")

    assert raised.value.sqlite_errorcode == sqlite3.SQLITE_FULL
    disk.connection.execute("ROLLBACK")
    assert disk.names() == ["a"]


def test_a_failing_disk_fails_now_and_then(disk):
    disk.health.fails_one_in = 3
    failed = 0
    for number in range(40):
        try:
            disk.write(f"n{number}")
        except sqlite3.OperationalError:
            failed += 1
            disk.connection.rollback()

    assert 5 < failed < 39


def test_every_row_that_moves_is_told_once_it_is_committed(disk):
    disk.write("a")
    disk.connection.execute("BEGIN IMMEDIATE")
    disk.connection.execute("UPDATE notification SET state = 'claimed' WHERE id = 'a'")
    disk.connection.execute("COMMIT")

    assert disk.moves == [("a", "queued"), ("a", "claimed")]


def test_what_is_rolled_back_did_not_move(disk):
    disk.write("a")
    disk.connection.execute("BEGIN IMMEDIATE")
    disk.connection.execute("UPDATE notification SET state = 'claimed' WHERE id = 'a'")
    disk.connection.execute("ROLLBACK")
    disk.health.is_full = True
    with pytest.raises(sqlite3.OperationalError):
        disk.write("b")

    assert disk.moves == [("a", "queued")]
