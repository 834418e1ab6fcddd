"""Claims, life cycles and endings: what may follow what."""

import pytest
from msgspec.structs import replace

from alertd.model.events import CorrectionOrdered, ResolveOrdered
from alertd.model.ids import CauseId, IncidentId, NotificationId, PersonId
from alertd.model.incident import Answer, AnswerKind, EscalationState, IncidentClass, IncidentState
from alertd.model.notification import Kind, NotificationChange
from alertd.model.notification import NotificationState as N
from alertd.model.outcome import Failed
from alertd.model.reason import Reason
from alertd.model.timer import TimerKind
from alertd_simulator.checkers.endings import OnlyHumansEnd
from alertd_simulator.checkers.sending import AfterTheEnd, Expiry, LifeCycle, OneClaimOneTry
from alertd_simulator.checkers.timing import PunctualTimers, StepsInTime
from alertd_simulator.world.happenings import ClockMoved, Crashed, FaultBegan, Moved, TextStatus
from tests.engine.school import OAK
from tests.simulator.checkers.story import WALL_US, S, Story, clicked, fired, outcome, pressed, replied, text, timer


def resolve(*, rooms_released: bool = True) -> ResolveOrdered:
    return ResolveOrdered(
        site_id=OAK, cause=CauseId("resolve"), incident_id=IncidentId("i-1"), by="Ruiz", rooms_released=rooms_released
    )


def correct() -> CorrectionOrdered:
    return CorrectionOrdered(
        site_id=OAK, cause=CauseId("correct"), incident_id=IncidentId("i-1"), by="Ruiz", reason="mistake"
    )


CLOSED = {"state": IncidentState.CLOSED, "escalation": EscalationState.STOPPED}
RELEASING = {"state": IncidentState.RELEASING, "escalation": EscalationState.STOPPED}


# --- after the end ---------------------------------------------------------------------------------------------------


def test_what_was_claimed_before_the_end_may_leave_after_it() -> None:
    story = Story(AfterTheEnd).start().opened(text()).moved(N.QUEUED, N.CLAIMED).at(5).changed(resolve(), **CLOSED)
    assert story.at(6).attempted().violations == []


@pytest.mark.parametrize("kind", [Kind.ALERT, Kind.UPDATE, Kind.DISPATCH_NEW, Kind.EXHAUSTED])
def test_a_claim_after_the_incident_is_closed_is_found(kind) -> None:
    story = Story(AfterTheEnd).start().opened(text(kind=kind)).moved(N.QUEUED).at(5).changed(resolve(), **CLOSED)
    assert any("after its incident was closed" in words for words in story.at(6).moved(N.CLAIMED).violations)


@pytest.mark.parametrize("kind", [Kind.CORRECTION, Kind.CLOSING, Kind.ANSWER, Kind.DISPATCH_CLOSED])
def test_closing_notices_corrections_and_answers_outlive_the_incident(kind) -> None:
    story = Story(AfterTheEnd).start().opened(text(kind=kind)).at(5).changed(resolve(), **CLOSED)
    assert story.at(6).moved(N.CLAIMED).violations == []


def test_nobody_is_called_to_what_a_human_said_is_a_mistake_unless_somebody_presses_again() -> None:
    story = Story(AfterTheEnd).start().opened(text()).moved(N.CLAIMED, N.QUEUED).at(5).changed(correct(), **RELEASING)
    assert any("had said that it is over" in words for words in story.at(6).moved(N.CLAIMED).violations)
    story = Story(AfterTheEnd).start().opened(text()).at(5).changed(correct(), **RELEASING).at(9)
    story.changed(pressed(), text("n-2"), state=IncidentState.ACTIVE, escalation=EscalationState.RUNNING)
    assert story.at(10).moved(N.CLAIMED, id_="n-2").violations == []


def test_a_claim_is_not_kept_for_later() -> None:
    story = Story(AfterTheEnd).start().opened(text()).moved(N.CLAIMED).at(5).changed(resolve(), **CLOSED)
    assert any("more than a lease" in words for words in story.at(70).attempted().violations)


# --- expiry ----------------------------------------------------------------------------------------------------------


def test_nothing_is_claimed_past_its_expiry() -> None:
    assert Story(Expiry).start().opened(text()).at(299).moved(N.CLAIMED).violations == []
    late = Story(Expiry).start().opened(text()).at(330).moved(N.CLAIMED).violations
    assert any("after it expired" in words for words in late)


