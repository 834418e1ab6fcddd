"""Troubles of devices that said they were opened: over when the device says that it is whole, or is there no more.

What comes as a signal, the core raises; what a device says beside presses is told from here, with the next round.
"""

from collections.abc import Iterator, Mapping

from alertd.daemon import check_in_words
from alertd.daemon.device_records import TAMPER, Record
from alertd.engine.gestures import IGNORED
from alertd.model.events import TroubleCleared, TroubleRaised
from alertd.model.ids import DeviceId, SiteId
from alertd.model.registry import Registry
from alertd.model.site import Device
from alertd.model.trouble import Trouble

Place = tuple[SiteId, str]
"""Site and key of a trouble."""


class Tampers:
    """Which of them stand, or are being committed, and what devices have said since the last round."""

    def __init__(self) -> None:
        self._standing: set[Place] = set()
        self._said: dict[Place, bool] = {}
        """Is it open? The last word counts."""

    def note(self, trouble: Trouble) -> None:
        if trouble.family != TAMPER:
            return
        place = (trouble.site_id, trouble.key)
        if trouble.stands:
            self._standing.add(place)
        else:
            self._standing.discard(place)

    def says(self, device: Device, *, opened: bool) -> None:
        """Of most it is the same as ever, and nothing follows."""
        place = _place(device)
        if opened == (place in self._standing):
            self._said.pop(place, None)
        elif not opened or device.gestures.actions.get(TAMPER) != IGNORED:
            self._said[place] = opened

    def stands(self, device: Device) -> bool:
        return _place(device) in self._standing

    def keep(self, known: Mapping[DeviceId, Record]) -> None:
        """Who left the registry, or hangs in another school now, will never say that it is whole."""
        for site_id, key in sorted(self._standing):
            record = known.get(_device_id(key))
            if record is None or record.device.site_id != site_id:
                self._said[site_id, key] = False

    def due(self, registry: Registry) -> Iterator[TroubleRaised | TroubleCleared]:
        """To be told now; `again` for what was not committed."""
        said, self._said = self._said, {}
        for (site_id, key), opened in said.items():
            device = registry.devices.get(_device_id(key))
            if not opened:
                self._standing.discard((site_id, key))
                yield TroubleCleared(site_id=site_id, key=key)
            elif device is not None and device.site_id == site_id:
                self._standing.add((site_id, key))  # while it is committed, the device may say that it is whole
                yield TroubleRaised(site_id=site_id, key=key, summary=check_in_words.tampered(device, registry))

    def again(self, event: TroubleRaised | TroubleCleared) -> None:
        """Unless the device has said another thing meanwhile."""
        place, opened = (event.site_id, event.key), isinstance(event, TroubleRaised)
        (self._standing.discard if opened else self._standing.add)(place)
        self._said.setdefault(place, opened)


def _place(device: Device) -> Place:
    return device.site_id, f"{TAMPER}:{device.id}"


def _device_id(key: str) -> DeviceId:
    return DeviceId(key.partition(":")[2])
