"""Devices that nobody has registered: remembered for whoever registers them, within bounds, and without any effect."""

import asyncio
import json
from typing import Any

import pytest

from alertd.model.registry import Registry
from alertd.ports import STRANGERS_MAX, Overhearing, Stranger
from alertd_adapters.decoders.mapping.checking import registry_of
from alertd_adapters.mqtt.connection import BrokerMessage
from alertd_adapters.mqtt.decoding import Decoded
from alertd_adapters.mqtt.strangers import PAYLOAD_MAX_BYTES, SAMPLES_MAX, Strangers
from alertd_simulator.virtual_time import VirtualClock, in_virtual_time
from tests.adapters.decoders.mapping.test_zwave import TYPED
from tests.adapters.mqtt.fake_broker import FakeBroker, FakeDoor
from tests.adapters.mqtt.world import World, build, running

BUTTON, STRANGER = "24e1240000000101", "24E1240000000999"
UP = "application/7f3c/device/{}/event/up"
LORAWAN = {"topic": "application/+/device/+/event/up", "decoder": "profiles", "options": {"source": "chirpstack-v4"}}
BEACONS = {"topic": "minew/+/status", "decoder": "profiles", "options": {"source": "minew"}}
PLAIN = {"topic": "alertd/press/+"}


def up(eui: str, data: str, **more: object) -> bytes:
    return json.dumps({"deviceInfo": {"devEui": eui}, "fPort": 85, "data": data, **more}).encode()


def known(world: World) -> dict[str, Stranger]:
    assert isinstance(world.source, Overhearing)
    return {each.device_id: each for each in world.source.strangers()}


@in_virtual_time
async def test_a_stranger_is_remembered_with_what_it_said_and_a_registered_device_is_not():
    broker, door = FakeBroker(), FakeDoor()
    registry = registry_of([BUTTON], "milesight-ws101")
    async with running(broker, door, registry=registry, triggers=[LORAWAN, PLAIN]) as world:
        broker.publish(UP.format(BUTTON), up(BUTTON, "AXVV/y4B"))
        broker.publish(UP.format(STRANGER), up(STRANGER, "AXVV/y4B"), qos=0)
        broker.publish(UP.format(STRANGER), up(STRANGER, "AXVV/y4C"), retain=True)
        world.press("button-9")
        world.press("button-9", b'{"action": "heartbeat"}')
        await asyncio.sleep(0.1)
        found = known(world)
    assert list(found) == ["button-9", STRANGER], "the one heard last first"
    first, second = found[STRANGER].samples
    assert (first.topic, first.payload, first.qos) == (UP.format(STRANGER), up(STRANGER, "AXVV/y4B"), 0)
    assert (second.retained, second.said) == (True, "nobody can say before it has a profile")
    assert [sample.said for sample in found["button-9"].samples] == ["press", "no press"]
    assert len(door.arrivals) == 5, "its press goes its way: the core makes a trouble of it"


@in_virtual_time
async def test_who_is_registered_meanwhile_is_none_any_more_however_its_id_is_spelled():
    broker, door = FakeBroker(), FakeDoor()
    registry: list[Registry] = [registry_of(["elsewhere"], "")]
    built = build(broker, VirtualClock(), registry_now=lambda: registry[0], triggers=[LORAWAN])
    assert built.source is not None
    task = asyncio.create_task(built.source.run(door))
    await asyncio.sleep(0.1)
    broker.publish(UP.format(STRANGER), up(STRANGER, "AXVV/y4B"))
    broker.publish(UP.format(BUTTON), up(BUTTON, "AXVV/y4B"))
    await asyncio.sleep(0.1)
    assert isinstance(built.source, Overhearing)
    assert len(built.source.strangers()) == 2
    registry[0] = registry_of([f"{STRANGER.lower()}:3", "24:e1:24:00:00:00:01:01"], "milesight-ws156")
    assert built.source.strangers() == (), "one by a button of it, one spelled with colons"
    task.cancel()


@in_virtual_time
async def test_beside_a_registered_beacon_the_others_of_the_same_message_are_seen():
    broker, door = FakeBroker(), FakeDoor()
    heard = [
        {"timestamp": "2026-09-01T14:42:07Z", "type": kind, "mac": mac}
        for kind, mac in (("Unknown", "AC2300000002"), ("Gateway", "AC2300000003"), ("Unknown", "AC2300000004"))
    ]
    registry = registry_of(["AC2300000003"], "minew-gateway")
    async with running(broker, door, registry=registry, triggers=[BEACONS]) as world:
        broker.publish("minew/ac2300000001/status", json.dumps(heard).encode())
        await asyncio.sleep(0.1)
        seen = set(known(world))
    assert [sign.device_id for sign, *_ in door.check_ins] == ["AC2300000003"], "the registered one is understood"
    assert seen == {"AC2300000002", "AC2300000004"}, "beacons beside a registered one are unseen"


