"""Calm time, by which checkers grant what alertd needs while something is wrong."""

import pytest

from alertd_simulator.checkers.conditions import Conditions
from alertd_simulator.world.happenings import FaultBegan, FaultEnded, Happening, Started
from tests.simulator.checkers.story import PLAN, S


def conditions(*happenings: Happening) -> Conditions:
    known = Conditions(PLAN)
    for happening in happenings:
        known.see(happening)
    return known


@pytest.mark.parametrize(
    ("at_s", "calm_s"),
    [(-5, 0), (0, 0), (20, 0), (30, 10), (100, 80), (150, 80), (220, 80), (221, 81), (300, 160)],
)
def test_calm_time_is_known_of_any_moment_also_of_one_before_the_last_fault(at_s: float, calm_s: float) -> None:
    """It begins 20 s after a start or a fault: attempts may hold the lines that they took."""
    known = conditions(
        Started(at_us=0, incarnation=1),
        FaultBegan(at_us=100 * S, fault="carrier_weather"),
        FaultEnded(at_us=200 * S, fault="carrier_weather"),
    )
    assert known.calm_us(round(at_s * S)) == calm_s * S


def test_a_fault_that_comes_before_it_is_calm_again_leaves_no_calm_between() -> None:
    known = conditions(
        Started(at_us=0, incarnation=1),
        FaultBegan(at_us=10 * S, fault="slow_disk"),
        FaultEnded(at_us=30 * S, fault="slow_disk"),
        FaultBegan(at_us=45 * S, fault="uplink_cut"),
        FaultEnded(at_us=50 * S, fault="uplink_cut"),
    )
    assert [known.calm_us(at_s * S) for at_s in (15, 48, 70, 71)] == [0, 0, 0, S]
