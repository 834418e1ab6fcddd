"""Gestures: what the arrivals of one device amount to, counted upward as they come (promise 2).

A press below the first threshold pages nobody, and is not lost: it counts until the gesture's window is over. What is
counted while a device is tried out counts for the test alone, and what was counted before it for no test.

One rule of doubt: what certainly belongs to the gesture counts fully; what only may belong to it counts towards the
first threshold, and upgrades nothing. It may belong if the device has no clock and the press waited at the broker; if
two clocks (of gateways, of nodes) disagree about presses that arrived together; if it may be a state said again.

Owns what is counted, in the device's row. Must never drop a press for its number or its time: what may belong to the
gesture counts.
"""

from msgspec import Struct
from msgspec.structs import asdict, replace

from alertd.engine.draft import Draft
from alertd.model.decision import Activation, Counted, GestureCount
from alertd.model.events import Pressed, Signal
from alertd.model.incident import IncidentClass
from alertd.model.reason import Reason
from alertd.model.site import Device, Gestures

CLOCKS_APART_S = 30
"""Clocks of two gateways, or of two nodes, are at most so far apart."""
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
    """Presses that have reached it: those in doubt are among them where they were needed."""
    reason: Reason | None = None
    continues_us: int | None = None
    """When the arrival before it was heard that belongs to the same gesture."""
    began_us: int | None = None
    """When the first of those was heard that belong to it, or may."""


def counted(d: Draft, event: Pressed, device: Device, *, doubtful: bool) -> Gesture:
    """Count upward on arrival; act the moment a threshold is reached (promise 2). `doubtful`: it may be no press."""
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
    same = tuple(each for each in every if _belongs(d, event, each, rules))
    maybe = tuple(each for each in every if each not in same and _may_belong(d, event, each, rules))
    now = _with(d, event, same, doubtful=doubtful)
    others = tuple(each for each in every if each not in same)[:GESTURES_MAX]
    d.remember(replace(before, **asdict(now), others=others))
    sure, count = now.count - now.doubtful, now.count + sum(each.count for each in maybe)
    continues_us = max((each.last_us for each in (*same, *maybe)), default=None)
    reached = [threshold for threshold in sorted(rules.presses) if threshold <= count]
    certain = [threshold for threshold in reached if threshold <= sure]
    if not reached:
        return Gesture(incident_class=None, count=count)
    threshold = certain[-1] if certain else reached[0]
    incident_class = IncidentClass(rules.presses[threshold])
    began_us = min((each.first_us or each.last_us for each in (*same, *maybe)), default=None)
    reached_count = sure if certain else count
    return Gesture(incident_class=incident_class, count=reached_count, continues_us=continues_us, began_us=began_us)


def _with(d: Draft, event: Pressed, same: tuple[Counted, ...], *, doubtful: bool) -> Counted:
    """The gesture, with this press."""
    count, doubts = event.signal.count or 1, 0
    if count == 1:  # no count, or that of a button which calls each of its presses the first: it is counted here
        count += sum(each.count for each in same)
        doubts = sum(each.doubtful for each in same) + (doubtful or _is_timeless(event))
    first_us, last_us = _span(event, same)
    boot_us = None if waited(event) else d.now.boot_us
    boot_id = d.now.boot_id
    return Counted(
        count=count, doubtful=doubts, first_us=first_us, last_us=last_us, last_boot_us=boot_us, boot_id=boot_id
    )


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
    """May the press continue a gesture?"""
    rules = device.gestures
    every = _under_way(d.memory(device.id))
    return any(_belongs(d, event, each, rules) or _may_belong(d, event, each, rules) for each in every)


def waited(event: Pressed) -> bool:
    """It waited on its way, and says when it was said: its arrival says nothing. Of a device without a clock it may
    have been said last of all."""
    return (event.backlog or event.signal.late) and event.signal.pressed_us is not None


def silent_us(d: Draft, event: Pressed, before: Activation | Counted) -> int:
    """How long before this arrival the device was heard: by boot time, which nobody can set; after a reboot, or on
    another node, by the wall clock. Negative: one of the two clocks went back."""
    if before.last_boot_us is not None and before.boot_id == d.now.boot_id:
        return d.now.boot_us - before.last_boot_us
    return event.received_us - before.last_us


def _under_way(memory: GestureCount) -> tuple[Counted, ...]:
    latest = Counted(**{name: getattr(memory, name) for name in Counted.__struct_fields__})
    return tuple(each for each in (latest, *memory.others) if each.count)


def _belongs(d: Draft, event: Pressed, before: Counted, rules: Gestures) -> bool:
    """Does the press certainly continue this gesture? By the device's own clock; without one, by the time between the
    arrivals. What waited and has none can be put only with its like."""
    window_us = rules.window_s * 1_000_000
    at_us = event.signal.pressed_us
    if at_us is not None:
        return (before.first_us or before.last_us) - window_us <= at_us <= before.last_us + window_us
    if event.backlog:
        return before.count == before.doubtful and _may_belong(d, event, before, rules)
    return abs(silent_us(d, event, before)) <= window_us


def _may_belong(d: Draft, event: Pressed, before: Counted, rules: Gestures) -> bool:
    """May it? What waited and has no time may have been pressed at any time since the line was lost. Else clocks may
    be apart: of gateways, if both came straight from the broker within the window; of nodes."""
    window_us = rules.window_s * 1_000_000
    if _is_timeless(event):
        return event.oldest_us - window_us <= before.last_us <= event.received_us
    if waited(event) or before.last_boot_us is None:
        return False
    apart_us = 0 if before.boot_id == d.now.boot_id else CLOCKS_APART_S * 1_000_000
    return abs(silent_us(d, event, before)) <= window_us + apart_us


def _is_timeless(event: Pressed) -> bool:
    """It waited at the broker, and nobody knows how far from the others it was pressed."""
    return event.backlog and event.signal.pressed_us is None
