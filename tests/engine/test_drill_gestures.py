"""One gesture of a drill stays one: overtaken, over two gateways, over a clock that is set, over the drill's end."""

import pytest

from alertd.model.events import ClockStepped
from alertd.model.incident import IncidentClass
from alertd.model.mode import Mode
from alertd.model.notification import NotificationState
from tests.engine.play import Play
from tests.engine.school import OAK

PROMISE_3 = "promise 3: a drill never reaches dispatch"
A_REAL_PRESS = "promise 3: a real press ends a drill"
S = 1_000_000


@pytest.fixture
def p() -> Play:
    play = Play()
    play.drill("badge-204")
    play.wait(60)
    return play


def assert_is_a_drill(play: Play) -> None:
    assert play.state.drill is not None, f"{PROMISE_3}: {play.entries[-2:]}"
    assert [i.mode for i in play.state.incidents.values()] == [Mode.DRILL], PROMISE_3
    dispatch = [r for r in play.rows.values() if r.notification.endpoint.dispatch]
    assert all(r.state is NotificationState.SUPPRESSED for r in dispatch), PROMISE_3


def assert_is_real(play: Play, called_for: IncidentClass = IncidentClass.LOCKDOWN) -> None:
    assert play.state.drill is None, A_REAL_PRESS
    assert [(i.mode, i.incident_class) for i in play.state.incidents.values()] == [(Mode.LIVE, called_for)], (
        A_REAL_PRESS
    )


def step(play: Play, seconds: float) -> None:
    play.stepped_us += int(seconds * S)
    play.do(ClockStepped(site_id=OAK, step_us=int(seconds * S)))


@pytest.mark.parametrize("order", ["01324567", "10234567", "01235467", "76543210"])
def test_presses_that_overtake_each_other_are_one_gesture(p: Play, order: str):
    began = p.now_us
    p.wait(8)
    for number in map(int, order):
        p.press(count=None, pressed_us=began + number * S)
        p.wait(0.2)
    assert_is_a_drill(p)


@pytest.mark.parametrize("apart_s", [1.5, 4, 15, 25])
def test_presses_over_two_gateways_whose_clocks_are_apart_are_one_gesture(p: Play, apart_s: float):
    for number in range(8):
        p.press(count=None, pressed_us=p.now_us - int(apart_s * S) * (number % 2))
        p.wait(1)
    assert_is_a_drill(p)


@pytest.mark.parametrize("apart_s", [-15, -1, 1, 15])
def test_a_word_that_is_heard_twice_is_an_echo_by_either_clock(p: Play, apart_s: int):
    p.wait(20)
    p.arrive("badge-204", "hold", pressed_us=p.now_us - 15 * S)
    p.wait(1)
    p.arrive("badge-204", "hold", pressed_us=p.now_us + (apart_s - 16) * S)
    assert_is_a_drill(p)


@pytest.mark.parametrize("after", [1, 2, 4, 6])
@pytest.mark.parametrize("seconds", [-30, -3, 30, 3600, -3600])
def test_a_clock_that_is_set_in_mid_gesture_makes_nothing_real(p: Play, seconds: int, after: int):
    for number in range(8):
        p.press(count=None)
        p.wait(0.5)
        if number == after:
            step(p, seconds)
    assert_is_a_drill(p)


@pytest.mark.parametrize("heard_s", [15, 16, 40])
@pytest.mark.parametrize("stepped_s", [0, -10, -15, -40, 15])
def test_who_presses_again_after_a_clock_was_set_means_it(p: Play, stepped_s: int, heard_s: int):
    p.press()
    step(p, stepped_s)
    p.wait(heard_s)
    p.press()
    assert_is_real(p)


@pytest.mark.parametrize("held_up_s", [0, 55])
def test_who_presses_again_means_it_however_late_the_drill_was_heard(p: Play, held_up_s: int):
    """The gateway could not be heard for a minute; its clock is right."""
    began = p.now_us
    p.wait(held_up_s)
    p.press(pressed_us=began)
    p.wait(60 - held_up_s)
    p.press(pressed_us=p.now_us)
    assert_is_real(p)


def test_what_waited_is_told_apart_by_its_own_time(p: Play):
    began = p.now_us
    p.wait(100)
    p.press(pressed_us=began, backlog_since_us=began)
    p.wait(1)
    p.press(pressed_us=began + 40 * S, backlog_since_us=began)
    assert_is_real(p)


