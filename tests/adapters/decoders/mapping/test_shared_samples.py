"""Every sample of a real device means what an independent reader says it means, and no near miss is a press.

The exceptions are argued one by one below; each is held to what is argued, so that none hides a defect.
"""

from pathlib import Path

import pytest

from alertd.engine.routing import route
from alertd.model.events import Arrival, Pressed
from alertd_adapters.decoders.mapping.checking import registry_of
from tests.adapters.decoders.mapping.samples import FOLDER, Sample, samples

REFUSED = {
    "brave-unrecognised": "no base64: it may have been a press, so a trouble says so; it is never one",
    "theengs-blu-encrypted": "a press may be inside, and nobody can read it: refused is how a trouble is raised",
}
NOT_REGISTERED = {
    "chirpstack-v4-up": "a device that nobody registered: counted, listed, and no trouble",
    "tts-v3-up-generic": "the same",
    "thingpark-uplink-foreign": "the same: a rain gauge",
}
NOTHING = {"homie-alert-removed": 'an empty payload deletes what was retained: nothing is read, which is "none"'}
RETAINED = {
    "esphome-binary-on-retained": "only the broker's flag tells it from a press: the core never pages on it",
    "zwave-central-scene-cached": "the same; and its time is a day old",
}
SAME_PRESS = {
    "meraki-mt30-dup-other-ap": "a copy over another access point; were the first lost, it must page",
    "shelly-gen1-repeat-same-count": "the same count again; were the first lost, it must page",
}
STORED = {"sparkplug-ddata-historical": "an hour old and marked so: people are told, dispatch waits for one of them"}
LIKE_AN_ALARM = {"halo-test-button": "its test button sends what an alarm sends: only alertd's own test mode can know"}
DOCS = Path(__file__).resolve().parents[4] / "docs" / "devices.md"

ALL = list(samples())
FAMILIES = sorted({sample.family for sample in ALL})
pytestmark = pytest.mark.skipif(not ALL, reason=f"no {FOLDER}: the device samples are not beside this checkout")


def test_there_is_an_argument_only_for_samples_that_there_are():
    argued = [REFUSED, NOT_REGISTERED, NOTHING, RETAINED, SAME_PRESS, STORED, LIKE_AN_ALARM]
    assert {name for each in argued for name in each} <= {sample.id for sample in ALL}
    assert [sample.id for sample in ALL if sample.source is None] == []


@pytest.mark.parametrize("family", FAMILIES)
def test_every_sample_means_what_it_means(family):
    argued = {*REFUSED, *NOT_REGISTERED, *NOTHING}
    mine = [sample for sample in ALL if sample.family == family and sample.id not in argued]

    assert [f"{each.id}: {wrong}" for each in mine if (wrong := each.wrong(each.outcome()))] == []


def test_no_near_miss_is_a_press():
    argued = {*RETAINED, *SAME_PRESS, *STORED, *LIKE_AN_ALARM}
    missed = [sample for sample in ALL if sample.near_miss and sample.id not in argued]

    assert len(missed) > 80
    assert [sample.id for sample in missed if sample.outcome().signals] == []


def test_what_is_no_panic_is_at_most_a_sensors_alarm():
    """`panic: false` without `near_miss`: vape, tamper, a lost gateway."""
    said = {s.action for sample in ALL if sample.panic is False and sample.source for s in sample.outcome().signals}
    pressed = {*RETAINED, *SAME_PRESS, *STORED}
    presses = {s.action for sample in ALL if sample.id in pressed for s in sample.outcome().signals}

    assert said - presses == {"vape", "thc", "masking", "tamper", "aggression"}


@pytest.mark.parametrize("name", REFUSED)
def test_what_may_be_a_press_and_cannot_be_read_is_refused(name):
    assert _sample(name).outcome().refused


@pytest.mark.parametrize("name", NOT_REGISTERED)
def test_a_stranger_on_a_network_server_is_counted(name):
    assert _sample(name).outcome().uncovered == "unregistered"


@pytest.mark.parametrize("name", NOTHING)
def test_an_empty_retained_payload_is_nothing(name):
    outcome = _sample(name).outcome()
    assert (outcome.readings, outcome.refused, outcome.uncovered) == ((), "", "")


@pytest.mark.parametrize("name", RETAINED)
def test_a_retained_press_reaches_the_core_as_retained(name):
    sample = _sample(name)
    assert sample.mqtt["delivered_retained"]
    arrival = Arrival(
        source="broker",
        topic=sample.topic,
        signals=sample.outcome().signals,
        received_us=1_772_460_307_000_000,
        arrival_id="1",
        retained=True,
    )
    (event,) = route(registry_of([sample.device_id], sample.profile), arrival)
    assert isinstance(event, Pressed)
    assert event.retained


@pytest.mark.parametrize("name", SAME_PRESS)
def test_a_copy_has_the_identity_of_its_first(name):
    sample = _sample(name)
    first = next((each for each in ALL if each.id == sample.meaning["repeat_of"]), sample)  # not every first is there
    (copy,), (original,) = sample.outcome().signals, first.outcome().signals
    assert copy.cause is not None or (copy.lasting is not None and copy.lasting.state)
    assert copy.cause == original.cause


def test_a_retry_under_the_same_alert_id_is_the_same_press():
    (first,), (retry,) = (
        _sample("safesignal-alert").outcome().signals,
        _sample("safesignal-alert-retry").outcome().signals,
    )
    assert first.cause is not None
    assert first.cause == retry.cause


@pytest.mark.parametrize("name", STORED)
def test_what_was_stored_on_its_way_is_late(name):
    (signal,) = _sample(name).outcome().signals
    assert signal.late
    assert signal.pressed_us == _sample(name).meaning["timestamp"] * 1_000


@pytest.mark.parametrize("name", LIKE_AN_ALARM)
def test_a_test_that_looks_like_an_alarm_is_an_alarm(name):
    (signal,) = _sample(name).outcome().signals
    (alarm,) = _sample("halo-vape-set").outcome().signals
    assert signal == alarm


def _sample(name: str) -> Sample:
    (found,) = [sample for sample in ALL if sample.id == name]
    return found


def test_the_table_in_the_docs_is_what_is_measured():
    """`pytest -s` prints it."""
    argued = {*REFUSED, *NOT_REGISTERED, *NOTHING, *RETAINED, *SAME_PRESS, *STORED, *LIKE_AN_ALARM}
    rows: list[tuple[str | int, ...]] = []
    for family in FAMILIES:
        mine = [sample for sample in ALL if sample.family == family]
        right = [each for each in mine if each.id not in argued and not each.wrong(each.outcome())]
        rows.append((family, len(mine), len(right), len([each for each in mine if each.id in argued])))
    counted = ((*row[1:],) for row in rows)
    rows.append(("**all**", *(sum(map(int, column)) for column in zip(*counted, strict=True))))
    table = "".join(f"| {' | '.join(map(str, row))} |\n" for row in rows)
    print(f"\n{table}")
    assert table in DOCS.read_text()
