"""Tries an MQTT broker as a stranger and as ourselves, for `alertd doctor`: who gets in, and who may publish presses?

Uses client ids of its own, clean sessions and no retained messages. It publishes only as somebody who may not, and only
to see it refused: a broker that lets that through is what the finding is about.
"""

import ssl
import time
from collections.abc import Iterator, Sequence
from uuid import uuid4

from alertd.console.broker_door import HAS_EXPIRED, NEW_ONE
from alertd.console.broker_session import (
    NOBODY,
    Broker,
    Login,
    RefusalError,
    Session,
    Tried,
    broker_of,
    connect,
    disconnect,
    publish_each,
)
from alertd.console.doctor import CONNECT_WAIT_S, FAIL, OK, WARN, Finding, Secret, Section

NOBODYS_DEVICE = "alertd-doctor-other"
"""Not the name of the device that exists for this probe: that one may press as itself."""
UNANSWERED_REMEDY = "try again; it may have taken it"
CERTIFICATE_WARN_DAYS = 30
NEVER_PRESS = frozenset({"sensor", "gateway"})
"""Kinds of devices."""


def brokers(sections: Sequence[Section], secret: Secret) -> Iterator[Finding]:
    for section in sections:
        if section.table == "sources" and section.plugin == "mqtt":
            yield from _probe(section, secret)


def _probe(section: Section, secret: Secret) -> Iterator[Finding]:
    what = f"broker of source {section.name}"
    try:
        broker = broker_of(section.settings, secret)
    except LookupError as error:
        yield Finding(level=FAIL, what=what, words=str(error), remedy="set the secret, then try again")
        return
    where = broker.address
    try:
        session = connect(broker, broker.alertd)
    except RefusalError as error:
        remedy = "compare the user name and password with the broker's password file"
        yield Finding(level=FAIL, what=what, words=f"{where} does not let us in: {error}", remedy=remedy)
        return
    except (OSError, ValueError) as error:
        yield _no_way_in(what, where, error)
        return
    disconnect(session.client)
    yield Finding(level=OK, what=what, words=f"{where} lets us in; the daemon's own session was left alone")
    yield from _promises(what, session)
    yield _stranger(what, where, broker)
    if broker.alertd.username is not None:
        yield _wrong_password(what, broker)
        yield _wrong_device(what, broker)
        yield from _sensor(what, broker)


def _no_way_in(what: str, where: str, error: Exception) -> Finding:
    words = f"{where} cannot be reached: {error}"
    remedy = "is the broker running, and does its listener match host, port and tls? See docs/broker.md"
    if isinstance(error, ssl.SSLCertVerificationError):
        words = f"{where} answers with a certificate that does not hold: {error.verify_message}"
        remedy = "is it made for this host, and signed by the authority that tls.ca names? See docs/broker.md, step 2"
        if error.verify_code == HAS_EXPIRED:
            remedy = f"{NEW_ONE}: no device gets through, either"
    return Finding(level=FAIL, what=what, words=words, remedy=remedy)


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
        remedy = f"{NEW_ONE}: from then on no button gets through"
        yield Finding(level=WARN, what=what, words=words, remedy=remedy)
    else:
        yield Finding(level=OK, what=what, words=words)


def _stranger(what: str, where: str, broker: Broker) -> Finding:
    """A press must not come from somebody without a password."""
    if broker.alertd.username is None:
        words = f"{where} asks for no password: anybody on its network can publish a press"
        return Finding(level=WARN, what=what, words=words, remedy="give it a password file; see docs/broker.md")
    try:
        session = connect(broker, NOBODY)
    except RefusalError:
        return Finding(level=OK, what=what, words="refuses strangers")
    except OSError as error:
        return Finding(level=WARN, what=what, words=f"not known whether strangers get in: {error}", remedy="try again")
    tried = _tried(broker, NOBODY, session, _others(broker))
    if tried is None or (tried.unknown and not tried.taken):
        words = "strangers get in; whether they may publish presses, the broker does not say"
        return Finding(level=FAIL, what=what, words=words, remedy="set allow_anonymous false; see docs/broker.md")
    if tried.taken:
        words = f"a stranger without a password may publish presses to {', '.join(tried.taken)}"
        remedy = "set allow_anonymous false and an ACL at once; see docs/broker.md"
        return Finding(level=FAIL, what=what, words=words, remedy=remedy)
    words = "strangers get in, but may not publish presses"
    return Finding(level=WARN, what=what, words=words, remedy="set allow_anonymous false; see docs/broker.md")


