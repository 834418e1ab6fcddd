"""Who goes first at the door, and what is folded."""

import asyncio

import pytest

from alertd.daemon.waiting import GATHER_S, STRANGERS_MAX, Submission, WaitingRoom, is_urgent
from alertd.model.events import Event, Malformed, TroubleCleared, TroubleRaised
from alertd.model.ids import DISTRICT, CauseId
from alertd_simulator.virtual_time import in_virtual_time
from tests.engine.school import registry


def raised(key: str) -> Submission:
    return submission(TroubleRaised(site_id=DISTRICT, key=key, summary="s"))


def cleared(key: str) -> Submission:
    return submission(TroubleCleared(site_id=DISTRICT, key=key))


def unreadable(topic: str) -> Submission:
    return submission(
        Malformed(site_id=DISTRICT, cause=CauseId(topic), source="b", topic=topic, why="no", size=1, received_us=1)
    )


def submission(event: Event) -> Submission:
    return Submission((event,), urgent=is_urgent(event, registry()), from_source=False)


def keys(batch: list[Submission]) -> list[str]:
    return [f"{type(s.events[0]).__name__}:{getattr(s.events[0], 'key', '')}" for s in batch]


@in_virtual_time
async def test_the_same_trouble_waits_once_and_answers_everybody():
    room = WaitingRoom()
    first = raised("disk")
    assert room.add(first) is None
    shared = room.add(raised("disk"))
    assert shared is not None
    assert len(room) == 1
    first.succeed()
    await shared


@in_virtual_time
async def test_one_who_gives_up_waiting_takes_nobody_with_him():
    room = WaitingRoom()
    first = raised("disk")
    room.add(first)
    impatient = room.add(raised("disk"))
    assert impatient is not None
    impatient.cancel()

    assert not first.done.cancelled()


@in_virtual_time
async def test_the_last_word_about_a_trouble_stays_the_last():
    room = WaitingRoom()
    for each in (raised("disk"), cleared("disk"), raised("disk"), raised("disk")):
        room.add(each)

    assert keys(room.take(10)) == ["TroubleRaised:disk", "TroubleCleared:disk", "TroubleRaised:disk"]


@in_virtual_time
async def test_a_flood_of_unreadable_payloads_is_bounded():
    room = WaitingRoom()
    for n in range(STRANGERS_MAX * 3):
        room.add(unreadable(f"topic/{n}"))
    assert len(room) == STRANGERS_MAX
    while room.take(200):
        pass
    room.add(unreadable("topic/new"))

    assert len(room) == 1, "the flood is over, and the next one is heard again"


@in_virtual_time
async def test_machinery_gathers_for_a_moment_and_a_press_waits_for_nobody():
    room = WaitingRoom()
    loop = asyncio.get_running_loop()
    room.add(raised("disk"))
    began = loop.time()
    await room.somebody()
    assert loop.time() - began == pytest.approx(GATHER_S)

    gathering = asyncio.create_task(room.somebody())
    await asyncio.sleep(GATHER_S / 2)
    urgent = Submission(raised("x").events, urgent=True, from_source=True)
    room.add(urgent)
    began = loop.time()
    await gathering
    assert loop.time() == began, "promise 2: a press waits for machinery"
    assert room.take(200)[0] is urgent
