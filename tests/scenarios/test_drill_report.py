"""The internet is cut, and then the power, in the middle of a drill: what its report says was missed is complete, and
what it measures is what happened in the world."""

from datetime import datetime
from pathlib import Path

import pytest
from msgspec import Struct

from alertd.console.drilling.incidents import IncidentReport, incident_report
from alertd.model.ids import NotificationId
from alertd.model.incident import Incident
from alertd.model.mode import Mode
from alertd.model.notification import Kind, NotificationRow, NotificationState
from alertd.ports import JournalLine
from alertd_simulator.scenario.playing import play
from alertd_simulator.scenario.reading import parse_scenario
from alertd_simulator.world.happenings import Attempted, Committed, Happening, Moved, TextSeen
from alertd_simulator.world.plan import Plan

DISTRICT = Path(__file__).parent / "district"
STORY = """
proves promise 3
site oak
0:00   principal begins a drill of lockdown with button-204, for {minutes} min
{fault}
1:00   press button-204 held down
{power}
expect no dispatch
allow  text everyone of oak "DRILL"
allow  text technician "trouble"
allow  loudspeakers say "Lockdown"
ends 12:00
"""
POWER = "1:20   power cut, start 20 s later"
ALERTS = frozenset({Kind.ALERT, Kind.ALSO, Kind.REMINDER, Kind.EXHAUSTED})


def begins_us(plan: Plan) -> int:
    return round(datetime.fromisoformat(plan.begins).timestamp() * 1e6)


def stored(
    plan: Plan, happenings: tuple[Happening, ...]
) -> tuple[list[Incident], list[NotificationRow], list[JournalLine]]:
    """What was committed, in its last standing: what the console would read."""
    incidents: dict[str, Incident] = {}
    rows: dict[NotificationId, NotificationRow] = {}
    states: dict[NotificationId, NotificationState] = {}
    lines: list[JournalLine] = []
    for happening in happenings:
        match happening:
            case Committed(decision=decision, at_us=at_us):
                incidents |= {incident.id: incident for incident in decision.incidents}
                for row in decision.notifications:
                    rows.setdefault(row.notification.id, row)
                for entry in decision.entries:
                    wall_us, site_id = begins_us(plan) + at_us, happening.event.site_id
                    lines.append(JournalLine(site_id=site_id, sequence=0, at_us=wall_us, entry=entry, hash=""))
            case Moved(notification_id=id_, after=after):
                states[id_] = after
            case _:
                pass
    current = [
        NotificationRow(notification=row.notification, state=states.get(id_, row.state), reason=row.reason)
        for id_, row in rows.items()
    ]
    return list(incidents.values()), current, lines


class Drilled(Struct, frozen=True, kw_only=True):
    """The drill's one incident: its report, its rows, and what happened in the world."""

    report: IncidentReport
    incident: Incident
    rows: list[NotificationRow]
    happenings: tuple[Happening, ...]
    begins_us: int

    def unseen(self) -> set[tuple[str, str]]:
        """Who never saw which text: what phones say, and nothing of what alertd does."""
        seen = {happening.notification_id for happening in self.happenings if isinstance(happening, TextSeen)}
        people = (row.notification for row in self.rows if row.notification.endpoint.person_id is not None)
        unseen = (n for n in people if n.kind in ALERTS and n.id not in seen)
        return {(n.recipient, n.text) for n in unseen}


def drilled(*, fault: str, power: str = "", minutes: int) -> Drilled:
    story = STORY.format(fault=fault, power=power, minutes=minutes)
    played = play(parse_scenario(story, "story.txt", DISTRICT))
    verdict = played.verdict
    assert not played.complaints
    incidents, rows, journal = stored(verdict.plan, verdict.happenings)
    (incident,) = (i for i in incidents if i.mode is Mode.DRILL)
    mine = [row for row in rows if row.notification.incident_id == incident.id]
    lines = [line for line in journal if line.entry is not None and line.entry.incident_id == incident.id]
    report = incident_report(incident, mine, lines, local=str)
    begun_us = begins_us(verdict.plan)
    return Drilled(report=report, incident=incident, rows=mine, happenings=verdict.happenings, begins_us=begun_us)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("cut", "power", "minutes", "some_missed"),
    [("80 s", POWER, 15, False), ("8 min", POWER, 15, True), ("8 min", "", 5, True)],
)
def test_whoever_a_drill_did_not_reach_is_in_its_report(cut: str, power: str, minutes: int, some_missed: bool) -> None:
    found = drilled(fault=f"0:58   uplink cut for {cut}", power=power, minutes=minutes)
    missed = {(message.who, message.text) for message in found.report.missed}
    unseen = found.unseen()

    assert unseen <= missed, f"a phone never rang, and the report does not say so: {unseen - missed}"
    assert bool(unseen) is some_missed
    assert found.report.blocked == ("county-dispatch",)


@pytest.mark.slow
@pytest.mark.parametrize("fault", ["", "0:50   disk slow for 60 s"])
def test_the_hops_of_a_drill_are_those_of_the_world(fault: str) -> None:
    """As the channels saw it: nothing leaves before the commit has returned, and on a slow disk that takes a while."""
    found = drilled(fault=fault, minutes=5)
    hops = {hop.what: hop.seconds for hop in found.report.hops}
    mine = {row.notification.id for row in found.rows}
    attempted = (happening for happening in found.happenings if isinstance(happening, Attempted))
    left_us = min(each.at_us for each in attempted if each.claim.notification.id in mine)
    heard_us = found.incident.presses[0].received_us - found.begins_us
    decided_s, on_disk_s = hops["taken up, and decided what follows"], hops["on disk, first message leaves"]

    assert on_disk_s == pytest.approx((left_us - heard_us) / 1e6, abs=0.001)
    assert decided_s is not None
    assert on_disk_s is not None
    if fault:
        assert on_disk_s > decided_s + 0.1, "the disk was slow, and the report does not show it"
