"""A press: counted, merged or opened, told. A first panic goes out whatever else is going on (promise 2)."""

from msgspec.structs import replace

from alertd.engine import (
    announcing,
    calls,
    device_tests,
    dispatch_centers,
    drills,
    escalation,
    gestures,
    levels,
    places,
    troubles,
    wording,
)
from alertd.engine.audience import destinations_of
from alertd.engine.draft import Draft
from alertd.engine.lifecycle import Move
from alertd.engine.telling import Call, Message, tell_told
from alertd.model.anchor import anchor
from alertd.model.decision import Activation, EntryKind, FeedbackState
from alertd.model.events import Pressed
from alertd.model.ids import IncidentId, PersonId, derive
from alertd.model.incident import (
    SEVERITY,
    VERIFY_FIRST,
    EscalationState,
    Incident,
    IncidentClass,
    IncidentState,
    Press,
    Told,
    is_panic,
)
from alertd.model.mode import Mode
from alertd.model.notification import Kind
from alertd.model.reason import Reason
from alertd.model.site import Device, DeviceKind
from alertd.model.timer import TimerKind

LATE_S = 120
"""A press that may be older than this is *late*: responders hear it at once, the PA and dispatch after a human."""
DUPLICATE_S = 3600
"""The same cause within this time is the same press. Later it is a counter that started again: a press of its own."""
AGAIN_S = 60
"""A device that was silent this long and is pressed again, while nobody is looked for any more, is news. Devices that
repeat a level ("still in panic") do so more often."""
ENDED_S = 10
"""The same, once a human said that it was a mistake, or is over: they did not know of this press. What is shorter is
the echo of the gesture that they spoke of."""
TAMPER = "tamper"
"""What a device says of itself, whether or not its gestures know it: then it is supervised by a trouble."""
APART = frozenset({IncidentClass.MEDICAL, IncidentClass.FIRE})
"""Needs other people than a threat does: neither becomes, nor is swallowed by, an incident of another class."""


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
    d.cause = event.cause
    if event.signal.ends:
        _ended(d, event, device)
        return
    if (activation := levels.known(d, event, device)) is not None:
        _still_on(d, event, device, activation)
        return
    _judge_clock(d, event, device)
    is_said_again = levels.said_before(d, event, device) is not None
    gesture = gestures.counted(d, event, device, doubtful=is_said_again)
    _confirm(d, event, device)
    called_for, mode = gesture.incident_class, Mode.LIVE
    if called_for is not None and device_tests.takes(d, event, device, called_for, gesture.began_us):
        called_for = None
    elif called_for is not None:
        mode = _raise(d, event, device, called_for, gesture)
    else:
        _not_yet(d, event, device, gesture)
    levels.begins(d, event, device, called_for, mode)
    if called_for is not None:
        troubles.clear(d, f"still_on:{device.id}")  # this press has been told from the one before


def _confirm(d: Draft, event: Pressed, device: Device) -> None:
    """The device may show that it was heard (req 7); never that somebody typed a code under threat."""
    if device.gestures.actions.get(event.signal.action) != IncidentClass.POLICE_DURESS:
        d.confirm(device.id, FeedbackState.RECEIVED)


def _is_copy(d: Draft, event: Pressed) -> bool:
    seen_us = d.facts.seen_us
    same_s = event.signal.same_s or DUPLICATE_S
    return seen_us is not None and abs(d.now.wall_us - seen_us) <= same_s * 1_000_000


def _judge_clock(d: Draft, event: Pressed, device: Device) -> None:
    """A press that comes straight from the broker and calls itself old: the device's clock is slow, or it could not be
    heard. Either way dispatch waits for a human, each time, and nobody would know why."""
    late_us = event.received_us - event.oldest_us
    if event.backlog or late_us <= LATE_S * 1_000_000:
        return
    summary = (
        f"{_name(device)} says it was pressed {late_us // 60_000_000} min before it was heard. If not, set its clock: "
        "dispatch waits for a human when a press is late."
    )
    troubles.raise_(d, f"device_clock:{device.id}", summary)


