"""Keeps what check-ins know over a restart: read once, with what stands, and written in small batches between presses.

Must never: delay a press (a batch is a few milliseconds in the writer's second line), fail the daemon, or write before
what was kept has been read: a device that was never heard must not become known anew with each start.
"""

import asyncio
from collections.abc import Sequence

import structlog

from alertd.daemon.check_ins import CheckIns
from alertd.daemon.committer import Committer
from alertd.daemon.readings import Readings
from alertd.model.check_in import LastSeen
from alertd.model.trouble import Trouble
from alertd.ports import Door, Store, StoreError

FLUSH_S = 60.0
"""Seconds between two flushes; a crash forgets what was heard since the last one."""
BATCH = 250
"""Devices of one commit."""
PAUSE_S = 5.0
"""After a failed read."""

log = structlog.get_logger(__name__)


class LastSeenKeeper:
    def __init__(self, *, store: Store, committer: Committer, check_ins: CheckIns, readings: Readings) -> None:
        self._store = store
        self._committer = committer
        self._check_ins = check_ins
        self._readings = readings

    async def run(self, door: Door) -> None:
        """Read, then judge and write for ever."""
        kept, troubles = await self._read()
        for start in range(0, len(kept), BATCH):
            self._check_ins.remember(kept[start : start + BATCH])
            await asyncio.sleep(0)
        self._check_ins.remember_troubles(troubles)
        self._readings.remember(troubles)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._check_ins.run(door))
            tasks.create_task(self._keep_writing())

    async def _read(self) -> tuple[Sequence[LastSeen], Sequence[Trouble]]:
        while True:
            try:
                kept = await asyncio.to_thread(self._store.read_last_seen)
                return kept, await asyncio.to_thread(self._store.read_troubles)
            except StoreError as error:
                log.warning("last_seen_not_read", error=str(error))
                await asyncio.sleep(PAUSE_S)

    async def _keep_writing(self) -> None:
        while True:
            await asyncio.sleep(FLUSH_S)
            await self.flush()

    async def flush(self) -> None:
        """Write all that changed. What cannot be written now is among it the next time."""
        if not await self._write(self._check_ins.listened()):
            return
        while changed := self._check_ins.take_changed(BATCH):
            if not await self._write(changed):
                self._check_ins.take_back(changed)
                return

    async def _write(self, seen: list[LastSeen]) -> bool:
        try:
            await self._committer.run(lambda: self._store.write_last_seen(seen))
        except StoreError as error:
            log.warning("last_seen_not_written", devices=len(seen), error=str(error))
            return False
        return True
