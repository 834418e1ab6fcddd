"""The writer's queue: a press waits for one piece of other work at most, and nobody waits for ever."""

import asyncio
from functools import partial
from random import Random

from alertd.daemon.committer import Committer
from alertd_simulator.virtual_time import in_virtual_time

COMMIT_S = 6.0


def slow(_random: Random) -> tuple[float, float]:
    return COMMIT_S, 0.0


@in_virtual_time(executor_delay=slow)
async def test_a_press_waits_for_one_piece_of_other_work_and_not_for_all_of_them():
    committer, done = Committer(), list[str]()
    look_ups = [partial(done.append, f"look-up {n}") for n in range(20)]
    others = [asyncio.create_task(committer.run(each)) for each in look_ups]
    await asyncio.sleep(1)
    began = asyncio.get_running_loop().time()
    await committer.run(lambda: done.append("press"), first=True)

    waited_s = asyncio.get_running_loop().time() - began
    assert waited_s <= 2 * COMMIT_S, f"promise 2: a press waited {waited_s:.0f} s behind what is nobody's cry"
    await asyncio.gather(*others)
    assert [each for each in done if each != "press"] == [f"look-up {n}" for n in range(20)], "each in its turn"


@in_virtual_time(executor_delay=slow)
async def test_presses_that_never_end_let_claims_through():
    committer = Committer()

    async def press_without_end() -> None:
        while True:
            await committer.run(lambda: None, first=True)

    pressing = [asyncio.create_task(press_without_end()) for _ in range(2)]
    await asyncio.sleep(1)
    began = asyncio.get_running_loop().time()
    await committer.run(lambda: None)

    assert asyncio.get_running_loop().time() - began <= 3 * COMMIT_S, "texts are not claimed while presses come"
    for each in pressing:
        each.cancel()


@in_virtual_time(executor_delay=slow)
async def test_who_gives_up_waiting_leaves_the_line_to_the_next():
    committer, done = Committer(), list[str]()
    running = asyncio.create_task(committer.run(lambda: done.append("first")))
    waiting = asyncio.create_task(committer.run(lambda: done.append("never")))
    behind = asyncio.create_task(committer.run(lambda: done.append("behind")))
    await asyncio.sleep(1)
    waiting.cancel()
    await running
    called = asyncio.create_task(committer.run(lambda: done.append("called")))
    await behind
    await called

    assert done == ["first", "behind", "called"]


@in_virtual_time(executor_delay=slow)
async def test_who_gives_up_in_the_moment_of_being_called_passes_it_on():
    committer, done = Committer(), list[str]()
    running = asyncio.create_task(committer.run(lambda: done.append("first")))
    waiting = asyncio.create_task(committer.run(lambda: done.append("never")))
    behind = asyncio.create_task(committer.run(lambda: done.append("behind")))
    running.add_done_callback(lambda _: waiting.cancel())
    await asyncio.wait_for(behind, 5 * COMMIT_S)

    assert done[-1] == "behind"


@in_virtual_time
async def test_an_error_is_its_own_callers():
    committer = Committer()
    failed, fine = await asyncio.gather(
        committer.run(lambda: 1 / 0), committer.run(lambda: "fine"), return_exceptions=True
    )

    assert isinstance(failed, ZeroDivisionError)
    assert fine == "fine"
