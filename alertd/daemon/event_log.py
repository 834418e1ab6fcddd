"""Writes to the log what was committed: presses, incidents, answers, escalations, troubles, messages given up.

Owns: which lines there are, and how many at most. Must never: hold up a press (lines are written a moment later), name
a person (texts of the journal hold names: none is written), or flood: in a storm repeats are counted, not written.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator

import structlog
from msgspec import Struct

from alertd.model.decision import Decision, Entry, EntryKind
from alertd.model.ids import DeviceId, IncidentId
from alertd.model.incident import Incident
from alertd.model.notification import Kind, NotificationState
from alertd.model.reason import Reason
from alertd.model.registry import Registry

WRITE_AFTER_S = 0.05
"""So that what was committed has left the building before it is written about."""
WINDOW_S = 1.0
LINES_PER_SITE = 10
"""Lines of one kind about one site in a window; the rest is one line at its end."""
LINES_PER_WINDOW = 200
"""Lines of all kinds in a window. A site in a storm of troubles must not fill the disk with its log."""

_STALE = frozenset({Reason.STALE_TIMER, Reason.STALE_CODE, Reason.BATCHED})
"""Nothing happened."""
_OWN_LINES = frozenset({Kind.TROUBLE, Kind.DISPATCH_HEARTBEAT})
"""Messages of these kinds say what another line says, or nothing new."""
_TROUBLE: dict[Reason, tuple[str, str]] = {
    Reason.TROUBLE: ("warning", "trouble_raised"),
    Reason.TROUBLE_REPEATED: ("warning", "trouble_repeated"),
    Reason.TROUBLE_CLEARED: ("info", "trouble_cleared"),
    Reason.ACKNOWLEDGED: ("info", "trouble_acknowledged"),
    Reason.EMPTY_AUDIENCE: ("warning", "trouble_reaches_nobody"),
}
_KINDS: dict[EntryKind, str] = {
    EntryKind.PRESS: "press",
    EntryKind.INCIDENT: "incident",
    EntryKind.ANSWER: "answer",
    EntryKind.ESCALATION: "escalation",
    EntryKind.DISPATCH: "dispatch",
    EntryKind.CORRECTION: "correction",
    EntryKind.LOUDSPEAKERS: "loudspeakers",
    EntryKind.DRILL: "drill",
}

log = structlog.get_logger("alertd.events")


class Line(Struct, frozen=True):
    """One line of the log, not yet written."""

    level: str
    event: str
    fields: dict[str, str | int | bool]


class EventLog:
    """A follower of what is committed. Belongs to the event loop."""

    def __init__(self, registry: Callable[[], Registry]) -> None:
        """`registry`: the configuration in force, to find a device's site."""
        self._registry = registry
        self._lines: list[Line] = []
        self._writing: asyncio.TimerHandle | None = None
        self._window: asyncio.TimerHandle | None = None
        self._said: Counter[tuple[str, str]] = Counter()
        self._folded: Counter[str] = Counter()
        self._total = 0

    def committed(self, decision: Decision) -> None:
        for line in _lines(decision, self._registry):
            self._take(line)

    def _take(self, line: Line) -> None:
        if self._window is None:
            self._window = asyncio.get_running_loop().call_later(WINDOW_S, self._next_window)
        key = (line.event, str(line.fields.get("site", "")))
        if self._said[key] >= LINES_PER_SITE or self._total >= LINES_PER_WINDOW:
            self._folded[line.event] += 1
            return
        self._said[key] += 1
        self._total += 1
        self._lines.append(line)
        if self._writing is None:
            self._writing = asyncio.get_running_loop().call_later(WRITE_AFTER_S, self.flush)

    def _next_window(self) -> None:
        self.flush()
        for event, more in self._folded.items():
            log.info("folded", what=event, more=more, within_s=WINDOW_S)
        self._said.clear()
        self._folded.clear()
        self._total = 0
        self._window = None

    def flush(self) -> None:
        """Write what waits."""
        if self._writing is not None:
            self._writing.cancel()
            self._writing = None
        waiting, self._lines = self._lines, []
        for line in waiting:
            log.log(_LEVELS[line.level], line.event, **line.fields)

    def close(self) -> None:
        """The end of this incarnation."""
        if self._window is not None:
            self._window.cancel()
            self._next_window()


