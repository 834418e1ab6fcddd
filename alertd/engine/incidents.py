"""What an incident becomes by a press: opened, joined, told anew, raised to something graver.

Owns which presses belong together, what is news and what a mere repeat, and who hears of either. What counts as a press
is decided before (`presses`, `sensors`, `answers`); why dispatch waits, `dispatch_hold` owns. Must never: make what is
real part of a drill, nor the reverse, and never make an incident less grave.
"""

from msgspec.structs import replace

from alertd.engine import announcing, calls, dispatch_centers, drills, escalation, wording
from alertd.engine.dispatch_hold import ease_the_hold, hold_for, time_the_hold
from alertd.engine.draft import Draft
from alertd.engine.lifecycle import Move
from alertd.engine.telling import RESPONDERS, Call, Message, tell_told
from alertd.model.anchor import anchor
from alertd.model.decision import EntryKind
from alertd.model.ids import IncidentId, derive
from alertd.model.incident import (
    SEVERITY,
    VERIFY_FIRST,
    DispatchState,
    EscalationState,
    Incident,
    IncidentClass,
    IncidentState,
    Press,
    Told,
)
from alertd.model.mode import Mode
from alertd.model.notification import Kind
from alertd.model.reason import Reason
from alertd.model.timer import TimerKind

AGAIN_S = 60
"""A device that was silent this long and is pressed again, while nobody is looked for any more, is news. Devices that
repeat a level ("still in panic") do so more often."""
ENDED_S = 10
"""The same, once a human said that it was a mistake, or is over: they did not know of this press. What is shorter is
the echo of the gesture that they spoke of."""
APART = frozenset({IncidentClass.MEDICAL, IncidentClass.FIRE})
"""Needs other people than a threat does: neither becomes, nor is swallowed by, an incident of another class."""


def merge_key_of(incident_class: IncidentClass, press: Press) -> str:
    """Lockdown merges per site, and so does a shot, which several sensors hear; all else per class and place. A
    wearable without a place stands for itself."""
    if incident_class is IncidentClass.LOCKDOWN or incident_class in VERIFY_FIRST:
        return str(incident_class)
    return f"{incident_class}:{press.location.zone_id or press.device_id}"


def same_cry(one: IncidentClass, other: IncidentClass) -> bool:
    """May the one be more, or less, of the other? A hold says nothing of what a sensor heard: that is asked on."""
    both = {one, other}
    if IncidentClass.HOLD in both and not both.isdisjoint(VERIFY_FIRST):
        return False
    return one is other or not both & APART


def of_mode(incident: Incident | None, mode: Mode) -> Incident | None:
    """An incident that a press of this mode may change: what is real never becomes part of a drill, nor the reverse."""
    return incident if incident is not None and incident.mode is mode else None


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
            dispatch_hold=hold_for(d, press),
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
    time_the_hold(d, incident)
    call = call or escalation.call_for(d, incident.presses[0], "alert", Reason.FIRST_WAVE)
    return escalation.begin(d, incident, 0, call)


def on_cancel_window(d: Draft, incident: Incident) -> None:
    """Nobody cancelled: it goes out."""
    if incident.state is not IncidentState.CANCEL_WINDOW:
        d.entry(EntryKind.ESCALATION, Reason.STALE_TIMER, "the cancel window is over", incident=incident)
        return
    go(d, d.live(incident, Move.CANCEL_WINDOW_ENDED))


def merge(d: Draft, incident: Incident, press: Press, *, is_more: bool = True) -> Incident:
    """A press of an incident that is open: news from a place or device not yet told, else one more of the same.
    `is_more`: it certainly is a press more, of which people may read. Who asks in an answer brings no device: only a
    place not yet told is news of theirs, and what had been ended."""
    here = [p for p in incident.presses if p.location.zone_id == press.location.zone_id]
    known = next((p for p in reversed(here) if press.asked or p.device_id == press.device_id), None)
    if known is None or _cries_again(incident, known, press):
        return news(d, incident, press)
    if press.asked:
        return _is_on(d, incident, press)
    return _repeat(d, incident, known, press, is_more=is_more)


def _cries_again(incident: Incident, known: Press, press: Press) -> bool:
    """Nobody is being looked for any more, and after a silence the device is pressed again: that is news. So is a
    press from before the last one: the clock was set back, and nobody knows how long the silence was. Who asks for it
    in an answer has what they ask for, until a human has ended it. Of that only a gesture has an echo: no state that is
    said again, and nobody who asks."""
    if incident.escalation is EscalationState.STOPPED:
        # Wherever it was heard in that moment; a place in which it was quiet for longer has no echo.
        cries = (p.cried_us or p.last_us for p in incident.presses if p.device_id == known.device_id)
        here_us = known.cried_us or known.last_us
        silent_us = press.received_us - max(us for us in cries if us - here_us <= AGAIN_S * 1_000_000)
        return press.asked or not 0 <= silent_us <= ENDED_S * 1_000_000
    looking = incident.escalation in (EscalationState.RUNNING, EscalationState.EXHAUSTED)
    is_on = looking or press.asked
    return not is_on and not 0 <= press.received_us - known.last_us <= AGAIN_S * 1_000_000


