"""The bad luck of a stated day: which faults, when and how long. The weights stand in `school_day`.

Owns the ranges of each fault. Every number is chosen so that the fault can matter (longer than a retry, or right in the
middle of one) and ends before the world heals.
"""

import math
from collections.abc import Callable, Sequence
from random import Random

from msgspec import Struct
from msgspec.structs import replace

from alertd_simulator.dispatch_center import Mood
from alertd_simulator.weather import Weather
from alertd_simulator.world import plan
from alertd_simulator.world.plan import Fault, Poison

CRASH_TAIL_S = 240.0
"""A crash is set so long before healing that its port call still comes."""
END_S = 5.0
"""A fault ends at least so long before the world heals."""
TRIES = 20

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
Deed = Fault | Poison


class Wish(Struct, frozen=True, kw_only=True):
    """How bad the day is to be. `near`: moments at which presses begin."""

    group_probability: float
    """0: exactly one group is on."""
    least: int
    most: int
    heal_at_s: float
    near: Sequence[float]
    devices: Sequence[str]


def faults_of(random: Random, wish: Wish) -> tuple[Deed, ...]:
    """In time."""
    chances = _chances(random, wish.group_probability)
    makers, weights = [maker for maker, _ in chances], [weight for _, weight in chances]
    found: list[Deed] = []
    for number in range(random.randrange(wish.least, wish.most + 1)):
        maker = random.choices(makers, weights)[0]
        for _ in range(TRIES):
            fault = _placed(random, maker(random, wish, number), wish, found)
            if fault is not None:
                found.append(fault)
                break
    return tuple(sorted(found, key=lambda fault: fault.at_s))


def ends_s(fault: Deed) -> float:
    """When it is over, if it begins when it is meant to."""
    return fault.at_s + _lasts_s(fault)


def _lasts_s(fault: Deed) -> float:
    match fault:
        case plan.Crash():
            return fault.down_s
        case plan.WrongClockAtBoot():
            return fault.down_s + fault.lasts_s
        case plan.Replay() | plan.ClockStep() | Poison():
            return 0.0
        case _:
            return fault.lasts_s


def _chances(random: Random, probability: float) -> list[tuple["Maker", float]]:
    """Kinds of faults with their weights, of the groups that are on."""
    on = [group for group in GROUPS if random.random() < probability]
    if not on:
        on = [random.choices(GROUPS, [group.weight for group in GROUPS])[0]]
    chances = []
    for group in on:
        total = sum(weight for _, weight in group.kinds)
        chances += [(maker, group.weight * weight / total) for maker, weight in group.kinds]
    return chances


def _placed(random: Random, fault: Deed, wish: Wish, others: Sequence[Deed]) -> Deed | None:
    """The fault at a telling moment, or `None` if it does not fit there."""
    tail_s = CRASH_TAIL_S if isinstance(fault, plan.Crash) else END_S
    last_s = wish.heal_at_s - tail_s - _lasts_s(fault)
    near = random.random() < 2 / 3 and wish.near
    during = [other for other in others if _lasts_s(other)]
    if during and random.random() < 1 / 2:
        other = random.choice(during)
        at_s = random.uniform(other.at_s, ends_s(other))
    elif near:
        at_s = random.choice(wish.near) + random.uniform(-20 if _lasts_s(fault) else -1, 4)
    else:
        at_s = random.uniform(1, wish.heal_at_s)
    if not 1 <= at_s <= last_s:
        return None
    placed = replace(fault, at_s=round(at_s, 2))
    own_kind = [other for other in others if type(other) is type(placed)]
    clashes = any(placed.at_s <= ends_s(other) + 1 and other.at_s <= ends_s(placed) + 1 for other in own_kind)
    return None if clashes and _lasts_s(placed) else placed


# --- the kinds ------------------------------------------------------------------------------------------------------


def _for(random: Random, least_s: float, most_s: float) -> float:
    """Short ones are more likely: as many below the geometric middle as above."""
    return round(math.exp(random.uniform(math.log(least_s), math.log(most_s))), 1)


def _share(random: Random) -> float:
    return random.choice((1.0, 1.0, 0.6, 0.3))


def _crash(random: Random, _wish: Wish, _number: int) -> Deed:
    port = random.choices([port for port, _ in CRASH_PORTS], [weight for _, weight in CRASH_PORTS])[0]
    power = random.random() < 1 / 4
    return plan.Crash(
        at_s=0,
        port=port,
        nth=random.randrange(1, 10),
        moment=random.choice(MOMENTS),
        down_s=_for(random, 0.5, 120),
        power=power,
        cut=round(random.random(), 3) if power else 1.0,
    )


def _disk_full(random: Random, _wish: Wish, _number: int) -> Deed:
    return plan.DiskFull(at_s=0, lasts_s=_for(random, 5, 300))


