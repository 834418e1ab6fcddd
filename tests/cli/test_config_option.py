"""`alertd --config DIR COMMAND`: the directory reaches every command, or the command refuses it. Never /etc/alertd in
its place: an import would write into the district that runs."""

import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from alertd.cli import app

CONFIG = Path(__file__).resolve().parents[2] / "config"


def run(*arguments: str, **environ: str | None):
    clean = {"ALERTD_CONFIG": None, "ALERTD_SOCKET_PATH": None, "ALERTD_STATE_DIR": None}
    return CliRunner().invoke(app, list(arguments), env={**clean, **environ})


@pytest.fixture
def ours(tmp_path: Path) -> Path:
    return Path(shutil.copytree(CONFIG, tmp_path / "ours", ignore=shutil.ignore_patterns("recordings", "variants")))


def test_check_looks_at_the_directory_that_was_said():
    """They are not there: to name one is enough, and quick."""
    said = "Checked /x/ours:"

    assert said in run("--config", "/x/ours", "check").output
    assert said in run("check", ALERTD_CONFIG="/x/ours").output
    assert said in run("--config", "/x/ours", "check", ALERTD_CONFIG="/x").output
    assert said in run("check", "/x/ours", ALERTD_CONFIG="/x").output


@pytest.mark.slow
def test_an_import_writes_into_the_directory_that_was_said(ours, tmp_path):
    (tmp_path / "staff.csv").write_text("Employee ID,Cell\nchen,(202) 555-0191\n")
    result = run("--config", str(ours), "import", "people", str(tmp_path / "staff.csv"))

    assert result.exit_code == 0, result.output
    assert "+12025550191" in (ours / "people.csv").read_text()


@pytest.mark.slow
def test_doctor_and_run_take_the_directory_that_was_said(ours, tmp_path, monkeypatch):
    taken: list[Path] = []

    def takes(directory: Path) -> int:
        taken.append(directory)
        return 0

    monkeypatch.setattr("alertd.app.run", takes)
    run("--config", str(ours), "run")
    result = run("--config", str(tmp_path / "nowhere"), "doctor")

    assert taken == [ours]
    assert str(tmp_path / "nowhere") in result.output.replace("\n", "")


@pytest.mark.slow
def test_simulate_takes_the_directory_that_was_said(tmp_path):
    result = run("--config", str(tmp_path / "nowhere"), "simulate", "--out", str(tmp_path))

    assert str(tmp_path / "nowhere") in result.output.replace("\n", ""), result.output


@pytest.mark.parametrize(
    "command",
    [
        ("check", "B"),
        ("doctor", "B"),
        ("run", "B"),
        ("import", "people", "x.csv", "--config", "B"),
        ("import", "devices", "x.csv", "--config", "B"),
        ("devices", "import", "x.csv", "--config", "B"),
        ("devices", "decode", "a/b", "{}", "--config", "B"),
        ("devices", "learn", "--config", "B"),
        ("broker", "config", "--config", "B"),
        ("simulate", "--config", "B"),
    ],
    ids=" ".join,
)
def test_two_directories_are_refused(ours, monkeypatch, command):
    monkeypatch.chdir(ours)
    result = run("--config", "A", *command)

    assert result.exit_code == 2
    assert "two configuration directories" in result.output.replace("\n", " ")


def test_the_same_directory_twice_is_one():
    assert "Checked /x/ours:" in run("--config", "/x/ours", "check", "/x/y/../ours").output


def test_init_takes_none(tmp_path):
    result = run("--config", str(tmp_path), "init", "d", "--people", "p", "--devices", "d", "--technician", "x")

    assert result.exit_code == 2
    assert "init writes a new directory" in result.output.replace("\n", " ")


def test_no_other_command_names_a_directory():
    """Whoever adds one gives it the callback `one_directory`, and a case above."""
    import typer

    def with_config(command, path=()):
        for name, each in getattr(command, "commands", {}).items():
            yield from with_config(each, (*path, name))
        if path and any(parameter.name == "config" for parameter in command.params):
            yield path

    found = set(with_config(typer.main.get_command(app)))
    imports = {("import", "people"), ("import", "devices")}
    devices = {("devices", "decode"), ("devices", "learn"), ("devices", "import")}
    assert found == {("check",), ("doctor",), ("run",), *imports, *devices, ("broker", "config")}
