"""The reply URL: what a dispatch centre says later, if it is really the centre."""

from datetime import UTC, datetime

import msgspec
import pytest
from standardwebhooks import Webhook

from alertd.model.events import DispatchReported
from alertd.model.ids import DISTRICT
from alertd.model.incident import DispatchState
from alertd.ports import HttpRequest, HttpResponse
from alertd.testing.scripted_http import ScriptedHttp
from alertd_adapters.webhook import plugin
from tests.adapters.doubles import OpenDoor, SteadyClock, surroundings

COUNTY = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
STATE = "whsec_" + "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVo0Mg=="
URL = "https://alerts.example/v1/callbacks/dispatch"
ACCEPTED = {"incident_id": "inc-1", "state": "accepted", "call_number": "26-1187", "reason": "2 units"}


@pytest.fixture
def clock():
    return SteadyClock()


@pytest.fixture
def callbacks(clock):
    around = surroundings(
        ScriptedHttp(lambda request: HttpResponse(status=500)),
        {"county": COUNTY, "state": STATE},
        clock=clock,
        public_base_url="https://alerts.example",
    )
    destinations = {
        name: {"url": f"https://{name}.example/alerts", "signing_secret": name} for name in ("county", "state")
    }
    built = plugin.build("dispatch", {"destinations": destinations}, around)
    assert built.callbacks is not None
    return built.callbacks


def signed(clock, said: object, *, secret: str = COUNTY, url: str = URL, message_id: str = "reply-1", age_s: float = 0):
    """Signed by the official library."""
    body = msgspec.json.encode(said).decode()
    at = datetime.fromtimestamp(clock.wall_us / 1_000_000 - age_s, UTC)
    headers = {
        "Webhook-Id": message_id,
        "Webhook-Timestamp": str(int(at.timestamp())),
        "Webhook-Signature": Webhook(secret).sign(message_id, at, body),
    }
    return HttpRequest(method="POST", url=url, headers=headers, body=body.encode())


@pytest.mark.parametrize("url", [URL, URL + "?d=county"])
async def test_an_acceptance_signed_by_the_official_library_is_reported(callbacks, clock, url):
    door = OpenDoor()
    answer = await callbacks.callback(signed(clock, ACCEPTED, url=url), door)

    assert answer.status == 200
    (event,) = door.of(DispatchReported)
    assert event.site_id == DISTRICT, "intake finds the site by the incident"
    assert (event.incident_id, event.destination_id, event.state) == ("inc-1", "county", DispatchState.ACCEPTED)
    assert (event.call_number, event.detail) == ("26-1187", "2 units")


async def test_the_secret_says_who_speaks(callbacks, clock):
    door = OpenDoor()
    await callbacks.callback(signed(clock, ACCEPTED, secret=STATE), door)

    assert door.of(DispatchReported)[0].destination_id == "state"


async def test_the_same_report_has_the_same_cause(callbacks, clock):
    door = OpenDoor()
    for message_id in ("reply-1", "reply-1", "reply-2"):
        await callbacks.callback(signed(clock, ACCEPTED, message_id=message_id), door)

    causes = [event.cause for event in door.of(DispatchReported)]
    assert causes[0] == causes[1] != causes[2]


@pytest.mark.parametrize(
    ("why", "options"),
    [
        ("another centre's secret", {"secret": STATE, "url": URL + "?d=county"}),
        ("a destination that is none", {"url": URL + "?d=nobody"}),
        ("a stranger's secret", {"secret": "whsec_" + "c3RyYW5nZXI" * 4}),
        ("too old", {"age_s": 301}),
        ("from the future", {"age_s": -302}),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_what_the_centre_did_not_sign_now_is_refused(callbacks, clock, why, options):
    door = OpenDoor()
    answer = await callbacks.callback(signed(clock, ACCEPTED, **options), door)

    assert answer.status == 403
    assert not door.events
    assert door.observed["callback_refused"] == 1


@pytest.mark.parametrize("name", ["Webhook-Id", "Webhook-Timestamp", "Webhook-Signature"])
@pytest.mark.parametrize("value", ["", "x", "v1,", "٣", "9" * 400, "ÿ"])
async def test_a_header_that_is_wrong_is_refused(callbacks, clock, name, value):
    request = signed(clock, ACCEPTED)
    door = OpenDoor()
    answer = await callbacks.callback(msgspec.structs.replace(request, headers={**request.headers, name: value}), door)

    assert answer.status == 403
    assert not door.events


async def test_a_changed_body_is_refused(callbacks, clock):
    request = signed(clock, ACCEPTED)
    changed = msgspec.structs.replace(request, body=request.body.replace(b"accepted", b"rejected"))

    assert (await callbacks.callback(changed, OpenDoor())).status == 403


@pytest.mark.parametrize(
    "said",
    [
        [],
        {},
        {"incident_id": "inc-1"},
        {"incident_id": "inc-1", "state": "ok"},
        {"incident_id": "inc-1", "state": "received"},
        {"incident_id": "inc-1", "state": "not_told"},
        {"incident_id": "", "state": "accepted"},
        {"incident_id": "x" * 65, "state": "accepted"},
        {"incident_id": 7, "state": "accepted"},
    ],
)
async def test_a_report_that_says_nothing_is_told_what_is_missing(callbacks, clock, said):
    door = OpenDoor()
    answer = await callbacks.callback(signed(clock, said), door)

    assert answer.status == 422
    assert not door.events


async def test_what_could_not_be_committed_may_be_sent_again(callbacks, clock):
    door = OpenDoor()
    door.is_broken = True

    assert (await callbacks.callback(signed(clock, ACCEPTED), door)).status == 503
    door.is_broken = False
    assert (await callbacks.callback(signed(clock, ACCEPTED), door)).status == 200


async def test_only_post_and_only_small(callbacks, clock):
    door = OpenDoor()
    request = signed(clock, ACCEPTED)

    assert (await callbacks.callback(msgspec.structs.replace(request, method="GET"), door)).status == 405
    assert (await callbacks.callback(msgspec.structs.replace(request, body=b"x" * 70_000), door)).status == 413
    assert not door.events
