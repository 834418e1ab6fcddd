"""The process: what it refuses, how it reloads, how it ends."""

import gc
import json
import logging
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from alertd import app
from alertd.daemon.system_clock import SystemClock
from alertd.store.sqlite import SqliteStore

pytestmark = pytest.mark.slow

REPOSITORY = Path(__file__).resolve().parents[2]
SECRETS = {
    "ALERTD_SECRET_BROKER_PASSWORD": "x",
    "ALERTD_SECRET_TWILIO_ACCOUNT_SID": "AC" + "0" * 32,
    "ALERTD_SECRET_TWILIO_AUTH_TOKEN": "x",
    "ALERTD_SECRET_DISPATCH_SIGNING": "whsec_" + "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=",
}


@pytest.fixture(autouse=True)
def _logging_as_it_was() -> Iterator[None]:
    yield
    structlog.reset_defaults()
    logging.basicConfig(force=True)


def test_a_configuration_that_is_not_there_is_refused_with_its_remedy(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    code = app.run(tmp_path / "nowhere")

    assert code == app.EXIT_INVALID
    assert "nowhere: is not a directory → " in capsys.readouterr().err


def test_missing_secrets_are_all_said_at_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    for name in SECRETS:
        monkeypatch.delenv(name, raising=False)
    code = app.run(REPOSITORY / "config", {"daemon.state_dir": str(tmp_path)})

    assert code == app.EXIT_INVALID
    said = capsys.readouterr().err
    for section in ("sources.broker", "channels.sms", "channels.dispatch-webhook"):
        assert section in said, "one section's problem hides another's"


@pytest.fixture
def ready(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A configuration that would start; its state directory is `state` beside it."""
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("ALERTD_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("ALERTD_SPARE_DIR", str(tmp_path / "spare"))
    thresholds = gc.get_threshold()
    yield REPOSITORY / "config"
    gc.unfreeze()
    gc.set_threshold(*thresholds)


def logged(said: str) -> list[dict[str, str]]:
    """The lines of the log; a traceback, or anything else that is no line of it, fails the test."""
    lines = [line for line in said.splitlines() if not line.startswith(("channels.toml", "people.csv"))]
    return [json.loads(line) for line in lines if line.startswith("{")]


def test_a_second_daemon_says_in_one_sentence_who_runs_already(ready, tmp_path, capsys):
    first = SqliteStore(tmp_path / "state" / "alertd.db", ballast_bytes=0)
    first.open("the first daemon", SystemClock())
    try:
        code = app.run(ready)
    finally:
        first.close()

    said = capsys.readouterr().err
    assert code == app.EXIT_FAILED
    assert "Traceback" not in said
    assert "task_crashed" not in said
    (last,) = [line for line in logged(said) if line["level"] == "critical"]
    assert "another alertd" in last["error"]
    assert "Stop it first" in last["error"]


@pytest.mark.parametrize("obstacle", ["the state directory is a file", "a directory above it is a file"])
def test_a_state_directory_that_cannot_be_made_is_one_sentence_with_a_remedy(ready, tmp_path, capsys, obstacle):
    (tmp_path / "state").write_text("in the way")
    if obstacle.startswith("a directory"):
        os.environ["ALERTD_STATE_DIR"] = str(tmp_path / "state" / "below")  # the fixture takes it away again
    code = app.run(ready)

    said = capsys.readouterr().err
    assert code == app.EXIT_FAILED
    assert "Traceback" not in said
    (last,) = [line for line in logged(said) if line["level"] == "critical"]
    assert str(tmp_path / "state") in last["error"]
    assert "set another daemon.state_dir" in last["error"]


OUR_PROFILES = (REPOSITORY / "tests/adapters/decoders/mapping/ours.toml").read_text()


class Running:
    """`alertd run` as a process, on a copy of the example school that reaches nobody."""

    def __init__(self, folder: Path, prelude: str = "") -> None:
        self.config = folder / "config"
        self.log = folder / "log"
        shutil.copytree(REPOSITORY / "config", self.config)
        channels = self.config / "channels.toml"
        text = channels.read_text().replace("port = 1883", "port = 1")
        assert 'plugin = "sms_twilio"' in text
        channels.write_text(
            text.replace('plugin = "sms_twilio"', 'plugin = "sms_twilio"\nbase_url = "http://127.0.0.1:1"')
        )
        places = {"ALERTD_STATE_DIR": str(folder / "state"), "ALERTD_SPARE_DIR": str(folder / "spare")}
        code = f"{prelude}\nimport sys; from alertd.app import run; sys.exit(run({str(self.config)!r}))"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-c", code], env=os.environ | SECRETS | places, stderr=log, cwd=REPOSITORY
            )

    def wait_for(self, words: str) -> None:
        for _ in range(600):
            if words in self.log.read_text():
                return
            assert self.process.poll() is None, f"it ended: {self.log.read_text()}"
            time.sleep(0.05)
        raise AssertionError(f"never said {words}: {self.log.read_text()}")


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    running = Running(tmp_path)
    yield running
    running.process.kill()
    running.process.wait()


@pytest.mark.slow
def test_a_reload_is_refused_as_a_whole_or_taken_and_sigterm_ends_well(running: Running):
    running.wait_for("mqtt_connection_lost")
    people = running.config / "people.csv"
    good = people.read_text()
    people.write_text(good + "\nnot,a,row\n")
    running.process.send_signal(signal.SIGHUP)
    running.wait_for("reload_refused")
    assert "people.csv" in running.log.read_text()

    people.write_text(good)
    running.process.send_signal(signal.SIGHUP)
    running.wait_for('"reloaded"')
    assert '"sections": []' in running.log.read_text(), "the broker and the loudspeakers were cut off for nothing"
    running.process.send_signal(signal.SIGTERM)
    assert running.process.wait(15) == app.EXIT_OK
    assert '"stopped"' in running.log.read_text()


@pytest.mark.slow
def test_another_profile_of_a_device_builds_its_sources_anew_and_a_broken_one_does_not(running: Running):
    running.wait_for("mqtt_connection_lost")
    profiles = running.config / "profiles"
    profiles.mkdir()
    (profiles / "ours.toml").write_text(OUR_PROFILES.replace("object.pressed == `0`", "object.pressed"))
    running.process.send_signal(signal.SIGHUP)
    running.wait_for("reload_refused")
    assert "profiles/ours.toml:37: profile.our-button.rules[2].when: is no comparison" in running.log.read_text()

    (profiles / "ours.toml").write_text(OUR_PROFILES)
    running.process.send_signal(signal.SIGHUP)
    running.wait_for('"sections": ["sources.broker"]')


@pytest.mark.slow
def test_a_reload_that_hangs_is_refused_and_blocks_neither_the_next_nor_the_end(tmp_path: Path):
    """As a network share that went away does: reading from it never comes back."""
    hang = tmp_path / "hang"
    prelude = f"""
import pathlib, threading
from alertd import app, lint

reload = lint.reload
def hanging(current):
    if pathlib.Path({str(hang)!r}).exists():
        threading.Event().wait()
    return reload(current)
lint.reload, app.RELOAD_S = hanging, 0.5
"""
    running = Running(tmp_path, prelude)
    try:
        running.wait_for("mqtt_connection_lost")
        hang.touch()
        running.process.send_signal(signal.SIGHUP)
        running.wait_for("could not be read within 0.5 s")

        hang.unlink()
        running.process.send_signal(signal.SIGHUP)
        running.wait_for('"reloaded"')
        running.process.send_signal(signal.SIGTERM)
        assert running.process.wait(15) == app.EXIT_OK
    finally:
        running.process.kill()
        running.process.wait()


@pytest.mark.slow
def test_python_without_assertions_is_refused():
    code = "import sys; from alertd.app import run; sys.exit(run('config'))"
    done = subprocess.run(
        [sys.executable, "-O", "-c", code], cwd=REPOSITORY, capture_output=True, text=True, check=False, timeout=60
    )

    assert done.returncode == app.EXIT_USAGE
    assert "python -O" in done.stderr
