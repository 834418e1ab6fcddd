"""What may be a press and pages nobody: whoever is on duty is rung, for each anew, not for copies nor for a flood."""

import pytest
from msgspec.structs import replace

from alertd.engine.routing import route
from alertd.engine.troubles import FAMILY_MAX
from alertd.model.events import Arrival, Lasting, TroubleAcknowledged
from alertd.model.ids import DISTRICT, CauseId, DeviceId, SiteId
from alertd.model.incident import IncidentClass
from alertd.model.notification import Lane
from alertd.model.policy import Step
from alertd.model.registry import Registry
from tests.engine.play import START_US, Play
from tests.engine.school import group, policy, registry

MINUTE_US = 60_000_000


def acknowledge(play: Play, key: str) -> None:
    play.do(TroubleAcknowledged(site_id=play.state.site_id, cause=CauseId("ack"), key=key, by="J. Ruiz"))


def lockdowns(play: Play) -> int:
    return sum(i.incident_class is IncidentClass.LOCKDOWN for i in play.state.incidents.values())


def beside_the_school() -> Registry:
    """With a gateway of a site at which the roaming badge may not press."""
    school = registry()
    gateway = replace(school.devices[DeviceId("gw-elm")], id=DeviceId("gw-far"), site_id=SiteId("far"))
    return replace(school, devices={**school.devices, gateway.id: gateway})


def test_promise_2_a_copy_that_a_strangers_gateway_brings_first_swallows_no_page() -> None:
    play = Play(beside_the_school())
    for gateway in ("gw-far", "gw-oak", "gw-far"):
        play.arrive("walker", "hold", cause="a1/17", heard_by=DeviceId(gateway))
        play.wait(0.3)

    assert lockdowns(play) == 1, "promise 2: a copy that was nobody's press hid it"


def test_promise_2_what_was_pressed_before_it_was_registered_pages_when_it_is_said_again() -> None:
    school = registry()
    before = Play(
        replace(school, devices={k: v for k, v in school.devices.items() if k != "badge-204"}), site_id=DISTRICT
    )
    before.arrive("badge-204", "hold", cause="a1/1")
    play = Play(school)
    play.causes = dict(before.causes)
    play.wait(120)
    play.arrive("badge-204", "hold", cause="a1/1")

    assert lockdowns(play) == 1, "promise 2: the press of a stranger hid it"


@pytest.mark.parametrize("looked_after", [True, False], ids=["acknowledged", "not acknowledged"])
def test_a_new_gesture_where_nobody_is_paged_rings_again(looked_after: bool) -> None:
    """A registered badge outside the sites that it may press for."""
    play = Play(beside_the_school())
    for day in range(3):
        for press in range(3):
            for _ in range(2):
                play.arrive("walker", "press", cause=f"{day}/{press}", heard_by=DeviceId("gw-far"))
                play.wait(0.2)
        assert play.said() == [("Ruiz", "trouble")], "three presses that page nobody, and nobody is rung"
        if looked_after:
            acknowledge(play, "unregistered:walker")
        play.wait(3000)
        play.arrive("walker", "press", cause=f"{day}/2", heard_by=DeviceId("gw-far"))
        assert play.news() == [], "a redelivery is no other press"
        play.wait(9600)


def test_a_flood_that_pages_nobody_rings_once_and_after_a_minute_of_silence_again() -> None:
    play = Play(site_id=DISTRICT)
    for _ in range(40):
        play.arrive("stranger")
        play.wait(59)
    assert play.said() == [("Ruiz", "trouble")]
    play.stepped_us = -61 * 1_000_000
    play.wait(1)
    play.arrive("stranger")

    assert play.said() == [("Ruiz", "trouble")], "the clock was set back a minute; a minute has passed all the same"


def test_another_stored_press_rings_again_and_the_same_does_not_however_often_it_is_handed_out() -> None:
    """Acknowledged or not: whoever looked into the one of yesterday knows nothing of this one."""
    play = Play()
    for day in range(3):
        for _ in range(30):  # a line that is lost every minute
            play.arrive("badge-204", "hold", retained=True, cause=f"c{day}")
            play.arrive("badge-204", "hold", retained=True, cause="c0")
            play.wait(70)
        assert play.said() == [("Ruiz", "trouble")], "it may be a press, and another than before; once is enough"
        if day:
            acknowledge(play, "retained:badge-204")
        play.wait(3600)


