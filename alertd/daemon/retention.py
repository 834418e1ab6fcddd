"""Finds the incidents of sensors whose personal detail has been kept for long enough, and hands them to the door.

Owns when that is looked at. Must never: erase anything itself, hold up the writer (it reads beside it, in pages, and
submits a few at a time), or decide what may be erased: `engine.retention` does.
"""

import asyncio
from typing import NamedTuple

import structlog

from alertd.model.anchor import Now
from alertd.model.events import RetentionDue
from alertd.model.ids import CauseId, IncidentId, derive
from alertd.model.incident import is_panic
from alertd.ports import Clock, Door, NotCommittedError, Store, StoreError

FIRST_S = 600.0
"""After the start: presses come first, and a daemon that is started again and again need not tidy up each time."""
EVERY_S = 6 * 3600.0
PAGE = 500
"""Incidents read at once."""
AT_ONCE = 50
"""Incidents of one event: a short commit."""
DAY_US = 24 * 3600 * 1_000_000

BELIEVED_US = 7 * DAY_US
"""A clock that leapt forward has to stand so for so long before anything is erased by it."""

log = structlog.get_logger(__name__)


class Leap(NamedTuple):
    """A clock that was set forward by a day or more."""

    ahead_us: int
    """Of boot time."""
    at_boot_us: int


class Retention:
    def __init__(self, *, store: Store, clock: Clock, days: int) -> None:
        self._store = store
        self._clock = clock
        self._days = days
        now = clock.now()
        self._ahead_us = now.wall_us - now.boot_us
        """By so much the clock that is believed is ahead of boot time."""
        self._leapt: Leap | None = None

    async def run(self, door: Door) -> None:
        """Ends never."""
        await asyncio.sleep(FIRST_S)
        while True:
            try:
                await self.look(door)
            except (StoreError, NotCommittedError) as error:
                log.warning("retention_failed", error=str(error))  # asked for again
            await asyncio.sleep(EVERY_S)

    async def look(self, door: Door) -> int:
        """Number of incidents handed over. Raises `StoreError` or `NotCommittedError`."""
        now = self._clock.now()
        kept_us = self._days * DAY_US
        before_us, before_boot_us = self._believed_us(now) - kept_us, now.boot_us - kept_us
        after, found = IncidentId(""), 0
        while page := await asyncio.to_thread(self._store.read_closed, before_us=before_us, after=after, limit=PAGE):
            after = page[-1].id
            due = [i for i in page if i.erased_us is None and not is_panic(i.incident_class)]
            found += len(due)
            for site_id in dict.fromkeys(incident.site_id for incident in due):
                of_site = tuple(incident for incident in due if incident.site_id == site_id)
                for start in range(0, len(of_site), AT_ONCE):
                    some = of_site[start : start + AT_ONCE]
                    cause = CauseId(derive("retention", site_id, *(incident.id for incident in some)))
                    await door.submit(
                        RetentionDue(
                            site_id=site_id,
                            cause=cause,
                            incidents=some,
                            before_us=before_us,
                            before_boot_us=before_boot_us,
                        )
                    )
        return found

    def _believed_us(self, now: Now) -> int:
        """The time by a clock that has not leapt: what is erased by mistake never comes back. One that was set forward
        by a day or more is believed once it has stood so for a week: a wrong one is noticed by then."""
        ahead_us = now.wall_us - now.boot_us
        if ahead_us - self._ahead_us < DAY_US:
            self._ahead_us, self._leapt = ahead_us, None
        elif self._leapt is None or abs(ahead_us - self._leapt.ahead_us) >= DAY_US:
            self._leapt = Leap(ahead_us=ahead_us, at_boot_us=now.boot_us)
        elif now.boot_us - self._leapt.at_boot_us >= BELIEVED_US:
            self._ahead_us, self._leapt = ahead_us, None
        return now.boot_us + self._ahead_us
