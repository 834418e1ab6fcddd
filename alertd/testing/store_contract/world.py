"""One database, one clock, and the store that is open on it: what every part of the contract plays on.

Owns the fixture that makes it anew for each test, and the words in which the parts say what is written. Holds no
promise.
"""

import time
from collections.abc import Callable, Iterator, Mapping

import pytest
from msgspec.structs import replace

from alertd.model.decision import Decision
from alertd.model.events import Event
from alertd.model.ids import NotificationId, SiteId
from alertd.model.notification import Claim, Notification, NotificationRow
from alertd.ports import Store
from alertd.testing.store_values import SECOND_US, TestClock, incident, press, queued, text

LEASE_S = 1.0
PLENTY: Mapping[str, int] = {"sms": 100, "dispatch": 100}
NONE: Mapping[str, int] = {}
ELM = SiteId("elm")
MakeStore = Callable[[], Store]


class World:
    """One database, one clock, and the store that is open on it."""

    def __init__(self, make_store: MakeStore) -> None:
        self.make_store = make_store
        self.clock = TestClock()
        self._incarnation = 0
        self._open: list[Store] = []
        self.store = self.another()

    def another(self) -> Store:
        """One more node, or the next incarnation."""
        self._incarnation += 1
        store = self.make_store()
        store.open(f"daemon-{self._incarnation}", self.clock)
        self._open.append(store)
        return store

    def restart(self) -> None:
        self.close()
        self.store = self.another()

    def close(self) -> None:
        for store in self._open:
            store.close()
        self._open.clear()

    def commit(
        self, decision: Decision, *, event: Event | None = None, born: Mapping[str, int] = NONE
    ) -> tuple[Claim, ...]:
        cause = event or press()
        now = self.clock.now()
        with self.store.begin([cause.site_id], now) as transaction:
            transaction.write(cause, decision, now)
            return transaction.commit(born_leased=born)

    def row(self, notification_id: str) -> NotificationRow:
        found = self.store.read_notification(NotificationId(notification_id))
        assert found is not None, f"{notification_id} is not in the outbox"
        return found

    def claim(self, limits: Mapping[str, int] = PLENTY) -> tuple[Claim, ...]:
        return self.store.claim(limits, self.clock.now())

    def let_lease_end(self) -> None:
        self.clock.advance(LEASE_S + 1)


def of_boot(world: World, notification_id: str, life_s: int) -> Notification:
    """A text that is true so long from now, in both clocks."""
    now = world.clock.now()
    return replace(
        text(notification_id, created_us=now.wall_us, expires_us=now.wall_us + life_s * SECOND_US),
        created_boot_us=now.boot_us,
        expires_boot_us=now.boot_us + life_s * SECOND_US,
        boot_id=now.boot_id,
    )


def ids(claims: tuple[Claim, ...]) -> list[str]:
    return [claim.notification.id for claim in claims]


def outbox(*notifications: Notification) -> Decision:
    return Decision(incidents=(incident(1),), notifications=tuple(map(queued, notifications)))


class OneWorld:
    """A part of the contract. `shared`: several nodes may hold its database open at once."""

    shared = False

    @pytest.fixture
    def world(self, make_store: MakeStore) -> Iterator[World]:
        world = World(make_store)
        yield world
        world.close()

    def let_lease_end(self, world: World) -> None:
        world.let_lease_end()
        if self.shared:
            time.sleep(LEASE_S + 0.1)  # its leases run on the database's own clock
