"""Signs of life: batteries in every unit, last wills, tampers, and who is heard through whom (req 2, 29)."""

import json
import math
from typing import Any

import pytest

from alertd.model.check_in import Battery, CheckIn, Link
from alertd_adapters.decoders.mapping import written
from alertd_adapters.decoders.mapping.bindings import Bindings
from alertd_adapters.decoders.mapping.checking import registry_of
from alertd_adapters.decoders.mapping.decoder import MappedDecoder
from alertd_adapters.decoders.mapping.library import library
from alertd_adapters.decoders.mapping.power import Power
from alertd_adapters.decoders.mapping.rules import KeyWrongError

CURVE = [[2.4, 0], [2.6, 20], [3.0, 100]]


def power(**keys: Any) -> Power:
    return Power(written.Power(battery="b", **keys))


@pytest.mark.parametrize(
    ("keys", "found", "means"),
    [
        ({}, 80, Battery(pct=80)),
        ({}, "80", Battery(pct=80)),
        ({"battery_low": 30}, 30, Battery(pct=30, low=True)),
        ({}, 101, None),
        ({"battery_unit": "lorawan"}, 0, Battery(mains=True)),
        ({"battery_unit": "lorawan"}, 1, Battery(pct=0)),
        ({"battery_unit": "lorawan"}, 254, Battery(pct=100)),
        ({"battery_unit": "lorawan"}, 255, None),
        ({"battery_unit": "volts", "battery_curve": CURVE}, 2.5, Battery(pct=10)),
        ({"battery_unit": "volts", "battery_curve": CURVE}, 2.8, Battery(pct=60)),
        ({"battery_unit": "volts", "battery_curve": CURVE}, 3.6, Battery(pct=100)),
        ({"battery_unit": "volts", "battery_curve": CURVE}, 2.4, Battery(pct=0)),
        ({"battery_unit": "volts", "battery_curve": CURVE}, 1.9, Battery(pct=0)),
        ({"battery_unit": "millivolts", "battery_curve": CURVE}, 2600, Battery(pct=20)),
        ({"battery_unit": "volts", "battery_full": 3.0, "battery_empty": 2.0}, 2.5, Battery(pct=50)),
        ({"battery_unit": "volts", "battery_low": 2.5}, 2.5, Battery(low=True)),
        ({"battery_unit": "volts", "battery_low": 2.5}, 2.9, Battery(low=False)),
        ({"battery_unit": "flag"}, True, Battery(low=True)),
        ({"battery_unit": "flag"}, False, Battery(low=False)),
        ({"battery_unit": "flag"}, 1, Battery(low=True)),
        ({"battery_unit": "flag"}, 0, Battery(low=False)),
        ({"battery_unit": "flag"}, "true", Battery(low=True)),
        ({"battery_unit": "flag"}, "False", Battery(low=False)),
        ({"battery_unit": "flag"}, 2, None),
        ({"battery_unit": "flag"}, "perhaps", None),
        ({"battery_unit": "lorawan", "battery_low": 40}, 60, Battery(pct=23, low=True)),
        ({"battery_unit": "lorawan", "battery_low": 20}, 60, Battery(pct=23, low=False)),
        ({"battery_unit": "lorawan", "battery_low": 40}, 0, Battery(mains=True)),
        ({"battery_unit": "lorawan"}, "60", Battery(pct=23)),
        ({"battery_unit": "millivolts", "battery_low": 1500}, "1467mV", Battery(low=True)),
        ({"battery_unit": "millivolts", "battery_low": 1500}, "1567 mV", Battery(low=False)),
        ({"battery_unit": "volts", "battery_low": 1.5}, "1467mV", Battery(low=True)),
        ({"battery_unit": "volts", "battery_low": 1.5}, "1567mV", Battery(low=False)),
        ({"battery_unit": "millivolts", "battery_low": 1500}, "1.4V", Battery(low=True)),
        ({"battery_unit": "volts", "battery_curve": CURVE}, "2.8", Battery(pct=60)),
        ({"battery_unit": "volts", "battery_curve": CURVE}, "2.4(low battery)", Battery(pct=0, low=True)),
        ({"battery_unit": "volts", "battery_curve": CURVE}, "3.0 (Low Battery)", Battery(pct=100, low=True)),
        ({"battery_unit": "volts", "battery_curve": CURVE}, "2.8(fresh)", Battery(pct=60)),
        ({"battery_unit": "volts", "battery_curve": CURVE}, "80 %", None),
        ({"battery_unit": "volts", "battery_curve": CURVE}, "99999V", None),
        ({"battery_unit": "volts", "battery_curve": CURVE}, "2" * 5000, None),
        ({}, "80 %", Battery(pct=80)),
        ({}, "80.4", Battery(pct=80)),
        ({}, "3.1V", None),
        ({}, "180", None),
        ({}, "CHARGING", Battery(mains=True)),
        ({"battery_unit": "volts", "battery_curve": CURVE}, "charging", Battery(mains=True)),
        ({}, "new", None),
        ({"battery_unit": "words", "battery_words": {"LOW": "low", "4": 100}}, "LOW", Battery(low=True)),
        ({"battery_unit": "words", "battery_words": {"LOW": "low", "4": 100}}, 4, Battery(pct=100)),
        ({"battery_unit": "words", "battery_words": {"CHARGING": "mains"}}, "CHARGING", Battery(mains=True)),
        ({"battery_unit": "words", "battery_words": {"OK": "ok"}}, "new", None),
        ({"battery_mains": "usb == `true`"}, None, Battery(mains=True)),
        ({"battery_unit": "volts", "battery_curve": CURVE}, {"v": 2}, None),
    ],
)
def test_a_battery_in_every_unit_that_vendors_use(keys: dict[str, Any], found: object, means: Battery | None) -> None:
    assert power(**keys).of({"b": found, "usb": found is None}) == means, "a battery is taken for another"


