"""Tries mutants out: breaks a copy of the tree, and sees who notices.

Owns the judgement whether a mutant is caught. A day, or a story, on which the intact tree has the same complaint proves
nothing, and the next day is taken.
"""

import json
import re
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Lock

from mutation.mutant import Day, Mutant, Result, Seeds, Story, Tests
from mutation.tree import SourceChangedError, Tree

DAYS = str(Path(__file__).with_name("days.py"))
TESTS_S = 120
STORY_S = 120
DAYS_S = 600
"""Seconds for all days of one mutant, on a machine that does other things, too."""
BROKEN_DOWN = "crash"
"""The simulation, or the daemon in it, ended by an error that nobody caught. Caught, but no checker's merit."""


class Intact:
    """What the tree says that nobody broke. Each day is lived once; it belongs to all threads."""

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self._lock = Lock()
        self._known: dict[tuple[str, ...], dict[str, str]] = {}

    def complaints(self, *what: str) -> dict[str, str]:
        with self._lock:
            if what not in self._known:
                (day,) = _days(self._tree, what)
                self._known[what] = day.complaints
            return self._known[what]


def try_out(mutant: Mutant, tree: Tree, intact: Intact) -> Result:
    """Break the tree, look who notices, and put it back."""
    began = time.monotonic()
    try:
        with tree.broken(mutant.edits):
            result = _try_out(mutant, tree, intact)
    except SourceChangedError as error:
        result = Result(mutant=mutant, wrong=f"{error}: mend the mutant")
    except subprocess.TimeoutExpired as error:
        result = Result(mutant=mutant, wrong=f"SURVIVED: no verdict within {error.timeout:.0f} s")
    seconds = time.monotonic() - began
    return Result(**{**result.__dict__, "seconds": seconds})


def _try_out(mutant: Mutant, tree: Tree, intact: Intact) -> Result:
    match mutant.by:
        case Tests():
            return _by_tests(mutant, mutant.by, tree)
        case Story():
            return _by_story(mutant, mutant.by, tree, intact)
        case Seeds():
            return _by_seeds(mutant, mutant.by, tree, intact)


# --- quick tests ----------------------------------------------------------------------------------------------------


def _by_tests(mutant: Mutant, by: Tests, tree: Tree) -> Result:
    pytest = ("-m", "pytest", "-q", "-m", "not slow", "-n", "0", "-p", "no:cacheprovider", "--no-header")
    done = tree.python(*pytest, *by.paths, timeout_s=TESTS_S)
    if done.returncode == 0:
        return Result(mutant=mutant, wrong="SURVIVED: no quick test failed")
    said = [line for line in done.stdout.splitlines() if line.startswith("E ") and "AssertionError" in line]
    telling = next((line for line in said if re.search(by.names, line, re.IGNORECASE)), "")
    if not telling:
        shown = "\n      ".join(said[:5] or done.stdout.splitlines()[-5:])
        return Result(mutant=mutant, wrong=f"no assertion message says {by.names!r}; they say\n      {shown}")
    failed = re.search(r"^FAILED (\S+)", done.stdout, re.MULTILINE)
    message = telling.removeprefix("E ").strip().removeprefix("AssertionError: ")
    return Result(mutant=mutant, caught_by="test", where=failed[1] if failed else by.paths[0], message=message)


# --- the simulation -------------------------------------------------------------------------------------------------


def _by_story(mutant: Mutant, by: Story, tree: Tree, intact: Intact) -> Result:
    (day,) = _days(tree, ("story", by.name))
    new = _news(day, intact.complaints("story", by.name))
    missing = [checker for checker in by.trips if checker not in new]
    if missing or not new:
        return Result(mutant=mutant, wrong=f"SURVIVED: {by.name}.txt {_instead(missing, new)}")
    return _caught(mutant, f"{by.name}.txt", new, days=0)


def _by_seeds(mutant: Mutant, by: Seeds, tree: Tree, intact: Intact) -> Result:
    seed, others = 0, dict[str, str]()
    while seed < by.limit:
        for day in _days(tree, ("seeds", str(seed + 1), str(by.limit), *by.trips)):
            seed = int(day.name)
            others |= day.complaints
        if not day.complaints.keys() & set(by.trips) and (by.trips or not day.complaints):
            break  # the last day, and still nothing
        new = _news(day, intact.complaints("seeds", day.name, day.name))
        if new.keys() & set(by.trips) or (new and not by.trips):
            return _caught(mutant, f"seed {seed}", new, days=seed)
    missing = list(by.trips)
    return Result(mutant=mutant, wrong=f"SURVIVED {seed} seeds: {_instead(missing, others)}", days=seed)


def _days(tree: Tree, what: tuple[str, ...]) -> Iterator[Day]:
    done = tree.python(DAYS, *what, timeout_s=DAYS_S if what[0] == "seeds" else STORY_S)
    lines = done.stdout.splitlines()
    if done.returncode != 0 or not lines:
        yield Day(name="1", complaints={BROKEN_DOWN: done.stderr.strip().splitlines()[-1]})
        return
    for line in lines:
        yield Day(**json.loads(line))


def _news(day: Day, intact: dict[str, str]) -> dict[str, str]:
    return {checker: message for checker, message in day.complaints.items() if checker not in intact}


def _instead(missing: list[str], new: dict[str, str]) -> str:
    said = "; ".join(f"{checker}: {message[:150]}" for checker, message in new.items())
    return f"{', '.join(missing) or 'nobody'} did not complain{f'; {said}' if said else ''}"


def _caught(mutant: Mutant, where: str, new: dict[str, str], *, days: int) -> Result:
    first = next((checker for checker in mutant.trips if checker in new), next(iter(new)))
    return Result(
        mutant=mutant, caught_by=first, where=where, days=days, message=new[first], tripped=tuple(sorted(new))
    )
