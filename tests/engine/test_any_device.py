"""Promise 2 of one device that says states: whatever is lost, said again, copied, tried out, drilled, restarted, or
set, every press of a human is taken up, or belongs to a call that was; and what is only said again opens nothing.

The device and its finger are played here, and the judge knows only what was pressed and what came through: nothing of
what the engine remembers.
"""

from typing import ClassVar

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test

from alertd.model.decision import Decision, EntryKind
from alertd.model.events import (
    ClockStepped,
    DeviceTestEndOrdered,
    DeviceTestOrdered,
    DeviceTestWatched,
    Event,
    Lasting,
    ResolveOrdered,
)
from alertd.model.ids import CauseId, DeviceId
from alertd.model.incident import IncidentClass
from alertd.model.mode import Mode
from alertd.model.notification import Kind
from alertd.model.reason import Reason
from tests.engine.play import Play
from tests.engine.school import OAK

DEVICE = DeviceId("badge-204")
PROMISE_2 = "promise 2: nothing silences a first panic"
WINDOW_S, REPEATS_S, COPIES_S = 10, 600, 3600
CLOCKS_APART_S = 30
"""Of two boots: so far the wall clock of one may be from that of the other."""
TAKEN_UP = frozenset({Reason.FIRST_WAVE, Reason.MERGED_REPEAT, Reason.UPGRADED, Reason.NEWS})
TOLD = frozenset({Kind.ALERT, Kind.ALSO})
FAR = 10**9
LOOKS_EVERY_S = 20
"""Whoever tries it out, and stays."""
DISTURBANCES = (
    *("clock", "unheard clock", "restart", "reboot"),
    *("test", "end", "short test", "pressed"),
    *("drill", "drilled", "others"),
)


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
        self.steps = self.steps_before_test = 0
        self.repeated_s: float = -FAR
        self.said_s: float = -FAR
        self.number = self.heard_number = 0
        self.heard_s: float = -FAR
        """When a call that was taken up was last heard to last, with no end heard since."""
        self.pressed_s: float = -FAR
        self.certain = self.least = 0
        """Presses of the gesture under way: certain ones, and those that a human made."""
        self.maybe: list[tuple[float, bool]] = []
        """When something was heard that may count, and whether it may be certain; the same of the test that runs."""
        self.tried: list[tuple[float, bool]] = []
        self.unended_s: float = -FAR
        """When it was last heard to be on, with no end heard since."""
        self.is_stepped = self.is_rebooted = self.was_rebooted = False
        """The first two: since it was last heard."""
        self.is_drilled = False
        """What was taken up last was a drill's."""
        self.gesture_is_drilled = False
        """The gesture under way was taken up as a drill's: it counts for nothing after that."""
        self.messages: list[tuple[float, dict[str, object]]] = []
        """When, and what it said."""
        self.in_test = False
        self.is_watched = False
        self.doubtful = False
        """Rebooted: the wall clock is all there is, and it may have been set."""

    @property
    def now_s(self) -> float:
        return self.play.now_us / 1e6

    # --- the device ---------------------------------------------------------------------------------------------

    def say(self, *, ends: bool = False) -> Decision:
        state = str(self.number) if self.numbered else ""
        lasting = Lasting(repeats_s=REPEATS_S, state=state)
        said: dict[str, object] = {"lasting": lasting, "ends": ends, "cause": f"no. {len(self.messages)}"}
        self.messages.append((self.now_s, said))
        return self.deliver(said)

    def deliver(self, said: dict[str, object]) -> Decision:
        self.decided.clear()
        self.had_open = bool(self.play.state.open_of_device(DEVICE))
        self.had_lockdown = any(
            i.incident_class is IncidentClass.LOCKDOWN for i in self.play.state.open_of_device(DEVICE)
        )
        self.was_real = any(i.mode is Mode.LIVE for i in self.play.state.incidents.values())
        self.play.arrive(DEVICE, self.action, **said)
        (decision,) = self.decided
        return decision

    @precondition(lambda self: self.messages)
    @rule(back=st.integers(1, 4))
    def copy(self, back: int) -> None:
        """Another gateway heard it, too, and is slower."""
        said_s, said = self.messages[-min(back, len(self.messages))]
        if self.now_s - said_s > COPIES_S - 60:
            return  # nobody knows it any more
        decision = self.deliver(said)
        self.follow_test(decision)
        told = {row.notification.kind for row in decision.notifications}
        assert not told & TOLD, f"a copy tells somebody: {decision.entries}"
        if not said["ends"]:
            self.heard_s = self.now_s if self.now_s - self.heard_s <= REPEATS_S else self.heard_s
            self.unended_s = self.now_s if self.now_s - self.unended_s <= REPEATS_S else self.unended_s

    @rule(after_s=st.sampled_from([2, 9, 11, 300, 601]))
    def press_again(self, after_s: float) -> None:
        """And what ended the press before is lost."""
        self.wait(after_s)
        self.press(is_lost=False, end_is_lost=True)

    @rule(times=st.integers(3, 9), ends_are_lost=st.booleans())
    def press_often(self, times: int, ends_are_lost: bool) -> None:
        for _ in range(times):
            self.wait(1)
            self.press(is_lost=False, end_is_lost=ends_are_lost)

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
        self.heard_number, self.said_s = self.number, self.now_s
        self.count(decision, is_repeat=is_repeat)
        self.follow_test(decision)
        self.unended_s = self.now_s
        if self.in_test:
            return
        self.judge_upgrade(decision)
        is_taken_up = any(e.kind is EntryKind.PRESS and e.reason in TAKEN_UP for e in decision.entries)
        is_within = self.now_s - self.heard_s <= REPEATS_S or (self.doubtful and self.heard_s != -FAR)
        belongs = not self.numbered and is_within and not (self.is_drilled and self.was_real)
        if is_repeat:
            pass
        elif self.action == "hold":
            assert is_taken_up or belongs, f"{PROMISE_2}: {decision.entries}"
        else:
            self.judge_count(decision, belongs=belongs)
        if is_taken_up:
            self.doubtful = False
            self.is_drilled = self.gesture_is_drilled = self.play.state.drill is not None
        if is_taken_up or belongs:
            self.heard_s = self.now_s

    def count(self, decision: Decision, *, is_repeat: bool) -> None:
        """Live presses of the gesture under way that a human made: what was said again without an end is one, too, but
        nobody can know."""
        silent_s = self.now_s - self.unended_s
        is_said_again = not self.numbered and (silent_s <= REPEATS_S or (self.doubtful and self.unended_s != -FAR))
        if self.now_s - self.pressed_s > WINDOW_S or (self.is_stepped and self.is_rebooted):
            self.certain = self.least = 0
            self.gesture_is_drilled = False
        self.is_stepped = self.is_rebooted = False
        self.may_count(decision, certain=not is_said_again or self.doubtful)
        if self.in_test:
            self.certain = self.least = 0
        elif not is_repeat:
            self.pressed_s = self.now_s
            self.least += 1
            self.certain += not is_said_again

    def may_count(self, decision: Decision, *, certain: bool) -> None:
        """Whatever was heard may belong to it; of a test, once it is real. `certain`: nothing says that it is none."""
        became_real = self.in_test and any(e.reason is Reason.TRIED_ENOUGH for e in decision.entries)
        (self.tried if self.in_test else self.maybe).append((self.now_s, certain))
        if became_real:
            self.maybe += self.tried

    @property
    def may_belong(self) -> list[bool]:
        """Each press that may be of the gesture under way, and whether it is certain; over a reboot nobody knows how
        far apart the clocks are."""
        apart_s = WINDOW_S + (CLOCKS_APART_S if self.was_rebooted else 0)
        later_s, found = self.now_s, []
        for at_s, certain in reversed(self.maybe):
            if later_s - at_s > apart_s:
                break
            found.append(certain)
            later_s = at_s
        return found

    def judge_count(self, decision: Decision, *, belongs: bool) -> None:
        """`belongs`: it has called, and no end of it was heard. If a human has closed that call, nobody can know
        whether it was pressed again: what may be a whole gesture rings."""
        open_ = {i.incident_class for i in self.play.state.open_of_device(DEVICE)}
        if belongs and not open_:
            trouble = self.play.state.troubles.get(f"still_on:{DEVICE}")
            is_rung = trouble is not None and trouble.rings
            assert self.least < 3 or is_rung, f"{PROMISE_2}: 3 presses, and nobody looks: {decision.entries}"
        elif self.certain >= 8:
            assert IncidentClass.LOCKDOWN in open_, f"{PROMISE_2}: 8 presses: {decision.entries}"
        elif self.least >= 3:
            assert open_, f"{PROMISE_2}: 3 presses: {decision.entries}"

    def judge_upgrade(self, decision: Decision) -> None:
        """Neither a press of a test nor what is said again makes a gesture of what is none."""
        if self.action != "press" or (self.steps and self.was_rebooted):
            return  # the wall clock is all there is, and it was set: presses hours apart may be one gesture
        presses = self.may_belong
        # Others' are written anew when the clock was set: their stamps move with it.
        mine = [i for i in decision.incidents if any(p.device_id == DEVICE for p in i.presses)]
        if len(presses) < 3:
            assert not mine or self.had_open, f"{len(presses)} presses: {decision.entries}"
        if sum(presses) < 8:
            upgraded = [i for i in mine if i.incident_class is IncidentClass.LOCKDOWN]
            assert not upgraded or self.had_lockdown, f"{sum(presses)} presses for certain: {decision.entries}"

    def release(self, is_lost: bool) -> None:
        self.is_on = False
        if not is_lost and not self.numbered:  # one that numbers its presses says nothing of their end
            self.say(ends=True)
            self.heard_s = self.unended_s = -FAR

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
        is_quick = self.action == "press" and not self.numbered and bool(self.may_belong)
        decision = self.say()
        is_pressed_now = self.is_drilled and self.was_real and not self.numbered
        if not is_known or is_quick or self.doubtful or is_pressed_now:
            self.judge_press(decision, is_repeat=not is_pressed_now)
            return
        self.may_count(decision, certain=False)
        self.follow_test(decision)
        told = {row.notification.kind for row in decision.notifications}
        assert not told & TOLD, f"what is said again tells somebody: {decision.entries}"
        self.heard_s = self.said_s = self.unended_s = self.now_s

    # --- what people do to alertd -------------------------------------------------------------------------------

    @rule(seconds=st.sampled_from([0.5, 2, 9, 11, 61, 299, 601]))
    def wait(self, seconds: float) -> None:
        self.decided.clear()
        while self.in_test and self.is_watched and seconds > LOOKS_EVERY_S:
            self.play.wait(LOOKS_EVERY_S)
            self.play.do(DeviceTestWatched(site_id=OAK, device_id=DEVICE))
            self._follow_all()
            seconds -= LOOKS_EVERY_S
        self.play.wait(seconds)
        self._follow_all()

    def _follow_all(self) -> None:
        for decision in self.decided:
            self.follow_test(decision)
        self.decided.clear()

    @rule()
    def close(self) -> None:
        for incident in tuple(self.play.state.incidents.values()):
            self.play.arrivals += 1
            cause = CauseId(f"cli:{self.play.arrivals}")
            closes = ResolveOrdered(
                site_id=OAK, cause=cause, incident_id=incident.id, by="J. Ruiz", rooms_released=True
            )
            self.play.do(closes)

    @rule(what=st.sampled_from(DISTURBANCES))
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
            case "drill":
                self.drill()
            case "drilled":
                self.close()
                self.drill()
                self.press(is_lost=False, end_is_lost=False)
                self.drill()
            case "others":
                self.play.arrive("badge-118", "hold")
            case _:
                self.try_out()
                if what == "pressed":
                    self.press(is_lost=False, end_is_lost=True)
                self.end_test()

    def set_clock(self, *, told: bool) -> None:
        """There and back again, and further each time."""
        step_s = (-7_200, 600, 86_400, -600, 7_200, -86_400)[self.steps % 6]
        self.steps += 1
        self.is_stepped = True
        self.play.stepped_us += step_s * 1_000_000
        if told:
            self.play.do(ClockStepped(site_id=OAK, step_us=step_s * 1_000_000))

    def drill(self) -> None:
        """The first call begins one, if nothing real is open; the next ends it."""
        if self.play.state.drill is None:
            self.play.drill(DEVICE)
            return
        self.play.end_drill()
        if self.gesture_is_drilled:
            self.certain = self.least = 0

    def restart(self, *, reboots: bool) -> None:
        if reboots:
            self.play.boot_id += "'"
            self.doubtful = self.is_rebooted = self.was_rebooted = True
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
            self.is_watched = self.play.arrivals % 2 == 0
            self.steps_before_test = self.steps
            self.heard_s = self.unended_s = -FAR

    def end_test(self) -> None:
        self.follow_test(self.play.do(DeviceTestEndOrdered(site_id=OAK, device_id=DEVICE, why="ended")))

    def follow_test(self, decision: Decision) -> None:
        """The end of a test is written down; what is pressed in that very decision is real."""
        if any(e.reason is Reason.TRIED_ENOUGH for e in decision.entries):
            self.in_test = False
            self.certain = self.least = 0
            if self.steps != self.steps_before_test:  # nobody knows what was pressed in it
                self.maybe = sorted((*self.maybe, *self.tried))
            self.tried = []
            self.unended_s = -FAR


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
