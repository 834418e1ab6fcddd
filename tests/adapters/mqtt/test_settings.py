"""A section of the configuration: what is refused, where, and with what advice."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alertd.ports import API_VERSION, SettingsError
from alertd_adapters.mqtt import plugin
from alertd_adapters.mqtt.connection import Credentials
from alertd_adapters.mqtt.settings import is_within, matches
from alertd_simulator.virtual_time import VirtualClock, in_virtual_time
from tests.adapters.mqtt.world import SETTINGS, build

PRESSES = {"topic": "alertd/press/+"}


@pytest.mark.parametrize(
    ("change", "key", "says"),
    [
        ({"hots": "x"}, "hots", "spelling"),
        ({"host": ""}, "host", "empty"),
        ({"host": 5}, "host", "str"),
        ({"port": 99_999}, "port", "65535"),
        ({"protocol": "4"}, "protocol", "'4' is none of 3.1.1, 5"),
        ({"protocol": 5}, "protocol", "none of 3.1.1, 5"),
        (
            {"triggers": [PRESSES, {"topic": "a", "kinds": ["button", "sensors"]}]},
            "triggers[1].kinds[1]",
            "'sensors' is none of button, wearable, sensor, gateway",
        ),
        ({"telemetry": ["b", {"topic": "a", "kinds": ["x"]}]}, "telemetry[1].kinds[0]", "none of button, wearable, "),
        ({"triggers": [{"topic": "a", "kinds": "sensor"}]}, "triggers[0].kinds", "array"),
        ({"client_id": ""}, "client_id", "length"),
        ({"triggers": []}, "triggers", "length"),
        ({"triggers": [{"decoder": "press_json"}]}, "triggers[0].topic", "missing"),
        ({"triggers": [PRESSES, {"topic": "a", "qos": 1}]}, "triggers[1].qos", "spelling"),
        ({"triggers": [{"topic": "a/#/b"}]}, "triggers[0].topic", "last level"),
        ({"triggers": [{"topic": "a/b+"}]}, "triggers[0].topic", "whole levels"),
        ({"triggers": [{"topic": ""}]}, "triggers[0].topic", "filter"),
        ({"triggers": [{"topic": "alertd/#"}]}, "triggers[0].topic", "alertd itself speaks"),
        ({"triggers": [{"topic": "a", "decoder": "nope"}]}, "triggers[0].decoder", "installed are"),
        ({"telemetry": ["a/#/b"]}, "telemetry[0]", "last level"),
        ({"feedback_topic": "alertd/feedback"}, "feedback_topic", "{device_id}"),
        ({"feedback_topic": "+/{device_id}"}, "feedback_topic", "wildcards"),
        ({"max_unacked": 0}, "max_unacked", "1"),
        ({"retry_min_s": 10, "retry_max_s": 1}, "retry_min_s", "greater"),
        ({"password_secret": "MQTT_PASSWORD"}, "username", "missing"),
        ({"username": "alertd", "password_secret": "NO_SUCH"}, "password_secret", "NO_SUCH"),
        ({"tls": {"ca": "/no/such.pem"}}, "tls.ca", "/no/such.pem"),
        ({"tls": {"insecure": True}}, "tls.insecure", "spelling"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_what_is_wrong_is_named(change: dict[str, Any], key: str, says: str):
    @in_virtual_time
    async def story():
        with pytest.raises(SettingsError) as refused:
            build(None, VirtualClock(), **change)
        assert refused.value.key == key
        assert says in str(refused.value), f"it says only: {refused.value}"

    story()


@in_virtual_time
async def test_a_file_that_is_no_certificate(tmp_path: Path):
    (tmp_path / "ca.pem").write_text("hello")
    with pytest.raises(SettingsError) as refused:
        build(None, VirtualClock(), tls={"ca": str(tmp_path / "ca.pem")})
    assert refused.value.key == "tls.ca"


@in_virtual_time
async def test_a_good_section_builds_a_source_and_a_feedback():
    built = build(None, VirtualClock(), username="alertd", password_secret="MQTT_PASSWORD", tls={})
    assert built.source is not None
    assert built.source.name == "oak"
    assert not built.source.is_connected
    assert built.feedback is not None
    assert build(None, VirtualClock(), feedback_topic="").feedback is None
    assert plugin.api_version == API_VERSION
    assert "tls" not in SETTINGS


def test_a_password_does_not_show():
    assert "horse" not in repr(Credentials(username="a", password="correct horse"))


@pytest.mark.parametrize(
    ("topic_filter", "topic", "is_match"),
    [
        ("alertd/press/+", "alertd/press/badge-1", True),
        ("alertd/press/+", "alertd/press/badge-1/x", False),
        ("$share/alertd/alertd/press/+", "alertd/press/badge-1", True),
        ("#", "$SYS/broker/uptime", False),
        ("$SYS/#", "$SYS/broker/uptime", True),
    ],
)
def test_matches(topic_filter: str, topic: str, is_match: bool):
    assert matches(topic_filter, topic) == is_match


@pytest.mark.parametrize(
    ("topic_filter", "wider", "is_covered"),
    [
        ("alertd/press/badge-1", "alertd/press/+", True),
        ("alertd/press/+", "alertd/press/+", True),
        ("alertd/press/+", "alertd/press/badge-1", False),
        ("alertd/press", "alertd/press/+", False),
        ("alertd/press/+/x", "alertd/press/+", False),
        ("alertd/press", "alertd/press/#", True),
        ("alertd/+/x", "alertd/#", True),
        ("alertd/#", "alertd/+", False),
        ("alertd/#", "alertd/+/#", False),  # the latter does not cover "alertd" itself
        ("+/press", "alertd/+", False),
        ("$SYS/broker/uptime", "#", False),
        ("$SYS/broker/uptime", "$SYS/#", True),
        ("$share/oak/press/+", "#", False),
        ("$share/oak/press/+", "$share/oak/#", True),
        ("$share/oak/press/+", "$share/elm/#", False),
        ("press/+", "$share/oak/press/+", False),
    ],
)
def test_is_within(topic_filter: str, wider: str, is_covered: bool):
    assert is_within(topic_filter, wider) == is_covered, "promise 1: the press comes through neither, or through both"


LEVELS = st.lists(st.sampled_from(("a", "b", "+")), min_size=1, max_size=3)
FILTERS = st.builds(lambda levels, more: "/".join([*levels, *more]), LEVELS, st.sampled_from(((), ("#",))))


@given(topic_filter=FILTERS, wider=FILTERS, topic=st.lists(st.sampled_from(("a", "b", "c")), min_size=1, max_size=4))
def test_what_is_left_out_is_heard_by_the_wider(topic_filter: str, wider: str, topic: list[str]):
    if is_within(topic_filter, wider) and matches(topic_filter, "/".join(topic)):
        assert matches(wider, "/".join(topic)), "promise 1: the press comes through neither, or through both"
