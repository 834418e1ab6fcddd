"""The internet is cut and then the power in the middle of a drill: what its report says was missed is complete."""

from pathlib import Path

import pytest

from alertd.console.drilling.report import incident_report
from alertd.model.ids import NotificationId
from alertd.model.incident import Incident
from alertd.model.mode import Mode
from alertd.model.notification import Kind, NotificationRow, NotificationState
from alertd.ports import JournalLine
from alertd_simulator.scenario.playing import play
from alertd_simulator.scenario.reading import parse_scenario
from alertd_simulator.world.happenings import Committed, Happening, Moved, TextSeen

DISTRICT = Path(__file__).parent / "district"
STORY = """
proves promise 3
site oak
0:00   principal begins a drill of lockdown with button-204, for 15 min
0:58   uplink cut for {cut}
1:00   press button-204 held down
1:20   power cut, start 20 s later
expect no dispatch
allow  text everyone of oak "DRILL"
allow  text technician "trouble"
allow  loudspeakers say "Lockdown"
ends 12:00
"""


def stored(happenings: tuple[Happening, ...]) -> tuple[list[Incident], list[NotificationRow], list[JournalLine]]:
    """What was committed, in its last standing: what the console would read."""
    incidents: dict[str, Incident] = {}
    rows: dict[NotificationId, NotificationRow] = {}
    states: dict[NotificationId, NotificationState] = {}
    lines: list[JournalLine] = []
    for happening in happenings:
        match happening:
            case Committed(decision=decision):
                incidents |= {incident.id: incident for incident in decision.incidents}
                for row in decision.notifications:
                    rows.setdefault(row.notification.id, row)
                for entry in decision.entries:
                    at_us = rows[entry.notification_id].notification.created_us if entry.notification_id in rows else 0
                    line = JournalLine(site_id=happening.event.site_id, sequence=0, at_us=at_us, entry=entry, hash="")
                    lines.append(line)
            case Moved(notification_id=id_, after=after):
                states[id_] = after
            case _:
                pass
    current = [
        NotificationRow(notification=row.notification, state=states.get(id_, row.state), reason=row.reason)
        for id_, row in rows.items()
    ]
    return list(incidents.values()), current, lines


@pytest.mark.slow
@pytest.mark.parametrize(("cut", "some_missed"), [("80 s", False), ("8 min", True)])
def test_whoever_a_drill_did_not_reach_is_in_its_report(cut: str, some_missed: bool) -> None:
    played = play(parse_scenario(STORY.format(cut=cut), "story.txt", DISTRICT))
    happenings = played.verdict.happenings
    incidents, rows, journal = stored(happenings)
    (incident,) = (i for i in incidents if i.mode is Mode.DRILL)
    mine = [row for row in rows if row.notification.incident_id == incident.id]
    report = incident_report(incident, mine, journal, "10:43")

    assert not played.complaints
    seen = {happening.notification_id for happening in happenings if isinstance(happening, TextSeen)}
    unseen = {
        (row.notification.recipient, row.notification.text)
        for row in mine
        if row.notification.id not in seen
        and row.notification.kind is not Kind.PAGE
        and not row.notification.endpoint.dispatch
        and row.state is not NotificationState.WITHDRAWN
    }
    missed = {(message.who, message.text) for message in report.missed}
    assert unseen <= missed, f"a phone never rang, and the report does not say so: {unseen - missed}"
    assert bool(unseen) is some_missed
    assert report.blocked == ("county-dispatch",)
