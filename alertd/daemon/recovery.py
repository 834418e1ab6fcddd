"""Brings back what a dead owner held: attempts whose outcome nobody will report any more.

Owns: noticing them, at the start and then every few seconds. Must never: guess. An abandoned attempt is *unknown*;
the engine decides whether the provider is asked or the message is sent again.
"""

import asyncio

import structlog

from alertd.daemon.committer import Committer
from alertd.daemon.dispatch import Dispatch
from alertd.model.events import OutcomeReported, TroubleCleared, TroubleRaised
from alertd.model.ids import DISTRICT, SiteId
from alertd.model.notification import NotificationRow, NotificationState
from alertd.model.outcome import Unknown
from alertd.ports import Clock, Door, NotCommittedError, Store, StoreError

ROUND_S = 5.0
"""Seconds between two looks."""
VERIFY_AFTER_S = 60.0
"""The journal is verified when the start is over: presses come first."""

log = structlog.get_logger(__name__)


class Recovery:
    def __init__(self, *, store: Store, clock: Clock, committer: Committer, dispatch: Dispatch) -> None:
        self._store = store
        self._clock = clock
        self._committer = committer
        self._dispatch = dispatch

    async def run(self, door: Door) -> None:
        while True:
            try:
                await self.bring_back(door)
            except (StoreError, NotCommittedError) as error:
                log.warning("recovery_failed", error=str(error))
            await asyncio.sleep(ROUND_S)

    async def bring_back(self, door: Door) -> None:
        """One round. Returns when all of it is committed."""
        rows = await self._committer.run(lambda: self._store.abandoned(self._clock.now()))
        rows = tuple(row for row in rows if not self._dispatch.holds(row))
        if not rows:
            return
        log.warning("attempts_recovered", rows=len(rows))
        for row in rows:
            if row.state is NotificationState.UNKNOWN:  # it was known to be unknown; who asked the provider is gone
                self._dispatch.look_up_later(row.notification.id)
        claimed = [row for row in rows if row.state is NotificationState.CLAIMED]
        await asyncio.gather(*(door.submit(_orphaned(row)) for row in claimed))


def _orphaned(row: NotificationRow) -> OutcomeReported:
    return OutcomeReported(
        site_id=row.notification.site_id,
        notification_id=row.notification.id,
        epoch=row.epoch,
        outcome=Unknown(detail="its owner died before it reported an outcome"),
    )


class JournalCheck:
    """Verifies each site's chain once, some time after the start."""

    def __init__(self, *, store: Store) -> None:
        self._store = store

    async def run(self, door: Door, site_ids: tuple[SiteId, ...]) -> None:
        await asyncio.sleep(VERIFY_AFTER_S)
        for site_id in (DISTRICT, *site_ids):
            await self.verify(door, site_id)
        await asyncio.Event().wait()

    async def verify(self, door: Door, site_id: SiteId) -> None:
        key = f"journal:{site_id}"
        try:
            await asyncio.to_thread(self._store.verify_journal, site_id)  # long; presses must not wait for it
            await door.submit(TroubleCleared(site_id=site_id, key=key))
        except StoreError as error:
            log.critical("journal_broken", site=site_id, error=str(error))
            summary = f"the journal of {site_id} does not verify: {error}"
            await door.submit(TroubleRaised(site_id=site_id, key=key, summary=summary))
