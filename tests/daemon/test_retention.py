"""What is kept of sensors for a short time only is found, page by page, and goes through the door."""

import asyncio
from pathlib import Path

import pytest

from alertd.daemon.retention import Retention
from alertd.model.decision import EntryKind
from alertd.model.ids import SiteId
from alertd.model.reason import Reason
from alertd_simulator.virtual_time import COMMIT_DELAY, in_virtual_time
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
