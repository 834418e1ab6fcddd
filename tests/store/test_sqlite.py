"""What only SQLite can get wrong: a second daemon, a crash, a torn log, a reboot."""

import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from alertd.model.decision import Decision
from alertd.model.events import ClockStepped
from alertd.model.ids import DISTRICT, CauseId, IncidentId
from alertd.ports import StoreError, StoreLockedError
from alertd.store import open_store
from alertd.store.sqlite import SqliteStore
from alertd.store.sqlite_session import BLOCK_ROWS
from alertd.testing.store_contract.world import PLENTY, World
from alertd.testing.store_values import DAY_US, OAK, TestClock, first_wave, incident, press, queued, text, timer


@pytest.fixture
def world(quick_path: Path) -> Iterator[World]:
    world = World(lambda: SqliteStore(quick_path / "alertd.db", ballast_bytes=0))
    yield world
    world.close()


# --- one daemon -------------------------------------------------------------------------------------------------------


def test_a_second_daemon_refuses_to_start_and_says_who_runs(world: World) -> None:
    import os

    with pytest.raises(StoreLockedError, match=rf"process {os.getpid()}, daemon-1.*Stop it first"):
        world.another()
    world.commit(first_wave())


def test_the_next_one_starts_when_the_first_has_ended(world: World) -> None:
    world.restart()
    world.restart()


def test_only_this_user_can_read_the_database(quick_path: Path, world: World) -> None:
    world.commit(first_wave())
    modes = {file.name: file.stat().st_mode & 0o077 for file in quick_path.iterdir()}

    assert set(modes.values()) == {0}, modes


@pytest.mark.parametrize(
    "url", ["", "alertd.db", "sqlite://", "sqlite:///:memory:", "mysql://user:" + "hunter2@host/db"]
)
def test_a_url_that_names_no_store_is_refused_with_what_to_write(url: str) -> None:
    with pytest.raises(StoreError, match=r"sqlite:////path/to/alertd\.db") as caught:
        open_store(url)

    assert "hunter2" not in str(caught.value)


def test_a_directory_that_cannot_be_made_is_named(quick_path: Path) -> None:
    (quick_path / "file").write_text("in the way")
    store = SqliteStore(quick_path / "file" / "alertd.db")
    with pytest.raises(StoreError, match=r"file/alertd.db"):
        store.open("daemon", TestClock())


# --- a reboot ---------------------------------------------------------------------------------------------------------


def due_after(world: World, seconds: float) -> list[str]:
    return [due.timer.id for due in world.store.due_timers(world.clock.advance(seconds), 10)]


@pytest.mark.parametrize(
    ("away_s", "wall_step_s", "still_s"),
    [
        (10, 0, 20),  # it goes on waiting
        (3600, 0, 0),  # it was due meanwhile
        (10, -365 * 86_400, 30),  # no clock battery: never later than its whole delay from the restart
        (10, 365 * 86_400, 0),  # never lost
    ],
)
def test_after_a_reboot_a_timer_waits_what_it_still_had_to(
    world: World, away_s: float, wall_step_s: float, still_s: float
) -> None:
    world.commit(Decision(timers=(timer("t", delay_s=30),)))
    world.close()
    world.clock.reboot(away_s=away_s, wall_step_s=wall_step_s)
    world.store = world.another()

    if still_s:
        assert due_after(world, still_s - 1) == []
    assert due_after(world, 1) == ["t"]


def test_after_a_reboot_a_retry_waits_what_it_still_had_to(world: World) -> None:
    later = world.clock.boot_us + 60 * 1_000_000
    row = queued(text("ntf-1"), not_before_us=later)
    world.commit(Decision(incidents=(incident(1),), notifications=(row, queued(text("ntf-0")))))
    world.close()
    world.clock.reboot(away_s=20)
    world.store = world.another()

    assert [claim.notification.id for claim in world.claim()] == ["ntf-0"]
    world.clock.advance(39)
    assert world.claim() == ()
    world.clock.advance(1)
    assert [claim.notification.id for claim in world.claim()] == ["ntf-1"]


def test_a_clock_that_came_back_wrong_after_a_reboot_does_not_hold_a_retry(world: World) -> None:
    """Never later than from its beginning: a clock without a battery says 1970 until NTP answers."""
    later = world.clock.boot_us + 60 * 1_000_000
    row = queued(text("ntf-1", expires_us=10**18), not_before_us=later)
    world.commit(Decision(incidents=(incident(1),), notifications=(row,)))
    world.close()
    world.clock.reboot(away_s=20, wall_step_s=-365 * 86_400)
    world.store = world.another()
    world.clock.advance(60)

    assert [claim.notification.id for claim in world.claim()] == ["ntf-1"]


@pytest.mark.parametrize("slow_s", [7_200, 365 * 86_400])
def test_a_copy_is_known_after_a_reboot_with_a_slow_clock_that_is_set_right_later(world: World, slow_s: int) -> None:
    world.commit(Decision(cause=CauseId("old")))
    world.clock.advance(36_000)
    world.commit(Decision(cause=CauseId("young")))
    world.clock.advance(30)
    world.close()
    world.clock.reboot(away_s=20, wall_step_s=-slow_s)
    world.store = world.another()

    def ago_s(cause: str) -> float:
        now = world.clock.now()
        with world.store.begin([OAK], now) as transaction:
            seen_us = transaction.seen_us(CauseId(cause))
        assert seen_us is not None
        return (now.wall_us - seen_us) / 1_000_000

    assert (ago_s("young"), ago_s("old")) == (0, 36_000), "promise 1: delivered again, it pages twice"
    world.clock.advance(60)
    world.clock.wall_us += slow_s * 1_000_000
    world.commit(Decision(), event=ClockStepped(site_id=DISTRICT, step_us=slow_s * 1_000_000))
    assert (ago_s("young"), ago_s("old")) == (60, 36_060), "promise 1: delivered again, it pages twice"


