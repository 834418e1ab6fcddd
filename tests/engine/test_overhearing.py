"""Of a badge of two schools each counts, in doubt, what the other hears; only the one that hears a press is called."""

import pytest

from alertd.daemon.hearings import Hearings
from alertd.engine.fallback import page
from alertd.engine.routing import route
from alertd.model.anchor import Now
from alertd.model.decision import Facts, SiteState
from alertd.model.events import Arrival, DeviceTestOrdered, Event, Lasting, Overheard, Signal
from alertd.model.ids import CauseId, DeviceId, SiteId
from alertd.model.incident import IncidentClass
from alertd.model.reason import Reason
from tests.engine.play import START_US, Play
from tests.engine.school import ELM, OAK

NOBODY_CALLED = "promise 2: three presses, and nobody of either school is called"
NOT_NEAR = "promise 6: a school that has heard nothing of it is called"
TOO_FEW = "one press over two gateways is counted as two"
GATEWAY = {"O": "gw-oak", "E": "gw-elm"}


class Fence:
    """Both schools, and what the daemon remembers of who heard what."""

    def __init__(self) -> None:
        self.of = {OAK: Play(site_id=OAK), ELM: Play(site_id=ELM)}
        self._hearings = Hearings()
        self._arrivals = 0

    def press(self, where: str, **more: object) -> tuple[Event, ...]:
        """One press, heard by a gateway of that school alone."""
        self._arrivals += 1
        play = self.of[OAK]
        mine = {name: more.pop(name) for name in tuple(more) if name in Signal.__struct_fields__}
        mine = {"action": "press", "cause": f"press {self._arrivals}", "heard_by": DeviceId(GATEWAY[where])} | mine
        signal = Signal(device_id=DeviceId("walker"), **mine)  # type: ignore[arg-type]
        arrival = Arrival(
            source="mqtt",
            topic="t",
            signals=(signal,),
            received_us=play.now_us,
            arrival_id=str(self._arrivals),
            **more,  # type: ignore[arg-type]
        )
        events = route(play.registry, self._hearings.placed(play.registry, arrival, play.now_us))
        for event in events:
            self.of[event.site_id].do(event)
        return events

    def presses(self, order: str, every_s: float = 2.0, **more: object) -> None:
        for where in order:
            self.press(where, **more)
            self.wait(every_s)

    def wait(self, seconds: float) -> None:
        for play in self.of.values():
            play.wait(seconds)

    def called(self) -> dict[SiteId, list[IncidentClass]]:
        found = {name: [i.incident_class for i in play.state.incidents.values()] for name, play in self.of.items()}
        return {name: classes for name, classes in found.items() if classes}


ASSIST = [IncidentClass.STAFF_ASSIST]


@pytest.mark.parametrize("order", ["OEO", "EOO", "OOE", "EOE", "OEE", "EEO"])
def test_three_presses_of_which_each_school_hears_some_call_the_school_that_hears_the_third(order):
    fence = Fence()

    fence.presses(order)

    assert fence.called() == {OAK if order[-1] == "O" else ELM: ASSIST}, NOBODY_CALLED


def test_who_walks_from_one_school_into_the_other_while_pressing_calls_the_other():
    fence = Fence()

    fence.presses("OOEE", cause=None)

    assert fence.called() == {ELM: ASSIST}, NOBODY_CALLED


@pytest.mark.parametrize("presses", [3, 8, 20])
def test_what_one_school_hears_alone_calls_nobody_of_the_other(presses):
    """Promise 6."""
    fence = Fence()

    fence.presses("O" * presses, every_s=0.4)

    assert list(fence.called()) == [OAK], NOT_NEAR
    elm = fence.of[ELM]
    assert not elm.rows, NOT_NEAR
    assert not elm.timers, NOT_NEAR
    assert not elm.confirmations, "the school that hears it confirms it"
    assert elm.reasons() == [Reason.HEARD_ELSEWHERE] * presses, "promise 4"


def test_what_the_other_school_hears_makes_no_lockdown():
    fence = Fence()

    fence.presses("OE" * 4, every_s=0.5)

    assert fence.called() == {OAK: ASSIST, ELM: ASSIST}, "in doubt nobody locks a school down"