def _name(device: Device) -> str:
    return device.label or device.id


def _retained(d: Draft, event: Pressed, device: Device) -> None:
    """A broker's memory, not a press: it never pages by itself (req 41), but an unseen one may hide a press. So may how
    a device stands when it is first heard of."""
    word, name, standing = event.signal.action, _name(device), event.signal.standing
    words = f"{name} is at {word!r}, and nobody heard since when" if standing else f"{name}: a retained message"
    d.entry(EntryKind.PRESS, Reason.RETAINED, words, device=device.id)
    if event.signal.ends or levels.known(d, event, device) is not None:
        return  # it says nothing of now, and hides no press
    if standing and _gravest_of(d, device) is not None:
        return  # it was heard, and people are called
    left = f"{words}." if standing else f"{name} left a stored {word!r} at the broker."
    troubles.raise_(d, f"retained:{device.id}", f"{left} Was it pressed? Look, then clear it.", rings=True)


def _ended(d: Draft, event: Pressed, device: Device) -> None:
    """The device itself says that it no longer calls. Whoever was called decides what that means: it may be forced."""
    over, later = levels.end(d, event, device)
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
        _reset_it(d, event, device, activation, was_silent=was_silent, rings=was_silent or may_call)
        return
    press = press_of(d, event, device, incident.incident_class, 1)
    mine = [p for p in incident.presses if p.device_id == device.id]
    known = next((p for p in reversed(mine) if p.location.zone_id == press.location.zone_id), None)
    if known is None and press.location.zone_id is not None:
        _news(d, incident, press)
        return
    newer = replace(known or mine[-1], last_us=press.received_us)
    newer = replace(newer, location=press.location) if known is not None else newer
    presses = tuple(newer if p is (known or mine[-1]) else p for p in incident.presses)
    incident = d.put(replace(incident, presses=presses))
    d.entry(EntryKind.PRESS, Reason.STILL_ON, words, incident=incident, device=device.id)
    if not press.late:
        _ease_the_hold(d, incident, press)


def _reset_it(
    d: Draft, event: Pressed, device: Device, activation: Activation, *, was_silent: bool, rings: bool
) -> None:
    """Nobody is looked for, and it still says so: a new press of it may be taken for the old one. `rings`: somebody has
    to look now."""
    since, members = wording.local_time(d.site, activation.since_us), tuple[str, ...]()
    rings = rings or activation.mode is Mode.DRILL
    if activation.numbered:
        if not was_silent:
            return  # its next press has another number, unless it began to count anew
        why, members = f"with the number of {since}, after a long silence. Was it pressed? Look.", (event.cause,)
    elif not activation.called:
        return
    elif activation.mode is Mode.DRILL:
        why = f"since the drill at {since}: reset it, until then no press of it is heard."
    else:
        why = f"since {since}: reset it, for until then a new press of it cannot be told from the old one."
    summary = f"{_name(device)} still says {event.signal.action!r}, {why}"
    troubles.raise_(d, f"still_on:{device.id}", summary, rings=rings, members=members)


def _gravest_of(d: Draft, device: Device) -> Incident | None:
    """The gravest open panic that the device has pressed for."""
    mine = (i for i in d.state.open_of_device(device.id) if is_panic(i.incident_class))
    return max(mine, key=lambda i: SEVERITY[i.incident_class], default=None)


