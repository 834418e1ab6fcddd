"""Whom a policy names is asked: all of a step when it begins; and once everything has healed, every panic has reached
somebody who goes, or everybody was asked, and the asking goes on.

Owns the bounds, from the frozen policy alone (`audiences`). Must not ask the engine what it meant to do.
"""

from alertd.model.incident import AnswerKind, EscalationState, Incident, IncidentState
from alertd.model.notification import Kind
from alertd.model.policy import Policy
from alertd_simulator.checkers.audiences import WIDEN_S, centers_meant, people_meant, steps_over_s
from alertd_simulator.checkers.checker import Checker, Consequence, Scene
from alertd_simulator.checkers.covering import is_panic
from alertd_simulator.checkers.final import Final
from alertd_simulator.checkers.steps import LOOKING, steps_begun
from alertd_simulator.world.happenings import Attempted, Committed, Happening, Reloaded

SECOND_US = 1_000_000
SLACK_S = 30.0
"""For commits, recovery after the last crash and the carrier's pace."""
DECIDED_US = 60 * SECOND_US
"""A commit was decided so long ago at most: what was reloaded, or what the clock was set to, since then may be new to
it."""


class WholeStep(Checker):
    name = "whole step"
    docs = (
        "Req 6: a step tells everybody whom it names, people and dispatch centres, in the commit with which it begins; "
        "no channel waits for another, and no step that names somebody is passed over."
    )
    sees = (Consequence, Reloaded)

    def __init__(self, scene: Scene) -> None:
        super().__init__(scene)
        self._known_us = dict.fromkeys(scene.registry.people, -DECIDED_US)
        """Since when the configuration has them."""

    def see(self, happening: Happening) -> None:
        match happening:
            case Committed():
                for incident in happening.decision.incidents:
                    for policy, index in steps_begun(self.scene, incident):
                        self._step(happening, incident, policy, index)
            case Reloaded():
                for person_id in self.scene.registry.people:
                    self._known_us.setdefault(person_id, happening.at_us)
            case _:
                pass

    def _step(self, committed: Committed, incident: Incident, policy: Policy, index: int) -> None:
        registry, conditions, at_us = self.scene.registry, self.scene.conditions, committed.at_us
        step = policy.steps[index]
        what = f"{incident.headline} ({incident.id}), step {index + 1} begins"
        rows = [r.notification for r in committed.decision.notifications if r.notification.incident_id == incident.id]
        asked = {row.endpoint.key for row in rows if row.step == index}
        told = {row.notification.endpoint.key for row in self.scene.records.rows_of.get(incident.id, ())} | asked
        wall_us = conditions.wall_us(at_us)
        if at_us - conditions.last_step_us > DECIDED_US:
            for person in people_meant(registry, incident.site_id, step, (wall_us - DECIDED_US, wall_us)):
                known = at_us - self._known_us.get(person.id, at_us) >= DECIDED_US
                if known and person.endpoints and not any(endpoint.key in asked for endpoint in person.endpoints):
                    self.accuse(at_us, f"{what}, and {person.name} is not asked")
        for center in centers_meant(registry, incident.site_id, step) if incident.dispatch_hold is None else ():
            if center.endpoint.key not in told:
                self.accuse(at_us, f"{what}, and {center.id} is not told")


