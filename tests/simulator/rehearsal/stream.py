"""Happenings made by hand: a press at 20 s, and what each test wants to have happened after it."""

from alertd.model.decision import Decision, Entry, EntryKind
from alertd.model.events import TimerFired
from alertd.model.ids import CauseId, IncidentId, NotificationId, PersonId, SiteId, TimerId
from alertd.model.incident import EscalationState, Incident, IncidentClass, IncidentState
from alertd.model.mode import Mode
from alertd.model.notification import Kind, Lane, Notification, NotificationRow, NotificationState
from alertd.model.people import Endpoint
from alertd.model.reason import Reason
from alertd.model.timer import Timer, TimerKind
from alertd_simulator.world.happenings import (
    Committed,
    DispatchSaid,
    DispatchTook,
    Happening,
    Meant,
    TextSeen,
    TextTaken,
    Typed,
)

PRESSED_S = 20.0
INCIDENT = IncidentId("i-1")
SITE = SiteId("oak")


def at(after_s: float) -> int:
    return round((PRESSED_S + after_s) * 1e6)


def committed(
    after_s: float,
    *notifications: Notification,
    escalation: EscalationState | None = None,
    reason: Reason | None = None,
) -> Committed:
    incident = Incident(
        id=INCIDENT, site_id=SITE, incident_class=IncidentClass.LOCKDOWN, mode=Mode.LIVE, merge_key="lockdown",
        headline="OAK", token="17", policy_hash="h", state=IncidentState.ACTIVE,
        escalation=escalation or EscalationState.RUNNING, opened_us=0, presses=(),
    )  # fmt: skip
    timer = Timer(id=TimerId("t"), site_id=SITE, kind=TimerKind.STEP, delay_s=30, incident_id=INCIDENT)
    rows = tuple(
        NotificationRow(notification=n, state=NotificationState.QUEUED, reason=n.reason) for n in notifications
    )
    entries = () if reason is None else (Entry(kind=EntryKind.ESCALATION, reason=reason, text="so"),)
    decision = Decision(cause=CauseId("c"), incidents=(incident,), notifications=rows, entries=entries)
    return Committed(at_us=at(after_s), event=TimerFired(site_id=SITE, timer=timer), decision=decision, durable=True)


def text(person: str, *, kind: Kind = Kind.ALERT, words: str = "OAK: LOCKDOWN", step: int = 0) -> Notification:
    """A text to a person, or, of kind `DISPATCH_NEW`, a message to a destination."""
    machine = kind is Kind.DISPATCH_NEW
    person_id = None if machine else PersonId(person)
    return Notification(
        id=NotificationId(f"n-{person}-{kind}-{step}"), site_id=SITE, mode=Mode.LIVE, kind=kind, lane=Lane.PANIC,
        endpoint=Endpoint(channel="sms", address=number(person), person_id=person_id, dispatch=machine),
        reason=Reason.FIRST_WAVE, created_us=0, expires_us=1, resend_unknown=True, incident_id=INCIDENT, step=step,
        recipient=person, text="" if machine else words,
    )  # fmt: skip


def number(person: str) -> str:
    return f"+1202555{sum(map(ord, person)) % 10_000:04d}"


def taken(after_s: float, notification: Notification, *, unknown: bool = False) -> TextTaken:
    id_ = None if unknown else notification.id
    to, body = notification.endpoint.address, notification.text
    return TextTaken(at_us=at(after_s), sid="SM", to=to, body=body, notification_id=id_)


def seen(after_s: float, notification: Notification, *, unknown: bool = False) -> TextSeen:
    return TextSeen(
        at_us=at(after_s), sid="SM", to=notification.endpoint.address, body=notification.text,
        person_id=notification.endpoint.person_id, notification_id=None if unknown else notification.id,
    )  # fmt: skip


def typed(after_s: float, person: str, meant: Meant) -> Typed:
    return Typed(at_us=at(after_s), person_id=PersonId(person), number=number(person), body="417", meant=meant)


def dispatch_took(after_s: float, notification: Notification) -> DispatchTook:
    return DispatchTook(
        at_us=at(after_s), message_id=notification.id, type="new", mode="live", incident_id=INCIDENT, site_id=SITE,
        body=b"{}", arrivals=1,
    )  # fmt: skip


def accepted(after_s: float) -> DispatchSaid:
    return DispatchSaid(at_us=at(after_s), incident_id=INCIDENT, state="accepted")


Stream = list[Happening]
