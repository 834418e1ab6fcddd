"""A device profile, ready to run: from a message of one device to what it means.

Two views are tried: what a decoder on the way has made of the bytes, and the bytes themselves by the profile's codec. A
server whose decoder is missing, broken or renamed its fields must not cost a press.
"""

from collections.abc import Sequence
from typing import Any

from alertd.model.check_in import window_s
from alertd.ports import DecodeError
from alertd_adapters.decoders.mapping import codec_checking, written
from alertd_adapters.decoders.mapping.codec import UNREAD, ByteReader, Codec
from alertd_adapters.decoders.mapping.events import OWN_WORD, TRIGGERS
from alertd_adapters.decoders.mapping.power import Power
from alertd_adapters.decoders.mapping.rules import KeyWrongError, Match, Rules, read
from alertd_adapters.decoders.mapping.sources import Message, fport_of, read_bytes

SETTLED = {*TRIGGERS, "test"} - {OWN_WORD}
"""Events beside which the bytes have nothing to add."""


class Profile:
    def __init__(self, name: str, profile: written.DeviceProfile) -> None:
        self.name = name
        self.rules = Rules(profile.rules)
        self.power = Power(profile)
        self.sleeps = profile.sleeps
        self.check_in_s = _window_s(profile.check_in)
        self.time = read(profile.time, ("time",))
        self.identity = tuple(
            filter(None, (read(part, ("identity", index)) for index, part in enumerate(profile.identity)))
        )
        self.shows = profile.feedback
        self.identity_s = profile.identity_s
        self.level_repeats_s = profile.level_repeats_s
        self.codec = _reader(profile.codec) if profile.codec is not None else None

    def understand(self, message: Message, root: dict[str, Any]) -> tuple[list[Match], dict[str, Any]]:
        """What the rules make of it, and the root that they made it of; no match: unknown. Where the server says no
        call that a rule knows, its bytes may. Raises `DecodeError`."""
        data = message.bytes(root) if message.bytes is not None else None
        root["fport"] = fport_of(message.fport(root)) if message.fport is not None else None
        root["object"] = self._object(message, root)
        matches = self.rules.matches(root) if root["object"] is not None else []
        if _is_settled(matches) or self.codec is None or data is None:
            return matches, root
        try:
            decoded = self.codec.decode(read_bytes(data, message.bytes_as), root["fport"])
        except DecodeError:
            if matches:
                return matches, root
            raise
        if decoded is None:
            return matches, root
        by_bytes = {**root, "object": decoded}
        found = self.rules.matches(by_bytes)
        if not any(match.event in TRIGGERS for match in found):
            if matches:  # its server's word stands
                return matches, root
            if UNREAD in decoded:
                raise DecodeError(f"{self.name} cannot read its last {decoded[UNREAD]} bytes")
        return found, by_bytes

    def _object(self, message: Message, root: dict[str, Any]) -> Any:
        if message.object is not None:
            return message.object(root)
        if message.bytes is not None:
            return None
        return root.get("item", root["payload"]) if message.each is not None else root["payload"]


def _is_settled(matches: Sequence[Match]) -> bool:
    """Is a call among it that the rules know, or do they say that it is a test?"""
    return any(match.event in SETTLED for match in matches)


def _reader(codec: Codec) -> ByteReader:
    codec_checking.check(codec)
    return ByteReader(codec)


def _window_s(text: str | None) -> int:
    if text is None:
        return 0
    seconds = window_s(text)
    if seconds is None:
        raise KeyWrongError(("check_in",), f'"{text}" is no window', 'write "200 s", "15 min", "26 h", "3 d" or "none"')
    return seconds
