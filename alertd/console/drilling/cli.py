"""`alertd drill …`: begin a drill, see what runs, end it, and read what it showed.

Imports wait until a command needs them. What is shown, `console.render` and `drilling.page` own.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from alertd.console.options import By, Json, KeyOption, Name
from alertd.console.terminal import daemon, print_json, signed

drill_app = typer.Typer(
    no_args_is_help=True,
    help="Drills: the real path, marked as a drill, and never to dispatch. A real press ends one at once.",
)

Site = Annotated[str, typer.Argument(help="A site's id.")]
MINUTES = 30


@drill_app.command()
def start(  # noqa: PLR0913, PLR0917 - one parameter an option
    context: typer.Context,
    site: Site,
    device: Annotated[
        list[str], typer.Option("--device", help="Takes part: its first gesture is the drill. May be given again.")
    ],
    told: Annotated[str, typer.Option("--told", help='Whom outside you have told: "J. Doe, dispatch".')],
    drilled: Annotated[str, typer.Option("--class", help="What is drilled; a graver gesture is real.")] = "lockdown",
    minutes: Annotated[int, typer.Option("--minutes", min=1, max=120, help="It ends by itself then.")] = MINUTES,
    person: Annotated[
        list[str] | None, typer.Option("--person", help="Only these people take part; may be given again.")
    ] = None,
    by: By = None,
    name: Name = None,
    key: KeyOption = None,
    as_json: Json = False,
) -> None:
    """Begin a drill. Everybody who takes part is told, and told again when it is over.

    Only the first gesture of the devices you name is the drill. Any other press, a second or a graver one is REAL: it
    ends the drill, and dispatch is told. Call your dispatch centre before you begin.

    Example:  alertd drill start oak --device badge-17 --told "J. Doe, dispatch" --minutes 20 --by ruiz
    """
    from alertd.console.client import segment

    order = {
        **signed(by, name),
        "class": drilled,
        "devices": device,
        "told": told,
        "minutes": minutes,
        "people": person or [],
    }
    with daemon(context) as client:
        _show(client.post(f"/v1/sites/{segment(site)}/drill", order, key), as_json)


@drill_app.command()
def end(
    context: typer.Context, site: Site, by: By = None, name: Name = None, key: KeyOption = None, as_json: Json = False
) -> None:
    """End the drill of a site. Whoever was told that it began is told that it is over.

    Example:  alertd drill end oak --by ruiz
    """
    from alertd.console.client import segment

    with daemon(context) as client:
        _show(client.post(f"/v1/sites/{segment(site)}/drill/end", signed(by, name), key), as_json)


@drill_app.command()
def status(
    context: typer.Context,
    site: Annotated[str | None, typer.Argument(help="A site's id; none: all sites.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Those that are over, too.")] = False,
    as_json: Json = False,
) -> None:
    """What is drilled now, by whom, until when.

    Examples:  alertd drill status  ·  alertd drill status oak --all
    """
    from alertd.console import render

    with daemon(context) as client:
        found = client.get("/v1/drills", site=site, running=str(not everything).lower())
        print_json(found) if as_json else render.drills(found, only_running=not everything)


@drill_app.command()
def report(
    context: typer.Context,
    drill: Annotated[str, typer.Argument(metavar="DRILL", help="A drill's id, or a site: the last drill there.")],
    html: Annotated[Path | None, typer.Option("--html", help="Write it as one HTML file, with pictures.")] = None,
    csv: Annotated[Path | None, typer.Option("--csv", help="Write every message and answer as CSV.")] = None,
    as_json: Json = False,
) -> None:
    """What a drill showed: every hop from press to arrival, who never answered, what failed, what was blocked.

    Examples:  alertd drill report oak  ·  alertd drill report oak --html drill.html --csv drill.csv
    """
    from alertd.console import render
    from alertd.console.client import segment

    with daemon(context) as client:
        answer = client.get(f"/v1/drills/{segment(drill)}/report")
    written = [_write(html, answer, "html"), _write(csv, answer, "csv")]
    if as_json:
        print_json(answer)
    elif not any(written):
        render.drill_report(answer)
    for line in filter(None, written):
        typer.echo(line)


def _write(path: Path | None, answer: Mapping[str, Any], kind: str) -> str:
    if path is None:
        return ""
    from alertd.console.drilling.page import page
    from alertd.console.drilling.table import table

    text = page(answer) if kind == "html" else table(answer)
    path.write_text(text, encoding="utf-8", newline="")
    return (
        f"Written: {path} ({len(text.encode()):,} bytes). It names people: keep it as you keep other records of them."
    )


def _show(answer: Mapping[str, Any], as_json: bool) -> None:
    from alertd.console import render

    print_json(answer) if as_json else render.drill_done(answer)
