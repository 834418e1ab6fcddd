"""It is real: a live press ends the drill, and whoever was told of it hears so before anything else (rules 2 and 4)."""

from msgspec.structs import replace

from alertd.engine import calls, paging, spoken, wording
from alertd.engine.draft import Draft, template_of
from alertd.engine.drills import news
from alertd.engine.drills.endings import finish
from alertd.engine.drills.notices import where
from alertd.model.decision import EntryKind
from alertd.model.drill import Drill
from alertd.model.ids import NotificationId, derive
from alertd.model.incident import Incident
from alertd.model.mode import Mode
from alertd.model.notification import Kind, Lane, Notification
from alertd.model.people import Endpoint, Person
from alertd.model.reason import Reason

OTHERS = "real.others"


def stop(d: Draft, drill: Drill, why: str) -> None:
    """This is real. What follows in the same decision tells those who were told of the drill so, first of all."""
    words = f"the drill is over, this is real: {why}"
    d.stopped_drill = finish(d, drill, by="a real press", because=Reason.DRILL_IS_REAL, words=words)


def say_it_is_real(d: Draft, incident: Incident) -> None:
    """After a decision that stopped a drill: whoever was told of it and is not called to what is real hears it all the
    same, and loudspeakers that may be speaking of the drill fall silent."""
    stopped = d.stopped_drill
    drill = news.over_of(d, stopped.id) if stopped is not None else None
    if drill is None:
        return
    drill = d.put_drill_over(replace(drill, real_incident_id=incident.id))
    said = d.said(incident)
    for told in news.believers(d):
        person, endpoints = where(d, told)
        if person is None or not endpoints:
            d.entry(EntryKind.NOTIFICATION, Reason.NO_ENDPOINT, f"{told.person_id} left the roster", incident=incident)
            continue
        for endpoint in endpoints:
            if endpoint.key not in said:
                _tell_real(d, incident, person, endpoint)
    _hush(d, drill, incident)


def _tell_real(d: Draft, incident: Incident, person: Person, endpoint: Endpoint) -> None:
    policy = d.policy(incident)
    params = wording.incident_params(d.site, incident, d.now.wall_us)
    n = Notification(
        id=NotificationId(derive("n", incident.id, Kind.DRILL_STOPPED, endpoint.key)),
        site_id=incident.site_id,
        mode=Mode.LIVE,
        kind=Kind.DRILL_STOPPED,
        lane=Lane.PANIC,
        endpoint=endpoint,
        reason=Reason.DRILL_IS_REAL,
        created_us=d.now.wall_us,
        expires_us=d.now.wall_us + policy.expires_s * 1_000_000,
        resend_unknown=True,
        incident_id=incident.id,
        recipient=person.name,
        language=person.language,
        template=OTHERS,
        params=params,
        text=wording.real(template_of(policy, OTHERS), params, d.text_limit(endpoint.channel), (wording.REAL,)),
        ends_drill=d.ends_drill(incident, endpoint),
    )
    if calls.is_call(d, endpoint):
        heard = params | spoken.params(d.facts.registry, d.site, incident, d.now.wall_us)
        n = calls.told_only(policy, n, heard, marks=(wording.SPOKEN[wording.REAL], ""))
    d.row(n, suppressed=_silent(d, incident, person, endpoint))


def _silent(d: Draft, incident: Incident, person: Person, endpoint: Endpoint) -> Reason | None:
    if endpoint.key in d.facts.opted_out:
        return Reason.OPTED_OUT
    return calls.left_silent(d, incident, Kind.ALERT, person, endpoint)  # the presser's phone may be in hiding


def _hush(d: Draft, drill: Drill, incident: Incident) -> None:
    """A live announcement cuts a drill's by itself, where both are said. Everywhere else silence does."""
    speaking = any(i.mode is Mode.DRILL and i.announcing is not None for i in d.state.incidents.values())
    since_us = d.now.wall_us - (drill.ended_us or 0)
    if speaking or (drill.incident_ids and abs(since_us) < paging.ANNOUNCEMENT_S * 1_000_000):
        paging.hush(d, incident.id, Reason.DRILL_IS_REAL, incident=incident, but=d.announced_at(incident))
