"""What `alertd broker config` writes, in a real mosquitto with real TLS: who may what, and what is left after kill -9.

The figures are printed (`pytest -s`) and stand in docs/broker.md.
"""

import asyncio
import json
import re
import ssl
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from alertd.cli import app
from alertd.config import load
from alertd.console import broker_keeping
from alertd.console.broker_keeping import keeping
from alertd.console.broker_probe import brokers
from alertd.console.doctor import FAIL, OK, WARN, Finding
from alertd.model.decision import Confirmation, FeedbackState
from alertd.model.ids import DeviceId
from alertd_adapters.mqtt.connection import ConnectionLostError, ConnectOptions, Credentials, PublishRefusedError
from alertd_adapters.mqtt.paho_connection import PahoBroker, PahoConnection
from alertd_simulator.demo_school import Keys
from tests.adapters.mqtt.fake_broker import FakeDoor
from tests.adapters.mqtt.test_real_broker import WallClock, first, until
from tests.adapters.mqtt.world import SECRETS, build
from tests.e2e.machine import copy_example, running_machine
from tests.generated_broker import Authority, GeneratedMosquitto, generate, handed_out, make_authority
from tests.real_broker import RealMosquitto

pytestmark = pytest.mark.slow

WAITING = 100
HALTS_EVERY_S, HALTS_S = 0.3, 2.5
PRESS = b'{"action": "hold"}'
DOCTOR = """doctor_username = "alertd-doctor"
doctor_password_secret = "doctor-password"
doctor_sensor_username = "alertd-doctor-sensor"
doctor_sensor_password_secret = "doctor-sensor-password"
"""
TWO_SOURCES = """
[sources.broker]
plugin = "mqtt"
host = "localhost"
port = 1883
client_id = "alertd-maple"
username = "alertd"
password_secret = "broker-password"
triggers = [
  { topic = "alertd/press/+", kinds = ["button", "wearable"] },
  { topic = "zigbee2mqtt/+", decoder = "zigbee2mqtt" },
]

[sources.sensors]
plugin = "mqtt"
host = "localhost"
port = 1884
client_id = "alertd-maple-sensors"
username = "alertd"
password_secret = "broker-password"
triggers = [{ topic = "alertd/sensor/+", kinds = ["sensor"] }]
telemetry = ["alertd/telemetry/+"]
"""


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return make_authority(tmp_path / "ca")


def district(folder: Path, *, two: bool, doctor: bool = False) -> Path:
    config = copy_example(folder)
    wiring = (config / "channels.toml").read_text()
    if two:
        wiring = re.sub(r"\[sources\.broker\].*?(?=\[channels\.sms\])", lambda _: TWO_SOURCES, wiring, flags=re.DOTALL)
    if doctor:
        wiring = wiring.replace(
            'password_secret = "broker-password"\n', f'password_secret = "broker-password"\n{DOCTOR}', 1
        )
    (config / "channels.toml").write_text(wiring)
    (config / "devices.csv").write_text((config / "devices.csv").read_text() + EXTRA)
    return config


EXTRA = "desk 12,button,oak,rm-118,wall-button,desk button,,\n"
"""A name with a space in it."""


def trust(authority: Authority) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=authority.ca)
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    return context


@asynccontextmanager
async def device(
    broker: GeneratedMosquitto, authority: Authority, user: str, password: str = ""
) -> AsyncIterator[PahoConnection]:
    """As itself, over TLS, with the password that was handed out."""
    credentials = Credentials(username=user, password=password or handed_out(broker.folder)[user])
    connection = await PahoBroker("localhost", broker.tls_port, protocol="5", tls=trust(authority)).connect(
        ConnectOptions(client_id=user, persistent=False, credentials=credentials)
    )
    try:
        yield connection
    finally:
        await connection.close()


async def says(broker: GeneratedMosquitto, authority: Authority, user: str, topic: str, payload: bytes = PRESS) -> bool:
    """Did the broker take it?"""
    async with device(broker, authority, user) as connection:
        try:
            await connection.publish(topic, payload, qos=1)
        except PublishRefusedError:
            return False
        return True


@asynccontextmanager
async def alertd_on(
    broker: GeneratedMosquitto, door: FakeDoor, folder: Path, triggers: list[dict[str, str]]
) -> AsyncIterator[Any]:
    login: dict[str, Any] = {"username": "alertd", "password_secret": "MQTT_PASSWORD", "triggers": triggers}
    built = build(None, WallClock(), state_dir=folder, host="127.0.0.1", port=broker.port, **login)
    source = built.source
    assert source is not None
    task = asyncio.create_task(source.run(door))
    try:
        await until(lambda: source.is_connected)
        yield built
    finally:
        task.cancel()
        await asyncio.wait([task])


