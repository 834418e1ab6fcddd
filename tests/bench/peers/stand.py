"""One product on the stand: its process, who presses, who receives. The broker is never killed, only the product."""

import asyncio
import contextlib
import os
import signal
import subprocess
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Protocol, Self

import aiohttp

from tests.bench import workload
from tests.bench.contenders import NO_AUTOSAVE, packet
from tests.bench.peers.ours import REPOSITORY
from tests.bench.peers.product import Found, Launch
from tests.bench.presser import Presser
from tests.bench.sink import Sink
from tests.real_broker import RealMosquitto

READY_WITHIN_S = 90
TRIES_EVERY_S = 0.25
ASKS = round(READY_WITHIN_S / TRIES_EVERY_S)
STOPS_WITHIN_S = 20
PRESSES_AGAIN_AFTER_S = 0.1


class StandError(Exception):
    """The product does not come up."""


class Pressing(Protocol):
    def press(self, number: int) -> None: ...

    async def taken(self) -> None:
        """Until whoever keeps the presses has all of them: the broker, or a product that is pressed by HTTP."""


class Process(Protocol):
    def start(self) -> None: ...

    def kill(self) -> None: ...

    def ended(self) -> str | None:
        """The last it said, if it has ended by itself."""


class Program:
    """A product's process, and what it has started."""

    def __init__(self, launch: Launch, folder: Path) -> None:
        self._launch = launch
        self._log = folder / "log"
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end(signal.SIGTERM)

    def start(self) -> None:
        assert self._process is None, "it runs already"
        environment = os.environ | dict(self._launch.environment)
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self._launch.command, env=environment, stdout=log, stderr=log, cwd=REPOSITORY, start_new_session=True
            )

    def kill(self) -> None:
        """By kill -9, with its children."""
        self._end(signal.SIGKILL)

    def ended(self) -> str | None:
        if self._process is None or self._process.poll() is None:
            return None
        return self._log.read_text(errors="replace")[-2000:]

    def _end(self, how: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, how)
        try:
            process.wait(STOPS_WITHIN_S)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


class Stand:
    """Each press has a number that no other has."""

    def __init__(self, process: Process, pressing: Pressing, sink: Sink) -> None:
        self.process = process
        self.pressing = pressing
        self.sink = sink
        self.back_s: list[float] = []
        """After each kill: seconds from its start until the first webhook."""
        self._next = 0
        self._started = 0.0

    def numbers(self, count: int) -> range:
        first, self._next = self._next, self._next + count
        return range(first, self._next)

    def start_again(self) -> None:
        self._started = time.monotonic()
        self.process.start()

    async def back(self) -> None:
        """It was killed, and started again: until it is there."""
        await self.ready()
        self.back_s.append(min(at for at in self.sink.arrived.values() if at > self._started) - self._started)

    async def ready(self) -> None:
        """Presses until one of these presses comes through: only then its session at the broker certainly stands."""
        first = self._next
        for _ in range(ASKS):
            if (ended := self.process.ended()) is not None:
                raise StandError(f"it ended: {ended}")
            self.pressing.press(self.numbers(1).start)
            if await self.sink.wait_until(1, of=range(first, self._next), timeout_s=TRIES_EVERY_S) == 0:
                return
        raise StandError(f"no webhook within {READY_WITHIN_S} s")


@asynccontextmanager
async def stand(found: Found, folder: Path) -> AsyncIterator[Stand]:
    """The product on a fresh broker, ready. The folder is empty."""
    with RealMosquitto(folder, settings=NO_AUTOSAVE) as broker:
        async with Sink() as sink:
            launch = found.product.prepare(found.program, folder, broker.port, sink.url)
            async with _pressing(launch, broker.port) as pressing:
                with Program(launch, folder) as process:
                    ready = Stand(process, pressing, sink)
                    await ready.ready()
                    yield ready


@asynccontextmanager
async def _pressing(launch: Launch, broker_port: int) -> AsyncIterator[Pressing]:
    if launch.alerts_port is None:
        async with Presser(broker_port) as presser:
            yield ByMqtt(presser)
    else:
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=50)) as http:
            pressing = ByHttp(http, f"http://127.0.0.1:{launch.alerts_port}/api/v2/alerts")
            try:
                yield pressing
            finally:
                pressing.give_up()


class ByMqtt:
    def __init__(self, presser: Presser) -> None:
        self._presser = presser

    def press(self, number: int) -> None:
        self._presser.write(packet(number))

    async def taken(self) -> None:
        await self._presser.flushed()


class ByHttp:
    """Presses again until it is answered 200, as an MQTT device does until it has its PUBACK."""

    def __init__(self, http: aiohttp.ClientSession, url: str) -> None:
        self._http = http
        self._url = url
        self._under_way: set[asyncio.Task[None]] = set()

    def press(self, number: int) -> None:
        task = asyncio.create_task(self._press(number))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    async def taken(self) -> None:
        if self._under_way:
            await asyncio.wait(self._under_way)

    def give_up(self) -> None:
        for task in self._under_way:
            task.cancel()

    async def _press(self, number: int) -> None:
        labels = {"alertname": "press", "device": workload.device_id(number)}
        alert = {"labels": labels, "annotations": {"payload": workload.payload(number).decode()}}
        while True:
            try:
                async with self._http.post(self._url, json=[alert]) as response:
                    await response.read()
                    if response.status == 200:
                        return
            except aiohttp.ClientError:
                pass  # it is down: again
            await asyncio.sleep(PRESSES_AGAIN_AFTER_S)
