"""A scenario becomes a plan, runs in bent time, and is judged.

    complaints = play(read_scenario(path, district))

Owns nothing but the way there. Must never soften a complaint.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from msgspec import Struct
from msgspec.structs import replace

from alertd_simulator.scenario.cast import cast_of
from alertd_simulator.scenario.judging import judge
from alertd_simulator.scenario.story import Scenario
from alertd_simulator.world.happenings import Crashed, Happening, KeyPressed, Ordered, Typed
from alertd_simulator.world.plan import Crash, Deed, Key, Order, Plan, Reply, WrongClockAtBoot
from alertd_simulator.world.run import simulate
from alertd_simulator.world.verdict import Verdict

SETTLED_S = 10.0
"""So long the daemon has run when a scenario begins: its first connection with the broker stands."""

BLANKS = ("{token}", "{text}")
"""Still in what was typed: there was no text to read them from."""


class Played(Struct, frozen=True, kw_only=True):
    """A scenario that was played. `complaints` is empty if it went as told."""

    scenario: Scenario
    verdict: Verdict
    complaints: tuple[str, ...]


def plan_of(scenario: Scenario, *, seed: int | None = None, real_numbers: bool = False) -> Plan:
    """What the world will do. No fault of it is healed before the scenario ends. `real_numbers`: it is somebody's own
    district; a phone of it rings in here only."""
    ends_s = SETTLED_S + scenario.ends_s
    begins = datetime.fromisoformat(scenario.begins) - timedelta(seconds=SETTLED_S)
    return Plan(
        seed=scenario.seed if seed is None else seed,
        begins=begins.isoformat(),
        deeds=tuple(replace(deed, at_s=SETTLED_S + deed.at_s) for deed in scenario.deeds),
        habits=tuple(replace(habit, phone_off_s=_shifted(habit.phone_off_s)) for habit in scenario.habits),
        heal_at_s=ends_s,
        over_at_s=ends_s,
        district=str(scenario.district),
        rehearsal=real_numbers,
    )


def undone(deeds: Sequence[Deed], happenings: Sequence[Happening]) -> list[str]:
    """Deeds that came to nothing: a trap that no call sprang, a reply to a text that never came, an order when nothing
    was open. A story whose crash did not happen proves nothing about crashes."""
    orders = [deed for deed in deeds if isinstance(deed, Order) and deed.what != "reload"]
    done = [h for h in happenings if isinstance(h, Ordered) and h.committed]
    typed = [h for h in happenings if isinstance(h, Typed) and not any(blank in h.body for blank in BLANKS)]
    pairs = (
        ("crash or power cut", _kinds(deeds, Crash, WrongClockAtBoot), _kinds(happenings, Crashed)),
        ("reply", _kinds(deeds, Reply), len(typed)),
        ("key", _kinds(deeds, Key), _kinds(happenings, KeyPressed)),
        ("order", len(orders), len(done)),
    )
    return [
        f"it tells of {told} times a {what}, and only {came} came to pass" for what, told, came in pairs if came < told
    ]


def _kinds(things: Sequence[object], *kinds: type) -> int:
    return sum(isinstance(thing, kinds) for thing in things)


def _shifted(phone_off_s: float) -> float:
    return SETTLED_S + phone_off_s if phone_off_s else 0.0


def play(scenario: Scenario, *, seed: int | None = None, real_numbers: bool = False) -> Played:
    """Play it against the real daemon. Another seed is another set of delays; a scenario holds under every one."""
    verdict = simulate(plan_of(scenario, seed=seed, real_numbers=real_numbers), keep_happenings=True)
    if verdict.crash:
        complaints = [f"{scenario.file}: the simulation broke down:\n{verdict.crash}"]
    else:
        complaints = [f"{scenario.file}: {what}" for what in undone(scenario.deeds, verdict.happenings)]
        complaints += judge(scenario, cast_of(scenario.district), verdict.happenings, began_s=SETTLED_S)
    return Played(scenario=scenario, verdict=verdict, complaints=tuple(complaints))
