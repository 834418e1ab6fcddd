"""What a sensor says and nobody understands: from the broker to whoever is told."""

import asyncio
import json

import pytest
from msgspec.structs import replace

from alertd.engine.routing import route
from alertd.model.site import DeviceKind
from alertd_adapters.decoders.mapping.checking import registry_of
from alertd_simulator.virtual_time import in_virtual_time
from tests.adapters.mqtt.fake_broker import FakeBroker, FakeDoor
from tests.adapters.mqtt.world import running
from tests.engine.play import Play

EUI = "24e1240000000301"
UPLINK = f"application/7f3c/device/{EUI}/event/up"
REPORT = json.dumps(
    {"deduplicationId": "x", "deviceInfo": {"devEui": EUI}, "fPort": 85, "data": "AFoBDwAVBQ=="}
).encode()
"""Battery and index, and a value that its maker has added."""


@pytest.mark.parametrize("payload", [REPORT, b"{", b" "], ids=["a value more", "not JSON", "blank"])
@pytest.mark.parametrize(
    ("kind", "said"), [(DeviceKind.SENSOR, "Not a press"), (DeviceKind.BUTTON, "May have been a press")]
)
@in_virtual_time
async def test_it_is_told_as_what_it_is(kind: DeviceKind, said: str, payload: bytes):
    broker, door = FakeBroker(), FakeDoor()
    known = registry_of([EUI], "milesight-gs601")
    known = replace(known, devices={id_: replace(each, kind=kind) for id_, each in known.devices.items()})
    trigger = {"topic": "application/#", "decoder": "profiles", "options": {"source": "chirpstack-v4"}}
    async with running(broker, door, registry=known, triggers=[trigger]):
        broker.publish(UPLINK, payload)
        await asyncio.sleep(1)
    (arrival,) = door.arrivals
    (event,) = route(known, arrival)
    play = Play(site_id=event.site_id)
    play.do(event)

    told = [said in each.text for each in play.news()]
    assert told == [True], "a sensor's nonsense is told as what may be a press, or a button's as none"
