"""Addresses that take one thing at a time (`ports.OneAtATime`): who waits until we ourselves have let go of one.

Owns which endpoints are held up, and what stands back there for first calls. Must never let one go whose row is still
claimed: it would not be found.
"""

from collections.abc import Callable, Mapping

from alertd.model.ids import NotificationId
from alertd.model.notification import Notification
from alertd.ports import OneAtATime


class Lines:
    """`tell` is called whenever an address has become free."""

    def __init__(self, tell: Callable[[], None]) -> None:
        self._tell = tell
        self._lines: dict[str, OneAtATime] = {}
        self._held_up: dict[str, set[str]] = {}
        """Endpoint keys by channel: something waits until we ourselves have let go of that address."""
        self._first: set[str] = set()
        """Endpoint keys at which a panic's first words wait, or may wait."""
        self._first_let_go: set[str] = set()
        """The same, of those that the store is letting go: they are not claimed yet."""
        self._found_held: dict[NotificationId, str] = {}
        """The same, by call that found its phone held a moment ago: its row is still claimed, and cannot be let go."""

    def use(self, lines: Mapping[str, OneAtATime]) -> None:
        """Swap them, by channel (reload)."""
        self._lines = dict(lines)
        for name, line in self._lines.items():
            line.on_free(self._tell)
            self._held_up[name] = {f"{name}:{address}" for address in line.held()}  # whoever waits there since before
            self._first |= self._held_up[name]

    def let_go(self) -> dict[str, set[str]]:
        """Of those that were held up, by channel, the endpoints that are free now. Whatever waits for one of them is
        due in the same moment, so that the most urgent goes first, and not who happens to try next."""
        free: dict[str, set[str]] = {}
        for name, line in self._lines.items():
            held = {f"{name}:{address}" for address in line.held()}
            if keys := self._held_up.get(name, set()) - held:
                free[name] = keys
                self._held_up[name] &= held
                self._first_let_go |= self._first & keys
                self._first -= keys
        return free

    def claimed(self) -> None:
        """What was let go is claimed, the most urgent first."""
        self._first_let_go.clear()

    def hold_up(self, let_go: Mapping[str, set[str]]) -> None:
        """Those were not let go after all: the store did not do it."""
        for name, keys in let_go.items():
            self._held_up.setdefault(name, set()).update(keys)
        self._first |= self._first_let_go
        self._first_let_go.clear()

    def found_held(self, n: Notification) -> None:
        """From now on nothing that repeats goes before it there, however long it takes to write that down."""
        if n.endpoint.channel in self._lines and n.lane.is_urgent:
            self._found_held[n.id] = n.endpoint.key

    def stands_back(self, n: Notification) -> bool:
        """Its address became free after it was claimed, and a panic's first words wait for that: they go before it.
        While it is held, the channel itself knows what makes way."""
        line = self._lines.get(n.endpoint.channel)
        first = self._first.union(self._first_let_go, self._found_held.values())
        if line is None or n.lane.is_urgent or n.endpoint.key not in first:
            return False
        return n.endpoint.address not in line.held()

    def wait_for(self, n: Notification) -> None:
        """Once it is queued again, and not before: else it would be let go while it is still claimed."""
        line = self._lines.get(n.endpoint.channel)
        if line is not None:
            if n.lane.is_urgent:
                self._first.add(n.endpoint.key)
            self._held_up.setdefault(n.endpoint.channel, set()).add(n.endpoint.key)
            if n.endpoint.address not in line.held():  # free since
                self._tell()

    def written_down(self, n: Notification) -> None:
        """What became of it is on record, or never will be: nothing stands back for it any more, unless it waits."""
        self._found_held.pop(n.id, None)
