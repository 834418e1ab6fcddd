"""A district's own profiles: read with the rest, run on their examples, refused with file, line, key and remedy."""

from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from alertd import lint
from alertd.config import Loaded, Problem, Settings
from alertd.config.profiles import read_profiles
from alertd.config.reading import Reading
from alertd.lint.findings import Judge
from alertd.lint.profiles import check_profiles
from alertd.model.ids import DeviceId
from alertd_adapters.decoders.mapping.checking import registry_of

OURS = (Path(__file__).parents[1] / "adapters/decoders/mapping/ours.toml").read_text()
FILE = "profiles/ours.toml"
EMPTY = Loaded(
    directory=Path(),
    registry=registry_of([], ""),
    settings=Settings.model_construct(),
    sections=(),
    problems=(),
    places={},
)


@pytest.fixture
def own(school):
    (school.directory / "profiles").mkdir()
    school.write(FILE, OURS)
    school.replace("devices.csv", "button-204,button,oak,rm-204,wall-button,wall button,,", BUTTON)
    school.replace("devices.csv", "button-118,button,oak,rm-118,wall-button,wall button,,", BUILT_IN)
    school.replace("devices.csv", "assigned_to,roaming_sites\n", "assigned_to,roaming_sites,profile\n")
    school.replace("channels.toml", ZIGBEE, MAPPED)
    return school


ZIGBEE = '{ topic = "zigbee2mqtt/+", decoder = "zigbee2mqtt" },'
MAPPED = f'{ZIGBEE} {{ topic = "our/+/up", decoder = "profiles", options = {{ source = "our-server" }} }},'
BUILT_IN = "button-118,button,oak,rm-118,wall-button,wall button,,,milesight-ws101"
BUTTON = "button-204,button,oak,rm-204,wall-button,wall button,,,our-button"


def of_devices(school: Any) -> list[Problem]:
    return [problem for problem in school.problems() if problem.file in (FILE, "devices.csv")]


def test_a_districts_own_profile_is_taken(own):
    assert of_devices(own) == []
    assert own.load().registry.devices[DeviceId("button-204")].profile == "our-button"


def test_a_profile_without_a_trigger_that_reads_by_profiles_is_doubtful(own):
    own.replace("channels.toml", MAPPED, ZIGBEE)
    (problem,) = of_devices(own)
    assert (problem.key, problem.is_error) == ("profile", False)
    assert "no trigger of any source has the decoder profiles" in problem.message


@pytest.mark.parametrize("second", ["24:E1:24:00:00:00:01:01", "0x24e1240000000101"])
def test_one_address_in_two_spellings_is_one_device_too_many(own, second):
    first = "24e1240000000101,button,oak,rm-204,wall-button,a,,,\n"
    own.append("devices.csv", first + f"{second},button,oak,office,wall-button,b,,,\n")
    (problem,) = of_devices(own)
    assert (problem.key, problem.is_error) == ("id", True)
    assert problem.message == "is the same address as 24e1240000000101, spelled differently"


def test_a_profile_that_there_is_not_is_an_error_where_it_is_named(own):
    line = own.replace("devices.csv", "our-button", "our-buton")
    (problem,) = of_devices(own)
    assert (problem.file, problem.line, problem.key) == ("devices.csv", line, "profile")
    assert problem.is_error
    assert problem.message == 'there is no profile "our-buton"'
    assert problem.remedy == 'did you mean "our-button"?'


def judged(folder: Path, text: str) -> tuple[Problem, ...]:
    """What is said of this file, in a district that has nothing else."""
    (folder / FILE).parent.mkdir()
    (folder / FILE).write_text(text)
    judge = Judge(replace(EMPTY, profiles=tuple(read_profiles(Reading(folder), [Path(FILE).name]))))
    check_profiles(judge)
    return judge.findings.all()


