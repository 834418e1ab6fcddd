"""Drills that ended before our eyes: what is claimed and of one of them is not sent any more (promise 3).

Owns that last look. What is not claimed yet, the store withdraws.
"""

from alertd.model.drill import Drill
from alertd.model.ids import DrillId, SiteId
from alertd.model.mode import Mode
from alertd.model.notification import OUTLIVES_DRILL, Claim, Kind


class DrillsOver:
    """As far as decisions since the start have said."""

    def __init__(self) -> None:
        self._sites: set[SiteId] = set()
        """Sites whose drill ended before our eyes."""
        self._overtaken: set[DrillId] = set()
        """Of those the ones where something real came: whoever has not read of the end reads of that instead."""

    def note(self, drill: Drill) -> bool:
        """A drill as it was just committed. Is it over?"""
        if drill.is_running:
            self._sites.discard(drill.site_id)
            return False
        self._sites.add(drill.site_id)
        self._overtaken.update(each.id for each in drill.line() if each.overtaken)
        return True

    def mutes(self, claim: Claim) -> bool:
        """Must it not be sent, although it is claimed?"""
        n = claim.notification
        if n.mode is not Mode.DRILL:
            return False
        if n.kind is Kind.DRILL_OVER and n.ends_drill in self._overtaken:
            return True
        return n.site_id in self._sites and n.kind not in OUTLIVES_DRILL
