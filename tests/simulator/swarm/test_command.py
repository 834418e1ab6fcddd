"""`alertd simulate` as a person sees it: what it prints, what it leaves behind, how it ends."""

import json
from contextlib import nullcontext

import pytest
from msgspec.structs import replace

from alertd_simulator.swarm import command
from alertd_simulator.swarm.command import Options
from alertd_simulator.swarm.coverage import write_expected
from alertd_simulator.swarm.plan_file import PlanFile, read_plan, write_plan
from alertd_simulator.swarm.workers import Work
from tests.simulator.swarm.fake_day import Inline, plan_of

WORK = Work(
    simulate="tests.simulator.swarm.fake_day:simulate",
    plan_of="tests.simulator.swarm.fake_day:plan_of",
    misnamed="tests.simulator.swarm.fake_day:misnamed",
)
TAKEN = {("crash", "incident new->active"), ("disk_full", "incident new->active")}


@pytest.fixture
def listed(tmp_path, monkeypatch):
    """The list of pairs is the test's own."""
    path = tmp_path / "coverage.txt"
    monkeypatch.setattr(command, "shipped", lambda: path)
    write_expected(path, TAKEN)
    return path


@pytest.fixture
def simulate(tmp_path, listed, capsys, monkeypatch):
    """Runs the command with days that cost nothing, here and not in processes: those are `test_workers`' matter."""
    monkeypatch.setattr(command, "Workers", lambda work, jobs: nullcontext(Inline()))

    def run(**options):
        code = command.simulate(Options(jobs=1, out=tmp_path / "out", **options), WORK)
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


def test_days_that_pass_end_with_0_and_figures(simulate):
    code, out, err = simulate(seeds=12)

    assert (code, out) == (0, "")
    assert "12 days in" in err
    assert "seeds/s" in err
    assert "all passed" in err
    assert "360 presses" in err


def test_who_reads_a_log_sees_ten_lines_of_progress(simulate):
    _, _, err = simulate(seeds=12)

    assert err.count(" of 12 days, ") == 10
    assert "12 of 12 days, " in err


def test_a_failing_day_says_what_when_why_and_how_to_see_it_again(simulate, tmp_path):
    code, _, err = simulate(seeds=14)

    assert code == 1
    assert "FAILED seed 13: press-lost at 0:03:20.000" in err
    assert "lost-in-a-crash has no incident" in err
    assert "faults: broker_down, clock_step, crash ×2, disk_full, replay" in err
    assert "replay: alertd simulate --seed 13 --trace" in err
    assert "36 deeds made 2 in" in err
    path = tmp_path / "out" / "seed-13-press-lost.json"
    assert f"replay: alertd simulate --plan {path} --trace" in err
    assert "14 days in" in err
    assert "1 FAILED" in err


def test_what_is_printed_for_replaying_fails_again_with_a_trace(simulate, tmp_path):
    simulate(seeds=14)
    code, out, err = simulate(plan=tmp_path / "out" / "seed-13-press-lost.json", trace=True)

    assert code == 1
    assert len(out.splitlines()) == 2
    assert "press-lost" in err


def test_one_day_with_its_trace(simulate):
    code, out, err = simulate(seed=1, trace=True)

    assert code == 0
    assert len(out.splitlines()) == len(plan_of(1).deeds)
    assert "300 s of seed 1's day: passed" in err


def test_a_trace_of_many_days_is_refused(simulate):
    code, _, err = simulate(seeds=5, trace=True)

    assert code == 2
    assert "--seed or --plan" in err


def test_a_file_that_is_no_plan_is_refused(simulate, tmp_path):
    (tmp_path / "x.json").write_text("[]")
    code, _, err = simulate(plan=tmp_path / "x.json")

    assert code == 2
    assert "x.json holds no plan" in err


def test_programs_get_json(simulate):
    code, out, _ = simulate(first_seed=10, seeds=5, as_json=True)
    answer = json.loads(out)

    assert code == 1
    assert (answer["asked"], answer["done"], answer["counts"]["presses"]) == (5, 5, 150)
    assert [failure["seed"] for failure in answer["failures"]] == [13]