@pytest.mark.parametrize("by_s", [-600.0, 0.0, 600.0])
def test_no_step_of_the_clock_makes_a_text_older_or_younger(by_s: float) -> None:
    def stepped() -> Story:
        return Story(Expiry).start().opened(text()).at(10).see(ClockMoved, by_s=by_s, wall_us=WALL_US + round(by_s) * S)

    assert stepped().at(60).moved(N.CLAIMED).violations == []
    assert len(stepped().at(400).moved(N.CLAIMED).violations) == 1
    assert len(stepped().at(60).moved(N.EXPIRED).violations) == 1
    assert stepped().at(400).moved(N.EXPIRED).violations == []


def test_after_a_power_cut_expiry_is_what_the_machines_clock_shows() -> None:
    def cut(by_s: int) -> Story:
        story = Story(Expiry).start().opened(text()).at(5).see(Crashed, incarnation=1, where="power", power=True)
        return story.start().at(10).see(ClockMoved, by_s=float(by_s), wall_us=WALL_US + (10 + by_s) * S)

    assert cut(-600).at(400).moved(N.CLAIMED).violations == []
    assert cut(600).at(12).moved(N.CLAIMED).violations == []  # the claim may have been made before
    assert len(cut(600).at(60).moved(N.CLAIMED).violations) == 1
    assert cut(600).at(12).moved(N.EXPIRED).violations == []


@pytest.mark.parametrize("by_s", [-7200, 7200])
def test_a_clock_that_was_set_before_the_power_went_makes_nothing_older_or_younger(by_s: int) -> None:
    def set_and_cut(set_s: int) -> Story:
        story = Story(Expiry).start().opened(text()).at(set_s)
        story.see(ClockMoved, by_s=float(by_s), wall_us=WALL_US + (set_s + by_s) * S)
        return story.at(60).see(Crashed, incarnation=1, where="power", power=True).at(80).start()

    assert set_and_cut(10).at(200).moved(N.CLAIMED).violations == []
    assert len(set_and_cut(10).at(200).moved(N.EXPIRED).violations) == 1
    assert len(set_and_cut(10).at(400).moved(N.CLAIMED).violations) == 1
    assert set_and_cut(10).at(400).moved(N.EXPIRED).violations == []
    unnoticed = set_and_cut(58).at(200 if by_s > 0 else 400).moved(N.EXPIRED if by_s > 0 else N.CLAIMED)
    assert unnoticed.violations == [], "alertd cannot know of a step that came just before the power went"


@pytest.mark.parametrize("is_merged", [True, False])
def test_what_memory_held_is_as_old_as_it_is_if_the_disk_had_it_before_the_power_went(is_merged: bool) -> None:
    """Seed 2722: the disk had room again, and a process was just back when the power went."""
    row = text()
    story = Story(Expiry).start().opened(row, durable=False).at(100).see(Crashed, incarnation=1, where="claim").start()
    story.see(Crashed, incarnation=2, where="mqtt.connect", power=True).at(110).start()
    story.judge.reread((), (row,) if is_merged else ())
    if not is_merged:
        story.opened(row)  # the press came again
    story.at(200).moved(N.EXPIRED)
    assert len(story.violations) == 1
    story.at(305).moved(N.QUEUED, N.EXPIRED)
    assert len(story.violations) == (1 if is_merged else 2)
    story.at(330).moved(N.CLAIMED)
    assert len(story.violations) == 2


def test_an_attempt_begins_within_its_lease() -> None:
    story = Story(Expiry).start().opened(text()).at(1).moved(N.CLAIMED).at(50).attempted()
    assert story.violations == []
    assert any("a lease that was over" in words for words in story.at(62).attempted().violations)


# --- one claim, one try ----------------------------------------------------------------------------------------------


def test_one_claim_is_one_try_and_the_next_has_a_higher_epoch() -> None:
    story = Story(OneClaimOneTry).start().opened(text()).moved(N.CLAIMED).attempted().ended()
    story.moved(N.UNKNOWN, N.QUEUED, N.CLAIMED).attempted(epoch=2, attempt=2)
    assert story.violations == []


@pytest.mark.parametrize("durable", [False, True])
def test_what_only_memory_had_claimed_may_be_tried_again_once_the_power_went(durable: bool) -> None:
    """The claim, not the last decision before it, says whether the disk knows of the attempt."""
    story = Story(OneClaimOneTry).start().opened(text())
    story.see(Moved, notification_id=NotificationId("n-1"), before=N.QUEUED, after=N.CLAIMED, durable=durable)
    story.attempted().see(Crashed, incarnation=1, where="power", power=True).start()
    story.moved(N.QUEUED, N.CLAIMED).attempted()
    assert bool(story.violations) == durable


