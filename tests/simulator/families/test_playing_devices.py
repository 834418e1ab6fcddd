"""`alertd-sim devices play`: what is published when, on which topic, and when it refuses."""

import json
from pathlib import Path

import pytest
from msgspec.structs import replace

from alertd.config import Section
from alertd.model.ids import DeviceId, SiteId
from alertd.model.site import Device, DeviceKind, Gestures
from alertd_simulator.families.frames import CannotSayError
from alertd_simulator.family_devices import named, registered, steps_of
from alertd_simulator.family_player import FAILED, LIVE, OK, USAGE, Wish, list_families, run_devices
from alertd_simulator.family_speaker import NotPlayableError, Speaker
from alertd_simulator.family_ways import WORDS, How
from alertd_simulator.receivers import MARKER, Rehearsal
from tests.conftest import REPOSITORY
from tests.real_broker import RealMosquitto

NOW_US = 1_788_273_727_312_000
EUI = "24E1240000000101"
TRIGGERS = [
    {"topic": "application/oak/device/+/event/up", "decoder": "profiles", "options": {"source": "chirpstack-v4"}},
    {"topic": "hall/+/input_event/+", "decoder": "profiles", "options": {"source": "shelly-gen1", "base": "hall"}},
    {"topic": "alertd/press/+", "kinds": ["button"]},
    {"topic": "alertd/sensor/+", "kinds": ["sensor"]},
]


def a_device(id_: str = EUI, profile: str = "", kind: DeviceKind = DeviceKind.BUTTON) -> Device:
    return Device(id=DeviceId(id_), kind=kind, site_id=SiteId("oak"), gestures=Gestures(id="g"), profile=profile)


def sections(*triggers: dict) -> list[Section]:
    settings = {"triggers": list(triggers or TRIGGERS)}
    return [
        Section(
            table="sources", name="broker", plugin="mqtt", settings=settings, file="channels.toml", line=1, lines={}
        )
    ]


def steps(speaker: Speaker, how: How, *, act: str = "", times: int = 0):
    return steps_of(speaker, how, act=act, times=times, now_us=NOW_US)


def test_a_badge_speaks_on_the_topic_that_the_districts_trigger_names():
    ((_, (message,)),) = steps(registered(a_device(profile="milesight-ws101"), sections(), ""), How.SINGLE)
    assert message.topic == f"application/oak/device/{EUI.lower()}/event/up", "ChirpStack's way"
    assert json.loads(message.payload)["fPort"] == 85


def test_a_base_topic_is_the_districts_own():
    speaker = registered(a_device("desk-1"), sections(), "shelly-gen1")
    ((_, (message,)),) = steps(speaker, How.SINGLE)
    assert message.topic == "hall/desk-1/input_event/0"


def test_a_sensor_speaks_where_sensors_may():
    speaker = registered(a_device("vape-1", kind=DeviceKind.SENSOR), sections(), "press_json")
    found = steps(speaker, How.FLOOD, times=3)
    assert [(at_s, len(each)) for at_s, each in found] == [(0, 1), (1, 1), (2, 1)]
    assert {each.topic for _, payloads in found for each in payloads} == {"alertd/sensor/vape-1"}


@pytest.mark.parametrize(
    ("actions", "said"),
    [({"press": "ignore", "masking": "tamper", "vape": "vape"}, "vape"), ({"gunshot": "gunshot_sensor"}, "gunshot")],
)
def test_a_sensor_says_what_its_gestures_know_and_presses_nothing(actions, said):
    rules = Gestures(id="ours", actions=actions)
    speaker = registered(replace(a_device("vape-1", kind=DeviceKind.SENSOR), gestures=rules), sections(), "press_json")
    ((_, (message,)),) = steps(speaker, How.SINGLE)
    assert json.loads(message.payload)["action"] == said


