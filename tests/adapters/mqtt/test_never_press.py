"""What a sensor says and nobody understands: from the broker to whoever is told."""

import asyncio
import json

import pytest
from msgspec.structs import replace

from alertd.engine.routing import route
from alertd.model.events import Malformed
from alertd.model.notification import Lane
from alertd.model.registry import Registry
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


HALO = {"topic": "halo/+/event", "decoder": "profiles", "options": {"source": "halo"}, "kinds": ["sensor"]}
PLAIN = {"topic": "halo/+", "decoder": "press_json", "kinds": ["gateway", "sensor"]}


def of_kind(kind: DeviceKind, name: str) -> Registry:
    known = registry_of([name], "")
    return replace(known, devices={id_: replace(each, kind=kind) for id_, each in known.devices.items()})


@pytest.mark.parametrize(
    ("trigger", "topic", "payload"),
    [
        (HALO, "halo/button-2/event", b'{"event": {"ID": "hold", "Status": "true"}}'),
        (PLAIN, "halo/button-2", b'{"action": "hold"}'),
    ],
    ids=["profiles", "press_json"],
)
@pytest.mark.parametrize("kind", [DeviceKind.BUTTON, DeviceKind.WEARABLE])
@in_virtual_time
async def test_a_sensors_password_presses_no_button_and_whoever_is_on_duty_is_rung(
    kind: DeviceKind, trigger: dict[str, object], topic: str, payload: bytes
):
    """A sensors' bridge said a button's name, and locked the school down. Or the kinds are wrong, and somebody has
    pressed: nobody knows, so people look (promise 2)."""
    broker, door, known = FakeBroker(), FakeDoor(), of_kind(kind, "button-2")
    async with running(broker, door, registry=known, triggers=[trigger]):
        broker.publish(topic, payload)
        await asyncio.sleep(1)
        assert len(broker.acked()) == 1
    (arrival,) = door.arrivals
    (event,) = route(known, arrival)
    assert isinstance(event, Malformed), "a sensor's password pressed a button"
    assert "refused" in [what for _, what in door.observed]
    assert not [sign for sign, *_ in door.check_ins if sign.pressed], "it counts as tested"
    play = Play(site_id=event.site_id)
    play.do(event)
    told = play.news()[0].text
    assert "May have been a press" in told
    assert f"kinds of {trigger['topic']} exclude button-2" in told


@in_virtual_time
async def test_what_a_sensor_says_there_is_heard_and_a_button_where_anybody_may_speak():
    broker, door = FakeBroker(), FakeDoor()
    anybodys = {"topic": "all/+", "decoder": "press_json", "kinds": ["button", "sensor"]}
    known = of_kind(DeviceKind.SENSOR, "vape-1")
    known = replace(known, devices={**known.devices, **of_kind(DeviceKind.BUTTON, "button-2").devices})
    async with running(broker, door, registry=known, triggers=[PLAIN, anybodys]):
        broker.publish("halo/vape-1", b'{"action": "vape"}')
        broker.publish("all/button-2", b'{"action": "press"}')
        await asyncio.sleep(1)
    assert [[each.device_id for each in arrival.signals] for arrival in door.arrivals] == [["vape-1"], ["button-2"]]


@pytest.mark.parametrize("kind", [None, DeviceKind.GATEWAY], ids=["unregistered", "a gateway"])
@in_virtual_time
async def test_whoever_is_not_registered_there_presses_nothing_and_is_told_of_once(kind: DeviceKind | None):
    """A HALO that has no row yet rang for each of its vapes: "A press that paged NOBODY"."""
    broker, door = FakeBroker(), FakeDoor()
    known = of_kind(kind, "H10") if kind else of_kind(DeviceKind.SENSOR, "H11")
    anybodys = {"topic": "all/+", "decoder": "press_json"}
    async with running(broker, door, registry=known, triggers=[PLAIN, anybodys]):
        for seq in (1, 2):
            broker.publish("halo/H10", json.dumps({"action": "press", "seq": seq, "boot": "b"}).encode())
        broker.publish("all/H10", b'{"action": "press", "seq": 2, "boot": "b"}')
        await asyncio.sleep(1)
    vape, again, press = [event for arrival in door.arrivals for event in route(known, arrival)]
    play = Play(site_id=vape.site_id)
    for each in (vape, again):
        play.do(each)
    (told,) = play.news()
    assert told.lane is not Lane.PANIC, "nobody presses there, and it rings"
    assert "Not a press: H10 speaks where sensors do" in told.text
    play.do(press)
    assert [each.lane for each in play.news()] == [Lane.PANIC], "promise 2: there anybody may press"
