"""Presses that a device put together, and words for a button that gestures do not know: they are presses."""

import pytest
from msgspec.structs import replace

from alertd.model.ids import DeviceId
from alertd.model.registry import Registry
from alertd.model.site import Gestures
from tests.engine.play import Play
from tests.engine.school import registry

BADGE = {3: "staff_assist", 8: "lockdown"}
WALL = {1: "staff_assist", 4: "lockdown"}
PAGED = "promise 2: presses that the device put together paged nobody"
UPGRADES = "what only may belong to a gesture upgrades nothing"
LONG_AGO_US = 3_600_000_000


def school(presses: dict[int, str], **actions: str) -> Registry:
    plain = registry()
    badge = replace(
        plain.devices[DeviceId("badge-204")], gestures=Gestures(id="its", presses=presses, actions=dict(actions))
    )
    return replace(plain, devices={**plain.devices, badge.id: badge})


def called(play: Play) -> list[str]:
    return [i.incident_class.value for i in play.state.incidents.values()]


def say(play: Play, *words: str, **more: object) -> list[str]:
    for word in words:
        play.arrive("badge-204", word, **more)
        play.wait(1)
    return called(play)


@pytest.mark.parametrize(
    ("words", "calls"),
    [
        (("triple_press",), ["staff_assist"]),
        (("triple",), ["staff_assist"]),
        (("press", "double_press"), ["staff_assist"]),
        (("double_press", "press"), ["staff_assist"]),
        (("single", "double"), ["staff_assist"]),
        (("multi_press",), ["staff_assist"]),
        (("multi_press", "multi_press"), ["lockdown"]),
        (("many", "quadruple"), ["lockdown"]),
        (("triple_press", "triple_press", "double_press"), ["lockdown"]),
        (("triple_press", "triple_press", "press"), ["staff_assist"]),
        (("double_press",), []),
        (("press", "press"), []),
    ],
    ids=" ".join,
)
def test_presses_that_a_device_put_together_are_so_many_more(words: tuple[str, ...], calls: list[str]) -> None:
    assert say(Play(), *words) == calls, PAGED


def test_what_gestures_name_keeps_its_meaning() -> None:
    play = Play(school(WALL, double_press="medical", triple_press="ignore"))
    assert say(play, "triple_press") == []
    assert say(play, "double_press") == ["medical"]


def test_a_count_of_the_device_itself_replaces_and_its_bundles_are_added() -> None:
    play = Play()
    for count in (1, 2):
        say(play, "press", count=count)
    assert called(play) == []
    assert say(play, "double_press", count=1) == ["staff_assist"]
    assert say(play, "press", "press", "press") == ["staff_assist"], "seven of them"
    assert say(play, "press") == ["lockdown"], "eight of them"


def test_a_count_that_is_that_of_its_word_is_no_count_of_the_whole_gesture() -> None:
    assert say(Play(), "multi_press", "multi_press", count=4) == ["lockdown"], "four and four of them"


def test_four_at_once_that_waited_without_a_time_are_four_of_one_gesture() -> None:
    play = Play(school(WALL))
    kept = {"backlog_since_us": play.now_us - LONG_AGO_US}

    assert say(play, "double_press", **kept) == ["staff_assist"]
    assert say(play, "double_press", **kept) == ["staff_assist"], UPGRADES
    assert say(play, "multi_press", **kept) == ["lockdown"], "the device itself says that they belong together"


@pytest.mark.parametrize("named", ["hold", "long_press", "long"])
@pytest.mark.parametrize("word", ["hold", "long_press", "long"])
def test_held_is_held_whichever_word_the_device_has_for_it(named: str, word: str) -> None:
    assert say(Play(school(WALL, **{named: "lockdown"})), word) == ["lockdown"], (
        "a button of another maker is held, and the hold that is written for it is taken for a press"
    )


def test_of_words_for_a_hold_the_devices_own_counts() -> None:
    rules = {"hold": "lockdown", "long_press": "medical"}
    assert say(Play(school(WALL, **rules)), "long_press") == ["medical"]
    assert say(Play(school(WALL, **rules)), "long") == ["staff_assist"], "nobody knows which: a school is locked"
    assert say(Play(school(WALL, hold="lockdown", long_press="ignore")), "long_press") == []


def test_only_the_very_word_that_is_ignored_is_ignored() -> None:
    """Who ignores a hold that a button says for as long as a bag lies on it has not spoken of another button."""
    assert say(Play(school(WALL, hold="ignore")), "hold") == []
    assert say(Play(school(WALL, hold="ignore")), "long_press") == ["staff_assist"], "promise 2: a press pages nobody"
    assert say(Play(school(WALL, hold="ignore", long="lockdown")), "long_press") == ["staff_assist"]


@pytest.mark.parametrize("word", ["hold", "long_press", "long"])
def test_a_button_that_is_held_is_pressed_if_its_gestures_do_not_know_the_word(word: str) -> None:
    assert say(Play(school({1: "medical"})), word) == ["medical"], "promise 2: a finger on the button paged nobody"
    assert say(Play(school(BADGE)), "press", "press", word) == ["staff_assist"]
    assert say(Play(school(WALL)), *[word] * 20) == ["staff_assist"], "it is held, and says so again and again"
    assert say(Play(school(BADGE)), *[word] * 20) == ["staff_assist"], "it is held, and says so again and again"


@pytest.mark.parametrize("word", ["hold", "long_press"])
def test_a_button_that_is_held_and_calls_nobody_rings_whoever_looks_after_it(word: str) -> None:
    play = Play(school(BADGE))
    assert say(play, word) == []
    assert play.said() == [("Ruiz", "trouble")], "whether it was meant, nobody knows"
    assert [t for t in play.state.troubles.values() if t.rings]


def test_two_presses_too_few_are_no_trouble() -> None:
    play = Play()
    say(play, "double_press")
    assert play.news() == []


def test_words_that_are_no_presses_are_asked_about() -> None:
    play = Play(school({1: "medical"}))
    assert say(play, "dance") == []
    assert play.said() == [("Ruiz", "trouble")]


def test_what_is_remembered_of_a_bundle_is_its_presses() -> None:
    play = Play()
    say(play, "double_press")
    (press,) = play.state.gestures[DeviceId("badge-204")].presses
    assert (press.number, press.doubtful, press.total) == (2, False, None)


HOLDS = [{1: "staff_assist"}, BADGE]


@pytest.mark.parametrize("presses", HOLDS)
def test_a_button_that_is_held_opens_nothing_that_a_human_has_closed(presses: dict[int, str]) -> None:
    play = Play(school(presses))
    say(play, *["hold"] * 10)
    play.resolve()
    play.news()

    assert say(play, *["hold"] * 30) == [], "one finger, or a bag, on the button"
    assert play.said() == [("Ruiz", "trouble")], "it is held, and nobody is told"
    assert say(play, "press") == ["staff_assist"], "promise 2: a press is a press, whatever was held before it"


@pytest.mark.parametrize("presses", HOLDS)
def test_a_button_that_is_held_once_more_after_its_window_calls_again(presses: dict[int, str]) -> None:
    play = Play(school(presses))
    say(play, *["hold"] * 10)
    play.resolve()
    play.wait(60)

    assert say(play, "hold", "hold", "hold") == ["staff_assist"], "promise 2: it was let go, and held for help"
