"""Kill the real daemon and the real broker at random instants, under load, and count what was lost.

    .venv/bin/python scripts/endurance.py          200 kills of alertd, then 20 of mosquitto: a quarter of an hour
    .venv/bin/python scripts/endurance.py --kills 6 --broker-kills 2                                one minute

Real: `alertd run` as a process of its own, mosquitto with config/mosquitto/mosquitto.conf and the access list that
`alertd broker config` writes (other ports and paths, nothing else), MQTT over TLS from devices with passwords of their
own, HTTP, SQLite on this disk. Simulated: the people, the carrier and the dispatch centre behind the HTTP. Exits 0 only
if nothing was lost and nobody untold.
docs/endurance.md says what is measured, and what came out.
"""

import argparse
import asyncio
import contextlib
import errno
import os
import platform
import secrets
import shutil
import ssl
import subprocess
import sys
import tempfile
import time
from collections import Counter
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from random import Random
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import aiomqtt  # noqa: E402 - the path comes first

from alertd.config import load  # noqa: E402 - the path comes first
from alertd.console.client import Client, NotReachableError, RefusedError  # noqa: E402
from alertd.console.plugin_check import surroundings_of  # noqa: E402
from alertd.exports.broker.files import acl_of  # noqa: E402
from alertd_simulator.demo_school import IN_TREE, Keys  # noqa: E402
from alertd_simulator.devices import MQTT_TIMEOUT_S  # noqa: E402
from alertd_simulator.endurance_broker import Adapted, adapt, change_settings  # noqa: E402
from alertd_simulator.endurance_devices import Fleet, Until  # noqa: E402
from alertd_simulator.endurance_evidence import Database, read_database, unknown_presses, waiting  # noqa: E402
from alertd_simulator.endurance_judge import UNDER_WAY, Audience, World, judge  # noqa: E402
from alertd_simulator.endurance_report import Course, particulars, progress_line, table, write_down  # noqa: E402
from alertd_simulator.generated_district import GeneratedDistrict, write_district  # noqa: E402
from alertd_simulator.loopback_server import LOOPBACK, free_port  # noqa: E402
from alertd_simulator.people import Habit, Responder  # noqa: E402
from tests.e2e.machine import Machine, running_machine  # noqa: E402
from tests.real_broker import RealMosquitto, make_certificate, program  # noqa: E402

SITES, BUTTONS = 12, 4
TIME_ZONE = "America/Chicago"
"""Of every generated school."""
STEP_WAIT_S = 20
"""No step of the escalation waits longer: steps begin, and their timers survive kills, too."""
STARTING_S = 2.0
WORKING_S = 4.0
"""alertd dies at some moment of the first seconds after its start, or of those after it has proven itself alive."""
DIES_STARTING = 0.2
"""So many of its deaths are of the first kind: of each start a few steps more are seen, and the second kind works."""
BROKER_LIVES_S = 8.0
ALIVE_S = 90.0
"""A busy machine takes its time."""
INCIDENT_LIVES_S = (2.0, 12.0)
"""After this time, and once everybody was told, somebody closes an incident."""
SETTLED_S = 120.0
"""So long at most is waited for what is promised and not there."""
HABITS = (Habit.GOES, Habit.SILENT, Habit.GOES_AND_ARRIVES, Habit.WORDS, Habit.CANNOT_GO, Habit.TAPBACK)
PROGRESS_S = 10.0


