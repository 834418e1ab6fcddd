"""Devices that say with every report that they do not call ("Alarm 0"): once is enough.

What a device ends goes through the door, for it must be known before its next call. Said again with nothing between,
it changes nothing, and a commit for each report of each device would be many. Must never hold back an ending that
follows a call: the call is remembered here when it comes in, not when it is committed. Nor one that no commit has
taken: the broker gives it again, and the next call is a repeat until it is known. Nor one because of another that ends
nothing (`engine.levels.end`): what the broker remembers, what is older than the call, a copy.
"""

from collections import deque
from collections.abc import Awaitable, Sequence

from alertd.daemon.in_vain import if_in_vain
from alertd.model.events import Event, Pressed
from alertd.model.ids import CauseId, DeviceId

AGAIN_US = 3600 * 1_000_000
"""After so long it goes through again: another node may have taken the call."""


COPIES_MAX = 16
"""Endings of one device that are known when they come again."""
THINGS_MAX = 64
"""That one device may end: its words and buttons. Of more, none is held back."""


class Endings:
    """Belongs to the event loop. Knows at most the devices of the registry: only those press."""

    def __init__(self) -> None:
        self._calm: dict[DeviceId, dict[str, int]] = {}
        """Device -> what of it has ended, with nothing heard since -> when (boot time)."""
        self._passing: list[tuple[DeviceId, str]] = []
        self._called_us: dict[DeviceId, int] = {}
        """When each was last heard to call (wall clock)."""
        self._passed: dict[DeviceId, deque[CauseId]] = {}
        """What has gone through of each."""

    def needed(self, events: Sequence[Event], boot_us: int) -> tuple[Event, ...]:
        """Without what is known already."""
        return tuple(event for event in events if not isinstance(event, Pressed) or self._is_needed(event, boot_us))

    def _is_needed(self, event: Pressed, boot_us: int) -> bool:
        signal = event.signal
        if not signal.ends:
            self._calm.pop(signal.device_id, None)
            self._called_us[signal.device_id] = event.received_us
            return True
        ended = self._calm.setdefault(signal.device_id, {})
        what = f"{event.site_id}/{signal.action}/{signal.lasting.what if signal.lasting is not None else ''}"
        known_us = ended.get(what)
        if known_us is not None and boot_us - known_us < AGAIN_US:
            return False
        if len(ended) < THINGS_MAX and self._ends_it(event):
            ended[what] = boot_us
            self._passing.append((signal.device_id, what))
        return True

    def _ends_it(self, event: Pressed) -> bool:
        """Does it end the last call for certain?"""
        device_id = event.signal.device_id
        passed = self._passed.setdefault(device_id, deque(maxlen=COPIES_MAX))
        is_copy = event.cause in passed
        passed.append(event.cause)
        return not event.retained and not is_copy and event.oldest_us >= self._called_us.get(device_id, 0)

    def await_commit(self, done: Awaitable[None]) -> None:
        """`done`: of what `needed` has let through. In vain: it is not known, and passes when it comes again."""
        passing, self._passing = self._passing, []
        if passing:
            if_in_vain(done, lambda: self._forget(passing))

    def _forget(self, passing: Sequence[tuple[DeviceId, str]]) -> None:
        for device_id, what in passing:
            self._calm.get(device_id, {}).pop(what, None)
