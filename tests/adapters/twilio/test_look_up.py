"""Twilio has no idempotency key: what became of a text whose answer was lost is found by asking."""

import asyncio

import pytest
from msgspec.structs import replace

from alertd.model.anchor import Now
from alertd.model.notification import NotificationRow
from alertd.model.outcome import Accepted, Delivered, Failed, Unknown
from alertd.ports import Clock, HttpRequest, HttpResponse
from alertd.testing.channel_contract import row_for
from alertd_simulator.carrier import Behaviour
from alertd_simulator.virtual_time import in_virtual_time
from alertd_simulator.weather import Weather
from tests.adapters.twilio.world import API, CHEN, OTHERS, OURS, RUIZ, SERVICE, World


async def lost(world: World, claim, weather: Weather = Weather.CUT_ACCEPTED) -> NotificationRow:
    world.carrier.forecast.next.append(weather)
    outcome = await world.channel.send(claim)
    assert isinstance(outcome, Unknown), outcome
    return row_for(claim)


@in_virtual_time
async def test_a_text_that_was_taken_is_found_by_its_words():
    world = World()
    row = await lost(world, world.claim())
    await asyncio.sleep(3)

    (text,) = world.carrier.to(RUIZ)
    assert await world.channel.look_up(row) == Delivered(ref=text.sid)


@in_virtual_time
async def test_a_text_that_still_queues_is_found_too():
    """Its date_sent is null: a filter by DateSent would not see it."""
    world = World()
    world.carrier.usual = world.carrier.usual.__class__(sending_s=30)
    row = await lost(world, world.claim(), Weather.GARBAGE_ACCEPTED)

    assert isinstance(await world.channel.look_up(row), Accepted)


@in_virtual_time
async def test_a_text_that_was_never_taken_is_said_to_be_lost():
    world = World()
    row = await lost(world, world.claim(), Weather.CUT)
    outcome = await world.channel.look_up(row)

    assert isinstance(outcome, Failed)
    assert (outcome.code, outcome.permanent) == ("not_found", False)


@in_virtual_time
async def test_texts_to_others_older_ones_and_replies_are_not_mistaken_for_it():
    world = World()
    words = "OAK ELEM Rm 204: LOCKDOWN 10:42."
    await world.text(world.claim(CHEN, notification_id="n-chen", text=words))
    await world.text(world.claim(RUIZ, notification_id="n-other", text="other words"))
    world.carrier.receive(sender=RUIZ, body=words)
    world.carrier.texts["SMold"] = old = world.carrier.receive(sender=RUIZ, body=words)
    old.direction, old.to, old.created_us = "outbound-api", RUIZ, old.created_us - 600_000_000
    row = await lost(world, world.claim(RUIZ, text=words), Weather.CUT)

    assert isinstance(await world.channel.look_up(row), Failed)


@in_virtual_time
async def test_two_notifications_with_the_same_words_are_not_confused():
    world = World()
    await world.text(world.claim(text="same words", notification_id="n-first"))
    row = await lost(world, world.claim(text="same words", notification_id="n-second"), Weather.CUT)

    outcome = await world.channel.look_up(row)

    assert isinstance(outcome, Failed), "the first text was taken for the second, which nobody got"
    assert outcome.code == "not_found"


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ({"from_numbers": [OURS]}, {"from_numbers": [OTHERS]}),
        ({"from_numbers": [OURS]}, {"messaging_service_sid": SERVICE}),
        ({"from_numbers": [], "messaging_service_sid": SERVICE}, {"from_numbers": [OTHERS]}),
        ({"from_numbers": [], "messaging_service_sid": SERVICE}, {"messaging_service_sid": SERVICE[:-1] + "f"}),
    ],
    ids=["number-number", "number-service", "service-number", "service-service"],
)
def test_the_text_of_another_channel_is_not_mistaken_for_it(ours, theirs):
    """People with two endpoints of one phone get the same words over both, and one of them may be lost."""

    @in_virtual_time
    async def story():
        world = World(**ours)
        other = world.another_channel(**theirs)
        assert isinstance(await other.send(world.claim(text="same words", notification_id="n-theirs")), Accepted)
        row = await lost(world, world.claim(text="same words"), Weather.CUT)

        assert isinstance(await world.channel.look_up(row), Failed), "what the other channel sent was taken for ours"

        row = await lost(world, world.claim(text="same words", notification_id="n-ours"))
        assert isinstance(await world.channel.look_up(row), Accepted), "our own was not found"

    story()


@in_virtual_time
async def test_two_lost_ones_of_which_one_arrived_do_not_share_it():
    world = World()
    first = await lost(world, world.claim(text="same words", notification_id="n-first"), Weather.CUT)
    second = await lost(world, world.claim(text="same words", notification_id="n-second"), Weather.CUT_ACCEPTED)
    found = await asyncio.gather(world.channel.look_up(first), world.channel.look_up(second))

    assert sorted(type(outcome).__name__ for outcome in found) == ["Accepted", "Failed"]


