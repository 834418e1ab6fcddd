"""A copy of the example school that a test may break."""

import os
import shutil
import tomllib
from datetime import date
from pathlib import Path

import pytest

from alertd import lint
from alertd.config import Loaded, Problem, load

EXAMPLE = Path(__file__).resolve().parents[2] / "config"
NOT_WRITTEN_DOWN = {
    "<account sid>": "AC" + "0a" * 16,
    "<signing secret>": "whsec_" + "c2VjcmV0",
    "<auth token>": "d0" * 16,
}
"""What looks like a secret stands in no file, not even here: scanners would cry."""
TODAY = date(2026, 10, 14)


class School:
    """The directory, the pen, and what alertd says of it."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def replace(self, file: str, old: str, new: str) -> int:
        """Change one text; answers the line on which it stands."""
        text = (self.directory / file).read_text()
        assert text.count(old) == 1, f"{file} has {old!r} {text.count(old)} times"
        (self.directory / file).write_text(text.replace(old, new))
        return text[: text.index(old)].count("\n") + 1

    def append(self, file: str, text: str) -> None:
        path = self.directory / file
        path.write_text(path.read_text() + text)

    def write(self, file: str, data: str | bytes) -> None:
        (self.directory / file).write_bytes(data if isinstance(data, bytes) else data.encode())

    def spoil(self, case: dict[str, str]) -> int:
        """Make the mistake of a case; answers its line."""
        by = case["by"]
        for name, value in NOT_WRITTEN_DOWN.items():
            by = by.replace(name, value)
        return self.replace(case["in"], case["replace"], by)

    def load(self, **overrides: object) -> Loaded:
        return load(self.directory, {key.replace("__", "."): value for key, value in overrides.items()})

    def read_problems(self) -> tuple[Problem, ...]:
        return self.load().problems

    def lint_problems(self) -> tuple[Problem, ...]:
        loaded = self.load()
        assert loaded.problems == (), "a lint test needs a configuration that can be read"
        return lint.check(loaded, TODAY)

    def problems(self) -> tuple[Problem, ...]:
        loaded = self.load()
        return (*loaded.problems, *lint.check(loaded, TODAY))


@pytest.fixture
def school(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> School:
    for name in list(os.environ):
        if name.startswith("ALERTD_") or name == "CREDENTIALS_DIRECTORY":
            monkeypatch.delenv(name)
    ignored = shutil.ignore_patterns("variants", "recordings")
    copy = shutil.copytree(EXAMPLE, tmp_path / "config", ignore=ignored, copy_function=shutil.copyfile)
    (copy / "recordings").symlink_to(EXAMPLE / "recordings")  # only read: hundreds of tests need not copy it
    return School(Path(copy))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A fixture named like a file of cases: one test a case."""
    for name in ("unreadable", "unsafe", "doubtful"):
        if name in metafunc.fixturenames:
            cases = tomllib.loads((Path(__file__).parent / f"{name}.toml").read_text())
            metafunc.parametrize(name, cases.values(), ids=cases)
