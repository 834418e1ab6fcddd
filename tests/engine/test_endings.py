"""Resolved, released, corrected; troubles; the fixed fallback; who is on duty."""

from datetime import UTC, datetime

import pytest

from alertd.engine import fallback
from alertd.engine.audience import on_duty
from alertd.engine.routing import route
from alertd.engine.wording import render
from alertd.model.anchor import Now
from alertd.model.decision import EntryKind, Facts
from alertd.model.events import (
    Arrival,
    ClockStepped,
    Malformed,
    OutcomeReported,
    TestOrdered,
    TroubleCleared,
    TroubleRaised,
)
from alertd.model.ids import DISTRICT, CauseId, NotificationId, PersonId
from alertd.model.incident import IncidentState
from alertd.model.mode import Mode
from alertd.model.notification import NotificationState
from alertd.model.outcome import Failed
from alertd.model.people import DutyShift
from alertd.model.reason import Reason
from tests.engine.play import START_US, Play
from tests.engine.school import OAK, registry, schedule

FORBIDDEN = ("all clear", "safe", "false alarm")


def test_a_lockdown_goes_to_releasing_and_closes_when_rooms_were_released() -> None:
    """Req 44: never cleared by a broadcast."""
    play = Play()
    play.press()
    play.news()
    play.resolve()
    assert play.incident.state is IncidentState.RELEASING
    assert play.said() == []
    play.resolve(rooms_released=True)

    assert not play.state.incidents
    assert {k for _, k in play.said()} == {"closing", "dispatch_closed"}


def test_staff_in_locked_rooms_get_no_closing_text() -> None:
    play = Play()
    play.press()
    play.resolve()
    play.news()
    play.resolve(rooms_released=True)

    assert "Diaz" not in {r for r, _ in play.said()}


def test_closing_withdraws_what_was_not_sent() -> None:
    play = Play()
    play.press("badge-204", 3)
    play.resolve()

    assert play.row_to("Ruiz").state is NotificationState.WITHDRAWN


def test_a_room_is_released_by_name() -> None:
    play = Play()
    play.press()
    play.resolve(zone_id="204")

    assert play.incident.released == ("204",)
    assert play.incident.state is IncidentState.RELEASING


def test_a_press_while_rooms_are_released_is_news() -> None:
    play = Play()
    play.press()
    play.resolve()
    play.news()
    play.press("badge-118")

    assert play.incident.state is IncidentState.ACTIVE
    assert ("Ruiz", "also") in play.said()


def test_a_correction_goes_to_exactly_those_who_were_told() -> None:
    """Req 87: one action, the same recipients."""
    play = Play()
    play.press()
    told = {n.recipient for n in play.news()}
    play.correct()
    corrected = play.news()

    assert {n.recipient for n in corrected} == told
    assert {n.kind.value for n in corrected} == {"correction", "dispatch_cancel_request"}


def test_a_correction_never_says_all_clear_to_locked_rooms() -> None:
    play = Play()
    play.press()
    play.news()
    play.correct()
    texts = [n.text for n in play.news() if n.text]

    assert texts
    assert not [t for t in texts if any(word in t.lower() for word in FORBIDDEN)]
    assert all("LOCKED" in t for t in texts)
    assert play.incident.state is IncidentState.RELEASING


def test_a_correction_stops_the_escalation() -> None:
    play = Play()
    play.press()
    play.correct()
    play.news()
    play.wait(600)

    assert {k for _, k in play.said()} <= {"dispatch_new", "update"}


def test_a_trouble_is_told_once_and_repeated_until_somebody_looks_after_it() -> None:
    """Req 29."""
    play = Play()
    raised = TroubleRaised(site_id=OAK, key="broker", summary="The broker is away")
    play.do(raised)
    play.do(raised)
    assert play.said() == [("Ruiz", "trouble")]
    play.wait(4 * 3600 + 1)
    assert play.said() == [("Ruiz", "trouble")]
    play.do(TroubleCleared(site_id=OAK, key="broker"))
    assert "over" in play.texts_to("Ruiz")[-1]
    play.news()
    play.wait(24 * 3600)

    assert play.said() == []


def test_a_trouble_of_the_district_reaches_its_people() -> None:
    play = Play(site_id=DISTRICT)
    play.do(TroubleRaised(site_id=DISTRICT, key="disk", summary="The disk is full", rings=True))

    assert play.said() == [("Ruiz", "trouble")]


def test_a_malformed_message_is_a_trouble() -> None:
    play = Play(site_id=DISTRICT)
    arrival = Arrival(
        source="mqtt", topic="alertd/press/x", signals=(), received_us=START_US, arrival_id="1", refused="not JSON"
    )
    (event,) = route(play.registry, arrival)
    assert isinstance(event, Malformed)
    play.do(event)

    assert "not JSON" in play.texts_to("Ruiz")[0]


