"""Proof that the promises are guarded: break each in a copy of the tree, and see a quick test fail and name it.

    .venv/bin/python scripts/mutants.py            all of them, about a minute; exits 0 only if every one is caught
    .venv/bin/python scripts/mutants.py drill      those whose name contains the word

A mutant that survives, or whose failure does not say which promise broke, is a hole in the quick tests.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
COPIED = ("alertd", "adapters", "simulator", "tests", "config", "docs", "pyproject.toml")
TIMEOUT_S = 120


@dataclass(frozen=True, kw_only=True)
class Mutant:
    name: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]
    """Quick tests that must catch it; the rest of `make quick` is left out to be fast."""
    names: str
    """What an assertion message must say, in so many words."""


MUTANTS = (
    Mutant(
        name="PUBACK before commit (MQTT source)",
        file="adapters/alertd_adapters/mqtt/trigger_session.py",
        old="arrival: Arrival, committed: Awaitable[None]\n    ) -> None:\n",
        new="arrival: Arrival, committed: Awaitable[None]\n    ) -> None:\n        self._ack(connection, message)\n",
        tests=("tests/adapters/mqtt/test_presses.py",),
        names="promise 1",
    ),
    Mutant(
        name="PUBACK before commit (intake)",
        file="alertd/daemon/intake.py",
        old="                settled = await self._committer.run(",
        new="                for submission in batch:\n                    submission.succeed()\n"
        "                settled = await self._committer.run(",
        tests=("tests/daemon/test_promises.py",),
        names="promise 1",
    ),
    Mutant(
        name="drill/live mode check removed (claiming transaction)",
        file="alertd/model/notification.py",
        old="    if mode_forbids(notification, incident_mode):",
        new="    if False:",
        tests=("tests/store/test_sqlite_contract.py",),
        names="promise 3",
    ),
    Mutant(
        name="drill/live mode check removed (webhook)",
        file="adapters/alertd_adapters/webhook/channel.py",
        old="        if notification.mode is Mode.DRILL and",
        new="        if False and",
        tests=("tests/adapters/webhook/test_send.py",),
        names="promise 3",
    ),
    Mutant(
        name="lease check removed (dispatch sends on a lease that ends)",
        file="alertd/daemon/dispatch.py",
        old="        if self._clock.now().boot_us > ends_us:",
        new="        if False:",
        tests=("tests/daemon/test_dispatch.py",),
        names="lease",
    ),
    Mutant(
        name="lease check removed (a claimed row is claimed again)",
        file="alertd/store/sql.py",
        old="    WHERE state = 'queued' AND channel = ? AND lane <= ?",
        new="    WHERE state IN ('queued', 'claimed') AND channel = ? AND lane <= ?",
        tests=("tests/store/test_sqlite_contract.py",),
        names="lease",
    ),
    Mutant(
        name="lease check removed (a row is abandoned before its lease ends)",
        file="alertd/store/sql.py",
        old="        AND (lease_until_us <= ? OR leased_by <> ?) ORDER BY",
        new="        AND (lease_until_us <= ? OR leased_by <> ? OR 1 = 1) ORDER BY",
        tests=("tests/store/test_sqlite_contract.py",),
        names="lease",
    ),
    Mutant(
        name="fencing removed (an outcome of an older claim counts)",
        file="alertd/engine/outcomes.py",
        old="        return event.epoch != row.epoch",
        new="        return False",
        tests=("tests/engine/test_outcomes.py",),
        names="lease",
    ),
    Mutant(
        name="blast radius: a fixed device presses where it was heard",
        file="alertd/engine/routing.py",
        old="    if not device.roaming_sites or signal.heard_by is None:",
        new="    if signal.heard_by is not None and not device.roaming_sites:\n"
        "        return registry.devices[signal.heard_by].site_id\n"
        "    if not device.roaming_sites or signal.heard_by is None:",
        tests=("tests/engine/test_presses.py",),
        names="promise 6",
    ),
    Mutant(
        name="blast radius: a fixed device may be refused by where it was heard",
        file="alertd/engine/routing.py",
        old="    if not device.roaming_sites or signal.heard_by is None:",
        new="    if signal.heard_by is None:",
        tests=("tests/engine/test_presses.py",),
        names="promise 6",
    ),
    Mutant(
        name="blast radius: a roaming device presses anywhere",
        file="alertd/engine/routing.py",
        old="    return gateway.site_id if gateway.site_id in allowed else None",
        new="    return gateway.site_id if allowed else None",
        tests=("tests/engine/test_presses.py",),
        names="promise 6",
    ),
    Mutant(
        name="emergency block removed (everywhere)",
        file="alertd/model/blocked_numbers.py",
        old="def blocked(address: str) -> str | None:",
        new="def blocked(address: str) -> str | None:\n    return None\n\n\ndef _blocked(address: str) -> str | None:",
        tests=("tests/model",),
        names="emergency",
    ),
    Mutant(
        name="emergency block removed (dispatch)",
        file="alertd/daemon/dispatch.py",
        old="        if channel.kind not in NOT_DIALLED and",
        new="        if False and",
        tests=("tests/daemon/test_dispatch.py",),
        names="emergency",
    ),
    Mutant(
        name="emergency block removed (Twilio)",
        file="adapters/alertd_adapters/twilio/channel.py",
        old="    if why := blocked(address):",
        new="    if (why := blocked(address)) and False:",
        tests=("tests/adapters/twilio",),
        names="emergency",
    ),
)


def copy_tree(target: Path) -> None:
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, target / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, target / name)


def apply(mutant: Mutant, tree: Path) -> str:
    """The file as it was."""
    path = tree / mutant.file
    text = path.read_text()
    if text.count(mutant.old) != 1:
        sys.exit(f"{mutant.name}: {mutant.file} says {mutant.old!r} {text.count(mutant.old)} times: mend the mutant")
    path.write_text(text.replace(mutant.old, mutant.new))
    return text


def try_out(mutant: Mutant, tree: Path) -> str:
    """What is wrong with the tests; empty if they caught it and said what broke."""
    before = apply(mutant, tree)
    paths = os.pathsep.join(str(tree / part) for part in ("", "adapters", "simulator"))
    command = [sys.executable, "-m", "pytest", "-q", "-m", "not slow", "-n", "0", *mutant.tests]
    try:
        done = subprocess.run(  # noqa: S603 - our own tests
            [*command, "-p", "no:cacheprovider", "--no-header"],
            cwd=tree, env={**os.environ, "PYTHONPATH": paths}, capture_output=True, text=True, timeout=TIMEOUT_S,
            check=False,
        )  # fmt: skip
    finally:
        (tree / mutant.file).write_text(before)
    if done.returncode == 0:
        return "SURVIVED: no quick test failed"
    said = [line for line in done.stdout.splitlines() if line.startswith("E ") and "AssertionError" in line]
    if not any(re.search(mutant.names, line, re.IGNORECASE) for line in said):
        shown = "\n      ".join(said[:5] or done.stdout.splitlines()[-5:])
        return f"no assertion message says {mutant.names!r}; they say\n      {shown}"
    return ""


def main() -> int:
    word = sys.argv[1].lower() if len(sys.argv) > 1 else ""
    failed = 0
    with tempfile.TemporaryDirectory(prefix="alertd-mutants-") as folder:
        tree = Path(folder)
        copy_tree(tree)
        for mutant in MUTANTS:
            if word not in mutant.name.lower():
                continue
            wrong = try_out(mutant, tree)
            failed += bool(wrong)
            print(f"{'HOLE  ' if wrong else 'caught'}  {mutant.name}{f': {wrong}' if wrong else ''}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
