"""A channel's rate limit: a token bucket on boot time. May be overdrawn by a panic, which never waits for it."""

from alertd.ports import Clock

CATCH_UP_S = 0.5
"""A token is drawn a little after it is there: a claim takes its time. So much of that is made up for, else one call a
second is one in 1.3 seconds, and the last of two hundred phones rings a minute late."""

ROUNDING = 1e-6
"""Tokens. A clock of whole microseconds fills the bucket to 0.9999999, and nobody may wait for the rest."""
PAUSE_LEAST_S = 1e-4


class TokenBucket:
    """`per_s` tokens a second; 0 = unlimited. Holds one second's worth, at least one."""

    def __init__(self, per_s: float, clock: Clock) -> None:
        self._per_s = per_s
        self._clock = clock
        self._most = max(1.0 + min(CATCH_UP_S * per_s, CATCH_UP_S), per_s)
        self._tokens = max(1.0, per_s)
        self._filled_us = clock.now().boot_us

    def whole(self) -> int:
        """Tokens that can be drawn now."""
        if not self._per_s:
            return 1_000_000
        self._fill()
        return max(0, int(self._tokens + ROUNDING))

    def draw(self) -> None:
        """Take one, even if there is none: whoever may not do that asks `whole` first."""
        if self._per_s:
            self._fill()
            self._tokens = max(self._tokens - 1.0, -self._most)

    def give_back(self) -> None:
        """What was drawn was not used."""
        if self._per_s:
            self._fill()
            self._tokens = min(self._most, self._tokens + 1.0)

    def wait_s(self) -> float:
        """Seconds until a token can be drawn; 0 if one can now."""
        if not self._per_s:
            return 0.0
        self._fill()
        missing = 1.0 - self._tokens
        return max(PAUSE_LEAST_S, missing / self._per_s) if missing > ROUNDING else 0.0

    def _fill(self) -> None:
        now_us = self._clock.now().boot_us
        self._tokens = min(self._most, self._tokens + (now_us - self._filled_us) / 1_000_000 * self._per_s)
        self._filled_us = now_us
