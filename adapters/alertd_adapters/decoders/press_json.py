"""Plain-JSON presses: anything that can be programmed to publish one (docs/devices.md).

    topic    alertd/press/{device_id}
    payload  {"action": "press", "count": 3, "seq": 17, "boot": "a1", "at": "2026-10-14T14:42:07.310Z",
              "gateway": "gw-1", "battery": 80}

    topic    alertd/telemetry/{device_id}
    payload  {"battery": 80, "battery_low": false, "tamper": false, "gateway": "gw-1"}
             or, as last will, {"link": "offline"}

Of a press only `action` is required; of a sign of life (option `heartbeats`) nothing. What is optional and cannot
be understood is left out, and the press still counts. The device is named by the topic, which the broker's ACL guards;
site and mode are no business of a payload.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from alertd.model.check_in import Battery, CheckIn, Link
from alertd.model.events import Heard, Lasting, Signal
from alertd.model.ids import DeviceId, derive
from alertd.ports import API_VERSION, DecodeError, Decoder, SettingsError, Surroundings, Understood, Voices
from alertd_adapters.decoders.json_payload import DEVICE_ID_MAX, battery_pct, device_time, read_object, whole, word

HEARTBEAT = "heartbeat"
"""The action of a device that only says that it lives."""
LASTS_MAX_S = 86_400
PRESSES_MAX = 1000
SEQUENCE_MAX = 2**63 - 1
READING_MAX = 1_000_000
COPIES_S = 60
"""Copies of what only a number and a whole second tell apart come within so long."""


class PressJson:
    name = "press_json"

    def __init__(self, *, heartbeats: bool = False) -> None:
        """`heartbeats`: what comes are signs of life; whatever they say, and be it nothing, the device lives."""
        self._heartbeats = heartbeats

    def understand(self, topic: str, payload: bytes) -> Understood:
        """`ports.CheckInDecoder`."""
        signals = tuple(self.decode(topic, payload))
        device_id = word(topic.rpartition("/")[2], DEVICE_ID_MAX)
        if device_id is None:
            return Understood(signals=signals)
        fields = _lenient(payload)
        return Understood(
            signals=signals,
            check_ins=(_check_in(device_id, fields, [s.action for s in signals if not s.ends]),),
            unread=_unread(device_id, fields) if self._heartbeats else "",
        )

    def decode(self, topic: str, payload: bytes) -> Sequence[Signal]:
        if self._heartbeats and word(_lenient(payload).get("action")) is None:
            return ()
        device_id = word(topic.rpartition("/")[2], DEVICE_ID_MAX)
        if device_id is None:
            raise DecodeError("the topic does not end with a device id")
        fields = read_object(payload)
        claimed = fields.get("device_id")
        if claimed is not None and claimed != device_id:
            raise DecodeError("the payload names another device than the topic")
        action = word(fields.get("action"))
        if action is None:
            raise DecodeError('there is no "action", a text of at most 64 characters')
        if action == HEARTBEAT:
            return ()
        at_us, _ = device_time(fields.get("at"))
        cause, same_s = _identity(fields, action)
        gateway = word(fields.get("gateway"), DEVICE_ID_MAX)
        return (
            Signal(
                device_id=DeviceId(device_id),
                action=action,
                count=whole(fields.get("count"), 1, PRESSES_MAX),
                cause=cause,
                same_s=same_s,
                needs_clock=same_s > 0,
                pressed_us=at_us,
                heard_by=DeviceId(gateway) if gateway is not None else None,
                battery_pct=battery_pct(fields.get("battery")),
                reading=_reading(fields.get("reading")),
                lasting=_lasting(fields),
                ends=fields.get("over") is True,
                heard=_heard(fields),
            ),
        )


def _reading(value: object) -> float | None:
    """What a sensor measured. A number that none can is no number: the message is a sensor's own judgement then."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= READING_MAX:
        return None
    return float(value)


def _lenient(payload: bytes) -> Mapping[str, Any]:
    """The payload's object; of the words "online" and "offline", as last wills have them, what they mean."""
    text = payload.strip()
    if text in (b"online", b"offline"):
        return {"link": text.decode()}
    try:
        return read_object(payload)
    except DecodeError:
        return {}


