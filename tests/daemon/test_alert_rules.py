"""Each alert rule fires when it should and is quiet when it should be, by Prometheus's own unit tests of rules."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

RULES = Path(__file__).resolve().parents[2] / "config" / "prometheus" / "alertd.rules.yml"
PROMTOOL = shutil.which("promtool")
HOUR = 60
"""Samples are a minute apart."""

pytestmark = pytest.mark.slow

Series = dict[str, str]

LIVE = 'alertd_incidents_open{site="oak",class="lockdown",mode="live"}'
DRILL = 'alertd_incidents_open{site="oak",class="lockdown",mode="drill"}'
WAITING = 'alertd_outbox_oldest_seconds{channel="sms",state="queued"}'
FAILURES = 'alertd_send_failures_total{channel="sms",reason="refused"}'
UNANSWERED = 'alertd_send_failures_total{channel="sms",reason="unanswered"}'
STARTED = "process_start_time_seconds{}"
BACKUP = 'alertd_nightly_last_good_timestamp_seconds{task="backup"}'
SELF_TEST = 'alertd_nightly_last_good_timestamp_seconds{task="self-test"}'


def through(texts: int) -> Series:
    """So many texts a minute that the provider says everything of: each counts three times."""
    return {
        f'alertd_outcomes_total{{channel="sms",state="{state}"}}': f"0+{texts}x120"
        for state in ("accepted", "sent", "delivered")
    }


def commits(quick: int, slow: int) -> Series:
    """So many commits a minute of at most 100 ms, and of 100 to 500 ms."""
    return {
        'alertd_commit_seconds_bucket{le="0.1"}': f"0+{quick}x120",
        'alertd_commit_seconds_bucket{le="0.5"}': f"0+{quick + slow}x120",
        'alertd_commit_seconds_bucket{le="+Inf"}': f"0+{quick + slow}x120",
    }


CASES: list[tuple[str, int, Series, bool]] = [
    ("AlertdGone", 3, {"up{}": "0x10"}, True),
    ("AlertdGone", 3, {}, True),
    ("AlertdGone", 3, {"up{}": "1x10"}, False),
    ("AlertdNotAlive", 3, {"alertd_alive{}": "0x10"}, True),
    ("AlertdNotAlive", 3, {"alertd_alive{}": "1x10"}, False),
    ("AlertdBrokerAway", 3, {'alertd_source_connected{source="broker"}': "0x10"}, True),
    ("AlertdBrokerAway", 3, {'alertd_source_connected{source="broker"}': "1x10"}, False),
    ("AlertdDiskNotDurable", 3, {"alertd_disk_durable{}": "0x10"}, True),
    ("AlertdDiskNotDurable", 3, {"alertd_disk_durable{}": "1x10"}, False),
    ("AlertdStandsStill", 3, {'alertd_proof_age_seconds{proof="commit"}': "31x10"}, True),
    ("AlertdStandsStill", 3, {'alertd_proof_age_seconds{proof="commit"}': "4x10"}, False),
    ("AlertdRingingTrouble", 9, {'alertd_troubles{site="oak",family="disk",rings="true"}': "1x20"}, True),
    ("AlertdRingingTrouble", 9, {'alertd_troubles{site="oak",family="disk",rings="false"}': "1x20"}, False),
    ("AlertdMessagesHeldUp", 5, {WAITING: "301x10", LIVE: "1x10"}, True),
    ("AlertdMessagesHeldUp", 5, {WAITING: "301x10", DRILL: "1x10"}, False),
    ("AlertdMessagesHeldUp", 5, {WAITING: "20x10", LIVE: "1x10"}, False),
    ("AlertdSendsFail", 30, {FAILURES: "0+7x120", **through(3)}, True),
    ("AlertdSendsFail", 30, {FAILURES: "0+7x120"}, True),
    ("AlertdSendsFail", 30, {FAILURES: "0+3x120", **through(7)}, False),
    ("AlertdSendsFail", 30, {FAILURES: "0 1 1 2 2x120"}, False),
    ("AlertdSendsFail", 30, {UNANSWERED: "0+7x120", **through(3)}, False),
    ("AlertdCommitsSlow", 30, commits(90, 10), True),
    ("AlertdCommitsSlow", 30, commits(100, 1), False),
    ("AlertdTroubleStands", 13 * HOUR, {'alertd_troubles{site="oak",family="a",rings="false"}': "1x900"}, True),
    ("AlertdTroubleStands", 11 * HOUR, {'alertd_troubles{site="oak",family="a",rings="false"}': "1x900"}, False),
    ("AlertdBackupMissing", 38 * HOUR, {STARTED: "0x2400"}, True),
    ("AlertdBackupMissing", 38 * HOUR, {STARTED: "0x2400", SELF_TEST: "120000x2400"}, True),
    ("AlertdBackupMissing", 38 * HOUR, {STARTED: "0x2400", SELF_TEST: "120000x2400", BACKUP: "0x2400"}, True),
    ("AlertdBackupMissing", 38 * HOUR, {STARTED: "0x2400", BACKUP: "90000x2400"}, False),
    ("AlertdBackupMissing", 20 * HOUR, {STARTED: "0x2400"}, False),
    ("AlertdDrillLong", 3 * HOUR, {'alertd_drills_running{site="oak"}': "1x200"}, True),
    ("AlertdDrillLong", 1 * HOUR, {'alertd_drills_running{site="oak"}': "1x200"}, False),
]
"""Rule, minute at which it is looked at, what was measured (a sample a minute), and whether it fires."""


def rules() -> dict[str, dict[str, Any]]:
    groups = yaml.safe_load(RULES.read_text())["groups"]
    return {rule["alert"]: rule for group in groups for rule in group["rules"]}


def test_every_rule_is_shown_to_fire_and_to_be_quiet():
    for name in rules():
        assert {fires for rule, _, _, fires in CASES if rule == name} == {True, False}, name


@pytest.mark.skipif(PROMTOOL is None, reason="promtool is not installed (Debian: prometheus): no rule was tried")
def test_rules_fire_when_they_should_and_only_then(tmp_path: Path):
    """With the label `job` of the scrape configuration that the rules' own page shows."""
    assert PROMTOOL is not None
    for number, case in enumerate(CASES):
        (tmp_path / f"{number}.yml").write_text(yaml.safe_dump(_unit_test(*case)))
    files = [str(tmp_path / f"{number}.yml") for number in range(len(CASES))]
    done = subprocess.run([PROMTOOL, "test", "rules", *files], capture_output=True, text=True, check=False)
    failed = [line for line in (done.stdout + done.stderr).splitlines() if line.strip()]
    assert done.returncode == 0, "\n".join(failed)


def _unit_test(rule: str, minute: int, measured: Series, fires: bool) -> dict[str, Any]:
    series = [{"series": _scraped(name), "values": values} for name, values in measured.items()]
    # An alert's labels and words are the rule's business, here it is only whether it fires: ALERTS says so.
    query = {"expr": f'count(ALERTS{{alertname="{rule}",alertstate="firing"}}) or vector(0)', "eval_time": f"{minute}m"}
    answer = {"exp_samples": [{"labels": "{}", "value": 1 if fires else 0}]}
    test = {"interval": "1m", "input_series": series, "promql_expr_test": [query | answer]}
    return {"rule_files": [str(RULES)], "evaluation_interval": "1m", "tests": [test]}


def _scraped(name: str) -> str:
    labelled = name.replace("{", '{job="alertd",instance="a",')
    return re.sub(r",}$", "}", labelled)
