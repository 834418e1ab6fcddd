"""What a fuzzer does with one payload: decode it as the daemon does, route it, decide. And what must be true of it.

Starts from true messages: the examples of every profile, a line for each word that they know (words.toml), what the
simulator's makers say, and a few for the decoders that need no profile. Owns the oracle, which shares nothing with the
decoders: a topic or a device that can never press pages nobody, whatever bytes come there; nor does a stranger; nothing
retained pages; a press belongs to the device whose topic it is; of devices that send bytes a press needs the bytes that
stand for it; and a true message that is no press (a button let go, an alarm that is over, a sign of life) pages nobody,
whatever is added that nobody reads, as one that is a press stays one.
"""

import base64
import json
import re
import time
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from msgspec import Struct

from alertd.engine.decide import decide
from alertd.engine.routing import route
from alertd.engine.spelling import as_registered
from alertd.model.anchor import Now
from alertd.model.decision import Facts, SiteState
from alertd.model.events import Arrival, Malformed, Overheard, Pressed, Unregistered
from alertd.model.ids import DeviceId, spelled_alike
from alertd.model.registry import Registry
from alertd.model.site import Device, DeviceKind, Gestures
from alertd.ports import PAYLOAD_MAX_BYTES, Surroundings
from alertd_adapters.decoders import press_json, zigbee2mqtt
from alertd_adapters.decoders.mapping.events import QUIET
from alertd_adapters.decoders.mapping.library import PROFILE, SOURCE, built_in
from alertd_adapters.decoders.mapping.plugin import plugin
from alertd_adapters.decoders.mapping.written import Example
from alertd_adapters.mqtt.decoding import Trigger, Triggers
from alertd_simulator.families.catalogue import families
from alertd_simulator.families.said import Said
from tests.adapters.decoders.mapping.samples import FOLDER, samples
from tests.adapters.decoders.mapping.words import messages
from tests.engine import school

AT_US = 1_788_273_727_312_000
GESTURES = Gestures(id="example", presses={1: "staff_assist", 8: "lockdown"}, actions={"duress": "lockdown"})
QUIET_TOPIC = re.compile(
    r"/event/(status|join|ack|txack|location|log)$|/state/conn$|/announce$|/online$|/LWT$|/availability$|/set$|/get$"
    r"|/heartbeat$|/(NDEATH|DDEATH|NCMD|DCMD)/|^STATE/|\$state$|/down/|/available$"
)
"""Topics on which nobody can press."""
QUIET_PROFILES = frozenset({"milesight-gs301", "lorawan-sensor", "dragino-lds02"})
BYTES = {
    "milesight-ws101": rb"\xff\x2e.",
    "milesight-ws156": rb"\xff\x34",
    "netvox-button": rb"^\x01.\x01.[^\x00]",
    "dragino-pb01": rb"^...[^\x00]",
    "rak2171": rb"^[\xc0-\xc9\xcc\xce\xcf]",
    "abeeway-at2": rb"^\x0a....\x07|^.[\x10-\x1f\x30-\x3f\x50-\x5f\x70-\x7f\x90-\x9f\xb0-\xbf\xd0-\xdf\xf0-\xff]",
}
"""Profile -> what the bytes of a press hold, or of a word that nobody knows; for payloads that carry bytes and no
decoded object."""
UNPROFILED = {
    "press_json": press_json.plugin.build({}),
    "press_json, heartbeats": press_json.plugin.build({"heartbeats": True}),
    "zigbee2mqtt, unprofiled": zigbee2mqtt.plugin.build({}),
}
"""Decoders of the example and of `alertd init`, by the name that their seeds call a source."""
_Z = "zigbee2mqtt/desk"
UNPROFILED_SAY = (
    ("press_json", "alertd/press/desk", False, (
        '{"action": "press", "count": 3, "seq": 17, "boot": "a1", "at": "2026-09-01T14:42:07.310Z", "gateway": "gw-1"}',
        '{"action": "duress", "device_id": "desk", "at": 1788273727312, "battery": 80}',
        '{"action": "alarm", "lasts_s": 60, "rssi": -60}',
    )),
    ("press_json", "alertd/press/desk", True, (
        '{"action": "heartbeat", "battery": 80}', '{"action": "alarm", "lasts_s": 60, "over": true}',
        '{"action": "vape", "reading": 63}', '{"device_id": "another", "action": "press"}', '{"battery": 80}', "press",
    )),
    ("press_json, heartbeats", "alertd/telemetry/desk", True, (
        '{"battery": 80, "battery_low": false, "tamper": false, "gateway": "gw-1"}', '{"link": "offline"}', "offline",
        '{"tamper": true}', '{"action": "heartbeat"}',
    )),
    ("zigbee2mqtt, unprofiled", _Z, False, (
        '{"action": "single", "battery": 80, "linkquality": 90, "last_seen": "2026-09-01T14:42:07.310Z"}',
        '{"action": "", "sos": true, "tamper": true}', '{"action": "disarm", "action_code": "0000"}',
        '{"click": "double", "sos": false}',
    )),
    ("zigbee2mqtt, unprofiled", _Z, True, (
        '{"action": null, "battery": 80}', '{"action": "", "click": ""}', '{"sos": false, "tamper": false}',
    )),
    ("zigbee2mqtt, unprofiled", f"{_Z}/action", False, ("emergency",)),
    ("zigbee2mqtt, unprofiled", f"{_Z}/action", True, ("", "null")),
    ("zigbee2mqtt, unprofiled", f"{_Z}/availability", True, ('{"state": "offline"}', "online")),
    ("zigbee2mqtt, unprofiled", f"{_Z}/set", True, ('{"state": "ON", "action": "single"}',)),
)  # fmt: skip
"""Source, topic, is it no press, what is said."""


