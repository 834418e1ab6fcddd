"""Whether people can be reached: what committed outcomes say of each channel, for `alertd health`."""

import asyncio
from pathlib import Path

from alertd.daemon.channel_states import FAILURES_MAX
from alertd.model.events import TroubleCleared, TroubleRaised
from alertd.model.ids import DISTRICT
from alertd.model.outcome import Accepted, Delivered, Failed, Outcome, Unknown
from alertd_simulator.virtual_time import COMMIT_DELAY, in_virtual_time
from tests.daemon.world import World


def behave(world: World, outcome: Outcome) -> None:
    async def answer(claim):
        return outcome

    world.sms.behave = answer
    world.sms.remembers = lambda _row: outcome


AWAY = Failed(permanent=False, code="not_sent", detail="connection refused")


@in_virtual_time(executor_delay=COMMIT_DELAY)
async def test_a_channel_that_only_fails_is_in_doubt_until_something_gets_through(tmp_path: Path):
    world = World(tmp_path)
    await world.start()
    world.press()
    await asyncio.sleep(1)
    assert world.daemon.channel_states.doubts() == {}
    behave(world, AWAY)
    world.press("badge-118")
    await asyncio.sleep(5)
    doubts = world.daemon.channel_states.doubts()
    assert doubts.keys() == {"channel sms"}
    assert "attempts failed" in doubts["channel sms"]
    assert "connection refused" not in doubts["channel sms"], "a provider's words may hold a number"

    behave(world, Delivered(ref="x"))
    await asyncio.sleep(60)
    assert world.daemon.channel_states.doubts() == {}
    await world.stop()


@in_virtual_time(executor_delay=COMMIT_DELAY)
async def test_answers_that_never_come_are_failures_too(tmp_path: Path):
    world = World(tmp_path)
    behave(world, Unknown(detail="no answer within 10 s"))
    await world.start()
    world.press()
    await asyncio.sleep(20)

    assert world.daemon.channel_states.doubts().keys() == {"channel sms"}
    await world.stop()


@in_virtual_time(executor_delay=COMMIT_DELAY)
async def test_wrong_numbers_say_nothing_of_the_channel(tmp_path: Path):
    world = World(tmp_path)
    behave(world, Failed(permanent=True, code="21211", detail="no such number"))
    await world.start()
    world.press()
    await asyncio.sleep(5)
    assert len(world.sms.sent) > FAILURES_MAX

    assert world.daemon.channel_states.doubts() == {}
    await world.stop()


@in_virtual_time(executor_delay=COMMIT_DELAY)
async def test_a_broken_channel_stays_in_doubt_over_a_restart_until_it_is_mended(tmp_path: Path):
    world = World(tmp_path)
    behave(world, Failed(permanent=True, code="20003", detail="refuses our credentials", breaks_channel=True))
    await world.start()
    world.press()
    await asyncio.sleep(2)
    assert "reaches nobody" in world.daemon.channel_states.doubts()["channel sms"]
    await world.crash()
    await world.start()
    assert "reaches nobody" in world.daemon.channel_states.doubts()["channel sms"]

    behave(world, Accepted(ref="x"))
    await asyncio.sleep(300)
    assert "channel sms" not in world.daemon.channel_states.doubts()
    await world.stop()


@in_virtual_time(executor_delay=COMMIT_DELAY)
async def test_standing_troubles_of_carriers_and_dispatch_are_doubts_others_are_not(tmp_path: Path):
    world = World(tmp_path)
    await world.start()
    door = world.daemon.intake
    for key in ("carrier:sms", "dispatch:psap", "unregistered:badge-99", "store:damaged"):
        await door.submit(TroubleRaised(site_id=DISTRICT, key=key, summary=f"about {key}"))
    expected = {"carrier sms": "about carrier:sms", "dispatch psap": "about dispatch:psap"}
    expected["store damaged"] = "about store:damaged"
    assert world.daemon.channel_states.doubts() == expected

    await world.crash()
    await world.start()
    assert world.daemon.channel_states.doubts() == expected, "forgotten over a restart"
    for key in ("carrier:sms", "dispatch:psap", "store:damaged"):
        await world.daemon.intake.submit(TroubleCleared(site_id=DISTRICT, key=key))
    assert world.daemon.channel_states.doubts() == {}
    await world.stop()
