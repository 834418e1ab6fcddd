"""The disk is full or fails during an incident: the press still reaches a human, the answer still counts."""

import os
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest
from msgspec.structs import replace

from alertd.model.decision import Decision
from alertd.model.events import ClockStepped
from alertd.model.ids import DISTRICT, CauseId, IncidentId, NotificationId
from alertd.model.notification import NotificationChange, NotificationState
from alertd.model.reason import Reason
from alertd.ports import StoreError, StoreFullError
from alertd.store.fallback import FallbackStore
from alertd.store.sqlite import SqliteStore
from alertd.testing.store_contract.world import PLENTY, World, of_boot
from alertd.testing.store_values import DAY_US, OAK, SECOND_US, drill, entry, first_wave, incident, press, queued, timer
from tests.store.failing_disk import Disk

BALLAST = 64 * 1024


@pytest.fixture
def disk(quick_path: Path) -> Disk:
    return Disk(quick_path / "disk" / "alertd.db")


@pytest.fixture
def world(quick_path: Path, disk: Disk) -> Iterator[World]:
    def make() -> FallbackStore:
        return FallbackStore(
            SqliteStore(disk.path, ballast_bytes=BALLAST, connect=disk.connect),
            SqliteStore(quick_path / "shm" / "alertd.db", ballast_bytes=0, connect=disk.connect_memory),
        )

    world = World(make)
    yield world
    world.close()


def on_disk(disk: Disk) -> World:
    """What a plain store finds on the disk when everything else is over."""
    return World(lambda: SqliteStore(disk.path, ballast_bytes=0))


def ballast(disk: Disk) -> Path:
    return disk.path.with_name("alertd.db.ballast")


def test_the_ballast_is_freed_first_and_the_commit_reaches_the_disk(world: World, disk: Disk) -> None:
    assert ballast(disk).stat().st_size == BALLAST
    disk.full_with_ballast_only = True
    claims = world.commit(first_wave(), born=PLENTY)

    assert len(claims) == 2
    assert world.store.durable
    assert not ballast(disk).exists()
    disk.full_with_ballast_only = False
    world.store.heal(world.clock.now())
    assert ballast(disk).stat().st_size == BALLAST
    world.close()
    assert on_disk(disk).row("ntf-1-sms").state is NotificationState.CLAIMED


def test_a_clock_that_is_set_while_the_disk_is_full_moves_what_is_on_the_disk_too(world: World, disk: Disk) -> None:
    waits = queued(of_boot(world, "ntf-1", 300))
    world.commit(Decision(cause=CauseId("press-1"), incidents=(incident(1),), notifications=(waits,)))
    disk.full = True
    world.clock.wall_us += DAY_US
    world.commit(Decision(), event=ClockStepped(site_id=DISTRICT, step_us=DAY_US))
    assert not world.store.durable
    disk.full = False
    assert world.store.heal(world.clock.now())
    world.close()
    world.clock.reboot(away_s=60)
    world.store = world.another()

    now = world.clock.now()
    with world.store.begin([OAK], now) as transaction:
        seen_us = transaction.seen_us(CauseId("press-1"))
    assert seen_us == now.wall_us - 60 * SECOND_US, "promise 2: a press is taken for a copy of one that is long ago"
    assert [claim.notification.id for claim in world.claim()] == ["ntf-1"], "what waits was thrown away"


def test_a_number_that_is_used_again_while_the_disk_is_full_is_as_young_on_the_disk(world: World, disk: Disk) -> None:
    world.commit(Decision(cause=CauseId("press-1")))
    world.clock.advance(36_000)
    disk.full = True
    world.commit(Decision(cause=CauseId("press-1")))
    assert not world.store.durable
    disk.full = False
    assert world.store.heal(world.clock.now())
    world.clock.advance(10)

    now = world.clock.now()
    with world.store.begin([OAK], now) as transaction:
        seen_us = transaction.seen_us(CauseId("press-1"))
    assert seen_us == now.wall_us - 10 * SECOND_US, "each copy of one press is a press of its own"


