"""config/mosquitto is what our tests assume, a real mosquitto accepts it, and its ACL keeps devices apart."""

import asyncio
import os
import pwd
import re
import shutil
import ssl
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from alertd_adapters.mqtt.connection import ConnectionLostError, ConnectOptions, Credentials, PublishRefusedError
from alertd_adapters.mqtt.paho_connection import PahoBroker
from tests.adapters.mqtt.fake_broker import FakeDoor
from tests.adapters.mqtt.test_real_broker import WallClock, until
from tests.adapters.mqtt.world import build
from tests.generated_broker import handed_out
from tests.real_broker import ASSUMED, RealMosquitto, free_port, program

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


PASSWORDS = {"alertd": "correct horse", "badge-okafor": "one", "badge-diaz": "two"}


def under_the_shipped_lines(tmp_path: Path) -> RealMosquitto:
    settings = {k: v for k, v in shipped().items() if k not in OF_THE_PLACE | {"log_type", "log_dest", "tls_version"}}
    acl = (SHIPPED / "acl").read_text()
    return RealMosquitto(tmp_path, settings=settings | {"sys_interval": "1"}, users=PASSWORDS, acl=acl)


@asynccontextmanager
async def alertd_on(broker: RealMosquitto, door: FakeDoor, state_dir: Path) -> AsyncIterator[None]:
    login: dict[str, Any] = {"username": "alertd", "password_secret": "MQTT_PASSWORD"}
    place: dict[str, Any] = {"host": "127.0.0.1", "port": broker.port, "telemetry": ["alertd/telemetry/+"]}
    source = build(None, WallClock(), state_dir=state_dir, **place, **login).source
    assert source is not None
    task = asyncio.create_task(source.run(door))
    try:
        await until(lambda: source.is_connected)
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])


async def publish(broker: RealMosquitto, topic: str, payload: bytes = b'{"action":"press"}') -> None:
    """As badge-okafor, over a connection of its own."""
    options = ConnectOptions(
        client_id="b1", persistent=False, credentials=Credentials(username="badge-okafor", password="one")
    )
    badge = await PahoBroker("127.0.0.1", broker.port, protocol="5").connect(options)
    try:
        await badge.publish(topic, payload, qos=1)
    finally:
        await badge.close()


@pytest.mark.slow
async def test_a_device_presses_as_itself_and_as_nobody_else(tmp_path: Path):
    """Under the shipped lines and ACL: alertd gets on without a trouble, a device cannot borrow a name."""
    door = FakeDoor()
    with under_the_shipped_lines(tmp_path) as broker:
        async with alertd_on(broker, door, tmp_path):
            await publish(broker, "alertd/press/badge-okafor")
            for forbidden in ("alertd/press/badge-diaz", "alertd/feedback/badge-okafor", "alertd/alive/alertd-oak"):
                with pytest.raises(PublishRefusedError, match="Not authorized"):
                    await publish(broker, forbidden)
            await publish(broker, "alertd/telemetry/badge-okafor", b'{"action": "heartbeat"}')
            await until(lambda: ("oak", "telemetry") in door.observed)
            await until(lambda: b'"dropped":' in (tmp_path / "mqtt-oak.json").read_bytes())
        assert [signal.device_id for arrival in door.arrivals for signal in arrival.signals] == ["badge-okafor"]
        assert door.standing == {}


@pytest.mark.slow
async def test_a_message_of_1_mib_is_seen_counted_and_refused_by_alertd(tmp_path: Path):
    """The broker must not cut it off: it may have been a press, and only alertd can raise the trouble."""
    door = FakeDoor()
    with under_the_shipped_lines(tmp_path) as broker:
        async with alertd_on(broker, door, tmp_path):
            for _ in range(3):
                await publish(broker, "alertd/press/badge-okafor", b"x" * 1024 * 1024)
            await until(lambda: len(door.arrivals) >= 3)
            await publish(broker, "alertd/press/badge-okafor")
            await until(lambda: len(door.arrivals) == 4)
    assert all("1048576 bytes" in arrival.refused for arrival in door.arrivals[:3])
    assert door.observed.count(("oak", "refused")) == 3
    assert door.payload_actions == ["press"]


@pytest.mark.slow
async def test_beyond_2_mib_the_broker_hangs_up_on_the_sender_alone(tmp_path: Path):
    """As docs/broker.md says. The sender hears that it was not taken; nobody else is disturbed."""
    door = FakeDoor()
    with under_the_shipped_lines(tmp_path) as broker:
        async with alertd_on(broker, door, tmp_path):
            with pytest.raises(ConnectionLostError):
                await publish(broker, "alertd/press/badge-okafor", b"x" * 3 * 1024 * 1024)
            await publish(broker, "alertd/press/badge-okafor")
            await until(lambda: door.arrivals)
        assert "oversize packet" in broker.log
    assert door.payload_actions == ["press"]


