"""What a drill's report says of what went wrong: it names everything, and nothing sounds better known than it is."""

import csv
import io

import pytest
from msgspec.structs import replace

from alertd.model.events import DrillFound
from alertd.model.ids import CauseId
from alertd.model.incident import Incident
from alertd.model.notification import Kind, NotificationState
from alertd.model.outcome import Accepted, Delivered, Failed
from tests.cli.conftest import Shell
from tests.console.fake_daemon import FakeDaemon
from tests.engine.school import OAK

START = ("drill", "start", "oak", "--device", "badge-204", "--device", "badge-118", "--told", "J. Doe", "--by", "ruiz")


def journal_all(daemon: FakeDaemon) -> None:
    """What the engine decides without the door is in the journal, too."""

    def journalled(event, do=daemon.oak.do):
        decision = do(event)
        for entry in decision.entries:
            daemon.keep(entry)
        return decision

    daemon.oak.do = journalled  # type: ignore[method-assign]


@pytest.fixture
def begun(shell: Shell, daemon: FakeDaemon) -> FakeDaemon:
    assert shell.run(*START).code == 0
    journal_all(daemon)
    return daemon


def report(shell: Shell):
    return shell.run("drill", "report", "oak", "--json").json


def who(lines) -> set[str]:
    return {line["who"] for line in lines}


def test_the_time_in_which_alertd_was_away_is_in_status_report_and_table(shell, begun, tmp_path):
    begun.oak.wait(60)
    begun.oak.press("badge-204", 8)
    begun.oak.wait(30)
    begun.oak.restart()
    found = report(shell)
    (away,) = found["aways"]

    assert (away["until_us"] - away["since_us"]) / 1e6 == pytest.approx(30, abs=1)
    told = f"between {away['since_local']} and {away['until_local']}"
    assert told in shell.run("drill", "status").out
    assert away["since_local"] in shell.run("drill", "report", "oak").out
    table, page = tmp_path / "t.csv", tmp_path / "p.html"
    shell.run("drill", "report", "oak", "--csv", str(table), "--html", str(page))
    rows = list(csv.DictReader(io.StringIO(table.read_text(encoding="utf-8"))))
    assert away["since"] in next(row for row in rows if row["what"] == "alertd was away")["known"]
    assert away["since_local"] in page.read_text(encoding="utf-8")


def test_a_restart_that_something_real_overtook_is_in_the_report_all_the_same(shell, begun):
    drill_id = begun.oak.state.drill.id
    begun.oak.press("wall-gym", 1)
    begun.oak.wait(5)
    begun.oak.do(DrillFound(site_id=OAK, cause=CauseId("start"), drill_id=drill_id, started_us=begun.oak.now_us))
    assert len(report(shell)["aways"]) == 1


def test_a_phone_that_opted_out_before_is_named_though_it_was_never_written_to(shell, daemon):
    daemon.oak.opted_out = {daemon.school.people["chen"].endpoints[0].key}
    journal_all(daemon)
    shell.run(*START)
    assert "Chen" in who(report(shell)["notices_missed"]), "whoever could not be told that it begins is left out"


def test_people_without_any_way_to_reach_them_are_named(shell, daemon):
    chen = replace(daemon.school.people["chen"], endpoints=())
    daemon.school = replace(daemon.school, people=daemon.school.people | {"chen": chen})
    daemon.oak.registry = daemon.school
    shell.run(*START)
    assert "Chen has no endpoint" in report(shell)["no_way"]
    assert "Chen has no endpoint" in shell.run("drill", "report", "oak").out


def test_what_the_end_took_back_is_named_for_nobody_ever_read_it(shell, begun, tmp_path):
    begun.oak.press("badge-204", 8)
    shell.run("drill", "end", "oak", "--by", "ruiz")
    (incident,) = report(shell)["incidents"]
    page = tmp_path / "p.html"
    shell.run("drill", "report", "oak", "--html", str(page))

    assert who(incident["taken_back"]) >= {"Ruiz", "Chen"}
    assert not who(incident["missed"]) & {"Ruiz", "Chen"}
    assert "Taken back before it got through" in page.read_text(encoding="utf-8")
    assert "Taken back before it got through" in shell.run("drill", "report", "oak").out


