"""µ-law against the standard's own values, resampling and recordings against what was recorded."""

import itertools
import math
import struct
from array import array

import pytest

from alertd_adapters.rtp import g711, wav
from alertd_adapters.rtp.resampling import resample
from tests.adapters.rtp.world import hum

# ITU-T G.711 (11/88) table 2a/2b: decoder output values (13-bit magnitudes) and the code that yields each.
TABLE_2A = {
    0xFF: 0, 0xFE: 2, 0xF0: 30, 0xEF: 33, 0xDF: 99, 0xCF: 231, 0xBF: 495, 0xAF: 1023,
    0x9F: 2079, 0x8F: 4191, 0x80: 8031,
}  # fmt: skip


@pytest.mark.parametrize(("code", "value"), TABLE_2A.items(), ids=hex)
def test_mulaw_gives_the_standards_code_for_each_of_its_values(code, value):
    assert g711.encode(array("h", [4 * value])) == bytes([code])
    if value:
        assert g711.encode(array("h", [-4 * value])) == bytes([code & 0x7F])


def test_mulaw_covers_the_whole_range_and_clips_at_its_ends():
    codes = g711.encode(array("h", [0, 32767, -32768, 8159 * 4, -8159 * 4]))

    assert codes == bytes([g711.SILENCE, 0x80, 0x00, 0x80, 0x00])
    assert set(g711.encode(array("h", range(-32768, 32768)))) == set(range(256))


def test_mulaw_never_reverses_two_samples():
    decoded = [wav._EXPANDED[code] for code in g711.encode(array("h", range(-32768, 32768)))]

    assert all(one <= other for one, other in itertools.pairwise(decoded))
    worst = max(abs(value - sample) for value, sample in zip(decoded, range(-32768, 32768), strict=True))
    assert worst <= 644, "half a step of the largest segment, and the clipped end"


def power(samples: array, hz: float, rate_hz: int) -> float:
    """Goertzel: the share of the power at one frequency."""
    step = 2 * math.pi * hz / rate_hz
    re = sum(sample * math.cos(step * n) for n, sample in enumerate(samples))
    im = sum(sample * math.sin(step * n) for n, sample in enumerate(samples))
    total = sum(sample * sample for sample in samples)
    return 2 * (re * re + im * im) / (len(samples) * total) if total else 0.0


