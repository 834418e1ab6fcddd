"""A school or room that a list names must be one, or the import is refused: never the first that matches."""

import pytest

from alertd import lint
from alertd.exports.columns import DEVICES, PEOPLE
from alertd.exports.importing import Order, Prepared, prepare
from alertd.model.ids import DeviceId
from tests.config.conftest import School, school

__all__ = ["school"]

BUTTONS = "Serial Number,Type,School,Room\n"
GESTURES = {"gestures": "wall-button"}


def imported(school: School, text: str, table=DEVICES, **order: object) -> Prepared:
    path = school.directory.parent / "list.csv"
    path.write_text(text)
    return prepare(school.directory, table, path, Order(**order), lint.check)  # type: ignore[arg-type]


def two_rooms_101(school: School) -> None:
    school.replace("sites/oak.toml", 'label = "Rm 102, 1st fl East"\nshort = "Rm 102"', 'label = "Rm 101, Annex"')


def test_a_room_that_could_be_two_is_refused_with_both(school) -> None:
    two_rooms_101(school)
    plan = imported(school, BUTTONS + "wb-8,Button,oak,Office\nwb-9,Button,oak,Rm 101\n", defaults=GESTURES)

    assert not plan.is_allowed
    (problem,) = plan.problems
    assert (problem.file, problem.line, problem.key) == ("list.csv", 3, "zone")
    assert problem.message == '"Rm 101" at oak could be rm-101 (Rm 101, 1st fl East) or rm-102 (Rm 101, Annex)'
    assert "rm-101" in problem.remedy


@pytest.mark.slow
def test_its_own_id_says_which(school) -> None:
    plan = imported(school, BUTTONS + "wb-9,Button,oak,rm-102\n", defaults=GESTURES)

    assert plan.merged is not None
    assert plan.merged.changes[0].cells["zone"] == ("", "rm-102")


@pytest.mark.slow
def test_an_id_means_itself_whatever_others_are_called(school) -> None:
    school.replace("sites/elm.toml", 'short = "ELM MIDDLE"', 'short = "oak"')
    plan = imported(school, "id,name,sites\nnew,Vo,oak\n", PEOPLE, defaults={"kind": "staff"})

    assert plan.merged is not None
    assert plan.merged.changes[0].cells["sites"] == ("", "oak")


def test_a_school_that_could_be_two_is_refused_with_both(school) -> None:
    school.replace("sites/elm.toml", 'short = "ELM MIDDLE"', 'short = "Oak Elem"')
    plan = imported(school, "Employee ID,Last Name,School\nnew,Fox,OAK ELEM\n", PEOPLE, defaults={"kind": "staff"})

    (problem,) = plan.problems
    assert (problem.file, problem.line, problem.key) == ("list.csv", 2, "sites")
    assert problem.message == '"OAK ELEM" could be elm (Elm Middle School) or oak (Oak Elementary)'


def test_a_default_that_could_be_two_is_refused(school) -> None:
    school.replace("sites/elm.toml", 'short = "ELM MIDDLE"', 'short = "Oak Elem"')
    plan = imported(school, "id,name\nnew,Fox\n", PEOPLE, defaults={"kind": "staff", "sites": "Oak Elem"})

    assert [(p.file, p.key) for p in plan.problems] == [("--default", "sites")]


@pytest.mark.slow
def test_a_room_is_looked_for_in_its_own_school_only(school) -> None:
    """Both schools have an office; the other's is called differently, and never taken."""
    plan = imported(school, BUTTONS + "wb-9,Button,elm,Rm 118\n", defaults=GESTURES)

    assert not plan.is_allowed
    assert [(p.file, p.line, p.key) for p in plan.problems if p.key == "zone"] == [("list.csv", 2, "zone")]


@pytest.mark.slow
def test_the_same_room_of_two_schools_is_each_its_own(school) -> None:
    school.replace("sites/elm.toml", "[zones.gym]", "[zones.sports]")
    school.replace("devices.csv", "button-aed-elm-gym,button,elm,gym", "button-aed-elm-gym,button,elm,sports")
    school.replace("devices.csv", "gw-elm-gym,gateway,elm,gym", "gw-elm-gym,gateway,elm,sports")
    label = school.load().registry.zones["elm:sports"].label
    rooms = f'wb-8,Button,Elm Middle School,"{label}"\nwb-9,Button,Oak Elementary,Gym\n'
    plan = imported(school, BUTTONS + rooms, defaults=GESTURES)

    assert plan.merged is not None
    assert [change.cells["zone"][1] for change in plan.merged.changes] == ["sports", "gym"]


@pytest.mark.slow
def test_a_list_without_schools_means_the_school_where_the_device_is(school) -> None:
    plan = imported(school, "Serial Number,Room\nbutton-101,Rm 103\n")

    assert plan.is_allowed
    assert plan.merged is not None
    assert [(c.id, c.cells) for c in plan.merged.changes] == [("button-101", {"zone": ("rm-101", "rm-103")})]
    assert school.load().registry.devices[DeviceId("button-101")].zone_id == "oak:rm-101"


@pytest.mark.slow
def test_a_row_that_would_be_a_comment_is_refused_and_not_called_added(school) -> None:
    plan = imported(school, "Employee ID,Last Name,School\n#1042,Fox,oak\n", PEOPLE, defaults={"kind": "staff"})

    assert not plan.is_allowed
    (problem,) = plan.problems
    assert (problem.file, problem.line, problem.key) == ("list.csv", 2, "id")
    assert "comment" in problem.message
