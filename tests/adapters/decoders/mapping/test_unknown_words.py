"""Promise 2: a word that a profile of buttons does not know is the device's own word, which rings, or is refused, which
rings, too; never silence. And what a device says in ordinary life is no such word.
"""

import base64
import json

import pytest

from alertd.ports import DecodeError, UncoveredError
from alertd_adapters.decoders.mapping import written
from alertd_adapters.decoders.mapping.checking import PRESSES, registry_of
from alertd_adapters.decoders.mapping.library import PROFILE, built_in, library
from alertd_adapters.decoders.mapping.saying import says
from tests.adapters.decoders.mapping.samples import decoder_of

EUI = "24e1240000000101"
UP = f"application/a/device/{EUI}/event/up"
HALO = "halo/B0C5CA000001/event"
ZB = {"Device": "0x1A2B", "Endpoint": 1, "LinkQuality": 134}

Case = tuple[str, str, str, object]
"""Source, device, topic, payload."""


def uplink(fields: object = None, data: str = "", fport: int = 85) -> str:
    body: dict[str, object] = {"deviceInfo": {"devEui": EUI}, "fPort": fport}
    if fields is not None:
        body["object"] = fields
    if data:
        body["data"] = base64.b64encode(bytes.fromhex(data)).decode()
    return json.dumps(body)


def shelly(event: str, component: str = "input:0") -> Case:
    body = {"src": "s-1", "method": "NotifyEvent", "params": {"ts": 1.5, "events": [{"component": component}]}}
    body["params"]["events"][0]["event"] = event  # type: ignore[index]
    return "shelly", "s-1", "s-1/events/rpc", body


def lorawan(fields: object = None, data: str = "", fport: int = 85) -> Case:
    return "chirpstack-v4", EUI, UP, uplink(fields, data, fport)


def tasmota(body: object, topic: str = "stat/desk/RESULT") -> Case:
    return "tasmota", "desk", topic, body


def axis(state: str) -> Case:
    body = {"topic": "onvif:Device/axis:IO/Port", "message": {"source": {"port": "1"}, "data": {"state": state}}}
    return "axis", "B8A44F000001", "axis/B8A44F000001/event/tns:axis/IO/Port", body


def panel(minor: int) -> Case:
    return "paradox-pai", "paradox", "paradox/events/raw", {"type": "special", "major": 30, "minor": minor}


def ring(state: str) -> Case:
    return "ring", "p", "ring/l/alarm/p/info/state", {"alarmState": state, "batteryLevel": 90}


def homie(value: str, prop: str = "action") -> Case:
    return "homie", "desk", f"homie/5/desk/button/{prop}", value


def bthome(button: str) -> Case:
    return "bthome-raw", "B43500000001", "ble/hall/B43500000001/fcd2", f"4400030164{button}"


def zigbee(key: str) -> Case:
    return "tasmota", "0x1A2B", "tele/bridge/SENSOR", {"ZbReceived": {"0x1A2B": ZB | {key: ""}}}


def t1000(number: int) -> Case:
    measured = {"measurementId": "4200", "measurementValue": [{"id": number}]}
    return lorawan({"messages": [[measured, {"measurementId": "3000", "measurementValue": 64}]]}, fport=5)


def verkada(event: str) -> Case:
    body = {"webhook_type": "alarm_site_state_changed", "data": {"event_type": event, "site_id": "s-1"}}
    return "verkada", "s-1", "POST webhook", body