def test_what_took_long_is_named(shell, begun):
    begun.oak.press("badge-204", 8)
    rows = {r.notification.recipient: r for r in begun.oak.rows.values() if r.notification.kind is Kind.ALERT}
    for name, after_s in (("Ruiz", 2), ("Chen", 38)):
        begun.oak.wait(after_s)
        begun.oak.outcome(begun.oak.claim(rows[name]), Delivered(ref=f"SM-{name}"))
    (incident,) = report(shell)["incidents"]
    late = {line["who"]: line["took_s"] for line in incident["late"]}

    assert late == {"Chen": pytest.approx(40, abs=1)}
    assert "Chen over sms: alert, it reached the phone or the server, after 40 s" in shell.run(
        "drill", "report", "oak"
    ).out.replace("\n", " ")


def test_what_failed_and_what_nobody_knows_are_told_apart(shell, begun):
    rows = {r.notification.recipient: r for r in begun.oak.rows.values() if r.notification.kind is Kind.DRILL_BEGINS}
    begun.oak.outcome(begun.oak.claim(rows["Ruiz"]), Accepted(ref="SM1"))
    begun.oak.outcome(begun.oak.claim(rows["Chen"]), Failed(permanent=True, code="30005", detail="no such phone"))
    begun.oak.outcome(begun.oak.claim(rows["Diaz"]), Delivered(ref="SM2"))
    found = report(shell)
    missed = {line["who"]: line for line in found["notices_missed"]}

    assert found["told_it_begins"] == 1, "what a provider took is not what a phone has"
    assert missed["Ruiz"]["not_known"] == "whether it has reached anything"
    assert missed["Chen"]["not_known"] is None
    assert "Diaz" not in missed
    assert missed["Ruiz"]["taken_s"] is not None


def test_a_device_that_nobody_pressed_and_two_of_one_name_are_named(shell, begun):
    begun.oak.press("badge-204", 8)
    found = report(shell)
    assert [name.partition("(")[2] for name in found["not_pressed"]] == ["badge-118)"]
    begun.oak.press("badge-118", 8)
    found = report(shell)
    assert found["not_pressed"] == []
    assert len(found["incidents"][0]["presses"]) == len(found["incidents"][0]["devices"]) == 2


def test_two_rooms_with_a_wall_button_each_are_two(shell, begun):
    begun.oak.press("badge-204", 8)
    begun.oak.press("badge-118", 8)
    incident: Incident = begun.oak.incident
    same = tuple(replace(press, device_label="wall button") for press in incident.presses)
    begun.oak.state.incidents[incident.id] = replace(incident, presses=same)
    assert len(report(shell)["incidents"][0]["devices"]) == 2


def test_a_press_that_waited_at_the_broker_is_no_measurement(shell, begun):
    begun.oak.press("badge-204", 8)
    incident: Incident = begun.oak.incident
    (press,) = incident.presses
    waited = replace(press, waited_since_us=press.received_us - 40_000_000)
    begun.oak.state.incidents[incident.id] = replace(incident, presses=(waited,))
    (line,) = report(shell)["incidents"][0]["presses"]

    assert line["waited_since_local"] != line["heard_local"]
    said = shell.run("drill", "report", "oak").out
    assert f"nobody knows when, after {line['waited_since_local']}: it waited at the broker" in said


def test_who_is_not_known_to_have_read_that_it_is_real_is_named(shell, begun):
    begun.oak.press("wall-gym", 1)
    real = [r for r in begun.oak.rows.values() if r.notification.text.startswith("DRILL STOPPED")]
    assert real
    for row in real:
        if row.notification.recipient != "Chen" and row.state is NotificationState.QUEUED:
            begun.oak.outcome(begun.oak.claim(row), Delivered(ref=f"SM-{row.notification.id}"))
    said = shell.run("drill", "report", "oak").out
    assert who(report(shell)["real_missed"]) == {"Chen"}
    assert "Not known to have heard that it was real" in said


def test_a_drill_without_a_flaw_says_so(shell, begun):
    for row in list(begun.oak.rows.values()):
        begun.oak.outcome(begun.oak.claim(row), Delivered(ref=f"SM-{row.notification.id}"))
    shell.run("drill", "end", "oak", "--by", "ruiz")
    for row in [r for r in begun.oak.rows.values() if r.state is NotificationState.QUEUED]:
        begun.oak.outcome(begun.oak.claim(row), Delivered(ref=f"SM-{row.notification.id}"))
    said = shell.run("drill", "report", "oak").out
    assert "Everything that was to be said is known to have got through in time." in said
