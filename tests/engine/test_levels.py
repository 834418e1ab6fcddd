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


@pytest.mark.parametrize("step_s", [7200, -7200])
def test_a_clock_that_is_set_makes_no_new_call_of_it(step_s: int):
    play = Play()
    says(play)
    close(play)
    play.now_us += step_s * 1_000_000
    play.do(ClockStepped(site_id=OAK, step_us=step_s * 1_000_000))
    says(play)

    assert incidents(play) == 1


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
