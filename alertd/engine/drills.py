"""Drills: when one begins, which presses belong to it, what makes it real, and how it ends.

Five rules, all of them from `messages.md` and promise 3:

1. Of a drill is only the first gesture of a device that was named, in its window, and no graver than what is drilled.
   Every other press of a panic is live, and so is every one in doubt. Sensors stay live in their quiet way.
2. A live press ends the drill in the decision that takes it up: whatever the drill has not said is withdrawn, and
   whoever was told of it hears "DRILL STOPPED, THIS IS REAL." before anything else.
3. It ends by itself after its minutes, and whoever heard that it began hears that it is over. Who cannot be told is a
   trouble: somebody has to go and say it.
4. A live press that comes while not everybody knows that it is over is one that stopped it, for those who do not know:
   "DRILL STOPPED, THIS IS REAL." first, and no "THE DRILL IS OVER" after it, which would make the press look like its
   last act. Not the other way round, the end before the press: that would let an exercise delay what is real.
5. It survives a restart, and whoever was told hears of that, too.

Must never take a mode from anybody: `Mode.DRILL` comes from the site's own row, here and nowhere else.
"""

from collections.abc import Iterator

from msgspec import Struct
from msgspec.structs import replace

from alertd.engine import calls, dispatch_centers, drill_news, paging, spoken, wording
from alertd.engine.audience import Addressee, people_of, reach
from alertd.engine.draft import BELIEVED_US, Draft, template_of
from alertd.engine.lifecycle import Move
from alertd.model.decision import EntryKind
from alertd.model.drill import Drill, DrillPress, DrillState, DrillTold
from alertd.model.events import DrillEndOrdered, DrillFound, DrillOrdered, Pressed
from alertd.model.ids import DrillId, NotificationId, derive
from alertd.model.incident import SEVERITY, EscalationState, Incident, IncidentClass, is_panic
from alertd.model.mode import Mode
from alertd.model.notification import Kind, Lane, Notification
from alertd.model.people import Endpoint, Person
from alertd.model.policy import TargetKind
from alertd.model.reason import Reason
from alertd.model.registry import Registry
from alertd.model.site import Device, DeviceKind, Site
from alertd.model.timer import Timer, TimerKind

MINUTES_MIN, MINUTES_MAX = 1, 120
RESTARTS_MAX = 3
"""A drill during which alertd is started more often than this is over: whoever takes part has other worries."""
STRAY = 4
"""Presses that a hurried finger adds to a gesture. More of them, if they waited together, may be two gestures."""
NOTICE_EXPIRES_S = 300
OVER_EXPIRES_S = BELIEVED_US // 1_000_000
"""Whoever still sits in a dark room wants to know it an hour later, too."""
OTHERS = "real.others"
_TEMPLATES = {Kind.DRILL_BEGINS: "begins", Kind.DRILL_GOES_ON: "goes_on", Kind.DRILL_OVER: "over"}


class Gesture(Struct, frozen=True, kw_only=True):
    """What a device's arrival amounts to, as far as a drill cares."""

    incident_class: IncidentClass
    count: int
    at_us: int
    """By the device's clock, where it has a believable one."""
    began_before_us: int | None
    """When the arrival before it came that belongs to the same gesture; `None`: it begins one."""
    timeless: bool = False
    """It waited at the broker, and the device has no clock: nobody knows how far apart its presses were."""


# --- beginning ------------------------------------------------------------------------------------------------------


def why_not(registry: Registry, order: DrillOrdered, going_on: tuple[Incident, ...], running: Drill | None) -> str:
    """Why this drill cannot begin, in a sentence for whoever ordered it; empty: it can."""
    site = registry.sites.get(order.site_id)
    if site is None:
        return f"there is no site {order.site_id}"
    panic = next((i for i in going_on if is_panic(i.incident_class) and i.is_open), None)
    if panic is not None:
        return f"{panic.headline} is open: end it first, nobody could tell the two apart"
    if running is not None:
        return f"a drill runs at {site.short} already, until {wording.local_time(site, running.ends_us)}: end it first"
    unfit = (_unfit(registry, site, order.incident_class, device_id) for device_id in order.device_ids)
    unknown = (f"there is no person {id_}" for id_ in order.person_ids if id_ not in registry.people)
    return next((why for why in (*_incomplete(order, site), *unfit, *unknown) if why), "")


