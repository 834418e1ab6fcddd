"""Who has to be asked by when: a policy's steps in plain numbers, computed apart from the engine.

Owns the reading of targets and duty schedules, and the times at which steps are over if nobody answers. Judges nothing.
"""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from alertd.model.ids import DISTRICT, SiteId
from alertd.model.people import Destination, Person, Schedule
from alertd.model.policy import Policy, Step, Target, TargetKind
from alertd.model.registry import Registry

WIDEN_S = 120.0
"""Exhausted: everyone is asked again this often (design, "Escalation, in one paragraph")."""


def steps_over_s(policy: Policy) -> float:
    """Seconds until every step had its time, if nobody answers."""
    return float(sum(step.wait_s for step in policy.steps))


def people_meant(registry: Registry, site_id: SiteId, step: Step, wall_us: tuple[int, int]) -> list[Person]:
    """People whom the step names, at whatever moment of that stretch of time it may have fired."""
    found: dict[str, Person] = {}
    for target in step.targets:
        for person in _named(registry, site_id, target, wall_us):
            if target.kind is TargetKind.DISTRICT or site_id in person.sites:
                found[person.id] = person
    return list(found.values())


def _named(registry: Registry, site_id: SiteId, target: Target, wall_us: tuple[int, int]) -> list[Person]:
    people = registry.people.values()
    match target.kind:
        case TargetKind.PERSON:
            return [p for p in people if p.id == target.id]
        case TargetKind.GROUP:
            return [p for p in people if target.id in p.groups]
        case TargetKind.SITE_STAFF:
            return _adults(registry, site_id)
        case TargetKind.DISTRICT:
            return _adults(registry, DISTRICT)
        case TargetKind.SCHEDULE:
            schedule = registry.schedules.get(target.id)
            return [] if schedule is None else _on_duty_throughout(registry, schedule, wall_us)
        case TargetKind.DESTINATION | TargetKind.LOUDSPEAKERS:
            return []


def _adults(registry: Registry, site_id: SiteId) -> list[Person]:
    return [p for p in registry.people.values() if p.kind in ("staff", "responder") and site_id in p.sites]


def centers_meant(registry: Registry, site_id: SiteId, step: Step) -> list[Destination]:
    """Machines that the step names and that serve the site."""
    wanted = {target.id for target in step.targets if target.kind is TargetKind.DESTINATION}
    return [d for d in registry.destinations.values() if d.id in wanted and site_id in d.site_ids]


def _on_duty_throughout(registry: Registry, schedule: Schedule, wall_us: tuple[int, int]) -> list[Person]:
    """Those whose one shift holds the whole stretch with an hour to spare: nobody can say that they were not meant.
    Near its ends, and around a change of clocks, who is meant depends on the second."""
    zone = ZoneInfo(schedule.time_zone)
    since = datetime.fromtimestamp(wall_us[0] / 1e6, UTC).astimezone(zone).replace(tzinfo=None) - timedelta(hours=1)
    until = datetime.fromtimestamp(wall_us[1] / 1e6, UTC).astimezone(zone).replace(tzinfo=None) + timedelta(hours=1)
    found = []
    for shift in schedule.shifts:
        start, end = (timedelta(hours=int(at[:2]), minutes=int(at[3:])) for at in (shift.start, shift.end))
        midnight = datetime.combine(since.date(), datetime.min.time())
        begins, ends = midnight + start, midnight + end
        today = since.isoweekday() in shift.days and begins < ends
        if today and begins <= since and until <= ends and shift.person_id in registry.people:
            found.append(registry.people[shift.person_id])
    return found
