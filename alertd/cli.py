"""The command line. Talks to the daemon over its local socket by the versioned API; never writes the database.

Imports wait until a command needs them, so that `alertd --help` answers at once. What is shown, `console.render` owns.
"""

import sys
from collections.abc import Mapping
from itertools import chain
from pathlib import Path
from typing import Annotated, Any

import typer

from alertd.console.added_commands import WithAddedCommands
from alertd.console.terminal import (
    Exit,
    Target,
    ask_whether_live,
    await_last_word,
    daemon,
    fail,
    print_json,
    show_committed,
    signed,
    socket_of,
)

DEFAULT_CONFIG = Path("/etc/alertd")
TEST_WAIT_S = 30

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
    add_completion=False,
    help=f"""Duress alerts for schools: one press reaches a phone and a dispatcher, and is never lost.

In an emergency call 911. alertd is one more way to be heard, not the only one.

{CODES}""",
    epilog="Examples:  alertd check  ·  alertd incidents  ·  alertd timeline 17  ·  alertd ack 17 --as ruiz",
)
test_app = typer.Typer(no_args_is_help=True, help="Prove one person's phones or one webhook, in mode test.")
app.add_typer(test_app, name="test")
troubles_app = typer.Typer(invoke_without_command=True, help="What is wrong with alertd or what it depends on.")
app.add_typer(troubles_app, name="troubles")

Json = Annotated[bool, typer.Option("--json", help="Print the API's own JSON, for programs.")]
By = Annotated[str | None, typer.Option("--by", metavar="PERSON", help="Who orders it: a person's id.")]
Name = Annotated[
    str | None, typer.Option("--name", help="Who orders it, if not in people.csv: the name as others should read it.")
]
IncidentArg = Annotated[
    str,
    typer.Argument(metavar="INCIDENT", help="Its id or its beginning, its reply token, or a code of the texts (417)."),
]
ConfigArg = Annotated[
    Path, typer.Argument(metavar="DIR", envvar="ALERTD_CONFIG", help="Configuration directory.", show_default=True)
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
        Path | None, typer.Option(help="Configuration directory, to find the socket by.", envvar="ALERTD_CONFIG")
    ] = None,
    _version: Annotated[
        bool, typer.Option("--version", help="Print the version.", callback=_print_version, is_eager=True)
    ] = False,
) -> None:
    context.obj = Target(socket=socket, config=config)


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

    Exits 4 if the daemon would refuse it; warnings alone exit 0.

    Example:  alertd check config/ && alertd reload
    """
    from alertd import lint
    from alertd.config import load, render_problems
    from alertd.config.problems import counted
    from alertd.console.plugin_check import SECRET_REMEDY, unbuildable
    from alertd.model.ids import DISTRICT

    loaded = load(config)
    problems = (*loaded.problems, *lint.check(loaded), *unbuildable(loaded.sections, loaded.settings))
    usable = not any(problem.is_error for problem in problems)
    counts = {
        what: len(getattr(loaded.registry, what))
        for what in ("sites", "zones", "devices", "people", "policies", "channels", "destinations")
    }
    counts["sites"] -= DISTRICT in loaded.registry.sites
    if as_json:
        import msgspec

        print_json({"usable": usable, "checked": counts, "problems": msgspec.to_builtins(problems)})
    else:
        checked = ", ".join(counted(count, what) for what, count in counts.items())
        secrets = ", given its secrets" if any(problem.remedy == SECRET_REMEDY for problem in problems) else ""
        verdict = f"the daemon would take it{secrets}" if usable else "the daemon would REFUSE it as a whole"
        typer.echo(render_problems(problems) + f"Checked {config}: {checked}; {verdict}.")
    raise typer.Exit(Exit.OK if usable else Exit.INVALID)


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
    """Close an incident. A lockdown is first *releasing*: rooms are released in person, one by one.

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
    site: Annotated[str, typer.Argument(help="A site's id, or district.")] = "district",
    as_json: Json = False,
) -> None:
    """Prove that nobody changed or removed a line of a site's journal (its hash chain is unbroken).

    Example:  alertd verify oak
    """
    from alertd.console import render
    from alertd.console.client import segment

    with daemon(context) as client:
        answer = client.get(f"/v1/journal/{segment(site)}/verify")
    if as_json:
        print_json(answer)
    else:
        typer.echo(f"{render.plain(answer['site'])}: {answer['entries']} entries, chain unbroken.")


@app.command("doctor")
def examine(context: typer.Context, config: ConfigArg = DEFAULT_CONFIG, as_json: Json = False) -> None:
    """Try everything that the daemon needs: configuration, disk, clock, broker, secrets, channels, the daemon itself.

    Works while the daemon is down. Exits 4 if the configuration is invalid, else 1 if anything failed.

    Example:  sudo -u alertd alertd doctor
    """
    from alertd import lint
    from alertd.config import load, secret
    from alertd.console import broker_probe, doctor, render
    from alertd.console.client import Client
    from alertd.console.plugin_check import unbuildable

    loaded = load(config)
    problems = (*loaded.problems, *lint.check(loaded), *unbuildable(loaded.sections, loaded.settings))
    settings = loaded.settings
    findings = chain(
        [doctor.configuration(config, errors=sum(p.is_error for p in problems), all_problems=len(problems))],
        doctor.daemon(Client(socket_of(context) or settings.socket)),
        doctor.state_directory(settings.state_dir),
        doctor.store(settings.store),
        doctor.clock(settings.state_dir),
        doctor.secrets(loaded.sections, secret),
        broker_probe.brokers(loaded.sections, secret),
        doctor.channels(loaded.sections),
        doctor.heartbeat(settings.heartbeat_url),
    )
    found = []
    for finding in findings:
        found.append(doctor.as_answer(finding))
        if not as_json:
            render.findings(found[-1:])
    if as_json:
        print_json({"findings": found})
    failed = {finding["what"] for finding in found if finding["level"] == doctor.FAIL}
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
