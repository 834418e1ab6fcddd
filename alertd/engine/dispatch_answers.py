"""What dispatch centres answer: received is not accepted, and who has not accepted in time was not told.

Owns what is known of each centre; where one does not have it, the next of the site is told.
"""

from msgspec.structs import replace

from alertd.engine.dispatch_centers import tell_new, with_status
from alertd.engine.draft import Draft
from alertd.engine.telling import RESPONDERS, Message, tell_told
from alertd.model.decision import EntryKind
from alertd.model.incident import (
    DispatchState,
    DispatchStatus,
    EscalationState,
    Incident,
    is_panic,
)
from alertd.model.notification import Kind
from alertd.model.outcome import DispatchAnswer
from alertd.model.reason import Reason

_ACCEPTING = frozenset({DispatchState.ACCEPTED, DispatchState.DISPATCHED, DispatchState.ON_SCENE})
_TOLD = _ACCEPTING | {DispatchState.CLOSED}
_ANSWERS = {state.value: state for state in DispatchState}


def on_answer(d: Draft, incident: Incident, destination_id: str, answer: DispatchAnswer | None) -> Incident:
    """A centre's server took a message; `answer` is what it said beyond that. A bare 2xx is *received*."""
    status = next((s for s in incident.dispatch if s.destination_id == destination_id), None)
    if status is None:
        return incident
    said = _ANSWERS.get(answer.state) if answer else None
    if answer is not None and said is None:
        d.entry(
            EntryKind.DISPATCH,
            Reason.NOT_A_CODE,
            f"{destination_id} said {answer.state!r}, not understood",
            incident=incident,
        )
    if said is None or said in (DispatchState.WAITING, DispatchState.NOT_TOLD):
        said = DispatchState.RECEIVED
    detail = answer.detail if answer else ""
    return report(d, incident, status, said, answer.call_number if answer else None, detail)


def report(
    d: Draft, incident: Incident, status: DispatchStatus, said: DispatchState, call_number: str | None, detail: str
) -> Incident:
    """What a centre says of an incident. Knowledge does not go back: after *accepted*, *received* says nothing new."""
    if said is DispatchState.RECEIVED and status.state is not DispatchState.WAITING:
        return incident
    if said is status.state and (call_number or status.call_number) == status.call_number:
        return incident
    new = replace(status, state=said, call_number=call_number or status.call_number, detail=detail)
    incident = d.put(replace(incident, dispatch=with_status(incident, new)))
    number = f", call {new.call_number}" if new.call_number else ""
    d.entry(
        EntryKind.DISPATCH,
        Reason.DISPATCH_CHANGED,
        f"{status.destination_id}: {said}{number}",
        incident=incident,
        destination=status.destination_id,
        state=said,
    )
    first_acceptance = said in _ACCEPTING and status.state not in _TOLD
    if first_acceptance and is_panic(incident.incident_class):
        incident = _tell_responders(d, incident, "accepted", {"call_number": new.call_number or "not given"})
    if said is DispatchState.REJECTED:
        return not_told(d, incident, status.destination_id, f"rejected: {detail or 'no reason given'}")
    if said is DispatchState.CLOSED and status.state in (DispatchState.WAITING, DispatchState.RECEIVED):
        return not_told(d, incident, status.destination_id, "closed without having accepted")
    return incident


def on_accept_timeout(d: Draft, incident: Incident, destination_id: str) -> None:
    """Sixty seconds without *accepted*: that centre was not told. The next route is taken, and responders learn it."""
    status = next((s for s in incident.dispatch if s.destination_id == destination_id), None)
    if status is None or status.state in _TOLD or status.state in (DispatchState.REJECTED, DispatchState.NOT_TOLD):
        d.entry(EntryKind.DISPATCH, Reason.STALE_TIMER, f"{destination_id} has answered", incident=incident)
        return
    statuses = with_status(incident, replace(status, state=DispatchState.NOT_TOLD))
    not_told(d, d.put(replace(incident, dispatch=statuses)), destination_id, "nobody accepted in time")


def not_told(d: Draft, incident: Incident, destination_id: str, why: str) -> Incident:
    """This centre does not have it: tell the next one of the site, and the responders. Unless it was said to be a
    mistake, or over, meanwhile: then nobody else is alarmed by it."""
    d.entry(EntryKind.DISPATCH, Reason.DISPATCH_CHANGED, f"{destination_id} NOT TOLD: {why}", incident=incident)
    if incident.escalation is EscalationState.STOPPED:
        return incident
    known = {s.destination_id for s in incident.dispatch}
    serving = (x for x in d.facts.registry.destinations.values() if incident.site_id in x.site_ids)
    following = tuple(x for x in serving if x.endpoint.dispatch and x.id not in known)[:1]
    incident = tell_new(d, incident, following, Reason.OTHER_CHANNEL)
    return _tell_responders(d, incident, "not_told", {})


def _tell_responders(d: Draft, incident: Incident, what: str, extra: dict[str, str]) -> Incident:
    incident = d.put(replace(incident, next_number=incident.next_number + 1))
    message = Message(
        kind=Kind.UPDATE,
        template=f"dispatch.{what}",
        reason=Reason.DISPATCH_CHANGED,
        occasion=f"{what}/{incident.next_number}",
        extra=extra,
    )
    tell_told(d, incident, message, words=RESPONDERS)
    return incident
