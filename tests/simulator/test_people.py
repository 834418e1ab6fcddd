"""Simulated responders read the code off the screen, and have the habits that real phones have."""

import asyncio
from base64 import b64encode
from urllib.parse import urlencode

import pytest

from alertd.ports import HttpRequest
from alertd_simulator.carrier import Carrier
from alertd_simulator.people import Habit, Responder
from alertd_simulator.phone_words import AUTOMATIC, REACTIONS, WORDS, meant_by
from alertd_simulator.virtual_time import VirtualClock, in_virtual_time
from alertd_simulator.world.happenings import Meant

RUIZ = "+12025550142"
ALERT = "OAK ELEM Rm 204: LOCKDOWN 10:42. Okafor badge, 8 presses. Reply 417 going, 517 arrived, 617 cannot go."
GOING = "OAK ELEM Rm 204: you are GOING, 10:43. Reply 517 when you arrive, 617 if you cannot."


async def text(carrier: Carrier, body: str) -> None:
    await carrier.handle(
        HttpRequest(
            method="POST",
            url=f"https://api.twilio.com/2010-04-01/Accounts/{carrier.account_sid}/Messages.json",
            headers={
                "authorization": "Basic " + b64encode(f"{carrier.account_sid}:t".encode()).decode(),
                "content-type": "application/x-www-form-urlencoded",
            },
            body=urlencode({"To": RUIZ, "From": carrier.numbers[0], "Body": body}).encode(),
        )
    )


def replies(carrier: Carrier) -> list[str]:
    return [message.body for message in carrier.texts.values() if message.direction == "inbound"]


@pytest.mark.parametrize(
    ("habit", "expected"),
    [
        (Habit.GOES, ["417"]),
        (Habit.CANNOT_GO, ["617"]),
        (Habit.SILENT, []),
        (Habit.TAPBACK, [f"Liked “{ALERT}”"]),
        (Habit.WRONG_CODE, ["454"]),
        (Habit.SPACED, [" 4 17\n"]),
        (Habit.BARE_DIGIT, ["4"]),
        (Habit.WORDS, ["on my way, he is in 210"]),
        (Habit.OLD_CODE, ["417"]),
        (Habit.FOREIGN_CODE, ["418"]),
        (Habit.HOLDS, ["417"]),
        (Habit.REACTS, [f"Liked “{ALERT}”"]),
    ],
)
@in_virtual_time
async def test_habits(habit, expected):
    carrier = Carrier(clock=VirtualClock(), auth_token="t")
    Responder("Ruiz", RUIZ, carrier, habit=habit, after_s=8)

    await text(carrier, ALERT)
    await asyncio.sleep(7)
    assert replies(carrier) == []
    await asyncio.sleep(2)

    assert replies(carrier) == expected


@in_virtual_time
async def test_a_code_is_answered_once_and_the_arrival_follows():
    carrier = Carrier(clock=VirtualClock(), auth_token="t")
    ruiz = Responder("Ruiz", RUIZ, carrier, habit=Habit.GOES_AND_ARRIVES)

    await text(carrier, ALERT)
    await text(carrier, ALERT)
    await asyncio.sleep(20)
    await text(carrier, GOING)
    await asyncio.sleep(100)

    assert replies(carrier) == ["417", "517"]
    assert ruiz.texts() == [ALERT, ALERT, GOING]


@in_virtual_time
async def test_somebody_who_stops_is_opted_out():
    carrier = Carrier(clock=VirtualClock(), auth_token="t")
    Responder("Ruiz", RUIZ, carrier, habit=Habit.STOPS)

    await text(carrier, ALERT)
    await asyncio.sleep(20)

    assert carrier.opted_out == {(carrier.numbers[0], RUIZ)}


SECOND = "OAK ELEM Gym: STAFF ASSIST 10:50, Kim badge. Go now. Reply 423 going, 623 cannot go, 923 to lock down."
MEDICAL = "OAK ELEM Gym: MEDICAL 10:51, AED button. Bring AED. Reply 431 going, 631 cannot go, 831 Hold."
ALSO = "OAK ELEM Rm 118 ALSO pressed 10:44, Diaz badge. First was Rm 204 10:42. Reply 417 going, 617 cannot go."


def listening(phone: Responder) -> list[tuple[str, Meant, str]]:
    heard: list[tuple[str, Meant, str]] = []
    phone.on_typed.append(lambda _number, body, meant, token, _sid: heard.append((body, meant, token)))
    return heard


