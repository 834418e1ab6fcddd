"""Gestures: what the arrivals of one device amount to, counted upward as they come (promise 2).

A press below the first threshold pages nobody, and is not lost: it counts until the gesture's window is over. What is
counted while a device is tried out counts for the test alone, and what was counted before it for no test.

One rule of doubt: what certainly belongs to the gesture counts fully; what only may belong to it counts towards the
first threshold, and upgrades nothing. It may belong if the device has no clock and the press waited, or was stored, on
its way; if two clocks (of gateways, of nodes) may be apart; if it may be a state, a count, or a button that is still
held, said again.

Owns what is counted, in the device's row. Must never drop a press for its number or its time: what may belong to the
gesture counts.
"""

from collections.abc import Iterable
from types import MappingProxyType

from msgspec import Struct
from msgspec.structs import asdict, replace

from alertd.engine.draft import Draft
from alertd.model.device_memory import Activation, Counted, GestureCount
from alertd.model.events import Pressed, Signal
from alertd.model.incident import IncidentClass
from alertd.model.reason import Reason
from alertd.model.site import Device, Gestures

CLOCKS_APART_S = 30
"""Clocks of two gateways, or of two nodes, are at most so far apart."""
OVERHEARD_MAX = 16
"""Of one gesture; a copy comes within seconds."""
GESTURES_MAX = 3
"""Of one device, beside the latest: more are not under way at once. `_kept` says which."""
IGNORED = "ignore"
"""In `gestures.actions`: the device says this, and it means nothing (a release, a reset)."""
PRESS = "press"
HELD = frozenset({"hold", "long", "long_press"})
"""A button that is held: some say so again and again until it is let go."""
COUNTED = MappingProxyType(
    {PRESS: 1, "single": 1, "double": 2, "double_press": 2, "triple": 3, "triple_press": 3}
    | {"quadruple": 4, "many": 4, "multi_press": 4}
    | dict.fromkeys(HELD, 1)
)
"""What devices say of presses of a button -> how many of them they have put together, at the least. Counted unless the
gestures name the word; every other word stands for itself."""


class Gesture(Struct, frozen=True, kw_only=True):
    """What the arrivals of one device amount to. `incident_class` is `None` below the first threshold."""

    incident_class: IncidentClass | None
    count: int
    """Presses that have reached it: those in doubt are among them where they were needed."""
    reason: Reason | None = None
    began_us: int | None = None
    """When the first of those before it can have been pressed that belong to it, or may, by the clock as it stands now.
    `None`: it is the first."""
    held_on: bool = False
    """It has called before, and of this, which a button says while it is held, nobody knows whether it is a press."""


def counted(d: Draft, event: Pressed, device: Device, *, doubtful: bool) -> Gesture:
    """Count upward on arrival; act the moment a threshold is reached (promise 2). `doubtful`: it may be no press."""
    signal, rules = event.signal, device.gestures
    named = rules.actions.get(signal.action)
    if named == IGNORED:
        return Gesture(incident_class=None, count=0)
    if named is not None:
        return Gesture(incident_class=IncidentClass(named), count=1)
    if not is_counted(signal.action, rules):
        return Gesture(incident_class=None, count=1, reason=Reason.UNMAPPED_ACTION)
    is_held, together = signal.action in HELD, COUNTED[signal.action]
    doubtful = doubtful or is_held
    before = d.memory(device.id)
    every = _under_way(before)
    # More than one, if what came last lies between them: presses overtake each other on the way.
    same = tuple(each for each in every if _belongs(d, event, each, rules))
    near = going_on(d, event, device)
    maybe = tuple(each for each in _chained(d, event, near, every, rules) if each not in same)
    chain = min((each.chain for each in near), default=1 + max((each.chain for each in every), default=0))
    now = replace(_with(d, event, same, doubtful=doubtful), chain=chain)
    others = _kept(d, event, (each for each in every if each not in same), rules)
    d.remember(replace(before, **asdict(now), others=others))
    # What may belong is added up as what does belong: a device that counts by itself has counted it already.
    sure, count = now.count - now.doubtful, _with(d, event, (*same, *maybe), doubtful=doubtful).count
    if together > 1 and not doubtful:
        sure = max(sure, together)  # whenever it was pressed: they belong to each other
    reached = [threshold for threshold in sorted(rules.presses) if threshold <= count]
    certain = [threshold for threshold in reached if threshold <= sure]
    if not reached:  # of what is held nobody knows whether it was meant
        return Gesture(incident_class=None, count=count, reason=Reason.UNMAPPED_ACTION if is_held else None)
    threshold = certain[-1] if certain else reached[0]
    incident_class = IncidentClass(rules.presses[threshold])
    began_us = min((_began_us(d, event, each) for each in (*same, *maybe)), default=None)
    held_on = is_held and any(each.called for each in (*same, *maybe))
    return Gesture(incident_class=incident_class, count=sure if certain else count, began_us=began_us, held_on=held_on)


