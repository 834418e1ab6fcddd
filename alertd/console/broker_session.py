"""A connection of `alertd doctor` to a source's broker: let in or refused, a message taken or not.

Owns the client library. Uses client ids of its own, never the daemon's: that would throw it off the broker.
"""

import ssl
import threading
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import uuid4

import paho.mqtt.client as mqtt
from msgspec import Struct
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from alertd.console.doctor import CONNECT_WAIT_S, Secret
from alertd.model.canary import CANARY_WORD

STRANGER_PAYLOAD = CANARY_WORD + b"alertd doctor: may a stranger publish here?"
"""No decoder takes it for a press, and the daemon for no trouble."""
TLS_PORT, PLAIN_PORT = 8883, 1883
FOR_EVER = 0xFFFFFFFF
BUSY_S = 20.0
"""A broker that writes down what we gave it may say nothing for so long: a slow disk."""
MAX_S = 180.0
"""Longest time until a trial's next finding: several times in it the broker may be as busy as that."""
REFUSED_FROM = 128


class Trigger(Struct, frozen=True, kw_only=True):
    topic: str
    """Filter, without `$share`."""
    kinds: frozenset[str]


class Login(Struct, frozen=True, kw_only=True):
    username: str | None
    password: str | None

    def __repr__(self) -> str:
        return f"Login(username={self.username!r}, password=…)"


NOBODY = Login(username=None, password=None)


class Broker(Struct, frozen=True, kw_only=True):
    """What a source's settings say about reaching its broker."""

    host: str
    port: int
    tls: Mapping[str, Any] | None
    alertd: Login
    triggers: tuple[Trigger, ...]
    mqtt5: bool
    device: Login | None
    """A device that exists for this probe alone."""
    sensor: Login | None
    """The same, with a sensor's rights."""
    alive_topic: str | None
    feedback_topic: str

    @property
    def address(self) -> str:
        return f"{self.host}:{self.port}"


class Session(Struct, frozen=True, kw_only=True):
    """A connection that was let in."""

    client: mqtt.Client
    max_qos: int
    certificate_ends_s: float | None
    is_remembered: bool = False
    """The broker had kept this client's session."""
    expires_s: int | None = None
    """The broker keeps the session for so long after the connection, and not for as long as it was asked to."""
    retains: bool = True


class RefusalError(Exception):
    """The broker answered, and did not let us in."""


def broker_of(settings: Mapping[str, Any], secret: Secret) -> Broker:
    """Raises `LookupError` for a secret that is not there."""
    tls = settings.get("tls")
    triggers = settings.get("triggers")
    return Broker(
        host=str(settings.get("host", "")),
        port=int(settings.get("port") or (TLS_PORT if tls is not None else PLAIN_PORT)),
        tls=tls if isinstance(tls, Mapping) else None,
        alertd=_login(settings, "", secret) or NOBODY,
        triggers=tuple(_trigger(each) for each in triggers if isinstance(each, Mapping) and "topic" in each)
        if isinstance(triggers, list)
        else (),
        mqtt5=settings.get("protocol", "5") == "5",
        device=_login(settings, "doctor_", secret),
        sensor=_login(settings, "doctor_sensor_", secret),
        alive_topic=settings.get("alive_topic"),
        feedback_topic=str(settings.get("feedback_topic", "alertd/feedback/{device_id}")),
    )


def _trigger(table: Mapping[str, Any]) -> Trigger:
    topic, kinds = str(table["topic"]), table.get("kinds")
    bare = topic.split("/", 2)[-1] if topic.startswith("$share/") else topic
    return Trigger(topic=bare, kinds=frozenset(map(str, kinds)) if isinstance(kinds, list) else frozenset())


def _login(settings: Mapping[str, Any], prefix: str, secret: Secret) -> Login | None:
    name, named = settings.get(f"{prefix}username"), settings.get(f"{prefix}password_secret")
    password = secret(named) if isinstance(named, str) else None
    return None if name is None else Login(username=str(name), password=password)


def made_up_id(what: str = "doctor") -> str:
    return f"alertd-{what}-{uuid4().hex[:8]}"


def connect(
    broker: Broker,
    login: Login,
    *,
    client_id: str = "",
    keeps_s: int = 0,
    on_message: Any = None,
    wait_s: float = CONNECT_WAIT_S,
) -> Session:
    """`keeps_s`: the broker is asked to keep the session for so long; with 3.1.1 for as long as it likes. Raises
    `RefusalError` if the broker says no, `OSError` if it says nothing for `wait_s`."""
    answered = threading.Event()
    found: list[tuple[ReasonCode, Session]] = []
    client = _client(broker, login, client_id or made_up_id(), clean=not keeps_s)

    def on_connect(_client: mqtt.Client, _data: object, flags: Any, code: ReasonCode, properties: Any) -> None:
        session = Session(
            client=client,
            max_qos=getattr(properties, "MaximumQoS", 2),  # absent: 2 (MQTT 5, 3.2.2.3.4)
            certificate_ends_s=_certificate_ends_s(client),
            is_remembered=bool(flags.session_present),
            expires_s=getattr(properties, "SessionExpiryInterval", None),
            retains=bool(getattr(properties, "RetainAvailable", 1)),
        )
        found.append((code, session))
        answered.set()

    client.on_connect = on_connect
    if on_message is not None:
        client.on_message = on_message
    if broker.mqtt5:
        asked = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]  # paho ships half its types
        asked.SessionExpiryInterval = keeps_s
        client.connect(broker.host, broker.port, clean_start=not keeps_s, properties=asked)
    else:
        client.connect(broker.host, broker.port)
    client.loop_start()
    if not answered.wait(wait_s):
        disconnect(client)
        raise TimeoutError(f"no answer within {wait_s:.0f} s")
    code, session = found[0]
    if code.is_failure:
        disconnect(client)
        raise RefusalError(str(code))
    return session


