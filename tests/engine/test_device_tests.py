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


def test_a_state_that_was_tried_out_and_stays_pages_nobody_later():
    """Finch: it stays in its panic state until somebody resets it, and that is a trouble."""
    play = Play()
    try_out(play, tried="lockdown")
    panic = Lasting(repeats_s=600)
    play.arrive("badge-204", "hold", lasting=panic)
    play.do(DeviceTestEndOrdered(site_id=OAK, device_id=DeviceId("badge-204"), why="ended"))
    play.arrive("badge-204", "hold", lasting=panic)

    assert not play.state.incidents
    assert "still_on:badge-204" in play.state.troubles
    play.arrive("badge-204", "hold", lasting=panic, ends=True)
    play.arrive("badge-204", "hold", lasting=panic)
    assert len(play.state.incidents) == 1, PROMISE_2


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
