"""Storms of sensors: when is it too much, what is said of it once, and when is it over (req 68).

A storm is a standing trouble, "needs tuning": of one sensor and what it reports, or of a whole site. While it stands,
alarms are counted and nobody is told of them. Must never hold back what is no nuisance: a shot is told at each new
incident, whatever storm there is.
"""

from datetime import datetime
from zoneinfo import ZoneInfo

from msgspec import Struct
from msgspec.structs import replace

from alertd.engine import places, troubles
from alertd.engine.draft import Draft
from alertd.engine.telling import Call, Message, tell_told
from alertd.model.decision import EntryKind
from alertd.model.device_memory import AlarmMemory
from alertd.model.events import Pressed
from alertd.model.ids import DeviceId
from alertd.model.incident import SEVERITY, Incident, IncidentClass, Severity, is_nuisance
from alertd.model.notification import Kind
from alertd.model.reason import Reason
from alertd.model.site import Device
from alertd.model.timer import Timer, TimerKind

HOUR_US = 3600 * 1_000_000
MINUTE_US = 60 * 1_000_000
FAMILY = "sensor_storm"
"""First word of the keys of such troubles."""
CALM_S = 3600.0
"""So long after a storm began it is looked at whether it is over."""

Recent = tuple[tuple[int, int], ...]


class Storm(Struct, frozen=True, kw_only=True):
    """A storm goes on. `call`: it has just begun, and this is said of it once; `None`: it was said before."""

    call: Call | None


def with_alarms(recent: Recent, at_us: int, times: int) -> Recent:
    """The alarms of the last hour, with these: a minute's worth is one entry, so there are never more than about sixty.
    Those from before the clock was set back are forgotten with the rest."""
    kept = tuple((at, n) for at, n in recent if 0 <= at_us - at < HOUR_US)
    if kept and at_us - kept[-1][0] < MINUTE_US:
        return (*kept[:-1], (kept[-1][0], kept[-1][1] + times))
    return (*kept, (at_us, times))


def within_hour(recent: Recent, now_us: int) -> int:
    return sum(n for at, n in recent if 0 <= now_us - at < HOUR_US)


def notice(d: Draft, event: Pressed, device: Device, incident_class: IncidentClass) -> Storm | None:
    """Is this alarm part of a storm? Begins one where that is so. To be asked after the alarm was remembered."""
    if SEVERITY[incident_class] is Severity.NUISANCE:  # covering a sensor must not go under with a flood of others
        of_site = _of_site(d, event.received_us)
        if of_site is not None:  # while it stands, a storm of one sensor is no news: twenty would be twenty texts
            return of_site
    return _of_sensor(d, event, device, incident_class)


def _of_sensor(d: Draft, event: Pressed, device: Device, incident_class: IncidentClass) -> Storm | None:
    key = f"{FAMILY}:{device.id}:{incident_class}"
    alarms = within_hour(_memory(d, device.id, event.signal.action).recent, event.received_us)
    most = device.gestures.sensor.storm_per_h
    if d.trouble(key) is not None:
        return Storm(call=None) if is_nuisance(incident_class) else None
    if alarms <= most:
        return None
    what = f"{places.name(device, d.facts.registry)} needs tuning: {alarms} times {incident_class} within an hour."
    more = (
        "No more texts of it until it is calm." if is_nuisance(incident_class) else "Or somebody fools it: go and see."
    )
    _begin(d, key, f"{what} {more}")
    call = Call(template="digest", reason=Reason.STORM_DIGEST, extra={"alarms": str(alarms), "today": ""})
    return Storm(call=call) if is_nuisance(incident_class) else None


