"""The samples of real devices beside the repository, and what alertd makes of each: for the test and the table."""

import base64
import contextlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct

from alertd.model.events import Signal
from alertd.model.registry import Registry
from alertd.ports import DecodeError, UncoveredError
from alertd_adapters.decoders.json_payload import device_time
from alertd_adapters.decoders.mapping.bindings import Bindings
from alertd_adapters.decoders.mapping.checking import registry_of
from alertd_adapters.decoders.mapping.decoder import MappedDecoder
from alertd_adapters.decoders.mapping.library import Library, built_in
from alertd_adapters.decoders.mapping.reading import Reading
from alertd_adapters.decoders.mapping.sparkplug import SparkplugDecoder, SparkplugOptions

FOLDER = Path(__file__).resolve().parents[4].parent / "shared" / "devices"

SERVERS = {
    "application/": "chirpstack-v4",
    "eu868/": "chirpstack-v4",
    "v3/": "tts-v3",
    "loriot/": "loriot",
    "mqtt/things/": "thingpark",
    "uplink/": "milesight-gateway",
    "shellies/": "shelly-gen1",
    "smartclick/": "smart-click",
    "nrf-": "nrf-tracker",
    "ble/": "bthome-raw",
    "STATE/": "sparkplug-b",
}
"""Beginning of a topic -> source profile. What a trigger of channels.toml says."""
SOURCES = {
    "aws-iot-button": "aws-button",
    "brave-buttons": "brave",
    "openmqttgateway": "theengs",
    "theengs-bthome": "theengs",
}
"""Family -> source profile, where they are not called the same."""
BIRTHS = ("sparkplug-nbirth", "sparkplug-dbirth")
"""What a Sparkplug edge node said before it said anything else."""
BASES = {"zwave2jsmqtt/": "zwave2jsmqtt"}
PROFILES = {
    "browan": "browan-tbpb100",
    "globalsat": "globalsat-lt501",
    "loriot": "milesight-ws101",
    "lorawan-sensors": "lorawan-sensor",
    "milesight-gateway": "milesight-ws101",
    "milesight-gs601": "milesight-gs601",
    "milesight-ws101": "milesight-ws101",
    "milesight-ws156": "milesight-ws156",
    "moko": "moko-lw004",
    "netvox": "netvox-button",
    "openmqttgateway": "fixed-code-433",
    "rakwireless": "rak2171",
    "sensecap-t1000": "sensecap-t1000",
    "tektelic-finch": "tektelic-finch",
    "theengs-bthome": "bthome-theengs",
    "thingpark": "abeeway-at2",
}
"""Family -> device profile, where the source has none of its own. What the column of devices.csv says."""
OWN_PROFILES = {
    "abeeway-at3": "abeeway-at3",
    "abeeway-": "abeeway-at2",
    "bthome-raw": "bthome",
    "dragino-lds02": "dragino-lds02",
    "dragino-pb01": "dragino-pb01",
    "gs301": "milesight-gs301",
    "tts-v3-simulated": "milesight-ws101",
    "sparkplug-d": "sparkplug-inputs",
}
"""The same by the beginning of a sample's name: one family, several devices."""
FOREIGN = ("chirpstack-v4-up", "tts-v3-up-generic", "thingpark-uplink-foreign")
"""Devices that no school has registered."""
FINER = {"duress": {"duress", "police"}, "alarm": {"alarm", "fire", "medical"}}
"""`meaning` says duress and alarm where alertd keeps apart what needs another answer (devices.md, quirk 12)."""


class Outcome(Struct, frozen=True, kw_only=True):
    """What came of a sample."""

    readings: tuple[Reading, ...] = ()
    refused: str = ""
    uncovered: str = ""

    @property
    def signals(self) -> tuple[Signal, ...]:
        return tuple(reading.signal() for reading in self.readings if reading.is_signal)


