"""`alertd devices learn`: who was heard that nobody has registered, and the rows that would register them.

Light: the command line imports it. Writes nothing into a configuration: `alertd import devices` does, and looks first.
"""

import csv
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from alertd.console.client import NotReachableError
from alertd.console.terminal import Exit, Target, daemon, fail, one_directory, print_json

if TYPE_CHECKING:
    from alertd.config import Loaded
    from alertd.console.learning.hearing import Heard
    from alertd.console.learning.rows import Learnt

LISTENS_S = 60
"""Without a daemon, unless --for says otherwise."""
WIDTH = 10
"""Of the column that says what is told."""
FITS_SHOWN = 8


def learn(  # noqa: PLR0913, PLR0917 - one parameter an option
    context: typer.Context,
    config: Annotated[
        Path,
        typer.Option(
            "--config",
            envvar="ALERTD_CONFIG",
            help="Configuration directory.",
            metavar="DIR",
            callback=one_directory,
        ),
    ] = Path("/etc/alertd"),
    seconds: Annotated[
        int | None,
        typer.Option(
            "--for", min=1, max=3600, metavar="SECONDS", help="Wait so long for them to be heard; Ctrl-C ends it."
        ),
    ] = None,
    only: Annotated[
        list[str] | None, typer.Option("--only", metavar="DEVICE", help="This one; may be given more than once.")
    ] = None,
    append: Annotated[
        Path | None, typer.Option("--append", metavar="FILE", help="Add the rows to a list for alertd import devices.")
    ] = None,
    rows: Annotated[bool, typer.Option("--csv", help="Print nothing but the rows, with their header.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print it as JSON, for programs.")] = False,
) -> None:
    """List devices that were heard and are not registered: what they said, and which profiles understand it.

    The running daemon remembers them. Without one it listens to the sources itself, for a minute; it takes nothing from
    the daemon's sessions. A profile is written into a row only where a single one fits.

    Examples:  alertd devices learn  ·  alertd devices learn --only 24e124535b316056 --append new.csv
    """
    import msgspec

    from alertd.config import load
    from alertd.console.learning.rows import as_csv, learnt
    from alertd.ports import STRANGERS_MAX

    loaded = load(config)
    if not loaded.is_usable:
        fail(f"{config} cannot be read as it is: see alertd check {config}", Exit.INVALID)
    target = context.ensure_object(Target)
    target.config = target.config or config  # that directory's daemon, and no other
    heard, deaf = _heard(context, loaded, seconds)
    found = learnt(loaded, heard, only or ())
    full = [source for source, strangers in heard.items() if len(strangers) >= STRANGERS_MAX]
    if only and not found:
        vain = f"Not heard, or registered already{', or dropped since' * bool(full)}: {', '.join(only)}."
        fail(f"{vain} alertd hears NO device over {deaf}." if deaf else vain, Exit.FAILED)
    if not found and deaf:
        fail(f"Nobody unknown was heard: alertd hears NO device over {deaf}.", Exit.FAILED)
    for source in full:
        words = f"Of {source} these are the {STRANGERS_MAX} heard last: more may have been heard, and were dropped. "
        typer.echo(f"{words}Press yours and look again, with --only ID.", err=True)
    if as_json:
        print_json({"devices": [msgspec.to_builtins(each) for each in found]})
    elif rows:
        typer.echo(as_csv(found), nl=False)
    else:
        _show(found)
    if append is not None:
        _append(append, config, found)


