"""The regular sign of life to every dispatch centre: a silent line is found before it is needed."""

import asyncio

from alertd.daemon.intake import Intake
from alertd.model.events import TestOrdered
from alertd.model.ids import DISTRICT, CauseId, derive
from alertd.ports import Clock, Door

EVERY_S = 300.0


class Heartbeats:
    def __init__(self, *, clock: Clock, intake: Intake) -> None:
        self._clock = clock
        self._intake = intake

    async def run(self, door: Door) -> None:
        while True:
            await asyncio.sleep(EVERY_S)
            self.beat(door)

    def beat(self, door: Door) -> None:
        """One to each destination that is a dispatch centre."""
        period = self._clock.now().wall_us // round(EVERY_S * 1_000_000)
        for destination in self._intake.registry.destinations.values():
            if destination.endpoint.dispatch:
                door.submit(
                    TestOrdered(
                        site_id=destination.site_ids[0] if destination.site_ids else DISTRICT,
                        cause=CauseId(derive("heartbeat", destination.id, period)),
                        by="alertd",
                        destination_id=destination.id,
                        heartbeat=True,
                    )
                )
