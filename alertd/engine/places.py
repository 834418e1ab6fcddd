"""Where a press was made, and how sure that is (req 5). Never blank, and never a wearable's home room as if current."""

from alertd.engine.draft import Draft
from alertd.engine.hearing import SURE_US
from alertd.model.events import Pressed
from alertd.model.incident import Location
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
        unsure=event.unsure or may_have_gone,
    )


def _heard_us(event: Pressed) -> int | None:
    """When the gateway heard it; `None`: when it was pressed, and nobody knows when that was."""
    if event.heard_us is not None:
        return event.heard_us
    waited = event.oldest_us < event.received_us
    return event.signal.pressed_us if waited else event.received_us
