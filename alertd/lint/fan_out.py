"""How long telling takes: people × segments ÷ the channel's rate, for each step of each policy at each site (req 50).

Owns the arithmetic and the site's budget `everyone_told_within_s`. Supposes the hard case: nobody answers, and a
channel carries no faster than its rate, with nothing saved up. Must never suppose an order among the people of one
step: any of them may be the last. Counts one school at a time; a second one in need shares the same senders.
"""

from collections.abc import Iterable, Iterator, Mapping
from math import ceil

from msgspec import Struct

from alertd.config import Section, Thing
from alertd.config.sections import PHONE_KINDS, TEXT_KINDS
from alertd.engine import wording
from alertd.engine.audience import Addressee, people_of
from alertd.engine.gsm7 import septets, to_gsm7
from alertd.lint.findings import TROUBLE, Judge
from alertd.lint.longest import longest_params
from alertd.model.incident import IncidentClass, is_panic
from alertd.model.people import Endpoint, Person
from alertd.model.policy import Policy, Step, Target, TargetKind
from alertd.model.registry import Registry
from alertd.model.site import Site
from alertd.plugins import limits_of

SLOWEST_PER_S = 1.0
"""A long code's texts, an account's calls (Twilio 30001, 22005): taken where a phone channel does not say its rate."""

ONE_SEGMENT = 160
LONG_SEGMENT = 153
"""GSM-7 septets of a text alone, and of each part of a longer one (3GPP TS 23.040)."""

VERBS = {"sms": "texted", "voice": "called"}
ASKS = "responder"


class Wave(Struct, frozen=True, kw_only=True):
    """One step over one channel. Times are seconds since the press; `last_s`: the last person's message has left."""

    step: int
    """Counted from 1, as people count."""
    begins_s: float
    channel: str
    kind: str
    per_s: float
    """Segments or calls a second; 0 = no limit."""
    people: int
    segments: int
    """Of each message; a call is one."""
    first_s: float
    last_s: float


class FanOut(Struct, frozen=True, kw_only=True):
    """One incident class at one site, if nobody answers."""

    site: str
    incident_class: str
    policy: str
    waves: tuple[Wave, ...]
    told_at_once: int
    """People of the first step who have a phone."""
    everyone_told_s: float
    """Until each of them was told over one channel at least."""
    within_s: int | None
    """The site's budget; `None`: it has none for this class."""


def fan_outs(judge: Judge) -> tuple[FanOut, ...]:
    """Every class of every school. Empty if something that it depends on could not be read."""
    things = (Thing.SITE, Thing.PERSON, Thing.GROUP, Thing.SCHEDULE, Thing.CHANNEL, Thing.POLICY, Thing.DISTRICT)
    if judge.unread(*things):
        return ()
    rates = rates_of(judge.loaded.sections, judge.registry)
    uses = [(site, name, policy) for site, name, policy in judge.uses() if TROUBLE not in (name, policy.incident_class)]
    return tuple(_fan_out(judge, site, name, policy, rates) for site, name, policy in uses)


def rates_of(sections: Iterable[Section], registry: Registry) -> dict[str, float]:
    """Messages a second of each channel; 0 = no limit."""
    rates = {name: SLOWEST_PER_S if rules.kind in PHONE_KINDS else 0.0 for name, rules in registry.channels.items()}
    for section in sections:
        if section.table == "channels" and (limits := limits_of(section)) is not None:
            rates[section.name] = limits.per_s
    return rates


def check_fan_out(judge: Judge) -> None:
    """Is everyone told within the site's budget, and before their words expire?"""
    for fan_out in fan_outs(judge):
        _check_budget(judge, fan_out)
        _check_expiry(judge, fan_out)


# --- the arithmetic -------------------------------------------------------------------------------------------------


def left_s(count: int, per_s: float) -> float:
    """When the last of so many segments has left, in seconds: a bucket that begins empty and is filled at this rate."""
    return count / per_s if per_s else 0.0


def waves_of(
    steps: Iterable[tuple[int, Mapping[str, int]]], rates: Mapping[str, float], kinds: Mapping[str, str], segments: int
) -> Iterator[Wave]:
    """The waves of a policy: (seconds until the next step, channel -> people) of each of its steps. What an earlier
    step has not got rid of is carried first."""
    begins_s = 0.0
    free_s: dict[str, float] = {}
    for number, (wait_s, people) in enumerate(steps, start=1):
        for channel, count in people.items():
            each = segments if kinds[channel] in TEXT_KINDS else 1
            starts_s = max(begins_s, free_s.get(channel, 0.0))
            free_s[channel] = starts_s + left_s(count * each, rates[channel])
            yield Wave(
                step=number,
                begins_s=begins_s,
                channel=channel,
                kind=kinds[channel],
                per_s=rates[channel],
                people=count,
                segments=each,
                first_s=starts_s + left_s(each, rates[channel]),
                last_s=free_s[channel],
            )
        begins_s += wait_s


def _fan_out(judge: Judge, site: Site, incident_class: str, policy: Policy, rates: Mapping[str, float]) -> FanOut:
    registry = judge.registry
    kinds = {name: rules.kind for name, rules in registry.channels.items()}
    told = [dict(_told(registry, site, step)) for step in policy.steps]
    steps = [(step.wait_s, _counted(endpoints)) for step, endpoints in zip(policy.steps, told, strict=True)]
    waves = tuple(waves_of(steps, rates, kinds, _segments(judge, site, policy)))
    last_s = {wave.channel: wave.last_s for wave in waves if wave.step == 1}
    first = told[0].values() if told else ()
    at_once = [min(last_s[e.channel] for e in endpoints) for endpoints in first if endpoints]
    has_budget = is_panic(IncidentClass(incident_class))
    return FanOut(
        site=site.id,
        incident_class=incident_class,
        policy=policy.id,
        waves=waves,
        told_at_once=len(at_once),
        everyone_told_s=max(at_once, default=0.0),
        within_s=site.rules.everyone_told_within_s if has_budget else None,
    )


