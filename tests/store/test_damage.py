"""A damaged database: presses are taken on a new one, and the old file is kept (presses count more than history)."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from alertd.model.ids import DISTRICT, IncidentId
from alertd.ports import Store, StoreError, StoreLockedError
from alertd.store import damage, open_store
from alertd.store.damage import newest_aside
from alertd.testing.store_contract import World
from alertd.testing.store_values import OAK, first_wave

PAGE = 4096


@pytest.fixture
def path(quick_path: Path) -> Path:
    return quick_path / "alertd.db"


def make(path: Path) -> Store:
    return open_store(f"sqlite:///{path}", ballast_bytes=0, spare_parent=path.parent / "spare")


def filled(path: Path, times: int = 60) -> bytes:
    """A database with some history, closed well; its bytes."""
    world = World(lambda: make(path))
    for number in range(times):
        world.commit(first_wave(number + 1))
    world.close()
    return path.read_bytes()


def takes_presses(path: Path) -> World:
    world = World(lambda: make(path))
    world.commit(first_wave(1000))
    assert world.store.durable, "it goes on in memory only"
    assert world.store.read_incident(IncidentId("inc-1000")) is not None
    return world


@pytest.mark.parametrize(
    "garbage", [b"not a database at all" * 100, b"\x00" * 20_000, b"SQLite format 3\x00" + b"\xff" * 9_000, b"x"]
)
def test_a_file_that_is_no_database_is_kept_under_another_name(path: Path, garbage: bytes) -> None:
    path.write_bytes(garbage)
    world = takes_presses(path)

    aside = world.store.damaged()
    assert aside.startswith("alertd.db.damaged-2")
    assert path.with_name(aside).read_bytes() == garbage, "never deleted, never changed"
    world.close()


@pytest.mark.parametrize("share", [0.1, 0.3, 0.5, 0.7, 0.9])
def test_overwritten_pages_do_not_silence_a_school(path: Path, share: float) -> None:
    whole = filled(path)
    assert len(whole) > 40 * PAGE
    first = int(len(whole) * share) // PAGE * PAGE
    path.write_bytes(whole[:first] + b"\xa5" * (4 * PAGE) + whole[first + 4 * PAGE :])
    takes_presses(path).close()


def test_all_pages_but_the_first_overwritten(path: Path) -> None:
    whole = filled(path)
    damaged = whole[:PAGE] + b"\xa5" * (len(whole) - PAGE)
    path.write_bytes(damaged)
    world = takes_presses(path)

    assert path.with_name(world.store.damaged()).read_bytes() == damaged
    world.close()


@pytest.mark.parametrize("table", ["incident", "timer", "notification", "site_row", "journal", "journal_payload"])
def test_damage_in_a_table_that_a_press_needs_is_found_before_the_press(path: Path, table: str) -> None:
    whole = filled(path)
    with closing(sqlite3.connect(path)) as there:
        ((root,),) = there.execute("SELECT rootpage FROM sqlite_master WHERE name = ? AND type = 'table'", (table,))
    path.write_bytes(whole[: (root - 1) * PAGE] + b"\xa5" * PAGE + whole[root * PAGE :])
    world = takes_presses(path)

    assert world.store.damaged()
    world.close()


def test_a_truncated_file_is_set_aside(path: Path) -> None:
    whole = filled(path)
    path.write_bytes(whole[: len(whole) // 2 // PAGE * PAGE])
    world = takes_presses(path)

    assert world.store.damaged()
    world.close()


def test_the_log_of_a_damaged_database_is_not_played_into_the_new_one(path: Path) -> None:
    world = World(lambda: make(path))
    world.commit(first_wave())
    crashed = path.parent / "crashed"
    crashed.mkdir()
    wal = path.with_name("alertd.db-wal")
    assert wal.stat().st_size > 0
    shutil.copy(wal, crashed)
    world.close()
    path.write_bytes(b"\xa5" * 8 * PAGE)
    shutil.copy(crashed / "alertd.db-wal", wal)
    after = takes_presses(path)

    aside = after.store.damaged()
    assert path.with_name(f"{aside}-wal").read_bytes() == (crashed / "alertd.db-wal").read_bytes()
    after.close()


def test_each_damaged_file_has_a_name_of_its_own(path: Path) -> None:
    for number in range(3):
        path.write_bytes(f"garbage {number}".encode())
        takes_presses(path).close()

    kept = sorted(file.read_bytes() for file in path.parent.glob("alertd.db.damaged-*"))
    assert kept == [b"garbage 0", b"garbage 1", b"garbage 2"]


def test_a_sound_database_stays_where_it_is(path: Path) -> None:
    filled(path, times=3)
    world = World(lambda: make(path))

    assert world.store.damaged() == ""
    assert world.store.verify_journal(OAK) > 0
    assert len(world.store.read_incidents(open_only=False, site_id=None, limit=10)) == 3
    world.close()


def test_what_was_set_aside_is_told_until_somebody_moves_it_away(path: Path) -> None:
    path.write_bytes(b"garbage")
    world = takes_presses(path)
    world.restart()
    assert world.store.damaged(), "the next start forgot it"
    path.with_name(world.store.damaged()).unlink()

    assert world.store.damaged() == ""
    world.close()


def test_a_database_that_only_cannot_be_used_now_is_not_touched(path: Path) -> None:
    filled(path, times=1)
    with closing(sqlite3.connect(path)) as there, there:
        there.execute("UPDATE alembic_version SET version_num = '9999_from_the_future'")
    with pytest.raises(StoreError, match="Install the alertd that wrote it"):
        World(lambda: make(path))
    assert newest_aside(path) == ""

    path.write_bytes(b"garbage")
    world = World(lambda: make(path))
    with pytest.raises(StoreLockedError):
        make(path).open("a second daemon", world.clock)
    assert len(list(path.parent.glob("alertd.db.damaged-*"))) == 1
    world.close()


def test_a_look_that_takes_too_long_ends_without_a_finding(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    filled(path, times=3)
    monkeypatch.setattr(damage, "CHECK_S", -1.0)
    monkeypatch.setattr(damage, "CHECK_STEPS", 1)
    world = World(lambda: make(path))

    assert world.store.damaged() == ""
    assert world.store.verify_journal(DISTRICT) == 0
    world.close()
