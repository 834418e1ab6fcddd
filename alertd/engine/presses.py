"""What a press is: a copy, a broker's memory, the end or the repeat of a state, a gesture not yet complete, or a call.

Owns what one message of a device means, and what an incident remembers of it. What becomes of the incident, `incidents`
owns. A first panic goes out whatever else is going on (promise 2). Must never: take a copy, a memory or an echo for a
press, nor pass over in silence what may be one.
"""

from msgspec.structs import replace

from alertd.engine import (
    device_tests,
    drills,
    gestures,
    incidents,
    levels,
    places,
    press_times,
    routing,
    troubles,
    wording,
)
from alertd.engine.dispatch_hold import ease_the_hold
from alertd.engine.draft import Draft
from alertd.model.decision import EntryKind, FeedbackState
from alertd.model.device_memory import Activation
from alertd.model.events import Pressed
from alertd.model.ids import CauseId, PersonId, derive
from alertd.model.incident import SEVERITY, Incident, IncidentClass, Press, is_panic
from alertd.model.mode import Mode
from alertd.model.reason import Reason
from alertd.model.site import Device, DeviceKind

LATE_S = 120
"""A press that may be older than this is *late*: responders hear it at once, the PA and dispatch after a human."""
DUPLICATE_S = 3600
"""The same cause within this time is the same press. Later it is a counter that started again: a press of its own."""
SHOWN_LETTERS = 24
"""Of a word that a device says, in a trouble: what to do stands in one text with the longest names of places, too."""
TAMPER = "tamper"
"""What a device says of itself, whether or not its gestures know it: then it is supervised by a trouble."""


def on_press(d: Draft, event: Pressed) -> None:
    """Take up a press of a registered device."""
    device = d.facts.registry.devices[event.signal.device_id]
    device_tests.note(d, event, device)
    if _is_copy(d, event):
        d.entry(EntryKind.PRESS, Reason.DUPLICATE, f"{_name(device)}: known already", device=device.id)
        levels.copied(d, event, device)
        _confirm(d, event, device)
        return
    if event.retained:  # its cause is not remembered: the same press may still come from the broker's queue
        _retained(d, event, device)
        return
    if event.signal.ends:
        _ended(d, event, device)
        return
    d.cause = event.cause
    if (activation := levels.known(d, event, device)) is not None:
        _still_on(d, event, device, activation)
        return
    _judge_clock(d, event, device)
    is_said_again = levels.said_before(d, event, device) is not None
    gesture = gestures.counted(d, event, device, doubtful=is_said_again or event.signal.doubtful)
    _confirm(d, event, device)
    called_for, mode = gesture.incident_class, Mode.LIVE
    if called_for is None:
        _not_yet(d, event, device, gesture)
    elif device_tests.takes(d, event, device, called_for, gesture.began_us):
        mode = Mode.TEST
    elif gesture.held_on and not d.state.open_of_device(device.id):
        called_for = None
        _held_on(d, event, device)
    else:
        mode = _raise(d, event, device, called_for, gesture)
        troubles.clear(d, f"still_on:{device.id}")  # this press has been told from the one before
    levels.begins(d, event, device, called_for, mode)


def on_overheard(d: Draft, event: Pressed) -> None:
    """A press of one of our devices that another of its sites heard: it is counted, and nothing else comes of it here
    (promise 6). Its cause stays free, for the copy that this site may hear."""
    device = d.facts.registry.devices[event.signal.device_id]
    is_known = _is_copy(d, event) or _was_overheard(d, event, device)
    if not is_known:
        gestures.overhear(d, event, device)
    reason = Reason.DUPLICATE if is_known else Reason.HEARD_ELSEWHERE
    d.entry(EntryKind.PRESS, reason, f"{_name(device)}: heard at another of its schools", device=device.id)


def _confirm(d: Draft, event: Pressed, device: Device) -> None:
    """The device may show that it was heard (req 7); never that somebody typed a code under threat."""
    if gestures.named_by(event.signal.action, device.gestures) != IncidentClass.POLICE_DURESS:
        d.confirm(device.id, FeedbackState.RECEIVED)


