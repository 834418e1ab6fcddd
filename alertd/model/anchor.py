"""The moment of deciding, and by which clock stamps were written: they can be compared after somebody has set it.

Owns how far a clock was set between two looks. Knows no clock itself, and moves nothing: the core does.
"""

from msgspec import Struct

SET_US = 1_000_000
"""Less is the clock's own wandering, and no stamp is compared so exactly."""


class Now(Struct, frozen=True, kw_only=True):
    """The moment of deciding: wall clock for people, boot clock for durations. Microseconds."""

    wall_us: int
    boot_us: int
    boot_id: str = ""
    """Boot times of one boot of one machine can be compared; of two they cannot."""


class Anchor(Struct, frozen=True, kw_only=True):
    """The clock on the wall as it went during one boot."""

    boot_id: str
    ahead_us: int
    """Of boot time."""


def anchor(now: Now) -> Anchor:
    """The clock of now."""
    return Anchor(boot_id=now.boot_id, ahead_us=now.wall_us - now.boot_us)


def is_of(known: Anchor | None, now: Now) -> bool:
    """Can what was stamped by that clock be compared with now, as it is?"""
    if known is None or known.boot_id != now.boot_id:
        return False
    return abs(now.wall_us - now.boot_us - known.ahead_us) < SET_US


def step_us(known: Anchor | None, newest_us: int, now: Now) -> int:
    """By how much the clock was set since; `newest_us` is the newest of the stamps. Within a boot that is exact. Over a
    reboot only one thing is certain: time does not go back, so a clock that shows less than a stamp was set back by as
    much at least. One that shows more may have been set, or the machine was without power."""
    if known is not None and known.boot_id == now.boot_id:
        return now.wall_us - now.boot_us - known.ahead_us
    return min(0, now.wall_us - newest_us)