NEW = [
    ("abeeway-at2", lorawan({"messageType": "POSITION_MESSAGE", "sosFlag": 2})),
    ("abeeway-at3", lorawan({"header": {"type": "POSITION", "sos": "new"}})),
    ("alarmo", ("alarmo", "alarmo", "alarmo/state", "new")),
    ("aws-button", ("aws-button", "G1", "iotbutton/G1", {"serialNumber": "G1", "clickType": "NEW"})),
    ("axis-input", axis("2")),
    ("brave-button", ("brave", "b0", "POST /rak_button_press", {"devEui": "b0", "payload": "Wg=="})),
    ("brave-button", ("brave", "b0", "POST /rak_button_press", {"devEui": "b0", "payload": "Q0M="})),
    ("browan-tbpb100", lorawan({"status": 7}, fport=147)),
    ("bthome", bthome("3a2a")),
    ("bthome-theengs", ("theengs", "B43500000001", "home/hall/BTtoMQTT/B43500000001", {"button": 42})),
    ("dragino-pb01", lorawan({"Alarm": "NEW", "BatV": 3.0}, fport=2)),
    ("esphome", ("esphome", "desk", "desk/binary_sensor/strip/state", "NEW")),
    ("esphome", ("esphome", "desk", "desk/event/strip/state", {"event_type": "new"})),
    ("globalsat-lt501", lorawan(data="8100", fport=2)),
    ("halo", ("halo", "B0C5CA000001", HALO, {"event": {"ID": "New", "Status": "true"}})),
    ("halo", ("halo", "B0C5CA000001", HALO, "NEW value 1 exceeded 0 at 2026-11-23 16:45:12")),
    ("home-assistant-event", ("home-assistant", "office:desk", "office/desk/state", {"event_type": "new"})),
    ("homie", homie("new")),
    ("homie", homie("true", "button-2")),
    ("meraki-mt30", ("meraki", "m1", "meraki/v1/mt/L/ble/m1/buttonReleased", {"action": "new"})),
    ("milesight-gs601", lorawan({"vaping_index_alarm": {"type": 77}, "vaping_index": 3})),
    ("milesight-ws101", lorawan({"press": "quadruple", "battery": 90})),
    ("milesight-ws101", lorawan({"button_event": {"status": "unknown", "msgid": 3}, "battery": 90})),
    ("milesight-ws101", lorawan(data="017555ff2e04")),
    ("milesight-ws156", lorawan({"button_1": "new", "battery": 90})),
    ("netvox-button", lorawan({"Alarm": 2, "Volt": 3.0}, fport=6)),
    ("paradox-panel", panel(77)),
    ("rak2171", lorawan(data="cf010000", fport=6)),
    ("rak2171", lorawan({"sos": 2}, fport=6)),
    ("ring-panel", ring("new-state")),
    ("sensecap-t1000", t1000(42)),
    ("sensecap-t1000", lorawan(data="0600010064f0", fport=5)),
    ("shelly", shelly("new_event")),
    ("shelly", shelly("new_event", "bthomedevice:200")),
    ("shelly", shelly("quadruple_push", "remote:1")),
    ("shelly-gen1", ("shelly-gen1", "s1", "shellies/s1/input_event/0", {"event": "SSSS", "event_cnt": 3})),
    ("tasmota", tasmota({"Button1": {"Action": "HEXA"}})),
    ("tasmota", tasmota({"Switch1": {"Action": "POWER_100"}})),
    ("tasmota", tasmota({"Switch1": "NEW"}, "tele/desk/SENSOR")),
    ("tasmota-zigbee", zigbee("0006!00")),
    ("tektelic-finch", lorawan({"device_status": {"current_state": "New State"}, "rem_batt_capacity": 95})),
    ("verkada-alarm", verkada("new")),
    ("zigbee2mqtt", ("zigbee2mqtt", "desk", "zigbee2mqtt/desk", {"action": "new", "battery": 51})),
    ("zwave-js-ui", ("zwave-js-ui", "Gym:strip", "zwave/Gym/strip/91/0/scene/002", {"time": 1, "value": 42})),
]  # fmt: skip
"""Of every profile of buttons: a word that it does not know."""
NO_WORD = {
    "fixed-code-433": "its code is all that it says: each is a press",
    "moko-lw004": "the port is all that its manual gives: 4 is an SOS",
    "nrf-tracker": "the number of the button is all that it says: each is a press",
    "safesignal": "every alert is a call for help",
    "smart-click": "every command is a press",
    "sparkplug-inputs": "a Boolean has two values",
}


def signals(profile: str, case: Case) -> list[str]:
    """What it says that may call. Raises `DecodeError`."""
    source, device, topic, payload = case
    data = payload if isinstance(payload, str) else json.dumps(payload)
    named = "" if built_in().sources[source].profile in (profile, "tasmota") else profile
    decoder = decoder_of(built_in(), source, registry_of([device], named))
    return [signal.action for signal in decoder.decode(topic, data.encode()) if not signal.ends]


