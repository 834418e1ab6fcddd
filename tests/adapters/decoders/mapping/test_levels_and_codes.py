"""What profiles say of states that last, of gateways that hear, and of codes that people type."""

import json
from typing import Any

import pytest

from alertd.model.check_in import CheckIn
from alertd.model.duress_code import hashed, is_code_of, is_hash
from alertd.model.events import Signal
from alertd.model.ids import DeviceId, SiteId
from alertd.model.registry import Registry
from alertd.model.site import Device, DeviceKind, Gestures
from alertd.ports import DecodeError
from alertd_adapters.decoders.mapping.bindings import Bindings
from alertd_adapters.decoders.mapping.checking import registry_of
from alertd_adapters.decoders.mapping.decoder import MappedDecoder
from alertd_adapters.decoders.mapping.explaining import explain
from alertd_adapters.decoders.mapping.library import built_in, library

CODE = "739154"
"""Stands nowhere else."""
SECRET = "a code is nobody's business"
SALT = b"twelve bytes"


def keypad(device_id: str, profile: str = "", codes: tuple[str, ...] = ()) -> Registry:
    known = registry_of([device_id], profile)
    device = Device(
        id=DeviceId(device_id),
        kind=DeviceKind.BUTTON,
        site_id=SiteId("example"),
        gestures=Gestures(id="example"),
        profile=profile,
        duress_codes=codes,
    )
    return Registry(**{**{f: getattr(known, f) for f in known.__struct_fields__}, "devices": {device.id: device}})


def decoder(source: str, known: Registry, own: dict[str, Any] | None = None) -> MappedDecoder:
    found = library(own or {})
    return MappedDecoder(found.sources[source], found.profiles, Bindings(lambda: known))


def chirpstack(profile: str, fields: dict[str, Any], device_id: str = "70b3d50000000001") -> tuple[Signal, ...]:
    body = {"deduplicationId": "d-1", "object": fields, "fPort": 2}
    mapped = decoder("chirpstack-v4", registry_of([device_id], profile))
    return tuple(mapped.decode(f"application/a/device/{device_id}/event/up", json.dumps(body).encode()))


# --- states ---------------------------------------------------------------------------------------------------------

LEVELS = [
    ("abeeway-at2", {"messageType": "POSITION_MESSAGE", "sosFlag": 1}, {"messageType": "HEARTBEAT", "sosFlag": 0}),
    ("abeeway-at3", {"header": {"type": "POSITION", "sos": True}}, {"header": {"type": "POSITION", "sos": False}}),
    ("tektelic-finch", {"current_state": "Panic State"}, {"current_state": "Normal State"}),
    ("rak2171", {"sos": 1}, {"sos": 0}),
]


@pytest.mark.parametrize(("profile", "on", "off"), LEVELS, ids=[name for name, _, _ in LEVELS])
def test_a_state_lasts_and_its_other_value_ends_it(profile, on, off):
    (called,), (ended,) = chirpstack(profile, on), chirpstack(profile, off)

    assert called.action == "duress"
    assert not called.ends
    assert ended.ends
    assert called.lasting is not None
    assert ended.lasting is not None
    assert called.lasting.what == ended.lasting.what
    assert called.cause is not None, "a copy over a second gateway is known as one"


def test_the_moment_that_begins_an_sos_is_a_press_of_its_own_and_its_end_ends_it():
    (begun,) = chirpstack("abeeway-at2", {"messageType": "EVENT", "eventType": "SOS_MODE_START", "sosFlag": 0})
    (ended,) = chirpstack("abeeway-at2", {"messageType": "EVENT", "eventType": "SOS_MODE_END", "sosFlag": 0})

    assert begun.lasting is None
    assert not begun.ends
    assert ended.ends


PORT = {"topic": "axis:IO/Port", "message": {"source": {"port": "2"}, "data": {"state": "%"}}}
PLAIN = [
    ("axis", "axis/B8A4/event/tns:axis/IO/Port", PORT, "1", "0"),
    ("tasmota", "tele/desk/SENSOR", {"Switch1": "%"}, "ON", "OFF"),
    ("alarmo", "alarmo/state", "%", "triggered", "disarmed"),
]  # fmt: skip
DEVICE_OF = {"axis": "B8A4", "tasmota": "desk", "alarmo": "alarmo"}


@pytest.mark.parametrize(("source", "topic", "shape", "on", "off"), PLAIN, ids=[each[0] for each in PLAIN])
def test_a_contact_that_is_closed_lasts_until_it_is_open(source, topic, shape, on, off):
    known = registry_of([DEVICE_OF[source]], "")

    def said(value: str) -> Signal:
        text = shape if isinstance(shape, str) else json.dumps(shape)
        (signal,) = decoder(source, known).decode(topic, text.replace("%", value).encode())
        return signal

    assert said(on).lasting is not None
    assert not said(on).ends
    assert said(off).ends
    assert said(off).lasting is not None