@pytest.mark.parametrize(
    ("keys", "wrong"),
    [
        ({"battery_full": 3.0, "battery_empty": 2.0}, "battery_unit"),
        ({"battery_unit": "volts", "battery_curve": [[3.0, 0], [2.0, 100]]}, "battery_curve"),
        ({"battery_unit": "volts", "battery_curve": [[3.0, 0]]}, "battery_curve"),
        ({"battery_unit": "volts", "battery_curve": [[2.0, 0], [3.0, 101]]}, "battery_curve"),
        ({"battery_unit": "volts", "battery_curve": [[2.0, 0], [math.nan, 100]]}, "battery_curve"),
        ({"battery_unit": "volts"}, "battery_unit"),
        ({"battery_unit": "volts", "battery_full": 3.0}, "battery_full"),
        ({"battery_unit": "volts", "battery_empty": 3.0}, "battery_empty"),
        ({"battery_unit": "volts", "battery_full": 3.0, "battery_empty": 3.0}, "battery_full"),
        ({"battery_unit": "millivolts", "battery_full": 2.0, "battery_empty": 3.0}, "battery_full"),
        ({"battery_unit": "volts", "battery_full": math.inf, "battery_empty": 3.0}, "battery_full"),
        ({"battery_unit": "volts", "battery_low": math.nan}, "battery_low"),
        ({"battery_low": math.nan}, "battery_low"),
        ({"battery_unit": "flag", "battery_low": 20}, "battery_low"),
        ({"battery_unit": "lorawan", "battery_low": 200}, "battery_low"),
        ({"battery_low": -1}, "battery_low"),
        ({"battery_unit": "words"}, "battery_words"),
        ({"battery_words": {"a": "low"}}, "battery_words"),
        ({"battery_unit": "words", "battery_words": {"a": "empty"}}, "battery_words"),
    ],
)
def test_a_battery_that_makes_no_sense_is_refused_with_its_key(keys: dict[str, Any], wrong: str) -> None:
    with pytest.raises(KeyWrongError) as refused:
        power(**keys)
    assert refused.value.path[0] == wrong


@pytest.mark.parametrize(
    ("battery", "low"),
    [
        (Battery(pct=20), True),
        (Battery(pct=25), None),
        (Battery(pct=30), False),
        (Battery(pct=5, low=False), False),
        (Battery(low=True), True),
        (Battery(mains=True), False),
        (Battery(), None),
    ],
)
def test_when_a_battery_is_low(battery: Battery, low: bool | None) -> None:
    assert battery.is_low is low


# --- whole messages -------------------------------------------------------------------------------------------------


def said(
    source: str, topic: str, payload: object, *ids: str, profile: str = "", gateway: str = ""
) -> tuple[CheckIn, ...]:
    registry = registry_of(list(ids), profile)
    found = library({})
    mapped = MappedDecoder(found.source(source), found.profiles, Bindings(lambda: registry), gateway)
    body = payload if isinstance(payload, str) else json.dumps(payload)
    return mapped.understand(topic, body.encode()).check_ins