@pytest.mark.slow
async def test_the_steps_of_the_page_make_a_broker_that_starts_and_lets_the_right_ones_in(place: Path):
    """docs/broker.md, literally: only paths, ports and what needs systemd or a network are changed."""
    passwords = await asyncio.to_thread(follow_the_page, place)
    for name in ("acl", "passwords"):  # else mosquitto 2.0.21 warns that its next version will not read them
        file = place / "etc-mosquitto" / name
        assert (file.owner(), file.group(), file.stat().st_mode & 0o007) == ("mosquitto", "mosquitto", 0), name
    port, plain_port = free_port(), free_port()
    conf = place / "etc-mosquitto" / "mosquitto.conf"
    lines = _elsewhere(conf.read_text(), place).replace("/var/lib/mosquitto/", f"{place}/var/")
    lines = lines.replace("listener 8883", f"listener {port} 127.0.0.1").replace(
        "listener 1883", f"listener {plain_port}"
    )
    conf.write_text(lines)
    with (place / "log").open("wb") as log:
        broker = subprocess.Popen([program("mosquitto"), "-c", str(conf)], stdout=log, stderr=log)  # noqa: ASYNC220
    try:
        await until(lambda: b" running" in (place / "log").read_bytes() or broker.poll() is not None)
        assert broker.poll() is None, (place / "log").read_text()
        trust = ssl.create_default_context(cafile=place / "etc-mosquitto" / "certs" / "ca.pem")
        trust.verify_flags |= ssl.VERIFY_X509_STRICT  # as Python 3.13 does by itself
        for user, password in passwords.items():
            options = ConnectOptions(
                client_id=user, persistent=False, credentials=Credentials(username=user, password=password)
            )
            connection = await PahoBroker("localhost", port, protocol="5", tls=trust).connect(options)
            await connection.close()
        with pytest.raises(ConnectionLostError, match="Not authorized"):
            await PahoBroker("127.0.0.1", plain_port, protocol="5").connect(
                ConnectOptions(client_id="stranger", persistent=False)
            )
    finally:
        broker.terminate()
        broker.wait(10)


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder that user mosquitto may enter: pytest's own are root's alone."""
    if os.geteuid() != 0 or not any(entry.pw_name == "mosquitto" for entry in pwd.getpwall()):
        pytest.skip("the page is for root, on a machine with the user mosquitto")
    directory = Path(tempfile.mkdtemp(prefix="alertd-broker-"))
    directory.chmod(0o755)
    for name in ("etc-mosquitto", "etc-alertd", "var"):
        (directory / name).mkdir(mode=0o755)
    shutil.chown(directory / "var", "mosquitto")
    yield directory
    shutil.rmtree(directory)


PASSWORDS_MADE = {"alertd": "broker", "alertd-doctor": "doctor", "alertd-doctor-sensor": "doctor-sensor"}
DOCTOR = """
doctor_username = "alertd-doctor"
doctor_password_secret = "doctor-password"
doctor_sensor_username = "alertd-doctor-sensor"
doctor_sensor_password_secret = "doctor-sensor-password"
"""


def _elsewhere(text: str, place: Path) -> str:
    return text.replace("/etc/mosquitto", f"{place}/etc-mosquitto").replace("/etc/alertd", f"{place}/etc-alertd")


def follow_the_page(place: Path) -> dict[str, str]:
    """Run its shell blocks; answers what was made: user names and passwords."""
    page = (SHIPPED.parents[1] / "docs" / "broker.md").read_text()
    blocks = re.findall(r"```sh\n(.*?)```", page, re.DOTALL)
    assert len(blocks) == 5, "the page's steps have changed: this test follows the first three blocks"
    steps = "".join(
        line + "\n"
        for block in blocks[:3]
        for line in block.splitlines()
        if not line.startswith(("apt-get", "systemctl"))
    )
    alertd = Path(sys.executable).with_name("alertd")
    shutil.copytree(SHIPPED.parent, place / "etc-alertd", dirs_exist_ok=True)
    channels = place / "etc-alertd" / "channels.toml"
    channels.write_text(channels.read_text().replace("username =", f"{DOCTOR}\nusername =", 1))
    subprocess.run(
        ["bash", "-euc", _elsewhere(steps, place).replace("\nalertd ", f"\n{alertd} ")],
        cwd=place,
        text=True,
        capture_output=True,
        check=True,
    )
    secrets, folder = place / "etc-alertd/secrets", place / "etc-alertd-broker" / "broker"
    ours = {user: (secrets / f"{name}-password").read_text().strip() for user, name in PASSWORDS_MADE.items()}
    return ours | {"badge-okafor": handed_out(folder)["badge-okafor"]}
