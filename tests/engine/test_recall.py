"""Phones that ring for nothing any more: when that is decided, and what it is called when they have fallen silent."""

import pytest
from msgspec.structs import replace

from alertd.model.events import CorrectionOrdered, OutcomeReported, ResolveOrdered
from alertd.model.ids import CauseId
from alertd.model.incident import AnswerKind, Incident
from alertd.model.mode import Mode
from alertd.model.notification import Circumstances, NotificationRow, NotificationState, unwanted
from alertd.model.outcome import Accepted, Delivered, Failed, Sent, Withdrawn
from alertd.model.reason import Reason
from tests.engine.play import Play
from tests.engine.school import OAK
from tests.engine.test_calls import BUSY, calls, school

GONE = Withdrawn(ref="CA1", detail="canceled at Twilio before anybody took the call")


@pytest.fixture
def p() -> Play:
    return Play(school())


def ringing(p: Play, name: str) -> NotificationRow:
    """The call to that person, at the provider."""
    (row,) = [r for r in calls(p) if r.notification.recipient == name]
    p.wait(1)
    p.outcome(p.claim(row), Sent(ref="CA1"))
    return p.rows[row.notification.id]


def report(p: Play, row: NotificationRow, outcome: object) -> NotificationRow:
    p.do(
        OutcomeReported(
            site_id=OAK,
            notification_id=row.notification.id,
            epoch=row.epoch,
            outcome=outcome,  # type: ignore[arg-type]
        )
    )
    return p.rows[row.notification.id]


def is_wanted(row: NotificationRow, incident: Incident | None, *, drilling: bool = False) -> bool:
    return unwanted(row.notification, Circumstances.of(row.notification, incident, drill_running=drilling)) is None


# --- when it is decided ---------------------------------------------------------------------------------------------


def test_whoever_ends_it_has_ringing_phones_silenced(p: Play) -> None:
    p.press("badge-118")
    incident = p.incident
    ends = (
        ResolveOrdered(site_id=OAK, cause=CauseId("e1"), by="J. Ruiz", incident_id=incident.id),
        CorrectionOrdered(site_id=OAK, cause=CauseId("e2"), by="J. Ruiz", incident_id=incident.id, reason="a mistake"),
    )
    for end in ends:
        assert p.do(end).recall


def test_the_end_of_a_drill_does_so_too_and_so_does_a_real_press(p: Play) -> None:
    """Promise 3: nobody picks up a phone and hears of a drill after it."""
    p.drill("badge-118")
    p.press("badge-118")
    row = ringing(p, "Ruiz")
    assert row.notification.mode is Mode.DRILL
    assert is_wanted(row, p.incident, drilling=True)

    p.press("badge-204")

    after = report(p, row, GONE)
    assert (after.state, after.reason) == (NotificationState.WITHDRAWN, Reason.DRILL_OVER)


def test_an_answer_by_text_silences_the_phone_of_whoever_gave_it_and_no_other(p: Play) -> None:
    p.press("badge-118")
    ruiz, chen = ringing(p, "Ruiz"), ringing(p, "Chen")

    p.reply("Ruiz", "417")

    assert not is_wanted(p.rows[ruiz.notification.id], p.incident)
    assert is_wanted(chen, p.incident), "Chen has not answered"
    after = report(p, ruiz, GONE)
    assert (after.state, after.reason) == (NotificationState.WITHDRAWN, Reason.ANSWERED_OTHERWISE)


def test_cannot_go_is_an_answer_and_later_calls_ring_all_the_same(p: Play) -> None:
    """Nobody answered in the end: whoever could not go is asked again."""
    p.press("badge-118")
    row = ringing(p, "Ruiz")
    p.reply("Ruiz", "617")
    assert not is_wanted(row, p.incident)

    p.wait(200)

    again = [
        r for r in calls(p, None) if r.notification.recipient == "Ruiz" and r.notification.id != row.notification.id
    ]
    assert again, "the third step calls Ruiz"
    assert is_wanted(again[-1], p.incident)


def test_a_room_that_the_answer_does_not_know_of_goes_on_ringing(p: Play) -> None:
    p.press("badge-118")
    row = ringing(p, "Ruiz")
    p.press("badge-204")
    p.key(row, 4, presses=1)

    assert is_wanted(row, p.incident)


