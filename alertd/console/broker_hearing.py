"""Would our own user hear a press? For `alertd doctor`: says a word below each filter of presses, and listens for it.

As alertd, over a connection of its own, with a word that no daemon takes for a press (`model.canary`). Only this finds
a right to read that is missing: mosquitto grants the subscription, answers "success" to the button, and delivers
nothing.
"""

import threading
from collections.abc import Iterator, Sequence

import paho.mqtt.client as mqtt
from msgspec import Struct

from alertd.console.broker_session import (
    BUSY_S,
    Broker,
    RefusalError,
    Tried,
    broker_of,
    catch_up,
    connect,
    disconnect,
    made_up_id,
    publish_each,
    subscribe,
)
from alertd.console.doctor import CONNECT_WAIT_S, FAIL, OK, WARN, Finding, Secret, Section
from alertd.model.canary import CANARY_WORD, canary_topic

REMEDY = "write the access list with alertd broker config; see docs/broker.md"


class _Asked(Struct, frozen=True, kw_only=True):
    """Topic filters of presses, by what became of the question."""

    filters: Sequence[str]
    granted: Sequence[bool]
    words: dict[str, str]
    """Topics on which a word is said, with their filters."""
    tried: Tried
    missing: Sequence[str]


def hearing(sections: Sequence[Section], secret: Secret) -> Iterator[Finding]:
    """Nothing, where the broker does not let us in: `broker_probe` has said so."""
    for section in sections:
        if section.table == "sources" and section.plugin == "mqtt":
            what = f"broker of source {section.name}"
            try:
                broker = broker_of(section.settings, secret)
                disconnect(connect(broker, broker.alertd, wait_s=BUSY_S).client)
            except (LookupError, RefusalError, OSError, ValueError):
                continue
            try:
                yield from _judge(what, broker, _ask(broker))
            except (RefusalError, OSError) as error:
                words = f"not known whether presses would reach us: {error}"
                yield Finding(level=WARN, what=what, words=words, remedy="try again")


def _ask(broker: Broker) -> _Asked:
    filters = list(dict.fromkeys(trigger.topic for trigger in broker.triggers))
    words = {topic: each for each in filters if (topic := canary_topic(each)) is not None}
    if broker.alive_topic == "":  # our user may publish nothing
        words = {}
    word, listener = CANARY_WORD + made_up_id().encode(), _Listener()
    ears = connect(broker, broker.alertd, on_message=listener.take).client
    try:
        granted = subscribe(ears, filters, 1)
        tried = publish_each(broker, broker.alertd, connect(broker, broker.alertd), list(words), word)
        catch_up(ears)
        missing = listener.missing(tried.taken, word)
    finally:
        disconnect(ears)
    return _Asked(filters=filters, granted=granted, words=words, tried=tried, missing=missing)


def _judge(what: str, broker: Broker, asked: _Asked) -> Iterator[Finding]:
    refused = [each for each, is_granted in zip(asked.filters, asked.granted, strict=True) if not is_granted]
    if refused:
        words = f"refuses to send us {', '.join(refused)}: presses there are not seen"
        yield Finding(level=FAIL, what=what, words=words, remedy=f"let our user read it: {REMEDY}")
    deaf = [asked.words[topic] for topic in asked.missing if asked.words[topic] not in refused]
    if deaf:
        words = f"takes presses on {', '.join(deaf)} and does not hand them to us: the button is told that all is well"
        yield Finding(level=FAIL, what=what, words=words, remedy=f"let our user read and write there: {REMEDY}")
    heard = [asked.words[topic] for topic in asked.tried.taken if topic not in asked.missing]
    if heard:
        yield Finding(level=OK, what=what, words=f"a press on {', '.join(heard)} would reach us")
    for topics, why, remedy in (
        (asked.tried.refused, "does not let us publish", REMEDY),
        (asked.tried.unknown, "gives no answer", "try again"),
    ):
        if topics:
            unknown = ", ".join(asked.words[topic] for topic in topics)
            words = f"not known whether a press on {unknown} would reach us: it {why} on {', '.join(topics)}"
            yield Finding(level=WARN, what=what, words=words, remedy=remedy)
    untried = [each for each in asked.filters if each not in asked.words.values() and each not in refused]
    if untried:
        why = "our user may publish nothing" if broker.alive_topic == "" else "devices speak on that very topic"
        words = f"not tried whether a press on {', '.join(untried)} would reach us: {why}. Press once, and look"
        yield Finding(level=OK, what=what, words=words)


class _Listener:
    """The client library calls from a thread of its own."""

    def __init__(self) -> None:
        self._heard: set[tuple[str, bytes]] = set()
        self._came = threading.Condition()

    def take(self, _client: mqtt.Client, _data: object, message: mqtt.MQTTMessage) -> None:
        with self._came:
            self._heard.add((message.topic, bytes(message.payload)))
            self._came.notify_all()

    def missing(self, topics: Sequence[str], word: bytes) -> list[str]:
        """Of these, those on which the word does not come in time."""
        wanted = {(topic, word) for topic in topics}
        with self._came:
            self._came.wait_for(lambda: wanted <= self._heard, CONNECT_WAIT_S)
            return sorted(topic for topic, _ in wanted - self._heard)
