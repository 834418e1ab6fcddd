"""Duress codes in devices.csv: hashes only, of a keypad whose gestures know what they mean. Never quoted."""

import pytest

from alertd.model.duress_code import hashed
from alertd.model.ids import DeviceId

HASH, OTHER = hashed("9911", b"twelve bytes"), hashed("9912", b"twelve bytes")
pytestmark = pytest.mark.slow  # each reads a whole district
ROW = "button-204,button,oak,rm-204,wall-button,wall button,,"


PLAIN = '{ topic = "zigbee2mqtt/+", decoder = "zigbee2mqtt" },'
BY_PROFILE = '{ topic = "zigbee2mqtt/+", decoder = "profiles", options = { source = "zigbee2mqtt" } },'


@pytest.fixture
def keypad(school):
    school.replace("channels.toml", PLAIN, BY_PROFILE)
    school.replace("devices.csv", "assigned_to,roaming_sites\n", "assigned_to,roaming_sites,duress_codes\n")
    school.replace(
        "gestures.toml", "[medical-button]", '[keypad]\nactions = { police = "medical" }\n\n[medical-button]'
    )
    return school


def row(school, gestures: str, codes: str) -> list[str]:
    school.replace("devices.csv", ROW, f"button-204,button,oak,rm-204,{gestures},keypad,,,{codes}")
    return [problem.message for problem in school.problems() if problem.key == "duress_codes"]


def test_hashes_are_taken(keypad):
    assert row(keypad, "keypad", f"{HASH};{OTHER}") == []
    assert keypad.load().registry.devices[DeviceId("button-204")].duress_codes == (HASH, OTHER)


def test_a_code_that_somebody_wrote_down_as_it_is_is_refused_and_not_repeated(keypad):
    (message,) = row(keypad, "keypad", "739154")

    assert "no hash of a code" in message
    assert "739154" not in str(keypad.problems())


def test_gestures_that_do_not_know_the_word_police_would_tell_nobody(keypad):
    (message,) = row(keypad, "wall-button", HASH)

    assert "do not say whom" in message
    assert "police" in message


def test_more_codes_than_a_keypad_needs_are_refused(keypad):
    assert "5 hashes" in row(keypad, "keypad", ";".join(hashed(f"991{n}", b"twelve bytes") for n in range(5)))[0]


def test_a_source_that_reads_no_codes_does_not_help(keypad):
    keypad.replace(
        "channels.toml",
        BY_PROFILE,
        '{ topic = "shellies/+/input_event/+", decoder = "profiles", options = { source = "shelly-gen1" } },',
    )
    assert "are read by no trigger" in row(keypad, "keypad", HASH)[0]