def _is_copy(d: Draft, event: Pressed) -> bool:
    if d.facts.seen_us is None:
        return False
    same_us, known_for_us = _same_us(event), d.now.wall_us - d.facts.seen_us
    return -same_us <= known_for_us <= same_us + d.now.boot_us - press_times.arrived_us(d, event)


def _was_overheard(d: Draft, event: Pressed, device: Device) -> bool:
    """Is it a copy of what only another site has heard? The first says best when it was made."""
    copies = (each for each in d.memory(device.id).presses if each.overheard and each.cause == event.cause)
    return any(abs(gestures.silent_us(d, event, each)) <= _same_us(event) for each in copies)


def _same_us(event: Pressed) -> int:
    """So long the same cause is the same press."""
    return (event.signal.same_s or DUPLICATE_S) * 1_000_000


def _judge_clock(d: Draft, event: Pressed, device: Device) -> None:
    """A press that comes straight from the broker and calls itself old: the device's clock is slow, or it could not be
    heard, as its source may say. Either way dispatch waits for a human, each time, and nobody would know why."""
    late_us = event.received_us - event.oldest_us
    if event.backlog or late_us <= LATE_S * 1_000_000:
        return
    name, late_min = places.name_heard(d, event, device), late_us // 60_000_000
    summary = f"{name} says its press came {late_min} min late. If not, set its clock: dispatch waits for a human."
    if event.signal.late:
        summary = f"{name} was pressed up to {late_min} min before that was heard: dispatch waits for a human. "
        summary += "Look at its line."
    troubles.raise_(d, f"device_clock:{device.id}", summary)


def _name(device: Device) -> str:
    return device.label or device.id


def _word(event: Pressed) -> str:
    return repr(event.signal.action[:SHOWN_LETTERS])


def _retained(d: Draft, event: Pressed, device: Device) -> None:
    """A broker's memory, not a press: it never pages by itself (req 41), but an unseen one may hide a press. So may how
    a device stands when it is first heard of."""
    name, word = places.name_heard(d, event, device), _word(event)
    standing = event.signal.standing
    left = f"{name} left a stored {word} at the broker"
    words = f"{name} is at {word}, and nobody heard since when" if standing else left
    d.entry(EntryKind.PRESS, Reason.RETAINED, words, device=device.id)
    if event.signal.ends or levels.known(d, event, device) is not None:
        return  # it says nothing of now, and hides no press
    if standing and _gravest_of(d, device) is not None:
        return  # it was heard, and people are called
    said = routing.told_apart(event.signal)
    troubles.ring(d, f"retained:{device.id}", f"{words}. Was it pressed? Look, then clear it.", said=said)


def _ended(d: Draft, event: Pressed, device: Device) -> None:
    """The device itself says that it no longer calls. Whoever was called decides what that means: it may be forced. If
    it did not call, that is no event of note: some say so with each report."""
    troubles.forget_said(d, f"retained:{device.id}")
    over, later = levels.end(d, event, device)
    if over or later:
        d.cause = event.cause
    for activation in (*over, *later):
        word = activation.state.partition(":")[0]
        words = f"{_name(device)} itself no longer says {word!r}; that closes nothing"
        if activation in later:
            words = f"{_name(device)} has said {word!r} since it ended this; that ends nothing"
        reason = Reason.STILL_ON if activation in later else Reason.STATE_ENDED
        d.entry(EntryKind.PRESS, reason, words, incident=_gravest_of(d, device), device=device.id)
    if not later:
        troubles.clear(d, f"still_on:{device.id}")