@in_virtual_time
async def test_two_with_the_same_words_that_the_carrier_loses_have_both_failed():
    """Neither answer came, and neither text arrives: both leave again, and the phone reads two."""
    world = World()
    world.carrier.behave(RUIZ, Behaviour(fails=30008))
    rows = [await lost(world, world.claim(text="same words", notification_id=f"n-{n}")) for n in (1, 2)]
    await asyncio.sleep(3)
    outcomes = [await world.channel.look_up(row) for row in rows]

    assert [(type(each), getattr(each, "permanent", None)) for each in outcomes] == [(Failed, False)] * 2
    assert {getattr(each, "ref", "") for each in outcomes} == {text.sid for text in world.carrier.to(RUIZ)}

    world.carrier.behave(RUIZ, Behaviour())
    for row in rows:
        again = await lost(world, world.claim(text="same words", notification_id=row.notification.id))
        await asyncio.sleep(3)
        assert isinstance(await world.channel.look_up(again), Delivered)
    assert len([text for text in world.carrier.to(RUIZ) if text.seen_us is not None]) == 2


@in_virtual_time
async def test_a_lost_one_does_not_take_the_text_whose_answer_is_on_its_way():
    """Two texts with the same words: one never left, the other's answer comes late. A person would read one of two."""
    world = World()
    first = await lost(world, world.claim(text="same words", notification_id="n-first"), Weather.CUT)

    async def slowly(request: HttpRequest) -> HttpResponse:
        response = await world.carrier.handle(request)
        await asyncio.sleep(5 if request.method == "POST" else 0)
        return response

    world.http.actors[API] = slowly
    sending = asyncio.create_task(world.channel.send(world.claim(text="same words", notification_id="n-second")))
    await asyncio.sleep(3)
    found = await world.channel.look_up(first)

    assert isinstance(await sending, Accepted)
    assert not isinstance(found, Accepted | Delivered), "one text was counted for two, and the other never left"
    assert isinstance(await world.channel.look_up(first), Failed), "now it is certain: it may leave again"


@in_virtual_time
async def test_two_lost_ones_do_not_share_a_text_while_a_long_list_is_walked():
    """Between two pages another look-up, or the answer to a send, may have taken the text that was found."""
    world = World()
    for number in range(60):
        await world.channel.send(world.claim(text=f"other words {number}", notification_id=f"n-{number}"))
    first = await lost(world, world.claim(text="same words", notification_id="n-first"), Weather.CUT)
    second = await lost(world, world.claim(text="same words", notification_id="n-second"), Weather.CUT_ACCEPTED)
    found = await asyncio.gather(world.channel.look_up(first), world.channel.look_up(second))

    assert sorted(type(outcome).__name__ for outcome in found) == ["Accepted", "Failed"], "one of them never left"


@in_virtual_time
async def test_after_a_restart_texts_that_are_still_on_their_way_are_known_again():
    world = World()
    await world.text(world.claim(text="same words", notification_id="n-first"))
    world.start()
    async with world.polling():
        await asyncio.sleep(0.1)
    row = await lost(world, world.claim(text="same words", notification_id="n-second"), Weather.CUT)

    assert isinstance(await world.channel.look_up(row), Failed)


@in_virtual_time
async def test_after_a_restart_texts_that_have_arrived_long_since_are_known_again():
    """Staff read "LOCKDOWN continues, 13:44" once for each room that presses in that minute."""
    world = World()
    await world.text(world.claim(text="same words", notification_id="n-first"))
    await asyncio.sleep(3)
    world.activity.rows.clear()  # it has arrived: nobody asks about it any more
    world.start()
    async with world.polling():
        await asyncio.sleep(0.1)
        row = await lost(world, world.claim(text="same words", notification_id="n-second"), Weather.CUT)

        assert isinstance(await world.channel.look_up(row), Failed), "the first one's text was taken for the second"

        row = await lost(world, world.claim(text="same words", notification_id="n-third"))
        assert isinstance(await world.channel.look_up(row), Accepted), "its own text was not found"


@in_virtual_time
async def test_a_known_sid_is_asked_for_itself():
    world = World()
    row = await world.text(world.claim())
    await asyncio.sleep(3)

    assert await world.channel.look_up(row) == Delivered(ref=row.ref)


async def failed_once(world: World) -> NotificationRow:
    """Its first attempt was accepted and died on the way; the second one's answer is lost next."""
    world.carrier.behave(RUIZ, Behaviour(fails=30008))
    row = await world.text(world.claim())
    await asyncio.sleep(3)
    assert isinstance(await world.channel.look_up(row), Failed)
    world.carrier.behave(RUIZ, Behaviour())
    return row


