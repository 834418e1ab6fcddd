"""Attempts: deadlines, unknown outcomes, leases, the emergency block, and channels that misbehave."""

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from msgspec.structs import replace

from alertd.daemon.channel_desk import ChannelDesk
from alertd.daemon.committer import Committer
from alertd.daemon.dispatch import Dispatch
from alertd.daemon.rate import TokenBucket
from alertd.model.anchor import Now
from alertd.model.check_in import CheckIn
from alertd.model.events import Event, OutcomeReported, TestOrdered
from alertd.model.ids import CauseId, NotificationId, PersonId
from alertd.model.mode import Mode
from alertd.model.notification import Claim, Kind, Lane, Notification, NotificationState
from alertd.model.outcome import Accepted, Delivered, Failed, Outcome, Unknown
from alertd.model.people import Endpoint
from alertd.model.reason import Reason
from alertd.ports import Channel, ChannelLimits, NotCommittedError
from alertd.store.sqlite import SqliteStore
from alertd_simulator.virtual_time import VirtualClock, in_virtual_time
from tests.daemon.world import FakeChannel, World
from tests.engine.school import OAK, PEOPLE, registry


class ListeningDoor:
    """Takes everything; may refuse a few."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.refusals = 0

    async def receive(self, arrival: object) -> None:
        raise AssertionError("dispatch has no arrivals")

    async def submit(self, event: Event) -> None:
        if self.refusals:
            self.refusals -= 1
            raise NotCommittedError("not now")
        self.events.append(event)

    def observe(self, source: str, name: str, *, value: float = 1.0) -> None: ...

    def check_in(
        self, source: str, check_ins: Sequence[CheckIn], *, retained: bool = False, qos: int | None = None
    ) -> None: ...


def claim(address: str = "+12025550142", channel: str = "sms", lane: Lane = Lane.PANIC, epoch: int = 1) -> Claim:
    notification = Notification(
        id=NotificationId(f"n-{address}-{epoch}"),
        site_id=OAK,
        mode=Mode.LIVE,
        kind=Kind.ALERT,
        lane=lane,
        endpoint=Endpoint(channel=channel, address=address),
        reason=Reason.FIRST_WAVE,
        created_us=0,
        expires_us=10**18,
        resend_unknown=True,
    )
    return Claim(notification=notification, attempt=1, epoch=epoch)


class Stage:
    """Dispatch alone, with an empty store, one channel and a door that listens."""

    def __init__(self, folder: Path, limits: ChannelLimits | None = None) -> None:
        self.clock = VirtualClock()
        self.door = ListeningDoor()
        self.sms = FakeChannel("sms", "sms", limits)
        store = SqliteStore(folder / "alertd.db", ballast_bytes=0)
        store.open("stage", self.clock)
        self.dispatch = Dispatch(
            store=store, clock=self.clock, committer=Committer(), channels={"sms": self.sms}, lease_s=60
        )
        self.running = asyncio.get_running_loop().create_task(self.dispatch.run(self.door))

    def take(self, *claims: Claim, leased_s_ago: float = 0) -> None:
        self.dispatch.take(claims, self.clock.now().boot_us - round(leased_s_ago * 1_000_000))

    def outcomes(self) -> list[Outcome]:
        return [event.outcome for event in self.door.events if isinstance(event, OutcomeReported)]


@in_virtual_time
async def test_an_attempt_is_cut_off_at_its_deadline_and_its_outcome_is_unknown(tmp_path: Path):
    stage = Stage(tmp_path, ChannelLimits(deadline_s=7))

    async def never(_claim: Claim) -> Outcome:
        await asyncio.sleep(10_000)
        raise AssertionError

    stage.sms.behave = never
    stage.take(claim())
    await asyncio.sleep(6.9)
    assert stage.outcomes() == []
    await asyncio.sleep(0.2)

    assert stage.outcomes() == [Unknown(detail="no answer within 7 s")]


@in_virtual_time
async def test_a_channel_that_refuses_to_be_cancelled_stops_nobody(tmp_path: Path):
    stage = Stage(tmp_path, ChannelLimits(deadline_s=5, concurrent=1))

    async def stubborn(_claim: Claim) -> Outcome:
        for _ in range(30):
            try:
                await asyncio.sleep(1)
            except asyncio.CancelledError:
                continue
        return Delivered(ref="too late")

    stage.sms.behave = stubborn
    stage.take(claim(epoch=1), claim(epoch=2))
    await asyncio.sleep(11)

    assert stage.outcomes() == [Unknown(detail="no answer within 5 s")] * 2
    await asyncio.sleep(60)
    assert len(stage.outcomes()) == 2, "a second outcome of one attempt"


@in_virtual_time
async def test_a_channel_that_raises_is_an_unknown_outcome_without_its_message(tmp_path: Path):
    stage = Stage(tmp_path)

    async def broken(_claim: Claim) -> Outcome:
        raise RuntimeError("password hunter2")

    stage.sms.behave = broken
    stage.take(claim())
    await asyncio.sleep(1)

    assert stage.outcomes() == [Unknown(detail="channel sms failed: RuntimeError")]


@in_virtual_time
async def test_a_channel_that_answers_nonsense_is_an_unknown_outcome(tmp_path: Path):
    stage = Stage(tmp_path)

    async def nonsense(_claim: Claim) -> Outcome:
        return "ok"  # type: ignore[return-value]

    stage.sms.behave = nonsense
    stage.take(claim())
    await asyncio.sleep(1)

    assert stage.outcomes() == [Unknown(detail="channel sms answered with str, not an outcome")]


@in_virtual_time
async def test_a_claim_whose_lease_would_end_during_the_send_is_not_sent(tmp_path: Path):
    stage = Stage(tmp_path, ChannelLimits(deadline_s=10))
    stage.take(claim(epoch=1), leased_s_ago=47)
    stage.take(claim(epoch=2), leased_s_ago=49)
    await asyncio.sleep(1)

    assert [c.epoch for c in stage.sms.sent] == [1], "the lease: sent although another owner may hold the row by then"
    assert [o.code for o in stage.outcomes() if isinstance(o, Failed)] == ["not_tried"]


class FreshlyClaiming(SqliteStore):
    """Has one row to claim: its lease begins with the claim."""

    def next_due_us(self) -> tuple[int | None, int | None]:
        return None, 0

    def claim(self, limits: Mapping[str, int], now: Now, *, panic_only: bool = False) -> tuple[Claim, ...]:
        return (claim(),) if panic_only else ()


@in_virtual_time(executor_delay=lambda _random: (0.0, 50.0))
async def test_a_lease_counts_from_its_claim_however_long_the_disk_takes_to_keep_it(tmp_path: Path):
    """Another owner counts from there, too: it may send the same text 60 s after the claim."""
    clock = VirtualClock()
    store = FreshlyClaiming(tmp_path / "alertd.db", ballast_bytes=0)
    store.open("slow", clock)
    sms, door = FakeChannel("sms", "sms", ChannelLimits(deadline_s=10)), ListeningDoor()
    dispatch = Dispatch(store=store, clock=clock, committer=Committer(), channels={"sms": sms}, lease_s=60)
    running = asyncio.create_task(dispatch.run(door))
    await asyncio.sleep(51)

    assert sms.sent == [], "the lease: sent although another owner may hold the row before the send is over"
    outcomes = [event.outcome for event in door.events if isinstance(event, OutcomeReported)]
    assert [outcome.code for outcome in outcomes if isinstance(outcome, Failed)] == ["not_tried"]
    running.cancel()


@pytest.mark.parametrize("address", ["911", "+1911", "9,911", "sip:911@pbx.example", "+12025550142,,911"])
def test_no_emergency_number_is_ever_dialled(tmp_path: Path, address: str):
    @in_virtual_time
    async def story():
        stage = Stage(tmp_path)
        stage.take(claim(address))
        await asyncio.sleep(1)

        assert stage.sms.sent == [], "emergency block: alertd never dials an emergency number"
        assert [o.code for o in stage.outcomes() if isinstance(o, Failed)] == ["emergency_number"]

    story()


@in_virtual_time
async def test_an_outcome_is_reported_until_it_is_committed(tmp_path: Path):
    stage = Stage(tmp_path)
    stage.door.refusals = 5
    stage.take(claim())
    await asyncio.sleep(10)

    assert len(stage.sms.sent) == 1, "sent again because its outcome was not committed"
    assert [type(o) for o in stage.outcomes()] == [Delivered]


@in_virtual_time
async def test_a_channel_that_is_gone_fails_for_good(tmp_path: Path):
    stage = Stage(tmp_path)
    stage.take(claim(channel="pager"))
    await asyncio.sleep(1)

    assert [o.code for o in stage.outcomes() if isinstance(o, Failed)] == ["no_channel"]


@in_virtual_time
async def test_panics_go_first_and_the_channel_is_never_exceeded(tmp_path: Path):
    stage = Stage(tmp_path, ChannelLimits(concurrent=2))
    busy = most = 0

    async def slow(claim: Claim) -> Outcome:
        nonlocal busy, most
        busy += 1
        most = max(most, busy)
        await asyncio.sleep(1)
        busy -= 1
        return Delivered(ref=claim.notification.id)

    stage.sms.behave = slow
    routine = [claim(lane=Lane.ROUTINE, epoch=n) for n in range(10)]
    await asyncio.sleep(0)
    stage.take(*routine)
    stage.take(*(claim(epoch=n) for n in range(10, 13)))
    await asyncio.sleep(30)

    assert most == 2
    assert [c.epoch for c in stage.sms.sent][:4] == [0, 10, 11, 12]
    assert len(stage.outcomes()) == 13


@in_virtual_time
async def test_a_deadline_that_does_not_fit_into_the_lease_is_refused(tmp_path: Path):
    with pytest.raises(ValueError, match="does not fit into a lease"):
        Stage(tmp_path, ChannelLimits(deadline_s=59))


async def hang_first(world: World, name: str) -> None:
    """The first text to that person gets no answer."""
    hung: list[Claim] = []

    async def behave(claim: Claim) -> Outcome:
        if claim.notification.recipient == name and not hung:
            hung.append(claim)
            await asyncio.sleep(1000)
        return Delivered(ref=claim.notification.id)

    world.sms.behave = behave


def row_of(world: World, name: str):
    return next(r for r in world.rows() if r.notification.recipient == name and r.notification.kind is Kind.ALERT)


@in_virtual_time
async def test_an_unknown_outcome_that_the_provider_clears_up_is_not_sent_again(tmp_path: Path):
    world = World(tmp_path)
    await hang_first(world, "Ruiz")
    world.sms.remembers = lambda row: Accepted(ref="SM1")
    await world.start()
    world.press()
    await asyncio.sleep(20)

    alerts = [c for c in world.sms.sent if c.notification.recipient == "Ruiz" and c.notification.kind is Kind.ALERT]
    assert len(alerts) == 1
    assert [r.notification.recipient for r in world.sms.looked_up] == ["Ruiz"]
    row = row_of(world, "Ruiz")
    assert (row.state, row.ref) == (NotificationState.ACCEPTED, "SM1")
    await world.stop()


@in_virtual_time
async def test_an_unknown_outcome_that_nobody_can_clear_up_is_sent_again_for_a_panic(tmp_path: Path):
    world = World(tmp_path)
    await hang_first(world, "Ruiz")
    await world.start()
    world.press()
    await asyncio.sleep(20)

    alerts = [c for c in world.sms.sent if c.notification.recipient == "Ruiz" and c.notification.kind is Kind.ALERT]
    assert [c.attempt for c in alerts] == [1, 2], "promise 1: a panic whose fate is unknown must be sent again"
    assert row_of(world, "Ruiz").state is NotificationState.DELIVERED
    await world.stop()


@in_virtual_time(executor_delay=lambda _random: (0.0, 0.5))
async def test_texts_that_were_lost_together_are_asked_about_together_on_a_slow_disk(tmp_path: Path):
    """Each waited for the disk in its turn, and everybody who was to be told again behind all of them."""
    world = World(tmp_path)
    asked_us: list[int] = []

    async def hangs(claim: Claim) -> Outcome:
        await asyncio.sleep(1000)
        return Delivered(ref=claim.notification.id)

    def remembers(_row: object) -> Outcome | None:
        asked_us.append(world.clock.now().boot_us)
        return None

    world.sms.behave = hangs
    world.sms.remembers = remembers
    await world.start()
    world.press()
    await asyncio.sleep(5)
    first = {claim.notification.id for claim in world.sms.sent}
    await world.crash()
    await world.start()
    await asyncio.sleep(10)

    assert len(first) >= 4, "too few for the test to prove anything"
    assert {row.notification.id for row in world.sms.looked_up} == first
    assert max(asked_us) - min(asked_us) < 500_000, "they waited for one another's turn at the disk"
    await world.crash()


@in_virtual_time
async def test_a_test_message_whose_fate_is_unknown_is_not_sent_again(tmp_path: Path):
    world = World(tmp_path)
    await hang_first(world, "Ruiz")
    await world.start()
    order = TestOrdered(site_id=OAK, cause=CauseId("t"), by="admin", person_id=PersonId("ruiz"))
    await world.daemon.intake.submit(order)
    await asyncio.sleep(200)

    tests = [c for c in world.sms.sent if c.notification.kind is Kind.TEST]
    assert len(tests) == 1
    await world.stop()


@in_virtual_time
async def test_a_temporary_failure_is_tried_again_later(tmp_path: Path):
    world = World(tmp_path)
    failures = 2

    async def behave(claim: Claim) -> Outcome:
        nonlocal failures
        if claim.notification.recipient == "Chen" and failures:
            failures -= 1
            return Failed(permanent=False, code="20429", detail="too many requests")
        return Delivered(ref=claim.notification.id)

    world.sms.behave = behave
    await world.start()
    world.press()
    await asyncio.sleep(25)

    tried = [c.attempt for c in world.sms.sent if c.notification.recipient == "Chen"]
    assert tried[:3] == [1, 2, 3]
    assert row_of(world, "Chen").state is NotificationState.DELIVERED
    await world.stop()


@in_virtual_time
async def test_an_emergency_number_in_the_registry_is_blocked_on_the_real_path(tmp_path: Path):
    ruiz = replace(PEOPLE[0], endpoints=(Endpoint(channel="sms", address="+1911"),))
    world = World(tmp_path, school=registry(people=(ruiz, *PEOPLE[1:])))
    await world.start()
    world.press()
    await asyncio.sleep(2)

    assert "+1911" not in {c.notification.endpoint.address for c in world.sms.sent}, (
        "emergency block: alertd never dials an emergency number"
    )
    assert "Chen" in world.sms.told()
    await world.stop()


@in_virtual_time
async def test_what_waits_for_a_removed_channel_fails_with_its_reason(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    stage.dispatch.use_channels({})

    assert stage.dispatch.room().panic["sms"] > 0, "rows of a removed channel would wait for ever, unseen"
    stage.take(claim())
    await asyncio.sleep(1)

    (outcome,) = stage.outcomes()
    assert isinstance(outcome, Failed)
    assert outcome.permanent
    assert outcome.code == "no_channel"


class WatchedStore(SqliteStore):
    """Remembers how old the time was by which it was asked to claim, in seconds."""

    clock: VirtualClock
    ages_s: list[float]

    def claim(self, limits: Mapping[str, int], now: Now, *, panic_only: bool = False) -> tuple[Claim, ...]:
        self.ages_s.append((self.clock.now().boot_us - now.boot_us) / 1e6)
        return super().claim(limits, now, panic_only=panic_only)

    def next_due_us(self) -> tuple[int | None, int | None]:
        return None, 0  # else nobody would ask for a claim


@in_virtual_time(executor_delay=lambda _random: (6.0, 0.0))
async def test_a_text_that_expires_while_its_claim_waits_for_a_slow_disk_is_not_claimed(tmp_path: Path):
    """Whether a text is still worth sending is asked when it is claimed, not when the claim began to wait."""
    clock, committer = VirtualClock(), Committer()
    store = WatchedStore(tmp_path / "alertd.db", ballast_bytes=0)
    store.clock, store.ages_s = clock, []
    store.open("slow", clock)
    others = [asyncio.create_task(committer.run(lambda: None)) for _ in range(10)]
    await asyncio.sleep(0)
    channels = {"sms": FakeChannel("sms", "sms")}
    dispatch = Dispatch(store=store, clock=clock, committer=committer, channels=channels, lease_s=60)
    running = asyncio.create_task(dispatch.run(ListeningDoor()))
    await asyncio.gather(*others)
    await asyncio.sleep(10)

    assert store.ages_s, "nothing was claimed: the test proves nothing"
    assert max(store.ages_s) == 0, "req 51: claimed by an old time; what expired meanwhile would be sent"
    running.cancel()


@in_virtual_time(executor_delay=lambda _random: (0.0, 2.0))
async def test_when_a_commit_had_returned_is_on_record_with_what_left_after_it(tmp_path: Path):
    """What a drill measures of the disk: a decision's own time is before its commit, whatever that takes."""
    world = World(tmp_path)
    await world.start()
    world.press("badge-204")
    await asyncio.sleep(9)
    (incident,) = world.incidents()
    lines = [line for line in world.store.read_timeline(incident.id) if line.entry is not None]
    decided_us = min(line.at_us for line in lines)
    begun = [int(line.entry.data["begun_us"]) for line in lines if line.entry and "begun_us" in line.entry.data]

    after_s = (min(begun) - decided_us) / 1e6
    assert after_s >= 2, "the record says that a text left before its commit had returned"
    assert after_s == pytest.approx(2, abs=0.1)
    await world.stop()


