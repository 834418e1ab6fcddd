"""Which options of `alertd simulate` go together, and whether a folder can take what a run will leave in it.

Owns the sentences that refuse a command line. Must import nothing of the world: a refusal takes no time.
"""

import os
from collections.abc import Collection
from pathlib import Path

GOES_WITH: dict[str, frozenset[str]] = {
    "scenario": frozenset({"config", "seed"}),
    "config": frozenset({"seeds", "first_seed", "out", "as_json", "assumptions"}),
    "plan": frozenset({"trace", "out", "shrink_runs", "as_json"}),
    "seed": frozenset({"trace", "out", "shrink_runs", "as_json"}),
}
"""What decides what the command does, the strongest first, and the options that mean something beside it."""
NOT_WITH = (
    ("trace", "out"),
    ("trace", "shrink_runs"),
    ("trace", "as_json"),
)
"""Pairs of which one makes the other meaningless, whatever else is said."""
NEEDS = {"assumptions": "config", "more": "scenario"}
SPELLED = {"as_json": "--json", "more": "a file without an option"}


def refusal(given: Collection[str]) -> str:
    """Why these options (by the names of their parameters) make no sense together; empty if they do."""
    for option, needed in NEEDS.items():
        if option in given and needed not in given:
            return f"{_spelled(option)} means something with {_spelled(needed)} only: give both, or neither"
    for one, other in NOT_WITH:
        if one in given and other in given:
            return _contradiction(other, one)
    chief = next((name for name in GOES_WITH if name in given), None)
    if chief is None:
        return ""
    strange = [name for name in given if name not in GOES_WITH[chief] | {chief} and NEEDS.get(name) != chief]
    return _contradiction(strange[0], chief) if strange else ""


def _contradiction(option: str, beside: str) -> str:
    return f"{_spelled(option)} means nothing together with {_spelled(beside)}: leave one of them out"


def _spelled(name: str) -> str:
    return SPELLED.get(name, f"--{name.replace('_', '-')}")


def unwritable(folder: Path, *names: str) -> str:
    """Why these files cannot be written there, asked before minutes of work; empty if they can. Creates nothing."""
    there = folder.absolute()
    while not there.exists() and not there.is_symlink() and there != there.parent:
        there = there.parent
    if not there.is_dir():
        return f"--out {folder}: {there} is no folder: name another one"
    if not os.access(there, os.W_OK | os.X_OK):
        return f"--out {folder}: nothing can be written in {there}: name a folder of your own"
    taken = next((folder / name for name in names if (folder / name).is_dir()), None)
    return f"--out {folder}: {taken} is a folder, and the report is to lie there: name another one" if taken else ""
