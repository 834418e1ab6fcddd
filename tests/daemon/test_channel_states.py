"""Whether people can be reached: what committed outcomes say of each channel, for `alertd health`."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from alertd.daemon.channel_states import FAILURES_MAX, ChannelStates
from alertd.model.anchor import Now
from alertd.model.decision import Decision, Entry, EntryKind
from alertd.model.events import TroubleCleared, TroubleRaised
from alertd.model.ids import DISTRICT
from alertd.model.notification import NotificationState
from alertd.model.outcome import Accepted, Delivered, Failed, Outcome, Unknown
from alertd.model.reason import Reason
from alertd.ports import Built
from alertd_simulator.virtual_time import COMMIT_DELAY, in_virtual_time
from tests.daemon.world import FakeChannel, World
from tests.engine.test_calls import school


def behave(world: World, outcome: Outcome) -> None:
    async def answer(claim):
        return outcome

    world.sms.behave = answer
    world.sms.remembers = lambda _row: outcome


AWAY = Failed(permanent=False, code="not_sent", detail="connection refused")


@pytest.mark.slow
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


@pytest.mark.slow
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


HELD = Failed(permanent=False, not_tried=True, code="line_held", detail="our own call has that phone", retry_after_s=10)
RANG_OUT = Failed(permanent=False, unanswered=True, code="no_answer", detail="nobody took it", retry_after_s=30)


class Still:
    """It is always the same moment."""

    boot_id = "boot-1"

    def now(self) -> Now:
        return Now(wall_us=0, boot_us=0)


def after(*outcomes: tuple[NotificationState, Reason]) -> dict[str, str]:
    """What is in doubt when that has become of calls, one after the other."""
    nothing: Any = None
    states = ChannelStates(store=nothing, clock=Still())
    for state, reason in outcomes:
        data = {"channel": "voice", "state": state.value}
        states.committed(Decision(entries=(Entry(kind=EntryKind.OUTCOME, reason=reason, text="", data=data),)))
    return states.doubts()


@pytest.mark.parametrize(
    ("again", "doubts"),
    [
        ((NotificationState.FAILED, Reason.UNANSWERED), set()),
        ((NotificationState.QUEUED, Reason.NOT_TRIED), {"channel voice"}),
        ((NotificationState.QUEUED, Reason.RETRYING), {"channel voice"}),
    ],
)
def test_only_a_call_that_came_as_far_as_a_phone_takes_the_doubt_away(again, doubts):
    asked = (NotificationState.UNKNOWN, Reason.ASKED_PROVIDER)
    assert after(*[asked] * FAILURES_MAX).keys() == {"channel voice"}

    assert after(*[asked] * FAILURES_MAX, again).keys() == doubts, "a phone that nobody takes is no broken channel"
    assert (after(*[again] * FAILURES_MAX) != {}) is (again[1] is Reason.RETRYING)


def with_phones(folder: Path) -> tuple[World, FakeChannel]:
    phones = FakeChannel("voice", "voice")
    return World(folder, school=school(), voice=Built(channel=phones)), phones


@pytest.mark.slow
@in_virtual_time(executor_delay=COMMIT_DELAY)
async def test_phones_that_rang_when_the_daemon_died_and_that_nobody_took_say_nothing_of_the_channel(tmp_path: Path):
    world, phones = with_phones(tmp_path)

    async def rings(claim):
        await asyncio.sleep(1000)

    phones.behave = rings
    await world.start()
    world.press()
    await asyncio.sleep(2)
    await world.crash()
    phones.remembers = lambda row: replace(RANG_OUT, ref=f"CA-{row.notification.id}")
    await world.start()
    await asyncio.sleep(100)
    assert len(phones.looked_up) >= FAILURES_MAX

    assert world.daemon.channel_states.doubts() == {}
    await world.stop()


@pytest.mark.slow
@in_virtual_time(executor_delay=COMMIT_DELAY)
async def test_a_phone_that_our_own_call_has_says_nothing_of_the_channel(tmp_path: Path):
    world, phones = with_phones(tmp_path)

    async def is_held(claim):
        return HELD

    phones.behave = is_held
    await world.start()
    world.press()
    await asyncio.sleep(40)
    assert len(phones.sent) > FAILURES_MAX
    waiting = [row for row in world.rows() if row.notification.endpoint.channel == "voice"]
    assert {(row.reason, row.attempt) for row in waiting if row.epoch} == {(Reason.NOT_TRIED, 0)}

    assert world.daemon.channel_states.doubts() == {}
    assert not world.daemon.measures.failures, "no carrier has refused anything"
    await world.stop()
