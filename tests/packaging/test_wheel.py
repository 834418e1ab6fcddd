"""The wheel as a user gets it: its top-level names, its files, its entry points, its commands."""

import json
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path, PurePosixPath

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
PACKAGES = {
    "alertd": "alertd",
    "alertd_adapters": "adapters/alertd_adapters",
    "alertd_simulator": "simulator/alertd_simulator",
}

pytestmark = pytest.mark.slow

# Run by the installed wheel's own Python: prints what it loaded from where, and each entry point that failed.
LOAD_ALL = """
import importlib, json
from importlib.metadata import distribution

found = distribution("alertd")
failed = {}
groups = {}
for point in found.entry_points:
    groups.setdefault(point.group, []).append(point.name)
    try:
        point.load()
    except Exception as error:
        failed[f"{point.group}: {point.name} = {point.value}"] = repr(error)
files = {name: importlib.import_module(name).__file__ for name in %r}
print(json.dumps({"groups": groups, "failed": failed, "files": files, "version": found.version}))
"""


def run(*command: object, cwd: Path) -> str:
    done = subprocess.run([str(part) for part in command], cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{command} failed:\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from the sdist, as for a release, with the build backend at hand: nothing is downloaded."""
    out = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", out, REPOSITORY, cwd=out)
    (built,) = out.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def names(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh venv with the wheel in it; the dependencies are borrowed from the venv that runs this test.

    A .pth line adds that venv's packages, but does not follow its .pth files: the editable install stays out.
    """
    venv = tmp_path_factory.mktemp("venv")
    run(sys.executable, "-m", "venv", "--without-pip", venv, cwd=venv)
    python = venv / "bin" / "python"
    run(
        *(sys.executable, "-m", "pip", "--python", python, "install"),
        *("--no-deps", "--no-index", "--disable-pip-version-check", wheel),
        cwd=venv,
    )
    (site,) = venv.glob("lib/python*/site-packages")
    (site / "borrowed.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return venv


def test_the_wheel_ships_three_packages_and_no_name_that_others_own(names: set[str]) -> None:
    top = {PurePosixPath(name).parts[0] for name in names}
    assert {name for name in top if not name.startswith("alertd-0")} == set(PACKAGES)
    assert {name.rpartition(".")[2] for name in top if name.startswith("alertd-0")} == {"dist-info", "data"}


def test_every_file_of_the_packages_is_in_the_wheel(names: set[str]) -> None:
    """Also those that are not Python: migrations, templates, py.typed. An ignore pattern can drop them unseen."""
    expected = {
        f"{package}/{path.relative_to(REPOSITORY / source).as_posix()}"
        for package, source in PACKAGES.items()
        for path in (REPOSITORY / source).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert expected - names == set()


def test_the_wheel_ships_units_and_the_example_district(installed: Path) -> None:
    def below(folder: Path) -> set[str]:
        return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}

    assert below(installed / "share/alertd/config") == below(REPOSITORY / "config")
    units = {name for name in below(REPOSITORY / "systemd") if name.endswith((".service", ".timer"))}
    assert "alertd.service" in units
    assert below(installed / "lib/systemd/system") == units
    assert below(installed / "lib/sysusers.d") == {"alertd.conf"}
    assert below(REPOSITORY / "systemd") - units == {"alertd.sysusers"}


def test_the_manual_is_where_man_looks(installed: Path) -> None:
    shipped = installed / "share" / "man" / "man1" / "alertd.1"
    assert shipped.read_text() == (REPOSITORY / "docs" / "alertd.1").read_text()


def test_every_entry_point_loads(installed: Path) -> None:
    told = json.loads(run(installed / "bin/python", "-c", LOAD_ALL % sorted(PACKAGES), cwd=installed))
    assert told["failed"] == {}
    assert {name for name, file in told["files"].items() if not file.startswith(str(installed))} == set()
    assert {group: set(found) for group, found in told["groups"].items()} == {
        "alertd.commands": {"simulate"},
        "alertd.sources": {"mqtt"},
        "alertd.channels": {"pa_rtp", "sms_twilio", "voice_twilio", "webhook"},
        "alertd.decoders": {"press_json", "profiles", "zigbee2mqtt"},
        "alertd.profiles": {"mapping"},
        "console_scripts": {"alertd", "alertd-sim"},
    }


def test_the_wheel_and_the_code_tell_the_same_version(installed: Path) -> None:
    code = "import alertd, importlib.metadata as m; print(alertd.__version__, m.version('alertd'))"
    told, packaged = run(installed / "bin/python", "-c", code, cwd=installed).split()
    assert told == packaged


@pytest.mark.parametrize("command", ["alertd", "alertd-sim"])
def test_the_commands_answer_to_help(installed: Path, command: str) -> None:
    assert "Usage" in run(installed / "bin" / command, "--help", cwd=installed)
