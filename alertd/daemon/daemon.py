"""The whole daemon, put together: runs on any loop, real or virtual, and knows no file and no signal.

Owns: what starts when, and what stops when. Must never: contain behaviour of its own; each part has its module.
"""

import asyncio
from collections.abc import Mapping, Sequence
from functools import partial

import structlog

from alertd.daemon.activity import INCIDENTS_MAX, OpenIncidents
from alertd.daemon.channel_states import ChannelStates
from alertd.daemon.check_ins import CheckIns
from alertd.daemon.committer import Committer
from alertd.daemon.disk import DiskWatch
from alertd.daemon.dispatch import Dispatch
from alertd.daemon.drills import DrillsFound, end_unfit
from alertd.daemon.event_log import EventLog
from alertd.daemon.feedback import PresserFeedback
from alertd.daemon.heartbeats import Heartbeats
from alertd.daemon.intake import BATCH_MAX, Core, Intake
from alertd.daemon.last_seen import LastSeenKeeper
from alertd.daemon.measures import Measures
from alertd.daemon.proof_of_life import Life, ProofOfLife
from alertd.daemon.recall import Recall
from alertd.daemon.recovery import JournalCheck, Recovery
from alertd.daemon.supervision import Supervisor, Work
from alertd.daemon.telemetry import Telemetry
from alertd.daemon.tests_over import TestsOver
from alertd.daemon.timers import ClockWatch, Timers
from alertd.model.check_in import LastSeen
from alertd.model.drill import Drill
from alertd.model.ids import DISTRICT, DeviceId, SiteId
from alertd.model.registry import Registry
from alertd.ports import (
    Built,
    Callbacks,
    Channel,
    Clock,
    Feedback,
    Http,
    OneAtATime,
    Recalling,
    Resuming,
    Source,
    Store,
    StoreError,
)

LEASE_S = 60.0
"""How long a claim is ours. Longer than any channel's deadline; a crash delays what was under way by as much at most,
for a daemon that starts again knows that its former self is dead. The store must be built with the same."""
FINISH_S = 10.0
"""A graceful stop waits for sends under way this long; then they are found by the next start."""
DRAIN_S = 5.0
UNDER_WAY_US = 900 * 1_000_000
"""What was written longer ago is over, whatever was known of it last: it waited minutes at most, and took minutes."""
CONSOLE = "console"
"""The task that stops last: whoever gave an order still hears what became of it."""

Fittings = Mapping[str, Built]
"""What is plugged in, by section ("sources.broker", "channels.sms")."""

log = structlog.get_logger(__name__)


