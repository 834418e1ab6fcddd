"""The bad luck of a stated day: which faults it has, when they begin, and which of them meet.

Owns groups, meetings, curses and moments; the weights are told in `school_day`, the kinds in `school_day_fault_kinds`.
A fault ends before the world heals.

Faults are composed by design. Some pairs break what neither breaks alone, and would hardly ever meet by chance: they
are drawn together, the second within the life of the first.
"""

from collections.abc import Sequence
from random import Random

from msgspec import Struct
from msgspec.structs import replace

from alertd_simulator.world import plan
from alertd_simulator.world import school_day_fault_kinds as kinds
from alertd_simulator.world.plan import Poison
from alertd_simulator.world.school_day_fault_kinds import Deed, Maker, ends_s, lasts_s

CRASH_TAIL_S = 240.0
"""A crash is set so long before healing that its port call still comes."""
END_S = 5.0
"""A fault ends at least so long before the world heals."""
TRIES = 20
MEETING_SHARE = 0.4
"""Of the faults of a day that are drawn as a pair."""
ANY_PAIR_SHARE = 0.3
"""Of these pairs: any two kinds, because nobody knows them all."""
WAKE_S = 15.0
"""What is over at once is followed by the second within this time."""
CURSE_MEETS, CURSE_CRASHES, CURSE_HITS_PRESSER = 0.5, 1 / 3, 0.5
"""Shares of presses on which the engine fails: during another fault; with a crash in what follows; on a device that is
pressed just then."""
CURSE_PORTS = ("store.commit", "store.begin", "http.send", "mqtt.ack")


class Wish(Struct, frozen=True, kw_only=True):
    """How bad the day is to be."""

    group_probability: float
    """0: exactly one group is on."""
    least: int
    most: int
    heal_at_s: float
    near: Sequence[tuple[float, str]]
    """When presses begin, and of which device."""
    devices: Sequence[str]
    after_a_night: bool = False
    """The first fault rather begins in the minute in which the daemon comes up."""
    cursed: bool = False
    """The engine fails on a press."""


def faults_of(random: Random, wish: Wish) -> tuple[Deed, ...]:
    """In time. A `reload` among them is an order, but bad luck all the same."""
    chances = _chances(random, wish.group_probability)
    found: list[Deed] = []
    wanted = random.randrange(wish.least, wish.most + 1)
    for _ in range(wanted):
        room = wanted - len(found)
        if room >= 2 and random.random() < MEETING_SHARE:
            found += _meeting(random, wish, found)
        elif room:
            found += _single(random, wish, found, chances)
    if wish.cursed:
        found += _curse(random, wish, found)
    found.sort(key=lambda fault: fault.at_s)
    return tuple(_named(found))


def _named(found: Sequence[Deed]) -> list[Deed]:
    """Each nonsense has a name of its own."""
    return [
        replace(fault, name=f"x{number}") if isinstance(fault, Poison) else fault
        for number, fault in enumerate(found, start=1)
    ]


def _chances(random: Random, probability: float) -> list[tuple[Maker, float]]:
    """Kinds of faults with their weights, of the groups that are on."""
    on = [group for group in GROUPS if random.random() < probability]
    if not on:
        on = [random.choices(GROUPS, [group.weight for group in GROUPS])[0]]
    chances = []
    for group in on:
        total = sum(weight for _, weight in group.kinds)
        chances += [(maker, group.weight * weight / total) for maker, weight in group.kinds]
    return chances


# --- how they come ---------------------------------------------------------------------------------------------------


def _single(
    random: Random, wish: Wish, others: Sequence[Deed], chances: Sequence[tuple[Maker, float]]
) -> tuple[Deed, ...]:
    """One by itself, though it may begin while another lasts."""
    maker = random.choices([maker for maker, _ in chances], [weight for _, weight in chances])[0]
    for _ in range(TRIES):
        fault = _placed(random, maker(random, wish.devices), wish, others)
        if fault is not None:
            return (fault,)
    return ()


def _meeting(random: Random, wish: Wish, others: Sequence[Deed]) -> tuple[Deed, ...]:
    """Two, of which the second begins within the life of the first."""
    makers = _pair(random)
    for _ in range(TRIES):
        first = _placed(random, makers[0](random, wish.devices), wish, others)
        if first is None:
            continue
        second = makers[1](random, wish.devices)
        at_s = random.uniform(first.at_s, first.at_s + max(lasts_s(first), WAKE_S))
        met = _at(second, at_s, wish, [*others, first])
        if met is not None:
            return (first, met)
    return ()


def _pair(random: Random) -> tuple[Maker, Maker]:
    if random.random() < ANY_PAIR_SHARE:
        everything = [maker for group in GROUPS for maker, _ in group.kinds]
        first, second = random.sample(everything, 2)
        return first, second
    one, other, _ = random.choices(PAIRS, [weight for _, _, weight in PAIRS])[0]
    return one, other


