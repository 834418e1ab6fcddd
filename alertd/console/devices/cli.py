"""`alertd devices …`: what a message means, which needs no daemon; how the devices are, which the daemon knows."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from alertd.console.learning import cli as learning
from alertd.console.terminal import Exit, daemon, fail, one_directory, print_json
from alertd.console.trying import cli as trying

devices_app = typer.Typer(no_args_is_help=True, help="What devices say, and what alertd makes of it.")

WIDTH = 10
"""Of the column that says what was looked at."""

Json = Annotated[bool, typer.Option("--json", help="Print it as JSON, for programs.")]

devices_app.command("test")(trying.try_out)
devices_app.command("hash-code")(trying.hash_code)
devices_app.command("learn")(learning.learn)


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


@devices_app.command("list")
def list_(  # noqa: PLR0913, PLR0917 - one parameter an option
    context: typer.Context,
    never_heard: Annotated[bool, typer.Option("--never-heard", help="Not one message of it ever came.")] = False,
    never_tested: Annotated[bool, typer.Option("--never-tested", help="Nobody has ever pressed it.")] = False,
    untested_days: Annotated[
        int | None, typer.Option("--untested-for", min=1, max=3650, metavar="DAYS", help="Not pressed for so long.")
    ] = None,
    silent: Annotated[bool, typer.Option("--silent", help="Missed, or behind a gateway that is gone.")] = False,
    low_battery: Annotated[bool, typer.Option("--low-battery", help="Its battery is low.")] = False,
    tampered: Annotated[
        bool, typer.Option("--tampered", help="It says that somebody opened it, or took it down.")
    ] = False,
    qos0: Annotated[bool, typer.Option("--qos0", help="Its presses come at QoS 0 only, and can be lost.")] = False,
    no_window: Annotated[bool, typer.Option("--no-window", help="Nobody would notice if it died.")] = False,
    site: Annotated[str | None, typer.Option("--site", help="Of one site.")] = None,
    as_json: Json = False,
) -> None:
    """List devices: when each was last heard and pressed, its battery, and what is wrong.

    Several options together: devices that are all of it.

    Example:  alertd devices list --never-tested --site oak
    """
    from urllib.parse import urlencode

    from alertd.console import render

    asked = {
        "never_heard": never_heard, "never_tested": never_tested, "silent": silent, "low_battery": low_battery,
        "tampered": tampered, "qos0": qos0, "no_window": no_window,
    }  # fmt: skip
    query: list[tuple[str, str]] = [("list", name) for name, wanted in asked.items() if wanted]
    query += [("site", site)] if site is not None else []
    query += [("untested_days", str(untested_days))] if untested_days is not None else []
    with daemon(context) as client:
        found = client.get(f"/v1/devices?{urlencode(query)}" if query else "/v1/devices")
        print_json(found) if as_json else render.devices(found)


def _bytes(payload: str) -> bytes:
    if payload == "-":
        return sys.stdin.buffer.read()
    if payload.startswith("@"):
        try:
            return Path(payload[1:]).read_bytes()
        except OSError as error:
            fail(f"{payload[1:]} cannot be read: {error.strerror}", Exit.USAGE)
    return payload.encode(errors="surrogateescape")
