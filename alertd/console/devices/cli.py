"""`alertd devices decode`: one message, explained. Needs no daemon, only the configuration."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from alertd.console.terminal import Exit, fail, one_directory, print_json

devices_app = typer.Typer(no_args_is_help=True, help="What devices say, and what alertd makes of it.")

WIDTH = 10
"""Of the column that says what was looked at."""

Json = Annotated[bool, typer.Option("--json", help="Print it as JSON, for programs.")]


@devices_app.command()
def decode(
    topic: Annotated[str, typer.Argument(help="The topic on which it comes.")],
    payload: Annotated[str, typer.Argument(help="The payload; @FILE for a file's bytes, - for standard input.")],
    config: Annotated[
        Path,
        typer.Option(
            "--config",
            envvar="ALERTD_CONFIG",
            help="Configuration directory.",
            metavar="DIR",
            callback=one_directory,
        ),
    ] = Path("/etc/alertd"),
    retained: Annotated[bool, typer.Option("--retained", help="As if the broker had kept it.")] = False,
    as_json: Json = False,
) -> None:
    """Explain a message, step by step: who reads it, which device, which rule, and whether it would page.

    Nothing is sent, and nobody is told: it reads the configuration, and decodes as the daemon would.

    Example:  alertd devices decode zigbee2mqtt/button-204 '{"action": "single", "battery": 80}'
    """
    import msgspec

    from alertd.config import load
    from alertd.console.devices.decoding import NotHeardError
    from alertd.console.devices.decoding import decode as decoded

    loaded = load(config)
    if not loaded.is_usable:
        fail(f"{config} cannot be read as it is: see alertd check {config}", Exit.INVALID)
    try:
        told = decoded(loaded, topic, _bytes(payload), retained=retained)
    except NotHeardError as error:
        fail(str(error), Exit.FAILED)
    if as_json:
        print_json(msgspec.to_builtins(told))
        return
    typer.echo(f"{'trigger':<{WIDTH}}{told.source}")
    for step in told.steps:
        typer.echo(f"{step.what:<{WIDTH}}{step.found}")
    for verdict in told.verdicts:
        typer.echo(f"{'PAGES' if verdict.pages else 'no page':<{WIDTH}}{verdict.why}")


def _bytes(payload: str) -> bytes:
    if payload == "-":
        return sys.stdin.buffer.read()
    if payload.startswith("@"):
        try:
            return Path(payload[1:]).read_bytes()
        except OSError as error:
            fail(f"{payload[1:]} cannot be read: {error.strerror}", Exit.USAGE)
    return payload.encode(errors="surrogateescape")
