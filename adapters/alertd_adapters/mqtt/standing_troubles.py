"""Troubles of one source: what is wrong with its broker, session and devices. Owns that each is told once, retried
until it is committed, and cleared even if the daemon restarted in between. Never waits in the path of a press."""

import asyncio
from collections.abc import Iterable

import structlog

from alertd.model.events import TroubleCleared, TroubleRaised
from alertd.model.ids import DISTRICT, DeviceId
from alertd.ports import Door

log = structlog.get_logger("alertd.mqtt")

KEYS_MAX = 500
"""Different troubles of one source; a flood of forged device names stops here."""
RETRY_S = 5.0


class StandingTroubles:
    def __init__(self) -> None:
        self._pending: dict[str, TroubleRaised | None] = {}
        self._standing: dict[str, str] = {}
        self._before: set[str] = set()
        self._changed = asyncio.Event()
        self._full = False

    def resume(self, keys: Iterable[str]) -> None:
        """What stands as the store knows it, ours and others'. No file of our own would do: an end that was committed
        while only memory had room is undone by a power cut."""
        self._before = set(keys)

    def raise_(self, key: str, summary: str, *, rings: bool = False, about: DeviceId | None = None) -> None:
        """Say it, unless it was said in the same words. `rings`: it may hide a press. `about`: said of a device."""
        if self._standing.get(key) == summary:
            return
        if key not in self._standing and len(self._standing) >= KEYS_MAX:
            if not self._full:
                self._full = True
                log.warning("mqtt_troubles_full", limit=KEYS_MAX, first_left_out=key)
            return
        self._standing[key] = summary
        self._tell(key, TroubleRaised(site_id=DISTRICT, key=key, summary=summary, rings=rings, about=about))

    def clear(self, key: str) -> None:
        if self._standing.pop(key, None) is not None or key in self._before:
            self._full = False
            self._before.discard(key)
            self._tell(key, None)

    def _tell(self, key: str, raised: TroubleRaised | None) -> None:
        self._pending.pop(key, None)
        self._pending[key] = raised
        self._changed.set()

    async def run(self, door: Door) -> None:
        while True:
            await self._changed.wait()
            self._changed.clear()
            while self._pending:
                key, raised = next(iter(self._pending.items()))
                if not await self._submit(door, raised or TroubleCleared(site_id=DISTRICT, key=key)):
                    await asyncio.sleep(RETRY_S)
                elif key in self._pending and self._pending[key] is raised:  # it may have changed meanwhile
                    del self._pending[key]

    @staticmethod
    async def _submit(door: Door, event: TroubleRaised | TroubleCleared) -> bool:
        try:
            await door.submit(event)
        except Exception as error:  # noqa: BLE001  # not committed, or worse: a trouble must not end the source
            log.warning("mqtt_trouble_not_committed", key=event.key, why=str(error), retry_s=RETRY_S)
            return False
        return True
