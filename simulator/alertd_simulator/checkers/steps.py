"""Which steps of its policy an incident has begun. Owns no judgement; says what a commit shows."""

from collections.abc import Iterator

from alertd.model.incident import EscalationState, Incident, IncidentState
from alertd.model.policy import Policy
from alertd_simulator.checkers.checker import Scene

LOOKING = frozenset({EscalationState.RUNNING, EscalationState.EXHAUSTED})
"""Somebody is looked for still."""


def steps_begun(scene: Scene, after: Incident) -> Iterator[tuple[Policy, int]]:
    """The frozen policy, and the indices of its steps that begin in a commit which leaves the incident so. An incident
    that is new, or becomes another class, or was waiting to be cancelled, begins with the first."""
    policy = scene.registry.policies_by_hash.get(after.policy_hash)
    if policy is None or not after.is_open or after.escalation not in LOOKING:
        return
    if after.state is not IncidentState.ACTIVE:
        return
    before = scene.records.incidents.get(after.id)
    if before is None or before.state is IncidentState.CANCEL_WINDOW:
        first = 0
    else:
        first = before.step + 1 if before.incident_class is after.incident_class else 0
    for index in range(first, min(after.step + 1, len(policy.steps))):
        yield policy, index
