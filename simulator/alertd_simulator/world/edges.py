"""Which edges of the life cycles a day has taken, and under which faults: the raw figures of the coverage table.

Owns the names of edges and the rule when a fault counts as their company: while it is on, and for a minute after it.
Reads the happening stream and nothing else; must not know which edges the engine permits, so that a wrong one shows up
as itself.
"""

from collections import Counter
from collections.abc import Iterator

from msgspec import Struct

from alertd.model.decision import Decision
from alertd.model.ids import IncidentId
from alertd.model.incident import EscalationState, Incident
from alertd_simulator.world.happenings import (
    Committed,
    Crashed,
    FaultBegan,
    FaultEnded,
    Happening,
    Healed,
    Moved,
)
from alertd_simulator.world.plan import FAULTS, Crash

AFTERMATH_US = 60_000_000
"""So long after its end a fault still counts: what it broke is mended in that time."""
CALM = "calm"
"""Row of the table for edges that were taken while no fault was about."""
BETWEEN = " × "
"""Stands between fault and edge in the keys of `Verdict.edges`."""


def tag_of(kind: type[Struct]) -> str:
    """The name of a kind of deed in plans, happenings and tables."""
    tag = kind.__struct_config__.tag
    assert isinstance(tag, str), f"{kind.__name__} has no tag"
    return tag


INSTANT = frozenset(tag_of(fault) for fault in FAULTS if not hasattr(fault, "lasts_s"))
"""These are over as soon as they have begun."""
CRASH = tag_of(Crash)


class EdgeCounter:
    """Shown every happening of a day, in order."""

    def __init__(self) -> None:
        self._pairs: Counter[str] = Counter()
        self._on: Counter[str] = Counter()
        self._until_us: dict[str, int] = {}
        self._standing: dict[IncidentId, Incident | None] = {}
        self._fleeting: set[IncidentId] = set()

    def see(self, happening: Happening) -> None:
        """Count what this happening is an edge of, or note that a fault came or went."""
        match happening:
            case Moved(at_us=at_us, before=before, after=after):
                self._take(at_us, f"notification {before or 'new'}->{after}")
            case Committed():
                self._see_decision(happening.at_us, happening.decision, durable=happening.durable)
            case Crashed(power=True):
                self._linger(CRASH, happening.at_us)
                self._forget_the_fleeting()
            case Crashed():
                self._linger(CRASH, happening.at_us)
            case FaultBegan() | FaultEnded() | Healed():
                self._see_fault(happening)
            case _:
                pass

    def pairs(self) -> dict[str, int]:
        """How often each "fault × edge" was taken, sorted by name."""
        return dict(sorted(self._pairs.items()))

    def _see_fault(self, happening: FaultBegan | FaultEnded | Healed) -> None:
        match happening:
            case FaultBegan(fault=fault) if fault in INSTANT:
                # A crash may be told when it is only armed: `Crashed` says when it comes.
                if fault != CRASH:
                    self._linger(fault, happening.at_us)
            case FaultBegan(fault=fault):
                self._on[fault] += 1
            case FaultEnded(fault=fault):
                self._on[fault] = max(0, self._on[fault] - 1)
                self._linger(fault, happening.at_us)
            case Healed():
                for fault in +self._on:
                    self._linger(fault, happening.at_us)
                self._on.clear()

    def _linger(self, fault: str, from_us: int) -> None:
        self._until_us[fault] = from_us + AFTERMATH_US

    def _take(self, at_us: int, edge: str) -> None:
        company = {fault for fault, open_ones in self._on.items() if open_ones}
        company |= {fault for fault, until_us in self._until_us.items() if at_us <= until_us}
        self._pairs.update(f"{fault}{BETWEEN}{edge}" for fault in company or {CALM})

    def _see_decision(self, at_us: int, decision: Decision, *, durable: bool) -> None:
        for incident in decision.incidents:
            if incident.id not in self._standing:
                self._count(at_us, edges_between(None, incident))
            elif (before := self._standing[incident.id]) is not None:
                self._count(at_us, edges_between(before, incident))
            self._standing[incident.id] = incident
            (self._fleeting.discard if durable else self._fleeting.add)(incident.id)

    def _count(self, at_us: int, edges: Iterator[str]) -> None:
        for edge in edges:
            self._take(at_us, edge)

    def _forget_the_fleeting(self) -> None:
        """What memory held is gone with the power: how these incidents stand now, only the next commit tells."""
        for incident_id in self._fleeting:
            self._standing[incident_id] = None
        self._fleeting.clear()


def edges_between(before: Incident | None, after: Incident) -> Iterator[str]:
    """The edges that lead from one version of an incident to the next, by name."""
    if before is None:
        yield f"incident new->{after.state}"
        yield f"escalation new->{after.escalation}"
    else:
        if before.state is not after.state:
            yield f"incident {before.state}->{after.state}"
        yield from _escalation_edges(before, after)
    known = {} if before is None else {one.destination_id: one.state for one in before.dispatch}
    for status in after.dispatch:
        if known.get(status.destination_id) is not status.state:
            yield f"dispatch {known.get(status.destination_id, 'new')}->{status.state}"


def _escalation_edges(before: Incident, after: Incident) -> Iterator[str]:
    if before.escalation is not after.escalation:
        yield f"escalation {before.escalation}->{after.escalation}"
    elif after.generation > before.generation:
        yield f"escalation {after.escalation} anew"
    elif after.escalation is EscalationState.RUNNING and after.step > before.step:
        yield "escalation next step"
    elif after.escalation is EscalationState.EXHAUSTED and after.round > before.round:
        yield "escalation wider"
