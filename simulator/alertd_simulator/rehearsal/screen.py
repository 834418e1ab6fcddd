"""The rehearsal in a terminal: the findings, and one line a policy. The page has the rest.

Owns the progress bar as well. Must not compute a figure.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from alertd_simulator.rehearsal import words
from alertd_simulator.rehearsal.report import PolicyReport, Report

Tell = Callable[[int, int], object]
"""Called with how many days are done, and how many are known to come."""


@contextmanager
def progress(console: Console) -> Iterator[Tell]:
    """On the standard error; silent where nobody looks."""
    columns = (TextColumn("rehearsing"), BarColumn(), MofNCompleteColumn(), TextColumn("days"), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("", total=None)
        yield lambda done, known: bar.update(task, completed=done, total=known)


def show(console: Console, report: Report) -> None:
    title = f"{report.district}: {words.counted(report.days, 'day')} a policy, seed {report.seed}"
    table = Table(
        title=escape(title), title_justify="left", caption="median · 95 of 100 · worst", caption_justify="left"
    )
    for head in words.HEADS:
        table.add_column(head, overflow="fold")
    for policy in report.policies:
        table.add_row(*_row(policy))
    console.print(table)
    for (name, why), sites in report.impossible.items():
        console.print(f"Cannot be rehearsed: {escape(name)} ({escape(words.listed(sites, 4))}): {escape(why)}.")
    if report.attention:
        console.print("\n[bold]Look at this first[/bold]")
    for sentence in report.attention:
        console.print(f"  • {escape(sentence)}")


def _row(policy: PolicyReport) -> tuple[str, ...]:
    missed = policy.answered.days - policy.answered.happened
    return (
        escape(policy.title),
        words.spread(policy.told),
        words.spread(policy.answered),
        f"{missed} of {policy.answered.days}",
        words.exhausted(policy.exhausted),
        f"{policy.texts_median}, max {policy.texts_worst}",
        _hangs_on(policy),
    )


def _hangs_on(policy: PolicyReport) -> str:
    """Red, and in so many words, if one person carries a lockdown."""
    said = escape(words.hangs_on(policy.carried_by, policy.hangs_on)) or "–"
    return f"[bold red]{said}[/bold red]" if policy.carried_by else said
