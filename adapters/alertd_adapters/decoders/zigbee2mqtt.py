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

from alertd.model.events import Signal
from alertd.model.ids import DeviceId, derive
from alertd.ports import API_VERSION, DecodeError, Decoder, SettingsError
from alertd_adapters.decoders.json_payload import DEVICE_ID_MAX, battery_pct, device_time, read_object, word

LEVELS = ("sos", "tamper")
"""States that are repeated as long as they last; each arrival is a signal, and the engine merges."""
ACTION_SUFFIX = "/action"
OTHER_SUFFIXES = ("/availability", "/set", "/get")
"""What the bridge and its clients say about a device: never a press."""


class Zigbee2Mqtt:
    name = "zigbee2mqtt"

    def __init__(self, base_topic: str = "zigbee2mqtt") -> None:
        self._prefix = f"{base_topic}/"

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
    at_us, is_fine = device_time(fields.get("last_seen"))
    return tuple(
        Signal(
            device_id=DeviceId(device_id),
            action=action,
            # Set by the bridge when it heard the radio: the same state published again carries the same one.
            cause=derive("seen", at_us, action) if at_us is not None and is_fine else None,
            pressed_us=at_us,
            battery_pct=battery_pct(fields.get("battery")),
        )
        for action in actions
    )


class Zigbee2MqttPlugin:
    api_version = API_VERSION

    def build(self, settings: Mapping[str, Any]) -> Decoder:
        for key in settings:
            if key != "base_topic":
                raise SettingsError(key, 'is not a setting of zigbee2mqtt; there is "base_topic"')
        base_topic = settings.get("base_topic", "zigbee2mqtt")
        if not isinstance(base_topic, str) or not base_topic or set("+#") & set(base_topic):
            raise SettingsError("base_topic", "is the topic that Zigbee2MQTT's own configuration names as base_topic")
        return Zigbee2Mqtt(base_topic.rstrip("/"))


plugin = Zigbee2MqttPlugin()
