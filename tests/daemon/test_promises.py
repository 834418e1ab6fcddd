"""What the daemon promises a presser: each assertion names its promise."""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
from msgspec.structs import replace

from alertd.daemon.core import CORE
from alertd.model.anchor import Now
from alertd.model.decision import Decision, Facts, SiteState
from alertd.model.events import Event, Pressed, TestOrdered, TimerFired
from alertd.model.ids import CauseId, DeviceId, PersonId, SiteId
from alertd.model.notification import Claim, Kind
from alertd.model.outcome import Delivered, Outcome
from alertd.model.reason import Reason
from alertd.model.site import DeviceKind
from alertd.ports import ChannelLimits, StoreError
from alertd.store.fallback import FallbackStore
from alertd.store.sqlite import SqliteStore
from alertd.store.transaction import SqlTransaction
from alertd_simulator.virtual_time import COMMIT_DELAY, NO_DELAY, ExecutorDelay, in_virtual_time
from tests.daemon.world import World
from tests.engine.school import OAK, registry
from tests.store.failing_disk import Disk


class FlakyStore(SqliteStore):
    """Commits that fail on demand, before anything is on disk."""

    commits_to_fail = 0

    @contextmanager
    def begin(self, site_ids: Sequence[SiteId], now: Now) -> Iterator[SqlTransaction]:
        with super().begin(site_ids, now) as transaction:
            if self.commits_to_fail:
                transaction.commit = self._refuse  # type: ignore[method-assign]
            yield transaction

    def _refuse(self, **_: object) -> tuple[Claim, ...]:
        self.commits_to_fail -= 1
        raise StoreError("the disk did not answer")


def flaky(path: Path) -> FlakyStore:
    return FlakyStore(path, ballast_bytes=0)


def poisonous(device: str):
    """An engine with a defect: it cannot handle this device."""

    def decide(state: SiteState, facts: Facts, event: Event, now: Now) -> Decision:
        if isinstance(event, Pressed) and event.signal.device_id == device:
            raise ZeroDivisionError("a defect")
        return CORE.decide(state, facts, event, now)

    return replace(CORE, decide=decide)


@in_virtual_time(seed=3, executor_delay=COMMIT_DELAY)
async def test_a_press_tells_responders_and_dispatch(tmp_path: Path):
    world = World(tmp_path)
    await world.start()
    arrival = world.press()
    await asyncio.sleep(1)

    assert world.source.acked == [arrival]
    assert {"Ruiz", "Chen"} <= set(world.sms.told())
    assert world.dispatch.told() == ["psap"]
    assert [c.device_id for c in world.feedback.confirmed] == ["badge-204"]
    await world.stop()


@pytest.mark.parametrize("seed", range(5))
def test_promise_1_puback_leaves_after_the_commit(tmp_path: Path, seed: int):
    @in_virtual_time(seed=seed, executor_delay=COMMIT_DELAY)
    async def story():
        world = World(tmp_path)
        await world.start()
        pressed: dict[str, str] = {}
        too_early: list[str] = []

        def look_at_the_disk(arrival: str) -> None:
            if pressed[arrival] not in {press.device_id for i in world.incidents() for press in i.presses}:
                too_early.append(arrival)

        world.source.on_ack = look_at_the_disk
        for device in ("badge-204", "badge-118", "badge-elm"):
            pressed[world.press(device)] = device
            await asyncio.sleep(0.07)
        await asyncio.sleep(2)

        assert sorted(world.source.acked) == sorted(pressed)
        assert too_early == [], "promise 1: no press is lost — PUBACK left before the commit"
        await world.stop()

    story()


