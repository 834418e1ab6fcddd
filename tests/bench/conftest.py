"""Where benchmarks write."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

DISK = Path(__file__).resolve().parents[2] / ".cache" / "bench"
"""Not pytest's tmp_path: /tmp is often in memory, where an fsync costs nothing."""


@pytest.fixture
def disk(request: pytest.FixtureRequest) -> Iterator[Path]:
    folder = DISK / f"{request.node.name}-{os.getpid()}"
    folder.mkdir(parents=True)
    yield folder
    shutil.rmtree(folder)
