"""A backup is one moment of a running store, proven; what is torn, forged or foreign is refused; nothing is deleted."""

import fcntl
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO, Any

import pytest

from alertd.model.decision import Decision
from alertd.ports import StoreError, StoreLockedError
from alertd.store import backup
from alertd.store.backup import BackupError, back_up, examine
from alertd.store.restoring import MARK, restoring
from alertd.store.sqlite import SqliteStore
from alertd.testing.store_contract import World
from alertd.testing.store_values import OAK, entry, first_wave, incident

NIGHT = datetime(2026, 11, 22, 2, 30, tzinfo=UTC)


@pytest.fixture
def world(quick_path: Path) -> Iterator[World]:
    world = World(lambda: SqliteStore(quick_path / "alertd.db", ballast_bytes=0))
    world.commit(first_wave())
    yield world
    world.close()


@pytest.fixture
def database(world: World, quick_path: Path) -> Path:
    return quick_path / "alertd.db"


@pytest.fixture
def folder(quick_path: Path) -> Path:
    folder = quick_path / "backups"
    folder.mkdir()
    return folder


def test_a_copy_of_the_running_store_says_what_it_holds_and_only_its_owner_may_read_it(world, database, folder):
    contents, removed = back_up(database, folder, now=NIGHT, keep=3)

    assert contents.path == folder / "alertd-20261122T023000Z.db"
    assert contents.path.stat().st_mode & 0o777 == 0o600
    assert (contents.incidents, len(contents.open_incidents)) == (1, 1)
    assert contents.notifications == len(world.store.read_notifications(incident(1).id)) > 0
    assert contents.heads == {"oak": world.store.verify_journal(OAK)}
    assert contents.size_bytes == contents.path.stat().st_size
    assert sorted(p.name for p in folder.iterdir()) == [contents.path.name, contents.path.name + ".sha256"]
    assert removed == ()
    assert examine(contents.path) == contents


def test_backups_under_a_load_of_presses_hold_up_none_of_them_and_are_each_one_moment(world, database, folder):
    """The writer commits without a pause while copy after copy is made beside it."""
    made: list[int] = []
    failed: list[Exception] = []

    def make() -> None:
        try:
            for number in range(4):
                contents, _ = back_up(database, folder, now=NIGHT + timedelta(seconds=number), keep=100)
                made.append(contents.entries)
        except Exception as error:  # noqa: BLE001 - it is told in the test's own thread
            failed.append(error)

    beside = threading.Thread(target=make)
    beside.start()
    committed, slowest_s = 0, 0.0
    while beside.is_alive():
        begun = time.monotonic()
        committed += 1
        world.commit(Decision(entries=tuple(entry(f"press {committed}.{n}") for n in range(5))))
        slowest_s = max(slowest_s, time.monotonic() - begun)
        beside.join(0.001)  # else the journal grows faster than it can be verified

    assert failed == []
    assert len(made) == 4
    assert made == sorted(made)
    assert made[-1] > made[0], "nothing was committed meanwhile"
    heads = world.store.verify_journal(OAK)
    assert all((entries - made[0]) % 5 == 0 for entries in made), "a commit was torn in two"
    assert made[-1] <= heads
    assert slowest_s < 2.0, "a press waited for the backup"


def test_presses_that_come_while_it_copies_do_not_begin_the_copy_anew(world, database, folder, monkeypatch):
    """Else a busy evening would have no backup: it would never get to its end."""
    steps: list[int] = []

    def press(_status: int, remaining: int, _total: int) -> None:
        steps.append(remaining)
        if len(steps) <= 3:
            world.commit(first_wave(len(steps) + 1, token=str(17 + len(steps))))

    class WhilePressed(sqlite3.Connection):
        def backup(self, target: sqlite3.Connection, **options: Any) -> None:
            super().backup(target, progress=press, **options)

    def opened(path: Path, more: str = "") -> sqlite3.Connection:
        uri = f"{path.resolve().as_uri()}?mode=ro{more}"
        return sqlite3.connect(uri, uri=True, isolation_level=None, factory=WhilePressed)

    monkeypatch.setattr(backup, "open_reading", opened)
    contents, _ = back_up(database, folder, now=NIGHT, keep=3)

    assert steps == [0]
    assert contents.incidents == 1, "not the moment at which it began"
    assert len(world.store.read_incidents(open_only=True, site_id=None, limit=9)) == 2, "a press had to wait"


