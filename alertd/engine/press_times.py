"""How far apart two presses of one device were made: for certain, and at the least.

Each is known by the device's own clock, by when it arrived, or, if it waited on its way and no clock says when it was
made, only by the span in which that can have been. Clocks of two gateways, or of two machines, may be apart.

Owns the comparison; what it is good for, others say (`gestures`, `levels`, `drills`). Must never trust the wall clock
where boot time is known: it can be set.
"""

from alertd.engine.draft import Draft
from alertd.model.device_memory import CountedPress
from alertd.model.events import Pressed

CLOCKS_APART_S = 30
"""Clocks of two gateways, or of two nodes, are at most so far apart."""
_CLOCKS_APART_US = CLOCKS_APART_S * 1_000_000


def waited(event: Pressed) -> bool:
    """It waited on its way, and says when it was said: its arrival says nothing. Of a device without a clock it may
    have been said last of all."""
    return (event.backlog or event.signal.late) and event.signal.pressed_us is not None


def arrived_us(d: Draft, event: Pressed) -> int:
    """When it arrived, in boot time. Not when it is decided on: while a disk is slow that may be much later."""
    return d.now.boot_us if event.boot_us is None else event.boot_us


def own_us(event: Pressed) -> int | None:
    """When it was pressed, by the device's own clock, also if that is too far off to be believed: it still says how far
    its presses are apart."""
    if event.signal.pressed_us is not None or event.backlog or event.signal.late:
        return event.signal.pressed_us
    return event.oldest_us if event.oldest_us < event.received_us else None


def lost_us(event: Pressed) -> int | None:
    """When the line was lost, if it waited at the broker: how old its device calls it is another matter. What was
    stored, and has no time, is older than anybody knows."""
    if event.signal.late and event.signal.pressed_us is None:
        return event.oldest_us
    if not event.backlog:
        return None
    return event.oldest_us if event.backlog_since_us is None else event.backlog_since_us


def passed_us(before: CountedPress, press: CountedPress) -> int:
    """From the arrival of one to that of the other: by boot time, which nobody can set; after a reboot, or on another
    node, by the wall clock. Negative: one of the two clocks went back, or they overtook each other at the door."""
    if before.boot_us is not None and press.boot_us is not None and before.boot_id == press.boot_id:
        return press.boot_us - before.boot_us
    return press.received_us - before.received_us


def since_us(before: CountedPress, press: CountedPress) -> int:
    """From when one was made, at the latest, to the arrival of the other."""
    return press.received_us - _span_us(before, press.received_us - passed_us(before, press))[1]


def began_us(before: CountedPress, press: CountedPress) -> int:
    """The earliest that one can have been made, by the wall clock as it stood when the other arrived."""
    return press.received_us - passed_us(before, press) - (before.received_us - before.oldest_us)


def are_near(before: CountedPress, press: CountedPress, window_us: int) -> bool:
    """Were they certainly made within the window of each other? By the device's own clock, if that may be right; else
    by every time that is known of them. Clocks of two boots, or nodes, that contradict each other prove nothing."""
    if before.is_timeless or press.is_timeless:
        return False
    if before.at_us is not None and press.at_us is not None and abs(press.at_us - before.at_us) > window_us:
        return False
    if before.is_believed and press.is_believed:
        return True
    if before.boot_id != press.boot_id and passed_us(before, press) < 0:
        return False
    return max(_gaps_us(before, press)) <= window_us


def as_made(presses: tuple[CountedPress, ...]) -> tuple[CountedPress, ...]:
    """In the order in which they were made, by the device's own clock if it says so of all: on their way they overtake
    each other."""
    if any(each.at_us is None for each in presses):
        return presses
    return tuple(sorted(presses, key=lambda each: each.at_us or 0))


def gap_us(before: CountedPress, press: CountedPress) -> int:
    """How far apart they were made, at the least, by any time that is known of them. Below zero where clocks may be
    apart."""
    if before.boot_id != press.boot_id and press.is_timeless and passed_us(before, press) < 0:
        return 0  # the wall clock went back over a reboot, and nobody knows how long it was
    may_be_apart = before.says_when or press.says_when or before.boot_id != press.boot_id
    return min(_gaps_us(before, press)) - _CLOCKS_APART_US * may_be_apart


def _gaps_us(before: CountedPress, press: CountedPress) -> tuple[int, int]:
    """By the device's own clock, where only one has such a time by that and the arrival of the other; and by their
    arrivals."""
    arrived_us, arrived_before_us = press.received_us, press.received_us - passed_us(before, press)
    by_arrival_us = _gap_us(_span_us(press, arrived_us), _span_us(before, arrived_before_us))
    if not before.is_believed and not press.is_believed:
        return by_arrival_us, by_arrival_us
    if before.at_us is not None and press.at_us is not None and before.is_believed and press.is_believed:
        return abs(press.at_us - before.at_us), by_arrival_us
    own = _span_us(press, arrived_us, by_own_clock=True)
    own_before = _span_us(before, arrived_before_us, by_own_clock=True)
    return _gap_us(own, own_before), by_arrival_us


def _span_us(press: CountedPress, arrived_us: int, *, by_own_clock: bool = False) -> tuple[int, int]:
    """From when to when it can have been made, if it arrived then. What waited and says when it was made is taken at
    its word, by the clock that stood when it arrived; what does not was made at any time since the line was lost."""
    if press.at_us is not None and press.is_believed and (press.waited or by_own_clock):
        made_us = arrived_us - (press.received_us - press.at_us)
        return made_us, made_us
    return arrived_us - press.absent_us, arrived_us


def _gap_us(one: tuple[int, int], other: tuple[int, int]) -> int:
    return max(one[0] - other[1], other[0] - one[1], 0)
