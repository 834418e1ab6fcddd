"""The fake carrier behaves like the real one where alertd depends on it, and notices what must never happen."""

import asyncio
import itertools
from base64 import b64encode
from urllib.parse import parse_qsl, urlencode

import msgspec
import pytest
from twilio.request_validator import RequestValidator  # type: ignore[import-untyped]

from alertd.ports import HttpNoAnswerError, HttpNotSentError, HttpRequest, HttpResponse
from alertd_simulator.carrier import Behaviour, Carrier
from alertd_simulator.virtual_time import VirtualClock, in_virtual_time, virtual_loop
from alertd_simulator.weather import Weather
from alertd_simulator.world_http import WorldHttp

API = "https://api.twilio.com"
TOKEN = "token-of-a-fake"
OURS = "+12025550100"
RUIZ = "+12025550142"
STRANGER = "+44" + "7700900123"
"""No example number of ours; in the range that its country keeps for fiction."""


def a_carrier(**options) -> Carrier:
    return Carrier(clock=VirtualClock(), auth_token=TOKEN, **options)


def an_http(carrier: Carrier) -> WorldHttp:
    return WorldHttp({API: carrier.handle})


def request(carrier: Carrier, method: str, path: str, *, token: str = TOKEN, **form: str) -> HttpRequest:
    credentials = b64encode(f"{carrier.account_sid}:{token}".encode()).decode()
    return HttpRequest(
        method=method,
        url=f"{API}/2010-04-01/Accounts/{carrier.account_sid}{path}",
        headers={"Authorization": f"Basic {credentials}", "Content-Type": "application/x-www-form-urlencoded"},
        body=urlencode(form).encode(),
    )


def sms(carrier: Carrier, to: str = RUIZ, body: str = "LOCKDOWN", **form: str) -> HttpRequest:
    return request(carrier, "POST", "/Messages.json", **({"To": to, "From": OURS, "Body": body} | form))


def decoded(response: HttpResponse) -> dict:
    return msgspec.json.decode(response.body)


async def send(carrier: Carrier, **options: str) -> dict:
    return decoded(await carrier.handle(sms(carrier, **options)))


async def listing(carrier: Carrier, **query: str) -> dict:
    return decoded(await carrier.handle(request(carrier, "GET", f"/Messages.json?{urlencode(query)}")))


@in_virtual_time
async def test_a_text_goes_its_way_to_the_phone():
    carrier = a_carrier()
    lit_up: list[str] = []
    carrier.on_phone.append(lambda text: lit_up.append(text.body))

    answer = await carrier.handle(sms(carrier))
    await asyncio.sleep(1)

    assert answer.status == 201
    assert decoded(answer)["status"] == "queued"
    assert [status for _, status in carrier.to(RUIZ)[0].history] == ["queued", "sending", "sent", "delivered"]
    assert lit_up == ["LOCKDOWN"]
    assert carrier.violations == []


@in_virtual_time
async def test_a_fetch_tells_the_state_of_the_moment():
    carrier = a_carrier()
    sid = (await send(carrier))["sid"]

    before = decoded(await carrier.handle(request(carrier, "GET", f"/Messages/{sid}.json")))
    await asyncio.sleep(1)
    after = decoded(await carrier.handle(request(carrier, "GET", f"/Messages/{sid}.json")))
    missing = await carrier.handle(request(carrier, "GET", f"/Messages/SM{'f' * 32}.json"))

    assert (before["status"], before["date_sent"]) == ("queued", None)
    assert (after["status"], after["date_sent"]) == ("delivered", "Wed, 14 Oct 2026 14:42:00 +0000")
    assert (missing.status, decoded(missing)["code"]) == (404, 20404)


@in_virtual_time
async def test_wrong_credentials_are_20003():
    carrier = a_carrier()

    answer = await carrier.handle(
        request(carrier, "POST", "/Messages.json", token="wrong", To=RUIZ, From=OURS, Body="x")
    )

    assert (answer.status, decoded(answer)["code"]) == (401, 20003)
    assert carrier.texts == {}


@pytest.mark.parametrize(
    ("form", "code"),
    [
        ({"To": ""}, 21604),
        ({"From": ""}, 21603),
        ({"Body": ""}, 21602),
        ({"To": "555-0142"}, 21211),
        ({"To": " 12025550142"}, 21211),  # a raw "+" that became a blank
        ({"From": "+12025550199"}, 21606),
        ({"Body": "x" * 1601}, 21617),
    ],
)
@in_virtual_time
async def test_a_wrong_request_is_refused_with_the_carriers_code(form, code):
    carrier = a_carrier()

    answer = await carrier.handle(
        request(carrier, "POST", "/Messages.json", **({"To": RUIZ, "From": OURS, "Body": "x"} | form))
    )

    assert (answer.status, decoded(answer)["code"]) == (400, code)
    assert carrier.texts == {}


