"""One device is tried out: what may be a test, by the order that a human gave and by the world's own clock.

Must not look at the row that the engine made of the order.
"""

from msgspec import Struct
from msgspec.structs import replace

from alertd.model.events import ClockStepped, DeviceTestEndOrdered, DeviceTestOrdered, DeviceTestWatched, Pressed
from alertd.model.ids import DeviceId, SiteId
from alertd.model.incident import VERIFY_FIRST, IncidentClass
from alertd.model.mode import Mode
from alertd.model.reason import Reason
from alertd_simulator.checkers.checker import Checker, Consequence, Scene
from alertd_simulator.checkers.covering import GRAVITY, is_panic
from alertd_simulator.world.happenings import Committed, Crashed, Happening

WATCHED_S, SLACK_S = 30, 1


class _Ordered(Struct, frozen=True):
    incident_class: IncidentClass
    until_us: int
    """True time, as the other."""
    watched_us: int

    def is_watched(self, at_us: int) -> bool:
        return at_us - self.watched_us <= (WATCHED_S + SLACK_S) * 1_000_000


class OnlyTried(Checker):
    name = "only what is tried"
    docs = (
        "Promise 2: a press is a test only if a human has ordered the test of that very device, since the last start "
        "and since the clock was set last, its time is not over, and somebody has watched it in the last 30 s; only up "
        "to the class that is tried, and never while something real is open at the site, nor what a human presses "
        "while a sensor asks whether there was a shot. And what is a test opens no incident and tells nobody."
    )
    sees = (Consequence, Crashed)

    def __init__(self, scene: Scene) -> None:
        super().__init__(scene)
        self._tests: dict[tuple[SiteId, DeviceId], _Ordered] = {}

    def see(self, happening: Happening) -> None:
        match happening:
            case Crashed() | Committed(event=ClockStepped()):
                self._tests.clear()
            case Committed(event=DeviceTestOrdered() as order):
                if any(entry.reason is Reason.TRYING_OUT for entry in happening.decision.entries):
                    until_us = happening.at_us + order.minutes * 60_000_000
                    test = _Ordered(order.incident_class, until_us, happening.at_us)
                    self._tests[order.site_id, order.device_id] = test
            case Committed(event=DeviceTestWatched() as order):
                known = self._tests.get((order.site_id, order.device_id))
                if known is not None and known.is_watched(happening.at_us):
                    self._tests[order.site_id, order.device_id] = replace(known, watched_us=happening.at_us)
            case Committed(event=DeviceTestEndOrdered() as order) if order.device_id is not None:
                self._tests.pop((order.site_id, order.device_id), None)
            case Committed(event=Pressed()):
                self._pressed(happening)
            case _:
                pass

    def _pressed(self, committed: Committed) -> None:
        gestures = [e for e in committed.decision.entries if e.reason is Reason.TRIED_OUT and e.data.get("class")]
        if not gestures or not isinstance(committed.event, Pressed):
            return
        event, tried = committed.event, IncidentClass(gestures[0].data["class"])
        why = self._why_real(committed, event, tried)
        if why:
            self.accuse(committed.at_us, f"a press of {event.signal.device_id} for {tried} is called a test: {why}")
        if committed.decision.incidents or committed.decision.notifications:
            self.accuse(committed.at_us, f"the test of {event.signal.device_id} tells somebody")

    def _why_real(self, committed: Committed, event: Pressed, tried: IncidentClass) -> str:
        test = self._tests.get((event.site_id, event.signal.device_id))
        if test is None:
            return "nobody tries it out"
        if committed.at_us > test.until_us + SLACK_S * 1_000_000:
            return "its time is over"
        if not test.is_watched(committed.at_us):
            return "nobody watches it any more"
        if GRAVITY[tried] > GRAVITY[test.incident_class]:
            return f"only {test.incident_class} is tried"
        for incident in self.scene.records.incidents.values():
            open_ = incident.mode is Mode.LIVE and incident.is_open and incident.site_id == event.site_id
            is_asked = is_panic(tried) and incident.incident_class in VERIFY_FIRST
            if open_ and (is_panic(incident.incident_class) or is_asked):
                return f"{incident.headline} is open"
        return ""
