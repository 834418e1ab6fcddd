"""The tones that say "listen" before words. Owns their notes; must never make one that means fire or gas.

Temporal-3 means fire and evacuate (NFPA 72, ISO 8201), temporal-4 carbon monoxide (NFPA 72, NFPA 720): whoever hears
one leaves the room, which in a lockdown kills. They are refused by name, with that reason.
"""

import math
from array import array
from functools import cache
from typing import Literal

from msgspec import Struct

from alertd_adapters.rtp.samples import Samples

ToneName = Literal["hi_lo", "chime", "none"]
TONES: tuple[ToneName, ...] = ("hi_lo", "chime", "none")

PEAK = 0.5
"""-6 dBFS: as loud as loud speech, and no receiver's gain clips it."""
EDGE_S = 0.005
"""Each note rises and falls so long: a hard edge clicks, and takes the first packet's energy with it."""

RESERVED = {
    "temporal3": "temporal-3 means fire: people would leave their rooms (NFPA 72, ISO 8201)",
    "t3": "temporal-3 means fire: people would leave their rooms (NFPA 72, ISO 8201)",
    "code3": "Code-3 is temporal-3, which means fire: people would leave their rooms (NFPA 72, ISO 8201)",
    "temporal4": "temporal-4 means carbon monoxide: people would leave the building (NFPA 72)",
    "t4": "temporal-4 means carbon monoxide: people would leave the building (NFPA 72)",
    "code4": "Code-4 is temporal-4, which means carbon monoxide: people would leave the building (NFPA 72)",
}


class Note(Struct, frozen=True, kw_only=True):
    """One steady or dying sound."""

    hz: float
    seconds: float
    dies: bool = False
    """Falls to a thousandth over its length, like something struck."""


_HIGH, _LOW = Note(hz=1000.0, seconds=0.25), Note(hz=800.0, seconds=0.25)
NOTES: dict[ToneName, tuple[Note, ...]] = {
    # Hi-lo: 1000 and 800 Hz, a quarter of a second each, as alarm sounders make it (Eaton Wheelock MT, tone table);
    # 2 s as messages.md wants it. No building code gives it another meaning indoors.
    "hi_lo": (_HIGH, _LOW) * 4,
    # Two falling notes, E5 and C5 of equal temperament (A4 = 440 Hz, ISO 16): the usual sign of a plain announcement.
    "chime": (Note(hz=659.26, seconds=0.5, dies=True), Note(hz=523.25, seconds=0.9, dies=True)),
    "none": (),
}


def why_refused(name: str) -> str | None:
    """Why a tone of this name is never made; `None` if it is one of ours."""
    if name in TONES:
        return None
    plain = "".join(char for char in name.casefold() if char.isalnum())
    if reason := RESERVED.get(plain):
        return f"{reason}; use hi_lo"
    return f"{name!r} is no tone; use one of {', '.join(TONES)}"


@cache
def tone(name: ToneName, rate_hz: int) -> Samples:
    """Samples, 16 bits. The same array every time: add to it, never change it."""
    samples: Samples = array("h")
    for note in NOTES[name]:
        samples.extend(_sound(note, rate_hz))
    return samples


def _sound(note: Note, rate_hz: int) -> Samples:
    count = round(note.seconds * rate_hz)
    edge = max(1, round(EDGE_S * rate_hz))
    step = 2 * math.pi * note.hz / rate_hz
    decay = math.log(1000) / count if note.dies else 0.0
    peak = 32766 * PEAK
    return array(
        "h",
        (
            round(
                peak * min(1.0, index / edge, (count - 1 - index) / edge)
                * math.exp(-decay * index) * math.sin(step * index)
            )
            for index in range(count)
        ),
    )  # fmt: skip
