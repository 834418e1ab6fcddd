"""When a line is free again, what a machine keeps where nothing reaches us, and what a misjudged human's key counts."""

import asyncio

import pytest
from msgspec.structs import replace

from alertd.model.events import Keyed
from alertd.model.ids import NotificationId
from alertd.model.notification import NotificationRow, NotificationState
from alertd.model.outcome import Accepted, Failed, Unknown
from alertd.model.reason import Reason
from alertd_adapters.twilio.voice_twiml import Manner, Speaker
from alertd_simulator.carrier_conduct import Pickup
from alertd_simulator.carrier_twiml import read
from alertd_simulator.weather import Weather
from tests.adapters.doubles import SomeActivity
from tests.adapters.twilio.phones import SCRIPT, Phones
from tests.adapters.twilio.test_voice import play
from tests.adapters.twilio.world import RUIZ

WRITTEN_US = 1_792_000_000_000_000
CONTROLS = "\x00\x07\x0b\x1b\x7f\ud800\ufffe"


class Books(SomeActivity):
    """Unsettled as the store has it: what a human took is settled, and nobody else asks about it any more."""

    def unsettled(self, channel):
        rows = [self.stored.get(row.notification.id, row) for row in super().unsettled(channel)]
        return tuple(r for r in rows if r.state in (NotificationState.ACCEPTED, NotificationState.SENT))


def keeping_books(p: Phones) -> None:
    p.activity = p.door.activity = Books()


async def over(p: Phones) -> None:
    """Until the call that is under way has ended."""
    ended = asyncio.Event()
    p.exchange.on_status.append(lambda call: None if call.is_live else ended.set())
    await ended.wait()


@pytest.mark.parametrize("callbacks", ["signed", "poll"])
def test_the_line_is_free_a_few_seconds_after_whoever_took_the_call_has_hung_up(callbacks):
    """Somebody else may be in danger meanwhile, and this is the phone that must ring."""

    async def story(p: Phones):
        keeping_books(p)
        p.conduct(hangs_up_s=20.0)
        async with p.polling():
            await p.place()
            (call,) = p.exchange.calls.values()
            await asyncio.sleep(18)
            held = await p.channel.send(p.claim("n-0002"))
            await over(p)
            await asyncio.sleep(5)
            second = await p.channel.send(p.claim("n-0002"))

        assert isinstance(held, Failed)
        assert call.taken_by == "human"
        assert isinstance(second, Accepted), "the line is held for a call that is over"

    play(story, callbacks=callbacks)


def test_a_callback_that_was_lost_holds_no_line_for_minutes():
    async def story(p: Phones):
        keeping_books(p)
        p.conduct(hangs_up_s=10.0)
        async with p.polling():
            await p.place()
            await asyncio.sleep(10)
            p.exchange.callback_http = None
            await over(p)
            await asyncio.sleep(60)
            second = await p.channel.send(p.claim("n-0002"))

        assert isinstance(second, Accepted)

    play(story)


def test_a_held_line_says_that_nothing_was_tried():
    """Else it would use up the rate, and other phones would ring later for it."""

    async def story(p: Phones):
        p.conduct()
        await p.place()
        held = await p.channel.send(p.claim("n-0002"))

        assert isinstance(held, Failed)
        assert held.not_tried

    play(story)


def first_row(p: Phones) -> NotificationRow:
    row = p.activity.row(NotificationId("n-0001"))
    assert row is not None
    return row


def listened(p: Phones) -> list[float]:
    """When it was said that a phone is free."""
    free_s: list[float] = []
    p.lines.on_free(lambda: free_s.append(asyncio.get_running_loop().time()))
    return free_s


