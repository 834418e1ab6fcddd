"""`Records`: a mirror of what alertd has committed, built from the stream, and put right whenever the disk was read.

Owns what is known of incidents and rows, and when (true time) it became so. Must judge nothing.
"""

from collections.abc import Iterable

from msgspec import Struct

from alertd.model.ids import IncidentId, NotificationId
from alertd.model.incident import Incident, IncidentClass
from alertd.model.notification import Notification, NotificationRow, NotificationState
from alertd.model.outcome import Failed
from alertd.model.reason import Reason
from alertd_simulator.checkers.covering import GRAVITY
from alertd_simulator.world.happenings import Attempted, Committed, Crashed, Ended, Happening, Moved, TextTaken


class Row(Struct, kw_only=True, eq=False):
    """A notification and what became of it, in true time."""

    notification: Notification
    state: NotificationState
    reason: Reason
    born_us: int
    moved_us: int
    changed_us: int = -1
    """When a decision last said what it is now: that stands for all its moves in that commit."""
    claimed_us: int | None = None
    epoch: int = 0
    """Of the last attempt."""
    attempts: int = 0
    tried: int = 0
    """Of the attempts, those that are over and of which the channel does not say that it asked nobody."""
    sids: tuple[str, ...] = ()
    """Texts that the carrier took for it."""


class Seen(Struct, kw_only=True, eq=False):
    """When (true time) things about an incident became known."""

    opened_us: int
    closed_us: int | None = None
    stopped_us: int | None = None
    """Since when nobody is looked for because a human ended it."""
    upgraded_us: int | None = None
    """Since when it is as grave as it is; `None`: it always was."""
    incident_class: IncidentClass
    presses_us: list[int]
    """Of each press, when it was committed."""


