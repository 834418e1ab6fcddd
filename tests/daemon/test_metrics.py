"""What Prometheus reads: true numbers, words that a stranger understands, and nobody's name."""

import asyncio
import math
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from msgspec.structs import replace
from prometheus_client.parser import text_string_to_metric_families

from alertd.daemon.measures import Measures
from alertd.daemon.metrics import Metrics
from alertd.daemon.proof_of_life import Life
from alertd.daemon.telemetry import Telemetry
from alertd.model.anchor import Now
from alertd.model.decision import Decision, Entry, EntryKind
from alertd.model.events import TroubleRaised
from alertd.model.ids import DISTRICT
from alertd.model.incident import Incident
from alertd.model.mode import Mode
from alertd.model.notification import NotificationState
from alertd.model.outcome import Failed
from alertd.model.reason import Reason
from alertd.model.trouble import Trouble
from alertd.ports import OutboxCount, StoreError
from alertd.store.sqlite import SqliteStore
from alertd.testing.store_values import incident
from alertd_simulator.virtual_time import COMMIT_DELAY, in_virtual_time
from tests.daemon.world import World
from tests.engine.school import registry

REPOSITORY = Path(__file__).resolve().parents[2]
RULES = REPOSITORY / "config" / "prometheus" / "alertd.rules.yml"
NOW_US = 1_700_000_000_000_000
NAMES = ("Ruiz", "Chen", "badge-204", "555")


def without_figures(text: str) -> str:
    """Names and labels of each line: "555" may stand in how many bytes the process has."""
    return "\n".join(line if line.startswith("#") else line.rpartition(" ")[0] for line in text.splitlines())


def metrics_of(world: World) -> Metrics:
    daemon = world.daemon
    return Metrics(
        store=world.store,
        clock=world.clock,
        measures=daemon.measures,
        telemetry=daemon.telemetry,
        life=daemon.life,
        drills=daemon.activity.drills,
        version="0.1.0",
    )


class Read:
    """One answer of /metrics."""

    def __init__(self, text: bytes) -> None:
        self.text = text.decode()
        self.families = {family.name: family for family in text_string_to_metric_families(self.text)}

    def value(self, name: str, **labels: str) -> float:
        """Of all samples that have these labels; not a number if there is none."""
        family = self.families.get(re.sub(r"_(total|bucket|count|sum)$", "", name))
        found = [
            s.value for s in (family.samples if family else ()) if s.name == name and labels.items() <= s.labels.items()
        ]
        return sum(found) if found else math.nan


@in_virtual_time(executor_delay=COMMIT_DELAY)
async def test_a_press_is_seen_from_its_commit_to_the_answer(tmp_path: Path):
    world = World(tmp_path)
    await world.start()
    metrics = metrics_of(world)
    before = Read(await metrics.render())
    assert math.isnan(before.value("alertd_presses_total"))
    world.press()
    world.press("badge-204")
    await asyncio.sleep(5)

    now = Read(await metrics.render())
    assert now.value("alertd_incidents_open", site="oak", mode="live") == 1
    assert now.value("alertd_presses_total", site="oak", reason="first_wave") == 1
    assert now.value("alertd_presses_total", site="oak") == 2, "a repeat is a press, too"
    assert now.value("alertd_outcomes_total", channel="sms", state="delivered") == len(world.sms.sent)
    assert now.value("alertd_alive") == 1
    assert now.value("alertd_source_connected", source="broker") == 1
    assert now.value("alertd_disk_durable") == 1
    assert now.value("alertd_proof_age_seconds", proof="commit") < 30
    batches = now.value("alertd_commit_seconds_count")
    assert batches == now.value("alertd_commit_seconds_bucket", le="+Inf") > 0
    assert now.value("alertd_commit_seconds_bucket", le="1.0") == batches, "two pieces of work, 200 ms each at most"
    assert now.value("alertd_commit_seconds_bucket", le="0.001") < batches
    assert 0 < now.value("alertd_commit_seconds_sum") < 0.5 * batches
    for name in NAMES:
        assert name not in without_figures(now.text), "a label names somebody"
    await world.stop()


@in_virtual_time(executor_delay=COMMIT_DELAY)
async def test_what_waits_fails_and_stands_is_told_with_its_age(tmp_path: Path):
    world = World(tmp_path)

    async def refuse(_claim: object) -> Failed:
        return Failed(permanent=False, code="503", detail="+12025550142 is not served by J. Ruiz")

    world.sms.behave = refuse
    await world.start()
    metrics = metrics_of(world)
    world.press()
    await world.daemon.intake.submit(
        TroubleRaised(site_id=DISTRICT, key="unregistered:badge-99", summary="s", rings=True)
    )
    await asyncio.sleep(20)

    now = Read(await metrics.render())
    assert now.value("alertd_outbox_messages", channel="sms", state="queued") > 0
    assert 15 <= now.value("alertd_outbox_oldest_seconds", channel="sms", state="queued") <= 21
    assert now.value("alertd_send_failures_total", channel="sms") >= 3
    assert now.value("alertd_troubles", site=DISTRICT, family="unregistered", rings="true") == 1
    assert "badge-99" not in now.text
    for name in NAMES:
        assert name not in without_figures(now.text), "a label names somebody"
    await world.stop()


