"""Promise 1: what is acknowledged is somebody's business, at that moment, after every crash, and at the end."""

import pytest

from alertd.model.ids import DISTRICT
from alertd.model.incident import IncidentClass
from alertd.model.reason import Reason
from alertd.model.trouble import Trouble
from alertd_simulator.checkers.presses import AcknowledgedPresses, ArrivedPresses, WithheldAcknowledgements
from alertd_simulator.checkers.survival import Survival
from alertd_simulator.world.happenings import Crashed, FaultBegan, FaultEnded, Started
from tests.engine.school import ELM, OAK
from tests.simulator.checkers.story import Story, incident, press, pressed, text


def delivered(checker, **truth) -> Story:
    return Story(checker).start().at(1).published(**truth).arrived()


def test_a_press_that_is_committed_may_be_acknowledged() -> None:
    story = delivered(AcknowledgedPresses).opened(text()).acked()
    assert story.end() == []


@pytest.mark.parametrize(
    ("truth", "changes"),
    [
        ({}, {"incident_class": IncidentClass.STAFF_ASSIST}),
        ({}, {"site_id": ELM}),
        ({}, {"presses": (press("badge-118", "118"),)}),
        ({"incident_class": IncidentClass.MEDICAL}, {}),
    ],
    ids=["less grave", "at another site", "of another device", "a lockdown does not answer for a heart attack"],
)
def test_what_does_not_answer_for_a_press_is_found(truth, changes) -> None:
    story = delivered(AcknowledgedPresses, **truth).opened(text(), **changes).acked()
    assert any("nothing that was committed covers it" in words for words in story.violations)


def test_an_acknowledgement_before_the_commit_is_found() -> None:
    story = delivered(AcknowledgedPresses).acked().opened(text())
    assert any("nothing that was committed covers it" in words for words in story.violations)


def test_what_was_committed_before_the_finger_moved_covers_nothing() -> None:
    story = Story(AcknowledgedPresses).start().opened(text()).at(60).published(2).arrived(2).acked(2)
    assert len(story.violations) == 1


def test_a_page_by_the_fallback_answers_for_a_press() -> None:
    page = text("n-page", reason=Reason.FALLBACK, incident_id=None)
    story = delivered(AcknowledgedPresses).committed(pressed(), notifications=(page,)).acked()
    assert story.end() == []
    assert any("is gone" in words for words in story.end(rows=()))


def test_presses_of_a_button_that_does_not_count_may_arrive_as_fewer() -> None:
    story = delivered(AcknowledgedPresses, has_identity=False)
    assert story.opened(text(), incident_class=IncidentClass.STAFF_ASSIST).acked().violations != []
    story = Story(AcknowledgedPresses).start().published(payload=b'{"action":"press"}').arrived()
    assert story.opened(text(), incident_class=IncidentClass.STAFF_ASSIST).acked().violations == []


STILL = Trouble(key="still_on:badge-204", site_id=OAK, summary="Is it held?", raised_us=1, rings=True)


@pytest.mark.parametrize("checker", [AcknowledgedPresses, ArrivedPresses])
@pytest.mark.parametrize(
    ("calls", "rings", "began_s", "is_right"),
    [(True, True, 1, True), (True, False, 1, False), (False, True, 1, False), (True, True, 4, False)],
    ids=["it rings", "nobody is rung", "its gesture has called nobody", "it is another gesture"],
)
def test_what_is_held_on_after_the_end_rings_and_opens_nothing(checker, calls, rings, began_s, is_right) -> None:
    story = delivered(checker)
    if calls:
        story.opened(text()).acked()
    story.at(5).published(2, began_us=began_s * 1_000_000).arrived(2)
    story.committed(pressed(), troubles=(STILL,) if rings else ()).acked(2).at(60).committed(pressed("badge-118"))
    blamed = [words for words in (*story.violations, *story.end()) if "press-2" in words]
    assert (blamed == []) is is_right, blamed


@pytest.mark.parametrize("kept", [(), (incident(presses=()),), (incident(incident_class=IncidentClass.HOLD),)])
def test_a_press_that_is_forgotten_after_a_restart_is_found(kept) -> None:
    story = delivered(AcknowledgedPresses).opened(text()).acked()
    story.see(Crashed, incarnation=1, where="test").start()
    story.judge.reread(kept, [text()])
    assert any("is gone after the restart" in words for words in story.violations)


def test_what_memory_held_may_go_with_the_power_once_the_broker_had_to_be_told() -> None:
    story = delivered(AcknowledgedPresses).opened(text(), durable=False).acked()
    story.see(Crashed, incarnation=1, where="power", power=True).start()
    story.judge.reread([], [])
    assert story.violations == []


@pytest.mark.parametrize(("durable", "found"), [(False, False), (True, True)])
def test_a_gesture_whose_beginning_memory_alone_held_is_counted_anew_once_the_power_went(durable, found) -> None:
    story = Story(AcknowledgedPresses).start().at(1)
    for count in (1, 2, 3):
        wanted = IncidentClass.STAFF_ASSIST if count == 3 else None
        story.published(count, payload=b"{}", press="p1", count=count, incident_class=wanted).arrived(count)
    story.at(2).opened(text(), durable=durable, incident_class=IncidentClass.STAFF_ASSIST).acked(1).acked(2)
    story.see(Crashed, incarnation=1, where="power", power=True).start().judge.reread([], [])
    story.at(60).committed(pressed()).acked(3)

    assert any("is gone" in words for words in story.end(incidents=(), rows=())) is found


