"""States that last: `sosFlag 1`, "Panic State", ON. A press is a moment; a state is said again and again.

1. The first time that a state is heard it is a press like any other, whether or not the message that began it was lost.
2. Only a call that was taken up has repeats: said again within the time in which its kind is repeated it is the same
   call: no new incident, no ALSO, whoever has closed the incident meanwhile. What paged nobody (below the first
   gesture, without a meaning) hides nothing: said again, it is pressed again.
3. After a longer silence it is another call: the message that ended the first may have been lost, and doubt pages. The
   silence is measured in boot time: no step of the clock makes it longer or shorter.
4. What gestures count is pressed again before it has called, too. But of what is said again with no end heard between,
   nobody knows whether it is another press: it counts in doubt (gestures.py). Only a kind that is said again as quickly
   as people press is taken at its word. Once it has called, doubt opens nothing that a human has closed: it rings.
5. A device that numbers its presses says itself which of them are the same: the same number is the same press, whether
   it paged or not and however long it was silent, and another number is another press.
6. A moment ("the SOS key was pressed") is always a press, and begins the state.
7. The device itself may end it. That closes nothing and tells nobody; the next time it is another call. A copy, or the
   broker's memory, ends nothing; nor does what was held up and is older than the state, for certain.
8. What was first pressed in a drill calls nobody after it: every latched button would. What was first pressed in a
   test of its device is of that test, as long as it runs, and no longer. But while something real is open at the site
   that is as grave as what it calls for, either is a press of now.

So a press is taken for a repeat only if its device has declared that it says such a state again within that time, did
call for help, and was not heard to end it: promise 2 holds for every device that says what it does. A profile
declares no state for a device that speaks only when something changes (docs/devices.md).

Owns what is remembered of such states, in the device's row. Must never close an incident, or take a moment for a
repeat.
"""

from msgspec.structs import replace

from alertd.engine import device_tests, gestures, incidents, press_times
from alertd.engine.draft import Draft
from alertd.model.device_memory import Activation
from alertd.model.events import Pressed
from alertd.model.incident import SEVERITY, IncidentClass, is_panic
from alertd.model.mode import Mode
from alertd.model.site import Device, Gestures

QUICK = 3
"""Kinds that are said again within so many windows of their gestures are said again within one: a device is believed
to last for some of its repeats that are lost."""
STATES_MAX = 64
"""Of one device; the one that began first is forgotten, and is a press when it is said again."""


def known(d: Draft, event: Pressed, device: Device) -> Activation | None:
    """The call of which this state is a repeat; `None`: it is no state, or another call."""
    found = said_before(d, event, device)
    if found is None or found.numbered:
        return found
    if found.mode is Mode.TEST and not device_tests.is_on(d, device.id):
        return None
    if found.mode is not Mode.LIVE and _is_as_grave_open(d, event, device):
        return None
    return found if _is_repeat(d, event, device, found) else None


def _is_repeat(d: Draft, event: Pressed, device: Device, before: Activation) -> bool:
    """Rules 2 and 4."""
    count, has_called = event.signal.count, before.called or before.mode is Mode.TEST
    if not gestures.is_counted(event.signal.action, device.gestures):
        return has_called
    if count not in (None, 1):  # it counts by itself: a higher count is one press more
        memory = d.memory(device.id)
        of_before = memory.presses[-1].reached if memory.presses else memory.count
        return has_called and count <= (of_before if before.reached is None else before.reached)
    return has_called or _is_quick(event, device)


def said_before(d: Draft, event: Pressed, device: Device) -> Activation | None:
    """The same state, as it was last said: no end of it was heard since, nor a silence in which it may be lost."""
    lasting = event.signal.lasting
    if lasting is None:
        return None
    mine = d.memory(device.id).lasting
    found = next((a for a in mine if a.what == lasting.what and a.state == _state(event)), None)
    return found if found is not None and (lasting.state or not fell_silent(d, event, found)) else None


def fell_silent(d: Draft, event: Pressed, before: Activation) -> bool:
    """Was it silent for longer than its kind ever is?"""
    lasting = event.signal.lasting
    silent_us = event.oldest_us - before.last_us if press_times.waited(event) else _silent_us(d, event, before)
    return lasting is not None and abs(silent_us) > lasting.repeats_s * 1_000_000


def _silent_us(d: Draft, event: Pressed, before: Activation) -> int:
    """How long before this arrival it was said: by boot time, which nobody can set; after a reboot, or on another node,
    by the wall clock. Negative: one of the two clocks went back."""
    if before.last_boot_us is not None and before.boot_id == d.now.boot_id:
        return press_times.arrived_us(d, event) - before.last_boot_us
    return event.received_us - before.last_us


def begins(d: Draft, event: Pressed, device: Device, calls_for: IncidentClass | None, mode: Mode) -> None:
    """Remember a state, or a moment that may begin one, so that its repeats are known. `calls_for`: what it has called
    for, or would have in a test; `None`: nothing (yet)."""
    lasting, before = event.signal.lasting, said_before(d, event, device)
    if calls_for is None and before is None and not _counts(event, device):
        return
    if lasting is None and (calls_for is None or not _named(event, device) or not is_panic(calls_for)):
        return
    what = lasting.what if lasting is not None else ""
    first = Activation(
        what=what,
        state=_state(event),
        since_us=event.received_us,
        last_us=0,
        called=calls_for is not None and mode is not Mode.TEST,
        mode=mode,
        reached=event.signal.count or 1,
    )
    begun = _heard(d, event, first if calls_for is not None or before is None else before)
    memory = d.memory(device.id)
    newer = (a for a in memory.lasting if a.what == what and a.called and a.last_us > event.oldest_us)
    if press_times.waited(event) and any(newer):
        return  # a call of before the one that lasts
    # A thing is in one state; of moments nobody knows which state they began.
    others = [a for a in memory.lasting if a.what != what or (lasting is None and a.state != begun.state)]
    d.remember(replace(memory, lasting=(*others[1 - STATES_MAX :], begun)))


