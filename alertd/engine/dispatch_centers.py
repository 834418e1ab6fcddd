"""Which dispatch centres are told what, and when: an update is at most one per ten seconds, a new room at once. What
stands in a message, `dispatch_body` owns; what is answered, `dispatch_answers`.

Must never send a drill to a centre that takes no exercise, nor anything to any that only a sensor says.
"""

from msgspec.json import encode
from msgspec.structs import replace

from alertd.engine.dispatch_body import Posting, body_of, heartbeat_of
from alertd.engine.draft import Draft, lane_of
from alertd.model.decision import EntryKind
from alertd.model.ids import NotificationId, derive
from alertd.model.incident import (
    DispatchState,
    DispatchStatus,
    Incident,
    is_panic,
)
from alertd.model.mode import Mode
from alertd.model.notification import Kind, Lane, Notification
from alertd.model.people import Destination
from alertd.model.reason import Reason
from alertd.model.timer import TimerKind

BATCH_S = 10
"""Updates are batched to one per so many seconds and incident; a new room goes at once."""


def tell_new(d: Draft, incident: Incident, destinations: tuple[Destination, ...], reason: Reason) -> Incident:
    """Tell centres that have not been told of this incident, or say why they wait."""
    known = {s.destination_id for s in incident.dispatch}
    for destination in destinations:
        if destination.id in known:
            continue
        if destination.endpoint.dispatch and not is_panic(incident.incident_class):
            text = f"{destination.id} is not told of what only a sensor says"
            d.entry(EntryKind.DISPATCH, Reason.NEVER_WIDE, text, incident=incident)
            continue
        if incident.mode is Mode.DRILL and not destination.endpoint.accepts_exercise:
            _blocked(d, incident, destination, reason)
            continue
        if incident.dispatch_hold is not None:
            d.entry(
                EntryKind.DISPATCH, incident.dispatch_hold, f"{destination.id} waits for a human", incident=incident
            )
            continue
        incident = _send(d, incident, destination, Kind.DISPATCH_NEW, reason)
        d.timer(TimerKind.DISPATCH_ACCEPT, destination.accept_within_s, incident, number=1, detail=destination.id)
    return incident


def _blocked(d: Draft, incident: Incident, destination: Destination, reason: Reason) -> None:
    """A drill never reaches it (promise 3): a row says what would have been sent, for whoever reads the report."""
    expires_us = d.now.wall_us + d.policy(incident).expires_s * 1_000_000
    posting = Posting(
        kind=Kind.DISPATCH_NEW,
        message_id=NotificationId(derive("d", incident.id, destination.id, "blocked")),
        sequence=0,
        supersedes=None,
        expires_us=expires_us,
        reply_url=destination.reply_url,
    )
    d.row(_notification(d, incident, destination, posting, reason), suppressed=Reason.MODE_FORBIDS)


def tell_change(d: Draft, incident: Incident, reason: Reason, *, at_once: bool = False) -> Incident:
    """Update every centre that was told: at once for a new room, else with what else happens within ten seconds."""
    if not incident.dispatch:
        return incident
    last_us = max(s.told_us for s in incident.dispatch)
    waited_s = (d.now.wall_us - last_us) / 1_000_000
    if at_once or waited_s >= BATCH_S or waited_s < 0:
        return tell_all(d, incident, Kind.DISPATCH_UPDATE, reason)
    if not incident.dispatch_due:
        d.timer(TimerKind.DISPATCH_BATCH, BATCH_S - waited_s, incident, number=incident.dispatch[0].sequence)
        d.entry(EntryKind.DISPATCH, Reason.BATCHED, "the change goes with the next update", incident=incident)
    return d.put(replace(incident, dispatch_due=True))


def tell_all(d: Draft, incident: Incident, kind: Kind, reason: Reason) -> Incident:
    """Send one message to every centre that was told of the incident."""
    for status in incident.dispatch:
        destination = d.facts.registry.destinations.get(status.destination_id)
        if destination is None:
            d.entry(EntryKind.DISPATCH, Reason.NO_ENDPOINT, f"{status.destination_id} left", incident=incident)
            continue
        incident = _send(d, incident, destination, kind, reason)
    return d.put(replace(incident, dispatch_due=False))


