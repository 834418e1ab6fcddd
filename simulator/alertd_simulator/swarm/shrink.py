"""Shrinking: the fewest deeds of a plan that still fail, by delta debugging (Zeller and Hildebrandt's ddmin).

Pure, given a predicate; knows nothing of seeds, checkers or processes. Must never return a plan that the predicate has
not seen failing, except the one that it was given.
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import TypeVar

from msgspec import Struct
from msgspec.structs import replace

from alertd_simulator.world.plan import FAULTS, Deed, Plan

T = TypeVar("T")
Fails = Callable[[Plan], bool]

RUNS_MAX = 300
"""Days that one shrinking may cost, unless told otherwise: about two minutes."""


MARGIN_S = 1.0
"""A shortened day heals so long after the moment of the failure."""


class Shrunk(Struct, frozen=True, kw_only=True):
    """`is_minimal`: nothing more can be left out on its own. Otherwise the runs were used up before."""

    plan: Plan
    runs: int
    is_minimal: bool


def shrink(plan: Plan, fails: Fails, *, failed_at_s: float | None = None, runs_max: int = RUNS_MAX) -> Shrunk:
    """The smallest plan found. `plan` is known to fail, and to have failed then.

    The day is made shorter first: every later run costs less. Faults go next: a failure without any is the easiest to
    understand. Then what people do, then their habits; and round again, since fewer presses may need fewer faults."""
    search = _Search(plan, fails, runs_max)
    try:
        if failed_at_s is not None and failed_at_s + MARGIN_S < plan.heal_at_s:
            search.heal_at(failed_at_s + MARGIN_S)
        size = None
        while size != (size := _size(search.best)):
            for part in (_FAULTS, _ACTS, _HABITS):
                search.without(part)
    except _SpentError:
        return Shrunk(plan=search.best, runs=search.runs, is_minimal=False)
    return Shrunk(plan=search.best, runs=search.runs, is_minimal=True)


def ddmin(items: Sequence[T], fails: Callable[[Sequence[T]], bool]) -> Sequence[T]:
    """A part of `items`, in their order, that still fails, though no single item of it can be left out."""
    if not items or fails(()):
        return ()
    pieces = 2
    while len(items) > 1:
        smaller = next((found for found in _parts(items, pieces) if fails(found[0])), None)
        if smaller is not None:
            items, pieces = smaller
        elif pieces >= len(items):
            break
        else:
            pieces = min(pieces * 2, len(items))
    return items


def _parts(items: Sequence[T], pieces: int) -> Iterator[tuple[Sequence[T], int]]:
    """Each piece alone, then everything without one piece; and into how many pieces to cut that next, if it fails."""
    spans = list(pairwise(len(items) * n // pieces for n in range(pieces + 1)))
    for begin, end in spans:
        yield items[begin:end], 2
    if pieces > 2:  # of two, each is the rest of the other
        for begin, end in spans:
            yield [*items[:begin], *items[end:]], pieces - 1


class _Part(Struct, frozen=True):
    """One kind of thing in a plan: how to read it, and the plan with only some of it."""

    read: Callable[[Plan], Sequence[object]]
    keep: Callable[[Plan, Sequence[object]], Plan]


def _is_fault(deed: Deed) -> bool:
    return isinstance(deed, FAULTS)


def _keep_faults(plan: Plan, kept: Sequence[object]) -> Plan:
    return _keep_deeds(plan, kept, of=_is_fault)


def _keep_acts(plan: Plan, kept: Sequence[object]) -> Plan:
    return _keep_deeds(plan, kept, of=lambda deed: not _is_fault(deed))


def _keep_deeds(plan: Plan, kept: Sequence[object], *, of: Callable[[Deed], bool]) -> Plan:
    # By identity: two equal deeds are two deeds.
    wanted = {id(deed) for deed in kept}
    return replace(plan, deeds=tuple(deed for deed in plan.deeds if not of(deed) or id(deed) in wanted))


_FAULTS = _Part(lambda plan: [deed for deed in plan.deeds if _is_fault(deed)], _keep_faults)
_ACTS = _Part(lambda plan: [deed for deed in plan.deeds if not _is_fault(deed)], _keep_acts)
_HABITS = _Part(lambda plan: plan.habits, lambda plan, kept: replace(plan, habits=tuple(kept)))


class _SpentError(Exception):
    """No run is left."""


class _Search:
    """The best plan so far, and what it cost."""

    def __init__(self, plan: Plan, fails: Fails, runs_max: int) -> None:
        self.best = plan
        self.runs = 0
        self._fails = fails
        self._runs_max = runs_max
        self._known: dict[Plan, bool] = {}

    def heal_at(self, heal_at_s: float) -> None:
        """As much time to settle as before: without it, a day would fail for another reason."""
        over_at_s = self.best.over_at_s - self.best.heal_at_s + heal_at_s
        deeds = tuple(deed for deed in self.best.deeds if deed.at_s <= over_at_s)
        shorter = replace(self.best, deeds=deeds, heal_at_s=heal_at_s, over_at_s=over_at_s)
        if self._try(shorter):
            self.best = shorter

    def without(self, part: _Part) -> None:
        whole = self.best
        ddmin(part.read(whole), lambda kept: self._try(part.keep(whole, kept)))

    def _try(self, candidate: Plan) -> bool:
        """Does it fail? If so, it is the best: ddmin only ever asks about less than what it holds."""
        if candidate not in self._known:
            if self.runs >= self._runs_max:
                raise _SpentError
            self.runs += 1
            self._known[candidate] = self._fails(candidate)
        if self._known[candidate] and _size(candidate) < _size(self.best):
            self.best = candidate
        return self._known[candidate]


def _size(plan: Plan) -> int:
    return len(plan.deeds) + len(plan.habits)