@in_virtual_time
async def test_the_failed_text_of_an_earlier_attempt_is_not_the_answer_to_this_one():
    """It was: a text that had arrived was sent again and again, as often as its answer was lost."""
    world = World()
    row = await failed_once(world)
    again = replace(await lost(world, world.claim()), ref=row.ref)
    await asyncio.sleep(3)

    first, second = world.carrier.to(RUIZ)
    assert await world.channel.look_up(again) == Delivered(ref=second.sid)
    assert first.sid == row.ref


@in_virtual_time
@pytest.mark.parametrize("restarted", [False, True])
async def test_an_attempt_that_never_left_has_failed_like_the_one_before(restarted):
    world = World()
    row = await failed_once(world)
    again = replace(await lost(world, world.claim(), Weather.CUT), ref=row.ref)
    if restarted:
        world.start()

    outcome = await world.channel.look_up(again)
    assert isinstance(outcome, Failed)
    assert not outcome.permanent, "nobody would be told"


@in_virtual_time
async def test_of_several_attempts_the_one_that_lives_is_the_answer():
    """The third try: the second had arrived, and nobody knew."""
    world = World()
    row = await failed_once(world)
    await lost(world, world.claim())
    await asyncio.sleep(3)
    world.carrier.behave(RUIZ, Behaviour(fails=30008))
    again = replace(await lost(world, world.claim()), ref=row.ref)
    await asyncio.sleep(3)

    _, second, _ = world.carrier.to(RUIZ)
    assert await world.channel.look_up(again) == Delivered(ref=second.sid)


@in_virtual_time
async def test_when_twilio_is_away_nothing_is_claimed():
    """Not found would send a second text; None lets the daemon ask again."""
    world = World()
    row = await lost(world, world.claim())
    for weather in (Weather.BROKEN, Weather.LIMITED, Weather.GARBAGE_ACCEPTED, Weather.CUT, Weather.SILENT):
        world.carrier.reading_forecast.standing = weather

        assert await world.channel.look_up(row) is None, weather
    world.http.is_plugged_in = False

    assert await world.channel.look_up(row) is None


@in_virtual_time
async def test_it_is_found_behind_many_others():
    world = World()
    row = await lost(world, world.claim())
    for number in range(120):
        await world.channel.send(world.claim(text=f"other words {number}", notification_id=f"n-{number}"))

    assert isinstance(await world.channel.look_up(row), Accepted | Delivered)


@in_virtual_time
async def test_a_list_too_long_to_read_proves_nothing():
    world = World()
    row = await lost(world, world.claim(), Weather.CUT)
    for number in range(260):
        await world.channel.send(world.claim(text=f"other words {number}", notification_id=f"n-{number}"))

    assert await world.channel.look_up(row) is None


class OurClock:
    """Twilio's clock is right; ours is ahead of it, until somebody sets it."""

    def __init__(self, right: Clock) -> None:
        self._right = right
        self.ahead_us = 0

    @property
    def boot_id(self) -> str:
        return self._right.boot_id

    def now(self) -> Now:
        now = self._right.now()
        return replace(now, wall_us=now.wall_us + self.ahead_us)


@pytest.mark.parametrize("was_s", [-3600, 3600])
@pytest.mark.parametrize("is_s", [0, -3600, 3600])
def test_a_text_is_found_whenever_our_clock_was_set(was_s: int, is_s: int):
    @in_virtual_time
    async def story():
        world = World()
        world.clock = ours = OurClock(world.clock)
        world.start()
        ours.ahead_us = was_s * 1_000_000
        now = ours.now()
        claim = world.claim()
        written = replace(claim.notification, created_boot_us=now.boot_us, boot_id=now.boot_id)
        row = await lost(world, replace(claim, notification=written))
        ours.ahead_us = is_s * 1_000_000

        assert isinstance(await world.channel.look_up(row), Accepted), "it was sent twice without need"

    story()


@pytest.mark.parametrize("was_s", [3600, 86_400])
@pytest.mark.parametrize("down_s", [8, 7200])
def test_a_nuisance_of_a_boot_before_is_found_although_our_clock_was_ahead(was_s: int, down_s: int):
    """The power went, and the machine woke up with the right time: it does not know how wrong it had been."""

    @in_virtual_time
    async def story():
        world = World()
        world.clock = ours = OurClock(world.clock)
        world.start()
        ours.ahead_us = was_s * 1_000_000
        claim, written_us = world.claim(), ours.now().wall_us
        vape = replace(
            claim.notification,
            resend_unknown=False,
            created_us=written_us,
            created_boot_us=1,
            boot_id="the boot before",
        )
        row = await lost(world, replace(claim, notification=vape))
        ours.ahead_us = 0
        await asyncio.sleep(down_s)

        assert isinstance(await world.channel.look_up(row), Accepted | Delivered), "a nuisance was sent twice"

    story()
