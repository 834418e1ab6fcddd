"""Incidents: how they may begin, change and end. Only named humans end a panic.

Owns what may follow what in the life of an incident, written down once more from the design.
"""

from alertd.model.events import (
    AnswerGiven,
    CorrectionOrdered,
    Keyed,
    OutcomeReported,
    Pressed,
    Replied,
    ResolveOrdered,
    TimerFired,
)
from alertd.model.incident import EscalationState, Incident, IncidentClass, IncidentState
from alertd.model.mode import Mode
from alertd_simulator.checkers.checker import Checker, Consequence
from alertd_simulator.checkers.covering import GRAVITY, is_panic
from alertd_simulator.world.happenings import Committed, Happening

ENDING = (ResolveOrdered, CorrectionOrdered)

SILENCE_US = 60 * 1_000_000
"""No sensor of the world has a shorter cool-down."""
HOUR_US = 3600 * 1_000_000
"""So long after it was told of, an alarm that never ends is told again."""


class OnlyHumansEnd(Checker):
    name = "only humans end"
    docs = (
        "An incident's severity only goes up; a panic is ended by a named human only; a lockdown never goes from "
        "active to closed without its rooms having been released (req 44); exhausted is never an end."
    )
    sees = (Consequence,)

    def see(self, happening: Happening) -> None:
        if not isinstance(happening, Committed):
            return
        for after in happening.decision.incidents:
            before = self.scene.records.incidents.get(after.id)
            was_set = self.scene.conditions.last_step_us >= 0
            wrong = _begun(happening, after) if before is None else _changed(happening, before, after, was_set=was_set)
            if wrong:
                self.accuse(happening.at_us, f"{after.headline} ({after.id}) {wrong}, on {_named(happening)}")


def _named(committed: Committed) -> str:
    return type(committed.event).__name__


def _begun(committed: Committed, after: Incident) -> str:
    if not isinstance(committed.event, Pressed | Replied | Keyed):
        return "was opened by nobody"
    if is_panic(after.incident_class) and after.escalation is EscalationState.STOPPED:
        return "was opened with an escalation that is stopped"
    return ""


def _changed(  # noqa: PLR0911 - one a rule
    committed: Committed, before: Incident, after: Incident, *, was_set: bool
) -> str:
    if GRAVITY[after.incident_class] < GRAVITY[before.incident_class]:
        return f"became less grave: {before.incident_class} to {after.incident_class}"
    if (before.site_id, before.mode, before.token) != (after.site_id, after.mode, after.token):
        return "changed its site, mode or token"
    if not before.is_open and after.is_open:
        return "was opened again"
    if after.mode is Mode.DRILL and not after.is_open:
        return ""  # it ends with its drill (`drills`), and nobody's room was locked in earnest
    panic = is_panic(after.incident_class)
    ended = before.is_open and not after.is_open
    stopped = after.escalation is EscalationState.STOPPED and before.escalation is not EscalationState.STOPPED
    if panic and (ended or stopped) and not isinstance(committed.event, ENDING):
        return "was ended by no human"
    by_time_or_word = isinstance(committed.event, (*ENDING, TimerFired, Replied, Keyed, AnswerGiven))
    if ended and not panic and not by_time_or_word and not _goes_on_elsewhere(committed, before, was_set=was_set):
        return "was ended by neither human nor policy"
    if ended and after.incident_class is IncidentClass.LOCKDOWN and not _released(committed, before):
        return "was closed without releasing its rooms"
    if before.escalation is EscalationState.EXHAUSTED and after.escalation is EscalationState.RUNNING:
        fresh = isinstance(committed.event, Pressed | Replied | Keyed) or after.generation > before.generation
        return "" if fresh else "is no longer exhausted though nobody answered"
    if isinstance(committed.event, OutcomeReported) and before.escalation is not after.escalation:
        return "escalates, or not, because of what a carrier said"
    return ""


def _goes_on_elsewhere(committed: Committed, before: Incident, *, was_set: bool) -> bool:
    """A report makes a panic of what a sensor said before, and that holds it all; or it is another alarm than the one
    that somebody has answered: after a silence, after an hour, or by a clock that was set back. While none is set, what
    is older than what was heard last has waited in front of the door."""
    if not isinstance(committed.event, Pressed):
        return False
    devices = {press.device_id for press in before.presses}
    panics = (i for i in committed.decision.incidents if i.is_open and is_panic(i.incident_class))
    if any(devices <= {press.device_id for press in panic.presses} for panic in panics):
        return True
    at_us, last_us = committed.event.received_us, max(press.last_us for press in before.presses)
    in_order = at_us >= last_us or not was_set
    is_same = in_order and at_us - last_us < SILENCE_US and at_us - before.opened_us < HOUR_US
    return before.escalation is EscalationState.PAUSED and not is_same


def _released(committed: Committed, before: Incident) -> bool:
    event = committed.event
    return before.state is IncidentState.RELEASING or (isinstance(event, ResolveOrdered) and event.rooms_released)
