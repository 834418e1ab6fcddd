"""Help at 80 columns, Tab, and the two reference pages that are written from the commands."""

import os
import re
import shutil
import subprocess
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest
import typer.main
from typer.testing import CliRunner

from alertd.cli import app

REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def reference():
    spec = spec_from_file_location("cli_reference", REPOSITORY / "scripts" / "cli_reference.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def help_of(*command: str) -> str:
    result = CliRunner().invoke(app, [*command, "--help"], env={"COLUMNS": "80", "TERMINAL_WIDTH": "80"})
    assert result.exit_code == 0
    return result.output


@pytest.mark.parametrize("kind", ["page", "manual"])
def test_the_reference_is_what_the_commands_say(reference, kind):
    """Else: scripts/cli_reference.py"""
    file = {"page": reference.PAGE, "manual": reference.MANUAL}[kind]

    assert file.read_text() == getattr(reference, kind)(), "run: scripts/cli_reference.py"


def test_the_reference_has_every_command_with_its_options(reference):
    page = (REPOSITORY / "docs" / "cli.md").read_text()

    for name in ("alertd doctor", "alertd pa stop", "alertd drill start", "alertd import people", "alertd simulate"):
        assert f"### `{name}`" in page
    assert "| `--arrived` | Is there, instead of going. |" in page
    assert "(or $ALERTD_CONFIG; default: /etc/alertd)" in page


def assert_fit(command: str) -> None:
    text = help_of(*command.split()[1:])

    assert max(len(line) for line in text.splitlines()) <= 80, command
    assert re.findall(r"<\w+>|list\[", text) == [], command


@pytest.mark.parametrize("command", ["alertd", "alertd simulate", "alertd drill start", "alertd import people"])
def test_help_fits_80_columns_and_speaks_no_python(command):
    assert_fit(command)


@pytest.mark.slow
def test_so_does_every_other_page_of_help(reference):
    for command in reference.commands():
        assert_fit(command.name)


def test_a_paragraph_is_wrapped_by_the_terminal_and_not_by_our_source():
    lines = [line.strip() for line in help_of("doctor").splitlines()]
    start = next(number for number, line in enumerate(lines) if line.startswith("Configuration, disk"))
    paragraph = lines[start : lines.index("", start)]

    assert min(map(len, paragraph[:-1])) > 60


def test_each_example_has_a_line_of_its_own():
    assert [line.strip() for line in help_of("ack").splitlines() if line.strip().startswith("alertd ack")] == [
        "alertd ack 17 --by ruiz",
        "alertd ack 17 --by ruiz --arrived",
        "alertd ack 517 --by ruiz",
    ]


def test_commands_stand_in_groups_and_those_for_an_emergency_come_first():
    panels = re.findall(r"^╭─ ([^─]+) ─", help_of(), re.MULTILINE)

    assert panels == ["Options", "Something is going on", "Rehearse and prove", "Keep it well", "Set it up"]


@pytest.mark.skipif(shutil.which("groff") is None, reason="groff is not installed")
def test_the_manual_is_formatted_without_complaint():
    manual = REPOSITORY / "docs" / "alertd.1"
    done = subprocess.run(
        ["groff", "-man", "-Kutf8", "-Tutf8", "-ww", manual], capture_output=True, text=True, check=False
    )

    assert (done.returncode, done.stderr) == (0, "")
    assert "Press a device by hand" in done.stdout


def completions(*words: str) -> list[str]:
    """What bash is offered for the last word."""
    environ = {"_ALERTD_COMPLETE": "complete_bash", "COMP_WORDS": " ".join(words), "COMP_CWORD": str(len(words) - 1)}
    code = "from alertd.cli import main; main()"
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, env={**os.environ, **environ}, capture_output=True, text=True, check=False)
    return done.stdout.split()


@pytest.mark.slow
def test_tab_completes_commands_and_options():
    assert completions("alertd", "in") == ["incidents", "init"]
    assert completions("alertd", "pa", "") == ["stop"]
    assert completions("alertd", "ack", "--arr") == ["--arrived"]


@pytest.mark.slow
def test_install_completion_writes_what_bash_can_read(tmp_path):
    environ = {**os.environ, "HOME": str(tmp_path)}
    code = f"exec {sys.executable} -c 'from alertd.cli import main; main()' --install-completion; true"
    subprocess.run(["bash", "-c", f"({code}); true"], env=environ, check=True, capture_output=True)
    (script,) = (tmp_path / ".bash_completions").iterdir()
    tried = f"source {script} && complete -p alertd"
    done = subprocess.run(["bash", "-c", tried], env=environ, capture_output=True, text=True, check=True)

    assert "alertd" in done.stdout


def test_nothing_of_the_help_is_lost_on_the_way(reference):
    """What stands in a docstring stands in the help, whatever was reflowed."""
    root = typer.main.get_command(app)
    words = {command.name: " ".join(command.paragraphs).split() for command in reference.commands()}

    assert len(words) > 20
    assert "Nothing waits for it: presses are committed meanwhile." in " ".join(words["alertd backup"])
    assert root.help is not None