@in_virtual_time(executor_delay=COMMIT_DELAY)
async def test_promise_1_a_failed_commit_is_never_acknowledged(tmp_path: Path):
    world = World(tmp_path, store=flaky)
    await world.start()
    await asyncio.sleep(1)
    assert isinstance(world.store, FlakyStore)
    world.store.commits_to_fail = 2  # the batch, and the press by itself
    arrival = world.press()
    await asyncio.sleep(1)

    assert world.source.acked == [], "promise 1: no press is lost — PUBACK left although the commit failed"
    assert world.source.refused == [f"{arrival}: StoreError: the disk did not answer"]
    assert world.sms.sent == [], "commit, then act: somebody was told of what is not on disk"

    world.source.publish(world.source.unacked[arrival])  # the broker delivers again
    await asyncio.sleep(1)
    assert world.source.acked == [arrival]
    assert "Ruiz" in world.sms.told()
    await world.stop()


@in_virtual_time(executor_delay=COMMIT_DELAY)
async def test_a_batch_that_fails_once_is_replayed_and_everybody_is_committed(tmp_path: Path):
    world = World(tmp_path, store=flaky)
    await world.start()
    await asyncio.sleep(1)
    assert isinstance(world.store, FlakyStore)
    world.store.commits_to_fail = 1
    arrivals = [world.press("badge-204"), world.press("badge-118"), world.press("badge-elm")]
    await asyncio.sleep(2)

    assert sorted(world.source.acked) == sorted(arrivals)
    assert {(i.site_id, len(i.presses)) for i in world.incidents()} == {("oak", 2), ("elm", 1)}
    await world.stop()


@in_virtual_time(executor_delay=COMMIT_DELAY)
async def test_promise_1_a_poisonous_press_pages_its_site_and_stops_nobody_else(tmp_path: Path):
    world = World(tmp_path, core=poisonous("wall-gym"))
    await world.start()
    arrivals = [world.press("badge-elm"), world.press("wall-gym", "press"), world.press("badge-204")]
    await asyncio.sleep(5)

    assert sorted(world.source.acked) == sorted(arrivals), "promise 1: a poisonous press must not be a crash loop"
    by_fallback = [c.notification for c in world.sms.sent if c.notification.template == "fallback"]
    assert {n.recipient for n in by_fallback} == {"Ruiz", "Chen", "Nurse", "Okafor", "Diaz"}, (
        "promise 1: no press is lost — one that the engine cannot handle was met with silence"
    )
    assert {n.site_id for n in by_fallback} == {OAK}, "promise 6: the fallback left its site"
    assert {i.site_id for i in world.incidents()} == {"elm", "oak"}, "the innocent of the batch were not handled"
    assert "defect:Pressed" in world.troubles()
    await world.stop()


@in_virtual_time(executor_delay=COMMIT_DELAY)
async def test_a_poisonous_timer_is_no_crash_loop(tmp_path: Path):
    tries = 0

    def decide(state: SiteState, facts: Facts, event: Event, now: Now) -> Decision:
        nonlocal tries
        if isinstance(event, TimerFired):
            tries += 1
            raise ZeroDivisionError("a defect")
        return CORE.decide(state, facts, event, now)

    world = World(tmp_path, core=replace(CORE, decide=decide))
    await world.start()
    world.press()
    await asyncio.sleep(300)

    assert 2 <= tries <= 20, f"the defect was tried {tries} times in five minutes"
    assert "defect:TimerFired" in world.troubles()
    paged = [r.notification.recipient for r in world.rows() if r.notification.reason is Reason.FALLBACK]
    assert paged.count("Diaz") == 3, "promise 2: the engine could not go on, and the site was not paged every 2 min"
    await world.stop()


async def _hang_unless_panic(claim: Claim) -> Outcome:
    if not claim.notification.lane.is_urgent:
        await asyncio.sleep(20)
    return Delivered(ref=claim.notification.id)


async def _order_tests(world: World, number: int) -> None:
    door = world.daemon.intake
    await asyncio.gather(
        *(
            door.submit(TestOrdered(site_id=OAK, cause=CauseId(f"t{n}"), by="admin", person_id=PersonId("nurse")))
            for n in range(number)
        )
    )


