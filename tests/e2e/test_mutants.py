"""Break a promise in a copy of the tree, and a quick test fails and names it: see scripts/mutants.py."""

import subprocess
import sys

import pytest

from tests.conftest import REPOSITORY

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


def test_every_broken_promise_is_caught_by_a_quick_test_that_names_it():
    done = subprocess.run(
        [sys.executable, REPOSITORY / "scripts" / "mutants.py"], capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("caught") >= 14, "mutants are missing"
