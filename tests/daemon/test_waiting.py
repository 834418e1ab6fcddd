"""Who goes first at the door, and what is folded."""

import asyncio
from typing import Any

import pytest

from alertd.daemon.waiting import GATHER_S, STRANGERS_MAX, Submission, WaitingRoom, is_urgent
from alertd.model.events import (
    DeviceTestEndOrdered,
    DeviceTestWatched,
    Event,
    Malformed,
    Overheard,
    Pressed,
    Signal,
    TroubleCleared,
    TroubleRaised,
    Unregistered,
)
from alertd.model.ids import DISTRICT, CauseId, DeviceId, SiteId
from alertd.ports import NotCommittedError
from alertd_simulator.virtual_time import in_virtual_time
from tests.engine.school import registry


def raised(key: str) -> Submission:
    return submission(TroubleRaised(site_id=DISTRICT, key=key, summary="s"))


def cleared(key: str) -> Submission:
    return submission(TroubleCleared(site_id=DISTRICT, key=key))


def unreadable(topic: str, *, never_press: bool = False) -> Submission:
    return submission(
        Malformed(
            site_id=DISTRICT,
            cause=CauseId(topic),
            source="b",
            topic=topic,
            why="no",
            size=1,
            received_us=1,
            never_press=never_press,
        )
    )


def strange(name: str, *, never_press: bool = False, heard: str = "") -> Submission:
    return submission(
        Unregistered(
            site_id=DISTRICT,
            cause=CauseId(name),
            source="b",
            device_id=DeviceId(name),
            why="no",
            received_us=1,
            never_press=never_press,
            heard=heard,
        )
    )


def pressed(
    cause: str, *, action: str = "hold", site: str = "oak", at_us: int = 1, retained: bool = False
) -> Submission:
    return submission(
        Pressed(
            site_id=SiteId(site),
            cause=CauseId(cause),
            signal=Signal(device_id=DeviceId("badge-204"), action=action),
            received_us=at_us,
            oldest_us=at_us,
            backlog=at_us > 1,
            retained=retained,
            source="b",
        )
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
async def test_what_may_be_a_press_does_not_hide_behind_what_is_none():
    room = WaitingRoom()
    room.add(unreadable("bridge", never_press=True))
    assert room.add(unreadable("bridge")) is None, "it would ring nobody"

    room = WaitingRoom()
    for n in range(STRANGERS_MAX * 3):
        room.add(unreadable(f"topic/{n}", never_press=True))
    assert room.add(unreadable("topic/new")) is None, "a flood of sensors, and it would ring nobody"


@in_virtual_time
async def test_a_strangers_press_does_not_hide_behind_what_it_says_where_sensors_do():
    room = WaitingRoom()
    room.add(strange("H10", never_press=True))

    assert room.add(strange("H10")) is None, "it would ring nobody"
    assert room.add(strange("H10", never_press=True)) is not None
    assert room.add(strange("H10", never_press=True, heard="gunshot")) is None, "a shot, and nobody would be told"


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


@pytest.mark.parametrize(
    "order",
    [
        DeviceTestWatched(site_id=SiteId("oak"), device_id=DeviceId("badge-204")),
        DeviceTestEndOrdered(site_id=SiteId("oak"), device_id=DeviceId("badge-204"), why="it is live again"),
    ],
)
@in_virtual_time
async def test_whoever_tries_a_device_out_does_not_wait_behind_machinery(order: Event):
    """A storm of troubles would end the test under their eyes: nobody seems to watch it, and the press is real."""
    room = WaitingRoom()
    for number in range(1_000):
        room.add(raised(f"silent:{number}"))
    ordered = submission(order)
    room.add(ordered)
    assert room.take(200)[0] is ordered, "who tries a device out waits behind machinery"


@in_virtual_time
async def test_a_press_that_is_delivered_again_while_it_waits_waits_once():
    room = WaitingRoom()
    first = pressed("7")
    assert room.add(first) is None
    shared = room.add(pressed("7", at_us=5))
    assert shared is not None
    assert len(room) == 1
    first.succeed()
    await shared


@in_virtual_time
async def test_a_press_that_counts_at_another_school_too_and_is_delivered_again_waits_once():
    room = WaitingRoom()
    for _ in range(2):
        (press,) = pressed("7").events
        assert isinstance(press, Pressed)
        there = Overheard(site_id=SiteId("elm"), cause=CauseId("7 at elm"), press=press)
        room.add(Submission((press, there), urgent=True, from_source=True))
    assert len(room) == 1, "a badge at a fence fills the queue"


@in_virtual_time
async def test_a_press_that_is_delivered_again_while_it_is_committed_is_answered_by_that_commit():
    """Else, where connections are lost faster than a disk commits, each answer would be one connection late."""
    room = WaitingRoom()
    first = pressed("7")
    room.add(first)
    room.take(10)
    shared = room.add(pressed("7", at_us=5))
    assert shared is not None
    assert not shared.done(), "promise 1: answered before the commit"
    first.succeed()
    await shared
    assert room.add(pressed("7", at_us=9)) is None, "what comes after the commit is the engine's to judge"


@in_virtual_time
async def test_a_press_that_is_committed_and_not_acknowledged_yet_is_not_folded_into():
    """While the disk is full its answer is withheld, perhaps for hours: a counter may have begun anew by then."""
    room = WaitingRoom()
    first = pressed("7")
    room.add(first)
    room.take(10)
    room.let_go(first)

    assert room.add(pressed("7", at_us=5)) is None, "no press is lost: it was folded into one of hours ago"


@in_virtual_time
async def test_a_commit_that_fails_is_told_to_everybody_who_brought_the_press():
    room = WaitingRoom()
    first = pressed("7")
    room.add(first)
    shared = room.add(pressed("7", at_us=5))
    assert shared is not None
    first.fail(NotCommittedError("the disk is full"))

    with pytest.raises(NotCommittedError):
        await shared
    await asyncio.sleep(0)
    assert room.add(pressed("7", at_us=9)) is None, "promise 1: a press that failed once is folded into its failure"


@pytest.mark.parametrize(
    "other",
    [{"cause": "8"}, {"action": "press"}, {"site": "elm"}, {"retained": True}],
    ids=["another press", "other words", "another site", "a broker's memory"],
)
@in_virtual_time
async def test_only_the_very_same_press_is_folded(other: dict[str, Any]):
    room = WaitingRoom()
    room.add(pressed("7"))

    assert room.add(pressed(**{"cause": "7"} | other)) is None, "no press is lost: it was folded into another one"
    assert len(room) == 2


@in_virtual_time
async def test_a_press_is_not_folded_into_what_a_broker_remembers():
    """A retained message pages nobody: the press that it is a copy of still may come, and must."""
    room = WaitingRoom()
    room.add(pressed("7", retained=True))

    assert room.add(pressed("7")) is None
