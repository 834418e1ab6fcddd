"""The doors themselves: who may open the socket file, what a killed daemon leaves behind, what TCP offers."""

import asyncio
import grp
import os
import socket
import stat
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from alertd.console.backend import TcpListener
from alertd.console.client import Client
from alertd.console.serve import ListenError, Listening, open_local, serve
from tests.console.fake_daemon import FakeDaemon

pytestmark = pytest.mark.slow


@asynccontextmanager
async def serving(path: Path, **more: object) -> AsyncIterator[Listening]:
    ready: asyncio.Future[Listening] = asyncio.get_running_loop().create_future()
    task = asyncio.ensure_future(serve(FakeDaemon(), socket_path=path, on_ready=ready.set_result, **more))  # type: ignore[arg-type]
    while not ready.done():
        await asyncio.sleep(0)
        if task.done():
            task.result()
    try:
        yield await ready
    finally:
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


async def ask_tcp(port: int, request: bytes) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    answer = await reader.read(4096)
    writer.close()
    await writer.wait_closed()
    return answer


def left_behind(path: Path) -> None:
    """What `kill -9` leaves: a socket file that nobody listens on."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as dead:
        dead.bind(str(path))


def test_only_the_owner_can_open_the_socket(tmp_path):
    with open_local(tmp_path / "s", None):
        assert stat.S_IMODE((tmp_path / "s").stat().st_mode) == 0o600


def test_a_group_can_be_let_in(tmp_path):
    mine = grp.getgrgid(os.getgid()).gr_name
    with open_local(tmp_path / "s", mine):
        assert stat.S_IMODE((tmp_path / "s").stat().st_mode) == 0o660


def test_a_group_that_does_not_exist_is_named_and_leaves_no_open_door(tmp_path):
    with pytest.raises(ListenError, match='there is no group "operatrs"'):
        open_local(tmp_path / "s", "operatrs")

    assert not (tmp_path / "s").exists()


def test_a_dead_daemons_socket_is_replaced(tmp_path):
    left_behind(tmp_path / "s")
    with open_local(tmp_path / "s", None):
        pass


def test_a_living_daemons_socket_is_not_taken_away(tmp_path):
    with open_local(tmp_path / "s", None):
        with pytest.raises(ListenError, match="another alertd is running there"):
            open_local(tmp_path / "s", None)

        assert (tmp_path / "s").exists()


def test_a_file_in_the_way_is_never_removed(tmp_path):
    (tmp_path / "s").write_text("somebody's notes")
    with pytest.raises(ListenError, match="is no socket"):
        open_local(tmp_path / "s", None)

    assert (tmp_path / "s").read_text() == "somebody's notes"


def test_a_path_that_the_kernel_cannot_hold_is_said(tmp_path):
    with pytest.raises(ListenError, match="longer than 107 bytes"):
        open_local(tmp_path / ("x" * 120), None)


async def test_it_answers_on_the_socket_and_removes_it_at_the_end(tmp_path):
    async with serving(tmp_path / "s"):
        health = await asyncio.to_thread(Client(tmp_path / "s").health)
        assert health["alive"] is True

    assert not (tmp_path / "s").exists()


async def test_it_leaves_its_successors_socket_alone(tmp_path):
    async with serving(tmp_path / "s"):
        (tmp_path / "s").unlink()
        left_behind(tmp_path / "s")

    assert (tmp_path / "s").exists()


async def test_signals_stay_the_daemons(tmp_path):
    import signal

    before = signal.getsignal(signal.SIGTERM)
    async with serving(tmp_path / "s"):
        await asyncio.to_thread(Client(tmp_path / "s").health)
        assert signal.getsignal(signal.SIGTERM) is before


async def test_tcp_offers_health_and_no_operator_route(tmp_path):
    async with serving(tmp_path / "s", tcp=TcpListener(host="127.0.0.1", port=0)) as listening:
        assert listening.tcp_port
        health = await ask_tcp(listening.tcp_port, b"GET /v1/health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        press = await ask_tcp(
            listening.tcp_port,
            b"POST /v1/press HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}",
        )

    assert health.startswith(b"HTTP/1.1 200")
    assert press.startswith(b"HTTP/1.1 404")


async def test_a_taken_port_is_said_and_the_socket_is_closed(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ListenError, match=f"127.0.0.1:{port}: .*choose another daemon.listen"):
            async with serving(tmp_path / "s", tcp=TcpListener(host="127.0.0.1", port=port)):
                pass

    assert not (tmp_path / "s").exists()
