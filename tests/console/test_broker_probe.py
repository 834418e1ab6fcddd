"""Who gets into the broker, and who may publish presses? Asked of a broker that behaves as told, and of mosquitto."""

import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt
import pytest
from msgspec import Struct
from paho.mqtt.enums import CallbackAPIVersion

from alertd.console import broker_probe, broker_session
from alertd.console.broker_probe import brokers

CONNECT, PUBLISH, DISCONNECT = 1, 3, 14
NOT_AUTHORIZED = 0x87
USER_FLAG = 0x80
MAXIMUM_QOS = 0x24


class Section(Struct):
    table: str
    name: str
    plugin: str
    settings: Mapping[str, Any]


class Broker:
    """Speaks just enough MQTT 5 to let in or refuse, and to take or refuse a publication."""

    def __init__(
        self,
        *,
        strangers: bool,
        strangers_publish: bool,
        users: bool = True,
        any_password: bool = False,
        devices_publish: bool = False,
        max_qos: int = 2,
        answers: bool = True,
    ) -> None:
        self.strangers = strangers
        self.strangers_publish = strangers_publish
        self.users = users
        self.any_password = any_password
        self.devices_publish = devices_publish
        self.max_qos = max_qos
        self.answers = answers
        """To a publication."""
        self.published: list[bytes] = []
        self.clients: list[bytes] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(5)

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with connection:
                self._talk(connection)

    def _allows(self, body: bytes) -> bool:
        if not body[7] & USER_FLAG:
            return self.strangers
        return self.users and (self.any_password or body.endswith(b"hunter2"))

    def _talk(self, connection: socket.socket) -> None:
        may_publish = False
        while header := connection.recv(2):
            body = connection.recv(header[1]) if header[1] else b""
            match header[0] >> 4:
                case kind if kind == CONNECT:
                    self.clients.append(body)
                    allowed = self._allows(body)
                    may_publish = self.devices_publish if body[7] & USER_FLAG else self.strangers_publish
                    properties = [] if self.max_qos == 2 else [MAXIMUM_QOS, self.max_qos]
                    answer = [0, 0 if allowed else NOT_AUTHORIZED, len(properties), *properties]
                    connection.sendall(bytes([0x20, len(answer), *answer]))
                    if not allowed:
                        return
                case kind if kind == PUBLISH:
                    length = int.from_bytes(body[:2], "big")
                    self.published.append(body[2 : 2 + length])
                    code = 0 if may_publish else NOT_AUTHORIZED
                    if not self.answers:
                        continue
                    connection.sendall(bytes([0x40, 4, *body[2 + length : 4 + length], code, 0]))
                case kind if kind == DISCONNECT:
                    return


@contextmanager
def running(**rules: Any) -> Iterator[Broker]:
    broker = Broker(**rules)
    try:
        yield broker
    finally:
        broker.close()


def probe(port: int, **more: object):
    settings = {
        "host": "127.0.0.1",
        "port": port,
        "client_id": "alertd-oak",
        "username": "alertd",
        "password_secret": "broker",
        "triggers": [{"topic": "alertd/press/+"}, {"topic": "z/#"}],
        **more,
    }
    return list(brokers([Section("sources", "broker", "mqtt", settings)], {"broker": "hunter2"}.__getitem__))


DEVICE = {"doctor_username": "alertd-doctor", "doctor_password_secret": "broker"}


def test_a_broker_that_refuses_what_it_must_is_well():
    with running(strangers=False, strangers_publish=False) as broker:
        found = probe(broker.port, **DEVICE)

    assert [(f.level, f.words.split()[-1]) for f in found] == [
        ("ok", "alone"),
        ("ok", "strangers"),
        ("ok", "password"),
        ("ok", "else"),
    ]
    assert broker.published == [b"alertd/press/alertd-doctor-other", b"z/alertd-doctor-other"]


def test_strangers_who_may_publish_presses_are_a_failure():
    with running(strangers=True, strangers_publish=True) as broker:
        found = probe(broker.port)[1]

    assert found.level == "fail"
    assert "may publish presses to alertd/press/alertd-doctor-other" in found.words
    assert "allow_anonymous false" in found.remedy
    assert broker.published == [b"alertd/press/alertd-doctor-other", b"z/alertd-doctor-other"]


def test_strangers_who_get_in_and_may_do_nothing_are_a_warning():
    with running(strangers=True, strangers_publish=False) as broker:
        assert [f.level for f in probe(broker.port)][:2] == ["ok", "warn"]


def test_a_device_that_may_press_as_another_is_a_failure_that_names_the_rule():
    with running(strangers=False, strangers_publish=False, devices_publish=True) as broker:
        found = probe(broker.port, **DEVICE)[-1]

    assert found.level == "fail"
    assert "alertd-doctor published to alertd/press/alertd-doctor-other" in found.words
    assert "alertd broker config" in found.remedy


