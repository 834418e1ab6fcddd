"""The real daemon, as a process of its own, and the questions that the demo asks it over its local socket.

Owns start, proof of life, stop. Must never look into the daemon's database, or leave a daemon behind: whoever ends the
demo with `kill -9` ends its daemon, too.
"""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

from alertd.console.client import Client, NotReachableError, RefusedError
from alertd_simulator.demo_school import School

ALIVE_S = 30.0
STOP_S = 15.0
POLL_S = 0.1
ENDS_WITH_US = """
import os, signal, threading

def wait_for_the_end():
    os.read(0, 1)
    os.kill(os.getpid(), signal.SIGTERM)

threading.Thread(target=wait_for_the_end, daemon=True).start()
from alertd.cli import main
main()
"""
"""Its stdin is a pipe whose other end only we hold. Nobody writes into it; when we end, the kernel closes it."""
COMMAND = (sys.executable, "-c", ENDS_WITH_US, "run")
LOG_LINES = 30


class DaemonFailedError(Exception):
    """It did not come alive, or ended by itself. The message ends with its last words."""


class RunningDaemon:
    def __init__(self, process: asyncio.subprocess.Process, socket: Path, log: Path) -> None:
        self.process = process
        self.log = log
        self._client = Client(socket)

    async def until_alive(self) -> None:
        """Until broker session, commit and dispatch loop are all proven."""
        why = "it never answered"
        try:
            async with asyncio.timeout(ALIVE_S):
                while True:
                    self._still_runs()
                    try:
                        health = await asyncio.to_thread(self._client.health)
                    except (NotReachableError, RefusedError) as error:
                        why = str(error)
                    else:
                        if health["alive"]:
                            return
                        why = str(health["proofs"])
                    await asyncio.sleep(POLL_S)
        except TimeoutError:
            raise DaemonFailedError(f"alertd is not alive after {ALIVE_S:.0f} s: {why}\n{self.last_words()}") from None

    def _still_runs(self) -> None:
        if self.process.returncode is not None:
            raise DaemonFailedError(f"alertd ended with code {self.process.returncode}\n{self.last_words()}")

    async def kill(self) -> None:
        """As the kernel does it when memory runs out: kill -9. Start another with `running_daemon`."""
        self.process.kill()
        await self.process.wait()

    def last_words(self) -> str:
        lines = self.log.read_text(errors="replace").splitlines()
        return "\n".join(["Its log ends:", *lines[-LOG_LINES:]]) if lines else "Its log is empty."

    async def incidents(self) -> list[dict[str, Any]]:
        """Open ones, or nothing while it does not answer."""
        answer = await self._ask("/v1/incidents")
        return list(answer["incidents"]) if answer else []

    async def timeline(self, incident_id: str) -> list[dict[str, Any]]:
        answer = await self._ask(f"/v1/incidents/{incident_id}/timeline")
        return list(answer["lines"]) if answer else []

    async def order(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """Something that an operator does. Raises `RuntimeError` with the daemon's own words if it does not."""
        self._still_runs()
        try:
            answer: dict[str, Any] = await asyncio.to_thread(self._client.post, path, body)
        except (NotReachableError, RefusedError) as error:
            raise RuntimeError(f"alertd refuses: {error}") from None
        return answer

    async def _ask(self, path: str) -> dict[str, Any] | None:
        self._still_runs()
        try:
            answer: dict[str, Any] = await asyncio.to_thread(self._client.get, path)
        except (NotReachableError, RefusedError):
            return None
        return answer


@asynccontextmanager
async def running_daemon(school: School, log: Path) -> AsyncIterator[RunningDaemon]:
    """Start it, wait until it is alive, stop it when the block ends."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("ALERTD_")} | school.environment
    with log.open("ab") as output, _held_pipe() as stdin:
        process = await asyncio.create_subprocess_exec(
            *COMMAND, school.directory, stdin=stdin, stdout=output, stderr=output,
            env=environment, start_new_session=True,
        )  # fmt: skip  # its own session: Ctrl-C is for the demo, which stops it in order
        daemon = RunningDaemon(process, school.socket, log)
        try:
            await daemon.until_alive()
            yield daemon
        finally:
            await _stop(process)


@contextmanager
def _held_pipe() -> Iterator[int]:
    """The end to read; it stays silent until the block, or this process, ends."""
    reads, writes = os.pipe()
    try:
        yield reads
    finally:
        os.close(reads)
        os.close(writes)


async def _stop(process: asyncio.subprocess.Process) -> None:
    if process.returncode is not None:
        return
    process.send_signal(signal.SIGTERM)
    try:
        await asyncio.wait_for(process.wait(), STOP_S)
    except TimeoutError:
        process.kill()
        await process.wait()
