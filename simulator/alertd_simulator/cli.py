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
    """Keeps `demo` a command of its own while it is the only one."""


@app.command()
def demo(
    once: Annotated[bool, typer.Option("--once", help="Play the story, print its timeline, exit.")] = False,
    config: Annotated[
        Path | None, typer.Option(help="Example configuration; default: the one that came with alertd.")
    ] = None,
) -> None:
    """Watch a lockdown press reach phones and a dispatch centre. Nothing leaves this machine.

    Exits 0 if every hop of the story happened, else 1.
    """
    from alertd_simulator.demo import demonstrate

    try:
        code = asyncio.run(demonstrate(once=once, config=config))
    except KeyboardInterrupt:
        code = 130
    raise typer.Exit(code)


def main() -> None:
    app()


if __name__ == "__main__":
    main()
