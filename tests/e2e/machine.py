"""One machine under test: a real mosquitto with the shipped configuration, the real daemon as a process of its own, and
the fake carrier and dispatch centre behind real HTTP on loopback.

What happened is read where a user would read it: from the daemon's API over its socket, from what the carrier and the
centre wrote down, and from the broker's log.
"""

import asyncio
import contextlib
import os
import shutil
import sys
import time
import tomllib
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import aiomqtt
from msgspec import Struct

from alertd.console.client import Client, NotReachableError, RefusedError
from alertd.daemon.system_clock import SystemClock
from alertd.model.canary import CANARY
from alertd_simulator.carrier import Carrier
from alertd_simulator.carrier_json import Text
from alertd_simulator.demo_school import IN_TREE, WIRING, Endpoints, Keys, School, dump_toml, prepare
from alertd_simulator.devices import Badge, Payload, on_the_air
from alertd_simulator.dispatch_center import DispatchCenter
from alertd_simulator.loopback_server import LOOPBACK, served
from alertd_simulator.storm import StormResult, blow
from tests.e2e.cable import Cable, plugged_in
from tests.real_broker import RealMosquitto

CRASHING = Path(__file__).with_name("crashing_daemon.py")
CLIENT_ID = "alertd-maple"
GATEWAY = "gateway"
"""The broker's user that speaks for all buttons."""
TEXTS_PER_S = 200
ALIVE_S = 30.0
RETRY_S = 0.5
PATIENT_S = 600
"""No second step begins while a test looks at the first."""
UNDER_WAY = frozenset({"queued", "claimed", "unknown"})
"""Standings that alertd itself still works on."""
SETTLED = frozenset({"delivered", "failed", "expired", "suppressed", "withdrawn"})
"""Standings of which nothing more will come."""

Edit = Callable[[dict[str, Any]], None]
"""Changes the wiring (channels.toml) before the daemon reads it."""


class DaemonEndedError(Exception):
    """It ended though nobody killed it."""


class World(Struct, frozen=True, kw_only=True):
    """Everything but the daemon."""

    broker: RealMosquitto
    carrier: Carrier
    center: DispatchCenter
    to_carrier: Cable
    to_center: Cable


class AtRest(Struct, frozen=True, kw_only=True):
    """A moment at which no text was under way."""

    rows: list[dict[str, Any]]
    """Notifications of all incidents, as the API shows them."""
    texts: list[Text]
    """What the carrier took, oldest first."""