@pytest.mark.parametrize(
    ("habit", "expected"),
    [
        (Habit.GOES, [("417", Meant.GOING, "17")]),
        (Habit.CHANGES_MIND, [("417", Meant.GOING, "17"), ("617", Meant.CANNOT_GO, "17")]),
        (Habit.WORDS_THEN_CODE, [(WORDS[0], Meant.WORDS, ""), ("417", Meant.GOING, "17")]),
        (Habit.STOPS_AND_STARTS, [("STOP", Meant.OPT_OUT, ""), ("START", Meant.OPT_IN, "")]),
        (Habit.WRONG_CODE, [("454", Meant.FOREIGN, "54")]),
        (Habit.BARE_DIGIT, [("4", Meant.GOING, "")]),
        (Habit.TAPBACK, [(f"Liked “{ALERT}”", Meant.REACTION, "")]),
        (Habit.DRIVING, [(AUTOMATIC[0], Meant.AUTO_REPLY, "")]),
    ],
)
@in_virtual_time
async def test_what_was_meant_is_told_with_what_was_typed(habit, expected):
    carrier = Carrier(clock=VirtualClock(), auth_token="t")
    heard = listening(Responder("Ruiz", RUIZ, carrier, habit=habit, after_s=8))

    await text(carrier, ALERT)
    await asyncio.sleep(300)

    assert heard == expected


@in_virtual_time
async def test_some_answer_the_incident_before():
    carrier = Carrier(clock=VirtualClock(), auth_token="t")
    heard = listening(Responder("Ruiz", RUIZ, carrier, habit=Habit.OLD_CODE, after_s=8))

    await text(carrier, ALERT)
    await asyncio.sleep(20)
    await text(carrier, SECOND)
    await asyncio.sleep(20)

    assert heard == [("417", Meant.GOING, "17"), ("417", Meant.GOING, "17")]


@pytest.mark.parametrize(
    ("habit", "alert", "expected"),
    [
        (Habit.HOLDS, MEDICAL, ("831", Meant.HOLD, "31")),
        (Habit.LOCKS_DOWN, SECOND, ("923", Meant.UPGRADE, "23")),
        (Habit.LOCKS_DOWN, MEDICAL, ("431", Meant.GOING, "31")),
    ],
)
@in_virtual_time
async def test_some_ask_for_more_where_the_text_offers_it(habit, alert, expected):
    carrier = Carrier(clock=VirtualClock(), auth_token="t")
    heard = listening(Responder("Ruiz", RUIZ, carrier, habit=habit))

    await text(carrier, alert)
    await asyncio.sleep(20)

    assert heard == [expected]


@in_virtual_time
async def test_whoever_is_asked_anew_answers_anew_but_never_twice_at_a_time():
    carrier = Carrier(clock=VirtualClock(), auth_token="t")
    heard = listening(Responder("Ruiz", RUIZ, carrier, after_s=30))

    await text(carrier, ALERT)
    await asyncio.sleep(5)
    await text(carrier, ALSO)
    await asyncio.sleep(60)
    assert len(heard) == 1
    await text(carrier, ALSO)
    await asyncio.sleep(60)

    assert [body for body, _, _ in heard] == ["417", "417"]
    await text(carrier, ALSO)
    await asyncio.sleep(60)
    assert len(heard) == 2, "nobody answers each time"


@in_virtual_time
async def test_a_reply_goes_to_the_number_that_texted():
    carrier = Carrier(clock=VirtualClock(), auth_token="t", numbers=("+12025550100", "+12025550103"))
    phone = Responder("Ruiz", RUIZ, carrier, habit=Habit.SILENT)
    await text(carrier, ALERT)
    await asyncio.sleep(5)
    carrier.numbers = tuple(reversed(carrier.numbers))
    await text(carrier, SECOND)
    await asyncio.sleep(5)
    carrier.numbers = tuple(reversed(carrier.numbers))

    phone.say("423")

    assert [message.to for message in carrier.texts.values() if message.direction == "inbound"] == ["+12025550103"]


@in_virtual_time
async def test_somebody_types_what_a_story_says_about_a_text_on_the_screen():
    carrier = Carrier(clock=VirtualClock(), auth_token="t")
    phone = Responder("Ruiz", RUIZ, carrier, habit=Habit.SILENT)
    heard = listening(phone)
    phone.say_about("4{token}")
    await text(carrier, ALERT)
    await text(carrier, SECOND)
    await asyncio.sleep(5)

    phone.say_about("6{token}", "Rm 204")
    phone.say_about("4{token}")
    phone.say_about("Loved “{text}”", "Gym")

    assert heard == [
        ("4{token}", Meant.WORDS, ""),
        ("617", Meant.CANNOT_GO, "17"),
        ("423", Meant.GOING, "23"),
        (f"Loved “{SECOND}”", Meant.REACTION, ""),
    ]


@pytest.mark.parametrize("wording", REACTIONS)
def test_a_reaction_that_quotes_a_code_is_a_reaction(wording):
    assert meant_by(wording.replace("{text}", "OAK: reply 417"), frozenset({"17"})) == (Meant.REACTION, "")


@pytest.mark.parametrize("wording", AUTOMATIC)
def test_an_automatic_reply_is_one(wording):
    assert meant_by(wording, frozenset({"17"})) == (Meant.AUTO_REPLY, "")


@pytest.mark.parametrize("wording", WORDS)
def test_words_are_words(wording):
    assert meant_by(wording, frozenset({"10", "42"})) == (Meant.WORDS, "")