@in_virtual_time
async def test_promise_2_a_panic_does_not_wait_for_the_rate_that_others_used_up(tmp_path: Path):
    world = World(tmp_path, sms=ChannelLimits(per_s=1, concurrent=5))
    await world.start()
    await _order_tests(world, 60)
    await asyncio.sleep(0.5)
    assert len(world.sms.sent) <= 2, "the rate limit does not hold"
    before = len(world.sms.sent)
    world.press()
    await asyncio.sleep(0.2)

    panics = [c for c in world.sms.sent[before:] if c.notification.lane.is_urgent]
    assert len(panics) >= 4, "promise 2: nothing silences a first panic — it waited for a rate limit"
    await asyncio.sleep(70)
    assert sum(c.notification.kind is Kind.TEST for c in world.sms.sent) == 60, "the others were never sent"
    await world.stop()


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("delay", [NO_DELAY, COMMIT_DELAY], ids=["fast disk", "slow disk"])
def test_promise_2_a_panic_overtakes_a_channel_full_of_others(tmp_path: Path, seed: int, delay: ExecutorDelay):
    @in_virtual_time(seed=seed, executor_delay=delay)
    async def story():
        world = World(tmp_path, sms=ChannelLimits(concurrent=5, deadline_s=30))
        world.sms.behave = _hang_unless_panic
        await world.start()
        await _order_tests(world, 40)
        await asyncio.sleep(2)
        assert len(world.sms.sent) == 4, "a fifth of the lines is kept for panics"
        world.press()
        await asyncio.sleep(4)  # four panics, one line, and up to 200 ms for each commit

        told = {c.notification.recipient for c in world.sms.sent if c.notification.lane.is_urgent}
        everyone = {"Ruiz", "Chen", "Okafor", "Diaz"}
        assert everyone <= told, "promise 2: nothing silences a first panic — the lane was full"
        await world.stop()

    story()


@in_virtual_time(executor_delay=COMMIT_DELAY)
async def test_promise_2_a_panic_overtakes_a_storm_of_vape_at_the_door(tmp_path: Path):
    """What is no sensor by its row is not gathered in front of the door: there are two lanes behind it."""
    school = registry()
    panel = replace(school.devices[DeviceId("vape-wc")], kind=DeviceKind.BUTTON)
    world = World(tmp_path, school=replace(school, devices={**school.devices, panel.id: panel}))
    await world.start()
    for _ in range(3000):
        world.press("vape-wc", "vape")
    await asyncio.sleep(0.05)  # the first batch is under way
    arrival = world.press("badge-204")
    await asyncio.sleep(10)

    ahead = world.source.acked.index(arrival)
    assert ahead <= 400, f"promise 2: nothing silences a first panic — {ahead} vape events went first"
    await world.stop()


class MemoryStore(SqliteStore):
    """A disk that is full: commits reach memory only, until somebody frees it."""

    full = False

    @property
    def durable(self) -> bool:
        return not self.full

    def heal(self, now: Now) -> bool:
        return super().heal(now) and self.durable


@in_virtual_time(executor_delay=COMMIT_DELAY)
async def test_promise_1_puback_is_withheld_while_the_disk_is_full(tmp_path: Path):
    world = World(tmp_path, store=lambda path: MemoryStore(path, ballast_bytes=0))
    await world.start()
    await asyncio.sleep(1)
    assert isinstance(world.store, MemoryStore)
    world.store.full = True
    arrival = world.press()
    await asyncio.sleep(8)

    assert "Ruiz" in world.sms.told(), "promise 2: a full disk silenced a panic"
    assert world.source.acked == [], "promise 1: PUBACK left for what is not on the disk"
    assert "disk:not-durable" in world.troubles()
    assert not world.daemon.life().alive

    world.store.full = False
    await asyncio.sleep(6)
    assert world.source.acked == [arrival]
    assert "disk:not-durable" not in world.troubles()
    await world.stop()


