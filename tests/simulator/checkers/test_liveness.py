"""Once everything has healed: everybody was asked, the asking goes on, and nothing is left undone."""

import pytest

from alertd.model.ids import DISTRICT
from alertd.model.incident import AnswerKind, EscalationState
from alertd.model.notification import Lane
from alertd.model.notification import NotificationState as N
from alertd.model.reason import Reason
from alertd.model.trouble import Trouble
from alertd_simulator.checkers.final import OpenTimer
from alertd_simulator.checkers.judge import ALL, Judge
from alertd_simulator.checkers.reaching import EverybodyWasAsked, WholeStep
from alertd_simulator.checkers.settling import (
    BrokerDrains,
    DaemonIsUp,
    JournalVerifies,
    NothingOverdue,
    OutboxDrains,
    TroublesClear,
)
from alertd_simulator.world.happenings import BrokerForgot, Crashed, Meant
from tests.engine.school import PEOPLE
from tests.simulator.checkers.story import PLAN, SCHOOL, S, Story, clicked, fired, replied, text, timer, to_dispatch

OAK_PEOPLE = [person for person in PEOPLE if "oak" in person.sites]


def rows_for(*names: str):
    found = [p for p in OAK_PEOPLE if not names or p.name in names]
    return [text(f"n-{p.id}", endpoint=p.endpoints[0], recipient=p.name) for p in found]


def lockdown(*rows) -> Story:
    return Story(EverybodyWasAsked).start().heal().at(10).opened(*rows)


# --- a step is told as a whole ---------------------------------------------------------------------------------------


def test_a_step_tells_everybody_whom_it_names() -> None:
    assert Story(WholeStep).start().at(10).opened(*rows_for(), to_dispatch()).violations == []


@pytest.mark.parametrize(
    ("rows", "wrong"),
    [
        ((*rows_for("Ruiz"), to_dispatch()), "is not asked"),
        (rows_for(), "psap is not told"),
    ],
)
def test_whoever_is_left_out_of_a_step_is_found_at_once(rows, wrong) -> None:
    assert any(wrong in words for words in Story(WholeStep).start().at(10).opened(*rows).violations)


def test_a_step_that_is_passed_over_is_found() -> None:
    story = Story(WholeStep).start().at(10).opened(*rows_for(), to_dispatch())
    late = [text(f"late-{p.id}", endpoint=p.endpoints[0], recipient=p.name, step=2) for p in OAK_PEOPLE]
    story.at(70).changed(fired(timer()), *late, step=2, escalation=EscalationState.EXHAUSTED)
    assert any("step 2 begins" in words for words in story.violations)


# --- somebody goes, or everybody is asked ----------------------------------------------------------------------------


def test_everybody_was_asked_and_the_asking_goes_on() -> None:
    story = lockdown(*rows_for(), to_dispatch()).at(110).changed(fired(timer()), escalation=EscalationState.EXHAUSTED)
    for seconds in range(110, 900, 120):
        story.at(seconds).attempted()
    assert story.end() == []


@pytest.mark.parametrize(
    ("rows", "seconds", "wrong"),
    [
        (rows_for(), 50, "psap was never told"),
        ([*rows_for("Ruiz", "Chen", "Okafor", "Nurse"), to_dispatch()], 50, "Diaz was never asked"),
        ([*rows_for("Ruiz", "Chen", "Okafor", "Diaz"), to_dispatch()], 75, "Nurse was never asked"),
    ],
)
def test_whoever_was_left_out_is_found(rows, seconds, wrong) -> None:
    assert any(wrong in words for words in lockdown(*rows).at(10).attempted().at(seconds).end())


def test_a_later_step_is_not_asked_for_before_its_time() -> None:
    school_without_nurse = [*rows_for("Ruiz", "Chen", "Okafor", "Diaz", "Nurse"), to_dispatch()]
    assert lockdown(*school_without_nurse).attempted().at(60).end() == []


def test_an_escalation_that_stops_by_itself_is_found() -> None:
    story = lockdown(*rows_for(), to_dispatch()).attempted()
    found = story.at(300).end()
    assert any("nothing widens" in words for words in found)
    assert any("nobody was called for" in words for words in found)


def test_somebody_who_goes_and_never_arrives_is_not_waited_for_for_ever() -> None:
    story = lockdown(*rows_for()).at(20).answered(replied())
    assert any("nobody has arrived" in words for words in story.at(500).end())
    story = lockdown(*rows_for()).at(20).answered(clicked(), kind=AnswerKind.ARRIVED)
    assert story.at(5000).end() == []


