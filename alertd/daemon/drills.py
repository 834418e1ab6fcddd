"""Finds the drills that ran when the daemon was last alive, and says so through the door (req 77: never silently).

Owns: that each start is told once. Must never: decide whether a drill goes on; the engine does.
"""

import asyncio
from collections.abc import Mapping

import structlog

from alertd.model.events import DrillFound
from alertd.model.ids import CauseId, DrillId, SiteId, derive
from alertd.ports import Door, NotCommittedError

AGAIN_S = 1.0
"""After a commit that failed."""

BACKLOG_S = 3.0
"""What waited at the broker comes first: a real press among it ends the drill, and nobody may read just before that it
goes on."""

log = structlog.get_logger(__name__)


class DrillsFound:
    """`running`: what the store held at the start, at `started_us`, before anything was committed. `owner`: this
    incarnation, so that each start is told once."""

    def __init__(self, *, running: Mapping[SiteId, DrillId], owner: str, started_us: int) -> None:
        self._running = running
        self._owner = owner
        self._started_us = started_us

    async def run(self, door: Door) -> None:
        await asyncio.sleep(BACKLOG_S if self._running else 0)
        while True:
            if await self._told(door):
                await asyncio.Event().wait()
            await asyncio.sleep(AGAIN_S)

    async def _told(self, door: Door) -> bool:
        try:
            for site_id, drill_id in self._running.items():
                cause = CauseId(derive("drill-found", drill_id, self._owner))
                await door.submit(
                    DrillFound(site_id=site_id, cause=cause, drill_id=drill_id, started_us=self._started_us)
                )
        except NotCommittedError as error:
            log.warning("drills_not_told", error=str(error))
            return False
        return True
