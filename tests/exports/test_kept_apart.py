"""Schools, rooms and people that are called alike never become one (promise 6: nobody is sent to a wrong place)."""

from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from alertd import lint
from alertd.config import Loaded, Problem, load
from alertd.exports.columns import DEVICES, PEOPLE
from alertd.exports.importing import Order, prepare
from alertd.exports.naming import as_sent, room_ids, room_shorts, school_ids, school_shorts
from alertd.exports.starting import Beginning, start
from alertd.model.ids import DeviceId, PersonId, SiteId

STAFF = "Employee ID,Last Name,First Name,School,Job Title,Cell\n"
BUTTONS = "Serial Number,Type,School,Room\n"


def began(folder: Path, staff: str, buttons: str, *responders: str, **more: object) -> tuple[Problem, ...]:
    (folder / "staff.csv").write_text(STAFF + staff)
    (folder / "buttons.csv").write_text(BUTTONS + buttons)
    beginning = Beginning(
        people=folder / "staff.csv",
        devices=folder / "buttons.csv",
        name="Maple County Schools",
        time_zone="America/Chicago",
        responders=responders,
        technicians=("1090",),
        **more,  # type: ignore[arg-type]
    )
    return start(folder / "ours", beginning)


def district(folder: Path) -> Loaded:
    loaded = load(folder / "ours")
    assert [p for p in (*loaded.problems, *lint.check(loaded)) if p.is_error] == []
    return loaded


RUIZ = "1041,Ruiz,Julia,Oak,Principal,(202) 555-0110\n"
VARGA = "1090,Varga,Eva,Oak,Technician,(202) 555-0119\n"


def test_two_rooms_of_one_number_are_two_places_and_said(tmp_path: Path) -> None:
    buttons = 'wb-1,Button,Oak,"Rm 101, Main building"\nwb-2,Button,Oak,"Rm 101, Annex across the street"\n'
    problems = began(tmp_path, RUIZ + VARGA, buttons, "1041")

    registry = district(tmp_path).registry
    main, annex = (registry.zones[registry.devices[DeviceId(name)].zone_id] for name in ("wb-1", "wb-2"))  # type: ignore[index]
    assert (main.label, annex.label) == ("Rm 101, Main building", "Rm 101, Annex across the street")
    assert (main.short, annex.short) == ("Rm 101 Main", "Rm 101 Annex")
    (warned,) = problems
    assert (warned.file, warned.line, warned.key, warned.is_error) == ("buttons.csv", 3, "zone", False)
    assert "rm-101-main-building" in warned.message
    assert "rm-101-annex-across-the-street" in warned.message


def test_a_room_with_and_without_the_way_there_are_two_until_somebody_says_they_are_one(tmp_path: Path) -> None:
    buttons = 'wb-1,Button,Oak,Rm 204\nwb-2,Button,Oak,"Rm 204, 2nd fl East"\nwb-3,Button,Oak,RM 204\n'
    (warned,) = began(tmp_path, RUIZ + VARGA, buttons, "1041")

    zones = [device.zone_id for device in district(tmp_path).registry.devices.values()]
    assert zones == ["oak:rm-204", "oak:rm-204-2nd-fl-east", "oak:rm-204"]
    assert "if they are one" in warned.remedy


def test_schools_in_another_script_are_not_one(tmp_path: Path) -> None:
    staff = "1,Иванова,Анна,Школа 1,Principal,(202) 555-0110\n2,Петров,Олег,Гимназия 1,Principal,(202) 555-0111\n"
    buttons = "wb-1,Button,Школа 1,Каб 1\nwb-2,Button,Гимназия 1,Каб 1\n"
    assert began(tmp_path, staff + VARGA.replace("Oak", "Школа 1"), buttons, "1", "2") == ()

    registry = district(tmp_path).registry
    assert {s.name: (i, s.short) for i, s in registry.sites.items() if i != "district"} == {
        "Школа 1": ("shkola-1", "SHKOLA 1"),
        "Гимназия 1": ("gimnaziya-1", "GIMNAZIYA 1"),
    }
    assert registry.people[PersonId("2")].sites == ("gimnaziya-1",)


