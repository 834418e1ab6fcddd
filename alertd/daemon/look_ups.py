"""Attempts of which nobody knows what became: their providers are asked.

Owns when they are asked, how many at once, and that an answer comes. Must never send anything: what follows from the
answer, the core decides.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence

import structlog

from alertd.daemon.committer import Committer
from alertd.daemon.deadlines import begin, cut_off
from alertd.model.events import OutcomeReported
from alertd.model.ids import NotificationId
from alertd.model.notification import NotificationRow, NotificationState
from alertd.model.outcome import Outcome, Unknown
from alertd.ports import Channel, Clock, Store, StoreError

LOOK_UP_AFTER_S = 3.0
"""A provider needs about this long before it lists what it took."""
LOOK_UP_DEADLINE_S = 10.0
LOOK_UPS_GATHER_S = 0.1
"""Attempts that become unknown within this long are read together."""
LOOK_UPS_MAX = 20
"""Providers are asked about this many attempts at once."""

log = structlog.get_logger(__name__)


class LookUps:
    """`channel`: the configured one of that name. `submit`: the door; False: not committed, recovery asks again.
    `spawn`: runs a named task, which ends with the daemon."""

    def __init__(
        self,
        *,
        store: Store,
        clock: Clock,
        committer: Committer,
        channel: Callable[[str], Channel | None],
        submit: Callable[[OutcomeReported], Awaitable[bool]],
        spawn: Callable[[Coroutine[None, None, None], str], None],
    ) -> None:
        self._store = store
        self._clock = clock
        self._committer = committer
        self._channel = channel
        self._submit = submit
        self._spawn = spawn
        self._asking: set[NotificationId] = set()
        self._gathering: list[NotificationId] = []
        """Attempts that became unknown just now, whose providers will be asked together."""
        self._questions = asyncio.Semaphore(LOOK_UPS_MAX)

    def is_asking(self, notification_id: NotificationId) -> bool:
        """Its provider will be asked, or is being asked."""
        return notification_id in self._asking

    def later(self, notification_id: NotificationId) -> None:
        """Ask the provider, once it has had time to list what it took."""
        if notification_id in self._asking:
            return
        self._asking.add(notification_id)
        if not self._gathering:
            self._gathering = []
            self._spawn(self._ask_together(self._gathering), "look-ups")
        self._gathering.append(notification_id)

    async def _ask_together(self, ids: list[NotificationId]) -> None:
        """What became unknown together is read together: the texts of a crash would else wait for one another's turn
        at the store, and the claims of those already answered would wait behind all of them."""
        try:
            await asyncio.sleep(LOOK_UPS_GATHER_S)
            self._gathering = []
            await asyncio.sleep(LOOK_UP_AFTER_S)
            for row in await self._committer.run(lambda: self._unknown_rows(ids)):
                ids.remove(row.notification.id)
                self._spawn(self._ask_about(row), f"look-up:{row.notification.id}")
        except StoreError as error:
            log.warning("look_up_failed", notifications=ids, error=str(error))  # recovery asks again
        finally:
            self._asking.difference_update(ids)

    async def _ask_about(self, row: NotificationRow) -> None:
        try:
            async with self._questions:
                outcome = await self._ask(row)
            await self._submit(
                OutcomeReported(
                    site_id=row.notification.site_id,
                    notification_id=row.notification.id,
                    epoch=row.epoch,
                    outcome=outcome,
                    looked_up=True,
                )
            )
        finally:
            self._asking.discard(row.notification.id)

    async def _ask(self, row: NotificationRow) -> Outcome:
        channel = self._channel(row.notification.endpoint.channel)
        if channel is None:
            return Unknown(detail="its channel is not configured any more, nobody can be asked")
        asking = begin(channel.look_up(row), channel.name)
        answer = await cut_off(asking, channel.name, LOOK_UP_DEADLINE_S)
        return answer if answer is not None else Unknown(detail="the provider cannot tell")

    def _unknown_rows(self, ids: Sequence[NotificationId]) -> tuple[NotificationRow, ...]:
        """In the writer thread: those of them whose fate is still unknown."""
        with self._store.begin((), self._clock.now()) as tx:
            rows = [tx.notification(notification_id) for notification_id in ids]
        return tuple(row for row in rows if row is not None and row.state is NotificationState.UNKNOWN)
