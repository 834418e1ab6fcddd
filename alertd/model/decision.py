"""What the engine reads (`SiteState`, `Facts`) and what it answers (`Decision`)."""

from enum import StrEnum

from msgspec import Struct

from alertd.model.device_memory import GestureCount
from alertd.model.drill import Drill
from alertd.model.ids import CauseId, DeviceId, IncidentId, NotificationId, SiteId, TimerId
from alertd.model.incident import Incident
from alertd.model.mode import Mode
from alertd.model.notification import Kind, NotificationChange, NotificationRow, Written
from alertd.model.policy import Policy
from alertd.model.reason import Reason
from alertd.model.registry import Registry
from alertd.model.timer import Timer
from alertd.model.trouble import Trouble


class SiteState(Struct, kw_only=True):
    """The rows of one site. `decide` reads it and never changes it; the writer applies what was decided."""

    site_id: SiteId
    incidents: dict[IncidentId, Incident] = {}
    """Open ones only."""
    troubles: dict[str, Trouble] = {}
    """Standing ones only, by key."""
    latched: dict[str, Trouble] = {}
    """Those that are over, and that nobody has acknowledged yet."""
    gestures: dict[DeviceId, GestureCount] = {}
    drill: Drill | None = None
    """The one that runs now."""
    drill_over: Drill | None = None
    """The last one, if none runs: somebody may not know yet that it is over."""

    _by_merge_key: dict[str, IncidentId] = {}
    _by_device: dict[DeviceId, tuple[IncidentId, ...]] = {}
    _by_policy: dict[str, int] = {}

    def __post_init__(self) -> None:
        for incident in self.incidents.values():
            self._index(incident)

    def open_by_merge_key(self, merge_key: str) -> Incident | None:
        """The open incident that presses of this key merge into."""
        incident_id = self._by_merge_key.get(merge_key)
        return self.incidents.get(incident_id) if incident_id else None

    def open_of_device(self, device_id: DeviceId) -> tuple[Incident, ...]:
        """Open incidents that the device has pressed for."""
        ids = self._by_device.get(device_id, ())
        return tuple(self.incidents[i] for i in ids if i in self.incidents)

    @property
    def policy_hashes(self) -> tuple[str, ...]:
        """Content addresses of the policies that open incidents froze."""
        return tuple(self._by_policy)

    def apply(self, decision: "Decision") -> None:
        """Make the state what the decision says it now is."""
        for incident in decision.incidents:
            self._unindex(incident.id)
            if incident.is_open:
                self.incidents[incident.id] = incident
                self._index(incident)
            else:
                self.incidents.pop(incident.id, None)
        for trouble in decision.troubles:
            self.troubles.pop(trouble.key, None)
            self.latched.pop(trouble.key, None)
            if trouble.stands:
                self.troubles[trouble.key] = trouble
            elif trouble.cleared_us is None:
                self.latched[trouble.key] = trouble
        for gesture in decision.gestures:
            self.gestures[gesture.device_id] = gesture
        if decision.drill is not None:
            running = decision.drill.is_running
            self.drill, self.drill_over = (decision.drill, None) if running else (None, decision.drill)

    def _index(self, incident: Incident) -> None:
        self._by_merge_key[incident.merge_key] = incident.id
        self._by_policy[incident.policy_hash] = self._by_policy.get(incident.policy_hash, 0) + 1
        for device_id in dict.fromkeys(p.device_id for p in incident.presses):
            self._by_device[device_id] = (*self._by_device.get(device_id, ()), incident.id)

    def _unindex(self, incident_id: IncidentId) -> None:
        """Forget where the incident stood before it changed."""
        before = self.incidents.get(incident_id)
        if before is None:
            return
        self._by_policy[before.policy_hash] -= 1
        if not self._by_policy[before.policy_hash]:
            del self._by_policy[before.policy_hash]
        if self._by_merge_key.get(before.merge_key) == before.id:
            del self._by_merge_key[before.merge_key]
        for device_id in dict.fromkeys(p.device_id for p in before.presses):
            rest = tuple(i for i in self._by_device.get(device_id, ()) if i != before.id)
            if rest:
                self._by_device[device_id] = rest
            else:
                self._by_device.pop(device_id, None)


class PhoneIncident(Struct, frozen=True, kw_only=True):
    """An incident that a phone was told of: what a reply from it may speak about. Closed ones for 24 h, too."""

    incident_id: IncidentId
    site_id: SiteId
    token: str
    headline: str
    """"OAK ELEM Rm 204 LOCKDOWN 10:42": what answers call it."""
    is_open: bool
    opened_us: int
    closed_us: int | None = None
    closed_by: str = ""
    seq: int = 0
    """Rises as incidents begin and end, whatever clocks show."""
    mode: Mode = Mode.LIVE
    severity: int = 0
    """Of its class, as in `model.incident.SEVERITY`."""
    told: Written | None = Written()
    """When the first message about it that has left for this phone was written. `None`: all of it still waits, or was
    lost."""
    ended: Incident | None = None
    """Of one that ended by itself: what it was. No human has said that it is over, and may still say that it is not."""


