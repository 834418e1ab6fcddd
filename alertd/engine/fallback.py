"""The fixed fallback: a press that the engine cannot handle still pages its site, in plain words, to everyone.

What only a sensor says never does (req 70): a shot goes to those whom its policy names, on duty or not, and anything
else to nobody. An exercise stays one: it is marked, and goes to those who were told of it. Must never raise and must
not depend on the parts of the engine that may have failed: no lifecycle, no escalation, no calendar.
"""

from msgspec import Struct
from msgspec.json import encode
from msgspec.structs import replace

from alertd.engine import wording
from alertd.engine.audience import people_of, though_off_duty
from alertd.engine.draft import BELIEVED_US
from alertd.engine.fixed_policy import FIXED_POLICY
from alertd.engine.presses import DUPLICATE_S
from alertd.model.anchor import Now
from alertd.model.decision import Confirmation, Decision, Entry, EntryKind, Facts, FeedbackState, SiteState, Withdrawal
from alertd.model.drill import Drill, DrillState
from alertd.model.events import Event, OutcomeReported, Overheard, Pressed, TimerFired
from alertd.model.ids import CauseId, DeviceId, DrillId, NotificationId, PolicyId, derive
from alertd.model.incident import VERIFY_FIRST, EscalationState, Incident, IncidentClass, Told, is_panic
from alertd.model.mode import Mode
from alertd.model.notification import (
    Kind,
    Lane,
    Notification,
    NotificationChange,
    NotificationRow,
    NotificationState,
)
from alertd.model.outcome import Accepted, Delivered, Sent
from alertd.model.page import Page as Announced
from alertd.model.page import PageAction
from alertd.model.people import Endpoint, Person, PersonKind
from alertd.model.policy import TargetKind
from alertd.model.reason import Reason
from alertd.model.site import Device, DeviceKind
from alertd.model.timer import Timer, TimerKind

ERROR_LETTERS = 300
PAGE_AGAIN_S = 120
"""An escalation that the engine can no longer follow calls again this often."""
UNFOLLOWED = (
    "{headlines}: alertd can no longer call others by itself. Go and look now, call 911 if in doubt. "
    "Reply 4{token} going."
)
UNFOLLOWED_SHOT = (
    "{headlines}: alertd can no longer ask others by itself. Listen from cover. "
    "Reply 4{token} going, 9{token} to lock down."
)
UNFOLLOWED_DRILL = (
    "{headlines}: alertd can no longer call others by itself. Reply 4{token} going. Real emergency: call 911."
)
HEARD = (
    "{site} {where}: {what} {time}, {who}, no press. alertd could not work out more. Listen from cover, "
    "press for help or call 911 if in doubt."
)
_CALLING = (TimerKind.STEP, TimerKind.WIDEN, TimerKind.CANCEL_WINDOW)
_LOOKING = (EscalationState.RUNNING, EscalationState.EXHAUSTED)


