"""Promise 5: who may stop the looking for people, and with what."""

import pytest

from alertd.model.events import DispatchReported
from alertd.model.ids import CauseId, IncidentId
from alertd.model.incident import AnswerKind, DispatchState
from alertd.model.notification import Kind
from alertd_simulator.checkers.answering import Acknowledgements, OneReplyOneAnswer
from alertd_simulator.world.happenings import Meant, Ordered
from tests.engine.school import OAK
from tests.simulator.checkers.story import Story, clicked, outcome, press, replied, text

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


def test_an_answer_that_is_not_enough_and_pauses_is_found() -> None:
    story = told().typed().changed(replied(), presses=(press(), press("badge-118", "118"))).at(12)
    assert any("0 going, 1 must" in words for words in story.answered(replied(), covers=1).violations)


def test_whoever_cannot_go_does_not_pause_anything() -> None:
    story = told().typed("617", meant=Meant.CANNOT_GO).at(11).answered(replied("617"), kind=AnswerKind.CANNOT_GO)
    assert story.violations == []


def test_a_text_is_answered_once() -> None:
    story = Story(OneReplyOneAnswer).start().committed(replied(), notifications=(text(kind=Kind.ANSWER),))
    assert story.violations == []
    assert len(story.committed(replied(), notifications=(text("n-2", kind=Kind.ANSWER),)).violations) == 1