class ShippedMosquitto(RealMosquitto):
    """config/mosquitto/mosquitto.conf as it stands; only places differ. `acl`: as `alertd broker config` writes it."""

    def __init__(self, directory: Path, users: dict[str, str], settings: dict[str, str], acl: str) -> None:
        super().__init__(directory, users=users, acl=acl)
        self.tls_port = free_port()
        self.certificate = make_certificate(self.directory / "certs")
        shipped = (IN_TREE / "mosquitto" / "mosquitto.conf").read_text()
        self.adapted: Adapted = adapt(
            change_settings(shipped, settings),
            ports={"8883": self.tls_port, "1883": self.port},
            paths={
                "certfile": str(self.certificate.cert),
                "keyfile": str(self.certificate.key),
                "password_file": str(self.directory / "passwords"),
                "acl_file": str(self.directory / "acl"),
                "persistence_location": f"{self.directory}/",
            },
            # As root it would become a user who may not write here.
            extra=("user root",) if os.geteuid() == 0 else (),
        )

    def _write(self) -> Path:
        path = self.directory / "mosquitto.conf"
        if not path.exists():
            (self.directory / "acl").write_text(self._acl or "")
            self._write_passwords()
            path.write_text(self.adapted.text)
        return path


class Endurance:
    """One run: the world, the kills, and what is printed."""

    def __init__(
        self, options: argparse.Namespace, machine: Machine, district: GeneratedDistrict, fleet: Fleet
    ) -> None:
        self.options = options
        self.machine = machine
        self.district = district
        self.fleet = fleet
        self.database = Path(machine.school.environment["ALERTD_STATE_DIR"]) / "alertd.db"
        self.began_s = time.monotonic()
        self.kills: dict[str, list[float]] = {"alertd": [], "mosquitto": []}
        self.while_starting = 0
        self.closed: set[str] = set()
        self._instants = Random(f"{options.seed}:instants")  # noqa: S311 - seeded on purpose
        self._lives = Random(f"{options.seed}:lives")  # noqa: S311 - seeded on purpose
        self._client = Client(machine.school.socket)

    # --- the phases ---------------------------------------------------------------------------------------------------

    async def kill_daemon(self) -> None:
        self.fleet.phase = "alertd"
        for _ in range(self.options.kills):
            starting = self._instants.random() < DIES_STARTING
            after_s = self._instants.uniform(0, STARTING_S if starting else WORKING_S)
            if not starting:
                await self.machine.until(self.machine.is_alive, ALIVE_S, "alertd does not come alive")
            await asyncio.sleep(after_s)
            self.while_starting += starting
            self.kills["alertd"].append(time.time())
            await self.machine.kill()
            await self.machine.start(alive=False)

    async def kill_broker(self) -> None:
        self.fleet.phase = "mosquitto"
        for _ in range(self.options.broker_kills):
            await asyncio.sleep(self._instants.uniform(0, BROKER_LIVES_S))
            self.kills["mosquitto"].append(time.time())
            self.machine.broker.kill()
            await asyncio.to_thread(self.machine.broker.start)

    async def under_load(self, phase: Any) -> None:
        """The phase, while buttons are pressed; the first that fails ends all."""
        async with asyncio.TaskGroup() as group:
            pressing = group.create_task(self.fleet.press_on(self.options.rate))
            await phase()
            pressing.cancel()

    async def settle(self) -> None:
        """Nobody presses any more: everything promised arrives and everybody is told, or never will be."""
        await self.machine.until(self.machine.is_alive, ALIVE_S, "alertd is not alive after the last kill")
        deadline = time.monotonic() + self.options.settle
        while time.monotonic() < deadline:
            waits = self.fleet.waiting + await asyncio.to_thread(waiting, self.database)
            waits += await asyncio.to_thread(unknown_presses, self.database, self.fleet.made)
            open_now = await self.machine.incidents(open=True)
            if not waits and not open_now and await self.machine.is_alive():
                return
            await asyncio.sleep(0.5)

    # --- people who close what is open --------------------------------------------------------------------------------

    async def close_incidents(self) -> None:
        lives: dict[str, float] = {}
        while True:
            await asyncio.sleep(0.5)
            for incident in await self.machine.incidents(open=True):
                life_s = lives.setdefault(incident["id"], self._lives.uniform(*INCIDENT_LIVES_S))
                if incident["age_s"] >= life_s and await self._everybody_is_told(incident):
                    await self._close(incident)

    async def _everybody_is_told(self, incident: dict[str, Any]) -> bool:
        """As alertd says it; whether it is true, the judge sees."""
        rows = await self.machine.notifications(incident["id"])
        accepted = any(d["state"] == "accepted" for d in incident["dispatch"])
        return bool(rows) and accepted and not any(row["state"] in UNDER_WAY for row in rows)

    async def _close(self, incident: dict[str, Any]) -> None:
        order = {"by": f"{incident['site']}-head", "rooms_released": True}
        path, key = f"/v1/incidents/{incident['id']}/resolve", f"close-{incident['id']}"
        with contextlib.suppress(NotReachableError, RefusedError):
            await asyncio.to_thread(self._client.post, path, order, key)
            self.closed.add(incident["id"])

    # --- what came of it ----------------------------------------------------------------------------------------------

    async def evidence(self) -> tuple[Database, World]:
        problems = []
        for site in ("district", *(site.id for site in self.district.sites)):
            answer = await self.machine.get(f"/v1/journal/{site}/verify")
            if answer is None or not answer["unbroken"]:
                problems.append(f"the journal of {site} does not verify")
        database = await asyncio.to_thread(read_database, self.database, TIME_ZONE, problems)
        carrier, center = self.machine.carrier, self.machine.center
        texts = Counter((text.to, text.body) for text in carrier.texts.values() if text.direction != "inbound")
        world = World(
            audiences={
                site.id: Audience(name=f"SCH {int(site.id[1:])}", responders=site.phones[:2], staff=site.phones[2:])
                for site in self.district.sites
            },
            texts=texts,
            calls=Counter(message.incident_id for message in center.new_incidents()),
            repeats=sum(message.arrivals - 1 for message in center.messages.values()),
            violations=self.machine.violations(),
        )
        return database, world

    async def progress(self) -> None:
        while True:
            await asyncio.sleep(PROGRESS_S)
            print(self.line(), flush=True)

    @property
    def course(self) -> Course:
        return Course(made=self.fleet.made, kills=self.kills, while_starting=self.while_starting)

    def line(self) -> str:
        wanted = {"alertd": self.options.kills, "mosquitto": self.options.broker_kills}
        texts = len(self.machine.carrier.texts)
        line = progress_line(self.course, wanted, time.monotonic() - self.began_s)
        return f"{line}  incidents closed {len(self.closed):,}  texts {texts:,}"