class Machine:
    """Use `running_machine`. Time stands in seconds."""

    def __init__(self, folder: Path, school: School, world: World, password: str) -> None:
        self.folder = folder
        self.school = school
        self.broker = world.broker
        self.carrier = world.carrier
        self.center = world.center
        self.to_carrier = world.to_carrier
        self.to_center = world.to_center
        self._password = password
        self.log = folder / "alertd.log"
        self.kills = 0
        self._arm_file = folder / "armed"
        self._client = Client(school.socket)
        self._process: asyncio.subprocess.Process | None = None
        self._badges: dict[str, Badge] = {}

    # --- the daemon ---------------------------------------------------------------------------------------------------

    async def start(self, *, crashing: bool = False, alive: bool = True) -> None:
        assert self._process is None, "the daemon runs already"
        directory = str(self.school.directory)
        how = [str(CRASHING), directory, str(self._arm_file)] if crashing else ["-m", "alertd.cli", "run", directory]
        environment = {k: v for k, v in os.environ.items() if not k.startswith("ALERTD_")} | self.school.environment
        with self.log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable, *how, stdin=asyncio.subprocess.DEVNULL, stdout=log, stderr=log, env=environment
            )
        if alive:
            await self.until(self.is_alive, ALIVE_S, "alertd is not alive")

    async def is_alive(self) -> bool:
        try:
            health = await asyncio.to_thread(self._client.health)
        except (NotReachableError, RefusedError):
            return False
        return bool(health["alive"])

    @property
    def pid(self) -> int:
        """Of the daemon that runs."""
        assert self._process is not None, "no daemon runs"
        return self._process.pid

    async def kill(self) -> None:
        """Kill -9."""
        process, self._process = self._process, None
        assert process is not None, "no daemon runs"
        self._check(process)
        process.kill()
        await process.wait()
        self.kills += 1

    async def stop(self) -> None:
        process, self._process = self._process, None
        if process is None or process.returncode is not None:
            return
        process.terminate()
        try:
            await asyncio.wait_for(process.wait(), 30)
        except TimeoutError:
            process.kill()
            await process.wait()

    def arm(self, point: str, device: str) -> None:
        """The daemon kills itself there, once, at a press of this device."""
        draft = self._arm_file.with_suffix(".draft")
        draft.write_text(f"{point} {device}")
        draft.replace(self._arm_file)

    async def until_it_killed_itself(self, timeout_s: float = 20) -> None:
        process, self._process = self._process, None
        assert process is not None, "no daemon runs"
        try:
            await asyncio.wait_for(process.wait(), timeout_s)
        except TimeoutError:
            process.kill()
            await process.wait()
            raise AssertionError(f"alertd never came to the armed point\n{self.last_words()}") from None
        assert process.returncode == -9, f"alertd ended by itself with {process.returncode}\n{self.last_words()}"
        self.kills += 1

    def last_words(self) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-30:])

    def _check(self, process: asyncio.subprocess.Process) -> None:
        if process.returncode is not None:
            raise DaemonEndedError(f"alertd ended by itself with {process.returncode}\n{self.last_words()}")

    async def until(self, happened: Callable[[], Any], timeout_s: float, otherwise: str, pause_s: float = 0.05) -> Any:
        """Wait for something, at most so long; the failure says what did not happen and how the daemon's log ends."""
        deadline = time.monotonic() + timeout_s
        while True:
            found = happened()
            if asyncio.iscoroutine(found):
                found = await found
            if found:
                return found
            if self._process is not None:
                self._check(self._process)
            if time.monotonic() > deadline:
                raise AssertionError(f"{otherwise} (waited {timeout_s:g} s)\n{self.last_words()}")
            await asyncio.sleep(pause_s)

    # --- what happens -------------------------------------------------------------------------------------------------

    def payload(self, device: str, action: str = "hold") -> Payload:
        """The device's next press: it has a counter, so a press is known again."""
        return self._badges.setdefault(device, Badge(device)).press(action=action)

    async def press(self, device: str, action: str = "hold") -> None:
        """By a device that does not give up: it connects again until the broker has acknowledged its press."""
        press = self.payload(device, action)
        while True:
            with contextlib.suppress(aiomqtt.MqttError):
                async with on_the_air(LOOPBACK, self.broker.port, username=GATEWAY, password=self._password) as air:
                    await air.publish(press)
                    return
            await asyncio.sleep(RETRY_S)

    async def storm(self, presses: Sequence[Payload]) -> StormResult:
        return await blow(presses, self.broker.port, username=GATEWAY, password=self._password)

    def reply(self, phone: str, body: str) -> None:
        """A person's answer, to the number that texted them last."""
        self.carrier.receive(sender=phone, body=body, to=self.carrier.to(phone)[-1].sender)

    # --- what the daemon says -----------------------------------------------------------------------------------------

    async def get(self, path: str, **query: str | int) -> Any:
        """An answer, or `None` while the daemon is away."""
        try:
            return await asyncio.to_thread(lambda: self._client.get(path, **query))
        except (NotReachableError, RefusedError):
            return None

    async def post(self, path: str, body: Mapping[str, Any]) -> Any:
        return await asyncio.to_thread(lambda: self._client.post(path, body))

    async def incidents(self, *, open: bool = False) -> list[dict[str, Any]]:  # noqa: A002 - the API's word
        answer = await self.get("/v1/incidents", open="true" if open else "false", limit=500)
        return list(answer["incidents"]) if answer else []

    async def incident_of(self, site: str) -> dict[str, Any] | None:
        return next((i for i in await self.incidents() if i["site"] == site), None)

    async def notifications(self, incident_id: str) -> list[dict[str, Any]]:
        answer = await self.get(f"/v1/incidents/{incident_id}")
        return list(answer["notifications"]) if answer else []

    async def unsettled(self) -> list[dict[str, Any]]:
        """Texts and messages of all incidents that are still on their way. Calls ring for half a minute and are placed
        again, announcements are repeated: nobody here takes the one or hears the other."""
        return [
            row
            for incident in await self.incidents()
            for row in await self.notifications(incident["id"])
            if row["state"] not in SETTLED and row["channel"] not in ("voice", "pa")
        ]

    async def every_notification(self) -> list[dict[str, Any]] | None:
        """Of all incidents, read one incident after the other; `None` if one of the questions was not answered."""
        answer = await self.get("/v1/incidents", limit=500)
        if answer is None:
            return None
        found: list[dict[str, Any]] = []
        for incident in answer["incidents"]:
            detail = await self.get(f"/v1/incidents/{incident['id']}")
            if detail is None:
                return None
            found += detail["notifications"]
        return found

    async def nothing_waits(self) -> bool:
        """Has everything left us, as far as alertd knows?"""
        rows = await self.every_notification()
        return rows is not None and not any(row["state"] in UNDER_WAY for row in rows)

    async def at_rest(self) -> AtRest | None:
        """What alertd says and what the carrier took, as of one moment; `None` while texts are under way.

        Incidents are read one after the other, and a row may be added to one that was read already (a dispatch centre
        accepts a call, and responders are told). Such a row is seen here as its text: if the carrier took none during
        the reading, no row that was read or left out can differ from what it holds."""
        before = len(self.carrier.texts)
        rows = await self.every_notification()
        if rows is None or any(row["state"] in UNDER_WAY for row in rows) or len(self.carrier.texts) != before:
            return None
        return AtRest(rows=rows, texts=[text for text in self.carrier.texts.values() if text.direction != "inbound"])

    async def until_settled(self, timeout_s: float) -> None:
        async def settled() -> bool:
            return bool(await self.incidents()) and not await self.unsettled()

        await self.until(settled, timeout_s, "a notification has no outcome", pause_s=0.5)

    async def troubles(self) -> set[str]:
        """Those that stand. One that is over is shown until somebody has acknowledged it."""
        answer = await self.get("/v1/troubles")
        return {trouble["key"] for trouble in answer["troubles"] if trouble["state"] == "standing"} if answer else set()

    # --- what others wrote down ---------------------------------------------------------------------------------------

    def texts(self, phone: str, containing: str = "") -> list[Text]:
        return [text for text in self.carrier.to(phone) if containing in text.body]

    def seen(self, phone: str, containing: str = "") -> list[Text]:
        """Those that lit up the phone."""
        return [text for text in self.texts(phone, containing) if text.seen_us is not None]

    def told_again(self, phone: str) -> list[str]:
        """Words that this phone was sent more than once."""
        return [body for body, times in Counter(text.body for text in self.texts(phone)).items() if times > 1]

    def violations(self) -> list[str]:
        return self.carrier.violations + self.center.violations + self.center.refused

    def deliveries(self) -> Counter[str]:
        """How often the broker sent each press to us, by device (with `log_type all`)."""
        counts: Counter[str] = Counter()
        for line in self.broker.log.splitlines():
            if f"Sending PUBLISH to {CLIENT_ID} " in line and "'alertd/press/" in line:
                counts[line.partition("'alertd/press/")[2].partition("'")[0]] += 1
        del counts[CANARY]  # alertd's own word, and no press
        return counts

    def pubacks(self) -> int:
        """How many messages we acknowledged, our own signs of life among them."""
        return self.broker.log.count(f"Received PUBACK from {CLIENT_ID} ")


