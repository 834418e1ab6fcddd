"""Troubles of devices that said they were opened: over when the device says that it is whole, or is there no more."""

from collections.abc import Iterator, Mapping

from alertd.daemon.device_records import Record
from alertd.model.events import TroubleCleared
from alertd.model.ids import DeviceId, SiteId
from alertd.model.trouble import Trouble

TAMPER = "tamper"


class Tampers:
    """Which of them stand, as they were committed, and which ends are to be told with the next round."""

    def __init__(self) -> None:
        self._standing: set[tuple[SiteId, str]] = set()
        self._over: list[tuple[SiteId, str]] = []

    def note(self, trouble: Trouble) -> None:
        if trouble.family != TAMPER:
            return
        place = (trouble.site_id, trouble.key)
        if trouble.stands:
            self._standing.add(place)
        else:
            self._standing.discard(place)

    def whole_again(self, site_id: SiteId, device_id: DeviceId) -> None:
        place = (site_id, f"{TAMPER}:{device_id}")
        if place in self._standing:
            self._over.append(place)

    def keep(self, known: Mapping[DeviceId, Record]) -> None:
        """Who left the registry, or hangs in another school now, will never say that it is whole."""
        for site_id, key in sorted(self._standing):
            record = known.get(DeviceId(key.partition(":")[2]))
            if record is None or record.device.site_id != site_id:
                self._over.append((site_id, key))

    def ends(self) -> Iterator[TroubleCleared]:
        """To be told now; `again` for those that were not committed."""
        over, self._over = dict.fromkeys(self._over), []
        for site_id, key in over:
            yield TroubleCleared(site_id=site_id, key=key)

    def again(self, end: TroubleCleared) -> None:
        self._over.append((end.site_id, end.key))