@pytest.mark.parametrize(
    "number", ["911", "+1911", "9911", "9,911", "sip:911@pbx.example", "+12025550142,,911", "+44999", "+112", "+988"]
)
@in_virtual_time
async def test_an_emergency_number_in_any_form_is_a_violation(number):
    carrier = a_carrier()

    await carrier.handle(sms(carrier, to=number))

    assert any("emergency number" in line for line in carrier.violations), carrier.violations


@in_virtual_time
async def test_a_strangers_number_is_a_violation_too():
    carrier = a_carrier()

    await carrier.handle(sms(carrier, to=STRANGER))

    assert carrier.violations == [f"a number that may be a stranger's was dialled: {STRANGER!r}"]


@in_virtual_time
async def test_a_misspelt_field_is_noticed_though_the_real_one_drops_it():
    carrier = a_carrier()

    await carrier.handle(sms(carrier, Bdoy="x"))

    assert carrier.violations == ["unknown form fields ['Bdoy']"]


@pytest.mark.parametrize(
    ("behaviour", "status", "code"),
    [
        (Behaviour(fails=30003), "undelivered", 30003),
        (Behaviour(fails=30006), "undelivered", 30006),
        (Behaviour(fails=30007), "failed", 30007),
        (Behaviour(stays_sent=True), "sent", None),
        (Behaviour(recants_s=5), "undelivered", 30008),
        (Behaviour(delivery_s=45), "sent", None),
    ],
)
@in_virtual_time
async def test_numbers_fail_in_their_own_ways(behaviour, status, code):
    carrier = a_carrier()
    carrier.behave(RUIZ, behaviour)

    await send(carrier)
    await asyncio.sleep(30)

    assert (carrier.to(RUIZ)[0].status, carrier.to(RUIZ)[0].error_code) == (status, code)


@in_virtual_time
async def test_a_lying_carrier_says_delivered_while_the_phone_stays_dark():
    carrier = a_carrier()
    lit_up: list[str] = []
    carrier.on_phone.append(lambda text: lit_up.append(text.body))
    carrier.behave(RUIZ, Behaviour(lies=True))

    await send(carrier)
    await asyncio.sleep(30)

    assert carrier.to(RUIZ)[0].status == "delivered"
    assert lit_up == []


@in_virtual_time
async def test_stop_opts_out_and_start_opts_in_again():
    carrier = a_carrier()
    carrier.receive(sender=RUIZ, body=" stop\n")
    refused = await send(carrier)
    carrier.receive(sender=RUIZ, body="START")
    taken = await send(carrier)

    assert refused["code"] == 21610
    assert taken["status"] == "queued"


@in_virtual_time
async def test_a_senders_queue_gives_out_one_a_second_and_validity_expires_in_it():
    carrier = a_carrier(per_s=1.0)
    for number in range(10):
        await send(carrier, to=f"+120255501{number:02}", ValidityPeriod="5")

    await asyncio.sleep(60)

    sent = [text.sent_us for text in carrier.texts.values() if text.sent_us]
    assert len(sent) == 6
    assert [later - earlier for earlier, later in itertools.pairwise(sent)] == [1_000_000] * 5
    expired = [text.error_code for text in carrier.texts.values() if text.status == "failed"]
    assert expired == [30036] * 4


# --- reading back


@in_virtual_time
async def test_the_list_filters_and_is_newest_first():
    carrier = a_carrier()
    await send(carrier, body="first")
    await send(carrier, to="+12025550143", body="other phone")
    await send(carrier, body="second")
    carrier.receive(sender=RUIZ, body="417")

    to_ruiz = await listing(carrier, To=RUIZ, From=OURS)
    replies = await listing(carrier, To=OURS)

    assert [text["body"] for text in to_ruiz["messages"]] == ["second", "first"]
    assert [(text["body"], text["from"], text["direction"]) for text in replies["messages"]] == [
        ("417", RUIZ, "inbound")
    ]


@in_virtual_time
async def test_a_filter_by_date_sent_does_not_see_what_is_queued():
    carrier = a_carrier(per_s=0.01)
    await send(carrier, body="out")
    await send(carrier, body="still queued")
    await asyncio.sleep(1)

    everything = await listing(carrier, To=RUIZ)
    dated = await listing(carrier, To=RUIZ, **{"DateSent>": "2026-10-14"})

    assert [text["body"] for text in everything["messages"]] == ["still queued", "out"]
    assert [text["body"] for text in dated["messages"]] == ["out"]


