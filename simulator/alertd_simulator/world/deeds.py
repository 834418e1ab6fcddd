"""Devices at work: what a plan presses, senses and garbles goes to the broker, with the truth about it.

Owns when a device publishes, and that it tries again while the broker is down, as devices with a queue do. What a
device publishes is `devices`' business. Must never know what alertd makes of it.
"""

import asyncio
from collections.abc import Callable, Sequence
from random import Random

import msgspec

from alertd.config import Section
from alertd.model.ids import DeviceId
from alertd.model.registry import Registry
from alertd_adapters.mqtt.connection import ConnectionLostError
from alertd_simulator.broker import DEVICE, REPLAYER, Published, SimulatedBroker
from alertd_simulator.devices import CURSED, Payload
from alertd_simulator.family_devices import speakers_of
from alertd_simulator.fleet import Fleet
from alertd_simulator.virtual_time import VirtualClock, virtual_loop
from alertd_simulator.world import happenings
from alertd_simulator.world.happenings import (
    Acked,
    Arrived,
    BrokerForgot,
    FeedbackShown,
    Happening,
    Refused,
    Truth,
)
from alertd_simulator.world.mapped_devices import MappedDevices
from alertd_simulator.world.plan import Plan, Poison, Press, SensorReport

__all__ = ["CURSED", "Deeds"]

AGAIN_S = 5.0
"""A device whose publication was refused tries again after this long,"""
GIVES_UP_S = 900.0
"""and no longer than this: queues of gateways are small."""
FEEDBACK = "alertd/feedback/"


class Deeds:
    """`arrange` each press, report and nonsense of the plan."""

    def __init__(
        self,
        plan: Plan,
        registry: Registry,
        *,
        broker: SimulatedBroker,
        clock: VirtualClock,
        emit: Callable[[Happening], None],
        sections: Sequence[Section] = (),
    ) -> None:
        """`sections`: of a district of its own, by whose triggers devices with a profile speak as their families."""
        self._broker = broker
        self._emit = emit
        speakers = speakers_of(registry, sections) if plan.district else {}
        mapped = MappedDevices(Random(f"{plan.seed}:families").random(), plan.mapped, speakers)
        self._fleet = Fleet(registry, clock=clock, random=Random(f"{plan.seed}:devices"), mapped=mapped)
        self._truths: dict[int, Truth] = {}
        self._latest: dict[tuple[str, bytes], Truth] = {}
        """Of what was published: for who publishes it again."""
        broker.on_published.append(self._published)
        broker.on_published.append(self._fleet.hear)
        broker.on_arrived.append(self._arrived)
        broker.on_acked.append(self._acked)
        broker.on_forgot.append(self._forgot)

    def arrange(self, deed: Press | SensorReport | Poison) -> None:
        virtual_loop().call_since(deed.at_s, self._do, deed)

    def _do(self, deed: Press | SensorReport | Poison) -> None:
        """Only now: a device's counter goes up with every press, in their order."""
        loop = asyncio.get_running_loop()
        if isinstance(deed, Poison):
            self._emit(happenings.FaultBegan(at_us=_now_us(), fault="poison", detail=deed.kind))
            self._emit(happenings.FaultEnded(at_us=_now_us(), fault="poison"))
        for delay_s, payload, truth in self._fleet.messages(deed, _now_us()):
            loop.call_later(delay_s, self._publish, payload, truth, loop.time() + delay_s + GIVES_UP_S)

    def _publish(self, payload: Payload, truth: Truth | None, until_s: float) -> None:
        if self._fleet.is_needless(payload):
            return
        if self._fleet.is_needless(payload):
            return
        loop = asyncio.get_running_loop()
        if truth is not None:
            self._truths[self._broker.next_number] = truth
        try:
            self._broker.publish(payload.topic, payload.payload, qos=payload.qos, retain=payload.retain)
        except ConnectionLostError:
            self._truths.pop(self._broker.next_number, None)
            self._emit(Refused(at_us=_now_us(), topic=payload.topic, truth=truth))
            if payload.qos and loop.time() < until_s:
                loop.call_later(AGAIN_S, self._publish, payload, truth, until_s)

    # --- what is told

    def _published(self, published: Published) -> None:
        if published.client_id not in {DEVICE, REPLAYER}:
            self._shown(published)
            return
        key = (published.topic, published.payload)
        truth = self._truths.get(published.number)
        if published.client_id == REPLAYER and (original := self._latest.get(key)) is not None:
            truth = _replayed(original)
        if truth is not None:
            self._latest.setdefault(key, truth)
        self._emit(
            happenings.Published(
                at_us=_now_us(),
                number=published.number,
                topic=published.topic,
                payload=published.payload,
                qos=published.qos,
                retain=published.retain,
                truth=truth,
            )
        )

    def _shown(self, published: Published) -> None:
        """What alertd itself publishes, if it is for a presser's eyes. Another feedback topic is not looked into."""
        if published.topic.startswith(FEEDBACK):
            state = str(msgspec.json.decode(published.payload)["state"])
            device_id = DeviceId(published.topic.removeprefix(FEEDBACK))
            self._emit(FeedbackShown(at_us=_now_us(), device_id=device_id, state=state))

    def _arrived(self, number: int, connection: int, mid: int, dup: bool, retain: bool) -> None:  # noqa: FBT001
        self._emit(Arrived(at_us=_now_us(), number=number, connection=connection, mid=mid, dup=dup, retain=retain))

    def _acked(self, number: int, connection: int) -> None:
        self._emit(Acked(at_us=_now_us(), number=number, connection=connection))

    def _forgot(self, numbers: tuple[int, ...], why: str) -> None:
        self._emit(BrokerForgot(at_us=_now_us(), numbers=numbers, why=why))


def _replayed(original: Truth) -> Truth:
    """The same words, but nobody pressed."""
    fields = {name: getattr(original, name) for name in original.__struct_fields__}
    return Truth(**fields | {"incident_class": None})


def _now_us() -> int:
    return round(virtual_loop().since_s * 1e6)