@pytest.mark.parametrize(("from_hz", "to_hz"), [(22_050, 8_000), (44_100, 16_000), (16_000, 8_000), (8_000, 16_000)])
def test_resampling_keeps_a_note_and_its_length(from_hz, to_hz):
    recording = hum(1_000, 0.2, from_hz)

    made = resample(recording.samples, from_hz, to_hz)

    assert len(made) == pytest.approx(0.2 * to_hz, abs=1)
    middle = made[len(made) // 4 : 3 * len(made) // 4]
    assert power(middle, 1_000, to_hz) > 0.999
    assert max(middle) == pytest.approx(16_000, rel=0.02)


def test_resampling_leaves_out_what_the_lower_rate_cannot_carry():
    """A 6 kHz whistle would come out as a 2 kHz one."""
    made = resample(hum(6_000, 0.2, 22_050).samples, 22_050, 8_000)

    middle = made[len(made) // 4 : 3 * len(made) // 4]
    assert max(map(abs, middle)) < 16_000 / 300, "50 dB down"


def test_resampling_never_overflows():
    loudest = array("h", [32767, -32768] * 500)

    for rate in (8_000, 16_000, 44_100):
        assert resample(loudest, 22_050, rate)


def wav_file(
    kind: int, channels: int, rate: int, bits: int, data: bytes, *, extensible: bool = False, size=None
) -> bytes:
    width = bits // 8
    shape = struct.pack("<HHIIHH", kind, channels, rate, rate * channels * width, channels * width, bits)
    if extensible:
        shape = struct.pack("<H", 0xFFFE) + shape[2:] + struct.pack("<HHIH", 22, bits, 0, kind) + bytes(14)
    chunks = b"fmt " + struct.pack("<I", len(shape)) + shape
    chunks += b"LIST" + struct.pack("<I", 3) + b"abc\0"
    chunks += b"data" + struct.pack("<I", len(data) if size is None else size) + data
    return b"RIFF" + struct.pack("<I", 4 + len(chunks)) + b"WAVE" + chunks


VALUES = [0, 1000, -1000, 32767, -32768]
SIXTEEN = struct.pack("<5h", *VALUES)


@pytest.mark.parametrize(
    "data",
    [
        wav_file(1, 1, 16_000, 16, SIXTEEN),
        wav_file(1, 1, 16_000, 16, SIXTEEN, extensible=True),
        wav_file(1, 1, 16_000, 16, SIXTEEN, size=0x7FFFF000),
        wav_file(1, 1, 16_000, 24, b"".join(b"\x55" + struct.pack("<h", v) for v in VALUES)),
        wav_file(1, 1, 16_000, 32, b"".join(b"\x55\xaa" + struct.pack("<h", v) for v in VALUES)),
        wav_file(1, 2, 16_000, 16, b"".join(struct.pack("<hh", v, v) for v in VALUES)),
    ],
    ids=["16 bits", "extensible", "a stream", "24 bits", "32 bits", "stereo"],
)
def test_recordings_of_every_kind_are_read(data):
    recording = wav.read(data)

    assert list(recording.samples) == VALUES
    assert recording.rate_hz == 16_000


def test_coarser_recordings_are_read():
    assert list(wav.read(wav_file(1, 1, 8_000, 8, bytes([128, 255, 0]))).samples) == [0, 32512, -32768]
    floats = struct.pack("<4f", 0.0, 1.0, -2.0, math.nan)
    assert list(wav.read(wav_file(3, 1, 8_000, 32, floats)).samples) == [0, 32767, -32767, 0]
    assert list(wav.read(wav_file(7, 1, 8_000, 8, bytes([0xFF, 0x80, 0x00]))).samples) == [0, 32124, -32124]


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "no WAV"),
        (b"ID3\x04 an mp3", "sox"),
        (wav_file(1, 1, 16_000, 16, b""), "empty"),
        (wav_file(1, 0, 16_000, 16, SIXTEEN), "channels"),
        (wav_file(1, 1, 0, 16, SIXTEEN), "samples a second"),
        (wav_file(85, 1, 16_000, 16, SIXTEEN), "16-bit PCM"),
        (wav_file(1, 1, 16_000, 12, SIXTEEN), "12 bits"),
        (b"RIFF\x10\0\0\0WAVEdata\x04\0\0\0abcd", "before the description"),
        (b"RIFF\x10\0\0\0WAVEfmt \x04\0\0\0abcd", "broken"),
        (b"RIFF\x10\0\0\0WAVE", "no data"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_no_recording_is_refused_in_words(data, says):
    with pytest.raises(wav.WavError, match=says):
        wav.read(data)


def test_both_channels_of_a_stereo_recording_are_heard():
    """Some recorders put the voice on one of them."""
    data = wav_file(1, 2, 16_000, 16, struct.pack("<6h", 1000, 0, 0, 1000, 400, 600))

    assert list(wav.read(data).samples) == [500, 500, 500]


def test_a_recording_that_breaks_off_in_mid_sample_is_read_up_to_there():
    data = wav_file(1, 2, 16_000, 16, struct.pack("<4h", 10, 20, 30, 40) + b"\x01\x02\x03")

    assert list(wav.read(data).samples) == [15, 35]


def test_a_file_that_is_no_announcement_by_its_size_is_refused(monkeypatch):
    data = wav_file(1, 1, 16_000, 16, SIXTEEN)
    monkeypatch.setattr(wav, "BYTES_MAX", len(data) - 1)

    with pytest.raises(wav.WavError, match="seconds long"):
        wav.read(data)
