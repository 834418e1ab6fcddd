"""Gestures in doubt: what certainly belongs to one counts fully; what only may belong counts towards the first."""

import msgspec
import pytest
from msgspec.structs import replace

from alertd.model.decision import GestureCount
from alertd.model.events import Lasting
from alertd.model.ids import DeviceId
from alertd.model.incident import IncidentClass
from tests.engine.play import Play

PAGES_NOBODY = "promise 2: presses of one gesture paged nobody"
NO_UPGRADE = "what only may belong to a gesture upgrades nothing"
ASSIST, LOCKDOWN = [IncidentClass.STAFF_ASSIST], [IncidentClass.LOCKDOWN]


def classes(play: Play) -> list[IncidentClass]:
    return [i.incident_class for i in play.state.incidents.values()]


def over_two_gateways(play: Play, times: int, *, apart_s: int = 25, every_s: float = 0.5) -> None:
    """Every second press comes over the gateway whose clock is behind."""
    for number in range(times):
        play.press(count=None, pressed_us=play.now_us - apart_s * 1_000_000 * (number % 2))
        play.wait(every_s)


def test_presses_over_two_gateways_whose_clocks_are_apart_call_for_the_first_gesture():
    play = Play()
    over_two_gateways(play, 3)
    assert classes(play) == ASSIST, PAGES_NOBODY
    over_two_gateways(play, 9)
    assert classes(play) == ASSIST, NO_UPGRADE
    over_two_gateways(play, 4)
    assert classes(play) == LOCKDOWN, "promise 2: eight presses by one clock are certain"


def test_presses_whose_times_and_arrivals_are_apart_are_no_gesture():
    play = Play()
    over_two_gateways(play, 6, every_s=11)
    assert not classes(play)


def test_a_device_whose_clock_is_set_in_mid_gesture_calls():
    play = Play()
    for at_s in (0, -40, 4):
        play.press(count=None, pressed_us=play.now_us + min(at_s, 0) * 1_000_000)
        play.wait(2)
    assert classes(play) == ASSIST, PAGES_NOBODY


@pytest.mark.parametrize("more", [{"backlog": True}, {"late": True}], ids=["waited at the broker", "kept by a gateway"])
def test_the_arrival_of_what_waited_puts_it_to_no_gesture(more: dict[str, bool]):
    """It says when it was pressed, and arrives together with what is pressed now."""
    play = Play()
    waited = {"late": True} if "late" in more else {"backlog_since_us": play.now_us - 120_000_000}
    for _ in range(2):
        play.press(count=None, pressed_us=play.now_us - 100_000_000, **waited)
    play.press(count=None, pressed_us=play.now_us)
    assert not classes(play), "two presses of before, and one"
    play.press(count=None, pressed_us=play.now_us)
    play.press(count=None, pressed_us=play.now_us - 30_000_000, **waited)
    assert not classes(play), "two presses of before, two of now, and one between them"


@pytest.mark.parametrize("step_s", [15, -15, -29, 29])
def test_a_gesture_goes_on_when_another_node_takes_over(step_s: int):
    play = Play()
    play.press(count=None)
    play.wait(1)
    play.press(count=None)
    play.boot_id, play.stepped_us = "another node", step_s * 1_000_000
    play.wait(2)
    play.press(count=None)
    assert classes(play) == ASSIST, PAGES_NOBODY
    for _ in range(6):
        play.press(count=None)
    assert classes(play) == ASSIST, NO_UPGRADE
    play.press(count=None)
    assert classes(play) == LOCKDOWN, "promise 2: eight presses that one node has heard are certain"


def test_another_node_counts_no_gesture_of_long_ago():
    play = Play()
    play.press(count=None)
    play.press(count=None)
    play.boot_id = "another node"
    play.wait(41)
    play.press(count=None)
    assert not classes(play)


def test_a_clock_that_is_set_makes_no_gesture_of_presses_that_are_hours_apart():
    play = Play()
    for _ in range(3):
        play.press(count=None)
        play.wait(7200)
        play.stepped_us -= 7_200_000_000
    assert not classes(play), "boot time knows better"


@pytest.mark.parametrize("fresh_s", [0, 8])
def test_what_waited_at_the_broker_upgrades_nothing_with_a_press_of_now(fresh_s: int):
    play = Play()
    for _ in range(5):
        play.press(count=None)
    lost_us = play.now_us
    play.wait(20)
    for _ in range(8):
        play.press(count=None, backlog_since_us=lost_us)
    play.wait(fresh_s)
    for _ in range(3):
        play.press(count=None)
    assert classes(play) == ASSIST, NO_UPGRADE
    for _ in range(5):
        play.press(count=None)
    assert classes(play) == LOCKDOWN, "promise 2: eight presses of now"


def test_eight_presses_that_waited_call_where_eight_are_the_first_gesture():
    play = Play()
    badge = play.registry.devices[DeviceId("badge-204")]
    badge = replace(badge, gestures=replace(badge.gestures, presses={8: "lockdown"}))
    play.registry = replace(play.registry, devices=play.registry.devices | {badge.id: badge})
    for _ in range(8):
        assert not classes(play)
        play.press(count=None, backlog_since_us=play.now_us - 60_000_000)
    assert classes(play) == LOCKDOWN, PAGES_NOBODY


def test_a_count_of_its_own_that_waited_at_the_broker_is_certain():
    play = Play()
    play.press(count=8, backlog_since_us=play.now_us - 60_000_000)
    assert classes(play) == LOCKDOWN


def test_four_gestures_that_arrive_between_each_other_are_each_counted():
    """Three gateways hold up what they heard, minutes apart; and somebody presses now."""
    play = Play()
    now = play.now_us
    for number in range(8):
        for minutes in (9, 6, 3, 0):
            at_us = now - minutes * 60_000_000 + number * 300_000
            play.press(count=None, pressed_us=at_us, late=minutes > 0)
        play.wait(0.3)
        if number == 6:
            assert classes(play) == ASSIST, "seven of each"
    assert classes(play) == LOCKDOWN, "promise 2: eight presses are eight presses, whatever comes between them"


def test_a_state_that_is_said_every_five_seconds_is_at_most_the_first_gesture():
    """It says that it is said within a minute: so often, nobody knows whether it was pressed again."""
    play = Play()
    for _ in range(30):
        play.arrive("badge-204", "press", lasting=Lasting(repeats_s=60))
        play.wait(5)
    assert classes(play) == ASSIST, NO_UPGRADE


def test_what_a_row_of_before_has_counted_counts():
    """The program was renewed in mid-gesture; the row says nothing of doubt."""
    play = Play()
    row = {"device_id": "badge-204", "count": 7, "last_us": play.now_us, "last_boot_us": 0, "boot_id": "first"}
    play.state.gestures[DeviceId("badge-204")] = msgspec.convert(row, GestureCount)
    play.press(count=None)
    assert classes(play) == LOCKDOWN