def test_the_arrival_of_what_waited_makes_no_gesture_of_what_is_pressed_after_it(p: Play):
    began = p.now_us
    p.wait(15)
    p.press(pressed_us=began, backlog_since_us=began)
    p.wait(8)
    p.press(pressed_us=p.now_us)
    assert_is_real(p)


def test_a_finger_that_never_stops_means_it_over_two_gateways(p: Play):
    for number in range(25):
        p.press(count=None, pressed_us=p.now_us - 15 * S * (number % 2))
        p.wait(1)
    assert_is_real(p)


@pytest.mark.parametrize("waits", [3, 5])
def test_a_slow_disk_in_mid_gesture_makes_nothing_real(p: Play, waits: int):
    """Half a second lies between its presses, and 22 s between two decisions."""
    for number in range(8):
        arrived_us = 60 * S + number * S // 2
        p.wait(22 if number == waits else 0)
        p.press(count=None, boot_us=arrived_us)
    assert_is_a_drill(p)
    assert p.incident.incident_class is IncidentClass.LOCKDOWN


# --- before its beginning -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("apart_s", [2, 6, 9])
@pytest.mark.parametrize("ahead_s", [None, 0, 4, -15], ids=["no clock", "its clock is right", "ahead", "behind"])
@pytest.mark.parametrize("before", [1, 2])
def test_a_gesture_that_began_before_the_drill_is_real(before: int, ahead_s: int | None, apart_s: float):
    play = Play()
    for number in range(3):
        if number == before:
            play.wait(apart_s / 2)
            play.drill("badge-204")
            play.wait(apart_s / 2)
        elif number:
            play.wait(apart_s)
        play.press(count=None, pressed_us=None if ahead_s is None else play.now_us + ahead_s * S)
    assert_is_real(play, IncidentClass.STAFF_ASSIST)


def test_eight_presses_the_first_of_which_was_before_the_drill_are_real():
    play = Play()
    for number in range(8):
        play.press(count=None)
        play.wait(0.5)
        if number == 0:
            play.drill("badge-204")
    assert_is_real(play)


def test_a_gesture_that_its_device_counts_is_real_if_it_began_before_the_drill():
    play = Play()
    for count in (1, 2, 3):
        play.press(count=count)
        play.wait(1)
        if count == 1:
            play.drill("badge-204")
    assert_is_real(play, IncidentClass.STAFF_ASSIST)


@pytest.mark.parametrize("seconds", [-3600, -3, 30, 3600])
@pytest.mark.parametrize("when", [0, 1, 2])
def test_a_gesture_that_began_before_the_drill_is_real_whatever_the_clock_is_set_to(when: int, seconds: int):
    play = Play()
    for number in range(3):
        play.press(count=None)
        play.wait(1)
        if number == 0:
            play.drill("badge-204")
        if number == when:
            step(play, seconds)
        play.wait(1)
    assert_is_real(play, IncidentClass.STAFF_ASSIST)


def test_a_gesture_the_first_of_which_waited_since_before_the_drill_is_real():
    play = Play()
    lost_us = play.now_us
    play.wait(3)
    play.drill("badge-204")
    play.wait(1)
    play.press(count=None, backlog_since_us=lost_us)
    for _ in range(2):
        play.wait(1)
        play.press(count=None)
    assert_is_real(play, IncidentClass.STAFF_ASSIST)


def test_a_gesture_is_real_if_a_press_of_before_the_drill_may_belong_to_it():
    """It comes over another gateway, whose clock is behind."""
    play = Play()
    play.press(count=None, pressed_us=play.now_us - 25 * S)
    play.wait(1)
    play.drill("badge-204")
    for _ in range(3):
        play.wait(1)
        play.press(count=None, pressed_us=play.now_us)
    assert_is_real(play, IncidentClass.STAFF_ASSIST)


def test_a_gesture_that_is_held_up_on_its_way_did_not_begin_before_the_drill():
    play = Play()
    play.drill("badge-204")
    play.wait(5)
    began_us = play.now_us
    play.wait(9)
    for number in range(8):
        play.press(count=None, pressed_us=began_us + number * S, late=True)
    assert_is_a_drill(play)


