"""Steps of a policy, one after the other, and what comes after the last: wider and wider, and never an end."""

from msgspec.structs import replace

from alertd.engine import announcing, dispatch_centers, troubles, wording
from alertd.engine.audience import destinations_of, people_of
from alertd.engine.draft import Draft
from alertd.engine.lifecycle import Move
from alertd.engine.telling import Call, tell
from alertd.model.decision import EntryKind
from alertd.model.ids import PersonId
from alertd.model.incident import (
    NOBODY,
    VERIFY_FIRST,
    AnswerKind,
    EscalationState,
    Incident,
    IncidentState,
    Press,
    is_panic,
)
from alertd.model.mode import Mode
from alertd.model.policy import Policy, Step, Target, TargetKind
from alertd.model.reason import Reason
from alertd.model.timer import TimerKind

WIDEN_S = 120
"""After the last step everyone is told again this often, until somebody answers."""

MACHINES = frozenset({TargetKind.DESTINATION, TargetKind.LOUDSPEAKERS})
"""Targets that are nobody."""
WIDE = frozenset({TargetKind.SITE_STAFF, TargetKind.DISTRICT})
"""Many people: told of a panic, and never of what only a sensor says (req 70). Nor are dispatch and loudspeakers."""
VERIFY_ROUNDS_MAX = 5
"""An alarm that a human should look into, and that nobody has answered, is told again so often; and on while it is
heard."""
SITE_STAFF = (Target(kind=TargetKind.SITE_STAFF),)
DISTRICT_STAFF = (Target(kind=TargetKind.DISTRICT),)


def call_for(d: Draft, press: Press, template: str, reason: Reason) -> Call:
    """The call for a press of now; that for a late one says between when and when it was made."""
    if not press.late:
        return Call(template=template, reason=reason)
    oldest_us = press.received_us if press.oldest_us is None else press.oldest_us
    between = wording.between(d.site, oldest_us, press.received_us)
    return Call(template="late", reason=reason, extra={"between": between})


def begin(d: Draft, incident: Incident, index: int, call: Call) -> Incident:
    """Begin the step `index`, or the first after it that reaches anybody; past the last, exhaust."""
    policy = d.policy(incident)
    while index < len(policy.steps):
        incident = d.put(replace(incident, step=index))
        step = policy.steps[index]
        incident, reached = _tell_step(d, incident, step, call)
        if reached:
            d.timer(TimerKind.STEP, step.wait_s, incident, number=index)
            return incident
        d.entry(EntryKind.ESCALATION, Reason.EMPTY_STEP, f"step {index + 1} reaches nobody now", incident=incident)
        index += 1
    return exhaust(d, incident)


def _tell_step(d: Draft, incident: Incident, step: Step, call: Call) -> tuple[Incident, bool]:
    """Tell people and machines of one step in parallel: no channel waits for another (req 6)."""
    registry = d.facts.registry
    machines = destinations_of(registry, incident.site_id, step)
    incident = dispatch_centers.tell_new(d, incident, machines, call.reason)
    incident = announcing.announce(d, incident, incident.step, call.reason)
    people = people_of(registry, incident.site_id, _of_site(d, incident, step.targets), d.now.wall_us)
    incident, told = tell(d, incident, people, call, step.channels)
    wants_people = any(t.kind not in MACHINES for t in step.targets)
    alone = not told and wants_people and incident.step == 0
    if alone and is_panic(incident.incident_class) and incident.mode is Mode.LIVE:
        d.entry(EntryKind.ESCALATION, Reason.EMPTY_AUDIENCE, "the first step reaches no person", incident=incident)
        _empty_audience(d, incident)
        people = people_of(registry, incident.site_id, SITE_STAFF, d.now.wall_us)
        incident, told = tell(d, incident, people, replace(call, reason=Reason.EMPTY_AUDIENCE))
    machines_told = machines and incident.dispatch_hold is None
    return incident, bool(told or (machines_told and not wants_people))


def _empty_audience(d: Draft, incident: Incident) -> None:
    """Loud (promise 6): a policy that reaches nobody is found out by one press, not by the one that mattered."""
    policy = d.policy(incident)
    summary = f"{incident.headline}: nobody whom its policy names could be told. Look at the roster and the schedules."
    troubles.raise_(d, f"audience:{policy.id}", summary, rings=is_panic(incident.incident_class))