@pytest.mark.parametrize(
    ("trigger", "said"),
    [
        ({"decoder": "zigbee2mqtt"}, "emergency"),
        ({"decoder": "profiles", "options": {"source": "zigbee2mqtt"}}, "single"),
    ],
)
def test_a_zigbee_button_says_the_word_that_its_gestures_know(trigger, said):
    """As the example district has it: that decoder passes words on; a profile says that single is a press."""
    rules = Gestures(id="wall", presses={1: "staff_assist"}, actions={"hold": "lockdown", "emergency": "lockdown"})
    speaker = registered(
        replace(a_device("desk-1"), gestures=rules), sections({"topic": "zigbee2mqtt/+"} | trigger), ""
    )
    ((_, (message,)),) = steps(speaker, How.SINGLE)
    assert json.loads(message.payload)["action"] == said


def test_one_button_of_several_is_its_own_row():
    speaker = registered(a_device(f"{EUI}:3", profile="milesight-ws156"), sections(), "")
    assert (speaker.device, speaker.button) == (EUI, "3")


@pytest.mark.parametrize(
    ("device", "over", "words"),
    [
        (a_device("desk-1"), "", "say which with --over"),
        (a_device(profile="netvox-button"), "tts-v3", "no trigger hears"),
        (a_device(profile="brave-button"), "", "no trigger hears"),
    ],
)
def test_what_is_left_open_is_asked_for(device, over, words):
    with pytest.raises(NotPlayableError, match=words):
        registered(device, sections(), over)


@pytest.mark.parametrize("how", How)
def test_every_way_can_be_played(how):
    speaker = named("chirpstack-v4/milesight-gs601" if how is How.FLOOD else "chirpstack-v4/milesight-ws101", EUI)
    found = steps(speaker, how)
    assert found == sorted(found, key=lambda step: step[0])
    assert all(payloads for _, payloads in found)
    assert WORDS[how]


def test_copies_are_one_press_heard_thrice_and_handed_on_again():
    (_, (first,)), (later_s, (again,)) = steps(named("chirpstack-v4/milesight-ws101", EUI), How.COPIES)
    assert len(json.loads(first.payload)["rxInfo"]) == 3
    assert (again, later_s) == (first, 0.4)


def test_replayed_retained_and_late():
    shelly, track = named("shelly-gen1", "desk-1"), named("thingpark/abeeway-at2", EUI)
    replayed = steps(shelly, How.REPLAYED)
    assert [at_s for at_s, _ in replayed] == [0, 3, 60]
    assert len({payloads[0].payload for _, payloads in replayed}) == 1
    assert [each.retain for _, payloads in steps(shelly, How.RETAINED) for each in payloads] == [True]
    ((_, (late,)),) = steps(track, How.LATE)
    told = json.loads(late.payload)["DevEUI_uplink"]
    assert (told["Late"], told["Time"][:16]) == (1, "2026-09-01T13:42"), "an hour ago"


def test_a_battery_falls_and_presses_of_a_burst_are_presses_of_their_own():
    falling = steps(named("tts-v3/tektelic-finch", EUI), How.DYING)
    assert len(falling) == 5
    burst = steps(named("shelly-gen1", "desk-1"), How.BURST, times=4)
    assert len({json.loads(payloads[0].payload)["event_cnt"] for _, payloads in burst}) == 4


@pytest.mark.parametrize(
    ("name", "how", "act", "words"),
    [
        ("chirpstack-v4/milesight-gs301", How.SINGLE, "", "nothing to press"),
        ("chirpstack-v4/globalsat-lt501", How.SINGLE, "", "no bytes of its help report"),
        ("shelly", How.FLOOD, "", "nothing to press"),
        ("aws-button", How.SILENT, "", "neither fade nor fall silent"),
        ("shelly", How.SINGLE, "vape", "cannot say vape"),
    ],
)
def test_what_cannot_be_played_says_why(name, how, act, words):
    with pytest.raises((NotPlayableError, CannotSayError), match=words):
        steps(named(name, EUI), how, act=act)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("verkada", "webhook"),
        ("toaster", "to play: see alertd-sim devices families"),
        ("milesight-ws101", "did you mean chirpstack-v4/milesight-ws101, loriot/milesight-ws101, "),
        ("shely", "did you mean shelly"),
    ],
)
def test_a_family_that_there_is_not(name, words):
    with pytest.raises(NotPlayableError, match=words):
        named(name, "x")


