"""What the outside may reach over TCP: callbacks and a bare health. No operator's route, whatever is tried."""

import pytest
from structlog.testing import capture_logs

from alertd.console.api import operator_app
from alertd.console.backend import Proof
from alertd.console.public import CALLBACK_BYTES_MAX, public_app
from tests.console.asgi import ask
from tests.console.fake_daemon import FakeDaemon, RecordingCallbacks

BASE = "https://alerts.example.org/"


@pytest.fixture
def daemon() -> FakeDaemon:
    return FakeDaemon()


@pytest.fixture
def taker(daemon: FakeDaemon) -> RecordingCallbacks:
    taker = RecordingCallbacks()
    daemon.takers["sms"] = taker
    return taker


def operator_routes() -> list[tuple[str, str]]:
    """Every route that the local socket offers, from its own description."""
    paths = operator_app(FakeDaemon()).openapi()["paths"]
    found = [(method.upper(), path) for path, methods in paths.items() for method in methods]
    assert len(found) >= 15
    return sorted(found)


@pytest.mark.parametrize(("method", "path"), [route for route in operator_routes() if route[1] != "/v1/health"])
async def test_no_operator_route_is_reachable_over_tcp(daemon, method, path):
    concrete = path.replace("{", "").replace("}", "").replace(":path", "")
    answer = await ask(public_app(daemon, BASE), method, concrete, {})

    assert answer.status == 404
    assert daemon.events == []


async def test_the_description_of_the_api_is_not_public(daemon):
    for path in ("/v1/openapi.json", "/openapi.json", "/docs", "/redoc"):
        assert (await ask(public_app(daemon, BASE), "GET", path)).status == 404


async def test_health_says_yes_or_no_and_no_more(daemon):
    app = public_app(daemon, BASE)
    well = await ask(app, "GET", "/v1/health")
    daemon.proofs.append(Proof(name="broker", alive=False, words="mqtt.internal refuses the password of alertd"))
    ill = await ask(app, "GET", "/v1/health")

    assert (well.status, well.json) == (200, {"alive": True})
    assert (ill.status, ill.json) == (503, {"alive": False})


async def test_a_callback_gets_the_public_url_and_never_the_host_that_was_sent(daemon, taker):
    answer = await ask(
        public_app(daemon, BASE),
        "POST",
        "/v1/callbacks/sms?d=n-1&x=%2B1",
        chunks=[b"Body=417"],
        headers={"X-Signature": "s"},
    )

    request = taker.requests[0]
    assert request.url == "https://alerts.example.org/v1/callbacks/sms?d=n-1&x=%2B1"
    assert (request.method, request.body) == ("POST", b"Body=417")
    assert (answer.status, answer.headers["content-type"], answer.body) == (200, "text/xml", b"<Response/>")


async def test_the_channels_refusal_is_passed_on(daemon, taker):
    answer = await ask(public_app(daemon, BASE), "GET", "/v1/callbacks/sms")

    assert (answer.status, answer.body) == (403, b"unsigned")


async def test_callbacks_of_unknown_names_are_counted_and_name_nothing_that_exists(daemon, taker):
    answer = await ask(public_app(daemon, BASE), "POST", "/v1/callbacks/sns")

    assert answer.status == 404
    assert "sms" not in answer.body.decode()
    assert daemon.observed == ["console.callback_unknown"]


async def test_without_a_public_url_no_callback_is_taken(daemon, taker):
    answer = await ask(public_app(daemon, None), "POST", "/v1/callbacks/sms", headers={"X-Signature": "s"})

    assert answer.status == 404
    assert taker.requests == []


async def test_a_huge_callback_is_refused(daemon, taker):
    chunks = [b"x" * CALLBACK_BYTES_MAX, b"x"]
    answer = await ask(
        public_app(daemon, BASE), "POST", "/v1/callbacks/sms", chunks=chunks, headers={"X-Signature": "s"}
    )

    assert answer.status == 413
    assert taker.requests == []


async def test_a_channel_that_crashes_is_a_500_without_its_words(daemon, taker):
    async def crash(*_: object) -> None:
        raise RuntimeError("token is hunter2")

    taker.callback = crash
    with capture_logs() as logs:
        answer = await ask(public_app(daemon, BASE), "POST", "/v1/callbacks/sms", headers={"X-Signature": "s"})

    assert answer.status == 500
    assert b"RuntimeError" in answer.body
    assert b"hunter2" not in answer.body
    assert [line["event"] for line in logs] == ["console.bug"]


async def test_metrics_are_for_who_asks_directly_and_not_for_whom_a_proxy_speaks(daemon):
    app = public_app(daemon, BASE)
    answer = await ask(app, "GET", "/metrics")
    assert (answer.status, answer.body) == (200, b"alertd_alive 1.0\n")
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"

    for header in ("X-Forwarded-For", "Forwarded", "Via", "X-Real-IP", "X-Forwarded-Host"):
        assert (await ask(app, "GET", "/metrics", headers={header: "203.0.113.9"})).status == 404
    assert (await ask(app, "GET", "/metrics", headers={"host": "alerts.example.org"})).status == 404
    assert (await ask(app, "GET", "/v1/metrics")).status == 404, "an operator's route"
