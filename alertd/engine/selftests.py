"""`alertd test` and the regular sign of life: proof in mode test, on the real path, that somebody can be told."""

from alertd.engine import calls, dispatch_centers, wording
from alertd.engine.draft import Draft, template_of
from alertd.model.decision import EntryKind
from alertd.model.events import TestOrdered
from alertd.model.ids import NotificationId, derive
from alertd.model.mode import Mode
from alertd.model.notification import Kind, Lane, Notification
from alertd.model.people import Person
from alertd.model.reason import Reason


def on_test(d: Draft, event: TestOrdered) -> None:
    """Text every endpoint of a person, or greet a destination. Nobody else hears of it."""
    d.cause = event.cause
    registry = d.facts.registry
    person = registry.people.get(event.person_id) if event.person_id else None
    destination = registry.destinations.get(event.destination_id) if event.destination_id else None
    if person is not None:
        _person(d, event, person)
    if destination is not None:
        kind = Kind.DISPATCH_HEARTBEAT if event.heartbeat else Kind.TEST
        dispatch_centers.heartbeat(d, destination, event.cause, kind)
    if person is None and destination is None:
        d.entry(EntryKind.NOTIFICATION, Reason.NO_ENDPOINT, f"{event.by} tested what is not in the configuration")


def _person(d: Draft, event: TestOrdered, person: Person) -> None:
    _, policy = d.policy_now("trouble")
    if not person.endpoints:
        d.entry(EntryKind.NOTIFICATION, Reason.NO_ENDPOINT, f"{person.name} has no endpoint to test")
    for endpoint in person.endpoints:
        params = {
            "site": d.site.short,
            "site_name": d.site.name,
            "name": person.name,
            "by": event.by,
            "minute": wording.local_time(d.site, d.now.wall_us),
            "time": wording.local_time(d.site, d.now.wall_us),
            "district": d.facts.registry.district,
        }
        n = Notification(
            id=NotificationId(derive("n", "test", event.cause, endpoint.key)),
            site_id=d.state.site_id,
            mode=Mode.TEST,
            kind=Kind.TEST,
            lane=Lane.ROUTINE,
            endpoint=endpoint,
            reason=Reason.TESTED,
            created_us=d.now.wall_us,
            expires_us=d.now.wall_us + 300 * 1_000_000,
            resend_unknown=False,
            recipient=person.name,
            language=person.language,
            template="test.responder",
            params=params,
            text=wording.render(template_of(policy, "test.responder"), params, d.text_limit(endpoint.channel)),
        )
        d.row(
            calls.told_only(policy, n, params) if calls.is_call(d, endpoint) else n,
            suppressed=Reason.OPTED_OUT if endpoint.key in d.facts.opted_out else None,
        )
