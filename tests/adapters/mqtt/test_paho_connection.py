"""What the connection does when the broker dies in the middle of a sentence."""

import asyncio
import contextlib
import gc
import select
import socket
import struct
import threading
from collections.abc import Iterator

import pytest

from alertd_adapters.mqtt import paho_connection
from alertd_adapters.mqtt.connection import ConnectionLostError, ConnectOptions
from alertd_adapters.mqtt.paho_connection import INBOX_MAX, PahoBroker

CONNACK = bytes([0x20, 3, 0, 0, 0])
OPTIONS = ConnectOptions(client_id="alertd", persistent=True)
RESET = struct.pack("ii", 1, 0)
"""SO_LINGER: closing resets, as the kernel does for a process that was killed with something unread."""


def publish(number: int) -> bytes:
    """QoS 1, MQTT 5, no properties: `press/1`, packet id and payload are the number."""
    topic = b"press/1"
    body = struct.pack("!H", len(topic)) + topic + struct.pack("!H", number) + b"\0" + str(number).encode()
    return bytes([0x32, len(body)]) + body


class DyingBroker:
    """Greets one client; what it says and when it dies, the test says."""

    def __init__(self) -> None:
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._listening.settimeout(5)
        self.port = self._listening.getsockname()[1]
        self._client: socket.socket | None = None
        self._thread = threading.Thread(target=self._greet)
        self._thread.start()

    def _greet(self) -> None:
        self._client, _ = self._listening.accept()
        self._client.recv(1000)
        self._client.sendall(CONNACK)

    def say(self, words: bytes) -> None:
        self._thread.join()
        assert self._client is not None
        self._client.sendall(words)

    def die(self) -> None:
        assert self._client is not None
        self._client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        self._client.close()

    def close(self) -> None:
        self._thread.join()
        self._listening.close()
        if self._client is not None:
            self._client.close()


@pytest.fixture
def broker() -> Iterator[DyingBroker]:
    with contextlib.closing(DyingBroker()) as broker:
        yield broker


@pytest.fixture(params=[True, False], ids=["before the write", "between look and write"])
def is_seen_to_die(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> bool:
    is_seen: bool = request.param
    polled = paho_connection._polled
    if not is_seen:
        monkeypatch.setattr(paho_connection, "_polled", lambda s, events: events == select.POLLIN and polled(s, events))
    return is_seen


async def read_out(broker: DyingBroker, presses: int) -> list[tuple[int, bool]]:
    """The broker dies behind its first press, with the others in our socket's buffer. What is read, and was its ack
    sent?"""
    connection = await PahoBroker("127.0.0.1", broker.port, protocol="5").connect(OPTIONS)
    broker.say(publish(1))
    messages = connection.messages()
    first = await anext(messages)
    # From here to the ack nothing is awaited: the connection cannot read before it writes.
    broker.say(b"".join(publish(number) for number in range(2, presses + 1)))
    broker.die()
    heard = [(first.mid, connection.ack(first))]
    with contextlib.suppress(ConnectionLostError):
        async with asyncio.timeout(10):
            async for message in messages:
                is_sent = connection.ack(message)
                heard.append((message.mid, is_sent))
    return heard


@pytest.mark.usefixtures("is_seen_to_die")
@pytest.mark.parametrize("presses", [3, INBOX_MAX * 3])
async def test_promise_1_presses_that_a_dying_broker_sent_are_read_though_an_ack_can_no_longer_leave(
    broker: DyingBroker, presses: int
):
    """Its buttons have their PUBACK; nobody but our socket's buffer has the presses."""
    heard = await read_out(broker, presses)
    assert [mid for mid, _ in heard] == list(range(1, presses + 1)), "promise 1: no press is lost"


@pytest.mark.parametrize("presses", [3, INBOX_MAX * 3])
async def test_an_ack_that_can_no_longer_leave_is_not_called_sent(
    broker: DyingBroker, presses: int, is_seen_to_die: bool
):
    """The broker delivers again what it has no PUBACK for; it is known again only if we know that it has none."""
    called_sent = [mid for mid, is_sent in await read_out(broker, presses) if is_sent]
    expected = [] if is_seen_to_die else [1]  # nobody can know it before that write has failed
    assert called_sent == expected, "when they come again, one press is taken for two"


async def test_a_message_leaves_nothing_for_pythons_cycle_collector(broker: DyingBroker):
    """While it collects, no press goes on: among 2,000 messages a second it stopped everything for 20 ms and more."""
    connection = await PahoBroker("127.0.0.1", broker.port, protocol="5").connect(OPTIONS)
    messages = connection.messages()
    left = []
    for number in range(1, 4):
        broker.say(publish(number))
        gc.collect()
        connection.ack(await anext(messages))
        left.append(gc.collect())
    await connection.close()
    assert left[-1] == 0, "the cycle collector has work to do"  # at the first message things are made that stay
