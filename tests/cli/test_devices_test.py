"""`alertd devices test` and `hash-code`: what an admin sees at a device."""

import os
import signal
from collections.abc import Callable
from functools import partial

import pytest

from alertd.console.backend import Proof
from alertd.console.client import Client
from alertd.engine.routing import route
from alertd.model.check_in import DeviceStanding, LastSeen
from alertd.model.duress_code import is_code_of
from alertd.model.events import Arrival, Lasting, Signal
from alertd.model.ids import DeviceId
from tests.console.test_trying import OF_ZIGBEE, PRESSES, WALL_BUTTON

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
    daemon.says = {"badge-204": PRESSES}
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


def test_a_press_over_a_trigger_for_sensors_is_heard_and_no_fault_of_the_battery(shell, daemon, oak):
    """It rang whoever was on duty in the middle of the test, and the command blamed the battery."""

    def refused():
        signal = Signal(device_id=DeviceId("badge-204"), action="press")
        now_us = daemon.now().wall_us
        arrival = Arrival(
            source="broker", topic="halo/x", signals=(signal,), received_us=now_us, arrival_id="1", never_press=True
        )
        for event in route(daemon.school, arrival):
            daemon.do(event)

    oak.moments += [refused, *([lambda: oak.wait(20)] * 31)]
    said = shell.run(*TEST)

    assert said.code != 0
    assert "heard    press, where nobody presses: it calls NOBODY" in said.out
    assert "Look at its battery" not in said.err, "the button is well"
    assert "badge-204 was heard, and calls NOBODY: its trigger is for others" in said.err
    assert 'add "button" to its kinds in sources.broker.triggers' in said.err


def test_one_that_speaks_and_does_not_press_has_no_dead_battery(shell, daemon, oak):
    """Its gateway spells presses in a way that its profile takes for something else."""

    def speaks():
        seen_us = daemon.now().wall_us
        daemon.standings = [DeviceStanding(last=LastSeen(device_id=DeviceId("badge-204"), seen_us=seen_us))]

    oak.moments += [speaks, *([lambda: oak.wait(20)] * 31)]
    said = shell.run(*TEST)

    assert said.code != 0
    assert "battery" not in said.err, "the button is well"
    assert "badge-204 was heard in the test, and said nothing that is a press as its profile reads it" in said.err


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


@pytest.mark.parametrize(
    ("says", "word"), [(OF_ZIGBEE, "duress"), (None, "sos"), (None, "emergency")], ids=["profile", "sos", "emergency"]
)
def test_whoever_tries_out_an_sos_button_as_told_pages_nobody(shell, daemon, oak, says, word):
    daemon.has_gestures("badge-204", WALL_BUTTON)
    daemon.says = {} if says is None else {"badge-204": says}
    asked = shell.run(*TEST)
    assert asked.code != 0
    assert "Press it now" not in asked.out
    assert "refused: one touch of badge-204 may call for more than staff_assist" in asked.err

    oak.moments += [lambda: oak.arrive("badge-204", word)]
    said = shell.run(*TEST, "--class", asked.err.partition("--class ")[2].partition(",")[0])
    assert said.code == 0
    assert "nobody is paged" in said.out
    assert not oak.rows, "who did as the command says has paged the school"


@pytest.mark.parametrize("more", [(), ("--keep",), ("--json",)])
def test_a_press_that_was_no_test_is_said_with_whom_it_calls_and_how_to_take_it_back(shell, daemon, oak, more):
    """It ended the test and paged: who reads "no gesture was heard" looks for a battery, and people come running."""
    oak.moments += [lambda: oak.press("badge-204", 3), lambda: oak.press("badge-204", 8)]
    said = shell.run(*TEST, *more)

    (opened,) = oak.state.incidents.values()
    assert said.code == 1
    assert ("REAL     Okafor badge, 8 presses: lockdown" in said.out) is (more != ("--json",))
    first, _, then = said.err.partition("\n")
    why = "it was pressed for lockdown, not for staff_assist"
    assert first == f"badge-204 was heard LIVE ({why}): {opened.headline}. People are told."
    assert f"If nobody needs help: alertd correct {opened.token} --by ruiz --reason 'a button was tried out'" in then
    assert "battery" not in said.err
    assert more != ("--json",) or said.json["heard"][-1]["incident"] == opened.id


def test_what_others_have_called_for_is_not_offered_to_be_taken_back(shell, oak):
    """Its real press joined a lockdown: "a button was tried out" said of that one would call people off."""
    oak.moments += [lambda: oak.press("badge-118", 8), lambda: oak.press("badge-204", 8)]
    said = shell.run(*TEST)

    assert said.code == 1
    assert "badge-204 was heard LIVE (it was pressed for lockdown, not for staff_assist): OAK ELEM Rm 118" in said.err
    assert "alertd correct" not in said.err, "what others pressed for is called a mistake"
    assert "Others have pressed for it, too: take nothing back. Look: alertd incidents 17" in said.err


def test_what_came_between_the_last_look_and_the_end_is_said(shell, daemon, oak, monkeypatch):
    """The command has looked for the last time; somebody presses on."""

    def end(*given, post=Client.post):
        if given[1].endswith("/end"):
            oak.press("badge-204", 8)
        return post(*given)

    monkeypatch.setattr("alertd.console.client.Client.post", end)
    oak.moments += [lambda: oak.press("badge-204", 3), *[lambda: None] * 20]
    said = shell.run(*TEST)

    assert said.code == 1
    assert "badge-204 was heard LIVE" in said.err


def test_a_test_that_goes_on_until_ctrl_c_has_heard_what_it_has_heard(shell, oak):
    stop = partial(os.kill, os.getpid(), signal.SIGINT)
    oak.moments += [lambda: oak.press("badge-204", 3), *[lambda: None] * 20, stop]
    said = shell.run(*TEST, "--keep")

    assert said.code == 0, "a good button is called mute"
    assert not said.err


def test_one_that_was_heard_and_not_often_enough_has_no_empty_battery(shell, oak):
    oak.moments += [lambda: oak.press("badge-204", 1), *([lambda: oak.wait(20)] * 31)]
    said = shell.run(*TEST)

    assert said.code == 1
    assert "badge-204 was heard, and it came to no gesture in the test" in said.err
    assert "battery" not in said.err


def test_a_code_becomes_a_hash_and_is_not_shown(shell):
    said = shell.run("devices", "hash-code", typed="9911\n9911\n")

    assert said.code == 0
    assert "9911" not in said.out + said.err
    assert is_code_of("9911", said.out.strip().splitlines()[-1])
