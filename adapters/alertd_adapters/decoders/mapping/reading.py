"""`Reading`: what one message says of one device, before the core asks what follows from it."""

from msgspec import Struct

from alertd.model.events import Signal
from alertd.model.ids import DeviceId, derive
from alertd.ports import DecodeError
from alertd_adapters.decoders.json_payload import word
from alertd_adapters.decoders.mapping.events import TRIGGERS
from alertd_adapters.decoders.mapping.rules import as_word


class Reading(Struct, frozen=True, kw_only=True):
    device_id: str
    event: str
    """One of `events.ALL`."""
    value: object = None
    button: str | None = None
    ignored: bool = False
    identity: tuple[str, ...] = ()
    pressed_us: int | None = None
    heard_by: str | None = None
    battery_pct: int | None = None
    late: bool = False
    by: str = ""
    """Which rule said so: "profile milesight-ws101, rule 2"."""

    @property
    def is_signal(self) -> bool:
        return self.event in TRIGGERS and not self.ignored

    @property
    def action(self) -> str:
        """What gestures call it. Raises `DecodeError`: the device's own word is no word."""
        if self.event != "own_word":
            return self.event
        found = word(as_word(self.value))
        if found is None:
            raise DecodeError("the action is not a text of at most 64 characters")
        return found

    def signal(self) -> Signal:
        """Raises `DecodeError`."""
        action = self.action
        return Signal(
            device_id=DeviceId(self.device_id),
            action=action,
            # Action and button belong to it: one message may hold two presses of one device.
            cause=derive("id", action, self.button or "", *self.identity) if self.identity else None,
            pressed_us=self.pressed_us,
            heard_by=DeviceId(self.heard_by) if self.heard_by is not None else None,
            battery_pct=self.battery_pct,
            late=self.late,
        )
