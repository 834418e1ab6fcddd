"""A real console on a real socket, with a fake daemon behind it, and a shell that runs one command."""

import asyncio
import json
import threading
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import typer.testing
from typer.testing import CliRunner

from alertd.cli import app
from alertd.console.serve import serve
from tests.console.fake_daemon import FakeDaemon

# A process builds its commands once. Every call of `CliRunner` built all of them anew: half of the time of these tests.
typer.testing._get_command = cache(typer.testing._get_command)  # type: ignore[attr-defined]  # its own name for it


class Switchboard:
    """A backend that a whole module's server keeps, while every test puts its own daemon behind it."""

    def __init__(self) -> None:
        self.daemon = FakeDaemon()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.daemon, name)


@pytest.fixture(scope="session")
def switchboard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Switchboard, Path]]:
    board = Switchboard()
    path = tmp_path_factory.mktemp("run") / "alertd.sock"
    ready = threading.Event()
    stop: list[Any] = []

    async def until_stopped() -> None:
        task = asyncio.ensure_future(serve(board, socket_path=path, on_ready=lambda _: ready.set()))
        stop.append((asyncio.get_running_loop(), task))
        await asyncio.wait({task})

    thread = threading.Thread(target=lambda: asyncio.run(until_stopped()))
    thread.start()
    assert ready.wait(10)
    yield board, path
    loop, task = stop[0]
    loop.call_soon_threadsafe(task.cancel)
    thread.join(10)


@pytest.fixture
def daemon(switchboard: tuple[Switchboard, Path]) -> FakeDaemon:
    switchboard[0].daemon = FakeDaemon()
    return switchboard[0].daemon


class Shell:
    """Runs a command against the daemon's socket; keeps what it said and how it ended."""

    def __init__(self, socket_path: Path) -> None:
        self.socket_path = socket_path

    def run(self, *arguments: str, typed: str = "") -> "Said":
        result = CliRunner().invoke(
            app, ["--socket", str(self.socket_path), *arguments], input=typed, env={"ALERTD_CONFIG": ""}
        )
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return Said(result.exit_code, result.stdout, result.stderr)


class Said:
    def __init__(self, code: int, out: str, err: str) -> None:
        self.code = code
        self.out = out
        self.err = err

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    def __repr__(self) -> str:
        return f"exit {self.code}\n{self.out}\n--- stderr\n{self.err}"


@pytest.fixture
def shell(daemon: FakeDaemon, switchboard: tuple[Switchboard, Path]) -> Shell:
    return Shell(switchboard[1])
