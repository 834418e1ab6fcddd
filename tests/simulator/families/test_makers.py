"""Every family that can be played says what it is made to say: judged by alertd's own profiles."""

import json
from collections.abc import Sequence

import pytest
from msgspec.structs import replace

from alertd.model.events import Signal
from alertd.ports import DecodeError
from alertd_adapters.decoders.mapping.bindings import Bindings
from alertd_adapters.decoders.mapping.checking import registry_of
from alertd_adapters.decoders.mapping.decoder import MappedDecoder
from alertd_adapters.decoders.mapping.events import TRIGGERS
from alertd_adapters.decoders.mapping.library import built_in
from alertd_adapters.decoders.mapping.reading import Reading
from alertd_adapters.decoders.mapping.sparkplug import SparkplugDecoder, SparkplugOptions
from alertd_adapters.decoders.mapping.written import DeviceProfile
from alertd_simulator.devices import Payload
from alertd_simulator.families.catalogue import NOT_PLAYED, NOT_SAID, Family, families, family_of, profile_of
from alertd_simulator.families.frames import CannotSayError, to_bytes
from alertd_simulator.families.lorawan import flagged
from alertd_simulator.families.said import Heard, Said
from alertd_simulator.families.servers import thingpark

AT_US = 1_788_273_727_312_000
IDS = {
    "home-assistant": "office:desk",
    "zwave-js-ui": "Gym:strip",
    "theengs/fixed-code-433": "5592405",
    "sparkplug-b/sparkplug-inputs": "panel-pc:inputs",
    "paradox-pai": "paradox",
    "alarmo": "alarmo",
    "meraki": "0C:7B:C8:00:00:01",
    "tasmota/tasmota-zigbee": "0x1A2B",
}
IN_VOLTS = ("netvox-button", "dragino-pb01")
EVERYTHING = [(family.name, act) for family in families().values() for act in family.acts]


def a_said(family: Family, act: str, **more) -> Said:
    device = IDS.get(family.name, "24E1240000000101")
    return Said(device=device, act=act, at_us=AT_US, **more)


def decoder_of(family: Family, device: str) -> MappedDecoder:
    registry, found = registry_of([device], family.profile), built_in()
    source = found.sources[family.source]
    if source.envelope:
        return SparkplugDecoder(source, found.profiles, lambda: registry, SparkplugOptions())
    return MappedDecoder(source, found.profiles, Bindings(lambda: registry))


def readings(family: Family, payloads: Sequence[Payload], device: str) -> list[Reading]:
    decoder = decoder_of(family, device)
    return [
        reading for each in payloads for reading in decoder.read(each.topic, each.payload, lambda what, found: None)
    ]


@pytest.mark.parametrize(("name", "act"), EVERYTHING)
def test_what_is_played_is_what_is_read(name, act):
    family = families()[name]
    said = a_said(family, act, battery=42)
    found = readings(family, family.maker(said), said.device)

    assert act in {reading.event for reading in found}, f"{name} does not say {act}"
    loud = [reading for reading in found if reading.event == act]
    assert said.device in {reading.device_id for reading in loud}
    levels = {reading.battery_pct for reading in loud} - {None}
    assert levels <= ({42, 5} if family.profile not in IN_VOLTS else set(range(20, 90)))


@pytest.mark.parametrize("name", [name for name, family in families().items() if family.press])
def test_two_presses_are_two_and_two_copies_are_one(name):
    family = families()[name]

    def signals(said: Said) -> list[Signal]:
        found = readings(family, family.maker(said), said.device)
        return [reading.signal() for reading in found if reading.is_signal]

    said = a_said(family, family.press, number=7, heard=(Heard(gateway="gw-a", rssi=-90), Heard(gateway="gw-b")))
    first, copy = signals(said), signals(replace(said, quirk=1))
    later = signals(replace(said, number=8, at_us=AT_US + 61_000_000))

    assert {each.cause for each in first} == {each.cause for each in copy}
    causes = {each.cause for each in first}
    assert len(causes) == 1, "copies of one press have one identity, if the family has any"
    if causes != {None}:
        assert causes.isdisjoint({each.cause for each in later})


