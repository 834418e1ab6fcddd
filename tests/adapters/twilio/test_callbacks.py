"""Twilio calls us: only what it signed counts, and nothing counts twice (req 58, 59)."""

import asyncio
from urllib.parse import urlencode

import msgspec
import pytest
from twilio.request_validator import RequestValidator  # type: ignore[import-untyped]

from alertd.model.events import OutcomeReported, Replied
from alertd.model.outcome import Accepted, Delivered, Failed, Sent, Unknown
from alertd.ports import HttpRequest, HttpResponse
from alertd.testing.channel_contract import row_for
from alertd.testing.scripted_http import ScriptedHttp
from alertd_adapters.twilio import plugin
from alertd_adapters.twilio.callbacks import TwilioCallbacks
from alertd_adapters.twilio.statuses import Sids
from alertd_simulator.carrier import Behaviour
from alertd_simulator.virtual_time import in_virtual_time
from alertd_simulator.weather import Weather
from tests.adapters.doubles import OpenDoor, SteadyClock, surroundings
from tests.adapters.twilio.world import RUIZ, World

URL = "https://alerts.example/v1/callbacks/sms"
TOKEN = "an-auth-token-of-the-tests"
SID = "SM" + "0" * 31 + "1"
REPLY = {"MessageSid": SID, "SmsSid": SID, "SmsStatus": "received", "From": RUIZ, "To": "+12025550100", "Body": "417"}
STATUS = {"MessageSid": SID, "MessageStatus": "delivered", "To": RUIZ, "From": "+12025550100"}


@pytest.fixture
def callbacks():
    settings = {
        "account_sid_secret": "sid",
        "auth_token_secret": "token",
        "from_numbers": ["+12025550100"],
        "callbacks": "signed",
    }
    http = ScriptedHttp(lambda request: HttpResponse(status=500))
    secrets = {"sid": "AC" + "0" * 32, "token": TOKEN}
    built = plugin.build("sms", settings, surroundings(http, secrets, public_base_url="https://alerts.example"))
    assert built.callbacks is not None
    return built.callbacks


def signed(form: dict[str, str], *, url: str = URL, token: str = TOKEN) -> HttpRequest:
    return HttpRequest(
        method="POST",
        url=url,
        headers={
            "content-type": "application/x-www-form-urlencoded",
            "x-twilio-signature": RequestValidator(token).compute_signature(url, form),
        },
        body=urlencode(form).encode(),
    )


async def test_twilios_published_vector_passes():
    """https://www.twilio.com/docs/usage/webhooks/webhooks-security"""
    url = "https://mycompany.com/myapp.php?foo=1&bar=2"
    form = {
        "CallSid": "CA1234567890ABCDE",
        "Caller": "+14158675309",
        "Digits": "1234",
        "From": "+14158675309",
        "To": "+18005551212",
    }
    headers = {"X-Twilio-Signature": "RSOYDt4T1cUTdK1PDd93/VVr8B8="}
    request = HttpRequest(method="POST", url=url, headers=headers, body=urlencode(form).encode())
    callbacks = TwilioCallbacks(name="sms", auth_token="12345", clock=SteadyClock(), sids=Sids())

    assert (await callbacks.callback(request, OpenDoor())).status == 400, "signed, only not about a message"
    tampered = msgspec.structs.replace(request, body=request.body.replace(b"1234&", b"1235&"))
    assert (await callbacks.callback(tampered, OpenDoor())).status == 403


async def test_a_signed_reply_becomes_the_same_event_as_a_polled_one(callbacks):
    door = OpenDoor()
    answer = await callbacks.callback(signed(REPLY), door)

    assert answer.status == 200
    assert answer.body.endswith(b"<Response/>"), "Twilio says nothing of its own"
    (event,) = door.of(Replied)
    assert (event.cause, event.channel, event.address, event.body) == (f"twilio:{SID}", "sms", RUIZ, "417")


