"""What many rehearsed days say together: pure, from the days' figures.

Owns quantiles of "it may not happen at all", the comparison of a day with the same day short of one part, and the
judgement whether the difference matters. A day on which something did not happen counts as later than any other: a
median is "not" when it did not happen on half of the days.
"""

from collections.abc import Iterable, Sequence
from enum import IntEnum
from math import ceil, inf

from msgspec import Struct

from alertd_simulator.rehearsal.measures import Measured
from alertd_simulator.rehearsal.parts import Part

SLOWER_S = 10.0
"""Less is noise of the draw, and nobody would change a policy for it."""
SLOWER_BY = 0.25
"""And at least so much more than before."""
FEW = 0.10
"""A part on which a smaller share of the days hangs is luck of the draw, unless it leaves everybody in the dark."""


class Spread(Struct, frozen=True, kw_only=True):
    """Of one figure over all days; `None` where it did not happen."""

    p50_s: float | None
    p95_s: float | None
    worst_s: float | None
    happened: int
    days: int


def spread(values: Sequence[float | None]) -> Spread:
    """Nearest rank: every figure is one that really occurred."""
    ranked = sorted(inf if value is None else value for value in values)
    return Spread(
        p50_s=_rank(ranked, 0.50),
        p95_s=_rank(ranked, 0.95),
        worst_s=_rank(ranked, 1.0),
        happened=sum(value is not None for value in values),
        days=len(values),
    )


def _rank(ranked: Sequence[float], share: float) -> float | None:
    if not ranked:
        return None
    value = ranked[max(ceil(share * len(ranked)), 1) - 1]
    return None if value == inf else value


class Weight(IntEnum):
    """How bad it is to be without a part, the worst first."""

    NOBODY_TOLD = 0
    DISPATCH_NOT_TOLD = 1
    NOT_ANSWERED = 2
    """Days that were answered no longer are."""
    TOLD_LATER = 3
    ANSWERED_LATER = 4


IN_THE_DARK = frozenset({Weight.NOBODY_TOLD, Weight.DISPATCH_NOT_TOLD})
HARM = {Weight.NOBODY_TOLD: 100.0, Weight.DISPATCH_NOT_TOLD: 60.0, Weight.NOT_ANSWERED: 30.0}
"""Points of harm on each day on which it happens, for putting findings in order."""
HARM_A_MINUTE = {Weight.TOLD_LATER: 10.0, Weight.ANSWERED_LATER: 3.0}
LATENESS_HARM_MOST = 50.0
"""To be told five minutes later is nearly as bad as not to be told."""


class Hang(Struct, frozen=True, kw_only=True):
    """What changes without one part, over the days that were tried with and without it."""

    part: Part
    weight: Weight
    days: int
    """Days of the rehearsal on which it makes the difference that `weight` names."""
    of_days: int
    told_before: Spread
    told_after: Spread
    answered_before: Spread
    answered_after: Spread
    not_told: tuple[str, ...]
    """Destinations that heard of it before, and no longer do,"""
    still_told: tuple[str, ...]
    """and those that do."""

    @property
    def harm(self) -> float:
        """How bad × on how many of the days: points, the more the worse."""
        return _harm_a_day(self) * self.days / self.of_days


def hang(part: Part, before: Sequence[Measured], after: Sequence[Measured]) -> Hang | None:
    """Compare the same days, in the same order; `None` if the part makes no difference worth telling."""
    assert len(before) == len(after), "every day has its twin"
    pairs = list(zip(before, after, strict=True))
    counted = [(weight, sum(weight in _differences(b, a) for b, a in pairs)) for weight in Weight]
    found = [(w, count) for w, count in counted if count and (w in IN_THE_DARK or count >= FEW * len(pairs))]
    if not found:
        return None
    weight, count = found[0]
    heard, hear = _destinations(before), _destinations(after)
    return Hang(
        part=part,
        weight=weight,
        days=count,
        of_days=len(pairs),
        told_before=spread([b.told_s for b in before]),
        told_after=spread([a.told_s for a in after]),
        answered_before=spread([b.answered_s for b in before]),
        answered_after=spread([a.answered_s for a in after]),
        not_told=tuple(sorted(heard - hear)),
        still_told=tuple(sorted(hear)),
    )


def _harm_a_day(found: Hang) -> float:
    if found.weight in HARM:
        return HARM[found.weight]
    told = found.weight is Weight.TOLD_LATER
    before, after = (found.told_before, found.told_after) if told else (found.answered_before, found.answered_after)
    later_s = max(_later_s(before.p50_s, after.p50_s), _later_s(before.p95_s, after.p95_s))
    return min(LATENESS_HARM_MOST, later_s / 60 * HARM_A_MINUTE[found.weight])


def _later_s(before: float | None, after: float | None) -> float:
    """What no longer happens within a day is an hour later, and so the worst there is."""
    if before is None:
        return 0.0
    return 3_600.0 if after is None else max(0.0, after - before)


def _destinations(measured: Sequence[Measured]) -> set[str]:
    return {name for each in measured for name in each.dispatch_s}


def _differences(before: Measured, after: Measured) -> Iterable[Weight]:
    """Everything that one day loses."""
    if before.told_s is not None and after.told_s is None:
        yield Weight.NOBODY_TOLD
    if before.dispatch_s.keys() - after.dispatch_s.keys():
        yield Weight.DISPATCH_NOT_TOLD
    if before.answered_s is not None and after.answered_s is None:
        yield Weight.NOT_ANSWERED
    if is_later(before.told_s, after.told_s):
        yield Weight.TOLD_LATER
    if is_later(before.answered_s, after.answered_s):
        yield Weight.ANSWERED_LATER


def is_later(before: float | None, after: float | None) -> bool:
    """By so much that somebody would change a policy for it. What no longer happens is not later: it is lost."""
    return before is not None and after is not None and after - before >= max(SLOWER_S, SLOWER_BY * before)


def counts_on(measured: Measured, person_id: str) -> bool:
    """May this day go otherwise without the person: did their phone ring before any other, or did they answer in time?

    Whoever only receives a text, or answers when another has, changes nothing by missing it: no need to try again."""
    is_first = bool(measured.rings) and measured.rings[0].person_id == person_id
    return is_first or person_id in measured.answered_by
