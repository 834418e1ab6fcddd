"""Which site an arrival belongs to. The server decides; nothing in a payload can widen it (promise 6)."""

from alertd.model.events import Arrival, Event, Malformed, Pressed, Signal, Unregistered
from alertd.model.ids import DISTRICT, CauseId, SiteId, derive
from alertd.model.registry import Registry
from alertd.model.site import Device, DeviceKind

BELIEVABLE_FUTURE_US = 5 * 1_000_000
"""A device clock further ahead than this is wrong (req 99)."""
BELIEVABLE_PAST_US = 24 * 3600 * 1_000_000
"""A device time older than this is a reset clock, not a day-old press."""


def route(registry: Registry, arrival: Arrival) -> tuple[Event, ...]:
    """The events that an arrival means, each for exactly one site. Never raises, never drops what may be a press."""
    if arrival.refused:
        return (
            Malformed(
                site_id=DISTRICT,
                cause=CauseId(derive("malformed", arrival.source, arrival.arrival_id)),
                source=arrival.source,
                topic=arrival.topic,
                why=arrival.refused,
                size=arrival.size,
                received_us=arrival.received_us,
            ),
        )
    return tuple(_route_signal(registry, arrival, index, s) for index, s in enumerate(arrival.signals))


def _route_signal(registry: Registry, arrival: Arrival, index: int, signal: Signal) -> Event:
    cause = _cause(arrival, index, signal)
    device = registry.devices.get(signal.device_id)
    if device is None or device.kind is DeviceKind.GATEWAY:
        why = "it is not in the registry" if device is None else "it is registered as a gateway"
        return _unregistered(DISTRICT, cause, arrival, signal, why)
    site_id = _site(registry, device, signal)
    if site_id is None:
        why = "a roaming device was heard outside the sites it may press for"
        return _unregistered(device.site_id, cause, arrival, signal, why)
    pressed_us = _believable(signal.pressed_us, arrival.received_us)
    waited_since = arrival.backlog_since_us if arrival.backlog_since_us is not None else arrival.received_us
    if signal.late:
        waited_since = min(waited_since, arrival.received_us - BELIEVABLE_PAST_US)
    return Pressed(
        site_id=site_id,
        cause=cause,
        signal=Signal(
            device_id=signal.device_id,
            action=signal.action,
            count=signal.count,
            cause=signal.cause,
            pressed_us=pressed_us,
            heard_by=signal.heard_by,
            battery_pct=signal.battery_pct,
            late=signal.late,
        ),
        received_us=arrival.received_us,
        oldest_us=pressed_us if pressed_us is not None else min(waited_since, arrival.received_us),
        backlog=arrival.backlog_since_us is not None,
        retained=arrival.retained,
        source=arrival.source,
    )


def _site(registry: Registry, device: Device, signal: Signal) -> SiteId | None:
    """Home, or for a roaming device the site of the gateway that heard it, within its list. Not heard by a known
    gateway: home, because a press without a place must still reach somebody."""
    if not device.roaming_sites or signal.heard_by is None:
        return device.site_id
    gateway = registry.devices.get(signal.heard_by)
    if gateway is None or gateway.kind is not DeviceKind.GATEWAY:
        return device.site_id
    allowed = (device.site_id, *device.roaming_sites)
    return gateway.site_id if gateway.site_id in allowed else None


def _cause(arrival: Arrival, index: int, signal: Signal) -> CauseId:
    if signal.cause is not None:
        return CauseId(derive("press", arrival.source, signal.device_id, signal.cause))
    return CauseId(derive("press", arrival.source, signal.device_id, arrival.arrival_id, index))


def _believable(pressed_us: int | None, received_us: int) -> int | None:
    if pressed_us is None:
        return None
    in_range = received_us - BELIEVABLE_PAST_US <= pressed_us <= received_us + BELIEVABLE_FUTURE_US
    return min(pressed_us, received_us) if in_range else None


def _unregistered(site_id: SiteId, cause: CauseId, arrival: Arrival, signal: Signal, why: str) -> Unregistered:
    return Unregistered(
        site_id=site_id,
        cause=cause,
        device_id=signal.device_id,
        source=arrival.source,
        why=why,
        received_us=arrival.received_us,
    )
