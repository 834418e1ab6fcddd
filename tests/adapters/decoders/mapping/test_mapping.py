"""A message over a source profile, a device and its profile: what becomes of it. With profiles written here."""

import base64
import contextlib
import json
import textwrap
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alertd.model.events import Signal
from alertd.model.ids import DeviceId, spelled_alike
from alertd.ports import DecodeError, UncoveredError
from alertd_adapters.decoders.mapping.bindings import Bindings
from alertd_adapters.decoders.mapping.checking import problems, registry_of
from alertd_adapters.decoders.mapping.decoder import MappedDecoder
from alertd_adapters.decoders.mapping.library import Library, built_in, library
from tests.adapters.decoders.mapping.samples import decoder_of

OURS = Path(__file__).with_name("ours.toml").read_text()
FILES = {"profiles/ours.toml": tomllib.loads(OURS)}
BADGE = "70b3d50000000001"


@pytest.fixture(scope="module")
def ours() -> Library:
    return library(FILES)


def decoder(ours: Library, *names: str, profile: str = "our-button") -> MappedDecoder:
    return decoder_of(ours, "our-server", registry_of(list(names), profile))


def up(**fields: Any) -> bytes:
    return json.dumps(fields).encode()


def heard(mapped: MappedDecoder, topic: str, payload: bytes) -> Sequence[Signal]:
    """Signals; none, where it is refused."""
    with contextlib.suppress(DecodeError):
        return mapped.decode(topic, payload)
    return ()


def test_a_device_of_another_vendor_needs_configuration_only(ours):
    assert problems(ours, set(FILES)) == []
    (signal,) = decoder(ours, BADGE).decode(
        f"our/{BADGE}/up", up(port=1, data="01031e", at="2026-09-01T14:42:07.5Z", session="s", n=4)
    )
    assert signal == Signal(
        device_id=DeviceId(BADGE),
        action="press",
        cause=signal.cause,
        pressed_us=1_788_273_727_500_000,
        battery_pct=100,
        read_by="profile our-button, rule 1",
    )
    assert signal.cause is not None


def test_every_built_in_profile_does_what_its_examples_say():
    found = built_in()
    wrong = problems(found, {entry.file for entry in found.entries.values()})
    assert wrong == [], "a built-in profile does not do what its examples say"
    assert len(found.profiles) > 35
    assert len(found.sources) > 25


def test_the_profile_that_the_docs_show_works():
    text = (Path(__file__).parents[4] / "docs/devices.md").read_text()
    begin = text.index("    [profile.our-button]")
    shown = textwrap.dedent(text[begin : text.index("\n\n**Rules.**")])
    files = {"profiles/shown.toml": tomllib.loads(shown)}
    assert problems(library(files), set(files)) == []


def test_promise_2_an_object_that_no_rule_knows_does_not_hide_the_press_in_the_bytes(ours):
    for broken in (None, {}, {"errors": ["no codec"]}, "text"):
        signals = heard(decoder(ours, BADGE), f"our/{BADGE}/up", up(port=1, data="010119", object=broken))
        assert [signal.action for signal in signals] == ["press"], "promise 2: a press in the bytes was not seen"


def test_the_profile_comes_from_the_registry_and_never_from_the_payload(ours):
    """A button's bytes from a device that is registered as a sensor are no press."""
    as_sensor = decoder(ours, BADGE, profile="lorawan-sensor")
    assert as_sensor.decode(f"our/{BADGE}/up", up(port=1, data="010119")) == ()


def test_a_device_that_nobody_registered_is_counted_and_no_press(ours):
    with pytest.raises(UncoveredError) as uncovered:
        decoder(ours).decode(f"our/{BADGE}/up", up(port=1, data="010119"))
    assert uncovered.value.count == "unregistered"
    with pytest.raises(UncoveredError):  # not even its nonsense is a trouble
        decoder(ours).decode(f"our/{BADGE}/up", b"{")


def test_promise_2_nonsense_from_a_registered_device_is_refused(ours):
    for payload in (b"{", b"", b"\xff", b'{"port": 1, "port": 2}', up(port=1, data="xx"), up(port=1, data=7)):
        with pytest.raises(DecodeError) as refused:
            decoder(ours, BADGE).decode(f"our/{BADGE}/up", payload)
        is_only_counted = isinstance(refused.value, UncoveredError)
        assert not is_only_counted, "promise 2: what may be a press of a registered device raised no trouble"