@pytest.mark.parametrize(
    ("old", "new", "key", "message"),
    [
        ('id = "topic.eui"', 'id = "topic.eui["', "source.our-server.messages[1].id", "is not JMESPath"),
        ('id = "topic.eui"', 'od = "topic.eui"', "source.our-server.messages[1].od", "unknown key"),
        ('"{base}/{eui}/up"', '"{base}/{eui/up"', "source.our-server.messages[1].topic", "is no level"),
        ('1 = "press"', '1 = "pres"', "profile.our-button.rules[1].map.1", '"pres" is no event'),
        ("object.pressed == `0`", "object.pressed", "profile.our-button.rules[2].when", "is no comparison"),
        ('"object.pressed == `0`"', "'object.pressed == \"no\"'", "profile.our-button.rules[2].when", "write 'no' or"),
        ("fport = 1\n", "fport = 300\n", "profile.our-button.codec.frames[1].fport", "Expected `int` <= 255"),
        ('bytes_as = "hex"', 'bytes_as = "hx"', "source.our-server.messages[1].bytes_as", "Invalid enum value"),
        ("at = 2,", 'at = 2, type = "u16",', "profile.our-button.codec.frames[1].fields[3].at", "can never be read"),
        ("at = 2,", "at = -4,", "profile.our-button.codec.frames[1].fields[3].at", "can never be read"),
        ("at = 2,", "at = 2, bit = 8,", "profile.our-button.codec.frames[1].fields[3].bit", "has 8 bits"),
        ("at = 2,", "at = 2, bits = [6, 3],", "profile.our-button.codec.frames[1].fields[3].bits", "has 8 bits"),
        ("scale = 0.1", "scale = nan", "profile.our-button.codec.frames[1].fields[3].scale", "the same always"),
        ("scale = 0.1", "scale = inf", "profile.our-button.codec.frames[1].fields[3].scale", "the same always"),
        ("scale = 0.1", "scale = 0", "profile.our-button.codec.frames[1].fields[3].scale", "the same always"),
        ("scale = 0.1", "add = nan", "profile.our-button.codec.frames[1].fields[3].add", "no number"),
        ("battery_full = 3.0", "battery_full = 2.0", "profile.our-button.battery_full", "is not above battery_empty"),
        ("battery_full = 3.0\n", "", "profile.our-button.battery_empty", "says nothing without battery_full"),
        ("battery_full = 3.0", "battery_full = nan", "profile.our-button.battery_full", "cannot be nan"),
        ('"010219"', '"020219"', "profile.our-button.examples[1]", "expected event press, but it is hold"),
        ('"0g"', '"01"', "profile.our-button.examples[3]", "expected refused, but it is unknown"),
        ("[source.our-server]", "[sorce.our-server]", "sorce", "is no profile"),
        ("[profile.our-button]", "[profile.rak2171]", "profile.rak2171", "there is a profile rak2171 already"),
    ],
)
def test_what_is_wrong_with_a_profile_is_said_with_its_line(tmp_path, old, new, key, message):
    text = OURS.replace(old, new, 1)
    assert text != OURS
    found = [problem for problem in judged(tmp_path, text) if problem.key == key]
    assert [message in problem.message for problem in found] == [True]
    assert found[0].file == FILE
    assert found[0].line > 0
    assert found[0].is_error
    assert found[0].remedy
    if not key.startswith("profile.our-button.examples"):
        written = text.splitlines()[found[0].line - 1]
        assert new.split("\n")[0] in written or key.rpartition(".")[2] in written


def test_a_button_of_which_no_example_shows_a_strange_frame_is_doubtful(tmp_path):
    """After an update of its firmware each press would be counted, and nothing else."""
    known, _, _ = OURS.partition('\n[[profile.our-button.examples]]\nsource = "our-server"\ntopic = "our/e1/up"\n'
                                 'payload = \'{"port": 1, "data": "01"}\'')  # fmt: skip
    assert known != OURS
    found = judged(tmp_path, known)
    assert [(p.file, p.key, p.is_error) for p in found] == [(FILE, "profile.our-button.examples", False)], (
        "a press that its profile cannot read would tell nobody, and nobody was told so"
    )
    assert "a press may tell nobody" in found[0].message
    assert known.splitlines()[found[0].line - 1] == "[[profile.our-button.examples]]"


def test_who_shows_one_or_reads_no_press_is_not_asked(tmp_path):
    assert judged(tmp_path, OURS) == ()
    quiet = OURS.partition("[profile.our-button]")[0] + QUIET
    (tmp_path / "quiet").mkdir()
    assert judged(tmp_path / "quiet", quiet) == ()


QUIET = """
[profile.our-clock]
about = "says that it lives"
rules = [{ when = "object.alive == `true`", event = "heartbeat" }]

[[profile.our-clock.examples]]
source = "our-server"
topic = "our/e1/up"
payload = '{"port": 1, "object": {"alive": true}}'
device = "e1"
expect = [{ event = "heartbeat" }]
"""


def test_a_profile_without_an_example_is_refused(tmp_path):
    (problem,) = judged(tmp_path, OURS.partition("[[profile.our-button.examples]]")[0])
    assert problem.key == "profile.our-button"
    assert "has no example" in problem.message


def test_a_file_that_is_no_toml_is_refused_like_any_other(own):
    own.write(FILE, "[profile")
    assert [(p.file, p.line) for p in own.read_problems()] == [(FILE, 1)]


