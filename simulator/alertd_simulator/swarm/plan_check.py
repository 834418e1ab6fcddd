"""Whether a plan out of a file makes sense: bounds, words and names, each complaint with the key it is about.

Owns what may stand in a plan beyond its types: a plan with a typo would pass its day and prove nothing. Must not run
it.
"""

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from msgspec import Struct

from alertd.config import load
from alertd.model.registry import Registry
from alertd_simulator import dispatch_center, loudspeakers
from alertd_simulator.people import Habit
from alertd_simulator.weather import Weather
from alertd_simulator.world import plan as deeds
from alertd_simulator.world.district import stated_district
from alertd_simulator.world.plan import Plan

DAY_LONGEST_S = 3 * 86_400.0
"""The world ends a day that takes longer than four."""
STORM_MOST = 100_000
PORTS = (
    "", "store.commit", "store.begin", "store.claim", "store.open", "store.heal", "store.abandoned",
    "store.due_timers", "store.save_raw", "http.send", "http.read", "channel.send", "channel.look_up", "pa.send",
    "mqtt.connect", "mqtt.subscribe", "mqtt.unsubscribe", "mqtt.ack", "mqtt.publish",
)  # fmt: skip
"""Where a crash may be set: what the world calls `life.passing`."""
ORDERS = (
    "release", "resolve", "resolve_rooms_released", "correct", "answer_going", "acknowledge_trouble", "test", "reload",
    "pa_stop", "say", "say_emergency", "drill_start", "drill_end", "device_test_start", "device_test_end",
)  # fmt: skip
POISONS = ("garbage", "empty", "unregistered", "unmapped", "huge", "deep", "decide", "stolen")
WORDS: dict[tuple[type[Struct], str], Collection[str]] = {
    (deeds.Order, "what"): ORDERS,
    (deeds.Poison, "kind"): POISONS,
    (deeds.Crash, "port"): PORTS,
    (deeds.Crash, "moment"): ("before", "during", "after"),
    (deeds.CarrierWeather, "weather"): tuple(Weather),
    (deeds.DispatchWeather, "weather"): tuple(Weather),
    (deeds.DispatchMood, "mood"): tuple(dispatch_center.Mood),
    (deeds.LoudspeakersDown, "mood"): tuple(loudspeakers.Mood),
    (deeds.Habits, "habit"): tuple(Habit),
}
"""What a word may be, by the kind of thing that holds it."""
SHARES = ("share", "duplicates", "loses", "cut")


def problems_of(plan: Plan) -> list[str]:
    """What is wrong without looking at the district, as "deeds[3].weather: …"."""
    return [*_times(plan), *(problem for where, thing in _things(plan) for problem in _thing(where, thing, plan))]


def misnamed(plan: Plan) -> list[str]:
    """Names that the plan's district does not have. Empty for a district that cannot be read: the day says so."""
    loaded = load(Path(plan.district)) if plan.district else stated_district(polls_only=plan.polls_only)
    if loaded.registry is None:
        return []
    known = _names(loaded.registry)
    return [
        f'{where}.{key}: "{name}" is no {what} of the district'
        for where, thing in _things(plan)
        for key, what in _NAMED.items()
        for name in _all_of(getattr(thing, key, ()))
        if name and name not in known[what] and not _is_strangers(thing, key)
    ]


def _things(plan: Plan) -> Iterator[tuple[str, Struct]]:
    yield from ((f"deeds[{n}]", deed) for n, deed in enumerate(plan.deeds))
    yield from ((f"habits[{n}]", habits) for n, habits in enumerate(plan.habits))


def _times(plan: Plan) -> Iterator[str]:
    try:
        if datetime.fromisoformat(plan.begins).tzinfo is None:
            yield f'begins: "{plan.begins}" has no offset: write it as 2026-03-04T10:42:00-05:00'
    except ValueError:
        yield f'begins: "{plan.begins}" is no moment: write it as 2026-03-04T10:42:00-05:00'
    if not 0 < plan.over_at_s <= DAY_LONGEST_S:
        yield f"over_at_s: {plan.over_at_s:g} must be more than 0 and at most {DAY_LONGEST_S:g} s"
    if not 0 <= plan.heal_at_s <= plan.over_at_s:
        yield f"heal_at_s: {plan.heal_at_s:g} must be between 0 and over_at_s ({plan.over_at_s:g})"
    if not 0 <= plan.mapped <= 1:
        yield f"mapped: {plan.mapped:g} is no share: write a number from 0 to 1"
    if plan.texts_per_s < 0:
        yield f"texts_per_s: {plan.texts_per_s:g} is less than nothing; 0 is without limit"
    if plan.schema != 1:
        yield f"schema: {plan.schema} is of another version of alertd; this one knows 1"


def _thing(where: str, thing: Struct, plan: Plan) -> Iterator[str]:
    for key in thing.__struct_fields__:
        value: Any = getattr(thing, key)
        words = WORDS.get((type(thing), key))
        if words is not None and value not in words:
            yield f'{where}.{key}: "{value}" is none of {", ".join(word or "nothing" for word in words)}'
        elif key in SHARES and not 0 <= value <= 1:
            yield f"{where}.{key}: {value:g} is no share: write a number from 0 to 1"
        elif key == "at_s" and not 0 <= value <= plan.over_at_s:
            yield f"{where}.{key}: {value:g} is not within the day, which is over at {plan.over_at_s:g}"
        elif key in _LASTING and not 0 <= value <= DAY_LONGEST_S:
            yield f"{where}.{key}: {value:g} must be between 0 and {DAY_LONGEST_S:g} s"
        elif key in _COUNTED and not _COUNTED[key] <= value <= STORM_MOST:
            yield f"{where}.{key}: {value} must be from {_COUNTED[key]} to {STORM_MOST}"


_LASTING = (
    "lasts_s", "down_s", "held_back_s", "every_s", "commit_s", "late_s", "jitter_s", "after_s", "phone_off_s",
    "stays_s",
)  # fmt: skip
_COUNTED = {"times": 1, "nth": 0, "newest": 1, "one_in": 1, "presses": 0, "minutes": 0}
"""Key -> the least it may be."""
_NAMED = {
    "device": "device", "devices": "device", "heard_by": "gateway", "person": "person", "by": "person",
    "destination": "destination", "channel": "channel", "site": "school",
}  # fmt: skip


def _names(registry: Registry) -> dict[str, Collection[str]]:
    return {
        "device": registry.devices.keys(),
        "gateway": registry.devices.keys(),
        "person": registry.people.keys(),
        "destination": registry.destinations.keys(),
        "channel": registry.channels.keys(),
        "school": registry.sites.keys(),
    }


def _all_of(value: str | Sequence[str]) -> Sequence[str]:
    return (value,) if isinstance(value, str) else value


def _is_strangers(thing: Struct, key: str) -> bool:
    """Nonsense may come from anybody."""
    return isinstance(thing, deeds.Poison) and key == "device"
