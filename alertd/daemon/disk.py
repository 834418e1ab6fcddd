"""Watches whether commits reach the disk. While they do not, people are told and acknowledgements wait.

Owns: the troubles of a full or failing disk and of a damaged database, healing, and the store's hourly tidying.
"""

import asyncio

import structlog

from alertd.daemon.committer import Committer
from alertd.daemon.intake import Intake
from alertd.model.events import TroubleCleared, TroubleRaised
from alertd.model.ids import DISTRICT
from alertd.ports import Clock, Door, NotCommittedError, Store, StoreError

ROUND_S = 5.0
PRUNE_EVERY_S = 3600.0
DISK_TROUBLE = "disk:not-durable"
DAMAGE_TROUBLE = "store:damaged"
NOT_DURABLE = "the disk takes no more: alerts still go out, but records are in memory only. Free space at once"
NOT_READ = (
    "the disk takes no more and cannot be read: who was called before may not be known. Alerts still go out, but"
    " records are in memory only. Free space at once"
)

log = structlog.get_logger(__name__)


class DiskWatch:
    def __init__(self, *, store: Store, clock: Clock, committer: Committer, intake: Intake) -> None:
        self._store = store
        self._clock = clock
        self._committer = committer
        self._intake = intake
        self._told: bool | None = None
        """`None`: an earlier incarnation may have told of it."""
        self._told_damage: str | None = None
        """The file that was told of last; `None`: nothing was looked at yet."""
        self._pruned_us = clock.now().boot_us

    async def run(self, door: Door) -> None:
        while True:
            try:
                await self._look_for_damage(door)
                await asyncio.sleep(ROUND_S)
                await self.check(door)
            except (StoreError, NotCommittedError) as error:
                log.warning("disk_watch_failed", error=str(error))
                await asyncio.sleep(ROUND_S)

    async def _look_for_damage(self, door: Door) -> None:
        """At once at the start, then until somebody has moved the damaged file away."""
        aside = await self._committer.run(self._store.damaged)
        if aside == self._told_damage:
            return
        if aside:
            summary = (
                f"the database was damaged: {aside} holds what was before, a new one is in use. Restore or inspect it, "
                "then move it away."
            )
            await door.submit(TroubleRaised(site_id=DISTRICT, key=DAMAGE_TROUBLE, summary=summary, rings=True))
        else:
            await door.submit(TroubleCleared(site_id=DISTRICT, key=DAMAGE_TROUBLE))
        self._told_damage = aside

    async def check(self, door: Door) -> None:
        durable = await self._committer.run(lambda: self._store.heal(self._clock.now()))
        if durable:
            self._intake.release_withheld()
            if self._told is not False:
                log.info("store_durable")
                await door.submit(TroubleCleared(site_id=DISTRICT, key=DISK_TROUBLE))
                self._told = False
            await self._prune()
        elif not self._told:
            log.critical("store_not_durable")
            unread = await self._committer.run(self._store.unread)
            summary = f"{NOT_READ}: {unread}" if unread else NOT_DURABLE
            await door.submit(TroubleRaised(site_id=DISTRICT, key=DISK_TROUBLE, summary=summary, rings=bool(unread)))
            self._told = True

    async def _prune(self) -> None:
        now = self._clock.now()
        if now.boot_us - self._pruned_us >= PRUNE_EVERY_S * 1_000_000:
            self._pruned_us = now.boot_us
            rows = await self._committer.run(lambda: self._store.prune(now))
            log.info("pruned", rows=rows)
