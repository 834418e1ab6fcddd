"""What sensors say is heard, told to few, told once, and is never a panic by itself (req 65 to 73).

Owns what may follow from a sensor's report, by the registry and by what the world knows of it. What repeats count for
is not judged: only that the first is heard, and that the texts stay few.
"""

from collections import Counter

from alertd.model.events import Keyed, Pressed, Replied
from alertd.model.ids import DeviceId, IncidentId
from alertd.model.incident import Incident, IncidentClass
from alertd.model.mode import Mode
from alertd.model.notification import Kind, Notification, NotificationRow, NotificationState
from alertd.model.policy import Policy, TargetKind
from alertd.model.reason import Reason
from alertd.model.registry import Registry
from alertd_simulator.checkers.checker import Checker, Consequence, Scene
from alertd_simulator.checkers.covering import fallback_pages, is_panic, is_sensors
from alertd_simulator.world.happenings import Arrived, Committed, Crashed, Happening, Published

SECOND_US = 1_000_000
HEARD_S = 15.0
"""Calm seconds from a sensor's first word to the commit that takes it up."""
SILENT_S = 3600.0
"""After so long without a word of it, what a sensor says is no repeat of anything."""
ALERTS_MAX = 8
"""Of one sensor and kind of alarm, to one phone, in one day of the world: after each cool-down, or once an hour."""
WIDE = frozenset({TargetKind.SITE_STAFF, TargetKind.DISTRICT})
HEARD_FIRST = frozenset({IncidentClass.GUNSHOT_SENSOR, IncidentClass.KEYWORD_SENSOR})
"""Told over any sender in need: somebody has to look."""


class SensorsAreHeard(Checker):
    name = "sensor heard"
    docs = (
        "Req 65, 66: the first word of a sensor for an hour is taken up within seconds: it is in an incident of its "
        "site, or the journal says why nobody is told. What it says again may be acknowledged at once, and counted."
    )
    sees = (Published, Arrived, Committed, Crashed)

    def __init__(self, scene: Scene) -> None:
        super().__init__(scene)
        self._said: dict[int, tuple[DeviceId, str]] = {}
        self._last_us: dict[tuple[DeviceId, str], int] = {}
        self._pending: dict[tuple[DeviceId, str], int] = {}
        """Calm time at the arrival."""

    def see(self, happening: Happening) -> None:
        match happening:
            case Published(truth=truth) if truth is not None and is_sensors(self.scene.registry, truth.device_id):
                if truth.incident_class is not None:
                    self._said[happening.number] = (truth.device_id, str(truth.incident_class))
            case Arrived(number=number, retain=False) if number in self._said and self.scene.conditions.up:
                self._arrived(self._said[number], happening.at_us)
            case Committed(event=Pressed() as event):
                self._committed(event, happening)
            case Crashed():
                self._pending.clear()  # what was not acknowledged comes again
            case _:
                pass
        self._look(happening.at_us)

    def _arrived(self, said: tuple[DeviceId, str], at_us: int) -> None:
        last_us = self._last_us.get(said)
        self._last_us[said] = at_us
        if last_us is None or at_us - last_us > SILENT_S * SECOND_US:
            self._pending.setdefault(said, self.scene.conditions.calm_us(at_us))

    def _committed(self, event: Pressed, committed: Committed) -> None:
        """Any line about it will do: what must not be is silence."""
        device_id = event.signal.device_id
        device = self.scene.registry.devices.get(device_id)
        named = device.gestures.actions.get(event.signal.action) if device is not None else None
        if any(entry.reason is Reason.POISON for entry in committed.decision.entries):  # alertd could not handle it
            for said in [each for each in self._pending if each[0] == device_id]:
                del self._pending[said]
        elif committed.decision.entries:
            self._pending.pop((device_id, named or ""), None)

    def _look(self, at_us: int) -> None:
        now_us = self.scene.conditions.calm_us(at_us) if self._pending else 0
        for said, since_us in tuple(self._pending.items()):
            if now_us - since_us > HEARD_S * SECOND_US:
                del self._pending[said]
                self.accuse(at_us, f"{said[0]} said {said[1]} for the first time in an hour, and is not taken up")


