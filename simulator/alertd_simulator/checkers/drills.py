"""Promise 3 from the outside: what may be a drill, how it is marked, what is said when it is real, and how it ends.

Owns a record of the drills that were begun, made from the orders as they were given and from what the world knows of
each press. Shares nothing with the engine's own judgement, and takes its word for one thing only: that an order was
taken up.
"""

from collections import Counter
from collections.abc import Iterable

from msgspec import Struct

from alertd.model.drill import Drill
from alertd.model.events import DrillFound, DrillOrdered, Pressed
from alertd.model.ids import DeviceId, DrillId, SiteId
from alertd.model.incident import Incident, IncidentClass
from alertd.model.mode import Mode
from alertd.model.notification import Kind, NotificationRow
from alertd.model.notification import NotificationState as N
from alertd.model.reason import Reason
from alertd_simulator.checkers.calling import is_voice
from alertd_simulator.checkers.checker import Checker, Scene
from alertd_simulator.checkers.covering import GRAVITY, is_panic
from alertd_simulator.checkers.final import Final
from alertd_simulator.checkers.records import Row
from alertd_simulator.world.happenings import (
    Acked,
    Arrived,
    Attempted,
    CallTaken,
    Committed,
    Crashed,
    Happening,
    Published,
    Started,
    TextTaken,
    Truth,
)

SECOND_US = 1_000_000
MARK, REAL, OVER = "this is a drill.", "drill stopped, this is real.", "the drill is over."
SPOKEN_REAL = "the drill is stopped. this is real."
REAL_SHORT = "this is real."
"""Of what follows the first words of it, where there is no room for more."""
ECHO_US = 30 * SECOND_US
"""What a finger does after this is a second gesture, however slow the first one was, and however late both arrive."""
LATE_US = 60 * SECOND_US
"""Calm time after its minutes in which a drill must have ended."""
TOLD_US = 30 * SECOND_US
"""Calm time after a start in which those who take part must have been told of it."""
OUTLIVES = frozenset({Kind.DRILL_OVER, Kind.DISPATCH_CLOSED})
"""What a drill that is over may still say."""
CAN_HEAR = frozenset({N.QUEUED, N.CLAIMED, N.ACCEPTED, N.SENT, N.DELIVERED})


class Running(Struct, kw_only=True, eq=False):
    """A drill that runs, as it was ordered."""

    order: DrillOrdered
    id: DrillId
    since_us: int
    told: set[str]
    """Endpoint keys of every message of it."""
    in_memory: set[str]
    """Those of them that only memory holds."""
    gestures: dict[DeviceId, Truth]
    """The first gesture of each device that was taken for a drill."""
    fleeting: set[DeviceId] = set()
    """Devices of which only memory knows it."""
    restarted_us: int | None = None
    """Calm time of a start that nobody was told of yet."""


