"""The whole of a rehearsal as one value, ready to be shown or written as JSON.

Owns which findings are brought before everything else. Must hold no phone number that is not masked.
"""

from collections.abc import Iterator, Sequence
from statistics import median_low

from msgspec import Struct
from msgspec.structs import replace

from alertd import __version__
from alertd.config import Loaded
from alertd.model.ids import DISTRICT
from alertd.model.incident import SEVERITY, IncidentClass, Severity
from alertd.model.people import Person, PersonKind
from alertd.model.registry import Registry
from alertd_simulator.rehearsal import words
from alertd_simulator.rehearsal.assumptions import SOURCES, Assumptions
from alertd_simulator.rehearsal.findings import HARM, Hang, Spread, Weight, spread
from alertd_simulator.rehearsal.parts import LIFELINES, PartKind
from alertd_simulator.rehearsal.rehearsed import Rehearsed
from alertd_simulator.rehearsal.subjects import NotRehearsed
from alertd_simulator.rehearsal.world_limits import is_readable

ADULTS = frozenset({PersonKind.STAFF, PersonKind.RESPONDER})
FIRST = frozenset({Weight.NOBODY_TOLD, Weight.DISPATCH_NOT_TOLD, Weight.TOLD_LATER})
"""Losses that are said before everything else."""
HANGS = frozenset(weight.name.lower() for weight in Weight if weight is not Weight.ANSWERED_LATER)
HARM_MOST = max(HARM.values())
READ = 'They look for the words "Reply 4{token} going".'
CARRIED = 0.5
"""A person is said to carry a policy from this share of its days on."""
MANY_UNANSWERED = 0.25
"""From this share of days without a sufficient answer it is said first."""


class Sample(Struct, frozen=True, kw_only=True):
    """One rehearsed day."""

    moment: str
    time_of_day: str
    faults: tuple[str, ...]
    told_s: float | None
    answered_s: float | None
    exhausted_s: float | None
    texts: int


class Told(Struct, frozen=True, kw_only=True):
    """A person, and when their phone rings if nobody answers (`None`: only on other days)."""

    name: str
    phone: str
    days: int
    silent_s: float | None


class Loss(Struct, frozen=True, kw_only=True):
    """What is lost when one part fails."""

    name: str
    failure: str
    kind: PartKind
    weight: str
    consequence: str
    days: int
    of_days: int
    told_p50_s: tuple[float | None, float | None]
    """Before, after."""
    answered_p50_s: tuple[float | None, float | None]


class PolicyReport(Struct, frozen=True, kw_only=True):
    site: str
    site_name: str
    incident_class: str
    policy: str
    triggers: int
    """Devices that can trigger it."""
    steps_s: tuple[float, ...]
    """When each step after the first begins, and when it is exhausted, if nobody answers: as configured."""
    told: Spread
    answered: Spread
    exhausted: Spread
    """Over the days on which every step had passed; on the others somebody answered before, and that is no delay."""
    silent_told_s: float | None
    silent_exhausted_s: float | None
    dispatch: dict[str, Spread]
    texts_median: int
    texts_worst: int
    segments_median: int
    segments_worst: int
    segments_silent: int
    losses: tuple[Loss, ...]
    people: tuple[Told, ...]
    never_told: tuple[str, ...]
    samples: tuple[Sample, ...]
    broken: tuple[str, ...]

    @property
    def title(self) -> str:
        return f"{self.site_name}: {words.class_name(self.incident_class)}"

    @property
    def severity(self) -> Severity:
        return SEVERITY[IncidentClass(self.incident_class)]

    @property
    def hangs_on(self) -> tuple[str, ...]:
        """What is the district's own to change, and leaves somebody in the dark, or for long: the worst first, and
        before all else the one person without whom a lockdown goes wrong."""
        names = [loss.name for loss in self.losses if loss.kind not in LIFELINES and loss.weight in HANGS]
        return tuple(dict.fromkeys((*self.carried_by, *names)))

    @property
    def carried_by(self) -> tuple[str, ...]:
        """Single people who carry a lockdown: without the one phone it goes wrong on half of its days or more."""
        if self.severity is not Severity.LOCKDOWN:
            return ()
        people = [loss for loss in self.losses if loss.kind is PartKind.PERSON and loss.weight in HANGS]
        return tuple(loss.name for loss in people if loss.days >= CARRIED * loss.of_days)


class Report(Struct, frozen=True, kw_only=True):
    district: str
    config_version: str
    alertd_version: str
    seed: int
    days: int
    attention: tuple[str, ...]
    """What somebody should look at, the worst first."""
    policies: tuple[PolicyReport, ...]
    not_rehearsed: tuple[NotRehearsed, ...]
    never_told_of_anything: tuple[str, ...]
    assumptions: Assumptions
    sources: tuple[str, ...] = SOURCES

    @property
    def impossible(self) -> dict[tuple[str, str], list[str]]:
        """Class and why it cannot be rehearsed -> names of the sites."""
        found: dict[tuple[str, str], list[str]] = {}
        for one in self.not_rehearsed:
            found.setdefault((words.class_name(one.incident_class), one.why), []).append(one.site_name)
        return found