PASSWORD = {"broker-password": "correct horse"}
"""What the adapter's tests know as the secret MQTT_PASSWORD."""
PRESSES = [{"topic": "alertd/press/+"}]


# --- who may what -----------------------------------------------------------------------------------------------------


async def test_everyone_may_speak_as_themselves_and_as_nobody_else(tmp_path: Path, authority: Authority):
    out = tmp_path / "out"
    generate(district(tmp_path, two=False), out, known=PASSWORD)
    with GeneratedMosquitto(tmp_path, out / "broker", authority) as broker:
        allowed = [
            ("button-204", "alertd/press/button-204"),
            ("button-204", "alertd/telemetry/button-204"),
            ("desk 12", "alertd/press/desk 12"),
            ("vape-112", "alertd/sensor/vape-112"),
            ("gw-2-east", "alertd/press/badge-okafor"),
            ("zigbee2mqtt", "zigbee2mqtt/button-9"),
        ]
        forbidden = [
            ("button-204", "alertd/press/button-118"),
            ("button-204", "alertd/feedback/button-204"),
            ("vape-112", "alertd/press/vape-112"),
            ("vape-112", "alertd/press/button-204"),
            ("gw-2-east", "alertd/press/button-204"),
            ("gw-2-east", "alertd/press/badge-shaw"),
            ("zigbee2mqtt", "alertd/press/button-204"),
        ]
        assert [pair for pair in allowed if not await says(broker, authority, *pair)] == []
        assert [pair for pair in forbidden if await says(broker, authority, *pair)] == []
        with pytest.raises(ConnectionLostError, match="Not authorized"):
            async with device(broker, authority, "button-204", "wrong"):
                pass


async def test_who_is_refused_one_message_goes_on_with_the_next(tmp_path: Path, authority: Authority):
    """With max_queued_messages 0 mosquitto 2.0.11 to 2.0.21 hang up instead, and the press behind it is lost."""
    out = tmp_path / "out"
    generate(district(tmp_path, two=False), out, known=PASSWORD)
    with GeneratedMosquitto(tmp_path, out / "broker", authority) as broker:
        async with device(broker, authority, "button-204") as button:
            with pytest.raises(PublishRefusedError):
                await button.publish("shellies/announce", b"{}", qos=1)
            await button.publish("alertd/press/button-204", PRESS, qos=1)


async def test_the_presser_hears_that_it_was_received(tmp_path: Path, authority: Authority):
    """Devices that can repeat do so until then: each must be allowed to read its own feedback, and only that."""
    out = tmp_path / "out"
    generate(district(tmp_path, two=False), out, known=PASSWORD)
    with GeneratedMosquitto(tmp_path, out / "broker", authority) as broker:
        async with (
            alertd_on(broker, FakeDoor(), tmp_path, PRESSES) as built,
            device(broker, authority, "button-204") as button,
            device(broker, authority, "button-118") as other,
        ):
            for each in (button, other):
                await each.subscribe([("alertd/feedback/button-204", 1)])
            received = Confirmation(device_id=DeviceId("button-204"), state=FeedbackState.RECEIVED, expires_s=30)
            built.feedback.confirm(received)
            assert json.loads(await first(button))["state"] == "received"
            with pytest.raises(TimeoutError):
                await first(other, within_s=0.5)


async def test_who_left_is_refused_after_a_reload_and_the_others_stay_connected(tmp_path: Path, authority: Authority):
    out, config = tmp_path / "out", district(tmp_path, two=False)
    generate(config, out, known=PASSWORD)
    with GeneratedMosquitto(tmp_path, out / "broker", authority) as broker:
        before = handed_out(broker.folder)
        async with device(broker, authority, "button-118") as stays:
            devices = (config / "devices.csv").read_text()
            (config / "devices.csv").write_text(re.sub(r"(?m)^button-204,.*\n", "", devices))
            generate(config, out)
            broker.reload()
            await asyncio.sleep(0.5)
            await stays.publish("alertd/press/button-118", PRESS, qos=1)
        with pytest.raises(ConnectionLostError, match="Not authorized"):
            async with device(broker, authority, "button-204", before["button-204"]):
                pass


