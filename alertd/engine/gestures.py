"""Gestures: what the arrivals of one device amount to, counted upward as they come (promise 2).

A press below the first threshold pages nobody, and is not lost: it is remembered, and counts with those that follow
within the gesture's window. What is counted while a device is tried out counts for the test alone, and what was counted
before it for no test.

One rule of doubt: what certainly belongs to the gesture counts fully; what only may belong to it counts towards the
first threshold, and upgrades nothing. So each press is asked twice how far it is from the others (`press_times`): for
certain, and at the least. Those that are near each other are the gesture: certainly, and perhaps.

Owns the presses that are remembered, in the device's row. Must never drop a press for its number or its time: what may
belong to the gesture counts.
"""

from types import MappingProxyType

from msgspec import Struct
from msgspec.structs import replace

from alertd.engine import press_times
from alertd.engine.draft import Draft
from alertd.engine.press_times import CLOCKS_APART_S
from alertd.model.device_memory import CountedPress, GestureCount
from alertd.model.events import Pressed, Signal
from alertd.model.ids import CauseId
from alertd.model.incident import IncidentClass
from alertd.model.reason import Reason
from alertd.model.site import Device, Gestures

PRESSES_MAX = 32
"""Of one device that a press of now may go on from; no gesture needs as many."""
_NEVER_US = 1 << 62
IGNORED = "ignore"
"""In `gestures.actions`: the device says this, and it means nothing (a release, a reset)."""
PRESS = "press"
HELD = frozenset({"hold", "long", "long_press"})
"""A button that is held, as each vendor calls it: some say so again and again until it is let go."""
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
    """Presses that it may be: those in doubt are among them."""
    reason: Reason | None = None
    began_us: int | None = None
    """When the first of those before it can have been pressed that belong to it, or may, by the clock as it stands now.
    `None`: it is the first."""
    held_on: bool = False
    """It has called before, and of this, which a button says while it is held, nobody knows whether it is a press."""
    told: int = 1
    """Presses of which people read: those that are certain; 1, where only doubt has reached it."""
    is_more: bool = True
    """It certainly is a press more than those before it: it is no button that is held still, no count said again."""


def counted(d: Draft, event: Pressed, device: Device, *, doubtful: bool, overheard: bool = False) -> Gesture:
    """Count upward on arrival; act the moment a threshold is reached (promise 2). `doubtful`: it may be no press."""
    signal, rules = event.signal, device.gestures
    named = named_by(signal.action, rules)
    if named == IGNORED:
        return Gesture(incident_class=None, count=0)
    if named is not None:
        is_more = not signal.doubtful and (signal.action not in HELD or signal.lasting is not None)
        return Gesture(incident_class=IncidentClass(named), count=1, is_more=is_more)
    if not is_counted(signal.action, rules):
        return Gesture(incident_class=None, count=1, reason=Reason.UNMAPPED_ACTION)
    is_held = signal.action in HELD
    memory = d.memory(device.id)
    # A copy of what only another site had heard counts in its place; when that was heard, ties others together still.
    before = tuple(
        replace(each, number=0) if each.overheard and each.cause == event.cause else each
        for each in _remembered(memory)
    )
    press = _press(d, event, doubtful=doubtful or is_held, overheard=overheard)
    certain = _certainly_with((*before, press), rules)
    tried = tuple(each for each in certain if each.tested)
    possible = (*tried, *_perhaps_with(_live((*before, press)), certain, rules))
    sure = _sure(certain)
    # What may belong is added up as what does belong: a device that counts by itself has counted it already.
    count = sum(_number(press_times.as_made(possible) if possible == certain else possible))
    began_us = min((press_times.began_us(each, press) for each in _live(possible) if each is not press), default=None)
    press = replace(press, reached=sure, called=any(each.called for each in certain))
    others = tuple(replace(each, drilled=False) if each in certain and not press.doubtful else each for each in before)
    d.remember(replace(memory, presses=(*_kept(others, press, rules), press), count=0))
    reached = [threshold for threshold in sorted(rules.presses) if threshold <= count]
    if not reached:  # of what is held nobody knows whether it was meant
        return Gesture(incident_class=None, count=count, reason=Reason.UNMAPPED_ACTION if is_held else None)
    certainly = [threshold for threshold in reached if threshold <= sure]
    return Gesture(
        incident_class=IncidentClass(rules.presses[certainly[-1] if certainly else reached[0]]),
        count=count,
        began_us=began_us,
        held_on=is_held and press.called,
        told=sure if certainly else 1,
        is_more=bool(certainly) and sure > _sure(certain[:-1]),
    )


