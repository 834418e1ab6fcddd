"""`Mutant`: one way to break alertd, as a change of its source text, and who must notice.

Owns the vocabulary. Must know nothing of how a mutant is tried out (`trial`).
"""

from dataclasses import dataclass

from alertd_simulator.world.plan import Deed

SEEDS_MAX = 60
"""So many days may pass before a mutant counts as not caught."""


@dataclass(frozen=True, kw_only=True)
class Edit:
    """`old` must stand in the file exactly once."""

    file: str
    old: str
    new: str


@dataclass(frozen=True, kw_only=True)
class Tests:
    """Quick tests must fail; the rest of `make quick` is left out to be fast."""

    paths: tuple[str, ...]
    names: str
    """What an assertion message must say, in so many words."""


@dataclass(frozen=True, kw_only=True)
class Story:
    """This file of tests/scenarios must not go as told."""

    name: str
    trips: tuple[str, ...] = ()
    """Checkers that must complain; none: whoever complains will do."""


@dataclass(frozen=True, kw_only=True)
class Seeds:
    """Days of the swarm, from seed 1 upwards, until one fails that the intact tree passes."""

    trips: tuple[str, ...] = ()
    """Checkers that must complain, one of them at least; none: whoever complains will do."""
    needs: tuple[str, ...] = ()
    """Tags of deeds ("disk_full", "poison:decide"), one of which the mutant cannot show itself without. Days that have
    none are counted, and not lived: it is quicker."""
    plus: tuple[Deed, ...] = ()
    """Faults that come to each day: for what takes two that seldom meet. None: the stated day as it is."""
    limit: int = SEEDS_MAX


By = Tests | Story | Seeds


@dataclass(frozen=True, kw_only=True)
class Mutant:
    name: str
    edits: tuple[Edit, ...]
    by: By
    cheap: bool = False
    """Caught within seconds: `--sample`, and so the tests, try it each time."""
    stands_for: str = ""
    """Of the sabotages that issue 3 lists, where the name does not say it; and what it cannot be yet."""

    @property
    def trips(self) -> tuple[str, ...]:
        return () if isinstance(self.by, Tests) else self.by.trips


@dataclass(frozen=True, kw_only=True)
class Day:
    """What one day, or story, showed: the first complaint of each checker."""

    name: str
    complaints: dict[str, str]
    """Checker -> message. "crash": the simulation broke down; "story": it did not go as told."""


@dataclass(frozen=True, kw_only=True)
class Result:
    """`wrong` is empty if the mutant was caught."""

    mutant: Mutant
    wrong: str = ""
    caught_by: str = ""
    where: str = ""
    """The test, the story, or the seed."""
    days: int = 0
    """Seeds that were needed."""
    lived: int = 0
    """Of them, those that were not left out."""
    message: str = ""
    tripped: tuple[str, ...] = ()
    """Every checker that complained on the day that caught it."""
    seconds: float = 0.0
