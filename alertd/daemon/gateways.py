"""Gateways that are gone, as people are told: one trouble each, which says how many it took with it.

Owns: what was told of which, and that whoever comes and goes is not told each time. Which are gone, and what hangs
below, `DeviceTree` knows.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial

from msgspec import Struct

from alertd.daemon import check_in_words
from alertd.daemon.device_records import Record
from alertd.daemon.device_tree import DeviceTree
from alertd.daemon.flapping import Flapping
from alertd.model.anchor import Now
from alertd.model.events import TroubleCleared, TroubleRaised
from alertd.model.ids import DeviceId, SiteId
from alertd.model.registry import Registry
from alertd.model.trouble import Trouble

GATEWAY = "gateway"


class Told(Struct, frozen=True):
    """What is to go through the door, and what is to be done if it does not get there: it is found again."""

    event: TroubleRaised | TroubleCleared
    undo: Callable[[], None]


class Gateways:
    def __init__(self, tree: DeviceTree) -> None:
        self._tree = tree
        self._told: dict[DeviceId, SiteId] = {}
        """Of which a trouble stands, and where."""
        self._leaving: dict[DeviceId, int] = {}
        """There again, and told: when the trouble is over, if they stay."""
        self._returning: dict[DeviceId, int] = {}
        """Gone again while people know that they come and go: when that is told, if they stay so."""
        self._flapping = Flapping(GATEWAY)

    def gone(self, gateway: Record, below: Sequence[Record], registry: Registry, now: Now) -> Told:
        device_id = gateway.device.id
        is_again = self._leaving.pop(device_id, None) is not None
        if is_again or device_id not in self._told:
            self._flapping.fell(gateway, now.boot_us, untold=is_again)
            self._returns(gateway)
        self._told.setdefault(device_id, gateway.device.site_id)
        summary = check_in_words.gateway(gateway, len(below), registry, now.wall_us)
        return Told(self._raised(device_id, summary), lambda: self._tree.forget(device_id))

    def _returns(self, gateway: Record) -> None:
        told_us = self._flapping.for_good_us(gateway)
        if told_us is not None:
            self._returning[gateway.device.id] = told_us

    def gone_for_good(self, known: Mapping[DeviceId, Record], registry: Registry, now: Now) -> Iterator[Told]:
        """Those that came and went, and do so no more."""
        for device_id in [each for each, told_us in self._returning.items() if told_us <= now.boot_us]:
            del self._returning[device_id]
            gateway = known.get(device_id)
            if gateway is None or device_id not in self._told:
                continue
            self._flapping.is_told(gateway)
            summary = check_in_words.gateway(gateway, len(self._tree.below(gateway)), registry, now.wall_us)
            yield Told(self._raised(device_id, summary, anew=True), partial(self._returning.__setitem__, device_id, 0))

    def back(self, gateway: Record, registry: Registry, now: Now) -> Iterator[Told]:
        device_id = gateway.device.id
        self._returning.pop(device_id, None)
        if device_id in self._told:
            self._leaving[device_id] = self._flapping.over_us(gateway, now.boot_us)
            if self._leaving[device_id] > now.boot_us:
                summary = check_in_words.gateway_back(gateway, registry, now.wall_us)
                yield Told(self._raised(device_id, summary), lambda: None)

    def over(self, known: Mapping[DeviceId, Record], now: Now) -> Iterator[Told]:
        """Those that have been there for long enough; and those that are no gateways of that school any more."""
        for device_id, site_id in list(self._told.items()):
            record = known.get(device_id)
            is_ours = record is not None and record.is_gateway and record.device.site_id == site_id
            if is_ours and self._leaving.get(device_id, now.boot_us + 1) > now.boot_us:
                continue
            if not is_ours:
                self._tree.forget(device_id)
                if record is not None:
                    self._flapping.forget(record)
            del self._told[device_id]
            self._leaving.pop(device_id, None)
            self._returning.pop(device_id, None)
            event = TroubleCleared(site_id=site_id, key=f"{GATEWAY}:{device_id}")
            yield Told(event, lambda each=device_id, at=site_id: self._still_stands(each, at))  # type: ignore[misc]

    def _still_stands(self, device_id: DeviceId, site_id: SiteId) -> None:
        self._told[device_id] = site_id
        self._leaving[device_id] = 0

    def _raised(self, device_id: DeviceId, summary: str, *, anew: bool = False) -> TroubleRaised:
        return TroubleRaised(site_id=self._told[device_id], key=f"{GATEWAY}:{device_id}", summary=summary, anew=anew)

    def remember(self, trouble: Trouble, known: Mapping[DeviceId, Record], now: Now) -> None:
        """It was said to be gone by an earlier life."""
        device_id = DeviceId(trouble.key.partition(":")[2])
        self._told[device_id] = trouble.site_id
        record = known.get(device_id)
        if record is not None and record.is_gateway:
            self._tree.remember(record, now)
            self._returns(record)
