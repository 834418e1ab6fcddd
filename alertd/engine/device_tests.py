"""One device is tried out: somebody presses it to see that it is heard, and nobody is paged (devices.md, quirk 10).

1. Only presses of exactly this device, made within the time, up to the class that is tried, are tests. Any other
   device, a graver gesture, a press that may have been made before it began, or any press while something real is open
   at the site, or a sensor asks whether it is, is real; and a graver gesture ends the test.
2. It lasts while somebody watches it, at most its minutes: it is over when nobody has asked for `UNWATCHED_S` what was
   heard, when whoever ordered it says so, when the clock is set, or when alertd is started.
3. What was heard is written down, gesture by gesture, and that it was: the device is tested.
4. What was pressed in a test is forgotten at its end, but for how far the device had counted by itself, and may count
   on: it counts in no gesture that is real, nor is a state that was tried out the call of which a later one would be
   the repeat. While it runs, such a state that is said again is the same gesture (`levels`, rule 8). What was pressed
   before it is kept, and real: no test begins in the middle of a gesture, and a gesture that began before one is none
   of it.

Must never take a mode from anybody: that a press is a test follows from the device's own row, here and nowhere else.
"""

from msgspec.structs import replace

from alertd.engine import gestures, press_times, wording
from alertd.engine.draft import Draft
from alertd.model.anchor import anchor, is_of
from alertd.model.decision import Entry, EntryKind
from alertd.model.device_memory import CountedPress, DeviceTest, GestureCount
from alertd.model.events import DeviceTestEndOrdered, DeviceTestOrdered, DeviceTestWatched, Pressed, Signal
from alertd.model.ids import DeviceId, derive
from alertd.model.incident import SEVERITY, VERIFY_FIRST, Incident, IncidentClass, is_panic
from alertd.model.mode import Mode
from alertd.model.reason import Reason
from alertd.model.site import Device, DeviceKind
from alertd.model.timer import Timer, TimerKind

MINUTES_MIN, MINUTES_MAX = 1, 60
UNWATCHED_S = 30
"""Nobody has asked for so long what was heard: whoever ordered the test is gone, and the device is live."""


# --- beginning and ending -------------------------------------------------------------------------------------------


def _why_not(d: Draft, order: DeviceTestOrdered) -> str:
    """Why this device cannot be tried out now, in a sentence for whoever wants to; empty: it can."""
    device = d.facts.registry.devices.get(order.device_id)
    if device is None:
        return f"there is no device {order.device_id}"
    if unfit := _unfit(device, order):
        return unfit
    if grave := _open_grave(d):
        return f"{grave.headline} is open: every press is real until it is closed"
    if d.drill is not None and order.device_id in d.drill.device_ids:
        return f"{order.device_id} takes part in the drill that runs"
    return _in_a_gesture(d, order, device)


def _in_a_gesture(d: Draft, order: DeviceTestOrdered, device: Device) -> str:
    """Somebody may be pressing it for help: what was counted is neither forgotten nor taken for a test. So none begins
    while a press of now would be counted to a gesture, or might be."""
    if _running(d, device.id) is not None:
        return ""
    pressed_now = Pressed(
        site_id=order.site_id,
        cause=order.cause,
        signal=Signal(device_id=device.id, action=gestures.PRESS),
        received_us=d.now.wall_us,
        oldest_us=d.now.wall_us,
        backlog=False,
        retained=False,
        source="",
    )
    under_way = gestures.going_on(d, pressed_now, device)
    if not under_way:
        return ""
    silent_us, again = min(gestures.silent_us(d, pressed_now, each) for each in under_way), "and order it again"
    if silent_us < 0:
        return f"nobody knows how long ago {device.id} was pressed, a clock was set: wait for a minute, {again}"
    quiet_s = device.gestures.window_s
    if any(each.boot_id != d.now.boot_id for each in under_way):
        quiet_s += press_times.CLOCKS_APART_S
    return f"{device.id} was pressed {silent_us // 1_000_000} s ago: wait until it was quiet for {quiet_s:g} s, {again}"


def _unfit(device: Device, order: DeviceTestOrdered) -> str:
    """What is wrong with the order itself."""
    if device.kind is DeviceKind.GATEWAY:
        return f"{device.id} is a gateway: nobody presses it"
    if not MINUTES_MIN <= order.minutes <= MINUTES_MAX:
        return f"a test lasts {MINUTES_MIN} to {MINUTES_MAX} minutes, not {order.minutes}"
    if order.site_id not in (device.site_id, *device.roaming_sites):
        return f"{device.id} belongs to {device.site_id}, not to {order.site_id}"
    if order.incident_class not in classes_of(device):
        known = ", ".join(classes_of(device)) or "none"
        return f"{device.id} has no gesture for {order.incident_class}; it has: {known}"
    return ""


