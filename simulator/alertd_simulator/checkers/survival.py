"""Promise 1, from the inside: what was committed outlives every crash.

Owns the comparison of what the disk holds after a start with what the stream said is durable.
"""

from collections.abc import Sequence

from alertd.model.incident import Incident
from alertd.model.notification import NotificationRow
from alertd_simulator.checkers.checker import Checker
from alertd_simulator.checkers.covering import GRAVITY
from alertd_simulator.checkers.final import Final


class Survival(Checker):
    name = "survival"
    docs = (
        "Promise 1: every incident and every notification that a commit made durable is on the disk after each start "
        "and at the end, and knows no less than before: no press, answer or severity is forgotten."
    )

    def reread(self, incidents: Sequence[Incident], rows: Sequence[NotificationRow], at_us: int) -> None:
        self._compare(incidents, rows, at_us, "after the restart")

    def finish(self, final: Final, at_us: int) -> None:
        self._compare(final.incidents, final.rows, at_us, "at the end")

    def _compare(self, incidents: Sequence[Incident], rows: Sequence[NotificationRow], at_us: int, when: str) -> None:
        by_id = {incident.id: incident for incident in incidents}
        for incident_id, before in self.scene.records.incidents.items():
            after = by_id.get(incident_id)
            lost = "it" if after is None else _less(before, after)
            if lost:
                self.accuse(at_us, f"{before.headline} ({incident_id}): {lost} is gone {when}")
        row_ids = {row.notification.id for row in rows}
        for id_, row in self.scene.records.rows.items():
            if id_ not in row_ids:
                content = row.notification
                self.accuse(at_us, f"{content.kind} to {content.recipient} ({id_}) is gone {when}")


def _less(before: Incident, after: Incident) -> str:
    """What the incident has forgotten, in words; empty: nothing."""
    if GRAVITY[after.incident_class] < GRAVITY[before.incident_class]:
        return f"that it is a {before.incident_class}"
    if {p.device_id for p in before.presses} - {p.device_id for p in after.presses}:
        return "a press"
    if {(a.person_id, a.kind) for a in before.answers} - {(a.person_id, a.kind) for a in after.answers}:
        return "an answer"
    if not before.is_open and after.is_open:
        return "that it is closed"
    if {t.endpoint_key for t in before.told} - {t.endpoint_key for t in after.told} and (
        before.generation == after.generation
    ):
        return "somebody who was told"
    return ""
