"""Claims → channel → outcome. The last hop of a press.

Owns: who may be sent when (priority, rate, concurrency, an address that is taken), the hard deadline of an attempt, and
asking providers what became of unknown ones. Every result goes back through the door as an event.
Must never: send without a committed claim, send on a lease that could end before the deadline, let a panic wait
behind anything else, or send to an emergency number.
"""

import asyncio
import contextlib
import heapq
from collections import Counter
from collections.abc import Callable, Coroutine, Mapping, Sequence

import structlog
from msgspec import Struct

from alertd.daemon.committer import Committer
from alertd.daemon.deadlines import begin, cut_off
from alertd.daemon.rate import TokenBucket
from alertd.model.blocked_numbers import blocked
from alertd.model.decision import Decision, Now
from alertd.model.events import OutcomeReported
from alertd.model.ids import DrillId, NotificationId, SiteId
from alertd.model.mode import Mode
from alertd.model.notification import (
    OUTLIVES_DRILL,
    Claim,
    Kind,
    Lane,
    Notification,
    NotificationRow,
    NotificationState,
)
from alertd.model.outcome import Failed, Outcome, Unknown
from alertd.ports import Channel, Clock, Door, NotCommittedError, OneAtATime, Store, StoreError

LEASE_MARGIN_S = 2.0
"""A send starts only if its lease ends at least this long after its deadline."""
PANIC_RESERVE = 0.2
"""Share of a channel's concurrent sends that only a panic may use."""
LOOK_UP_AFTER_S = 3.0
"""A provider needs about this long before it lists what it took."""
LOOK_UP_DEADLINE_S = 10.0
LOOK_UPS_GATHER_S = 0.1
"""Attempts that become unknown within this long are read together."""
IDLE_PASS_S = 5.0
"""The claim loop passes at least this often, which also proves that it is alive."""
STORE_PAUSE_S = 1.0
"""After a store error the claim loop waits this long."""
REPORT_PAUSE_S = 0.5
"""An outcome that could not be committed is reported again after this long, until its lease ends."""
GONE_ROOM = (20, 20)
"""Rows of a removed channel that are claimed at once, to be failed: by panics, by the rest."""
NOT_DIALLED = frozenset({"webhook", "email", "mqtt", "push", "rtp"})
"""Channel kinds whose addresses are no numbers. Every other kind, also one we never heard of, passes the block."""
DRILL_OVER = Failed(permanent=False, code="drill_over", detail="the drill is over, it was not sent", not_tried=True)
LOOK_UPS_MAX = 20
"""Providers are asked about this many attempts at once."""

log = structlog.get_logger(__name__)


class Room(Struct, frozen=True, kw_only=True):
    """How many more claims each channel can take now: `panic` for panics, `rest` for everything else."""

    panic: Mapping[str, int] = {}
    rest: Mapping[str, int] = {}

    def limits(self, decisions: Sequence[Decision]) -> dict[str, int]:
        """Born-leased rows per channel for what was decided. The store leases the most urgent first, so the number
        says everything: a panic may use all the room, the rest only theirs."""
        panics: dict[str, int] = {}
        for decision in decisions:
            for row in decision.notifications:
                if row.state is NotificationState.QUEUED and row.notification.lane.is_urgent:
                    channel = row.notification.endpoint.channel
                    panics[channel] = panics.get(channel, 0) + 1
        return {
            channel: most if panics.get(channel, 0) >= most else min(most, panics.get(channel, 0) + self.rest[channel])
            for channel, most in self.panic.items()
        }


class Attempt(Struct, frozen=True, kw_only=True):
    """A claim that is being sent: boot time from which its lease surely runs, wall time at which the send began."""

    claim: Claim
    leased_us: int
    begun_us: int


