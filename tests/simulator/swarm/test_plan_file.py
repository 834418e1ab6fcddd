"""A plan survives its file; a file that is no plan says why."""

import pytest
from msgspec.structs import replace

from alertd_simulator.swarm.plan_check import misnamed
from alertd_simulator.swarm.plan_file import PlanFile, UnreadablePlanError, read_plan, read_regressions, write_plan
from alertd_simulator.world.plan import (
    BrokerTricks,
    CarrierWeather,
    Crash,
    DispatchMood,
    Gesture,
    Habits,
    Order,
    Plan,
    Poison,
    Press,
    SlowDisk,
)
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


# --- what has the right types, and makes no sense


def written(tmp_path, **changes):
    path = tmp_path / "odd.json"
    write_plan(path, PlanFile(comment="x", plan=replace(plan_of(1), **changes)))
    return path


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"deeds": (CarrierWeather(at_s=1, lasts_s=2, weather="sunny"),)}, 'plan.deeds[0].weather: "sunny" is none of'),
        ({"deeds": (DispatchMood(at_s=1, lasts_s=2, mood="grumpy"),)}, 'deeds[0].mood: "grumpy" is none of accepts in'),
        ({"deeds": (Crash(at_s=1), Crash(at_s=2, port="store.comit"))}, 'deeds[1].port: "store.comit" is none of'),
        ({"deeds": (Order(at_s=1, what="lock it"),)}, 'deeds[0].what: "lock it" is none of release'),
        ({"deeds": (Crash(at_s=9_999_999),)}, "deeds[0].at_s: 1e+07 is not within the day"),
        ({"deeds": (SlowDisk(at_s=1, lasts_s=-2),)}, "deeds[0].lasts_s: -2 must be between"),
        ({"deeds": (BrokerTricks(at_s=1, lasts_s=2, loses=7),)}, "deeds[0].loses: 7 is no share"),
        ({"habits": (Habits(person="ruiz", habit="sleepy"),)}, 'habits[0].habit: "sleepy" is none of'),
        ({"over_at_s": 1e12}, "plan.over_at_s: 1e+12 must be more than 0 and at most 259200 s"),
        ({"heal_at_s": 9_000.0}, "plan.heal_at_s: 9000 must be between 0 and over_at_s (2700)"),
        ({"begins": "tomorrow"}, 'plan.begins: "tomorrow" is no moment'),
        ({"begins": "2026-03-04T10:42:00"}, "has no offset"),
        ({"schema": 2}, "another version"),
    ],
)
def test_a_plan_that_makes_no_sense_is_refused_with_its_key(tmp_path, changes, why):
    with pytest.raises(UnreadablePlanError) as refused:
        read_plan(written(tmp_path, **changes))

    assert "odd.json: plan." in str(refused.value)
    assert why in str(refused.value)


@pytest.mark.parametrize("where", ['"device":"badge-17"', '"seed":1', '"person":"person-0"'])
def test_a_key_that_nobody_knows_is_refused(tmp_path, where):
    """In a deed, in the plan, in a habit: a typo there would be a deed without what it was to say."""
    path = written(tmp_path)
    path.write_bytes(path.read_bytes().replace(b": ", b":").replace(where.encode(), where.encode() + b', "tpye":1', 1))

    with pytest.raises(UnreadablePlanError, match=r"odd\.json holds no plan: .*unknown field `tpye` - at `\$\.plan"):
        read_plan(path)


def test_names_that_the_district_does_not_have_are_said_with_their_key():
    button = Press(at_s=1, name="p", device="buton-118", gesture=Gesture.ONCE, heard_by=("gw-nowhere",))
    stranger = Poison(at_s=1, name="x", device="nobodys", kind="garbage")
    wrong = misnamed(Plan(seed=1, begins="2026-03-04T10:42:00-05:00", deeds=(button, stranger)))

    assert wrong == [
        'deeds[0].device: "buton-118" is no device of the district',
        'deeds[0].heard_by: "gw-nowhere" is no gateway of the district',
    ]
