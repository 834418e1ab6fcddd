"""What checkers find when a phone rings again before another rings at all, or old words are spoken after new ones."""

from typing import Any

import pytest

from alertd.model.ids import NotificationId
from alertd.model.incident import IncidentClass
from alertd.model.notification import Kind, NotificationChange, NotificationRow
from alertd.model.notification import NotificationState as N
from alertd.model.outcome import Failed, Unknown
from alertd.model.reason import Reason
from alertd_simulator.checkers.calls_in_turn import FirstCallsFirst, FreshWords, OneCallAPhone, TriedBeforeGivingUp
from alertd_simulator.world.happenings import CallStatus, CallTaken, ClockMoved, Crashed, FaultBegan, FaultEnded
from tests.simulator.checkers.story import Story, outcome
from tests.simulator.checkers.test_calling import CHEN, call, rang, told

REMINDER: dict[str, Any] = {"id_": "v-9", "kind": Kind.REMINDER}


def again(**fields: Any) -> NotificationRow:
    return call(**(REMINDER | fields))


def both(story: Story, **fields: Any) -> Story:
    """Chen was never called; Ruiz's phone is to ring once more."""
    story.at(20).opened(call()).attempted(call()).ended(Unknown(detail="no answer"), id_="v-1")
    return story.at(30).opened(call(CHEN, "v-2", "chen", **fields), again())


def test_a_phone_that_rings_for_the_first_time_waits_for_no_other_whatever_the_call_says() -> None:
    """Its texts have failed only now; a call that was not placed, since its owner pressed, rang nobody."""
    hushed = call(id_="v-1", state=N.SUPPRESSED, why=Reason.PRESSER)
    story = told(FirstCallsFirst).at(20).opened(hushed)
    story.at(25).opened(again(), call(CHEN, "v-2", "chen"))

    assert claimed(story.at(40)).end() == []


def claimed(story: Story) -> Story:
    return rang(story.moved(N.CLAIMED, id_="v-9"), again())


def test_a_phone_that_rings_again_before_another_rings_at_all_is_found() -> None:
    found = claimed(both(told(FirstCallsFirst)).at(40)).end()

    assert found, "promise 2"
    assert "is called again while" in found[0]
    assert "(v-2) waits" in found[0]


def test_a_first_call_that_was_tried_or_is_a_moment_old_or_of_no_panic_is_excused() -> None:
    tried = both(told(FirstCallsFirst)).attempted(call(CHEN, "v-2", "chen"))
    assert claimed(tried.ended(Unknown(detail="no answer"), id_="v-2").at(40)).end() == []
    assert claimed(both(told(FirstCallsFirst)).at(31)).end() == []
    redial = both(told(FirstCallsFirst), why=Reason.REDIALLED, reason=Reason.REDIALLED)
    assert claimed(redial.at(40)).end() == []
    quiet = told(FirstCallsFirst).at(30).opened(call(CHEN, "v-2", "chen"), again(), incident_class=IncidentClass.VAPE)
    assert claimed(quiet.at(40)).end() == []


HELD = Failed(permanent=False, code="line_held", not_tried=True)


def on_the_phone(number: str) -> Story:
    """A call of ours has that phone since before; Chen's first call and Ruiz's next one wait."""
    story = told(FirstCallsFirst).at(20).see(CallTaken, sid="CA0", to=number, words="Oak.", notification_id=None)
    both(story).attempted(call(CHEN, "v-2", "chen"))
    return story.ended(HELD, id_="v-2")


def test_to_have_found_the_phone_held_is_no_excuse_once_it_is_free() -> None:
    """What waits for a line of our own was tried by nobody, however often it was claimed."""
    story = on_the_phone(CHEN).at(60).see(CallStatus, sid="CA0", status="completed").at(140)

    assert any("is called again while" in words for words in claimed(story).end())


def test_the_same_phone_rings_for_its_first_call_first_as_soon_as_it_is_free() -> None:
    reminder = call(CHEN, "v-8", "chen", kind=Kind.REMINDER)
    story = on_the_phone(CHEN).at(40).changed(outcome("x"), reminder)
    story.at(60).see(CallStatus, sid="CA0", status="completed")
    found = rang(story.at(61).moved(N.CLAIMED, id_="v-8"), reminder).end()

    assert any("is called again while" in words for words in found), "promise 2"


