"""Phones that ring: what the checkers find when the wrong ones do, or the right ones do not."""

from typing import Any

import pytest
from msgspec.structs import replace

from alertd.model.drill import Drill, DrillState
from alertd.model.events import Keyed
from alertd.model.ids import CauseId, DrillId, NotificationId, PersonId
from alertd.model.incident import AnswerKind, EscalationState, IncidentClass, IncidentState
from alertd.model.mode import Mode
from alertd.model.notification import Kind, NotificationRow
from alertd.model.notification import NotificationState as N
from alertd.model.outcome import Sent
from alertd.model.people import Endpoint
from alertd.model.policy import Policy
from alertd.model.reason import Reason
from alertd_simulator.checkers.answering import Acknowledgements
from alertd_simulator.checkers.calling import (
    CarrierUndoesNothing,
    NoNeedlessCalls,
    PhonesFallSilent,
    RespondersAreCalled,
)
from alertd_simulator.checkers.checker import Checker
from alertd_simulator.world.happenings import CallHeard, CallPickedUp, CallStatus, CallTaken, ClockMoved, KeyPressed
from tests.engine.school import OAK, STAFF
from tests.engine.test_calls import CALLED, school
from tests.simulator.checkers.story import RUIZ, S, Story, outcome, press, replied, text

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


def ringing(row: NotificationRow | None = None, **changes: Any) -> Story:
    """Ruiz's phone rings, half a minute after the start, for a press that is known since a second."""
    row = row or call()
    return rang(told(PhonesFallSilent).at(29).opened(row, **changes).at(30), row)


def silent(story: Story, status: str = "canceled") -> list[str]:
    return story.see(CallStatus, sid="CA1", status=status).end()


@pytest.mark.parametrize(("after_s", "found"), [(4, False), (6, True)])
@pytest.mark.parametrize("status", ["canceled", "no-answer"])
def test_a_phone_may_ring_for_five_seconds_after_the_end_and_no_longer(after_s: int, found: bool, status: str) -> None:
    story = ringing().at(40).changed(outcome("x"), escalation=EscalationState.STOPPED)

    assert any("rang until now" in words for words in silent(story.at(40 + after_s), status)) is found


def test_whoever_takes_a_call_after_the_end_is_found_and_before_it_may_listen() -> None:
    story = ringing().at(40).changed(outcome("x"), state=IncidentState.CLOSED)
    taken = story.at(47).see(CallPickedUp, sid="CA1", to=RUIZ, person_id=PersonId("ruiz"), human=True)
    assert any("is taken, 7 s after it is over" in words for words in taken.end())

    early = ringing().at(38).see(CallPickedUp, sid="CA1", to=RUIZ, person_id=PersonId("ruiz"), human=True)
    early.at(40).changed(outcome("x"), state=IncidentState.CLOSED)
    early.at(60).see(CallHeard, sid="CA1", to=RUIZ, words="Lockdown.", human=True)
    assert silent(early.at(61), "completed") == []


def test_a_call_that_says_this_is_real_of_what_is_over_is_found() -> None:
    story = ringing(call(kind=Kind.DRILL_STOPPED)).at(40).changed(outcome("x"), escalation=EscalationState.STOPPED)
    taken = story.at(47).see(CallPickedUp, sid="CA1", to=RUIZ, person_id=PersonId("ruiz"), human=True)

    assert any("is taken, 7 s after it is over" in words for words in taken.end()), "promise 3"


def test_a_drill_that_is_heard_after_its_end_is_found() -> None:
    """Promise 3."""
    story = ringing(call(mode=Mode.DRILL), mode=Mode.DRILL)
    story.at(33).see(CallPickedUp, sid="CA1", to=RUIZ, person_id=PersonId("ruiz"), human=True)

    story.at(48).see(CallHeard, sid="CA1", to=RUIZ, words="This is a drill.", human=True)

    assert any("says 'This is a drill.'" in words for words in story.end())


def a_drill(state: DrillState, since_us: int = 0) -> Drill:
    return Drill(
        id=DrillId("d"), site_id=OAK, incident_class=IncidentClass.LOCKDOWN, device_ids=(), told_before="J. Doe",
        by="J. Ruiz", started_us=since_us, ends_us=since_us, state=state,
    )  # fmt: skip


@pytest.mark.parametrize(("after_s", "found"), [(3, False), (7, True)])
def test_a_call_may_speak_of_a_drill_for_five_seconds_after_its_end_whenever_its_owner_answered(
    after_s: int, found: bool
) -> None:
    """They pressed 4 half a minute ago, and the call goes on saying what came of it."""
    story = told(PhonesFallSilent).at(20).committed(outcome("x"), drill=a_drill(DrillState.RUNNING))
    row = call(mode=Mode.DRILL)
    rang(story.at(29).opened(row, mode=Mode.DRILL).at(30), row)
    story.at(33).see(CallPickedUp, sid="CA1", to=RUIZ, person_id=PersonId("ruiz"), human=True)
    story.at(40).answered(keyed()).at(70).committed(outcome("x"), drill=a_drill(DrillState.ENDED))
    story.at(70 + after_s).see(CallHeard, sid="CA1", to=RUIZ, words="This is a drill.", human=True)

    assert any("after the drill is over" in words for words in story.end()) is found


@pytest.mark.parametrize(("covers", "found"), [(1, True), (0, False)])
def test_the_phone_of_somebody_who_answered_otherwise_falls_silent(covers: int, found: bool) -> None:
    """An answer that does not know of all presses is none to this call."""
    story = ringing().at(40).answered(replied(), covers=covers)

    assert any("its owner has answered" in words for words in silent(story.at(50))) is found


def test_a_clock_that_was_set_meanwhile_excuses_a_phone_whose_owner_answered_and_no_other() -> None:
    story = ringing().at(35).see(ClockMoved, by_s=-3600.0, wall_us=0).at(40).answered(replied())
    assert silent(story.at(50)) == []

    story = ringing().at(35).see(ClockMoved, by_s=-3600.0, wall_us=0)
    story.at(40).changed(outcome("x"), state=IncidentState.CLOSED)
    assert silent(story.at(50)) != []


def test_a_call_that_asks_again_after_an_answer_may_ring() -> None:
    story = told(PhonesFallSilent).at(29).opened(call()).at(40).answered(replied(), kind=AnswerKind.CANNOT_GO)
    again = call(id_="v-2", kind=Kind.REMINDER)
    story.at(70).changed(outcome("x"), again)

    assert silent(rang(story.at(71), again).at(90), "no-answer") == []


def test_an_answer_that_knows_less_takes_back_no_call_though_one_that_knew_all_was_given_before_it() -> None:
    """Seed 821: "cannot go" by text made everybody be called once more; a key in the call before that covers less."""
    both = (press(), press("badge-118", "118"))
    story = told(PhonesFallSilent).at(29).opened(call(), presses=both)
    story.at(40).answered(replied(), covers=2, kind=AnswerKind.CANNOT_GO)
    again = call(id_="v-2", kind=Kind.EXHAUSTED)
    (otherwise,) = story.changed(outcome("x"), again).incident.answers
    by_key = replace(otherwise, at_us=2, via="voice", covers=1)
    story.at(42).changed(keyed(6), answers=(otherwise, by_key))

    assert silent(rang(story.at(50), again).at(70), "no-answer") == []


def test_the_school_of_these_tests_calls() -> None:
    policy: Policy = SCHOOL.policies[CALLED.id]
    assert policy.steps[0].channels == ("sms", "voice")
    assert STAFF in policy.steps[0].targets
    assert S == 1_000_000
