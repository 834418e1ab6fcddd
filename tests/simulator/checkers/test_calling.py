"""Phones that ring: what the checkers find when the wrong ones do, or the right ones do not."""

from typing import Any

import pytest
from msgspec.structs import replace

from alertd.model.events import Keyed
from alertd.model.ids import CauseId, NotificationId, PersonId
from alertd.model.notification import NotificationRow
from alertd.model.notification import NotificationState as N
from alertd.model.outcome import Sent
from alertd.model.people import Endpoint
from alertd.model.policy import Policy
from alertd.model.reason import Reason
from alertd_simulator.checkers.answering import Acknowledgements
from alertd_simulator.checkers.calling import CarrierUndoesNothing, NoNeedlessCalls, RespondersAreCalled
from alertd_simulator.checkers.checker import Checker
from alertd_simulator.world.happenings import CallTaken, KeyPressed
from tests.engine.school import OAK, STAFF
from tests.engine.test_calls import CALLED, school
from tests.simulator.checkers.story import RUIZ, S, Story, outcome, press, text

SCHOOL = school(CALLED)
CHEN = "+12025550102"


def told(*checkers: type[Checker]) -> Story:
    story = Story(*checkers).start()
    story.judge.use(SCHOOL)
    hashed = SCHOOL.policy_hashes[CALLED.id]
    story.incident = replace(story.incident, policy_hash=hashed)
    return story


def call(number: str = RUIZ, id_: str = "v-1", person: str = "ruiz", **fields: Any) -> NotificationRow:
    endpoint = Endpoint(channel="voice", address=number, person_id=PersonId(person))
    return text(id_, endpoint=endpoint, text="Room two-oh-four. Lockdown.", template="alert.responder", **fields)


def rang(story: Story, row: NotificationRow, *, sid: str = "CA1") -> Story:
    n = row.notification
    return story.see(CallTaken, sid=sid, to=n.endpoint.address, words=n.text, notification_id=n.id)


def test_every_responders_phone_has_a_call_of_its_own() -> None:
    assert told(RespondersAreCalled).opened(text(), call(), call(CHEN, "v-2", "chen")).end() == []


def test_a_responder_who_is_texted_only_is_found() -> None:
    found = told(RespondersAreCalled).opened(text(), call()).end()

    assert any("Chen is not called by voice: nothing says why" in words for words in found)


@pytest.mark.parametrize(("wearer", "faults"), [("chen", 0), ("ruiz", 1)])
def test_only_the_presser_may_be_left_silent(wearer: str, faults: int) -> None:
    worn = press(assigned_to=PersonId(wearer))
    silent = call(CHEN, "v-2", "chen", state=N.SUPPRESSED, why=Reason.PRESSER)

    found = told(RespondersAreCalled).opened(call(), silent, presses=(worn,)).end()

    assert len(found) == faults


def test_a_call_to_the_presser_is_found() -> None:
    worn = press(assigned_to=PersonId("ruiz"))
    found = rang(told(NoNeedlessCalls).opened(call(), presses=(worn,)).at(1), call()).end()

    assert any("own badge pressed" in words for words in found)


def test_three_calls_for_one_thing_are_few_and_a_row_of_them_is_found() -> None:
    story = told(NoNeedlessCalls).opened(*(call(id_=f"v-{n}") for n in range(9)))
    for n in range(3):
        rang(story.at(20 * n), call(id_=f"v-{n}"), sid=f"CA{n}")
    assert story.violations == []
    for n in range(3, 9):
        rang(story.at(20 * n), call(id_=f"v-{n}"), sid=f"CA{n}")

    assert any("for the 5th time" in words for words in story.end())


def keyed(digit: int = 4, *, sid: str = "CA1", presses: int = 1) -> Keyed:
    return Keyed(
        site_id=OAK, cause=CauseId(f"twilio:{sid}:0:{digit}"), notification_id=NotificationId("v-1"), digit=digit,
        presses=presses, written_us=0, at_us=0,
    )  # fmt: skip


def pressed_key(story: Story, key: str = "4", person: str = "ruiz") -> Story:
    who = PersonId(person)
    return story.see(KeyPressed, sid="CA1", number=RUIZ, person_id=who, key=key, notification_id=NotificationId("v-1"))


def called() -> Story:
    return rang(told(Acknowledgements).opened(call()).attempted(call()).at(2), call()).at(10)


def test_a_humans_key_counts() -> None:
    assert pressed_key(called()).at(11).answered(keyed()).end() == []


@pytest.mark.parametrize(
    ("key", "person", "wrong"),
    [("6", "ruiz", "nobody pressed 4"), ("4", "chen", "chen pressed the key"), ("", "ruiz", "nobody pressed 4")],
)
def test_a_key_that_nobody_pressed_so_is_found(key: str, person: str, wrong: str) -> None:
    story = called()
    if key:
        pressed_key(story, key, person)

    assert any(wrong in words for words in story.at(11).answered(keyed()).end())


def test_a_key_that_covers_a_room_of_which_the_call_said_nothing_is_found() -> None:
    story = called().at(12).changed(keyed(9), presses=(press(), press("badge-118", "118")))
    pressed_key(story.at(13))
    story = rang(told(Acknowledgements).opened(call()).attempted(call()).at(2), call())
    story.at(5).changed(outcome(), presses=(press(), press("badge-118", "118")))
    found = pressed_key(story.at(13)).at(14).answered(keyed(presses=2), covers=2).end()

    assert any("it covers 2 presses, of which 1 were known when it was said" in words for words in found)


def test_a_voicemail_that_answers_or_takes_an_answer_back_is_found() -> None:
    heard = outcome("v-1", Sent(ref="CA1", detail="voicemail took the call"))

    story = told(CarrierUndoesNothing).opened(call()).at(5).answered(heard)
    assert any("Sent changes what people answered" in words for words in story.violations)
    assert told(CarrierUndoesNothing).opened(call()).at(5).changed(heard).end() == []


def test_the_school_of_these_tests_calls() -> None:
    policy: Policy = SCHOOL.policies[CALLED.id]
    assert policy.steps[0].channels == ("sms", "voice")
    assert STAFF in policy.steps[0].targets
    assert S == 1_000_000
