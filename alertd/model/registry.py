"""`Registry`: the configuration as one frozen snapshot, indexed for the engine. Reload swaps the whole of it."""

from collections.abc import Iterable
from functools import cached_property

from msgspec import Struct
from msgspec.json import encode

from alertd.model.ids import DeviceId, PersonId, PolicyId, SiteId, ZoneId, derive, spelled_alike
from alertd.model.mode import Mode
from alertd.model.people import Destination, Endpoint, Person, PersonKind, Schedule
from alertd.model.policy import Policy
from alertd.model.site import Device, Site, Zone


class ChannelRules(Struct, frozen=True, kw_only=True):
    """What the engine must know of a configured channel. `kind`: "sms", "voice", "webhook", …"""

    name: str
    kind: str
    text_limit: int = 160
    """GSM-7 septets of one message; 0 = no limit."""
    announcements: dict[str, str] = {}
    """Of a PA: what it can say by name -> the words that people hear."""
    drill_announcements: dict[str, str] = {}
    """The same in a drill, between its marks, where other words are said then."""
    notices: bool = False
    """A sender of its own for what sensors report: whoever texts STOP to it still gets texts of presses. A press is
    told over it only to somebody who has no other way (req 55, 56)."""

    @property
    def is_call(self) -> bool:
        """It rings a phone."""
        return self.kind == "voice"

    def announced(self, name: str, mode: Mode) -> str:
        """Words of an announcement, without marks and repeats; empty: it is not known here."""
        live = self.announcements.get(name, "")
        return self.drill_announcements.get(name, live) if mode is Mode.DRILL else live


class Registry(Struct, frozen=True, kw_only=True, dict=True):
    """Everything that configuration says about people, places and devices.

    Built by `alertd.config` (or by hand in tests); the indexes are made on first use. `version` is a hash of it.
    """

    version: str
    district: str
    sites: dict[SiteId, Site]
    zones: dict[ZoneId, Zone]
    devices: dict[DeviceId, Device]
    people: dict[PersonId, Person]
    schedules: dict[str, Schedule]
    policies: dict[PolicyId, Policy]
    destinations: dict[str, Destination]
    channels: dict[str, ChannelRules]
    technician_phone: str | None = None

    @cached_property
    def by_group(self) -> dict[str, tuple[Person, ...]]:
        """Group name -> its people, in configured order."""
        groups: dict[str, list[Person]] = {}
        for person in self.people.values():
            for group in person.groups:
                groups.setdefault(group, []).append(person)
        return {name: tuple(people) for name, people in groups.items()}

    @cached_property
    def by_address(self) -> dict[str, Person]:
        """Endpoint key -> the person whose it is."""
        return {endpoint.key: person for person in self.people.values() for endpoint in person.endpoints}

    @cached_property
    def site_staff(self) -> dict[SiteId, tuple[Person, ...]]:
        """Site -> its staff and responders: the audience that a panic falls back to (promise 6)."""
        return {site_id: tuple(self._staff(site_id)) for site_id in self.sites}

    def _staff(self, site_id: SiteId) -> Iterable[Person]:
        adults = (PersonKind.STAFF, PersonKind.RESPONDER)
        return (p for p in self.people.values() if p.kind in adults and site_id in p.sites)

    @cached_property
    def policy_hashes(self) -> dict[PolicyId, str]:
        """Content address of each policy, under which it is frozen into an incident."""
        return {id_: derive("policy", encode(policy).hex()) for id_, policy in self.policies.items()}

    @cached_property
    def policies_by_hash(self) -> dict[str, Policy]:
        return {self.policy_hashes[id_]: policy for id_, policy in self.policies.items()}

    @cached_property
    def _by_spelling(self) -> dict[str, Device]:
        return {spelled_alike(device.id): device for device in self.devices.values()}

    def device_of(self, heard: str) -> Device | None:
        """The device that calls itself so, whatever decoder heard it: an address however it is spelled."""
        return self.devices.get(DeviceId(heard)) or self._by_spelling.get(spelled_alike(heard))

    def spelled(self, heard: DeviceId) -> DeviceId:
        """Its name here; of a stranger, as it was heard."""
        device = self.device_of(heard)
        return device.id if device is not None else heard

    def destination_of(self, endpoint: Endpoint) -> Destination | None:
        """The destination that an endpoint key belongs to."""
        return next((d for d in self.destinations.values() if d.endpoint.key == endpoint.key), None)
