"""One webhook out: what the server gets, and what each of its answers means (req 37)."""

import msgspec
import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from alertd.model.mode import Mode
from alertd.model.outcome import Delivered, DispatchAnswer, Failed, Outcome
from alertd.model.people import Endpoint
from alertd.ports import HttpResponse
from alertd.testing.channel_contract import claim_for
from alertd.testing.scripted_http import ScriptedHttp
from alertd_adapters.webhook import plugin
from tests.adapters.doubles import START_US, SteadyClock, resolve_to_public, surroundings

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
NEW_SECRET = "whsec_" + "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVo0Mg=="
SECRETS = {"county": SECRET, "county-new": NEW_SECRET}


def channel_to(server, *, resolve=resolve_to_public, clock=None, url="https://dispatch.example/alerts", **channel):
    destination = {"url": url, "signing_secret": channel.pop("signing_secret", "county")}
    http = ScriptedHttp(server)
    around = surroundings(http, SECRETS, clock=clock, extra={"resolve": resolve})
    built = plugin.build("dispatch", {"destinations": {"county": destination}, **channel}, around)
    assert built.channel is not None
    return built.channel, http


async def outcome_of(answer: HttpResponse) -> Outcome:
    channel, _ = channel_to(lambda request: answer)
    return await channel.send(claim_for(channel, "county", now_us=START_US))


def library_headers(request) -> dict[str, str]:
    return {name.lower(): value for name, value in request.headers.items()}


# --- what leaves ----------------------------------------------------------------------------------------------------


@pytest.fixture
def real_clock():
    """The official library compares with the machine's own time."""
    import time

    return SteadyClock(wall_us=int(time.time() * 1_000_000))


async def test_the_official_library_accepts_what_we_sign(real_clock):
    channel, http = channel_to(lambda request: HttpResponse(status=204), clock=real_clock)
    claim = claim_for(channel, "county")
    await channel.send(claim)

    (request,) = http.requests
    assert Webhook(SECRET).verify(request.body, library_headers(request))["message_id"] == "n-0001"
    assert request.body.decode() == claim.notification.body
    assert request.headers["webhook-id"] == claim.notification.id
    assert request.headers["Content-Type"] == "application/json"
    assert (request.method, request.url) == ("POST", "https://dispatch.example/alerts")


@pytest.mark.parametrize("what", ["body", "webhook-id", "webhook-timestamp", "webhook-signature"])
async def test_the_official_library_refuses_what_was_tampered_with(real_clock, what):
    channel, http = channel_to(lambda request: HttpResponse(status=204), clock=real_clock)
    await channel.send(claim_for(channel, "county"))
    (request,) = http.requests
    headers, body = library_headers(request), request.body
    if what == "body":
        body = body.replace(b"live", b"test")
    else:
        headers[what] = {"webhook-id": "n-0002", "webhook-signature": "v1,AAAA"}.get(
            what, str(int(headers["webhook-timestamp"]) + 1)
        )

    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify(body, headers)


async def test_while_a_secret_is_changed_both_sign(real_clock):
    channel, http = channel_to(
        lambda request: HttpResponse(status=204), clock=real_clock, signing_secret=["county", "county-new"]
    )
    await channel.send(claim_for(channel, "county"))
    (request,) = http.requests

    assert Webhook(SECRET).verify(request.body, library_headers(request))
    assert Webhook(NEW_SECRET).verify(request.body, library_headers(request))


async def test_another_attempt_has_the_same_id_and_a_fresh_timestamp():
    clock = SteadyClock()
    channel, http = channel_to(lambda request: HttpResponse(status=204), clock=clock)
    claim = claim_for(channel, "county")
    await channel.send(claim)
    clock.pass_s(30)
    await channel.send(msgspec.structs.replace(claim, attempt=2, epoch=2))

    first, second = http.requests
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert first.body == second.body
    assert int(second.headers["webhook-timestamp"]) - int(first.headers["webhook-timestamp"]) == 30


async def test_a_notification_without_a_document_is_told_by_its_text():
    channel, http = channel_to(lambda request: HttpResponse(status=204))
    claim = claim_for(channel, "county")
    plain = msgspec.structs.replace(claim.notification, body="", mode=Mode.TEST)
    await channel.send(msgspec.structs.replace(claim, notification=plain))

    said = msgspec.json.decode(http.requests[0].body)
    assert (said["headline"], said["mode"], said["message_id"]) == (plain.text, "test", "n-0001")


