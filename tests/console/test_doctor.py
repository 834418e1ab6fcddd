"""The probes of `alertd doctor`: each says what it tried, what it saw, and what to do."""

import ctypes
import os
import sqlite3
import struct
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from msgspec import Struct
from msgspec.structs import replace

from alertd.config import load
from alertd.console import clock_probe, disk_probe, doctor, examination
from alertd.console.client import Client
from alertd.console.doctor import OK, Finding

SHIPPED = Path(__file__).resolve().parents[2] / "config"


class Section(Struct):
    table: str
    name: str
    plugin: str
    settings: Mapping[str, Any]


def test_a_healthy_disk_tells_how_long_a_commit_waits(tmp_path):
    room, sync = disk_probe.state_directory(tmp_path)

    assert "GiB free" in room.words
    assert sync.words.startswith("fdatasync of 4096 bytes takes ")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("wait_ms", "level"), [(1.0, "ok"), (60.0, "warn"), (400.0, "fail")])
def test_a_slow_disk_is_named_and_explained(tmp_path, monkeypatch, wait_ms, level):
    ticks = iter(range(10_000))
    monkeypatch.setattr(time, "perf_counter", lambda: next(ticks) * wait_ms / 1000)
    _, sync = disk_probe.state_directory(tmp_path)

    assert sync.level == level
    assert f"{wait_ms:.2f} ms" in sync.words


def test_the_time_that_the_disk_takes_to_hold_a_press_is_what_is_measured(tmp_path, monkeypatch):
    """An SD card takes writes at once, and is slow only when it has to have them."""
    synced: list[Path] = []
    now = [0.0]

    def slow_card(descriptor: int) -> None:
        synced.append(Path(f"/proc/self/fd/{descriptor}").readlink())
        now[0] += 0.3

    monkeypatch.setattr(os, "fdatasync", slow_card)
    monkeypatch.setattr(time, "perf_counter", lambda: now[0])
    _, sync = disk_probe.state_directory(tmp_path)

    assert (sync.level, "300.00 ms" in sync.words) == ("fail", True)
    assert {file.parent for file in synced} == {tmp_path}


def test_a_directory_that_cannot_be_written_is_a_failure_with_a_remedy(tmp_path):
    (only,) = disk_probe.state_directory(tmp_path / "missing")

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
    found = list(clock_probe.clock(tmp_path, now_s=1_000))

    assert found[0].level == "fail"
    assert "1,000 s behind" in found[0].words
    assert len(list(clock_probe.clock(tmp_path, now_s=3_000))) == 1


@pytest.mark.parametrize(
    ("state", "level", "words"),
    [
        (0, "ok", "synchronized, says the kernel, to within 250 ms"),
        (5, "warn", "the kernel does not know it to be synchronized"),
        (-1, "warn", "not known whether it is synchronized"),
    ],
)
def test_a_clock_that_nobody_keeps_is_not_called_synchronized(tmp_path, monkeypatch, state, level, words):
    """adjtimex(2) answers an error bound in any case; whether it means anything, its state says (5: TIME_ERROR)."""

    class Kernel:
        @staticmethod
        def adjtimex(timex: Any) -> int:
            struct.pack_into("@I3l", timex, 0, 0, 0, 0, 250_000)
            return state

    monkeypatch.setattr(ctypes, "CDLL", lambda _: Kernel)
    (found,) = clock_probe.clock(tmp_path)

    assert (found.level, found.words) == (level, words)


