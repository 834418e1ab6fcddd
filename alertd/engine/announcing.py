"""What loudspeakers say of an incident, when they say it again, and when they are quiet.

Five rules, all of them from `messages.md`:

1. They speak at once, in parallel with people and dispatch, then at the policy's seconds, then never again: the quiet
   belongs to police. The words hold no place, because the threat hears them, so a further room has nothing to add to
   them and does not start them anew, however much later it presses.
2. Something graver speaks at once, and outranks what was less: that is withdrawn, and nothing less grave is said while
   the graver one is open. So does a press after a human said that it was a mistake, or is over: nobody hides any more.
3. A late press waits for a human or the site's time, as dispatch does. A site that wants a human to confirm before
   dispatch is told hides its pupils at once all the same.
4. What was not said within half a minute is not said: a voice out of the past misleads. That it was not is a trouble.
5. Nothing tells anybody that it is over.

Must never name a place or a person, and never speak at another site.
"""

from msgspec import Struct
from msgspec.json import encode
from msgspec.structs import replace

from alertd.engine import troubles
from alertd.engine.draft import Draft, lane_of
from alertd.model.decision import EntryKind
from alertd.model.ids import NotificationId, derive
from alertd.model.incident import SEVERITY, Announcing, EscalationState, Incident, Severity, is_panic
from alertd.model.mode import Mode
from alertd.model.notification import Kind, Lane, Notification
from alertd.model.page import Page, PageAction
from alertd.model.people import Endpoint
from alertd.model.policy import Step, Target, TargetKind
from alertd.model.reason import Reason
from alertd.model.timer import TimerKind

EXPIRES_S = 30
"""An announcement older than this is not spoken."""
MISSED_S = 45
"""Loudspeakers that have taken nothing by then did not speak: the last try began within `EXPIRES_S`."""
RUN = "announcement"
"""Parameter of a page's row: the number of the announcement that it belongs to."""


class Saying(Struct, frozen=True, kw_only=True):
    """One time that an announcement is said: the first (`repeat` 0), or again."""

    repeat: int
    reason: Reason
    suppressed: Reason | None = None


def loudspeakers_of(step: Step) -> tuple[Target, ...]:
    """Targets of the step that are loudspeakers."""
    return tuple(t for t in step.targets if t.kind is TargetKind.LOUDSPEAKERS)


def announce(d: Draft, incident: Incident, index: int, reason: Reason) -> Incident:
    """Let the loudspeakers of the step `index` speak, or say why they do not. Once begun, it is begun."""
    policy, before = d.policy(incident), incident.announcing
    if not loudspeakers_of(policy.steps[index]) or (before is not None and before.step >= index):
        return incident
    if incident.dispatch_hold is Reason.LATE_HOLD:
        d.entry(EntryKind.LOUDSPEAKERS, Reason.LATE_HOLD, "the loudspeakers wait for a human", incident=incident)
        return incident
    number = before.number + 1 if before else 1
    why_not = _why_not(d, incident)
    begun = Announcing(number=number, step=index, begun_us=d.now.wall_us, ended=why_not is not None)
    incident = d.put(replace(incident, announcing=begun))
    if why_not is None:
        _outrank_lesser(d, incident)
    _say(d, incident, begun, Saying(repeat=0, reason=reason, suppressed=why_not))
    for repeat, after_s in enumerate((MISSED_S, *policy.announce_again_s) if why_not is None else ()):
        d.timer(TimerKind.ANNOUNCE, after_s, incident, number=repeat, detail=str(number))
    return incident


def catch_up(d: Draft, incident: Incident, reason: Reason) -> Incident:
    """Let all loudspeakers speak that were to speak by now, and waited."""
    for index in range(min(incident.step + 1, len(d.policy(incident).steps))):
        incident = announce(d, incident, index, reason)
    return incident


