"""Where a wearable is: the strongest that heard it lately, how sure that is, and both schools where two heard it."""

import pytest
from msgspec.structs import replace

from alertd.engine import spoken
from alertd.engine.routing import route
from alertd.model.events import Arrival, Event, Heard, Pressed, Signal
from alertd.model.ids import DeviceId, ZoneId
from alertd.model.registry import Registry
from tests.engine.play import START_US, Play
from tests.engine.school import ELM, OAK, registry

SECOND = 1_000_000
NOBODY_KNOWS = "promise 2: nobody knows which school is nearer, and one is not told"


@pytest.fixture
def school() -> Registry:
    """With a second gateway at Oak, in the gym."""
    one = registry()
    gym = replace(one.devices[DeviceId("gw-oak")], id=DeviceId("gw-gym"), zone_id=ZoneId("gym"))
    return replace(one, devices=one.devices | {gym.id: gym})


def heard(gateway: str, rssi: float | None = None, ago_s: float | None = None) -> Heard:
    at_us = None if ago_s is None else START_US - round(ago_s * SECOND)
    return Heard(gateway_id=DeviceId(gateway), rssi=rssi, at_us=at_us)


def presses(school: Registry, *hearings: Heard, device: str = "walker") -> tuple[Event, ...]:
    now = [each for each in hearings if each.at_us is None]
    signal = Signal(
        device_id=DeviceId(device),
        action="hold",
        heard=hearings,
        heard_by=now[0].gateway_id if now else None,
    )
    arrival = Arrival(source="mqtt", topic="t", signals=(signal,), received_us=START_US, arrival_id="1")
    return route(school, arrival)


def pressed(school: Registry, *hearings: Heard, device: str = "walker") -> Pressed:
    (event,) = presses(school, *hearings, device=device)
    assert isinstance(event, Pressed)
    return event


def test_the_strongest_gateway_wins_whichever_brought_the_message(school):
    event = pressed(school, heard("gw-oak", -92), heard("gw-gym", -55))

    assert event.signal.heard_by == "gw-gym"
    assert not event.unsure


def test_the_strongest_of_the_last_seconds_wins_over_the_one_that_brings_this_copy(school):
    event = pressed(school, heard("gw-oak", -92), heard("gw-gym", -55, ago_s=4))

    assert event.signal.heard_by == "gw-gym"
    assert event.heard_us == START_US - 4 * SECOND


def test_what_was_strong_a_minute_ago_is_where_it_was(school):
    event = pressed(school, heard("gw-oak", -92), heard("gw-gym", -30, ago_s=61))

    assert event.signal.heard_by == "gw-oak"


def test_two_places_that_hear_it_about_equally_well_are_a_doubt(school):
    assert pressed(school, heard("gw-oak", -60), heard("gw-gym", -66)).unsure
    assert not pressed(school, heard("gw-oak", -60), heard("gw-gym", -80)).unsure


def test_a_press_that_no_gateway_is_named_for_is_placed_by_what_was_heard_before_with_its_age(school):
    event = pressed(school, heard("gw-gym", -60, ago_s=12))

    assert (event.signal.heard_by, event.heard_us) == ("gw-gym", START_US - 12 * SECOND)
    assert not event.unsure
    assert pressed(school, heard("gw-gym", -60, ago_s=300)).unsure


def test_two_schools_that_heard_it_about_equally_well_are_both_told(school):
    events = presses(school, heard("gw-oak", -70), heard("gw-elm", -74))

    assert [event.site_id for event in events] == [OAK, ELM]
    first, second = events
    assert isinstance(first, Pressed)
    assert isinstance(second, Pressed)
    assert first.cause != second.cause, "each school takes it up once"
    assert (first.signal.heard_by, second.signal.heard_by) == ("gw-oak", "gw-elm")


def test_a_school_that_heard_it_faintly_is_left_alone(school):
    """Promise 6."""
    assert [event.site_id for event in presses(school, heard("gw-oak", -60), heard("gw-elm", -95))] == [OAK]


def sites(events: tuple[Event, ...]) -> list[str]:
    return [event.site_id for event in events]