# --- coverage


def test_a_long_run_fails_if_a_listed_pair_was_never_taken(simulate, listed):
    write_expected(listed, {*TAKEN, ("slow_disk", "incident new->active")})
    code, _, err = simulate(seeds=12, coverage=True)

    assert code == 1
    assert "all passed" in err, "no day failed: the coverage did"
    assert "coverage FAILED: 1 listed pair was never taken:\n  slow_disk  incident new->active" in err
    assert "MISS" in err


def test_a_short_run_is_not_judged(simulate, listed):
    write_expected(listed, {("slow_disk", "incident new->active")})
    code, _, err = simulate(seeds=3)

    assert (code, "coverage" in err) == (0, False)


def test_the_stated_number_of_days_is_judged_unasked(simulate, listed):
    listed.write_text("seeds: 12\nslow_disk  incident new->active\n")

    assert simulate(seeds=11)[0] == 0
    assert simulate(seeds=12)[0] == 1


def test_a_long_run_writes_the_list_anew(simulate, listed, monkeypatch):
    monkeypatch.setattr(command, "WRITES_FROM", 12)
    listed.write_text("seeds: 200\nslow_disk  incident new->active\n")
    code, _, _ = simulate(seeds=12, write_coverage=True)

    assert code == 0
    assert "crash  incident new->active\n" in listed.read_text()
    assert "slow_disk" not in listed.read_text()


def test_a_short_run_writes_no_list(simulate, listed):
    before = listed.read_text()
    code, _, err = simulate(seeds=100, write_coverage=True)

    assert code == 2
    assert "--seeds 200" in err
    assert listed.read_text() == before


def test_a_plan_in_a_file_is_shrunk_too(simulate, tmp_path):
    path = tmp_path / "mine.json"
    write_plan(path, PlanFile(comment="", plan=plan_of(13)))
    code, _, err = simulate(plan=path)

    assert code == 1
    assert f"replay: alertd simulate --plan {path} --trace" in err
    assert "36 deeds made 2" in err


def test_a_plan_that_names_what_is_not_there_is_refused(simulate, tmp_path):
    path = tmp_path / "mine.json"
    plan = plan_of(1)
    write_plan(path, PlanFile(comment="", plan=replace(plan, deeds=(replace(plan.deeds[0], device="badge-99"),))))
    code, _, err = simulate(plan=path, trace=True)

    assert code == 2
    assert f"{path}: plan.deeds[0].device: nobody knows it" in " ".join(err.split())


# --- Ctrl-C


def test_ctrl_c_while_a_failure_is_made_small_keeps_the_smallest_so_far(simulate, tmp_path, monkeypatch):
    class Impatient(Inline):
        tries = 0

        def one(self, day):
            self.tries += day.plan is not None
            if self.tries > 10:
                raise KeyboardInterrupt
            return super().one(day)

    monkeypatch.setattr(command, "Workers", lambda work, jobs: nullcontext(Impatient()))
    code, _, err = simulate(seeds=14)

    path = tmp_path / "out" / "seed-13-press-lost.json"
    kept = len(read_plan(path).plan.deeds)
    assert code == 130
    assert 2 < kept < 36
    assert f"36 deeds made {kept} in 10 runs; interrupted: it may get smaller still" in err
    assert f"replay: alertd simulate --plan {path} --trace" in err
    assert "1 FAILED" in err


@pytest.mark.parametrize(("lived", "said"), [(0, "nothing was lived to its end"), (5, "none of 5 failed")])
def test_days_that_were_not_lived_have_not_passed(simulate, monkeypatch, lived, said):
    class Interrupted(Inline):
        def run(self, days):
            for day in days:
                if day.seed > lived:
                    raise KeyboardInterrupt
                yield day, self.one(day)

    monkeypatch.setattr(command, "Workers", lambda work, jobs: nullcontext(Interrupted()))
    code, _, err = simulate(seeds=12)

    assert code == 130
    assert said in err
    assert "passed" not in err


def test_one_day_is_one_day(simulate):
    assert "1 day in" in simulate(seed=1)[2]