@pytest.mark.parametrize(
    ("state", "reason", "failed"),
    [
        (NotificationState.FAILED, Reason.UNANSWERED, 1),
        (NotificationState.WITHDRAWN, Reason.INCIDENT_CLOSED, 0),
        (NotificationState.WITHDRAWN, Reason.SOMEBODY_GOES, 0),
        (NotificationState.WITHDRAWN, Reason.ANSWERED_OTHERWISE, 0),
    ],
)
def test_what_alertd_took_back_is_no_failure_of_its_carrier(state: NotificationState, reason: Reason, failed: int):
    """AlertdSendsFail pages somebody on three of them."""
    measures = Measures(registry)
    entry = Entry(kind=EntryKind.OUTCOME, text="s", reason=reason, data={"channel": "voice", "state": state})
    measures.committed(Decision(entries=(entry,)))

    assert measures.outcomes["voice", state] == 1
    assert measures.failures.total() == failed


@in_virtual_time
async def test_a_store_that_cannot_be_read_takes_only_its_own_numbers_away(tmp_path: Path):
    class Unreadable(SqliteStore):
        def read_outbox(self, now_us: int) -> Any:
            raise StoreError("input/output error")

    world = World(tmp_path, store=lambda path: Unreadable(path, ballast_bytes=0))
    await world.start()
    await asyncio.sleep(1)
    now = Read(await metrics_of(world).render())
    assert now.value("alertd_store_readable") == 0
    assert "alertd_outbox_messages" not in now.families
    assert now.value("alertd_alive") == 1
    await world.stop()


@in_virtual_time
async def test_who_asks_without_a_pause_costs_one_reading(tmp_path: Path):
    readings = 0

    class Counted(SqliteStore):
        def read_outbox(self, now_us: int) -> Any:
            nonlocal readings
            readings += 1
            return super().read_outbox(now_us)

    world = World(tmp_path, store=lambda path: Counted(path, ballast_bytes=0))
    await world.start()
    metrics = metrics_of(world)
    await asyncio.gather(*(metrics.render() for _ in range(50)))
    assert readings == 1
    await asyncio.sleep(3)
    await metrics.render()
    assert readings == 2
    await world.stop()


@in_virtual_time
async def test_every_metric_has_words_and_stands_in_the_documentation(tmp_path: Path):
    world = World(tmp_path)
    await world.start()
    world.press()
    world.daemon.intake.observe("heartbeat", "pinged")
    for name in ("arrivals", "unregistered"):
        world.daemon.intake.observe("broker", name)
    world.daemon.intake.observe("badges", "telemetry_not_understood")
    world.daemon.intake.observe("nightly", "backup_good")
    await asyncio.sleep(2)
    now = Read(await metrics_of(world).render())
    assert now.value("alertd_messages_total", source="broker", result="unregistered") == 1
    assert now.value("alertd_messages_total", source="badges", result="telemetry_not_understood") == 1, (
        "what makes no sense in telemetry is counted, and nobody can see it"
    )
    page = (REPOSITORY / "docs" / "metrics.md").read_text()
    own = [family for name, family in now.families.items() if name.startswith("alertd_")]
    assert len(own) >= 15
    for family in own:
        assert len(family.documentation.split()) >= 4, f"{family.name} explains nothing"
        assert f"`{family.name}" in page, f"{family.name} is not in docs/metrics.md"
    documented = set(re.findall(r"^\| `(alertd_\w+)", page, re.MULTILINE))
    assert {name.removesuffix("_total") for name in documented} <= set(now.families), "documented, and not there"
    await world.stop()


# --- what each number stands for


class Records:
    """A database of which only this is known."""

    def __init__(
        self, *, incidents: tuple[Incident, ...] = (), troubles: tuple[Trouble, ...] = (), oldest_us: int | None = None
    ) -> None:
        self._incidents = incidents
        self._troubles = troubles
        self._oldest_us = oldest_us

    def read_outbox(self, now_us: int) -> tuple[OutboxCount, ...]:
        if self._oldest_us is None:
            return ()
        return (OutboxCount(channel="sms", state=NotificationState.QUEUED, rows=1, oldest_us=self._oldest_us),)

    def read_incidents(self, **_: object) -> tuple[Incident, ...]:
        return self._incidents

    def read_troubles(self, *, latched: bool = False) -> tuple[Trouble, ...]:
        return self._troubles


