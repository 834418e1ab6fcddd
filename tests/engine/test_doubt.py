"""Gestures in doubt: what certainly belongs to one counts fully; what only may belong counts towards the first."""

import msgspec
import pytest
from msgspec.structs import replace

from alertd.model.device_memory import GestureCount
from alertd.model.events import Lasting
from alertd.model.ids import DeviceId
from alertd.model.incident import IncidentClass
from alertd.model.registry import Registry
from tests.engine.play import Play
from tests.engine.school import registry
from tests.engine.test_bundled_presses import WALL, school

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
    assert not classes(play), "eleven seconds lie between them"


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
    play.press(count=None, pressed_us=play.now_us - 50_000_000, **waited)
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


@pytest.mark.parametrize("ago", [(9, 6, 3, 0), (12, 9, 6, 3)], ids=["the last one is of now", "all of them waited"])
def test_four_gestures_that_arrive_between_each_other_are_each_counted(ago: tuple[int, ...]):
    """Gateways hold up what they heard, minutes apart; and somebody presses now."""
    play = Play()
    now = play.now_us
    for number in range(8):
        for minutes in ago:
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


def test_what_was_said_again_upgrades_nothing_with_presses_whose_ends_were_heard():
    play = Play()
    for _ in range(7):
        play.arrive("badge-204", "press", lasting=Lasting(repeats_s=60))
        play.wait(1)
    for number in range(7):
        assert classes(play) == ASSIST, NO_UPGRADE
        play.arrive("badge-204", "press", lasting=Lasting(repeats_s=60), ends=True)
        play.arrive("badge-204", "press", lasting=Lasting(repeats_s=60))
        assert number == 6 or classes(play) == ASSIST, NO_UPGRADE
    assert classes(play) == LOCKDOWN, "promise 2: the first, and seven whose ends were heard"


def test_what_a_row_of_before_has_counted_counts():
    """The program was renewed in mid-gesture; the row says nothing of doubt."""
    play = Play()
    row = {"device_id": "badge-204", "count": 7, "last_us": play.now_us, "last_boot_us": 0, "boot_id": "first"}
    play.state.gestures[DeviceId("badge-204")] = msgspec.convert(row, GestureCount)
    play.press(count=None)
    assert classes(play) == LOCKDOWN


# --- from one press to the next ------------------------------------------------------------------------------------


@pytest.mark.parametrize("apart_s", [12, 20, 28])
@pytest.mark.parametrize("every_s", [2, 6, 8])
@pytest.mark.parametrize("gateways", ["AAB", "ABA", "ABB", "BAA", "BAB", "BBA"])
def test_presses_each_within_the_window_of_the_one_before_are_a_gesture(gateways: str, every_s: int, apart_s: int):
    play = Play()
    for gateway in gateways:
        play.press(count=None, pressed_us=play.now_us - apart_s * 1_000_000 * (gateway == "B"))
        play.wait(every_s)
    assert classes(play) == ASSIST, PAGES_NOBODY


@pytest.mark.parametrize("every_s", [2, 6, 9])
def test_a_badge_whose_clock_is_set_by_its_first_uplink_calls(every_s: int):
    play = Play()
    for off_s in (300, 0, 0):
        play.press(count=None, pressed_us=play.now_us - off_s * 1_000_000)
        play.wait(every_s)
    assert classes(play) == ASSIST, PAGES_NOBODY


def test_a_gesture_goes_on_after_what_waited_for_a_moment():
    play = Play()
    play.press(count=None)
    play.wait(6)
    play.press(count=None, backlog_since_us=play.now_us - 5_000_000)
    play.wait(8)
    play.press(count=None)
    assert classes(play) == ASSIST, PAGES_NOBODY


@pytest.mark.parametrize("apart_s", [12, 28])
def test_what_may_belong_is_counted_once_however_long_the_chain(apart_s: int):
    """Each press comes over the other gateway; eight are the first gesture."""
    play = Play(calling_for_lockdown_at(8))
    for number in range(7):
        play.press(count=None, pressed_us=play.now_us - apart_s * 1_000_000 * (number % 2))
        play.wait(6)
    assert not classes(play), "seven presses"
    play.press(count=None, pressed_us=play.now_us)
    assert classes(play) == LOCKDOWN, PAGES_NOBODY


