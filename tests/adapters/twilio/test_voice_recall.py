"""Calls that nobody should take any more: taken back while they ring, left alone once somebody listens, and cut off
only where a drill would be heard on."""

import asyncio

import pytest
from msgspec.structs import replace

from alertd.model.mode import Mode
from alertd.model.notification import Claim, NotificationRow
from alertd.model.outcome import Accepted, Failed, Sent, Withdrawn
from alertd_adapters.twilio.voice import HELD_S
from alertd_adapters.twilio.voice_calls import CUT_OFF, RINGS_NO_MORE
from alertd_simulator.carrier_conduct import Conduct, Pickup
from alertd_simulator.virtual_time import run_virtual
from alertd_simulator.weather import Weather
from tests.adapters.twilio.phones import SCRIPT, Phones

CHEN = "+12025550143"


def play(story, **settings) -> None:
    async def whole():
        phones = Phones(**settings)
        await story(phones)
        assert phones.carrier.violations == []

    run_virtual(whole())


def of_mode(claim: Claim, mode: Mode) -> Claim:
    return replace(claim, notification=replace(claim.notification, mode=mode))


async def placed(p: Phones, mode: Mode = Mode.LIVE, name: str = "n-0001") -> NotificationRow:
    assert isinstance(await p.place(of_mode(p.claim(name), mode)), Accepted)
    return p.activity.rows[-1]


@pytest.mark.parametrize("callbacks", ["signed", "poll"])
def test_a_phone_that_rings_is_silent_within_a_second_and_nobody_has_heard_anything(callbacks):
    async def story(p: Phones):
        p.conduct(rings_s=8)
        row = await placed(p)
        await asyncio.sleep(3)
        (call,) = p.exchange.calls.values()
        assert call.status == "ringing"

        outcome = await p.recalling.withdraw(row)

        assert outcome == Withdrawn(ref=call.sid, detail=RINGS_NO_MORE)
        assert call.updated_us - call.created_us < 4_000_000
        await asyncio.sleep(60)
        assert (call.status, call.taken_by, call.heard) == ("canceled", "", [])

    play(story, callbacks=callbacks)


def test_a_call_that_waits_at_twilio_for_its_turn_never_rings():
    async def story(p: Phones):
        p.exchange.per_s = 0.1
        p.exchange.conducts[CHEN] = Conduct(pickup=Pickup.BUSY)
        await p.place(p.claim("n-0000", number=CHEN))
        row = await placed(p)

        assert isinstance(await p.recalling.withdraw(row), Withdrawn)
        await asyncio.sleep(60)
        assert p.exchange.calls[row.ref].status == "canceled"

    play(story)


def test_whoever_takes_the_call_in_the_same_moment_has_taken_it_and_is_left_alone():
    async def story(p: Phones):
        p.conduct(rings_s=2.2)
        row = await placed(p)
        await asyncio.sleep(2.4)  # it rings, and is taken before it can fall silent
        (call,) = p.exchange.calls.values()

        outcome = await p.recalling.withdraw(row)

        assert isinstance(outcome, Sent), "promise 5: somebody has it, so it was not taken back"
        await asyncio.sleep(100)
        assert call.heard[-1] == SCRIPT.silence, "to its end"

    play(story)


def test_a_drills_call_that_somebody_listens_to_is_cut_off_and_that_is_said():
    """Promise 3: a drill that is over says nothing more."""

    async def story(p: Phones):
        p.conduct(rings_s=2)
        row = await placed(p, Mode.DRILL)
        await asyncio.sleep(5)
        (call,) = p.exchange.calls.values()
        assert call.status == "in-progress"

        outcome = await p.recalling.withdraw(row)

        assert outcome == Withdrawn(ref=call.sid, detail=CUT_OFF, taken=True)
        heard = len(call.heard)
        await asyncio.sleep(60)
        assert (call.status, len(call.heard)) == ("completed", heard)

    play(story)


@pytest.mark.parametrize("taken", [False, True], ids=["it rings", "somebody listens"])
def test_a_real_call_gets_the_line_of_a_drills_at_once_and_finds_no_phone_busy(taken):
    """Promise 3: a real press ends a drill. Its call must not wait ten seconds for the drill's."""

    async def story(p: Phones):
        p.conduct(rings_s=2 if taken else 12)
        await placed(p, Mode.DRILL, name="n-drill")
        await asyncio.sleep(5)

        before_s = asyncio.get_running_loop().time()
        outcome = await p.place(p.claim("n-real"))

        assert isinstance(outcome, Accepted), "promise 3: it waits for a drill"
        assert asyncio.get_running_loop().time() - before_s < 2.5
        await asyncio.sleep(60)
        drill, real = p.exchange.calls.values()
        assert drill.status == ("completed" if taken else "canceled")
        assert real.taken_by == "human", "it found the phone busy"

    play(story)


@pytest.mark.parametrize("callbacks", ["signed", "poll"])
def test_a_drills_call_that_makes_way_is_known_to_have_been_ended_by_us(callbacks):
    """It is no stranger's deed, and no failure."""

    async def story(p: Phones):
        p.conduct(rings_s=12)
        async with p.polling():
            row = await placed(p, Mode.DRILL, name="n-drill")
            await asyncio.sleep(5)
            assert isinstance(await p.place(p.claim("n-real")), Accepted)
            await asyncio.sleep(10)

        ended = [o for o in p.outcomes if isinstance(o, Withdrawn)]
        assert ended == [Withdrawn(ref=row.ref, detail=RINGS_NO_MORE, gave_way=True)]

    play(story, callbacks=callbacks)


