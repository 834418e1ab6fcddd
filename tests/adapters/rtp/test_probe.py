"""What `alertd doctor` hears of loudspeakers on a machine that is not theirs. On the wire: test_on_the_wire."""

import asyncio
import os
import subprocess
import sys
from importlib import import_module

import pytest

from alertd.ports import Found, HttpResponse
from alertd.testing.scripted_http import ScriptedHttp
from alertd_adapters.rtp import plugin
from tests.adapters.doubles import surroundings
from tests.adapters.rtp.test_codecs import wav_file
from tests.adapters.rtp.world import SECTION, hum

PROBE = import_module("alertd_adapters.rtp.probe")
"""The package has a function of that name."""


@pytest.fixture(autouse=True)
def espeak(tmp_path, monkeypatch):
    """A speech program that hums at once, whatever the words are."""
    (tmp_path / "hum.wav").write_bytes(wav_file(1, 1, 8_000, 16, hum(440, 0.1).samples.tobytes()))
    program = tmp_path / "espeak-ng"
    program.write_text(f'#!/bin/sh\nfor out; do :; done\nexec cat {tmp_path}/hum.wav >"$out"\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    return program


def probed(**settings: object) -> list[Found]:
    """As the plugin offers it; the settings are only checked, so nothing is rendered."""
    around = surroundings(
        ScriptedHttp(lambda _: HttpResponse(status=500)), {}, extra={"checking": True, "pa_speak": lambda *_: None}
    )
    probe = plugin.build("pa", {**SECTION, **settings}, around).probe
    assert probe is not None

    async def all_of_it() -> list[Found]:
        return [found async for found in probe(("oak-all",))]

    return asyncio.run(all_of_it())


def test_a_card_that_is_not_ours_is_named_and_what_could_be_written_instead():
    card = probed()[0]

    assert card.text == "192.0.2.10 is no address of this machine"
    assert "127.0.0.1" in card.remedy
    assert card.grave


def test_our_own_card_and_a_way_to_each_group():
    found = probed(interface="127.0.0.1", loopback=True)

    assert [each.text for each in found[:4]] == [
        "lo (127.0.0.1) is up and does multicast",
        *(f"there is a way to {group} by 127.0.0.1" for group in ("239.192.4.10:5010", *TWO)),
    ]


def place() -> Found:
    (found,) = [each for each in probed() if "the pacer" in each.text]
    return found


@pytest.mark.parametrize(("given", "is_good"), [("real time", True), ("nice", False), ("ordinary", False)])
def test_whether_a_pacer_would_come_before_other_programs_is_asked_of_the_kernel(tmp_path, monkeypatch, given, is_good):
    """A stutter on a busy machine stands between nobody and the words: said, and not grave."""
    report = f'{{"order": "", "is": "placed", "place": "{given}", "why": "real time: not permitted"}}'
    monkeypatch.setattr(PROBE, "COMMAND", ("echo", report))
    found = place()

    assert found.is_good is is_good
    if not is_good:
        assert "tried here, for none runs now; real time: not permitted" in found.text
        assert "LimitRTPRIO=1" in found.remedy
        assert not found.grave


@pytest.mark.parametrize(("policy", "is_good"), [(os.SCHED_FIFO, True), (os.SCHED_OTHER, False)])
def test_a_pacer_that_runs_is_looked_at_and_none_is_started(tmp_path, monkeypatch, policy, is_good):
    """The self-test by night may less than the daemon: it would be refused what the daemon has."""
    script = tmp_path / "pacer.py"
    script.write_text("input(1)")
    monkeypatch.setattr(PROBE, "COMMAND", (sys.executable, str(script)))
    monkeypatch.setattr(PROBE.os, "sched_getscheduler", lambda pid: policy)
    command = [sys.executable, str(script)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as running:
        assert running.stdout is not None
        assert running.stdout.read(1) == b"1", "it runs"
        found = place()
        assert running.poll() is None
        running.communicate(b"\n")

    assert found.is_good is is_good
    assert "seen of the one that runs" in found.text


def test_a_pacer_that_cannot_be_started_is_found_by_night(monkeypatch):
    monkeypatch.setattr(PROBE, "COMMAND", ("/nonexistent/python",))
    found = place()

    assert "cannot be started" in found.text
    assert found.grave


TWO = ("239.192.4.2:5004", "239.192.4.3:5004")


def test_a_speech_program_that_is_not_there_is_named_with_its_package(monkeypatch):
    monkeypatch.setenv("PATH", "/nonexistent")
    voice = probed()[-1]

    assert not voice.is_good
    assert "apt install espeak-ng" in voice.remedy


def test_a_speech_program_is_heard_to_speak_not_only_seen(espeak):
    """It is installed, and lacks the voice."""
    espeak.write_text("#!/bin/sh\necho 'Error: The specified espeak-ng voice does not exist.' >&2\nexit 1\n")
    voice = probed()[-1]

    assert "cannot be spoken: espeak-ng failed: Error: The specified espeak-ng voice does not exist." in voice.text
    assert "espeak-ng" in voice.remedy


@pytest.mark.parametrize(
    ("settings", "is_good"),
    [({}, True), ({"live_words_deadline_s": 0.000_9}, False), ({"deadline_s": 0.001}, False)],
    ids=["in time", "too slow", "too slow for the page"],
)
def test_live_words_are_tried_within_the_time_that_the_channel_gives_them(settings, is_good):
    """`alertd say` gives up after that; a program that speaks well and late is one that never speaks."""
    voice = probed(**settings)[-1]

    assert voice.is_good is is_good
    if is_good:
        assert voice.text == "espeak-ng can speak live words"
    else:
        assert "s to speak, and alertd say gives them up after 0.0 s" in voice.text
        assert "live_words_deadline_s" in voice.remedy
        assert "deadline_s" in voice.remedy.replace("live_words_deadline_s", "")