@pytest.mark.parametrize(("callbacks", "within_s"), [("signed", 1.0), ("poll", 4.0)])
def test_who_waits_for_a_phone_is_told_when_it_is_free(callbacks, within_s):
    async def story(p: Phones):
        keeping_books(p)
        p.conduct(hangs_up_s=20.0)
        async with p.polling():
            await p.place()
            free_s = listened(p)
            assert p.lines.held() == {RUIZ}
            await over(p)
            over_s = asyncio.get_running_loop().time()
            assert free_s == []
            await asyncio.sleep(within_s)

        assert p.lines.held() == frozenset()
        assert len(free_s) == 1
        assert free_s[0] - over_s < within_s

    play(story, callbacks=callbacks)


def test_two_calls_that_are_placed_at_once_do_not_find_each_other_busy():
    """Twilio takes a second to name the first; the second must not ring that phone meanwhile."""

    async def story(p: Phones):
        p.conduct()
        both = (p.channel.send(p.claim("n-0001")), p.channel.send(p.claim("n-0002")))
        first, second = await asyncio.gather(*both)

        assert isinstance(first, Accepted)
        assert isinstance(second, Failed)
        assert second.not_tried
        assert len(p.exchange.calls) == 1

    play(story)


@pytest.mark.parametrize("callbacks", ["signed", "poll"])
@pytest.mark.parametrize("taken", [False, True], ids=["it rings", "somebody listens"])
def test_a_process_that_begins_knows_the_phones_that_an_earlier_ones_calls_have(callbacks, taken):
    async def story(p: Phones):
        keeping_books(p)
        p.conduct(rings_s=2 if taken else 20, hangs_up_s=30)
        async with p.polling():
            await p.place()
            await asyncio.sleep(8)
        row = first_row(p)
        p.start()
        p.lines.resume([row])
        free_s = listened(p)

        held = await p.channel.send(p.claim("n-0002"))
        assert isinstance(held, Failed), "our own call is found busy"
        async with p.polling():
            await asyncio.sleep(2)
            assert p.lines.held() == {RUIZ}, "Twilio says that it goes on"
            await over(p)
            await asyncio.sleep(4)
            assert len(free_s) == 1
            assert isinstance(await p.channel.send(p.claim("n-0002")), Accepted)

    play(story, callbacks=callbacks)


@pytest.mark.parametrize("dies", [True, False], ids=["its process died", "its answer was lost"])
def test_promise_2_a_call_that_only_its_callback_names_has_the_phone_until_it_is_over(dies):
    """Nobody looks it up any more: the callback has said already that a human took it."""

    async def story(p: Phones):
        keeping_books(p)
        p.conduct(rings_s=12, hangs_up_s=60)
        if not dies:
            p.carrier.forecast.next.append(Weather.SILENT_ACCEPTED)
        await p.place()
        if dies:
            row = replace(first_row(p), ref="", state=NotificationState.CLAIMED)
            p.start()
            p.lines.resume([row])
        async with p.polling():
            await asyncio.sleep(45)
            held = await p.channel.send(p.claim("n-0002"))
            assert isinstance(held, Failed), "our own call is found busy"
            assert held.not_tried
            await over(p)
            await asyncio.sleep(4)
            assert p.lines.held() == frozenset()

    play(story)


def test_a_call_whose_end_names_it_first_has_the_phone_no_longer():
    async def story(p: Phones):
        p.conduct(Pickup.BUSY)
        await p.place()
        p.start()
        p.lines.resume([replace(first_row(p), ref="", state=NotificationState.CLAIMED)])
        await over(p)
        await asyncio.sleep(2)
        assert p.lines.held() == frozenset(), "the phone is free, and the next call waits half a minute for it"

    play(story)


@pytest.mark.parametrize("callbacks", ["signed", "poll"])
def test_what_was_over_before_a_process_began_holds_no_phone_and_is_recorded_at_once(callbacks):
    async def story(p: Phones):
        p.conduct(Pickup.BUSY)
        await p.place()
        p.exchange.callback_http = None
        await over(p)
        p.start()
        p.lines.resume([first_row(p)])
        async with p.polling():
            await asyncio.sleep(1)
            assert p.lines.held() == frozenset()

        assert [getattr(outcome, "code", "") for outcome in p.outcomes] == ["busy"]

    play(story, callbacks=callbacks)