class ChannelDesk:
    """One channel: what waits for it in memory, what is under way, and its rate."""

    def __init__(self, channel: Channel, clock: Clock) -> None:
        self.channel = channel
        self.bucket = TokenBucket(channel.limits.per_s, clock)
        most = channel.limits.concurrent
        self.for_rest = max(1, most - max(1, round(most * PANIC_RESERVE)))
        """Concurrent sends that anything but a panic may use."""
        self.waiting: list[tuple[Lane, int, Claim, int]] = []
        """Heap of (lane, order, claim, boot time at which its lease surely still runs `lease_s`)."""
        self.running = 0
        self._order = 0

    def put(self, claim: Claim, leased_us: int) -> None:
        self._order += 1
        heapq.heappush(self.waiting, (claim.notification.lane, self._order, claim, leased_us))

    def drop(self, unwanted: Callable[[Claim], bool]) -> list[tuple[Claim, int]]:
        """Take out what waits and is no longer wanted."""
        dropped = [(claim, leased_us) for _, _, claim, leased_us in self.waiting if unwanted(claim)]
        if dropped:
            self.waiting = [waiting for waiting in self.waiting if not unwanted(waiting[2])]
            heapq.heapify(self.waiting)
        return dropped

    def room(self) -> tuple[int, int]:
        """Claims that may still be taken: by panics, by the rest."""
        if self.channel.limits.paced:
            free = min(self.channel.limits.concurrent - self.running, self.bucket.whole()) - len(self.waiting)
            return max(0, free), max(0, free)
        waiting_panics = sum(lane.is_urgent for lane, *_ in self.waiting) if self.waiting else 0
        panic = max(0, self.channel.limits.concurrent - self.running - waiting_panics)
        rest = min(self.for_rest - self.running, self.bucket.whole()) - len(self.waiting)
        return panic, max(0, min(rest, panic))

    def next(self) -> tuple[Claim, int] | None:
        """The most urgent claim that may start now. A panic waits for a free line only, never for the rate (but where
        the provider itself is paced); it draws on the bucket all the same, so that the rest pays for it."""
        if not self.waiting or self.running >= self.channel.limits.concurrent:
            return None
        lane = self.waiting[0][0]
        if self.channel.limits.paced and self.bucket.whole() < 1:
            return None
        if not lane.is_urgent and (self.running >= self.for_rest or self.bucket.whole() < 1):
            return None
        _, _, claim, leased_us = heapq.heappop(self.waiting)
        self.bucket.draw()
        return claim, leased_us