def test_an_incident_goes_on_in_memory_and_comes_back_to_the_disk(world: World, disk: Disk, quick_path: Path) -> None:
    world.commit(first_wave(1), born={"sms": 1})
    world.commit(Decision(drill=drill()))
    world.commit(Decision(timers=(timer("keep", delay_s=500),), opt_outs=("sms:gone",), broken_channels=("sms",)))
    world.clock.advance(5)
    disk.full = True

    claims = world.commit(first_wave(2, token="18", at_us=world.clock.wall_us), event=press(2), born=PLENTY)
    assert {claim.notification.id for claim in claims} == {"ntf-2-sms", "ntf-2-dispatch"}, "the press reached nobody"
    assert not world.store.durable, "promise 1: a press that is only in memory was acknowledged"
    assert [claim.notification.id for claim in world.claim()] == ["ntf-1-dispatch"], "what was queued is still sent"

    with world.store.begin([OAK], world.clock.now()) as transaction:
        assert transaction.seen_us(CauseId("press-1")) is not None, "a press that comes again was not known"
        assert transaction.seen_us(CauseId("press-2")) is not None
        assert transaction.site_state(OAK).incidents.keys() == {"inc-1", "inc-2"}
        assert transaction.site_state(OAK).drill == drill(), "the drill is forgotten: its presses would be real"
        assert "17" not in transaction.free_tokens(500)
    accepted = NotificationChange(
        id=NotificationId("ntf-1-sms"), state=NotificationState.ACCEPTED, reason=Reason.FIRST_WAVE, ref="SM1"
    )
    closed = incident(1, closed_us=world.clock.wall_us)
    answered = Decision(
        drill=drill(ended=True),
        incidents=(closed,),
        changes=(accepted,),
        dropped_timers=tuple(t.id for t in first_wave(1).timers),
        opt_ins=("sms:gone",),
        mended_channels=("sms",),
        entries=(entry("closed by Ruiz"),),
    )
    world.commit(answered)
    assert not world.store.heal(world.clock.now()), "the disk is still full"
    assert [line.entry and line.entry.text for line in world.store.read_timeline(IncidentId("inc-1"))][-2:] == [
        "dispatch told",
        "closed by Ruiz",
    ]

    disk.full = False
    assert world.store.heal(world.clock.now())
    assert world.store.durable
    assert not (quick_path / "shm").exists()
    world.close()
    after = on_disk(disk)
    assert [i.id for i in after.store.read_incidents(open_only=True, site_id=None, limit=9)] == ["inc-2"]
    assert (after.row("ntf-1-sms").state, after.row("ntf-1-sms").ref) == (NotificationState.ACCEPTED, "SM1")
    assert after.row("ntf-2-sms").epoch == 1
    assert after.store.read_drill(drill().id) == drill(ended=True), "a drill that ended in memory runs again"
    due = {due.timer.id for due in after.store.due_timers(after.clock.advance(600), 99)}
    assert due == {"keep", "tmr-2-step", "tmr-2-accept"}, "a timer was lost, or an ended one came back"
    with after.store.begin([OAK], after.clock.now()) as transaction:
        assert transaction.opted_out() == transaction.broken_channels() == frozenset()
        assert transaction.seen_us(CauseId("press-2")) is not None
    assert after.store.verify_journal(OAK) == 7
    after.close()


def test_a_crash_while_in_memory_loses_nothing(world: World, disk: Disk) -> None:
    world.commit(first_wave(1))
    disk.full = True
    world.commit(first_wave(2, token="18"), event=press(2))
    world.restart()
    assert not world.store.durable
    assert len(world.store.read_incidents(open_only=True, site_id=None, limit=9)) == 2
    world.commit(first_wave(3, token="19"), event=press(3))
    disk.full = False
    world.restart()

    assert world.store.durable
    assert len(world.store.read_incidents(open_only=True, site_id=None, limit=9)) == 3
    assert world.store.verify_journal(OAK) == 9


