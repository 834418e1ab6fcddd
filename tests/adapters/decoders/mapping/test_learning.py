"""Which profiles could be a device's: its own is among them, with the reason; one that takes anything never is."""

import pytest

from alertd.ports import Fit
from alertd_adapters.decoders.mapping.bindings import Bindings
from alertd_adapters.decoders.mapping.decoder import MappedDecoder
from alertd_adapters.decoders.mapping.events import TRIGGERS
from alertd_adapters.decoders.mapping.learning import fits
from alertd_adapters.decoders.mapping.library import PROFILE, built_in
from alertd_adapters.decoders.mapping.written import DeviceProfile, Example
from alertd_simulator.family_devices import named, steps_of
from alertd_simulator.family_ways import How
from tests.adapters.decoders.mapping.test_several_parts import ALIVE, PRESS, decoded, parts

BUTTON = "24e1240000000101"
UP = f"application/7f3c/device/{BUTTON}/event/up"
SHORT, BATTERY = "AXVV/y4B", "AXVV"


def up(data: str, **more: str) -> tuple[str, bytes]:
    fields = ", ".join(f'"{key}": "{value}"' for key, value in more.items())
    text = f'{{"deviceInfo": {{"devEui": "{BUTTON}"}}, "fPort": 85, "data": "{data}"{", " if fields else ""}{fields}}}'
    return UP, text.encode()


def fitting(source: str, device: str, *said: tuple[str, bytes]) -> list[Fit]:
    found = built_in()
    return fits(
        lambda registry: MappedDecoder(found.source(source), found.profiles, Bindings(registry)), found, device, said
    )


def test_a_press_finds_the_profile_of_the_button_and_says_why():
    found = {fit.profile: fit for fit in fitting("chirpstack-v4", BUTTON, up(SHORT), up(BATTERY))}
    ours = found["milesight-ws101"]
    assert (ours.presses, ours.messages, ours.of, ours.kind) == (True, 2, 2, "button")
    assert ours.why == ("press (rule 1, value short)", "heartbeat (rule 4)")
    assert "lorawan-sensor" not in found, "it takes whatever comes: no reason"
    assert next(iter(found)) == "milesight-ws101", "it knows a press, and understands the most"


@pytest.mark.parametrize("profile", ["milesight-ws101", "milesight-ws156", "milesight-gs601"])
def test_a_press_twice_whose_bytes_another_makers_badge_would_call_sos_is_this_ones_first(profile):
    """As the docs walk it: played twice, some seconds apart. Abeeway's badges speak on another port."""
    said = steps_of(named(f"chirpstack-v4/{profile}", BUTTON), How.BURST, act="", times=2, now_us=1_788_273_727_312_000)
    heard = [(each.topic, each.payload) for _, found in said for each in found]
    found = fitting("chirpstack-v4", BUTTON, *heard)
    assert next(iter(found)).profile == profile
    assert {fit.messages for fit in found if fit.profile.startswith(("milesight", "abeeway-at2"))} >= {2}


def test_on_a_port_that_no_example_has_a_press_still_comes_first():
    topic, payload = up(SHORT)
    found = fitting("chirpstack-v4", BUTTON, (topic, payload.replace(b'"fPort": 85', b'"fPort": 199')))
    assert found[0].presses


def test_the_gateway_that_heard_it_best_is_told():
    hearing = '[{"gatewayId": "gw-2", "rssi": -90}, {"gatewayId": "gw-1", "rssi": -51}]'
    topic, payload = up(SHORT)
    payload = payload[:-1] + f', "rxInfo": {hearing}}}'.encode()
    assert fitting("chirpstack-v4", BUTTON, (topic, payload))[0].heard_by == "gw-1 (-51 dBm)"


def test_a_source_that_knows_its_devices_needs_no_profile():
    said = ("shellies/b1/input_event/0", b'{"event": "S", "event_cnt": 7}')
    assert fitting("shelly-gen1", "b1", said)[0].profile == ""


def test_nothing_fits_nonsense():
    assert fitting("chirpstack-v4", BUTTON, up("no base64"), (UP, b"{"), ("elsewhere", b"{}")) == []


def test_a_code_that_somebody_typed_is_in_no_reason():
    said = ("zigbee2mqtt/keypad", b'{"action": "disarm", "action_code": "4711"}')
    assert "4711" not in repr(fitting("zigbee2mqtt", "keypad", said))


@pytest.mark.parametrize("known", [{"k1": PRESS}, {"k1": ALIVE}, {}], ids=["press", "heartbeat", "nobody known"])
def test_whoever_is_beside_them_in_a_message_and_is_not_registered_is_named(known: dict[str, dict[str, str]]):
    found = decoded(parts(stranger=PRESS, **known, other=ALIVE))
    assert found.strangers == ("stranger", "other"), "devices beside a registered one are unseen"
    assert [sign.device_id for sign in found.check_ins] == list(known)


def _loud() -> list[tuple[str, Example, str]]:
    """Examples that are a press or an alarm, with the device that they are of."""
    return [
        (name, example, str(first["device"]))
        for (kind, name), entry in built_in().entries.items()
        if kind == PROFILE and isinstance(entry.written, DeviceProfile)
        for example in entry.written.examples
        if isinstance(example.expect, list) and not built_in().source(example.source).envelope
        for first in example.expect[:1]
        if first.get("event") in TRIGGERS and "device" in first and ":" not in str(first["device"])
    ]


@pytest.mark.slow
def test_every_profile_is_found_by_its_own_presses_and_alarms():
    for name, example, device in _loud():
        own = built_in().source(example.source).profile
        found = fitting(example.source, device, (example.topic, example.payload.encode()))
        names = [fit.profile or own for fit in found]
        assert name in names, f"{name}: {example.topic} {example.payload[:100]}"
        assert "lorawan-sensor" not in names
    assert len({name for name, *_ in _loud()}) > 25