def report_of(
    loaded: Loaded,
    rehearsed: Sequence[Rehearsed],
    not_rehearsed: tuple[NotRehearsed, ...],
    assumptions: Assumptions,
    *,
    seed: int,
    days: int,
) -> Report:
    registry = loaded.registry
    rehearsed = sorted(rehearsed, key=lambda each: -SEVERITY[IncidentClass(each.subject.incident_class)])
    policies = tuple(_policy(registry, each) for each in rehearsed)
    silent = tuple(_never_told(registry, rehearsed))
    return Report(
        district=registry.district,
        config_version=registry.version,
        alertd_version=__version__,
        seed=seed,
        days=days,
        attention=tuple(_attention(rehearsed, policies, silent)),
        policies=policies,
        not_rehearsed=not_rehearsed,
        never_told_of_anything=silent,
        assumptions=assumptions,
    )


def _policy(registry: Registry, each: Rehearsed) -> PolicyReport:
    subject, measured = each.subject, each.measured
    texts, segments = [m.texts for m in measured], [m.segments for m in measured]
    destinations = sorted({name for m in (*measured, each.silent) for name in m.dispatch_s})
    return PolicyReport(
        site=subject.site_id,
        site_name=subject.site_name,
        incident_class=subject.incident_class,
        policy=subject.policy.id,
        triggers=len({way.device_id for way in subject.ways}),
        steps_s=tuple(_step_ends(each)),
        told=spread([m.told_s for m in measured]),
        answered=spread([m.answered_s for m in measured]),
        exhausted=_of_those_on_which_it_happened([m.exhausted_s for m in measured]),
        silent_told_s=each.silent.told_s,
        silent_exhausted_s=each.silent.exhausted_s,
        dispatch={name: spread([m.dispatch_s.get(name) for m in measured]) for name in destinations},
        texts_median=median_low(texts),
        texts_worst=max(texts),
        segments_median=median_low(segments),
        segments_worst=max(segments),
        segments_silent=each.silent.segments,
        losses=tuple(map(_loss, each.hangs)),
        people=tuple(_people(registry, each)),
        never_told=tuple(_left_out(registry, each)),
        samples=tuple(
            Sample(
                moment=day.moment, time_of_day=day.time_of_day, faults=day.faults, told_s=m.told_s,
                answered_s=m.answered_s, exhausted_s=m.exhausted_s, texts=m.texts,
            )
            for day, m in zip(each.days, measured, strict=True)
        ),
        broken=each.broken,
    )  # fmt: skip


def _step_ends(each: Rehearsed) -> Iterator[float]:
    end_s = 0.0
    for step in each.subject.policy.steps:
        end_s += step.wait_s
        yield end_s


def _of_those_on_which_it_happened(values: Sequence[float | None]) -> Spread:
    happened = [value for value in values if value is not None]
    return replace(spread(happened), days=len(values))


def _loss(found: Hang) -> Loss:
    return Loss(
        name=found.part.name,
        failure=found.part.failure,
        kind=found.part.kind,
        weight=found.weight.name.lower(),
        consequence=words.without(found),
        days=found.days,
        of_days=found.of_days,
        told_p50_s=(found.told_before.p50_s, found.told_after.p50_s),
        answered_p50_s=(found.answered_before.p50_s, found.answered_after.p50_s),
    )


def _people(registry: Registry, each: Rehearsed) -> Iterator[Told]:
    """Whoever was told on any day, the first of them first."""
    silent = {ring.person_id: ring.after_s for ring in each.silent.rings}
    rung = [{ring.person_id for ring in m.rings} for m in each.measured]
    told = [p for p in registry.people.values() if p.id in silent or any(p.id in ids for ids in rung)]
    for person in sorted(told, key=lambda p: silent.get(p.id, float("inf"))):
        yield Told(
            name=person.name,
            phone=_phone(person),
            days=sum(person.id in ids for ids in rung),
            silent_s=silent.get(person.id),
        )


def _phone(person: Person) -> str:
    return words.masked(person.endpoints[0].address) if person.endpoints else "no phone"


def _everybody_told(each: Rehearsed) -> set[str]:
    return {ring.person_id for m in (*each.measured, each.silent) for ring in m.rings}


def _left_out(registry: Registry, each: Rehearsed) -> Iterator[str]:
    """Adults of the site whose phone never rang."""
    told = _everybody_told(each)
    for person in registry.people.values():
        if person.kind in ADULTS and each.subject.site_id in person.sites and person.id not in told:
            yield person.name


