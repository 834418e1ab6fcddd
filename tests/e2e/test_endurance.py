"""`scripts/endurance.py`, a short one; and proof that it notices what it is there to notice."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from alertd_simulator.devices import Badge
from alertd_simulator.endurance_broker import adapt, change_settings
from alertd_simulator.endurance_devices import Pressing
from alertd_simulator.endurance_evidence import Database, IncidentFact, RowFact, cause_of
from alertd_simulator.endurance_judge import Audience, Findings, World, judge

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "scripts" / "endurance.py"
HEAD, TEACHER = "+12025550103", "+12025550104"
CALL = "SCH 1 Rm 101: LOCKDOWN 10:42. wall button. Call or radio 911 now. Reply 417 going, 517 arrived, 617 cannot go."
ORDER = "SCH 1: LOCKDOWN 10:42, threat inside. Locks, lights, out of sight."


# --- the whole of it --------------------------------------------------------------------------------------------------


def endure(tree: Path, *arguments: str, settings: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    paths = os.pathsep.join(str(tree / part) for part in ("", "adapters", "simulator"))
    done = subprocess.run(
        [sys.executable, str(tree / "scripts" / "endurance.py"), *arguments],
        cwd=tree, env={**os.environ, "PYTHONPATH": paths}, capture_output=True, text=True, timeout=280, check=False,
    )  # fmt: skip
    print(f"\n{done.stdout}\n{done.stderr[-2000:]}")
    return done


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_promise_1_kill_nine_of_daemon_and_broker_at_random_instants_loses_nothing(tmp_path: Path):
    done = endure(ROOT, "--kills=6", "--broker-kills=2", f"--keep={tmp_path}")

    rows = dict(
        re.split(r"\s{2,}", line, maxsplit=1) for line in done.stdout.splitlines() if re.match(r"\S.*\s{2,}", line)
    )
    assert rows["kill -9 of mosquitto"] == "2"
    assert rows["kill -9 of alertd"].startswith("6,")
    assert rows["LOST: promised, in no incident"] == "0", "promise 1: no press is lost"
    good = (
        "miscounted devices",
        "untold of a first wave",
        "said to be sent, never taken",
        "told twice, unexplained",
        "without an outcome at the end",
    )
    assert {row: rows[row] for row in good} == dict.fromkeys(good, "0")
    assert rows["journals that do not verify"] == rows["violations at carrier and dispatch"] == "0"
    assert done.returncode == 0, done.stdout[-3000:]


SESSION = "adapters/alertd_adapters/mqtt/trigger_session.py"
COMMIT_FIRST = "        self._start(self._commit_then_ack(connection, message, arrival, self._door.receive(arrival)))\n"
ACK_FIRST = """\
        self._ack(connection, message)
        asyncio.get_running_loop().call_later(0.5, lambda: self._start(self._commit_again(arrival)))
