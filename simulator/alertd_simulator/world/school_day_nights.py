"""A late morning: the daemon was down all night, somebody pressed, and nobody knows yet.

Owns the evening, the night and the first seconds of the morning: everything before the stated day begins. A press of
the night waits at the broker; when the daemon comes up it is *late*: people hear of it at once, dispatch after a human
or when the site's time is over. Must draw no fault of the day itself; in the morning it may well begin with one.

    evening   3 s; or, one in two, half a minute to two with a press: its incident and timers go through the night
    end       the process dies (2 of 3), or the power goes: boot time begins anew
    night     2.5 min to 6 h, short ones more likely; at least 30 min where a clock changes in it
    presses   1 to 3: a lockdown (2), a medical press (2), anything (1); one is older than two minutes when it is heard
    broker    is restarted in one night of four, and forgets nothing
    morning   in one of two somebody presses within seconds: not late, and dispatch no longer has to wait
"""

import math
from collections.abc import Iterator
from random import Random

from msgspec import Struct
from msgspec.structs import replace

from alertd.model.incident import IncidentClass
from alertd.model.registry import Registry
from alertd.model.site import Device, DeviceKind
from alertd_simulator.world.plan import BrokerDown, Crash, Gesture, Press
from alertd_simulator.world.school_day_presses import QUIET_S, Mood, Yard

EVENING_S, BUSY_EVENING_S = 3.0, (30.0, 120.0)
NIGHT_S, CHANGING_LEAST_S = (150.0, 21_600.0), 1_800.0
MORNING_S = 15.0
"""From the start of the daemon to the beginning of the stated day."""
PRESSES_MAX = 3
BUSY_EVENING, POWER, BROKER_RESTARTS, EARLY_PRESS, AT_THE_LAST_MINUTE = 1 / 2, 1 / 3, 1 / 4, 1 / 2, 1 / 3
LAST_MINUTES_S, LONG_S = 119.0, 125.0
"""A press that is younger is not late, if its device has a clock; each night has one that is surely older."""
WHAT = (("lockdown", 2), ("medical", 2), ("anything", 1))


class Night(Struct, frozen=True, kw_only=True):
    """What comes before the stated day."""

    lasts_s: float
    deeds: tuple[Press | Crash | BrokerDown, ...]

    @property
    def presses(self) -> int:
        return sum(isinstance(deed, Press) for deed in self.deeds)


def night_of(random: Random, registry: Registry, *, clock_changes: bool) -> Night:
    """`clock_changes`: within the half hour after the evening."""
    yard = Yard(random, registry)
    mood = yard.mood()
    busy = random.random() < BUSY_EVENING
    evening_s = random.uniform(*BUSY_EVENING_S) if busy else EVENING_S
    least_s, most_s = NIGHT_S
    if clock_changes:
        least_s = CHANGING_LEAST_S
    down_s = round(math.exp(random.uniform(math.log(least_s), math.log(most_s))), 1)
    up_s = evening_s + down_s
    moments = [random.uniform(2, evening_s - 20)] if busy else []
    moments += _in_the_night(random, evening_s, up_s)
    if random.random() < EARLY_PRESS:
        moments.append(up_s + random.uniform(0.5, MORNING_S - QUIET_S))
    deeds: list[Press | Crash | BrokerDown] = list(_presses(yard, moments, mood, registry))
    deeds.append(Crash(at_s=round(evening_s, 2), down_s=down_s, power=random.random() < POWER))
    if random.random() < BROKER_RESTARTS:
        deeds.append(BrokerDown(at_s=round(random.uniform(evening_s + 10, up_s - 10), 2), lasts_s=5.0))
    return Night(lasts_s=round(up_s + MORNING_S, 2), deeds=tuple(sorted(deeds, key=lambda deed: deed.at_s)))


def _in_the_night(random: Random, from_s: float, until_s: float) -> list[float]:
    found = [random.uniform(from_s + 1, until_s - LONG_S)]
    for _ in range(random.randrange(PRESSES_MAX)):
        begins_s = until_s - LAST_MINUTES_S if random.random() < AT_THE_LAST_MINUTE else from_s
        found.append(random.uniform(begins_s + 1, until_s - 5))
    return sorted(found)


def _presses(yard: Yard, moments: list[float], mood: Mood, registry: Registry) -> Iterator[Press]:
    """Mostly at one school: in the morning it has one long story to tell."""
    site = yard.random.choice(yard.sites)
    for number, at_s in enumerate(moments, start=1):
        device, gesture = _what(yard, site, registry)
        while not yard.take(device, at_s):
            device, gesture = _what(yard, site, registry)
        press = replace(yard.press(device, at_s, number, mood), name=f"n{number}", held_back_s=0.0)
        yield press if gesture is None else replace(press, gesture=gesture)


def _what(yard: Yard, site: str, registry: Registry) -> tuple[Device, Gesture | None]:
    """Who presses, and how; `None`: as people usually do."""
    what = yard.random.choices([name for name, _ in WHAT], [weight for _, weight in WHAT])[0]
    device = _medical(yard, site, registry) if what == "medical" else yard.any_of(site)
    assert device is not None, "each school has buttons, and one for a medical emergency"
    return device, Gesture.EIGHT if what == "lockdown" else None


def _medical(yard: Yard, site: str, registry: Registry) -> Device:
    return yard.random.choice(
        [
            device
            for device in registry.devices.values()
            if device.kind is DeviceKind.BUTTON
            and device.site_id == site
            and IncidentClass.MEDICAL in device.gestures.presses.values()
        ]
    )
