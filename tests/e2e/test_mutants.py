"""alertd is broken on purpose, in a copy of the tree, and somebody notices: see scripts/mutants.py.

Here is a sample: with each commit another third of those that quick tests must catch, and those that a simulated day or
two tell. The script tries all.
"""

import subprocess
import sys

import pytest

from tests.conftest import REPOSITORY

SCRIPTS = REPOSITORY / "scripts"
MISFITS = """
import sys
from mutation.catalogue import MUTANTS
from mutation.tree import misfits
found = [f"{mutant.name}: {wrong}" for mutant in MUTANTS for wrong in misfits(mutant)]
names = [mutant.name for mutant in MUTANTS]
found += sorted({f"{name} is there twice" for name in names if names.count(name) > 1})
print(*found, sep=chr(10))
sys.exit(bool(found))
"""


def test_every_mutant_still_finds_the_line_that_it_changes():
    done = subprocess.run(
        [sys.executable, "-c", MISFITS], cwd=SCRIPTS, capture_output=True, text=True, check=False
    )  # fmt: skip

    assert done.returncode == 0, (
        f"a mutant that fits nothing proves nothing (scripts/mutation):\n{done.stdout}{done.stderr}"
    )


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_sample_of_mutants_is_caught():
    done = subprocess.run(
        [sys.executable, SCRIPTS / "mutants.py", "--sample"], capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stdout + done.stderr
    by_test = done.stdout.count("caught") and sum(": quick test (" in line for line in done.stdout.splitlines())
    by_day = sum("caught" in line and "(seed " in line for line in done.stdout.splitlines())
    assert by_test >= 14, "mutants that quick tests catch are missing"
    assert by_day >= 8, "mutants that the simulation catches are missing"
