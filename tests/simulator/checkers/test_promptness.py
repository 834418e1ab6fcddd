"""Promise 2 and what follows from a press: at once, never silent, and to everybody who was told."""

from typing import Any

import pytest
from msgspec.structs import replace

from alertd.model.anchor import Anchor
from alertd.model.decision import Confirmation, FeedbackState
from alertd.model.drill import DrillState
from alertd.model.events import Signal, TroubleCleared
from alertd.model.ids import DISTRICT, DeviceId, IncidentId, NotificationId, PersonId
from alertd.model.incident import (
    Answer,
    AnswerKind,
    DispatchState,
    DispatchStatus,
    EscalationState,
    IncidentClass,
    IncidentState,
)
from alertd.model.mode import Mode
from alertd.model.notification import Kind, NotificationChange
from alertd.model.notification import NotificationState as N
from alertd.model.reason import Reason
from alertd.model.timer import TimerKind
from alertd_simulator.checkers.knowledge import Deliveries, DispatchWord, HonestFeedback
from alertd_simulator.checkers.news import FurtherRoom, LateWaits
from alertd_simulator.checkers.promptness import FirstText, NeverSilent
from alertd_simulator.checkers.reasons import Reasons
from alertd_simulator.world.happenings import (
    ClockMoved,
    Committed,
    Crashed,
    DispatchSaid,
    DispatchTook,
    FaultBegan,
    FaultEnded,
    FeedbackShown,
    TextStatus,
)
from tests.engine.school import OAK
from tests.simulator.checkers.story import (
    SCHOOL,
    WALL_US,
    S,
    Story,
    fired,
    outcome,
    press,
    pressed,
    replied,
    text,
    timer,
    to_dispatch,
    told,
)
from tests.simulator.checkers.test_drill_is_real import drill

# --- the first text --------------------------------------------------------------------------------------------------


def test_a_panics_first_text_begins_at_once() -> None:
    story = Story(FirstText).start().at(60).opened(text())
    assert story.at(61).attempted().at(300).end() == []


def test_a_panic_that_waits_behind_a_storm_is_found() -> None:
    story = Story(FirstText).start().at(60).opened(text())
    story.at(65).attempted(text("n-vape", incident_id="i-vape")).at(75)
    assert any(
        "no text has begun" in words for words in story.attempted(text("n-vape", incident_id="i-vape")).violations
    )


@pytest.mark.parametrize(("state", "wrong"), [(DrillState.RUNNING, 1), (DrillState.ENDED, 0)])
def test_only_of_a_drill_that_is_over_no_text_has_to_follow(state, wrong) -> None:
    """Seed 2583: a press that the engine could not handle stopped it. Its incident was closed by its next timer."""
    row = text(mode=Mode.DRILL)
    before = drill(incident_ids=(row.notification.incident_id,))
    story = Story(FirstText).start().at(60).opened(row, mode=Mode.DRILL)
    story.committed(pressed("badge-9"), drill=replace(before, state=state, ended_because=Reason.DRILL_IS_REAL))

    assert len(story.at(80).end()) == wrong


def test_a_drill_that_is_over_excuses_nobody_from_what_is_real() -> None:
    over = drill(state=DrillState.ENDED, ended_because=Reason.DRILL_IS_REAL, incident_ids=(IncidentId("i-0"),))
    story = Story(FirstText).start().at(60).opened(text())
    story.committed(pressed("badge-9"), drill=over)

    assert len(story.at(80).end()) == 1


def test_a_message_to_dispatch_is_no_text() -> None:
    story = Story(FirstText).start().at(60).opened(text(), to_dispatch()).at(61).attempted(to_dispatch())
    assert any("no text has begun" in words for words in story.at(90).end())


def test_while_the_carrier_is_away_nobody_can_be_texted() -> None:
    story = Story(FirstText).start().at(60).see(FaultBegan, fault="carrier_weather").opened(text())
    assert story.at(600).end() == []
    story = Story(FirstText).start().at(60).see(FaultBegan, fault="carrier_weather").opened(text())
    assert len(story.at(70).see(FaultEnded, fault="carrier_weather").at(120).end()) == 1


@pytest.mark.parametrize(
    ("state", "incident_class", "found"),
    [
        (IncidentState.ACTIVE, IncidentClass.LOCKDOWN, 1),
        (IncidentState.ACTIVE, IncidentClass.STAFF_ASSIST, 1),
        (IncidentState.CANCEL_WINDOW, IncidentClass.STAFF_ASSIST, 0),
        (IncidentState.CANCEL_WINDOW, IncidentClass.LOCKDOWN, 1),
        (IncidentState.CANCEL_WINDOW, IncidentClass.MEDICAL, 1),
    ],
)
def test_a_panic_that_tells_nobody_is_found_and_only_staff_assist_may_wait(state, incident_class, found) -> None:
    story = Story(FirstText).start().opened(state=state, incident_class=incident_class)
    assert len(story.violations) == found


