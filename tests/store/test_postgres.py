"""The contract on PostgreSQL, and what only several nodes can get wrong."""

import asyncio
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest

from alertd.daemon.retention import Retention
from alertd.model.decision import Decision
from alertd.model.ids import SiteId
from alertd.ports import Store, StoreError
from alertd.store import open_store
from alertd.testing.store_contract import LEASE_S, PLENTY, MakeStore, StoreContract, World, outbox
from alertd.testing.store_values import OAK, TestClock, entry, first_wave, incident, press, text, timer
from alertd_simulator.virtual_time import COMMIT_DELAY, in_virtual_time
from tests.daemon.world import World as Daemon

pytestmark = pytest.mark.slow
ELM = SiteId("elm")


@pytest.fixture
def make_store(postgres_url: str) -> Callable[[], Store]:
    return lambda: open_store(postgres_url, lease_s=LEASE_S)


class TestPostgres(StoreContract):
    shared = True


@pytest.fixture
def world(make_store: MakeStore):
    world = World(make_store)
    yield world
    world.close()


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
            token = transaction.free_tokens(1, now.wall_us)[0]
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
