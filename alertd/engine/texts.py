"""A text came in: whose it is, whether it counts as an answer, what is done with one that does not.

In doubt a human's word counts. What it says is read by `replies`; what is texted back, `texts_back` owns.
"""

from msgspec.structs import replace

from alertd.engine import dispatch_centers, troubles, wording
from alertd.engine.answers import DIGITS, MORE_DIGITS, escalate_by_human, take
from alertd.engine.draft import Draft
from alertd.engine.replies import Meaning, Reply, gravest_first, read
from alertd.engine.telling import RESPONDERS, Message, tell_told
from alertd.engine.texts_back import WORDS_ANSWERED, Texter, answer, say, sensors_last
from alertd.model.decision import EntryKind, PhoneIncident
from alertd.model.events import Replied
from alertd.model.incident import AnswerKind, Incident, Note, Severity
from alertd.model.mode import Mode
from alertd.model.notification import Kind, age_us
from alertd.model.people import Endpoint, Person
from alertd.model.reason import Reason

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
    ended = reply.incident.ended if reply.incident else None
    over = _over_since(event, ended, d.facts.phone) if ended is not None else None
    match reply.meaning:
        case Meaning.CODE if incident is not None and _counts(d, event, reply, incident):
            _code(d, texter, incident, reply.digit)
        case Meaning.CLOSED if over is not None and reply.digit in MORE_DIGITS:
            _not_counted(d, texter, replace(reply, incident=over), None)
        case Meaning.CLOSED if ended is not None and reply.digit in MORE_DIGITS and _counts(d, event, reply, ended):
            _code(d, texter, ended, reply.digit)
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


# --- what counts ----------------------------------------------------------------------------------------------------


def _code(d: Draft, texter: Texter, incident: Incident, digit: int) -> None:
    event, person = texter.event, texter.person
    if digit in DIGITS:
        kind = DIGITS[digit]
        incident = take(d, incident, person, kind, via=event.channel, covers=_known_at(incident, event.at_us))
        answer(d, texter, incident, f"answer.{kind}", Reason.ANSWERED)
    elif digit in MORE_DIGITS:
        incident = escalate_by_human(d, event.cause, person, incident, digit)
        answer(d, texter, incident, "answer.upgraded", Reason.ANSWERED)
    else:
        d.entry(EntryKind.ANSWER, Reason.NOT_A_CODE, f"{person.name}: {digit} means nothing", incident=incident)
        answer(d, texter, incident, "answer.unused", Reason.NOT_A_CODE)


def _counts(d: Draft, event: Replied, reply: Reply, incident: Incident) -> bool:
    return not _is_older(event, incident) and not _is_unread(d, event, reply, incident)


def _is_older(event: Replied, incident: Incident) -> bool:
    """It was typed before the incident began, and so for another one whose code this one has now: only memory held
    that one, and the power went."""
    began_us = min(p.known_us or p.received_us for p in incident.presses)
    return _precedes(event.at_us, began_us - STAMP_US)


def _over_since(event: Replied, ended: Incident, phone: tuple[PhoneIncident, ...]) -> PhoneIncident | None:
    """The real lockdown of the same site that a human ended after this was typed: the carrier held it back, and what it
    asks for has been."""
    return next(
        (
            known
            for known in phone
            if known.site_id == ended.site_id and known.mode is Mode.LIVE and known.severity >= Severity.LOCKDOWN
            if known.closed_us is not None and _precedes(event.at_us, known.closed_us - STAMP_US)
        ),
        None,
    )


def _is_unread(d: Draft, event: Replied, reply: Reply, incident: Incident) -> bool:
    """A bare digit of somebody who cannot have read of the one incident that is open: nothing about it had left for
    this phone, and it was meant for what was open when it was typed, a drill that this press has just ended, say. Their
    answer must not stop the calling. (A code of a screen, or of a colleague's phone, counts.)"""
    told = reply.incident
    if not reply.bare or told is None:
        return False
    began_us = min(p.known_us or p.received_us for p in incident.presses)
    if told.told is None:
        return True
    told_us = d.now.wall_us - age_us(told.told, d.now)  # as the clock stands now: it may have been set since
    return _precedes(event.at_us, max(began_us, told_us) + READ_US)


def _precedes(at_us: int, since_us: int) -> bool:
    """By so much that it is sure, and not by so much that rather a clock is wrong: in doubt a human's word counts."""
    return 0 < since_us - at_us <= DOUBT_US


def _known_at(incident: Incident, at_us: int) -> int:
    """An answer covers only the presses of which its author can have read; the first is: it is what they answer. One
    that was typed before an upgrade was an answer to something less, and covers none, however long ago it was: alertd
    may have been down in between. Here doubt is no reason to count it: whoever goes is asked once more."""
    if incident.upgraded_us and at_us < incident.upgraded_us + READ_US:
        return 0
    return max(1, sum((p.known_us or p.received_us) + READ_US <= at_us for p in incident.presses))


# --- what does not count --------------------------------------------------------------------------------------------


def _words(d: Draft, texter: Texter, incident: Incident | None) -> None:
    """Plain words are an unverified note for responders and dispatch, and no answer."""
    event, person = texter.event, texter.person
    if incident is None:
        text = f"{person.name} texts, nothing is open"
        d.entry(EntryKind.ANSWER, Reason.NOT_A_CODE, text, about=sensors_last(d), body=event.body[:160])
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
        answer(d, texter, incident, "answer.words", Reason.NOT_A_CODE)
    dispatch_centers.tell_change(d, incident, Reason.NOTE_TAKEN)


def _opt_out(d: Draft, texter: Texter) -> None:
    event, person, endpoint = texter.event, texter.person, texter.endpoint
    d.opt_out(endpoint)
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
    text, about = f"{person.name}: not counted", sensors_last(d)
    d.entry(EntryKind.ANSWER, reason, text, incident=incident, about=about, body=event.body[:160])
    if reply.meaning is Meaning.AUTOMATIC:
        return
    still_open = gravest_first(d.facts.phone)
    if reply.meaning is Meaning.AMBIGUOUS:
        headlines = " ".join(f"{p.headline}: reply 4{p.token}." for p in still_open[:3])
        params = {"count": _NUMBER.get(len(still_open), str(len(still_open))), "headlines": headlines}
        say(d, texter, "answer.ambiguous", params, reason, incident, names=still_open[:3])
    elif reply.meaning in (Meaning.CLOSED, Meaning.CODE) and reply.incident is not None and not reply.incident.is_open:
        _closed(d, texter, reply.incident, still_open)
    elif reply.incident is not None:
        params = {"headlines": reply.incident.headline, "token": reply.incident.token}
        say(d, texter, "answer.not_counted", params, reason, incident, names=(reply.incident,))


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
    say(d, texter, "answer.closed", params, Reason.STALE_CODE, None, names=still_open[:1])