def heard(profile: str, case: Case) -> list[str]:
    """The same; what is refused rings, too."""
    try:
        return signals(profile, case)
    except UncoveredError:
        return []
    except DecodeError:
        return ["refused"]


def is_of_buttons(profile: object) -> bool:
    if not isinstance(profile, written.DeviceProfile):
        return False
    said = {event for rule in profile.rules for event in (rule.event, *rule.map.values())}
    return bool(said & {*PRESSES, "unreadable"})


def test_there_is_such_a_word_of_every_profile_of_buttons():
    entries = built_in().entries.items()
    ours = {name for (kind, name), entry in entries if kind == PROFILE and is_of_buttons(entry.written)}

    assert {name for name, _ in NEW} | NO_WORD.keys() == ours
    assert not {name for name, _ in NEW} & NO_WORD.keys()


@pytest.mark.parametrize(("profile", "case"), NEW, ids=[f"{name} {at}" for at, (name, _) in enumerate(NEW)])
def test_promise_2_a_word_that_its_profile_does_not_know_rings(profile, case):
    words = heard(profile, case)
    assert words, "promise 2: a word that nobody knows yet is silence"
    assert not PRESSES & set(words) - {"own_word"}, "nobody knows that it is a call"


SAID = [
    (tasmota({"Switch1": {"Action": "ON"}}), "press"),  # SetOption114
    (tasmota({"Switch2": {"Action": "HOLD"}}), "hold"),
    (shelly("hold_press", "bthomedevice:200"), "hold"),  # BLU Wall and its like
    (shelly("long_double_push", "bthomedevice:200"), "double_press"),
    (shelly("long_triple_push", "bthomedevice:200"), "triple_press"),
    (shelly("single_push", "button:200"), "press"),
    (bthome("3a05"), "double_press"),
    (bthome("3a06"), "triple_press"),
    (bthome("3a80"), "hold"),
    (bthome("3afe"), "hold"),  # Shelly's before 1.0.20
    (bthome("3a003a01"), "press"),  # the second of two keys
    (("halo", "B0C5CA000001", HALO, "KEYWORD value 1 exceeded 0 at 2026-11-23 16:45:12"), "keyword"),
]


@pytest.mark.parametrize(("case", "expected"), SAID, ids=[f"{expected} {at}" for at, (_, expected) in enumerate(SAID)])
def test_words_that_devices_say_today_are_known(case, expected):
    assert heard("", case) == [expected], "promise 2: what devices say today is no press"