class Dispatch:
    """Sends what was claimed. `run` is the claim loop; `take` gets claims that were born leased."""

    def __init__(
        self,
        *,
        store: Store,
        clock: Clock,
        committer: Committer,
        channels: Mapping[str, Channel],
        lease_s: float,
        lines: Mapping[str, OneAtATime] | None = None,
    ) -> None:
        self.last_pass_us: int | None = None
        """Boot time of the claim loop's last pass: proof of life."""
        self._store = store
        self._clock = clock
        self._committer = committer
        self._lease_s = lease_s
        self._door: Door | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._sends: set[asyncio.Task[Outcome]] = set()
        self._in_hand: set[tuple[NotificationId, int]] = set()
        self._asking: set[NotificationId] = set()
        self._gathering: list[NotificationId] = []
        """Attempts that became unknown just now, whose providers will be asked together."""
        self._questions = asyncio.Semaphore(LOOK_UPS_MAX)
        self._wake = asyncio.Event()
        self._starved = False
        """Rows are due that no channel had room for: the next free line wakes the claim loop."""
        self._rateless: frozenset[str] = frozenset()
        """Channels whose rate was used up when room was last counted. It may have come back while the store worked."""
        self._desks: dict[str, ChannelDesk] = {}
        self._drills_over: set[SiteId] = set()
        """Sites whose drill ended before our eyes."""
        self._drills_overtaken: set[DrillId] = set()
        """Of those the ones where something real came: whoever has not read of the end reads of that instead."""
        self._gone: set[str] = set()
        """Channels that a reload removed: what is queued for them is claimed all the same, and fails."""
        self._lines: dict[str, OneAtATime] = {}
        self._held_up: dict[str, set[str]] = {}
        """Endpoint keys by channel: something waits until we ourselves have let go of that address."""
        self.use_channels(channels, lines)

    def use_channels(self, channels: Mapping[str, Channel], lines: Mapping[str, OneAtATime] | None = None) -> None:
        """Swap the channels (reload). Sends under way finish with the old one."""
        for name, channel in channels.items():
            too_long = channel.limits.deadline_s + LEASE_MARGIN_S > self._lease_s
            if too_long:
                raise ValueError(
                    f"channel {name}: a deadline of {channel.limits.deadline_s} s does not fit into a lease of "
                    f"{self._lease_s} s with {LEASE_MARGIN_S} s to spare"
                )
        former = self._desks
        self._gone = (self._gone | former.keys()) - channels.keys()
        self._desks = {name: ChannelDesk(channel, self._clock) for name, channel in channels.items()}
        for desk in former.values():
            for _, _, claim, leased_us in desk.waiting:
                self._place(claim, leased_us)
            desk.waiting.clear()
        self._lines = dict(lines or {})
        for name, line in self._lines.items():
            line.on_free(self._wake.set)
            self._held_up[name] = {f"{name}:{address}" for address in line.held()}  # whoever waits there since before

    # --- what intake tells us ---------------------------------------------------------------------------------------

    def room(self) -> Room:
        """How many rows of each channel may be born leased. Where some wait for the rate of a paced provider, what is
        no panic is born behind them: it would else pass them in the moment in which a token is free."""
        room = self._free()
        if not self._starved:
            return room
        waits = {name for name, desk in self._desks.items() if desk.channel.limits.paced}
        return Room(panic=room.panic, rest={name: 0 if name in waits else most for name, most in room.rest.items()})

    def _free(self) -> Room:
        """How many rows of each channel may be claimed."""
        rooms = {name: desk.room() for name, desk in self._desks.items()} | dict.fromkeys(self._gone, GONE_ROOM)
        return Room(panic={n: r[0] for n, r in rooms.items()}, rest={n: r[1] for n, r in rooms.items()})

    def heed(self, decisions: Sequence[Decision]) -> None:
        """A drill that is over says nothing more, not even what is claimed already (promise 3)."""
        for drill in (d.drill for d in decisions if d.drill is not None):
            if drill.is_running:
                self._drills_over.discard(drill.site_id)
                continue
            self._drills_over.add(drill.site_id)
            self._drills_overtaken.update(each.id for each in drill.line() if each.overtaken)
            for desk in self._desks.values():
                for claim, leased_us in desk.drop(self._is_of_drill_over):
                    self._spawn(self._report(claim, DRILL_OVER, leased_us), f"report:{claim.notification.id}")

    def _is_of_drill_over(self, claim: Claim) -> bool:
        n = claim.notification
        if n.mode is not Mode.DRILL:
            return False
        if n.kind is Kind.DRILL_OVER and n.ends_drill in self._drills_overtaken:
            return True
        return n.site_id in self._drills_over and n.kind not in OUTLIVES_DRILL

    def take(self, claims: Sequence[Claim], leased_us: int) -> None:
        """Claims that were just committed as ours, on leases that began at `leased_us` (boot time)."""
        for claim in claims:
            self._in_hand.add((claim.notification.id, claim.epoch))
            self._place(claim, leased_us)
        if claims:
            self._start_sends()

    def _place(self, claim: Claim, leased_us: int) -> None:
        name = claim.notification.endpoint.channel
        if (desk := self._desks.get(name)) is not None:
            desk.put(claim, leased_us)
            return
        outcome = Failed(permanent=True, code="no_channel", detail=f'no channel "{name}" is configured any more')
        self._spawn(self._report(claim, outcome, leased_us), f"report:{claim.notification.id}")

    def wake(self) -> None:
        """Rows are queued that nobody has claimed."""
        self._wake.set()

    def committed(self, decision: Decision) -> None:
        """Ask providers about the attempts whose outcome is unknown (`intake.Follower`)."""
        for notification_id in decision.look_ups:
            self.look_up_later(notification_id)

    def holds(self, row: NotificationRow) -> bool:
        """Is this attempt in our hands, so that its outcome will come by itself?"""
        return (row.notification.id, row.epoch) in self._in_hand or row.notification.id in self._asking

    # --- the claim loop ---------------------------------------------------------------------------------------------

    async def run(self, door: Door) -> None:
        """Claim what is due, whenever there may be something, and hand it to the channels."""
        self._door = door
        self._start_sends()
        while True:
            self._wake.clear()
            self._starved = True  # a line that gets free while we claim may be the one that was missing
            try:
                next_due_us, claimed_us = await self._claim()
                pause_s = self._pause_s(next_due_us, claimed_us)
            except StoreError as error:
                log.warning("claim_failed", error=str(error))
                pause_s = STORE_PAUSE_S
            self.last_pass_us = self._clock.now().boot_us
            await _wait(self._wake, pause_s)
            self._start_sends()

    async def idle(self, timeout_s: float) -> bool:
        """Wait until nothing is under way; False if something still is after the time."""
        if not self._tasks:
            return True
        _, pending = await asyncio.wait(set(self._tasks), timeout=timeout_s)
        return not pending

    def abandon(self) -> None:
        """Stop everything that is under way. Its rows stay claimed; whoever starts next asks what became of them."""
        for task in (*self._tasks, *self._sends):
            task.cancel()

    async def _claim(self) -> tuple[int | None, int]:
        """Claim once. Boot time of the next row that is queued, and of the claim."""
        room = self._free()
        self._rateless = frozenset(name for name, desk in self._desks.items() if desk.bucket.wait_s() > 0)
        let_go = self._let_go()
        try:
            claims, claimed_us, next_due_us = await self._committer.run(lambda: self._claim_rows(room, let_go))
        except StoreError:
            for name, keys in let_go.items():
                self._held_up.setdefault(name, set()).update(keys)
            raise
        self.take(claims, claimed_us)
        return next_due_us, claimed_us

    def _let_go(self) -> dict[str, set[str]]:
        """Of those that were held up, by channel, the endpoints that are free now. Whatever waits for one of them is
        due in the same moment, so that the most urgent goes first, and not who happens to try next."""
        free: dict[str, set[str]] = {}
        for name, line in self._lines.items():
            held = {f"{name}:{address}" for address in line.held()}
            if keys := self._held_up.get(name, set()) - held:
                free[name] = keys
                self._held_up[name] &= held
        return free

    def _claim_rows(self, room: Room, let_go: Mapping[str, set[str]]) -> tuple[tuple[Claim, ...], int, int | None]:
        """In the writer thread. Panics first, into all the room there is; then the rest, into theirs. Most passes find
        nothing due, and ask no further."""
        for name, keys in let_go.items():
            self._store.let_go(name, sorted(keys))
        now = self._clock.now()  # not before: while this waited for a slow disk, a text may have expired
        claims: tuple[Claim, ...] = ()
        next_due_us = self._store.next_due_us()[1]
        if _is_due(next_due_us, now):
            claims = self._store.claim(_some(room.panic), now, panic_only=True)
            next_due_us = self._store.next_due_us()[1]
        if _is_due(next_due_us, now):
            taken = Counter(claim.notification.endpoint.channel for claim in claims)
            rest = {name: min(room.rest[name], most - taken[name]) for name, most in room.panic.items()}
            claims += self._store.claim(_some(rest), now)
            next_due_us = self._store.next_due_us()[1]
        return claims, now.boot_us, next_due_us

    def _pause_s(self, next_due_us: int | None, claimed_us: int) -> float:
        """How long nothing can be due, unless somebody wakes us. What was due at the claim and was not taken waits for
        a free line; what became due since then is claimed at once."""
        pause_s = IDLE_PASS_S
        self._starved = next_due_us is not None and next_due_us <= claimed_us
        if next_due_us is not None and not self._starved:
            pause_s = min(pause_s, max(0.0, (next_due_us - self._clock.now().boot_us) / 1_000_000))
        for name, desk in self._desks.items():
            if desk.waiting or self._starved:
                wait_s = desk.bucket.wait_s()
                if wait_s > 0 or name in self._rateless:
                    pause_s = min(pause_s, wait_s)
        return pause_s

    # --- one attempt ------------------------------------------------------------------------------------------------

    def _start_sends(self) -> None:
        if self._door is None:
            return
        for desk in self._desks.values():
            while (chosen := desk.next()) is not None:
                claim, leased_us = chosen
                desk.running += 1
                sending = begin(
                    self._send(desk.channel, claim, leased_us), desk.channel.name
                )  # first: it is what matters
                self._sends.add(sending)
                sending.add_done_callback(self._sends.discard)
                name = f"send:{desk.channel.name}:{claim.notification.id}"
                attempt = Attempt(claim=claim, leased_us=leased_us, begun_us=self._clock.now().wall_us)
                self._spawn(self._attempt(desk, attempt, sending), name)

    async def _send(self, channel: Channel, claim: Claim, leased_us: int) -> Outcome:
        refused = self._refused(channel, claim, leased_us)
        return await channel.send(claim) if refused is None else refused

    async def _attempt(self, desk: ChannelDesk, attempt: Attempt, sending: asyncio.Task[Outcome]) -> None:
        """Try once. The line stays taken until the outcome is committed: what was sent and is not recorded yet is
        what a crash may send twice, so it is bounded by the channel's concurrency. The rate that was not used is
        free at once."""
        try:
            outcome = await cut_off(sending, desk.channel.name, desk.channel.limits.deadline_s)
            if isinstance(outcome, Failed) and outcome.not_tried:
                desk.bucket.give_back()
                self._start_sends()
                if self._starved:
                    self._wake.set()
            await self._report(attempt.claim, outcome, attempt.leased_us, attempt.begun_us)
            if isinstance(outcome, Failed) and outcome.not_tried:
                self._wait_for_line(attempt.claim.notification)
        finally:
            desk.running -= 1
            self._start_sends()
            if self._starved:
                self._wake.set()

    def _wait_for_line(self, n: Notification) -> None:
        """Once it is queued again, and not before: else it would be let go while it is still claimed."""
        line = self._lines.get(n.endpoint.channel)
        if line is not None:
            self._held_up.setdefault(n.endpoint.channel, set()).add(n.endpoint.key)
            if n.endpoint.address not in line.held():  # free since
                self._wake.set()

    def _refused(self, channel: Channel, claim: Claim, leased_us: int) -> Outcome | None:
        """The last look before it leaves. Each check repeats what was checked before, on purpose."""
        notification = claim.notification
        if self._is_of_drill_over(claim):
            return DRILL_OVER
        if channel.kind not in NOT_DIALLED and (why := blocked(notification.endpoint.address)) is not None:
            log.critical("emergency_number_blocked", notification=notification.id, channel=channel.name, why=why)
            return Failed(permanent=True, code="emergency_number", detail=why, not_tried=True)
        ends_us = leased_us + round((self._lease_s - channel.limits.deadline_s - LEASE_MARGIN_S) * 1_000_000)
        if self._clock.now().boot_us > ends_us:
            log.warning("lease_too_short", notification=notification.id, channel=channel.name)
            detail = "its lease would have ended during the send"
            return Failed(permanent=False, code="not_tried", detail=detail, not_tried=True)
        return None

    async def _report(self, claim: Claim, outcome: Outcome, leased_us: int, begun_us: int | None = None) -> None:
        """Through the door, again and again until it is committed; once the lease is over, recovery does it."""
        key = (claim.notification.id, claim.epoch)
        event = OutcomeReported(
            site_id=claim.notification.site_id,
            notification_id=claim.notification.id,
            epoch=claim.epoch,
            outcome=outcome,
            begun_us=begun_us,
        )
        try:
            while not await self._submitted(event):
                if self._clock.now().boot_us > leased_us + round(self._lease_s * 1_000_000):
                    log.error("outcome_not_recorded", notification=claim.notification.id, outcome=repr(type(outcome)))
                    return
                await asyncio.sleep(REPORT_PAUSE_S)
        finally:
            self._in_hand.discard(key)

    async def _submitted(self, event: OutcomeReported) -> bool:
        assert self._door is not None, "no send starts before the door is known"
        try:
            await self._door.submit(event)
        except NotCommittedError:
            return False
        return True

    # --- unknown outcomes -------------------------------------------------------------------------------------------

    def look_up_later(self, notification_id: NotificationId) -> None:
        """Ask the provider, once it has had time to list what it took."""
        if notification_id in self._asking:
            return
        self._asking.add(notification_id)
        if not self._gathering:
            self._gathering = []
            self._spawn(self._look_up_together(self._gathering), "look-ups")
        self._gathering.append(notification_id)

    async def _look_up_together(self, ids: list[NotificationId]) -> None:
        """What became unknown together is read together: the texts of a crash would else wait for one another's turn
        at the store, and the claims of those already answered would wait behind all of them."""
        try:
            await asyncio.sleep(LOOK_UPS_GATHER_S)
            self._gathering = []
            await asyncio.sleep(LOOK_UP_AFTER_S)
            for row in await self._committer.run(lambda: self._unknown_rows(ids)):
                ids.remove(row.notification.id)
                self._spawn(self._look_up(row), f"look-up:{row.notification.id}")
        except StoreError as error:
            log.warning("look_up_failed", notifications=ids, error=str(error))  # recovery asks again
        finally:
            self._asking.difference_update(ids)

    async def _look_up(self, row: NotificationRow) -> None:
        try:
            async with self._questions:
                outcome = await self._ask(row)
            await self._submitted(
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
        desk = self._desks.get(row.notification.endpoint.channel)
        if desk is None:
            return Unknown(detail="its channel is not configured any more, nobody can be asked")
        asking = begin(desk.channel.look_up(row), desk.channel.name)
        answer = await cut_off(asking, desk.channel.name, LOOK_UP_DEADLINE_S)
        return answer if answer is not None else Unknown(detail="the provider cannot tell")

    def _unknown_rows(self, ids: Sequence[NotificationId]) -> tuple[NotificationRow, ...]:
        """In the writer thread: those of them whose fate is still unknown."""
        with self._store.begin((), self._clock.now()) as tx:
            rows = [tx.notification(notification_id) for notification_id in ids]
        return tuple(row for row in rows if row is not None and row.state is NotificationState.UNKNOWN)

    def _spawn(self, work: Coroutine[None, None, None], name: str) -> None:
        task = asyncio.get_running_loop().create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            # A defect of ours: the row stays claimed, and recovery brings it back when its lease ends.
            log.critical("dispatch_task_failed", task=task.get_name(), exc_info=error)


def _is_due(due_us: int | None, now: Now) -> bool:
    return due_us is not None and due_us <= now.boot_us


def _some(limits: Mapping[str, int]) -> dict[str, int]:
    return {name: most for name, most in limits.items() if most > 0}


async def _wait(wake: asyncio.Event, timeout_s: float) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(timeout_s):
            await wake.wait()
