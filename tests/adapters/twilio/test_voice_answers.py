"""What Twilio says of a call, believed as far as it goes: keys by their turn, numbers that do not exist, detectors."""

import asyncio
from urllib.parse import parse_qs, urlencode

import pytest
from msgspec.structs import replace
from twilio.request_validator import RequestValidator  # type: ignore[import-untyped]

from alertd.model.events import Keyed
from alertd.model.notification import NotificationRow, NotificationState
from alertd.model.outcome import Accepted, Failed, Sent, Unknown
from alertd.model.reason import Reason
from alertd.ports import Http, HttpRequest, HttpResponse
from alertd.testing.channel_contract import claim_for
from alertd.testing.scripted_http import ScriptedHttp
from alertd_adapters.twilio import voice_plugin
from alertd_adapters.twilio.voice_calls import SOMEBODY, VOICEMAIL, Call, outcome_of
from alertd_adapters.twilio.voice_settings import parse_voice_settings
from alertd_adapters.twilio.voice_twiml import Manner, Speaker
from alertd_simulator.carrier_conduct import Pickup
from alertd_simulator.carrier_json import CallRecord
from alertd_simulator.carrier_twiml import Gather, read
from alertd_simulator.weather import Weather
from tests.adapters.doubles import surroundings
from tests.adapters.twilio.phones import SCRIPT, Phones
from tests.adapters.twilio.test_voice import play
from tests.adapters.twilio.world import OURS, PUBLIC, RUIZ, TOKEN

WRITTEN_US = 1_792_000_000_000_000
SETTINGS = {"account_sid_secret": "sid", "auth_token_secret": "token", "from_numbers": [OURS]}


class Relabelled:
    """An account at which every call came in."""

    def __init__(self, http: Http) -> None:
        self._http = http

    async def send(self, request: HttpRequest, *, timeout_s: float) -> HttpResponse:
        answer = await self._http.send(request, timeout_s=timeout_s)
        return replace(answer, body=answer.body.replace(b"outbound-api", b"inbound"))


async def post(p: Phones, query: str, **fields: str) -> HttpResponse:
    """As Twilio would, signed."""
    assert p.callbacks is not None
    url = f"{PUBLIC}/v1/callbacks/voice?{query}"
    form = {"CallSid": "CA" + "0" * 31 + "1", **fields}
    headers = {
        "content-type": "application/x-www-form-urlencoded",
        "x-twilio-signature": RequestValidator(TOKEN).compute_signature(url, form),
    }
    request = HttpRequest(method="POST", url=url, headers=headers, body=urlencode(form).encode())
    return await p.callbacks.callback(request, p.door)


def unknown(p: Phones, name: str) -> NotificationRow:
    n = p.claim(name).notification
    return NotificationRow(notification=n, state=NotificationState.UNKNOWN, reason=Reason.ASKED_PROVIDER)


# --- keys -----------------------------------------------------------------------------------------------------------


def test_a_second_4_in_the_same_call_is_an_answer_of_its_own():
    """It is for the room that pressed meanwhile, of which the first answer spoke."""

    async def story(p: Phones):
        p.conduct(Pickup.TAKES, ("4", 3.0), ("4", 10.0))
        await p.call()

        keys = p.door.of(Keyed)
        assert [(k.digit, k.presses) for k in keys] == [(4, 1), (4, 2)]
        assert len({k.cause for k in keys}) == 2, "the second room is answered by nobody"

    play(story)


def test_another_key_to_the_same_question_is_another_answer_and_the_same_one_is_not():
    """They hear that the key could not be stored, and it was after all; then they press 6."""

    async def story(p: Phones):
        async with p.polling():
            await p.place()
            for digit in ("4", "6", "4"):
                await post(p, "about=key&d=n-0001&n=0&p=1&w=0", Digits=digit)

        causes = [k.cause for k in p.door.of(Keyed)]
        assert causes[0] == causes[2] != causes[1]

    play(story)


def test_a_key_says_when_the_words_were_written_that_it_answers():
    """What it became later, they did not say: the engine must know."""

    async def story(p: Phones):
        p.conduct(Pickup.TAKES, ("4", 3.0))
        async with p.polling():
            await p.place(p.claim(script=replace(SCRIPT, written_us=WRITTEN_US)))
            await asyncio.sleep(60)

        assert [k.written_us for k in p.door.of(Keyed)] == [WRITTEN_US]

    play(story)


def test_star_says_the_place_and_the_keys_once_more():
    async def story(p: Phones):
        p.conduct(Pickup.TAKES, ("*", 3.0))
        call = await p.call()

        assert call.heard[:2] == [SCRIPT.main, SCRIPT.prompt]

    play(story)


