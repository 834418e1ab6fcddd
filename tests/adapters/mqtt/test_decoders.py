"""Payloads and what they mean: tables of golden samples, and a promise about all other bytes."""

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import convert

from alertd.model.check_in import CheckIn
from alertd.model.events import Heard, Lasting, Signal
from alertd.model.ids import DeviceId
from alertd.ports import (
    API_VERSION,
    PAYLOAD_MAX_BYTES,
    DecodeError,
    Decoder,
    HttpResponse,
    SettingsError,
    Surroundings,
)
from alertd.testing.scripted_http import ScriptedHttp
from alertd_adapters.decoders.json_payload import device_time
from alertd_adapters.decoders.mapping.checking import registry_of
from alertd_adapters.decoders.press_json import PressJson
from alertd_adapters.decoders.press_json import plugin as press_json_plugin
from alertd_adapters.decoders.zigbee2mqtt import Zigbee2Mqtt
from alertd_adapters.decoders.zigbee2mqtt import plugin as zigbee2mqtt_plugin
from alertd_adapters.mqtt.decoding import Decoded, Trigger, Triggers, build_triggers
from alertd_adapters.mqtt.settings import TriggerSettings
from tests.adapters.doubles import SteadyClock

NOTHING = Surroundings(
    clock=SteadyClock(), http=ScriptedHttp(lambda _: HttpResponse(status=500)), secret=lambda name: name
)


BADGE = "24e1240000000101"


def us(iso: str) -> int:
    return round(datetime.fromisoformat(iso).timestamp() * 1e6)


def pressed(payload: Any, topic: str = "alertd/press/badge-1") -> Signal:
    data = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    (signal,) = PressJson().decode(topic, data)
    return signal


def presses(signals: Iterable[Signal]) -> list[Signal]:
    """Without what a device says is over."""
    return [signal for signal in signals if not signal.ends]


# --- press_json -----------------------------------------------------------------------------------------------------


def test_a_full_press():
    signal = pressed(
        {
            "action": "press",
            "count": 3,
            "seq": 17,
            "boot": "a1",
            "at": "2026-10-14T14:42:07.310Z",
            "gateway": "gw-1",
            "rssi": -71,
            "battery": 80,
            "lasts_s": 600,
            "device_id": "badge-1",
        }
    )
    assert signal.cause is not None
    assert signal == Signal(
        device_id=DeviceId("badge-1"),
        action="press",
        count=3,
        cause=signal.cause,
        pressed_us=us("2026-10-14T14:42:07.310+00:00"),
        heard_by=DeviceId("gw-1"),
        heard=(Heard(gateway_id=DeviceId("gw-1"), rssi=-71.0),),
        battery_pct=80,
        lasting=Lasting(repeats_s=600),
    )


def test_action_alone_is_a_press():
    assert pressed({"action": "hold"}) == Signal(device_id=DeviceId("badge-1"), action="hold")


def test_site_and_mode_in_a_payload_mean_nothing():
    assert pressed({"action": "press", "site": "elm", "site_id": "elm", "mode": "drill"}) == pressed(
        {"action": "press"}
    )


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("count", "many"),
        ("count", -1),
        ("count", 1e300),
        ("count", True),
        ("seq", {}),
        ("boot", ["a"]),
        ("at", "yesterday"),
        ("at", "2026-10-14T14:42:07"),  # no offset: whose time?
        ("at", 0),
        ("at", 1e308),
        ("gateway", 7),
        ("battery", "CHARGING"),
        ("battery", 300),
        ("battery", None),
    ],
)
def test_an_optional_field_that_makes_no_sense_never_costs_a_press(field: str, value: Any):
    assert pressed({"action": "press", field: value}) == Signal(device_id=DeviceId("badge-1"), action="press")


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "9" * 5000, "1e999"])
def test_numbers_that_nobody_can_hold_read_as_null(number: str):
    payload = b'{"action": "press", "battery": %s, "count": %s}' % (number.encode(), number.encode())
    assert pressed(payload) == Signal(device_id=DeviceId("badge-1"), action="press")


@pytest.mark.parametrize(("battery", "percent"), [(80, 80), (51.5, 52), ("81", 81), (100.0, 100), (0, 0)])
def test_battery(battery: Any, percent: int):
    assert pressed({"action": "press", "battery": battery}).battery_pct == percent


def cause(**fields: Any) -> str | None:
    return pressed({"action": "press"} | fields).cause


