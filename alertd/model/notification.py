"""Notifications: one content for one endpoint, and what became of it."""

from enum import IntEnum, StrEnum
from typing import assert_never

from msgspec import Struct

from alertd.model.ids import IncidentId, NotificationId, SiteId
from alertd.model.mode import Mode
from alertd.model.people import Endpoint
from alertd.model.reason import Reason


class Kind(StrEnum):
    """What the message is for. The last group goes to machines."""

    ALERT = "alert"
    ALSO = "also"
    REMINDER = "reminder"
    NOT_ARRIVED = "not_arrived"
    EXHAUSTED = "exhausted"
    UPDATE = "update"
    CORRECTION = "correction"
    CLOSING = "closing"
    ANSWER = "answer"
    TROUBLE = "trouble"
    TEST = "test"
    DISPATCH_NEW = "dispatch_new"
    DISPATCH_UPDATE = "dispatch_update"
    DISPATCH_CANCEL_REQUEST = "dispatch_cancel_request"
    DISPATCH_CLOSED = "dispatch_closed"
    DISPATCH_HEARTBEAT = "dispatch_heartbeat"


AFTER_CLOSE = frozenset(
    {
        Kind.CORRECTION,
        Kind.CLOSING,
        Kind.ANSWER,
        Kind.TROUBLE,
        Kind.TEST,
        Kind.DISPATCH_UPDATE,
        Kind.DISPATCH_CANCEL_REQUEST,
        Kind.DISPATCH_CLOSED,
        Kind.DISPATCH_HEARTBEAT,
    }
)
"""Kinds that may still be claimed when their incident is closed; every other unsent row is withdrawn."""
CALLS = frozenset(
    {Kind.ALERT, Kind.ALSO, Kind.REMINDER, Kind.NOT_ARRIVED, Kind.EXHAUSTED, Kind.DISPATCH_NEW},
)
"""Kinds that ask somebody to come. Nobody is called to what a named human said is over, or a mistake, although it stays
open until rooms were released in person."""


def is_outlived(kind: Kind, *, incident_open: bool, incident_stopped: bool) -> bool:
    """Is a message of an incident no longer true? `incident_stopped`: a human has stopped its escalation."""
    return (not incident_open and kind not in AFTER_CLOSE) or (incident_stopped and kind in CALLS)


class Lane(IntEnum):
    """Priority: a lower lane is claimed first, and a panic never waits behind anything else (promise 2)."""

    PANIC = 0
    ANSWER = 1
    TROUBLE = 2
    ROUTINE = 3


class NotificationState(StrEnum):
    """What is known (promise 5). Order of knowledge: accepted < sent < delivered. See `engine.lifecycle`."""

    QUEUED = "queued"
    CLAIMED = "claimed"
    UNKNOWN = "unknown"
    ACCEPTED = "accepted"
    SENT = "sent"
    DELIVERED = "delivered"
    FAILED = "failed"
    EXPIRED = "expired"
    SUPPRESSED = "suppressed"
    WITHDRAWN = "withdrawn"


class Notification(Struct, frozen=True, kw_only=True):
    """One id, one content, for ever. `text` is for people, `body` (JSON) for machines."""

    id: NotificationId
    site_id: SiteId
    mode: Mode
    kind: Kind
    lane: Lane
    endpoint: Endpoint
    reason: Reason
    created_us: int
    expires_us: int
    resend_unknown: bool
    """After an unknown outcome that nobody can clear up: True sends again (a duplicate beats a loss)."""
    incident_id: IncidentId | None = None
    trouble_key: str | None = None
    step: int | None = None
    recipient: str = ""
    """Name of the person or destination, for the timeline."""
    language: str = "en"
    template: str = ""
    params: dict[str, str] = {}
    text: str = ""
    body: str = ""
    schema: int = 1


class NotificationRow(Struct, frozen=True, kw_only=True):
    """A notification and where it stands. `epoch` is the fencing number of the last claim: outcomes must carry it."""

    notification: Notification
    state: NotificationState
    reason: Reason
    attempt: int = 0
    epoch: int = 0
    not_before_us: int = 0
    ref: str = ""
    """The provider's id of the last attempt ("SM…")."""
    detail: str = ""


class NotificationChange(Struct, frozen=True, kw_only=True):
    """New standing of an existing row. `None` leaves a column as it is."""

    id: NotificationId
    state: NotificationState
    reason: Reason
    not_before_us: int | None = None
    ref: str | None = None
    detail: str | None = None


class Claim(Struct, frozen=True, kw_only=True):
    """The right to try one notification once, until the lease ends."""

    notification: Notification
    attempt: int
    epoch: int


def mode_forbids(notification: Notification, incident_mode: Mode | None) -> bool:
    """Promise 3, checked once more by the transaction that claims a send: a drill never reaches dispatch.

    `incident_mode` is the mode of its incident as that transaction reads it; `None` if it belongs to no incident.
    """
    if incident_mode is not None and notification.mode is not incident_mode:
        return True
    if not notification.endpoint.dispatch:
        return False
    match notification.mode:
        case Mode.LIVE:
            return False
        case Mode.DRILL:
            return not notification.endpoint.accepts_exercise
        case Mode.TEST:
            return notification.kind not in (Kind.DISPATCH_HEARTBEAT, Kind.TEST)
        case _ as unreachable:
            assert_never(unreachable)


def claim_refused(
    notification: Notification, *, incident_mode: Mode | None, incident_open: bool, incident_stopped: bool, wall_us: int
) -> tuple[NotificationState, Reason] | None:
    """Why a queued row may not be sent now, as the standing it then gets; `None`: it may be claimed.

    The one gate of both ways to a claim: rows born claimed and rows claimed later.
    """
    if mode_forbids(notification, incident_mode):
        return NotificationState.SUPPRESSED, Reason.MODE_FORBIDS
    outlived = is_outlived(notification.kind, incident_open=incident_open, incident_stopped=incident_stopped)
    if notification.incident_id is not None and outlived:
        return NotificationState.WITHDRAWN, Reason.INCIDENT_CLOSED
    if notification.expires_us <= wall_us:
        return NotificationState.EXPIRED, Reason.EXPIRED
    return None
