"""One device is tried out: only its own presses, only so grave, only for so long; everything else is real."""

from msgspec.structs import replace

from alertd.engine.routing import route
from alertd.model.events import Arrival, DeviceTestEndOrdered, DeviceTestOrdered, Lasting, Signal
from alertd.model.ids import CauseId, DeviceId
from alertd.model.incident import IncidentClass
from alertd.model.mode import Mode
from alertd.model.reason import Reason
from tests.engine.play import Play
from tests.engine.school import OAK

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


def test_it_is_real_once_whoever_tries_it_says_so():
    play = Play()
    try_out(play)
    play.do(DeviceTestEndOrdered(site_id=OAK, device_id=DeviceId("badge-204"), why="ended by J. Ruiz"))
    play.press("badge-204", 3)

    assert len(play.state.incidents) == 1, PROMISE_2


def test_presses_of_before_are_none_of_it():
    play = Play()
    play.press("badge-204", 1)
    play.press("badge-204", 1)
    try_out(play)
    play.press("badge-204", 1)
    assert not play.state.incidents, "one press since it began"

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


def test_a_gesture_of_before_counts_in_no_test_nor_one_of_the_test_that_a_held_up_press_would_continue():
    """A gateway held up a press; it is no part of what was pressed within seconds of it in the test."""
    play = Play()
    before = play.now_us
    for _ in range(2):
        play.press("badge-204", 1, pressed_us=before)
    play.wait(60)
    play.press("badge-204", 1)  # another gesture; the first is remembered beside it
    try_out(play)
    play.press("badge-204", 1)
    play.press("badge-204", 1)
    assert not any(e.data.get("class") for e in play.entries if e.reason is Reason.TRIED_OUT)
    end(play)
    play.press("badge-204", 1, pressed_us=before)
    assert not play.state.incidents, "one press of its own"


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
