"""Signs of life from the broker to the door: over both sessions, retained or not, and never a page (req 29)."""

import asyncio

import pytest

from alertd.daemon.windows import OFFLINE_S
from alertd.model.check_in import Battery, CheckIn, Link
from alertd.model.events import TroubleRaised
from alertd.model.ids import DeviceId
from alertd.ports import Listening
from alertd_adapters.decoders.mapping.checking import registry_of
from alertd_adapters.decoders.press_json import PressJson
from alertd_simulator.virtual_time import in_virtual_time
from tests.adapters.mqtt.fake_broker import FakeBroker, FakeDoor
from tests.adapters.mqtt.world import running

BADGE = DeviceId("badge-17")
HEARTBEATS = "alertd/telemetry/+"


@in_virtual_time
async def test_whatever_a_device_says_on_its_telemetry_topic_is_a_sign_of_life():
    broker, door = FakeBroker(), FakeDoor()
    async with running(broker, door, telemetry=[HEARTBEATS]):
        await asyncio.sleep(0.1)
        for payload in (b"{}", b"\xff", b'{"battery": 15, "battery_low": true, "gateway": "gw"}', b"offline"):
            broker.publish("alertd/telemetry/badge-17", payload, qos=0)
        await asyncio.sleep(0.1)
    empty, garbage, low, will = [sign for sign, *_ in door.check_ins]
    assert empty == garbage == CheckIn(device_id=BADGE)
    assert (low.alive, low.battery, low.heard_by) == (True, Battery(pct=15, low=True), "gw")
    assert (will.alive, will.link) == (False, Link.OFFLINE)
    assert not door.arrivals


@pytest.mark.parametrize(
    ("payload", "wrong"),
    [
        (b'{"tamper": 1}', "tamper"),
        (b'{"tamper": "true", "battery": 80}', "tamper"),
        (b'{"battery": 150}', "battery"),
        (b'{"battery_low": "no"}', "battery_low"),
        (b'{"link": "gone"}', "link"),
        (b'{"gateway": 7}', "gateway"),
        (b'{"device_id": "badge-18"}', "device_id"),
        (b'{"battery": 80, "battery_low": null, "tamper": false, "gateway": "gw-1", "device_id": "badge-17"}', ""),
        (b'{"link": "online", "temperature": 20}', ""),
        (b"", ""),
    ],
)
@in_virtual_time
async def test_what_makes_no_sense_in_a_sign_of_life_is_counted_and_the_device_lives(payload: bytes, wrong: str):
    broker, door = FakeBroker(), FakeDoor()
    async with running(broker, door, telemetry=[HEARTBEATS]):
        await asyncio.sleep(0.1)
        broker.publish("alertd/telemetry/badge-17", payload, qos=0)
        await asyncio.sleep(0.1)
    ((sign, *_),) = door.check_ins
    assert (sign.device_id, sign.alive) == (BADGE, True)
    names = [name for _, name in door.observed]
    assert ("telemetry_not_understood" in names) == bool(wrong), "dropped, and nobody can see it"
    assert wrong in PressJson(heartbeats=True).understand("alertd/telemetry/badge-17", payload).unread
    assert not PressJson().understand("alertd/press/badge-17", b'{"action": "press", "tamper": 1}').unread, (
        "promise 2: a press is refused for what stands beside it"
    )


@in_virtual_time
async def test_a_last_will_comes_through_the_profile_of_its_source_and_is_known_to_be_retained():
    broker, door = FakeBroker(), FakeDoor()
    wills = {"topic": "zigbee2mqtt/bridge/state", "decoder": "profiles", "options": {"source": "zigbee2mqtt"}}
    async with running(broker, door, registry=registry_of(["bridge"], ""), telemetry=[wills]):
        await asyncio.sleep(0.1)
        broker.publish("zigbee2mqtt/bridge/state", b'{"state": "offline"}', qos=0, retain=True)
        await asyncio.sleep(0.1)
    ((sign, retained, qos),) = door.check_ins
    assert (sign.device_id, sign.link, retained, qos) == ("bridge", Link.OFFLINE, True, None)


@in_virtual_time
async def test_a_press_is_a_sign_of_life_with_its_qos():
    broker, door = FakeBroker(), FakeDoor()
    async with running(broker, door) as world:
        world.press("badge-17", b'{"action": "press", "battery": 70}', qos=0)
        world.press("badge-17", b'{"action": "heartbeat"}')
        await asyncio.sleep(0.1)
    (pressed, _, at_qos_0), (alive, _, at_qos_1) = door.check_ins
    assert (pressed.pressed, pressed.battery, at_qos_0) == (True, Battery(pct=70), 0)
    assert (alive.pressed, alive.alive, at_qos_1) == (False, True, 1)


