"""What a daemon remembers of devices: states over a restart, tests that end with one, and who heard a badge lately."""

import asyncio
from itertools import count
from pathlib import Path
from typing import NoReturn

import pytest
from msgspec.structs import replace

from alertd.daemon.endings import AGAIN_US, Endings
from alertd.daemon.hearings import GATEWAYS_MAX, REMEMBERED_US, Hearings
from alertd.engine.routing import route
from alertd.model.events import Arrival, DeviceTestOrdered, Heard, Lasting, ResolveOrdered, Signal
from alertd.model.ids import CauseId, DeviceId
from alertd.model.incident import IncidentClass
from alertd.ports import NotCommittedError, StoreError
from alertd_simulator.virtual_time import in_virtual_time
from tests.daemon.world import World
from tests.engine.school import OAK, registry

PANIC = Lasting(repeats_s=600)


def arrival(signal: Signal, number: int, **more: object) -> Arrival:
    return Arrival(
        source="broker",
        topic="t",
        signals=(signal,),
        received_us=number,
        arrival_id=str(number),
        **more,  # type: ignore[arg-type]
    )


def says(ends: bool = False, lasting: Lasting | None = PANIC) -> Signal:
    return Signal(device_id=DeviceId("badge-204"), action="hold", lasting=lasting, ends=ends)


def say(world: World, signal: Signal) -> None:
    world.source.publish(replace(world.arrival(), signals=(signal,)))


@pytest.mark.slow
@in_virtual_time()
async def test_a_state_is_the_same_call_after_a_crash_and_another_once_it_ended_meanwhile(tmp_path: Path):
    world = World(tmp_path)
    await world.start()
    say(world, says())
    await asyncio.sleep(1)
    await world.crash()
    await world.start()
    say(world, says())
    await asyncio.sleep(1)
    (incident,) = world.incidents()
    assert incident.presses[0].count == 1, "said again, it is no press"

    say(world, says(ends=True))
    await asyncio.sleep(1)
    say(world, says())
    await asyncio.sleep(1)
    (incident,) = world.incidents()
    assert incident.presses[0].count == 2, "promise 2: the next call is a press"
    await world.stop()


@pytest.mark.slow
@in_virtual_time()
async def test_a_copy_of_a_state_and_of_its_end_is_one_after_a_crash(tmp_path: Path):
    """A second gateway brings both once more, minutes later, to another incarnation."""
    world = World(tmp_path)
    await world.start()
    for signal in (replace(says(), cause="on"), replace(says(ends=True), cause="off")):
        say(world, signal)
        await asyncio.sleep(1)
    await world.crash()
    await world.start()
    say(world, replace(says(), cause="on"))
    await asyncio.sleep(1)
    (incident,) = world.incidents()
    assert incident.presses[0].count == 1, "a copy is no press"

    say(world, replace(says(), cause="on again"))
    await asyncio.sleep(1)
    say(world, replace(says(ends=True), cause="off"))
    await asyncio.sleep(1)
    say(world, replace(says(), cause="still on"))
    await asyncio.sleep(1)
    (incident,) = world.incidents()
    assert incident.presses[0].count == 2, "a copy of the end ends no later call"
    await world.stop()


@pytest.mark.slow
@in_virtual_time()
async def test_a_device_is_live_after_a_restart_whoever_tried_it_out(tmp_path: Path):
    world = World(tmp_path)
    await world.start()
    await world.daemon.intake.submit(
        DeviceTestOrdered(
            site_id=OAK,
            cause=CauseId("order-1"),
            by="J. Ruiz",
            device_id=DeviceId("badge-204"),
            incident_class=IncidentClass.LOCKDOWN,
            minutes=30,
        )
    )
    world.press("badge-204")
    await asyncio.sleep(1)
    assert not world.incidents()
    await world.crash()
    world.press("badge-204")  # waits at the broker, and is the first that the new incarnation hears
    await world.start()
    await asyncio.sleep(1)

    assert len(world.incidents()) == 1, "promise 2: a test never outlives a start"
    assert world.daemon.store.read_device_tests() == ()
    await world.stop()


def test_what_a_device_ends_goes_through_once_until_it_calls_again():
    school, endings, numbers = registry(), Endings(), count(1)

    def needed(signal: Signal, boot_us: int = 0) -> bool:
        return bool(endings.needed(route(school, arrival(signal, next(numbers))), boot_us))

    assert needed(says(ends=True)), "since the start nobody knows whether it calls"
    assert not needed(says(ends=True))
    assert needed(says())
    assert needed(says(ends=True)), "promise 2: else its next call would be taken for a repeat"
    assert not needed(says(ends=True))
    assert needed(says(ends=True), AGAIN_US)


@pytest.mark.parametrize(
    "ends_nothing",
    [{"retained": True}, {"pressed_us": 10}, {"backlog_since_us": 10}, {"cause": "off"}],
    ids=["retained", "older", "waited at the broker", "a copy"],
)
def test_what_ends_nothing_holds_no_end_back(ends_nothing: dict[str, object]):
    """The call has been heard since; its own end must come through, or the next call is taken for a repeat."""
    school, endings = registry(), Endings()

    def needed(signal: Signal, at_us: int, **more: object) -> bool:
        return bool(endings.needed(route(school, arrival(signal, at_us, **more)), at_us))

    assert needed(replace(says(ends=True), cause="off"), 1)
    assert needed(says(), 100)
    mine = {name: value for name, value in ends_nothing.items() if name in Signal.__struct_fields__}
    rest = {name: value for name, value in ends_nothing.items() if name not in mine}
    assert needed(replace(says(ends=True), **mine), 200, **rest)
    assert needed(says(ends=True), 300), "promise 2: it is reset only now"
    assert not needed(says(ends=True), 400)


