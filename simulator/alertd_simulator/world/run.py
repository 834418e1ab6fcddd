"""One plan, from its first second to its verdict: the world is put together, lives its day, and is judged.

    verdict = simulate(plan_of(seed))
    verdict.passed, verdict.violations

Owns who is wired to whom, and the order of a day: presses and faults, healing, waiting, the end. Must never decide what
is right (`checkers`) or what happens (`plan`).
"""

import logging
import shutil
import tempfile
import traceback
from collections import Counter
from collections.abc import Iterator
from functools import lru_cache, partial
from pathlib import Path
from typing import NoReturn

import structlog
from msgspec import Struct
from structlog.typing import EventDict

from alertd.config import Loaded, load
from alertd_simulator.checkers.judge import Judge
from alertd_simulator.virtual_time import run_virtual, virtual_loop
from alertd_simulator.world.day import Day
from alertd_simulator.world.district import stated_district
from alertd_simulator.world.edges import EdgeCounter, company_of
from alertd_simulator.world.happenings import (
    Attempted,
    Committed,
    Crashed,
    DispatchTook,
    Happening,
    Published,
    TextSeen,
    Typed,
)
from alertd_simulator.world.life import only_dead
from alertd_simulator.world.on_disk import OnDisk
from alertd_simulator.world.plan import Plan
from alertd_simulator.world.trace import Trace
from alertd_simulator.world.verdict import Verdict, Violation

MEMORY = Path("/dev/shm")  # noqa: S108 - a directory of our own in it, gone when the day is over
COUNTED: dict[type[Struct], str] = {
    Committed: "events committed",
    Attempted: "sends tried",
    TextSeen: "texts on phones",
    DispatchTook: "messages at dispatch",
    Typed: "replies",
    Crashed: "crashes",
}
"""What a day's summary counts, in words for people, beside presses."""
LIMIT_S = 4 * 86_400.0
"""Virtual time one day may take."""


def simulate(plan: Plan, *, keep_trace: bool = False, keep_happenings: bool = False) -> Verdict:
    """Run it. Never raises for what happened in the world: an error nobody caught is part of the verdict."""
    school = _school(plan)
    folder = Path(tempfile.mkdtemp(prefix="alertd-day-", dir=MEMORY if MEMORY.is_dir() else None))
    witness = _Witness(school, plan, keep_trace=keep_trace, keep_happenings=keep_happenings)
    failure = ""
    before = structlog.get_config()
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL),
        processors=[_silence],
        cache_logger_on_first_use=False,
    )
    try:
        run_virtual(_live(plan, school, folder, witness), seed=plan.seed, limit_s=LIMIT_S)
    except (Exception, BaseExceptionGroup):  # noqa: BLE001 - the verdict tells
        failure = traceback.format_exc()
    finally:
        structlog.configure(**before)
        shutil.rmtree(folder, ignore_errors=True)
    return witness.verdict(failure)


def _silence(_logger: object, _method: str, _event: EventDict) -> NoReturn:
    """A day's log would be read by nobody: what it says is in the happenings."""
    raise structlog.DropEvent


async def _live(plan: Plan, school: Loaded, folder: Path, witness: "_Witness") -> None:
    virtual_loop().forgives = only_dead
    day = Day(plan, school, folder, witness.see)
    day.machine.on_started = partial(witness.reread, day)
    day.admins.on_reloaded = witness.use
    await day.live()
    witness.final(day)
    await day.end()


class _Witness:
    """Sees everything, and passes it on to who judges, counts and writes down."""

    def __init__(self, school: Loaded, plan: Plan, *, keep_trace: bool, keep_happenings: bool) -> None:
        self._plan = plan
        self._judge = Judge(school.registry, plan)
        zones = (site.time_zone for site in school.registry.sites.values())
        self._edges = EdgeCounter(company_of(plan, zones))
        self._trace = Trace() if keep_trace else None
        self._kept: list[Happening] | None = [] if keep_happenings else None
        self._counts: Counter[str] = Counter()
        self._presses: set[str] = set()
        self._last_us = 0
        self._violations: tuple[Violation, ...] = ()

    def see(self, happening: Happening) -> None:
        self._last_us = happening.at_us
        self._count(happening)
        self._judge.see(happening)
        if type(happening) in EdgeCounter.sees:
            self._edges.see(happening)
        if self._trace is not None:
            self._trace.see(happening)
        if self._kept is not None:
            self._kept.append(happening)

    def _count(self, happening: Happening) -> None:
        if (what := COUNTED.get(type(happening))) is not None:
            self._counts[what] += 1
        if isinstance(happening, Published) and happening.truth is not None:
            self._presses.add(happening.truth.press)

    def use(self, school: Loaded) -> None:
        self._judge.use(school.registry)

    def reread(self, day: Day) -> None:
        """What the disk holds after a start."""
        disk = OnDisk(day.machine)
        self._judge.reread(disk.incidents(), disk.notifications())

    def final(self, day: Day) -> None:
        self._violations = (*self._judge.finish(OnDisk(day.machine).final()), *self._complaints(day))

    def _complaints(self, day: Day) -> Iterator[Violation]:
        """What broker and carrier say alertd did to them: they know what the real ones do not forgive. A dispatch
        centre's two complaints are the checkers' "mode" and "one content"; these also know what a power cut took."""
        heard = {"broker": day.broker.violations, "carrier": day.outside.carrier.violations}
        for name, complaints in heard.items():
            for complaint in complaints:
                yield Violation(at_us=self._last_us, checker=f"actor {name}", message=complaint)

    def verdict(self, failure: str) -> Verdict:
        return Verdict(
            plan=self._plan,
            violations=self._violations or tuple(self._judge.violations),
            edges=self._edges.pairs(),
            counts={"presses": len(self._presses)} | {what: self._counts[what] for what in COUNTED.values()},
            virtual_s=self._last_us / 1e6,
            trace_sha256=self._trace.sha256() if self._trace is not None else "",
            trace=tuple(self._trace.lines) if self._trace is not None else (),
            happenings=tuple(self._kept or ()),
            crash=failure,
        )


def _school(plan: Plan) -> Loaded:
    if not plan.district:
        return stated_district(polls_only=plan.polls_only)
    files = sorted(file for file in Path(plan.district).rglob("*") if file.is_file())
    return _district(plan.district, tuple((str(file), file.stat().st_mtime_ns) for file in files))


@lru_cache(maxsize=4)
def _district(directory: str, _as_of: tuple[tuple[str, int], ...]) -> Loaded:
    """Somebody's own, read once for all its days, and again when a file has changed."""
    return load(directory)