def _incomplete(order: DrillOrdered, site: Site) -> Iterator[str]:
    """What is wrong with the order itself."""
    if not order.told_before.strip():
        yield "nobody outside was told: call your dispatch centre, then say whom you told"
    if not MINUTES_MIN <= order.minutes <= MINUTES_MAX:
        yield f"a drill lasts {MINUTES_MIN} to {MINUTES_MAX} minutes, not {order.minutes}"
    if not is_panic(order.incident_class):
        yield f"{order.incident_class} is nothing that people drill: it is quiet when it is real"
    elif order.incident_class not in site.policies:
        yield f"{site.short} has no policy for {order.incident_class}: nobody would know what to do"
    if not order.device_ids:
        yield "no device takes part: name those that will be pressed"


def _unfit(registry: Registry, site: Site, incident_class: IncidentClass, device_id: str) -> str:
    device = registry.devices.get(device_id)  # type: ignore[call-overload]
    if device is None:
        return f"there is no device {device_id}"
    if site.id not in (device.site_id, *device.roaming_sites):
        return f"{device_id} belongs to {device.site_id}, not to {site.id}"
    if device.kind not in (DeviceKind.BUTTON, DeviceKind.WEARABLE):
        return f"{device_id} is a {device.kind}: nobody can press it"
    if incident_class not in (*device.gestures.presses.values(), *device.gestures.actions.values()):
        return f"{device_id} has no gesture for {incident_class}"
    return ""


def on_order(d: Draft, event: DrillOrdered) -> None:
    """Begin a drill and tell those who take part, or write down why not."""
    if d.facts.seen_us is not None:
        d.entry(EntryKind.DRILL, Reason.DUPLICATE, "this drill was ordered before")
        return
    d.cause = event.cause
    if refusal := why_not(d.facts.registry, event, tuple(d.state.incidents.values()), d.drill):
        d.entry(EntryKind.DRILL, Reason.DRILL_REFUSED, f"{event.by} wants a drill: {refusal}")
        return
    seconds = event.minutes * 60
    drill = d.put_drill(
        Drill(
            id=drill_id(event),
            site_id=event.site_id,
            incident_class=event.incident_class,
            device_ids=tuple(dict.fromkeys(event.device_ids)),
            told_before=event.told_before.strip(),
            by=event.by,
            by_id=event.by_id,
            person_ids=event.person_ids,
            started_us=d.now.wall_us,
            ends_us=d.now.wall_us + seconds * 1_000_000,
            before=drill_news.carried(d),
        )
    )
    d.timer(TimerKind.DRILL_END, seconds, detail=drill.id)
    text = f"{event.by} begins a {drill_news.what(drill)} for {event.minutes} min; told before: {drill.told_before}"
    d.entry(EntryKind.DRILL, Reason.DRILL_BEGUN, text, drill=drill.id)
    told: dict[str, DrillTold] = {}
    for addressee in _participants(d, drill):
        options = reach(d.facts, addressee.person, (), panic=False)
        if not options:
            d.entry(EntryKind.DRILL, Reason.NO_ENDPOINT, f"{addressee.person.name} has no endpoint", drill=drill.id)
        for option in options:
            _tell(d, drill, Kind.DRILL_BEGINS, addressee.person, option.endpoint, suppressed=option.suppressed)
            if option.suppressed is None:
                key = option.endpoint.key
                told.setdefault(key, DrillTold(endpoint_key=key, person_id=addressee.person.id))
    d.put_drill(replace(drill, told=tuple(told.values())))


def drill_id(event: DrillOrdered) -> DrillId:
    """The same order is the same drill."""
    return DrillId(derive("drill", event.site_id, event.cause))


def _participants(d: Draft, drill: Drill) -> tuple[Addressee, ...]:
    """Those who were named, else whoever the policy of the class can ever call at this site; and who ordered it."""
    registry = d.facts.registry
    if drill.person_ids:
        named = tuple(registry.people[id_] for id_ in drill.person_ids if id_ in registry.people)
    else:
        _, policy = d.policy_now(drill.incident_class)
        targets = tuple(t for step in policy.steps for t in step.targets if t.kind is not TargetKind.DISTRICT)
        named = tuple(a.person for a in people_of(registry, drill.site_id, targets, d.now.wall_us))
    leader = registry.people.get(drill.by_id) if drill.by_id else None
    people = {p.id: p for p in (*named, *((leader,) if leader else ()))}
    return tuple(Addressee(person=person, words="responder") for person in people.values())


