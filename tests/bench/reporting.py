"""Devices that report, for `make bench`: beside presses, and a hundred thousand by themselves.

Registered devices say that they live, with their battery, in one of two ways. **Telemetry**: topics of their own, which
alertd hears at QoS 0 on a connection of its own: `alertd/telemetry/ID` and 60 bytes. **Uplinks**: what a network server
hands on, ChirpStack's JSON of about 700 bytes with a Milesight WS101's heartbeat in it, at QoS 1 on the very topic, and
connection, of its presses: each is decoded by its profile, routed, found to be no press, and acknowledged.

**A press among 2,000 messages a second**: lone presses, in blocks by turns with and without the load; all else as in
workload.py. **100,000 devices at one report a minute**: 1,667 messages a second, each from another device. Each has a
check-in window of three minutes, so that every report moves the end of a window as well. Measured over the second
minute, when all have been heard: user and system time of the daemon's process, in seconds of CPU per second; the
batches in which last-seen times are written are within.
"""

import asyncio
import base64
import json
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from itertools import cycle
from pathlib import Path

from msgspec import Struct

from tests.bench import workload
from tests.bench.contenders import Bench
from tests.bench.measures import percentile, singles
from tests.bench.presser import press_packet, telemetry_packet

EVERY_S = 0.002
"""Messages leave so often, as many as are due."""
SETTLES_S = 1.0
TURNS = 4
WINDOW = "3 min"
ZONES_OF_A_SITE = 20
EUI_FIRST = 0x24E1_2400_0000_0000
HEARTBEAT = base64.b64encode(bytes.fromhex("017555")).decode()
"""Of a WS101: battery, 85 %."""
TELEMETRY, UPLINKS = "telemetry", "uplinks"
WAYS = (TELEMETRY, UPLINKS)
_UPLINK_TRIGGER = (
    'triggers = [{ topic = "application/+/device/+/event/up", decoder = "profiles", '
    'options = { source = "chirpstack-v4" } }, '
)


def reporter(way: str, number: int) -> str:
    return f"report-{number:06}" if way == TELEMETRY else f"{EUI_FIRST + number:016x}"


def report(way: str, number: int) -> bytes:
    """The packet."""
    device = reporter(way, number)
    if way == TELEMETRY:
        body = json.dumps({"action": "heartbeat", "battery": 85, "gateway": "gw-1"})
        return telemetry_packet(f"alertd/telemetry/{device}", body.encode())
    up = {
        "deduplicationId": f"3ac7e3c4-4401-4b8d-9386-{number:012x}",
        "time": "2026-11-22T09:45:00.250000+00:00",
        "deviceInfo": {
            "tenantId": "52f14cd4-c6f1-4fbd-8f87-4025e1d49242",
            "tenantName": "district",
            "applicationId": "7f3c",
            "applicationName": "buttons",
            "deviceProfileName": "ws101",
            "deviceName": f"button {number}",
            "devEui": device,
            "tags": {},
        },
        "devAddr": "00189440",
        "adr": True,
        "dr": 1,
        "fCnt": 4,
        "fPort": 85,
        "confirmed": False,
        "data": HEARTBEAT,
        "rxInfo": [{"gatewayId": "0016c0ff00000001", "uplinkId": 4217106255, "rssi": -36, "snr": 10.5, "channel": 3}],
        "txInfo": {"frequency": 867100000},
    }
    return press_packet(f"application/7f3c/device/{device}/event/up", json.dumps(up).encode(), number % 65_535 + 1)


