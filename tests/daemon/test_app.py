"""The process: what it refuses, how it reloads, how it ends."""

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


class Running:
    """`alertd run` as a process, on a copy of the example school that reaches nobody."""

    def __init__(self, folder: Path) -> None:
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
        code = f"import sys; from alertd.app import run; sys.exit(run({str(self.config)!r}))"
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
    running.process.send_signal(signal.SIGTERM)
    assert running.process.wait(15) == app.EXIT_OK
    assert '"stopped"' in running.log.read_text()


@pytest.mark.slow
def test_python_without_assertions_is_refused():
    code = "import sys; from alertd.app import run; sys.exit(run('config'))"
    done = subprocess.run(
        [sys.executable, "-O", "-c", code], cwd=REPOSITORY, capture_output=True, text=True, check=False, timeout=60
    )

    assert done.returncode == app.EXIT_USAGE
    assert "python -O" in done.stderr