def _not_yet(d: Draft, event: Pressed, device: Device, gesture: gestures.Gesture) -> None:
    reason = gesture.reason or Reason.BELOW_GESTURE
    d.entry(EntryKind.PRESS, reason, f"{_name(device)}: {event.signal.action}, {gesture.count}", device=device.id)
    if reason is Reason.UNMAPPED_ACTION and event.signal.action == TAMPER:
        summary = f"{_name(device)} is opened, moved or taken down, it says. Look at it, then press it."
        troubles.raise_(d, f"{TAMPER}:{device.id}", summary)
    elif reason is Reason.UNMAPPED_ACTION:
        troubles.raise_(
            d,
            f"unmapped:{device.id}:{event.signal.action}"[:120],
            f"{_name(device)} says {event.signal.action[:40]!r}, which its gestures do not know. Was it a press?",
        )


def _raise(d: Draft, event: Pressed, device: Device, incident_class: IncidentClass, gesture: gestures.Gesture) -> Mode:
    press = press_of(d, event, device, incident_class, gesture.count)
    mode = drills.mode_of(d, event, device, _as_drilled(event, incident_class, gesture))
    merge_key = merge_key_of(incident_class, press)
    of_device = _open_of_device(d, device, incident_class, mode)
    merging = of_mode(d.state.open_by_merge_key(merge_key), mode)
    text = f"{wording.press_words(press)}: {incident_class}"
    incident = merging or of_device
    if merging is not None:
        merge(d, merging, press)
    elif of_device is not None and SEVERITY[of_device.incident_class] >= SEVERITY[incident_class]:
        d.entry(EntryKind.PRESS, Reason.MERGED_REPEAT, text, incident=of_device, device=device.id)
        merge(d, of_device, press)
    elif of_device is not None:
        d.entry(EntryKind.PRESS, Reason.UPGRADED, text, incident=of_device, device=device.id)
        upgrade(d, of_device, incident_class, press)
    else:
        incident = open_(d, incident_class, press, mode, cause=event.cause)
        d.entry(EntryKind.PRESS, Reason.FIRST_WAVE, text, incident=incident, device=device.id)
    assert incident is not None, "every press that pages has an incident"
    drills.say_it_is_real(d, incident)
    return mode


def _as_drilled(event: Pressed, incident_class: IncidentClass, gesture: gestures.Gesture) -> drills.Gesture:
    return drills.Gesture(
        incident_class=incident_class,
        count=gesture.count,
        at_us=event.signal.pressed_us or event.received_us,
        began_before_us=gesture.continues_us,
        timeless=event.backlog and event.signal.pressed_us is None,
    )


def of_mode(incident: Incident | None, mode: Mode) -> Incident | None:
    """An incident that a press of this mode may change: what is real never becomes part of a drill, nor the reverse."""
    return incident if incident is not None and incident.mode is mode else None


def _open_of_device(d: Draft, device: Device, incident_class: IncidentClass, mode: Mode) -> Incident | None:
    """The open panic that this device has pressed for, the gravest first: its presses raise that one, or repeat it."""
    if not is_panic(incident_class):
        return None
    mine = [i for i in d.state.open_of_device(device.id) if is_panic(i.incident_class) and i.mode is mode]
    kin = [i for i in mine if same_cry(i.incident_class, incident_class)]
    return max(kin, key=lambda i: SEVERITY[i.incident_class], default=None)


def same_cry(one: IncidentClass, other: IncidentClass) -> bool:
    """May the one be more, or less, of the other?"""
    return one is other or not {one, other} & APART


def merge_key_of(incident_class: IncidentClass, press: Press) -> str:
    """Lockdown merges per site, and so does a shot, which several sensors hear; all else per class and place. A
    wearable without a place stands for itself."""
    if incident_class is IncidentClass.LOCKDOWN or incident_class in VERIFY_FIRST:
        return str(incident_class)
    return f"{incident_class}:{press.location.zone_id or press.device_id}"


def press_of(d: Draft, event: Pressed, device: Device, incident_class: IncidentClass, count: int) -> Press:
    """What the incident will remember of it."""
    late = event.received_us - event.oldest_us > LATE_S * 1_000_000
    return Press(
        id=event.cause,
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
        known_us=d.now.wall_us,
        by_sensor=device.kind is DeviceKind.SENSOR,
    )


