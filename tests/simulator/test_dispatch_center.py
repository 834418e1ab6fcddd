"""The simulated dispatch centre believes only what is signed, counts a repeat once, and never overlooks a drill."""

import asyncio
from base64 import b64encode
from datetime import UTC, datetime

import msgspec
import pytest
from standardwebhooks.webhooks import Webhook

from alertd.ports import HttpNoAnswerError, HttpRequest, HttpResponse
from alertd_simulator.dispatch_center import DispatchCenter, Mood
from alertd_simulator.virtual_time import SCHOOL_DAY_US, VirtualClock, in_virtual_time
from alertd_simulator.weather import Weather
from alertd_simulator.world_http import WorldHttp

SECRET = "whsec_" + b64encode(b"a secret of the tests, 32 bytes!").decode()
URL = "https://dispatch.example/intake"


def body(**changes: object) -> dict[str, object]:
    message = {"type": "new", "mode": "live", "headline": "OAK ELEM Rm 204 LOCKDOWN", "incident": {"id": "inc-1"}}
    return message | changes


def signed(content: dict[str, object], *, id_: str = "msg-1", secret: str = SECRET, at_s: int = 0) -> HttpRequest:
    """Signed by the reference library of Standard Webhooks."""
    raw = msgspec.json.encode(content)
    at = datetime.fromtimestamp(SCHOOL_DAY_US // 1_000_000 + at_s, UTC)
    headers = {
        "webhook-id": id_,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": Webhook(secret).sign(id_, at, raw.decode()),
    }
    return HttpRequest(method="POST", url=URL, headers=headers, body=raw)


def a_center(**options) -> DispatchCenter:
    return DispatchCenter(clock=VirtualClock(), secret=SECRET, **options)


@in_virtual_time
async def test_a_new_incident_is_accepted_with_a_call_number():
    center = a_center()

    answer = await center.handle(signed(body()))

    assert msgspec.json.decode(answer.body) == {"state": "accepted", "call_number": "26-1187"}
    assert [message.headline for message in center.new_incidents()] == ["OAK ELEM Rm 204 LOCKDOWN"]
    assert center.violations == []


@pytest.mark.parametrize(
    ("broken", "why"),
    [
        (signed(body(), secret="whsec_" + b64encode(b"another secret").decode()), "signature is wrong"),
        (signed(body(), at_s=-301), "301 s off"),
        (signed(body(), at_s=+301), "-301 s off"),
        (msgspec.structs.replace(signed(body()), body=b"{}"), "signature is wrong"),
        (msgspec.structs.replace(signed(body()), headers={}), "missing"),
    ],
)
@in_virtual_time
async def test_what_is_not_authentic_is_refused(broken, why):
    center = a_center()

    answer = await center.handle(broken)

    assert answer.status == 401
    assert why in center.refused[0]
    assert center.messages == {}


@in_virtual_time
async def test_a_repeat_counts_once_and_keeps_its_call_number():
    center = a_center()
    answers = [await center.handle(signed(body())) for _ in range(2)]

    assert answers[0].body == answers[1].body
    assert [message.arrivals for message in center.messages.values()] == [2]
    assert center.violations == []


@in_virtual_time
async def test_one_id_with_two_contents_is_a_violation():
    center = a_center()
    await center.handle(signed(body()))
    await center.handle(signed(body(headline="something else")))

    assert center.violations == ["msg-1 came twice with different content"]


@in_virtual_time
async def test_a_drill_is_a_violation():
    center = a_center()
    await center.handle(signed(body(mode="drill")))
    await center.handle(signed(body(mode=None), id_="msg-2"))
    await center.handle(signed(body(mode="test", type="heartbeat"), id_="msg-3"))

    assert [line.split(" reached")[0] for line in center.violations] == ["mode 'drill'", "mode None"]


@pytest.mark.parametrize(("mood", "status"), [(Mood.REJECTS, 200), (Mood.RECEIVES, 204)])
@in_virtual_time
async def test_other_moods_accept_nothing(mood, status):
    center = a_center(mood=mood)

    answer = await center.handle(signed(body()))

    assert answer.status == status
    assert center.calls == {}
    if mood is Mood.REJECTS:
        assert msgspec.json.decode(answer.body) == {"state": "rejected", "reason": "outside our area"}


@pytest.mark.parametrize(
    ("weather", "status"), [(Weather.BROKEN, 500), (Weather.LIMITED, 429), (Weather.REDIRECTING, 302)]
)
@in_virtual_time
async def test_bad_weather_takes_nothing_in(weather, status):
    center = a_center()
    center.forecast.next.append(weather)

    answer = await center.handle(signed(body()))

    assert answer.status == status
    assert center.messages == {}


@in_virtual_time
async def test_a_stalled_centre_never_answers():
    center = a_center()
    center.forecast.standing = Weather.SILENT

    with pytest.raises(HttpNoAnswerError):
        await WorldHttp({URL: center.handle}).send(signed(body()), timeout_s=10)


@in_virtual_time
async def test_accepting_later_goes_to_the_reply_url_and_is_signed():
    center = a_center(mood=Mood.ACCEPTS_LATER)
    replies: list[HttpRequest] = []

    async def ours(request: HttpRequest) -> HttpResponse:
        replies.append(request)
        return HttpResponse(status=204)

    center.reply_http = WorldHttp({"https://alerts.school.example": ours})
    answer = await center.handle(signed(body(reply_url="https://alerts.school.example/v1/callbacks/dispatch?r=1")))
    assert answer.status == 204
    await asyncio.sleep(4)
    assert replies == []
    await asyncio.sleep(2)

    assert msgspec.json.decode(replies[0].body) == {
        "incident_id": "inc-1",
        "state": "accepted",
        "call_number": "26-1187",
    }
    signature = replies[0].headers["webhook-signature"]
    at = datetime.fromtimestamp(int(replies[0].headers["webhook-timestamp"]), UTC)
    assert signature == Webhook(SECRET).sign(replies[0].headers["webhook-id"], at, replies[0].body.decode())
