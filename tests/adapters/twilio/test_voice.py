"""Calls over Twilio, from placing one to the last word, judged by an exchange that knows nothing of our code."""

import asyncio

import pytest
from msgspec.structs import replace

from alertd.model.call_script import CallScript
from alertd.model.events import Keyed
from alertd.model.ids import NotificationId
from alertd.model.notification import NotificationRow, NotificationState
from alertd.model.outcome import Accepted, Delivered, Failed, Sent, Unknown
from alertd.model.reason import Reason
from alertd.ports import HttpRequest, SettingsError
from alertd_adapters.twilio.voice_calls import Call, outcome_of
from alertd_adapters.twilio.voice_settings import parse_voice_settings
from alertd_adapters.twilio.voice_twiml import TWIML_CHARS_MAX, Manner, Speaker
from alertd_simulator.carrier_conduct import Conduct, Pickup
from alertd_simulator.carrier_twiml import read
from alertd_simulator.virtual_time import run_virtual
from alertd_simulator.weather import Weather
from tests.adapters.twilio.phones import GOING, SCRIPT, Phones
from tests.adapters.twilio.world import PUBLIC, RUIZ

CHEN = "+12025550143"


def test_the_place_is_heard_first_everything_twice_and_then_the_keys():
    async def story(p: Phones):
        p.conduct()
        call = await p.call()

        everything = [SCRIPT.main, SCRIPT.main, SCRIPT.prompt]
        assert call.heard == [*everything, *everything, SCRIPT.silence]
        assert call.status == "completed"
        assert p.keys == []

    play(story)


def test_speech_begins_when_the_phone_is_taken_and_waits_for_no_detector():
    async def story(p: Phones):
        p.conduct(hangs_up_s=7)
        heard: list[float] = []
        p.exchange.on_heard.append(lambda _call, _words: heard.append(asyncio.get_running_loop().time()))
        taken: list[float] = []
        p.exchange.on_pickup.append(lambda _call, _by: taken.append(asyncio.get_running_loop().time()))

        await p.call()

        assert heard[0] - taken[0] == pytest.approx(len(SCRIPT.main.split()) / 2.7)

    play(story)


def test_a_key_goes_through_the_door_and_is_answered_with_what_was_understood():
    async def story(p: Phones):
        p.conduct(Pickup.TAKES, ("4", 3.0))
        call = await p.call()

        assert p.keys == [4]
        assert call.heard == [GOING.main]
        assert p.door.of(Keyed)[0].presses == 1

    play(story)


def test_a_second_key_covers_what_the_answer_spoke_of():
    async def story(p: Phones):
        p.conduct(Pickup.TAKES, ("4", 3.0), ("6", 8.0))
        await p.call()

        assert [(e.digit, e.presses) for e in p.door.of(Keyed)] == [(4, 1), (6, 2)]
        assert len({e.cause for e in p.door.of(Keyed)}) == 2

    play(story)


def test_star_says_it_again_and_is_no_answer():
    async def story(p: Phones):
        p.conduct(Pickup.TAKES, ("*", 3.0), ("4", 12.0))
        call = await p.call()

        assert p.keys == [4]
        assert call.heard == [SCRIPT.main, GOING.main]

    play(story)


def test_what_could_not_be_stored_is_said_and_asked_for_again():
    async def story(p: Phones):
        p.conduct(Pickup.TAKES, ("4", 3.0), ("4", 12.0))
        p.door.refuses = True
        asyncio.get_running_loop().call_later(15.0, setattr, p.door, "refuses", False)
        call = await p.call()

        assert call.heard[0].startswith("Your key could not be stored.")
        assert call.heard[-1] == GOING.main
        assert p.keys == [4]

    play(story)


def test_a_machine_keeps_when_it_was_and_that_it_is_no_answer():
    """Promise 5: nobody has heard it."""

    async def story(p: Phones):
        p.conduct(Pickup.VOICEMAIL)
        call = await p.call()

        assert call.taped[0] == SCRIPT.voicemail
        assert p.outcomes[-1] == Sent(ref=call.sid, detail="voicemail took the call")
        assert not any(isinstance(outcome, Delivered) for outcome in p.outcomes)

    play(story)


def test_a_human_whom_the_detector_takes_for_a_machine_can_still_press_a_key():
    async def story(p: Phones):
        p.conduct(Pickup.TAKES, ("4", 9.0), detected="machine_end_beep")
        call = await p.call()

        assert p.keys == [4]
        assert call.heard[-1] == GOING.main

    play(story)


def test_a_machine_that_is_found_after_the_key_does_not_cut_off_the_answer():
    async def story(p: Phones):
        p.conduct(Pickup.TAKES, ("4", 3.0), detected="machine_end_beep")
        call = await p.call()

        assert call.heard == [GOING.main], "the voicemail's words would have cut it off"

    play(story)


