"""Which gateways heard which wearable lately, and how well: what a press that nobody heard well is placed by.

Memory only: after a start the next beacon brings it back. Owns its bounds: registered wearables, a few gateways each, a
quarter of an hour. Must never: decide where somebody is (`engine.hearing` does), or wait.
"""

from collections.abc import Iterable

from msgspec import Struct
from msgspec.structs import replace

from alertd.engine.gestures import is_counted
from alertd.engine.hearing import spots
from alertd.model.events import Arrival, Heard, Signal
from alertd.model.ids import DeviceId
from alertd.model.registry import Registry
from alertd.model.site import Device, DeviceKind

GATEWAYS_MAX = 8
"""Of one wearable; the one that heard it longest ago is forgotten first."""
REMEMBERED_US = 15 * 60 * 1_000_000
"""Older than that it says nothing of where somebody is."""


class _Hearing(Struct, frozen=True):
    heard: Heard
    boot_us: int
    told_us: int | None = None
    """Boot time when its site was last told of a press that is counted."""


class Hearings:
    """Belongs to the event loop."""

    def __init__(self) -> None:
        self._of: dict[DeviceId, dict[DeviceId, _Hearing]] = {}

    def note(self, registry: Registry, device_id: DeviceId, heard: Iterable[Heard], boot_us: int) -> None:
        """These gateways have just heard it."""
        device = registry.devices.get(device_id)
        if device is None or device.zone_id is not None:
            return
        mine = self._of.setdefault(device_id, {})
        for each in heard:
            gateway = registry.devices.get(each.gateway_id)
            if each.at_us is None and gateway is not None and gateway.kind is DeviceKind.GATEWAY:
                before = mine.pop(each.gateway_id, None)
                mine[each.gateway_id] = _Hearing(each, boot_us, before.told_us if before is not None else None)
        while len(mine) > GATEWAYS_MAX:
            del mine[next(iter(mine))]
        if not mine:
            del self._of[device_id]

    def placed(self, registry: Registry, arrival: Arrival, boot_us: int) -> Arrival:
        """The arrival with what is remembered of its wearables. What waited somewhere, or was stored, says nothing of
        now, and is told nothing of now."""
        if arrival.retained or arrival.backlog_since_us is not None or not arrival.signals:
            return arrival
        signals = tuple(self._with_memory(registry, arrival, signal, boot_us) for signal in arrival.signals)
        return replace(arrival, signals=signals) if signals != arrival.signals else arrival

    def _with_memory(self, registry: Registry, arrival: Arrival, signal: Signal, boot_us: int) -> Signal:
        device = registry.devices.get(signal.device_id)
        if device is None or device.zone_id is not None or signal.late:
            return signal
        now = signal.heard or ((Heard(gateway_id=signal.heard_by),) if signal.heard_by is not None else ())
        remembered = tuple(self._remembered(signal.device_id, {h.gateway_id for h in now}, arrival, boot_us))
        self.note(registry, signal.device_id, now, boot_us)
        if device.roaming_sites and is_counted(signal, device.gestures):
            return self._with_told(registry, device, replace(signal, heard=(*now, *remembered)), arrival, boot_us)
        return replace(signal, heard=(*now, *remembered)) if remembered else signal

    def _with_told(self, registry: Registry, device: Device, signal: Signal, arrival: Arrival, boot_us: int) -> Signal:
        """A press that is counted, with who was told of those before it in its gesture; its own are noted."""
        mine, since_us = self._of.get(device.id, {}), boot_us - device.gestures.window_s * 1_000_000
        told = {id_ for id_, each in mine.items() if each.told_us is not None and each.told_us >= since_us}
        heard = tuple(replace(each, told=each.gateway_id in told) for each in signal.heard)
        signal = replace(signal, heard=heard)
        for spot in spots(registry, device, signal, arrival.received_us):
            if spot.gateway_id in mine:
                mine[spot.gateway_id] = replace(mine[spot.gateway_id], told_us=boot_us)
        return signal

    def _remembered(self, device_id: DeviceId, but: set[DeviceId], arrival: Arrival, boot_us: int) -> Iterable[Heard]:
        for gateway_id, hearing in self._of.get(device_id, {}).items():
            age_us = boot_us - hearing.boot_us
            if gateway_id not in but and age_us <= REMEMBERED_US:
                yield replace(hearing.heard, at_us=arrival.received_us - age_us)

    def forget(self, registry: Registry) -> None:
        """Those that left the registry."""
        self._of = {device_id: mine for device_id, mine in self._of.items() if device_id in registry.devices}
