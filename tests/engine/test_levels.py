"""States that last: one call for help however often it is said, and another one once the device ended it."""

import pytest
from msgspec.structs import replace

from alertd.model.events import ClockStepped, Lasting
from alertd.model.ids import DeviceId, ZoneId
from alertd.model.incident import IncidentClass, IncidentState
from alertd.model.reason import Reason
from tests.engine.play import Play
from tests.engine.school import ASSIST, OAK, registry

PANIC = Lasting(repeats_s=600)


def says(play: Play, **more: object) -> None:
    """The wall button says that it is in its panic state."""
    play.arrive("badge-204", "hold", lasting=PANIC, **more)


def over(play: Play) -> None:
    play.arrive("badge-204", "hold", lasting=PANIC, ends=True)


def incidents(play: Play) -> int:
    return len(play.state.incidents) + len(play.closed)


def close(play: Play) -> None:
    play.resolve(rooms_released=True)
    assert not play.state.incidents


def test_a_state_opens_an_incident_although_the_message_that_began_it_was_lost():
    play = Play()
    says(play)

    assert [i.incident_class for i in play.state.incidents.values()] == [IncidentClass.LOCKDOWN]


def test_a_state_that_is_said_again_and_again_tells_nobody_again():
    play = Play()
    says(play)
    told = len(play.rows)
    for _ in range(20):
        play.wait(1)
        says(play)

    (incident,) = play.state.incidents.values()
    assert incident.presses[0].count == 1, "a repeat is no press"
    assert not [n for n in list(play.rows.values())[told:] if n.notification.kind == "also"]
    assert Reason.STILL_ON in play.reasons()


def test_it_is_no_news_after_somebody_answered_either():
    play = Play()
    says(play)
    play.answer("Ruiz")
    sent = set(play.rows)
    for _ in range(5):
        play.wait(120)
        says(play)

    kinds = {row.notification.kind for id_, row in play.rows.items() if id_ not in sent}
    assert "also" not in kinds
    assert "alert" not in kinds


def test_a_state_whose_incident_was_closed_opens_none_and_is_a_trouble():
    play = Play()
    says(play)
    close(play)
    play.wait(300)
    says(play)

    assert incidents(play) == 1
    (trouble,) = (t for t in play.state.troubles.values() if t.key.startswith("still_on"))
    assert "badge-204" in trouble.key
    assert "reset it" in trouble.summary


def test_what_the_device_ended_closes_nothing():
    play = Play()
    says(play)
    over(play)

    assert len(play.state.incidents) == 1
    assert Reason.STATE_ENDED in play.reasons()


def test_after_its_end_it_calls_again():
    play = Play()
    says(play)
    close(play)
    says(play)
    over(play)
    assert not [t for t in play.state.troubles.values() if t.key.startswith("still_on")]
    says(play)

    assert incidents(play) == 2, "promise 2: a press after the device was reset pages"


def test_after_a_longer_silence_than_its_kind_knows_it_calls_again():
    """The message that ended it may have been lost: doubt pages."""
    play = Play()
    says(play)
    close(play)
    play.wait(601)
    says(play)

    assert incidents(play) == 2, "promise 2: doubt pages"


def test_a_moment_is_a_press_whatever_lasts_and_its_state_belongs_to_it():
    """Abeeway: SOS_MODE_START, then sosFlag 1 in each position."""
    play = Play()
    play.arrive("badge-204", "hold")
    close(play)
    says(play)
    assert incidents(play) == 1, "the state of a call that is over"
    play.arrive("badge-204", "hold")

    assert incidents(play) == 2, "promise 2: the key was pressed again"


def test_two_buttons_of_one_device_are_two_states():
    play = Play()
    play.arrive("badge-204", "hold", lasting=Lasting(repeats_s=600, what="1"))
    play.arrive("badge-204", "hold", lasting=Lasting(repeats_s=600, what="2"))

    assert Reason.STILL_ON not in play.reasons()


