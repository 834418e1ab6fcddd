"""From a district's own two lists to a configuration that the daemon takes."""

import json
import tomllib
from pathlib import Path

import pytest
from msgspec.structs import replace

from alertd import lint
from alertd.config import load
from alertd.config.credentials import variable_of
from alertd.exports.columns import DEVICES, PEOPLE
from alertd.exports.importing import Order, prepare
from alertd.exports.naming import short, zone_of
from alertd.exports.starting import Beginning, start
from alertd.model.ids import DeviceId, PolicyId, SiteId, ZoneId
from alertd.model.incident import VERIFY_FIRST
from alertd_simulator.rehearsal.cli import rehearse

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


def test_what_it_writes_asks_for_nothing_but_what_no_list_could_say(
    lists: Beginning, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lists.devices.write_text(BUTTONS + "v-1,Sensor,Oak Elementary,Boys WC\n")
    for name in ("broker-password", "twilio-account-sid", "twilio-auth-token"):
        monkeypatch.setenv(variable_of(name), f"AC{name:*<32}")
    start(tmp_path / "ours", lists)
    loaded = load(tmp_path / "ours")
    problems = [p.message for p in (*loaded.problems, *lint.check(loaded))]

    asks = {"nobody tells dispatch of a lockdown": 2, "leave from the numbers of lockdowns": 1, "day and night": 5}
    assert {words: sum(words in problem for problem in problems) for words in asks} == asks, problems
    assert len(problems) == 8, "dispatch for each school; for its sensors a number of their own, and who is on duty"


@pytest.mark.slow
def test_what_it_writes_can_be_rehearsed_as_it_is(
    lists: Beginning, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lists.people.write_text(STAFF.replace("1050,Shaw,Elm Middle School,Principal,(202) 555-0120\n", ""))
    lists.devices.write_text(BUTTONS.replace("wb-e-12,Button,Elm Middle School,Rm 12\n", ""))
    assert start(tmp_path / "ours", replace(lists, responders=("1041",))) == ()
    code = rehearse(tmp_path / "ours", days=1, seed=1, out=tmp_path / "report.html", as_json=True)

    told = json.loads(capsys.readouterr().out)
    assert code == 0
    assert [each["incident_class"] for each in told["policies"]] == ["lockdown", "duress", "staff_assist"]
    assert [each["told"]["happened"] for each in told["policies"]] == [1, 1, 1]
    assert [each["broken"] for each in told["policies"]] == [[], [], []]


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
    assert {"vape", "masking", "tamper", "gunshot_sensor", "keyword_sensor"} <= set(loaded.registry.policies)


def test_phone_numbers_are_read_by_nobody_else(lists: Beginning, tmp_path: Path) -> None:
    start(tmp_path / "ours", lists)

    assert (tmp_path / "ours").stat().st_mode & 0o007 == 0
    assert (tmp_path / "ours" / "people.csv").stat().st_mode & 0o007 == 0


def test_what_a_sensor_hears_calls_those_who_look_and_never_more(lists: Beginning, tmp_path: Path) -> None:
    """A HALO of a first district says each of its words."""
    lists.devices.write_text(BUTTONS + "v-1,Sensor,Oak Elementary,Boys WC\n")
    start(tmp_path / "ours", lists)
    loaded = load(tmp_path / "ours")
    calls = loaded.registry.devices[DeviceId("v-1")].gestures.actions

    for word in ("gunshot", "keyword", "duress"):
        assert calls.get(word) in VERIFY_FIRST, "a shot, or a cry for help, that a sensor hears calls nobody"
        policy = loaded.registry.policies[PolicyId(calls[word])]
        assert not policy.corroborated.raises, (
            "two sensors that hear one bang lock a school down, and nobody chose that"
        )
        assert "9{token} to lock down" in policy.templates["alert.responder"]
    assert {calls.get(word) for word in ("vape", "thc", "smoking")} == {"vape"}


OF_THE_EXAMPLE = sorted(path.name for path in (STARTER / "policies").iterdir() if path.stem not in VERIFY_FIRST)
"""The example's sensors hear neither shots nor cries."""


@pytest.mark.parametrize("file", OF_THE_EXAMPLE)
def test_the_words_are_those_of_the_example(file: str) -> None:
    """One set of words, proved in one place; a first district has no Hold, so none is offered, and no dispatch, so
    nobody is told that 911 knows."""
    ours = tomllib.loads((STARTER / "policies" / file).read_text())["templates"]
    example = tomllib.loads((EXAMPLE / "policies" / file).read_text())["templates"]

    without = {", 8{token} Hold": "", "911 is told; police decide": "Police decide"}
    for words, instead in without.items():
        example = {name: text.replace(words, instead) for name, text in example.items()}
    assert ours == example


def test_long_names_of_schools_and_people_are_no_reason_to_refuse_what_it_wrote(
    lists: Beginning, tmp_path: Path
) -> None:
    """A principal of twenty letters at a school whose short name is as long as it gets."""
    for file in (lists.people, lists.devices):
        text = file.read_text().replace("Oak Elementary", "Washington Heights Elementary School")
        file.write_text(text.replace("Ruiz", "Bartholomew Hartleyx"))

    assert not [problem for problem in start(tmp_path / "ours", lists) if problem.is_error]


BADGES = """bd-1,Badge,Oak Elementary,
bd-2,Badge,Elm Middle School,
"""
GATEWAYS = """gw-1,gateway,oak-elementary,rm-204
gw-2,gateway,elm-middle-school,rm-12
"""


def test_a_gateway_with_a_zone_as_check_asks_for_is_no_reason_to_refuse_what_it_wrote(
    lists: Beginning, tmp_path: Path
) -> None:
    """MAYBE NEAR Rm 204, 2nd fl East (12 min ago): no room of a button is as long."""
    lists.devices.write_text(BUTTONS + BADGES)
    start(tmp_path / "ours", lists)
    before = [p.message for p in lint.check(load(tmp_path / "ours"))]
    assert any("no gateway" in message for message in before), before
    with (tmp_path / "ours" / "devices.csv").open("a") as devices:
        devices.write("".join(f"{row}{',' * 8}\n" for row in GATEWAYS.splitlines()))
    loaded = load(tmp_path / "ours")
    found = (*loaded.problems, *lint.check(loaded))

    assert [p.message for p in found if p.is_error] == [], "what check asked for made it refuse what init had written"
    assert not any("gateway" in p.message for p in found)


@pytest.mark.parametrize("policy", ["lockdown", "medical"])
def test_a_wall_button_is_told_of_by_its_whole_room(lists: Beginning, tmp_path: Path, policy: str) -> None:
    start(tmp_path / "ours", lists)
    text = load(tmp_path / "ours").registry.policies[PolicyId(policy)].templates["alert.responder"]

    assert text.startswith("{site} {where}: {what}")


def test_names_become_ids_and_short_names() -> None:
    assert (zone_of("Rm 204, 2nd fl East"), zone_of("Boys' WC")) == ("rm-204", "boys-wc")
    assert short("Oak Elementary School") == "OAK ELEM"
    assert len(short("Saint Bartholomew Preparatory")) <= 12