def test_schools_whose_texts_would_open_alike_get_different_openings_and_it_is_said(tmp_path: Path) -> None:
    staff = RUIZ.replace("Oak", "Washington Elementary School") + (
        "1050,Shaw,Ann,Washington Early Learning,Principal,(202) 555-0120\n"
        + VARGA.replace("Oak", "Washington Early Learning")
    )
    buttons = "wb-1,Button,Washington Elementary School,Rm 1\nwb-2,Button,Washington Early Learning,Rm 1\n"
    (warned,) = began(tmp_path, staff, buttons, "1041", "1050")

    sites = district(tmp_path).registry.sites
    shorts = {sites[SiteId(f"washington-{x}")].short for x in ("elementary-school", "early-learning")}
    assert len(shorts) == 2
    assert not warned.is_error
    assert all(each in warned.message for each in shorts)
    assert "sites/washington-early-learning.toml" in warned.remedy


def test_schools_that_differ_in_a_sign_are_two_and_said(tmp_path: Path) -> None:
    staff = RUIZ + RUIZ.replace("1041", "1042").replace("0110", "0111").replace(",Oak,", ",Oak!,") + VARGA
    problems = began(tmp_path, staff, "wb-1,Button,Oak,Rm 1\nwb-2,Button,Oak!,Rm 1\n", "1041", "1042")

    names = {site.name: id_ for id_, site in district(tmp_path).registry.sites.items() if id_ != "district"}
    assert names == {"Oak": "oak", "Oak!": "oak-2"}
    assert any('"Oak!"' in p.message and "oak-2" in p.message for p in problems)


NAMES = st.text("abÅé Жя1,.'-#?Ø", min_size=1, max_size=14) | st.text(min_size=1, max_size=8)


@settings(max_examples=50)
@example(["A, B", "A", "A B, C", "A B"])
@example(["Rm 1 A", "Rm 1, A", "Rm 1, B"])
@given(st.lists(NAMES.map(lambda name: " ".join(name.split())).filter(bool), max_size=8))
def test_no_two_names_ever_become_one(names: list[str]) -> None:
    for made in (school_ids(names), room_ids(names)):
        assert len(set(made.values())) == len(made)
        assert not [each for each in made.values() if not each or len(each) > 60 or each == "district"]
    for made, longest in ((school_shorts(names), 12), (room_shorts(names), 30)):
        assert len({as_sent(each) for each in made.values()}) == len(made)
        assert not [each for each in made.values() if not each or len(each) > longest]


def test_two_people_of_one_school_with_one_last_name_are_told_apart_by_their_first(tmp_path: Path) -> None:
    staff = (
        "1,Smith,John,Oak,Principal,(202) 555-0110\n2,Smith,Jane,Oak,Counselor,(202) 555-0111\n"
        "3,Smith,Maria,Elm,Nurse,(202) 555-0112\n"
    )
    buttons = "wb-1,Button,Oak,Rm 1\nwb-2,Button,Elm,Rm 1\n"
    assert began(tmp_path, staff + VARGA, buttons, "1", "2", "3") == ()

    people = district(tmp_path).registry.people
    assert [people[PersonId(i)].name for i in "123"] == ["Jo. Smith", "Ja. Smith", "Smith"]
    plan = prepare(tmp_path / "ours", PEOPLE, tmp_path / "staff.csv", Order(), lint.check)
    assert plan.merged is not None
    assert plan.merged.changes == (), "the list says nothing new"


def test_people_who_cannot_be_told_apart_are_written_and_warned_of(tmp_path: Path) -> None:
    staff = RUIZ + RUIZ.replace("1041", "1042").replace("0110", "0111")
    began(tmp_path, staff + VARGA, "wb-1,Button,Oak,Rm 1\n", "1041", "1042")

    warned = [p for p in lint.check(district(tmp_path)) if "are both called" in p.message]
    assert [(p.file, p.key) for p in warned] == [("people.csv", "name")]


