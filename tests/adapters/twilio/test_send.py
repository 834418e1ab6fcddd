"""One text out: what Twilio is asked, and what each of its answers means."""

from base64 import b64decode
from itertools import pairwise
from urllib.parse import parse_qs

import msgspec
import pytest
from msgspec.json import encode

from alertd.model.outcome import Accepted, Failed, Outcome, Unknown
from alertd.ports import HttpRequest, HttpResponse
from alertd.testing.channel_contract import HOUR_US, claim_for
from alertd.testing.scripted_http import ScriptedHttp
from alertd_adapters.twilio import plugin
from alertd_adapters.twilio.error_codes import CODES, failure
from tests.adapters.doubles import START_US, surroundings

ACCOUNT = "AC" + "0" * 31 + "1"
TOKEN = "an-auth-token-of-the-tests"
SID = "SM" + "0" * 31 + "1"
PHONE = "+12025550142"
BASIC = {"account_sid_secret": "sid", "auth_token_secret": "token", "from_numbers": ["+12025550100"]}


def created(**fields: object) -> HttpResponse:
    return HttpResponse(status=201, body=encode({"sid": SID, "status": "queued", "error_code": None, **fields}))


def refused(status: int, code: int, message: str = "no", **headers: str) -> HttpResponse:
    body = encode({"code": code, "message": message, "more_info": "https://…", "status": status})
    return HttpResponse(status=status, headers={k.replace("_", "-"): v for k, v in headers.items()}, body=body)


def channel_to(server, *, public_base_url: str | None = None, **settings: object):
    http = ScriptedHttp(server)
    secrets = {"sid": ACCOUNT, "token": TOKEN}
    around = surroundings(http, secrets, public_base_url=public_base_url)
    built = plugin.build("sms", {**BASIC, **settings}, around)
    assert built.channel is not None
    return built.channel, http


async def outcome_of(answer: HttpResponse) -> Outcome:
    channel, _ = channel_to(lambda request: answer)
    return await channel.send(claim_for(channel, PHONE, now_us=START_US))


def form_of(request: HttpRequest) -> dict[str, str]:
    assert request.headers["Content-Type"] == "application/x-www-form-urlencoded"
    return {name: value for name, (value,) in parse_qs(request.body.decode(), strict_parsing=True).items()}


async def test_the_request_is_what_twilio_documents():
    channel, http = channel_to(lambda request: created())
    claim = claim_for(channel, PHONE, now_us=START_US)
    outcome = await channel.send(claim)

    assert outcome == Accepted(ref=SID)
    (request,) = http.requests
    assert request.method == "POST"
    assert request.url == f"https://api.twilio.com/2010-04-01/Accounts/{ACCOUNT}/Messages.json"
    assert b64decode(request.headers["Authorization"].removeprefix("Basic ")).decode() == f"{ACCOUNT}:{TOKEN}"
    assert form_of(request) == {
        "To": PHONE,
        "From": "+12025550100",
        "Body": claim.notification.text,
        "ValidityPeriod": "300",
    }


async def test_words_of_any_alphabet_arrive_as_they_are():
    channel, http = channel_to(lambda request: created())
    claim = claim_for(channel, PHONE, now_us=START_US)
    text = "Peña & Núñez: 100% +1 = 2; ¿dónde? “aquí”"
    notification = msgspec.structs.replace(claim.notification, text=text)
    await channel.send(msgspec.structs.replace(claim, notification=notification))

    assert form_of(http.requests[0])["Body"] == text


@pytest.mark.parametrize(
    ("left_s", "validity"), [(3_600, "300"), (300, "300"), (42.2, "43"), (6, "6"), (1, "6"), (-60, "6")]
)
async def test_no_text_waits_at_twilio_beyond_its_truth(left_s, validity):
    """Req 51: a lockdown text hours later is a hazard."""
    channel, http = channel_to(lambda request: created())
    claim = claim_for(channel, PHONE, now_us=START_US)
    expires_us = START_US + int(left_s * 1_000_000)
    notification = msgspec.structs.replace(claim.notification, expires_us=expires_us)
    await channel.send(msgspec.structs.replace(claim, notification=notification))

    assert form_of(http.requests[0])["ValidityPeriod"] == validity


