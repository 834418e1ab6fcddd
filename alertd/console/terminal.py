"""How a command reaches the daemon, and how it ends: words on a stream and an exit code a script can rely on.

Light: the command line imports it at once, so everything heavy is imported when it is needed.
"""

import json
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from enum import IntEnum
from pathlib import Path
from typing import Any, NoReturn

import typer

from alertd.console.client import Client, NotReachableError, RefusedError, find_socket, segment

LIVE_WORD = "LIVE"
"""What has to be typed before a press by hand."""
POLL_S = 0.5
UNDER_WAY = frozenset({"queued", "claimed", "unknown"})


class Exit(IntEnum):
    """Told in `alertd --help`."""

    OK = 0
    FAILED = 1
    USAGE = 2
    NOT_REACHABLE = 3
    INVALID = 4
    DEGRADED = 5


class Target:
    """Which daemon is meant: the options before the command."""

    def __init__(
        self, *, socket: Path | None = None, config: Path | None = None, config_said: Path | None = None
    ) -> None:
        self.socket = socket
        self.config = config
        self.config_said = config_said
        """The same, if it stands in the command line, not in the environment."""


def socket_of(context: typer.Context) -> Path | None:
    """The socket that was named on the command line, if one was."""
    return (context.find_object(Target) or Target()).socket


def one_directory(context: typer.Context, value: Path | None) -> Path | None:
    """The configuration directory of a command that takes one: `alertd --config DIR check` is `alertd check DIR`. The
    callback of its parameter. Two are refused: one of them would be ignored, and an import writes into the other."""
    said = (context.find_object(Target) or Target()).config_said
    if said is None or context.resilient_parsing:
        return value
    source = context.get_parameter_source("config")
    if source is not None and source.name == "COMMANDLINE" and value is not None and value.resolve() != said.resolve():
        fail(f"two configuration directories: {said} and {value}; name one of them", Exit.USAGE)
    return said


@contextmanager
def daemon(context: typer.Context, *, says_why: bool = True) -> Iterator[Client]:
    """The client. Everything that can go wrong with it becomes words and an exit code, unless the caller says it."""
    target = context.find_object(Target) or Target()
    client = Client(find_socket(target.socket, target.config, os.environ))
    if not says_why:
        yield client
        return
    try:
        yield client
    except NotReachableError as error:
        fail(str(error), Exit.NOT_REACHABLE)
    except RefusedError as error:
        from alertd.console import render  # noqa: PLC0415 - rich is slow to load

        render.refusal(error.answer)
        raise typer.Exit(Exit.FAILED) from None


def fail(words: str, code: Exit) -> NoReturn:
    from alertd.console import render  # noqa: PLC0415 - rich is slow to load

    render.error(words)
    raise typer.Exit(code)


def signed(by: str | None, name: str | None) -> dict[str, str]:
    """Who orders it, for the API: a person's id, or a name as such. One of them."""
    if (by is None) == (name is None):
        fail(
            "say who orders it: --by PERSON (an id of people.csv), or --name for somebody who is not there", Exit.USAGE
        )
    return {"by": by} if by is not None else {"name": name or ""}


def print_json(answer: object) -> None:
    typer.echo(json.dumps(answer, indent=2, ensure_ascii=False))


def show_committed(answer: Mapping[str, Any], as_json: bool) -> None:  # noqa: FBT001 - the --json of a command
    from alertd.console import render  # noqa: PLC0415 - rich is slow to load

    if as_json:
        print_json(answer)
    else:
        render.committed(answer)


def ask_whether_live(device: Mapping[str, Any]) -> None:
    """States the audience and LIVE before it asks (Hawaii 2018: test and live looked the same)."""
    from alertd.console.render import plain  # noqa: PLC0415 - rich is slow to load

    label = f"{plain(device['label'])} ({plain(device['id'])})" if device["label"] else plain(device["id"])
    typer.echo(
        f"{LIVE_WORD}: this is real. Pressing {label} tells {plain(device['site_name'])}: its responders, as many of "
        f"its {device['staff']} staff as its policy names, and its dispatch centre.",
        err=True,
    )
    given = typer.prompt(f"Type {LIVE_WORD} to press it", default="", show_default=False, err=True)
    if given.strip() != LIVE_WORD:
        fail("Nothing was pressed.", Exit.FAILED)


def await_voice(client: Client, rows: Sequence[Mapping[str, Any]], wait_s: int) -> list[Mapping[str, Any]]:
    """Asks again until each page has left, or will not; that is as far as loudspeakers get."""
    deadline = time.monotonic() + wait_s
    latest = list(rows)
    while any(row["state"] in UNDER_WAY for row in latest) and time.monotonic() < deadline:
        time.sleep(min(POLL_S, max(0.0, deadline - time.monotonic())))
        latest = [client.get(f"/v1/notifications/{segment(row['id'])}") for row in latest]
    return latest


def await_last_word(client: Client, rows: Sequence[Mapping[str, Any]], wait_s: int) -> list[Mapping[str, Any]]:
    """Asks again until nothing more can become known ("delivered" is as far as a test gets), or time is up."""
    deadline = time.monotonic() + wait_s
    latest = list(rows)
    while any(row["not_known"] and row["state"] != "delivered" for row in latest) and time.monotonic() < deadline:
        time.sleep(min(POLL_S, max(0.0, deadline - time.monotonic())))
        latest = [client.get(f"/v1/notifications/{segment(row['id'])}") for row in latest]
    return latest
