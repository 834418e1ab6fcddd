"""A device that is tried out while a clock is set, or on a node whose clock is another: what is pressed is real."""

import pytest

from alertd.model.events import ClockStepped
from alertd.model.incident import IncidentClass
from alertd.model.reason import Reason
from tests.engine.play import Play
from tests.engine.school import OAK
from tests.engine.test_device_tests import is_tried, try_out, watch

PROMISE_2 = "promise 2: nothing silences a first panic"
S = 1_000_000


def set_clock(play: Play, seconds: float, *, told: bool = True) -> None:
    play.stepped_us += int(seconds * S)
    if told:
        play.do(ClockStepped(site_id=OAK, step_us=int(seconds * S)))


SETS = pytest.mark.parametrize("seconds", [-1200, -19, -3, 3, 1200])
TOLD = pytest.mark.parametrize("told", [True, False], ids=["told", "not told yet"])


@SETS
@TOLD
def test_once_a_clock_was_set_what_is_pressed_is_real(seconds: int, told: bool):
    """Whoever watched goes on watching: nobody knows any more whether the time is over."""
    play = Play()
    try_out(play, minutes=60)
    watch(play, 60)
    set_clock(play, seconds, told=told)
    play.press("badge-204", 3)

    assert len(play.state.incidents) == 1, PROMISE_2
    assert not is_tried(play)
    ended = next(e.text for e in play.entries if e.reason is Reason.TRIED_ENOUGH)
    assert ended == "badge-204 is live again: the server's clock was set"


@SETS
@TOLD
def test_whoever_watches_hears_that_it_ended_when_the_clock_was_set(seconds: int, told: bool):
    play = Play()
    try_out(play, minutes=60)
    set_clock(play, seconds, told=told)
    watch(play, 10)
    assert not is_tried(play), f"{PROMISE_2}: it is in test for as long as the clock was set back"


@SETS
def test_one_that_nobody_watches_is_over_by_itself_when_the_clock_was_set(seconds: int):
    play = Play()
    try_out(play, minutes=60)
    set_clock(play, seconds, told=False)
    play.wait(31)
    assert not is_tried(play), f"{PROMISE_2}: it is in test for as long as the clock was set back"


@TOLD
def test_what_was_tried_before_the_clock_was_set_counts_in_no_gesture(told: bool):
    play = Play()
    try_out(play)
    play.press(count=None)
    play.press(count=None)
    set_clock(play, -3600, told=told)
    play.press(count=None)
    assert not play.state.incidents, "one press, and two that were tried out"


@pytest.mark.parametrize("seconds", [0, 5])
def test_what_another_node_hears_is_a_test_too(seconds: int):
    """Whoever tries it out does not know which node its broker has chosen."""
    play = Play()
    try_out(play)
    play.wait(5)
    play.boot_id, play.stepped_us = "another node", seconds * S
    play.press("badge-204", 3)
    assert not play.state.incidents
    assert is_tried(play)


def test_another_one_begins_once_the_clock_was_set():
    play = Play()
    try_out(play)
    set_clock(play, -3600)
    try_out(play)
    play.press("badge-204", 3)
    assert not play.state.incidents


@pytest.mark.parametrize("seconds", [-30, -25, -15, -5, 5, 15, 25, 30])
def test_none_begins_on_another_node_in_the_middle_of_a_gesture(seconds: int):
    play = Play()
    play.press(count=None)
    play.wait(1)
    play.press(count=None)
    play.wait(1)
    play.boot_id, play.stepped_us = "another node", seconds * S
    try_out(play, tried="lockdown")
    assert not is_tried(play), f"{PROMISE_2}: somebody presses it"
    play.press(count=None)
    assert [i.incident_class for i in play.state.incidents.values()] == [IncidentClass.STAFF_ASSIST], PROMISE_2


def test_on_another_node_one_begins_once_the_gesture_is_long_over():
    play = Play()
    play.press(count=None)
    play.wait(41)
    play.boot_id = "another node"
    try_out(play)
    assert is_tried(play)


def test_none_begins_in_a_gesture_between_whose_presses_an_older_one_came():
    """A gateway held it up: what came last is not what is under way."""
    play = Play()
    play.press(count=None, pressed_us=play.now_us)
    play.press(count=None, pressed_us=play.now_us)
    play.wait(1)
    play.press(count=None, pressed_us=play.now_us - 60 * S, backlog_since_us=play.now_us - 100 * S)
    try_out(play)
    assert not is_tried(play), f"{PROMISE_2}: somebody presses it"
