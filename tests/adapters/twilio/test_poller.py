"""Replies and statuses come in although nobody can call us (req 59)."""

import asyncio

import msgspec

from alertd.model.events import OutcomeReported, Replied, TroubleCleared, TroubleRaised
from alertd.model.ids import DISTRICT
from alertd.model.outcome import Delivered, Failed, Sent
from alertd_simulator.carrier import Behaviour
from alertd_simulator.virtual_time import in_virtual_time
from alertd_simulator.weather import Weather
from tests.adapters.twilio.world import CHEN, OURS, RUIZ, World

SECOND = "+12025550101"


@in_virtual_time
async def test_a_reply_is_known_within_two_seconds_while_an_incident_is_open():
    world = World()
    async with world.polling():
        await asyncio.sleep(31)
        text = world.carrier.receive(sender=RUIZ, body="417")
        await asyncio.sleep(2.2)

        (event,) = world.door.of(Replied)
    assert (event.channel, event.address, event.body) == ("sms", RUIZ, "417")
    assert event.cause == f"twilio:{text.sid}"
    assert event.site_id == DISTRICT, "intake finds the site"
    assert 0 <= world.clock.now().wall_us - event.at_us < 5_000_000


@in_virtual_time
async def test_each_reply_comes_once_and_in_order():
    world = World()
    async with world.polling():
        for number in range(1, 30):
            world.carrier.receive(sender=RUIZ, body=f"note {number}")
            await asyncio.sleep(0.3)
        await asyncio.sleep(20)

    assert world.bodies == [f"note {number}" for number in range(1, 30)]


@in_virtual_time
async def test_a_flood_of_replies_is_read_to_its_end():
    world = World()
    async with world.polling():
        await asyncio.sleep(1)
        for number in range(250):
            world.carrier.receive(sender=RUIZ, body=str(number))
        await asyncio.sleep(10)

    assert world.bodies == [str(number) for number in range(250)]


@in_virtual_time
async def test_all_our_numbers_are_asked_and_our_own_texts_are_no_replies():
    world = World(from_numbers=[OURS, SECOND])
    async with world.polling():
        await world.text(world.claim())
        world.carrier.receive(sender=RUIZ, body="417", to=OURS)
        world.carrier.receive(sender=CHEN, body="617", to=SECOND)
        await asyncio.sleep(4)

    assert sorted(world.bodies) == ["417", "617"]


@in_virtual_time
async def test_with_a_messaging_service_the_whole_account_is_read():
    world = World(from_numbers=[], messaging_service_sid="MG" + "0" * 32)
    async with world.polling():
        await world.text(world.claim())
        await world.text(world.claim(CHEN, notification_id="n-2"))
        world.carrier.receive(sender=RUIZ, body="417")
        await asyncio.sleep(6)

    assert world.bodies == ["417"]
    assert sum(isinstance(outcome, Delivered) for outcome in world.outcomes) == 2


@in_virtual_time
async def test_a_stop_is_passed_on_as_it_was_written():
    world = World()
    world.activity.is_open = False
    async with world.polling():
        await asyncio.sleep(5)
        world.carrier.receive(sender=RUIZ, body="Stop ")
        await asyncio.sleep(32)

    assert world.bodies == ["Stop "]


@in_virtual_time
async def test_between_incidents_it_asks_rarely_and_wakes_with_the_next_one():
    world = World()
    world.activity.is_open = False
    async with world.polling():
        await asyncio.sleep(600)
        idle = world.polls()
        world.activity.is_open = True
        world.carrier.receive(sender=RUIZ, body="417")
        await asyncio.sleep(2.2)

        assert world.bodies == ["417"], "an incident opened: nobody waits 30 s for an answer"
    assert 19 <= idle <= 22


@in_virtual_time
async def test_what_came_while_we_were_down_is_read_at_the_start():
    world = World()
    world.carrier.receive(sender=RUIZ, body="417")
    await asyncio.sleep(1_800)
    async with world.polling():
        await asyncio.sleep(1)

    assert world.bodies == ["417"]


@in_virtual_time
async def test_yesterdays_replies_are_not():
    world = World()
    world.carrier.receive(sender=RUIZ, body="417")
    await asyncio.sleep(86_400)
    world.start()
    async with world.polling():
        await asyncio.sleep(60)

    assert world.bodies == []


