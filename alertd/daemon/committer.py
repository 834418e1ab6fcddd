"""Where the store is called from: one writer thread, so that an fsync never stops the event loop.

Owns: that thread, and who is next. Presses and answers go before look-ups, claims and housekeeping, of which any number
may wait; after each of theirs one of the others has its turn, so that texts are claimed however many presses come. Must
never: run two pieces of work at once, or change their order within a lane. Under virtual time the loop runs the
executor's work inline and completes it after a seeded delay: nothing here needs to know.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")
Lane = deque[asyncio.Future[None]]
"""Who waits, in order; called by a result."""


class Committer:
    """Runs work on the store, one piece at a time."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="writer")
        self._first: Lane = deque()
        self._rest: Lane = deque()
        self._is_busy = False

    async def run(self, work: Callable[[], T], *, first: bool = False) -> T:
        """Result or exception of `work`. `first`: people wait for it; it waits for one piece of other work at most."""
        if self._is_busy:
            await self._called(self._first if first else self._rest)
        self._is_busy = True
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, work)
        finally:
            self._call_next(self._rest if first else self._first)

    def close(self) -> None:
        self._thread.shutdown(wait=True)

    async def _called(self, lane: Lane) -> None:
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        lane.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if not turn.cancelled():  # called and sent away in one moment
                self._call_next(lane)
            raise

    def _call_next(self, preferred: Lane) -> None:
        for lane in (preferred, self._first, self._rest):
            while lane:
                turn = lane.popleft()
                if not turn.done():
                    turn.set_result(None)
                    return
        self._is_busy = False
