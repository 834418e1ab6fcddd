"""The same target, guided by coverage: atheris sees which branches of alertd a payload takes, and keeps what is new.

    .venv/bin/python -m tests.fuzz.by_coverage [RUNS]

Without atheris it says so and exits 0: nobody needs it to work on alertd.
"""

import logging
import sys
from pathlib import Path
from random import Random

import structlog

RUNS = 200_000
INSTALL = "atheris is not installed, so nothing was fuzzed by coverage: .venv/bin/pip install 'atheris>=3'"
FOUND = Path(".cache")
"""Where a payload is written that breaks something."""
WATCHED = ["alertd.engine", "alertd_adapters.decoders", "alertd_adapters.mqtt.decoding"]


def main() -> None:
    """Never returns if it runs: atheris ends the process."""
    try:
        import atheris  # type: ignore[import-not-found,import-untyped,unused-ignore]
    except ImportError:
        print(INSTALL)
        return
    with atheris.instrument_imports(include=WATCHED):
        from tests.fuzz.mutating import mutated
        from tests.fuzz.target import seeds, try_one
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    every = seeds()

    def target(data: bytes) -> None:
        if len(data) < 3:
            return
        seed = every[int.from_bytes(data[:2], "big") % len(every)]
        is_raw = data[2] & 1  # else it begins with a true message
        payload = data[3:] if is_raw else mutated(seed.payload, [data[3:] or b"0"], Random(data))
        try_one(seed, payload, retained=bool(data[2] & 2))

    runs = sys.argv[1] if len(sys.argv) > 1 else str(RUNS)
    FOUND.mkdir(exist_ok=True)  # a fresh clone has none, and libFuzzer makes none
    settings = [f"-runs={runs}", "-max_len=4096", "-print_final_stats=1", f"-artifact_prefix={FOUND}/"]
    atheris.Setup([sys.argv[0], *settings], target)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
