"""Deadlines run on boot time: no timer is early, lost or late, whatever is done to the clock or the process.

Owns a stopwatch in true time for every timer that was set.
"""

from msgspec import Struct

from alertd.model.events import TimerFired
from alertd.model.ids import TimerId
from alertd.model.timer import Timer
from alertd_simulator.checkers.checker import Checker, Scene
from alertd_simulator.checkers.final import Final
from alertd_simulator.world.happenings import Committed, Crashed, Happening

SECOND_US = 1_000_000
EARLY_SLACK_S = 15.0
"""A timer counts from the moment of deciding, which lies before its commit: the writer's queue on a slow disk."""
LATE_CALM_S = 30.0
"""Calm seconds after it is due."""


class Running(Struct, frozen=True, kw_only=True):
    timer: Timer
    due_us: int


class PunctualTimers(Checker):
    name = "punctual timers"
    docs = (
        "Req 99: a timer fires when its time is over, by boot time: a step of the wall clock, a crash or a full disk "
        "makes none early, and none is lost. (A power cut stops boot time: then the clock on the wall has to do.)"
    )
    sees = (Committed, Crashed)

    def __init__(self, scene: Scene) -> None:
        super().__init__(scene)
        self._running: dict[TimerId, Running] = {}
        self._due: dict[TimerId, int] = {}
        """Overdue -> calm time since which it is."""

    def see(self, happening: Happening) -> None:
        match happening:
            case Committed():
                self._committed(happening)
            case Crashed(power=True):
                self._running.clear()
                self._due.clear()
            case _:
                pass

    def _committed(self, committed: Committed) -> None:
        event, decision = committed.event, committed.decision
        if isinstance(event, TimerFired):
            self._fired(committed, event.timer)
        for timer_id in decision.dropped_timers:
            self._forget(timer_id)
        for timer in decision.timers:
            self._forget(timer.id)
            self._running[timer.id] = Running(
                timer=timer,
                due_us=committed.at_us + round(timer.delay_s * SECOND_US),
            )
        self._look(committed.at_us)

    def _forget(self, timer_id: TimerId) -> None:
        self._running.pop(timer_id, None)
        self._due.pop(timer_id, None)

    def _fired(self, committed: Committed, timer: Timer) -> None:
        running = self._running.get(timer.id)
        if running is None:
            return
        early_us = running.due_us - committed.at_us
        slack_us = min(EARLY_SLACK_S, timer.delay_s / 2) * SECOND_US
        if early_us > slack_us and timer == running.timer:
            self.accuse(
                committed.at_us, f"{timer.kind} of {timer.incident_id} fired {early_us / SECOND_US:.0f} s early"
            )
        self._forget(timer.id)

    def _look(self, at_us: int) -> None:
        calm_us = self.scene.conditions.calm_us(at_us)
        for timer_id, running in tuple(self._running.items()):
            if running.due_us > at_us:
                continue
            since_us = self._due.setdefault(timer_id, calm_us)
            if calm_us - since_us > LATE_CALM_S * SECOND_US:
                self._forget(timer_id)
                late_s = (at_us - running.due_us) / SECOND_US
                timer = running.timer
                self.accuse(at_us, f"{timer.kind} of {timer.incident_id or timer.detail} is {late_s:.0f} s late")

    def finish(self, final: Final, at_us: int) -> None:  # noqa: ARG002 - a checker's signature
        self._look(at_us)
