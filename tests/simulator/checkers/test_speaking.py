"""The broker's users: who presses with whose password, and whom the access list keeps away."""

import pytest
from msgspec.structs import replace

from alertd.model.ids import DeviceId
from alertd.model.incident import IncidentClass
from alertd_simulator.access_list import AccessList
from alertd_simulator.checkers.judge import Judge
from alertd_simulator.checkers.speaking import OwnVoice
from alertd_simulator.world.happenings import Published, Refused, Truth
from tests.simulator.checkers.story import PLAN, SCHOOL

LIST = """# remarks
user east
topic readwrite east/#

user button-204
topic read alertd/feedback/button-204
topic write alertd/press/button-204

user gw-1
topic write alertd/press/badge-1
topic write alertd/press/badge-2
"""


def _accused(*happenings: object) -> list[str]:
    judge = Judge(SCHOOL, PLAN, checkers=[OwnVoice])
    for happening in happenings:
        judge.see(happening)  # type: ignore[arg-type]
    return [violation.message for violation in judge.violations]


def _published(user: str, topic: str) -> Published:
    return Published(at_us=1, number=1, topic=topic, payload=b"{}", qos=1, retain=False, truth=None, user=user)


def test_an_access_list_is_read_as_the_broker_reads_it():
    access = AccessList(LIST)
    assert access.sayers("alertd/press/button-204") == ("button-204",)
    assert access.sayers("alertd/press/badge-2") == ("gw-1",)
    assert access.sayers("east/button") == ("east",)
    assert access.sayers("alertd/feedback/button-204") == (), "to read is not to write"


@pytest.mark.parametrize(
    ("user", "pressed", "is_accused"),
    [
        ("badge-204", "badge-204", False),
        ("badge-204", "badge-118", True),
        ("vape-wc", "badge-204", True),
        ("vape-wc", "vape-wc", True),
        ("gw-oak", "walker", False),
        ("gw-elm", "walker", False),
        ("gw-oak", "badge-204", True),
        ("zigbee2mqtt", "badge-204", False),
        ("", "badge-204", False),
    ],
)
def test_nobody_presses_with_anothers_password(user: str, pressed: str, is_accused: bool):
    assert bool(_accused(_published(user, f"alertd/press/{pressed}"))) is is_accused
    assert not _accused(_published(user, f"alertd/telemetry/{pressed}"))


def test_a_gateway_presses_for_no_wearable_of_another_school():
    walker = replace(SCHOOL.devices[DeviceId("walker")], roaming_sites=())
    school = replace(SCHOOL, devices={**SCHOOL.devices, walker.id: walker})
    judge = Judge(school, PLAN, checkers=[OwnVoice])
    judge.see(_published("gw-oak", "alertd/press/walker"))
    assert not judge.violations
    judge.see(_published("gw-elm", "alertd/press/walker"))
    assert judge.violations


def test_a_press_that_the_access_list_keeps_away_is_one_too_many():
    device = SCHOOL.devices[DeviceId("badge-204")]
    truth = Truth(
        press="p",
        device_id=device.id,
        site_id=device.site_id,
        zone_id=None,
        incident_class=IncidentClass.LOCKDOWN,
        count=8,
        pressed_us=0,
        has_identity=True,
    )
    topic = "alertd/press/badge-204"
    assert not _accused(Refused(at_us=1, topic=topic, truth=truth)), "the broker was down"
    assert _accused(Refused(at_us=1, topic=topic, truth=truth, forbidden=True))
    assert not _accused(Refused(at_us=1, topic=topic, truth=None, forbidden=True)), "nobody pressed"
