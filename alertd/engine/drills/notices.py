"""What those who take part are told of a drill itself: that it begins, goes on after a restart, is over.

Owns the texts and who gets them. What is said in an incident of the drill, `telling` owns; who has had the news of the
end, `news`.
"""

from alertd.engine import calls, spoken, wording
from alertd.engine.audience import Notice, instead_of
from alertd.engine.draft import BELIEVED_US, Draft, template_of
from alertd.engine.drills import news
from alertd.model.decision import EntryKind
from alertd.model.drill import Drill, DrillTold
from alertd.model.ids import NotificationId, derive
from alertd.model.mode import Mode
from alertd.model.notification import Kind, Lane, Notification
from alertd.model.people import Endpoint, Person
from alertd.model.reason import Reason

NOTICE_EXPIRES_S = 300
OVER_EXPIRES_S = BELIEVED_US // 1_000_000
"""Whoever still sits in a dark room wants to know it an hour later, too."""
_TEMPLATES = {Kind.DRILL_BEGINS: "begins", Kind.DRILL_GOES_ON: "goes_on", Kind.DRILL_OVER: "over"}
_REASONS = {Kind.DRILL_BEGINS: Reason.DRILL_BEGUN, Kind.DRILL_GOES_ON: Reason.DRILL_GOES_ON}


def notice_id(drill: Drill, kind: Kind, endpoint_key: str, restarts: int) -> NotificationId:
    """Id of one notice of a drill to one endpoint; `restarts`: how often alertd had been started in it by then."""
    return NotificationId(derive("n", drill.id, kind, restarts, endpoint_key))


def told_of(d: Draft, drill: Drill) -> tuple[DrillTold, ...]:
    """Everybody who has heard of it: by its announcement, or in one of its incidents."""
    return drill.told_with(i for id_ in drill.incident_ids if (i := d.incident(id_)) is not None)


def tell_told(d: Draft, drill: Drill, kind: Kind, why: str = "") -> None:
    """One notice to everybody who has heard of the drill, wherever they are reached now."""
    for told in told_of(d, drill):
        person, endpoints = where(d, told)
        if person is None or not endpoints:
            d.entry(EntryKind.DRILL, Reason.NO_ENDPOINT, f"{told.person_id} left the roster", drill=drill.id)
            continue
        for endpoint in endpoints:
            opted_out = Reason.OPTED_OUT if endpoint.key in d.facts.opted_out else None
            tell(d, drill, kind, person, endpoint, why=why, suppressed=opted_out)


def where(d: Draft, told: DrillTold) -> tuple[Person | None, tuple[Endpoint, ...]]:
    """Where whoever was told is reached now: there, or, if that number left the configuration, wherever they are. If it
    told the carrier to stop, wherever else a press reaches them: over notices only if all other numbers stopped."""
    person = d.facts.registry.people.get(told.person_id)
    if person is None:
        return None, ()
    there = tuple(endpoint for endpoint in person.endpoints if endpoint.key == told.endpoint_key)
    if told.endpoint_key in d.facts.opted_out and there:
        return person, (*there, *instead_of(d.facts.registry, person, there[0], Notice.LAST, d.facts.opted_out))
    return person, there or person.endpoints


def tell(  # noqa: PLR0913 - one notice of a drill to one endpoint
    d: Draft,
    drill: Drill,
    kind: Kind,
    person: Person,
    endpoint: Endpoint,
    *,
    why: str = "",
    suppressed: Reason | None = None,
) -> None:
    """One notice to one endpoint; `suppressed`: why it is written down, and not sent."""
    _, policy = d.policy_now(drill.incident_class)
    name = _TEMPLATES[kind]
    params = _params(d, drill) | {"why": why}
    before, after = (wording.DRILL_OVER, "") if kind is Kind.DRILL_OVER else (wording.DRILL, wording.DRILL)
    limit = d.text_limit(endpoint.channel)
    expires_s = OVER_EXPIRES_S if kind is Kind.DRILL_OVER else NOTICE_EXPIRES_S
    n = Notification(
        id=notice_id(drill, kind, endpoint.key, drill.restarts),
        site_id=drill.site_id,
        mode=Mode.DRILL,
        kind=kind,
        lane=Lane.DRILL,
        endpoint=endpoint,
        reason=_REASONS.get(kind) or drill.ended_because or Reason.DRILL_ENDED,
        created_us=d.now.wall_us,
        expires_us=d.now.wall_us + expires_s * 1_000_000,
        resend_unknown=True,
        recipient=person.name,
        language=person.language,
        template=name,
        params=params,
        text=wording.marked(template_of(policy, name, Mode.DRILL), params, limit, before=before, after=after),
        ends_drill=drill.id if kind is Kind.DRILL_OVER else None,
    )
    if calls.is_call(d, endpoint):
        n = calls.told_only(policy, n, params, marks=(wording.SPOKEN[before], wording.SPOKEN.get(after, "")))
    d.row(n, suppressed=suppressed)


def _params(d: Draft, drill: Drill) -> dict[str, str]:
    return {
        "site": d.site.short,
        "site_name": d.site.name,
        "what": news.what(drill),
        "spoken_what": spoken.what(drill.incident_class, Mode.DRILL),
        "time": wording.local_time(d.site, drill.started_us),
        "ends": wording.local_time(d.site, drill.ends_us),
        "minute": wording.local_time(d.site, d.now.wall_us),
        "by": drill.by,
    }
