"""What bad luck looks like on a stated day: each kind of fault, and the ranges of its numbers.

Owns the ranges. Every number is chosen so that the fault can matter (longer than a retry, or right in the middle of
one). When a fault begins is `school_day_faults`' business: here it begins at 0.
"""

import math
from collections.abc import Callable, Sequence
from random import Random

from alertd_simulator.dispatch_center import Mood
from alertd_simulator.weather import Weather
from alertd_simulator.world import plan
from alertd_simulator.world.plan import Fault, Order, Poison

CRASH_PORTS = (
    ("store.commit", 6),
    ("store.claim", 3),
    ("http.send", 4),
    ("mqtt.ack", 3),
    ("store.begin", 2),
    ("mqtt.connect", 1),
    ("", 2),
)
MOMENTS = ("before", "during", "after")
POISONS = (
    ("garbage", 3), ("empty", 1), ("unregistered", 3), ("unmapped", 2), ("huge", 1), ("deep", 1), ("decide", 3),
)  # fmt: skip
STEPS_S = (0.9, -0.9, 30.0, -30.0, 150.0, -150.0, 3_600.0, -3_600.0, 86_400.0, -86_400.0)
WRONG_S = (3_600.0, -3_600.0, -30 * 86_400.0, 400 * 86_400.0, -5 * 365 * 86_400.0)
CARRIER_ERRORS = (0, 0, 30003, 30006, 30007, 30008)

Deed = Fault | Poison | Order
Maker = Callable[[Random, Sequence[str]], Deed]
"""Draws one; asked with the devices of the district."""


def lasts_s(fault: Deed) -> float:
    """Seconds; 0 for what is over as soon as it has begun."""
    match fault:
        case plan.Crash():
            return fault.down_s
        case plan.WrongClockAtBoot():
            return fault.down_s + fault.lasts_s
        case plan.Replay() | plan.ClockStep() | Poison() | Order():
            return 0.0
        case _:
            return fault.lasts_s


def ends_s(fault: Deed) -> float:
    """When it is over, if it begins when it is meant to."""
    return fault.at_s + lasts_s(fault)


def _for(random: Random, least_s: float, most_s: float) -> float:
    """Short ones are more likely: as many below the geometric middle as above."""
    return round(math.exp(random.uniform(math.log(least_s), math.log(most_s))), 1)


def _share(random: Random) -> float:
    return random.choice((1.0, 1.0, 0.6, 0.3))


def crash(random: Random, _devices: Sequence[str]) -> Deed:
    port = random.choices([port for port, _ in CRASH_PORTS], [weight for _, weight in CRASH_PORTS])[0]
    power = random.random() < 1 / 4
    nth = random.randrange(1, 10)
    return plan.Crash(
        at_s=0,
        port=port,
        nth=1 + nth % 3 if port == "store.claim" else nth,  # rows wait to be claimed some twenty times a day
        moment=random.choice(MOMENTS),
        down_s=_for(random, 0.5, 120),
        power=power,
        cut=round(random.random(), 3) if power else 1.0,
    )


def disk_full(random: Random, _devices: Sequence[str]) -> Deed:
    return plan.DiskFull(at_s=0, lasts_s=_for(random, 5, 300))


def disk_fails(random: Random, _devices: Sequence[str]) -> Deed:
    return plan.DiskFails(at_s=0, lasts_s=_for(random, 2, 120), one_in=random.randrange(1, 8))


def slow_disk(random: Random, _devices: Sequence[str]) -> Deed:
    """Some are slower than a gesture: what waits together was not pressed together."""
    return plan.SlowDisk(at_s=0, lasts_s=_for(random, 10, 300), commit_s=_for(random, 0.3, 20))


def _weather(random: Random) -> str:
    return str(random.choice([weather for weather in Weather if weather is not Weather.FINE]))


def carrier_weather(random: Random, _devices: Sequence[str]) -> Deed:
    return plan.CarrierWeather(at_s=0, lasts_s=_for(random, 5, 100), weather=_weather(random), share=_share(random))


def carrier_tricks(random: Random, _devices: Sequence[str]) -> Deed:
    return plan.CarrierTricks(
        at_s=0,
        lasts_s=_for(random, 30, 400),
        late_s=random.choice((0.0, 3.0, 20.0, 90.0)),
        shuffled=random.random() < 0.5,
        twice=random.random() < 0.5,
        recants=random.random() < 0.3,
        fails=random.choice(CARRIER_ERRORS),
    )


def dispatch_weather(random: Random, _devices: Sequence[str]) -> Deed:
    return plan.DispatchWeather(at_s=0, lasts_s=_for(random, 5, 120), weather=_weather(random), share=_share(random))


def dispatch_mood(random: Random, _devices: Sequence[str]) -> Deed:
    mood = random.choice([mood for mood in Mood if mood is not Mood.ACCEPTS])
    return plan.DispatchMood(at_s=0, lasts_s=_for(random, 30, 400), mood=str(mood))


def uplink_cut(random: Random, _devices: Sequence[str]) -> Deed:
    return plan.UplinkCut(at_s=0, lasts_s=_for(random, 3, 120))


def broker_down(random: Random, _devices: Sequence[str]) -> Deed:
    return plan.BrokerDown(at_s=0, lasts_s=_for(random, 1, 200), forgets=random.random() < 0.3)


def broker_drops(random: Random, _devices: Sequence[str]) -> Deed:
    return plan.BrokerDrops(at_s=0, times=random.randrange(1, 12), every_s=_for(random, 0.2, 10))


def broker_tricks(random: Random, _devices: Sequence[str]) -> Deed:
    return plan.BrokerTricks(
        at_s=0,
        lasts_s=_for(random, 10, 400),
        duplicates=random.choice((0.0, 0.2, 0.6)),
        jitter_s=random.choice((0.0, 0.05, 0.5, 3.0)),
        loses=random.choice((0.0, 0.3, 1.0)),
        clogs=random.random() < 0.2,
    )


def clock_step(random: Random, _devices: Sequence[str]) -> Deed:
    return plan.ClockStep(at_s=0, by_s=random.choice(STEPS_S))


def wrong_clock(random: Random, _devices: Sequence[str]) -> Deed:
    return plan.WrongClockAtBoot(
        at_s=0, off_s=random.choice(WRONG_S), lasts_s=_for(random, 10, 300), down_s=_for(random, 5, 60)
    )


def poison(random: Random, devices: Sequence[str]) -> Deed:
    kind = random.choices([kind for kind, _ in POISONS], [weight for _, weight in POISONS])[0]
    triggers = [device for device in devices if not device.startswith("gw-")]
    return Poison(at_s=0, name="", device=random.choice(triggers), kind=kind)


def replay(random: Random, _devices: Sequence[str]) -> Deed:
    return plan.Replay(at_s=0, newest=random.randrange(1, 9))


def reload(_random: Random, _devices: Sequence[str]) -> Deed:
    """Not a fault by itself, but what meets a fault badly."""
    return Order(at_s=0, what="reload")