async def test_promise_1_presses_made_while_alertd_takes_its_new_password_come(
    tmp_path: Path, authority: Authority, monkeypatch: pytest.MonkeyPatch
):
    """The steps as they are printed, and a press after each. Alertd reads its password when it starts."""
    out, config, door = tmp_path / "out", district(tmp_path, two=False), FakeDoor()
    generate(config, out, known=PASSWORD)
    made: set[str] = set()

    async def press() -> None:
        made.add(f"press{len(made)}")
        payload = json.dumps({"action": f"press{len(made) - 1}"}).encode()
        assert await says(broker, authority, "button-204", "alertd/press/button-204", payload)

    with GeneratedMosquitto(tmp_path, out / "broker", authority) as broker:
        async with AsyncExitStack() as running:
            await running.enter_async_context(alertd_on(broker, door, tmp_path, PRESSES))
            words = ["broker", "config", "--config", str(config), "--out", str(out), "--renew", "alertd"]
            for what in re.findall(r"systemctl (.*)", CliRunner().invoke(app, words).stdout):
                match what:
                    case "restart mosquitto":
                        await asyncio.to_thread(broker.stop)
                        await asyncio.to_thread(broker.start)
                    case "reload mosquitto":
                        broker.reload()
                        await asyncio.sleep(0.5)
                    case _:
                        assert what == "try-restart alertd"
                        await running.aclose()
                        await press()
                        monkeypatch.setitem(
                            SECRETS, "MQTT_PASSWORD", (out / "secrets/broker-password").read_text().strip()
                        )
                        await running.enter_async_context(alertd_on(broker, door, tmp_path, PRESSES))
                await press()
            with suppress(AssertionError):
                await until(lambda: made <= set(door.payload_actions), within_s=5)
    assert made - set(door.payload_actions) == set(), "promise 1: the broker took it, and threw it away"
    assert len(made) == 3, "one behind each step, and one before alertd is there"


# --- what is left after kill -9 ---------------------------------------------------------------------------------------


async def waiting_then(folder: Path, authority: Authority, role: str, death: Any, *, two: bool, pause_s: float) -> int:
    """Alertd is away, a device speaks until each message has its PUBACK, the broker dies. How many come back, of
    `WAITING`. Prints it, and how many a second were taken one after the other."""
    generate(district(folder, two=two), folder / "out", known=PASSWORD)
    kind, user = ("sensor", "vape-112") if role == "sensors" else ("press", "button-204")
    triggers, door = [{"topic": f"alertd/{kind}/+"}], FakeDoor()
    with GeneratedMosquitto(folder, folder / "out" / role, authority) as broker:
        async with alertd_on(broker, FakeDoor(), folder, triggers):
            pass
        async with device(broker, authority, user) as connection:
            began_s = time.monotonic()
            for number in range(WAITING):
                await connection.publish(f"alertd/{kind}/{user}", b'{"action": "press%d"}' % number, qos=1)
            rate = WAITING / (time.monotonic() - began_s)
            await asyncio.sleep(pause_s)
            death(broker)
        broker.start()
        async with alertd_on(broker, door, folder, triggers):
            await asyncio.sleep(0.5)
    kept = len(set(door.payload_actions))
    print(f"\n{role}: {kept} of {WAITING} after {death.__name__} {pause_s} s later; {rate:.0f}/s one by one")
    return kept


LAYOUTS = pytest.mark.parametrize("two", [False, True], ids=["one broker", "two brokers"])


@LAYOUTS
async def test_presses_that_wait_survive_kill_9_of_the_broker(tmp_path: Path, authority: Authority, two: bool):
    kept = await waiting_then(tmp_path, authority, "broker", RealMosquitto.kill, two=two, pause_s=1.5)
    assert kept == WAITING, "promise 1: no press is lost — the broker had answered, and forgot"


@LAYOUTS
async def test_at_most_the_last_press_is_lost_if_the_broker_dies_in_the_moment_of_its_answer(
    tmp_path: Path, authority: Authority, two: bool
):
    """It answers from memory, then saves, then reads on: docs/broker.md says so, and buttons repeat until they hear."""
    kept = await waiting_then(tmp_path, authority, "broker", RealMosquitto.kill, two=two, pause_s=0)
    assert kept >= WAITING - 1