EUI = "24e1240000000101"
GATEWAY = "0016c0ff00000001"


def test_a_heartbeat_tells_battery_and_gateway() -> None:
    payload = {
        "deviceInfo": {"devEui": EUI},
        "fPort": 85,
        "data": "AXUJ",
        "rxInfo": [{"gatewayId": GATEWAY, "rssi": 1}],
    }
    (sign,) = said("chirpstack-v4", f"application/a/device/{EUI}/event/up", payload, EUI, profile="milesight-ws101")
    assert sign.alive
    assert not sign.pressed
    assert sign.battery == Battery(pct=9, low=True)
    assert sign.heard_by == GATEWAY
    assert sign.profile == "milesight-ws101"


@pytest.mark.parametrize(
    ("payload", "battery"),
    [
        ({"battery_low": True, "tamper": False}, Battery(low=True)),
        ({"battery_low": False, "tamper": False}, Battery(low=False)),
        ({"battery_low": True, "battery": 85}, Battery(pct=85, low=True)),
        ({"battery_low": True, "battery": None, "action": "emergency"}, Battery(low=True)),
        ({"battery_low": True, "sos": True}, Battery(low=True)),
        ({"battery_low": False, "battery": 85}, Battery(pct=85)),
        ({"battery_low": None, "battery": 5}, Battery(pct=5)),
    ],
)
def test_a_zigbee_button_that_says_only_that_its_battery_is_low_is_low(payload: object, battery: Battery) -> None:
    (sign,) = said("zigbee2mqtt", "zigbee2mqtt/sos", payload, "sos")
    assert sign.battery == battery, "a panic button dies, and nobody is told that its battery is low"


def test_a_press_is_a_sign_of_life_and_a_test_of_the_way() -> None:
    payload = {"deviceInfo": {"devEui": EUI}, "fPort": 85, "data": "/y4B"}
    (sign,) = said("chirpstack-v4", f"application/a/device/{EUI}/event/up", payload, EUI, profile="milesight-ws101")
    assert (sign.alive, sign.pressed, sign.battery) == (True, True, None)


@pytest.mark.parametrize(
    ("payload", "pressed", "actions"),
    [
        ({"action": "booting"}, True, ("booting",)),
        ({"action": "emergency"}, True, ()),
        ({"tamper": True}, False, ()),
    ],
)
def test_of_a_word_that_its_profile_does_not_know_gestures_say_whether_it_was_pressed(
    payload: object, pressed: bool, actions: tuple[str, ...]
) -> None:
    (sign,) = said("zigbee2mqtt", "zigbee2mqtt/button", payload, "button")
    assert (sign.pressed, sign.actions) == (pressed, actions)


def test_the_battery_that_a_network_server_asked_for() -> None:
    payload = {"deviceInfo": {"devEui": EUI}, "margin": 7, "externalPowerSource": True, "batteryLevel": 0}
    (sign,) = said("chirpstack-v4", f"application/a/device/{EUI}/event/status", payload, EUI)
    assert sign.battery == Battery(mains=True)


def test_what_is_said_to_a_device_is_no_sign_of_its_life() -> None:
    (sign,) = said("chirpstack-v4", f"application/a/device/{EUI}/event/txack", {"deviceInfo": {"devEui": EUI}}, EUI)
    assert not sign.alive
    (sign,) = said("zigbee2mqtt", "zigbee2mqtt/desk/set", '{"state": ""}', "desk")
    assert not sign.alive


