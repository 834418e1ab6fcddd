"""Check-in windows, school hours and gateways: read, and refused with file, line, key and remedy."""

import pytest

from alertd.lint import unwatched
from alertd.model.ids import DeviceId, SiteId
from alertd.model.site import Hours

HEADER = "assigned_to,roaming_sites\n"
BUTTON = "button-204,button,oak,rm-204,wall-button,wall button,,"


@pytest.fixture
def watched(school):
    school.replace("devices.csv", HEADER, "assigned_to,roaming_sites,check_in,gateway\n")
    return school


def button(school, check_in: str = "", gateway: str = "") -> int:
    return school.replace("devices.csv", BUTTON, f"{BUTTON},{check_in},{gateway}")


@pytest.mark.parametrize(
    ("written", "seconds"),
    [("200 s", 200), ("15 min", 900), ("26h", 93_600), ("3 d", 259_200), ("none", 0), ("", None)],
)
def test_a_window_is_read(watched, written, seconds):
    button(watched, written)
    assert watched.load().registry.devices[DeviceId("button-204")].check_in_s == seconds


@pytest.mark.parametrize("written", ["200", "1 s", "2 months", "-5 min", "32 d", "1.5 h", "forever"])
def test_a_window_that_is_none_is_refused_where_it_stands(watched, written):
    line = button(watched, written)
    (problem,) = [p for p in watched.problems() if p.key == "check_in"]
    assert (problem.file, problem.line, problem.is_error) == ("devices.csv", line, True)
    assert '"26 h"' in problem.remedy


def test_a_gateway_is_read(watched):
    button(watched, gateway="gw-2-east")
    assert watched.load().registry.devices[DeviceId("button-204")].gateway == "gw-2-east"
    assert not [p for p in watched.problems() if p.key == "gateway"]


@pytest.mark.parametrize(
    ("gateway", "says"), [("gw-2-est", "is no registered gateway"), ("button-204", "below itself")]
)
def test_a_gateway_that_there_is_not_is_refused(watched, gateway, says):
    line = button(watched, gateway=gateway)
    (problem,) = [p for p in watched.problems() if p.key == "gateway"]
    assert (problem.file, problem.line, problem.is_error) == ("devices.csv", line, True)
    assert says in problem.message


def test_gateways_in_a_ring_are_refused(watched):
    text = (watched.directory / "devices.csv").read_text()
    east = next(line for line in text.splitlines() if line.startswith("gw-2-east,"))
    west = next(line for line in text.splitlines() if line.startswith("gw-2-west,"))
    watched.replace("devices.csv", east, f"{east},,gw-2-west")
    watched.replace("devices.csv", west, f"{west},,gw-2-east")
    assert any("in a ring" in p.message for p in watched.problems())


def test_a_gateway_that_a_trigger_names_must_be_registered(school):
    school.replace(
        "channels.toml",
        'telemetry = ["alertd/telemetry/+"]',
        'telemetry = [{ topic = "z/+/availability", decoder = "profiles", '
        'options = { source = "zigbee2mqtt", base = "z", gateway = "z2m" } }]',
    )
    (problem,) = [p for p in school.problems() if "z2m" in p.message]
    assert problem.is_error
    assert problem.line
    assert "gateway" in problem.key


def test_hours_of_a_school(school):
    usual = school.load().registry.sites[SiteId("oak")].hours
    assert usual == Hours()
    school.append("sites/oak.toml", '\n[hours]\ndays = ["mon", "sat"]\nstart = "07:30"\nend = "16:15"\n')
    assert school.load().registry.sites[SiteId("oak")].hours == Hours(days=(1, 6), start="07:30", end="16:15")


@pytest.mark.parametrize(
    ("written", "key"),
    [('days = ["someday"]', "days"), ('start = "7:30"', "start"), ('start = "17:00"\nend = "08:00"', "end")],
)
def test_hours_that_make_no_sense_are_refused(school, written, key):
    school.append("sites/oak.toml", f"\n[hours]\n{written}\n")
    (problem,) = [p for p in school.problems() if p.file == "sites/oak.toml" and p.key.startswith("hours")]
    assert problem.is_error
    assert problem.key == f"hours.{key}" or key in problem.key


def test_it_is_said_how_many_have_no_window(watched):
    before = unwatched(watched.load())
    assert before["button"] > 1, "an example without windows: nobody would notice if a button died"
    button(watched, "26 h")
    assert unwatched(watched.load()) == {**before, "button": before["button"] - 1}


def test_a_profiles_window_counts_but_not_where_the_row_says_none(watched):
    before = unwatched(watched.load())["button"]
    watched.replace("devices.csv", "check_in,gateway\n", "check_in,gateway,profile\n")
    watched.replace("devices.csv", BUTTON, f"{BUTTON},,,milesight-ws101")
    assert unwatched(watched.load())["button"] == before - 1
    watched.replace("devices.csv", f"{BUTTON},,,milesight-ws101", f"{BUTTON},none,,milesight-ws101")
    assert unwatched(watched.load())["button"] == before
