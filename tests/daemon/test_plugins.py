"""Plugins are found by entry point, checked, and built; what one does wrong is a problem with file, line and remedy."""

from pathlib import Path

import pytest

from alertd.config import Section
from alertd.daemon.http_client import HttpClient
from alertd.daemon.system_clock import SystemClock
from alertd.plugins import fit
from alertd.ports import Surroundings

MODULE = """
from alertd.ports import API_VERSION, Built, ChannelLimits, SettingsError

class Pager:
    kind = "pager"
    limits = ChannelLimits()
    def __init__(self, name): self.name = name
    async def send(self, claim): ...
    async def look_up(self, row): return None

class Good:
    api_version = API_VERSION
    def build(self, name, settings, surroundings):
        if "url" not in settings: raise SettingsError("url", "is missing: write where the pager is")
        if settings["url"] == "secret": surroundings.secret("pager")
        if settings["url"] == "crash": raise ZeroDivisionError("x")
        if settings["url"] == "nothing": return Built()
        return Built(channel=Pager(name))

class Old(Good):
    api_version = API_VERSION - 1

good, old = Good(), Old()
"""


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A third party's distribution."""
    (tmp_path / "alertd_pager.py").write_text(MODULE)
    info = tmp_path / "alertd_pager-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: alertd-pager\nVersion: 1.0\n")
    points = "pager = alertd_pager:good\nold = alertd_pager:old\nbroken = alertd_pager_gone:x\n"
    (info / "entry_points.txt").write_text(f"[alertd.channels]\n{points}")
    monkeypatch.syspath_prepend(str(tmp_path))


def section(plugin: str, url: str | None = "ok") -> Section:
    return Section(
        table="channels",
        name="pager",
        plugin=plugin,
        settings={} if url is None else {"url": url},
        file="channels.toml",
        line=7,
        lines={"url": 9, "plugin": 8},
    )


def no_secret(name: str) -> str:
    raise LookupError(f"secret {name!r} is not set")


def surroundings() -> Surroundings:
    return Surroundings(clock=SystemClock(), http=HttpClient(), secret=no_secret)


def test_a_third_partys_channel_is_built(installed: None):
    fitted = fit([section("pager")], surroundings())

    assert fitted.problems == ()
    channel = fitted.built["channels.pager"].channel
    assert channel is not None
    assert channel.name == "pager"


@pytest.mark.parametrize(
    ("wrong", "line", "words"),
    [
        (section("old"), 8, "built for API 0, this alertd has API 1"),
        (section("broken"), 8, "plugin broken cannot be loaded: ModuleNotFoundError"),
        (section("paper"), 8, 'no plugin "paper" is installed for channels'),
        (section("pager", None), 9, "is missing: write where the pager is"),
        (section("pager", "secret"), 8, "secret 'pager' is not set"),
        (section("pager", "crash"), 8, "plugin pager failed: ZeroDivisionError"),
        (section("pager", "nothing"), 8, "plugin pager built no channel"),
    ],
    ids=["old api", "does not load", "not installed", "setting", "secret", "crash", "nothing built"],
)
def test_what_is_wrong_is_said_with_its_place_and_stops_no_other(
    installed: None, wrong: Section, line: int, words: str
):
    good = section("pager")
    fitted = fit([wrong, good], surroundings())

    (problem,) = fitted.problems
    assert words in problem.message
    assert (problem.file, problem.line, problem.is_error) == ("channels.toml", line, True)
    assert problem.remedy
    assert "channels.pager" in fitted.built
