"""Who may cut whom: later words cut earlier ones, and quiet cuts what was known when it was ordered.

Owns the order in which pages were decided, and how long a drill that is over may still be heard. The stream of commits
decides what is later; no clock does.
"""

from itertools import count

from alertd.model.drill import DrillState
from alertd.model.ids import NotificationId, SiteId
from alertd.model.mode import Mode
from alertd.model.notification import Kind
from alertd.model.notification import NotificationState as N
from alertd_simulator.checkers.checker import Checker, Scene
from alertd_simulator.world.happenings import Committed, Crashed, FellSilent, Happening

SECOND_US = 1_000_000
LINGER_US = 3 * SECOND_US
"""Calm time in which the end of a drill reaches its loudspeakers."""
LOUDSPEAKERS_DOWN = "loudspeakers_down"
RECOVERS_US = 30 * SECOND_US
"""So long after loudspeakers failed an order for quiet may wait to be tried again."""


class LaterCutsEarlier(Checker):
    name = "later cuts earlier"
    docs = (
        "R46, R64: live words are never cut by an order that was decided before them: an old `pa stop` that is tried "
        "again leaves a new lockdown alone. A drill that is over is heard no more."
    )
    sees = (Committed, FellSilent, Crashed)

    def __init__(self, scene: Scene) -> None:
        super().__init__(scene)
        self._numbers = count()
        self._decided: dict[NotificationId, int] = {}
        """Page -> number of the commit that wrote it first."""
        self._over: dict[SiteId, int] = {}
        """Site -> calm time at which its drill ended."""

    def see(self, happening: Happening) -> None:
        match happening:
            case Committed():
                self._committed(happening)
            case FellSilent():
                self._silent(happening)
            case Crashed(power=True):
                self._over.clear()  # the end may be gone with the power
            case _:
                pass

    def _committed(self, committed: Committed) -> None:
        decision, number = committed.decision, next(self._numbers)
        for row in decision.notifications:
            if row.notification.kind is Kind.PAGE and row.state is not N.SUPPRESSED:
                self._decided.setdefault(row.notification.id, number)
        drill = decision.drill
        if drill is not None and drill.state is DrillState.RUNNING:
            self._over.pop(drill.site_id, None)
        elif drill is not None:  # the first time; later ones note who knows of it
            self._over.setdefault(drill.site_id, self.scene.conditions.calm_us(committed.at_us))

    def _silent(self, silent: FellSilent) -> None:
        row = self.scene.records.rows.get(silent.notification_id)
        if row is None:
            return
        if row.notification.mode is Mode.LIVE:
            self._live_was_cut(silent)
        else:
            self._drill_was_heard(silent, row.notification.site_id)

    def _live_was_cut(self, silent: FellSilent) -> None:
        words, by = self._decided.get(silent.notification_id), self._decided.get(silent.by)
        if words is not None and by is not None and by < words:
            what = f"{silent.zone}: {silent.notification_id} is cut by {silent.by}, which was decided before it"
            self.accuse(silent.at_us, what)

    def _drill_was_heard(self, silent: FellSilent, site_id: SiteId) -> None:
        over_us, conditions = self._over.get(site_id), self.scene.conditions
        if over_us is None or conditions.lately(LOUDSPEAKERS_DOWN, silent.at_us, RECOVERS_US):
            return
        heard_us = conditions.calm_us(silent.at_us) - over_us
        if heard_us > LINGER_US:
            late_s = heard_us / SECOND_US
            self.accuse(silent.at_us, f"{silent.zone} speaks of a drill {late_s:.0f} s after its end")
