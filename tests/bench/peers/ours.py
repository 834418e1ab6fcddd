"""alertd, and the floor, in the form in which peers are measured: the same script for all."""

import sys
from pathlib import Path

from tests.bench import workload
from tests.bench.peers.product import Launch, Product
from tests.bench.workload import SECRETS

REPOSITORY = Path(__file__).resolve().parents[3]


def alertd(devices: int) -> Product:
    """A district of so many devices, as in workload.py."""

    def prepare(program: str, folder: Path, broker_port: int, url: str) -> Launch:
        config = folder / "config"
        workload.write_district(config, devices, broker_port, url)
        script = f"import sys; from alertd.app import run; sys.exit(run({str(config)!r}))"
        places = {"ALERTD_STATE_DIR": str(folder / "state"), "ALERTD_SPARE_DIR": str(folder / "spare")}
        return Launch(command=(program, "-c", script), environment=SECRETS | places)

    return Product(
        name="alertd",
        prepare=prepare,
        settings=(
            "as shipped (persistent session, QoS 1, acknowledged after the commit, SQLite synced), concurrent = 50",
        ),
    )


def _floor(program: str, folder: Path, broker_port: int, url: str) -> Launch:
    return Launch(command=(program, str(REPOSITORY / "tests/bench/floor.py"), str(broker_port), url))


FLOOR = Product(
    name="floor",
    prepare=_floor,
    settings=("no product: the least code (tests/bench/floor.py); persistent session, QoS 1, 50 workers",),
)


def program() -> str:
    """What both run in."""
    return sys.executable