def district(way: str, reporters: int) -> Callable[[Path, int, int, str], None]:
    """That of workload.py, with so many devices more that only report."""

    def write(folder: Path, devices: int, broker_port: int, webhook_url: str) -> None:
        workload.write_district(folder, devices, broker_port, webhook_url)
        for site in range(workload.SITES):
            zones = max(ZONES_OF_A_SITE, -(-devices // workload.SITES))
            (folder / "sites" / f"{workload.site_id(site)}.toml").write_text(workload.site_text(site, zones))
        wiring = (folder / "channels.toml").read_text()
        wiring = wiring.replace(f'telemetry = ["{workload.TELEMETRY_TOPIC}"]', 'telemetry = ["alertd/telemetry/+"]')
        if way == UPLINKS:
            wiring = wiring.replace("triggers = [", _UPLINK_TRIGGER, 1)
        (folder / "channels.toml").write_text(wiring)
        header, *rows = (folder / "devices.csv").read_text().splitlines()
        rows = [f"{row},,none" for row in rows] + list(_rows(way, reporters))
        (folder / "devices.csv").write_text("\n".join((f"{header},profile,check_in", *rows, "")))

    return write


def _rows(way: str, reporters: int) -> Iterator[str]:
    profile = "milesight-ws101" if way == UPLINKS else ""
    for number in range(reporters):
        site, zone = workload.site_id(number % workload.SITES), number // workload.SITES % ZONES_OF_A_SITE
        yield f"{reporter(way, number)},button,{site},z{zone},medical-button,{profile},{WINDOW}"


@asynccontextmanager
async def reporting(bench: Bench, packets: Sequence[bytes], per_s: float) -> AsyncIterator[Callable[[], int]]:
    """Sends them in turn, again and again. Gives a function that says how many were sent."""
    sent = 0

    async def send() -> None:
        nonlocal sent
        begun, waiting = time.monotonic(), cycle(packets)
        while True:
            await asyncio.sleep(EVERY_S)
            due = round((time.monotonic() - begun) * per_s) - sent
            bench.presser.write(b"".join(next(waiting) for _ in range(due)))
            await bench.presser.flushed()
            sent += due

    sending = asyncio.create_task(send())
    try:
        await asyncio.sleep(SETTLES_S)
        yield lambda: sent
        assert not sending.done(), "nobody reports any more"
    finally:
        sending.cancel()


# --- a press among reports --------------------------------------------------------------------------------------------


class Among(Struct, frozen=True, kw_only=True):
    """Milliseconds from presses to webhooks."""

    idle: list[float]
    loaded: list[float]

    def ratio(self, percent: int) -> float:
        return percentile(self.loaded, percent) / percentile(self.idle, percent)


async def among(bench: Bench, way: str, per_s: int, numbers: Sequence[int]) -> Among:
    """Half of the presses with, and half without reports, in blocks by turns."""
    waiting, block = iter(numbers), len(numbers) // (2 * TURNS)
    packets = [report(way, number) for number in range(per_s)]
    idle: list[float] = []
    loaded: list[float] = []
    for _ in range(TURNS):
        idle += await singles(bench, block, waiting)
        async with reporting(bench, packets, per_s):
            loaded += await singles(bench, block, waiting)
        await asyncio.sleep(SETTLES_S)
    return Among(idle=idle, loaded=loaded)


# --- a hundred thousand devices ---------------------------------------------------------------------------------------


class Burden(Struct, frozen=True, kw_only=True):
    idle_cpu: float
    """Seconds of CPU per second while nobody reports."""
    cpu: float
    per_s: float
    """Reports a second that were sent."""
    unheard: int
    """Of those that reported; and silent ones, of which it was heard and is no more."""
    memory_mib: float


async def burden(bench: Bench, way: str, devices: int, seconds: float) -> Burden:
    """`seconds`: in which each of them reports once."""
    idle = bench.cpu_s(), time.monotonic()
    await asyncio.sleep(10)
    idle_cpu = (bench.cpu_s() - idle[0]) / (time.monotonic() - idle[1])
    packets = [report(way, number) for number in range(devices)]
    async with reporting(bench, packets, devices / seconds) as sent:
        await asyncio.sleep(seconds)
        before = bench.cpu_s(), time.monotonic(), sent()
        await asyncio.sleep(seconds)
        after = bench.cpu_s(), time.monotonic(), sent()
        memory_mib = bench.memory_mib()
        missed = [*await bench.devices("never_heard"), *await bench.devices("silent")]
    took = after[1] - before[1]
    return Burden(
        idle_cpu=idle_cpu,
        cpu=(after[0] - before[0]) / took,
        per_s=(after[2] - before[2]) / took,
        unheard=sum(not device.startswith(workload.PREFIX) for device in missed),
        memory_mib=memory_mib,
    )
