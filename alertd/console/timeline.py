"""The timeline of an incident: hop by hop, in milliseconds since the first press arrived, each line with its reason.

Pure: journal lines and notification rows in, `TimelineLine`s out. The API, the command line and the simulator's demo
show the same lines. Must never claim more than was known when a line was written, nor who could know it (promise 5).
"""

from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct

from alertd.console.words import DISPATCH, KIND, NOT_KNOWN, known_of, not_known_of, say, why
from alertd.model.decision import Entry, EntryKind
from alertd.model.ids import NotificationId
from alertd.model.incident import DispatchState, Incident
from alertd.model.notification import Notification, NotificationRow, NotificationState
from alertd.model.reason import Reason
from alertd.ports import JournalLine

US_PER_MS = 1_000

WHAT: dict[EntryKind, str] = {
    EntryKind.PRESS: "press",
    EntryKind.INCIDENT: "incident",
    EntryKind.NOTIFICATION: "message written",
    EntryKind.OUTCOME: "message",
    EntryKind.ANSWER: "answer",
    EntryKind.DISPATCH: "dispatch",
    EntryKind.ESCALATION: "escalation",
    EntryKind.TROUBLE: "trouble",
    EntryKind.CORRECTION: "correction",
    EntryKind.INTAKE: "intake",
    EntryKind.CLOCK: "clock",
    EntryKind.LOUDSPEAKERS: "loudspeakers",
    EntryKind.DRILL: "drill",
}

KNOWN_BY: dict[EntryKind, str] = {
    EntryKind.PRESS: "the device",
    EntryKind.ANSWER: "the person",
    EntryKind.CORRECTION: "an operator, at the console",
}
"""Who says so. Absent: alertd's own record."""

TYPED: dict[str, str] = dict.fromkeys(("console", "cli"), "an operator, at the console")
"""By the way on which an answer came: who types an answer for a person is not that person (promise 5)."""

ALERTD = "alertd"


class TimelineLine(Struct, frozen=True, kw_only=True):
    """One hop. `state` is empty where the line speaks of no message."""

    at_us: int
    ms_since_press: float
    what: str
    who: str
    state: str
    reason: str
    """Name of the `Reason`."""
    why: str
    """The same as a sentence."""
    known_by: str
    """Who says so: "alertd", "the device", "sms" (a provider), "the person", "an operator, at the console", a
    destination's name."""
    not_known: str = ""
    """What was not known at that moment."""


def timeline(
    incident: Incident, journal: Iterable[JournalLine], rows: Iterable[NotificationRow]
) -> tuple[TimelineLine, ...]:
    """Every journal line of the incident, in the order in which it was written."""
    notifications = {row.notification.id: row.notification for row in rows}
    pressed_us = first_press_us(incident)
    ordered = sorted(journal, key=lambda line: line.sequence)
    return tuple(_line(line, pressed_us, notifications) for line in ordered)


def first_press_us(incident: Incident) -> int:
    """The zero of the timeline: when the first press reached alertd, by alertd's clock. A device's clock may be off,
    so it is told as a fact of its own and never subtracted."""
    return min((press.received_us for press in incident.presses), default=incident.opened_us)


def open_questions(rows: Iterable[NotificationRow], incident: Incident) -> tuple[str, ...]:
    """What is not known now, a sentence each: messages without a final word, dispatch that has not accepted."""
    questions = [
        f"{_who(row.notification)}: {known_of(row.notification, row.state)} "
        f"({row.notification.endpoint.channel}, {say(KIND, row.notification.kind)}); "
        f"not known {not_known_of(row.notification, row.state)}"
        for row in rows
        if row.state in NOT_KNOWN
    ]
    waiting = (DispatchState.WAITING, DispatchState.RECEIVED, DispatchState.NOT_TOLD)
    questions += [
        f"dispatch {status.destination_id}: {say(DISPATCH, status.state)}"
        for status in incident.dispatch
        if status.state in waiting
    ]
    return tuple(questions)


def _line(line: JournalLine, pressed_us: int, notifications: Mapping[NotificationId, Notification]) -> TimelineLine:
    since_ms = round((line.at_us - pressed_us) / US_PER_MS, 1)
    entry = line.entry
    if entry is None:
        return TimelineLine(
            at_us=line.at_us,
            ms_since_press=since_ms,
            what="erased: the personal part of this line was deleted; its hash still proves that it was there",
            who="",
            state="",
            reason="",
            why="",
            known_by=ALERTD,
        )
    notification = notifications.get(entry.notification_id) if entry.notification_id else None
    state = _state(entry, notification)
    # A message that gets on is on its way for the reason for which it was written.
    reason = entry.reason or (notification.reason if notification else None)
    return TimelineLine(
        at_us=line.at_us,
        ms_since_press=since_ms,
        what=_what(entry, notification, state),
        who=_who(notification) if notification else _who_acts(entry),
        state=state.value if state else entry.data.get("state", ""),
        reason=reason.value if reason else "",
        why=why(reason),
        known_by=_known_by(entry, notification, state),
        not_known=(not_known_of(notification, state) or "") if notification and state else "",
    )


