"""Our right to read presses is missing from mosquitto's access list: does the daemon find out, and `alertd doctor`?

mosquitto grants the subscription, answers "success" to the button, and delivers nothing.
"""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from alertd.console.broker_hearing import hearing
from alertd.console.doctor import FAIL, OK, WARN
from alertd_adapters.mqtt import canaries
from tests.adapters.mqtt.fake_broker import FakeDoor
from tests.adapters.mqtt.test_canaries import rings
from tests.adapters.mqtt.test_real_broker import sourced, until
from tests.real_broker import RealMosquitto

pytestmark = pytest.mark.slow

READ, CANARY = "topic read alertd/press/+", "topic write alertd/press/alertd-canary"
OTHERS = ("user alertd", "topic readwrite alertd/alive/+", "topic read zigbee2mqtt/+")
OTHERS_END = (
    "topic write zigbee2mqtt/alertd-canary",
    "topic read $SYS/#",
    "user badge-1",
    "topic write alertd/press/+",
)
LOGIN: dict[str, Any] = {"username": "alertd", "password_secret": "MQTT_PASSWORD"}
TRIGGERS: dict[str, Any] = {
    "triggers": [{"topic": "alertd/press/+"}, {"topic": "zigbee2mqtt/+"}, {"topic": "panel/alarm"}]
}


def a_broker(directory: Path, *rights: str) -> RealMosquitto:
    acl = "\n".join((*OTHERS, *rights, *OTHERS_END, ""))
    return RealMosquitto(directory, users={"alertd": "correct horse", "badge-1": "one"}, acl=acl)


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(canaries, "WAIT_S", 0.5)
    monkeypatch.setattr(canaries, "INTERVAL_S", 0.5)


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
async def test_presses_that_mosquitto_keeps_from_us_ring_and_mending_the_list_ends_it(tmp_path: Path, protocol: str):
    door = FakeDoor()
    with a_broker(tmp_path, CANARY) as broker:
        async with sourced(broker, door, state_dir=tmp_path, protocol=protocol, **TRIGGERS, **LOGIN):
            await until(lambda: "broker_deaf:oak" in door.standing)
            assert list(door.standing) == ["broker_deaf:oak"]
            assert rings(door, "broker_deaf:oak")
            broker.stop()
            (tmp_path / "mosquitto" / "acl").write_text("\n".join((*OTHERS, READ, CANARY, *OTHERS_END, "")))
            broker._acl = None
            broker._settings |= {"acl_file": str(tmp_path / "mosquitto" / "acl")}
            broker.start()
            await until(lambda: door.standing == {})
            await asyncio.sleep(2)
            assert door.standing == {}
            assert door.arrivals == []


@pytest.mark.parametrize("limit", ["1000000000", "0"])
async def test_where_our_word_is_refused_it_is_said_that_nobody_knows(tmp_path: Path, limit: str):
    """With no limit to its queues, mosquitto up to 2.0.21 hangs up on who publishes what it may not."""
    door = FakeDoor()
    with a_broker(tmp_path, READ) as broker:
        broker._settings["max_queued_messages"] = limit
        broker.stop()
        broker.start()
        async with sourced(broker, door, state_dir=tmp_path, **TRIGGERS, **LOGIN) as built:
            await until(lambda: "broker_unproven:oak" in door.standing)
            assert list(door.standing) == ["broker_unproven:oak"]
            assert not rings(door, "broker_unproven:oak")
            assert built.source is not None
            assert built.source.is_connected


class Section:
    table, name, plugin = "sources", "broker", "mqtt"

    def __init__(self, broker: RealMosquitto, **more: Any) -> None:
        self.settings = {
            "host": "127.0.0.1",
            "port": broker.port,
            "client_id": "alertd-oak",
            **TRIGGERS,
            **LOGIN,
            **more,
        }


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
@pytest.mark.parametrize(
    ("rights", "level", "words"),
    [
        ((READ, CANARY), OK, "a press on alertd/press/+, zigbee2mqtt/+ would reach us"),
        ((CANARY,), FAIL, "takes presses on alertd/press/+ and does not hand them to us"),
        ((READ,), WARN, "not known whether a press on alertd/press/+ would reach us: it does not let us publish"),
    ],
    ids=["both rights", "we may not read", "we may not say a word"],
)
def test_doctor_says_whether_a_press_would_be_heard(
    tmp_path: Path, rights: tuple[str, ...], level: str, words: str, protocol: str
):
    with a_broker(tmp_path, *rights) as broker:
        found = list(hearing([Section(broker, protocol=protocol)], {"MQTT_PASSWORD": "correct horse"}.__getitem__))
    if protocol == "3.1.1" and level == WARN:  # by 3.1.1 nobody is told of a refusal
        level, words = FAIL, "takes presses on alertd/press/+ and does not hand them to us"
    judged = [each.level for each in found if each.words.startswith(words)]
    assert judged == [level]
    assert "panel/alarm" in found[-1].words
    assert "Press once" in found[-1].words


async def test_a_daemon_that_runs_takes_doctors_word_for_no_press(tmp_path: Path):
    door = FakeDoor()
    with a_broker(tmp_path, READ, CANARY) as broker:
        async with sourced(broker, door, state_dir=tmp_path, **TRIGGERS, **LOGIN):
            secret = {"MQTT_PASSWORD": "correct horse"}.__getitem__
            found = await asyncio.to_thread(lambda: list(hearing([Section(broker)], secret)))
            await asyncio.sleep(0.5)
            assert [each.level for each in found] == [OK, OK]
            assert (door.arrivals, door.standing) == ([], {})