# --- nothing is left undone ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("row", "states", "wrong"),
    [
        (text(), (N.CLAIMED,), "is claimed for"),
        (text(), (N.CLAIMED, N.UNKNOWN), "is unknown for"),
        (text(), (), "due since"),
        (text(), (N.CLAIMED, N.ACCEPTED), ""),
        (text(lane=Lane.ROUTINE), (), ""),
    ],
)
def test_the_outbox_drains(row, states, wrong) -> None:
    found = Story(OutboxDrains).start().heal().at(10).opened(row).moved(N.QUEUED, *states).at(200).end()
    assert [wrong in words for words in found] == ([True] if wrong else [])


def test_a_row_that_a_wrong_clock_has_put_off_for_a_day_is_found() -> None:
    story = Story(OutboxDrains).start().heal().opened(text()).moved(N.QUEUED).at(10)
    row = text()
    from msgspec.structs import replace

    assert any("put off" in words for words in story.end(rows=(replace(row, not_before_us=90_000 * S),)))


def test_a_message_that_is_never_acknowledged_is_found_unless_the_broker_forgot_it() -> None:
    story = Story(BrokerDrains).start().published(1).published(2).published(3, qos=0).acked(1).heal().at(100)
    assert len(story.end()) == 1
    assert story.see(BrokerForgot, numbers=(2,), why="killed").violations != []
    story = Story(BrokerDrains).start().published(2).see(BrokerForgot, numbers=(2,), why="killed").heal().at(100)
    assert story.end() == []


def test_nonsense_that_is_never_acknowledged_is_found() -> None:
    assert len(Story(BrokerDrains).start().nonsense(7).heal().at(100).end()) == 1
    assert Story(BrokerDrains).start().nonsense(7).acked(7).heal().at(100).end() == []


@pytest.mark.parametrize(
    ("key", "stands"),
    [
        ("broker:broker", True),
        ("carrier:sms", True),
        ("disk:not-durable", True),
        ("clock:step", False),
        ("unregistered:badge-99", False),
        ("clock", False),
    ],
)
def test_troubles_whose_cause_has_healed_clear(key, stands) -> None:
    trouble = Trouble(key=key, site_id=DISTRICT, summary="it was wrong", raised_us=0)
    story = Story(TroublesClear).start().at(10).heal().at(400)
    assert bool(story.end(troubles=(trouble,))) is stands


def test_a_timer_that_is_overdue_and_a_journal_that_does_not_verify_are_found() -> None:
    waiting = OpenTimer(timer=timer(), due_boot_us=100 * S)
    assert Story(NothingOverdue).start().at(120).end(timers=(waiting,)) == []
    assert len(Story(NothingOverdue).start().at(200).end(timers=(waiting,))) == 1
    assert Story(JournalVerifies).end() == []
    assert len(Story(JournalVerifies).end(journal_broken="oak, entry 7")) == 1


def test_the_daemon_is_up_at_the_end_and_does_not_die_by_itself() -> None:
    assert Story(DaemonIsUp).start().see(Crashed, incarnation=1, where="plan").start().heal().end() == []
    assert len(Story(DaemonIsUp).start().heal().see(Crashed, incarnation=1, where="by itself").start().end()) == 1
    assert len(Story(DaemonIsUp).start().heal().end(up=False)) == 1


# --- all of them -----------------------------------------------------------------------------------------------------


def test_every_checker_says_what_it_proves_under_a_name_of_its_own() -> None:
    names = [checker.name for checker in Judge(SCHOOL, PLAN).checkers]
    assert len(set(names)) == len(ALL) == len(names)
    assert all(len(checker.docs) > 40 for checker in ALL)


def test_an_ordinary_press_from_finger_to_answer_troubles_nobody() -> None:
    """All checkers at once, over a day on which nothing is wrong."""
    rows = (*rows_for(), to_dispatch())
    story = Story(*ALL).start().heal().at(60).published().arrived().opened(*rows)
    for row in rows:
        story.moved(N.QUEUED, N.CLAIMED, id_=row.notification.id)
    story.acked()
    for row in rows:
        story.at(61).attempted(row).ended(id_=row.notification.id)
    for row in rows[:-1]:
        story.taken(row, sid=f"SM-{row.notification.id}").moved(N.ACCEPTED, id_=row.notification.id)
    story.moved(N.FAILED, id_="d-1").at(70).typed().at(71).answered(replied(), kind=AnswerKind.GOING)
    story.at(100).typed("517", meant=Meant.ARRIVED)
    assert story.violations == []
    assert story.at(120).end() == []


def test_a_reason_is_never_missing_from_the_table() -> None:
    """A new reason has to be sorted: may it stand for telling somebody?"""
    from alertd_simulator.checkers.reasons import NO_REASON_TO_TELL

    assert Reason.FIRST_WAVE not in NO_REASON_TO_TELL
    assert {Reason.EXPIRED, Reason.OPTED_OUT, Reason.RETRYING} <= NO_REASON_TO_TELL
