"""The virtual loop keeps asyncio's semantics, wastes no real time, and never waits for what cannot happen."""

import asyncio
import socket
import threading
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from alertd_simulator.virtual_time import (
    BOOTED_S,
    COMMIT_DELAY,
    SCHOOL_DAY_US,
    DeadlockError,
    EndlessError,
    RealWorldError,
    VirtualClock,
    in_virtual_time,
    run_virtual,
    virtual_loop,
)


def elapsed() -> float:
    return virtual_loop().time() - BOOTED_S


@in_virtual_time
async def test_a_day_passes_at_once():
    began = time.monotonic()

    await asyncio.sleep(86_400)

    assert elapsed() == 86_400
    assert time.monotonic() - began < 1


@in_virtual_time
async def test_timers_fire_in_order_of_their_time_not_of_their_birth():
    order: list[int] = []
    async with asyncio.TaskGroup() as group:
        for delay in (3, 1, 2):
            group.create_task(note_after(order, delay))

    assert order == [1, 2, 3]


async def note_after(order: list[int], delay: int) -> None:
    await asyncio.sleep(delay)
    order.append(delay)


@in_virtual_time
async def test_a_timer_fires_at_its_very_moment():
    for tenth in range(1, 1_000):
        await asyncio.sleep(0.1)
        assert elapsed() == pytest.approx(tenth / 10, abs=1e-6)
    loop = virtual_loop()
    fired: list[tuple[float, float]] = []
    for number in range(1, 200):  # odd fractions: a jump by a difference would miss some by a rounding error
        target = loop.time() + number / 7
        loop.call_at(target, lambda due: fired.append((loop.time(), due)), target)

    await asyncio.sleep(30)

    assert len(fired) == 199
    assert [(at, target) for at, target in fired if at != target] == []


@in_virtual_time
async def test_timeout_cancels_what_never_ends():
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(7):
            await asyncio.Event().wait()
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(asyncio.Event().wait(), 3)

    assert elapsed() == 10


@in_virtual_time
async def test_a_task_group_cancels_the_others_when_one_fails():
    with pytest.raises(ExceptionGroup) as caught:  # noqa: PT012  # the group is the statement
        async with asyncio.TaskGroup() as group:
            group.create_task(asyncio.sleep(1_000))
            group.create_task(fail_after(2))

    assert [str(error) for error in caught.value.exceptions] == ["failed as told"]
    assert elapsed() == 2


async def fail_after(seconds: float) -> None:
    await asyncio.sleep(seconds)
    raise ValueError("failed as told")


@in_virtual_time
async def test_a_bounded_queue_makes_the_producer_wait_for_the_consumer():
    queue: asyncio.Queue[int] = asyncio.Queue(maxsize=1)

    async def produce() -> None:
        for number in range(3):
            await queue.put(number)

    producer = asyncio.create_task(produce())
    seen = []
    for _ in range(3):
        await asyncio.sleep(1)
        seen.append(await queue.get())
    await producer

    assert seen == [0, 1, 2]


def test_waiting_for_nothing_is_a_deadlock_that_names_the_place():
    async def wait_for_nobody() -> None:
        await asyncio.Event().wait()

    async def main() -> None:
        helper = asyncio.create_task(wait_for_nobody(), name="bell")
        await asyncio.sleep(5)
        await helper

    with pytest.raises(DeadlockError, match=r"virtual 5\.0+ s.*nothing is ready(.|\n)*bell waits in Event\.wait"):
        run_virtual(main())


def test_a_poller_that_never_ends_hits_the_limit():
    async def poll() -> None:
        while True:  # noqa: ASYNC110  # endless on purpose
            await asyncio.sleep(2)

    with pytest.raises(EndlessError, match=r"limit of 3600\.0 s"):
        run_virtual(poll(), limit_s=3600.0)


def test_a_spin_without_time_is_noticed(monkeypatch):
    monkeypatch.setattr("alertd_simulator.virtual_time.TURNS_MAX", 1_000)

    async def spin() -> None:
        while True:  # noqa: ASYNC110  # endless on purpose
            await asyncio.sleep(0)

    with pytest.raises(EndlessError, match="time stands still"):
        run_virtual(spin())


def test_an_error_that_nobody_awaits_fails_the_run():
    async def main() -> None:
        background = asyncio.create_task(fail_after(1))
        await asyncio.sleep(2)
        del background

    with pytest.raises(BaseExceptionGroup) as caught:
        run_virtual(main())
    assert [str(error) for error in caught.value.exceptions] == ["failed as told"]


def test_what_is_left_behind_is_cancelled_and_may_clean_up():
    cleaned: list[str] = []

    async def leave() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(1)
            cleaned.append("yes")

    async def main() -> object:
        task = asyncio.create_task(leave())
        await asyncio.sleep(0)
        return task

    assert run_virtual(main())
    assert cleaned == ["yes"]


# --- the real world is out of reach


async def _connect() -> None:
    await asyncio.open_connection("127.0.0.1", 9)


async def _serve() -> None:
    await asyncio.start_server(lambda _reader, _writer: None, "127.0.0.1", 0)


async def _run_program() -> None:
    await asyncio.create_subprocess_exec("true")


async def _watch_socket() -> None:
    with socket.socket() as raw:
        asyncio.get_running_loop().add_reader(raw, print)


async def _resolve() -> None:
    await asyncio.get_running_loop().getaddrinfo("localhost", 80)


