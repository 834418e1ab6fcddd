"""Claims and what becomes of rows: not after the end, not past the expiry, one claim one try, along the life cycle.

Owns the tables of what may follow what, written down once more from the design. True time and the order of the stream
decide; clocks that somebody sets do not.
"""

from alertd.model.events import OutcomeReported
from alertd.model.ids import NotificationId
from alertd.model.notification import Kind
from alertd.model.notification import NotificationState as N
from alertd.model.outcome import Failed
from alertd_simulator.checkers.checker import Checker, Scene
from alertd_simulator.checkers.records import Row
from alertd_simulator.world.happenings import (
    Attempted,
    Committed,
    Crashed,
    Ended,
    Happening,
    Moved,
    TextStatus,
    TextTaken,
)

SECOND_US = 1_000_000
LEASE_US = 60 * SECOND_US
"""A claim is worth this long: whatever was claimed in time leaves within it, or not at all."""
COMMIT_SLACK_US = 15 * SECOND_US
"""The moment by which a claim is judged lies so long before its commit, at most: the writer's queue on a slow disk."""
EARLY_SLACK_S = 30.0
"""Between deciding what it is and its commit: the writer's queue on a slow disk."""

OUTLIVES = frozenset(
    {
        Kind.CORRECTION, Kind.CLOSING, Kind.ANSWER, Kind.TROUBLE, Kind.TEST, Kind.DISPATCH_UPDATE,
        Kind.DISPATCH_CANCEL_REQUEST, Kind.DISPATCH_CLOSED, Kind.DISPATCH_HEARTBEAT, Kind.DRILL_STOPPED,
    }
)  # fmt: skip
"""Correction, update, clear, closing notice, answer to a reply, the end of a drill; and what belongs to no incident."""
CALLS = frozenset({Kind.ALERT, Kind.ALSO, Kind.REMINDER, Kind.NOT_ARRIVED, Kind.EXHAUSTED, Kind.PAGE})
"""They ask people to come, or to hide."""

KNOWN = (N.ACCEPTED, N.SENT, N.DELIVERED)
NEXT: dict[N, frozenset[N]] = {
    N.QUEUED: frozenset({N.CLAIMED, N.EXPIRED, N.WITHDRAWN, N.SUPPRESSED}),
    N.CLAIMED: frozenset({*KNOWN, N.FAILED, N.UNKNOWN, N.QUEUED, N.EXPIRED, N.SUPPRESSED, N.WITHDRAWN}),
    N.UNKNOWN: frozenset({*KNOWN, N.FAILED, N.QUEUED, N.EXPIRED, N.WITHDRAWN}),
    N.ACCEPTED: frozenset({N.SENT, N.DELIVERED, N.FAILED, N.QUEUED, N.EXPIRED, N.WITHDRAWN}),
    N.SENT: frozenset({N.DELIVERED, N.FAILED, N.QUEUED, N.EXPIRED, N.WITHDRAWN}),
    N.DELIVERED: frozenset({N.FAILED, N.QUEUED, N.EXPIRED, N.WITHDRAWN}),
}
"""What new knowledge may follow. A state that is missing is an end."""


def newly_claimed(scene: Scene, moved: Moved) -> Row | None:
    """The row, if this is a claim; `None` for anything else, and where a store only brings back what is known."""
    row = scene.records.rows.get(moved.notification_id)
    if row is None or moved.after is not N.CLAIMED or row.state is N.CLAIMED:
        return None
    return row


