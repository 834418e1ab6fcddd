"""Figures of one day, from streams whose answers are known."""

import pytest

from alertd.model.incident import EscalationState
from alertd.model.notification import Kind
from alertd.model.reason import Reason
from alertd_simulator.rehearsal.measures import Measured, measure, segments
from alertd_simulator.world.happenings import Meant, Over
from tests.simulator.rehearsal import stream
from tests.simulator.rehearsal.stream import Stream, committed, seen, taken, text, typed


def measured(happenings: Stream, wearer: str = "") -> Measured:
    return measure(happenings, pressed_at_s=stream.PRESSED_S, wearer=wearer)


def test_somebody_is_told_when_a_phone_rings_and_not_when_the_carrier_takes_the_text() -> None:
    ruiz = text("ruiz")

    figures = measured([committed(0.1, ruiz), taken(0.4, ruiz), seen(3.5, ruiz)])

    assert figures.told_s == pytest.approx(3.5)


def test_a_text_that_never_arrives_tells_nobody() -> None:
    ruiz = text("ruiz")

    figures = measured([committed(0.1, ruiz), taken(0.4, ruiz)])

    assert figures.told_s is None
    assert figures.texts == 1


def test_who_wears_the_pressed_badge_is_not_told_by_their_own_press() -> None:
    okafor, ruiz = text("okafor"), text("ruiz")

    figures = measured([committed(0.1, okafor, ruiz), seen(1.0, okafor), seen(9.0, ruiz)], wearer="okafor")

    assert figures.told_s == pytest.approx(9.0)
    assert [ring.person_id for ring in figures.rings] == ["ruiz"]


def test_a_text_whose_notification_the_carrier_does_not_know_is_found_by_its_content() -> None:
    ruiz = text("ruiz")

    figures = measured([committed(0.1, ruiz), taken(0.4, ruiz, unknown=True), seen(2.0, ruiz, unknown=True)])

    assert figures.told_s == pytest.approx(2.0)
    assert figures.texts == 1


def test_a_stray_text_of_no_incident_tells_nobody_of_it() -> None:
    figures = measured([seen(2.0, text("ruiz"))])

    assert figures.told_s is None


def test_the_answer_to_a_reply_is_a_text_that_is_paid_and_tells_nobody() -> None:
    answer = text("ruiz", kind=Kind.ANSWER)

    figures = measured([committed(0.1, answer), taken(0.4, answer), seen(1.0, answer)])

    assert figures.told_s is None
    assert figures.texts == 1


def test_an_answer_suffices_when_alertd_has_committed_that_it_does() -> None:
    happenings: Stream = [
        committed(0.1, text("ruiz")),
        typed(20.0, "diaz", Meant.GOING),  # staff, whose answer does not count
        typed(40.0, "ruiz", Meant.GOING),
        committed(40.2, escalation=EscalationState.PAUSED),
        committed(99.0, escalation=EscalationState.PAUSED),
    ]

    figures = measured(happenings)

    assert figures.answered_s == pytest.approx(40.2)
    assert figures.answered_by == {"diaz", "ruiz"}


def test_words_and_what_comes_after_a_sufficient_answer_are_nothing_to_hang_on() -> None:
    happenings: Stream = [
        typed(5.0, "okafor", Meant.WORDS),
        typed(6.0, "ruiz", Meant.GOING),
        committed(6.1, escalation=EscalationState.PAUSED),
        typed(7.0, "chen", Meant.GOING),
    ]

    assert measured(happenings).answered_by == {"ruiz"}


def test_exhausted_is_read_from_the_reason_for_a_nuisance_ends_in_the_same_decision() -> None:
    happenings: Stream = [committed(300.0, escalation=EscalationState.STOPPED, reason=Reason.EXHAUSTED_SITE)]

    assert measured(happenings).exhausted_s == pytest.approx(300.0)


def test_dispatch_has_it_when_the_centre_took_it_and_accepts_apart() -> None:
    county = text("county", kind=Kind.DISPATCH_NEW)

    figures = measured([committed(0.1, county), stream.dispatch_took(0.6, county), stream.accepted(4.0)])

    assert figures.dispatch_s == {"county": pytest.approx(0.6)}
    assert figures.accepted_s == pytest.approx(4.0)
    assert figures.told_s is None


def test_what_arrives_after_the_day_is_over_is_not_of_the_day() -> None:
    ruiz = text("ruiz")

    figures = measured([committed(0.1, ruiz), Over(at_us=stream.at(400)), taken(400.1, ruiz), seen(401.0, ruiz)])

    assert (figures.told_s, figures.texts) == (None, 0)


def test_a_person_is_counted_once_with_the_step_that_rang_first() -> None:
    alert, reminder = text("ruiz"), text("ruiz", kind=Kind.REMINDER, step=2)

    figures = measured([committed(0.1, alert), committed(60.0, reminder), seen(70.0, reminder), seen(90.0, alert)])

    assert [(ring.person_id, ring.step) for ring in figures.rings] == [("ruiz", 2)]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("", 0),
        ("a" * 160, 1),
        ("a" * 161, 2),
        ("a" * 306, 2),
        ("a" * 307, 3),
        ("€" * 80, 1),  # two septets each
        ("€" * 81, 2),
        ("ж" * 70, 1),
        ("ж" * 71, 2),
        ("😀" * 35, 1),  # two UTF-16 units each
        ("😀" * 36, 2),
    ],
)
def test_segments_are_what_a_carrier_bills(body: str, expected: int) -> None:
    assert segments(body) == expected