def test_a_start_on_a_full_disk_after_a_power_cut_takes_presses_all_the_same(
    world: World, disk: Disk, quick_path: Path
) -> None:
    """The machine went down with its memory, and nobody has made room: the press of now cannot wait for that."""
    world.commit(replace(first_wave(1), timers=(timer("t-1"),)))
    disk.full = True
    world.commit(first_wave(2, token="18"), event=press(2))
    world.close()
    shutil.rmtree(quick_path / "shm")
    world.clock.reboot(away_s=5)
    world.store = world.another()

    assert not world.store.durable
    known = world.store.read_incidents(open_only=True, site_id=None, limit=9)
    assert [i.id for i in known] == [incident(1).id], "what the disk holds is known"
    assert world.store.read_notification(NotificationId("nobody's")) is None, "the full disk cannot even be read"
    claims = world.commit(first_wave(3, token="19"), event=press(3), born=PLENTY)
    assert len(claims) == 2, "the press reached nobody"
    due = [d.timer.id for d in world.store.due_timers(world.clock.advance(31), 10)]
    assert "t-1" in due, "an escalation of before the power cut stands still"
    assert not world.store.heal(world.clock.now())
    disk.full = False
    assert world.store.heal(world.clock.now())
    assert [d.timer.id for d in world.store.due_timers(world.clock.now(), 10)] == due
    world.restart()

    assert world.store.durable
    assert len(world.store.read_incidents(open_only=True, site_id=None, limit=9)) == 2
    assert world.store.verify_journal(OAK) == 6


def test_a_merge_that_was_committed_but_not_finished_is_repeated_harmlessly(
    world: World, disk: Disk, quick_path: Path
) -> None:
    world.commit(first_wave(1))
    disk.full = True
    world.commit(first_wave(2, token="18"), event=press(2))
    shutil.copytree(quick_path / "shm", quick_path / "kept")
    disk.full = False
    assert world.store.heal(world.clock.now())
    world.close()
    shutil.copytree(quick_path / "kept", quick_path / "shm")
    world.store = world.another()

    assert world.store.durable
    assert world.store.verify_journal(OAK) == 6
    assert len(world.store.read_timeline(IncidentId("inc-2"))) == 3


def test_a_failed_sync_is_never_repeated_blindly(world: World, disk: Disk) -> None:
    """The commit may have happened: the caller asks the reopened database."""
    disk.commits_that_happened_though_they_failed = 1
    with pytest.raises(StoreError):
        world.commit(first_wave(), born=PLENTY)
    with world.store.begin([OAK], world.clock.now()) as transaction:
        assert transaction.seen_us(CauseId("press-1")) is not None
        assert transaction.site_state(OAK).incidents.keys() == {"inc-1"}

    assert world.store.durable
    assert world.store.verify_journal(OAK) == 3
    assert world.commit(first_wave(), born=PLENTY) == (), "it was sent twice"


def test_a_disk_that_keeps_failing_is_given_up_for_now(world: World, disk: Disk) -> None:
    world.commit(first_wave(1))
    disk.failing = True
    for _ in range(2):
        with pytest.raises(StoreError):
            world.commit(first_wave(2, token="18"), event=press(2))
    assert len(world.commit(first_wave(2, token="18"), event=press(2), born=PLENTY)) == 2
    assert not world.store.durable
    assert len(world.store.read_incidents(open_only=True, site_id=None, limit=9)) == 2
    disk.failing = False

    assert world.store.heal(world.clock.now())
    assert len(world.store.read_incidents(open_only=True, site_id=None, limit=9)) == 2


