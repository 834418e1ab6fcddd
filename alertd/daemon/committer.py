"""Where the store is called from: one writer thread, so that an fsync never stops the event loop.

Owns: that thread. Must never: run two pieces of work at once, or change their order. Under virtual time the loop runs
the executor's work inline and completes it after a seeded delay: nothing here needs to know.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")


class Committer:
    """Runs work on the store, one piece at a time, in the order given."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="writer")

    async def run(self, work: Callable[[], T]) -> T:
        """Result or exception of `work`."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    def close(self) -> None:
        self._thread.shutdown(wait=True)
