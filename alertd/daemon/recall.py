"""Takes back what a provider has taken, nobody has got yet, and nobody should get any more: a phone that still rings
after the end, for a drill that is over, or for somebody who has answered already.

Owns asking for it: at once when a decision says so, and every few seconds from what is stored, which also finds what a
crash left, what was on its way when it was decided, and what the provider did not hear of. By the rule of a claim
(`model.notification.unwanted`): what may not be sent any more may not ring any more.
Must never: hold up a press or a send, or claim what the provider did not say.
"""

import asyncio
import contextlib
from collections.abc import Callable, Mapping, Sequence

import structlog

from alertd.daemon.deadlines import begin, cut_off
from alertd.model.decision import Decision
from alertd.model.events import OutcomeReported
from alertd.model.mode import Mode
from alertd.model.notification import Circumstances, NotificationRow, NotificationState, unwanted
from alertd.model.outcome import Unknown, Withdrawn
from alertd.ports import Clock, Door, NotCommittedError, Recalling, Store, StoreError

ROUND_S = 5.0
"""Seconds between two looks when nothing calls for one."""
DEADLINE_S = 10.0
"""For one answer of a provider."""
ASKED_MAX = 10
"""Providers are asked to take so many back at once."""
TRIED_FOR_S = 240.0
"""A provider is asked again for so long: no call lasts longer."""
LISTENED_TO_US = 900 * 1_000_000
"""Calls of a drill that were decided longer ago are over: they waited minutes at most, and take minutes."""
LOOKED_BACK_US = 24 * 3600 * 1_000_000
"""Older rows are settled, whatever the wall clock has done since."""
DRILLS_MAX = 10_000
DRILLS_LATEST = 50
"""Begun last, of all sites: those among them that have just ended."""

log = structlog.get_logger(__name__)


class Recall:
    """A follower of what is committed, and a task of its own. `abilities`: of each channel that can, by its name."""

    def __init__(self, *, store: Store, clock: Clock, abilities: Callable[[], Mapping[str, Recalling]]) -> None:
        self._store = store
        self._clock = clock
        self._abilities = abilities
        self._wake = asyncio.Event()
        self._slots = asyncio.Semaphore(ASKED_MAX)
        self._asking: dict[str, asyncio.Task[None]] = {}
        """By the provider's name of what is asked for, and so are the next two."""
        self._done: set[str] = set()
        """Of which the provider has said all that it will; a later process asks once more."""
        self._tried_us: dict[str, int] = {}
        """Boot time of the first try."""

    def committed(self, decision: Decision) -> None:
        if decision.recall:
            self._wake.set()

    async def run(self, door: Door) -> None:
        try:
            while True:
                self._wake.clear()
                try:
                    await self.look(door)
                except StoreError as error:
                    log.warning("recall_failed", error=str(error))
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(ROUND_S):
                        await self._wake.wait()
        finally:
            for task in self._asking.values():
                task.cancel()

    async def look(self, door: Door) -> None:
        """One round: ask for everything that is not wanted any more. Does not wait for the answers."""
        abilities = self._abilities()
        if not abilities:
            return
        rows = await asyncio.to_thread(self._unsettled, tuple(abilities))  # not by the writer: presses wait for it
        self._done &= {row.ref for row in rows}
        rows = [row for row in rows if row.ref not in self._done]
        for row in await asyncio.to_thread(self._outlived, rows) if rows else ():
            if row.ref not in self._asking:
                taking_back = self._take_back(abilities[row.notification.endpoint.channel], row, door)
                name = f"recall:{row.notification.id}"
                self._asking[row.ref] = asyncio.get_running_loop().create_task(taking_back, name=name)

    def _unsettled(self, channels: Sequence[str]) -> list[NotificationRow]:
        """What providers have taken. The newest first; last what somebody may be listening to still, of a drill."""
        now = self._clock.now()
        taken = (row for channel in channels for row in self._store.read_unsettled(channel, now, LOOKED_BACK_US))
        return [row for row in (*taken, *self._listened_to(channels)) if row.ref]

    def _listened_to(self, channels: Sequence[str]) -> list[NotificationRow]:
        """Where a drill has just ended, what a human has of drills, also what says that one begins or goes on: of a
        call that is known as soon as it is taken, and its words go on."""
        now = self._clock.now()
        since_us = now.wall_us - round(TRIED_FOR_S * 1_000_000)
        drills = self._store.read_drills(running_only=False, site_id=None, limit=DRILLS_LATEST)
        if not any(not drill.is_running and (drill.ended_us or 0) >= since_us for drill in drills):
            return []
        rows = (row for channel in channels for row in self._store.read_under_way(channel, now, LISTENED_TO_US))
        return [r for r in rows if r.state is NotificationState.DELIVERED and r.notification.mode is Mode.DRILL]

    def _outlived(self, rows: Sequence[NotificationRow]) -> list[NotificationRow]:
        """Of these, what would not be sent now."""
        drilling = {d.site_id for d in self._store.read_drills(running_only=True, site_id=None, limit=DRILLS_MAX)}
        latest = self._store.read_drills(running_only=False, site_id=None, limit=DRILLS_LATEST)
        overtaken = {each.id for drill in latest for each in drill.line() if each.overtaken}
        ids = {row.notification.incident_id for row in rows}
        incidents = {id_: self._store.read_incident(id_) for id_ in ids if id_ is not None}
        return [
            row
            for row in rows
            if unwanted(
                n := row.notification,
                Circumstances.of(
                    n,
                    incidents[n.incident_id] if n.incident_id is not None else None,
                    drill_running=n.site_id in drilling,
                    drills_overtaken=overtaken,
                ),
            )
        ]

    async def _take_back(self, ability: Recalling, row: NotificationRow, door: Door) -> None:
        n = row.notification
        first_us = self._tried_us.setdefault(row.ref, self._clock.now().boot_us)
        try:
            async with self._slots:
                outcome = await cut_off(
                    begin(ability.withdraw(row), n.endpoint.channel), n.endpoint.channel, DEADLINE_S
                )
            if outcome is None or isinstance(outcome, Unknown):
                self._try_again(row, first_us)
                return
            if isinstance(outcome, Withdrawn):
                report = OutcomeReported(site_id=n.site_id, notification_id=n.id, epoch=row.epoch, outcome=outcome)
                await door.submit(report)
            self._settle(row)  # anything else was too late: the call's own status tells
        except NotCommittedError as error:
            log.warning("recall_not_committed", notification=n.id, error=str(error))  # the next round asks again
        finally:
            self._asking.pop(row.ref, None)

    def _try_again(self, row: NotificationRow, first_us: int) -> None:
        """In the next round; or never, and say so."""
        if self._clock.now().boot_us - first_us > TRIED_FOR_S * 1_000_000:
            log.warning("not_taken_back", notification=row.notification.id, ref=row.ref)
            self._settle(row)

    def _settle(self, row: NotificationRow) -> None:
        self._done.add(row.ref)
        self._tried_us.pop(row.ref, None)
