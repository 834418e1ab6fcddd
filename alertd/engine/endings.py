"""How incidents end: resolved, released room by room, or said to be a mistake. Each is one action by a named person."""

from msgspec.structs import replace

from alertd.engine import dispatch_centers
from alertd.engine.draft import Draft
from alertd.engine.lifecycle import Move
from alertd.engine.telling import Message, tell_told
from alertd.model.decision import EntryKind
from alertd.model.events import CorrectionOrdered, ResolveOrdered
from alertd.model.incident import (
    AnswerKind,
    Correction,
    EscalationState,
    Incident,
    IncidentClass,
    IncidentState,
    Told,
)
from alertd.model.notification import Kind
from alertd.model.people import PersonKind
from alertd.model.reason import Reason


def on_resolve(d: Draft, event: ResolveOrdered) -> None:
    """A lockdown is never cleared by a broadcast: it goes to *releasing*, and closes when rooms were released in
    person (req 44). Everything else closes at once."""
    d.cause = event.cause
    incident = d.incident(event.incident_id)
    if incident is None:
        d.entry(EntryKind.INCIDENT, Reason.STALE_CODE, f"{event.by} resolved what is not open")
        return
    if event.zone_id is not None:
        released = tuple(dict.fromkeys((*incident.released, event.zone_id)))
        incident = d.put(replace(incident, released=released))
        d.entry(EntryKind.INCIDENT, Reason.RELEASED, f"{event.zone_id} released by {event.by}", incident=incident)
    locked = incident.incident_class is IncidentClass.LOCKDOWN
    if locked and (not event.rooms_released or incident.state is IncidentState.ACTIVE):
        incident = _release(d, incident, event.by)
    if locked and not event.rooms_released:
        return
    if event.zone_id is None or event.rooms_released:
        _close(d, incident, event.by)


def _release(d: Draft, incident: Incident, by: str) -> Incident:
    if incident.state is IncidentState.ACTIVE:
        d.entry(EntryKind.INCIDENT, Reason.RELEASING, f"{by}: rooms are being released in person", incident=incident)
        d.withdraw(incident, Reason.INCIDENT_CLOSED)
    incident = d.live(incident, Move.RELEASE)
    return d.escalate(incident, Move.STOP)


def _close(d: Draft, incident: Incident, by: str) -> None:
    untold = incident.state is IncidentState.CANCEL_WINDOW
    incident = d.escalate(incident, Move.STOP)
    incident = d.live(incident, Move.CLOSE)
    incident = d.put(replace(incident, closed_us=d.now.wall_us, closed_by=by))
    d.withdraw(incident, Reason.INCIDENT_CLOSED)
    d.entry(EntryKind.INCIDENT, Reason.CLOSED, f"closed by {by}", incident=incident)
    if untold:
        return
    # Staff in locked rooms are released in person: a text to them would be the all-clear that must not be sent.
    locked = incident.incident_class is IncidentClass.LOCKDOWN
    tell_told(
        d,
        incident,
        Message(kind=Kind.CLOSING, template="closing", reason=Reason.CLOSED, occasion="closing", extra={"by": by}),
        among=tuple(t for t in incident.told if not locked or _goes(d, incident, t)),
    )
    dispatch_centers.tell_all(d, incident, Kind.DISPATCH_CLOSED, Reason.CLOSED)


def _goes(d: Draft, incident: Incident, told: Told) -> bool:
    """Is this somebody who goes about in a lockdown? Once it was widened, everyone was asked to: that says nothing."""
    person = d.facts.registry.people.get(told.person_id)
    if person is not None and person.kind is PersonKind.RESPONDER and told.words == "responder":
        return True
    return any(a.person_id == told.person_id and a.kind is not AnswerKind.CANNOT_GO for a in incident.answers)


def on_correct(d: Draft, event: CorrectionOrdered) -> None:
    """It was a mistake, says a named person: exactly those who were told are told. Dispatch gets a cancel *request*;
    police decide (req 96). Locked rooms stay locked, and no word of it says otherwise."""
    d.cause = event.cause
    incident = d.incident(event.incident_id)
    if incident is None:
        d.entry(EntryKind.CORRECTION, Reason.STALE_CODE, f"{event.by} corrected what is not open")
        return
    correction = Correction(at_us=d.now.wall_us, by=event.by, reason=event.reason)
    incident = d.put(replace(incident, correction=correction))
    d.entry(EntryKind.CORRECTION, Reason.CORRECTED, f"{event.by}: {event.reason}", incident=incident)
    locked = incident.incident_class is IncidentClass.LOCKDOWN
    if incident.escalation is not EscalationState.STOPPED:
        incident = d.escalate(incident, Move.STOP)
    d.withdraw(incident, Reason.CORRECTED)
    tell_told(
        d,
        incident,
        Message(
            kind=Kind.CORRECTION,
            template="correction.locked" if locked and _has_locked(d, incident) else "correction",
            reason=Reason.CORRECTED,
            occasion=f"correction/{event.cause}",
            extra={"by": event.by, "reason": event.reason},
        ),
    )
    incident = dispatch_centers.tell_all(d, incident, Kind.DISPATCH_CANCEL_REQUEST, Reason.CORRECTED)
    if locked:
        d.live(incident, Move.RELEASE)
        return
    incident = d.live(incident, Move.CLOSE)
    incident = d.put(replace(incident, closed_us=d.now.wall_us, closed_by=event.by))
    d.entry(EntryKind.INCIDENT, Reason.CORRECTED, f"closed by {event.by}", incident=incident)


def _has_locked(d: Draft, incident: Incident) -> bool:
    """A policy that words its whole correction is taken at its word; else the fixed text for locked rooms is used."""
    own = d.policy(incident).templates
    return "correction.responder" not in own or "correction.staff" not in own
