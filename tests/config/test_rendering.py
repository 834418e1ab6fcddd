"""What a person reads after `alertd check`."""

import pytest

from alertd.config import Problem, ProblemSeverity, render_problems
from alertd.config.problems import counted


def test_golden_output(school):
    school.replace("people.csv", "chen,Chen,responder", "chen,Chen,reponder")
    school.replace("sites/oak.toml", 'vape = "vape"', 'vape = "vap"')
    school.replace("policies/medical.toml", "wait_s = 45", "wait_s = 1")
    school.write("device.csv", "")

    assert render_problems(school.load().problems) == (
        'device.csv: warning: is not read → did you mean "devices.csv"?\n'
        'people.csv:3: kind: "reponder" is unknown → did you mean "responder"?\n'
        'policies/medical.toml:9: steps[2].wait_s: "1" is out of range → write a number from 5 to 3600\n'
        'sites/oak.toml:32: policies.vape: no policy "vap" → did you mean "vape"?\n'
        "3 errors, 1 warning.\n"
    )


def test_no_problems():
    assert render_problems(()) == "No problems.\n"


def test_hostile_value_stays_on_its_line(school):
    school.replace("people.csv", "chen,Chen,responder", f"chen,Chen,\x1b[2J{'x' * 500}")

    lines = render_problems(school.load().problems).splitlines()
    assert all("\x1b" not in line and len(line) < 250 for line in lines)


def test_one_error_is_singular():
    problem = Problem(file="a", line=1, key="", message="m", remedy="r", severity=ProblemSeverity.ERROR)

    assert render_problems([problem]) == "a:1: m → r\n1 error.\n"


@pytest.mark.parametrize(
    ("count", "things", "words"),
    [
        (1, "destinations", "1 destination"),
        (1, "policies", "1 policy"),
        (1, "people", "1 person"),
        (0, "sites", "0 sites"),
    ],
)
def test_one_thing_is_singular(count, things, words):
    assert counted(count, things) == words
