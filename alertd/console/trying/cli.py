"""`alertd devices test` and `hash-code`: what an admin does at a device before it is relied on.

The command is the test: while it asks what was heard the device is in test, when it ends the device is live. If it is
killed or cut off, the daemon ends the test half a minute after it asked last.
"""

import shlex
import signal
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Annotated, Any

import typer

from alertd.console.client import Client, segment
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
        str | None, typer.Option("--class", help="The gravest that is tried; otherwise the least grave it can say.")
    ] = None,
    keep: Annotated[bool, typer.Option("--keep", help="Go on after the first gesture, until Ctrl-C.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the API's own JSON, for programs.")] = False,
) -> None:
    """Try one device out: press it, and see what arrives.

    Only presses of exactly this device are a test, and page nobody; and only up to the least grave that it can say, or
    --class. Anything graver, and every other device, is REAL. Where one touch may call for more (an SOS key, a key
    that is held), it asks for --class. While this command runs the device is in test; when it ends, it is live. A
    device that stays in its alarm is in test until it is reset.

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
        found: list[Mapping[str, Any]] = []
        with _whatever_ends_it():
            with suppress(KeyboardInterrupt):
                _listen(client, device, seen, found, keep=keep, quiet=as_json)
            signal.signal(signal.SIGINT, signal.SIG_IGN)  # a second Ctrl-C must not leave it in test
            why = _why_over(found)
            last = begun if why else client.post("/v1/device-tests/end", {**signed(by, name), "device": device})
            since = [] if why else [each for each in last["heard"] if each["number"] > seen.get(each["site"], 0)]
            _show(since, found, quiet=as_json)
            has_spoken = client.get("/v1/device-tests", device=device)["spoke_us"] > begun["spoke_us"]
            deaf = client.without_session()
            ids = dict.fromkeys(line["incident"] for line in found if line.get("incident"))
            real = [client.get(f"/v1/incidents/{segment(each)}")["incident"] for each in ids]
    if as_json:
        print_json({**last, "heard": found})
    if real:
        fail(_told_real(device, real, _why_over(found), signed(by, name)), Exit.FAILED)
    if not as_json:
        typer.echo(f"{device} is LIVE again: {why or 'its test is over'}.")
        if _stays(found):
            typer.echo(
                f"It has not said that its alarm is over: reset {device} NOW. When it says so again, that is REAL."
            )
    if not any(line["gesture"] for line in found):
        fail(_told_vain(device, found, deaf, has_spoken=has_spoken), Exit.FAILED)


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
    client: Client, device: str, seen: dict[str, int], found: list[Mapping[str, Any]], *, keep: bool, quiet: bool
) -> None:
    """Until a gesture was heard, the device is out of its alarm and it is quiet again, or the test is over."""
    last, is_told = 0.0, False
    while True:
        after = ",".join(f"{site}:{number}" for site, number in seen.items())
        if heard := client.get("/v1/device-tests", device=device, after=after)["heard"]:
            _show(heard, found, quiet=quiet)
            seen.update({line["site"]: line["number"] for line in heard})
            last = time.monotonic()
        if any(line["is_over"] for line in found):
            return
        if any(line["gesture"] for line in found) and not keep and time.monotonic() - last > QUIET_S:
            if not _stays(found):
                return
            if not quiet and not is_told:
                typer.echo("  It stays in its alarm: reset it now. The test goes on until it is, or Ctrl-C.")
                is_told = True
        time.sleep(ASK_EVERY_S)


def _show(heard: Sequence[Mapping[str, Any]], found: list[Mapping[str, Any]], *, quiet: bool) -> None:
    found += heard
    for line in heard:
        if not quiet and not line["is_over"]:
            typer.echo(_told(line))


def _told_vain(device: str, found: Sequence[Mapping[str, Any]], deaf: str, *, has_spoken: bool) -> str:
    """Where to look, if no gesture was heard."""
    if refused := next((line["refused"] for line in reversed(found) if line.get("refused")), ""):
        return f"{device} was heard, and calls NOBODY: {refused}."
    if unknown := next((line["unknown"] for line in reversed(found) if line.get("unknown")), ""):
        return f"{device} was heard, and calls NOBODY: {unknown}."
    if any(line["action"] for line in found):
        return f"{device} was heard, and it came to no gesture in the test: see in gestures.toml what it takes."
    if has_spoken:
        return (
            f"{device} was heard in the test, and said nothing that is a press as its profile reads it: compare its "
            "profile and its gateway's settings with docs/devices.md; alertd devices decode says what a message means."
        )
    if deaf:
        return f"No gesture of {device} was heard: alertd hears NO device over {deaf}."
    return f"No gesture of {device} was heard. Look at its battery, its gateway, and the trigger."


def _why_over(found: Sequence[Mapping[str, Any]]) -> str:
    return next((line["words"].partition(": ")[2] for line in found if line["is_over"]), "")


def _told_real(device: str, real: Sequence[Mapping[str, Any]], why: str, signature: Mapping[str, str]) -> str:
    """What a press came to that was no test, and what to do if it was meant for one. What others have called for, too,
    is not theirs to take back who tried a button out."""
    told = []
    for each in real:
        told.append(f"{device} was heard {each['mode'].upper()} ({why}): {each['headline']}. People are told.")
        who = shlex.join(word for option, value in signature.items() for word in (f"--{option}", value))
        if any(press["device"] != device for press in each["presses"]):
            told.append(f"Others have pressed for it, too: take nothing back. Look: alertd incidents {each['token']}")
        else:
            correct = f"alertd correct {each['token']} {who} --reason 'a button was tried out'"
            told.append(f"If nobody needs help: {correct}; then see what is left to do: alertd incidents")
    return "\n".join(told)


def _stays(found: Sequence[Mapping[str, Any]]) -> bool:
    """Does the device say that its alarm lasts, by the last word that we know?"""
    return next((line["stays"] for line in reversed(found) if line["stays"] is not None), False)


def _told(line: Mapping[str, Any]) -> str:
    if line.get("incident"):
        return f"  {line['at_local']}  REAL     {line['words']}; people are told"
    if line["gesture"]:
        return f"  {line['at_local']}  GESTURE  it would have called for {line['gesture']}; nobody is paged"
    count = f" × {line['count']}" if line["count"] else ""
    parts = [f"{line['action']}{count}"]
    parts += [f"by {line['rule']}"] if line["rule"] else []
    parts += [f"over {line['gateway']}"] if line["gateway"] else []
    parts += [f"battery {line['battery']} %"] if line["battery"] is not None else []
    parts += ["which its gestures do not know"] if line.get("unknown") else []
    parts += ["where nobody presses: it calls NOBODY"] if line.get("refused") else []
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
