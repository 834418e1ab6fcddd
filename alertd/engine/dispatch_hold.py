"""Why dispatch waits, and what ends that: a human's word, a press of now, or the site's time (req 15).

Owns whether a press makes dispatch wait for a human, and for how long. Responders wait for nothing of this: they are
told first. Must never: let dispatch wait for ever, nor tell it of what was called a mistake, or over, while it waited.
"""

from msgspec.structs import replace

from alertd.engine import announcing, dispatch_centers
from alertd.engine.audience import destinations_of
from alertd.engine.draft import Draft
from alertd.model.decision import EntryKind
from alertd.model.incident import Incident, IncidentState, Press
from alertd.model.reason import Reason
from alertd.model.timer import TimerKind


def hold_for(d: Draft, press: Press) -> Reason | None:
    """Why dispatch waits when this press calls; `None`: it does not."""
    if press.late:
        return Reason.LATE_HOLD
    return None if d.site.rules.confirm_before_dispatch == "off" else Reason.CONFIRM_HOLD


def time_the_hold(d: Draft, incident: Incident) -> None:
    """Whatever dispatch waits for, it does not wait for ever (req 15)."""
    if incident.dispatch_hold is Reason.LATE_HOLD:
        d.timer(TimerKind.LATE_CONFIRM, d.policy(incident).late_confirm_s, incident)
    elif incident.dispatch_hold is Reason.CONFIRM_HOLD:
        d.timer(TimerKind.LATE_CONFIRM, d.site.rules.confirm_timeout_s, incident, number=1)


def ease_the_hold(d: Draft, incident: Incident, press: Press) -> Incident:
    """A press of now does not wait for what held a late one; where the site confirms first, it has its time."""
    if incident.dispatch_hold is not Reason.LATE_HOLD or press.late or incident.state is IncidentState.RELEASING:
        return incident
    hold = hold_for(d, press)
    if hold is None:
        return release_dispatch(d, incident, Reason.CONFIRMED)
    incident = d.put(replace(incident, dispatch_hold=hold))
    time_the_hold(d, incident)
    return announcing.catch_up(d, incident, Reason.CONFIRMED)


def release_dispatch(d: Draft, incident: Incident, reason: Reason) -> Incident:
    """Dispatch, and after a late press the loudspeakers, waited for a human, or for the site's timeout: silence is no
    veto (req 15). But somebody who said that it was a mistake, or is over, before dispatch was told was not silent."""
    if incident.dispatch_hold is None or incident.state is IncidentState.RELEASING:
        return incident
    incident = d.put(replace(incident, dispatch_hold=None))
    policy = d.policy(incident)
    registry = d.facts.registry
    for step in policy.steps[: incident.step + 1]:
        machines = destinations_of(registry, incident.site_id, step)
        incident = dispatch_centers.tell_new(d, incident, machines, reason)
    return announcing.catch_up(d, incident, reason)


def on_late_confirm(d: Draft, incident: Incident) -> None:
    """Nobody confirmed, nobody objected."""
    if incident.dispatch_hold is None or incident.state is IncidentState.RELEASING:
        d.entry(EntryKind.ESCALATION, Reason.STALE_TIMER, "dispatch no longer waits", incident=incident)
        return
    late = incident.dispatch_hold is Reason.LATE_HOLD
    release_dispatch(d, incident, Reason.LATE_TIMED_OUT if late else Reason.CONFIRM_TIMED_OUT)
