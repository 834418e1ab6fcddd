"""The door: what it routes, what it folds, what it answers to nonsense."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest
from msgspec.structs import replace

from alertd.daemon.core import CORE
from alertd.model.events import AnswerGiven, Arrival, Event, Replied, ResolveOrdered
from alertd.model.ids import DISTRICT, CauseId, DeviceId, PersonId
from alertd.model.incident import AnswerKind, EscalationState
from alertd.model.registry import Registry
from alertd.ports import Built
from alertd_simulator.virtual_time import COMMIT_DELAY, in_virtual_time
from tests.daemon.world import FakeChannel, World
from tests.engine.test_announcing import WORDS, say, school

RUIZ, NURSE = "+12025550101", "+12025550103"


async def pressed(tmp_path: Path) -> World:
    world = World(tmp_path)
    await world.start()
    world.press()
    await asyncio.sleep(2)
    return world


async def texted(world: World, body: str, *, by: str, cause: str = "SM-in-1") -> None:
    reply = Replied(
        site_id=DISTRICT,
        cause=CauseId(cause),
        channel="sms",
        address=by,
        body=body,
        at_us=world.clock.now().wall_us,
    )
    await world.daemon.intake.submit(reply)


@in_virtual_time(executor_delay=COMMIT_DELAY)
async def test_a_reply_finds_the_site_of_the_incident_it_speaks_about(tmp_path: Path):
    world = await pressed(tmp_path)
    (incident,) = world.incidents()
    await texted(world, f"4{incident.token}", by=RUIZ)

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

    await texted(world, f"8{medical.token}", by=NURSE, cause="SM-in-8")
    await asyncio.sleep(40)
    (hold,) = (i for i in world.incidents() if i.id != medical.id)
    await texted(world, f"4{hold.token}", by=NURSE, cause="SM-in-9")

    assert "000" not in hold.token, "a text asked people to send a number that spells an emergency call"
    (hold,) = (i for i in world.incidents() if i.id == hold.id)
    assert [a.name for a in hold.answers] == ["Nurse"]
    await world.stop()


@in_virtual_time(executor_delay=COMMIT_DELAY)
async def test_who_answers_what_was_just_closed_reads_so_though_the_clock_was_set_by_days(tmp_path: Path):
    world = World(tmp_path)
    await world.start()
    world.press("wall-gym", "press")
    await asyncio.sleep(2)
    (medical,) = world.incidents()
    over = ResolveOrdered(site_id=DISTRICT, cause=CauseId("over"), incident_id=medical.id, by="J. Ruiz")
    await world.daemon.intake.submit(over)
    world.clock.step_wall(3 * 86_400)
    await asyncio.sleep(2)
    sent = len(world.sms.sent)
    await texted(world, f"4{medical.token}", by=NURSE)
    await asyncio.sleep(2)

    answers = [claim.notification.text for claim in world.sms.sent[sent:]]
    is_told = ["was closed 10:42 by J. Ruiz" in each for each in answers]
    assert is_told == [True], "whoever answers what is over is not told so, for a clock was set"
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
    await texted(world, "hello", by="+12025550199")

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


# --- a press over two triggers, of which one takes none ---------------------------------------------------------------


async def over_triggers(tmp_path: Path, *copies: tuple[str | None, str], apart_s: float, device: str) -> World:
    """Presses of one device: the number of each, and over which of two triggers it comes; one is for sensors."""
    world = World(tmp_path)
    await world.start()
    for cause, trigger in copies:
        arrival = world.arrival(device, "hold", cause, never_press=trigger == "shut")
        heard = replace(arrival.signals[0], heard_by=DeviceId("gw-elm") if device == "walker" else None)
        world.source.publish(replace(arrival, signals=(heard,)))
        await asyncio.sleep(apart_s)
    await asyncio.sleep(2)
    assert len(world.source.acked) == len(copies)
    return world


def said_of_refused(world: World) -> list[str]:
    return [each.summary for each in world.store.read_troubles() if each.family == "refused"]


@pytest.mark.parametrize(
    ("order", "apart_s"), [(("open", "shut"), 2), (("open", "shut"), 0), (("shut", "open"), 0)], ids=str
)
@pytest.mark.parametrize("device", ["badge-204", "walker"])
@in_virtual_time(executor_delay=COMMIT_DELAY)
async def test_a_copy_of_a_press_that_pages_is_not_told_as_one_that_nobody_took(
    tmp_path: Path, device: str, order: Sequence[str], apart_s: float
):
    """A beacon's gateways stood on a trigger for sensors and on one for badges: who was on duty was rung beside the
    panic, and told that the press had paged nobody."""
    world = await over_triggers(tmp_path, *(("7", each) for each in order), apart_s=apart_s, device=device)
    assert len(world.incidents()) == 1
    assert not said_of_refused(world), "it paged, and people read that it did not"
    (line,) = world.store.read_journal(DISTRICT, since_us=0, until_us=world.clock.now().wall_us + 1)
    assert line.entry is not None
    assert f"no press is taken from school/{device}" in line.entry.text, "promise 4: nobody can see what became of it"
    await world.stop()


@in_virtual_time(executor_delay=COMMIT_DELAY)
async def test_what_is_said_of_a_copy_that_nobody_takes_is_true_if_the_press_pages_a_moment_later(tmp_path: Path):
    world = await over_triggers(tmp_path, ("7", "shut"), ("7", "open"), apart_s=2, device="badge-204")
    assert len(world.incidents()) == 1
    (said,) = said_of_refused(world)
    assert "paged NOBODY" not in said, "it paged, and people read that it did not"
    assert "its sources.broker trigger pages NOBODY: go look" in said, "promise 2: it might have been the only copy"
    await world.stop()


@pytest.mark.parametrize(
    "copies",
    [
        ((None, "open"), (None, "shut")),
        (("7", "open"), ("8", "shut")),
        (("7", "open"), ("7", "shut"), ("8", "shut")),
    ],
    ids=["no number", "another", "another behind a copy"],
)
@pytest.mark.parametrize("apart_s", [0, 2])
@in_virtual_time(executor_delay=COMMIT_DELAY)
async def test_what_may_be_another_press_than_the_one_that_paged_rings(
    tmp_path: Path, copies: Sequence[tuple[str | None, str]], apart_s: float
):
    world = await over_triggers(tmp_path, *copies, apart_s=apart_s, device="badge-204")
    assert len(said_of_refused(world)) == 1, "promise 2: pressed, paged nobody, and nobody is told"
    await world.stop()
