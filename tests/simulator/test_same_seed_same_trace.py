"""Same seed, same trace, byte for byte: in one process, under random hash seeds, after other days, on other Pythons."""

import os
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest
from msgspec.structs import replace

from alertd_simulator.world.run import simulate
from alertd_simulator.world.school_day import plan_of

REPOSITORY = Path(__file__).resolve().parents[2]
SEEDS = (1, 2, 3)
EARLY_S = 100.0
OTHERS = "OTHER_PYTHONS"
"""Paths of interpreters that have alertd's dependencies, as PATH is written."""

TRACE = """
import sys
sys.path[:0] = sys.argv[1].split(":")
from alertd_simulator.world.run import simulate
from alertd_simulator.world.school_day import plan_of
for seed in map(int, sys.argv[2:]):
    for line in simulate(plan_of(seed), keep_trace=True).trace:
        sys.stdout.write(f"{seed} {line}\\n")
"""
SOURCES = ":".join(str(REPOSITORY / folder) for folder in (".", "adapters", "simulator"))


def traces(python=sys.executable, seeds=SEEDS, **environ):
    done = subprocess.run(
        [python, "-c", TRACE, SOURCES, *map(str, seeds)],
        cwd=REPOSITORY,
        env=os.environ | environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@cache
def told_first():
    return traces(PYTHONHASHSEED="0")


def assert_same(lines, others):
    """Says where they part: two whole traces are nothing to read."""
    for number, (line, other) in enumerate(zip(lines, others, strict=False)):
        assert line == other, f"line {number}:\n" + "\n".join(lines[max(0, number - 5) : number])
    assert len(lines) == len(others)


def early_morning(seed):
    """The first minutes of a day: as much of it as a quick test can pay for."""
    plan = plan_of(seed)
    deeds = tuple(deed for deed in plan.deeds if deed.at_s < EARLY_S)
    return replace(plan, deeds=deeds, heal_at_s=EARLY_S, over_at_s=EARLY_S + 60)


@pytest.mark.slow
def test_a_day_is_the_same_when_it_is_lived_again():
    first, again = (simulate(early_morning(1), keep_trace=True) for _ in range(2))

    assert_same(first.trace, again.trace)
    assert first.trace_sha256 == again.trace_sha256 != ""
    assert len(first.trace) > 500


@pytest.mark.slow
def test_another_seed_is_another_day():
    assert (
        simulate(early_morning(2), keep_trace=True).trace_sha256
        != simulate(early_morning(1), keep_trace=True).trace_sha256
    )


@pytest.mark.slow
@pytest.mark.parametrize("hash_seed", ["1", "4711", "random"])
def test_hash_seeds_change_nothing(hash_seed):
    assert_same(told_first(), traces(PYTHONHASHSEED=hash_seed))


@pytest.mark.slow
def test_the_days_before_change_nothing():
    backwards = traces(seeds=reversed(SEEDS))

    for seed in SEEDS:
        own = f"{seed} "
        assert_same(
            [line for line in told_first() if line.startswith(own)],
            [line for line in backwards if line.startswith(own)],
        )


def other_pythons():
    """Interpreters of another version that have the dependencies, by version."""
    named = [Path(path) for path in os.environ.get(OTHERS, "").split(":") if path]
    found = {}
    for path in (*named, *sorted(REPOSITORY.glob(".venv-*/bin/python"))):
        code = "import msgspec, sqlalchemy, phonenumbers, sys; print('%d.%d' % sys.version_info[:2])"
        done = subprocess.run([path, "-c", code], capture_output=True, text=True, check=False)
        if done.returncode == 0 and done.stdout.strip() != f"{sys.version_info[0]}.{sys.version_info[1]}":
            found[done.stdout.strip()] = path
    return found


@pytest.mark.slow
def test_another_python_lives_the_same_day():
    pythons = other_pythons()
    if not pythons:
        pytest.skip(f"no other Python with alertd's dependencies: run scripts/other-python.sh, or name it in {OTHERS}")
    for python in pythons.values():
        assert_same(told_first(), traces(python=python))