# --- what is printed --------------------------------------------------------------------------------------------------


def head(options: argparse.Namespace, adapted: Adapted) -> str:
    mosquitto = subprocess.run([program("mosquitto"), "-h"], capture_output=True, text=True, check=False).stdout  # noqa: S603
    machine = f"{platform.system()} {platform.release()} {platform.machine()}"
    lines = [
        f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        f"alertd {version('alertd')}, {mosquitto.splitlines()[0]}, Python {platform.python_version()}, {machine}",
        f"seed {options.seed}: {options.rate:g} presses/s, {SITES} schools with {BUTTONS} buttons each",
        f"a button repeats a press until: {options.repeat_until}",
        "config/mosquitto/mosquitto.conf as shipped, but for:",
        *(f"  {change}" for change in adapted.changes),
    ]
    if options.broker_setting:
        lines.append(f"NOT AS SHIPPED, asked for: {', '.join(options.broker_setting)}")
    return "\n".join(lines)


# --- the run ----------------------------------------------------------------------------------------------------------


def people_of(district: GeneratedDistrict, machine: Machine, seed: int) -> list[Responder]:
    """Of each school the head answers in a way of their own, and the nurse in another."""
    rng = Random(f"{seed}:people")  # noqa: S311 - seeded on purpose
    return [
        Responder(f"person {phone}", phone, machine.carrier, habit=rng.choice(HABITS), after_s=rng.uniform(0.5, 6))
        for site in district.sites
        for phone in site.phones[:2]
    ]


