"""Coverage: which life-cycle edge was taken in the company of which fault, on how many days; and which must be.

Owns `coverage.txt`, the checked-in list of pairs, and when it may be held against a run. Must not print.
"""

import math
from collections import Counter
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path

from msgspec import Struct

from alertd_simulator.world.edges import BETWEEN

SEEDS_MIN = 200
"""A run of at least so many days must take every listed pair."""
MISSED_MAX = 1e-7
"""A pair is listed only if a run of `SEEDS_MIN` days misses it less often than this by bad luck alone."""
COLUMN = "  "

HEAD = f"""\
# Fault and life-cycle edge: each pair was taken on many of the days of a long run, while the fault was on or within a
# minute after it. A run of {SEEDS_MIN} days or more fails if it never takes a pair that is listed here.
# Written by: alertd simulate --seeds 300 --write-coverage
seeds: {SEEDS_MIN}
"""

Pair = tuple[str, str]
"""Fault, edge."""


class Expected(Struct, frozen=True, kw_only=True):
    seeds: int
    """Held against runs of so many days or more."""
    pairs: frozenset[Pair]


class Coverage:
    """What the days of a run have taken. Counts days, not times: a storm takes one edge a thousand times."""

    def __init__(self) -> None:
        self.days = 0
        self.taken: Counter[Pair] = Counter()

    def add(self, edges: Mapping[str, int]) -> None:
        """One day's `Verdict.edges`."""
        self.days += 1
        for key, times in edges.items():
            fault, _, edge = key.partition(BETWEEN)
            self.taken[fault, edge] += times > 0

    def missing(self, expected: Expected) -> list[Pair]:
        return sorted(pair for pair in expected.pairs if not self.taken[pair])

    def dependable(self) -> set[Pair]:
        """Pairs taken on so many days that a short run will hardly miss them, also if these days were lucky ones: two
        standard deviations more than it takes."""
        share = 1 - MISSED_MAX ** (1 / SEEDS_MIN)
        least = math.ceil(self.days * share + 2 * math.sqrt(self.days * share * (1 - share)))
        return {pair for pair, days in self.taken.items() if days >= least}


class CoverageFileError(Exception):
    """The list cannot be read. The message says where and why."""


def shipped() -> Path:
    """The list that came with the simulator."""
    return Path(str(files("alertd_simulator.swarm") / "coverage.txt"))


def read_expected(path: Path) -> Expected:
    """Raises `CoverageFileError`."""
    seeds = None
    pairs = set()
    for number, line in enumerate(path.read_text().splitlines(), 1):
        words = line.split(COLUMN)
        match words:
            case [comment] if not comment or comment.startswith("#"):
                continue
            case [head] if head.startswith("seeds: ") and head[7:].isdecimal():
                seeds = int(head[7:])
            case [fault, edge]:
                pairs.add((fault, edge))
            case _:
                raise CoverageFileError(f'{path}:{number}: neither "seeds: N" nor "fault  edge": {line}')
    if seeds is None:
        raise CoverageFileError(f'{path}: no line "seeds: N" says which runs it is for')
    return Expected(seeds=seeds, pairs=frozenset(pairs))


def write_expected(path: Path, pairs: set[Pair]) -> None:
    path.write_text(HEAD + "".join(f"{fault}{COLUMN}{edge}\n" for fault, edge in sorted(pairs)))
