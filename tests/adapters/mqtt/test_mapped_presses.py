"""A real device's message from the broker to the door, over a source profile and a device profile."""

import asyncio
import json

from alertd.engine.routing import BELIEVABLE_PAST_US, route
from alertd.model.events import Pressed
from alertd.ports import Overhearing
from alertd_adapters.decoders.mapping.checking import registry_of
from alertd_simulator.virtual_time import in_virtual_time
from tests.adapters.decoders.sparkplug.edge import ROW, Edge
from tests.adapters.mqtt.fake_broker import FakeBroker, FakeDoor
from tests.adapters.mqtt.world import running

BUTTON, STRANGER = "24e1240000000101", "24e1240000000999"
UP = "application/7f3c/device/{}/event/up"
TRIGGERS = [
    {"topic": "application/+/device/+/event/up", "decoder": "profiles", "options": {"source": "chirpstack-v4"}},
    {"topic": "things/+/uplink", "decoder": "profiles", "options": {"source": "thingpark", "base": "things"}},
]


def up(eui: str, data: str) -> bytes:
    return json.dumps({"deduplicationId": data, "deviceInfo": {"devEui": eui}, "fPort": 85, "data": data}).encode()


@in_virtual_time
async def test_a_press_reaches_the_door_and_a_stranger_is_counted():
    broker, door = FakeBroker(), FakeDoor()
    registry = registry_of([BUTTON], "milesight-ws101")
    async with running(broker, door, registry=registry, triggers=TRIGGERS):
        broker.publish(UP.format(BUTTON), up(BUTTON, "AXVV/y4B"))
        broker.publish(UP.format(STRANGER), up(STRANGER, "AXVV/y4B"))
        broker.publish(UP.format(BUTTON), b"{")
        await asyncio.sleep(0.1)
        pressed, stranger, nonsense = door.arrivals
        (signal,) = pressed.signals
        assert (signal.device_id, signal.action, signal.battery_pct) == (BUTTON, "press", 85)
        assert (stranger.signals, stranger.refused) == ((), "")
        assert "not JSON" in nonsense.refused
        assert len(broker.acked()) == 3
        assert [name for _, name in door.observed if name in ("unregistered", "refused")] == ["unregistered", "refused"]


@in_virtual_time
async def test_what_its_source_calls_late_is_late_however_wrong_the_clock():
    """A day-old time is that of a clock that was never set, and would make a fresh press of it."""
    broker, door = FakeBroker(), FakeDoor()
    registry = registry_of([BUTTON], "abeeway-at2")
    fields = {"DevEUI": BUTTON, "FPort": 17, "payload_hex": "0a00e97b0007", "Time": "2020-02-02T10:00:00Z", "Late": 1}
    async with running(broker, door, registry=registry, triggers=TRIGGERS):
        broker.publish(f"things/{BUTTON}/uplink", json.dumps({"DevEUI_uplink": fields}).encode())
        await asyncio.sleep(0.1)
    (arrival,) = door.arrivals
    (event,) = route(registry, arrival)
    assert isinstance(event, Pressed)
    age_us = arrival.received_us - event.oldest_us
    assert age_us == BELIEVABLE_PAST_US, "what its source calls late is late however wrong the clock"


@in_virtual_time
async def test_promise_1_a_birth_that_was_not_committed_tells_of_the_press_again():
    """Sparkplug: the strip was pressed while the node was away, and only its birth says so."""
    broker, door, edge = FakeBroker(), FakeDoor(), Edge()
    registry = registry_of([ROW], "sparkplug-inputs")
    triggers = [{"topic": "spBv1.0/oak/#", "decoder": "profiles", "options": {"source": "sparkplug-b"}}]
    async with running(broker, door, registry=registry, triggers=triggers):
        for topic, payload in (edge.node_birth(), edge.birth(), edge.node_death(), edge.node_birth()):
            broker.publish(topic, payload)
        await asyncio.sleep(0.1)
        door.hold = True
        broker.publish(*edge.birth(pressed=True))
        await asyncio.sleep(0.1)
        door.fail()
        await asyncio.sleep(2)

        told = [[signal.action for signal in arrival.signals] for arrival in door.arrivals if arrival.signals]
        assert told == [["press"], ["press"]], "promise 1: delivered again, it must mean the same"


@in_virtual_time
async def test_the_police_key_of_a_keypad_calls_and_what_is_typed_there_goes_nowhere(capsys, caplog):
    """Z-Wave: only its topic says that the value is a code; whoever has not registered the keypad is told none, too."""
    caplog.set_level("DEBUG")
    broker, door, known = FakeBroker(), FakeDoor(), registry_of(["Office:keypad"], "")
    triggers = [{"topic": "zwave/#", "decoder": "profiles", "options": {"source": "zwave-js-ui"}}]
    async with running(broker, door, registry=known, triggers=triggers) as world:
        for place in ("Office", "Gym"):
            for tail in ("111/0/2/2", "unknownClass_111/endpoint_0/2/2", "99/0/userCode/1"):
                typed = b"80915" if tail.endswith("1") else b'"80915"'
                broker.publish(f"zwave/{place}/keypad/{tail}", b'{"time": 1788187327310, "value": %b}' % typed)
                broker.publish(f"zwave/{place}/keypad/{tail}", typed)
        broker.publish("zwave/Office/keypad/unknownClass_111/endpoint_0/17/0", b'{"time": 1788187327310}')
        await asyncio.sleep(0.1)
        assert isinstance(world.source, Overhearing)
        strangers = world.source.strangers()

    assert [signal.action for arrival in door.arrivals for signal in arrival.signals] == ["police"]
    assert [each.device_id for each in strangers] == ["Gym:keypad"]
    told = f"{door.arrivals} {door.check_ins} {door.observed} {strangers} {capsys.readouterr()} {caplog.text}"
    assert "80915" not in told, "a code that somebody typed is told"