@pytest.mark.parametrize(("why", "found"), [(Reason.CHANNEL_BROKEN, 1), (Reason.OPTED_OUT, 0)])
def test_no_belief_about_a_channel_silences_a_panic(why, found) -> None:
    everybody = [
        text(f"n-{p.id}", endpoint=p.endpoints[0], state=N.SUPPRESSED, why=why) for p in SCHOOL.site_staff[OAK]
    ]
    assert len(Story(FirstText).start().opened(*everybody).violations) == found


def test_an_upgrade_is_told_as_promptly_as_a_first_panic() -> None:
    story = Story(FirstText).start().at(60).opened(text(), incident_class=IncidentClass.STAFF_ASSIST).attempted()
    story.at(70).changed(pressed(), text("n-2"), incident_class=IncidentClass.LOCKDOWN)
    assert len(story.at(100).end()) == 1


# --- never silent ----------------------------------------------------------------------------------------------------


def test_a_lockdown_that_goes_on_calling_is_not_silent() -> None:
    story = Story(NeverSilent).start().at(30).opened(text())
    for seconds in range(31, 1200, 120):
        story.at(seconds).attempted()
    assert story.end() == []


def test_a_lockdown_that_falls_silent_is_found() -> None:
    story = Story(NeverSilent).start().at(30).opened(text()).attempted()
    assert any("silent for" in words for words in story.at(215).end())


@pytest.mark.parametrize(
    "changes",
    [{"escalation": EscalationState.PAUSED}, {"state": IncidentState.RELEASING, "escalation": EscalationState.STOPPED}],
)
def test_when_somebody_goes_or_it_is_over_silence_is_allowed(changes) -> None:
    story = Story(NeverSilent).start().at(30).opened(text()).attempted().at(40).changed(replied(), **changes)
    assert story.at(900).end() == []


# --- a further room, a late press ------------------------------------------------------------------------------------

CENTER = DispatchStatus(
    destination_id="psap", state=DispatchState.ACCEPTED, sequence=1, last_message_id=NotificationId("d-1"), told_us=0
)
BOTH = (press(), press("badge-118", "118"))
ALSO = text("n-2", kind=Kind.ALSO, reason=Reason.NEWS)
UPDATE = to_dispatch("d-2", kind=Kind.DISPATCH_UPDATE, reason=Reason.NEWS)


@pytest.mark.parametrize(
    ("rows", "presses", "wrong"),
    [
        ((ALSO, UPDATE), BOTH, ""),
        ((UPDATE,), BOTH, "ruiz is not told"),
        ((ALSO,), BOTH, "psap is not told"),
        ((ALSO, UPDATE), (press(),), "forgets the press of badge-118 in 118"),
    ],
)
def test_a_further_room_is_always_told(rows, presses, wrong) -> None:
    story = Story(FurtherRoom).start().opened(text(), told=(told(),), dispatch=(CENTER,))
    story.at(20).changed(pressed("badge-118"), *rows, presses=presses)
    assert [wrong in words for words in story.violations] == ([True] if wrong else [])


def test_a_step_of_the_clock_that_comes_with_the_press_is_no_press() -> None:
    """The first decision after it brings what is open into the time of now: here, one press of eight."""
    story = Story(FurtherRoom).start().opened(text(), told=(told(),), dispatch=(CENTER,)).at(20)
    moved = tuple(replace(p, known_us=p.known_us + 5) for p in story.incident.presses)
    assert story.changed(pressed("badge-118"), presses=moved, upgraded_us=5).violations == []


def test_the_same_button_again_is_no_news_and_a_wearable_elsewhere_is() -> None:
    story = Story(FurtherRoom).start().opened(text(), told=(told(),)).at(9).changed(pressed())
    assert story.violations == []
    here = (press("walker", "118"),)
    story = Story(FurtherRoom).start().opened(text(), presses=here, told=(told(),)).at(9)
    story.changed(pressed("walker", heard_by="gw-oak"))
    assert story.violations == []
    story = Story(FurtherRoom).start().opened(text(), presses=(press("walker", "204"),), told=(told(),)).at(9)
    assert len(story.changed(pressed("walker", heard_by="gw-oak")).violations) == 2