def classes_of(device: Device) -> tuple[IncidentClass, ...]:
    """What its gestures can call for, the least grave first."""
    names = {*device.gestures.presses.values(), *device.gestures.actions.values()}
    found = {each for each in IncidentClass if each.value in names}
    return tuple(sorted(found, key=lambda each: (SEVERITY[each], each)))


def on_order(d: Draft, event: DeviceTestOrdered) -> None:
    """Begin a test, or write down why not. Ordered again, it begins anew."""
    if d.facts.seen_us is not None:
        d.entry(EntryKind.PRESS, Reason.DUPLICATE, "this test was ordered before")
        return
    d.cause = event.cause
    refusal = _why_not(d, event)
    if refusal:
        words = f"{event.by} wants to try out {event.device_id}: {refusal}"
        device = event.device_id
        d.entry(EntryKind.PRESS, Reason.TRIAL_REFUSED, words, device=device, order=event.cause, why=refusal)
        return
    test = DeviceTest(
        id=derive("device-test", event.site_id, event.cause),
        by=event.by,
        incident_class=event.incident_class,
        began_us=d.now.wall_us,
        ends_us=d.now.wall_us + event.minutes * 60_000_000,
        watched_us=d.now.wall_us,
        anchor=anchor(d.now),
    )
    # A state of before is called anew in it: whoever tries the device out wants to see it.
    d.remember(_without_states(replace(_without_test(d.memory(event.device_id)), test=test)))
    _look_again(d, event.device_id, test)
    until = wording.local_time(d.site, test.ends_us)
    words = f"{event.by} tries out {event.device_id} until {until}, up to {event.incident_class}"
    d.entry(EntryKind.PRESS, Reason.TRYING_OUT, words, device=event.device_id, test=test.id, mode=Mode.TEST)


def on_watched(d: Draft, event: DeviceTestWatched) -> None:
    """Somebody is still there. One that is over stays over."""
    test = _running(d, event.device_id)
    if test is None or d.now.wall_us >= over_us(test):
        return
    d.remember(replace(d.memory(event.device_id), test=replace(test, watched_us=d.now.wall_us)))
    words = f"somebody watches the test of {event.device_id}"
    d.entry(EntryKind.PRESS, Reason.TRYING_OUT, words, device=event.device_id, test=test.id, mode=Mode.TEST)


def on_end(d: Draft, event: DeviceTestEndOrdered) -> None:
    """End one test, or all of the site."""
    found = d.remembered() if event.device_id is None else (event.device_id,)
    for device_id in tuple(found):
        _end(d, _without_test(d.memory(device_id)), event.why)


def on_timer(d: Draft, timer: Timer) -> None:
    """Is its time over, or has everybody gone?"""
    test_id, _, name = timer.detail.partition("/")
    test = _running(d, DeviceId(name))
    if test is None or test.id != test_id:
        d.entry(EntryKind.PRESS, Reason.STALE_TIMER, f"the test of {name} is over", device=name)
    elif d.now.wall_us < over_us(test):
        _look_again(d, DeviceId(name), test)
    else:
        why = "its time is over" if d.now.wall_us >= test.ends_us else "nobody watches its test any more"
        _end(d, _without_test(d.memory(DeviceId(name))), why)


def _running(d: Draft, device_id: DeviceId) -> DeviceTest | None:
    """Its test. If the clock by which it began was set, it is over: nobody knows whether its time is. Another node has
    another clock, and nobody has set that."""
    memory = d.memory(device_id)
    clock = None if memory.test is None else memory.test.anchor
    if clock is not None and clock.boot_id == d.now.boot_id and not is_of(clock, d.now):
        _end(d, _without_test(memory), "the server's clock was set")
    return d.memory(device_id).test


def is_on(d: Draft, device_id: DeviceId) -> bool:
    """Is it tried out, and the time of that not over, whether or not anybody has noticed yet?"""
    test = d.memory(device_id).test
    return test is not None and d.now.wall_us < over_us(test)


def over_us(test: DeviceTest) -> int:
    """When it is over if nobody asks any more what was heard. Wall clock."""
    return min(test.ends_us, test.watched_us + UNWATCHED_S * 1_000_000)


def _look_again(d: Draft, device_id: DeviceId, test: DeviceTest) -> None:
    """When it would be over."""
    d.timer(TimerKind.DEVICE_TEST_END, (over_us(test) - d.now.wall_us) / 1_000_000, detail=f"{test.id}/{device_id}")


