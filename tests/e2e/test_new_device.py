"""An unknown button becomes one that pages, as docs/devices.md tells an admin: `broker config`, `doctor`, `learn`, an
import, a reload, a test, a press, an answer.

Nothing but real processes: mosquitto, the daemon, the command line, and the messages of a real family of devices.
"""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from alertd_simulator.demo_daemon import running_daemon
from alertd_simulator.demo_school import find_example
from alertd_simulator.receivers import Receivers, receivers
from tests.generated_broker import GeneratedMosquitto, handed_out, make_authority
from tests.real_broker import free_port

pytestmark = pytest.mark.slow

BUTTON = "24E124535B316056"
"""As it stands on its label."""
HEARD = BUTTON.lower()
"""As ChirpStack writes it."""
FAMILY = "chirpstack-v4/milesight-ws101"
ZIGBEE = '{ topic = "zigbee2mqtt/+", decoder = "zigbee2mqtt" },'
CHIRPSTACK = (
    '{ topic = "application/+/device/+/event/+", decoder = "profiles", options = { source = "chirpstack-v4" } },'
)
WITHIN_S = 60.0
PORT_MAX = 58_000
"""The broker's door for devices is 7,000 above its own."""


class Admin:
    """A shell on the machine on which the daemon runs."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self.folder = folder
        self._environment = environment

    async def types(self, *words: str, codes: tuple[int, ...] = (0,)) -> str:
        process = await self.begins(*words)
        out, err = await asyncio.wait_for(process.communicate(), WITHIN_S)
        assert process.returncode in codes, f"{' '.join(words)}\n{out.decode()}\n{err.decode()}"
        return out.decode() + err.decode()

    def knows(self, **variables: str) -> None:
        self._environment |= variables

    async def begins(self, *words: str) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            Path(sys.executable).parent / words[0], *words[1:], cwd=self.folder, env=self._environment,
            stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip

    async def presses(self, *where: str, codes: tuple[int, ...] = (0,)) -> str:
        where = where or ("--into", "r")
        return await self.types("alertd-sim", "devices", "play", BUTTON, "--family", FAMILY, *where, codes=codes)

    async def incidents(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = json.loads(await self.types("alertd", "incidents", "--json"))["incidents"]
        return found

    async def first_incident(self) -> dict[str, Any]:
        for _ in range(100):
            if found := await self.incidents():
                assert len(found) == 1
                return found[0]
            await asyncio.sleep(0.1)
        raise AssertionError("promise 1: the press opened nothing")


@asynccontextmanager
async def rehearsal(folder: Path, port: int | None = None) -> AsyncIterator[tuple[Admin, Receivers]]:
    """The example district with a network server, and everybody whom it would tell. No daemon yet; and
    no broker, if it has a port of its own."""
    district = folder / "district"
    district.mkdir()
    for each in find_example().iterdir():
        if each.name != "channels.toml":
            (district / each.name).symlink_to(each)
    wiring = (find_example() / "channels.toml").read_text()
    assert ZIGBEE in wiring
    (district / "channels.toml").write_text(wiring.replace(ZIGBEE, f"{ZIGBEE}\n  {CHIRPSTACK}"))
    async with receivers(district, folder / "r", {}, broker=("127.0.0.1", port) if port else None) as running:
        plain = {key: value for key, value in os.environ.items() if not key.startswith("ALERTD_")}
        config = {"ALERTD_CONFIG": str(running.school.directory), "ALERTD_SOCKET_PATH": str(running.school.socket)}
        yield Admin(folder, plain | running.school.environment | config), running


@asynccontextmanager
async def school(folder: Path) -> AsyncIterator[tuple[Admin, Receivers, tuple[str, ...]]]:
    """With a broker as `alertd broker config` writes it, and the daemon; and how its network server presses."""
    port = next(each for each in iter(free_port, 0) if each < PORT_MAX)
    async with rehearsal(folder, port) as (admin, running):
        written = folder / "alertd-broker"
        written.mkdir(mode=0o700)
        assert "83 new: alertd, badge-" in await admin.types("alertd", "broker", "config", "--out", str(written))
        handed = handed_out(written / "broker")
        secret = (written / "secrets" / "broker-password").read_text().strip()
        admin.knows(ALERTD_SIM_PASSWORD=handed["chirpstack-v4"], ALERTD_SECRET_BROKER_PASSWORD=secret)
        environment = running.school.environment | {"ALERTD_SECRET_BROKER_PASSWORD": secret}
        with GeneratedMosquitto(folder / "b", written / "broker", make_authority(folder / "ca"), port=port):
            async with running_daemon(replace(running.school, environment=environment), folder / "alertd.log"):
                yield admin, running, ("--broker", f"127.0.0.1:{port}", "--username", "chirpstack-v4")


async def test_an_unknown_button_is_learnt_registered_tested_and_live(tmp_path: Path):
    async with school(tmp_path) as (admin, running, there):
        doctor = await admin.types("alertd", "doctor", codes=(0, 1))
        assert "refuses strangers" in doctor
        assert "application/+/device/+/event/+ would reach us" in doctor
        await admin.presses(*there)
        learnt = await admin.types("alertd", "devices", "learn", "--only", BUTTON, "--append", "new.csv")
        assert "milesight-ws101: press (rule 1, value short)" in learnt
        assert await admin.incidents() == [], "nobody knows it yet"

        importing = ["alertd", "import", "devices", "new.csv"]
        for cell in ("site=oak", "zone=rm-204", "gestures=wall-button", "label=desk button", "profile=milesight-ws101"):
            importing += ["--default", cell]
        before = (running.school.directory / "devices.csv").read_bytes()
        assert f"+ {HEARD}" in await admin.types(*importing, "--dry-run")
        assert (running.school.directory / "devices.csv").read_bytes() == before
        assert "Written to" in await admin.types(*importing)
        assert "81 devices" in await admin.types("alertd", "check")
        assert "is in force" in await admin.types("alertd", "reload")
        assert "Nobody unknown was heard" in await admin.types("alertd", "devices", "learn")

        trying = ("alertd", "devices", "test", HEARD, "--by", "ruiz")
        assert '"long_press" for lockdown' in await admin.types(*trying, codes=(1,))
        testing = await admin.begins(*trying, "--class", "staff_assist")
        assert testing.stdout is not None
        assert b"Press it now" in await asyncio.wait_for(testing.stdout.readline(), WITHIN_S)
        assert f"{HEARD} is in TEST by J. Ruiz" in await admin.types("alertd", "troubles")
        await admin.presses(*there)
        tested, _ = await asyncio.wait_for(testing.communicate(), WITHIN_S)
        assert b"GESTURE  it would have called for staff_assist; nobody is paged" in tested
        assert f"{HEARD} is LIVE again".encode() in tested
        assert await admin.incidents() == []
        assert running.carrier.texts == {}, "nobody was texted until here"

        await admin.presses(*there)
        found = await admin.first_incident()
        assert (found["site"], found["incident_class"]) == ("oak", "staff_assist")
        assert "J. Ruiz: going" in await admin.types("alertd", "ack", f"4{found['token']}", "--by", "ruiz")


async def test_whoever_watches_a_test_is_killed_and_the_button_is_live(tmp_path: Path):
    """Kill -9: no handler of the command runs, and only the daemon can know that nobody looks any more."""
    async with rehearsal(tmp_path) as (admin, running), running_daemon(running.school, tmp_path / "alertd.log"):
        up_to = ("--class", "staff_assist", "--minutes", "60")
        testing = await admin.begins("alertd", "devices", "test", "button-204", "--by", "ruiz", *up_to)
        assert testing.stdout is not None
        assert b"Press it now" in await asyncio.wait_for(testing.stdout.readline(), WITHIN_S)
        testing.kill()
        await testing.wait()
        assert "button-204 is in TEST" in await admin.types("alertd", "health")
        for _ in range(45):
            await asyncio.sleep(1)
            if "TEST" not in await admin.types("alertd", "health"):
                break
        await admin.types("alertd-sim", "devices", "play", "button-204", "--into", "r", "--over", "press_json")
        assert (await admin.first_incident())["site"] == "oak", "promise 2: a test that nobody watched took it"


async def test_without_a_daemon_a_stranger_is_heard_all_the_same_and_no_waiting_press_is_taken(tmp_path: Path):
    async with rehearsal(tmp_path) as (admin, running):
        async with running_daemon(running.school, tmp_path / "alertd.log"):
            pass  # its session stands at the broker from now on
        await admin.types("alertd-sim", "devices", "play", "button-204", "--into", "r", "--over", "press_json")
        listening = await admin.begins("alertd", "devices", "learn", "--for", "12")
        assert listening.stderr is not None
        assert b"listening instead, for 12 s" in await asyncio.wait_for(listening.stderr.readline(), WITHIN_S)
        await asyncio.sleep(3)
        await admin.presses()
        said, _ = await asyncio.wait_for(listening.communicate(), WITHIN_S)
        assert f"{HEARD}, heard over broker".encode() in said
        assert b"button-204" not in said
        async with running_daemon(running.school, tmp_path / "alertd.log"):
            assert (await admin.first_incident())["site"] == "oak", "promise 1: the press waited for the daemon"
