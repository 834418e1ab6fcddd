"""What an import would change, for the eyes of whoever runs it. Must never show a whole phone number: the words land in
tickets and chats.
"""

from collections.abc import Iterator
from pathlib import Path

from rich.text import Text

from alertd.config.problems import counted, render_problems
from alertd.console.render import console, plain
from alertd.exports.importing import Prepared
from alertd.exports.merging import Change, ChangeKind, Merged

CHANGES_SHOWN = 200
MISSING_SHOWN = 12
SIGNS = {ChangeKind.ADDED: ("+", "green"), ChangeKind.CHANGED: ("~", "yellow"), ChangeKind.REMOVED: ("-", "red")}
DIGITS_SHOWN = 4


def masked(number: str) -> str:
    """As "+1202•••0142"."""
    return f"{number[:5]}•••{number[-DIGITS_SHOWN:]}" if len(number) > DIGITS_SHOWN + 5 else "•••"


def show(prepared: Prepared, export: Path) -> None:
    """The changes, what was left alone, and the problems."""
    out = console()
    file = prepared.table.file
    if prepared.export is not None and prepared.merged is not None:
        out.print(f"{plain(export.name)} → {file}")
        for change in prepared.merged.changes[:CHANGES_SHOWN]:
            sign, style = SIGNS[change.kind]
            out.print(Text(f"  {sign} {plain(change.id)}  {', '.join(_cells(change))}", style=style))
        if len(prepared.merged.changes) > CHANGES_SHOWN:
            out.print(f"  … and {len(prepared.merged.changes) - CHANGES_SHOWN} more")
        for line in _summary(prepared, prepared.merged, export):
            out.print(line)
    if prepared.problems:
        out.print(render_problems(prepared.problems), end="", soft_wrap=True)


def _cells(change: Change) -> Iterator[str]:
    for column, (before, after) in change.cells.items():
        if column == "id":
            continue
        shown = [masked(cell) if cell and column == "phone" else plain(cell) for cell in (before, after)]
        yield (
            f"{column} {shown[0] or 'none'} → {shown[1]}" if change.kind is ChangeKind.CHANGED else max(shown, key=len)
        )


def _summary(prepared: Prepared, merged: Merged, export: Path) -> Iterator[str]:
    kinds = [change.kind for change in merged.changes]
    counts = [f"{kinds.count(kind)} {kind}" for kind in ChangeKind if kind in kinds]
    yield ", ".join([*counts, f"{merged.same} the same"]) + "."
    if merged.missing and ChangeKind.REMOVED not in kinds:
        names = ", ".join(map(plain, merged.missing[:MISSING_SHOWN])) + (
            ", …" if len(merged.missing) > MISSING_SHOWN else ""
        )
        what = counted(len(merged.missing), "people" if prepared.table.what == "person" else "devices")
        yield f"{what} not in {plain(export.name)} stay: {names}. --remove-missing would remove them."
    if prepared.export is not None and prepared.export.unused:
        yield f"Not used: {', '.join(map(plain, prepared.export.unused))}."
