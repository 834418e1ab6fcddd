"""`alertd devices decode`: what a message means and whether it would page, as an administrator asks it."""

import json
import shlex
from collections.abc import Callable
from pathlib import Path
from shutil import copytree

import pytest
from typer.testing import CliRunner, Result

from alertd.cli import app

EXAMPLE = Path(__file__).resolve().parents[2] / "config"
BUTTON = "24e1240000000101"
UP = f"application/7f3c/device/{BUTTON}/event/up"


TELEMETRY = """telemetry = [
  "alertd/telemetry/+",
  { topic = "eu868/gateway/+/state/conn", decoder = "profiles", options = { source = "chirpstack-v4" } },
  { topic = "zigbee2mqtt/+/availability", decoder = "zigbee2mqtt" },
]"""


def up(data: str, **fields: object) -> str:
    return json.dumps({"deviceInfo": {"devEui": BUTTON}, "fPort": 85, "data": data, **fields})


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example district with one LoRaWAN button behind ChirpStack."""
    folder = tmp_path_factory.mktemp("district") / "config"
    folder.mkdir()
    for each in EXAMPLE.iterdir():
        if each.name not in ("devices.csv", "channels.toml"):
            (folder / each.name).symlink_to(each)
    header, *rows = (EXAMPLE / "devices.csv").read_text().splitlines()
    rows.append(f"{BUTTON.upper()},button,oak,rm-204,wall-button,desk button,,,milesight-ws101")
    (folder / "devices.csv").write_text("\n".join([f"{header},profile", *rows]))
    zigbee = '{ topic = "zigbee2mqtt/+", decoder = "zigbee2mqtt" },'
    chirpstack = (
        '{ topic = "application/+/device/+/event/+", decoder = "profiles", options = { source = "chirpstack-v4" } },'
    )
    wiring = (EXAMPLE / "channels.toml").read_text()
    wiring = wiring.replace(zigbee, f"{zigbee}\n  {chirpstack}")
    telemetry = 'telemetry = ["alertd/telemetry/+"]'
    assert telemetry in wiring
    (folder / "channels.toml").write_text(wiring.replace(telemetry, TELEMETRY))
    return folder


def decode(config: Path, *arguments: str, typed: str | None = None) -> Result:
    environ = {"ALERTD_CONFIG": None, "ALERTD_SOCKET_PATH": None}
    return CliRunner().invoke(app, ["devices", "decode", "--config", str(config), *arguments], env=environ, input=typed)


def test_a_press_is_explained_step_by_step(config):
    said = decode(config, UP, up("AXVV/y4B", deduplicationId="d-7")).stdout.splitlines()
    assert [line.split(maxsplit=1) for line in said] == [
        ["trigger", "sources.broker, trigger 4: application/+/device/+/event/+"],
        ["source", "chirpstack-v4, message 1: application/{application}/device/{eui}/event/up"],
        ["captured", f"application = 7f3c, eui = {BUTTON}"],
        ["device", f"{BUTTON}, registered as {BUTTON.upper()}"],
        ["profile", "milesight-ws101"],
        ["rule", "profile milesight-ws101, rule 1: press (a press, which gestures count)"],
        ["value", "short"],
        ["battery", "85 %"],
        ["identity", "d-7"],
        ["signal", f"{BUTTON.upper()} says press"],
        ["PAGES", '1 × "press" is staff_assist in "wall-button"; oak answers with the policy "staff_assist"'],
    ]


@pytest.mark.parametrize(
    ("topic", "payload", "options", "why"),
    [
        (UP, up("AXVV/y4B"), ["--retained"], "it is retained"),
        (UP, up("AXVV"), [], "it is certainly no press"),
        ("alertd/press/button-204", '{"action": "dance"}', [], 'do not know "dance"'),
        (UP, up("AXVV7u4B"), [], "cannot read its last 3 bytes"),
        (UP, "{", [], "not JSON"),
        (UP.replace(BUTTON, "24e1240000000999"), "{}", [], "24e1240000000999 is not in the registry"),
        ("alertd/press/nobody", '{"action": "press"}', [], "nobody: it is not in the registry"),
        ("alertd/press/badge-okafor", '{"action": "press"}', [], "1 of 3 presses within 10 s"),
        ("alertd/press/button-204", '{"action": "press", "over": true}', [], 'it says that "press" is over'),
    ],
)
def test_what_would_not_page_says_why(config, topic, payload, options, why):
    result = decode(config, topic, payload, *options)
    assert result.exit_code == 0
    assert "PAGES" not in result.stdout
    assert why in result.stdout.splitlines()[-1]


def test_a_hold_that_its_gestures_do_not_name_is_asked_about(config, tmp_path):
    unnamed = tmp_path / "config"
    copytree(config, unnamed)  # what its links lead to: the example itself stays as it is
    gestures = unnamed / "gestures.toml"
    gestures.write_text(gestures.read_text().replace('hold = "lockdown", ', ""))
    result = decode(unnamed, "alertd/press/badge-okafor", '{"action": "long_press"}')
    assert "a trouble asks whether it was meant" in result.stdout.splitlines()[-1]


def test_of_what_may_be_a_release_the_admin_reads_that_it_pages_and_locks_nobody_down(config, tmp_path):
    wired = tmp_path / "config"
    copytree(config, wired)
    with (wired / "devices.csv").open("a") as devices:
        devices.write("\nstrip-204,button,oak,rm-204,wall-button,strip,,,tasmota\n")
    channels = wired / "channels.toml"
    trigger = '{ topic = "stat/+/RESULT", decoder = "profiles", options = { source = "tasmota" } },'
    channels.write_text(channels.read_text().replace("triggers = [", f"triggers = [\n  {trigger}", 1))
    said = decode(wired, "stat/strip-204/RESULT", '{"Switch1": {"Action": "TOGGLE"}}').stdout
    assert "press_or_release (a press, or that it was let go" in said
    assert "PAGES" in said, "promise 2: a push-button in SwitchMode 3 calls nobody"
    assert 'is staff_assist in "wall-button", and no number of them is graver: it may be a release' in said


@pytest.mark.parametrize(
    ("topic", "payload", "says"),
    [
        ("zigbee2mqtt/button-204", '{"action": "single", "battery": 80}', '1 × "single" is staff_assist'),
        ("zigbee2mqtt/button-204", '{"action": "double"}', '"double", 2 presses, is staff_assist'),
        ("zigbee2mqtt/badge-okafor", '{"action": "triple"}', '"triple", 3 presses, is staff_assist'),
        ("zigbee2mqtt/button-204", '{"action": "many"}', '"many", 4 presses, is lockdown'),
        (UP, up("AXVV/y4C"), '"long_press" is lockdown in its gestures'),
        (UP, up("AXVV/y4D"), '"double_press", 2 presses, is staff_assist'),
    ],
)
def test_promise_2_a_button_pages_though_the_example_does_not_name_its_word(config, topic, payload, says):
    last = decode(config, topic, payload).stdout.splitlines()[-1]
    assert last.startswith("PAGES"), f"promise 2: a button of the example configuration pages nobody: {last}"
    assert says in last


def test_a_finger_that_leaves_a_zigbee_button_rings_nobody(config):
    last = decode(config, "zigbee2mqtt/button-204", '{"action": "release"}').stdout.splitlines()[-1]
    assert 'ignore "release"' in last, f"a release rings whoever is on duty, in the lockdown of its hold: {last}"


def test_the_command_of_the_manual_pages(config):
    manual = (EXAMPLE.parent / "docs/cli.md").read_text()
    (line,) = (line for line in manual.splitlines() if line.startswith("    alertd devices decode zigbee2mqtt"))
    assert "PAGES" in decode(config, *shlex.split(line)[3:]).stdout


def test_a_payload_may_come_from_a_file_or_from_standard_input(config, tmp_path):
    (tmp_path / "payload").write_text(up("AXVV/y4B"))
    assert "PAGES" in decode(config, UP, f"@{tmp_path / 'payload'}").stdout
    assert "PAGES" in decode(config, UP, "-", typed=up("AXVV/y4B")).stdout
    assert decode(config, UP, "@/nowhere").exit_code == 2


def test_for_programs(config):
    found = json.loads(decode(config, UP, up("AXVV/y4B"), "--json").stdout)
    assert [verdict["pages"] for verdict in found["verdicts"]] == [True]
    assert found["signals"][0]["action"] == "press"


@pytest.mark.parametrize(
    ("topic", "covers", "source"),
    [
        ("v3/a/devices/b/up", "v3/+/devices/+/up", "tts-v3"),
        ("halo/B0C5CA000001/event", "halo/+/event", "halo"),
        ("shellies/b1/input_event/0", "shellies/+/input_event/+", "shelly-gen1"),
        ("shellies/b1/temperature", "shellies/+/#", "shelly-gen1"),
    ],
)
def test_a_topic_that_no_trigger_covers_says_how_to_add_one(config, topic, covers, source):
    result = decode(config, topic, "{}")
    assert result.exit_code == 1
    said = " ".join(result.stderr.split())
    assert "no trigger in channels.toml covers the topic" in said
    assert f'{{ topic = "{covers}", decoder = "profiles", options = {{ source = "{source}" }} }}' in said


ZIGBEE = '{ topic = "zigbee2mqtt/+", decoder = "zigbee2mqtt" },'
ACTION = "zigbee2mqtt/button-204/action"


@pytest.fixture
def wired(config: Path, tmp_path: Path) -> Callable[[str], Path]:
    """The same, with another trigger in the place of Zigbee2MQTT's."""

    def write(trigger: str) -> Path:
        folder = tmp_path / "wired"
        folder.mkdir()
        for each in config.iterdir():
            if each.name != "channels.toml":
                (folder / each.name).symlink_to(each)
        wiring = (config / "channels.toml").read_text()
        assert f"\n  {ZIGBEE}" in wiring
        (folder / "channels.toml").write_text(wiring.replace(ZIGBEE, trigger))
        return folder

    return write


