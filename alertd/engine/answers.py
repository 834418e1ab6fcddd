"""What humans say: by text, key, click or command. Only they acknowledge (promise 5)."""

from msgspec import Struct
from msgspec.structs import replace

from alertd.engine import dispatch_centers, drills, escalation, presses, troubles, wording
from alertd.engine.draft import Draft, template_of
from alertd.engine.fixed_policy import FIXED_POLICY
from alertd.engine.lifecycle import Move
from alertd.engine.replies import Meaning, Reply, read
from alertd.engine.telling import RESPONDERS, Message, tell_told
from alertd.model.call_script import answer_id
from alertd.model.decision import EntryKind, FeedbackState, PhoneIncident
from alertd.model.events import AnswerGiven, Replied
from alertd.model.ids import CauseId, DrillId, PersonId
from alertd.model.incident import (
    SEVERITY,
    Answer,
    AnswerKind,
    EscalationState,
    Incident,
    IncidentClass,
    IncidentState,
    Note,
    Press,
    is_panic,
)
from alertd.model.mode import Mode
from alertd.model.notification import Kind, Lane, Notification
from alertd.model.people import Endpoint, Person
from alertd.model.reason import Reason
from alertd.model.registry import Registry
from alertd.model.timer import TimerKind


class Texter(Struct, frozen=True, kw_only=True):
    """Who texted, from which phone, what."""

    event: Replied
    person: Person
    endpoint: Endpoint


DIGITS: dict[int, AnswerKind] = {4: AnswerKind.GOING, 5: AnswerKind.ARRIVED, 6: AnswerKind.CANNOT_GO}
HOLD_DIGIT, LOCKDOWN_DIGIT = 8, 9
NOTE_LETTERS = 300
"""Longest note that is kept of one text."""
NOTES_AT_MOST = 50
"""Notes that one incident keeps."""
READ_US = 2_000_000
"""From taking up a press to an answer by somebody who has read of it: a text takes a second, reading and typing one."""
STAMP_US = 3_000_000
"""A carrier's stamps have whole seconds, and its clock is known to about one."""
DOUBT_US = 15 * 60 * 1_000_000
"""A text that seems to be older than this when it is read, or a clock that is wrong: nobody can tell."""
WORDS_ANSWERED = 3
"""So many notes of one person are answered with what would count: two machines must not talk all night."""


def on_reply(d: Draft, event: Replied) -> None:
    """A text came in."""
    if d.facts.seen_us is not None:
        d.entry(EntryKind.ANSWER, Reason.DUPLICATE, "this text was read before")
        return
    key = f"{event.channel}:{event.address}"
    person = d.facts.registry.by_address.get(key)
    if person is None:  # its cause is not remembered: another channel may show the same text, and know the phone
        d.entry(EntryKind.ANSWER, Reason.FOREIGN_TOKEN, "a text from a phone that is nobody's", body=event.body[:160])
        return
    d.cause = event.cause
    endpoint = next(e for e in person.endpoints if e.key == key)
    texter = Texter(event=event, person=person, endpoint=endpoint)
    reply = read(event.body, d.facts.phone)
    incident = d.incident(reply.incident.incident_id) if reply.incident else None
    match reply.meaning:
        case Meaning.CODE if incident is not None and _counts(event, reply, incident):
            _code(d, texter, incident, reply.digit)
        case Meaning.OPT_OUT:
            _opt_out(d, texter)
        case Meaning.OPT_IN:
            d.opt_ins.append(endpoint.key)
            troubles.clear(d, f"opted_out:{endpoint.key}")
            d.entry(EntryKind.ANSWER, Reason.OPTED_IN, f"{person.name} takes texts again")
            if incident is not None and endpoint.key not in d.facts.opted_out:
                _words(d, texter, incident)  # "yes" of somebody who believes that it is an answer
        case Meaning.WORDS:
            _words(d, texter, incident)
        case _:
            _not_counted(d, texter, reply, incident)


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


# --- what counts ----------------------------------------------------------------------------------------------------


def _code(d: Draft, texter: Texter, incident: Incident, digit: int) -> None:
    event, person = texter.event, texter.person
    if digit in DIGITS:
        kind = DIGITS[digit]
        incident = take(d, incident, person, kind, via=event.channel, covers=_known_at(incident, event.at_us))
        _answer(d, texter, incident, f"answer.{kind}", Reason.ANSWERED)
    elif digit in (HOLD_DIGIT, LOCKDOWN_DIGIT):
        incident = escalate_by_human(d, event.cause, person, incident, digit)
        _answer(d, texter, incident, "answer.upgraded", Reason.ANSWERED)
    else:
        d.entry(EntryKind.ANSWER, Reason.NOT_A_CODE, f"{person.name}: {digit} means nothing", incident=incident)
        _answer(d, texter, incident, "answer.unused", Reason.NOT_A_CODE)


