"""The regular sign of life to every dispatch centre: a silent line is found before it is needed."""

import asyncio

from alertd.daemon.channel_states import ChannelStates
from alertd.daemon.intake import Intake
from alertd.model.events import TestOrdered
from alertd.model.ids import DISTRICT, CauseId, SiteId, derive
from alertd.model.people import Destination
from alertd.ports import Clock, Door

EVERY_S = 300.0


class Heartbeats:
    def __init__(self, *, clock: Clock, intake: Intake, states: ChannelStates) -> None:
        self._clock = clock
        self._intake = intake
        self._states = states

    async def run(self, door: Door) -> None:
        while True:
            await asyncio.sleep(EVERY_S)
            self.beat(door)

    def beat(self, door: Door) -> None:
        """One to each destination that is a dispatch centre: from its first site, or from every site at which it is in
        trouble, because a trouble ends at its own site only."""
        period = self._clock.now().wall_us // round(EVERY_S * 1_000_000)
        for destination in self._intake.registry.destinations.values():
            if not destination.endpoint.dispatch:
                continue
            for site_id in self._sites(destination):
                door.submit(
                    TestOrdered(
                        site_id=site_id,
                        cause=CauseId(derive("heartbeat", destination.id, site_id, period)),
                        by="alertd",
                        destination_id=destination.id,
                        heartbeat=True,
                    )
                )

    def _sites(self, destination: Destination) -> tuple[SiteId, ...]:
        in_trouble = self._states.standing_at(f"dispatch:{destination.id}")
        return tuple(s for s in destination.site_ids if s in in_trouble) or destination.site_ids[:1] or (DISTRICT,)
