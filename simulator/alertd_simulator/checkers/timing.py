"""Deadlines run on boot time: no timer is early, lost or late, whatever is done to the clock or the process; and the
steps of a policy take the time that the policy gives them.

Owns a stopwatch in true time for every timer that was set, and one for every step that began.
"""

from collections.abc import Sequence

from msgspec import Struct

from alertd.model.events import AnswerGiven, Keyed, Replied, TimerFired
from alertd.model.ids import IncidentId, TimerId
from alertd.model.incident import AnswerKind, EscalationState, Incident, IncidentState
from alertd.model.notification import NotificationRow
from alertd.model.timer import Timer
from alertd_simulator.checkers.audiences import WIDEN_S
from alertd_simulator.checkers.checker import Checker, Scene
from alertd_simulator.checkers.final import Final
from alertd_simulator.world.happenings import Committed, Crashed, Happening

SECOND_US = 1_000_000
EARLY_SLACK_S = 15.0
"""A timer counts from the moment of deciding, which lies before its commit: the writer's queue on a slow disk."""
LATE_CALM_S = 30.0
"""Calm seconds after it is due."""


STEP_CALM_S = 10.0
"""Calm seconds after a step's time is over: its timer, its commit."""
STEP_SLACK_S = 3.0
"""Between deciding that a step begins and its commit, while the disk is well: a writer's queue."""
DISK = ("slow_disk", "disk_full", "disk_fails")


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


class Standing(Struct, frozen=True, kw_only=True):
    """A step, or a round of widening, whose time runs."""

    place: tuple[int, int]
    """Step and round."""
    wait_s: float
    since_us: int


class StepsInTime(Checker):
    name = "steps in time"
    docs = (
        "Req 13: whoever comes next is asked when the step before has had the seconds that the policy gives it: not "
        "earlier, unless somebody says that they cannot go, and not later. A search that begins anew (nobody arrived, "
        "a further room, an upgrade) gives its step the whole time again; after the last step everybody is asked every "
        "two minutes."
    )
    sees = (Committed, Crashed)

    def __init__(self, scene: Scene) -> None:
        super().__init__(scene)
        self._standing: dict[IncidentId, Standing] = {}
        self._due: dict[IncidentId, int] = {}
        """Overdue -> calm time since which it is."""

    def see(self, happening: Happening) -> None:
        match happening:
            case Committed():
                self._look(happening.at_us)
                for incident in happening.decision.incidents:
                    self._note(happening, incident)
            case Crashed(power=True):  # boot time stands still, and the last commit may be gone
                self._standing.clear()
                self._due.clear()
            case _:
                pass

    def reread(self, incidents: Sequence[Incident], rows: Sequence[NotificationRow], at_us: int) -> None:  # noqa: ARG002
        """Of an incident that stands elsewhere than it was seen to, nobody knows since when."""
        places = {incident.id: _place(incident) for incident in incidents}
        for id_, standing in tuple(self._standing.items()):
            if places.get(id_) != standing.place:
                self._forget(id_)

    def _note(self, committed: Committed, after: Incident) -> None:
        before = self.scene.records.incidents.get(after.id)
        moved = before is None or _place(before) != _place(after)
        judged = moved and isinstance(committed.event, TimerFired | Replied | Keyed | AnswerGiven)
        if before is not None and judged and not (_upgraded(before, after) or _cannot_go(before, after)):
            self._judge(committed, after)
        if not _is_looked_for(after):
            self._forget(after.id)
        elif before is None or moved or _begins_anew(before, after):
            self._begin(committed.at_us, after)

    def _begin(self, at_us: int, incident: Incident) -> None:
        self._forget(incident.id)
        policy = self.scene.registry.policies_by_hash.get(incident.policy_hash)
        if policy is None:
            return
        widens = incident.escalation is EscalationState.EXHAUSTED
        wait_s = WIDEN_S if widens else float(policy.steps[incident.step].wait_s)
        self._standing[incident.id] = Standing(place=_place(incident), wait_s=wait_s, since_us=at_us)

    def _judge(self, committed: Committed, after: Incident) -> None:
        """Its time is over, is it?"""
        standing = self._standing.get(after.id)
        if standing is None:
            return
        at_us, conditions = committed.at_us, self.scene.conditions
        hampered = any(conditions.lately(fault, standing.since_us, round(EARLY_SLACK_S * SECOND_US)) for fault in DISK)
        slack_s = min(EARLY_SLACK_S if hampered else STEP_SLACK_S, standing.wait_s / 2)
        stood_s = (at_us - standing.since_us) / SECOND_US
        if stood_s < standing.wait_s - slack_s:
            self.accuse(
                at_us, f"{_name(after)}: the next ones are asked after {stood_s:.0f} s, not {standing.wait_s:g} s"
            )

    def _forget(self, incident_id: IncidentId) -> None:
        self._standing.pop(incident_id, None)
        self._due.pop(incident_id, None)

    def _look(self, at_us: int) -> None:
        calm_us = self.scene.conditions.calm_us(at_us)
        for id_, standing in tuple(self._standing.items()):
            if standing.since_us + standing.wait_s * SECOND_US > at_us:
                continue
            since_us = self._due.setdefault(id_, calm_us)
            if calm_us - since_us > STEP_CALM_S * SECOND_US:
                stood_s = (at_us - standing.since_us) / SECOND_US
                incident = self.scene.records.incidents.get(id_)
                what = _name(incident) if incident is not None else str(id_)
                self._forget(id_)
                self.accuse(
                    at_us, f"{what}: {stood_s:.0f} s gone, and after {standing.wait_s:g} s nobody else is asked"
                )

    def finish(self, final: Final, at_us: int) -> None:  # noqa: ARG002 - a checker's signature
        self._look(at_us)


def _place(incident: Incident) -> tuple[int, int]:
    return incident.step, incident.round


def _name(incident: Incident) -> str:
    return f"{incident.headline} ({incident.id}), step {incident.step + 1}"


def _is_looked_for(incident: Incident) -> bool:
    looking = incident.escalation in (EscalationState.RUNNING, EscalationState.EXHAUSTED)
    return incident.is_open and looking and incident.state is IncidentState.ACTIVE


def _cannot_go(before: Incident, after: Incident) -> bool:
    """Somebody has just said so: the next ones are asked at once."""
    said = frozenset(after.answers) - frozenset(before.answers)
    return any(answer.kind is AnswerKind.CANNOT_GO for answer in said)


def _upgraded(before: Incident, after: Incident) -> bool:
    return before.incident_class is not after.incident_class


def _begins_anew(before: Incident, after: Incident) -> bool:
    return not _is_looked_for(before) or _upgraded(before, after)
