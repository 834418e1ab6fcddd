"""Tasks of the daemon: one that crashes is started again, said, and well only when it has run for a minute."""

import asyncio
from collections.abc import Sequence

from alertd.daemon.supervision import FIRST_PAUSE_S, STEADY_S, Supervisor
from alertd.model.events import TroubleCleared, TroubleRaised
from alertd_simulator.virtual_time import in_virtual_time

Said = list[TroubleRaised | TroubleCleared]


class Door:
    def __init__(self) -> None:
        self.events: Said = []

    def submit(self, event: TroubleRaised | TroubleCleared) -> None:
        self.events.append(event)


async def crashes(
    after_s: Sequence[float], *, for_s: float
) -> tuple[list[float], list[TroubleRaised | TroubleCleared]]:
    """When a task began that crashes after so long each time, then never; and what was said."""
    loop, door, begun_s = asyncio.get_running_loop(), Door(), list[float]()
    left = iter(after_s)

    async def work() -> None:
        begun_s.append(loop.time())
        await asyncio.sleep(next(left, 1e9))
        raise OSError

    supervisor = Supervisor(door)  # type: ignore[arg-type]
    supervisor.start("poller", work)
    await asyncio.sleep(for_s)
    await supervisor.stop("poller")
    return begun_s, door.events


@in_virtual_time
async def test_a_task_that_crashes_every_half_minute_is_never_said_to_be_well() -> None:
    _, events = await crashes([STEADY_S / 2] * 20, for_s=500)
    assert len(events) > 5
    assert not [each for each in events if isinstance(each, TroubleCleared)], "its trouble is cleared between crashes"


@in_virtual_time
async def test_one_that_ran_for_a_minute_is_well_once() -> None:
    _, events = await crashes([1], for_s=300)
    assert [type(each) for each in events] == [TroubleRaised, TroubleCleared]


@in_virtual_time
async def test_pauses_grow_and_begin_anew_after_a_minute_of_work() -> None:
    lasts = [0.0, 0.0, 0.0, STEADY_S + 1, 0.0]
    begun_s, _ = await crashes(lasts, for_s=200)
    ended_s = [at_s + after_s for at_s, after_s in zip(begun_s, lasts, strict=False)]
    pauses = [round(again - over, 3) for again, over in zip(begun_s[1:], ended_s, strict=False)]
    assert pauses == [FIRST_PAUSE_S, 2 * FIRST_PAUSE_S, 4 * FIRST_PAUSE_S, FIRST_PAUSE_S, 2 * FIRST_PAUSE_S]
