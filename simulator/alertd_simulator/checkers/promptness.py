"""Promise 2, and the promise not to fall silent: a panic is told at once, and goes on being told until somebody goes.

Owns the bounds, in calm seconds (`conditions`): how a fault may delay a text is no concern of anybody here.
"""

from alertd.model.drill import Drill
from alertd.model.ids import IncidentId
from alertd.model.incident import EscalationState, Incident, IncidentClass, IncidentState
from alertd.model.notification import Kind, Notification, NotificationRow, NotificationState
from alertd.model.reason import Reason
from alertd_simulator.checkers.checker import Checker, Scene
from alertd_simulator.checkers.covering import is_panic
from alertd_simulator.checkers.final import Final
from alertd_simulator.checkers.steps import LOOKING
from alertd_simulator.world.happenings import Attempted, Committed, Crashed, Happening, Healed, Started

SECOND_US = 1_000_000
FIRST_TEXT_S = 10.0
"""Calm seconds from the commit of a panic to the beginning of its first text. Alone it takes a hundredth of one; the
rest is for a whole school that presses while the carrier is slow."""
SILENT_S = 180.0
"""No open lockdown is silent for three minutes."""
WIDEN_S = 120.0
"""Exhausted: everyone is asked again this often."""
SLACK_S = 10.0


class FirstText(Checker):
    name = "first text"
    docs = (
        "Promise 2: nothing silences a first panic. However many vape sensors, poison events and other presses there "
        "are, the first text of a panic (and of its upgrade) begins within seconds of its commit; an audience that is "
        "empty falls back to the site's staff."
    )
    sees = (Committed, Attempted, Crashed, Started)

    def __init__(self, scene: Scene) -> None:
        super().__init__(scene)
        self._waiting: dict[IncidentId, int] = {}
        """Calm time at which its first text became due."""

    def see(self, happening: Happening) -> None:
        match happening:
            case Attempted(claim=claim) if _is_text(claim.notification):
                if claim.notification.incident_id is not None:
                    self._waiting.pop(claim.notification.incident_id, None)
            case Committed():
                for incident in happening.decision.incidents:
                    self._take_up(happening, incident)
                self._drill_over(happening.decision.drill)
            case _:
                pass
        self._look(happening.at_us)

    def _drill_over(self, drill: Drill | None) -> None:
        """Of a drill that is over nothing may be told any more, though its incident be open: a press that the engine
        could not handle stops it, and withdraws its texts."""
        for incident_id in drill.incident_ids if drill is not None and not drill.is_running else ():
            self._waiting.pop(incident_id, None)

    def _take_up(self, committed: Committed, after: Incident) -> None:
        before = self.scene.records.incidents.get(after.id)
        if not after.is_open or after.escalation is EscalationState.STOPPED:
            self._waiting.pop(after.id, None)
            return
        # Only staff assist may wait for somebody who cancels it; anything graver that does so is silenced.
        waits = after.state is IncidentState.CANCEL_WINDOW and after.incident_class is IncidentClass.STAFF_ASSIST
        begins = before is None or before.state is IncidentState.CANCEL_WINDOW
        graver = before is not None and before.incident_class is not after.incident_class
        if not is_panic(after.incident_class) or waits or not (begins or graver):
            return
        texts = [
            row
            for row in committed.decision.notifications
            if row.notification.incident_id == after.id and _is_text(row.notification)
        ]
        if any(row.state is NotificationState.QUEUED for row in texts):
            self._waiting[after.id] = self.scene.conditions.calm_us(committed.at_us)
        elif left_out := self._left_out(after, {row.notification.endpoint.key for row in texts if _excused(row)}):
            self.accuse(
                committed.at_us, f"{after.headline} ({after.id}) begins, and nobody is texted, not even {left_out}"
            )

    def _left_out(self, incident: Incident, addressed: set[str]) -> str:
        """One of the site's staff who has a phone and no row that says why it is not used; empty: nobody."""
        for person in self.scene.registry.site_staff.get(incident.site_id, ()):
            if person.endpoints and not any(endpoint.key in addressed for endpoint in person.endpoints):
                return person.name
        return ""

    def _look(self, at_us: int) -> None:
        if not self._waiting:
            return
        now_us = self.scene.conditions.calm_us(at_us)
        for incident_id, since_us in tuple(self._waiting.items()):
            if now_us - since_us > FIRST_TEXT_S * SECOND_US:
                del self._waiting[incident_id]
                incident = self.scene.records.incidents.get(incident_id)
                if incident is not None and incident.is_open:
                    self.accuse(at_us, f"{incident.headline} ({incident_id}): no text has begun after {FIRST_TEXT_S} s")

    def finish(self, final: Final, at_us: int) -> None:  # noqa: ARG002 - a checker's signature
        self._look(at_us)


