"""What it takes that a press is *covered*: it stands in an incident of its site, grave enough, or its site was paged.

Owns the rules by which an incident answers for a press, written down once more and apart from the engine. Judges
nothing by itself.
"""

from msgspec import Struct
from msgspec.json import decode

from alertd.model.events import Pressed
from alertd.model.ids import DeviceId, IncidentId, NotificationId, SiteId
from alertd.model.incident import Incident, IncidentClass
from alertd.model.notification import NotificationRow
from alertd.model.reason import Reason
from alertd.model.registry import Registry
from alertd.model.site import DeviceKind
from alertd_simulator.world.happenings import Committed, Published, Truth

# Order of gravity (req 26), restated: what the engine's table says is on trial, too.
GRAVITY = {
    IncidentClass.LOCKDOWN: 5,
    IncidentClass.FIRE: 4,
    IncidentClass.POLICE_DURESS: 4,
    IncidentClass.DURESS: 4,
    IncidentClass.MEDICAL: 3,
    IncidentClass.STAFF_ASSIST: 2,
    IncidentClass.HOLD: 2,
    IncidentClass.GUNSHOT_SENSOR: 1,
    IncidentClass.KEYWORD_SENSOR: 1,
    IncidentClass.TAMPER: 1,
    IncidentClass.MASKING: 1,
    IncidentClass.VAPE: 0,
    IncidentClass.NOISE: 0,
    IncidentClass.ENVIRONMENTAL: 1,
}
PANIC = 2
NEEDS_ITS_OWN = frozenset({IncidentClass.MEDICAL, IncidentClass.FIRE})
"""Other people go there than to a threat: no other incident answers for such a press, nor this one for others."""


def is_panic(incident_class: IncidentClass) -> bool:
    return GRAVITY[incident_class] >= PANIC


def answers_for(incident_class: IncidentClass, wanted: IncidentClass) -> bool:
    """May an incident of the one class stand for a press of the other?"""
    if incident_class is wanted:
        return True
    apart = {incident_class, wanted} & NEEDS_ITS_OWN
    return not apart and is_panic(wanted) and GRAVITY[incident_class] >= GRAVITY[wanted]


def answers_at(site_id: SiteId, truth: Truth) -> bool:
    """May this school stand for where it was pressed? One that heard the badge within the minute may: it is there. What
    was heard earlier is no reason to leave its own school out."""
    return site_id == truth.site_id or (truth.is_near and site_id in truth.near)


def holds(incident: Incident, truth: Truth, wanted: IncidentClass) -> bool:
    """Is the press in this incident?"""
    return (
        answers_at(incident.site_id, truth)
        and answers_for(incident.incident_class, wanted)
        and any(press.device_id == truth.device_id for press in incident.presses)
    )


class Cover(Struct, frozen=True, kw_only=True):
    """A commit that answers for presses of a device: an incident that holds them, or a page by the fixed fallback."""

    at_us: int
    site_id: SiteId
    durable: bool
    incident_id: IncidentId | None = None
    incident_class: IncidentClass | None = None
    pages: tuple[NotificationId, ...] = ()
    tried: bool = False
    """It was a test of the device, ordered by a human: nobody has to be paged. `device_tests` judges whether it was."""
    held_on: bool = False
    """Rings whoever looks after the devices: a button that is held on after a human has closed what it called for."""


class Press(Struct, kw_only=True, eq=False):
    """A message that is a press, and what answered for it when it was acknowledged."""

    truth: Truth
    wanted: IncidentClass
    needs: int = 1
    """So many messages of its gesture must have come before anybody can know: alertd counts what arrives, where the
    device does not count itself."""
    counted: bool = False
    """By its device."""
    covers: tuple[Cover, ...] = ()
    excused: bool = False
    """Memory held it, the broker was told by necessity, and the power went."""

    @property
    def words(self) -> str:
        return f"press {self.truth.press} of {self.truth.device_id} ({self.wanted} at {self.truth.site_id})"


