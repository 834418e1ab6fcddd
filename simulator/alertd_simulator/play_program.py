"""What `alertd-sim play` will do: the deeds of a story, or of a seeded school day at the district's own devices.

Owns which deeds can be done to a running daemon, and their words. A crash, a full disk and a wrong clock belong to the
simulated world (`alertd simulate`): they are left out, and said to be.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from random import Random
from typing import Any

from msgspec import Struct

from alertd.model.registry import Registry
from alertd.model.site import DeviceKind
from alertd_simulator.scenario.reading import read_scenario
from alertd_simulator.world.plan import (
    CarrierWeather,
    Deed,
    DispatchMood,
    DispatchWeather,
    Key,
    Order,
    Poison,
    Press,
    Reply,
    SensorReport,
)
from alertd_simulator.world.school_day_habits import habits_of
from alertd_simulator.world.school_day_presses import presses_of, reports_of

PRESSES_A_MINUTE = 2
MINUTES_MIN = 3
PLAYABLE = (Press, SensorReport, Poison, Reply, Key, Order, CarrierWeather, DispatchMood, DispatchWeather)
NO_ORDER = frozenset({"test", "reload"})
"""Orders of a simulated world that mean nothing to a running daemon."""


class Program(Struct, frozen=True, kw_only=True):
    """What will be done, in order of time."""

    title: str
    deeds: tuple[Deed, ...]
    habits: dict[str, tuple[str, float]] = {}
    left_out: tuple[str, ...] = ()
    """What only a simulated world can do, in words."""


def program_of_story(file: Path, config: Path) -> Program:
    """Raises `ScenarioError`, `OSError`."""
    scenario = read_scenario(file, config, judged=False)
    playable = [deed for deed in scenario.deeds if _is_playable(deed)]
    lines = {told.at_s: f"{file.name}:{told.line}: {told.source.strip()}" for told in scenario.told}
    left_out = tuple(lines.get(deed.at_s, str(deed)) for deed in scenario.deeds if not _is_playable(deed))
    return Program(title=scenario.title or file.name, deeds=tuple(playable), left_out=left_out)


def program_of_seed(seed: int, registry: Registry, *, minutes: int) -> Program:
    """A school day of this seed: presses, sensors, and what people do. Its faults are for the simulated world."""
    until_s = 60.0 * max(minutes, MINUTES_MIN)
    at_least = max(2, minutes * PRESSES_A_MINUTE)
    deeds: list[Deed] = list(presses_of(Random(f"{seed}:presses"), registry, until_s=until_s, at_least=at_least))
    if any(device.kind is DeviceKind.SENSOR for device in registry.devices.values()):
        deeds += reports_of(Random(f"{seed}:sensors"), registry, until_s=max(until_s, 150.0))
    phones = [str(person.id) for person in registry.people.values() if _has_phone(person.endpoints)]
    habits = habits_of(Random(f"{seed}:habits"), phones, probability=0.3, oddity=0.3)
    return Program(
        title=f"a school day of seed {seed}",
        deeds=tuple(sorted(deeds, key=lambda deed: deed.at_s)),
        habits={habit.person: (habit.habit, habit.after_s) for habit in habits},
    )


def _has_phone(endpoints: Iterable[Any]) -> bool:
    return any(endpoint.address.startswith("+") for endpoint in endpoints)


def _is_playable(deed: Deed) -> bool:
    return isinstance(deed, PLAYABLE) and not (isinstance(deed, Order) and deed.what in NO_ORDER)


def words_of(deed: Deed) -> str:  # noqa: PLR0911 - one arm a deed
    match deed:
        case Press():
            how = f"{deed.presses} times" if deed.presses else deed.action or deed.gesture.value
            return f"{deed.device} is pressed ({how})"
        case SensorReport():
            times = f", {deed.times} times" if deed.times > 1 else ""
            return f"{deed.device} says {deed.action}{times}"
        case Poison():
            return f"{deed.device} sends nonsense ({deed.kind})"
        case Reply():
            return f"{deed.person} types {deed.body!r}"
        case Key():
            return f"{deed.person} presses {deed.key} in a call"
        case Order():
            return f"{deed.by or 'an operator'}: {deed.what.replace('_', ' ')} {deed.site or deed.zone}".rstrip()
        case _:
            return type(deed).__name__


def described(program: Program, speed: float) -> Sequence[str]:
    """What is about to be played, and what of it is not."""
    last_s = program.deeds[-1].at_s / speed if program.deeds else 0.0
    head = f"{program.title}: {len(program.deeds)} deeds in {last_s / 60:.1f} minutes, at {speed:g} times the pace"
    return (head, *(f"  left out: {words}" for words in program.left_out))
