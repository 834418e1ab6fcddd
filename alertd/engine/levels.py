"""States that last: `sosFlag 1`, "Panic State", ON. A press is a moment; a state is said again and again.

1. The first time that a state is heard it is a press like any other, whether or not the message that began it was lost.
2. Only a call that was taken up has repeats: said again within the time in which its kind is repeated it is the same
   call: no new incident, no ALSO, whoever has closed the incident meanwhile. What paged nobody (below the first
   gesture, without a meaning, a test of the device) hides nothing: said again, it is pressed again.
3. After a longer silence it is another call: the message that ended the first may have been lost, and doubt pages. The
   silence is measured in boot time: no step of the clock makes it longer or shorter.
4. What gestures count is pressed again within their window: the message that ended the one before may have been lost,
   and three presses must not be two. Only a kind that is said again as quickly as people press is taken at its word.
5. A device that numbers its presses says itself which of them are the same: the same number is the same press, whether
   it paged or not, and another number is another press.
6. A moment ("the SOS key was pressed") is always a press, and begins the state.
7. The device itself may end it. That closes nothing and tells nobody; the next time it is another call.

So a press is taken for a repeat only if its device has declared that it says such a state again within that time, did
call for help, and was not heard to end it: promise 2 holds for every device that says what it does. A profile
declares no state for a device that speaks only when something changes (docs/devices.md).

Owns what is remembered of such states, in the device's row. Must never close an incident, or take a moment for a
repeat.
"""

from msgspec.structs import replace

from alertd.engine import gestures
from alertd.engine.draft import Draft
from alertd.model.decision import Activation
from alertd.model.events import Lasting, Pressed
from alertd.model.incident import IncidentClass, is_panic
from alertd.model.site import Device

QUICK = 3
"""Kinds that are said again within so many windows of their gestures are said again within one: a device is believed
to last for some of its repeats that are lost."""
STATES_MAX = 64
"""Of one device; the one that began first is forgotten, and is a press when it is said again."""


def known(d: Draft, event: Pressed, device: Device) -> Activation | None:
    """The call of which this state is a repeat; `None`: it is no state, or another call."""
    lasting = event.signal.lasting
    if lasting is None:
        return None
    mine = d.memory(device.id).lasting
    found = next((a for a in mine if a.what == lasting.what and a.state == _state(event)), None)
    if found is None:
        return None
    if gestures.is_counted(event.signal, device.gestures) and _is_one_more(d, event, device, lasting):
        return None
    silent_us = event.oldest_us - found.last_us if _is_dated(event) else gestures.silent_us(d, event, found)
    return found if abs(silent_us) <= lasting.repeats_s * 1_000_000 else None


def begins(d: Draft, event: Pressed, device: Device, calls_for: IncidentClass | None) -> None:
    """Remember a state, or a moment that may begin one, so that its repeats are known. `calls_for`: what it has called
    for; `None`: it paged nobody (yet)."""
    lasting = event.signal.lasting
    if lasting is None and (calls_for is None or not _named(event, device) or not is_panic(calls_for)):
        return
    is_known = lasting is not None and _says_which(lasting, event, device)
    if lasting is not None and calls_for is None and not is_known:
        return
    what = lasting.what if lasting is not None else ""
    is_numbered = lasting is not None and bool(lasting.state)
    first = Activation(
        what=what,
        state=_state(event),
        since_us=event.received_us,
        last_us=0,
        numbered=is_numbered,
        called=calls_for is not None,
    )
    begun = _heard(d, event, first)
    memory = d.memory(device.id)
    # A thing is in one state; of moments nobody knows which state they began.
    others = [a for a in memory.lasting if a.what != what or (lasting is None and a.state != begun.state)]
    d.remember(replace(memory, lasting=(*others[1 - STATES_MAX :], begun)))


def lasts(d: Draft, event: Pressed, device: Device, activation: Activation) -> None:
    """It was said once more. Where presses are counted it may be the first of another gesture: it counts for those that
    follow within the window."""
    lasting = event.signal.lasting
    is_counted = gestures.is_counted(event.signal, device.gestures)
    if lasting is not None and is_counted and not _says_which(lasting, event, device):
        gestures.counted(d, event, device)
    memory, newer = d.memory(device.id), _heard(d, event, activation)
    d.remember(replace(memory, lasting=tuple(newer if a == activation else a for a in memory.lasting)))


def end(d: Draft, event: Pressed, device: Device) -> tuple[Activation, ...]:
    """Forget what the device says is over, and return it."""
    memory, lasting = d.memory(device.id), event.signal.lasting
    over = tuple(a for a in memory.lasting if lasting is None or a.what == lasting.what)
    if over:
        d.remember(replace(memory, lasting=tuple(a for a in memory.lasting if a not in over)))
    return over


def _heard(d: Draft, event: Pressed, activation: Activation) -> Activation:
    """With when it was last said."""
    if not _is_dated(event):
        return replace(activation, last_us=event.received_us, last_boot_us=d.now.boot_us, boot_id=d.now.boot_id)
    if event.oldest_us <= activation.last_us:
        return activation
    return replace(activation, last_us=event.oldest_us, last_boot_us=None)


def _is_dated(event: Pressed) -> bool:
    """It waited at the broker, and says when it was said. Of a device without a clock it may have been said last of
    all: doubt pages (rule 3)."""
    return event.backlog and event.signal.pressed_us is not None


def _is_one_more(d: Draft, event: Pressed, device: Device, lasting: Lasting) -> bool:
    """Rule 4, and: a device that counts by itself says so by a higher count."""
    if event.signal.count not in (None, 1):
        return event.signal.count > d.memory(device.id).count
    return not _says_which(lasting, event, device) and gestures.is_under_way(d, event, device)


def _says_which(lasting: Lasting, event: Pressed, device: Device) -> bool:
    """Is a repeat of it certainly a repeat, whatever came of it? It is numbered; or it is a counted press that is said
    again as quickly as people press."""
    is_quick = lasting.repeats_s <= QUICK * device.gestures.window_s
    return bool(lasting.state) or (is_quick and gestures.is_counted(event.signal, device.gestures))


def _state(event: Pressed) -> str:
    lasting = event.signal.lasting
    return f"{event.signal.action}:{lasting.state if lasting is not None else ''}"


def _named(event: Pressed, device: Device) -> bool:
    """Its own word for it, where presses are counted."""
    return event.signal.action in device.gestures.actions
