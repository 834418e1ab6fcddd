"""Telling people: which of their endpoints, in which words, and why not."""

from collections.abc import Callable
from functools import partial

from msgspec import Struct
from msgspec.structs import replace

from alertd.engine import calls, wording
from alertd.engine.audience import Addressee, Reach, notice_of, reach
from alertd.engine.draft import Draft, lane_of, template_of
from alertd.model.decision import EntryKind
from alertd.model.ids import NotificationId, derive
from alertd.model.incident import Incident, Told, is_panic
from alertd.model.mode import Mode
from alertd.model.notification import Kind, Lane, Notification
from alertd.model.people import Endpoint, Person
from alertd.model.reason import Reason

RESPONDERS = ("responder",)
EVERYBODY = ("responder", "staff")


class Message(Struct, frozen=True, kw_only=True):
    """What is said. `occasion` makes the id: the same occasion is the same text, however often it is decided."""

    kind: Kind
    template: str
    reason: Reason
    occasion: str
    extra: dict[str, str] = {}
    """Parameters beside those that every text of an incident has."""


class Call(Struct, frozen=True, kw_only=True):
    """A call to come: `template` is "alert", "late", "upgrade", "also" or "exhausted". `occasion`: as in `Message`;
    empty is the running step."""

    template: str
    reason: Reason
    occasion: str = ""
    extra: dict[str, str] = {}


_KIND = {
    "alert": Kind.ALERT,
    "late": Kind.ALERT,
    "upgrade": Kind.ALERT,
    "digest": Kind.ALERT,
    "digest_site": Kind.ALERT,
    "also": Kind.ALSO,
    "reminder": Kind.REMINDER,
    "exhausted": Kind.EXHAUSTED,
}
_WORDED = frozenset(
    {
        "also",
        "late",
        "upgrade",
        "correction",
        "correction.locked",
        "closing",
        "not_arrived",
        "note",
        "digest",
        "digest_site",
    }
)
"""Templates that exist in one version per kind of words."""


def tell(
    d: Draft, incident: Incident, people: tuple[Addressee, ...], call: Call, channels: tuple[str, ...] = ()
) -> tuple[Incident, int]:
    """Text and call people about the incident; whoever was told before gets a reminder. Returns how many can be
    reached."""
    told = {t.endpoint_key: t for t in incident.told}
    before = frozenset(told)
    reached = 0
    for addressee in _taking_part(d, incident, people):
        hides = addressee.words != "responder"
        asked = calls.quiet(d, channels) if hides else channels
        notice, panic = notice_of(incident.incident_class, incident.mode), is_panic(incident.incident_class)
        options = reach(d.facts, addressee.person, asked, panic=panic, notice=notice, hides=hides)
        if not options:
            name = addressee.person.name
            d.entry(EntryKind.NOTIFICATION, Reason.NO_ENDPOINT, f"{name} has no endpoint", incident=incident)
        for option in (*options, *_called_before(d, told, addressee.person, options)):
            again = option.endpoint.key in before and call.template in ("alert", "late")
            message = _message(incident, call, "reminder" if again else call.template, addressee.words)
            sent = text(d, incident, message, addressee.person, option.endpoint, suppressed=option.suppressed)
            if sent is not None:
                reached += 1
                _remember(told, option.endpoint, addressee, sent if calls.is_call(d, option.endpoint) else "")
    return d.put(replace(incident, told=tuple(told.values()))), reached


def _taking_part(d: Draft, incident: Incident, people: tuple[Addressee, ...]) -> tuple[Addressee, ...]:
    """Of the people meant, those who are to be told: in a drill only who takes part in it."""
    if incident.mode is not Mode.DRILL or d.drill is None or not d.drill.person_ids:
        return people
    named = tuple(a for a in people if a.person.id in d.drill.person_ids)
    if left_out := len(people) - len(named):
        text = f"{left_out} people do not take part in the drill"
        d.entry(EntryKind.NOTIFICATION, Reason.NOT_IN_DRILL, text, incident=incident)
    return named


def _called_before(d: Draft, told: dict[str, Told], person: Person, options: tuple[Reach, ...]) -> tuple[Reach, ...]:
    """The phone that was called about this before rings again beside the text: nobody has answered either."""
    chosen = {option.endpoint.key for option in options}
    called = (e for e in person.endpoints if e.key not in chosen and e.key in told and told[e.key].last_call)
    return tuple(Reach(endpoint=e) for e in called if calls.is_call(d, e))


def _message(incident: Incident, call: Call, template: str, words: str) -> Message:
    return Message(
        kind=_KIND[template],
        template=f"{template}.{words}",
        reason=call.reason,
        occasion=call.occasion or f"{call.template}/{incident.generation}/{incident.step}/{incident.round}",
        extra={"notice": str(incident.step + incident.round + 1)} | call.extra,
    )


def _remember(told: dict[str, Told], endpoint: Endpoint, addressee: Addressee, last_call: str) -> None:
    """Whoever was told as staff and is later asked to go is a responder from then on, never the other way round."""
    before = told.get(endpoint.key)
    words = before.words if before and before.words == "responder" else addressee.words
    told[endpoint.key] = Told(
        endpoint_key=endpoint.key, person_id=addressee.person.id, words=words, last_call=last_call
    )


