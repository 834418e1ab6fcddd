"""The one door. Every event passes here, is decided and committed, and only then do its consequences leave.

    receive → wait in line → decide, event by event → one commit for the batch → claims to dispatch → acknowledge

Owns: the order commit-then-act (promise 1), batching, and what happens when a commit or `decide` fails.
Must never: acknowledge what is not on disk, drop a press, retry a failed commit blindly, or let one poisonous event
stop the others.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Protocol

import structlog
from msgspec import Struct
from msgspec.structs import replace

from alertd.daemon.channel_desk import Room
from alertd.daemon.committer import Committer
from alertd.daemon.dispatch import Dispatch
from alertd.daemon.facts import KnownSites, gather, is_unrouted, site_of
from alertd.daemon.hearings import Hearings
from alertd.daemon.readings import Readings
from alertd.daemon.telemetry import Telemetry
from alertd.daemon.waiting import Submission, WaitingRoom, is_urgent
from alertd.engine.spelling import as_registered, named
from alertd.model.anchor import Now
from alertd.model.check_in import CheckIn
from alertd.model.decision import Decision, Facts, SiteState
from alertd.model.events import Arrival, Event, Malformed, TimerFired, TroubleCleared, TroubleRaised
from alertd.model.ids import DISTRICT, CauseId, derive
from alertd.model.notification import Claim, NotificationState
from alertd.model.registry import Registry
from alertd.ports import Clock, NotCommittedError, Store, StoreError, StoreFullError

BATCH_MAX = 200
"""Events of one commit. More would stall the next press for longer than it saves."""
STORE_FAILURES_MAX = 3
"""Commits in a row that may fail while a batch is replayed; then the rest of it fails at once."""
FAILING_FOR_GOOD_S = 60
"""A store that has taken nothing for this long: the process says so and ends, and its supervisor starts it afresh."""
WITHHELD_MAX = 15
"""Acknowledgements withheld while the store is not durable. Below the 20 messages that a broker allows in flight by
default: were all of them withheld, the next press could not arrive, and promise 2 outranks the second copy. Beyond it
the oldest is acknowledged; its press is committed to memory that outlives this process, and its people are told."""

log = structlog.get_logger(__name__)


class Core(Struct, frozen=True, kw_only=True):
    """The pure functions that the door calls. Passed in, so that tests and the simulator may break them."""

    route: Callable[[Registry, Arrival], tuple[Event, ...]]
    decide: Callable[[SiteState, Facts, Event, Now], Decision]
    page: Callable[[SiteState, Facts, Event, Now, str], Decision]
    """The fixed fallback for an event that `decide` cannot handle."""


class Follower(Protocol):
    """Acts on what was committed: timers, feedback, look-ups."""

    def committed(self, decision: Decision) -> None: ...


class StoreGoneError(Exception):
    """The store has failed for good. Ends the process."""


class Committed(Struct, frozen=True, kw_only=True):
    """What one commit made durable."""

    decisions: tuple[Decision, ...]
    claims: tuple[Claim, ...]
    leased_us: int
    """Boot time at which the leases of the claims began, at the latest."""


class Settled(Struct, kw_only=True):
    """What became of a batch: commits, for each submission its error, if any, and what had to be quarantined."""

    commits: list[Committed] = []
    errors: list[Exception | None] = []
    poison: list[tuple[Event, str]] = []
    durable: bool = True


class Intake:
    """The door (`ports.Door`) and the one writer behind it."""

    def __init__(  # noqa: PLR0913 - the daemon's heart knows its neighbours
        self,
        *,
        store: Store,
        clock: Clock,
        committer: Committer,
        core: Core,
        registry: Registry,
        dispatch: Dispatch,
        telemetry: Telemetry,
        followers: Sequence[Follower] = (),
        batch_max: int = BATCH_MAX,
    ) -> None:
        self.registry = registry
        self.last_commit_us: int | None = None
        """Boot time of the last commit that the disk took: proof of life."""
        self.last_settled_us: int | None = None
        """Boot time of the last commit that anything took, a disk or memory in its place: the writer works."""
        self._store = store
        self._clock = clock
        self._committer = committer
        self._core = core
        self._dispatch = dispatch
        self._telemetry = telemetry
        self.readings = Readings(clock, telemetry)
        """Sensors are heard through it."""
        self._followers: tuple[Follower, ...] = (dispatch, self.readings, *followers)
        self._batch_max = batch_max
        self._waiting = WaitingRoom()
        self._known = KnownSites()
        self._hearings = Hearings()
        self._withheld: deque[Submission] = deque()
        self._idle = asyncio.Event()
        self._idle.set()
        self._stopped = False
        self._failing_since_us: int | None = None

    # --- in front of the door ---------------------------------------------------------------------------------------

    def receive(self, arrival: Arrival) -> Awaitable[None]:
        """See `ports.Door`. Raises nothing itself: whatever arrives becomes events, or certainly is none."""
        self._telemetry.observe(arrival.source, "arrivals")
        try:
            boot_us = self._clock.now().boot_us
            arrival = as_registered(self.registry, replace(arrival, boot_us=boot_us))
            placed = self._hearings.placed(self.registry, arrival, boot_us)
            events = self._core.route(self.registry, placed)
        except Exception as error:
            log.critical("arrival_not_routed", source=arrival.source, topic=arrival.topic, exc_info=True)
            events = (_unroutable(arrival, error),)
        events = self.readings.sift(events, self.registry)
        if not events:
            return _nothing_to_do()
        done = self._enqueue(events, from_source=True)
        self.readings.await_commit(done)
        return done

    def submit(self, event: Event) -> Awaitable[None]:
        return self._enqueue((event,), from_source=False)

    def observe(self, source: str, name: str, *, value: float = 1.0) -> None:
        self._telemetry.observe(source, name, value=value)

    def check_in(
        self, source: str, check_ins: Sequence[CheckIn], *, retained: bool = False, qos: int | None = None
    ) -> None:
        check_ins = [named(self.registry, check_in) for check_in in check_ins]
        self._telemetry.check_in(source, check_ins, retained=retained, qos=qos)
        for check_in in check_ins:
            if check_in.heard and not retained:
                self._hearings.note(self.registry, check_in.device_id, check_in.heard, self._clock.now().boot_us)

    def _enqueue(self, events: tuple[Event, ...], *, from_source: bool) -> Awaitable[None]:
        urgent = any(is_urgent(event, self.registry) for event in events)
        submission = Submission(events, urgent=urgent, from_source=from_source)
        if self._stopped:
            submission.fail(NotCommittedError("the daemon is stopping"))
            return submission.done
        self._idle.clear()
        shared = self._waiting.add(submission)
        if shared is not None:
            self._telemetry.observe("intake", "folded")
            return shared
        return submission.done

    # --- behind it --------------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Take what waits, commit it, let its consequences out. Ends only by `StoreGoneError`."""
        batch: list[Submission] = []
        try:
            while True:
                await self._waiting.somebody()
                batch = self._waiting.take(self._batch_max)
                room, registry = self._dispatch.room(), self.registry
                taken_us = self._clock.now().boot_us
                settled = await self._committer.run(partial(self._settle, batch, registry, room), first=True)
                self._let_out(batch, settled)
                self._telemetry.commits.took((self._clock.now().boot_us - taken_us) / 1_000_000)
                batch = []
                if not len(self._waiting):
                    self._idle.set()
        finally:
            self._stopped = True
            stopped = NotCommittedError("the daemon stopped before the event was committed")
            for submission in (*batch, *self._waiting.clear(), *self._withheld):
                submission.fail(stopped)

    async def drain(self) -> None:
        """Wait until nothing waits."""
        await self._idle.wait()

    def _let_out(self, batch: list[Submission], settled: Settled) -> None:
        """Everything was committed or failed: the order here is claims, acknowledgements, the rest."""
        for commit in settled.commits:
            self._dispatch.heed(commit.decisions)
            self._dispatch.take(commit.claims, commit.leased_us)
        for submission, error in zip(batch, settled.errors, strict=True):
            if error is not None:
                submission.fail(error)
            elif settled.durable or not submission.from_source:
                submission.succeed()
            else:
                self._withhold(submission)
        for commit in settled.commits:
            if len(commit.claims) < sum(map(_queued, commit.decisions)):
                self._dispatch.wake()
            for decision in commit.decisions:
                self._tell_followers(decision)
        for event, error_name in settled.poison:
            self._raise_poison(event, error_name)
        self._note_health(settled)

    def _raise_poison(self, event: Event, error_name: str) -> None:
        """The loudest trouble: alertd has a defect. Not about a trouble itself, which could go round for ever."""
        if not isinstance(event, TroubleRaised | TroubleCleared):
            kind = type(event).__name__
            summary = f"alertd has a defect: it could not handle a {kind} ({error_name}) and used its fixed fallback"
            self.submit(TroubleRaised(site_id=event.site_id, key=f"defect:{kind}", summary=summary, rings=True))

    def _tell_followers(self, decision: Decision) -> None:
        for follower in self._followers:
            try:
                follower.committed(decision)
            except Exception:
                log.exception("follower_failed", follower=type(follower).__name__)

    def _note_health(self, settled: Settled) -> None:
        boot_us = self._clock.now().boot_us
        if settled.commits:
            self._failing_since_us = None
            self.last_settled_us = boot_us
            if settled.durable:
                self.last_commit_us = boot_us
                self.release_withheld()
        elif self._failing_since_us is None:
            self._failing_since_us = boot_us
        elif boot_us - self._failing_since_us > FAILING_FOR_GOOD_S * 1_000_000:
            raise StoreGoneError(f"no commit has succeeded for {FAILING_FOR_GOOD_S} s")

    # --- acknowledgements while the disk is full --------------------------------------------------------------------

    def _withhold(self, submission: Submission) -> None:
        self._waiting.let_go(submission)  # it may be withheld for hours
        self._withheld.append(submission)
        if len(self._withheld) > WITHHELD_MAX:
            self._telemetry.observe("intake", "acknowledged_not_durable")
            self._withheld.popleft().succeed()

    def release_withheld(self) -> None:
        """The store is durable again, and holds what was committed meanwhile."""
        while self._withheld:
            self._withheld.popleft().succeed()

    # --- in the writer thread ---------------------------------------------------------------------------------------

    def _settle(self, batch: list[Submission], registry: Registry, room: Room) -> Settled:
        """Commit the batch as one; if that fails, each submission by itself, so that only the guilty one suffers."""
        events = [event for submission in batch for event in submission.events]
        settled = Settled()
        try:
            settled.commits.append(self._commit(events, registry, room))
            settled.errors = [None] * len(batch)
        except Exception as error:  # noqa: BLE001 - whatever it is, the innocent of the batch are committed
            log.warning("batch_failed", events=len(events), error=_named(error))
            self._settle_one_by_one(batch, registry, settled)
        settled.durable = self._store.durable
        return settled

    def _settle_one_by_one(self, batch: list[Submission], registry: Registry, settled: Settled) -> None:
        failures = 0
        for submission in batch:
            if failures >= STORE_FAILURES_MAX:
                settled.errors.append(NotCommittedError("the store takes nothing now"))
                continue
            try:
                for event in submission.events:
                    settled.commits.append(self._commit_or_quarantine(event, registry, settled))
                failures = 0
                settled.errors.append(None)
            except Exception as error:  # noqa: BLE001 - whatever it is, the others of the batch go on
                failures += 1
                log.critical("event_not_committed", event_kind=type(submission.events[0]).__name__, error=_named(error))
                settled.errors.append(NotCommittedError(_named(error)))

    def _commit_or_quarantine(self, event: Event, registry: Registry, settled: Settled) -> Committed:
        try:
            return self._commit([event], registry, Room())
        except StoreError:
            raise
        except Exception as error:
            log.critical("event_quarantined", event_kind=type(event).__name__, site=event.site_id, exc_info=True)
            committed = self._quarantine(event, registry, error)
            settled.poison.append((event, type(error).__name__))
            return committed

    def _commit(self, events: Sequence[Event], registry: Registry, room: Room) -> Committed:
        """One transaction. If the disk is full it certainly did not happen: the store makes room, or goes on in memory,
        with reply tokens of its own. So it is decided once more."""
        try:
            return self._decide_and_commit(events, registry, room)
        except StoreFullError as error:
            log.warning("disk_found_full", events=len(events), error=_named(error))
            return self._decide_and_commit(events, registry, room)

    def _decide_and_commit(self, events: Sequence[Event], registry: Registry, room: Room) -> Committed:
        """Over the sites of the events: each is decided on what the ones before it left."""
        begun = now = self._clock.now()
        events = self._routed(events, registry, begun)
        decisions: list[Decision] = []
        with self._store.begin(sorted({event.site_id for event in events}), begun) as tx:
            for event in events:
                now = _later(self._clock.now(), now, decisions)
                facts = gather(tx, registry, event, now)
                decision = self._core.decide(tx.site_state(event.site_id), facts, event, now)
                tx.write(event, decision, now)
                decisions.append(decision)
            claims = tx.commit(born_leased=room.limits(decisions))
        self._known.learn(decisions)
        return Committed(decisions=tuple(decisions), claims=claims, leased_us=begun.boot_us)

    def _routed(self, events: Sequence[Event], registry: Registry, now: Now) -> Sequence[Event]:
        """Replies, clicks and statuses that came without a site get the one of the incident they speak about."""
        events = [self._known.routed(event) for event in events]
        if not any(map(is_unrouted, events)):
            return events
        with self._store.begin((), now) as tx:
            return [
                replace(e, site_id=site_of(self._store, tx, registry, e, now)) if is_unrouted(e) else e for e in events
            ]

    def _quarantine(self, event: Event, registry: Registry, error: Exception) -> Committed:
        """Commit the event raw, and page its site by the fixed fallback: never a crash loop, never silence."""
        now = self._clock.now()
        with self._store.begin((event.site_id,), now) as tx:
            state = tx.site_state(event.site_id)
            try:
                facts = gather(tx, registry, event, now)
            except StoreError:
                raise
            except Exception:  # noqa: BLE001 - the facts may be what is poisonous; it is logged by the caller
                facts = Facts(registry=registry)
            decision = self._core.page(state, facts, event, now, _named(error))
        if isinstance(event, TimerFired) and event.timer.id not in decision.dropped_timers:
            # else it is due again at once, and for ever
            decision = replace(decision, dropped_timers=(*decision.dropped_timers, event.timer.id))
        claims = self._store.save_raw(event, _named(error), decision, now)
        return Committed(decisions=(decision,), claims=claims, leased_us=now.boot_us)


