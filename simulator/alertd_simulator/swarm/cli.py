"""`alertd simulate`, as its command line: an entry point of the group `alertd.commands`.

Light: `alertd --help` imports this module, and nothing else of the simulator. What the command does is in `command`.
"""

from pathlib import Path
from typing import Annotated

import typer

from alertd.console.terminal import one_directory

REHEARSED_DAYS = 20
"""Of each policy, unless --seeds says otherwise: some minutes of work; a p95 begins to mean something."""
USAGE = 2
REPORT = "rehearsal.html"


def simulate(  # noqa: PLR0913, PLR0917 - one parameter an option
    context: typer.Context,
    more: Annotated[
        list[Path] | None, typer.Argument(metavar="FILE", help="More files or folders of stories, after --scenario.")
    ] = None,
    seeds: Annotated[int | None, typer.Option(min=1, help="So many days, each from a seed of its own.")] = None,
    first_seed: Annotated[int, typer.Option(min=0, help="The first of them; the others follow it.")] = 1,
    jobs: Annotated[
        int | None, typer.Option(min=1, help="Days at a time; default: one a processor.", show_default=False)
    ] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="Only this one.")] = None,
    plan: Annotated[Path | None, typer.Option(metavar="FILE", help="Only the day in this file.")] = None,
    trace: Annotated[bool, typer.Option("--trace", help="Print all that happens; for one day.")] = False,
    scenario: Annotated[
        list[Path] | None,
        typer.Option(metavar="FILE", help="Play stories instead: a file, or a folder of *.txt; more may follow."),
    ] = None,
    config: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Rehearse the policies of your own configuration instead; with --scenario, play the stories there.",
            callback=one_directory,
        ),
    ] = None,
    assumptions: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="With --config: what to take for granted of people and carriers."),
    ] = None,
    out: Annotated[Path, typer.Option(metavar="DIR", help="Where reports and shrunk plans go.")] = Path("simulated"),
    stop_at_first: Annotated[bool, typer.Option("--stop-at-first", help="Begin no more days after a failure.")] = False,
    shrink_runs: Annotated[int, typer.Option(min=0, help="Days that making a failure small may cost.")] = 300,
    coverage: Annotated[bool, typer.Option("--coverage", help="Judge the coverage of a short run, too.")] = False,
    write_coverage: Annotated[
        bool, typer.Option("--write-coverage", help="Write anew which pairs of fault and edge a run must take.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON, for programs.")] = False,
) -> None:
    """Live through bad days of a simulated school, and see whether a press is ever lost. Nothing leaves this machine.

    The real daemon runs under bent time: crashes, full disks, slow carriers, lost messages, all from the seed. A day
    that fails is made as small as it gets. Exits 0 only if all passed and every listed pair of fault and life-cycle
    edge was taken.

    Examples:  alertd simulate --seeds 1000  ·  alertd simulate --config DIR  ·  alertd simulate --scenario stories/
    """
    from alertd_simulator.swarm.option_rules import refusal, unwritable

    _refuse_if(refusal([name for name in context.params if _is_given(context, name)]))
    if scenario:
        from alertd_simulator.scenario.cli import play_stories

        raise typer.Exit(play_stories([*scenario, *(more or ())], config, seed=seed))
    _refuse_if(unwritable(out, *([REPORT] if config is not None else [])))
    if config is not None:
        from alertd_simulator.rehearsal.cli import rehearse

        raise typer.Exit(
            rehearse(
                config,
                days=seeds or REHEARSED_DAYS,
                seed=first_seed,
                out=out / REPORT,
                as_json=as_json,
                assumptions_file=assumptions,
            )
        )

    from alertd_simulator.swarm import command

    options = command.Options(
        seeds=seeds or command.SEEDS,
        first_seed=first_seed,
        jobs=jobs,
        seed=seed,
        plan=plan,
        trace=trace,
        out=out,
        stop_at_first=stop_at_first,
        shrink_runs=shrink_runs,
        coverage=coverage,
        write_coverage=write_coverage,
        as_json=as_json,
    )
    raise typer.Exit(command.simulate(options))


def _is_given(context: typer.Context, name: str) -> bool:
    source = context.get_parameter_source(name)
    is_said_before = name == "config" and context.params.get(name) is not None  # alertd --config DIR simulate
    return is_said_before or (source is not None and source.name == "COMMANDLINE")


def _refuse_if(why: str) -> None:
    if why:
        typer.echo(why, err=True)
        raise typer.Exit(USAGE)