def overhear(d: Draft, event: Pressed, device: Device) -> None:
    """Count what only another site of the device has heard: in doubt, and whatever it amounts to calls nobody here."""
    counted(d, event, device, doubtful=True, overheard=True)


def has_called(d: Draft, device: Device) -> None:
    """What was counted last has called for help."""
    memory = d.memory(device.id)
    d.remember(replace(memory, presses=(*memory.presses[:-1], replace(memory.presses[-1], called=True))))


def going_on(d: Draft, event: Pressed, device: Device) -> tuple[CountedPress, ...]:
    """Presses that this one would be counted with, or may be."""
    press = _press(d, event, doubtful=False, overheard=False)
    presses = (*_live(_remembered(d.memory(device.id))), press)
    found = _perhaps_with(presses, _certainly_with(presses, device.gestures), device.gestures)
    return tuple(each for each in found if each is not press)


def silent_us(d: Draft, event: Pressed, before: CountedPress) -> int:
    """How long before this arrival one arrived."""
    return press_times.passed_us(before, _press(d, event, doubtful=False, overheard=False))


def named_by(action: str, rules: Gestures) -> str | None:
    """What the word means by itself; `None`: they do not name it. Held is held, whichever word for it a device has:
    unless they name its own, what the others call for counts. Where these differ, or one is ignored, nobody knows."""
    if action in rules.actions or action not in HELD:
        return rules.actions.get(action)
    held = {named for word, named in rules.actions.items() if word in HELD}
    return held.pop() if len(held) == 1 and IGNORED not in held else None


def is_counted(action: str, rules: Gestures) -> bool:
    """Is it one, or more, of several presses that only together mean something?"""
    return action in COUNTED and named_by(action, rules) is None and bool(rules.presses)


def is_known(action: str, rules: Gestures) -> bool:
    """Does the word mean anything to them, and be it nothing?"""
    return named_by(action, rules) is not None or is_counted(action, rules)


def meant(action: str, rules: Gestures) -> tuple[str, ...]:
    """Classes that a word can call for, by itself or counted with others."""
    named = named_by(action, rules)
    if named is not None:
        return () if named == IGNORED else (named,)
    return tuple(rules.presses.values()) if is_counted(action, rules) else ()


def is_own_count(signal: Signal) -> bool:
    """Has the device counted its presses? Else it says no count, or calls each of its presses the first: they are
    counted here."""
    return (signal.count or 1) > COUNTED[signal.action]


def _press(d: Draft, event: Pressed, *, doubtful: bool, overheard: bool) -> CountedPress:
    signal = event.signal
    return CountedPress(
        cause=event.cause,
        number=COUNTED[signal.action],
        total=signal.count if is_own_count(signal) else None,
        doubtful=doubtful,
        overheard=overheard,
        received_us=event.received_us,
        oldest_us=event.oldest_us,
        boot_us=press_times.arrived_us(d, event),
        boot_id=d.now.boot_id,
        at_us=press_times.own_us(event),
        is_believed=signal.pressed_us is not None,
        waited=event.backlog or signal.late,
        lost_us=press_times.lost_us(event),
    )


def _remembered(memory: GestureCount) -> tuple[CountedPress, ...]:
    if not memory.count:
        return memory.presses
    of_before = CountedPress(
        cause=CauseId(""),
        number=memory.count,
        received_us=memory.last_us,
        oldest_us=memory.last_us,
        boot_us=memory.last_boot_us,
        boot_id=memory.boot_id,
    )
    return (of_before,)


def _live(presses: tuple[CountedPress, ...]) -> tuple[CountedPress, ...]:
    """Those of no test that is over."""
    return tuple(each for each in presses if not each.tested)


def _certainly_with(presses: tuple[CountedPress, ...], rules: Gestures) -> tuple[CountedPress, ...]:
    """The last of them, and those which certainly belong to its gesture: each is within the window of another, what
    was pressed in a test ties none. In the order in which they arrived."""
    window_us, last = rules.window_s * 1_000_000, len(presses) - 1
    found, ties, left = [last], [last], list(range(last))
    while near := [i for i in left if any(press_times.are_near(*_pair(presses, i, one), window_us) for one in ties)]:
        found, left = [*found, *near], [i for i in left if i not in near]
        ties = [i for i in near if not presses[i].tested]
    return tuple(presses[i] for i in sorted(found))