def _check_in(device_id: str, fields: Mapping[str, Any], actions: Sequence[str]) -> CheckIn:
    said = fields.get("link")
    link = Link(said) if said in ("online", "offline") else None
    pct, low = battery_pct(fields.get("battery")), fields.get("battery_low")
    is_low = low if isinstance(low, bool) else None
    gateway = word(fields.get("gateway"), DEVICE_ID_MAX)
    return CheckIn(
        device_id=DeviceId(device_id),
        alive=link is not Link.OFFLINE,
        link=link,
        battery=Battery(pct=pct, low=is_low) if pct is not None or is_low is not None else None,
        whole_again=fields.get("tamper") is False,
        opened=fields.get("tamper") is True,
        heard_by=DeviceId(gateway) if gateway is not None else None,
        heard=_heard(fields),
        pressed=bool(actions),
        actions=tuple(actions),
    )


_SENSE: Mapping[str, Callable[[Any], bool]] = {
    "battery": lambda value: battery_pct(value) is not None,
    "battery_low": lambda value: isinstance(value, bool),
    "tamper": lambda value: isinstance(value, bool),
    "link": lambda value: value in ("online", "offline"),
    "gateway": lambda value: word(value, DEVICE_ID_MAX) is not None,
}


def _unread(device_id: str, fields: Mapping[str, Any]) -> str:
    """What a sign of life says and makes no sense; it is left out, and the device lives all the same."""
    wrong = [key for key, has_sense in _SENSE.items() if fields.get(key) is not None and not has_sense(fields[key])]
    if fields.get("device_id") not in (None, device_id):
        wrong.append("device_id")
    return f"left out, because its value is none of those in docs/devices.md: {', '.join(wrong)}" if wrong else ""


def _lasting(fields: Mapping[str, Any]) -> Lasting | None:
    """A state that lasts, and is said again at least so often."""
    repeats_s = whole(fields.get("lasts_s"), 1, LASTS_MAX_S)
    return None if repeats_s is None else Lasting(repeats_s=repeats_s)


def _heard(fields: Mapping[str, Any]) -> tuple[Heard, ...]:
    gateway, rssi = word(fields.get("gateway"), DEVICE_ID_MAX), fields.get("rssi")
    if gateway is None:
        return ()
    if isinstance(rssi, bool) or not isinstance(rssi, int | float) or not -200 <= rssi <= 50:
        rssi = None  # no radio says so
    return (Heard(gateway_id=DeviceId(gateway), rssi=rssi),)


def _identity(fields: Mapping[str, Any], action: str) -> tuple[str | None, int]:
    """Identity of the press, only from what can tell two presses apart, and `Signal.same_s`.

    A counter alone cannot: it starts again with the device, so it needs `boot` or a time. A time in whole seconds
    cannot either: two presses of one second would be one. Both together can, for as long as copies come: a button that
    its press switches on may begin each time with the same number, and its clock with the same second; so with a
    clock that stands years off they are none (`Signal.needs_clock`). Action and count are part of it, for a device that
    sends a growing count under one number."""
    seq = whole(fields.get("seq"), 0, SEQUENCE_MAX)
    boot = fields.get("boot")
    boot = str(boot) if isinstance(boot, int) and not isinstance(boot, bool) else word(boot)
    at_us, is_fine = device_time(fields.get("at"))
    count = whole(fields.get("count"), 1, PRESSES_MAX)
    if seq is not None and boot is not None:
        return derive("seq", boot, seq, action, count), 0
    if at_us is not None and (is_fine or seq is not None):
        return derive("at", at_us, seq, action, count), 0 if is_fine else COPIES_S
    return None, 0


class PressJsonPlugin:
    api_version = API_VERSION

    def build(self, settings: Mapping[str, Any]) -> Decoder:
        for key in settings:
            if key != "heartbeats":
                raise SettingsError(key, 'is not a setting of press_json; there is "heartbeats"')
        heartbeats = settings.get("heartbeats", False)
        if not isinstance(heartbeats, bool):
            raise SettingsError("heartbeats", "is true or false")
        return PressJson(heartbeats=heartbeats)

    def voices(
        self,
        topic: str,
        settings: Mapping[str, Any],  # noqa: ARG002 - it has none
        surroundings: Surroundings,  # noqa: ARG002 - the protocol's signature
    ) -> Voices:
        """`ports.SpeakingDecoderPlugin`: the last level is the device, which speaks for itself."""
        above, _, last = topic.rpartition("/")
        if last not in ("+", "#"):
            return Voices(name=last, says=(topic,), relayed=True)
        return Voices(name="", says=(f"{above}/{{client}}" if above else "{client}",), relayed=True)


plugin = PressJsonPlugin()
