"""Signs of life: what a message says of its device beside presses, and what is kept of it.

They travel in the telemetry lane: kept in memory, written in batches, never journalled. Only what follows from them (a
device is silent, a battery low, a gateway gone) becomes a trouble, and goes through the door.
"""

import re
from enum import StrEnum

from msgspec import Struct

from alertd.model.events import Heard
from alertd.model.ids import DeviceId

LOW_PCT = 20
"""A battery at or below this is low, unless its profile says what is. A badge of a year's life then has weeks left
(req 29 asks for seven days)."""
WELL_PCT = 30
"""A low one is well again at or above this: a cold night must not make two troubles of one battery."""


WINDOW_MIN_S, WINDOW_MAX_S = 60, 31 * 24 * 3600
"""Bounds of a check-in window."""
NONE = "none"
_WINDOW = re.compile(r"([0-9]{1,6}) ?(s|min|h|d)")
_SECONDS = {"s": 1, "min": 60, "h": 3600, "d": 24 * 3600}


def window_s(text: str) -> int | None:
    """Seconds of a window as people write it: "200 s", "15 min", "26 h", "3 d"; "none" is 0. `None`: it is none, or is
    out of bounds."""
    if text == NONE:
        return 0
    found = _WINDOW.fullmatch(text)
    seconds = int(found[1]) * _SECONDS[found[2]] if found else 0
    return seconds if WINDOW_MIN_S <= seconds <= WINDOW_MAX_S else None


class Link(StrEnum):
    """What a broker, a bridge or a network server says of the way to a device: its last will, its availability."""

    ONLINE = "online"
    OFFLINE = "offline"


class Battery(Struct, frozen=True, kw_only=True):
    """As its profile understands it, whatever the unit. All `None`: nothing is known."""

    pct: int | None = None
    low: bool | None = None
    """The device, or its profile's threshold, says so; `None`: judge by `pct`."""
    mains: bool = False
    """It has none, or is plugged in."""

    @property
    def is_low(self) -> bool | None:
        """`None`: in between, or not known; then what was known still holds."""
        if self.mains:
            return False
        if self.low is not None:
            return self.low
        if self.pct is None or LOW_PCT < self.pct < WELL_PCT:
            return None
        return self.pct <= LOW_PCT


class CheckIn(Struct, frozen=True, kw_only=True):
    """What one message says of one device, beside its signals."""

    device_id: DeviceId
    alive: bool = True
    """The device itself spoke. False: somebody else spoke of it (a last will, an answer from a server)."""
    link: Link | None = None
    battery: Battery | None = None
    whole_again: bool = False
    """It says that its case is closed: a tamper is over."""
    opened: bool = False
    """It says that it is opened, moved or taken down, and not as a signal."""
    heard_by: DeviceId | None = None
    """The gateway or bridge through which it came."""
    heard: tuple[Heard, ...] = ()
    """Of a wearable: every gateway that heard it, and how well."""
    seen_us: int | None = None
    """When it was last heard, where a bridge repeats old states; `None`: now."""
    pressed: bool = False
    """A button of it was pressed: proof that the whole way works (req 13)."""
    actions: tuple[str, ...] = ()
    """Words of its own, of which its gestures know one if it was pressed; empty: `pressed` is all there is to know."""
    profile: str = ""
    """The device profile that read it, where the registry names none: its window is that profile's."""


class Falls(Struct, frozen=True, kw_only=True):
    """How often something was wrong with a device within a day each time, microseconds."""

    count: int
    fell_us: int
    """When last."""
    back_us: int | None = None
    """Since when it is well again; `None`: it is not, or was well at once."""
    untold: bool = False
    """It fell while people knew that it comes and goes, and they were not told of it: when it stays so, they are."""


class LastSeen(Struct, frozen=True, kw_only=True):
    """What is kept of a device. Wall clock, microseconds; 0: never."""

    device_id: DeviceId
    known_us: int = 0
    """When it was first found in the registry: one that was never heard is missed from here on."""
    seen_us: int = 0
    pressed_us: int = 0
    heard_by: DeviceId | None = None
    battery_pct: int | None = None
    battery_low: bool = False
    mains: bool = False
    offline_us: int = 0
    """Since when whoever watches the way to it says that it is gone; 0: it is not."""
    qos: int | None = None
    """The highest at which a press of it arrived; 0: each could have been lost without a trace."""
    profile: str = ""
    """See `CheckIn`."""
    source: str = ""
    """Over which source it was heard last."""
    listened_us: int = 0
    """How long that source had listened in all, over every life of alertd, when it was heard: silence counts only
    while somebody listens."""
    falls: dict[str, Falls] = {}
    """By family of troubles ("silent"): who comes and goes texts nobody each time."""
    schema: int = 1


class DeviceStanding(Struct, frozen=True, kw_only=True):
    """How a registered device is now, for lists."""

    last: LastSeen
    window_s: int = 0
    """Its check-in window; 0: it need not report."""
    silent: bool = False
    """Missed: its window passed without a word, or whoever watches the way to it says that it is gone."""
    behind: DeviceId | None = None
    """The gateway that is gone, and behind which it cannot be heard."""
    tampered: bool = False
    """It has said that it is opened, moved or taken down, and not yet that it is whole."""
