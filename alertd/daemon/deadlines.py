"""An adapter's code under a hard deadline: it may raise, hang, or refuse to be cancelled, and we go on.

Owns what such an attempt is worth then: nobody knows. Must never wait for code that does not end.
"""

import asyncio
from collections.abc import Coroutine
from typing import TypeVar

import structlog

from alertd.model.outcome import Outcome, Unknown

Answer = TypeVar("Answer", bound=Outcome | None)

log = structlog.get_logger(__name__)


def begin(work: Coroutine[None, None, Answer], channel: str) -> asyncio.Task[Answer]:
    task = asyncio.get_running_loop().create_task(work, name=f"channel:{channel}")
    task.add_done_callback(_mark_retrieved)
    return task


async def cut_off(task: asyncio.Task[Answer], channel: str, deadline_s: float) -> Answer | Unknown:
    """Its answer; after the deadline, or where it failed, `Unknown`."""
    try:
        await asyncio.wait({task}, timeout=deadline_s)
    finally:
        task.cancel()  # does nothing to one that is done; one that ignores it is left to itself
    if not task.done():
        return Unknown(detail=f"no answer within {deadline_s:g} s")
    if task.cancelled():
        return Unknown(detail=f"channel {channel} was cancelled by itself")
    if (error := task.exception()) is not None:
        log.error("channel_raised", channel=channel, exc_info=error)
        return Unknown(detail=f"channel {channel} failed: {type(error).__name__}")
    answer = task.result()
    if answer is not None and not isinstance(answer, Outcome):
        return Unknown(detail=f"channel {channel} answered with {type(answer).__name__}, not an outcome")
    return answer


def _mark_retrieved(task: asyncio.Task[Answer]) -> None:
    if not task.cancelled():
        task.exception()
