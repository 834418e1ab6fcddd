"""Words: a button whose gestures do not know what its profile makes of a press, said before anybody presses it."""

import tomllib
from pathlib import Path

import pytest

from alertd import lint
from alertd.model.duress_code import hashed
from alertd.model.ids import DeviceId

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE, STARTER = ROOT / "config", ROOT / "alertd" / "exports" / "starter"

PLAIN = '{ topic = "zigbee2mqtt/+", decoder = "zigbee2mqtt" },'
SERVER = '{ topic = "application/+/device/+/event/+", decoder = "profiles", options = { source = "chirpstack-v4" } },'
ZIGBEE = '{ topic = "zigbee2mqtt/+", decoder = "profiles", options = { source = "zigbee2mqtt" } },'
FINCH, ABEEWAY = "647fda0000000801", "20635f0000000a01"
OLD_BUTTON = """
[old-button]
presses = { 1 = "staff_assist", 4 = "lockdown" }
actions = { hold = "lockdown", emergency = "lockdown" }
"""
PULL_CORD = """
[profile.our-cord]
about = "our pull cord"
rules = [{ value = "object.action", map = { on = "WORD", off = "release" } }, { event = "heartbeat" }]
[[profile.our-cord.examples]]
source = "zigbee2mqtt"
topic = "zigbee2mqtt/cord"
payload = '{"action": "on"}'
expect = [{ event = "WORD", device = "cord" }]
"""


@pytest.fixture
def wired(school):
    """The example, with gestures of its own from before, a network server and a bridge whose devices have profiles."""
    school.replace("channels.toml", PLAIN, f"{SERVER} {ZIGBEE}")
    school.replace("devices.csv", "assigned_to,roaming_sites\n", "assigned_to,roaming_sites,profile,duress_codes\n")
    school.append("gestures.toml", OLD_BUTTON)
    return school


def doubts(school):
    """Of gestures; errors are none."""
    problems = school.problems()
    assert not any(problem.is_error for problem in problems), "an existing district must still start"
    return [(problem.file, problem.message, problem.remedy) for problem in problems if problem.key == "gestures"]


def give_profile(school, word):
    """One of the district's own, whose cord says this when somebody pulls it."""
    (school.directory / "profiles").mkdir()
    school.write("profiles/ours.toml", PULL_CORD.replace("WORD", word))


def test_a_panic_button_whose_one_word_no_gesture_knows_is_said_to_call_nobody(wired):
    wired.append("devices.csv", f"{FINCH},button,oak,rm-204,old-button,finch,,,tektelic-finch,\n")
    wired.append("devices.csv", "647fda0000000802,button,oak,office,old-button,finch,,,tektelic-finch,\n")
    found = doubts(wired)

    assert len(found) == 1, "check is content, and a panic button pages nobody"
    file, message, remedy = found[0]
    assert file == "devices.csv"
    assert message == (
        f'{FINCH} (and 1 more like it) can only say "duress" (profile tektelic-finch), which "old-button" does not '
        "know: whoever presses it calls NOBODY"
    )
    assert remedy == 'write duress = "duress" in actions of [old-button] in gestures.toml; "ignore" what it never says'


@pytest.mark.parametrize(
    "row",
    [
        f"{FINCH},button,oak,rm-204,wall-button,finch,,,tektelic-finch,",
        f"{ABEEWAY},wearable,oak,,badge,tracker,,,abeeway-at2,",
        f"{FINCH},button,oak,gym,medical-button,AED,,,tektelic-finch,",
    ],
)
def test_what_ships_knows_what_a_panic_button_says(wired, row):
    wired.append("devices.csv", row + "\n")
    assert doubts(wired) == [], "whoever copies the example has panic buttons that page nobody"


@pytest.mark.parametrize("folder", [EXAMPLE, STARTER], ids=["example", "init"])
def test_a_panic_button_at_the_aed_calls_the_nurse(folder):
    gestures = tomllib.loads((folder / "gestures.toml").read_text())["medical-button"]
    assert gestures.get("actions") == {"duress": "medical"}, "a panic button at the AED does not call the nurse"


def test_where_all_gestures_call_for_one_thing_the_remedy_is_that(wired):
    wired.append("gestures.toml", '\n[aed]\npresses = { 1 = "medical" }\n')
    wired.append("devices.csv", f"{FINCH},button,oak,gym,aed,AED,,,tektelic-finch,\n")
    ((_, _, remedy),) = doubts(wired)

    assert remedy.startswith('write duress = "medical" in actions of [aed]'), (
        "go in pairs, to a heart that stands still"
    )


def test_one_press_that_locks_a_school_down_is_never_the_remedy(wired):
    wired.append("gestures.toml", '\n[held]\nactions = { hold = "lockdown" }\n')
    give_profile(wired, "press")
    wired.append("devices.csv", "cord,button,oak,rm-204,held,cord,,,our-cord,\n")
    ((_, _, remedy),) = doubts(wired)

    assert remedy.startswith('write press = "staff_assist" in actions of [held]'), "one press locks a school down"


@pytest.mark.parametrize(
    "other", ["elm-cord,button,elm,office,old-button,cord,,,,", "w,wearable,oak,,old-button,w,,elm,,"]
)
def test_the_remedy_is_taken_in_every_school_that_has_these_gestures(wired, other):
    wired.replace("sites/elm.toml", 'fire = "fire"\n', "")
    give_profile(wired, "fire")
    wired.append("devices.csv", f"cord,button,oak,rm-204,old-button,cord,,,our-cord,\n{other}\n")
    (remedy,) = [remedy for _, message, remedy in doubts(wired) if '"fire"' in message]

    assert remedy.startswith('write fire = "staff_assist" in'), (
        "whoever obeys has a daemon that refuses its configuration"
    )