def _without_test(memory: GestureCount) -> GestureCount:
    """What is remembered when no test runs any more: as if the device had not been heard in it. Of what it has counted
    by itself it is known how far it was: it may count on from there."""
    test = memory.test
    if test is None:
        return memory
    tried = [each for each in memory.presses if each.oldest_us >= test.began_us]
    before = (each for each in memory.presses if each not in tried)
    said = [each for each in tried if each.total is not None or not each.doubtful]
    last = [replace(each, tested=True, counts_on=_counts_on(said)) for each in said[-1:]]
    return _without_states(replace(memory, presses=(*before, *last)))


def _counts_on(said: list[CountedPress]) -> bool:
    """Has the device said one number and the next? One that puts its presses together says only how many they were."""
    numbers = {each.total or each.number for each in said}
    return any(number + 1 in numbers for number in numbers)


def _without_states(memory: GestureCount) -> GestureCount:
    """Only numbers that the device itself gives its presses are known on both sides of a test's beginning and end: the
    same number is the same press, whenever it is said."""
    return replace(memory, lasting=tuple(each for each in memory.lasting if each.numbered))


def _end(d: Draft, memory: GestureCount, why: str) -> None:
    """`memory`: what is remembered from now on; after a real gesture, which goes on, its presses, too."""
    if memory.test is None:
        return
    d.remember(replace(memory, test=None))
    words = f"{memory.device_id} is live again: {why}"
    d.entry(EntryKind.PRESS, Reason.TRIED_ENOUGH, words, device=memory.device_id, test=memory.test.id, mode=Mode.TEST)


# --- what is pressed ------------------------------------------------------------------------------------------------


def note(d: Draft, event: Pressed, device: Device) -> None:
    """Whatever is heard of a device that is tried out, for whoever tries it."""
    test = _running(d, device.id)
    if test is not None:
        heard = Entry(
            kind=EntryKind.PRESS, reason=Reason.TRIED_OUT, text=f"heard {device.id}", data=_facts(event, test)
        )
        d.entries.append(heard)


def takes(d: Draft, event: Pressed, device: Device, incident_class: IncidentClass, first_us: int | None) -> bool:
    """Is this gesture a test? Then it pages nobody, and has been written down. What is real ends the test. `first_us`:
    when the first press before this one was heard that belongs to it, or may."""
    memory = d.memory(device.id)
    test = memory.test
    if test is None:
        return False
    real = _why_real(d, event, test, incident_class, first_us)
    if real:
        _end(d, memory, real)
        return False
    d.remember(replace(memory, tested_us=d.now.wall_us))
    words = f"TEST: {device.label or device.id} would have called for {incident_class}; nobody is paged"
    data = _facts(event, test) | {"class": incident_class.value}
    d.entries.append(Entry(kind=EntryKind.PRESS, reason=Reason.TRIED_OUT, text=words, data=data))
    return True


def _why_real(d: Draft, event: Pressed, test: DeviceTest, incident_class: IncidentClass, first_us: int | None) -> str:
    """Why it is no test, in words; empty: it is one, beyond doubt."""
    began_us = event.oldest_us if first_us is None else min(event.oldest_us, first_us)
    if began_us < test.began_us or d.now.wall_us >= over_us(test):
        return "it may have been pressed outside of the test's time"
    if SEVERITY[incident_class] > SEVERITY[test.incident_class]:
        return f"it was pressed for {incident_class}, not for {test.incident_class}"
    grave = _open_grave(d, asked=is_panic(incident_class))
    return f"{grave.headline} is open" if grave is not None else ""


def _open_grave(d: Draft, *, asked: bool = True) -> Incident | None:
    """Something real at the site. `asked`: also what a sensor has heard, and people are asked to look into. Of a sensor
    that is tried out that makes nothing real: the one next to it heard the same bang."""
    real = (i for i in d.open_incidents() if i.mode is Mode.LIVE)
    return next((i for i in real if is_panic(i.incident_class) or (asked and i.incident_class in VERIFY_FIRST)), None)


def _facts(event: Pressed, test: DeviceTest) -> dict[str, str]:
    """What whoever tries it out wants to know."""
    signal = event.signal
    told = {
        "device": signal.device_id,
        "test": test.id,
        "mode": Mode.TEST.value,
        "action": signal.action,
        "source": event.source,
        "received_us": event.received_us,
        "count": signal.count,
        "gateway": signal.heard_by,
        "rule": signal.read_by,
        "battery": signal.battery_pct,
        "pressed_us": signal.pressed_us,
        "retained": "yes" if event.retained else None,
        "ends": "yes" if signal.ends else None,
        "stays": "yes" if signal.lasting is not None and not signal.lasting.state and not signal.ends else None,
    }
    return {name: str(value) for name, value in told.items() if value not in (None, "")}
