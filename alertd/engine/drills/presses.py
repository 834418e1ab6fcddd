"""Which presses are of the drill that runs (rule 1). In doubt none is: then it is over from here on."""

from msgspec import Struct
from msgspec.structs import replace

from alertd.engine import places, press_times
from alertd.engine.draft import Draft
from alertd.engine.drills import news
from alertd.engine.drills.real import stop
from alertd.model.drill import Drill, DrillPress
from alertd.model.events import Pressed
from alertd.model.incident import SEVERITY, Incident, IncidentClass, is_panic
from alertd.model.mode import Mode
from alertd.model.site import Device

STRAY = 4
"""Presses that a hurried finger adds to a gesture. More of them, if they waited together, may be two gestures."""


class Gesture(Struct, frozen=True, kw_only=True):
    """What a device's arrival amounts to, as far as a drill cares."""

    incident_class: IncidentClass
    count: int
    at_us: int
    """By the device's clock, where it has a believable one."""
    began_us: int | None
    """When the first before it can have been pressed that belongs to its gesture, or may; `None`: it begins one."""
    timeless: bool = False
    """It waited at the broker, and the device has no clock: nobody knows how far apart its presses were."""


def mode_of(d: Draft, event: Pressed, device: Device, gesture: Gesture) -> Mode:
    """Is this press part of the drill? If it is not, and would page anybody, the drill is over from here on."""
    drill = d.drill
    if not is_panic(gesture.incident_class):
        return Mode.LIVE
    if drill is None:
        news.overtake(d, f"{places.name(device, d.facts.registry)} was pressed")
        return Mode.LIVE
    real = _why_real(d, drill, event, device, gesture)
    if real:
        stop(d, drill, real)
        return Mode.LIVE
    _note(d, drill, event, device, gesture)
    return Mode.DRILL


def _note(d: Draft, drill: Drill, event: Pressed, device: Device, gesture: Gesture) -> None:
    """Of each device one gesture; what was counted for it up to here counts for the drill alone."""
    press = _press_of(drill, device) or DrillPress(
        device_id=device.id,
        at_us=gesture.at_us,
        count=gesture.count,
        boot_us=None if press_times.waited(event) else press_times.arrived_us(d, event),
        boot_id=d.now.boot_id,
    )
    others = tuple(each for each in drill.presses if each.device_id != device.id)
    d.put_drill(replace(drill, presses=(*others, press)))
    memory = d.memory(device.id)
    d.remember(replace(memory, presses=tuple(replace(each, drilled=True) for each in memory.presses)))


def _press_of(drill: Drill, device: Device) -> DrillPress | None:
    return next((press for press in drill.presses if press.device_id == device.id), None)


def mode_of_request(d: Draft, incident: Incident, wanted: IncidentClass, who: str) -> Mode:
    """The same for somebody who asks for a Hold or a lockdown by text or key."""
    drill = d.drill
    if drill is None:
        news.overtake(d, f"{who} asks for {wanted}")
        return Mode.LIVE
    if incident.mode is Mode.DRILL and SEVERITY[wanted] <= SEVERITY[drill.incident_class]:
        return Mode.DRILL
    stop(d, drill, f"{who} asks for {wanted}")
    return Mode.LIVE


def _why_real(d: Draft, drill: Drill, event: Pressed, device: Device, gesture: Gesture) -> str:
    """Why the press is no exercise, in words; empty: it is one, beyond doubt."""
    label = places.name(device, d.facts.registry)
    if device.id not in drill.device_ids:
        return f"{label} takes no part in it"
    if event.oldest_us < drill.started_us or gesture.at_us >= drill.ends_us:
        return f"{label} may have been pressed outside of its time"
    if not _is_drilled(drill, device, gesture.incident_class):
        return f"{label} was pressed for {gesture.incident_class}, not for {drill.incident_class}"
    before = _press_of(drill, device)
    if before is not None and not _is_same_gesture(d, event, device, gesture, before):
        return f"{label} was pressed again"
    if gesture.began_us is not None and gesture.began_us < drill.started_us:
        return f"{label} was pressed before it began"
    return ""


def _is_drilled(drill: Drill, device: Device, incident_class: IncidentClass) -> bool:
    """What is drilled, or what its presses are counted through on the way there."""
    if incident_class is drill.incident_class:
        return True
    counted = {name: count for count, name in device.gestures.presses.items()}
    on_the_way = counted.get(incident_class, 0) < counted.get(drill.incident_class, 0)
    return incident_class in counted and on_the_way and SEVERITY[incident_class] <= SEVERITY[drill.incident_class]


def _is_same_gesture(d: Draft, event: Pressed, device: Device, gesture: Gesture, before: DrillPress) -> bool:
    """Presses in a row, no longer than any gesture takes; or the echo of a device that says its word more than once. By
    the device's own clock, whichever of them came first; or by their arrival, as far as two gateways' clocks are apart.
    """
    if gesture.timeless and (gesture.began_us is None or gesture.count > max(device.gestures.presses) + STRAY):
        return False
    longest_us = device.gestures.window_s * 1_000_000 * (1 if gesture.began_us is None else 2)
    since_us = gesture.at_us - before.at_us
    is_same_boot = before.boot_us is not None and before.boot_id == d.now.boot_id
    arrived_us = press_times.arrived_us(d, event) - (before.boot_us or 0) if is_same_boot else abs(since_us)
    if event.signal.pressed_us is None:
        return arrived_us <= longest_us
    if abs(since_us) <= longest_us:
        return True
    are_clocks_apart = abs(since_us - arrived_us) <= press_times.CLOCKS_APART_S * 1_000_000
    return not press_times.waited(event) and arrived_us <= longest_us and are_clocks_apart


def opened(d: Draft, incident: Incident) -> Incident:
    """Note an incident that was pressed for in the drill that runs."""
    drill = d.drill
    if incident.mode is not Mode.DRILL or drill is None:
        return incident
    d.put_drill(replace(drill, incident_ids=(*drill.incident_ids, incident.id)))
    return d.put(replace(incident, drill_id=drill.id))
