"""The disk runs full in the middle of an incident, and somebody answers meanwhile."""

import asyncio
import os
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.e2e.machine import Machine, running_machine

READ_S = 4.0
"""From the second room's press until its text has been read; the carrier's stamps are whole seconds."""

pytestmark = pytest.mark.slow

SIZE_MIB = 32
WAIT_S = 25
"""Of the first step: the answer must come before, and what would follow is then waited for."""
PRINCIPAL = "+12025550110"
RESPONDERS = (PRINCIPAL, "+12025550111", "+12025550112")
BACKUP = ("+12025550113", "+12025550114", "+12025550115")
TECHNICIAN = "+12025550119"
ALL_MESSAGES = {"log_type": "all"}


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own, which only root can mount."""
    directory = tmp_path / "small-disk"
    directory.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={SIZE_MIB}m,mode=0700", "tmpfs", str(directory)]
    if os.geteuid() != 0 or subprocess.run(command, capture_output=True, check=False).returncode != 0:
        pytest.skip("no small disk to fill: mounting a tmpfs needs root")
    try:
        yield directory
    finally:
        subprocess.run(["umount", "--lazy", str(directory)], check=True)


@contextmanager
def brimful(directory: Path) -> Iterator[None]:
    """Somebody else's file takes every byte that gets free, also what alertd frees for itself."""
    done = threading.Event()
    path = directory / "somebody-elses.log"

    def fill() -> None:
        with path.open("ab", buffering=0) as file:
            while not done.is_set():
                for size in (1 << 20, 1 << 16, 4096):
                    try:
                        while not done.is_set():
                            file.write(bytes(size))
                    except OSError:
                        continue
                done.wait(0.005)

    filler = threading.Thread(target=fill)
    filler.start()
    try:
        yield
    finally:
        done.set()
        filler.join()
        path.unlink()


def acknowledged(machine: Machine, device: str) -> bool:
    """Did the broker get our PUBACK for the latest delivery of the device's press?"""
    mid, is_acked = None, False
    for line in machine.broker.log.splitlines():
        if f"'alertd/press/{device}'" in line and "Sending PUBLISH to alertd-maple" in line:
            mid, is_acked = line.partition(", m")[2].partition(",")[0], False
        elif mid and f"Received PUBACK from alertd-maple (Mid: {mid}," in line:
            is_acked = True
    return is_acked


async def escalation(machine: Machine) -> str:
    [incident] = await machine.incidents()
    return str(incident["escalation"])


async def until_nothing_fits(machine: Machine) -> None:
    """The database's own files have room left inside; more presses of the first button use it up."""

    async def is_noticed() -> bool:
        await machine.press("button-204")
        return not await machine.is_alive()

    await machine.until(is_noticed, 30, "alertd never noticed that its disk is full")


async def test_disk_full_during_an_incident_with_an_ack_coming_in(tmp_path: Path, small_disk: Path):
    async with running_machine(
        tmp_path / "m", state_dir=small_disk / "state", wait_s=WAIT_S, broker_settings=ALL_MESSAGES
    ) as machine:
        await machine.start()
        await machine.press("button-204")
        await machine.until(
            lambda: all(machine.seen(phone, "Rm 204") for phone in RESPONDERS), 15, "the first room reached nobody"
        )
        with brimful(small_disk):
            await until_nothing_fits(machine)
            await machine.press("button-118")
            await machine.until(
                lambda: all(machine.seen(phone, "ALSO") for phone in RESPONDERS),
                15,
                "the disk is full: the second room reached nobody",
            )
            assert not acknowledged(machine, "button-118"), "promise 1: PUBACK left for a press that no disk holds"
            token = (await machine.incidents())[0]["token"]
            # Nobody has read the second room's text sooner: an earlier answer would be one to the first room only.
            read_by = time.monotonic() + READ_S
            await machine.until(lambda: time.monotonic() > read_by, READ_S + 5, "time stands still")
            machine.reply(PRINCIPAL, f"4{token}")

            async def paused() -> bool:
                return await escalation(machine) == "paused"

            await machine.until(paused, 15, "the disk is full: the answer by text did not stop the escalation")
            await machine.until(
                lambda: machine.seen(TECHNICIAN, "disk"), 20, "the disk is full: its people were not told"
            )
            assert not await machine.is_alive(), "health says alive although nothing reaches the disk"
            await asyncio.sleep(WAIT_S)
            assert [phone for phone in BACKUP if machine.texts(phone, "NOBODY HAS ANSWERED")] == [], "it escalated"
            assert await escalation(machine) == "paused"
            assert not acknowledged(machine, "button-118"), "promise 1: PUBACK left for a press that no disk holds"

        await machine.until(machine.is_alive, 30, "the disk has room again, and alertd does not use it")
        await machine.until(lambda: acknowledged(machine, "button-118"), 10, "the broker still waits for its PUBACK")
        await machine.until(lambda: machine.seen(TECHNICIAN, "is over"), 20, "the technician was not told of the end")
        await machine.kill()
        await machine.start()

        [incident] = await machine.incidents()
        assert sorted(p["device"] for p in incident["presses"]) == ["button-118", "button-204"], "lost with the memory"
        assert [(a["person"], a["kind"]) for a in incident["answers"]] == [("ruiz", "going")]
        assert incident["escalation"] == "paused"
        assert (await machine.get("/v1/journal/oak/verify"))["unbroken"]
        assert await machine.troubles() == set()
        await machine.until_settled(30)
        phones = {text.to for text in machine.carrier.texts.values() if text.direction != "inbound"}
        assert {phone: words for phone in phones if (words := machine.told_again(phone))} == {}
        assert machine.violations() == []


async def test_kill_nine_while_the_disk_is_full(tmp_path: Path, small_disk: Path):
    """What memory held outlives the process, and what the broker still holds is known when it comes again."""
    async with running_machine(tmp_path / "m", state_dir=small_disk / "state") as machine:
        await machine.start()
        with brimful(small_disk):
            await until_nothing_fits(machine)
            await machine.press("button-118")
            await machine.until(
                lambda: all(machine.seen(phone, "Rm 118") for phone in RESPONDERS), 15, "the room reached nobody"
            )
            await machine.kill()
            await machine.start(alive=False)
            await machine.until(
                machine.incidents, 20, "started again on a full disk, alertd has forgotten the incident"
            )
            await machine.press("button-office")
            await machine.until(
                lambda: all(machine.seen(phone, "OAK ELEM Office ALSO") for phone in RESPONDERS),
                20,
                "started again on a full disk: the next room reached nobody",
            )
        await machine.until(machine.is_alive, 30, "the disk has room again, and alertd does not use it")
        await machine.stop()
        await machine.start()
        [incident] = await machine.incidents()
        assert {p["device"] for p in incident["presses"]} == {"button-204", "button-118", "button-office"}
        assert (await machine.get("/v1/journal/oak/verify"))["unbroken"]
        await machine.until_settled(60)
        phones = {text.to for text in machine.carrier.texts.values() if text.direction != "inbound"}
        responders = {phone: words for phone in RESPONDERS if (words := machine.told_again(phone))}
        assert phones
        assert responders == {}, "told twice, although the carrier could say what it took"
        assert machine.violations() == []
