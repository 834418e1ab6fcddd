"""The source against a real mosquitto: sessions, acknowledgements, restarts, TLS, what the broker says of itself."""

import asyncio
import contextlib
import gc
import json
import os
import signal
import subprocess
import sys
import time
import tracemalloc
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import IO, Any

import pytest

from alertd.model.anchor import Now
from alertd.model.decision import Confirmation, FeedbackState
from alertd.model.ids import DeviceId
from alertd.ports import Built
from alertd_adapters.mqtt.connection import BrokerConnection, ConnectOptions, Credentials
from alertd_adapters.mqtt.paho_connection import PahoBroker, PahoConnection
from alertd_adapters.mqtt.sign_of_life import OTHER_TOPICS_S
from tests.adapters.mqtt.fake_broker import FakeDoor
from tests.adapters.mqtt.world import build
from tests.real_broker import RealMosquitto, make_certificate

pytestmark = pytest.mark.slow

PROTOCOLS = ["5", "3.1.1"]


class WallClock:
    boot_id = "test"

    def now(self) -> Now:
        return Now(wall_us=time.time_ns() // 1000, boot_us=time.monotonic_ns() // 1000)


def section(broker: RealMosquitto, **settings: Any) -> dict[str, Any]:
    return {"host": "127.0.0.1", "port": broker.port, "retry_max_s": 1.0, **settings}


@asynccontextmanager
async def sourced(
    broker: RealMosquitto, door: FakeDoor, *, state_dir: Path | None = None, connects: bool = True, **settings: Any
) -> AsyncIterator[Built]:
    built = build(None, WallClock(), state_dir=state_dir, **section(broker, **settings))
    assert built.source is not None
    source = built.source
    task = asyncio.create_task(source.run(door))
    try:
        if connects:
            await until(lambda: source.is_connected)
        yield built
    finally:
        task.cancel()
        await asyncio.wait([task])
        assert task.cancelled(), task.exception()


async def until(condition: Callable[[], object], within_s: float = 15.0) -> None:
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        await asyncio.sleep(0.01)


@asynccontextmanager
async def device(broker: RealMosquitto, name: str = "device", **options: Any) -> AsyncIterator[PahoConnection]:
    connection = await PahoBroker("127.0.0.1", broker.port, protocol="5").connect(
        ConnectOptions(client_id=name, persistent=False, **options)
    )
    try:
        yield connection
    finally:
        await connection.close()


async def press(broker: RealMosquitto, *payloads: bytes, topic: str = "alertd/press/badge-1", qos: int = 1) -> None:
    async with device(broker) as connection:
        for payload in payloads:
            await connection.publish(topic, payload, qos=qos)


def presses(count: int, start: int = 0) -> list[bytes]:
    return [b'{"action":"press%d"}' % number for number in range(start, start + count)]


def actions(count: int, start: int = 0) -> list[str]:
    return [f"press{number}" for number in range(start, start + count)]


@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_committed_presses_are_acknowledged_and_never_come_again(tmp_path: Path, protocol: str):
    door = FakeDoor()
    with RealMosquitto(tmp_path) as broker:
        async with sourced(broker, door, protocol=protocol, state_dir=tmp_path):
            await press(broker, *presses(50))
            await until(lambda: len(door.arrivals) >= 50)
            await asyncio.sleep(0.2)
        async with sourced(broker, door, protocol=protocol, state_dir=tmp_path):
            await press(broker, *presses(1, 50))
            await until(lambda: len(door.arrivals) >= 51)
            assert door.payload_actions == actions(51)
            assert door.standing == {}


@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_promise_1_what_was_not_committed_comes_again(tmp_path: Path, protocol: str):
    door, after = FakeDoor(hold=True), FakeDoor()
    with RealMosquitto(tmp_path) as broker:
        async with sourced(broker, door, protocol=protocol, state_dir=tmp_path):
            await press(broker, *presses(10))
            await until(lambda: len(door.waiting) >= 10)
            for index in (7, 3, 0):  # in this order, so that the indexes stay
                door.commit(index)
            await asyncio.sleep(0.2)
        async with sourced(broker, after, protocol=protocol, state_dir=tmp_path):
            expected = [a for i, a in enumerate(actions(10)) if i not in (0, 3, 7)]
            assert after.payload_actions == expected, "promise 1 broken: a press that was not committed is gone"
            assert all(a.backlog_since_us is not None for a in after.arrivals)


@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_what_two_filters_cover_comes_once(tmp_path: Path, protocol: str):
    """With MQTT 5 mosquitto 2.0.11 sends it once for each filter of a session: two presses were counted as four."""
    door, both = FakeDoor(), [{"topic": "alertd/press/badge-1"}, {"topic": "alertd/press/+"}]
    with RealMosquitto(tmp_path) as broker:
        async with sourced(broker, door, protocol=protocol, state_dir=tmp_path, triggers=both):
            await press(broker, *presses(1))
            await until(lambda: door.arrivals)
            await asyncio.sleep(0.2)
            assert door.payload_actions == actions(1)


@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_presses_made_while_alertd_is_stopped_arrive_and_say_so(tmp_path: Path, protocol: str):
    door = FakeDoor()
    with RealMosquitto(tmp_path) as broker:
        async with sourced(broker, door, protocol=protocol, state_dir=tmp_path):
            pass
        stopped_us = WallClock().now().wall_us
        await press(broker, *presses(300))  # more than the connection keeps unread
        await press(broker, *presses(5, 300), qos=0)
        await asyncio.sleep(1)
        async with sourced(broker, door, protocol=protocol, state_dir=tmp_path):
            await until(lambda: len(door.arrivals) >= 305)
            await asyncio.sleep(OTHER_TOPICS_S + 0.5)  # our sign of life comes behind them, or nearly so
            await press(broker, b'{"action":"fresh"}')
            await until(lambda: len(door.arrivals) >= 306)
    *waited, fresh = door.arrivals
    assert [a.signals[0].action for a in waited] == actions(305)
    assert all(a.backlog_since_us is not None and a.backlog_since_us <= stopped_us for a in waited)
    assert fresh.backlog_since_us is None


@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_promise_1_a_talkative_sensor_at_qos_0_holds_up_no_press_that_waits_behind_it(
    tmp_path: Path, protocol: str
):
    """With a limit of messages under way in mosquitto 2.0.11: 999 at QoS 0 that had waited, and a press behind them
    comes; 1000, and it never does."""
    door = FakeDoor()
    with RealMosquitto(tmp_path, settings={"autosave_on_changes": "false"}) as broker:  # 1500 savings take 11 s
        async with sourced(broker, door, protocol=protocol, state_dir=tmp_path):
            pass
        async with device(broker) as sensor:
            for qos, payloads in ((0, presses(1_500)), (1, presses(5, 1_500))):
                for payload in payloads:
                    await sensor.publish("alertd/press/badge-1", payload, qos=qos)
        async with sourced(broker, door, protocol=protocol, state_dir=tmp_path):
            await until(lambda: len(door.arrivals) >= 1_505)
            await press(broker, b'{"action":"live"}')
            await until(lambda: door.payload_actions[-1] == "live")
    assert set(actions(5, 1_500)) <= set(door.payload_actions)


@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_a_failed_commit_brings_the_press_again(tmp_path: Path, protocol: str):
    door = FakeDoor(hold=True)
    with RealMosquitto(tmp_path) as broker:
        async with sourced(broker, door, protocol=protocol):
            await press(broker, *presses(1))
            await until(lambda: door.waiting)
            door.fail()
            await until(lambda: len(door.arrivals) == 2)
            first, again = door.arrivals
            assert again.arrival_id == first.arrival_id
            door.commit()


@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_after_a_restart_of_the_broker_each_press_comes_once_more_and_is_known(tmp_path: Path, protocol: str):
    door = FakeDoor(hold=True)
    with RealMosquitto(tmp_path) as broker:
        async with sourced(broker, door, protocol=protocol) as built:
            source = built.source
            assert source is not None
            await press(broker, *presses(20))
            await until(lambda: len(door.waiting) == 20)
            broker.stop()
            await until(lambda: not source.is_connected)
            while door.waiting:  # their acks have nowhere to go
                door.commit()
            door.hold = False
            broker.start()
            await until(lambda: len(door.arrivals) >= 40)
            await press(broker, *presses(5, 20))
            await until(lambda: len(door.arrivals) >= 45)
            assert door.payload_actions == [*actions(20), *actions(20), *actions(5, 20)]
            assert len({a.arrival_id for a in door.arrivals}) == 25
            await until(lambda: source.is_connected)
            assert door.standing == {}


@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_presses_that_wait_for_us_survive_kill_9_of_the_broker(tmp_path: Path, protocol: str):
    """By `autosave_on_changes` with `autosave_interval 1`; without them none survives (docs/broker.md)."""
    door = FakeDoor()
    with RealMosquitto(tmp_path) as broker:
        async with sourced(broker, door, protocol=protocol, state_dir=tmp_path):
            pass
        await press(broker, *presses(20))
        await asyncio.sleep(1.5)
        broker.kill()
        broker.start()
        async with sourced(broker, door, protocol=protocol, state_dir=tmp_path):
            assert door.payload_actions == actions(20)
            assert door.standing == {}


async def test_promise_1_kill_9_between_receipt_and_commit(tmp_path: Path):
    """A process that has received presses and committed none is killed: the broker still has them all."""
    with RealMosquitto(tmp_path) as broker:
        child = subprocess.Popen(  # noqa: ASYNC220  # the test has nothing else to do meanwhile
            [sys.executable, __file__, str(broker.port), str(tmp_path)],
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        )
        try:
            assert child.stdout is not None
            await asyncio.to_thread(said, child.stdout, b"connected")
            await press(broker, *presses(5))
            for _ in range(5):
                await asyncio.to_thread(said, child.stdout, b"received")
        finally:
            child.send_signal(signal.SIGKILL)
            child.wait()
            if child.stdout is not None:
                child.stdout.close()
        door = FakeDoor()
        async with sourced(broker, door, state_dir=tmp_path):
            assert door.payload_actions == actions(5), "promise 1 broken: a press was acknowledged before its commit"


def said(stdout: IO[bytes], word: bytes) -> None:
    """Wait for a line of the child; between them are those of its log."""
    while (line := stdout.readline().strip()) != word:
        assert line, f"the child ended before it said {word!r}"


@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_tls_and_password(tmp_path: Path, protocol: str):
    door = FakeDoor()
    certificate = make_certificate(tmp_path / "tls")
    tls: Mapping[str, Any] = {"ca": str(certificate.cert)}
    with RealMosquitto(tmp_path, users={"alertd": "correct horse"}, tls=certificate) as broker:
        login: dict[str, Any] = {"username": "alertd", "password_secret": "MQTT_PASSWORD", "tls": tls}
        async with sourced(broker, door, protocol=protocol, **login) as built:
            assert built.source is not None
            assert built.source.is_connected
        wrong: dict[str, Any] = {**login, "username": "mallory"}
        async with sourced(broker, door, protocol=protocol, connects=False, down_trouble_s=0.5, **wrong):
            await until(lambda: "broker:oak" in door.standing)
            assert "refused us" in door.standing["broker:oak"]
            assert "horse" not in door.standing["broker:oak"]


# paho leaves the socket of a failed handshake to the garbage collector, which closes it and complains.
@pytest.mark.filterwarnings("ignore:.*SSLSocket:pytest.PytestUnraisableExceptionWarning")
async def test_a_stranger_certificate_is_not_trusted(tmp_path: Path):
    door = FakeDoor()
    ours, theirs = make_certificate(tmp_path / "ours"), make_certificate(tmp_path / "theirs")
    with RealMosquitto(tmp_path, tls=theirs) as broker:
        settings: dict[str, Any] = {"tls": {"ca": str(ours.cert)}, "down_trouble_s": 0.5}
        async with sourced(broker, door, connects=False, **settings):
            await until(lambda: "broker:oak" in door.standing)
            assert "certificate verify failed" in door.standing["broker:oak"]
    gc.collect()


async def test_a_broker_that_answers_nothing_is_noticed(tmp_path: Path):
    """It is stopped, not gone: the socket stands, and no error ever comes."""
    door = FakeDoor()
    with RealMosquitto(tmp_path) as broker:
        async with sourced(broker, door, keepalive_s=5, down_trouble_s=1.0) as built:
            broker.freeze()
            await until(lambda: "broker:oak" in door.standing, within_s=40)
            broker.thaw()
            assert built.source is not None
            await until(lambda: built.source.is_connected)  # type: ignore[union-attr]  # asserted above
            await until(lambda: door.standing == {})
            await press(broker, *presses(1))
            await until(lambda: door.payload_actions == ["press0"])


@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_a_reader_that_is_behind_stops_reading(tmp_path: Path, protocol: str):
    door = FakeDoor(hold=True)
    with RealMosquitto(tmp_path) as broker:
        async with sourced(broker, door, protocol=protocol, max_unacked=100):
            await press(broker, *presses(3000))
            await until(lambda: len(door.arrivals) >= 100)
            await asyncio.sleep(1)
            assert len(door.arrivals) == 100
            door.hold = False
            while door.waiting:
                door.commit()
            await until(lambda: len(door.arrivals) >= 3000)
            assert door.payload_actions == actions(3000)


async def test_hostile_payloads_do_not_stop_the_next_press(tmp_path: Path):
    door = FakeDoor()
    hostile = [b"\n", b"x" * 2**20, b"[" * 60_000, b"\xff\xfe", b'{"action":NaN}', b'{"a":1,"a":2}', b'{"x":9e999}']
    with RealMosquitto(tmp_path) as broker:
        async with sourced(broker, door):
            await press(broker, *hostile, *presses(1))
            await until(lambda: len(door.arrivals) > len(hostile))
            assert all(a.refused for a in door.arrivals[:-1])
            assert door.payload_actions == ["press0"]


@pytest.mark.parametrize("taken", [40, 1], ids=["taken and not committed", "read and not taken"])
async def test_large_messages_do_not_pile_up_in_memory_while_commits_wait(tmp_path: Path, taken: int):
    """One device with a password must not be able to fill the memory by which all others are heard."""
    door, large = FakeDoor(hold=True), b"x" * 1024 * 1024
    with RealMosquitto(tmp_path) as broker:
        async with sourced(broker, door, max_unacked=taken, protocol="3.1.1"):
            tracemalloc.start()
            try:
                await press(broker, *[large] * 40)
                await until(lambda: len(door.arrivals) == taken, within_s=30)
                await asyncio.sleep(0.5)
                kept, _ = tracemalloc.get_traced_memory()
            finally:
                tracemalloc.stop()
            assert kept < 10 * len(large), f"{kept >> 20} MiB are kept of 40 refused messages"


async def test_a_retained_trigger_says_that_it_is_one(tmp_path: Path):
    door = FakeDoor()
    with RealMosquitto(tmp_path) as broker:
        async with device(broker) as connection:
            connection.client.publish("alertd/press/badge-1", b'{"action":"press"}', 1, retain=True)
            await connection.publish("anything", b"", qos=1)
        async with sourced(broker, door):
            await until(lambda: door.arrivals)
            assert door.arrivals[0].retained
            await press(broker, *presses(1))
            await until(lambda: len(door.arrivals) == 2)
            assert not door.arrivals[1].retained


@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_whoever_subscribes_again_is_handed_once_more_what_the_broker_keeps(tmp_path: Path, protocol: str):
    """So a last will that it threw away on its way can be asked for again (`side_session.ASK_AGAIN_S`)."""
    with RealMosquitto(tmp_path) as broker:
        async with device(broker) as gateway:
            gateway.client.publish("alertd/telemetry/gw-1", b"offline", 1, retain=True)
            await gateway.publish("anything", b"", qos=1)
        asking = await PahoBroker("127.0.0.1", broker.port, protocol=protocol).connect(
            ConnectOptions(client_id="asking", persistent=False)
        )
        for _ in range(2):
            await asking.subscribe([("alertd/telemetry/+", 0)])
            async with asyncio.timeout(5):
                message = await anext(asking.messages())
            assert (message.payload, message.retain) == (b"offline", True)
        await asking.close()


async def test_an_acl_that_forbids_our_sign_of_life_is_told(tmp_path: Path):
    """Under 3.1.1 the broker drops it in silence; that takes longer to notice."""
    door = FakeDoor()
    acl = "user alertd\ntopic read alertd/press/+\n"
    with RealMosquitto(tmp_path, users={"alertd": "correct horse"}, acl=acl) as broker:
        login: dict[str, Any] = {"username": "alertd", "password_secret": "MQTT_PASSWORD"}
        async with sourced(broker, door, connects=False, **login) as built:
            source = built.source
            assert source is not None
            await until(lambda: "broker_alive:oak" in door.standing)
            await until(lambda: source.is_connected)
            assert list(door.standing) == ["broker_alive:oak"]


@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_the_presser_is_told_and_old_news_expires_at_the_broker(tmp_path: Path, protocol: str):
    with RealMosquitto(tmp_path) as broker:
        async with sourced(broker, FakeDoor(), protocol=protocol) as built, device(broker, "badge-1") as badge:
            await badge.subscribe([("alertd/feedback/badge-1", 1)])
            assert built.feedback is not None
            built.feedback.confirm(
                Confirmation(device_id=DeviceId("badge-1"), state=FeedbackState.RECEIVED, expires_s=2)
            )
            message = await first(badge)
            assert json.loads(message)["state"] == "received"
    if protocol == "5":
        assert await told_after_its_sleep(tmp_path / "2", sleeps_s=0) == ["received"]
        assert await told_after_its_sleep(tmp_path / "3", sleeps_s=3) == []


async def told_after_its_sleep(directory: Path, *, sleeps_s: float) -> list[str]:
    """A badge with a persistent session was asleep when its press was confirmed, for 2 s of validity."""
    with RealMosquitto(directory) as broker:
        asleep = ConnectOptions(client_id="badge-1", persistent=True)
        paho = PahoBroker("127.0.0.1", broker.port, protocol="5")
        badge = await paho.connect(asleep)
        await badge.subscribe([("alertd/feedback/badge-1", 1)])
        await badge.close()
        async with sourced(broker, FakeDoor()) as built:
            assert built.feedback is not None
            confirmation = Confirmation(device_id=DeviceId("badge-1"), state=FeedbackState.RECEIVED, expires_s=2)
            built.feedback.confirm(confirmation)
            await asyncio.sleep(0.3 + sleeps_s)
        badge = await paho.connect(asleep)
        try:
            return [json.loads(await first(badge, within_s=1))["state"]]
        except TimeoutError:
            return []
        finally:
            await badge.close()


async def first(connection: BrokerConnection, within_s: float = 5) -> bytes:
    async with asyncio.timeout(within_s), contextlib.aclosing(connection.messages()) as messages:  # type: ignore[type-var]  # an async generator
        async for message in messages:
            return message.payload
    raise AssertionError("unreachable")


async def test_what_the_broker_throws_away_is_told(tmp_path: Path):
    """Somebody's offline session overflows; ours would do the same under Debian's default of 1000."""
    door = FakeDoor()
    with RealMosquitto(tmp_path, settings={"max_queued_messages": "10"}) as broker:
        paho = PahoBroker("127.0.0.1", broker.port, protocol="5")
        slow = await paho.connect(ConnectOptions(client_id="slow", persistent=True))
        await slow.subscribe([("alertd/press/badge-1", 1)])  # not to our canary
        await slow.close()
        async with sourced(broker, door, state_dir=tmp_path):
            await until(lambda: b'"dropped":0' in (tmp_path / "mqtt-oak.json").read_bytes())
            await press(broker, *presses(50))
            await until(lambda: "broker_dropped:oak" in door.standing)
            assert "thrown away 40 messages" in door.standing["broker_dropped:oak"]
            assert len(door.arrivals) == 50


async def test_a_wrong_password_is_refused(tmp_path: Path):
    with (
        RealMosquitto(tmp_path, users={"alertd": "correct horse"}) as broker,
        pytest.raises(Exception, match="refused"),
    ):
        async with device(broker, credentials=Credentials(username="alertd", password="wrong")):
            pass


async def _child(port: int, state_dir: Path) -> None:
    """Receives, commits nothing, says what it received. Killed by the test."""

    class Door(FakeDoor):
        async def receive(self, arrival: Any) -> None:
            sys.stdout.write("received\n")
            sys.stdout.flush()
            await asyncio.Event().wait()

    built = build(None, WallClock(), state_dir=state_dir, host="127.0.0.1", port=port)
    assert built.source is not None
    source = built.source
    task = asyncio.create_task(source.run(Door()))
    await until(lambda: source.is_connected)
    sys.stdout.write("connected\n")
    sys.stdout.flush()
    await task


if __name__ == "__main__":
    asyncio.run(_child(int(sys.argv[1]), Path(sys.argv[2])))
