"""The real daemon, which kills itself with SIGKILL at a named step of the next press.

    python crashing_daemon.py CONFIG_DIR ARM_FILE

The arm file holds the name of a point and the device whose press is meant, or does not exist. It is removed by the very
call that kills: a kill happens once, and a daemon that is started again lives until it is armed again.
"""

import asyncio
import os
import signal
import sys
from collections.abc import Collection, Mapping
from pathlib import Path

from alertd.app import run
from alertd.model.anchor import Now
from alertd.model.canary import is_canary
from alertd.model.decision import Decision
from alertd.model.events import Event, Pressed
from alertd.model.notification import Claim
from alertd.model.outcome import Outcome
from alertd.ports import Channel
from alertd.store.transaction import SqlTransaction
from alertd_adapters.mqtt.connection import BrokerMessage
from alertd_adapters.mqtt.paho_connection import PahoConnection
from alertd_adapters.twilio.channel import TwilioChannel
from alertd_adapters.webhook.channel import WebhookChannel

BEFORE_COMMIT = "before-commit"
BEFORE_PUBACK = "between-commit-and-puback"
BEFORE_SEND = "between-puback-and-send"
BEFORE_OUTCOME = "between-send-and-outcome"
POINTS = (BEFORE_COMMIT, BEFORE_PUBACK, BEFORE_SEND, BEFORE_OUTCOME)
PUBACK_LEAVES_S = 0.1
"""An ack that was asked for is on the wire after this time."""


class Trap:
    """One kill, once it is armed."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def is_set(self, point: str, devices: Collection[str] | None = None) -> bool:
        """`devices`: whose presses these are. On a busy machine the last one's may come again only now."""
        try:
            armed, _, device = self._file.read_text().partition(" ")
        except FileNotFoundError:
            return False
        return armed == point and (devices is None or device in devices)

    def spring(self) -> None:
        self._file.unlink(missing_ok=True)
        os.kill(os.getpid(), signal.SIGKILL)


def lay_store_trap(trap: Trap) -> None:
    """Only commits that hold a press: the others are the daemon's own business."""
    write, commit = SqlTransaction.write, SqlTransaction.commit
    pressed: dict[int, set[str]] = {}

    def watched_write(self: SqlTransaction, event: Event, decision: Decision, now: Now) -> None:
        if isinstance(event, Pressed):
            pressed.setdefault(id(self), set()).add(event.signal.device_id)
        write(self, event, decision, now)

    def deadly_commit(self: SqlTransaction, *, born_leased: Mapping[str, int]) -> tuple[Claim, ...]:
        devices = pressed.pop(id(self), set())
        if devices and trap.is_set(BEFORE_COMMIT, devices):
            trap.spring()
        claims = commit(self, born_leased=born_leased)
        if devices and trap.is_set(BEFORE_PUBACK, devices):
            trap.spring()
        return claims

    SqlTransaction.write = watched_write  # type: ignore[method-assign]
    SqlTransaction.commit = deadly_commit  # type: ignore[method-assign]


def lay_ack_trap(trap: Trap) -> None:
    ack = PahoConnection.ack

    def deadly_ack(self: PahoConnection, message: BrokerMessage) -> bool:
        has_left = ack(self, message)
        is_press = message.topic.startswith("alertd/press/") and not is_canary(message.payload)
        if is_press and trap.is_set(BEFORE_SEND):
            asyncio.get_running_loop().call_later(PUBACK_LEAVES_S, trap.spring)
        return has_left

    PahoConnection.ack = deadly_ack  # type: ignore[method-assign]


def lay_send_trap(trap: Trap, kind: type[TwilioChannel | WebhookChannel]) -> None:
    send = kind.send

    async def deadly_send(self: Channel, claim: Claim) -> Outcome:
        if trap.is_set(BEFORE_SEND):
            await asyncio.Event().wait()  # held until the ack has left; then nobody lives to send it
        outcome = await send(self, claim)  # type: ignore[arg-type]
        # A text: dispatch, which answers first, has then been told as well, and its outcome may be recorded or not.
        if isinstance(self, TwilioChannel) and claim.attempt == 1 and trap.is_set(BEFORE_OUTCOME):
            trap.spring()
        return outcome

    kind.send = deadly_send  # type: ignore[method-assign]


def main() -> int:
    directory, arm_file = sys.argv[1:]
    trap = Trap(Path(arm_file))
    lay_store_trap(trap)
    lay_ack_trap(trap)
    lay_send_trap(trap, TwilioChannel)
    lay_send_trap(trap, WebhookChannel)
    return run(directory)


if __name__ == "__main__":
    sys.exit(main())
