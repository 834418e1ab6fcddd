"""A drill is ordered: what stands against it, who takes part, and that it begins."""

from collections.abc import Iterator

from msgspec.structs import replace

from alertd.engine import wording
from alertd.engine.audience import Addressee, people_of, reach
from alertd.engine.draft import Draft
from alertd.engine.drills import news
from alertd.engine.drills.notices import tell
from alertd.model.anchor import anchor
from alertd.model.decision import EntryKind
from alertd.model.drill import Drill, DrillTold
from alertd.model.events import DrillOrdered
from alertd.model.ids import DrillId, SiteId, derive
from alertd.model.incident import Incident, IncidentClass, is_nuisance, is_panic
from alertd.model.notification import Kind
from alertd.model.policy import TargetKind
from alertd.model.reason import Reason
from alertd.model.registry import Registry
from alertd.model.site import Device, DeviceKind, Site
from alertd.model.timer import TimerKind

MINUTES_MIN, MINUTES_MAX = 1, 120


def why_not(registry: Registry, order: DrillOrdered, going_on: tuple[Incident, ...], running: Drill | None) -> str:
    """Why this drill cannot begin, in a sentence for whoever ordered it; empty: it can."""
    site = registry.sites.get(order.site_id)
    if site is None:
        return f"there is no site {order.site_id}"
    grave = next((i for i in going_on if not is_nuisance(i.incident_class) and i.is_open), None)
    if grave is not None:
        return f"{grave.headline} is open: end it first, nobody could tell the two apart"
    if running is not None:
        return f"a drill runs at {site.short} already, until {wording.local_time(site, running.ends_us)}: end it first"
    unfit = (_unfit(registry, site, order.incident_class, device_id) for device_id in order.device_ids)
    unknown = (f"there is no person {id_}" for id_ in order.person_ids if id_ not in registry.people)
    return next((why for why in (*_incomplete(order, site), *unfit, *unknown) if why), "")


def _incomplete(order: DrillOrdered, site: Site) -> Iterator[str]:
    """What is wrong with the order itself."""
    if not order.told_before.strip():
        yield "nobody outside was told: call your dispatch centre, then say whom you told"
    if not MINUTES_MIN <= order.minutes <= MINUTES_MAX:
        yield f"a drill lasts {MINUTES_MIN} to {MINUTES_MAX} minutes, not {order.minutes}"
    if not is_panic(order.incident_class):
        yield f"{order.incident_class} is nothing that people drill: it is quiet when it is real"
    elif order.incident_class not in site.policies:
        yield f"{site.short} has no policy for {order.incident_class}: nobody would know what to do"
    if not order.device_ids:
        yield "no device takes part: name those that will be pressed"


def _unfit(registry: Registry, site: Site, incident_class: IncidentClass, device_id: str) -> str:
    device = registry.devices.get(device_id)  # type: ignore[call-overload]
    if device is None:
        return f"there is no device {device_id}"
    if site.id not in (device.site_id, *device.roaming_sites):
        return f"{device_id} belongs to {device.site_id}, not to {site.id}"
    if device.kind not in (DeviceKind.BUTTON, DeviceKind.WEARABLE):
        return f"{device_id} is a {device.kind}: nobody can press it"
    if real_there := _real_elsewhere(site.id, device):
        alone = f"name devices of {site.id} alone, or register them so (devices.csv: site, roaming_sites) for that day"
        return f"{real_there}, and would be REAL there: {alone}"
    if incident_class not in (*device.gestures.presses.values(), *device.gestures.actions.values()):
        return f"{device_id} has no gesture for {incident_class}"
    return ""


def why_over(registry: Registry, drill: Drill) -> str:
    """Why a drill that runs cannot go on with this registry, in a few words; empty: it can."""
    devices = (registry.devices.get(device_id) for device_id in drill.device_ids)
    return next((why for x in devices if x is not None and (why := _real_elsewhere(drill.site_id, x))), "")


def _real_elsewhere(site_id: SiteId, device: Device) -> str:
    """A press that another school hears, too, is an event of that school, and no drill runs there."""
    others = [other for other in dict.fromkeys((device.site_id, *device.roaming_sites)) if other != site_id]
    return f"{device.id} may press at {' and '.join(others)} as well" if others else ""


def on_order(d: Draft, event: DrillOrdered) -> None:
    """Begin a drill and tell those who take part, or write down why not."""
    if d.facts.seen_us is not None:
        d.entry(EntryKind.DRILL, Reason.DUPLICATE, "this drill was ordered before")
        return
    d.cause = event.cause
    if refusal := why_not(d.facts.registry, event, tuple(d.state.incidents.values()), d.drill):
        d.entry(EntryKind.DRILL, Reason.DRILL_REFUSED, f"{event.by} wants a drill: {refusal}")
        return
    seconds = event.minutes * 60
    drill = d.put_drill(
        Drill(
            id=drill_id(event),
            site_id=event.site_id,
            incident_class=event.incident_class,
            device_ids=tuple(dict.fromkeys(event.device_ids)),
            told_before=event.told_before.strip(),
            by=event.by,
            by_id=event.by_id,
            person_ids=event.person_ids,
            started_us=d.now.wall_us,
            ends_us=d.now.wall_us + seconds * 1_000_000,
            before=news.carried(d),
            anchor=anchor(d.now),
        )
    )
    d.timer(TimerKind.DRILL_END, seconds, detail=drill.id)
    text = f"{event.by} begins a {news.what(drill)} for {event.minutes} min; told before: {drill.told_before}"
    d.entry(EntryKind.DRILL, Reason.DRILL_BEGUN, text, drill=drill.id)
    told: dict[str, DrillTold] = {}
    for addressee in _participants(d, drill):
        options = reach(d.facts, addressee.person, (), panic=False)
        if not options:
            d.entry(EntryKind.DRILL, Reason.NO_ENDPOINT, f"{addressee.person.name} has no endpoint", drill=drill.id)
        for option in options:
            tell(d, drill, Kind.DRILL_BEGINS, addressee.person, option.endpoint, suppressed=option.suppressed)
            if option.suppressed is None:
                key = option.endpoint.key
                told.setdefault(key, DrillTold(endpoint_key=key, person_id=addressee.person.id))
    d.put_drill(replace(drill, told=tuple(told.values())))


def drill_id(event: DrillOrdered) -> DrillId:
    """The same order is the same drill."""
    return DrillId(derive("drill", event.site_id, event.cause))


def _participants(d: Draft, drill: Drill) -> tuple[Addressee, ...]:
    """Those who were named, else whoever the policy of the class can ever call at this site; and who ordered it."""
    registry = d.facts.registry
    if drill.person_ids:
        named = tuple(registry.people[id_] for id_ in drill.person_ids if id_ in registry.people)
    else:
        _, policy = d.policy_now(drill.incident_class)
        targets = tuple(t for step in policy.steps for t in step.targets if t.kind is not TargetKind.DISTRICT)
        named = tuple(a.person for a in people_of(registry, drill.site_id, targets, d.now.wall_us))
    leader = registry.people.get(drill.by_id) if drill.by_id else None
    people = {p.id: p for p in (*named, *((leader,) if leader else ()))}
    return tuple(Addressee(person=person, words="responder") for person in people.values())
