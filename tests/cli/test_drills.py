"""`alertd drill …` over a real socket: what it refuses, what it begins, and what it reports."""

import csv
import io
import json

import pytest
from msgspec.structs import replace

from alertd.model.ids import DeviceId, SiteId
from alertd.model.incident import AnswerKind
from alertd.model.mode import Mode
from alertd.model.notification import Kind, NotificationState
from alertd.model.outcome import Accepted, Delivered, Failed
from alertd.model.site import DeviceKind, Gestures

START = ("drill", "start", "oak", "--device", "badge-204", "--told", "J. Doe, dispatch", "--by", "ruiz")


def run_drill(oak):
    """A press in the drill: two phones ring, one text fails, one goes and is there, the others say nothing."""
    oak.press("badge-204", 8)
    rows = [r for r in list(oak.rows.values()) if r.notification.kind is Kind.ALERT]
    for row in rows:
        claimed = oak.claim(row)
        if row.notification.recipient == "Diaz":
            oak.outcome(claimed, Failed(permanent=True, code="30005", detail="no such phone"))
        else:
            oak.outcome(claimed, Accepted(ref="SM1"))
    oak.wait(2)
    ruiz = oak.rows[next(r.notification.id for r in rows if r.notification.recipient == "Ruiz")]
    oak.outcome(ruiz, Delivered(ref="SM1"))
    oak.wait(6)
    oak.answer("Ruiz", AnswerKind.GOING)
    oak.wait(60)
    oak.answer("Ruiz", AnswerKind.ARRIVED)


@pytest.fixture
def drilled(shell, daemon):
    """A drill that is over."""
    assert shell.run(*START).code == 0

    def journalled(event, do=daemon.oak.do):
        decision = do(event)
        for entry in decision.entries:
            daemon.keep(entry)
        return decision

    daemon.oak.do = journalled
    run_drill(daemon.oak)
    assert shell.run("drill", "end", "oak", "--by", "ruiz").code == 0
    return daemon.oak


def test_a_drill_begins_says_until_when_and_whom_it_told(shell, daemon):
    said = shell.run(*START, "--minutes", "20")

    assert said.code == 0
    assert "until 11:02" in said.out
    assert "Everything else is real and ends it." in said.out
    assert "Chen" in said.out
    assert daemon.oak.state.drill.by == "Ruiz"
    running = shell.run("drill", "status")
    assert "RUNNING, 20:00 min left" in running.out
    assert "told before: J. Doe, dispatch" in running.out


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (("--told", " "), "it is empty"),
        (("--told", ""), "call your dispatch centre, then say whom you told"),
        (("--minutes", "200"), "minutes"),
        (("--class", "vape"), "nothing that people drill"),
        (("--device", "badge-elm"), "belongs to elm, not to oak"),
        (("--device", "walker"), "walker may press at elm as well, and would be REAL there"),
        (("--device", "vape-wc"), "nobody can press it"),
        (("--person", "nobody"), "there is no person nobody"),
    ],
)
def test_a_drill_that_could_go_wrong_is_refused_in_words(shell, daemon, change, why):
    said = shell.run(*START, *change)

    assert said.code != 0
    assert why in said.err
    assert daemon.oak.state.drill is None
    assert not daemon.oak.rows


def test_no_drill_over_something_real_and_none_over_another(shell, daemon):
    daemon.oak.press("badge-118", 8)
    real = shell.run(*START)
    assert (real.code, "LOCKDOWN 10:42 is open" in real.err) == (1, True)
    daemon.oak.resolve(rooms_released=True)
    assert shell.run(*START).code == 0
    twice = shell.run(*START)
    assert (twice.code, "a drill runs at OAK ELEM already" in twice.err) == (1, True)


def test_whom_you_told_and_who_orders_it_must_be_said(shell, daemon):
    assert shell.run("drill", "start", "oak", "--device", "badge-204", "--by", "ruiz").code == 2
    assert shell.run("drill", "start", "oak", "--device", "badge-204", "--told", "J. Doe").code == 2
    assert not daemon.oak.rows


def test_ending_what_does_not_run_is_refused(shell, daemon):
    said = shell.run("drill", "end", "oak", "--by", "ruiz")
    assert (said.code, "no drill runs at oak" in said.err) == (1, True)


def test_the_same_order_twice_is_one_drill(shell, daemon):
    assert shell.run(*START, "--key", "k1").code == 0
    rows = len(daemon.oak.rows)
    again = shell.run(*START, "--key", "k1")
    assert again.code == 0
    assert len(daemon.oak.rows) == rows


def test_an_order_that_comes_again_after_its_drill_says_that_a_press_is_real(shell, daemon):
    assert shell.run(*START, "--key", "k1").code == 0
    assert shell.run("drill", "end", "oak", "--by", "ruiz").code == 0
    again = shell.run(*START, "--key", "k1")
    assert again.code == 1
    assert "this drill is over since 10:42: whatever is pressed now is REAL" in again.err
    assert "is an exercise" not in again.out + again.err, "whoever believes it presses live"