class AfterTheEnd(Checker):
    name = "after the end"
    docs = (
        "Nothing is claimed once its incident is closed, except correction, update, clear, closing notice and answers; "
        "and nobody is called to an incident that a human said is over or a mistake. What was claimed before may leave."
    )
    sees = (Moved, Attempted)

    def see(self, happening: Happening) -> None:
        match happening:
            case Moved() if row := newly_claimed(self.scene, happening):
                self._claimed(happening.at_us, row)
            case Attempted(claim=claim) if row := self.scene.records.rows.get(claim.notification.id):
                self._left(happening.at_us, row)
            case _:
                pass

    def _ends(self, row: Row) -> tuple[int | None, int | None]:
        seen = self.scene.records.seen.get(row.notification.incident_id) if row.notification.incident_id else None
        return (None, None) if seen is None else (seen.closed_us, seen.stopped_us)

    def _claimed(self, at_us: int, row: Row) -> None:
        closed_us, stopped_us = self._ends(row)
        content = row.notification
        if content.kind in OUTLIVES:
            return
        if closed_us is not None and at_us > closed_us:
            self._accuse(at_us, row, "was claimed after its incident was closed")
        elif content.kind in CALLS and stopped_us is not None and at_us > stopped_us >= row.born_us:
            self._accuse(at_us, row, "was claimed after a human had said that it is over")

    def _left(self, at_us: int, row: Row) -> None:
        closed_us, _ = self._ends(row)
        if row.notification.kind not in OUTLIVES and closed_us is not None and at_us > closed_us + LEASE_US:
            self._accuse(at_us, row, "left more than a lease after its incident was closed")

    def _accuse(self, at_us: int, row: Row, what: str) -> None:
        content = row.notification
        self.accuse(at_us, f"{content.kind} to {content.recipient} ({content.id}, {content.incident_id}) {what}")


class Expiry(Checker):
    name = "expiry"
    docs = (
        "Req 51, 99: nothing is claimed past its expiry, and nothing is thrown away before it, whoever sets the clock; "
        "what has outlived a power cut is as old as the machine's clock, as it showed when the claim was made, says of "
        "how it stood when the power went. And an attempt begins within a lease of its claim."
    )
    sees = (Moved, Attempted)

    def see(self, happening: Happening) -> None:
        match happening:
            case Moved() if row := newly_claimed(self.scene, happening):
                self._claimed(happening.at_us, row)
            case Moved(after=N.EXPIRED) if row := self.scene.records.rows.get(happening.notification_id):
                self._thrown_away(happening.at_us, row)
            case Attempted(claim=claim) if row := self.scene.records.rows.get(claim.notification.id):
                if row.claimed_us is not None and happening.at_us > row.claimed_us + LEASE_US:
                    self._accuse(happening.at_us, row, "left on a lease that was over")
            case _:
                pass

    def _claimed(self, at_us: int, row: Row) -> None:
        conditions, since_us = self.scene.conditions, at_us - COMMIT_SLACK_US
        off = conditions.outlived_power(row.born_us)
        late_us = since_us if off is None else conditions.earliest_wall_us(since_us, at_us) - off[1]
        late_us -= row.born_us + _life_us(row)
        if late_us > 0:
            self._accuse(at_us, row, f"was claimed at least {late_us / SECOND_US:.0f} s after it expired")

    def _thrown_away(self, at_us: int, row: Row) -> None:
        conditions, since_us = self.scene.conditions, at_us - COMMIT_SLACK_US
        off = conditions.outlived_power(row.born_us)
        now_us = at_us if off is None else conditions.latest_wall_us(since_us, at_us) - off[0]
        left_s = (row.born_us + _life_us(row) - now_us) / SECOND_US
        if left_s > EARLY_SLACK_S:
            self._accuse(at_us, row, f"was thrown away {left_s:.0f} s before it expired")

    def _accuse(self, at_us: int, row: Row, what: str) -> None:
        content = row.notification
        self.accuse(at_us, f"{content.kind} to {content.recipient} ({content.id}) {what}")


def _life_us(row: Row) -> int:
    return row.notification.expires_us - row.notification.created_us


