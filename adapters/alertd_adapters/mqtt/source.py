"""`MqttSource`: one broker, its two sessions, and what stands against it. Wires them; decides nothing."""

import asyncio

from alertd.ports import Door
from alertd_adapters.mqtt.side_session import SideSession
from alertd_adapters.mqtt.standing_troubles import StandingTroubles
from alertd_adapters.mqtt.trigger_session import TriggerSession


class MqttSource:
    """`ports.Source`."""

    def __init__(self, name: str, presses: TriggerSession, side: SideSession, troubles: StandingTroubles) -> None:
        self.name = name
        self._presses = presses
        self._side = side
        self._troubles = troubles

    @property
    def is_connected(self) -> bool:
        return self._presses.is_connected

    async def run(self, door: Door) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._presses.run(door))
            tasks.create_task(self._side.run(door))
            tasks.create_task(self._troubles.run(door))
