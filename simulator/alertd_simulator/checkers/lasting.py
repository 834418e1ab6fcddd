"""States that last: one call for help each, and another one once the device has ended it.

Owns what a repeat is, by the words of the messages alone. Must not look at what the engine remembers of it.
"""

from msgspec import Struct

from alertd.model.events import DeviceTestWatched, Pressed
from alertd.model.ids import CauseId, DeviceId, SiteId, ZoneId
from alertd.model.incident import EscalationState, Incident, IncidentClass, is_panic
from alertd.model.mode import Mode
from alertd.model.notification import Kind
from alertd.model.reason import Reason
from alertd_simulator.checkers.checker import Checker, Scene
from alertd_simulator.checkers.covering import GRAVITY, NEEDS_ITS_OWN, fallback_pages
from alertd_simulator.fleet import named
from alertd_simulator.world.happenings import Committed, Crashed, Happening

SAID = frozenset({Kind.ALSO, Kind.ALERT, Kind.UPDATE})
"""What people are told of a press."""
SLACK_US = 2_000_000
COPIES_US = 3_600_000_000 - SLACK_US
"""So long the same cause is the same message, unless it says that it is so for less."""
APART_US = 30_000_000
"""Gateways' clocks; more, and an end is older than the call."""
ABOUT_TESTS = frozenset({Reason.TRYING_OUT, Reason.TRIED_ENOUGH})


class _Call(Struct, kw_only=True):
    """A state of a device at a site, since it was first heard."""

    action: str
    state: str
    last_us: int
    """By the daemon's wall clock, which somebody may set."""
    last_true_us: int
    said_us: int | None
    """By the device's clock."""
    drilled: bool
    """Or tried out."""
    zones: set[ZoneId | None]
    durable: bool = True
    """Else memory alone may have held it."""
    gone: bool = False
    """With the power, or by an end that may be older, perhaps: nobody can tell what alertd knows of it."""


