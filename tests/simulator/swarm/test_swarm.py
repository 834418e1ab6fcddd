"""What a run finds, keeps and makes small."""

import pytest

from alertd_simulator.swarm.plan_file import read_plan
from alertd_simulator.swarm.swarm import Wanted, failure_of, run_swarm
from alertd_simulator.swarm.workers import Day, failed
from alertd_simulator.world.plan import Crash, Press
from alertd_simulator.world.verdict import Verdict, Violation
from tests.simulator.swarm.fake_day import Inline, plan_of, simulate


class Notes:
    def __init__(self):
        self.failed = []
        self.runs = 0

    def day_over(self, report, failure):
        if failure is not None:
            self.failed.append(failure.day.seed)

    def shrinking(self, failure, runs, deeds):
        self.runs = runs


def days(first, last):
    return tuple(Day(seed=seed) for seed in range(first, last + 1))


def test_all_days_pass_and_their_figures_add_up(tmp_path):
    report = run_swarm(Wanted(days=days(1, 10), out=tmp_path), Inline(), Notes())

    assert (report.done, report.failures, report.interrupted) == (10, [], False)
    assert report.counts == {"presses": 300, "crashes": 20}
    assert report.coverage.taken["crash", "incident new->active"] == 10
    assert list(tmp_path.iterdir()) == []


def test_a_failure_is_shrunk_written_and_fails_again_when_it_is_read(tmp_path):
    notes = Notes()
    report = run_swarm(Wanted(days=days(1, 30), out=tmp_path / "new"), Inline(), notes)

    assert notes.failed == [13, 26]
    (small,) = report.small  # both are of one kind: the first stands for it
    assert small.path == tmp_path / "new" / "seed-13-press-lost.json"
    file = read_plan(small.path)
    assert [type(deed) for deed in file.plan.deeds] in ([Press, Crash], [Crash, Press])
    assert file.plan.habits == ()
    assert file.checker == "press-lost"
    assert file.message == "lost-in-a-crash has no incident, 1 presses", "of the small plan, not of the large"
    assert [violation.checker for violation in simulate(file.plan).violations] == ["press-lost"]
    assert small.shrunk is not None
    assert notes.runs == small.shrunk.runs > 0


def test_it_can_stop_at_the_first_failure(tmp_path):
    report = run_swarm(Wanted(days=days(1, 100), out=tmp_path, stop_at_first=True), Inline(), Notes())

    assert (report.done, [failure.day.seed for failure in report.failures]) == (13, [13])


def test_ctrl_c_keeps_what_there_is(tmp_path):
    class Impatient(Notes):
        def day_over(self, report, failure):
            if report.done == 14:
                raise KeyboardInterrupt

    report = run_swarm(Wanted(days=days(1, 100), out=tmp_path), Inline(), Impatient())

    assert (report.interrupted, report.done, len(report.failures)) == (True, 14, 1)


def test_each_kind_of_failure_is_shrunk_by_its_own_checker(tmp_path):
    class TwoBugs(Inline):
        def one(self, day):
            plan = day.plan or plan_of(day.seed)
            found = [
                Violation(at_us=n, checker=checker, message=f"{checker} of {plan.seed}")
                for n, (checker, wanted) in enumerate((("early", 1), ("late", 5 if plan.seed == 2 else 99)))
                if sum(isinstance(deed, Press) for deed in plan.deeds) >= wanted
            ]
            if plan.seed == 2:
                found = found[1:]
            return Verdict(
                plan=plan, violations=tuple(found), edges={}, counts={}, virtual_s=1, trace_sha256="", trace=()
            )

    report = run_swarm(Wanted(days=days(1, 2), out=tmp_path), TwoBugs(), Notes())

    left = {small.failure.checker: len(read_plan(small.path).plan.deeds) for small in report.small}
    assert left == {"early": 1, "late": 5}


def test_a_day_that_hangs_is_kept_as_it_is(tmp_path):
    class Hangs(Inline):
        def one(self, day):
            return failed(day.plan or plan_of(day.seed), "Hung: no end after 60 s")

    report = run_swarm(Wanted(days=days(5, 5), out=tmp_path), Hangs(), Notes())

    assert report.small[0].shrunk is None
    assert read_plan(report.small[0].path).plan == plan_of(5)


PLAIN = """\
Traceback (most recent call last):
  File "disk.py", line 3, in write
    sync: bool = flush()
alertd.store.DiskError: no
"""
GROUP = """\
  + Exception Group Traceback (most recent call last):
  | ExceptionGroup: unhandled errors in a TaskGroup
  +-+---------------- 1 ----------------
    | Traceback (most recent call last):
    |     call()
    | KeyError: 'a'
    +------------------------------------
"""


@pytest.mark.parametrize(
    ("crash", "kind"),
    [
        (PLAIN, "alertd.store.DiskError"),
        (PLAIN.replace("alertd.store.DiskError: no", "AssertionError"), "AssertionError"),
        (GROUP, "KeyError"),
        ("-", "unknown"),
    ],
    ids=["plain", "bare", "group", "nothing"],
)
def test_the_same_error_is_the_same_failure_whatever_it_says(crash, kind):
    found = failure_of(Day(seed=1), failed(plan_of(1), crash))

    assert found is not None
    assert found.checker == f"crash: {kind}"
