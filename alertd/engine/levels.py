"""States that last: `sosFlag 1`, "Panic State", ON. A press is a moment; a state is said again and again.

1. A state calls for help once. The first time that it is heard it is a press like any other, whether or not the message
   that began it was lost.
2. Said again within the time in which its kind is repeated it is the same call: no new incident, no ALSO, whoever has
   closed the incident meanwhile.
3. After a longer silence it is another call: the message that ended the first may have been lost, and doubt pages.
4. A moment ("the SOS key was pressed") is always a press, and begins the state.
5. The device itself may end it. That closes nothing and tells nobody; the next time it is another call.

Owns what is remembered of such states, in the device's row. Must never close an incident, or take a moment for a
repeat.
"""

from msgspec.structs import replace

from alertd.engine.draft import Draft
from alertd.model.decision import Activation
from alertd.model.events import Pressed
from alertd.model.incident import IncidentClass, is_panic
from alertd.model.site import Device


def known(d: Draft, event: Pressed, device: Device) -> Activation | None:
    """The call of which this state is a repeat; `None`: it is no state, or another call."""
    lasting = event.signal.lasting
    if lasting is None:
        return None
    mine = d.memory(device.id).lasting
    found = next((a for a in mine if a.what == lasting.what and a.state == _state(event)), None)
    if found is None:
        return None
    # What waited at the broker, of a device without a clock, may have been said last of all: doubt pages (rule 3).
    said_us = event.oldest_us if event.backlog and event.signal.pressed_us is not None else event.received_us
    return found if said_us - found.last_us <= lasting.repeats_s * 1_000_000 else None


def begins(d: Draft, event: Pressed, device: Device, incident_class: IncidentClass | None) -> None:
    """Remember a state, or a moment that may begin one, so that its repeats are known."""
    lasting = event.signal.lasting
    if lasting is None and (incident_class is None or not _named(event, device) or not is_panic(incident_class)):
        return
    now_us = event.received_us
    what = lasting.what if lasting is not None else ""
    begun = Activation(what=what, state=_state(event), since_us=now_us, last_us=now_us)
    memory = d.memory(device.id)
    # A thing is in one state; of moments nobody knows which state they began.
    others = (a for a in memory.lasting if a.what != what or (lasting is None and a.state != begun.state))
    d.remember(replace(memory, lasting=(*others, begun)))


def lasts(d: Draft, event: Pressed, device: Device, activation: Activation) -> None:
    """It was said once more."""
    memory = d.memory(device.id)
    newer = replace(activation, last_us=max(activation.last_us, event.received_us))
    d.remember(replace(memory, lasting=tuple(newer if a == activation else a for a in memory.lasting)))


def end(d: Draft, event: Pressed, device: Device) -> tuple[Activation, ...]:
    """Forget what the device says is over, and return it."""
    memory, lasting = d.memory(device.id), event.signal.lasting
    over = tuple(a for a in memory.lasting if lasting is None or a.what == lasting.what)
    if over:
        d.remember(replace(memory, lasting=tuple(a for a in memory.lasting if a not in over)))
    return over


def step_clock(d: Draft, step_us: int) -> None:
    """Stamps of before and after cannot be compared: what is remembered moves with the clock."""
    for memory in d.state.gestures.values():
        if memory.lasting:
            moved = (replace(a, since_us=a.since_us + step_us, last_us=a.last_us + step_us) for a in memory.lasting)
            d.remember(replace(d.memory(memory.device_id), lasting=tuple(moved)))


def _state(event: Pressed) -> str:
    lasting = event.signal.lasting
    return f"{event.signal.action}:{lasting.state if lasting is not None else ''}"


def _named(event: Pressed, device: Device) -> bool:
    """Its own word for it, where presses are counted."""
    return event.signal.action in device.gestures.actions
