"""Which gateway a wearable was near, of those that heard it: the strongest of the last, and how sure that is.

1. Only gateways of the registry count, at sites where the device may press (promise 6).
2. Of those that heard it last, within seconds of each other, the strongest wins; one that does not say how strong wins
   if it brings the message.
3. Two sites that heard it at about the same time and about as well, or nobody knows how well, are both told, however
   long ago: a radio does not stop at a fence, and the people who are not near lose a minute where the others would have
   lost the press (promise 2).
4. What was heard longer ago than `SURE_US` says where it may be, not where it is: the site that heard it and the
   device's own are both told, and the latter of no place.

Pure. Knows nothing of where the hearings come from (`daemon.hearings`).
"""

from collections.abc import Iterator

from msgspec import Struct

from alertd.model.events import Heard, Signal
from alertd.model.ids import DeviceId, SiteId
from alertd.model.registry import Registry
from alertd.model.site import Device, DeviceKind

RECENT_US = 10 * 1_000_000
"""Copies of one press or beacon, and the beacons beside it, come within so long of each other."""
SURE_US = 60 * 1_000_000
"""Somebody may have walked to another room since."""
MARGIN_DB = 10.0
"""Indoors, a wall, a body or a pocket changes what a gateway hears by as much."""


class Spot(Struct, frozen=True, kw_only=True):
    """A site that is told, and where at it the device was."""

    site_id: SiteId
    gateway_id: DeviceId | None
    heard_us: int | None = None
    """`None`: with this very message."""
    unsure: bool = False


class _Ear(Struct, frozen=True):
    """A registered gateway that heard the device."""

    gateway: Device
    rssi: float | None
    """dBm; `None`: it does not say."""
    age_us: int
    heard_us: int | None
    """`None`: it brings this message."""

    @property
    def strength(self) -> float:
        """To sort by."""
        if self.rssi is not None:
            return self.rssi
        return float("inf") if self.heard_us is None else float("-inf")


def spots(registry: Registry, device: Device, signal: Signal, received_us: int) -> tuple[Spot, ...]:
    """Where it was, by site, the likeliest first. Empty: it was heard only where it may not press."""
    home = Spot(site_id=device.site_id, gateway_id=signal.heard_by)
    if device.zone_id is not None and not device.roaming_sites:
        return (home,)
    ears = tuple(_ears(registry, signal, received_us))
    allowed = (device.site_id, *device.roaming_sites)
    here = [ear for ear in ears if ear.gateway.site_id in allowed]
    if not here:
        is_outside = device.roaming_sites and any(ear.heard_us is None for ear in ears)
        return () if is_outside else (home,)
    here = _best_first(here)
    found = tuple(_by_site(here))
    may_be_home = here[0].age_us > SURE_US and all(spot.site_id != home.site_id for spot in found)
    return (*found, home) if may_be_home else found


def nearest(registry: Registry, signal: Signal, received_us: int) -> DeviceId | None:
    """The registered gateway that heard it best, whatever it is and wherever it may press."""
    ears = list(_ears(registry, signal, received_us))
    return _best_first(ears)[0].gateway.id if ears else None


def _ears(registry: Registry, signal: Signal, received_us: int) -> Iterator[_Ear]:
    heard = signal.heard
    if not heard and signal.heard_by is not None:
        heard = (Heard(gateway_id=signal.heard_by),)
    for each in heard:
        gateway = registry.devices.get(each.gateway_id)
        if gateway is None or gateway.kind is not DeviceKind.GATEWAY:
            continue
        age_us = 0 if each.at_us is None else max(0, received_us - each.at_us)
        yield _Ear(gateway, each.rssi, age_us, each.at_us)


def _best_first(ears: list[_Ear]) -> list[_Ear]:
    """The strongest of those that heard it last, then the others, the last first."""
    last_us = min(ear.age_us for ear in ears) + RECENT_US

    def order(ear: _Ear) -> tuple[bool, float, str]:
        is_older = ear.age_us > last_us
        return is_older, ear.age_us if is_older else -ear.strength, ear.gateway.id

    return sorted(ears, key=order)


def _by_site(ears: list[_Ear]) -> Iterator[Spot]:
    """The best first; another site only if it heard the device at about the same time, and about as well."""
    best, told = ears[0], set[SiteId]()
    for ear in ears:
        if ear.gateway.site_id not in told and (ear is best or _rivals(best, ear)):
            told.add(ear.gateway.site_id)
            yield _spot(ear, ears)


def _spot(ear: _Ear, ears: list[_Ear]) -> Spot:
    elsewhere = (other for other in ears if other.gateway.zone_id != ear.gateway.zone_id)
    return Spot(
        site_id=ear.gateway.site_id,
        gateway_id=ear.gateway.id,
        heard_us=ear.heard_us,
        unsure=ear.age_us > SURE_US or any(_rivals(ear, other) for other in elsewhere),
    )


def _rivals(one: _Ear, other: _Ear) -> bool:
    """Did both hear it at about the same time, and about equally well? Of one that does not say how well, nobody knows,
    but that it is nearer if it alone brings the message."""
    if abs(one.age_us - other.age_us) > RECENT_US:
        return False
    if one.rssi is None or other.rssi is None:
        return (one.heard_us is None) == (other.heard_us is None)
    return abs(one.rssi - other.rssi) <= MARGIN_DB
