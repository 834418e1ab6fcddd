"""Gestures: what the arrivals of one device amount to, counted upward as they come (promise 2).

A press below the first threshold pages nobody, and is not lost: it counts until the gesture's window is over. What is
counted while a device is tried out counts for the test alone, and what was counted before it for no test.

Owns what is counted, in the device's row. Must never drop a press for its number or its time: what may belong to the
gesture counts.
"""

from msgspec import Struct
from msgspec.structs import replace

from alertd.engine.draft import Draft
from alertd.model.decision import Activation, Counted, GestureCount
from alertd.model.events import Pressed, Signal
from alertd.model.incident import IncidentClass
from alertd.model.reason import Reason
from alertd.model.site import Device, Gestures

GESTURES_MAX = 3
"""Of one device, beside the latest: more are not under way at once."""
IGNORED = "ignore"
"""In `gestures.actions`: the device says this, and it means nothing (a release, a reset)."""
PRESS = "press"
"""The action that is counted; every other action stands for itself."""


class Gesture(Struct, frozen=True, kw_only=True):
    """What the arrivals of one device amount to. `incident_class` is `None` below the first threshold."""

    incident_class: IncidentClass | None
    count: int
    reason: Reason | None = None
    continues_us: int | None = None
    """When the arrival before it was heard that belongs to the same gesture."""


def counted(d: Draft, event: Pressed, device: Device) -> Gesture:
    """Count upward on arrival; act the moment a threshold is reached (promise 2)."""
    signal, rules = event.signal, device.gestures
    named = rules.actions.get(signal.action)
    if named == IGNORED:
        return Gesture(incident_class=None, count=0)
    if named is not None:
        return Gesture(incident_class=IncidentClass(named), count=1)
    if not is_counted(signal, rules):
        return Gesture(incident_class=None, count=1, reason=Reason.UNMAPPED_ACTION)
    before = d.memory(device.id)
    every = _under_way(before)
    # More than one, if what came last lies between them: presses overtake each other on the way.
    same = tuple(each for each in every if _continues(d, event, each, rules))
    count = signal.count or 1
    if count == 1:  # no count, or that of a button which calls each of its presses the first: it is counted here
        count += sum(each.count for each in same)
    others = tuple(each for each in every if each not in same)[:GESTURES_MAX]
    first_us, last_us = _span(event, same)
    boot_us, boot_id = d.now.boot_us, d.now.boot_id
    d.remember(
        replace(
            before,
            count=count,
            first_us=first_us,
            last_us=last_us,
            last_boot_us=boot_us,
            boot_id=boot_id,
            others=others,
        )
    )
    reached = [threshold for threshold in sorted(rules.presses) if threshold <= count]
    if not reached:
        return Gesture(incident_class=None, count=count)
    threshold = reached[-1]
    if event.backlog and signal.pressed_us is None and signal.count in (None, 1):
        # Presses that waited at the broker arrive together however far apart they were made: their number says nothing.
        threshold = reached[0]
    continues_us = max((each.last_us for each in same), default=None)
    return Gesture(incident_class=IncidentClass(rules.presses[threshold]), count=count, continues_us=continues_us)


def _span(event: Pressed, same: tuple[Counted, ...]) -> tuple[int, int]:
    """When the gesture began, and its last press, by the device's clock; without one, when it was heard last."""
    at_us = event.signal.pressed_us
    if at_us is None:
        return event.received_us, event.received_us
    return min(at_us, *(e.first_us or e.last_us for e in same), at_us), max(at_us, *(e.last_us for e in same), at_us)


def is_counted(signal: Signal, rules: Gestures) -> bool:
    """Is it one of several presses that only together mean something?"""
    return signal.action == PRESS and signal.action not in rules.actions and bool(rules.presses)


def is_under_way(d: Draft, event: Pressed, device: Device) -> bool:
    """Does the press continue a gesture?"""
    return any(_continues(d, event, each, device.gestures) for each in _under_way(d.memory(device.id)))


def without_presses(memory: GestureCount) -> GestureCount:
    """As if the device had not been heard: for the beginning of a test, and for its end. Only numbers that the device
    itself gives its presses are known beyond both: the same number is the same press, whenever it is said."""
    numbered = tuple(each for each in memory.lasting if each.numbered)
    return replace(memory, count=0, others=(), lasting=numbered)


def silent_us(d: Draft, event: Pressed, before: Activation | Counted) -> int:
    """How long before this arrival the device was heard: by boot time, which nobody can set; after a reboot, or on
    another node, by the wall clock. Negative: one of the two clocks went back."""
    if before.last_boot_us is not None and before.boot_id == d.now.boot_id:
        return d.now.boot_us - before.last_boot_us
    return event.received_us - before.last_us


def _under_way(memory: GestureCount) -> tuple[Counted, ...]:
    latest = Counted(
        count=memory.count,
        first_us=memory.first_us,
        last_us=memory.last_us,
        last_boot_us=memory.last_boot_us,
        boot_id=memory.boot_id,
    )
    return tuple(each for each in (latest, *memory.others) if each.count)


def _continues(d: Draft, event: Pressed, before: Counted, rules: Gestures) -> bool:
    """Does the press continue this gesture? Of one without a believable time of its own, which comes straight from the
    broker, boot time says so as well: somebody may have set the wall clock between two presses."""
    window_us = rules.window_s * 1_000_000
    at_us = event.signal.pressed_us or event.received_us
    if (before.first_us or before.last_us) - window_us <= at_us <= before.last_us + window_us:
        return True
    if event.backlog and event.signal.pressed_us is None:  # pressed at any time since the line was lost: it may belong
        return event.oldest_us - window_us <= before.last_us <= event.received_us
    if event.backlog or event.signal.pressed_us is not None:
        return False
    return 0 <= silent_us(d, event, before) <= window_us
