"""The way back to the presser: "received", "a responder is coming". Best effort, and worthless after half a minute.

Must never: hold up anything else. Adapters put a confirmation in line and send it when they can.
"""

from collections.abc import Sequence

import structlog

from alertd.daemon.telemetry import Telemetry
from alertd.model.decision import Confirmation, Decision
from alertd.ports import Feedback

log = structlog.get_logger(__name__)


class PresserFeedback:
    """Hands confirmations to every adapter that has a way back (`intake.Follower`)."""

    def __init__(self, ways: Sequence[Feedback], telemetry: Telemetry) -> None:
        self.ways = tuple(ways)
        self._telemetry = telemetry

    def committed(self, decision: Decision) -> None:
        for confirmation in decision.confirmations:
            for way in self.ways:
                self._confirm(way, confirmation)

    def _confirm(self, way: Feedback, confirmation: Confirmation) -> None:
        try:
            way.confirm(confirmation)
            self._telemetry.observe("feedback", confirmation.state)
        except Exception:
            self._telemetry.observe("feedback", "failed")
            log.exception("feedback_failed", device=confirmation.device_id)
