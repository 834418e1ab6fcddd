"""One message of a drill, and how far it is known to have got: to a phone, late, taken back, or nowhere that is known.

Must never claim a hop that nobody reported: what is not known is `None`. Times are seconds after a moment that the
caller names, by alertd's clock.
"""

from collections.abc import Iterable

from msgspec import Struct

from alertd.console.views import masked
from alertd.console.words import KIND, known_of, not_known_of, say, why
from alertd.model.decision import EntryKind
from alertd.model.ids import NotificationId
from alertd.model.notification import Kind, NotificationRow, NotificationState
from alertd.model.reason import Reason
from alertd.ports import JournalLine

US_PER_S = 1_000_000
LATE_S = 10.0
"""A message that takes longer than this to the phone (if nobody reports that, to the provider) is listed as late."""
TAKEN = (NotificationState.ACCEPTED, NotificationState.SENT, NotificationState.DELIVERED)
"""What a provider, a carrier, a phone or a server said. Nobody has read anything yet."""
TOGETHER = (EntryKind.NOTIFICATION, EntryKind.DRILL)
"""Entries that speak of many messages at once, if of none by its id."""
UNREACHABLE = frozenset({Reason.OPTED_OUT, Reason.CHANNEL_BROKEN, Reason.NO_ENDPOINT, Reason.EMERGENCY_NUMBER})
"""Why a message that somebody should have had was not even tried."""


class Times(Struct, frozen=True, kw_only=True):
    """What a journal says of when. All of it wall clock."""

    reached: dict[tuple[NotificationId, NotificationState], int]
    """When a message was first known to have got so far."""
    first_begun_us: int | None
    """When the first attempt to send one began, in which alertd itself saw to its end. Its commit was over by then."""
    taken_back: tuple[tuple[Reason | None, int], ...]
    """When whatever was not sent yet was taken back together, and why."""
    over_us: int | None
    """When it was over, with everything that was still to be said: what was taken back was so by then."""

    def gone_us(self, row: NotificationRow) -> int | None:
        """When a message was taken back; `None`: it was not, or nobody knows."""
        if row.state is not NotificationState.WITHDRAWN:
            return None
        by_itself = self.reached.get((row.notification.id, NotificationState.WITHDRAWN))
        together = (
            at_us for reason, at_us in self.taken_back if reason is row.reason and at_us >= row.notification.created_us
        )
        return min(together, default=self.over_us) if by_itself is None else by_itself


class MessageLine(Struct, frozen=True, kw_only=True):
    """One message and when it was known to get so far."""

    who: str
    channel: str
    address: str
    kind: str
    written_s: float | None
    taken_s: float | None
    """The provider, or the loudspeakers, took it."""
    delivered_s: float | None
    took_s: float | None
    """From being written down to the phone; if nobody reports that, to the provider."""
    waited_s: float | None
    """From being written down to being taken back."""
    state: str
    known: str
    not_known: str | None
    why: str
    detail: str
    text: str


def times_of(journal: Iterable[JournalLine], over_us: int | None) -> Times:
    reached: dict[tuple[NotificationId, NotificationState], int] = {}
    begun: list[int] = []
    taken_back: list[tuple[Reason | None, int]] = []
    for line in journal:
        entry = line.entry
        if entry is None:
            continue
        if entry.kind is not EntryKind.OUTCOME:
            if entry.kind in TOGETHER and entry.notification_id is None:
                taken_back.append((entry.reason, line.at_us))
            continue
        state = entry.data.get("state")
        if entry.notification_id is not None and state in (*TAKEN, NotificationState.WITHDRAWN):
            reached.setdefault((entry.notification_id, NotificationState(state)), line.at_us)
        if "begun_us" in entry.data:
            begun.append(int(entry.data["begun_us"]))
    first_begun_us = min(begun, default=None)
    return Times(reached=reached, first_begun_us=first_begun_us, taken_back=tuple(taken_back), over_us=over_us)


def message(row: NotificationRow, zero_us: int, times: Times) -> MessageLine:
    n = row.notification
    taken_us = min((at for state in TAKEN if (at := times.reached.get((n.id, state))) is not None), default=None)
    delivered_us = times.reached.get((n.id, NotificationState.DELIVERED))
    there_us = taken_us if delivered_us is None else delivered_us
    return MessageLine(
        who=n.recipient or n.endpoint.channel,
        channel=n.endpoint.channel,
        address=masked(n.endpoint),
        kind=say(KIND, n.kind),
        written_s=since(zero_us, n.created_us),
        taken_s=since(zero_us, taken_us),
        delivered_s=since(zero_us, delivered_us),
        took_s=since(n.created_us, there_us),
        waited_s=since(n.created_us, times.gone_us(row)),
        state=row.state.value,
        known=known_of(n, row.state),
        not_known=not_known_of(n, row.state),
        why=why(row.reason),
        detail=row.detail,
        text=n.text,
    )


def is_missed(row: NotificationRow, waited_s: float | None = None) -> bool:
    """Nobody knows that it got to a phone, a server or a loudspeaker. `waited_s`: what was taken back before it got
    through is missed if it had waited for so long; else it is a matter of its own."""
    if row.state is NotificationState.SUPPRESSED:
        return row.reason in UNREACHABLE
    if row.state is NotificationState.WITHDRAWN:
        return waited_s is not None and waited_s > LATE_S
    there = TAKEN if row.notification.kind is Kind.PAGE else (NotificationState.DELIVERED,)
    return row.state not in there


def is_taken_back(row: NotificationRow, waited_s: float | None) -> bool:
    """It was to be said, and something came between before it could have got through."""
    return row.state is NotificationState.WITHDRAWN and not is_missed(row, waited_s)


def is_late(line: MessageLine) -> bool:
    return line.took_s is not None and line.took_s > LATE_S


def since(zero_us: int, at_us: int | None) -> float | None:
    return None if at_us is None else round((at_us - zero_us) / US_PER_S, 3)


def first(values: Iterable[float | None]) -> float | None:
    return min((value for value in values if value is not None), default=None)