def _still_on(d: Draft, event: Pressed, device: Device, activation: Activation) -> None:
    """A state is said once more: no press. A wearable that was carried to a place of which nobody knows is news."""
    was_silent = levels.fell_silent(d, event, activation)
    may_call = levels.lasts(d, event, device, activation)
    _confirm(d, event, device)
    incident = _gravest_of(d, device)
    words = f"{_name(device)} still says {event.signal.action!r}"
    if incident is None:
        d.entry(EntryKind.PRESS, Reason.STILL_ON, words, device=device.id)
        _reset_it(d, event, device, activation, was_silent=was_silent, may_call=may_call)
        return
    press = press_of(d, event, device, incident.incident_class, 1)
    mine = [p for p in incident.presses if p.device_id == device.id]
    known = next((p for p in reversed(mine) if p.location.zone_id == press.location.zone_id), None)
    if known is None and press.location.zone_id is not None:
        incidents.carried(
            d, incident, replace(press, said_us=mine[-1].said_us, cried_us=mine[-1].cried_us, carried=True)
        )
        return
    before = known or mine[-1]
    newer = replace(before, last_us=press.received_us, location=press.location if known else before.location)
    presses = tuple(newer if p is before else p for p in incident.presses)
    incident = d.put(replace(incident, presses=presses))
    d.entry(EntryKind.PRESS, Reason.STILL_ON, words, incident=incident, device=device.id)
    if not press.late:
        ease_the_hold(d, incident, press)


def _reset_it(
    d: Draft, event: Pressed, device: Device, activation: Activation, *, was_silent: bool, may_call: bool
) -> None:
    """Nobody is looked for, and it still says so: a new press of it may be taken for the old one. `may_call`: this may
    be the last of a new gesture."""
    since = wording.local_time(d.site, activation.since_us)
    if activation.numbered:
        if not was_silent:
            return  # its next press has another number, unless it began to count anew
        why = f"with the number of {since}. Was it pressed? Look."
    elif not activation.called:
        return
    elif activation.mode is Mode.DRILL:
        why = f"since the drill at {since}: reset it, or no press of it is heard."
    else:
        why = f"since {since}: reset it, a new press cannot be told from it."
    summary = f"{places.name_heard(d, event, device)} still says {_word(event)}, {why}"
    if was_silent or may_call:
        troubles.ring(d, f"still_on:{device.id}", summary)
    else:
        troubles.raise_(d, f"still_on:{device.id}", summary, rings=activation.mode is Mode.DRILL)


def _held_on(d: Draft, event: Pressed, device: Device) -> None:
    """It has called, a human has closed that, and the button is held still, or again."""
    words = f"{places.name_heard(d, event, device)} still says {_word(event)}"
    d.entry(EntryKind.PRESS, Reason.STILL_ON, words, device=device.id)
    troubles.ring(d, f"still_on:{device.id}", f"{words}, and its call is closed. Is it held? Look, and free it.")


def _gravest_of(d: Draft, device: Device) -> Incident | None:
    """The gravest open panic that the device has pressed for."""
    mine = (i for i in d.state.open_of_device(device.id) if is_panic(i.incident_class))
    return max(mine, key=lambda i: SEVERITY[i.incident_class], default=None)


def _not_yet(d: Draft, event: Pressed, device: Device, gesture: gestures.Gesture) -> None:
    reason = gesture.reason or Reason.BELOW_GESTURE
    d.entry(EntryKind.PRESS, reason, f"{_name(device)}: {event.signal.action}, {gesture.count}", device=device.id)
    if reason is not Reason.UNMAPPED_ACTION:
        return
    where = places.name_heard(d, event, device)
    if event.signal.action == TAMPER:
        summary = f"{where} is opened, moved or taken down, it says. Look at it, then press it."
        troubles.raise_(d, f"{TAMPER}:{device.id}", summary)
    else:
        troubles.ring(
            d,
            f"unmapped:{device.id}:{event.signal.action}"[:120],
            f"{where} says {_word(event)}. Was it a press? Its gestures do not know that word.",
        )


