"""Tries an MQTT broker as a stranger and as ourselves, for `alertd doctor`: who gets in, and who may publish presses?

Uses client ids of its own, clean sessions and no retained messages. It publishes only as a stranger, and only to see
it refused: a broker that lets that through is what the finding is about.
"""

import ssl
import threading
from collections.abc import Iterator, Mapping
from typing import Any
from uuid import uuid4

import paho.mqtt.client as mqtt
from msgspec import Struct
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.reasoncodes import ReasonCode

from alertd.console.doctor import CONNECT_WAIT_S, FAIL, OK, WARN, Finding, Secret, Section

STRANGER_PAYLOAD = b"alertd doctor: may a stranger publish here?"
"""No decoder takes it for a press."""
TLS_PORT, PLAIN_PORT = 8883, 1883


class Broker(Struct, frozen=True, kw_only=True):
    """What a source's settings say about reaching its broker."""

    host: str
    port: int
    tls: Mapping[str, Any] | None
    username: str | None
    password: str | None
    topics: tuple[str, ...]
    mqtt5: bool


class Refusal(Exception):  # noqa: N818 - a broker's answer, not an error of ours
    """The broker answered, and did not let us in."""


def brokers(sections: list[Section] | tuple[Section, ...], secret: Secret) -> Iterator[Finding]:
    for section in sections:
        if section.table == "sources" and section.plugin == "mqtt":
            yield from _probe(section, secret)


def _probe(section: Section, secret: Secret) -> Iterator[Finding]:
    what = f"broker of source {section.name}"
    try:
        broker = _broker(section.settings, secret)
    except LookupError as error:
        yield Finding(level=FAIL, what=what, words=str(error), remedy="set the secret, then try again")
        return
    where = f"{broker.host}:{broker.port}"
    try:
        _disconnect(_connect(broker, broker.username, broker.password))
    except Refusal as error:
        remedy = "compare the user name and password with the broker's password file"
        yield Finding(level=FAIL, what=what, words=f"{where} does not let us in: {error}", remedy=remedy)
        return
    except (OSError, ValueError) as error:
        remedy = "is the broker running, and does its listener match host, port and tls? See docs/broker.md"
        yield Finding(level=FAIL, what=what, words=f"{where} cannot be reached: {error}", remedy=remedy)
        return
    yield Finding(level=OK, what=what, words=f"{where} lets us in; the daemon's own session was left alone")
    yield _stranger(what, where, broker)


def _stranger(what: str, where: str, broker: Broker) -> Finding:
    """A press must not come from somebody without a password."""
    if broker.username is None:
        words = f"{where} asks for no password: anybody on its network can publish a press"
        return Finding(level=WARN, what=what, words=words, remedy="give it a password file; see docs/broker.md")
    try:
        client = _connect(broker, None, None)
    except Refusal:
        return Finding(level=OK, what=what, words="refuses strangers")
    except OSError as error:
        return Finding(level=WARN, what=what, words=f"not known whether strangers get in: {error}", remedy="try again")
    if not broker.mqtt5:
        _disconnect(client)
        words = "strangers get in; whether they may publish presses, MQTT 3.1.1 does not say"
        return Finding(level=FAIL, what=what, words=words, remedy="set allow_anonymous false; see docs/broker.md")
    try:
        accepted = [topic for topic in broker.topics if _publish(client, topic)]
    finally:
        _disconnect(client)
    if accepted:
        words = f"a stranger without a password may publish presses to {', '.join(accepted)}"
        remedy = (
            "set allow_anonymous false and an ACL at once; see docs/broker.md. "
            "The daemon will raise a trouble about this test message: that is right"
        )
        return Finding(level=FAIL, what=what, words=words, remedy=remedy)
    words = "strangers get in, but may not publish presses"
    return Finding(level=WARN, what=what, words=words, remedy="set allow_anonymous false; see docs/broker.md")


def _broker(settings: Mapping[str, Any], secret: Secret) -> Broker:
    tls = settings.get("tls")
    named = settings.get("password_secret")
    triggers = settings.get("triggers")
    topics = [t["topic"] for t in triggers if isinstance(t, Mapping) and "topic" in t] if triggers else []
    return Broker(
        host=str(settings.get("host", "")),
        port=int(settings.get("port") or (TLS_PORT if tls else PLAIN_PORT)),
        tls=tls if isinstance(tls, Mapping) else None,
        username=settings.get("username"),
        password=secret(named) if isinstance(named, str) else None,
        topics=tuple(_concrete(str(topic)) for topic in topics),
        mqtt5=settings.get("protocol", "5") == "5",
    )


def _concrete(topic_filter: str) -> str:
    """A topic that the filter matches, in the name of a device that nobody has."""
    levels = ["alertd-doctor" if level in ("+", "#") else level for level in topic_filter.split("/")]
    return "/".join(levels)


def _connect(broker: Broker, username: str | None, password: str | None) -> mqtt.Client:
    """Raises `Refusal` if the broker says no, `OSError` if it says nothing."""
    answered = threading.Event()
    codes: list[ReasonCode] = []

    def on_connect(_client: mqtt.Client, _data: object, _flags: object, code: ReasonCode, _properties: object) -> None:
        codes.append(code)
        answered.set()

    client = mqtt.Client(
        CallbackAPIVersion.VERSION2,
        client_id=f"alertd-doctor-{uuid4().hex[:8]}",
        clean_session=None if broker.mqtt5 else True,
        protocol=mqtt.MQTTv5 if broker.mqtt5 else mqtt.MQTTv311,
        reconnect_on_failure=False,
    )
    client.connect_timeout = CONNECT_WAIT_S
    client.on_connect = on_connect
    if username is not None:
        client.username_pw_set(username, password)
    if broker.tls is not None:
        context = ssl.create_default_context(cafile=broker.tls.get("ca"))
        if broker.tls.get("cert") and username is not None:
            context.load_cert_chain(broker.tls["cert"], broker.tls.get("key"))
        client.tls_set_context(context)
    if broker.mqtt5:
        client.connect(broker.host, broker.port, clean_start=True)
    else:
        client.connect(broker.host, broker.port)
    client.loop_start()
    if not answered.wait(CONNECT_WAIT_S):
        _disconnect(client)
        raise TimeoutError(f"no answer within {CONNECT_WAIT_S:.0f} s")
    if codes[0].is_failure:
        _disconnect(client)
        raise Refusal(str(codes[0]))
    return client


def _publish(client: mqtt.Client, topic: str) -> bool:
    """Did the broker take it? Not taken, and not answered in time, is no."""
    answered = threading.Event()
    codes: list[ReasonCode] = []

    def on_publish(_client: mqtt.Client, _data: object, _mid: int, code: ReasonCode, _properties: object) -> None:
        codes.append(code)
        answered.set()

    client.on_publish = on_publish
    client.publish(topic, STRANGER_PAYLOAD, qos=1)
    return answered.wait(CONNECT_WAIT_S) and not codes[0].is_failure


def _disconnect(client: mqtt.Client) -> None:
    client.disconnect()
    client.loop_stop()
