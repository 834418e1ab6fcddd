"""Which recordings are in what a loudspeaker heard, and where: an ear that knows a voice, not a language.

Owns the search. It compares sound with sound, loudness first and then every sample, so another sentence by the same
voice is not taken for it. Must share nothing with the sender. Both are 8000 samples a second.
"""

import itertools
import math
import wave
from array import array
from collections.abc import Sequence
from pathlib import Path

from msgspec import Struct

RATE_HZ = 8_000
FRAME = 80
"""Samples of one step of the first, coarse look: 10 ms."""
COARSE, FINE = 0.8, 0.9
"""Correlation at which a place is looked at closely, and at which it is the recording. µ-law alone costs 0.001."""
ANCHOR = 1_600
"""Samples by which the place is found to the sample: 200 ms."""
STEPS = 120
"""Samples to either side that the coarse look may be wrong by."""
SECONDS_MAX = 30
"""What is longer is no announcement; the rest of it is not looked at."""


class RecordingError(ValueError):
    """This is no recording that an ear could know."""


class Found(Struct, frozen=True, kw_only=True, order=True):
    at_s: float
    """Since what was heard began."""
    ends_s: float
    words: str


class Known(Struct, frozen=True):
    """A recording, and what it says."""

    words: str
    samples: tuple[int, ...]
    loudness: tuple[float, ...]

    @property
    def seconds(self) -> float:
        return len(self.samples) / RATE_HZ


def learnt(words: str, file: Path) -> Known:
    """Raises `RecordingError`."""
    try:
        with wave.open(str(file)) as wav:
            channels, width, rate_hz = wav.getnchannels(), wav.getsampwidth(), wav.getframerate()
            data = wav.readframes(min(wav.getnframes(), rate_hz * SECONDS_MAX))
    except (OSError, EOFError, wave.Error) as error:
        raise RecordingError(f"{file}: {error}") from None
    if width != 2 or rate_hz < RATE_HZ:
        raise RecordingError(f"{file}: not of 16 bits and at least {RATE_HZ} samples a second")
    samples = _brought_down(array("h", data)[::channels], rate_hz)
    if len(samples) < 2 * ANCHOR:
        raise RecordingError(f"{file}: too short to be known again")
    return Known(words, tuple(samples), tuple(_loudness(samples)))


def _brought_down(samples: Sequence[int], rate_hz: int) -> list[int]:
    """To 8000 a second, by the mean of what each spans: coarse, and good enough to know a sentence by."""
    ratio = rate_hz / RATE_HZ
    edges = [round(n * ratio) for n in range(int(len(samples) / ratio) + 1)]
    return [sum(samples[a:b]) // (b - a) for a, b in itertools.pairwise(edges) if b > a]


def find(heard: Sequence[int], known: Sequence[Known], *, from_s: float = 0.0) -> list[Found]:
    """Every place after `from_s` at which one of them is heard whole, in order."""
    first = int(from_s * RATE_HZ)
    part = heard[first:]
    loudness = _loudness(part)
    found = []
    for each in known:
        for start in _places(part, loudness, each):
            at_s = (first + start) / RATE_HZ
            found.append(Found(at_s=at_s, ends_s=at_s + each.seconds, words=each.words))
    return sorted(found)


def _loudness(samples: Sequence[int]) -> list[float]:
    return [_rms(samples[at : at + FRAME]) for at in range(0, len(samples) - FRAME + 1, FRAME)]


def _rms(piece: Sequence[int]) -> float:
    return math.sqrt(sum(sample * sample for sample in piece) / FRAME)


def _places(heard: Sequence[int], loudness: Sequence[float], known: Known) -> list[int]:
    """First samples of where it is heard."""
    places: list[int] = []
    length = len(known.loudness)
    scores = [_alike(loudness[at : at + length], known.loudness) for at in range(len(loudness) - length + 1)]
    for frame, score in enumerate(scores):
        around = scores[max(0, frame - 3) : frame + 4]
        if score < COARSE or score < max(around):
            continue
        start = _to_the_sample(heard, known, frame * FRAME)
        whole = heard[start : start + len(known.samples)]
        if len(whole) == len(known.samples) and _alike(whole, known.samples) >= FINE:
            places.append(start)
    return places


def _to_the_sample(heard: Sequence[int], known: Known, near: int) -> int:
    loudest = max(range(len(known.loudness)), key=lambda frame: known.loudness[frame]) * FRAME
    at = min(max(0, loudest - ANCHOR // 2), len(known.samples) - ANCHOR)
    anchor = known.samples[at : at + ANCHOR]
    candidates = range(max(0, near - STEPS), near + STEPS + 1)
    return max(candidates, key=lambda start: _alike(heard[start + at : start + at + ANCHOR], anchor))


def _alike(one: Sequence[float], other: Sequence[float]) -> float:
    """Correlation; 0 for silence, and for what is too short to be compared."""
    if len(one) != len(other):
        return 0.0
    product = sum(a * b for a, b in zip(one, other, strict=True))
    power = sum(a * a for a in one) * sum(b * b for b in other)
    return float(product / math.sqrt(power)) if power > 0 else 0.0