class HoldingStore(SqliteStore):
    """Holds one row until its time; remembers when it was asked to claim."""

    due_us: int | None
    asked_us: list[int]

    def next_due_us(self) -> tuple[int | None, int | None]:
        return None, self.due_us

    def claim(self, limits: Mapping[str, int], now: Now, *, panic_only: bool = False) -> tuple[Claim, ...]:
        self.asked_us.append(now.boot_us)
        self.due_us = None
        return super().claim(limits, now, panic_only=panic_only)


@in_virtual_time(executor_delay=lambda _random: (0.0, 2.0))
async def test_what_becomes_due_while_an_answer_of_the_store_is_on_its_way_is_claimed_at_once(tmp_path: Path):
    """And where nothing is due, nothing is claimed."""
    clock = VirtualClock()
    store = HoldingStore(tmp_path / "alertd.db", ballast_bytes=0)
    begun_us = clock.now().boot_us
    store.due_us, store.asked_us = begun_us + 1_000_000, []
    store.open("holding", clock)
    dispatch = Dispatch(
        store=store, clock=clock, committer=Committer(), channels={"sms": FakeChannel("sms", "sms")}, lease_s=60
    )
    running = asyncio.create_task(dispatch.run(ListeningDoor()))
    await asyncio.sleep(30)

    assert store.asked_us == [begun_us + 2_000_000], "it waited for the next pass, or claimed without need"
    running.cancel()