@pytest.mark.parametrize(
    ("why", "change"),
    [
        ("no signature", {"headers": {}}),
        ("an empty one", {"headers": {"x-twilio-signature": ""}}),
        ("a wrong one", {"headers": {"x-twilio-signature": "RSOYDt4T1cUTdK1PDd93/VVr8B8="}}),
        ("another script", {"headers": {"x-twilio-signature": "ÅÄÖ" * 9}}),
        ("another body", {"body": urlencode(REPLY | {"Body": "517"}).encode()}),
        ("another sender", {"body": urlencode(REPLY | {"From": "+12025550199"}).encode()}),
        ("one field more", {"body": urlencode(REPLY | {"MessageStatus": "failed"}).encode()}),
        ("another URL", {"url": URL + "?d=n-0001"}),
        ("another host", {"url": URL.replace("alerts", "evil")}),
        ("not UTF-8", {"body": b"Body=\xff&MessageSid=" + SID.encode()}),
        ("too many fields", {"body": b"&".join(b"a=1" for _ in range(500))}),
        ("empty", {"body": b""}),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_what_twilio_did_not_sign_is_refused_and_counted(callbacks, why, change):
    door = OpenDoor()
    answer = await callbacks.callback(msgspec.structs.replace(signed(REPLY), **change), door)

    assert answer.status == 403, why
    assert not door.events
    assert door.observed["callback_refused"] == 1


async def test_a_signature_of_somebody_elses_token_is_refused(callbacks):
    door = OpenDoor()

    assert (await callbacks.callback(signed(REPLY, token="another"), door)).status == 403
    assert not door.events


async def test_the_port_in_the_url_does_not_matter(callbacks):
    """Twilio signs with or without it."""
    door = OpenDoor()
    request = signed(REPLY, url=URL.replace(".example", ".example:443"))
    answer = await callbacks.callback(msgspec.structs.replace(request, url=URL), door)

    assert answer.status == 200


async def test_repeated_fields_are_signed_together(callbacks):
    body = urlencode([*REPLY.items(), ("MediaUrl", "a"), ("MediaUrl", "b")]).encode()
    validator = RequestValidator(TOKEN)
    text = URL + "".join(k + v for k, v in sorted({**REPLY, "MediaUrl": "ab"}.items())).replace(
        "MediaUrlab", "MediaUrlaMediaUrlb"
    )
    signature = validator.compute_signature(text, {})
    request = HttpRequest(method="POST", url=URL, headers={"x-twilio-signature": signature}, body=body)

    assert (await callbacks.callback(request, OpenDoor())).status == 200


async def test_only_post_and_only_small(callbacks):
    door = OpenDoor()
    get = HttpRequest(method="GET", url=URL)
    big = HttpRequest(method="POST", url=URL, body=b"a" * 70_000)

    assert (await callbacks.callback(get, door)).status == 405
    assert (await callbacks.callback(big, door)).status == 413
    assert not door.events


async def test_a_status_finds_its_notification_by_the_url(callbacks):
    door = OpenDoor()
    for status in ("queued", "sent", "sent", "delivered", "sending"):
        answer = await callbacks.callback(signed(STATUS | {"MessageStatus": status}, url=URL + "?d=n-0001"), door)
        assert answer.status == 204

    assert [event.notification_id for event in door.of(OutcomeReported)] == ["n-0001"] * 3
    assert [event.outcome for event in door.of(OutcomeReported)] == [
        Accepted(ref=SID),
        Sent(ref=SID),
        Delivered(ref=SID),
    ], "late and repeated ones say nothing new"


async def test_delivered_may_be_taken_back(callbacks):
    door = OpenDoor()
    for fields in (STATUS, STATUS | {"MessageStatus": "undelivered", "ErrorCode": "30008"}, STATUS):
        await callbacks.callback(signed(fields, url=URL + "?d=n-0001"), door)

    assert [type(event.outcome) for event in door.of(OutcomeReported)] == [Delivered, Failed]


async def test_a_status_of_another_programs_text_is_ignored(callbacks):
    door = OpenDoor()

    assert (await callbacks.callback(signed(STATUS), door)).status == 204
    assert not door.events
    assert door.observed["callback_of_a_stranger"] == 1


async def test_what_could_not_be_committed_is_not_answered_as_taken(callbacks):
    door = OpenDoor()
    door.is_broken = True
    url = URL + "?d=n-0001"

    assert (await callbacks.callback(signed(REPLY), door)).status == 503
    assert (await callbacks.callback(signed(STATUS, url=url), door)).status == 503
    door.is_broken = False
    assert (await callbacks.callback(signed(STATUS, url=url), door)).status == 204
    assert door.of(OutcomeReported), "the failed commit must not count as reported"


# --- against the carrier ---------------------------------------------------------------------------------------------


@in_virtual_time
async def test_send_callback_reply_end_to_end():
    world = World(callbacks="signed")
    world.carrier.usual = Behaviour(sending_s=0.4, delivery_s=1)
    row = await world.text(world.claim())
    await asyncio.sleep(2)
    world.carrier.receive(sender=RUIZ, body="417")
    await asyncio.sleep(0.2)

    assert world.outcomes[-1] == Delivered(ref=row.ref)
    assert world.bodies == ["417"]
    assert world.polls() == 0, "nobody polled"
    assert world.door.observed["callback_refused"] == 0
    assert not world.carrier.violations


async def test_stop_to_the_number_of_another_channel_does_not_stop_this_one(callbacks):
    door = OpenDoor()
    for body in ("STOP", " stop "):
        response = await callbacks.callback(signed({**REPLY, "To": "+12025550104", "Body": body}), door)
        assert response.status == 200
    assert door.events == []

    await callbacks.callback(signed({**REPLY, "To": "+12025550104", "Body": "417"}), door)
    assert [event.body for event in door.events if isinstance(event, Replied)] == ["417"], (
        "an answer is an answer over whichever number"
    )
    await callbacks.callback(signed({**REPLY, "Body": "STOP"}), door)
    assert [event.body for event in door.events if isinstance(event, Replied)] == ["417", "STOP"]


@in_virtual_time
async def test_a_reply_that_was_pushed_and_polled_has_one_cause():
    world = World(callbacks="signed")
    async with world.polling():
        world.carrier.receive(sender=RUIZ, body="417")
        await asyncio.sleep(60)

    assert len({event.cause for event in world.door.of(Replied)}) == 1


@in_virtual_time
async def test_what_a_lost_callback_would_have_said_is_polled():
    world = World(callbacks="signed")
    world.carrier.callback_http = None
    async with world.polling():
        row = await world.text(world.claim())
        world.carrier.receive(sender=RUIZ, body="417")
        await asyncio.sleep(31)

        assert world.bodies == ["417"]
        assert world.outcomes == [Delivered(ref=row.ref)]


@in_virtual_time
async def test_a_callback_tells_the_sid_of_a_text_whose_answer_was_lost():
    world = World(callbacks="signed")
    claim = world.claim()
    world.carrier.forecast.next.append(Weather.CUT_ACCEPTED)
    assert isinstance(await world.channel.send(claim), Unknown)
    await asyncio.sleep(3)
    (text,) = world.carrier.to(RUIZ)
    text.body = "words that no list would match"

    assert await world.channel.look_up(row_for(claim)) == Delivered(ref=text.sid)
