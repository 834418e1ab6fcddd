"""Promise 5: who may stop the looking for people, and with what."""

import pytest
from msgspec.structs import replace

from alertd.model.events import DispatchReported, Replied
from alertd.model.ids import CauseId, IncidentId, PersonId
from alertd.model.incident import Answer, AnswerKind, DispatchState, EscalationState, IncidentClass
from alertd.model.notification import Claim, Kind
from alertd.model.people import Endpoint
from alertd.model.timer import TimerKind
from alertd_simulator.checkers.answering import Acknowledgements, OneReplyOneAnswer
from alertd_simulator.world.happenings import Attempted, Meant, Ordered, Typed
from tests.engine.school import OAK
from tests.simulator.checkers.story import Story, clicked, fired, outcome, press, pressed, replied, text, timer

ACCEPTED = DispatchReported(
    site_id=OAK, cause=CauseId("x"), incident_id=IncidentId("i-1"), destination_id="psap", state=DispatchState.ACCEPTED
)


def told() -> Story:
    return Story(Acknowledgements).start().opened(text()).attempted().at(10)


@pytest.mark.parametrize(("body", "meant"), [("417", Meant.GOING), (" 4 17\n", Meant.GOING), ("4", Meant.GOING)])
def test_a_humans_code_counts(body, meant) -> None:
    assert told().typed(body, meant=meant).at(11).answered(replied(body)).end() == []


def test_a_code_that_happens_to_be_right_counts_too() -> None:
    assert told().typed("417", meant=Meant.FOREIGN).at(11).answered(replied()).end() == []


def test_a_click_counts_if_somebody_clicked() -> None:
    clicked_on = {"what": "answer_going", "by": "ruiz", "site_id": OAK, "incident_id": IncidentId("i-1")}
    assert told().answered(clicked()).see(Ordered, **clicked_on).end() == []
    assert any("by nobody" in words for words in told().answered(clicked()).end())


@pytest.mark.parametrize(
    ("body", "meant", "wrong"),
    [
        ("Liked “Reply 417 going”", Meant.REACTION, "no such code"),
        ("I'm driving", Meant.AUTO_REPLY, "no such code"),
        ("on my way, he is in 210", Meant.WORDS, "no such code"),
        ("454", Meant.FOREIGN, "the token is 17"),
        ("517", Meant.ARRIVED, "typed was '517'"),
        ("417", Meant.AUTO_REPLY, "meant as auto_reply"),
        ("817", Meant.HOLD, "no such code"),
    ],
)
def test_what_is_no_answer_and_counts_is_found(body, meant, wrong) -> None:
    found = told().typed(body, meant=meant).at(11).answered(replied(body)).violations
    assert any(wrong in words for words in found)


def test_an_answer_that_nobody_typed_is_found() -> None:
    assert any("nobody typed it" in words for words in told().answered(replied()).violations)


def test_a_code_typed_before_its_incident_was_heard_of_is_found() -> None:
    story = Story(Acknowledgements).start().typed().at(5).opened(text()).attempted().at(6).answered(replied())
    assert any("had not been told" in words for words in story.violations)


@pytest.mark.parametrize("event", [outcome(), ACCEPTED])
def test_no_word_of_carrier_or_dispatch_acknowledges(event) -> None:
    assert any("it came from" in words for words in told().answered(event).violations)


def test_an_answer_covers_only_what_was_known() -> None:
    story = told().typed().at(20).changed(replied(), presses=(press(), press("badge-118", "118"))).at(21)
    assert any("it covers 2 presses" in words for words in story.answered(replied(), covers=2).violations)
    story = told().changed(replied(), presses=(press(), press("badge-118", "118"))).at(15).typed()
    assert story.at(21).answered(replied(), covers=2).violations == []


def upgraded(typed_s: float, upgraded_s: float) -> Story:
    """Ruiz types, and an assist becomes a lockdown."""
    story = Story(Acknowledgements).start().opened(text(), incident_class=IncidentClass.STAFF_ASSIST).attempted()
    if typed_s < upgraded_s:
        story.at(typed_s).typed()
    story.at(upgraded_s).changed(pressed(), incident_class=IncidentClass.LOCKDOWN)
    if typed_s > upgraded_s:
        story.at(typed_s).typed()
    return story.at(max(typed_s, upgraded_s) + 1)


def test_an_answer_to_something_less_is_none_to_what_it_became() -> None:
    found = upgraded(10, 12).answered(replied()).violations
    assert any("before the incident became lockdown" in words for words in found)
    assert upgraded(14, 12).answered(replied()).violations == []


def test_an_answer_to_something_less_may_be_kept_if_it_covers_nothing() -> None:
    answer = Answer(person_id=PersonId("ruiz"), name="Ruiz", kind=AnswerKind.GOING, at_us=1, via="sms", covers=0)
    assert upgraded(10, 12).changed(replied(), answers=(answer,)).violations == []


def test_an_answer_that_is_not_enough_and_pauses_is_found() -> None:
    story = told().typed().changed(replied(), presses=(press(), press("badge-118", "118"))).at(12)
    assert any("0 going, 1 must" in words for words in story.answered(replied(), covers=1).violations)


def test_whoever_cannot_go_does_not_pause_anything() -> None:
    story = told().typed("617", meant=Meant.CANNOT_GO).at(11).answered(replied("617"), kind=AnswerKind.CANNOT_GO)
    assert story.violations == []


def lapsed() -> Story:
    """Ruiz went, did not arrive, and is no longer counted on."""
    story = told().typed().at(11).answered(replied()).at(311)
    return story.changed(fired(timer(TimerKind.ARRIVE, 300.0)), escalation=EscalationState.RUNNING, generation=2)


def chen(story: Story, kind: AnswerKind) -> Story:
    """Chen, who was told too, says something, and the escalation pauses."""
    number = "+12025550102"
    body, meant = ("417", Meant.GOING) if kind is AnswerKind.GOING else ("617", Meant.CANNOT_GO)
    row = text("n-2", endpoint=Endpoint(channel="sms", address=number, person_id=PersonId("chen")))
    story.see(Attempted, claim=Claim(notification=row.notification, attempt=1, epoch=1), channel="sms").at(320)
    story.see(Typed, person_id=PersonId("chen"), number=number, body=body, meant=meant, sid="SM8")
    event = Replied(site_id=OAK, cause=CauseId("twilio:SM8"), channel="sms", address=number, body=body, at_us=0)
    answer = Answer(person_id=PersonId("chen"), name="Chen", kind=kind, at_us=story.us, via="sms", covers=1)
    answers = (*story.incident.answers, answer)
    return story.at(321).changed(event, answers=answers, escalation=EscalationState.PAUSED)


def test_an_answer_that_lapsed_counts_for_nobody_else_afterwards() -> None:
    """Whatever the incident says of itself: here it still counts from the first answer."""
    assert any("0 going, 1 must" in words for words in chen(lapsed(), AnswerKind.CANNOT_GO).violations)
    assert not any("going, 1 must" in words for words in chen(lapsed(), AnswerKind.GOING).violations)


def test_a_lapse_that_a_power_cut_took_has_not_happened() -> None:
    story = lapsed()
    story.judge.reread([replace(story.incident, generation=1)], [])
    assert chen(story, AnswerKind.CANNOT_GO).violations == []


def test_a_text_is_answered_once() -> None:
    story = Story(OneReplyOneAnswer).start().committed(replied(), notifications=(text(kind=Kind.ANSWER),))
    assert story.violations == []
    assert len(story.committed(replied(), notifications=(text("n-2", kind=Kind.ANSWER),)).violations) == 1