def test_a_profile_of_ones_own_is_read_over_a_bridge_that_has_one(wired):
    wired.replace("channels.toml", f"{SERVER} {ZIGBEE}", ZIGBEE)
    give_profile(wired, "duress")
    wired.append("devices.csv", "cord,button,oak,rm-204,old-button,cord,,,our-cord,\n")
    found = doubts(wired)

    assert found, "check is content, and a pull cord pages nobody"
    ((_, message, _),) = found
    assert 'cord can only say "duress" (profile our-cord)' in message
    assert lint.words(wired.load())[DeviceId("cord")] == {"duress"}


@pytest.mark.slow
@pytest.mark.parametrize("word", ["emergency", "panic", "sos", "duress"])
def test_a_wall_button_that_ships_pages_by_every_word_for_help(school, word):
    rules = school.load().registry.devices[DeviceId("button-204")].gestures
    assert rules.actions.get(word) in ("lockdown", "duress"), "a panic button pages nobody"


def test_a_word_that_the_profile_renames_calls_nobody_and_the_remedy_is_what_it_called_for(wired):
    wired.append("devices.csv", "sos 204,button,oak,rm-204,old-button,sos,,,zigbee2mqtt,\n")
    ((_, message, remedy),) = doubts(wired)

    assert message.startswith('sos 204 can say "duress" (profile zigbee2mqtt), which "old-button" does not know')
    assert 'write duress = "lockdown"' in remedy


def test_a_renamed_word_that_now_calls_for_less_is_said(wired):
    wired.append("devices.csv", "sos 204,button,oak,rm-204,wall-button,sos,,,zigbee2mqtt,\n")
    found = doubts(wired)

    assert found, "check is content, and an emergency key calls for less than is written"
    ((_, message, remedy),) = found
    assert '"emergency" of "wall-button" is never heard of sos 204' in message
    assert 'makes "duress" of it, which calls duress, not lockdown' in message
    assert remedy == 'write duress = "lockdown" in its actions, or remove emergency'


@pytest.mark.slow
def test_without_a_profile_in_its_row_it_is_said_of_what_the_source_renames(wired):
    """It may speak over either trigger; this word is lost if it is the bridge's."""
    wired.append("devices.csv", "sos 204,button,oak,rm-204,old-button,sos,,,,\n")
    ((_, message, remedy),) = doubts(wired)

    assert message.startswith('"emergency" of "old-button" calls nobody where sos 204 or its like is read by profile')
    assert 'write duress = "lockdown"' in remedy


@pytest.mark.slow
def test_the_panic_key_of_a_keypad_with_codes_is_missed(wired):
    """Whoever has codes is read where codes are."""
    wired.append("gestures.toml", '\n[keypad]\nactions = { police = "police_duress", panic = "lockdown" }\n')
    wired.append("devices.csv", f"keypad,button,oak,rm-204,keypad,keypad,,,,{hashed('9911', b'twelve bytes')}\n")
    ((_, message, remedy),) = doubts(wired)

    assert 'keypad can say "duress" (profile zigbee2mqtt), which "keypad" does not know' in message
    assert 'write duress = "lockdown"' in remedy


def test_codes_that_no_trigger_of_the_keypad_reads_are_refused(wired):
    """The docs' keypad under the example's own trigger: its duress code arrives as `disarm`."""
    wired.replace("channels.toml", f"{SERVER} {ZIGBEE}", PLAIN)
    wired.append("gestures.toml", '\n[keypad]\nactions = { police = "police_duress", duress = "lockdown" }\n')
    wired.append("devices.csv", f"keypad,button,oak,rm-204,keypad,keypad,,,,{hashed('9911', b'twelve bytes')}\n")
    found = [problem for problem in wired.problems() if problem.key == "duress_codes"]

    assert [problem.is_error for problem in found] == [True], "a code that is typed under threat calls nobody"
    assert "are read by no trigger that carries it" in found[0].message
    assert found[0].remedy == (
        'give its trigger in channels.toml decoder = "profiles", and options whose source is "alarmo" or "zigbee2mqtt"'
    )


@pytest.mark.slow
def test_a_button_that_no_profile_reads_is_not_judged(wired):
    """A profile may be named for its check-in window alone."""
    wired.replace("channels.toml", ZIGBEE, PLAIN)
    wired.append("devices.csv", "sos 204,button,oak,rm-204,old-button,sos,,,zigbee2mqtt,\n")
    assert doubts(wired) == []


@pytest.mark.slow
def test_what_a_device_can_say_is_known_by_its_profile(wired):
    wired.append("devices.csv", f"{FINCH},button,oak,rm-204,old-button,finch,,,tektelic-finch,\n")
    wired.append("devices.csv", "sos 204,button,oak,rm-204,old-button,sos,,,zigbee2mqtt,\n")
    words = lint.words(wired.load())

    assert words[DeviceId(FINCH)] == {"duress"}
    assert {"duress", "press", "hold"} <= words[DeviceId("sos 204")]
    assert "emergency" not in words[DeviceId("sos 204")]
    assert DeviceId("button-204") not in words