# --- the command ------------------------------------------------------------------------------------------------------


def test_the_list_says_what_is_not_played_and_why(capsys):
    assert list_families() == OK
    shown = capsys.readouterr().out
    assert "brave" in shown
    assert "posts over HTTP" in shown


def test_a_dry_run_publishes_nothing_and_needs_no_broker(capsys):
    assert run_devices(Wish(device="desk-1", family="shelly-gen1", dry_run=True)) == OK
    assert "shellies/desk-1/input_event/0" in capsys.readouterr().out


def test_it_refuses_beside_a_live_providers_credentials(monkeypatch, capsys):
    monkeypatch.setenv("TWILIO_AUTH_TOKEN", "x")
    assert run_devices(Wish(device="desk-1", family="shelly", broker="127.0.0.1:1")) == LIVE
    assert "TWILIO_AUTH_TOKEN" in capsys.readouterr().err


def test_it_refuses_the_broker_of_a_configuration_that_leads_out(capsys):
    wish = Wish(device="button-204", config=REPOSITORY / "config", broker="127.0.0.1:1883", over="press_json")
    assert run_devices(wish) == LIVE
    assert "a live daemon may listen there" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("wish", "words"),
    [
        (Wish(device="nobody", config=REPOSITORY / "config", dry_run=True), "not in the registry"),
        (Wish(device="x", family="shelly", broker="nowhere"), "write it like"),
        (Wish(device="button-204", config=REPOSITORY / "config"), "name the broker"),
    ],
)
def test_what_is_not_understood_is_said(wish, words, capsys):
    assert run_devices(wish) == USAGE
    assert words in capsys.readouterr().err


def test_another_broker_leaves_the_rehearsals_registry(tmp_path: Path, capsys):
    rehearsal = {"config": str(REPOSITORY / "config"), "broker_host": "127.0.0.1", "broker_port": 1883}
    whole = {name: rehearsal.get(name, "") for name in Rehearsal.__struct_fields__}
    (tmp_path / MARKER).write_text(json.dumps(whole))
    wish = Wish(device="nobody", into=tmp_path, broker="127.0.0.1:1884", dry_run=True)
    assert run_devices(wish) == LIVE
    assert "this could reach somebody real" in capsys.readouterr().err, "the example district leads out: it was read"


@pytest.mark.slow
@pytest.mark.parametrize("user", ["", "sensor"])
def test_what_the_brokers_access_list_forbids_is_not_said_to_be_played(tmp_path: Path, capsys, monkeypatch, user):
    monkeypatch.setenv("ALERTD_SIM_PASSWORD", "sensor's")
    acl = "topic write alertd/telemetry/#\nuser sensor\ntopic write alertd/sensor/#\n"
    with RealMosquitto(tmp_path, users={"sensor": "sensor's"}, acl=acl, settings={"allow_anonymous": "true"}) as broker:
        wish = Wish(device="desk-1", family="press_json", broker=f"127.0.0.1:{broker.port}", username=user)
        assert run_devices(wish) == FAILED
    said = capsys.readouterr().err
    assert "REFUSED this one (Not authorized)" in said
    assert (f"the user {user}" if user else "somebody without a name") in said
    assert "alertd/press/desk-1" in said


def test_without_a_rehearsal_it_says_how_to_begin_one(tmp_path: Path, capsys):
    assert run_devices(Wish(device="x", into=tmp_path)) == 1
    assert "alertd-sim receivers" in capsys.readouterr().err
