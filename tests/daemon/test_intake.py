"""The door: what it routes, what it folds, what it answers to nonsense."""

import asyncio
from pathlib import Path

from msgspec.structs import replace

from alertd.daemon.core import CORE
from alertd.model.events import AnswerGiven, Arrival, Event, Replied
from alertd.model.ids import DISTRICT, CauseId, PersonId
from alertd.model.incident import AnswerKind, EscalationState
from alertd.model.registry import Registry
from alertd.ports import Built
from alertd_simulator.virtual_time import COMMIT_DELAY, in_virtual_time
from tests.daemon.world import FakeChannel, World
from tests.engine.test_announcing import WORDS, say, school


async def pressed(tmp_path: Path) -> World:
    world = World(tmp_path)
    await world.start()
    world.press()
    await asyncio.sleep(2)
    return world


@in_virtual_time(executor_delay=COMMIT_DELAY)
async def test_a_reply_finds_the_site_of_the_incident_it_speaks_about(tmp_path: Path):
    world = await pressed(tmp_path)
    (incident,) = world.incidents()
    reply = Replied(
        site_id=DISTRICT,
        cause=CauseId("SM-in-1"),
        channel="sms",
        address="+12025550101",
        body=f"4{incident.token}",
        at_us=world.clock.now().wall_us,
    )
    await world.daemon.intake.submit(reply)

    (incident,) = world.incidents()
    assert [(a.name, a.kind) for a in incident.answers] == [("Ruiz", AnswerKind.GOING)]
    assert incident.escalation is EscalationState.PAUSED
    await world.stop()


@in_virtual_time(executor_delay=COMMIT_DELAY)
async def test_an_incident_that_a_reply_opens_can_be_answered_by_text(tmp_path: Path):
    """A text 819 to a medical: the Hold has a token of its own, like any other incident."""
    world = World(tmp_path)
    await world.start()
    world.press("wall-gym", "press")
    await asyncio.sleep(2)
    (medical,) = world.incidents()

    async def text(cause: str, body: str) -> None:
        event = Replied(
            site_id=DISTRICT,
            cause=CauseId(cause),
            channel="sms",
            address="+12025550103",
            body=body,
            at_us=world.clock.now().wall_us,
        )
        await world.daemon.intake.submit(event)

    await text("SM-in-8", f"8{medical.token}")
    await asyncio.sleep(40)
    (hold,) = (i for i in world.incidents() if i.id != medical.id)
    await text("SM-in-9", f"4{hold.token}")

    assert "000" not in hold.token, "a text asked people to send a number that spells an emergency call"
    (hold,) = (i for i in world.incidents() if i.id == hold.id)
    assert [a.name for a in hold.answers] == ["Nurse"]
    await world.stop()


@in_virtual_time(executor_delay=COMMIT_DELAY)
async def test_a_click_that_names_only_its_incident_finds_its_site(tmp_path: Path):
    world = await pressed(tmp_path)
    (incident,) = world.incidents()
    click = AnswerGiven(
        site_id=DISTRICT,
        cause=CauseId("click-1"),
        incident_id=incident.id,
        person_id=PersonId("chen"),
        kind=AnswerKind.GOING,
        via="console",
    )
    await world.daemon.intake.submit(click)

    assert [a.name for a in world.incidents()[0].answers] == ["Chen"]
    await world.stop()


@in_virtual_time(executor_delay=COMMIT_DELAY)
async def test_a_reply_from_nowhere_is_kept_at_the_district(tmp_path: Path):
    world = await pressed(tmp_path)
    reply = Replied(
        site_id=DISTRICT, cause=CauseId("SM-in-2"), channel="sms", address="+12025550199", body="hello", at_us=1
    )
    await world.daemon.intake.submit(reply)

    assert world.incidents()[0].answers == ()
    await world.stop()


@in_virtual_time
async def test_an_arrival_that_cannot_be_routed_is_a_trouble_and_is_acknowledged(tmp_path: Path):
    def route(registry: Registry, arrival: Arrival) -> tuple[Event, ...]:
        if arrival.topic == "school/wall-gym":
            raise RecursionError("too deep")
        return CORE.route(registry, arrival)

    world = World(tmp_path, core=replace(CORE, route=route))
    await world.start()
    strange = world.press("wall-gym", "press")
    normal = world.press()
    await asyncio.sleep(1)

    assert sorted(world.source.acked) == [strange, normal]
    assert any(key.startswith("malformed") for key in world.troubles())
    await world.stop()


@in_virtual_time
async def test_an_arrival_that_is_certainly_no_trigger_is_acknowledged_at_once(tmp_path: Path):
    world = World(tmp_path)
    await world.start()
    quiet = replace(world.arrival(), signals=())
    world.source.publish(quiet)
    await asyncio.sleep(0)
    await asyncio.sleep(0)

    assert world.source.acked == [quiet.arrival_id]
    await world.stop()


@in_virtual_time(executor_delay=COMMIT_DELAY)
async def test_the_same_press_again_is_committed_once(tmp_path: Path):
    world = World(tmp_path)
    await world.start()
    for _ in range(3):
        world.press(cause="7")
    await asyncio.sleep(2)
    world.press(cause="7")
    await asyncio.sleep(2)

    (incident,) = world.incidents()
    assert len(world.source.acked) == 4
    assert [press.count for press in incident.presses] == [1]
    await world.stop()


@in_virtual_time(executor_delay=lambda _random: (6.0, 0.0))
async def test_promise_2_what_a_broker_delivers_again_and_again_delays_no_new_press(tmp_path: Path):
    """A slow disk, and a line that is lost every few seconds: each connection brings all that is not committed yet."""
    world = World(tmp_path)
    await world.start()
    for number in range(25):
        world.press(cause=str(number))
    for _ in range(24):
        await asyncio.sleep(0.5)
        for arrival in tuple(world.source.unacked.values()):
            world.source.deliver(arrival)
    new = world.press("wall-gym", "press")
    await asyncio.sleep(20)

    assert new in world.source.acked, "promise 2: a new press waits behind copies of old ones"
    await world.crash()


@in_virtual_time(executor_delay=COMMIT_DELAY)
async def test_a_presser_hears_back_although_one_way_back_is_broken(tmp_path: Path):
    world = World(tmp_path)
    await world.start()

    def broken(_confirmation: object) -> None:
        raise OSError("no route to the badge")

    class Broken:
        confirm = staticmethod(broken)

    world.daemon.feedback.ways = (Broken(), world.feedback)
    world.press()
    await asyncio.sleep(1)

    assert [c.device_id for c in world.feedback.confirmed] == ["badge-204"]
    assert world.daemon.telemetry.count("feedback", "failed") == 1
    await world.stop()


@in_virtual_time(executor_delay=lambda _random: (2.0, 0.0))
async def test_what_was_decided_last_is_said_last_also_in_one_commit(tmp_path: Path):
    """A slow disk: a press and an emergency's words wait for it together. Whichever is said last cuts the other."""
    loudspeakers = FakeChannel("pa", "rtp")
    world = World(tmp_path, school=school(), voice=Built(channel=loudspeakers))
    await world.start()
    busy = world.daemon.intake.submit(say("Buses are late."))
    await asyncio.sleep(1)
    world.press()
    await asyncio.sleep(0)
    words = say("Police will open your doors.", emergency=True)
    waits = world.daemon.intake.submit(words)
    await asyncio.gather(busy, waits)
    await asyncio.sleep(1)

    said = [claim.notification.text for claim in loudspeakers.sent]
    assert said[-2:] == [WORDS["lockdown"], words.words], "what was decided first is said last"
    await world.crash()