def page(state: SiteState, facts: Facts, event: Event, now: Now, error: str) -> Decision:
    """For a press, and for a timer that an escalation hangs on: text everyone on the site's staff, each by the first
    endpoint; for a sensor's shot, those whom its policy names; in a drill, those who were told of it. For anything
    else, a state's end and a broker's memory too: evidence only; the caller raises the trouble."""
    may_come = isinstance(event, Overheard) or getattr(event, "retained", False)  # its site, or the queue, may bring it
    cause = None if may_come else getattr(event, "cause", None)
    entry = Entry(
        kind=EntryKind.INTAKE,
        reason=Reason.POISON,
        text=f"the engine could not handle {type(event).__name__}: {error[:ERROR_LETTERS]}",
    )
    if isinstance(event, OutcomeReported):
        return Decision(changes=(_settled(event),), entries=(entry,))
    if isinstance(event, TimerFired):
        return _unfollowed(state, facts, event.timer, now, entry)
    if not isinstance(event, Pressed) or event.retained or event.signal.ends:
        return Decision(cause=cause, entries=(entry,))
    seen = Decision(
        cause=CauseId(event.cause),
        confirmations=(Confirmation(device_id=event.signal.device_id, state=FeedbackState.RECEIVED),),
        entries=(entry,),
    )
    if _is_copy(facts, event, now):
        known = Entry(kind=EntryKind.PRESS, reason=Reason.DUPLICATE, text=f"{event.signal.device_id}: known already")
        return replace(seen, cause=None, entries=(entry, known))
    device = facts.registry.devices.get(event.signal.device_id)
    if device is not None and device.kind is DeviceKind.SENSOR:
        return replace(seen, notifications=_heard(state, facts, event, device, now))
    believed = _stopped(state, now) or _overtaken(_believed(state, now))
    params = _params(state, facts, event, now)
    mark = "" if believed is None else wording.REAL  # nobody can say that it belonged to it: it is real
    message = Page(
        text=wording.marked(FIXED_POLICY.templates["fallback"], params, wording.SEGMENT, before=mark),
        occasion=_occasion(facts, event),
        ends_drill=None if believed is None else believed.id,
    )
    told = _rows(state, now, _with_believers(facts, believed, _everybody(state, facts)), message)
    return replace(
        seen,
        drill=believed,
        withdrawals=() if believed is None else (_NO_MORE_DRILL,),
        recall=believed is not None,
        notifications=told if state.drill is None else (*told, *_hushed(state, facts, event, now)),
    )


def _is_copy(facts: Facts, event: Pressed, now: Now) -> bool:
    """Its site has been paged for it, or the engine has handled it: it comes again, or was kept by the broker."""
    same_us = (event.signal.same_s or DUPLICATE_S) * 1_000_000
    return facts.seen_us is not None and abs(now.wall_us - facts.seen_us) <= same_us


def _occasion(facts: Facts, event: Pressed) -> str:
    """What makes its messages its own: a device may use the number of a press again, long after."""
    return event.cause if facts.seen_us is None else f"{event.cause}/{event.received_us}"


def _heard(state: SiteState, facts: Facts, event: Pressed, device: Device, now: Now) -> tuple[NotificationRow, ...]:
    """One sensor ends no drill, and goes before no press."""
    signal = event.signal
    named = device.gestures.actions.get(signal.action)
    if named not in VERIFY_FIRST or signal.reading is not None:
        return ()
    params = _params(state, facts, event, now) | {"what": wording.WHAT[IncidentClass(named)]}
    text = wording.marked(HEARD, params, wording.SEGMENT, before=_still_real(state, now))
    people = _named(state, facts, IncidentClass(named), now)
    return _rows(state, now, people, Page(text=text, occasion=_occasion(facts, event), lane=Lane.NEXT))


def _named(state: SiteState, facts: Facts, incident_class: IncidentClass, now: Now) -> tuple[Person, ...]:
    """Whom the policy of what a sensor says names, on duty or not: never everybody."""
    registry = facts.registry
    site = registry.sites.get(state.site_id)
    policy = None if site is None else registry.policies.get(site.policies.get(incident_class, PolicyId("")))
    steps = () if policy is None else policy.steps
    ever = (t for step in steps for target in step.targets for t in though_off_duty(registry, target))
    few = tuple(t for t in ever if t.kind in (TargetKind.PERSON, TargetKind.GROUP))
    return tuple(each.person for each in people_of(registry, state.site_id, few, now.wall_us))


_NO_MORE_DRILL = Withdrawal(incident_id=None, reason=Reason.DRILL_IS_REAL, mode=Mode.DRILL)


def _stopped(state: SiteState, now: Now) -> Drill | None:
    """Who was called in it believes until a call says that this is real: nobody hears a text on the phone."""
    drill = state.drill
    if drill is None:
        return None
    return replace(
        drill,
        state=DrillState.ENDED,
        told=drill.told_with(i for id_ in drill.incident_ids if (i := state.incidents.get(id_)) is not None),
        ended_us=now.wall_us,
        ended_by="a press that alertd could not handle",
        ended_because=Reason.DRILL_IS_REAL,
        before=_overtaken(drill.before),
    )


