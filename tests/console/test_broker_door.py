"""`alertd doctor` and the door of devices: alertd comes in by another, and never sees that its certificate ended."""

import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest

from alertd.console import broker_door
from alertd.console.broker_probe import brokers
from alertd.console.doctor import FAIL, OK, WARN, Finding
from alertd.exports.broker.layout import layout_of, tls_port_beside


def _certificate(folder: Path, days: int, name: str = "broker.maple.example") -> tuple[Path, Path]:
    cert, key, request = folder / "cert.pem", folder / "key.pem", folder / "request.pem"
    new = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", f"/CN={name}"]
    for command in (
        ["req", *new, "-keyout", str(key), "-out", str(request)],
        ["x509", "-req", "-in", str(request), "-signkey", str(key), "-days", str(days), "-out", str(cert)],
    ):
        subprocess.run(["openssl", *command], check=True, capture_output=True)
    return cert, key


@contextmanager
def _listening(certificate: tuple[Path, Path] | None) -> Iterator[int]:
    """A door that shows its certificate to whoever knocks; `None`: one that speaks no TLS. Yields its port."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    if certificate is not None:
        context.load_cert_chain(*certificate)
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            while True:
                try:
                    client, _ = server.accept()
                except OSError:
                    return
                try:
                    if certificate is not None:
                        context.wrap_socket(client, server_side=True).close()
                    else:
                        client.sendall(b"220 welcome\r\n")
                except OSError:
                    pass
                finally:
                    client.close()

        threading.Thread(target=serve, daemon=True).start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)


def _found(monkeypatch: pytest.MonkeyPatch, port: int, **settings: object) -> list[Finding]:
    monkeypatch.setattr(broker_door, "tls_port_beside", lambda _port: port)
    section = SimpleNamespace(table="sources", plugin="mqtt", name="broker", settings={"host": "localhost", **settings})
    return list(broker_door.doors([section], lambda _name: ""))


@pytest.mark.parametrize(
    ("days", "level", "says"),
    [(-1, FAIL, "has ended: no device gets through"), (10, WARN, "10 more days"), (400, OK, "400 more days")],
)
def test_how_long_the_devices_certificate_holds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, days: int, level: str, says: str
):
    with _listening(_certificate(tmp_path, days)) as port:
        (found,) = _found(monkeypatch, port)
    assert found.level == level, "buttons stop at a door that nobody looked at"
    assert says in found.words
    assert level == OK or "make a new one" in found.remedy


def test_a_door_that_speaks_no_tls_is_a_warning(monkeypatch: pytest.MonkeyPatch):
    with _listening(None) as port:
        (found,) = _found(monkeypatch, port)
    assert (found.level, "does not speak TLS" in found.words) == (WARN, True)


def test_no_door_no_finding_and_none_where_alertd_comes_in_by_the_same(monkeypatch: pytest.MonkeyPatch):
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    assert _found(monkeypatch, port) == []
    assert _found(monkeypatch, port, tls={}) == []
    assert _found(monkeypatch, port, host="broker.example.org") == []


def test_it_is_the_door_that_is_written():
    section = SimpleNamespace(name="broker", settings={"host": "localhost", "port": 1884})
    assert layout_of([section], (), is_first=True).tls_port == tls_port_beside(1884) == 8884  # type: ignore[list-item]


@pytest.mark.filterwarnings("ignore:.*SSLSocket:pytest.PytestUnraisableExceptionWarning")  # paho leaves it open
@pytest.mark.parametrize(
    ("days", "name", "is_ours", "words", "remedy"),
    [
        (-1, "localhost", True, "certificate has expired", "make a new one"),
        (2, "localhost", False, "self-signed certificate", "signed by the authority that tls.ca names"),
        (2, "elsewhere", True, "Hostname mismatch", "made for this host"),
    ],
)
def test_a_certificate_at_alertds_own_door_that_does_not_hold_is_no_broker_that_is_away(
    tmp_path: Path, days: int, name: str, is_ours: bool, words: str, remedy: str
):
    cert, key = _certificate(tmp_path, days, name)
    tls = {"ca": str(cert)} if is_ours else {}
    with _listening((cert, key)) as port:
        settings = {"host": "localhost", "port": port, "tls": tls}
        (found,) = brokers(
            [SimpleNamespace(table="sources", plugin="mqtt", name="broker", settings=settings)], lambda _name: ""
        )
    assert found.level == FAIL
    assert f"localhost:{port} answers with a certificate that does not hold: " in found.words
    assert words in found.words
    assert remedy in found.remedy
    assert "running" not in found.remedy, "it runs, and answered"
