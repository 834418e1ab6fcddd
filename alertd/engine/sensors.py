"""What a sensor reports: counted, told once to those on duty, and never more than that.

Four rules:

1. A sensor is no human (req 70, 71). Whatever it says, it never opens a panic by itself, and what it opens is told to
   people on duty only: `escalation` keeps loudspeakers, dispatch and "everybody" out of it.
2. The same alarm is told once. What is said again within the cool-down is counted; what is said too often is a storm:
   one digest, one trouble, and quiet until it is calm (req 66, 68).
3. What would be a panic if a human said so (a shot, a cry for help) is told at once and asks for corroboration. A
   second sensor, or a human's press, makes of it what the policy says.
4. Storm and cool-down never hold back what a human pressed, nor a shot that a second sensor hears.

Thresholds and minimum times are not judged here: numbers become alarms in `daemon.readings`.
"""

from msgspec.structs import replace

from alertd.engine import (
    corroboration,
    device_tests,
    escalation,
    gestures,
    incidents,
    places,
    presses,
    sensor_ends,
    sensor_storms,
    troubles,
    wording,
)
from alertd.engine.draft import Draft
from alertd.engine.telling import Call
from alertd.model.decision import EntryKind, FeedbackState
from alertd.model.device_memory import AlarmMemory
from alertd.model.events import GOES_ON, Pressed
from alertd.model.ids import derive
from alertd.model.incident import SEVERITY, VERIFY_FIRST, IncidentClass, Press, Severity, is_nuisance, is_panic
from alertd.model.mode import Mode
from alertd.model.reason import Reason
from alertd.model.site import Device, DeviceKind

SECOND_US = 1_000_000


def is_sensors(d: Draft, event: Pressed) -> bool:
    """Was it a sensor that spoke?"""
    device = d.facts.registry.devices.get(event.signal.device_id)
    return device is not None and device.kind is DeviceKind.SENSOR


def on_report(d: Draft, event: Pressed) -> None:
    """A registered sensor says something."""
    device = d.facts.registry.devices[event.signal.device_id]
    device_tests.note(d, event, device)
    seen_us = d.facts.seen_us
    if seen_us is not None and abs(d.now.wall_us - seen_us) <= presses.DUPLICATE_S * SECOND_US:
        d.entry(EntryKind.PRESS, Reason.DUPLICATE, f"{_name(device)}: known already", device=device.id)
        d.confirm(device.id, FeedbackState.RECEIVED)
        return
    if event.retained:
        _retained(d, event, device)
        return
    d.cause = event.cause
    d.confirm(device.id, FeedbackState.RECEIVED)
    named = device.gestures.actions.get(event.signal.action)
    if event.signal.ends:
        _over(d, event, device)
    elif named is None:
        _unmapped(d, event, device)
    elif named == gestures.IGNORED or event.signal.reading is not None:
        # A bare number is no alarm: whoever judges numbers says what they mean without them.
        d.entry(EntryKind.PRESS, Reason.BELOW_GESTURE, f"{_name(device)}: {event.signal.action}", device=device.id)
    elif device_tests.takes(d, event, device, IncidentClass(named), None):
        return
    elif is_panic(IncidentClass(named)):
        _refuse(d, event, device, named)
    else:
        _alarm(d, event, device, IncidentClass(named))


def _name(device: Device) -> str:
    return device.label or device.id


def _where(d: Draft, device: Device) -> str:
    return places.name(device, d.facts.registry)


# --- what is no alarm -----------------------------------------------------------------------------------------------


def _retained(d: Draft, event: Pressed, device: Device) -> None:
    """A broker's memory (req 41). A sensor's hides no press, so nobody's phone rings for it."""
    d.entry(EntryKind.PRESS, Reason.RETAINED, f"{_name(device)}: a retained message", device=device.id)
    summary = f"{_where(d, device)} left a stored {_word(event, device)} at the broker. Clear it, and switch it off."
    troubles.raise_(d, f"retained:{device.id}", summary)


def _unmapped(d: Draft, event: Pressed, device: Device) -> None:
    """What is no word of its gestures may be what somebody said: it is kept nowhere (req 73)."""
    said = _word(event, device)
    d.entry(EntryKind.PRESS, Reason.UNMAPPED_ACTION, f"{_name(device)}: {said}", device=device.id)
    if event.signal.action == presses.TAMPER:
        summary = f"{_where(d, device)} is opened, moved or taken down, it says. Look at it."
        troubles.raise_(d, f"{presses.TAMPER}:{device.id}", summary)
        return
    shown = "" if said in _WORDS else f" To see it: alertd devices test {device.id}"
    summary = f"{_where(d, device)} says {said} that its gestures do not know.{shown}"
    troubles.raise_(d, f"sensor_unmapped:{device.id}", summary, said=_told_apart(event, device))


def _told_apart(event: Pressed, device: Device) -> str:
    """One of 256 sorts of words: enough to tell most from each other, too little to know what somebody said."""
    return f"{device.id} {derive('', event.signal.action)[:3]}"


def _word(event: Pressed, device: Device) -> str:
    """What it says, if it is a word of its gestures or of alertd itself."""
    quoted = repr(event.signal.action)
    return quoted if event.signal.action in device.gestures.actions or quoted in _WORDS else "a word"


_HEARD = ("gunshot", "keyword", "aggression", "thc", "smoking", "alarm")
_WORDS = frozenset(repr(str(word)) for word in (*IncidentClass, *_HEARD))
"""Words of alertd itself, quoted: what its profiles make of whatever a sensor says is no transcript."""