def _overtaken(over: Drill | None) -> Drill | None:
    """Nobody hears any more that these are over: the press would look like their last act."""
    return None if over is None else replace(over, overtaken=True, before=_overtaken(over.before))


def _with_believers(facts: Facts, believed: Drill | None, people: tuple[Person, ...]) -> tuple[Person, ...]:
    """Whoever was told of the drill, too, from wherever they are: who began it for a school may not be of its staff."""
    unaware = () if believed is None else (t for drill in believed.line() for t in drill.told if not t.knows)
    told = (facts.registry.people.get(t.person_id) for t in unaware)
    return tuple({person.id: person for person in (*people, *told) if person is not None}.values())


def _hushed(state: SiteState, facts: Facts, event: Pressed, now: Now) -> tuple[NotificationRow, ...]:
    """Whatever the loudspeakers say of the drill, they stop."""
    site = facts.registry.sites.get(state.site_id)
    named = {} if site is None else {e.key: (f"loudspeakers {name}", e) for name, e in site.loudspeakers.items()}
    stop = encode(Announced(action=PageAction.STOP, mode=Mode.DRILL, emergency=True)).decode()
    message = Page(text="", body=stop, kind=Kind.PAGE, occasion=_occasion(facts, event))
    return tuple(_row(state, now, name, endpoint, message) for name, endpoint in named.values())


def _believed(state: SiteState, now: Now) -> Drill | None:
    """The drill that runs, or that was over within the hour and not everybody knows it."""
    over = state.drill_over
    if state.drill is not None or over is None or over.ended_us is None:
        return state.drill
    unaware = not all(told.knows for drill in over.line() for told in drill.told)
    return over if unaware and abs(now.wall_us - over.ended_us) <= BELIEVED_US else None


def _still_real(state: SiteState, now: Now) -> str:
    """The mark of what is no drill, where somebody may believe in one."""
    return "" if _believed(state, now) is None else wording.REAL_SHORT


def _unfollowed(state: SiteState, facts: Facts, timer: Timer, now: Now, entry: Entry) -> Decision:
    """Nobody would be called any more: people are, every two minutes, until somebody answers or ends it."""
    incident = state.incidents.get(timer.incident_id) if timer.incident_id else None
    if incident is None or incident.escalation not in _LOOKING or timer.kind not in _CALLING:
        return Decision(entries=(entry,))
    mark, after = _still_real(state, now), ""
    if incident.mode is Mode.DRILL:
        template, people, lane = UNFOLLOWED_DRILL, _drilled(state, facts, incident), Lane.DRILL
        mark = after = wording.DRILL
    elif is_panic(incident.incident_class):
        template, people, lane = UNFOLLOWED, _everybody(state, facts), Lane.PANIC
    elif incident.incident_class in VERIFY_FIRST:
        people = _named(state, facts, incident.incident_class, now)
        template, lane = UNFOLLOWED_SHOT, Lane.NEXT
    else:
        return Decision(entries=(entry,))
    params = {"headlines": incident.headline, "token": incident.token}
    text = wording.marked(template, params, wording.SEGMENT, before=mark, after=after)
    message = Page(text=text, occasion=f"{timer.id}/{now.boot_us}", incident=incident, lane=lane)
    return Decision(
        incidents=(replace(incident, told=(*incident.told, *_asked(incident, people))),),
        notifications=_rows(state, now, people, message),
        timers=(replace(timer, delay_s=PAGE_AGAIN_S),),
        entries=(entry,),
    )


def _asked(incident: Incident, people: tuple[Person, ...]) -> tuple[Told, ...]:
    """Those who were told of nothing before, and are asked to go now: they hear how it goes on, and how it ends."""
    before = {told.endpoint_key for told in incident.told}
    asked = {each.endpoints[0].key: each.id for each in people if each.endpoints}
    return tuple(Told(endpoint_key=k, person_id=p, words="responder") for k, p in asked.items() if k not in before)


