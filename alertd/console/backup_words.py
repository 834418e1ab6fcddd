"""What `alertd backup`, `restore` and `verify FILE` print: sizes, counts, and what is lost. Words only.

Must never: call a copy good that was not proven, or leave out that what is restored begins again.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

import typer
from msgspec.structs import asdict

from alertd.console.render import plain

NAMED_MAX = 10
"""Incidents that are named; the rest is counted."""


class Contents(Protocol):
    """`store.backup.Contents`, which this layer may not import."""

    @property
    def path(self) -> Path: ...
    @property
    def size_bytes(self) -> int: ...
    @property
    def heads(self) -> dict[str, int]: ...
    @property
    def entries(self) -> int: ...
    @property
    def incidents(self) -> int: ...
    @property
    def open_incidents(self) -> tuple[str, ...]: ...
    @property
    def notifications(self) -> int: ...
    @property
    def latest_us(self) -> int | None: ...


class Lost(Protocol):
    """`store.restoring.Lost`."""

    @property
    def why_unknown(self) -> str: ...
    @property
    def entries(self) -> int: ...
    @property
    def incidents(self) -> tuple[str, ...]: ...
    @property
    def reopened(self) -> tuple[str, ...]: ...


def as_answer(contents: Any, **more: object) -> dict[str, Any]:
    """For --json."""
    return {**asdict(contents), "path": str(contents.path), "entries": contents.entries, **more}


def proven(contents: Contents) -> None:
    latest = moment(contents.latest_us) if contents.latest_us else "nothing happened yet"
    typer.echo(
        f"{plain(contents.path)}: {contents.size_bytes / (1 << 20):,.1f} MiB, {contents.incidents:,} incidents"
        f" ({len(contents.open_incidents)} open), {contents.notifications:,} messages,"
        f" {contents.entries:,} journal entries of {len(contents.heads)} sites; the last of {latest}."
    )
    typer.echo("Proven: its pages are sound, and every journal chain is unbroken.")


def loss(lost: Lost, contents: Contents) -> None:
    """Before anything is done."""
    if lost.why_unknown:
        typer.echo(f"What is lost is NOT KNOWN: {plain(lost.why_unknown)}.")
    else:
        typer.echo(
            f"LOST since the copy: {lost.entries:,} journal entries and {len(lost.incidents)} incidents that were"
            " opened since. The broker does not deliver their presses again."
        )
        _name(lost.incidents)
    begins = contents.open_incidents
    if begins:
        typer.echo(
            f"{len(begins)} incidents were OPEN in the copy: when the daemon starts it goes on with them and texts"
            " people. Resolve at once what is over (alertd resolve):"
        )
        _name(begins)
    if lost.reopened:
        typer.echo(f"{len(lost.reopened)} of these are closed today, and would be open again.")


def restored(aside: Sequence[Path], database: Path) -> None:
    for path in aside:
        typer.echo(f"What was there is kept: {plain(path)}")
    typer.echo(f"Restored to {plain(database)}. Now: systemctl start alertd; alertd incidents")


def moment(at_us: int) -> str:
    return f"{datetime.fromtimestamp(at_us / 1_000_000, UTC):%Y-%m-%d %H:%M} UTC"


def _name(headlines: Sequence[str]) -> None:
    for headline in headlines[:NAMED_MAX]:
        typer.echo(f"  {plain(headline)}")
    if len(headlines) > NAMED_MAX:
        typer.echo(f"  and {len(headlines) - NAMED_MAX} more")
