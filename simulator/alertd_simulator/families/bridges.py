"""Devices behind a bridge or a gateway that is not a LoRaWAN server, panels, and sensors that speak through one."""

from alertd_adapters.decoders.sparkplug.wire import BOOLEAN, Metric, write
from alertd_adapters.decoders.sparkplug.wire import Payload as Birth
from alertd_simulator.devices import Payload
from alertd_simulator.families.frames import to_bytes
from alertd_simulator.families.said import Heard, Maker, Said, iso, json, text
from alertd_simulator.families.wifi import LIFE, words

ZIGBEE = {"press": "single", "double_press": "double", "triple_press": "triple", "multi_press": "many",
          "long_press": "long", "hold": "hold", "release": "release",
          "duress": "emergency", "heartbeat": ""}  # fmt: skip
THEENGS = {"press": 1, "double_press": 2, "triple_press": 3, "long_press": 9, "hold": 11, "heartbeat": 0}
BTHOME = {"press": 1, "double_press": 2, "triple_press": 3, "long_press": 4, "hold": 128}
SCENE = {"press": 0, "release": 1, "hold": 2, "double_press": 3, "triple_press": 4}
CLICKS = {"press": "SINGLE", "double_press": "DOUBLE", "long_press": "LONG"}
HALO = {"vape": "Vape", "thc": "THC", "smoking": "Smoking", "masking": "Masking", "tamper": "Tamper",
        "aggression": "Aggression", "gunshot": "Gunshot", "keyword": "Keyword", "duress": "Help",
        "status": "Health_Index"}  # fmt: skip
PARADOX = {"duress": 0, "medical": 1, "fire": 2, "police": 4}
BYTE = 256


