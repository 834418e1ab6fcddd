"""Notifications: one content for one endpoint, and what became of it."""

from collections.abc import Collection
from enum import IntEnum, StrEnum
from typing import assert_never

from msgspec import Struct

from alertd.model.anchor import Now
from alertd.model.ids import DrillId, IncidentId, NotificationId, SiteId
from alertd.model.incident import EscalationState, Incident, graver_since
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
    PAGE = "page"
    """To loudspeakers: the body is a `model.page.Page`."""
    DRILL_BEGINS = "drill_begins"
    DRILL_GOES_ON = "drill_goes_on"
    """alertd was started again while a drill ran."""
    DRILL_OVER = "drill_over"
    DRILL_STOPPED = "drill_stopped"
    """A real press ended it: live, and the first that those told of the drill hear of it."""


AFTER_CLOSE = frozenset(
    {
        Kind.CORRECTION,
        Kind.CLOSING,
        Kind.ANSWER,
        Kind.TROUBLE,
        Kind.TEST,
        Kind.DRILL_STOPPED,
        Kind.DISPATCH_UPDATE,
        Kind.DISPATCH_CANCEL_REQUEST,
        Kind.DISPATCH_CLOSED,
        Kind.DISPATCH_HEARTBEAT,
    }
)
"""Kinds that may still be claimed when their incident is closed; every other unsent row is withdrawn."""
TO_MACHINES = frozenset(
    {
        Kind.DISPATCH_NEW,
        Kind.DISPATCH_UPDATE,
        Kind.DISPATCH_CANCEL_REQUEST,
        Kind.DISPATCH_CLOSED,
        Kind.DISPATCH_HEARTBEAT,
    }
)
"""Of incidents: to dispatch centres, and to whatever else is a destination: doors, strobes, screens."""
OUTLIVES_DRILL = frozenset({Kind.DRILL_OVER, Kind.DISPATCH_CLOSED})
"""What a drill that is over still says: that it is."""
CALLS = frozenset(
    {Kind.ALERT, Kind.ALSO, Kind.REMINDER, Kind.NOT_ARRIVED, Kind.EXHAUSTED, Kind.DISPATCH_NEW, Kind.PAGE},
)
"""Kinds that ask somebody to come, or everybody to hide. Nobody is called to what a named human said is over, or a
mistake, although it stays open until rooms were released in person."""


def is_outlived(kind: Kind, *, incident_open: bool, incident_stopped: bool) -> bool:
    """Is a message of an incident no longer true? `incident_stopped`: a human has stopped its escalation."""
    return (not incident_open and kind not in AFTER_CLOSE) or (incident_stopped and kind in CALLS)


class Lane(IntEnum):
    """Priority: a lower lane is claimed first, and a panic never waits behind anything else (promise 2)."""

    PANIC = 0
    """A panic's words to whoever acts on them: responders, dispatch centres, loudspeakers."""
    ANSWER = 1
    """What came of a human's word about a panic: one text to somebody who waits for it, phone in hand. Behind every
    text to a responder, and before those that are still to go to the rest of the staff. A word that is merely repeated
    has no place here: nobody may hold up a school by texting a code a thousand times."""
    STAFF = 2
    """A panic's words to those who hide."""
    NEXT = 3
    """Other answers; what staff know already: when every room presses, that must not bury the first text of others;
    calls that ring a phone once more, behind every phone that has not rung yet; and a shot that a sensor heard, before
    whatever else sensors and supervision have to say."""
    ALARM = 4
    """A sensor says more than a nuisance, and nobody is in danger by it: it is masked or opened, something smokes (req
    30: alarm before supervisory before trouble)."""
    SUPERVISORY = 5
    """Whoever presses somewhere may not be heard."""
    TROUBLE = 6
    ROUTINE = 7
    DRILL = 8
    """An exercise delays nothing that is real (req 26)."""

    @property
    def is_urgent(self) -> bool:
        """A panic: waits for no rate that others have used up, and for no line that they hold."""
        return self <= Lane.STAFF


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
    """One id, one content, for ever. `text` is for people, `body` (JSON) for machines. Only its end moves, as a stamp:
    when the clock is set, so does `expires_us`."""

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
    redial: int = 0
    """Calls before this one that the same phone did not take."""
    while_looking: bool = False
    """Worthless once somebody goes: a phone that rings again although the answer is there."""
    rings: bool = False
    """Rings a phone, and asks: worthless once its owner has answered by another way, and dangerous once their own badge
    presses, for then it may lie in the hand that hides."""
    ends_drill: DrillId | None = None
    """Whoever gets it knows that this drill is over, or was stopped by something real."""
    expires_boot_us: int | None = None
    """`expires_us` in the boot time of `boot_id`, which no step of the clock moves; `None`: nobody noted it."""
    created_boot_us: int | None = None
    """`created_us`, likewise."""
    boot_id: str = ""
    upgrades: int | None = None
    """How often its incident had become graver when it was written; `None`: nobody noted it."""
    schema: int = 1