# --- opening --------------------------------------------------------------------------------------------------------


def open_(
    d: Draft, incident_class: IncidentClass, press: Press, mode: Mode, *, cause: str, call: Call | None = None
) -> Incident:
    """Open an incident and begin its policy. `call`: in other words than those of any alert."""
    content_hash, policy = d.policy_now(incident_class)
    d.freeze(content_hash, policy)
    again = () if d.facts.seen_us is None else (press.received_us,)
    incident = d.put(
        Incident(
            id=IncidentId(derive("i", d.state.site_id, cause, *again)),
            site_id=d.state.site_id,
            incident_class=incident_class,
            mode=mode,
            merge_key=merge_key_of(incident_class, press),
            headline=wording.headline(d.site, incident_class, press, mode),
            token=d.take_token(),
            policy_hash=content_hash,
            state=IncidentState.ACTIVE,
            escalation=EscalationState.RUNNING,
            opened_us=press.received_us,
            presses=(press,),
            dispatch_hold=_dispatch_hold(d, press),
            anchor=anchor(d.now),
        )
    )
    incident = drills.opened(d, incident)
    d.entry(EntryKind.INCIDENT, Reason.OPENED, f"{incident.headline} opened", incident=incident)
    if incident_class is IncidentClass.STAFF_ASSIST and policy.cancel_window_s > 0 and not press.late:
        d.entry(EntryKind.ESCALATION, Reason.CANCEL_WINDOW, f"{policy.cancel_window_s} s to cancel", incident=incident)
        d.timer(TimerKind.CANCEL_WINDOW, policy.cancel_window_s, incident)
        return d.put(replace(incident, state=IncidentState.CANCEL_WINDOW))
    return go(d, incident, call)


def go(d: Draft, incident: Incident, call: Call | None = None) -> Incident:
    """Tell the first step; a late press says between when and when it was made."""
    _time_the_hold(d, incident)
    call = call or escalation.call_for(d, incident.presses[0], "alert", Reason.FIRST_WAVE)
    return escalation.begin(d, incident, 0, call)


def _dispatch_hold(d: Draft, press: Press) -> Reason | None:
    if press.late:
        return Reason.LATE_HOLD
    return None if d.site.rules.confirm_before_dispatch == "off" else Reason.CONFIRM_HOLD


def _time_the_hold(d: Draft, incident: Incident) -> None:
    """Whatever dispatch waits for, it does not wait for ever (req 15)."""
    if incident.dispatch_hold is Reason.LATE_HOLD:
        d.timer(TimerKind.LATE_CONFIRM, d.policy(incident).late_confirm_s, incident)
    elif incident.dispatch_hold is Reason.CONFIRM_HOLD:
        d.timer(TimerKind.LATE_CONFIRM, d.site.rules.confirm_timeout_s, incident, number=1)


def _ease_the_hold(d: Draft, incident: Incident, press: Press) -> Incident:
    """A press of now does not wait for what held a late one; where the site confirms first, it has its time."""
    if incident.dispatch_hold is not Reason.LATE_HOLD or press.late:
        return incident
    hold = _dispatch_hold(d, press)
    if hold is None:
        return release_dispatch(d, incident, Reason.CONFIRMED)
    incident = d.put(replace(incident, dispatch_hold=hold))
    _time_the_hold(d, incident)
    return announcing.catch_up(d, incident, Reason.CONFIRMED)


# --- merging --------------------------------------------------------------------------------------------------------


def merge(d: Draft, incident: Incident, press: Press) -> Incident:
    """A press of an incident that is open: news from a place or device not yet told, else one more of the same."""
    mine = [p for p in incident.presses if p.device_id == press.device_id]
    known = next((p for p in reversed(mine) if p.location.zone_id == press.location.zone_id), None)
    if known is None or _cries_again(incident, known, press):
        return _news(d, incident, press)
    return _repeat(d, incident, known, press)