def test_a_clock_step_is_written_down_and_moves_no_timer() -> None:
    """Whoever looks after the server is told by the clock watch, once, not by every school."""
    play = Play()
    play.press()
    timers = dict(play.timers)
    play.news()
    play.do(ClockStepped(site_id=OAK, step_us=3_600_000_000))

    assert play.entries[-1].text == "the wall clock stepped by +3600.0 s"
    assert play.timers == timers
    assert play.news() == []


def test_the_fallback_pages_the_whole_site_without_the_engine() -> None:
    play = Play()
    (event,) = route(
        play.registry,
        Arrival(
            source="mqtt",
            topic="t",
            signals=(play.arrive("badge-204", count=1)[0].signal,),  # type: ignore[union-attr]
            received_us=START_US,
            arrival_id="9",
        ),
    )
    facts = Facts(registry=play.registry)
    decision = fallback.page(play.state, facts, event, Now(wall_us=START_US, boot_us=0), "ZeroDivisionError")

    assert {r.notification.recipient for r in decision.notifications} == {"Ruiz", "Chen", "Nurse", "Okafor", "Diaz"}
    assert "Rm 204, 2nd fl East: PANIC BUTTON 10:42" in decision.notifications[0].notification.text
    assert decision.cause == event.cause  # type: ignore[union-attr]
    assert all(r.notification.reason is Reason.FALLBACK for r in decision.notifications)


def test_a_person_is_tested_in_mode_test_only() -> None:
    """Promise 3."""
    play = Play()
    play.do(TestOrdered(site_id=OAK, cause=CauseId("t1"), by="admin", person_id=PersonId("ruiz")))
    (note,) = play.news()

    assert note.mode is Mode.TEST
    assert "TEST" in note.text


@pytest.mark.parametrize(
    ("moment", "on"),
    [
        ("2026-11-01T05:30+00:00", True),  # 01:30 EDT, the first 01:30 of the night
        ("2026-11-01T06:30+00:00", True),  # 01:30 EST, the second
        ("2026-11-01T06:59+00:00", True),
        ("2026-11-01T07:01+00:00", False),  # 02:01 EST
        ("2026-11-01T04:59+00:00", False),
        ("2026-03-08T06:30+00:00", True),  # 01:30 EST before the gap
    ],
)
def test_a_shift_lasts_through_the_night_the_clock_changes(moment: str, on: bool) -> None:
    """Overlap, never a gap."""
    shift = DutyShift(person_id=PersonId("ruiz"), days=(7,), start="01:00", end="02:00")
    at_us = int(datetime.fromisoformat(moment).astimezone(UTC).timestamp() * 1e6)
    found = on_duty(registry(), schedule("America/New_York", shift), at_us)

    assert [p.name for p in found] == (["Ruiz"] if on else [])


def test_a_shift_over_midnight_belongs_to_the_day_it_began() -> None:
    shift = DutyShift(person_id=PersonId("ruiz"), days=(1,), start="22:00", end="06:00")
    tuesday_2am = int(datetime(2026, 3, 3, 7, 0, tzinfo=UTC).timestamp() * 1e6)

    assert on_duty(registry(), schedule("America/New_York", shift), tuesday_2am)


def test_a_text_that_is_too_long_loses_words_and_never_its_code() -> None:
    text = render(
        "{site} {where}: LOCKDOWN {time}. {who}. Call 911 now. Reply 4{token} going, 6{token} cannot go.",
        {"site": "OAK", "where": "W" * 120, "time": "10:42", "who": "Somebody's badge " * 4, "token": "17"},
    )

    assert len(text) <= 160
    assert text.endswith("Reply 417 going, 617 cannot go.")


def test_a_template_with_an_unknown_placeholder_is_still_sent() -> None:
    assert render("{site} {nonsense}{0}: PANIC", {"site": "OAK"}) != ""


def test_an_outcome_that_cannot_be_handled_is_settled_and_not_heard_for_ever() -> None:
    play = Play()
    event = OutcomeReported(
        site_id=OAK, notification_id=NotificationId("n-1"), epoch=1, outcome=Failed(permanent=False, code="503")
    )
    decision = fallback.page(play.state, Facts(registry=play.registry), event, Now(wall_us=0, boot_us=0), "KeyError")

    assert [(c.state, c.reason) for c in decision.changes] == [(NotificationState.FAILED, Reason.POISON)]


def test_a_lockdown_whose_rooms_were_released_passes_through_releasing() -> None:
    play = Play()
    play.press()
    play.resolve(rooms_released=True)

    assert not play.state.incidents
    steps = [e.reason for e in play.entries if e.kind is EntryKind.INCIDENT]
    assert steps == [Reason.OPENED, Reason.RELEASING, Reason.CLOSED]
