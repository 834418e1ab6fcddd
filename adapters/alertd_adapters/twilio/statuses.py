"""What Twilio's words for a message's status mean to us, and what we remember of them.

Statuses come late, twice and out of order; knowledge only grows: accepted < sent < delivered or failed (promise 5).
The one exception is real: *delivered* may be followed by *undelivered*. Owns no truth: all of this may be forgotten.
"""

from collections import OrderedDict

from alertd.model.notification import NotificationState
from alertd.model.outcome import Accepted, Delivered, Failed, Outcome, Sent, Unknown, Withdrawn
from alertd_adapters.twilio.error_codes import failure
from alertd_adapters.twilio.owners import REMEMBERED_SIDS_MAX, Owners
from alertd_adapters.twilio.rest import Message

REASON_UNKNOWN = 30008

_RANK_OF_STATE = {
    NotificationState.ACCEPTED: 1,
    NotificationState.SENT: 2,
    NotificationState.DELIVERED: 3,
    NotificationState.FAILED: 3,
}


def outcome_of(message: Message) -> Outcome:
    """A status as an outcome. A word that we do not know says only that Twilio has the message."""
    match message.status:
        case "sent" | "partially_delivered":
            return Sent(ref=message.sid)
        case "delivered" | "read":
            return Delivered(ref=message.sid)
        case "undelivered" | "failed":
            return failure(message.error_code or REASON_UNKNOWN, ref=message.sid)
        case "canceled":
            return Failed(permanent=True, code="canceled", detail="somebody canceled it at Twilio", ref=message.sid)
        case "accepted" | "scheduled" | "queued" | "sending" | "":
            return Accepted(ref=message.sid)
        case other:
            return Accepted(ref=message.sid, detail=f"Twilio's status is {other[:40]!r}")


def rank(outcome: Outcome) -> int:
    """How much an outcome says."""
    match outcome:
        case Accepted():
            return 1
        case Sent():
            return 2
        case Delivered() | Failed() | Withdrawn():
            return 3
        case Unknown():
            return 0


class Sids(Owners):
    """Which message at Twilio is which notification, as far as this process has learned; and what it reported."""

    def __init__(self) -> None:
        super().__init__()
        self._reported: OrderedDict[str, Outcome] = OrderedDict()

    def is_news(self, sid: str, outcome: Outcome, state: NotificationState | None = None) -> bool:
        """Does it say more than what is stored (`state`, if known) and than what was reported before?"""
        last = self._reported.get(sid)
        known = max(rank(last) if last is not None else 0, _RANK_OF_STATE.get(state, 0) if state is not None else 0)
        recanted = isinstance(outcome, Failed) and isinstance(last, Delivered)
        return rank(outcome) > known or recanted

    def reported(self, sid: str, outcome: Outcome) -> None:
        """It is committed: never report it again."""
        self._reported[sid] = outcome
        self._reported.move_to_end(sid)
        while len(self._reported) > REMEMBERED_SIDS_MAX:
            self._reported.popitem(last=False)