class Sample(Struct, frozen=True, kw_only=True):
    id: str
    family: str
    topic: str
    payload: bytes
    meaning: Mapping[str, Any]
    panic: Any
    near_miss: bool
    mqtt: Mapping[str, Any]

    @property
    def source(self) -> str | None:
        by_topic = (source for start, source in SERVERS.items() if self.topic.startswith(start))
        found = next(by_topic, None) or SOURCES.get(self.family, self.family)
        return found if found in built_in().sources else None

    @property
    def profile(self) -> str:
        own = (profile for start, profile in OWN_PROFILES.items() if self.id.startswith(start))
        return next(own, "") or PROFILES.get(self.family, "")

    @property
    def device_id(self) -> str:
        """No id of a device may hold a slash: it is one level of a topic."""
        return str(self.meaning["device_id"]).replace("/", ":")

    def outcome(self) -> Outcome:
        source = self.source
        assert source is not None
        library = built_in()
        base = next((base for start, base in BASES.items() if self.topic.startswith(start)), None)
        names = [] if self.id in FOREIGN else [self.device_id]
        registry = registry_of(names, self.profile)
        decoder = decoder_of(library, library.source(source, base).name, registry, base)
        if library.source(source).envelope:
            decoder = sparkplug_of(library, registry, self)
        try:
            return Outcome(readings=tuple(decoder.read(self.topic, self.payload, lambda what, found: None)))
        except UncoveredError as error:
            return Outcome(uncovered=error.count)
        except DecodeError as error:
            return Outcome(refused=str(error))

    def wrong(self, outcome: Outcome) -> str:
        """How the outcome differs from the meaning; "" if it does not."""
        meant = self.meaning
        if outcome.refused or outcome.uncovered:
            return outcome.refused or outcome.uncovered
        events = FINER.get(meant["event"], {meant["event"]})
        mine = [each for each in outcome.readings if each.event in events and each.device_id == self.device_id]
        if not mine:
            return f"it is {[(each.event, each.device_id) for each in outcome.readings]}"
        if "battery_pct" in meant and mine[0].battery_pct != round(meant["battery_pct"]):
            return f"the battery has {mine[0].battery_pct} %"
        if "timestamp" in meant and not _about(mine[0].pressed_us, device_time(meant["timestamp_utc"])[0]):
            return f"its time is {mine[0].pressed_us}"
        if self.panic is not False and not outcome.signals:
            return "it is no signal"
        return ""


def _about(got_us: int | None, wanted_us: int | None) -> bool:
    """To the millisecond: `timestamp_utc` has no more."""
    return got_us == wanted_us or (got_us is not None and wanted_us is not None and abs(got_us - wanted_us) < 1_000)


def decoder_of(library: Library, source: str, registry: Registry, base: str | None = None) -> MappedDecoder:
    return MappedDecoder(library.source(source, base), library.profiles, Bindings(lambda: registry))


def sparkplug_of(library: Library, registry: Registry, sample: Sample) -> MappedDecoder:
    """It has heard the births before this one."""
    decoder = SparkplugDecoder(library.source("sparkplug-b"), library.profiles, lambda: registry, SparkplugOptions())
    births = (
        [] if sample.id == BIRTHS[0] else [each for each in samples() if each.id in BIRTHS and each.id != sample.id]
    )
    for birth in sorted(births, key=lambda each: BIRTHS.index(each.id)):
        with contextlib.suppress(UncoveredError):  # of the node's own sample nobody has registered the device
            decoder.read(birth.topic, birth.payload)
    return decoder


def samples() -> Iterator[Sample]:
    for path in sorted(FOLDER.glob("*.json")):
        raw = json.loads(path.read_text())
        payload = raw["payload"]
        yield Sample(
            id=raw["id"],
            family=raw["family"],
            topic=raw["topic"],
            payload=base64.b64decode(payload)
            if raw["family"] == "sparkplug-b" and raw["payload_encoding"] == "base64"
            else (payload if isinstance(payload, str) else json.dumps(payload)).encode(),
            meaning=raw["meaning"],
            panic=raw["panic"],
            near_miss=raw["near_miss"],
            mqtt=raw.get("mqtt", {}),
        )
