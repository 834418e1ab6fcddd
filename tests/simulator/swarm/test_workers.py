"""No day can hang the run or take another with it; each is named."""

import pytest

from alertd_simulator.swarm.swarm import failure_of
from alertd_simulator.swarm.workers import Day, Work, Workers
from alertd_simulator.world.plan import Plan
from tests.simulator.swarm import fake_day
from tests.simulator.swarm.fake_day import plan_of, press

WORK = Work(
    simulate="tests.simulator.swarm.fake_day:simulate",
    plan_of="tests.simulator.swarm.fake_day:plan_of",
    cpu_limit_s=0.3,
)


def bad(seed, name):
    plan = Plan(seed=seed, begins="2026-03-02T08:00:00Z", deeds=(press(1, name),))
    return Day(seed=seed, plan=plan)


@pytest.mark.slow
def test_days_that_raise_hang_or_kill_are_named_and_the_others_pass():
    days = [Day(seed=1), bad(2, "raises"), bad(3, "hangs"), Day(seed=4), bad(5, "kills"), Day(seed=6), Day(seed=7)]
    with Workers(WORK, 2) as workers:
        verdicts = {day.seed: verdict for day, verdict in workers.run(days)}

    assert sorted(verdicts) == [1, 2, 3, 4, 5, 6, 7]
    assert all(verdicts[seed] == fake_day.simulate(plan_of(seed)) for seed in (1, 4, 6, 7))
    failures = {day.seed: failure for day in days if (failure := failure_of(day, verdicts[day.seed]))}
    assert {seed: failure.checker for seed, failure in failures.items()} == {
        2: "crash: ValueError",
        3: "crash: Hung",
        5: "crash: Died",
    }
    assert "on seed 2" in failures[2].message
    assert "in spin" in failures[3].message, "the stack says where it hung"
    assert "SIGKILL" in failures[5].message


@pytest.mark.slow
def test_a_day_that_waits_for_ever_ends_by_the_clock_on_the_wall():
    work = Work(simulate=WORK.simulate, plan_of=WORK.plan_of, wall_limit_s=8.0)
    with Workers(work, 1) as workers:
        verdict = workers.one(bad(2, "waits"))
        assert workers.one(Day(seed=3)).passed

    assert verdict.crash == "Hung: no end after 8 s"


def test_a_simulation_that_cannot_be_imported_is_said_at_once():
    with pytest.raises(ModuleNotFoundError, match=r"alertd_simulator\.nowhere"):
        Workers(Work(simulate="alertd_simulator.nowhere:simulate", plan_of=WORK.plan_of), 1)
