"""What systemd hears of us, on a real datagram socket: ready when presses are taken, alive only while it is proven."""

import asyncio
import json
import signal
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from alertd import app
from alertd.daemon.systemd import Systemd
from alertd.model.anchor import Now
from alertd.ports import StoreError
from alertd.store.sqlite import SqliteStore
from alertd.store.transaction import SqlTransaction
from alertd_simulator.virtual_time import COMMIT_DELAY, in_virtual_time
from tests.daemon.test_app import Running
from tests.daemon.world import World

MINUTE = str(60 * 1_000_000)


class ServiceManager:
    """systemd's end of the socket."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind("\0" + path[1:] if path.startswith("@") else path)
        self._socket.setblocking(False)

    def heard(self) -> list[str]:
        """Every line of every message since the last look."""
        lines: list[str] = []
        while True:
            try:
                lines += self._socket.recv(4096).decode().split("\n")
            except BlockingIOError:
                return lines

    async def during(self, seconds: float) -> list[str]:
        """What is said in this time. The kernel keeps only ten datagrams that nobody reads."""
        lines = self.heard()
        until = asyncio.get_running_loop().time() + seconds
        while (left := until - asyncio.get_running_loop().time()) > 0:
            await asyncio.sleep(min(1.0, left))
            lines += self.heard()
        return lines

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[ServiceManager]:
    manager = ServiceManager(str(tmp_path / "notify"))
    yield manager
    manager.close()


async def watched(world: World, manager: ServiceManager, watchdog_usec: str = MINUTE) -> Systemd:
    systemd = Systemd({"NOTIFY_SOCKET": manager.path, "WATCHDOG_USEC": watchdog_usec})
    world.make().run_also("systemd", lambda: systemd.run(world.daemon.life))
    world.running = asyncio.get_running_loop().create_task(world.daemon.run())
    return systemd


class Fading(SqliteStore):
    """Its disk takes nothing once it is dead."""

    dead = False

    @contextmanager
    def begin(self, site_ids: Sequence, now: Now) -> Iterator[SqlTransaction]:
        if self.dead:
            raise StoreError("input/output error")
        with super().begin(site_ids, now) as transaction:
            yield transaction


@in_virtual_time(executor_delay=COMMIT_DELAY)
async def test_ready_is_said_when_presses_are_taken_and_the_watchdog_is_fed_while_alive(tmp_path: Path, manager):
    world = World(tmp_path)
    await watched(world, manager)
    assert manager.heard() == [], "ready before the store was opened"
    await world.daemon.started.wait()
    await asyncio.sleep(1)
    assert manager.heard()[0] == "READY=1"
    arrival = world.press()
    heard = await manager.during(60)

    assert world.source.acked == [arrival]
    assert heard.count("WATCHDOG=1") >= 2, "fed less than twice in its time"
    assert "STATUS=presses are taken, every proof of life holds" in heard
    assert len([line for line in heard if line.startswith("STATUS=")]) == 1, "said again though nothing changed"
    await world.stop()


@in_virtual_time(executor_delay=COMMIT_DELAY)
async def test_a_broker_that_is_away_is_said_and_kills_nobody(tmp_path: Path, manager):
    world = World(tmp_path)
    world.source.is_connected = False
    await watched(world, manager)
    heard = await manager.during(150)

    assert "READY=1" in heard
    assert "STATUS=NOT proven alive: broker is not connected" in heard
    assert heard.count("WATCHDOG=1") > 25, "starting afresh would bring no broker back"
    await world.stop()


def stop_claiming(world: World) -> None:
    """The claim loop stands still."""
    world.daemon._supervisor._tasks["dispatch"].cancel()


def stop_writing(world: World) -> None:
    assert isinstance(world.store, Fading)
    world.store.dead = True


def stop_the_writers_thread(world: World) -> None:
    """A call of the store that never comes back: everything else goes on."""

    async def stuck(*_: object, **__: object) -> None:
        await asyncio.Event().wait()

    vars(world.daemon.committer)["run"] = stuck


@pytest.mark.parametrize(
    ("stop", "why"),
    [
        (stop_claiming, "the claim loop does not pass"),
        (stop_writing, "the writer stands still"),
        (stop_the_writers_thread, "the writer stands still; the claim loop does not pass"),
    ],
)
@in_virtual_time(executor_delay=COMMIT_DELAY)
async def test_a_daemon_that_stands_still_is_not_spoken_for(
    tmp_path: Path, manager, logs, stop: Callable[[World], None], why
):
    world = World(tmp_path, store=lambda path: Fading(path, ballast_bytes=0))
    await watched(world, manager)
    assert "WATCHDOG=1" in await manager.during(30)
    stop(world)
    await manager.during(40)

    assert "WATCHDOG=1" not in await manager.during(15), "kept alive though nothing moves"
    assert {line["why"] for line in logs if line["event"] == "watchdog_not_fed"} >= {why}
    vars(world.daemon.committer).pop("run", None)
    await world.crash()


@pytest.mark.parametrize(("stuck", "alive"), [(False, True), (True, False)])
@in_virtual_time
async def test_a_full_disk_is_no_reason_to_be_killed(tmp_path: Path, manager, stuck, alive):
    """Commits go to memory meanwhile; `StoreGoneError` ends a daemon whose store takes nothing at all."""

    class InMemory(Fading):
        durable = False

    world = World(tmp_path, store=lambda path: InMemory(path, ballast_bytes=0))
    await watched(world, manager)
    await manager.during(60)
    assert isinstance(world.store, Fading)
    world.store.dead = stuck
    await manager.during(40)
    assert ("WATCHDOG=1" in await manager.during(10)) is alive
    await world.crash()


@in_virtual_time
async def test_it_is_fed_at_least_twice_in_a_short_watchdogs_time_and_never_without_one(tmp_path: Path, manager):
    world = World(tmp_path)
    await watched(world, manager, str(3_000_000))
    assert (await manager.during(31)).count("WATCHDOG=1") == 20
    await world.stop()

    await watched(world, manager, "0")
    assert "WATCHDOG=1" not in await manager.during(60)
    await world.stop()


async def test_a_watchdog_that_is_meant_for_another_process_is_not_ours():
    environ = {"NOTIFY_SOCKET": "/nowhere", "WATCHDOG_USEC": MINUTE, "WATCHDOG_PID": "17"}
    assert Systemd(environ, pid=18).watchdog_s is None
    assert Systemd(environ, pid=17).watchdog_s == 60


def test_a_socket_that_is_gone_is_logged_once_and_stops_nobody(logs):
    systemd = Systemd({"NOTIFY_SOCKET": "/nowhere/notify"})
    systemd.stopping("a")
    systemd.stopping("b")
    assert [line["event"] for line in logs] == ["systemd_not_told"]


@pytest.mark.timeout(5)
def test_a_service_manager_that_reads_nothing_holds_up_nobody(manager, logs):
    """The kernel keeps a few datagrams; the next one is dropped, not waited for: presses come meanwhile."""
    systemd = Systemd({"NOTIFY_SOCKET": manager.path})
    for number in range(2000):
        systemd.stopping(f"no. {number}")
        if logs:
            break
    assert [line["event"] for line in logs] == ["systemd_not_told"], "the queue was never full"
    assert "STATUS=no. 0" in manager.heard()


def test_an_abstract_socket_hears_us_too():
    manager = ServiceManager(f"@alertd-test-{time.monotonic_ns()}")
    Systemd({"NOTIFY_SOCKET": manager.path}).stopping("two\nlines")
    assert manager.heard() == ["STOPPING=1", "STATUS=two lines"], "words must never become another message"
    manager.close()


@pytest.mark.slow
def test_the_real_process_says_ready_reloading_and_stopping(tmp_path: Path, manager, monkeypatch):
    monkeypatch.setenv("NOTIFY_SOCKET", manager.path)
    monkeypatch.setenv("WATCHDOG_USEC", str(1_000_000))
    running = Running(tmp_path)
    heard: list[str] = []

    def wait_for(*lines: str) -> None:
        for _ in range(600):
            heard.extend(manager.heard())
            if all(line in heard for line in lines):
                return
            assert running.process.poll() is None, running.log.read_text()
            time.sleep(0.05)
        raise AssertionError(f"never heard {lines}: {heard}")

    try:
        wait_for("READY=1", "WATCHDOG=1", "STATUS=NOT proven alive: broker is not connected")
        heard.clear()
        running.process.send_signal(signal.SIGHUP)
        wait_for("RELOADING=1", "READY=1")
        assert heard.index("RELOADING=1") < heard.index("READY=1")
        stamp = next(int(line.partition("=")[2]) for line in heard if line.startswith("MONOTONIC_USEC="))
        assert 0 <= time.monotonic_ns() // 1000 - stamp < 60_000_000
        running.process.send_signal(signal.SIGTERM)
        assert running.process.wait(15) == app.EXIT_OK
        assert "STOPPING=1" in manager.heard()
        said = [json.loads(line) for line in running.log.read_text().splitlines()]
        assert {"starting", "stopping", "stopped"} <= {line["event"] for line in said}
    finally:
        running.process.kill()
        running.process.wait()