def _later(clock: Now, last: Now, decisions: Sequence[Decision]) -> Now:
    """Rows are stamped microseconds apart, and the last stamp speaks last: of two decisions, the later one's rows come
    after the earlier one's, also by a clock that stands still."""
    written_us = len(decisions[-1].notifications) if decisions else 0
    behind_us = max(0, last.boot_us + written_us - clock.boot_us)
    return replace(clock, wall_us=clock.wall_us + behind_us, boot_us=clock.boot_us + behind_us)


def _queued(decision: Decision) -> int:
    """Rows that now wait to be claimed; those put back into the queue may be due at once, too."""
    states = (*(row.state for row in decision.notifications), *(change.state for change in decision.changes))
    return len(decision.try_now) + sum(state is NotificationState.QUEUED for state in states)


def _named(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"


def _unroutable(arrival: Arrival, error: Exception) -> Malformed:
    return Malformed(
        site_id=DISTRICT,
        cause=CauseId(derive("unroutable", arrival.source, arrival.arrival_id)),
        source=arrival.source,
        topic=arrival.topic,
        why=f"alertd could not route it ({type(error).__name__}); it may be a press",
        size=arrival.size,
        received_us=arrival.received_us,
    )


def _nothing_to_do() -> Awaitable[None]:
    done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    done.set_result(None)
    return done
