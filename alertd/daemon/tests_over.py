"""Ends the tests of single devices that an earlier start of alertd had begun: whoever tries one out waits in vain, and
nobody else knows that its presses page nobody.

Owns: that they end before the first press is taken. Must never: decide what a press is; the engine does.
"""

import asyncio
from collections.abc import Awaitable, Sequence

import structlog

from alertd.model.device_memory import GestureCount
from alertd.model.events import DeviceTestEndOrdered
from alertd.model.ids import SiteId
from alertd.ports import Door, NotCommittedError

AGAIN_S = 1.0
"""After a commit that failed."""
WHY = "alertd was started anew"

log = structlog.get_logger(__name__)


class TestsOver:
    """`left`: what the store held at the start."""

    __test__ = False  # pytest: not a test class

    def __init__(self, left: Sequence[tuple[SiteId, GestureCount]], door: Door) -> None:
        self._left = tuple(left)
        self._door = door
        self._first = self._order()
        """In line from here on: before any press, which takes its place behind."""

    def _order(self) -> tuple[Awaitable[None], ...]:
        return tuple(
            self._door.submit(DeviceTestEndOrdered(site_id=site_id, device_id=memory.device_id, why=WHY))
            for site_id, memory in self._left
        )

    async def run(self, door: Door) -> None:
        orders = self._first
        while True:
            try:
                for order in orders:
                    await order
                await asyncio.Event().wait()
            except NotCommittedError as error:
                log.warning("device_tests_not_ended", error=str(error))
            await asyncio.sleep(AGAIN_S)
            self._door = door
            orders = self._order()