def _counts(event: Replied, reply: Reply, incident: Incident) -> bool:
    return not _is_older(event, incident) and not _is_unread(event, reply, incident)


def _is_older(event: Replied, incident: Incident) -> bool:
    """It was typed before the incident began, and so for another one whose code this one has now: only memory held
    that one, and the power went."""
    began_us = min(p.known_us or p.received_us for p in incident.presses)
    return _precedes(event.at_us, began_us - STAMP_US)


def _is_unread(event: Replied, reply: Reply, incident: Incident) -> bool:
    """A bare digit of somebody who cannot have read of the one incident that is open: it was meant for what was open
    when it was typed, a drill that this press has just ended, say. Their answer must not stop the calling."""
    if not reply.bare or reply.incident is None:
        return False
    began_us = min(p.known_us or p.received_us for p in incident.presses)
    return not reply.incident.may_have_read or _precedes(event.at_us, began_us + READ_US)


def _precedes(at_us: int, since_us: int) -> bool:
    """By so much that it is sure, and not by so much that rather a clock is wrong: in doubt a human's word counts."""
    return 0 < since_us - at_us <= DOUBT_US


def _known_at(incident: Incident, at_us: int) -> int:
    """An answer covers only the presses of which its author can have read; the first is: it is what they answer. One
    that was typed before an upgrade was an answer to something less, and covers none."""
    if incident.upgraded_us and _precedes(at_us, incident.upgraded_us + READ_US):
        return 0
    return max(1, sum((p.known_us or p.received_us) + READ_US <= at_us for p in incident.presses))


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
    return presses.release_dispatch(d, incident, Reason.LATE_CONFIRMED if late else Reason.CONFIRMED)


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
        shown = (p.device_id for p in incident.presses if p.incident_class is not IncidentClass.POLICE_DURESS)
        for device_id in dict.fromkeys(shown):
            d.confirm(device_id, FeedbackState.RESPONDER_ACCEPTED)
    elif kind is AnswerKind.CANNOT_GO and incident.escalation is EscalationState.PAUSED and not enough:
        incident = d.escalate(incident, Move.UNANSWERED)
        incident = _next_at_once(d, incident)
    elif kind is AnswerKind.CANNOT_GO and incident.escalation is EscalationState.RUNNING:
        incident = _next_at_once(d, incident)
    return incident


def _next_at_once(d: Draft, incident: Incident) -> Incident:
    """Somebody cannot go: whoever comes next is told now, not when the step's time is over."""
    incident = d.put(replace(incident, generation=incident.generation + 1))
    if incident.step >= len(d.policy(incident).steps):
        return escalation.exhaust(d, incident)
    call = escalation.call_for(d, incident.presses[0], "alert", Reason.CANNOT_GO)
    return escalation.begin(d, incident, incident.step + 1, call)


