"""A simulated day that costs nothing: what it does is written into the names of its presses. Workers import it."""

import hashlib
import os
import signal
import threading
from collections import Counter

from msgspec.structs import replace

from alertd_simulator.world.edges import tag_of
from alertd_simulator.world.happenings import Crashed
from alertd_simulator.world.plan import (
    FAULTS,
    BrokerDown,
    ClockStep,
    Crash,
    Deed,
    DiskFull,
    Gesture,
    Habits,
    Plan,
    Press,
    Replay,
)
from alertd_simulator.world.verdict import Verdict, Violation

BAD_SEED = 13


def press(at_s: float, name: str) -> Press:
    return Press(at_s=at_s, name=name, device="badge-17", gesture=Gesture.ONCE)


def plan_of(seed: int) -> Plan:
    """Each day has thirty presses and six faults. On every 13th, a press is lost if the daemon crashes."""
    presses = [press(10.0 * n, f"press-{n}") for n in range(30)]
    if seed % BAD_SEED == 0:
        presses[20] = press(200.0, "lost-in-a-crash")
    deeds: list[Deed] = [
        *presses,
        DiskFull(at_s=5, lasts_s=9),
        Crash(at_s=50),
        Crash(at_s=180),
        BrokerDown(at_s=20, lasts_s=4),
        ClockStep(at_s=99, by_s=-60),
        Replay(at_s=120),
    ]
    habits = tuple(Habits(person=f"person-{n}", habit="never replies") for n in range(10))
    deeds.sort(key=lambda deed: deed.at_s)
    return Plan(seed=seed, begins="2026-03-02T08:00:00Z", deeds=tuple(deeds), habits=habits)


def misnamed(plan: Plan) -> list[str]:
    return [f"deeds[{n}].device: nobody knows it" for n, deed in enumerate(plan.deeds) if "badge-99" in repr(deed)]


def simulate(plan: Plan, *, keep_trace: bool = False, keep_happenings: bool = False) -> Verdict:
    names = [deed.name for deed in plan.deeds if isinstance(deed, Press)]
    if "hangs" in names:
        spin()
    if "waits" in names:
        threading.Event().wait()
    if "kills" in names:
        os.kill(os.getpid(), signal.SIGKILL)
    if "raises" in names:
        raise ValueError(f"on seed {plan.seed}")
    crashes = sum(isinstance(deed, Crash) for deed in plan.deeds)
    violations = [
        Violation(at_us=200_000_000, checker="press-lost", message=f"{name} has no incident, {len(names)} presses")
        for name in names
        if name == "lost-in-a-crash" and crashes
    ]
    taken = Counter(f"{tag_of(type(deed))} × incident new->active" for deed in plan.deeds if isinstance(deed, FAULTS))
    lines = tuple(repr(deed) for deed in plan.deeds)
    return Verdict(
        plan=plan,
        violations=tuple(violations),
        edges=dict(taken),
        counts={"presses": len(names), "crashes": crashes},
        virtual_s=300.0,
        trace_sha256=hashlib.sha256("\n".join(lines).encode()).hexdigest(),
        trace=lines if keep_trace else (),
        happenings=_crashed(plan) if keep_happenings else (),
    )


def simulate_without_crashes(plan: Plan, *, keep_happenings: bool = False) -> Verdict:
    """The traps are set, and no call springs them."""
    return replace(simulate(plan, keep_happenings=keep_happenings), happenings=())


def _crashed(plan: Plan) -> tuple[Crashed, ...]:
    crashes = [deed for deed in plan.deeds if isinstance(deed, Crash)]
    return tuple(Crashed(at_us=round(crash.at_s * 1e6), incarnation=1, where="at once") for crash in crashes)


def spin() -> None:
    while True:
        pass


class Inline:
    """Runs the days here, one after the other."""

    def run(self, days):
        for day in days:
            yield day, self.one(day)

    def one(self, day):
        return simulate(day.plan or plan_of(day.seed))