def test_what_a_broker_keeps_of_a_stranger_rings_once_however_often_it_is_handed_out() -> None:
    play = Play(site_id=DISTRICT)
    for _ in range(5):
        for hidden in (("stranger", "hold"), ("stranger", "press"), ("other", "hold")):
            play.arrive(*hidden, retained=True)
            play.wait(70)

    assert play.said() == [("Ruiz", "trouble")] * 3, "no number tells it, and no time: it is the same"


def test_of_a_stored_press_without_a_number_its_own_time_says_that_it_is_another() -> None:
    play = Play()
    for minute in (30, 30, 20, 20):
        play.arrive("badge-204", "hold", retained=True, pressed_us=START_US - minute * MINUTE_US)
        play.wait(90)

    assert play.said() == [("Ruiz", "trouble")] * 2, "its own time says that it is another"


def test_a_strip_that_was_reset_and_is_pulled_when_it_is_heard_of_again_rings_again() -> None:
    play = Play()
    for _ in range(4):
        play.press(standing=True, lasting=Lasting(repeats_s=60), pressed_us=play.now_us)
        play.wait(90)
    assert play.said() == [("Ruiz", "trouble")], "it hangs since last year, and its gateway comes and goes"
    acknowledge(play, "retained:badge-204")
    play.press(lasting=Lasting(repeats_s=60), ends=True)
    play.press(standing=True, lasting=Lasting(repeats_s=60))

    assert play.said() == [("Ruiz", "trouble")], "promise 2: it was reset, so it was pulled since"


@pytest.mark.parametrize("looked_after", [True, False], ids=["acknowledged", "not acknowledged"])
def test_a_word_that_gestures_do_not_know_rings_each_time(looked_after: bool) -> None:
    play = Play()
    for _ in range(3):
        for _ in range(4):
            play.arrive("badge-204", "dance")
            play.wait(0.2)
        assert play.said() == [("Ruiz", "trouble")], "it may be a press and pages nobody, and nobody is rung"
        if looked_after:
            acknowledge(play, "unmapped:badge-204:dance")
        play.wait(9600)


def test_promise_2_a_word_that_is_said_after_somebody_has_looked_rings_though_it_never_was_quiet() -> None:
    """Gestures do not know it, and nothing tells it from the one before."""
    play = Play()
    play.arrive("badge-204", "dance")
    assert play.said() == [("Ruiz", "trouble")]
    play.wait(20)
    acknowledge(play, "unmapped:badge-204:dance")
    play.news()
    rung = []
    for wait_s in (30, 50, 50, 50, 50):
        play.wait(wait_s)
        play.arrive("badge-204", "dance")
        rung += play.said()

    assert rung, "promise 2: five times in four minutes it may have been a press, and nobody was rung"
    assert rung == [("Ruiz", "trouble")], "a flood rings once for each time that somebody looks, not each minute"


def refused(
    play: Play,
    why: str = "not JSON",
    *,
    retained: bool = False,
    size: int = 8,
    never_press: bool = False,
    name: str = "badge-204",
) -> None:
    play.arrivals += 1
    event = Arrival(
        source="mqtt",
        topic=f"alertd/press/{name}",
        signals=(),
        received_us=play.now_us,
        arrival_id=str(play.arrivals),
        refused=why,
        size=size,
        retained=retained,
        never_press=never_press,
    )
    for each in route(play.registry, event):
        play.do(each)


@pytest.mark.parametrize("looked_after", [True, False], ids=["acknowledged", "not acknowledged"])
def test_what_is_not_understood_rings_each_time(looked_after: bool) -> None:
    play = Play(site_id=DISTRICT)
    for _ in range(3):
        for _ in range(4):
            refused(play)
            play.wait(0.2)
        assert play.said() == [("Ruiz", "trouble")], "it may be a press and pages nobody, and nobody is rung"
        if looked_after:
            acknowledge(play, "malformed:alertd/press/badge-204")
        play.wait(9600)


def test_what_a_broker_keeps_and_nobody_understands_rings_once_however_often_it_is_handed_out() -> None:
    play = Play(site_id=DISTRICT)
    for _ in range(5):
        for why in ("not JSON", "no action"):
            refused(play, why, retained=True)
            play.wait(70)
    assert play.said() == [("Ruiz", "trouble")] * 2, "at each connection; it is the same"
    refused(play)

    assert play.said() == [("Ruiz", "trouble")], "that one is of now"