def _refuse(d: Draft, event: Pressed, device: Device, named: str) -> None:
    """`alertd check` refuses such gestures, so this is a configuration of yesterday, or worse."""
    text = f"{_name(device)} says {event.signal.action[:40]!r}, which would be {named}: a sensor never sounds a panic"
    d.entry(EntryKind.PRESS, Reason.SENSOR_NEVER_PANIC, text, device=device.id)
    summary = f"{_where(d, device)} tried to sound {named}. Sensors never do: look at it, and at who can speak for it."
    troubles.raise_(d, f"sensor_panic:{device.id}", summary)


def _over(d: Draft, event: Pressed, device: Device) -> None:
    """It is over, says the sensor: the cool-down begins anew. Only a human, or time, ends an incident."""
    text = f"{_name(device)}: {_word(event, device)} is over"
    d.entry(EntryKind.PRESS, Reason.SENSOR_CLEARED, text, device=device.id)
    known = d.memory(device.id).alarms
    for action in (event.signal.action,) if event.signal.action in device.gestures.actions else tuple(known):
        if action in known:
            _remember(d, device, action, replace(known[action], last_us=event.received_us))


# --- an alarm -------------------------------------------------------------------------------------------------------


def _memory(d: Draft, device: Device, action: str) -> AlarmMemory:
    return d.memory(device.id).alarms.get(action, AlarmMemory())


def _remember(d: Draft, device: Device, action: str, memory: AlarmMemory) -> None:
    of_device = d.memory(device.id)
    d.remember(replace(of_device, alarms={**of_device.alarms, action: memory}))


def _alarm(d: Draft, event: Pressed, device: Device, incident_class: IncidentClass) -> None:
    action = event.signal.action
    before = _memory(d, device, action)
    if event.signal.count == GOES_ON and _told_lately(before, event):
        _goes_on(d, event, device, incident_class)
        return
    times = event.signal.count or 1
    recent = sensor_storms.with_alarms(before.recent, event.received_us, times)
    memory = replace(before, last_us=event.received_us, recent=recent)
    _remember(d, device, action, memory)
    press = presses.press_of(d, event, device, incident_class, times)
    text = f"{wording.press_words(press)}: {incident_class}"
    storm = sensor_storms.notice(d, event, device, incident_class)
    merging = d.state.open_by_merge_key(incidents.merge_key_of(incident_class, press))
    if merging is not None and sensor_ends.is_over(d, merging, event.received_us):
        sensor_ends.end(d, d.incident(merging.id) or merging)
        merging = None
    if incident_class in VERIFY_FIRST and corroboration.bear_out(d, event, press, merging):
        return
    if merging is not None:
        incident = corroboration.count_again(d, d.incident(merging.id) or merging, press)
        if storm is not None and storm.call is not None:
            sensor_storms.tell(d, incident, storm.call)
    elif storm is not None and storm.call is None:
        d.entry(EntryKind.PRESS, Reason.STORM, f"{text}; a storm", device=device.id)
    elif press.late and SEVERITY[incident_class] is Severity.NUISANCE:
        d.entry(EntryKind.PRESS, Reason.STALE_NUISANCE, f"{text}, heard only now", device=device.id)
    elif storm is None and is_nuisance(incident_class) and _is_same(before, event, device):
        d.entry(EntryKind.PRESS, Reason.COOLING_DOWN, f"{text}, again", device=device.id)
    else:
        call = storm.call if storm is not None else None
        _open(d, event, device, press, call)


def _is_same(before: AlarmMemory, event: Pressed, device: Device) -> bool:
    """Is it the alarm that people were told of? Not if the clock was set back since: nobody knows how long ago that
    was."""
    since_us = event.received_us - before.last_us
    cooling = 0 <= since_us < device.gestures.sensor.cool_down_s * SECOND_US
    return cooling and _told_lately(before, event)


def _told_lately(before: AlarmMemory, event: Pressed) -> bool:
    return 0 <= event.received_us - before.told_us < sensor_ends.AGAIN_US


def _goes_on(d: Draft, event: Pressed, device: Device, incident_class: IncidentClass) -> None:
    """The numbers of which people were told have not come down: the cool-down begins anew, and nothing is counted."""
    action = event.signal.action
    _remember(d, device, action, replace(_memory(d, device, action), last_us=event.received_us))
    press = presses.press_of(d, event, device, incident_class, 0)
    open_ = d.state.open_by_merge_key(incidents.merge_key_of(incident_class, press))
    if open_ is not None and any(p.device_id == device.id for p in open_.presses):
        corroboration.count_again(d, d.incident(open_.id) or open_, press)
    else:
        d.entry(EntryKind.PRESS, Reason.COOLING_DOWN, f"{_name(device)}: {action} goes on", device=device.id)


def _open(d: Draft, event: Pressed, device: Device, press: Press, call: Call | None) -> None:
    memory = sensor_storms.told_today(d, _memory(d, device, event.signal.action), event.received_us)
    _remember(d, device, event.signal.action, memory)
    if call is None:
        call = escalation.call_for(d, press, "alert", Reason.FIRST_WAVE)
        call = replace(call, extra=call.extra | {"today": sensor_storms.today_words(memory.times)})
    incident = incidents.open_(d, press.incident_class, press, Mode.LIVE, cause=event.cause, call=call)
    d.entry(EntryKind.PRESS, call.reason, f"{wording.press_words(press)}", incident=incident, device=device.id)
