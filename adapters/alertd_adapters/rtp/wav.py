"""WAV files, as people record them: PCM of 8 to 32 bits, float, µ-law; any rate, one channel or several.

Owns the reading. Python's own `wave` knows no float, no extensible header before 3.12 and no stream of unknown length,
which is what speech programs write. Must never trust a length in the file.
"""

import math
import struct
from array import array
from collections.abc import Iterator

from msgspec import Struct

from alertd_adapters.rtp.samples import Samples

BYTES_MAX = 64 * 1024 * 1024
RATES_HZ = (4_000, 192_000)
CHANNELS_MAX = 8
_PCM, _FLOAT, _MULAW, _EXTENSIBLE = 1, 3, 7, 0xFFFE


class WavError(ValueError):
    """The file is not such a recording; the message says what is wrong with it."""


class Recording(Struct, frozen=True):
    """One channel, 16 bits."""

    samples: Samples
    rate_hz: int

    @property
    def seconds(self) -> float:
        return len(self.samples) / self.rate_hz


def read(data: bytes) -> Recording:
    """Raises `WavError`."""
    if len(data) > BYTES_MAX:
        raise WavError(f"is larger than {BYTES_MAX // 1024 // 1024} MiB: an announcement is seconds long")
    if data[:4] != b"RIFF" or data[8:12] != b"WAVE":
        raise WavError("is no WAV file (no RIFF … WAVE at its start); convert it with: sox INPUT -b 16 OUTPUT.wav")
    shape: tuple[int, int, int, int] | None = None
    for name, chunk in _chunks(data):
        if name == b"fmt ":
            shape = _shape(chunk)
        elif name == b"data":
            if shape is None:
                raise WavError("has its data before the description of its format")
            return _recording(chunk, *shape)
    raise WavError("has no data in it")


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 12
    while at + 8 <= len(data):
        name, size = data[at : at + 4], int.from_bytes(data[at + 4 : at + 8], "little")
        yield name, data[at + 8 : at + 8 + size]  # a size beyond the end is a stream's: all that came
        at += 8 + size + size % 2


def _shape(chunk: bytes) -> tuple[int, int, int, int]:
    """Format, channels, rate, bytes a sample."""
    if len(chunk) < 16:
        raise WavError("has a broken description of its format")
    kind, channels, rate_hz, _, _, bits = struct.unpack_from("<HHIIHH", chunk)
    if kind == _EXTENSIBLE and len(chunk) >= 26:
        kind = int.from_bytes(chunk[24:26], "little")
    if not 1 <= channels <= CHANNELS_MAX:
        raise WavError(f"has {channels} channels: record one, or two")
    if not RATES_HZ[0] <= rate_hz <= RATES_HZ[1]:
        raise WavError(f"has {rate_hz} samples a second: record at 16000 or more")
    if (kind, bits) not in _UNPACK:
        raise WavError(f"has a coding (format {kind}, {bits} bits) that is not read here: save it as 16-bit PCM")
    return kind, channels, rate_hz, bits // 8


def _recording(data: bytes, kind: int, channels: int, rate_hz: int, width: int) -> Recording:
    frames = len(data) // (width * channels)
    if frames == 0:
        raise WavError("is empty: no sound was recorded")
    samples = _UNPACK[kind, width * 8](data[: frames * channels * width])
    if channels > 1:
        mixed = zip(*(samples[channel::channels] for channel in range(channels)), strict=True)
        samples = array("h", (sum(frame) // channels for frame in mixed))
    return Recording(samples, rate_hz)


def _eight(data: bytes) -> Samples:
    return array("h", ((byte - 128) << 8 for byte in data))


def _sixteen(data: bytes) -> Samples:
    return array("h", struct.unpack(f"<{len(data) // 2}h", data))


def _twenty_four(data: bytes) -> Samples:
    kept = bytearray(len(data) // 3 * 2)
    kept[0::2], kept[1::2] = data[1::3], data[2::3]
    return _sixteen(bytes(kept))


def _thirty_two(data: bytes) -> Samples:
    kept = bytearray(len(data) // 2)
    kept[0::2], kept[1::2] = data[2::4], data[3::4]
    return _sixteen(bytes(kept))


def _float(data: bytes) -> Samples:
    values = struct.unpack(f"<{len(data) // 4}f", data)
    return array("h", (_from_float(value) for value in values))


def _from_float(value: float) -> int:
    if math.isnan(value):
        return 0
    return round(32767 * max(-1.0, min(1.0, value)))


def _mulaw(data: bytes) -> Samples:
    return array("h", (_EXPANDED[byte] for byte in data))


def _expand(code: int) -> int:
    code = ~code & 0xFF
    magnitude = ((((code & 0x0F) << 1) + 33) << (code >> 4 & 7)) - 33
    return -4 * magnitude if code & 0x80 else 4 * magnitude


_EXPANDED = tuple(_expand(code) for code in range(256))
_UNPACK = {
    (_PCM, 8): _eight,
    (_PCM, 16): _sixteen,
    (_PCM, 24): _twenty_four,
    (_PCM, 32): _thirty_two,
    (_FLOAT, 32): _float,
    (_MULAW, 8): _mulaw,
}
