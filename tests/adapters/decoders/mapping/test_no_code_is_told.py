"""What a keypad or a lock of any built-in source says of a code is in no explanation, reason, refusal or signal."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from alertd.ports import DecodeError
from alertd_adapters.decoders.mapping.checking import registry_of
from alertd_adapters.decoders.mapping.codes import ALWAYS, PERHAPS
from alertd_adapters.decoders.mapping.explaining import explain
from alertd_adapters.decoders.mapping.library import built_in
from alertd_adapters.decoders.mapping.written import DeviceProfile, SourceProfile
from tests.adapters.decoders.mapping.samples import decoder_of
from tests.adapters.decoders.mapping.test_learning import fitting
from tests.adapters.decoders.mapping.test_zwave import TYPED

CODE = "80915"
SECRET = "what was typed is nobody's business"
KEYS = tuple(sorted({*ALWAYS, *PERHAPS, "actionCode", "PIN", "User_Code", "eventData", "event_data"}))


def said() -> Iterator[tuple[str, str, str, str, str]]:
    """Source, device, profile, topic and payload of every example, and of what has a code by its topic alone."""
    for (_, name), entry in built_in().entries.items():
        written = entry.written
        for each in written.examples:
            told = str(each.expect[0].get("device", "")) if each.expect and not isinstance(each.expect, str) else ""
            device = each.device or told or "pad"
            if isinstance(written, SourceProfile):
                yield name, device, written.profile, each.topic, each.payload
            elif isinstance(written, DeviceProfile):
                yield each.source, device, name, each.topic, each.payload
    for topic in TYPED:
        yield "zwave-js-ui", "Office:strip", "", topic, json.dumps({"time": 1_788_187_327_310, "value": CODE})
    for payload in (CODE, f'"{CODE}"'):
        yield "homie", "pad", "", "homie/5/pad/keypad/code", payload
        yield "homie", "pad", "homie-alert", "homie/5/pad/keypad/code", payload
        yield "esphome", "pad", "", "pad/text_sensor/keypad_code/state", payload
        yield "esphome", "pad", "", "pad/sensor/pin/state", payload
        yield "home-assistant", "office:pad", "", "home/office/pad/code", payload


def with_codes(value: Any, key: str, code: object) -> Any:
    """In every object of it."""
    if isinstance(value, dict):
        return {**{name: with_codes(each, key, code) for name, each in value.items()}, key: code}
    return [with_codes(each, key, code) for each in value] if isinstance(value, list) else value


def payloads(payload: str) -> Iterator[bytes]:
    yield payload.encode()
    try:
        read = json.loads(payload)
    except ValueError:
        return
    if isinstance(read, dict | list):
        for at, key in enumerate(KEYS):
            yield json.dumps(with_codes(read, key, int(CODE) if at % 2 else CODE)).encode()


SOURCES = sorted(built_in().sources)


@pytest.mark.parametrize("source", SOURCES)
def test_a_typed_code_comes_out_of_no_source_by_whichever_profile(source):
    found, tried = built_in(), 0
    for its_source, device, profile, topic, payload in said():
        if its_source != source:
            continue
        registry = registry_of([device], profile)
        mapped = decoder_of(found, source, registry)
        for data in payloads(payload):
            told = repr(explain(mapped, topic, data))
            try:
                told += repr(mapped.understand(topic, data))
            except DecodeError as error:
                told += str(error)
            assert CODE not in told, f"{SECRET}: {topic} {data!r}"
            tried += 1
    assert tried


@pytest.mark.parametrize("source", SOURCES)
def test_a_typed_code_is_in_no_reason_why_a_profile_fits(source):
    tried: dict[tuple[str, int], tuple[str, str, str]] = {}
    for its_source, device, _, topic, payload in said():
        if its_source == source:
            tried[topic.rpartition("/")[2], topic.count("/")] = (device, topic, payload)
    for device, topic, payload in tried.values():
        for data in (*payloads(payload),)[:3]:
            why = fitting(source, device, (topic, data))
            assert CODE not in repr(why), f"{SECRET}: {topic} {data!r}"
