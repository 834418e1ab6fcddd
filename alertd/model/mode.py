"""`Mode`: is this real? One typed field from trigger to receipt (promise 3)."""

from enum import StrEnum


class Mode(StrEnum):
    """CAP 1.2 status, as alertd uses it: Actual, Exercise, Test (req 39, req 74).

    Never taken from a payload, never defaulted: whoever builds a value with a mode says which.
    """

    LIVE = "live"
    DRILL = "drill"
    TEST = "test"