def test_an_import_tells_a_newcomer_from_whoever_has_the_same_name(tmp_path: Path) -> None:
    began(tmp_path, RUIZ + VARGA, "wb-1,Button,Oak,Rm 1\n", "1041")
    marco = "1042,Ruiz,Marco,Oak,Teacher,(202) 555-0111\n"
    (tmp_path / "staff.csv").write_text(STAFF + RUIZ + marco)
    plan = prepare(tmp_path / "ours", PEOPLE, tmp_path / "staff.csv", Order(defaults={"kind": "staff"}), lint.check)

    assert plan.merged is not None
    assert {c.id: c.cells["name"][1] for c in plan.merged.changes} == {"1041": "J. Ruiz", "1042": "M. Ruiz"}
    (tmp_path / "staff.csv").write_text(STAFF + marco)
    plan = prepare(tmp_path / "ours", PEOPLE, tmp_path / "staff.csv", Order(defaults={"kind": "staff"}), lint.check)
    assert plan.merged is not None
    assert {c.id: c.cells["name"][1] for c in plan.merged.changes} == {"1042": "M. Ruiz"}, "nobody else is renamed"


# --- whatever the daemon would refuse of a list is said at its line, before anything is written ---------------------


@pytest.mark.parametrize(
    ("staff", "buttons", "file", "line", "key", "says"),
    [
        (RUIZ + VARGA, "wb-1,Door Contact,Oak,Rm 1\n", "buttons.csv", 2, "kind", '"door contact" is unknown'),
        (RUIZ + VARGA, "wb-1,Doorbell Button,Oak,Rm 1\n", "buttons.csv", 2, "kind", '"doorbell button" is unknown'),
        (RUIZ + VARGA, "wb-1,???,Oak,Rm 1\n", "buttons.csv", 2, "kind", '"???" is unknown'),
        (RUIZ.replace("Ruiz", "Ruiz-Featherstonehaugh") + VARGA, "", "staff.csv", 2, "name", "22 characters"),
        (RUIZ + VARGA, f"wb-1,Button,Oak,{'Rm ' * 21}1\n", "buttons.csv", 2, "zone", "is 64 characters long"),
        (
            RUIZ + VARGA,
            f"wb-0,Button,Oak,Rm 1\nwb-1,Button,{'Oak' * 30},Rm 1\n",
            "buttons.csv",
            3,
            "name",
            "is 90 characters long",
        ),
        (RUIZ + VARGA + "1043,Okafor,Ada,,Teacher,\n", "", "staff.csv", 4, "sites", "is empty"),
        (RUIZ + VARGA, "#1,Button,Oak,Rm 1\n", "buttons.csv", 2, "id", "comment"),
        ("#1042,Chen,Li,Oak,Nurse,(202) 555-0111\n" + RUIZ + VARGA, "", "staff.csv", 2, "id", "comment"),
    ],
    ids=[
        "kind",
        "another button",
        "no kind",
        "name",
        "room",
        "school",
        "no school",
        "device that is a comment",
        "person who is a comment",
    ],
)
def test_what_the_daemon_would_refuse_is_said_in_the_list(
    tmp_path: Path, staff: str, buttons: str, file: str, line: int, key: str, says: str
) -> None:
    problems = began(tmp_path, staff, buttons or "wb-1,Button,Oak,Rm 1\n", "1041")

    assert [(p.file, p.line) for p in problems if p.is_error] == [(file, line)], problems
    assert any(p.key.endswith(key) and says in p.message for p in problems), problems
    assert not (tmp_path / "ours").exists()


def test_a_technician_needs_no_school(tmp_path: Path) -> None:
    assert began(tmp_path, RUIZ + VARGA.replace(",Oak,", ",,"), "wb-1,Button,Oak,Rm 1\n", "1041") == ()
    assert district(tmp_path).registry.people[PersonId("1090")].sites == ("district", "oak")