def test_a_chain_is_as_long_as_its_presses():
    """The first of eight comes over the other gateway, and the last almost a minute after it."""
    play = Play(calling_for_lockdown_at(8))
    for number in range(8):
        assert not classes(play)
        play.press(count=None, pressed_us=play.now_us - 28_000_000 * (number == 0))
        play.wait(8)
    assert classes(play) == LOCKDOWN, PAGES_NOBODY


@pytest.mark.parametrize("every_s", [2, 8])
def test_a_chain_of_what_may_belong_locks_nobody_down(every_s: int):
    """The line is lost for a second, again and again; seven presses are heard at once."""
    play = Play()
    for _ in range(7):
        play.press(count=None)
        play.wait(every_s)
        play.press(count=None, backlog_since_us=play.now_us - 1_000_000)
        play.wait(every_s)
    assert classes(play) == ASSIST, NO_UPGRADE


def test_two_presses_and_two_more_after_a_breath_are_no_chain():
    play = Play()
    for after_s, behind_s in ((0, 0), (6, 25), (12, 0), (6, 0)):
        play.wait(after_s)
        play.press(count=None, pressed_us=play.now_us - behind_s * 1_000_000)
        assert not classes(play), "twelve seconds lie between them"


def test_what_waited_for_an_hour_ties_no_press_of_now_to_one_of_before():
    """It was pressed near the one, or near the other."""
    play = Play()
    play.press(count=None)
    play.wait(5)
    lost_us = play.now_us
    play.wait(3600)
    play.press(count=None, backlog_since_us=lost_us)
    play.wait(5)
    play.press(count=None)
    assert not classes(play), "an hour lies between them"


def test_single_presses_that_a_gateway_has_kept_are_no_chain():
    """Half a minute lies between them, and that is as far as two gateways' clocks are apart."""
    play = Play()
    for number in range(12):
        play.press(count=None, late=True, pressed_us=play.now_us - (600 - number * 35) * 1_000_000)
        assert not classes(play), "single presses"


# --- over a line that was lost --------------------------------------------------------------------------------------


def waits(play: Play, seconds: float, **more: object) -> None:
    """Pressed while the line was lost, which was so long ago."""
    since_us = play.now_us + play.stepped_us - int(seconds * 1e6)
    play.arrive("badge-204", "press", backlog_since_us=since_us, **more)


@pytest.mark.parametrize("step_s", [-3600, -60, -4, 60, 3600])
@pytest.mark.parametrize("last_waits", [True, False], ids=["the last of them waits", "the second waits"])
def test_a_gesture_goes_on_over_a_lost_line_whatever_the_clock_is_set_to(step_s: int, last_waits: bool):
    play = Play()
    play.press(count=None)
    play.wait(1)
    if last_waits:
        play.press(count=None)
    play.wait(2)
    play.stepped_us = step_s * 1_000_000
    waits(play, 1)
    if not last_waits:
        play.press(count=None)
    assert classes(play) == ASSIST, PAGES_NOBODY


@pytest.mark.parametrize("step_s", [-3600, -29, -5, 15, 29])
def test_a_gesture_goes_on_over_a_lost_line_on_another_node(step_s: int):
    """Or after a power cut: a clock that nobody keeps begins somewhere in the past."""
    play = Play()
    play.press(count=None)
    play.press(count=None)
    play.wait(3)
    play.boot_id, play.stepped_us = "another node", step_s * 1_000_000
    waits(play, 2)
    assert classes(play) == ASSIST, PAGES_NOBODY


def test_a_gesture_goes_on_over_a_line_that_was_lost_for_longer_than_its_window():
    play = Play()
    play.press(count=None)
    play.press(count=None)
    play.wait(60)
    waits(play, 59)
    assert classes(play) == ASSIST, PAGES_NOBODY


