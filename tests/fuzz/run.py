"""`make fuzz`: mutated payloads through decode, routing and decision, until the number is reached or something breaks.

    .venv/bin/python -m tests.fuzz.run --runs 1000000 [--seed 1]

Prints how many there were, what became of them, and the slowest. A failure is printed with the seed and payload that
show it again, and ends with exit code 1. `tests.fuzz.by_coverage` does the same guided by coverage.
"""

import argparse
import logging
import sys
import time
from collections import Counter
from collections.abc import Iterator
from random import Random

import structlog

from tests.fuzz.mutating import dressed, mutated
from tests.fuzz.target import Seed, seeds, shared_seeds, try_dressed, try_one

SAME_SHARE = 0.1


class Slowest:
    """The slowest payload, tried again before it counts: the first time may be the machine's."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.words = "none"

    def see(self, took: float, seed: Seed, payload: bytes) -> None:
        if took <= self.seconds:
            return
        again = min(took, try_one(seed, payload), try_one(seed, payload))
        if again > self.seconds:
            self.seconds = again
            self.words = f"{seed.source} {seed.profile} on {seed.topic}, {len(payload)} bytes: {payload[:160]!r}"


def fuzz(runs: int, seed_number: int, *, tell_every: int = 100_000) -> Slowest:
    """Raises what breaks."""
    random, slowest, counts = Random(f"fuzz {seed_number}"), Slowest(), Counter[str]()
    every = [*seeds(), *shared_seeds()]
    began = time.process_time()
    for number, (seed, payload, says_the_same) in enumerate(_tries(every, runs, random)):
        try:
            if says_the_same:
                try_dressed(seed, payload)
            else:
                slowest.see(try_one(seed, payload, retained=random.random() < 0.1), seed, payload)
        except Exception:
            print(f"BROKEN after {number} payloads: {seed}\n{payload!r}", file=sys.stderr)
            raise
        counts[seed.source] += 1
        if tell_every and (number + 1) % tell_every == 0:
            spent = time.process_time() - began
            print(
                f"{number + 1:,} payloads in {spent:.0f} s of CPU; slowest {slowest.seconds * 1e3:.1f} ms", flush=True
            )
    quiet = sum(seed.is_quiet for seed in every)
    print(f"{len(every):,} true messages, {quiet} of them no press, of {len(counts)} sources and decoders; changed,")
    print(f"{runs:,} payloads: no crash, no false page, no press lost by what nobody reads")
    print(f"slowest: {slowest.seconds * 1e3:.2f} ms: {slowest.words}")
    return slowest


def _tries(every: list[Seed], runs: int, random: Random) -> Iterator[tuple[Seed, bytes, bool]]:
    """Each true message as it is; then changed ones, of which some say the same."""
    payloads = [seed.payload for seed in every]
    for seed in every:
        yield seed, seed.payload, True
    for _ in range(runs):
        seed = random.choice(every)
        if random.random() < SAME_SHARE:
            yield seed, dressed(seed.payload, random), True
        else:
            yield seed, mutated(seed.payload, payloads, random), False


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    wanted = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    fuzz(wanted.runs, wanted.seed)


if __name__ == "__main__":
    main()
