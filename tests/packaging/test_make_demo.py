"""`make demo` ends quietly by Ctrl-C, and hides no failure."""

import contextlib
import os
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
MAKE = shutil.which("make")
pytestmark = pytest.mark.skipif(MAKE is None, reason="there is no make on this machine")

ENVIRON = {name: value for name, value in os.environ.items() if not name.startswith("MAKE") and name != "MFLAGS"}
"""These tests are themselves run by make, whose jobs are not those of this one."""

SIMULATOR = """#!/bin/sh
trap 'exit 130' INT
echo "plays $*"
[ -n "$ENDS_WITH" ] && exit "$ENDS_WITH"
while :; do sleep 0.1; done
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """The Makefile, with a simulator that plays until it is interrupted."""
    shutil.copy(REPOSITORY / "Makefile", tmp_path)
    for name, text in (("scripts/install.sh", "#!/bin/sh\n"), ("venv/bin/alertd-sim", SIMULATOR)):
        path = tmp_path / name
        path.parent.mkdir(parents=True)
        path.write_text(text)
        path.chmod(0o755)
    return tmp_path


@pytest.mark.parametrize(("once", "code"), [("", 0), ("", 1), ("", 3), ("1", 0), ("1", 1), ("1", 130)])
def test_the_simulators_failure_is_makes(checkout, once, code):
    done = subprocess.run(
        ["make", "demo", "VENV=venv", f"ONCE={once}"],
        cwd=checkout,
        env=ENVIRON | {"ENDS_WITH": str(code)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert ("--once" in done.stdout) is bool(once)
    assert (done.returncode == 0) is (code == 0)


def test_ctrl_c_ends_it_without_a_word_of_make(checkout):
    process = subprocess.Popen(
        ["make", "demo", "VENV=venv", "ONCE="],
        cwd=checkout,
        env=ENVIRON,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        assert process.stdout is not None
        first = process.stdout.readline()
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to everybody in it
        rest, _ = process.communicate(timeout=10)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)

    assert (first.split(), rest) == (["plays", "demo"], "")