@in_virtual_time
async def test_where_the_provider_is_paced_panics_wait_in_line_and_can_still_be_withdrawn() -> None:
    """Req 60: one call a second. What was handed over early would ring after the end."""
    desk = ChannelDesk(PacedChannel(), VirtualClock())
    desk.put(claim("+12025550142"), 0)
    desk.put(claim("+12025550143"), 0)

    first, second = desk.next(), desk.next()

    assert first is not None
    assert second is None, "a panic, too, waits for the rate of a paced channel"
    assert desk.room() == (0, 0), "what has no token yet stays in the store, where it can be withdrawn"
    await asyncio.sleep(1.1)
    assert desk.next() is not None


@in_virtual_time
async def test_an_answer_goes_before_the_staffs_texts_that_still_wait_for_a_paced_carrier() -> None:
    """At one text a second: whoever said that they go hears so before the rest of the school has had its text."""
    desk = ChannelDesk(PacedChannel(), VirtualClock())
    for epoch, lane in enumerate((Lane.STAFF, Lane.STAFF, Lane.ANSWER, Lane.NEXT, Lane.PANIC)):
        desk.put(claim(lane=lane, epoch=epoch), 0)

    left: list[Lane] = []
    for _ in range(5):
        chosen = desk.next()
        assert chosen is not None
        left.append(chosen[0].notification.lane)
        await asyncio.sleep(1.1)

    assert left == [Lane.PANIC, Lane.ANSWER, Lane.STAFF, Lane.STAFF, Lane.NEXT], "an answer waited for the staff"


