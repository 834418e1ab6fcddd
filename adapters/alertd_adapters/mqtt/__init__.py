"""MQTT: where presses come from, and the way back to the presser's device.

The path of a press: `paho_connection` reads it, `decoding` understands it, `trigger_session` hands it to the door and
acknowledges what is committed. `plugin` is what the entry point `alertd.sources: mqtt` names.
"""

from alertd_adapters.mqtt.assembly import plugin

__all__ = ["plugin"]