def test_several_gateways_that_hear_one_frame():
    heard = (Heard(gateway="gw-far", rssi=-100), Heard(gateway="gw-near", rssi=-50))
    for source in ("chirpstack-v4", "tts-v3", "milesight-gateway"):
        family = families()[f"{source}/milesight-ws101"]
        said = a_said(family, "press", heard=heard)
        (one,) = readings(family, family.maker(said), said.device)
        assert one.heard_by == "gw-near", "a server puts the copies together, and lists who heard"
    for name, count in (("loriot/milesight-ws101", 2), ("meraki", 2), ("theengs/bthome-theengs", 2), ("bthome-raw", 2)):
        family = families()[name]
        said = a_said(family, "press", heard=heard)
        assert len(family.maker(said)) == count, f"{name} hands on every copy"


def test_what_was_stored_is_marked_where_the_family_marks_it():
    for name in ("thingpark/abeeway-at2", "sparkplug-b/sparkplug-inputs"):
        family = families()[name]
        said = a_said(family, family.press, late=True)
        assert [each.late for each in readings(family, family.maker(said), said.device) if each.is_signal] == [True]


def test_an_sos_that_lasts_stands_as_a_flag_in_everything():
    family = families()["thingpark/abeeway-at2"]
    said = a_said(family, "position")
    (reading,) = readings(family, thingpark(said, flagged("abeeway-at2")), said.device)
    assert reading.event == "duress"
    with pytest.raises(CannotSayError):
        flagged("milesight-ws101")


def test_servers_leave_out_what_is_zero():
    family = families()["tts-v3/milesight-ws101"]
    (first,) = family.maker(a_said(family, "press", number=1))
    assert "f_cnt" not in json.loads(first.payload)["uplink_message"]


def test_what_cannot_be_said_is_refused():
    with pytest.raises(CannotSayError):
        families()["chirpstack-v4/globalsat-lt501"].maker(a_said(families()["shelly"], "duress"))
    with pytest.raises(CannotSayError):
        families()["shelly"].maker(a_said(families()["shelly"], "vape"))
    with pytest.raises(CannotSayError):
        to_bytes("milesight-ws101", {"press": "upside down"}, fport=85)
    with pytest.raises(CannotSayError):
        to_bytes("zigbee2mqtt", {}, fport=None)


def is_loud(profile: str) -> bool:
    """Does it know anything that could page?"""
    written = built_in().entries["profile", profile].written
    assert isinstance(written, DeviceProfile)
    events = {event for rule in written.rules for event in (rule.event, *rule.map.values())}
    return bool(events & set(TRIGGERS))


def test_every_source_and_profile_is_played_or_said_not_to_be():
    found = built_in()
    played = set(families().values())
    assert {family.source for family in played} | set(NOT_PLAYED) == set(found.sources)
    assert {family.source for family in played}.isdisjoint(NOT_PLAYED)
    profiles = {family.profile or profile_of(family.source) for family in played}
    missing = set(found.profiles) - profiles - {profile_of(source) for source in NOT_PLAYED}
    assert not [name for name in missing if is_loud(name)], "a profile that nothing plays, and nobody says why"
    assert set(NOT_SAID) <= profiles


@pytest.mark.parametrize(
    ("sources", "profile", "name"),
    [
        (("tts-v3", "shelly"), "milesight-ws101", "tts-v3/milesight-ws101"),
        (("tts-v3", "shelly"), "shelly", "shelly"),
        (("shelly",), "milesight-ws101", None),
        (("shelly", "halo"), "", "shelly"),
    ],
)
def test_a_device_speaks_over_the_source_that_carries_its_profile(sources, profile, name):
    found = family_of(sources, profile)
    assert (found.name if found else None) == name


def test_nobody_reads_a_press_where_the_family_has_none():
    quiet = [family for family in families().values() if not family.press]
    assert {family.profile for family in quiet} >= {"milesight-gs301", "lorawan-sensor", "globalsat-lt501"}
    for family in quiet:
        for act in family.acts:
            said = a_said(family, act)
            try:
                found = readings(family, family.maker(said), said.device)
            except DecodeError:
                found = []
            assert not any(reading.is_signal for reading in found), family.name
