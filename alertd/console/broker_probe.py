"""Tries an MQTT broker as a stranger and as ourselves, for `alertd doctor`: who gets in, and who may publish presses?

Uses client ids of its own, clean sessions and no retained messages. It publishes only as somebody who may not, and only
to see it refused: a broker that lets that through is what the finding is about.
"""

import ssl
import threading
import time
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
NOBODYS_DEVICE = "alertd-doctor-other"
"""Not the name of the device that exists for this probe: that one may press as itself."""
OWN_TRACE = "The daemon will raise a trouble about this test message: that is right"
TLS_PORT, PLAIN_PORT = 8883, 1883
CERTIFICATE_WARN_DAYS = 30


class Broker(Struct, frozen=True, kw_only=True):
    """What a source's settings say about reaching its broker."""

    host: str
    port: int
    tls: Mapping[str, Any] | None
    username: str | None
    password: str | None
    topics: tuple[str, ...]
    mqtt5: bool
    device: tuple[str, str | None] | None
    """User name and password of a device that exists for this probe alone."""


class Session(Struct, frozen=True, kw_only=True):
    """A connection that was let in."""

    client: mqtt.Client
    max_qos: int
    certificate_ends_s: float | None


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
        session = _connect(broker, broker.username, broker.password)
    except Refusal as error:
        remedy = "compare the user name and password with the broker's password file"
        yield Finding(level=FAIL, what=what, words=f"{where} does not let us in: {error}", remedy=remedy)
        return
    except (OSError, ValueError) as error:
        remedy = "is the broker running, and does its listener match host, port and tls? See docs/broker.md"
        yield Finding(level=FAIL, what=what, words=f"{where} cannot be reached: {error}", remedy=remedy)
        return
    _disconnect(session.client)
    yield Finding(level=OK, what=what, words=f"{where} lets us in; the daemon's own session was left alone")
    yield from _promises(what, session)
    yield _stranger(what, where, broker)
    if broker.username is not None:
        yield _wrong_password(what, broker)
        yield _wrong_device(what, broker)


def _promises(what: str, session: Session) -> Iterator[Finding]:
    """Does it promise to keep a press, and until when does its certificate hold?"""
    if session.max_qos < 1:
        words = "takes only QoS 0: a press that gets lost on the way is lost"
        yield Finding(level=FAIL, what=what, words=words, remedy="allow QoS 1 (mosquitto: max_qos); see docs/broker.md")
    if session.certificate_ends_s is None:
        return
    days = (session.certificate_ends_s - time.time()) / 86_400
    words = f"its certificate is good for {days:.0f} more days"
    if days < CERTIFICATE_WARN_DAYS:
        remedy = "make a new one (docs/broker.md, step 2): from then on no button gets through"
        yield Finding(level=WARN, what=what, words=words, remedy=remedy)
    else:
        yield Finding(level=OK, what=what, words=words)


def _stranger(what: str, where: str, broker: Broker) -> Finding:
    """A press must not come from somebody without a password."""
    if broker.username is None:
        words = f"{where} asks for no password: anybody on its network can publish a press"
        return Finding(level=WARN, what=what, words=words, remedy="give it a password file; see docs/broker.md")
    try:
        session = _connect(broker, None, None)
    except Refusal:
        return Finding(level=OK, what=what, words="refuses strangers")
    except OSError as error:
        return Finding(level=WARN, what=what, words=f"not known whether strangers get in: {error}", remedy="try again")
    accepted = _accepted(broker, session)
    if accepted is None:
        words = "strangers get in; whether they may publish presses, the broker does not say"
        return Finding(level=FAIL, what=what, words=words, remedy="set allow_anonymous false; see docs/broker.md")
    if accepted:
        words = f"a stranger without a password may publish presses to {', '.join(accepted)}"
        remedy = f"set allow_anonymous false and an ACL at once; see docs/broker.md. {OWN_TRACE}"
        return Finding(level=FAIL, what=what, words=words, remedy=remedy)
    words = "strangers get in, but may not publish presses"
    return Finding(level=WARN, what=what, words=words, remedy="set allow_anonymous false; see docs/broker.md")


def _wrong_password(what: str, broker: Broker) -> Finding:
    """A broker without a password file takes any password: then names protect nothing."""
    try:
        _disconnect(_connect(broker, broker.username, f"wrong-{uuid4().hex}").client)
    except Refusal:
        return Finding(level=OK, what=what, words="refuses a wrong password")
    except OSError as error:
        words = f"not known whether a wrong password is refused: {error}"
        return Finding(level=WARN, what=what, words=words, remedy="try again")
    words = "takes any password: whoever knows a device's name can press as it"
    return Finding(level=FAIL, what=what, words=words, remedy="give it a password file; see docs/broker.md, step 3")


