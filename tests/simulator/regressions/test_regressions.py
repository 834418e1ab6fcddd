"""Plans of bugs that were found once: each must pass for ever. `alertd simulate` writes such a plan when it has shrunk
a failure; it comes here with a comment that says which bug it was, when the bug is mended."""

from pathlib import Path

import pytest

from alertd_simulator.scenario.playing import undone
from alertd_simulator.swarm.plan_check import misnamed
from alertd_simulator.swarm.plan_file import PlanFile, read_regressions
from alertd_simulator.swarm.words import verdict_words
from tests.simulator.swarm import fake_day

FOLDER = Path(__file__).parent
REGRESSIONS = read_regressions(FOLDER)


def broken_again(file, simulate):
    """What is wrong, if anything is. A crash that no longer happens, or an answer to a text that is no longer sent,
    proves nothing about the bug that it once found."""
    verdict = simulate(file.plan, keep_happenings=True)
    if not verdict.passed:
        return f"{file.comment}\n{verdict_words(verdict).plain}"
    return "\n".join(f"{file.comment}\n{what}" for what in undone(file.plan.deeds, verdict.happenings))


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(REGRESSIONS))
def test_what_was_mended_stays_mended(name):
    from alertd_simulator.world.run import simulate

    assert not broken_again(REGRESSIONS[name], simulate)


def test_every_plan_of_this_folder_is_run():
    assert {path.stem for path in FOLDER.glob("*.json")} == set(REGRESSIONS)


def test_every_plan_names_what_there_is():
    assert {name: wrong for name, file in REGRESSIONS.items() if (wrong := misnamed(file.plan))} == {}


def test_a_regression_whose_crash_does_not_happen_any_more_proves_nothing():
    idle = PlanFile(comment="PUBACK before the commit", plan=fake_day.plan_of(1))
    assert "2 times a crash or power cut, and only 0" in broken_again(idle, fake_day.simulate_without_crashes)


def test_a_bug_that_came_back_is_told_with_its_comment():
    file = PlanFile(comment="PUBACK before the commit", plan=fake_day.plan_of(fake_day.BAD_SEED))
    told = broken_again(file, fake_day.simulate)

    assert "PUBACK before the commit" in told
    assert "press-lost: lost-in-a-crash has no incident" in told


def test_a_plan_that_passes_says_nothing():
    assert broken_again(PlanFile(comment="any", plan=fake_day.plan_of(1)), fake_day.simulate) == ""
