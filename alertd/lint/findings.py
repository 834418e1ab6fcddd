"""`Judge`: what is judged, and where the findings go."""

from collections.abc import Iterator

from alertd.config import Loaded, Problem, ProblemSeverity, Thing
from alertd.config.problems import Findings
from alertd.engine.gestures import IGNORED
from alertd.model.ids import DISTRICT, PolicyId, SiteId
from alertd.model.incident import IncidentClass
from alertd.model.policy import Policy
from alertd.model.registry import Registry
from alertd.model.site import Device, Site

TROUBLE = "trouble"


class Judge:
    """One judging. Findings are placed where the thing is written."""

    def __init__(self, loaded: Loaded) -> None:
        self.loaded = loaded
        self.registry: Registry = loaded.registry
        self.findings = Findings()
        self.longest: dict[tuple[SiteId, IncidentClass], dict[str, str]] = {}
        """What `alertd.lint.longest` has measured: the longest words of a site for a class."""

    def error(self, thing: Thing, name: str, key: str, message: str, remedy: str) -> None:
        self._add(thing, name, key, message, remedy, ProblemSeverity.ERROR)

    def warn(self, thing: Thing, name: str, key: str, message: str, remedy: str) -> None:
        self._add(thing, name, key, message, remedy, ProblemSeverity.WARNING)

    def error_at(self, file: str, line: int, key: str, message: str, remedy: str) -> None:
        """At a line that no thing stands for."""
        self.findings.add(Problem(file=file, line=line, key=key, message=message, remedy=remedy))

    def warn_at(self, file: str, line: int, key: str, message: str, remedy: str) -> None:
        """The same of a doubt."""
        severity = ProblemSeverity.WARNING
        self.findings.add(Problem(file=file, line=line, key=key, message=message, remedy=remedy, severity=severity))

    def unread(self, *things: Thing) -> bool:
        """Could some of these not be read? Then nobody is to blame for what they would have said."""
        return not self.loaded.unread.isdisjoint(things)

    def _add(self, thing: Thing, name: str, key: str, message: str, remedy: str, severity: ProblemSeverity) -> None:
        place = self.loaded.place(thing, name)
        line = place.line_of(key)
        self.findings.add(
            Problem(file=place.file, line=line, key=key, message=message, remedy=remedy, severity=severity)
        )

    def schools(self) -> Iterator[Site]:
        """Sites where somebody can press: not the district's pseudo-site."""
        return (site for site in self.registry.sites.values() if site.id != DISTRICT)

    def uses(self) -> Iterator[tuple[Site, str, Policy]]:
        """Every (site, class, policy) that the configuration puts together."""
        for site in self.registry.sites.values():
            for incident_class, policy_id in site.policies.items():
                policy = self.registry.policies.get(policy_id)
                if policy is not None:
                    yield site, incident_class, policy

    def sites_of(self, policy_id: PolicyId) -> tuple[Site, ...]:
        return tuple(site for site in self.registry.sites.values() if policy_id in site.policies.values())


def classes_of(device: Device) -> tuple[str, ...]:
    """Incident classes that a device can raise."""
    named = dict.fromkeys((*device.gestures.presses.values(), *device.gestures.actions.values()))
    return tuple(each for each in named if each != IGNORED)


def reaches(device: Device) -> tuple[SiteId, ...]:
    """Sites that a press of the device can reach."""
    return (device.site_id, *device.roaming_sites)


def policy_key(site: Site, incident_class: str) -> tuple[Thing, str, str]:
    """Where it is written which policy a site has for a class."""
    if site.id == DISTRICT:
        return Thing.DISTRICT, "", "district.trouble_policy"
    return Thing.SITE, site.id, f"policies.{incident_class}"
