"""An unknown button becomes one that pages, as an admin does it: `devices learn`, an import, a reload, a test, a press.

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

from alertd_simulator.demo_daemon import running_daemon
from alertd_simulator.demo_school import find_example
from alertd_simulator.receivers import Receivers, receivers

pytestmark = pytest.mark.slow

BUTTON = "24E124535B316056"
FAMILY = "chirpstack-v4/milesight-ws101"
ZIGBEE = '{ topic = "zigbee2mqtt/+", decoder = "zigbee2mqtt" },'
CHIRPSTACK = (
    '{ topic = "application/+/device/+/event/+", decoder = "profiles", options = { source = "chirpstack-v4" } },'
)
WITHIN_S = 60.0


class Admin:
    """A shell on the machine on which the daemon runs."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self.folder = folder
        self._environment = environment

    async def types(self, *words: str, code: int = 0) -> str:
        process = await self.begins(*words)
        out, err = await asyncio.wait_for(process.communicate(), WITHIN_S)
        assert process.returncode == code, f"{' '.join(words)}\n{out.decode()}\n{err.decode()}"
        return out.decode() + err.decode()

    async def begins(self, *words: str) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            Path(sys.executable).parent / words[0], *words[1:], cwd=self.folder, env=self._environment,
            stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip

    async def presses(self, act: str = "") -> str:
        more = ("--act", act) if act else ()
        return await self.types("alertd-sim", "devices", "play", BUTTON, "--family", FAMILY, "--into", "r", *more)

    async def incidents(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = json.loads(await self.types("alertd", "incidents", "--json"))["incidents"]
        return found


@asynccontextmanager
async def rehearsal(folder: Path) -> AsyncIterator[tuple[Admin, Receivers]]:
    """The example district with a network server, and everybody whom it would tell. No daemon yet."""
    district = folder / "district"
    district.mkdir()
    for each in find_example().iterdir():
        if each.name != "channels.toml":
            (district / each.name).symlink_to(each)
    wiring = (find_example() / "channels.toml").read_text()
    assert ZIGBEE in wiring
    (district / "channels.toml").write_text(wiring.replace(ZIGBEE, f"{ZIGBEE}\n  {CHIRPSTACK}"))
    async with receivers(district, folder / "r", {}) as running:
        plain = {key: value for key, value in os.environ.items() if not key.startswith("ALERTD_")}
        config = {"ALERTD_CONFIG": str(running.school.directory), "ALERTD_SOCKET_PATH": str(running.school.socket)}
        yield Admin(folder, plain | running.school.environment | config), running


async def test_an_unknown_button_is_learnt_registered_tested_and_live(tmp_path: Path):
    async with rehearsal(tmp_path) as (admin, running), running_daemon(running.school, tmp_path / "alertd.log"):
        await admin.presses()
        learnt = await admin.types("alertd", "devices", "learn", "--only", BUTTON, "--append", "new.csv")
        assert "milesight-ws101: press (rule 1, value short)" in learnt
        assert await admin.incidents() == [], "nobody knows it yet"

        importing = ["alertd", "import", "devices", "new.csv"]
        for cell in ("site=oak", "zone=rm-204", "gestures=wall-button", "label=desk button", "profile=milesight-ws101"):
            importing += ["--default", cell]
        before = (running.school.directory / "devices.csv").read_bytes()
        assert f"+ {BUTTON}" in await admin.types(*importing, "--dry-run")
        assert (running.school.directory / "devices.csv").read_bytes() == before
        assert "Written to" in await admin.types(*importing)
        assert "is in force" in await admin.types("alertd", "reload")
        assert "Nobody unknown was heard" in await admin.types("alertd", "devices", "learn")

        testing = await admin.begins("alertd", "devices", "test", BUTTON, "--by", "ruiz")
        assert testing.stdout is not None
        assert b"Press it now" in await asyncio.wait_for(testing.stdout.readline(), WITHIN_S)
        await admin.presses()
        tested, _ = await asyncio.wait_for(testing.communicate(), WITHIN_S)
        assert b"GESTURE  it would have called for staff_assist; nobody is paged" in tested
        assert f"{BUTTON} is LIVE again".encode() in tested
        assert await admin.incidents() == []
        assert running.carrier.texts == {}, "nobody was texted until here"

        await admin.presses()
        for _ in range(100):
            if found := await admin.incidents():
                break
            await asyncio.sleep(0.1)
        assert [(each["site"], each["incident_class"]) for each in found] == [("oak", "staff_assist")]


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
        assert f"{BUTTON}, heard over broker".encode() in said
        assert b"button-204" not in said
        async with running_daemon(running.school, tmp_path / "alertd.log"):
            for _ in range(100):
                if found := await admin.incidents():
                    break
                await asyncio.sleep(0.1)
            assert [each["site"] for each in found] == ["oak"], "promise 1: the press waited for the daemon"
