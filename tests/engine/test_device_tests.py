"""One device is tried out: only its own presses, only so grave, only for so long; everything else is real."""

import msgspec
import pytest
from msgspec.structs import replace

from alertd.engine.routing import route
from alertd.model.device_memory import GestureCount
from alertd.model.events import Arrival, DeviceTestEndOrdered, DeviceTestOrdered, DeviceTestWatched, Lasting, Signal
from alertd.model.ids import CauseId, DeviceId
from alertd.model.incident import IncidentClass
from alertd.model.mode import Mode
from alertd.model.reason import Reason
from tests.engine.play import Play
from tests.engine.school import OAK
from tests.engine.test_sensors import play as sensed

PROMISE_2 = "promise 2: nothing silences a first panic"


def try_out(play: Play, device: str = "badge-204", tried: str = "staff_assist", minutes: int = 10) -> None:
    play.arrivals += 1
    play.do(
        DeviceTestOrdered(
            site_id=OAK,
            cause=CauseId(f"cli:{play.arrivals}"),
            by="J. Ruiz",
            device_id=DeviceId(device),
            incident_class=IncidentClass(tried),
            minutes=minutes,
        )
    )


def is_tried(play: Play, device: str = "badge-204") -> bool:
    memory = play.state.gestures.get(DeviceId(device))
    return memory is not None and memory.test is not None


def test_its_gesture_pages_nobody_is_confirmed_and_written_down():
    play = Play()
    try_out(play)
    for count in (1, 2, 3):
        play.press("badge-204", count)

    assert not play.state.incidents
    assert not play.rows
    assert [c.device_id for c in play.confirmations] == ["badge-204"] * 3, "whoever presses sees that it was heard"
    memory = play.state.gestures[DeviceId("badge-204")]
    assert memory.tested_us == play.now_us
    last = next(e for e in reversed(play.entries) if e.reason is Reason.TRIED_OUT)
    assert last.data["class"] == "staff_assist"
    assert last.data["mode"] == Mode.TEST


def test_any_other_device_is_real():
    play = Play()
    try_out(play)
    play.press("badge-118", 3)

    assert len(play.state.incidents) == 1, PROMISE_2


def test_a_graver_gesture_is_real_and_ends_the_test():
    play = Play()
    try_out(play)
    for count in range(1, 9):
        play.press("badge-204", count)

    assert [i.incident_class for i in play.state.incidents.values()] == [IncidentClass.LOCKDOWN], PROMISE_2
    assert not is_tried(play)


def test_its_own_gesture_is_real_again_once_the_time_is_over():
    play = Play()
    try_out(play, minutes=1)
    play.wait(61)
    play.press("badge-204", 3)

    assert len(play.state.incidents) == 1, PROMISE_2
    assert Reason.TRIED_ENOUGH in play.reasons()


def watch(play: Play, seconds: float) -> None:
    """Somebody looks every ten seconds, for so long."""
    for _ in range(round(seconds / 10)):
        play.wait(10)
        play.do(DeviceTestWatched(site_id=OAK, device_id=DeviceId("badge-204")))


def test_its_time_is_over_also_while_somebody_watches():
    play = Play()
    try_out(play, minutes=1)
    watch(play, 50)
    assert is_tried(play)
    watch(play, 20)
    play.press("badge-204", 3)

    assert len(play.state.incidents) == 1, PROMISE_2
    assert any("its time is over" in e.text for e in play.entries)


def test_it_is_real_once_nobody_watches_any_more():
    """Whoever tried it out was killed, or the lid of a laptop is closed: nobody would look at what is pressed."""
    play = Play()
    try_out(play)
    watch(play, 120)
    play.wait(20)
    play.press("badge-204", 3)
    assert not play.state.incidents, "somebody looked twenty seconds ago"
    play.wait(11)
    play.press("badge-204", 3)

    assert len(play.state.incidents) == 1, PROMISE_2
    assert any("nobody watches its test any more" in e.text for e in play.entries)


def test_who_comes_back_to_a_test_that_is_over_begins_none():
    play = Play()
    try_out(play)
    play.now_us += 31_000_000  # and its timer is late
    play.do(DeviceTestWatched(site_id=OAK, device_id=DeviceId("badge-204")))
    play.press("badge-204", 3)

    assert len(play.state.incidents) == 1, PROMISE_2


