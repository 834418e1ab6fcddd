"""Timers are rows; this loop only notices when one is due, and tells the door.

Owns: sleeping until the next one, and watching the wall clock against boot time.
Must never: decide anything (the engine ignores a timer it no longer knows), or measure a delay on the wall clock.
"""

import asyncio
import contextlib

import structlog

from alertd.daemon.activity import OpenIncidents
from alertd.daemon.committer import Committer
from alertd.model.decision import Decision
from alertd.model.events import ClockStepped, TimerFired, TroubleCleared, TroubleRaised
from alertd.model.ids import DISTRICT, SiteId
from alertd.ports import Clock, Door, DueTimer, NotCommittedError, Store, StoreError

DUE_MAX = 100
"""Due timers taken up at once."""
LONGEST_SLEEP_S = 10.0
"""The loop looks at the clocks at least this often."""
PAUSE_S = 1.0
"""After a failed commit, or a timer that stays due although it fired."""
STEP_S = 5.0
"""A wall clock that moved this much against boot time was set by somebody (req 99)."""
STEP_TROUBLE_S = 600.0
"""The trouble is cleared when the clock has been steady for so long."""
CLOCK_TROUBLE = "clock:step"

log = structlog.get_logger(__name__)


class Timers:
    """The timer loop (`intake.Follower`)."""

    def __init__(self, *, store: Store, clock: Clock, committer: Committer) -> None:
        self._store = store
        self._clock = clock
        self._committer = committer
        self._next_us: int | None = None
        """Boot time of the next one that we know of."""
        self._wake = asyncio.Event()

    def committed(self, decision: Decision) -> None:
        now_us = self._clock.now().boot_us
        for timer in decision.timers:
            due_us = now_us + round(timer.delay_s * 1_000_000)
            if self._next_us is None or due_us < self._next_us:
                self._next_us = due_us
                self._wake.set()

    async def run(self, door: Door) -> None:
        while True:
            self._wake.clear()
            try:
                pause_s = await self._fire_due(door)
            except (StoreError, NotCommittedError) as error:
                log.warning("timers_not_fired", error=str(error))
                pause_s = PAUSE_S
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause_s):
                    await self._wake.wait()

    async def _fire_due(self, door: Door) -> float:
        """Fire what is due; seconds until the next one."""
        fired: set[str] = set()
        while due := await self._committer.run(self._due):
            new = [d.timer for d in due if d.timer.id not in fired]
            if not new:  # nothing in the store moved: never spin on it
                log.error("timers_stay_due", timers=sorted(fired)[:5])
                return PAUSE_S
            await asyncio.gather(*(door.submit(TimerFired(site_id=t.site_id, timer=t)) for t in new))
            fired.update(t.id for t in new)
        self._next_us = await self._committer.run(lambda: self._store.next_due_us()[0])
        if self._next_us is None:
            return LONGEST_SLEEP_S
        return min(LONGEST_SLEEP_S, max(0.0, (self._next_us - self._clock.now().boot_us) / 1_000_000))

    def _due(self) -> tuple[DueTimer, ...]:
        return self._store.due_timers(self._clock.now(), DUE_MAX)


class ClockWatch:
    """Notices when somebody sets the wall clock, or has set it while alertd was down: deadlines show the new time to
    whoever reads them after the next reboot, and people are told. Stamps that are compared move without it: whatever
    is decided first after the step moves them (`engine.clocks`)."""

    def __init__(self, *, clock: Clock, activity: OpenIncidents) -> None:
        self._clock = clock
        self._activity = activity
        self._offset_us = self._measure() - activity.stepped_us
        self._told: set[SiteId] = set()
        """Sites that know of the step that is being told."""
        self._stepped_boot_us: int | None = clock.now().boot_us
        """When it was last known to step; at first now: an earlier incarnation may have told of a step."""

    async def run(self, door: Door) -> None:
        while True:
            await asyncio.sleep(1.0)
            await self.check(door)

    async def check(self, door: Door) -> None:
        step_us = self._measure() - self._offset_us
        boot_us = self._clock.now().boot_us
        if abs(step_us) > STEP_S * 1_000_000:
            log.error("clock_stepped", step_s=step_us / 1_000_000)
            jump = f"The server's clock jumped by {step_us / 1_000_000:+.0f} s."
            summary = f"{jump} Times in reports before that are off; check NTP."
            for site_id in (DISTRICT, *self._activity.open_sites()):
                if site_id not in self._told:
                    await door.submit(ClockStepped(site_id=site_id, step_us=step_us))
                    self._told.add(site_id)
            await door.submit(TroubleRaised(site_id=DISTRICT, key=CLOCK_TROUBLE, summary=summary))
            self._offset_us += step_us  # only now: a step that was not committed is found again
            self._told.clear()
            self._stepped_boot_us = boot_us
        elif self._stepped_boot_us is not None and boot_us - self._stepped_boot_us > STEP_TROUBLE_S * 1_000_000:
            await door.submit(TroubleCleared(site_id=DISTRICT, key=CLOCK_TROUBLE))
            self._stepped_boot_us = None

    def _measure(self) -> int:
        now = self._clock.now()
        return now.wall_us - now.boot_us
