"""Where a press was made, and how sure that is (req 5). Never blank, and never a wearable's home room as if current.

Owns, too, how a device is called where somebody must go and look: labels are alike in each room.
"""

from alertd.engine import wording
from alertd.engine.draft import Draft
from alertd.engine.hearing import SURE_US
from alertd.model.events import Pressed, Unregistered
from alertd.model.ids import DISTRICT
from alertd.model.incident import Location
from alertd.model.registry import Registry
from alertd.model.site import Device

UNKNOWN = Location(zone_id=None, label="place UNKNOWN", short="place UNKNOWN", source="unknown")


def location_of(d: Draft, event: Pressed, device: Device) -> Location:
    """Fixed devices hang where they hang; a wearable was near the gateway that heard it, or nobody knows."""
    registry = d.facts.registry
    zone = registry.zones.get(device.zone_id) if device.zone_id else None
    if zone is not None:
        return Location(zone_id=zone.id, label=zone.label, short=zone.short, source="fixed")
    gateway = registry.devices.get(event.signal.heard_by) if event.signal.heard_by else None
    near = registry.zones.get(gateway.zone_id) if gateway and gateway.zone_id else None
    if near is None or near.site_id != event.site_id:
        return UNKNOWN
    heard_us = _heard_us(event)
    may_have_gone = heard_us is None and event.received_us - event.oldest_us > SURE_US
    return Location(
        zone_id=near.id,
        label=near.label,
        short=near.short,
        source="last_heard",
        heard_us=heard_us,
        unsure=event.unsure or may_have_gone or event.retained,
    )


def _heard_us(event: Pressed) -> int | None:
    """When the gateway heard it; `None`: when it was pressed, and nobody knows when that was."""
    if event.heard_us is not None:
        return event.heard_us
    if event.retained:
        return event.signal.pressed_us  # a broker's memory came just now, and says nothing of now
    waited = event.oldest_us < event.received_us
    return event.signal.pressed_us if waited else event.received_us


def name(device: Device, registry: Registry) -> str:
    """What it is called, where it hangs, and its id, as far as one does not say the other: "Rm 204 wall button
    (button-204)"."""
    zone = registry.zones.get(device.zone_id) if device.zone_id is not None else None
    called = device.label or device.id
    if zone is not None and zone.short not in called:
        called = f"{zone.short} {called}"
    return called if device.id in called else f"{called} ({device.id})"


def name_heard(d: Draft, event: Pressed, device: Device) -> str:
    """The same of what has just spoken, and where a wearable was: "NEAR Rm 204 at 10:42: Okafor badge (badge-7)"."""
    place, called = location_of(d, event, device), name(device, d.facts.registry)
    return called if place.source == "fixed" else f"{wording.place_at(d.site, place)}: {called}"


def name_in(d: Draft, device: Device, near: str = "") -> str:
    """The same in a trouble of the whole district, with the school: of a badge that roams nobody knows which. `near`:
    where it was heard, if that is said beside it."""
    school, called = d.facts.registry.sites.get(device.site_id), name(device, d.facts.registry)
    if d.state.site_id != DISTRICT or school is None:
        return called
    known = called if device.roaming_sites else f"{school.short} {called}"
    return known if device.zone_id or near else f"{known}, place UNKNOWN"


def near(d: Draft, event: Unregistered) -> str:
    """Of whatever is nobody's: " near OAK ELEM Rm 204", where the gateway hangs that heard it; empty: none did."""
    registry = d.facts.registry
    gateway = registry.devices.get(event.heard_by) if event.heard_by else None
    if gateway is None:
        return ""
    zone = registry.zones.get(gateway.zone_id) if gateway.zone_id else None
    school = registry.sites.get(gateway.site_id)
    return f" near {school.short if school else gateway.site_id} {zone.short if zone else gateway.id}"
