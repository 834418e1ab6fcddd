"""Runs the days of a rehearsal in the simulated world, on as many cores as there are.

Owns the order of the work: all days as they are, then those that may go otherwise without a part. What comes back of
a day is its figures; its happenings stay in the process that ran it. Results never depend on the number of cores.
"""

import multiprocessing
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager

from msgspec import Struct
from msgspec.structs import replace

from alertd.config import Loaded
from alertd_simulator.rehearsal.assumptions import Assumptions
from alertd_simulator.rehearsal.days import PRESS_AT_S, Day, days_of, silent_day
from alertd_simulator.rehearsal.findings import Hang, counts_on, hang
from alertd_simulator.rehearsal.measures import Measured, measure
from alertd_simulator.rehearsal.parts import LIFELINES, Part, PartKind, parts_of, person, without
from alertd_simulator.rehearsal.rehearsed import Rehearsed
from alertd_simulator.rehearsal.subjects import Subject
from alertd_simulator.world.plan import Plan
from alertd_simulator.world.run import simulate

INLINE_MAX = 8
"""So few days are not worth starting processes for."""
CHUNK = 4
PART_DAYS = 5
"""Days on which a channel or a destination is taken away: its loss is hardly a matter of luck,"""
LIFELINE_DAYS = 2
"""and that of the internet or the broker not at all."""


class RehearsalFailedError(Exception):
    """The simulation itself failed: a defect of alertd or of its world, never of the configuration."""


class Job(Struct, frozen=True, kw_only=True):
    plan: Plan
    wearer: str


class Done(Struct, frozen=True, kw_only=True):
    measured: Measured
    broken: tuple[str, ...]


Progress = Callable[[int, int], object]
"""Called with how many days are done, and how many are known to come."""


def run_job(job: Job) -> Done:
    verdict = simulate(job.plan, keep_happenings=True)
    if verdict.crash:
        raise RehearsalFailedError(verdict.crash)
    measured = measure(verdict.happenings, pressed_at_s=PRESS_AT_S, wearer=job.wearer)
    return Done(measured=measured, broken=tuple(violation.message for violation in verdict.violations))


class _Trial(Struct, frozen=True, kw_only=True):
    """One part, taken out of those days of a subject that may go otherwise without it."""

    subject: int
    part: Part
    days: tuple[int, ...]


class Rehearsal:
    """One run over a configuration. The subjects are those of `subjects_of(loaded.registry)`."""

    def __init__(
        self, loaded: Loaded, assumptions: Assumptions, *, seed: int, days: int, progress: Progress | None = None
    ) -> None:
        self._loaded = loaded
        self._assumptions = assumptions
        self._seed = seed
        self._days = days
        self._progress = progress or (lambda _done, _known: None)
        self._parts = parts_of(loaded)
        self._done = 0

    def run(self, subjects: Sequence[Subject]) -> tuple[Rehearsed, ...]:
        drawn = [self._draw(subject) for subject in subjects]
        jobs = [self._job(day, day.plan) for days in drawn for day in days]
        with _workers(len(jobs)) as map_jobs:
            done = self._each(map_jobs, jobs)
            per = self._days + 1
            seen = [done[start : start + per] for start in range(0, len(done), per)]
            trials = [trial for index, each in enumerate(seen) for trial in self._trials(index, each)]
            twins = [self._twin(drawn[t.subject][number], t.part) for t in trials for number in t.days]
            again = iter(self._each(map_jobs, twins))
        hangs: list[list[Hang]] = [[] for _ in drawn]
        for trial in trials:
            before = [each.measured for each in seen[trial.subject]]
            after = dict(enumerate(before)) | {number: next(again).measured for number in trial.days}
            compared = trial.days if trial.part.kind is not PartKind.PERSON else range(1, per)
            found = hang(trial.part, [before[n] for n in compared], [after[n] for n in compared])
            hangs[trial.subject] += [found] if found else []
        return tuple(map(_rehearsed, subjects, drawn, seen, hangs))

    def _draw(self, subject: Subject) -> tuple[Day, ...]:
        """The silent day first."""
        registry, seed = self._loaded.registry, self._seed
        silent = silent_day(registry, subject, self._assumptions, seed=seed)
        return silent, *days_of(registry, subject, self._assumptions, seed=seed, count=self._days)

    def _job(self, day: Day, plan: Plan) -> Job:
        behind_nat = not (self._loaded.settings.listen and self._loaded.settings.public_base_url)
        plan = replace(
            plan,
            district=str(self._loaded.directory),
            polls_only=behind_nat,
            texts_per_s=texts_per_s(self._loaded, self._assumptions),
        )
        return Job(plan=plan, wearer=day.way.wearer)

    def _twin(self, day: Day, part: Part) -> Job:
        return self._job(day, without(self._loaded, day.plan, part))

    def _trials(self, subject: int, seen: Sequence[Done]) -> Iterator[_Trial]:
        """For people every day on which they count; for anything else the first days, which are like the others."""
        numbers = range(1, len(seen))
        measured = [done.measured for done in seen]
        for part in self._parts:
            told = (number for number in numbers if part.id in measured[number].dispatch_s)
            days = LIFELINE_DAYS if part.kind in LIFELINES else PART_DAYS
            if part.kind is not PartKind.DESTINATION or any(told):
                yield _Trial(subject=subject, part=part, days=tuple(numbers[:days]))
        for person_id in self._loaded.registry.people:
            counting = tuple(number for number in numbers if counts_on(measured[number], person_id))
            if counting:
                yield _Trial(subject=subject, part=person(self._loaded, person_id), days=counting)

    def _each(self, map_jobs: "MapJobs", jobs: Sequence[Job]) -> list[Done]:
        done = []
        known = self._done + len(jobs)
        for each in map_jobs(run_job, jobs):
            done.append(each)
            self._done += 1
            self._progress(self._done, known)
        return done


def texts_per_s(loaded: Loaded, assumptions: Assumptions) -> float:
    """What the carrier gives out per number: as the channel says of its own, if it does, else as assumed."""
    said = [
        float(section.settings["per_s"]) / max(1, len(section.settings.get("from_numbers", ())))
        for section in loaded.sections
        if section.plugin == "sms_twilio" and "per_s" in section.settings
    ]
    return max(said, default=assumptions.texts_per_s)


def _rehearsed(subject: Subject, days: tuple[Day, ...], seen: Sequence[Done], hangs: list[Hang]) -> Rehearsed:
    return Rehearsed(
        subject=subject,
        days=days[1:],
        measured=tuple(done.measured for done in seen[1:]),
        silent=seen[0].measured,
        hangs=tuple(sorted(hangs, key=lambda found: -found.harm)),
        broken=tuple(dict.fromkeys(message for done in seen for message in done.broken)),
    )


MapJobs = Callable[[Callable[[Job], Done], Sequence[Job]], Iterator[Done]]


@contextmanager
def _workers(jobs: int) -> Iterator[MapJobs]:
    cores = os.cpu_count() or 1
    if jobs <= INLINE_MAX or cores == 1:
        yield map
        return
    # spawn: a fork would inherit the progress bar's thread, and whatever lock it holds
    with ProcessPoolExecutor(cores, mp_context=multiprocessing.get_context("spawn")) as pool:
        yield lambda call, all_jobs: pool.map(call, all_jobs, chunksize=CHUNK)