def test_a_machine_without_a_clock_takes_no_press_of_now_for_one_of_before_the_power_cut():
    play = Play()
    play.press(count=None)
    play.press(count=None)
    play.wait(60)
    play.boot_id, play.stepped_us = "after the power cut", -3_600_000_000
    play.press(count=None)
    assert not classes(play), "the machine has started between them"


def test_what_waited_for_hours_belongs_to_no_gesture_of_long_before_the_line_was_lost():
    play = Play()
    play.press(count=None)
    play.press(count=None)
    play.wait(60)
    lost_us = play.now_us
    play.wait(7200)
    waits(play, (play.now_us - lost_us) / 1e6)
    assert not classes(play), "a minute lies between them, at least"


@pytest.mark.parametrize("last_waits", [True, False], ids=["the last of them waits", "the second waits"])
@pytest.mark.parametrize("apart_s", [-20, 20, 29])
def test_a_gesture_goes_on_over_a_lost_line_and_gateways_whose_clocks_are_apart(apart_s: int, last_waits: bool):
    play = Play()
    behind_us = 40_000_000  # all of them are: no clock is ahead of alertd's
    play.press(count=None, pressed_us=play.now_us - behind_us)
    play.wait(1)
    if last_waits:
        play.press(count=None, pressed_us=play.now_us - behind_us)
    play.wait(2)
    waits(play, 2, pressed_us=play.now_us - 1_000_000 - behind_us + apart_s * 1_000_000)
    if not last_waits:
        play.press(count=None, pressed_us=play.now_us - behind_us)
    assert classes(play) == ASSIST, PAGES_NOBODY


# --- what was stored ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("late", [True, False], ids=["a gateway says so", "it does not say"])
def test_single_presses_of_a_weekend_that_come_at_once_lock_nobody_down(late: bool):
    play = Play()
    for number in range(8):
        play.press(count=None, late=late, pressed_us=play.now_us - (65 - 5 * number) * 3_600_000_000)
        play.wait(0.2)
    assert classes(play) == ASSIST, NO_UPGRADE


def test_stored_presses_without_a_time_lock_nobody_down():
    play = Play()
    for _ in range(8):
        play.press(count=None, late=True)
    assert classes(play) == ASSIST, NO_UPGRADE


def test_eight_presses_of_a_device_whose_clock_is_days_behind_are_certain():
    """Its times say nothing of now, and still how far apart they are."""
    play = Play()
    for _ in range(8):
        play.press(count=None, pressed_us=play.now_us - 2 * 86_400_000_000)
        play.wait(0.5)
    assert classes(play) == LOCKDOWN, "promise 2: eight presses, by its arrivals and by its own clock"


# --- counts of its own ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("counts", [(1, 1, 2), (2, 2), (1, 2, 2), (2, 1, 2)])
def test_a_count_of_its_own_that_is_said_again_counts_in_doubt(counts: tuple[int, ...]):
    play = Play()
    for count in counts:
        play.press(count=count)
        play.wait(1)
    assert classes(play) == ASSIST, PAGES_NOBODY
    for _ in range(6):
        play.press(count=2)
    assert classes(play) == ASSIST, NO_UPGRADE
    play.press(count=8)
    assert classes(play) == LOCKDOWN, "promise 2: eight presses, by its own count"


def test_a_count_of_its_own_that_rises_is_one_gesture():
    play = Play()
    for count in (1, 2):
        play.press(count=count)
    assert not classes(play), "two presses"
    for count in (3, 4, 5, 6, 7):
        play.press(count=count)
    assert classes(play) == ASSIST, "seven presses"


def test_a_state_that_says_its_count_again_has_not_been_pressed_again():
    play = Play()
    for _ in range(5):
        play.press(count=2, lasting=Lasting(repeats_s=60))
        play.wait(5)
    assert not classes(play), "two presses, by its own count"


# --- devices that count by themselves -------------------------------------------------------------------------------


