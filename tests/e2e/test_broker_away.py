"""The broker dies for a minute. Whoever presses meanwhile has a device that goes on trying."""

import asyncio
import time
from pathlib import Path

import pytest

from tests.e2e.machine import running_machine

pytestmark = pytest.mark.slow

AWAY_S = 60
TECHNICIAN = "+12025550119"
RESPONDERS = ("+12025550110", "+12025550111", "+12025550112")


async def test_presses_of_a_minute_without_broker_arrive_and_the_technician_hears_of_it(tmp_path: Path):
    async with running_machine(tmp_path) as machine:
        await machine.start()
        machine.broker.kill()
        down_s = time.monotonic()
        pressed = asyncio.create_task(machine.press("button-204"))
        await machine.until(
            lambda: machine.seen(TECHNICIAN, "no connection to the broker"),
            AWAY_S - 10,
            "the technician does not know that the broker is away",
            pause_s=0.5,
        )
        told_s = time.monotonic() - down_s
        assert not await machine.is_alive(), "health says alive although no press can arrive"
        await asyncio.sleep(max(0.0, AWAY_S - (time.monotonic() - down_s)))
        assert not pressed.done()
        assert await machine.incidents() == []

        machine.broker.start()
        back_s = time.monotonic()
        await machine.until(
            lambda: all(machine.seen(phone, "LOCKDOWN") for phone in RESPONDERS),
            30,
            "promise 1: no press is lost — the one made while the broker was away reached nobody",
        )
        paged_s = time.monotonic() - back_s
        await pressed
        await machine.until(
            lambda: machine.seen(TECHNICIAN, "is over"), 30, "the technician was not told that the broker is back"
        )
        await machine.until(machine.is_alive, 30, "health does not say alive again")
        print(f"\nbroker away {AWAY_S} s: trouble told after {told_s:.0f} s; paged {paged_s:.1f} s after its return")

        [incident] = await machine.incidents()
        assert [(p["device"], p["late"]) for p in incident["presses"]] == [("button-204", False)]
        assert await machine.troubles() == set()
        assert machine.violations() == []
