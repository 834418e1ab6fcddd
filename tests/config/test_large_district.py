"""Reading a district takes twice the work for twice the devices: a restart after a crash waits for it."""

import sys
from pathlib import Path
from types import FrameType

import pytest

from alertd.config import load
from tests.bench import workload


def calls_to_read(folder: Path, devices: int) -> int:
    """Function calls, Python's and C's: the same on every machine, however busy."""
    workload.write_district(folder, devices, 1883, "http://127.0.0.1:8080/hook")
    calls = 0

    def count(_frame: FrameType, event: str, _argument: object) -> None:
        nonlocal calls
        calls += event in {"call", "c_call"}

    sys.setprofile(count)
    try:
        load(folder)
    finally:
        sys.setprofile(None)
    return calls


@pytest.mark.slow
def test_twice_the_devices_is_twice_the_work(tmp_path: Path):
    assert calls_to_read(tmp_path / "many", 1_600) < 2.5 * calls_to_read(tmp_path / "half", 800)