@pytest.mark.parametrize("live_before", [0, 1, 2])
@pytest.mark.parametrize("waited", [2, 4, 6])
def test_what_a_device_counts_by_itself_is_counted_once_however_it_arrives(live_before: int, waited: int):
    """It has no clock, and most of its presses waited at the broker: their number says all."""
    play = Play()
    for count in range(1, live_before + 1):
        play.press(count=count)
    lost_us = play.now_us
    play.wait(2)
    for count in range(live_before + 1, live_before + waited):
        play.press(count=count, backlog_since_us=lost_us)
    before_last = live_before + waited - 1
    assert classes(play) == (ASSIST if before_last >= 3 else []), f"{before_last} presses"
    play.press(count=live_before + waited)
    total = live_before + waited
    assert classes(play) == (LOCKDOWN if total >= 8 else ASSIST if total >= 3 else []), f"{total} presses"


@pytest.mark.parametrize("counts", [(1, 2, 4, 3, 5, 7, 6), (1, 3, 2, 4, 5)])
def test_a_count_that_was_overtaken_locks_nobody_down(counts: tuple[int, ...]):
    play = Play()
    for count in counts:
        play.press(count=count)
        play.wait(0.3)
    assert classes(play) == ASSIST, NO_UPGRADE


def test_two_gestures_that_a_device_counts_by_itself_are_not_added_up_by_a_press_between_them():
    play = Play()
    for count, ago_s in ((4, 16), (4, 0), (2, 8)):
        play.press(count=count, pressed_us=play.now_us - ago_s * 1_000_000)
    assert classes(play) == ASSIST, "four presses and four: nobody locks a school down"


def test_what_was_added_to_a_count_of_its_own_is_not_added_up_with_another():
    """The first of four is heard last, and is one press more."""
    play = Play()
    began_us = play.now_us - 17_000_000
    for count, after_s in ((4, 0.3), (1, 0), (4, 17), (2, 8.5)):
        play.press(count=count, pressed_us=began_us + int(after_s * 1e6))
    assert classes(play) == ASSIST, "four presses and four: nobody locks a school down"


def test_promise_2_what_may_be_a_press_or_its_release_calls_and_locks_nobody_down():
    """Tasmota's TOGGLE: once a touch, or at the press and at the release, as it was set up."""
    play = Play(school(WALL))
    play.press(count=None, doubtful=True)
    assert classes(play) == ASSIST, PAGES_NOBODY
    for _ in range(9):
        play.wait(0.4)
        play.press(count=None, doubtful=True)
    assert classes(play) == ASSIST, NO_UPGRADE
    for _ in range(4):
        play.press(count=None)
    assert classes(play) == LOCKDOWN, "promise 2: four presses are certain"


def test_promise_2_each_press_that_may_be_a_release_calls_again_once_its_call_is_closed():
    play = Play(school(WALL))
    for _ in range(2):
        play.press(count=None, doubtful=True)
        assert classes(play) == ASSIST, PAGES_NOBODY
        play.wait(300)
        play.resolve()
        assert not classes(play)


@pytest.mark.parametrize("named", [{}, {"press": "staff_assist"}], ids=["counted", "named"])
def test_of_what_may_be_a_release_people_read_no_number(named: dict[str, str]):
    play = Play(school(WALL, **named))
    for _ in range(4):
        play.press(count=None, doubtful=True)
    ((press,),) = (i.presses for i in play.state.incidents.values())
    assert press.count == 1, "people read of more presses than somebody made"


COUNTED_TWICE = "the device has counted its presses itself: nobody adds them up"


@pytest.mark.parametrize("behind_s", [15, 60])
@pytest.mark.parametrize("first", [3, 8])
def test_what_a_device_counts_over_two_gateways_whose_clocks_are_apart_is_counted_once(behind_s: int, first: int):
    play = Play(calling_for_lockdown_at(first))
    for count in range(1, first):
        play.press(count=count, pressed_us=play.now_us - behind_s * 1_000_000 * (count % 2))
        play.wait(0.5)
    assert not classes(play), COUNTED_TWICE
    play.press(count=first, pressed_us=play.now_us)
    assert classes(play) == LOCKDOWN, "promise 2: by its own count"