class DrillBook(Struct, kw_only=True, eq=False):
    """The drills that run, by site."""

    running: dict[SiteId, Running] = {}
    _unsafe: dict[SiteId, tuple[int, Running | None]] = {}
    """What was so before a commit that a power cut may take back: it is in memory only, or its log may be cut."""

    def power_went(self, crashed: Crashed) -> None:
        """What was begun or ended in memory only never was; nor in the commit under way, if its log was cut."""
        for site_id, (since_us, before) in self._unsafe.items():
            if since_us < 0 or (crashed.lost_bytes and since_us == crashed.at_us):
                self.running.pop(site_id, None)
                if before is not None:
                    self.running[site_id] = before
        self._unsafe.clear()
        for running in self.running.values():
            running.told -= running.in_memory
            running.in_memory.clear()
            for device_id in running.fleeting:
                running.gestures.pop(device_id, None)
            running.fleeting.clear()

    def see(self, committed: Committed) -> tuple[Running, Drill] | None:
        """Take up a commit; the drill that it ended, with what it left of it."""
        drill = committed.decision.drill
        if committed.durable:
            self._unsafe = {s: kept for s, kept in self._unsafe.items() if kept[0] >= 0}
            for running in self.running.values():
                running.in_memory.clear()
                running.fleeting.clear()
        if drill is not None:
            since_us, before = committed.at_us if committed.durable else -1, self._unsafe.get(drill.site_id)
            if committed.durable or before is None or before[0] >= 0:
                self._unsafe[drill.site_id] = (since_us, self.running.get(drill.site_id))
        if drill is not None and isinstance(committed.event, DrillOrdered) and drill.is_running:
            self.running[drill.site_id] = Running(
                order=committed.event, id=drill.id, since_us=committed.at_us, told=set(), in_memory=set(), gestures={}
            )
        known = self.running.get(committed.event.site_id)
        if known is None:
            return None
        told = {
            row.notification.endpoint.key
            for row in committed.decision.notifications
            if row.notification.mode is Mode.DRILL
            and row.state is not N.SUPPRESSED
            and row.notification.endpoint.person_id is not None
        }
        if not committed.durable:
            known.in_memory |= told - known.told
        known.told |= told
        if drill is None or drill.is_running:
            return None
        del self.running[drill.site_id]
        return known, drill


class OnlyDrilled(Checker):
    name = "only what is drilled"
    docs = (
        "Promise 3 (req 76): a press is a drill only if its device was named, in the drill's time, by its first "
        "gesture, and no graver than what is drilled; any other panic is live, and ends the drill in that very commit. "
        "No device that presses for another school, too, takes part."
    )
    sees = (Published, Arrived, Acked, Committed, Crashed)

    def __init__(self, scene: Scene) -> None:
        super().__init__(scene)
        self._book = DrillBook()
        self._truths: dict[int, Truth] = {}
        self._in_flight: dict[DeviceId, Counter[int]] = {}

    def see(self, happening: Happening) -> None:
        match happening:
            case Published(truth=truth) if truth is not None:
                self._truths[happening.number] = truth
            case Arrived(number=number) if truth := self._truths.get(number):
                self._in_flight.setdefault(truth.device_id, Counter())[number] += 1
            case Acked(number=number) if truth := self._truths.get(number):
                self._in_flight.setdefault(truth.device_id, Counter())[number] -= 1
            case Committed():
                self._committed(happening)
            case Crashed():
                self._in_flight.clear()  # what nobody has acknowledged is delivered once more
                if happening.power:
                    self._book.power_went(happening)
            case _:
                pass

    def _committed(self, committed: Committed) -> None:
        before = self._book.running.get(committed.event.site_id)
        self._judge_beginning(committed)
        goes_on = self._book.see(committed) is None and before is not None
        for incident in committed.decision.incidents:
            known = self.scene.records.incidents.get(incident.id)
            if incident.mode is Mode.DRILL and incident.is_open and _pressed_anew(known, incident):
                self._judge_drill(committed, before, incident)
            elif incident.mode is Mode.LIVE and known is None and is_panic(incident.incident_class) and goes_on:
                self.accuse(committed.at_us, f"{incident.headline} is real, and a drill goes on at its site")

    def _judge_beginning(self, committed: Committed) -> None:
        order, drill = committed.event, committed.decision.drill
        if not isinstance(order, DrillOrdered) or drill is None or not drill.is_running:
            return
        for device in (self.scene.registry.devices[device_id] for device_id in order.device_ids):
            if {device.site_id, *device.roaming_sites} != {order.site_id}:
                words = f"{device.id} takes part in a drill at {order.site_id}, and is heard for real by another school"
                self.accuse(committed.at_us, words)

    def _judge_drill(self, committed: Committed, running: Running | None, incident: Incident) -> None:
        event, at_us = committed.event, committed.at_us
        if running is None:
            self.accuse(at_us, f"{incident.headline} ({incident.id}) is a drill, and none runs")
            return
        order = running.order
        if at_us - running.since_us > order.minutes * 60 * SECOND_US and self._daemon_was_well(at_us, running):
            self.accuse(at_us, f"{incident.headline} is a drill after its {order.minutes} min")
        if not isinstance(event, Pressed):
            return
        device_id = event.signal.device_id
        if device_id not in order.device_ids:
            self.accuse(at_us, f"{device_id} takes no part in the drill, and its press is taken for one")
        graver = GRAVITY[incident.incident_class] > GRAVITY[order.incident_class]
        if graver or {incident.incident_class, order.incident_class} & _APART - {order.incident_class}:
            self.accuse(at_us, f"{incident.incident_class} is taken for a drill of {order.incident_class}")
        self._judge_gesture(committed, running, device_id)

    def _daemon_was_well(self, at_us: int, running: Running) -> bool:
        late_us = at_us - running.since_us - running.order.minutes * 60 * SECOND_US
        return late_us > LATE_US and self.scene.conditions.last_crash_us < running.since_us

    def _judge_gesture(self, committed: Committed, running: Running, device_id: DeviceId) -> None:
        flying = [
            self._truths[number] for number, count in self._in_flight.get(device_id, Counter()).items() if count > 0
        ]
        if not flying:
            return
        if device_id not in running.gestures and not committed.durable:
            running.fleeting.add(device_id)
        first = running.gestures.setdefault(device_id, min(flying, key=lambda truth: truth.pressed_us))
        early = all(truth.pressed_us < running.since_us - SECOND_US for truth in flying)
        if early:
            self.accuse(committed.at_us, f"{device_id} was pressed before the drill began, and is taken for it")
        event = committed.event
        assert isinstance(event, Pressed)
        timeless = event.backlog and event.signal.pressed_us is None
        again = all(truth.pressed_us - first.pressed_us > ECHO_US for truth in flying)
        if again and not timeless:
            self.accuse(committed.at_us, f"{device_id} was pressed again, and that is taken for a drill")


