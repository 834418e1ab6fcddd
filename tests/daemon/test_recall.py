"""A provider is asked to take back what nobody should get any more: at once, after a crash, and until it says so."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from alertd.daemon.recall import ROUND_S, TRIED_FOR_S
from alertd.model.events import DrillEndOrdered, Replied, ResolveOrdered
from alertd.model.ids import CauseId
from alertd.model.mode import Mode
from alertd.model.notification import Claim, NotificationRow, NotificationState
from alertd.model.outcome import Accepted, Delivered, Outcome, Sent, Withdrawn
from alertd.model.reason import Reason
from alertd.ports import Built
from alertd_simulator.virtual_time import in_virtual_time
from tests.daemon.test_drills import begin_drill
from tests.daemon.world import FakeChannel, World
from tests.engine.school import OAK, PEOPLE
from tests.engine.test_calls import school


class Phones(FakeChannel):
    """Rings until it is told not to."""

    def __init__(self) -> None:
        super().__init__("voice", "voice")
        self.asked: list[str] = []
        self.at_s: list[float] = []
        self.answer: Callable[[NotificationRow], Outcome | None] = lambda row: Withdrawn(ref=row.ref)
        self.lasts_s = 0.0
        self.behave = self._ring

    async def _ring(self, claim: Claim) -> Outcome:
        return Accepted(ref=f"CA-{claim.notification.recipient}")

    async def withdraw(self, row: NotificationRow) -> Outcome | None:
        self.asked.append(row.notification.recipient)
        self.at_s.append(asyncio.get_running_loop().time())
        await asyncio.sleep(self.lasts_s)
        return self.answer(row)


async def a_lockdown(folder: Path) -> tuple[World, Phones]:
    """Ruiz' and Chen's phones ring."""
    phones = Phones()
    world = World(folder, school=school(), voice=Built(channel=phones, recalling=phones))
    await world.start()
    world.press("badge-118")
    await asyncio.sleep(1)
    assert sorted(phones.told()) == ["Chen", "Ruiz"]
    return world, phones


async def resolve(world: World) -> None:
    (incident,) = world.incidents()
    order = ResolveOrdered(site_id=OAK, cause=CauseId("r1"), by="J. Ruiz", incident_id=incident.id, rooms_released=True)
    await world.daemon.intake.submit(order)


def of_calls(world: World) -> list[tuple[NotificationState, Reason]]:
    return [(row.state, row.reason) for row in world.rows() if row.notification.endpoint.channel == "voice"]


WITHDRAWN = (NotificationState.WITHDRAWN, Reason.INCIDENT_CLOSED)


@pytest.mark.slow
@in_virtual_time
async def test_phones_are_silenced_at_once_when_it_is_over_and_each_once(tmp_path: Path) -> None:
    world, phones = await a_lockdown(tmp_path)
    assert phones.asked == []
    ended_s = asyncio.get_running_loop().time()

    await resolve(world)
    await asyncio.sleep(60)

    assert sorted(phones.asked) == ["Chen", "Ruiz"]
    assert max(phones.at_s) - ended_s < 0.5
    assert of_calls(world) == [WITHDRAWN, WITHDRAWN]
    await world.stop()


@in_virtual_time
async def test_a_crash_between_the_commit_and_the_provider_is_made_good_at_the_start(tmp_path: Path) -> None:
    world, phones = await a_lockdown(tmp_path)
    phones.lasts_s = 1000
    await resolve(world)
    await world.crash()
    phones.lasts_s = 0
    phones.asked.clear()

    await world.start()
    await asyncio.sleep(1)

    assert sorted(phones.asked) == ["Chen", "Ruiz"]
    assert of_calls(world) == [WITHDRAWN, WITHDRAWN]
    await world.stop()


@in_virtual_time
async def test_phones_that_ring_while_the_clock_is_set_right_by_a_month_are_silenced(tmp_path: Path) -> None:
    """The machine woke up without power for its clock, pressed for before it had asked anybody what day it is."""
    world, phones = await a_lockdown(tmp_path)
    world.clock.step_wall(30 * 86_400)
    await asyncio.sleep(2)

    await resolve(world)
    await asyncio.sleep(1)

    assert sorted(phones.asked) == ["Chen", "Ruiz"], "promise 3: phones ring on for what is over"
    assert of_calls(world) == [WITHDRAWN, WITHDRAWN]
    await world.stop()


@in_virtual_time
async def test_a_call_that_was_being_placed_at_the_end_is_taken_back_as_soon_as_it_has_a_name(tmp_path: Path) -> None:
    phones = Phones()
    world = World(tmp_path, school=school(), voice=Built(channel=phones, recalling=phones))

    async def slowly(claim: Claim) -> Outcome:
        await asyncio.sleep(3)
        return Accepted(ref=f"CA-{claim.notification.recipient}")

    phones.behave = slowly
    await world.start()
    world.press("badge-118")
    await asyncio.sleep(1)
    await resolve(world)
    await asyncio.sleep(2.5)

    assert sorted(phones.asked) == ["Chen", "Ruiz"]
    assert of_calls(world) == [WITHDRAWN, WITHDRAWN]
    await world.stop()


@pytest.mark.slow
@in_virtual_time
async def test_a_provider_that_does_not_say_is_asked_again_and_one_that_hangs_holds_up_nobody(tmp_path: Path) -> None:
    world, phones = await a_lockdown(tmp_path)
    phones.answer = lambda row: None if phones.asked.count(row.notification.recipient) < 3 else Withdrawn(ref=row.ref)
    await resolve(world)
    await asyncio.sleep(30)
    assert sorted(phones.asked) == ["Chen"] * 3 + ["Ruiz"] * 3
    assert of_calls(world) == [WITHDRAWN, WITHDRAWN]

    phones.lasts_s = 1000
    world.press("badge-118")
    await asyncio.sleep(1)
    second = next(i for i in world.incidents() if i.is_open)
    order = ResolveOrdered(site_id=OAK, cause=CauseId("r2"), by="R", incident_id=second.id, rooms_released=True)
    await world.daemon.intake.submit(order)
    texted = len(world.sms.sent)
    world.press("badge-204")
    await asyncio.sleep(0.5)

    assert len(world.sms.sent) > texted, "promise 2: a press waited for a phone to fall silent"
    await world.stop()


@pytest.mark.slow
@in_virtual_time
async def test_what_came_too_late_is_not_called_withdrawn_nor_asked_for_ever(tmp_path: Path) -> None:
    """Promise 5."""
    world, phones = await a_lockdown(tmp_path)
    phones.answer = lambda row: Sent(ref=row.ref, detail="somebody took the call")
    await resolve(world)
    await asyncio.sleep(120)

    assert sorted(phones.asked) == ["Chen", "Ruiz"]
    assert {state for state, _ in of_calls(world)} == {NotificationState.ACCEPTED}
    await world.stop()


@in_virtual_time
async def test_whoever_listens_to_a_drill_that_is_over_is_cut_off_after_a_crash_too(tmp_path: Path) -> None:
    """That a human took the call is known, and its words go on: "this is a drill", when it is none any more."""
    phones = Phones()
    phones.behave = _taken
    phones.answer = lambda row: Withdrawn(ref=row.ref, detail="cut off", taken=True)
    world = World(tmp_path, school=school(), voice=Built(channel=phones, recalling=phones))
    await world.start()
    await begin_drill(world, "badge-118")
    await asyncio.sleep(1)
    phones.sent.clear()
    world.press("badge-118")
    await asyncio.sleep(1)
    assert sorted(phones.told()) == ["Chen", "Ruiz"]
    assert phones.asked == []

    phones.lasts_s = 1000
    world.press("badge-204")
    await asyncio.sleep(0.5)
    await world.crash()
    phones.lasts_s = 0
    phones.asked.clear()
    await world.start()
    await asyncio.sleep(2)

    assert sorted(phones.asked) == ["Chen", "Ruiz"], "promise 3: they go on hearing of a drill"
    await asyncio.sleep(30)
    assert len(phones.asked) == 2, "what the provider has said is not asked again"
    heard = [row for row in world.rows() if row.notification.mode is Mode.DRILL and row.ref.startswith("CA-")]
    assert {row.state for row in heard} == {NotificationState.DELIVERED}, "what is known of them stands"
    await world.stop()


@in_virtual_time
async def test_whoever_listens_to_what_says_that_a_drill_begins_is_cut_off_when_it_is_over(tmp_path: Path) -> None:
    phones = Phones()
    phones.behave = _taken
    phones.answer = lambda row: Withdrawn(ref=row.ref, detail="cut off", taken=True)
    world = World(tmp_path, school=school(), voice=Built(channel=phones, recalling=phones))
    await world.start()
    ruiz = next(person for person in PEOPLE if person.name == "Ruiz").endpoints[0]
    stop = Replied(site_id=OAK, cause=CauseId("stop"), channel=ruiz.channel, address=ruiz.address, body="STOP", at_us=0)
    await world.daemon.intake.submit(stop)
    await asyncio.sleep(1)
    phones.sent.clear()  # that they are not texted any more is said to them, too
    await begin_drill(world, "badge-118")
    await asyncio.sleep(1)
    assert phones.told() == ["Ruiz"], "who wants no texts is called"
    assert phones.asked == []

    await world.daemon.intake.submit(DrillEndOrdered(site_id=OAK, cause=CauseId("end"), by="J. Ruiz"))
    await asyncio.sleep(2)
    assert phones.asked == ["Ruiz"], "promise 3: a voice goes on saying that a drill begins"
    await world.stop()


async def _taken(claim: Claim) -> Outcome:
    return Delivered(ref=f"CA-{claim.notification.id}")


@pytest.mark.slow
@in_virtual_time
async def test_the_phone_in_the_hand_that_hides_is_silenced_at_once(tmp_path: Path) -> None:
    """Asked to come a second ago; now their own badge presses. Five seconds of ringing give a room away."""
    phones = Phones()
    fitting = Built(channel=phones, recalling=phones)
    world = World(tmp_path, school=school(people={"Okafor": ("first",)}), voice=fitting)
    await world.start()
    world.press("badge-118")
    await asyncio.sleep(1)
    assert "Okafor" in phones.told()
    world.press("badge-204")
    await asyncio.sleep(0.5)

    assert phones.asked == ["Okafor"]
    await world.stop()


@pytest.mark.slow
@in_virtual_time
async def test_a_provider_that_was_away_for_minutes_is_asked_as_long_as_a_call_may_last(tmp_path: Path) -> None:
    """docs/voice.md: every five seconds for four minutes. A phone that rings out is called again meanwhile."""
    world, phones = await a_lockdown(tmp_path)
    phones.answer = lambda _row: None
    await resolve(world)
    await asyncio.sleep(230)
    assert 2 * 230 / ROUND_S - 4 <= len(phones.asked) <= 2 * 230 / ROUND_S + 4
    phones.answer = lambda row: Withdrawn(ref=row.ref)
    await asyncio.sleep(ROUND_S + 1)

    assert of_calls(world) == [WITHDRAWN, WITHDRAWN], "it was given up while phones may ring"
    await world.stop()


@pytest.mark.slow
@in_virtual_time
async def test_asking_ends_some_time(tmp_path: Path) -> None:
    world, phones = await a_lockdown(tmp_path)
    phones.answer = lambda _row: None
    await resolve(world)
    await asyncio.sleep(600)

    assert len(phones.asked) < 2 * (TRIED_FOR_S / ROUND_S + 5)
    await world.stop()


@pytest.mark.slow
@in_virtual_time
async def test_a_channel_without_the_ability_is_asked_for_nothing(tmp_path: Path) -> None:
    phones = Phones()
    world = World(tmp_path, school=school(), voice=Built(channel=phones))
    await world.start()
    world.press("badge-118")
    await asyncio.sleep(1)
    await resolve(world)
    await asyncio.sleep(30)

    assert phones.asked == []
    assert {state for state, _ in of_calls(world)} == {NotificationState.ACCEPTED}, (
        "what cannot be taken back is not said to be"
    )
    await world.stop()