class SensorsStayQuiet(Checker):
    name = "sensors stay quiet"
    docs = (
        "Req 68, 70: what only a sensor says is told to people whom its policy names, never to everybody, loudspeakers "
        "or dispatch; and of one sensor nobody gets more than a few texts, however often it speaks."
    )
    sees = (Consequence,)

    def __init__(self, scene: Scene) -> None:
        super().__init__(scene)
        self._alerts: Counter[tuple[str, DeviceId, str]] = Counter()

    def see(self, happening: Happening) -> None:
        if not isinstance(happening, Committed):
            return
        if isinstance(happening.event, Pressed) and is_sensors(self.scene.registry, happening.event.signal.device_id):
            self._judge_pages(happening, happening.event)
        changed = {incident.id: incident for incident in happening.decision.incidents}
        for row in happening.decision.notifications:
            id_ = row.notification.incident_id
            incident = changed.get(id_) or self.scene.records.incidents.get(id_) if id_ is not None else None
            if incident is not None and row.state is NotificationState.QUEUED and not is_panic(incident.incident_class):
                self._judge(happening.at_us, incident, row.notification)

    def _judge_pages(self, committed: Committed, event: Pressed) -> None:
        """What alertd could not handle is told to nobody else than what it can."""
        registry = self.scene.registry
        device = registry.devices[event.signal.device_id]
        policies = registry.sites[event.site_id].policies
        policy_id = policies.get(device.gestures.actions.get(event.signal.action, ""))
        named = _named(registry, registry.policies[policy_id]) if policy_id is not None else set()
        pages = set(fallback_pages(committed.decision.notifications))
        for n in (row.notification for row in committed.decision.notifications if row.notification.id in pages):
            if n.endpoint.person_id not in named:
                what = f"what only {device.id} says, and alertd could not handle,"
                self.accuse(committed.at_us, f"{what} is told to {n.recipient}, whom its policy does not name")

    def _judge(self, at_us: int, incident: Incident, n: Notification) -> None:
        what = f"{incident.headline}, which only a sensor says,"
        if n.endpoint.dispatch:
            self.accuse(at_us, f"{what} is told to dispatch centre {n.recipient}")
        elif n.kind is Kind.PAGE:
            self.accuse(at_us, f"{what} is said over loudspeakers")
        elif n.endpoint.person_id is not None and n.endpoint.person_id not in _named(
            self.scene.registry, _policy(self.scene.registry, incident)
        ):
            self.accuse(at_us, f"{what} is told to {n.recipient}, whom its policy does not name")
        if n.kind is Kind.ALERT and n.template.startswith("alert"):
            key = (n.endpoint.key, incident.presses[0].device_id, str(incident.incident_class))
            self._alerts[key] += 1
            if self._alerts[key] > ALERTS_MAX and self.scene.conditions.last_step_us < 0:
                self.accuse(at_us, f"{what} is told to {n.recipient} for the {self._alerts[key]}th time", once=str(key))


def _named(registry: Registry, policy: Policy) -> set[str]:
    """Everybody whom the policy may ever mean, by groups, persons and schedules."""
    found: set[str] = set()
    for target in (t for step in policy.steps for t in step.targets if t.kind not in WIDE):
        match target.kind:
            case TargetKind.PERSON:
                found.add(target.id)
            case TargetKind.GROUP:
                found |= {str(p.id) for p in registry.people.values() if target.id in p.groups}
            case TargetKind.SCHEDULE if target.id in registry.schedules:
                found |= {str(shift.person_id) for shift in registry.schedules[target.id].shifts}
            case _:
                pass
    return found


def _policy(registry: Registry, incident: Incident) -> Policy:
    frozen = registry.policies_by_hash.get(incident.policy_hash)
    return frozen or registry.policies[registry.sites[incident.site_id].policies[incident.incident_class]]


