"""The carrier's bad days: phones that are off, statuses late, twice, out of order or taken back, or only some."""

import asyncio
from random import Random

import pytest

from alertd.ports import HttpNoAnswerError, HttpRequest, HttpResponse
from alertd_simulator.carrier import Behaviour, Carrier
from alertd_simulator.people import Responder
from alertd_simulator.virtual_time import VirtualClock, in_virtual_time
from alertd_simulator.weather import Forecast, Weather
from alertd_simulator.world.plan import CarrierTricks
from alertd_simulator.world_http import SENDING
from tests.simulator.test_carrier import OURS, RUIZ, a_carrier, an_http, send, sms

CALLBACK = "https://school.example/v1/callbacks/sms"

STRANGER = "+44" + "7700900123"


class School:
    """Takes status callbacks."""

    def __init__(self) -> None:
        self.statuses: list[str] = []

    async def send(self, request: HttpRequest, *, timeout_s: float) -> HttpResponse:
        fields = dict(pair.split("=") for pair in request.body.decode().split("&"))
        self.statuses.append(fields["MessageStatus"])
        return HttpResponse(status=204)


def tricks(**which) -> CarrierTricks:
    return CarrierTricks(at_s=0, lasts_s=600, **which)


def a_tricked_carrier(**which) -> tuple[Carrier, School]:
    carrier, school = a_carrier(), School()
    carrier.callback_http, carrier.tricks = school, tricks(**which)
    return carrier, school


@in_virtual_time
async def test_a_phone_that_is_off_gets_its_texts_when_it_is_on_again():
    carrier = a_carrier()
    seen: list[str] = []
    carrier.on_phone.append(lambda text: seen.append(text.body))
    carrier.switch_off(RUIZ)
    await send(carrier, body="1", ValidityPeriod="300")
    await asyncio.sleep(10)
    await send(carrier, body="2", ValidityPeriod="300")
    await asyncio.sleep(100)
    assert seen == []
    assert {text.status for text in carrier.to(RUIZ)} == {"sent"}

    carrier.switch_on(RUIZ)
    await asyncio.sleep(400)

    assert seen == ["1", "2"]
    assert {text.status for text in carrier.to(RUIZ)} == {"delivered"}


@in_virtual_time
async def test_a_text_that_waits_longer_than_it_is_valid_dies():
    carrier = a_carrier()
    seen: list[str] = []
    carrier.on_phone.append(lambda text: seen.append(text.body))
    carrier.switch_off(RUIZ)
    await send(carrier, body="old", ValidityPeriod="60")
    await asyncio.sleep(30)
    await send(carrier, body="young", ValidityPeriod="60")
    await asyncio.sleep(45)

    carrier.switch_on(RUIZ)
    await asyncio.sleep(100)

    assert seen == ["young"]
    assert [(text.status, text.error_code) for text in carrier.to(RUIZ)] == [
        ("undelivered", 30003),
        ("delivered", None),
    ]


@in_virtual_time
async def test_late_statuses_are_late_for_callers_and_readers_alike():
    carrier, school = a_tricked_carrier(late_s=20.0)
    await send(carrier, StatusCallback=CALLBACK)

    await asyncio.sleep(15)
    assert (school.statuses, carrier.to(RUIZ)[0].status) == (["sent"], "sent")
    assert carrier.to(RUIZ)[0].seen_us is not None, "the phone is not late, only what is said of it"
    await asyncio.sleep(10)

    assert (school.statuses[-1], carrier.to(RUIZ)[0].status) == ("delivered", "delivered")


@in_virtual_time
async def test_statuses_come_twice_and_out_of_order():
    carrier, school = a_tricked_carrier(twice=True, shuffled=True)
    for _ in range(5):
        await send(carrier, StatusCallback=CALLBACK)
    await asyncio.sleep(30)

    assert sorted(school.statuses) == sorted(["sent", "delivered"] * 10)
    assert "delivered" in school.statuses[: -school.statuses[::-1].index("sent")], "nothing was overtaken"