def _perhaps_with(
    presses: tuple[CountedPress, ...], certain: tuple[CountedPress, ...], rules: Gestures
) -> tuple[CountedPress, ...]:
    """With those which may belong to it: silence starts anew with what only may belong, too, but a gesture lasts no
    longer than one window for each of its presses. In the order in which they arrived."""
    window_us, last = rules.window_s * 1_000_000, len(presses) - 1
    gaps_us: dict[int, list[int]] = {}  # of those that were asked for, to all
    best = _grown(presses, [i for i, each in enumerate(presses) if each in certain], window_us, gaps_us)
    if presses[last].is_timeless:  # it is one press: of all that it may have followed, it followed those of one time
        tried = set(best)
        for i in range(last):
            if i not in tried and press_times.gap_us(presses[i], presses[last]) <= window_us:
                found = _grown(presses, [i, last], window_us, gaps_us)
                tried.update(found)
                best = max(best, found, key=lambda each: _most(presses, each))
    return tuple(presses[i] for i in sorted(best))


def _grown(
    presses: tuple[CountedPress, ...], found: list[int], window_us: int, gaps_us: dict[int, list[int]]
) -> list[int]:
    """With all that may be of one gesture with those, the nearest first."""
    found, new = list(found), list(found)
    # How far each of the others is from the nearest of them, and from the farthest.
    near_us, far_us, left = [_NEVER_US] * len(presses), [0] * len(presses), set(range(len(presses)))
    while True:
        for one in new:
            if one not in gaps_us:
                gaps_us[one] = [press_times.gap_us(*_pair(presses, i, one)) for i in range(len(presses))]
            near_us = list(map(min, near_us, gaps_us[one]))
            far_us = list(map(max, far_us, gaps_us[one]))
        lasts_us = window_us * _most(presses, found)
        left -= set(new)
        able = [(far_us[i], -i) for i in left if near_us[i] <= window_us and far_us[i] <= lasts_us]
        if not able:
            return found
        new = [-min(able)[1]]
        found += new


def _most(presses: tuple[CountedPress, ...], found: list[int]) -> int:
    """Presses that those stand for, at the most."""
    return sum(presses[i].total or presses[i].number for i in found)


def _pair(presses: tuple[CountedPress, ...], one: int, other: int) -> tuple[CountedPress, CountedPress]:
    """As they arrived."""
    return presses[min(one, other)], presses[max(one, other)]


def _sure(presses: tuple[CountedPress, ...]) -> int:
    """How many they are for certain: as they arrived, and as they were made."""
    return min(_number(presses)[0], _number(press_times.as_made(presses))[0])


def _number(presses: tuple[CountedPress, ...]) -> tuple[int, int]:
    """How many they are: for certain, and in doubt."""
    sure = in_doubt = tested = anew = 0
    for each in presses:
        if each.tested:  # from there its device may count on, or it begins anew and says all of it at once
            tested = each.total or each.number
            anew = 0 if each.counts_on else tested
            continue
        if not each.doubtful and (each.number if each.total is None else each.total < tested):
            tested = 0  # it began anew
        if each.total is None:
            sure, in_doubt = sure + each.number * (not each.doubtful), in_doubt + each.number * each.doubtful
        elif each.total - tested > sure:  # its own count, and those in doubt are among them
            sure, in_doubt = each.total - tested, max(0, in_doubt - (each.total - tested - sure))
            in_doubt, anew = in_doubt + anew, 0
        elif not each.doubtful:  # and it began anew, or says it again
            in_doubt += each.total
    return sure, in_doubt


def _kept(before: tuple[CountedPress, ...], press: CountedPress, rules: Gestures) -> tuple[CountedPress, ...]:
    """Those that a press of now may go on from, and as many of the others: what was stored on its way, however much of
    it comes at once, ends no gesture of now."""
    now_us = (rules.window_s + CLOCKS_APART_S) * 1_000_000
    recent = [e for e in before if not e.is_timeless and abs(press_times.since_us(e, press)) <= now_us][-PRESSES_MAX:]
    others = [each for each in before if each not in recent][-PRESSES_MAX:]
    return tuple(each for each in before if each in recent or each in others)