@in_virtual_time
async def test_a_stranger_of_a_last_will_or_a_heartbeat_is_seen_over_the_other_session():
    broker, door = FakeBroker(), FakeDoor()
    telemetry: list[Any] = ["alertd/telemetry/+"]
    async with running(broker, door, registry=registry_of(["badge-1"], ""), telemetry=telemetry) as world:
        broker.publish("alertd/telemetry/badge-1", b"{}", qos=0)
        broker.publish("alertd/telemetry/badge-2", b"{}", qos=0)
        await asyncio.sleep(0.1)
        assert list(known(world)) == ["badge-2"]


# --- bounds -----------------------------------------------------------------------------------------------------------


def noted(strangers: Strangers, device: str, payload: bytes = b"{}", topic: str = "t") -> None:
    strangers.note(BrokerMessage(topic=topic, payload=payload, qos=1), Decoded(strangers=(device,)))


def empty() -> Strangers:
    return Strangers(VirtualClock(), lambda: registry_of([], ""))


@in_virtual_time
async def test_of_a_town_full_of_strangers_those_heard_last_are_kept():
    strangers = empty()
    for number in range(STRANGERS_MAX + 30):
        noted(strangers, f"meter-{number}")
        noted(strangers, "button")
    kept = [each.device_id for each in strangers.known()]
    assert len(kept) == STRANGERS_MAX
    assert kept[:2] == ["button", f"meter-{STRANGERS_MAX + 29}"]
    assert "meter-0" not in kept


@in_virtual_time
async def test_a_chatterbox_takes_no_more_room_than_others_and_says_nothing_twice():
    strangers = empty()
    for number in range(20):
        for _ in range(3):
            noted(strangers, "button", b"%d" % number)
    (stranger,) = strangers.known()
    assert stranger.messages == 60
    assert [each.payload for each in stranger.samples] == [b"%d" % n for n in range(20 - SAMPLES_MAX, 20)]


@pytest.mark.parametrize(
    "payload",
    [
        b'{"action": "disarm", "action_code": "123456"}',
        b'{"PIN": 4711}',
        b'{"data": [7, 111, {"eventType": 2, "eventData": "4711"}]}',
        b'{"event_data": "4711"}',
        b'{"data": [7, {"commandClass": 131, "property": "credential", "newValue": "4711"}]}',
        b"x" * (PAYLOAD_MAX_BYTES + 1),
    ],
)
@in_virtual_time
async def test_what_may_hold_a_typed_code_and_what_is_long_is_not_kept(payload: bytes):
    strangers = empty()
    noted(strangers, "keypad", payload)
    (stranger,) = strangers.known()
    assert stranger.messages == 1
    assert [each.payload for each in stranger.samples] == [None], "what may be a code is not kept, nor what is long"


@pytest.mark.parametrize("topic", TYPED)
@in_virtual_time
async def test_what_is_typed_where_only_the_topic_says_so_is_not_kept(topic: str):
    strangers = empty()
    noted(strangers, "keypad", b'{"value": "80915"}', topic)
    noted(strangers, "strip", b'{"value": 0}', "zwave/Office/strip/91/0/scene/001")
    kept = [[each.payload for each in found.samples] for found in strangers.known()]
    assert kept == [[b'{"value": 0}'], [None]], "what somebody typed is kept"


# --- without a daemon -------------------------------------------------------------------------------------------------


@in_virtual_time
async def test_listening_beside_a_daemon_takes_nothing_from_it():
    broker, door = FakeBroker(), FakeDoor(hold=True)
    triggers = [{"topic": "$share/nodes/alertd/press/+"}, LORAWAN]
    registry = registry_of(["badge-1"], "")
    async with running(broker, door, registry=registry, triggers=triggers) as world:
        built = build(broker, broker.clock, registry=registry, triggers=triggers, telemetry=["alertd/telemetry/+"])
        assert isinstance(built.source, Overhearing)
        listening = asyncio.create_task(built.source.overhear())
        await asyncio.sleep(0.1)
        for device in ("badge-1", "badge-2"):
            world.press(device)
        broker.publish("alertd/telemetry/badge-3", b"{}", qos=0)
        await asyncio.sleep(0.1)
        ours = broker.connections[-1]
        listening.cancel()
        await asyncio.wait([listening])
        assert [each.device_id for each in built.source.strangers()] == ["badge-3", "badge-2"]
        assert ours.options.client_id not in ("alertd-oak", "alertd-oak-side")
        assert not ours.options.persistent
        assert ours.subscribed == {"alertd/press/+": 0, LORAWAN["topic"]: 0, "alertd/telemetry/+": 0}, (
            "outside of the shared group, at QoS 0"
        )
        assert ours.acked == []
        assert ours.lost is not None, "it leaves nothing open"
        assert broker.presses.lost is None
        assert len(door.waiting) == 2, "the daemon has both presses, and has them still to commit"


@in_virtual_time
async def test_a_broker_that_is_away_or_lets_us_read_nothing_is_named():
    broker = FakeBroker()
    built = build(broker, VirtualClock(), registry=registry_of([], ""))
    assert isinstance(built.source, Overhearing)
    broker.granted = {"alertd/press/+": 0x87}
    with pytest.raises(ConnectionError, match=r"lets us read none of alertd/press/\+"):
        await built.source.overhear()
    broker.down = "refused"
    with pytest.raises(ConnectionError, match=r"broker\.example:1883 cannot be reached: refused"):
        await built.source.overhear()
