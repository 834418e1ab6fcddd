"""Sensors whose numbers are all too old to say anything of now: their clock is slow, and none of them is ever an alarm.

Owns: since when each number of a sensor has been too old, what is told of it, and that it is over: with a number that
is young, or when the sensor is there no more. Must never: make an alarm of an old number, or take what waited at a
broker for a wrong clock.
"""

from collections.abc import Iterator

from msgspec import Struct

from alertd.model.events import Pressed, TroubleCleared, TroubleRaised
from alertd.model.ids import DeviceId, SiteId
from alertd.model.registry import Registry
from alertd.model.site import Device
from alertd.model.trouble import Trouble

SLOW_S = 600.0
"""Without one number that is not too old. What was held up on its way is followed by younger ones."""
SLOW_LEAST = 3
"""And so many that are."""
FAMILY = "device_clock"

Place = tuple[SiteId, str]
"""Site and key of a trouble."""


class _Sensor(Struct):
    since_us: int
    """Boot time of the first number that was too old."""
    count: int = 0


class SlowClocks:
    """Belongs to the event loop, like `Readings`."""

    def __init__(self) -> None:
        self._slow: dict[DeviceId, _Sensor] = {}
        self._standing: set[Place] = set()
        """Troubles of a device's clock that stand, whoever raised them in whichever life, or are being committed."""
        self._news: dict[Place, TroubleRaised | TroubleCleared] = {}

    def note(self, trouble: Trouble) -> None:
        if trouble.family == FAMILY:
            (self._standing.add if trouble.stands else self._standing.discard)((trouble.site_id, trouble.key))

    def is_old(self, event: Pressed, device: Device, now_us: int) -> bool:
        """This number is too old, and came straight from the broker. True: there is something to tell."""
        sensor, place = self._slow.setdefault(device.id, _Sensor(since_us=now_us)), (device.site_id, _key(device.id))
        sensor.count += 1
        if sensor.count < SLOW_LEAST or now_us - sensor.since_us < SLOW_S * 1_000_000 or place in self._standing:
            return False
        self._standing.add(place)
        late_min = (event.received_us - event.oldest_us) // 60_000_000
        summary = (
            f"says that what it measures is {late_min} min old, each time: none of its numbers is an alarm. "
            "Set its clock."
        )
        self._news[place] = TroubleRaised(site_id=device.site_id, key=place[1], summary=summary, about=device.id)
        return True

    def is_young(self, device: Device) -> bool:
        """Its clock is right. True: there is something to tell."""
        self._slow.pop(device.id, None)
        return self._end((device.site_id, _key(device.id)))

    def keep(self, registry: Registry) -> None:
        """Who left the registry, or is no more of this school, will never say there that its clock is right."""
        for site_id, key in sorted(self._standing):
            device = registry.devices.get(DeviceId(key.partition(":")[2]))
            if device is None or site_id not in (device.site_id, *device.roaming_sites):
                self._end((site_id, key))

    def _end(self, place: Place) -> bool:
        if place not in self._standing:
            return False
        self._standing.discard(place)
        self._news[place] = TroubleCleared(site_id=place[0], key=place[1])
        return True

    def news(self) -> Iterator[TroubleRaised | TroubleCleared]:
        """To be told now; `again` for what was not committed."""
        found, self._news = self._news, {}
        yield from found.values()

    def again(self, event: TroubleRaised | TroubleCleared) -> None:
        """It is tried again with the next number, or look, unless it is otherwise by then."""
        (self._standing.discard if isinstance(event, TroubleRaised) else self._standing.add)((event.site_id, event.key))


def _key(device_id: DeviceId) -> str:
    return f"{FAMILY}:{device_id}"