@in_virtual_time
async def test_after_a_long_outage_of_twilio_nothing_is_missing():
    world = World()
    async with world.polling():
        await asyncio.sleep(10)
        world.http.is_plugged_in = False
        world.carrier.receive(sender=RUIZ, body="417")
        await asyncio.sleep(3 * 3_600)
        world.http.is_plugged_in = True
        await asyncio.sleep(16)

    assert world.bodies == ["417"]


@in_virtual_time
async def test_a_wrong_clock_of_ours_loses_no_reply():
    world = World()
    dated = world.carrier.handle

    async def with_date(request):
        from email.utils import formatdate

        answer = await dated(request)
        date = formatdate(world.clock.now().wall_us / 1e6 - 7_200, usegmt=True)
        return msgspec.structs.replace(answer, headers={**answer.headers, "date": date})

    world.http.actors["https://api.twilio.com"] = with_date
    async with world.polling():
        await asyncio.sleep(1)
        text = world.carrier.receive(sender=RUIZ, body="417")
        text.sent_us = text.created_us - 7_200_000_000  # Twilio's clock is right, ours two hours ahead
        await asyncio.sleep(4)

        (event,) = world.door.of(Replied)
    assert abs(world.clock.now().wall_us - event.at_us) < 6_000_000, "told in our time, as all the rest"


@in_virtual_time
async def test_a_reply_that_could_not_be_committed_is_asked_for_again():
    world = World()
    async with world.polling():
        world.door.is_broken = True
        world.carrier.receive(sender=RUIZ, body="417")
        await asyncio.sleep(20)
        assert world.bodies == []
        world.door.is_broken = False
        await asyncio.sleep(3)

    assert world.bodies == ["417"]
    assert not world.door.of(TroubleRaised), "the disk's trouble is not the carrier's"


# --- statuses -------------------------------------------------------------------------------------------------------


@in_virtual_time
async def test_each_change_of_status_is_reported_once():
    world = World()
    world.carrier.usual = Behaviour(sending_s=2.5, delivery_s=5)
    async with world.polling():
        row = await world.text(world.claim())
        await asyncio.sleep(60)

    assert world.outcomes == [Sent(ref=row.ref), Delivered(ref=row.ref)]
    event = world.door.of(OutcomeReported)[0]
    assert (event.epoch, event.notification_id, event.site_id) == (None, "n-0001", row.notification.site_id)


@in_virtual_time
async def test_a_phone_that_is_off_is_a_failure_with_its_code():
    world = World()
    world.carrier.behave(RUIZ, Behaviour(fails=30003))
    async with world.polling():
        await world.text(world.claim())
        await asyncio.sleep(6)

    (outcome,) = world.outcomes
    assert isinstance(outcome, Failed)
    assert outcome.code == "30003"
    assert not outcome.permanent


@in_virtual_time
async def test_a_status_that_the_books_do_not_take_is_not_repeated_for_ever():
    world = World()
    async with world.polling():
        await world.text(world.claim())
        frozen = list(world.activity.rows)
        for _ in range(60):
            world.activity.rows = list(frozen)
            await asyncio.sleep(1)

    assert len(world.outcomes) <= 2


@in_virtual_time
async def test_two_hundred_texts_do_not_mean_two_hundred_questions():
    world = World()
    async with world.polling():
        for number in range(200):
            await world.text(world.claim(notification_id=f"n-{number}", text=f"text {number}"))
        before = world.polls()
        await asyncio.sleep(10)

    assert sum(isinstance(outcome, Delivered) for outcome in world.outcomes) == 200
    assert world.polls() - before < 40


@in_virtual_time
async def test_texts_that_the_lists_do_not_show_are_asked_for_one_by_one():
    world = World()
    rows = [await world.text(world.claim(notification_id=f"n-{n}", text=f"text {n}")) for n in range(25)]
    for text in world.carrier.texts.values():
        text.sender = SECOND  # sent by a number that is no longer in the settings
    async with world.polling():
        await asyncio.sleep(12)

    assert {outcome.ref for outcome in world.outcomes} == {row.ref for row in rows}


@in_virtual_time
async def test_a_test_text_is_followed_although_no_incident_is_open():
    world = World()
    world.activity.is_open = False
    async with world.polling():
        await asyncio.sleep(40)
        await world.text(world.claim())
        await asyncio.sleep(5)

        assert isinstance(world.outcomes[-1], Delivered)


