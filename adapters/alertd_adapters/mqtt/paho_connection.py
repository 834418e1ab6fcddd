"""A `BrokerConnection` over a real socket: paho's protocol engine, driven by asyncio.

paho and not aiomqtt: paho offers manual acknowledgement, the session-present flag and external event loops in its
public API, where aiomqtt 2.5 needs private attributes for the first two, and is twice as fast (36,000 against 18,000
messages/s). Owns the socket, the reading and writing; must never acknowledge by itself and never reconnect.
"""

import asyncio
import contextlib
import select
import socket
import ssl
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from functools import lru_cache, partial
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.matcher import MQTTMatcher
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from alertd_adapters.mqtt.connection import (
    SESSION_NEVER_EXPIRES,
    BrokerMessage,
    ConnectionLostError,
    ConnectOptions,
    PublishRefusedError,
)

ANSWER_TIMEOUT_S = 10.0
"""CONNACK, SUBACK, PUBACK: a broker that owes one and is silent for longer is as good as gone."""
TCP_TIMEOUT_S = 5.0
INBOX_MAX = 200
"""Messages read from the socket and not yet taken by the reader; then the socket is left alone."""
LARGE_BYTES = 64 * 1024
"""After a larger message, too: two hundred of those are no inbox but a flood."""
READS_PER_TURN = 50
"""Packets taken from the socket before other work gets its turn."""
OUTBOX_MAX = 1000
"""Publications that wait for their PUBACK."""
MISC_INTERVAL_S = 1.0
HUNG_UP = select.POLLHUP | select.POLLERR | getattr(select, "POLLRDHUP", 0)
"""The peer sends no more; what it sent may still be unread."""


class _NoCallbacks(MQTTMatcher):
    """Of one topic or another: we have one for all. To find that out, paho makes a circle of each message, which only
    Python's cycle collector can take away, and while it does, no press goes on."""

    def iter_match(self, topic: str) -> Iterator[object]:  # noqa: ARG002  # paho's signature
        return iter(())


class _Client(paho.Client):
    """paho, except that a failed write does not close the socket, which would throw away what is still unread.

    A broker that dies has told its buttons "received" of all that it sent us: it is read to the end first. `_sock_send`
    and `_on_message_filtered` are what we touch of paho that is private; tests fail if paho no longer uses them."""

    write_error: OSError | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._on_message_filtered = _NoCallbacks()  # type: ignore[no-untyped-call]  # paho has no type there

    def _sock_send(self, buf: bytes | bytearray) -> int:
        if self.write_error is None:
            try:
                return super()._sock_send(buf)
            except BlockingIOError:
                raise
            except OSError as error:
                self.write_error = error
        return len(buf)


def _polled(sock: socket.socket, events: int) -> bool:
    poll = select.poll()
    poll.register(sock, events)
    return bool(poll.poll(0))


class PahoBroker:
    """A broker's address, with how to speak to it."""

    def __init__(self, host: str, port: int, *, protocol: str, tls: ssl.SSLContext | None = None) -> None:
        self._host = host
        self._port = port
        self._protocol = MQTTProtocolVersion.MQTTv5 if protocol == "5" else MQTTProtocolVersion.MQTTv311
        self._tls = tls

    @property
    def address(self) -> str:
        return f"{self._host}:{self._port}"

    async def connect(self, options: ConnectOptions) -> "PahoConnection":
        """Open the socket in a thread (name lookup and TLS block), then let the loop drive it."""
        connection = PahoConnection(self._client(options))
        try:
            await connection.open(partial(self._dial, connection.client, options))
        except BaseException:
            await connection.close()
            raise
        return connection

    def _client(self, options: ConnectOptions) -> _Client:
        is_v5 = self._protocol == MQTTProtocolVersion.MQTTv5
        client = _Client(
            CallbackAPIVersion.VERSION2,
            client_id=options.client_id,
            clean_session=None if is_v5 else not options.persistent,
            protocol=self._protocol,
            reconnect_on_failure=False,
            manual_ack=True,
        )
        client.connect_timeout = TCP_TIMEOUT_S
        client.max_queued_messages_set(OUTBOX_MAX)
        if options.credentials is not None:
            client.username_pw_set(options.credentials.username, options.credentials.password)
        if self._tls is not None:
            client.tls_set_context(self._tls)
        return client

    def _dial(self, client: _Client, options: ConnectOptions) -> None:
        if self._protocol != MQTTProtocolVersion.MQTTv5:
            client.connect(self._host, self._port, options.keepalive_s)
            return
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]  # paho has no type there
        if options.persistent:
            properties.SessionExpiryInterval = SESSION_NEVER_EXPIRES
        client.connect(
            self._host, self._port, options.keepalive_s, clean_start=not options.persistent, properties=properties
        )