def test_another_profile_is_another_configuration_and_a_broken_one_changes_nothing(own):
    current = own.load()
    own.write(FILE, OURS.replace('2 = "hold"', '2 = "long_press"'))
    taken = lint.reload(current)
    assert isinstance(taken, Loaded)
    assert taken.registry.version != current.registry.version

    own.write(FILE, OURS.replace('2 = "hold"', '2 = "hld"'))
    assert not isinstance(lint.reload(current), Loaded)


ZIGBEE = '{ topic = "zigbee2mqtt/+", decoder = "zigbee2mqtt" },'
OF_A_SOURCE = '{{ topic = "{}", decoder = "profiles", options = {{ source = "{}" }} }},'


@pytest.mark.parametrize(
    ("trigger", "remedy"),
    [
        (OF_A_SOURCE.format("halo/+/events", "halo"), 'did you mean "halo/+/event"?'),
        (OF_A_SOURCE.format("haloo/+/event", "halo"), 'did you mean "halo/+/event"?'),
        (
            '{ topic = "halo/+/event", decoder = "profiles", options = { source = "halo", base = "wc" } },',
            '"wc/+/event"',
        ),
        (OF_A_SOURCE.format("application/+/devices/+/event/up", "chirpstack-v4"), '"application/+/device/+/event/up"?'),
        ('{ topic = "zigbee2mqtt/+", decoder = "zigbee2mqtt", options = { base_topic = "z2m" } },', "z2m/"),
    ],
)
def test_a_trigger_on_topics_that_its_source_never_speaks_on_is_said(school, trigger, remedy):
    line = school.replace("channels.toml", ZIGBEE, f"{ZIGBEE}\n  {trigger}") + 1
    found = [each for each in school.lint_problems() if "never speaks on" in each.message]

    assert len(found) == 1, "nothing is ever heard over it, and check is content"
    assert not found[0].is_error
    assert (found[0].file, found[0].line) == ("channels.toml", line)
    assert remedy in found[0].remedy


@pytest.mark.parametrize(
    "trigger",
    [
        *(
            OF_A_SOURCE.format(topic, "halo")
            for topic in ("halo/+/event", "halo/#", "#", "halo/b0c5/+", "$share/a/+/+/+")
        ),
        '{ topic = "wc/+/event", decoder = "profiles", options = { source = "halo", base = "wc/" } },',
        OF_A_SOURCE.format("spBv1.0/oak/#", "sparkplug-b"),
        OF_A_SOURCE.format("shellies/+/input_event/+", "shelly-gen1"),
        OF_A_SOURCE.format("v3/oak@ttn/devices/+/up", "tts-v3"),
    ],
)
def test_a_trigger_on_a_part_of_what_its_source_says_is_well(school, trigger):
    school.replace("channels.toml", ZIGBEE, f"{ZIGBEE}\n  {trigger}")
    assert not [each for each in school.lint_problems() if "never speaks on" in each.message]


@pytest.mark.parametrize(
    ("trigger", "profile", "source"),
    [
        ("", "halo", "halo"),
        (OF_A_SOURCE.format("application/#", "chirpstack-v4"), "halo", "halo"),
        (OF_A_SOURCE.format("application/#", "chirpstack-v4"), "milesight-ws101", None),
        (OF_A_SOURCE.format("halo/+/event", "halo"), "halo", None),
        ("", "zigbee2mqtt", None),
        (OF_A_SOURCE.format("up/#", "chirpstack-v4") + '{ topic = "out/#", decoder = "third" },', "halo", None),
    ],
)
def test_a_row_whose_profile_no_trigger_reads_is_said_with_the_trigger_to_write(school, trigger, profile, source):
    """`init` takes a HALO from the list, and writes no trigger for it."""
    school.replace("channels.toml", ZIGBEE, f"{ZIGBEE}\n  {trigger}")
    lines = (school.directory / "devices.csv").read_text().splitlines()
    rows = [f"h{n},sensor,oak,wc-112,vape-sensor,halo,,,{profile}" for n in (1, 2)]
    school.write("devices.csv", "\n".join([f"{lines[0]},profile", *rows, *(f"{line}," for line in lines[1:])]))
    found = [each for each in school.lint_problems() if "no trigger of any source has" in each.message]

    assert len(found) == bool(source), "nothing of it is ever heard, and check is content"
    for problem in found:
        assert problem.line == 2
        assert f'options = {{ source = "{source}" }}' in problem.remedy
        assert 'topic = "halo/+/event"' in problem.remedy
