"""Texts that are being posted: Twilio may list one before its answer has come, and nobody knows yet whose it is.

Owns who waits for such an answer. Must never hold up a text.
"""

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from alertd.model.notification import Notification

ANSWERS_S = 4.0
"""So long a look-up waits for the answers to others; it has ten seconds in all."""


class Posting:
    """By phone and words: of two that differ in either, none is taken for the other."""

    def __init__(self) -> None:
        self._under_way: Counter[tuple[str, str]] = Counter()
        self._ended = asyncio.Event()

    @contextmanager
    def of(self, notification: Notification) -> Iterator[None]:
        """While it is posted, and until what came of it is learned."""
        key = _key(notification)
        self._under_way[key] += 1
        try:
            yield
        finally:
            self._under_way[key] -= 1
            if not self._under_way[key]:
                del self._under_way[key]
            self._ended.set()

    def has_twin(self, notification: Notification) -> bool:
        """Is one with its words under way to its phone?"""
        return _key(notification) in self._under_way

    async def answered(self, notification: Notification) -> None:
        """Wait until no twin is under way, or for as long as there is time."""
        with suppress(TimeoutError):
            async with asyncio.timeout(ANSWERS_S):
                while self.has_twin(notification):
                    self._ended.clear()
                    await self._ended.wait()


def _key(notification: Notification) -> tuple[str, str]:
    return notification.endpoint.address, notification.text.strip()