@pytest.mark.parametrize("copies", ["OE", "OEOE", "OOEE", "EOEO"])
def test_a_press_that_both_schools_hear_is_one_press_at_each(copies):
    fence = Fence()
    for number in ("first", "second"):
        fence.presses(copies, every_s=0.3, cause=number)
    assert not fence.called(), TOO_FEW

    fence.presses(copies, every_s=0.3, cause="third")
    assert fence.called() == {OAK: ASSIST, ELM: ASSIST}


def test_a_press_of_which_the_other_school_hears_three_copies_counts_here_once():
    fence = Fence()
    fence.presses("OOO", every_s=0.3, cause="first")

    fence.presses("E", cause="second")

    assert not fence.called(), TOO_FEW


def test_copies_that_come_over_the_other_school_after_all_of_the_presses_are_no_presses():
    fence = Fence()
    for where in "OE":
        for number in ("first", "second"):
            fence.presses(where, every_s=0.3, cause=number)

    assert not fence.called(), TOO_FEW


def test_what_both_schools_hear_counts_in_full_at_each():
    fence = Fence()

    for number in range(8):
        fence.presses("OE", every_s=0.2, cause=str(number))

    lockdown = [IncidentClass.LOCKDOWN]
    assert fence.called() == {OAK: lockdown, ELM: lockdown}, "both heard eight presses"


def test_what_was_pressed_long_before_at_the_other_school_counts_for_nothing():
    fence = Fence()
    fence.presses("OO")
    fence.wait(60)

    fence.presses("E")

    assert not fence.called()


@pytest.mark.parametrize(
    "more",
    [
        {"retained": True},
        {"standing": True},
        {"lasting": Lasting(repeats_s=30)},
        {"count": 3},
        {"action": "hold"},
        {"ends": True},
    ],
    ids=lambda more: next(iter(more)),
)
def test_only_a_press_that_is_counted_one_by_one_is_counted_elsewhere(more):
    """What stands for itself, is said again or counted by the device needs nobody else's presses."""
    events = Fence().press("O", **more)

    assert not any(isinstance(event, Overheard) for event in events), "it is counted where nobody heard it"


def test_presses_that_waited_at_the_broker_count_at_the_other_school_too():
    fence = Fence()

    fence.presses("OEO", every_s=0.1, backlog_since_us=START_US - 60_000_000)

    assert OAK in fence.called(), NOBODY_CALLED


def test_one_that_the_engine_fails_on_pages_nobody_and_is_no_copy_of_the_press_that_comes_after_it():
    """Promise 6, and promise 1."""
    fence = Fence()
    elsewhere = next(event for event in fence.press("O") if isinstance(event, Overheard))
    facts = Facts(registry=fence.of[ELM].registry)

    decision = page(SiteState(site_id=ELM), facts, elsewhere, Now(wall_us=START_US, boot_us=0, boot_id="first"), "bug")

    assert not decision.notifications, NOT_NEAR
    assert decision.cause is None, "promise 1: Elm's own copy of it is taken for known"


def try_out(play: Play) -> None:
    play.do(
        DeviceTestOrdered(
            site_id=play.state.site_id,
            cause=CauseId("cli:test"),
            by="J. Ruiz",
            device_id=DeviceId("walker"),
            incident_class=IncidentClass.STAFF_ASSIST,
            minutes=10,
        )
    )


@pytest.mark.parametrize("order", ["OOE", "EEO", "OEO", "EEE"])
def test_tried_out_at_both_of_its_schools_it_pages_neither(order):
    """As `alertd devices test` orders it: at every school at which the badge may press."""
    fence = Fence()
    for play in fence.of.values():
        try_out(play)

    fence.presses(order)

    assert fence.called() == {}, "R65: a school is called by a badge that is tried out"


def test_refused_at_the_school_that_has_counted_a_press_of_before_it_hides_none():
    fence = Fence()
    fence.presses("OO")
    for play in fence.of.values():
        try_out(play)

    fence.press("E")

    assert fence.called() == {ELM: ASSIST}, NOBODY_CALLED
