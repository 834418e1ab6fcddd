"""Addresses that take one thing at a time (`ports.OneAtATime`): who waits until we ourselves have let go of one.

Owns which endpoints are held up. Must never let one go whose row is still claimed: it would not be found.
"""

from collections.abc import Callable, Mapping

from alertd.model.notification import Notification
from alertd.ports import OneAtATime


class Lines:
    """`tell` is called whenever an address has become free."""

    def __init__(self, tell: Callable[[], None]) -> None:
        self._tell = tell
        self._lines: dict[str, OneAtATime] = {}
        self._held_up: dict[str, set[str]] = {}
        """Endpoint keys by channel: something waits until we ourselves have let go of that address."""

    def use(self, lines: Mapping[str, OneAtATime]) -> None:
        """Swap them, by channel (reload)."""
        self._lines = dict(lines)
        for name, line in self._lines.items():
            line.on_free(self._tell)
            self._held_up[name] = {f"{name}:{address}" for address in line.held()}  # whoever waits there since before

    def let_go(self) -> dict[str, set[str]]:
        """Of those that were held up, by channel, the endpoints that are free now. Whatever waits for one of them is
        due in the same moment, so that the most urgent goes first, and not who happens to try next."""
        free: dict[str, set[str]] = {}
        for name, line in self._lines.items():
            held = {f"{name}:{address}" for address in line.held()}
            if keys := self._held_up.get(name, set()) - held:
                free[name] = keys
                self._held_up[name] &= held
        return free

    def hold_up(self, let_go: Mapping[str, set[str]]) -> None:
        """Those were not let go after all: the store did not do it."""
        for name, keys in let_go.items():
            self._held_up.setdefault(name, set()).update(keys)

    def wait_for(self, n: Notification) -> None:
        """Once it is queued again, and not before: else it would be let go while it is still claimed."""
        line = self._lines.get(n.endpoint.channel)
        if line is not None:
            self._held_up.setdefault(n.endpoint.channel, set()).add(n.endpoint.key)
            if n.endpoint.address not in line.held():  # free since
                self._tell()
