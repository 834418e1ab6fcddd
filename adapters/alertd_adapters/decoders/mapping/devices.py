"""A device profile, ready to run: from a message of one device to what it means.

Two views are tried: what a decoder on the way has made of the bytes, and the bytes themselves by the profile's codec. A
server whose decoder is missing, broken or renamed its fields must not cost a press.
"""

from typing import Any

from alertd.ports import DecodeError
from alertd_adapters.decoders.json_payload import battery_pct
from alertd_adapters.decoders.mapping import written
from alertd_adapters.decoders.mapping.codec import UNREAD, ByteReader
from alertd_adapters.decoders.mapping.events import TRIGGERS
from alertd_adapters.decoders.mapping.rules import KeyWrongError, Match, Rules, read
from alertd_adapters.decoders.mapping.sources import Message, fport_of, read_bytes

LORAWAN_FULL = 254
"""DevStatus: 1 (empty) to 254 (full); 0 is mains power, 255 unknown (LoRaWAN 1.0.4, 5.5)."""


class Profile:
    def __init__(self, name: str, profile: written.DeviceProfile) -> None:
        self.name = name
        self._profile = profile
        self.rules = Rules(profile.rules)
        self._battery = read(profile.battery, ("battery",))
        self.time = read(profile.time, ("time",))
        self.identity = tuple(
            filter(None, (read(part, ("identity", index)) for index, part in enumerate(profile.identity)))
        )
        codec = profile.codec
        if codec is not None and bool(codec.tags) == bool(codec.frames):
            raise KeyWrongError(("codec",), "needs either tags or frames", "write [[profile.NAME.codec.frames]]")
        self.codec = ByteReader(codec) if codec is not None else None
        unit = profile.battery_unit
        if unit in ("percent", "lorawan") and (profile.battery_full or profile.battery_empty):
            raise KeyWrongError(("battery_unit",), "is not a voltage", 'write "volts" or "millivolts"')

    def battery_pct(self, root: dict[str, Any]) -> int | None:
        if self._battery is None:
            return None
        found = self._battery(root)
        unit = self._profile.battery_unit
        if unit == "percent":
            return battery_pct(found)
        if isinstance(found, bool) or not isinstance(found, int | float):
            return None
        if unit == "lorawan":
            return round((found - 1) * 100 / (LORAWAN_FULL - 1)) if 1 <= found <= LORAWAN_FULL else None
        return self._of_volts(found / 1000 if unit == "millivolts" else found)

    def _of_volts(self, volts: float) -> int | None:
        full, empty = self._profile.battery_full, self._profile.battery_empty
        if full is None or empty is None or full <= empty or not 0 <= volts <= 1_000:
            return None
        return round(min(max((volts - empty) / (full - empty), 0.0), 1.0) * 100)

    def understand(self, message: Message, root: dict[str, Any]) -> tuple[list[Match], dict[str, Any]]:
        """What the rules make of it, and the root that they made it of; no match: unknown. Raises `DecodeError`."""
        data = message.bytes(root) if message.bytes is not None else None
        root["fport"] = fport_of(message.fport(root)) if message.fport is not None else None
        root["object"] = self._object(message, root)
        matches = self.rules.matches(root) if root["object"] is not None else []
        if matches or self.codec is None or data is None:
            return matches, root
        decoded = self.codec.decode(read_bytes(data, message.bytes_as), root["fport"])
        if decoded is None:
            return [], root
        root["object"] = decoded
        matches = self.rules.matches(root)
        if UNREAD in decoded and not any(match.event in TRIGGERS for match in matches):
            raise DecodeError(f"{self.name} cannot read its last {decoded[UNREAD]} bytes")
        return matches, root

    def _object(self, message: Message, root: dict[str, Any]) -> Any:
        if message.object is not None:
            return message.object(root)
        if message.bytes is not None:
            return None
        return root.get("item", root["payload"]) if message.each is not None else root["payload"]
