"""The probes of `alertd doctor`: each says what it tried, what it saw, and what to do."""

import os
import sqlite3
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from msgspec import Struct

from alertd.console import doctor
from alertd.console.client import Client


class Section(Struct):
    table: str
    name: str
    plugin: str
    settings: Mapping[str, Any]


def test_a_healthy_disk_tells_how_long_a_commit_waits(tmp_path):
    room, sync = doctor.state_directory(tmp_path)

    assert "GiB free" in room.words
    assert sync.words.startswith("fdatasync of 4096 bytes takes ")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("wait_ms", "level"), [(1.0, "ok"), (60.0, "warn"), (400.0, "fail")])
def test_a_slow_disk_is_named_and_explained(tmp_path, monkeypatch, wait_ms, level):
    ticks = iter(range(10_000))
    monkeypatch.setattr(time, "perf_counter", lambda: next(ticks) * wait_ms / 1000)
    _, sync = doctor.state_directory(tmp_path)

    assert sync.level == level
    assert f"{wait_ms:.2f} ms" in sync.words


def test_a_directory_that_cannot_be_written_is_a_failure_with_a_remedy(tmp_path):
    (only,) = doctor.state_directory(tmp_path / "missing")

    assert only.level == "fail"
    assert "daemon.state_dir" in only.remedy


def test_a_store_that_is_no_database_fails(tmp_path):
    path = tmp_path / "alertd.db"
    missing = list(doctor.store(f"sqlite:///{path}"))
    path.write_bytes(b"not a database, but long enough to look like one" * 50)
    damaged = list(doctor.store(f"sqlite:///{path}"))
    path.unlink()
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE incident (id TEXT)")
    connection.close()
    whole = list(doctor.store(f"sqlite:///{path}"))

    assert [finding.level for finding in (*missing, *damaged, *whole)] == ["warn", "fail", "ok"]
    assert whole[0].words.startswith("opens, 1 tables")


def test_a_clock_that_was_set_back_is_seen_by_the_newest_file(tmp_path):
    (tmp_path / "alertd.db").write_bytes(b"")
    os.utime(tmp_path / "alertd.db", (2_000, 2_000))
    found = list(doctor.clock(tmp_path, now_s=1_000))

    assert found[0].level == "fail"
    assert "1,000 s behind" in found[0].words
    assert len(list(doctor.clock(tmp_path, now_s=3_000))) == 1


def test_every_secret_that_is_named_is_looked_for_and_none_is_shown():
    given = {"sms-token": "hunter2", "old": "hunter3"}

    def secret(name: str) -> str:
        if name not in given:
            raise LookupError(f"secret {name!r} is not set")
        return given[name]

    sections = [
        Section("channels", "sms", "sms_twilio", {"auth_token_secret": "sms-token", "per_s": 1}),
        Section("channels", "hook", "webhook", {"destinations": {"psap": {"signing_secret": ["old", "new"]}}}),
    ]
    found = list(doctor.secrets(sections, secret))

    assert [(f.what.split()[1], f.level) for f in found] == [("sms-token", "ok"), ("old", "ok"), ("new", "fail")]
    assert "hunter" not in str(found)


def test_a_channel_is_reachable_only_if_something_listens(unused_port, listening_port):
    sections = [
        Section("channels", "up", "webhook", {"destinations": {"a": {"url": f"http://127.0.0.1:{listening_port}/x"}}}),
        Section("channels", "down", "webhook", {"url": f"http://127.0.0.1:{unused_port}"}),
        Section("channels", "mute", "foo", {}),
        Section("sources", "broker", "mqtt", {"url": "http://127.0.0.1:1"}),
    ]
    found = {f.what: f for f in doctor.channels(sections)}

    assert {what: f.level for what, f in found.items()} == {
        "channel up": "ok",
        "channel down": "fail",
        "channel mute": "warn",
    }
    assert "whether it takes our messages is not known" in found["channel up"].words


@pytest.fixture
def listening_port():
    import socket

    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


@pytest.fixture
def unused_port():
    import socket

    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def test_nobody_watching_from_outside_is_a_warning():
    assert [f.level for url in (None, "https://watch.example.org/x") for f in doctor.heartbeat(url)] == ["warn", "ok"]


def test_a_daemon_that_is_away_is_one_line_with_what_to_do(tmp_path: Path):
    (only,) = doctor.daemon(Client(tmp_path / "s"))

    assert (only.level, only.what) == ("fail", "daemon")
    assert "systemctl start alertd" in only.remedy