async def test_readings_that_wait_survive_a_stop_of_their_broker(tmp_path: Path, authority: Authority):
    """What kill -9 costs is printed: whatever came within the last minute."""
    stopped = await waiting_then(tmp_path / "1", authority, "sensors", RealMosquitto.stop, two=True, pause_s=0)
    await waiting_then(tmp_path / "2", authority, "sensors", RealMosquitto.kill, two=True, pause_s=1.5)
    assert stopped == WAITING


# --- with the daemon --------------------------------------------------------------------------------------------------

TECHNICIAN = "+12025550119"
RESPONDERS = ("+12025550110", "+12025550111", "+12025550112")


@LAYOUTS
async def test_promise_1_presses_made_while_alertd_is_away_reach_people_though_the_brokers_are_killed(
    tmp_path: Path, authority: Authority, two: bool
):
    roles = ["broker", "sensors"] if two else ["broker"]
    made: dict[str, GeneratedMosquitto] = {}
    config = district(tmp_path, two=two)

    def broker(folder: Path, keys: Keys) -> RealMosquitto:
        generate(config, tmp_path / "out", known={"broker-password": keys.other})
        for role in roles:
            made[role] = GeneratedMosquitto(folder / role, tmp_path / "out" / role, authority)
        for other in roles[1:]:
            made[other].start()
        return made[roles[0]]

    def point(wiring: dict[str, Any]) -> None:
        for role in roles[1:]:
            wiring["sources"][role]["port"] = made[role].port

    try:
        async with running_machine(tmp_path / "m", example=config, edit=point, broker=broker) as machine:
            await machine.start()
            await machine.stop()
            presses, sensors = made[roles[0]], made[roles[-1]]
            assert await says(presses, authority, "button-204", "alertd/press/button-204")
            assert await says(sensors, authority, "vape-112", "alertd/sensor/vape-112", b'{"action": "vape"}')
            await asyncio.sleep(1.5)
            for each in made.values():
                each.kill()
            for each in made.values():
                each.start()
            await machine.start()
            await machine.until(
                lambda: all(machine.seen(phone, "LOCKDOWN") for phone in RESPONDERS),
                30,
                "promise 1: no press is lost — the one that waited at the broker reached nobody",
            )
            [incident] = [each for each in await machine.incidents() if each["incident_class"] == "lockdown"]
            assert [press["device"] for press in incident["presses"]] == ["button-204"]
    finally:
        for each in made.values():
            each.stop()


# --- and the doctor ---------------------------------------------------------------------------------------------------


@pytest.fixture
def doctored(tmp_path: Path) -> tuple[Path, Path]:
    config = district(tmp_path, two=False, doctor=True)
    generate(config, tmp_path / "out", known=PASSWORD)
    return config, tmp_path / "out"


def examined(config: Path, out: Path, broker: GeneratedMosquitto, of: Any = (brokers, keeping)) -> list[Finding]:
    [section] = [each for each in load(config).sections if each.table == "sources"]
    settings = {**section.settings, "port": broker.port}
    here = type("Here", (), {"table": "sources", "name": "broker", "plugin": "mqtt", "settings": settings})()

    def secret(name: str) -> str:
        return (out / "secrets" / name).read_text().strip()

    return [finding for probe in of for finding in probe([here], secret)]


def test_the_doctor_finds_nothing_wrong_with_what_was_written(
    tmp_path: Path, authority: Authority, doctored: tuple[Path, Path]
):
    with GeneratedMosquitto(tmp_path, doctored[1] / "broker", authority) as broker:
        began_s = time.monotonic()
        found = examined(*doctored, broker)
        print(f"\n{time.monotonic() - began_s:.1f} s", *(f"{each.level}  {each.words}" for each in found), sep="\n")

    assert [each.words for each in found if each.level != OK] == []
    assert [each.words.split(";")[0] for each in found[3:]] == [
        "a device may press as nobody else",
        "a sensor may press nowhere",
        "no retained message lies on a topic of presses",
        "keeps the session of a client that is away",
        "kept 1100 of 1100 messages for a client that was away",
        "messages of QoS 0 that waited hold up no press behind them (1100 tried)",
        "feedback reaches a device",
    ]