def test_a_phone_of_which_nobody_can_say_more_is_rung_after_half_a_minute():
    """Better one that is busy than one that never rings."""

    async def story(p: Phones):
        p.conduct()
        await p.place()
        await over(p)
        await asyncio.sleep(2)  # the last callback has come
        row = first_row(p)
        p.start()
        p.lines.resume([row])
        p.carrier.reading_forecast.standing = Weather.SILENT
        async with p.polling():
            await asyncio.sleep(25)
            assert p.lines.held() == {RUIZ}
            await asyncio.sleep(6)
            assert isinstance(await p.channel.send(p.claim("n-0002")), Accepted)

    play(story)


@pytest.mark.parametrize("found", ["it rings", "it was never placed", "nobody can say"])
def test_a_call_whose_answer_was_lost_has_the_phone_until_it_is_known(found):
    async def story(p: Phones):
        p.conduct(rings_s=20)
        weather = Weather.SILENT if found == "it was never placed" else Weather.SILENT_ACCEPTED
        p.carrier.forecast.next.append(weather)
        claim = p.claim()
        assert isinstance(await p.channel.send(claim), Unknown)
        held = await p.channel.send(p.claim("n-0002"))
        assert isinstance(held, Failed)
        assert held.not_tried
        if found == "nobody can say":
            p.carrier.reading_forecast.standing = Weather.SILENT
        unknown = NotificationRow(
            notification=claim.notification, state=NotificationState.UNKNOWN, reason=Reason.ASKED_PROVIDER
        )
        await p.channel.look_up(unknown)

        assert (p.lines.held() == {RUIZ}) is (found == "it rings")
        assert isinstance(await p.channel.send(claim), Failed | Accepted), "what it has itself keeps it from nothing"

    play(story)


def test_where_nothing_reaches_us_a_machine_keeps_the_date_and_that_it_is_no_answer():
    """Promise 5; messages.md: whoever hears it the next morning must not act on it."""

    async def story(p: Phones):
        keeping_books(p)
        p.conduct(Pickup.VOICEMAIL)
        call = await p.call()

        assert call.taped[-1] == SCRIPT.voicemail
        assert call.heard.count(SCRIPT.voicemail) == 1, "said once, to its end"
        assert SCRIPT.by_text not in call.taped

    play(story, callbacks="poll")


def test_the_first_key_of_a_human_taken_for_a_machine_counts_all_that_the_call_spoke_of():
    async def story(p: Phones):
        p.conduct(Pickup.TAKES, ("4", 11.0), detected="machine_end_beep")
        async with p.polling():
            await p.place(p.claim(script=replace(SCRIPT, presses=2, written_us=WRITTEN_US)))
            await asyncio.sleep(100)

        assert [(e.digit, e.presses, e.written_us) for e in p.door.of(Keyed)] == [(4, 2, WRITTEN_US)]

    play(story)


def test_a_key_of_which_nobody_can_say_what_became_is_not_said_to_be_taken():
    async def story(p: Phones):
        p.door.writes_nothing = True
        p.conduct(Pickup.TAKES, ("4", 3.0))
        call = await p.call()

        assert "taken" not in " ".join(call.heard)
        assert call.heard[0].startswith("It is not known whether your key was counted.")

    play(story)


def test_a_character_that_no_telephone_can_speak_costs_itself_and_not_the_call():
    script = replace(SCRIPT, main=f"Room{CONTROLS} two. A < B & C.")

    twiml = Speaker(Manner()).opening(script, "https://alerts.example/x?d=n")

    assert read(twiml)
    assert not set(CONTROLS) & set(twiml)
    assert "A &lt; B &amp; C." in twiml
