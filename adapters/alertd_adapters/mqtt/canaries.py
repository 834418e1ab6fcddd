"""Would a press be heard? Our own word below each filter of presses: said over the side session, heard over the session
that carries presses.

A standing session, a granted subscription and our sign of life do not prove it: mosquitto grants what it then does not
deliver, topic by topic. Must never publish where a device speaks, nor over the session of presses: some brokers hang
up on who publishes what it may not.
"""

import asyncio
from collections.abc import Callable, Sequence

from msgspec import Struct

from alertd.model.canary import CANARY_WORD, canary_topic, is_canary
from alertd_adapters.mqtt.connection import BrokerConnection, BrokerMessage, ConnectionLostError, PublishRefusedError
from alertd_adapters.mqtt.standing_troubles import StandingTroubles

INTERVAL_S = 60.0
LISTENS_POLL_S = 1.0
MISSING_POLL_S = 5.0
"""Between rounds: so soon a missing sign of life is noticed, before its session is called deaf."""
EXPIRES_S = 60
"""Who else has a session on these topics, and is away, shall not find it."""
WAIT_S = 20.0
"""Twice unheard for so long is deaf: longer than the sign of life may be missing, so a broker that delivers nothing at
all is told of once."""
REFUSED_PAUSE_S = 600.0
"""A refused word is tried again after so long: mosquitto 2.0.11 may also end the connection then."""
HUNG_UP_MAX = 3
"""So often in a row the broker ended the connection over a topic without a word; then that was a refusal."""


class CanaryOptions(Struct, frozen=True, kw_only=True):
    name: str
    """Of the source."""
    address: str
    client_id: str
    filters: Sequence[str]


class Canaries:
    def __init__(self, options: CanaryOptions, troubles: StandingTroubles) -> None:
        self._options = options
        self._troubles = troubles
        self._word = CANARY_WORD + options.client_id.encode()
        self._filters = {topic: each for each in options.filters if (topic := canary_topic(each)) is not None}
        """By the topic of the word."""
        self._heard: set[str] = set()
        self._missed: set[str] = set()
        """Not heard in the last round."""
        self._hung_up: dict[str, int] = {}
        self._not_before: dict[str, float] = {}
        self._is_deaf = False

    @property
    def is_deaf(self) -> bool:
        """Some presses certainly do not reach us."""
        return self._is_deaf

    def take(self, message: BrokerMessage) -> bool:
        """Is it a canary, whoever's? Then it is no press, and needs no further look."""
        if not is_canary(message.payload):
            return False
        if message.payload == self._word:
            self._heard.add(message.topic)
        return True

    async def keep_asking(
        self, connection: BrokerConnection, listens: Callable[[], bool], may_be_asked: Callable[[], bool]
    ) -> None:
        """Until the connection is lost. `listens`: the session of presses works otherwise. `may_be_asked`: it does, or
        its sign of life is late: then the word shows, again and again, that not everything is. Else nothing is said,
        for it would wait in a queue that may be full."""
        while self._filters:
            if not may_be_asked():
                await asyncio.sleep(LISTENS_POLL_S)
                continue
            self._heard.clear()
            try:
                refused = [topic for topic in self._filters if not await self._is_taken(connection, topic)]
            except ConnectionLostError:
                await connection.close()
                return
            await asyncio.sleep(WAIT_S)
            if listens() or self._heard:  # who hands us one of them would hand us all
                self._judge(refused)
            if not self._missed:
                await self._pause(listens)

    async def _pause(self, listens: Callable[[], bool]) -> None:
        """No longer than the session works."""
        for _ in range(round(INTERVAL_S / MISSING_POLL_S)):
            if listens():
                await asyncio.sleep(MISSING_POLL_S)

    async def _is_taken(self, connection: BrokerConnection, topic: str) -> bool:
        now = asyncio.get_running_loop().time()
        if now < self._not_before.get(topic, now):
            return False
        try:
            await connection.publish(topic, self._word, qos=1, expires_s=EXPIRES_S)
        except PublishRefusedError:
            self._not_before[topic] = now + REFUSED_PAUSE_S
            return False
        except ConnectionLostError:
            self._hung_up[topic] = self._hung_up.get(topic, 0) + 1
            if self._hung_up[topic] >= HUNG_UP_MAX:
                self._not_before[topic] = now + REFUSED_PAUSE_S
            raise
        self._hung_up.pop(topic, None)
        return True

    def _judge(self, refused: Sequence[str]) -> None:
        missed = self._filters.keys() - self._heard - set(refused)
        deaf = sorted(missed & self._missed)
        self._missed = missed
        self._is_deaf = bool(deaf)
        key, address = f"broker_deaf:{self._options.name}", self._options.address
        if deaf:
            filters = ", ".join(self._filters[topic] for topic in deaf)
            summary = (
                f"Presses on {filters} page NOBODY: the broker {address} takes them, tells buttons that all is well, "
                f"and does not hand them to us. Let our user read {filters} and write {', '.join(deaf)} "
                "(alertd broker config writes that access list)."
            )
            self._troubles.raise_(key, summary, rings=True)
        elif not missed:
            self._troubles.clear(key)
        self._judge_refused(refused)

    def _judge_refused(self, refused: Sequence[str]) -> None:
        key = f"broker_unproven:{self._options.name}"
        if not refused:
            self._troubles.clear(key)
            return
        filters = ", ".join(self._filters[topic] for topic in refused)
        summary = (
            f"alertd cannot find out whether presses on {filters} reach it: the broker {self._options.address} does "
            f"not let it publish on {', '.join(refused)}. Let our user write there (alertd broker config writes that "
            "access list)."
        )
        self._troubles.raise_(key, summary)
