"""Payloads of one family of devices: bytes in, signals out. Pure; what else a decoder may know to do is optional."""

from collections.abc import Callable, Sequence
from typing import Protocol, runtime_checkable

from msgspec import Struct

from alertd.model.check_in import CheckIn
from alertd.model.decision import Confirmation
from alertd.model.events import Signal

PAYLOAD_MAX_BYTES = 64 * 1024
"""No decoder sees a larger payload: it is refused. The largest honest one that we know has 3 KiB."""


class Decoder(Protocol):
    """Understands payloads of one family. Pure: bytes in, signals out."""

    name: str

    def decode(self, topic: str, payload: bytes) -> Sequence[Signal]:
        """Signals in the payload; empty if it is certainly none (a heartbeat). Raises `DecodeError`."""
        ...


class DecodeError(ValueError):
    """The payload is not what this decoder understands; the message says what is wrong, without quoting secrets."""

    never_press: bool | None = None
    """It is of a registered device that never presses (a sensor), or of one that may; `None`: of whom, nobody knows."""


class UncoveredError(DecodeError):
    """The payload is sound, and nothing says what it means: no rule, no device. Counted under `count`, and no trouble:
    a network server carries a town's water meters, too."""

    def __init__(self, message: str, *, count: str, strangers: tuple[str, ...] = ()) -> None:
        """`strangers`: see `Understood`."""
        super().__init__(message)
        self.count = count
        self.strangers = strangers


class Understood(Struct, frozen=True, kw_only=True):
    """All that a message says."""

    signals: tuple[Signal, ...] = ()
    check_ins: tuple[CheckIn, ...] = ()
    unread: str = ""
    """Why a part of it, of another device, cannot be read although it may be a press: a trouble beside the signals. In
    telemetry nothing is a press: it is counted."""
    strangers: tuple[str, ...] = ()
    """Devices of which it speaks and that nobody has registered, as the message spells them."""


@runtime_checkable
class CheckInDecoder(Protocol):
    """An optional ability of a decoder: it also understands what devices say while nobody presses. Without it, whoever
    has signals has been heard."""

    def understand(self, topic: str, payload: bytes) -> Understood:
        """As `decode`, with the signs of life in the message."""
        ...


class Downlink(Struct, frozen=True, kw_only=True):
    """A message to one device, by the way that its network has for it. QoS 1, never retained."""

    topic: str
    payload: bytes
    forget: "Downlink | None" = None
    """What takes it back, once it is worthless, from whoever may still hold it."""


@runtime_checkable
class Answering(Protocol):
    """An optional ability of a decoder: it knows how its devices are told something."""

    def answers(self, confirmation: Confirmation, expires_us: int) -> Sequence[Downlink]:
        """What shows the confirmation at its device; empty where the device shows nothing, or is not one of its own.
        `expires_us`: from when on it is worthless, on the wall clock."""
        ...


class Question(Struct, frozen=True, kw_only=True):
    """What a decoder would like to have published: "say your births again". QoS 0, never retained."""

    topic: str
    payload: bytes


@runtime_checkable
class Asking(Protocol):
    """An optional ability of a decoder: some families must be asked before they can be understood."""

    def questions(self) -> Sequence[Question]:
        """What there is to ask since this was called last; few, and mostly none."""
        ...


@runtime_checkable
class Learning(Protocol):
    """An optional ability of a decoder with a memory: what was not acknowledged was never learnt."""

    def unlearn(self) -> Callable[[], None]:
        """How to forget what the message that was decoded last has taught, and whatever came after it: the broker
        delivers them again. Called for each message, and must be cheap; its result mostly never."""
        ...