@in_virtual_time
async def test_promise_2_staff_and_answers_wait_for_no_rate_that_others_used_up_and_use_the_kept_lines() -> None:
    channel = PacedChannel()
    channel.limits = ChannelLimits(per_s=1.0, concurrent=5)
    desk = ChannelDesk(channel, VirtualClock())
    for epoch in range(4):
        desk.put(claim(lane=Lane.ROUTINE, epoch=epoch), 0)
    assert desk.next() is not None
    assert desk.next() is None, "the rate holds for what can wait"
    desk.running = 4
    desk.put(claim(lane=Lane.STAFF, epoch=8), 0)

    chosen = desk.next()

    assert chosen is not None, "promise 2: a panic's text to staff waited for the rate, or for a line"
    assert chosen[0].epoch == 8


class BackloggedStore(SqliteStore):
    """Something is always due."""

    def next_due_us(self) -> tuple[int | None, int | None]:
        return None, 0


@in_virtual_time
async def test_promise_2_a_repeat_is_not_born_claimed_while_first_calls_wait_for_the_rate(tmp_path: Path) -> None:
    """A reminder that is written in the moment in which a token is free would pass two hundred phones that wait."""
    clock = VirtualClock()
    store = BackloggedStore(tmp_path / "alertd.db", ballast_bytes=0)
    store.open("backlog", clock)
    channels: dict[str, Channel] = {"voice": PacedChannel(), "sms": FakeChannel("sms", "sms")}
    dispatch = Dispatch(store=store, clock=clock, committer=Committer(), channels=channels, lease_s=60)
    assert dispatch.room().rest["voice"] == 1, "nothing waits yet"
    running = asyncio.create_task(dispatch.run(ListeningDoor()))
    await asyncio.sleep(2)

    room = dispatch.room()
    assert room.rest["voice"] == 0, "promise 2: a repeat passes first calls that wait"
    assert room.panic["voice"] == 1
    assert room.rest["sms"] > 1, "where nobody waits for a rate, nothing is held up"
    running.cancel()


