"""Another distribution adds commands to `alertd`; a broken one hurts nobody but itself."""

import subprocess
import sys
from importlib.metadata import EntryPoint
from typing import Annotated

import pytest
import typer
from typer.testing import CliRunner

from alertd.cli import app
from alertd.console import added_commands

HERE = "tests.cli.test_added_commands"


def greet(name: Annotated[str, typer.Option(help="Whom.")] = "world") -> None:
    """Say hello.

    At length.
    """
    typer.echo(f"hello {name}")


group = typer.Typer(help="Two of a kind.")


@group.command()
def one() -> None:
    typer.echo("one")


@group.command()
def two() -> None:
    typer.echo("two")


def check() -> None:
    """Not ours."""
    typer.echo("stolen")


@pytest.fixture
def installed(monkeypatch):
    """What is installed besides alertd: name -> "module:attribute"."""

    def install(**points):
        found = [EntryPoint(name=name, value=value, group=added_commands.GROUP) for name, value in points.items()]
        monkeypatch.setattr(added_commands, "entry_points", lambda *, group: found)

    return install


def run(*arguments):
    return CliRunner().invoke(app, list(arguments))


def test_a_function_is_a_command_with_its_options(installed):
    installed(greet=f"{HERE}:greet")

    assert run("greet", "--name", "Oak").output == "hello Oak\n"
    assert "Say hello." in run("--help").output
    assert "Whom." in run("greet", "--help").output


def test_a_typer_is_a_group_under_its_entry_points_name(installed):
    installed(pair=f"{HERE}:group")

    assert run("pair", "two").output == "two\n"


def test_alertds_own_commands_keep_their_names(installed, tmp_path):
    installed(check=f"{HERE}:check")

    assert "stolen" not in run("check", str(tmp_path)).output
    assert "Not ours." not in run("--help").output


def test_a_broken_one_says_so_and_the_others_work(installed):
    installed(broken="alertd_nowhere.cli:app", greet=f"{HERE}:greet")
    overview, broken = run("--help"), run("broken")

    assert overview.exit_code == 0
    assert "Cannot be loaded: alertd_nowhere.cli:app." in overview.output
    assert "greet" in overview.output
    assert broken.exit_code == 1
    assert "ModuleNotFoundError" in broken.stderr
    assert run("greet").exit_code == 0


def test_an_unknown_command_is_still_a_mistake(installed):
    installed()

    assert run("smulate").exit_code == 2


def test_without_the_simulator_alertd_works(installed):
    installed()

    assert "simulate" not in run("--help").output
    assert run("--help").exit_code == 0


def test_help_shows_simulate_and_loads_nothing_of_it_but_its_words():
    code = """
import sys
from typer.testing import CliRunner
from alertd.cli import app
said = CliRunner().invoke(app, ["--help"]).output
assert "simulate" in said, said
print(sorted(name for name in sys.modules if name.startswith("alertd_simulator")))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == str(["alertd_simulator", "alertd_simulator.swarm", "alertd_simulator.swarm.cli"])
