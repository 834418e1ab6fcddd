"""A sensor whose clock is slow: none of its numbers is an alarm, and somebody is told so (req 66, 99)."""

import asyncio
from pathlib import Path

from msgspec.structs import replace

from alertd.model.decision import Decision
from alertd.model.events import TroubleCleared, TroubleRaised
from alertd.model.ids import DeviceId, SiteId
from alertd.model.registry import Registry
from alertd.model.trouble import Trouble
from alertd_simulator.virtual_time import COMMIT_DELAY, in_virtual_time
from tests.daemon.test_readings import Front, school
from tests.daemon.world import World
from tests.engine.school import OAK

CLOCK = "device_clock:vape-wc"
NEVER_OVER = "whoever set the clock is told of it every four hours for ever"


def told(front: Front) -> list[TroubleRaised | TroubleCleared]:
    found, front.door.troubles = front.door.troubles, []
    return found


async def measures(front: Front, seconds: int, age_s: float, number: float = 90, **more: bool) -> None:
    for _ in range(seconds // 30):
        front.say(reading=number, age_s=age_s, **more)  # type: ignore[arg-type]
        await asyncio.sleep(30)


@in_virtual_time
async def test_a_sensor_whose_clock_is_slow_is_a_trouble_until_it_is_set() -> None:
    front = Front()
    await measures(front, 570, 130)
    assert not told(front)
    await measures(front, 3600, 130)
    troubles = told(front)
    assert len(troubles) == 1, "none of its numbers is ever an alarm, and nobody knows"
    trouble = troubles[0]
    assert isinstance(trouble, TroubleRaised)
    assert (trouble.key, trouble.site_id) == ("device_clock:vape-wc", "oak")
    assert "2 min old" in trouble.summary
    assert "Set its clock" in trouble.summary

    await measures(front, 60, 0, 10)
    (over,) = told(front)
    assert over == TroubleCleared(site_id=trouble.site_id, key=trouble.key)
    await measures(front, 600, 0, 10)
    assert not told(front)


@in_virtual_time
async def test_what_was_held_up_on_its_way_is_no_slow_clock() -> None:
    front = Front()
    for _ in range(10):
        await measures(front, 300, 200)
        await measures(front, 30, 0, 10)
    await measures(front, 3600, 200, retained=True)
    await measures(front, 3600, 200, backlog=True)
    front.say(reading=90, age_s=200)
    await asyncio.sleep(700)
    front.say(reading=90, age_s=200)
    await asyncio.sleep(1)
    assert not told(front), "it waited at a gateway, or at the broker"


@in_virtual_time
async def test_what_could_not_be_committed_is_told_with_the_next_number() -> None:
    front = Front()
    front.door.fails = True
    await measures(front, 690, 130)
    front.door.fails = False
    told(front)
    await measures(front, 60, 130)
    assert [type(each) for each in told(front)] == [TroubleRaised]
    front.door.fails = True
    await measures(front, 30, 0, 10)
    front.door.fails = False
    told(front)
    await measures(front, 60, 0, 10)
    assert [type(each) for each in told(front)] == [TroubleCleared]


@in_virtual_time
async def test_what_stands_is_told_once_and_what_is_over_too_early_again() -> None:
    front = Front()
    await measures(front, 700, 130)
    told(front)
    slow = Trouble(key=CLOCK, site_id=OAK, summary="slow", raised_us=1)
    front.readings.committed(Decision(troubles=(slow,)))
    await measures(front, 3600, 130)
    assert not told(front)
    front.readings.committed(Decision(troubles=(replace(slow, over_us=2),)))
    await measures(front, 60, 130)
    assert [type(each) for each in told(front)] == [TroubleRaised], "it is slow yet, and said to be over"


# --- the whole daemon -----------------------------------------------------------------------------------------------


async def minutes(world: World, count: int, age_s: float, number: float) -> None:
    for _ in range(2 * count):
        arrival = world.arrival("vape-wc", "vape")
        made_us = world.clock.now().wall_us - round(age_s * 1e6)
        signal = replace(arrival.signals[0], reading=number, pressed_us=made_us)
        world.source.publish(replace(arrival, signals=(signal,)))
        await asyncio.sleep(30)


def stands(world: World) -> bool:
    return CLOCK in {trouble.key for trouble in world.store.read_troubles() if trouble.stands}


def changed(known: Registry, **fields: object) -> Registry:
    devices = dict(known.devices)
    sensor = devices.pop(DeviceId("vape-wc"))
    return replace(known, devices={**devices, sensor.id: replace(sensor, **fields)} if fields else devices)


@in_virtual_time(executor_delay=COMMIT_DELAY)
async def test_a_clock_that_was_set_by_a_reboot_of_everything_is_right(tmp_path: Path) -> None:
    world = World(tmp_path, school=school())
    await world.start()
    await minutes(world, 12, 130, 90)
    assert stands(world)
    await world.crash()
    await world.start()
    await minutes(world, 2, 130, 90)
    assert stands(world), "it is slow yet, and said to be over"
    await minutes(world, 2, 0, 10)
    assert not stands(world), NEVER_OVER
    await world.stop()


@in_virtual_time(executor_delay=COMMIT_DELAY)
async def test_a_slow_clock_leaves_no_trouble_behind_when_its_sensor_does(tmp_path: Path) -> None:
    world = World(tmp_path, school=school())
    await world.start()
    await minutes(world, 12, 130, 90)
    assert stands(world)
    await world.daemon.reload(changed(school()))
    await asyncio.sleep(120)
    assert not stands(world), NEVER_OVER
    await world.stop()


@in_virtual_time(executor_delay=COMMIT_DELAY)
async def test_a_sensor_that_left_while_alertd_was_away_leaves_no_trouble_behind(tmp_path: Path) -> None:
    world = World(tmp_path, school=school())
    await world.start()
    await minutes(world, 12, 130, 90)
    await world.crash()
    world.school = changed(school(), site_id=SiteId("elm"))
    await world.start()
    await asyncio.sleep(120)
    assert not stands(world), NEVER_OVER
    await world.stop()


@in_virtual_time
async def test_the_clock_of_a_badge_that_presses_at_two_schools_is_the_trouble_of_either() -> None:
    front = Front()
    front.registry = changed(front.registry, roaming_sites=(SiteId("elm"),))
    front.readings.remember([Trouble(key=CLOCK, site_id=SiteId("elm"), summary="slow", raised_us=1)])
    await asyncio.sleep(3600)
    assert not told(front), "it is slow yet, and said to be over"


@in_virtual_time
async def test_that_it_has_left_is_said_until_it_is_committed() -> None:
    front = Front()
    front.registry = changed(front.registry)
    front.readings.remember([Trouble(key=CLOCK, site_id=OAK, summary="slow", raised_us=1)])
    front.door.fails = True
    await asyncio.sleep(90)
    front.door.fails = False
    told(front)
    await asyncio.sleep(3600)
    assert told(front) == [TroubleCleared(site_id=OAK, key=CLOCK)], NEVER_OVER
