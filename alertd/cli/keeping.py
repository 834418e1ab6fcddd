"""The commands about the records: prove them, copy them, put a copy back.

Imports wait until a command needs them. Must never write the database of a daemon that runs.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from alertd.console.options import DEFAULT_CONFIG, Json, Report
from alertd.console.terminal import Exit, Target, daemon, fail, print_json

if TYPE_CHECKING:
    from alertd.config import Settings


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
