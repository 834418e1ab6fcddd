"""What `alertd doctor` hears of destinations: whether there is a way, without a request."""

import asyncio
import socket
import threading
import time
from collections.abc import Iterator

import pytest

from alertd.ports import Found
from alertd.testing.scripted_http import ScriptedHttp
from alertd_adapters.webhook import plugin
from alertd_adapters.webhook.probe import _judged
from tests.adapters.doubles import surroundings

DAY_S = 86_400


def probe(url: str, *, leads_to: str = "127.0.0.1", allowed: str = "allow") -> Found:
    async def resolve(host: str, port: int) -> list[str]:
        if not leads_to:
            raise OSError(-2, "Name or service not known")
        return [leads_to]

    def nothing(request):
        raise AssertionError("a probe sends nothing")

    section = {"destinations": {"county": {"url": url, "signing_secret": "key", "private_addresses": allowed}}}
    secrets = {"key": "whsec_" + "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}
    around = surroundings(ScriptedHttp(nothing), secrets, extra={"resolve": resolve})
    asked = plugin.build("dispatch", section, around).probe

    assert asked is not None

    async def only() -> Found:
        (found,) = [found async for found in asked(())]
        return found

    return asyncio.run(only())


class Listener:
    """Takes connections and keeps what comes over them."""

    def __init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self.heard = b""
        self._thread = threading.Thread(target=self._listen)
        self._thread.start()

    def _listen(self) -> None:
        connection, _ = self._socket.accept()
        with connection:
            connection.settimeout(5)
            try:
                self.heard = connection.recv(4096)
                connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            except OSError:
                return

    def close(self) -> None:
        self._thread.join(5)
        self._socket.close()


@pytest.fixture
def listener() -> Iterator[Listener]:
    listener = Listener()
    yield listener
    listener.close()


def test_a_server_that_listens_hears_nothing_and_is_not_called_good_beyond_that(listener: Listener):
    found = probe(f"http://127.0.0.1:{listener.port}/alerts")
    listener.close()

    assert found.is_good
    assert "listens; whether it takes our messages is not known" in found.text
    assert listener.heard == b""


def test_a_server_that_speaks_no_tls_is_named(listener: Listener):
    found = probe(f"https://127.0.0.1:{listener.port}/alerts")

    assert "TLS failed" in found.text
    assert found.grave


def test_nobody_listens():
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    found = probe(f"http://127.0.0.1:{port}/alerts")

    assert found.text.startswith(f"county (127.0.0.1:{port}) cannot be reached")
    assert found.grave


def test_a_name_that_leads_into_the_house_is_refused_as_when_sending():
    found = probe("https://cad.example.org/alerts", leads_to="192.168.1.5", allowed="refuse")

    assert "192.168.1.5, which is a private address" in found.text
    assert 'private_addresses = "allow"' in found.remedy


def test_a_name_without_an_address():
    assert "its name has no address: Name or service not known" in probe("https://cad.example.org/x", leads_to="").text


@pytest.mark.parametrize(("days", "good"), [(60, True), (13, False)])
def test_a_certificate_that_ends_soon_is_a_warning(days: int, good: bool):
    found = _judged("county", time.time() + days * DAY_S + 60)

    assert (found.is_good, found.is_good or not found.grave) == (good, True)
    assert f"{days} " in found.text