# --- what is pressed ------------------------------------------------------------------------------------------------


def mode_of(d: Draft, event: Pressed, device: Device, gesture: Gesture) -> Mode:
    """Is this press part of the drill? If it is not, and would page anybody, the drill is over from here on."""
    drill = d.drill
    if not is_panic(gesture.incident_class):
        return Mode.LIVE
    if drill is None:
        drill_news.overtake(d, f"{device.label or device.id} was pressed")
        return Mode.LIVE
    real = _why_real(drill, event, device, gesture)
    if real:
        stop(d, drill, real)
        return Mode.LIVE
    if all(press.device_id != device.id for press in drill.presses):
        press = DrillPress(device_id=device.id, at_us=gesture.at_us, count=gesture.count)
        d.put_drill(replace(drill, presses=(*drill.presses, press)))
    return Mode.DRILL


def mode_of_request(d: Draft, incident: Incident, wanted: IncidentClass, who: str) -> Mode:
    """The same for somebody who asks for a Hold or a lockdown by text or key."""
    drill = d.drill
    if drill is None:
        drill_news.overtake(d, f"{who} asks for {wanted}")
        return Mode.LIVE
    if incident.mode is Mode.DRILL and SEVERITY[wanted] <= SEVERITY[drill.incident_class]:
        return Mode.DRILL
    stop(d, drill, f"{who} asks for {wanted}")
    return Mode.LIVE


def _why_real(drill: Drill, event: Pressed, device: Device, gesture: Gesture) -> str:
    """Why the press is no exercise, in words; empty: it is one, beyond doubt."""
    label = device.label or device.id
    if device.id not in drill.device_ids:
        return f"{label} takes no part in it"
    if event.oldest_us < drill.started_us or gesture.at_us >= drill.ends_us:
        return f"{label} may have been pressed outside of its time"
    if not _is_drilled(drill, device, gesture.incident_class):
        return f"{label} was pressed for {gesture.incident_class}, not for {drill.incident_class}"
    before = next((press for press in drill.presses if press.device_id == device.id), None)
    if before is not None and not _is_same_gesture(device, gesture, before):
        return f"{label} was pressed again"
    if before is None and gesture.began_before_us is not None and gesture.began_before_us < drill.started_us:
        return f"{label} was pressed before it began"
    return ""


def _is_drilled(drill: Drill, device: Device, incident_class: IncidentClass) -> bool:
    """What is drilled, or what its presses are counted through on the way there."""
    if incident_class is drill.incident_class:
        return True
    counted = {name: count for count, name in device.gestures.presses.items()}
    on_the_way = counted.get(incident_class, 0) < counted.get(drill.incident_class, 0)
    return incident_class in counted and on_the_way and SEVERITY[incident_class] <= SEVERITY[drill.incident_class]


def _is_same_gesture(device: Device, gesture: Gesture, before: DrillPress) -> bool:
    """Presses in a row, no longer than any gesture takes; or the echo of a device that says its word more than once."""
    window_us = device.gestures.window_s * 1_000_000
    since_us = gesture.at_us - before.at_us
    if gesture.timeless and (gesture.began_before_us is None or gesture.count > max(device.gestures.presses) + STRAY):
        return False
    if gesture.began_before_us is None:
        return 0 <= since_us <= window_us
    return 0 <= since_us <= 2 * window_us


def opened(d: Draft, incident: Incident) -> Incident:
    """Note an incident that was pressed for in the drill that runs."""
    drill = d.drill
    if incident.mode is not Mode.DRILL or drill is None:
        return incident
    d.put_drill(replace(drill, incident_ids=(*drill.incident_ids, incident.id)))
    return d.put(replace(incident, drill_id=drill.id))


# --- it is real -----------------------------------------------------------------------------------------------------


def stop(d: Draft, drill: Drill, why: str) -> None:
    """This is real. What follows in the same decision tells those who were told of the drill so, first of all."""
    words = f"the drill is over, this is real: {why}"
    d.stopped_drill = _finish(d, drill, by="a real press", because=Reason.DRILL_IS_REAL, words=words)


