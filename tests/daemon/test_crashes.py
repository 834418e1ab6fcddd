"""`kill -9` between each two steps of a press: nothing is lost, nobody is told twice but where nobody can know."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from alertd.model.anchor import Now
from alertd.model.ids import SiteId
from alertd.model.notification import Claim, Kind, NotificationRow, NotificationState
from alertd.model.outcome import Delivered, Failed, Outcome
from alertd.store.sqlite import SqliteStore
from alertd.store.transaction import SqlTransaction
from alertd_simulator.virtual_time import COMMIT_DELAY, in_virtual_time
from tests.daemon.world import World


class PowerCutError(BaseException):
    """The process is dead from here on."""


class CrashingStore(SqliteStore):
    """Dies at the commit that makes an incident, before or after the disk has it."""

    die_before = False
    die_after = False

    @contextmanager
    def begin(self, site_ids: Sequence[SiteId], now: Now) -> Iterator[SqlTransaction]:
        with super().begin(site_ids, now) as transaction:
            commit = transaction.commit

            def crash(*, born_leased: Mapping[str, int]) -> tuple[Claim, ...]:
                opens = "oak" in site_ids
                if opens and self.die_before:
                    raise PowerCutError
                claims = commit(born_leased=born_leased)
                if opens and self.die_after:
                    raise PowerCutError
                return claims

            transaction.commit = crash  # type: ignore[method-assign]
            yield transaction


class Carrier:
    """Knows what it took, also from the dead."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.dead = False
        self.took: Counter[str] = Counter()
        self.attempts: Counter[str] = Counter()
        self.die_at_first_send = False
        world.sms.behave = self.take
        world.sms.remembers = self.recall

    async def take(self, claim: Claim) -> Outcome:
        if self.dead:
            await asyncio.Event().wait()
        self.took[claim.notification.id] += 1
        if self.die_at_first_send:
            self.kill()
            await asyncio.Event().wait()
        return Delivered(ref=f"SM-{claim.notification.id}")

    def recall(self, row: NotificationRow) -> Outcome | None:
        if self.took[row.notification.id]:
            return Delivered(ref=f"SM-{row.notification.id}")
        return Failed(permanent=False, code="not_found")

    def kill(self) -> None:
        self.dead = True
        self.world.running.cancel()


def before_commit(world: World, _carrier: Carrier) -> None:
    assert isinstance(world.store, CrashingStore)
    world.store.die_before = True


def after_commit_before_puback(world: World, _carrier: Carrier) -> None:
    assert isinstance(world.store, CrashingStore)
    world.store.die_after = True


def after_puback_before_send(world: World, carrier: Carrier) -> None:
    world.source.on_ack = lambda _id: carrier.kill()
    carrier.dead = True  # whatever dispatch begins in the same instant never reaches the wire


def after_send_before_outcome(_world: World, carrier: Carrier) -> None:
    carrier.die_at_first_send = True


STEPS = (before_commit, after_commit_before_puback, after_puback_before_send, after_send_before_outcome)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.__name__)
def test_promise_1_a_crash_loses_no_press_and_tells_nobody_twice(
    tmp_path: Path, step: Callable[[World, Carrier], None], seed: int
):
    @in_virtual_time(seed=seed, executor_delay=COMMIT_DELAY)
    async def story():
        world = World(tmp_path, store=lambda path: CrashingStore(path, ballast_bytes=0))
        carrier = Carrier(world)
        await world.start()
        await asyncio.sleep(0.5)
        step(world, carrier)
        arrival = world.press(cause="press-1")
        with suppress(PowerCutError, asyncio.CancelledError):
            await asyncio.wait_for(asyncio.shield(world.running), 5)
        assert world.running.done(), "the crash did not happen"

        carrier.dead = carrier.die_at_first_send = False
        world.source.on_ack = lambda _id: None
        await world.start()
        await asyncio.sleep(20)

        assert world.source.acked == [arrival]
        assert len(world.incidents()) == 1, "promise 1: no press is lost — the crash lost it, or made two of it"
        alerts = [r for r in world.rows() if r.notification.kind is Kind.ALERT]
        told = {r.notification.recipient for r in alerts}
        assert {"Ruiz", "Chen", "Okafor", "Diaz"} <= told, "promise 1: no press is lost — somebody was not told"
        assert {r.state for r in alerts} == {NotificationState.DELIVERED}, "a notification has no outcome"
        twice = {id_: n for id_, n in carrier.took.items() if n > 1}
        assert not twice, f"told twice although the carrier could say what it took: {twice}"
        await world.stop()

    story()


@in_virtual_time(executor_delay=COMMIT_DELAY)
async def test_what_nobody_can_know_is_sent_twice_rather_than_never(tmp_path: Path):
    world = World(tmp_path, store=lambda path: CrashingStore(path, ballast_bytes=0))
    carrier = Carrier(world)
    world.sms.remembers = lambda _row: None
    await world.start()
    carrier.die_at_first_send = True
    world.press(cause="press-1")
    with suppress(asyncio.CancelledError):
        await world.running
    carrier.dead = carrier.die_at_first_send = False
    await world.start()
    await asyncio.sleep(20)

    alerts = [r for r in world.rows() if r.notification.kind is Kind.ALERT]
    assert {r.state for r in alerts} == {NotificationState.DELIVERED}
    assert max(carrier.took.values()) == 2
    await world.stop()


def reminded(world: World) -> bool:
    return any(claim.notification.step == 1 for claim in world.sms.sent)


@in_virtual_time(executor_delay=COMMIT_DELAY)
async def test_an_escalation_goes_on_after_a_crash(tmp_path: Path):
    world = World(tmp_path)
    await world.start()
    world.press()
    await asyncio.sleep(5)
    assert not reminded(world)
    await world.crash()
    await asyncio.sleep(300)  # the second step was due long ago
    await world.start()
    await asyncio.sleep(3)

    assert reminded(world), "promise 1: a timer that came due while the daemon was down was lost"
    await world.stop()


@pytest.mark.slow
@in_virtual_time(executor_delay=COMMIT_DELAY)
async def test_crashing_all_the_time_loses_no_press(tmp_path: Path):
    """Twenty presses, a crash every few hundred milliseconds."""
    world = World(tmp_path)
    devices = ["badge-204", "badge-118", "badge-elm"]
    arrivals = []
    for n in range(20):
        await world.start()
        arrivals.append(world.press(devices[n % 3], "press", cause=f"press-{n}"))
        await asyncio.sleep(0.05 * (n % 7))
        await world.crash()
    await world.start()
    await asyncio.sleep(5)

    assert sorted(set(world.source.acked)) == sorted(arrivals), (
        "promise 1: no press is lost — one was never acknowledged"
    )
    counted = sum(press.count for incident in world.incidents() for press in incident.presses)
    assert counted == 20, f"promise 1: no press is lost — {counted} of 20 are in the incidents"
    await world.stop()
