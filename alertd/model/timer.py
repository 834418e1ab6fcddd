"""Timers: rows that call the engine back. The engine ignores one that it no longer knows."""

from enum import StrEnum

from msgspec import Struct

from alertd.model.ids import IncidentId, SiteId, TimerId


class TimerKind(StrEnum):
    STEP = "step"
    """The running step ran out of time; `number` is its index."""
    WIDEN = "widen"
    """Exhausted: the next round is due; `number` is the round."""
    ARRIVE = "arrive"
    """Somebody said going; has anybody arrived? `number` is the count of answers then."""
    CANCEL_WINDOW = "cancel_window"
    LATE_CONFIRM = "late_confirm"
    DISPATCH_ACCEPT = "dispatch_accept"
    """`detail` is the destination; `number` the sequence it had to accept."""
    DISPATCH_BATCH = "dispatch_batch"
    REDIAL = "redial"
    """Nobody took a call; `detail` is its notification."""
    ANNOUNCE = "announce"
    """The loudspeakers say it again; `number` is the repeat, from 1, `detail` the number of the announcement. Repeat 0:
    have they said it at all?"""
    DRILL_END = "drill_end"
    """A drill ends by itself; `detail` is the drill."""
    SENSOR_CALM = "sensor_calm"
    """Is a storm of sensors over? `detail` is the trouble's key."""
    DEVICE_TEST_END = "device_test_end"
    """A device is live again; `detail` is its test and the device, with a slash between."""
    TROUBLE = "trouble"
    """`detail` is the trouble's key."""


class Timer(Struct, frozen=True, kw_only=True):
    """Due `delay_s` after it was set, measured on boot time: a step of the wall clock neither hurries nor loses it."""

    id: TimerId
    site_id: SiteId
    kind: TimerKind
    delay_s: float
    incident_id: IncidentId | None = None
    number: int = 0
    detail: str = ""
    schema: int = 1
