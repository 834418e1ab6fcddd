"""One message speaks of several devices, and what one of them says cannot be read: nobody's press is lost for it."""

import json
import tomllib
from typing import Any

import pytest
from msgspec.structs import replace

from alertd.engine.routing import route
from alertd.model.events import Arrival, Malformed, Pressed, Signal
from alertd.model.ids import DeviceId
from alertd.model.site import DeviceKind
from alertd.ports import DecodeError, Explained
from alertd_adapters.decoders.mapping.checking import registry_of
from alertd_adapters.decoders.mapping.explaining import explain
from alertd_adapters.decoders.mapping.library import library
from alertd_adapters.mqtt.decoding import Decoded, Trigger, Triggers
from tests.adapters.decoders.mapping.samples import decoder_of

HUB = """
[source.our-hub]
about = "a hub of ours"
[[source.our-hub.examples]]
topic = "hub/up"
payload = '[{"id": "k1", "said": "press"}]'
expect = "unknown"

[[source.our-hub.messages]]
topic = "hub/up"
each = "payload"
id = "item.id"
object = "item"

[profile.our-key]
about = "a key of ours"
[[profile.our-key.examples]]
source = "our-hub"
topic = "hub/up"
payload = '[{"id": "k1", "said": "press"}]'
expect = [{ event = "press", device = "k1" }]
[[profile.our-key.rules]]
value = "object.said"
map = { press = "press", alive = "heartbeat", garbled = "unreadable" }
[[profile.our-key.rules]]
each = "object.keys"
value = "item"
map = { press = "press", alive = "heartbeat", garbled = "unreadable" }
[[profile.our-key.rules]]
when = "object.word != `null`"
value = "object.word"
event = "own_word"
"""
KEYS = ("k1", "k2", "k3")


def hub() -> Any:
    found = library({"profiles/hub.toml": tomllib.loads(HUB)})
    return decoder_of(found, "our-hub", registry_of(KEYS, "our-key"))


def parts(**said: Any) -> bytes:
    return json.dumps([{"id": key, **what} for key, what in said.items()]).encode()


def decoded(payload: bytes) -> Decoded:
    return Triggers([Trigger(topic_filter="hub/+", decoder=hub())]).decode("hub/up", payload)


def pressed(signals: tuple[Signal, ...]) -> list[str]:
    return [str(signal.device_id) for signal in signals if not signal.ends]


PRESS, GARBLED, ALIVE = {"said": "press"}, {"said": "garbled"}, {"said": "alive"}
NO_WORD = {"word": {"no": "text"}}


@pytest.mark.parametrize("wrong", [GARBLED, NO_WORD], ids=["unreadable", "no word"])
@pytest.mark.parametrize("first", [True, False])
def test_promise_2_a_part_that_cannot_be_read_is_a_trouble_and_the_press_beside_it_pages(
    wrong: dict[str, Any], *, first: bool
):
    payload = parts(k1=wrong, k2=PRESS) if first else parts(k2=PRESS, k1=wrong)

    found = decoded(payload)

    assert pressed(found.signals) == ["k2"]
    assert found.refused, "what may have been k1's press raised no trouble"
    assert not found.uncovered


def test_what_cannot_be_read_beside_a_sign_of_life_is_refused():
    found = decoded(parts(k1=GARBLED, k3=ALIVE))

    assert (found.signals, bool(found.refused)) == ((), True)
    with pytest.raises(DecodeError):
        hub().understand("hub/up", parts(k1=GARBLED, k3=ALIVE))


@pytest.mark.parametrize("sensor", ["k1", "k2"])
def test_promise_2_what_a_sensor_says_first_hides_no_press_that_cannot_be_read(sensor: str):
    registry = registry_of(KEYS, "our-key")
    senses = replace(registry.devices[DeviceId(sensor)], kind=DeviceKind.SENSOR)
    known = replace(registry, devices={**registry.devices, senses.id: senses})
    mapped = decoder_of(library({"profiles/hub.toml": tomllib.loads(HUB)}), "our-hub", known)
    with pytest.raises(DecodeError) as refused:
        mapped.decode("hub/up", parts(k1=GARBLED, k2=GARBLED))

    assert refused.value.never_press is False, "promise 2: a button's, and it rings nobody"


@pytest.mark.parametrize("first", [{"water-meter": PRESS}, {"k2": {"said": "never heard of it"}}])
def test_promise_2_a_part_that_nobody_knows_hides_no_part_that_cannot_be_read(first: dict[str, Any]):
    found = decoded(parts(**first, k1=GARBLED))

    assert found.refused, "what may have been k1's press is counted, and no trouble"
    assert not found.uncovered


def test_a_stranger_beside_a_press_is_no_trouble():
    found = decoded(json.dumps([{"id": "water-meter", "said": "press"}, {"id": "k2", **PRESS}]).encode())

    assert (pressed(found.signals), found.refused) == (["k2"], "")


def test_whoever_asks_is_told_both():
    found: Explained = explain(hub(), "hub/up", parts(k1=GARBLED, k2=PRESS))

    assert pressed(found.signals) == ["k2"]
    assert found.refused


def test_the_core_is_told_of_both():
    found = decoded(parts(k1=GARBLED, k2=PRESS))
    arrival = Arrival(
        source="hub",
        topic="hub/up",
        signals=found.signals,
        received_us=1,
        arrival_id="1",
        refused=found.refused,
        size=9,
    )

    events = route(registry_of(KEYS, "our-key"), arrival)

    pressed, malformed = events
    assert isinstance(pressed, Pressed)
    assert isinstance(malformed, Malformed)
    assert pressed.cause != malformed.cause


@pytest.mark.parametrize("keys", [["press", "garbled"], ["garbled", "press"], ["garbled", "alive", "press", "garbled"]])
def test_promise_2_a_press_pages_though_the_same_device_says_something_that_cannot_be_read(keys: list[str]):
    found = decoded(parts(k1={"keys": keys}))

    assert pressed(found.signals) == ["k1"], "a press was lost to what the same device said beside it"
    assert found.refused, "what may have been a second press raised no trouble"


def test_what_cannot_be_read_beside_a_sign_of_life_of_the_same_device_is_refused():
    found = decoded(parts(k1={"keys": ["alive", "garbled"]}))

    assert (found.signals, bool(found.refused)) == ((), True)
