"""A whole daemon in virtual time: real door, engine, SQLite and dispatch; channels and sources with behaviour of ours.

`crash()` is `kill -9`: nothing is finished, nothing is drained, and a new incarnation opens the same files.
"""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

from alertd.daemon.core import CORE
from alertd.daemon.daemon import Daemon
from alertd.daemon.intake import Core
from alertd.model.decision import Confirmation
from alertd.model.events import Arrival, Signal
from alertd.model.ids import DeviceId
from alertd.model.incident import Incident
from alertd.model.notification import Claim, NotificationRow
from alertd.model.outcome import Delivered, Outcome
from alertd.model.registry import Registry
from alertd.ports import Built, ChannelLimits, Door, NotCommittedError
from alertd.store.sqlite import SqliteStore
from alertd_simulator.virtual_time import VirtualClock
from tests.engine.school import registry


class FakeChannel:
    """Delivers at once, unless `behave` says otherwise."""

    def __init__(self, name: str, kind: str, limits: ChannelLimits | None = None) -> None:
        self.name = name
        self.kind = kind
        self.limits = limits or ChannelLimits()
        self.sent: list[Claim] = []
        """Everything that left, in order, with repeats."""
        self.looked_up: list[NotificationRow] = []
        self.behave: Callable[[Claim], Awaitable[Outcome]] = _deliver
        self.remembers: Callable[[NotificationRow], Outcome | None] = lambda _row: None

    async def send(self, claim: Claim) -> Outcome:
        self.sent.append(claim)
        return await self.behave(claim)

    async def look_up(self, row: NotificationRow) -> Outcome | None:
        self.looked_up.append(row)
        return self.remembers(row)

    def told(self) -> list[str]:
        """Names, in the order in which they were told."""
        return [claim.notification.recipient for claim in self.sent]


async def _deliver(claim: Claim) -> Outcome:
    return Delivered(ref=f"ref-{claim.notification.id}")


class FakeSource:
    """A broker's session that keeps what was not acknowledged, and delivers it again after a reconnect."""

    name = "broker"

    def __init__(self) -> None:
        self.is_connected = True
        self.unacked: dict[str, Arrival] = {}
        self.acked: list[str] = []
        self.refused: list[str] = []
        self.on_ack: Callable[[str], None] = lambda _id: None
        self.door: Door | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self, door: Door) -> None:
        self.door = door
        for arrival in tuple(self.unacked.values()):
            self.deliver(arrival)
        try:
            await asyncio.Event().wait()
        finally:
            self.door = None
            for task in self._tasks:
                task.cancel()

    def publish(self, arrival: Arrival) -> None:
        self.unacked[arrival.arrival_id] = arrival
        if self.door is not None:
            self.deliver(arrival)

    def deliver(self, arrival: Arrival) -> None:
        """Once, or once more."""
        task = asyncio.get_running_loop().create_task(self._take(arrival))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _take(self, arrival: Arrival) -> None:
        assert self.door is not None
        try:
            await self.door.receive(arrival)
        except NotCommittedError as error:
            self.refused.append(f"{arrival.arrival_id}: {error}")
            return
        self.on_ack(arrival.arrival_id)
        self.unacked.pop(arrival.arrival_id, None)
        self.acked.append(arrival.arrival_id)


class FakeFeedback:
    def __init__(self) -> None:
        self.confirmed: list[Confirmation] = []

    def confirm(self, confirmation: Confirmation) -> None:
        self.confirmed.append(confirmation)


class World:
    """One machine: its files, its broker, its carriers, and at most one living daemon."""

    def __init__(
        self,
        folder: Path,
        *,
        school: Registry | None = None,
        core: Core = CORE,
        sms: ChannelLimits | None = None,
        store: Callable[[Path], SqliteStore] | None = None,
        voice: Built | None = None,
    ) -> None:
        self.clock = VirtualClock()
        self.school = school or registry()
        self.core = core
        self.sms = FakeChannel("sms", "sms", sms)
        self.dispatch = FakeChannel("dispatch", "webhook")
        self.source = FakeSource()
        self.feedback = FakeFeedback()
        self.incarnations = 0
        self.daemon: Daemon
        self.running: asyncio.Task[None]
        self._path = folder / "alertd.db"
        self._more = {"channels.voice": voice} if voice is not None else {}
        self._store = store or (lambda path: SqliteStore(path, ballast_bytes=0))
        self._arrivals = 0

    def make(self) -> Daemon:
        """A daemon that does not run yet."""
        self.incarnations += 1
        self.store = self._store(self._path)
        self.daemon = Daemon(
            owner=f"daemon-{self.incarnations}",
            store=self.store,
            clock=self.clock,
            registry=self.school,
            core=self.core,
            fittings={
                "sources.broker": Built(source=self.source, feedback=self.feedback),
                "channels.sms": Built(channel=self.sms),
                "channels.dispatch": Built(channel=self.dispatch),
                **self._more,
            },
        )
        return self.daemon

    async def start(self) -> Daemon:
        self.make()
        self.running = asyncio.get_running_loop().create_task(self.daemon.run(), name="daemon")
        started = asyncio.get_running_loop().create_task(self.daemon.started.wait())
        await asyncio.wait({self.running, started}, return_when=asyncio.FIRST_COMPLETED)
        started.cancel()
        if self.running.done():
            self.running.result()
        return self.daemon

    async def crash(self) -> None:
        self.running.cancel()
        await asyncio.wait({self.running})

    async def stop(self) -> None:
        self.daemon.stop()
        await self.running

    def arrival(self, device: str = "badge-204", action: str = "hold", cause: str | None = None, **more) -> Arrival:
        self._arrivals += 1
        return Arrival(
            source="broker",
            topic=f"school/{device}",
            signals=(Signal(device_id=DeviceId(device), action=action, cause=cause),),
            received_us=self.clock.now().wall_us,
            arrival_id=f"a{self._arrivals}",
            **more,
        )

    def press(self, device: str = "badge-204", action: str = "hold", cause: str | None = None) -> str:
        arrival = self.arrival(device, action, cause)
        self.source.publish(arrival)
        return arrival.arrival_id

    def incidents(self) -> tuple[Incident, ...]:
        return self.store.read_incidents(open_only=False, site_id=None, limit=1000)

    def rows(self) -> list[NotificationRow]:
        return [row for incident in self.incidents() for row in self.store.read_notifications(incident.id)]

    def troubles(self) -> set[str]:
        return {trouble.key for trouble in self.store.read_troubles() if trouble.cleared_us is None}
