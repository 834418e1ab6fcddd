"""Ctrl-C ends a run cleanly: a summary, no traceback, no process left."""

import os
import signal
import subprocess
import sys

import pytest

RUN = """
import os, signal, sys
from alertd_simulator.swarm.command import Options, simulate
from alertd_simulator.swarm.workers import Work

signal.signal(signal.SIGUSR1, lambda *_: os.killpg(0, signal.SIGINT))  # as a terminal does: to everybody in it
work = Work(simulate="tests.simulator.swarm.test_ctrl_c:dawdle", plan_of="tests.simulator.swarm.fake_day:plan_of")
if __name__ == "__main__":
    sys.exit(simulate(Options(seeds=1_000_000, jobs=2), work))
"""


def dawdle(plan):
    from tests.simulator.swarm import fake_day

    if plan.seed == 13:  # says that the run is on its way
        os.kill(os.getppid(), signal.SIGUSR1)
    return fake_day.simulate(plan)


@pytest.mark.slow
def test_ctrl_c_ends_with_a_summary_and_leaves_nobody_behind(tmp_path):
    script = tmp_path / "run.py"
    script.write_text(RUN)
    process = subprocess.Popen(
        [sys.executable, script], cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        start_new_session=True,
    )  # fmt: skip
    _, err = process.communicate(timeout=60)  # it ends when nobody holds the pipes any more, no worker either

    assert process.returncode == 130
    assert "interrupted: 1000000 were asked for" in err
    assert "Traceback" not in err
