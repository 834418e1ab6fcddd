"""`alertd devices test` and `hash-code`: what an admin does at a device before it is relied on.

The command is the test: while it asks what was heard the device is in test, when it ends the device is live. If it is
killed or cut off, the daemon ends the test half a minute after it asked last.
"""

import signal
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Annotated, Any

import typer

from alertd.console.client import Client
from alertd.console.terminal import Exit, daemon, fail, print_json, signed

ASK_EVERY_S = 0.5
QUIET_S = 5.0
"""After a gesture was heard: a hurried finger adds presses, and gateways copies."""


def try_out(  # noqa: PLR0913, PLR0917 - one parameter an option
    context: typer.Context,
    device: Annotated[str, typer.Argument(help="A device's id.")],
    by: Annotated[str | None, typer.Option("--by", metavar="PERSON", help="Who tries it: a person's id.")] = None,
    name: Annotated[
        str | None,
        typer.Option("--name", help="Who tries it, if not in people.csv: the name as others should read it."),
    ] = None,
    minutes: Annotated[int, typer.Option("--minutes", min=1, max=60, help="It ends by itself then.")] = 10,
    tried: Annotated[
        str | None, typer.Option("--class", help="The gravest that is tried; otherwise its least grave gesture.")
    ] = None,
    keep: Annotated[bool, typer.Option("--keep", help="Go on after the first gesture, until Ctrl-C.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the API's own JSON, for programs.")] = False,
) -> None:
    """Try one device out: press it, and see what arrives. Nobody is paged.

    Only presses of exactly this device are a test, and only up to its least grave gesture, or --class. Anything graver,
    and every other device, is REAL. While this command runs the device is in test; when it ends, it is live. A device
    that stays in its alarm is in test until it is reset.

    Example:  alertd devices test button-204 --by ruiz
    """
    order = {**signed(by, name), "device": device, "minutes": minutes, **({"class": tried} if tried else {})}
    with daemon(context) as client:
        deaf = client.without_session()
        begun = client.post("/v1/device-tests", order)
        device = begun["device"]  # as the registry spells it
        seen = {line["site"]: line["number"] for line in begun["heard"]}
        if deaf:
            typer.echo(f"alertd hears NO device over {deaf}.", err=True)
        if not as_json:
            typer.echo(f"{begun['words']} {'' if deaf else 'Press it now. '}Ctrl-C ends the test.")
        with _whatever_ends_it():
            try:
                found, over = _listen(client, device, seen, keep=keep, quiet=as_json)
            except KeyboardInterrupt:
                found, over = [], False
            signal.signal(signal.SIGINT, signal.SIG_IGN)  # a second Ctrl-C must not leave it in test
            last = begun if over else client.post("/v1/device-tests/end", {**signed(by, name), "device": device})
            deaf = client.without_session()
    if as_json:
        print_json({**last, "heard": found})
        return
    gestures = [line for line in found if line["gesture"]]
    why = found[-1]["words"].partition(": ")[2] if over else "its test is over"
    typer.echo(f"{device} is LIVE again: {why}.")
    if _stays(found):
        typer.echo(f"It has not said that its alarm is over: reset {device} NOW. When it says so again, that is REAL.")
    unknown = next((line["unknown"] for line in reversed(found) if line.get("unknown")), "")
    if not gestures and unknown:
        fail(f"{device} was heard, and calls NOBODY: {unknown}.", Exit.FAILED)
    if not gestures and deaf:
        fail(f"No gesture of {device} was heard: alertd hears NO device over {deaf}.", Exit.FAILED)
    if not gestures:
        fail(f"No gesture of {device} was heard. Look at its battery, its gateway, and the trigger.", Exit.FAILED)


@contextmanager
def _whatever_ends_it() -> Iterator[None]:
    """A terminal that is closed, or `timeout`, ends the command as Ctrl-C does: no button stays in test behind it."""

    def stop(_signal: int, _frame: object) -> None:
        raise KeyboardInterrupt

    before = {each: signal.getsignal(each) for each in (signal.SIGINT, signal.SIGHUP, signal.SIGTERM)}
    signal.signal(signal.SIGHUP, stop)
    signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


def _listen(
    client: Client, device: str, seen: dict[str, int], *, keep: bool, quiet: bool
) -> tuple[list[Mapping[str, Any]], bool]:
    """Until a gesture was heard, the device is out of its alarm and it is quiet again, or the test is over: then
    True."""
    found: list[Mapping[str, Any]] = []
    last, is_told = 0.0, False
    while True:
        after = ",".join(f"{site}:{number}" for site, number in seen.items())
        for line in client.get("/v1/device-tests", device=device, after=after)["heard"]:
            seen[line["site"]] = line["number"]
            found.append(line)
            last = time.monotonic()
            if line["is_over"]:
                return found, True
            if not quiet:
                typer.echo(_told(line))
        if any(line["gesture"] for line in found) and not keep and time.monotonic() - last > QUIET_S:
            if not _stays(found):
                return found, False
            if not quiet and not is_told:
                typer.echo("  It stays in its alarm: reset it now. The test goes on until it says that it is over.")
                is_told = True
        time.sleep(ASK_EVERY_S)


def _stays(found: Sequence[Mapping[str, Any]]) -> bool:
    """Does the device say that its alarm lasts, by the last word that we know?"""
    return next((line["stays"] for line in reversed(found) if line["stays"] is not None), False)


def _told(line: Mapping[str, Any]) -> str:
    if line["gesture"]:
        return f"  {line['at_local']}  GESTURE  it would have called for {line['gesture']}; nobody is paged"
    count = f" × {line['count']}" if line["count"] else ""
    parts = [f"{line['action']}{count}"]
    parts += [f"by {line['rule']}"] if line["rule"] else []
    parts += [f"over {line['gateway']}"] if line["gateway"] else []
    parts += [f"battery {line['battery']} %"] if line["battery"] is not None else []
    parts += ["which its gestures do not know"] if line.get("unknown") else []
    late = f"{line['late_ms']} ms after it was pressed, " if line["late_ms"] is not None else ""
    return f"  {line['at_local']}  heard    {', '.join(parts)}; {late}written down in {line['taken_ms']} ms"


def hash_code() -> None:
    """Turn a duress code into what devices.csv holds of it. The code is not shown, kept, or sent anywhere.

    Example:  alertd devices hash-code
    """
    import secrets

    from alertd.model.duress_code import LENGTHS, SALT_BYTES, hashed

    code = typer.prompt("Duress code", hide_input=True, confirmation_prompt=True).strip()
    if len(code) not in LENGTHS:
        fail(f"A code has {LENGTHS.start} to {LENGTHS.stop - 1} characters.", Exit.USAGE)
    typer.echo(hashed(code, secrets.token_bytes(SALT_BYTES)))
    typer.echo("Write this into the column duress_codes of the keypad's row in devices.csv.", err=True)
