"""Options of `alertd simulate` that make no sense together, and folders that cannot take a report: said at once."""

import os
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from alertd_simulator.swarm.cli import simulate
from alertd_simulator.swarm.option_rules import unwritable

APP = typer.Typer()
APP.command()(simulate)


def refused(*arguments: object) -> str:
    """What is said; the exit code is that of a wrong command line."""
    done = CliRunner().invoke(APP, [str(each) for each in arguments])
    assert done.exit_code == 2, done.output
    return " ".join(done.output.split())


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("--seed 1 --plan x.json", "--seed means nothing together with --plan"),
        ("--seed 1 --seeds 5", "--seeds means nothing together with --seed"),
        ("--seed 1 --first-seed 5", "--first-seed means nothing together with --seed"),
        ("--seed 0 --coverage", "--coverage means nothing together with --seed"),
        ("--plan x.json --write-coverage", "--write-coverage means nothing together with --plan"),
        ("--config d --trace", "--trace means nothing together with --config"),
        ("--config d --plan x.json", "--plan means nothing together with --config"),
        ("--config d --seed 4", "--seed means nothing together with --config"),
        ("--config d --coverage", "--coverage means nothing together with --config"),
        ("--scenario s.txt --seeds 3", "--seeds means nothing together with --scenario"),
        ("--scenario s.txt --json", "--json means nothing together with --scenario"),
        ("--scenario s.txt --config d --assumptions a.toml", "--assumptions means nothing together with --scenario"),
        ("--seed 1 --trace --json", "--json means nothing together with --trace"),
        ("--seed 1 --trace --out o", "--out means nothing together with --trace"),
        ("--assumptions a.toml", "--assumptions means something with --config only"),
        ("story.txt", "a file without an option means something with --scenario only"),
    ],
)
def test_options_that_do_not_go_together_are_refused_in_one_sentence(arguments: str, said: str) -> None:
    assert refused(*arguments.split()).startswith(said)


def test_a_folder_that_is_a_file_is_found_before_anything_runs(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    assert f"{tmp_path / 'file'} is no folder" in refused("--seeds", 5, "--out", tmp_path / "file" / "deeper")
    assert "is no folder" in refused("--config", tmp_path, "--out", tmp_path / "file")


def test_a_report_that_would_lie_where_a_folder_is_is_refused(tmp_path: Path) -> None:
    (tmp_path / "rehearsal.html").mkdir()

    assert "rehearsal.html is a folder" in refused("--config", tmp_path, "--out", tmp_path)


def test_a_folder_in_which_nothing_may_be_written_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda *_: False)

    assert "nothing can be written" in unwritable(tmp_path / "new")


def test_a_new_folder_is_not_made_before_it_is_needed(tmp_path: Path) -> None:
    assert unwritable(tmp_path / "deep" / "down") == ""
    assert list(tmp_path.iterdir()) == []