def test_whose_phone_is_held_by_a_call_of_ours_waits_for_that() -> None:
    assert claimed(on_the_phone(CHEN).at(60)).end() == []
    story = on_the_phone(CHEN).at(60).see(CallStatus, sid="CA0", status="completed").at(70)
    assert claimed(story).end() == [], "nobody may have heard yet that it is over"


def free_beside_bad_weather(ended_s: float, *weather_s: float) -> Story:
    """Chen's phone is free since then; the carrier could not be asked in that time; Ruiz is called again at 140 s."""
    story = on_the_phone(CHEN).at(ended_s).see(CallStatus, sid="CA0", status="completed")
    story.at(weather_s[0]).see(FaultBegan, fault="carrier_weather")
    return claimed(story.at(weather_s[1]).see(FaultEnded, fault="carrier_weather").at(140))


def test_what_the_carrier_could_not_be_asked_about_keeps_a_phone_held_until_it_is_asked_again() -> None:
    """Seed 950078: it was asked in vain when the call was a minute old, and again half a minute later."""
    assert free_beside_bad_weather(50, 45, 110).end() == []


def test_weather_long_after_it_was_known_that_the_phone_is_free_excuses_nothing() -> None:
    assert any("is called again while" in words for words in free_beside_bad_weather(32, 112, 113).end())


# --- one call a phone -------------------------------------------------------------------------------------------------


def recorded(status: str = "") -> Story:
    """A call to Ruiz that is on record; perhaps it has come to its end."""
    story = rang(told(OneCallAPhone).at(30).opened(call(), call(id_="v-2")), call(), sid="CA1")
    change = NotificationChange(id=NotificationId("v-1"), state=N.ACCEPTED, reason=Reason.FIRST_WAVE, ref="CA1")
    story.at(31).committed(outcome("v-1"), changes=(change,))
    return story.at(50).see(CallStatus, sid="CA1", status=status) if status else story


def test_a_second_call_to_a_phone_that_ours_has_is_found() -> None:
    found = rang(recorded().at(52), call(id_="v-2"), sid="CA2").end()

    assert any("while our own call CA1 has that phone" in words for words in found)


def test_a_second_call_is_fine_when_the_first_is_over_or_was_not_known_of_or_goes_elsewhere() -> None:
    assert rang(recorded("completed").at(52), call(id_="v-2"), sid="CA2").end() == []
    assert rang(recorded().at(52), call(CHEN, "v-3", "chen"), sid="CA2").end() == []
    unheard = rang(told(OneCallAPhone).at(30).opened(call(), call(id_="v-2")), call(), sid="CA1")
    assert rang(unheard.at(52), call(id_="v-2"), sid="CA2").end() == []
    lost = recorded().at(40).see(Crashed, incarnation=1, where="", power=True, lost_bytes=1)
    assert rang(lost.at(52), call(id_="v-2"), sid="CA2").end() == []
    cut = recorded().at(40).see(FaultBegan, fault="uplink_cut")
    assert rang(cut.at(52), call(id_="v-2"), sid="CA2").end() == []


# --- giving up --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("tried", "found"), [(0, True), (3, True), (4, False)])
def test_whoever_gives_up_must_have_asked_a_carrier_so_often(tried: int, found: bool) -> None:
    story = told(TriedBeforeGivingUp).at(30).opened(call())
    for n in range(4):
        story.attempted(call()).ended(Unknown(detail="no answer") if n < tried else HELD, id_="v-1")
    change = NotificationChange(id=NotificationId("v-1"), state=N.FAILED, reason=Reason.ATTEMPTS_EXHAUSTED)
    story.at(60).committed(outcome("v-1"), changes=(change,))

    assert any(f"is given up after {tried} tries" in words for words in story.end()) is found


def test_a_claim_may_have_been_a_try_if_the_process_died_in_the_commit_that_wrote_it() -> None:
    story = told(TriedBeforeGivingUp).at(30).opened(call())
    story.see(Crashed, incarnation=1, where="store.commit 12 after", power=False).start()
    for _ in range(3):
        story.attempted(call()).ended(Unknown(detail="no answer"), id_="v-1")
    change = NotificationChange(id=NotificationId("v-1"), state=N.FAILED, reason=Reason.ATTEMPTS_EXHAUSTED)

    assert story.at(60).committed(outcome("v-1"), changes=(change,)).end() == []


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