@pytest.mark.parametrize(
    ("trigger", "topic", "reads"),
    [
        (ZIGBEE, ACTION, "zigbee2mqtt/+"),
        ('{ topic = "zigbee2mqtt/button-204", decoder = "zigbee2mqtt" },', ACTION, "zigbee2mqtt/button-204"),
        ('{ topic = "$share/a/zigbee2mqtt/+", decoder = "zigbee2mqtt" },', ACTION, "$share/a/zigbee2mqtt/+"),
        (
            '{ topic = "zigbee2mqtt/+", decoder = "profiles", options = { source = "zigbee2mqtt" } },',
            ACTION,
            "zigbee2mqtt/+",
        ),
        (
            '{ topic = "zigbee2mqtt/+/action", decoder = "profiles", options = { source = "zigbee2mqtt" } },',
            "zigbee2mqtt/button-204",
            "zigbee2mqtt/+/action",
        ),
    ],
)
def test_no_trigger_is_advised_beside_one_that_hears_the_same_device(wired, trigger, topic, reads):
    result = decode(wired(trigger), topic, "single")
    assert result.exit_code == 1
    said = " ".join(result.stderr.split())
    assert "for example" not in said, "each press comes twice, and two of them lock a school down"
    assert f"sources.broker, trigger 3 ({reads}) reads this device" in said
    assert "not heard on purpose" in said
    assert "not both, or each press comes twice" in said


