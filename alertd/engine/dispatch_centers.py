"""What dispatch centres are told, and what they answer. The body is that of `messages.md`: unknown is null, never
absent; received is not accepted; an update is at most one per ten seconds, a new room at once."""

from typing import Any

from msgspec import Struct
from msgspec.json import encode
from msgspec.structs import replace

from alertd import __version__
from alertd.engine import wording
from alertd.engine.draft import Draft, lane_of
from alertd.engine.telling import RESPONDERS, Message, tell_told
from alertd.model.decision import EntryKind
from alertd.model.ids import NotificationId, derive
from alertd.model.incident import (
    SEVERITY,
    AnswerKind,
    DispatchState,
    DispatchStatus,
    EscalationState,
    Incident,
    Location,
    Press,
    is_panic,
)
from alertd.model.mode import Mode
from alertd.model.notification import Kind, Lane, Notification
from alertd.model.outcome import DispatchAnswer
from alertd.model.people import Destination
from alertd.model.reason import Reason
from alertd.model.site import Site
from alertd.model.timer import TimerKind

BATCH_S = 10
"""Updates are batched to one per so many seconds and incident; a new room goes at once."""

HEADLINE_LETTERS = 160

_TYPE = {
    Kind.DISPATCH_NEW: "new",
    Kind.DISPATCH_UPDATE: "update",
    Kind.DISPATCH_CANCEL_REQUEST: "cancel_request",
    Kind.DISPATCH_CLOSED: "closed",
    Kind.DISPATCH_HEARTBEAT: "heartbeat",
}
_ACCEPTING = frozenset({DispatchState.ACCEPTED, DispatchState.DISPATCHED, DispatchState.ON_SCENE})
_TOLD = _ACCEPTING | {DispatchState.CLOSED}


class Posting(Struct, frozen=True, kw_only=True):
    """One message to one centre: what stands around the incident in the body."""

    kind: Kind
    message_id: NotificationId
    sequence: int
    supersedes: NotificationId | None
    expires_us: int
    reply_url: str | None


_ANSWERS = {state.value: state for state in DispatchState}


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
            incident = d.put(replace(incident, dispatch=_with(incident, blank)))
            incident = _send(d, incident, destination, Kind.DISPATCH_NEW, Reason.NEWS)
            number = status.sequence + 1
            d.timer(
                TimerKind.DISPATCH_ACCEPT, destination.accept_within_s, incident, number=number, detail=destination.id
            )
        else:
            incident = _send(d, incident, destination, Kind.DISPATCH_UPDATE, Reason.NEWS)
    return d.put(replace(incident, dispatch_due=False))


def _with(incident: Incident, status: DispatchStatus) -> tuple[DispatchStatus, ...]:
    """The incident's centres, one of them with a new status."""
    return tuple(status if s.destination_id == status.destination_id else s for s in incident.dispatch)


def _send(d: Draft, incident: Incident, destination: Destination, kind: Kind, reason: Reason) -> Incident:
    before = next((s for s in incident.dispatch if s.destination_id == destination.id), None)
    sequence = before.sequence + 1 if before else 1
    message_id = NotificationId(derive("d", incident.id, destination.id, sequence))
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
        body=encode(_body(d, incident, posting)).decode(),
    )


def heartbeat(d: Draft, destination: Destination, cause: str, kind: Kind) -> None:
    """The regular sign of life, in mode test: a centre that misses two knows that we are gone, and so do we."""
    message_id = NotificationId(derive("d", "heartbeat", destination.id, cause))
    site = d.site
    body = {
        "message_id": message_id,
        "sequence": 0,
        "supersedes": None,
        "type": "heartbeat",
        "mode": Mode.TEST,
        "headline": f"TEST {site.name}: heartbeat",
        "incident": None,
        "site": _site(site),
        "sent_at": wording.utc_iso(d.now.wall_us),
        "sender": _sender(d),
    }
    d.row(
        Notification(
            id=message_id,
            site_id=site.id,
            mode=Mode.TEST,
            kind=kind,
            lane=Lane.ROUTINE,
            endpoint=destination.endpoint,
            reason=Reason.HEARTBEAT if kind is Kind.DISPATCH_HEARTBEAT else Reason.TESTED,
            created_us=d.now.wall_us,
            expires_us=d.now.wall_us + 120 * 1_000_000,
            resend_unknown=False,
            recipient=destination.id,
            body=encode(body).decode(),
        )
    )


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
    incident = d.put(replace(incident, dispatch=_with(incident, new)))
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
        incident = d.put(replace(incident, next_number=incident.next_number + 1))
        tell_told(
            d,
            incident,
            Message(
                kind=Kind.UPDATE,
                template="dispatch.accepted",
                reason=Reason.DISPATCH_CHANGED,
                occasion=f"accepted/{incident.next_number}",
                extra={"call_number": new.call_number or "not given"},
            ),
            words=RESPONDERS,
        )
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
    statuses = _with(incident, replace(status, state=DispatchState.NOT_TOLD))
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
    incident = d.put(replace(incident, next_number=incident.next_number + 1))
    tell_told(
        d,
        incident,
        Message(
            kind=Kind.UPDATE,
            template="dispatch.not_told",
            reason=Reason.DISPATCH_CHANGED,
            occasion=f"not_told/{incident.next_number}",
        ),
        words=RESPONDERS,
    )
    return incident


# --- the body --------------------------------------------------------------------------------------------------------


