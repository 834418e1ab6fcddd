"""What a fuzzer does with one payload: decode it as the daemon does, route it, decide. And what must be true of it.

Starts from true messages: the examples of every profile, and what the simulator's makers say. Owns the oracle, which
shares nothing with the decoders: a topic or a device that can never press pages nobody, whatever bytes come there; nor
does a stranger; nothing retained pages; a press belongs to the device whose topic it is; and of devices that send bytes
a press needs the bytes that stand for it.
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
from alertd_adapters.decoders.mapping.library import PROFILE, SOURCE, built_in
from alertd_adapters.decoders.mapping.plugin import plugin
from alertd_adapters.mqtt.decoding import Trigger, Triggers
from alertd_simulator.families.catalogue import families
from alertd_simulator.families.said import Said
from tests.adapters.decoders.mapping.samples import FOLDER, samples
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
    "milesight-ws101": rb"\xff\x2e[\x01-\x03]",
    "milesight-ws156": rb"\xff\x34",
    "netvox-button": rb"^\x01.\x01.\x01",
    "dragino-pb01": rb"^...\x01",
    "rak2171": rb"^\xcc",
    "abeeway-at2": rb"^\x0a....\x07|^.[\x10-\x1f\x30-\x3f\x50-\x5f\x70-\x7f\x90-\x9f\xb0-\xbf\xd0-\xdf\xf0-\xff]",
}
"""Profile -> what the bytes of a press hold; for payloads that carry bytes and no decoded object."""


class Seed(Struct, frozen=True):
    """A true message."""

    source: str
    profile: str
    device: str
    topic: str
    payload: bytes


class FalsePageError(AssertionError):
    """Somebody would be called for nothing."""


def seeds() -> list[Seed]:
    """In a fixed order. Without the samples beside the repository it is those that the project wrote."""
    found = [*_examples(), *_played()]
    return sorted(set(found), key=lambda seed: (seed.source, seed.profile, seed.topic, seed.payload))


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
            source = name if kind == SOURCE else example.source
            expected = example.expect if isinstance(example.expect, list) else [{}]
            device = str(next((each["device"] for each in expected if "device" in each), example.device or "nobody"))
            yield Seed(source, name if kind == PROFILE else "", device, example.topic, example.payload.encode())


def _played() -> Iterator[Seed]:
    for family in families().values():
        for act in family.acts:
            said = Said(device="5592405" if "433" in family.name else "a:b", act=act, at_us=AT_US, number=3)
            for message in family.maker(said):
                yield Seed(family.source, family.profile, said.device, message.topic, message.payload)


# --- one payload ------------------------------------------------------------------------------------------------------


@cache
def _triggers(source: str, profile: str, device: str) -> tuple[Triggers, Registry]:
    registry = _school_with(device, profile)
    surroundings = Surroundings(clock=None, http=None, secret=str, registry=lambda: registry)  # type: ignore[arg-type]
    decoder = plugin.build_within({"source": source}, surroundings)
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