def zigbee2mqtt(said: Said) -> list[Payload]:
    """With `last_seen: ISO_8601`. Whole seconds would tell no two presses apart, so it never writes them."""
    if said.act in LIFE:
        return json(f"zigbee2mqtt/{said.device}/availability", {"state": said.act}, qos=0, retain=True)
    seen_us = said.at_us + (1_000 if said.at_us // 1_000 % 1_000 == 0 else 0)
    topic = f"zigbee2mqtt/{said.device}"
    body: dict[str, object] = {"battery": said.battery, "linkquality": 112, "last_seen": iso(seen_us)}
    if said.act in ("tamper", "tamper_clear"):
        return json(topic, body | {"tamper": said.act == "tamper"})
    word = words(ZIGBEE, said)
    return json(topic, body | ({"action": word} if word else {}))


def _gateways(said: Said) -> tuple[Heard, ...]:
    return said.heard or (Heard(gateway="gw-sim"),)


def theengs(said: Said) -> list[Payload]:
    """Every gateway that hears the advertisement publishes it; the packet's number says that it is the same."""
    if said.act not in THEENGS:
        words({}, said)
    button = f"button{said.button}"
    mac = said.device.replace(":", "")
    body = {
        "brand": "Shelly", "model_id": "SBBT-002C", "type": "BTN", "packet": said.number % BYTE, "batt": said.battery,
        button: THEENGS[said.act], "mac": said.device,
    }  # fmt: skip
    return [each for heard in _gateways(said) for each in json(f"home/{heard.gateway}/BTtoMQTT/{mac}", body)]


def remote_433(said: Said) -> list[Payload]:
    """All that it says of itself is its code, which is its id."""
    words({"press": ""}, said)
    body = {"value": int(said.device), "protocol": 1, "length": 24, "delay": 350}
    return [each for heard in _gateways(said) for each in json(f"home/{heard.gateway}/433toMQTT", body)]


def bthome_raw(said: Said) -> list[Payload]:
    fields = {"encrypted": False, "packet": said.number % BYTE, "battery": said.battery}
    if said.act != "heartbeat":
        words(dict.fromkeys(BTHOME, ""), said)
        fields["buttons"] = [{"event": BTHOME[said.act]}]  # type: ignore[assignment]
    data = bytearray(to_bytes("bthome", fields, fport=None))
    data[0] |= 0x44  # version 2, sent by an event
    mac = said.device.replace(":", "")
    return [each for heard in _gateways(said) for each in text(f"ble/{heard.gateway}/{mac}/fcd2", data.hex())]


def zwave(said: Said) -> list[Payload]:
    """Its id is LOCATION:NODE. Values are numbers, and 0 is a press."""
    place, _, node = said.device.partition(":")
    at_ms = said.at_us // 1_000
    if said.act in LIFE:
        state = "Alive" if said.act == "online" else "Dead"
        return json(f"zwave/{place}/{node}/status", {"time": at_ms, "status": state}, retain=True)
    if said.act in ("duress", "duress_clear"):
        value = 0 if said.act == "duress_clear" else 2
        return json(f"zwave/{place}/{node}/113/0/Emergency_Alarm/unknown", {"time": at_ms, "value": value})
    words(dict.fromkeys(SCENE, ""), said)
    topic = f"zwave/{place}/{node}/91/0/scene/{said.button or '001'}"
    return json(topic, {"time": at_ms, "value": SCENE[said.act]})


def aws(said: Said) -> list[Payload]:
    clicked = {"clickType": words(CLICKS, said), "reportedTime": iso(said.at_us)}
    info = {"deviceId": said.device, "type": "button", "remainingLife": said.battery}
    return json(f"1click/{said.device}", {"deviceInfo": info, "deviceEvent": {"buttonClicked": clicked}})


def smart_click(said: Said) -> list[Payload]:
    device = {"imei": said.device, "battery": 2_000 + said.battery * 10, "uptime": said.at_us // 1_000_000}
    if said.act == "status":
        return json(f"smartclick/{said.device}/events", {"device": device})
    words({"press": ""}, said)
    return json(f"smartclick/{said.device}/events", {"device": device, "payload": {"commands": "help"}})


def nrf_tracker(said: Said) -> list[Payload]:
    at_ms = said.at_us // 1_000
    if said.act == "other":
        return json(f"{said.device}/messages", {"bat": {"v": 3_900, "ts": at_ms}})
    words({"press": ""}, said)
    return json(f"{said.device}/messages", {"btn": {"v": int(said.button or 1), "ts": at_ms}})


def safesignal(said: Said) -> list[Payload]:
    """Sent again, an alert has the same id and another `retryCount`."""
    if said.act == "heartbeat":
        body = {"deviceId": said.device, "type": "HEARTBEAT", "timestamp": said.number * 30}  # counts from its restart
        return json("safesignal/district/school/device/heartbeat", body)
    words({"duress": ""}, said)
    body = {
        "alertId": f"ESP32-{said.device}-{said.session}-{said.number}", "deviceId": said.device, "mode": 1,
        "origin": "ESP32", "timestamp": said.at_us // 1_000_000, "retryCount": said.quirk % 3,
    }  # fmt: skip
    return json("safesignal/district/school/alerts/trigger", body)


def halo(said: Said) -> list[Payload]:
    act = said.act.removesuffix("_clear")
    words(HALO, Said(device=said.device, act=act, at_us=said.at_us))
    stamp = iso(said.at_us, timespec="seconds")
    event = {
        "Device": {"Name": said.device, "Mac": said.device}, "ID": HALO[act], "Source": HALO[act].upper(),
        "Value": "12.1" if "_clear" in said.act else "107.4", "Status": "reset" if "_clear" in said.act else "true",
        "Date": stamp[:10], "Time": stamp[11:19],
    }  # fmt: skip
    return json(f"halo/{said.device}/event", {"event": event})


def paradox(said: Said) -> list[Payload]:
    """PAI. Retained, as it does unless told otherwise; the panel's id is "paradox"."""
    if said.act in LIFE:
        return text("paradox/interface/availability", said.act, retain=True)
    body = {
        "timestamp": iso(said.at_us, timespec="microseconds").replace("Z", "+00:00"), "type": "special", "major": 30,
        "minor": PARADOX.get(said.act, -1), "level": "CRITICAL",
    }  # fmt: skip
    words(dict.fromkeys(PARADOX, ""), said)
    return json("paradox/events/raw", body, retain=True)


def alarmo(said: Said) -> list[Payload]:
    """Its state is retained; the panel's id is "alarmo"."""
    states = {"alarm": "triggered", "arm": "armed_away", "disarm": "disarmed"}
    return text("alarmo/state", words(states, said), retain=True)


def ring(said: Said) -> list[Payload]:
    states = {"duress": "user-verified-panic-alarm", "alarm": "burglar-alarm", "fire": "fire-alarm",
              "alarm_clear": "all-clear"}  # fmt: skip
    body = {"alarmState": words(states, said), "batteryLevel": said.battery, "lastUpdate": iso(said.at_us)}
    return json(f"ring/location/alarm/{said.device}/info/state", body, retain=True)


def sparkplug(said: Said) -> list[Payload]:
    """Its id is NODE:DEVICE. Births come first; after them a press is a number."""
    node, _, device = said.device.partition(":")
    at_ms = said.at_us // 1_000
    birth = [Metric(name="Inputs/Button", alias=5, timestamp=at_ms - 2_000, datatype=BOOLEAN, value=False)]
    life = (("NBIRTH", node, 0, [Metric(name="bdSeq", datatype=4, value=7)]), ("DBIRTH", f"{node}/{device}", 1, birth))
    found = [
        Payload(topic=f"spBv1.0/school/{kind}/{path}", payload=_sparkplug(at_ms - 2_000, seq, metrics), qos=0)
        for kind, path, seq, metrics in life
    ]
    if said.act == "online":
        return found
    pressed = words({"press": "true", "release": ""}, said) == "true"
    data = [Metric(alias=5, timestamp=at_ms, value=pressed, historical=said.late)]
    topic = f"spBv1.0/school/DDATA/{node}/{device}"
    return [*found, Payload(topic=topic, payload=_sparkplug(at_ms, 2, data), qos=0)]


def _sparkplug(at_ms: int, seq: int, metrics: list[Metric]) -> bytes:
    return write(Birth(timestamp=at_ms, seq=seq, metrics=tuple(metrics)))


MAKERS: dict[tuple[str, str], tuple[Maker, tuple[str, ...]]] = {
    ("zigbee2mqtt", ""): (zigbee2mqtt, (*ZIGBEE, "tamper", *LIFE)),
    ("theengs", "bthome-theengs"): (theengs, tuple(THEENGS)),
    ("theengs", "fixed-code-433"): (remote_433, ("press",)),
    ("bthome-raw", ""): (bthome_raw, (*BTHOME, "heartbeat")),
    ("zwave-js-ui", ""): (zwave, (*SCENE, "duress", "duress_clear", *LIFE)),
    ("aws-button", ""): (aws, tuple(CLICKS)),
    ("smart-click", ""): (smart_click, ("press", "status")),
    ("nrf-tracker", ""): (nrf_tracker, ("press", "other")),
    ("safesignal", ""): (safesignal, ("duress", "heartbeat")),
    ("halo", ""): (halo, (*HALO, "vape_clear", "masking_clear", "tamper_clear")),
    ("paradox-pai", ""): (paradox, (*PARADOX, *LIFE)),
    ("alarmo", ""): (alarmo, ("alarm", "arm", "disarm")),
    ("ring", ""): (ring, ("duress", "alarm", "fire", "alarm_clear")),
    ("sparkplug-b", "sparkplug-inputs"): (sparkplug, ("press", "release", "online")),
}
"""(source, device profile; "": the source's own) -> maker, and what it can say."""
