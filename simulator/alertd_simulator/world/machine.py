"""The computer that alertd runs on, in the simulated world: its files, its clock, and one life of the daemon at a time.

Owns starting, dying, burying and starting again. Must never look into what the daemon decides, and never let a dead
incarnation touch anything.
"""

import asyncio
import shutil
import sqlite3
from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

from msgspec import Struct

from alertd.config import Loaded
from alertd.daemon.core import CORE
from alertd.daemon.daemon import LEASE_S, Daemon, Fittings
from alertd.daemon.intake import Core, StoreGoneError
from alertd.model.decision import Decision
from alertd.model.events import Event
from alertd.model.ids import NotificationId
from alertd.model.notification import Claim, NotificationState
from alertd.model.outcome import Outcome
from alertd.plugins import fit
from alertd.ports import Built, Http, StoreError, Surroundings
from alertd.store.fallback import FallbackStore
from alertd.store.sqlite import SqliteStore
from alertd_adapters.mqtt.connection import Broker
from alertd_simulator.loudspeakers import PA_PLUGINS, Loudspeakers, PaChannel
from alertd_simulator.virtual_time import VirtualClock, true_us, virtual_loop
from alertd_simulator.world.disk import Health, LogEnd, Remains, connecting
from alertd_simulator.world.guarded_ports import GuardedBroker, GuardedHttp, WatchedChannel
from alertd_simulator.world.guarded_store import GuardedStore
from alertd_simulator.world.happenings import Attempted, Committed, Crashed, Ended, Happening, Moved, Started
from alertd_simulator.world.life import Life, Trap
from alertd_simulator.world.plan import Crash

ACCOUNT_SID = "AC" + "0" * 31 + "1"
AUTH_TOKEN = "simulated-token"
SIGNING_SECRET = "whsec_" + b64encode(bytes(range(32))).decode()
SOME_PUBLIC_ADDRESS = "93.184.216.34"
"""Every name leads there; nobody ever connects."""
GIVES_UP = (StoreError, StoreGoneError)
"""How the daemon ends by itself, to be started afresh."""
SILENT_CONNECTION_S = 22.5
"""After a power cut nobody closes the connection: the broker gives up after one and a half keepalives."""

Emit = Callable[[Happening], None]


class Network(Struct, frozen=True, kw_only=True):
    """What the machine is plugged into."""

    http: Http
    broker: Broker
    public_url: str | None
    """Where callbacks reach the daemon, if they do."""
    loudspeakers: Loudspeakers
    has_names: Callable[[], bool] = lambda: True
    """Does the name server answer?"""


class _Incarnation(Struct, kw_only=True, eq=False):
    """One life with everything that dies with it."""

    life: Life
    store: FallbackStore
    disk: SqliteStore
    spare: SqliteStore
    broker: GuardedBroker
    daemon: Daemon
    task: asyncio.Task[None]
    remains: tuple[Remains, ...] = ()


