"""Telemetry lane: counters and last-seen times, in memory, for status and metrics.

Must never: wait, fail, write to disk, or grow without bound. Only consequences (a trouble) go through the door.
"""

from msgspec import Struct

from alertd.model.decision import Now
from alertd.ports import Clock

SERIES_MAX = 20_000
"""Different (source, name) pairs kept; a district has a few thousand devices. More are counted as `overflow`."""
OVERFLOW = ("telemetry", "overflow")


class Series(Struct, kw_only=True):
    """One counted thing."""

    count: int = 0
    last: float = 0.0
    last_seen_us: int = 0


class Telemetry:
    """Counts. Belongs to the event loop."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._series: dict[tuple[str, str], Series] = {}

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
