"""How long something has to be well before people are told so: at once, unless it comes and goes.

A plug with a bad contact would otherwise text technicians twice every few minutes, until they read none of it. Its
trouble stands until it has been well for a while, and longer each time. What was counted is kept with the device: an
alertd that is started again each hour must not begin anew. Whoever is wrong again meanwhile, and stays so for as long,
does not come and go any more: that is told. Must never: delay the news that something is wrong.
"""

from msgspec.structs import replace

from alertd.daemon.device_records import Record
from alertd.model.check_in import Falls

FIRST_HOLD_S = 300.0
"""Whoever comes back a second time within a day has to stay so long; each further time twice as long."""
LONGEST_HOLD_S = 4 * 3600.0
FORGOTTEN_S = 24 * 3600.0
"""Without a fall for so long, it is steady again."""


class Flapping:
    """Counts how often each has fallen, of one kind of trouble. Boot time in microseconds."""

    def __init__(self, family: str) -> None:
        self._family = family

    def fell(self, record: Record, now_us: int, *, untold: bool = False) -> None:
        """`untold`: people know that it comes and goes."""
        before = record.falls.get(self._family)
        is_again = before is not None and now_us - before.fell_us <= FORGOTTEN_S * 1_000_000
        count = before.count if before is not None and is_again else 0
        record.falls[self._family] = Falls(count=count + 1, fell_us=now_us, untold=untold)

    def for_good_us(self, record: Record) -> int | None:
        """When it is told that it has fallen again, if it stays so: for longer than its window, and as long as it would
        have to be well. `None`: people know."""
        falls = record.falls.get(self._family)
        if falls is None or not falls.untold:
            return None
        return falls.fell_us + max(record.window_us, _hold_us(falls))

    def is_told(self, record: Record) -> None:
        falls = record.falls.get(self._family)
        if falls is not None and falls.untold:
            record.falls[self._family] = replace(falls, untold=False)

    def over_us(self, record: Record, now_us: int) -> int:
        """It is well now: when its trouble is over, if it stays so."""
        falls = record.falls.get(self._family)
        if falls is None or falls.count < 2:
            return now_us
        back_us = now_us if falls.back_us is None else falls.back_us
        record.falls[self._family] = replace(falls, back_us=back_us)
        return max(now_us, back_us + _hold_us(falls))

    def was_well(self, record: Record) -> bool:
        """Was it well when it was last known? Its trouble is over when it has been so for long enough (`over_us`)."""
        falls = record.falls.get(self._family)
        return falls is not None and falls.back_us is not None

    def forget(self, record: Record) -> None:
        record.falls.pop(self._family, None)


def _hold_us(falls: Falls) -> int:
    hold_s = min(FIRST_HOLD_S * 2.0 ** min(falls.count - 2, 20), LONGEST_HOLD_S)
    return round(hold_s * 1_000_000)
