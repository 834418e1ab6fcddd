"""A further room, and a late press: who has to hear of it, and who has to wait.

Owns when a press is news, by the place where it was made. Must not look at how the engine words it.
"""

from msgspec.structs import replace

from alertd.model.events import AnswerGiven, Event, Keyed, Pressed, Replied, TimerFired
from alertd.model.ids import DeviceId, IncidentId, ZoneId
from alertd.model.incident import AnswerKind, EscalationState, Incident, IncidentState, Press, Told
from alertd.model.mode import Mode
from alertd.model.notification import Kind, NotificationRow
from alertd.model.people import Person
from alertd.model.timer import TimerKind
from alertd_simulator.checkers.calling import is_voice
from alertd_simulator.checkers.checker import Checker, Consequence, Scene
from alertd_simulator.checkers.covering import is_panic, is_sensors
from alertd_simulator.fleet import Make, make_of
from alertd_simulator.world.happenings import Acked, Arrived, Committed, Happening, Published

NEWS = frozenset({Kind.ALSO, Kind.ALERT, Kind.REMINDER})
DISPATCH_NEWS = frozenset({Kind.DISPATCH_UPDATE, Kind.DISPATCH_NEW})
LATE_US = 120 * 1_000_000
"""A press that may be older is late: people hear it at once, dispatch after a human or the site's time."""
WAIT_SLACK_US = 15 * 1_000_000
"""A sign of life is sent every ten seconds: the last moment at which alertd knows that it was connected."""


class FurtherRoom(Checker):
    name = "further room"
    docs = (
        "A press from a room or device that is not yet in the open incident is always told: an ALSO to everybody who "
        "was told, and an update to every dispatch centre, in the same commit. It stands in the incident. Only of a "
        "state that is still said after a human ended its incident, those alone hear who go about."
    )
    sees = (Consequence,)

    def see(self, happening: Happening) -> None:
        if not isinstance(happening, Committed) or not isinstance(happening.event, Pressed):
            return
        incidents, zone_id = happening.decision.incidents, self._zone(happening.event)
        is_taken = any(_knows(incident, happening.event.signal.device_id, zone_id) for incident in incidents)
        for after in incidents:
            before = self.scene.records.incidents.get(after.id)
            if before is not None and before != after and timeless(before) == timeless(after):
                continue  # the clock was set since it was written last, and it is in the time of now: that is all
            if before is not None and _pressed(before) == _pressed(after) and is_taken:
                continue  # another one has the press, and this one only stopped being announced
            sensed = is_sensors(self.scene.registry, happening.event.signal.device_id)
            if sensed and not is_panic(after.incident_class):
                continue  # what sensors say of a nuisance is told once, and counted
            ended = after.mode is Mode.DRILL and not after.is_open  # by this press, which is real and none of it
            if before is not None and before.is_open and not ended:
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
        self._people(committed, before, rows, device_id, is_carried=_is_carried(pressed, before, after))
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

    def _people(
        self, committed: Committed, before: Incident, rows: list[NotificationRow], device_id: str, *, is_carried: bool
    ) -> None:
        kinds = {Kind.UPDATE} if is_carried else NEWS
        addressed = {r.notification.endpoint.key for r in rows if r.notification.kind in kinds}
        for told in before.told:
            if is_carried and told.words != "responder":
                continue
            person = self.scene.registry.people.get(told.person_id)
            here = person is not None and any(e.key == told.endpoint_key for e in person.endpoints)
            if here and told.endpoint_key not in addressed and not self._texted(person, told, addressed):
                self.accuse(
                    committed.at_us,
                    f"{device_id} also pressed in {before.headline} ({before.id}), and {told.person_id} is not told",
                )

    def _texted(self, person: Person | None, told: Told, addressed: set[str]) -> bool:
        """A phone need not ring for what a text brings to the same person; nor need the sender of notices say what that
        of presses says."""
        channel = told.endpoint_key.partition(":")[0]
        rules = self.scene.registry.channels.get(channel)
        spared = is_voice(self.scene, channel) or (rules is not None and rules.notices)
        return spared and person is not None and any(endpoint.key in addressed for endpoint in person.endpoints)

    def _centers(self, committed: Committed, before: Incident, rows: list[NotificationRow], device_id: str) -> None:
        updated = {r.notification.endpoint.key for r in rows if r.notification.kind in DISPATCH_NEWS}
        for status in before.dispatch:
            destination = self.scene.registry.destinations.get(status.destination_id)
            if destination is not None and destination.endpoint.key not in updated:
                self.accuse(
                    committed.at_us,
                    f"{device_id} also pressed in {before.headline} ({before.id}), and {destination.id} is not told",
                )


