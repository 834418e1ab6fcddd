"""One channel's desk: what is claimed and waits in memory, what is under way, the rate, and the room that is left.

Owns who goes first. A panic goes before everything else, and has lines of its own; it never waits for the rate, unless
the provider itself keeps it.
"""

import heapq
from collections.abc import Callable, Mapping, Sequence

from msgspec import Struct

from alertd.daemon.rate import TokenBucket
from alertd.model.decision import Decision
from alertd.model.notification import Claim, Lane, NotificationState
from alertd.ports import Channel, Clock

PANIC_RESERVE = 0.2
"""Share of a channel's concurrent sends that only a panic may use."""


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
