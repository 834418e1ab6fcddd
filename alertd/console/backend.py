"""What the console needs of the daemon. `alertd.app` provides it; the console never reaches around it.

The console must never change state itself: everything that changes something is an event through `door`.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from msgspec import Struct

from alertd.model.check_in import DeviceStanding
from alertd.model.decision import EntryKind
from alertd.model.device_memory import DeviceTest, GestureCount
from alertd.model.drill import Drill
from alertd.model.ids import DeviceId, DrillId, IncidentId, NotificationId, SiteId
from alertd.model.incident import Incident
from alertd.model.notification import NotificationRow
from alertd.model.registry import Registry
from alertd.model.trouble import Trouble
from alertd.ports import Callbacks, Clock, Door, JournalLine, Stranger


class Proof(Struct, frozen=True, kw_only=True):
    """One sign of life ("broker", "commit", "dispatch", "heartbeat"): shown by something that just worked, or not.

    `words` is the sentence a technician reads: what was seen when, or what is wrong and what to do."""

    name: str
    alive: bool
    words: str


class Health(Struct, frozen=True, kw_only=True):
    """Is the way from a press to a phone alive? Only if every proof is.

    `ways`: each channel (and what else is in doubt about reaching people), as far as what was sent last says. A doubt
    does not make the daemon dead: presses are taken and every other way is tried, so it is degraded."""

    proofs: tuple[Proof, ...]
    ways: tuple[Proof, ...] = ()
    version: str
    config_version: str
    started_us: int
    in_test: tuple[tuple[DeviceId, DeviceTest], ...] = ()
    """Devices that are tried out over this process: their presses page nobody. No doubt of life."""

    @property
    def alive(self) -> bool:
        return bool(self.proofs) and all(proof.alive for proof in self.proofs)

    @property
    def state(self) -> str:
        """One of "alive", "degraded", "not_alive"."""
        if not self.alive:
            return "not_alive"
        return "alive" if all(way.alive for way in self.ways) else "degraded"


class Reloaded(Struct, frozen=True, kw_only=True):
    """What became of a reload. Refused as a whole if there is any problem: the last good configuration is kept."""

    config_version: str
    """Of the configuration that is in force now."""
    problems: tuple[str, ...] = ()
    """Rendered, one a line: "people.csv:7: phone: … -> …"."""

    @property
    def accepted(self) -> bool:
        return not self.problems


class StoreReader(Protocol):
    """The part of `ports.Store` that the console reads, each call in a worker thread."""

    def read_incidents(self, *, open_only: bool, site_id: SiteId | None, limit: int) -> tuple[Incident, ...]: ...
    def read_incident(self, incident_id: IncidentId) -> Incident | None: ...
    def read_notifications(self, incident_id: IncidentId) -> tuple[NotificationRow, ...]: ...
    def read_notification(self, notification_id: NotificationId) -> NotificationRow | None: ...
    def read_tests(self, since_us: int) -> tuple[NotificationRow, ...]: ...
    def read_timeline(self, incident_id: IncidentId) -> tuple[JournalLine, ...]: ...
    def read_journal(
        self, site_id: SiteId, *, since_us: int, until_us: int, after: int = 0, kind: EntryKind | None = None
    ) -> tuple[JournalLine, ...]: ...
    def read_drills(self, *, running_only: bool, site_id: SiteId | None, limit: int) -> tuple[Drill, ...]: ...
    def read_drill(self, drill_id: DrillId) -> Drill | None: ...
    def read_device_tests(self, device_id: DeviceId | None = None) -> tuple[tuple[SiteId, GestureCount], ...]: ...
    def read_troubles(self, *, latched: bool = False) -> tuple[Trouble, ...]: ...


class Backend(Protocol):
    """The daemon, as the console sees it."""

    @property
    def door(self) -> Door:
        """Where every event of the console enters; `receive` and `submit` complete when it is committed."""
        ...

    @property
    def store(self) -> StoreReader: ...

    @property
    def clock(self) -> Clock: ...

    def registry(self) -> Registry:
        """The configuration in force now."""
        ...

    def device_standings(self, ids: Iterable[DeviceId]) -> Iterable[DeviceStanding]:
        """Those of them that are registered, as they are now; from memory. Some at a time: presses wait meanwhile."""
        ...

    def words(self, device_id: DeviceId) -> frozenset[str] | None:
        """All that it can say, as far as gestures are concerned; `None`: nobody knows."""
        ...

    def strangers(self) -> Mapping[str, Sequence[Stranger]]:
        """Devices that were heard and are not registered, by the source that heard them; from memory."""
        ...

    def health(self) -> Health:
        """Proof of life, from memory: must not wait for a disk or a network."""
        ...

    async def metrics(self) -> bytes:
        """The daemon's numbers in Prometheus' text format 0.0.4. Never waits for the writer."""
        ...

    def callbacks(self) -> Mapping[str, Callbacks]:
        """Channels that take signed provider callbacks, by name."""
        ...

    async def reload(self) -> Reloaded:
        """Read the configuration again. Completes when it is in force, or refused."""
        ...

    async def verify_journal(self, site_id: SiteId) -> int:
        """`Store.verify_journal`, run wherever the store allows it. Raises `StoreError` naming the first bad entry."""
        ...


class TcpListener(Struct, frozen=True, kw_only=True):
    """Where providers reach us. Serves callbacks and a health that says nothing but yes or no."""

    host: str
    port: int
    public_base_url: str | None = None
    """What providers call us by ("https://alerts.example.org"): their signature covers that URL, not ours. `None`:
    no callbacks, replies are polled."""
