"""Somebody sets the clock, while alertd runs or while it is down, or it starts slow: who answers is heard, whoever was
to be called is called, and what is said goes on."""

import pytest
from msgspec.structs import replace

from alertd.model.call_script import decode
from alertd.model.events import ClockStepped
from alertd.model.incident import EscalationState
from alertd.model.mode import Mode
from alertd.model.notification import Circumstances, NotificationRow
from alertd.model.policy import Step
from tests.engine import test_announcing, test_calls
from tests.engine.play import Play
from tests.engine.school import OAK, group, policy

S = 1_000_000
PROMISE_5 = "promise 5: whoever goes was not heard"
PROMISE_2 = "promise 2: phones that were to ring do not"


def set_clock(play: Play, way: str, step_s: int) -> None:
    """`way`: "seen" by a daemon that runs; "down": nobody was there; "reboot": the machine's clock starts slow."""
    play.stepped_us += step_s * S
    if way == "seen":
        play.do(ClockStepped(site_id=OAK, step_us=step_s * S))
    if way == "reboot":
        play.boot_id = f"after {play.boot_id}"


def waiting_calls(play: Play) -> list[NotificationRow]:
    return test_calls.calls(play)


def assisted() -> Play:
    """Phones have been called to an assist for 20 s."""
    assist = policy("staff_assist", Step(targets=(group("first"),), channels=("voice",), wait_s=60))
    play = Play(test_calls.school(assist))
    play.press("badge-118", 3)
    play.wait(20)
    return play


def overtaken(play: Play, row: NotificationRow) -> bool:
    return Circumstances.of(row.notification, play.incident, drill_running=False).overtaken


@pytest.mark.parametrize("way", ["seen", "down", "reboot"])
@pytest.mark.parametrize("step_s", [-280, -3600, -300 * 86_400])
def test_an_answer_counts_although_the_clock_was_set_back(way: str, step_s: int):
    play = Play()
    play.press("badge-204", 3)
    play.wait(5)
    play.press("badge-204", 8)
    play.wait(20)
    set_clock(play, way, step_s)
    play.wait(20)
    play.reply("Ruiz", "417")

    assert play.incident.escalation is EscalationState.PAUSED, PROMISE_5


@pytest.mark.parametrize("way", ["down", "reboot"])
def test_a_clock_that_is_slow_and_is_set_right_later_changes_nothing_of_what_an_answer_covers(way: str):
    play = Play()
    play.press("badge-204")
    play.wait(20)
    set_clock(play, way, -280)
    play.wait(60)
    written_us = play.now_us
    play.press("badge-118")
    play.wait(5)
    set_clock(play, "seen", 280)
    play.reply("Ruiz", "417", at_us=written_us)
    assert play.incident.escalation is EscalationState.RUNNING, "its author had not read of the second room"
    play.reply("Ruiz", "417")

    assert play.incident.escalation is EscalationState.PAUSED, PROMISE_5


def test_a_step_that_is_told_again_moves_nothing_twice():
    """A commit for one school failed: the clock watch tells all of them once more."""
    play = Play()
    play.press()
    known_us = play.incident.presses[0].known_us
    play.stepped_us += 280 * S
    for _ in range(3):
        play.do(ClockStepped(site_id=OAK, step_us=280 * S))

    assert play.incident.presses[0].known_us == known_us + 280 * S


def test_a_clock_that_wanders_writes_nothing():
    play = Play()
    play.press()
    play.stepped_us += S // 2
    before = play.incident
    decision = play.do(ClockStepped(site_id=OAK, step_us=0))

    assert decision.incidents == ()
    assert play.incident == before


@pytest.mark.parametrize("way", ["seen", "down", "reboot"])
@pytest.mark.parametrize("step_s", [3600, 30, -280, -3600])
def test_calls_for_what_it_became_ring_whoever_sets_the_clock(way: str, step_s: int):
    play = Play(test_calls.school())
    play.press("badge-204", 3)
    play.wait(20)
    play.press("badge-204", 8)
    calls = [r for r in waiting_calls(play) if "Lockdown" in r.notification.text]
    assert calls
    set_clock(play, way, step_s)
    play.wait(1)
    play.press("vape-wc")

    assert not [r.notification.recipient for r in calls if overtaken(play, r)], PROMISE_2


