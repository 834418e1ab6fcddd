"""The commands about a configuration: begin one, look at it, take lists over, run it, have it taken over.

Imports wait until a command needs them. Must write into a configuration only what the daemon would take.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from alertd.console.options import DEFAULT_CONFIG, ConfigArg, ConfigOption, Json
from alertd.console.terminal import Exit, daemon, fail, print_json

if TYPE_CHECKING:
    from alertd.config import Problem

import_app = typer.Typer(no_args_is_help=True, help="Take people or devices over from a district's own lists (CSV).")
ExportArg = Annotated[
    Path, typer.Argument(metavar="FILE", help="The list as it was exported, CSV.", show_default=False)
]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Show what would change and what would be wrong; write nothing.")
]
Columns = Annotated[
    list[str] | None,
    typer.Option("--column", metavar="OURS=THEIRS", help='What their header calls a column: --column phone="Cell".'),
]
ColumnsOfPeople = Annotated[
    list[str] | None,
    typer.Option(
        "--people-column", metavar="OURS=THEIRS", help='What the list of people calls it: --people-column phone="Cell".'
    ),
]
ColumnsOfDevices = Annotated[
    list[str] | None,
    typer.Option(
        "--device-column", metavar="OURS=THEIRS", help='What the list of devices calls it: --device-column zone="Area".'
    ),
]
Defaults = Annotated[
    list[str] | None,
    typer.Option("--default", metavar="OURS=VALUE", help="For new rows that leave it empty: --default kind=staff."),
]
RemoveMissing = Annotated[bool, typer.Option("--remove-missing", help="Remove rows that the list does not have.")]
Encoding = Annotated[str, typer.Option(help="Of the list, if it is not UTF-8: cp1252 is Excel's plain CSV.")]
Country = Annotated[str, typer.Option(help="Of phone numbers without a country code; default: the district's.")]


def run(config: ConfigArg = DEFAULT_CONFIG) -> None:
    """Run the daemon in the foreground, until SIGTERM.

    Example:  alertd run /etc/alertd
    """
    from alertd.app import run as run_daemon

    raise typer.Exit(run_daemon(config))


def check(config: ConfigArg = DEFAULT_CONFIG, as_json: Json = False) -> None:
    """Say everything that is wrong with a configuration, with file, line and remedy. Needs no daemon.

    Exits 4 if the daemon would refuse it; warnings alone exit 0. The table says how long it takes until the first and
    the last person is told; over a site's everyone_told_within_s is an error.

    Example:  alertd check config/ && alertd reload
    """
    import msgspec

    from alertd import lint
    from alertd.config import load, render_problems
    from alertd.config.problems import counted
    from alertd.console import telling_times
    from alertd.console.plugin_check import SECRET_REMEDY, unbuildable
    from alertd.model.ids import DISTRICT

    loaded = load(config)
    problems = (
        *loaded.problems,
        *lint.check(loaded),
        *unbuildable(loaded.sections, loaded.settings, loaded.directory, loaded.profile_tables),
    )
    usable = not any(problem.is_error for problem in problems)
    counts = {
        what: len(getattr(loaded.registry, what))
        for what in ("sites", "zones", "devices", "people", "policies", "channels", "destinations")
    }
    counts["sites"] -= DISTRICT in loaded.registry.sites
    if as_json:
        found = {"problems": problems, "telling": lint.telling(loaded), "unwatched": lint.unwatched(loaded)}
        print_json({"usable": usable, "checked": counts, **msgspec.to_builtins(found)})
    else:
        checked = ", ".join(counted(count, what) for what, count in counts.items())
        secrets = ", given its secrets" if any(problem.remedy == SECRET_REMEDY for problem in problems) else ""
        verdict = f"the daemon would take it{secrets}" if usable else "the daemon would REFUSE it as a whole"
        typer.echo(render_problems(problems), nl=False)
        telling_times.show(msgspec.to_builtins(lint.telling(loaded)))
        if unwatched := lint.unwatched(loaded):
            kinds = ", ".join(counted(count, f"{kind}s") for kind, count in unwatched.items())
            typer.echo(f"No check-in window, so nobody may notice when one dies (docs/supervision.md): {kinds}.")
        typer.echo(f"Checked {config}: {checked}; {verdict}.")
    raise typer.Exit(Exit.OK if usable else Exit.INVALID)


def init(  # noqa: PLR0913, PLR0917 - one parameter an option
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="A new directory.", show_default=False)],
    people: Annotated[Path, typer.Option(help="Your list of people, CSV.", show_default=False)],
    devices: Annotated[Path, typer.Option(help="Your list of buttons and badges, CSV.", show_default=False)],
    technician: Annotated[list[str], typer.Option(metavar="ID", help="Is told when alertd itself is in trouble.")],
    responder: Annotated[
        list[str] | None, typer.Option(metavar="ID", help="Is asked to go when somebody presses.")
    ] = None,
    name: Annotated[str, typer.Option(help="Of the district.")] = "Our schools",
    time_zone: Annotated[str, typer.Option(help="IANA name.")] = "America/Chicago",
    from_number: Annotated[list[str] | None, typer.Option(help="Your carrier's number that texts come from.")] = None,
    people_column: ColumnsOfPeople = None,
    device_column: ColumnsOfDevices = None,
    encoding: Encoding = "",
    country: Annotated[str, typer.Option(help="Of phone numbers without a country code.")] = "US",
) -> None:
    """Write a first configuration around your own two lists: schools, rooms, people, buttons, plain policies.

    Schools, rooms and people that are called alike are kept apart, and it says how. Columns that it does not use are
    named; whatever the daemon could not read of the lists is said at its line, and then nothing is written.

    Exits 4 if `alertd check` still finds something to mend in it.

    Example:  alertd init our-district --people staff.csv --devices buttons.csv --technician varga --responder ruiz
    """
    from alertd.exports.starting import Beginning, start

    beginning = Beginning(
        people=people, devices=devices, name=name, time_zone=time_zone, encoding=encoding, country=country,
        technicians=tuple(technician), responders=tuple(responder or ()), from_numbers=tuple(from_number or ()),
        people_columns=_pairs(people_column, "--people-column"),
        device_columns=_pairs(device_column, "--device-column"),
    )  # fmt: skip
    _say_what_was_begun(directory, start(directory, beginning))


def _say_what_was_begun(directory: Path, told: Sequence["Problem"]) -> None:
    from alertd import lint
    from alertd.config import load, render_problems

    if any(problem.is_error for problem in told):
        typer.echo(render_problems(told), nl=False)
        fail("Nothing was written.", Exit.INVALID)
    loaded = load(directory)
    problems = (*told, *loaded.problems, *lint.check(loaded))
    typer.echo(render_problems(problems), nl=False)
    typer.echo(f"Written to {directory}. What to mend stands above; look again with: alertd check {directory}")
    raise typer.Exit(Exit.INVALID if any(problem.is_error for problem in problems) else Exit.OK)


@import_app.command("people")
def import_people(  # noqa: PLR0913, PLR0917 - one parameter an option
    export: ExportArg,
    config: ConfigOption = DEFAULT_CONFIG,
    dry_run: DryRun = False,
    column: Columns = None,
    default: Defaults = None,
    remove_missing: RemoveMissing = False,
    encoding: Encoding = "",
    country: Country = "",
) -> None:
    """Take people over from a list of personnel: adds, changes, and removes only with --remove-missing.

    What the list does not say stays as it is in people.csv. Nothing is written unless the daemon would take the whole
    configuration; the old file is kept beside it. Exits 4 if it would not.

    Example:  alertd import people staff.csv --column phone="Cell" --default kind=staff --dry-run
    """
    order: dict[str, Any] = {"columns": _pairs(column, "--column"), "defaults": _pairs(default, "--default")}
    order |= {"remove_missing": remove_missing, "encoding": encoding, "country": country}
    _import("people", export, config, order, dry_run=dry_run)


@import_app.command("devices")
def import_devices(  # noqa: PLR0913, PLR0917 - one parameter an option
    export: ExportArg,
    config: ConfigOption = DEFAULT_CONFIG,
    dry_run: DryRun = False,
    column: Columns = None,
    default: Defaults = None,
    remove_missing: RemoveMissing = False,
    encoding: Encoding = "",
) -> None:
    """Take devices over from a vendor's list, in the same manner as people.

    Example:  alertd import devices buttons.csv --column zone="Room" --default gestures=wall-button --dry-run
    """
    order: dict[str, Any] = {"columns": _pairs(column, "--column"), "defaults": _pairs(default, "--default")}
    _import(
        "devices", export, config, order | {"remove_missing": remove_missing, "encoding": encoding}, dry_run=dry_run
    )


def _pairs(given: list[str] | None, option: str) -> dict[str, str]:
    pairs = {name.strip(): value.strip() for name, _, value in (each.partition("=") for each in given or ())}
    if not all(name and value for name, value in pairs.items()):
        fail(f"{option} is written like {option} phone=Cell", Exit.USAGE)
    return pairs


def _import(what: str, export: Path, config: Path, order: Mapping[str, Any], *, dry_run: bool) -> None:
    from alertd import lint
    from alertd.console import import_words
    from alertd.exports.columns import DEVICES, PEOPLE
    from alertd.exports.importing import NotWrittenError, Order, prepare, write

    prepared = prepare(config, PEOPLE if what == "people" else DEVICES, export, Order(**order), lint.check)
    import_words.show(prepared, export)
    if not prepared.is_allowed:
        fail("Nothing was written: the configuration would be refused.", Exit.INVALID)
    if dry_run or not (prepared.merged and prepared.merged.changes):
        typer.echo("Nothing was written." if dry_run else "Nothing changes.")
        return
    try:
        kept = write(prepared)
    except NotWrittenError as error:
        fail(str(error), Exit.FAILED)
    old = f" The file as it was: {kept.name}." if kept else ""
    typer.echo(f"Written to {config / prepared.table.file}.{old} A running daemon takes it with: alertd reload")


def reload(context: typer.Context, as_json: Json = False) -> None:
    """Take over the changed configuration, or print why it was refused; then the last good one stays.

    Exits 4 if it was refused.

    Example:  alertd check && alertd reload
    """
    from alertd.console import render
    from alertd.console.client import RefusedError

    with daemon(context) as client:
        try:
            answer = client.post("/v1/reload", {})
        except RefusedError as error:
            if error.status != 409:
                raise
            print_json(error.answer) if as_json else render.refusal(error.answer)
            raise typer.Exit(Exit.INVALID) from None
    if as_json:
        print_json(answer)
    else:
        typer.echo(f"Configuration {render.plain(answer['config_version'])} is in force.")
