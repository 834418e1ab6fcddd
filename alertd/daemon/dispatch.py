"""Claims → channel → outcome. The last hop of a press.

Owns: when rows are claimed and when they are sent, the hard deadline of an attempt, and that every result goes back
through the door as an event. Who goes first in a channel, `channel_desk` knows; whose address is taken, `lines`; what
became of unknown attempts, `look_ups` asks.
Must never: send without a committed claim, send on a lease that could end before the deadline, let a panic wait
behind anything else, or send to an emergency number.
"""

import asyncio
import contextlib
from collections.abc import Coroutine, Mapping, Sequence

import structlog
from msgspec import Struct

from alertd.daemon.channel_desk import ChannelDesk, Room
from alertd.daemon.claiming import claim_rows
from alertd.daemon.committer import Committer
from alertd.daemon.deadlines import begin, cut_off
from alertd.daemon.drills_over import DrillsOver
from alertd.daemon.lines import Lines
from alertd.daemon.look_ups import LookUps
from alertd.model.blocked_numbers import blocked
from alertd.model.decision import Decision
from alertd.model.events import OutcomeReported
from alertd.model.ids import NotificationId
from alertd.model.notification import Claim, NotificationRow
from alertd.model.outcome import Failed, Outcome
from alertd.ports import Channel, Clock, Door, NotCommittedError, OneAtATime, Store, StoreError

LEASE_MARGIN_S = 2.0
"""A send starts only if its lease ends at least this long after its deadline."""
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
STOOD_BACK = Failed(
    permanent=False, code="line_held", detail="a first call to this phone goes before it", not_tried=True
)
DRILL_OVER = Failed(permanent=False, code="drill_over", detail="the drill is over, it was not sent", not_tried=True)

log = structlog.get_logger(__name__)


class Attempt(Struct, frozen=True, kw_only=True):
    """A claim that is being sent: boot time from which its lease surely runs, wall time at which the send began."""

    claim: Claim
    leased_us: int
    begun_us: int


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
        self._look_ups = LookUps(
            store=store,
            clock=clock,
            committer=committer,
            channel=self._channel,
            submit=self._submitted,
            spawn=self._spawn,
        )
        self._wake = asyncio.Event()
        self._starved = False
        """Rows are due that no channel had room for: the next free line wakes the claim loop."""
        self._rateless: frozenset[str] = frozenset()
        """Channels whose rate was used up when room was last counted. It may have come back while the store worked."""
        self._desks: dict[str, ChannelDesk] = {}
        self._drills_over = DrillsOver()
        self._gone: set[str] = set()
        """Channels that a reload removed: what is queued for them is claimed all the same, and fails."""
        self._lines = Lines(self._wake.set)
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
        self._lines.use(lines or {})

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
            if not self._drills_over.note(drill):
                continue
            for desk in self._desks.values():
                for claim, leased_us in desk.drop(self._drills_over.mutes):
                    self._spawn(self._report(claim, DRILL_OVER, leased_us), f"report:{claim.notification.id}")

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
            self._look_ups.later(notification_id)

    def look_up_later(self, notification_id: NotificationId) -> None:
        """Ask the provider what became of it, once it has had time to list what it took."""
        self._look_ups.later(notification_id)

    def holds(self, row: NotificationRow) -> bool:
        """Is this attempt in our hands, so that its outcome will come by itself?"""
        return (row.notification.id, row.epoch) in self._in_hand or self._look_ups.is_asking(row.notification.id)

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
        let_go = self._lines.let_go()
        try:
            claims, claimed_us, next_due_us = await self._committer.run(
                lambda: claim_rows(self._store, self._clock, room, let_go)
            )
        except StoreError:
            self._lines.hold_up(let_go)
            raise
        self._lines.claimed()
        self.take(claims, claimed_us)
        return next_due_us, claimed_us

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
                self._lines.found_held(attempt.claim.notification)
                self._start_sends()
                if self._starved:
                    self._wake.set()
            await self._report(attempt.claim, outcome, attempt.leased_us, attempt.begun_us)
            if isinstance(outcome, Failed) and outcome.not_tried:
                self._lines.wait_for(attempt.claim.notification)
        finally:
            self._lines.written_down(attempt.claim.notification)
            desk.running -= 1
            self._start_sends()
            if self._starved:
                self._wake.set()

    def _refused(self, channel: Channel, claim: Claim, leased_us: int) -> Outcome | None:
        """The last look before it leaves. Each check repeats what was checked before, on purpose."""
        notification = claim.notification
        if self._drills_over.mutes(claim):
            return DRILL_OVER
        if self._lines.stands_back(notification):
            return STOOD_BACK
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

    # --- tasks ------------------------------------------------------------------------------------------------------

    def _channel(self, name: str) -> Channel | None:
        desk = self._desks.get(name)
        return desk.channel if desk is not None else None

    def _spawn(self, work: Coroutine[None, None, None], name: str) -> None:
        task = asyncio.get_running_loop().create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            # A defect of ours: the row stays claimed, and recovery brings it back when its lease ends.
            log.critical("dispatch_task_failed", task=task.get_name(), exc_info=error)


async def _wait(wake: asyncio.Event, timeout_s: float) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(timeout_s):
            await wake.wait()
