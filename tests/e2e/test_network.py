"""The network and the carrier on their worst days, over real HTTP: the press still reaches a human."""

import asyncio
import time
from pathlib import Path
from typing import Any

import pytest

from alertd_simulator.carrier import Behaviour
from alertd_simulator.demo_school import IN_TREE
from alertd_simulator.dispatch_center import DispatchCenter
from alertd_simulator.generated_district import GeneratedSite, write_district
from alertd_simulator.weather import Weather
from tests.e2e.machine import Machine, running_machine

pytestmark = pytest.mark.slow

BAD_DAYS = [weather for weather in Weather if weather is not Weather.FINE]
"""429, 500, 503, a redirect, garbage, silence, a cut connection; some of them after the text was taken all the same."""
BAD_FOR_S = 8.0
TOLD_WITHIN_S = 60
DISPATCH_WITHIN_S = 10


def is_told(machine: Machine, site: GeneratedSite) -> bool:
    return all(machine.seen(phone, "LOCKDOWN") for phone in site.phones)


def told_again(machine: Machine, sites: tuple[GeneratedSite, ...]) -> dict[str, list[str]]:
    return {phone: words for site in sites for phone in site.phones if (words := machine.told_again(phone))}


def dispatch_knows(center: DispatchCenter, number: int) -> bool:
    return len(center.new_incidents()) == number


async def test_whatever_the_carrier_answers_everybody_is_told_once(tmp_path: Path):
    """A school for each kind of bad day, all at once; the weather clears after a while."""
    district = write_district(IN_TREE, tmp_path / "district", sites=len(BAD_DAYS), buttons=2)
    async with running_machine(tmp_path / "m", example=district.directory) as machine:
        for site, weather in zip(district.sites, BAD_DAYS, strict=True):
            for phone in site.phones:
                machine.carrier.behave(phone, Behaviour(weather=weather))
        await machine.start()
        pressed_s = time.monotonic()
        for site in district.sites:
            await machine.press(site.devices[0])
        await machine.until(
            lambda: dispatch_knows(machine.center, len(BAD_DAYS)), DISPATCH_WITHIN_S, "dispatch waited for the carrier"
        )
        await asyncio.sleep(BAD_FOR_S)
        machine.carrier.behaviours.clear()
        took: dict[str, float] = {}

        def all_told() -> bool:
            for site, weather in zip(district.sites, BAD_DAYS, strict=True):
                if weather not in took and is_told(machine, site):
                    took[weather] = time.monotonic() - pressed_s
            return len(took) == len(BAD_DAYS)

        await machine.until(all_told, TOLD_WITHIN_S, "promise 1: the press reached nobody in some weather")
        await machine.until_settled(30)
        print(f"\nbad for {BAD_FOR_S:.0f} s; everybody told after:")
        print("\n".join(f"  {weather:28} {seconds:5.1f} s" for weather, seconds in took.items()))
        assert told_again(machine, district.sites) == {}, "told twice, although the carrier could say what it took"
        assert machine.violations() == []


@pytest.mark.parametrize("gone_s", [0.0, 6.0])
async def test_a_network_that_goes_in_the_middle_of_a_send(tmp_path: Path, gone_s: float):
    """The carrier has the texts, its answers are lost, and the uplink is gone.

    Back at once: the carrier is asked, and nobody is told twice. Away for longer, when nobody can be asked: a panic is
    sent again, once, for a duplicate beats a loss; a dispatch centre knows its message by the id."""
    district = write_district(IN_TREE, tmp_path / "district", sites=1, buttons=2)
    site = district.sites[0]
    async with running_machine(tmp_path / "m", example=district.directory) as machine:
        await machine.start()
        machine.to_carrier.swallows_answers = machine.to_center.swallows_answers = True
        await machine.press(site.devices[0])
        await machine.until(
            lambda: len(machine.carrier.texts) == len(site.phones) and machine.center.messages, 10, "nothing was sent"
        )
        await machine.to_carrier.cut()
        await machine.to_center.cut()
        [incident] = await machine.incidents()
        rows = await machine.notifications(incident["id"])
        assert not any(row["state"] in ("accepted", "sent", "delivered") for row in rows), "alertd cannot know that"
        await asyncio.sleep(gone_s)
        machine.to_carrier.swallows_answers = machine.to_center.swallows_answers = False
        await machine.to_carrier.plug_in()
        await machine.to_center.plug_in()

        await machine.until(lambda: is_told(machine, site), TOLD_WITHIN_S, "promise 1: the press reached nobody")
        await machine.until_settled(60)
        most = 1 if gone_s == 0 else 2
        assert {len(machine.texts(phone, "Call or radio 911 now")) for phone in site.phones[:2]} <= {1, most}
        if gone_s == 0:
            assert told_again(machine, district.sites) == {}, "told twice, although the carrier could say what it took"
        assert len(machine.center.new_incidents()) == len(machine.center.calls) == 1
        assert machine.violations() == []


async def test_connections_refused_and_then_the_answer_by_text_still_counts(tmp_path: Path):
    """Nobody listens at the carrier's address while the button is pressed."""
    district = write_district(IN_TREE, tmp_path / "district", sites=1, buttons=2)
    site = district.sites[0]
    async with running_machine(tmp_path / "m", example=district.directory) as machine:
        await machine.start()
        await machine.to_carrier.cut()
        await machine.press(site.devices[0])
        await machine.until(
            lambda: dispatch_knows(machine.center, 1), DISPATCH_WITHIN_S, "dispatch waited for the carrier"
        )
        await asyncio.sleep(4)
        await machine.to_carrier.plug_in()
        await machine.until(lambda: is_told(machine, site), TOLD_WITHIN_S, "promise 1: the press reached nobody")

        token = (await machine.incidents())[0]["token"]
        machine.reply(site.responder, f"4{token}")

        async def paused() -> bool:
            return [i["escalation"] for i in await machine.incidents()] == ["paused"]

        await machine.until(paused, 30, "the answer by text did not stop the escalation")
        assert told_again(machine, district.sites) == {}


async def test_without_a_route_to_the_carrier_the_other_one_is_used(tmp_path: Path):
    """Packets to the first carrier vanish; everybody has a second channel."""
    district = write_district(IN_TREE, tmp_path / "district", sites=1, buttons=2)
    site = district.sites[0]

    def two_carriers(wiring: dict[str, Any]) -> None:
        channels = wiring["channels"]
        backup = dict(channels["sms"])
        channels["sms"] |= {"base_url": UNROUTED, "deadline_s": 3.0}
        channels["sms-backup"] = backup

    async with running_machine(tmp_path / "m", example=district.directory, edit=two_carriers) as machine:
        await machine.start()
        await machine.press(site.devices[0])
        pressed_s = time.monotonic()
        await machine.until(lambda: is_told(machine, site), 30, "promise 1: the other route was not taken in time")
        print(f"\ntold by the other carrier after {time.monotonic() - pressed_s:.1f} s")
        assert told_again(machine, district.sites) == {}


UNROUTED = "https://[100::1]"
"""The address range that is thrown away everywhere."""
