"""Sensors: who hears of them, over which sender, and what may follow from what they say (req 65 to 73).

A nuisance goes to those on duty, never to many; its texts come from a number of their own, because whoever is tired of
them texts STOP; and a shot that a sensor hears can be turned into a lockdown by the human who reads of it.
"""

from collections.abc import Iterator

from alertd.config import Thing
from alertd.config.sections import TEXT_KINDS, Section
from alertd.engine.audience import people_of
from alertd.lint.findings import TROUBLE, Judge, classes_of
from alertd.model.ids import DISTRICT
from alertd.model.incident import VERIFY_FIRST, IncidentClass, is_panic
from alertd.model.policy import Policy, TargetKind
from alertd.model.site import DeviceKind, Site

MANY = 10
"""More people than this are not "those on duty": a nuisance to them is a mass message."""
SENDER_KEYS = ("from_numbers", "from_number", "messaging_service_sid")
"""Settings of text channels that say which number a text comes from."""
SERVICE = "messaging_service_sid"
ACCOUNT = "account_sid_secret"


def check_sensors(judge: Judge) -> None:
    if not judge.unread(Thing.CHANNEL):
        _check_senders(judge)
    if judge.unread(Thing.PERSON, Thing.GROUP, Thing.SCHEDULE, Thing.CHANNEL, Thing.SITE):
        return
    for site, name, policy in judge.uses():
        if TROUBLE in (name, policy.incident_class):
            continue
        if is_panic(IncidentClass(policy.incident_class)):
            _check_panic(judge, policy)
        else:
            _check_quiet(judge, site, policy)
        _check_corroboration(judge, site, policy)


# --- senders --------------------------------------------------------------------------------------------------------


def _check_senders(judge: Judge) -> None:
    rules = judge.registry.channels
    texting = [s for s in judge.loaded.sections if s.table == "channels" and s.name in rules]
    texting = [s for s in texting if rules[s.name].kind in TEXT_KINDS]
    notices = [s for s in texting if rules[s.name].notices]
    others = [s for s in texting if not rules[s.name].notices]
    for name, rule in rules.items():
        if rule.notices and rule.kind not in TEXT_KINDS:
            message = "notices is for channels that send texts: nobody answers a call with STOP"
            judge.error(Thing.CHANNEL, name, f"channels.{name}.notices", message, "remove this line")
    if notices and not others:
        name = notices[0].name
        message = "every sender of texts is for notices: a lockdown has none of its own"
        judge.error(Thing.CHANNEL, name, f"channels.{name}.notices", message, "add another channel, with other numbers")
    for own in notices:
        for other in others:
            _check_apart(judge, own, other)
    if not notices and others and not judge.unread(Thing.DEVICE):
        _check_shared(judge, others[0])


def _check_shared(judge: Judge, section: Section) -> None:
    """Loud where the district has only one sender."""
    sensors = [d.id for d in judge.registry.devices.values() if d.kind is DeviceKind.SENSOR and classes_of(d)]
    if not sensors:
        return
    message = (
        f"notices of {len(sensors)} sensors ({sensors[0]}, …) leave from the numbers of lockdowns: whoever texts STOP "
        "to a vape notice gets no lockdown text any more"
    )
    remedy = f'add [channels.{section.name}-notices] with plugin = "{section.plugin}", notices = true and other numbers'
    judge.warn(Thing.CHANNEL, section.name, f"channels.{section.name}", message, remedy)


def _check_apart(judge: Judge, own: Section, other: Section) -> None:
    shared = sorted(set(_numbers(own)) & set(_numbers(other)))
    if shared:
        message = f"{', '.join(shared)} is also of channel {other.name}: STOP to a notice would stop lockdown texts"
        judge.error(Thing.CHANNEL, own.name, f"channels.{own.name}", message, "give notices numbers of their own")
    services = [s.name for s in (own, other) if s.settings.get(SERVICE)]
    if services and own.settings.get(ACCOUNT) == other.settings.get(ACCOUNT):
        message = f"{own.name} and {other.name} read the same replies, since {services[0]} has a Messaging Service: "
        message += "STOP to the one would count for both"
        remedy = "name from_numbers in both, or use another account"
        judge.error(Thing.CHANNEL, own.name, f"channels.{own.name}", message, remedy)


def _numbers(section: Section) -> Iterator[str]:
    for key in SENDER_KEYS:
        value = section.settings.get(key)
        if isinstance(value, str):
            yield value
        elif isinstance(value, list):
            yield from (each for each in value if isinstance(each, str))


def _check_panic(judge: Judge, policy: Policy) -> None:
    for number, step in enumerate(policy.steps):
        for name in step.channels:
            if name in judge.registry.channels and judge.registry.channels[name].notices:
                message = f"would tell of {policy.incident_class} over {name}, the sender of notices"
                remedy = "remove it: whoever texted STOP to a vape notice would not hear of it"
                judge.error(Thing.STEP, f"{policy.id}/{number}", "channels", message, remedy)


# --- audiences ------------------------------------------------------------------------------------------------------


def _check_quiet(judge: Judge, site: Site, policy: Policy) -> None:
    """Those on duty, and few (req 70)."""
    for number, step in enumerate(policy.steps):
        name = f"{policy.id}/{number}"
        always = tuple(t for t in step.targets if t.kind in (TargetKind.GROUP, TargetKind.PERSON))
        people = people_of(judge.registry, site.id, always, 0)
        if len(people) > MANY:
            message = f"would text {len(people)} people at {site.id} of {policy.incident_class}"
            judge.error(Thing.STEP, name, "targets", message, "name a schedule: who is on duty goes and looks (req 70)")
    if site.id != DISTRICT and not any(t.kind is TargetKind.SCHEDULE for t in policy.steps[0].targets):
        message = f"{policy.incident_class} is told to the same people day and night"
        remedy = 'add { schedule = "…" } to its targets: who is on duty goes and looks (req 70)'
        judge.warn(Thing.STEP, f"{policy.id}/0", "targets", message, remedy)


def _check_corroboration(judge: Judge, site: Site, policy: Policy) -> None:
    raises = policy.corroborated.raises
    if raises and raises not in site.policies and not judge.unread(Thing.POLICY):
        message = f"would become {raises}, for which {site.id} has no policy"
        remedy = f'add {raises} = "…" under [policies] of sites/{site.id}.toml'
        judge.error(Thing.POLICY, policy.id, "corroborated.raises", message, remedy)
    alert = policy.templates.get("alert.responder", "")
    if policy.incident_class in VERIFY_FIRST and "9{token}" not in alert:
        message = "does not say how to lock down: whoever looks first must be able to"
        judge.warn(Thing.POLICY, policy.id, "templates", message, "end it with: Reply 9{token} to lock down")
