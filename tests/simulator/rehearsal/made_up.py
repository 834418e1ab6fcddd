"""A report without a simulation: the shipped example's policies, and days whose figures are made up."""

from pathlib import Path
from random import Random

from alertd.config import Loaded, load
from alertd_simulator.rehearsal.assumptions import Assumptions
from alertd_simulator.rehearsal.days import days_of
from alertd_simulator.rehearsal.findings import hang
from alertd_simulator.rehearsal.measures import Measured, Ring
from alertd_simulator.rehearsal.parts import parts_of, person
from alertd_simulator.rehearsal.rehearsed import Rehearsed
from alertd_simulator.rehearsal.report import Report, report_of
from alertd_simulator.rehearsal.subjects import Subject, subjects_of

EXAMPLE = Path(__file__).resolve().parents[3] / "config"
DAYS = 20


def example() -> Loaded:
    return load(EXAMPLE)


def made_up_report(loaded: Loaded | None = None) -> Report:
    loaded = loaded or example()
    subjects, impossible = subjects_of(loaded.registry)
    rehearsed = [_rehearsed(loaded, subject) for subject in subjects]
    return report_of(loaded, rehearsed, impossible, Assumptions(), seed=1, days=DAYS)


def _rehearsed(loaded: Loaded, subject: Subject) -> Rehearsed:
    random = Random(subject.key)
    measured = tuple(_measured(random) for _ in range(DAYS))
    dark = tuple(_measured(random, told=False) for _ in range(DAYS))
    later = tuple(_measured(random, after_s=60) for _ in range(DAYS))
    hangs = [hang(part, measured, dark) for part in parts_of(loaded)[:1]]
    hangs += [hang(person(loaded, "ruiz"), measured, later)]
    days = days_of(loaded.registry, subject, Assumptions(), seed=1, count=DAYS)
    return Rehearsed(
        subject=subject, days=days, measured=measured, silent=_measured(random, answered=False),
        hangs=tuple(found for found in hangs if found), broken=(),
    )  # fmt: skip


def _measured(random: Random, *, told: bool = True, answered: bool = True, after_s: float = 0.0) -> Measured:
    told_s = after_s + random.lognormvariate(1.2, 0.5)
    answers = answered and told and random.random() < 0.8
    return Measured(
        told_s=told_s if told else None,
        answered_s=told_s + random.lognormvariate(3.5, 0.9) if answers else None,
        exhausted_s=None if answers else 120.0,
        dispatch_s={"county-dispatch": 0.4} if told else {},
        accepted_s=0.5 if told else None,
        rings=(Ring(person_id="ruiz", after_s=told_s, step=0), Ring(person_id="chen", after_s=told_s + 1, step=0)),
        answered_by=frozenset({"ruiz"}), texts=14, segments=14, opened=True,
    )  # fmt: skip
