"""What a rule of a device profile may say that a message is: a closed list, so that a misspelt word is an error.

Owns which of them can page at all. What a press means for a school is not decided here: gestures and policy do that.
"""

from types import MappingProxyType

TRIGGERS = MappingProxyType(
    {
        "press": "a press, which gestures count",
        "press_or_release": "a press, or that it was let go: the device says the same of both, and it counts in doubt",
        "double_press": "two presses that the device itself put together, and so many more for gestures",
        "triple_press": "three of them",
        "multi_press": "more than three of them",
        "long_press": "the button was held for a moment",
        "hold": "the button is held",
        "duress": "help is called for: an SOS, panic or emergency key, a duress code",
        "alarm": "an alarm whose kind only the site knows",
        "medical": "a medical key",
        "fire": "a fire key",
        "police": "a code typed under threat: the answer must be silent",
        "own_word": "a word that the profile does not know: the device's own word is the action",
        "vape": "vape",
        "thc": "vape with THC",
        "smoking": "cigarette smoke",
        "masking": "somebody hides what a sensor would smell",
        "tamper": "somebody opens, moves or takes down a device",
        "aggression": "loud, angry voices",
        "keyword": "a spoken word that the sensor listens for",
        "gunshot": "a shot",
    }
)
"""Become signals: the event, or the rule's `action`, is the signal's action."""

PRESS_OR_RELEASE = "press_or_release"
"""Of triggers: a press to gestures, and nobody knows whether it is one (`Signal.doubtful`)."""
OWN_WORD = "own_word"
"""Of triggers: nobody knows what it calls for, or whether it does."""

QUIET = MappingProxyType(
    {
        "none": "nothing happened",
        "heartbeat": "it lives",
        "status": "readings or states",
        "position": "where it is",
        "release": "a button was let go",
        "duress_clear": "the device itself ended its alarm; this never closes an incident",
        "alarm_clear": "the same of an alarm",
        "vape_clear": "the air is clear again",
        "masking_clear": "nothing is hidden any more",
        "tamper_clear": "the device is whole again",
        "arm": "a panel was armed",
        "disarm": "a panel was disarmed",
        "open": "a contact opened",
        "close": "a contact closed",
        "online": "it started, or is there again",
        "offline": "it, or the way to it, is gone",
        "join": "it joined its network",
        "config": "a setting changed",
        "discovery": "it describes itself",
        "downlink": "something was sent to it",
        "low_battery": "its battery is nearly empty",
        "fault": "it, or the way to it, is faulty",
        "test": "marked as a test by its source",
        "other": "known, and no press",
    }
)
"""Never become signals."""

ENDINGS = frozenset({"duress_clear", "alarm_clear"})
"""Quiet ones by which a device says that it no longer calls for help: its next call is a new one. So does any quiet
event of a level."""

RESETS = MappingProxyType({"vape_clear": "vape", "masking_clear": "masking", "tamper_clear": "tamper"})
"""Quiet ones by which a sensor says that an alarm is over -> that alarm. Of anything else they say nothing of calls."""
SENSED = frozenset({"vape", "thc", "smoking", "masking", "aggression", "keyword", "gunshot", "tamper"})
"""What a sensor may measure as a number, without saying that it is an alarm."""

UNREADABLE = "unreadable"
"""A press may be inside, and nobody can read it (an encrypted advertisement): refused, which is a trouble."""

ALL = frozenset({*TRIGGERS, *QUIET, UNREADABLE})


def action_of(event: str) -> str:
    """What gestures call it."""
    return "press" if event == PRESS_OR_RELEASE else event