def _wrong_password(what: str, broker: Broker) -> Finding:
    """A broker without a password file takes any password: then names protect nothing."""
    try:
        wrong = Login(username=broker.alertd.username, password=f"wrong-{uuid4().hex}")
        disconnect(connect(broker, wrong).client)
    except RefusalError:
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
        session = connect(broker, broker.device)
    except RefusalError as error:
        remedy = "compare doctor_username and its password with the broker's password file"
        return Finding(level=WARN, what=what, words=f"does not let {broker.device.username} in: {error}", remedy=remedy)
    except OSError as error:
        words = f"not known whether a device may press as another: {error}"
        return Finding(level=WARN, what=what, words=words, remedy="try again")
    tried = _tried(broker, broker.device, session, _others(broker))
    remedy = "write the access list with alertd broker config; see docs/broker.md"
    wrong = _verdict(what, "a device may press as another", broker.device, tried, remedy)
    return wrong or Finding(level=OK, what=what, words="a device may press as nobody else")


def _verdict(what: str, may: str, login: Login, tried: Tried | None, remedy: str) -> Finding | None:
    """`may`: what nobody may do with that login ("a sensor may press"), in words. `None`: they may not."""
    if tried is None:
        words = f"whether {may}, the broker does not say"
        return Finding(level=WARN, what=what, words=words, remedy='it would by protocol = "5" and QoS 1')
    if tried.taken:
        words = f"{may}: {login.username} published to {', '.join(tried.taken)}"
        return Finding(level=FAIL, what=what, words=words, remedy=remedy)
    if tried.unknown:
        words = f"not known whether {may}: {_unanswered(tried)}"
        return Finding(level=WARN, what=what, words=words, remedy=UNANSWERED_REMEDY)
    return None


def _sensor(what: str, broker: Broker) -> Iterator[Finding]:
    """A sensor must not press: whoever takes one over could page a school."""
    if broker.sensor is None:
        if any("sensor" in trigger.kinds for trigger in broker.triggers):
            words = "not tried whether a sensor may press: no sensor was given for it"
            remedy = "make a user for it and name it as doctor_sensor_username; see docs/broker.md, step 5"
            yield Finding(level=WARN, what=what, words=words, remedy=remedy)
        return
    try:
        session = connect(broker, broker.sensor)
    except (RefusalError, OSError) as error:
        words = f"not known whether a sensor may press: {broker.sensor.username} is not let in: {error}"
        remedy = "compare doctor_sensor_username and its password with the broker's password file"
        yield Finding(level=WARN, what=what, words=words, remedy=remedy)
        return
    duress = [trigger.topic for trigger in broker.triggers if not trigger.kinds or trigger.kinds - NEVER_PRESS]
    names = (str(broker.sensor.username), NOBODYS_DEVICE)
    tried = _tried(broker, broker.sensor, session, [_concrete(topic, name) for topic in duress for name in names])
    remedy = "give sensors a trigger of their own, then: alertd broker config; see docs/broker.md"
    wrong = _verdict(what, "a sensor may press", broker.sensor, tried, remedy)
    yield wrong or Finding(level=OK, what=what, words="a sensor may press nowhere")


def _tried(broker: Broker, login: Login, session: Session, topics: Sequence[str]) -> Tried | None:
    """`None`: the broker does not say, by MQTT 3.1.1 or at QoS 0."""
    if not broker.mqtt5 or session.max_qos < 1:
        disconnect(session.client)
        return None
    return publish_each(broker, login, session, topics)


def _unanswered(tried: Tried) -> str:
    return f"to {', '.join(tried.unknown)} it gave no answer within {CONNECT_WAIT_S:.0f} s"


def _others(broker: Broker) -> list[str]:
    return [_concrete(trigger.topic, NOBODYS_DEVICE) for trigger in broker.triggers]


def _concrete(topic_filter: str, name: str) -> str:
    """A topic that the filter matches, in the name of this device."""
    return "/".join(name if level in ("+", "#") else level for level in topic_filter.split("/"))
