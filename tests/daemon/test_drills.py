"""Drills on the whole daemon: what is claimed already, what a restart says, and that its end comes whatever happens."""

import asyncio
from pathlib import Path

from alertd.model.events import DrillOrdered
from alertd.model.ids import CauseId, DeviceId
from alertd.model.incident import IncidentClass
from alertd.model.mode import Mode
from alertd.model.notification import Kind, NotificationState
from alertd.model.outcome import Delivered
from alertd.ports import ChannelLimits
from alertd_simulator.virtual_time import in_virtual_time
from tests.daemon.world import World
from tests.engine.school import OAK

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
