"""What a key in a call counts, what it does not, and what is spoken: in a drill, at noon, of a place nobody knows."""

import pytest

from alertd.engine import spoken, wording
from alertd.model.call_script import decode
from alertd.model.incident import AnswerKind, EscalationState, IncidentClass, Location
from alertd.model.mode import Mode
from alertd.model.notification import Kind, NotificationRow, NotificationState
from alertd.model.outcome import Unknown
from alertd.model.policy import Step
from alertd.model.reason import Reason
from tests.engine.play import START_US, Play
from tests.engine.school import OAK, group, policy, registry
from tests.engine.test_calls import SPOKEN, busy, calls, school, script

MINUTE_US = 60_000_000
DRILL = "This is a drill."


@pytest.fixture
def p() -> Play:
    return Play(school())


def to(p: Play, name: str, kind: Kind = Kind.ALERT) -> NotificationRow:
    return next(
        r
        for r in calls(p, None)
        if r.notification.recipient == name and r.notification.kind is kind and not r.notification.redial
    )


def redials(p: Play, name: str) -> list[NotificationRow]:
    return [r for r in calls(p, None) if r.notification.recipient == name and r.notification.redial]


# --- what a key counts ----------------------------------------------------------------------------------------------


def test_key_8_asks_for_hold_and_locks_nobody_down(p: Play) -> None:
    assist = policy("staff_assist", Step(targets=(group("first"),), channels=("voice",), wait_s=30))
    p = Play(school(assist))
    p.press("badge-118", count=3)

    said = p.key(to(p, "Ruiz"), 8)

    classes = {i.incident_class for i in p.state.incidents.values()}
    assert classes == {IncidentClass.STAFF_ASSIST, IncidentClass.HOLD}, "key 8 asks for Hold and for nothing more"
    assert said.text == "Hold is on, as you asked."


def test_a_key_covers_no_press_that_is_still_to_come(p: Play) -> None:
    p.press("badge-118")

    p.key(to(p, "Ruiz"), 4, presses=9)

    assert [a.covers for a in p.incident.answers] == [1]
    p.press("badge-204")
    assert p.incident.escalation is EscalationState.RUNNING, "a room of which nobody knew yet is nobody's"


def test_the_same_key_that_comes_again_late_does_not_undo_a_later_one(p: Play) -> None:
    p.press("badge-118")
    call = to(p, "Ruiz")
    p.key(call, 4, cause="twilio:CA1:0:4")
    p.key(call, 6, cause="twilio:CA1:1:6")

    p.key(call, 4, cause="twilio:CA1:0:4")

    assert p.incident.answers[-1].kind is AnswerKind.CANNOT_GO
    assert p.reasons()[-1] is Reason.DUPLICATE


def test_a_key_in_a_call_whose_fate_was_unknown_says_that_it_was_heard(p: Play) -> None:
    """Its answer was lost on the way; a human listens all the same."""
    p.press("badge-118")
    row = p.outcome(p.claim(to(p, "Ruiz")), Unknown(detail="no answer"))
    assert row.state is NotificationState.UNKNOWN

    p.key(row, 4)

    assert p.rows[row.notification.id].state is NotificationState.DELIVERED


def test_who_cannot_go_is_not_asked_to_know_what_came_since(p: Play) -> None:
    p.press("badge-118")
    call = to(p, "Ruiz")
    p.wait(5)
    p.press("badge-204")

    said = p.key(call, 6, presses=1)

    assert said.text == "Noted, you cannot go. The next person is being called."


# --- a drill is a drill to its last word, and what is real is not ---------------------------------------------------


def test_promise_3_voicemail_and_answer_of_a_drill_say_that_it_is_one(p: Play) -> None:
    p.drill("badge-118")
    p.press("badge-118")
    call = to(p, "Ruiz")

    said = p.key(call, 4)

    assert call.notification.mode is Mode.DRILL
    for words in (script(call).main, script(call).voicemail, said.text, decode(said.body, said.text).main):
        assert words.startswith(DRILL), "promise 3"
        assert words.endswith(DRILL), "promise 3"


def test_promise_3_the_first_call_of_what_stopped_a_drill_says_that_it_is_real(p: Play) -> None:
    p.drill("badge-204")
    p.press("badge-204")
    p.news()
    p.press("badge-118")

    real = [r for r in calls(p) if r.notification.mode is Mode.LIVE and r.notification.kind is Kind.ALERT]
    assert {"Ruiz", "Chen"} <= {r.notification.recipient for r in real}
    for row in real:
        assert script(row).main.startswith(wording.SPOKEN[wording.REAL]), "promise 3"
        assert DRILL not in script(row).main, "promise 3"


# --- when a phone rings again ---------------------------------------------------------------------------------------


