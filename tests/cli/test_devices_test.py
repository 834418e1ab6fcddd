"""`alertd devices test` and `hash-code`: what an admin sees at a device."""

import os
import signal
from collections.abc import Callable

import pytest

from alertd.console.backend import Proof
from alertd.model.duress_code import is_code_of
from alertd.model.events import Lasting

TEST = ("devices", "test", "badge-204", "--by", "ruiz")


@pytest.fixture
def oak(daemon, monkeypatch):
    """Each look of the command is a moment in which a finger presses."""

    def journalled(event, do=daemon.oak.do):
        decision = do(event)
        for entry in decision.entries:
            daemon.keep(entry)
        return decision

    daemon.oak.do = journalled
    moments: list[Callable[[], None]] = []
    clock = [0.0]

    def sleep(seconds):
        clock[0] += seconds
        if moments:
            moments.pop(0)()

    monkeypatch.setattr("alertd.console.trying.cli.time.sleep", sleep)
    monkeypatch.setattr("alertd.console.trying.cli.time.monotonic", lambda: clock[0])
    daemon.oak.moments = moments
    return daemon.oak


@pytest.mark.slow
def test_it_shows_what_is_heard_until_a_gesture_is_complete_and_then_the_device_is_live(shell, oak):
    oak.moments += [lambda n=n: oak.press("badge-204", n) for n in (1, 2, 3)]
    said = shell.run(*TEST)

    assert said.code == 0
    assert "is in TEST until" in said.out
    assert "heard    press × 1" in said.out
    assert "GESTURE  it would have called for staff_assist; nobody is paged" in said.out
    assert "badge-204 is LIVE again" in said.out
    assert not oak.rows
    oak.press("badge-204", 3)
    assert oak.rows


def test_a_device_that_is_not_heard_is_a_failure_that_says_where_to_look(shell, oak):
    oak.moments += [lambda: oak.wait(20)] * 31
    said = shell.run(*TEST)

    assert said.code != 0
    assert "its time is over" in said.out
    assert "Look at its battery, its gateway, and the trigger" in said.err


def test_a_word_that_its_gestures_do_not_know_is_named_and_no_fault_of_the_battery(shell, oak):
    oak.moments += [lambda: oak.arrive("badge-204", "sos"), *([lambda: oak.wait(20)] * 31)]
    said = shell.run(*TEST)

    assert said.code != 0
    assert "Look at its battery" not in said.err, "the button is well"
    assert "heard    sos, which its gestures do not know" in said.out
    assert 'badge-204 was heard, and calls NOBODY: it says "sos", which its gestures "badge" do not know' in said.err
    assert "write sos = the class that it calls for" in said.err


def test_that_alertd_has_no_session_is_said_before_anybody_presses_and_looks_for_a_fault_in_the_button(
    shell, daemon, oak
):
    daemon.proofs = [Proof(name="broker main", alive=False, words="no session: look at the broker")]
    oak.moments += [lambda: oak.wait(20)] * 31
    said = shell.run(*TEST)

    assert said.code != 0
    assert "Press it now" not in said.out, "nothing of what is pressed now is heard"
    assert said.err.count("alertd hears NO device over broker main: no session: look at the broker.") == 2
    assert "battery" not in said.err, "the button is well"


def test_it_is_over_when_nobody_has_asked_for_half_a_minute(shell, oak):
    """A laptop whose lid was closed: when it is opened, its command says that the device is live."""
    oak.moments += [lambda: oak.wait(31)]
    said = shell.run("devices", "test", "BADGE-204", "--by", "ruiz")  # as its label prints it

    assert "badge-204 is LIVE again: nobody watches its test any more." in said.out
    assert said.code != 0


@pytest.mark.parametrize("how", [signal.SIGHUP, signal.SIGTERM, signal.SIGINT])
def test_a_closed_terminal_leaves_no_button_in_test(shell, oak, how):
    """Its next press would page nobody, and nobody would look."""
    oak.moments += [lambda: os.kill(os.getpid(), how)]
    shell.run(*TEST)

    oak.press("badge-204", 3)
    assert oak.rows, "a real press behind the test was taken for a part of it"


def test_one_that_stays_in_its_alarm_is_in_test_until_it_is_reset(shell, oak):
    """Whatever it says after the test is real: whoever tries it out must not be who pages the school."""
    panic = Lasting(repeats_s=600)
    oak.moments += [lambda: oak.arrive("badge-204", "hold", lasting=panic), *[lambda: None] * 20]
    oak.moments += [lambda: oak.arrive("badge-204", "hold", lasting=panic, ends=True)]
    said = shell.run(*TEST, "--class", "lockdown")

    assert said.code == 0
    assert said.out.count("It stays in its alarm: reset it now") == 1
    assert not oak.moments, "it ended before the device was reset"
    assert "NOW" not in said.out
    assert not oak.rows


def test_one_that_is_not_reset_in_time_is_live_and_that_is_said(shell, oak):
    oak.moments += [lambda: oak.arrive("badge-204", "hold", lasting=Lasting(repeats_s=600))]
    oak.moments += [lambda: oak.wait(20)] * 31
    said = shell.run(*TEST, "--class", "lockdown")

    assert "reset badge-204 NOW. When it says so again, that is REAL" in said.out


def test_a_code_becomes_a_hash_and_is_not_shown(shell):
    said = shell.run("devices", "hash-code", typed="9911\n9911\n")

    assert said.code == 0
    assert "9911" not in said.out + said.err
    assert is_code_of("9911", said.out.strip().splitlines()[-1])