async def test_a_person_is_texted_from_one_number_and_a_retry_comes_from_another():
    numbers = ["+12025550100", "+12025550101", "+12025550102"]
    channel, http = channel_to(lambda request: created(), from_numbers=numbers)
    first = claim_for(channel, PHONE, now_us=START_US)
    again = claim_for(channel, PHONE, now_us=START_US, notification_id="n-0002")
    for claim in (first, again, msgspec.structs.replace(first, attempt=2)):
        await channel.send(claim)
    for last in range(20):
        await channel.send(claim_for(channel, f"+120255501{last:02}", now_us=START_US))
    senders = [form_of(request)["From"] for request in http.requests]

    assert senders[0] == senders[1]
    assert senders[2] != senders[0]
    assert set(senders[3:]) == set(numbers), "the pool shares the load"


async def test_a_messaging_service_chooses_the_sender():
    service = "MG" + "0" * 32
    channel, http = channel_to(lambda request: created(), from_numbers=[], messaging_service_sid=service)
    await channel.send(claim_for(channel, PHONE, now_us=START_US))

    form = form_of(http.requests[0])
    assert form["MessagingServiceSid"] == service
    assert "From" not in form


async def test_signed_mode_tells_twilio_where_to_call_and_for_which_notification():
    channel, http = channel_to(lambda request: created(), callbacks="signed", public_base_url="https://alerts.example/")
    await channel.send(claim_for(channel, PHONE, now_us=START_US))

    assert form_of(http.requests[0])["StatusCallback"] == "https://alerts.example/v1/callbacks/sms?d=n-0001"


async def test_the_request_gives_up_before_dispatch_cancels_it():
    channel, http = channel_to(lambda request: created(), deadline_s=4)
    await channel.send(claim_for(channel, PHONE, now_us=START_US))

    assert 0 < http.timeouts_s[0] < 4


@pytest.mark.parametrize(
    "answer",
    [
        HttpResponse(status=500),
        HttpResponse(status=502, body=b"<html>"),
        refused(503, 20503),
        HttpResponse(status=201, body=b""),
        HttpResponse(status=201, body=b"{}"),
        HttpResponse(status=201, body=b'{"sid": ""}'),
        HttpResponse(status=201, body=b'{"sid": 17, "status": []}'),
        HttpResponse(status=200, body=b"[" * 3_000),
        HttpResponse(status=200, body=b"<html>please log in to the school's WLAN</html>"),
        HttpResponse(status=201, body=b'{"sid": "\xff"}'),
        HttpResponse(status=204),
        HttpResponse(status=199),
        HttpResponse(status=600),
    ],
    ids=lambda answer: f"{answer.status}-{answer.body[:12]!r}",
)
async def test_what_may_have_been_sent_is_unknown(answer):
    outcome = await outcome_of(answer)

    assert isinstance(outcome, Unknown), outcome
    assert outcome.detail


async def test_too_many_requests_wait_as_long_as_twilio_says():
    outcome = await outcome_of(refused(429, 20429, retry_after="7"))

    assert isinstance(outcome, Failed)
    assert not outcome.permanent
    assert outcome.code == "20429"
    assert outcome.retry_after_s == 7


@pytest.mark.parametrize("code", [0, 21211, 20003, 99999])
async def test_a_429_was_never_processed_whatever_code_it_bears(code):
    outcome = await outcome_of(refused(429, code))

    assert isinstance(outcome, Failed)
    assert not outcome.permanent


