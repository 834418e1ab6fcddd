"""Which edges of the life cycles a day has taken, and under which faults: the raw figures of the coverage table.

Owns the names of edges and the rule when a fault counts as their company: while it is on, and for a minute after it.
What is no fault and breaks things all the same keeps company, too: a reload, a storm of sensor reports, the hour in
which clocks change. Reads the happening stream and the plan; must not know which edges the engine permits, so that a
wrong one shows up as itself.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

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
    Reloaded,
)
from alertd_simulator.world.plan import FAULTS, Crash, Plan, SensorReport

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


RELOAD, STORM, CLOCKS_CHANGE = "reload", "storm", "clocks_change"
"""Rows for what is no fault."""
STORM_LEAST = 20
"""Reports in a row that make a storm."""


class Company(Struct, frozen=True, kw_only=True):
    """What is known before the day begins to keep company, from when until when in true time."""

    name: str
    from_us: int
    until_us: int


def company_of(plan: Plan, time_zones: Iterable[str]) -> Iterator[Company]:
    """Storms of sensor reports, and the minute around each moment at which clocks change."""
    for deed in plan.deeds:
        if isinstance(deed, SensorReport) and deed.times >= STORM_LEAST:
            over_s = deed.at_s + deed.times * deed.every_s
            yield Company(name=STORM, from_us=round(deed.at_s * 1e6), until_us=round(over_s * 1e6) + AFTERMATH_US)
    begins = datetime.fromisoformat(plan.begins).astimezone(UTC)
    for zone in sorted(set(time_zones)):
        for minute in range(round(plan.over_at_s / 60)):
            now, soon = (begins + timedelta(minutes=each) for each in (minute, minute + 1))
            if now.astimezone(ZoneInfo(zone)).utcoffset() != soon.astimezone(ZoneInfo(zone)).utcoffset():
                at_us = minute * 60_000_000
                yield Company(name=CLOCKS_CHANGE, from_us=at_us, until_us=at_us + AFTERMATH_US * 2)


INSTANT = frozenset(tag_of(fault) for fault in FAULTS if not hasattr(fault, "lasts_s"))
"""These are over as soon as they have begun."""
CRASH = tag_of(Crash)


class EdgeCounter:
    """Shown every happening of the kinds that it `sees`, in order."""

    sees = frozenset({Moved, Committed, Crashed, FaultBegan, FaultEnded, Healed, Reloaded})

    def __init__(self, company: Iterable[Company] = ()) -> None:
        self._company = tuple(company)
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
            case Reloaded():
                self._linger(RELOAD, happening.at_us)
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
        company |= {known.name for known in self._company if known.from_us <= at_us <= known.until_us}
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