def test_what_a_device_counts_on_two_nodes_whose_clocks_are_apart_is_counted_once():
    play = Play()
    play.press(count=1)
    play.boot_id, play.stepped_us = "another node", 15_000_000
    play.wait(1)
    play.press(count=2)
    assert not classes(play), COUNTED_TWICE
    play.press(count=1)
    assert classes(play) == ASSIST, "promise 2: a count that begins anew is one more press"


def calling_for_lockdown_at(presses: int) -> Registry:
    school = registry()
    badge = school.devices[DeviceId("badge-204")]
    gestures = replace(badge.gestures, presses={presses: "lockdown"})
    return replace(school, devices={**school.devices, badge.id: replace(badge, gestures=gestures)})


# --- while decisions take longer than gestures ----------------------------------------------------------------------


@pytest.mark.parametrize(("times", "calls_for"), [(3, ASSIST), (8, LOCKDOWN)])
def test_presses_that_wait_for_a_slow_disk_are_as_near_each_other_as_they_came(
    times: int, calls_for: list[IncidentClass]
):
    play = Play()
    for number in range(times):
        play.press(count=None, boot_us=number * 500_000)
        play.wait(12)
    assert classes(play) == calls_for, PAGES_NOBODY


def test_presses_that_waited_together_for_a_slow_disk_are_no_gesture():
    """Eleven seconds lay between them, and all of them are decided on at once."""
    play = Play()
    play.wait(100)
    for number in range(8):
        play.press(count=None, boot_us=number * 11_000_000)
    assert not classes(play), "eight single presses lock nobody down"


# --- of many that are under way -------------------------------------------------------------------------------------


@pytest.mark.parametrize("is_dated", [False, True])
@pytest.mark.parametrize("stored", [3, 4, 6])
@pytest.mark.parametrize(("before", "calls_for"), [(2, ASSIST), (7, LOCKDOWN)])
@pytest.mark.parametrize("how", ["kept by a gateway", "waited at the broker"])
def test_stored_presses_that_come_at_once_end_no_gesture_of_now(
    is_dated: bool, stored: int, before: int, calls_for: list[IncidentClass], how: str
):
    play = Play()

    def press() -> None:
        play.press(count=None, pressed_us=play.now_us if is_dated else None)

    for _ in range(before):
        press()
        play.wait(0.5)
    for number in range(stored):
        of_hour_us = play.now_us - (stored - number) * 3_600_000_000
        more = {"late": True} if how == "kept by a gateway" else {"backlog_since_us": play.now_us - 36_000_000_000}
        play.press(count=None, pressed_us=of_hour_us, **more)
    press()
    assert classes(play) == calls_for, PAGES_NOBODY


@pytest.mark.parametrize("how", ["kept by a gateway", "waited at the broker"])
def test_stored_presses_end_no_gesture_that_goes_on_on_another_node(how: str):
    """Its clock is ahead by twenty seconds."""
    play = Play()
    for _ in range(2):
        play.press(count=None)
    play.boot_id, play.stepped_us = "another node", 20_000_000
    play.wait(2)
    for number in range(4):
        of_hour_us = play.now_us - (4 - number) * 3_600_000_000
        more = {"late": True} if how == "kept by a gateway" else {"backlog_since_us": play.now_us - 36_000_000_000}
        play.press(count=None, pressed_us=of_hour_us, **more)
    play.press(count=None)
    assert classes(play) == ASSIST, PAGES_NOBODY


# --- of a device whose clock is days behind -------------------------------------------------------------------------

DAYS_US = 2 * 86_400_000_000


@pytest.mark.parametrize("step_s", [-5, 0, 5])
def test_a_gesture_of_a_device_whose_clock_is_days_behind_goes_on_when_another_node_takes_over(step_s: int):
    play = Play()
    for number in range(8):
        if number == 2:
            play.boot_id, play.stepped_us = "another node", step_s * 1_000_000
        play.press(count=None, pressed_us=play.now_us - DAYS_US)
        play.wait(1)
        assert number != 2 or classes(play) == ASSIST, PAGES_NOBODY
    assert classes(play) == LOCKDOWN, "promise 2: eight presses, by its arrivals and by its own clock"