@pytest.mark.parametrize(
    ("wish", "granted"), [("86400", 60.0), ("-1", None), ("nan", None), ("Wed, 21 Oct 2026 07:28:00 GMT", None)]
)
async def test_a_strange_wish_to_wait_silences_nobody(wish, granted):
    outcome = await outcome_of(refused(429, 20429, retry_after=wish))

    assert isinstance(outcome, Failed)
    assert outcome.retry_after_s == granted


TABLE = """
20003 permanent breaks     20005 permanent breaks     20404 permanent breaks     30002 permanent breaks
21211 permanent            21614 permanent            21408 permanent            21606 permanent
21612 permanent            30005 permanent            30006 permanent            30004 permanent
30007 permanent            30034 permanent            30032 permanent            30036 permanent
21610 permanent opted_out  21611 temporary            30001 temporary            30003 temporary
30008 temporary            30022 temporary            20429 temporary            14107 temporary
"""


def rows() -> list[tuple[int, set[str]]]:
    words = TABLE.split()
    starts = [index for index, word in enumerate(words) if word.isdigit()] + [len(words)]
    return [(int(words[a]), set(words[a + 1 : b])) for a, b in pairwise(starts)]


@pytest.mark.parametrize(("code", "words"), rows(), ids=lambda value: str(value) if isinstance(value, int) else "")
async def test_each_code_means_what_the_table_of_the_field_says(code, words):
    outcome = await outcome_of(refused(401 if code in (20003, 20005) else 400, code, f"to {PHONE}"))

    assert isinstance(outcome, Failed)
    assert outcome.permanent == ("permanent" in words)
    assert outcome.opted_out == ("opted_out" in words)
    assert outcome.breaks_channel == ("breaks" in words)
    assert str(code) in outcome.detail


def test_every_code_has_a_meaning_and_the_operators_have_a_remedy():
    for code, entry in CODES.items():
        assert entry.meaning, code
        assert entry.remedy or not entry.breaks_channel, code
        assert len(failure(code).detail) < 200


async def test_a_code_that_nobody_has_seen_refused_at_once_is_permanent_and_shows_no_number():
    outcome = await outcome_of(refused(400, 21999, f"The 'To' number {PHONE} is cursed"))

    assert isinstance(outcome, Failed)
    assert outcome.permanent
    assert outcome.code == "21999"
    assert "cursed" in outcome.detail
    assert "5550142" not in outcome.detail


@pytest.mark.parametrize("status", [401, 403])
async def test_a_refusal_of_us_breaks_the_channel_even_without_a_code(status):
    outcome = await outcome_of(HttpResponse(status=status, body=b"<html>"))

    assert isinstance(outcome, Failed)
    assert outcome.breaks_channel


async def test_a_redirect_is_not_followed_and_says_so():
    outcome = await outcome_of(HttpResponse(status=302, headers={"location": "https://evil.example"}))

    assert isinstance(outcome, Failed)
    assert not outcome.permanent
    assert "redirect" in outcome.detail


async def test_a_text_that_twilio_took_and_failed_at_once_is_failed():
    outcome = await outcome_of(created(status="failed", error_code=30034))

    assert isinstance(outcome, Failed)
    assert outcome.ref == SID
    assert outcome.code == "30034"


async def test_a_notification_without_words_is_not_sent():
    channel, http = channel_to(lambda request: created())
    claim = claim_for(channel, PHONE, now_us=HOUR_US)
    empty = msgspec.structs.replace(claim.notification, text=" ")
    outcome = await channel.send(msgspec.structs.replace(claim, notification=empty))

    assert isinstance(outcome, Failed)
    assert outcome.permanent
    assert not http.requests


@pytest.mark.parametrize("address", ["2025550142", "+1 202 555 0142", "12025550142", "+0125550142", "72345", "Ruiz"])
async def test_only_full_numbers_leave(address):
    channel, http = channel_to(lambda request: created())
    outcome = await channel.send(claim_for(channel, address))

    assert isinstance(outcome, Failed)
    assert outcome.permanent
    assert not http.requests
