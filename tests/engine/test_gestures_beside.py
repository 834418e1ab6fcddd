"""Gestures beside states, drills, tests, schools and floods: what a stranger broke them with."""

import pytest
from msgspec.structs import replace

from alertd.engine import press_times
from alertd.model.device_memory import CountedPress
from alertd.model.events import DeviceTestEndOrdered, Lasting
from alertd.model.ids import DeviceId
from alertd.model.incident import IncidentClass
from alertd.model.mode import Mode
from alertd.model.reason import Reason
from tests.engine.play import Play
from tests.engine.school import ELM, OAK, registry
from tests.engine.test_device_tests import try_out
from tests.engine.test_levels import close
from tests.engine.test_overhearing import Fence

S = 1_000_000
GAP_US = press_times.gap_us
LATCHED = Lasting(repeats_s=600)


def school(**gestures: object):
    """badge-204 and the walker with other gestures."""
    found = registry()
    for name in ("badge-204", "walker"):
        device = found.devices[DeviceId(name)]
        found.devices[DeviceId(name)] = replace(device, gestures=replace(device.gestures, **gestures))
    return found


def live(play: Play) -> list[IncidentClass]:
    return [i.incident_class for i in play.state.incidents.values() if i.mode is Mode.LIVE]


@pytest.mark.parametrize("again", [False, True])
@pytest.mark.parametrize(("drilled", "count"), [("lockdown", 8), ("staff_assist", 3)])
def test_a_latched_badge_that_counts_locks_nobody_down_after_the_drill(drilled, count, again):
    play = Play()
    play.drill("badge-204", drilled=drilled)
    play.wait(60)
    play.press(count=count, lasting=LATCHED)
    play.wait(60)
    if again:
        play.press(count=count, lasting=LATCHED)  # said again in the drill
    assert play.state.drill is not None
    play.wait(60)
    play.end_drill()
    play.wait(60)
    play.press(count=count, lasting=LATCHED)
    assert not live(play), f"what was pressed in a drill and is still said pages nobody: {live(play)}"


def test_a_latched_badge_that_does_not_count_pages_nobody_after_the_drill():
    play = Play(school(presses={1: "lockdown"}))
    play.drill("badge-204")
    play.wait(60)
    play.press(count=None, lasting=LATCHED)
    play.wait(60)
    play.end_drill()
    play.wait(60)
    play.press(count=None, lasting=LATCHED)
    assert not live(play)


def test_another_word_between_makes_no_call_of_a_repeat():
    play = Play(school(actions={}))
    play.press(count=8, lasting=LATCHED)
    play.wait(60)
    play.press(count=8, lasting=LATCHED)
    close(play)
    assert not live(play)
    play.wait(60)
    play.arrive("badge-204", "hold")  # in doubt: one
    assert not live(play)
    play.wait(60)
    play.press(count=8, lasting=LATCHED)
    assert not live(play), f"a human has closed it, and the same count is said again: {live(play)}"


def test_a_row_of_before_knows_what_was_counted():
    play = Play()
    play.press(count=8, lasting=LATCHED)
    close(play)
    assert not live(play)
    play.wait(60)
    memory = play.state.gestures[DeviceId("badge-204")]
    old = replace(
        memory, presses=(), count=8, last_us=play.now_us - 60 * S, last_boot_us=0, boot_id="first"
    )  # as the version before has written it
    play.state.gestures[DeviceId("badge-204")] = old
    play.press(count=8, lasting=LATCHED)
    assert not live(play), f"after the upgrade a call that a human has closed is opened again: {live(play)}"


def called_and_closed(play: Play) -> None:
    for _ in range(3):
        play.arrive("badge-204", "press")
        play.wait(1)
    assert live(play)
    play.resolve()


@pytest.mark.parametrize("hours", [1, 20])
def test_stored_holds_call(hours):
    """A gateway hands in three holds without a time, hours after another gesture was called and closed."""
    play = Play(school(actions={}))
    called_and_closed(play)
    play.wait(hours * 3600)
    for _ in range(3):
        play.arrive("badge-204", "hold", late=True)
    assert live(play), "promise 2: in doubt somebody is called"


def test_holds_of_a_later_hour_call():
    play = Play(school(actions={}))
    called_and_closed(play)
    play.wait(3600)
    for _ in range(3):
        play.arrive("badge-204", "hold")
        play.wait(2)
    assert live(play)