_APART = frozenset({IncidentClass.MEDICAL, IncidentClass.FIRE})
"""Other people go there than to a threat."""


def _pressed_anew(before: Incident | None, after: Incident) -> bool:
    if before is None:
        return True
    counts = [(p.device_id, p.count) for p in before.presses], [(p.device_id, p.count) for p in after.presses]
    return counts[0] != counts[1]


class DrillMarks(Checker):
    name = "drill marks"
    docs = (
        "Promise 3 (req 74): every text and call of a drill begins and ends with its mark, the news of its end says "
        "that it is over, and nothing live is called a drill."
    )
    sees = (TextTaken, CallTaken)

    def see(self, happening: Happening) -> None:
        match happening:
            case TextTaken(body=words) | CallTaken(words=words):
                row = self.scene.records.rows.get(happening.notification_id) if happening.notification_id else None
                if row is not None:
                    self._judge(happening.at_us, row, words.strip().casefold())
            case _:
                pass

    def _judge(self, at_us: int, row: Row, words: str) -> None:
        content = row.notification
        is_drill = content.mode is Mode.DRILL
        whole = words.startswith(MARK) and words.endswith(MARK) and len(words) > 2 * len(MARK) + 8
        if is_drill and content.kind is Kind.DRILL_OVER:
            if not words.startswith(OVER):
                self._accuse(at_us, row, f"does not say that the drill is over: {words}")
        elif is_drill and not whole:
            self._accuse(at_us, row, f"is not marked before and after: {words}")
        elif not is_drill and MARK in words:
            self._accuse(at_us, row, f"is {content.mode} and says that it is a drill: {words}")

    def _accuse(self, at_us: int, row: Row, what: str) -> None:
        content = row.notification
        self.accuse(at_us, f"{content.kind} to {content.recipient} ({content.id}) {what}")