@pytest.mark.parametrize(
    ("source", "topic", "payload", "device", "link"),
    [
        ("chirpstack-v4", f"eu868/gateway/{GATEWAY}/state/conn", {"state": "OFFLINE"}, GATEWAY, Link.OFFLINE),
        ("chirpstack-v4", f"eu868/gateway/{GATEWAY}/state/conn", {"state": "ONLINE"}, GATEWAY, Link.ONLINE),
        ("zigbee2mqtt", "zigbee2mqtt/bridge/state", {"state": "offline"}, "bridge", Link.OFFLINE),
        ("zigbee2mqtt", "zigbee2mqtt/bridge/state", "online", "bridge", Link.ONLINE),
        ("zigbee2mqtt", "zigbee2mqtt/desk/availability", {"state": "offline"}, "desk", Link.OFFLINE),
        ("shelly", "shellyplusi4-01/online", "false", "shellyplusi4-01", Link.OFFLINE),
        ("tasmota", "tele/desk-12/LWT", "Offline", "desk-12", Link.OFFLINE),
        ("tasmota", "tele/desk-12/LWT", "Online", "desk-12", Link.ONLINE),
        ("esphome", "desk/status", "offline", "desk", Link.OFFLINE),
        ("homie", "homie/5/desk/$state", "lost", "desk", Link.OFFLINE),
        ("homie", "homie/5/desk/$state", "ready", "desk", Link.ONLINE),
        ("homie", "homie/5/desk/$state", "sleeping", "desk", None),
        ("axis", "dataq/connect/B8A44F000001", {"connected": False}, "B8A44F000001", Link.OFFLINE),
        ("theengs", "home/hall/LWT", "offline", "hall", Link.OFFLINE),
        ("ring", "ring/l/alarm/p/status", "offline", "p", Link.OFFLINE),
        ("paradox-pai", "paradox/interface/availability", "offline", "paradox", Link.OFFLINE),
        ("zwave-js-ui", "zwave/Gym/strip/status", {"status": "Dead"}, "Gym:strip", Link.OFFLINE),
        ("shelly-gen1", "shellies/shellybutton1-1/online", "false", "shellybutton1-1", None),
    ],
)
def test_last_wills_and_availability(source: str, topic: str, payload: object, device: str, link: Link | None) -> None:
    (sign,) = said(source, topic, payload, device)
    assert (sign.device_id, sign.link) == (device, link)
    if link is Link.OFFLINE:
        assert not sign.alive, "somebody else spoke of it"


def test_one_bridge_of_several_has_the_name_that_its_trigger_says_and_its_devices_hang_below() -> None:
    (sign,) = said("zigbee2mqtt", "zigbee2mqtt/bridge/state", "offline", "z2m-oak", gateway="z2m-oak")
    assert (sign.device_id, sign.link) == ("z2m-oak", Link.OFFLINE)
    (sign,) = said("zigbee2mqtt", "zigbee2mqtt/desk", {"battery": 70}, "desk", gateway="z2m-oak")
    assert sign.heard_by == "z2m-oak"


def test_a_bridge_that_starts_says_when_it_heard_each_device() -> None:
    payload = {"battery": 70, "last_seen": "2026-09-01T14:42:07.310Z"}
    (sign,) = said("zigbee2mqtt", "zigbee2mqtt/desk", payload, "desk")
    assert sign.seen_us == 1_788_273_727_310_000


def test_every_row_of_a_panel_with_several_buttons_is_heard() -> None:
    payload = {"deviceInfo": {"devEui": EUI}, "object": {"battery": 85}}
    topic = f"application/a/device/{EUI}/event/up"
    signs = said("chirpstack-v4", topic, payload, f"{EUI}:1", f"{EUI}:2", profile="milesight-ws156")
    assert [sign.device_id for sign in signs] == [f"{EUI}:1", f"{EUI}:2"]
    assert all(sign.alive and sign.battery == Battery(pct=85) for sign in signs)


def test_a_stranger_has_no_sign_of_life() -> None:
    assert said("zigbee2mqtt", "zigbee2mqtt/desk", {"battery": 70}, "other") == ()


@pytest.mark.parametrize(
    ("rows", "word", "tested"),
    [
        (("panel", "panel:2"), "2_single", ["panel:2"]),
        (("panel", "panel:2"), "single", ["panel"]),
        (("panel", "panel:2"), "3_single", ["panel"]),
        (("panel:2", "panel:3"), "3_single", ["panel:3"]),
        (("panel:2", "panel:3"), "4_single", []),
    ],
)
def test_whoever_was_pressed_is_tested_and_no_other_key_of_the_panel(
    rows: tuple[str, ...], word: str, tested: list[str]
) -> None:
    """A key that nobody ever pressed counted as tested, and left the list that technicians walk by (req 13)."""
    found = said("zigbee2mqtt", "zigbee2mqtt/panel", {"action": word, "battery": 80}, *rows)
    assert [sign.device_id for sign in found if sign.pressed] == tested, "a key that nobody pressed counts as tested"
    assert [(sign.device_id, sign.alive) for sign in found] == [(row, True) for row in rows], "the panel lives"
