"""`alertd-sim`: the simulator's command line."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="The world around alertd, simulated.",
)


@app.callback()
def _root() -> None:
    """Nothing is common to the commands."""


@app.command()
def demo(
    once: Annotated[bool, typer.Option("--once", help="Play the story, print its timeline, exit.")] = False,
    config: Annotated[
        Path | None, typer.Option(help="Example configuration; default: the one that came with alertd.")
    ] = None,
    pa: Annotated[
        bool, typer.Option("--pa/--no-pa", help="Leave the loudspeakers out, where multicast does not work.")
    ] = True,
) -> None:
    """Watch a lockdown press reach phones, loudspeakers and a dispatch centre. Nothing leaves this machine.

    Exits 0 if every hop of the story happened, else 1; 3 if it refused to start, for credentials of a live provider are
    at hand.
    """
    from alertd_simulator.demo import demonstrate

    try:
        code = asyncio.run(demonstrate(once=once, config=config, pa=pa))
    except KeyboardInterrupt:
        code = 130
    raise typer.Exit(code)


@app.command()
def receivers(
    config: Annotated[Path, typer.Option("--config", metavar="DIR", help="The district's own configuration.")],
    into: Annotated[Path, typer.Option(metavar="DIR", help="Where the rehearsal is kept.")] = Path("rehearsal"),
    broker: Annotated[
        str | None,
        typer.Option(metavar="HOST:PORT", help="An MQTT broker of the rehearsal's own; default: one is started."),
    ] = None,
) -> None:
    """Be everybody whom the district would tell: carrier, phones, dispatch centre, loudspeakers. Prints what they get.

    Writes a copy of the configuration that leads to them, and says how to start alertd on it. Refuses to start where
    credentials of a live provider are at hand. Ends with Ctrl-C.

    Example:  alertd-sim receivers --config our-district
    """
    from alertd_simulator.rehearsing import run_receivers

    raise typer.Exit(run_receivers(config, into, broker))


@app.command()
def play(
    story: Annotated[Path | None, typer.Argument(help="A story file; see docs/scenarios.md.")] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="Instead of a story: the school day of this seed.")] = None,
    minutes: Annotated[int, typer.Option(min=3, max=600, help="How long a seeded day is, before --speed.")] = 10,
    speed: Annotated[
        float, typer.Option(min=0.01, max=1000.0, help="So many times the pace; alertd's waits stay.")
    ] = 1.0,
    into: Annotated[Path, typer.Option(metavar="DIR", help="The rehearsal of `receivers`.")] = Path("rehearsal"),
    leave_out: Annotated[
        bool, typer.Option("--leave-out", help="Play a story without the lines that only a simulated world can do.")
    ] = False,
) -> None:
    """Press buttons, type and give orders against the running alertd of a rehearsal, over its broker, in real time.

    Needs `alertd-sim receivers` and the alertd that it says how to start. Refuses to begin where anything leads out of
    this machine. It judges nothing: `alertd simulate --scenario` does.

    Examples:  alertd-sim play lockdown.txt  ·  alertd-sim play --seed 7 --minutes 5 --speed 4
    """
    from alertd_simulator.rehearsing import Wish, run_play

    wish = Wish(story=story, seed=seed, minutes=minutes, speed=speed, into=into, leave_out=leave_out)
    raise typer.Exit(run_play(wish))


def main() -> None:
    app()


if __name__ == "__main__":
    main()
