"""What every test may use: the reference data beside the repository, the hypothesis profiles, the time limits."""

import gc
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

REPOSITORY = Path(__file__).resolve().parent.parent

# Derandomized, so that a red run is red again on the next machine. `explore` is for a search by hand:
# pytest --hypothesis-profile=explore
settings.register_profile("quick", derandomize=True, max_examples=25, deadline=None, database=None)
settings.register_profile(
    "ci",
    settings.get_profile("quick"),
    max_examples=300,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],  # CI's two cores are busy with other tests
)
settings.register_profile("explore", max_examples=5_000, deadline=None, print_blob=True)
settings.load_profile("quick")

gc.set_threshold(
    50_000, 20, 50
)  # thousands of tests leave little behind, and looking for it took a seventh of the time

SLOW_TIMEOUT_S = 180
BENCH_TIMEOUT_S = 600


def pytest_addoption(parser: pytest.Parser) -> None:
    bench = parser.getgroup("bench", "make bench; a short one: make bench ARGS='--bench-runs=1 --bench-storm=500'")
    bench.addoption("--bench-runs", type=int, default=5, help="runs of the floor and of alertd, by turns")
    bench.addoption("--bench-singles", type=int, default=200, help="single presses of a run")
    bench.addoption("--bench-storm", type=int, default=5_000, help="presses of a run's storm")
    bench.addoption("--bench-pages", type=int, default=100, help="pages, and as many webhooks beside them")
    bench.addoption("--bench-kills", type=int, default=2, help="times that alertd and each peer is killed, each way")
    bench.addoption("--bench-stream", type=int, default=300, help="presses around each kill")
    bench.addoption("--bench-devices", type=int, default=100_000, help="devices that report once a minute")
    bench.addoption("--bench-minute", type=float, default=60, help="seconds in which each of them reports once")


@pytest.hookimpl(tryfirst=True)  # before -m deselects
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.get_closest_marker("bench") and not item.get_closest_marker("slow"):
            item.add_marker("slow")
        if item.get_closest_marker("timeout"):
            continue
        if item.get_closest_marker("bench"):
            item.add_marker(pytest.mark.timeout(BENCH_TIMEOUT_S))
        elif item.get_closest_marker("slow"):
            item.add_marker(pytest.mark.timeout(SLOW_TIMEOUT_S))


@pytest.fixture(scope="session")
def shared() -> Path:
    """The project's reference data (API descriptions, device samples), which is not part of the repository."""
    path = REPOSITORY.parent / "shared"
    if not path.is_dir():
        pytest.skip("no ../shared: the reference data is not beside this checkout")
    return path
