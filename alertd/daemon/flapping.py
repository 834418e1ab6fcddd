"""How long something has to be well before people are told so: at once, unless it comes and goes.

A plug with a bad contact would otherwise text technicians twice every few minutes, until they read none of it. Its
trouble stands until it has been well for a while, and longer each time. Must never: delay the news that something is
wrong.
"""

from collections.abc import Container

from alertd.model.ids import DeviceId

FIRST_HOLD_S = 300.0
"""Whoever comes back a second time within a day has to stay so long; each further time twice as long."""
LONGEST_HOLD_S = 4 * 3600.0
FORGOTTEN_S = 24 * 3600.0
"""Without a fall for so long, it is steady again."""


class Flapping:
    """Counts how often each has fallen. Boot time in microseconds."""

    def __init__(self) -> None:
        self._falls: dict[DeviceId, tuple[int, int]] = {}
        """How often within a day of each other, and when last."""

    def fell(self, device_id: DeviceId, now_us: int) -> None:
        count, last_us = self._falls.get(device_id, (0, now_us))
        if now_us - last_us > FORGOTTEN_S * 1_000_000:
            count = 0
        self._falls[device_id] = (count + 1, now_us)

    def over_us(self, device_id: DeviceId, now_us: int) -> int:
        """It is well now: when its trouble is over, if it stays so."""
        count, _ = self._falls.get(device_id, (0, now_us))
        if count < 2:
            return now_us
        return now_us + round(min(FIRST_HOLD_S * 2.0 ** min(count - 2, 20), LONGEST_HOLD_S) * 1_000_000)

    def forget(self, device_id: DeviceId) -> None:
        self._falls.pop(device_id, None)

    def keep(self, known: Container[DeviceId]) -> None:
        """Whoever is registered no more is forgotten."""
        self._falls = {each: falls for each, falls in self._falls.items() if each in known}
