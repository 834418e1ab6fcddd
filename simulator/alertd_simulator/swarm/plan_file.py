"""A plan in a file: what shrinking leaves behind, what `--plan` replays, what a regression is.

Owns the format: JSON that a person can read and change, with a comment that says which bug it was. Must not run it.
"""

from pathlib import Path

import msgspec
from msgspec import Struct

from alertd_simulator.swarm.plan_check import problems_of
from alertd_simulator.world.plan import Plan


class PlanFile(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`checker` and `message`: what failed when this was written."""

    comment: str
    checker: str = ""
    message: str = ""
    plan: Plan


class UnreadablePlanError(Exception):
    """No plan is in the file. The message names it and says why."""


def read_plan(path: Path) -> PlanFile:
    """Raises `UnreadablePlanError`; for a key, a word or a moment that makes no sense, too."""
    try:
        file = msgspec.json.decode(path.read_bytes(), type=PlanFile)
    except OSError as error:
        raise UnreadablePlanError(f"{path}: {error.strerror}") from error
    except msgspec.DecodeError as error:  # ValidationError is one, too
        raise UnreadablePlanError(f"{path} holds no plan: {error}") from error
    if problems := problems_of(file.plan):
        raise UnreadablePlanError("\n".join(f"{path}: plan.{problem}" for problem in problems))
    return file


def write_plan(path: Path, file: PlanFile) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(msgspec.json.format(msgspec.json.encode(file), indent=1) + b"\n")


def read_regressions(folder: Path) -> dict[str, PlanFile]:
    """Every plan of the folder, by name. Raises `UnreadablePlanError`; for one that names no bug, too."""
    found = {path.stem: read_plan(path) for path in sorted(folder.glob("*.json"))}
    for name, file in found.items():
        if not file.comment.strip():
            raise UnreadablePlanError(f"{folder / name}.json has no comment: say which bug it was")
    return found
