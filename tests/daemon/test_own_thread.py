"""Work that may hang: it has a deadline, and nobody waits for what is left of it."""

import threading

import pytest

from alertd.daemon.own_thread import HANGING_MAX, OwnThreads, StillHangingError


def alive() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "test"]


async def test_what_is_done_in_time_is_answered():
    assert await OwnThreads("test").run(lambda: threading.current_thread().name, deadline_s=5) == "test"


async def test_what_goes_wrong_is_raised_here():
    def fails():
        raise LookupError("nothing there")

    with pytest.raises(LookupError, match="nothing there"):
        await OwnThreads("test").run(fails, deadline_s=5)


async def test_what_hangs_is_given_up_and_the_next_is_not_kept_waiting():
    disk = threading.Event()
    threads = OwnThreads("test")

    with pytest.raises(TimeoutError):
        await threads.run(disk.wait, deadline_s=0.01)
    assert await threads.run(lambda: 7, deadline_s=5) == 7
    assert all(thread.daemon for thread in alive()), "would hold up the end"
    disk.set()


async def test_no_more_threads_hang_than_a_few():
    disk = threading.Event()
    threads = OwnThreads("test")
    for _ in range(HANGING_MAX):
        with pytest.raises(TimeoutError):
            await threads.run(disk.wait, deadline_s=0.01)

    with pytest.raises(StillHangingError):
        await threads.run(lambda: 7, deadline_s=5)

    disk.set()
    for thread in alive():
        thread.join(5)
    assert await threads.run(lambda: 7, deadline_s=5) == 7