class Seed(Struct, frozen=True):
    """A true message."""

    source: str
    profile: str
    device: str
    topic: str
    payload: bytes
    is_quiet: bool = False
    """Said as it is, it calls nobody."""


class FalsePageError(AssertionError):
    """Somebody would be called for nothing."""


class LostPressError(AssertionError):
    """Somebody would not be called."""


def seeds() -> list[Seed]:
    """In a fixed order. Without the samples beside the repository it is those that the project wrote."""
    found = {*_examples(), *_worded(), *_played(), *_unprofiled()}
    return sorted(found, key=lambda seed: (seed.source, seed.profile, seed.topic, seed.payload, seed.is_quiet))


def shared_seeds() -> list[Seed]:
    """Payloads of real devices; none in a clone of its own."""
    if not Path(FOLDER).is_dir():
        return []
    return [
        Seed(sample.source or "", sample.profile, sample.device_id, sample.topic, sample.payload)
        for sample in samples()
    ]


def _examples() -> Iterator[Seed]:
    for (kind, name), entry in built_in().entries.items():
        for example in entry.written.examples:
            yield _seed(name if kind == SOURCE else example.source, name if kind == PROFILE else "", example)


def _worded() -> Iterator[Seed]:
    for message in messages():
        for example in message.examples():
            yield _seed(message.source, message.profile, example)


def _seed(source: str, profile: str, example: Example) -> Seed:
    expected = example.expect if isinstance(example.expect, list) else []
    device = str(next((each["device"] for each in expected if "device" in each), example.device or "nobody"))
    is_quiet = all(each.get("event") in QUIET or each.get("action") == "" for each in expected)
    return Seed(source, profile, device, example.topic, example.payload.encode(), is_quiet)


def _played() -> Iterator[Seed]:
    for family in families().values():
        for act in family.acts:
            said = Said(device="5592405" if "433" in family.name else "a:b", act=act, at_us=AT_US, number=3)
            for message in family.maker(said):
                yield Seed(family.source, family.profile, said.device, message.topic, message.payload, act in QUIET)


def _unprofiled() -> Iterator[Seed]:
    for source, topic, is_quiet, payloads in UNPROFILED_SAY:
        for payload in payloads:
            yield Seed(source, "", "desk", topic, payload.encode(), is_quiet)


# --- one payload ------------------------------------------------------------------------------------------------------


@cache
def _triggers(source: str, profile: str, device: str) -> tuple[Triggers, Registry]:
    registry = _school_with(device, profile)
    surroundings = Surroundings(clock=None, http=None, secret=str, registry=lambda: registry)  # type: ignore[arg-type]
    decoder = UNPROFILED.get(source) or plugin.build_within({"source": source}, surroundings)
    return Triggers([Trigger(topic_filter="#", decoder=decoder)]), registry


