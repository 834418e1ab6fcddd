"""Tries what a broker keeps for a client that is away, for `alertd doctor`: its session, its messages; what it should
not keep, retained presses; and whether what is said to a device reaches it.

Works with sessions and topics of its own, below `alertd/alive/`, and leaves nothing behind. It says what it has seen,
and what no probe can see: that there is no limit beyond what was tried, that a session would last for years.
"""

import queue
import threading
import time
from collections.abc import Iterator, Sequence
from typing import Any

import paho.mqtt.client as mqtt

from alertd.console.broker_session import (
    BUSY_S,
    FOR_EVER,
    Broker,
    Login,
    RefusalError,
    broker_of,
    catch_up,
    connect,
    disconnect,
    forget,
    made_up_id,
    subscribe,
)
from alertd.console.doctor import CONNECT_WAIT_S, FAIL, OK, WARN, Finding, Secret, Section

OWN_TOPIC = "alertd/alive"
OWN_TRACE = "The daemon will raise a trouble about the test messages that were thrown away: that is right"
KEPT_S = 600
"""The probe's session ends by itself, should the probe die; seconds."""
QOS1_TRIED, QOS0_TRIED = 1_100, 10
"""mosquitto's own limit is 1000; Debian ships it. Of QoS 0 fewer than it has under way at once (20)."""
TALKATIVE = 1_100
"""Messages of QoS 0 that wait before a press: more than mosquitto's configurations let be under way (20, 1000)."""
SENDERS = 20
"""Over many connections: mosquitto takes one message of each, then saves."""
QUIET_S = 2.0
"""Nothing has come for so long, and then it has answered a question: nothing more will."""
RETAINED_WAIT_S = 1.0
PAYLOAD = b"alertd doctor"
NAMED_MAX = 3


class _Heard:
    """What arrives, counted as it comes: the client library calls from a thread of its own."""

    def __init__(self) -> None:
        self.qos: list[int] = []
        self.retained: list[str] = []
        self.payloads: list[bytes] = []
        self.came = threading.Event()
        self.last_s = time.monotonic()

    def take(self, _client: mqtt.Client, _data: object, message: mqtt.MQTTMessage) -> None:
        self.last_s = time.monotonic()
        self.qos.append(message.qos)
        self.payloads.append(bytes(message.payload))
        if message.retain:
            self.retained.append(message.topic)
        self.came.set()


def keeping(sections: Sequence[Section], secret: Secret) -> Iterator[Finding]:
    """Nothing, where the broker does not let us in: `broker_probe` has said so. Silence is no evidence: what was not
    answered is not known."""
    for section in sections:
        if section.table == "sources" and section.plugin == "mqtt":
            what = f"broker of source {section.name}"
            try:
                broker = broker_of(section.settings, secret)
                disconnect(connect(broker, broker.alertd, wait_s=BUSY_S).client)
            except (LookupError, RefusalError, OSError, ValueError):
                continue
            for unknown, trial in (
                ("whether retained messages lie on topics of presses", _retained),
                ("whether it keeps sessions", _session),
                ("what it keeps for a client that is away", _queue),
                ("whether feedback reaches a device", _feedback),
            ):
                try:
                    yield from trial(what, broker)
                except (RefusalError, OSError) as error:
                    yield Finding(level=WARN, what=what, words=f"not known {unknown}: {error}", remedy="try again")


def _retained(what: str, broker: Broker) -> Iterator[Finding]:
    """A press that was published as retained comes again at every start, and pages nobody by itself."""
    heard = _Heard()
    session = connect(broker, broker.alertd, on_message=heard.take)
    try:
        if not session.retains:
            yield Finding(level=OK, what=what, words="refuses retained messages")
            return
        subscribe(session.client, [trigger.topic for trigger in broker.triggers], 0)
        time.sleep(RETAINED_WAIT_S)
        catch_up(session.client)
    finally:
        disconnect(session.client)
    topics = list(dict.fromkeys(heard.retained))
    if not topics:
        yield Finding(level=OK, what=what, words="no retained message lies on a topic of presses")
        return
    more = f" and {len(topics) - NAMED_MAX} more" if len(topics) > NAMED_MAX else ""
    words = f"retained messages lie on topics of presses: {', '.join(topics[:NAMED_MAX])}{more}; they page nobody"
    remedy = "let the device publish without retain, then remove them: mosquitto_pub -r -n -t TOPIC"
    yield Finding(level=WARN, what=what, words=words, remedy=remedy)