def left_us(notification: Notification, now: Now) -> int:
    """How long it is still true: by boot time, so that a clock that is set throws nothing away. After a reboot by the
    clock on the wall, with which the store has moved `expires_us`."""
    if notification.expires_boot_us is not None and notification.boot_id == now.boot_id:
        return notification.expires_boot_us - now.boot_us
    return notification.expires_us - now.wall_us


class Written(Struct, frozen=True, kw_only=True):
    """Of a message, only when it was written."""

    created_us: int = 0
    created_boot_us: int | None = None
    boot_id: str = ""


def written_us(notification: Notification | Written, now: Now) -> int | None:
    """When it was written, as the clock of now would have shown it; `None`: in a boot before, and nobody knows."""
    if notification.created_boot_us is None or notification.boot_id != now.boot_id:
        return None
    return now.wall_us - (now.boot_us - notification.created_boot_us)


def age_us(notification: Notification | Written, now: Now) -> int:
    """How long ago it was written: by boot time, if that is known, else by the clock on the wall."""
    known_us = written_us(notification, now)
    return now.wall_us - (notification.created_us if known_us is None else known_us)


TOGETHER_US = 2_000
"""What one decision writes is no further apart, however it is ordered."""


def is_quiet(notification: Notification) -> bool:
    """Is it an order for quiet to loudspeakers, and no words?"""
    return notification.kind is Kind.PAGE and notification.reason is Reason.SILENCED


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
    attempt: int | None = None
    """Of a claim with which nothing was tried: it was no attempt."""


class Claim(Struct, frozen=True, kw_only=True):
    """The right to try one notification once, until the lease ends."""

    notification: Notification
    attempt: int
    epoch: int


def mode_forbids(notification: Notification, incident_mode: Mode | None) -> bool:
    """Promise 3, checked once more by the transaction that claims a send: a drill never reaches dispatch, nor doors and
    strobes, unless they take exercises.

    `incident_mode` is the mode of its incident as that transaction reads it; `None` if it belongs to no incident.
    """
    if incident_mode is not None and notification.mode is not incident_mode:
        return True
    machine = notification.endpoint.dispatch or notification.kind in TO_MACHINES
    match notification.mode:
        case Mode.LIVE:
            return False
        case Mode.DRILL:
            return machine and not notification.endpoint.accepts_exercise
        case Mode.TEST:
            return notification.endpoint.dispatch and notification.kind not in (Kind.DISPATCH_HEARTBEAT, Kind.TEST)
        case _ as unreachable:
            assert_never(unreachable)


