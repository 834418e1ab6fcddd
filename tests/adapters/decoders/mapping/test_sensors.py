"""What real sensors say: alarms, their ends, numbers; and what of a payload goes no further (req 65, 66, 73)."""

import json

import pytest
from msgspec.structs import replace

from alertd.model.events import Signal
from alertd.model.site import DeviceKind
from alertd.ports import DecodeError
from alertd_adapters.decoders.mapping.bindings import Bindings
from alertd_adapters.decoders.mapping.checking import problems, registry_of
from alertd_adapters.decoders.mapping.decoder import MappedDecoder
from alertd_adapters.decoders.mapping.library import built_in, library

EUI, MAC = "24e1240000000301", "B0:C5:CA:00:00:01"
UPLINK = f"application/7f3c/device/{EUI}/event/up"


def decoder(source: str, device: str, profile: str, kind: DeviceKind = DeviceKind.SENSOR) -> MappedDecoder:
    registry = registry_of([device], profile)
    devices = {id_: replace(each, kind=kind) for id_, each in registry.devices.items()}
    registry = replace(registry, devices=devices)
    found = built_in()
    return MappedDecoder(found.source(source), found.profiles, Bindings(lambda: registry))


def milesight(kind: DeviceKind = DeviceKind.SENSOR, **said: object) -> list[Signal]:
    payload = json.dumps({"deviceInfo": {"devEui": EUI}, "fPort": 85, "object": said}).encode()
    return list(decoder("chirpstack-v4", EUI, "milesight-gs601", kind).decode(UPLINK, payload))


def halo(**event: object) -> list[Signal]:
    payload = json.dumps({"event": {"Device": {"Mac": MAC}, **event}}).encode()
    return list(decoder("halo", MAC, "halo").decode("halo/B0C5CA000001/event", payload))


def said(signals: list[Signal]) -> list[tuple[str, float | None, bool]]:
    return [(s.action, s.reading, s.ends) for s in signals]


def test_a_periodic_report_is_a_number_and_no_alarm():
    assert said(milesight(vaping_index=63, battery=90)) == [("vape", 63.0, False)]


def test_the_bytes_say_the_same():
    payload = json.dumps({"deviceInfo": {"devEui": EUI}, "fPort": 85, "data": "AFoBPw=="}).encode()
    (signal,) = decoder("chirpstack-v4", EUI, "milesight-gs601").decode(UPLINK, payload)
    assert (signal.action, signal.reading) == ("vape", 63.0)


@pytest.mark.parametrize(
    ("alarm", "expected"),
    [
        ({"type": 17, "alarm_trigger": {"vaping_index": 42}}, ("vape", None, False)),
        ({"type": 16, "alarm_deactivation": {"vaping_index": 3}}, ("vape", None, True)),
        ({"type": 33}, ("masking", None, False)),
        ({"type": 32}, ("masking", None, True)),
    ],
)
def test_its_own_judgement_is_taken_whatever_the_number_beside_it(alarm, expected):
    assert said(milesight(vaping_index_alarm=alarm, vaping_index=42)) == [expected]


def test_of_a_device_that_is_no_sensor_numbers_and_ends_mean_nothing():
    assert milesight(DeviceKind.BUTTON, vaping_index=63) == []
    assert milesight(DeviceKind.BUTTON, tamper_status_alarm={"type": 32}) == []


@pytest.mark.parametrize("number", ["63", None, True, [63], 1e12])
def test_what_is_no_number_says_nothing(number):
    assert milesight(vaping_index=number, battery=90) == []


def test_halo_sets_and_resets():
    assert said(halo(ID="Vape", Status="true", Value="107.4")) == [("vape", None, False)]
    assert said(halo(ID="Vape", Status="reset", Value="12.1")) == [("vape", None, True)]
    assert [(s.ends, s.reading) for s in halo(ID="Gunshot", Status="reset")] == [(True, None)]


def test_what_a_payload_holds_beside_that_goes_no_further():
    signals = halo(
        ID="Vape",
        Status="true",
        student="Jamie Doe",
        audio="UklGRi4AAABXQVZF",
        video_url="rtsp://camera/1",
        transcript="let us meet at the gym",
    )
    shown = repr(signals)
    for secret in ("Jamie", "UklGR", "rtsp", "meet", "camera"):
        assert secret not in shown


@pytest.mark.parametrize("kind", [DeviceKind.SENSOR, DeviceKind.BUTTON])
@pytest.mark.parametrize("profile", ["milesight-gs601", ""], ids=["new firmware", "no profile"])
def test_the_decoder_knows_whether_whoever_it_cannot_read_ever_presses(kind: DeviceKind, profile: str):
    report = "AFoBDwAVBQ=="  # battery and index, and a value that its maker added
    payload = json.dumps({"deviceInfo": {"devEui": EUI}, "fPort": 85, "data": report}).encode()
    with pytest.raises(DecodeError) as refused:
        decoder("chirpstack-v4", EUI, profile, kind).decode(UPLINK, payload)

    assert refused.value.never_press is (kind is DeviceKind.SENSOR)


def test_a_sensor_with_a_button_of_its_own_may_press():
    registry = registry_of([EUI, f"{EUI}:1"], "")
    devices = {id_: replace(each, kind=DeviceKind.SENSOR) for id_, each in registry.devices.items() if id_ == EUI}
    registry = replace(registry, devices=registry.devices | devices)
    found = built_in()
    payload = json.dumps({"deviceInfo": {"devEui": EUI}, "fPort": 85, "data": "AFoB"}).encode()
    with pytest.raises(DecodeError) as refused:
        MappedDecoder(found.source("chirpstack-v4"), found.profiles, Bindings(lambda: registry)).decode(UPLINK, payload)

    assert refused.value.never_press is False


def test_a_profile_that_measures_what_no_sensor_does_is_refused():
    own = {
        "profile": {
            "ours": {
                "about": "x",
                "rules": [{"event": "status", "reads": {"press": "object.n"}}],
                "examples": [
                    {"source": "chirpstack-v4", "topic": UPLINK, "payload": "{}", "expect": "unknown"},
                ],
            }
        }
    }
    found = problems(library({"profiles/ours.toml": own}), {"profiles/ours.toml"})
    assert any("is nothing that sensors measure" in each.message for each in found)