def say_it_is_real(d: Draft, incident: Incident) -> None:
    """After a decision that stopped a drill: whoever was told of it and is not called to what is real hears it all the
    same, and loudspeakers that may be speaking of the drill fall silent."""
    stopped = d.stopped_drill
    drill = drill_news.over_of(d, stopped.id) if stopped is not None else None
    if drill is None:
        return
    drill = d.put_drill_over(replace(drill, real_incident_id=incident.id))
    said = d.said(incident)
    for told in drill_news.believers(d):
        person, endpoints = _where(d, told)
        if person is None or not endpoints:
            d.entry(EntryKind.NOTIFICATION, Reason.NO_ENDPOINT, f"{told.person_id} left the roster", incident=incident)
            continue
        for endpoint in endpoints:
            if endpoint.key not in said:
                _tell_real(d, incident, person, endpoint)
    _hush(d, drill, incident)


def _tell_real(d: Draft, incident: Incident, person: Person, endpoint: Endpoint) -> None:
    policy = d.policy(incident)
    params = wording.incident_params(d.site, incident, d.now.wall_us)
    n = Notification(
        id=NotificationId(derive("n", incident.id, Kind.DRILL_STOPPED, endpoint.key)),
        site_id=incident.site_id,
        mode=Mode.LIVE,
        kind=Kind.DRILL_STOPPED,
        lane=Lane.PANIC,
        endpoint=endpoint,
        reason=Reason.DRILL_IS_REAL,
        created_us=d.now.wall_us,
        expires_us=d.now.wall_us + policy.expires_s * 1_000_000,
        resend_unknown=True,
        incident_id=incident.id,
        recipient=person.name,
        language=person.language,
        template=OTHERS,
        params=params,
        text=wording.real(template_of(policy, OTHERS), params, d.text_limit(endpoint.channel), (wording.REAL,)),
        ends_drill=d.ends_drill(incident, endpoint),
    )
    if calls.is_call(d, endpoint):
        heard = params | spoken.params(d.facts.registry, d.site, incident, d.now.wall_us)
        n = calls.told_only(policy, n, heard, marks=(wording.SPOKEN[wording.REAL], ""))
    d.row(n, suppressed=_silent(d, incident, person, endpoint))


def _silent(d: Draft, incident: Incident, person: Person, endpoint: Endpoint) -> Reason | None:
    if endpoint.key in d.facts.opted_out:
        return Reason.OPTED_OUT
    return calls.left_silent(d, incident, Kind.ALERT, person, endpoint)  # the presser's phone may be in hiding


def _hush(d: Draft, drill: Drill, incident: Incident) -> None:
    """A live announcement cuts a drill's by itself, where both are said. Everywhere else silence does."""
    speaking = any(i.mode is Mode.DRILL and i.announcing is not None for i in d.state.incidents.values())
    since_us = d.now.wall_us - (drill.ended_us or 0)
    if speaking or (drill.incident_ids and abs(since_us) < paging.ANNOUNCEMENT_S * 1_000_000):
        paging.hush(d, incident.id, Reason.DRILL_IS_REAL, incident=incident, but=d.announced_at(incident))


# --- ending ---------------------------------------------------------------------------------------------------------


def on_end(d: Draft, event: DrillEndOrdered) -> None:
    """A named human ends it."""
    if d.facts.seen_us is not None:
        d.entry(EntryKind.DRILL, Reason.DUPLICATE, "this was ordered before")
        return
    d.cause = event.cause
    if d.drill is None:
        d.entry(EntryKind.DRILL, Reason.STALE_CODE, f"{event.by} ends a drill, and none runs")
        return
    _end(d, d.drill, by=event.by, because=Reason.DRILL_ENDED, words=f"ended by {event.by}")


def on_timer(d: Draft, timer: Timer) -> None:
    """Its time is over."""
    if timer.number:
        drill_news.look_after(d, timer.detail)
        return
    drill = d.drill
    if drill is None or drill.id != timer.detail:
        d.entry(EntryKind.DRILL, Reason.STALE_TIMER, "that drill is over")
        return
    _end(d, drill, by="", because=Reason.DRILL_EXPIRED, words="its time is over")