@in_virtual_time
async def test_what_was_not_even_tried_uses_up_no_rate(tmp_path: Path) -> None:
    """A phone that our own call still has rings nobody: the next phone must not wait a second for it."""
    stage = Stage(tmp_path, ChannelLimits(per_s=0.1, paced=True))

    async def behave(claim: Claim) -> Outcome:
        if claim.epoch < 4:
            return Failed(permanent=False, code="line_held", retry_after_s=10, not_tried=True)
        return Accepted(ref=claim.notification.id)

    stage.sms.behave = behave
    await asyncio.sleep(0)
    stage.take(*(claim(epoch=n) for n in range(6)))
    await asyncio.sleep(1)

    assert [c.epoch for c in stage.sms.sent] == [0, 1, 2, 3, 4], "who can be rung waits for those who cannot"
    await asyncio.sleep(9.2)
    assert len(stage.sms.sent) == 6, "and one call in ten seconds stays one call in ten seconds"


@in_virtual_time
async def test_what_the_store_takes_for_a_claim_is_not_lost_to_the_rate() -> None:
    """Two hundred phones at one a second: with 0.3 s lost on each, the last one rang after four minutes and a half."""
    clock = VirtualClock()
    bucket = TokenBucket(1.0, clock)
    begun_us, calls = clock.now().boot_us, 0
    while calls < 60:
        await asyncio.sleep(bucket.wait_s() + 0.3)  # the claim, on its way
        while bucket.whole():
            bucket.draw()
            calls += 1

    took_s = (clock.now().boot_us - begun_us) / 1e6
    assert 59 <= took_s <= 61, "the rate is not what was written"


@pytest.mark.parametrize("per_s", [0.03, 0.3, 1.0, 3.0, 7.0])
@in_virtual_time
async def test_whoever_waits_as_long_as_is_said_has_a_token(per_s: float) -> None:
    """Else the claim loop asks again and again at the same moment."""
    bucket = TokenBucket(per_s, VirtualClock())
    for _ in range(30):
        bucket.draw()
    for _ in range(50):
        bucket.draw()
        for _ in range(3):  # rounded to whole microseconds, at most twice
            await asyncio.sleep(bucket.wait_s())

        assert bucket.whole() >= 1, "it is never there"
        assert bucket.wait_s() == 0.0


@in_virtual_time
async def test_a_pause_is_no_licence_to_call_two_phones_at_once() -> None:
    bucket = TokenBucket(1.0, VirtualClock())
    await asyncio.sleep(600)

    assert bucket.whole() == 1


class PacedChannel:
    name, kind = "voice", "voice"
    limits = ChannelLimits(per_s=1.0, concurrent=20, paced=True)

    async def send(self, claim: Claim) -> Outcome:
        raise AssertionError(claim)

    async def look_up(self, row: object) -> Outcome | None:
        raise AssertionError(row)