def test_a_trigger_of_other_devices_of_the_source_is_widened_and_not_doubled(wired):
    trigger = '{ topic = "zigbee2mqtt/button-101", decoder = "zigbee2mqtt" },'
    said = " ".join(decode(wired(trigger), ACTION, "single").stderr.split())
    assert "for example" not in said, "each press of button-101 may come twice"
    assert "on purpose" not in said, "button-204 is heard nowhere"
    assert "change the topic of sources.broker, trigger 3 (zigbee2mqtt/button-101)" in said.casefold()


@pytest.mark.parametrize(
    "trigger",
    [
        '{ topic = "home/z2m/+", decoder = "zigbee2mqtt", options = { base_topic = "home/z2m" } },',
        '{ topic = "home/z2m/+", decoder = "profiles", options = { source = "zigbee2mqtt", base = "home/z2m/" } },',
    ],
)
def test_beside_a_trigger_of_another_base_none_is_advised_under_it(wired, trigger):
    said = " ".join(decode(wired(trigger), "home/z2m/button-204/action", "single").stderr.split())
    assert "Add one" not in said, "each press comes twice, and two of them lock a school down"
    assert "sources.broker, trigger 3 (home/z2m/+) reads what comes under home/z2m: add none beside it" in said


@pytest.mark.parametrize(
    "trigger",
    [
        "",
        '{ topic = "east/+", decoder = "zigbee2mqtt", options = { base_topic = "east" } },',
        '{ topic = "east/+", decoder = "profiles", options = { source = "zigbee2mqtt", base = "east" } },',
    ],
)
def test_a_bridge_that_no_trigger_reads_gets_one_advised(wired, trigger):
    said = " ".join(decode(wired(trigger), ACTION, "single").stderr.split())
    advised = 'topic = "zigbee2mqtt/+/action", decoder = "profiles", options = { source = "zigbee2mqtt" }'
    assert f"for example {{ {advised} }}" in said


