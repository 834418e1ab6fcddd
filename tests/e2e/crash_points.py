"""Kills the daemon at one point, again and again, and counts what was lost and what was told twice.

python -m tests.e2e.crash_points [KILLS]      prints a table; exits 0 only if nothing was lost
"""

import asyncio
import sys
import tempfile
from collections import Counter
from functools import partial
from pathlib import Path

from msgspec import Struct

from alertd_simulator.demo_school import IN_TREE
from alertd_simulator.generated_district import GeneratedSite, write_district
from alertd_simulator.weather import Weather
from tests.e2e.crashing_daemon import POINTS
from tests.e2e.machine import Machine, running_machine

KILLS = 10
COMMITTED_S = 20
SETTLED_S = 60
ALL_MESSAGES = {"log_type": "all"}
"""The broker writes down each packet: proof of where the kills really fell."""


class Tally(Struct, frozen=True, kw_only=True):
    """What one point cost."""

    point: str
    kills: int
    lost: list[str]
    """Sites whose press has no incident."""
    untold: list[str]
    """Phones that never lit up, and sites of which dispatch was not told."""
    told_twice: list[str]
    """Phones that got the same text again, and sites for which dispatch opened a second call."""
    most_often: int
    """How often one phone was sent the same words."""
    open_outcomes: list[str]
    webhooks_repeated: int
    """Messages that dispatch got again under the same id: it can tell, and counts them once."""
    deliveries: dict[str, int]
    """How often the broker sent each press."""
    violations: list[str]


async def kill_again_and_again(folder: Path, point: str, kills: int = KILLS, *, can_tell: bool = True) -> Tally:
    """One press, one kill, one start; `kills` times, at a school of its own each time.

    `can_tell=False`: until everybody is told, the carrier does not say what it took."""
    district = write_district(IN_TREE, folder / "district", sites=kills, buttons=2)
    async with running_machine(folder / "machine", example=district.directory, broker_settings=ALL_MESSAGES) as machine:
        if not can_tell:
            machine.carrier.reading_forecast.standing = Weather.BROKEN
        await machine.start(crashing=True)
        for site in district.sites:
            machine.arm(point, site.devices[0])
            await machine.press(site.devices[0])
            await machine.until_it_killed_itself()
            await machine.start(crashing=True, alive=False)
            await machine.until(partial(machine.incident_of, site.id), COMMITTED_S, f"the press of {site.id} is lost")
            # What comes again of this press must not spring the trap that is laid for the next.
            await machine.until(machine.is_alive, COMMITTED_S, "alertd does not hear the broker again")
        phones = [phone for site in district.sites for phone in site.phones]
        await machine.until(lambda: all(map(machine.seen, phones)), SETTLED_S, "promise 1: somebody was never told")
        await machine.until(machine.nothing_waits, SETTLED_S, "a notification waits for ever", pause_s=0.5)
        machine.carrier.reading_forecast.standing = Weather.FINE
        await machine.until_settled(SETTLED_S)
        return await _count(machine, point, district.sites)


async def _count(machine: Machine, point: str, sites: tuple[GeneratedSite, ...]) -> Tally:
    incidents = {incident["site"]: incident for incident in await machine.incidents()}
    calls = [message.incident_id for message in machine.center.new_incidents()]
    told = {i["site"]: [call for call in calls if call == i["id"]] for i in incidents.values()}
    phones = [phone for site in sites for phone in site.phones]
    return Tally(
        point=point,
        kills=machine.kills,
        lost=[site.id for site in sites if site.id not in incidents],
        untold=[p for p in phones if not machine.seen(p)] + [site for site, calls_ in told.items() if not calls_],
        told_twice=[p for p in phones if machine.told_again(p)] + [s for s, calls_ in told.items() if len(calls_) > 1],
        most_often=max(max(Counter(text.body for text in machine.texts(phone)).values()) for phone in phones),
        open_outcomes=[row["id"] for row in await machine.unsettled()],
        webhooks_repeated=sum(message.arrivals > 1 for message in machine.center.messages.values()),
        deliveries=dict(machine.deliveries()),
        violations=machine.violations(),
    )


def table(tallies: list[Tally]) -> str:
    lines = [f"{'kill -9 …':28} {'kills':>5} {'lost':>5} {'untold':>6} {'told twice':>10} {'webhook repeats':>15}"]
    lines += [
        f"{t.point:28} {t.kills:>5} {len(t.lost):>5} {len(t.untold):>6} {len(t.told_twice):>10}"
        f" {t.webhooks_repeated:>15}"
        for t in tallies
    ]
    return "\n".join(lines)


async def _all(kills: int) -> list[Tally]:
    with tempfile.TemporaryDirectory(prefix="alertd-kill-") as folder:
        return [await kill_again_and_again(Path(folder) / point, point, kills) for point in POINTS]


def main() -> int:
    tallies = asyncio.run(_all(int(sys.argv[1]) if len(sys.argv) > 1 else KILLS))
    print(table(tallies))
    return 1 if any(t.lost or t.untold or t.told_twice for t in tallies) else 0


if __name__ == "__main__":
    sys.exit(main())
