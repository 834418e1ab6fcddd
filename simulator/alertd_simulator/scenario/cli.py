"""`alertd simulate --scenario FILE…`: play stories in a district, and say in plain words which went as told.

Owns which files are meant, which district they are played in, what is printed, and the exit code: 0 if every story went
as told, 1 if one did not, 2 if one cannot be read. Must never soften a complaint.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path

import typer

from alertd.config import load
from alertd_simulator.rehearsal.cli import unplayable
from alertd_simulator.scenario.playing import Played, play
from alertd_simulator.scenario.reading import read_scenario
from alertd_simulator.scenario.story import Scenario
from alertd_simulator.scenario.words import ScenarioError

OK, FAILED, USAGE = 0, 1, 2
DISTRICT = "district"
"""Beside the stories: the configuration in which they are played, where no other is named."""
ENDING = ".txt"


class StoriesError(Exception):
    """There is nothing to play. The message says why, and what to do."""


def play_stories(paths: Sequence[Path], config: Path | None, *, seed: int | None = None) -> int:
    """The exit code. `seed`: other delays than each story's own; a story holds under every one."""
    try:
        files = _files(paths)
        stories = _read(files, config)
    except StoriesError as error:
        typer.echo(str(error), err=True)
        return USAGE
    except KeyboardInterrupt:
        return 130
    failed = 0
    try:
        for story in stories:
            played = play(story, seed=seed, real_numbers=config is not None)
            typer.echo(said_of(played))
            failed += not _passed(played)
    except KeyboardInterrupt:
        typer.echo("interrupted: the other stories were not played", err=True)
        return 130
    typer.echo(_summary(len(stories), failed))
    return FAILED if failed else OK


# --- which -----------------------------------------------------------------------------------------------------------


def _files(paths: Sequence[Path]) -> list[Path]:
    """The named files, and the stories of the named folders in order of their names; each once."""
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            inside = sorted(path.glob(f"*{ENDING}"))
            if not inside:
                raise StoriesError(f"{path}: no story is in this folder: a story is a file *{ENDING}")
            found += inside
        elif path.exists():
            found.append(path)
        else:
            raise StoriesError(f"{path}: there is no such file or folder")
    return list(dict.fromkeys(found))


def _district(file: Path, config: Path | None) -> Path:
    if config is not None:
        return config
    beside = file.parent / DISTRICT
    if not beside.is_dir():
        raise StoriesError(
            f"{file}: played in which district? Name its configuration, --config DIR, or put it beside the story in a "
            f'folder "{DISTRICT}"'
        )
    return beside


def _read(files: Iterable[Path], config: Path | None) -> list[Scenario]:
    """Every story, or every line that cannot be understood: nothing is played while one cannot be read."""
    stories, wrong = [], []
    fine: set[Path] = set()
    for file in files:
        district = _district(file, config)
        if district not in fine:
            if why := unplayable(load(district)):
                raise StoriesError(why)
            fine.add(district)
        try:
            stories.append(read_scenario(file, district))
        except ScenarioError as error:
            wrong += [f"{file.parent / line}" for line in str(error).splitlines()]
        except OSError as error:
            wrong.append(f"{file}: {error.strerror or error}")
    if wrong:
        raise StoriesError("\n".join((*wrong, "Nothing was played.")))
    return stories


# --- what is said ----------------------------------------------------------------------------------------------------


def _passed(played: Played) -> bool:
    return not played.complaints and not played.verdict.violations


def said_of(played: Played) -> str:
    """One story: passed, or everything that did not go as told."""
    story = played.scenario
    proves = ", ".join(story.proves)
    if _passed(played):
        return f"{story.file}: passed ({proves})"
    broken = [
        f'alertd broke a promise of its own, "{v.checker}", {_moment(v.at_us)} after the simulation began: {v.message}'
        for v in played.verdict.violations
    ]
    title = f"\n  {story.title}" if story.title else ""
    wrong = "".join(f"\n  - {line}" for line in (*played.complaints, *broken))
    return f"{story.file}: FAILED, so it does not prove {proves}{title}{wrong}"


def _moment(at_us: int) -> str:
    minutes, seconds = divmod(at_us // 1_000_000, 60)
    return f"{minutes}:{seconds:02d}"


def _summary(played: int, failed: int) -> str:
    stories = "1 story" if played == 1 else f"{played} stories"
    if not failed:
        return f"{stories}: all went as told" if played > 1 else "1 story: it went as told"
    return f"{stories}: {played - failed} went as told, {failed} FAILED"
