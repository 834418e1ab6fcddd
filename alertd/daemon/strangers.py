"""Troubles of devices that nobody had registered where sensors speak: over once their row stands in the registry, so
that whoever loses it again is told of anew.

Of those of a kind that are told as one (`:*`) nobody knows here who they are.
"""

from collections.abc import Iterator

from alertd.engine.troubles import SENSORS_STRANGERS
from alertd.model.events import TroubleCleared
from alertd.model.ids import SiteId
from alertd.model.registry import Registry
from alertd.model.site import DeviceKind
from alertd.model.trouble import Trouble


class Strangers:
    """Which of them stand."""

    def __init__(self) -> None:
        self._standing: set[tuple[SiteId, str]] = set()

    def note(self, trouble: Trouble) -> None:
        if trouble.family in SENSORS_STRANGERS:
            (self._standing.add if trouble.stands else self._standing.discard)((trouble.site_id, trouble.key))

    def over(self, registry: Registry) -> Iterator[TroubleCleared]:
        """To be told now; `again` for what was not committed."""
        for site_id, key in sorted(self._standing):
            device = registry.device_of(key.partition(":")[2])
            if device is not None and device.kind is not DeviceKind.GATEWAY:
                self._standing.discard((site_id, key))
                yield TroubleCleared(site_id=site_id, key=key)

    def again(self, event: TroubleCleared) -> None:
        self._standing.add((event.site_id, event.key))
