"""Deadlines run on boot time: never early, never lost, whatever somebody does to the clock."""

import asyncio
from pathlib import Path

import pytest

from alertd.daemon.activity import OpenIncidents
from alertd.daemon.timers import ClockWatch
from alertd.model.anchor import Now
from alertd.model.events import Event, Replied
from alertd.model.ids import DISTRICT, CauseId, SiteId, TimerId
from alertd.model.incident import EscalationState
from alertd.model.notification import Kind, Notification
from alertd.model.policy import Step
from alertd.model.timer import Timer, TimerKind
from alertd.ports import DueTimer, NotCommittedError
from alertd.store.sqlite import SqliteStore
from alertd.testing.store_values import SECOND_US, TestClock
from alertd_simulator.virtual_time import COMMIT_DELAY, in_virtual_time
from tests.adapters.doubles import OpenDoor
from tests.daemon.world import World
from tests.engine.school import OAK, group, policy, registry


def second_step_begun(world: World) -> bool:
    return any(claim.notification.step == 1 for claim in world.sms.sent)


@pytest.mark.parametrize(
    "step_s",
    [
        pytest.param(0, id="steady", marks=pytest.mark.slow),
        pytest.param(-7200, id="back"),
        pytest.param(7200, id="forward", marks=pytest.mark.slow),
        pytest.param(400 * 86400, id="a year", marks=pytest.mark.slow),
    ],
)
def test_an_escalation_is_neither_early_nor_late_when_the_clock_is_set(tmp_path: Path, step_s: float):
    @in_virtual_time
    async def story():
        world = World(tmp_path)
        await world.start()
        world.press()
        await asyncio.sleep(10)
        world.clock.step_wall(step_s)
        await asyncio.sleep(19.5)
        assert not second_step_begun(world), "a clock that was set made an escalation early"
        await asyncio.sleep(1)
        assert second_step_begun(world), "a clock that was set lost an escalation"

        troubled = "clock:step" in world.troubles()
        assert troubled == (step_s != 0)
        await asyncio.sleep(700)
        assert "clock:step" not in world.troubles(), "the clock has been steady since"
        await world.stop()

    story()


@in_virtual_time(executor_delay=COMMIT_DELAY)
async def test_a_clock_that_was_set_is_told_once_however_many_schools_have_an_incident(tmp_path: Path):
    world = World(tmp_path)
    await world.start()
    world.press()
    world.press("badge-elm")
    await asyncio.sleep(5)
    world.clock.step_wall(3600)
    await asyncio.sleep(20)

    told = [c.notification for c in world.sms.sent if c.notification.kind is Kind.TROUBLE]
    assert [n.recipient for n in told] == ["Ruiz"]
    assert "+3600 s" in told[0].text
    await world.stop()


@pytest.mark.slow
@in_virtual_time(executor_delay=COMMIT_DELAY)
async def test_a_clock_that_is_steady_after_a_crash_is_nobodys_trouble_any_more(tmp_path: Path):
    world = World(tmp_path)
    await world.start()
    world.clock.step_wall(3600)
    await asyncio.sleep(20)
    assert "clock:step" in world.troubles()
    await world.crash()
    await world.start()
    await asyncio.sleep(700)

    assert "clock:step" not in world.troubles()
    await world.stop()


@in_virtual_time
async def test_a_clock_that_drifts_a_little_is_nobodys_trouble(tmp_path: Path):
    world = World(tmp_path)
    await world.start()
    world.clock.step_wall(4)
    await asyncio.sleep(30)

    assert world.troubles() == set()
    await world.stop()


@in_virtual_time(executor_delay=COMMIT_DELAY)
async def test_a_timer_fires_after_a_reboot(tmp_path: Path):
    world = World(tmp_path)
    await world.start()
    world.press()
    await asyncio.sleep(5)
    await world.crash()
    world.clock.reboot()
    await asyncio.sleep(100)
    await world.start()
    await asyncio.sleep(3)

    assert second_step_begun(world), "a timer of an earlier boot was lost"
    await world.stop()


