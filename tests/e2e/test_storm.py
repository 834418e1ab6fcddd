"""Ten thousand presses from a thousand buttons of fifty schools, with `kill -9` in the middle."""

import asyncio
import time
from collections import Counter
from functools import partial
from pathlib import Path

import pytest

from alertd_simulator.demo_school import IN_TREE
from alertd_simulator.devices import Payload
from alertd_simulator.generated_district import GeneratedDistrict, write_district
from tests.e2e.machine import AtRest, Machine, running_machine

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

SITES = 50
BUTTONS = 20
PRESSES = 10_000
KILL_AT = PRESSES // 3
"""Presses that the daemon has taken when it dies."""
HELD_BACK = PRESSES * 2 // 3
"""From here on, presses are published only after the kill: however fast all are, it falls into the middle."""
TAKEN_WITHIN_S = 120
TOLD_WITHIN_S = 60
UNLIMITED = {"concurrent": 200, "per_s": 1000}


def storm_of(machine: Machine, district: GeneratedDistrict) -> list[Payload]:
    """Round-robin over the buttons; each press has a number of its own, so that none can hide behind another."""
    devices = district.devices
    # Not "hold": one that is said again may be one that goes on, and is no press more.
    return [machine.payload(devices[number % len(devices)], "emergency") for number in range(PRESSES)]


async def counted(machine: Machine) -> Counter[str]:
    """Presses by device, as the incidents hold them."""
    counts: Counter[str] = Counter()
    for incident in await machine.incidents():
        for press in incident["presses"]:
            counts[press["device"]] += press["count"]
    return counts


async def test_promise_1_a_storm_with_kill_nine_in_it_loses_nothing(tmp_path: Path):
    district = write_district(IN_TREE, tmp_path / "district", sites=SITES, buttons=BUTTONS)

    def fast_carrier(wiring):
        wiring["channels"]["sms"] |= UNLIMITED

    async with running_machine(tmp_path / "m", example=district.directory, edit=fast_carrier) as machine:
        presses = storm_of(machine, district)
        await machine.start()
        began = time.monotonic()
        storm = asyncio.create_task(machine.storm(presses[:HELD_BACK]))

        async def enough() -> bool:
            return sum((await counted(machine)).values()) >= KILL_AT

        await machine.until(enough, TAKEN_WITHIN_S, "the storm never reached its middle")
        await machine.kill()
        rest = asyncio.create_task(machine.storm(presses[HELD_BACK:]))
        killed_at_s = time.monotonic() - began
        await machine.start(alive=False)
        blown = [await storm, await rest]

        async def all_taken() -> bool:
            return sum((await counted(machine)).values()) >= PRESSES

        try:
            await machine.until(all_taken, TAKEN_WITHIN_S, "presses are missing")
        finally:
            counts = await counted(machine)
            seconds = time.monotonic() - began
        print(
            f"\nstorm: {PRESSES:,} presses published in {sum(part.seconds for part in blown):.1f} s, "
            f"killed after {killed_at_s:.1f} s, "
            f"all committed after {seconds:.1f} s ({PRESSES / seconds:,.0f}/s with the restart)"
        )
        each = PRESSES // len(district.devices)
        wrong = {device: counts[device] for device in district.devices if counts[device] != each}
        assert wrong == {}, f"promise 1: no press is lost — these devices were pressed {each} times"
        assert await machine.troubles() == set(), "something was wrong that nobody caused"

        phones = [phone for site in district.sites for phone in site.phones]
        await machine.until(
            lambda: all(machine.seen(phone, "LOCKDOWN") for phone in phones), TOLD_WITHIN_S, "somebody was never told"
        )
        incidents = await machine.incidents()
        assert len(incidents) == SITES
        await machine.until(
            lambda: {i["id"] for i in incidents} == {m.incident_id for m in machine.center.new_incidents()},
            TOLD_WITHIN_S,
            "dispatch was never told of a school",
        )
        await machine.until(
            partial(all_accepted, machine), TOLD_WITHIN_S, "alertd does not know that dispatch accepted"
        )
        still: AtRest = await machine.until(machine.at_rest, TOLD_WITHIN_S, "texts are still under way", pause_s=1.0)
        rows = [row for row in still.rows if row["channel"] == "sms"]
        print(f"states: {Counter(row['state'] for row in rows)}")
        rows = [row for row in rows if row["state"] in ("accepted", "sent", "delivered")]
        print(f"texts: {len(still.texts):,} for {len(rows):,} notifications")
        assert len(still.texts) == len(rows), "told twice, or less than alertd says"
        took = Counter((district.names[text.to], text.body) for text in still.texts)
        says = Counter((row["who"], row["text"]) for row in rows)
        assert took - says == Counter(), "told twice, or alertd does not say that it sent them"
        assert says - took == Counter(), "alertd calls sent what the carrier never took"
        again = {p: words for site in district.sites for p in site.phones[:2] if (words := machine.told_again(p))}
        assert again == {}, "responders were told twice, although the carrier could say what it took"
        assert machine.violations() == []


async def all_accepted(machine: Machine) -> bool:
    """Does alertd know of every school that dispatch has accepted? Its responders are told so with the same commit."""
    incidents = await machine.incidents()
    return bool(incidents) and all(any(d["state"] == "accepted" for d in i["dispatch"]) for i in incidents)
