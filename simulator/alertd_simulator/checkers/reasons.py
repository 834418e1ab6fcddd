"""Promise 4: every decision has a reason, and the right kind of one.

Owns which reasons may stand for which standing of a notification, written down once more.
"""

from alertd.model.events import Pressed, TroubleCleared
from alertd.model.notification import NotificationChange, NotificationRow
from alertd.model.notification import NotificationState as N
from alertd.model.reason import Reason
from alertd_simulator.checkers.checker import Checker
from alertd_simulator.checkers.news import timeless
from alertd_simulator.world.happenings import Committed, Happening

WHY_NOT = frozenset(
    {Reason.NO_ENDPOINT, Reason.OPTED_OUT, Reason.CHANNEL_BROKEN, Reason.PRESSER, Reason.MODE_FORBIDS,
     Reason.EMERGENCY_NUMBER, Reason.SUPERSEDED, Reason.SPOKEN, Reason.TEXTED,
     Reason.NOT_BY_CALL,
     Reason.NOT_AUDIBLE, Reason.NOT_ANNOUNCED, Reason.OUTRANKED}
)  # fmt: skip
WHY_CHANGED: dict[N, frozenset[Reason]] = {
    N.QUEUED: frozenset({Reason.NOT_TRIED, Reason.RETRYING, Reason.RESENT_UNKNOWN}),
    N.UNKNOWN: frozenset({Reason.ASKED_PROVIDER}),
    N.FAILED: frozenset(
        {
            Reason.FAILED_PERMANENTLY,
            Reason.ATTEMPTS_EXHAUSTED,
            Reason.UNKNOWN_NOT_RESENT,
            Reason.POISON,
            Reason.UNANSWERED,
        }
    ),
    N.EXPIRED: frozenset({Reason.EXPIRED}),
    N.WITHDRAWN: frozenset(
        {
            Reason.INCIDENT_CLOSED,
            Reason.CORRECTED,
            Reason.SUPERSEDED,
            Reason.SOMEBODY_GOES,
            Reason.GAVE_WAY,
            Reason.ANSWERED_OTHERWISE,
            Reason.PRESSER,
            Reason.DRILL_OVER,
            Reason.DRILL_IS_REAL,
            Reason.SILENCED,
        }
    ),
    N.SUPPRESSED: WHY_NOT,
}
"""Of the others the reason stays that for which it was sent."""
ALSO_TOLD = frozenset({Reason.CORRECTED, Reason.DRILL_OVER, Reason.DRILL_IS_REAL, Reason.SILENCED})
"""Of these people are told, a centre that took an exercise hears that it is over, and loudspeakers fall silent."""
NO_REASON_TO_TELL = WHY_NOT | frozenset().union(*WHY_CHANGED.values()) - ALSO_TOLD


class Reasons(Checker):
    name = "reasons"
    docs = (
        "Promise 4: every decision leaves a journal entry (the end of what did not call is none), and each entry a "
        "reason; a notification says why it is "
        "sent, and one that is not sent, given up, withdrawn or tried again says why by a reason of that kind."
    )
    sees = (Committed,)

    def see(self, happening: Happening) -> None:
        if not isinstance(happening, Committed):
            return
        decision, event = happening.decision, type(happening.event).__name__
        if not decision.entries and not self._decides_nothing(happening):
            self.accuse(happening.at_us, f"{event} left no entry in the journal")
        for entry in decision.entries:
            if entry.reason is None:
                self.accuse(happening.at_us, f"{event}: {entry.kind} {entry.text!r} has no reason")
        for row in decision.notifications:
            self._born(happening.at_us, row)
        for change in decision.changes:
            self._changed(happening.at_us, change)

    def _decides_nothing(self, committed: Committed) -> bool:
        """What no longer calls, and did not call, is no event of note, if indeed nothing came of it. That stamps move
        with a clock that was set, or began anew with the machine, comes of no event."""
        event, decision = committed.event, committed.decision
        if isinstance(event, TroubleCleared):
            return True
        is_end = isinstance(event, Pressed) and event.signal.ends
        if not is_end or decision.notifications or decision.changes:
            return False
        known = self.scene.records.incidents
        return all(i.id in known and timeless(known[i.id]) == timeless(i) for i in decision.incidents)

    def _born(self, at_us: int, row: NotificationRow) -> None:
        content = row.notification
        if row.state is N.SUPPRESSED and row.reason not in WHY_NOT:
            self.accuse(at_us, f"{content.kind} to {content.recipient} is not sent because of {row.reason}")
        if content.reason in NO_REASON_TO_TELL:
            self.accuse(at_us, f"{content.kind} to {content.recipient} is sent because of {content.reason}")
        told = [content.text, content.body]
        if not any(told):
            self.accuse(at_us, f"{content.kind} to {content.recipient} ({content.id}) has no words")

    def _changed(self, at_us: int, change: NotificationChange) -> None:
        wanted = WHY_CHANGED.get(change.state)
        if wanted is not None and change.reason not in wanted | {Reason.POISON}:
            self.accuse(at_us, f"{change.id} is {change.state} because of {change.reason}")
