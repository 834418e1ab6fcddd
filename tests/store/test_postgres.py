"""The contract on PostgreSQL, and what only several nodes can get wrong."""

import asyncio
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from alertd.daemon.retention import Retention
from alertd.model.decision import Decision
from alertd.model.events import ClockStepped
from alertd.model.ids import DISTRICT, CauseId, SiteId
from alertd.model.notification import NotificationState
from alertd.ports import Store, StoreError
from alertd.store import open_store
from alertd.store.postgres import PostgresStore
from alertd.testing.store_contract import LEASE_S, MakeStore, StoreContract, World
from alertd.testing.store_contract.world import PLENTY, of_boot, outbox
from alertd.testing.store_values import (
    OAK,
    SECOND_US,
    START_WALL_US,
    TestClock,
    entry,
    first_wave,
    incident,
    press,
    queued,
    text,
    timer,
)
from alertd_simulator.virtual_time import COMMIT_DELAY, in_virtual_time
from tests.daemon.world import World as Daemon

pytestmark = pytest.mark.slow
ELM = SiteId("elm")


@pytest.fixture
def make_store(postgres_url: str) -> Callable[[], Store]:
    return lambda: open_store(postgres_url, lease_s=LEASE_S)


class OnItsOwnClock(PostgresStore):
    """The database's clock shows the true time, however wrong the nodes' are: a test's hour passes there, too."""

    def _clock_us(self) -> int:
        clock = self._opened_clock
        assert isinstance(clock, TestClock)
        return START_WALL_US + 12_345 * SECOND_US + clock.passed_us


class TestPostgres(StoreContract):
    shared = True

    @pytest.fixture
    def make_store(self, postgres_url: str) -> Callable[[], Store]:
        return lambda: OnItsOwnClock(postgres_url, lease_s=LEASE_S)

    def let_lease_end(self, world: World) -> None:
        world.let_lease_end()


@pytest.fixture
def world(make_store: MakeStore):
    world = World(make_store)
    yield world
    world.close()


# --- clocks that differ -----------------------------------------------------------------------------------------------

YEAR_S = 365 * 86_400


class Pair:
    """Two nodes on one database. The second one's clock differs, and nobody has noticed."""

    def __init__(self, url: str, ahead_s: int) -> None:
        self.a, self.b = World(lambda: OnItsOwnClock(url)), World(lambda: OnItsOwnClock(url))
        self.b.close()
        self.b.clock = TestClock(boot_id="boot-b", boot_us=77 * SECOND_US)
        self.b.clock.wall_us += ahead_s * SECOND_US
        self.b.store = self.b.another()

    def passes(self, seconds: float) -> None:
        self.a.clock.advance(seconds)
        self.b.clock.advance(seconds)

    def knows_press(self, world: World) -> float | None:
        """How long ago, in seconds."""
        now = world.clock.now()
        with world.store.begin([OAK], now) as transaction:
            seen_us = transaction.seen_us(CauseId("press-1"))
        return None if seen_us is None else round((now.wall_us - seen_us) / SECOND_US)


@pytest.fixture
def pair(postgres_url: str, ahead_s: int) -> Iterator[Pair]:
    pair = Pair(postgres_url, ahead_s)
    waits = tuple(queued(of_boot(pair.a, f"ntf-{n}", 300)) for n in (1, 2, 3))
    pair.a.commit(Decision(cause=CauseId("press-1"), incidents=(incident(1),), notifications=waits))
    pair.passes(3)
    yield pair
    pair.a.close()
    pair.b.close()


@pytest.mark.parametrize("ahead_s", [4, 600, 7_200, -7_200, YEAR_S, -YEAR_S])
class TestClocksThatDiffer:
    """None of what one node has written is older or younger for another."""

    def test_what_waits_is_true_for_as_long_on_every_node(self, pair: Pair, ahead_s: int) -> None:
        b = pair.b
        assert [c.notification.id for c in b.claim({"sms": 1})] == ["ntf-1"], "a node with a wrong clock threw it away"
        left_us = b.row("ntf-2").notification.expires_us - b.clock.wall_us
        assert round(left_us / SECOND_US) == 297, "whoever looks there is told of another time"
        pair.passes(295)
        assert [c.notification.id for c in b.claim({"sms": 1})] == ["ntf-2"]
        pair.passes(4)
        assert b.claim() == (), "what is not true any more was sent by a node with a wrong clock"
        assert b.row("ntf-3").state is NotificationState.EXPIRED

    def test_what_waits_outlives_a_clock_that_is_set_right(self, pair: Pair, ahead_s: int) -> None:
        """B's rows, on B while it is set, and on A afterwards."""
        pair.b.commit(outbox(of_boot(pair.b, "ntf-b", 300)), event=press(2))
        pair.b.clock.wall_us -= ahead_s * SECOND_US
        pair.b.commit(Decision(), event=ClockStepped(site_id=DISTRICT, step_us=-ahead_s * SECOND_US))
        left_us = pair.b.row("ntf-b").notification.expires_us - pair.b.clock.wall_us
        assert round(left_us / SECOND_US) == 300
        pair.passes(200)
        assert "ntf-b" in [c.notification.id for c in pair.a.claim()]

    def test_a_press_is_as_long_ago_on_every_node_and_none_forgets_it_for_all(self, pair: Pair, ahead_s: int) -> None:
        assert pair.knows_press(pair.b) == 3, "a copy pages again, or a press is taken for one"
        pair.b.store.prune(pair.b.clock.now())
        assert pair.knows_press(pair.a) == 3, "a node with a wrong clock forgot what another knew"
        pair.passes(31 * 86_400)
        pair.b.store.prune(pair.b.clock.now())
        assert pair.knows_press(pair.a) is None, "causes are kept for ever"