@pytest.mark.parametrize("noted", [True, False], ids=["counted", "of a release before"])
def test_a_call_for_what_it_was_before_is_overtaken(noted: bool):
    play = assisted()
    less = [r if noted else _of_before(r) for r in waiting_calls(play)]
    play.press("badge-118", 8)

    assert less
    assert all(overtaken(play, r) for r in less)


def _of_before(row: NotificationRow) -> NotificationRow:
    return replace(row, notification=replace(row.notification, upgrades=None))


@pytest.mark.parametrize("way", ["seen", "down", "reboot"])
@pytest.mark.parametrize("step_s", [30, -280])
def test_a_key_for_what_it_became_counts_whoever_sets_the_clock(way: str, step_s: int):
    play = Play(test_calls.school())
    play.press("badge-204", 3)
    play.wait(20)
    play.press("badge-204", 8)
    call = next(r for r in waiting_calls(play) if "Lockdown" in r.notification.text)
    set_clock(play, way, step_s)
    play.wait(12)
    play.key(call, 4)

    assert play.incident.escalation is EscalationState.PAUSED, PROMISE_5


def test_a_key_that_was_asked_for_before_an_upgrade_counts_for_nothing_also_if_the_clock_was_set_back():
    play = assisted()
    call = waiting_calls(play)[0]
    set_clock(play, "seen", -3600)
    play.press("badge-118", 8)
    said = play.key(call, 4)

    assert play.incident.escalation is EscalationState.RUNNING
    assert decode(said.body, said.text).upgrades == play.incident.upgrades == 1


@pytest.mark.parametrize("way", ["seen", "down", "reboot"])
def test_the_loudspeakers_say_it_again_after_the_clock_was_set_back(way: str):
    play = Play(test_announcing.school())
    play.press()
    test_announcing.take_all(play)
    set_clock(play, way, -280)
    play.wait(1)
    set_clock(play, "seen", 280)
    play.wait(61)

    assert len(test_announcing.said(play)) == 3, "R47: a school that hides hears it once"


def test_the_loudspeakers_say_again_what_a_press_made_graver_right_after_the_clock_was_set():
    """Before anybody has told the site of the step."""
    play = Play(test_announcing.school())
    play.press("badge-204", 3)
    play.wait(5)
    play.stepped_us -= 86_400 * S
    play.press("badge-204", 8)
    test_announcing.take_all(play)
    play.do(ClockStepped(site_id=OAK, step_us=-86_400 * S))
    play.wait(61)

    assert len(test_announcing.said(play)) == 3, "R47: a school that hides hears it once"


@pytest.mark.parametrize("step_s", [-5 * 3600, 5 * 3600])
def test_the_window_of_a_drill_moves_with_a_clock_that_is_set_while_alertd_is_down(step_s: int):
    play = Play()
    play.drill(minutes=30)
    play.wait(60)
    set_clock(play, "down", step_s)
    play.press("badge-204", 8)

    assert play.incident.mode is Mode.DRILL, "promise 3: a drill reached dispatch"


def test_a_drill_over_which_the_clock_starts_slow_has_the_hour_that_the_wall_shows():
    play = Play()
    play.drill(minutes=30)
    play.wait(60)
    set_clock(play, "reboot", -280)
    play.wait(1)
    play.press("badge-204", 8)
    drill = play.state.drill
    assert drill is not None
    assert play.incident.mode is Mode.DRILL, "promise 3: a drill reached dispatch"
    set_clock(play, "seen", 280)
    play.wait(30)

    assert play.state.drill is not None
    late_s = (play.state.drill.ends_us - drill.ends_us) / S
    assert late_s == 280