def told_instead(d: Draft, incident: Incident, failed_key: str, endpoint: Endpoint, last_call: str = "") -> None:
    """A person was told by another endpoint than the one meant: what follows must reach that one, too."""
    incident = d.incident(incident.id) or incident
    told = {t.endpoint_key: t for t in incident.told}
    meant = told.get(failed_key)
    if meant is not None and endpoint.key not in told:
        also = replace(meant, endpoint_key=endpoint.key, last_call=last_call)
        d.put(replace(incident, told=(*incident.told, also)))


def tell_told(
    d: Draft,
    incident: Incident,
    message: Message,
    *,
    words: tuple[str, ...] = EVERYBODY,
    leave_out: str = "",
    among: tuple[Told, ...] | None = None,
) -> None:
    """Text exactly those who were told before (or only `among` them), each in their own words."""
    silent: dict[Reason, int] = {}
    for told in incident.told if among is None else among:
        person = d.facts.registry.people.get(told.person_id)
        endpoint = next((e for e in person.endpoints if e.key == told.endpoint_key), None) if person else None
        if person is None or endpoint is None:
            d.entry(EntryKind.NOTIFICATION, Reason.NO_ENDPOINT, f"{told.person_id} left the roster", incident=incident)
        elif told.words in words and person.id != leave_out:
            worded = f"{message.template}.{told.words}" if message.template in _WORDED else message.template
            suppressed = Reason.OPTED_OUT if endpoint.key in d.facts.opted_out else None
            quiet = calls.left_silent(d, incident, message.kind, person, endpoint)
            if quiet in calls.BY_NATURE:
                silent[quiet] = silent.get(quiet, 0) + 1
            else:
                text(d, incident, replace(message, template=worded), person, endpoint, suppressed=suppressed)
    for reason, phones in silent.items():
        d.entry(EntryKind.NOTIFICATION, reason, f"{phones} phones do not ring for {message.kind}", incident=incident)


def text(
    d: Draft, incident: Incident, message: Message, person: Person, endpoint: Endpoint, suppressed: Reason | None = None
) -> NotificationId | None:
    """One text, or one call, to one endpoint of one person; or the reason why it is not sent. Returns what will be."""
    policy = d.policy(incident)
    params = wording.incident_params(d.site, wording.told_of(incident, message.kind), d.now.wall_us) | message.extra
    ends_drill = d.ends_drill(incident, endpoint)
    words = _words(d, incident, message, endpoint, is_real=ends_drill is not None)
    suppressed = suppressed or calls.left_silent(d, incident, message.kind, person, endpoint)
    n = Notification(
        id=NotificationId(derive("n", incident.id, message.kind, message.occasion, endpoint.key)),
        site_id=incident.site_id,
        mode=incident.mode,
        kind=message.kind,
        lane=_lane(incident, message, is_real=ends_drill is not None),
        endpoint=endpoint,
        reason=message.reason,
        created_us=d.now.wall_us,
        expires_us=d.now.wall_us + policy.expires_s * 1_000_000,
        resend_unknown=is_panic(incident.incident_class),
        incident_id=incident.id,
        step=incident.step,
        recipient=person.name,
        language=person.language,
        template=message.template,
        params=params,
        text=words(params, d.text_limit(endpoint.channel)),
        ends_drill=ends_drill,
        upgrades=incident.upgrades,
    )
    if suppressed is None and calls.is_call(d, endpoint):
        n = calls.as_call(d, incident, n, message.extra)
    d.row(n, suppressed=suppressed)
    return n.id if suppressed is None else None


def _lane(incident: Incident, message: Message, *, is_real: bool) -> Lane:
    """Whoever believes in a drill hears that it is real before anybody hears anything else (promise 3)."""
    lane = lane_of(incident, message.kind, message.template)
    return Lane.PANIC if lane is Lane.STAFF and is_real else lane


def _words(
    d: Draft, incident: Incident, message: Message, endpoint: Endpoint, *, is_real: bool
) -> Callable[[dict[str, str], int], str]:
    """How the text is filled: with the marks of a drill; or with the one that says that this is no drill any more,
    before what the policy says on any other day, unless it has words for that very moment."""
    policy = d.policy(incident)
    if is_real:
        name = message.template
        if not name.startswith(("alert.", "upgrade.", "late.")):
            return partial(wording.real, template_of(policy, name))
        own = f"real.{name.rpartition('.')[2]}"
        first = template_of(policy, own if own in policy.templates and not name.startswith("late.") else name)
        return partial(wording.real, first, marks=(wording.REAL,))
    template = template_of(policy, message.template, incident.mode)
    if d.goes_on_beside_drill(incident, endpoint):
        return partial(wording.real, template, marks=(wording.NOT_A_DRILL,))
    if incident.mode is Mode.DRILL:
        return partial(wording.marked, template, before=wording.DRILL, after=wording.DRILL)
    return partial(wording.render, template)


def ring_again(d: Draft, incident: Incident, number: int) -> None:
    """Nobody took a call, and its pause is over: the same phone rings once more, with what is known now."""
    found = calls.redial(d, incident)
    if found is None:
        return
    person, endpoint, row = found
    before = row.notification
    kept = {name: before.params[name] for name in ("notice", "between", "name") if name in before.params}
    message = Message(
        kind=before.kind,
        template=before.template,
        reason=Reason.REDIALLED,
        occasion=f"redial/{before.id}",
        extra=kept | {"redial": str(number)},
    )
    if (sent := text(d, incident, message, person, endpoint)) is not None:
        told = (replace(t, last_call=sent) if t.endpoint_key == endpoint.key else t for t in incident.told)
        d.put(replace(incident, told=tuple(told)))