@pytest.mark.parametrize(("minutes", "watched_s", "after_s"), [(1, 50, 11), (10, 0, 31)])
def test_it_is_over_on_time_also_if_its_timer_is_late(minutes, watched_s, after_s):
    play = Play()
    try_out(play, minutes=minutes)
    watch(play, watched_s)
    play.now_us += after_s * 1_000_000
    play.press("badge-204", 3)

    assert len(play.state.incidents) == 1, PROMISE_2


def test_one_of_yesterdays_rows_that_nobody_watches_is_over():
    play = Play()
    try_out(play)
    memory = play.state.gestures[DeviceId("badge-204")]
    row = msgspec.to_builtins(memory)
    del row["test"]["watched_us"]
    play.state.gestures[memory.device_id] = msgspec.convert(row, GestureCount)
    play.press("badge-204", 3)

    assert len(play.state.incidents) == 1, PROMISE_2


def test_it_is_real_once_whoever_tries_it_says_so():
    play = Play()
    try_out(play)
    play.do(DeviceTestEndOrdered(site_id=OAK, device_id=DeviceId("badge-204"), why="ended by J. Ruiz"))
    play.press("badge-204", 3)

    assert len(play.state.incidents) == 1, PROMISE_2


def test_it_does_not_begin_in_the_middle_of_a_gesture():
    """Somebody presses for help while an admin orders the test: eight presses are a lockdown."""
    play = Play()
    play.press("badge-204", 1)
    play.press("badge-204", 1)
    play.wait(4)
    try_out(play)

    assert not is_tried(play), f"{PROMISE_2}: somebody presses it"
    refused = next(e for e in play.entries if e.reason is Reason.TRIAL_REFUSED)
    assert refused.data["why"].startswith("badge-204 was pressed 4 s ago: wait until it was quiet for 10 s")
    for _ in range(6):
        play.press("badge-204", 1)
    assert [i.incident_class for i in play.state.incidents.values()] == [IncidentClass.LOCKDOWN], PROMISE_2


def test_after_a_gesture_that_came_to_nothing_it_begins():
    play = Play()
    play.press("badge-204", 1)
    play.press("badge-204", 1)
    play.wait(11)
    try_out(play)
    play.press("badge-204", 1)

    assert is_tried(play)
    assert not play.state.incidents, "one press since it began"


def test_a_press_that_waited_at_the_broker_since_before_it_is_real():
    play = Play()
    try_out(play)
    play.press("badge-204", 3, backlog_since_us=play.now_us - 3_600_000_000)
    assert len(play.state.incidents) == 1, f"{PROMISE_2}: it may have waited at the broker since before"


def test_while_something_real_is_open_every_press_is_real():
    play = Play()
    try_out(play)
    play.press("badge-118", 8)
    play.press("badge-204", 3)

    told = {p.device_id for incident in play.state.incidents.values() for p in incident.presses}
    assert told == {"badge-118", "badge-204"}, PROMISE_2


def test_it_cannot_begin_while_something_real_is_open_nor_for_what_the_device_cannot_say():
    play = Play()
    try_out(play, tried="medical")
    assert not is_tried(play)
    play.press("badge-118", 8)
    try_out(play)
    assert not is_tried(play)
    assert play.reasons().count(Reason.TRIAL_REFUSED) == 2


def test_while_a_shot_is_asked_about_what_a_human_presses_is_real():
    play = sensed()
    try_out(play)
    play.arrive("ears-118", "gunshot")
    play.press("badge-204", 3)

    told = {p.device_id for incident in play.state.incidents.values() for p in incident.presses}
    assert told == {"ears-118", "badge-204"}, PROMISE_2


def test_no_test_begins_while_a_shot_is_asked_about():
    play = sensed()
    play.arrive("ears-118", "gunshot")
    try_out(play)
    try_out(play, "ears-204", "gunshot_sensor")

    assert not is_tried(play), "whoever presses it may press for help"
    assert not is_tried(play, "ears-204"), "what it hears now bears the shot out"


def test_a_sensor_that_is_tried_out_bears_out_nothing_by_the_bang_that_its_neighbour_heard_too():
    play = sensed()
    try_out(play, "ears-118", "gunshot_sensor")
    play.arrive("ears-204", "gunshot")
    play.wait(1)
    play.arrive("ears-118", "gunshot")

    asked = [i.incident_class for i in play.state.incidents.values()]
    assert asked == [IncidentClass.GUNSHOT_SENSOR], "one bang at two sensors, and the school is locked down"


def test_no_order_for_a_school_that_is_not_its_own_begins_one():
    play = Play()
    try_out(play, "badge-elm")

    assert not is_tried(play, "badge-elm"), "a school in which it may not press holds it for tried out"
    assert "belongs to elm, not to oak" in play.entries[-1].text


