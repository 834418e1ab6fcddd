"""Zigbee2MQTT: buttons, keypads and sensors of any Zigbee vendor, as its bridge publishes them.

    zigbee2mqtt/{friendly name}          {"action": "emergency", "battery": 100, "last_seen": "…"}
    zigbee2mqtt/{friendly name}/action   emergency

Subscribe to one of the two shapes, or every press comes twice; the JSON one knows battery and time. `action` becomes
the signal's action as it is; `"sos": true` and `"tamper": true` become "sos" and "tamper". What a device says while
nothing happens (null or empty action, battery, link quality, `false`) is no press; neither is anything the bridge says
of itself, or of a device's availability.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from alertd.model.check_in import Battery, CheckIn, Link
from alertd.model.events import Lasting, Signal
from alertd.model.ids import DeviceId, derive
from alertd.ports import API_VERSION, DecodeError, Decoder, SettingsError, Surroundings, Understood, Voices
from alertd_adapters.decoders.json_payload import DEVICE_ID_MAX, battery_pct, device_time, read_object, word

SOS = "sos"
LEVELS = (SOS, "tamper")
"""States that are repeated as long as they last; each arrival is a signal, and the engine merges."""
SOS_LASTS = Lasting(repeats_s=4_000, what=SOS)
"""Said again with each report, which comes once an hour."""
ACTION_SUFFIX = "/action"
AVAILABILITY, BRIDGE_STATE = "/availability", "bridge/state"
OTHER_SUFFIXES = (AVAILABILITY, "/set", "/get")
"""What the bridge and its clients say about a device: never a press."""


class Zigbee2Mqtt:
    name = "zigbee2mqtt"

    def __init__(self, base_topic: str = "zigbee2mqtt", gateway: str = "") -> None:
        """`gateway`: what the bridge is called in the registry; "" if it is not there."""
        self._prefix = f"{base_topic}/"
        self._gateway = DeviceId(gateway) if gateway else None

    def understand(self, topic: str, payload: bytes) -> Understood:
        """`ports.CheckInDecoder`: the bridge speaks of itself and of its devices, and passes on what these say."""
        signals = tuple(self.decode(topic, payload))
        name = topic.removeprefix(self._prefix)
        if name == BRIDGE_STATE:
            check_in = _of_link(self._gateway, payload)
        elif name.endswith(AVAILABILITY):
            check_in = _of_link(word(name.removesuffix(AVAILABILITY), DEVICE_ID_MAX), payload)
        elif name.startswith("bridge/") or name.endswith(OTHER_SUFFIXES):
            check_in = None
        else:
            actions = [signal.action for signal in signals if not signal.ends]
            check_in = self._of_device(name.removesuffix(ACTION_SUFFIX), payload, actions)
        return Understood(signals=signals, check_ins=() if check_in is None else (check_in,))

    def _of_device(self, name: str, payload: bytes, actions: Sequence[str]) -> CheckIn | None:
        device_id = word(name, DEVICE_ID_MAX)
        if device_id is None or not payload.strip():
            return None
        fields = _lenient(payload)
        pct, low = battery_pct(fields.get("battery")), fields.get("battery_low")
        is_low = low if isinstance(low, bool) else None
        return CheckIn(
            device_id=DeviceId(device_id),
            battery=Battery(pct=pct, low=is_low) if pct is not None or is_low is not None else None,
            whole_again=fields.get("tamper") is False,
            heard_by=self._gateway,
            seen_us=device_time(fields.get("last_seen"))[0],
            pressed=bool(actions),
            actions=tuple(actions),
        )

    def decode(self, topic: str, payload: bytes) -> Sequence[Signal]:
        if not topic.startswith(self._prefix):
            raise DecodeError(f'the topic is not below "{self._prefix}"')
        name = topic.removeprefix(self._prefix)
        if name.startswith("bridge/") or name.endswith(OTHER_SUFFIXES):
            return ()
        is_action = name.endswith(ACTION_SUFFIX)
        device_id = word(name.removesuffix(ACTION_SUFFIX), DEVICE_ID_MAX)
        if device_id is None:
            raise DecodeError("the topic has no friendly name")
        return _from_action(device_id, payload) if is_action else _from_state(device_id, payload)


def _lenient(payload: bytes) -> Mapping[str, Any]:
    try:
        return read_object(payload)
    except DecodeError:
        return {}


def _of_link(device_id: str | None, payload: bytes) -> CheckIn | None:
    """Said as JSON, or as a word by older versions."""
    said = _lenient(payload).get("state") or payload.decode(errors="replace").strip()
    if device_id is None or said not in ("online", "offline"):
        return None
    return CheckIn(device_id=DeviceId(device_id), alive=said == "online", link=Link(said))


def _from_action(device_id: str, payload: bytes) -> Sequence[Signal]:
    try:
        text = payload.decode()
    except UnicodeDecodeError:
        raise DecodeError("the action is not UTF-8") from None
    if text.strip() in ("", "null"):
        return ()
    action = word(text)
    if action is None:
        raise DecodeError("the action is not a text of at most 64 characters")
    return (Signal(device_id=DeviceId(device_id), action=action),)


def _from_state(device_id: str, payload: bytes) -> Sequence[Signal]:
    fields = read_object(payload)
    actions = [level for level in LEVELS if fields.get(level) is True]
    pressed = fields.get("action")
    if pressed is None or pressed == "":
        pressed = fields.get("click")  # what versions before 1.17 called it
    if pressed is not None and pressed != "":
        action = word(pressed)
        if action is None:
            raise DecodeError("the action is not a text of at most 64 characters")
        actions.insert(0, action)
    over = (Signal(device_id=DeviceId(device_id), action=SOS, ends=True, lasting=SOS_LASTS),)
    return (*(over if fields.get(SOS) is False else ()), *_signals(device_id, fields, actions))


def _signals(device_id: str, fields: Mapping[str, Any], actions: Sequence[str]) -> Sequence[Signal]:
    at_us, is_fine = device_time(fields.get("last_seen"))
    return tuple(
        Signal(
            device_id=DeviceId(device_id),
            action=action,
            # Set by the bridge when it heard the radio: the same state published again carries the same one.
            cause=derive("seen", at_us, action) if at_us is not None and is_fine else None,
            pressed_us=at_us,
            battery_pct=battery_pct(fields.get("battery")),
            lasting=SOS_LASTS if action == SOS else None,
        )
        for action in actions
    )


class Zigbee2MqttPlugin:
    api_version = API_VERSION

    def build(self, settings: Mapping[str, Any]) -> Decoder:
        gateway = settings.get("gateway", "")
        if not isinstance(gateway, str):
            raise SettingsError("gateway", "is the id of the registered gateway that stands for the bridge")
        return Zigbee2Mqtt(_base_topic(settings), gateway)

    def voices(
        self,
        topic: str,  # noqa: ARG002 - the bridge has all below its base topic
        settings: Mapping[str, Any],
        surroundings: Surroundings,  # noqa: ARG002 - the protocol's signature
    ) -> Voices:
        """`ports.SpeakingDecoderPlugin`: one bridge speaks for all that is paired with it."""
        base = _base_topic(settings)
        return Voices(name=base.replace("/", "-"), says=(f"{base}/#",), hears=(f"{base}/#",))


def _base_topic(settings: Mapping[str, Any]) -> str:
    for key in settings:
        if key not in ("base_topic", "gateway"):
            raise SettingsError(key, 'is not a setting of zigbee2mqtt; there are "base_topic" and "gateway"')
    base_topic = settings.get("base_topic", "zigbee2mqtt")
    if not isinstance(base_topic, str) or not base_topic or set("+#") & set(base_topic):
        raise SettingsError("base_topic", "is the topic that Zigbee2MQTT's own configuration names as base_topic")
    return base_topic.rstrip("/")


plugin = Zigbee2MqttPlugin()
