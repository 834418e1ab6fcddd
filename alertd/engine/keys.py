"""What a human says with a key during a call: the same digit map as by text, and the answer is spoken there and then.

A key needs no token: the call is about one incident. It covers the presses that the call had spoken of, and those only.
What is answered is a row that is never sent: whoever took the key reads it back and speaks it.
"""

from msgspec import Struct
from msgspec.structs import replace

from alertd.engine import answers, spoken, troubles, wording
from alertd.engine.calls import MARK
from alertd.engine.draft import Draft, template_of
from alertd.engine.fixed_policy import FIXED_POLICY
from alertd.model import call_script
from alertd.model.call_script import CallScript
from alertd.model.decision import EntryKind, PhoneIncident
from alertd.model.events import Keyed
from alertd.model.incident import AnswerKind, Incident, graver_since
from alertd.model.mode import Mode
from alertd.model.notification import (
    Kind,
    Lane,
    Notification,
    NotificationChange,
    NotificationRow,
    NotificationState,
)
from alertd.model.people import Person
from alertd.model.reason import Reason

_UNHEARD = (NotificationState.ACCEPTED, NotificationState.SENT, NotificationState.CLAIMED, NotificationState.UNKNOWN)
"""Standings of a call in which nobody knew yet that a human listens."""


class Keying(Struct, frozen=True, kw_only=True):
    """Who pressed a key, in which call."""

    event: Keyed
    row: NotificationRow
    person: Person


def on_key(d: Draft, event: Keyed) -> None:
    """A key was pressed in a call."""
    if d.facts.seen_us is not None:
        d.entry(EntryKind.ANSWER, Reason.DUPLICATE, "this key was taken up before")
        return
    row = d.facts.notification
    person = None if row is None else d.facts.registry.by_address.get(row.notification.endpoint.key)
    if row is None:
        d.entry(EntryKind.ANSWER, Reason.FOREIGN_TOKEN, f"key {event.digit}, in a call to nobody we know")
        return
    d.cause = event.cause
    if person is None:
        _not_counted(d, event, row)
        return
    keying = Keying(event=event, row=row, person=person)
    _heard(d, row)
    incident = d.incident(row.notification.incident_id)
    known = next((p for p in d.facts.phone if p.incident_id == row.notification.incident_id), None)
    if incident is None and known is not None and event.digit in answers.MORE_DIGITS:
        incident = known.ended
    if incident is None:
        _closed(d, keying, known)
    elif event.digit in answers.DIGITS:
        _answered(d, keying, incident, answers.DIGITS[event.digit])
    elif event.digit in answers.MORE_DIGITS:
        raised = answers.escalate_by_human(d, event.cause, person, incident, event.digit, by="key")
        _say(d, keying, raised, "call.answer.upgraded", Reason.ANSWERED)
    else:
        d.entry(EntryKind.ANSWER, Reason.NOT_A_CODE, f"{person.name}: key {event.digit} is none", incident=incident)
        _say(d, keying, incident, "call.answer.unused", Reason.NOT_A_CODE)


def _not_counted(d: Draft, event: Keyed, row: NotificationRow) -> None:
    """The people were reloaded while the phone rang, and its number is nobody's any more. Whoever pressed hears that it
    changed nothing, and an admin that somebody may believe they have answered (promise 5)."""
    n = row.notification
    what = f"{n.recipient}: key {event.digit} in a call to {n.endpoint.address}: not counted, the number is nobody's"
    d.entry(EntryKind.ANSWER, Reason.FOREIGN_PERSON, what, incident=d.incident(n.incident_id))
    summary = (
        f"{n.recipient} pressed {event.digit} in a call to {n.endpoint.address}, and it was not counted: people.csv "
        "gives that number to nobody any more. Tell them, and write the number they have."
    )
    troubles.raise_(d, f"key_not_counted:{n.endpoint.key}", summary)
    main_phone = d.site.main_phone
    params = n.params | {"spoken_phone": spoken.phone(main_phone) if main_phone else "the school"}
    template = "call.answer.not_counted"
    words = wording.render(template_of(FIXED_POLICY, template), params, 0)
    answered = _row(d, event, n, words, Reason.FOREIGN_PERSON)
    answered = replace(answered, mode=n.mode, incident_id=n.incident_id, params=params, template=template)
    d.row(answered, suppressed=Reason.SPOKEN)


def _heard(d: Draft, row: NotificationRow) -> None:
    """Only a human presses a key: whatever the carrier believes, this call was heard."""
    if row.state in _UNHEARD:
        n = row.notification
        d.change(
            NotificationChange(id=n.id, state=NotificationState.DELIVERED, reason=n.reason, detail="a key was pressed")
        )


