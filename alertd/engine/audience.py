"""Who is meant by a policy's targets: people and destinations, resolved at the moment a step fires."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from msgspec import Struct

from alertd.model.decision import Facts
from alertd.model.ids import DISTRICT, PersonId, SiteId
from alertd.model.people import Destination, Endpoint, Person, Schedule
from alertd.model.policy import Step, Target, TargetKind
from alertd.model.reason import Reason
from alertd.model.registry import Registry


class Addressee(Struct, frozen=True, kw_only=True):
    """A person who is meant, in which words."""

    person: Person
    words: str


class Reach(Struct, frozen=True, kw_only=True):
    """One endpoint of an addressee: to be tried, or left alone for a reason."""

    endpoint: Endpoint
    suppressed: Reason | None = None


def people_of(registry: Registry, site_id: SiteId, targets: tuple[Target, ...], now_us: int) -> tuple[Addressee, ...]:
    """People of the targets, each once, in order; the first words win (responders are listed before staff).

    A person of another site is left out, unless the target is the district: a press reaches one site (promise 6)."""
    found: dict[str, Addressee] = {}
    for target in targets:
        for person in _people(registry, site_id, target, now_us):
            if target.kind is TargetKind.DISTRICT or site_id == DISTRICT or site_id in person.sites:
                found.setdefault(person.id, Addressee(person=person, words=target.words))
    return tuple(found.values())


def _people(registry: Registry, site_id: SiteId, target: Target, now_us: int) -> tuple[Person, ...]:
    match target.kind:
        case TargetKind.PERSON:
            person = registry.people.get(PersonId(target.id))
            return (person,) if person else ()
        case TargetKind.GROUP:
            return registry.by_group.get(target.id, ())
        case TargetKind.SCHEDULE:
            schedule = registry.schedules.get(target.id)
            return on_duty(registry, schedule, now_us) if schedule else ()
        case TargetKind.SITE_STAFF:
            return registry.site_staff.get(site_id, ())
        case TargetKind.DISTRICT:
            return registry.site_staff.get(DISTRICT, ())
        case TargetKind.DESTINATION | TargetKind.LOUDSPEAKERS:
            return ()


def on_duty(registry: Registry, schedule: Schedule, now_us: int) -> tuple[Person, ...]:
    """Everyone whose shift covers the moment. Local wall time: on the day the clock goes back a shift lasts from the
    first occurrence of its start to the last of its end, so shifts overlap and never leave a gap."""
    zone = ZoneInfo(schedule.time_zone)
    moment = datetime.fromtimestamp(now_us / 1_000_000, UTC)
    today = moment.astimezone(zone).date()
    found: dict[str, Person] = {}
    for shift in schedule.shifts:
        for day in (today - timedelta(days=1), today):
            if day.isoweekday() not in shift.days:
                continue
            start = min(_instants(day, shift.start, zone))
            ends_next_day = time.fromisoformat(shift.end) <= time.fromisoformat(shift.start)
            end = max(_instants(day + timedelta(days=ends_next_day), shift.end, zone))
            person = registry.people.get(shift.person_id)
            if person is not None and start <= moment < end:
                found.setdefault(person.id, person)
    return tuple(found.values())


def _instants(day: date, at: str, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """Both readings of a local time: it happens twice when the clock goes back, and between two when it goes on."""
    local = datetime.combine(day, time.fromisoformat(at), zone)
    return local.replace(fold=0).astimezone(UTC), local.replace(fold=1).astimezone(UTC)


def destinations_of(registry: Registry, site_id: SiteId, step: Step) -> tuple[Destination, ...]:
    """Dispatch centres and other machines of the step that serve this site."""
    wanted = [t.id for t in step.targets if t.kind is TargetKind.DESTINATION]
    found = (registry.destinations.get(id_) for id_ in wanted)
    return tuple(d for d in found if d is not None and site_id in d.site_ids)


def reach(facts: Facts, person: Person, channels: tuple[str, ...], *, panic: bool) -> tuple[Reach, ...]:
    """The endpoints to try for a person.

    `channels` in parallel if the step names them, else the first that works. What cannot be used is listed with its
    reason, and another endpoint takes its place. For a panic a broken channel is tried all the same, beside another:
    a breaker is a guess, and nothing may silence a first panic (promise 2)."""
    wanted = [e for e in person.endpoints if not channels or e.channel in channels]
    others = [e for e in person.endpoints if e not in wanted]
    tried: list[Reach] = []
    working = 0
    for endpoint in (*wanted, *others):
        needed = endpoint in wanted if channels else working == 0
        if not needed and working:
            break
        if endpoint.key in facts.opted_out:
            tried.append(Reach(endpoint=endpoint, suppressed=Reason.OPTED_OUT))
        elif endpoint.channel in facts.broken_channels:
            tried.append(Reach(endpoint=endpoint, suppressed=None if panic else Reason.CHANNEL_BROKEN))
        else:
            tried.append(Reach(endpoint=endpoint))
            working += 1
    return tuple(tried)
