"""Telemetry lane: counters and last-seen times, in memory, for status and metrics.

Must never: wait, fail, write to disk, or grow without bound. Only consequences (a trouble) go through the door.
"""

from bisect import bisect_left
from collections.abc import Sequence
from itertools import accumulate
from typing import Protocol

from msgspec import Struct

from alertd.model.anchor import Now
from alertd.model.check_in import CheckIn
from alertd.ports import Clock

SERIES_MAX = 20_000
"""Different (source, name) pairs kept; a district has a few thousand devices. More are counted as `overflow`."""
OVERFLOW = ("telemetry", "overflow")
BOUNDS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Upper bounds of the classes of durations; whatever took longer is counted as well."""


class Series(Struct, kw_only=True):
    """One counted thing."""

    count: int = 0
    last: float = 0.0
    last_seen_us: int = 0


class Timing:
    """How long something takes: how often within each bound, and in all."""

    def __init__(self) -> None:
        self._counts = [0] * len(BOUNDS_S)
        self.count = 0
        self.sum_s = 0.0

    def took(self, seconds: float) -> None:
        self.count += 1
        self.sum_s += seconds
        place = bisect_left(BOUNDS_S, seconds)
        if place < len(BOUNDS_S):
            self._counts[place] += 1

    def cumulative(self) -> tuple[tuple[float, int], ...]:
        """For each bound, how many took no longer."""
        return tuple(zip(BOUNDS_S, accumulate(self._counts), strict=True))


class Hearer(Protocol):
    """Takes signs of life: `check_ins.CheckIns`."""

    def heard(
        self, source: str, check_ins: Sequence[CheckIn], *, retained: bool = False, qos: int | None = None
    ) -> None: ...


class Telemetry:
    """Counts, and hands signs of life on. Belongs to the event loop."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.hearer: Hearer | None = None
        self._series: dict[tuple[str, str], Series] = {}
        self.commits = Timing()
        """Batches of events, from the line to the end of their commit."""

    def observe(self, source: str, name: str, *, value: float = 1.0) -> None:
        key = (source, name)
        series = self._series.get(key)
        if series is None:
            if len(self._series) >= SERIES_MAX and key != OVERFLOW:
                self.observe(*OVERFLOW)
                return
            series = self._series[key] = Series()
        now: Now = self._clock.now()
        series.count += 1
        series.last = value
        series.last_seen_us = now.wall_us

    def check_in(
        self, source: str, check_ins: Sequence[CheckIn], *, retained: bool = False, qos: int | None = None
    ) -> None:
        """See `ports.Door.check_in`."""
        if self.hearer is not None:
            self.hearer.heard(source, check_ins, retained=retained, qos=qos)

    def count(self, source: str, name: str) -> int:
        series = self._series.get((source, name))
        return series.count if series else 0

    def snapshot(self) -> dict[str, dict[str, Series]]:
        """Source -> name -> what was counted; copies."""
        found: dict[str, dict[str, Series]] = {}
        for (source, name), series in self._series.items():
            found.setdefault(source, {})[name] = Series(
                count=series.count, last=series.last, last_seen_us=series.last_seen_us
            )
        return found
