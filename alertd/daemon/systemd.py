"""Tells systemd how we are: ready, reloading, stopping, alive (sd_notify(3)). Without systemd it does nothing.

Owns: what is said to the service manager. Must never: say that we live because a process exists (the watchdog is fed
only while `ProofOfLife` sees commits and claims pass), wait for systemd, or fail because it does not listen.
"""

import asyncio
import os
import socket
import time
from collections.abc import Callable, Mapping

import structlog

from alertd.daemon.proof_of_life import Life

SAY_EVERY_S = 5.0
"""Longest time between two looks at the proofs; half of the watchdog's time if that is shorter."""
STATUS_CHARACTERS_MAX = 500

log = structlog.get_logger(__name__)


class Systemd:
    """The datagram socket named by `NOTIFY_SOCKET`, and the watchdog of `WATCHDOG_USEC` if it is meant for us."""

    def __init__(self, environ: Mapping[str, str], pid: int | None = None) -> None:
        given = environ.get("NOTIFY_SOCKET", "")
        self._address = "\0" + given[1:] if given.startswith("@") else given
        self._has_failed = False
        self._is_ready = False
        self._status = ""
        self.watchdog_s = _watchdog_s(environ, os.getpid() if pid is None else pid)
        """`None`: nobody kills us if we fall silent."""

    @property
    def look_every_s(self) -> float:
        return SAY_EVERY_S if self.watchdog_s is None else min(SAY_EVERY_S, self.watchdog_s / 2)

    async def run(self, life: Callable[[], Life]) -> None:
        """From when presses are taken, for ever. A broker that is away delays no start: the status names what is
        missing. A daemon that stands still is not spoken for, so that it is started afresh."""
        self._is_ready = True
        now = life()
        self._send("READY=1", self._news(now))
        while True:
            await asyncio.sleep(self.look_every_s)
            now = life()
            alive = self.watchdog_s is not None and not now.stuck
            self._send("WATCHDOG=1" if alive else "", self._news(now))
            if now.stuck:
                log.critical("watchdog_not_fed", why=now.stuck, kills_after_s=self.watchdog_s)

    def reloading(self) -> None:
        if self._is_ready:
            self._send("RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1000}")

    def reloaded(self) -> None:
        """Taken or refused: the daemon goes on."""
        if self._is_ready:
            self._send("READY=1")

    def stopping(self, why: str = "") -> None:
        self._send("STOPPING=1", f"STATUS={_line(why)}" if why else "")

    def _news(self, life: Life) -> str:
        """The status, if it has changed."""
        words = "presses are taken, every proof of life holds" if life.alive else f"NOT proven alive: {life.why_not}"
        if words == self._status:
            return ""
        self._status = words
        return f"STATUS={_line(words)}"

    def _send(self, *fields: str) -> None:
        message = "\n".join(field for field in fields if field)
        if not self._address or not message:
            return
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as out:
                out.settimeout(0)
                out.sendto(message.encode(), self._address)
        except OSError as error:
            if not self._has_failed:  # once: it would be said every five seconds
                log.warning("systemd_not_told", error=str(error), remedy="NOTIFY_SOCKET names no socket that listens")
            self._has_failed = True


def _watchdog_s(environ: Mapping[str, str], pid: int) -> float | None:
    """sd_watchdog_enabled(3): the variables may be meant for the process that started us."""
    given = environ.get("WATCHDOG_USEC", "")
    if not (given.isascii() and given.isdigit()) or int(given) == 0:
        return None
    if environ.get("WATCHDOG_PID", str(pid)) != str(pid):
        return None
    return int(given) / 1_000_000


def _line(words: str) -> str:
    return " ".join(words.split())[:STATUS_CHARACTERS_MAX]
