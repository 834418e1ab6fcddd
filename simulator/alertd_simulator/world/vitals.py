"""Devices that live: heartbeats, batteries and last wills, as a plan says; and which of them reached alertd.

Owns when they speak. QoS 0, as telemetry is: what nobody takes is lost. Must never know what alertd makes of it.
"""

import json
from collections.abc import Callable

from msgspec.structs import replace

from alertd.model.ids import DeviceId
from alertd_adapters.mqtt.connection import ConnectionLostError
from alertd_simulator.broker import SimulatedBroker
from alertd_simulator.virtual_time import true_us, virtual_loop
from alertd_simulator.world.happenings import Happening, SignOfLife
from alertd_simulator.world.plan import Link, SignsOfLife

TOPIC = "alertd/telemetry/"
SPEAKER = "vitals"
"""Client id: no device that anybody presses, and nothing that a replay repeats."""


class Vitals:
    def __init__(
        self,
        *,
        broker: SimulatedBroker,
        emit: Callable[[Happening], None],
        on_heard: Callable[[str, str, int], None],
    ) -> None:
        """`on_heard`: the device, the gateway that hands its word on, and the true time."""
        self._broker = broker
        self._emit = emit
        self._on_heard = on_heard
        self._said: dict[int, SignOfLife] = {}
        broker.on_arrived.append(self._arrived)

    def arrange(self, deed: SignsOfLife | Link) -> None:
        if isinstance(deed, Link):
            virtual_loop().call_since(deed.at_s, self._link, deed)
        else:
            virtual_loop().call_since(deed.at_s, self._live, deed)

    def _live(self, deed: SignsOfLife) -> None:
        body = {"battery": deed.battery, "tamper": deed.tamper, "gateway": deed.heard_by or None}
        if deed.heard_by:
            self._on_heard(deed.device, deed.heard_by, true_us())
        self._say(deed.device, json.dumps({key: value for key, value in body.items() if value is not None}), None)
        if deed.lasts_s >= deed.every_s:
            later = SignsOfLife(
                at_s=deed.at_s + deed.every_s,
                device=deed.device,
                lasts_s=deed.lasts_s - deed.every_s,
                every_s=deed.every_s,
                battery=deed.battery,
                tamper=deed.tamper,
                heard_by=deed.heard_by,
            )
            virtual_loop().call_since(later.at_s, self._live, later)

    def _link(self, deed: Link) -> None:
        self._say(deed.device, json.dumps({"link": "online" if deed.online else "offline"}), deed.online)

    def _say(self, device: str, payload: str, online: bool | None) -> None:  # noqa: FBT001 - as in the happening
        sign = SignOfLife(at_us=true_us(), device_id=DeviceId(device), heard=False, online=online)
        self._said[self._broker.next_number] = sign
        try:
            self._broker.publish(
                f"{TOPIC}{device}", payload.encode(), qos=0, retain=online is not None, client_id=SPEAKER
            )
        except ConnectionLostError:  # it was said to nobody: not even a last will outlives its broker
            self._said.pop(self._broker.next_number, None)
            return
        self._emit(sign)

    def _arrived(self, number: int, _connection: int, _mid: int, _dup: bool, retain: bool) -> None:  # noqa: FBT001
        said = self._said.get(number)
        if said is not None and not (retain and said.online is None):
            self._emit(replace(said, at_us=true_us(), heard=True, retained=retain))
