"""`make bench`: what devices that report cost, beside presses and by themselves. See reporting.py.

Asserts only that each press became a webhook, and that each report was taken: no test of alertd fails because a machine
is slow."""

import os
from pathlib import Path

import pytest

from tests.bench import contenders, reporting
from tests.bench.measures import percentile
from tests.bench.reporting import WAYS
from tests.bench.workload import Size

PER_S = 2_000
AIM_P99 = 3.0
AIM_CORES = 1.0
WARM_UP = 20


@pytest.mark.bench
@pytest.mark.parametrize("way", WAYS)
async def test_a_press_among_reports(
    disk: Path, pytestconfig: pytest.Config, way: str, capsys: pytest.CaptureFixture[str]
):
    presses: int = pytestconfig.getoption("bench_singles")
    size = Size(singles=presses, storm=0, warm_up=WARM_UP)
    first = 2 * WARM_UP
    with capsys.disabled():
        print(
            f"\n{presses} presses with {PER_S:,} {way} messages/s, and as many without, by turns; {_load()}", flush=True
        )
        async with contenders.alertd(disk, size, reporting.district(way, PER_S)) as bench:
            found = await reporting.among(bench, way, PER_S, range(first, first + 2 * presses))
        print(f"{'':<30}{'p50, ms':>10}{'p99, ms':>10}{'max, ms':>10}   {_load()}")
        for name, values in (("idle", found.idle), (f"among {PER_S:,} {way}/s", found.loaded)):
            print(f"{name:<30}{percentile(values, 50):>10.2f}{percentile(values, 99):>10.2f}{max(values):>10.2f}")
        print(f"{'ratio':<30}{found.ratio(50):>10.2f}{found.ratio(99):>10.2f}")
        print(f"p99 to p99 idle: {found.ratio(99):.2f} (aim ≤ {AIM_P99:g}) {_verdict(found.ratio(99) <= AIM_P99)}\n")
    assert len(found.idle) == len(found.loaded) >= presses - 2 * reporting.TURNS


@pytest.mark.bench
@pytest.mark.parametrize("way", WAYS)
async def test_a_hundred_thousand_devices(
    disk: Path, pytestconfig: pytest.Config, way: str, capsys: pytest.CaptureFixture[str]
):
    devices: int = pytestconfig.getoption("bench_devices")
    minute: float = pytestconfig.getoption("bench_minute")
    size = Size(singles=0, storm=0, warm_up=WARM_UP)
    with capsys.disabled():
        print(f"\n{devices:,} devices, each with one of its {way} in {minute:g} s; {_load()}", flush=True)
        async with contenders.alertd(disk, size, reporting.district(way, devices)) as bench:
            found = await reporting.burden(bench, way, devices, minute)
        print(f"sent {found.per_s:,.0f}/s, {found.unheard} devices not heard; {found.memory_mib:,.0f} MiB; {_load()}")
        print(f"CPU seconds per second: {found.cpu:.2f} (without reports {found.idle_cpu:.2f})")
        print(f"that of one core: {found.cpu:.2f} (aim < {AIM_CORES:g}) {_verdict(found.cpu < AIM_CORES)}")
        print(f"{(found.cpu - found.idle_cpu) / found.per_s * 1e6:,.0f} µs of CPU a report\n", flush=True)
    assert found.unheard == 0


def _load() -> str:
    return f"{os.cpu_count()} CPUs, load {os.getloadavg()[0]:.1f}"


def _verdict(reached: bool) -> str:
    return "reached" if reached else "NOT reached"