class Circumstances(Struct, frozen=True, kw_only=True):
    """What the transaction that claims a notification reads of its incident and its site."""

    incident_mode: Mode | None
    """`None`: it belongs to no incident."""
    incident_open: bool = False
    incident_stopped: bool = False
    """A human has stopped its escalation."""
    incident_paused: bool = False
    """Somebody goes."""
    drill_running: bool = False
    """At the site."""
    recipient_answered: bool = False
    """Since it was written, and knowing all presses. By the wall clock: where that was set back meanwhile, a phone
    rings that need not, which is the lesser harm."""
    recipient_pressed: bool = False
    """Their own badge."""
    drill_overtaken: bool = False
    """It says that a drill is over, and something real is quicker."""
    overtaken: bool = False
    """It rings, and would say less than is known: the incident has become graver since, or it repeats what a newer call
    to the same phone says, and more."""
    spoken_since: bool = False
    """A page for loudspeakers that would cut newer words: an order for quiet, and something was announced at the site
    since; or words of an incident that are said there again since."""

    @classmethod
    def of(
        cls,
        notification: Notification,
        incident: Incident | None,
        *,
        drill_running: bool,
        drills_overtaken: Collection[DrillId] = (),
    ) -> "Circumstances":
        """`incident`: the notification's own, as it stands now; `None` also for one that is closed and out of sight."""
        if incident is None:
            ends = notification.ends_drill if notification.kind is Kind.DRILL_OVER else None
            return cls(
                incident_mode=None,
                drill_running=drill_running,
                drill_overtaken=ends is not None and ends in drills_overtaken,
            )
        person_id, all_presses = notification.endpoint.person_id, len(incident.presses)
        return cls(
            incident_mode=incident.mode,
            incident_open=incident.is_open,
            incident_stopped=incident.escalation is EscalationState.STOPPED,
            incident_paused=incident.escalation is EscalationState.PAUSED,
            drill_running=drill_running,
            recipient_answered=any(
                a.person_id == person_id and a.covers >= all_presses and a.at_us >= notification.created_us
                for a in incident.answers[incident.counted_from :]
            ),
            recipient_pressed=person_id is not None and any(p.assigned_to == person_id for p in incident.presses),
            overtaken=notification.rings and _is_overtaken(notification, incident),
        )


def _is_overtaken(n: Notification, incident: Incident) -> bool:
    """A first call is overtaken by what is graver only, and "nobody has answered" by no later round of it: where calls
    wait for one another, the last phones would never ring."""
    if graver_since(incident, n.upgrades, n.created_us):
        return True
    if not n.while_looking or n.kind is Kind.EXHAUSTED:
        return False
    return any(t.endpoint_key == n.endpoint.key and t.last_call not in ("", n.id) for t in incident.told)


def claim_refused(notification: Notification, life: Circumstances, now: Now) -> tuple[NotificationState, Reason] | None:
    """Why a queued row may not be sent now, as the standing it then gets; `None`: it may be claimed.

    The one gate of both ways to a claim: rows born claimed and rows claimed later.
    """
    refused = unwanted(notification, life)
    if refused is not None:
        return refused
    if life.overtaken:  # a phone that rings already is left ringing: the first key says what has become of it
        return NotificationState.WITHDRAWN, Reason.SUPERSEDED
    if life.spoken_since:  # whoever wanted quiet did not know of it; and nobody hears old words after new ones
        return NotificationState.WITHDRAWN, Reason.SUPERSEDED
    if left_us(notification, now) <= 0:
        return NotificationState.EXPIRED, Reason.EXPIRED
    return None


def _is_over(n: Notification, now: Circumstances) -> bool:
    """A text that a drill was stopped is no longer news, and true all the same; a phone that rings says "this is real"
    of what somebody has ended by then, or corrected."""
    if n.kind is Kind.DRILL_STOPPED and n.body:  # a call: its script
        return now.incident_stopped or not now.incident_open
    return is_outlived(n.kind, incident_open=now.incident_open, incident_stopped=now.incident_stopped)


def unwanted(  # noqa: PLR0911 - one a reason
    notification: Notification, now: Circumstances
) -> tuple[NotificationState, Reason] | None:
    """Why nobody should have it any more, however young it is; `None`: it is as true as when it was written. What a
    provider has taken and nobody has got yet is taken back by the same rule by which nothing of it would be sent."""
    if mode_forbids(notification, now.incident_mode):
        return NotificationState.SUPPRESSED, Reason.MODE_FORBIDS
    if notification.mode is Mode.DRILL and not now.drill_running and notification.kind not in OUTLIVES_DRILL:
        return NotificationState.WITHDRAWN, Reason.DRILL_OVER
    if now.drill_overtaken:
        return NotificationState.WITHDRAWN, Reason.DRILL_IS_REAL
    if notification.incident_id is not None and _is_over(notification, now):
        return NotificationState.WITHDRAWN, Reason.INCIDENT_CLOSED
    if notification.while_looking and now.incident_paused:
        return NotificationState.WITHDRAWN, Reason.SOMEBODY_GOES
    if notification.rings and (now.recipient_pressed or now.recipient_answered):
        return NotificationState.WITHDRAWN, Reason.PRESSER if now.recipient_pressed else Reason.ANSWERED_OTHERWISE
    return None