def on_news(d: Draft, incident: Incident, *, anew: bool) -> Incident:
    """A further press. `anew`: a human had said that it was a mistake, or is over."""
    if incident.announcing is None:
        return incident  # it waits, or nothing is to be said
    if anew:
        return catch_up(d, _begin_anew(d, incident), Reason.NEWS)
    text = "the loudspeakers name no place: they have said it, and leave the quiet to police"
    d.entry(EntryKind.LOUDSPEAKERS, Reason.ANNOUNCED_ALREADY, text, incident=incident)
    return incident


def on_upgrade(d: Draft, incident: Incident) -> Incident:
    """It became graver: what was said of it means nothing any more, and what comes speaks at once."""
    if incident.announcing is None:
        return incident
    d.withdraw(incident, Reason.SUPERSEDED, kind=Kind.PAGE)
    return _begin_anew(d, incident)


def _begin_anew(d: Draft, incident: Incident) -> Incident:
    assert incident.announcing is not None, "what never began cannot begin anew"
    return d.put(replace(incident, announcing=replace(incident.announcing, step=-1, ended=True)))


def on_again(d: Draft, incident: Incident, repeat: int, number: str) -> None:
    """It is time to say it again."""
    running = incident.announcing
    over = incident.escalation is EscalationState.STOPPED  # corrected, or its rooms are being released
    if running is None or running.ended or over or str(running.number) != number:
        text = "the loudspeakers do not say it again"
        d.entry(EntryKind.LOUDSPEAKERS, Reason.STALE_TIMER, text, incident=incident)
        return
    if repeat == 0:
        _look_after(d, incident, running)
        return
    late_s = (d.now.wall_us - running.begun_us) / 1_000_000 - d.policy(incident).announce_again_s[repeat - 1]
    if late_s > EXPIRES_S:
        text = f"the loudspeakers do not say it again, {late_s:.0f} s late"
        d.entry(EntryKind.LOUDSPEAKERS, Reason.EXPIRED, text, incident=incident)
        return
    why_not = _why_not(d, incident)
    _say(d, incident, running, Saying(repeat=repeat, reason=Reason.ANNOUNCED_AGAIN, suppressed=why_not))


# --- may it be said? ------------------------------------------------------------------------------------------------


def _why_not(d: Draft, incident: Incident) -> Reason | None:
    rules = d.site.rules
    if not is_panic(incident.incident_class) or incident.incident_class not in rules.announce:
        return Reason.NOT_ANNOUNCED
    if not rules.audible:
        return Reason.NOT_AUDIBLE
    graver = any(_gravity(other) > _gravity(incident) for other in _others(d, incident))
    return Reason.OUTRANKED if graver else None


def _gravity(incident: Incident) -> tuple[bool, Severity]:
    """What is real outranks every drill."""
    return incident.mode is Mode.LIVE, SEVERITY[incident.incident_class]


def _others(d: Draft, incident: Incident) -> tuple[Incident, ...]:
    """Other open incidents of the site of which loudspeakers have spoken, were to, or were silenced."""
    found = (d.incident(id_) for id_ in d.state.incidents)
    return tuple(i for i in found if i is not None and i.id != incident.id and i.is_open and i.announcing is not None)


def _outrank_lesser(d: Draft, incident: Incident) -> None:
    for other in _others(d, incident):
        if other.announcing is not None and not other.announcing.ended and _gravity(other) < _gravity(incident):
            d.put(replace(other, announcing=replace(other.announcing, ended=True)))
            d.withdraw(other, Reason.OUTRANKED, kind=Kind.PAGE)


# --- saying it ------------------------------------------------------------------------------------------------------


def _say(d: Draft, incident: Incident, running: Announcing, saying: Saying) -> None:
    for target in loudspeakers_of(d.policy(incident).steps[running.step]):
        endpoint = d.site.loudspeakers.get(target.id)
        if endpoint is None:
            text = f"{d.site.short} has no loudspeakers {target.id!r}"
            d.entry(EntryKind.LOUDSPEAKERS, Reason.NO_ENDPOINT, text, incident=incident)
            continue
        d.row(_page(d, incident, running, saying, target, endpoint), suppressed=saying.suppressed)