class RealAfterDrill(Checker):
    name = "real after a drill"
    docs = (
        "Promise 3: once a press was real nothing of the drill leaves any more, and the first that everybody who was "
        "told of it is sent says that it is real."
    )
    sees = (Committed, Attempted, Crashed)

    def __init__(self, scene: Scene) -> None:
        super().__init__(scene)
        self._book = DrillBook()
        self._over: dict[SiteId, int] = {}
        """Since when no drill runs at a site."""
        self._waiting: dict[str, tuple[SiteId, int]] = {}
        """Endpoint key -> of whom nothing has left since it was real."""

    def see(self, happening: Happening) -> None:
        match happening:
            case Committed():
                self._committed(happening)
            case Attempted():
                self._attempted(happening)
            case Crashed(power=True):
                self._book.power_went(happening)
                self._waiting.clear()
                for site_id in self._book.running:
                    self._over.pop(site_id, None)
            case _:
                pass

    def _committed(self, committed: Committed) -> None:
        ended = self._book.see(committed)
        for site_id in self._book.running:
            self._over.pop(site_id, None)
        if ended is None:
            return
        running, drill = ended
        self._over[drill.site_id] = committed.at_us
        if drill.ended_because is not Reason.DRILL_IS_REAL:
            return
        first: dict[str, NotificationRow] = {}
        for row in committed.decision.notifications:
            if row.notification.mode is Mode.LIVE and row.notification.kind not in (Kind.PAGE, Kind.TROUBLE):
                first.setdefault(row.notification.endpoint.key, row)
        for key in sorted(running.told):
            found = first.get(key) or _of_presses(self.scene, key, first.values())
            self._judge_first(committed, drill.site_id, key, found)

    def _judge_first(self, committed: Committed, site_id: SiteId, key: str, row: NotificationRow | None) -> None:
        if row is None:
            paged = any(r.notification.reason is Reason.FALLBACK for r in committed.decision.notifications)
            if not paged and self._is_known(key):
                self.accuse(committed.at_us, f"{key} was told of the drill, and hears nothing of what is real")
            return
        says = row.notification.text.casefold()
        if not says.startswith((REAL, SPOKEN_REAL)):
            self.accuse(committed.at_us, f"the first that {key} hears is not that it is real: {says}")
        if row.state is N.QUEUED:
            self._waiting[key] = (site_id, committed.at_us)

    def _is_known(self, key: str) -> bool:
        people = self.scene.registry.people.values()
        return any(endpoint.key == key for person in people for endpoint in person.endpoints)

    def _addressed(self, recipient: str) -> list[Row]:
        return [row for row in self.scene.records.rows.values() if row.notification.recipient == recipient]

    def _attempted(self, attempted: Attempted) -> None:
        content = attempted.claim.notification
        if content.mode is Mode.DRILL and content.kind not in OUTLIVES and content.site_id in self._over:
            late_s = (attempted.at_us - self._over[content.site_id]) / SECOND_US
            self.accuse(
                attempted.at_us,
                f"{content.kind} of the drill to {content.recipient} leaves {late_s:.1f} s after its end",
            )
        waiting = self._waiting.get(content.endpoint.key)
        if waiting is None or content.site_id != waiting[0]:
            return
        born = self.scene.records.rows.get(content.id)
        if content.mode is not Mode.LIVE or born is None or born.born_us < waiting[1] or content.kind is Kind.TROUBLE:
            return
        mine = {row.notification.endpoint.key for row in self._addressed(content.recipient)}
        self._waiting = {key: since for key, since in self._waiting.items() if key not in mine}
        if not content.text.casefold().startswith((REAL, SPOKEN_REAL, REAL_SHORT)):
            self.accuse(
                attempted.at_us,
                f"{content.recipient} is sent {content.kind} before hearing that it is real: {content.text}",
            )