def test_a_broker_that_does_not_answer_a_press_in_anothers_name_is_not_called_well(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(broker_session, "CONNECT_WAIT_S", 0.1)
    with running(strangers=True, strangers_publish=True, devices_publish=True, answers=False) as broker:
        found = probe(broker.port, **DEVICE, doctor_sensor_username="sensor", doctor_sensor_password_secret="broker")

    stranger, device, sensor = found[1], found[3], found[4]
    assert (stranger.level, stranger.words.split(";")[0]) == ("fail", "strangers get in")
    assert (device.level, device.words.split(":")[0]) == ("warn", "not known whether a device may press as another")
    assert (sensor.level, sensor.words.split(":")[0]) == ("warn", "not known whether a sensor may press")
    assert "z/alertd-doctor-other" in device.words, "a topic that was not asked after"


@pytest.mark.parametrize(("days", "level"), [(3, "warn"), (29.4, "warn"), (30.6, "ok")])
def test_a_certificate_that_ends_soon_is_told_before_it_does(days: float, level: str):
    session = broker_session.Session(
        client=mqtt.Client(CallbackAPIVersion.VERSION2), max_qos=2, certificate_ends_s=time.time() + days * 86_400
    )

    (found,) = broker_probe._promises("broker", session)

    assert (found.level, f"{days:.0f} more days" in found.words) == (level, True)


def test_without_a_device_to_try_with_it_is_said_that_it_was_not_tried():
    with running(strangers=False, strangers_publish=False) as broker:
        found = probe(broker.port)[-1]

    assert (found.level, found.words.split(":")[0]) == ("warn", "not tried whether a device may press as another")
    assert "doctor_username" in found.remedy
    assert broker.published == []


def test_a_broker_that_takes_any_password_is_a_failure():
    with running(strangers=False, strangers_publish=False, any_password=True) as broker:
        found = probe(broker.port)

    assert [f.words for f in found if f.level == "fail"] == [
        "takes any password: whoever knows a device's name can press as it"
    ]


def test_a_broker_without_qos_1_is_a_failure():
    with running(strangers=False, strangers_publish=False, max_qos=0) as broker:
        found = probe(broker.port)

    assert [f.words.split(":")[0] for f in found if f.level == "fail"] == ["takes only QoS 0"]


def test_a_wrong_password_is_told_from_a_broker_that_is_away():
    with running(strangers=False, strangers_publish=False, users=False) as broker:
        (refused,) = probe(broker.port)
    (away,) = probe(broker.port)

    assert "does not let us in: Not authorized" in refused.words
    assert "cannot be reached" in away.words
    assert "hunter2" not in str((refused, away))


def test_a_broker_without_a_password_is_a_warning():
    with running(strangers=True, strangers_publish=True) as broker:
        found = probe(broker.port, username=None, password_secret=None)

    assert [f.level for f in found] == ["ok", "warn"]
    assert "anybody on its network can publish a press" in found[-1].words


def test_the_daemons_own_session_is_never_taken():
    with running(strangers=True, strangers_publish=True) as broker:
        probe(broker.port)

    assert len(broker.clients) == 3
    assert not any(b"alertd-oak" in client for client in broker.clients)


def test_a_missing_secret_is_said_before_anything_is_tried():
    settings = {"host": "127.0.0.1", "port": 1, "username": "alertd", "password_secret": "nope"}

    def secret(name: str) -> str:
        raise LookupError(f"secret {name!r} is not set")

    (only,) = brokers([Section("sources", "broker", "mqtt", settings)], secret)
    assert (only.level, only.words) == ("fail", "secret 'nope' is not set")


def wait_until_it_listens(port: int) -> None:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError(f"mosquitto does not listen on {port}")


ACL = Path(__file__).resolve().parents[2] / "config" / "mosquitto" / "acl"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("settings", "levels"),
    [
        ((f"acl_file {ACL}", "allow_anonymous false"), ["ok", "ok", "ok", "ok"]),
        (("allow_anonymous true",), ["ok", "fail", "ok", "fail"]),  # no access list: who is in may do everything
        ((f"acl_file {ACL}", "allow_anonymous false", "max_qos 0"), ["ok", "fail", "ok", "ok", "warn"]),
    ],
    ids=["as shipped", "open", "qos 0"],
)
def test_mosquitto_is_judged_right(tmp_path: Path, settings: tuple[str, ...], levels: list[str]):
    mosquitto = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin")
    if mosquitto is None or shutil.which("mosquitto_passwd") is None:
        pytest.skip("mosquitto is not installed")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    users = tmp_path / "users"
    for create, user in ((["-c"], "alertd"), ([], "alertd-doctor")):
        subprocess.run(["mosquitto_passwd", *create, "-b", users, user, "hunter2"], check=True)
    users.chmod(0o644)
    tmp_path.chmod(0o755)
    lines = (f"listener {port} 127.0.0.1", f"password_file {users}", *settings)
    (tmp_path / "conf").write_text("\n".join((*lines, "user root", "")))
    with subprocess.Popen([mosquitto, "-c", str(tmp_path / "conf")]) as broker:
        try:
            wait_until_it_listens(port)
            found = probe(port, **DEVICE)
        finally:
            broker.terminate()

    assert [f.level for f in found] == levels
