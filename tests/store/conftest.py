"""Where the store's tests keep their databases: memory for quick ones, a PostgreSQL server of our own for slow ones."""

import importlib.util
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

_spec = importlib.util.spec_from_file_location("postgres_cluster", Path(__file__).with_name("postgres_cluster.py"))
assert _spec is not None
assert _spec.loader is not None
_cluster = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_cluster)

_numbers = count(1)


@pytest.fixture
def quick_path(tmp_path: Path) -> Iterator[Path]:
    """A directory in memory where there is one: hundreds of synced commits on a busy disk are not quick."""
    shm = Path("/dev/shm")
    if not shm.is_dir():
        yield tmp_path
        return
    with TemporaryDirectory(dir=shm, prefix="alertd-test-") as directory:
        yield Path(directory)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    with _cluster.cluster() as url:
        yield url


@pytest.fixture
def postgres_url(postgres_server: str) -> str:
    url: str = _cluster.fresh_database(postgres_server, f"alertd_{next(_numbers)}")
    return url