def _cries_again(incident: Incident, known: Press, press: Press) -> bool:
    """Nobody is being looked for any more, and after a silence the device is pressed again: that is news. So is a
    press from before the last one: the clock was set back, and nobody knows how long the silence was."""
    looking = incident.escalation in (EscalationState.RUNNING, EscalationState.EXHAUSTED)
    echo_s = ENDED_S if incident.escalation is EscalationState.STOPPED else AGAIN_S
    return not looking and not 0 <= press.received_us - known.last_us <= echo_s * 1_000_000


def _repeat(d: Draft, incident: Incident, known: Press, press: Press) -> Incident:
    count = max(known.count + 1, press.count)
    newer = replace(
        known,
        count=count,
        late=known.late and press.late,
        last_us=press.received_us,
        location=press.location,  # the same place, heard later
    )
    presses = tuple(newer if p is known else p for p in incident.presses)
    incident = d.put(replace(incident, presses=presses))
    text = f"{wording.press_words(newer)} again"
    d.entry(EntryKind.PRESS, Reason.MERGED_REPEAT, text, incident=incident, device=press.device_id)
    if incident.state is IncidentState.CANCEL_WINDOW:
        return go(d, d.live(incident, Move.PRESS))
    incident = dispatch_centers.tell_change(d, d.live(incident, Move.PRESS), Reason.MERGED_REPEAT)
    return _ease_the_hold(d, incident, press)


def _news(d: Draft, incident: Incident, press: Press) -> Incident:
    """Somewhere else, too: everyone told, dispatch at once, and no earlier answer covers it."""
    waiting = incident.state is IncidentState.CANCEL_WINDOW
    stopped = incident.escalation is EscalationState.STOPPED
    released = () if stopped else incident.released
    incident = d.put(replace(incident, presses=(*incident.presses, press), correction=None, released=released))
    text = wording.press_words(press)
    d.entry(EntryKind.PRESS, Reason.NEWS, f"{text} ALSO pressed", incident=incident, device=press.device_id)
    calls.hush_presser(d, incident, press)
    incident = d.live(incident, Move.NEWS)
    if waiting:
        return go(d, incident)
    paused = incident.escalation in (EscalationState.PAUSED, EscalationState.STOPPED)
    incident = d.escalate(incident, Move.NEWS)
    tell_told(
        d,
        incident,
        Message(kind=Kind.ALSO, template="also", reason=Reason.NEWS, occasion=f"also/{press.id}"),
    )
    incident = escalation.tell_newcomers(d, incident, press)
    incident = dispatch_centers.tell_press(d, incident, anew=stopped)
    incident = announcing.on_news(d, incident, anew=stopped)
    if stopped:
        _time_the_hold(d, incident)
    incident = _ease_the_hold(d, incident, press)
    return escalation.restart(d, incident, Reason.NEWS) if paused else incident


