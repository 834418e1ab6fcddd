"""Twilio's own API description judges our requests, through Prism as a validating proxy (slow).

Behind the proxy stands the simulator's carrier, so that one hop judges both. What Prism lets pass, an unknown form
field, is compared with the description here.
"""

import asyncio
import json
import socket
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import aiohttp
import msgspec
import pytest

from alertd.model.ids import NotificationId
from alertd.model.mode import Mode
from alertd.model.outcome import Accepted, Delivered, Outcome, Sent, Withdrawn
from alertd.ports import HttpNoAnswerError, HttpNotSentError, HttpRequest, HttpResponse
from alertd.testing.channel_contract import claim_for, row_for
from alertd_adapters.twilio import plugin, voice_plugin
from alertd_adapters.twilio.rest import TwilioRest
from alertd_adapters.twilio.voice import Switchboard
from alertd_adapters.twilio.voice_settings import parse_voice_settings
from alertd_simulator.carrier import Carrier
from alertd_simulator.carrier_conduct import Conduct, Pickup
from alertd_simulator.loopback_server import served
from tests.adapters.doubles import OpenDoor, SomeActivity, SteadyClock, surroundings

pytestmark = pytest.mark.slow

PRISM = Path(__file__).resolve().parents[3] / ".cache" / "prism" / "node_modules" / ".bin" / "prism"
MESSAGES = "/2010-04-01/Accounts/{AccountSid}/Messages.json"
CALLS = "/2010-04-01/Accounts/{AccountSid}/Calls.json"
TOKEN = "an-auth-token-of-the-tests"
PHONE = "+12025550142"
OTHER_PHONE = "+12025550143"


class RealHttp:
    """The port over aiohttp, as plain as it gets; it keeps what it sent."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session
        self.requests: list[HttpRequest] = []
        self.answers: list[HttpResponse] = []

    async def send(self, request: HttpRequest, *, timeout_s: float) -> HttpResponse:
        from yarl import URL

        self.requests.append(request)
        try:
            async with self._session.request(
                request.method,
                URL(request.url, encoded=True),
                headers=dict(request.headers),
                data=request.body or None,
                timeout=aiohttp.ClientTimeout(total=timeout_s),
                allow_redirects=False,
            ) as answer:
                headers = {name.lower(): value for name, value in answer.headers.items()}
                response = HttpResponse(status=answer.status, headers=headers, body=await answer.read())
        except aiohttp.ClientConnectorError as error:
            raise HttpNotSentError(str(error)) from None
        except (aiohttp.ClientError, TimeoutError) as error:
            raise HttpNoAnswerError(str(error)) from None
        self.answers.append(response)
        return response


@pytest.fixture(scope="module")
def description(shared) -> Path:
    path = shared / "data" / "twilio_min.json"
    if not path.is_file():
        pytest.skip("no ../shared/data/twilio_min.json: Twilio's API description is not beside this checkout")
    if not PRISM.is_file():
        pytest.skip("no Prism: npm install --no-save --prefix .cache/prism @stoplight/prism-cli@5.14.2")
    return path


@asynccontextmanager
async def prism_before(upstream: str, description: Path):
    """`prism proxy --errors`: a violation is answered 4xx or 5xx with what is wrong."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = await asyncio.create_subprocess_exec(
        *(str(PRISM), "proxy", str(description), upstream, "--errors", "-h", "127.0.0.1", "-p", str(port)),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        for _ in range(300):
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.close()
                break
            except OSError:
                assert process.returncode is None, "Prism ended"
                await asyncio.sleep(0.1)  # another process: there is no event to wait for
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        await process.wait()


@pytest.mark.parametrize("sender", ["number", "service"])
async def test_every_request_of_ours_is_what_twilio_describes(description, sender):
    clock = SteadyClock()
    carrier = Carrier(clock=clock, auth_token=TOKEN)
    section: dict[str, object] = {"account_sid_secret": "sid", "auth_token_secret": "token", "deadline_s": 10}
    section |= (
        {"from_numbers": list(carrier.numbers), "callbacks": "signed"}
        if sender == "number"
        else {"messaging_service_sid": "MG" + "0" * 32}
    )
    async with (
        served(carrier.handle) as upstream,
        prism_before(upstream, description) as proxy,
        aiohttp.ClientSession() as session,
    ):
        http = RealHttp(session)
        secrets = {"sid": carrier.account_sid, "token": TOKEN}
        around = surroundings(http, secrets, clock=clock, public_base_url="https://alerts.example.org")
        built = plugin.build("sms", section | {"base_url": proxy}, around)
        assert built.channel is not None
        assert built.inbound is not None
        claim = claim_for(built.channel, PHONE, now_us=clock.wall_us)

        sent = await built.channel.send(claim)
        assert isinstance(sent, Accepted), (sent, http.answers[-1].body)
        carrier.receive(sender=PHONE, body="417")
        assert isinstance(await built.channel.look_up(row_for(claim, ref=sent.ref)), Accepted | Sent | Delivered)
        activity, door = SomeActivity(), OpenDoor()
        activity.rows = [row_for(claim, ref=sent.ref)]
        polling = asyncio.create_task(built.inbound.run(door, activity))
        async with asyncio.timeout(20):
            while not door.events:  # noqa: ASYNC110  # the double has no event
                await asyncio.sleep(0.05)
        polling.cancel()
        await asyncio.wait([polling])

    assert [answer.body for answer in http.answers if answer.status not in (200, 201)] == [], "Prism objects"
    assert not carrier.violations
    _assert_fields_are_described(http.requests, json.loads(description.read_text()))