def on_found(d: Draft, event: DrillFound) -> None:
    """A start of alertd while it ran: nobody who takes part may be left to wonder."""
    if d.facts.seen_us is not None:
        return
    d.cause = event.cause
    drill = d.drill
    if drill is None or drill.id != event.drill_id:  # something real was quicker than this news
        _started(d, event, Reason.STALE_TIMER, "alertd restarted; that drill is over")
        return
    drill = d.put_drill(replace(drill, restarts=drill.restarts + 1))
    what, late = drill_news.what(drill), d.now.wall_us >= drill.ends_us
    if (
        late or drill.restarts > RESTARTS_MAX
    ):  # late: where its timer was not quicker, no minute that has passed is told
        _started(d, event, Reason.DRILL_RESTARTED, f"alertd restarted during the {what}")
        because = Reason.DRILL_EXPIRED if late else Reason.DRILL_RESTARTED
        _end(d, drill, by="", because=because, words="its time is over" if late else "alertd restarted too often")
        return
    text = f"alertd restarted during the {what}: it goes on until {wording.local_time(d.site, drill.ends_us)}"
    _started(d, event, Reason.DRILL_GOES_ON, text)
    _tell_told(d, drill, Kind.DRILL_GOES_ON)


def _started(d: Draft, event: DrillFound, reason: Reason, text: str) -> None:
    """When alertd was started: from the last entry before that moment the report knows how long nobody was there."""
    d.entry(EntryKind.DRILL, reason, text, drill=event.drill_id, started_us=str(event.started_us))


def step_clock(d: Draft, step_us: int) -> None:
    """Its window moves with the clock, and the time in which it may be believed; timers run on boot time."""
    if (drill := d.drill) is not None:
        d.put_drill(replace(drill, started_us=drill.started_us + step_us, ends_us=drill.ends_us + step_us))
    last = d.drill or d.state.drill_over
    for over in last.line() if last is not None else ():
        if over.ended_us is not None and abs(d.now.wall_us - step_us - over.ended_us) <= BELIEVED_US:
            d.put_drill_over(replace(over, ended_us=over.ended_us + step_us))


def keep_told(d: Draft) -> None:
    """An incident of the drill that this decision has closed is out of sight for the next: whoever heard of the drill
    only there is of those told of it from now on."""
    drill = d.drill
    if drill is None:
        return
    told = _told(d, drill)
    if len(told) > len(drill.told) and any(not d.is_open(id_) for id_ in drill.incident_ids):
        d.put_drill(replace(drill, told=told))


def close_left_over(d: Draft, incident: Incident) -> bool:
    """An incident of a drill that is over looks for nobody: belt and braces, each ending closes them."""
    if incident.mode is not Mode.DRILL or d.drill is not None:
        return False
    _close(d, incident, "the end of the drill")
    return True


def _end(d: Draft, drill: Drill, *, by: str, because: Reason, words: str) -> None:
    said = any(i.mode is Mode.DRILL and paging.may_be_said(d, i) for i in d.open_incidents())
    drill = _finish(d, drill, by=by, because=because, words=words)
    if said:
        paging.hush(d, drill.id, because, but=frozenset())
    _tell_told(d, drill, Kind.DRILL_OVER, why=words)
    if drill.told:
        d.timer(TimerKind.DRILL_END, drill_news.UNTOLD_S, number=1, detail=drill.id)


def _finish(d: Draft, drill: Drill, *, by: str, because: Reason, words: str) -> Drill:
    ended = d.put_drill(
        replace(
            drill,
            state=DrillState.ENDED,
            told=_told(d, drill),
            ended_us=d.now.wall_us,
            ended_by=by,
            ended_because=because,
        )
    )
    d.entry(EntryKind.DRILL, because, f"{drill_news.what(drill)}: {words}", drill=drill.id)
    if because is Reason.DRILL_IS_REAL:
        d.withdraw_drill(because)
        drill_news.say_no_more(d, d.drills_over[1:])
    else:
        d.withdraw_drill(because, but=Kind.DRILL_OVER)  # of the one before, if not all have heard that it is over
    for incident in tuple(d.state.incidents.values()):
        current = d.incident(incident.id)
        if current is not None and current.is_open and current.mode is Mode.DRILL:
            _close(d, current, by or "the end of the drill")
    return ended


def _close(d: Draft, incident: Incident, by: str) -> None:
    """Nobody hid in earnest: rooms are not released one by one, and no text of its own says that it is over."""
    if incident.escalation is not EscalationState.STOPPED:
        incident = d.escalate(incident, Move.STOP)
    incident = d.live(incident, Move.CLOSE)
    incident = d.put(replace(incident, closed_us=d.now.wall_us, closed_by=by))
    d.entry(EntryKind.INCIDENT, Reason.DRILL_OVER, f"closed with the drill: {by}", incident=incident)
    dispatch_centers.tell_all(d, incident, Kind.DISPATCH_CLOSED, Reason.DRILL_OVER)  # whoever took the exercise


