"""Who is meant by a policy's targets: people and destinations, resolved at the moment a step fires."""

from collections.abc import Set as AbstractSet
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from msgspec import Struct

from alertd.model.decision import Facts
from alertd.model.ids import DISTRICT, PersonId, SiteId
from alertd.model.incident import IncidentClass, is_nuisance, is_panic
from alertd.model.mode import Mode
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


class Notice(StrEnum):
    """What the district's sender of notices (`ChannelRules.notices`) is to a message. Endpoints over it come last in a
    person's own order (`config.people`)."""

    NEVER = "never"
    """A drill: whoever told the carrier to stop is left in peace. Only that it is over, or real, is `LAST`."""
    LAST = "last"
    """A press, and whatever follows from it: only where every other number of theirs told the carrier to stop."""
    FIRST = "first"
    """A trouble, an alarm to be looked into: over it, and over any other way where it does not work."""
    ONLY = "only"
    """A nuisance: never over the sender of presses. Whoever texts STOP to a vape notice keeps texts of lockdowns."""


def notice_of(incident_class: IncidentClass, mode: Mode) -> Notice:
    if mode is not Mode.LIVE:
        return Notice.NEVER
    if is_nuisance(incident_class):
        return Notice.ONLY
    return Notice.LAST if is_panic(incident_class) else Notice.FIRST


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


def though_off_duty(registry: Registry, target: Target) -> tuple[Target, ...]:
    """Everybody who is ever on duty by it."""
    schedule = registry.schedules.get(target.id) if target.kind is TargetKind.SCHEDULE else None
    if schedule is None:
        return (target,)
    people = dict.fromkeys(shift.person_id for shift in schedule.shifts)
    return tuple(Target(kind=TargetKind.PERSON, id=person_id, words=target.words) for person_id in people)


def _instants(day: date, at: str, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """Both readings of a local time: it happens twice when the clock goes back, and between two when it goes on."""
    local = datetime.combine(day, time.fromisoformat(at), zone)
    return local.replace(fold=0).astimezone(UTC), local.replace(fold=1).astimezone(UTC)


def instead_of(
    registry: Registry, person: Person, failed: Endpoint, notice: Notice, stopped: AbstractSet[str]
) -> tuple[Endpoint, ...]:
    """The person's other endpoints, for a message that one of them did not take. `stopped`: keys of those that told the
    carrier to stop."""
    endpoints, _ = _by_sender(registry, person, (), notice, stopped)
    return tuple(e for e in endpoints if e.key != failed.key)


def _by_sender(
    registry: Registry, person: Person, channels: tuple[str, ...], notice: Notice, stopped: AbstractSet[str]
) -> tuple[tuple[Endpoint, ...], tuple[str, ...]]:
    """Endpoints in the order in which the message prefers them, and the channels to use in parallel. Where the district
    has no sender of notices, or the person none of its numbers, everything goes over the one that there is."""
    over_notices = tuple(e for e in person.endpoints if _is_of_notices(registry, e))
    if not over_notices:
        return person.endpoints, channels
    rest = tuple(e for e in person.endpoints if e not in over_notices)
    if notice in (Notice.NEVER, Notice.LAST):
        texts = [e for e in rest if not _is_call(registry, e)]
        is_last = notice is Notice.LAST and all(e.key in stopped for e in texts)
        return (*rest, *over_notices) if is_last else rest, channels
    # A call is no text that STOP answers: where the policy asks for one, the phone rings.
    calls = tuple(e for e in rest if e.channel in channels and _is_call(registry, e))
    endpoints = (*over_notices, *calls) if notice is Notice.ONLY else (*over_notices, *rest)
    return endpoints, tuple(e.channel for e in (*over_notices[:1], *calls)) if calls else ()


def _is_of_notices(registry: Registry, endpoint: Endpoint) -> bool:
    rules = registry.channels.get(endpoint.channel)
    return rules is not None and rules.notices


def _is_call(registry: Registry, endpoint: Endpoint) -> bool:
    rules = registry.channels.get(endpoint.channel)
    return rules is not None and rules.is_call


def destinations_of(registry: Registry, site_id: SiteId, step: Step) -> tuple[Destination, ...]:
    """Dispatch centres and other machines of the step that serve this site."""
    wanted = [t.id for t in step.targets if t.kind is TargetKind.DESTINATION]
    found = (registry.destinations.get(id_) for id_ in wanted)
    return tuple(d for d in found if d is not None and site_id in d.site_ids)


def reach(
    facts: Facts,
    person: Person,
    channels: tuple[str, ...],
    *,
    panic: bool,
    notice: Notice = Notice.NEVER,
    hides: bool = False,
) -> tuple[Reach, ...]:
    """The endpoints to try for a person.

    `channels` in parallel if the step names them, else the first that works. What cannot be used is listed with its
    reason, and another endpoint takes its place. The phone of who `hides` rings only where no text goes. For a panic a
    broken channel is tried all the same, beside another: a breaker is a guess, and nothing may silence a first panic
    (promise 2)."""
    endpoints, channels = _by_sender(facts.registry, person, channels, notice, facts.opted_out)
    if hides:
        endpoints = tuple(sorted(endpoints, key=lambda e: _is_call(facts.registry, e)))
    wanted = [e for e in endpoints if not channels or e.channel in channels]
    others = [e for e in endpoints if e not in wanted]
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