def _pressed(incident: Incident) -> tuple[Press, ...]:
    """Whatever the first decision after a step of the clock is about: since when presses are known moves with it."""
    return tuple(replace(press, known_us=0) for press in incident.presses)


def timeless(incident: Incident) -> Incident:
    """Without the stamps that move with a clock that is set."""
    said = None if incident.announcing is None else replace(incident.announcing, begun_us=0)
    return replace(incident, presses=_pressed(incident), upgraded_us=0, announcing=said, anchor=None)


def _knows(incident: Incident, device_id: str, zone_id: ZoneId | None) -> bool:
    return any(p.device_id == device_id and p.location.zone_id == zone_id for p in incident.presses)


def _is_carried(pressed: Pressed, before: Incident, after: Incident) -> bool:
    """A state of a device that has called, and a human has ended that. Whether it may pass for one, `lasting` knows."""
    stands = any(p.device_id == pressed.signal.device_id for p in before.presses)
    stays_over = before.escalation is EscalationState.STOPPED and after.escalation is EscalationState.STOPPED
    return pressed.signal.lasting is not None and stands and stays_over


class LateWaits(Checker):
    name = "late waits"
    docs = (
        "Req 35: a press that may be older than two minutes tells people at once, but no dispatch centre and no "
        "loudspeaker before a human has said that they go or asked for more, the site's time is over, or somebody "
        'presses now. "Cannot go" confirms nothing.'
    )
    sees = (Consequence, Published, Arrived, Acked)

    def __init__(self, scene: Scene) -> None:
        super().__init__(scene)
        self._held: set[IncidentId] = set()
        self._published_us: dict[int, int] = {}
        self._arrived: dict[DeviceId, dict[int, int]] = {}
        """Of each device whose clock is not astray: its messages that are not acknowledged -> how long they waited at
        the broker."""
        self._device_of: dict[int, DeviceId] = {}

    def see(self, happening: Happening) -> None:
        match happening:
            case Published(truth=truth) if truth is not None and make_of(truth.device_id) is not Make.ASTRAY:
                self._published_us[happening.number] = happening.at_us
                self._device_of[happening.number] = truth.device_id
            case Arrived(number=number, retain=False) if number in self._published_us:
                arrived = self._arrived.setdefault(self._device_of[number], {})
                arrived.setdefault(number, happening.at_us - self._published_us[number])
            case Acked(number=number) if number in self._device_of:
                self._arrived.get(self._device_of[number], {}).pop(number, None)
            case Committed():
                self._committed(happening)
            case _:
                pass

    def _committed(self, committed: Committed) -> None:
        for incident in committed.decision.incidents:
            new = incident.id not in self.scene.records.incidents
            if new and isinstance(committed.event, Pressed) and self._is_late(committed.event):
                self._held.add(incident.id)
            elif incident.id in self._held and self._frees(committed.event, incident):
                self._held.discard(incident.id)
        for row in committed.decision.notifications:
            content = row.notification
            if content.kind in (Kind.DISPATCH_NEW, Kind.PAGE) and content.incident_id in self._held:
                self.accuse(
                    committed.at_us, f"{content.recipient} is told of a late press ({content.id}) by nobody's word"
                )

    def _frees(self, event: Event, after: Incident) -> bool:
        match event:
            case Replied() | Keyed() | AnswerGiven():
                return self._confirms(after)
            case TimerFired(timer=timer):
                return timer.kind is TimerKind.LATE_CONFIRM
            case Pressed():
                return not self._is_late(event)
            case _:
                return False

    def _confirms(self, after: Incident) -> bool:
        """Somebody says that they go, or are there; or asks for more, which stands there as a press of no device."""
        before = self.scene.records.incidents.get(after.id)
        known = frozenset(before.answers) if before is not None else frozenset()
        goes = any(a.kind is not AnswerKind.CANNOT_GO for a in after.answers if a not in known)
        asks = before is None or after.asked_us != before.asked_us
        return goes or asks or (before is not None and _pressed(after) != _pressed(before))

    def _is_late(self, event: Pressed) -> bool:
        """By what alertd says of it; or because the world knows that it waited at the broker for so long."""
        return event.received_us - event.oldest_us > LATE_US or self._waited_long(event.signal.device_id)

    def _waited_long(self, device_id: DeviceId) -> bool:
        """Whichever message of the device it was. Not asked where alertd's clock was ever touched: a device's time, or
        the time of the last connection, then means something else to it."""
        waited = self._arrived.get(device_id, {}).values()
        was_set = self.scene.conditions.last_step_us >= 0
        return not was_set and min(waited, default=0) > LATE_US + WAIT_SLACK_US