class LoneSensor(Checker):
    name = "lone sensor"
    docs = (
        "Req 70, 71: no sensor sounds a panic by itself, whatever it says: a panic holds a human's press or word, or "
        "the reports of two sensors. Nor does one sensor sound again what others began: of a panic nobody is told by "
        "its report unless somebody else pressed, or another sensor spoke, within the seconds of a policy."
    )
    sees = (Consequence,)

    def __init__(self, scene: Scene) -> None:
        super().__init__(scene)
        self._said: set[IncidentId] = set()
        """Incidents of which a human has made something, by text or key."""

    def see(self, happening: Happening) -> None:
        if not isinstance(happening, Committed):
            return
        if isinstance(happening.event, Pressed):
            self._sounded_again(happening, happening.event)
        for incident in happening.decision.incidents:
            if isinstance(happening.event, Replied | Keyed):
                self._said.add(incident.id)
            if not is_panic(incident.incident_class) or incident.id in self._said:
                continue
            if any(not is_sensors(self.scene.registry, press.device_id) for press in incident.presses):
                continue
            sensors = {press.device_id for press in incident.presses}
            if len(sensors) < 2:
                named = ", ".join(sorted(sensors))
                self.accuse(happening.at_us, f"{incident.headline} is sounded by {named} alone", once=incident.id)

    def _sounded_again(self, committed: Committed, event: Pressed) -> None:
        device_id, decision = event.signal.device_id, committed.decision
        stepped = self.scene.conditions.last_step_us >= 0
        if stepped or not is_sensors(self.scene.registry, device_id) or fallback_pages(decision.notifications):
            return
        known = {**self.scene.records.incidents, **{incident.id: incident for incident in decision.incidents}}
        of_site = [incident for incident in known.values() if incident.site_id == event.site_id]
        others = [p.last_us for incident in of_site for p in incident.presses if p.device_id != device_id]
        others += [incident.asked_us for incident in of_site]
        most_s = max(policy.corroborated.within_s for policy in self.scene.registry.policies.values())
        if any(abs(event.received_us - last_us) <= most_s * SECOND_US for last_us in others):
            return
        told = {row.notification.incident_id for row in decision.notifications if row.state is NotificationState.QUEUED}
        for incident in of_site:
            if incident.id in told and is_panic(incident.incident_class):
                self.accuse(committed.at_us, f"{incident.headline} is sounded again by {device_id} alone")


class OwnSender(Checker):
    name = "own sender"
    docs = (
        "Req 55, 56: a text about a nuisance never leaves from the sender of presses where the person can be told from "
        "that of notices; and a press is told from that of notices only to somebody who told every other to stop."
    )
    sees = (Consequence,)

    def __init__(self, scene: Scene) -> None:
        super().__init__(scene)
        self._stopped: set[str] = set()

    def see(self, happening: Happening) -> None:
        if not isinstance(happening, Committed):
            return
        decision = happening.decision
        self._stopped = (self._stopped | set(decision.opt_outs)) - set(decision.opt_ins)
        changed = {incident.id: incident for incident in decision.incidents}
        for row in decision.notifications:
            id_ = row.notification.incident_id
            incident = changed.get(id_) or self.scene.records.incidents.get(id_) if id_ is not None else None
            if incident is not None and row.state is NotificationState.QUEUED:
                self._judge(happening.at_us, incident, row)

    def _judge(self, at_us: int, incident: Incident, row: NotificationRow) -> None:
        channels, n = self.scene.registry.channels, row.notification
        person = self.scene.registry.people.get(n.endpoint.person_id) if n.endpoint.person_id is not None else None
        rules = channels.get(n.endpoint.channel)
        if person is None or rules is None or rules.kind != "sms" or n.kind not in (Kind.ALERT, Kind.REMINDER):
            return
        texts = [e for e in person.endpoints if e.channel in channels and channels[e.channel].kind == "sms"]
        own = [e for e in texts if channels[e.channel].notices]
        if not is_panic(incident.incident_class):
            if own and not rules.notices and incident.incident_class not in HEARD_FIRST:
                self.accuse(at_us, f"{incident.headline} is told to {n.recipient} over {rules.name}, as a lockdown is")
        elif rules.notices and incident.mode is Mode.LIVE and not self._was_told_there(incident, n):
            left = [e.channel for e in texts if e not in own and e.key not in self._stopped]
            if left:
                self.accuse(at_us, f"{incident.headline} is told to {n.recipient} over {rules.name}, beside {left}")

    def _was_told_there(self, incident: Incident, n: Notification) -> bool:
        """It was a nuisance when they were told of it, and a human has made it a panic: they hear that, too."""
        before = self.scene.records.incidents.get(incident.id)
        return before is not None and any(told.endpoint_key == n.endpoint.key for told in before.told)
