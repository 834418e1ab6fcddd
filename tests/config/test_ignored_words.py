"""`"ignore"` in gestures.toml: the device says this word, and it means nothing."""

import pytest

from alertd.engine.gestures import IGNORED
from alertd.model.duress_code import hashed
from alertd.model.ids import DeviceId


def test_a_word_may_be_ignored(school):
    """What a Zigbee button says when the finger leaves it, in the example as it is shipped."""
    before = school.problems()
    school.replace("gestures.toml", 'release = "ignore"', 'release = "ignore", reset = "ignore"')

    assert school.problems() == before, "what the manual says cannot be written"
    assert not [each for each in before if IGNORED in each.message], "what the manual says cannot be written"
    actions = school.load().registry.devices[DeviceId("button-204")].gestures.actions
    assert (actions["release"], actions["hold"]) == (IGNORED, "lockdown")


def test_a_number_of_presses_is_not_ignored(school):
    school.replace("gestures.toml", '{ 1 = "medical" }', '{ 1 = "ignore" }')
    assert [each.key for each in school.problems() if IGNORED in each.message] == ["medical-button.presses.1"]


def test_a_row_without_gestures_of_ours_is_refused_and_nothing_else_is_said(school):
    row = "button-204,button,oak,rm-204,wall-button,"
    school.replace("devices.csv", row, row.replace("wall-button", "wall-buton"))

    (problem,) = [each for each in school.problems() if "gestures" in each.key or "actions" in each.key]
    assert (problem.file, problem.key) == ("devices.csv", "gestures")


WALL = (
    'presses = { 1 = "staff_assist", 4 = "lockdown" }\n'
    'actions = { hold = "lockdown", release = "ignore", emergency = "lockdown", '
    'panic = "duress", sos = "duress", duress = "duress" }\n'
)


@pytest.mark.parametrize(
    ("instead", "says"),
    [
        ('actions = { press = "ignore" }', "calls nobody"),
        ('actions = { release = "ignore" }', "calls nobody"),
        ('presses = { 1 = "staff_assist" }\nactions = { press = "ignore" }', "are not counted"),
        ('presses = { 2 = "staff_assist" }\nactions = { single = "ignore", hold = "ignore" }', ""),
        ('actions = { press = "ignore", hold = "lockdown" }', ""),
    ],
)
def test_a_button_whose_presses_call_nobody_is_warned_of(school, instead, says):
    """And not refused: a button that presses by itself is silenced so until it is mended."""
    before = school.lint_problems()
    line = school.replace("gestures.toml", WALL, f"{instead}\n") - 1  # of its table

    found = [p for p in school.lint_problems() if p not in before]
    wanted = [("gestures.toml", line, "wall-button.actions", False)] if says else []
    assert [(p.file, p.line, p.key, p.is_error) for p in found] == wanted, "check is content, and presses call nobody"
    assert all(says in p.message for p in found)


def test_the_word_of_a_duress_code_is_not_ignored(school):
    school.replace("gestures.toml", WALL, f'{WALL}\n[keypad]\nactions = {{ police = "ignore", panic = "lockdown" }}\n')
    school.replace("devices.csv", "assigned_to,roaming_sites\n", "assigned_to,roaming_sites,duress_codes\n")
    button, codes = "button-204,button,oak,rm-204,", hashed("9911", b"twelve bytes")
    school.replace("devices.csv", f"{button}wall-button,wall button,,", f"{button}keypad,keypad,,,{codes}")

    refused = [each.message for each in school.read_problems() if each.key == "duress_codes"]
    assert len(refused) == 1, "promise 2: a code that is typed under threat calls nobody, and check is content"
    assert "do not say whom" in refused[0]


def test_a_sensor_may_have_nothing_to_say(school):
    before = school.lint_problems()
    school.replace("gestures.toml", 'vape = "vape", masking = "masking", tamper = "tamper"', 'vape = "ignore"')
    assert school.lint_problems() == before
