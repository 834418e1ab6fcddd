"""Commands that other distributions, and the simulator, add to `alertd`: entry points of the group `alertd.commands`.

An entry point names a function with typer's annotations, or a `typer.Typer`; its name is the command's. Its module
should import nothing slow: `alertd --help` loads it for its first line. A command of alertd's own keeps its name;
one that cannot be loaded says so instead of taking the others with it. Light: every command line imports it.
"""

from importlib.metadata import EntryPoint, entry_points
from typing import Any, cast

import typer
from typer.core import TyperGroup

from alertd.console.help_pages import in_order, readable, with_words

GROUP = "alertd.commands"


class WithAddedCommands(TyperGroup):
    """alertd's own commands, and what is installed beside them. Looks there only for what it does not know itself."""

    def list_commands(self, ctx: Any) -> list[str]:
        own = super().list_commands(ctx)
        return in_order(own + sorted({point.name for point in entry_points(group=GROUP)} - set(own)))

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        own = super().get_command(ctx, cmd_name)
        if own is not None:
            return readable(own)
        point = next((point for point in entry_points(group=GROUP) if point.name == cmd_name), None)
        return None if point is None else readable(_command(point))

    def get_params(self, ctx: Any) -> list[Any]:
        return with_words(super().get_params(ctx), ctx)


def _command(point: EntryPoint) -> Any:
    try:
        found: object = point.load()
        if not isinstance(found, typer.Typer):
            found = _typer(point.name, cast("Any", found))
        command = typer.main.get_command(found)
    except Exception as error:  # noqa: BLE001 - a stranger's code
        command = typer.main.get_command(_typer(point.name, _excuse(point, error)))
    command.name = point.name
    return command


def _typer(name: str, function: Any) -> typer.Typer:
    app = typer.Typer(add_completion=False, rich_markup_mode="rich", pretty_exceptions_enable=False)
    app.command(name)(function)
    return app


def _excuse(point: EntryPoint, error: Exception) -> Any:
    words = f"{point.name} ({point.value}) cannot be loaded: {type(error).__name__}: {error}"

    def broken() -> None:
        typer.echo(words, err=True)
        raise typer.Exit(1)

    broken.__doc__ = f"Cannot be loaded: {point.value}."
    return broken