def _is_on(d: Draft, incident: Incident, press: Press) -> Incident:
    """What somebody asks for is on already: nobody has pressed again. It is of now, a human says, also to a centre that
    has closed its call."""
    incident = d.put(replace(incident, presses=_of_now(incident.presses, press), asked_us=press.received_us))
    text = f"{wording.press_words(press)}: it is on already"
    d.entry(EntryKind.PRESS, Reason.MERGED_REPEAT, text, incident=incident)
    if any(status.state is DispatchState.CLOSED for status in incident.dispatch):
        incident = dispatch_centers.tell_press(d, incident, anew=False)
    else:
        incident = dispatch_centers.tell_change(d, incident, Reason.MERGED_REPEAT)
    return ease_the_hold(d, incident, press)


def _of_now(presses: tuple[Press, ...], asked: Press) -> tuple[Press, ...]:
    """Once somebody asks for more where the first of them is, it is told as of now, however late that was heard."""
    return tuple(replace(p, late=p.late and p.location.zone_id != asked.location.zone_id) for p in presses)


def _repeat(d: Draft, incident: Incident, known: Press, press: Press, *, is_more: bool) -> Incident:
    newer = replace(
        known.heard_again(press),
        count=max(known.count + is_more, press.count),
        late=known.late and press.late,
        incident_class=max(known.incident_class, press.incident_class, key=SEVERITY.__getitem__),
        location=press.location,  # the same place, heard later
    )
    presses = tuple(newer if p is known else p for p in incident.presses)
    incident = d.put(replace(incident, presses=presses))
    text = f"{wording.press_words(newer)} again"
    d.entry(EntryKind.PRESS, Reason.MERGED_REPEAT, text, incident=incident, device=press.device_id)
    if incident.state is IncidentState.CANCEL_WINDOW:
        return go(d, d.live(incident, Move.PRESS))
    incident = dispatch_centers.tell_change(d, d.live(incident, Move.PRESS), Reason.MERGED_REPEAT)
    return ease_the_hold(d, incident, press)


def news(d: Draft, incident: Incident, press: Press) -> Incident:
    """Somewhere else, too: everyone told, dispatch at once, and no earlier answer covers it."""
    waiting = incident.state is IncidentState.CANCEL_WINDOW
    stopped = incident.escalation is EscalationState.STOPPED
    released = () if stopped else incident.released
    incident = d.put(replace(incident, presses=(*incident.presses, press), correction=None, released=released))
    text = f"{wording.press_words(press)} ALSO {'asked' if press.asked else 'pressed'}"
    d.entry(EntryKind.PRESS, Reason.NEWS, text, incident=incident, device=press.device_id)
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
        time_the_hold(d, incident)
    incident = ease_the_hold(d, incident, press)
    return escalation.restart(d, incident, Reason.NEWS) if paused else incident


def carried(d: Draft, incident: Incident, press: Press) -> Incident:
    """A device that has called is heard elsewhere, and nobody pressed: a further room for as long as it is looked into.
    Once a human has said that it was a mistake, or is over, they spoke of this very call: who goes about, and dispatch,
    hear where it is now, and nobody is locked in again."""
    if incident.escalation is not EscalationState.STOPPED:
        return news(d, incident, press)
    incident = d.put(replace(incident, presses=(*incident.presses, press)))
    text = f"{wording.press_words(press)} still calls, and is heard elsewhere"
    d.entry(EntryKind.PRESS, Reason.STILL_ON, text, incident=incident, device=press.device_id)
    moved = Message(kind=Kind.UPDATE, template="also", reason=Reason.STILL_ON, occasion=f"also/{press.id}")
    tell_told(d, incident, moved, words=RESPONDERS)
    return dispatch_centers.tell_change(d, incident, Reason.STILL_ON, at_once=True)


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
            asked_us=press.received_us if press.asked else incident.asked_us,
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
        time_the_hold(d, incident)
    incident = dispatch_centers.tell_change(d, incident, Reason.UPGRADED, at_once=True)
    incident = ease_the_hold(d, incident, press)
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
    """The presses once the device pressed for something graver: where it was then comes first if it has moved. Who only
    asks for it changes nothing of what was pressed, or sensed; and stands for who asked for less."""
    if press.asked:
        begun, *others = _of_now(incident.presses, press)
        return (replace(press, known_us=begun.known_us) if begun.asked else begun, *others)
    zone_id = press.location.zone_id
    mine = [p for p in incident.presses if p.device_id == press.device_id]
    first = next((p for p in mine if zone_id is None or p.location.zone_id == zone_id), None)
    if first is None:
        return (press, *incident.presses)
    raised = replace(
        first.heard_again(press),
        count=max(first.count, press.count),
        incident_class=incident_class,
        location=first.location if zone_id is None else press.location,
        late=first.late and press.late,
        by_sensor=first.by_sensor and press.by_sensor,
    )
    found = (raised if p is first else p for p in incident.presses)
    return tuple(sorted(found, key=lambda p: p.asked))  # who pressed, before who asked for less