class Daemon:
    """One incarnation. `run` until `stop` or cancellation; cancelled, it dies like a killed process: nothing is
    finished, nothing is drained."""

    def __init__(  # noqa: PLR0913 - everything the daemon stands on
        self,
        *,
        owner: str,
        store: Store,
        clock: Clock,
        registry: Registry,
        core: Core,
        fittings: Fittings,
        windows: Mapping[str, int] | None = None,
        batch_max: int = BATCH_MAX,
    ) -> None:
        """`windows`: seconds of the check-in window of the devices of each profile."""
        self.store = store
        self.clock = clock
        self.fittings = dict(fittings)
        self.committer = Committer()
        self.telemetry = Telemetry(clock)
        self.activity = OpenIncidents(store=store, clock=clock)
        self.channel_states = ChannelStates(store=store, clock=clock)
        self.dispatch = Dispatch(
            store=store, clock=clock, committer=self.committer, channels=self._channels(), lease_s=LEASE_S
        )
        self.timers = Timers(store=store, clock=clock, committer=self.committer)
        self.feedback = PresserFeedback(self._ways_back(), self.telemetry)
        self.event_log = EventLog(lambda: self.intake.registry)
        self.measures = Measures(lambda: self.intake.registry)
        self._windows = windows or {}
        self.check_ins = CheckIns(clock=clock, sources=self._sources, latest=self._last_seen)
        self.telemetry.hearer = self.check_ins
        self._recall = Recall(store=store, clock=clock, abilities=self._recalling)
        self.intake = Intake(
            store=store,
            clock=clock,
            committer=self.committer,
            core=core,
            registry=registry,
            dispatch=self.dispatch,
            telemetry=self.telemetry,
            followers=(
                self.timers,
                self._recall,
                self.feedback,
                self.activity,
                self.channel_states,
                self.event_log,
                self.measures,
                self.check_ins,
            ),
            batch_max=batch_max,
        )
        self.proof = ProofOfLife(
            clock=clock,
            intake=self.intake,
            dispatch=self.dispatch,
            sources=self._sources,
            durable=lambda: store.durable,
        )
        self._owner = owner
        self._supervisor = Supervisor(self.intake)
        self._also: dict[str, Work] = {}
        """What begins with everything else: a daemon that may not start must not answer for one that runs."""
        self._stop = asyncio.Event()
        self.started = asyncio.Event()
        """Set when presses are taken."""

    async def run(self) -> None:
        """Until `stop`. Raises `StoreLockedError` or `StoreError` if the store cannot be opened, `StoreGoneError` if
        it fails for good."""
        await self.committer.run(lambda: self.store.open(self._owner, self.clock))
        writer = asyncio.get_running_loop().create_task(self.intake.run(), name="intake")
        stopping = asyncio.get_running_loop().create_task(self._stop.wait(), name="stop")
        try:
            await self.committer.run(self.activity.load)
            await self._recollect(self.fittings)
            self.dispatch.use_channels(self._channels(), self._lines())
            await self.committer.run(self.channel_states.load)
            tests = await self.committer.run(self.store.read_device_tests)
            self.check_ins.use(self.intake.registry, self._windows)
            await end_unfit(self.intake, self._running_drills, self.intake.registry)
            self._start_all(TestsOver(tests, self.intake))
            self.started.set()
            await asyncio.wait({writer, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if not writer.done():
                await self._finish()
        finally:
            await self._die(writer, stopping)
        if not writer.cancelled() and (error := writer.exception()) is not None:
            raise error

    def stop(self) -> None:
        """Ask for a graceful end: no new presses, what waits is committed, what is under way gets a moment."""
        self._stop.set()

    def reload(
        self, registry: Registry, fittings: Fittings | None = None, windows: Mapping[str, int] | None = None
    ) -> asyncio.Task[None]:
        """A new configuration, from now on; open incidents keep the policy that they froze. A fitting that is the same
        object as before goes on undisturbed."""
        self._windows = windows if windows is not None else self._windows
        return asyncio.get_running_loop().create_task(self._reload(registry, fittings), name="reload")

    def life(self) -> Life:
        return self.proof.status()

    def run_also(self, name: str, work: Work) -> None:
        """Supervise one more task (the console, the outbound heartbeat), from when the store is open."""
        if self.started.is_set():
            self._supervisor.start(name, work)
        else:
            self._also[name] = work

    def ping(self, http: Http, url: str, every_s: float) -> None:
        """Prove life to somebody outside."""
        self.run_also("heartbeat-url", lambda: self.proof.ping(self.intake, http, url, every_s))

    @property
    def callbacks(self) -> dict[str, Callbacks]:
        return {b.callbacks.name: b.callbacks for b in self.fittings.values() if b.callbacks is not None}

    async def verify_journal(self, site_id: SiteId) -> int:
        return await asyncio.to_thread(self.store.verify_journal, site_id)

    # --- what starts ------------------------------------------------------------------------------------------------

    def _start_all(self, tests_over: TestsOver) -> None:
        """Presses first: everything else may come a moment later."""
        door, start = self.intake, self._supervisor.start
        self._start_fittings(self.fittings)
        recovery = Recovery(store=self.store, clock=self.clock, committer=self.committer, dispatch=self.dispatch)
        disk = DiskWatch(store=self.store, clock=self.clock, committer=self.committer, intake=self.intake)
        heartbeats = Heartbeats(clock=self.clock, intake=self.intake, states=self.channel_states)
        clock_watch = ClockWatch(clock=self.clock, activity=self.activity)
        journal = JournalCheck(store=self.store)
        last_seen = LastSeenKeeper(
            store=self.store, committer=self.committer, check_ins=self.check_ins, readings=self.intake.readings
        )
        drills = DrillsFound(running=self.activity.drills(), owner=self._owner, started_us=self.clock.now().wall_us)
        start("drills", lambda: drills.run(door))
        start("tests-over", lambda: tests_over.run(door))
        start("dispatch", lambda: self.dispatch.run(door))
        start("timers", lambda: self.timers.run(door))
        start("readings", lambda: self.intake.readings.run(door, lambda: self.intake.registry))
        start("recovery", lambda: recovery.run(door))
        start("recall", lambda: self._recall.run(door))
        start("disk", lambda: disk.run(door))
        start("clock-watch", lambda: clock_watch.run(door))
        start("heartbeats", lambda: heartbeats.run(door))
        start("check-ins", lambda: last_seen.run(door))
        start("probe", lambda: self.proof.probe(door))
        start("journal-check", lambda: journal.run(door, tuple(self.intake.registry.sites)))
        for name, work in self._also.items():
            start(name, work)

    def _start_fittings(self, fittings: Fittings) -> None:
        for section, built in fittings.items():
            if (source := built.source) is not None:
                self._supervisor.start(f"{section}:source", partial(source.run, self.intake))
            if (inbound := built.inbound) is not None:
                self._supervisor.start(f"{section}:inbound", partial(inbound.run, self.intake, self.activity))

    async def _reload(self, registry: Registry, fittings: Fittings | None) -> None:
        await end_unfit(self.intake, self._running_drills, registry)
        self.intake.registry = registry
        self.check_ins.use(registry, self._windows)
        if fittings is None:
            return
        await self._recollect({s: b for s, b in fittings.items() if self.fittings.get(s) is not b})
        former, self.fittings = self.fittings, dict(fittings)
        self.dispatch.use_channels(self._channels(), self._lines())
        self.feedback.ways = self._ways_back()
        gone = [section for section, built in former.items() if fittings.get(section) is not built]
        await self._supervisor.stop(*(f"{section}:{part}" for section in gone for part in ("source", "inbound")))
        self._start_fittings({s: b for s, b in fittings.items() if former.get(s) is not b})

    async def _running_drills(self) -> Sequence[Drill]:
        return await self.committer.run(
            lambda: self.store.read_drills(running_only=True, site_id=None, limit=INCIDENTS_MAX)
        )

    # --- what stops -------------------------------------------------------------------------------------------------

    async def _finish(self) -> None:
        log.info("stopping")
        await self._supervisor.stop(*(name for name in self._supervisor.names if name != CONSOLE))
        await self._drain()  # a press that was just taken is told before we go
        if not await self.dispatch.idle(FINISH_S):
            log.warning("sends_left_under_way")
        await self._drain()

    async def _drain(self) -> None:
        try:
            async with asyncio.timeout(DRAIN_S):
                await self.intake.drain()
        except TimeoutError:
            log.warning("events_left_uncommitted")

    async def _die(self, *tasks: asyncio.Task[object]) -> None:
        self.dispatch.abandon()
        self.event_log.close()
        await self._supervisor.stop(*self._supervisor.names)
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        await self.committer.run(self.store.close)
        self.committer.close()

    async def _recollect(self, fittings: Fittings) -> None:
        """A phone that a call of ours has is known before another is placed, whoever placed the first: the process
        before this one, or the section before it was reloaded."""
        now = self.clock.now()
        for built in fittings.values():
            if built.channel is None or built.lines is None:
                continue
            read = partial(self.store.read_under_way, built.channel.name, now, UNDER_WAY_US)
            try:
                built.lines.resume(await self.committer.run(read))
            except StoreError as error:
                log.warning("under_way_not_read", channel=built.channel.name, error=str(error))
        await self._hand_troubles([built.source for built in fittings.values()])

    async def _hand_troubles(self, sources: Sequence[Source | None]) -> None:
        """What stands against a broker, also if its end was told to a process that lost it, ends when it is over."""
        try:
            standing = await self.committer.run(self.store.read_troubles)
        except StoreError as error:
            log.warning("troubles_not_read", error=str(error))
            return
        for source in sources:
            if isinstance(source, Resuming):
                source.resume([trouble.key for trouble in standing if trouble.site_id == DISTRICT])

    async def _last_seen(self, device_ids: Sequence[DeviceId]) -> Sequence[LastSeen]:
        return await self.committer.run(lambda: self.store.read_last_seen(device_ids))

    # --- what is plugged in -----------------------------------------------------------------------------------------

    def _sources(self) -> dict[str, Source]:
        return {b.source.name: b.source for b in self.fittings.values() if b.source is not None}

    def _channels(self) -> dict[str, Channel]:
        return {b.channel.name: b.channel for b in self.fittings.values() if b.channel is not None}

    def _lines(self) -> dict[str, OneAtATime]:
        both = ((b.channel, b.lines) for b in self.fittings.values())
        return {channel.name: line for channel, line in both if channel is not None and line is not None}

    def _recalling(self) -> dict[str, Recalling]:
        both = ((b.channel, b.recalling) for b in self.fittings.values())
        return {channel.name: able for channel, able in both if channel is not None and able is not None}

    def _ways_back(self) -> tuple[Feedback, ...]:
        return tuple(b.feedback for b in self.fittings.values() if b.feedback is not None)
