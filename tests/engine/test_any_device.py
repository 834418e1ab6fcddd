"""Promise 2 of one device that says states: whatever is lost, said again, tried out, restarted, or set, every press of
a human is taken up, or belongs to a call that was; and what is only said again opens nothing.

The device and its finger are played here, and the judge knows only what was pressed and what came through: nothing of
what the engine remembers.
"""

from typing import ClassVar

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test

from alertd.model.decision import Decision
from alertd.model.events import ClockStepped, DeviceTestEndOrdered, DeviceTestOrdered, Event, Lasting, ResolveOrdered
from alertd.model.ids import CauseId, DeviceId
from alertd.model.incident import IncidentClass
from alertd.model.notification import Kind
from alertd.model.reason import Reason
from tests.engine.play import Play
from tests.engine.school import OAK

DEVICE = DeviceId("badge-204")
PROMISE_2 = "promise 2: nothing silences a first panic"
WINDOW_S, REPEATS_S = 10, 600
TAKEN_UP = frozenset({Reason.FIRST_WAVE, Reason.MERGED_REPEAT, Reason.UPGRADED, Reason.NEWS})
TOLD = frozenset({Kind.ALERT, Kind.ALSO})
FAR = 10**9


class AnyDevice(RuleBasedStateMachine):
    """A button that says "hold" for as long as it is on, and says so again at most every ten minutes."""

    action: ClassVar[str] = "hold"
    numbered: ClassVar[bool] = False

    def __init__(self) -> None:
        super().__init__()
        self.play = Play()
        self.decided: list[Decision] = []
        deciding = self.play.do

        def watched(event: Event) -> Decision:
            decision = deciding(event)
            self.decided.append(decision)
            return decision

        self.play.do = watched  # type: ignore[method-assign]
        self.is_on = False
        self.had_open = False
        self.steps = 0
        self.repeated_s: float = -FAR
        self.said_s: float = -FAR
        self.number = self.heard_number = 0
        self.heard_s: float = -FAR
        """When a call that was taken up was last heard to last, with no end heard since."""
        self.pressed_s: float = -FAR
        self.maybe_s: float = -FAR
        self.least = self.most = 0
        self.in_test = False
        self.doubtful = False
        """Rebooted: the wall clock is all there is, and it may have been set."""

    @property
    def now_s(self) -> float:
        return self.play.now_us / 1e6

    # --- the device ---------------------------------------------------------------------------------------------

    def say(self, *, ends: bool = False) -> Decision:
        state = str(self.number) if self.numbered else ""
        self.decided.clear()
        self.had_open = bool(self.play.state.open_of_device(DEVICE))
        self.play.arrive(DEVICE, self.action, lasting=Lasting(repeats_s=REPEATS_S, state=state), ends=ends)
        (decision,) = self.decided
        return decision

    @rule(after_s=st.sampled_from([2, 9, 11, 300, 601]))
    def press_again(self, after_s: float) -> None:
        """And what ended the press before is lost."""
        self.wait(after_s)
        self.press(is_lost=False, end_is_lost=True)

    @rule(is_lost=st.booleans(), end_is_lost=st.booleans())
    def press(self, is_lost: bool, end_is_lost: bool) -> None:
        """A human; if it was on, it goes off before, heard or not."""
        if self.is_on:
            self.release(end_is_lost)
        self.is_on = True
        self.number = self.number % 9999 + 1
        if not is_lost:
            self.judge_press(self.say())

    def judge_press(self, decision: Decision, *, is_repeat: bool = False) -> None:
        """`is_repeat`: nobody knows whether it was pressed again, and it may count."""
        self.follow_test(decision)
        self.heard_number, self.said_s = self.number, self.now_s
        self.count(is_repeat=is_repeat)
        if self.in_test:
            return
        self.judge_upgrade(decision)
        is_taken_up = bool(TAKEN_UP & {entry.reason for entry in decision.entries})
        is_within = self.now_s - self.heard_s <= REPEATS_S or (self.doubtful and self.heard_s != -FAR)
        belongs = not self.numbered and is_within
        if is_repeat:
            pass
        elif self.action == "hold":
            assert is_taken_up or belongs, f"{PROMISE_2}: {decision.entries}"
        else:
            self.judge_count(decision)
        if is_taken_up:
            self.doubtful = False
        if is_taken_up or belongs:
            self.heard_s = self.now_s

    def count(self, *, is_repeat: bool) -> None:
        """Live presses of the gesture under way: those that a human made for certain, and those that may be some."""
        if self.now_s - self.pressed_s > WINDOW_S:
            self.least = 0
        if self.now_s - self.maybe_s > WINDOW_S:
            self.most = 0
        self.maybe_s = self.now_s
        self.most += 1
        if not is_repeat:
            self.pressed_s = self.now_s
            self.least += 1
        if self.in_test:
            self.least = self.most = 0

    def judge_count(self, decision: Decision) -> None:
        open_ = {i.incident_class for i in self.play.state.open_of_device(DEVICE)}
        if self.least >= 8:
            assert IncidentClass.LOCKDOWN in open_, f"{PROMISE_2}: 8 presses: {decision.entries}"
        elif self.least >= 3:
            assert open_, f"{PROMISE_2}: 3 presses: {decision.entries}"

    def judge_upgrade(self, decision: Decision) -> None:
        """Neither a press of a test nor what is said again makes a gesture of what is none."""
        became_real = any(e.reason is Reason.TRIED_ENOUGH for e in decision.entries)  # with what was pressed before
        # A clock that was set may put two gestures into one window: in doubt presses count.
        if self.action == "press" and self.most < 3 and not became_real and not self.steps:
            assert not decision.incidents or self.had_open, f"{self.most} presses: {decision.entries}"

    def release(self, is_lost: bool) -> None:
        self.is_on = False
        if not is_lost and not self.numbered:  # one that numbers its presses says nothing of their end
            self.say(ends=True)
            self.heard_s = -FAR

    @precondition(lambda self: self.is_on)
    @rule(is_lost=st.booleans())
    def let_go(self, is_lost: bool) -> None:
        self.release(is_lost)

    @precondition(lambda self: self.is_on and self.now_s - self.repeated_s >= 60)
    @rule()
    def repeat(self) -> None:
        """It is still on, and says so; to alertd it may be the first that it hears of it."""
        self.repeated_s = self.now_s
        since_s = self.said_s if self.numbered and self.heard_number == self.number else self.heard_s
        is_known = self.now_s - since_s <= REPEATS_S and (not self.numbered or self.heard_number == self.number)
        is_quick = self.action == "press" and not self.numbered and self.now_s - self.maybe_s <= WINDOW_S
        decision = self.say()
        if not is_known or is_quick or self.doubtful:
            self.judge_press(decision, is_repeat=True)
            return
        self.follow_test(decision)
        told = {row.notification.kind for row in decision.notifications}
        assert not told & TOLD, f"what is said again tells somebody: {decision.entries}"
        self.heard_s = self.said_s = self.now_s

    # --- what people do to alertd -------------------------------------------------------------------------------

    @rule(seconds=st.sampled_from([0.5, 2, 9, 11, 61, 299, 601]))
    def wait(self, seconds: float) -> None:
        self.decided.clear()
        self.play.wait(seconds)
        for decision in self.decided:
            self.follow_test(decision)

    @rule()
    def close(self) -> None:
        for incident in tuple(self.play.state.incidents.values()):
            self.play.arrivals += 1
            cause = CauseId(f"cli:{self.play.arrivals}")
            closes = ResolveOrdered(
                site_id=OAK, cause=cause, incident_id=incident.id, by="J. Ruiz", rooms_released=True
            )
            self.play.do(closes)

    @rule(what=st.sampled_from(["clock", "unheard clock", "restart", "reboot", "test", "end", "short test", "pressed"]))
    def disturb(self, what: str) -> None:
        match what:
            case "clock" | "unheard clock":
                self.set_clock(told=what == "clock")
            case "restart" | "reboot":
                self.restart(reboots=what == "reboot")
            case "test":
                self.try_out()
            case "end":
                self.end_test()
            case _:
                self.try_out()
                if what == "pressed":
                    self.press(is_lost=False, end_is_lost=True)
                self.end_test()

    def set_clock(self, *, told: bool) -> None:
        """There and back again, and further each time."""
        step_s = (-7_200, 600, 86_400, -600, 7_200, -86_400)[self.steps % 6]
        self.steps += 1
        self.play.stepped_us += step_s * 1_000_000
        if told:
            self.play.do(ClockStepped(site_id=OAK, step_us=step_s * 1_000_000))

    def restart(self, *, reboots: bool) -> None:
        if reboots:
            self.play.boot_id += "'"
            self.doubtful = True
        self.end_test()

    def try_out(self) -> None:
        self.play.arrivals += 1
        order = DeviceTestOrdered(
            site_id=OAK,
            cause=CauseId(f"cli:{self.play.arrivals}"),
            by="J. Ruiz",
            device_id=DEVICE,
            incident_class=IncidentClass.LOCKDOWN,
            minutes=10,
        )
        if any(e.reason is Reason.TRYING_OUT for e in self.play.do(order).entries):
            self.in_test = True
            self.heard_s = -FAR

    def end_test(self) -> None:
        self.follow_test(self.play.do(DeviceTestEndOrdered(site_id=OAK, device_id=DEVICE, why="ended")))

    def follow_test(self, decision: Decision) -> None:
        """The end of a test is written down; what is pressed in that very decision is real."""
        if any(e.reason is Reason.TRIED_ENOUGH for e in decision.entries):
            self.in_test = False
            self.least = self.most = 0


class AnyCountingDevice(AnyDevice):
    """The same of a switch whose presses gestures count."""

    action = "press"


class AnyNumberingDevice(AnyDevice):
    """The same of one that numbers its presses, and says the last of them again and again."""

    numbered = True


class AnyNumberingCountedDevice(AnyCountingDevice):
    numbered = True


DEVICES = [AnyDevice, AnyCountingDevice, AnyNumberingDevice, AnyNumberingCountedDevice]


@pytest.mark.slow
@pytest.mark.parametrize("device", DEVICES, ids=[each.__name__ for each in DEVICES])
def test_any_life_of_a_device(device: type[AnyDevice]) -> None:
    many = settings(max_examples=150, stateful_step_count=30, derandomize=True, deadline=None)
    run_state_machine_as_test(device, settings=many)
