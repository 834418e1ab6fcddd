"""The pages for people name files, commands and targets: all of them exist."""

import re
from functools import cache
from pathlib import Path

import pytest
import typer.main

from alertd.cli import app

REPOSITORY = Path(__file__).resolve().parents[2]
PAGES = sorted([*REPOSITORY.glob("*.md"), *REPOSITORY.glob("docs/*.md")])
FOLDERS = "adapters|alertd|config|docs|scripts|simulator|systemd|tests"

pytestmark = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)


def code_of(page: Path) -> list[str]:
    """What stands between backticks, and each line of the indented and fenced blocks."""
    text = page.read_text()
    fenced = re.findall(r"^```\w*\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    indented = re.findall(r"^(?: {4,}|\t)\S.*", text, re.MULTILINE)
    spans = re.findall(r"(?<!`)`([^`]+)`(?!`)", re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE))
    return [" ".join(code.split()) for code in (*spans, *indented, *(line for f in fenced for line in f.splitlines()))]


def test_linked_pages_and_named_files_exist(page: Path) -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]+)[^)]*\)", page.read_text())
    named = [name for code in code_of(page) for name in re.findall(rf"(?<![\w/.-])(?:{FOLDERS})/[\w./-]+", code)]
    missing = [link for link in links if not (page.parent / link).exists()]
    missing += [name for name in named if not (REPOSITORY / name.rstrip(".")).exists() and not _is_topic(name)]
    assert missing == []


def _is_topic(name: str) -> bool:
    """MQTT topics and file names with a placeholder look like paths, too."""
    return bool(re.match(r"alertd/(press|sensor|feedback|telemetry|alive)/", name)) or "NAME" in name


@cache
def _commands() -> frozenset[str]:
    """Built once: it takes longer than all pages."""
    return frozenset(typer.main.get_command(app).list_commands(None))  # type: ignore[attr-defined]  # it is a group


def test_named_commands_exist(page: Path) -> None:
    known = _commands()
    said = [word for code in code_of(page) for word in re.findall(r"(?:^|/bin/|\w=\S+ )alertd ([a-z]+)\b", code)]
    if page.name == "CHANGELOG.md":
        (every,) = re.findall(r"`alertd (run[^`]*)`", page.read_text())
        assert {word.strip() for word in every.split("|")} == known, "the changelog lists all commands"
    assert set(said) - known == set()


def test_named_make_targets_exist(page: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (REPOSITORY / "Makefile").read_text(), re.MULTILINE))
    said = {word for code in code_of(page) for word in re.findall(r"^make ([a-z-]+)\b", code)}
    assert said - targets == set()