def test_for_a_topic_that_no_profile_reads_no_trigger_is_advised(config):
    said = " ".join(decode(config, "zigbee2mqtt/oak/room1", "{}").stderr.split())
    assert "alertd would never hear it" in said
    assert "no source profile has such a topic" in said
    assert "for example" not in said, "it would not read this"


@pytest.mark.parametrize("topic", ["alertd/press/button-204", UP])
def test_what_the_daemon_refuses_for_its_size_does_not_page_here(config, tmp_path, topic):
    long = tmp_path / "long.json"
    press = {"action": "press", "deviceInfo": {"devEui": BUTTON}, "fPort": 85, "data": "AXVV/y4B"}
    long.write_text(json.dumps({**press, "padding": "x" * 64 * 1024}))
    said = decode(config, topic, f"@{long}").stdout

    assert "PAGES" not in said
    assert "more than 65536" in said


def test_a_filter_is_no_topic(config):
    said = decode(config, "application/+/device/+/event/+", "{}")

    assert said.exit_code == 1
    assert "stands for many topics" in said.output


# --- sensors ----------------------------------------------------------------------------------------------------------

MEASURES = "readings.vape = { trigger = 50, for_s = 10, release = 20 }"


@pytest.mark.parametrize(
    ("payload", "says"),
    [
        ({"action": "duress"}, 'do not know "duress": a trouble tells those who look after it of a new word'),
        ({"action": "press"}, 'do not know "press": a trouble tells those who look after it of a new word'),
        ({"action": "tamper"}, 'do not know "tamper": a trouble tells those who look after it that somebody opened it'),
        ({"action": "masking"}, 'ignore "masking"'),
        ({"action": "vape", "over": True}, 'it says that "vape" is over: that calls nobody'),
        ({"action": "shot"}, '"shot" would be lockdown: a sensor never sounds a panic'),
        (
            {"action": "smoke", "reading": 70},
            '"smoke" 70 is a number, and the alarms of its gestures "vape-sensor" have',
        ),
        ({"action": "vape", "reading": 49}, 'of its gestures "vape-sensor" begin at 50: nothing happens'),
    ],
)
def test_what_a_sensor_says_never_asks_whether_it_was_a_press(sensing, payload, says):
    """As docs/sensors.md and the daemon have it: also where its gestures would count presses."""
    last = decode(sensing, "alertd/sensor/vape-112", json.dumps(payload)).stdout.splitlines()[-1]
    assert "whether it was" not in last, f"req 70: a sensor was taken for somebody who presses: {last}"
    assert last.startswith("no page"), f"req 70: a sensor was taken for somebody who presses: {last}"
    assert says in last


@pytest.mark.parametrize(
    ("payload", "says"),
    [
        ({"action": "vape"}, '"vape" is vape in its gestures "vape-sensor"; oak answers with the policy "vape"'),
        ({"action": "vape", "reading": 50}, '"vape" 50, if it lasts for 10 s, is vape'),
    ],
)
def test_an_alarm_of_a_sensor_is_told_to_those_of_its_policy(sensing, payload, says):
    last = decode(sensing, "alertd/sensor/vape-112", json.dumps(payload)).stdout.splitlines()[-1]
    assert last.startswith("PAGES")
    assert says in last