class Machine:
    """`start`, `kill`, `stop`; `traps` make it die in a port. `on_started` is called when presses are taken."""

    def __init__(
        self, folder: Path, *, clock: VirtualClock, school: Loaded, network: Network, seed: str, emit: Emit
    ) -> None:
        self.clock = clock
        self.school = school
        self.health = Health()
        self.traps: list[Trap] = []
        self.core: Core = CORE
        self.up = asyncio.Event()
        """Presses are taken."""
        self.on_started: Callable[[], None] = lambda: None
        self._folder = folder
        self._network = network
        self._seed = seed
        self._emit = emit
        self._salts = Random(f"{seed}:salts")
        self._disk_random = Random(f"{seed}:disk")
        self._moved: list[tuple[str, str | None, str]] = []
        self._standing: dict[str, str] = {}
        """Of every notification, as far as it is committed."""
        self._synced = 0
        self._log_end = LogEnd()
        self._lives = 0
        self._stopping = False
        self._now: _Incarnation | None = None
        self._graves: set[asyncio.Task[None]] = set()

    # --- what the world asks

    @property
    def daemon(self) -> Daemon | None:
        """The one that takes presses now; `None` while it is down or starting."""
        now = self._now
        return now.daemon if now is not None and now.life.alive and now.daemon.started.is_set() else None

    @property
    def is_up(self) -> bool:
        return self.daemon is not None

    def databases(self) -> tuple[Path, ...]:
        """Files that hold what is committed: the disk's, then, while commits go there, the one in memory."""
        now = self._now
        assert now is not None, "nothing was started"
        store = self.store
        return (now.disk.path,) if store is None or store.durable else (now.disk.path, now.spare.path)

    @property
    def store(self) -> FallbackStore | None:
        """For reading, past the guards."""
        now = self._now
        return now.store if now is not None and now.life.alive else None

    async def start(self) -> None:
        """Returns when presses are taken, or when it died on the way there."""
        now = self._now = self._build()
        started = asyncio.get_running_loop().create_task(now.daemon.started.wait())
        await asyncio.wait({now.task, started}, return_when=asyncio.FIRST_COMPLETED)
        started.cancel()
        now.task.add_done_callback(partial(self._ended_by_itself, now))
        if now.life.alive and not now.task.done():
            self._emit(Started(at_us=self.true_us(), incarnation=now.life.number))
            self.up.set()
            self.on_started()

    def _ended_by_itself(self, now: "_Incarnation", task: asyncio.Task[None]) -> None:
        """It gave up (a store that is gone for good), or nobody caught an error: whoever supervises starts it again."""
        if now.life.alive and not self._stopping and not task.cancelled():
            error = task.exception()
            if error is not None and not isinstance(error, GIVES_UP):
                raise error
            self.kill(f"ended by itself: {type(error).__name__}")

    def kill(self, why: str, crash: Crash | None = None) -> None:
        """From outside, at this instant. Nothing happens to a machine that is down."""
        if self._now is not None:
            self._now.life.die(why, crash)

    async def stop(self) -> None:
        """Ask the daemon to end gracefully, and wait for it."""
        now = self._now
        self._stopping = True
        if now is not None and now.life.alive:
            now.daemon.stop()
            await asyncio.wait({now.task})
            if now.life.alive:
                now.task.result()
        for grave in tuple(self._graves):
            await grave

    def true_us(self) -> int:
        return true_us()

    # --- how a life begins

    def _build(self) -> _Incarnation:
        self._lives += 1
        life = Life(self._lives, self.traps, self._died)
        disk = self._sqlite(self._folder / "disk", self.health)
        spare = self._sqlite(self._folder / "spare", Health())
        store = FallbackStore(disk, spare)
        guarded = GuardedStore(store, life, begun=self._begun, seen=self._committed)
        broker = GuardedBroker(self._network.broker, life)
        daemon = Daemon(
            owner=f"life-{life.number}",
            store=guarded,
            clock=self.clock,
            registry=self.school.registry,
            core=self.core,
            fittings=self._fittings(life, broker),
        )
        task = asyncio.get_running_loop().create_task(daemon.run(), name=f"daemon {life.number}")
        return _Incarnation(life=life, store=store, disk=disk, spare=spare, broker=broker, daemon=daemon, task=task)

    def _sqlite(self, folder: Path, health: Health) -> SqliteStore:
        return SqliteStore(
            folder / "alertd.db",
            lease_s=LEASE_S,
            salt=self._salt,
            ballast_bytes=0,
            connect=connecting(health, self._disk_random, self._row_moved),
        )

    def _salt(self) -> str:
        return f"{self._salts.getrandbits(128):032x}"

    def _fittings(self, life: Life, broker: GuardedBroker) -> Fittings:
        state_dir = self._folder / "state"
        state_dir.mkdir(exist_ok=True)
        surroundings = Surroundings(
            clock=self.clock,
            http=GuardedHttp(self._network.http, life, Random(f"{self._seed}:{life.number}:http")),
            secret=self._secret,
            public_base_url=self._network.public_url,
            registry=lambda: self.school.registry,
            profiles=self.school.profile_tables,
            extra={
                "state_dir": state_dir,
                "mqtt_broker": broker,
                "resolve": self._resolve,
                "random": Random(f"{self._seed}:{life.number}:backoff"),
            },
        )
        loud = [section for section in self.school.sections if section.plugin in PA_PLUGINS]
        fitted = fit([section for section in self.school.sections if section not in loud], surroundings)
        assert not fitted.problems, fitted.problems
        built = dict(fitted.built)
        for section in loud:  # no packets in bent time
            channel = PaChannel(section.name, self._network.loudspeakers, life.refuse_if_dead)
            built[f"{section.table}.{section.name}"] = Built(channel=channel)
        return {section: self._watched(each, life) for section, each in built.items()}

    def _watched(self, built: Built, life: Life) -> Built:
        if built.channel is None:
            return built
        channel = WatchedChannel(built.channel, life, self._attempted, self._ended)
        return Built(
            source=built.source,
            channel=channel,
            inbound=built.inbound,
            callbacks=built.callbacks,
            feedback=built.feedback,
            recalling=built.recalling,
            lines=built.lines,
        )

    def _secret(self, name: str) -> str:
        return secrets_of(self.school).get(name, f"simulated {name}")

    async def _resolve(self, host: str, _port: int) -> Sequence[str]:
        if not self._network.has_names():
            raise OSError(f"no name server answers for {host}")
        return (SOME_PUBLIC_ADDRESS,)

    # --- what is seen

    def _row_moved(self, notification_id: str, after: str) -> None:
        """Copies between disk and memory move nothing: the row stands where it stood."""
        before = self._standing.get(notification_id)
        if before != after:
            self._standing[notification_id] = after
            self._moved.append((notification_id, before, after))

    def _look_up_standing(self) -> None:
        """What the files hold after a start: the power may have taken something."""
        self._standing.clear()
        found = (self._folder / folder / "alertd.db" for folder in ("disk", "spare"))
        for path in (path for path in found if path.exists()):
            with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as connection:
                self._standing.update(connection.execute("SELECT id, state FROM notification"))

    def _committed(self, written: Sequence[tuple[Event, Decision]], durable: bool) -> None:  # noqa: FBT001
        at_us = self.true_us()
        for event, decision in written:
            self._emit(Committed(at_us=at_us, event=event, decision=decision, durable=durable))
        moved, self._moved = self._moved, []
        for notification_id, before, after in moved:
            self._emit(
                Moved(
                    at_us=at_us,
                    notification_id=NotificationId(notification_id),
                    before=None if before is None else NotificationState(before),
                    after=NotificationState(after),
                    durable=durable,
                )
            )

    def _attempted(self, claim: Claim, channel: str) -> None:
        self._emit(Attempted(at_us=self.true_us(), claim=claim, channel=channel))

    def _ended(self, claim: Claim, outcome: Outcome | None) -> None:
        self._emit(
            Ended(at_us=self.true_us(), notification_id=claim.notification.id, epoch=claim.epoch, outcome=outcome)
        )

    # --- how a life ends

    def _begun(self) -> None:
        """All that is in the log by now was committed before, and synced. Asked now: a trap that springs in the commit
        is no longer among them then."""
        if self.traps and any(trap.crash.power for trap in self.traps) and self._now is not None:
            path = self._now.disk.path
            self._synced = self._log_end.of(path.with_name(path.name + "-wal"))

    def _died(self, why: str, crash: Crash | None) -> None:
        now = self._now
        assert now is not None, "nobody dies before birth"
        self.up.clear()
        power = crash is not None and crash.power
        kept = (now.disk, now.spare) if not power else (now.disk,)
        now.remains = tuple(Remains(store.path) for store in kept)
        lost = 0
        if crash is not None and power and crash.port == "store.commit" and crash.moment == "during":
            lost = now.remains[0].cut(self._synced, crash.cut)
        self._moved.clear()
        self._emit(Crashed(at_us=self.true_us(), incarnation=now.life.number, where=why, power=power, lost_bytes=lost))
        loop = asyncio.get_running_loop()
        for connection in now.broker.open_connections:
            connection.desert(SILENT_CONNECTION_S if power else 0.0)  # type: ignore[attr-defined]
        now.task.cancel()
        grave = loop.create_task(self._bury(now, crash or Crash(at_s=0)), name=f"grave {now.life.number}")
        self._graves.add(grave)
        grave.add_done_callback(self._graves.discard)

    async def _bury(self, dead: _Incarnation, crash: Crash) -> None:
        died_s = virtual_loop().time()
        await asyncio.wait({dead.task})
        dead.spare.close()
        dead.disk.close()
        for remains in dead.remains:
            remains.put_back()
        if crash.power:
            shutil.rmtree(self._folder / "spare", ignore_errors=True)
        self._look_up_standing()
        await asyncio.sleep(max(0.0, died_s + crash.down_s - virtual_loop().time()))
        if crash.power:
            self.clock.reboot()
        await self.start()


def secrets_of(school: Loaded) -> Mapping[str, str]:
    """A value of the right shape for every secret that the configuration names. They open only simulated doors."""
    found: dict[str, str] = {}
    for section in school.sections:
        _collect(section.settings, found)
    return found


def _collect(table: Mapping[str, Any], found: dict[str, str]) -> None:
    shapes = {"account_sid_secret": ACCOUNT_SID, "auth_token_secret": AUTH_TOKEN, "signing_secret": SIGNING_SECRET}
    for key, value in table.items():
        if isinstance(value, Mapping):
            _collect(value, found)
        elif key in shapes:
            names = [value] if isinstance(value, str) else list(value)
            found.update(dict.fromkeys(names, shapes[key]))
