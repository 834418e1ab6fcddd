"""Keeps the daemon's tasks running. One that crashes is started again and said; it never takes the others down.

Owns: names, back-off, and the trouble of each task. Must never: restart the writer, whose failure ends the process.
"""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from alertd.model.events import TroubleCleared, TroubleRaised
from alertd.model.ids import DISTRICT
from alertd.ports import Door

FIRST_PAUSE_S = 1.0
LONGEST_PAUSE_S = 60.0
STEADY_S = 60.0
"""A task that has run for so long is well again: its trouble is cleared, its back-off forgotten."""

log = structlog.get_logger(__name__)

Work = Callable[[], Awaitable[None]]


class CannotRunError(Exception):
    """What a task raises that knows why it cannot run now: a sentence with a remedy. Said without a traceback, and
    tried again like a crash, for the reason may pass."""


class Supervisor:
    def __init__(self, door: Door) -> None:
        self._door = door
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def start(self, name: str, work: Work) -> None:
        """Run `work` for ever, under this name."""
        assert name not in self._tasks, f"a task called {name} runs already"
        self._tasks[name] = asyncio.get_running_loop().create_task(self._keep_running(name, work), name=name)

    async def stop(self, *names: str) -> None:
        """Cancel these tasks and wait for them. One that ignores it is left behind after a second."""
        tasks = [self._tasks.pop(name) for name in names if name in self._tasks]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=1.0)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self._tasks)

    async def _keep_running(self, name: str, work: Work) -> None:
        pause_s = FIRST_PAUSE_S
        while True:
            well = asyncio.get_running_loop().call_later(STEADY_S, self._well, name)
            begun_s = asyncio.get_running_loop().time()
            try:
                await work()
                error = "it ended by itself"
            except asyncio.CancelledError as cancelled:
                if _is_meant(asyncio.current_task()):
                    raise
                error = f"{type(cancelled).__name__}, which nobody asked for"
                log.critical("task_cancelled_itself", task=name)
            except CannotRunError as exception:
                error = str(exception)
                log.critical("task_cannot_run", task=name, error=error)
            except Exception as exception:
                error = type(exception).__name__
                log.critical("task_crashed", task=name, exc_info=True)
            finally:
                well.cancel()
            if asyncio.get_running_loop().time() - begun_s >= STEADY_S:
                pause_s = FIRST_PAUSE_S
            summary = f"{name} stopped working ({error}) and is started again"
            self._door.submit(TroubleRaised(site_id=DISTRICT, key=f"task:{name}", summary=summary))
            await asyncio.sleep(pause_s)
            pause_s = min(pause_s * 2, LONGEST_PAUSE_S)

    def _well(self, name: str) -> None:
        self._door.submit(TroubleCleared(site_id=DISTRICT, key=f"task:{name}"))


def _is_meant(task: asyncio.Task[object] | None) -> bool:
    """Did somebody cancel this very task? A library that leaks a cancellation must not end it silently."""
    return task is not None and task.cancelling() > 0