def end(play: Play) -> None:
    play.do(DeviceTestEndOrdered(site_id=OAK, device_id=DeviceId("badge-204"), why="ended"))


def test_a_state_that_was_tried_out_hides_no_call_that_follows():
    """Finch: whoever has tried it out resets it, and the message that says so is lost."""
    play = Play()
    try_out(play, tried="lockdown")
    panic = Lasting(repeats_s=600)
    play.arrive("badge-204", "hold", lasting=panic)
    play.arrive("badge-204", "hold", lasting=panic)
    assert not play.state.incidents
    end(play)
    play.arrive("badge-204", "hold", lasting=panic)

    assert len(play.state.incidents) == 1, PROMISE_2


def test_a_state_of_before_the_test_is_part_of_it_and_hides_no_call_that_follows():
    play = Play()
    panic = Lasting(repeats_s=600)
    play.arrive("badge-204", "hold", lasting=panic)
    play.resolve(rooms_released=True)
    try_out(play, tried="lockdown")
    play.arrive("badge-204", "hold", lasting=panic)
    assert any(e.reason is Reason.TRIED_OUT and e.data.get("class") for e in play.entries), "whoever tries it sees it"
    end(play)
    play.arrive("badge-204", "hold", lasting=panic)

    assert len(play.state.incidents) == 1, PROMISE_2


def pressed_by(play: Play) -> set[str]:
    return {p.device_id for incident in play.state.incidents.values() for p in incident.presses}


@pytest.mark.parametrize("begins", ["with a state", "with a moment"])
def test_a_state_that_is_tried_out_is_no_press_because_somebody_falls_or_a_sensor_hears_a_bang(begins):
    """Nobody presses it again: it stays in its alarm."""
    panic = Lasting(repeats_s=600)
    for device, word in (("wall-gym", "press"), ("ears-118", "gunshot")):
        play = sensed()
        try_out(play, tried="lockdown")
        play.arrive("badge-204", "hold", lasting=panic if begins == "with a state" else None)
        play.wait(5)
        play.arrive("badge-204", "hold", lasting=panic)
        assert gestures_that_were_tried(play) == ["lockdown"], "one gesture, and whoever tries it reads of two"
        play.arrive(device, word)
        for _ in range(2):
            play.wait(5)
            play.arrive("badge-204", "hold", lasting=panic)

        assert pressed_by(play) == {device}, "a button left on in its test locks the school down"
        assert not play.state.troubles, "it is in test: nobody has to reset it yet"
        assert is_tried(play)


def test_a_state_that_is_tried_out_and_pressed_anew_is_real_while_somebody_falls():
    play = Play()
    try_out(play, tried="lockdown")
    for ends in (False, True):
        play.arrive("badge-204", "hold", lasting=Lasting(repeats_s=600), ends=ends)
    play.arrive("wall-gym")
    play.arrive("badge-204", "hold", lasting=Lasting(repeats_s=600))

    assert pressed_by(play) == {"wall-gym", "badge-204"}, PROMISE_2
    assert not is_tried(play)


def test_a_state_that_is_tried_out_is_a_press_while_something_as_grave_is_open():
    """As in a drill: the room calls, and people go there."""
    play = Play()
    try_out(play, tried="lockdown")
    play.arrive("badge-204", "hold", lasting=Lasting(repeats_s=600))
    play.arrive("badge-118", "hold")
    play.arrive("badge-204", "hold", lasting=Lasting(repeats_s=600))

    assert pressed_by(play) == {"badge-118", "badge-204"}, "promise 2: room 204 calls, too"
    assert not is_tried(play)


def test_a_state_that_was_tried_out_is_real_on_time_also_if_the_tests_timer_is_late():
    play = Play()
    try_out(play, tried="lockdown")
    play.arrive("badge-204", "hold", lasting=Lasting(repeats_s=600))
    play.now_us += 31_000_000
    play.arrive("badge-204", "hold", lasting=Lasting(repeats_s=600))

    assert len(play.state.incidents) == 1, PROMISE_2


def test_a_state_that_was_tried_out_hides_no_call_after_a_graver_gesture_has_ended_the_test():
    play = Play()
    badge = play.registry.devices[DeviceId("badge-204")]
    words = badge.gestures.actions | {"ill": "medical"}
    badge = replace(badge, gestures=replace(badge.gestures, actions=words))
    play.registry = replace(play.registry, devices=play.registry.devices | {badge.id: badge})
    try_out(play, tried="medical")
    play.arrive("badge-204", "ill", lasting=Lasting(repeats_s=600))
    assert not play.state.incidents
    play.arrive("badge-204", "hold")
    assert [i.incident_class for i in play.state.incidents.values()] == [IncidentClass.LOCKDOWN], PROMISE_2
    play.arrive("badge-204", "ill", lasting=Lasting(repeats_s=600))

    assert len(play.state.incidents) == 2, PROMISE_2