def _wrong_device(what: str, broker: Broker) -> Finding:
    """A device must not press as another one."""
    if broker.device is None:
        words = "not tried whether a device may press as another: no device was given for it"
        remedy = "make a user for it and name it as doctor_username; see docs/broker.md, step 5"
        return Finding(level=WARN, what=what, words=words, remedy=remedy)
    try:
        session = _connect(broker, *broker.device)
    except Refusal as error:
        remedy = "compare doctor_username and its password with the broker's password file"
        return Finding(level=WARN, what=what, words=f"does not let {broker.device[0]} in: {error}", remedy=remedy)
    except OSError as error:
        words = f"not known whether a device may press as another: {error}"
        return Finding(level=WARN, what=what, words=words, remedy="try again")
    accepted = _accepted(broker, session)
    if accepted is None:
        words = "whether a device may press as another, the broker does not say"
        return Finding(level=WARN, what=what, words=words, remedy='it would by protocol = "5" and QoS 1')
    if accepted:
        words = f"a device may press as another: {broker.device[0]} published to {', '.join(accepted)}"
        remedy = f'write "pattern write alertd/press/%u" into the ACL; see docs/broker.md. {OWN_TRACE}'
        return Finding(level=FAIL, what=what, words=words, remedy=remedy)
    return Finding(level=OK, what=what, words="a device may press as nobody else")


def _accepted(broker: Broker, session: Session) -> list[str] | None:
    """Topics of presses that the broker let it publish to; `None`: it does not say, by MQTT 3.1.1 or at QoS 0."""
    tells = broker.mqtt5 and session.max_qos > 0
    try:
        return [topic for topic in broker.topics if _publish(session.client, topic)] if tells else None
    finally:
        _disconnect(session.client)


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
        device=_device(settings, secret),
    )


def _device(settings: Mapping[str, Any], secret: Secret) -> tuple[str, str | None] | None:
    name, named = settings.get("doctor_username"), settings.get("doctor_password_secret")
    return None if name is None else (str(name), secret(named) if isinstance(named, str) else None)


def _concrete(topic_filter: str) -> str:
    """A topic that the filter matches, in the name of a device that nobody has."""
    levels = [NOBODYS_DEVICE if level in ("+", "#") else level for level in topic_filter.split("/")]
    return "/".join(levels)


def _connect(broker: Broker, username: str | None, password: str | None) -> Session:
    """Raises `Refusal` if the broker says no, `OSError` if it says nothing."""
    answered = threading.Event()
    codes: list[tuple[ReasonCode, int]] = []

    def on_connect(_client: mqtt.Client, _data: object, _flags: object, code: ReasonCode, properties: object) -> None:
        codes.append((code, getattr(properties, "MaximumQoS", 2)))  # absent: 2 (MQTT 5, 3.2.2.3.4)
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
    code, max_qos = codes[0]
    if code.is_failure:
        _disconnect(client)
        raise Refusal(str(code))
    return Session(client=client, max_qos=max_qos, certificate_ends_s=_certificate_ends_s(client))


def _certificate_ends_s(client: mqtt.Client) -> float | None:
    """Seconds since 1970; `None` without TLS."""
    sock: object = client.socket()
    certificate = sock.getpeercert() if isinstance(sock, ssl.SSLSocket) else None
    ends = certificate.get("notAfter") if certificate else None
    return ssl.cert_time_to_seconds(ends) if isinstance(ends, str) else None


def _publish(client: mqtt.Client, topic: str) -> bool:
    """Did the broker take it? Not taken, and not answered in time, is no."""
    answered = threading.Event()
    codes: list[ReasonCode] = []

    def on_publish(_client: mqtt.Client, _data: object, _mid: int, code: ReasonCode, _properties: object) -> None:
        codes.append(code)
        answered.set()

    client.on_publish = on_publish
    client.on_disconnect = lambda *_: answered.set()  # some brokers refuse so
    client.publish(topic, STRANGER_PAYLOAD, qos=1)
    return answered.wait(CONNECT_WAIT_S) and bool(codes) and not codes[0].is_failure


def _disconnect(client: mqtt.Client) -> None:
    client.disconnect()
    client.loop_stop()
