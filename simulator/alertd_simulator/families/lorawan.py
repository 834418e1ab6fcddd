"""LoRaWAN devices: which fields their bytes hold when they say something. The network servers are in `servers`.

`BATTERY` stands for the battery's level in percent, `VOLTS` for that of two cells in line, `BUTTON` for the button's
number.
"""

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from alertd_simulator.families.frames import CannotSayError, to_bytes
from alertd_simulator.families.said import Said

BATTERY, VOLTS, BUTTON = "«battery»", "«volts»", "«button»"
LOW = 5
"""Percent of a battery that is nearly empty."""


class Uplink(Struct, frozen=True, kw_only=True):
    """What the radio carries: bytes on a port; or, of a device without a codec here, what its server's decoder says."""

    fport: int
    data: bytes = b""
    object: dict[str, Any] | None = None


class Form(Struct, frozen=True, kw_only=True):
    """One thing that a device can say."""

    fields: dict[str, Any]
    fport: int = 1
    raw: str = ""
    """Hex, where no fields say it."""
    as_object: bool = False


def _forms(fport: int, **acts: dict[str, Any]) -> dict[str, Form]:
    return {act: Form(fields=fields, fport=fport) for act, fields in acts.items()}


DEVICES: Mapping[str, Mapping[str, Form]] = {
    "milesight-ws101": _forms(
        85,
        press={"battery": BATTERY, "press": "short"},
        long_press={"battery": BATTERY, "press": "long"},
        double_press={"battery": BATTERY, "press": "double"},
        heartbeat={"battery": BATTERY},
        low_battery={"battery": LOW},
        online={"device_status": "on"},
    ),
    "milesight-ws156": _forms(
        85,
        press={"battery": BATTERY, "buttons": [{"button": BUTTON}]},
        heartbeat={"battery": BATTERY},
        low_battery={"battery": LOW},
    ),
    "milesight-gs601": _forms(
        85,
        vape={"battery": BATTERY, "vape_alarm": 17, "vaping_index": 80},
        vape_clear={"vape_alarm": 16, "vaping_index": 3},
        masking={"vape_alarm": 33},
        masking_clear={"vape_alarm": 32},
        tamper={"tamper_alarm": 33},
        tamper_clear={"tamper_alarm": 32},
        alarm={"heat_alarm": 33},
        status={"battery": BATTERY, "vaping_index": 4},
    ),
    "milesight-gs301": {"status": Form(fields={"battery": BATTERY, "nh3": 0.4, "h2s": 0.0}, fport=85, as_object=True)},
    "netvox-button": _forms(
        6, duress={"Volt": VOLTS, "Alarm": 1}, heartbeat={"Volt": VOLTS, "Alarm": 0}, online={"SWver": 10}
    ),
    "dragino-pb01": _forms(2, press={"BatV": VOLTS, "Alarm": "TRUE"}, heartbeat={"BatV": VOLTS, "Alarm": "FALSE"}),
    "dragino-lds02": _forms(10, open={"open": True}, close={"open": False}),
    "browan-tbpb100": _forms(147, press={"status": 1}, heartbeat={"status": 0}),
    "tektelic-finch": _forms(
        10,
        duress={"rem_batt_capacity": BATTERY, "current_state": "Panic State"},
        heartbeat={"rem_batt_capacity": BATTERY, "current_state": "Normal State"},
    ),
    "abeeway-at2": _forms(
        17,
        duress={"messageType": "EVENT", "sosFlag": 0, "eventType": "SOS_MODE_START"},
        duress_clear={"messageType": "EVENT", "sosFlag": 0, "eventType": "SOS_MODE_END"},
        heartbeat={"messageType": "HEARTBEAT", "sosFlag": 0},
        position={"messageType": "POSITION_MESSAGE", "sosFlag": 0},
    ),
    "abeeway-at3": _forms(
        19,
        duress={"sos": True, "type": 1, "battery": BATTERY, "kind": "SOS_ON"},
        duress_clear={"sos": False, "type": 1, "battery": BATTERY, "kind": "SOS_OFF"},
        low_battery={"sos": False, "type": 1, "battery": LOW, "kind": "LOW_BATTERY"},
    ),
    "sensecap-t1000": {
        "duress": Form(fields={"sos": True, "frame": "other"}, fport=5),
        "press": Form(fields={"pressed": True, "frame": "other"}, fport=5),
        "heartbeat": Form(fields={"frame": "heartbeat"}, fport=5),
    },
    "rak2171": _forms(
        6, duress={"kind": "cc"}, duress_clear={"kind": "cd"}, position={"kind": "cb", "battery": BATTERY}
    ),
    "moko-lw004": {
        "duress": Form(fields={"battery": BATTERY}, fport=4),
        "status": Form(fields={"battery": BATTERY}, fport=5),
    },
    "globalsat-lt501": {"position": Form(fields={"kind": 128}, fport=2)},
    "lorawan-sensor": {"status": Form(fields={}, fport=5, raw="0100e10227")},
}  # fmt: skip
"""Profile -> what the device can say -> how."""

STATES = {"abeeway-at2": ("position", {"messageType": "POSITION_MESSAGE", "sosFlag": 1})}
"""Devices that repeat their SOS as a flag in everything they say while it lasts."""


def uplink(profile: str, said: Said) -> Uplink:
    """Raises `CannotSayError`."""
    form = DEVICES.get(profile, {}).get(said.act)
    if form is None:
        raise CannotSayError(f"{profile} cannot say {said.act}")
    fields = _filled(form.fields, said)
    if form.as_object:
        return Uplink(fport=form.fport, object=fields)
    data = bytes.fromhex(form.raw) if form.raw else to_bytes(profile, fields, fport=form.fport)
    return Uplink(fport=form.fport, data=data)


def flagged(profile: str) -> Uplink:
    """What it says while its SOS lasts. Raises `CannotSayError`."""
    if profile not in STATES:
        raise CannotSayError(f"{profile} does not repeat its SOS as a flag")
    act, fields = STATES[profile]
    return Uplink(fport=DEVICES[profile][act].fport, data=to_bytes(profile, fields, fport=DEVICES[profile][act].fport))


def _filled(found: Any, said: Said) -> Any:
    match found:
        case dict():
            return {name: _filled(value, said) for name, value in found.items()}
        case list():
            return [_filled(value, said) for value in found]
        case "«battery»":
            return said.battery
        case "«volts»":
            return round(2.4 + 0.008 * said.battery, 1)
        case "«button»":
            return int(said.button) if said.button.isdigit() else 1
        case _:
            return found