def test_a_registered_device_without_a_profile_is_refused_with_what_to_do(ours):
    with pytest.raises(DecodeError, match=r"column profile of devices\.csv"):
        decoder(ours, BADGE, profile="").decode(f"our/{BADGE}/up", up(port=1, data="010119"))


def test_what_no_rule_knows_is_unknown(ours):
    with pytest.raises(UncoveredError) as uncovered:
        decoder(ours, BADGE).decode(f"our/{BADGE}/up", up(port=1, data="090119"))
    assert uncovered.value.count == "unknown"
    with pytest.raises(UncoveredError):
        decoder(ours, BADGE).decode(f"our/{BADGE}/down", b"")


def test_a_message_that_its_source_marks_as_a_test_is_no_press(ours):
    assert decoder(ours, BADGE).decode(f"our/{BADGE}/up", up(port=1, data="010119", test=True)) == ()


def test_two_copies_are_one_press_and_two_presses_are_two(ours):
    causes = [
        decoder(ours, BADGE).decode(f"our/{BADGE}/up", up(port=1, data="010119", **fields))[0].cause
        for fields in ({"session": "s", "n": 1}, {"session": "s", "n": 1, "rssi": -9}, {"session": "s", "n": 2})
    ]
    assert causes[0] == causes[1] != causes[2]


def test_without_every_part_of_its_identity_each_copy_is_a_press_of_its_own(ours):
    """Half of it, a counter that starts again, would swallow a press."""
    (signal,) = decoder(ours, BADGE).decode(f"our/{BADGE}/up", up(port=1, data="010119", n=1))
    assert signal.cause is None, "without its whole identity each copy is a press of its own"


@pytest.mark.parametrize("odd", ["\ud800", "a\nb", "x" * 5_000, ""])
def test_promise_2_an_identity_that_is_no_word_costs_no_press(ours, odd):
    """JSON can write half a character, which no hash takes. Found by mutating payloads."""
    signals = heard(decoder(ours, BADGE), f"our/{BADGE}/up", up(port=1, data="010119", session=odd, n=1))
    assert [signal.cause for signal in signals] == [None]


def test_a_list_that_is_too_long_is_refused_and_not_cut(ours):
    shelly = decoder_of(ours, "shelly", registry_of(["e1"], ""))
    press = {"component": "input:0", "event": "single_push"}
    for others, is_heard in ((999, True), (1_000, False)):
        events = [{"component": "sys", "event": "x"}] * others + [press]
        assert bool(heard(shelly, "e1/events/rpc", up(params={"events": events}))) is is_heard
    with pytest.raises(DecodeError, match="a list of 1001, more than 1000"):
        shelly.decode("e1/events/rpc", up(params={"events": events}))


# --- which device ---------------------------------------------------------------------------------------------------


SPELLED = [
    "70B3D50000000001",
    "70:b3:d5:00:00:00:00:01",
    "70-B3-D5-00-00-00-00-01",
    "0x70b3d50000000001",
    "0X70B3D50000000001",
]


@pytest.mark.parametrize("written", SPELLED)
def test_an_address_is_the_same_however_it_is_spelled(ours, written):
    (signal,) = decoder(ours, written).decode(f"our/{BADGE}/up", up(port=1, data="010119"))
    assert signal.device_id == written


def test_a_name_is_not_an_address():
    assert spelled_alike("Desk-Button") == "Desk-Button"
    assert spelled_alike("0x-desk-button-1") == "0x-desk-button-1"
    assert spelled_alike("0x0015") == "0x0015"


def test_promise_2_what_zigbee2mqtt_calls_a_device_is_the_address_on_its_label():
    found = decoder_of(library({}), "zigbee2mqtt", registry_of(["00158D0001A2B3C4"], "zigbee2mqtt"))
    signals = heard(found, "zigbee2mqtt/0x00158d0001a2b3c4", up(action="single"))
    assert [signal.device_id for signal in signals] == ["00158D0001A2B3C4"], "promise 2: it pages nobody"


def test_a_button_with_a_row_of_its_own_is_a_device_of_its_own(ours):
    both = decoder(ours, BADGE, f"{BADGE}:3")
    assert [both.decode(f"our/{BADGE}/up", up(port=1, data=f"010{key}19"))[0].device_id for key in (3, 4)] == [
        f"{BADGE}:3",
        BADGE,
    ]


def test_a_button_without_a_row_beside_one_that_has_is_not_the_other(ours):
    """It reaches the core under a name that nobody registered, which is a trouble, and pages nobody."""
    only = decoder(ours, f"{BADGE}:3")
    (signal,) = only.decode(f"our/{BADGE}/up", up(port=1, data="010419"))
    assert signal.device_id == f"{BADGE}:4"