@pytest.mark.parametrize("act", [_connect, _serve, _run_program, _watch_socket, _resolve])
def test_real_io_fails_by_name(act: Callable[[], Awaitable[None]]):
    with pytest.raises(RealWorldError, match="is the real world"):
        run_virtual(act())


@in_virtual_time
async def test_another_thread_may_not_call_in():
    caught: list[BaseException] = []
    loop = virtual_loop()

    def intrude() -> None:
        try:
            loop.call_soon_threadsafe(print)
        except RealWorldError as error:
            caught.append(error)

    thread = threading.Thread(target=intrude)
    thread.start()
    thread.join()

    assert "another thread" in str(caught[0])


def test_virtual_things_refuse_a_real_loop():
    async def main() -> None:
        VirtualClock()

    with pytest.raises(RealWorldError, match="real event loop"):
        asyncio.run(main())


# --- executors


@in_virtual_time
async def test_executor_work_runs_inline_and_returns_results_and_errors():
    here = threading.get_ident()
    assert await asyncio.to_thread(threading.get_ident) == here
    with pytest.raises(ZeroDivisionError):
        await virtual_loop().run_in_executor(None, lambda: 1 // 0)

    assert elapsed() == 0


@in_virtual_time(executor_delay=lambda _random: (0.2, 0.3))
async def test_a_delayed_job_begins_later_and_is_seen_later_still():
    began: list[float] = []

    job = virtual_loop().run_in_executor(None, lambda: began.append(elapsed()))
    await asyncio.sleep(0.1)
    assert began == []
    await asyncio.sleep(0.15)
    assert began == [pytest.approx(0.2)]
    assert not job.done(), "committed, and nobody knows it yet: the moment in which a crash hurts"
    await job

    assert elapsed() == pytest.approx(0.5)


@in_virtual_time(seed=3, executor_delay=COMMIT_DELAY)
async def test_one_executor_keeps_its_order_whatever_the_delays():
    order: list[int] = []
    writer = ThreadPoolExecutor(max_workers=1)
    jobs = [virtual_loop().run_in_executor(writer, order.append, number) for number in range(50)]

    await asyncio.gather(*jobs)

    assert order == list(range(50))
    assert 0 < elapsed() < 50 * 0.2


@in_virtual_time(executor_delay=lambda _random: (1.0, 1.0))
async def test_a_job_cancelled_before_it_began_never_runs():
    ran: list[str] = []
    writer = ThreadPoolExecutor(max_workers=1)
    first = virtual_loop().run_in_executor(writer, ran.append, "first")
    second = virtual_loop().run_in_executor(writer, ran.append, "second")
    second.cancel()
    third = virtual_loop().run_in_executor(writer, ran.append, "third")

    await asyncio.gather(first, third)

    assert ran == ["first", "third"]


# --- the same seed gives the same run


def trace(seed: int) -> list[tuple[float, str]]:
    lines: list[tuple[float, str]] = []

    async def actor(name: str) -> None:
        try:
            for _ in range(5):
                await asyncio.sleep(virtual_loop().random.random())
                lines.append((virtual_loop().time(), name))
                await asyncio.to_thread(lambda: None)
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            lines.append((virtual_loop().time(), f"{name} cancelled"))
            raise

    async def main() -> None:
        with pytest.raises(TimeoutError):  # noqa: PT012  # the group is the statement
            async with asyncio.timeout(10), asyncio.TaskGroup() as group:
                for number in range(20):
                    group.create_task(actor(f"actor {number}"))

    run_virtual(main(), seed=seed, executor_delay=COMMIT_DELAY)
    return lines


def test_same_seed_same_trace_and_another_seed_another():
    # The group cancels a *set* of tasks: with hashes by address, even this order would differ between two runs.
    first = trace(1)
    ballast = [object() for _ in range(1_000)]

    assert trace(1) == first
    assert trace(2) != first
    assert [name for _, name in first if "cancelled" in name] == [f"actor {number} cancelled" for number in range(20)]
    assert ballast


# --- the clock


@in_virtual_time
async def test_the_wall_clock_can_be_stepped_and_boot_time_does_not_notice():
    clock = VirtualClock()
    before = clock.now()
    assert before.wall_us == SCHOOL_DAY_US

    await asyncio.sleep(1.5)
    clock.step_wall(-3600)
    after = clock.now()

    assert after.boot_us - before.boot_us == 1_500_000
    assert after.wall_us - before.wall_us == 1_500_000 - 3_600_000_000


@in_virtual_time
async def test_a_clock_that_is_set_is_read_anew_in_the_same_moment():
    clock = VirtualClock()
    await asyncio.sleep(5)
    before = clock.now()
    clock.step_wall(60)
    stepped = clock.now()
    clock.reboot()
    rebooted = clock.now()

    assert stepped.wall_us - before.wall_us == 60_000_000
    assert stepped.boot_us == before.boot_us
    assert rebooted.boot_us == 0
    assert clock.now() == rebooted


@in_virtual_time
async def test_a_reboot_changes_the_boot_id_and_restarts_boot_time_only():
    clock = VirtualClock()
    await asyncio.sleep(60)
    before, boot_id = clock.now(), clock.boot_id

    clock.reboot()

    assert clock.boot_id != boot_id
    assert clock.now().boot_us == 0
    assert clock.now().wall_us == before.wall_us
