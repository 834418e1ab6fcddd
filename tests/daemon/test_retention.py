"""What is kept of sensors for a short time only is found, page by page, and goes through the door."""

import asyncio
from pathlib import Path

import pytest

from alertd.daemon.retention import Retention
from alertd.model.decision import EntryKind
from alertd.model.events import Replied
from alertd.model.ids import CauseId, SiteId
from alertd.model.reason import Reason
from alertd_simulator.virtual_time import COMMIT_DELAY, VirtualClock, in_virtual_time
from tests.daemon.world import World
from tests.engine.school import OAK


@pytest.mark.slow
@in_virtual_time(executor_delay=COMMIT_DELAY)
async def test_old_notices_lose_their_names_and_a_lockdown_keeps_them(tmp_path: Path):
    world = World(tmp_path)
    await world.start()
    world.press("vape-wc", "vape")
    world.press("badge-204")
    await asyncio.sleep(600)
    door = world.daemon.intake
    assert await Retention(store=world.store, clock=world.clock, days=1).look(door) == 0, "not old enough"
    retention = Retention(store=world.store, clock=world.clock, days=0)
    assert await retention.look(door) == 1

    vape, lockdown = sorted(world.incidents(), key=lambda i: i.incident_class == "lockdown")
    assert vape.erased_us is not None
    assert world.store.read_notifications(vape.id) == ()
    assert lockdown.erased_us is None
    assert world.store.read_notifications(lockdown.id)
    assert await retention.look(door) == 0, "once"
    lines = world.store.read_journal(SiteId(OAK), since_us=0, until_us=2**62, kind=EntryKind.INCIDENT)
    assert [line.entry.reason for line in lines if line.entry and line.entry.reason is Reason.ERASED] == [Reason.ERASED]
    assert world.store.verify_journal(SiteId(OAK)) > 0
    await world.stop()


DAY_S = 24 * 3600


@pytest.mark.slow
@in_virtual_time(executor_delay=COMMIT_DELAY)
async def test_a_clock_that_leaps_erases_nothing_of_this_boot(tmp_path: Path):
    world = World(tmp_path)
    await world.start()
    world.press("vape-wc", "vape")
    await asyncio.sleep(600)
    world.clock.step_wall(60 * DAY_S)
    await asyncio.sleep(10)
    await Retention(store=world.store, clock=world.clock, days=30).look(world.daemon.intake)
    (vape,) = world.incidents()

    assert vape.told, "minutes old, and erased for good"
    assert vape.erased_us is None
    await world.stop()


class NoStore:
    """Says by which clock it is asked."""

    def __init__(self) -> None:
        self.before_us = 0

    def read_closed(self, *, before_us: int, **_: object) -> tuple[()]:
        self.before_us = before_us
        return ()


@in_virtual_time
async def test_a_clock_that_leapt_is_believed_once_it_has_stood_for_a_week():
    clock, store = VirtualClock(), NoStore()
    retention = Retention(store=store, clock=clock, days=30)  # type: ignore[arg-type]

    async def behind_s() -> float:
        await retention.look(None)  # type: ignore[arg-type]
        return (clock.now().wall_us - store.before_us) / 1_000_000 - 30 * DAY_S

    assert await behind_s() == 0
    clock.step_wall(60 * DAY_S)
    assert await behind_s() == 60 * DAY_S, "a clock that leapt was believed at once"
    await asyncio.sleep(6 * DAY_S)
    assert await behind_s() == 60 * DAY_S
    clock.step_wall(-60 * DAY_S)
    assert await behind_s() == 0
    clock.step_wall(60 * DAY_S)
    assert await behind_s() == 60 * DAY_S
    await asyncio.sleep(8 * DAY_S)
    assert await behind_s() == 0, "a clock that was set right is never believed"


@pytest.mark.slow
@in_virtual_time(executor_delay=COMMIT_DELAY)
async def test_what_is_texted_after_it_ended_goes_with_it(tmp_path: Path):
    world = World(tmp_path)
    await world.start()
    world.press("vape-wc", "vape")
    await asyncio.sleep(900)
    (vape,) = world.incidents()
    assert not vape.is_open
    for number, body in enumerate(("Was Timmy again", f"4{vape.token}", "7777")):
        cause = CauseId(f"sms:{number}")
        said = Replied(site_id=OAK, cause=cause, channel="sms", address="+12025550101", body=body, at_us=0)
        await world.daemon.intake.submit(said)
    await asyncio.sleep(60)
    lines = world.store.read_journal(SiteId(OAK), since_us=0, until_us=2**62)
    assert "Timmy" in repr(lines)
    await Retention(store=world.store, clock=world.clock, days=0).look(world.daemon.intake)

    lines = world.store.read_journal(SiteId(OAK), since_us=0, until_us=2**62)
    kept = repr((lines, [row.notification.recipient for row in world.rows()]))
    assert "Timmy" not in kept, "req 73: what was written of a child is kept for ever"
    assert "Ruiz" not in kept
    await world.stop()
