"""A plan survives its file; a file that is no plan says why."""

import pytest

from alertd_simulator.swarm.plan_file import PlanFile, UnreadablePlanError, read_plan, read_regressions, write_plan
from tests.simulator.swarm.fake_day import plan_of


def test_what_is_written_is_read_again(tmp_path):
    path = tmp_path / "deep" / "plan.json"
    file = PlanFile(comment="ack lost after a reconnect", checker="press-lost", message="p-3", plan=plan_of(3))
    write_plan(path, file)

    assert read_plan(path) == file


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "holds no plan"),
        ('{"comment": "x"}', "plan"),
        ('{"comment": "x", "plan": {"seed": 1, "begins": "", "deeds": [{"type": "earthquake"}]}}', "earthquake"),
        ('{"comment": "x", "plans": {}}', "plans"),
    ],
)
def test_what_is_no_plan_is_refused_with_its_name(tmp_path, text, why):
    path = tmp_path / "bad.json"
    path.write_text(text)

    with pytest.raises(UnreadablePlanError, match=rf"bad\.json.*{why}"):
        read_plan(path)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(UnreadablePlanError, match=r"nowhere\.json: No such file"):
        read_plan(tmp_path / "nowhere.json")


def test_regressions_are_all_read_by_name(tmp_path):
    for seed in (2, 1):
        write_plan(tmp_path / f"seed-{seed}.json", PlanFile(comment=f"bug {seed}", plan=plan_of(seed)))

    found = read_regressions(tmp_path)
    assert {name: file.plan.seed for name, file in found.items()} == {"seed-1": 1, "seed-2": 2}


def test_a_regression_says_which_bug_it_was(tmp_path):
    write_plan(tmp_path / "seed-1.json", PlanFile(comment=" ", plan=plan_of(1)))

    with pytest.raises(UnreadablePlanError, match="which bug it was"):
        read_regressions(tmp_path)
