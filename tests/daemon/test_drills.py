"""Drills on the whole daemon: what is claimed already, what a restart says, and that its end comes whatever happens."""

import asyncio
from pathlib import Path
from typing import NoReturn

import pytest
from msgspec.structs import replace

from alertd.daemon.drills import AGAIN_S, BACKLOG_S, DrillsFound
from alertd.model.decision import Decision
from alertd.model.drill import Drill, DrillState
from alertd.model.events import DrillEndOrdered, DrillFound, DrillOrdered, Event
from alertd.model.ids import CauseId, DeviceId, DrillId, SiteId
from alertd.model.incident import IncidentClass
from alertd.model.mode import Mode
from alertd.model.notification import Claim, Kind, Lane, NotificationState
from alertd.model.outcome import Delivered
from alertd.ports import ChannelLimits, NotCommittedError, StoreError
from alertd_simulator.virtual_time import in_virtual_time
from tests.daemon.test_dispatch import Stage, claim
from tests.daemon.world import World
from tests.engine.school import ELM, OAK

PROMISE_3 = "promise 3 broken"
ONE_LINE = ChannelLimits(concurrent=2)


async def begin_drill(world: World, device: str = "badge-204", minutes: int = 30) -> None:
    await world.daemon.intake.submit(
        DrillOrdered(
            site_id=OAK,
            cause=CauseId("order-1"),
            by="J. Ruiz",
            incident_class=IncidentClass.LOCKDOWN,
            device_ids=(DeviceId(device),),
            told_before="J. Doe, dispatch",
            minutes=minutes,
        )
    )


def sent(world: World, *, since: int = 0) -> list[tuple[Mode, Kind]]:
    return [(c.notification.mode, c.notification.kind) for c in world.sms.sent[since:]]


@in_virtual_time()
async def test_a_real_press_silences_what_of_the_drill_waits_for_a_free_line(tmp_path: Path):
    world = World(tmp_path, sms=ONE_LINE)
    await world.start()

    async def slow(claim):
        await asyncio.sleep(2)
        return Delivered(ref=f"ref-{claim.notification.id}")

    await begin_drill(world)
    await asyncio.sleep(1)
    world.sms.behave = slow
    world.press("badge-204")  # four people, one line for whatever is no panic
    await asyncio.sleep(0.5)
    left_before = len(world.sms.sent)
    assert world.sms.sent[-1].notification.mode is Mode.DRILL
    world.press("badge-118")
    await asyncio.sleep(60)

    assert left_before < 5 + 5, "nothing was left to be silenced"
    modes = [mode for mode, _ in sent(world, since=left_before)]
    assert modes
    assert set(modes) == {Mode.LIVE}, "promise 3: a text of the drill left after it was real"
    assert all(c.notification.mode is Mode.LIVE for c in world.dispatch.sent), PROMISE_3
    unsent = [r for r in world.rows() if r.notification.mode is Mode.DRILL and not r.notification.endpoint.dispatch]
    assert NotificationState.WITHDRAWN in {r.state for r in unsent}
    assert not {r.state for r in unsent} & {NotificationState.QUEUED, NotificationState.CLAIMED}
    await world.stop()


@in_virtual_time()
async def test_killed_in_a_drill_alertd_says_so_and_the_drill_ends_in_time(tmp_path: Path):
    world = World(tmp_path)
    await world.start()
    await begin_drill(world, minutes=2)
    await asyncio.sleep(20)
    await world.crash()
    await asyncio.sleep(10)
    before = len(world.sms.sent)
    await world.start()
    await asyncio.sleep(5)

    assert (Mode.DRILL, Kind.DRILL_GOES_ON) in sent(world, since=before), "req 77: it survived the restart silently"
    world.press("badge-204")
    await asyncio.sleep(2)
    assert {i.mode for i in world.incidents()} == {Mode.DRILL}
    assert not world.dispatch.sent, PROMISE_3

    await asyncio.sleep(90)
    over = [c.notification.recipient for c in world.sms.sent if c.notification.kind is Kind.DRILL_OVER]
    began = [c.notification.recipient for c in world.sms.sent if c.notification.kind is Kind.DRILL_BEGINS]
    assert sorted(over) == sorted(began), "somebody who heard that it began did not hear that it is over"
    assert not world.store.read_drills(running_only=True, site_id=None, limit=9)
    await world.stop()


@in_virtual_time()
async def test_a_real_press_that_waited_at_the_broker_is_told_and_not_that_the_drill_goes_on(tmp_path: Path):
    world = World(tmp_path)
    await world.start()
    await begin_drill(world)
    await asyncio.sleep(20)
    await world.crash()
    before = len(world.sms.sent)
    await world.start()
    await asyncio.sleep(1)  # the broker delivers what waited
    world.press("badge-118")
    await asyncio.sleep(30)

    kinds = [kind for _, kind in sent(world, since=before)]
    assert Kind.ALERT in kinds
    assert Kind.DRILL_GOES_ON not in kinds, "promise 3: they read that the drill goes on, and then that it is real"
    await world.stop()


