"""What is going on, kept in memory from what was committed: pollers and the clock watch ask it often.

Owns: which incidents are open, which drills and device tests run, as far as this process knows. Must never: decide
anything; the store's rows are the truth.
"""

from collections.abc import Sequence

import structlog

from alertd.model.anchor import step_us
from alertd.model.decision import Decision
from alertd.model.device_memory import DeviceTest
from alertd.model.ids import DeviceId, DrillId, IncidentId, NotificationId, SiteId
from alertd.model.incident import newest_stamp_us
from alertd.model.notification import NotificationRow
from alertd.model.reason import Reason
from alertd.ports import Clock, Store, StoreError

QUIET_AFTER_S = 600.0
"""Replies come in for so long after the last incident was closed."""
UNSETTLED_FOR_S = 24 * 3600.0
"""A message that no provider has settled after a day never will be."""
BELIEVED_S = 30.0
"""So long an answer about unsettled messages holds if no commit of this process changed one; another node may have."""
INCIDENTS_MAX = 10_000
"""Open incidents read at the start."""

log = structlog.get_logger(__name__)


class OpenIncidents:
    """`ports.Activity`, and a follower of what is committed."""

    def __init__(self, *, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._open: dict[IncidentId, SiteId] = {}
        self._drilling: dict[SiteId, DrillId] = {}
        self._tried: dict[str, tuple[DeviceId, DeviceTest]] = {}
        """By the test's id."""
        self._last_us: int | None = None
        self.stepped_us = 0
        """By how much the clock was set while nobody was there to see it, as far as what is going on can tell."""
        self._unsettled: dict[str, tuple[int, Sequence[NotificationRow]]] = {}
        """By channel, with the boot time of the reading: pollers ask every other second, and rarely anything is new."""

    def load(self) -> None:
        """What was open when the daemon last ran."""
        found = self._store.read_incidents(open_only=True, site_id=None, limit=INCIDENTS_MAX)
        self._open.update({incident.id: incident.site_id for incident in found})
        drills = self._store.read_drills(running_only=True, site_id=None, limit=INCIDENTS_MAX)
        self._drilling.update({drill.site_id: drill.id for drill in drills})
        now = self._clock.now()
        steps = [step_us(incident.anchor, newest_stamp_us(incident), now) for incident in found]
        steps += [step_us(drill.anchor, drill.started_us, now) for drill in drills]
        self.stepped_us = max(steps, key=abs, default=0)
        # One that was closed just before we stopped still gets its late replies.
        self._last_us = now.boot_us

    def committed(self, decision: Decision) -> None:
        if decision.changes:
            self._unsettled.clear()
        if decision.drill is not None:
            if decision.drill.is_running:
                self._drilling[decision.drill.site_id] = decision.drill.id
            else:
                self._drilling.pop(decision.drill.site_id, None)
        self._note_tests(decision)
        for incident in decision.incidents:
            if incident.is_open:
                self._open[incident.id] = incident.site_id
            else:
                self._open.pop(incident.id, None)
                self._last_us = self._clock.now().boot_us

    def _note_tests(self, decision: Decision) -> None:
        for memory in decision.gestures:
            if memory.test is not None:
                self._tried[memory.test.id] = (memory.device_id, memory.test)
        for entry in decision.entries if self._tried else ():
            if entry.reason is Reason.TRIED_ENOUGH:
                self._tried.pop(entry.data["test"], None)

    def open_incidents(self) -> bool:
        if self._open:
            return True
        return self._last_us is not None and self._clock.now().boot_us - self._last_us < QUIET_AFTER_S * 1_000_000

    def drills(self) -> dict[SiteId, DrillId]:
        """Those that run."""
        return dict(self._drilling)

    def device_tests(self) -> tuple[tuple[DeviceId, DeviceTest], ...]:
        """Devices that are tried out: those that were begun by this process, or watched over it."""
        return tuple(self._tried.values())

    def open_sites(self) -> tuple[SiteId, ...]:
        """Sites at which something goes on that is timed: an incident, or a drill."""
        return tuple(sorted({*self._open.values(), *self._drilling}))

    def unsettled(self, channel: str) -> Sequence[NotificationRow]:
        now = self._clock.now()
        read_us, rows = self._unsettled.get(channel, (None, ()))
        if read_us is not None and now.boot_us - read_us < BELIEVED_S * 1_000_000:
            return rows
        try:
            rows = self._store.read_unsettled(channel, now, round(UNSETTLED_FOR_S * 1_000_000))
        except StoreError as error:  # a poller goes on with its replies
            log.warning("unsettled_not_read", channel=channel, error=str(error))
            return ()
        self._unsettled[channel] = (now.boot_us, rows)
        return rows

    def owner_of(self, channel: str, ref: str) -> NotificationId | None:
        try:
            row = self._store.read_by_ref(channel, ref)
        except StoreError as error:
            log.warning("owner_not_read", channel=channel, error=str(error))
            return None
        return None if row is None else row.notification.id

    def row(self, notification_id: NotificationId) -> NotificationRow | None:
        try:
            return self._store.read_notification(notification_id)
        except StoreError as error:
            log.warning("row_not_read", notification=notification_id, error=str(error))
            return None