def test_a_disk_that_cannot_even_be_read_leaves_what_the_writer_remembers(world: World, disk: Disk) -> None:
    world.commit(first_wave(1))
    world.commit(Decision(drill=drill()))
    disk.failing = disk.unreadable = True
    with pytest.raises(StoreError):
        world.commit(first_wave(2, token="18"), event=press(2))
    assert len(world.commit(first_wave(2, token="18"), event=press(2), born=PLENTY)) == 2

    with world.store.begin([OAK], world.clock.now()) as transaction:
        assert transaction.site_state(OAK).incidents.keys() == {"inc-1", "inc-2"}, "an open incident was forgotten"
        assert transaction.site_state(OAK).drill == drill(), "the drill is forgotten: its presses would be real"
    due = {due.timer.id for due in world.store.due_timers(world.clock.advance(31), 99)}
    assert due == {"tmr-1-step", "tmr-2-step"}, "an escalation stopped with the disk"
    disk.failing = disk.unreadable = False
    assert world.store.heal(world.clock.now())
    due = {due.timer.id for due in world.store.due_timers(world.clock.advance(600), 99)}
    assert due == {"tmr-1-step", "tmr-1-accept", "tmr-2-step", "tmr-2-accept"}
    assert world.store.verify_journal(OAK) == 6


def test_the_outbox_goes_on_when_the_disk_is_full(world: World, disk: Disk) -> None:
    world.commit(first_wave(1))
    disk.full = True

    assert len(world.claim()) == 2
    assert not world.store.durable
    assert world.claim() == (), "a row was claimed twice"


def test_a_directory_of_somebody_else_is_not_used(world: World, disk: Disk, quick_path: Path) -> None:
    (quick_path / "elsewhere").mkdir()
    (quick_path / "shm").symlink_to(quick_path / "elsewhere")
    disk.full = True
    with pytest.raises(StoreError):
        world.commit(first_wave())

    assert list((quick_path / "elsewhere").iterdir()) == []


def pressed(world: World, number: int) -> str:
    """A press that opens an incident, decided again if the first commit found no room, as the intake does. Its code."""
    while True:
        with world.store.begin([OAK], world.clock.now()) as transaction, suppress(StoreFullError):
            token = transaction.free_tokens(1)[0]
            opened = Decision(cause=CauseId(f"press-{number}"), incidents=(incident(number, token=token),))
            transaction.write(press(number), opened, world.clock.now())
            transaction.commit(born_leased={})
            return token


def pressed_and_closed(world: World, number: int) -> str:
    token = pressed(world, number)
    closed = incident(number, token=token, closed_us=world.clock.advance(1).wall_us)
    world.commit(Decision(incidents=(closed,)))
    return token


def test_a_code_that_went_with_the_power_is_not_given_out_again(world: World, disk: Disk, quick_path: Path) -> None:
    """Somebody still holds a text with it, and answers when another press has taken its turn."""
    assert pressed(world, 1) == "10"
    disk.full = True
    lost = {pressed(world, 2), pressed(world, 3)}
    assert not world.store.durable
    world.close()
    shutil.rmtree(quick_path / "shm")
    world.clock.reboot(away_s=5)
    world.store = world.another()
    again = {pressed(world, 4), pressed(world, 5)}
    assert not world.store.durable, "the disk is still full"
    disk.full = False
    assert world.store.heal(world.clock.now())
    healed = [pressed(world, number) for number in range(6, 10)]

    assert len(lost | again | set(healed)) == 8, "promise 5: the answer to a lost incident counts for another"
    assert healed == ["13", "14", "15", "16"], "two digits as long as they last"


def test_what_memory_closed_was_used_after_all_that_the_disk_knew(world: World, disk: Disk) -> None:
    """Its code comes again last, though the clock was years behind while the disk was full."""
    open_on_disk = pressed(world, 1)
    others = [pressed_and_closed(world, number) for number in range(2, 10)]
    disk.full = True
    world.clock.wall_us -= 5 * 365 * DAY_US
    world.commit(Decision(incidents=(incident(1, token=open_on_disk, closed_us=world.clock.wall_us),)))
    assert not world.store.durable
    disk.full = False
    world.clock.wall_us += 5 * 365 * DAY_US
    assert world.store.heal(world.clock.now())
    world.clock.advance(86_402)
    with world.store.begin([OAK], world.clock.now()) as transaction:
        two_digits = [token for token in transaction.free_tokens(500) if len(token) == 2]

    assert two_digits[-9:] == [*others, open_on_disk], "the code of what was over last comes again first"