@in_virtual_time()
async def test_a_drill_whose_time_ended_while_alertd_was_down_is_over_before_anybody_presses(tmp_path: Path):
    world = World(tmp_path)
    await world.start()
    await begin_drill(world, minutes=5)
    await asyncio.sleep(10)
    await world.crash()
    await asyncio.sleep(600)
    await world.start()
    world.press("badge-204")
    await asyncio.sleep(5)

    assert [i.mode for i in world.incidents()] == [Mode.LIVE], PROMISE_3
    assert world.dispatch.sent
    await world.stop()


@in_virtual_time()
async def test_a_clock_that_is_set_in_a_drill_moves_its_window(tmp_path: Path):
    world = World(tmp_path)
    await world.start()
    await begin_drill(world)
    await asyncio.sleep(10)
    world.clock.step_wall(-7200)
    await asyncio.sleep(5)
    world.press("badge-204")
    await asyncio.sleep(2)
    assert [i.mode for i in world.incidents()] == [Mode.DRILL]
    await world.stop()


@in_virtual_time()
async def test_a_press_that_alertd_cannot_handle_ends_the_drill_as_real(tmp_path: Path):
    from tests.daemon.test_promises import poisonous

    world = World(tmp_path, core=poisonous("badge-118"))
    await world.start()
    await begin_drill(world)
    await asyncio.sleep(5)
    world.press("badge-118")
    await asyncio.sleep(5)

    pages = [c.notification for c in world.sms.sent if c.notification.template == "fallback"]
    assert pages
    assert all(n.text.startswith("DRILL STOPPED, THIS IS REAL. OAK ELEM") and len(n.text) <= 160 for n in pages)
    assert not world.store.read_drills(running_only=True, site_id=None, limit=9), PROMISE_3
    await world.stop()


@in_virtual_time()
async def test_what_was_to_say_that_a_drill_is_over_is_dropped_when_something_real_is_quicker(tmp_path: Path):
    world = World(tmp_path, sms=ONE_LINE)
    await world.start()

    async def slow(claim):
        await asyncio.sleep(2)
        return Delivered(ref=f"ref-{claim.notification.id}")

    await begin_drill(world)
    await asyncio.sleep(10)
    world.sms.behave = slow
    await world.daemon.intake.submit(DrillEndOrdered(site_id=OAK, cause=CauseId("end"), by="J. Ruiz"))
    await asyncio.sleep(0.5)  # one line for whatever is no panic: the others wait, claimed
    before = len(world.sms.sent)
    world.press("badge-118")
    await asyncio.sleep(30)

    after = sent(world, since=before)
    assert (Mode.LIVE, Kind.ALERT) in after
    assert (Mode.DRILL, Kind.DRILL_OVER) not in after, "promise 3: the press reads as the last act of the drill"
    await world.stop()


@pytest.mark.parametrize("restarted", [False, True], ids=["a reload", "a start"])
@in_virtual_time()
async def test_promise_3_a_drill_is_over_before_its_badge_can_press_for_the_school_next_door(
    tmp_path: Path, restarted: bool
):
    world = World(tmp_path)
    await world.start()
    await begin_drill(world)
    await asyncio.sleep(20)
    badge = replace(world.school.devices[DeviceId("badge-204")], roaming_sites=(ELM,))
    world.school = replace(world.school, devices=world.school.devices | {badge.id: badge})
    if restarted:
        await world.crash()
        await world.start()
    else:
        await world.daemon.reload(world.school)
    assert not world.store.read_drills(running_only=True, site_id=None, limit=9), PROMISE_3
    await asyncio.sleep(30)

    over = [c.notification for c in world.sms.sent if c.notification.kind is Kind.DRILL_OVER]
    began = [c.notification for c in world.sms.sent if c.notification.kind is Kind.DRILL_BEGINS]
    assert {n.recipient for n in over} == {n.recipient for n in began}, "somebody believes in the drill"
    assert all("badge-204 may press at elm as well" in n.text for n in over)
    world.press("badge-204")
    await asyncio.sleep(2)
    assert [i.mode for i in world.incidents()] == [Mode.LIVE]
    await world.stop()


@in_virtual_time()
async def test_a_reload_that_changes_nothing_of_its_devices_ends_no_drill(tmp_path: Path):
    world = World(tmp_path)
    await world.start()
    await begin_drill(world)
    walker = replace(world.school.devices[DeviceId("walker")], roaming_sites=())
    await world.daemon.reload(replace(world.school, devices=world.school.devices | {walker.id: walker}))
    assert world.store.read_drills(running_only=True, site_id=None, limit=9)
    await world.stop()


