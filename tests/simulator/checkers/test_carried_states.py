"""A state that is still said elsewhere after a human ended its incident: few are told, and nothing begins anew."""

import pytest
from msgspec.structs import replace

from alertd.model.events import Lasting, Pressed, ResolveOrdered, Signal
from alertd.model.ids import CauseId, DeviceId, IncidentId, PersonId
from alertd.model.incident import EscalationState, IncidentState, Location
from alertd.model.notification import Kind, NotificationRow
from alertd.model.people import Endpoint
from alertd.model.reason import Reason
from alertd_simulator.checkers.lasting import LastingStates
from alertd_simulator.checkers.news import FurtherRoom
from tests.engine.school import OAK
from tests.simulator.checkers.story import WALL_US, S, Story, press, pressed, text, told

STAFF = "+12025550110"
OVER = {"state": IncidentState.RELEASING, "escalation": EscalationState.STOPPED}
ANEW = {"state": IncidentState.ACTIVE, "escalation": EscalationState.RUNNING}
WALKER = press("walker", location=Location(zone_id=None, label="UNKNOWN", short="UNKNOWN", source="unknown"))
ELSEWHERE = press("walker", "118")


def says(at_s: int, heard_by: str | None = None) -> Pressed:
    signal = Signal(
        device_id=DeviceId("walker"),
        action="hold",
        lasting=Lasting(repeats_s=600),
        heard_by=DeviceId(heard_by) if heard_by else None,
    )
    at_us = WALL_US + at_s * S
    return pressed(cause=CauseId(f"state-{at_s}"), received_us=at_us, oldest_us=at_us, signal=signal)


def to_ruiz(kind: Kind) -> NotificationRow:
    return text("n-2", kind=kind, reason=Reason.STILL_ON)


def to_staff(kind: Kind) -> NotificationRow:
    endpoint = Endpoint(channel="sms", address=STAFF, person_id=PersonId("okafor"))
    return text("n-3", kind=kind, reason=Reason.NEWS, endpoint=endpoint, recipient="Okafor")


@pytest.mark.parametrize(
    ("at_s", "rows", "changes", "wrong"),
    [
        (60, (to_ruiz(Kind.UPDATE),), OVER, []),
        (60, (), OVER, ["walker also pressed", "ruiz is not told"]),
        (60, (to_ruiz(Kind.ALSO), to_staff(Kind.ALSO)), ANEW, ["says again what it said before", "is anew"]),
        (700, (to_ruiz(Kind.ALSO), to_staff(Kind.ALSO)), ANEW, []),
        (700, (to_ruiz(Kind.UPDATE),), OVER, ["says hold anew", "stays over"]),
    ],
    ids=["told to those who go", "told to nobody", "begun anew", "pressed again", "pressed again, and told to few"],
)
def test_what_becomes_of_it(at_s, rows, changes, wrong) -> None:
    staff = replace(told("okafor", STAFF), words="staff")
    story = Story(FurtherRoom, LastingStates).start()
    story.opened(text(), to_staff(Kind.ALERT), told=(told(), staff), presses=(WALKER,)).at(1)
    story.changed(says(1), to_ruiz(Kind.ALSO), to_staff(Kind.ALSO)).at(30)
    resolved = ResolveOrdered(site_id=OAK, cause=CauseId("resolved"), incident_id=IncidentId("i-1"), by="J. Ruiz")
    story.changed(resolved, **OVER).at(at_s)
    assert story.violations == []
    story.changed(says(at_s, "gw-oak"), *rows, presses=(WALKER, ELSEWHERE), **changes)
    (said,) = story.violations or [""]
    assert all(words in said for words in wrong), said
    assert bool(said) is bool(wrong)
