"""The simulated loudspeakers: one thing at a time in a zone, who cuts whom, how they fail; how stories tell of it."""

import asyncio
from pathlib import Path
from random import Random

import pytest
from msgspec.structs import replace

from alertd.config import load
from alertd.model.mode import Mode
from alertd.model.outcome import Failed, Sent
from alertd.model.page import Page, PageAction
from alertd_simulator.loudspeakers import Loudspeakers, Mood
from alertd_simulator.scenario.reading import parse_scenario
from alertd_simulator.scenario.words import ScenarioError
from alertd_simulator.virtual_time import run_virtual
from alertd_simulator.world.plan import LoudspeakersDown, Order

DISTRICT = Path(__file__).parents[1] / "scenarios" / "district"
LOCKDOWN = Page(
    action=PageAction.SAY, mode=Mode.LIVE, announcement="lockdown", words="Lockdown! Locks.", emergency=True
)
CHAT = Page(action=PageAction.SAY, mode=Mode.LIVE, words="Buses are late.")
STOP = Page(action=PageAction.STOP, mode=Mode.LIVE)


class Ear:
    def __init__(self) -> None:
        self.speakers = Loudspeakers(load(DISTRICT), random=Random(1))
        self.heard: list[str] = []
        self.speakers.on_spoken.append(lambda speech: self.heard.append(f"{speech.zone} says {speech.words}"))
        self.speakers.on_silent.append(lambda speech, by: self.heard.append(f"{speech.zone} {'cut' if by else 'done'}"))

    def take(self, page: Page, zone: str = "oak-all", *, turn: int | None = None) -> Sent | Failed:
        """At once after it was asked for; `turn`: of an order that was longer on its way."""
        turn = self.speakers.asked("pa", zone, page) if turn is None else turn
        outcome = self.speakers.take("pa", zone, page, f"page-{len(self.heard)}", turn)
        assert isinstance(outcome, Sent | Failed)
        return outcome


def test_it_is_said_to_its_end() -> None:
    async def live() -> list[str]:
        ear = Ear()
        ear.take(LOCKDOWN)
        await asyncio.sleep(30)
        return ear.heard

    assert run_virtual(live(), seed=1) == ["oak-all says Lockdown! Locks.", "oak-all done"]


def test_an_emergency_cuts_in_mid_word_and_a_chat_waits() -> None:
    async def live() -> list[str]:
        ear = Ear()
        ear.take(CHAT)
        ear.take(LOCKDOWN)
        refused = ear.take(CHAT)
        assert isinstance(refused, Failed)
        assert (refused.code, refused.permanent) == ("busy", False)
        ear.take(CHAT, "elm-all")
        ear.take(STOP)
        ear.take(STOP)
        return ear.heard

    assert run_virtual(live(), seed=1) == [
        "oak-all says Buses are late.",
        "oak-all cut",
        "oak-all says Lockdown! Locks.",
        "elm-all says Buses are late.",
        "oak-all cut",
    ]


def test_who_asked_first_and_comes_last_cuts_nothing() -> None:
    """One pipe leads to the loudspeakers: the later order would have cut it."""

    async def live() -> list[str]:
        ear = Ear()
        stop, words = (ear.speakers.asked("pa", "oak-all", page) for page in (STOP, LOCKDOWN))
        ear.take(LOCKDOWN)
        ear.take(STOP, turn=stop)
        assert isinstance(ear.take(LOCKDOWN, turn=words), Failed)
        return ear.heard

    assert run_virtual(live(), seed=1) == ["oak-all says Lockdown! Locks."]


def test_the_end_of_a_drill_is_quiet_for_drills_only() -> None:
    async def live() -> list[str]:
        ear = Ear()
        end_of_drill = replace(STOP, mode=Mode.DRILL)
        under_way = [ear.speakers.asked("pa", "elm-all", page) for page in (CHAT, replace(CHAT, mode=Mode.DRILL))]
        ear.take(LOCKDOWN)
        ear.take(end_of_drill)
        ear.take(STOP)
        ear.take(replace(CHAT, mode=Mode.DRILL))
        ear.take(end_of_drill)
        ear.take(end_of_drill, "elm-all")
        assert not ear.speakers.is_overtaken("pa", "elm-all", CHAT, under_way[0])
        assert ear.speakers.is_overtaken("pa", "elm-all", replace(CHAT, mode=Mode.DRILL), under_way[1])
        return ear.heard

    assert run_virtual(live(), seed=1) == [
        "oak-all says Lockdown! Locks.",
        "oak-all cut",
        "oak-all says Buses are late.",
        "oak-all cut",
    ]


@pytest.mark.parametrize("mood", [Mood.SWITCH_DOWN, Mood.PACER_DEAD])
def test_what_fails_is_silent_and_says_so(mood: Mood) -> None:
    async def live() -> list[str]:
        ear = Ear()
        ear.speakers.moods = {"": mood}
        outcome = ear.take(LOCKDOWN)
        assert isinstance(outcome, Failed)
        assert not outcome.permanent
        return ear.heard

    assert run_virtual(live(), seed=1) == []


def test_stories_tell_of_loudspeakers() -> None:
    story = parse_scenario(
        "proves R46\nsite oak\n0:00 loudspeakers pacer dead for 20 s\n0:01 principal silences the loudspeakers\n"
        '0:02 nurse says "Stay." over the loudspeakers, as an emergency\nexpect no loudspeakers of elm say\n'
        'expect by 0:05 loudspeakers say "Stay." once\nexpect loudspeakers of oak fall silent\n',
        "story.txt",
        DISTRICT,
    )

    assert story.deeds == (
        LoudspeakersDown(at_s=0, lasts_s=20, mood="pacer dead"),
        Order(at_s=1, what="pa_stop", by="principal", site="oak"),
        Order(at_s=2, what="say_emergency", by="nurse", site="oak", words="Stay."),
    )
    with pytest.raises(ScenarioError, match="switch down; pacer dead; slow"):
        parse_scenario("proves R1\nsite oak\n0:00 loudspeakers sleepy\n", "story.txt", DISTRICT)