@pytest.mark.parametrize("has_clock", [True, False], ids=["its clock is behind", "it was stored, and has none"])
def test_how_old_a_device_calls_its_press_is_no_time_for_which_the_line_was_gone(has_clock: bool):
    """Three single presses of a day, the last of which waited at the broker for two seconds."""
    play = Play()
    for waited_s in (3 * 3600, 18 * 3600):
        play.press(count=None, pressed_us=play.now_us - DAYS_US if has_clock else None)
        play.wait(waited_s)
    says_us, since_us = play.now_us - DAYS_US if has_clock else None, play.now_us - 2_000_000
    play.press(count=None, pressed_us=says_us, late=not has_clock, backlog_since_us=since_us)
    assert not classes(play), "hours lie between them"


def test_how_old_a_device_calls_its_press_makes_it_no_press_of_an_hour_ago():
    """Two presses, and an hour later one that waited at the broker for two seconds, of a clock that is days behind."""
    play = Play()
    for _ in range(2):
        play.press(count=None, pressed_us=play.now_us - DAYS_US)
        play.wait(4)
    play.wait(3600)
    play.press(count=None, pressed_us=play.now_us - DAYS_US, backlog_since_us=play.now_us - 2_000_000)
    assert not classes(play), "an hour lies between them, whatever its clock says"


def test_what_was_stored_without_a_time_may_be_the_third_of_a_gesture():
    play = Play()
    for _ in range(2):
        play.press(count=None)
        play.wait(0.3)
    play.wait(20)
    play.press(count=None, late=True)
    assert classes(play) == ASSIST, PAGES_NOBODY


def test_what_was_stored_without_a_time_may_be_of_a_gesture_before_the_last_press():
    play = Play()
    for after_s in (0.3, 1200, 1200):
        play.press(count=None)
        play.wait(after_s)
    play.press(count=None, late=True)
    assert classes(play) == ASSIST, PAGES_NOBODY


def test_a_flood_of_what_was_stored_ends_no_gesture_of_now():
    play = Play()
    for _ in range(2):
        play.press(count=None)
    for minutes in range(100, 0, -1):
        play.press(count=None, pressed_us=play.now_us - minutes * 60_000_000, late=True)
    play.wait(1)
    play.press(count=None)
    assert classes(play) == ASSIST, PAGES_NOBODY


def test_a_clock_that_went_back_over_a_power_cut_makes_nothing_certain():
    """By the wall clock three seconds lie between them, and the machine was off for half a minute."""
    play = Play()
    for _ in range(5):
        play.press(count=None)
        play.wait(0.2)
    play.wait(27)
    play.boot_id, play.stepped_us = "after the power cut", -31_000_000
    for _ in range(3):
        play.press(count=None)
        play.wait(0.2)
    assert classes(play) == ASSIST, NO_UPGRADE


def test_a_first_press_that_is_overtaken_is_among_those_that_the_device_has_counted():
    play = Play()
    play.press(count=7, pressed_us=play.now_us)
    play.wait(18)
    play.press(count=1, pressed_us=play.now_us - 20_000_000, late=True)
    assert classes(play) == ASSIST, NO_UPGRADE


def test_what_a_device_counts_over_two_gateways_is_not_in_the_order_of_their_clocks():
    play = Play()
    for count in range(1, 8):
        play.press(count=count, pressed_us=play.now_us - 5_000_000 * (count == 7))
        play.wait(0.5)
    assert classes(play) == ASSIST, NO_UPGRADE


def test_a_first_press_that_is_overtaken_by_the_second_is_no_third():
    play = Play()
    play.press(count=2, pressed_us=play.now_us)
    play.wait(0.1)
    play.press(count=1, pressed_us=play.now_us - 400_000)
    assert not classes(play), "two presses, by their own times"