QUIET = [
    ("tasmota", tasmota({"Switch1": {"Action": "OFF"}})),
    ("tasmota", tasmota({"Switch1": {"Action": "POWER_RELEASE"}})),
    ("tasmota", tasmota({"Button1": {"Action": "CLEAR"}})),
    ("tasmota", tasmota({"POWER": "ON"})),
    ("tasmota", tasmota({"POWER1": "ON", "Dimmer": 50, "Color": "80", "Fade": "OFF"})),
    ("tasmota", tasmota({"Timer1": {"Enable": 1, "Mode": 0, "Time": "00:00", "Output": 1, "Action": 1}})),
    ("tasmota", tasmota({"SwitchMode1": 1})),
    ("tasmota", tasmota({"Time": "2026-09-01T14:42:07", "Switch1": "OFF", "ANALOG": {"A0": 4}}, "tele/desk/SENSOR")),
    ("tasmota-zigbee", zigbee("0006!42")),  # a motion sensor
    ("tasmota-zigbee", zigbee("BatteryPercentage")),
    ("tasmota-zigbee", zigbee("0008!07")),
    ("tasmota-zigbee", zigbee("0500!01")),
    ("tasmota-zigbee", zigbee("0000/FF01")),
    ("shelly", shelly("btn_down")),
    ("shelly", shelly("btn_up")),
    ("shelly", shelly("config_changed", "sys")),
    ("shelly", shelly("config_changed", "input:0")),
    ("shelly", shelly("scheduled_restart", "sys")),
    ("shelly", shelly("ota_progress", "sys")),
    ("shelly", shelly("sta_ip_acquired", "wifi")),
    ("shelly", shelly("shelly-blu", "script:1")),
    ("shelly", shelly("device_discovered", "bthome")),
    ("shelly", shelly("rotate_left", "bthomedevice:201")),
    ("shelly", ("shelly", "s-1", "s-1/events/rpc", {"method": "NotifyStatus", "params": {"input:0": {"state": True}}})),
    ("bthome", bthome("3a00")),
    ("bthome", bthome("")),
    ("bthome", bthome("3c0103")),
    ("homie", homie("release")),
    ("homie", homie("false", "pressed")),
    ("alarmo", ("alarmo", "alarmo", "alarmo/state", "arming")),
    ("alarmo", ("alarmo", "alarmo", "alarmo/event", {"event": "READY_TO_ARM_MODES_CHANGED"})),
    ("esphome", ("esphome", "desk", "desk/binary_sensor/strip/state", "OFF")),
    ("esphome", ("esphome", "desk", "desk/sensor/wifi/state", "-61")),
    ("axis-input", axis("0")),
    ("axis-input", ("axis", "B8A4", "axis/B8A4/event/x", {"topic": "onvif:VideoSource/Motion", "message": {}})),
    ("ring-panel", ring("all-clear")),
    ("ring-panel", ring("entry-delay")),
    ("paradox-panel", panel(3)),
    ("paradox-panel", panel(10)),
    ("halo", ("halo", "B0C5CA000001", HALO, "TVOC value 812 exceeded 500 at 2026-11-23 16:45:12")),
    ("verkada-alarm", verkada("disarmed")),
    ("milesight-ws101", lorawan({"battery": 92})),
    ("milesight-ws101", lorawan({"device_status": "on"})),
    ("milesight-ws156", lorawan({"battery": 92, "button_1": 0, "button_2": False, "button_1_d2d": 4})),
    ("netvox-button", lorawan({"Alarm": 0, "Volt": 2.9}, fport=6)),
    ("netvox-button", lorawan({"Cmd": "ConfigReportRsp", "Status": "Success"}, fport=7)),
    ("sensecap-t1000", t1000(3)),
    ("sensecap-t1000", lorawan(data="0600000464f0", fport=5)),
    ("abeeway-at2", lorawan({"messageType": "EVENT", "eventType": "MOTION_START", "sosFlag": 0})),
    ("abeeway-at3", lorawan({"header": {"type": "NOTIFICATION", "sos": False}, "notification": {}})),
    ("rak2171", lorawan(data="ca010000", fport=6)),
    ("tektelic-finch", lorawan({"rem_batt_capacity": 95, "battery_status": {"life": "1.04"}})),
    ("brave-button", ("brave", "b0", "POST /rak_button_press", {"devEui": "b0", "payload": "SFA="})),
]  # fmt: skip
"""What devices say in ordinary life."""


@pytest.mark.parametrize(("profile", "case"), QUIET, ids=[f"{name} {at}" for at, (name, _) in enumerate(QUIET)])
def test_what_is_said_in_ordinary_life_rings_nobody(profile, case):
    assert heard(profile, case) == [], "it says so every day"


@pytest.mark.parametrize("name", ["temperature", "pressure", "battery", "on", "press-count", "alarm-limit"])
def test_what_a_node_says_beside_its_keys_is_counted_only(name):
    with pytest.raises(UncoveredError):
        signals("homie", homie("21.5", name))


def test_promise_2_where_the_server_says_an_unknown_word_the_bytes_know_better():
    """Its decoder is older than the firmware, or speaks another language: the bytes are the device's own words."""
    (pressed,) = signals("milesight-ws101", lorawan({"press": "kurz", "battery": 85}, data="017555ff2e01"))
    (called,) = signals("netvox-button", lorawan({"Alarm": "JA", "Volt": 2.9}, data="014d011d01000000000000", fport=6))

    assert (pressed, called) == ("press", "duress"), "promise 2: a press is only rung for"


@pytest.mark.parametrize(
    "data", ["017555", "017555eeee01", "0175", ""], ids=["report", "unknown tag", "cut off", "none"]
)
def test_promise_2_bytes_that_say_nothing_of_it_do_not_hide_the_servers_word(data):
    words = heard("milesight-ws101", lorawan({"press": "kurz", "battery": 85}, data=data))
    assert words == ["kurz"], "who is rung does not read what it said"