def _school_with(device: str, profile: str) -> Registry:
    """A whole school, so that the engine has everything to decide with."""
    found = school.registry()
    if device == "nobody":
        return found
    row = Device(
        id=DeviceId(device),
        kind=DeviceKind.BUTTON,
        site_id=school.OAK,
        zone_id=next(z.id for z in found.zones.values() if z.site_id == school.OAK),
        gestures=GESTURES,
        profile=profile,
    )
    fields = {name: getattr(found, name) for name in found.__struct_fields__}
    return Registry(**fields | {"devices": found.devices | {row.id: row}})


def try_dressed(seed: Seed, payload: bytes) -> None:
    """A payload that says the same as its seed: who is called by the one is called by the other."""
    try_one(seed, payload)
    before, now = _calls(seed, seed.payload), _calls(seed, payload)
    if now and (seed.is_quiet or not before):
        raise FalsePageError(f"{', '.join(now)} by what is no press of {seed.device}: {payload!r}")
    if now != before:
        raise LostPressError(f"it calls {now}, and no more {before}, since nothing but {payload!r} is said")


def _calls(seed: Seed, payload: bytes) -> list[str]:
    """What is heard of it that would call somebody, in the order of letters."""
    triggers, _ = _triggers(seed.source, seed.profile, seed.device)
    signals = triggers.decode(seed.topic, payload).signals
    return sorted(f"{each.device_id} {each.action}" for each in signals if not each.ends and each.reading is None)


def try_one(seed: Seed, payload: bytes, *, retained: bool = False) -> float:
    """Seconds of CPU that it took. Raises `FalsePageError`, or whatever the code under test raises."""
    triggers, registry = _triggers(seed.source, seed.profile, seed.device)
    began = time.thread_time()
    decoded = triggers.decode(seed.topic, payload)
    took = time.thread_time() - began
    assert "failed with" not in decoded.refused, f"a decoder broke on {payload!r}: {decoded.refused}"
    arrival = Arrival(
        source="broker",
        topic=seed.topic,
        signals=decoded.signals,
        received_us=AT_US,
        arrival_id="1",
        refused=decoded.refused,
        retained=retained,
        size=len(payload),
    )
    for event in route(registry, as_registered(registry, arrival)):
        assert isinstance(event, Pressed | Overheard | Malformed | Unregistered)
        if isinstance(event, Pressed):
            if not event.signal.ends and event.signal.reading is None:
                _judge(seed, payload, event)
            _decide(registry, event)
    assert not (len(payload) > PAYLOAD_MAX_BYTES and decoded.signals)
    return took


def _decide(registry: Registry, event: Pressed) -> None:
    """The engine takes it, whatever numbers and times it holds."""
    facts = Facts(registry=registry, free_tokens=("17", "18", "19"))
    decision = decide(SiteState(site_id=school.OAK), facts, event, Now(wall_us=AT_US, boot_us=1))
    if (event.retained or event.signal.ends) and decision.incidents:
        raise FalsePageError("a retained message paged, or one that ends a state")


def _judge(seed: Seed, payload: bytes, event: Pressed) -> None:
    device = event.signal.device_id
    own = {seed.device, spelled_alike(seed.device)}
    if seed.device == "nobody" or (device not in own and device.rpartition(":")[0] not in own):
        raise FalsePageError(f"{device} paged by a message of {seed.device} on {seed.topic}: {payload!r}")
    if QUIET_TOPIC.search(seed.topic):
        raise FalsePageError(f"{seed.topic} is no topic of a press: {payload!r}")
    if seed.profile in QUIET_PROFILES:
        raise FalsePageError(f"a {seed.profile} cannot press: {payload!r}")
    wanted = BYTES.get(seed.profile)
    if wanted is not None and (data := _data(seed, payload)) is not None and re.search(wanted, data, re.DOTALL) is None:
        raise FalsePageError(f"these bytes hold no press of a {seed.profile}: {data.hex()} in {payload!r}")


def _data(seed: Seed, payload: bytes) -> bytes | None:
    """Bytes that the message carries, if they are all that it says."""
    if seed.source not in ("chirpstack-v4", "milesight-gateway", "loriot"):
        return None
    try:
        body = json.loads(payload)
        found = body["data"]
        if "object" in body or "decoded" in body or not isinstance(found, str):
            return None
        return bytes.fromhex(found) if seed.source == "loriot" else base64.b64decode(found, validate=True)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
