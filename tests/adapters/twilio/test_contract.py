"""The Twilio channels keep the contract of every channel."""

from base64 import b64encode

import pytest
from msgspec.json import encode

from alertd.ports import HttpRequest, HttpResponse
from alertd.testing.channel_contract import ChannelContract, Demeanour
from alertd.testing.scripted_http import Network, ScriptedHttp
from alertd_adapters.twilio import plugin, voice_plugin
from tests.adapters.doubles import surroundings

ACCOUNT = "AC" + "0" * 31 + "1"
TOKEN = "an-auth-token-of-the-tests"
SID = "SM" + "0" * 31 + "1"


def refusal(status: int, code: int) -> HttpResponse:
    return HttpResponse(status=status, body=encode({"code": code, "message": f"no: {TOKEN}", "status": status}))


ANSWERS = {
    Demeanour.REFUSES_FOR_GOOD: refusal(400, 21211),
    Demeanour.REFUSES_FOR_NOW: refusal(429, 20429),
    Demeanour.ANSWERS_GARBAGE: HttpResponse(status=201, body=b"<html>\xff"),
    Demeanour.FAILS: HttpResponse(status=500, body=b"<h1>Oops</h1>"),
}
NETWORKS = {
    Demeanour.NEVER_ANSWERS: Network.SILENT,
    Demeanour.ACCEPTS_WITHOUT_ANSWER: Network.CUT,
    Demeanour.IS_AWAY: Network.AWAY,
}


class Carrier:
    """The least that is a carrier: it keeps one list of what it accepted."""

    address = "+12025550142"
    secrets = (TOKEN, b64encode(f"{ACCOUNT}:{TOKEN}".encode()).decode())
    success_is_receipt = False

    def __init__(self) -> None:
        self.http = ScriptedHttp(self._answer)
        self._demeanour = Demeanour.ACCEPTS
        self._messages: list[dict[str, object]] = []
        settings = {
            "account_sid_secret": "sid",
            "auth_token_secret": "token",
            "from_numbers": ["+12025550100"],
            "deadline_s": 0.05,
        }
        built = plugin.build("sms", settings, surroundings(self.http, {"sid": ACCOUNT, "token": TOKEN}))
        assert built.channel is not None
        self.channel = built.channel

    def behave(self, demeanour: Demeanour) -> None:
        self._demeanour = demeanour
        self.http.network = NETWORKS.get(demeanour, Network.FINE)

    @property
    def arrived(self) -> int:
        return len(self.http.requests)

    def _answer(self, request: HttpRequest) -> HttpResponse:
        if self._demeanour in ANSWERS:
            return ANSWERS[self._demeanour]
        if request.method == "GET" and "Messages.json?" in request.url:
            return HttpResponse(status=200, body=encode({"messages": self._messages, "next_page_uri": None}))
        if request.method == "GET":
            return refusal(404, 20404)
        form = dict(pair.split("=", 1) for pair in request.body.decode().split("&"))
        message: dict[str, object] = {
            "sid": SID,
            "status": "queued",
            "direction": "outbound-api",
            "from": "+12025550100",
            "to": self.address,
            "body": form["Body"].replace("+", " ").replace("%3A", ":").replace("%2C", ","),
        }
        self._messages.append(message)
        return HttpResponse(status=201, body=encode(message))


class TestTwilio(ChannelContract):
    @pytest.fixture
    def counterpart(self) -> Carrier:
        return Carrier()


class Exchange(Carrier):
    """The same for calls. Each goes to another phone: one that our own call still has is not rung."""

    def __init__(self) -> None:
        super().__init__()
        self._phones = 0
        settings = {
            "account_sid_secret": "sid",
            "auth_token_secret": "token",
            "from_numbers": ["+12025550100"],
            "deadline_s": 0.05,
        }
        built = voice_plugin.build("voice", settings, surroundings(self.http, {"sid": ACCOUNT, "token": TOKEN}))
        assert built.channel is not None
        self.channel = built.channel
        self._calls: list[dict[str, object]] = []

    @property
    def address(self) -> str:  # type: ignore[override]
        self._phones += 1
        return f"+120255501{self._phones:02d}"

    def _answer(self, request: HttpRequest) -> HttpResponse:
        if self._demeanour in ANSWERS:
            return ANSWERS[self._demeanour]
        if request.method == "GET" and "Calls.json?" in request.url:
            return HttpResponse(status=200, body=encode({"calls": self._calls}))
        if request.method == "GET":
            return refusal(404, 20404)
        call: dict[str, object] = {
            "sid": f"CA{len(self._calls):032x}", "status": "queued", "direction": "outbound-api",
            "from": "+12025550100", "to": self.address,
        }  # fmt: skip
        self._calls.append(call)
        return HttpResponse(status=201, body=encode(call))


class TestTwilioCalls(ChannelContract):
    @pytest.fixture
    def counterpart(self) -> Exchange:
        return Exchange()