@pytest.mark.parametrize(
    ("source", "topic", "device"),
    [("esphome", "desk/binary_sensor/strip/state", "desk"), ("home-assistant", "office/strip/state", "office:strip")],
)
def test_each_on_of_what_is_said_only_when_it_changes_is_a_press(source, topic, device):
    """Promise 2: an OFF that is lost costs no press."""
    mapped = decoder(source, registry_of([device], ""))
    (first,), (second,) = mapped.decode(topic, b"ON"), mapped.decode(topic, b"ON")

    assert (first.action, first.lasting, first.cause) == ("press", None, None)
    assert second == first
    assert tuple(mapped.decode(topic, b"OFF")) == ()


def test_a_count_of_a_shelly_says_which_state_it_is_and_an_empty_event_ends_it():
    mapped = decoder("shelly-gen1", registry_of(["s-1"], ""))

    def said(event: str, count: int) -> Signal:
        body = json.dumps({"event": event, "event_cnt": count}).encode()
        (signal,) = mapped.decode("shellies/s-1/input_event/0", body)
        return signal

    first, again, other, restarted = said("S", 9999), said("S", 9999), said("S", 1), said("", 0)
    assert first == again
    assert first.lasting is not None
    assert other.lasting is not None
    assert first.lasting.state != other.lasting.state
    assert first.lasting.what == other.lasting.what == "0"
    assert restarted.ends


def test_small_counters_are_believed_for_a_minute_only():
    mapped = decoder("theengs", registry_of(["B4:35:00:00:00:01"], "bthome-theengs"))
    (signal,) = mapped.decode("home/hall/BTtoMQTT/B43500000001", b'{"packet": 29, "button": 1}')

    assert signal.cause is not None
    assert signal.same_s == 60


# --- gateways -------------------------------------------------------------------------------------------------------


def test_every_gateway_that_heard_it_is_told_as_the_registry_spells_it():
    known = registry_of(["70b3d50000000001", "0016C0FF00000002"], "abeeway-at2")
    mapped = decoder("chirpstack-v4", known)
    body = {
        "object": {"sosFlag": 1},
        "rxInfo": [
            {"gatewayId": "0016c0ff00000001", "rssi": -101, "snr": -3.5},
            {"gatewayId": "0016c0ff00000002", "rssi": -64, "snr": 9},
            {"gatewayId": "0016c0ff00000003", "rssi": "loud"},
        ],
    }
    (signal,) = mapped.decode("application/a/device/70b3d50000000001/event/up", json.dumps(body).encode())

    assert [(each.gateway_id, each.rssi) for each in signal.heard] == [
        ("0016C0FF00000002", -64.0),
        ("0016c0ff00000001", -101.0),
        ("0016c0ff00000003", None),
    ]
    assert signal.heard_by == "0016C0FF00000002"


def test_a_beacon_of_a_badge_says_who_heard_it():
    known = registry_of(["70b3d50000000001"], "abeeway-at2")
    body = {"object": {"messageType": "HEARTBEAT", "sosFlag": 0}, "rxInfo": [{"gatewayId": "gw-1", "rssi": -70}]}
    found = decoder("chirpstack-v4", known).understand(
        "application/a/device/70b3d50000000001/event/up", json.dumps(body).encode()
    )
    (check_in,) = found.check_ins

    assert isinstance(check_in, CheckIn)
    assert [(each.gateway_id, each.rssi) for each in check_in.heard] == [("gw-1", -70.0)]


# --- codes ----------------------------------------------------------------------------------------------------------

KEYPADS = [
    ("zigbee2mqtt", "zigbee2mqtt/pad", {"action": "disarm", "action_code": CODE, "battery": 90}),
    ("zigbee2mqtt", "zigbee2mqtt/pad", {"action": "panic", "action_code": int(CODE)}),
    ("zigbee2mqtt", "zigbee2mqtt/pad", {"action": "arm_day_zones", "ACTION_CODE": CODE}),
    ("zigbee2mqtt", "zigbee2mqtt/pad/set", {"arm_mode": {"mode": "disarm", "pin": CODE}}),
    ("alarmo", "alarmo/command", {"command": "DISARM", "code": CODE}),
    ("alarmo", "alarmo/command", CODE),
    ("alarmo", "alarmo/event", {"event": "DISARM", "code": CODE}),
    ("ring", "ring/l/alarm/pad/info/state", {"alarmState": "all-clear", "lastDisarmedCode": "x", "code": CODE}),
    ("paradox-pai", "paradox/events/raw", {"type": "user", "additional_data": {"code": CODE}, "message": "User"}),
]