def test_only_the_newest_stay_and_strangers_are_left_alone(world, database, folder):
    (folder / "alertd.db").write_text("somebody's own")
    for night in range(5):
        _, removed = back_up(database, folder, now=NIGHT + timedelta(days=night), keep=3)

    assert [path.name for path in removed] == ["alertd-20261123T023000Z.db"]
    assert sorted(path.name for path in folder.glob("*.db")) == [
        "alertd-20261124T023000Z.db", "alertd-20261125T023000Z.db", "alertd-20261126T023000Z.db", "alertd.db",
    ]  # fmt: skip
    assert len(list(folder.glob("*.sha256"))) == 3


def test_an_old_copy_that_cannot_be_removed_is_a_sentence_beside_a_good_copy(world, database, folder):
    (folder / "alertd-20261101T023000Z.db").mkdir()
    with pytest.raises(BackupError, match=r"the new copy is good, but .*20261101T023000Z.db cannot be removed"):
        back_up(database, folder, now=NIGHT, keep=1)
    assert examine(folder / "alertd-20261122T023000Z.db").incidents == 1


def test_what_a_killed_backup_left_is_begun_anew_and_nobody_else_may_read_it(world, database, folder):
    left = folder / ".alertd-backup.partial"
    left.write_bytes(b"\xa5" * 3_000_000)
    left.chmod(0o644)
    made = back_up(database, folder, now=NIGHT, keep=1)[0].path
    assert made.stat().st_size < 3_000_000
    for file in folder.iterdir():
        assert file.stat().st_mode & 0o077 == 0, f"{file.name} can be read by others"


def test_a_backup_leaves_room_beside_itself(world, database, folder, monkeypatch):
    """The copy needs its own room besides what presses keep."""
    just_enough = database.stat().st_size + 256 * 1024 * 1024
    monkeypatch.setattr("alertd.store.backup.free_bytes", lambda _: just_enough - 1)
    with pytest.raises(BackupError, match="has no room"):
        back_up(database, folder, now=NIGHT, keep=1)
    monkeypatch.setattr("alertd.store.backup.free_bytes", lambda _: just_enough)
    assert back_up(database, folder, now=NIGHT, keep=1)[0].incidents == 1


def test_a_copy_that_does_not_prove_good_gets_no_good_name_and_removes_nothing(world, database, folder):
    back_up(database, folder, now=NIGHT, keep=1)
    with closing(sqlite3.connect(database)) as intruder, intruder:
        intruder.execute("UPDATE journal SET reason = 'next_step' WHERE seq = 1")
    with pytest.raises(BackupError, match="entry 1 is not as it was written"):
        back_up(database, folder, now=NIGHT + timedelta(days=1), keep=1)

    assert [path.name for path in folder.glob("*.db")] == ["alertd-20261122T023000Z.db"]
    assert list(folder.glob(".*")) == []


def test_what_is_there_is_never_overwritten_and_a_full_disk_is_left_alone(world, database, folder, monkeypatch):
    taken = folder / "precious.db"
    taken.write_text("precious")
    with pytest.raises(BackupError, match="is there already"):
        back_up(database, taken, now=NIGHT, keep=3)
    assert taken.read_text() == "precious"

    monkeypatch.setattr("alertd.store.backup.free_bytes", lambda _: 200 * 1024 * 1024)
    with pytest.raises(BackupError, match="has no room: 256 MiB must be free"):
        back_up(database, folder, now=NIGHT, keep=3)
    assert [path.name for path in folder.iterdir()] == ["precious.db"]