class EverybodyWasAsked(Checker):
    name = "everybody was asked"
    docs = (
        "Liveness: at the end of the day each panic has a sufficient answer, or was ended by a named human, or every "
        "person and centre of every step whose time has come has a row that says what became of it, with an attempt or "
        "a reason, and the widening goes on every two minutes."
    )
    sees = (Consequence, Attempted, Reloaded)

    def __init__(self, scene: Scene) -> None:
        super().__init__(scene)
        self._since_us: dict[str, int] = {}
        """Since when nothing has restarted an incident's escalation."""
        self._called_us: dict[str, int] = {}
        """When a text last left for it."""
        self._reloaded = False

    def see(self, happening: Happening) -> None:
        match happening:
            case Committed():
                for incident in happening.decision.incidents:
                    self._note(happening.at_us, incident)
            case Attempted(claim=claim) if claim.notification.incident_id and not claim.notification.endpoint.dispatch:
                if claim.notification.kind not in (Kind.ANSWER, Kind.PAGE):
                    self._called_us[claim.notification.incident_id] = happening.at_us
            case Reloaded():
                self._reloaded = True
            case _:
                pass

    def _note(self, at_us: int, after: Incident) -> None:
        before = self.scene.records.incidents.get(after.id)
        anew = (
            before is None
            or before.generation != after.generation
            or before.state is not after.state
            or (before.escalation not in LOOKING and after.escalation in LOOKING)
            or (before.escalation in LOOKING and after.escalation is EscalationState.PAUSED)
        )
        if anew:
            self._since_us[after.id] = at_us

    def finish(self, final: Final, at_us: int) -> None:
        healed_us = self.scene.conditions.healed_us
        for incident in final.incidents:
            if healed_us is None or not is_panic(incident.incident_class) or not incident.is_open:
                continue
            policy = self.scene.registry.policies_by_hash.get(incident.policy_hash)
            looked_s = (at_us - max(healed_us, self._since_us.get(incident.id, 0))) / SECOND_US - SLACK_S
            if policy is None or looked_s < 0:
                continue
            if incident.escalation is EscalationState.PAUSED:
                self._paused(incident, policy, looked_s, at_us)
            elif incident.escalation in LOOKING and incident.state is IncidentState.ACTIVE:
                self._looking(incident, policy, looked_s, at_us)

    def _paused(self, incident: Incident, policy: Policy, looked_s: float, at_us: int) -> None:
        """Somebody goes: they arrive, or their word lapses."""
        since = incident.answers[incident.counted_from :]
        arrived = any(a.kind is AnswerKind.ARRIVED and a.covers >= len(incident.presses) for a in since)
        if not arrived and incident.state is IncidentState.ACTIVE and looked_s > policy.arrive_within_s + SLACK_S:
            self.accuse(at_us, f"{incident.headline} ({incident.id}): nobody has arrived, and nobody looks for others")

    def _looking(self, incident: Incident, policy: Policy, looked_s: float, at_us: int) -> None:
        due_s = 0.0
        for index, step in enumerate(policy.steps):
            if looked_s < due_s:
                break
            self._step(incident, policy, index, at_us)
            due_s += step.wait_s
        if looked_s > steps_over_s(policy) + SLACK_S and incident.escalation is not EscalationState.EXHAUSTED:
            self.accuse(at_us, f"{incident.headline} ({incident.id}): every step is over, and nothing widens")
        silent_s = (at_us - self._called_us.get(incident.id, 0)) / SECOND_US
        longest_s = max([WIDEN_S, *(float(step.wait_s) for step in policy.steps)])
        if looked_s > longest_s and silent_s > longest_s + SLACK_S:
            self.accuse(
                at_us, f"{incident.headline} ({incident.id}): nobody was called for {silent_s:.0f} s at the end"
            )

    def _step(self, incident: Incident, policy: Policy, index: int, at_us: int) -> None:
        registry, records = self.scene.registry, self.scene.records
        step = policy.steps[index]
        keys = {row.notification.endpoint.key for row in records.rows_of.get(incident.id, ())}
        wall_us = self.scene.conditions.wall_us(at_us)
        opened_us = self.scene.records.seen[incident.id].opened_us if incident.id in records.seen else at_us
        stretch = (min(incident.opened_us, wall_us - (at_us - opened_us)), wall_us)
        what = f"{incident.headline} ({incident.id}), step {index + 1}"
        for person in people_meant(registry, incident.site_id, step, stretch):
            if person.id in self.scene.newcomers:
                continue
            if person.endpoints and not any(endpoint.key in keys for endpoint in person.endpoints):
                self.accuse(at_us, f"{what}: {person.name} was never asked, and nothing says why")
        if incident.dispatch_hold is not None:
            return
        for center in centers_meant(registry, incident.site_id, step):
            if center.endpoint.key not in keys:
                self.accuse(at_us, f"{what}: {center.id} was never told, and nothing says why")
