"""Opens the doors for people: the operators' local socket and, if configured, the provider port. One stack for both.

The socket file's mode is the lock, so it is set before anybody can connect. Never removes a file that is not a dead
socket, never takes a socket away from a living daemon, never touches signals: those are the daemon's.
"""

import asyncio
import errno
import os
import shutil
import socket
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import uvicorn
from fastapi import FastAPI
from msgspec import Struct

from alertd.console.api import operator_app
from alertd.console.backend import Backend, TcpListener
from alertd.console.public import public_app

BACKLOG = 64
"""Connections that may wait to be taken."""
CONNECTIONS_MAX = 100
"""At once, on each listener; more are answered 503."""
KEEP_ALIVE_S = 5
SHUTDOWN_S = 3
"""Answers that take longer at shutdown are cut off."""
SOCKET_PATH_BYTES_MAX = 107
"""The kernel's limit of a Unix socket's name."""


class ListenError(Exception):
    """A door cannot be opened; the message says which, why, and what to do."""


class Listening(Struct, frozen=True, kw_only=True):
    """Where the console listens. `tcp_port` is the real one if an ephemeral one was asked for."""

    socket_path: Path
    tcp_port: int | None = None


async def serve(
    backend: Backend,
    *,
    socket_path: Path,
    group: str | None = None,
    tcp: TcpListener | None = None,
    on_ready: Callable[[Listening], None] | None = None,
) -> None:
    """Runs until cancelled. Raises `ListenError` at once if a door cannot be opened.

    `group`: members of that Unix group may operate, too (mode 0660 instead of 0600)."""
    local = open_local(socket_path, group)
    inode = _inode(socket_path)
    listeners = [(operator_app(backend), local)]
    try:
        if tcp is not None:
            listeners.append((public_app(backend, tcp.public_base_url), _open_tcp(tcp)))
        if on_ready is not None:
            port = listeners[1][1].getsockname()[1] if tcp is not None else None
            on_ready(Listening(socket_path=socket_path, tcp_port=port))
        await _run(listeners)
    finally:
        for _, listener in listeners:
            listener.close()
        _remove_own(socket_path, inode)


def open_local(path: Path, group: str | None) -> socket.socket:
    """A listening socket at `path` that only its owner (and the group) can open."""
    if len(os.fsencode(path)) > SOCKET_PATH_BYTES_MAX:
        raise ListenError(f"{path}: longer than {SOCKET_PATH_BYTES_MAX} bytes; set a shorter daemon.socket_path")
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        path.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
        _clear_stale(path)
        listener.bind(str(path))
        if group is not None:
            shutil.chown(path, group=group)
        path.chmod(0o600 if group is None else 0o660)
        listener.listen(BACKLOG)  # only now can anybody connect
    except LookupError:
        listener.close()
        path.unlink(missing_ok=True)
        raise ListenError(f'{path}: there is no group "{group}" on this machine; create it or leave it out') from None
    except OSError as error:
        listener.close()
        raise ListenError(f"{path}: {error.strerror}; may this user write to {path.parent}?") from error
    except ListenError:
        listener.close()
        raise
    return listener


def _clear_stale(path: Path) -> None:
    """Removes what a daemon that was killed left behind, and only that."""
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(mode):
        raise ListenError(f"{path}: is in the way and is no socket; move it, or set another daemon.socket_path")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(1.0)
        try:
            probe.connect(str(path))
        except OSError as error:
            # A full backlog (EAGAIN) or a time-out is a living daemon that is busy.
            if error.errno not in (errno.ECONNREFUSED, errno.ENOENT):
                raise ListenError(f"{path}: cannot tell whether another alertd runs there ({error})") from error
            path.unlink(missing_ok=True)
            return
    raise ListenError(f"{path}: another alertd is running there; stop it first")


def _open_tcp(tcp: TcpListener) -> socket.socket:
    family = socket.AF_INET6 if ":" in tcp.host else socket.AF_INET
    try:
        return socket.create_server((tcp.host.strip("[]"), tcp.port), family=family, backlog=BACKLOG)
    except OSError as error:
        why = error.strerror or str(error)
        raise ListenError(f"{tcp.host}:{tcp.port}: {why}; choose another daemon.listen") from error


class _Server(uvicorn.Server):
    """uvicorn without its signal handlers: SIGTERM belongs to the daemon, which stops the console last."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def _run(listeners: list[tuple[FastAPI, socket.socket]]) -> None:
    servers = [(_Server(_config(app)), listener) for app, listener in listeners]
    tasks = [asyncio.ensure_future(server.serve(sockets=[listener])) for server, listener in servers]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for server, _ in servers:
            server.should_exit = True
        await asyncio.wait(tasks, timeout=SHUTDOWN_S + 1)
        for task in tasks:
            task.cancel()


def _config(app: FastAPI) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http="h11",
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        limit_concurrency=CONNECTIONS_MAX,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=SHUTDOWN_S,
    )


def _inode(path: Path) -> int:
    return path.stat().st_ino


def _remove_own(path: Path, inode: int) -> None:
    """A daemon that came after us may already have put its own socket there: that one stays."""
    with suppress(OSError):
        if _inode(path) == inode:
            path.unlink()
