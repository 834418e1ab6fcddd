"""Can a press arrive at all? Sources that are missing, that kick each other out, that carry nobody."""

import pytest

from alertd.config import sections

BROKER = """
[sources.{name}]
plugin = "mqtt"
host = "{host}"
{more}
client_id = "{client_id}"
triggers = [{{ topic = "alertd/press/+" }}]
"""
ONLY_SOURCE = "[sources.broker]"
SHIPPED_TRIGGERS = """{ topic = "alertd/press/+", decoder = "press_json", kinds = ["button", "wearable"] },
  { topic = "alertd/sensor/+", decoder = "press_json", kinds = ["sensor"] },
  { topic = "zigbee2mqtt/+", decoder = "zigbee2mqtt" },"""


def add(school, *, name="second", host="localhost", more="", client_id="alertd-maple"):
    school.append("channels.toml", BROKER.format(name=name, host=host, more=more, client_id=client_id))


def without_sources(school):
    text = (school.directory / "channels.toml").read_text()
    start, end = text.index(ONLY_SOURCE), text.index("[channels.sms]")
    school.write("channels.toml", text[:start] + text[end:])


def test_configuration_without_a_source_is_refused(school):
    without_sources(school)

    (problem,) = school.lint_problems()
    assert (problem.file, problem.key, problem.is_error) == (sections.FILE, "sources", True)
    assert "no press can arrive" in problem.message
    assert "[sources.broker]" in problem.remedy


def test_source_of_a_third_party_is_taken_at_its_word(school):
    without_sources(school)
    school.append("channels.toml", '\n[sources.panel]\nplugin = "panel_serial"\nport = "/dev/ttyS0"\n')

    assert school.lint_problems() == ()


def test_decoder_of_a_third_party_may_find_the_device_in_the_payload(school):
    school.replace(
        "channels.toml",
        SHIPPED_TRIGGERS,
        '{ topic = "gateway/uplink", decoder = "lorawan" }',
    )

    assert school.lint_problems() == ()


@pytest.mark.parametrize(
    "trigger",
    [
        '{ topic = "alertd/press/#" }',
        '{ topic = "#" }',
        '{ topic = "$share/alertd/alertd/press/+" }',
        '{ topic = "zigbee2mqtt/#", decoder = "zigbee2mqtt" }',
        '{ topic = "zigbee2mqtt/+/action", decoder = "zigbee2mqtt" }',
        '{ topic = "+/+", decoder = "zigbee2mqtt" }',
        '{ topic = "east/wing/+", decoder = "zigbee2mqtt", options = { base_topic = "east/wing/" } }',
    ],
)
def test_filter_that_carries_every_device_is_enough(school, trigger):
    school.replace(
        "channels.toml",
        SHIPPED_TRIGGERS,
        trigger,
    )

    assert school.lint_problems() == ()


def test_gateway_needs_no_trigger_of_its_own(school):
    devices = [line.split(",")[0] for line in (school.directory / "devices.csv").read_text().splitlines()[1:]]
    pressed = [device for device in devices if not device.startswith("gw-")]
    school.replace(
        "channels.toml",
        SHIPPED_TRIGGERS,
        ", ".join(f'{{ topic = "alertd/press/{device}" }}' for device in pressed),
    )

    assert school.lint_problems() == ()


def test_no_registered_device_is_warned_of(school):
    school.write("devices.csv", "id,kind,site\n")

    (problem,) = [p for p in school.problems() if p.file == "devices.csv"]
    assert not problem.is_error
    assert "no press can arrive" in problem.message


@pytest.mark.parametrize(
    "twin",
    [
        {},
        {"more": "port = 1883"},
        {"host": "127.0.0.1"},
        {"host": "LOCALHOST"},
        {"client_id": "alertd-maple-side"},
    ],
    ids=str,
)
def test_two_sources_under_one_name_at_one_broker_are_refused(school, twin):
    add(school, **twin)

    (problem,) = school.lint_problems()
    assert (problem.key, problem.is_error) == ("sources.second.client_id", True)
    assert "out of the broker" in problem.message
    assert "its own client_id" in problem.remedy
    lines = (school.directory / "channels.toml").read_text().splitlines()
    assert "client_id" in lines[problem.line - 1]


@pytest.mark.parametrize(
    "other", [{"client_id": "alertd-east"}, {"more": "port = 1884"}, {"more": "tls = {}"}], ids=str
)
def test_sources_that_do_not_meet_are_accepted(school, other):
    add(school, **other)

    assert school.lint_problems() == ()


@pytest.mark.parametrize(("host", "more"), [("::1", ""), ("127.0.0.2", ""), ("mqtt.example.org", "tls = {}")])
def test_broker_here_or_behind_tls_is_not_warned_of(school, host, more):
    add(school, host=host, more=more, client_id="other")

    assert school.lint_problems() == ()