def _page(
    d: Draft, incident: Incident, running: Announcing, saying: Saying, target: Target, endpoint: Endpoint
) -> Notification:
    rules = d.facts.registry.channels.get(endpoint.channel)
    words = rules.announced(target.announcement, incident.mode) if rules else ""
    page = Page(
        action=PageAction.SAY,
        mode=incident.mode,
        announcement=target.announcement,
        words=words,
        emergency=incident.mode is Mode.LIVE and SEVERITY[incident.incident_class] >= Severity.DURESS,
        real_after_drill=d.stopped_drill is not None,
    )
    occasion = f"{running.number}/{saying.repeat}"
    return Notification(
        id=NotificationId(derive("n", incident.id, Kind.PAGE, occasion, endpoint.key, target.announcement)),
        site_id=incident.site_id,
        mode=incident.mode,
        kind=Kind.PAGE,
        lane=lane_of(incident, Kind.PAGE),
        endpoint=endpoint,
        reason=saying.reason,
        created_us=d.now.wall_us,
        expires_us=d.now.wall_us + EXPIRES_S * 1_000_000,
        resend_unknown=True,
        incident_id=incident.id,
        step=running.step,
        recipient=f"loudspeakers {target.id}",
        template=target.announcement,
        params={RUN: str(running.number)},
        text=words,
        body=encode(page).decode(),
    )


def is_stale(n: Notification, incident: Incident) -> bool:
    """Was the page written for an announcement that is no longer said?"""
    running = incident.announcing
    return running is None or running.ended or n.params.get(RUN) != str(running.number)


# --- what became of it ----------------------------------------------------------------------------------------------


def was_taken(d: Draft, n: Notification, incident: Incident | None) -> None:
    """The loudspeakers took it. Who was in the room, nobody knows."""
    troubles.clear(d, _key(n.endpoint))
    running = incident.announcing if incident else None
    if incident is None or running is None or n.params.get(RUN) != str(running.number):
        return
    taken_by = tuple(dict.fromkeys((*running.taken_by, n.endpoint.key)))
    if taken_by != running.taken_by:
        d.put(replace(incident, announcing=replace(running, taken_by=taken_by)))


def was_not_taken(d: Draft, n: Notification, detail: str) -> None:
    """Given up, or too late: somebody has to say it by hand."""
    what = "fall silent" if n.reason is Reason.SILENCED else "speak"
    _raise(d, n.endpoint, f"did not {what} ({detail or 'too late'})", rings=n.lane is Lane.PANIC)


def _look_after(d: Draft, incident: Incident, running: Announcing) -> None:
    """Whatever kept them from it, also one that leaves no outcome: a channel that is gone, a daemon that was away."""
    missing = [e for e in _endpoints(d, incident, running) if e.key not in running.taken_by]
    for endpoint in missing:
        text = f"{endpoint.key} did not speak"
        d.entry(EntryKind.LOUDSPEAKERS, Reason.EXPIRED, text, incident=incident)
        _raise(d, endpoint, f"did not speak in time: {incident.headline}", rings=True)
    if not missing:
        d.entry(EntryKind.LOUDSPEAKERS, Reason.NOTHING_NEW, "the loudspeakers have taken it", incident=incident)


def _endpoints(d: Draft, incident: Incident, running: Announcing) -> tuple[Endpoint, ...]:
    targets = loudspeakers_of(d.policy(incident).steps[running.step])
    found = (d.site.loudspeakers.get(target.id) for target in targets)
    return tuple(dict.fromkeys(e for e in found if e is not None))


def _raise(d: Draft, endpoint: Endpoint, what: str, *, rings: bool) -> None:
    troubles.raise_(d, _key(endpoint), f"The loudspeakers of {d.site.short} {what}.", rings=rings)


def _key(endpoint: Endpoint) -> str:
    return f"loudspeakers:{endpoint.key}"
