"""A sensor whose clock is slow: none of its numbers is an alarm, and somebody is told so (req 66, 99)."""

import asyncio

from alertd.model.events import TroubleCleared, TroubleRaised
from alertd_simulator.virtual_time import in_virtual_time
from tests.daemon.test_readings import Front


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