@in_virtual_time()
async def test_a_disk_that_takes_nothing_holds_up_no_reload_for_long(tmp_path: Path):
    world = World(tmp_path)
    await world.start()
    await begin_drill(world)
    badge = replace(world.school.devices[DeviceId("badge-204")], roaming_sites=(ELM,))
    begin, world.store.begin = world.store.begin, failing  # type: ignore[method-assign]
    await asyncio.wait_for(
        world.daemon.reload(replace(world.school, devices=world.school.devices | {badge.id: badge})), 30
    )
    world.store.begin = begin  # type: ignore[method-assign]
    assert world.daemon.intake.registry.devices[badge.id] == badge
    await world.stop()


def failing(*_: object, **__: object) -> NoReturn:
    raise StoreError("disk hiccup")


def drill(**more: object) -> Drill:
    begun = Drill(
        id=DrillId("drill-oak"),
        site_id=OAK,
        incident_class=IncidentClass.LOCKDOWN,
        device_ids=(),
        told_before="J. Doe, dispatch",
        by="J. Ruiz",
        started_us=0,
        ends_us=60_000_000,
    )
    return replace(begun, **more)


def of_drill(kind: Kind, number: int) -> Claim:
    live = claim(address=f"+120255501{number:02d}", lane=Lane.DRILL)
    ends = OVER.id if kind is Kind.DRILL_OVER else None
    return replace(live, notification=replace(live.notification, mode=Mode.DRILL, kind=kind, ends_drill=ends))


OVER = drill(state=DrillState.ENDED)


@pytest.mark.parametrize(
    ("decided", "leaves"),
    [
        ((drill(),), {Kind.ALERT, Kind.DRILL_OVER}),
        ((OVER,), {Kind.DRILL_OVER}),
        ((replace(OVER, overtaken=True),), set()),
        ((replace(OVER, overtaken=True), drill()), {Kind.ALERT}),
        ((replace(OVER, id=DrillId("drill-before"), overtaken=True), OVER), {Kind.DRILL_OVER}),
    ],
    ids=("runs", "is over", "is over and real", "is over, and another runs", "one before it was overtaken"),
)
@in_virtual_time()
async def test_what_is_claimed_of_a_drill_leaves_only_while_it_is_true(
    tmp_path: Path, decided: tuple[Drill, ...], leaves: set[Kind]
):
    stage = Stage(tmp_path)
    *before, now = (Decision(drill=each) for each in decided)
    stage.dispatch.heed(before)
    stage.take(of_drill(Kind.ALERT, 1), of_drill(Kind.DRILL_OVER, 2))  # nothing is sent before the loop runs
    stage.dispatch.heed([now])
    await asyncio.sleep(1)

    assert {c.notification.kind for c in stage.sms.sent} == leaves, PROMISE_3
    assert len(stage.outcomes()) == 2, "what was not sent has no outcome"


class FlakyDoor:
    """Notes what it is given; the commits named by their number fail."""

    def __init__(self, *fail: int) -> None:
        self.given: list[Event] = []
        self._fail = fail

    async def submit(self, event: Event) -> None:
        self.given.append(event)
        if len(self.given) in self._fail:
            raise NotCommittedError("the disk is full")


def found(door: FlakyDoor) -> list[tuple[SiteId, DrillId]]:
    return [(event.site_id, event.drill_id) for event in door.given if isinstance(event, DrillFound)]


async def started(door: FlakyDoor, owner: str = "one") -> None:
    running = {OAK: DrillId("drill-oak"), ELM: DrillId("drill-elm")}
    finder = asyncio.create_task(DrillsFound(running=running, owner=owner, started_us=7).run(door))  # type: ignore[arg-type]
    await asyncio.sleep(BACKLOG_S + 3 * AGAIN_S)
    finder.cancel()


@in_virtual_time()
async def test_the_drills_of_all_sites_are_told_at_a_start():
    door = FlakyDoor()
    await started(door)
    assert found(door) == [(OAK, "drill-oak"), (ELM, "drill-elm")], "req 77: a drill survived a restart silently"


@in_virtual_time()
async def test_a_start_that_could_not_be_written_down_is_told_again_until_it_is():
    door = FlakyDoor(1, 3)
    await started(door)
    sites = [site for site, _ in found(door)]
    assert sites == [OAK, OAK, ELM, OAK, ELM], "req 77: a drill survived a restart silently"


@in_virtual_time()
async def test_each_start_is_news_of_its_own():
    one, other = FlakyDoor(), FlakyDoor()
    await started(one)
    await started(other, owner="two")
    causes = {event.cause for door in (one, other) for event in door.given if isinstance(event, DrillFound)}
    assert len(causes) == 4, "req 77: a second restart is silent"
