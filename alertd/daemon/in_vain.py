"""What was let through the door and no commit has taken: it is forgotten that it had passed."""

import asyncio
from collections.abc import Awaitable, Callable


def if_in_vain(done: Awaitable[None], forget: Callable[[], None]) -> None:
    """Call `forget` once `done`, of what the door has taken, has failed. Nothing, where it cannot be known."""
    if not isinstance(done, asyncio.Future):
        return

    def settled(future: "asyncio.Future[None]") -> None:
        if future.cancelled() or future.exception() is not None:
            forget()

    done.add_done_callback(settled)
