"""The commands about an incident: press by hand, see what goes on, answer, close, correct.

Imports wait until a command needs them. What is shown, `console.render` owns.
"""

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from alertd.console.options import By, IncidentArg, Json, KeyOption, Name
from alertd.console.terminal import Exit, ask_whether_live, daemon, fail, print_json, show_committed, signed


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


def timeline(context: typer.Context, incident: IncidentArg, as_json: Json = False) -> None:
    """What happened, hop by hop, in milliseconds since the press, and why; and what is not known.

    Example:  alertd timeline 17
    """
    from alertd.console import render
    from alertd.console.client import segment

    with daemon(context) as client:
        answer = client.get(f"/v1/incidents/{segment(incident)}/timeline")
        print_json(answer) if as_json else render.timeline(answer)


def ack(  # noqa: PLR0913, PLR0917 - one parameter an option
    context: typer.Context,
    incident: IncidentArg,
    by: Annotated[str | None, typer.Option("--by", metavar="PERSON", help="Who answers: a person's id.")] = None,
    formerly: Annotated[str | None, typer.Option("--as", hidden=True)] = None,
    arrived: Annotated[bool, typer.Option("--arrived", help="Is there, instead of going.")] = False,
    cannot_go: Annotated[bool, typer.Option("--cannot-go", help="Cannot go: the next is called at once.")] = False,
    key: KeyOption = None,
    as_json: Json = False,
) -> None:
    """Answer for a person: going, arrived, or cannot go. Pauses the escalation; never calls dispatch off.

    Only for somebody of the incident's site, or who was told of it. By a code of the texts (417, 517, 617) its digit
    says the answer; the timeline shows that an operator typed it.

    Examples:  alertd ack 17 --by ruiz  ·  alertd ack 17 --by ruiz --arrived  ·  alertd ack 517 --by ruiz
    """
    from alertd.console.client import segment

    if arrived and cannot_go:
        fail("--arrived and --cannot-go say opposite things: give one of them", Exit.USAGE)
    if (by is None) == (formerly is None):
        fail("say who answers: --by PERSON (an id of people.csv)", Exit.USAGE)
    kind = {"kind": "arrived"} if arrived else {"kind": "cannot_go"} if cannot_go else {}
    with daemon(context) as client:
        answer = client.post(f"/v1/incidents/{segment(incident)}/answers", {"person": by or formerly, **kind}, key)
        show_committed(answer, as_json)


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
