"""The cast of a scenario: which people, groups, devices, gateways, sites and zones a district's configuration names.

Owns the names that may stand in a scenario. Reads the very configuration that the daemon is given; must never add to
it or guess: a name that two things share is the configuration's business.
"""

from functools import cached_property, lru_cache
from pathlib import Path

from msgspec import Struct

from alertd.config import load, render_problems
from alertd.model.ids import DISTRICT
from alertd.model.people import Person
from alertd.model.registry import Registry
from alertd.model.site import DeviceKind


class Cast(Struct, frozen=True, kw_only=True, dict=True):
    """Who and what can be named."""

    directory: Path
    registry: Registry

    @cached_property
    def groups(self) -> dict[str, str]:
        return {name: name for name in self.registry.by_group if name not in self.persons}

    def group_of(self, group: str, site: str) -> tuple[str, ...]:
        """The group's people at one school, in configured order."""
        return tuple(str(p.id) for p in self.registry.by_group[group] if site in p.sites)

    @cached_property
    def persons(self) -> dict[str, str]:
        return {str(id_): str(id_) for id_ in self.registry.people}

    @cached_property
    def devices(self) -> dict[str, str]:
        """Whatever can be pressed or report."""
        every = self.registry.devices.values()
        return {str(d.id): str(d.id) for d in every if d.kind is not DeviceKind.GATEWAY}

    @cached_property
    def gateways(self) -> dict[str, str]:
        every = self.registry.devices.values()
        return {str(d.id): str(d.id) for d in every if d.kind is DeviceKind.GATEWAY}

    @cached_property
    def centers(self) -> dict[str, str]:
        return {id_: id_ for id_, d in self.registry.destinations.items() if d.endpoint.dispatch}

    @cached_property
    def sites(self) -> dict[str, str]:
        """Schools: not the district, which owns troubles only."""
        return {str(id_): str(id_) for id_ in self.registry.sites if id_ != DISTRICT}

    def zones_of(self, site: str) -> dict[str, str]:
        """Zone as the school calls it -> zone id."""
        zones = (str(zone.id) for zone in self.registry.zones.values() if zone.site_id == site)
        return {id_.removeprefix(f"{site}:"): id_ for id_ in zones}

    def loudspeakers_of(self, site: str) -> frozenset[tuple[str, str]]:
        """Channel and zone of every loudspeaker of a school."""
        endpoints = next(s for id_, s in self.registry.sites.items() if id_ == site).loudspeakers.values()
        return frozenset((endpoint.channel, endpoint.address) for endpoint in endpoints)

    def everyone_of(self, site: str) -> tuple[str, ...]:
        """Staff and responders of a school."""
        by_site = {str(id_): people for id_, people in self.registry.site_staff.items()}
        return tuple(str(person.id) for person in by_site[site])

    def owner(self, number: str) -> str:
        """Whose phone it is; the number itself if it is nobody's."""
        person = self._by_number.get(number)
        return number if person is None else str(person.id)

    def called(self, person_id: str) -> str:
        """Like "nurse (Patel)"."""
        person = next((p for p in self.registry.people.values() if p.id == person_id), None)
        return person_id if person is None else f"{person_id} ({person.name})"

    @cached_property
    def _by_number(self) -> dict[str, Person]:
        return {key.partition(":")[2]: person for key, person in self.registry.by_address.items()}


@lru_cache(maxsize=4)
def cast_of(directory: Path) -> Cast:
    """Load the district's configuration. Raises `ValueError` with every problem that keeps a daemon from taking it."""
    loaded = load(directory)
    if loaded.registry is None:
        raise ValueError(
            f"{directory} is no configuration that a daemon would take:\n" + render_problems(loaded.problems)
        )
    return Cast(directory=directory, registry=loaded.registry)
