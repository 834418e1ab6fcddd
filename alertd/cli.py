"""The command line. Talks to the daemon over its local socket by the versioned API; never writes the database.

Imports wait until a command needs them, so that `alertd --help` answers at once. What is shown, `console.render` owns.
"""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from alertd.console.added_commands import WithAddedCommands
from alertd.console.brokers.cli import broker_app
from alertd.console.client import Client
from alertd.console.devices.cli import devices_app
from alertd.console.drilling.cli import drill_app
from alertd.console.terminal import (
    Exit,
    Target,
    ask_whether_live,
    await_last_word,
    await_voice,
    daemon,
    fail,
    one_directory,
    print_json,
    show_committed,
    signed,
    socket_of,
)

if TYPE_CHECKING:
    from alertd.config import Problem, Settings

DEFAULT_CONFIG = Path("/etc/alertd")
TEST_WAIT_S = 30
VOICE_WAIT_S = 5
LOST = frozenset({"failed", "expired", "suppressed", "withdrawn"})
"""Of what was to be said, and was not."""

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
test_app = typer.Typer(no_args_is_help=True, help="Prove one person's phones or one webhook, in mode test.")
app.add_typer(test_app, name="test")
troubles_app = typer.Typer(invoke_without_command=True, help="What is wrong with alertd or what it depends on.")
app.add_typer(troubles_app, name="troubles")

pa_app = typer.Typer(no_args_is_help=True, help="Loudspeakers: make them fall silent. To have words said: alertd say.")
app.add_typer(pa_app, name="pa")

import_app = typer.Typer(no_args_is_help=True, help="Take people or devices over from a district's own lists (CSV).")
app.add_typer(import_app, name="import")

app.add_typer(drill_app, name="drill")
app.add_typer(devices_app, name="devices")
app.add_typer(broker_app, name="broker")

Json = Annotated[bool, typer.Option("--json", help="Print the API's own JSON, for programs.")]
By = Annotated[str | None, typer.Option("--by", metavar="PERSON", help="Who orders it: a person's id.")]
Name = Annotated[
    str | None, typer.Option("--name", help="Who orders it, if not in people.csv: the name as others should read it.")
]
VoiceWait = Annotated[
    int, typer.Option("--wait", min=0, max=30, help="Seconds to wait until every loudspeaker has taken it.")
]
IncidentArg = Annotated[
    str,
    typer.Argument(metavar="INCIDENT", help="Its id or its beginning, its reply token, or a code of the texts (417)."),
]
ConfigArg = Annotated[
    Path,
    typer.Argument(
        metavar="DIR",
        envvar="ALERTD_CONFIG",
        help="Configuration directory.",
        show_default=True,
        callback=one_directory,
    ),
]
KeyOption = Annotated[
    str | None, typer.Option("--key", help="Idempotency key: the same order with the same key is done once.")
]


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


@app.command()
def run(config: ConfigArg = DEFAULT_CONFIG) -> None:
    """Run the daemon in the foreground, until SIGTERM.

    Example:  alertd run /etc/alertd
    """
    from alertd.app import run as run_daemon

    raise typer.Exit(run_daemon(config))


@app.command()
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
        found = {"problems": problems, "telling": lint.telling(loaded)}
        print_json({"usable": usable, "checked": counts, **msgspec.to_builtins(found)})
    else:
        checked = ", ".join(counted(count, what) for what, count in counts.items())
        secrets = ", given its secrets" if any(problem.remedy == SECRET_REMEDY for problem in problems) else ""
        verdict = f"the daemon would take it{secrets}" if usable else "the daemon would REFUSE it as a whole"
        typer.echo(render_problems(problems), nl=False)
        telling_times.show(msgspec.to_builtins(lint.telling(loaded)))
        typer.echo(f"Checked {config}: {checked}; {verdict}.")
    raise typer.Exit(Exit.OK if usable else Exit.INVALID)


