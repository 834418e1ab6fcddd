"""`make bench`: prints how fast presses become webhooks, beside the least that could be done. See workload.py.

Asserts only that nothing was lost: no test of alertd fails because a machine is slow."""

import os
import platform
import shutil
import sys
from pathlib import Path

import pytest

from tests.bench import contenders, workload
from tests.bench.measures import Figures, measure, syncs_ms
from tests.bench.table import render, spread
from tests.bench.workload import Size


@pytest.fixture
def size(pytestconfig: pytest.Config) -> Size:
    return Size(
        runs=pytestconfig.getoption("bench_runs"),
        singles=pytestconfig.getoption("bench_singles"),
        storm=pytestconfig.getoption("bench_storm"),
    )


@pytest.mark.bench
async def test_press_to_webhook(disk: Path, size: Size, capsys: pytest.CaptureFixture[str]):
    floor: list[Figures] = []
    alertd: list[Figures] = []
    syncs: list[float] = []
    with capsys.disabled():
        print(_circumstances(size), flush=True)
        for run in range(size.runs):
            async with contenders.floor(_folder(disk, f"floor{run}"), size) as bench:
                floor.append(await measure(bench, size, loaded=False))
            async with contenders.alertd(_folder(disk, f"alertd{run}"), size) as bench:
                alertd.append(await measure(bench, size, loaded=True))
            syncs.append(syncs_ms(disk))
            shutil.rmtree(disk / f"alertd{run}")
            print(f"run {run + 1}: {_line(floor[-1])} | {_line(alertd[-1])} | sync {syncs[-1]:.2f} ms", flush=True)
        print(f"\n{render(floor, alertd)}\none 4 KiB append and fdatasync: {spread(syncs)} ms\n", flush=True)
    assert sum(figures.lost for figures in alertd) == 0, "presses of the storm never became webhooks"


def _folder(disk: Path, name: str) -> Path:
    folder = disk / name
    folder.mkdir()
    return folder


def _circumstances(size: Size) -> str:
    return (
        f"\n{workload.__doc__}\n{size.runs} runs of {size.singles} single presses and a storm of {size.storm:,}; "
        f"{os.cpu_count()} CPUs, load {os.getloadavg()[0]:.1f}, Python {platform.python_version()}, {sys.platform}"
    )


def _line(figures: Figures) -> str:
    return f"p50 {figures.single_p50:.2f} ms, p99 {figures.single_p99:.2f} ms, storm {figures.storm_rate:,.0f}/s"