@in_virtual_time
async def test_some_delivered_texts_are_taken_back():
    carrier, school = a_tricked_carrier(recants=True)
    for _ in range(12):
        await send(carrier, StatusCallback=CALLBACK)
    await asyncio.sleep(30)

    taken_back = [text for text in carrier.to(RUIZ) if text.status == "undelivered"]
    assert 0 < len(taken_back) < 12
    assert all([status for _, status in text.history][-2:] == ["delivered", "undelivered"] for text in taken_back)
    assert school.statuses.count("undelivered") == len(taken_back)


@in_virtual_time
async def test_some_texts_die_on_the_way_while_tricks_say_so():
    carrier, _ = a_tricked_carrier(fails=30006)
    for _ in range(12):
        await send(carrier)
    await asyncio.sleep(10)
    died = [text for text in carrier.to(RUIZ) if text.error_code == 30006]
    assert 0 < len(died) < 12
    assert all(text.seen_us is None for text in died)

    carrier.tricks = None
    await send(carrier)
    await asyncio.sleep(10)
    assert carrier.to(RUIZ)[-1].status == "delivered"


@in_virtual_time
async def test_acceptance_is_told_although_the_answer_is_lost_and_with_what_it_was_sent_for():
    carrier = a_carrier()
    taken: list[tuple[str, str]] = []
    carrier.on_taken.append(lambda text: taken.append((text.body, text.sending)))
    carrier.forecast.next.extend([Weather.CUT_ACCEPTED, Weather.SILENT])
    http = an_http(carrier)

    for body in ("accepted", "never seen"):
        mark = SENDING.set(f"notification of {body}")
        with pytest.raises(HttpNoAnswerError):
            await http.send(sms(carrier, body=body), timeout_s=5)
        SENDING.reset(mark)
    await http.send(sms(carrier, body="of nobody"), timeout_s=5)
    carrier.receive(sender=RUIZ, body="417")

    assert taken == [("accepted", "notification of accepted"), ("of nobody", "")]


@in_virtual_time
async def test_what_a_phone_sends_back_belongs_to_no_attempt():
    carrier = a_carrier()
    Responder("Ruiz", RUIZ, carrier, after_s=1)
    SENDING.set("n1")

    await send(carrier, body="Reply 417 going")
    await asyncio.sleep(5)

    assert [(text.direction, text.sending) for text in carrier.texts.values()] == [
        ("outbound-api", "n1"),
        ("inbound", ""),
    ]


def test_a_share_of_requests_sees_the_weather():
    forecast = Forecast()
    forecast.random = Random("7")
    forecast.standing, forecast.share = Weather.BROKEN, 0.3

    seen = [forecast.now() for _ in range(1_000)]

    assert 200 < seen.count(Weather.BROKEN) < 400
    assert set(seen) == {Weather.BROKEN, Weather.FINE}


@in_virtual_time
async def test_one_sender_has_a_weather_of_its_own():
    second = "+12025550103"
    carrier = a_carrier(numbers=(OURS, second))
    carrier.sender_forecasts[second] = Forecast()
    carrier.sender_forecasts[second].standing = Weather.BROKEN

    assert (await carrier.handle(sms(carrier))).status == 201
    assert (await carrier.handle(sms(carrier, From=second))).status == 500


@in_virtual_time
async def test_a_strangers_number_is_a_violation_unless_a_rehearsal_means_it():
    for rehearsal, violations in ((False, 1), (True, 0)):
        carrier = Carrier(clock=VirtualClock(), auth_token="token-of-a-fake")
        carrier.rings_strangers = rehearsal
        await carrier.handle(sms(carrier, to=STRANGER))
        await carrier.handle(sms(carrier, to="911"))

        assert len(carrier.violations) == violations + 1


@in_virtual_time
async def test_a_slow_phone_is_seen_late():
    carrier = a_carrier()
    carrier.behave(RUIZ, Behaviour(delivery_s=60))
    await send(carrier)
    await asyncio.sleep(30)
    assert carrier.to(RUIZ)[0].seen_us is None
    await asyncio.sleep(40)
    assert carrier.to(RUIZ)[0].seen_us is not None
