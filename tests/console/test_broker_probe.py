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

import pytest
from msgspec import Struct

from alertd.console.broker_probe import brokers

CONNECT, PUBLISH, DISCONNECT = 1, 3, 14
NOT_AUTHORIZED = 0x87
USER_FLAG = 0x80


class Section(Struct):
    table: str
    name: str
    plugin: str
    settings: Mapping[str, Any]


class Broker:
    """Speaks just enough MQTT 5 to let in or refuse, and to take or refuse a publication."""

    def __init__(self, *, strangers: bool, strangers_publish: bool, users: bool = True) -> None:
        self.strangers = strangers
        self.strangers_publish = strangers_publish
        self.users = users
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

    def _talk(self, connection: socket.socket) -> None:
        while header := connection.recv(2):
            body = connection.recv(header[1]) if header[1] else b""
            match header[0] >> 4:
                case kind if kind == CONNECT:
                    named = bool(body[7] & USER_FLAG)
                    self.clients.append(body)
                    allowed = self.users if named else self.strangers
                    connection.sendall(bytes([0x20, 3, 0, 0 if allowed else NOT_AUTHORIZED, 0]))
                    if not allowed:
                        return
                case kind if kind == PUBLISH:
                    length = int.from_bytes(body[:2], "big")
                    self.published.append(body[2 : 2 + length])
                    code = 0 if self.strangers_publish else NOT_AUTHORIZED
                    connection.sendall(bytes([0x40, 4, *body[2 + length : 4 + length], code, 0]))
                case kind if kind == DISCONNECT:
                    return


@contextmanager
def running(**rules: bool) -> Iterator[Broker]:
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


def test_a_broker_that_refuses_strangers_is_well():
    with running(strangers=False, strangers_publish=False) as broker:
        found = probe(broker.port)

    assert [(f.level, f.words.split()[-1]) for f in found] == [("ok", "alone"), ("ok", "strangers")]
    assert broker.published == []


def test_strangers_who_may_publish_presses_are_a_failure():
    with running(strangers=True, strangers_publish=True) as broker:
        found = probe(broker.port)

    assert found[-1].level == "fail"
    assert "may publish presses to alertd/press/alertd-doctor" in found[-1].words
    assert "allow_anonymous false" in found[-1].remedy
    assert broker.published == [b"alertd/press/alertd-doctor", b"z/alertd-doctor"]


def test_strangers_who_get_in_and_may_do_nothing_are_a_warning():
    with running(strangers=True, strangers_publish=False) as broker:
        assert [f.level for f in probe(broker.port)] == ["ok", "warn"]


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

    assert len(broker.clients) == 2
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


@pytest.mark.slow
@pytest.mark.parametrize(("anonymous", "level"), [("false", "ok"), ("true", "fail")])
def test_mosquitto_is_judged_right(tmp_path: Path, anonymous: str, level: str):
    mosquitto = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin")
    if mosquitto is None or shutil.which("mosquitto_passwd") is None:
        pytest.skip("mosquitto is not installed")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    subprocess.run(["mosquitto_passwd", "-c", "-b", tmp_path / "users", "alertd", "hunter2"], check=True)
    (tmp_path / "users").chmod(0o644)
    tmp_path.chmod(0o755)
    lines = (f"listener {port} 127.0.0.1", f"allow_anonymous {anonymous}", f"password_file {tmp_path / 'users'}")
    (tmp_path / "conf").write_text("\n".join((*lines, "user root", "")))
    with subprocess.Popen([mosquitto, "-c", str(tmp_path / "conf")]) as broker:
        try:
            wait_until_it_listens(port)
            found = probe(port)
        finally:
            broker.terminate()

    assert [f.level for f in found] == ["ok", level]
