"""What is said first, and where it stands in red: the graver incident, and on whom it hangs."""

from collections.abc import Mapping, Sequence
from random import Random

import pytest
from msgspec.structs import replace

from alertd_simulator.rehearsal import words
from alertd_simulator.rehearsal.assumptions import Assumptions
from alertd_simulator.rehearsal.days import days_of
from alertd_simulator.rehearsal.findings import Hang, hang
from alertd_simulator.rehearsal.measures import Measured
from alertd_simulator.rehearsal.page import page
from alertd_simulator.rehearsal.parts import Part, PartKind, parts_of, person
from alertd_simulator.rehearsal.rehearsed import Rehearsed
from alertd_simulator.rehearsal.report import PolicyReport, Report, report_of
from alertd_simulator.rehearsal.subjects import subjects_of
from tests.simulator.rehearsal.made_up import _measured, example
from tests.simulator.rehearsal.test_page import terminal

DAYS = 8
LOADED = example()
RUIZ, PATEL = person(LOADED, "ruiz"), person(LOADED, "patel")
SMS = next(part for part in parts_of(LOADED) if part.kind is PartKind.CHANNEL)
INTERNET = next(part for part in parts_of(LOADED) if part.kind is PartKind.INTERNET)
USUAL = tuple(replace(_measured(Random(n)), told_s=3.0, answered_s=40.0, exhausted_s=None) for n in range(DAYS))


def without(part: Part, days: int, **changes: float | None) -> Hang:
    """On so many of the days it goes otherwise."""
    found = hang(part, USUAL, (*(replace(each, **changes) for each in USUAL[:days]), *USUAL[days:]))
    assert found is not None
    return found


def rehearsed(hangs: Mapping[str, Sequence[Hang]], measured: tuple[Measured, ...] = USUAL) -> Report:
    """Oak's policies; of each class the hangs."""
    found = []
    subjects, _ = subjects_of(LOADED.registry)
    for subject in sorted((s for s in subjects if s.site_id == "oak"), key=lambda s: s.incident_class, reverse=True):
        days = days_of(LOADED.registry, subject, Assumptions(), seed=1, count=DAYS)
        mine = tuple(sorted(hangs.get(subject.incident_class, ()), key=lambda one: -one.harm))
        found.append(Rehearsed(subject=subject, days=days, measured=measured, silent=USUAL[0], hangs=mine, broken=()))
    return report_of(LOADED, found, (), Assumptions(), seed=1, days=DAYS)


def policy(report: Report, incident_class: str) -> PolicyReport:
    return next(each for each in report.policies if each.incident_class == incident_class)


WEAK = {
    "vape": [without(SMS, 8, told_s=None, answered_s=None), without(PATEL, 2, told_s=None, answered_s=None)],
    "lockdown": [
        without(INTERNET, 8, told_s=None, answered_s=None),
        without(SMS, 8, told_s=None, answered_s=None),
        without(PATEL, 1, answered_s=None),
        without(RUIZ, 8, told_s=303.0),
    ],
}
"""On a quiet look Ruiz is the last of many: each lockdown is heard five minutes late without the one phone."""


def test_the_person_who_carries_a_lockdown_is_said_before_everything_else() -> None:
    said = rehearsed(WEAK).attention

    assert said[0].startswith(f"If {RUIZ.failure}, first human told 3.0 s → 5 min 03 s")
    assert "lockdown" in said[0]
    order = [next(n for n, line in enumerate(said) if part.failure in line) for part in (SMS, INTERNET, PATEL)]
    assert order == sorted(order), "the district can change its channel, not the internet; a vape alert comes last"


def test_the_gravest_policies_come_first() -> None:
    classes = [each.incident_class for each in rehearsed(WEAK).policies]

    assert classes[0] == "lockdown"
    assert classes.index("medical") < classes.index("staff_assist") < classes.index("vape")


def test_who_carries_a_lockdown_is_named_first_in_red_and_in_words() -> None:
    report = rehearsed(WEAK)
    lockdown = policy(report, "lockdown")

    assert lockdown.hangs_on[:2] == (RUIZ.name, SMS.name)
    assert lockdown.carried_by == (RUIZ.name,)
    said = f"{RUIZ.name} alone carries it; {SMS.name}"
    assert f'<span class="never">{said}' in page(report)
    assert f"{RUIZ.name} alone" in " ".join(terminal(report).split())


@pytest.mark.parametrize(("days", "carried"), [(4, True), (3, False)])
def test_a_person_carries_a_lockdown_from_half_of_its_days_on(days: int, carried: bool) -> None:
    hangs = {"lockdown": [without(RUIZ, days, told_s=None)], "vape": [without(RUIZ, 8, told_s=None)]}
    report = rehearsed(hangs)

    assert bool(policy(report, "lockdown").carried_by) is carried
    assert policy(report, "vape").carried_by == ()


def test_harm_counts_how_bad_and_how_often() -> None:
    """Five minutes late on every day is worse than nobody on one day of eight."""
    late, dark, unanswered = (
        without(RUIZ, 8, told_s=303.0),
        without(PATEL, 1, told_s=None),
        without(SMS, 1, told_s=None),
    )

    assert late.harm > dark.harm == unanswered.harm
    assert without(PATEL, 8, told_s=None).harm > late.harm


def test_when_every_step_had_passed_is_said_with_all_three_figures_and_how_often() -> None:
    ends = (None, None, None, None, None, 90.0, 91.0, 140.0)
    measured = tuple(replace(each, exhausted_s=end) for each, end in zip(USUAL, ends, strict=True))
    report = rehearsed({}, measured)

    spread = report.policies[0].exhausted
    assert (spread.p50_s, spread.p95_s, spread.worst_s, spread.happened, spread.days) == (91.0, 140.0, 140.0, 3, 8)
    assert words.exhausted(spread) == "91 s · 2 min 20 s · 2 min 20 s, on 3 of 8 days"
    assert page(report).count("91 s · 2 min 20 s · 2 min 20 s, on 3 of 8 days") == 2 * len(report.policies)
    assert words.exhausted(rehearsed({}).policies[0].exhausted) == "on no day"