def _disk_fails(random: Random, _wish: Wish, _number: int) -> Deed:
    return plan.DiskFails(at_s=0, lasts_s=_for(random, 2, 120), one_in=random.randrange(1, 8))


def _slow_disk(random: Random, _wish: Wish, _number: int) -> Deed:
    return plan.SlowDisk(at_s=0, lasts_s=_for(random, 10, 300), commit_s=_for(random, 0.3, 8))


def _weather(random: Random) -> str:
    return str(random.choice([weather for weather in Weather if weather is not Weather.FINE]))


def _carrier_weather(random: Random, _wish: Wish, _number: int) -> Deed:
    return plan.CarrierWeather(at_s=0, lasts_s=_for(random, 5, 100), weather=_weather(random), share=_share(random))


def _carrier_tricks(random: Random, _wish: Wish, _number: int) -> Deed:
    return plan.CarrierTricks(
        at_s=0,
        lasts_s=_for(random, 30, 400),
        late_s=random.choice((0.0, 3.0, 20.0, 90.0)),
        shuffled=random.random() < 0.5,
        twice=random.random() < 0.5,
        recants=random.random() < 0.3,
        fails=random.choice(CARRIER_ERRORS),
    )


def _dispatch_weather(random: Random, _wish: Wish, _number: int) -> Deed:
    return plan.DispatchWeather(at_s=0, lasts_s=_for(random, 5, 120), weather=_weather(random), share=_share(random))


def _dispatch_mood(random: Random, _wish: Wish, _number: int) -> Deed:
    mood = random.choice([mood for mood in Mood if mood is not Mood.ACCEPTS])
    return plan.DispatchMood(at_s=0, lasts_s=_for(random, 30, 400), mood=str(mood))


def _uplink_cut(random: Random, _wish: Wish, _number: int) -> Deed:
    return plan.UplinkCut(at_s=0, lasts_s=_for(random, 3, 120))


def _broker_down(random: Random, _wish: Wish, _number: int) -> Deed:
    return plan.BrokerDown(at_s=0, lasts_s=_for(random, 1, 200), forgets=random.random() < 0.3)


def _broker_drops(random: Random, _wish: Wish, _number: int) -> Deed:
    return plan.BrokerDrops(at_s=0, times=random.randrange(1, 12), every_s=_for(random, 0.2, 10))


def _broker_tricks(random: Random, _wish: Wish, _number: int) -> Deed:
    return plan.BrokerTricks(
        at_s=0,
        lasts_s=_for(random, 10, 400),
        duplicates=random.choice((0.0, 0.2, 0.6)),
        jitter_s=random.choice((0.0, 0.05, 0.5, 3.0)),
        loses=random.choice((0.0, 0.3, 1.0)),
    )


def _clock_step(random: Random, _wish: Wish, _number: int) -> Deed:
    return plan.ClockStep(at_s=0, by_s=random.choice(STEPS_S))


def _wrong_clock(random: Random, _wish: Wish, _number: int) -> Deed:
    return plan.WrongClockAtBoot(
        at_s=0, off_s=random.choice(WRONG_S), lasts_s=_for(random, 10, 300), down_s=_for(random, 5, 60)
    )


def _poison(random: Random, wish: Wish, number: int) -> Deed:
    kind = random.choices([kind for kind, _ in POISONS], [weight for _, weight in POISONS])[0]
    triggers = [device for device in wish.devices if not device.startswith("gw-")]
    return Poison(at_s=0, name=f"x{number + 1}", device=random.choice(triggers), kind=kind)


def _replay(random: Random, _wish: Wish, _number: int) -> Deed:
    return plan.Replay(at_s=0, newest=random.randrange(1, 9))


Maker = Callable[[Random, Wish, int], Deed]


class Group(Struct, frozen=True, kw_only=True):
    """Faults that are switched on together."""

    name: str
    weight: float
    kinds: tuple[tuple[Maker, float], ...]


GROUPS = (
    Group(name="crash", weight=5, kinds=((_crash, 1),)),
    Group(name="carrier", weight=4, kinds=((_carrier_weather, 3), (_carrier_tricks, 2))),
    Group(name="broker", weight=4, kinds=((_broker_down, 3), (_broker_drops, 2), (_broker_tricks, 3))),
    Group(name="disk", weight=3, kinds=((_disk_full, 2), (_disk_fails, 2), (_slow_disk, 3))),
    Group(name="dispatch", weight=2, kinds=((_dispatch_weather, 2), (_dispatch_mood, 2))),
    Group(name="network", weight=2, kinds=((_uplink_cut, 1),)),
    Group(name="clock", weight=2, kinds=((_clock_step, 3), (_wrong_clock, 1))),
    Group(name="strangers", weight=3, kinds=((_poison, 3), (_replay, 2))),
)
