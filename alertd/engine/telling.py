"""Telling people: which of their endpoints, in which words, and why not."""

from msgspec import Struct
from msgspec.structs import replace

from alertd.engine import wording
from alertd.engine.audience import Addressee, reach
from alertd.engine.draft import Draft, lane_of, template_of
from alertd.model.decision import EntryKind
from alertd.model.ids import NotificationId, derive
from alertd.model.incident import Incident, Told, is_panic
from alertd.model.notification import Kind, Notification
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
    "also": Kind.ALSO,
    "reminder": Kind.REMINDER,
    "exhausted": Kind.EXHAUSTED,
}
_WORDED = frozenset({"also", "late", "upgrade", "correction", "correction.locked", "closing", "not_arrived", "note"})
"""Templates that exist in one version per kind of words."""


def tell(
    d: Draft, incident: Incident, people: tuple[Addressee, ...], call: Call, channels: tuple[str, ...] = ()
) -> tuple[Incident, int]:
    """Text people about the incident; whoever was told before gets a reminder. Returns how many can be reached."""
    told = {t.endpoint_key: t for t in incident.told}
    before = frozenset(told)
    reached = 0
    for addressee in people:
        options = reach(d.facts, addressee.person, channels, panic=is_panic(incident.incident_class))
        if not options:
            name = addressee.person.name
            d.entry(EntryKind.NOTIFICATION, Reason.NO_ENDPOINT, f"{name} has no endpoint", incident=incident)
        for option in options:
            again = option.endpoint.key in before and call.template in ("alert", "late")
            message = _message(incident, call, "reminder" if again else call.template, addressee.words)
            text(d, incident, message, addressee.person, option.endpoint, suppressed=option.suppressed)
            if option.suppressed is None:
                reached += 1
                _remember(told, option.endpoint.key, addressee)
    return d.put(replace(incident, told=tuple(told.values()))), reached


def _message(incident: Incident, call: Call, template: str, words: str) -> Message:
    return Message(
        kind=_KIND[template],
        template=f"{template}.{words}",
        reason=call.reason,
        occasion=call.occasion or f"{call.template}/{incident.generation}/{incident.step}/{incident.round}",
        extra={"notice": str(incident.step + incident.round + 1)} | call.extra,
    )


def _remember(told: dict[str, Told], endpoint_key: str, addressee: Addressee) -> None:
    """Whoever was told as staff and is later asked to go is a responder from then on, never the other way round."""
    before = told.get(endpoint_key)
    words = before.words if before and before.words == "responder" else addressee.words
    told[endpoint_key] = Told(endpoint_key=endpoint_key, person_id=addressee.person.id, words=words)


def told_instead(d: Draft, incident: Incident, failed_key: str, endpoint: Endpoint) -> None:
    """A person was told by another endpoint than the one meant: what follows must reach that one, too."""
    incident = d.incident(incident.id) or incident
    told = {t.endpoint_key: t for t in incident.told}
    meant = told.get(failed_key)
    if meant is not None and endpoint.key not in told:
        also = replace(meant, endpoint_key=endpoint.key)
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
    for told in incident.told if among is None else among:
        person = d.facts.registry.people.get(told.person_id)
        endpoint = next((e for e in person.endpoints if e.key == told.endpoint_key), None) if person else None
        if person is None or endpoint is None:
            d.entry(EntryKind.NOTIFICATION, Reason.NO_ENDPOINT, f"{told.person_id} left the roster", incident=incident)
        elif told.words in words and person.id != leave_out:
            worded = f"{message.template}.{told.words}" if message.template in _WORDED else message.template
            suppressed = Reason.OPTED_OUT if endpoint.key in d.facts.opted_out else None
            text(d, incident, replace(message, template=worded), person, endpoint, suppressed=suppressed)


def text(
    d: Draft, incident: Incident, message: Message, person: Person, endpoint: Endpoint, suppressed: Reason | None = None
) -> None:
    """One text to one endpoint of one person; or the reason why it is not sent."""
    policy = d.policy(incident)
    params = wording.incident_params(d.site, incident, d.now.wall_us) | message.extra
    words = template_of(policy, message.template)
    d.row(
        Notification(
            id=NotificationId(derive("n", incident.id, message.kind, message.occasion, endpoint.key)),
            site_id=incident.site_id,
            mode=incident.mode,
            kind=message.kind,
            lane=lane_of(incident, message.kind, message.template),
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
            text=wording.render(words, params, d.text_limit(endpoint.channel)),
        ),
        suppressed=suppressed,
    )
