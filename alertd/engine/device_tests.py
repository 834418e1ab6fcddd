"""One device is tried out: somebody presses it to see that it is heard, and nobody is paged (devices.md, quirk 10).

1. Only presses of exactly this device, made within the time, up to the class that is tried, are tests. Any other
   device, a graver gesture, a press that may have been made before it began, or any press while something real is open
   at the site is real; and a graver gesture ends the test.
2. It ends by itself, is ended by whoever ordered it, and never outlives a start of alertd.
3. What was heard is written down, gesture by gesture, and that it was: the device is tested.
4. What was pressed in a test is forgotten at its end, and what was pressed before at its beginning: neither counts in
   a gesture of the other, nor is a state that was tried out the call of which a later one would be the repeat.

Must never take a mode from anybody: that a press is a test follows from the device's own row, here and nowhere else.
"""

from collections.abc import Iterable

from msgspec.structs import replace

from alertd.engine import gestures, wording
from alertd.engine.draft import Draft
from alertd.model.decision import DeviceTest, Entry, EntryKind, GestureCount
from alertd.model.drill import Drill
from alertd.model.events import DeviceTestEndOrdered, DeviceTestOrdered, Pressed
from alertd.model.ids import DeviceId, derive
from alertd.model.incident import SEVERITY, Incident, IncidentClass, is_panic
from alertd.model.mode import Mode
from alertd.model.reason import Reason
from alertd.model.registry import Registry
from alertd.model.site import Device, DeviceKind
from alertd.model.timer import Timer, TimerKind

MINUTES_MIN, MINUTES_MAX = 1, 60


# --- beginning and ending -------------------------------------------------------------------------------------------


def why_not(registry: Registry, order: DeviceTestOrdered, open_here: Iterable[Incident], drill: Drill | None) -> str:
    """Why this device cannot be tried out now, in a sentence for whoever wants to; empty: it can."""
    device = registry.devices.get(order.device_id)
    if device is None:
        return f"there is no device {order.device_id}"
    if unfit := _unfit(device, order):
        return unfit
    panic = next((i for i in open_here if _is_real(i)), None)
    if panic is not None:
        return f"{panic.headline} is open: every press is real until it is closed"
    if drill is not None and drill.is_running and order.device_id in drill.device_ids:
        return f"{order.device_id} takes part in the drill that runs"
    return ""


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
    refusal = why_not(d.facts.registry, event, d.state.incidents.values(), d.drill)
    if refusal:
        words = f"{event.by} wants to try out {event.device_id}: {refusal}"
        d.entry(EntryKind.PRESS, Reason.TRIAL_REFUSED, words, device=event.device_id)
        return
    test = DeviceTest(
        id=derive("device-test", event.site_id, event.cause),
        by=event.by,
        incident_class=event.incident_class,
        began_us=d.now.wall_us,
        ends_us=d.now.wall_us + event.minutes * 60_000_000,
    )
    # A count or a state of before is no part of it.
    d.remember(replace(gestures.without_presses(d.memory(event.device_id)), test=test))
    d.timer(TimerKind.DEVICE_TEST_END, event.minutes * 60, detail=f"{test.id}/{event.device_id}")
    until = wording.local_time(d.site, test.ends_us)
    words = f"{event.by} tries out {event.device_id} until {until}, up to {event.incident_class}"
    d.entry(EntryKind.PRESS, Reason.TRYING_OUT, words, device=event.device_id, test=test.id, mode=Mode.TEST)


def on_end(d: Draft, event: DeviceTestEndOrdered) -> None:
    """End one test, or all of the site."""
    if event.device_id is not None:
        _end(d, gestures.without_presses(d.memory(event.device_id)), event.why)
        return
    for memory in tuple(d.state.gestures.values()):
        _end(d, gestures.without_presses(d.memory(memory.device_id)), event.why)


def on_timer(d: Draft, timer: Timer) -> None:
    """Its time is over."""
    test_id, _, device_id = timer.detail.partition("/")
    memory = d.memory(DeviceId(device_id))
    if memory.test is not None and memory.test.id == test_id:
        _end(d, gestures.without_presses(memory), "its time is over")
    else:
        d.entry(EntryKind.PRESS, Reason.STALE_TIMER, f"the test of {device_id} is over", device=device_id)


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
    test = d.memory(device.id).test
    if test is not None:
        heard = Entry(
            kind=EntryKind.PRESS, reason=Reason.TRIED_OUT, text=f"heard {device.id}", data=_facts(event, test)
        )
        d.entries.append(heard)


def takes(d: Draft, event: Pressed, device: Device, incident_class: IncidentClass, began_before_us: int | None) -> bool:
    """Is this gesture a test? Then it pages nobody, and has been written down. What is real ends the test."""
    memory = d.memory(device.id)
    test = memory.test
    if test is None:
        return False
    real = _why_real(d, event, test, incident_class, began_before_us)
    if real:
        _end(d, memory, real)
        return False
    d.remember(replace(memory, tested_us=d.now.wall_us))
    words = f"TEST: {device.label or device.id} would have called for {incident_class}; nobody is paged"
    data = _facts(event, test) | {"class": incident_class.value}
    d.entries.append(Entry(kind=EntryKind.PRESS, reason=Reason.TRIED_OUT, text=words, data=data))
    return True


def _why_real(
    d: Draft, event: Pressed, test: DeviceTest, incident_class: IncidentClass, began_before_us: int | None
) -> str:
    """Why it is no test, in words; empty: it is one, beyond doubt."""
    began_us = event.oldest_us if began_before_us is None else min(event.oldest_us, began_before_us)
    if began_us < test.began_us or d.now.wall_us >= test.ends_us:
        return "it may have been pressed outside of the test's time"
    if SEVERITY[incident_class] > SEVERITY[test.incident_class]:
        return f"it was pressed for {incident_class}, not for {test.incident_class}"
    panic = next((i for i in d.state.incidents.values() if _is_real(i)), None)
    return f"{panic.headline} is open" if panic is not None else ""


def _is_real(incident: Incident) -> bool:
    return incident.mode is Mode.LIVE and is_panic(incident.incident_class)


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