def test_a_lease_runs_on_the_databases_real_clock(world: World) -> None:
    world.commit(outbox(text("ntf-1")))
    world.claim()
    other = world.another()
    world.clock.advance(YEAR_S)
    assert other.abandoned(world.clock.now()) == (), "a node with a wrong clock took a message out of another's hands"
    time.sleep(LEASE_S + 0.1)
    assert [row.notification.id for row in other.abandoned(world.clock.now())] == ["ntf-1"]


def test_a_node_sees_what_another_committed_at_the_same_site(world: World) -> None:
    other = world.another()
    now = world.clock.now()
    with other.begin([OAK], now) as transaction:
        assert transaction.site_state(OAK).incidents == {}
    world.commit(first_wave())
    with other.begin([OAK], now) as transaction:
        assert list(transaction.site_state(OAK).incidents) == ["inc-1"]
        transaction.write(press(), Decision(entries=(entry("second node"),)), now)
        transaction.commit(born_leased={})
    world.commit(Decision(entries=(entry("first node again"),)))

    assert world.store.verify_journal(OAK) == 5


def test_two_nodes_never_claim_the_same_row(world: World) -> None:
    world.commit(outbox(*(text(f"ntf-{i:02}") for i in range(20))))
    other = world.another()
    mine = world.claim({"sms": 12})
    theirs = other.claim(PLENTY, world.clock.now())

    assert len(mine) == 12
    assert len(theirs) == 8
    assert not {c.notification.id for c in mine} & {c.notification.id for c in theirs}


def test_a_row_that_is_being_claimed_is_skipped_not_waited_for(world: World) -> None:
    world.commit(outbox(text("ntf-1"), text("ntf-2")))
    other = world.another()
    session = other._session  # type: ignore[attr-defined]
    session.rows("SELECT id FROM notification WHERE id = 'ntf-1' FOR UPDATE")
    try:
        assert [claim.notification.id for claim in world.claim()] == ["ntf-2"]
    finally:
        session.rollback()


def test_a_due_timer_goes_to_one_node(world: World) -> None:
    world.commit(Decision(timers=(timer("t", delay_s=1),)))
    other = world.another()
    now = world.clock.advance(2)

    assert len(world.store.due_timers(now, 10) + other.due_timers(now, 10)) == 1


def test_two_nodes_never_hand_out_the_same_token(world: World) -> None:
    now = world.clock.now()
    other = world.another()
    tokens = []
    for number, store, site in ((1, world.store, OAK), (2, other, ELM), (3, world.store, OAK), (4, other, ELM)):
        with store.begin([site], now) as transaction:
            token = transaction.free_tokens(1)[0]
            tokens.append(token)
            new = incident(number, site_id=site, token=token)
            transaction.write(press(number, site_id=site), Decision(incidents=(new,)), now)
            transaction.commit(born_leased={})

    assert all(a != b for a, b in pairwise(sorted(tokens)))


def test_a_lost_connection_is_a_store_error_and_then_mended(world: World) -> None:
    other = world.another()
    killer = other._session  # type: ignore[attr-defined]
    pid = world.store._session.connection.info.backend_pid  # type: ignore[attr-defined]
    killer.rows("SELECT pg_terminate_backend(?)", (pid,))
    killer.rollback()
    with pytest.raises(StoreError):
        world.commit(first_wave())
    world.commit(first_wave())

    assert world.store.verify_journal(OAK) == 3


def test_the_password_is_in_no_error() -> None:
    store = open_store("postgresql://alertd:" + "hunter2@127.0.0.1:1/none")
    with pytest.raises(StoreError) as caught:
        store.open("daemon", TestClock())

    assert "hunter2" not in str(caught.value)


@in_virtual_time(executor_delay=COMMIT_DELAY)
async def test_the_daemon_erases_who_went_when_a_sensor_reported(make_store: MakeStore, tmp_path: Path) -> None:
    """Req 73, the daemon on PostgreSQL: what `tests/daemon/test_retention.py` sees on SQLite."""
    world = Daemon(tmp_path, store=lambda _: make_store())  # type: ignore[arg-type,return-value]
    await world.start()
    world.press("vape-wc", "vape")
    world.press("badge-204")
    await asyncio.sleep(600)
    assert await Retention(store=world.store, clock=world.clock, days=0).look(world.daemon.intake) == 1

    erased = {str(i.incident_class): i.erased_us is not None for i in world.incidents()}
    assert erased == {"vape": True, "lockdown": False}
    (vape,) = (i for i in world.incidents() if i.erased_us is not None)
    assert world.store.read_notifications(vape.id) == ()
    assert world.store.verify_journal(OAK) > 0
    await world.stop()
