"""Policies: whom does each step reach, at every hour, and can they answer?"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from alertd.config import Thing
from alertd.engine.audience import Addressee, people_of
from alertd.engine.escalation import MACHINES
from alertd.lint.findings import TROUBLE, Judge, policy_key
from alertd.model.ids import DISTRICT, PersonId
from alertd.model.incident import IncidentClass, is_panic
from alertd.model.people import Person, PersonKind
from alertd.model.policy import Policy, Target, TargetKind
from alertd.model.site import Site

ASKS = "responder"
"""The words that carry codes; "staff" are told what to do and asked for nothing."""

LOOKED_AT_EVERY = timedelta(minutes=30)
DAYS_AHEAD = 366


def check_policies(judge: Judge, today: date) -> None:
    for policy in judge.registry.policies.values():
        _check_cancel_window(judge, policy)
    if judge.unread(Thing.PERSON, Thing.GROUP, Thing.SCHEDULE, Thing.CHANNEL, Thing.DESTINATION):
        return
    for site, incident_class, policy in judge.uses():
        _check_audience(judge, site, incident_class, policy, today)


def _check_cancel_window(judge: Judge, policy: Policy) -> None:
    if policy.cancel_window_s and policy.incident_class != IncidentClass.STAFF_ASSIST:
        message = f"{policy.incident_class} cannot have a cancel window: nothing delays a first panic"
        judge.error(Thing.POLICY, policy.id, "cancel_window_s", message, "remove it; only staff_assist may have one")


def _check_audience(judge: Judge, site: Site, incident_class: str, policy: Policy, today: date) -> None:
    told: dict[str, Addressee] = {}
    for number, step in enumerate(policy.steps):
        name = f"{policy.id}/{number}"
        wanted = tuple(t for t in step.targets if t.kind not in MACHINES)
        _check_targets(judge, site, incident_class, name, step.targets)
        if wanted:
            found = _step_people(judge, site, name, wanted, today)
            told |= {each.person.id: each for each in found if _new_words(told, each)}
        _check_answers(judge, site, policy, number, tuple(told.values()))
    if not any(each.person.endpoints for each in told.values()):
        _reaches_nobody(judge, site, incident_class, policy)


def _new_words(told: dict[str, Addressee], addressee: Addressee) -> bool:
    """Told for the first time, or for the first time in words that ask for an answer."""
    before = told.get(addressee.person.id)
    return before is None or before.words != ASKS


def _reaches_nobody(judge: Judge, site: Site, incident_class: str, policy: Policy) -> None:
    message = f"{incident_class} at {site.id}: policy {policy.id} reaches no person with a phone"
    remedy = f"add people of {site.id} with phones to its targets"
    judge.error(*policy_key(site, incident_class), message, remedy)


def _step_people(judge: Judge, site: Site, name: str, wanted: tuple[Target, ...], today: date) -> tuple[Addressee, ...]:
    """Everyone whom the step reaches at one time or another; an empty audience is an error, a gap a warning."""
    always = tuple(t for t in wanted if t.kind is not TargetKind.SCHEDULE)
    by_schedule = tuple(t for t in wanted if t.kind is TargetKind.SCHEDULE)
    people = [*people_of(judge.registry, site.id, always, 0), *_on_schedules(judge, site, by_schedule)]
    gap = "" if people_of(judge.registry, site.id, always, 0) else _first_gap(judge, site, by_schedule, today)
    found = tuple({each.person.id: each for each in reversed(people)}.values())
    if not found:
        message = f"at {site.id} it reaches nobody"
        judge.error(Thing.STEP, name, "targets", message, f"name people or groups of {site.id}")
    elif not any(each.person.endpoints for each in found):
        message = f"at {site.id} nobody whom it reaches has a phone"
        judge.error(Thing.STEP, name, "targets", message, "write their phones in people.csv")
    elif by_schedule and not any(_on_schedules(judge, site, by_schedule)):
        named = ", ".join(t.id for t in by_schedule)
        message = f"at {site.id} nobody of {named} is told: a press reaches the people of its own school only"
        remedy = f'name a schedule of {site.id}, or add "{site.id}" to the sites of its people in people.csv'
        judge.warn(Thing.STEP, name, "targets", message, remedy)
    elif gap:
        message = f"at {site.id} nobody is on duty from {gap}"
        judge.warn(Thing.STEP, name, "targets", message, "close the gap, or add somebody who is always told")
    _check_kinds(judge, name, tuple(each.person for each in found))
    return found


def _on_schedules(judge: Judge, site: Site, targets: tuple[Target, ...]) -> Iterator[Addressee]:
    """Everyone of the site who is ever on duty."""
    for target in targets:
        schedule = judge.registry.schedules.get(target.id)
        for shift in schedule.shifts if schedule else ():
            person = judge.registry.people.get(shift.person_id)
            if person is not None and (site.id == DISTRICT or site.id in person.sites):
                yield Addressee(person=person, words=target.words)


def _first_gap(judge: Judge, site: Site, schedules: tuple[Target, ...], today: date) -> str:
    """When nobody of the schedules is on duty first ("Fri 16:30"); empty if somebody always is."""
    if not schedules:
        return ""
    for moment in _moments(site, today):
        if not people_of(judge.registry, site.id, schedules, _us(moment)):
            return moment.astimezone(ZoneInfo(site.time_zone)).strftime("%a %H:%M")
    return ""


def _check_kinds(judge: Judge, name: str, people: tuple[Person, ...]) -> None:
    for person in people:
        if person.kind in (PersonKind.PARENT, PersonKind.STUDENT):
            message = f"would tell {person.name}, a {person.kind}, without a human's decision"
            judge.error(Thing.STEP, name, "targets", message, "take parents and students out of the group (req 49)")


def _check_targets(judge: Judge, site: Site, incident_class: str, name: str, targets: tuple[Target, ...]) -> None:
    is_mass = {TargetKind.SITE_STAFF, TargetKind.DISTRICT}
    for target in targets:
        match target.kind:
            case TargetKind.DESTINATION:
                destination = judge.registry.destinations.get(target.id)
                if destination is not None and site.id not in destination.site_ids:
                    remedy = f'add "{site.id}" to the sites of [destinations.{target.id}]'
                    judge.error(Thing.STEP, name, "targets", f"{target.id} does not serve {site.id}", remedy)
            case TargetKind.SITE_STAFF | TargetKind.DISTRICT:
                if incident_class != TROUBLE and target.kind in is_mass and not is_panic(IncidentClass(incident_class)):
                    remedy = "name the people whose duty it is: a nuisance is no mass message (req 70)"
                    judge.error(Thing.STEP, name, "targets", f"would tell everybody of {incident_class}", remedy)
            case TargetKind.PERSON:
                person = judge.registry.people.get(PersonId(target.id))
                if person is not None and site.id not in (*person.sites, DISTRICT):
                    remedy = f'add "{site.id}" to their sites in people.csv'
                    judge.error(Thing.STEP, name, "targets", f"{person.name} does not belong to {site.id}", remedy)
            case TargetKind.GROUP | TargetKind.SCHEDULE | TargetKind.LOUDSPEAKERS:
                pass  # empty ones are found by resolving the step; of loudspeakers see `loudspeakers`


def _check_answers(judge: Judge, site: Site, policy: Policy, number: int, told: tuple[Addressee, ...]) -> None:
    """Those whose answers count, and whose words ask for one, must be able to give as many as the step asks for."""
    step = policy.steps[number]
    if policy.incident_class == TROUBLE or not told:
        return
    asked = [each.person for each in told if each.words == ASKS and each.person.endpoints]
    counted = [p for p in asked if not step.answer_from or set(step.answer_from) & set(p.groups)]
    if len(counted) < step.answers:
        who = "people" if not step.answer_from else f"people of {', '.join(step.answer_from)}"
        message = f"asks for {step.answers} answers, but at {site.id} only {len(counted)} {who} are asked by then"
        judge.error(
            Thing.STEP, f"{policy.id}/{number}", "answers", message, "ask for fewer answers, or tell more people"
        )


def _moments(site: Site, today: date) -> Iterator[datetime]:
    """Half hours of one ordinary week, and of the days around each change of the clock within a year."""
    zone = ZoneInfo(site.time_zone)
    start = datetime.combine(today, datetime.min.time(), zone)
    days = set(range(7))
    for day in range(DAYS_AHEAD):
        here = datetime.combine(today + timedelta(days=day), datetime.min.time(), zone)
        there = datetime.combine(today + timedelta(days=day + 1), datetime.min.time(), zone)
        if here.utcoffset() != there.utcoffset():
            days |= {day - 1, day, day + 1}
    for day in sorted(days):
        midnight = datetime.combine(start.date() + timedelta(days=day), datetime.min.time(), zone).astimezone(UTC)
        for slot in range(50):  # 25 hours: the longest day
            yield midnight + slot * LOOKED_AT_EVERY


def _us(moment: datetime) -> int:
    return int(moment.timestamp() * 1_000_000)