def test_boot_and_counter_identify_a_press():
    assert cause(boot="a1", seq=17) == cause(boot="a1", seq=17, battery=80) is not None
    assert cause(boot="a1", seq=17) != cause(boot="a1", seq=18)
    assert cause(boot="a1", seq=17) != cause(boot="a2", seq=17)
    assert cause(boot=1, seq=17) == cause(boot="1", seq=17)


def test_a_growing_count_under_one_number_is_not_a_duplicate():
    whole, fine = "2026-10-14T14:42:07Z", "2026-10-14T14:42:07.310Z"
    for identity in ({"boot": "a1", "seq": 17}, {"at": fine}, {"at": whole, "seq": 17}):
        assert cause(**identity, count=3) != cause(**identity, count=8), "promise 2: eight presses are known already"
        assert cause(**identity, action="hold") != cause(**identity), "promise 2: what is held is known already"


def test_a_counter_alone_identifies_nothing():
    """It starts again with the device: the first press after a battery change would be "known already"."""
    assert cause(seq=17) is None


def test_a_time_identifies_a_press_only_if_it_can_tell_two_apart():
    assert cause(at="2026-10-14T14:42:07.310Z") is not None
    assert cause(at="2026-10-14T14:42:07.310Z") != cause(at="2026-10-14T14:42:07.311Z")
    assert cause(at="2026-10-14T14:42:07Z") is None
    assert cause(at=1791988927) is None
    assert cause(at=1791988927310) is not None


def test_a_number_and_a_whole_second_are_one_press_for_a_minute():
    """Two gateways bring copies of it, or it is published again. But a button that its press switches on says each time
    that it is number 1, two seconds after its clock was made."""
    at = "2025-06-01T00:00:02Z"
    copy = pressed({"action": "press", "seq": 1, "at": at, "gateway": "gw-1"})
    assert copy.cause == cause(seq=1, at=at, gateway="gw-2") is not None, "one press was counted twice"
    assert copy.cause != cause(seq=2, at=at)
    assert copy.same_s == 60, "promise 2 broken: pressed again, it is known already"
    assert copy.needs_clock, "promise 2 broken: pressed again, and its clock was never set, it is known already"


@pytest.mark.parametrize(
    "fields",
    [{"seq": 1, "at": "2026-10-14T14:42:07.310Z"}, {"seq": 1, "at": 1791988927, "boot": "a1"}, {"at": 1791988927310}],
)
def test_what_no_other_press_says_is_one_press_for_as_long_as_any(fields: dict[str, Any]):
    signal = pressed({"action": "press", **fields})
    assert signal.cause is not None
    assert (signal.same_s, signal.needs_clock) == (0, False)


@pytest.mark.parametrize(
    ("value", "iso"),
    [
        ("2026-10-14T14:42:07.310Z", "2026-10-14T14:42:07.310+00:00"),
        ("2026-10-14T10:42:07-04:00", "2026-10-14T14:42:07+00:00"),
        (1791988927, "2026-10-14T14:42:07+00:00"),
        (1791988927310, "2026-10-14T14:42:07.310+00:00"),
        (1791988927.5, "2026-10-14T14:42:07.500+00:00"),
        (1791988927310.0, "2026-10-14T14:42:07.310+00:00"),
    ],
)
def test_device_times(value: Any, iso: str):
    at_us, _ = device_time(value)
    assert at_us == us(iso), datetime.fromtimestamp((at_us or 0) / 1e6, UTC)


@pytest.mark.parametrize(
    ("topic", "payload", "why"),
    [
        ("alertd/press/badge-1", b" \n", "empty"),
        ("alertd/press/badge-1", b"{}", "action"),
        ("alertd/press/badge-1", b'{"action": ""}', "action"),
        ("alertd/press/badge-1", b'{"action": 1}', "action"),
        ("alertd/press/badge-1", b'{"action": "%s"}' % (b"x" * 65), "action"),
        ("alertd/press/badge-1", b'{"action": "a\\u0000b"}', "action"),
        ("alertd/press/badge-1", b'{"action": "\\ud800"}', "action"),
        ("alertd/press/badge-1", b'"press"', "not an object"),
        ("alertd/press/badge-1", b'{"action": "press", "device_id": "badge-2"}', "another device"),
        ("alertd/press/badge-1", b'{"action": "press", "device_id": 5}', "another device"),
        ("alertd/press/badge-1", '{"action": "press"}'.encode("utf-16"), "UTF-8"),
        ("alertd/press/", b'{"action": "press"}', "device id"),
    ],
)
def test_what_press_json_refuses(topic: str, payload: bytes, why: str):
    with pytest.raises(DecodeError, match=why):
        PressJson().decode(topic, payload)


