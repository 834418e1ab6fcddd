"""Telling a device that it was heard: the message to its network server, by source and device profile.

Owns what is remembered for it: over which topic each registered device pressed last. Must never send anything itself.
"""

import base64
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from msgspec import Struct

from alertd.model.decision import Confirmation
from alertd.ports import Downlink
from alertd_adapters.decoders.mapping import written


class _Way(Struct, frozen=True):
    """How a device was heard last."""

    captured: Mapping[str, str]
    shows: Mapping[str, written.Shown]


class Downlinks:
    """One source's."""

    def __init__(self, down: written.Down | None) -> None:
        self._down = down
        self._ways: dict[str, _Way] = {}

    def heard(self, device_id: str, captured: Mapping[str, str], shows: Mapping[Any, written.Shown]) -> None:
        """A registered device has pressed."""
        if self._down is not None and shows:
            self._ways[device_id] = _Way(captured, shows)

    def of(self, confirmation: Confirmation, expires_us: int) -> Sequence[Downlink]:
        down, way = self._down, self._ways.get(confirmation.device_id)
        shown = way.shows.get(confirmation.state.value) if way is not None else None
        if down is None or way is None or shown is None:
            return ()
        fields = {
            **way.captured,
            "fport": str(shown.fport),
            "bytes": base64.b64encode(bytes.fromhex(shown.bytes)).decode(),
            "expires": _iso(expires_us),
        }
        forget = None
        if down.forget_topic:
            forget = Downlink(
                topic=_filled(down.forget_topic, fields), payload=_filled(down.forget_payload, fields).encode()
            )
        return (
            Downlink(topic=_filled(down.topic, fields), payload=_filled(down.payload, fields).encode(), forget=forget),
        )


def _iso(at_us: int) -> str:
    return datetime.fromtimestamp(at_us / 1e6, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _filled(template: str, fields: Mapping[str, str]) -> str:
    """Only names in braces; JSON has braces of its own."""
    for name, value in fields.items():
        template = template.replace(f"{{{name}}}", value)
    return template