class CoverBook:
    """Presses that were published, and what was committed about their devices."""

    def __init__(self, registry: Registry) -> None:
        self.presses: dict[int, Press] = {}
        self._registry = registry
        self._gestures: dict[int, tuple[str, int]] = {}
        """Message -> the press that it belongs to, and which of its presses it is."""
        self._came: dict[str, dict[int, int]] = {}
        """Press -> the messages of its gesture that have come, and which of its presses each is."""
        self._covers: dict[DeviceId, list[Cover]] = {}
        self._began_us: dict[str, int] = {}
        """Press -> when the first of its gesture was made."""
        self._tried: dict[DeviceId, tuple[int, int]] = {}
        """When each was last heard in a test, and how many presses it had counted by then."""

    def publish(self, published: Published) -> None:
        wanted = least_class(self._registry, published)
        truth = published.truth
        if truth is not None:
            self._gestures[published.number] = (truth.press, truth.count)
            self._began_us.setdefault(truth.press, truth.pressed_us)
        if wanted is not None and truth is not None and truth.site_id is not None:
            needs = least_arrivals(self._registry, published)
            counted = _says_count(published.payload)
            self.presses[published.number] = Press(truth=truth, wanted=wanted, needs=needs, counted=counted)

    def came(self, number: int) -> tuple[int, ...]:
        """The message has reached alertd. Itself, if it is a press and enough of its gesture has come; and those of its
        gesture that came before, and for which it was one too few until now."""
        if number not in self._gestures:
            return ()
        self._take_off_what_was_tried(number)
        name, count = self._gestures[number]
        came = self._came.setdefault(name, {})
        before = len(set(came.values()))
        came[number] = count
        now = len(set(came.values()))
        presses = ((each, self.presses.get(each)) for each in came)
        enough = [each for each, press in presses if press is not None and press.needs <= now]
        return tuple(each for each in enough if each == number or before < self.presses[each].needs)

    def _take_off_what_was_tried(self, number: int) -> None:
        """What a device counts on from a test that is over is as many presses as were made since."""
        press = self.presses.get(number)
        if press is None or not press.counted or press.truth.device_id not in self._tried:
            return
        (tried_us, tried), truth = self._tried[press.truth.device_id], press.truth
        if not self._began_us[truth.press] <= tried_us < truth.pressed_us:
            return
        thresholds = self._registry.devices[truth.device_id].gestures.presses
        reached = [threshold for threshold in thresholds if threshold <= truth.count - tried]
        if reached:
            press.wanted = IncidentClass(thresholds[max(reached)])
        else:
            del self.presses[number]

    def forget(self, numbers: set[int]) -> None:
        """Messages that memory alone held, and of which the broker had been told by necessity: the power went, and what
        comes again of their gestures is counted anew."""
        for came in self._came.values():
            for number in numbers & came.keys():
                del came[number]

    def commit(self, committed: Committed) -> None:
        for device_id, cover in covers_in(committed):
            self._covers.setdefault(device_id, []).append(cover)
        event, reasons = committed.event, {entry.reason for entry in committed.decision.entries}
        if isinstance(event, Pressed) and Reason.TRIED_ENOUGH in reasons:  # it is real, and so are those before it
            self._tried.pop(event.signal.device_id, None)
        elif isinstance(event, Pressed) and Reason.TRIED_OUT in reasons:
            self._tried[event.signal.device_id] = (committed.at_us, event.signal.count or 1)

    def of(self, press: Press) -> tuple[Cover, ...]:
        """Commits since it was pressed that answer for it. That it is held still does, once its gesture has called."""
        truth = press.truth
        covers = [
            cover
            for cover in self._covers.get(truth.device_id, ())
            if answers_at(cover.site_id, truth)
            and (cover.incident_class is None or answers_for(cover.incident_class, press.wanted))
        ]
        called_us = [cover.at_us for cover in covers if cover.incident_id is not None]
        goes_on = truth.began_us is not None and truth.began_us <= max(called_us, default=-1)
        return tuple(cover for cover in covers if cover.at_us >= truth.pressed_us and (goes_on or not cover.held_on))


def covers_in(committed: Committed) -> list[tuple[DeviceId, Cover]]:
    """What a commit covers, by device."""
    event = committed.event
    if not isinstance(event, Pressed):
        return []
    device_id, found = event.signal.device_id, []
    for incident in committed.decision.incidents:
        if any(press.device_id == device_id for press in incident.presses):
            cover = Cover(
                at_us=committed.at_us,
                site_id=incident.site_id,
                durable=committed.durable,
                incident_id=incident.id,
                incident_class=incident.incident_class,
            )
            found.append((device_id, cover))
    if any(entry.reason is Reason.TRIED_OUT and entry.data.get("class") for entry in committed.decision.entries):
        tried = Cover(at_us=committed.at_us, site_id=event.site_id, durable=committed.durable, tried=True)
        found.append((device_id, tried))
    if any(trouble.key == f"still_on:{device_id}" and trouble.rings for trouble in committed.decision.troubles):
        held_on = Cover(at_us=committed.at_us, site_id=event.site_id, durable=committed.durable, held_on=True)
        found.append((device_id, held_on))
    if pages := fallback_pages(committed.decision.notifications):
        cover = Cover(at_us=committed.at_us, site_id=event.site_id, durable=committed.durable, pages=pages)
        found.append((device_id, cover))
    return found


def is_sensors(registry: Registry, device_id: DeviceId) -> bool:
    device = registry.devices.get(device_id)
    return device is not None and device.kind is DeviceKind.SENSOR


def fallback_pages(rows: tuple[NotificationRow, ...]) -> tuple[NotificationId, ...]:
    return tuple(row.notification.id for row in rows if row.notification.reason is Reason.FALLBACK)


def least_class(registry: Registry, published: Published) -> IncidentClass | None:
    """The class that even the worst delivery leaves of the press; `None`: it is none. What a sensor says is told once
    and counted after that (`sensors`). Whoever counts its own presses, or names what it
    means, is taken at its word; else arrivals are counted, and a lost or late one makes them fewer (a backlog without
    device time never upgrades)."""
    truth = published.truth
    if truth is None or truth.incident_class is None:
        return None
    device = registry.devices.get(truth.device_id)
    if is_sensors(registry, truth.device_id):
        return None
    if device is None or truth.count <= 1 or _says_count(published.payload):
        return truth.incident_class
    counted = {IncidentClass(name) for name in device.gestures.presses.values()}
    if truth.incident_class not in counted:
        return truth.incident_class
    return IncidentClass(device.gestures.presses[min(device.gestures.presses)])


def least_arrivals(registry: Registry, published: Published) -> int:
    """How many messages of the gesture must have arrived before one of them can mean anything."""
    truth = published.truth
    device = registry.devices.get(truth.device_id) if truth is not None else None
    if truth is None or device is None or truth.count <= 1 or _says_count(published.payload):
        return 1
    counted = {IncidentClass(name) for name in device.gestures.presses.values()}
    return min(device.gestures.presses) if truth.incident_class in counted else 1


def _says_count(payload: bytes) -> bool:
    try:
        body = decode(payload)
    except ValueError:
        return False
    return isinstance(body, dict) and isinstance(body.get("count"), int) and body["count"] > 1