def test_a_byte_order_mark_is_no_reason_to_refuse():
    assert pressed(b'\xef\xbb\xbf{"action": "press"}').action == "press"


def test_a_heartbeat_is_no_press():
    assert PressJson().decode("alertd/press/badge-1", b'{"action": "heartbeat", "battery": 80}') == ()


@pytest.mark.parametrize(
    ("decoder", "options", "topic"),
    [
        ("press_json", {}, "alertd/press/badge-1"),
        ("zigbee2mqtt", {}, "zigbee2mqtt/badge-1"),
        ("zigbee2mqtt", {}, "zigbee2mqtt/badge-1/action"),
        ("profiles", {"source": "chirpstack-v4"}, f"application/7f3c/device/{BADGE}/event/up"),
        ("profiles", {"source": "tasmota"}, f"stat/{BADGE}/RESULT"),
        ("profiles", {"source": "safesignal"}, "safesignal/t/b/alerts/trigger"),
        ("profiles", {"source": "sparkplug-b"}, "spBv1.0/oak/DDATA/edge/badge-1"),
    ],
)
def test_what_clears_a_retained_message_is_nobodys_press(decoder: str, options: dict[str, str], topic: str):
    """`mosquitto_pub -r -n`, for which the trouble `retained:ID` asks; nor is it a sign of life of the device."""
    known = Surroundings(
        clock=NOTHING.clock,
        http=NOTHING.http,
        secret=NOTHING.secret,
        registry=lambda: registry_of([BADGE, "edge/badge-1"], "milesight-ws101"),
    )
    found = build_triggers([TriggerSettings(topic=topic, decoder=decoder, options=options)], known).decode(topic, b"")
    assert (found.signals, found.check_ins) == ((), ()), "somebody's hand was taken for the device"
    assert not found.refused, "it clears what was retained, and somebody's phone rings"


# --- zigbee2mqtt ----------------------------------------------------------------------------------------------------

Z2M = [
    # topic, payload, actions, battery
    ("0xa4c1", '{"action":"emergency","battery":100,"last_seen":"2026-04-17T23:33:22+08:00"}', ["emergency"], 100),
    ("0xa4c1", '{"action":null,"battery":100,"linkquality":14}', [], None),
    ("Kitchen switch", '{"action":"","battery":100}', [], None),
    ("HS1EB", '{"battery":51.5,"linkquality":192,"action":"single"}', ["single"], 52),
    ("keypad", '{"action":"panic","action_code":null,"test":false,"tamper":false,"battery":99}', ["panic"], 99),
    ("0x0015", '{"battery_low":false,"sos":true,"tamper":false}', ["sos"], None),
    ("0x0015", '{"battery_low":false,"sos":false,"tamper":false}', [], None),
    ("0x0015", '{"sos":false,"tamper":true}', ["tamper"], None),
    ("0x0015", '{"sos":"true"}', [], None),
    ("Przycisk", '{"linkquality":131,"click":"single"}', ["single"], None),
    ("hall/2nd floor/button", '{"action":"hold"}', ["hold"], None),
    ("keypad/action", "emergency", ["emergency"], None),
    ("keypad/action", "", [], None),
    ("remote/availability", '{"state":"offline"}', [], None),
    ("remote/set", '{"state":"ON"}', [], None),
    ("bridge/event", '{"data":{"friendly_name":"x"},"type":"device_announce"}', [], None),
    ("bridge/state", "online", [], None),
]


@pytest.mark.parametrize(("name", "payload", "actions", "battery"), Z2M, ids=range(len(Z2M)))
def test_zigbee2mqtt(name: str, payload: str, actions: list[str], battery: int | None):
    signals = presses(Zigbee2Mqtt().decode(f"zigbee2mqtt/{name}", payload.encode()))
    assert [signal.action for signal in signals] == actions
    assert all(signal.device_id == name.removesuffix("/action") for signal in signals)
    assert all(signal.battery_pct == battery for signal in signals)


def test_an_sos_of_zigbee2mqtt_lasts_until_it_says_that_it_is_over():
    (sos,) = Zigbee2Mqtt().decode("zigbee2mqtt/b", b'{"sos": true}')
    (over,) = Zigbee2Mqtt().decode("zigbee2mqtt/b", b'{"sos": false}')

    assert sos.lasting is not None
    assert over.lasting == sos.lasting
    assert (sos.ends, over.ends) == (False, True)


