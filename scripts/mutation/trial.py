"""Tries mutants out: breaks a copy of the tree, and sees who notices.

Owns the judgement whether a mutant is caught. A day, or a story, on which the intact tree has the same complaint proves
nothing, and the next day is taken.
"""

import json
import re
import subprocess
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from threading import Lock

import msgspec

from mutation.mutant import Day, Mutant, Result, Seeds, Story, Tests
from mutation.tree import SourceChangedError, Tree

DAYS = str(Path(__file__).with_name("days.py"))
TESTS_S = 120
STORY_S = 120
DAYS_S = 600
"""Seconds for all days of one mutant, on a machine that does other things, too."""


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
    except RuntimeError as error:
        result = Result(mutant=mutant, wrong=str(error))
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
    """Most are told of by the first test that fails, and the others need not run."""
    pytest = ("-m", "pytest", "-q", "-m", "not slow", "-n", "0", "-p", "no:cacheprovider", "--no-header", "--tb=short")
    for until in (("--exitfirst",), ()):
        done = tree.python(*pytest, *until, *by.paths, timeout_s=TESTS_S)
        if done.returncode == 0:
            return Result(mutant=mutant, wrong="SURVIVED: no quick test failed")
        said = [line for line in done.stdout.splitlines() if line.startswith("E ") and "AssertionError" in line]
        telling = next((line for line in said if re.search(by.names, line, re.IGNORECASE)), "")
        if telling:
            break
    else:
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
    return _caught(mutant, f"{by.name}.txt", new)


def _by_seeds(mutant: Mutant, by: Seeds, tree: Tree, intact: Intact) -> Result:
    seed, lived, others = 0, 0, dict[str, str]()
    while seed < by.limit:
        found: Day | None = None
        for day in _days(tree, _asked(by, seed + 1, by.limit)):
            found, lived = day, lived + 1
            others |= day.complaints
        if found is None or not _meant(by, found.complaints):
            break  # all of them, and nobody said what is wanted
        seed = int(found.name)
        new = _news(found, intact.complaints(*_asked(replace(by, trips=(), needs=()), seed, seed)))
        if _meant(by, new):
            where = f"seed {seed} and more" if by.plus else f"seed {seed}"
            return _caught(mutant, where, new, days=seed, lived=lived)
    wrong = f"SURVIVED {by.limit} seeds ({lived} lived): {_instead(list(by.trips), others)}"
    return Result(mutant=mutant, wrong=wrong, days=by.limit, lived=lived)


def _asked(by: Seeds, first: int, last: int) -> tuple[str, str]:
    asked = {"first": first, "last": last, "wanted": by.trips, "needs": by.needs, "plus": by.plus}
    return "seeds", msgspec.json.encode(asked).decode()


def _meant(by: Seeds, complaints: dict[str, str]) -> bool:
    return bool(complaints.keys() & set(by.trips) if by.trips else complaints)


def _days(tree: Tree, what: tuple[str, ...]) -> Iterator[Day]:
    done = tree.python(DAYS, *what, timeout_s=DAYS_S if what[0] == "seeds" else STORY_S)
    if done.returncode != 0:
        raise RuntimeError(f"the days of a mutant ended by themselves:\n{done.stderr[-2000:]}")
    for line in done.stdout.splitlines():
        yield Day(**json.loads(line))


def _news(day: Day, intact: dict[str, str]) -> dict[str, str]:
    return {checker: message for checker, message in day.complaints.items() if checker not in intact}


def _instead(missing: list[str], new: dict[str, str]) -> str:
    said = "; ".join(f"{checker}: {message[:150]}" for checker, message in new.items())
    return f"{', '.join(missing) or 'nobody'} did not complain{f'; {said}' if said else ''}"


def _caught(mutant: Mutant, where: str, new: dict[str, str], *, days: int = 0, lived: int = 0) -> Result:
    first = next((checker for checker in mutant.trips if checker in new), next(iter(new)))
    return Result(
        mutant=mutant,
        caught_by=first,
        where=where,
        days=days,
        lived=lived,
        message=new[first],
        tripped=tuple(sorted(new)),
    )
