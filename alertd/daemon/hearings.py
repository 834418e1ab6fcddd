"""Which gateways heard which wearable lately, and how well: what a press that nobody heard well is placed by.

Memory only: after a start the next beacon brings it back. Owns its bounds: registered wearables, a few gateways each, a
quarter of an hour. Its names are the registry's (`engine.spelling`).
Must never: decide where somebody is (`engine.hearing` does), or wait.
"""

from collections.abc import Iterable

from msgspec import Struct
from msgspec.structs import replace

from alertd.model.events import Arrival, Heard, Signal
from alertd.model.ids import DeviceId
from alertd.model.registry import Registry
from alertd.model.site import DeviceKind

GATEWAYS_MAX = 8
"""Of one wearable; the one that heard it longest ago is forgotten first."""
REMEMBERED_US = 15 * 60 * 1_000_000
"""Older than that it says nothing of where somebody is."""


class _Hearing(Struct, frozen=True):
    heard: Heard
    boot_us: int


class Hearings:
    """Belongs to the event loop."""

    def __init__(self) -> None:
        self._of: dict[DeviceId, dict[DeviceId, _Hearing]] = {}

    def note(self, registry: Registry, device_id: DeviceId, heard: Iterable[Heard], boot_us: int) -> None:
        """These gateways have just heard it."""
        device = registry.devices.get(device_id)
        if device is None or device.zone_id is not None:
            return
        mine = self._of.setdefault(device.id, {})
        for each in heard:
            gateway = registry.devices.get(each.gateway_id)
            if each.at_us is None and gateway is not None and gateway.kind is DeviceKind.GATEWAY:
                mine.pop(each.gateway_id, None)
                mine[each.gateway_id] = _Hearing(each, boot_us)
        while len(mine) > GATEWAYS_MAX:
            del mine[next(iter(mine))]
        if not mine:
            del self._of[device.id]

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
        remembered = tuple(self._remembered(device.id, {h.gateway_id for h in now}, arrival, boot_us))
        self.note(registry, device.id, now, boot_us)
        return replace(signal, heard=(*now, *remembered)) if remembered else signal

    def _remembered(self, device_id: DeviceId, but: set[DeviceId], arrival: Arrival, boot_us: int) -> Iterable[Heard]:
        for gateway_id, hearing in self._of.get(device_id, {}).items():
            age_us = boot_us - hearing.boot_us
            if gateway_id not in but and age_us <= REMEMBERED_US:
                yield replace(hearing.heard, at_us=arrival.received_us - age_us)

    def forget(self, registry: Registry) -> None:
        """Those that left the registry."""
        self._of = {device_id: mine for device_id, mine in self._of.items() if device_id in registry.devices}