class Still:
    """It is always the same moment."""

    boot_id = "boot-1"

    def now(self) -> Now:
        return Now(wall_us=NOW_US, boot_us=0)


WELL = Life(sources={"broker": True}, commit_age_s=1.0, dispatch_age_s=1.0, durable=True, alive=True)


def read(records: Records | None = None, *, life: Life = WELL, nightly: tuple[str, ...] = ()) -> Read:
    """/metrics of a daemon of which that is known."""
    clock = Still()
    telemetry = Telemetry(clock)
    for name in nightly:
        telemetry.observe("nightly", name)
    store: Any = records or Records()
    metrics = Metrics(
        store=store, clock=clock, measures=Measures(registry), telemetry=telemetry, life=lambda: life,
        drills=dict, version="0.1.0",
    )  # fmt: skip
    return Read(asyncio.run(metrics.render()))


def test_a_drill_is_never_counted_among_what_is_real():
    now = read(Records(incidents=(incident(1), incident(2, mode=Mode.DRILL, token="18"))))

    assert now.value("alertd_incidents_open", mode="drill") == 1, "promise 3: a drill shows as something else"
    assert now.value("alertd_incidents_open", mode="live") == 1


def test_only_troubles_that_may_hide_a_press_ring():
    troubles = (
        Trouble(site_id=DISTRICT, key="nightly:backup", summary="s", raised_us=1),
        Trouble(site_id=DISTRICT, key="disk:full", summary="s", raised_us=1, rings=True),
    )
    now = read(Records(troubles=troubles))

    assert now.value("alertd_troubles", family="nightly", rings="false") == 1
    assert math.isnan(now.value("alertd_troubles", family="nightly", rings="true"))
    assert now.value("alertd_troubles", family="disk", rings="true") == 1


@pytest.mark.parametrize(("alive", "durable"), [(False, True), (False, False)])
def test_a_broker_that_is_away_is_no_disk_that_fails(alive, durable):
    now = read(life=replace(WELL, alive=alive, durable=durable))

    assert now.value("alertd_alive") == alive
    assert now.value("alertd_disk_durable") == durable


def test_a_night_that_failed_is_no_good_one():
    now = read(nightly=("backup_failed", "self-test_failed", "self-test_good"))

    assert now.families["alertd_nightly_last_good_timestamp_seconds"].samples[0].labels == {"task": "self-test"}
    assert math.isnan(now.value("alertd_nightly_last_good_timestamp_seconds", task="backup"))
    assert len(now.families["alertd_nightly_last_good_timestamp_seconds"].samples) == 1


def test_a_clock_that_was_set_back_makes_nothing_younger_than_new():
    assert read(Records(oldest_us=NOW_US + 5_000_000)).value("alertd_outbox_oldest_seconds", channel="sms") == 0
    assert read(Records(oldest_us=NOW_US - 5_000_000)).value("alertd_outbox_oldest_seconds", channel="sms") == 5


def test_a_press_that_leaves_two_journal_entries_is_one():
    entries = tuple(
        Entry(kind=EntryKind.PRESS, reason=reason, text="", data={"device": "badge-204"})
        for reason in (Reason.MERGED_REPEAT, Reason.NEWS)
    )
    measures = Measures(registry)
    measures.committed(Decision(entries=entries))
    assert measures.presses == {("oak", "none", "merged_repeat"): 1}


# --- the alert rules


def rules() -> list[dict[str, Any]]:
    found = yaml.safe_load(RULES.read_text())
    assert set(found) == {"groups"}
    return [rule for group in found["groups"] for rule in group["rules"]]


def test_every_rule_says_what_is_wrong_and_what_to_do():
    names = [rule["alert"] for rule in rules()]
    assert len(names) == len(set(names)) >= 10
    for rule in rules():
        assert set(rule) <= {"alert", "expr", "for", "labels", "annotations"}, rule["alert"]
        assert rule["labels"]["severity"] in ("page", "ticket")
        assert set(rule["annotations"]) == {"summary", "remedy"}
        assert re.fullmatch(r"\d+[smhd]", rule.get("for", "0s"))
        assert rule["expr"].count("(") == rule["expr"].count(")")


def test_rules_ask_only_for_what_is_measured():
    page = (REPOSITORY / "docs" / "metrics.md").read_text()
    for rule in rules():
        for name in re.findall(r"\balertd_\w+", rule["expr"]):
            assert f"`{re.sub('_bucket$', '', name)}" in page, f"{rule['alert']} asks for {name}"


def test_promtool_takes_the_rules():
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not installed (Debian: prometheus): only the shape of the rules was checked")
    done = subprocess.run([promtool, "check", "rules", RULES], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
