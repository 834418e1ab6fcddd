"""Devices at work: what a plan presses, senses and garbles goes to the broker, with the truth about it.

Owns when a device publishes, and that it tries again while the broker is down, as devices with a queue do. What a
device publishes is `devices`' business. Must never know what alertd makes of it.
"""

import asyncio
from collections.abc import Callable
from random import Random

import msgspec

from alertd.config import Loaded
from alertd.model.ids import DeviceId
from alertd_adapters.mqtt.connection import ConnectionLostError
from alertd_simulator.access_list import access_list_of
from alertd_simulator.broker import DEVICE, REPLAYER, Published, SimulatedBroker, matches
from alertd_simulator.devices import CURSED, Payload
from alertd_simulator.family_devices import speakers_of
from alertd_simulator.fleet import ABOVE_PRESSES, ABOVE_READINGS, Fleet
from alertd_simulator.virtual_time import VirtualClock, true_us, virtual_loop
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
from alertd_simulator.world.mapped_devices import MappedDevices, kind_as
from alertd_simulator.world.other_families import others_of
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
        school: Loaded,
        *,
        broker: SimulatedBroker,
        clock: VirtualClock,
        emit: Callable[[Happening], None],
    ) -> None:
        """In a district of its own, devices with a profile speak as their families by its triggers."""
        registry = school.registry
        self._access = access_list_of(school)
        plain = (each.id for each in registry.devices.values() if not each.profile)
        self._plain: frozenset[DeviceId] = frozenset(() if plan.district else plain)
        """Who speaks as its access list expects: of the stated district, but for who speaks as its family on some days
        only. Another district may have triggers that nobody here speaks by."""
        self._users: dict[int, str] = {}
        self._broker = broker
        self._emit = emit
        own = others_of(plan.seed)
        if plan.district:
            own = {device: kind_as(speaker) for device, speaker in speakers_of(registry, school.sections).items()}
        mapped = MappedDevices(Random(f"{plan.seed}:families").random(), plan.mapped, own)
        self._fleet = Fleet(
            registry,
            clock=clock,
            random=Random(f"{plan.seed}:devices"),
            mapped=mapped,
            sensors_speak_on=ABOVE_READINGS if _has_sensors_apart(school) else ABOVE_PRESSES,
        )
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

    def was_heard(self, device: str, gateway: str, at_us: int) -> None:
        """A gateway hears a badge that nobody presses."""
        self._fleet.was_heard(device, gateway, at_us)

    def _do(self, deed: Press | SensorReport | Poison) -> None:
        """Only now: a device's counter goes up with every press, in their order."""
        loop = asyncio.get_running_loop()
        if isinstance(deed, Poison):
            self._emit(happenings.FaultBegan(at_us=true_us(), fault="poison", detail=deed.kind))
            self._emit(happenings.FaultEnded(at_us=true_us(), fault="poison"))
        for delay_s, payload, truth in self._fleet.messages(deed, true_us()):
            loop.call_later(delay_s, self._publish, payload, truth, loop.time() + delay_s + GIVES_UP_S)

    def _publish(self, payload: Payload, truth: Truth | None, until_s: float) -> None:
        if self._fleet.is_needless(payload):
            return
        if self._fleet.is_needless(payload):
            return
        loop = asyncio.get_running_loop()
        user = self._user(payload, truth)
        if user is None:
            self._emit(Refused(at_us=true_us(), topic=payload.topic, truth=truth, forbidden=True))
            return
        self._users[self._broker.next_number] = user
        if truth is not None:
            truth = self._fleet.placed(payload, truth, true_us())
            self._truths[self._broker.next_number] = truth
        try:
            self._broker.publish(payload.topic, payload.payload, qos=payload.qos, retain=payload.retain)
        except ConnectionLostError:
            self._truths.pop(self._broker.next_number, None)
            self._users.pop(self._broker.next_number, None)
            self._emit(Refused(at_us=true_us(), topic=payload.topic, truth=truth))
            if payload.qos and loop.time() < until_s:
                loop.call_later(AGAIN_S, self._publish, payload, truth, until_s)

    def _user(self, payload: Payload, truth: Truth | None) -> str | None:
        """By whose password it gets in; `None`: by nobody's. Noise is not asked."""
        if truth is None and not payload.user:
            return ""
        sayers = self._access.sayers(payload.topic)
        if payload.user:
            return payload.user if payload.user in sayers else None
        own = truth.device_id if truth is not None else ""
        return own if own in sayers else next(iter(sayers), None if own in self._plain else "")

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
                at_us=true_us(),
                number=published.number,
                topic=published.topic,
                payload=published.payload,
                qos=published.qos,
                retain=published.retain,
                truth=truth,
                user=self._users.get(published.number, ""),
            )
        )

    def _shown(self, published: Published) -> None:
        """What alertd itself publishes, if it is for a presser's eyes. Another feedback topic is not looked into."""
        if published.topic.startswith(FEEDBACK):
            state = str(msgspec.json.decode(published.payload)["state"])
            device_id = DeviceId(published.topic.removeprefix(FEEDBACK))
            self._emit(FeedbackShown(at_us=true_us(), device_id=device_id, state=state))

    def _arrived(self, number: int, connection: int, mid: int, dup: bool, retain: bool) -> None:  # noqa: FBT001
        self._emit(Arrived(at_us=true_us(), number=number, connection=connection, mid=mid, dup=dup, retain=retain))

    def _acked(self, number: int, connection: int) -> None:
        self._emit(Acked(at_us=true_us(), number=number, connection=connection))

    def _forgot(self, numbers: tuple[int, ...], why: str) -> None:
        self._emit(BrokerForgot(at_us=true_us(), numbers=numbers, why=why))


def _has_sensors_apart(school: Loaded) -> bool:
    sources = (section.settings.get("triggers", ()) for section in school.sections if section.table == "sources")
    return any(matches(str(trigger["topic"]), f"{ABOVE_READINGS}any") for triggers in sources for trigger in triggers)


def _replayed(original: Truth) -> Truth:
    """The same words, but nobody pressed."""
    fields = {name: getattr(original, name) for name in original.__struct_fields__}
    return Truth(**fields | {"incident_class": None})
