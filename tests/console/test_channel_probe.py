"""`alertd doctor` asks each channel itself, in the daemon's place, and no channel can send through it."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from alertd.config import load
from alertd.console import channel_probe, examination
from alertd.console.clock_probe import Reading
from alertd.console.doctor import Finding
from alertd.ports import Built, Found, HttpNotSentError, HttpRequest

CONFIG = Path(__file__).resolve().parents[2] / "config"


class Twilio(BaseHTTPRequestHandler):
    """An account that is suspended, by a clock that has stopped."""

    asked: list[str] = []  # noqa: RUF012 - of the one server of a test

    def do_GET(self):
        self.asked.append(self.path)
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps({"status": "suspended", "type": "Full"}).encode())

    def date_time_string(self, timestamp=None):
        return "Wed, 14 Oct 2020 14:42:00 GMT"

    def log_message(self, *_):
        pass


@pytest.fixture
def twilio() -> Iterator[str]:
    Twilio.asked.clear()
    server = HTTPServer(("127.0.0.1", 0), Twilio)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join(5)
    server.server_close()


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """The example, with the SMS channel alone."""
    import shutil

    shutil.copytree(CONFIG, tmp_path / "config")
    return tmp_path / "config"


def with_channels(directory: Path, text: str):
    (directory / "channels.toml").write_text(text)
    return load(directory)


SMS = """[channels.sms]
plugin = "sms_twilio"
account_sid_secret = "sid"
auth_token_secret = "token"
from_numbers = ["+12025550101"]
base_url = "{url}"
"""


def test_a_suspended_account_and_a_wrong_clock_are_found_at_once(directory, twilio, monkeypatch):
    monkeypatch.setenv("ALERTD_SECRET_SID", "AC" + "0" * 32)
    monkeypatch.setenv("ALERTD_SECRET_TOKEN", "hunter2")
    readings: dict[str, Reading] = {}
    (found,) = channel_probe.channels(with_channels(directory, SMS.format(url=twilio)), readings)

    assert (found.level, found.what, found.words) == ("fail", "channel sms", "the account is suspended")
    assert Twilio.asked == [f"/2010-04-01/Accounts/AC{'0' * 32}.json"]
    assert readings["127.0.0.1"].ahead_s > 100_000_000
    assert examination.summary([found]) == "channel sms: the account is suspended"


def test_without_its_secret_a_channel_is_only_knocked_at(directory, twilio):
    first, second = channel_probe.channels(with_channels(directory, SMS.format(url=twilio)), {})

    assert (first.level, second.level) == ("warn", "ok")
    assert "secret 'sid' is not set" in first.words
    assert Twilio.asked == []


def built_with(monkeypatch, probe) -> None:
    monkeypatch.setattr(channel_probe, "build", lambda section, around: Built(probe=probe(around)))


def test_no_probe_can_send(directory, twilio, monkeypatch):
    said: list[str] = []

    def sends(around):
        async def probe(addresses):
            try:
                await around.http.send(HttpRequest(method="POST", url=twilio), timeout_s=1)
            except HttpNotSentError as error:
                said.append(str(error))
            yield Found(text="asked")

        return probe

    built_with(monkeypatch, sends)
    assert [f.words for f in channel_probe.channels(with_channels(directory, SMS.format(url=twilio)), {})] == ["asked"]
    assert said == ["a probe sends nothing"]


def test_a_probe_that_never_answers_ends_and_keeps_what_it_said(directory, monkeypatch):
    def hangs(around):
        import asyncio

        async def probe(addresses):
            yield Found(text="the account is active")
            await asyncio.Event().wait()

        return probe

    built_with(monkeypatch, hangs)
    monkeypatch.setattr(channel_probe, "PROBE_WAIT_S", 0.02)
    found = list(channel_probe.channels(with_channels(directory, SMS.format(url="http://127.0.0.1:1")), {}))

    assert [f.level for f in found] == ["ok", "fail"]
    assert "did not answer within" in found[1].words


def test_a_probe_is_given_the_addresses_of_people_destinations_and_loudspeakers():
    told = channel_probe.addresses(load(CONFIG).registry)

    assert len(told["sms"]) == len(load(CONFIG).registry.people)
    assert told["dispatch-webhook"] == {"county-dispatch"}
    assert told["pa"] == {"oak-all", "elm-all"}


def test_what_is_told_to_the_daemon_leaves_out_its_own_words_and_counts_the_rest():
    def fail(what: str, words: str) -> Finding:
        return Finding(level="fail", what=what, words=words, remedy="x")

    found = [
        Finding(level="warn", what="heartbeat", words="none is set", remedy="x"),
        fail("daemon broker", "no session"),
        fail("clock", "is 90 s behind"),
        fail("channel sms", "no money"),
        fail("channel sms", "not registered"),
    ]
    assert examination.summary(found) == "clock: is 90 s behind; also channel sms"
    assert examination.summary(found[:2]) == ""
