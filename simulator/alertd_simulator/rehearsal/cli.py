"""`alertd simulate --config DIR`: rehearse a district's real configuration, and say what its policies do.

Owns refusals, files and exit codes. Must write nothing but the report.
"""

import sys
from pathlib import Path

import msgspec
import typer
from rich.console import Console

from alertd import lint
from alertd.config import Loaded, load, render_problems
from alertd.console.plugin_check import SECRET_REMEDY, unbuildable
from alertd.console.terminal import Exit
from alertd_simulator.rehearsal import screen
from alertd_simulator.rehearsal.assumptions import Assumptions, AssumptionsError, read_assumptions
from alertd_simulator.rehearsal.page import page
from alertd_simulator.rehearsal.report import Report, report_of
from alertd_simulator.rehearsal.running import Rehearsal, RehearsalFailedError
from alertd_simulator.rehearsal.subjects import subjects_of
from alertd_simulator.rehearsal.world_limits import not_simulated

DAYS_MAX = 1_000
FILE_WIDTH = 140
"""Columns of the table when nobody looks."""


def unplayable(loaded: Loaded) -> str:
    """Why nothing can be simulated in this configuration: what `alertd check` says of it, if the daemon would refuse
    it; or what the world cannot play. Empty: it can."""
    if not loaded.directory.is_dir():  # whatever else is missing is missing because of that
        return render_problems(loaded.problems[:1]).partition("\n")[0]
    problems = (
        *loaded.problems,
        *lint.check(loaded),
        *unbuildable(loaded.sections, loaded.settings, loaded.directory, loaded.profile_tables),
    )
    if any(problem.is_error for problem in problems):
        rest = "Mend what `alertd check` reports, then try again."
        return render_problems(problem for problem in problems if problem.remedy != SECRET_REMEDY) + rest
    return "\n".join(not_simulated(loaded))


def rehearse(
    config: Path, *, days: int, seed: int, out: Path, as_json: bool, assumptions_file: Path | None = None
) -> int:
    """Answers the exit code. `out` is the page; with `as_json` the same figures go to the standard output."""
    errors = Console(stderr=True)
    loaded = load(config)
    if refusal := unplayable(loaded):
        typer.echo(refusal, err=True)
        return Exit.INVALID
    try:
        assumptions = read_assumptions(assumptions_file) if assumptions_file else Assumptions()
        report = _run(loaded, assumptions, errors, days=min(max(days, 1), DAYS_MAX), seed=seed)
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(page(report), encoding="utf-8")
    except AssumptionsError as error:
        typer.echo(str(error), err=True)
        return Exit.USAGE
    except RehearsalFailedError as error:
        typer.echo(f"the simulation failed, which is a defect of alertd, not of {config}:\n{error}", err=True)
        return Exit.FAILED
    except OSError as error:
        typer.echo(f"{out}: {error.strerror or error}", err=True)
        return Exit.FAILED
    if as_json:
        typer.echo(msgspec.json.format(msgspec.json.encode(report), indent=2).decode())
    else:
        screen.show(Console(width=None if sys.stdout.isatty() else FILE_WIDTH), report)
        typer.echo(f"The whole report: {out}")
    return Exit.OK


def _run(loaded: Loaded, assumptions: Assumptions, errors: Console, *, days: int, seed: int) -> Report:
    subjects, not_rehearsed = subjects_of(loaded.registry)
    with screen.progress(errors) as tell:
        rehearsed = Rehearsal(loaded, assumptions, seed=seed, days=days, progress=tell).run(subjects)
    return report_of(loaded, rehearsed, not_rehearsed, assumptions, seed=seed, days=days)
