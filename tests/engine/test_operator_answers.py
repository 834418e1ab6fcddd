"""Whose answer counts when an operator types it: that of somebody whom the incident concerns (promises 5, 6)."""

import pytest

from alertd.model.decision import EntryKind
from alertd.model.ids import DISTRICT
from alertd.model.incident import AnswerKind, DispatchState, EscalationState
from alertd.model.people import PersonKind
from alertd.model.reason import Reason
from tests.engine.play import Play
from tests.engine.school import ELM, OAK, PEOPLE, person, registry


def play_with(*more) -> Play:
    return Play(registry(people=(*PEOPLE, *more)))


@pytest.mark.parametrize("kind", AnswerKind)
def test_promise_6_an_answer_of_another_schools_person_does_not_touch_the_incident(kind):
    play = Play()
    play.press()
    before = play.incident
    play.answer("Elmer", kind)

    assert play.incident == before, "promise 6: a person of Elm neither pauses nor confirms what happens at Oak"
    assert play.incident.escalation is EscalationState.RUNNING
    refused = play.entries[-1]
    assert (refused.kind, refused.reason) == (EntryKind.ANSWER, Reason.FOREIGN_PERSON)
    assert refused.incident_id == before.id, "promise 4: the refusal stands in the incident's own timeline"


def test_promise_6_another_schools_person_does_not_confirm_a_late_press_for_dispatch():
    play = Play()
    play.press(backlog_since_us=play.now_us - 4 * 3600 * 1_000_000)
    assert play.incident.dispatch_hold is Reason.LATE_HOLD
    play.answer("Elmer", AnswerKind.ARRIVED)

    assert play.incident.dispatch_hold is Reason.LATE_HOLD, "promise 6: nobody of Oak has confirmed it"
    assert all(status.state is not DispatchState.WAITING for status in play.incident.dispatch)


def test_people_of_the_site_count_though_nobody_told_them():
    play = Play()
    play.press("badge-204", count=3)
    assert "okafor" not in {t.person_id for t in play.incident.told}
    play.answer("Okafor")

    assert play.incident.escalation is EscalationState.PAUSED


def test_district_staff_count_at_the_sites_that_they_are_listed_for():
    both = person("Varga", 30, sites=(DISTRICT, OAK), kind=PersonKind.STAFF)
    elsewhere = person("Webb", 31, sites=(DISTRICT, ELM), kind=PersonKind.STAFF)
    play = play_with(both, elsewhere)
    play.press()
    play.answer("Webb")
    assert play.incident.escalation is EscalationState.RUNNING
    play.answer("Varga")
    assert play.incident.escalation is EscalationState.PAUSED


def test_who_was_told_counts_wherever_they_belong():
    play = Play()
    play.press()
    play.answer("Super")
    assert play.incident.escalation is EscalationState.RUNNING, "of the district only, and not told yet"
    play.wait(30 + 60 + 120 + 1)  # two steps, then the site's staff, then the district
    assert "super" in {t.person_id for t in play.incident.told}
    play.answer("Super")

    assert play.incident.escalation is EscalationState.PAUSED


def test_a_parent_of_the_site_does_not_answer_for_its_staff():
    play = play_with(person("Mills", 32, kind=PersonKind.PARENT))
    play.press()
    play.answer("Mills")

    assert play.incident.answers == ()
    assert play.entries[-1].reason is Reason.FOREIGN_PERSON


def test_the_evidence_says_by_which_way_an_answer_came():
    play = Play()
    play.press()
    play.answer("Ruiz")
    play.reply("Chen", f"5{play.incident.token}")

    ways = [e.data["via"] for e in play.entries if e.kind is EntryKind.ANSWER and e.reason is Reason.ACKNOWLEDGED]
    assert ways == ["cli", "sms"]