def _assert_fields_are_described(requests: list[HttpRequest], description: dict) -> None:
    assert {request.method for request in requests} == {"GET", "POST"}
    for request in requests:
        resource = MESSAGES if "/Messages" in request.url else CALLS
        messages = description["paths"][resource]
        form = messages["post"]["requestBody"]["content"]["application/x-www-form-urlencoded"]["schema"]["properties"]
        filters = {parameter["name"] for parameter in messages["get"]["parameters"]}
        if request.method == "POST":
            assert parse_qs(request.body.decode()).keys() <= form.keys()
        else:
            assert parse_qs(urlsplit(request.url).query).keys() <= filters


@pytest.mark.parametrize("callbacks", ["signed", "poll"])
async def test_every_call_of_ours_is_what_twilio_describes(description, callbacks):
    """Placing, listing, fetching, and changing what is said; and the answers of the simulator's exchange."""
    clock = SteadyClock()
    carrier = Carrier(clock=clock, auth_token=TOKEN)
    carrier.phones.usual = Conduct(pickup=Pickup.TAKES, rings_s=0.2)
    section = {"account_sid_secret": "sid", "auth_token_secret": "token", "from_numbers": list(carrier.numbers)}
    async with (
        served(carrier.handle) as upstream,
        prism_before(upstream, description) as proxy,
        aiohttp.ClientSession() as session,
    ):
        http = RealHttp(session)
        secrets = {"sid": carrier.account_sid, "token": TOKEN}
        around = surroundings(http, secrets, clock=clock, public_base_url="https://alerts.example.org")
        built = voice_plugin.build("voice", section | {"base_url": proxy, "callbacks": callbacks}, around)
        assert built.channel is not None
        claim = claim_for(built.channel, PHONE, now_us=clock.wall_us)

        placed = await built.channel.send(claim)
        assert isinstance(placed, Accepted), (placed, http.answers)
        call = carrier.phones.calls[placed.ref]
        assert isinstance(await built.channel.look_up(row_for(claim, ref=placed.ref)), Accepted | Sent | Delivered)
        other = msgspec.structs.replace(claim.notification, id=NotificationId("n-other"))
        await built.channel.look_up(row_for(msgspec.structs.replace(claim, notification=other)))
        async with asyncio.timeout(20):
            while call.status != "in-progress":  # noqa: ASYNC110  # the exchange has no event
                await asyncio.sleep(0.05)
        settings = parse_voice_settings(section | {"base_url": proxy}, None)
        rest = TwilioRest(http=http, clock=clock, base_url=proxy, account_sid=carrier.account_sid, auth_token=TOKEN)
        assert await Switchboard(rest, settings).say_instead(call.sid, "<Response><Say>voicemail</Say></Response>")

    assert [answer.body for answer in http.answers if answer.status not in (200, 201)] == [], "Prism objects"
    assert not carrier.violations
    _assert_fields_are_described(http.requests, json.loads(description.read_text()))


async def test_ending_a_call_is_what_twilio_describes(description):
    """One that rings, and a drill's that somebody listens to."""
    clock = SteadyClock()
    carrier = Carrier(clock=clock, auth_token=TOKEN)
    carrier.phones.per_s = 10.0
    carrier.phones.usual = Conduct(pickup=Pickup.RINGS_OUT)
    carrier.phones.conducts[OTHER_PHONE] = Conduct(pickup=Pickup.TAKES, rings_s=0.1)
    section = {"account_sid_secret": "sid", "auth_token_secret": "token", "from_numbers": list(carrier.numbers)}
    async with (
        served(carrier.handle) as upstream,
        prism_before(upstream, description) as proxy,
        aiohttp.ClientSession() as session,
    ):
        http = RealHttp(session)
        around = surroundings(http, {"sid": carrier.account_sid, "token": TOKEN}, clock=clock)
        built = voice_plugin.build("voice", section | {"base_url": proxy}, around)
        assert built.channel is not None
        assert built.recalling is not None
        ended: list[Outcome | None] = []
        for number, mode, becomes in ((PHONE, Mode.LIVE, "ringing"), (OTHER_PHONE, Mode.DRILL, "in-progress")):
            claim = claim_for(built.channel, number, notification_id=f"n-{mode}", now_us=clock.wall_us)
            claim = msgspec.structs.replace(claim, notification=msgspec.structs.replace(claim.notification, mode=mode))
            placed = await built.channel.send(claim)
            assert isinstance(placed, Accepted), (placed, http.answers)
            async with asyncio.timeout(20):
                while carrier.phones.calls[placed.ref].status != becomes:  # noqa: ASYNC110  # it has no event
                    await asyncio.sleep(0.05)
            ended.append(await built.recalling.withdraw(row_for(claim, ref=placed.ref)))

    assert [answer.body for answer in http.answers if answer.status not in (200, 201)] == [], "Prism objects"
    assert [isinstance(outcome, Withdrawn) and outcome.taken for outcome in ended] == [False, True]
    assert [call.status for call in carrier.phones.calls.values()] == ["canceled", "completed"]
    assert not carrier.violations


async def test_prism_would_have_objected(description):
    """Else the test above proves nothing."""
    account = "AC" + "x" * 32
    carrier = Carrier(clock=SteadyClock(), auth_token=TOKEN, account_sid=account)  # the carrier itself would take it
    async with (
        served(carrier.handle) as upstream,
        prism_before(upstream, description) as proxy,
        aiohttp.ClientSession() as session,
    ):
        http = RealHttp(session)
        section = {"account_sid_secret": "sid", "auth_token_secret": "token", "from_numbers": list(carrier.numbers)}
        around = surroundings(http, {"sid": account, "token": TOKEN})
        built = plugin.build("sms", section | {"base_url": proxy}, around)
        assert built.channel is not None
        outcome = await built.channel.send(claim_for(built.channel, PHONE))

    assert not carrier.texts
    assert not isinstance(outcome, Accepted), "a SID that is none went through Prism"