def test_a_state_that_zigbee2mqtt_publishes_again_is_the_same_press():
    def of(payload: str) -> str | None:
        return Zigbee2Mqtt().decode("zigbee2mqtt/b", payload.encode())[0].cause

    seen = '"last_seen":"2026-04-17T15:33:22.512Z"'
    assert of(f'{{"action":"single",{seen}}}') == of(f'{{"action":"single","battery":3,{seen}}}') is not None
    assert of('{"action":"single","last_seen":"2026-04-17T23:33:22+08:00"}') is None  # whole seconds tell nothing apart
    assert of('{"action":"single"}') is None


def test_a_pin_is_never_quoted():
    with pytest.raises(DecodeError) as refused:
        Zigbee2Mqtt().decode("zigbee2mqtt/keypad", b'{"action_code":"1234","action":"disarm')
    assert "1234" not in str(refused.value)


def test_another_base_topic():
    decoder = zigbee2mqtt_plugin.build({"base_topic": "east wing/z2m"})
    assert decoder.decode("east wing/z2m/b1", b'{"action":"sos"}')[0].device_id == "b1"
    with pytest.raises(DecodeError):
        decoder.decode("zigbee2mqtt/b1", b'{"action":"sos"}')


def test_shared_samples_mean_what_their_readers_say(shared: Path):
    """Samples of real devices, read by somebody else. `press_like`: what must become a signal."""
    press_like = {"duress", "press", "tamper", "arm", "release"}
    seen = 0
    for path in sorted((shared / "devices").glob("z2m-*.json")):
        sample = json.loads(path.read_text())
        payload = sample["payload"]
        data = payload.encode() if sample["payload_encoding"] == "text" else json.dumps(payload).encode()
        signals = presses(Zigbee2Mqtt().decode(sample["topic"], data))
        meaning = sample["meaning"]
        assert bool(signals) == (meaning["event"] in press_like), path.name
        for signal in signals:
            assert signal.device_id == meaning["device_id"], path.name
            assert signal.action == (meaning["value"] if isinstance(meaning["value"], str) else signal.action), (
                path.name
            )
            if meaning.get("timestamp_utc"):
                assert signal.pressed_us == us(meaning["timestamp_utc"]), path.name
            if "battery_pct" in meaning:
                assert signal.battery_pct == round(meaning["battery_pct"]), path.name
        seen += 1
    assert seen >= 20


# --- whatever the bytes are -----------------------------------------------------------------------------------------

DECODERS: list[tuple[Decoder, str]] = [
    (PressJson(), "alertd/press/badge-1"),
    (Zigbee2Mqtt(), "zigbee2mqtt/badge-1"),
    (Zigbee2Mqtt(), "zigbee2mqtt/badge-1/action"),
]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)
FIELDS = ["action", "count", "seq", "boot", "at", "gateway", "battery", "device_id", "sos", "last_seen", "click"]


@pytest.mark.parametrize(("decoder", "topic"), DECODERS, ids=["press_json", "z2m", "z2m-action"])
@given(payload=st.binary() | JSON.map(lambda v: json.dumps(v).encode()))
def test_any_bytes_are_signals_or_a_decode_error(decoder: Decoder, topic: str, payload: bytes):
    try:
        signals = decoder.decode(topic, payload)
    except DecodeError:
        return
    assert all(isinstance(signal, Signal) for signal in signals)


@given(fields=st.dictionaries(st.sampled_from(FIELDS), JSON))
def test_any_value_in_any_field_leaves_the_press(fields: dict[str, Any]):
    signal = pressed(fields | {"action": "press", "device_id": None})
    assert (signal.device_id, signal.action) == ("badge-1", "press")


@pytest.mark.parametrize(
    "payload",
    [b"[" * 65_000, b'{"a":' * 13_000, b'{"action":"press","x":' + b"[" * 60_000],
    ids=["lists", "objects", "inside"],
)
@pytest.mark.parametrize(("decoder", "topic"), DECODERS[:2], ids=["press_json", "z2m"])
def test_deep_nesting(decoder: Decoder, topic: str, payload: bytes):
    with pytest.raises(DecodeError):
        decoder.decode(topic, payload)


# --- third parties --------------------------------------------------------------------------------------------------


class Broken:
    name = "third-party"

    def __init__(self, answer: Any) -> None:
        self.answer = answer

    def decode(self, topic: str, payload: bytes) -> Any:
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