def test_a_press_of_a_participant_is_called_what_it_is(shell, daemon):
    assert shell.run(*START).code == 0
    first = shell.run("press", "badge-204", "--count", "8", "--yes")
    assert (first.code, "Committed, DRILL: OAK ELEM Rm 204 LOCKDOWN DRILL" in first.out) == (0, True), first.out
    live = json.loads(shell.run("press", "badge-118", "--count", "8", "--yes", "--json").out)
    assert live["mode"] == "live"
    assert "Committed, LIVE: OAK ELEM Rm 118 LOCKDOWN 10:42" in live["words"]


def test_ending_ends_the_drill_that_runs_and_not_one_that_is_over(shell, daemon):
    assert shell.run(*START).code == 0
    assert shell.run("drill", "end", "oak", "--by", "ruiz").code == 0
    daemon.oak.now_us += 60_000_000
    assert shell.run(*START).code == 0
    second = daemon.oak.state.drill
    assert shell.run("drill", "end", "oak", "--by", "ruiz").code == 0
    assert not daemon.oak.drills[second.id].is_running
    third = shell.run("drill", "end", "oak", "--by", "ruiz")
    assert (third.code, "no drill runs at oak; the last one ended 10:43" in third.err) == (1, True), third.err


def test_notices_of_each_restart_are_among_those_that_the_report_looks_at(shell, daemon):
    assert shell.run(*START).code == 0
    for _ in range(2):
        daemon.oak.wait(60)
        daemon.oak.restart()
    goes_on = [r.notification.id for r in daemon.oak.rows.values() if r.notification.kind is Kind.DRILL_GOES_ON]
    assert len(goes_on) == 10
    for row in [daemon.oak.rows[id_] for id_ in goes_on]:
        daemon.oak.outcome(daemon.oak.claim(row), Failed(permanent=True, code="30005", detail="no such phone"))
    (view,) = json.loads(shell.run("drill", "status", "--json").out)["drills"]
    assert view["missed"] >= len(goes_on), "what was lost of a second restart is not counted"


def test_the_report_says_who_answered_who_never_did_what_failed_and_what_was_blocked(shell, drilled):
    report = json.loads(shell.run("drill", "report", "oak", "--json").out)
    (incident,) = report["incidents"]
    people = {person["name"]: person for person in incident["people"]}
    hops = {hop["what"]: hop["seconds"] for hop in incident["hops"]}

    assert report["drill"]["told_before"] == "J. Doe, dispatch"
    assert people["Ruiz"]["delivered_s"] == pytest.approx(2, abs=0.1)
    assert people["Ruiz"]["answered_s"] == pytest.approx(8, abs=0.1)
    assert people["Ruiz"]["arrived_s"] == pytest.approx(68, abs=0.1)
    assert people["Chen"]["taken_s"] is not None
    assert people["Chen"]["delivered_s"] is None, "a text that was taken is not one that arrived"
    assert "Chen" in incident["never_answered"]
    assert "Diaz" not in incident["never_answered"], "Diaz was told to do as trained, not to come"
    assert "Diaz" in {message["who"] for message in incident["missed"]}
    assert incident["blocked"] == ["psap"]
    assert hops["first phone rang"] == pytest.approx(2, abs=0.1)
    assert hops["first human is there"] == pytest.approx(68, abs=0.1)


def test_whatever_nobody_reported_delivered_is_listed_as_missed(shell, drilled):
    report = json.loads(shell.run("drill", "report", "oak", "--json").out)
    listed = {(m["who"], m["kind"]) for i in report["incidents"] for m in i["missed"]}
    undelivered = {
        r.notification.recipient
        for r in drilled.rows.values()
        if r.notification.mode is Mode.DRILL
        and r.notification.kind is Kind.ALERT
        and r.state not in (NotificationState.DELIVERED, NotificationState.WITHDRAWN, NotificationState.SUPPRESSED)
    }
    assert undelivered <= {who for who, _ in listed}


def test_the_report_as_html_and_csv(shell, drilled, tmp_path):
    html, table = tmp_path / "drill.html", tmp_path / "drill.csv"
    said = shell.run("drill", "report", "oak", "--html", str(html), "--csv", str(table))

    assert said.code == 0
    assert "It names people" in said.out
    text = html.read_text(encoding="utf-8")
    assert "<script" not in text
    assert "http" not in text.replace('http-equiv="Content', "")
    assert "Blocked because it was a drill" in text
    assert "J. Doe, dispatch" in text
    assert "<svg" in text
    rows = list(csv.DictReader(io.StringIO(table.read_text(encoding="utf-8"))))
    assert {row["what"] for row in rows} >= {"message", "person", "blocked because it was a drill"}
    ruiz = next(row for row in rows if row["what"] == "person" and row["who"] == "Ruiz")
    assert float(ruiz["answered_s"]) == pytest.approx(8, abs=0.1)
    assert "+1202" not in table.read_text(encoding="utf-8"), "req 100: a whole phone number"


