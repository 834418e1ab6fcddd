"""What is done with a contender, and the figures it gives. Judges nothing."""

import asyncio
import os
import random
import statistics
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from msgspec import Struct

from tests.bench import workload
from tests.bench.contenders import Bench, packet
from tests.bench.presser import telemetry_packet
from tests.bench.workload import Size

GAP_S = (0.020, 0.050)
TELEMETRY_PER_S = 1_000
TELEMETRY_EVERY_S = 0.002
BLOCKS = 4
"""`single` and `loaded` take turns in so many pairs of blocks."""
SYNCS = 100
SILENCE_S = 30
"""Nothing more comes."""


class Figures(Struct, frozen=True, kw_only=True):
    """Of one run. Milliseconds, presses a second, microseconds."""

    single_p50: float
    single_p99: float
    single_max: float
    storm_rate: float
    storm_cpu_us: float
    lost: int
    loaded_p50: float | None = None
    loaded_p99: float | None = None


def syncs_ms(folder: Path) -> float:
    """The disk by itself: median of appending 4 KiB and fdatasync, at the pace of single presses."""
    taken: list[float] = []
    with (folder / "appended").open("wb", buffering=0) as file:
        for _ in range(SYNCS):
            time.sleep(GAP_S[0])
            begun = time.monotonic()
            file.write(bytes(4096))
            os.fdatasync(file.fileno())
            taken.append((time.monotonic() - begun) * 1_000)
    return statistics.median(taken)


async def measure(bench: Bench, size: Size, *, loaded: bool) -> Figures:
    numbers = iter(range(2 * size.warm_up, size.devices))
    idle: list[float] = []
    under_load: list[float] = []
    for _ in range(BLOCKS):
        idle += await singles(bench, size.singles // BLOCKS, numbers)
        if loaded:
            async with _telemetry(bench):
                under_load += await singles(bench, size.singles // BLOCKS, numbers)
    rate, cpu_us, lost = await _storm(bench, size)
    return Figures(
        single_p50=percentile(idle, 50),
        single_p99=percentile(idle, 99),
        single_max=max(idle),
        storm_rate=rate,
        storm_cpu_us=cpu_us,
        lost=lost,
        loaded_p50=percentile(under_load, 50) if loaded else None,
        loaded_p99=percentile(under_load, 99) if loaded else None,
    )


def percentile(values: Sequence[float], percent: int) -> float:
    return statistics.quantiles(values, n=100, method="inclusive")[percent - 1]


async def singles(bench: Bench, count: int, numbers: Iterator[int]) -> list[float]:
    """Milliseconds from the press to its webhook."""
    gaps = random.Random(count)
    pressed: dict[int, float] = {}
    for _ in range(count):
        number = next(numbers)
        sent = packet(number)
        pressed[number] = time.monotonic()
        bench.presser.write(sent)
        await asyncio.sleep(gaps.uniform(*GAP_S))
    missing = await bench.sink.wait_for(range(min(pressed), max(pressed) + 1), SILENCE_S)
    assert missing == 0, f"{missing} of {count} presses never became a webhook"
    return [(bench.sink.arrived[number] - at) * 1_000 for number, at in pressed.items()]


@asynccontextmanager
async def _telemetry(bench: Bench) -> AsyncIterator[None]:
    async def send() -> None:
        message = telemetry_packet(workload.TELEMETRY_TOPIC, b"t" * workload.PRESS_BYTES)
        begun, sent = time.monotonic(), 0
        while True:
            await asyncio.sleep(TELEMETRY_EVERY_S)
            due = round((time.monotonic() - begun) * TELEMETRY_PER_S) - sent
            bench.presser.write(message * due)
            sent += due

    sending = asyncio.create_task(send())
    try:
        await asyncio.sleep(0.2)
        yield
    finally:
        sending.cancel()


async def _storm(bench: Bench, size: Size) -> tuple[float, float, int]:
    """Presses a second, CPU microseconds a press, presses that never became a webhook."""
    numbers = range(size.devices - size.storm, size.devices)
    packets = b"".join(map(packet, numbers))
    cpu_s, begun = bench.cpu_s(), time.monotonic()
    bench.presser.write(packets)
    lost = await bench.sink.wait_for(numbers, SILENCE_S)
    cpu_s = bench.cpu_s() - cpu_s
    arrived = [at for number in numbers if (at := bench.sink.arrived.get(number)) is not None]
    return len(arrived) / (max(arrived) - begun), cpu_s / len(arrived) * 1_000_000, lost
