"""config/mosquitto is what our tests assume, a real mosquitto accepts it, and its ACL keeps devices apart."""

import asyncio
from pathlib import Path

import pytest

from alertd_adapters.mqtt.connection import ConnectOptions, Credentials, PublishRefusedError
from alertd_adapters.mqtt.paho_connection import PahoBroker
from tests.adapters.mqtt.fake_broker import FakeDoor
from tests.adapters.mqtt.test_real_broker import WallClock, until
from tests.adapters.mqtt.world import build
from tests.real_broker import ASSUMED, RealMosquitto

SHIPPED = Path(__file__).resolve().parents[3] / "config" / "mosquitto"
OF_THE_PLACE = {"listener", "certfile", "keyfile", "password_file", "acl_file", "persistence_location"}
"""Ports and paths, which the test's own broker has instead."""


def shipped() -> dict[str, str]:
    lines = (line.strip() for line in (SHIPPED / "mosquitto.conf").read_text().splitlines())
    return dict(line.split(" ", 1) for line in lines if line and not line.startswith("#"))


def test_the_tests_assume_what_is_shipped():
    differing = {key for key, value in ASSUMED.items() if shipped().get(key) != value}
    assert differing == {"sys_interval"}, "tests/real_broker.py and config/mosquitto/mosquitto.conf have drifted apart"


def test_sessions_never_expire_and_strangers_stay_out():
    assert "persistent_client_expiration" not in shipped()
    assert shipped()["allow_anonymous"] == "false"


@pytest.mark.slow
async def test_a_device_presses_as_itself_and_as_nobody_else(tmp_path: Path):
    """Under the shipped lines and ACL: alertd gets on without a trouble, a device cannot borrow a name."""
    passwords = {"alertd": "correct horse", "badge-1": "one", "badge-2": "two"}
    acl = (SHIPPED / "acl").read_text()
    settings = {k: v for k, v in shipped().items() if k not in OF_THE_PLACE | {"log_type", "log_dest", "tls_version"}}
    door = FakeDoor()
    with RealMosquitto(tmp_path, settings=settings | {"sys_interval": "1"}, users=passwords, acl=acl) as broker:
        login = {"username": "alertd", "password_secret": "MQTT_PASSWORD"}
        place = {"host": "127.0.0.1", "port": broker.port, "telemetry": ["alertd/telemetry/+"]}
        built = build(None, WallClock(), state_dir=tmp_path, **place, **login)
        assert built.source is not None
        source = built.source
        task = asyncio.create_task(source.run(door))
        await until(lambda: source.is_connected)

        async def publish(topic: str, payload: bytes = b'{"action":"press"}') -> None:
            """Over a connection of its own: mosquitto 2.0.11 hangs up on who publishes what it may not."""
            options = ConnectOptions(
                client_id="b1", persistent=False, credentials=Credentials(username="badge-1", password="one")
            )
            badge = await PahoBroker("127.0.0.1", broker.port, protocol="5").connect(options)
            try:
                await badge.publish(topic, payload, qos=1)
            finally:
                await badge.close()

        await publish("alertd/press/badge-1")
        for forbidden in ("alertd/press/badge-2", "alertd/feedback/badge-1", "alertd/alive/alertd-oak"):
            with pytest.raises(PublishRefusedError, match="Not authorized"):
                await publish(forbidden)
        await publish("alertd/telemetry/badge-1")
        await until(lambda: ("oak", "telemetry") in door.observed)
        await until(lambda: b'"dropped":' in (tmp_path / "mqtt-oak.json").read_bytes())
        task.cancel()
        await asyncio.wait([task])
        assert [signal.device_id for arrival in door.arrivals for signal in arrival.signals] == ["badge-1"]
        assert door.standing == {}