def test_a_machine_that_is_found_after_a_restart_does_not_cut_off_who_pressed_a_key_before():
    """The process that saw the key is gone; its row says that a human listens."""

    async def story(p: Phones):
        p.conduct(detected="machine_end_beep")

        def was_keyed() -> None:
            row = p.activity.stored["n-0001"]
            p.activity.stored["n-0001"] = replace(row, state=NotificationState.DELIVERED)

        def taken(_call: CallRecord, _by: str) -> None:
            asyncio.get_running_loop().call_later(2.0, was_keyed)

        p.exchange.on_pickup.append(taken)
        async with p.polling():
            await p.place()
            await asyncio.sleep(60)

        (call,) = p.exchange.calls.values()
        assert SCRIPT.voicemail not in call.heard
        assert call.heard[-1] == SCRIPT.silence

    play(story)


# --- statuses -------------------------------------------------------------------------------------------------------


def test_a_status_that_could_not_be_stored_is_not_answered_as_taken():
    async def story(p: Phones):
        await p.place()
        p.door.refuses = True

        assert (await post(p, "about=status&d=n-0001", CallStatus="completed")).status == 503

    play(story)


@pytest.mark.parametrize(("sip", "permanent"), [(404, True), (410, True), (484, True), (604, True), (480, False)])
def test_a_number_that_does_not_exist_is_not_called_again_and_says_what_to_correct(sip, permanent):
    async def story(p: Phones):
        async with p.polling():
            await p.place()
            await post(p, "about=status&d=n-0001", CallStatus="failed", SipResponseCode=str(sip))

        failed = p.outcomes[-1]
        assert isinstance(failed, Failed)
        assert (failed.permanent, failed.unanswered) == (permanent, not permanent)
        assert ("correct it in people.csv" in failed.detail) is permanent

    play(story)


@pytest.mark.parametrize(
    ("by", "detail"), [("unknown", SOMEBODY), (None, SOMEBODY), ("fax", VOICEMAIL), ("machine_start", VOICEMAIL)]
)
def test_promise_5_only_who_is_known_to_be_human_has_got_it(by, detail):
    for status in ("in-progress", "completed"):
        assert outcome_of(Call(sid="CA1", status=status, answered_by=by)) == Sent(ref="CA1", detail=detail), "promise 5"


# --- placing, and finding again -------------------------------------------------------------------------------------


def test_a_call_asks_to_hear_of_every_move_and_holds_nobody_for_a_detector():
    async def story(_: Phones):
        http = ScriptedHttp(lambda _request: HttpResponse(status=201, body=b'{"sid": "CA1", "status": "queued"}'))
        around = surroundings(http, {"sid": "AC" + "0" * 32, "token": TOKEN}, public_base_url=PUBLIC)
        channel = voice_plugin.build("voice", {**SETTINGS, "callbacks": "signed"}, around).channel
        assert channel is not None
        await channel.send(claim_for(channel, RUIZ, notification_id="n-0001", now_us=WRITTEN_US))

        form = parse_qs(http.requests[0].body.decode())
        assert form["StatusCallbackEvent"] == ["initiated", "ringing", "answered", "completed"]
        assert (form["MachineDetection"], form["AsyncAmd"]) == (["DetectMessageEnd"], ["true"])

    play(story)


def test_a_person_is_always_called_from_the_same_number():
    """They learn to know it, and to take the call."""

    async def story(p: Phones):
        others = [f"+1202555017{n}" for n in range(8)]
        p.settings["from_numbers"] = [OURS, *others]
        p.carrier.numbers = (OURS, *others)
        p.start()
        for n in range(6):
            await p.place(p.claim(f"n-{n:04}"))
            await asyncio.sleep(300)

        assert len({call.sender for call in p.exchange.to(RUIZ)}) == 1
        assert len(p.exchange.to(RUIZ)) == 6

    play(story)


def test_two_calls_whose_answers_were_lost_are_found_each_its_own():
    async def story(p: Phones):
        p.conduct()
        rows = []
        for name in ("n-0001", "n-0002"):
            rows.append(unknown(p, name))
            p.carrier.forecast.next.append(Weather.SILENT_ACCEPTED)
            assert isinstance(await p.channel.send(p.claim(name)), Unknown)
            await asyncio.sleep(60)

        p.start()
        found = [await p.channel.look_up(row) for row in rows]

        assert [getattr(o, "ref", "") for o in found] == [call.sid for call in p.exchange.to(RUIZ)]

    play(story)


