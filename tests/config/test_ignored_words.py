"""`"ignore"` in gestures.toml: the device says this word, and it means nothing."""

from alertd.engine.gestures import IGNORED
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