@pytest.mark.parametrize("callbacks", ["signed", "poll"])
@pytest.mark.parametrize(("pickup", "code"), [(Pickup.BUSY, "busy"), (Pickup.OFF, "failed")])
def test_what_a_withdrawal_finds_over_is_recorded_as_it_ended(callbacks, pickup, code):
    """Else the timeline lacks it for ever: nobody asks again about a call that is over."""

    async def story(p: Phones):
        p.conduct(pickup)
        async with p.polling():
            row = await placed(p)
            await asyncio.sleep(1.5)
            outcome = await p.recalling.withdraw(row)
            await asyncio.sleep(10)

        assert isinstance(outcome, Failed)
        assert [o.code for o in p.outcomes if isinstance(o, Failed)] == [code]

    play(story, callbacks=callbacks)


def test_a_phone_that_has_fallen_silent_is_free_at_once():
    """Where nothing reaches us, too: the next poll is three seconds away, and somebody may be in danger elsewhere."""

    async def story(p: Phones):
        p.conduct(rings_s=20)
        row = await placed(p)
        await asyncio.sleep(2)
        await p.recalling.withdraw(row)

        assert isinstance(await p.place(p.claim("n-0002")), Accepted), "the line is held for a call that is over"

    play(story, callbacks="poll")


def test_a_call_that_only_tries_out_a_phone_makes_way_for_a_real_one():
    async def story(p: Phones):
        p.conduct(rings_s=12)
        async with p.polling():
            await placed(p, Mode.TEST, name="n-test")
            await asyncio.sleep(3)
            assert isinstance(await p.place(p.claim("n-real")), Accepted), "promise 2: a panic waits for a test"

    play(story)


@pytest.mark.parametrize(("held", "new"), [(Mode.LIVE, Mode.LIVE), (Mode.DRILL, Mode.DRILL), (Mode.LIVE, Mode.DRILL)])
def test_no_other_call_makes_way(held, new):
    async def story(p: Phones):
        p.conduct(rings_s=12)
        await placed(p, held, name="n-first")
        await asyncio.sleep(3)

        outcome = await p.channel.send(of_mode(p.claim("n-second"), new))

        assert isinstance(outcome, Failed)
        assert (outcome.code, outcome.retry_after_s) == ("line_held", HELD_S)
        assert [c.status for c in p.exchange.calls.values()] == ["ringing"]

    play(story)


def test_a_real_call_that_cannot_get_the_line_tries_again_soon():
    async def story(p: Phones):
        p.conduct(rings_s=12)
        await placed(p, Mode.DRILL, name="n-drill")
        await asyncio.sleep(3)
        p.carrier.reading_forecast.standing = p.carrier.forecast.standing = Weather.SILENT

        outcome = await p.channel.send(p.claim("n-real"))

        assert isinstance(outcome, Failed)
        assert (outcome.code, outcome.retry_after_s) == ("line_held", 2.0)

    play(story)


@pytest.mark.parametrize("weather", [each for each in Weather if each is not Weather.FINE])
def test_what_twilio_does_not_say_is_not_claimed(weather):
    """Promise 5. Whatever it did with the request: asked again on a fine day, it says so."""

    async def story(p: Phones):
        p.conduct(Pickup.RINGS_OUT)
        row = await placed(p)
        await asyncio.sleep(2)
        p.carrier.reading_forecast.standing = p.carrier.forecast.standing = weather
        assert await p.recalling.withdraw(row) is None

        p.carrier.reading_forecast.standing = p.carrier.forecast.standing = Weather.FINE
        outcome = await p.recalling.withdraw(row)

        assert isinstance(outcome, Withdrawn | Failed)
        assert isinstance(outcome, Withdrawn) is (p.exchange.calls[row.ref].status == "canceled")

    play(story)


def test_a_call_that_came_to_its_own_end_was_not_taken_back():
    async def story(p: Phones):
        p.conduct(rings_s=1, hangs_up_s=2)
        row = await placed(p, Mode.DRILL)
        await asyncio.sleep(30)

        outcome = await p.recalling.withdraw(row)

        assert isinstance(outcome, Sent), "promise 5: it was heard, and nobody cut it off"

    play(story)


def test_a_later_process_can_take_back_what_an_earlier_one_placed():
    async def story(p: Phones):
        p.conduct(rings_s=20)
        row = await placed(p)
        p.start()
        await asyncio.sleep(2)

        assert isinstance(await p.recalling.withdraw(row), Withdrawn)

    play(story, callbacks="poll")


def test_what_somebody_canceled_at_twilio_is_reported_as_what_it_is():
    async def story(p: Phones):
        p.conduct(rings_s=20)
        async with p.polling():
            row = await placed(p)
            await asyncio.sleep(2)
            p.exchange.route("POST", ["", "Calls", row.ref], {"Status": "canceled"}, {})
            await asyncio.sleep(30)

        assert p.outcomes[-1] == Withdrawn(ref=row.ref, detail=RINGS_NO_MORE)
        assert sum(isinstance(outcome, Withdrawn) for outcome in p.outcomes) == 1

    play(story, callbacks="poll")