def test_an_old_call_to_the_same_phone_is_not_the_one_whose_answer_was_lost():
    """Somebody tried the account by hand an hour ago. That was certainly not ours: this person was not called."""

    async def story(p: Phones):
        p.conduct()
        p.exchange.create({"To": RUIZ, "From": OURS, "Twiml": "<Response><Say>Hello</Say></Response>"})
        await asyncio.sleep(3600)
        p.carrier.forecast.next.append(Weather.SILENT)
        assert isinstance(await p.channel.send(p.claim()), Unknown)

        found = await p.channel.look_up(unknown(p, "n-0001"))

        assert isinstance(found, Failed)
        assert found.code == "not_found"

    play(story)


@pytest.mark.parametrize("other", ["inbound", "another program's number"])
def test_a_call_that_is_not_ours_is_not_taken_for_the_one_whose_answer_was_lost(other):
    """Their own call to the school, or another program on the same account: this person was not called."""

    async def story(p: Phones):
        p.carrier.numbers = (OURS, "+12025550171")
        sender = OURS if other == "inbound" else "+12025550171"
        p.exchange.create({"To": RUIZ, "From": sender, "Twiml": "<Response><Say>Hello</Say></Response>"})
        around = surroundings(p.http, {"sid": p.carrier.account_sid, "token": TOKEN}, clock=p.clock)
        if other == "inbound":
            around = surroundings(Relabelled(p.http), {"sid": p.carrier.account_sid, "token": TOKEN}, clock=p.clock)
        channel = voice_plugin.build("voice", SETTINGS, around).channel
        assert channel is not None
        p.carrier.forecast.next.append(Weather.SILENT)
        assert isinstance(await channel.send(p.claim()), Unknown)
        found = await channel.look_up(unknown(p, "n-0001"))

        assert isinstance(found, Failed)
        assert found.code == "not_found"

    play(story)


@pytest.mark.parametrize("status", [301, 307, 308])
def test_a_redirect_is_said_and_never_followed(status):
    async def story(_: Phones):
        http = ScriptedHttp(lambda _request: HttpResponse(status=status, headers={"location": "https://evil.example/"}))
        around = surroundings(http, {"sid": "AC" + "0" * 32, "token": TOKEN})
        channel = voice_plugin.build("voice", SETTINGS, around).channel
        assert channel is not None
        outcome = await channel.send(claim_for(channel, RUIZ, notification_id="n-0001", now_us=WRITTEN_US))

        assert isinstance(outcome, Failed)
        assert outcome.code == f"http_{status}"
        assert len(http.requests) == 1

    play(story)


def test_what_is_no_name_of_a_call_is_never_made_part_of_an_address():
    async def story(p: Phones):
        http = ScriptedHttp(lambda _request: HttpResponse(status=200, body=b'{"calls": []}'))
        around = surroundings(http, {"sid": "AC" + "0" * 32, "token": TOKEN}, clock=p.clock)
        channel = voice_plugin.build("voice", SETTINGS, around).channel
        assert channel is not None
        await channel.look_up(replace(unknown(p, "n-0001"), ref="../Messages"))

        assert not [request.url for request in http.requests if "Messages" in request.url]

    play(story)


def test_star_is_a_key_and_does_not_end_the_question():
    twiml = Speaker(Manner()).opening(SCRIPT, f"{PUBLIC}/x?d=n")

    assert 'finishOnKey=""' in twiml


def test_after_an_answer_the_keys_are_said_again_if_they_count_for_more():
    said = replace(SCRIPT, main="You are going.", prompt="Press 4 if you are going, knowing that.")

    (gather,) = read(Speaker(Manner()).answer(said, f"{PUBLIC}/x?d=n"))

    assert isinstance(gather, Gather)
    assert [say.text for say in gather.says] == [said.main, said.prompt]


def test_calls_wait_here_for_the_rate_and_not_at_twilio():
    """Here they can still be withdrawn, and responders go first."""
    limits = parse_voice_settings(SETTINGS, None).limits

    assert (limits.paced, limits.per_s) == (True, 1.0)


def test_whether_a_call_takes_keys_is_known_before_anybody_is_called():
    assert not parse_voice_settings(SETTINGS, None).limits.answers
    assert parse_voice_settings({**SETTINGS, "callbacks": "signed"}, PUBLIC).limits.answers


def test_the_first_call_to_a_phone_is_accepted():
    async def story(p: Phones):
        assert isinstance(await p.place(), Accepted)

    play(story)
