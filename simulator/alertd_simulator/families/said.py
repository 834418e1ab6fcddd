"""`Said`: one thing that a device says, before it is put into its family's words."""

from collections.abc import Callable
from datetime import UTC, datetime

from msgspec import Struct
from msgspec.json import encode

from alertd_simulator.devices import Payload


class Heard(Struct, frozen=True, kw_only=True):
    """A gateway that heard it, and how well (dBm)."""

    gateway: str
    rssi: int = -60


class Said(Struct, frozen=True, kw_only=True):
    device: str
    """As the device calls itself: its row of the registry without a button."""
    act: str
    """What it says, as alertd's events call it: "press", "long_press", "duress", "heartbeat", "vape" …"""
    at_us: int
    """Wall clock when it was said."""
    number: int = 1
    """Of everything that this device has said; a family that counts in one byte wraps it."""
    session: str = "1"
    """Changes when the device, or its server, starts anew: counters begin again with it."""
    battery: int = 85
    """Percent."""
    button: str = ""
    heard: tuple[Heard, ...] = (Heard(gateway="gw-sim"),)
    late: bool = False
    """It was stored on its way, and its family can say so."""
    quirk: int = 0
    """A random number for what is random in the family: WS101's `msgid`."""


Maker = Callable[[Said], list[Payload]]


def iso(at_us: int, *, timespec: str = "milliseconds") -> str:
    return datetime.fromtimestamp(at_us / 1e6, UTC).isoformat(timespec=timespec).replace("+00:00", "Z")


def seconds(at_us: int) -> float:
    return round(at_us / 1e6, 3)


def json(topic: str, body: object, *, qos: int = 1, retain: bool = False) -> list[Payload]:
    return [Payload(topic=topic, payload=encode(body), qos=qos, retain=retain)]


def text(topic: str, words: str, *, qos: int = 1, retain: bool = False) -> list[Payload]:
    return [Payload(topic=topic, payload=words.encode(), qos=qos, retain=retain)]


def strongest(heard: tuple[Heard, ...]) -> Heard | None:
    return max(heard, key=lambda each: each.rssi, default=None)