@in_virtual_time
async def test_a_press_on_a_telemetry_topic_pages_nobody_and_says_so():
    broker, door = FakeBroker(), FakeDoor()
    async with running(broker, door, telemetry=[HEARTBEATS, "alertd/#"]):
        await asyncio.sleep(0.1)
        broker.publish("alertd/telemetry/badge-17", b'{"action": "press"}', qos=0)
        broker.publish("alertd/press/badge-18", b'{"action": "press"}')
        await asyncio.sleep(0.1)
    assert [arrival.topic for arrival in door.arrivals] == ["alertd/press/badge-18"]
    words = door.standing["telemetry_press:badge-17"]
    assert words.startswith("presses where it pages NOBODY. Was it a press? alertd/telemetry/badge-17 is telemetry")
    (raised,) = [event for event in door.events if isinstance(event, TroubleRaised)]
    assert raised.about == "badge-17", "nobody knows where it hangs"
    assert "telemetry_press:badge-18" not in door.standing, "it comes over the session of presses"


@in_virtual_time
async def test_nobody_listens_while_the_broker_is_away():
    broker, door = FakeBroker(), FakeDoor()
    async with running(broker, door, telemetry=[HEARTBEATS]) as world:
        await asyncio.sleep(20)
        assert isinstance(world.source, Listening)
        assert world.source.is_listening
        broker.drop("a cable was pulled")
        await asyncio.sleep(0.01)
        assert not world.source.is_listening


# --- what a broker keeps, and loses on its way ------------------------------------------------------------------------

GATEWAY = "alertd/telemetry/gw-1"


@pytest.mark.parametrize("times", [1, 3])
@in_virtual_time
async def test_a_last_will_that_was_lost_on_its_way_is_asked_for_again(times: int):
    """Seed 902095: a gateway that came back while alertd was away is gone until it speaks by itself."""
    broker, door = FakeBroker(), FakeDoor()
    broker.kept, broker.loses_kept = {GATEWAY: b"online"}, times
    async with running(broker, door, telemetry=[HEARTBEATS]):
        await asyncio.sleep(600)
    said = [(sign.device_id, sign.link, retained) for sign, retained, _ in door.check_ins]
    assert said == [("gw-1", Link.ONLINE, True)], "who is there again is said to be gone"


@in_virtual_time
async def test_it_is_asked_for_again_before_anybody_is_missed_by_what_an_earlier_life_knew():
    broker, door = FakeBroker(), FakeDoor()
    broker.kept, broker.loses_kept = {GATEWAY: b"online"}, 1
    async with running(broker, door, telemetry=[HEARTBEATS]):
        await asyncio.sleep(OFFLINE_S / 2)
        assert len(door.check_ins) == 1


@pytest.mark.parametrize("said", [b"{}", b"online"])
@in_virtual_time
async def test_what_a_broker_keeps_is_not_believed_again_after_a_device_has_spoken(said: bytes):
    """Who leaves a last will as retained, and says "online" otherwise, would be gone at each question."""
    broker, door = FakeBroker(), FakeDoor()
    broker.kept = {GATEWAY: b"offline"}
    async with running(broker, door, telemetry=[HEARTBEATS]):
        await asyncio.sleep(5)
        broker.publish(GATEWAY, said, qos=0)
        await asyncio.sleep(600)
    assert [retained for _, retained, _ in door.check_ins] == [True, False], "who is there is said to be gone"


@in_virtual_time
async def test_of_who_spoke_first_a_last_will_that_was_lost_says_nothing():
    broker, door = FakeBroker(), FakeDoor()
    broker.kept, broker.loses_kept = {GATEWAY: b"offline"}, 1
    async with running(broker, door, telemetry=[HEARTBEATS]):
        await asyncio.sleep(5)
        broker.publish(GATEWAY, b"{}", qos=0)
        await asyncio.sleep(600)
    assert [sign.alive for sign, *_ in door.check_ins] == [True], "who is there is said to be gone"


@in_virtual_time
async def test_a_battery_that_a_broker_keeps_is_told_once():
    broker, door = FakeBroker(), FakeDoor()
    broker.kept = {GATEWAY: b'{"battery": 5}'}
    async with running(broker, door, telemetry=[HEARTBEATS]):
        await asyncio.sleep(600)
    assert len(door.check_ins) == 1


@in_virtual_time
async def test_after_a_reconnect_what_a_broker_keeps_is_newer_than_what_was_heard_before():
    broker, door = FakeBroker(), FakeDoor()
    async with running(broker, door, telemetry=[HEARTBEATS]):
        await asyncio.sleep(5)
        broker.publish(GATEWAY, b"online", qos=0)
        await asyncio.sleep(20)
        broker.kept, broker.loses_kept = {GATEWAY: b"offline"}, 1
        broker.drop("a cable was pulled")
        await asyncio.sleep(600)
    assert [sign.link for sign, *_ in door.check_ins] == [Link.ONLINE, Link.OFFLINE], "who is gone is missed by nobody"


@in_virtual_time
async def test_a_broker_that_hangs_up_on_a_second_question_is_asked_no_more():
    broker, door = FakeBroker(), FakeDoor()
    async with running(broker, door, telemetry=[HEARTBEATS]):
        for _ in range(6):
            await asyncio.sleep(10)
            broker.hangs_up_on = {HEARTBEATS}
            await asyncio.sleep(10)
            broker.hangs_up_on = set()
        connections = len(broker.connections)
        broker.hangs_up_on = {HEARTBEATS}
        await asyncio.sleep(600)
        assert len(broker.connections) == connections, "the side session is lost again and again"