# --- while the disk is full ------------------------------------------------------------------------------------------


def full_disk(presses: int) -> Story:
    story = Story(WithheldAcknowledgements).start().see(FaultBegan, fault="disk_full")
    for number in range(1, presses + 1):
        story.at(number).published(number).arrived(number).opened(text(f"n-{number}"), durable=False)
    return story


def test_a_press_that_only_memory_holds_is_not_acknowledged() -> None:
    assert any("only memory holds it" in words for words in full_disk(2).acked().violations)


def test_the_sixteenth_withheld_acknowledgement_lets_the_oldest_go() -> None:
    story = full_disk(16).acked(1)
    assert story.violations == []
    assert story.acked(2).violations != []


def test_copies_that_share_a_commit_have_an_acknowledgement_each() -> None:
    story = Story(WithheldAcknowledgements).start().see(FaultBegan, fault="disk_full")
    for number in range(1, 17):
        story.at(1).published(number).arrived(number)
    assert story.opened(text(), durable=False).acked(1).violations == []
    assert story.acked(2).violations != []


def test_messages_that_wait_for_a_commit_let_nobody_go() -> None:
    story = full_disk(2)
    for number in range(3, 30):
        story.published(number, device_id="badge-205").arrived(number)
    assert story.acked(1).violations != []


def test_when_the_disk_is_back_the_withheld_ones_are_given() -> None:
    assert full_disk(2).see(FaultEnded, fault="disk_full").acked(1).acked(2).violations == []


# --- what has arrived ------------------------------------------------------------------------------------------------


def test_a_press_that_nobody_takes_up_is_found() -> None:
    story = Story(ArrivedPresses).start().at(60).published().arrived()
    story.at(70).committed(pressed("vape-wc"))
    assert story.violations == []
    story.at(80).committed(pressed("vape-wc"))
    assert any("is not taken up" in words for words in story.violations)


def test_a_copy_of_a_press_that_is_covered_needs_no_cover_of_its_own() -> None:
    story = Story(ArrivedPresses).start().at(60).published(1).published(2, press="press-1").arrived(1).opened(text())
    assert story.at(61).arrived(2).at(300).end() == []


def test_time_in_which_the_carrier_is_away_or_alertd_is_down_does_not_count() -> None:
    story = Story(ArrivedPresses).start().at(60).see(FaultBegan, fault="slow_disk").published().arrived()
    assert story.at(600).end() == []
    story = Story(ArrivedPresses).start().at(60).published().arrived().see(Crashed, incarnation=1, where="x")
    assert story.at(600).end() == []


def test_what_arrives_at_a_machine_without_power_is_not_waited_for() -> None:
    story = Story(ArrivedPresses).start().at(10).see(Crashed, incarnation=1, where="the power went", power=True)
    story.at(11).published().arrived().at(30).see(Started, incarnation=2)
    assert story.at(100).end() == []


# --- what was committed ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("incidents", "rows", "lost"),
    [
        ((), ("n-1",), "it is gone"),
        ((incident(),), (), "alert to Ruiz (n-1) is gone"),
        ((incident(incident_class=IncidentClass.HOLD),), ("n-1",), "that it is a lockdown"),
        ((incident(presses=()),), ("n-1",), "a press"),
        ((incident(),), ("n-1",), ""),
    ],
)
def test_what_was_durable_is_there_after_a_crash(incidents, rows, lost) -> None:
    story = Story(Survival).start().opened(text()).see(Crashed, incarnation=1, where="test").start()
    story.judge.reread(incidents, [text(id_) for id_ in rows])
    assert [lost in words for words in story.violations] == ([True] if lost else [])


def test_the_commit_in_which_the_power_went_may_be_cut_off_the_log_and_no_other() -> None:
    story = (
        Story(Survival)
        .start()
        .opened(text())
        .at(5)
        .changed(pressed("badge-118"), text("n-2"), presses=(press(), press("badge-118")))
    )
    story.see(Crashed, incarnation=1, where="store.commit during", power=True, lost_bytes=4096).start()
    story.judge.reread([incident()], [text()])
    assert story.violations == []
    story.see(Crashed, incarnation=1, where="at its hour", power=True).start()
    story.judge.reread([], [text()])
    assert len(story.violations) == 1


def test_what_memory_held_is_no_loss_when_the_power_goes() -> None:
    story = Story(Survival).start().opened(text()).at(5)
    story.incident = incident(presses=(press(), press("badge-118")))
    story.committed(pressed("badge-118"), incidents=(story.incident,), durable=False)
    story.see(Crashed, incarnation=1, where="at its hour", power=True).start()
    story.judge.reread([incident()], [text()])
    assert story.violations == []


def test_a_district_press_is_no_press() -> None:
    story = delivered(AcknowledgedPresses, incident_class=None, site_id=DISTRICT).acked()
    assert story.violations == []