@in_virtual_time
async def test_pages_stay_stable_while_new_texts_arrive():
    carrier = a_carrier()
    for number in range(5):
        await send(carrier, body=str(number))

    page = await listing(carrier, To=RUIZ, PageSize="2")
    seen = [text["body"] for text in page["messages"]]
    while page["next_page_uri"]:
        await send(carrier, body="meanwhile")
        path = page["next_page_uri"].removeprefix(f"/2010-04-01/Accounts/{carrier.account_sid}")
        page = decoded(await carrier.handle(request(carrier, "GET", path)))
        seen += [text["body"] for text in page["messages"]]

    assert seen == ["4", "3", "2", "1", "0"]


# --- bad days


@pytest.mark.parametrize(("weather", "status"), [(Weather.LIMITED, 429), (Weather.BROKEN, 500)])
@in_virtual_time
async def test_a_refusal_by_the_server_accepts_nothing(weather, status):
    carrier = a_carrier()
    carrier.forecast.next.append(weather)

    answers = [await carrier.handle(sms(carrier)) for _ in range(2)]

    assert [answer.status for answer in answers] == [status, 201]
    assert len(carrier.texts) == 1


@pytest.mark.parametrize(
    ("weather", "accepted"),
    [(Weather.SILENT, 0), (Weather.SILENT_ACCEPTED, 1), (Weather.CUT, 0), (Weather.CUT_ACCEPTED, 1)],
)
@in_virtual_time
async def test_the_sender_cannot_tell_whether_a_lost_answer_was_accepted(weather, accepted):
    carrier = a_carrier()
    carrier.forecast.next.append(weather)

    with pytest.raises(HttpNoAnswerError):
        await an_http(carrier).send(sms(carrier), timeout_s=10)

    assert len(carrier.to(RUIZ)) == accepted


@in_virtual_time
async def test_garbage_after_accepting():
    carrier = a_carrier()
    carrier.behave(RUIZ, Behaviour(weather=Weather.GARBAGE_ACCEPTED))

    answer = await carrier.handle(sms(carrier))

    assert answer.status == 200
    with pytest.raises(msgspec.DecodeError):
        decoded(answer)
    assert len(carrier.to(RUIZ)) == 1


@in_virtual_time
async def test_the_network_goes_before_and_in_the_middle_of_a_send():
    carrier = a_carrier()
    http = an_http(carrier)
    http.latency_s = lambda: 1.0
    virtual_loop().call_later(1.5, setattr, http, "is_plugged_in", False)  # after it arrived, before it answered
    with pytest.raises(HttpNoAnswerError, match="no answer within 5"):
        await http.send(sms(carrier), timeout_s=5)
    with pytest.raises(HttpNotSentError, match="unreachable"):
        await http.send(sms(carrier), timeout_s=5)
    with pytest.raises(HttpNotSentError, match="unknown host"):
        await http.send(HttpRequest(method="GET", url="https://api.twilio.com.evil.example/"), timeout_s=5)

    assert len(carrier.to(RUIZ)) == 1


@in_virtual_time
async def test_a_server_goes_on_when_its_client_has_hung_up():
    done: list[str] = []

    async def slow(_request: HttpRequest) -> HttpResponse:
        await asyncio.sleep(10)
        done.append("yes")
        return HttpResponse(status=200)

    http = WorldHttp({API: slow})
    with pytest.raises(HttpNoAnswerError):
        await http.send(HttpRequest(method="GET", url=API), timeout_s=1)
    await asyncio.sleep(20)

    assert done == ["yes"]


# --- callbacks


@in_virtual_time
async def test_callbacks_are_signed_for_the_public_url_and_skip_the_first_status():
    carrier = a_carrier()
    calls: list[HttpRequest] = []

    async def ours(request: HttpRequest) -> HttpResponse:
        calls.append(request)
        return HttpResponse(status=204)

    carrier.callback_http = WorldHttp({"https://alerts.school.example": ours})
    carrier.inbound_url = "https://alerts.school.example/v1/callbacks/sms"
    await send(carrier, StatusCallback="https://alerts.school.example/v1/callbacks/sms?d=n-1")
    await asyncio.sleep(5)
    carrier.receive(sender=RUIZ, body="417")
    await asyncio.sleep(5)

    forms = [dict(parse_qsl(call.body.decode())) for call in calls]
    assert [form.get("MessageStatus") or form.get("Body") for form in forms] == ["sent", "delivered", "417"]
    validator = RequestValidator(TOKEN)
    for call, form in zip(calls, forms, strict=True):
        assert validator.validate(call.url, form, call.headers["x-twilio-signature"])


@in_virtual_time
async def test_nobody_is_called_behind_nat_and_an_unreachable_callback_changes_nothing():
    carrier = a_carrier()
    carrier.callback_http = WorldHttp({})
    await send(carrier, StatusCallback="https://nowhere.school.example/")

    await asyncio.sleep(5)

    assert carrier.to(RUIZ)[0].status == "delivered"
