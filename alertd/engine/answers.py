"""What counts as an answer of a named human, however it came, and what follows: only they acknowledge (promise 5).

By text: `texts` says whether it counts; by key: `keys`; by click or command: `on_answer` here.
"""

from msgspec.structs import replace

from alertd.engine import corroboration, dispatch_centers, drills, escalation, incidents, sensor_ends
from alertd.engine.dispatch_hold import release_dispatch
from alertd.engine.draft import Draft
from alertd.engine.lifecycle import Move
from alertd.engine.telling import RESPONDERS, Message, tell_told
from alertd.model.decision import EntryKind, FeedbackState
from alertd.model.events import AnswerGiven
from alertd.model.ids import CauseId, DeviceId, PersonId
from alertd.model.incident import (
    SEVERITY,
    Answer,
    AnswerKind,
    EscalationState,
    Incident,
    IncidentClass,
    IncidentState,
    Press,
    is_nuisance,
    is_panic,
)
from alertd.model.mode import Mode
from alertd.model.notification import Kind
from alertd.model.people import Person
from alertd.model.reason import Reason
from alertd.model.registry import Registry
from alertd.model.timer import TimerKind

DIGITS: dict[int, AnswerKind] = {4: AnswerKind.GOING, 5: AnswerKind.ARRIVED, 6: AnswerKind.CANNOT_GO}
HOLD_DIGIT, LOCKDOWN_DIGIT = 8, 9
MORE_DIGITS = (HOLD_DIGIT, LOCKDOWN_DIGIT)
"""A human asks for more. That counts, too, where what they speak of has ended by itself: no human has said so."""


def on_answer(d: Draft, event: AnswerGiven) -> None:
    """A named human answered at the command line or by a click; they see every press there is. Whoever typed it may
    have meant somebody of another school: that answer would silence this one (promise 6)."""
    d.cause = event.cause
    incident = d.incident(event.incident_id)
    person = d.facts.registry.people.get(event.person_id)
    if incident is None or person is None:
        d.entry(EntryKind.ANSWER, Reason.STALE_CODE, f"{event.person_id} answered what is not open")
        return
    if not may_answer(d.facts.registry, incident, person):
        d.entry(
            EntryKind.ANSWER,
            Reason.FOREIGN_PERSON,
            f"{person.name}: {event.kind}, by {event.via}: not counted",
            incident=incident,
            person=person.id,
            via=event.via,
        )
        return
    take(d, incident, person, event.kind, via=event.via, covers=len(incident.presses))


def may_answer(registry: Registry, incident: Incident, person: Person) -> bool:
    """Does the incident concern this person: one of the site's staff (the district's, if listed for the site), or
    somebody who was told of it?"""
    return person in registry.site_staff.get(incident.site_id, ()) or any(
        told.person_id == person.id for told in incident.told
    )


def take(d: Draft, incident: Incident, person: Person, kind: AnswerKind, *, via: str, covers: int) -> Incident:
    """Count an answer and do what follows from it."""
    answer = Answer(
        person_id=PersonId(person.id), name=person.name, kind=kind, at_us=d.now.wall_us, via=via, covers=covers
    )
    said = _without(incident, answer)
    d.recall = True  # a phone of theirs may be ringing for it, and somebody else's once more
    incident = d.put(replace(incident, answers=(*said, answer)))
    d.entry(
        EntryKind.ANSWER,
        Reason.ACKNOWLEDGED,
        f"{person.name}: {kind} by {via}",
        incident=incident,
        person=person.id,
        via=via,
    )
    incident = _follow(d, incident, kind)
    incident = dispatch_centers.tell_change(d, incident, Reason.ANSWERED)
    if incident.dispatch_hold is None or kind is AnswerKind.CANNOT_GO or not _confirms(d, incident, person):
        return incident
    late = incident.dispatch_hold is Reason.LATE_HOLD
    return release_dispatch(d, incident, Reason.LATE_CONFIRMED if late else Reason.CONFIRMED)


def _confirms(d: Draft, incident: Incident, person: Person) -> bool:
    """Is it for this person to say that dispatch is told now? Where the law names who confirms (`required`), only for
    those whose answers the step counts; otherwise for whoever was asked. Nobody's silence is a veto (req 15)."""
    if incident.dispatch_hold is not Reason.CONFIRM_HOLD or d.site.rules.confirm_before_dispatch != "required":
        return True
    steps = d.policy(incident).steps
    counted = steps[incident.step].answer_from if incident.step < len(steps) else ()
    return not counted or not set(counted).isdisjoint(person.groups)


def _without(incident: Incident, answer: Answer) -> tuple[Answer, ...]:
    """The answers that the new one does not merely repeat: a phone that sends a code a thousand times said it once."""
    lapsed, since = incident.answers[: incident.counted_from], incident.answers[incident.counted_from :]
    what = (answer.person_id, answer.kind, answer.covers)
    return (*lapsed, *(a for a in since if (a.person_id, a.kind, a.covers) != what))