def _of_presses(scene: Scene, key: str, rows: Iterable[NotificationRow]) -> NotificationRow | None:
    """Who answered a drill by a text to the sender of notices had the answer from there. Nothing of a press leaves from
    it beside that of presses (req 55, 56): the same phone is told by the latter; if it told that one to stop, another
    of theirs that did not."""
    channel, _, number = key.partition(":")
    rules = scene.registry.channels.get(channel)
    if rules is None or not rules.notices:
        return None
    texts = [row for row in rows if not is_voice(scene, row.notification.endpoint.channel)]
    there = [row for row in texts if row.notification.endpoint.address == number]
    theirs = {row.notification.recipient for row in there}
    others = (row for row in texts if row.notification.recipient in theirs)
    return next((row for row in (*there, *others) if row.reason is not Reason.OPTED_OUT), None)


class DrillEnds(Checker):
    name = "drill ends"
    docs = (
        "Req 77, req 78: a drill ends after its minutes whatever happens, survives no restart silently, and whoever "
        "was told of it is told that it is over; who told the carrier to stop meanwhile, by whatever else reaches "
        "them. (Only memory knew that an address was told, and the power went: that was never promised.)"
    )
    sees = (Committed, Started, Crashed)

    def __init__(self, scene: Scene) -> None:
        super().__init__(scene)
        self._book = DrillBook()
        self._calm_at_end: dict[DrillId, int] = {}

    def see(self, happening: Happening) -> None:
        match happening:
            case Committed():
                self._committed(happening)
            case Started():
                for running in self._book.running.values():
                    running.restarted_us = self.scene.conditions.calm_us(happening.at_us)
            case Crashed(power=True):
                self._book.power_went(happening)
            case _:
                pass
        self._look(happening.at_us)

    def _committed(self, committed: Committed) -> None:
        running = self._book.running.get(committed.event.site_id)
        ended = self._book.see(committed)
        event = committed.event
        if isinstance(event, DrillFound) and running is not None and ended is None:
            running.restarted_us = None
            self._all_told(committed, running, Kind.DRILL_GOES_ON, "that alertd was restarted")
        if ended is not None:
            running, drill = ended
            if drill.ended_because is not Reason.DRILL_IS_REAL:
                self._all_told(committed, running, Kind.DRILL_OVER, "that the drill is over")

    def _all_told(self, committed: Committed, running: Running, kind: Kind, what: str) -> None:
        rows = {r.notification.endpoint.key: r for r in committed.decision.notifications if r.notification.kind is kind}
        people = self.scene.registry.people.values()
        known = {endpoint.key for person in people for endpoint in person.endpoints}
        for key in sorted((running.told & known) - rows.keys()):
            if _of_presses(self.scene, key, rows.values()) is None:
                self.accuse(committed.at_us, f"{key} was told of the drill at {running.order.site_id}, and not {what}")

    def _look(self, at_us: int) -> None:
        if not self._book.running:
            return
        calm_us = self.scene.conditions.calm_us(at_us)
        for running in self._book.running.values():
            if running.restarted_us is not None and calm_us - running.restarted_us > TOLD_US:
                running.restarted_us = None
                self.accuse(at_us, f"alertd was restarted in the drill at {running.order.site_id}, and nobody was told")
            minutes_us = running.order.minutes * 60 * SECOND_US
            if self.scene.conditions.last_power_us > running.since_us:
                minutes_us *= 2  # a clock that is wrong at boot may make it wait its whole time again
            if at_us - running.since_us <= minutes_us:
                continue
            if calm_us - self._calm_at_end.setdefault(running.id, calm_us) > LATE_US:
                self.accuse(
                    at_us,
                    f"the drill of {running.order.minutes} min at {running.order.site_id} still runs after "
                    f"{(at_us - running.since_us) / SECOND_US / 60:.1f} min",
                    once=running.id,
                )

    def finish(self, final: Final, at_us: int) -> None:  # noqa: ARG002 - a checker's signature
        self._look(at_us)