class Turn(Struct, frozen=True, kw_only=True):
    """Messages of one site that one dispatch centre has not taken, and that wait to be tried again."""

    last_us: int
    """Boot time at which the last of them is tried; 0: it waits since an earlier boot."""
    ends_us: int
    """When the one that is true for longest ends, by the clock; heartbeats left out; 0: there are no others."""
    opening_ends_us: int
    """The same of those that open an incident there."""
    ends_boot_us: int
    """As `ends_us`, in boot time: of those that were written in this boot."""
    opening_ends_boot_us: int


class Facts(Struct, frozen=True, kw_only=True):
    """The world around the site's rows, as it was when the event was taken up."""

    registry: Registry
    policies: dict[str, Policy] = {}
    """Frozen policies of open incidents, by content hash."""
    opted_out: frozenset[str] = frozenset()
    """Endpoint keys that told the carrier to stop."""
    broken_channels: frozenset[str] = frozenset()
    """Channels over which nobody can be reached now."""
    free_tokens: tuple[str, ...] = ()
    """Reply tokens that no phone of the district has seen for 24 h, best first."""
    seen_us: int | None = None
    """When this event's cause was committed before, if it was; or that of the press of which it is a copy."""
    notification: NotificationRow | None = None
    """The row that an outcome speaks about."""
    turn: "Turn | None" = None
    """Those of the site that wait to be tried again at the outcome's dispatch centre; `None`: none waits."""
    phone: tuple[PhoneIncident, ...] = ()
    """For a reply: what that phone was told of: open ones first, and of each the newest."""


class EntryKind(StrEnum):
    """Kinds of journal entries."""

    PRESS = "press"
    INCIDENT = "incident"
    NOTIFICATION = "notification"
    OUTCOME = "outcome"
    ANSWER = "answer"
    DISPATCH = "dispatch"
    ESCALATION = "escalation"
    TROUBLE = "trouble"
    CORRECTION = "correction"
    INTAKE = "intake"
    CLOCK = "clock"
    LOUDSPEAKERS = "loudspeakers"
    DRILL = "drill"


class Entry(Struct, frozen=True, kw_only=True):
    """One line of evidence. `text` and `data` may hold names, numbers and health data: they are stored erasable, and
    only their hash enters the chain."""

    kind: EntryKind
    reason: Reason | None
    text: str
    incident_id: IncidentId | None = None
    notification_id: NotificationId | None = None
    data: dict[str, str] = {}


class FeedbackState(StrEnum):
    """What the presser's device shows (req 7)."""

    RECEIVED = "received"
    RESPONDER_ACCEPTED = "responder_accepted"


class Confirmation(Struct, frozen=True, kw_only=True):
    """Tell the presser's device. Worthless after `expires_s`."""

    device_id: DeviceId
    state: FeedbackState
    expires_s: int = 30


class Withdrawal(Struct, frozen=True, kw_only=True):
    """Every unsent row of an incident, except of the kinds that outlive it, will not be sent."""

    incident_id: IncidentId | None
    """`None`, with a `kind` or a `mode`: of the whole site, whatever it belongs to."""
    reason: Reason
    kind: Kind | None = None
    """Only rows of this kind, also of one that outlives its incident."""
    mode: Mode | None = None
    """Every row of this mode at the site, of whatever kind: a drill that is over says nothing more."""
    but: Kind | None = None
    """With a `mode`: rows of this kind stay. That the drill before is over is news as ever."""
    endpoint_key: str | None = None
    """Only rows of the incident to this endpoint."""


class Decision(Struct, frozen=True, kw_only=True):
    """Everything that follows from one event. Committed as a whole before any of it leaves the building."""

    cause: CauseId | None = None
    """Remembered, so that the same press or reply is known when it comes again."""
    incidents: tuple[Incident, ...] = ()
    troubles: tuple[Trouble, ...] = ()
    gestures: tuple[GestureCount, ...] = ()
    drill: Drill | None = None
    """The site's drill as it now is: begun, changed or ended."""
    policies: tuple[tuple[str, Policy], ...] = ()
    """Newly frozen policies with their content hashes."""
    notifications: tuple[NotificationRow, ...] = ()
    """New rows: queued ones, and suppressed ones that say why."""
    changes: tuple[NotificationChange, ...] = ()
    erasures: tuple[IncidentId, ...] = ()
    """Closed incidents of sensors whose personal detail is too old to be kept: what was sent, who was told, and the
    words of their journal lines go. The incidents themselves stand in `incidents`, stripped."""
    withdrawals: tuple[Withdrawal, ...] = ()
    try_now: tuple[str, ...] = ()
    """Keys of endpoints that take what is sent, again: whatever of the site waits there for another try is due."""
    look_ups: tuple[NotificationId, ...] = ()
    """Unknown outcomes: ask the provider."""
    recall: bool = False
    """Of what providers have taken, something may not be wanted any more: have it taken back (`daemon.recall`)."""
    timers: tuple[Timer, ...] = ()
    dropped_timers: tuple[TimerId, ...] = ()
    opt_outs: tuple[str, ...] = ()
    """Endpoint keys that from now on must not be texted."""
    opt_ins: tuple[str, ...] = ()
    """Endpoint keys that said START again."""
    broken_channels: tuple[str, ...] = ()
    mended_channels: tuple[str, ...] = ()
    confirmations: tuple[Confirmation, ...] = ()
    entries: tuple[Entry, ...] = ()
