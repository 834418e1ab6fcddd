"""alertd starts on a disk without room: what was going on is known all the same, and nothing of it ever goes back."""

import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from msgspec.structs import replace

from alertd.model.decision import Decision
from alertd.model.drill import DrillState
from alertd.model.ids import CauseId, IncidentId, PersonId, SiteId
from alertd.model.incident import Answer, AnswerKind, EscalationState, Incident, IncidentClass
from alertd.store import without_room
from alertd.store.fallback import FallbackStore
from alertd.store.sqlite import SqliteStore
from alertd.testing.store_contract.world import World, of_boot
from alertd.testing.store_values import OAK, TestClock, drill, first_wave, incident, press, queued, timer
from tests.store import older_release
from tests.store.failing_disk import Disk

ELM = SiteId("elm")

# --- it is read ---------------------------------------------------------------------------------------------------


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A tmpfs that is soon full."""
    mount = tmp_path / "small"
    mount.mkdir()
    options = ["mount", "-t", "tmpfs", "-o", "size=4m", "alertd-test", str(mount)]
    if os.geteuid() != 0 or subprocess.run(options, capture_output=True, check=False).returncode != 0:
        pytest.skip("a file system cannot be mounted here (not root, or not allowed): no real full disk")
    try:
        yield mount
    finally:
        subprocess.run(["umount", "--lazy", str(mount)], check=True)  # whatever a failed test left open


def fill(mount: Path) -> None:
    with (mount / "filler").open("ab", buffering=0) as file:
        for size in (64 * 1024, 512):
            try:
                while file.write(bytes(size)) == size:
                    pass
            except OSError:
                continue


def press_of(world: World) -> None:
    waits = queued(of_boot(world, "ntf-1", older_release.LIFE_S))
    opened = Decision(cause=CauseId("press-1"), incidents=(incident(1),), notifications=(waits,))
    world.commit(replace(opened, timers=(timer("t-1"),)))


def stopped_cleanly(path: Path) -> None:
    world = World(lambda: SqliteStore(path, ballast_bytes=0))
    press_of(world)
    world.close()
    assert not path.with_name(path.name + "-wal").exists()


def died_without_its_index(path: Path) -> None:
    """A power cut: the log is there, the file beside it that is never synced is not."""
    world = World(lambda: SqliteStore(path, ballast_bytes=0))
    press_of(world)
    files = [path, path.with_name(path.name + "-wal")]
    held = [file.read_bytes() for file in files]
    world.close()
    for file, content in zip(files, held, strict=True):
        file.write_bytes(content)


def stopped_before_the_upgrade(path: Path) -> None:
    older_release.stopped_database(path, TestClock().now())


@pytest.mark.parametrize("left", [stopped_cleanly, died_without_its_index, stopped_before_the_upgrade])
def test_a_start_on_a_full_disk_knows_what_is_going_on(
    small_disk: Path, tmp_path: Path, left: Callable[[Path], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    if left is not died_without_its_index:  # a database of years has no place in memory
        monkeypatch.setattr(without_room, "COPY_SPARES_BYTES", 2**60)
    path = small_disk / "alertd.db"
    left(path)
    fill(small_disk)
    shm = tmp_path / "shm"
    shelf = shm / "alertd.db"

    def make() -> FallbackStore:
        return FallbackStore(SqliteStore(path, ballast_bytes=0), SqliteStore(shelf, ballast_bytes=0))

    with closing(World(make)) as world:
        assert_goes_on(world)
        assert [file.name for file in shm.iterdir() if "copy" in file.name] == []
        (small_disk / "filler").unlink()
        assert world.store.heal(world.clock.now())
        assert world.row("ntf-1").epoch == 1


def assert_goes_on(world: World) -> None:
    assert not world.store.durable
    with world.store.begin([OAK], world.clock.now()) as transaction:
        assert list(transaction.site_state(OAK).incidents) == ["inc-1"], "an open incident was forgotten"
        assert transaction.seen_us(CauseId("press-1")) is not None, "a press that comes again was not known"
    assert world.store.unread() == ""
    assert [claim.notification.id for claim in world.claim({"sms": 1})] == ["ntf-1"], "what was queued waits for room"
    due = [each.timer.id for each in world.store.due_timers(world.clock.advance(31), 9)]
    assert due == ["t-1"], "an escalation stopped with the disk"


# --- it cannot be read, and memory begins without it ----------------------------------------------------------------


@pytest.fixture
def disk(quick_path: Path) -> Disk:
    return Disk(quick_path / "disk" / "alertd.db")


@pytest.fixture
def world(quick_path: Path, disk: Disk) -> Iterator[World]:
    def make() -> FallbackStore:
        return FallbackStore(
            SqliteStore(disk.path, ballast_bytes=0, connect=disk.connect),
            SqliteStore(quick_path / "shm" / "alertd.db", ballast_bytes=0, connect=disk.connect_memory),
        )

    world = World(make)
    yield world
    world.close()


def begin_without_the_disk(world: World, disk: Disk) -> None:
    world.close()
    disk.full = disk.hidden = True
    world.clock.reboot(away_s=30)
    world.store = world.another()
    with world.store.begin([OAK], world.clock.now()) as transaction:
        assert not transaction.site_state(OAK).incidents, "memory knows what it cannot know"


def room_again(world: World, disk: Disk) -> None:
    disk.full = disk.hidden = False
    assert world.store.heal(world.clock.now())
    assert world.store.unread() == ""


def after_both(world: World, disk: Disk, on_disk: Incident, in_memory: Incident) -> Incident:
    world.commit(Decision(cause=CauseId("press-1"), incidents=(on_disk,)))
    begin_without_the_disk(world, disk)
    world.commit(Decision(cause=CauseId("press-1"), incidents=(in_memory,)))
    room_again(world, disk)
    found = world.store.read_incident(on_disk.id)
    assert found is not None
    return found


def test_memory_that_could_not_read_the_disk_says_so(world: World, disk: Disk) -> None:
    world.commit(first_wave(1))
    begin_without_the_disk(world, disk)

    assert str(disk.path) in world.store.unread()
    assert "disk I/O error" in world.store.unread()
    world.restart()
    assert str(disk.path) in world.store.unread(), "the next incarnation does not know that it knows nothing"
    room_again(world, disk)


BEGUN = incident(1)
ANSWER = Answer(
    person_id=PersonId("person-1"), name="Ruiz", kind=AnswerKind.GOING, at_us=BEGUN.opened_us, via="sms", covers=1
)
FURTHER = {
    "escalated": replace(BEGUN, step=2, headline="of the disk"),
    "widened": replace(BEGUN, round=1, headline="of the disk"),
    "begun anew": replace(BEGUN, generation=1, headline="of the disk"),
    "answered": replace(BEGUN, answers=(ANSWER,), escalation=EscalationState.PAUSED, headline="of the disk"),
    "closed": replace(incident(1, closed_us=BEGUN.opened_us + 1), headline="of the disk"),
}


@pytest.mark.parametrize("what", FURTHER)
def test_an_incident_that_memory_began_anew_never_takes_the_disks_back(world: World, disk: Disk, what: str) -> None:
    stands = after_both(world, disk, FURTHER[what], BEGUN)
    assert stands == FURTHER[what], "a press that came again took its incident back to its beginning"


@pytest.mark.parametrize("what", FURTHER)
def test_what_went_on_in_memory_is_not_thrown_away(world: World, disk: Disk, what: str) -> None:
    stands = after_both(world, disk, BEGUN, FURTHER[what])
    assert stands == FURTHER[what], "what was done while the disk was full is undone"


def test_what_was_closed_by_somebody_who_did_not_know_all_of_it_is_open_with_all_presses(
    world: World, disk: Disk
) -> None:
    both = replace(BEGUN, presses=(*BEGUN.presses, *incident(2).presses), step=1)
    closed = incident(1, closed_us=BEGUN.opened_us + 1)
    found = after_both(world, disk, both, closed)

    assert found.is_open, "a second room called, and whoever closed it never knew"
    assert [p.id for p in found.presses] == ["press-1", "press-2"]


def test_the_graver_of_two_stands_with_the_presses_of_both(world: World, disk: Disk) -> None:
    assist = replace(BEGUN, incident_class=IncidentClass.STAFF_ASSIST, step=3)
    graver = replace(BEGUN, presses=(*BEGUN.presses, *incident(2).presses))
    third = replace(assist, presses=(*assist.presses, *incident(3).presses))
    found = after_both(world, disk, graver, third)

    assert (found.incident_class, found.step) == (IncidentClass.LOCKDOWN, 0)
    assert [p.id for p in found.presses] == ["press-1", "press-2", "press-3"]


def test_timers_of_a_beginning_that_is_over_do_not_come_back(world: World, disk: Disk) -> None:
    later = replace(timer("t-2"), incident_id=IncidentId("inc-1"))
    first = replace(timer("t-1"), incident_id=IncidentId("inc-1"))
    world.commit(Decision(cause=CauseId("press-1"), incidents=(FURTHER["escalated"],), timers=(later,)))
    begin_without_the_disk(world, disk)
    world.commit(
        Decision(
            cause=CauseId("press-1"), incidents=(BEGUN,), timers=(first, replace(timer("other"), incident_id=None))
        )
    )
    room_again(world, disk)

    assert {each.timer.id for each in world.store.due_timers(world.clock.advance(600), 9)} == {"t-2", "other"}


def test_a_drill_that_was_begun_without_knowledge_of_another_does_not_keep_memory_from_the_disk(
    world: World, disk: Disk
) -> None:
    world.commit(Decision(drill=drill(1)))
    begin_without_the_disk(world, disk)
    world.commit(Decision(drill=drill(2)), event=press(2))
    room_again(world, disk)

    (runs,) = world.store.read_drills(running_only=True, site_id=OAK, limit=9)
    assert runs.id == drill(2).id
    assert runs.before is not None, "who was told of the first never hears that it is over"
    assert (runs.before.id, runs.before.state) == (drill(1).id, DrillState.ENDED)
    with world.store.begin([OAK], world.clock.now()) as transaction:
        assert transaction.site_state(OAK).drill == runs


def test_a_drill_does_not_go_on_over_what_is_real(world: World, disk: Disk) -> None:
    world.commit(Decision(drill=drill(1)))
    begin_without_the_disk(world, disk)
    world.commit(Decision(incidents=(replace(incident(2), incident_class=IncidentClass.VAPE),)), event=press(2))
    world.commit(Decision(incidents=(incident(3, site_id=ELM),)), event=press(3, site_id=ELM))
    room_again(world, disk)
    assert world.store.read_drills(running_only=True, site_id=OAK, limit=9) == (drill(1),), "nothing was real there"

    begin_without_the_disk(world, disk)
    world.commit(Decision(incidents=(incident(4),)), event=press(4))
    room_again(world, disk)
    assert not world.store.read_drills(running_only=True, site_id=OAK, limit=9), (
        "promise 3: who presses in a lockdown takes part in a drill"
    )
    over = world.store.read_drill(drill(1).id)
    assert over is not None
    assert (over.state, over.real_incident_id) == (DrillState.ENDED, "inc-4")
