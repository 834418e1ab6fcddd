"""Simulated responders read the code off the screen, and have the habits that real phones have."""

import asyncio
from base64 import b64encode
from urllib.parse import urlencode

import pytest

from alertd.ports import HttpRequest
from alertd_simulator.carrier import Carrier
from alertd_simulator.people import Habit, Responder
from alertd_simulator.virtual_time import VirtualClock, in_virtual_time

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
