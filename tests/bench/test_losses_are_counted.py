"""The loss counter of `make bench` counts: toy products that lose a known number of presses, in virtual time.

A toy takes a press from its broker, is busy with it for 45 ms, and tells the sink. What differs is when it acknowledges
and whether its broker keeps what comes while it is away."""

import asyncio
from collections import deque
from pathlib import Path

import pytest
from msgspec import Struct

from alertd_simulator.virtual_time import in_virtual_time
from tests.bench import workload
from tests.bench.peers import ours
from tests.bench.peers.losses import Lost, Plan, killed_in_a_burst, killed_in_a_stream, receiver_away
from tests.bench.peers.product import Found
from tests.bench.peers.stand import Stand, StandError, stand
from tests.bench.sink import Sink

BUSY_S = 0.045
UNDER_WAY = 4
"""Presses of a stream that are, 10 ms after the last of them."""
TRIES = 100
PLAN = Plan(stream=60, kills=1, silence_s=2)


class Conduct(Struct, frozen=True, kw_only=True):
    acknowledges_early: bool = False
    """As soon as it has read a press; else when the sink has taken it."""
    has_session: bool = True
    """Its broker keeps what comes while it is away."""
    tries_again: bool = True
    starts: bool = True
    tells_twice: bool = False


class Toy:
    """A product and its broker. `Process` and `Pressing` of the stand."""

    def __init__(self, sink: Sink, conduct: Conduct) -> None:
        self._sink = sink
        self._conduct = conduct
        self._kept: deque[int] = deque()
        """Pressed, and not acknowledged."""
        self._tasks: set[asyncio.Task[None]] = set()
        self._runs = False

    def start(self) -> None:
        self._runs = self._conduct.starts
        waiting, self._kept = list(self._kept), deque()
        for number in waiting:
            self.press(number)

    def kill(self) -> None:
        self._runs = False
        for task in self._tasks:
            task.cancel()
        self._tasks.clear()

    def ended(self) -> str | None:
        return None if self._runs else "killed"

    def press(self, number: int) -> None:
        if not self._runs:
            if self._conduct.has_session:
                self._kept.append(number)
            return
        if not self._conduct.acknowledges_early:
            self._kept.append(number)
        task = asyncio.create_task(self._tell(number))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def taken(self) -> None:
        """Its broker takes presses at once."""

    async def _tell(self, number: int) -> None:
        for _ in range(TRIES if self._conduct.tries_again else 1):
            await asyncio.sleep(BUSY_S)
            if not self._sink.away:
                self._sink.take(workload.payload(number))
                break
        if self._conduct.tells_twice:
            self._sink.take(workload.payload(number))
        if number in self._kept:
            self._kept.remove(number)


def on_the_stand(**conduct: bool) -> Stand:
    sink = Sink()
    toy = Toy(sink, Conduct(**conduct))
    toy.start()
    return Stand(toy, toy, sink)


@in_virtual_time
async def test_a_product_that_acknowledges_last_loses_nothing():
    toy = on_the_stand()

    assert await killed_in_a_stream(toy, PLAN) == Lost(pressed=60)
    assert await killed_in_a_burst(toy, PLAN) == Lost(pressed=60)
    assert await receiver_away(toy, PLAN) == Lost(pressed=60)


@in_virtual_time
async def test_what_was_acknowledged_and_not_told_is_lost_in_a_kill():
    lost = await killed_in_a_stream(on_the_stand(acknowledges_early=True), PLAN)

    assert lost == Lost(pressed=60, before=UNDER_WAY)


@in_virtual_time
async def test_what_was_pressed_while_it_was_away_is_lost_without_a_session():
    lost = await killed_in_a_stream(on_the_stand(acknowledges_early=True, has_session=False), PLAN)

    assert lost == Lost(pressed=60, before=UNDER_WAY, after=10)


@in_virtual_time
async def test_what_the_receiver_refused_once_is_lost_without_a_second_try():
    lost = await receiver_away(on_the_stand(tries_again=False), PLAN)

    assert lost == Lost(pressed=60, before=UNDER_WAY, after=20 - UNDER_WAY)


@in_virtual_time
async def test_what_is_told_twice_is_counted():
    assert (await killed_in_a_stream(on_the_stand(tells_twice=True), PLAN)).twice == 60


@in_virtual_time
async def test_a_product_that_does_not_come_back_is_not_measured():
    toy = on_the_stand(starts=False)

    with pytest.raises(StandError, match="killed"):
        await killed_in_a_stream(toy, PLAN)


@pytest.mark.slow
async def test_a_real_product_is_killed_and_comes_back(tmp_path: Path):
    """The floor, a process of its own, at a real broker: how many it loses is chance."""
    async with stand(Found(ours.FLOOR, ours.program(), ""), tmp_path) as standing:
        burst = range(first := standing.numbers(1).stop, first + 60)
        lost = await killed_in_a_burst(standing, Plan(stream=60, kills=1, silence_s=1))
        missing = [number for number in burst if number not in standing.sink.arrived]

    assert len(standing.back_s) == 1
    assert lost.pressed == 60
    assert lost.lost <= 40, "a third had reached the webhook before the kill"
    assert lost.lost == len(missing)