def test_what_memory_began_without_knowing_the_disk_is_newer_than_all_of_it(world: World, disk: Disk) -> None:
    closed = [incident(number, token="21", closed_us=world.clock.wall_us) for number in range(1, 301)]
    world.commit(Decision(incidents=tuple(closed)))
    world.clock.advance(30 * 86_400)
    disk.failing = disk.unreadable = True
    while world.store.durable:
        with suppress(StoreError):
            world.commit(Decision())
    world.clock.wall_us -= 5 * 365 * DAY_US
    code = pressed_and_closed(world, 301)
    disk.failing = disk.unreadable = False
    world.clock.wall_us += 5 * 365 * DAY_US
    assert world.store.heal(world.clock.now())
    with world.store.begin([OAK], world.clock.now()) as transaction:
        *_, last = [token for token in transaction.free_tokens(1_500) if len(token) == 3]
    assert last == code, "the code of what was over last comes again first"


def test_each_return_of_the_disk_numbers_on(world: World, disk: Disk) -> None:
    """A disk that is full every night for a year must not run out of numbers."""
    for number in range(1, 15):
        pressed(world, number)
        disk.full = True
        world.commit(Decision(cause=CauseId(f"full-{number}")))
        disk.full = False
        assert world.store.heal(world.clock.now())
        assert world.store.durable
    world.close()
    with closing(sqlite3.connect(disk.path)) as found:
        assert found.execute("SELECT MAX(seq) FROM incident").fetchone()[0] < 15 * 15


def test_a_first_press_on_a_full_disk_is_kept_in_memory_with_a_code_of_memory(world: World, disk: Disk) -> None:
    disk.full = True
    assert len(pressed(world, 1)) == 3, "its code is the next one of the disk, which gives it out after a power cut"

    assert {i.id for i in world.store.read_incidents(open_only=True, site_id=OAK, limit=9)} == {"inc-1"}


@pytest.mark.slow
def test_a_real_disk_that_is_really_full(tmp_path: Path) -> None:
    """On a small tmpfs: full, then freed."""
    mount = tmp_path / "small"
    mount.mkdir()
    options = ["mount", "-t", "tmpfs", "-o", "size=4m", "alertd-test", str(mount)]
    if os.geteuid() != 0 or subprocess.run(options, capture_output=True, check=False).returncode != 0:
        pytest.skip("a file system cannot be mounted here (not root, or not allowed): no real full disk")
    try:
        _fill_and_free(mount, tmp_path / "shm")
    finally:
        subprocess.run(["umount", str(mount)], check=True)


def _fill_and_free(mount: Path, shm: Path) -> None:
    def make() -> FallbackStore:
        return FallbackStore(
            SqliteStore(mount / "alertd.db", ballast_bytes=256 * 1024),
            SqliteStore(shm / "alertd.db", ballast_bytes=0),
        )

    world = World(make)
    filler = mount / "filler"

    def fill() -> None:
        with filler.open("ab", buffering=0) as file:
            try:
                while True:
                    file.write(bytes(4096))
            except OSError:
                return

    fill()
    number = 0
    while world.store.durable:
        number += 1
        claims = world.commit(first_wave(number), event=press(number), born=PLENTY)
        assert len(claims) == 2, "the press reached nobody"
        if (mount / "alertd.db.ballast").exists():
            continue
        fill()
        assert number < 5_000
    freed_at = number
    for number in range(freed_at + 1, freed_at + 20):
        assert len(world.commit(first_wave(number), event=press(number), born=PLENTY)) == 2
    assert not world.store.heal(world.clock.now())
    world.restart()
    assert not world.store.durable, "a restart on a full disk found it usable"
    world.commit(first_wave(number + 1), event=press(number + 1))

    filler.unlink()
    assert world.store.heal(world.clock.now())
    world.restart()
    assert len(world.store.read_incidents(open_only=True, site_id=None, limit=9_999)) == number + 1
    assert world.store.verify_journal(OAK) == 3 * (number + 1)
    world.close()