@pytest.mark.parametrize(
    ("tell", "wrong"),
    [
        (lambda s: s.attempted(), "without a claim"),
        (lambda s: s.moved(N.CLAIMED).attempted().ended().attempted(), "epoch 1 after 1"),
        (lambda s: s.moved(N.CLAIMED).attempted().attempted(epoch=2), "another attempt is under way"),
        (lambda s: s.moved(N.CLAIMED, N.ACCEPTED).attempted(), "while it is accepted"),
    ],
)
def test_a_try_without_a_claim_of_its_own_is_found(tell, wrong) -> None:
    found = tell(Story(OneClaimOneTry).start().opened(text())).violations
    assert any(wrong in words for words in found)


def test_after_a_crash_the_next_life_may_try_again() -> None:
    story = Story(OneClaimOneTry).start().opened(text()).moved(N.CLAIMED).attempted()
    story.see(Crashed, incarnation=1, where="http.send 3 during").start()
    story.judge.reread([story.incident], [text(state=N.CLAIMED)])
    assert story.moved(N.UNKNOWN, N.QUEUED, N.CLAIMED).attempted(epoch=2).violations == []


# --- life cycles -----------------------------------------------------------------------------------------------------


def test_a_row_goes_along_its_life_cycle() -> None:
    story = Story(LifeCycle).start().opened(text())
    story.moved(N.QUEUED, N.CLAIMED, N.UNKNOWN, N.QUEUED, N.CLAIMED, N.ACCEPTED, N.SENT, N.DELIVERED, N.FAILED)
    assert story.violations == []


@pytest.mark.parametrize(
    "states",
    [
        (N.DELIVERED,),
        (N.CLAIMED, N.DELIVERED, N.SENT),
        (N.CLAIMED, N.FAILED, N.QUEUED),
        (N.WITHDRAWN, N.CLAIMED),
        (N.EXPIRED, N.QUEUED),
    ],
)
def test_knowledge_that_goes_back_and_ends_that_are_none_are_found(states) -> None:
    assert len(Story(LifeCycle).start().opened(text()).moved(*states).violations) == 1


@pytest.mark.parametrize(
    ("event", "changes", "wrong"),
    [
        (resolve(), CLOSED, "without releasing"),
        (resolve(rooms_released=False), RELEASING, ""),
        (correct(), RELEASING, ""),
        (replied(), RELEASING, "ended by no human"),
        (fired(timer()), CLOSED, "ended by no human"),
        (replied(), {"incident_class": IncidentClass.HOLD}, "became less grave"),
        (fired(timer()), {"escalation": EscalationState.EXHAUSTED}, ""),
        (outcome(), {"escalation": EscalationState.PAUSED}, "what a carrier said"),
        (pressed(), {"token": "99"}, "changed its site, mode or token"),
    ],
)
def test_only_humans_end_a_panic(event, changes, wrong) -> None:
    if wrong == "without releasing":
        event = resolve(rooms_released=False)
    story = Story(OnlyHumansEnd).start().opened(text()).changed(event, **changes)
    assert [wrong in words for words in story.violations] == ([True] if wrong else [])


def test_exhausted_is_no_end_and_closed_is_one() -> None:
    story = Story(OnlyHumansEnd).start().opened(text(), escalation=EscalationState.EXHAUSTED)
    assert len(story.changed(fired(timer()), escalation=EscalationState.RUNNING).violations) == 1
    story = Story(OnlyHumansEnd).start().opened(text()).changed(resolve(), **CLOSED)
    assert len(story.changed(clicked(), state=IncidentState.ACTIVE).violations) == 1


# --- timers ----------------------------------------------------------------------------------------------------------


def with_timer(delay_s: float = 120.0) -> Story:
    return Story(PunctualTimers).start().at(1).committed(pressed(), timers=(timer(delay_s=delay_s),))


def test_a_timer_fires_when_its_time_is_over() -> None:
    assert with_timer().at(121.5).committed(fired(timer(delay_s=120.0))).at(400).end() == []


def test_a_timer_that_a_clock_step_fires_early_is_found() -> None:
    story = with_timer().at(20).see(ClockMoved, by_s=3600.0, wall_us=WALL_US).committed(fired(timer(delay_s=120.0)))
    assert any("s early" in words for words in story.violations)


def test_a_timer_that_is_lost_is_found() -> None:
    story = with_timer().at(130).committed(outcome())
    assert story.violations == []
    assert any("s late" in words for words in story.at(170).end())


def test_a_timer_may_be_late_while_the_disk_fails_and_is_unknown_after_a_power_cut() -> None:
    assert with_timer().at(100).see(FaultBegan, fault="disk_fails").at(500).end() == []
    assert with_timer().at(100).see(Crashed, incarnation=1, where="power", power=True).start().at(500).end() == []


# --- steps -----------------------------------------------------------------------------------------------------------