class OneClaimOneTry(Checker):
    name = "one claim, one try"
    docs = (
        "A channel is given what is claimed, once a claim: the fencing epoch grows with each attempt, and no second "
        "attempt begins while one is under way. (One of which the carrier itself says that its text failed is over, "
        "though the answer to it may never come.)"
    )
    sees = (Attempted, Ended, Committed, Crashed)

    def __init__(self, scene: Scene) -> None:
        super().__init__(scene)
        self._under_way: dict[NotificationId, int] = {}

    def see(self, happening: Happening) -> None:
        match happening:
            case Attempted():
                self._attempted(happening)
            case Ended(notification_id=id_, epoch=epoch) if self._under_way.get(id_) == epoch:
                del self._under_way[id_]
            case Committed(event=OutcomeReported(epoch=None, outcome=Failed()) as said):
                if any(change.id == said.notification_id for change in happening.decision.changes):
                    self._under_way.pop(said.notification_id, None)
            case Crashed():
                self._under_way.clear()
            case _:
                pass

    def _attempted(self, attempted: Attempted) -> None:
        claim, at_us = attempted.claim, attempted.at_us
        id_, whom = claim.notification.id, f"{claim.notification.kind} to {claim.notification.recipient}"
        row = self.scene.records.rows.get(id_)
        if row is None:
            return  # told by "one content"
        if row.attempts and claim.epoch <= row.epoch:
            self.accuse(at_us, f"{whom} ({id_}): epoch {claim.epoch} after {row.epoch}")
        if row.state is not N.CLAIMED:
            self.accuse(at_us, f"{whom} ({id_}) is tried while it is {row.state}, without a claim")
        if id_ in self._under_way:
            self.accuse(at_us, f"{whom} ({id_}) is tried while another attempt is under way")
        self._under_way[id_] = claim.epoch


class LifeCycle(Checker):
    name = "life cycle"
    docs = (
        "Promise 5: a notification goes along the documented life cycle: knowledge never goes back, and an end is an "
        "end. A text that the carrier calls delivered stays it, whatever becomes of another attempt."
    )
    sees = (Moved, Committed, TextTaken, TextStatus)

    def __init__(self, scene: Scene) -> None:
        super().__init__(scene)
        self._texts_of: dict[NotificationId, list[str]] = {}
        self._delivered: set[str] = set()
        """Texts of which the carrier says so last."""

    def see(self, happening: Happening) -> None:
        match happening:
            case Moved():
                row = self.scene.records.rows.get(happening.notification_id)
                if row is not None and row.changed_us != happening.at_us:
                    self._judge(happening.at_us, row, row.state, happening.after)
            case Committed():
                self._committed(happening)
            case TextTaken(sid=sid, notification_id=id_) if id_ is not None:
                self._texts_of.setdefault(id_, []).append(sid)
            case TextStatus(sid=sid, status="delivered" | "read"):
                self._delivered.add(sid)
            case TextStatus(sid=sid, status="failed" | "undelivered"):
                self._delivered.discard(sid)
            case _:
                pass

    def _committed(self, committed: Committed) -> None:
        event = committed.event
        own = isinstance(event, OutcomeReported) and event.epoch is not None
        now: dict[NotificationId, N] = {}
        for change in committed.decision.changes:
            row = self.scene.records.rows.get(change.id)
            if row is not None:
                before = now.get(change.id, row.state)
                self._judge(committed.at_us, row, before, change.state)
                known = before is N.DELIVERED and not self._delivered.isdisjoint(self._texts_of.get(change.id, ()))
                if own and known and change.state is not N.DELIVERED:
                    content = row.notification
                    what = f"{content.kind} to {content.recipient} ({content.id})"
                    self.accuse(committed.at_us, f"{what} is {change.state} by another attempt, and was delivered")
                now[change.id] = change.state

    def _judge(self, at_us: int, row: Row, before: N, after: N) -> None:
        if after is not before and after not in NEXT.get(before, frozenset()):
            content = row.notification
            self.accuse(at_us, f"{content.kind} to {content.recipient} ({content.id}) went from {before} to {after}")
