"""A channel's rate limit: a token bucket on boot time. May be overdrawn by a panic, which never waits for it."""

from alertd.ports import Clock


class TokenBucket:
    """`per_s` tokens a second; 0 = unlimited. Holds one second's worth, at least one."""

    def __init__(self, per_s: float, clock: Clock) -> None:
        self._per_s = per_s
        self._clock = clock
        self._most = max(1.0, per_s)
        self._tokens = self._most
        self._filled_us = clock.now().boot_us

    def whole(self) -> int:
        """Tokens that can be drawn now."""
        if not self._per_s:
            return 1_000_000
        self._fill()
        return max(0, int(self._tokens))

    def draw(self) -> None:
        """Take one, even if there is none: whoever may not do that asks `whole` first."""
        if self._per_s:
            self._fill()
            self._tokens = max(self._tokens - 1.0, -self._most)

    def wait_s(self) -> float:
        """Seconds until a token can be drawn; 0 if one can now."""
        if not self._per_s:
            return 0.0
        self._fill()
        return max(0.0, (1.0 - self._tokens) / self._per_s)

    def _fill(self) -> None:
        now_us = self._clock.now().boot_us
        self._tokens = min(self._most, self._tokens + (now_us - self._filled_us) / 1_000_000 * self._per_s)
        self._filled_us = now_us