@pytest.mark.parametrize(
    ("dispatch", "exercise", "leaves"), [(True, False, False), (True, True, True), (False, False, True)]
)
async def test_promise_3_a_drill_never_reaches_dispatch(dispatch, exercise, leaves):
    channel, http = channel_to(lambda request: HttpResponse(status=204))
    claim = claim_for(channel, "county")
    endpoint = Endpoint(channel="dispatch", address="county", dispatch=dispatch, accepts_exercise=exercise)
    drill = msgspec.structs.replace(claim.notification, mode=Mode.DRILL, endpoint=endpoint)
    outcome = await channel.send(msgspec.structs.replace(claim, notification=drill))

    assert bool(http.requests) == leaves, "promise 3: a drill never reaches dispatch"
    if not leaves:
        assert isinstance(outcome, Failed)
        assert outcome.code == "mode_forbids"


async def test_an_unknown_destination_is_named_with_those_that_are_known():
    channel, http = channel_to(lambda request: HttpResponse(status=204))
    outcome = await channel.send(claim_for(channel, "county2"))

    assert isinstance(outcome, Failed)
    assert outcome.permanent
    assert "county" in outcome.detail
    assert not http.requests


# --- what comes back ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [200, 201, 202, 204])
async def test_a_bare_success_is_received_and_not_accepted(status):
    outcome = await outcome_of(HttpResponse(status=status, body=b"OK"))

    assert isinstance(outcome, Delivered)
    assert outcome.answer is None, "promise 5: received is not accepted"
    assert outcome.ref == "n-0001"


@pytest.mark.parametrize(
    ("body", "answer"),
    [
        ('{"state":"accepted","call_number":"26-1187"}', DispatchAnswer(state="accepted", call_number="26-1187")),
        ('{"status":"accepted","call_number":1187}', DispatchAnswer(state="accepted", call_number="1187")),
        ('{"state":" Accepted ","x":[1]}', DispatchAnswer(state="accepted")),
        (
            '{"state":"rejected","reason":"outside our area"}',
            DispatchAnswer(state="rejected", detail="outside our area"),
        ),
        ('{"state":"on_scene"}', DispatchAnswer(state="on_scene")),
        ('{"state":"closed","disposition":"no threat"}', DispatchAnswer(state="closed", detail="no threat")),
        ('{"state":"pondering"}', DispatchAnswer(state="pondering")),
        ('{"status":"ok"}', None),
        ('{"status":"success"}', None),
        ('{"state":null,"status":null}', None),
        ('{"state":true}', None),
        ('{"accepted":true}', None),
        ('"accepted"', None),
        ('["accepted"]', None),
        ("accepted", None),
        ("", None),
        ("{" * 10_000, None),
    ],
    ids=lambda value: value[:40] if isinstance(value, str) else "",
)
async def test_only_its_own_words_make_an_answer(body, answer):
    outcome = await outcome_of(HttpResponse(status=200, body=body.encode()))

    assert isinstance(outcome, Delivered)
    assert outcome.answer == answer


async def test_an_answer_is_one_line_of_bounded_length():
    """It stands in timelines and texts."""
    body = msgspec.json.encode(
        {"state": "rejected", "call_number": "9" * 500, "reason": "no\r\n\x1b[31m" + "!" * 9_000}
    )
    outcome = await outcome_of(HttpResponse(status=200, body=body))

    assert isinstance(outcome, Delivered)
    assert outcome.answer is not None
    assert len(outcome.answer.call_number or "") == 64
    assert outcome.answer.detail.startswith("no [31m!")
    assert len(outcome.answer.detail) == 300


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_never_followed(status):
    asked = []

    def server(request):
        asked.append(request.url)
        return HttpResponse(status=status, headers={"location": "https://dispatch.example/moved"})

    channel, _ = channel_to(server)
    outcome = await channel.send(claim_for(channel, "county"))

    assert isinstance(outcome, Failed)
    assert outcome.permanent
    assert "redirect" in outcome.detail
    assert asked == ["https://dispatch.example/alerts"]


@pytest.mark.parametrize("status", [401, 403, 404, 408, 409, 425, 429, 500, 501, 502, 503, 504])
async def test_what_may_be_mended_in_time_is_tried_again(status):
    outcome = await outcome_of(HttpResponse(status=status))

    assert isinstance(outcome, Failed)
    assert not outcome.permanent
    assert outcome.code == f"http_{status}"
    assert not outcome.breaks_channel, "other destinations are other people's servers"


@pytest.mark.parametrize("status", [400, 402, 405, 406, 410, 413, 415, 422])
async def test_what_is_wrong_with_this_request_goes_to_the_next_route_at_once(status):
    outcome = await outcome_of(HttpResponse(status=status))

    assert isinstance(outcome, Failed)
    assert outcome.permanent


@pytest.mark.parametrize(
    ("wish", "granted"), [("3", 3.0), ("86400", 60.0), ("-1", None), ("nan", None), ("soon", None), ("", None)]
)
async def test_a_server_that_wants_silence_gets_a_minute_at_most(wish, granted):
    outcome = await outcome_of(HttpResponse(status=503, headers={"retry-after": wish}))

    assert isinstance(outcome, Failed)
    assert outcome.retry_after_s == granted