def test_two_schools_that_do_not_say_how_well_they_heard_it_are_both_told(school):
    """Nobody can compare them, whether with this message, before it, or one of them alone."""
    assert sites(presses(school, heard("gw-elm"), heard("gw-oak"))) == [ELM, OAK], NOBODY_KNOWS
    assert sites(presses(school, heard("gw-elm", ago_s=4), heard("gw-oak", ago_s=5))) == [ELM, OAK]
    assert set(sites(presses(school, heard("gw-elm"), heard("gw-oak", -60)))) == {ELM, OAK}
    assert set(sites(presses(school, heard("gw-elm", -60, ago_s=3), heard("gw-oak", ago_s=4)))) == {ELM, OAK}


def test_the_one_that_brings_the_press_is_nearer_than_what_was_heard_before_where_it_does_not_say(school):
    """Promise 6."""
    assert sites(presses(school, heard("gw-elm"), heard("gw-oak", -60, ago_s=4))) == [ELM]
    assert sites(presses(school, heard("gw-elm"), heard("gw-oak", ago_s=4))) == [ELM]


@pytest.mark.parametrize("ago_s", [1, 11, 50, 300])
def test_two_schools_that_heard_it_at_about_the_same_time_are_both_told_however_long_ago(school, ago_s):
    """Promise 2: whoever is told for nothing loses a minute."""
    events = presses(school, heard("gw-oak", -70, ago_s=ago_s), heard("gw-elm", -74, ago_s=ago_s + 2))

    assert set(sites(events)) == {OAK, ELM}, "promise 2: one of two schools that heard it is not told"
    assert all(isinstance(event, Pressed) and event.unsure for event in events)


def test_of_what_was_heard_at_about_the_same_time_the_strongest_counts_however_long_ago(school):
    event = pressed(school, heard("gw-oak", -90, ago_s=30), heard("gw-gym", -40, ago_s=32))

    assert (event.signal.heard_by, event.unsure) == ("gw-gym", False)


def test_a_school_that_it_has_left_since_is_left_alone(school):
    """Promise 6."""
    assert sites(presses(school, heard("gw-oak", -70, ago_s=5), heard("gw-elm", -70, ago_s=16))) == [OAK]


def test_what_was_heard_a_while_ago_says_where_it_may_be_so_home_is_told_too(school):
    """Promise 2: it may have come home since."""
    away, home = presses(school, heard("gw-elm", -60, ago_s=840))

    assert isinstance(away, Pressed)
    assert isinstance(home, Pressed)
    assert (away.site_id, away.signal.heard_by, away.unsure) == (ELM, "gw-elm", True)
    assert (home.site_id, home.signal.heard_by) == (OAK, None), "promise 2: its own school is not told"
    assert away.cause != home.cause, "each school takes it up once"


def test_what_was_heard_within_a_minute_says_where_it_is(school):
    """Promise 6."""
    assert sites(presses(school, heard("gw-elm", -60, ago_s=60))) == [ELM], (
        "promise 6: home is told though it is elsewhere"
    )
    assert sites(presses(school, heard("gw-elm", -60, ago_s=61))) == [ELM, OAK]


def test_home_is_told_once_and_no_other_school_for_what_home_heard_a_while_ago(school):
    """Promise 6."""
    assert sites(presses(school, heard("gw-oak", -60, ago_s=840))) == [OAK]
    both = presses(school, heard("gw-oak", -60, ago_s=840), heard("gw-elm", -62, ago_s=841))
    assert sites(both) == [OAK, ELM]


def test_each_school_reads_what_it_knows_of_the_place(school):
    oak, elm = Play(school), Play(school, ELM)
    for play in (oak, elm):
        play.arrive("walker", "hold", heard=(heard("gw-elm", -60, ago_s=840),))

    assert "MAYBE NEAR" in elm.texts_to("Elmer")[0]
    assert "(14 min ago)" in elm.texts_to("Elmer")[0]
    assert "place UNKNOWN" in oak.texts_to("Ruiz")[0], "req 5: a wearable's home room is not where it is"


