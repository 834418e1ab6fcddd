"""What a daemon remembers of devices: states over a restart, tests that end with one, and who heard a badge lately."""

import asyncio
from pathlib import Path
from typing import NoReturn

import pytest
from msgspec.structs import replace

from alertd.daemon.hearings import GATEWAYS_MAX, REMEMBERED_US, Hearings
from alertd.engine.routing import route
from alertd.model.events import Arrival, DeviceTestOrdered, Heard, Lasting, ResolveOrdered, Signal
from alertd.model.ids import CauseId, DeviceId
from alertd.model.incident import IncidentClass
from alertd.ports import StoreError
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


@pytest.mark.parametrize("restarted", [False, True])
@in_virtual_time
async def test_promise_2_an_old_end_that_ends_nothing_holds_back_no_other(tmp_path: Path, restarted: bool):
    """A gateway hands on late what is older than the call; only then the button is reset, and pressed again."""
    world = World(tmp_path)
    await world.start()
    say(world, called_at(world))
    await asyncio.sleep(60)
    await close(world)
    if restarted:
        await world.crash()
        await world.start()
    say(world, replace(called_at(world, seconds_ago=600), ends=True, late=True))
    await asyncio.sleep(60)
    say(world, replace(called_at(world), ends=True))
    await asyncio.sleep(300)
    say(world, called_at(world))
    await asyncio.sleep(5)

    assert [i.is_open for i in world.incidents()].count(True) == 1, "promise 2: it was reset, and pressed again"
    await world.stop()


@in_virtual_time
async def test_promise_2_an_end_is_heard_whichever_node_took_the_call(tmp_path: Path):
    """The broker hands each message to one of several nodes: this one hears only that the device does not call."""
    world = World(tmp_path)
    await world.start()
    say(world, says(ends=True))
    await asyncio.sleep(600)
    await elsewhere(world, says())
    await close(world)
    say(world, says(ends=True))
    await asyncio.sleep(60)
    await elsewhere(world, says())

    assert [i.is_open for i in world.incidents()].count(True) == 1, "promise 2: it was reset, and pressed again"
    await world.stop()


@in_virtual_time
async def test_that_a_device_does_not_call_is_acknowledged_and_leaves_nothing_behind(tmp_path: Path):
    """Each of them says so with each of its reports: a line of the journal for each would be millions a day."""
    world = World(tmp_path)
    await world.start()
    lines = journal(world)
    for _ in range(100):
        say(world, says(ends=True))
    await asyncio.sleep(5)

    assert len(world.source.acked) == 100
    assert journal(world) == lines
    await world.stop()


def called_at(world: World, *, seconds_ago: int = 0) -> Signal:
    return replace(says(), pressed_us=world.clock.now().wall_us - seconds_ago * 1_000_000)


def journal(world: World) -> int:
    return len(world.store.read_journal(OAK, since_us=0, until_us=world.clock.now().wall_us + 1))


async def elsewhere(world: World, signal: Signal) -> None:
    """Another node takes it up."""
    (event,) = route(world.school, arrival(signal, world.clock.now().wall_us))
    await world.daemon.intake.submit(event)


async def close(world: World) -> None:
    (incident,) = (i for i in world.incidents() if i.is_open)
    for order in ("releasing", "released"):
        closing = ResolveOrdered(
            site_id=OAK, cause=CauseId(order), incident_id=incident.id, by="Ruiz", rooms_released=True
        )
        await world.daemon.intake.submit(closing)


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
    await close(world)

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