def test_holds_that_waited_at_the_broker():
    """Three presses, assist, closed after two minutes. The line was lost at five seconds, for half an hour; at 20
    minutes somebody holds the button, three times."""
    play = Play(school(actions={}))
    for _ in range(3):
        play.arrive("badge-204", "press")
        play.wait(1)
    lost = play.now_us + 2 * S
    play.wait(120)
    play.resolve()
    play.wait(1700)
    for _ in range(3):
        play.arrive("badge-204", "hold", backlog_since_us=lost)
    assert live(play), "promise 2: holds of after the end are taken for the gesture of before it"


def test_one_hold_that_waited_calls_where_one_is_enough():
    play = Play(school(presses={1: "staff_assist", 4: "lockdown"}, actions={}))
    play.arrive("badge-204", "press")
    lost = play.now_us + 2 * S
    play.wait(120)
    play.resolve()
    play.wait(1700)
    play.arrive("badge-204", "hold", backlog_since_us=lost)
    assert live(play), "promise 2"


@pytest.mark.parametrize("copied", [False, True])
def test_a_copy_takes_no_press_out_of_its_gesture(copied):
    fence = Fence()
    fence.press("O", cause="1")
    fence.wait(9)
    fence.press("E", cause="2")
    fence.wait(8.5)
    if copied:
        fence.press("O", cause="2")
    fence.wait(0.5)
    fence.press("O", cause="3")
    assert fence.called().get(OAK), f"promise 2: three presses, each within the window of the last; {copied=}"


@pytest.mark.parametrize("copies", [1, 63, 70])
def test_copies_of_what_one_school_hears_push_no_press_out_at_the_other(copies):
    """Two presses are heard at Oak, each by many gateways or said again and again by a beacon; the third at Elm."""
    fence = Fence()
    for number in ("1", "2"):
        for _ in range(copies):
            fence.press("O", cause=number)
            fence.wait(0.02)
        fence.wait(2)
    fence.press("E", cause="3")
    assert fence.called().get(ELM), f"promise 2: three presses, and nobody of either school is called; {copies=}"
    assert len(fence.of[ELM].state.gestures[DeviceId("walker")].presses) == 3, "a copy is counted as a press"


def test_a_number_that_a_badge_gives_again_an_hour_later_is_a_press_at_both_of_its_schools():
    fence = Fence()
    fence.press("O", cause="1")
    fence.wait(2 * 3600)
    for where, number in (("O", "1"), ("O", "2"), ("E", "3")):
        fence.press(where, cause=number)
        fence.wait(2)
    assert fence.called().get(ELM), "promise 2: a press is taken for a copy of one that is long ago"


@pytest.mark.parametrize("said_again", [False, True])
def test_a_repeat_in_doubt_takes_no_gesture_out_of_its_drill(said_again):
    play = Play(school(presses={1: "staff_assist", 4: "lockdown"}, actions={}))
    play.drill("badge-204")
    play.wait(60)
    for number in range(4):
        play.arrive("badge-204", "press", lasting=LATCHED)
        play.wait(0.5)
        if number < 3:
            play.arrive("badge-204", "press", lasting=LATCHED, ends=True)
            play.wait(0.5)
    if said_again:
        play.arrive("badge-204", "press", lasting=LATCHED)
    play.wait(2)
    play.arrive("badge-204", "press", lasting=LATCHED, ends=True)
    assert play.state.drill is not None
    play.end_drill()
    play.wait(2)
    play.arrive("badge-204", "press", lasting=LATCHED)
    assert IncidentClass.LOCKDOWN not in live(play), f"one press after a drill locks the school down; {said_again=}"


def test_what_the_other_school_hears_between_ties_a_gesture():
    """It was truly pressed: somebody who presses on and on walks along the fence."""
    fence = Fence()
    fence.presses("OOOO", every_s=0.7)
    fence.presses("EEE", every_s=8)
    fence.presses("OOOO", every_s=0.7)
    assert fence.called()[OAK] == [IncidentClass.LOCKDOWN], "promise 2: it has heard eight presses of one gesture"


