"""What one rehearsed day showed: pure, from its happenings and nothing else.

Owns the meaning of every figure. "Told" is a phone that rang, not a text that was sent; "answered" is alertd's own
committed judgement that the answer suffices. The person who wears the pressed badge does not count as told.
"""

from collections.abc import Iterable

from msgspec import Struct

from alertd.engine.gsm7 import SEGMENT_SEPTETS, septets
from alertd.model.decision import Decision, EntryKind
from alertd.model.ids import NotificationId
from alertd.model.incident import EscalationState
from alertd.model.notification import Kind, Notification
from alertd.model.reason import Reason
from alertd_simulator.world.happenings import (
    Committed,
    DispatchSaid,
    DispatchTook,
    Happening,
    Meant,
    Over,
    TextSeen,
    TextTaken,
    Typed,
)

CALLS = frozenset({Kind.ALERT, Kind.ALSO, Kind.REMINDER, Kind.NOT_ARRIVED, Kind.EXHAUSTED})
"""Texts that say that something is going on; updates, answers and corrections follow from one of these."""
EXHAUSTED = frozenset({Reason.EXHAUSTED_SITE, Reason.EXHAUSTED_DISTRICT})
ANSWERS = frozenset({Meant.GOING, Meant.ARRIVED, Meant.CANNOT_GO})
PART_SEPTETS = 153
"""Of a text in several segments: each gives up seven septets to say which part it is."""
UCS2_CHARS, UCS2_PART_CHARS = 70, 67


class Ring(Struct, frozen=True, kw_only=True):
    """The first call that a person's phone rang for."""

    person_id: str
    after_s: float
    step: int
    """Step of the policy, from 0; its length once exhausted."""


class Measured(Struct, frozen=True, kw_only=True):
    """Seconds after the press; `None`: not on this day."""

    told_s: float | None
    """A human's phone rang."""
    answered_s: float | None
    """Enough of the right people had said that they go."""
    exhausted_s: float | None
    """Every step had passed without a sufficient answer."""
    dispatch_s: dict[str, float]
    """Destination -> when it had the message."""
    accepted_s: float | None
    """A dispatcher accepted."""
    rings: tuple[Ring, ...]
    """In the order in which the phones rang."""
    answered_by: frozenset[str]
    """Person ids who replied with a code before the answers sufficed: on whom that may hang."""
    texts: int
    segments: int
    opened: bool
    """The press became an incident."""


def measure(happenings: Iterable[Happening], *, pressed_at_s: float, wearer: str = "") -> Measured:
    """The figures of a day with one press."""
    reader = _Reader(round(pressed_at_s * 1e6), wearer)
    for happening in happenings:
        if isinstance(happening, Over):  # what failed is whole again, and the daemon goes: no longer this day
            break
        reader.read(happening)
    return reader.measured()


class _Reader:
    def __init__(self, pressed_us: int, wearer: str) -> None:
        self._pressed_us = pressed_us
        self._wearer = wearer
        self._notifications: dict[NotificationId, Notification] = {}
        self._by_content: dict[tuple[str, str], Notification] = {}
        self._firsts: dict[str, float] = {}
        self._dispatch: dict[str, float] = {}
        self._rings: dict[str, Ring] = {}
        self._answered: set[str] = set()
        self._texts = 0
        self._segments = 0
        self._opened = False

    def read(self, happening: Happening) -> None:
        after_s = (happening.at_us - self._pressed_us) / 1e6
        match happening:
            case Committed(decision=decision):
                self._decided(decision, after_s)
            case TextTaken(notification_id=id_, to=to, body=body) if self._of_incident(id_, to, body):
                self._texts += 1
                self._segments += segments(body)
            case TextSeen(notification_id=id_, to=to, body=body, person_id=person_id):
                self._rang(self._of_incident(id_, to, body), str(person_id or ""), after_s)
            case DispatchTook(type="new", message_id=message_id):
                notification = self._notifications.get(NotificationId(message_id))
                self._dispatch.setdefault(notification.recipient if notification else "", after_s)
            case DispatchSaid(state="accepted"):
                self._firsts.setdefault("accepted", after_s)
            case Typed(person_id=person_id, meant=meant) if person_id is not None and meant in ANSWERS:
                if "answered" not in self._firsts:
                    self._answered.add(person_id)
            case _:
                pass

    def _decided(self, decision: Decision, after_s: float) -> None:
        for row in decision.notifications:
            notification = row.notification
            if notification.incident_id is not None:
                self._notifications[notification.id] = notification
                if notification.text:
                    self._by_content[notification.endpoint.address, notification.text] = notification
        for incident in decision.incidents:
            self._opened = True
            if incident.escalation is EscalationState.PAUSED:
                self._firsts.setdefault("answered", after_s)
        for entry in decision.entries:
            # A nuisance is exhausted and closed in one decision: its last state no longer tells.
            if entry.kind is EntryKind.ESCALATION and entry.reason in EXHAUSTED:
                self._firsts.setdefault("exhausted", after_s)

    def _of_incident(self, id_: NotificationId | None, to: str, body: str) -> Notification | None:
        """The notification that a text was; by its content where the carrier could not tell."""
        if id_ is None:
            return self._by_content.get((to, body))
        return self._notifications.get(id_)

    def _rang(self, notification: Notification | None, person_id: str, after_s: float) -> None:
        if notification is None or notification.kind not in CALLS or not person_id or person_id in self._rings:
            return
        self._rings[person_id] = Ring(person_id=person_id, after_s=after_s, step=notification.step or 0)

    def measured(self) -> Measured:
        others = [ring for ring in self._rings.values() if ring.person_id != self._wearer]
        return Measured(
            told_s=others[0].after_s if others else None,
            answered_s=self._firsts.get("answered"),
            exhausted_s=self._firsts.get("exhausted"),
            dispatch_s=self._dispatch,
            accepted_s=self._firsts.get("accepted"),
            rings=tuple(others),
            answered_by=frozenset(self._answered),
            texts=self._texts,
            segments=self._segments,
            opened=self._opened,
        )


def segments(body: str) -> int:
    """What a carrier bills for a text: 160 plain characters, or 70 of any other alphabet; less in several parts."""
    if not body:
        return 0
    units, whole, part = septets(body), SEGMENT_SEPTETS, PART_SEPTETS
    if units is None:
        units, whole, part = len(body.encode("utf-16-be")) // 2, UCS2_CHARS, UCS2_PART_CHARS
    return 1 if units <= whole else -(-units // part)