@pytest.mark.parametrize(
    ("conduct", "code"),
    [
        (Conduct(pickup=Pickup.BUSY), "busy"),
        (Conduct(pickup=Pickup.RINGS_OUT), "no_answer"),
        (Conduct(pickup=Pickup.OFF), "failed"),
    ],
)
@pytest.mark.parametrize("callbacks", ["signed", "poll"])
def test_a_call_that_nobody_took_is_no_delivery_and_rings_again_later(conduct, code, callbacks):
    async def story(p: Phones):
        p.exchange.conducts[RUIZ] = conduct
        await p.call(for_s=60)

        failed = p.outcomes[-1]
        assert isinstance(failed, Failed)
        assert (failed.code, failed.unanswered, failed.permanent) == (code, True, False)
        assert failed.retry_after_s

    play(story, callbacks=callbacks)


@pytest.mark.parametrize("step_s", [3600, -3600])
def test_what_became_of_a_call_is_asked_also_after_the_clock_was_set(step_s: int):
    async def story(p: Phones):
        p.conduct(Pickup.BUSY)
        claim, now = p.claim(), p.clock.now()
        written = replace(claim.notification, created_boot_us=now.boot_us, boot_id=now.boot_id)
        async with p.polling():
            await p.place(replace(claim, notification=written))
            p.clock.step_wall(step_s)
            await asyncio.sleep(60)

        assert [type(outcome) for outcome in p.outcomes] == [Failed], "nobody asked: the phone never rings again"

    play(story, callbacks="poll")


@pytest.mark.parametrize("callbacks", ["signed", "poll"])
def test_a_human_who_hangs_up_in_mid_word_was_reached_and_has_not_answered(callbacks):
    async def story(p: Phones):
        p.conduct(hangs_up_s=4)
        call = await p.call()

        assert call.heard == []
        assert p.outcomes[-1] == Delivered(ref=call.sid, detail="a human took the call")
        assert p.keys == []

    play(story, callbacks=callbacks)


def test_where_nothing_can_reach_us_the_call_says_how_to_answer_by_text():
    async def story(p: Phones):
        p.conduct(Pickup.TAKES, ("4", 3.0))
        call = await p.call()

        assert call.heard == [SCRIPT.main, SCRIPT.main, SCRIPT.by_text, SCRIPT.main, SCRIPT.by_text]
        assert p.keys == []
        assert "Gather" not in call.twiml

    play(story, callbacks="poll")


def test_nobody_knows_who_took_a_call_that_no_detector_judged():
    assert outcome_of(Call(sid="CA1", status="completed")) == Sent(
        ref="CA1", detail="somebody or something took the call"
    )


def test_a_second_call_to_a_phone_that_ours_still_has_is_held():
    async def story(p: Phones):
        p.conduct()
        async with p.polling():
            await p.place()
            held = await p.channel.send(p.claim("n-0002"))
            other = await p.channel.send(p.claim("n-0003", number=CHEN))
            await asyncio.sleep(120)
            later = await p.channel.send(p.claim("n-0002"))

        assert isinstance(held, Failed)
        assert (held.code, held.permanent, held.not_tried) == ("line_held", False, True)
        assert isinstance(other, Accepted)
        assert isinstance(later, Accepted)
        assert [call.status for call in p.exchange.to(RUIZ)] == ["completed", "queued"]

    play(story)


@pytest.mark.parametrize("weather", [Weather.SILENT_ACCEPTED, Weather.CUT_ACCEPTED, Weather.GARBAGE_ACCEPTED])
def test_a_lost_answer_is_looked_up_and_no_second_phone_call_is_placed(weather):
    async def story(p: Phones):
        p.conduct()
        p.carrier.forecast.next.append(weather)
        claim = p.claim()

        assert isinstance(await p.channel.send(claim), Unknown)
        p.start()
        row = NotificationRow(
            notification=claim.notification, state=NotificationState.UNKNOWN, reason=Reason.ASKED_PROVIDER
        )
        found = await p.channel.look_up(row)

        (call,) = p.exchange.calls.values()
        assert found is not None
        assert getattr(found, "ref", "") == call.sid

    play(story)


def test_what_twilio_never_had_is_not_found():
    async def story(p: Phones):
        p.carrier.forecast.next.append(Weather.SILENT)
        claim = p.claim()
        assert isinstance(await p.channel.send(claim), Unknown)

        row = NotificationRow(
            notification=claim.notification, state=NotificationState.UNKNOWN, reason=Reason.ASKED_PROVIDER
        )
        found = await p.channel.look_up(row)

        assert isinstance(found, Failed)
        assert found.code == "not_found"

    play(story)


