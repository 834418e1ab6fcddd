"""Sites: can dispatch find them, and is there a policy for everything that can happen?"""

from alertd.config import Thing
from alertd.config.credentials import secret, variable_of
from alertd.config.secrets_in_clear import is_name
from alertd.lint.findings import TROUBLE, Judge, policy_key
from alertd.model.ids import DISTRICT
from alertd.model.incident import IncidentClass, is_panic
from alertd.model.people import Destination
from alertd.model.policy import Policy, TargetKind
from alertd.model.site import Site


def check_sites(judge: Judge) -> None:
    for site in judge.registry.sites.values():
        thing, name = (Thing.DISTRICT, "") if site.id == DISTRICT else (Thing.SITE, site.id)
        if TROUBLE not in site.policies and not judge.unread(Thing.POLICY):
            remedy = f'add {TROUBLE} = "…" under [policies]'
            judge.error(
                thing, name, "policies", "no policy for troubles: nobody would learn that alertd is ill", remedy
            )
    for site, incident_class, policy in judge.uses():
        if TROUBLE in (incident_class, policy.incident_class):
            _check_trouble_use(judge, site, incident_class, policy)
        elif policy.incident_class != incident_class:
            message = f"policy {policy.id} is for {policy.incident_class}, not for {incident_class}"
            remedy = f'write a policy with class = "{incident_class}"'
            judge.error(Thing.SITE, site.id, f"policies.{incident_class}", message, remedy)
        else:
            _check_dispatch(judge, site, policy)
    for destination in judge.registry.destinations.values():
        _check_destination(judge, destination)
    _check_unused(judge)
    _check_secrets(judge)


def _check_trouble_use(judge: Judge, site: Site, incident_class: str, policy: Policy) -> None:
    if policy.incident_class == incident_class:
        return
    message = f"policy {policy.id} is for {policy.incident_class}, not for {incident_class}"
    judge.error(*policy_key(site, incident_class), message, f'write a policy with class = "{incident_class}"')


def _check_dispatch(judge: Judge, site: Site, policy: Policy) -> None:
    """Dispatch is told at once (req 6), can find the school, and never hears of a nuisance (req 70)."""
    told_at = [
        number
        for number, step in enumerate(policy.steps)
        for target in step.targets
        if target.kind is TargetKind.DESTINATION
        and (found := judge.registry.destinations.get(target.id)) is not None
        and found.endpoint.dispatch
        and site.id in found.site_ids
    ]
    key = f"policies.{policy.incident_class}"
    if told_at and not is_panic(IncidentClass(policy.incident_class)):
        remedy = "remove the destination from its steps; a human calls when it is serious"
        judge.error(Thing.POLICY, policy.id, "steps", f"would tell dispatch of {policy.incident_class}", remedy)
    if policy.incident_class != IncidentClass.LOCKDOWN and not told_at:
        return
    if not told_at and judge.unread(Thing.DESTINATION):
        return
    if not told_at:
        message = f"nobody tells dispatch of a lockdown: policy {policy.id} has no destination that serves this site"
        judge.warn(
            Thing.SITE, site.id, key, message, "add a destination to its first step, or rely on people calling 911"
        )
    elif told_at[0] > 0:
        remedy = "move the destination to the first step: no channel waits for another"
        judge.error(Thing.STEP, f"{policy.id}/{told_at[0]}", "targets", "dispatch is told only after a wait", remedy)
    missing = [name for name in ("street", "city", "state", "zip") if not getattr(site, name)]
    if told_at and missing:
        message = f"dispatch cannot send anybody: the address has no {', '.join(missing)}"
        judge.error(Thing.SITE, site.id, "address", message, "complete [address]")


def _check_destination(judge: Judge, destination: Destination) -> None:
    """A channel that lists its destinations must know this one: else every message to it would fail."""
    if not destination.site_ids and not judge.unread(Thing.SITE):
        judge.error(Thing.DESTINATION, destination.id, "sites", "serves no site", "name the sites that it serves")
    for section in judge.loaded.sections:
        if section.table != "channels" or section.name != destination.endpoint.channel:
            continue
        known = section.settings.get("destinations")
        address = destination.endpoint.address
        if isinstance(known, dict) and address not in known:
            message = f"channel {section.name} does not know {address}"
            remedy = f"write [channels.{section.name}.destinations.{address}] with its url and signing_secret"
            judge.error(Thing.DESTINATION, destination.id, "channel", message, remedy)


def _check_unused(judge: Judge) -> None:
    if judge.unread(Thing.SITE, Thing.DISTRICT):
        return
    used = {policy.id for _, _, policy in judge.uses()}
    for policy_id in judge.registry.policies.keys() - used:
        judge.warn(
            Thing.POLICY, policy_id, "", "no site uses this policy", "name it under [policies] of a site, or remove it"
        )


def _check_secrets(judge: Judge) -> None:
    """A missing secret is only a warning: who checks is often not who runs. The daemon refuses to start without."""
    if judge.loaded.demo or judge.unread(Thing.DISTRICT):
        return
    for section in judge.loaded.sections:
        thing = Thing.SOURCE if section.table == "sources" else Thing.CHANNEL
        for name in filter(is_name, section.secret_names):  # what is none, the reading has refused
            try:
                secret(name)
            except LookupError:
                remedy = f"set {variable_of(name)} where the daemon runs, or LoadCredential={name}:… in its unit"
                key = f"{section.table}.{section.name}"
                judge.warn(thing, section.name, key, f"secret {name} is not set here", remedy)
