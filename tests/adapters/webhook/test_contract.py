"""The webhook channel keeps the contract of every channel."""

import pytest

from alertd.ports import HttpRequest, HttpResponse
from alertd.testing.channel_contract import ChannelContract, Demeanour
from alertd.testing.scripted_http import Network, ScriptedHttp
from alertd_adapters.webhook import plugin
from tests.adapters.doubles import surroundings

KEY = "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

ANSWERS = {
    Demeanour.REFUSES_FOR_GOOD: HttpResponse(status=410, body=b"gone"),
    Demeanour.REFUSES_FOR_NOW: HttpResponse(status=429, headers={"retry-after": "3"}),
    Demeanour.ANSWERS_GARBAGE: HttpResponse(status=200, body=b'<html>\xff{"state":"accepted"}'),
    Demeanour.FAILS: HttpResponse(status=500, body=b"<h1>Oops</h1>"),
}
NETWORKS = {
    Demeanour.NEVER_ANSWERS: Network.SILENT,
    Demeanour.ACCEPTS_WITHOUT_ANSWER: Network.CUT,
    Demeanour.IS_AWAY: Network.AWAY,
}


class DispatchServer:
    """A server behind a webhook, and the channel to it."""

    address = "county"
    secrets = (KEY, "whsec_" + KEY)
    success_is_receipt = True

    def __init__(self) -> None:
        self.http = ScriptedHttp(self._answer)
        self._demeanour = Demeanour.ACCEPTS
        settings = {
            "deadline_s": 0.05,
            "destinations": {"county": {"url": "https://dispatch.example/alerts", "signing_secret": "county"}},
        }
        built = plugin.build("dispatch", settings, surroundings(self.http, {"county": "whsec_" + KEY}))
        assert built.channel is not None
        self.channel = built.channel

    def behave(self, demeanour: Demeanour) -> None:
        self._demeanour = demeanour
        self.http.network = NETWORKS.get(demeanour, Network.FINE)

    @property
    def arrived(self) -> int:
        return len(self.http.requests)

    def _answer(self, request: HttpRequest) -> HttpResponse:
        return ANSWERS.get(self._demeanour, HttpResponse(status=200, body=b'{"state":"accepted"}'))


class TestWebhook(ChannelContract):
    @pytest.fixture
    def counterpart(self) -> DispatchServer:
        return DispatchServer()