def _curse(random: Random, wish: Wish, others: Sequence[Deed]) -> tuple[Deed, ...]:
    """A press on which the engine fails; now and then the daemon dies of something else while it deals with that."""
    lasting = [other for other in others if lasts_s(other)]
    for _ in range(TRIES):
        pressed_s, presser = random.choice(wish.near)
        at_s = pressed_s + random.uniform(-1, 8)
        if lasting and random.random() < CURSE_MEETS:
            other = random.choice(lasting)
            at_s = random.uniform(other.at_s, ends_s(other))
        device = presser if random.random() < CURSE_HITS_PRESSER else random.choice(wish.devices)
        cursed = (
            None
            if device.startswith("gw-")
            else _at(Poison(at_s=0, name="", device=device, kind="decide"), at_s, wish, others)
        )
        if cursed is None:
            continue
        if random.random() >= CURSE_CRASHES:
            return (cursed,)
        crash = kinds.crash(random, wish.devices)
        assert isinstance(crash, plan.Crash), "a crash is a crash"
        crash = replace(crash, port=random.choice(CURSE_PORTS), nth=random.randrange(1, 4))
        died = _at(crash, cursed.at_s - 0.01, wish, others)
        return (cursed,) if died is None else (died, cursed)
    return ()


# --- when ------------------------------------------------------------------------------------------------------------


def _placed(random: Random, fault: Deed, wish: Wish, others: Sequence[Deed]) -> Deed | None:
    """The fault at a telling moment, or `None` if it does not fit there."""
    near = random.random() < 2 / 3 and wish.near
    during = [other for other in others if lasts_s(other)]
    if not others and near and wish.after_a_night:
        at_s = random.uniform(1, 20)
    elif during and random.random() < 1 / 2:
        other = random.choice(during)
        at_s = random.uniform(other.at_s, ends_s(other))
    elif near:
        at_s = random.choice(wish.near)[0] + random.uniform(-20 if lasts_s(fault) else -1, 4)
    else:
        at_s = random.uniform(1, wish.heal_at_s)
    return _at(fault, at_s, wish, others)


def _at(fault: Deed, at_s: float, wish: Wish, others: Sequence[Deed]) -> Deed | None:
    """The fault at that moment, or `None` if it does not fit: two of one kind would be one longer fault."""
    tail_s = CRASH_TAIL_S if isinstance(fault, plan.Crash) else END_S
    if not 1 <= at_s <= wish.heal_at_s - tail_s - lasts_s(fault):
        return None
    placed = replace(fault, at_s=round(at_s, 2))
    own_kind = [other for other in others if type(other) is type(placed)]
    clashes = any(placed.at_s <= ends_s(other) + 1 and other.at_s <= ends_s(placed) + 1 for other in own_kind)
    return None if clashes and lasts_s(placed) else placed


# --- which -----------------------------------------------------------------------------------------------------------


class Group(Struct, frozen=True, kw_only=True):
    """Faults that are switched on together."""

    name: str
    weight: float
    kinds: tuple[tuple[Maker, float], ...]


GROUPS = (
    Group(name="crash", weight=5, kinds=((kinds.crash, 1),)),
    Group(name="carrier", weight=4, kinds=((kinds.carrier_weather, 3), (kinds.carrier_tricks, 2))),
    Group(name="broker", weight=4, kinds=((kinds.broker_down, 3), (kinds.broker_drops, 2), (kinds.broker_tricks, 3))),
    Group(name="disk", weight=3, kinds=((kinds.disk_full, 2), (kinds.disk_fails, 2), (kinds.slow_disk, 3))),
    Group(name="dispatch", weight=2, kinds=((kinds.dispatch_weather, 2), (kinds.dispatch_mood, 2))),
    Group(name="network", weight=2, kinds=((kinds.uplink_cut, 1),)),
    Group(name="clock", weight=2, kinds=((kinds.clock_step, 3), (kinds.wrong_clock, 1))),
    Group(name="strangers", weight=3, kinds=((kinds.poison, 3), (kinds.replay, 2))),
)

PAIRS = (
    # What is not committed yet is delivered again, and again.
    (kinds.slow_disk, kinds.broker_drops, 4),
    (kinds.disk_fails, kinds.broker_drops, 2),
    (kinds.broker_drops, kinds.slow_disk, 2),
    # What only memory holds meets the end of the process, or of the power.
    (kinds.disk_full, kinds.crash, 4),
    (kinds.disk_fails, kinds.crash, 2),
    (kinds.slow_disk, kinds.crash, 3),
    # Statuses, look-ups and expiries whose clock is another one than they began with.
    (kinds.carrier_tricks, kinds.clock_step, 3),
    (kinds.carrier_weather, kinds.clock_step, 2),
    (kinds.wrong_clock, kinds.carrier_tricks, 1),
    (kinds.clock_step, kinds.crash, 1),
    # Attempts that nobody has heard the end of, and nobody remembers having begun.
    (kinds.carrier_weather, kinds.crash, 3),
    (kinds.carrier_tricks, kinds.crash, 2),
    (kinds.dispatch_weather, kinds.crash, 2),
    (kinds.uplink_cut, kinds.crash, 2),
    # Sources and channels are put together anew while their other end is away.
    (kinds.broker_drops, kinds.reload, 3),
    (kinds.broker_down, kinds.reload, 2),
    (kinds.carrier_weather, kinds.reload, 1),
    (kinds.slow_disk, kinds.reload, 1),
    # Packet ids and counters begin anew on both sides at once.
    (kinds.broker_down, kinds.crash, 3),
    (kinds.broker_tricks, kinds.crash, 2),
    (kinds.crash, kinds.replay, 1),
    # Everything is away, and comes back at once.
    (kinds.uplink_cut, kinds.broker_down, 2),
    (kinds.uplink_cut, kinds.disk_full, 1),
)
"""First, second, weight: what makes one another worse, and why."""