def overhear(d: Draft, event: Pressed, device: Device) -> None:
    """Count what only another site of the device has heard: in doubt, and whatever it amounts to calls nobody here."""
    counted(d, event, device, doubtful=True)
    memory = d.memory(device.id)
    d.remember(replace(memory, overheard=(*memory.overheard, event.cause)[-OVERHEARD_MAX:]))


def _with(d: Draft, event: Pressed, same: tuple[Counted, ...], *, doubtful: bool) -> Counted:
    """The gesture, with this press."""
    count, doubts = event.signal.count or 1, sum(each.doubtful for each in same)
    sure = _sure(same)
    together = COUNTED[event.signal.action]
    overheard = tuple(cause for each in same for cause in each.overheard)
    if event.cause in overheard:  # a copy; the one that this site hears is certain
        doubts = max(0, doubts - together)
    own = is_own_count(event.signal) or any(each.own for each in same)
    if not is_own_count(event.signal):
        is_sure = not doubtful and not _is_timeless(event)
        sure, doubts = sure + together * is_sure, doubts + together * (not is_sure)
    elif count > sure:  # its own, and those in doubt are among them
        sure, doubts = count, max(0, doubts - (count - sure))
    elif not doubtful:  # and it began anew, or says it again
        doubts += count
    first_us, last_us = _span(event, same)
    says_when = not waited(event)
    began_us = min((_began_us(d, event, each) for each in same), default=event.oldest_us)
    return Counted(
        count=sure + doubts,
        doubtful=doubts,
        overheard=tuple(cause for cause in overheard if cause != event.cause)[-OVERHEARD_MAX:],
        own=own,
        called=any(each.called for each in same),
        first_us=first_us,
        last_us=last_us,
        lasted_us=(event.received_us if says_when else last_us) - min(began_us, event.oldest_us),
        heard_us=event.received_us if says_when else 0,
        last_boot_us=arrived_us(d, event) if says_when else None,
        boot_id=d.now.boot_id,
    )


def _kept(d: Draft, event: Pressed, others: Iterable[Counted], rules: Gestures) -> tuple[Counted, ...]:
    """Those that a press of now may continue, then those that were added to last: what was stored on its way, however
    much of it comes at once, ends no gesture of now."""
    near_us = rules.window_s * 1_000_000 + CLOCKS_APART_S * 1_000_000
    return tuple(sorted(others, key=lambda each: silent_us(d, event, each) > near_us))[:GESTURES_MAX]


def _sure(same: tuple[Counted, ...]) -> int:
    """Presses that are certain. What a device has counted by itself is no more than the highest of its counts."""
    own = max((each.count - each.doubtful for each in same if each.own), default=0)
    return own + sum(each.count - each.doubtful for each in same if not each.own)


def _span(event: Pressed, same: tuple[Counted, ...]) -> tuple[int, int]:
    """When the gesture began, and its last press, by the device's clock; without one, when it was heard last."""
    at_us = _own_us(event)
    if at_us is None:
        return event.received_us, event.received_us
    return min(at_us, *(e.first_us or e.last_us for e in same), at_us), max(at_us, *(e.last_us for e in same), at_us)


def is_counted(action: str, rules: Gestures) -> bool:
    """Is it one, or more, of several presses that only together mean something?"""
    return action in COUNTED and action not in rules.actions and bool(rules.presses)


def is_own_count(signal: Signal) -> bool:
    """Has the device counted its presses? Else it says no count, or calls each of its presses the first: they are
    counted here."""
    return (signal.count or 1) > COUNTED[signal.action]


def is_under_way(d: Draft, event: Pressed, device: Device) -> bool:
    """May the press continue a gesture?"""
    return bool(going_on(d, event, device))


def going_on(d: Draft, event: Pressed, device: Device) -> tuple[Counted, ...]:
    """Gestures that the press may continue."""
    rules = device.gestures
    every = _under_way(d.memory(device.id))
    return tuple(e for e in every if _belongs(d, event, e, rules) or _may_belong(d, event, e, rules))


def waited(event: Pressed) -> bool:
    """It waited on its way, and says when it was said: its arrival says nothing. Of a device without a clock it may
    have been said last of all."""
    return (event.backlog or event.signal.late) and event.signal.pressed_us is not None


