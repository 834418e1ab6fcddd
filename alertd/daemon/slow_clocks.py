"""Sensors whose numbers are all too old to say anything of now: their clock is slow, and none of them is ever an alarm.

Owns: since when each number of a sensor has been too old, and what is told of it. Must never: make an alarm of an old
number, or take what waited at a broker for a wrong clock.
"""

from collections.abc import Iterator

from msgspec import Struct

from alertd.model.events import Pressed, TroubleCleared, TroubleRaised
from alertd.model.ids import DeviceId, SiteId
from alertd.model.site import Device

SLOW_S = 600.0
"""Without one number that is not too old. What was held up on its way is followed by younger ones."""
SLOW_LEAST = 3
"""And so many that are."""
FAMILY = "device_clock"


class _Sensor(Struct):
    since_us: int
    """Boot time of the first number that was too old."""
    count: int = 0
    told: SiteId | None = None
    """Where people were told of it."""


class SlowClocks:
    """Belongs to the event loop, like `Readings`."""

    def __init__(self) -> None:
        self._slow: dict[DeviceId, _Sensor] = {}
        self._news: dict[DeviceId, TroubleRaised | TroubleCleared] = {}

    def is_old(self, event: Pressed, device: Device, now_us: int) -> bool:
        """This number is too old, and came straight from the broker. True: there is something to tell."""
        sensor = self._slow.setdefault(device.id, _Sensor(since_us=now_us))
        sensor.count += 1
        if sensor.told is not None or sensor.count < SLOW_LEAST or now_us - sensor.since_us < SLOW_S * 1_000_000:
            return False
        sensor.told = device.site_id
        late_min = (event.received_us - event.oldest_us) // 60_000_000
        summary = (
            f"{device.label or device.id} ({device.id}) says that what it measures is {late_min} min old, each time: "
            "none of its numbers is an alarm. Set its clock."
        )
        key = f"{FAMILY}:{device.id}"
        self._news[device.id] = TroubleRaised(site_id=device.site_id, key=key, summary=summary)
        return True

    def is_young(self, device_id: DeviceId) -> bool:
        """Its clock is right. True: there is something to tell."""
        sensor = self._slow.pop(device_id, None)
        if sensor is None or sensor.told is None:
            return False
        self._news[device_id] = TroubleCleared(site_id=sensor.told, key=f"{FAMILY}:{device_id}")
        return True

    def news(self) -> Iterator[tuple[DeviceId, TroubleRaised | TroubleCleared]]:
        """To be told now; `again` for what was not committed."""
        found, self._news = self._news, {}
        yield from found.items()

    def again(self, device_id: DeviceId, event: TroubleRaised | TroubleCleared) -> None:
        """It is tried again with the next number, unless it is otherwise by then."""
        sensor = self._slow.get(device_id)
        if isinstance(event, TroubleCleared):
            if sensor is None:
                self._slow[device_id] = _Sensor(since_us=0, told=event.site_id)
        elif sensor is not None:
            sensor.told = None