def all_that_is_said(
    source: str, known: Registry, topic: str, payload: bytes, own: dict[str, Any] | None = None
) -> str:
    mapped = decoder(source, known, own)
    told = [repr(explain(mapped, topic, payload))]
    try:
        told.append(repr(mapped.understand(topic, payload)))
    except DecodeError as error:
        told.append(str(error))
    return "\n".join(told)


@pytest.mark.parametrize("cut", [None, -1], ids=["whole", "cut off"])
@pytest.mark.parametrize(("source", "topic", "body"), KEYPADS, ids=range(len(KEYPADS)))
def test_a_typed_code_is_in_nothing_that_is_said(source, topic, body, cut):
    payload = (body if isinstance(body, str) else json.dumps(body)).encode()[:cut]
    name = {"zigbee2mqtt": "pad", "ring": "pad", "paradox-pai": "paradox"}.get(source, "alarmo")
    known = keypad(name, codes=(hashed("0000", SALT),))

    assert CODE not in all_that_is_said(source, known, topic, payload), SECRET


CARELESS = {
    "profiles/careless.toml": {
        "profile": {
            "careless": {
                "about": "Everything that it should not do with a code",
                "identity": ["object.code"],
                "rules": [{"value": "object.code", "event": "own_word", "button": "object.code"}],
            }
        }
    }
}


def test_a_profile_that_would_tell_a_code_cannot():
    known = keypad("pad", "careless")
    payload = json.dumps({"code": CODE}).encode()

    said = all_that_is_said("zigbee2mqtt", known, "zigbee2mqtt/pad", payload, CARELESS)
    assert CODE not in said, SECRET


def test_an_explanation_says_that_there_is_something_and_not_what():
    own = {"p.toml": {"profile": {"quiet": {"about": "x", "rules": [{"value": "object.code", "event": "status"}]}}}}
    payload = json.dumps({"code": CODE}).encode()

    said = all_that_is_said("zigbee2mqtt", keypad("pad", "quiet"), "zigbee2mqtt/pad", payload, own)
    assert CODE not in said, SECRET
    assert "hidden" in said


def test_a_rule_may_still_compare_what_is_a_code_in_name_only():
    """Contact ID has event codes: 120 is a panic."""
    own = {
        "profiles/panel.toml": {
            "profile": {"panel": {"about": "Contact ID", "rules": [{"value": "object.code", "map": {"120": "duress"}}]}}
        }
    }
    known = keypad("pad", "panel")
    for code in ("120", 120):
        (signal,) = decoder("zigbee2mqtt", known, own).decode("zigbee2mqtt/pad", json.dumps({"code": code}).encode())
        assert signal.action == "duress"


@pytest.mark.parametrize("key", ["eventData", "event_data", "event-data"])
def test_what_a_keypad_says_of_an_event_is_a_code_where_it_is_digits_only(key):
    rule = {"value": f'object."{key}"', "event": "own_word"}
    own = {"p.toml": {"profile": {"worded": {"about": "x", "rules": [rule]}}}}
    known = keypad("pad", "worded")
    said = all_that_is_said("zigbee2mqtt", known, "zigbee2mqtt/pad", json.dumps({key: "emergency"}).encode(), own)

    assert "action='emergency'" in said, "promise 2: a word is taken for a code, and its press is lost"
    for typed in (CODE, int(CODE)):
        said = all_that_is_said("zigbee2mqtt", known, "zigbee2mqtt/pad", json.dumps({key: typed}).encode(), own)
        assert CODE not in said, SECRET


@pytest.mark.parametrize("typed", ["9911", 9911], ids=["text", "number"])
def test_a_duress_code_is_the_word_police_whatever_the_keypad_did_with_it(typed):
    known = keypad("pad", codes=(hashed("9911", SALT),))
    body = {"action": "disarm", "action_code": typed, "battery": 80}
    (signal,) = decoder("zigbee2mqtt", known).decode("zigbee2mqtt/pad", json.dumps(body).encode())

    assert signal.action == "police"
    assert decoder("zigbee2mqtt", keypad("pad")).decode("zigbee2mqtt/pad", json.dumps(body).encode()) == ()


def test_a_panic_key_beside_a_duress_code_is_not_lost():
    known = keypad("pad", codes=(hashed("9911", SALT),))
    body = {"action": "panic", "action_code": "9911"}
    signals = decoder("zigbee2mqtt", known).decode("zigbee2mqtt/pad", json.dumps(body).encode())

    assert [signal.action for signal in signals] == ["police", "duress"]


def test_a_hash_is_salted_and_names_no_code():
    text = hashed("9911", SALT)

    assert is_hash(text)
    assert "9911" not in text
    assert is_code_of("9911", text)
    assert not is_code_of("9912", text)
    assert hashed("9911", b"other bytes.") != text
    assert not is_hash("9911")


def test_every_built_in_profile_is_still_sound():
    assert built_in().problems == ()
