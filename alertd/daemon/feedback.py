"""The way back to the presser: "received", "a responder is coming". Best effort, and worthless after half a minute.

Must never: hold up anything else, or pile up behind a device that is away.
"""

import asyncio
from collections.abc import Sequence

import structlog

from alertd.daemon.telemetry import Telemetry
from alertd.model.decision import Confirmation, Decision
from alertd.ports import Feedback

UNDER_WAY_MAX = 500
"""Confirmations under way at once; more are dropped and counted."""
DEADLINE_S = 5.0

log = structlog.get_logger(__name__)


class PresserFeedback:
    """Hands confirmations to every adapter that has a way back (`intake.Follower`)."""

    def __init__(self, ways: Sequence[Feedback], telemetry: Telemetry) -> None:
        self.ways = tuple(ways)
        self._telemetry = telemetry
        self._under_way: set[asyncio.Task[None]] = set()

    def committed(self, decision: Decision) -> None:
        for confirmation in decision.confirmations:
            for way in self.ways:
                self._start(way, confirmation)

    def _start(self, way: Feedback, confirmation: Confirmation) -> None:
        if len(self._under_way) >= UNDER_WAY_MAX:
            self._telemetry.observe("feedback", "dropped")
            return
        name = f"feedback:{confirmation.device_id}"
        task = asyncio.get_running_loop().create_task(self._confirm(way, confirmation), name=name)
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    async def _confirm(self, way: Feedback, confirmation: Confirmation) -> None:
        try:
            async with asyncio.timeout(min(DEADLINE_S, confirmation.expires_s)):
                await way.confirm(confirmation)
            self._telemetry.observe("feedback", confirmation.state)
        except TimeoutError:
            self._telemetry.observe("feedback", "timed_out")
        except Exception:
            self._telemetry.observe("feedback", "failed")
            log.exception("feedback_failed", device=confirmation.device_id)