def _heard(context: typer.Context, loaded: "Loaded", seconds: int | None) -> "tuple[Heard, str]":
    """And over which brokers the daemon hears nobody."""
    from alertd.console.learning.hearing import DeafError, asked, listened

    with daemon(context) as client:
        try:
            heard, deaf = asked(client), client.without_session()
        except NotReachableError as error:
            typer.echo(
                f"{str(error).partition(chr(10))[0]}; listening instead, for {seconds or LISTENS_S} s.", err=True
            )
        else:
            if seconds is None:
                return heard, deaf
            now = f"alertd hears NO device over {deaf}." if deaf else "press what you want to register now."
            typer.echo(f"Waiting for {seconds} s: {now}", err=True)
            _wait(seconds)
            return asked(client), client.without_session()
    try:
        return listened(loaded, seconds or LISTENS_S), ""
    except DeafError as error:
        fail(str(error), Exit.FAILED)


def _wait(seconds: int) -> None:
    try:
        time.sleep(seconds)
    except KeyboardInterrupt:
        typer.echo("", err=True)


# --- what is shown --------------------------------------------------------------------------------------------------


def _show(found: "Sequence[Learnt]") -> None:
    from alertd.console.learning.rows import as_csv

    if not found:
        typer.echo("Nobody unknown was heard. Press the new device, then look again; or wait for it with --for 60.")
        return
    for each in found:
        for what, told in _told(each):
            typer.echo(f"{what:<{WIDTH}}{_plain(told)}".rstrip())
        typer.echo("")
    typer.echo("For devices.csv; what is empty, only you know (site, zone, gestures):\n")
    typer.echo(as_csv(found), nl=False)


def _told(each: "Learnt") -> "Iterator[tuple[str, str]]":
    how_often = f"{each.messages} message{'' if each.messages == 1 else 's'}"
    retained = "; retained: it may be old" if each.retained else ""
    yield "device", f"{each.id}, heard over {each.source}: {how_often}, last {_moment(each.last_us)}"
    yield "topic", f"{each.topic} (QoS {each.qos}{retained})"
    yield "said", f"{each.said}, to {each.decoder}"
    if each.heard_by:
        yield "gateway", each.heard_by
    for fit in each.fits[:FITS_SHOWN]:
        name = fit.profile or "the source's own"
        yield "profile", f"{name}: {'; '.join(fit.why)}; understands {fit.messages} of {fit.of}"
    if len(each.fits) > FITS_SHOWN:
        yield "", f"and {len(each.fits) - FITS_SHOWN} more"
    if each.why_none:
        yield "profile", each.why_none
    elif not each.row["profile"] and each.fits[0].profile:
        yield "", "Several fit, so none is in the row: take the one that is printed on the device, or press it again."


def _moment(at_us: int) -> str:
    return datetime.fromtimestamp(at_us / 1_000_000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def _plain(text: str) -> str:
    """A stranger chooses its words: nothing of them may steer a terminal."""
    return "".join(sign if sign.isprintable() else "?" for sign in text)


# --- a list for an import -------------------------------------------------------------------------------------------


def _append(path: Path, config: Path, found: "Sequence[Learnt]") -> None:
    """Those that it does not hold yet. devices.csv itself is changed by an import, which looks at the whole first."""
    from alertd.config.devices import FILE
    from alertd.console.learning.rows import COLUMNS, as_csv

    if path.resolve() == (config / FILE).resolve():
        fail(f"{path} is changed by alertd import devices; name a list of its own here", Exit.USAGE)
    try:
        before = path.read_text(encoding="utf-8") if path.exists() else ""
        table = list(csv.reader(before.splitlines()))
        if table and tuple(table[0]) != COLUMNS:
            fail(f"{path} has other columns than this writes: {','.join(COLUMNS)}", Exit.USAGE)
        known = {row[0] for row in table if row}
        new = [each for each in found if each.id not in known]
        end = "" if not before or before.endswith("\n") else "\n"
        with path.open("a", encoding="utf-8") as file:
            file.write(end + as_csv(new, header=not before))
    except (OSError, UnicodeDecodeError) as error:
        fail(f"{path} cannot be written: {error}", Exit.FAILED)
    typer.echo(f"{len(new)} added to {path}. Next: alertd import devices {path} --default site=… --dry-run", err=True)
