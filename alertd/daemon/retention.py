"""Finds the incidents of sensors whose personal detail has been kept for long enough, and hands them to the door.

Owns when that is looked at. Must never: erase anything itself, hold up the writer (it reads beside it, in pages, and
submits a few at a time), or decide what may be erased: `engine.retention` does.
"""

import asyncio

import structlog

from alertd.model.events import RetentionDue
from alertd.model.ids import CauseId, IncidentId, SiteId, derive
from alertd.model.incident import Incident, is_panic
from alertd.ports import Clock, Door, NotCommittedError, Store, StoreError

FIRST_S = 600.0
"""After the start: presses come first, and a daemon that is started again and again need not tidy up each time."""
EVERY_S = 6 * 3600.0
PAGE = 500
"""Incidents read at once."""
AT_ONCE = 50
"""Incidents of one event: a short commit."""
DAY_US = 24 * 3600 * 1_000_000

log = structlog.get_logger(__name__)


class Retention:
    def __init__(self, *, store: Store, clock: Clock, days: int) -> None:
        self._store = store
        self._clock = clock
        self._days = days

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
        before_us = self._clock.now().wall_us - self._days * DAY_US
        after, found = IncidentId(""), 0
        while page := await asyncio.to_thread(self._store.read_closed, before_us=before_us, after=after, limit=PAGE):
            after = page[-1].id
            due = [i for i in page if i.erased_us is None and not is_panic(i.incident_class)]
            found += len(due)
            for site_id in dict.fromkeys(incident.site_id for incident in due):
                await self._submit(door, site_id, [i for i in due if i.site_id == site_id], before_us)
        return found

    async def _submit(self, door: Door, site_id: SiteId, due: list[Incident], before_us: int) -> None:
        for start in range(0, len(due), AT_ONCE):
            some = tuple(due[start : start + AT_ONCE])
            cause = CauseId(derive("retention", site_id, *(incident.id for incident in some)))
            await door.submit(RetentionDue(site_id=site_id, cause=cause, incidents=some, before_us=before_us))
