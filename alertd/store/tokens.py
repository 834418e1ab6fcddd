"""Reply tokens: which digits may name an incident, and which are free. A text "417" is answer 4 to token 17.

A token is free when no incident of the district carries it that is open, or was opened or closed within 24 h: a late
reply must not speak about another incident. Two digits as long as they last, then three, and more in a storm: there is
always one. The least recently used comes first. What only memory holds takes no two digits at all: see `TokenPool`.

Clocks on walls are wrong, and are set. So the order is that in which incidents were written, and rests are measured in
boot time: no step of a clock ends one. What an earlier life has left is as old as the wall says, but what it left last
has a whole day before it. Never knows a phone or a site.
"""

from collections.abc import Container, Iterable, Sequence
from functools import cache
from heapq import heappop, heappush
from zlib import crc32

from alertd.model.anchor import Now
from alertd.model.ids import IncidentId
from alertd.store.sql import Row

RESERVED_US = 24 * 3600 * 1_000_000
"""A token rests this long after its incident opened, and after it closed."""
HORIZON_US = 7 * RESERVED_US
"""Uses older than this are as good as none: they no longer order the free ones."""
NEWEST = 200
"""Of so many incidents the order of use is known, however long ago they seem: all of two digits, in quiet times."""
DOUBTED = 40
"""Of so many the age is not believed when a life begins. Fewer than half of the two digits: the others suffice."""
WIDTHS = (2, 3, 4, 5, 6)
BLOCKED = ("911", "112", "933", "988", "999", "000")
"""No answer may spell one of these anywhere: a phone or a modem could dial it."""

_COMPLETED = frozenset(number[1:] for number in BLOCKED if number[0] in "123456789")
"""What a digit in front makes a blocked number of."""


Use = tuple[IncidentId, str, bool, int]
"""An incident, its token, whether it is open, and when it was opened or closed last: in boot time, maybe before 0."""


def last_used_us(opened_us: int, closed_us: int | None, now: Now) -> int:
    """In boot time, so far as the clock of now knows."""
    return now.boot_us - max(0, now.wall_us - max(opened_us, closed_us or 0))


def last_uses(found: Sequence[Row], now: Now, since_us: int) -> list[Use]:
    """From the rows of `sql.READ_TOKENS`. `since_us`: boot time at which the store was opened; what was written before
    may have been written by a clock that was wrong, or is judged by one that is wrong now."""
    uses: list[Use] = []
    for left, (incident_id, token, state, opened_us, closed_us, _) in zip(range(len(found), 0, -1), found, strict=True):
        last_us = last_used_us(opened_us, closed_us, now)
        uses.append((incident_id, token, state == "open", max(last_us, since_us) if left <= DOUBTED else last_us))
    return uses


def is_allowed(token: str) -> bool:
    """Does no digit 1–9 in front of the token spell a blocked number?"""
    return token[:2] not in _COMPLETED and not any(number in token for number in BLOCKED)


@cache
def all_tokens(width: int) -> tuple[str, ...]:
    return tuple(token for number in range(10 ** (width - 1), 10**width) if is_allowed(token := str(number)))


class TokenPool:
    """The free tokens of the district, in memory. Fed with every incident that was committed."""

    def __init__(self, used: Iterable[Use] = (), *, lost_with: str | None = None) -> None:
        """`used`: the least recent one first. `lost_with`: the boot whose end takes the incidents that get these, if
        only memory holds them. Texts outlive it: a code of theirs must not name another incident after a power cut. So
        they have three digits, which the disk hardly ever gives out, from another place in each boot."""
        self._lost_with = lost_with
        self._widths = WIDTHS if lost_with is None else WIDTHS[1:]
        self._free: dict[int, dict[str, None]] = {}
        self._holders: dict[str, set[IncidentId]] = {}
        self._uses = 0
        self._last_use: dict[str, int] = {}
        """The number of its last use: orders them, whenever they have rested enough."""
        self._rests_until_us: dict[str, int] = {}
        self._resting: list[tuple[int, int, str]] = []
        for incident_id, token, is_open, last_us in used:
            self.note(incident_id, token, is_open=is_open, last_us=last_us)
        for width in {self._widths[0], *map(len, self._last_use)} & set(self._widths):
            self._free_of(width)  # now, so that those that rested enough follow in the order of their use

    def note(self, incident_id: IncidentId, token: str, *, is_open: bool, last_us: int) -> None:
        """An incident with this token was committed, or was found."""
        if not token:
            return
        self._free.get(len(token), {}).pop(token, None)
        holders = self._holders.setdefault(token, set())
        self._uses += 1
        self._last_use[token] = self._uses
        if is_open:
            holders.add(incident_id)
        else:
            holders.discard(incident_id)
        # An old incident that is written again, its names erased, ends no rest of a younger one with the same token.
        until_us = max(last_us + RESERVED_US, self._rests_until_us.get(token, last_us))
        self._rests_until_us[token] = until_us
        if not holders:
            heappush(self._resting, (until_us, self._uses, token))

    def free(self, limit: int, now_us: int, taken: Container[str] = ()) -> tuple[str, ...]:
        """At most `limit` free tokens, best first; `taken` are spoken for by what is not committed yet."""
        self._wake(now_us)
        found: list[str] = []
        for width in self._widths:
            for token in self._free_of(width):
                if len(found) >= limit:
                    return tuple(found)
                if token not in taken:
                    found.append(token)
        return tuple(found)

    def _wake(self, now_us: int) -> None:
        rested: list[tuple[int, str]] = []
        while self._resting and self._resting[0][0] <= now_us:
            _, use, token = heappop(self._resting)
            if self._last_use.get(token) == use:  # otherwise an older rest of a token that was used since
                rested.append((use, token))
        for _, token in sorted(rested):
            del self._holders[token], self._last_use[token], self._rests_until_us[token]
            if len(token) in self._free:
                self._free[len(token)][token] = None

    def _free_of(self, width: int) -> dict[str, None]:
        if width not in self._free:
            self._free[width] = {token: None for token in self._in_order(width) if token not in self._last_use}
        return self._free[width]

    def _in_order(self, width: int) -> tuple[str, ...]:
        tokens = all_tokens(width)
        place = 0 if self._lost_with is None else crc32(self._lost_with.encode()) % len(tokens)
        return tokens[place:] + tokens[:place]
