"""From a district's own two lists to a configuration that the daemon takes."""

import tomllib
from pathlib import Path

import pytest
from msgspec.structs import replace

from alertd import lint
from alertd.config import load
from alertd.exports.columns import DEVICES, PEOPLE
from alertd.exports.importing import Order, prepare
from alertd.exports.starting import Beginning, short, start, zone_of
from alertd.model.ids import DeviceId, SiteId, ZoneId

STAFF = """Employee ID,Last Name,School,Job Title,Cell
1041,Ruiz,Oak Elementary,Principal,(202) 555-0110
1043,Okafor,Oak Elementary,Teacher,(202) 555-0142
1050,Shaw,Elm Middle School,Principal,(202) 555-0120
1090,Varga,Oak Elementary,Technician,(202) 555-0119
"""
BUTTONS = """Serial Number,Type,School,Room
wb-204,Button,Oak Elementary,"Rm 204, 2nd fl East"
wb-e-12,Button,Elm Middle School,Rm 12
"""
EXAMPLE = Path(__file__).resolve().parents[2] / "config"
STARTER = Path(__file__).resolve().parents[2] / "alertd" / "exports" / "starter"


@pytest.fixture
def lists(tmp_path: Path) -> Beginning:
    (tmp_path / "staff.csv").write_text(STAFF)
    (tmp_path / "buttons.csv").write_text(BUTTONS)
    return Beginning(
        people=tmp_path / "staff.csv",
        devices=tmp_path / "buttons.csv",
        name="Maple County Schools",
        time_zone="America/Chicago",
        responders=("1041", "1050"),
        technicians=("1090",),
    )


def test_two_lists_become_a_configuration_that_the_daemon_takes(lists: Beginning, tmp_path: Path) -> None:
    directory = tmp_path / "ours"
    assert start(directory, lists) == ()
    loaded = load(directory)
    errors = [p for p in (*loaded.problems, *lint.check(loaded)) if p.is_error]

    assert errors == []
    assert loaded.demo, "example numbers only"
    registry = loaded.registry
    assert registry.zones[ZoneId("oak-elementary:rm-204")].label == "Rm 204, 2nd fl East"
    assert registry.devices[DeviceId("wb-204")].gestures.presses == {1: "staff_assist", 4: "lockdown"}
    assert [p.name for p in registry.by_group["responders"]] == ["Ruiz", "Shaw"]
    assert set(registry.people["1090"].sites) == {"district", "oak-elementary", "elm-middle-school"}  # type: ignore[index]
    assert registry.sites[SiteId("elm-middle-school")].short == "ELM MIDDLE"


def test_the_lists_themselves_change_nothing_when_imported_again(lists: Beginning, tmp_path: Path) -> None:
    start(tmp_path / "ours", lists)

    for table, path in ((PEOPLE, lists.people), (DEVICES, lists.devices)):
        plan = prepare(tmp_path / "ours", table, path, Order(), lint.check)
        assert plan.merged is not None
        assert plan.merged.changes == ()


def test_whoever_responds_is_never_guessed(lists: Beginning, tmp_path: Path) -> None:
    problems = start(tmp_path / "ours", replace(lists, responders=("1041",), technicians=()))

    assert {p.message for p in problems} == {
        "nobody at elm-middle-school is asked to go when somebody presses",
        "nobody would be told that alertd itself is in trouble",
    }
    assert not (tmp_path / "ours").exists()
    (problem,) = start(tmp_path / "ours", replace(lists, technicians=("1099",)))
    assert "nobody has this id" in problem.message


def test_real_people_need_a_number_that_texts_come_from(lists: Beginning, tmp_path: Path) -> None:
    lists.people.write_text(STAFF.replace("555-01", "555-23"))

    assert [p.file for p in start(tmp_path / "ours", lists)] == ["--from-number"]
    assert start(tmp_path / "ours", replace(lists, from_numbers=(f"+1202555{2300}",))) == ()
    assert not load(tmp_path / "ours").demo


def test_a_directory_that_is_there_is_left_alone(lists: Beginning, tmp_path: Path) -> None:
    (problem,) = start(tmp_path, lists)

    assert problem.message == "is there already"


def test_sensors_bring_their_quiet_policies(lists: Beginning, tmp_path: Path) -> None:
    lists.devices.write_text(BUTTONS + "v-1,Sensor,Oak Elementary,Boys WC\n")
    start(tmp_path / "ours", lists)
    loaded = load(tmp_path / "ours")

    assert [p for p in (*loaded.problems, *lint.check(loaded)) if p.is_error] == []
    assert {"vape", "masking", "tamper"} <= set(loaded.registry.policies)


def test_phone_numbers_are_read_by_nobody_else(lists: Beginning, tmp_path: Path) -> None:
    start(tmp_path / "ours", lists)

    assert (tmp_path / "ours").stat().st_mode & 0o007 == 0
    assert (tmp_path / "ours" / "people.csv").stat().st_mode & 0o007 == 0


@pytest.mark.parametrize("file", sorted(path.name for path in (STARTER / "policies").iterdir()))
def test_the_words_are_those_of_the_example(file: str) -> None:
    """One set of words, proved in one place; a first district has no Hold, so none is offered."""
    ours = tomllib.loads((STARTER / "policies" / file).read_text())["templates"]
    example = tomllib.loads((EXAMPLE / "policies" / file).read_text())["templates"]

    assert {name: text.replace(", 8{token} Hold", "") for name, text in example.items() if name in ours} == ours


def test_names_become_ids_and_short_names() -> None:
    assert (zone_of("Rm 204, 2nd fl East"), zone_of("Boys' WC")) == ("rm-204", "boys-wc")
    assert short("Oak Elementary School") == "OAK ELEM"
    assert len(short("Saint Bartholomew Preparatory")) <= 12