def _answered(d: Draft, keying: Keying, incident: Incident, kind: AnswerKind) -> None:
    event, person = keying.event, keying.person
    raised = graver_since(incident, event.upgrades, event.written_us)  # then it was an answer to something less
    covers = 0 if raised else max(1, min(event.presses, len(incident.presses)))
    via = keying.row.notification.endpoint.channel
    incident = answers.take(d, incident, person, kind, via=via, covers=covers)
    news = ""
    if kind is not AnswerKind.CANNOT_GO and covers < len(incident.presses):
        news = "call.answer.raised" if raised else "call.answer.news"
    _say(d, keying, incident, f"call.answer.{kind}", Reason.ANSWERED, news=news)


def _say(d: Draft, keying: Keying, incident: Incident, template: str, reason: Reason, *, news: str = "") -> None:
    """`news`: a template for what came since the call was placed. It is said now, and the next key covers it."""
    policy = d.policy(incident)
    params = wording.incident_params(d.site, incident, d.now.wall_us)
    params |= spoken.params(d.facts.registry, d.site, incident, d.now.wall_us)
    params |= {"code": spoken.digits(str(keying.event.digit)), "headlines": incident.headline}
    said = [template, news] if news else [template]
    words = " ".join(wording.render(template_of(policy, each, incident.mode), params, 0) for each in said)
    answered = replace(
        _row(d, keying.event, keying.row.notification, words, reason, incident=incident),
        mode=incident.mode,
        incident_id=incident.id,
        template=template,
        params=params,
    )
    d.row(answered, suppressed=Reason.SPOKEN)


def _closed(d: Draft, keying: Keying, known: PhoneIncident | None) -> None:
    """Over, before the key was pressed: say so, by whom and when, and that the key changed nothing."""
    n = keying.row.notification
    over = d.drill_over if n.mode is Mode.DRILL else None
    real = d.incident(over.real_incident_id) if over is not None else None
    if real is not None and real.is_open:
        _real(d, keying, real)
        return
    d.entry(EntryKind.ANSWER, Reason.STALE_CODE, f"{keying.person.name}: key {keying.event.digit}, not counted")
    params = n.params | _ending(d, known)
    words = wording.render(template_of(FIXED_POLICY, "call.answer.closed"), params, 0)
    answered = replace(_row(d, keying.event, n, words, Reason.STALE_CODE), mode=n.mode, params=params)
    d.row(replace(answered, template="call.answer.closed"), suppressed=Reason.SPOKEN)


def _real(d: Draft, keying: Keying, incident: Incident) -> None:
    """Of a drill that has become real: whoever is on the phone hears that first, what it is, where, and how to answer
    by text. The key was meant for the exercise, and a key of this call can answer nothing else."""
    person = keying.person
    text = f"{person.name}: key {keying.event.digit} in a call of the drill, not counted: it is real"
    d.entry(EntryKind.ANSWER, Reason.STALE_CODE, text, incident=incident)
    policy = d.policy(incident)
    params = wording.incident_params(d.site, incident, d.now.wall_us)
    params |= spoken.params(d.facts.registry, d.site, incident, d.now.wall_us)
    words = next((told.words for told in incident.told if told.person_id == person.id), "")
    name = f"call.alert.{words}" if words else "call.real.others"
    names = (name, "call.real.key", *(("call.by_text",) if words == "responder" else ()))
    said = [wording.render(template_of(policy, each), params, 0) for each in names]
    main = " ".join((wording.SPOKEN[wording.REAL], *said))
    body = call_script.encode(CallScript(main=main, presses=0, written_us=d.now.wall_us))
    answered = _row(d, keying.event, keying.row.notification, "", Reason.STALE_CODE)
    answered = replace(answered, incident_id=incident.id, template=name, params=params, text=main, body=body)
    d.row(answered, suppressed=Reason.SPOKEN)


def _ending(d: Draft, known: PhoneIncident | None) -> dict[str, str]:
    if known is None or known.closed_us is None:
        return {"headlines": "This", "spoken_closed": "some time ago", "by": "somebody"}
    at = spoken.clock(d.site, known.closed_us)
    return {"headlines": known.headline, "spoken_closed": at, "by": known.closed_by or "somebody"}


def _row(
    d: Draft, event: Keyed, n: Notification, words: str, reason: Reason, *, incident: Incident | None = None
) -> Notification:
    """The answer to a key in the call `n`. `incident`: of that it says all that is known, for a further key; else no
    more than was said before."""
    presses, upgrades = event.presses, event.upgrades
    if incident is not None:
        presses, upgrades = len(incident.presses), incident.upgrades
    marked = f"{MARK[n.mode]} {words} {MARK[n.mode]}".strip()
    script = CallScript(main=marked, presses=presses, written_us=d.now.wall_us, upgrades=upgrades)
    return Notification(
        id=call_script.answer_id(event.cause),
        site_id=d.state.site_id,
        mode=Mode.LIVE,
        kind=Kind.ANSWER,
        lane=Lane.ANSWER,
        endpoint=n.endpoint,
        reason=reason,
        created_us=d.now.wall_us,
        expires_us=d.now.wall_us + FIXED_POLICY.expires_s * 1_000_000,
        resend_unknown=False,
        recipient=n.recipient,
        language=n.language,
        text=marked,
        body=call_script.encode(script),
    )