class LastingStates(Checker):
    name = "lasting states"
    docs = (
        "A state that a device says again and again is one call for help: once people were told, its repeats open no "
        "incident, begin none anew that a human has ended, and tell nobody, but of a place of which nobody knows; nor "
        "do copies of one message. Promise 2: the first time that it is heard, and again once the device has ended it, "
        "was silent for longer than it ever is (unless it numbers its presses), or was tried out in a test that is "
        "over, it is taken up like any press; and what was pressed in a drill, or is being tried out, once something "
        "real is open that is as grave."
    )
    sees = (Committed, Crashed)

    def __init__(self, scene: Scene) -> None:
        super().__init__(scene)
        self._calls: dict[tuple[SiteId, DeviceId], dict[str, _Call]] = {}
        self._causes: dict[CauseId, int] = {}
        """When (true time) each message was first taken up."""

    def see(self, happening: Happening) -> None:
        match happening:
            case Crashed(power=True):
                self._power_went()
            case Committed(event=DeviceTestWatched()):
                return
            case Committed():
                for entry in happening.decision.entries:
                    if entry.reason in ABOUT_TESTS:
                        self._forget(happening.event.site_id, DeviceId(entry.data.get("device", "")))
                if isinstance(happening.event, Pressed):
                    self._pressed(happening, happening.event)
            case _:
                return

    def _pressed(self, happening: Committed, event: Pressed) -> None:
        mine = self._calls.setdefault((event.site_id, event.signal.device_id), {})
        lasting = event.signal.lasting
        if event.retained or self._is_copy(happening, event):
            return
        if event.signal.ends:
            ended = tuple(mine) if lasting is None else (lasting.what,)
            for what in ended:
                if what in mine and _is_older(event, mine[what]):
                    mine[what].gone = True
                elif what in mine:
                    del mine[what]
        elif lasting is not None:
            self._judge(happening, event, mine)

    def _power_went(self) -> None:
        for mine in self._calls.values():
            for call in mine.values():
                call.gone = call.gone or not call.durable

    def _is_copy(self, committed: Committed, event: Pressed) -> bool:
        """Nobody is told of it, and it says nothing new. Where a clock was set meanwhile, nobody can tell."""
        first_us = self._causes.setdefault(event.cause, committed.at_us)
        same_us = min(event.signal.same_s * 1_000_000 or COPIES_US, COPIES_US)
        if first_us == committed.at_us or committed.at_us - first_us > same_us:
            self._causes[event.cause] = committed.at_us  # another press, of which copies come, too
            return False
        mine = self._calls.get((event.site_id, event.signal.device_id), {})
        call = mine.get(event.signal.lasting.what) if event.signal.lasting is not None else None
        if call is not None and not event.signal.ends and committed.at_us > call.last_true_us:
            call.last_us, call.last_true_us = event.received_us, committed.at_us
        return True

    def _forget(self, site_id: SiteId, device_id: DeviceId) -> None:
        """A test begins, or is over: what was said before is no call any more, but a number is the same number."""
        mine = self._calls.get((site_id, device_id), {})
        self._calls[site_id, device_id] = {what: call for what, call in mine.items() if call.state}

    def _judge(self, committed: Committed, event: Pressed, mine: dict[str, _Call]) -> None:
        lasting, zone_id = event.signal.lasting, _zone(self.scene, event)
        assert lasting is not None
        call = mine.get(lasting.what)
        known = call is not None and (call.action, call.state) == (event.signal.action, lasting.state)
        silences_us: tuple[int, ...] = ()
        if known and call is not None:  # a clock that is set changes one of them
            silences_us = (event.received_us - call.last_us, committed.at_us - call.last_true_us)
        now = _Call(
            action=event.signal.action,
            state=lasting.state,
            last_us=event.received_us,
            last_true_us=committed.at_us,
            said_us=event.signal.pressed_us,
            drilled=_is_tried(committed) or any(i.mode is Mode.DRILL for i in committed.decision.incidents),
            zones={zone_id},
            durable=committed.durable,
        )
        is_new = all(silent_us > lasting.repeats_s * 1_000_000 + SLACK_US for silent_us in silences_us)
        if call is not None and call.gone:
            now.zones |= call.zones
            now.drilled |= call.drilled
        elif call is not None and call.drilled and not call.state and silences_us and self._is_real_open(event):
            self._first(committed, event)
        elif call is not None and silences_us and self._is_repeat(event, silences_us):
            self._repeat(committed, event, call, zone_id)
            now.zones |= call.zones
            now.drilled |= call.drilled
            now.said_us = max(now.said_us or 0, call.said_us or 0) or None
        elif is_new and not (silences_us and lasting.state):
            self._first(committed, event)
            if not lasting.state and not committed.decision.incidents and not _is_tried(committed):
                mine.pop(lasting.what, None)  # it paged nobody: said again, it is pressed again
                return
        elif call is not None:  # nobody can tell
            now.zones |= call.zones
            now.drilled |= call.drilled
        mine[lasting.what] = now

    def _is_repeat(self, event: Pressed, silences_us: tuple[int, ...]) -> bool:
        """For certain. What is counted may be pressed again within the gesture's window."""
        lasting, device = event.signal.lasting, self.scene.registry.devices.get(event.signal.device_id)
        assert lasting is not None
        if lasting.state:
            return True
        most_us, least_us = lasting.repeats_s * 1_000_000 - SLACK_US, 0
        if device is not None and named(device, event.signal.action) is None:
            least_us = device.gestures.window_s * 1_000_000 + SLACK_US
        return all(least_us <= silent_us <= most_us for silent_us in silences_us)

    def _is_real_open(self, event: Pressed) -> bool:
        """As grave as what it calls for, and for the same people."""
        device = self.scene.registry.devices.get(event.signal.device_id)
        wanted = None
        if device is not None:
            wanted = named(device, event.signal.action) or device.gestures.presses.get(1)
        mine = (i for i in self.scene.records.incidents.values() if i.site_id == event.site_id and i.is_open)
        real = [i.incident_class for i in mine if i.mode is Mode.LIVE and is_panic(i.incident_class)]
        if wanted not in tuple(IncidentClass):  # what one word of several calls for, nobody can tell
            return bool(real)
        same = (x for x in real if x == wanted or not {x, wanted} & NEEDS_ITS_OWN)
        return any(GRAVITY[x] >= GRAVITY[IncidentClass(wanted)] for x in same)

    def _repeat(self, committed: Committed, event: Pressed, call: _Call, zone_id: ZoneId | None) -> None:
        device_id, decision = event.signal.device_id, committed.decision
        new = [i for i in decision.incidents if i.id not in self.scene.records.incidents]
        if new:
            self.accuse(committed.at_us, f"{device_id} says again what it said before, and opens {new[0].headline}")
        for after in self._ended(committed):
            if after.escalation is not EscalationState.STOPPED:
                self.accuse(
                    committed.at_us, f"{device_id} says again what it said before, and {after.headline} is anew"
                )
        told = [row for row in decision.notifications if row.notification.kind in SAID]
        if told and (zone_id is None or zone_id in call.zones):
            whom = told[0].notification.recipient
            self.accuse(committed.at_us, f"{device_id} says again what it said before, and {whom} is told of it")

    def _ended(self, committed: Committed) -> list[Incident]:
        """Of the incidents that are changed, those that a human had ended."""
        known = self.scene.records.incidents
        changed = (i for i in committed.decision.incidents if i.id in known)
        return [i for i in changed if known[i.id].escalation is EscalationState.STOPPED]

    def _first(self, committed: Committed, event: Pressed) -> None:
        """Somebody hears of it, now or in an incident that is open."""
        device = self.scene.registry.devices.get(event.signal.device_id)
        decision = committed.decision
        if device is None or not (named(device, event.signal.action) or 1 in device.gestures.presses):
            return  # a gesture of several presses has only begun
        if not decision.incidents and not fallback_pages(decision.notifications) and not _is_tried(committed):
            self.accuse(committed.at_us, f"{device.id} says {event.signal.action} anew, and it is taken for a repeat")
        for after in self._ended(committed):
            before = self.scene.records.incidents[after.id]
            further = {p.location.zone_id for p in after.presses} - {p.location.zone_id for p in before.presses}
            if further and after.escalation is EscalationState.STOPPED:
                self.accuse(
                    committed.at_us, f"{device.id} says {event.signal.action} anew, and {after.headline} stays over"
                )


def _is_tried(committed: Committed) -> bool:
    """Is it a gesture of a test?"""
    return any(entry.reason is Reason.TRIED_OUT and entry.data.get("class") for entry in committed.decision.entries)


def _is_older(event: Pressed, call: _Call) -> bool:
    ended_us = event.signal.pressed_us
    is_held_up = event.backlog or event.signal.late
    return is_held_up and ended_us is not None and call.said_us is not None and ended_us < call.said_us - APART_US


def _zone(scene: Scene, event: Pressed) -> ZoneId | None:
    heard_by = event.signal.heard_by
    gateway = scene.registry.devices.get(heard_by) if heard_by is not None else None
    return gateway.zone_id if gateway is not None else None