ExportArg = Annotated[
    Path, typer.Argument(metavar="FILE", help="The list as it was exported, CSV.", show_default=False)
]
ImportTo = Annotated[
    Path,
    typer.Option(
        "--config",
        metavar="DIR",
        envvar="ALERTD_CONFIG",
        help="Configuration directory.",
        show_default=True,
        callback=one_directory,
    ),
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


@import_app.command("people")
def import_people(  # noqa: PLR0913, PLR0917 - one parameter an option
    export: ExportArg,
    config: ImportTo = DEFAULT_CONFIG,
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
    config: ImportTo = DEFAULT_CONFIG,
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


@app.command()
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


@app.command()
def press(  # noqa: PLR0913, PLR0917 - one parameter an option
    context: typer.Context,
    device: Annotated[str, typer.Argument(help="The registered device to press.")],
    action: Annotated[str, typer.Option(help="The device's own word for what was done.")] = "press",
    count: Annotated[int | None, typer.Option(min=1, max=50, help="Presses that the device counted.")] = None,
    heard_by: Annotated[str | None, typer.Option(help="Gateway near which a wearable is.")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask. It is live all the same.")] = False,
    key: KeyOption = None,
    as_json: Json = False,
) -> None:
    """Press a device by hand. LIVE: real phones ring and dispatch is told.

    It goes through the same door as a button's press. To try a phone or a webhook use `alertd test`.

    Example:  alertd press badge-17 --count 3
    """
    from alertd.console.client import segment

    with daemon(context) as client:
        if not yes:
            ask_whether_live(client.get(f"/v1/devices/{segment(device)}"))
        order = {"device_id": device, "action": action, "count": count, "heard_by": heard_by}
        show_committed(client.post("/v1/press", order, key), as_json)


@app.command()
def incidents(
    context: typer.Context,
    incident: Annotated[str | None, typer.Argument(help="Show this one, with its messages.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Closed ones, too.")] = False,
    site: Annotated[str | None, typer.Option(help="Of one site only.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=500, help="At most so many.")] = 50,
    as_json: Json = False,
) -> None:
    """What is going on: open incidents, who answered, what dispatch said. Times are the site's own.

    Examples:  alertd incidents  ·  alertd incidents --all --site oak  ·  alertd incidents 17
    """
    from alertd.console import render
    from alertd.console.client import segment

    with daemon(context) as client:
        if incident is not None:
            one = client.get(f"/v1/incidents/{segment(incident)}")
            print_json(one) if as_json else render.incident(one)
            return
        found = client.get("/v1/incidents", open=str(not everything).lower(), site=site, limit=limit)
        print_json(found) if as_json else render.incidents(found, only_open=not everything)


@app.command()
def timeline(context: typer.Context, incident: IncidentArg, as_json: Json = False) -> None:
    """What happened, hop by hop, in milliseconds since the press, and why; and what is not known.

    Example:  alertd timeline 17
    """
    from alertd.console import render
    from alertd.console.client import segment

    with daemon(context) as client:
        answer = client.get(f"/v1/incidents/{segment(incident)}/timeline")
        print_json(answer) if as_json else render.timeline(answer)


@app.command()
def ack(  # noqa: PLR0913, PLR0917 - one parameter an option
    context: typer.Context,
    incident: IncidentArg,
    person: Annotated[str, typer.Option("--as", help="Who answers: a person's id.")],
    arrived: Annotated[bool, typer.Option("--arrived", help="Is there, instead of going.")] = False,
    cannot_go: Annotated[bool, typer.Option("--cannot-go", help="Cannot go: the next is called at once.")] = False,
    key: KeyOption = None,
    as_json: Json = False,
) -> None:
    """Answer for a person: going, arrived, or cannot go. Pauses the escalation; never calls dispatch off.

    Only for somebody of the incident's site, or who was told of it. By a code of the texts (417, 517, 617) its digit
    says the answer; the timeline shows that an operator typed it.

    Examples:  alertd ack 17 --as ruiz  ·  alertd ack 17 --as ruiz --arrived  ·  alertd ack 517 --as ruiz
    """
    from alertd.console.client import segment

    if arrived and cannot_go:
        fail("--arrived and --cannot-go say opposite things: give one of them", Exit.USAGE)
    kind = {"kind": "arrived"} if arrived else {"kind": "cannot_go"} if cannot_go else {}
    with daemon(context) as client:
        answer = client.post(f"/v1/incidents/{segment(incident)}/answers", {"person": person, **kind}, key)
        show_committed(answer, as_json)


@app.command()
def resolve(  # noqa: PLR0913, PLR0917 - one parameter an option
    context: typer.Context,
    incident: IncidentArg,
    by: By = None,
    name: Name = None,
    rooms_released: Annotated[
        bool, typer.Option("--rooms-released", help="Every room of the lockdown was released, in person: close it.")
    ] = False,
    key: KeyOption = None,
    as_json: Json = False,
) -> None:
    """Close an incident. A lockdown is first releasing: rooms are released in person, one by one.

    No message tells a locked room that it is over. Close the lockdown with --rooms-released after the last room.

    Examples:  alertd resolve 17 --by chen  ·  alertd resolve 17 --by chen --rooms-released
    """
    _resolve(context, incident, {**signed(by, name), "rooms_released": rooms_released}, key, as_json)


@app.command()
def release(  # noqa: PLR0913, PLR0917 - one parameter an option
    context: typer.Context,
    incident: IncidentArg,
    room: Annotated[str, typer.Argument(help='The room that was released in person: "204" or "Rm 204".')],
    by: By = None,
    name: Name = None,
    key: KeyOption = None,
    as_json: Json = False,
) -> None:
    """Note that one room of a lockdown was released, in person. Tells nobody to open a door.

    Example:  alertd release 17 204 --by chen
    """
    _resolve(context, incident, {**signed(by, name), "zone": room}, key, as_json)


def _resolve(context: typer.Context, incident: str, order: Mapping[str, Any], key: str | None, as_json: bool) -> None:
    from alertd.console.client import segment

    with daemon(context) as client:
        show_committed(client.post(f"/v1/incidents/{segment(incident)}/resolve", order, key), as_json)


@app.command()
def correct(  # noqa: PLR0913, PLR0917 - one parameter an option
    context: typer.Context,
    incident: IncidentArg,
    reason: Annotated[str, typer.Option(help="Why it was a mistake; kept as evidence.")],
    by: By = None,
    name: Name = None,
    key: KeyOption = None,
    as_json: Json = False,
) -> None:
    """Say that it was a mistake, to exactly those who were told. Dispatch gets a request to cancel; police decide.

    It is no all-clear: in a lockdown rooms stay locked until they are released in person.

    Example:  alertd correct 17 --by ruiz --reason "badge sat on"
    """
    from alertd.console import render
    from alertd.console.client import segment

    order = {**signed(by, name), "reason": reason}
    with daemon(context) as client:
        answer = client.post(f"/v1/incidents/{segment(incident)}/correct", order, key)
        if as_json:
            print_json(answer)
            return
        render.console().print(render.plain(answer["words"]))
        render.went_to(answer)


@app.command()
def say(  # noqa: PLR0913, PLR0917 - one parameter an option
    context: typer.Context,
    site: Annotated[str, typer.Argument(help="A site's id.")],
    words: Annotated[str, typer.Argument(help="What people hear, twice: at most 200 characters.")],
    zone: Annotated[
        list[str] | None, typer.Option("--zone", help="Only these of its loudspeakers; may be given more than once.")
    ] = None,
    emergency: Annotated[
        bool, typer.Option("--emergency", help="Cuts what is being said, also the announcement of a lockdown.")
    ] = False,
    by: By = None,
    name: Name = None,
    wait: VoiceWait = VOICE_WAIT_S,
    key: KeyOption = None,
    as_json: Json = False,
) -> None:
    """Have words said over a site's loudspeakers: one announcement, a tone and the words, twice.

    Refused while a lockdown is open, and while anything else is being announced; --emergency is for words that belong
    to it. It is tried once: where other words are still being said it fails, and says for how long. What left was
    handed to the network: no loudspeaker can say whether anybody heard it.

    Example:  alertd say oak --zone gym "Practice is over, please leave by door 5." --by ruiz
    """
    from alertd.console.client import segment

    order = {**signed(by, name), "words": words, "zones": zone or [], "emergency": emergency}
    with daemon(context) as client:
        _speak(client, client.post(f"/v1/sites/{segment(site)}/say", order, key), wait, as_json)


@pa_app.command("stop")
def stop_loudspeakers(  # noqa: PLR0913, PLR0917 - one parameter an option
    context: typer.Context,
    site: Annotated[str, typer.Argument(help="A site's id.")],
    by: By = None,
    name: Name = None,
    wait: VoiceWait = VOICE_WAIT_S,
    key: KeyOption = None,
    as_json: Json = False,
) -> None:
    """Make a site's loudspeakers fall silent, in mid-word. Silences speakers and nothing else.

    What waits, or is still being put into speech, is taken back, and what was to be repeated is not; people are called
    and texted as before. It holds for the incidents that are open: a graver one, a new one, or a press after the end of
    this one is spoken of again.

    Example:  alertd pa stop oak --by ruiz
    """
    from alertd.console.client import segment

    with daemon(context) as client:
        _speak(client, client.post(f"/v1/sites/{segment(site)}/silence", signed(by, name), key), wait, as_json)


def _speak(client: Client, answer: Mapping[str, Any], wait: int, as_json: bool) -> None:
    """What became of it. Exits 1 if any loudspeaker did not take it."""
    rows = await_voice(client, answer["notifications"], wait)
    show_committed({**answer, "notifications": rows}, as_json)
    raise typer.Exit(Exit.OK if all(row["state"] not in LOST for row in rows) else Exit.FAILED)


@troubles_app.callback()
def troubles(context: typer.Context, as_json: Json = False) -> None:
    """What is wrong with alertd or what it depends on. Acknowledge one with `alertd troubles ack KEY --by PERSON`."""
    if context.invoked_subcommand is not None:
        return
    from alertd.console import render

    with daemon(context) as client:
        found = client.get("/v1/troubles")
        print_json(found) if as_json else render.troubles(found)


@troubles_app.command("ack")
def acknowledge_trouble(  # noqa: PLR0913, PLR0917 - one parameter an option
    context: typer.Context,
    trouble: Annotated[str, typer.Argument(metavar="KEY", help="The trouble's key.")],
    by: By = None,
    name: Name = None,
    site: Annotated[str | None, typer.Option(help="Where, if it stands at several sites.")] = None,
    key: KeyOption = None,
    as_json: Json = False,
) -> None:
    """Stop a trouble's repeating. It stands until what is wrong is mended.

    Example:  alertd troubles ack unregistered:badge-99 --by ruiz
    """
    from alertd.console import render
    from alertd.console.client import segment

    order = {**signed(by, name), "site": site}
    with daemon(context) as client:
        answer = client.post(f"/v1/troubles/{segment(trouble)}/acknowledge", order, key)
        if as_json:
            print_json(answer)
        else:
            render.troubles({"troubles": [answer["trouble"]]})


Wait = Annotated[int, typer.Option(min=0, max=600, help="Seconds to wait for the last word of each message.")]
TestBy = Annotated[str | None, typer.Option("--by", metavar="PERSON", help="Who orders it: a person's id.")]


@test_app.command("person")
def prove_person(
    context: typer.Context,
    person: Annotated[str, typer.Argument(help="A person's id.")],
    by: TestBy = None,
    wait: Wait = TEST_WAIT_S,
    key: KeyOption = None,
    as_json: Json = False,
) -> None:
    """Send a test to every phone of one person, and show what became of each.

    Exits 1 if any of them failed, or if nothing is known of it after --wait.

    Example:  alertd test person ruiz
    """
    _prove(context, "person", person, by, wait, key, as_json)


@test_app.command("webhook")
def prove_webhook(
    context: typer.Context,
    destination: Annotated[str, typer.Argument(help="The destination's name in channels.toml.")],
    by: TestBy = None,
    wait: Wait = TEST_WAIT_S,
    key: KeyOption = None,
    as_json: Json = False,
) -> None:
    """Send a test to one destination (a dispatch centre's or any other webhook), and show what became of it.

    Example:  alertd test webhook county-911
    """
    _prove(context, "destination", destination, by, wait, key, as_json)


@test_app.command("site")
def prove_site(
    context: typer.Context,
    site: Annotated[str, typer.Argument(help="A site's id.")],
    by: TestBy = None,
    wait: Wait = TEST_WAIT_S,
    key: KeyOption = None,
    as_json: Json = False,
) -> None:
    """Walk the way of a press as far as nobody is woken: no phone rings, no loudspeaker speaks.

    Looks at what the daemon has just proven, presses every device of the site in memory and counts who would be told,
    and sends a sign of life in mode test to each of its dispatch centres and webhooks. Exits 1 if anything failed.

    Example:  alertd test site oak
    """
    from alertd.console import render
    from alertd.console.client import segment

    with daemon(context) as client:
        answer = client.post(f"/v1/test/site/{segment(site)}", {"by": by}, key)
        rows = await_last_word(client, answer["notifications"], wait)
    answer = {**answer, "notifications": rows}
    print_json(answer) if as_json else render.site_test(answer)
    good = ("accepted", "sent", "delivered")
    proven = all(p["alive"] for p in answer["proofs"]) and all(row["state"] in good for row in rows)
    raise typer.Exit(Exit.OK if proven and not any(p["problem"] for p in answer["presses"]) else Exit.FAILED)


def _prove(  # noqa: PLR0913, PLR0917 - one parameter an option
    context: typer.Context, what: str, name: str, by: str | None, wait: int, key: str | None, as_json: bool
) -> None:
    from alertd.console import render
    from alertd.console.client import segment

    with daemon(context) as client:
        answer = client.post(f"/v1/test/{what}/{segment(name)}", {"by": by}, key)
        rows = await_last_word(client, answer["notifications"], wait)
    if as_json:
        print_json({**answer, "notifications": rows})
    else:
        typer.echo(render.plain(answer["words"]))
        if rows:
            render.notifications(rows)
    good = ("accepted", "sent", "delivered")
    raise typer.Exit(Exit.OK if rows and all(row["state"] in good for row in rows) else Exit.FAILED)


@app.command()
def health(context: typer.Context, as_json: Json = False) -> None:
    """Proof of life of the running daemon: broker, commit, dispatch; and whether its channels get through.

    Exits 1 unless all are proven, 5 if they are but a channel, a carrier or a dispatch centre is in doubt.

    Example:  alertd health --json
    """
    from alertd.console import render

    with daemon(context) as client:
        answer = client.health()
        print_json(answer) if as_json else render.health(answer)
    codes = {"alive": Exit.OK, "degraded": Exit.DEGRADED}
    raise typer.Exit(codes.get(answer["state"], Exit.FAILED))


@app.command()
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


@app.command()
def verify(
    context: typer.Context,
    what: Annotated[
        str, typer.Argument(metavar="SITE|FILE", help="A site's id, or district; or a backup, with a / in it.")
    ] = "district",
    as_json: Json = False,
) -> None:
    """Prove that nobody changed or removed a line of a site's journal (its hash chain is unbroken).

    Of a backup it proves every journal, and that its pages are sound; no daemon is needed for that.

    Examples:  alertd verify oak  ·  alertd verify /var/lib/alertd-backups/alertd-20261122T023004Z.db
    """
    from alertd.console import render
    from alertd.console.client import segment

    if "/" in what:
        _verify_backup(Path(what), as_json)
        return
    with daemon(context) as client:
        answer = client.get(f"/v1/journal/{segment(what)}/verify")
    if as_json:
        print_json(answer)
    else:
        typer.echo(f"{render.plain(answer['site'])}: {answer['entries']} entries, chain unbroken.")


def _verify_backup(file: Path, as_json: bool) -> None:
    from alertd.console import backup_words
    from alertd.ports import StoreError
    from alertd.store.backup import examine

    try:
        contents = examine(file)
    except StoreError as error:
        fail(str(error), Exit.FAILED)
    print_json(backup_words.as_answer(contents)) if as_json else backup_words.proven(contents)


Report = Annotated[
    bool, typer.Option("--report", help="Tell the daemon how it went: a failure is a trouble until the next good run.")
]


@app.command()
def backup(
    context: typer.Context,
    target: Annotated[Path, typer.Argument(metavar="FILE|DIR", help="A new file, or a directory of backups.")],
    keep: Annotated[int, typer.Option(min=1, max=10_000, help="In a directory: how many of the newest stay.")] = 14,
    report: Report = False,
    as_json: Json = False,
) -> None:
    """Copy the SQLite database while the daemon runs, and prove the copy before it is called good.

    Nothing waits for it: presses are committed meanwhile. Nothing is removed unless the new copy is good.

    Examples:  alertd backup /mnt/usb/alertd.db  ·  alertd backup /var/lib/alertd-backups --keep 30
    """
    from datetime import UTC, datetime

    from alertd.console import backup_words, reporting
    from alertd.ports import StoreError
    from alertd.store.backup import back_up

    try:
        contents, removed = back_up(_database(context), target, now=datetime.now(UTC), keep=keep)
    except StoreError as error:
        if report:
            reporting.tell(context, "backup", str(error))
        fail(str(error), Exit.FAILED)
    if report:
        reporting.tell(context, "backup", "")
    if as_json:
        print_json(backup_words.as_answer(contents, removed=[str(path) for path in removed]))
        return
    backup_words.proven(contents)
    for path in removed:
        typer.echo(f"Removed, older than the {keep} newest: {path}")


@app.command()
def restore(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="A backup.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Put a backup in place of the SQLite database. The daemon must be stopped; what was there is kept beside.

    It says first what is lost, and which incidents begin again. Run it as the daemon's user, or as root.

    Example:  systemctl stop alertd && alertd restore /var/lib/alertd-backups/alertd-20261122T023004Z.db
    """
    from datetime import UTC, datetime

    from alertd.console import backup_words
    from alertd.ports import StoreError
    from alertd.store.fallback import spare_directory
    from alertd.store.restoring import restoring

    database = _database(context)
    spare = spare_directory(database, _settings(context).spare_dir)
    try:
        with restoring(file, database, spare) as begun:
            backup_words.proven(begun.contents)
            backup_words.loss(begun.lost, begun.contents)
            if begun.in_memory is not None:
                typer.echo("The disk was full: newer records than any on it are in memory. They are set aside, too.")
            if not yes and typer.prompt("Type RESTORE to go on", default="", show_default=False) != "RESTORE":
                fail("Nothing was changed.", Exit.FAILED)
            backup_words.restored(begun.carry_out(datetime.now(UTC)), database)
    except StoreError as error:
        fail(str(error), Exit.FAILED)


def _settings(context: typer.Context) -> "Settings":
    """Those of the daemon that is meant. What cannot be read is no reason to take the defaults: they name another
    database, perhaps."""
    from alertd.config import load, render_problems
    from alertd.config.settings import ENVIRONMENT
    from alertd.console.client import CONFIG_FILE

    target = context.find_object(Target) or Target()
    directory = target.config or DEFAULT_CONFIG
    loaded = load(directory)
    wrong = [p for p in loaded.problems if p.is_error and p.file in (CONFIG_FILE, ENVIRONMENT, str(directory))]
    if wrong:
        fail(f"{render_problems(wrong)}Name the configuration with: alertd --config DIR …", Exit.INVALID)
    return loaded.settings


def _database(context: typer.Context) -> Path:
    """The SQLite file. A PostgreSQL server's people have better tools than ours."""
    from sqlalchemy.engine import make_url

    url = _settings(context).store
    if not url.startswith("sqlite"):
        fail(
            f"the store is PostgreSQL, which brings tools of its own.\nBackup:  pg_dump --format=custom"
            f" --file=alertd.dump '{url}'\nRestore, with every alertd stopped:  pg_restore --clean --if-exists"
            f" --single-transaction --dbname='{url}' alertd.dump",
            Exit.FAILED,
        )
    return Path(make_url(url).database or "")


@app.command("doctor")
def examine(
    context: typer.Context, config: ConfigArg = DEFAULT_CONFIG, report: Report = False, as_json: Json = False
) -> None:
    """Try everything that the daemon needs, and say what is wrong and what to do. Sends nothing to anybody.

    Configuration, disk, clock, store, secrets, broker (may a stranger press, or a device as another? would a press
    reach us? its test messages page nobody; that a broker throws them away is the daemon's trouble as ever), carrier
    (account, balance, registration, countries), loudspeakers, webhooks, the daemon itself. Works while it is down.

    Exits 4 if the configuration is invalid, else 1 if anything failed; warnings alone exit 0.

    Examples:  sudo -u alertd alertd doctor  ·  alertd doctor config/ --json
    """
    from alertd import lint
    from alertd.config import load
    from alertd.console import doctor, examination, render, reporting
    from alertd.console.client import Client
    from alertd.console.plugin_check import unbuildable

    loaded = load(config)
    problems = (
        *loaded.problems,
        *lint.check(loaded),
        *unbuildable(loaded.sections, loaded.settings, loaded.directory, loaded.profile_tables),
    )
    found: list[doctor.Finding] = []
    for finding in examination.examine(loaded, problems, Client(socket_of(context) or loaded.settings.socket)):
        found.append(finding)
        if not as_json:
            render.findings([doctor.as_answer(finding)])
    if as_json:
        print_json({"findings": [doctor.as_answer(finding) for finding in found]})
    if report:
        reporting.tell(context, "self-test", examination.summary(found))
    failed = {finding.what for finding in found if finding.level == doctor.FAIL}
    raise typer.Exit(Exit.INVALID if "configuration" in failed else Exit.FAILED if failed else Exit.OK)


def main() -> None:
    """Entry point `alertd`."""
    try:
        app(prog_name="alertd")
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:  # `alertd incidents | head`
        sys.stderr.close()
        sys.exit(Exit.OK)


if __name__ == "__main__":
    main()