def test_the_number_of_a_press_that_was_tried_out_is_known_when_it_is_said_again():
    """Shelly says its last press again every 30 s: nobody could try one out."""
    play = Play()
    try_out(play, tried="lockdown")

    def says(number: int) -> None:
        play.arrive("badge-204", "hold", lasting=Lasting(repeats_s=3600, state=str(number)))

    says(7)
    end(play)
    for _ in range(5):
        play.wait(30)
        says(7)
    assert not play.state.incidents
    assert not play.state.troubles
    says(8)
    assert len(play.state.incidents) == 1, PROMISE_2


def test_a_press_of_the_test_counts_in_no_gesture_that_is_real():
    play = Play()
    try_out(play)
    for _ in range(2):
        play.press("badge-204", 1)
    end(play)
    play.press("badge-204", 1)
    assert not play.state.incidents, "one press, and two that were tried out"
    for _ in range(2):
        play.press("badge-204", 1)
    assert [i.incident_class for i in play.state.incidents.values()] == [IncidentClass.STAFF_ASSIST], PROMISE_2


def gestures_that_were_tried(play: Play) -> list[str]:
    return [e.data["class"] for e in play.entries if e.reason is Reason.TRIED_OUT and "class" in e.data]


def test_what_was_pressed_before_is_real_also_if_a_gateway_held_the_rest_up_until_the_test():
    play = Play()
    before = play.now_us
    for _ in range(2):
        play.press("badge-204", 1, pressed_us=before)
    play.wait(60)
    try_out(play)
    play.press("badge-204", 1)
    play.press("badge-204", 1)
    assert not gestures_that_were_tried(play), "two presses in the test"
    play.press("badge-204", 1, pressed_us=before + 1_000_000)

    assert len(play.state.incidents) == 1, PROMISE_2
    assert not is_tried(play)


def test_what_was_pressed_before_is_real_also_if_the_rest_comes_after_the_test():
    play = Play()
    before = play.now_us
    for _ in range(2):
        play.press("badge-204", 1, pressed_us=before)
    play.wait(60)
    try_out(play)
    play.press("badge-204", 1)
    play.press("badge-204", 1)
    end(play)
    play.press("badge-204", 1, pressed_us=before + 1_000_000)

    assert len(play.state.incidents) == 1, PROMISE_2


@pytest.mark.parametrize("order", ["bbi", "ibb", "bii", "ibi", "iib"])
def test_a_gesture_that_began_before_it_is_real(order):
    """What was pressed before it (b) is held up; what is pressed in it (i) lies within its window."""
    play = Play()
    before = play.now_us
    play.wait(1)
    try_out(play)
    for each in order:
        play.press("badge-204", 1, pressed_us=before if each == "b" else play.now_us)

    assert len(play.state.incidents) == 1, PROMISE_2


def test_the_real_gesture_that_ends_a_test_goes_on_counting():
    play = Play()
    try_out(play)
    play.press("badge-204", 1)
    play.press("badge-204", 1)
    play.press("badge-118", 8)
    for _ in range(6):
        play.press("badge-204", 1)

    pressed = next(p for i in play.state.incidents.values() for p in i.presses if p.device_id == "badge-204")
    assert pressed.count == 8, PROMISE_2


def test_a_drill_goes_on_while_another_device_is_tried_out():
    play = Play()
    play.drill("badge-118")
    try_out(play)
    play.press("badge-204", 3)

    assert play.state.drill is not None
    assert not play.state.incidents


def test_a_device_that_is_not_in_the_registry_any_more_ends_its_test_all_the_same():
    play = Play()
    try_out(play)
    devices = {id_: device for id_, device in play.registry.devices.items() if id_ != "badge-204"}
    play.registry = replace(play.registry, devices=devices)
    play.do(DeviceTestEndOrdered(site_id=OAK, device_id=None, why="alertd was started anew"))

    assert not is_tried(play)


def test_what_a_device_ended_is_nobodys_press():
    school = Play().registry
    over = Arrival(
        source="mqtt",
        topic="t",
        signals=(Signal(device_id=DeviceId("ghost"), action="press", ends=True),),
        received_us=1,
        arrival_id="1",
    )

    assert route(school, over) == ()