_STATE_OF_REASON: dict[Reason, NotificationState] = {
    Reason.NOT_TRIED: NotificationState.QUEUED,
    Reason.RETRYING: NotificationState.QUEUED,
    Reason.RESENT_UNKNOWN: NotificationState.QUEUED,
    Reason.ASKED_PROVIDER: NotificationState.UNKNOWN,
    Reason.FAILED_PERMANENTLY: NotificationState.FAILED,
    Reason.ATTEMPTS_EXHAUSTED: NotificationState.FAILED,
    Reason.UNKNOWN_NOT_RESENT: NotificationState.FAILED,
    Reason.EXPIRED: NotificationState.EXPIRED,
    Reason.INCIDENT_CLOSED: NotificationState.WITHDRAWN,
}
"""What an outcome with that reason left the message in."""


def _state(entry: Entry, notification: Notification | None) -> NotificationState | None:
    """The message's state just after the entry; `None` where the entry does not say."""
    if notification is None:
        return None
    if entry.kind is EntryKind.NOTIFICATION:
        # A row that is born with another reason than it was written for is one that will not be sent.
        return NotificationState.QUEUED if entry.reason is notification.reason else NotificationState.SUPPRESSED
    if entry.reason is not None and entry.reason in _STATE_OF_REASON:
        return _STATE_OF_REASON[entry.reason]
    word = entry.data.get("state") or _said(entry, notification).partition(" ")[0]
    return NotificationState(word) if word in NotificationState.__members__.values() else None


def _said(entry: Entry, notification: Notification) -> str:
    """The entry's own words, without the message's name in front, which the line shows anyway."""
    _, found, rest = entry.text.partition(f" by {notification.endpoint.channel}: ")
    return rest if found else entry.text


def _what(entry: Entry, notification: Notification | None, state: NotificationState | None) -> str:
    if notification is None:
        return f"{say(WHAT, entry.kind)}: {entry.text}" if entry.text else say(WHAT, entry.kind)
    message = f"{notification.endpoint.channel}, {say(KIND, notification.kind)}"
    said = _said(entry, notification)
    if state is None:
        return f"{message}: {said}"
    if entry.kind is EntryKind.OUTCOME and state is NotificationState.QUEUED:
        return f"{message}: did not get through, waiting to be tried again ({said})"
    has_detail = entry.kind is EntryKind.OUTCOME and said != state.value
    return f"{message}: {known_of(notification, state)}" + (f" ({said})" if has_detail else "")


def _who_acts(entry: Entry) -> str:
    return next((entry.data[key] for key in ("person", "destination", "device") if entry.data.get(key)), "")


def _who(notification: Notification) -> str:
    """Name of the person or destination; never a bare phone number (req 100)."""
    return notification.recipient or notification.endpoint.person_id or notification.endpoint.channel


_OURS = frozenset(
    {
        NotificationState.QUEUED,
        NotificationState.CLAIMED,
        NotificationState.UNKNOWN,
        NotificationState.EXPIRED,
        NotificationState.SUPPRESSED,
        NotificationState.WITHDRAWN,
    }
)
"""States that alertd itself knows; of the others the channel's far end says so."""


def _known_by(entry: Entry, notification: Notification | None, state: NotificationState | None) -> str:
    if notification is not None and state is not None:
        return ALERTD if state in _OURS else notification.endpoint.channel
    if entry.kind is EntryKind.DISPATCH and "destination" in entry.data:
        return entry.data["destination"]
    if entry.kind is EntryKind.ANSWER and entry.data.get("via") in TYPED:
        return TYPED[entry.data["via"]]
    return KNOWN_BY.get(entry.kind, ALERTD)


def hops(lines: Sequence[TimelineLine]) -> str:
    """Plain text, one line a hop: for terminals without colour, logs and the demo."""
    rendered = []
    for line in lines:
        who = f" {line.who}:" if line.who else ""
        because = f" [{line.reason}: {line.why}]" if line.reason else ""
        unknown = f"; not known {line.not_known}" if line.not_known and line.state != "queued" else ""
        said_by = f" (says {line.known_by})" if line.known_by != ALERTD else ""
        rendered.append(f"{line.ms_since_press:>10,.1f} ms {who} {line.what}{said_by}{unknown}{because}")
    return "\n".join(rendered)
