#!/usr/bin/env python3
"""Writes docs/cli.md and docs/alertd.1, the reference of the command line, from the commands themselves.

    scripts/cli_reference.py            write both
    scripts/cli_reference.py --check    exit 1 if one of them is not what would be written

Owns the form of both pages; the words are those of `--help`. A quick test runs the check.
"""

import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import typer.core
import typer.main

from alertd.cli import app

REPOSITORY = Path(__file__).resolve().parents[1]
PAGE = REPOSITORY / "docs" / "cli.md"
MANUAL = REPOSITORY / "docs" / "alertd.1"
WRITTEN = "Written by scripts/cli_reference.py from the commands themselves: change the words there."


class Parameter(NamedTuple):
    """One argument or option, as a line says it."""

    name: str
    words: str


class Command(NamedTuple):
    """One command with what it takes. `paragraphs`: of its help, examples apart."""

    name: str
    usage: str
    panel: str
    paragraphs: list[str]
    parameters: list[Parameter]


def commands() -> Iterator[Command]:
    """The program itself, then every command and what stands below it, in the order of `--help`."""
    root: Any = typer.main.get_command(app)
    yield from _tree(root, typer.Context(root, info_name="alertd"))


def _tree(command: Any, context: Any) -> Iterator[Command]:
    yield Command(
        name=context.command_path,
        usage=" ".join(context.command.get_usage(context).split()).partition(": ")[2],
        panel=getattr(command, "rich_help_panel", None) or "",
        paragraphs=[*(command.help or "").split("\n\n"), *([command.epilog] if command.epilog else [])],
        parameters=[_parameter(p, context) for p in command.get_params(context) if not _is_of_typer(p)],
    )
    if isinstance(command, typer.core.TyperGroup):
        for name in command.list_commands(context):
            below: Any = command.get_command(context, name)
            yield from _tree(below, typer.Context(below, info_name=name, parent=context))


def _is_of_typer(parameter: Any) -> bool:
    return bool(getattr(parameter, "hidden", False)) or parameter.name == "help"


def _parameter(parameter: Any, context: Any) -> Parameter:
    is_option = isinstance(parameter, typer.core.TyperOption)
    name = ", ".join((*parameter.opts, *parameter.secondary_opts)) if is_option else parameter.metavar
    if is_option and parameter.metavar:
        name += f" {parameter.metavar}"
    words = [parameter.help or ""]
    extra = _extra(parameter, context)
    return Parameter(name, " ".join([*words, *([f"({'; '.join(extra)})"] if extra else [])]).strip())


def _extra(parameter: Any, context: Any) -> list[str]:
    extra = ["required"] if parameter.required else []
    if parameter.envvar:
        extra.append(f"or ${parameter.envvar}")
    default = parameter.get_default(context, call=False)
    if default not in (None, "", False, ()) and parameter.show_default and not parameter.required:
        extra.append(f"default: {default}")
    return extra


def page() -> str:
    """docs/cli.md."""
    root, *others = commands()
    lines = ["# The command line", "", f"<!-- {WRITTEN} -->", "", *_prose(root.paragraphs), "", *_COMPLETION, ""]
    lines += ["## Options before the command", "", *_table(root.parameters), ""]
    panel = ""
    for command in others:
        if command.panel and command.panel != panel:
            panel = command.panel
            lines += [f"## {panel}", ""]
        lines += [f"### `{command.name}`", "", f"    {command.usage}", "", *_prose(command.paragraphs), ""]
        lines += [*_table(command.parameters), ""] if command.parameters else []
    return "\n".join(lines).rstrip() + "\n"


_COMPLETION = [
    "Tab completes commands and options in bash, zsh and fish after `alertd --install-completion`, in a new terminal.",
    "`man -M /opt/alertd/share/man alertd` shows this page, if alertd is installed in `/opt/alertd`.",
]


def _prose(paragraphs: list[str]) -> Iterator[str]:
    for number, paragraph in enumerate(paragraphs):
        if number:
            yield ""
        if "\n" not in paragraph:
            yield _wrapped(paragraph)
            continue
        first, *rest = paragraph.splitlines()
        yield first
        yield ""
        yield from (f"    {line.strip()}" for line in rest)


def _wrapped(text: str) -> str:
    return "\n".join(textwrap.wrap(text, 120, break_on_hyphens=False, break_long_words=False))


def _table(parameters: list[Parameter]) -> Iterator[str]:
    if parameters:
        yield "| | |"
        yield "|---|---|"
    for parameter in parameters:
        name, words = (text.replace("|", "\\|") for text in parameter)
        yield f"| `{name}` | {words} |"


def manual() -> str:
    """docs/alertd.1, in the macros of man(7)."""
    root, *others = commands()
    lines = [f'.\\" {WRITTEN}', '.TH ALERTD 1 "" alertd "User Commands"', ".SH NAME"]
    lines += ["alertd \\- duress alerts for schools", ".SH SYNOPSIS", f".B {_roff(root.usage)}", ".SH DESCRIPTION"]
    lines += [*_paragraphs(root.paragraphs), ".SH OPTIONS", *_terms(root.parameters)]
    panel = ""
    for command in others:
        if command.panel and command.panel != panel:
            panel = command.panel
            lines.append(f".SH {_roff(panel.upper())}")
        lines += [f".SS {_roff(command.name)}", f".B {_roff(command.usage)}", *_paragraphs(command.paragraphs)]
        lines += _terms(command.parameters)
    lines += [".SH SEE ALSO", ".BR systemctl (1),", ".BR mosquitto (8)"]
    return "\n".join(lines) + "\n"


def _paragraphs(paragraphs: list[str]) -> Iterator[str]:
    for paragraph in paragraphs:
        yield ".PP"
        if "\n" not in paragraph:
            yield _roff(paragraph)
            continue
        yield ".nf"
        yield from (_roff(line) for line in paragraph.splitlines())
        yield ".fi"


def _terms(parameters: list[Parameter]) -> Iterator[str]:
    for parameter in parameters:
        yield ".TP"
        yield f".B {_roff(parameter.name)}"
        yield _roff(parameter.words) or "\\&"


def _roff(text: str) -> str:
    """No line may begin like a request, and a hyphen that is typed must stay one when it is copied."""
    escaped = text.replace("\\", "\\e").replace("-", "\\-")
    return f"\\&{escaped}" if escaped.startswith((".", "'")) else escaped


def main() -> int:
    made = {PAGE: page(), MANUAL: manual()}
    if "--check" not in sys.argv[1:]:
        for file, text in made.items():
            file.write_text(text, encoding="utf-8")
        return 0
    stale = [file.name for file, text in made.items() if not file.exists() or file.read_text(encoding="utf-8") != text]
    if stale:
        print(f"not what the commands say: {', '.join(stale)}; run: scripts/cli_reference.py")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
