"""A daemon in memory for the console's tests: real decisions of the real engine, no disk, and faults on demand."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence

from msgspec.structs import replace

from alertd.console.backend import Health, Proof, Reloaded
from alertd.engine.routing import route
from alertd.engine.spelling import as_registered
from alertd.model.anchor import Now
from alertd.model.check_in import CheckIn, DeviceStanding
from alertd.model.decision import Entry, EntryKind
from alertd.model.device_memory import GestureCount
from alertd.model.drill import Drill
from alertd.model.events import Arrival, Event
from alertd.model.ids import DISTRICT, DeviceId, DrillId, IncidentId, NotificationId, SiteId
from alertd.model.incident import Incident
from alertd.model.notification import Kind, NotificationRow
from alertd.model.registry import Registry
from alertd.model.site import Gestures
from alertd.model.trouble import Trouble
from alertd.ports import (
    Callbacks,
    Door,
    HttpRequest,
    HttpResponse,
    JournalLine,
    NotCommittedError,
    StoreError,
    Stranger,
)
from tests.engine.play import Play
from tests.engine.school import OAK, registry

HOP_US = 3_000
"""Time that passes with every event."""


class FakeDaemon:
    """A `Backend`, a `Door`, a `Store` (its read side) and a `Clock` in one."""

    def __init__(self) -> None:
        self.school: Registry = registry()
        self.sites = {site_id: Play(self.school, site_id) for site_id in self.school.sites}
        self.journal: list[JournalLine] = []
        self.events: list[Event | Arrival] = []
        self.observed: list[str] = []
        self.takers: dict[str, Callbacks] = {}
        self.proofs = [Proof(name="broker", alive=True, words="session stands since 10:40")]
        self.ways = [Proof(name="channel sms", alive=True, words="nothing is known to be wrong")]
        self.reloaded = Reloaded(config_version="v2")
        self.standings: list[DeviceStanding] = []
        self.heard: list[Stranger] = []
        self.says: dict[str, frozenset[str]] = {}
        self.refuses_commits = False
        self.never_commits = False
        self.store_fails = ""
        self.before_commit: Callable[[], None] = lambda: None
        self.after_commit: Callable[[], None] = lambda: None

    # --- Backend

    @property
    def door(self) -> Door:
        return self

    @property
    def store(self) -> "FakeDaemon":
        return self

    @property
    def clock(self) -> "FakeDaemon":
        return self

    def registry(self) -> Registry:
        return self.school

    def device_standings(self, ids: Iterable[DeviceId]) -> list[DeviceStanding]:
        wanted = frozenset(ids)
        return [each for each in self.standings if each.last.device_id in wanted]

    def words(self, device_id: DeviceId) -> frozenset[str] | None:
        return self.says.get(device_id)

    def strangers(self) -> Mapping[str, Sequence[Stranger]]:
        return {"broker": self.heard}

    def health(self) -> Health:
        return Health(
            proofs=tuple(self.proofs), ways=tuple(self.ways), version="0.1.0", config_version="v1", started_us=0,
            in_test=tuple((each.device_id, each.test) for _, each in self.read_device_tests() if each.test),
        )  # fmt: skip

    async def metrics(self) -> bytes:
        return b"alertd_alive 1.0\n"

    def callbacks(self) -> Mapping[str, Callbacks]:
        return self.takers

    async def reload(self) -> Reloaded:
        return self.reloaded

    async def verify_journal(self, site_id: SiteId) -> int:
        self._may_fail()
        return sum(line.site_id == site_id for line in self.journal)

    # --- Clock

    @property
    def boot_id(self) -> str:
        return "boot"

    def now(self) -> Now:
        play = self.sites[SiteId("oak")]
        return Now(wall_us=play.now_us + play.stepped_us, boot_us=0)

    # --- Door

    def receive(self, arrival: Arrival) -> Awaitable[None]:
        self.events.append(arrival)
        return self._commit(list(route(self.school, as_registered(self.school, arrival))))

    def submit(self, event: Event) -> Awaitable[None]:
        self.events.append(event)
        return self._commit([event])

    def observe(self, source: str, name: str, *, value: float = 1.0) -> None:
        self.observed.append(f"{source}.{name}")

    def check_in(
        self, source: str, check_ins: Sequence[CheckIn], *, retained: bool = False, qos: int | None = None
    ) -> None:
        raise AssertionError("the console hears no device")

    async def _commit(self, events: list[Event]) -> None:
        await asyncio.sleep(0)
        self.before_commit()
        if self.refuses_commits:
            raise NotCommittedError("disk full")
        if self.never_commits:
            await asyncio.Event().wait()
        for event in events:
            self.do(event)
        self.after_commit()

    def do(self, event: Event) -> None:
        play = self.sites[event.site_id]
        for each in self.sites.values():
            each.now_us += HOP_US
        decision = play.do(event)
        for entry in decision.entries:
            self.keep(entry, event.site_id)

    def keep(self, entry: Entry, site_id: SiteId = OAK) -> None:
        at_us = self.sites[site_id].now_us + self.sites[site_id].stepped_us
        self.journal.append(
            JournalLine(site_id=site_id, sequence=len(self.journal) + 1, at_us=at_us, entry=entry, hash="00")
        )

    # --- Store, as far as the console may read it

    def _may_fail(self) -> None:
        if self.store_fails:
            raise StoreError(self.store_fails)

    def read_incidents(self, *, open_only: bool, site_id: SiteId | None, limit: int) -> tuple[Incident, ...]:
        self._may_fail()
        plays = [play for site, play in self.sites.items() if site_id in (None, site)]
        found = [i for play in plays for i in (*play.state.incidents.values(), *play.closed.values())]
        return tuple(i for i in found if i.is_open or not open_only)[:limit]

    def read_incident(self, incident_id: IncidentId) -> Incident | None:
        every = self.read_incidents(open_only=False, site_id=None, limit=1000)
        return next((i for i in every if i.id == incident_id), None)

    def _rows(self) -> list[NotificationRow]:
        return [row for play in self.sites.values() for row in play.rows.values()]

    def read_notifications(self, incident_id: IncidentId) -> tuple[NotificationRow, ...]:
        return tuple(row for row in self._rows() if row.notification.incident_id == incident_id)

    def read_notification(self, notification_id: NotificationId) -> NotificationRow | None:
        return next((row for row in self._rows() if row.notification.id == notification_id), None)

    def read_tests(self, since_us: int) -> tuple[NotificationRow, ...]:
        kinds = (Kind.TEST, Kind.DISPATCH_HEARTBEAT)
        rows = [row for row in self._rows() if row.notification.kind in kinds]
        return tuple(row for row in rows if row.notification.created_us >= since_us)

    def read_timeline(self, incident_id: IncidentId) -> tuple[JournalLine, ...]:
        return tuple(line for line in self.journal if line.entry and line.entry.incident_id == incident_id)

    def read_journal(
        self, site_id: SiteId, *, since_us: int, until_us: int, after: int = 0, kind: EntryKind | None = None
    ) -> tuple[JournalLine, ...]:
        mine = [line for line in self.journal if line.site_id == site_id and since_us <= line.at_us <= until_us]
        mine = [line for line in mine if line.sequence > after]
        return tuple(line for line in mine if kind is None or (line.entry is not None and line.entry.kind is kind))

    def read_drills(self, *, running_only: bool, site_id: SiteId | None, limit: int) -> tuple[Drill, ...]:
        self._may_fail()
        plays = [play for site, play in self.sites.items() if site_id in (None, site)]
        found = [drill for play in plays for drill in play.drills.values() if drill.is_running or not running_only]
        return tuple(sorted(found, key=lambda drill: -drill.started_us))[:limit]

    def read_drill(self, drill_id: DrillId) -> Drill | None:
        every = self.read_drills(running_only=False, site_id=None, limit=1000)
        return next((drill for drill in every if drill.id == drill_id), None)

    def read_device_tests(self, device_id: DeviceId | None = None) -> tuple[tuple[SiteId, GestureCount], ...]:
        memories = [(site, each) for site, play in self.sites.items() for each in play.state.gestures.values()]
        tried = tuple((site, each) for site, each in memories if each.test is not None)
        return tuple((site, each) for site, each in tried if device_id in (None, each.device_id))

    def read_troubles(self, *, latched: bool = False) -> tuple[Trouble, ...]:
        self._may_fail()
        states = [play.state for play in self.sites.values()]
        standing = [t for state in states for t in state.troubles.values()]
        return (*standing, *(t for state in states for t in state.latched.values() if latched))

    # --- what tests do to it

    def has_gestures(self, device_id: str, gestures: Gestures) -> None:
        """The device has these from now on."""
        changed = replace(self.school.devices[DeviceId(device_id)], gestures=gestures)
        self.school = replace(self.school, devices={**self.school.devices, changed.id: changed})
        for play in self.sites.values():
            play.registry = self.school

    @property
    def oak(self) -> Play:
        return self.sites[SiteId("oak")]

    @property
    def district(self) -> Play:
        return self.sites[DISTRICT]


class RecordingCallbacks:
    """A channel that takes callbacks and answers with what it saw."""

    name = "sms"

    def __init__(self) -> None:
        self.requests: list[HttpRequest] = []

    async def callback(self, request: HttpRequest, door: Door) -> HttpResponse:
        self.requests.append(request)
        if "x-signature" not in request.headers:
            return HttpResponse(status=403, body=b"unsigned")
        return HttpResponse(status=200, headers={"content-type": "text/xml"}, body=b"<Response/>")