@pytest.mark.parametrize("fails", [True, False])
def test_what_a_device_ends_is_known_only_if_the_disk_has_it(fails: bool):
    school, endings = registry(), Endings()
    off = route(school, arrival(says(ends=True), 1))

    async def story() -> None:
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        assert endings.needed(off, 0)
        endings.await_commit(done)
        if fails:
            done.set_exception(NotCommittedError("the disk is full"))
        else:
            done.set_result(None)
        await asyncio.sleep(0)

    asyncio.run(story())
    said_again = bool(endings.needed(off, 1))
    assert said_again is fails, "promise 1: nobody knows it, and the next call is taken for a repeat"


def test_a_device_that_ends_ever_new_things_fills_no_memory():
    school, endings = registry(), Endings()
    for number in range(200):
        ended = says(ends=True, lasting=Lasting(repeats_s=60, what=f"word {number}"))
        assert endings.needed(route(school, arrival(ended, 1)), 0)
    assert endings.needed(route(school, arrival(ended, 1)), 0), "beyond what is remembered, nothing is held back"


def test_two_things_of_one_device_end_each_for_itself():
    school, endings = registry(), Endings()

    def needed(what: str) -> bool:
        ended = says(ends=True, lasting=Lasting(repeats_s=60, what=what))
        return bool(endings.needed(route(school, arrival(ended, 1)), 0))

    assert needed("1")
    assert needed("2")
    assert not needed("1")


def badge(*heard: Heard, **more: object) -> Signal:
    return Signal(device_id=DeviceId("walker"), action="hold", heard=heard, **more)  # type: ignore[arg-type]


def test_a_press_is_placed_by_the_beacons_before_it():
    school, hearings = registry(), Hearings()
    strong = Heard(gateway_id=DeviceId("gw-oak"), rssi=-50)
    hearings.note(school, DeviceId("walker"), (strong,), boot_us=1_000_000)
    placed = hearings.placed(school, arrival(badge(), 100_000_000), boot_us=3_000_000)

    (heard,) = placed.signals[0].heard
    assert (heard.gateway_id, heard.at_us) == ("gw-oak", 98_000_000)


@pytest.mark.parametrize(
    "more", [{"retained": True}, {"backlog_since_us": 5}], ids=["retained", "waited at the broker"]
)
def test_what_waited_is_told_nothing_of_now_and_says_nothing_of_now(more: dict[str, object]):
    school, hearings = registry(), Hearings()
    here = Heard(gateway_id=DeviceId("gw-oak"), rssi=-50)
    hearings.note(school, DeviceId("walker"), (here,), boot_us=0)
    old = arrival(badge(Heard(gateway_id=DeviceId("gw-elm"))), 9, **more)

    assert hearings.placed(school, old, boot_us=1) == old
    (now,) = hearings.placed(school, arrival(badge(), 10), boot_us=1).signals[0].heard
    assert now.gateway_id == "gw-oak"


def test_what_was_heard_too_long_ago_or_by_strangers_is_forgotten():
    school, hearings = registry(), Hearings()
    hearings.note(school, DeviceId("walker"), (Heard(gateway_id=DeviceId("gw-oak")),), boot_us=0)
    hearings.note(school, DeviceId("walker"), (Heard(gateway_id=DeviceId("the-towns")),), boot_us=0)
    hearings.note(school, DeviceId("badge-204"), (Heard(gateway_id=DeviceId("gw-oak")),), boot_us=0)
    late = hearings.placed(school, arrival(badge(), 10), boot_us=REMEMBERED_US + 1)

    assert late.signals[0].heard == ()
    assert set(hearings._of) == {"walker"}
    assert len(hearings._of[DeviceId("walker")]) <= GATEWAYS_MAX


@in_virtual_time
async def test_promise_1_an_end_that_the_disk_refused_is_taken_up_when_it_comes_again(tmp_path: Path):
    """Else the broker has its answer, nobody knows of the end, and the next true call is taken for a repeat."""
    world = World(tmp_path)
    await world.start()
    state = Lasting(repeats_s=7_500)

    def said(*, ends: bool) -> Arrival:
        arrived = world.arrival("badge-204", "release" if ends else "hold")
        return replace(arrived, signals=(replace(arrived.signals[0], lasting=state, ends=ends),))

    world.source.publish(said(ends=False))
    await asyncio.sleep(5)
    (incident,) = world.incidents()
    for order in ("r1", "r2"):
        closing = ResolveOrdered(
            site_id=OAK, cause=CauseId(order), incident_id=incident.id, by="Ruiz", rooms_released=True
        )
        await world.daemon.intake.submit(closing)

    begin, off = world.store.begin, said(ends=True)
    world.store.begin = failing  # type: ignore[method-assign]
    world.source.publish(off)
    await asyncio.sleep(2)
    world.store.begin = begin  # type: ignore[method-assign]
    assert off.arrival_id not in world.source.acked
    world.source.deliver(off)
    await asyncio.sleep(600)
    world.source.publish(said(ends=False))
    await asyncio.sleep(5)

    assert [i.is_open for i in world.incidents()].count(True) == 1, "promise 1: the second call pages nobody"
    await world.stop()


def failing(*_: object, **__: object) -> NoReturn:
    raise StoreError("disk hiccup")
