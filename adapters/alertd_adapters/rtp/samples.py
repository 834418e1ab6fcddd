"""`Samples`: sound as it is worked on, 16 bits a sample, one channel. The rate travels beside it."""

from array import array
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    Samples = array[int]
else:
    Samples = array  # Python 3.11 cannot subscript it while it runs


def silence(seconds: float, rate_hz: int) -> "Samples":
    return array("h", bytes(2 * round(seconds * rate_hz)))
