"""Who hears of a trouble: those whom the policy means, and everybody where none of those can be told (req 56, 70)."""

from msgspec.structs import replace

from alertd.model.events import TroubleRaised
from alertd.model.ids import DISTRICT, PersonId
from alertd.model.notification import NotificationState
from alertd.model.people import Endpoint, PersonKind
from alertd.model.policy import Step
from tests.engine.play import Play
from tests.engine.school import OAK, PEOPLE, group, policy, registry

TECHNICIANS = policy("trouble", Step(targets=(group("second"),)))
"""The nurse is the only technician."""


def school_of_one_technician() -> Play:
    return Play(registry(TECHNICIANS))


def dies(play: Play, key: str = "gateway:gw-oak") -> set[str]:
    """Something breaks; the names of those who are told."""
    play.do(TroubleRaised(site_id=OAK, key=key, summary="gone"))
    return told(play, key)


def told(play: Play, key: str) -> set[str]:
    rows = [row for row in play.rows.values() if row.notification.trouble_key == key]
    return {row.notification.recipient for row in rows if row.state is not NotificationState.SUPPRESSED}


def opts_out(play: Play, name: str) -> None:
    play.reply(name, "STOP")


def test_a_trouble_is_told_to_those_whom_the_policy_names() -> None:
    assert dies(school_of_one_technician()) == {"Nurse"}


def test_everybody_hears_of_a_trouble_once_the_only_technician_has_opted_out() -> None:
    play = school_of_one_technician()
    opts_out(play, "Nurse")
    heard = dies(play)
    assert {"Ruiz", "Okafor"} <= heard, "req 56: a trouble was told to nobody, for its only technician had opted out"
    assert "Nurse" not in heard, "a carrier refuses it"


def test_that_the_only_technician_has_opted_out_is_told_to_those_who_can_be_told() -> None:
    play = school_of_one_technician()
    opts_out(play, "Nurse")
    (key,) = (key for key in play.state.troubles if key.startswith("opted_out:"))
    heard = told(play, key)
    assert "Ruiz" in heard, "req 56: that the only technician has opted out was told to the technician alone"
    assert "Nurse" not in heard


def test_who_can_be_told_in_another_way_is_told_so_and_nobody_else_is() -> None:
    other = Endpoint(channel="sms", address="+12025550199", person_id=PersonId("nurse"))
    people = tuple(replace(p, endpoints=(*p.endpoints, other)) if p.name == "Nurse" else p for p in PEOPLE)
    play = Play(registry(TECHNICIANS, people=people))
    opts_out(play, "Nurse")
    assert dies(play) == {"Nurse"}


def district_of_one() -> Play:
    """The technician is the only person of the district itself."""
    people = tuple(replace(p, groups=("technicians",)) if p.name == "Super" else p for p in PEOPLE)
    return Play(registry(policy("trouble", Step(targets=(group("technicians"),))), people=people), site_id=DISTRICT)


def test_where_the_only_person_of_the_district_has_opted_out_responders_of_all_schools_are_told() -> None:
    play = district_of_one()
    play.do(TroubleRaised(site_id=DISTRICT, key="disk", summary="full"))
    assert told(play, "disk") == {"Super"}
    opts_out(play, "Super")
    (key,) = (key for key in play.state.troubles if key.startswith("opted_out:"))
    play.do(TroubleRaised(site_id=DISTRICT, key="broker:mqtt", summary="gone"))
    responders = {p.name for p in PEOPLE if p.kind is PersonKind.RESPONDER and p.name != "Super"}

    assert {"Ruiz", "Elmer"} <= responders
    assert told(play, key) == responders, "req 56: that the only technician has opted out reached nobody"
    assert told(play, "broker:mqtt") == responders, "req 56: the broker is gone, and nobody is told"


def test_a_school_whose_people_have_all_opted_out_keeps_its_troubles_to_itself() -> None:
    play = school_of_one_technician()
    for person in PEOPLE:
        if OAK in person.sites:
            opts_out(play, person.name)
    assert dies(play) == set(), "promise 6: nobody of another school, and the district only where a school has nobody"