def test_a_place_that_is_not_there_is_a_sentence(database, folder):
    with pytest.raises(BackupError, match="there is no directory"):
        back_up(database, folder / "nowhere" / "a.db", now=NIGHT, keep=3)
    with pytest.raises(BackupError, match="there is no database"):
        back_up(folder / "none.db", folder, now=NIGHT, keep=3)


# --- verify


def made(database: Path, folder: Path) -> Path:
    path = folder / "copy.db"
    back_up(database, path, now=NIGHT, keep=1)
    return path


def spoil(path: Path, how: str) -> None:
    data = path.read_bytes()
    match how:
        case "torn":
            path.write_bytes(data[: len(data) // 2])
        case "one bit":
            middle = data.index(b"Rm 204")
            path.write_bytes(data[:middle] + b"X" + data[middle + 1 :])
        case "no sum, torn":
            path.write_bytes(data[: len(data) - 4096])
            path.with_name(path.name + ".sha256").unlink()
        case "no sum, forged":
            path.with_name(path.name + ".sha256").unlink()
            with closing(sqlite3.connect(path)) as intruder, intruder:
                intruder.execute("DELETE FROM journal WHERE seq = 1")
        case "no sum, an index that misses rows":
            path.with_name(path.name + ".sha256").unlink()
            with closing(sqlite3.connect(path)) as intruder, intruder:
                intruder.execute("PRAGMA writable_schema = ON")
                other = "UPDATE sqlite_master SET sql = replace(sql, 'opened_us', 'closed_us') WHERE name = ?"
                assert intruder.execute(other, ("incident_opened",)).rowcount == 1
        case "empty":
            path.write_bytes(b"")
        case "a text":
            path.write_text("Dear backup,\n" * 1000)
        case "copied by hand":
            path.with_name(path.name + "-wal").write_bytes(b"x" * 100)
        case "gone":
            path.unlink()
        case _:
            raise AssertionError(how)


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ("torn", "does not fit copy.db.sha256"),
        ("one bit", "does not fit copy.db.sha256"),
        ("no sum, torn", "is damaged"),
        ("no sum, an index that misses rows", "is damaged: .*incident_opened"),
        ("no sum, forged", "journal of oak: entry 1 is missing"),
        ("empty", "is no backup"),
        ("a text", "is no backup"),
        ("copied by hand", "has a log beside it"),
        ("gone", "cannot be read: No such file"),
    ],
)
def test_what_is_torn_forged_or_foreign_is_refused_and_changes_nothing(world, database, folder, how, said):
    copy = made(database, folder)
    spoil(copy, how)
    with pytest.raises(BackupError, match=said):
        examine(copy)
    world.store.close()
    before = database.read_bytes()
    with pytest.raises(BackupError, match=said), restoring(copy, database, folder / "spare"):
        raise AssertionError("it was taken")

    assert database.read_bytes() == before
    world.store.open("again", world.clock)


# --- restore


def test_restore_says_what_is_lost_keeps_what_was_there_and_the_daemon_goes_on(world, database, folder):
    copy = made(database, folder)
    entries = world.store.verify_journal(OAK)
    world.commit(first_wave(2, token="18"))
    world.commit(Decision(incidents=(incident(1, closed_us=world.clock.wall_us),)))
    lost_entries = world.store.verify_journal(OAK) - entries
    world.store.close()

    with restoring(copy, database, folder / "spare") as begun:
        assert begun.lost.entries == lost_entries > 0
        assert begun.lost.incidents == (incident(2, token="18").headline,)
        assert begun.lost.reopened == (incident(1).headline,)
        (aside,) = begun.carry_out(NIGHT)

    assert MARK in aside.name
    assert database.stat().st_mode & 0o777 == 0o600
    world.store.open("the next", world.clock)
    assert [each.id for each in world.store.read_incidents(open_only=True, site_id=None, limit=9)] == [incident(1).id]
    assert world.store.verify_journal(OAK) == entries
    world.commit(Decision(entries=(entry("life goes on"),)))
    assert world.store.verify_journal(OAK) == entries + 1
    kept = SqliteStore(aside, ballast_bytes=0)
    kept.open("looking back", world.clock)
    assert len(kept.read_incidents(open_only=False, site_id=None, limit=9)) == 2, "what was there is not whole"
    kept.close()


