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
        self._unacked: dict[int, tuple[int, str]] = {}
        """Of the live connection: packet id -> (hash of topic and payload, arrival id)."""
        self._owed: dict[int, tuple[int, str]] = {}
        """The same of earlier connections of the session."""

    def identify(self, message: BrokerMessage, fresh_id: str) -> str:
        """The arrival id of the message: the one it had before, or the fresh one."""
        if message.qos == 0:
            return fresh_id
        digest = hash((message.topic, message.payload))
        before = self._owed.pop(message.mid, None) if message.dup else None
        arrival_id = before[1] if before is not None and before[0] == digest else fresh_id
        self._unacked[message.mid] = (digest, arrival_id)
        return arrival_id

    def acked(self, message: BrokerMessage) -> None:
        self._unacked.pop(message.mid, None)

    def connection_lost(self) -> None:
        """What is owed to the next connection, with what an earlier one still owed."""
        self._owed |= self._unacked
        self._unacked = {}

    def all_came(self) -> None:
        """The broker has delivered everything that it owed, or has forgotten it."""
        self._owed = {}