def test_what_a_sensor_says_and_nobody_understands_is_told_once_and_rings_nobody() -> None:
    """New firmware: each report of every ten minutes has one value more."""
    play = Play(site_id=DISTRICT)
    for _ in range(60):
        refused(play, "cannot read its last 2 bytes", never_press=True)
        play.wait(600)
    told = play.news()

    assert {n.recipient for n in told} == {"Ruiz"}
    assert all(n.lane is not Lane.PANIC for n in told), "a sensor never presses, and people are rung at night"
    assert all("Not a press" in n.text and "May have been a press" not in n.text for n in told)
    assert len({n.created_us for n in told}) == 3, "once, and a reminder every four hours until somebody looks"


def test_of_what_a_sensor_says_and_nobody_understands_only_the_policys_own_people_are_told() -> None:
    play = Play(registry(policy("trouble", Step(targets=(group("nobody"),)))), site_id=DISTRICT)
    refused(play, never_press=True)
    assert play.said() == [], "what comes of sensors was told to everybody"
    refused(play)

    assert play.said() == [("Super", "trouble")], "that one may have been a press"


def test_the_same_unknown_thing_that_somebody_has_looked_at_rings_once_an_hour() -> None:
    play = Play(site_id=DISTRICT)
    rung = 0
    for _ in range(36):  # six hours
        for size in (8, 9):
            refused(play, size=size)
        rung += len(play.news())
        acknowledge(play, "malformed:alertd/press/badge-204")
        play.wait(600)
    assert 6 <= rung <= 7, "who looks after it cannot mend it with each message"
    refused(play)
    play.news()
    acknowledge(play, "malformed:alertd/press/badge-204")
    play.wait(120)
    for other in ({"why": "no action"}, {"size": 10}):
        refused(play, **other)
        assert play.said() == [("Ruiz", "trouble")], "another may be a press, and nobody is rung"
        acknowledge(play, "malformed:alertd/press/badge-204")
        play.wait(120)


@pytest.mark.parametrize("retained", [False, True], ids=["of now", "kept by a broker"])
def test_promise_2_what_follows_at_once_what_somebody_has_looked_at_rings_when_it_is_said_again(retained: bool) -> None:
    """It is told with the one before, of whom nobody looks any more."""
    play = Play(site_id=DISTRICT)
    refused(play)
    play.wait(20)
    acknowledge(play, "malformed:alertd/press/badge-204")
    assert play.said() == [("Ruiz", "trouble")]
    for _ in range(3):
        play.wait(25)
        refused(play, size=90, retained=retained)
        refused(play)

    assert play.said() == [("Ruiz", "trouble")], "promise 2: it may be a press, was said three times, and rang nobody"


def test_promise_2_of_one_device_more_that_nobody_understands_people_are_told() -> None:
    """Four topics share a trouble that never ends: whoever knows of one does not know of the next."""
    play = Play(site_id=DISTRICT)
    for name in ("badge-1", "badge-2", "badge-3", "badge-4"):
        refused(play, name=name)
        play.wait(120)
    acknowledge(play, "malformed:*")
    play.said()
    refused(play, name="badge-5")
    assert play.said() == [("Ruiz", "trouble")], "promise 2: another device's, and nobody was rung"
    play.wait(20)
    acknowledge(play, "malformed:*")
    for seconds in (20, 40):
        play.wait(seconds)
        refused(play, name="badge-6")

    assert play.said() == [("Ruiz", "trouble")], "promise 2: another device's, and nobody was rung"


def test_an_unknown_thing_that_nobody_has_looked_at_rings_each_time() -> None:
    play = Play(site_id=DISTRICT)
    for _ in range(3):
        refused(play)
        assert play.said() == [("Ruiz", "trouble")], "it may be a press and pages nobody, and nobody is rung"
        play.wait(600)


def test_a_flood_of_words_that_nobody_knows_rings_a_few_times() -> None:
    play = Play()
    for number in range(200):
        play.arrive("badge-204", f"word {number}")
        play.wait(0.2)

    assert play.said() == [("Ruiz", "trouble")] * (FAMILY_MAX + 1), "texts of strangers bury those of a panic"