@pytest.mark.parametrize(
    ("line", "level", "words"),
    [
        ("max_queued_messages 1000", FAIL, "kept 1000 of 1100 messages for a client that was away"),
        ("queue_qos0_messages false", WARN, "kept 0 of 10 messages of QoS 0"),
        ("retain_available false", OK, "refuses retained messages"),
        ("max_inflight_messages 1000", FAIL, "sends no press that waits behind"),
        ("max_inflight_messages 20", FAIL, "sends no press that waits behind"),
    ],
)
def test_the_doctor_sees_what_a_setting_does(
    tmp_path: Path, authority: Authority, doctored: tuple[Path, Path], line: str, level: str, words: str
):
    with GeneratedMosquitto(tmp_path, doctored[1] / "broker", authority, extra=(line,)) as broker:
        found = examined(*doctored, broker, of=(keeping,))

    said = [f"{each.level} {each.words}" for each in found]
    assert [each.level for each in found if each.words.startswith(words)] == [level], f"the doctor said {said}"


def test_the_doctor_judges_a_broker_that_stands_still_now_and_then(
    tmp_path: Path, authority: Authority, doctored: tuple[Path, Path]
):
    """On a slow disk it does, while it writes down what it keeps: that is not "thrown away"."""
    with GeneratedMosquitto(tmp_path, doctored[1] / "broker", authority) as broker, halting(broker):
        found = examined(*doctored, broker, of=(keeping,))

    assert [each.words for each in found if each.level != OK] == []
    assert "kept 1100 of 1100" in " ".join(each.words for each in found)


def test_a_broker_that_ends_while_it_is_examined_is_not_judged(
    tmp_path: Path, authority: Authority, doctored: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
):
    until_quiet = broker_keeping._until_quiet

    with GeneratedMosquitto(tmp_path, doctored[1] / "broker", authority) as broker:

        def ends(heard: Any, expected: int, client: Any) -> None:
            while not heard.qos:
                time.sleep(0.001)
            broker.kill()
            until_quiet(heard, expected, client)

        monkeypatch.setattr(broker_keeping, "_until_quiet", ends)
        found = examined(*doctored, broker, of=(keeping,))

    assert [each.words for each in found if each.level == FAIL] == [], "it is said to throw presses away"
    assert "not known what it keeps for a client that is away: it hung up" in [each.words for each in found]


def test_a_right_that_is_missing_is_not_called_a_loss(
    tmp_path: Path, authority: Authority, doctored: tuple[Path, Path]
):
    acl = doctored[1] / "broker" / "acl"
    rights = acl.read_text()
    assert "topic readwrite alertd/alive/+\n" in rights
    acl.write_text(rights.replace("topic readwrite alertd/alive/+\n", "topic write alertd/alive/+\n"))
    with GeneratedMosquitto(tmp_path, doctored[1] / "broker", authority) as broker:
        found = examined(*doctored, broker, of=(keeping,))

    assert [each.words for each in found if each.level == FAIL] == [], "it is said to throw presses away"
    assert ["our own messages below alertd/alive" in each.words for each in found if each.level == WARN] == [True]


@contextmanager
def halting(broker: GeneratedMosquitto) -> Iterator[None]:
    """It runs for a moment, then stands still for longer than the doctor takes for silence, again and again."""
    over = threading.Event()

    def halt() -> None:
        while not over.wait(HALTS_EVERY_S):
            broker.freeze()
            over.wait(HALTS_S)
            broker.thaw()

    halter = threading.Thread(target=halt)
    halter.start()
    try:
        yield
    finally:
        over.set()
        halter.join()


async def test_the_doctor_sees_a_sensor_that_may_press_a_retained_press_and_feedback_that_nobody_hears(
    tmp_path: Path, authority: Authority, doctored: tuple[Path, Path]
):
    acl = doctored[1] / "broker" / "acl"
    acl.write_text(
        acl.read_text().replace("topic read alertd/feedback/alertd-doctor\n", "") + "\npattern write alertd/press/%u\n"
    )
    with GeneratedMosquitto(tmp_path, doctored[1] / "broker", authority) as broker:
        async with device(broker, authority, "button-204") as button:
            button.client.publish("alertd/press/button-204", PRESS, 1, retain=True)
            await button.publish("alertd/telemetry/button-204", b"{}", qos=1)
        found = await asyncio.to_thread(examined, *doctored, broker)

    wrong = {each.words.split(":")[0]: each for each in found if each.level != OK}
    assert wrong.keys() == {
        "a sensor may press", "retained messages lie on topics of presses", "feedback does not reach its device",
    }  # fmt: skip
    assert "alertd/press/alertd-doctor-sensor" in wrong["a sensor may press"].words
    assert "alertd-doctor-other" not in wrong["a sensor may press"].words
    assert "alertd/press/button-204" in wrong["retained messages lie on topics of presses"].words