@in_virtual_time(executor_delay=COMMIT_DELAY)
async def test_promise_2_a_press_beside_a_poisonous_one_on_a_disk_that_has_just_filled_up(tmp_path: Path):
    """The batch fails; each by itself then, and the first of them finds the disk full."""
    disk = Disk(tmp_path / "alertd.db")

    def falls_back(_: Path) -> SqliteStore:
        spare = SqliteStore(tmp_path / "shm" / "alertd.db", ballast_bytes=0, connect=disk.connect_memory)
        return FallbackStore(SqliteStore(disk.path, ballast_bytes=0, connect=disk.connect), spare)  # type: ignore[return-value]

    world = World(tmp_path, core=poisonous("wall-gym"), store=falls_back)
    await world.start()
    await asyncio.sleep(1)
    disk.full = True
    world.press("badge-204")
    world.press("wall-gym", "press")
    await asyncio.sleep(5)

    opened = [(incident.site_id, len(incident.token)) for incident in world.incidents()]
    assert opened == [(OAK, 3)], "promise 2: the disk was found full, and a press was lost"
    alerts = [c.notification for c in world.sms.sent if c.notification.kind is Kind.ALERT]
    assert "fallback" in {n.template for n in alerts}
    assert any(n.incident_id is not None for n in alerts), "promise 2: a full disk and a defect silenced a panic"
    await world.stop()


@in_virtual_time(executor_delay=COMMIT_DELAY)
async def test_a_disk_that_is_well_after_a_crash_is_nobodys_trouble_any_more(tmp_path: Path):
    """Whoever raised the trouble is dead; whoever starts next clears it."""
    world = World(tmp_path, store=lambda path: MemoryStore(path, ballast_bytes=0))
    await world.start()
    assert isinstance(world.store, MemoryStore)
    world.store.full = True
    await asyncio.sleep(8)
    assert "disk:not-durable" in world.troubles()
    await world.crash()
    await world.start()
    await asyncio.sleep(8)

    assert "disk:not-durable" not in world.troubles()
    await world.stop()


@in_virtual_time
async def test_withheld_acknowledgements_never_block_the_next_press(tmp_path: Path):
    world = World(tmp_path, store=lambda path: MemoryStore(path, ballast_bytes=0))
    await world.start()
    await asyncio.sleep(1)
    assert isinstance(world.store, MemoryStore)
    world.store.full = True
    arrivals = [world.press() for _ in range(18)]
    await asyncio.sleep(3)

    assert world.source.acked == arrivals[:3], "a broker lets 20 messages be unacknowledged; some room must stay"
    assert world.daemon.telemetry.count("intake", "acknowledged_not_durable") == 3
    await world.stop()


STALLS = [(3, 0.5, 12, ["staff_assist"]), pytest.param(8, 11, 100, [], marks=pytest.mark.slow)]
"""So many presses, so far apart; so long the first commit takes; what they call for."""


@pytest.mark.parametrize(("times", "every_s", "stalls_s", "calls_for"), STALLS)
def test_presses_are_as_near_each_other_as_they_came_however_long_the_disk_takes(
    tmp_path: Path, times: int, every_s: float, stalls_s: float, calls_for: list[str]
):
    """The button has no clock."""
    stalls: list[float] = []

    @in_virtual_time(executor_delay=lambda _: (0.0, stalls.pop() if stalls else 0.01))
    async def story() -> None:
        world = World(tmp_path)
        await world.start()
        await asyncio.sleep(5)  # whatever a start writes is on disk
        stalls.append(stalls_s)
        for _ in range(times):
            world.press(action="press")
            await asyncio.sleep(every_s)
        await asyncio.sleep(stalls_s + 30)
        called = [i.incident_class.value for i in world.incidents()]
        assert called == calls_for, f"promise 2: gestures count what was pressed when it was pressed: {called}"
        await world.stop()

    story()
