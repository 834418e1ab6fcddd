"""`MqttSource`: one broker, its two sessions, and what stands against it. Wires them; decides nothing."""

import asyncio
from collections.abc import Iterable, Sequence

from alertd.ports import Door, Stranger
from alertd_adapters.mqtt.canaries import Canaries
from alertd_adapters.mqtt.eavesdropper import Eavesdropper
from alertd_adapters.mqtt.side_session import SideSession
from alertd_adapters.mqtt.standing_troubles import StandingTroubles
from alertd_adapters.mqtt.trigger_session import TriggerSession


class MqttSource:
    """`ports.Source`."""

    def __init__(
        self,
        name: str,
        presses: TriggerSession,
        side: SideSession,
        canaries: Canaries,
        troubles: StandingTroubles,
        overheard: Eavesdropper,
    ) -> None:
        self.name = name
        self._overheard = overheard
        self._presses = presses
        self._side = side
        self._canaries = canaries
        self._troubles = troubles

    @property
    def is_connected(self) -> bool:
        return self._presses.is_connected and not self._canaries.is_deaf

    @property
    def is_listening(self) -> bool:
        """`ports.Listening`: signs of life come over both sessions."""
        return self.is_connected and self._side.is_up

    def resume(self, troubles: Iterable[str]) -> None:
        """`ports.Resuming`."""
        self._troubles.resume(troubles)

    def strangers(self) -> Sequence[Stranger]:
        """`ports.Overhearing`."""
        return self._overheard.strangers.known()

    async def overhear(self) -> None:
        """`ports.Overhearing`: instead of `run`, never beside it."""
        await self._overheard.run()

    async def run(self, door: Door) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._presses.run(door))
            tasks.create_task(self._side.run(door))
            tasks.create_task(self._troubles.run(door))
