"""`Reading`: what one message says of one device, before the core asks what follows from it."""

from collections.abc import Iterable

from msgspec import Struct
from msgspec.structs import replace

from alertd.model.check_in import CheckIn
from alertd.model.events import Heard, Lasting, Signal
from alertd.model.ids import DeviceId, derive
from alertd.ports import DecodeError
from alertd_adapters.decoders.json_payload import word
from alertd_adapters.decoders.mapping.events import (
    ENDINGS,
    OWN_WORD,
    PRESS_OR_RELEASE,
    TRIGGERS,
    UNREADABLE,
    action_of,
)
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
    at_most_us: int | None = None
    """As `Signal.at_most_us`."""
    standing: bool = False
    lasting: Lasting | None = None
    """It says a state that lasts."""
    same_s: int = 0
    heard: tuple[Heard, ...] = ()
    signs: tuple[CheckIn, ...] = ()
    """Of the first reading of a device in a message: what it says beside presses."""
    reads: tuple[tuple[str, float], ...] = ()
    """Of a sensor: numbers that it measured, without a judgement of its own."""
    resets: str = ""
    """Of a sensor: the alarm that it says is over ("vape")."""
    strangers: tuple[str, ...] = ()
    """Of the first reading of a message: devices beside it in the same message that nobody has registered."""
    by: str = ""
    """Which rule said so: "profile milesight-ws101, rule 2"."""

    def signals(self) -> tuple[Signal, ...]:
        """Everything that goes on to the core. Raises `DecodeError`."""
        if self.event == UNREADABLE:
            raise DecodeError(str(self.value))
        said = (self.signal(),) if self.is_signal or self.is_ending else ()
        if not self.reads and not self.resets:
            return said
        bare = self._bare()
        over = (replace(bare, action=self.resets, ends=True),) if self.resets else ()
        return (*said, *over, *(replace(bare, action=action, reading=number) for action, number in self.reads))

    def _bare(self) -> Signal:
        return Signal(
            device_id=DeviceId(self.device_id),
            action="",
            pressed_us=self.pressed_us,
            late=self.late,
            standing=self.standing,
            read_by=self.by,
        )

    @property
    def is_signal(self) -> bool:
        return self.event in TRIGGERS and not self.ignored

    @property
    def is_ending(self) -> bool:
        """The device itself says that it no longer calls."""
        is_quiet = self.event not in TRIGGERS and not self.ignored
        return is_quiet and (self.lasting is not None or self.event in ENDINGS)

    @property
    def action(self) -> str:
        """What gestures call it. Raises `DecodeError`: the device's own word is no word."""
        if self.event != OWN_WORD:
            return action_of(self.event)
        found = word(as_word(self.value))
        if found is None:
            raise DecodeError("the action is not a text of at most 64 characters")
        return found

    def signal(self) -> Signal:
        """Raises `DecodeError`."""
        action, identity = self.action, self.identity
        return Signal(
            device_id=DeviceId(self.device_id),
            action=action,
            # Action and button belong to it: one message may hold two presses of one device.
            cause=derive("id", action, self.button or "", *identity) if identity else None,
            pressed_us=self.pressed_us,
            heard_by=DeviceId(self.heard_by) if self.heard_by is not None else None,
            battery_pct=self.battery_pct,
            late=self.late,
            at_most_us=self.at_most_us,
            standing=self.standing,
            lasting=self.lasting,
            ends=self.is_ending,
            doubtful=self.event == PRESS_OR_RELEASE,
            same_s=self.same_s,
            heard=self.heard,
            read_by=self.by,
        )


def said(readings: Iterable[Reading]) -> tuple[tuple[Signal, ...], str]:
    """Signals of all parts of a message, and why one that may be a press cannot be read. Raises `DecodeError` if there
    is no signal beside it."""
    signals: list[Signal] = []
    unread = ""
    for reading in readings:
        try:
            signals += reading.signals()
        except DecodeError as error:
            unread = unread or str(error)
    if unread and not signals:
        raise DecodeError(unread)
    return tuple(signals), unread
