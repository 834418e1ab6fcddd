"""Devices of the stated school that are of another family on some days: all families, and nothing else moves."""

from functools import cache
from random import Random

import pytest
from msgspec.structs import replace

from alertd.model.ids import DeviceId
from alertd.ports import Surroundings
from alertd_adapters.decoders.mapping import plugin
from alertd_adapters.mqtt.settings import matches
from alertd_simulator.families.catalogue import families, profile_of
from alertd_simulator.families.servers import SERVERS
from alertd_simulator.fleet import Fleet
from alertd_simulator.virtual_time import VirtualClock, in_virtual_time
from alertd_simulator.world import other_families
from alertd_simulator.world.district import stated_district
from alertd_simulator.world.mapped_devices import KINDS, MappedDevices
from alertd_simulator.world.other_families import BY_ID, OTHERS, others_of
from alertd_simulator.world.plan import Gesture, Press
from alertd_simulator.world.school_day import plan_of

NOW_US = 60_000_000
REGISTRY = stated_district().registry
LEFT_OUT = {"sparkplug-b/sparkplug-inputs"}
"""A press means nothing without the births before it."""


@cache
def decoder_of(source: str, base: str):
    surroundings = Surroundings(clock=None, http=None, secret=str, registry=lambda: REGISTRY)  # type: ignore[arg-type]
    options = {"source": source} | ({"base": base} if base else {})
    return plugin.build_within(options, surroundings)


def read(payload):
    """As the one trigger of the district's own reads it."""
    (section,) = [each for each in stated_district().sections if each.table == "sources"]
    (trigger,) = [each for each in section.settings["triggers"] if matches(each["topic"], payload.topic)]
    return decoder_of(**{"base": ""} | trigger["options"]).decode(payload.topic, payload.payload)


def test_every_family_that_can_be_pressed_is_played():
    played = {kind.family for kind in KINDS.values()}
    played |= {each.kind(server).family for each in OTHERS for server in SERVERS}
    pressed = {name for name, family in families().items() if family.press}
    smells = {f"{server}/milesight-gs601" for server in SERVERS}  # a sensor, behind whatever server
    assert pressed - played - smells == LEFT_OUT


def test_they_are_registered_as_what_they_speak_as():
    profiles = {device: REGISTRY.devices[DeviceId(device)].profile for device in BY_ID}
    assert profiles == {device: other.profile or profile_of(other.source) for device, other in BY_ID.items()}


@pytest.mark.parametrize("device", BY_ID)
@pytest.mark.parametrize("gesture", [Gesture.THREE, Gesture.HOLD])
@in_virtual_time
async def test_what_a_device_publishes_is_what_its_finger_did(device, gesture):
    for server in SERVERS if not BY_ID[device].source else ("",):
        kind = BY_ID[device].kind(server)
        mapped = MappedDevices(1.0, 0.0, {device: kind})
        fleet = Fleet(REGISTRY, clock=VirtualClock(), random=Random("1"), mapped=mapped)
        deed = Press(at_s=60, name="p1", device=device, gesture=gesture, heard_by=("gw-oak-1", "gw-oak-2"))
        messages = fleet.messages(deed, NOW_US)

        signals = [(signal, truth) for _, payload, truth in messages for signal in read(payload)]
        assert {signal.device_id for signal, _ in signals} == {device}
        assert all(signal.ends for signal, truth in signals if truth is None), "only the press tells of it"
        said = [(signal, truth) for signal, truth in signals if truth is not None]
        assert {signal.action for signal, _ in said} == {kind.hold if gesture is Gesture.HOLD else kind.press}
        assert said[-1][1].incident_class is not None, "enough of them call somebody"
        assert {truth.count for _, truth in said} == ({1} if gesture is Gesture.HOLD else {1, 2, 3})


def test_some_devices_of_a_day_are_another_one_and_nothing_else_of_the_day_moves(monkeypatch):
    days = {seed: plan_of(seed) for seed in range(60)}
    monkeypatch.setattr(other_families, "INSTEAD_SHARE", 0.0)
    pressed = set()
    for seed, day in days.items():
        plain = plan_of(seed)
        hands: dict[str, str] = {}
        for deed, before in zip(day.deeds, plain.deeds, strict=True):
            if not isinstance(before, Press) or not isinstance(deed, Press):
                assert deed == before
                continue
            assert replace(deed, device=before.device) == before
            if deed.name.startswith("p"):  # neither of the night nor for a drill
                assert hands.setdefault(before.device, deed.device) == deed.device, "one device is one other"
            was, now = (REGISTRY.devices[DeviceId(each.device)] for each in (before, deed))
            assert (was.site_id, was.kind) == (now.site_id, now.kind)
        others = {deed.device for deed in day.deeds if isinstance(deed, Press)} & BY_ID.keys()
        assert len(others) == len([device for device in hands.values() if device in BY_ID]), "and another one each"
        pressed |= others
        assert not {deed.device for deed in plain.deeds if isinstance(deed, Press)} & BY_ID.keys()
    assert len(pressed) > len(BY_ID) * 3 / 4


def test_the_seed_says_behind_which_server_a_badge_stands():
    servers = {others_of(seed)["rak2171-oak"].family.partition("/")[0] for seed in range(60)}
    assert servers == set(SERVERS)
    assert others_of(4) == others_of(4)
