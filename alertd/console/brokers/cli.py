"""`alertd broker …`: the broker's configuration, written from the registry. The daemon need not run.

Imports wait until a command needs them, as in `alertd.cli`. Must never show a password.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from alertd.console.terminal import Exit, fail, one_directory

if TYPE_CHECKING:
    from alertd.config import Loaded
    from alertd.exports.broker.files import Planned

broker_app = typer.Typer(no_args_is_help=True, help="The MQTT broker's side: its configuration, from the registry.")

NAMED_MAX = 8
"""Users named in a line; the others are counted."""


@broker_app.command("config")
def write_config(
    out: Annotated[
        Path, typer.Option("--out", metavar="DIR", help="Where to write it. Keep it: it holds the passwords.")
    ] = Path("/etc/alertd-broker"),
    config: Annotated[
        Path,
        typer.Option(
            "--config", metavar="DIR", envvar="ALERTD_CONFIG", help="Configuration directory.", callback=one_directory
        ),
    ] = Path("/etc/alertd"),
    renew: Annotated[
        list[str] | None,
        typer.Option("--renew", metavar="USER", help="Make up a new password for this user: a badge was lost."),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would change; write nothing.")] = False,
) -> None:
    """Write mosquitto's configuration, access list and password file for every broker of channels.toml.

    Each device gets a user and topics of its own. Who has a password keeps it, who left devices.csv loses it. New
    passwords stand in clear in hand-out.csv and secrets/, readable for their owner only, and nowhere else.

    Example:  alertd broker config --out /etc/alertd-broker
    """
    from alertd.config import load
    from alertd.console.plugin_check import surroundings_of
    from alertd.exports.broker.files import CannotBeWrittenError, plan, write
    from alertd.plugins import PluginError
    from alertd.ports import SettingsError

    loaded = load(config)
    _refuse_broken(loaded, config)
    try:
        planned = plan(loaded, out, surroundings_of(loaded), frozenset(renew or ()))
        if not planned:
            fail(f"{config}: no source in channels.toml has the plugin mqtt, so there is no broker", Exit.INVALID)
        if not dry_run:
            write(planned, out)
    except (CannotBeWrittenError, SettingsError, PluginError) as error:
        fail(str(error), Exit.FAILED)
    _show(planned, out)
    typer.echo("Nothing was written." if dry_run else _next_steps(planned, out))


def _refuse_broken(loaded: "Loaded", config: Path) -> None:
    from alertd.console.plugin_check import unbuildable

    sources = [section for section in loaded.sections if section.table == "sources"]
    wrong = unbuildable(sources, loaded.settings, loaded.directory, loaded.profile_tables)
    if not loaded.is_usable or any(problem.is_error for problem in wrong):
        fail(f"{config} cannot be used as it is: see alertd check {config}", Exit.INVALID)


def _show(planned: "Sequence[Planned]", out: Path) -> None:
    from alertd.config import render_problems
    from alertd.config.problems import counted

    for each in planned:
        layout, settled = each.layout, each.settled
        role = "presses: saved at every change" if layout.presses else "readings: saved once a minute"
        ports = f"{layout.tls_port} (TLS)" + (f" and 127.0.0.1:{layout.plain_port}" if layout.plain_port else "")
        typer.echo(f"{out / layout.name}: the broker of sources.{layout.name}, on {ports}, for {role}")
        users = f"{counted(len(each.clients), 'users')}: {len(settled.kept)} keep their password"
        typer.echo(f"    {users}{_named('new', settled.new)}{_named('gone', settled.gone)}")
        if each.problems:
            typer.echo(render_problems(each.problems), nl=False)


def _named(what: str, names: Sequence[str]) -> str:
    if not names:
        return ""
    more = f" and {len(names) - NAMED_MAX} more" if len(names) > NAMED_MAX else ""
    return f"; {len(names)} {what}: {', '.join(names[:NAMED_MAX])}{more}"


def _next_steps(planned: "Sequence[Planned]", out: Path) -> str:
    lines = ["Next, as root (docs/broker.md):"]
    for each in planned:
        etc, folder = each.layout.etc, out / each.layout.name
        if not each.layout.is_first:
            lines.append(f"    install -d {etc}")
            lines.append(f"    install -d -o mosquitto -g mosquitto {each.layout.state}")
        lines.append(f"    install -m 644 {folder}/mosquitto.conf {etc}/")
        lines.append(f"    install -m 640 -o mosquitto -g mosquitto {folder}/acl {folder}/passwords {etc}/")
    if any(name.startswith("secrets/") for each in planned for name in each.texts):
        lines.append(f"    install -m 600 {out}/secrets/* /etc/alertd/secrets/")
    for each in planned:
        is_restarted = each.is_new_conf or each.is_alertd_new
        lines.append(f"    systemctl {'restart' if is_restarted else 'reload'} {each.layout.unit}")
    if any(each.is_alertd_new for each in planned):  # it reads its password when it starts
        lines.append("    systemctl try-restart alertd")
    lines.append(f"Passwords to hand out: {', '.join(f'{out / each.layout.name}/hand-out.csv' for each in planned)}")
    return "\n".join(lines)
