"""What may lie in the directory in place of a file: nothing of it hangs the reading, all of it is said."""

import os
import shutil
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from alertd.config import secret

pytestmark = pytest.mark.slow

FILES = ("alertd.toml", "people.csv", "schedules.toml", "sites/oak.toml", "policies/common.toml", "policies/vape.toml")


@pytest.mark.timeout(20)
@pytest.mark.parametrize("file", FILES)
def test_a_pipe_is_refused_and_nothing_waits_for_its_writer(school, file):
    (school.directory / file).unlink()
    os.mkfifo(school.directory / file)

    assert _said(school, file) == ["is not a file but a pipe"]


def test_a_socket_is_refused(school):
    (school.directory / "people.csv").unlink()
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(school.directory / "people.csv"))

        assert _said(school, "people.csv") == ["is not a file but a socket"]


@pytest.mark.parametrize("file", FILES)
def test_a_directory_is_refused(school, file):
    (school.directory / file).unlink()
    (school.directory / file).mkdir()

    assert _said(school, file) == ["is not a file but a directory"]


def test_a_device_is_refused(school):
    (school.directory / "people.csv").unlink()
    (school.directory / "people.csv").symlink_to("/dev/zero")

    assert _said(school, "people.csv") == ["is not a file but a device"]


@pytest.mark.parametrize("file", FILES)
def test_links_that_lead_in_a_circle_are_refused(school, file):
    (school.directory / file).unlink()
    (school.directory / file).symlink_to(school.directory / file)

    assert _said(school, file) == ["cannot be read: Too many levels of symbolic links"]


@pytest.mark.parametrize("file", ["schedules.toml", "policies/common.toml"])
def test_a_link_to_nothing_is_not_taken_for_a_file_that_one_may_leave_out(school, file):
    (school.directory / file).unlink()
    (school.directory / file).symlink_to("/nowhere/at/all")

    assert _said(school, file) == ["is missing"]


@pytest.mark.parametrize("folder", ["sites", "policies"])
def test_a_folder_that_cannot_be_listed_is_refused(school, folder):
    (school.directory / folder).rename(school.directory / f"{folder}.old")
    (school.directory / folder).symlink_to(school.directory / folder)

    assert _said(school, f"{folder}/") == ["cannot be listed: Too many levels of symbolic links"]


NOBODY = 65534


@contextmanager
def nobody_reads(path: Path) -> Iterator[None]:
    """Within, a person without rights to it, who is not root either."""
    mode = path.stat().st_mode
    path.chmod(0)
    user = os.geteuid()
    if user == 0:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(user)
        path.chmod(mode)


@pytest.fixture
def open_school(school):
    """Where everybody may go: pytest's own directories are their owner's alone."""
    with tempfile.TemporaryDirectory() as temporary:
        Path(temporary).chmod(0o755)
        school.directory = Path(shutil.copytree(school.directory, Path(temporary) / "config"))
        yield school


@pytest.mark.parametrize(
    ("path", "file", "message"),
    [
        ("people.csv", "people.csv", "cannot be read: Permission denied"),
        ("schedules.toml", "schedules.toml", "cannot be read: Permission denied"),
        ("sites", "sites/", "cannot be listed: Permission denied"),
        ("policies", "policies/", "cannot be listed: Permission denied"),
    ],
)
def test_what_may_not_be_read_is_refused(open_school, path, file, message):
    with nobody_reads(open_school.directory / path):
        problems = open_school.problems()

    assert {p.message for p in problems if p.file == file} == {message}
    assert {p.file for p in problems if p.is_error} <= {file, f"{file}common.toml"}


@pytest.mark.parametrize("where", ["config", "above it"])
def test_a_configuration_that_may_not_be_entered_is_refused(open_school, where):
    barred = open_school.directory if where == "config" else open_school.directory.parent
    with nobody_reads(barred):
        problems = open_school.problems()

    assert any(p.is_error and p.file == str(open_school.directory) for p in problems)
    assert all(p.remedy for p in problems)


def test_a_configuration_directory_that_cannot_be_listed_is_refused(school):
    here = school.directory.with_name("circle")
    here.symlink_to(here)
    school.directory = here

    (problem,) = school.read_problems()
    assert problem.is_error
    assert "is not a directory" in problem.message


@pytest.mark.timeout(20)
def test_a_secret_that_is_a_pipe_is_not_waited_for(monkeypatch, tmp_path):
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    os.mkfifo(tmp_path / "key")

    with pytest.raises(LookupError, match="secret 'key' is not set"):
        secret("key")


def _said(school, file):
    problems = school.problems()
    assert all(problem.is_error and problem.file == file for problem in problems), problems
    return [problem.message for problem in problems]
