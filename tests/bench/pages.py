"""The press → first PA packet half of `make bench`: a district of loudspeakers, and ears on the loopback interface.

**Two kinds of presses take turns** in one run of the real daemon over the real broker: one opens a lockdown at a site
of its own, whose first step is its loudspeakers and nothing else; one is medical and tells one webhook, as in
workload.py. Both travel alike until the commit. **Page**: from the write to the broker's socket until the first RTP
packet of that site's multicast group has been read from a socket of the benchmark's own that joined it: real packets
over 127.0.0.1. **Webhook**: until its last byte is read. The announcement is a recording of a tenth of a second, so
that a page has ended when the next begins. What is heard begins 0.3 s after the first packet: silence, for the
amplifier.
"""

import asyncio
import socket
import time
import wave
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from msgspec import Struct

from tests.bench import workload
from tests.bench.contenders import Bench, packet
from tests.bench.measures import percentile

GAP_S = 0.45
"""Between two presses of a kind: half the longest, a page takes 0.6 s."""
SETTLES_S = 5.0
"""What has not come by then after the last press does not come."""
GROUP = "239.192.99.1"
PORT_FIRST = 20_002
RECORDING_S = 0.1
RECEIVED_MAX = 2_000


class PageFigures(Struct, frozen=True, kw_only=True):
    """Milliseconds."""

    page: list[float]
    webhook: list[float]

    def ratio(self, percent: int) -> float:
        return percentile(self.page, percent) / percentile(self.webhook, percent)


def lockdown_number(site: int, sites: int) -> int:
    """The device whose press makes the loudspeakers of the site speak. The one with the site's own number is its
    medical button, which becomes a webhook."""
    return sites + site


def write_district(folder: Path, devices: int, broker_port: int, webhook_url: str) -> None:
    """Half as many sites as devices; each has one zone, one loudspeaker group, a lockdown and a medical button."""
    sites = devices // 2
    workload.write_policies(folder)
    (folder / "policies" / "lockdown.toml").write_text(_LOCKDOWN)
    (folder / "gestures.toml").write_text(
        '[wall-button]\npresses = { 1 = "lockdown" }\n[medical-button]\npresses = { 1 = "medical" }\n'
    )
    (folder / "people.csv").write_text(workload.people(sites))
    _write_recording(folder / "page.wav")
    pa = [_PA, *(f'[channels.pa.zones.{workload.site_id(site)}]\ngroups = ["{_group(site)}"]' for site in range(sites))]
    (folder / "channels.toml").write_text(workload.channels_text(broker_port, webhook_url, sites) + "\n".join(pa))
    for site in range(sites):
        loudspeakers = f'[loudspeakers]\nall = {{ channel = "pa", zone = "{workload.site_id(site)}" }}\n'
        text = workload.site_text(site, zones=1).replace("[policies]\n", '[policies]\nlockdown = "lockdown"\n')
        (folder / "sites" / f"{workload.site_id(site)}.toml").write_text(text + loudspeakers)
    (folder / "devices.csv").write_text("\n".join(("id,kind,site,zone,gestures", *_devices(sites), "")))


def _devices(sites: int) -> Iterator[str]:
    for site in range(sites):
        home = f"button,{workload.site_id(site)},z0"
        yield f"{workload.device_id(site)},{home},medical-button"
        yield f"{workload.device_id(lockdown_number(site, sites))},{home},wall-button"


def _group(site: int) -> str:
    """One address, and a port for each site: a socket may join only twenty groups."""
    return f"{GROUP}:{PORT_FIRST + 2 * site}"


def _write_recording(path: Path) -> None:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8_000)
        file.writeframes(b"\x00\x20\x00\xe0" * round(4_000 * RECORDING_S))


class Ears:
    """A socket for each site's group: when its first packet was read."""

    def __init__(self) -> None:
        self.heard: dict[int, float] = {}
        """By site, by the monotonic clock."""

    def listen(self, site: int, ear: socket.socket) -> None:
        while True:
            try:
                data = ear.recv(RECEIVED_MAX)
            except BlockingIOError:
                return
            if len(data) > 12 and data[0] >> 6 == 2:  # RTP, version 2
                self.heard.setdefault(site, time.monotonic())


@contextmanager
def ears(sites: int) -> Iterator[Ears]:
    listening, loop = Ears(), asyncio.get_running_loop()
    opened: list[socket.socket] = []
    try:
        for site in range(sites):
            ear = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            opened.append(ear)
            ear.setblocking(False)
            ear.bind((GROUP, PORT_FIRST + 2 * site))
            member = socket.inet_aton(GROUP) + socket.inet_aton("127.0.0.1")
            ear.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, member)
            loop.add_reader(ear, listening.listen, site, ear)
        yield listening
    finally:
        for ear in opened:
            loop.remove_reader(ear)
            ear.close()


async def measure(bench: Bench, listening: Ears, sites: int, warm_up: int) -> PageFigures:
    """One lockdown and one medical press for each site, by turns; at those of the warm-up the lockdown alone."""
    paged: dict[int, float] = {}
    told: dict[int, float] = {}
    for site in range(sites):
        paged[site] = await _press(bench, lockdown_number(site, sites))
        if site >= warm_up:
            told[site] = await _press(bench, site)
    await asyncio.sleep(SETTLES_S)
    silent = paged.keys() - listening.heard.keys()
    assert not silent, f"no packet came for {len(silent)} of {sites} lockdowns"
    untold = told.keys() - bench.sink.arrived.keys()
    assert not untold, f"no webhook came for {len(untold)} of {len(told)} presses"
    return PageFigures(
        page=[(listening.heard[site] - paged[site]) * 1_000 for site in told],
        webhook=[(bench.sink.arrived[site] - told[site]) * 1_000 for site in told],
    )


async def _press(bench: Bench, number: int) -> float:
    """When, by the monotonic clock."""
    sent = packet(number)
    pressed = time.monotonic()
    bench.presser.write(sent)
    await asyncio.sleep(GAP_S)
    return pressed


def render(figures: PageFigures) -> str:
    lines = [f"{'':<40}{'ms: p50':>10}{'p95':>10}{'p99':>10}{'max':>10}"]
    for name, values in (("press → first PA packet", figures.page), ("press → webhook", figures.webhook)):
        percentiles = "".join(f"{percentile(values, percent):>10.2f}" for percent in (50, 95, 99))
        lines.append(f"{name:<40}{percentiles}{max(values):>10.2f}")
    ratios = "".join(f"{figures.ratio(percent):>10.2f}" for percent in (50, 95, 99))
    lines.append(f"{'first PA packet / webhook':<40}{ratios}")
    return "\n".join(lines)


_PA = """
[channels.pa]
plugin = "pa_rtp"
interface = "127.0.0.1"
loopback = true
[channels.pa.announcements.lockdown]
tone = "none"
recording = "page.wav"
drill_recording = "page.wav"
times = 1
[channels.pa.marks]
drill = "page.wav"
test = "page.wav"
over = "page.wav"
"""
_LOCKDOWN = """
class = "lockdown"
expires_s = 600
[[steps]]
targets = [{ announcement = "lockdown", loudspeakers = "all" }]
wait_s = 3600
[[steps]]
targets = [{ group = "responders" }]
wait_s = 3600
[templates]
"alert.responder" = "{site} {where}: {what} {time}, {who}. Reply 4{token} going, 6{token} cannot go."
"""
