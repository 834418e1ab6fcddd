"""Devices of the stated school that speak as real families: what they publish, and that it is what was pressed."""

import json
from random import Random

import pytest

from alertd.model.incident import IncidentClass
from alertd.ports import Surroundings
from alertd_adapters.decoders.mapping import plugin
from alertd_adapters.mqtt.settings import matches
from alertd_simulator.fleet import Fleet
from alertd_simulator.virtual_time import VirtualClock, in_virtual_time
from alertd_simulator.world.district import stated_district
from alertd_simulator.world.mapped_devices import MappedDevices, kind_of
from alertd_simulator.world.plan import Gesture, Poison, Press, SensorReport
from alertd_simulator.world.school_day import plan_of

NOW_US = 60_000_000
REGISTRY = stated_district().registry


def a_fleet(seed: str = "1", share: float = 1.0) -> Fleet:
    return Fleet(REGISTRY, clock=VirtualClock(), random=Random(seed), mapped=MappedDevices(float(seed), share))


def read(payload):
    """As the district's own triggers read it."""
    (section,) = [each for each in stated_district().sections if each.table == "sources"]
    trigger = next(each for each in section.settings["triggers"] if matches(each["topic"], payload.topic))
    surroundings = Surroundings(clock=None, http=None, secret=str, registry=lambda: REGISTRY)  # type: ignore[arg-type]
    return plugin.build_within(trigger["options"], surroundings).decode(payload.topic, payload.payload)


@pytest.mark.parametrize(
    ("prefix", "gesture", "actions"),
    [
        ("badge-oak-1", Gesture.EIGHT, ["press"] * 8),
        ("badge-elm-10", Gesture.HOLD, ["long_press"]),
        ("timeless-oak-1", Gesture.THREE, ["press"] * 3),
        ("button-oak-1", Gesture.HOLD, ["long_press"]),
        ("zbs-oak-1", Gesture.HOLD, ["duress"]),
        ("zbs-elm-1", Gesture.ONCE, ["duress"]),
        ("aed-oak-1", Gesture.ONCE, ["press"]),
    ],
)
@in_virtual_time
async def test_what_a_device_publishes_is_what_its_finger_did(prefix, gesture, actions):
    deed = Press(at_s=60, name="p1", device=prefix, gesture=gesture, heard_by=("gw-oak-1",))
    messages = a_fleet().messages(deed, NOW_US)

    told = [(payload, truth) for _, payload, truth in messages if truth is not None]
    distinct = list(dict.fromkeys(payload.payload for payload, _ in told))
    first = [next(payload for payload, _ in told if payload.payload == each) for each in distinct]
    assert [signal.action for payload in first for signal in read(payload)] == actions
    assert {truth.device_id for _, truth in told} == {prefix}
    assert all(not read(payload) for _, payload, truth in messages if truth is None), "only the press tells of it"


@in_virtual_time
async def test_a_sensor_says_vape_in_bytes():
    report = SensorReport(at_s=1, name="s1", device="vape-oak-1", action="vape")
    (first, *_) = a_fleet().messages(report, NOW_US)
    assert "data" in json.loads(first[1].payload)
    assert [signal.action for signal in read(first[1])] == ["vape"]
    assert first[2] is not None
    assert first[2].incident_class is IncidentClass.VAPE


@in_virtual_time
async def test_nonsense_comes_on_the_familys_own_topic():
    ((_, payload, truth),) = a_fleet().messages(Poison(at_s=1, name="x", device="badge-oak-1", kind="garbage"), NOW_US)
    assert (payload.topic, truth) == ("application/7f3c/device/badge-oak-1/event/up", None)


@in_virtual_time
async def test_what_is_odd_about_a_family_happens():
    copies, resets, again = 0, 0, 0
    for seed in range(40):
        fleet = a_fleet(str(seed))
        for number in range(3):
            badge = Press(at_s=1, name=f"b{number}", device="badge-oak-1", gesture=Gesture.ONCE, heard_by=("gw-oak-1",))
            payloads = [payload.payload for _, payload, _ in fleet.messages(badge, NOW_US)]
            copies += len(payloads) - len(set(payloads))
            shelly = Press(at_s=1, name=f"t{number}", device="timeless-oak-1", gesture=Gesture.THREE)
            counts = [json.loads(p.payload)["event_cnt"] for _, p, _ in fleet.messages(shelly, NOW_US)]
            resets += 0 in counts
            again += len(counts) - len(set(counts))
    assert min(copies, resets, again) > 0, (copies, resets, again)


def test_a_share_of_the_devices_speaks_so_and_the_seed_says_which():
    devices = [device for device in REGISTRY.devices if kind_of(device) is not None]
    chosen = [
        {device for device in devices if MappedDevices(float(seed), 0.5).kind(device) is not None} for seed in range(6)
    ]
    assert len(devices) > 35
    assert all(0.2 < len(each) / len(devices) < 0.8 for each in chosen)
    assert len({frozenset(each) for each in chosen}) == 6
    assert all(MappedDevices(1.0, 0.0).kind(device) is None for device in devices)
    assert plan_of(1).mapped == 0.5