def upgrade(d: Draft, incident: Incident, incident_class: IncidentClass, press: Press) -> Incident:
    """Severity only goes up: the same incident under the graver policy, from its first step. Everyone is told anew."""
    content_hash, policy = d.policy_now(incident_class)
    d.freeze(content_hash, policy)
    waiting = incident.state is IncidentState.CANCEL_WINDOW
    presses = _raised(incident, incident_class, press)
    previously = incident.told
    incident = d.put(
        replace(
            incident,
            incident_class=incident_class,
            merge_key=merge_key_of(incident_class, press),
            headline=wording.headline(d.site, incident_class, presses[0], incident.mode),
            policy_hash=content_hash,
            presses=presses,
            generation=incident.generation + 1,
            upgraded_us=d.now.wall_us,
            upgrades=incident.upgrades + 1,
            counted_from=len(incident.answers),
            told=(),
            step=0,
            round=0,
            state=IncidentState.ACTIVE,
            escalation=EscalationState.RUNNING,
        )
    )
    d.entry(EntryKind.INCIDENT, Reason.UPGRADED, f"now {incident_class}", incident=incident)
    incident = announcing.on_upgrade(d, incident)
    if waiting:
        _time_the_hold(d, incident)
    incident = dispatch_centers.tell_change(d, incident, Reason.UPGRADED, at_once=True)
    incident = _ease_the_hold(d, incident, press)
    call = escalation.call_for(d, press, "upgrade", Reason.UPGRADED)
    incident = escalation.begin(d, incident, 0, call)
    told_now = {t.endpoint_key for t in incident.told}
    left_out = tuple(t for t in previously if t.endpoint_key not in told_now and not by_notice_only(d, incident, t))
    tell_told(
        d,
        incident,
        Message(
            kind=Kind.ALERT,
            template=call.template,
            reason=Reason.UPGRADED,
            occasion=f"upgrade/{incident.generation}",
            extra=call.extra,
        ),
        among=left_out,
    )
    return d.put(replace(incident, told=(*incident.told, *left_out)))


def by_notice_only(d: Draft, incident: Incident, before: Told) -> bool:
    """Told before over the sender of notices, and now, since it is a panic, over that of presses: once is enough."""
    rules = d.facts.registry.channels.get(before.endpoint_key.partition(":")[0])
    again = any(t.person_id == before.person_id for t in incident.told)
    return rules is not None and rules.notices and again


def _raised(incident: Incident, incident_class: IncidentClass, press: Press) -> tuple[Press, ...]:
    """The presses once the device pressed for something graver: where it was then comes first if it has moved."""
    zone_id = press.location.zone_id
    mine = [p for p in incident.presses if p.device_id == press.device_id]
    first = next((p for p in mine if zone_id is None or p.location.zone_id == zone_id), None)
    if first is None:
        return (press, *incident.presses)
    raised = replace(
        first,
        count=max(first.count, press.count),
        incident_class=incident_class,
        location=first.location if zone_id is None else press.location,
        late=first.late and press.late,
        last_us=press.received_us,
        by_sensor=first.by_sensor and press.by_sensor,
    )
    return tuple(raised if p is first else p for p in incident.presses)


def release_dispatch(d: Draft, incident: Incident, reason: Reason) -> Incident:
    """Dispatch, and after a late press the loudspeakers, waited for a human, or for the site's timeout: silence is no
    veto (req 15). But somebody who said that it was a mistake, or is over, before dispatch was told was not silent."""
    if incident.dispatch_hold is None or incident.state is IncidentState.RELEASING:
        return incident
    incident = d.put(replace(incident, dispatch_hold=None))
    policy = d.policy(incident)
    registry = d.facts.registry
    for step in policy.steps[: incident.step + 1]:
        machines = destinations_of(registry, incident.site_id, step)
        incident = dispatch_centers.tell_new(d, incident, machines, reason)
    return announcing.catch_up(d, incident, reason)


def on_cancel_window(d: Draft, incident: Incident) -> None:
    """Nobody cancelled: it goes out."""
    if incident.state is not IncidentState.CANCEL_WINDOW:
        d.entry(EntryKind.ESCALATION, Reason.STALE_TIMER, "the cancel window is over", incident=incident)
        return
    go(d, d.live(incident, Move.CANCEL_WINDOW_ENDED))


def on_late_confirm(d: Draft, incident: Incident) -> None:
    """Nobody confirmed, nobody objected."""
    if incident.dispatch_hold is None or incident.state is IncidentState.RELEASING:
        d.entry(EntryKind.ESCALATION, Reason.STALE_TIMER, "dispatch no longer waits", incident=incident)
        return
    late = incident.dispatch_hold is Reason.LATE_HOLD
    release_dispatch(d, incident, Reason.LATE_TIMED_OUT if late else Reason.CONFIRM_TIMED_OUT)