_LEVELS = {"info": 20, "warning": 30}


def _lines(decision: Decision, registry: Callable[[], Registry]) -> Iterator[Line]:
    incidents = {incident.id: incident for incident in decision.incidents}
    for entry in decision.entries:
        event = _KINDS.get(entry.kind)
        if event is not None:
            if entry.reason not in _STALE:
                yield Line("info", event, _about(entry, incidents, registry) | _more(entry, incidents))
        elif entry.kind is EntryKind.TROUBLE:
            yield from _trouble(entry, decision)
        elif entry.kind is EntryKind.OUTCOME:
            yield from _given_up(entry, incidents)
    if decision.notifications:
        yield from _messages(decision, incidents)


def _about(
    entry: Entry, incidents: dict[IncidentId, Incident], registry: Callable[[], Registry]
) -> dict[str, str | int | bool]:
    fields: dict[str, str | int | bool] = {"reason": entry.reason or ""}
    fields |= _of(incidents, entry.incident_id)
    if drill_id := entry.data.get("drill"):
        fields["drill"] = drill_id
    if device_id := entry.data.get("device"):
        fields["device"] = device_id
        if "site" not in fields and (device := registry().devices.get(DeviceId(device_id))) is not None:
            fields["site"] = device.site_id
    return fields


def _of(incidents: dict[IncidentId, Incident], incident_id: IncidentId | None) -> dict[str, str | int | bool]:
    if incident_id is None:
        return {}
    incident = incidents.get(incident_id)
    if incident is None:  # named, but not changed
        return {"incident": incident_id}
    return {
        "site": incident.site_id,
        "incident": incident.id,
        "incident_class": incident.incident_class.value,
        "mode": incident.mode.value,
    }


def _more(entry: Entry, incidents: dict[IncidentId, Incident]) -> dict[str, str | int | bool]:
    """What the kind of line has beside. The person who answered is in the timeline, which can be erased."""
    incident = incidents.get(entry.incident_id) if entry.incident_id else None
    if entry.kind is EntryKind.ANSWER and entry.reason is Reason.ACKNOWLEDGED and incident is not None:
        return {"kind": incident.answers[-1].kind.value, "via": incident.answers[-1].via}
    if entry.kind is EntryKind.DISPATCH:
        return {key: entry.data[key] for key in ("destination", "state") if key in entry.data}
    return {}


def _trouble(entry: Entry, decision: Decision) -> Iterator[Line]:
    """By its key: a summary may name people. `alertd troubles` has it."""
    level, event = _TROUBLE.get(entry.reason, ("", "")) if entry.reason else ("", "")
    key = entry.data.get("key", "")
    trouble = next((t for t in decision.troubles if t.key == key), None)
    if event and trouble is not None:
        yield Line(level, event, {"site": trouble.site_id, "key": key, "rings": trouble.rings, "count": trouble.count})


def _given_up(entry: Entry, incidents: dict[IncidentId, Incident]) -> Iterator[Line]:
    if entry.data.get("state") not in (NotificationState.FAILED, NotificationState.EXPIRED):
        return
    fields: dict[str, str | int | bool] = {"reason": entry.reason or "", "notification": entry.notification_id or ""}
    fields |= {key: entry.data[key] for key in ("channel", "state", "attempt") if key in entry.data}
    yield Line("warning", "message_given_up", fields | _of(incidents, entry.incident_id))


def _messages(decision: Decision, incidents: dict[IncidentId, Incident]) -> Iterator[Line]:
    """How many were written, for what reason; who they go to is in the timeline."""
    counted: dict[tuple[str, str, IncidentId | None], Counter[str]] = {}
    for row in decision.notifications:
        n = row.notification
        if n.kind not in _OWN_LINES:
            counted.setdefault((n.reason, n.site_id, n.incident_id), Counter())[row.state] += 1
    for (reason, site_id, incident_id), states in counted.items():
        counts = {state.value: states[state] for state in _BORN if states[state] or state is NotificationState.QUEUED}
        yield Line("info", "messages", {"reason": reason, "site": site_id, **_of(incidents, incident_id), **counts})


_BORN = (NotificationState.QUEUED, NotificationState.SUPPRESSED)
