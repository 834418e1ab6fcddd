"""What can happen to a device that `alertd-sim devices play` plays. Small, because the command line reads it."""

from collections.abc import Mapping
from enum import StrEnum


class How(StrEnum):
    SINGLE = "single"
    BURST = "burst"
    COPIES = "copies"
    RETAINED = "retained"
    REPLAYED = "replayed"
    LATE = "late"
    DYING = "dying"
    SILENT = "silent"
    FLOOD = "flood"


WORDS: Mapping[How, str] = {
    How.SINGLE: "one press",
    How.BURST: "presses in a row, 0.3 s apart",
    How.COPIES: "one press that three gateways hear, and a server hands on once more",
    How.RETAINED: "one press, published retained: the broker keeps it",
    How.REPLAYED: "one press; the same bytes again 3 s and 60 s later",
    How.LATE: "one press of an hour ago, as a gateway that was offline sends it on",
    How.DYING: "a battery that falls to nothing; then a press, then silence",
    How.SILENT: "it says that it lives, three times, and then nothing any more",
    How.FLOOD: "a sensor that says the same thirty times, a second apart",
}