def _follow(d: Draft, incident: Incident, kind: AnswerKind) -> Incident:
    looking = incident.escalation in (EscalationState.RUNNING, EscalationState.EXHAUSTED)
    enough = escalation.sufficient(d, incident)
    if looking and enough:
        incident = d.escalate(incident, Move.ANSWERED)
        d.entry(EntryKind.ESCALATION, Reason.ACKNOWLEDGED, "the escalation is paused", incident=incident)
        d.timer(TimerKind.ARRIVE, d.policy(incident).arrive_within_s, incident, number=len(incident.answers))
        # Nobody near a keypad may see that a code typed under threat was understood.
        shown = (p for p in incident.presses if p.incident_class is not IncidentClass.POLICE_DURESS)
        for device_id in dict.fromkeys(p.device_id for p in shown if not p.asked):
            d.confirm(device_id, FeedbackState.RESPONDER_ACCEPTED)
    elif kind is AnswerKind.CANNOT_GO and incident.escalation is EscalationState.PAUSED and not enough:
        incident = d.escalate(incident, Move.UNANSWERED)
        incident = _next_at_once(d, incident)
    elif kind is AnswerKind.CANNOT_GO and incident.escalation is EscalationState.RUNNING:
        incident = _next_at_once(d, incident)
    return incident


def _next_at_once(d: Draft, incident: Incident) -> Incident:
    """Somebody cannot go: whoever comes next is told now, not when the step's time is over."""
    incident = escalation.look_anew(d, incident)
    if incident.step >= len(d.policy(incident).steps):
        return escalation.exhaust(d, incident)
    call = escalation.call_for(d, incident.presses[0], "alert", Reason.CANNOT_GO)
    return escalation.begin(d, incident, incident.step + 1, call)


def on_arrive(d: Draft, incident: Incident, number: int, generation: str) -> None:
    """Somebody said going; is anybody there? If not, the answer lapses and the looking goes on; not for a nuisance,
    which is over once it is quiet."""
    since = incident.answers[incident.counted_from :]
    arrived = any(a.kind is AnswerKind.ARRIVED and a.covers >= len(incident.presses) for a in since)
    stale = incident.escalation is not EscalationState.PAUSED or str(incident.generation) != generation
    if not stale and (is_nuisance(incident.incident_class) or (arrived and not is_panic(incident.incident_class))):
        sensor_ends.on_arrive(d, incident, number)
        return
    if stale or arrived or incident.state is not IncidentState.ACTIVE:
        d.entry(EntryKind.ESCALATION, Reason.STALE_TIMER, "nobody waits for an arrival", incident=incident)
        return
    going = [a.name for a in since if a.kind is AnswerKind.GOING]
    name = going[-1] if going else "Somebody"
    d.entry(EntryKind.ESCALATION, Reason.ACK_LAPSED, f"{name} has not arrived", incident=incident)
    incident = d.escalate(incident, Move.UNANSWERED)
    incident = d.put(replace(incident, counted_from=len(incident.answers)))
    incident = escalation.restart(d, incident, Reason.NOT_ARRIVED)
    tell_told(
        d,
        incident,
        Message(
            kind=Kind.NOT_ARRIVED,
            template="not_arrived",
            reason=Reason.NOT_ARRIVED,
            occasion=f"not_arrived/{number}",
            extra={"name": name},
        ),
        words=RESPONDERS,
    )


# --- a human asks for more ------------------------------------------------------------------------------------------


def escalate_by_human(
    d: Draft, cause: CauseId, person: Person, incident: Incident, digit: int, *, by: str = "text"
) -> Incident:
    """A responder asks for more: lock down, or hold. A human on the spot is not second-guessed. It is a press of no
    device, in the place of what they answer."""
    wanted = IncidentClass.LOCKDOWN if digit == LOCKDOWN_DIGIT else IncidentClass.HOLD
    first = incident.presses[0]
    press = Press(
        id=cause,
        device_id=DeviceId(""),
        device_label=f"{person.name} by {by}",
        location=first.location,
        incident_class=wanted,
        count=1,
        received_us=d.now.wall_us,
        pressed_us=None,
        assigned_to=PersonId(person.id),
        last_us=d.now.wall_us,
        known_us=d.now.wall_us,
    )
    d.entry(EntryKind.ANSWER, Reason.UPGRADED, f"{person.name} asks for {wanted}", incident=incident, person=person.id)
    mode = drills.mode_of_request(d, incident, wanted, person.name)
    raised = _raised(d, cause, incident, wanted, press, mode)
    if wanted is IncidentClass.LOCKDOWN and mode is Mode.LIVE:
        raised = corroboration.take_in_all(d, raised)
    drills.say_it_is_real(d, raised)
    return d.incident(raised.id) or raised


def _raised(d: Draft, cause: CauseId, incident: Incident, wanted: IncidentClass, press: Press, mode: Mode) -> Incident:
    is_that = incident.incident_class is wanted  # and no other, also where nobody knows the place
    merge_key = incident.merge_key if is_that else incidents.merge_key_of(wanted, press)
    same = incidents.of_mode(d.state.open_by_merge_key(merge_key), mode)
    if same is not None:
        return incidents.merge(d, d.incident(same.id) or same, press)
    graver = SEVERITY[wanted] > SEVERITY[incident.incident_class]
    if graver and incident.is_open and incident.mode is mode and incidents.same_cry(wanted, incident.incident_class):
        return incidents.upgrade(d, incident, wanted, press)
    return incidents.open_(d, wanted, press, mode, cause=cause)
