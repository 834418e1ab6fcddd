"""What a decoder wants asked is published: a Sparkplug node says its births again, and the press has a name."""

import asyncio

from alertd_adapters.decoders.mapping.checking import registry_of
from alertd_simulator.virtual_time import in_virtual_time
from tests.adapters.decoders.sparkplug.edge import NODE_ID, ROW, Edge
from tests.adapters.mqtt.fake_broker import FakeBroker, FakeDoor
from tests.adapters.mqtt.world import running

OPTIONS = {"source": "sparkplug-b", "rebirth": True}
TRIGGERS = [{"topic": "spBv1.0/oak/#", "decoder": "profiles", "options": OPTIONS}]
COMMAND = f"spBv1.0/oak/NCMD/{NODE_ID}"


@in_virtual_time
async def test_a_node_is_asked_for_its_births_and_the_press_that_waited_arrives():
    broker, door, edge = FakeBroker(), FakeDoor(), Edge()
    registry = registry_of([ROW], "sparkplug-inputs")
    async with running(broker, door, registry=registry, triggers=TRIGGERS):
        broker.publish(*edge.data())
        await asyncio.sleep(0.1)
        assert [each.topic for each in broker.published if each.topic == COMMAND] == [COMMAND]
        broker.publish(*edge.node_birth())
        broker.publish(*edge.birth(pressed=True))
        await asyncio.sleep(0.1)

    unread, *_, birth = door.arrivals
    assert "no birth has named" in unread.refused, "it may have been a press: a trouble says so"
    assert [(each.device_id, each.action) for each in birth.signals] == [(ROW, "press")]
    assert len(broker.acked()) == 3


@in_virtual_time
async def test_a_broker_that_forbids_the_question_costs_nothing_else():
    broker, door, edge = FakeBroker(), FakeDoor(), Edge()
    broker.forbidden.add(COMMAND)
    async with running(broker, door, registry=registry_of([ROW], "sparkplug-inputs"), triggers=TRIGGERS) as world:
        broker.publish(*edge.data())
        await asyncio.sleep(0.1)
        assert world.source.is_connected
        broker.publish(*edge.node_birth())
        broker.publish(*edge.birth())
        broker.publish(*edge.data())
        await asyncio.sleep(0.1)
    assert len(door.arrivals[-1].signals) == 1