def _never_told(registry: Registry, rehearsed: Sequence[Rehearsed]) -> Iterator[str]:
    """Adults of any rehearsed school who were told of nothing. The wearer of the only badge is told by others'."""
    told = {person_id for each in rehearsed for person_id in _everybody_told(each)}
    schools = {each.subject.site_id for each in rehearsed} - {DISTRICT}
    for person in registry.people.values():
        if person.kind in ADULTS and schools & set(person.sites) and person.id not in told:
            yield person.name if person.endpoints else f"{person.name} (no phone)"


# --- what is said first ---------------------------------------------------------------------------------------------


class _Item(Struct, frozen=True, kw_only=True):
    """One sentence, and what puts it in order: the graver incident first, then a person who carries it, then harm ×
    days; what every press hangs on, whatever the policies say, comes behind what the district can change."""

    severity: Severity
    is_carrier: bool = False
    is_lifeline: bool = False
    harm: float
    sentence: str

    @property
    def order(self) -> tuple[int, bool, bool, float]:
        return -self.severity, not self.is_carrier, self.is_lifeline, -self.harm


def _attention(
    rehearsed: Sequence[Rehearsed], policies: Sequence[PolicyReport], never_told: Sequence[str]
) -> Iterator[str]:
    items = [*_unreadable(rehearsed, policies), *_dark_days(policies), *_single_points(rehearsed, policies)]
    yield from (item.sentence for item in sorted(items, key=lambda item: item.order))
    unanswered = [
        f"{policy.title} ({words.days(missed, policy.answered.days)})"
        for policy in sorted(policies, key=lambda policy: -policy.severity)
        if (missed := policy.answered.days - policy.answered.happened) >= MANY_UNANSWERED * policy.answered.days
    ]
    if unanswered:
        yield f"No sufficient answer: {words.listed(unanswered)}."
    if never_told:
        yield f"Told of nothing that was rehearsed: {words.listed(never_told)}."
    broken = dict.fromkeys(message for policy in policies for message in policy.broken)
    if broken:
        yield f"alertd broke a promise in the simulation. Please report it: {words.listed(list(broken), 3)}"


def _unreadable(rehearsed: Sequence[Rehearsed], policies: Sequence[PolicyReport]) -> Iterator[_Item]:
    for each, policy in zip(rehearsed, policies, strict=True):
        if not is_readable(each.subject.policy):
            sentence = f"{policy.title}: simulated people do not understand its alert, so nobody answers it. {READ}"
            yield _Item(severity=policy.severity, is_carrier=True, harm=2 * HARM_MOST, sentence=sentence)


def _dark_days(policies: Sequence[PolicyReport]) -> Iterator[_Item]:
    for policy in policies:
        missed = policy.told.days - policy.told.happened
        if missed:
            sentence = f"{policy.title}: nobody was told at all {words.days(missed, policy.told.days)}."
            harm = HARM_MOST * (1 + missed / policy.told.days)
            yield _Item(severity=policy.severity, is_carrier=True, harm=harm, sentence=sentence)


def _single_points(rehearsed: Sequence[Rehearsed], policies: Sequence[PolicyReport]) -> Iterator[_Item]:
    """Parts without which somebody stays in the dark, or hears late; one line for all the policies that share one."""
    found: dict[tuple[Weight, str], list[tuple[PolicyReport, Hang]]] = {}
    for each, policy in zip(rehearsed, policies, strict=True):
        for one in each.hangs:
            if one.weight in FIRST or one.part.name in policy.carried_by:
                found.setdefault((one.weight, one.part.failure), []).append((policy, one))
    for (weight, _), losses in found.items():
        consequences = {words.without(one) for _, one in losses}
        if len(consequences) == 1:
            yield _item(losses, consequences.pop(), len(rehearsed))
        elif weight is Weight.NOBODY_TOLD:
            yield _item(losses, "nobody is told, on some days or on all", len(rehearsed))
        else:
            yield from (_item([loss], words.without(loss[1]), len(rehearsed)) for loss in losses)


def _item(losses: Sequence[tuple[PolicyReport, Hang]], consequence: str, rehearsed: int) -> _Item:
    titles = [policy.title for policy, _ in sorted(losses, key=lambda loss: -loss[0].severity)]
    whose = "every policy" if len(titles) == rehearsed and len(titles) > 1 else words.listed(titles, 4)
    gravest = max(policy.severity for policy, _ in losses)
    part = losses[0][1].part
    return _Item(
        severity=gravest,
        is_carrier=part.kind is PartKind.PERSON and any(part.name in policy.carried_by for policy, _ in losses),
        is_lifeline=part.kind in LIFELINES,
        harm=max(one.harm for policy, one in losses if policy.severity is gravest),
        sentence=f"If {part.failure}, {consequence} ({whose}).",
    )