@in_virtual_time
async def test_slow_statuses_never_hold_up_a_reply():
    world = World()
    for number in range(3):
        await world.text(world.claim(notification_id=f"n-{number}", text=f"text {number}"))
    real = world.carrier.handle

    async def slow_statuses(request):
        if "From=" in request.url or "/Messages/" in request.url:
            await asyncio.sleep(3_600)
        return await real(request)

    world.http.actors["https://api.twilio.com"] = slow_statuses
    async with world.polling():
        await asyncio.sleep(1)
        world.carrier.receive(sender=RUIZ, body="417")
        await asyncio.sleep(8)

        assert world.bodies == ["417"]
        assert not world.door.of(TroubleRaised)


@in_virtual_time
async def test_a_carrier_that_never_says_delivered_is_not_asked_for_ever():
    world = World()
    world.activity.is_open = False
    world.carrier.usual = Behaviour(stays_sent=True)
    async with world.polling():
        await world.text(world.claim())
        await asyncio.sleep(5 * 3_600)
        before = world.polls()
        await asyncio.sleep(3_600)

    assert world.polls() - before <= 121, "one question for replies every 30 s, and nothing else"


# --- when Twilio is away --------------------------------------------------------------------------------------------


@in_virtual_time
async def test_a_carrier_that_does_not_answer_is_one_trouble_and_its_return_clears_it():
    world = World()
    async with world.polling():
        await asyncio.sleep(4)
        world.carrier.reading_forecast.standing = Weather.BROKEN
        await asyncio.sleep(300)
        (trouble,) = world.door.of(TroubleRaised)
        cleared = len(world.door.of(TroubleCleared))
        world.carrier.reading_forecast.standing = Weather.FINE
        await asyncio.sleep(20)

    assert trouble.key == "carrier:sms"
    assert trouble.site_id == DISTRICT
    assert "HTTP 500" in trouble.summary
    first_words = trouble.summary[: 160 - len("alertd TROUBLE at MAPLE COUNTY since 10:42: ")]
    assert "texts may not go out" in first_words, "who reads only one segment must not believe that sends work"
    assert "replies are not seen" in first_words
    assert len(world.door.of(TroubleCleared)) == cleared + 1


@in_virtual_time
async def test_one_bad_answer_is_no_trouble():
    world = World()
    async with world.polling():
        await asyncio.sleep(4)
        world.carrier.reading_forecast.next.extend([Weather.CUT, Weather.LIMITED])
        await asyncio.sleep(60)

    assert not world.door.of(TroubleRaised)


@in_virtual_time
async def test_wrong_credentials_are_a_trouble_at_once():
    world = World()
    world.carrier._token = "rotated"
    async with world.polling():
        await asyncio.sleep(1)

        (trouble,) = world.door.of(TroubleRaised)
    assert "credentials" in trouble.summary
    assert "an-auth-token" not in trouble.summary


@in_virtual_time
async def test_a_trouble_that_an_earlier_daemon_left_is_cleared():
    world = World()
    async with world.polling():
        await asyncio.sleep(60)

    assert [event.key for event in world.door.of(TroubleCleared)] == ["carrier:sms"]


@in_virtual_time
async def test_it_backs_off_from_a_carrier_that_is_ill_but_never_for_long():
    world = World()
    world.carrier.reading_forecast.standing = Weather.UNAVAILABLE
    async with world.polling():
        await asyncio.sleep(600)
        asked = world.polls()
        world.carrier.reading_forecast.standing = Weather.FINE
        world.carrier.receive(sender=RUIZ, body="417")
        await asyncio.sleep(17)

        assert world.bodies == ["417"]
    assert 30 <= asked <= 60


@in_virtual_time
async def test_garbage_in_a_list_harms_nothing():
    world = World()
    async with world.polling():
        world.carrier.reading_forecast.next.extend([Weather.GARBAGE_ACCEPTED] * 2)
        world.carrier.receive(sender=RUIZ, body="417")
        await asyncio.sleep(20)

    assert world.bodies == ["417"]


@in_virtual_time
async def test_the_token_never_follows_a_list_to_another_host():
    world = World()
    real = world.carrier.handle
    asked = []

    async def thief(request):
        answer = await real(request)
        return msgspec.structs.replace(
            answer,
            body=answer.body.replace(b'"next_page_uri":null', b'"next_page_uri":"https://evil.example/2010-04-01/"'),
        )

    async def evil(request):
        asked.append(request)
        return await real(request)

    world.http.actors["https://api.twilio.com"] = thief
    world.http.actors["https://evil.example"] = evil
    async with world.polling():
        world.carrier.receive(sender=RUIZ, body="417")
        await asyncio.sleep(5)

    assert world.bodies == ["417"]
    assert not asked
