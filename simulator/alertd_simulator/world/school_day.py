"""The stated day: what one seed makes happen at the stated school. At least thirty presses, and bad luck.

Owns the weights. Must be a function of the seed alone: every stream is a `Random` of a string, no set is walked, and
only methods are used whose results are the same in every Python that we support.

Why the weights are what they are. Most bugs need two things that rarely meet, so days differ in *kind*, not only in
degree (swarm testing): each seed first switches whole groups of faults and habits on or off, then draws within them.

    temperament   share  groups of faults               faults  habits
    quiet          10 %  any one                          1-2   nearly everybody answers
    usual          60 %  each with probability 0.4        2-6   each group with probability 0.5
    bad            20 %  each with probability 0.7        4-8   each group with probability 0.7
    hell           10 %  all                                8   all, and many

    group     weight  faults (weight within the group)
    crash        5    Crash in a port call (6), at its hour (1); one in four takes the power with it
    carrier      4    CarrierWeather (3), CarrierTricks (2)
    broker       4    BrokerDown (3), BrokerDrops (2), BrokerTricks (3)
    disk         3    DiskFull (2), DiskFails (2), SlowDisk (3)
    dispatch     2    DispatchWeather (2), DispatchMood (2)
    network      2    UplinkCut
    clock        2    ClockStep (3), WrongClockAtBoot (1)
    strangers    3    Poison (3), Replay (2)

A crash has the greatest weight because every promise is about it. Two of three faults begin within seconds of a press,
because that is when something can be lost; every other one begins while another lasts. Two of five are drawn as a pair
that makes one another worse, whatever groups are on. Faults of one kind never overlap with themselves: that would be
one longer fault. All end `HEAL_AT_S` after the day began, or earlier.

    also, of all days   share
    a late morning        1/8  begins with a night in which the daemon was down, and somebody pressed
      … of special days   1/3  the clock or the calendar changes in that night
    a drill               1/4  see `school_day_drills`
    a curse               1/8  the engine fails on one press; one time in three the daemon dies over it
    loudspeakers fail     1/6  the switch is down, the pacer dead, or everything slow; from a stream of its own

One of five devices that are pressed is one of another family (`other_families`), from a stream of its own, too.

The day of a late morning begins when its night is over: its other deeds come so much later.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from random import Random
from zoneinfo import ZoneInfo

from msgspec import Struct
from msgspec.structs import replace

from alertd.model.ids import PersonId
from alertd.model.registry import Registry
from alertd_simulator.world import school_day_faults, school_day_habits, school_day_loudspeakers
from alertd_simulator.world.district import stated_district
from alertd_simulator.world.mapped_devices import SHARE
from alertd_simulator.world.other_families import in_other_hands, without
from alertd_simulator.world.plan import Deed, Order, Plan, Press
from alertd_simulator.world.school_day_drills import drills_of
from alertd_simulator.world.school_day_nights import Night, night_of
from alertd_simulator.world.school_day_presses import presses_of, reports_of
from alertd_simulator.world.school_day_vitals import vitals_of

HEAL_AT_S = 600.0
OVER_AT_S = 1_080.0
"""Eight minutes after the last fault: enough for all steps of every policy, for the widening to go round, for a word
that was given to lapse, and for a trouble to clear."""
PRESSES_MIN = 30
RELIABLE_SHARE = 0.8
"""Days on which one administrator of each school goes whenever asked."""
LATE_MORNING_SHARE, LATE_MORNING_SHARE_SPECIAL, CURSED_SHARE = 1 / 8, 1 / 3, 1 / 8
POLLS_ONLY_SHARE = 0.2
"""Days on which no callback reaches the school. Most schools never have one; but polling every two seconds is what
costs most to simulate."""


class Temper(Struct, frozen=True, kw_only=True):
    """How bad a day is."""

    name: str
    groups: float
    """Probability that a group of faults is on."""
    faults: tuple[int, int]
    habits: float
    oddity: float
    """Share of people who have a habit of a group that is on."""


TEMPERS = (
    Temper(name="quiet", groups=0.0, faults=(1, 2), habits=0.2, oddity=0.15),
    Temper(name="usual", groups=0.4, faults=(2, 6), habits=0.5, oddity=0.3),
    Temper(name="bad", groups=0.7, faults=(4, 8), habits=0.7, oddity=0.5),
    Temper(name="hell", groups=1.0, faults=(8, 8), habits=1.0, oddity=0.8),
)
TEMPER_WEIGHTS = (10, 60, 20, 10)

ORDERS = (
    ("resolve", 4),
    ("release", 3),
    ("resolve_rooms_released", 3),
    ("correct", 3),
    ("answer_going", 2),
    ("acknowledge_trouble", 2),
    ("test", 1),
    ("reload", 2),
)
"""What admins do, three to nine times a day; `reload` counts as a fault of its own kind and may meet any incident."""

# (weight, first moment in UTC, how many minutes later the day may begin)
SPECIAL_DAYS = (
    (7, datetime(2027, 3, 14, 7, 35, tzinfo=UTC), 20),  # 02:00 CST becomes 03:00 CDT at 08:00
    (7, datetime(2026, 11, 1, 6, 35, tzinfo=UTC), 20),  # 02:00 CDT becomes 01:00 CST at 07:00
    (5, datetime(2027, 1, 1, 5, 35, tzinfo=UTC), 20),  # the year changes at the school
    (3, datetime(2026, 12, 31, 23, 35, tzinfo=UTC), 20),  # the year changes in UTC
    (4, datetime(2028, 2, 29, 14, 0, tzinfo=UTC), 300),  # leap day
    (4, datetime(2028, 2, 29, 5, 35, tzinfo=UTC), 20),  # 28 February becomes 29 February
)
ORDINARY_WEIGHT = 70
SCHOOL_TIME = ZoneInfo("America/Chicago")


def plan_of(seed: int) -> Plan:
    """The day of this seed. The same plan in every process."""
    random = Random(f"{seed}:school day")
    temper = random.choices(TEMPERS, TEMPER_WEIGHTS)[0]
    registry = without(stated_district().registry)
    calendar = _calendar(Random(f"{seed}:calendar"))
    night = _night(Random(f"{seed}:night"), registry, calendar)
    at_least = PRESSES_MIN - night.presses
    presses = presses_of(Random(f"{seed}:presses"), registry, until_s=HEAL_AT_S, at_least=at_least)
    reports = reports_of(Random(f"{seed}:sensors"), registry, until_s=HEAL_AT_S)
    faults = school_day_faults.faults_of(
        Random(f"{seed}:faults"),
        school_day_faults.Wish(
            group_probability=temper.groups,
            least=temper.faults[0],
            most=temper.faults[1],
            heal_at_s=HEAL_AT_S,
            near=tuple((press.at_s, press.device) for press in presses),
            devices=tuple(registry.devices),
            after_a_night=bool(night.lasts_s),
            cursed=Random(f"{seed}:curse").random() < CURSED_SHARE,
        ),
    )
    loud = school_day_loudspeakers.deeds_of(Random(f"{seed}:loudspeakers"), presses, heal_at_s=HEAL_AT_S)
    drills = drills_of(Random(f"{seed}:drills"), registry, presses, until_s=HEAL_AT_S)
    orders = _orders(Random(f"{seed}:orders"), presses)
    vitals = vitals_of(Random(f"{seed}:vitals"), registry, until_s=OVER_AT_S)
    presses = in_other_hands(Random(f"{seed}:other families"), registry, presses, drilled=_drilled(drills))
    deeds: list[Deed] = [*presses, *reports, *faults, *orders, *loud, *drills, *vitals]
    later = [replace(deed, at_s=round(deed.at_s + night.lasts_s, 3)) for deed in deeds]
    return Plan(
        seed=seed,
        begins=_begins(calendar, night),
        deeds=tuple(sorted((*night.deeds, *later), key=lambda deed: deed.at_s)),  # stable
        habits=school_day_habits.habits_of(
            Random(f"{seed}:habits"),
            tuple(registry.people),
            probability=temper.habits,
            oddity=temper.oddity,
            reliable=_reliable(Random(f"{seed}:reliable"), registry),
            since_s=night.lasts_s,
        ),
        polls_only=random.random() < POLLS_ONLY_SHARE,
        mapped=SHARE,
        heal_at_s=round(night.lasts_s + HEAL_AT_S, 2),
        over_at_s=round(night.lasts_s + OVER_AT_S, 2),
    )


def _drilled(drills: Sequence[Deed]) -> frozenset[str]:
    return frozenset(device for deed in drills if isinstance(deed, Order) for device in deed.devices)


def _reliable(random: Random, registry: Registry) -> tuple[PersonId, ...]:
    """One administrator of each school, or on the other days nobody."""
    if random.random() >= RELIABLE_SHARE:
        return ()
    admins = [person for person in registry.people.values() if "admins" in person.groups]
    return tuple(
        random.choice([person.id for person in admins if site in person.sites])
        for site in sorted(registry.sites)
        if any(site in person.sites for person in admins)
    )


class Calendar(Struct, frozen=True, kw_only=True):
    """`special`: clocks or calendars do something odd within the half hour."""

    begins: datetime
    special: bool


def _calendar(random: Random) -> Calendar:
    """Mostly a morning of a school week; now and then a moment at which calendars and clocks do odd things."""
    weights = [weight for weight, _, _ in SPECIAL_DAYS]
    chosen = random.choices(range(len(weights) + 1), [ORDINARY_WEIGHT, *weights])[0]
    if chosen:
        _, first, minutes = SPECIAL_DAYS[chosen - 1]
        return Calendar(begins=first + timedelta(seconds=random.randrange(minutes * 60)), special=True)
    monday = datetime(2026, 8, 31) + timedelta(weeks=random.randrange(36))  # noqa: DTZ001 - the zone comes below
    local = monday + timedelta(days=random.randrange(5), seconds=random.randrange(27_000, 50_000))
    return Calendar(begins=local.replace(tzinfo=SCHOOL_TIME).astimezone(UTC), special=False)


def _night(random: Random, registry: Registry, calendar: Calendar) -> Night:
    """None on most days: it lasts no time, and nothing happens in it."""
    share = LATE_MORNING_SHARE_SPECIAL if calendar.special else LATE_MORNING_SHARE
    if random.random() >= share:
        return Night(lasts_s=0.0, deeds=())
    return night_of(random, registry, clock_changes=calendar.special)


def _begins(calendar: Calendar, night: Night) -> str:
    """What is odd about a special day is odd about its night; an ordinary night ends with a school morning."""
    begins = calendar.begins if calendar.special else calendar.begins - timedelta(seconds=round(night.lasts_s))
    return begins.strftime("%Y-%m-%dT%H:%M:%SZ")


def _orders(random: Random, presses: Sequence[Press]) -> list[Order]:
    """Some soon after a press, in the heat of it; some when things have calmed down."""
    names, weights = [name for name, _ in ORDERS], [weight for _, weight in ORDERS]
    orders = []
    for _ in range(random.randrange(3, 10)):
        what = random.choices(names, weights)[0]
        soon = random.random() < 0.5
        after_s = random.uniform(1, 60) if soon else random.uniform(60, 400)
        at_s = random.choice(presses).at_s + after_s
        orders.append(Order(at_s=round(at_s, 1), what=what, nth=random.randrange(3)))
    return orders