@asynccontextmanager
async def running_machine(
    folder: Path,
    *,
    example: Path = IN_TREE,
    wait_s: int = PATIENT_S,
    edit: Edit = lambda _: None,
    environment: Mapping[str, str] | None = None,
    broker_settings: Mapping[str, str] | None = None,
    state_dir: Path | None = None,
    broker: Callable[[Path, Keys], RealMosquitto] | None = None,
) -> AsyncIterator[Machine]:
    """Everything but the daemon, which the test starts. All of it ends with the block. `broker`: another one than
    `shipped_broker`."""
    keys, clock = Keys.made_up(), SystemClock()
    carrier = Carrier(clock=clock, account_sid=keys.account_sid, auth_token=keys.auth_token)
    center = DispatchCenter(clock=clock, secret=keys.webhook)
    async with AsyncExitStack() as stack:
        world = World(
            broker=stack.enter_context(
                broker(folder, keys) if broker else shipped_broker(folder, keys, broker_settings or {})
            ),
            carrier=carrier,
            center=center,
            to_carrier=await stack.enter_async_context(
                plugged_in(await stack.enter_async_context(served(carrier.handle)))
            ),
            to_center=await stack.enter_async_context(
                plugged_in(await stack.enter_async_context(served(center.handle)))
            ),
        )
        endpoints = Endpoints(
            mqtt_port=world.broker.port, carrier_url=world.to_carrier.url, dispatch_url=world.to_center.url
        )
        school = prepare(example, folder, endpoints, keys)
        _wire(school.directory, edit)
        school.environment["ALERTD_DEMO_WAIT_S"] = str(wait_s)
        if state_dir is not None:
            school.environment["ALERTD_STATE_DIR"] = str(state_dir)
        school.environment.update(environment or {})
        carrier.numbers = school.numbers
        machine = Machine(folder, school, world, keys.other)
        try:
            yield machine
        finally:
            await machine.stop()


def shipped_broker(folder: Path, keys: Keys, settings: Mapping[str, str]) -> RealMosquitto:
    """config/mosquitto, with a user more who may press every button."""
    acl = (IN_TREE / "mosquitto" / "acl").read_text()
    acl += f"\nuser {GATEWAY}\ntopic write alertd/press/+\n"
    return RealMosquitto(folder, settings=settings, users={"alertd": keys.other, GATEWAY: keys.other}, acl=acl)


def _wire(directory: Path, edit: Edit) -> None:
    wiring = tomllib.loads((directory / WIRING).read_text())
    broker = wiring["sources"]["broker"]
    broker.pop("dropped_topic", None)  # a real broker has $SYS
    broker["retry_max_s"] = 1.0
    wiring["channels"]["sms"]["per_s"] = TEXTS_PER_S
    edit(wiring)
    (directory / WIRING).write_text(dump_toml(wiring))


def copy_example(folder: Path) -> Path:
    """The example school, to be changed by a test."""
    copy = folder / "example"
    shutil.copytree(IN_TREE, copy)
    return copy