def exhaust(d: Draft, incident: Incident) -> Incident:
    """Nobody answered any step. A panic widens: the site's whole staff, then the district, every two minutes, for as
    long as it takes. Anything less stays with the people it concerns (req 70) and ends by itself."""
    policy = d.policy(incident)
    incident = d.put(replace(incident, step=len(policy.steps), round=incident.round + 1))
    incident = d.escalate(incident, Move.LAST_STEP_UNANSWERED)
    asked = incident.incident_class in VERIFY_FIRST
    if asked and (incident.round <= VERIFY_ROUNDS_MAX or _is_heard_still(d, incident, policy)):
        return _ask_again(d, incident, policy)
    if not is_panic(incident.incident_class):
        d.entry(EntryKind.ESCALATION, Reason.EXHAUSTED_SITE, "nobody answered; it ends by itself", incident=incident)
        if not incident.told and not incident.dispatch:
            _empty_audience(d, incident)
        return close_quietly(d, incident, NOBODY)
    district = incident.round > 1
    drill = incident.mode is Mode.DRILL
    reason = Reason.EXHAUSTED_DISTRICT if district else Reason.EXHAUSTED_SITE
    d.entry(EntryKind.ESCALATION, reason, f"nobody answered; round {incident.round}", incident=incident)
    people = people_of(
        d.facts.registry,
        incident.site_id,
        _of_site(d, incident, SITE_STAFF + _step_targets(policy) + (DISTRICT_STAFF if district else ())),
        d.now.wall_us,
    )
    incident, told = tell(d, incident, people, Call(template="exhausted", reason=reason))
    if not told and not district:
        return exhaust(d, incident)  # an empty round advances at once, as an empty step does
    if not told and not drill:
        troubles.raise_(d, f"nobody:{incident.id}", f"{incident.headline} reaches nobody at all", rings=True)
    d.timer(TimerKind.WIDEN, WIDEN_S, incident, number=incident.round)
    return incident


def _ask_again(d: Draft, incident: Incident, policy: Policy) -> Incident:
    """A sensor heard a shot, and nobody looks: the same people are asked again, and nobody else. That nobody looks is a
    trouble, and it rings."""
    d.entry(EntryKind.ESCALATION, Reason.EXHAUSTED_SITE, f"nobody answered; round {incident.round}", incident=incident)
    targets = _of_site(d, incident, _step_targets(policy))
    people = people_of(d.facts.registry, incident.site_id, targets, d.now.wall_us)
    incident, told = tell(d, incident, people, Call(template="exhausted", reason=Reason.EXHAUSTED_SITE))
    if incident.round == 1 or not told:
        troubles.raise_(d, f"unverified:{incident.id}", f"{incident.headline}: nobody has looked into it", rings=True)
    d.timer(TimerKind.WIDEN, WIDEN_S, incident, number=incident.round)
    return incident


def _is_heard_still(d: Draft, incident: Incident, policy: Policy) -> bool:
    """Since people were asked last, or so lately that somebody's press would bear it out? Where the clock was set back
    nobody knows, and it ends as ever."""
    silent_us = d.now.wall_us - max(p.last_us for p in incident.presses)
    return 0 <= silent_us <= max(WIDEN_S, policy.corroborated.within_s) * 1_000_000


def _of_site(d: Draft, incident: Incident, targets: tuple[Target, ...]) -> tuple[Target, ...]:
    """Whom an incident may concern: a drill is one school's, never the district's (req 75); what only a sensor says is
    no mass message (req 70)."""
    if not is_panic(incident.incident_class):
        few = tuple(t for t in targets if t.kind not in WIDE)
        if few != targets:  # `alertd check` refuses such a policy
            text = "not told to everybody: no human has said that it is serious"
            d.entry(EntryKind.NOTIFICATION, Reason.NEVER_WIDE, text, incident=incident)
        return few
    if incident.mode is Mode.LIVE:
        return targets
    return tuple(t for t in targets if t.kind is not TargetKind.DISTRICT)


def _step_targets(policy: Policy) -> tuple[Target, ...]:
    return tuple(t for step in policy.steps for t in step.targets)