def test_a_running_daemon_is_not_pulled_from_under_itself(world, database, folder):
    copy = made(database, folder)
    with pytest.raises(StoreLockedError, match="Nothing was restored: systemctl stop alertd"):
        restoring(copy, database, folder / "spare").__enter__()
    world.commit(Decision(entries=(entry("undisturbed"),)))


def test_no_daemon_starts_between_the_look_and_the_deed(world, database, folder):
    copy = made(database, folder)
    world.store.close()
    with restoring(copy, database, folder / "spare") as begun:
        with pytest.raises(StoreLockedError):
            SqliteStore(database, ballast_bytes=0).open("too early", world.clock)
        begun.carry_out(NIGHT)
    world.store.open("in time", world.clock)


def test_a_damaged_database_is_replaced_all_the_same(world, database, folder):
    copy = made(database, folder)
    world.store.close()
    database.write_bytes(b"\xa5" * 50_000)
    with restoring(copy, database, folder / "spare") as begun:
        assert "cannot be read" in begun.lost.why_unknown
        (aside,) = begun.carry_out(NIGHT)
    assert aside.read_bytes() == b"\xa5" * 50_000
    world.store.open("again", world.clock)
    assert world.store.read_incident(incident(1).id) is not None


class PowerCutError(BaseException):
    """Nothing of the program runs after it, no clearing up either."""


@pytest.mark.parametrize("step", range(1, 6))
def test_a_power_cut_at_any_step_leaves_a_database_never_an_empty_one(world, database, folder, monkeypatch, step):
    copy = made(database, folder)
    world.commit(first_wave(2, token="18"))
    world.store.close()
    steps = 0
    rename, unlink = Path.rename, Path.unlink

    def cut_off(path: Path, target: str | Path) -> Path:
        nonlocal steps
        steps += 1
        if steps == step:
            raise PowerCutError
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", cut_off)
    monkeypatch.setattr(Path, "unlink", lambda path, **how: None if steps == step else unlink(path, **how))
    with suppress(PowerCutError), restoring(copy, database, folder / "spare") as begun:
        begun.carry_out(NIGHT)
    monkeypatch.undo()

    world.store.open("the next", world.clock)
    there = {each.id for each in world.store.read_incidents(open_only=True, site_id=None, limit=9)}
    before, restored = {incident(1).id, incident(2).id}, {incident(1).id}
    assert there == (before if step == 1 else restored), "neither what was there nor the copy"
    assert not database.with_name(database.name + ".restoring").exists()
    if step > 1:
        kept = next(path for path in database.parent.glob(f"*{MARK}*") if not path.name.endswith(("-wal", "-shm")))
        old = SqliteStore(kept, ballast_bytes=0)
        old.open("looking back", world.clock)
        assert len(old.read_incidents(open_only=False, site_id=None, limit=9)) == 2, "what was there is not whole"
        old.close()


