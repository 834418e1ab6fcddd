"""Plain-JSON presses: anything that can be programmed to publish one (docs/devices.md).

    topic    alertd/press/{device_id}
    payload  {"action": "press", "count": 3, "seq": 17, "boot": "a1", "at": "2026-10-14T14:42:07.310Z",
              "gateway": "gw-1", "battery": 80}

Only `action` is required. What is optional and cannot be understood is left out, and the press still counts. The
device is named by the topic, which the broker's ACL guards; site and mode are no business of a payload.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from alertd.model.events import Signal
from alertd.model.ids import DeviceId, derive
from alertd.ports import API_VERSION, DecodeError, Decoder, SettingsError
from alertd_adapters.decoders.json_payload import DEVICE_ID_MAX, battery_pct, device_time, read_object, whole, word

HEARTBEAT = "heartbeat"
"""The action of a device that only says that it lives."""
PRESSES_MAX = 1000
SEQUENCE_MAX = 2**63 - 1


class PressJson:
    name = "press_json"

    def decode(self, topic: str, payload: bytes) -> Sequence[Signal]:
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
        gateway = word(fields.get("gateway"), DEVICE_ID_MAX)
        return (
            Signal(
                device_id=DeviceId(device_id),
                action=action,
                count=whole(fields.get("count"), 1, PRESSES_MAX),
                cause=_cause(fields, action),
                pressed_us=at_us,
                heard_by=DeviceId(gateway) if gateway is not None else None,
                battery_pct=battery_pct(fields.get("battery")),
            ),
        )


def _cause(fields: Mapping[str, Any], action: str) -> str | None:
    """Identity of the press, only from what can tell two presses apart.

    A counter alone cannot: it starts again with the device, so it needs `boot` or the time. A time in whole seconds
    cannot either: two presses of one second would be one. Action and count are part of it, for a device that sends
    a growing count under one number."""
    seq = whole(fields.get("seq"), 0, SEQUENCE_MAX)
    boot = fields.get("boot")
    boot = str(boot) if isinstance(boot, int) and not isinstance(boot, bool) else word(boot)
    at_us, is_fine = device_time(fields.get("at"))
    count = whole(fields.get("count"), 1, PRESSES_MAX)
    if seq is not None and boot is not None:
        return derive("seq", boot, seq, action, count)
    if at_us is not None and (is_fine or seq is not None):
        return derive("at", at_us, seq, action, count)
    return None


class PressJsonPlugin:
    api_version = API_VERSION

    def build(self, settings: Mapping[str, Any]) -> Decoder:
        for key in settings:
            raise SettingsError(key, "press_json has no settings")
        return PressJson()


plugin = PressJsonPlugin()