def tell_newcomers(d: Draft, incident: Incident, press: Press) -> Incident:
    """A further press: whoever the steps so far mean *now* and was not told. People come on duty while an incident
    stays open; those who were told of it days ago may be away."""
    targets = tuple(t for step in d.policy(incident).steps[: incident.step + 1] for t in step.targets)
    told = {t.person_id for t in incident.told}
    meant = people_of(d.facts.registry, incident.site_id, _of_site(d, incident, targets), d.now.wall_us)
    new = tuple(a for a in meant if a.person.id not in told)
    incident, _ = tell(d, incident, new, Call(template="also", reason=Reason.NEWS, occasion=f"also/{press.id}"))
    return incident


def close_quietly(d: Draft, incident: Incident, by: str) -> Incident:
    """End a nuisance without telling anybody: below panic only."""
    incident = d.escalate(incident, Move.STOP)
    incident = d.live(incident, Move.CLOSE)
    incident = d.put(replace(incident, closed_us=d.now.wall_us, closed_by=by))
    d.withdraw(incident, Reason.INCIDENT_CLOSED)
    d.entry(EntryKind.INCIDENT, Reason.CLOSED, f"closed by {by}", incident=incident)
    return incident


def restart(d: Draft, incident: Incident, reason: Reason) -> Incident:
    """Look for people anew: the step that was reached gets its time again (after the last, the last one does), and
    older timers mean nothing from now on."""
    assert incident.escalation is EscalationState.RUNNING, f"a {incident.escalation} escalation is not restarted"
    policy = d.policy(incident)
    step = min(incident.step, len(policy.steps) - 1)
    incident = d.put(replace(look_anew(d, incident), step=step))
    d.entry(EntryKind.ESCALATION, reason, f"the escalation goes on from step {step + 1}", incident=incident)
    d.timer(TimerKind.STEP, policy.steps[step].wait_s, incident, number=step)
    return incident


def look_anew(d: Draft, incident: Incident) -> Incident:
    """Whoever went does not, or something is new: older timers mean nothing from now on. Who is asked to look into a
    shot is asked as often as the first time, for the last round ends it; a panic stays as wide as it was."""
    rounds = 0 if incident.incident_class in VERIFY_FIRST else incident.round
    return d.put(replace(incident, generation=incident.generation + 1, round=rounds))


def sufficient(d: Draft, incident: Incident) -> bool:
    """Have enough of the right people said that they go, or are there, knowing every press so far?

    After the last step everyone was asked, so everyone counts: not to hear the one who goes would be worse than to
    hear somebody else."""
    policy = d.policy(incident)
    step = policy.steps[min(incident.step, len(policy.steps) - 1)]
    answer_from = step.answer_from if incident.step < len(policy.steps) else ()
    latest: dict[PersonId, bool] = {}
    for answer in incident.answers[incident.counted_from :]:
        goes = answer.kind is not AnswerKind.CANNOT_GO
        latest[answer.person_id] = goes and answer.covers >= len(incident.presses)
    registry = d.facts.registry
    counted = 0
    for person_id, goes in latest.items():
        person = registry.people.get(person_id)
        in_group = person is not None and set(answer_from) & set(person.groups)
        counted += bool(goes and (not answer_from or in_group))
    return counted >= step.answers


def on_step(d: Draft, incident: Incident, number: int, generation: str) -> None:
    """The running step ran out of time."""
    stale = incident.step != number or str(incident.generation) != generation
    if stale or incident.escalation is not EscalationState.RUNNING or incident.state is IncidentState.RELEASING:
        d.entry(
            EntryKind.ESCALATION, Reason.STALE_TIMER, f"step {number + 1} is no longer waited for", incident=incident
        )
        return
    begin(d, incident, number + 1, call_for(d, incident.presses[0], "alert", Reason.NEXT_STEP))


def on_widen(d: Draft, incident: Incident, number: int, generation: str) -> None:
    """Two more minutes without an answer."""
    stale = incident.round != number or str(incident.generation) != generation
    if stale or incident.escalation is not EscalationState.EXHAUSTED:
        d.entry(EntryKind.ESCALATION, Reason.STALE_TIMER, f"round {number} is no longer waited for", incident=incident)
        return
    exhaust(d, incident)