def arrived_us(d: Draft, event: Pressed) -> int:
    """When it arrived, in boot time. Not when it is decided on: while a disk is slow that may be much later."""
    return d.now.boot_us if event.boot_us is None else event.boot_us


def silent_us(d: Draft, event: Pressed, before: Activation | Counted) -> int:
    """How long before this arrival the device was heard: by boot time, which nobody can set; after a reboot, or on
    another node, by the wall clock. Negative: one of the two clocks went back."""
    if before.last_boot_us is not None and before.boot_id == d.now.boot_id:
        return arrived_us(d, event) - before.last_boot_us
    heard_us = before.last_us if isinstance(before, Activation) else before.heard_us or before.last_us
    return event.received_us - heard_us


def _began_us(d: Draft, event: Pressed, before: Counted) -> int:
    """When the first of it can have been pressed, by the clock as it stands now: that of the server may have been set
    since."""
    return event.received_us - silent_us(d, event, before) - before.lasted_us


def _under_way(memory: GestureCount) -> tuple[Counted, ...]:
    latest = Counted(**{name: getattr(memory, name) for name in Counted.__struct_fields__})
    return tuple(each for each in (latest, *memory.others) if each.count)


def _belongs(d: Draft, event: Pressed, before: Counted, rules: Gestures) -> bool:
    """Does the press certainly continue this gesture? By the device's own clock; without one, or if that is days off,
    by the time between the arrivals, too. What has no time and may be old can be put only with its like."""
    window_us = rules.window_s * 1_000_000
    at_us = _own_us(event)
    if at_us is not None and not _is_near(at_us, before, window_us):
        return False
    if event.signal.pressed_us is not None:
        return True
    if _is_timeless(event):
        goes_on = (event.signal.count or 0) > max(1, before.count - before.doubtful)  # by the device's own count
        return (goes_on or before.count == before.doubtful) and _may_belong(d, event, before, rules)
    return abs(silent_us(d, event, before)) <= window_us


def _chained(
    d: Draft, event: Pressed, near: tuple[Counted, ...], every: tuple[Counted, ...], rules: Gestures
) -> tuple[Counted, ...]:
    """With those that one of them may have gone on from: silence starts anew with what only may belong, too. So many
    presses lie between, and none more than a window after the one before."""
    windows, chains = 1 + sum(each.count for each in near), {each.chain for each in near}
    tied = (each for each in every if each.chain in chains and each not in near)
    more = tuple(each for each in tied if _may_belong(d, event, each, rules, windows=windows))
    return _chained(d, event, (*near, *more), every, rules) if more else near


def _may_belong(d: Draft, event: Pressed, before: Counted, rules: Gestures, *, windows: int = 1) -> bool:
    """May it? Clocks may be apart: those of gateways, if one of the two waited, so that its arrival says nothing; else
    those of nodes. What waited and has no time may have been pressed at any time since the line was lost."""
    at_us, window_us = event.signal.pressed_us, windows * rules.window_s * 1_000_000
    apart_us = CLOCKS_APART_S * 1_000_000
    if at_us is not None and (waited(event) or before.last_boot_us is None):
        return _is_near(at_us, before, window_us + apart_us)
    absent_us = event.received_us - _lost_us(event) if event.backlog else 0
    if before.last_boot_us is None or before.boot_id != d.now.boot_id:
        absent_us += apart_us
    silence_us = silent_us(d, event, before)
    # Less than nothing, of what waited: a wall clock went back over a reboot, and nobody knows how long it was.
    return (silence_us if event.backlog else abs(silence_us)) <= absent_us + window_us


def _lost_us(event: Pressed) -> int:
    """When the line was lost, if it waited at the broker: how old its device calls it is another matter."""
    return event.oldest_us if event.backlog_since_us is None else event.backlog_since_us


def _is_near(at_us: int, before: Counted, within_us: int) -> bool:
    return (before.first_us or before.last_us) - within_us <= at_us <= before.last_us + within_us


def _own_us(event: Pressed) -> int | None:
    """When it was pressed, by the device's own clock, also if that is too far off to be believed: it still says how far
    its presses are apart."""
    if event.signal.pressed_us is not None or event.backlog or event.signal.late:
        return event.signal.pressed_us
    return event.oldest_us if event.oldest_us < event.received_us else None


def _is_timeless(event: Pressed) -> bool:
    """It waited at the broker, or was stored, and nobody knows how far from the others it was pressed."""
    return (event.backlog or event.signal.late) and event.signal.pressed_us is None
