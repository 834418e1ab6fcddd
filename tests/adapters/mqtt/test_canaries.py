"""A broker that takes presses and does not hand them to us: who finds out, and how soon, before anybody presses."""

import asyncio
from typing import Any

import pytest

from alertd.console.broker_session import STRANGER_PAYLOAD
from alertd.model.canary import CANARY_WORD, canary_topic
from alertd.model.events import TroubleRaised
from alertd_simulator.virtual_time import in_virtual_time
from tests.adapters.mqtt.fake_broker import FakeBroker, FakeDoor
from tests.adapters.mqtt.world import running

CANARY = "alertd/press/alertd-canary"
TWO = [{"topic": "alertd/press/+"}, {"topic": "zigbee2mqtt/+"}]


def rings(door: FakeDoor, key: str) -> bool:
    return next(e.rings for e in door.events if isinstance(e, TroubleRaised) and e.key == key)


@in_virtual_time
async def test_presses_that_are_taken_and_not_handed_to_us_ring_somebody_within_a_minute():
    """As mosquitto does with an access list in which our right to read presses is missing."""
    broker, door = FakeBroker(), FakeDoor()
    broker.swallowed |= {CANARY, "alertd/press/badge-1"}
    async with running(broker, door, triggers=TWO) as world:
        await asyncio.sleep(45)
        assert list(door.standing) == ["broker_deaf:oak"], "presses do not reach us, and nobody is told"
        assert rings(door, "broker_deaf:oak")
        assert "alertd/press/+" in door.standing["broker_deaf:oak"]
        assert "zigbee2mqtt" not in door.standing["broker_deaf:oak"]
        assert not world.source.is_connected, "health says that presses are taken"


@in_virtual_time
async def test_a_right_that_is_taken_away_is_noticed_and_its_return_too():
    broker, door = FakeBroker(), FakeDoor()
    async with running(broker, door) as world:
        await asyncio.sleep(300)
        assert door.standing == {}
        broker.swallowed.add(CANARY)
        await asyncio.sleep(125)
        assert list(door.standing) == ["broker_deaf:oak"]
        broker.swallowed.clear()
        await asyncio.sleep(45)
        assert door.standing == {}
        assert world.source.is_connected


@in_virtual_time
async def test_one_lost_word_is_no_alarm():
    broker, door = FakeBroker(), FakeDoor()
    broker.swallowed.add(CANARY)
    async with running(broker, door):
        await asyncio.sleep(15)
        broker.swallowed.clear()
        await asyncio.sleep(120)
        assert door.events == []


@in_virtual_time
async def test_what_only_the_other_session_hears_is_not_heard():
    broker, door = FakeBroker(), FakeDoor()
    async with running(broker, door, telemetry=["alertd/#"]):
        broker.session_filters["alertd-oak"].pop("alertd/press/+")
        await asyncio.sleep(130)
        assert "broker_deaf:oak" in door.standing
        assert ("oak", "telemetry_not_understood") not in door.observed


@in_virtual_time
async def test_a_word_that_the_broker_refuses_leaves_it_unknown_and_that_is_said():
    broker, door = FakeBroker(), FakeDoor()
    broker.forbidden.add(CANARY)
    async with running(broker, door) as world:
        await asyncio.sleep(45)
        assert list(door.standing) == ["broker_unproven:oak"]
        assert CANARY in door.standing["broker_unproven:oak"]
        assert not rings(door, "broker_unproven:oak")
        assert world.source.is_connected
        broker.forbidden.clear()
        await asyncio.sleep(700)
        assert door.standing == {}


@in_virtual_time
async def test_a_broker_that_hangs_up_on_the_word_keeps_the_session_of_presses_and_is_not_annoyed():
    broker, door = FakeBroker(), FakeDoor()
    broker.hangs_up_on.add(CANARY)
    async with running(broker, door):
        await asyncio.sleep(120)
        side = [c for c in broker.connections if c.options.client_id == "alertd-oak-side"]
        assert len(side) == 4
        assert len(broker.connected_at) == 1
        assert list(door.standing) == ["broker_unproven:oak"]
        broker.hangs_up_on.clear()
        await asyncio.sleep(700)
        assert door.standing == {}


@in_virtual_time
async def test_what_is_kept_from_us_is_told_where_our_sign_of_life_does_not_come_back_either():
    broker, door = FakeBroker(), FakeDoor()
    broker.swallowed |= {"alertd/alive/alertd-oak", "gym/alertd-canary"}
    async with running(broker, door, triggers=[{"topic": "alertd/press/+"}, {"topic": "gym/+"}]):
        await asyncio.sleep(120)
        assert sorted(door.standing) == ["broker_alive:oak", "broker_deaf:oak"], "presses in the gym page nobody"
        assert rings(door, "broker_deaf:oak")


@in_virtual_time
async def test_a_broker_that_delivers_nothing_at_all_is_told_of_once():
    broker, door = FakeBroker(), FakeDoor()
    async with running(broker, door):
        await asyncio.sleep(10)
        broker.swallowed |= {CANARY, "alertd/alive/alertd-oak"}
        await asyncio.sleep(200)
        assert list(door.standing) == ["broker_alive:oak"]


@in_virtual_time
async def test_a_canary_is_no_press_whoever_says_it_and_a_press_on_its_topic_is_none():
    broker, door = FakeBroker(), FakeDoor()
    async with running(broker, door) as world:
        broker.publish(CANARY, CANARY_WORD + b"alertd-doctor-1234")
        world.press("alertd-doctor-other", STRANGER_PAYLOAD)
        await asyncio.sleep(1)
        assert door.arrivals == []
        assert broker.presses.unacked == {}
        broker.publish(CANARY, b'{"action":"press"}')
        await asyncio.sleep(1)
        assert [arrival.topic for arrival in door.arrivals] == [CANARY]
        assert door.standing == {}


@pytest.mark.parametrize("settings", [{"alive_topic": ""}, {"triggers": [{"topic": "panel/alarm"}]}])
@in_virtual_time
async def test_where_we_may_publish_nothing_or_a_device_speaks_nothing_is_said(settings: dict[str, Any]):
    broker, door = FakeBroker(), FakeDoor()
    async with running(broker, door, **settings):
        await asyncio.sleep(120)
        assert {each.topic for each in broker.published} <= {"alertd/alive/alertd-oak"}
        assert door.standing == {}


@pytest.mark.parametrize(
    ("topic_filter", "topic"),
    [
        ("alertd/press/+", CANARY),
        ("application/+/device/+/event/up", "application/alertd-canary/device/alertd-canary/event/up"),
        ("zigbee2mqtt/#", "zigbee2mqtt/alertd-canary"),
        ("panel/alarm", None),
        ("$share/group/alertd/press/+", None),
    ],
)
def test_where_it_is_said(topic_filter: str, topic: str | None):
    assert canary_topic(topic_filter) == topic