def test_a_press_long_before_the_drill_makes_nothing_real():
    play = Play()
    play.press(count=None)
    play.wait(11)
    play.drill("badge-204")
    play.wait(2)
    for _ in range(8):
        play.press(count=None)
        play.wait(1)
    assert_is_a_drill(play)


# --- after its end --------------------------------------------------------------------------------------------------


def end(play: Play) -> None:
    play.end_drill()


def run_out(play: Play) -> None:
    play.wait((play.state.drill.ends_us - play.now_us) / S)  # type: ignore[union-attr]


@pytest.mark.parametrize("apart_s", [0, 15])
@pytest.mark.parametrize("end", [end, run_out])
def test_a_finger_that_is_late_for_the_end_of_the_drill_counts_anew(p: Play, end: object, apart_s: int):
    p.wait(28 * 60 + 50)
    for number in range(8):
        p.press(count=None, pressed_us=p.now_us - apart_s * S * (number % 2) if apart_s else None)
        p.wait(0.5)
    end(p)  # type: ignore[operator]
    assert p.state.drill is None
    p.wait(1)
    for _ in range(2):
        p.press(count=None)
        assert not p.state.incidents, f"{PROMISE_3}: one press too many is a lockdown"
    p.press(count=None)
    assert_is_real(p, IncidentClass.STAFF_ASSIST)
    for _ in range(5):
        p.press(count=None)
    assert_is_real(p)


def test_what_was_pressed_again_before_the_end_counts_after_it(p: Play):
    for _ in range(8):
        p.press(count=None)
    p.wait(15)
    for _ in range(2):
        p.press(count=None)
    p.end_drill()
    p.press(count=None)
    assert_is_real(p, IncidentClass.STAFF_ASSIST)


def test_a_gesture_that_is_longer_than_any_exercise_is_real_with_all_its_presses(p: Play):
    for after_s in (0, 5, 4, 9, 9, 9):
        p.wait(after_s)
        p.press(count=None)
    assert_is_real(p, IncidentClass.STAFF_ASSIST)
    for _ in range(2):
        p.press(count=None)
    assert_is_real(p, IncidentClass.LOCKDOWN)


@pytest.mark.parametrize("stepped_s", [-3600, 3600])
def test_what_was_pressed_again_before_the_end_counts_after_it_whatever_the_clock_was_set_to(p: Play, stepped_s: int):
    for _ in range(8):
        p.press(count=None)
    p.wait(120)
    step(p, stepped_s)
    p.wait(60)
    for _ in range(2):
        p.press(count=None)
        p.wait(1)
    p.end_drill()
    p.wait(1)
    p.press(count=None)
    assert_is_real(p, IncidentClass.STAFF_ASSIST)


def test_what_was_pressed_again_by_a_device_whose_clock_is_behind_counts_after_the_end(p: Play):
    """It counts presses by its own clock, and what it says on top of that is no exercise by either."""
    p.arrive("badge-204", "hold")
    for _ in range(2):
        p.wait(1)
        p.press(count=None, pressed_us=p.now_us - 2 * 86_400 * S)
    p.end_drill()
    p.wait(1)
    p.press(count=None, pressed_us=p.now_us - 2 * 86_400 * S)
    assert_is_real(p, IncidentClass.STAFF_ASSIST)


def test_a_gesture_that_began_before_what_was_drilled_goes_on_after_the_end(p: Play):
    p.press(count=None)
    p.wait(1)
    p.arrive("badge-204", "hold")
    p.wait(1)
    p.press(count=None)
    assert_is_a_drill(p)
    p.end_drill()
    p.wait(1)
    p.press(count=None)
    assert_is_real(p, IncidentClass.STAFF_ASSIST)


def test_what_was_pressed_below_the_gesture_before_the_end_counts_after_it(p: Play):
    for _ in range(2):
        p.press(count=None)
    p.end_drill()
    p.press(count=None)
    assert_is_real(p, IncidentClass.STAFF_ASSIST)


def test_the_gesture_that_stopped_a_drill_goes_on(p: Play):
    for _ in range(3):
        p.press("badge-118", count=None)
    assert p.state.drill is None
    for _ in range(5):
        p.press("badge-118", count=None)
    assert_is_real(p)