def test_a_disk_that_lies_while_it_is_restored_is_found_and_changes_nothing(world, database, folder, monkeypatch):
    copy = made(database, folder)
    world.store.close()
    before = database.read_bytes()

    def lies(reading: IO[bytes], writing: IO[bytes], _chunk: int) -> None:
        data = bytearray(reading.read())
        data[len(data) // 2] ^= 1
        writing.write(data)

    monkeypatch.setattr("alertd.store.restoring.shutil.copyfileobj", lies)
    with (
        restoring(copy, database, folder / "spare") as begun,
        pytest.raises(BackupError, match="is not what was copied"),
    ):
        begun.carry_out(NIGHT)
    assert database.read_bytes() == before
    assert list(database.parent.glob("*.restoring*")) == []


def test_an_older_database_than_the_copy_is_another_one(world, database, folder):
    """Set back by hand to a file from before the backup: what it lacks is not told as what the copy lacks."""
    older = folder / "older.db"
    back_up(database, older, now=NIGHT, keep=1)
    world.commit(first_wave(2, token="18"))
    copy = folder / "copy.db"
    back_up(database, copy, now=NIGHT, keep=1)
    world.store.close()
    for suffix in ("-wal", "-shm"):
        database.with_name(database.name + suffix).unlink(missing_ok=True)
    database.write_bytes(older.read_bytes())
    with restoring(copy, database, folder / "spare") as begun:
        assert "or older than the copy" in begun.lost.why_unknown
    world.store.open("again", world.clock)


def test_an_incident_that_is_still_open_does_not_begin_again(world, database, folder):
    copy = made(database, folder)
    world.store.close()
    with restoring(copy, database, folder / "spare") as begun:
        assert begun.lost.reopened == ()
    world.store.open("again", world.clock)


def test_another_schools_history_is_not_compared(world, database, folder):
    copy = made(database, folder)
    world.store.close()
    database.unlink()
    world.store.open("anew", world.clock)
    world.commit(Decision(entries=tuple(entry(f"other {n}") for n in range(9))))
    world.store.close()
    with restoring(copy, database, folder / "spare") as begun:
        assert "another one" in begun.lost.why_unknown
    world.store.open("again", world.clock)


def test_records_that_only_memory_held_are_set_aside_and_not_merged_into_the_copy(world, database, folder):
    copy = made(database, folder)
    world.store.close()
    spare = folder / "spare"
    spare.mkdir()
    (spare / "alertd.db").write_text("newer")
    with restoring(copy, database, spare) as begun:
        assert begun.in_memory == spare
        aside = begun.carry_out(NIGHT)
    assert not spare.exists()
    assert any((path / "alertd.db").exists() for path in aside if path.is_dir())
    world.store.open("again", world.clock)


def test_a_copy_of_a_newer_alertd_is_refused(world, database, folder):
    copy = made(database, folder)
    copy.with_name(copy.name + ".sha256").unlink()
    with closing(sqlite3.connect(copy)) as later, later:
        later.execute("UPDATE alembic_version SET version_num = '9999'")
    world.store.close()
    with pytest.raises(StoreError, match="newer alertd"), restoring(copy, database, folder / "spare"):
        raise AssertionError("it was taken")
    world.store.open("again", world.clock)


def test_two_backups_at_once_do_not_mix(database, folder):
    with (folder / ".alertd-backup.partial").open("wb") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(BackupError, match="another backup is being written"):
            back_up(database, folder, now=NIGHT, keep=3)
        assert [path.name for path in folder.iterdir()] == [".alertd-backup.partial"]
    back_up(database, folder, now=NIGHT, keep=3)
    assert sorted(path.suffix for path in folder.iterdir()) == [".db", ".sha256"], "what a killed one left stands about"


def test_who_comes_while_another_finishes_does_not_touch_the_good_copy(world, database, folder, monkeypatch):
    """It opened the draft a moment before that got its good name, and locks it a moment after."""
    copy = made(database, folder)
    flock = fcntl.flock

    def finished_meanwhile(descriptor: int, how: int) -> None:
        (folder / ".alertd-backup.partial").rename(folder / "finished.db")
        (folder / "finished.db").write_bytes(copy.read_bytes())
        flock(descriptor, how)

    monkeypatch.setattr("alertd.store.backup.fcntl.flock", finished_meanwhile)
    with pytest.raises(BackupError, match="another backup is being written"):
        back_up(database, folder, now=NIGHT, keep=3)
    assert examine(folder / "finished.db").incidents == 1