def _session(what: str, broker: Broker) -> Iterator[Finding]:
    """Is a session kept, and for how long does the broker say?"""
    if broker.alive_topic is not None:  # our user may not have a topic for what `_queue` tries
        return
    client_id = made_up_id("doctor-session")
    disconnect(connect(broker, broker.alertd, client_id=client_id, keeps_s=KEPT_S).client)
    again = connect(broker, broker.alertd, client_id=client_id, keeps_s=KEPT_S)
    disconnect(again.client)
    forget(broker, broker.alertd, client_id)
    ends_s = _told_end(broker) if broker.mqtt5 else None
    if not again.is_remembered:
        words = "forgets a client that goes away: presses made while alertd is stopped are lost"
        yield Finding(level=FAIL, what=what, words=words, remedy="let it keep sessions; see docs/broker.md")
    elif ends_s is not None:
        words = f"ends a session {ends_s} s after its client has gone: presses that wait for alertd are lost then"
        remedy = "let sessions never expire (mosquitto: no persistent_client_expiration); see docs/broker.md"
        yield Finding(level=FAIL, what=what, words=words, remedy=remedy)
    else:
        words = "keeps the session of a client that is away; for how long, only its configuration says"
        yield Finding(level=OK, what=what, words=words)


def _told_end(broker: Broker) -> int | None:
    """Seconds after which it ends a session that was to last for ever, if it says so (MQTT 5, 3.2.2.3.2)."""
    client_id = made_up_id("doctor-session")
    session = connect(broker, broker.alertd, client_id=client_id, keeps_s=FOR_EVER)
    disconnect(session.client)
    forget(broker, broker.alertd, client_id)
    return session.expires_s if session.expires_s != FOR_EVER else None


def _queue(what: str, broker: Broker) -> Iterator[Finding]:
    """More messages than mosquitto keeps by default, for a client that is away; then a talkative sensor before a
    press."""
    if broker.alive_topic is not None:
        words = "not tried what it keeps for a client that is away: our user may not have a topic for it"
        remedy = "its own configuration says it; docs/broker.md names the settings"
        yield Finding(level=WARN, what=what, words=words, remedy=remedy)
        return
    heard = _while_away(broker, ((1, QOS1_TRIED), (0, QOS0_TRIED)))
    keeps_qos0 = heard is not None and heard.qos.count(0) == QOS0_TRIED
    behind = _while_away(broker, ((0, TALKATIVE), (1, SENDERS))) if keeps_qos0 else None
    if heard is None or (keeps_qos0 and behind is None):
        words = (
            f"not known what it keeps for a client that is away: it does not hand us our own messages below {OWN_TOPIC}"
        )
        remedy = f"allow our user to read and write {OWN_TOPIC}/+, as alertd broker config does"
        yield Finding(level=WARN, what=what, words=words, remedy=remedy)
        return
    yield from _kept(what, qos1=heard.qos.count(1), qos0=heard.qos.count(0))
    if behind is not None:
        yield _held_up(what, came=behind.qos.count(1), before=behind.qos.count(0))


def _while_away(broker: Broker, messages: Sequence[tuple[int, int]]) -> "_Heard | None":
    """What a client that was away gets of (QoS, how many), sent in this order. `None`: it does not even get what is
    sent while it is here, or the broker refuses to take them. Raises `OSError` where the broker says nothing."""
    client_id, here, heard = made_up_id("doctor-queue"), _Heard(), _Heard()
    topic = f"{OWN_TOPIC}/{client_id}"
    first = connect(broker, broker.alertd, client_id=client_id, keeps_s=KEPT_S, on_message=here.take, wait_s=BUSY_S)
    try:
        granted = subscribe(first.client, [topic], 1)
        first.client.publish(topic, PAYLOAD, qos=1)
        catch_up(first.client)
        is_heard = granted[0] and here.came.wait(CONNECT_WAIT_S)
    finally:
        disconnect(first.client)
    sent = is_heard and _send(broker, topic, messages)
    if sent:
        back = connect(broker, broker.alertd, client_id=client_id, keeps_s=KEPT_S, on_message=heard.take, wait_s=BUSY_S)
        try:
            _until_quiet(heard, sum(count for _, count in messages), back.client)
        finally:
            disconnect(back.client)
    forget(broker, broker.alertd, client_id, wait_s=BUSY_S)
    return heard if sent else None