def test_a_count_that_is_said_again_is_the_same_press_and_another_count_is_another():
    """Shelly: published again and again with the same event_cnt, which wraps from 9999 to 1 and starts anew."""
    play = Play()

    def count(number: int) -> None:
        play.arrive("badge-204", "press", lasting=Lasting(repeats_s=600, what="0", state=str(number)))

    for number in (9998, 9998, 9999, 9999, 9999, 1):
        count(number)

    (incident,) = play.state.incidents.values()
    assert incident.presses[0].count == 3, "three presses of the badge are a staff assist"


ON = Lasting(repeats_s=700)
"""A switch on a wire, said again every five minutes; each ON that is heard was preceded by an OFF that may be lost."""


def switch(play: Play, times: int, every_s: float = 2) -> None:
    for _ in range(times):
        play.arrive("badge-204", "press", lasting=ON)
        play.wait(every_s)


def classes(play: Play) -> list[str]:
    return [i.incident_class for i in play.state.incidents.values()]


def test_three_presses_are_three_although_what_ended_them_was_lost():
    play = Play()
    switch(play, 2)
    assert not classes(play)
    switch(play, 1)
    assert classes(play) == [IncidentClass.STAFF_ASSIST], "promise 2: a lost OFF costs a press of the gesture"
    switch(play, 5)
    assert classes(play) == [IncidentClass.LOCKDOWN], "promise 2: eight presses, whatever was lost between them"


def test_a_press_that_is_taken_for_a_repeat_counts_in_the_gesture_that_it_begins():
    play = Play()
    switch(play, 3)
    close(play)
    play.wait(60)
    switch(play, 1)  # its OFF was lost: for all that anybody knows it is still on
    assert incidents(play) == 1
    for _ in range(2):
        play.arrive("badge-204", "press", lasting=ON, ends=True)
        switch(play, 1)

    assert incidents(play) == 2, "promise 2: three presses within the window"


def test_a_switch_that_stays_on_is_one_press_however_long():
    play = Play()
    switch(play, 3)
    play.wait(60)
    told = set(play.rows)
    switch(play, 20, every_s=300)
    (incident,) = play.state.incidents.values()
    assert incident.presses[0].count == 3
    assert not [row for id_, row in play.rows.items() if id_ not in told and row.notification.kind == "also"]


def test_a_button_that_is_held_and_says_so_every_five_seconds_is_one_press():
    play = Play()
    for _ in range(30):
        play.arrive("badge-204", "press", lasting=Lasting(repeats_s=15))
        play.wait(5)

    assert not play.state.incidents
    assert not play.state.troubles, "nothing has to be reset"


def test_a_higher_count_is_no_repeat():
    """A badge that counts by itself, and says so for as long as somebody presses."""
    play = Play()
    play.arrive("badge-204", "press", count=3, lasting=PANIC)
    play.wait(60)
    play.arrive("badge-204", "press", count=3, lasting=PANIC)
    assert classes(play) == [IncidentClass.STAFF_ASSIST]
    play.arrive("badge-204", "press", count=8, lasting=PANIC)

    assert classes(play) == [IncidentClass.LOCKDOWN], "promise 2: gestures count upward"


def test_a_state_that_meant_nothing_hides_no_call():
    """Its gestures did not know the word; now they do, and it still says so."""
    play = Play()
    play.arrive("wall-gym", "hold", lasting=PANIC)
    assert not play.state.incidents
    device = play.registry.devices[DeviceId("wall-gym")]
    knows = replace(device, gestures=replace(device.gestures, actions={"hold": "medical"}))
    play.registry = replace(play.registry, devices=play.registry.devices | {device.id: knows})
    play.wait(60)
    play.arrive("wall-gym", "hold", lasting=PANIC)

    assert classes(play) == [IncidentClass.MEDICAL], "promise 2: the first call that means something"


def test_a_number_that_is_said_again_after_the_incident_is_no_trouble():
    """Nothing has to be reset: the next press has another number."""
    play = Play()
    for number in (1, 2, 3):
        play.arrive("badge-204", "press", lasting=Lasting(repeats_s=3600, what="0", state=str(number)))
    close(play)
    for _ in range(5):
        play.wait(30)
        play.arrive("badge-204", "press", lasting=Lasting(repeats_s=3600, what="0", state="3"))

    assert incidents(play) == 1
    assert not [t for t in play.state.troubles.values() if t.key.startswith("still_on")]


