"""The days of a rehearsal as plans: one press, people as they are at that hour, now and then a fault.

Owns the drawing. Every draw comes from a stream of its own, named by seed, subject and day, so that a day with
something taken away (`parts`) is the same day otherwise.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from random import Random
from zoneinfo import ZoneInfo

from msgspec import Struct

from alertd.model.people import Person
from alertd.model.registry import Registry
from alertd.model.site import DeviceKind
from alertd_simulator.people import Habit
from alertd_simulator.rehearsal.assumptions import Assumptions, Hours, draw_delay, draw_habit
from alertd_simulator.rehearsal.subjects import PRESS, Subject, Way
from alertd_simulator.weather import Weather
from alertd_simulator.world.plan import (
    BrokerDrops,
    CarrierWeather,
    Deed,
    DispatchWeather,
    Gesture,
    Habits,
    Plan,
    Press,
    SensorReport,
)

FIRST_MONDAY = date(2026, 10, 5)
WEEKS = 52
"""Days are drawn from this year, whatever today is: the same seed is the same rehearsal."""
PRESS_AT_S = 20.0
"""By then the daemon has started and heard from its broker."""
WIDENING_S = 2 * 120 + 60
"""Two rounds of widening after the last step, and time for the texts to arrive."""
PRESS_NAME = "rehearsed"
CHANNEL_DOWN_S = 120.0
"""The longest of the faults."""
DUTY_FROM, DUTY_UNTIL = 7.5, 16.0
NIGHT_FROM, NIGHT_UNTIL = 22.0, 6.0
SATURDAY = 5


class TimeOfDay(StrEnum):
    DUTY = "school hours"
    EVENING = "evening or weekend"
    NIGHT = "night"


class Day(Struct, frozen=True, kw_only=True):
    """One rehearsed press."""

    subject: Subject
    way: Way
    moment: str
    """Local time, as people write it."""
    time_of_day: TimeOfDay
    faults: tuple[str, ...]
    plan: Plan


def days_of(
    registry: Registry, subject: Subject, assumptions: Assumptions, *, seed: int, count: int
) -> tuple[Day, ...]:
    """`count` different days of one subject. What of the plans is the same everywhere, the caller sets."""
    drawer = _Drawer(registry, subject, assumptions, seed)
    return tuple(drawer.day(number) for number in range(count))


def silent_day(registry: Registry, subject: Subject, assumptions: Assumptions, *, seed: int) -> Day:
    """A press in school hours that nobody answers: how far the policy goes by itself."""
    return _Drawer(registry, subject, assumptions, seed).day(-1, silent=True)


class _Drawer:
    def __init__(self, registry: Registry, subject: Subject, assumptions: Assumptions, seed: int) -> None:
        self._registry = registry
        self._subject = subject
        self._assumptions = assumptions
        self._seed = seed
        self._people = [p for p in registry.people.values() if p.endpoints]

    def day(self, number: int, *, silent: bool = False) -> Day:
        random = self._random(number, "day")
        time_of_day = TimeOfDay.DUTY if silent else self._time_of_day(random)
        moment = _moment(random, time_of_day, ZoneInfo(self._subject.time_zone))
        way = random.choice(self._subject.ways)
        faults = () if silent else tuple(self._faults(self._random(number, "faults")))
        over_s = PRESS_AT_S + sum(step.wait_s for step in self._subject.policy.steps) + WIDENING_S
        plan = Plan(
            seed=self._random(number, "world").randrange(2**31),
            begins=(moment - timedelta(seconds=PRESS_AT_S)).astimezone(UTC).isoformat().replace("+00:00", "Z"),
            deeds=(_press(way, random), *(deed for deed, _ in faults)),
            habits=tuple(self._habits(person, number, time_of_day, over_s, silent=silent) for person in self._people),
            heal_at_s=min(PRESS_AT_S + CHANNEL_DOWN_S, over_s),
            over_at_s=over_s,
            rehearsal=True,
        )
        return Day(
            subject=self._subject, way=way, moment=f"{moment:%a %H:%M}", time_of_day=time_of_day,
            faults=tuple(words for _, words in faults), plan=plan,
        )  # fmt: skip

    def _random(self, number: int, what: str) -> Random:
        return Random(f"{self._seed}:{self._subject.key}:{number}:{what}")

    def _time_of_day(self, random: Random) -> TimeOfDay:
        if random.random() < self._assumptions.share_in_duty_hours:
            return TimeOfDay.DUTY
        return random.choice((TimeOfDay.EVENING, TimeOfDay.NIGHT))

    def _habits(self, person: Person, number: int, time_of_day: TimeOfDay, over_s: float, *, silent: bool) -> Habits:
        random = self._random(number, f"person:{person.id}")
        hours = self._hours(time_of_day)
        habit = draw_habit(random, hours)
        answers_after_s = draw_delay(random, hours.answer_median_s, hours.answer_spread)
        delivery_s = draw_delay(random, self._assumptions.delivery_median_s, self._assumptions.delivery_spread)
        is_off = random.random() < hours.phone_off and not silent
        return Habits(
            person=person.id,
            habit=Habit.SILENT if silent else habit,
            after_s=answers_after_s,
            phone_off_s=over_s if is_off else 0.0,
            delivery_s=delivery_s,
        )

    def _hours(self, time_of_day: TimeOfDay) -> Hours:
        match time_of_day:
            case TimeOfDay.DUTY:
                return self._assumptions.duty
            case TimeOfDay.EVENING:
                return self._assumptions.evening
            case TimeOfDay.NIGHT:
                return self._assumptions.night

    def _faults(self, random: Random) -> Iterator[tuple[Deed, str]]:
        assumptions = self._assumptions
        limited, down, broker = random.random(), random.random(), random.random()
        channels = sorted(self._registry.channels)
        if limited < assumptions.days_with_429:
            yield (
                CarrierWeather(at_s=PRESS_AT_S - 5, lasts_s=65, weather=Weather.LIMITED, share=0.5),
                "carrier turns half of the requests away for a minute",
            )
        if down < assumptions.days_with_channel_down and channels:
            channel = random.choice(channels)
            yield from (
                (deed, f"channel {channel} down for two minutes")
                for deed in down_channel(self._registry, channel, at_s=PRESS_AT_S - 5, lasts_s=CHANNEL_DOWN_S)
            )
        if broker < assumptions.days_with_broker_trouble:
            yield BrokerDrops(at_s=PRESS_AT_S - 2, times=3, every_s=2.0), "broker cuts its connections three times"


def down_channel(registry: Registry, channel: str, *, at_s: float, lasts_s: float) -> tuple[Deed, ...]:
    """The channel answers 503: to texts, or for each destination that it serves."""
    kind = registry.channels[channel].kind
    if kind == "sms":
        return (CarrierWeather(at_s=at_s, lasts_s=lasts_s, weather=Weather.UNAVAILABLE, channel=channel),)
    return tuple(
        DispatchWeather(at_s=at_s, lasts_s=lasts_s, weather=Weather.UNAVAILABLE, destination=destination.id)
        for destination in registry.destinations.values()
        if destination.endpoint.channel == channel
    )


def _press(way: Way, random: Random) -> Deed:
    at_s = PRESS_AT_S
    if way.kind is DeviceKind.SENSOR:
        return SensorReport(at_s=at_s, name=PRESS_NAME, device=way.device_id, action=way.action)
    return Press(
        at_s=at_s,
        name=PRESS_NAME,
        device=way.device_id,
        gesture=Gesture.ONCE,
        presses=way.presses if way.action == PRESS else 0,
        action="" if way.action == PRESS else way.action,
        heard_by=(random.choice(way.gateways),) if way.gateways else (),
    )


def _moment(random: Random, time_of_day: TimeOfDay, zone: ZoneInfo) -> datetime:
    """A moment of that kind, in local time."""
    monday = FIRST_MONDAY + timedelta(weeks=random.randrange(WEEKS))
    weekday = random.randrange(5 if time_of_day is TimeOfDay.DUTY else 7)
    hour = random.uniform(*_hours(time_of_day, weekday)) % 24
    local = datetime.combine(monday + timedelta(days=weekday), time(), zone) + timedelta(hours=hour)
    return local.replace(microsecond=0)


def _hours(time_of_day: TimeOfDay, weekday: int) -> tuple[float, float]:
    match time_of_day:
        case TimeOfDay.DUTY:
            return DUTY_FROM, DUTY_UNTIL
        case TimeOfDay.NIGHT:
            return NIGHT_FROM, NIGHT_UNTIL + 24
        case TimeOfDay.EVENING:
            return DUTY_UNTIL if weekday < SATURDAY else NIGHT_UNTIL, NIGHT_FROM