def _is_text(notification: Notification) -> bool:
    """For a person: what machines and loudspeakers hear wakes nobody's phone."""
    return not notification.endpoint.dispatch and notification.kind is not Kind.PAGE


def _excused(row: NotificationRow) -> bool:
    """A phone may refuse texts, or have no number; but a channel that is said to be broken, and whatever else alertd
    only believes, is tried all the same."""
    return row.reason in (Reason.OPTED_OUT, Reason.NO_ENDPOINT, Reason.EMERGENCY_NUMBER)


class NeverSilent(Checker):
    name = "never silent"
    docs = (
        "No open lockdown is silent for three minutes while nobody has said that they go; nor is any other panic, for "
        "longer than its policy's longest step: exhausted is never an end."
    )
    sees = (Committed, Attempted, Crashed, Started, Healed)

    def __init__(self, scene: Scene) -> None:
        super().__init__(scene)
        self._spoken: dict[IncidentId, int] = {}
        """Open panics that look for somebody -> calm time of the last text."""

    def see(self, happening: Happening) -> None:
        self._look(happening.at_us)
        match happening:
            case Attempted(claim=claim) if _is_text(claim.notification):
                incident_id = claim.notification.incident_id
                if incident_id in self._spoken:
                    self._spoken[incident_id] = self.scene.conditions.calm_us(happening.at_us)
            case Committed():
                for incident in happening.decision.incidents:
                    self._take_up(happening.at_us, incident)
            case Crashed(power=True):
                self._spoken.clear()  # what the power took is put right by the next look at the disk
            case _:
                pass

    def _take_up(self, at_us: int, incident: Incident) -> None:
        looking = incident.is_open and incident.escalation in LOOKING and incident.state is IncidentState.ACTIVE
        if not looking or not is_panic(incident.incident_class):
            self._spoken.pop(incident.id, None)
        else:
            self._spoken.setdefault(incident.id, self.scene.conditions.calm_us(at_us))

    def _look(self, at_us: int) -> None:
        if not self._spoken:
            return
        now_us = self.scene.conditions.calm_us(at_us)
        for incident_id, spoken_us in tuple(self._spoken.items()):
            if now_us - spoken_us <= WIDEN_S * SECOND_US:
                continue  # nobody is impatient so soon
            incident = self.scene.records.incidents.get(incident_id)
            if incident is not None and now_us - spoken_us > self._patience_s(incident) * SECOND_US:
                self._spoken[incident_id] = now_us
                silent_s = (now_us - spoken_us) / SECOND_US
                self.accuse(at_us, f"{incident.headline} ({incident_id}) is open, and silent for {silent_s:.0f} s")

    def _patience_s(self, incident: Incident) -> float:
        policy = self.scene.registry.policies_by_hash.get(incident.policy_hash)
        longest_s = max((step.wait_s for step in policy.steps), default=0) if policy is not None else 0
        if incident.incident_class is IncidentClass.LOCKDOWN:
            return max(SILENT_S, longest_s + SLACK_S)
        return max(WIDEN_S, longest_s) + SLACK_S

    def finish(self, final: Final, at_us: int) -> None:  # noqa: ARG002 - a checker's signature
        self._look(at_us)