@pytest.mark.parametrize(
    "answer",
    [
        KeyError("x"),
        MemoryError(),
        RecursionError(),
        None,
        5,
        ["not a signal"],
        [Signal(device_id=5, action="b")],  # type: ignore[arg-type]
        [Signal(device_id=DeviceId("a"), action="b")] * 51,
    ],
    ids=lambda answer: repr(answer)[:40],
)
def test_whatever_a_decoder_does_is_contained(answer: Any):
    triggers = Triggers([Trigger(topic_filter="a/#", decoder=Broken(answer))])
    decoded = triggers.decode("a/b", b"{}")
    assert decoded.refused
    assert decoded.signals == ()


@pytest.mark.parametrize(
    ("kinds", "knows", "never"),
    [
        (["sensor"], None, True),
        (["sensor", "gateway"], None, True),
        (["sensor", "button"], None, False),
        ([], None, False),
        ([], True, True),
        (["sensor"], False, False),
    ],
)
def test_what_nobody_understands_is_no_press_only_of_whoever_never_presses(
    kinds: list[str], knows: bool | None, never: bool
):
    """By what the decoder knows of the device, else by the kinds that speak on its topic."""
    error = DecodeError("two bytes too many")
    error.never_press = knows
    settings = convert({"topic": "a/#", "kinds": kinds}, TriggerSettings)
    trigger = Trigger(topic_filter="a/#", decoder=Broken(error), never_press=settings.never_press)

    assert Triggers([trigger]).decode("a/b", b"{}").never_press is never


@pytest.mark.parametrize(("kinds", "never"), [(["sensor"], True), (["sensor", "button"], False), ([], False)])
@pytest.mark.parametrize("payload", [b"{}", b"x" * (PAYLOAD_MAX_BYTES + 1)], ids=["decoder failed", "too large"])
def test_what_no_decoder_could_read_may_be_a_press_of_whoever_may_press(payload: bytes, kinds: list[str], never: bool):
    settings = convert({"topic": "a/#", "kinds": kinds}, TriggerSettings)
    trigger = Trigger(topic_filter="a/#", decoder=Broken(KeyError()), never_press=settings.never_press)
    found = Triggers([trigger]).decode("a/b", payload)

    assert found.refused
    assert found.never_press is never, "promise 2: it may be a press, and rings nobody"


def test_a_refusal_is_bounded():
    triggers = Triggers([Trigger(topic_filter="a/#", decoder=Broken(DecodeError("x" * 10_000)))])
    assert len(triggers.decode("a/b", b"{}").refused) == 300


def test_the_first_of_overlapping_triggers_speaks():
    signal = Signal(device_id=DeviceId("a"), action="b")
    triggers = Triggers(
        [Trigger(topic_filter="a/+", decoder=Broken([signal])), Trigger(topic_filter="#", decoder=Broken(KeyError()))]
    )
    assert triggers.decode("a/b", b"{}") == Decoded(
        signals=(signal,), check_ins=(CheckIn(device_id=DeviceId("a"), pressed=True, actions=("b",)),)
    )
    assert triggers.decode("c", b"{}").refused


def test_what_a_third_partys_decoder_heard_is_a_sign_of_life_with_every_word_of_it():
    """One of them may be a press, though the last is none."""
    said = [Signal(device_id=DeviceId("a"), action=word, ends=word == "over") for word in ("hold", "booting", "over")]
    triggers = Triggers([Trigger(topic_filter="a", decoder=Broken(said))])
    assert triggers.decode("a", b"").check_ins == (
        CheckIn(device_id=DeviceId("a"), pressed=True, actions=("hold", "booting")),
    )
    (ended,) = Triggers([Trigger(topic_filter="a", decoder=Broken(said[2:]))]).decode("a", b"").check_ins
    assert not ended.pressed, "nobody presses what ends"


def test_an_unknown_decoder_is_refused_with_what_there_is():
    with pytest.raises(SettingsError, match=r"no decoder \"shelly\".*press_json.*zigbee2mqtt") as refused:
        build_triggers([TriggerSettings(topic="a", decoder="shelly")], NOTHING)
    assert refused.value.key == "triggers[0].decoder"


def test_a_decoders_own_settings_are_checked():
    with pytest.raises(SettingsError) as refused:
        build_triggers([TriggerSettings(topic="a", decoder="zigbee2mqtt", options={"bse_topic": "x"})], NOTHING)
    assert refused.value.key == "triggers[0].options.bse_topic"


def test_both_decoders_speak_this_api():
    assert press_json_plugin.api_version == zigbee2mqtt_plugin.api_version == API_VERSION
