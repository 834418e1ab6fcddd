"""The demo is honest: it names a hop that did not happen, and says so with its exit code."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
import tomllib
from contextlib import suppress
from io import StringIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from msgspec.structs import replace
from rich.console import Console

from alertd.daemon.system_clock import SystemClock
from alertd_simulator import demo, demo_story
from alertd_simulator.carrier import Carrier
from alertd_simulator.demo_hops import WITNESSES, Hop, Hops, Witness
from alertd_simulator.demo_school import Endpoints, Keys, dump_toml, find_example, prepare
from alertd_simulator.demo_screen import Screen
from alertd_simulator.demo_story import Story
from alertd_simulator.demo_witness import hops_of
from alertd_simulator.dispatch_center import DispatchCenter, Mood
from alertd_simulator.mqtt_tap import Tap

TEXT_FILES = {".toml", ".csv", ".txt", ".conf"}
ENDPOINTS = Endpoints(mqtt_port=18830, carrier_url="http://127.0.0.1:18831", dispatch_url="http://127.0.0.1:18832")


def test_what_is_read_from_toml_is_written_as_the_same_toml():
    text = """
name = "Oak \\"quoted\\" é"
on = true
rate = 0.5
list = [1, "two", { topic = "a/+" }]
[sources.broker]
host = "h"
[channels."with.dot".destinations.county]
url = "u"
"""
    document = tomllib.loads(text)

    assert tomllib.loads(dump_toml(document)) == document


def test_the_demo_school_is_the_shipped_example_on_loopback_with_no_secret_in_a_file(tmp_path):
    keys = Keys.made_up()
    school = prepare(find_example(), tmp_path, ENDPOINTS, keys)

    written = "".join(path.read_text() for path in school.directory.rglob("*") if path.suffix in TEXT_FILES)
    assert "18830" in written
    assert "127.0.0.1:18831" in written
    assert "127.0.0.1:18832" in written
    for secret in (keys.account_sid, keys.auth_token, keys.webhook, keys.other):
        assert secret not in written
        assert secret in school.environment.values()
    first, second = school.parts("lockdown")[:2]
    assert "204" in first.where
    assert first.where != second.where
    asked_first, asked_next = school.told_by_step("lockdown")[:2]
    assert asked_first
    assert asked_next - asked_first, "somebody new must be asked when nobody answers"


def test_a_configuration_as_the_readme_installs_it_is_copied_without_its_group_bit_and_its_secrets(tmp_path):
    """The unit alertd-sim.service may set no such bit (RestrictSUIDSGID=): it failed on every installed machine."""
    installed = tmp_path / "etc"
    shutil.copytree(find_example(), installed)
    (installed / "secrets").mkdir(mode=0o700)
    (installed / "secrets" / "broker-password").write_text("hunter2")
    (installed / "people.csv").chmod(0o640)
    for folder in (installed, installed / "policies", installed / "sites"):
        folder.chmod(0o2750)
    (tmp_path / "to").mkdir()
    school = prepare(installed, tmp_path / "to", ENDPOINTS, Keys.made_up())

    copied = [school.directory, *school.directory.rglob("*")]
    assert {f"{path.stat().st_mode & 0o7000:o}" for path in copied} == {"0"}
    assert school.directory.stat().st_mode & 0o777 == 0o750
    assert (school.directory / "people.csv").stat().st_mode & 0o777 == 0o640
    assert not (school.directory / "secrets").exists()
    assert (installed / "secrets" / "broker-password").read_text() == "hunter2"


def test_an_example_that_is_not_there_is_said_in_words(tmp_path):
    with pytest.raises(RuntimeError, match="no example configuration"):
        find_example(tmp_path)


def test_a_hop_is_reached_once_and_what_is_missing_is_named():
    hops = Hops()
    hops.reach(Hop.PRESSED, at_us=1_000_000)
    hops.reach(Hop.TEXT_SEEN, "Ruiz reads", text="LOCKDOWN", at_us=1_471_500)
    hops.reach(Hop.TEXT_SEEN, "Chen reads", at_us=9_000_000)

    story = hops.story()[3:]
    assert story[1].strip() == (
        "471.5 ms  the first responder's phone lights up: Ruiz reads  [only the simulation saw this]"
    )
    assert story[2].strip() == "“LOCKDOWN”"
    assert f"MISSING  {Hop.ANSWERED}" in "\n".join(story)
    assert len(hops.missing()) == len(Hop) - 2
    assert hops.missing(Hop.BROKER) == []


def test_each_chapter_has_a_zero_of_its_own():
    hops = Hops()
    hops.reach(Hop.PRESSED, at_us=1_000_000)
    hops.reach(Hop.DRILL_BEGUN, at_us=31_000_000)
    hops.reach(Hop.DRILL_TOLD, "Shaw reads", at_us=31_500_000)

    told = "\n".join(hops.story())
    assert "A drill, in milliseconds from its beginning:" in told
    assert f"500.0 ms  {Hop.DRILL_TOLD}: Shaw reads" in told


def test_a_district_with_less_has_a_shorter_story(tmp_path):
    school = prepare(find_example(), tmp_path, ENDPOINTS, Keys.made_up())

    assert Hop.KEY not in hops_of(school, pa=True).wanted, "nothing can call this daemon, so keys do not work"
    assert Hop.ANNOUNCED in hops_of(school, pa=True).wanted
    assert not {Hop.SPOKEN, Hop.DRILL_CUT, Hop.REAL_ANNOUNCED} & set(hops_of(school, pa=False).wanted)
    with_callbacks = prepare(find_example(), tmp_path / "b", replace(ENDPOINTS, callback_port=18833), Keys.made_up())
    assert set(hops_of(with_callbacks, pa=True).wanted) == set(Hop)


def test_loudspeakers_that_cannot_be_heard_fail_the_story_with_the_reason(capsys):
    told_nothing = SimpleNamespace(hops=Hops(wanted=()))
    world: Any = SimpleNamespace(story=told_nothing, violations=list, no_pa="no group can be joined", daemon=None)

    assert demo._verdict(world) == 1
    assert "no group can be joined" in capsys.readouterr().out
    world.no_pa = ""
    assert demo._verdict(world) == 0


def test_what_alertd_cannot_know_is_never_told_as_its_knowledge():
    for hop in (Hop.PRESSED, Hop.TEXT_SEEN, Hop.NEXT_SEEN, Hop.CONFIRMED, Hop.IGNORED):
        assert WITNESSES[hop] is Witness.SIMULATION


@pytest.mark.slow
async def test_every_hop_happens(capsys):
    code = await demo.demonstrate(once=True)

    told = capsys.readouterr()
    assert code == 0, told.out + told.err
    assert "MISSING" not in told.out
    assert f"{len(Hop)} of {len(Hop)}" in told.out


@pytest.mark.slow
async def test_a_dispatch_centre_that_rejects_fails_the_demo_by_name(monkeypatch, capsys):
    monkeypatch.setattr(demo_story, "CHAPTER_S", 8.0)
    async with demo._world(find_example()) as world:
        world.center.mood = Mood.REJECTS
        code = await demo._once(world)

    told = capsys.readouterr().out
    assert code == 1
    assert f"MISSING  {Hop.DISPATCH_ACCEPTED}" in told
    assert "NOT every hop happened" in told


@pytest.fixture
def nobody_to_tell(tmp_path) -> Path:
    example = tmp_path / "example"
    shutil.copytree(find_example(), example)
    people = example / "people.csv"
    people.write_text(re.sub(r"\+1\d{10}", "", people.read_text()))
    return example


@pytest.mark.slow
async def test_a_daemon_that_refuses_its_configuration_is_quoted(nobody_to_tell, capsys):
    code = await demo.demonstrate(once=True, config=nobody_to_tell)

    told = capsys.readouterr().err
    assert code == 1
    assert "alertd ended with code 4" in told
    assert "reaches no person with a phone" in told


def _daemon_of(demo_pid: int) -> int:
    """The alertd that the demo has started."""
    for _ in range(600):
        for child in Path(f"/proc/{demo_pid}/task/{demo_pid}/children").read_text().split():
            if b"\0run\0" in Path(f"/proc/{child}/cmdline").read_bytes():
                return int(child)
        time.sleep(0.05)
    raise AssertionError("the demo starts no alertd")


def _is_there(pid: int) -> bool:
    with suppress(FileNotFoundError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGHUP])
def test_however_the_demo_is_ended_no_alertd_lives_on_in_its_place(tmp_path, how):
    """It has a session of its own, so neither the terminal nor the shell ends it."""
    with (tmp_path / "told").open("wb") as told:
        process = subprocess.Popen(
            [sys.executable, "-c", "from alertd_simulator.cli import main; main()", "demo", "--no-pa"],
            stdin=subprocess.DEVNULL, stdout=told, stderr=told, env=os.environ | {"TMPDIR": str(tmp_path)},
        )  # fmt: skip
    daemon = 0
    try:
        daemon = _daemon_of(process.pid)
        process.send_signal(how)
        code = process.wait(20)
        for _ in range(400):
            if not _is_there(daemon):
                break
            time.sleep(0.05)
        assert not _is_there(daemon), "alertd lives on without the demo"
    finally:
        process.kill()
        process.wait()
        if daemon and _is_there(daemon):
            os.kill(daemon, signal.SIGKILL)
    if how is not signal.SIGKILL:
        assert code == 128 + how
        assert not list(tmp_path.glob("alertd-demo-*")), "its folder lies about"
        assert "Traceback" not in (tmp_path / "told").read_text()


class NoAir:
    async def publish(self, message):
        raise AssertionError("nobody presses here")


@pytest.mark.parametrize(("columns", "rows", "phones"), [(80, 24, 3), (150, 50, 12)])
def test_the_newest_lines_stay_on_the_screen_and_phones_stay_readable(tmp_path, columns, rows, phones):
    keys, clock = Keys.made_up(), SystemClock()
    carrier = Carrier(clock=clock, auth_token=keys.auth_token)
    center = DispatchCenter(clock=clock, secret=keys.webhook)
    story = Story(prepare(find_example(), tmp_path, ENDPOINTS, keys), NoAir(), carrier, center, Tap(0), ())
    for number, hop in enumerate(Hop):
        story.hops.reach(hop, at_us=1_000_000 + number)
    for number in range(15):
        story.afterwards.append((2_000_000 + number, f"Dispatch reads no. {number}"))
    paper = StringIO()
    terminal = Console(width=columns, height=rows, file=paper, force_terminal=False)

    terminal.print(Screen(story, center, keys=False).render(columns, rows))

    shown = paper.getvalue()
    assert "no. 14" in shown, "the newest line is below the edge of the screen"
    assert shown.count("…01") == phones, shown
