"""Shrinking leaves what is needed to fail, all of it, and nothing else."""

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from alertd_simulator.swarm.plan_check import problems_of
from alertd_simulator.swarm.shrink import ddmin, shrink
from alertd_simulator.world.plan import FAULTS, Crash, DiskFull, Press
from tests.simulator.swarm.fake_day import plan_of

DAY = plan_of(1)
DEEDS = st.sets(st.sampled_from(DAY.deeds))
HABITS = st.sets(st.sampled_from(DAY.habits))


def needs(deeds, habits=frozenset()):
    return lambda plan: set(deeds) <= set(plan.deeds) and set(habits) <= set(plan.habits)


@given(deeds=DEEDS, habits=HABITS)
def test_what_is_needed_stays_in_its_order_and_nothing_else(deeds, habits):
    shrunk = shrink(DAY, needs(deeds, habits), runs_max=10_000)

    assert shrunk.plan == replace(
        DAY,
        deeds=tuple(deed for deed in DAY.deeds if deed in deeds),
        habits=tuple(habit for habit in DAY.habits if habit in habits),
    )
    assert shrunk.is_minimal


@given(alternatives=st.lists(DEEDS, min_size=1, max_size=4), odd=st.booleans())
def test_with_any_rule_it_still_fails_and_no_single_thing_can_go(alternatives, odd):
    """Also where a smaller plan may pass though a still smaller one fails."""

    def fails(plan):
        presses = sum(isinstance(deed, Press) for deed in plan.deeds)
        return plan == DAY or (any(needs(each)(plan) for each in alternatives) and (not odd or presses % 2 == 1))

    shrunk = shrink(DAY, fails, runs_max=10_000)

    assert fails(shrunk.plan)
    assert shrunk.is_minimal
    for n in range(len(shrunk.plan.deeds)):
        without = replace(shrunk.plan, deeds=shrunk.plan.deeds[:n] + shrunk.plan.deeds[n + 1 :])
        assert not fails(without), f"{shrunk.plan.deeds[n]} was not needed"


@given(deeds=DEEDS, runs=st.integers(0, 60))
def test_no_more_days_than_allowed_and_what_comes_back_fails(deeds, runs):
    tried = []

    def fails(plan):
        tried.append(plan)
        return needs(deeds)(plan)

    shrunk = shrink(DAY, fails, runs_max=runs)

    assert len(tried) == shrunk.runs <= runs
    assert needs(deeds)(shrunk.plan)
    assert len(set(tried)) == len(tried), "no day is simulated twice"


def test_one_fault_of_many_is_found_in_few_days():
    crash = next(deed for deed in DAY.deeds if isinstance(deed, Crash))
    shrunk = shrink(DAY, needs([crash]))

    assert shrunk.plan.deeds == (crash,)
    assert shrunk.runs < 20


def test_a_failure_that_needs_no_fault_is_found_without_one():
    press = next(deed for deed in DAY.deeds if isinstance(deed, Press))
    shrunk = shrink(DAY, needs([press]))

    assert not any(isinstance(deed, FAULTS) for deed in shrunk.plan.deeds)


def test_of_two_faults_that_do_equally_one_stays_and_what_hung_on_the_other_goes():
    """Without presses another fault is enough: the second round finds it."""
    crashes = [deed for deed in DAY.deeds if isinstance(deed, Crash)]
    disk = next(deed for deed in DAY.deeds if isinstance(deed, DiskFull))

    def fails(plan):
        presses = any(isinstance(deed, Press) for deed in plan.deeds)
        return all(crash in plan.deeds for crash in crashes) and (disk in plan.deeds or not presses)

    assert shrink(DAY, fails).plan.deeds == tuple(crashes)


def test_a_day_that_failed_early_heals_early_and_has_as_long_to_settle():
    shrunk = shrink(DAY, needs([DAY.deeds[0]]), failed_at_s=100)

    assert shrunk.plan.heal_at_s == 101
    assert shrunk.plan.over_at_s - shrunk.plan.heal_at_s == DAY.over_at_s - DAY.heal_at_s


def test_a_plan_of_a_shorter_day_can_be_replayed_though_the_runs_are_used_up():
    """Seed 2947: its last order was given after the end of what was left of the day, and the plan was refused."""
    late = replace(DAY.deeds[0], at_s=DAY.over_at_s - 1)
    day = replace(DAY, deeds=(*DAY.deeds, late))
    shrunk = shrink(day, lambda _: True, failed_at_s=100, runs_max=1)

    assert not shrunk.is_minimal
    assert shrunk.plan.over_at_s < day.over_at_s
    assert problems_of(shrunk.plan) == []


def test_a_day_that_fails_only_in_its_length_keeps_it():
    def fails(plan):
        return plan.heal_at_s == DAY.heal_at_s

    shrunk = shrink(DAY, fails, failed_at_s=100)

    assert (shrunk.plan.heal_at_s, shrunk.plan.over_at_s) == (DAY.heal_at_s, DAY.over_at_s)
    assert shrunk.plan.deeds == ()


@given(items=st.lists(st.integers(0, 5), max_size=12), data=st.data())
def test_equal_items_are_not_one(items, data):
    fewest = data.draw(st.integers(0, len(items)))

    assert len(ddmin(items, lambda kept: len(kept) >= fewest)) == fewest