@pytest.mark.parametrize(("presses", "are_real"), [(8, False), (12, True)])
def test_more_presses_that_waited_in_a_drill_than_any_gesture_has_are_real(presses, are_real):
    """Where one press is enough for a call, too: nobody knows how far apart they were made (docs/drills.md)."""
    play = Play(school(presses={1: "staff_assist", 4: "lockdown"}))
    play.drill("badge-204")
    play.wait(60)
    lost_us = play.now_us
    play.wait(5)
    for _ in range(presses):
        play.press(count=None, backlog_since_us=lost_us)
    assert bool(live(play)) is are_real, "promise 2: two gestures of which one may be real are taken for one drilled"


# --- a device that counts by itself, and is tried out ---------------------------------------------------------------


def tried_out(play: Play, counts: tuple[int | None, ...], **more: object) -> None:
    """Pressed in a test, whose end comes with the finger still on the button."""
    try_out(play, tried="lockdown")
    pressed(play, counts, **more)
    play.do(DeviceTestEndOrdered(site_id=OAK, device_id=DeviceId("badge-204"), why="ordered"))


def pressed(play: Play, counts: tuple[int | None, ...], **more: object) -> None:
    for count in counts:
        play.wait(0.5)
        play.press(count=count, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize("lasting", [None, LATCHED])
@pytest.mark.parametrize(
    ("in_test", "after"),
    [
        ((2, 3), (4,)),
        ((2, 3), (4, 5)),
        ((7, 8), (9, 10)),
        ((1, 2), (3,)),
        ((1,), (2, 3)),
        ((1, 2, 3), (4,)),
        ((7, 6), (7, 8)),
    ],
)
def test_what_a_device_has_counted_in_a_test_counts_in_no_gesture_of_after_it(in_test, after, lasting):
    play = Play()
    tried_out(play, in_test, lasting=lasting)
    pressed(play, after, lasting=lasting)
    assert not live(play), f"{len(after)} presses after a test page people: {live(play)}"


def test_a_count_that_goes_on_for_longer_than_a_window_after_a_test_is_one_of_after_it():
    play = Play()
    tried_out(play, (7, 8))
    for count in (9, 10):
        play.wait(8)
        play.press(count=count)
    assert not live(play), f"two presses after a test page people: {live(play)}"


@pytest.mark.parametrize(
    ("after", "calls_for"),
    [
        ((4, 5, 6), IncidentClass.STAFF_ASSIST),
        (tuple(range(4, 12)), IncidentClass.LOCKDOWN),
        ((1, 2, 3), IncidentClass.STAFF_ASSIST),
        (tuple(range(1, 9)), IncidentClass.LOCKDOWN),
        (tuple(range(2, 9)), IncidentClass.LOCKDOWN),
        ((3,), IncidentClass.STAFF_ASSIST),
    ],
    ids=["on", "on to eight", "anew", "anew to eight", "anew and its first is lost", "in doubt"],
)
def test_a_gesture_that_is_made_after_a_test_of_a_device_that_counts_calls(after, calls_for):
    play = Play()
    tried_out(play, (3,))
    pressed(play, after)
    assert live(play) == [calls_for], "promise 2: what was pressed after the test"


@pytest.mark.parametrize("tested", [1, 2, 3, 8])
@pytest.mark.parametrize("after", range(3, 12))
def test_a_count_that_is_said_at_once_after_a_test_may_be_all_of_after_it(tested, after):
    """A badge that says one count when its gesture is over: whether it has counted on from the test, nobody knows."""
    play = Play()
    tried_out(play, (tested,))
    play.wait(3)
    play.press(count=after)
    certain = after if after < tested else after - tested
    calls_for = IncidentClass.LOCKDOWN if certain >= 8 else IncidentClass.STAFF_ASSIST
    assert live(play) == [calls_for], (
        f"promise 2: {after} presses that are said in one message, after a test of {tested}"
    )


def test_a_button_that_is_held_at_the_end_of_a_test_does_not_say_how_far_its_device_had_counted():
    play = Play(school(actions={}))
    try_out(play, tried="lockdown")
    pressed(play, (2, 3))
    play.wait(0.5)
    play.arrive("badge-204", "hold")
    play.do(DeviceTestEndOrdered(site_id=OAK, device_id=DeviceId("badge-204"), why="ordered"))
    pressed(play, (4,))
    assert not live(play), f"one press after a test pages people: {live(play)}"


@pytest.mark.parametrize("tested", [(1,), (2,), (8,), (None,)])
def test_eight_presses_after_a_test_are_eight(tested):
    play = Play()
    tried_out(play, tested)
    pressed(play, (None,) * 8 if tested == (None,) else tuple(range(1, 9)))
    assert live(play) == [IncidentClass.LOCKDOWN], "promise 2: what was pressed after the test"


def test_a_count_of_a_minute_after_the_test_is_certain():
    play = Play()
    tried_out(play, (8,))
    play.wait(60)
    play.press(count=8)
    assert live(play) == [IncidentClass.LOCKDOWN], "promise 2: what was pressed after the test"


def test_tried_out_again_at_once_it_pages_nobody():
    play = Play()
    tried_out(play, (1, 2, 3))
    play.wait(1)
    tried_out(play, (1, 2, 3))
    pressed(play, (4, 5))
    assert not live(play), f"two presses after two tests page people: {live(play)}"
    assert play.reasons().count(Reason.TRYING_OUT) == 2, "a test of a moment ago is no gesture that goes on"


# --- floods ----------------------------------------------------------------------------------------------------------


def test_no_two_presses_are_compared_twice_however_many_a_gateway_hands_in(monkeypatch: pytest.MonkeyPatch) -> None:
    """A press in a flood must not wait for it (promise 2)."""
    play = Play(school(presses={3: "staff_assist"}))
    for _ in range(32):
        play.arrive("badge-204", "press")
        play.wait(1700)
    for _ in range(12):
        play.arrive("badge-204", "press", late=True)
    compared: list[tuple[CountedPress, CountedPress]] = []

    def counting(before: CountedPress, press: CountedPress) -> int:
        compared.append((before, press))
        return GAP_US(before, press)

    monkeypatch.setattr(press_times, "gap_us", counting)
    play.arrive("badge-204", "press", late=True)
    presses = len(play.state.gestures[DeviceId("badge-204")].presses)
    assert len(compared) <= presses * (presses + 1) + 2 * presses, (
        "promise 2: a flood of what was stored holds up the next press"
    )


@pytest.mark.parametrize("stored", [0, 60, 80])
def test_stored_presses_end_no_gesture_of_now(stored):
    play = Play()
    for _ in range(7):
        play.arrive("badge-204", "press")
        play.wait(0.5)
    for _ in range(stored):
        play.arrive("badge-204", "press", late=True)
    play.wait(0.5)
    play.arrive("badge-204", "press")
    assert IncidentClass.LOCKDOWN in live(play), f"docs: whatever a gateway delivers at once ends no gesture; {stored=}"


def test_a_held_button_ends_no_gesture():
    play = Play(school(actions={}))
    for _ in range(7):
        play.arrive("badge-204", "press")
        play.wait(0.3)
    for _ in range(33):
        play.arrive("badge-204", "hold")
        play.wait(0.25)
    play.arrive("badge-204", "press")
    assert IncidentClass.LOCKDOWN in live(play)


@pytest.mark.parametrize("more", ["backlog", "late"])
def test_presses_of_before_a_test_that_arrive_in_it_count_after_it(more):
    play = Play()
    since = play.now_us
    play.wait(30)
    kw = {"late": True} if more == "late" else {"backlog_since_us": since}
    try_out(play)
    play.wait(1)
    for _ in range(2):
        play.arrive("badge-204", "press", **kw)
    play.wait(1)
    play.do(DeviceTestEndOrdered(site_id=OAK, device_id=DeviceId("badge-204"), why="ordered"))
    play.wait(1)
    play.arrive("badge-204", "press", **kw)
    assert live(play), "promise 2: what was pressed before the test is forgotten at its end"


@pytest.mark.parametrize("ahead_h", [0, 24 * 365])
def test_presses_of_a_boot_whose_clock_was_ahead_are_pushed_out_by_others(ahead_h):
    """Tried out on a server whose clock was wrong; months after it was set and the server rebooted one press waits."""
    play = Play()
    play.stepped_us = ahead_h * 3600 * S
    for _ in range(2):
        play.arrive("badge-204", "press")
        play.wait(1)
    play.wait(100)
    play.stepped_us, play.boot_id = 0, "second"
    for _ in range(40):  # single presses, each of which would have pushed it out
        play.wait(86400)
        play.arrive("badge-204", "press")
    play.wait(86400)
    play.arrive("badge-204", "press", backlog_since_us=play.now_us - 30 * S)
    assert not live(play), "one press pages"
