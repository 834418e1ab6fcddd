"""Calls that wait for one another: whose phone goes first, and which words are worth nothing any more.

Owns the order of calls as promise 2 wants it, from what was committed and what the carrier took. Judges true time only.
"""

from alertd.model.incident import Incident, is_panic
from alertd.model.mode import Mode
from alertd.model.notification import Kind, NotificationState
from alertd.model.reason import Reason
from alertd_simulator.checkers.calling import is_voice
from alertd_simulator.checkers.checker import Checker
from alertd_simulator.checkers.records import Row
from alertd_simulator.world.happenings import CallTaken, Happening

WAITS_S = 2.0
"""Calm seconds that a first call has waited when another is claimed: a commit, and the claims that know of it."""
MOMENT_US = 1_000_000
"""Between a decision and the claims that know of it."""
SAYS_IT_AGAIN = frozenset({Kind.REMINDER, Kind.EXHAUSTED})


def repeats(row: Row) -> bool:
    """Does it ring a phone that rang for this before?"""
    return row.notification.kind in SAYS_IT_AGAIN or row.notification.reason is Reason.REDIALLED


class FirstCallsFirst(Checker):
    name = "first calls first"
    docs = (
        "Promise 2: no call that repeats another is placed while a first call about a live panic, of whatever school, "
        "has waited two calm seconds untried when it is claimed."
    )
    sees = (CallTaken,)

    def see(self, happening: Happening) -> None:
        if not isinstance(happening, CallTaken) or happening.notification_id is None:
            return
        rows = self.scene.records.rows
        placed = rows.get(happening.notification_id)
        if placed is None or not repeats(placed):
            return
        channel = placed.notification.endpoint.channel
        claimed_us = placed.born_us if placed.claimed_us is None else placed.claimed_us
        for row in rows.values():
            if row.notification.endpoint.channel == channel and self._waits(row, claimed_us):
                n = row.notification
                message = f"{placed.notification.recipient} is called again while {n.recipient} ({n.id}) waits"
                self.accuse(happening.at_us, f"{message} for a first call", once=n.id)

    def _waits(self, row: Row, at_us: int) -> bool:
        n = row.notification
        if row.state is not NotificationState.QUEUED or row.attempts or n.kind is not Kind.ALERT or repeats(row):
            return False
        incident = self.scene.records.incidents.get(n.incident_id) if n.incident_id is not None else None
        if incident is None or not incident.is_open or n.mode is not Mode.LIVE or not is_panic(incident.incident_class):
            return False
        calm_us = self.scene.conditions.calm_us
        return calm_us(at_us) - calm_us(row.born_us) > WAITS_S * 1_000_000


class FreshWords(Checker):
    name = "fresh words"
    docs = (
        "A call that waited is not placed once its incident has become graver, nor, if it only repeats, once a newer "
        "call to the same phone was decided: nobody hears old words after new ones."
    )
    sees = (CallTaken,)

    def see(self, happening: Happening) -> None:
        if not isinstance(happening, CallTaken) or happening.notification_id is None:
            return
        records = self.scene.records
        row = records.rows.get(happening.notification_id)
        if row is None or row.notification.incident_id is None or row.claimed_us is None:
            return
        incident = records.incidents.get(row.notification.incident_id)
        if incident is None or self.scene.conditions.last_step_us > row.born_us:
            return
        if why := self._overtaken(row, incident, row.claimed_us - MOMENT_US):
            n = row.notification
            self.accuse(happening.at_us, f"{n.recipient} is called with old words ({n.kind}, {n.id}): {why}", once=n.id)

    def _overtaken(self, row: Row, incident: Incident, known_us: int) -> str:
        """`known_us`: what was decided by then, its claim could know."""
        n = row.notification
        graver_us = self.scene.records.seen[incident.id].upgraded_us
        asks = n.kind in SAYS_IT_AGAIN or n.kind is Kind.ALERT
        if asks and graver_us is not None and row.born_us < graver_us < known_us:
            return "it has become graver"
        if not repeats(row) or n.kind is Kind.EXHAUSTED:
            return ""
        for other in self.scene.records.rows_of.get(incident.id, ()):
            newer = other.born_us > row.born_us and other.born_us < known_us
            same = other.notification.endpoint.key == n.endpoint.key and is_voice(self.scene, n.endpoint.channel)
            if newer and same and repeats(other) and other.state is not NotificationState.SUPPRESSED:
                return f"{other.notification.kind} ({other.notification.id}) says more"
        return ""