def escalate_by_human(
    d: Draft, cause: CauseId, person: Person, incident: Incident, digit: int, *, by: str = "text"
) -> Incident:
    """A responder asks for more: lock down, or hold. A human on the spot is not second-guessed."""
    wanted = IncidentClass.LOCKDOWN if digit == LOCKDOWN_DIGIT else IncidentClass.HOLD
    first = incident.presses[0]
    press = Press(
        id=cause,
        device_id=first.device_id,
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
    drills.say_it_is_real(d, raised)
    return d.incident(raised.id) or raised


def _raised(d: Draft, cause: CauseId, incident: Incident, wanted: IncidentClass, press: Press, mode: Mode) -> Incident:
    same = presses.of_mode(d.state.open_by_merge_key(presses.merge_key_of(wanted, press)), mode)
    if same is not None:
        return presses.merge(d, d.incident(same.id) or same, press)
    graver = SEVERITY[wanted] > SEVERITY[incident.incident_class]
    if graver and incident.mode is mode and presses.same_cry(wanted, incident.incident_class):
        return presses.upgrade(d, incident, wanted, press)
    return presses.open_(d, wanted, press, mode, cause=cause)


# --- what does not count --------------------------------------------------------------------------------------------


def _words(d: Draft, texter: Texter, incident: Incident | None) -> None:
    """Plain words are an unverified note for responders and dispatch, and no answer."""
    event, person = texter.event, texter.person
    if incident is None:
        d.entry(EntryKind.ANSWER, Reason.NOT_A_CODE, f"{person.name} texts, nothing is open", body=event.body[:160])
        return
    note = Note(at_us=event.at_us, author=person.name, text=event.body.strip()[:NOTE_LETTERS])
    incident = d.put(replace(incident, notes=(*incident.notes, note)[-NOTES_AT_MOST:]))
    d.entry(EntryKind.ANSWER, Reason.NOTE_TAKEN, f"{person.name}: {note.text}", incident=incident, person=person.id)
    tell_told(
        d,
        incident,
        Message(
            kind=Kind.UPDATE,
            template="note",
            reason=Reason.NOTE_TAKEN,
            occasion=f"note/{event.cause}",
            extra={"name": person.name, "reason": note.text},
        ),
        words=RESPONDERS,
        leave_out=person.id,
    )
    goes = any(a.person_id == person.id and a.kind is not AnswerKind.CANNOT_GO for a in incident.answers)
    notes = sum(n.author == person.name for n in incident.notes)
    if not goes and notes <= WORDS_ANSWERED:
        _answer(d, texter, incident, "answer.words", Reason.NOT_A_CODE)
    dispatch_centers.tell_change(d, incident, Reason.NOTE_TAKEN)


def _opt_out(d: Draft, texter: Texter) -> None:
    event, person, endpoint = texter.event, texter.person, texter.endpoint
    d.opt_outs.append(endpoint.key)
    d.entry(EntryKind.ANSWER, Reason.OPTED_OUT, f"{person.name} texted {event.body.strip()[:20]}", person=person.id)
    raise_opted_out(d, person, endpoint)


def raise_opted_out(d: Draft, person: Person, endpoint: Endpoint) -> None:
    """The carrier will not text this phone any more over this sender: an admin must hear of it (req 56)."""
    rules = d.facts.registry.channels.get(endpoint.channel)
    what = f"{person.name} can no longer be texted: the phone opted out. Ask them to text START."
    if rules is not None and rules.notices:
        what = f"{person.name} gets no notices of sensors any more: the phone opted out. Texts of presses still come."
    troubles.raise_(d, f"opted_out:{endpoint.key}", what)


_REASONS: dict[Meaning, Reason] = {
    Meaning.AMBIGUOUS: Reason.AMBIGUOUS,
    Meaning.CLOSED: Reason.STALE_CODE,
    Meaning.FOREIGN: Reason.FOREIGN_TOKEN,
    Meaning.REACTION: Reason.AUTOMATIC_REPLY,
    Meaning.AUTOMATIC: Reason.AUTOMATIC_REPLY,
    Meaning.CODE: Reason.STALE_CODE,
}


def _not_counted(d: Draft, texter: Texter, reply: Reply, incident: Incident | None) -> None:
    """Say what would count. An automatic answer gets none back: two machines must not talk all night."""
    event, person = texter.event, texter.person
    reason = _REASONS[reply.meaning]
    d.entry(EntryKind.ANSWER, reason, f"{person.name}: not counted", incident=incident, body=event.body[:160])
    if reply.meaning is Meaning.AUTOMATIC:
        return
    still_open = tuple(p for p in d.facts.phone if p.is_open)
    if reply.meaning is Meaning.AMBIGUOUS:
        headlines = " ".join(f"{p.headline}: reply 4{p.token}." for p in still_open[:3])
        params = {"count": _NUMBER.get(len(still_open), str(len(still_open))), "headlines": headlines}
        _say(d, texter, "answer.ambiguous", params, reason, incident, names=still_open[:3])
    elif reply.meaning in (Meaning.CLOSED, Meaning.CODE) and reply.incident is not None and not reply.incident.is_open:
        _closed(d, texter, reply.incident, still_open)
    elif still_open:
        newest = still_open[0]
        params = {"headlines": newest.headline, "token": newest.token}
        _say(d, texter, "answer.not_counted", params, reason, incident, names=(newest,))


_NUMBER = {2: "TWO", 3: "THREE", 4: "FOUR", 5: "FIVE"}


def _closed(d: Draft, texter: Texter, closed: PhoneIncident, still_open: tuple[PhoneIncident, ...]) -> None:
    at = wording.local_time(d.site, closed.closed_us) if closed.closed_us else ""
    rest = f"{still_open[0].headline}: reply 4{still_open[0].token}." if still_open else "Nothing else is open."
    params = {
        "headlines": closed.headline,
        "time": at,
        "by": closed.closed_by or "somebody",
        "code": texter.event.body.strip()[:6],
        "others": rest,
        "rest": rest,
        "token": closed.token,
    }
    _say(d, texter, "answer.closed", params, Reason.STALE_CODE, None, names=still_open[:1])


# --- saying so ------------------------------------------------------------------------------------------------------


def _answer(d: Draft, texter: Texter, incident: Incident, template: str, reason: Reason) -> None:
    others = [a.name for a in incident.answers[incident.counted_from :] if a.kind is not AnswerKind.CANNOT_GO]
    others = [name for name in dict.fromkeys(others) if name != texter.person.name]
    params = wording.incident_params(d.site, incident, d.now.wall_us)
    params |= {"others": ", ".join(others) or "nobody yet", "headlines": incident.headline}
    params["code"] = texter.event.body.strip()
    _say(d, texter, template, params, reason, incident)


def _say(  # noqa: PLR0913 - one answer to one phone
    d: Draft,
    texter: Texter,
    template: str,
    params: dict[str, str],
    reason: Reason,
    incident: Incident | None,
    *,
    names: tuple[PhoneIncident, ...] = (),
) -> None:
    """Answer one text; the id comes from the text, so it is answered once. `names`: what it names beside what was
    answered. Who may still believe in a drill hears of that, as of anything grave, that it is real (promise 3)."""
    event, person, endpoint = texter.event, texter.person, texter.endpoint
    policy = d.policy(incident) if incident else FIXED_POLICY
    limit = d.text_limit(endpoint.channel)
    mode = incident.mode if incident else Mode.LIVE
    words = template_of(policy, template, mode)
    ends_drill = _drill_ended_by(d, endpoint, names)
    d.row(
        Notification(
            id=answer_id(event.cause),
            site_id=d.state.site_id,
            mode=mode,
            kind=Kind.ANSWER,
            lane=_lane(d, person, incident),
            endpoint=endpoint,
            reason=reason,
            created_us=d.now.wall_us,
            expires_us=d.now.wall_us + policy.expires_s * 1_000_000,
            resend_unknown=incident is not None and is_panic(incident.incident_class),
            incident_id=incident.id if incident else None,
            recipient=person.name,
            language=person.language,
            template=template,
            params=params,
            text=wording.real(words, params, limit, (wording.REAL_SHORT,))
            if ends_drill
            else _filled(words, params, limit, mode),
            ends_drill=ends_drill,
        )
    )


def _lane(d: Draft, person: Person, incident: Incident | None) -> Lane:
    """An answer that a panic learned something by goes before the staff's texts. Of each person there are few."""
    if incident is None or not is_panic(incident.incident_class):
        return Lane.NEXT
    if incident.mode is Mode.DRILL:
        return Lane.DRILL
    before = d.state.incidents.get(incident.id)
    is_news = before is None or not _words_of(person, incident) <= _words_of(person, before)
    return Lane.ANSWER if is_news else Lane.NEXT


def _words_of(person: Person, incident: Incident) -> set[tuple[object, ...]]:
    """Everything that they have said of it, repetitions left out; of notes as many as are answered."""
    notes = sum(note.author == person.name for note in incident.notes)
    answers = {(a.kind, a.covers) for a in incident.answers if a.person_id == person.id}
    return {*answers, *(("note", n) for n in range(min(notes, WORDS_ANSWERED)))}


def _drill_ended_by(d: Draft, endpoint: Endpoint, names: tuple[PhoneIncident, ...]) -> DrillId | None:
    """The drill in which whoever is behind the endpoint may believe, if something real is named to them."""
    named = (d.incident(each.incident_id) for each in names)
    ended = (d.ends_drill(incident, endpoint) for incident in named if incident is not None)
    return next((drill_id for drill_id in ended if drill_id is not None), None)


def _filled(template: str, params: dict[str, str], limit: int, mode: Mode) -> str:
    if mode is Mode.DRILL:
        return wording.marked(template, params, limit, before=wording.DRILL, after=wording.DRILL)
    return wording.render(template, params, limit)


def on_arrive(d: Draft, incident: Incident, number: int, generation: str) -> None:
    """Somebody said going; is anybody there? If not, the answer lapses and the looking goes on."""
    since = incident.answers[incident.counted_from :]
    arrived = any(a.kind is AnswerKind.ARRIVED and a.covers >= len(incident.presses) for a in since)
    stale = incident.escalation is not EscalationState.PAUSED or str(incident.generation) != generation
    if stale or arrived or incident.state is not IncidentState.ACTIVE:
        d.entry(EntryKind.ESCALATION, Reason.STALE_TIMER, "nobody waits for an arrival", incident=incident)
        return
    if not is_panic(incident.incident_class):
        escalation.close_quietly(d, incident, since[-1].name if since else "nobody")
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