def said(kind: AnswerKind) -> dict[str, Any]:
    answer = Answer(person_id=PersonId("ruiz"), name="Ruiz", kind=kind, at_us=1, via="sms", covers=1)
    return {"answers": (answer,)}


@pytest.mark.parametrize(
    ("event", "changes", "wrong"),
    [
        (outcome(), {}, True),
        (fired(timer(TimerKind.STEP)), {}, True),
        (replied(), said(AnswerKind.GOING), False),
        (replied("617"), said(AnswerKind.CANNOT_GO), True),
        (replied("what happened?"), {}, True),
        (replied("917"), {"presses": (press(), press("badge-204", count=1))}, False),
        (fired(timer(TimerKind.LATE_CONFIRM)), {}, False),
        (pressed("badge-118"), {}, False),
    ],
)
def test_dispatch_hears_of_a_late_press_when_a_human_or_the_sites_time_says_so(event, changes, wrong) -> None:
    late = pressed(oldest_us=WALL_US - 400 * S)
    story = Story(LateWaits).start()
    story.committed(late, incidents=(story.incident,), notifications=(text(),))
    assert bool(story.at(50).changed(event, to_dispatch(), **changes).violations) == wrong


def test_dispatch_is_not_told_of_a_late_press_at_once() -> None:
    late = pressed(oldest_us=WALL_US - 400 * S)
    story = Story(LateWaits).start()
    assert len(story.committed(late, incidents=(story.incident,), notifications=(to_dispatch(),)).violations) == 1


def test_a_press_of_the_night_is_late_whatever_alertd_makes_of_it() -> None:
    """It waited at the broker for longer than a press may that is not late; that it calls itself new proves nothing."""
    story = Story(LateWaits).start().at(10).published().at(10 + 150).arrived()
    assert len(story.committed(pressed(), incidents=(story.incident,), notifications=(to_dispatch(),)).violations) == 1


def test_what_a_device_says_after_a_press_of_the_night_may_be_of_now() -> None:
    story = Story(LateWaits).start().at(10).published().at(155).published(2).at(160).arrived().arrived(2)
    assert not story.committed(pressed(), incidents=(story.incident,), notifications=(to_dispatch(),)).violations


def test_whose_clock_was_set_cannot_know_how_long_a_press_waited() -> None:
    story = Story(LateWaits).start().at(5).see(ClockMoved, by_s=-3_600.0, wall_us=WALL_US)
    story.at(10).published().at(160).arrived()
    assert not story.committed(pressed(), incidents=(story.incident,), notifications=(to_dispatch(),)).violations


# --- reasons ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("row", "wrong"),
    [
        (text(), ""),
        (text(state=N.SUPPRESSED, why=Reason.OPTED_OUT), ""),
        (text(state=N.SUPPRESSED, why=Reason.FIRST_WAVE), "is not sent because of first_wave"),
        (text(reason=Reason.EXPIRED), "is sent because of expired"),
        (text(text=""), "has no words"),
    ],
)
def test_every_notification_says_why(row, wrong) -> None:
    found = Story(Reasons).start().opened(row).violations
    assert [wrong in words for words in found] == ([True] if wrong else [])


@pytest.mark.parametrize(
    ("state", "reason", "right"),
    [
        (N.QUEUED, Reason.RETRYING, True),
        (N.FAILED, Reason.RETRYING, False),
        (N.EXPIRED, Reason.ATTEMPTS_EXHAUSTED, False),
        (N.FAILED, Reason.FAILED_PERMANENTLY, True),
        (N.ACCEPTED, Reason.NEWS, True),
    ],
)
def test_every_change_says_why(state, reason, right) -> None:
    change = NotificationChange(id=NotificationId("n-1"), state=state, reason=reason)
    assert (Story(Reasons).start().committed(outcome(), changes=(change,)).violations == []) is right


def test_an_event_without_an_entry_is_found() -> None:
    assert len(Story(Reasons).start().committed(outcome(), entries=()).violations) == 1
    cleared = TroubleCleared(site_id=DISTRICT, key="probe")
    assert Story(Reasons).start().committed(cleared, entries=()).violations == []


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({"presses": (press(known_us=WALL_US + 9 * S),), "anchor": Anchor(boot_id="boot-2", ahead_us=WALL_US)}, 0),
        ({"presses": (press(known_us=WALL_US + 9 * S, count=9),)}, 1),
        ({"escalation": EscalationState.STOPPED}, 1),
        ({"id": IncidentId("i-2")}, 1),
    ],
    ids=("stamps move", "a press is counted", "nobody is looked for", "another incident"),
)
def test_of_the_end_of_what_did_not_call_stamps_may_move_with_the_clock_and_nothing_else(changes, found) -> None:
    """It is the first that happens after a power cut, and every open incident is put into the time of the new boot."""
    signal = Signal(device_id=DeviceId("badge-204"), action="none", ends=True)
    story = Story(Reasons).start().opened()
    story.committed(pressed(signal=signal), entries=(), incidents=(replace(story.incident, **changes),))

    assert len(story.violations) == found