def tell_press(d: Draft, incident: Incident, *, anew: bool) -> Incident:
    """A further press: every centre that was told hears of it at once. To one that was asked to cancel (`anew`), or
    that has closed its call, it is *new* and must be accepted: an update of what is over might be read by nobody."""
    for status in incident.dispatch:
        destination = d.facts.registry.destinations.get(status.destination_id)
        if destination is None:
            d.entry(EntryKind.DISPATCH, Reason.NO_ENDPOINT, f"{status.destination_id} left", incident=incident)
        elif anew or status.state is DispatchState.CLOSED:
            blank = replace(status, state=DispatchState.WAITING, call_number=None, detail="")
            incident = d.put(replace(incident, dispatch=with_status(incident, blank)))
            incident = _send(d, incident, destination, Kind.DISPATCH_NEW, Reason.NEWS)
            number = status.sequence + 1
            d.timer(
                TimerKind.DISPATCH_ACCEPT, destination.accept_within_s, incident, number=number, detail=destination.id
            )
        else:
            incident = _send(d, incident, destination, Kind.DISPATCH_UPDATE, Reason.NEWS)
    return d.put(replace(incident, dispatch_due=False))


def with_status(incident: Incident, status: DispatchStatus) -> tuple[DispatchStatus, ...]:
    """The incident's centres, one of them with a new status."""
    return tuple(status if s.destination_id == status.destination_id else s for s in incident.dispatch)


def _send(d: Draft, incident: Incident, destination: Destination, kind: Kind, reason: Reason) -> Incident:
    before = next((s for s in incident.dispatch if s.destination_id == destination.id), None)
    sequence = before.sequence + 1 if before else 1
    message_id = _message_id(d, incident, destination, sequence)
    policy = d.policy(incident)
    expires_us = d.now.wall_us + policy.expires_s * 1_000_000
    status = DispatchStatus(
        destination_id=destination.id,
        state=before.state if before else DispatchState.WAITING,
        sequence=sequence,
        last_message_id=message_id,
        told_us=d.now.wall_us,
        call_number=before.call_number if before else None,
        detail=before.detail if before else "",
    )
    others = tuple(s for s in incident.dispatch if s.destination_id != destination.id)
    incident = d.put(replace(incident, dispatch=(*others, status)))
    posting = Posting(
        kind=kind,
        message_id=message_id,
        sequence=sequence,
        supersedes=before.last_message_id if before else None,
        expires_us=expires_us,
        reply_url=destination.reply_url,
    )
    d.row(_notification(d, incident, destination, posting, reason))
    return incident


def _message_id(d: Draft, incident: Incident, destination: Destination, sequence: int) -> NotificationId:
    """The first message keeps its id if a power cut takes what only memory held and the press comes again: the centre
    opens no second incident. A later one gets another: other news may have become of it, and a centre ignores what it
    has by its id."""
    when = () if sequence == 1 else (d.now.wall_us,)
    return NotificationId(derive("d", incident.id, destination.id, sequence, *when))


def _notification(
    d: Draft, incident: Incident, destination: Destination, posting: Posting, reason: Reason
) -> Notification:
    return Notification(
        id=posting.message_id,
        site_id=incident.site_id,
        mode=incident.mode,
        kind=posting.kind,
        lane=lane_of(incident, posting.kind),
        endpoint=destination.endpoint,
        reason=reason,
        created_us=d.now.wall_us,
        expires_us=posting.expires_us,
        resend_unknown=True,
        incident_id=incident.id,
        step=incident.step,
        recipient=destination.id,
        body=encode(body_of(d, incident, posting)).decode(),
    )


def heartbeat(d: Draft, destination: Destination, cause: str, kind: Kind) -> None:
    """The regular sign of life, in mode test: a centre that misses two knows that we are gone, and so do we."""
    message_id = NotificationId(derive("d", "heartbeat", destination.id, cause))
    d.row(
        Notification(
            id=message_id,
            site_id=d.site.id,
            mode=Mode.TEST,
            kind=kind,
            lane=Lane.ROUTINE,
            endpoint=destination.endpoint,
            reason=Reason.HEARTBEAT if kind is Kind.DISPATCH_HEARTBEAT else Reason.TESTED,
            created_us=d.now.wall_us,
            expires_us=d.now.wall_us + 120 * 1_000_000,
            resend_unknown=False,
            recipient=destination.id,
            body=encode(heartbeat_of(d, message_id)).decode(),
        )
    )