def test_a_school_without_a_device_is_written_to_be_completed(tmp_path: Path) -> None:
    """A first school has buttons, the others' people are listed already: no list could mend that."""
    shaw = "1050,Shaw,Ann,Elm,Principal,(202) 555-0120\n"
    assert began(tmp_path, RUIZ + shaw + VARGA, "wb-1,Button,Oak,Rm 1\n", "1041", "1050") == ()

    errors = [p for p in load(tmp_path / "ours").problems if p.is_error]
    assert [(p.file, p.key) for p in errors] == [("sites/elm.toml", "zones")]


@pytest.mark.parametrize(
    ("more", "option", "remedy"),
    [
        ({"time_zone": "Chicago"}, "--time-zone", "America/Chicago"),
        ({"from_numbers": ("911",)}, "--from-number", "own number"),
        ({"from_numbers": ("+120255",)}, "--from-number", "+12025550142"),
        ({"name": "x" * 81}, "--name", "80"),
        ({"name": " "}, "--name", "write something"),
    ],
)
def test_what_the_daemon_would_refuse_is_said_of_the_option(
    tmp_path: Path, more: dict[str, object], option: str, remedy: str
) -> None:
    (tmp_path / "staff.csv").write_text(STAFF + RUIZ + VARGA)
    (tmp_path / "buttons.csv").write_text(BUTTONS + "wb-1,Button,Oak,Rm 1\n")
    told: dict[str, object] = {"name": "Maple", "time_zone": "America/Chicago", **more}
    beginning = Beginning(
        people=tmp_path / "staff.csv",
        devices=tmp_path / "buttons.csv",
        responders=("1041",),
        technicians=("1090",),
        **told,  # type: ignore[arg-type]
    )
    problems = start(tmp_path / "ours", beginning)

    assert [p.file for p in problems] == [option]
    assert remedy in problems[0].remedy
    assert not (tmp_path / "ours").exists()


def test_a_place_where_nothing_can_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "afile").write_text("")
    (tmp_path / "staff.csv").write_text(STAFF + RUIZ + VARGA)
    (tmp_path / "buttons.csv").write_text(BUTTONS + "wb-1,Button,Oak,Rm 1\n")
    beginning = Beginning(
        people=tmp_path / "staff.csv", devices=tmp_path / "buttons.csv", name="Maple", time_zone="America/Chicago",
        responders=("1041",), technicians=("1090",),
    )  # fmt: skip
    (problem,) = start(tmp_path / "afile" / "x", beginning)

    assert "cannot be written: Not a directory" in problem.message


@pytest.mark.slow
def test_what_a_vendor_calls_a_button_is_one(tmp_path: Path) -> None:
    buttons = "wb-1,Panic Button,Oak,Rm 1\nwb-2,Desk Button,Oak,Rm 2\n"
    assert began(tmp_path, RUIZ + VARGA, buttons, "1041") == ()

    registry = district(tmp_path).registry
    assert {device.kind for device in registry.devices.values()} == {"button"}
    plan = prepare(tmp_path / "ours", DEVICES, tmp_path / "buttons.csv", Order(), lint.check)
    assert plan.merged is not None
    assert plan.merged.changes == ()


def test_columns_that_are_not_used_are_named_and_so_is_the_option_that_names_them(tmp_path: Path) -> None:
    (tmp_path / "staff.csv").write_text((STAFF + RUIZ + VARGA).replace("Cell", "Handy"))
    (tmp_path / "buttons.csv").write_text(BUTTONS + "wb-1,Button,Oak,Rm 1\n")
    beginning = Beginning(
        people=tmp_path / "staff.csv", devices=tmp_path / "buttons.csv", name="Maple", time_zone="America/Chicago",
        responders=("1041",), technicians=("1090",), from_numbers=("+12025550101",),
    )  # fmt: skip
    (warned,) = start(tmp_path / "ours", beginning)

    assert (warned.file, warned.line, warned.is_error) == ("staff.csv", 1, False)
    assert "Handy" in warned.message
    assert "--people-column" in warned.remedy