class Records:
    sees = (Committed, Moved, Attempted, Ended, TextTaken, Crashed)

    def __init__(self) -> None:
        self.incidents: dict[IncidentId, Incident] = {}
        self.seen: dict[IncidentId, Seen] = {}
        self.rows: dict[NotificationId, Row] = {}
        self.rows_of: dict[IncidentId, list[Row]] = {}
        self.fleeting: dict[IncidentId, Incident | None] = {}
        """Changed in memory only, while the disk is full: as the disk has them."""
        self.fleeting_rows: set[NotificationId] = set()
        self._fleeting_tries: dict[NotificationId, tuple[int, int, tuple[str, ...]]] = {}
        """Tried while only memory held the claim: epoch, attempts and texts as the disk has them."""
        self._lost: dict[NotificationId, Row] = {}
        """What the power took with memory: a disk that had room again may have it all the same."""
        self._durable = True
        self._undo_us = -1
        self._undo: list[tuple[IncidentId, Incident | None]] = []
        self._newborn: list[NotificationId] = []
        """Of the commit at `_undo_us`: a power cut may take the very last one with it."""

    def see(self, happening: Happening) -> None:
        match happening:
            case Committed():
                self._commit(happening)
            case Moved():
                self._durable = happening.durable
                self._move(happening)
            case Attempted(claim=claim) if row := self.rows.get(claim.notification.id):
                if not self._durable:
                    self._fleeting_tries.setdefault(claim.notification.id, (row.epoch, row.attempts, row.sids))
                row.attempts += 1
                row.epoch = max(row.epoch, claim.epoch)
            case Ended(notification_id=id_, outcome=outcome) if row := self.rows.get(id_):
                row.tried += not (isinstance(outcome, Failed) and outcome.not_tried)
            case TextTaken(notification_id=id_) if id_ is not None and (row := self.rows.get(id_)):
                row.sids = (*row.sids, happening.sid)
            case Crashed(power=True):
                self._power_went(happening)
            case _:
                pass

    def reread(self, incidents: Iterable[Incident], rows: Iterable[NotificationRow], at_us: int) -> None:
        """From now on this is what there is."""
        known, self.rows, self.rows_of = self.rows, {}, {}
        self.incidents = {incident.id: incident for incident in incidents}
        for incident in self.incidents.values():
            self._note(incident, at_us)
        for row in rows:
            content = row.notification
            mine = known.get(content.id) or self._lost.get(content.id)
            if mine is None:
                mine = Row(notification=content, state=row.state, reason=row.reason, born_us=at_us, moved_us=at_us)
            mine.state, mine.reason = row.state, row.reason
            self._add(mine)
        self._lost = {}

    # --- what is taken up

    def _commit(self, committed: Committed) -> None:
        if committed.at_us != self._undo_us:
            self._undo_us, self._undo, self._newborn = committed.at_us, [], []
        self._durable = committed.durable
        if committed.durable:
            self.fleeting.clear()
            self.fleeting_rows.clear()
            self._fleeting_tries.clear()
        for incident in committed.decision.incidents:
            before = self.incidents.get(incident.id)
            self._undo.append((incident.id, before))
            if not committed.durable:
                self.fleeting.setdefault(incident.id, before)
            self.incidents[incident.id] = incident
            self._note(incident, committed.at_us)
        for born in committed.decision.notifications:
            self._bear(born, committed)
        for change in committed.decision.changes:
            if row := self.rows.get(change.id):
                row.state, row.reason = change.state, change.reason
                row.moved_us = row.changed_us = committed.at_us

    def _bear(self, born: NotificationRow, committed: Committed) -> None:
        if born.notification.id in self.rows:
            return  # one id, one content: the first one stands
        at_us = committed.at_us
        self._newborn.append(born.notification.id)
        if not committed.durable:
            self.fleeting_rows.add(born.notification.id)
        self._add(
            Row(
                notification=born.notification,
                state=born.state,
                reason=born.reason,
                born_us=at_us,
                moved_us=at_us,
            )
        )

    def _add(self, row: Row) -> None:
        self.rows[row.notification.id] = row
        if row.notification.incident_id is not None:
            self.rows_of.setdefault(row.notification.incident_id, []).append(row)

    def _note(self, incident: Incident, at_us: int) -> None:
        seen = self.seen.get(incident.id)
        if seen is None:
            seen = Seen(opened_us=at_us, presses_us=[], incident_class=incident.incident_class)
            self.seen[incident.id] = seen
        elif seen.incident_class is not incident.incident_class:
            graver = GRAVITY[incident.incident_class] > GRAVITY[seen.incident_class]  # else the power took an upgrade
            seen.incident_class, seen.upgraded_us = incident.incident_class, at_us if graver else None
        seen.presses_us += [at_us] * (len(incident.presses) - len(seen.presses_us))
        if incident.is_open:
            seen.closed_us = None
        elif seen.closed_us is None:
            seen.closed_us = at_us
        if incident.escalation != "stopped":
            seen.stopped_us = None
        elif seen.stopped_us is None:
            seen.stopped_us = at_us

    def _move(self, moved: Moved) -> None:
        row = self.rows.get(moved.notification_id)
        if row is None or row.state is moved.after or row.changed_us == moved.at_us:
            return
        row.state, row.moved_us = moved.after, moved.at_us
        if moved.after is NotificationState.CLAIMED:
            row.claimed_us = moved.at_us

    def _power_went(self, crashed: Crashed) -> None:
        """What only memory held is gone; and the commit that the power cut interrupted, if its log was cut."""
        lost = set(self.fleeting_rows)
        undo = list(self.fleeting.items())
        if crashed.lost_bytes and self._undo_us == crashed.at_us:
            lost |= set(self._newborn)
            undo = [*reversed(self._undo), *undo]
        for incident_id, before in undo:
            if before is None:
                self.incidents.pop(incident_id, None)
            else:
                self.incidents[incident_id] = before
        self._lost |= {id_: row for id_, row in self.rows.items() if id_ in lost}
        self.rows = {id_: row for id_, row in self.rows.items() if id_ not in lost}
        for id_, (epoch, attempts, sids) in self._fleeting_tries.items():
            if row := self.rows.get(id_):
                row.epoch, row.attempts, row.sids = epoch, attempts, sids
        self.rows_of = {}
        for row in self.rows.values():
            if row.notification.incident_id is not None:
                self.rows_of.setdefault(row.notification.incident_id, []).append(row)
        self._durable = True
        self.fleeting.clear()
        self.fleeting_rows.clear()
        self._fleeting_tries.clear()
