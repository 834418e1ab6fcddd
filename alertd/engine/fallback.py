"""The fixed fallback: a press that the engine cannot handle still pages its site, in plain words, to everyone.

Must never raise and must not depend on the parts of the engine that may have failed: no lifecycle, no policy.
"""

from alertd.engine import wording
from alertd.engine.fixed_policy import FIXED_POLICY
from alertd.model.decision import Confirmation, Decision, Entry, EntryKind, Facts, FeedbackState, Now, SiteState
from alertd.model.events import Event, OutcomeReported, Pressed
from alertd.model.ids import CauseId, NotificationId, derive
from alertd.model.mode import Mode
from alertd.model.notification import (
    Kind,
    Lane,
    Notification,
    NotificationChange,
    NotificationRow,
    NotificationState,
)
from alertd.model.outcome import Accepted, Delivered, Sent
from alertd.model.people import Person, PersonKind
from alertd.model.reason import Reason

ERROR_LETTERS = 300


def page(state: SiteState, facts: Facts, event: Event, now: Now, error: str) -> Decision:
    """For a press: text everyone on the site's staff, each by the first endpoint. For anything else: evidence only;
    the caller raises the trouble."""
    cause = getattr(event, "cause", None)
    entry = Entry(
        kind=EntryKind.INTAKE,
        reason=Reason.POISON,
        text=f"the engine could not handle {type(event).__name__}: {error[:ERROR_LETTERS]}",
    )
    if isinstance(event, OutcomeReported):
        return Decision(changes=(_settled(event),), entries=(entry,))
    if not isinstance(event, Pressed):
        return Decision(cause=cause, entries=(entry,))
    text = _text(state, facts, event, now)
    adults = (p for p in facts.registry.people.values() if p.kind in (PersonKind.STAFF, PersonKind.RESPONDER))
    people = facts.registry.site_staff.get(state.site_id) or tuple(adults)
    rows = tuple(row for person in people if (row := _row(state, event, now, person, text)) is not None)
    return Decision(
        cause=CauseId(event.cause),
        notifications=rows,
        confirmations=(Confirmation(device_id=event.signal.device_id, state=FeedbackState.RECEIVED),),
        entries=(entry,),
    )


def _settled(event: OutcomeReported) -> NotificationChange:
    """The outcome at its word, with no second try: left claimed, the row would bring the same event for ever."""
    state = _SETTLED.get(type(event.outcome), NotificationState.FAILED)
    detail = "alertd could not work out what follows from this outcome"
    return NotificationChange(id=event.notification_id, state=state, reason=Reason.POISON, detail=detail)


_SETTLED: dict[type, NotificationState] = {
    Accepted: NotificationState.ACCEPTED,
    Sent: NotificationState.SENT,
    Delivered: NotificationState.DELIVERED,
}


def _text(state: SiteState, facts: Facts, event: Pressed, now: Now) -> str:
    site = facts.registry.sites.get(state.site_id)
    device = facts.registry.devices.get(event.signal.device_id)
    zone = facts.registry.zones.get(device.zone_id) if device and device.zone_id else None
    params = {
        "site": site.short if site else str(state.site_id),
        "where": zone.label if zone else "place UNKNOWN",
        "time": wording.local_time(site, now.wall_us) if site else wording.utc_iso(now.wall_us),
        "who": (device.label if device else "") or event.signal.device_id,
    }
    return wording.render(FIXED_POLICY.templates["fallback"], params)


def _row(state: SiteState, event: Pressed, now: Now, person: Person, text: str) -> NotificationRow | None:
    if not person.endpoints:
        return None
    endpoint = person.endpoints[0]
    notification = Notification(
        id=NotificationId(derive("n", "fallback", event.cause, endpoint.key)),
        site_id=state.site_id,
        mode=Mode.LIVE,
        kind=Kind.ALERT,
        lane=Lane.PANIC,
        endpoint=endpoint,
        reason=Reason.FALLBACK,
        created_us=now.wall_us,
        expires_us=now.wall_us + 300 * 1_000_000,
        resend_unknown=True,
        recipient=person.name,
        template="fallback",
        text=text,
    )
    return NotificationRow(notification=notification, state=NotificationState.QUEUED, reason=Reason.FALLBACK)