def _body(d: Draft, incident: Incident, posting: Posting) -> dict[str, Any]:
    site, now_us = d.site, d.now.wall_us
    first = incident.presses[0]
    return {
        "message_id": posting.message_id,
        "sequence": posting.sequence,
        "supersedes": posting.supersedes,
        "type": _TYPE[posting.kind],
        "mode": incident.mode,
        "headline": _headline(site, incident),
        "sent_at": wording.utc_iso(now_us),
        "incident": {
            "id": incident.id,
            "class": incident.incident_class,
            "severity": int(SEVERITY[incident.incident_class]),
            "opened_at": wording.utc_iso(incident.opened_us),
            "opened_local": wording.local_iso(site, incident.opened_us),
            "age_s": max(0, now_us - incident.opened_us) // 1_000_000,
        },
        "verification": _verification(incident),
        "site": _site(site),
        "location": _location(d, first, now_us),
        "presses": [_press(d, p, now_us) for p in incident.presses],
        "callback": _callback(d, incident),
        "responders": _responders(d, incident),
        "access": {
            "entry_door": site.entry_door,
            "key_box": site.key_box,
            "staging": site.staging,
            "hazards": site.hazards,
        },
        "actions": [],
        "persons_hurt": None,
        "suspect": None,
        "weapon": None,
        "notes": [
            {"at": wording.utc_iso(n.at_us), "author": n.author, "text": n.text, "verified": False}
            for n in incident.notes
        ],
        "correction": None
        if incident.correction is None
        else {
            "at": wording.utc_iso(incident.correction.at_us),
            "by": incident.correction.by,
            "reason": incident.correction.reason,
        },
        "expires_at": wording.utc_iso(posting.expires_us),
        "reply_url": posting.reply_url,
        "sender": _sender(d),
    }


def _headline(site: Site, incident: Incident) -> str:
    """At most 160 characters; begins with the mode unless it is live. A later room stands in it: a dispatcher who
    reads nothing else must not miss it."""
    mark = "" if incident.mode is Mode.LIVE else f"{incident.mode.upper()} "
    last = incident.presses[-1]
    _, place = wording.place_words(last.location, last.received_us)
    also = f", ALSO {place} {wording.local_time(site, last.received_us)}" if len(incident.presses) > 1 else ""
    return f"{mark}{incident.headline}{also}"[:HEADLINE_LETTERS]


def _verification(incident: Incident) -> dict[str, str | None]:
    going = [a for a in incident.answers if a.kind in (AnswerKind.GOING, AnswerKind.ARRIVED)]
    if going:
        return {"state": "human_confirmed", "by": going[-1].name}
    if not is_panic(incident.incident_class) or all(press.by_sensor for press in incident.presses):
        return {"state": "sensor_only", "by": None}
    repeated = len(incident.presses) > 1
    return {"state": "repeat_press" if repeated else "unverified_press", "by": None}


def _site(site: Site) -> dict[str, Any]:
    names = ("name", "street", "city", "state", "zip", "county", "lat", "lon", "psap_id", "main_phone")
    return {"id": site.id} | {name: getattr(site, name) for name in names}


def _location(d: Draft, press: Press, now_us: int) -> dict[str, Any]:
    place: Location = press.location
    zone = d.facts.registry.zones.get(place.zone_id) if place.zone_id else None
    age_s = None if place.heard_us is None else max(0, now_us - place.heard_us) // 1_000_000
    return {
        "label": place.label,
        "building": zone.building if zone else None,
        "floor": zone.floor if zone else None,
        "room": zone.room if zone else None,
        "nearest_exterior_door": zone.nearest_exterior_door if zone else None,
        "source": place.source,
        "heard_at": None if place.heard_us is None else wording.utc_iso(place.heard_us),
        "age_s": age_s,
        "confidence": {"fixed": "certain", "last_heard": "unsure" if place.unsure else "near"}.get(place.source),
        "map_url": None,
    }


def _press(d: Draft, press: Press, now_us: int) -> dict[str, Any]:
    return {
        "at": wording.utc_iso(press.pressed_us or press.received_us),
        "location": _location(d, press, now_us),
        "device": press.device_id,
        "kind": press.incident_class,
        "count": press.count,
        "assigned_to": press.assigned_to,
        "may_not_be_wearer": press.assigned_to is not None,
        "late": press.late,
    }


def _callback(d: Draft, incident: Incident) -> dict[str, str | None]:
    """Whoever goes first, with a phone that answers; else the school's main number."""
    people = d.facts.registry.people
    for answer in incident.answers:
        person = people.get(answer.person_id)
        phone = next((e.address for e in person.endpoints if e.address.startswith("+")), None) if person else None
        if person and answer.kind is not AnswerKind.CANNOT_GO:
            at = wording.utc_iso(answer.at_us)
            return {"name": person.name, "role": person.role or None, "phone": phone, "answered_at": at}
    return {"name": None, "role": None, "phone": d.site.main_phone, "answered_at": None}


def _responders(d: Draft, incident: Incident) -> list[dict[str, Any]]:
    people = d.facts.registry.people
    found: list[dict[str, Any]] = []
    for answer in incident.answers:
        person = people.get(answer.person_id)
        role = person.role if person else ""
        found.append(
            {
                "name": answer.name,
                "role": role or None,
                "armed": None,
                "plain_clothes": None,
                "state": answer.kind,
                "at": wording.utc_iso(answer.at_us),
            }
        )
    return found


def _sender(d: Draft) -> dict[str, str | None]:
    registry = d.facts.registry
    return {
        "district": registry.district,
        "version": f"alertd {__version__}",
        "technician_phone": registry.technician_phone,
    }
