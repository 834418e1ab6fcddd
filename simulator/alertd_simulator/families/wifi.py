"""Devices on the school's own network, each of which speaks MQTT itself."""

from alertd_simulator.devices import Payload
from alertd_simulator.families.frames import CannotSayError
from alertd_simulator.families.said import Maker, Said, iso, json, seconds, text

SHELLY_1 = {"press": "S", "double_press": "SS", "triple_press": "SSS", "long_press": "L", "none": ""}
SHELLY_2 = {"press": "single_push", "double_press": "double_push", "triple_press": "triple_push",
            "long_press": "long_push"}  # fmt: skip
TASMOTA = {"press": "SINGLE", "double_press": "DOUBLE", "triple_press": "TRIPLE", "multi_press": "QUAD", "hold": "HOLD"}
ENTITY = {"press": "press", "double_press": "double_press", "hold": "hold", "long_press": "long_press",
          "release": "release"}  # fmt: skip
HOMIE = {"press": "press", "double_press": "double", "triple_press": "triple", "long_press": "long", "hold": "hold",
         "release": "release"}  # fmt: skip
LIFE = {"online": "true", "offline": "false"}


def words(acts: dict[str, str], said: Said) -> str:
    """Raises `CannotSayError`."""
    if said.act not in acts:
        raise CannotSayError(f"it cannot say {said.act}")
    return acts[said.act]


def shelly_gen1(said: Said) -> list[Payload]:
    """It retains nothing unless told to, and counts from its last restart."""
    if said.act in LIFE:
        return text(f"shellies/{said.device}/online", LIFE[said.act], retain=True)
    topic = f"shellies/{said.device}/input_event/{said.button or 0}"
    return json(topic, {"event": words(SHELLY_1, said), "event_cnt": said.number})


def shelly(said: Said) -> list[Payload]:
    """A push is three messages: down, up, and what it was."""
    if said.act in LIFE:
        return text(f"{said.device}/online", LIFE[said.act], retain=True)
    number = int(said.button) if said.button.isdigit() else 0
    what = words(SHELLY_2, said)
    found = []
    for ago_us, event in ((250_000, "btn_down"), (150_000, "btn_up"), (0, what)):
        at_s = seconds(said.at_us - ago_us)
        events = [{"component": f"input:{number}", "id": number, "event": event, "ts": at_s}]
        body = {
            "src": said.device, "dst": f"{said.device}/events", "method": "NotifyEvent",
            "params": {"ts": at_s, "events": events},
        }  # fmt: skip
        found += json(f"{said.device}/events/rpc", body)
    return found


def tasmota(said: Said) -> list[Payload]:
    if said.act in LIFE:
        return text(f"tele/{said.device}/LWT", said.act.capitalize(), retain=True)
    if said.act == "status":
        return json(f"tele/{said.device}/STATE", {"Time": iso(said.at_us, timespec="seconds")[:-1], "Vcc": 3.1})
    return json(f"stat/{said.device}/RESULT", {f"Button{said.button or 1}": {"Action": words(TASMOTA, said)}})


def tasmota_zigbee(said: Said) -> list[Payload]:
    words({"press": ""}, said)
    body = {"Device": said.device, "0006!02": "", "Endpoint": 1, "BatteryPercentage": said.battery, "LinkQuality": 90}
    return json("tele/zigbee-bridge/SENSOR", {"ZbReceived": {said.device: body}})


def esphome(said: Said) -> list[Payload]:
    """A binary sensor: retained by default, and it says ON until it is let go."""
    if said.act in LIFE:
        return text(f"{said.device}/status", said.act, retain=True)
    state = {"press": "ON", "release": "OFF"}
    return text(f"{said.device}/binary_sensor/{said.button or 'button'}/state", words(state, said), retain=True)


def home_assistant(said: Said) -> list[Payload]:
    """Its id is PLACE:THING."""
    place, _, thing = said.device.partition(":")
    if said.act in LIFE:
        return text(f"{place}/{thing}/available", said.act, retain=True)
    return json(f"{place}/{thing}/state", {"event_type": words(ENTITY, said)})


def homie(said: Said) -> list[Payload]:
    base = f"homie/5/{said.device}"
    if said.act in LIFE:
        return text(f"{base}/$state", "ready" if said.act == "online" else "lost", retain=True)
    return text(f"{base}/{said.button or 'button'}/action", words(HOMIE, said))


def homie_alert(said: Said) -> list[Payload]:
    words({"low_battery": ""}, said)
    return text(f"homie/5/{said.device}/$alert/battery", f"Battery is low, at {said.battery}%", retain=True)


def axis(said: Said) -> list[Payload]:
    """A panic strip on an input."""
    if said.act in LIFE:
        return json(f"dataq/connect/{said.device}", {"connected": said.act == "online"}, retain=True)
    port, state = said.button or "1", words({"press": "1", "release": "0"}, said)
    body = {
        "topic": "onvif:Device/axis:IO/Port", "timestamp": said.at_us // 1_000, "serial": said.device,
        "message": {"source": {"port": port}, "key": {}, "data": {"state": state}},
    }  # fmt: skip
    return json(f"axis/{said.device}/event/tns:onvif/Device/tns:axis/IO/Port/$source/port/{port}", body)


def meraki(said: Said) -> list[Payload]:
    """Each access point that hears it publishes it, with the button's own time in whole seconds."""
    if said.act == "status":
        return json(f"meraki/v1/mt/L_1/ble/{said.device}/battery", {"batteryPercentage": said.battery})
    action = words({"press": "shortPress", "long_press": "longPress"}, said)
    once = json(
        f"meraki/v1/mt/L_1/ble/{said.device}/buttonReleased",
        {"ts": iso(said.at_us, timespec="seconds"), "action": action},
    )
    return once * max(1, len(said.heard))


MAKERS: dict[tuple[str, str], tuple[Maker, tuple[str, ...]]] = {
    ("shelly-gen1", ""): (shelly_gen1, (*SHELLY_1, *LIFE)),
    ("shelly", ""): (shelly, (*SHELLY_2, *LIFE)),
    ("tasmota", ""): (tasmota, (*TASMOTA, *LIFE, "status")),
    ("tasmota", "tasmota-zigbee"): (tasmota_zigbee, ("press",)),
    ("esphome", ""): (esphome, ("press", "release", *LIFE)),
    ("home-assistant", ""): (home_assistant, (*ENTITY, *LIFE)),
    ("homie", ""): (homie, (*HOMIE, *LIFE)),
    ("homie", "homie-alert"): (homie_alert, ("low_battery",)),
    ("axis", ""): (axis, ("press", "release", *LIFE)),
    ("meraki", ""): (meraki, ("press", "long_press", "status")),
}
"""(source, device profile; "": the source's own) -> maker, and what it can say."""
