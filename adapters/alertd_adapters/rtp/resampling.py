"""Any sample rate to the loudspeakers' 8 or 16 kHz. Owns the filter; knows nothing of files or codecs.

A windowed sinc in plain Python. It takes about 40 ms for a second of speech, once, when an announcement is rendered:
numpy would do it in 2, and would bring 73 megabytes to every school.
"""

import math
from array import array
from functools import lru_cache
from operator import mul
from typing import TYPE_CHECKING

from alertd_adapters.rtp.samples import Samples

if TYPE_CHECKING:
    Weights = array[float]
else:
    Weights = array

CROSSINGS = 12
"""Zero crossings of the sinc on each side. Stopband below -60 dB with the window used, of which µ-law keeps 38."""
PASSED = 0.92
"""Share of the band that is kept; the rest is the filter's slope."""


def resample(samples: Samples, from_hz: int, to_hz: int) -> Samples:
    """16-bit samples at the other rate."""
    if from_hz == to_hz:
        return samples
    divisor = math.gcd(from_hz, to_hz)
    up, down = to_hz // divisor, from_hz // divisor
    phases, reach = _phases(up, down)
    padded = array("d", bytes(8 * reach)) + array("d", samples) + array("d", bytes(8 * (reach + 1)))
    width = 2 * reach + 1
    made: Samples = array("h")
    for index in range(math.ceil(len(samples) * up / down)):
        start, phase = divmod(index * down, up)
        value = sum(map(mul, phases[phase], padded[start : start + width]))
        made.append(max(-32768, min(32767, round(value))))
    return made


@lru_cache(maxsize=8)
def _phases(up: int, down: int) -> tuple[tuple[Weights, ...], int]:
    """Weights for each place that a new sample can have between two old ones, and how many old ones to each side."""
    band = PASSED * min(1.0, up / down)
    reach = math.ceil(CROSSINGS / band)
    return tuple(_weights(phase / up, band, reach) for phase in range(up)), reach


def _weights(offset: float, band: float, reach: int) -> Weights:
    weights = array("d", (_tap(position - offset, band, reach) for position in range(-reach, reach + 1)))
    total = sum(weights)
    return array("d", (weight / total for weight in weights))


def _tap(distance: float, band: float, reach: int) -> float:
    """Sinc under a Blackman window."""
    if abs(distance) >= reach:
        return 0.0
    x = math.pi * band * distance
    sinc = 1.0 if abs(x) < 1e-9 else math.sin(x) / x
    turn = math.pi * distance / reach
    return band * sinc * (0.42 + 0.5 * math.cos(turn) + 0.08 * math.cos(2 * turn))
