"""What a dispatch centre reads: the JSON body of `messages.md`, of an incident and of the regular sign of life.

Must never leave a key out: what is not known is null, and stands there.
"""

from typing import Any

from msgspec import Struct

from alertd import __version__
from alertd.engine import wording
from alertd.engine.draft import Draft
from alertd.model.ids import NotificationId
from alertd.model.incident import (
    SEVERITY,
    AnswerKind,
    Incident,
    Location,
    Press,
    is_panic,
)
from alertd.model.mode import Mode
from alertd.model.notification import Kind
from alertd.model.site import Site

HEADLINE_LETTERS = 160
_TYPE = {
    Kind.DISPATCH_NEW: "new",
    Kind.DISPATCH_UPDATE: "update",
    Kind.DISPATCH_CANCEL_REQUEST: "cancel_request",
    Kind.DISPATCH_CLOSED: "closed",
    Kind.DISPATCH_HEARTBEAT: "heartbeat",
}


class Posting(Struct, frozen=True, kw_only=True):
    """One message to one centre: what stands around the incident in the body."""

    kind: Kind
    message_id: NotificationId
    sequence: int
    supersedes: NotificationId | None
    expires_us: int
    reply_url: str | None


def body_of(d: Draft, incident: Incident, posting: Posting) -> dict[str, Any]:
    """All that is known of the incident now."""
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


def heartbeat_of(d: Draft, message_id: NotificationId) -> dict[str, Any]:
    """The regular sign of life, in mode test."""
    return {
        "message_id": message_id,
        "sequence": 0,
        "supersedes": None,
        "type": "heartbeat",
        "mode": Mode.TEST,
        "headline": f"TEST {d.site.name}: heartbeat",
        "incident": None,
        "site": _site(d.site),
        "sent_at": wording.utc_iso(d.now.wall_us),
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
    of_sensors = all(press.by_sensor for press in incident.presses) and not incident.asked_us
    if not is_panic(incident.incident_class) or of_sensors:
        return {"state": "sensor_only", "by": None}
    repeated = sum(not press.carried for press in incident.presses) > 1
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
        "device": press.device_id or None,
        "kind": press.incident_class,
        "count": press.count,
        "assigned_to": press.assigned_to,
        "may_not_be_wearer": press.assigned_to is not None and not press.asked,
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