def lasts(d: Draft, event: Pressed, device: Device, activation: Activation) -> bool:
    """It was said once more. Where presses are counted it may be the first of another gesture: it counts for those that
    follow within the window. Is it so many that it may be the whole of one?"""
    may_call = False
    is_counted = gestures.is_counted(event.signal.action, device.gestures)
    if is_counted and not activation.numbered and not _is_quick(event, device):
        may_call = gestures.counted(d, event, device, doubtful=True).incident_class is not None
    _keep(d, device, activation, _heard(d, event, activation))
    return may_call


def copied(d: Draft, event: Pressed, device: Device) -> None:
    """The very same message came once more: it is still said, and that is all."""
    before = said_before(d, event, device)
    if before is not None and not event.signal.ends and not event.retained:
        _keep(d, device, before, _heard(d, event, before))


def end(d: Draft, event: Pressed, device: Device) -> tuple[tuple[Activation, ...], tuple[Activation, ...]]:
    """Forget what the device says is over. Returns what is, and what it has said since then: that lasts."""
    memory, lasting = d.memory(device.id), event.signal.lasting
    meant = tuple(a for a in memory.lasting if lasting is None or a.what == lasting.what)
    later = tuple(a for a in meant if _is_older(d, event, a))
    over = tuple(a for a in meant if a not in later)
    if over:
        d.remember(replace(memory, lasting=tuple(a for a in memory.lasting if a not in over)))
    return over, later


def _keep(d: Draft, device: Device, before: Activation, now: Activation) -> None:
    memory = d.memory(device.id)
    d.remember(replace(memory, lasting=tuple(now if a == before else a for a in memory.lasting)))


def _heard(d: Draft, event: Pressed, activation: Activation) -> Activation:
    """With when it was last said."""
    said_us = event.signal.pressed_us
    before_us = _said_us(d, activation)
    activation = replace(activation, said_us=max((us for us in (said_us, before_us) if us is not None), default=None))
    if not press_times.waited(event):
        heard_us = press_times.arrived_us(d, event)
        return replace(activation, last_us=event.received_us, last_boot_us=heard_us, boot_id=d.now.boot_id)
    if event.oldest_us <= activation.last_us:
        return activation
    return replace(activation, last_us=event.oldest_us, last_boot_us=None)


def _said_us(d: Draft, activation: Activation) -> int | None:
    """When it was last said, by the device's own clock as it is now: at the earliest, if ours was set back meanwhile,
    for they may be set together. `None`: it has none, or nobody knows how the clocks were set."""
    if activation.said_us is None or activation.last_boot_us is None or activation.boot_id != d.now.boot_id:
        return None
    stepped_us = (d.now.wall_us - d.now.boot_us) - (activation.last_us - activation.last_boot_us)
    return activation.said_us + min(stepped_us, 0)


def _is_older(d: Draft, event: Pressed, activation: Activation) -> bool:
    """For certain: it was held up on its way, and by the device's own clock it is older by more than two gateways'
    clocks are apart. In doubt it ends the call: else the next one may be hidden."""
    ended_us, said_us = event.signal.pressed_us, _said_us(d, activation)
    if not press_times.waited(event) or ended_us is None or said_us is None:
        return False
    return ended_us < said_us - press_times.CLOCKS_APART_S * 1_000_000


def _is_as_grave_open(d: Draft, event: Pressed, device: Device) -> bool:
    """Is something real open that is no less than what this calls for? Else a button that nobody has reset makes a
    lockdown of the next fall in the gym."""
    wanted = _calls_for(event.signal.action, device.gestures)
    real = (i.incident_class for i in d.open_incidents() if i.mode is Mode.LIVE)
    return wanted is not None and any(incidents.same_cry(x, wanted) and SEVERITY[x] >= SEVERITY[wanted] for x in real)


def _calls_for(action: str, rules: Gestures) -> IncidentClass | None:
    """Once it calls; where presses are counted, for the first number's."""
    if gestures.is_counted(action, rules):
        return IncidentClass(rules.presses[min(rules.presses)])
    named = gestures.named_by(action, rules)
    return None if named in (None, gestures.IGNORED) else IncidentClass(named)


def _is_quick(event: Pressed, device: Device) -> bool:
    """Is it said again as quickly as people press?"""
    lasting = event.signal.lasting
    return lasting is not None and lasting.repeats_s <= QUICK * device.gestures.window_s


def _counts(event: Pressed, device: Device) -> bool:
    """Does it mean something before it calls: a number, or one press of several?"""
    lasting = event.signal.lasting
    return lasting is not None and (bool(lasting.state) or gestures.is_counted(event.signal.action, device.gestures))


def _state(event: Pressed) -> str:
    lasting = event.signal.lasting
    return f"{event.signal.action}:{lasting.state if lasting is not None else ''}"


def _named(event: Pressed, device: Device) -> bool:
    """Its own word for it, where presses are counted."""
    return gestures.named_by(event.signal.action, device.gestures) is not None
