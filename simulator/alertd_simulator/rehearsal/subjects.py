"""What of a configuration can be rehearsed: each incident class at each site, and every way to trigger it.

Owns the search for a gesture. Must not judge the configuration: that is `alertd check`.
"""

from collections.abc import Iterator

from msgspec import Struct

from alertd.model.ids import DISTRICT, DeviceId, PolicyId, SiteId
from alertd.model.policy import Policy
from alertd.model.registry import Registry
from alertd.model.site import Device, DeviceKind

PRESS = "press"
TROUBLE = "trouble"


class Way(Struct, frozen=True, kw_only=True):
    """One device and the gesture on it that means the class."""

    device_id: DeviceId
    kind: DeviceKind
    action: str
    presses: int = 1
    gateways: tuple[DeviceId, ...] = ()
    """One of which hears it; none for what hangs on a wall."""
    wearer: str = ""
    """Person id of whom it is assigned to: does not count as told."""


class Subject(Struct, frozen=True, kw_only=True):
    """A policy at a site, as it is rehearsed."""

    site_id: SiteId
    site_name: str
    time_zone: str
    incident_class: str
    policy: Policy
    ways: tuple[Way, ...]

    @property
    def key(self) -> str:
        return f"{self.site_id}/{self.incident_class}"


class NotRehearsed(Struct, frozen=True, kw_only=True):
    site_id: SiteId
    site_name: str
    incident_class: str
    policy_id: PolicyId
    why: str


def subjects_of(registry: Registry) -> tuple[tuple[Subject, ...], tuple[NotRehearsed, ...]]:
    """Everything that a registered device can trigger; and the policies that none can."""
    possible: list[Subject] = []
    impossible: list[NotRehearsed] = []
    for site in registry.sites.values():
        for incident_class, policy_id in site.policies.items():
            ways = tuple(_ways(registry, site.id, incident_class))
            policy = registry.policies.get(policy_id)
            if ways and policy is not None:
                subject = Subject(
                    site_id=site.id, site_name=site.name, time_zone=site.time_zone,
                    incident_class=incident_class, policy=policy, ways=ways,
                )  # fmt: skip
                possible.append(subject)
            elif site.id != DISTRICT or incident_class != TROUBLE:
                impossible.append(
                    NotRehearsed(
                        site_id=site.id, site_name=site.name, incident_class=incident_class,
                        policy_id=policy_id, why=_why_not(incident_class),
                    )
                )  # fmt: skip
    return tuple(possible), tuple(impossible)


def _why_not(incident_class: str) -> str:
    if incident_class == TROUBLE:
        return "no device triggers it: alertd raises it itself when something it depends on fails"
    return "no device triggers it"


def _ways(registry: Registry, site_id: SiteId, incident_class: str) -> Iterator[Way]:
    gateways = tuple(
        device.id for device in registry.devices.values()
        if device.kind is DeviceKind.GATEWAY and device.site_id == site_id
    )  # fmt: skip
    for device in registry.devices.values():
        worn = device.kind is DeviceKind.WEARABLE
        roams_here = site_id in device.roaming_sites and bool(gateways)
        if device.site_id != site_id and not roams_here:
            continue
        for action, presses in _gestures(device, incident_class):
            yield Way(
                device_id=device.id, kind=device.kind, action=action, presses=presses,
                gateways=gateways if worn else (), wearer=device.assigned_to or "",
            )  # fmt: skip


def _gestures(device: Device, incident_class: str) -> Iterator[tuple[str, int]]:
    for action, named in device.gestures.actions.items():
        if named == incident_class:
            yield action, 1
    for count, named in device.gestures.presses.items():
        if named == incident_class:
            yield PRESS, count
