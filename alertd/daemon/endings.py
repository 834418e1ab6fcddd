"""Devices that say with every report that they do not call ("Alarm 0"): once is enough.

What a device ends goes through the door, for it must be known before its next call. Said again with nothing between,
it changes nothing, and a commit for each report of each device would be many. Must never hold back an ending that
follows a call: the call is remembered here when it comes in, not when it is committed. Nor one that no commit has
taken: the broker gives it again, and the next call is a repeat until it is known.
"""

import asyncio
from collections.abc import Awaitable, Sequence

from alertd.model.events import Event, Pressed
from alertd.model.ids import DeviceId

AGAIN_US = 3600 * 1_000_000
"""After so long it goes through again: another node may have taken the call."""


THINGS_MAX = 64
"""That one device may end: its words and buttons. Of more, none is held back."""


class Endings:
    """Belongs to the event loop. Knows at most the devices of the registry: only those press."""

    def __init__(self) -> None:
        self._calm: dict[DeviceId, dict[str, int]] = {}
        """Device -> what of it has ended, with nothing heard since -> when (boot time)."""
        self._passing: list[tuple[DeviceId, str]] = []

    def needed(self, events: Sequence[Event], boot_us: int) -> tuple[Event, ...]:
        """Without what is known already."""
        return tuple(event for event in events if not isinstance(event, Pressed) or self._is_needed(event, boot_us))

    def _is_needed(self, event: Pressed, boot_us: int) -> bool:
        signal = event.signal
        if not signal.ends:
            self._calm.pop(signal.device_id, None)
            return True
        ended = self._calm.setdefault(signal.device_id, {})
        what = f"{event.site_id}/{signal.action}/{signal.lasting.what if signal.lasting is not None else ''}"
        known_us = ended.get(what)
        if known_us is not None and boot_us - known_us < AGAIN_US:
            return False
        if len(ended) < THINGS_MAX:
            ended[what] = boot_us
            self._passing.append((signal.device_id, what))
        return True

    def await_commit(self, done: Awaitable[None]) -> None:
        """`done`: of what `needed` has let through. In vain: it is not known, and passes when it comes again."""
        passing, self._passing = self._passing, []
        if not passing or not isinstance(done, asyncio.Future):
            return

        def settled(future: "asyncio.Future[None]") -> None:
            if future.cancelled() or future.exception() is not None:
                for device_id, what in passing:
                    self._calm.get(device_id, {}).pop(what, None)

        done.add_done_callback(settled)