# --- knowledge -------------------------------------------------------------------------------------------------------


def test_what_the_carrier_took_and_said_is_known() -> None:
    story = Story(Deliveries).start().opened(text()).moved(N.CLAIMED).taken().moved(N.ACCEPTED)
    assert story.see(TextStatus, sid="SM1", status="delivered").moved(N.DELIVERED).violations == []


def test_what_the_carrier_never_had_or_said_is_not_known() -> None:
    story = Story(Deliveries).start().opened(text()).moved(N.CLAIMED, N.ACCEPTED)
    assert any("never took it" in words for words in story.violations)
    story = Story(Deliveries).start().opened(text()).moved(N.CLAIMED).taken()
    story.see(TextStatus, sid="SM1", status="sent").moved(N.DELIVERED)
    assert any("never said so" in words for words in story.violations)


def test_a_text_of_a_row_that_the_power_took_is_one_of_the_row_written_anew() -> None:
    """Seed 2769: only memory held it, the text says "now", and the row that was written anew "52 s ago"."""
    before, anew = text(text="Rm 204 (now) ALSO pressed"), text(text="Rm 204 (52 s) ALSO pressed")

    def reborn() -> Story:
        story = Story(Deliveries).start().opened(before, durable=False).moved(N.CLAIMED).taken(before).moved(N.ACCEPTED)
        story.at(20).see(Crashed, incarnation=1, where="power", power=True).start()
        return story.at(50).opened(anew).moved(N.CLAIMED)

    assert reborn().see(TextStatus, sid="SM1", status="delivered").moved(N.DELIVERED).violations == []
    assert reborn().moved(N.ACCEPTED).violations == []
    assert ["never said so" in words for words in reborn().moved(N.DELIVERED).violations] == [True]
    other = reborn().see(TextStatus, sid="SM1", status="delivered")
    other.opened(text("n-2", text="Rm 204 (52 s) ALSO pressed")).moved(N.CLAIMED, N.ACCEPTED, id_="n-2")
    assert ["never took it" in words for words in other.violations] == [True], "it left under another id"


def test_dispatch_has_what_is_called_delivered() -> None:
    took = {"type": "new", "mode": "live", "incident_id": "i-1", "site_id": "oak", "body": b"{}", "arrivals": 1}
    story = Story(Deliveries).start().opened(to_dispatch()).see(DispatchTook, message_id="d-1", **took)
    assert story.moved(N.CLAIMED, N.DELIVERED, id_="d-1").violations == []
    story = Story(Deliveries).start().opened(to_dispatch())
    assert len(story.moved(N.CLAIMED, N.DELIVERED, id_="d-1").violations) == 1


def test_only_a_dispatcher_accepts() -> None:
    story = Story(DispatchWord).start().see(DispatchSaid, incident_id="i-1", state="accepted")
    assert story.opened(text(), dispatch=(CENTER,)).violations == []
    assert len(Story(DispatchWord).start().opened(text(), dispatch=(CENTER,)).violations) == 1


def test_a_device_shows_received_only_for_what_is_committed() -> None:
    received = Confirmation(device_id=DeviceId("badge-204"), state=FeedbackState.RECEIVED)
    shown = {"device_id": DeviceId("badge-204"), "state": "received"}
    story = Story(HonestFeedback).start().committed(pressed(), confirmations=(received,)).see(FeedbackShown, **shown)
    assert story.violations == []
    assert len(story.see(FeedbackShown, **shown).violations) == 1
    story = Story(HonestFeedback).start().committed(pressed("badge-118"), confirmations=(received,))
    assert len(story.violations) == 1


def test_a_device_shows_that_somebody_comes_only_when_somebody_said_so() -> None:
    comes = Confirmation(device_id=DeviceId("badge-204"), state=FeedbackState.RESPONDER_ACCEPTED)
    story = Story(HonestFeedback).start()
    assert len(story.committed(replied(), incidents=(story.incident,), confirmations=(comes,)).violations) == 1


def test_a_checker_that_accuses_without_end_is_stopped() -> None:
    story = Story(Reasons).start()
    for number in range(100):
        story.committed(outcome(), entries=(), incidents=(), notifications=(text(f"n-{number}", text=""),))
    assert len(story.violations) == 20
    assert Committed in story.judge.checkers[0].sees