def _told(d: Draft, drill: Drill) -> tuple[DrillTold, ...]:
    """Everybody who has heard of it: by its announcement, or in one of its incidents."""
    told = {t.endpoint_key: t for t in drill.told}
    for incident_id in drill.incident_ids:
        incident = d.incident(incident_id)
        for each in incident.told if incident is not None else ():
            told.setdefault(each.endpoint_key, DrillTold(endpoint_key=each.endpoint_key, person_id=each.person_id))
    return tuple(told.values())


# --- telling --------------------------------------------------------------------------------------------------------


def _tell_told(d: Draft, drill: Drill, kind: Kind, why: str = "") -> None:
    for told in _told(d, drill):
        person, endpoints = _where(d, told)
        if person is None or not endpoints:
            d.entry(EntryKind.DRILL, Reason.NO_ENDPOINT, f"{told.person_id} left the roster", drill=drill.id)
            continue
        for endpoint in endpoints:
            opted_out = Reason.OPTED_OUT if endpoint.key in d.facts.opted_out else None
            _tell(d, drill, kind, person, endpoint, why=why, suppressed=opted_out)


def _where(d: Draft, told: DrillTold) -> tuple[Person | None, tuple[Endpoint, ...]]:
    """Where whoever was told is reached now: there, or, if that number left the configuration, wherever they are."""
    person = d.facts.registry.people.get(told.person_id)
    if person is None:
        return None, ()
    there = tuple(endpoint for endpoint in person.endpoints if endpoint.key == told.endpoint_key)
    return person, there or person.endpoints


def _tell(  # noqa: PLR0913 - one notice of a drill to one endpoint
    d: Draft,
    drill: Drill,
    kind: Kind,
    person: Person,
    endpoint: Endpoint,
    *,
    why: str = "",
    suppressed: Reason | None = None,
) -> None:
    _, policy = d.policy_now(drill.incident_class)
    name = _TEMPLATES[kind]
    params = _params(d, drill) | {"why": why}
    before, after = (wording.DRILL_OVER, "") if kind is Kind.DRILL_OVER else (wording.DRILL, wording.DRILL)
    limit = d.text_limit(endpoint.channel)
    expires_s = OVER_EXPIRES_S if kind is Kind.DRILL_OVER else NOTICE_EXPIRES_S
    n = Notification(
        id=notice_id(drill, kind, endpoint.key, drill.restarts),
        site_id=drill.site_id,
        mode=Mode.DRILL,
        kind=kind,
        lane=Lane.DRILL,
        endpoint=endpoint,
        reason=_REASONS.get(kind) or drill.ended_because or Reason.DRILL_ENDED,
        created_us=d.now.wall_us,
        expires_us=d.now.wall_us + expires_s * 1_000_000,
        resend_unknown=True,
        recipient=person.name,
        language=person.language,
        template=name,
        params=params,
        text=wording.marked(template_of(policy, name, Mode.DRILL), params, limit, before=before, after=after),
        ends_drill=drill.id if kind is Kind.DRILL_OVER else None,
    )
    if calls.is_call(d, endpoint):
        n = calls.told_only(policy, n, params, marks=(wording.SPOKEN[before], wording.SPOKEN.get(after, "")))
    d.row(n, suppressed=suppressed)


_REASONS = {Kind.DRILL_BEGINS: Reason.DRILL_BEGUN, Kind.DRILL_GOES_ON: Reason.DRILL_GOES_ON}


def notice_id(drill: Drill, kind: Kind, endpoint_key: str, restarts: int) -> NotificationId:
    """Id of one notice of a drill to one endpoint; `restarts`: how often alertd had been started in it by then."""
    return NotificationId(derive("n", drill.id, kind, restarts, endpoint_key))


def _params(d: Draft, drill: Drill) -> dict[str, str]:
    return {
        "site": d.site.short,
        "site_name": d.site.name,
        "what": drill_news.what(drill),
        "spoken_what": spoken.what(drill.incident_class, Mode.DRILL),
        "time": wording.local_time(d.site, drill.started_us),
        "ends": wording.local_time(d.site, drill.ends_us),
        "minute": wording.local_time(d.site, d.now.wall_us),
        "by": drill.by,
    }