@pytest.mark.parametrize("said", [{"press": 0}, {"button": "none"}, {"battery": 85}, {"press": 0, "battery": 3}])
def test_promise_2_a_quiet_word_of_the_server_does_not_hide_the_press_in_the_bytes(said):
    """Its decoder is broken, or fills what it does not find."""
    words = heard("milesight-ws101", lorawan(said, data="017555ff2e01"))
    assert words == ["press"], "promise 2: the press is in its bytes, and nobody is told"


def test_promise_2_a_quiet_word_of_the_server_hides_no_word_that_nobody_knows():
    assert heard("milesight-ws101", lorawan({"press": 0}, data="ff2e04")) == ["4"], "promise 2: is silence"


@pytest.mark.parametrize("data", ["017555", "017555eeee01", "0175", "ff0bff", ""])
def test_bytes_that_say_nothing_of_a_press_leave_the_servers_quiet_word(data):
    assert heard("milesight-ws101", lorawan({"press": 0, "battery": 85}, data=data)) == [], "it says so every day"


def test_what_the_rules_call_a_test_is_one_whatever_its_bytes_say():
    rules = [{"when": "object.trial == `true`", "event": "test"}, {"value": "object.press", "event": "own_word"}]
    codec = {"tags": [{"tag": "ff2e", "size": 1, "fields": [{"name": "press"}]}]}
    own = {"p.toml": {"profile": {"tried": {"about": "x", "rules": rules, "codec": codec}}}}
    decoder = decoder_of(library(own), "chirpstack-v4", registry_of([EUI], "tried"))

    assert decoder.decode(UP, uplink({"trial": True}, data="ff2e01").encode()) == (), "a test pages"
    assert decoder.decode(UP, uplink({"trial": False}, data="ff2e01").encode()) != ()


@pytest.mark.parametrize("data", ["not_base64", 7])
def test_what_is_no_bytes_leaves_the_servers_quiet_word(data):
    body = json.loads(uplink({"press": 0, "battery": 85})) | {"data": data}
    assert heard("milesight-ws101", ("chirpstack-v4", EUI, UP, body)) == [], "it says so every day"


def test_promise_2_a_switch_that_may_say_the_same_when_it_is_let_go_is_pressed_in_doubt():
    """Tasmota's SwitchModes 3 to 6, for push-buttons, say it once a touch; 0, as shipped, twice."""
    decoder = decoder_of(built_in(), "tasmota", registry_of(["desk"], ""))
    both = {"Switch1": {"Action": "ON"}, "Switch2": {"Action": "TOGGLE"}}
    found = decoder.decode("stat/desk/RESULT", json.dumps(both).encode())

    assert [each.action for each in found] == ["press", "press"], "promise 2: a touch that says TOGGLE calls nobody"
    assert [each.doubtful for each in found] == [False, True], "two touches of SwitchMode 0 lock a school down"


def test_gestures_need_no_word_for_what_may_be_a_release():
    tasmota_says = says(built_in())["tasmota"]
    assert tasmota_says.renamed["TOGGLE"] == "press"
    assert "press_or_release" not in tasmota_says.words, "check warns of a word that gestures need not know"


@pytest.mark.parametrize("word", ["Temp_F", "Pressure", "CO2", "NO2", "NH3", "PM", "PM1", "PM2.5", "PM10"])
def test_a_halo_measures_the_same_in_json(word):
    said = ("halo", "B0C5CA000001", HALO, {"event": {"ID": word, "Status": "true", "Value": "9"}})
    assert heard("halo", said) == [], "it says so every day"


@pytest.mark.parametrize("data", ["ff34010000", "ff34", ""], ids=["of the first alone", "cut off", "none"])
def test_promise_2_a_press_beside_an_unknown_word_needs_no_bytes(data: str):
    known = lorawan({"button_1": "trigger", "button_2": "new"}, data=data)
    assert signals("milesight-ws156", known) == ["press", "new"], "promise 2: what stands beside a call is lost"