def test_a_stepped_clock_before_a_reboot_does_not_hurry_a_timer(world: World) -> None:
    world.commit(Decision(timers=(timer("t", delay_s=300),)))
    world.clock.wall_us += DAY_US
    world.commit(Decision(), event=ClockStepped(site_id=DISTRICT, step_us=DAY_US))
    world.close()
    world.clock.reboot(away_s=10)
    world.store = world.another()

    assert due_after(world, 289) == []
    assert due_after(world, 1) == ["t"]


# --- crashes ----------------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_log_torn_at_any_byte_loses_only_the_tail(world: World, quick_path: Path) -> None:
    """Every prefix of the log is some state that was committed, whole: never half a decision."""
    chance = random.Random(20261121)
    count = 40
    for number in range(1, count + 1):
        world.commit(first_wave(number), event=press(number))
    log = (quick_path / "alertd.db-wal").read_bytes()
    seen = set()
    for attempt in range(25):
        torn = quick_path / f"torn-{attempt}"
        torn.mkdir()
        shutil.copy(quick_path / "alertd.db", torn / "alertd.db")
        (torn / "alertd.db-wal").write_bytes(log[: chance.randrange(len(log))])
        store = SqliteStore(torn / "alertd.db", ballast_bytes=0)
        store.open("daemon", world.clock)
        there = len(store.read_incidents(open_only=True, site_id=None, limit=1000))
        assert store.verify_journal(OAK) == 3 * there
        for number in range(1, count + 1):
            rows = store.read_notifications(IncidentId(f"inc-{number}"))
            assert len(rows) == (2 if number <= there else 0)
        store.close()
        seen.add(there)
    assert len(seen) > 5


WRITER = """
import sys
from pathlib import Path
from alertd.store.sqlite import SqliteStore
from alertd.store.sqlite_session import BLOCK_ROWS
from alertd.testing.store_contract.world import PLENTY, World
from alertd.testing.store_values import first_wave, press
world = World(lambda: SqliteStore(Path(sys.argv[1]), ballast_bytes=0))
start = len(world.store.read_incidents(open_only=True, site_id=None, limit=10_000))
for number in range(start + 1, 100_000):
    world.commit(first_wave(number), event=press(number), born=PLENTY)
    print(number, flush=True)
"""


@pytest.mark.slow
def test_kill_9_loses_no_commit_that_reported_success(tmp_path: Path) -> None:
    chance = random.Random(7)
    path = tmp_path / "alertd.db"
    reported = 0
    for number in range(5):
        writer = subprocess.Popen([sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, text=True)
        assert writer.stdout is not None
        writer.stdout.readline()
        time.sleep(chance.uniform(0.05, 0.4))
        writer.send_signal(signal.SIGKILL)
        lines = writer.stdout.read().split()
        writer.stdout.close()
        assert writer.wait() == -signal.SIGKILL
        reported = max(reported, *(int(line) for line in lines), 0, 0)
        store = SqliteStore(path, ballast_bytes=0)
        store.open(f"checker-{number}", TestClock())
        there = len(store.read_incidents(open_only=True, site_id=None, limit=100_000))
        assert there >= reported, "promise 1: a press that was committed is lost"
        assert store.verify_journal(OAK) == 3 * there
        abandoned = store.abandoned(TestClock().now())
        assert len(abandoned) == min(2 * there, 500), "promise 1: a notification in flight has no outcome"
        store.close()
    assert reported > 20


def test_reading_goes_on_while_a_write_is_under_way(world: World) -> None:
    world.commit(first_wave(), born=PLENTY)
    now = world.clock.now()
    with world.store.begin([OAK], now) as transaction:
        transaction.write(press(2), first_wave(2, token="18"), now)
        transaction.notification(text("ntf-2-sms").id)
        assert len(world.store.read_incidents(open_only=True, site_id=None, limit=10)) == 1
        transaction.commit(born_leased={})

    assert len(world.store.read_incidents(open_only=True, site_id=None, limit=10)) == 2


def test_every_commit_is_synced(world: World) -> None:
    store = world.store
    assert isinstance(store, SqliteStore)
    assert store.connection.execute("PRAGMA synchronous").fetchone() == (2,), "promise 1: commits are not synced"
    assert store.connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_a_long_batch_is_whole_and_of_a_row_written_twice_the_last_stands(world: World) -> None:
    now, presses = world.clock.now(), 2 * BLOCK_ROWS + 3
    with world.store.begin([OAK], now) as transaction:
        for number in range(1, presses + 1):
            transaction.write(press(number), first_wave(number, token=str(100 + number)), now)
            transaction.write(press(number), Decision(incidents=(incident(1, token=str(200 + number)),)), now)
        transaction.commit(born_leased={})
    world.restart()

    found = {one.id: one.token for one in world.store.read_incidents(open_only=True, site_id=OAK, limit=1000)}
    assert len(found) == presses, "promise 1: a press is lost between two blocks"
    assert found[IncidentId("inc-1")] == str(200 + presses)
    assert world.store.verify_journal(OAK) == 3 * presses


def test_quiet_moments_empty_the_log_so_that_no_press_has_to(world: World, quick_path: Path) -> None:
    sizes: list[int] = []
    for number in range(1, 20):
        world.commit(first_wave(number, token=str(100 + number)), event=press(number))
        world.store.heal(world.clock.now())
        sizes.append((quick_path / "alertd.db-wal").stat().st_size)

    assert sizes[-1] < 2 * sizes[0], "the log grows until a press has to wait for it"
