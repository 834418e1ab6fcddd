"""How many presses people read of: never more than somebody made; where nobody knows, no number."""

import re

import pytest

from alertd.model.events import Lasting
from tests.engine.play import Play
from tests.engine.school import ELM, OAK
from tests.engine.test_gestures_beside import school
from tests.engine.test_overhearing import Fence

TOO_MANY = "people read of more presses than somebody made"


def numbers(play: Play) -> set[int]:
    """Presses that anybody reads of."""
    texts = (row.notification.text for row in play.rows.values())
    return {int(number) for text in texts for number in re.findall(r"(\d+) presses", text)}


@pytest.mark.parametrize("actions", [{}, {"hold": "lockdown"}])
def test_of_a_button_that_is_held_nobody_reads_a_number(actions):
    play = Play(school(actions=actions))
    for _ in range(60):
        play.arrive("badge-204", "hold")
        play.wait(1)
    assert len(play.texts_to("Nurse")) > 0
    assert not numbers(play), TOO_MANY
    assert play.incident.presses[0].count == 1, TOO_MANY


@pytest.mark.parametrize(
    ("said", "more"), [("press press hold hold", 1), ("hold hold hold press", 2), ("press hold hold press", 1)]
)
def test_of_presses_of_which_some_may_be_none_nobody_reads_a_number(said, more):
    play = Play(school(actions={}))
    for action in said.split():
        play.arrive("badge-204", action)
        play.wait(1)
    assert not numbers(play), TOO_MANY
    assert play.incident.presses[0].count == 1, TOO_MANY
    for _ in range(more):
        play.arrive("badge-204")
    play.wait(60)
    assert numbers(play) == {3}, "three presses are certain by now"


def test_a_count_that_is_said_again_is_no_more_presses():
    play = Play()
    for _ in range(20):
        play.press(count=8)
        play.wait(0.4)
    play.wait(60)
    assert numbers(play) == {8}, TOO_MANY
    play.press(count=9)
    assert play.incident.presses[0].count == 9


def test_a_copy_of_what_the_other_school_heard_is_no_press_more():
    fence = Fence()
    fence.press("E")
    fence.press("O", cause="the second")
    fence.press("E")
    fence.press("E", cause="the second")
    elm = fence.of[ELM]
    assert elm.incident.presses[0].count == 3, TOO_MANY
    fence.wait(60)
    assert numbers(elm) <= {3}, TOO_MANY


def test_presses_at_one_school_that_the_other_has_called_for_are_no_number_there():
    fence = Fence()
    fence.presses("EOEO", every_s=0.5)
    for site in (OAK, ELM):
        play = fence.of[site]
        play.wait(60)
        assert play.state.incidents
        assert not numbers(play), TOO_MANY


def test_who_asks_for_a_lockdown_that_goes_on_has_pressed_nothing():
    play = Play()
    play.press(count=8)
    play.reply("Nurse", f"9{play.incident.token}")
    play.reply("Nurse", f"9{play.incident.token}")
    assert play.incident.presses[0].count == 8, TOO_MANY


def test_presses_of_several_gestures_are_added_up():
    play = Play()
    for _ in range(3):
        play.press("wall-gym", count=None)
        play.wait(15)
    assert play.incident.presses[0].count == 3, "each of them is a press"


def test_a_state_that_has_ended_and_begins_anew_is_a_press_more():
    play = Play()
    for ends in (False, True, False):
        play.arrive("badge-204", "hold", lasting=Lasting(repeats_s=600), ends=ends)
        play.wait(5)
    assert play.incident.presses[0].count == 2


def test_presses_that_go_on_are_added_up_however_many_they_are():
    play = Play(school(presses={1: "staff_assist"}))
    for _ in range(120):
        play.arrive("badge-204")
        play.wait(2)
    assert play.incident.presses[0].count == 120