@pytest.fixture(scope="module")
def sensing(config: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same, whose sensor measures, too, and has gestures that no sensor should."""
    folder = tmp_path_factory.mktemp("sensing") / "config"
    folder.mkdir()
    for each in config.iterdir():
        if each.name != "gestures.toml":
            (folder / each.name).symlink_to(each)
    vape, presses = 'vape = "vape", masking = "ignore", shot = "lockdown"', 'presses = { 1 = "staff_assist" }'
    gestures, _, _ = (config / "gestures.toml").read_text().partition("[vape-sensor]")
    sensor = f"[vape-sensor]\nactions = {{ {vape} }}\n{presses}\n{MEASURES}\n"
    (folder / "gestures.toml").write_text(gestures + sensor)
    return folder


# --- signs of life ----------------------------------------------------------------------------------------------------

HEARD = "alertd/telemetry/badge-okafor"


@pytest.mark.parametrize(
    ("topic", "payload", "options", "shown"),
    [
        (HEARD, '{"battery":3}', [], ["battery 3 %, low: a trouble of its school"]),
        (HEARD, '{"battery":80, "gateway":"gw-1"}', [], ["battery 80 %", "gateway gw-1"]),
        (HEARD, '{"tamper":true}', [], ["tamper opened: a trouble until it says that it is whole"]),
        (HEARD, '{"tamper":false}', [], ["tamper whole: its trouble is over, if there is one"]),
        (HEARD, "offline", [], ["link offline: it is missed a minute later"]),
        (HEARD, "{}", [], ["alive yes: its check-in window begins anew"]),
        (HEARD, "{}", ["--retained"], ["alive not known: a broker's memory is no sign of life"]),
        (HEARD, "\udcff", [], ["alive yes: its check-in window begins anew"]),
        ("zigbee2mqtt/badge-okafor/availability", '{"state":"offline"}', [], ["link offline: it is missed"]),
        ("eu868/gateway/gw-oak/state/conn", '{"gatewayId":"gw-oak","state":"OFFLINE"}', [], ["offline"]),
        (
            HEARD,
            '{"tamper":1,"battery":3}',
            [],
            ["battery 3 %, low", "part of which is left out", "docs/devices.md: tamper"],
        ),
        ("alertd/telemetry/nobody", '{"battery":3}', [], ["nobody is not in the registry"]),
    ],
)
def test_what_comes_as_telemetry_is_explained_and_pages_nobody(config, topic, payload, options, shown):
    """It is heard, though no trigger covers it."""
    result = decode(config, topic, payload, *options)
    assert result.exit_code == 0, f"it is heard, and said not to be: {result.output}"
    said = " ".join(result.stdout.split())
    assert "sources.broker, telemetry" in said, "it is heard, and said not to be"
    assert "PAGES" not in said
    assert "it is telemetry" in result.stdout.splitlines()[-1]
    for each in shown:
        assert each in said


def test_a_press_as_telemetry_says_that_it_pages_nobody_and_why(config):
    last = decode(config, HEARD, '{"action":"press"}').stdout.splitlines()[-1]
    assert last.startswith("no page")
    assert "NOBODY" in last
    assert "triggers" in last


def test_what_a_press_says_of_its_battery_is_shown(config):
    assert "12 %, low" in decode(config, "alertd/press/badge-okafor", '{"action":"press","battery":12}').stdout


@pytest.mark.parametrize(
    ("payload", "what"),
    [
        ("NaN", "null or NaN"),
        ("null", "null or NaN"),
        ("[1]", "a list"),
        ("true", "true or false"),
        ("3", "a number"),
        ('"on"', "a text"),
    ],
)
def test_what_is_no_object_is_named_in_words_of_json(config, payload, what):
    said = decode(config, "alertd/press/badge-okafor", payload).stdout
    assert f"{what}, and not an object" in said
    assert "NoneType" not in said


def test_a_button_on_a_trigger_whose_kinds_are_sensors_is_no_press_and_is_rung_for(config):
    """As the daemon takes it: else who looks for why nobody came reads that it pages."""
    last = decode(config, "alertd/sensor/button-204", '{"action": "hold"}').stdout.splitlines()[-1]
    assert last.startswith("no page"), "a sensor's password presses a button"
    assert "button-204 pressed, and its trigger is for others: a trouble rings whoever is on duty" in last
    assert 'Add "button" to its kinds' in last, "what to do is in the documents, and not here"
