"""`make bench`: alertd beside what a user would pick instead, as far as it is installed. See peers/known.py.

Asserts only that alertd lost nothing: what others lose is theirs, and no test fails because a machine is slow."""

import os
import platform
import time
from pathlib import Path

import pytest

from alertd import __version__
from tests.bench.peers import beside, ours
from tests.bench.peers.known import PEERS
from tests.bench.peers.losses import Plan, Report, measure
from tests.bench.peers.product import Absent, Found, find
from tests.bench.peers.stand import StandError, stand


@pytest.fixture
def plan(pytestconfig: pytest.Config) -> Plan:
    return Plan(kills=pytestconfig.getoption("bench_kills"), stream=pytestconfig.getoption("bench_stream"))


@pytest.mark.bench
async def test_beside_peers(disk: Path, plan: Plan, capsys: pytest.CaptureFixture[str]):
    python = f"Python {platform.python_version()}"
    candidates: list[Found | Absent] = [
        Found(ours.alertd(plan.devices), ours.program(), f"{__version__}, {python}"),
        *(find(peer, os.environ) for peer in PEERS),
        Found(ours.FLOOR, ours.program(), f"({python})"),
    ]
    reports: dict[str, Report] = {}
    with capsys.disabled():
        print(f"\n{beside.who(candidates)}\n\n{beside.what(plan)}", flush=True)
        print(f"{os.cpu_count()} CPUs, load {os.getloadavg()[0]:.1f}", flush=True)
        for each in candidates:
            if isinstance(each, Found):
                await _measured(each, _folder(disk, each.product.name), plan, reports)
        print(f"\n{beside.render(reports)}\n", flush=True)
    assert "alertd" in reports, "alertd did not come up"
    mine = reports["alertd"]
    assert mine.idle.lost + mine.stream.lost + mine.burst.lost + mine.away.lost == 0, "alertd lost presses"


def _folder(disk: Path, name: str) -> Path:
    folder = disk / name.replace(" ", "-")
    folder.mkdir()
    return folder


async def _measured(found: Found, folder: Path, plan: Plan, reports: dict[str, Report]) -> None:
    """One that does not come up does not hide the others' figures; that it failed is said."""
    name, begun = found.product.name, time.monotonic()
    try:
        async with stand(found, folder) as standing:
            reports[name] = await measure(standing, plan)
    except StandError as error:
        print(f"{name}: NOT MEASURED, {error}", flush=True)
    else:
        print(f"{name}: measured in {time.monotonic() - begun:.0f} s, load {os.getloadavg()[0]:.1f}", flush=True)
