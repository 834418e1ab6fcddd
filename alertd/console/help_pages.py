"""How `--help` reads: paragraphs that fit the terminal, one example a line, words instead of Python's types, and
commands in the groups in which somebody looks for them.

Owns form only; the words stand beside each command. Light: every command line imports it.
"""

import re
from typing import Any

import typer.core

GROUPS = {
    "Something is going on": (
        "incidents",
        "timeline",
        "ack",
        "resolve",
        "release",
        "correct",
        "say",
        "pa",
        "press",
    ),
    "Rehearse and prove": ("drill", "test", "simulate"),
    "Keep it well": ("health", "troubles", "doctor", "reload", "backup", "restore", "verify"),
    "Set it up": ("init", "import", "devices", "broker", "check", "run"),
}
BETWEEN_EXAMPLES = re.compile(r"\s+·\s+")
TYPES = {"<str>": "TEXT", "<list[str]>": "TEXT", "<int>": "N", "<int range>": "N", "<float>": "N", "<path>": "PATH"}
_PLACES = {name: (place, group) for place, (group, name) in enumerate((g, n) for g, ns in GROUPS.items() for n in ns)}


def in_order(names: list[str]) -> list[str]:
    """Ours in the order of their groups, then what others have added."""
    return sorted(names, key=lambda name: _PLACES[name][0] if name in _PLACES else len(_PLACES))


def readable(command: Any, *, at_the_top: bool = True) -> Any:
    """The same command, fit to be read at any width."""
    if getattr(command, "is_readable", False):
        return command
    command.is_readable = True
    command.help = reflowed(command.help)
    if at_the_top and command.name in _PLACES:
        command.rich_help_panel = _PLACES[command.name][1]
    for argument in command.params:
        if isinstance(argument, typer.core.TyperArgument):
            argument.metavar = argument.metavar or str(argument.name).upper()
            argument.display_type_rich = _no_type  # type: ignore[method-assign]  # its name and its words say more
    shown = command.get_params
    command.get_params = lambda context: with_words(shown(context), context)
    for below in getattr(command, "commands", {}).values():
        readable(below, at_the_top=False)
    return command


def _no_type(ctx: Any) -> str:  # noqa: ARG001 - typer's signature
    return ""


def with_words(parameters: list[Any], context: Any) -> list[Any]:
    """What is to be typed after an option. A flag takes nothing: `--yes`, not `--yes <bool>`."""
    for parameter in parameters:
        if isinstance(parameter, typer.core.TyperOption) and parameter.metavar is None:
            parameter.metavar = "" if parameter.is_flag else TYPES.get(parameter.display_type(context))
    return parameters


def reflowed(text: str | None) -> str | None:
    """Source lines are longer than a terminal is wide. Indented lines are kept as they are."""
    if text is None:
        return None
    return "\n\n".join(_reflowed(paragraph) for paragraph in text.split("\n\n"))


def _reflowed(paragraph: str) -> str:
    lines = paragraph.splitlines()
    if any(line.startswith("  ") for line in lines):
        return paragraph
    whole = " ".join(line.strip() for line in lines)
    label, colon, examples = whole.partition(":  ")
    if label not in ("Example", "Examples") or not colon:
        return whole
    return "\n".join([f"{label}:", *(f"  {example}" for example in BETWEEN_EXAMPLES.split(examples))])