"""
"""PUBACK at once, commit a moment later."""


def copy_of_the_tree(target: Path) -> Path:
    for name in ("alertd", "adapters", "simulator", "tests", "config", "scripts"):
        shutil.copytree(ROOT / name, target / name, ignore=shutil.ignore_patterns("__pycache__"))
    return target


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_daemon_that_acknowledges_before_it_commits_is_found_out(tmp_path: Path):
    tree = copy_of_the_tree(tmp_path / "tree")
    right = (tree / SESSION).read_text()
    assert right.count(COMMIT_FIRST) == 1, "mend this test: the line that it breaks has changed"
    (tree / SESSION).write_text(right.replace(COMMIT_FIRST, ACK_FIRST))

    done = endure(tree, "--kills=3", "--broker-kills=0", f"--keep={tmp_path / 'kept'}", "--settle=5")

    assert done.returncode == 1, "presses were lost, and the run passed"
    assert "FAILED" in done.stdout
    assert "LOST: promised, in no incident           0" not in done.stdout, "it failed, but not because of a press"
    assert "before that of alertd" in done.stdout, "it does not say which kill took the press"


# --- the judge --------------------------------------------------------------------------------------------------------


def a_press(puback_s: float | None = 1.0) -> Pressing:
    badge = Badge("s001-b101")
    return Pressing(
        device=badge.device_id, number=1, payload=badge.press(action="hold"), phase="alertd", sends=1, puback_s=puback_s
    )


PRESS = a_press()
ROW = RowFact(id="n-1", phone=HEAD, text=CALL, state="delivered", attempts=1, resend_unknown=True)
DATABASE = Database(
    causes=frozenset({cause_of(PRESS)}),
    counted={PRESS.device: 1},
    incidents=(IncidentFact(id="i-1", site="s001", token="17", minute="10:42", is_open=False),),
    rows=(ROW, replace(ROW, id="n-2", phone=TEACHER, text=ORDER)),
    press_reasons={"first_wave": 1},
)
WORLD = World(
    audiences={"s001": Audience(name="SCH 1", responders=(HEAD,), staff=(TEACHER,))},
    texts={(HEAD, CALL): 1, (TEACHER, ORDER): 1},
    calls={"i-1": 1},
    repeats=0,
    violations=(),
)


def wrong(findings: Findings) -> set[str]:
    names = ("lost", "miscounted", "untold", "told_twice", "claimed", "under_way", "journal", "violations")
    assert findings.passed == (not any(getattr(findings, name) for name in names))
    return {name for name in (*names, "allowed_twice") if getattr(findings, name)}


def test_the_judge_has_nothing_to_say_of_a_good_run():
    assert wrong(judge([PRESS], DATABASE, WORLD)) == set()


def cases() -> Iterator[tuple[str, Database, World, set[str]]]:
    yield "the press was dropped", replace(DATABASE, causes=frozenset(), counted={}), WORLD, {"lost", "miscounted"}
    yield "its identity was taken, its count was not", replace(DATABASE, counted={}), WORLD, {"miscounted"}
    yield "it was counted twice", replace(DATABASE, counted={PRESS.device: 2}), WORLD, {"miscounted"}
    silent = replace(DATABASE, rows=DATABASE.rows[1:])
    yield "a responder has no notification", silent, replace(WORLD, texts={(TEACHER, ORDER): 1}), {"untold"}
    yield "a responder's text never came", DATABASE, replace(WORLD, texts={(TEACHER, ORDER): 1}), {"untold", "claimed"}
    yield "the staff's text never came", DATABASE, replace(WORLD, texts={(HEAD, CALL): 1}), {"untold", "claimed"}
    again = (*DATABASE.incidents, replace(DATABASE.incidents[0], id="i-2", token="18"))
    calls = {"i-1": 1, "i-2": 1}
    yield "a second lockdown told nobody", replace(DATABASE, incidents=again), replace(WORLD, calls=calls), {"untold"}
    yield "dispatch was not told", DATABASE, replace(WORLD, calls={}), {"untold"}
    yield "dispatch opened two calls", DATABASE, replace(WORLD, calls={"i-1": 2}), {"told_twice"}
    twice = replace(WORLD, texts={(HEAD, CALL): 2, (TEACHER, ORDER): 1})
    yield "told twice", DATABASE, twice, {"told_twice"}
    tried = replace(DATABASE, rows=(replace(ROW, attempts=2), DATABASE.rows[1]))
    yield "told twice, the outcome was unknown", tried, twice, {"allowed_twice"}
    vape = replace(DATABASE, rows=(replace(ROW, attempts=2, resend_unknown=False), DATABASE.rows[1]))
    yield "told twice, though unknown is not sent again", vape, twice, {"told_twice"}
    waits = replace(DATABASE, rows=(*DATABASE.rows, replace(ROW, id="n-3", state="queued")))
    yield "a text waits for ever", waits, WORLD, {"under_way"}
    yield "a journal is broken", replace(DATABASE, journal_problems=("s001",)), WORLD, {"journal"}
    yield "an emergency number was dialled", DATABASE, replace(WORLD, violations=("911",)), {"violations"}


@pytest.mark.parametrize(("database", "world", "expected"), [pytest.param(*case, id=name) for name, *case in cases()])
def test_the_judge_notices_that(database: Database, world: World, expected: set[str]):
    assert wrong(judge([PRESS], database, world)) == expected


def test_a_press_without_puback_promises_nothing_and_may_have_arrived():
    unpromised = a_press(puback_s=None)
    gone = replace(DATABASE, causes=frozenset(), counted={}, incidents=(), rows=())

    assert wrong(judge([unpromised], DATABASE, WORLD)) == set()
    assert wrong(judge([unpromised], gone, replace(WORLD, texts={}, calls={}))) == set()


# --- the broker's configuration ---------------------------------------------------------------------------------------

SHIPPED = (ROOT / "config" / "mosquitto" / "mosquitto.conf").read_text()
PATHS = dict.fromkeys(("certfile", "keyfile", "password_file", "acl_file", "persistence_location"), "/here/")


def test_only_places_differ_from_the_shipped_configuration():
    adapted = adapt(SHIPPED, ports={"8883": 1, "1883": 2}, paths=PATHS)

    before, after = SHIPPED.splitlines(), adapted.text.splitlines()
    assert len(before) == len(after)
    changed = {old.split()[0] for old, new in zip(before, after, strict=True) if old != new}
    assert changed == {"listener", *PATHS}
    assert len(adapted.changes) == 7
    assert "autosave_on_changes true" in after


def test_a_setting_that_is_not_shipped_cannot_be_changed():
    assert "autosave_on_changes false\n" in change_settings(SHIPPED, {"autosave_on_changes": "false"})
    with pytest.raises(AssertionError, match="autosave_on_change'"):
        change_settings(SHIPPED, {"autosave_on_change": "false"})