def test_a_counter_that_starts_anew_with_the_device_is_another_press():
    play = Play()

    def press(**more: object) -> None:
        play.arrive("badge-204", "press", lasting=Lasting(repeats_s=3600, what="0", state="1"), **more)

    for _ in range(3):
        press()
        play.arrive("badge-204", "none", lasting=Lasting(repeats_s=3600, what="0"), ends=True)

    assert len(play.state.incidents) == 1, "three presses, each the first since the device slept"


def test_what_was_said_while_alertd_was_away_is_the_same_call():
    play = Play()
    says(play)
    close(play)
    since = play.now_us
    play.wait(7200)
    says(play, backlog_since_us=since, pressed_us=since + 60_000_000)

    assert incidents(play) == 1


def test_what_may_have_been_said_at_the_end_of_a_long_absence_is_another_call():
    """Its message that ended the first call may be lost, and the device has no clock."""
    play = Play()
    says(play)
    close(play)
    since = play.now_us
    play.wait(7200)
    says(play, backlog_since_us=since)

    assert incidents(play) == 2, "promise 2: a call of the last minutes is taken for one of hours ago"


def set_clock(play: Play, step_s: int, *, told: bool) -> None:
    """`told`: the site hears of it; one where nothing goes on does not."""
    play.stepped_us += step_s * 1_000_000
    if told:
        play.do(ClockStepped(site_id=OAK, step_us=step_s * 1_000_000))


@pytest.mark.parametrize("told", [True, False])
@pytest.mark.parametrize("step_s", [7200, -7200])
def test_a_clock_that_is_set_makes_no_new_call_of_it(step_s: int, told: bool):
    play = Play()
    says(play)
    close(play)
    play.wait(60)
    set_clock(play, step_s, told=told)
    for _ in range(3):
        says(play)
        play.wait(300)

    assert incidents(play) == 1


@pytest.mark.parametrize("told", [True, False])
def test_a_clock_that_is_set_back_makes_no_repeat_of_a_new_call(told: bool):
    """Silent for two hours; then the clock says that it was a moment."""
    play = Play()
    says(play)
    close(play)
    play.wait(7200)
    set_clock(play, -7200, told=told)
    says(play)

    assert incidents(play) == 2, "promise 2: a first panic after a step of the clock pages"


def test_after_a_reboot_only_the_wall_clock_is_believed():
    play = Play()
    says(play)
    close(play)
    play.boot_id = "another"
    play.wait(300)
    says(play)
    assert incidents(play) == 1, "said again within its time"
    play.wait(601)
    says(play)
    assert incidents(play) == 2


def test_a_badge_that_was_carried_to_another_place_is_news_once():
    school = registry()
    gym = replace(school.devices[DeviceId("gw-oak")], id=DeviceId("gw-gym"), zone_id=ZoneId("gym"))
    play = Play(replace(school, devices=school.devices | {gym.id: gym}))
    play.arrive("walker", "hold", lasting=PANIC, heard_by="gw-oak")
    before = set(play.rows)
    for gateway in ("gw-gym", "gw-oak", "gw-gym", "gw-oak"):
        play.wait(20)
        play.arrive("walker", "hold", lasting=PANIC, heard_by=gateway)

    also = [row for id_, row in play.rows.items() if id_ not in before and row.notification.kind == "also"]
    people = [row.notification.recipient for row in also]
    assert people
    assert len(people) == len(set(people)), "one place more, not four"


def test_a_retained_state_that_is_known_is_no_trouble():
    play = Play()
    says(play)
    says(play, retained=True)

    assert not [t for t in play.state.troubles.values() if t.key.startswith("retained")]


def test_the_cancel_window_of_a_staff_assist_is_not_cut_short_by_a_repeat():
    play = Play(registry(replace(ASSIST, cancel_window_s=10)))
    play.arrive("wall-gym", "press")  # another press in the school changes nothing
    press = Lasting(repeats_s=600)
    play.arrive("badge-118", "press", count=3, lasting=press)
    play.arrive("badge-118", "press", count=3, lasting=press)

    states = {i.incident_class: i.state for i in play.state.incidents.values()}
    assert states[IncidentClass.STAFF_ASSIST] is IncidentState.CANCEL_WINDOW