def test_the_phone_of_somebody_whose_own_badge_presses_falls_silent() -> None:
    """messages.md: it may lie in the hand that hides."""
    p = Play(school(people={"Okafor": ("first",)}))
    p.press("badge-118")
    row = ringing(p, "Okafor")

    p.press("badge-204")

    after = report(p, row, GONE)
    assert (after.state, after.reason) == (NotificationState.WITHDRAWN, Reason.PRESSER)


def test_a_call_that_was_being_placed_when_it_ended_is_taken_back_when_it_is_known(p: Play) -> None:
    p.press("badge-118")
    claimed = p.claim(calls(p)[0])
    p.resolve("Chen", rooms_released=True)

    event = OutcomeReported(
        site_id=OAK, notification_id=claimed.notification.id, epoch=claimed.epoch, outcome=Accepted(ref="CA1")
    )

    assert p.do(event).recall


def test_nothing_is_taken_back_of_what_is_wanted(p: Play) -> None:
    p.press("badge-118")
    claimed = p.claim(calls(p)[0])

    event = OutcomeReported(
        site_id=OAK, notification_id=claimed.notification.id, epoch=claimed.epoch, outcome=Accepted(ref="CA1")
    )

    assert not p.do(event).recall


# --- what it is called ----------------------------------------------------------------------------------------------


def test_what_rings_no_more_was_withdrawn_and_says_why(p: Play) -> None:
    """Promises 4 and 5: it is no delivery, no failure, and nobody is called instead."""
    p.press("badge-118")
    row = ringing(p, "Ruiz")
    p.resolve("Chen", rooms_released=True)
    before = len(p.rows)

    after = report(p, row, GONE)

    assert (after.state, after.reason) == (NotificationState.WITHDRAWN, Reason.INCIDENT_CLOSED)
    assert "withdrawn (canceled at Twilio before anybody took the call)" in p.entries[-1].text
    assert len(p.rows) == before


def test_what_was_heard_stays_heard(p: Play) -> None:
    p.press("badge-118")
    row = ringing(p, "Ruiz")
    p.outcome(row, Delivered(ref="CA1"))
    p.resolve("Chen", rooms_released=True)

    assert report(p, row, GONE).state is NotificationState.DELIVERED


def test_a_drills_call_that_was_cut_off_stays_what_it_was_and_the_timeline_says_so(p: Play) -> None:
    p.drill("badge-118")
    p.press("badge-118")
    row = ringing(p, "Ruiz")
    p.end_drill()

    after = report(p, row, replace(GONE, taken=True, detail="it was cut off"))

    assert after.state is NotificationState.SENT
    assert (p.entries[-1].reason, "it was cut off" in p.entries[-1].text) == (Reason.DRILL_OVER, True)


def test_what_somebody_canceled_at_the_provider_failed_and_another_endpoint_is_tried(p: Play) -> None:
    """Nobody here wanted it back: it is as lost as ever."""
    p.press("badge-118")
    row = ringing(p, "Ruiz")

    after = report(p, row, GONE)

    assert (after.state, after.reason) == (NotificationState.FAILED, Reason.FAILED_PERMANENTLY)


def test_whoever_has_answered_by_text_is_not_called_again_because_the_phone_was_busy(p: Play) -> None:
    """Here two must go, so the looking goes on."""
    lockdown = p.registry.policies[p.registry.sites[OAK].policies["lockdown"]]
    two = replace(lockdown, steps=(replace(lockdown.steps[0], answers=2), *lockdown.steps[1:]))
    p = Play(school(two))
    p.press("badge-118")
    row = ringing(p, "Ruiz")
    p.outcome(row, BUSY)

    p.reply("Ruiz", "417")
    p.wait(20)

    assert not [r for r in calls(p, None) if r.notification.redial]
    assert Reason.ANSWERED_OTHERWISE in p.reasons()


def test_whoever_answers_while_the_phone_rings_out_is_not_sought_elsewhere(p: Play) -> None:
    p.press("badge-118")
    row = ringing(p, "Ruiz")
    p.answer("Ruiz", AnswerKind.CANNOT_GO)
    before = {r.notification.id for r in p.rows.values() if r.notification.reason is Reason.OTHER_CHANNEL}

    report(p, row, Failed(permanent=True, code="sip_404"))

    assert {r.notification.id for r in p.rows.values() if r.notification.reason is Reason.OTHER_CHANNEL} == before
