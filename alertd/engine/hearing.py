"""Which gateway a wearable was near, of those that heard it: the strongest of lately, and how sure that is.

1. Only gateways of the registry count, at sites where the device may press (promise 6).
2. Of those that heard it within the last seconds the strongest wins; where nobody says how strong, the one that brings
   the message. Else the last that heard it.
3. Two sites that heard it about equally well are both told: a radio does not stop at a fence, and the people who are
   not near lose a minute where the others would have lost the press.

Pure. Knows nothing of where the hearings come from (`daemon.hearings`).
"""

from collections.abc import Iterator

from msgspec import Struct

from alertd.model.events import Heard, Signal
from alertd.model.ids import DeviceId, SiteId
from alertd.model.registry import Registry
from alertd.model.site import Device, DeviceKind

RECENT_US = 10 * 1_000_000
"""Copies of one press, and the beacons beside it, come within so long."""
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
    strength: float
    """dBm; infinity where nobody says, and it brings this message."""
    age_us: int
    heard_us: int | None


def spots(registry: Registry, device: Device, signal: Signal, received_us: int) -> tuple[Spot, ...]:
    """Where it was, by site, the likeliest first. Empty: it was heard only where it may not press."""
    home = Spot(site_id=device.site_id, gateway_id=signal.heard_by)
    if device.zone_id is not None and not device.roaming_sites:
        return (home,)
    ears = tuple(_ears(registry, signal, received_us))
    allowed = (device.site_id, *device.roaming_sites)
    here = sorted((ear for ear in ears if ear.gateway.site_id in allowed), key=_order)
    if not here:
        is_outside = device.roaming_sites and any(ear.heard_us is None for ear in ears)
        return () if is_outside else (home,)
    return tuple(_by_site(here))


def _ears(registry: Registry, signal: Signal, received_us: int) -> Iterator[_Ear]:
    heard = signal.heard
    if not heard and signal.heard_by is not None:
        heard = (Heard(gateway_id=signal.heard_by),)
    for each in heard:
        gateway = registry.devices.get(each.gateway_id)
        if gateway is None or gateway.kind is not DeviceKind.GATEWAY:
            continue
        is_now = each.at_us is None
        unknown = float("inf") if is_now else float("-inf")
        yield _Ear(
            gateway,
            unknown if each.rssi is None else each.rssi,
            0 if is_now else max(0, received_us - (each.at_us or 0)),
            each.at_us,
        )


def _order(ear: _Ear) -> tuple[bool, float, str]:
    """The strongest of lately, then whoever heard it last."""
    is_old = ear.age_us > RECENT_US
    return is_old, ear.age_us if is_old else -ear.strength, ear.gateway.id


def _by_site(ears: list[_Ear]) -> Iterator[Spot]:
    """The best first; another site only if it heard the device lately, and about as well."""
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


def _rivals(best: _Ear, other: _Ear) -> bool:
    """Did both hear it lately, and about equally well? Nobody knows where nobody says how well."""
    if best.age_us > RECENT_US or other.age_us > RECENT_US:
        return False
    return best.strength == other.strength or abs(best.strength - other.strength) <= MARGIN_DB
