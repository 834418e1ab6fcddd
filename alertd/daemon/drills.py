"""Finds the drills that ran when the daemon was last alive, and says so through the door (req 77: never silently);
and ends those that a new configuration would make real at another school.

Owns: that each start is told once. Must never: decide whether a drill goes on; the engine does.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence

import structlog

from alertd.engine.drills import why_over
from alertd.model.drill import Drill
from alertd.model.events import DrillEndOrdered, DrillFound
from alertd.model.ids import CauseId, DrillId, SiteId, derive
from alertd.model.registry import Registry
from alertd.ports import Door, NotCommittedError, StoreError

AGAIN_S = 1.0
"""After a commit that failed."""
TRIES = 5
"""At ending drills: no reload, and no start, waits for a disk for longer than that."""

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


async def end_unfit(door: Door, running: Callable[[], Awaitable[Sequence[Drill]]], registry: Registry) -> None:
    """End the drills that cannot go on with this registry, before anything is taken up by it (promise 3)."""
    for _ in range(TRIES):
        try:
            for drill in await running():
                if why := why_over(registry, drill):
                    cause = CauseId(derive("drill-unfit", drill.id))
                    await door.submit(DrillEndOrdered(site_id=drill.site_id, cause=cause, by=f"alertd: {why}"))
        except (NotCommittedError, StoreError) as error:
            log.warning("drills_not_ended", error=str(error))
            await asyncio.sleep(AGAIN_S)
        else:
            return