def ignore_dead_sockets(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Aiomqtt registers a socket that the broker's death has closed already; its connection ends all the same."""
    if not (isinstance(context.get("exception"), OSError) and context["exception"].errno == errno.EBADF):
        loop.default_exception_handler(context)


async def endure(options: argparse.Namespace, folder: Path) -> bool:
    asyncio.get_running_loop().set_exception_handler(ignore_dead_sockets)
    district = write_district(IN_TREE, folder / "district", sites=SITES, buttons=BUTTONS)
    passwords = {device: secrets.token_hex(12) for device in district.devices}
    settings = dict(setting.split("=", 1) for setting in options.broker_setting)
    loaded = load(district.directory)
    acl = acl_of(loaded, surroundings_of(loaded))
    brokers: list[ShippedMosquitto] = []

    def broker(at: Path, keys: Keys) -> RealMosquitto:
        brokers.append(ShippedMosquitto(at, {"alertd": keys.other, **passwords}, settings, acl))
        return brokers[0]

    def dial(device: str) -> aiomqtt.Client:
        return aiomqtt.Client(
            LOOPBACK, brokers[0].tls_port, protocol=aiomqtt.ProtocolVersion.V5, identifier=device, username=device,
            password=passwords[device], tls_context=trust, timeout=MQTT_TIMEOUT_S, keepalive=10,
        )  # fmt: skip

    running = running_machine(folder / "m", example=district.directory, wait_s=STEP_WAIT_S, broker=broker)
    async with running as machine:
        trust = ssl.create_default_context(cafile=brokers[0].certificate.cert)
        print(head(options, brokers[0].adapted), flush=True)
        schools = [site.devices for site in district.sites]
        fleet = Fleet(schools, dial, Until(options.repeat_until), Random(f"{options.seed}:presses"))  # noqa: S311 - as above
        run = Endurance(options, machine, district, fleet)
        people_of(district, machine, options.seed)
        await machine.start()
        background = [asyncio.create_task(work) for work in (fleet.run(), run.close_incidents(), run.progress())]
        try:
            await run.under_load(run.kill_daemon)
            await run.settle()
            await run.under_load(run.kill_broker)
            await run.settle()
            print(run.line(), flush=True)
            database, world = await run.evidence()
        finally:
            for task in background:
                task.cancel()
            await asyncio.gather(*background, return_exceptions=True)
        findings = judge(fleet.made, database, world)
        write_down(run.course, folder)
        print(f"\n{table(run.course, database, world, findings)}\n{particulars(run.course, findings)}")
        minutes = (time.monotonic() - run.began_s) / 60
        print(f"{'PASSED: nothing was lost' if findings.passed else 'FAILED'}, {minutes:.1f} min")
        return findings.passed


def options_given() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--kills", type=int, default=200, help="of alertd (200)")
    parser.add_argument("--broker-kills", type=int, default=20, help="of mosquitto, afterwards (20)")
    parser.add_argument(
        "--seed", type=int, default=1, help="of presses, instants and habits; the machine has its own will"
    )
    parser.add_argument("--rate", type=float, default=20.0, help="presses per second (20)")
    parser.add_argument("--settle", type=float, default=SETTLED_S, help="seconds at most until all is at rest (120)")
    parser.add_argument("--keep", type=Path, help="a new directory for database, logs and configuration; kept")
    parser.add_argument("--repeat-until", choices=list(Until), default=Until.PUBACK, help="when a button gives up")
    parser.add_argument(
        "--broker-setting", action="append", default=[], metavar="KEY=VALUE",
        help="another value than the shipped one, to see what it is worth: autosave_on_changes=false",
    )  # fmt: skip
    return parser.parse_args()


def main() -> int:
    options = options_given()
    folder = options.keep or Path(tempfile.mkdtemp(prefix="alertd-endure-"))
    folder.mkdir(parents=True, exist_ok=True)
    passed = False
    try:
        passed = asyncio.run(endure(options, folder))
    finally:
        if passed and not options.keep:
            shutil.rmtree(folder)
        else:
            print(f"database, logs and configuration: {folder}")
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