def _drilled(state: SiteState, facts: Facts, incident: Incident) -> tuple[Person, ...]:
    """Those who were told of the drill, who will be told of its end: nobody, if it is over."""
    if state.drill is None:
        return ()
    heard = dict.fromkeys((*(t.person_id for t in state.drill.told), *(t.person_id for t in incident.told)))
    people = (facts.registry.people.get(person_id) for person_id in heard)
    return tuple(person for person in people if person is not None)


def _everybody(state: SiteState, facts: Facts) -> tuple[Person, ...]:
    adults = (p for p in facts.registry.people.values() if p.kind in (PersonKind.STAFF, PersonKind.RESPONDER))
    return facts.registry.site_staff.get(state.site_id) or tuple(adults)


def _settled(event: OutcomeReported) -> NotificationChange:
    """The outcome at its word, with no second try: left claimed, the row would bring the same event for ever."""
    state = _SETTLED.get(type(event.outcome), NotificationState.FAILED)
    detail = "alertd could not work out what follows from this outcome"
    return NotificationChange(id=event.notification_id, state=state, reason=Reason.POISON, detail=detail)


_SETTLED: dict[type, NotificationState] = {
    Accepted: NotificationState.ACCEPTED,
    Sent: NotificationState.SENT,
    Delivered: NotificationState.DELIVERED,
}


def _params(state: SiteState, facts: Facts, event: Pressed, now: Now) -> dict[str, str]:
    site = facts.registry.sites.get(state.site_id)
    device = facts.registry.devices.get(event.signal.device_id)
    return {
        "site": site.short if site else str(state.site_id),
        "where": _where(facts, event, device),
        "time": wording.local_time(site, now.wall_us) if site else wording.utc_iso(now.wall_us),
        "who": (device.label if device else "") or event.signal.device_id,
    }


def _where(facts: Facts, event: Pressed, device: Device | None) -> str:
    """Of a wearable where its gateway hangs, as `places` has it, in fewer words: never its home."""
    zones, gateway = facts.registry.zones, facts.registry.devices.get(event.signal.heard_by or DeviceId(""))
    zone = zones.get(device.zone_id) if device and device.zone_id else None
    near = zones.get(gateway.zone_id) if gateway and gateway.zone_id else None
    if zone is not None or near is None or near.site_id != event.site_id:
        return zone.label if zone else "place UNKNOWN"
    doubtful = event.unsure or event.heard_us is not None or event.oldest_us < event.received_us
    return f"{'MAYBE NEAR' if doubtful else 'NEAR'} {near.short}"


class Page(Struct, frozen=True, kw_only=True):
    """What is texted to each, or asked of the loudspeakers."""

    text: str
    body: str = ""
    kind: Kind = Kind.ALERT
    occasion: str
    incident: Incident | None = None
    ends_drill: DrillId | None = None
    lane: Lane = Lane.PANIC


def _rows(state: SiteState, now: Now, people: tuple[Person, ...], message: Page) -> tuple[NotificationRow, ...]:
    return tuple(_row(state, now, each.name, each.endpoints[0], message) for each in people if each.endpoints)


def _row(state: SiteState, now: Now, recipient: str, endpoint: Endpoint, message: Page) -> NotificationRow:
    incident = message.incident
    notification = Notification(
        id=NotificationId(derive("n", "fallback", message.occasion, endpoint.key)),
        site_id=state.site_id,
        mode=incident.mode if incident else Mode.LIVE,
        kind=message.kind,
        lane=message.lane,
        endpoint=endpoint,
        reason=Reason.FALLBACK,
        created_us=now.wall_us,
        expires_us=now.wall_us + 300 * 1_000_000,
        expires_boot_us=now.boot_us + 300 * 1_000_000,
        boot_id=now.boot_id,
        resend_unknown=True,
        incident_id=incident.id if incident else None,
        recipient=recipient,
        template="fallback",
        text=message.text,
        body=message.body,
        ends_drill=message.ends_drill,
    )
    return NotificationRow(notification=notification, state=NotificationState.QUEUED, reason=Reason.FALLBACK)