@in_virtual_time(executor_delay=COMMIT_DELAY)
async def test_a_timer_that_is_due_before_the_one_that_is_waited_for_wakes_the_loop(tmp_path: Path):
    quick = policy("lockdown", Step(targets=(group("first"),), wait_s=3), Step(targets=(group("second"),), wait_s=60))
    slow = policy("medical", Step(targets=(group("first"),), wait_s=9))
    world = World(tmp_path, school=registry(quick, slow))
    await world.start()
    world.press("wall-gym", "press")
    await asyncio.sleep(3)  # by now the loop sleeps
    world.press()
    await asyncio.sleep(2.8)
    assert not second_step_begun(world)
    await asyncio.sleep(1.2)

    assert second_step_begun(world), "req 99: an escalation waited for another incident's timer"
    await world.stop()


@in_virtual_time
async def test_a_store_that_never_drops_a_timer_does_not_make_the_loop_spin(tmp_path: Path):
    class Clinging(SqliteStore):
        def due_timers(self, now: Now, limit: int) -> tuple[DueTimer, ...]:
            timer = Timer(id=TimerId("t"), site_id=OAK, kind=TimerKind.STEP, delay_s=1)
            return (DueTimer(timer=timer),)

    world = World(tmp_path, store=lambda path: Clinging(path, ballast_bytes=0))
    await world.start()
    world.press()
    await asyncio.sleep(5)

    assert "Ruiz" in world.sms.told()
    await world.stop()


@in_virtual_time
async def test_hundreds_of_timers_that_are_due_at_once_all_fire(tmp_path: Path):
    world = World(tmp_path)
    await world.start()
    devices = ("badge-204", "badge-elm", "wall-gym", "vape-wc")
    for device in devices:
        world.press(device, {"wall-gym": "press", "vape-wc": "vape"}.get(device, "hold"))
    await asyncio.sleep(1)
    await world.crash()
    await asyncio.sleep(3600)
    await world.start()
    await asyncio.sleep(2)

    assert {i.incident_class for i in world.incidents() if i.step >= 1} >= {"lockdown", "medical"}
    await world.stop()


@pytest.mark.parametrize("step_s", [-280, pytest.param(3600, marks=pytest.mark.slow)])
@in_virtual_time(executor_delay=COMMIT_DELAY)
async def test_a_clock_that_was_set_while_alertd_was_down_is_told_and_an_answer_counts(tmp_path: Path, step_s: int):
    world = World(tmp_path)
    await world.start()
    world.press()
    await asyncio.sleep(5)
    await world.crash()
    world.clock.step_wall(step_s)
    daemon = await world.start()
    await asyncio.sleep(3)

    troubles = [n.text for n in told(world) if n.kind is Kind.TROUBLE]
    assert [f"{step_s:+.0f} s" in text for text in troubles] == [True], "R19: nobody is told that the clock was set"
    incident = world.incidents()[0]
    reply = Replied(
        site_id=OAK,
        cause=CauseId("sms:1"),
        channel="sms",
        address="+12025550101",
        body=f"4{incident.token}",
        at_us=world.clock.now().wall_us,
    )
    await daemon.intake.submit(reply)
    assert world.incidents()[0].escalation is EscalationState.PAUSED, "promise 5: whoever goes was not heard"
    await world.stop()


def told(world: World) -> list[Notification]:
    return [claim.notification for claim in world.sms.sent]


async def test_each_school_hears_once_of_a_step_also_if_a_commit_failed(tmp_path: Path):
    clock = TestClock()
    submitted: list[tuple[str, str]] = []
    failing = ["oak"]

    class Open(OpenIncidents):
        def open_sites(self) -> tuple[SiteId, ...]:
            return (SiteId("elm"), SiteId("oak"))

    class FailingDoor(OpenDoor):
        async def submit(self, event: Event) -> None:
            if event.site_id in failing:
                failing.remove(event.site_id)
                raise NotCommittedError("the disk is gone")
            submitted.append((type(event).__name__, event.site_id))

    watch = ClockWatch(clock=clock, activity=Open(store=SqliteStore(tmp_path / "alertd.db"), clock=clock))
    clock.wall_us += 280 * SECOND_US
    with pytest.raises(NotCommittedError):
        await watch.check(FailingDoor())
    await watch.check(FailingDoor())

    assert sorted(submitted) == [
        ("ClockStepped", DISTRICT),
        ("ClockStepped", "elm"),
        ("ClockStepped", "oak"),
        ("TroubleRaised", DISTRICT),
    ]
