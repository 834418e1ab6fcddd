"""Twilio has no idempotency key: what became of a text whose answer was lost is found by asking."""

import asyncio

from alertd.model.notification import NotificationRow
from alertd.model.outcome import Accepted, Delivered, Failed, Unknown
from alertd.testing.channel_contract import row_for
from alertd_simulator.virtual_time import in_virtual_time
from alertd_simulator.weather import Weather
from tests.adapters.twilio.world import CHEN, RUIZ, World


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


@in_virtual_time
async def test_two_lost_ones_of_which_one_arrived_do_not_share_it():
    world = World()
    first = await lost(world, world.claim(text="same words", notification_id="n-first"), Weather.CUT)
    second = await lost(world, world.claim(text="same words", notification_id="n-second"), Weather.CUT_ACCEPTED)
    found = await asyncio.gather(world.channel.look_up(first), world.channel.look_up(second))

    assert sorted(type(outcome).__name__ for outcome in found) == ["Accepted", "Failed"]


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
async def test_a_known_sid_is_asked_for_itself():
    world = World()
    row = await world.text(world.claim())
    await asyncio.sleep(3)

    assert await world.channel.look_up(row) == Delivered(ref=row.ref)


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