NEXT = {"step": 1}
"""LOCKDOWN waits 30 s for its first step, and 60 s for its second."""


def lockdown_at(seconds: float) -> Story:
    return Story(StepsInTime).start().at(seconds).opened()


def test_the_next_ones_are_asked_when_the_step_has_had_its_time() -> None:
    story = lockdown_at(30).at(60).changed(fired(timer()), **NEXT)
    story.at(120.2).changed(fired(timer()), step=2, round=1, escalation=EscalationState.EXHAUSTED)
    story.at(240).changed(fired(timer(TimerKind.WIDEN)), round=2)
    assert story.at(350).end() == []


@pytest.mark.parametrize(("at_s", "found"), [(50, "asked after 20 s, not 30 s"), (58, ""), (73, "43 s gone")])
def test_a_step_that_is_given_too_little_or_too_much_time_is_found(at_s, found) -> None:
    story = lockdown_at(30)
    if at_s > 60:
        story.at(61).committed(outcome())
    story.at(at_s).changed(fired(timer()), **NEXT)
    assert [found in words for words in story.violations] == ([True] if found else [])


def test_a_widening_that_comes_too_soon_or_never_is_found() -> None:
    story = lockdown_at(30).at(60).changed(fired(timer()), step=2, round=1, escalation=EscalationState.EXHAUSTED)
    story.at(100).changed(fired(timer(TimerKind.WIDEN)), round=2)
    assert any("after 40 s, not 120 s" in words for words in story.violations)
    story.at(221).committed(outcome())
    assert any("nobody else is asked" in words for words in story.at(240).end())


def test_a_search_that_begins_anew_gives_its_step_the_whole_time_again() -> None:
    """A timer of before the pause must not end it."""
    story = lockdown_at(30).at(40).answered(replied()).at(50)
    story.changed(pressed("badge-118"), escalation=EscalationState.RUNNING, generation=2)
    assert any("after 10 s, not 30 s" in words for words in story.at(60).changed(fired(timer()), **NEXT).violations)


def test_who_cannot_go_makes_the_next_ones_be_asked_at_once() -> None:
    story = lockdown_at(30)
    answer = Answer(person_id=PersonId("ruiz"), name="Ruiz", kind=AnswerKind.CANNOT_GO, at_us=1, via="sms", covers=1)
    story.at(35).changed(replied("617"), answers=(answer,), **NEXT)
    assert story.at(95).changed(fired(timer()), step=2, round=1, escalation=EscalationState.EXHAUSTED).violations == []


def test_words_and_other_answers_do_not_make_the_next_ones_be_asked() -> None:
    assert any("after 5 s" in words for words in lockdown_at(30).at(35).changed(replied("hm"), **NEXT).violations)
    widened = {"step": 2, "round": 1, "escalation": EscalationState.EXHAUSTED}
    answer = Answer(person_id=PersonId("ruiz"), name="Ruiz", kind=AnswerKind.CANNOT_GO, at_us=1, via="sms", covers=1)
    story = lockdown_at(30).at(60).changed(fired(timer()), **NEXT).at(120).changed(fired(timer()), **widened)
    story.at(200).changed(replied("617"), answers=(answer,))
    assert story.at(240).changed(fired(timer(TimerKind.WIDEN)), round=2).violations == []


def test_nobody_is_looked_for_while_somebody_goes_and_nobody_knows_the_time_after_a_power_cut() -> None:
    assert lockdown_at(30).at(40).answered(replied()).at(300).end() == []
    story = lockdown_at(30).at(40).see(Crashed, incarnation=1, where="power", power=True).start()
    assert story.at(300).end() == []


@pytest.mark.parametrize("after", [N.QUEUED, N.FAILED])
def test_another_attempt_that_fails_takes_nothing_back_of_what_was_delivered(after: N) -> None:
    """Seed 2769: while a second text was on its way to a carrier in trouble, the first was delivered."""

    def delivered() -> Story:
        story = Story(LifeCycle).start().opened(text()).moved(N.CLAIMED).taken()
        return story.moved(N.DELIVERED).see(TextStatus, sid="SM1", status="delivered")

    failed = outcome(what=Failed(permanent=False, code="http_302", detail="busy"))
    changes = (NotificationChange(id=NotificationId("n-1"), state=after, reason=Reason.RETRYING),)
    story = delivered().committed(failed, changes=changes)
    assert ["by another attempt, and was delivered" in words for words in story.violations] == [True]
    recanted = delivered().see(TextStatus, sid="SM1", status="undelivered")
    assert recanted.committed(failed, changes=changes).violations == []
    carriers = delivered().committed(replace(failed, epoch=None), changes=changes)
    assert carriers.violations == [], "the carrier's own word"
