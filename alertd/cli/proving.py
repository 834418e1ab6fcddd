"""The commands that prove something: a phone, a webhook, a site, the daemon, everything; and what is wrong.

Imports wait until a command needs them. Must never ring a phone but in mode test.
"""

from typing import Annotated

import typer

from alertd.console.options import DEFAULT_CONFIG, By, ConfigArg, Json, KeyOption, Name, Report
from alertd.console.terminal import Exit, await_last_word, daemon, print_json, signed, socket_of

TEST_WAIT_S = 30
test_app = typer.Typer(no_args_is_help=True, help="Prove one person's phones or one webhook, in mode test.")
troubles_app = typer.Typer(invoke_without_command=True, help="What is wrong with alertd or what it depends on.")
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
            render.troubles({"troubles": [answer["trouble"]], "in_test": ()})


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
