"""A further room, and a late press: who has to hear of it, and who has to wait.

Owns when a press is news, by the place where it was made. Must not look at how the engine words it.
"""

from alertd.model.events import AnswerGiven, Pressed, Replied, TimerFired
from alertd.model.ids import IncidentId, ZoneId
from alertd.model.incident import Incident, IncidentState
from alertd.model.notification import Kind, NotificationRow
from alertd.model.timer import TimerKind
from alertd_simulator.checkers.checker import Checker, Scene
from alertd_simulator.world.happenings import Committed, Happening

NEWS = frozenset({Kind.ALSO, Kind.ALERT, Kind.REMINDER})
DISPATCH_NEWS = frozenset({Kind.DISPATCH_UPDATE, Kind.DISPATCH_NEW})
LATE_US = 120 * 1_000_000
"""A press that may be older is late: people hear it at once, dispatch after a human or the site's time."""


class FurtherRoom(Checker):
    name = "further room"
    docs = (
        "A press from a room or device that is not yet in the open incident is always told: an ALSO to everybody who "
        "was told, and an update to every dispatch centre, in the same commit. It stands in the incident."
    )
    sees = (Committed,)

    def see(self, happening: Happening) -> None:
        if not isinstance(happening, Committed) or not isinstance(happening.event, Pressed):
            return
        for after in happening.decision.incidents:
            before = self.scene.records.incidents.get(after.id)
            if before is not None and before.is_open:
                self._judge(happening, happening.event, before, after)

    def _judge(self, committed: Committed, pressed: Pressed, before: Incident, after: Incident) -> None:
        device_id, zone_id = pressed.signal.device_id, self._zone(pressed)
        if _knows(before, device_id, zone_id):
            return
        graver = before.incident_class is not after.incident_class
        if not _knows(after, device_id, zone_id) and not (graver and zone_id is None):
            self.accuse(committed.at_us, f"{after.headline} ({after.id}) forgets the press of {device_id} in {zone_id}")
        if before.state is IncidentState.CANCEL_WINDOW:
            return  # nobody was told yet, and now everybody is
        rows = [r for r in committed.decision.notifications if r.notification.incident_id == after.id]
        self._people(committed, before, rows, device_id)
        self._centers(committed, before, rows, device_id)

    def _zone(self, pressed: Pressed) -> ZoneId | None:
        """Where the press was made: a fixed device hangs there, a wearable is where it was heard."""
        registry = self.scene.registry
        device = registry.devices.get(pressed.signal.device_id)
        if device is not None and device.zone_id is not None:
            return device.zone_id
        gateway = registry.devices.get(pressed.signal.heard_by) if pressed.signal.heard_by else None
        zone = registry.zones.get(gateway.zone_id) if gateway is not None and gateway.zone_id is not None else None
        return zone.id if zone is not None and zone.site_id == pressed.site_id else None

    def _people(self, committed: Committed, before: Incident, rows: list[NotificationRow], device_id: str) -> None:
        addressed = {r.notification.endpoint.key for r in rows if r.notification.kind in NEWS}
        for told in before.told:
            person = self.scene.registry.people.get(told.person_id)
            here = person is not None and any(e.key == told.endpoint_key for e in person.endpoints)
            if here and told.endpoint_key not in addressed:
                self.accuse(
                    committed.at_us,
                    f"{device_id} also pressed in {before.headline} ({before.id}), and {told.person_id} is not told",
                )

    def _centers(self, committed: Committed, before: Incident, rows: list[NotificationRow], device_id: str) -> None:
        updated = {r.notification.endpoint.key for r in rows if r.notification.kind in DISPATCH_NEWS}
        for status in before.dispatch:
            destination = self.scene.registry.destinations.get(status.destination_id)
            if destination is not None and destination.endpoint.key not in updated:
                self.accuse(
                    committed.at_us,
                    f"{device_id} also pressed in {before.headline} ({before.id}), and {destination.id} is not told",
                )


def _knows(incident: Incident, device_id: str, zone_id: ZoneId | None) -> bool:
    return any(p.device_id == device_id and p.location.zone_id == zone_id for p in incident.presses)


class LateWaits(Checker):
    name = "late waits"
    docs = (
        "Req 35: a press that may be older than two minutes tells people at once, but no dispatch centre before a "
        "human has answered, the site's time is over, or somebody presses now."
    )
    sees = (Committed,)

    def __init__(self, scene: Scene) -> None:
        super().__init__(scene)
        self._held: set[IncidentId] = set()

    def see(self, happening: Happening) -> None:
        if not isinstance(happening, Committed):
            return
        event = happening.event
        for incident in happening.decision.incidents:
            new = incident.id not in self.scene.records.incidents
            if new and isinstance(event, Pressed) and event.received_us - event.oldest_us > LATE_US:
                self._held.add(incident.id)
            elif incident.id in self._held and _frees(happening):
                self._held.discard(incident.id)
        for row in happening.decision.notifications:
            content = row.notification
            if content.kind is Kind.DISPATCH_NEW and content.incident_id in self._held:
                self.accuse(
                    happening.at_us, f"{content.recipient} is told of a late press ({content.id}) by nobody's word"
                )


def _frees(committed: Committed) -> bool:
    event = committed.event
    match event:
        case Replied() | AnswerGiven():
            return True
        case TimerFired(timer=timer):
            return timer.kind is TimerKind.LATE_CONFIRM
        case Pressed():
            return event.received_us - event.oldest_us <= LATE_US
        case _:
            return False