def _client(broker: Broker, login: Login, client_id: str, *, clean: bool) -> mqtt.Client:
    client = mqtt.Client(
        CallbackAPIVersion.VERSION2,
        client_id=client_id,
        clean_session=None if broker.mqtt5 else clean,
        protocol=mqtt.MQTTv5 if broker.mqtt5 else mqtt.MQTTv311,
        reconnect_on_failure=False,
    )
    client.connect_timeout = CONNECT_WAIT_S
    if login.username is not None:
        client.username_pw_set(login.username, login.password)
    if broker.tls is not None:
        context = ssl.create_default_context(cafile=broker.tls.get("ca"))
        if broker.tls.get("cert") and login.username is not None:
            context.load_cert_chain(broker.tls["cert"], broker.tls.get("key"))
        client.tls_set_context(context)
    return client


def _certificate_ends_s(client: mqtt.Client) -> float | None:
    """Seconds since 1970; `None` without TLS."""
    sock: object = client.socket()
    certificate = sock.getpeercert() if isinstance(sock, ssl.SSLSocket) else None
    ends = certificate.get("notAfter") if certificate else None
    return ssl.cert_time_to_seconds(ends) if isinstance(ends, str) else None


class Tried(Struct, frozen=True, kw_only=True):
    """What the broker did with publications, by topic."""

    taken: list[str]
    refused: list[str]
    unknown: list[str]
    """It did not answer in time, or did not let us in again: it may have taken them."""


def publish_each(
    broker: Broker, login: Login, session: Session, topics: Sequence[str], payload: bytes = STRANGER_PAYLOAD
) -> Tried:
    """Ends the session. Some brokers hang up on who is refused: then the next topic is tried over a new connection. Who
    does not answer is not asked again."""
    taken: list[str] = []
    refused: list[str] = []
    try:
        for topic in topics:
            if not session.client.is_connected():
                disconnect(session.client)
                session = connect(broker, login)
            is_taken = publish(session.client, topic, payload, qos=min(1, session.max_qos))
            if is_taken is None:
                break
            (taken if is_taken else refused).append(topic)
    except (RefusalError, OSError):
        pass  # the rest is not known
    finally:
        disconnect(session.client)
    unknown = [topic for topic in topics if topic not in taken and topic not in refused]
    return Tried(taken=taken, refused=refused, unknown=unknown)


def publish(client: mqtt.Client, topic: str, payload: bytes = STRANGER_PAYLOAD, *, qos: int = 1) -> bool | None:
    """Did the broker take it? `None`: no answer in time."""
    answered = threading.Event()
    codes: list[ReasonCode] = []

    def on_publish(_client: mqtt.Client, _data: object, _mid: int, code: ReasonCode, _properties: object) -> None:
        codes.append(code)
        answered.set()

    client.on_publish = on_publish
    client.on_disconnect = lambda *_: answered.set()  # some brokers refuse so
    client.publish(topic, payload, qos=qos)
    if not answered.wait(CONNECT_WAIT_S):
        return None
    return bool(codes) and not codes[0].is_failure


def subscribe(client: mqtt.Client, topics: list[str], qos: int) -> list[bool]:
    """Which of the filters were granted? Raises `OSError` if the broker hangs up, or says nothing for `BUSY_S`: that is
    neither yes nor no."""
    answered = threading.Event()
    granted: list[bool] = []

    def on_subscribe(_client: mqtt.Client, _data: object, _mid: int, codes: list[ReasonCode], _p: object) -> None:
        granted.extend(code.value < REFUSED_FROM for code in codes)
        answered.set()

    client.on_subscribe = on_subscribe
    client.on_disconnect = lambda *_: answered.set()
    client.subscribe([(topic, qos) for topic in topics])
    _await(client, answered)
    return granted


def catch_up(client: mqtt.Client) -> None:
    """Ask the broker something that it answers to everybody: what it had to send us before has come by then, for a
    connection keeps its order. Raises `OSError` if it hangs up, or says nothing for `BUSY_S`."""
    answered = threading.Event()
    client.on_unsubscribe = lambda *_: answered.set()
    client.on_disconnect = lambda *_: answered.set()
    client.unsubscribe(made_up_id())
    _await(client, answered)


def _await(client: mqtt.Client, answered: threading.Event) -> None:
    if client.is_connected() and not answered.wait(BUSY_S):
        raise TimeoutError(f"no answer within {BUSY_S:.0f} s")
    if not client.is_connected():
        raise ConnectionResetError("it hung up")


def disconnect(client: mqtt.Client) -> None:
    client.on_disconnect = None
    client.disconnect()
    client.loop_stop()


def forget(broker: Broker, login: Login, client_id: str, *, wait_s: float = CONNECT_WAIT_S) -> None:
    """Nothing of this client stays at the broker."""
    disconnect(connect(broker, login, client_id=client_id, wait_s=wait_s).client)
