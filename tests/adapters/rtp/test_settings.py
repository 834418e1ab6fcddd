"""A wrong section is refused with its key and what to write instead; nothing of this machine is asked."""

import re
import socket
import tomllib
from pathlib import Path

import pytest

from alertd.ports import API_VERSION, SettingsError
from alertd_adapters.rtp import plugin
from alertd_adapters.rtp.settings import PaSettings, read_group
from tests.adapters.rtp.world import SECTION, build


def test_a_good_section_makes_a_channel_on_any_machine():
    channel = build()

    assert plugin.api_version == API_VERSION
    assert (channel.name, channel.kind) == ("pa", "rtp")
    assert channel.limits.deadline_s == 5.0


def test_building_opens_no_socket_and_starts_no_process(monkeypatch):
    def forbidden(*args, **kwargs):
        raise AssertionError("a check must not touch the network")

    monkeypatch.setattr(socket, "socket", forbidden)
    monkeypatch.setattr("asyncio.create_subprocess_exec", forbidden)

    build()


@pytest.mark.parametrize(
    ("change", "key", "says"),
    [
        ({"interface": "eth0"}, "interface", "IPv4 address of the network card"),
        ({"interface": "fe80::1"}, "interface", "IPv4 address"),
        ({"interface": "0.0.0.0"}, "interface", "pin"),  # noqa: S104 - refused
        ({"interface": "239.192.4.2"}, "interface", "no address of a network card"),
        ({"interface": "127.0.0.1"}, "interface", "loopback = true"),
        ({"speech": "festival"}, "speech", "espeak-ng"),
        ({"speech": "voices/joe.onnx"}, "speech", "absolute path"),
        ({"speech": "flite", "voice": "joe"}, "voice", "slt"),
        ({"voice": "en; rm"}, "voice", "matching regex"),
        ({"ttl": 0}, "ttl", "1"),
        ({"dscp": 64}, "dscp", "63"),
        ({"zones": {}}, "zones", "1"),
        ({"multicast": True}, "multicast", "known: interface"),
        ({"marks": {"real": "x.wav"}}, "marks.real", "known: drill"),
    ],
    ids=lambda value: str(value)[:40] if isinstance(value, dict) else "",
)
def test_a_wrong_key_is_named_with_its_remedy(change, key, says):
    with pytest.raises(SettingsError, match=says) as caught:
        build(SECTION | change)
    assert caught.value.key == key


def test_the_interface_is_never_left_to_the_routing_table():
    with pytest.raises(SettingsError, match="missing") as caught:
        build({key: value for key, value in SECTION.items() if key != "interface"})
    assert caught.value.key == "interface"


@pytest.mark.parametrize(
    ("change", "key", "says"),
    [
        ({"tone": "temporal-3"}, "tone", "fire"),
        ({"tone": "temporal_4"}, "tone", "carbon monoxide"),
        ({"tone": "wail"}, "tone", "hi_lo"),
        ({"words": None}, "", "say what is heard"),
        ({"times": 0}, "times", "1"),
        ({"times": 9}, "times", "5"),
        ({"words": None, "recording": "x.wav", "drill_words": "x"}, "drill_words", "drill_recording"),
        ({"repeat": 2}, "repeat", "known: tone"),
    ],
    ids=lambda value: str(value)[:50] if isinstance(value, dict) else "",
)
def test_a_wrong_announcement_is_named(change, key, says):
    announcement = {k: v for k, v in ({"words": "Hold."} | change).items() if v is not None}
    with pytest.raises(SettingsError, match=says) as caught:
        build(SECTION | {"announcements": {"hold": announcement}})
    assert caught.value.key in {
        f"announcements.hold.{key}".rstrip("."),
        f"announcements[...].{key}".rstrip("."),
    }


@pytest.mark.parametrize(
    ("group", "says"),
    [
        ("239.192.4.2", "lacks its port"),
        ("239.192.4.2:", "even number"),
        ("239.192.4.2:5005", "239.192.4.2:5004"),
        ("239.192.4.2:80", "1024"),
        ("239.192.4.2:70000", "65534"),
        ("239.192.4.2:５００４", "even number"),
        ("192.0.2.7:5004", "no multicast address"),
        ("speakers.example:5004", "no IPv4 address"),
        ("[ff15::1]:5004", "no IPv4 address"),
        ("224.0.0.251:5004", "routing protocols"),
        ("224.0.1.116:5000", "other protocols"),
        ("232.1.2.3:5004", "SSM"),
    ],
)
def test_a_group_that_no_loudspeaker_could_join_is_refused(group, says):
    with pytest.raises(SettingsError, match=says) as caught:
        build(SECTION | {"zones": {"oak": {"groups": [group]}}})
    assert caught.value.key == "zones.oak.groups"


@pytest.mark.parametrize("group", ["239.192.4.2:5004", "224.0.2.60:50002", "234.2.1.1:2000", "239.255.255.245:65534"])
def test_the_groups_that_vendors_preset_are_taken(group):
    host, _, port = group.partition(":")
    assert read_group("zones.oak.groups", group) == (host, int(port))


def zones(**of):
    return SECTION | {"zones": {name.replace("_", "-"): zone for name, zone in of.items()}}


def test_a_group_that_stands_twice_in_a_zone_is_refused():
    one = "239.192.4.2:5004"
    with pytest.raises(SettingsError, match="twice"):
        build(zones(oak={"groups": [one, one]}))
    with pytest.raises(SettingsError, match="twice"):
        build(zones(oak={"groups": [one], "emergency_groups": [one]}))


def test_zones_may_overlap_but_a_group_means_one_thing():
    one, two = "239.192.4.2:5004", "239.192.4.3:5004"
    build(zones(oak_all={"groups": [one, two]}, oak_gym={"groups": [two]}))

    with pytest.raises(SettingsError, match="emergencies need their own"):
        build(zones(oak_all={"groups": [one]}, oak_gym={"groups": [two], "emergency_groups": [one]}))
    with pytest.raises(SettingsError, match="one codec"):
        build(zones(oak_all={"groups": [one]}, oak_gym={"groups": [one], "codec": "g722"}))


def test_a_zone_is_not_called_like_an_emergency_number():
    with pytest.raises(SettingsError, match="911"):
        build(SECTION | {"zones": {"911": {"groups": ["239.192.4.2:5004"]}}})


def test_the_page_about_loudspeakers_shows_a_section_that_works():
    text = (Path(__file__).resolve().parents[3] / "docs" / "pa.md").read_text()
    shown = re.findall(r"```toml\n(.*?)```", text, re.DOTALL)[0]
    section = tomllib.loads(shown)["channels"]["pa"]
    del section["plugin"]

    assert build(section)
    set_up = text.partition("## Set it up")[2].partition("\n## ")[0]
    explained = set(re.findall(r"^\| `([a-z_]+)`", set_up, re.MULTILINE)) | {"concurrent"}
    assert explained | {"zones", "announcements", "marks"} == set(PaSettings.__struct_fields__)
