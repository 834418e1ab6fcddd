"""Runs in a process of its own, over the tree of a mutant: days until one fails, or one story.

    days.py seeds JSON     days in order; ends with the first that shows what is wanted, at the moment it does
    days.py story NAME     NAME.txt in tests/scenarios or a folder below it

Prints a line of JSON for each day. Owns no judgement: `trial` compares with the intact tree.
"""

import json
import os
import shutil
import sys
import tempfile
from importlib import import_module
from pathlib import Path
from typing import Any, NoReturn

import msgspec
from msgspec.structs import replace

from alertd_simulator.checkers.checker import Checker
from alertd_simulator.scenario.playing import play
from alertd_simulator.world import run
from alertd_simulator.world.plan import Crash, Deed, Order, Plan, Poison, Press, WrongClockAtBoot
from alertd_simulator.world.school_day import plan_of
from alertd_simulator.world.verdict import Verdict

LATE_S = 120


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


def _seeds(asked: dict[str, Any]) -> None:
    wanted, needed = set(asked["wanted"]), set(asked["needs"])
    plus = msgspec.convert(asked["plus"], tuple[Deed, ...])
    run.MEMORY = Path(tempfile.mkdtemp(prefix="alertd-mutant-", dir=run.MEMORY if run.MEMORY.is_dir() else None))
    for seed in range(asked["first"], asked["last"] + 1):
        plan = plan_of(seed)
        plan = replace(plan, deeds=(*plan.deeds, *plus))
        if needed and not needed & _tags(plan):
            continue
        _stop_at(wanted, seed)
        complaints = _complaints(run.simulate(plan))
        _tell(str(seed), complaints)
        if complaints and not wanted:
            break
    _end()


def _stop_at(wanted: set[str], seed: int) -> None:
    """The rest of a day is not lived once a wanted checker has complained: it says nothing new about the mutant."""
    accuse, complaints = _ACCUSE, dict[str, str]()

    def accuse_and_end(self: Checker, at_us: int, message: str, *, once: str = "") -> None:
        complaints.setdefault(self.name, f"{at_us / 1e6:.0f} s: {message}")
        if self.name in wanted:
            _tell(str(seed), complaints)
            _end()
        accuse(self, at_us, message, once=once)

    Checker.accuse = accuse_and_end  # type: ignore[method-assign]


_ACCUSE = Checker.accuse


def _end() -> NoReturn:
    """At once: whatever the day is in the middle of could catch an exception."""
    shutil.rmtree(run.MEMORY, ignore_errors=True)
    os._exit(0)


def _tags(plan: Plan) -> set[str]:
    """What happens on the day: "crash", "crash:power", "crash:night", "poison:decide", "press:late" …"""
    found: set[str] = set()
    for deed in plan.deeds:
        tag = str(type(deed).__struct_config__.tag)
        found.add(tag)
        match deed:
            case Poison(kind=detail) | Order(what=detail):
                found.add(f"{tag}:{detail}")
            case Crash(power=power, down_s=down_s):
                found |= {"crash:power"} if power else set()
                found |= {"crash:night"} if down_s > LATE_S else set()
            case WrongClockAtBoot():
                found.add("crash:power")
            case Press(held_back_s=held_back_s) if held_back_s > LATE_S:
                found.add("press:late")
            case _:
                pass
    return found


def _story(name: str) -> None:
    sys.path.insert(0, str(Path.cwd()))
    told = import_module("tests.scenarios.test_scenarios")._story  # noqa: SLF001 - some play in a district of their own
    played = play(told(name))
    complaints = _complaints(played.verdict)
    if played.complaints:
        complaints["story"] = played.complaints[0]
    _tell(name, complaints)


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["seeds", asked]:
            _seeds(json.loads(asked))
        case ["story", name]:
            _story(name)
        case _:
            sys.exit(__doc__)
