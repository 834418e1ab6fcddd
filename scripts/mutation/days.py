"""Runs in a process of its own, over the tree of a mutant: days until one fails, or one story.

    days.py seeds FIRST LAST [CHECKER …]     days in order; ends with the first on which one of the checkers complains
    days.py story NAME                       tests/scenarios/NAME.txt

Prints a line of JSON for each day. Owns no judgement: `trial` compares with the intact tree.
"""

import json
import sys
from pathlib import Path

from alertd_simulator.scenario.playing import play
from alertd_simulator.scenario.reading import read_scenario
from alertd_simulator.world.run import simulate
from alertd_simulator.world.school_day import plan_of
from alertd_simulator.world.verdict import Verdict


def _complaints(verdict: Verdict) -> dict[str, str]:
    """The first complaint of each checker. A checker that is asked for a whole day has much to say."""
    found: dict[str, str] = {}
    for violation in verdict.violations:
        found.setdefault(violation.checker, f"{violation.at_us / 1e6:.0f} s: {violation.message}")
    if verdict.crash:
        found["crash"] = verdict.crash.strip().splitlines()[-1]
    return found


def _tell(name: str, complaints: dict[str, str]) -> None:
    sys.stdout.write(json.dumps({"name": name, "complaints": complaints}) + "\n")
    sys.stdout.flush()


def _seeds(first: int, last: int, wanted: set[str]) -> None:
    for seed in range(first, last + 1):
        complaints = _complaints(simulate(plan_of(seed)))
        _tell(str(seed), complaints)
        if complaints.keys() & wanted or (complaints and not wanted):
            return


def _story(name: str) -> None:
    folder = Path("tests/scenarios").resolve()
    played = play(read_scenario(folder / f"{name}.txt", folder / "district"))
    complaints = _complaints(played.verdict)
    if played.complaints:
        complaints["story"] = played.complaints[0]
    _tell(name, complaints)


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["seeds", first, last, *checkers]:
            _seeds(int(first), int(last), set(checkers))
        case ["story", name]:
            _story(name)
        case _:
            sys.exit(__doc__)
