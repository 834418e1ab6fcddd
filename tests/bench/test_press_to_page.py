"""`make bench`: press → first PA packet beside press → webhook, by turns in one run. See pages.py.

Asserts only that each page and each webhook came: no test of alertd fails because a machine is slow."""

import os
from pathlib import Path

import pytest

from tests.bench import contenders, pages
from tests.bench.workload import Size

WARM_UP = 10
"""Twice as many medical presses, and as many pages, are not counted."""


@pytest.mark.bench
async def test_press_to_page(disk: Path, pytestconfig: pytest.Config, capsys: pytest.CaptureFixture[str]):
    counted: int = pytestconfig.getoption("bench_pages")
    sites = 2 * WARM_UP + counted
    size = Size(singles=sites - WARM_UP, storm=0, warm_up=WARM_UP)
    with capsys.disabled():
        print(
            f"\n{pages.__doc__}\n{counted} of each kind; {os.cpu_count()} CPUs, load {os.getloadavg()[0]:.1f}",
            flush=True,
        )
        with pages.ears(sites) as listening:
            async with contenders.alertd(disk, size, pages.write_district) as bench:
                figures = await pages.measure(bench, listening, sites, 2 * WARM_UP)
        print(f"\n{pages.render(figures)}\n", flush=True)
    assert len(figures.page) == len(figures.webhook) == counted
