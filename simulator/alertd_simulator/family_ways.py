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
    How.SINGLE: "once",
    How.BURST: "several in a row, 0.3 s apart",
    How.COPIES: "once; three gateways hear it, and a server hands it on once more",
    How.RETAINED: "once, published retained: the broker keeps it",
    How.REPLAYED: "once; the same bytes again 3 s and 60 s later",
    How.LATE: "once, an hour ago, as a gateway that was offline sends it on",
    How.DYING: "a battery that falls to nothing; then a press, then silence",
    How.SILENT: "it says that it lives, three times, and then nothing any more",
    How.FLOOD: "the same thirty times, a second apart",
}
