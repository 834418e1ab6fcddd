"""Two hundred bad days of the stated school: no press is lost, and the days are as bad as they are meant to be."""

from pathlib import Path

import pytest
from msgspec.structs import replace

from alertd_simulator.swarm.coverage import read_expected, shipped
from alertd_simulator.swarm.swarm import Wanted, failure_of, run_swarm
from alertd_simulator.swarm.words import failure_words, missing_words, small_words
from alertd_simulator.swarm.workers import Day, Work, Workers
from alertd_simulator.world.happenings import Moved, Published, Refused
from alertd_simulator.world.run import simulate
from alertd_simulator.world.school_day import plan_of

SEEDS = 200
PROCESSES = 2
EARLY_S = 60.0


class Unseen:
    def day_over(self, report, failure):
        pass

    def shrinking(self, failure, runs, deeds):
        pass


@pytest.mark.parametrize("seed", [1, pytest.param(2, marks=pytest.mark.slow), pytest.param(3, marks=pytest.mark.slow)])
def test_a_bad_morning_is_survived(seed):
    """As much as a quick test can pay for."""
    plan = plan_of(seed)
    deeds = tuple(deed for deed in plan.deeds if deed.at_s < EARLY_S)
    morning = replace(plan, deeds=deeds, heal_at_s=EARLY_S, over_at_s=EARLY_S + 480)
    failure = failure_of(Day(seed=seed), simulate(morning))

    assert failure is None, failure_words(failure).plain


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_two_hundred_bad_days_are_survived_and_every_listed_edge_is_taken(tmp_path: Path):
    wanted = Wanted(days=tuple(Day(seed=1 + n) for n in range(SEEDS)), out=tmp_path)
    with Workers(Work(), PROCESSES) as workers:
        report = run_swarm(wanted, workers, Unseen())
    print(f"{report.done} days, {report.done / report.seconds:.1f} seeds/s, {dict(report.counts)}")

    told = [failure_words(failure).plain for failure in report.failures[:20]]
    told += [f"{small_words(small).plain}\n{small.path.read_text()}" for small in report.small]
    assert not report.failures, "\n".join(told)
    assert report.done == SEEDS
    expected = read_expected(shipped())
    assert expected.seeds <= SEEDS
    missing = report.coverage.missing(expected)
    assert not missing, missing_words(missing, expected).plain


def pressed(happenings):
    return {h.truth.press for h in happenings if isinstance(h, Published | Refused) and h.truth is not None}


@pytest.mark.slow
def test_the_day_is_as_large_as_it_is_said_to_be():
    """At least thirty presses a day, and ten notifications a press."""
    days = [simulate(plan_of(seed), keep_happenings=True) for seed in range(1, 11)]
    presses = sum(len(pressed(day.happenings)) for day in days)
    rows = sum(len({h.notification_id for h in day.happenings if isinstance(h, Moved)}) for day in days)

    assert presses / len(days) >= 30
    assert rows / presses >= 10
