"""Req 5: every text of a wearable says near what, how old that is when it is written, and whether it is doubtful."""

import pytest

from alertd.engine.wording import headline, place_words, render, shortest
from alertd.model.events import Heard
from alertd.model.ids import DeviceId
from alertd.model.incident import Location
from alertd.model.mode import Mode
from tests.engine.play import START_US, Play

SECOND = 1_000_000
AGE = "req 5: a text does not say how old its place is"


def near(ago_s: float, *, unsure: bool = False) -> Location:
    heard_us = START_US - round(ago_s * SECOND)
    return Location(
        zone_id=None, label="Gym, north wall", short="Gym", source="last_heard", heard_us=heard_us, unsure=unsure
    )


def walked(ago_s: float) -> Play:
    """A badge that was heard near Rm 118 so long ago calls for a lockdown, and no gateway is named."""
    play = Play()
    at_us = START_US - round(ago_s * SECOND)
    play.arrive("walker", "hold", heard=(Heard(gateway_id=DeviceId("gw-oak"), rssi=-60, at_us=at_us),))
    return play


@pytest.mark.parametrize(
    ("ago_s", "unsure", "short"),
    [
        (0, False, "NEAR Gym (just now)"),
        (12, False, "NEAR Gym (12 s ago)"),
        (12, True, "MAYBE NEAR Gym (12 s ago)"),
        (600, True, "MAYBE NEAR Gym (10 min ago)"),
        (119 * 60, True, "MAYBE NEAR Gym (119 min ago)"),
        (50 * 3600, True, "MAYBE NEAR Gym (50 h ago)"),
    ],
)
def test_the_short_words_of_a_place_have_the_age_and_the_doubt_of_the_long_ones(ago_s, unsure, short):
    assert place_words(near(ago_s, unsure=unsure), START_US)[1] == short


def test_a_place_that_is_certain_or_unknown_has_no_age():
    fixed = Location(zone_id=None, label="Gym, north wall", short="Gym", source="fixed")
    unknown = Location(zone_id=None, label="place UNKNOWN", short="place UNKNOWN", source="unknown")

    assert place_words(fixed, START_US) == ("Gym, north wall", "Gym")
    assert place_words(unknown, START_US) == ("place UNKNOWN", "place UNKNOWN")


def test_whoever_is_told_later_reads_how_old_the_place_is_by_then():
    play = walked(600)
    assert "MAYBE NEAR Rm 118" in play.texts_to("Ruiz")[0]
    play.wait(31)
    (first,) = (text for text in play.texts_to("Nurse") if "NOBODY HAS ANSWERED" in text)
    assert "MAYBE NEAR Rm 118 (10 min ago)" in first, AGE

    play.wait(120)
    exhausted = [text for text in play.texts_to("Nurse") if "NOBODY ANSWERED" in text]
    assert "MAYBE NEAR Rm 118 (1" in exhausted[-1], AGE


def test_whoever_answers_reads_it_too():
    play = walked(600)
    play.wait(60)
    play.reply("Ruiz", "417")

    assert "MAYBE NEAR Rm 118 (11 min ago): you are GOING" in play.texts_to("Ruiz")[-1], AGE


def test_the_name_of_an_incident_says_when_it_was_heard_if_that_was_not_when_it_was_pressed():
    """It is written once and read for hours: a time of day does not age."""
    long_ago = walked(600).incident
    now = walked(0).incident

    assert long_ago.headline == "OAK ELEM MAYBE NEAR Rm 118 (10:32) LOCKDOWN 10:42"
    assert now.headline == "OAK ELEM NEAR Rm 118 LOCKDOWN 10:42"


def test_of_a_place_letters_of_the_name_give_way_before_the_age():
    where, _ = place_words(near(600, unsure=True), START_US)

    def said(limit: int, place: str = where) -> str:
        return render("{site} {where}: LOCKDOWN. Reply 417.", {"site": "OAK", "where": place}, limit)

    assert said(160) == "OAK MAYBE NEAR Gym, north wall (10 min ago): LOCKDOWN. Reply 417."
    assert said(57) == "OAK NEAR? Gym, north wall (10 min): LOCKDOWN. Reply 417."
    assert said(52) == "OAK NEAR? Gym, north (10 min): LOCKDOWN. Reply 417.", AGE
    assert said(44) == "OAK NEAR Gym, nor: LOCKDOWN. Reply 417.", "a text loses its end"
    assert said(55, place_words(near(12), START_US)[0]) == "OAK NEAR Gym, north wall (12 s): LOCKDOWN. Reply 417."
    assert shortest({"where": where}) == shortest({"where": "NEAR Gym, north wall"}) == {"where": "NEAR Gym"}
    assert shortest({"where": "Rm 204, 2nd fl East"}) == {"where": "Rm 204"}


def test_a_drill_has_the_age_too():
    play = walked(600)
    press, site = play.incident.presses[0], play.registry.sites[play.state.site_id]

    assert headline(site, press.incident_class, press, Mode.DRILL).endswith("Rm 118 (10:32) LOCKDOWN DRILL 10:42")


@pytest.mark.parametrize(
    ("summary", "limit", "said"),
    [
        (
            "panic strip went offline. Look at its power and network.",
            47,
            "panic strip went offline. Look at its power and",
        ),
        ("panic strip went offline. Look at its power and network.", 45, "panic strip went offline. Look at its power"),
        ("panic strip went offline. Look at its power and network.", 56, None),
        ("gateway-of-the-north-wing is off", 12, "gateway-of-t"),
        ("not allowed: shellies/oak-elementary/input", 32, "not allowed: shellies/oak-elemen"),
        ("Building 12", 10, "Building"),
        ("Reed badge (heard outside its sites)", 35, "Reed badge (heard outside its sites"),
    ],
)
def test_what_is_too_long_loses_whole_words_at_its_end(summary, limit, said):
    assert render("{summary}", {"summary": summary}, limit) == (said or summary), "it ends in mid-word"