def _held_up(what: str, *, came: int, before: int) -> Finding:
    if came == SENDERS:
        words = f"messages of QoS 0 that waited hold up no press behind them ({before} tried)"
        return Finding(level=OK, what=what, words=words)
    words = (
        f"sends no press that waits behind {before} messages of QoS 0 ({came} of {SENDERS} came): a talkative sensor "
    )
    words += "while alertd is stopped makes it deaf, and the buttons are told that all is well"
    remedy = "set max_inflight_messages 0, as alertd broker config does; see docs/broker.md"
    return Finding(level=FAIL, what=what, words=words, remedy=remedy)


def _kept(what: str, *, qos1: int, qos0: int) -> Iterator[Finding]:
    if qos1 < QOS1_TRIED:
        words = (
            f"kept {qos1} of {QOS1_TRIED} messages for a client that was away: presses made while alertd is stopped "
        )
        words += "are thrown away, and the buttons are told that all is well"
        remedy = f"set max_queued_messages as alertd broker config does; see docs/broker.md. {OWN_TRACE}"
        yield Finding(level=FAIL, what=what, words=words, remedy=remedy)
    else:
        words = f"kept {qos1} of {QOS1_TRIED} messages for a client that was away; it was not given more"
        yield Finding(level=OK, what=what, words=words)
    if qos0 < QOS0_TRIED:
        words = (
            f"kept {qos0} of {QOS0_TRIED} messages of QoS 0: what a QoS 0 button says while alertd is stopped is lost"
        )
        remedy = "set queue_qos0_messages true; see docs/broker.md"
        yield Finding(level=WARN, what=what, words=words, remedy=remedy)


def _send(broker: Broker, topic: str, messages: Sequence[tuple[int, int]]) -> bool:
    """Did it take them all? Each connection keeps the order. Raises `OSError` if it says nothing for `BUSY_S`."""
    answers: queue.SimpleQueue[bool] = queue.SimpleQueue()

    def on_publish(_client: mqtt.Client, _data: object, _mid: int, code: Any, _properties: object) -> None:
        answers.put(not code.is_failure)

    clients = []
    try:
        for _ in range(SENDERS):
            name = made_up_id("doctor-sends")
            clients.append(connect(broker, broker.alertd, client_id=name, wait_s=BUSY_S).client)
        for qos, count in messages:
            for number in range(count):
                client = clients[number % SENDERS]
                client.on_publish = on_publish
                client.publish(topic, PAYLOAD, qos=qos)
        return all(answers.get(timeout=BUSY_S) for _, count in messages for _ in range(count))
    except queue.Empty:
        raise TimeoutError(f"no answer within {BUSY_S:.0f} s") from None
    finally:
        for client in clients:
            disconnect(client)


def _until_quiet(heard: _Heard, expected: int, client: mqtt.Client) -> None:
    """Until all has come, or nothing more will: a broker that is busy is quiet, too, but then it does not answer."""
    heard.last_s = time.monotonic()
    while len(heard.qos) < expected:
        if time.monotonic() - heard.last_s < QUIET_S:
            time.sleep(0.02)
            continue
        before = len(heard.qos)
        catch_up(client)
        if len(heard.qos) == before:
            return


def _feedback(what: str, broker: Broker) -> Iterator[Finding]:
    """A device that can repeat does so until it hears "received": it must be allowed to hear it."""
    if broker.device is None or not broker.feedback_topic:
        return
    topic = broker.feedback_topic.replace("{device_id}", str(broker.device.username))
    if _reached(broker, broker.device, topic):
        yield Finding(level=OK, what=what, words="feedback reaches a device")
    else:
        words = f"feedback does not reach its device: {broker.device.username} heard nothing on {topic}"
        remedy = "let our user write it and the device read it, as alertd broker config does"
        yield Finding(level=WARN, what=what, words=words, remedy=remedy)


def _reached(broker: Broker, device: Login, topic: str) -> bool:
    heard = _Heard()
    listening = connect(broker, device, on_message=heard.take).client
    try:
        subscribe(listening, [topic], 1)
        speaking = connect(broker, broker.alertd).client
        try:
            speaking.publish(topic, PAYLOAD, qos=1)
            catch_up(speaking)
        finally:
            disconnect(speaking)
        catch_up(listening)
        return heard.came.wait(CONNECT_WAIT_S) and PAYLOAD in heard.payloads
    finally:
        disconnect(listening)