def _of_site(d: Draft, now_us: int) -> Storm | None:
    key = f"{FAMILY}:site"
    if d.trouble(key) is not None:
        return Storm(call=None)
    alarms = _of_whole_site(d, now_us)
    if alarms <= d.site.sensor_storm_per_h:
        return None
    summary = f"The sensors of {d.site.short} need tuning: {alarms} alarms within an hour. No texts of them until calm."
    _begin(d, key, summary)
    call = Call(template="digest_site", reason=Reason.STORM_DIGEST, extra={"alarms": str(alarms), "today": ""})
    return Storm(call=call)


def _of_whole_site(d: Draft, now_us: int) -> int:
    """Alarms of nuisance sensors of the site within the last hour. One that storms by itself counts for no more than
    makes a storm: a single bad sensor must not silence those of the whole school."""
    found = 0
    for device_id in d.remembered():
        device = d.facts.registry.devices.get(device_id)
        for action, memory in d.memory(device_id).alarms.items() if device is not None else ():
            if device is not None and device.gestures.actions.get(action) in _NUISANCES:
                found += min(within_hour(memory.recent, now_us), device.gestures.sensor.storm_per_h)
    return found


_NUISANCES = frozenset(str(name) for name, severity in SEVERITY.items() if severity is Severity.NUISANCE)


def _memory(d: Draft, device_id: DeviceId, action: str) -> AlarmMemory:
    return d.memory(device_id).alarms.get(action, AlarmMemory())


def _begin(d: Draft, key: str, summary: str) -> None:
    d.entry(EntryKind.PRESS, Reason.STORM, summary, key=key)
    troubles.raise_(d, key, summary)
    d.timer(TimerKind.SENSOR_CALM, CALM_S, detail=key)


def tell(d: Draft, incident: Incident, call: Call) -> None:
    """The one digest, to those who know of the incident."""
    message = Message(
        kind=Kind.UPDATE,
        template=call.template,
        reason=call.reason,
        occasion=f"{call.template}/{d.now.wall_us}",
        extra=call.extra,
    )
    tell_told(d, incident, message)


def on_calm(d: Draft, timer: Timer) -> None:
    """Has it calmed down? If not, it is looked at again in an hour."""
    key = timer.detail
    if d.trouble(key) is None:
        d.entry(EntryKind.ESCALATION, Reason.STALE_TIMER, f"{key} is over already", key=key)
        return
    alarms, most = _now(d, key)
    if alarms > most:
        d.entry(EntryKind.PRESS, Reason.STORM, f"{key} goes on: {alarms} within the last hour", key=key)
        d.timer(TimerKind.SENSOR_CALM, CALM_S, number=timer.number + 1, detail=key)
        return
    troubles.clear(d, key)


def _now(d: Draft, key: str) -> tuple[int, int]:
    """Alarms within the last hour, and the most that are no storm. Of a sensor that left the registry: none."""
    _, _, what = key.partition(":")
    if what == "site":
        return _of_whole_site(d, d.now.wall_us), d.site.sensor_storm_per_h
    device_id, _, incident_class = what.rpartition(":")
    device = d.facts.registry.devices.get(DeviceId(device_id))
    if device is None:
        return 0, 0
    memories = d.memory(device.id).alarms
    of_class = (m for action, m in memories.items() if device.gestures.actions.get(action) == incident_class)
    return sum(within_hour(m.recent, d.now.wall_us) for m in of_class), device.gestures.sensor.storm_per_h


def told_today(d: Draft, memory: AlarmMemory, at_us: int) -> AlarmMemory:
    """The memory once people are told of it, with how often that was on this day."""
    day = datetime.fromtimestamp(at_us / 1_000_000, ZoneInfo(d.site.time_zone)).date().isoformat()
    return replace(memory, told_us=at_us, day=day, times=memory.times + 1 if memory.day == day else 1)


def today_words(times: int) -> str:
    """Like ", 2nd today"; the first time goes without saying."""
    if times < 2:
        return ""
    ending = {1: "st", 2: "nd", 3: "rd"}.get(times % 10 if times % 100 not in (11, 12, 13) else 0, "th")
    return f", {times}{ending} today"