def _told(registry: Registry, site: Site, step: Step) -> Iterator[tuple[str, tuple[Endpoint, ...]]]:
    """Person -> the endpoints that the step tries, as the engine chooses them while everything works."""
    for addressee in _people(registry, site, step.targets):
        yield addressee.person.id, _endpoints(registry, addressee, step.channels)


def _people(registry: Registry, site: Site, targets: tuple[Target, ...]) -> tuple[Addressee, ...]:
    """As the engine resolves them; of a schedule everybody who is ever on duty, since two shifts may overlap."""
    found: dict[str, Addressee] = {}
    for target in targets:
        for each in _ever(registry, site, target):
            found.setdefault(each.person.id, each)
    return tuple(found.values())


def _ever(registry: Registry, site: Site, target: Target) -> Iterable[Addressee]:
    if target.kind is not TargetKind.SCHEDULE:
        return people_of(registry, site.id, (target,), 0)
    schedule = registry.schedules.get(target.id)
    shifts = schedule.shifts if schedule else ()
    people = {shift.person_id: registry.people.get(shift.person_id) for shift in shifts}
    return [Addressee(person=p, words=target.words) for p in people.values() if p is not None and site.id in p.sites]


def _endpoints(registry: Registry, addressee: Addressee, channels: tuple[str, ...]) -> tuple[Endpoint, ...]:
    """In parallel over the step's channels, else the first. Who is told to hide is never called."""
    person: Person = addressee.person
    if addressee.words != ASKS:
        channels = tuple(name for name in channels if registry.channels[name].kind != "voice")
    wanted = tuple(e for e in person.endpoints if e.channel in channels)
    return wanted or person.endpoints[:1]


def _counted(told: Mapping[str, tuple[Endpoint, ...]]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for endpoints in told.values():
        for endpoint in endpoints:
            counts[endpoint.channel] = counts.get(endpoint.channel, 0) + 1
    return counts


def _segments(judge: Judge, site: Site, policy: Policy) -> int:
    """Of the longest text that calls somebody. One, unless another rule has already refused it."""
    params = longest_params(judge, site, policy.incident_class)
    calls = [text for name, text in policy.templates.items() if name.startswith(("alert.", "reminder."))]
    return max((segments(wording.render(text, params, 0)) for text in calls), default=1)


def segments(text: str) -> int:
    """Parts in which a text message travels; what GSM-7 lacks is transliterated before it is sent."""
    size = septets(to_gsm7(text)) or 0
    return 1 if size <= ONE_SEGMENT else ceil(size / LONG_SEGMENT)


# --- the judgement --------------------------------------------------------------------------------------------------


def _check_budget(judge: Judge, fan_out: FanOut) -> None:
    within_s = fan_out.within_s
    if within_s is None or fan_out.everyone_told_s <= within_s:
        return
    slow = max((w for w in fan_out.waves if w.step == 1), key=lambda w: (w.last_s <= fan_out.everyone_told_s, w.last_s))
    needed = ceil(slow.people * slow.segments / within_s)
    verb = VERBS.get(slow.kind, "told")
    message = (
        f"{fan_out.incident_class}: the last of {slow.people} people is {verb} after {_seconds(slow.last_s)} "
        f"({slow.channel}: {slow.per_s:g} a second), and everyone must be within {within_s} s"
    )
    remedy = (
        f"{_faster(slow, needed)}, tell fewer people in the first step of policies/{fan_out.policy}.toml, or allow "
        f"everyone_told_within_s = {ceil(fan_out.everyone_told_s)} under [rules]"
    )
    judge.error(Thing.SITE, fan_out.site, "rules.everyone_told_within_s", message, remedy)


def _faster(slow: Wave, needed: int) -> str:
    if slow.kind == "voice":
        return f"have your {slow.per_s:g} calls a second raised to {needed} by the carrier and write per_s = {needed}"
    if slow.kind == "sms":
        return (
            f"name {needed} numbers in from_numbers of channels.{slow.channel}, or use a Messaging Service or short "
            f"code that carries {needed} a second and write per_s = {needed}"
        )
    return f"raise per_s of channels.{slow.channel} to {needed} if it carries so much"


def _check_expiry(judge: Judge, fan_out: FanOut) -> None:
    """A text that has waited too long is not sent at all: some people would never be told."""
    policy = next(p for p in judge.registry.policies.values() if p.id == fan_out.policy)
    for wave in fan_out.waves:
        waits_s = wave.last_s - wave.begins_s
        if waits_s > policy.expires_s:
            message = (
                f"at {fan_out.site} the last of {wave.people} people waits {_seconds(waits_s)} for {wave.channel}, but "
                f"words older than {policy.expires_s} s are not sent: they would never be told"
            )
            name = f"{policy.id}/{wave.step - 1}"
            judge.error(Thing.STEP, name, "targets", message, "use a faster sender (see per_s), or tell fewer people")
            return


def _seconds(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds >= 10 else f"{seconds:.1f} s"