def test_a_call_of_another_notification_is_not_taken_for_ours():
    async def story(p: Phones):
        p.conduct()
        await p.place(p.claim("n-0001"))
        await asyncio.sleep(100)

        row = NotificationRow(
            notification=p.claim("n-0002").notification, state=NotificationState.UNKNOWN, reason=Reason.ASKED_PROVIDER
        )
        found = await p.channel.look_up(row)

        assert isinstance(found, Failed)
        assert found.code == "not_found"

    play(story)


# --- what must not be believed, or never leave ----------------------------------------------------------------------


@pytest.mark.parametrize("about", ["key", "machine", "status"])
def test_an_unsigned_callback_is_refused(about):
    async def story(p: Phones):
        body = b"CallSid=CA1&Digits=4&CallStatus=completed&AnsweredBy=human"
        url = f"{PUBLIC}/v1/callbacks/voice?about={about}&d=n-0001&n=0&p=1"
        assert p.callbacks is not None

        answer = await p.callbacks.callback(
            HttpRequest(method="POST", url=url, headers={"x-twilio-signature": "bm8="}, body=body), p.door
        )

        assert answer.status == 403
        assert p.door.events == []

    play(story)


@pytest.mark.parametrize("number", ["+1911", "911", "555-0142"])
def test_what_is_no_full_number_or_an_emergency_one_is_never_dialled(number):
    async def story(p: Phones):
        outcome = await p.channel.send(p.claim(number=number))

        assert isinstance(outcome, Failed)
        assert outcome.permanent
        assert p.exchange.calls == {}

    play(story)


def test_a_notification_without_a_script_is_spoken_as_it_is_written():
    """The fixed fallback's."""

    async def story(p: Phones):
        p.conduct()
        async with p.polling():
            await p.place(p.claim(script=None))
            await asyncio.sleep(60)
        (call,) = p.exchange.calls.values()

        assert call.heard[0] == SCRIPT.main

    play(story)


@pytest.mark.parametrize("body", ["{", "{}", '{"main": 5}'])
def test_a_script_that_cannot_be_read_costs_the_keys_and_not_the_call(body):
    async def story(p: Phones):
        p.conduct()
        claim = p.claim()
        async with p.polling():
            await p.place(replace(claim, notification=replace(claim.notification, body=body)))
            await asyncio.sleep(60)
        (call,) = p.exchange.calls.values()

        assert call.heard[0] == SCRIPT.main

    play(story)


@pytest.mark.parametrize("words", [200, 420, 900])
def test_however_long_the_words_twilio_takes_the_call_and_the_place_survives(words):
    main = "Room two-oh-four. " + "east & west " * (words // 3)
    script = CallScript(main=main, prompt=SCRIPT.prompt, silence=SCRIPT.silence)

    twiml = Speaker(Manner(language="en-US", voice="Polly.Joanna")).opening(script, f"{PUBLIC}/x?d=n&n=0&p=1")

    assert len(twiml) <= TWIML_CHARS_MAX
    assert "Room two-oh-four." in twiml
    assert read(twiml)


@pytest.mark.parametrize(
    ("table", "key"),
    [
        ({"from_numbers": []}, "from_numbers"),
        ({"from_numbers": ["5550100"]}, "from_numbers"),
        ({"callbacks": "signed"}, "callbacks"),
        ({"ring_s": 300}, "ring_s"),
        ({"language": "English"}, "language"),
        ({"base_url": "http://api.twilio.com"}, "base_url"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_a_wrong_setting_is_named(table, key):
    good = {"account_sid_secret": "sid", "auth_token_secret": "token", "from_numbers": ["+12025550100"]}

    with pytest.raises(SettingsError) as error:
        parse_voice_settings({**good, **table}, None)

    assert error.value.key == key


def play(story, **settings):
    async def told():
        p = Phones(**settings)
        await story(p)
        assert p.carrier.violations == []

    run_virtual(told())


def test_after_a_restart_an_earlier_call_is_not_taken_for_one_whose_answer_was_lost():
    """The first call was answered, and the daemon died in the moment of the reminder: nobody has heard that one."""

    async def story(p: Phones):
        p.conduct()
        placed = await p.place(p.claim("n-0001"))
        assert isinstance(placed, Accepted)
        p.activity.refs[placed.ref] = NotificationId("n-0001")
        await asyncio.sleep(60)
        p.activity.rows.clear()  # it is settled: nobody asks about it any more
        p.start()
        async with p.polling():
            n = p.claim("n-0002").notification
            row = NotificationRow(notification=n, state=NotificationState.UNKNOWN, reason=Reason.ASKED_PROVIDER)
            found = await p.channel.look_up(row)

        assert isinstance(found, Failed), "the first one's call was taken for the reminder's"
        assert found.code == "not_found"

    play(story)
