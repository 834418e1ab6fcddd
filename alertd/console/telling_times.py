"""The table of `alertd check`: how long telling takes, for each step and channel. Decoded JSON in, text out.

A district has dozens of schools: of each incident class it shows the slowest, and says how many are no slower. Fits 80
columns. Must never show a class that has no budget: nobody waits for a vape notice.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from rich.table import Table

from alertd.console.render import console, plain

SITES_MAX = 3
"""Up to so many schools each has its own rows."""

TITLE = "How long telling takes, in seconds after the press, if nobody answers:"

Answer = Mapping[str, Any]


def show(fan_outs: Sequence[Answer]) -> None:
    """Print it; nothing, if nobody would be told of anything."""
    rows = [each for each in fan_outs if each["within_s"] is not None and each["waves"]]
    if not rows:
        return
    shown = rows if len({each["site"] for each in rows}) <= SITES_MAX else list(_slowest(rows))
    table = Table(box=None, pad_edge=False, show_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column("site", overflow="fold")
    for column in ("incident", "step", "channel"):
        table.add_column(column, overflow="fold", no_wrap=column != "channel")
    for column in ("people", "a second", "first", "last", "within"):
        table.add_column(column, justify="right", no_wrap=True)
    for each in shown:
        _add(table, each)
    out = console()
    out.print(f"\n{TITLE}")
    out.print(table)
    if len(shown) < len(rows):
        out.print(f"The slowest school of each incident class; {len(rows) - len(shown)} more are no slower (--json).")
    out.print()


def _slowest(rows: Iterable[Answer]) -> Iterator[Answer]:
    slowest: dict[str, Answer] = {}
    for each in rows:
        known = slowest.get(each["incident_class"])
        if known is None or each["everyone_told_s"] > known["everyone_told_s"]:
            slowest[each["incident_class"]] = each
    yield from slowest.values()


def _add(table: Table, each: Answer) -> None:
    before = 0
    for number, wave in enumerate(each["waves"]):
        is_first = number == 0
        step = f"{wave['step']} at {wave['begins_s']:.0f} s" if wave["step"] != before else ""
        before = wave["step"]
        late = each["everyone_told_s"] > each["within_s"]
        table.add_row(
            plain(each["site"]) if is_first else "",
            plain(each["incident_class"]) if is_first else "",
            step,
            plain(wave["channel"]),
            _people(wave),
            f"{wave['per_s']:g}" if wave["per_s"] else "any",
            f"{wave['first_s']:.1f}",
            f"{wave['last_s']:.1f}",
            f"{'NOT ' if late else ''}{each['within_s']}" if is_first else "",
            style="bold red" if late and wave["step"] == 1 else "",
        )


def _people(wave: Answer) -> str:
    return f"{wave['people']}×{wave['segments']}" if wave["segments"] > 1 else str(wave["people"])