def test_a_reload_of_the_registry_is_followed(ours):
    current = registry_of([], "our-button")
    mapped = MappedDecoder(ours.source("our-server"), ours.profiles, Bindings(lambda: current))
    with pytest.raises(UncoveredError):
        mapped.decode(f"our/{BADGE}/up", up(port=1, data="010119"))
    current = registry_of([BADGE], "our-button")
    assert len(mapped.decode(f"our/{BADGE}/up", up(port=1, data="010119"))) == 1


# --- any bytes ------------------------------------------------------------------------------------------------------

TOPICS = {
    "application/a/device/e1/event/up": "chirpstack-v4",
    "v3/a/devices/e1/up": "tts-v3",
    "zigbee2mqtt/e1": "zigbee2mqtt",
    "e1/events/rpc": "shelly",
}
KEYS = (
    *("object", "data", "params", "events", "item", "action", "sos", "deviceInfo", "devEui", "fPort", "value", "event"),
    *("uplink_message", "frm_payload", "decoded_payload", "button", "battery", "messages", "rxInfo", "type", "minor"),
)
PAYLOADS = st.one_of(
    st.binary(max_size=80),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
        lambda below: (
            st.lists(below, max_size=4)
            | st.dictionaries(
                st.sampled_from(KEYS),
                below,
                max_size=5,
            )
        ),
        max_leaves=12,
    ).map(lambda value: json.dumps(value).encode()),
    st.binary(max_size=30).map(
        lambda data: up(deviceInfo={"devEui": "e1"}, fPort=85, data=base64.b64encode(data).decode())
    ),
)
EVERY = tuple(built_in().profiles)


def _signals_or_refused(topic: str, payload: bytes, source: str, profile: str) -> None:
    mapped = decoder_of(built_in(), source, registry_of(["e1"], profile))
    try:
        signals = mapped.decode(topic, payload)
    except DecodeError:
        return
    assert all(isinstance(signal, Signal) for signal in signals)
    msgspec.json.encode(signals)  # what the journal does with them


@given(st.sampled_from(sorted(TOPICS)), PAYLOADS, st.sampled_from(EVERY))
def test_whatever_comes_is_signals_or_a_refusal(topic, payload, profile):
    _signals_or_refused(topic, payload, TOPICS[topic], profile)


@pytest.mark.slow
@settings(max_examples=3_000)
@given(st.data())
def test_so_is_very_much_of_it_over_every_source(data):
    """Topics that fit the source's own templates, whatever stands in their places."""
    source = data.draw(st.sampled_from(sorted(built_in().sources)))
    messages = built_in().sources[source]._messages
    template = data.draw(st.sampled_from(messages)).template
    topic = template.text.replace("#", "x/y").replace("+", "z")
    for name in template.captures:
        topic = topic.replace("{" + name + "}", data.draw(st.sampled_from(["e1", "", "Smoke_Alarm", "91", "113"])))
    _signals_or_refused(topic, data.draw(PAYLOADS), source, data.draw(st.sampled_from(EVERY)))


@pytest.mark.parametrize("shown", [0, 1.0, "1970-01-01T00:00:00Z"])
def test_promise_2_a_clock_that_was_never_set_does_not_make_two_presses_one(shown):
    """It shows the same time after each start: as an identity it would swallow a press (devices.md, quirk 5)."""
    tracker = decoder_of(built_in(), "nrf-tracker", registry_of(["nrf-1"], "nrf-tracker"))
    (signal,) = tracker.decode("nrf-1/messages", up(btn={"v": 1, "ts": shown}))

    assert signal.cause is None, "promise 2: the next press is taken for a copy"


def test_a_report_that_was_stored_on_its_way_says_nothing_of_who_hears_it_now():
    """ThingPark's `Late`: a wearable would be told to be where it was."""
    badge = "24E124535B316056"
    mapped = decoder_of(built_in(), "thingpark", registry_of([badge], "lorawan-sensor"))
    for late, hears in ((0, True), (1, False)):
        said = {
            "DevEUI": badge,
            "FPort": 1,
            "FCntUp": 26,
            "payload_hex": "00",
            "Late": late,
            "Lrrs": {"Lrr": [{"Lrrid": "gw-oak", "LrrRSSI": -60}]},
        }
        readings = mapped.read(f"mqtt/things/{badge}/uplink", up(DevEUI_uplink=said))
        placed = any(sign.heard for reading in readings for sign in reading.signs)
        assert placed is hears, "promise 6: a badge is taken to be where it was"
