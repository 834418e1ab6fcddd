"""Can whoever is asked to come say that they do? A call that takes no keys says which digits to text, and somebody must
read them: else nobody's answer ever counts, and the escalation goes on over the heads of those who are on their way.

Owns one question about people and channels. Must never judge how many answers a step wants: `policies` does.
"""

from collections.abc import Iterator

from alertd.config import Thing
from alertd.engine.audience import people_of
from alertd.lint.findings import TROUBLE, Judge
from alertd.model.people import Person
from alertd.model.policy import Policy, TargetKind
from alertd.model.site import Site
from alertd.plugins import limits_of

ASKS = "responder"
"""Words that ask for an answer."""
REMEDY = (
    'let keys in (callbacks = "signed", with a public_base_url that the carrier can reach), or add a channel for texts '
    '(plugin = "sms_twilio")'
)


def check_answering(judge: Judge) -> None:
    if judge.unread(Thing.PERSON, Thing.GROUP, Thing.SCHEDULE, Thing.CHANNEL, Thing.POLICY):
        return
    deaf = _deaf(judge)
    asked = {p.id: p for site, name, policy in judge.uses() if name != TROUBLE for p in _asked(judge, site, policy)}
    mute = [p for p in asked.values() if p.endpoints and all(e.channel in deaf for e in p.endpoints)]
    if mute and len(mute) == sum(bool(p.endpoints) for p in asked.values()):
        called = {e.channel for p in mute for e in p.endpoints if not judge.registry.channels[e.channel].notices}
        for name in sorted(called):
            message = "nobody can answer: its calls take no keys, and no channel of those who are called reads texts"
            judge.error(Thing.CHANNEL, name, "callbacks", message, REMEDY)
        return
    for person in mute:
        message = f"{person.name} is asked to come, and cannot answer: neither by key nor by text"
        judge.warn(Thing.PERSON, person.id, "channels", message, f"name a channel that reads texts, too; or {REMEDY}")


def _deaf(judge: Judge) -> frozenset[str]:
    """Channels by which nobody can answer; what follows from a press is not told over the sender of notices."""
    sections = (s for s in judge.loaded.sections if s.table == "channels")
    silent = {s.name for s in sections if (limits := limits_of(s)) is not None and not limits.answers}
    return frozenset(silent | {name for name, rules in judge.registry.channels.items() if rules.notices})


def _asked(judge: Judge, site: Site, policy: Policy) -> Iterator[Person]:
    """Everybody whom a policy ever asks to come."""
    targets = tuple(t for step in policy.steps for t in step.targets if t.words == ASKS)
    for each in people_of(judge.registry, site.id, tuple(t for t in targets if t.kind is not TargetKind.SCHEDULE), 0):
        yield each.person
    for target in targets:
        schedule = judge.registry.schedules.get(target.id) if target.kind is TargetKind.SCHEDULE else None
        for shift in schedule.shifts if schedule else ():
            if (person := judge.registry.people.get(shift.person_id)) is not None:
                yield person
