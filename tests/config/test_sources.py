"""Can a press arrive at all? Sources that are missing, that kick each other out, that carry nobody."""

import pytest

from alertd.config import sections

BROKER = """
[sources.{name}]
plugin = "mqtt"
host = "{host}"
{more}
client_id = "{client_id}"
triggers = [{{ topic = "east/press/+" }}]
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


@pytest.mark.parametrize(
    "added",
    [
        '{ topic = "zigbee2mqtt/+/action", decoder = "zigbee2mqtt" },',
        '{ topic = "zigbee2mqtt/+/action", decoder = "profiles", options = { source = "zigbee2mqtt" } },',
        '{ topic = "$share/a/zigbee2mqtt/button-204/action", decoder = "zigbee2mqtt" },',
    ],
)
def test_both_forms_of_what_zigbee2mqtt_says_are_warned_of(school, added):
    """Each press comes twice then: two of them were the four that lock a school down, and check was content."""
    plain = '{ topic = "zigbee2mqtt/+", decoder = "zigbee2mqtt" },'
    line = school.replace("channels.toml", plain, f"{plain}\n  {added}")
    found = school.lint_problems()

    assert [p.is_error for p in found] == [False], "check is content, and two presses lock the school down"
    (problem,) = found
    assert (problem.file, problem.line, problem.key) == ("channels.toml", line + 1, "sources.broker.triggers[3].topic")
    assert "reads each press of b" in problem.message
    assert problem.message.endswith("/action, and it is counted twice")
    assert problem.remedy.startswith('keep "zigbee2mqtt/+" alone')
    school.replace("channels.toml", f"\n  {added}", "")
    assert school.lint_problems() == (), "whoever obeys is warned again"


@pytest.mark.parametrize(
    "trigger",
    [
        '{ topic = "zigbee2mqtt/#", decoder = "zigbee2mqtt" }',
        '{ topic = "east/#", decoder = "profiles", options = { source = "zigbee2mqtt", base = "east" } }',
    ],
)
def test_one_filter_that_carries_both_forms_is_warned_of(school, trigger):
    school.replace("channels.toml", SHIPPED_TRIGGERS, trigger)
    (problem,) = [each for each in school.lint_problems() if each.file == "channels.toml"]

    assert not problem.is_error
    assert problem.message.endswith("/action, and it is counted twice")


@pytest.mark.parametrize(("profile", "is_twice"), [("milesight-ws101", False), ("zigbee2mqtt", True), ("", True)])
def test_what_comes_twice_over_zigbee_is_said_of_no_lorawan_button(school, profile, is_twice):
    """Whoever reads the name of a button that is on no Zigbee believes none of it."""
    lines = (school.directory / "devices.csv").read_text().splitlines()
    school.write("devices.csv", f"{lines[0]},profile\na-desk,button,oak,rm-204,wall-button,desk,,,{profile}\n")
    server = '{ topic = "up/#", decoder = "profiles", options = { source = "chirpstack-v4" } }'
    school.replace("channels.toml", SHIPPED_TRIGGERS, server + ', { topic = "zigbee2mqtt/#", decoder = "zigbee2mqtt" }')
    found = [each.message for each in school.lint_problems() if "a second time" in each.message]

    assert ["a-desk" in each for each in found] == [True] * is_twice, "it is on no Zigbee"


@pytest.mark.parametrize(
    "added",
    [
        '{ topic = "$share/a/zigbee2mqtt/+", decoder = "zigbee2mqtt" },',
        '{ topic = "$share/a/zigbee2mqtt/button-204", decoder = "zigbee2mqtt" },',
    ],
)
def test_a_shared_subscription_beside_a_plain_one_is_warned_of(school, added):
    plain = '{ topic = "zigbee2mqtt/+", decoder = "zigbee2mqtt" },'
    line = school.replace("channels.toml", plain, f"{plain}\n  {added}")
    found = school.lint_problems()

    assert [p.is_error for p in found] == [False], "check is content, and each press is counted twice"
    assert (found[0].line, found[0].key) == (line + 1, "sources.broker.triggers[3].topic")
    assert "each press there may come twice, and be counted twice" in found[0].message


@pytest.mark.parametrize(
    "added",
    [
        '{ topic = "zigbee2mqtt/hall/+", decoder = "zigbee2mqtt" },',
        '{ topic = "zigbee2mqtt/button-204", decoder = "profiles", options = { source = "zigbee2mqtt" } },',
        '{ topic = "+/+", decoder = "zigbee2mqtt" },',
        '{ topic = "alertd/press/#", kinds = ["sensor"] },',
        '{ topic = "east/+/action", decoder = "zigbee2mqtt", options = { base_topic = "east" } },',
        '{ topic = "+/events/rpc", decoder = "profiles", options = { source = "shelly" } },',
        '{ topic = "+/messages", decoder = "profiles", options = { source = "nrf-tracker" } },',
        '{ topic = "alertd/panel/+" }, { topic = "alertd/panel/+", kinds = ["sensor"] },',
    ],
)
def test_triggers_by_which_each_press_comes_once_are_not_warned_of(school, added):
    plain = '{ topic = "zigbee2mqtt/+", decoder = "zigbee2mqtt" },'
    school.replace("channels.toml", plain, f"{plain}\n  {added}")

    assert school.lint_problems() == ()


@pytest.mark.parametrize(
    ("more", "ours", "theirs", "is_twice"),
    [
        ("", "alertd/press/+", "alertd/press/+", True),
        ("port = 1884", "alertd/press/+", "alertd/press/+", False),
        ("", "$share/a/alertd/press/+", "$share/a/alertd/press/+", False),
        ("", "$share/a/alertd/press/+", "$share/b/alertd/press/+", True),
    ],
)
def test_two_sessions_at_one_broker_hear_each_press_twice(school, more, ours, theirs, is_twice):
    """Two brokers are another matter: who presses at both counts."""
    school.replace("channels.toml", 'topic = "alertd/press/+"', f'topic = "{ours}"')
    add(school, more=more, client_id="alertd-east")
    school.replace("channels.toml", "east/press/+", theirs)

    assert [p.key for p in school.lint_problems()] == ["sources.second.triggers[0].topic"] * is_twice


SHELLY = '{{ topic = "{}", decoder = "profiles", options = {{ source = "shelly-gen1" }} }},'
ACTIONS, DESK = SHELLY.format("shellies/+/input_event/+"), SHELLY.format("shellies/desk/#")


@pytest.mark.parametrize(
    ("triggers", "twice"),
    [
        (f"{ACTIONS} {DESK}", '"shellies/desk/#" covers some of what "shellies/+/input_event/+" of sources.'),
        ('{ topic = "+/press/button-204" },', '"+/press/button-204" covers some of what "alertd/press/+" of sources.'),
        (f"{ACTIONS} {DESK} {SHELLY.format('shellies/desk/input_event/0')}", '"shellies/desk/#" covers some of what'),
    ],
    ids=["profiles", "plain JSON", "and another within both"],
)
def test_two_triggers_that_only_cross_are_warned_of_once(school, triggers, twice):
    """Mosquitto sends what both cover once for each, to one session, too."""
    school.replace("channels.toml", SHIPPED_TRIGGERS, f"{SHIPPED_TRIGGERS} {triggers}")
    found = school.lint_problems()

    assert [p.is_error for p in found] == [False], "check is content, and each press is counted twice"
    (problem,) = found
    assert problem.message.startswith(twice)
    assert problem.message.endswith(": each press there may come twice, and be counted twice")


@pytest.mark.parametrize(
    "triggers",
    [
        f"{ACTIONS} {DESK} {SHELLY.format('shellies/#')}",
        f"{ACTIONS} {DESK.replace('shelly-gen1', 'tasmota').replace('shellies/', '+/')}",
        '{ topic = "up/a/+" }, { topic = "up/+/b" },',
        '{ topic = "zigbee2mqtt/hall/+", decoder = "zigbee2mqtt" },',
    ],
    ids=["a wider one has both", "of two sources", "where no device is", "below it"],
)
def test_triggers_that_cross_where_nobody_comes_twice_are_well(school, triggers):
    school.replace("channels.toml", SHIPPED_TRIGGERS, f"{SHIPPED_TRIGGERS} {triggers}")

    assert [p for p in school.lint_problems() if "may come twice" in p.message] == []


def test_what_two_subscriptions_share_is_said_once_however_many_triggers_read_it(school):
    add(school, client_id="alertd-east")
    narrow = '{ topic = "alertd/press/button-204" }, { topic = "alertd/press/+" }, { topic = "alertd/press/#" }'
    school.replace("channels.toml", '{ topic = "east/press/+" }', narrow)

    assert [p.key for p in school.lint_problems()] == ["sources.second.triggers[0].topic"], "one finding comes thrice"


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


OF_ALL = '{ topic = "application/+/device/+/event/up", decoder = "press_json", kinds = ["sensor"] },'
OF_BUTTONS = '{ topic = "application/7f3c/device/+/event/up", decoder = "press_json", kinds = ["button"] },'


@pytest.mark.parametrize("group", ["", "$share/a/"])
def test_a_trigger_for_buttons_behind_one_for_sensors_that_covers_it_is_said(school, group):
    """Its presses came to the first, which refuses them."""
    later = OF_BUTTONS.replace('"application', f'"{group}application')
    line = school.replace("channels.toml", SHIPPED_TRIGGERS, f"{SHIPPED_TRIGGERS}\n  {OF_ALL}\n  {later}") + 4
    found = [each for each in school.lint_problems() if "never speaks" in each.message]

    assert len(found) == 1, "each press of it calls nobody, and check is content"
    (problem,) = found
    assert not problem.is_error
    assert (problem.file, problem.line, problem.key) == ("channels.toml", line, "sources.broker.triggers[4].topic")
    assert '"application/+/device/+/event/up", whose kinds never press' in problem.message
    assert problem.remedy.startswith("write it before that one")


@pytest.mark.parametrize(
    "triggers",
    [
        f"{OF_BUTTONS} {OF_ALL}",
        f"{OF_ALL} {OF_BUTTONS}".replace("button", "gateway"),
        OF_ALL.replace('["sensor"]', "[]") + OF_ALL + OF_BUTTONS,
        '{ topic = "up/+", kinds = ["sensor"] }, { topic = "up/#", kinds = ["button"] },',
        '{ topic = "up/a/+", kinds = ["sensor"] }, { topic = "up/+/b", kinds = ["button"] },',
    ],
    ids=[
        "the narrow first",
        "nobody presses behind it",
        "the first is for anybody",
        "the later is wider",
        "they cross",
    ],
)
def test_a_trigger_for_buttons_that_speaks_is_well(school, triggers):
    school.replace("channels.toml", SHIPPED_TRIGGERS, f"{SHIPPED_TRIGGERS} {triggers}")
    assert school.lint_problems() == (), "whoever wrote them in the right order is warned"


def test_a_button_that_only_kinds_shut_out_is_said_once_with_the_kinds_as_the_remedy(school):
    for kinds in ('["button", "wearable"]', '["sensor"]'):
        school.replace("channels.toml", f'"press_json", kinds = {kinds} }}', '"press_json", kinds = ["gateway"] }')
    server = '{ topic = "up/#", decoder = "profiles", options = { source = "tts-v3" }, kinds = ["sensor"] }'
    bridge = 'decoder = "zigbee2mqtt", kinds = ["sensor"] }'
    school.replace("channels.toml", 'decoder = "zigbee2mqtt" }', f"{bridge}, {server}")
    lines = (school.directory / "devices.csv").read_text().splitlines()
    row = "desk-9,button,oak,rm-204,wall-button,desk,,,milesight-ws101"
    school.write("devices.csv", "\n".join([f"{lines[0]},profile", row, *(f"{line}," for line in lines[1:])]))
    said = {
        "button-204": "alertd/press/+, alertd/sensor/+, zigbee2mqtt/+",
        "desk-9": "up/#, alertd/press/+, alertd/sensor/+",
    }
    for button, topics in said.items():
        found = [each for each in school.problems() if button in each.message]
        assert [each.is_error for each in found] == [True], "it is said twice, and the remedies differ"
        assert found[0].remedy == (
            f'add "button" to the kinds of its trigger in channels.toml ({topics}), or give it one of its own'
        )
