"""How long a message takes from bytes to signals. CPU time: the machine may be busy. And what it leaves behind."""

import contextlib
import gc
import statistics
import time

import pytest

from alertd.ports import DecodeError
from alertd_adapters.decoders.mapping.checking import registry_of
from alertd_adapters.decoders.mapping.decoder import MappedDecoder
from alertd_adapters.decoders.mapping.library import PROFILE, SOURCE, built_in
from tests.adapters.decoders.mapping.samples import decoder_of, samples

MEDIAN_US = 50
"""What the project's design asks of the median."""
ROUNDS = 200


def _examples() -> list[tuple[MappedDecoder, str, bytes]]:
    found = []
    library = built_in()
    for (kind, name), entry in library.entries.items():
        for example in entry.written.examples:
            names = [example.device, *(each["device"] for each in example.expect if isinstance(each, dict))]
            source = name if kind == SOURCE else example.source
            registry = registry_of([each for each in names if each], name if kind == PROFILE else "")
            found.append((decoder_of(library, source, registry), example.topic, example.payload.encode()))
    return found


def _real() -> list[tuple[MappedDecoder, str, bytes]]:
    library = built_in()
    return [
        (decoder_of(library, each.source, registry_of([each.device_id], each.profile)), each.topic, each.payload)
        for each in samples()
        if each.source
    ]


def _us(decoder: MappedDecoder, topic: str, payload: bytes) -> float:
    taken = []
    for _ in range(ROUNDS):
        begun = time.thread_time_ns()
        with contextlib.suppress(DecodeError):
            decoder.decode(topic, payload)
        taken.append(time.thread_time_ns() - begun)
    return statistics.median(taken) / 1_000


@pytest.mark.bench
def test_a_message_is_decoded_in_time():
    for what, messages in (("profiles' own examples", _examples()), ("samples of real devices", _real())):
        if not messages:
            continue
        times = sorted(_us(*message) for message in messages)
        median = statistics.median(times)
        print(f"\n{what}: {len(times)} messages, median {median:.0f} µs, slowest {times[-1]:.0f} µs")
        assert median <= MEDIAN_US


def test_a_message_leaves_nothing_for_pythons_cycle_collector():
    """While it collects, no press goes on: among 2,000 messages a second it stopped everything for 20 ms and more."""
    messages = _examples() + _real()
    _decode_all(messages)  # whatever is made once is made now
    gc.collect()
    gc.freeze()
    gc.disable()
    try:
        _decode_all(messages)
        left = gc.collect()
    finally:
        gc.enable()
        gc.unfreeze()
    assert left == 0, "the cycle collector has work to do"


def _decode_all(messages: list[tuple[MappedDecoder, str, bytes]]) -> None:
    for decoder, topic, payload in messages:
        with contextlib.suppress(DecodeError):
            decoder.decode(topic, payload)