def _raise(d: Draft, event: Pressed, device: Device, incident_class: IncidentClass, gesture: gestures.Gesture) -> Mode:
    press = press_of(d, event, device, incident_class, gesture.told)
    mode = drills.mode_of(d, event, device, _as_drilled(event, incident_class, gesture))
    merge_key = incidents.merge_key_of(incident_class, press)
    of_device = _open_of_device(d, device, incident_class, mode)
    merging = incidents.of_mode(d.state.open_by_merge_key(merge_key), mode)
    text = f"{wording.press_words(press)}: {incident_class}"
    incident = merging or of_device
    if merging is not None:
        incidents.merge(d, merging, press, is_more=gesture.is_more)
    elif of_device is not None and SEVERITY[of_device.incident_class] >= SEVERITY[incident_class]:
        d.entry(EntryKind.PRESS, Reason.MERGED_REPEAT, text, incident=of_device, device=device.id)
        incidents.merge(d, of_device, press, is_more=gesture.is_more)
    elif of_device is not None:
        d.entry(EntryKind.PRESS, Reason.UPGRADED, text, incident=of_device, device=device.id)
        incidents.upgrade(d, of_device, incident_class, press)
    else:
        incident = incidents.open_(d, incident_class, press, mode, cause=event.cause)
        d.entry(EntryKind.PRESS, Reason.FIRST_WAVE, text, incident=incident, device=device.id)
    assert incident is not None, "every press that pages has an incident"
    drills.say_it_is_real(d, incident)
    if mode is Mode.LIVE and gestures.is_counted(event.signal.action, device.gestures):
        gestures.has_called(d, device)
    return mode


def _as_drilled(event: Pressed, incident_class: IncidentClass, gesture: gestures.Gesture) -> drills.Gesture:
    return drills.Gesture(
        incident_class=incident_class,
        count=gesture.count,
        at_us=event.signal.pressed_us or event.received_us,
        began_us=gesture.began_us,
        timeless=event.backlog and event.signal.pressed_us is None,
    )


def _open_of_device(d: Draft, device: Device, incident_class: IncidentClass, mode: Mode) -> Incident | None:
    """The open panic that this device has pressed for, the gravest first: its presses raise that one, or repeat it."""
    if not is_panic(incident_class):
        return None
    mine = [i for i in d.state.open_of_device(device.id) if is_panic(i.incident_class) and i.mode is mode]
    kin = [i for i in mine if incidents.same_cry(i.incident_class, incident_class)]
    return max(kin, key=lambda i: SEVERITY[i.incident_class], default=None)


def is_late(event: Pressed) -> bool:
    """May it be older than what is of now?"""
    return event.received_us - event.oldest_us > LATE_S * 1_000_000


def said_us(event: Pressed) -> tuple[int, int]:
    """Between when and when it was said, for certain. Of what waited at the broker the device's own clock says it, else
    nobody knows. What did not wait was said when it came, unless the device calls it late: then its clock may be wrong,
    or a gateway kept it, and either may be true."""
    of_own_clock = event.backlog and event.signal.pressed_us is not None
    earliest_us = event.oldest_us if event.backlog or is_late(event) else event.received_us
    return earliest_us, event.oldest_us if of_own_clock else event.received_us


def press_of(d: Draft, event: Pressed, device: Device, incident_class: IncidentClass, count: int) -> Press:
    """What the incident will remember of it."""
    late = is_late(event)
    is_used_again = d.facts.seen_us is not None  # by another press: no copy of one comes here
    return Press(
        id=CauseId(derive("press", event.cause, event.received_us)) if is_used_again else event.cause,
        device_id=device.id,
        device_label=_name(device),
        location=places.location_of(d, event, device),
        incident_class=incident_class,
        count=count,
        received_us=event.received_us,
        pressed_us=event.signal.pressed_us,
        assigned_to=None if device.assigned_to is None else PersonId(device.assigned_to),
        late=late,
        oldest_us=event.oldest_us if late else None,
        waited_since_us=event.oldest_us if event.backlog and event.signal.pressed_us is None else None,
        last_us=event.received_us,
        cried_us=event.received_us,
        said_us=said_us(event),
        known_us=d.now.wall_us,
        by_sensor=device.kind is DeviceKind.SENSOR,
    )
