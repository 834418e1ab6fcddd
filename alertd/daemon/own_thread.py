"""`OwnThreads`: work that may hang for ever, as reading from a filesystem may, each in a thread of its own.

Owns the deadline. Must never keep anybody waiting for a thread that hangs: neither the next work, as a pool's thread
would, nor the end of the process, which joins the threads of pools.
"""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

T = TypeVar("T")

HANGING_MAX = 4
"""Threads that hang at one time; each keeps its memory until its disk answers, if ever."""


class StillHangingError(Exception):
    """Too many works before this one hang still."""


class OwnThreads:
    def __init__(self, name: str) -> None:
        self._name = name
        self._threads: list[threading.Thread] = []

    @property
    def hanging(self) -> int:
        """Threads that have not come back."""
        self._threads = [thread for thread in self._threads if thread.is_alive()]
        return len(self._threads)

    async def run(self, work: Callable[[], T], *, deadline_s: float) -> T:
        """What the work answers, or raises. Raises `TimeoutError` after the deadline, and `StillHangingError`."""
        if self.hanging >= HANGING_MAX:
            raise StillHangingError
        done: Future[T] = Future()
        done.set_running_or_notify_cancel()  # from now on only the thread settles it, even when nobody waits any more
        thread = threading.Thread(target=_settle, args=(done, work), name=self._name, daemon=True)
        self._threads.append(thread)
        thread.start()
        async with asyncio.timeout(deadline_s):
            return await asyncio.wrap_future(done)


def _settle(done: Future[T], work: Callable[[], T]) -> None:
    try:
        result = work()
    except Exception as error:  # noqa: BLE001 - raised where it is waited for
        done.set_exception(error)
    else:
        done.set_result(result)