def test_a_copy_that_another_school_brings_tells_that_school_too_once(school):
    """Gateways that say nothing of how well they heard: doubt tells both."""
    oak, elm = Play(school), Play(school, ELM)
    for play in (oak, elm):
        for gateway in ("gw-oak", "gw-elm", "gw-oak", "gw-elm"):
            play.arrive("walker", "hold", heard_by=gateway, cause="same")

    assert len(oak.state.incidents) == len(elm.state.incidents) == 1


def test_gateways_outside_of_its_list_never_decide(school):
    """Promise 6: a badge that does not roam is at home, wherever it was heard."""
    home = replace(school.devices[DeviceId("walker")], roaming_sites=())
    school = replace(school, devices=school.devices | {home.id: home})

    event = pressed(school, heard("gw-elm", -30), heard("gw-oak", -90))

    assert (event.site_id, event.signal.heard_by) == (OAK, "gw-oak")


def test_a_gateway_that_nobody_registered_says_nothing(school):
    event = pressed(school, heard("the-towns", -20), heard("gw-gym", -80))

    assert event.signal.heard_by == "gw-gym"


def test_what_it_ended_is_over_wherever_it_had_begun(school):
    signal = Signal(device_id=DeviceId("walker"), action="hold", ends=True, heard_by=DeviceId("gw-elm"))
    arrival = Arrival(source="mqtt", topic="t", signals=(signal,), received_us=START_US, arrival_id="1")

    assert {event.site_id for event in route(school, arrival)} == {OAK, ELM}


HOUR_US = 3600 * SECOND
UNKNOWN_WHEN = "req 5: nobody knows when it was heard there"


@pytest.mark.parametrize(
    "more",
    [{"backlog_since_us": START_US - 3 * HOUR_US}, {"late": True}, {"pressed_us": START_US - 72 * HOUR_US}],
    ids=["it waited at the broker", "a gateway had stored it", "its clock is days behind"],
)
def test_where_it_was_pressed_when_nobody_knows_when(school, more):
    play = Play(school)
    play.arrive("walker", "hold", heard_by="gw-gym", **more)
    place = play.incident.presses[0].location

    told = " ".join(play.texts_to("Ruiz"))
    assert "OAK ELEM MAYBE NEAR Gym (when pressed): LOCKDOWN PRESSED BETWEEN" in told, UNKNOWN_WHEN
    in_words = spoken.place(play.registry, place, play.now_us)
    assert in_words.endswith(", perhaps, heard there when it was pressed"), UNKNOWN_WHEN
    assert "MAYBE NEAR Gym LOCKDOWN 10:42" in play.incident.headline, UNKNOWN_WHEN
    play.wait(600)
    told = " ".join(play.texts_to("Ruiz"))
    assert "just now" not in told, UNKNOWN_WHEN
    assert "min ago" not in told, UNKNOWN_WHEN


def test_who_waited_for_seconds_is_where_it_was_pressed(school):
    play = Play(school)
    play.arrive("walker", "hold", heard_by="gw-gym", backlog_since_us=START_US - 30 * SECOND)

    assert " NEAR Gym, north wall (heard when pressed)" in play.texts_to("Ruiz")[0]
    assert "MAYBE" not in play.texts_to("Ruiz")[0]


def test_what_waited_and_has_a_time_was_heard_then(school):
    play = Play(school)
    waited = {"backlog_since_us": START_US - 3 * HOUR_US, "pressed_us": START_US - 1200 * SECOND}
    play.arrive("walker", "hold", heard_by="gw-gym", **waited)

    assert "NEAR Gym (20 min ago): LOCKDOWN PRESSED BETWEEN" in play.texts_to("Ruiz")[0]


def test_texts_say_near_with_the_age_and_the_doubt(school):
    play = Play(school)
    play.arrive("walker", "hold", heard=(heard("gw-gym", -60, ago_s=12),))
    assert "NEAR Gym, north wall (heard 12 s ago)" in play.texts_to("Ruiz")[0]

    play = Play(school)
    play.arrive("walker", "hold", heard=(heard("gw-gym", -60, ago_s=600),))
    assert "MAYBE NEAR Gym, north wall (10 min ago)" in play.texts_to("Ruiz")[0]