def test_the_report_of_a_drill_that_was_real_says_so(shell, daemon):
    shell.run(*START)
    daemon.oak.press("badge-118", 8)
    said = shell.run("drill", "report", "oak")
    assert "STOPPED by something real: OAK ELEM Rm 118 LOCKDOWN 10:42" in said.out


def test_a_name_that_looks_like_markup_or_a_formula_is_a_name(shell, daemon, tmp_path):
    html, table = tmp_path / "drill.html", tmp_path / "drill.csv"
    shell.run("drill", "start", "oak", "--device", "badge-204", "--told", "=1+1 <b>x</b>", "--by", "ruiz")
    shell.run("drill", "end", "oak", "--by", "ruiz")
    shell.run("drill", "report", "oak", "--html", str(html), "--csv", str(table))
    assert "<b>" not in html.read_text(encoding="utf-8")


def test_a_drill_that_never_was_is_unknown(shell, daemon):
    said = shell.run("drill", "report", "drill-0")
    assert (said.code, "there is no drill" in said.err) == (1, True)


# --- the technical self-test ----------------------------------------------------------------------------------------


def test_the_self_test_of_a_site_wakes_nobody_and_says_what_it_cannot_show(shell, daemon):
    said = shell.run("test", "site", "oak", "--wait", "0", "--json")
    answer = json.loads(said.out)
    presses = {press["device"]: press for press in answer["presses"]}

    assert presses["Okafor badge (badge-204)"]["incident_class"] == "lockdown"
    assert presses["Okafor badge (badge-204)"]["people"] == 5
    assert presses["wall button (wall-gym)"]["incident_class"] == "medical"
    assert not any(press["problem"] for press in answer["presses"])
    assert "No phone rang" in answer["cannot_say"]
    rows = [row.notification for row in daemon.oak.rows.values()]
    assert {(n.mode, n.kind, n.recipient) for n in rows} == {
        (Mode.TEST, Kind.DISPATCH_HEARTBEAT, "psap"),
        (Mode.TEST, Kind.DISPATCH_HEARTBEAT, "monitoring"),
    }, "a self-test reached more than the machines it is for"
    assert not daemon.oak.state.incidents


def test_a_wearable_of_two_schools_is_pressed_where_it_is_at_home(shell, daemon):
    """The other school counts its press, too."""
    badge = next(device for device in daemon.school.devices.values() if device.kind is DeviceKind.WEARABLE)
    pendant = replace(badge, roaming_sites=(SiteId("elm"),), gestures=Gestures(id="pendant", presses={1: "medical"}))
    daemon.school = replace(daemon.school, devices={**daemon.school.devices, badge.id: pendant})
    said = json.loads(shell.run("test", "site", badge.site_id, "--wait", "0", "--json").out)

    problems = [press["problem"] for press in said["presses"] if f"({badge.id})" in press["device"]]
    assert problems == [""], "a good device is said to be broken"


def test_a_device_is_pressed_in_memory_by_a_word_that_it_can_say(shell, daemon):
    """A panic button whose profile knows one word; its gestures lock down at four presses, which it can never say."""
    daemon.says = {"badge-204": frozenset({"duress"})}
    said = shell.run("test", "site", "oak", "--wait", "0", "--json")
    (press,) = (each for each in json.loads(said.out)["presses"] if "(badge-204)" in each["device"])

    assert press["problem"].startswith('it would page nobody: it says "duress", which its gestures'), (
        "it is called well"
    )
    assert "write duress = the class that it calls for" in press["problem"]
    assert said.code == 1

    badge = daemon.school.devices[DeviceId("badge-204")]
    rules = replace(badge.gestures, actions={**badge.gestures.actions, "duress": "medical"})
    known = replace(badge, gestures=rules)
    daemon.school = replace(daemon.school, devices={**daemon.school.devices, badge.id: known})
    said = json.loads(shell.run("test", "site", "oak", "--wait", "0", "--json").out)
    (press,) = (each for each in said["presses"] if "(badge-204)" in each["device"])
    assert (press["incident_class"], press["problem"]) == ("medical", "")


def test_a_device_that_can_say_two_things_is_pressed_in_memory_for_the_graver(shell, daemon):
    badge = daemon.school.devices[DeviceId("badge-204")]
    both = replace(badge, gestures=Gestures(id="both", actions={"ill": "medical", "threat": "lockdown"}))
    daemon.school = replace(daemon.school, devices={**daemon.school.devices, badge.id: both})
    said = json.loads(shell.run("test", "site", "oak", "--wait", "0", "--json").out)
    (press,) = (each for each in said["presses"] if "(badge-204)" in each["device"])

    assert press["incident_class"] == "lockdown", "nobody knows whether a threat would page anybody"


def test_a_button_that_would_page_nobody_fails_the_self_test(shell, daemon):
    people = {id_: replace(person, endpoints=()) for id_, person in daemon.school.people.items()}
    daemon.school = replace(daemon.school, people=people)
    said = shell.run("test", "site", "oak", "--wait", "0")

    assert said.code == 1
    assert "press Okafor badge (badge-204), in memory:" in said.out
    assert "nobody" in said.out or "no person" in said.out
