"""Knows a message again that the broker delivers a second time, so that one press stays one.

A message that was not acknowledged when its connection was lost comes again to the next one: with the DUP flag, the
same packet id and the same content. All three must agree, because a restarted broker gives old packet ids to new
presses. What we acknowledged is forgotten, even if the ack may have been lost: of equal messages, the broker then
delivers at least as many again as are remembered here, so a mix-up can count a press twice but never lose one.
"""

from alertd_adapters.mqtt.connection import BrokerMessage


class Redelivery:
    """Bounded by the messages that may be under way."""

    def __init__(self) -> None:
        self._unacked: dict[int, tuple[int, str, int]] = {}
        """Of the live connection: packet id -> (hash of topic and payload, arrival id, when it came first)."""
        self._owed: dict[int, tuple[int, str, int]] = {}
        """The same of earlier connections of the session."""

    def identify(self, message: BrokerMessage, fresh_id: str, now_us: int) -> tuple[str, int]:
        """The arrival id of the message, and when it came (boot time): those it had before, or the fresh ones."""
        if message.qos == 0:
            return fresh_id, now_us
        digest = hash((message.topic, message.payload))
        before = self._owed.pop(message.mid, None) if message.dup else None
        known = before if before is not None and before[0] == digest else (digest, fresh_id, now_us)
        self._unacked[message.mid] = known
        return known[1:]

    def acked(self, message: BrokerMessage) -> None:
        self._unacked.pop(message.mid, None)

    def connection_lost(self) -> None:
        """What is owed to the next connection, with what an earlier one still owed."""
        self._owed |= self._unacked
        self._unacked = {}

    def all_came(self) -> None:
        """The broker has delivered everything that it owed, or has forgotten it."""
        self._owed = {}
