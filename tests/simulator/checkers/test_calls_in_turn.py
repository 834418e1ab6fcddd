"""What checkers find when a phone rings again before another rings at all, or old words are spoken after new ones."""

from typing import Any

from alertd.model.incident import IncidentClass
from alertd.model.notification import Kind, NotificationRow
from alertd.model.notification import NotificationState as N
from alertd.model.reason import Reason
from alertd_simulator.checkers.calls_in_turn import FirstCallsFirst, FreshWords
from alertd_simulator.world.happenings import ClockMoved, FaultBegan
from tests.simulator.checkers.story import Story, outcome
from tests.simulator.checkers.test_calling import CHEN, call, rang, told

REMINDER: dict[str, Any] = {"id_": "v-9", "kind": Kind.REMINDER}


def again(**fields: Any) -> NotificationRow:
    return call(**(REMINDER | fields))


def both(story: Story, **fields: Any) -> Story:
    """Chen was never called; Ruiz's phone is to ring once more."""
    return story.at(30).opened(call(CHEN, "v-2", "chen", **fields), again())


def claimed(story: Story) -> Story:
    return rang(story.moved(N.CLAIMED, id_="v-9"), again())


def test_a_phone_that_rings_again_before_another_rings_at_all_is_found() -> None:
    found = claimed(both(told(FirstCallsFirst)).at(40)).end()

    assert found, "promise 2"
    assert "is called again while" in found[0]
    assert "(v-2) waits" in found[0]


def test_a_first_call_that_was_tried_or_is_a_moment_old_or_of_no_panic_is_excused() -> None:
    tried = both(told(FirstCallsFirst)).attempted(call(CHEN, "v-2", "chen"))
    assert claimed(tried.at(40)).end() == []
    assert claimed(both(told(FirstCallsFirst)).at(31)).end() == []
    redial = both(told(FirstCallsFirst), why=Reason.REDIALLED, reason=Reason.REDIALLED)
    assert claimed(redial.at(40)).end() == []
    quiet = told(FirstCallsFirst).at(30).opened(call(CHEN, "v-2", "chen"), again(), incident_class=IncidentClass.VAPE)
    assert claimed(quiet.at(40)).end() == []


def test_while_the_disk_is_full_nobody_is_blamed_for_the_order() -> None:
    story = both(told(FirstCallsFirst).at(20).see(FaultBegan, fault="disk_full"))

    assert claimed(story.at(40)).end() == []


def test_a_first_call_goes_before_anything() -> None:
    assert rang(both(told(FirstCallsFirst)).at(40), call(CHEN, "v-2", "chen")).end() == []


# --- old words -------------------------------------------------------------------------------------------------------


def waited(row: NotificationRow, *newer: NotificationRow, **changes: Any) -> Story:
    """Written at 30; something newer at 60; claimed at 70."""
    story = told(FreshWords).at(30).opened(row).at(60).changed(outcome("x"), *newer, **changes)
    return story.at(70).moved(N.CLAIMED, id_=row.notification.id)


def test_a_reminder_that_is_spoken_after_a_newer_call_was_decided_is_found() -> None:
    found = rang(waited(again(), call(id_="v-10", kind=Kind.EXHAUSTED)), again()).end()

    assert any("called with old words (reminder, v-9): exhausted (v-10) says more" in words for words in found)


def test_a_lesser_call_that_is_placed_after_it_has_become_graver_is_found() -> None:
    story = told(FreshWords).at(30).opened(call(), incident_class=IncidentClass.STAFF_ASSIST)
    story.at(60).changed(outcome("x"), incident_class=IncidentClass.LOCKDOWN)
    found = rang(story.at(70).moved(N.CLAIMED, id_="v-1"), call()).end()

    assert any("it has become graver" in words for words in found)


def test_what_was_claimed_before_or_is_a_first_call_or_the_last_resort_is_excused() -> None:
    story = told(FreshWords).at(30).opened(again()).at(59).moved(N.CLAIMED, id_="v-9")
    story.at(60).changed(outcome("x"), call(id_="v-10", kind=Kind.EXHAUSTED))
    assert rang(story.at(61), again()).end() == []
    assert rang(waited(call(), again()), call()).end() == [], "a first call is never overtaken by a repeat"
    last = call(id_="v-9", kind=Kind.EXHAUSTED)
    assert rang(waited(last, call(id_="v-10", kind=Kind.EXHAUSTED)), last).end() == [], "in a long line both are due"
    assert rang(waited(again(), call(CHEN, "v-10", "chen", kind=Kind.EXHAUSTED)), again()).end() == [], "another phone"


def test_a_clock_that_was_set_meanwhile_excuses_old_words() -> None:
    story = waited(again(), call(id_="v-10", kind=Kind.EXHAUSTED))
    story.see(ClockMoved, by_s=-3600.0, wall_us=0)

    assert rang(story, again()).end() == []
