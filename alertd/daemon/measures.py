"""What is counted of what was committed: presses, answers, outcomes, failures.

Owns the numbers behind /metrics that are not read from elsewhere. Must never: decide anything, hold up a press, or
count by anything that names a person, a number or a device: sites, classes, channels and reasons only.
"""

from collections import Counter
from collections.abc import Callable

from alertd.model.decision import Decision, Entry, EntryKind
from alertd.model.ids import DeviceId, IncidentId
from alertd.model.incident import Incident
from alertd.model.notification import NotificationState
from alertd.model.reason import Reason
from alertd.model.registry import Registry

NO_CLASS = "none"
"""Class of a press that meant nothing by itself: a repeat, or too few for a gesture."""
_NO_FAILURE = frozenset(
    {
        NotificationState.ACCEPTED,
        NotificationState.SENT,
        NotificationState.DELIVERED,
        NotificationState.CLAIMED,
        NotificationState.WITHDRAWN,  # alertd took it back: somebody goes, or it is over
    }
)


class Measures:
    """A follower of what is committed. Counters begin anew with every start, as Prometheus expects."""

    def __init__(self, registry: Callable[[], Registry]) -> None:
        self._registry = registry
        self.presses: Counter[tuple[str, str, str]] = Counter()
        """By site, class, and the reason that says what was done with it."""
        self.answers: Counter[tuple[str, str, str]] = Counter()
        """By site, kind, and the way it came."""
        self.outcomes: Counter[tuple[str, str]] = Counter()
        """By channel and state."""
        self.failures: Counter[tuple[str, str]] = Counter()
        """By channel and reason."""

    def committed(self, decision: Decision) -> None:
        changed = {incident.id: incident for incident in decision.incidents}
        pressed = next((entry for entry in decision.entries if entry.kind is EntryKind.PRESS), None)
        if pressed is not None:  # one press may leave several entries
            self._press(pressed, changed)
        for entry in decision.entries:
            if entry.kind is EntryKind.OUTCOME:
                self._outcome(entry)
            elif entry.kind is EntryKind.ANSWER and entry.reason is Reason.ACKNOWLEDGED:
                self._answer(entry, changed)

    def _press(self, entry: Entry, changed: dict[IncidentId, Incident]) -> None:
        incident = changed.get(entry.incident_id) if entry.incident_id else None
        device = self._registry().devices.get(DeviceId(entry.data.get("device", "")))
        site = incident.site_id if incident else device.site_id if device else ""
        self.presses[site, incident.incident_class if incident else NO_CLASS, entry.reason or ""] += 1

    def _answer(self, entry: Entry, changed: dict[IncidentId, Incident]) -> None:
        incident = changed.get(entry.incident_id) if entry.incident_id else None
        if incident is not None and incident.answers:
            last = incident.answers[-1]
            self.answers[incident.site_id, last.kind, last.via] += 1

    def _outcome(self, entry: Entry) -> None:
        channel, state = entry.data.get("channel"), entry.data.get("state")
        if channel and state:
            self.outcomes[channel, state] += 1
            if state not in _NO_FAILURE and entry.reason is not Reason.NOT_TRIED:  # no carrier was asked
                self.failures[channel, entry.reason or ""] += 1
