"""The command line. Talks to the daemon over its local socket by the versioned API; never writes the database.

Imports wait until a command needs them, so that `alertd --help` answers at once. What is shown, `console.render` owns.
"""

import sys
from pathlib import Path
from typing import Annotated

import typer

from alertd.cli import configuration, incidents, keeping, loudspeakers, proving
from alertd.console.added_commands import WithAddedCommands
from alertd.console.brokers.cli import broker_app
from alertd.console.devices.cli import devices_app
from alertd.console.drilling.cli import drill_app
from alertd.console.terminal import Exit, Target, fail

CODES = """Exit codes:
  0  done
  1  refused, or failed: nothing was changed unless the message says so
  2  the command was not understood
  3  the daemon cannot be reached
  4  the configuration is invalid
  5  health: alive, but degraded"""

app = typer.Typer(
    cls=WithAddedCommands,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    help=f"""Duress alerts for schools: one press reaches a phone and a dispatcher, and is never lost.

In an emergency call 911. alertd is one more way to be heard, not the only one.

{CODES}""",
    epilog="What a command does, with examples: alertd COMMAND --help",
)

for command in (
    configuration.run,
    configuration.check,
    configuration.init,
    incidents.press,
    incidents.incidents,
    incidents.timeline,
    incidents.ack,
    incidents.resolve,
    incidents.release,
    incidents.correct,
    loudspeakers.say,
    proving.health,
    configuration.reload,
    keeping.verify,
    keeping.backup,
    keeping.restore,
):
    app.command()(command)
app.command("doctor")(proving.examine)
for name, group in (
    ("test", proving.test_app),
    ("troubles", proving.troubles_app),
    ("pa", loudspeakers.pa_app),
    ("import", configuration.import_app),
    ("drill", drill_app),
    ("devices", devices_app),
    ("broker", broker_app),
):
    app.add_typer(group, name=name)
devices_app.command("import")(configuration.import_devices)  # where whoever came from `devices learn` looks for it


def _print_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"alertd {version('alertd')}")
        raise typer.Exit


@app.callback()
def options(
    context: typer.Context,
    socket: Annotated[
        Path | None, typer.Option(help="The daemon's socket.", envvar="ALERTD_SOCKET_PATH", show_default=False)
    ] = None,
    config: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", help="Configuration directory, of every command that needs one.", envvar="ALERTD_CONFIG"
        ),
    ] = None,
    _version: Annotated[
        bool, typer.Option("--version", help="Print the version.", callback=_print_version, is_eager=True)
    ] = False,
) -> None:
    source = context.get_parameter_source("config")
    said = config if source is not None and source.name == "COMMANDLINE" else None
    if said is not None and context.invoked_subcommand == "init":
        fail("init writes a new directory, which is named behind it: alertd init DIR", Exit.USAGE)
    context.obj = Target(socket=socket, config=config, config_said=said)


def main() -> None:
    """Entry point `alertd`."""
    try:
        app(prog_name="alertd")
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:  # `alertd incidents | head`
        sys.stderr.close()
        sys.exit(Exit.OK)