def test_the_examination_tries_everything_that_the_daemon_needs(tmp_path, monkeypatch):
    """In the shipped district, with nothing running: a probe that is left out is missed by nobody, until it would have
    spoken."""
    monkeypatch.setattr("alertd.console.broker_probe.brokers", lambda *_: [Finding(level=OK, what="broker", words="a")])
    monkeypatch.setattr(
        "alertd.console.broker_hearing.hearing", lambda *_: [Finding(level=OK, what="hearing", words="a")]
    )
    monkeypatch.setattr(
        "alertd.console.broker_keeping.keeping", lambda *_: [Finding(level=OK, what="keeping", words="a")]
    )
    monkeypatch.setattr(
        "alertd.console.channel_probe.channels", lambda *_: [Finding(level=OK, what="channels", words="")]
    )
    loaded = load(SHIPPED)
    settings = loaded.settings.model_copy(update={"state_dir": tmp_path})
    (tmp_path / "alertd.db").write_bytes(b"")

    told = examination.examine(replace(loaded, settings=settings), (), Client(tmp_path / "s"))
    found = [finding.what.split()[0] for finding in told]

    assert list(dict.fromkeys(found)) == [
        "configuration", "daemon", "disk", "ballast", "store", "clock", "secret", "broker", "hearing", "keeping",
        "channels", "heartbeat",
    ]  # fmt: skip


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


# --- time-outs


def test_a_probe_that_hangs_is_a_finding_and_the_others_are_asked():
    import threading

    released = threading.Event()

    def hangs():
        yield doctor.Finding(level="ok", what="disk", words="there is room")
        released.wait(10)

    first, late = doctor.in_time("disk", hangs, wait_s=0.05)
    released.set()

    assert first.words == "there is room"
    assert (late.level, late.what, late.words) == ("fail", "disk", "no answer within 0 s")
    assert late.remedy


def test_a_probe_that_fails_as_nobody_foresaw_is_a_finding():
    def breaks():
        raise ValueError("of a plugin")
        yield

    (only,) = doctor.in_time("channel sms", breaks)
    assert (only.level, only.words) == ("fail", "could not be examined: ValueError: of a plugin")


# --- disk, ballast


def test_one_slow_sync_in_ten_is_seen_beside_a_good_middle(tmp_path, monkeypatch):
    """The middle alone would call this disk good."""
    times, clock_s = iter(range(1, 1_000)), [0.0]

    def perf_counter() -> float:
        number = next(times)
        if number % 2 == 0:  # the end of a sync
            clock_s[0] += 0.4 if number % 20 == 0 else 0.001
        return clock_s[0]

    monkeypatch.setattr(time, "perf_counter", perf_counter)
    _, sync = disk_probe.state_directory(tmp_path)

    assert sync.level == "warn"
    assert "takes 1.00 ms, 95 of 100 at most 400.00 ms" in sync.words


def test_a_missing_ballast_is_told_once_the_daemon_has_run(tmp_path):
    url = f"sqlite:///{tmp_path}/alertd.db"
    assert list(disk_probe.ballast(url, 1)) == []
    (tmp_path / "alertd.db").write_bytes(b"")
    (gone,) = disk_probe.ballast(url, 1)
    (tmp_path / "alertd.db.ballast").write_bytes(bytes(1 << 20))
    (there,) = disk_probe.ballast(url, 1)

    assert (gone.level, there.level) == ("warn", "ok")
    assert "free 2 MiB" in gone.remedy


# --- clock


@pytest.mark.parametrize(
    ("ours", "level", "words"),
    [
        (1000.0, "ok", "agrees with"),
        (1000.9, "ok", "agrees with"),  # their Date was cut to whole seconds
        (1003.5, "warn", "is 2 s ahead of"),
        (997.0, "warn", "is 3 s behind"),
        (1100.0, "fail", "is 99 s ahead of"),
        (900.0, "fail", "is 100 s behind"),
    ],
)
def test_our_clock_is_held_against_what_others_say(ours, level, words):
    reading = clock_probe.Reading(asked_s=ours, answered_s=ours + 0.05, date_s=1000.0)
    (found,) = clock_probe.compared({"api.twilio.com": reading})

    assert found.level == level
    assert words in found.words
    assert "api.twilio.com" in found.words


def test_a_slow_answer_accuses_no_clock():
    reading = clock_probe.Reading(asked_s=1000.0, answered_s=1008.0, date_s=1007.0)

    assert [found.level for found in clock_probe.compared({"a": reading})] == ["ok"]
