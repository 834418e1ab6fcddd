"""A few thousand mutated payloads, always the same ones. `make fuzz` tries a million."""

import sys
from contextlib import nullcontext
from random import Random
from types import SimpleNamespace

import pytest

from alertd_adapters.decoders.mapping.library import built_in
from tests.fuzz import by_coverage
from tests.fuzz.mutating import dressed
from tests.fuzz.run import fuzz
from tests.fuzz.target import FalsePageError, LostPressError, Seed, seeds, try_dressed, try_one

QUICK, SLOW = 1_500, 30_000
SLOWEST_S = 0.05
"""Of CPU, for a message of 64 KiB at worst; the median has 50 µs (test_decode_time.py)."""


@pytest.mark.slow
def test_no_mutated_payload_breaks_anything_or_pages_anybody_falsely():
    fuzz(QUICK, 1, tell_every=0)


@pytest.mark.slow
def test_nor_do_many_and_none_takes_long():
    assert fuzz(SLOW, 2, tell_every=0).seconds < SLOWEST_S


def test_every_true_message_is_one_that_the_target_takes_and_none_that_is_no_press_calls_anybody():
    every = seeds()
    assert len({seed.source for seed in every}) > 30
    assert [each for seed in every if (each := _wrong(seed))] == [], "a true message that is no press calls somebody"
    quiet = {_read_by(seed) for seed in every if seed.is_quiet}
    assert {_read_by(seed) for seed in every} - quiet == {"fixed-code-433"}, "it says nothing but its code"


def _wrong(seed: Seed) -> str:
    try:
        try_dressed(seed, seed.payload)
    except (FalsePageError, LostPressError) as error:
        return str(error)
    return ""


def _read_by(seed: Seed) -> str:
    own = built_in().sources.get(seed.source)
    return seed.profile or (own.profile if own is not None else seed.source)


def test_what_nobody_reads_changes_nothing():
    random = Random("dressed")
    for seed in seeds():
        try_dressed(seed, dressed(seed.payload, random))


@pytest.mark.parametrize(
    "seed",
    [
        Seed("chirpstack-v4", "lorawan-sensor", "a:b", "application/a/device/a:b/event/up", b'{"action": "press"}'),
        Seed("zigbee2mqtt", "", "nobody", "zigbee2mqtt/desk", b'{"action": "press"}'),
    ],
)
def test_the_target_knows_a_false_page_when_it_sees_one(seed, monkeypatch):
    """As if a rule made a press of everything."""
    from alertd.model.events import Signal
    from alertd.model.ids import DeviceId
    from alertd_adapters.mqtt.decoding import Decoded, Triggers
    from tests.engine import school

    named = next(iter(school.registry().devices)) if seed.device == "nobody" else seed.device
    signal = Signal(device_id=DeviceId(named), action="press")
    monkeypatch.setattr(Triggers, "decode", lambda self, topic, payload: Decoded(signals=(signal,)))
    with pytest.raises(FalsePageError):
        try_one(seed, seed.payload)


def test_the_target_knows_what_became_a_press_and_what_is_none_any_more():
    """Which the payload says that another seed has."""
    said = {seed.payload: seed for seed in seeds() if seed.profile == "esphome"}
    on, off = said[b"ON"], said[b"OFF"]
    assert (on.is_quiet, off.is_quiet) == (False, True)
    with pytest.raises(FalsePageError):
        try_dressed(off, b"ON")
    with pytest.raises(LostPressError):
        try_dressed(on, b"OFF")


# --- guided by coverage -----------------------------------------------------------------------------------------------


def test_without_atheris_it_says_how_to_get_it(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "atheris", None)
    by_coverage.main()
    assert ".venv/bin/pip install 'atheris>=3'" in capsys.readouterr().out, "--group needs a pip of 2025"


def test_what_breaks_has_a_place_to_be_written_to_in_a_fresh_clone(monkeypatch, tmp_path):
    """In place of atheris: what it is told, and whether the folder is there by then."""
    told: list[str] = []

    def set_up(arguments, target):
        target(b"\0\0\1payload")
        told.extend(arguments)

    fake = SimpleNamespace(instrument_imports=lambda include: nullcontext(), Setup=set_up, Fuzz=lambda: None)
    monkeypatch.setitem(sys.modules, "atheris", fake)
    monkeypatch.setattr("structlog.configure", lambda **more: None)
    monkeypatch.setattr("sys.argv", ["by_coverage", "7"])
    monkeypatch.chdir(tmp_path)
    by_coverage.main()
    (prefix,) = (each.partition("=")[2] for each in told if each.startswith("-artifact_prefix="))
    assert "-runs=7" in told
    assert (tmp_path / prefix).is_dir()