class _Packed(Properties):
    """Properties that are packed once: it costs as much as the rest of publishing."""

    def pack(self) -> bytes:
        packed: bytes | None = self.__dict__.get("packed")
        if packed is None:
            packed = self.__dict__["packed"] = super().pack()  # type: ignore[no-untyped-call]  # as above
        return packed


@lru_cache(maxsize=64)
def _expiring(seconds: int) -> Properties:
    properties = _Packed(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]  # as above
    properties.MessageExpiryInterval = seconds
    return properties


class PahoConnection:
    """One life of one connection. All of it runs on the event loop's thread, except the dialling."""

    def __init__(self, client: _Client) -> None:
        self.client = client
        self._loop = asyncio.get_running_loop()
        self._is_v5 = client.protocol == MQTTProtocolVersion.MQTTv5
        self._connack: asyncio.Future[bool] = self._loop.create_future()
        self._asked_at = 0.0
        """When the first of the questions was asked that are not answered yet."""
        self._answers: dict[int, asyncio.Future[list[ReasonCode]]] = {}
        self._inbox: deque[BrokerMessage] = deque()
        self._wake: asyncio.Future[None] | None = None
        self._reading = False
        self._writing = False
        self._write_soon = False
        self._lost: str | None = None
        self._misc: asyncio.TimerHandle | None = None
        self._heard_at = self._loop.time()
        self.session_present = False

    # --- life -------------------------------------------------------------------------------------------------------

    async def open(self, dial: Callable[[], None]) -> None:
        dialling = self._loop.run_in_executor(None, dial)
        try:
            await asyncio.shield(dialling)
        except asyncio.CancelledError:
            dialling.add_done_callback(lambda _: self.client.disconnect())  # the thread may still open a socket
            raise
        except (OSError, ValueError) as error:
            raise ConnectionLostError(str(error) or type(error).__name__) from error
        self._drive()
        self.session_present = await self._connack

    def _drive(self) -> None:
        client = self.client
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_message = self._on_message
        client.on_subscribe = self._on_subscribe
        client.on_unsubscribe = self._on_subscribe
        client.on_publish = self._on_publish
        client.on_socket_close = self._on_socket_close
        client.on_socket_register_write = self._on_want_write
        client.on_socket_unregister_write = self._on_no_write
        sock: Any = client.socket()
        if sock is None:
            raise ConnectionLostError("the connection broke while it was made")
        with contextlib.suppress(OSError):  # a PUBACK must not wait for the next packet
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._asked_at = self._loop.time()
        self._read_on()
        self._loop.call_soon(self._write)
        self._misc = self._loop.call_later(MISC_INTERVAL_S, self._tick)

    async def close(self) -> None:
        self._lose("we closed the connection")
        self.client.disconnect()
        with contextlib.suppress(Exception):
            self.client.loop_write()  # DISCONNECT leaves at once, if it can, and paho closes the socket
        sock: Any = self.client.socket()
        if sock is not None:  # it cannot: the peer does not read. paho closes only what it sees ending.
            with contextlib.suppress(Exception):
                sock.shutdown(socket.SHUT_RDWR)
                while self.client.socket() is not None:
                    self.client.loop_read()

    def _lose(self, why: str) -> None:
        """Everybody who waits learns it; only the first reason counts."""
        if self._lost is not None:
            return
        self._lost = why
        if self._misc is not None:
            self._misc.cancel()
        waiting: list[asyncio.Future[Any]] = [self._connack, *self._answers.values()]
        for future in waiting:
            if not future.done():
                future.set_exception(ConnectionLostError(why))
                future.exception()  # it may have nobody waiting: not worth a warning
        self._wake_reader()

    def _tick(self) -> None:
        """Keep alive: paho pings, and closes the socket when the answer stays out. Our own questions wait as long as
        anything comes: an answer stands in line behind the backlog of a resumed session."""
        self.client.loop_misc()
        self._end_if_read_out()
        is_owed = bool(self._answers) or not self._connack.done()
        quiet_since = max(self._asked_at, self._heard_at)
        if is_owed and self._reading and self._loop.time() - quiet_since > ANSWER_TIMEOUT_S:
            self._lose(f"the broker has said nothing for {ANSWER_TIMEOUT_S:g} s")
        if self._lost is None:
            self._misc = self._loop.call_later(MISC_INTERVAL_S, self._tick)

    # --- reading ----------------------------------------------------------------------------------------------------

    def _read_on(self) -> None:
        sock = self.client.socket()
        if sock is not None and not self._reading:
            self._reading = True
            self._loop.add_reader(sock, self._read)

    def _read_pause(self) -> None:
        sock = self.client.socket()
        if sock is not None and self._reading:
            self._reading = False
            self._loop.remove_reader(sock)

    def _read(self) -> None:
        """As long as packets come, within bounds: asking the socket again is cheaper than another turn of the loop,
        and of what TLS has already decrypted the selector knows nothing."""
        self._heard_at = self._loop.time()
        try:
            for _ in range(READS_PER_TURN):
                before = len(self._inbox)
                self.client.loop_read()
                if not self._reading or len(self._inbox) == before:
                    break
            sock = self.client.socket()
            if self._reading and isinstance(sock, ssl.SSLSocket) and sock.pending():
                self._loop.call_soon(self._read)
        except Exception as error:  # noqa: BLE001  # garbage from a broker ends the connection, not the daemon
            self._broken(error)

    async def messages(self) -> AsyncIterator[BrokerMessage]:
        while True:
            while self._inbox:
                yield self._inbox.popleft()
                if not self._reading and self._lost is None and len(self._inbox) < INBOX_MAX // 2:
                    self._read_on()
                    self._loop.call_soon(self._read)
            if self._lost is not None:
                raise ConnectionLostError(self._lost)
            self._wake = self._loop.create_future()
            try:
                await self._wake
            finally:
                self._wake = None

    def _wake_reader(self) -> None:
        if self._wake is not None and not self._wake.done():
            self._wake.set_result(None)

    # --- writing ----------------------------------------------------------------------------------------------------

    def ack(self, message: BrokerMessage) -> bool:
        sock: Any = self.client.socket()
        if self._lost is not None or message.qos == 0 or sock is None:
            return False
        # paho only queues it, and says yes over a dead socket too. What is called not sent must not leave, either.
        if self.client.write_error is not None or _polled(sock, HUNG_UP):
            return False
        return self.client.ack(message.mid, message.qos) == MQTTErrorCode.MQTT_ERR_SUCCESS

    async def subscribe(self, filters: Sequence[tuple[str, int]]) -> tuple[int, ...]:
        # RAP=0, retain handling 0: a retained message comes with its flag at every subscribe, and is seen as what
        # it is; live ones come without, even if they were published retained.
        wanted: Any = [(f, SubscribeOptions(qos=q)) for f, q in filters] if self._is_v5 else list(filters)
        code, mid = self.client.subscribe(wanted)
        return tuple(reason.value for reason in await self._answer_to(code, mid))

    async def unsubscribe(self, filters: Sequence[str]) -> None:
        code, mid = self.client.unsubscribe(list(filters))
        await self._answer_to(code, mid)

    async def publish(self, topic: str, payload: bytes, *, qos: int, expires_s: int | None = None) -> None:
        properties = None
        if self._is_v5 and expires_s is not None:
            properties = _expiring(expires_s)
        try:
            info = self.client.publish(topic, payload, qos, properties=properties)
        except ValueError as error:  # a topic that cannot be published to
            raise PublishRefusedError(str(error)) from error
        if qos > 0 or info.rc != MQTTErrorCode.MQTT_ERR_SUCCESS:
            reasons = await self._answer_to(info.rc, info.mid)
            if reasons and reasons[0].is_failure:
                raise PublishRefusedError(f"the broker refused to publish on {topic}: {reasons[0]}")

    def _on_want_write(self, _client: paho.Client, _userdata: object, _sock: Any) -> None:
        # Not add_writer at once: the socket is nearly always writable, and all acks of one turn leave together.
        if not self._write_soon:
            self._write_soon = True
            self._loop.call_soon(self._write)

    def _on_no_write(self, _client: paho.Client, _userdata: object, sock: Any) -> None:
        if self._writing:
            self._writing = False
            self._loop.remove_writer(sock)

    def _write(self) -> None:
        self._write_soon = False
        sock: Any = self.client.socket()
        if sock is not None and _polled(sock, HUNG_UP):  # after a failed write OpenSSL promises no further reading
            self._on_no_write(self.client, None, sock)
            return
        try:
            self.client.loop_write()
        except Exception as error:  # noqa: BLE001  # see _read
            self._broken(error)
            return
        self._end_if_read_out()
        sock = self.client.socket()
        if sock is not None and self.client.want_write() and not self._writing:
            self._writing = True
            self._loop.add_writer(sock, self._write)

    def _end_if_read_out(self) -> None:
        """After a failed write: as long as something can be read, be it the end, reading goes on."""
        sock: Any = self.client.socket()
        error = self.client.write_error
        if error is not None and self._reading and sock is not None and not _polled(sock, select.POLLIN):
            self._broken(error)

    def _broken(self, error: Exception) -> None:
        self._read_pause()
        self._lose(f"{type(error).__name__}: {error}")

    async def _answer_to(self, code: MQTTErrorCode, mid: int | None) -> list[ReasonCode]:
        if self._lost is not None:
            raise ConnectionLostError(self._lost)
        if code != MQTTErrorCode.MQTT_ERR_SUCCESS or mid is None:
            raise ConnectionLostError(paho.error_string(code))
        if not self._answers:
            self._asked_at = self._loop.time()
        future: asyncio.Future[list[ReasonCode]] = self._loop.create_future()
        self._answers[mid] = future
        try:
            return await future
        finally:
            self._answers.pop(mid, None)

    # --- what paho calls --------------------------------------------------------------------------------------------

    def _on_connect(
        self, _client: paho.Client, _userdata: object, flags: paho.ConnectFlags, reason: ReasonCode, _properties: Any
    ) -> None:
        if self._connack.done():
            return
        if reason.is_failure:
            self._connack.set_exception(ConnectionLostError(f"the broker refused us: {reason}"))
        else:
            self._connack.set_result(flags.session_present)

    def _on_disconnect(
        self, _client: paho.Client, _userdata: object, flags: Any, reason: ReasonCode, _properties: Any
    ) -> None:
        by_whom = "the broker ended the connection" if flags.is_disconnect_packet_from_server else "connection lost"
        self._lose(f"{by_whom}: {reason}")

    def _on_message(self, _client: paho.Client, _userdata: object, message: paho.MQTTMessage) -> None:
        if self._lost is not None:  # read while closing: it will be delivered again
            return
        try:
            topic = message.topic
        except UnicodeDecodeError:
            topic = "(topic is not UTF-8)"
        self._inbox.append(
            BrokerMessage(
                topic=topic,
                payload=bytes(message.payload),
                qos=message.qos,
                retain=message.retain,
                dup=message.dup,
                mid=message.mid,
            )
        )
        if len(self._inbox) >= INBOX_MAX or len(message.payload) > LARGE_BYTES:
            self._read_pause()
        self._wake_reader()

    def _on_subscribe(
        self, _client: paho.Client, _userdata: object, mid: int, reasons: list[ReasonCode], _properties: Any
    ) -> None:
        future = self._answers.get(mid)
        if future is not None and not future.done():
            future.set_result(reasons)

    def _on_publish(
        self, _client: paho.Client, _userdata: object, mid: int, reason: ReasonCode, _properties: Any
    ) -> None:
        future = self._answers.get(mid)
        if future is not None and not future.done():
            future.set_result([reason])

    def _on_socket_close(self, _client: paho.Client, _userdata: object, sock: Any) -> None:
        self._reading = self._writing = False
        self._loop.remove_reader(sock)
        self._loop.remove_writer(sock)
