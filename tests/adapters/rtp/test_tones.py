"""Tones are what they are said to be, and none of them means fire or gas."""

import itertools
import math

import pytest

from alertd_adapters.rtp.tones import NOTES, TONES, tone, why_refused

RATE = 8_000


def pitch(samples, rate=RATE) -> float:
    """Hertz, from the crossings of zero upwards."""
    ups = [n + a / (a - b) for n, (a, b) in enumerate(itertools.pairwise(samples)) if a < 0 <= b]
    return rate * (len(ups) - 1) / (ups[-1] - ups[0])


def test_hi_lo_is_two_seconds_of_two_notes_by_turns():
    samples = tone("hi_lo", RATE)

    assert len(samples) == 2 * RATE
    quarters = [samples[start : start + RATE // 4] for start in range(0, 2 * RATE, RATE // 4)]
    assert [round(pitch(quarter[100:-100])) for quarter in quarters] == [1000, 800] * 4
    assert max(samples) <= 32767 / 2, "-6 dBFS"


def test_a_chime_is_two_falling_notes_that_die_away():
    samples = tone("chime", RATE)
    first, second = samples[: RATE // 2], samples[RATE // 2 :]

    assert pitch(first) == pytest.approx(659.26, rel=0.01)
    assert pitch(second) == pytest.approx(523.25, rel=0.01)
    assert max(map(abs, first[-100:])) < max(map(abs, first)) / 100


def test_notes_begin_and_end_softly():
    for name in TONES:
        samples = tone(name, RATE)
        assert not samples or (abs(samples[0]), abs(samples[-1])) == (0, 0)
        steps = [abs(one - other) for one, other in itertools.pairwise(samples)]
        assert max(steps, default=0) < 2 * math.pi * 1000 / RATE * 32767 / 2 * 1.05, "no click"


@pytest.mark.parametrize("name", ["temporal-3", "Temporal_3", "temporal3", "T-3", "code-3", "temporal-4", "CODE 4"])
def test_the_tones_of_fire_and_gas_are_refused_with_the_reason(name):
    why = why_refused(name)

    assert why is not None
    assert "fire" in why or "carbon monoxide" in why
    assert "hi_lo" in why


def test_an_unknown_tone_is_refused_with_those_that_there_are():
    assert why_refused("siren") == "'siren' is no tone; use one of hi_lo, chime, none"
    assert all(why_refused(name) is None for name in TONES)


def test_no_tone_of_ours_has_the_cadence_of_an_evacuation_signal():
    """Three (or four) equal sounds with equal pauses between them, then a long pause: ours have no pause at all."""
    for name in TONES:
        samples = tone(name, RATE)
        quiet = longest = 0
        for sample in samples:
            quiet = quiet + 1 if abs(sample) < 8 and not any(note.dies for note in NOTES[name]) else 0
            longest = max(longest, quiet)
        assert longest / RATE < 0.05, name
