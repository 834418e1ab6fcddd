"""Who is measured: alertd and the floor, each a process of its own with everything fresh around it."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from msgspec import Struct

from alertd.console.client import Client
from tests.bench import workload
from tests.bench.presser import Presser, press_packet
from tests.bench.sink import Sink
from tests.bench.workload import SECRETS, Size
from tests.real_broker import ASSUMED, RealMosquitto

REPOSITORY = Path(__file__).resolve().parents[2]
NO_AUTOSAVE = {**ASSUMED, "autosave_on_changes": "false", "autosave_interval": "0", "sys_interval": "10"}
READY_WITHIN_S = 60
STOPS_WITHIN_S = 20
TICKS_PER_S = os.sysconf("SC_CLK_TCK")


class Bench(Struct, frozen=True, kw_only=True):
    """One contender, ready, with those who press and receive."""

    sink: Sink
    presser: Presser
    pid: int
    socket: Path
    """Of alertd."""

    def cpu_s(self) -> float:
        """User and system time of the process so far."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS_PER_S

    def memory_mib(self) -> float:
        """What of the process is in memory."""
        pages = int(Path(f"/proc/{self.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 1024**2

    async def devices(self, which: str) -> list[str]:
        """Ids of those that are in one of alertd's lists: "never_heard", "silent"."""
        found = await asyncio.to_thread(Client(self.socket).get, "/v1/devices", list=which)
        return [each["id"] for each in found["devices"]]


@asynccontextmanager
async def floor(folder: Path, size: Size) -> AsyncIterator[Bench]:
    with RealMosquitto(folder, settings=NO_AUTOSAVE) as broker:
        async with Sink() as sink, Presser(broker.port) as presser:
            command = [str(REPOSITORY / "tests/bench/floor.py"), str(broker.port), sink.url]
            async with _running(command, folder, sink, presser, size) as bench:
                yield bench


WriteDistrict = Callable[[Path, int, int, str], None]
"""Configuration directory, devices, the broker's port, the URL of the webhook."""


@asynccontextmanager
async def alertd(folder: Path, size: Size, write: WriteDistrict = workload.write_district) -> AsyncIterator[Bench]:
    with RealMosquitto(folder, settings=NO_AUTOSAVE) as broker:
        async with Sink() as sink, Presser(broker.port) as presser:
            config = folder / "config"
            write(config, size.devices, broker.port, sink.url)
            command = ["-c", f"import sys; from alertd.app import run; sys.exit(run({str(config)!r}))"]
            async with _running(command, folder, sink, presser, size) as bench:
                yield bench


@asynccontextmanager
async def _running(command: list[str], folder: Path, sink: Sink, presser: Presser, size: Size) -> AsyncIterator[Bench]:
    places = {"ALERTD_STATE_DIR": str(folder / "state"), "ALERTD_SPARE_DIR": str(folder / "spare")}
    with (folder / "log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            sys.executable, *command, env=os.environ | SECRETS | places, stdout=log, stderr=log, cwd=REPOSITORY
        )
    try:
        await _ready(process, folder / "log", sink, presser, size)
        yield Bench(sink=sink, presser=presser, pid=process.pid, socket=folder / "state" / "alertd.sock")
    finally:
        if process.returncode is None:
            process.terminate()
        try:
            async with asyncio.timeout(STOPS_WITHIN_S):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()


async def _ready(process: asyncio.subprocess.Process, log: Path, sink: Sink, presser: Presser, size: Size) -> None:
    """Presses until one comes through: only then the session at the broker certainly stands."""
    for attempt in range(READY_WITHIN_S * 4):
        assert process.returncode is None, f"it ended: {_tail(log)}"
        press(presser, attempt % size.warm_up)
        if await sink.wait_for(range(attempt % size.warm_up, attempt % size.warm_up + 1), 0.25) == 0:
            break
    else:
        raise AssertionError(f"no webhook within {READY_WITHIN_S} s: {_tail(log)}")
    for number in range(size.warm_up, 2 * size.warm_up):
        press(presser, number)
        await asyncio.sleep(0.02)
    assert await sink.wait_for(range(size.warm_up, 2 * size.warm_up), 10) == 0


def _tail(log: Path) -> str:
    return log.read_text()[-2000:]


def press(presser: Presser, number: int) -> None:
    presser.write(packet(number))


def packet(number: int) -> bytes:

    return press_packet(workload.topic(number), workload.payload(number), number % 65_535 + 1)
