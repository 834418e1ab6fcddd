"""What is texted back to whoever has texted: once a text, because its id comes from theirs."""

from msgspec import Struct

from alertd.engine import wording
from alertd.engine.draft import Draft, template_of
from alertd.engine.fixed_policy import FIXED_POLICY
from alertd.model.call_script import answer_id
from alertd.model.decision import PhoneIncident
from alertd.model.events import Replied
from alertd.model.ids import DrillId, IncidentId
from alertd.model.incident import AnswerKind, Incident, Severity, is_panic
from alertd.model.mode import Mode
from alertd.model.notification import Kind, Lane, Notification
from alertd.model.people import Endpoint, Person
from alertd.model.reason import Reason

WORDS_ANSWERED = 3
"""So many notes of one person are answered with what would count: two machines must not talk all night."""


class Texter(Struct, frozen=True, kw_only=True):
    """Who texted, from which phone, what."""

    event: Replied
    person: Person
    endpoint: Endpoint


def answer(d: Draft, texter: Texter, incident: Incident, template: str, reason: Reason) -> None:
    """Say how their answer was taken, and who else goes."""
    others = [a.name for a in incident.answers[incident.counted_from :] if a.kind is not AnswerKind.CANNOT_GO]
    others = [name for name in dict.fromkeys(others) if name != texter.person.name]
    params = wording.incident_params(d.site, incident, d.now.wall_us)
    params |= {"others": ", ".join(others) or "nobody yet", "headlines": incident.headline}
    params["code"] = texter.event.body.strip()
    say(d, texter, template, params, reason, incident)


def say(  # noqa: PLR0913 - one answer to one phone
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
            incident_id=incident.id if incident else sensors_last(d),
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


def sensors_last(d: Draft) -> IncidentId | None:
    """The sensors' incident, if it is one of which this phone was told last: what is texted beside it goes with it, and
    when its personal detail is erased, so is that (req 73)."""
    last = next(iter(d.facts.phone), None)
    if last is None or last.severity >= Severity.STAFF_ASSIST or last.site_id != d.state.site_id:
        return None
    return last.incident_id


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
