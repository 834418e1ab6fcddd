"""Listens where presses and signs of life come from, beside whoever is responsible for them: for `alertd devices learn`
where no daemon runs.

A session of its own that the broker forgets with the connection, at QoS 0, and never a member of a shared group: must
take nothing from the daemon's session, and acknowledge nothing on its behalf.
"""

from collections.abc import Sequence

from alertd_adapters.mqtt.connection import Broker, BrokerConnection, BrokerMessage, ConnectionLostError, ConnectOptions
from alertd_adapters.mqtt.decoding import Triggers
from alertd_adapters.mqtt.strangers import Strangers

REFUSED_FROM = 128
"""SUBACK codes from here on are refusals."""


class Eavesdropper:
    def __init__(
        self, broker: Broker, options: ConnectOptions, heard_by: Sequence[Triggers], strangers: Strangers
    ) -> None:
        """`heard_by`: of topics that overlap, the first speaks."""
        assert not options.persistent, "nothing may wait at the broker for somebody who only listens"
        self._broker = broker
        self._options = options
        self._heard_by = tuple(heard_by)
        self.strangers = strangers

    async def run(self) -> None:
        """Until cancelled. Raises `ConnectionError` with words for people."""
        try:
            connection = await self._broker.connect(self._options)
        except (ConnectionLostError, OSError) as error:
            raise ConnectionError(f"the broker {self._broker.address} cannot be reached: {error}") from None
        try:
            await self._subscribe(connection)
            async for message in connection.messages():
                self._take(message)
        except ConnectionLostError as error:
            raise ConnectionError(f"the broker {self._broker.address} is gone: {error}") from None
        finally:
            await connection.close()

    async def _subscribe(self, connection: BrokerConnection) -> None:
        filters = tuple(dict.fromkeys(_bare(each) for triggers in self._heard_by for each in triggers.filters))
        granted = await connection.subscribe([(each, 0) for each in filters])
        refused = [each for each, code in zip(filters, granted, strict=False) if code >= REFUSED_FROM]
        if len(refused) == len(filters):
            raise ConnectionError(
                f"the broker {self._broker.address} lets us read none of {', '.join(refused)}; allow it in its acl_file"
            )

    def _take(self, message: BrokerMessage) -> None:
        triggers = next((each for each in self._heard_by if each.covers(message.topic)), None)
        if triggers is not None:
            self.strangers.note(message, triggers.decode(message.topic, message.payload))


def _bare(topic_filter: str) -> str:
    """Outside of its group: inside, the broker would give us presses that are then missing elsewhere."""
    return topic_filter.split("/", 2)[-1] if topic_filter.startswith("$share/") else topic_filter