def test_a_late_word_of_an_old_call_rings_nobody_whom_a_newer_one_has_rung(p: Play) -> None:
    p.press("badge-118")
    first = p.claim(to(p, "Ruiz"))
    p.wait(91)
    assert to(p, "Ruiz", Kind.REMINDER).state is NotificationState.QUEUED

    busy(p, first)
    p.wait(25)

    assert redials(p, "Ruiz") == []
    assert not any("rings again" in entry.text for entry in p.entries), "the timeline says what will not be"


def test_a_redial_is_not_placed_behind_the_reminder_that_came_meanwhile(p: Play) -> None:
    p.press("badge-118")
    p.wait(80)
    busy(p, to(p, "Ruiz"))
    p.wait(20)

    assert to(p, "Ruiz", Kind.REMINDER).state is NotificationState.QUEUED
    assert redials(p, "Ruiz") == []
    assert Reason.STALE_TIMER in p.reasons()


def test_the_last_resort_rings_every_two_minutes_and_not_in_between(p: Play) -> None:
    p.press("badge-118")
    p.wait(151)

    busy(p, to(p, "Ruiz", Kind.EXHAUSTED))
    p.wait(60)

    assert redials(p, "Ruiz") == []


def test_reminder_and_last_resort_are_worthless_once_somebody_goes(p: Play) -> None:
    p.press("badge-118")
    p.wait(151)

    assert to(p, "Ruiz", Kind.REMINDER).notification.while_looking
    assert to(p, "Ruiz", Kind.EXHAUSTED).notification.while_looking
    assert not to(p, "Ruiz").notification.while_looking, "a first call tells something new"


def test_a_correction_that_is_spoken_asks_for_no_key() -> None:
    p = Play(school(policy("lockdown", Step(targets=(group("first"),), channels=("voice",), wait_s=600))))
    p.press("badge-118")
    p.correct()

    told = to(p, "Ruiz", Kind.CORRECTION)
    assert (script(told).prompt, told.notification.rings) == ("", False)
    assert "pressed by mistake" in script(told).main


def test_whoever_opted_out_after_the_first_text_is_called_with_news(p: Play) -> None:
    p.press("badge-118")
    ruiz = next(person for person in p.registry.people.values() if person.name == "Ruiz")
    p.opted_out.add(next(e.key for e in ruiz.endpoints if e.channel == "sms"))

    p.press("badge-204")

    assert to(p, "Ruiz", Kind.ALSO).state is NotificationState.QUEUED
    assert not [r for r in calls(p) if r.notification.kind is Kind.ALSO and r.notification.recipient == "Chen"]


# --- numbers, hours, places -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("minutes", "clock", "half"),
    [
        (-42 - 600, "twelve o'clock", "in the morning"),
        (-42 - 600 + 5, "twelve oh five", "in the morning"),
        (77, "eleven fifty-nine", "in the morning"),
        (78, "twelve o'clock", "in the afternoon"),
        (120, "twelve forty-two", "in the afternoon"),
    ],
)
def test_noon_is_in_the_afternoon_and_midnight_is_twelve(minutes: int, clock: str, half: str) -> None:
    """The school day begins at 10:42."""
    oak, at_us = registry().sites[OAK], START_US + minutes * MINUTE_US

    assert (spoken.clock(oak, at_us), spoken.half(oak, at_us)) == (clock, half)


@pytest.mark.parametrize("number", ["+12025550142", "202-555-0142", "(202) 555 0142"])
def test_a_number_is_spoken_without_its_country(number: str) -> None:
    assert spoken.phone(number) == "two zero two, five five five, zero one four two"


@pytest.mark.parametrize(
    ("minutes", "words"),
    [(0, "heard there just now"), (1, "heard there one minute ago"), (7, "heard there seven minutes ago")],
)
def test_a_wearable_is_near_where_it_was_heard_and_how_old_that_is_is_said(minutes: int, words: str) -> None:
    """Nobody may be sent to a room as if that were certain."""
    p = Play(school())
    zone = next(z for z in p.registry.zones.values() if z.spoken == SPOKEN)
    heard = Location(
        zone_id=zone.id,
        label=zone.label,
        short=zone.short,
        source="last_heard",
        heard_us=START_US - minutes * MINUTE_US,
    )

    assert spoken.place(p.registry, heard, START_US) == f"Near {SPOKEN}, {words}"


def test_a_place_that_nobody_knows_is_not_made_up() -> None:
    unknown = Location(zone_id=None, label="Rm 204", short="Rm 204", source="unknown")

    assert spoken.place(school(), unknown, START_US) == "Place unknown"


def test_how_many_were_tried_counts_people_and_not_their_phones(p: Play) -> None:
    p.press("badge-118")
    p.wait(151)

    people = {t.person_id for t in p.incident.told}
    assert len(people) < len(p.incident.told), "or the test proves nothing"
    assert f" {spoken.number(len(people))} people were tried" in script(to(p, "Ruiz", Kind.EXHAUSTED)).main
